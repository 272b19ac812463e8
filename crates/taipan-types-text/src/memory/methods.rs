//! Items, comparison, methods and attributes of memoryviews.

use super::item::{native_format, pack, unpack};
use super::{C_ORDER, Dims, F_ORDER, View, cast, from_object};
use crate::bytes::hex_text;
use crate::util::argument_name;
use core::cell::Cell;
use taipan_abi::{Py_buffer, PyBUF_FULL_RO};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol::has_index;
use taipan_object::singletons::{ellipsis, new_bool, none, not_implemented};
use taipan_object::slice::{Slice, adjust, slice_index};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, methods, raise};

static SIGNATURE: Signature = Signature::parse("memoryview", "(object)");

pub(super) fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<View>> {
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    from_object(bound.required(0), PyBUF_FULL_RO)
}

fn from_flags(_: &Type, args: &Args<'_>) -> PyResult<Ref<View>> {
    from_object(args.required(0), args.i32_or(1, 0)?)
}

pub(super) fn repr(view: &View) -> String {
    let what = if view.is_released() { "released memory" } else { "memory" };
    format!("<{what} at {:#x}>", view.as_ptr().addr())
}

fn scalar_error() -> PyErr {
    err::type_error("invalid indexing of 0-dim memory")
}

/// The address of the item at these indices.
fn address(view: &View, indices: &[isize]) -> PyResult<*mut u8> {
    let mut at: *mut u8 = view.buffer().buf.cast();
    for (dim, &index) in indices.iter().enumerate() {
        let length = view.shape()[dim];
        let index = if index < 0 { index + length } else { index };
        if index < 0 || index >= length {
            return Err(raise!(PyExc_IndexError, "index out of bounds on dimension {}", dim + 1));
        }
        // SAFETY: within the memory that the exporter describes.
        unsafe {
            at = at.offset(view.strides()[dim] * index);
            if let Some(&suboffset) = view.suboffsets().get(dim).filter(|suboffset| **suboffset >= 0) {
                at = at.cast::<*mut u8>().read_unaligned().offset(suboffset);
            }
        }
    }
    Ok(at)
}

fn read(view: &View, indices: &[isize]) -> PyResult<Ref> {
    let format = view.format_char()?;
    let at = address(view, indices)?;
    // SAFETY: an item of the view's format stands there.
    unsafe { unpack(at, format) }
}

fn write(view: &View, indices: &[isize], value: &Object) -> PyResult<()> {
    let format = view.format_char()?;
    address(view, indices)?;
    let bytes = pack(value, format)?;
    // Reading the value may have released the view.
    view.check()?;
    let at = address(view, indices)?;
    // SAFETY: a writable item of that size stands there.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) };
    Ok(())
}

pub(super) fn length(view: &View) -> PyResult<isize> {
    view.check()?;
    view.shape().first().copied().ok_or_else(|| err::type_error("0-dim memory has no length"))
}

pub(super) fn item(view: &View, index: isize) -> PyResult<Ref> {
    view.check()?;
    match view.ndim() {
        0 => Err(scalar_error()),
        1 => read(view, &[index]),
        _ => Err(err::not_implemented_error("multi-dimensional sub-views are not implemented")),
    }
}

/// What a key asks for.
enum Key {
    Index(isize),
    Slice(Ref<Slice>),
    Items(Vec<isize>),
}

fn key_of(view: &View, key: &Object) -> PyResult<Key> {
    if has_index(key) {
        return key.to_index_clamped(Some(&PyExc_IndexError)).map(Key::Index);
    }
    if let Some(slice) = key.downcast::<Slice>() {
        return Ok(Key::Slice(Ref::of(slice)));
    }
    if let Some(tuple) = key.downcast::<Tuple>() {
        let items = tuple.items();
        if items.iter().all(|item| has_index(item)) {
            let ndim = view.ndim();
            if items.len() > ndim {
                return Err(raise!(
                    PyExc_TypeError,
                    "cannot index {ndim}-dimension view with {}-element tuple",
                    items.len()
                ));
            }
            if items.len() < ndim {
                return Err(err::not_implemented_error("sub-views are not implemented"));
            }
            let indices = items.iter().map(|item| item.to_index_clamped(Some(&PyExc_IndexError)));
            return Ok(Key::Items(indices.collect::<PyResult<_>>()?));
        }
        if !items.is_empty() && items.iter().all(|item| item.downcast::<Slice>().is_some()) {
            return Err(err::not_implemented_error("multi-dimensional slicing is not implemented"));
        }
    }
    Err(err::type_error("memoryview: invalid slice key"))
}

fn is_whole(key: &Object) -> bool {
    key.downcast::<Tuple>().is_some_and(Tuple::is_empty)
}

pub(super) fn subscript(view: &View, key: &Object) -> PyResult<Ref> {
    view.check()?;
    if view.ndim() == 0 {
        if is_whole(key) {
            return read(view, &[]);
        }
        return if key.is(ellipsis()) { Ok(view.new_ref()) } else { Err(scalar_error()) };
    }
    match key_of(view, key)? {
        Key::Index(index) => item(view, index),
        Key::Slice(slice) => sliced(view, &slice).map(Ref::upcast),
        Key::Items(indices) => {
            view.check()?;
            read(view, &indices)
        }
    }
}

/// A view of a part of the first dimension.
fn sliced(view: &View, slice: &Slice) -> PyResult<Ref<View>> {
    let (start, stop, step) = slice.unpack()?;
    view.check()?;
    let mut dims = view.dims();
    let range = adjust(dims.shape[0] as usize, start, stop, step);
    let mut buffer = *view.buffer();
    // SAFETY: stays within (or, for an empty part, is not used beyond) the exporter's memory.
    buffer.buf = buffer.buf.cast::<u8>().wrapping_offset(dims.strides[0] * range.start).cast();
    dims.shape[0] = range.count.cast_signed();
    dims.strides[0] = dims.strides[0].wrapping_mul(step);
    View::build(view.managed(), &buffer, &dims)
}

pub(super) fn store(view: &View, key: &Object, value: Option<&Object>) -> PyResult<()> {
    view.check()?;
    if view.buffer().readonly != 0 {
        return Err(err::type_error("cannot modify read-only memory"));
    }
    let Some(value) = value else { return Err(err::type_error("cannot delete memory")) };
    if view.ndim() == 0 {
        return if is_whole(key) || key.is(ellipsis()) {
            write(view, &[], value)
        } else {
            Err(scalar_error())
        };
    }
    match key_of(view, key)? {
        Key::Index(_) if view.ndim() > 1 => Err(err::not_implemented_error("sub-views are not implemented")),
        Key::Index(index) => {
            view.check()?;
            write(view, &[index], value)
        }
        Key::Slice(slice) if view.ndim() == 1 => store_slice(view, &slice, value),
        Key::Slice(_) => Err(err::not_implemented_error(
            "memoryview slice assignments are currently restricted to ndim = 1",
        )),
        Key::Items(indices) => {
            view.check()?;
            write(view, &indices, value)
        }
    }
}

fn store_slice(view: &View, slice: &Slice, value: &Object) -> PyResult<()> {
    let source = Buffer::get(value, PyBUF_FULL_RO)?;
    let target = sliced(view, slice)?;
    let from = source.view();
    let dims = Dims::of(from);
    if format_of(from) != target.format().to_bytes() || dims.shape != target.shape() {
        return Err(err::value_error("memoryview assignment: lvalue and rvalue have different structures"));
    }
    let data = source.to_vec();
    let size = from.itemsize as usize;
    for (index, item) in data.chunks(size.max(1)).enumerate() {
        let at = address(&target, &[index.cast_signed()])?;
        // SAFETY: a writable item of that size stands there.
        unsafe { core::ptr::copy_nonoverlapping(item.as_ptr(), at, item.len()) };
    }
    Ok(())
}

/// The format of a buffer, without the mark of native sizes.
fn format_of(buffer: &Py_buffer) -> &[u8] {
    if buffer.format.is_null() {
        return b"B";
    }
    // SAFETY: a null-terminated text that the exporter keeps.
    unsafe { core::ffi::CStr::from_ptr(buffer.format) }.to_bytes()
}

/// Calls `step` with the indices of every item in C order.
fn for_each_index(shape: &[isize], mut step: impl FnMut(&[isize]) -> PyResult<()>) -> PyResult<()> {
    if shape.contains(&0) {
        return Ok(());
    }
    let mut indices = vec![0; shape.len()];
    loop {
        step(&indices)?;
        let mut dim = shape.len();
        loop {
            if dim == 0 {
                return Ok(());
            }
            dim -= 1;
            indices[dim] += 1;
            if indices[dim] < shape[dim] {
                break;
            }
            indices[dim] = 0;
        }
    }
}

/// The bytes of all items; `fortran` lets the first index run fastest.
fn bytes_of(view: &View, fortran: bool) -> PyResult<Vec<u8>> {
    let size = view.buffer().itemsize as usize;
    let mut out = Vec::new();
    out.try_reserve_exact(view.buffer().len.max(0) as usize).map_err(|_| err::memory_error())?;
    let mut shape = view.shape().to_vec();
    if fortran {
        shape.reverse();
    }
    for_each_index(&shape, |indices| {
        let mut place = indices.to_vec();
        if fortran {
            place.reverse();
        }
        let at = address(view, &place)?;
        // SAFETY: an item of that size stands there.
        out.extend_from_slice(unsafe { core::slice::from_raw_parts(at, size) });
        Ok(())
    })?;
    Ok(out)
}

/// The bytes in C order.
fn c_bytes(view: &View) -> PyResult<Vec<u8>> {
    let buffer = view.buffer();
    if view.flags() & C_ORDER != 0 && !buffer.buf.is_null() {
        // SAFETY: one piece of `len` bytes.
        return Ok(
            unsafe { core::slice::from_raw_parts(buffer.buf.cast::<u8>(), buffer.len as usize) }.to_vec()
        );
    }
    bytes_of(view, false)
}

fn tobytes(view: &View, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let order = match args.get_some(0) {
        None => b'C',
        Some(order) => {
            let Some(text) = order.downcast::<Str>() else {
                return Err(raise!(
                    PyExc_TypeError,
                    "tobytes() argument 'order' must be str or None, not {}",
                    argument_name(order)
                ));
            };
            match text.as_ascii() {
                Some("C") => b'C',
                Some("F") => b'F',
                Some("A") => b'A',
                _ => return Err(err::value_error("order must be 'C', 'F' or 'A'")),
            }
        }
    };
    view.check()?;
    let fortran =
        order == b'F' || (order == b'A' && view.flags() & F_ORDER != 0 && view.flags() & C_ORDER == 0);
    Bytes::new(&if fortran { bytes_of(view, true)? } else { c_bytes(view)? })
}

fn list_at(view: &View, indices: &mut Vec<isize>) -> PyResult<Ref> {
    let dim = indices.len();
    if dim == view.ndim() {
        return read(view, indices);
    }
    let mut items = Vec::new();
    for index in 0..view.shape()[dim] {
        indices.push(index);
        items.push(list_at(view, indices)?);
        indices.pop();
    }
    List::from_vec(items).map(Ref::upcast)
}

fn tolist(view: &View) -> PyResult<Ref> {
    view.check()?;
    view.format_char()?;
    list_at(view, &mut Vec::new())
}

fn hex(view: &View, args: &Args<'_>) -> PyResult<String> {
    view.check()?;
    // A separator of a program's own class may not release the view meanwhile.
    let _held = Buffer::get(view, PyBUF_FULL_RO)?;
    let data = c_bytes(view)?;
    hex_text(|| data, args)
}

fn toreadonly(view: &View) -> PyResult<Ref<View>> {
    view.check()?;
    let mut buffer = *view.buffer();
    buffer.readonly = 1;
    View::build(view.managed(), &buffer, &view.dims())
}

fn release(view: &View) -> PyResult<()> {
    view.release()
}

fn enter(view: &View) -> PyResult<Ref> {
    view.check()?;
    Ok(view.new_ref())
}

fn exit(view: &View, _: &[&Object]) -> PyResult<()> {
    view.release()
}

fn class_getitem(ty: &Type, item: &Object) -> PyResult<Ref> {
    Py_GenericAliasType.call(&[ty, item])
}

pub(super) fn hash(view: &View) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    let cached = unsafe { (*view.raw()).hash };
    if cached != -1 {
        return Ok(cached);
    }
    view.check()?;
    if view.buffer().readonly == 0 {
        return Err(err::value_error("cannot hash writable memoryview object"));
    }
    if !native_format(view.format().to_bytes()).is_some_and(|(_, c, _)| matches!(c, b'B' | b'b' | b'c')) {
        return Err(err::value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    // SAFETY: null or the exporter, kept by the managed buffer.
    if let Some(owner) = unsafe { Object::borrow_opt(view.buffer().obj) } {
        // The exporter's `__hash__` may not release the view meanwhile.
        let _held = Buffer::get(view, PyBUF_FULL_RO)?;
        owner.new_ref().hash()?;
    }
    let hash = taipan_object::unicode::hash_bytes(&c_bytes(view)?);
    // SAFETY: the view guarantees the layout.
    unsafe { (*view.raw()).hash = hash };
    Ok(hash)
}

pub(super) fn compare(view: &View, other: &Object, op: CompareOp) -> PyResult<Ref> {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented().new_ref());
    }
    let answer = |equal: bool| Ok(new_bool(equal == (op == CompareOp::Eq)));
    let other_released = other.downcast::<View>().is_some_and(View::is_released);
    if view.is_released() || other_released {
        return answer(view.is(other));
    }
    if !has_buffer(other) {
        return Ok(not_implemented().new_ref());
    }
    let Ok(other) = from_object(other, PyBUF_FULL_RO) else { return Ok(not_implemented().new_ref()) };
    if view.shape() != other.shape() {
        return answer(false);
    }
    let format = |view: &View| native_format(view.format().to_bytes()).map(|(_, c, _)| c);
    let (Some(a), Some(b)) = (format(view), format(&other)) else { return answer(false) };
    // Floats and bools may be equal with other bytes, or unequal with the same.
    if a == b && !matches!(a, b'e' | b'f' | b'd' | b'?') {
        return answer(c_bytes(view)? == c_bytes(&other)?);
    }
    let mut equal = true;
    for_each_index(view.shape(), |indices| {
        if equal {
            let (x, y) = (read(view, indices)?, read(&other, indices)?);
            equal = taipan_object::protocol::richcompare(&x, &y, CompareOp::Eq)?.is_true()?;
        }
        Ok(())
    })?;
    answer(equal)
}

/// Refuses look-ups in anything but one dimension.
fn check_lookup(view: &View) -> PyResult<()> {
    view.check()?;
    match view.ndim() {
        1 => Ok(()),
        0 => Err(err::type_error("invalid lookup on 0-dim memory")),
        _ => Err(err::not_implemented_error("multi-dimensional lookup is not implemented")),
    }
}

fn count(view: &View, value: &Object) -> PyResult<usize> {
    let mut found = 0;
    for index in 0..length(view)? {
        found += usize::from(item(view, index)?.equals(value)?);
    }
    Ok(found)
}

fn index(view: &View, args: &[&Object]) -> PyResult<isize> {
    crate::util::check_count("index", args.len(), 1, 3)?;
    let start = args.get(1).map_or(Ok(0), |start| slice_index(start, 0))?;
    let stop = args.get(2).map_or(Ok(isize::MAX), |stop| slice_index(stop, isize::MAX))?;
    check_lookup(view)?;
    let len = view.shape()[0] as usize;
    if let Some((start, stop)) = crate::util::bounds(len, start, stop) {
        for index in start..stop {
            if item(view, index.cast_signed())?.equals(args[0])? {
                return Ok(index.cast_signed());
            }
        }
    }
    Err(err::value_error("memoryview.index(x): x not found"))
}

/// An iterator over a view.
pub struct MemoryIter {
    index: Cell<isize>,
    view: Cell<Option<Ref<View>>>,
}

static MEMORY_ITER: StaticType =
    StaticType::native(c"memory_iterator", Native::<MemoryIter>::SIZE, taipan_abi::Py_TPFLAGS_HAVE_GC);

impl MemoryIter {
    fn view(&self) -> Option<Ref<View>> {
        let view = self.view.take();
        self.view.set(view.clone());
        view
    }
}

impl Payload for MemoryIter {
    const TYPE: &'static StaticType = &MEMORY_ITER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit_opt(self.view().as_ref());
    }
    fn clear(&self) {
        drop(self.view.take());
    }
}

fn next(iterator: &Native<MemoryIter>) -> PyResult<Option<Ref>> {
    let Some(view) = iterator.view() else { return Ok(None) };
    let index = iterator.index.get();
    if index < length(&view)? {
        iterator.index.set(index + 1);
        return read(&view, &[index]).map(Some);
    }
    iterator.clear();
    Ok(None)
}

/// The type of iterators over memoryviews.
pub static ITER_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<MemoryIter>::DEALLOC,
        Native::<MemoryIter>::TRAVERSE,
        Native::<MemoryIter>::CLEAR,
        tp_iter(|it: &Native<MemoryIter>| it.object().new_ref()),
        tp_iternext(next),
    ],
    ..TypeSpec::new(&MEMORY_ITER)
};

pub(super) fn iter(view: &View) -> PyResult<Ref> {
    view.check()?;
    match view.ndim() {
        0 => return Err(scalar_error()),
        1 => {}
        _ => return Err(err::not_implemented_error("multi-dimensional sub-views are not implemented")),
    }
    view.format_char()?;
    let state = MemoryIter { index: Cell::new(0), view: Cell::new(Some(Ref::of(view))) };
    native_new(&MEMORY_ITER, state).map(Ref::upcast)
}

fn sizes(values: &[isize]) -> PyResult<Ref<Tuple>> {
    Tuple::from_vec(values.iter().map(|&value| value.into_py()).collect::<PyResult<Vec<_>>>()?)
}

macro_rules! attributes {
    ($($name:ident: $result:ty = |$view:ident| $value:expr;)*) => {$(
        fn $name($view: &View) -> PyResult<$result> {
            $view.check()?;
            $value
        }
    )*};
}

attributes! {
    nbytes: isize = |view| Ok(view.buffer().len);
    readonly: bool = |view| Ok(view.buffer().readonly != 0);
    itemsize: isize = |view| Ok(view.buffer().itemsize);
    format: String = |view| Ok(view.format().to_string_lossy().into_owned());
    ndim: usize = |view| Ok(view.ndim());
    shape: Ref<Tuple> = |view| sizes(view.shape());
    strides: Ref<Tuple> = |view| sizes(view.strides());
    suboffsets: Ref<Tuple> = |view| sizes(view.suboffsets());
    c_contiguous: bool = |view| Ok(view.flags() & C_ORDER != 0);
    f_contiguous: bool = |view| Ok(view.flags() & F_ORDER != 0);
    contiguous: bool = |view| Ok(view.flags() & (C_ORDER | F_ORDER) != 0);
}

fn obj(view: &View) -> PyResult<Ref> {
    view.check()?;
    // SAFETY: null or the exporter, kept by the managed buffer.
    Ok(unsafe { Object::borrow_opt(view.buffer().obj) }.unwrap_or_else(|| none()).new_ref())
}

pub(super) static GETSET: [GetSetRow; 12] = [
    getset_row(c"obj", obj, c"The object whose memory this is."),
    getset_row(c"nbytes", nbytes, c"How many bytes the items would take in one piece."),
    getset_row(c"readonly", readonly, c"Whether the memory may not be changed."),
    getset_row(c"itemsize", itemsize, c"The bytes of one item."),
    getset_row(c"format", format, c"The format of an item, in the words of the struct module."),
    getset_row(c"ndim", ndim, c"The number of dimensions."),
    getset_row(c"shape", shape, c"The length of each dimension."),
    getset_row(c"strides", strides, c"The bytes from one item to the next in each dimension."),
    getset_row(c"suboffsets", suboffsets, c"What is added after following a pointer, in each dimension."),
    getset_row(
        c"c_contiguous",
        c_contiguous,
        c"Whether the items lie in one piece, the last index running fastest.",
    ),
    getset_row(
        c"f_contiguous",
        f_contiguous,
        c"Whether the items lie in one piece, the first index running fastest.",
    ),
    getset_row(c"contiguous", contiguous, c"Whether the items lie in one piece."),
];

methods! {
    pub(super) static TABLE = {
        noargs "release" "($self, /)" = release, "Let the memory go; the view cannot be used any more.";
        args "tobytes" "($self, /, order='C')" = tobytes, "The items as bytes.\n\nOrder 'C' lets the last index run fastest, 'F' the first, and 'A' keeps the order\nof the memory where it is one of these.";
        args "hex" "($self, /, sep=<unrepresentable>, bytes_per_sep=1)" = hex, "The bytes as hexadecimal digits.\n\nsep, one character, stands between groups of bytes_per_sep bytes, which are\ncounted from the right, or from the left when the number is negative.";
        noargs "tolist" "($self, /)" = tolist, "The items as a list, of lists where there are more dimensions.";
        args "cast" "($self, /, format, shape=<unrepresentable>)" = cast::cast, "The same memory with another item format or shape.";
        noargs "toreadonly" "($self, /)" = toreadonly, "A view of the same memory that cannot change it.";
        class args "_from_flags" "($type, /, object, flags)" = from_flags, "A view acquired with these buffer flags.";
        one "count" "($self, value, /)" = count, "How many items are equal to value.";
        many "index" "($self, value, start=0, stop=sys.maxsize, /)" = index, "The first place of value in the part from start to stop.\n\nRaises ValueError if there is none.";
        noargs "__enter__" "($self, /)" = enter, "The view itself.";
        many "__exit__" "($self, /, *exc_info)" = exit, "Let the memory go.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "For annotations: memoryview[int].";
    }
}
