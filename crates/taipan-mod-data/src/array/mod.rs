//! `array`: sequences of numbers or characters in one piece of memory.
//!
//! The bytes stand in a [`Memory`], which counts the views of others and does not move while there are
//! any. Every conversion that may run Python code is done before the memory is looked at.

mod item;
mod methods;
mod pickle;

use item::{KINDS, Kind, check_point, no_text};
use taipan_object::dict::Dict;
use taipan_object::err::{buffer_error, index_error, memory_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{
    CompareOp, Items, Memory, Native, Payload, Slot, TypeSpec, Visitor, bf_items, getset_row,
    mp_ass_subscript, mp_subscript, native_new, sq_ass_item, sq_concat, sq_contains, sq_inplace_concat,
    sq_inplace_repeat, sq_item, sq_length, sq_repeat, tp_iter, tp_iternext, tp_new, tp_repr, tp_richcompare,
};
use taipan_object::protocol::{has_index, richcompare_bool};
use taipan_object::singletons::{new_bool, not_implemented};
use taipan_object::slice::{Slice, adjust};
use taipan_object::statics::{
    PyByteArray_Type, PyBytes_Type, PyExc_DeprecationWarning, PyExc_IndexError, PyExc_TypeError, StaticType,
};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, abi, protocol, raise, state};

/// What an instance holds.
pub struct Array {
    kind: Kind,
    memory: Memory,
}

/// The type object.
pub static ARRAY: StaticType = StaticType::native(
    c"array.array",
    Native::<Array>::SIZE,
    abi::Py_TPFLAGS_BASETYPE
        | abi::Py_TPFLAGS_HAVE_GC
        | abi::Py_TPFLAGS_SEQUENCE
        | abi::Py_TPFLAGS_MANAGED_WEAKREF,
);

impl Payload for Array {
    const TYPE: &'static StaticType = &ARRAY;
}

/// An array.
pub type View = Native<Array>;

#[cold]
fn exported() -> PyErr {
    buffer_error("cannot resize an array that is exporting buffers")
}

impl Array {
    fn len(&self) -> usize {
        self.memory.len() / self.kind.size
    }

    fn load(&self, index: usize) -> PyResult {
        let size = self.kind.size;
        let item = self.memory.with(|bytes| {
            let mut item = [0u8; 8];
            let found = bytes.get(index * size..(index + 1) * size)?;
            item[..size].copy_from_slice(found);
            Some(item)
        });
        let item = item.ok_or_else(|| index_error("array index out of range"))?;
        self.kind.load(&item[..size])
    }

    fn store(&self, index: usize, item: &item::Raw) {
        self.memory.write(index * self.kind.size, &item[..self.kind.size]);
    }

    /// All bytes, copied.
    fn bytes(&self) -> Vec<u8> {
        self.memory.with(<[u8]>::to_vec)
    }

    /// Checks that the size may change.
    fn check_resize(&self) -> PyResult<()> {
        if self.memory.is_exported() { Err(exported()) } else { Ok(()) }
    }

    /// Appends bytes of whole items.
    fn extend(&self, bytes: &[u8]) -> PyResult<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.check_resize()?;
        let old = self.memory.len();
        let new = old.checked_add(bytes.len()).ok_or_else(memory_error)?;
        self.memory.resize(new)?;
        self.memory.write(old, bytes);
        Ok(())
    }

    /// Puts bytes of whole items in the place of the items from `from` up to `to`.
    fn splice(&self, from: usize, to: usize, new: &[u8]) -> PyResult<()> {
        let size = self.kind.size;
        let (from, to) = (from * size, to * size);
        if to - from == new.len() {
            self.memory.write(from, new);
            return Ok(());
        }
        self.check_resize()?;
        let mut bytes = self.memory.take()?;
        bytes.splice(from..to, new.iter().copied());
        self.memory.replace(bytes)
    }
}

/// A new array of some class with these bytes.
fn make(ty: &Type, kind: Kind, bytes: Vec<u8>) -> PyResult<Ref<View>> {
    native_new(ty, Array { kind, memory: Memory::new(bytes) })
}

fn make_plain(kind: Kind, bytes: Vec<u8>) -> PyResult<Ref<View>> {
    make(&ARRAY, kind, bytes)
}

/// The bytes of the items of a text.
fn text_bytes(text: &Str) -> Vec<u8> {
    text.code_points().flat_map(u32::to_ne_bytes).collect()
}

/// The kind that a type code argument names.
fn code_arg(object: &Object) -> PyResult<u32> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "array() argument 1 must be a unicode character, not {}",
            object.ty().message_name()
        ));
    };
    let first = text.code_points().next();
    match (first, text.len()) {
        (Some(point), 1) => Ok(point),
        _ => Err(raise!(
            PyExc_TypeError,
            "array() argument 1 must be a unicode character, not a string of length {}",
            text.len()
        )),
    }
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<View>> {
    let own: &Type = &ARRAY;
    let init = taipan_object::intern!("__init__");
    let same = |a: Option<Ref>, b: Option<Ref>| matches!((a, b), (Some(a), Some(b)) if a.is(&b));
    let plain = ty.is(own) || same(ty.lookup(init), own.lookup(init));
    if plain && kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("array.array() takes no keyword arguments"));
    }
    if args.is_empty() || args.len() > 2 {
        let bound = if args.is_empty() { "at least 1 argument" } else { "at most 2 arguments" };
        return Err(raise!(PyExc_TypeError, "array() takes {bound} ({} given)", args.len()));
    }
    let code = code_arg(args.items()[0])?;
    if code == u32::from(b'u') {
        let text = "The 'u' type code is deprecated and will be removed in Python 3.16";
        (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, text, 1)?;
    }
    let kind = Kind::of(code);
    let initial = args.get(1);
    let other = initial.and_then(|object| object.downcast::<View>());
    if let Some(kind) = kind.filter(|kind| !kind.is_text()) {
        if initial.is_some_and(|object| object.downcast::<Str>().is_some()) {
            return Err(no_text(kind));
        }
        if let Some(other) = other.filter(|other| other.kind.is_text()) {
            return Err(raise!(
                PyExc_TypeError,
                "cannot use a unicode array to initialize an array with typecode '{}'",
                char::from(if other.kind.is_text() { kind.code } else { other.kind.code })
            ));
        }
    }
    let Some(kind) = kind else {
        return Err(value_error("bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"));
    };
    let array = make(ty, kind, Vec::new())?;
    let Some(initial) = initial else { return Ok(array) };
    if let Some(text) = initial.downcast::<Str>() {
        array.extend(&text_bytes(text))?;
    } else if let Some(other) = other.filter(|other| other.kind == kind) {
        array.extend(&other.bytes())?;
    } else if initial.ty().is_subtype(&PyBytes_Type) || initial.ty().is_subtype(&PyByteArray_Type) {
        methods::frombytes(&array, initial)?;
    } else {
        extend_iterable(&array, initial)?;
    }
    Ok(array)
}

/// Appends the items of an iterable one by one.
fn extend_iterable(array: &View, iterable: &Object) -> PyResult<()> {
    protocol::iterate(iterable, |item| {
        let item = array.kind.store(&item)?;
        array.extend(&item[..array.kind.size])?;
        Ok(protocol::IterStep::Continue)
    })
}

fn length(array: &View) -> PyResult<isize> {
    Ok(array.len().cast_signed())
}

/// An index that counts from the end where it is negative.
fn place(array: &View, index: isize, words: &str) -> PyResult<usize> {
    let found = usize::try_from(index).ok().filter(|&index| index < array.len());
    found.ok_or_else(|| index_error(words))
}

fn item(array: &View, index: isize) -> PyResult {
    array.load(place(array, index, "array index out of range")?)
}

fn from_end(array: &View, index: isize) -> isize {
    if index < 0 { index + array.len().cast_signed() } else { index }
}

fn subscript(array: &View, key: &Object) -> PyResult {
    if has_index(key) {
        let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
        return item(array, from_end(array, index));
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(type_error("array indices must be integers"));
    };
    let (start, stop, step) = slice.unpack()?;
    let range = adjust(array.len(), start, stop, step);
    let size = array.kind.size;
    let bytes = array.memory.with(|bytes| {
        let mut out = Vec::new();
        for place in range.places() {
            out.extend_from_slice(&bytes[place * size..(place + 1) * size]);
        }
        out
    });
    Ok(make_plain(array.kind, bytes)?.upcast())
}

fn assign_item(array: &View, index: isize, value: Option<&Object>) -> PyResult<()> {
    let index = place(array, index, "array assignment index out of range")?;
    match value {
        Some(value) => {
            let item = array.kind.store(value)?;
            // The conversion may have shortened the array.
            if index >= array.len() {
                return Err(index_error("array assignment index out of range"));
            }
            array.store(index, &item);
            Ok(())
        }
        None => array.splice(index, index + 1, &[]),
    }
}

fn assign(array: &View, key: &Object, value: Option<&Object>) -> PyResult<()> {
    if has_index(key) {
        let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
        return assign_item(array, from_end(array, index), value);
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(type_error("array indices must be integers"));
    };
    let (start, stop, step) = slice.unpack()?;
    let new = match value {
        None => Vec::new(),
        Some(value) => {
            let Some(other) = value.downcast::<View>() else {
                return Err(raise!(
                    PyExc_TypeError,
                    "can only assign array (not \"{}\") to array slice",
                    value.ty().message_name()
                ));
            };
            if other.kind != array.kind {
                return Err(type_error("bad argument type for built-in operation"));
            }
            other.bytes()
        }
    };
    let range = adjust(array.len(), start, stop, step);
    let range_start = usize::try_from(range.start).unwrap_or(0).min(array.len());
    let places: Vec<usize> = range.places().collect();
    let size = array.kind.size;
    if step == 1 {
        let from = range_start;
        return array.splice(from, from + places.len(), &new);
    }
    if value.is_none() {
        return delete_places(array, places);
    }
    if new.len() / size != places.len() {
        return Err(value_error(&format!(
            "attempt to assign array of size {} to extended slice of size {}",
            new.len() / size,
            places.len()
        )));
    }
    for (place, item) in places.into_iter().zip(new.chunks(size)) {
        array.memory.write(place * size, item);
    }
    Ok(())
}

fn delete_places(array: &View, mut places: Vec<usize>) -> PyResult<()> {
    if places.is_empty() {
        return Ok(());
    }
    array.check_resize()?;
    places.sort_unstable();
    let (bytes, size) = (array.memory.take()?, array.kind.size);
    let mut left = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for place in places {
        left.extend_from_slice(&bytes[from..place * size]);
        from = (place + 1) * size;
    }
    left.extend_from_slice(&bytes[from..]);
    array.memory.replace(left)
}

fn concat(array: &View, other: &Object) -> PyResult<Ref<View>> {
    let Some(other) = other.downcast::<View>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only append array (not \"{}\") to array",
            other.ty().message_name()
        ));
    };
    if other.kind != array.kind {
        return Err(type_error("bad argument type for built-in operation"));
    }
    let mut bytes = array.bytes();
    let more = other.bytes();
    bytes.try_reserve(more.len()).map_err(|_| memory_error())?;
    bytes.extend(more);
    make_plain(array.kind, bytes)
}

fn inplace_concat(array: &View, other: &Object) -> PyResult {
    if other.downcast::<View>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "can only extend array with array (not \"{}\")",
            other.ty().message_name()
        ));
    }
    methods::extend(array, other)?;
    Ok(array.object().new_ref())
}

fn repeated(array: &View, count: isize) -> PyResult<Vec<u8>> {
    let count = usize::try_from(count).unwrap_or(0);
    let bytes = array.bytes();
    let total = bytes.len().checked_mul(count).filter(|&total| total <= isize::MAX as usize);
    let total = total.ok_or_else(memory_error)?;
    let mut out = Vec::new();
    out.try_reserve_exact(total).map_err(|_| memory_error())?;
    for _ in 0..if bytes.is_empty() { 0 } else { count } {
        out.extend_from_slice(&bytes);
    }
    Ok(out)
}

fn repeat(array: &View, count: isize) -> PyResult<Ref<View>> {
    make_plain(array.kind, repeated(array, count)?)
}

fn inplace_repeat(array: &View, count: isize) -> PyResult {
    let bytes = repeated(array, count)?;
    if bytes.len() != array.memory.len() {
        array.check_resize()?;
        array.memory.replace(bytes)?;
    }
    Ok(array.object().new_ref())
}

fn contains(array: &View, wanted: &Object) -> PyResult<bool> {
    Ok(methods::find(array, wanted, 0, usize::MAX)?.is_some())
}

fn repr(array: &View) -> PyResult<Ref<Str>> {
    let name = array.object().ty().name();
    let code = char::from(array.kind.code);
    if array.len() == 0 {
        return Str::from_utf8(&format!("{name}('{code}')"));
    }
    let inner =
        if array.kind.is_text() { methods::text(array)?.repr()? } else { methods::tolist(array)?.repr()? };
    let mut points: Vec<u32> = format!("{name}('{code}', ").chars().map(u32::from).collect();
    points.extend(inner.code_points());
    points.push(u32::from(')'));
    Str::from_code_points(&points)
}

fn compare(array: &Object, other: &Object, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (array.downcast::<View>(), other.downcast::<View>()) else {
        return Ok(not_implemented().new_ref());
    };
    if a.len() != b.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(new_bool(op == CompareOp::Ne));
    }
    if a.kind == b.kind && !a.kind.is_float() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(new_bool((a.bytes() == b.bytes()) == (op == CompareOp::Eq)));
    }
    let mut index = 0;
    while index < a.len() && index < b.len() {
        let (x, y) = (a.load(index)?, b.load(index)?);
        if !richcompare_bool(&x, &y, CompareOp::Eq)? {
            return match op {
                CompareOp::Eq => Ok(new_bool(false)),
                CompareOp::Ne => Ok(new_bool(true)),
                op => protocol::richcompare(&x, &y, op),
            };
        }
        index += 1;
    }
    Ok(new_bool(op.holds(a.len().cmp(&b.len()))))
}

fn items(array: &View) -> Items<'_> {
    (&array.memory, array.kind.format, array.kind.size)
}

const BUFFER: [Slot; 2] = bf_items(items);

/// The iterator over an array.
struct Iter {
    array: core::cell::RefCell<Option<Ref<View>>>,
    index: core::cell::Cell<usize>,
}

static ITER: StaticType = StaticType::native(
    c"array.arrayiterator",
    Native::<Iter>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Iter {
    const TYPE: &'static StaticType = &ITER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit_opt(self.array.borrow().as_ref());
    }
    fn clear(&self) {
        let old = self.array.take();
        drop(old);
    }
}

type IterView = Native<Iter>;

fn iter(array: &View) -> PyResult<Ref<IterView>> {
    let held = core::cell::RefCell::new(Some(Ref::of(array)));
    native_new(&ITER, Iter { array: held, index: core::cell::Cell::new(0) })
}

fn iter_next(iter: &IterView) -> PyResult<Option<Ref>> {
    let Some(array) = iter.array.borrow().clone() else { return Ok(None) };
    let index = iter.index.get();
    if index >= array.len() {
        let old = iter.array.take();
        drop(old);
        return Ok(None);
    }
    iter.index.set(index + 1);
    array.load(index).map(Some)
}

fn itself(iter: &IterView) -> Ref {
    iter.object().new_ref()
}

fn iter_reduce(iter: &IterView) -> PyResult<Ref<Tuple>> {
    let function = protocol::builtin("iter")?;
    let held = iter.array.borrow().clone();
    match held {
        Some(array) => Tuple::from_array([
            function,
            Tuple::from_array([array.upcast()])?.upcast(),
            Int::from_usize(iter.index.get()).upcast(),
        ]),
        None => Tuple::from_array([function, Tuple::from_array([Tuple::empty().upcast()])?.upcast()]),
    }
}

fn iter_setstate(iter: &IterView, state: &Object) -> PyResult<()> {
    let index = state.to_isize()?;
    let Some(array) = iter.array.borrow().clone() else { return Ok(()) };
    iter.index.set(usize::try_from(index).unwrap_or(0).min(array.len()));
    Ok(())
}

taipan_object::methods! {
    static ITER_METHODS = {
        noargs "__reduce__" "($self, /)" = iter_reduce, "What pickling needs.";
        one "__setstate__" "($self, state, /)" = iter_setstate, "Go to a place.";
    }
}

static ITER_SPEC: TypeSpec = TypeSpec {
    slots: &[IterView::DEALLOC, IterView::TRAVERSE, IterView::CLEAR, tp_iter(itself), tp_iternext(iter_next)],
    methods: ITER_METHODS,
    ..TypeSpec::new(&ITER)
};

fn typecode(array: &View) -> PyResult<Ref<Str>> {
    Str::from_code_points(&[array.kind.code.into()])
}

fn itemsize(array: &View) -> usize {
    array.kind.size
}

static SPEC_ARRAY: TypeSpec = TypeSpec {
    doc: Some(c"array(typecode [, initializer]) -> array\n\nA sequence of numbers or characters of one kind, in one piece of memory.\n\n  b B  signed and unsigned, 1 byte\n  h H  signed and unsigned, 2 bytes\n  i I  signed and unsigned, 4 bytes\n  l L  signed and unsigned, 8 bytes\n  q Q  signed and unsigned, 8 bytes\n  f d  floats of 4 and 8 bytes\n  w    a character, 4 bytes\n\nThe initializer is a list of items, bytes, a str for characters, or any iterable."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        tp_new(new),
        tp_repr(repr),
        tp_iter(iter),
        tp_richcompare(compare),
        sq_length(length),
        taipan_object::native::mp_length(length),
        sq_item(item),
        sq_ass_item(assign_item),
        sq_contains(contains),
        sq_concat(concat),
        sq_inplace_concat(inplace_concat),
        sq_repeat(repeat),
        sq_inplace_repeat(inplace_repeat),
        mp_subscript(subscript),
        mp_ass_subscript(assign),
        BUFFER[0],
        BUFFER[1],
    ],
    methods: methods::METHODS,
    getset: &[
        getset_row(c"typecode", typecode, c"the letter of the kind of items"),
        getset_row(c"itemsize", itemsize, c"bytes of an item"),
    ],
    ..TypeSpec::new(&ARRAY)
};

fn init(module: &Module) -> PyResult<()> {
    crate::util::add_type(module, "array", &SPEC_ARRAY)?;
    module.add("ArrayType", &ARRAY)?;
    if !ITER.has_flag(abi::Py_TPFLAGS_READY) {
        taipan_object::typeobject::install(&ITER_SPEC)?;
    }
    let codes: String = KINDS.iter().map(|kind| char::from(kind.code)).collect();
    module.add("typecodes", &*Str::from_utf8(&codes)?)?;
    // Arrays are mutable sequences to those who ask the abstract classes.
    let abc = (state::interp().hooks.get().import_module)("collections.abc");
    if let Ok(abc) = abc {
        let class = abc.getattr(taipan_object::intern!("MutableSequence"))?;
        class.call_method(taipan_object::intern!("register"), &[&ARRAY])?;
    }
    Ok(())
}

/// `array`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "array",
    doc: "Sequences of numbers or characters in one piece of memory.",
    methods: pickle::METHODS,
    init,
};
