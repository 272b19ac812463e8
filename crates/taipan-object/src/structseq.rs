//! Struct sequences: tuples whose items also have names, as `os.stat_result` and `sys.version_info`.
//!
//! Problem: such a type has *visible* fields, which are the items of the tuple, and may have *hidden*
//! ones behind them that are only reached by name; some visible fields have no name at all. Idea: the
//! hidden fields are part of the basic size, so an instance is an ordinary tuple of `visible` items
//! with `(tp_basicsize - 32) / 8` more words behind the last one; names are read-only members at
//! fixed offsets. Everything the methods need to know can be read off the type, so they also serve
//! types that C extensions make.
//!
//! Invariants: every word of an instance is null (`None`) or an owned reference; the types cannot be
//! derived from, so the sizes are those of the type itself.

use crate::alloc;
use crate::dict::Dict;
use crate::err::{PyResult, type_error};
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::intern;
use crate::native::{Args, CallArgs, MethodRow, Signature, Slot, raw_dealloc, raw_traverse, tp_new, tp_repr};
use crate::raise;
use crate::refcount;
use crate::singletons::new_none;
use crate::statics::{PyExc_TypeError, PyTuple_Type, StaticType, StaticTypeInit};
use crate::tuple::Tuple;
use crate::typeobject;
use crate::unicode::Str;
use crate::{int::Int, protocol};
use core::ffi::{CStr, c_int, c_void};
use taipan_abi::*;

/// `_Py_T_OBJECT`: a reference where null reads as `None`.
const T_OBJECT: c_int = 6;
/// The bytes of a tuple before its first item.
const HEAD: usize = 32;

/// One field: its name (`_` for a field without a name) and documentation.
pub struct Field {
    pub name: &'static CStr,
    pub doc: &'static CStr,
}

impl Field {
    const fn is_named(&self) -> bool {
        !matches!(self.name.to_bytes(), b"_")
    }
}

/// A struct sequence type, declared with [`struct_sequence!`](crate::struct_sequence).
pub struct StructSequence {
    pub ty: &'static StaticType,
    pub doc: &'static CStr,
    pub fields: &'static [Field],
    /// How many of the fields are items of the tuple.
    pub visible: usize,
}

/// The type object of a struct sequence with so many fields; `flags` are added to the usual ones.
pub const fn static_type(name: &'static CStr, fields: usize, visible: usize, flags: u64) -> StaticType {
    assert!(visible <= fields, "there are no more visible fields than fields");
    StaticType::new(StaticTypeInit {
        name,
        basicsize: (HEAD + 8 * (fields - visible)).cast_signed(),
        itemsize: 8,
        dictoffset: 0,
        weaklistoffset: 0,
        vectorcall_offset: 0,
        flags: flags | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
        base: &raw const PyTuple_Type,
    })
}

/// Declares a struct sequence type.
///
/// ```ignore
/// struct_sequence! {
///     /// What a point is.
///     pub static POINT, POINT_TYPE = c"example.point", visible 2, flags 0, c"A point with a colour." {
///         x c"How far right.";
///         y c"How far up.";
///         colour c"Only reached by its name.";
///     }
/// }
/// ```
///
/// A field named `_` has no name.
#[macro_export]
macro_rules! struct_sequence {
    ($(#[$meta:meta])* $vis:vis static $spec:ident, $ty:ident = $python:literal, visible $visible:literal,
        flags $flags:expr, $doc:literal { $($field:tt $about:literal;)* }) => {
        $(#[$meta])*
        $vis static $spec: $crate::structseq::StructSequence = $crate::structseq::StructSequence {
            ty: &$ty,
            doc: $doc,
            fields: const { &[$($crate::structseq::Field {
                name: match core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($field), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => unreachable!(),
                },
                doc: $about,
            }),*] },
            visible: $visible,
        };
        /// The type object.
        $vis static $ty: $crate::statics::StaticType = $crate::structseq::static_type(
            $python,
            [$(stringify!($field)),*].len(),
            $visible,
            $flags,
        );
    };
}

impl StructSequence {
    /// Makes the type ready, once per process.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn install(&self) -> PyResult<()> {
        self.install_with(&[], &[])
    }

    /// As [`StructSequence::install`], with slots and methods that take the place of the usual ones.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn install_with(&self, slots: &[Slot], methods: &'static [MethodRow]) -> PyResult<()> {
        let ty: &Type = self.ty;
        if ty.has_flag(Py_TPFLAGS_READY) {
            return Ok(());
        }
        let mut members: Vec<PyMemberDef> = Vec::with_capacity(self.fields.len() + 1);
        for (index, field) in self.fields.iter().enumerate().filter(|(_, field)| field.is_named()) {
            members.push(PyMemberDef {
                name: field.name.as_ptr(),
                r#type: T_OBJECT,
                offset: (HEAD + 8 * index).cast_signed(),
                flags: Py_READONLY,
                doc: if field.doc.is_empty() { core::ptr::null() } else { field.doc.as_ptr() },
            });
        }
        // SAFETY: zeros are a valid row, the one that ends the table.
        members.push(unsafe { core::mem::zeroed() });
        // SAFETY: a live type that is not ready yet; its tables live as long as the process, as it does.
        unsafe {
            (*ty.raw()).tp_members = Vec::leak(members).as_mut_ptr();
            (*ty.raw()).tp_doc = self.doc.as_ptr();
        }
        for slot in USUAL_SLOTS.iter().chain(slots) {
            if slot.id != Py_tp_new || !ty.has_flag(Py_TPFLAGS_DISALLOW_INSTANTIATION) {
                typeobject::set_slot(ty, slot.id, slot.function);
            }
        }
        typeobject::ready(ty)?;
        for row in METHODS.iter().chain(methods) {
            let row = crate::native::method_ptr(row);
            // SAFETY: rows are static, names null-terminated.
            unsafe {
                let name = CStr::from_ptr((*row).ml_name).to_str().unwrap_or("?");
                ty.set_own(name, &*crate::descr::method_from_def(ty, row)?)?;
            }
        }
        self.set_facts(ty)
    }

    /// `n_fields` and the like.
    fn set_facts(&self, ty: &Type) -> PyResult<()> {
        let unnamed = self.fields.iter().filter(|field| !field.is_named()).count();
        ty.set_own("n_sequence_fields", &Int::from_usize(self.visible))?;
        ty.set_own("n_fields", &Int::from_usize(self.fields.len()))?;
        ty.set_own("n_unnamed_fields", &Int::from_usize(unnamed))?;
        let mut names = Vec::with_capacity(self.visible);
        for field in self.fields.iter().take(self.visible).filter(|field| field.is_named()) {
            let text = Str::from_utf8(field.name.to_str().unwrap_or("?"))?;
            names.push(crate::unicode::intern_immortal(text).upcast());
        }
        ty.set_own("__match_args__", &*Tuple::from_vec(names)?)
    }

    /// A new instance that takes over the values of its fields; fields without a value are `None`.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn make(&self, values: Vec<Ref>) -> PyResult<Ref<Tuple>> {
        debug_assert!(values.len() <= self.fields.len());
        from_values(self.ty, values.into_iter().map(Some).collect())
    }
}

/// How many fields and how many visible ones the instances of a struct sequence type have.
fn sizes(ty: &Type) -> PyResult<(usize, usize)> {
    let count = |name: &Str| -> PyResult<usize> {
        let value = ty.dict().map_or(Ok(None), |dict| dict.get_str(name))?;
        let number = value.as_ref().and_then(|value| value.downcast::<Int>()).and_then(Int::to_i64);
        number.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            raise!(PyExc_TypeError, "Missed attribute '{}' of type {}", name.to_lossy(), ty.message_name())
        })
    };
    Ok((count(intern!("n_fields"))?, count(intern!("n_sequence_fields"))?))
}

/// All words of an instance, the hidden ones included.
///
/// # Safety
/// `ptr` is an instance of a struct sequence type, perhaps dead or unfinished.
unsafe fn words(ptr: *mut PyObject) -> (*mut *mut PyObject, usize) {
    // SAFETY: by contract; the basic size counts the hidden words.
    unsafe {
        let hidden = ((*(*ptr).ob_type).tp_basicsize.cast_unsigned()).saturating_sub(HEAD) / 8;
        let visible = (*ptr.cast::<PyVarObject>()).ob_size.cast_unsigned();
        (ptr.cast::<u8>().add(HEAD).cast(), visible + hidden)
    }
}

/// A new instance of a struct sequence type from the values of its fields.
///
/// # Errors
/// `MemoryError`; `SystemError` for more values than fields.
pub fn from_values(ty: &Type, values: Vec<Option<Ref>>) -> PyResult<Ref<Tuple>> {
    let (total, visible) = sizes(ty)?;
    if values.len() > total {
        return Err(crate::err::system_error("more values than the struct sequence has fields"));
    }
    let object = alloc::alloc_object(ty, visible.cast_signed())?;
    // SAFETY: fresh memory of a tuple with the hidden words behind it; visible items are not null.
    unsafe {
        (*object.raw_as::<PyVarObject>()).ob_size = visible.cast_signed();
        (*object.raw_as::<PyTupleObject>()).ob_hash = -1;
        let (items, _) = words(object.as_ptr());
        let given = values.len();
        for (index, value) in values.into_iter().enumerate() {
            items.add(index).write(match value {
                Some(value) => value.into_ptr(),
                None if index < visible => new_none().into_ptr(),
                None => core::ptr::null_mut(),
            });
        }
        for index in given..visible {
            items.add(index).write(new_none().into_ptr());
        }
        gc::track(&object);
        Ok(object.cast_owned())
    }
}

/// The values of all fields of an instance; `None` for a hidden one that is not set. Of an ordinary
/// tuple there are only the items.
pub fn values(object: &Object) -> Vec<Option<Ref>> {
    let ty = object.ty();
    let Some(tuple) = object.downcast::<Tuple>() else { return Vec::new() };
    if ty.has_flag(Py_TPFLAGS_BASETYPE) || sizes(ty).is_err() {
        return tuple.items().iter().map(|item| Some(item.new_ref())).collect();
    }
    // SAFETY: of the types of tuples only struct sequences know their sizes and cannot be derived from.
    unsafe {
        let (items, count) = words(object.as_ptr());
        (0..count).map(|index| Object::borrow_opt(items.add(index).read()).map(Object::new_ref)).collect()
    }
}

/// The names of the named fields, in order.
fn names(ty: &Type) -> Vec<&'static str> {
    let mut names = Vec::new();
    // SAFETY: the table of a struct sequence type ends with a null name and is never freed while
    // instances live.
    unsafe {
        let mut member = (*ty.raw()).tp_members;
        while !member.is_null() && !(*member).name.is_null() {
            names.push(CStr::from_ptr((*member).name).to_str().unwrap_or("?"));
            member = member.add(1);
        }
    }
    names
}

/// What calling the type with a sequence and perhaps a dict of hidden fields gives the fields.
///
/// # Errors
/// `TypeError` when the values do not fit.
pub fn values_from_call(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Vec<Option<Ref>>> {
    static SIGNATURE: Signature = Signature::parse("structseq", "(sequence, dict={})");
    let (mut storage, mut keywords) = (Vec::new(), None);
    let bound: Args<'_> = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut keywords)?;
    let (total, visible) = sizes(ty)?;
    let name = ty.message_name();
    let items = protocol::to_vec(bound.required(0)).map_err(|error| {
        if error.is(&PyExc_TypeError) { type_error("constructor requires a sequence") } else { error }
    })?;
    let extra = match bound.get(1) {
        None => None,
        Some(given) => Some(
            given
                .downcast::<Dict>()
                .ok_or_else(|| raise!(PyExc_TypeError, "{name}() takes a dict as second arg, if any"))?,
        ),
    };
    let given = items.len();
    if given < visible || given > total {
        let bound = match (total == visible, given < visible) {
            (true, _) => format!("a {visible}"),
            (false, true) => format!("an at least {visible}"),
            (false, false) => format!("an at most {total}"),
        };
        return Err(raise!(PyExc_TypeError, "{name}() takes {bound}-sequence ({given}-sequence given)"));
    }
    let mut values: Vec<Option<Ref>> = items.into_iter().map(Some).collect();
    values.resize_with(total, || None);
    if let Some(extra) = extra.filter(|extra| !extra.is_empty()) {
        let names = names(ty);
        let unnamed = total - names.len().min(total);
        let mut found = 0;
        for (index, value) in values.iter_mut().enumerate().skip(given) {
            let Some(field) = index.checked_sub(unnamed).and_then(|at| names.get(at)) else { continue };
            if let Some(set) = extra.get_str(&*Str::from_utf8(field)?)? {
                *value = Some(set);
                found += 1;
            }
        }
        if extra.len() > found {
            return Err(raise!(PyExc_TypeError, "{name}() got duplicate or unexpected field name(s)"));
        }
    }
    Ok(values)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Tuple>> {
    from_values(ty, values_from_call(ty, args, kwargs)?)
}

fn repr(object: &Tuple) -> PyResult<Ref<Str>> {
    let ty = object.ty();
    let names = names(ty);
    let mut text: Vec<u32> = ty.message_name().chars().map(u32::from).collect();
    text.push(u32::from('('));
    for (index, item) in object.items().iter().enumerate() {
        if index > 0 {
            text.extend([u32::from(','), u32::from(' ')]);
        }
        let Some(name) = names.get(index) else {
            return Err(crate::err::system_error("a visible field of a struct sequence has no name"));
        };
        text.extend(name.chars().map(u32::from));
        text.push(u32::from('='));
        text.extend(item.repr()?.code_points());
    }
    text.push(u32::from(')'));
    Str::from_code_points(&text)
}

/// `(type, (visible values, {hidden name: value}))`.
fn reduce(object: &Tuple) -> PyResult<Ref<Tuple>> {
    let ty = object.ty();
    let (total, visible) = sizes(ty)?;
    let all = values(object);
    let names = names(ty);
    let unnamed = total - names.len().min(total);
    let hidden = Dict::new()?;
    for (index, value) in all.iter().enumerate().skip(visible) {
        let Some(name) = index.checked_sub(unnamed).and_then(|at| names.get(at)) else { continue };
        let none = new_none();
        hidden.set_text(name, value.as_ref().unwrap_or(&none))?;
    }
    let shown = Tuple::from_refs(object.items())?;
    let state = Tuple::from_array([shown.upcast(), hidden.upcast()])?;
    Tuple::from_array([ty.new_ref(), state.upcast()])
}

fn replace(object: &Tuple, call: CallArgs<'_>) -> PyResult<Ref<Tuple>> {
    let ty = object.ty();
    if !call.positional().is_empty() {
        return Err(type_error("__replace__() takes no positional arguments"));
    }
    let (total, _) = sizes(ty)?;
    let names = names(ty);
    if names.len() != total {
        return Err(raise!(
            PyExc_TypeError,
            "__replace__() is not supported for {} because it has unnamed field(s)",
            ty.message_name()
        ));
    }
    let mut values = values(object);
    let mut unexpected = Vec::new();
    for (name, value) in call.keywords() {
        let text = name.downcast::<Str>();
        let place = text.and_then(|text| names.iter().position(|field| text.equals(field)));
        match place.and_then(|place| values.get_mut(place)) {
            Some(place) => *place = Some(value.new_ref()),
            None => unexpected.push(name.new_ref()),
        }
    }
    if !unexpected.is_empty() {
        let list = crate::list::List::from_vec(unexpected)?;
        return Err(raise!(PyExc_TypeError, "Got unexpected field name(s): {}", list.repr()?.to_lossy()));
    }
    from_values(ty, values)
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by the slot's contract; words are null or owned.
    unsafe {
        gc::untrack_ptr(ptr);
        let (items, count) = words(ptr);
        for index in 0..count {
            refcount::xdecref(items.add(index).read());
        }
        let ty = (*ptr).ob_type;
        if let Some(free) = (*ty).tp_free {
            free(ptr.cast());
        }
        if (*ty).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            refcount::decref(ty.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live instance; words may be null.
    unsafe {
        let (items, count) = words(ptr);
        for index in 0..count {
            let item = items.add(index).read();
            if !item.is_null() {
                let result = visit(item, arg);
                if result != 0 {
                    return result;
                }
            }
        }
        if (*(*ptr).ob_type).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            return visit((*ptr).ob_type.cast(), arg);
        }
    }
    0
}

static USUAL_SLOTS: [Slot; 4] = [raw_dealloc(dealloc), raw_traverse(traverse), tp_repr(repr), tp_new(new)];

crate::methods! {
    static METHODS = {
        noargs "__reduce__" "" = reduce, "";
        keywords "__replace__" "($self, /, **changes)" = replace, "A copy with other values in the named fields.";
    }
}
