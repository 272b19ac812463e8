//! What several collection types share: making instances, argument checks, text, owned fields.

use core::cell::Cell;
use core::ptr::null_mut;
use taipan_object::abi::PyObject;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::handle::into_ptr_opt;
use taipan_object::native::{CallArgs, Visitor, from_c};
use taipan_object::statics::{Py_GenericAliasType, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Layout, Object, PyErr, PyResult, Ref, Type, raise};

/// A new instance through the type's own `tp_alloc`: zeroed, with `items` places.
///
/// # Errors
/// `MemoryError`.
pub fn allocate(ty: &Type, items: usize) -> PyResult {
    // SAFETY: a ready type has an allocation function.
    unsafe {
        match (*ty.raw()).tp_alloc {
            Some(alloc) => from_c(alloc(ty.raw(), items.cast_signed())),
            None => taipan_object::alloc::generic_alloc(ty, items.cast_signed()),
        }
    }
}

/// `cls[item]` of the classes that only take type parameters.
pub fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

/// A field that owns a reference or nothing, and can change while its owner is in use.
pub struct Field(Cell<*mut PyObject>);

impl Field {
    /// A field that owns `value`.
    pub fn new<T: Layout>(value: Option<Ref<T>>) -> Self {
        Self(Cell::new(into_ptr_opt(value)))
    }

    /// A field of `value`.
    pub fn of(value: &Object) -> Self {
        Self::new(Some(value.new_ref()))
    }

    /// A new reference to what the field holds.
    #[inline]
    pub fn get(&self) -> Option<Ref> {
        // SAFETY: null, or owned by the field.
        unsafe { Object::borrow_opt(self.0.get()) }.map(Object::new_ref)
    }

    /// Empties the field.
    #[inline]
    pub fn take(&self) -> Option<Ref> {
        let ptr = self.0.replace(null_mut());
        // SAFETY: the field owned the reference.
        if ptr.is_null() { None } else { Some(unsafe { Ref::steal(ptr) }) }
    }

    /// Replaces the value; the old one is released after the store.
    pub fn set<T: Layout>(&self, value: Option<Ref<T>>) {
        let old = self.take();
        self.0.set(into_ptr_opt(value));
        drop(old);
    }

    /// Whether the field holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.get().is_null()
    }

    /// Shows the value to the collector.
    pub fn visit(&self, visitor: &mut Visitor) {
        // SAFETY: null, or owned by the field.
        if let Some(object) = unsafe { Object::borrow_opt(self.0.get()) } {
            visitor.visit_object(object);
        }
    }
}

/// The pair that an iterator gave last, to be given once more with other items if nobody has kept it.
pub struct LastPair(Field);

impl LastPair {
    pub fn new() -> Self {
        Self(Field::new::<Object>(None))
    }

    /// The next pair.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn next(&self, first: Ref, second: Ref) -> PyResult<Ref> {
        // SAFETY: null, or a pair that the field owns.
        if let Some(pair) = unsafe { Object::borrow_opt(self.0.0.get()) }
            && pair.refcount() == 1
        {
            let pair = pair.new_ref();
            // SAFETY: only the field knew the pair, which is an exact tuple of two; no code has run since.
            let old = unsafe { pair.cast::<Tuple>().refill_pair(first, second) };
            drop(old);
            return Ok(pair);
        }
        let pair = Tuple::from_array([first, second])?.upcast();
        self.0.set(Some(pair.clone()));
        Ok(pair)
    }

    /// Lets go of the pair.
    pub fn forget(&self) {
        self.0.take();
    }

    /// Shows the pair to the collector.
    pub fn visit(&self, visitor: &mut Visitor) {
        self.0.visit(visitor);
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.take();
    }
}

/// The `TypeError` of a call with keywords that takes none.
///
/// # Errors
/// That error.
pub fn no_keywords(name: &str, kwargs: Option<&Dict>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(keywords_error(name));
    }
    Ok(())
}

#[cold]
fn keywords_error(name: &str) -> PyErr {
    raise!(PyExc_TypeError, "{name}() takes no keyword arguments")
}

/// The positional arguments of a call that takes no keywords.
///
/// # Errors
/// `TypeError` when there are keywords.
pub fn only_positional<'a>(name: &str, args: &CallArgs<'a>) -> PyResult<&'a [&'a Object]> {
    if args.kwnames.is_some_and(|names| !names.is_empty()) {
        return Err(keywords_error(name));
    }
    Ok(args.all)
}

/// Checks the number of positional arguments.
///
/// # Errors
/// `TypeError`: `name expected at most …`.
#[inline]
pub fn check_count(name: &str, given: usize, min: usize, max: usize) -> PyResult<()> {
    if (min..=max).contains(&given) { Ok(()) } else { Err(count_error(name, given, min, max)) }
}

#[cold]
fn count_error(name: &str, given: usize, min: usize, max: usize) -> PyErr {
    let (bound, wanted) = match (given < min, min == max) {
        (true, true) => ("", min),
        (true, false) => ("at least ", min),
        (false, true) => ("", max),
        (false, false) => ("at most ", max),
    };
    let plural = if wanted == 1 { "" } else { "s" };
    raise!(PyExc_TypeError, "{name} expected {bound}{wanted} argument{plural}, got {given}")
}

/// At most one positional argument and no keywords, as `list`, `tuple` and the sets are called.
///
/// # Errors
/// `TypeError`.
pub fn at_most_one<'a>(name: &str, args: &'a [&'a Object]) -> PyResult<Option<&'a Object>> {
    check_count(name, args.len(), 0, 1)?;
    Ok(args.first().copied())
}

/// As [`at_most_one`] for the tuple and dict of `tp_new` and `tp_init`. Subclasses that replace the
/// `other` one of the two functions may be called with keywords.
///
/// # Errors
/// `TypeError`.
pub fn one_of_tuple<'a>(
    name: &str,
    args: &'a Tuple,
    kwargs: Option<&Dict>,
    lenient: bool,
) -> PyResult<Option<&'a Object>> {
    if !lenient {
        no_keywords(name, kwargs)?;
    }
    check_count(name, args.len(), 0, 1)?;
    Ok(args.get(0))
}

/// Whether `ty` has the `tp_new` of `base`.
pub fn same_new(ty: &Type, base: &Type) -> bool {
    // SAFETY: live types; addresses of functions are compared as C code compares them.
    unsafe { (*ty.raw()).tp_new.map(|f| f as usize) == (*base.raw()).tp_new.map(|f| f as usize) }
}

/// Whether `ty` has the `tp_init` of `base`.
pub fn same_init(ty: &Type, base: &Type) -> bool {
    // SAFETY: as in `same_new`.
    unsafe { (*ty.raw()).tp_init.map(|f| f as usize) == (*base.raw()).tp_init.map(|f| f as usize) }
}

/// All items of an iterable; `message` replaces the `TypeError` of things that are none.
///
/// # Errors
/// What the iteration raises.
pub fn sequence_fast(iterable: &Object, message: &str) -> PyResult<Vec<Ref>> {
    if is_list_or_tuple(iterable) {
        return taipan_object::protocol::to_vec(iterable);
    }
    let iterator = iterable
        .iter()
        .map_err(|error| if error.is(&PyExc_TypeError) { type_error(message) } else { error })?;
    taipan_object::protocol::to_vec(&iterator)
}

/// Whether the object is exactly a list or exactly a tuple.
pub fn is_list_or_tuple(object: &Object) -> bool {
    object.is_exact(&taipan_object::statics::PyList_Type)
        || object.is_exact(&taipan_object::statics::PyTuple_Type)
}

/// Collects text for a `repr`: bytes as long as all characters are Latin-1, code points afterwards.
#[derive(Default)]
pub struct Text {
    narrow: Vec<u8>,
    wide: Vec<u32>,
}

impl Text {
    /// An empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds ASCII characters.
    pub fn ascii(&mut self, text: &str) {
        debug_assert!(text.is_ascii());
        if self.wide.is_empty() {
            self.narrow.extend_from_slice(text.as_bytes());
        } else {
            self.wide.extend(text.bytes().map(u32::from));
        }
    }

    /// Adds a str.
    pub fn push(&mut self, text: &Str) {
        match text.chars() {
            Chars::One(bytes) if self.wide.is_empty() => self.narrow.extend_from_slice(bytes),
            _ => {
                if self.wide.is_empty() {
                    self.wide = self.narrow.drain(..).map(u32::from).collect();
                }
                self.wide.extend(text.code_points());
            }
        }
    }

    /// Adds any text.
    pub fn text(&mut self, text: &str) -> PyResult<()> {
        if text.is_ascii() {
            self.ascii(text);
        } else {
            self.push(&*Str::from_utf8(text)?);
        }
        Ok(())
    }

    /// Adds a text without its first and last character.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn push_inner(&mut self, text: &Str) -> PyResult<()> {
        self.push(&*text.substring(1, text.len().max(2) - 1)?);
        Ok(())
    }

    /// Adds the `repr` of an object.
    ///
    /// # Errors
    /// What `__repr__` raises.
    pub fn repr(&mut self, object: &Object) -> PyResult<()> {
        self.push(&*object.repr()?);
        Ok(())
    }

    /// The text as a str.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn finish(self) -> PyResult<Ref<Str>> {
        if self.wide.is_empty() { Str::from_latin1(&self.narrow) } else { Str::from_code_points(&self.wide) }
    }
}

/// The tuple that a `__reduce__` method returns.
///
/// # Errors
/// `MemoryError`.
pub fn reduced(callable: Ref, args: &[&Object], state: Option<Ref>) -> PyResult {
    let args = Tuple::from_refs(args)?.upcast();
    Ok(match state {
        Some(state) => Tuple::from_array([callable, args, state])?.upcast(),
        None => Tuple::from_array([callable, args])?.upcast(),
    })
}

/// An argument of `__setstate__` as an index.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn state_index(state: &Object) -> PyResult<isize> {
    let Some(int) = state.downcast::<taipan_object::int::Int>() else {
        if taipan_object::protocol::has_index(state) {
            return state.to_isize();
        }
        return Err(type_error("an integer is required"));
    };
    int.to_i64()
        .map(|value| value as isize)
        .ok_or_else(|| taipan_object::err::overflow_error("Python int too large to convert to C ssize_t"))
}

/// A `NotImplemented` to return.
pub fn not_implemented() -> Ref {
    taipan_object::singletons::not_implemented().new_ref()
}

/// `tp_iter` of iterators.
pub fn own_iterator(iterator: &Object) -> Ref {
    iterator.new_ref()
}

/// Checks that all keys of a keyword dict are strs.
///
/// # Errors
/// `TypeError`.
pub fn check_keyword_names(kwargs: &Dict) -> PyResult<()> {
    let mut position = 0;
    while let Some((name, _, _)) = kwargs.next_borrowed(&mut position) {
        if name.downcast::<Str>().is_none() {
            return Err(type_error("keywords must be strings"));
        }
    }
    Ok(())
}
