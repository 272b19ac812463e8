//! What changes a `bytearray`: its memory, item and slice assignment, in-place operators, methods.
//!
//! Invariants: `ob_start` points into the block at `ob_bytes` (or to a static zero when there is no
//! block), `ob_size + 1` bytes from there belong to the data and their final zero, and the size does
//! not change while buffers are exported.

use super::make::Source;
use super::{
    Bytelike, compare, concat, contains, data_arg, length, remainder, repeat, repeated, repr_literal,
};
use taipan_abi::PyObject;
use taipan_object::alloc;
use taipan_object::buffer::{alloc_instance, byte_value, fill_info, has_buffer};
use taipan_object::bytes::{_PyByteArray_empty_string, ByteArray, Bytes};
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::slice::{Slice, adjust};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, intern, protocol, raise};

const RANGE: &str = "byte must be in range(0, 256)";

/// An empty instance of `ty`.
fn empty_instance(ty: &Type) -> PyResult<Ref<ByteArray>> {
    let object = alloc_instance(ty, 0)?;
    // SAFETY: a fresh instance of bytearray or a subclass.
    unsafe {
        let array: Ref<ByteArray> = object.cast_owned();
        (*array.raw()).ob_start = (&raw const _PyByteArray_empty_string).cast();
        Ok(array)
    }
}

/// A new bytearray of this data.
pub(super) fn new_bytearray(data: &[u8]) -> PyResult<Ref<ByteArray>> {
    let array = empty_instance(&PyByteArray_Type)?;
    splice(&array, 0, 0, data)?;
    Ok(array)
}

/// Refuses to change the size while buffers are exported.
fn check_exports(array: &ByteArray) -> PyResult<()> {
    // SAFETY: the view guarantees the layout.
    if unsafe { (*array.raw()).ob_exports } > 0 {
        return Err(err::buffer_error("Existing exports of data: object cannot be re-sized"));
    }
    Ok(())
}

/// Changes the size; new bytes are unspecified.
pub fn resize(array: &ByteArray, size: usize) -> PyResult<()> {
    if size == array.len() {
        return Ok(());
    }
    check_exports(array)?;
    // SAFETY: the layout's invariants above; nothing else refers to the block.
    unsafe {
        let raw = array.raw();
        let offset = (*raw).ob_start.addr()
            - if (*raw).ob_bytes.is_null() { (*raw).ob_start.addr() } else { (*raw).ob_bytes.addr() };
        let room = (*raw).ob_alloc as usize;
        let fits = size.checked_add(offset + 1).is_some_and(|need| need <= room);
        if !(fits && size >= room / 2) {
            let wanted = if size + 1 < room / 2 || size as u128 > room as u128 * 9 / 8 {
                size.checked_add(1)
            } else {
                size.checked_add((size >> 3) + if size < 9 { 3 } else { 6 })
            };
            let wanted =
                wanted.filter(|wanted| *wanted <= isize::MAX as usize).ok_or_else(alloc::no_memory)?;
            let block = alloc::malloc(wanted);
            if block.is_null() {
                return Err(alloc::no_memory());
            }
            core::ptr::copy_nonoverlapping((*raw).ob_start.cast::<u8>(), block, size.min(array.len()));
            alloc::free((*raw).ob_bytes.cast_mut().cast());
            (*raw).ob_bytes = block.cast();
            (*raw).ob_start = block.cast();
            (*raw).ob_alloc = wanted.cast_signed();
        }
        (*raw).ob_base.ob_size = size.cast_signed();
        array.data_ptr().add(size).write(0);
    }
    Ok(())
}

/// Replaces the bytes from `from` to `to` by `new`, which is not part of the array.
fn splice(array: &ByteArray, from: usize, to: usize, new: &[u8]) -> PyResult<()> {
    let (len, old) = (array.len(), to - from);
    let total = (len - old).checked_add(new.len()).ok_or_else(alloc::no_memory)?;
    if total != len {
        check_exports(array)?;
    }
    // SAFETY: all ranges lie within the old or the new size.
    unsafe {
        if new.len() < old {
            if from == 0 {
                // Bytes leave at the front without moving the rest.
                (*array.raw()).ob_start = (*array.raw()).ob_start.add(old - new.len());
                (*array.raw()).ob_base.ob_size = total.cast_signed();
                if total == 0 || (total + 1) < (*array.raw()).ob_alloc as usize / 2 {
                    compact(array)?;
                }
            } else {
                let data = array.data_ptr();
                core::ptr::copy(data.add(to), data.add(from + new.len()), len - to);
                resize(array, total)?;
            }
        } else if new.len() > old {
            resize(array, total)?;
            let data = array.data_ptr();
            core::ptr::copy(data.add(to), data.add(from + new.len()), len - to);
        }
        core::ptr::copy_nonoverlapping(new.as_ptr(), array.data_ptr().add(from), new.len());
    }
    Ok(())
}

/// Moves the data into a block of their size after much has left at the front.
fn compact(array: &ByteArray) -> PyResult<()> {
    let size = array.len();
    let block = alloc::malloc(size + 1);
    if block.is_null() {
        return Err(alloc::no_memory());
    }
    // SAFETY: a fresh block of the right size replaces the old one.
    unsafe {
        let raw = array.raw();
        core::ptr::copy_nonoverlapping((*raw).ob_start.cast::<u8>(), block, size);
        block.add(size).write(0);
        alloc::free((*raw).ob_bytes.cast_mut().cast());
        (*raw).ob_bytes = block.cast();
        (*raw).ob_start = block.cast();
        (*raw).ob_alloc = (size + 1).cast_signed();
    }
    Ok(())
}

fn write(array: &ByteArray, index: usize, byte: u8) {
    debug_assert!(index < array.len());
    // SAFETY: the index is below the length.
    unsafe { array.data_ptr().add(index).write(byte) }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let array: &ByteArray = Object::borrow(ptr).cast();
        if (*array.raw()).ob_exports > 0 {
            err::write_unraisable(
                err::system_error("deallocated bytearray object has exported buffers"),
                None,
            );
        }
        alloc::free((*array.raw()).ob_bytes.cast_mut().cast());
        if let Some(free) = (*array.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref<ByteArray>> {
    empty_instance(ty)
}

static SIGNATURE: Signature =
    Signature::parse("bytearray", "(source=b'', encoding='utf-8', errors='strict')");

fn init(array: &ByteArray, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    splice(array, 0, array.len(), &[])?;
    match super::make::source(&bound, "bytearray", false)? {
        Source::Iterable(iterable) => {
            let iterator = super::make::iterate(&iterable)?;
            let fill = || {
                while let Some(item) = protocol::iter_next(&iterator)? {
                    let byte = byte_value(&item, RANGE)?;
                    splice(array, array.len(), array.len(), &[byte])?;
                }
                Ok(())
            };
            // A source that breaks off leaves nothing behind.
            fill().or_else(|error| splice(array, 0, array.len(), &[]).and(Err(error)))
        }
        source => splice(array, 0, array.len(), source.as_slice()),
    }
}

fn repr(array: &ByteArray) -> String {
    // Unlike bytes, an apostrophe is marked in either kind of quotes.
    let literal = repr_literal(array.data());
    let literal = if literal.starts_with("b\"") { literal.replace('\'', "\\'") } else { literal };
    format!("{}({literal})", array.ty().name())
}

fn index_of(array: &ByteArray, key: &Object) -> PyResult<usize> {
    let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
    let len = array.len();
    let index = if index < 0 { index + len.cast_signed() } else { index };
    usize::try_from(index)
        .ok()
        .filter(|index| *index < len)
        .ok_or_else(|| err::index_error("bytearray index out of range"))
}

fn subscript(array: &ByteArray, key: &Object) -> PyResult<Ref> {
    super::subscript(array, key, "bytearray", "bytearray index out of range")
}

fn item(array: &ByteArray, index: isize) -> PyResult<i64> {
    super::item(array, index, "bytearray index out of range")
}

fn store_item(array: &ByteArray, index: isize, value: Option<&Object>) -> PyResult<()> {
    let byte = value.map(|value| byte_value(value, RANGE)).transpose()?;
    let index = usize::try_from(index)
        .ok()
        .filter(|index| *index < array.len())
        .ok_or_else(|| err::index_error("bytearray index out of range"))?;
    match byte {
        Some(byte) => {
            write(array, index, byte);
            Ok(())
        }
        None => splice(array, index, index + 1, &[]),
    }
}

/// The bytes that may be assigned to a slice.
fn assignable(value: &Object) -> PyResult<Vec<u8>> {
    if has_buffer(value) {
        return Ok(data_arg(value)?.to_vec());
    }
    if protocol::has_index(value) || value.downcast::<Str>().is_some() {
        return Err(err::type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)"));
    }
    Ok(new_from(value)?.data().to_vec())
}

/// `bytearray(value)`.
fn new_from(value: &Object) -> PyResult<Ref<ByteArray>> {
    let made = PyByteArray_Type.call(&[value])?;
    made.downcast_owned().map_err(|_| err::system_error("bytearray() gave no bytearray"))
}

fn store(array: &ByteArray, key: &Object, value: Option<&Object>) -> PyResult<()> {
    if protocol::has_index(key) {
        let Some(value) = value else {
            let index = index_of(array, key)?;
            return splice(array, index, index + 1, &[]);
        };
        index_of(array, key)?;
        let byte = byte_value(value, RANGE)?;
        // Reading the byte may have changed the array.
        write(array, index_of(array, key)?, byte);
        return Ok(());
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(raise!(
            PyExc_TypeError,
            "bytearray indices must be integers or slices, not {}",
            key.ty().message_name()
        ));
    };
    let (start, stop, step) = slice.unpack()?;
    let new = value.map_or_else(|| Ok(Vec::new()), assignable)?;
    let range = adjust(array.len(), start, stop, step);
    if step == 1 {
        let from = range.start as usize;
        return splice(array, from, (range.stop.max(range.start)) as usize, &new);
    }
    if new.is_empty() {
        return delete_steps(array, range);
    }
    if new.len() != range.count {
        return Err(raise!(
            PyExc_ValueError,
            "attempt to assign bytes of size {} to extended slice of size {}",
            new.len(),
            range.count
        ));
    }
    for (i, byte) in new.into_iter().enumerate() {
        write(array, range.at(i), byte);
    }
    Ok(())
}

fn delete_steps(array: &ByteArray, range: taipan_object::slice::Range) -> PyResult<()> {
    if range.count == 0 {
        return Ok(());
    }
    check_exports(array)?;
    let mut gone = vec![false; array.len()];
    (0..range.count).for_each(|i| gone[range.at(i)] = true);
    let left: Vec<u8> =
        array.data().iter().zip(&gone).filter(|(_, gone)| !**gone).map(|(&byte, _)| byte).collect();
    splice(array, 0, array.len(), &left)
}

fn inplace_concat(array: &ByteArray, other: &Object) -> PyResult<Ref> {
    if !has_buffer(other) {
        return Err(raise!(
            PyExc_TypeError,
            "can't concat {} to {}",
            other.ty().message_name(),
            array.ty().message_name()
        ));
    }
    let data = data_arg(other)?.to_vec();
    splice(array, array.len(), array.len(), &data)?;
    Ok(array.new_ref())
}

fn inplace_repeat(array: &ByteArray, count: isize) -> PyResult<Ref> {
    if count != 1 {
        let data = repeated(array.data(), count)?;
        splice(array, 0, array.len(), &data)?;
    }
    Ok(array.new_ref())
}

unsafe extern "C" fn get_buffer(object: *mut PyObject, view: *mut taipan_abi::Py_buffer, flags: i32) -> i32 {
    // SAFETY: slot contract: a bytearray and the consumer's view.
    unsafe {
        let array: &ByteArray = Object::borrow(object).cast();
        let result = fill_info(view, array, array.data_ptr(), array.len(), false, flags);
        if result.is_ok() {
            (*array.raw()).ob_exports += 1;
        }
        ret_int(result)
    }
}

unsafe extern "C" fn release_buffer(object: *mut PyObject, _: *mut taipan_abi::Py_buffer) {
    // SAFETY: slot contract: a bytearray that exported a buffer.
    unsafe { (*Object::borrow(object).cast::<ByteArray>().raw()).ob_exports -= 1 }
}

fn append(array: &ByteArray, value: &Object) -> PyResult<()> {
    let byte = byte_value(value, RANGE)?;
    splice(array, array.len(), array.len(), &[byte])
}

fn clear(array: &ByteArray) -> PyResult<()> {
    splice(array, 0, array.len(), &[])
}

fn copy(array: &ByteArray) -> PyResult<Ref<ByteArray>> {
    new_bytearray(array.data())
}

fn extend(array: &ByteArray, value: &Object) -> PyResult<()> {
    if has_buffer(value) {
        let end = array.len();
        let data = data_arg(value)?.to_vec();
        // Taking the buffer may have changed the array.
        let end = end.min(array.len());
        return splice(array, end, end, &data);
    }
    if value.downcast::<Str>().is_some() {
        return Err(err::type_error("expected iterable of integers; got: 'str'"));
    }
    let iterator = value.iter().map_err(|error| {
        if error.is(&PyExc_TypeError) {
            raise!(PyExc_TypeError, "can't extend bytearray with {}", value.ty().message_name())
        } else {
            error
        }
    })?;
    let mut data = Vec::new();
    while let Some(item) = protocol::iter_next(&iterator)? {
        data.push(byte_value(&item, RANGE)?);
    }
    splice(array, array.len(), array.len(), &data)
}

fn insert(array: &ByteArray, args: &Args<'_>) -> PyResult<()> {
    let index = args.required(0).to_isize()?;
    let byte = byte_value(args.required(1), RANGE)?;
    let len = array.len();
    let at = if index < 0 { (index + len.cast_signed()).max(0) as usize } else { (index as usize).min(len) };
    splice(array, at, at, &[byte])
}

fn pop(array: &ByteArray, args: &Args<'_>) -> PyResult<i64> {
    let index = args.isize_or(0, -1)?;
    let len = array.len();
    if len == 0 {
        return Err(err::index_error("pop from empty bytearray"));
    }
    let index = if index < 0 { index + len.cast_signed() } else { index };
    let index = usize::try_from(index)
        .ok()
        .filter(|index| *index < len)
        .ok_or_else(|| err::index_error("pop index out of range"))?;
    check_exports(array)?;
    let byte = array.data()[index];
    splice(array, index, index + 1, &[])?;
    Ok(i64::from(byte))
}

fn remove(array: &ByteArray, value: &Object) -> PyResult<()> {
    let byte = byte_value(value, RANGE)?;
    match memchr::memchr(byte, array.data()) {
        Some(at) => splice(array, at, at + 1, &[]),
        None => Err(err::value_error("value not found in bytearray")),
    }
}

fn reverse(array: &ByteArray) {
    let mut data = array.to_vec();
    data.reverse();
    for (index, byte) in data.into_iter().enumerate() {
        write(array, index, byte);
    }
}

fn resize_method(array: &ByteArray, size: &Object) -> PyResult<()> {
    let size = size.to_index_clamped(Some(&PyExc_OverflowError))?;
    let Ok(size) = usize::try_from(size) else {
        return Err(raise!(PyExc_ValueError, "Can only resize to positive sizes, got {size}"));
    };
    let old = array.len();
    resize(array, size)?;
    for index in old..size.max(old) {
        write(array, index, 0);
    }
    Ok(())
}

fn allocated(array: &ByteArray) -> isize {
    // SAFETY: the view guarantees the layout.
    unsafe { (*array.raw()).ob_alloc }
}

fn sizeof(array: &ByteArray) -> isize {
    // SAFETY: a live type.
    unsafe { (*array.ty().raw()).tp_basicsize + allocated(array) }
}

fn reduced(array: &ByteArray, protocol: i64) -> PyResult<Ref<Tuple>> {
    let state = array.call_method(intern!("__getstate__"), &[])?;
    let args = if protocol < 3 {
        let text = Str::from_latin1(array.data())?.upcast();
        if array.is_empty() {
            Tuple::empty()
        } else {
            Tuple::from_array([text, Str::from_utf8("latin-1")?.upcast()])?
        }
    } else if array.is_empty() {
        Tuple::empty()
    } else {
        Tuple::from_array([Bytes::new(array.data())?.upcast()])?
    };
    Tuple::from_array([array.ty().new_ref(), args.upcast(), state])
}

fn reduce(array: &ByteArray) -> PyResult<Ref<Tuple>> {
    reduced(array, 2)
}

fn reduce_ex(array: &ByteArray, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    reduced(array, i64::from(args.i32_or(0, 0)?))
}

super::methods::byte_methods! {
    static TABLE: ByteArray = {
        noargs "__alloc__" "($self, /)" = allocated, "How many bytes of memory are kept for the data.";
        noargs "__reduce__" "($self, /)" = reduce, "For pickling.";
        args "__reduce_ex__" "($self, proto=0, /)" = reduce_ex, "For pickling by a protocol.";
        noargs "__sizeof__" "($self, /)" = sizeof, "The bytes of memory that the object takes.";
        one "append" "($self, item, /)" = append, "Add one byte at the end.";
        noargs "clear" "($self, /)" = clear, "Remove all bytes.";
        noargs "copy" "($self, /)" = copy, "A new bytearray of the same bytes.";
        one "extend" "($self, iterable_of_ints, /)" = extend, "Add the bytes of a buffer or an iterable of ints at the end.";
        args "insert" "($self, index, item, /)" = insert, "Put one byte before index.";
        args "pop" "($self, index=-1, /)" = pop, "Remove the byte at index and return it.\n\nRaises IndexError if there is none.";
        one "remove" "($self, value, /)" = remove, "Remove the first byte of this value.\n\nRaises ValueError if there is none.";
        one "resize" "($self, size, /)" = resize_method, "Cut to size bytes, or add zeros.";
        noargs "reverse" "($self, /)" = reverse, "Turn the order of the bytes around.";
    }
}

/// `bytearray`.
pub static BYTEARRAY_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\nbytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array\n\nBytes that can be changed: of an iterable of ints from 0 to 255, of a text in an\nencoding, of a buffer, or a number of zeros.",
    ),
    slots: &[
        raw_dealloc(dealloc),
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        tp_str(repr),
        tp_richcompare(compare::<ByteArray>),
        tp_iter(super::iter::bytearray_iter),
        nb_remainder(remainder::<ByteArray>),
        sq_length(length::<ByteArray>),
        sq_concat(concat::<ByteArray>),
        sq_repeat(repeat::<ByteArray>),
        sq_item(item),
        sq_ass_item(store_item),
        sq_contains(contains::<ByteArray>),
        sq_inplace_concat(inplace_concat),
        sq_inplace_repeat(inplace_repeat),
        mp_length(length::<ByteArray>),
        mp_subscript(subscript),
        mp_ass_subscript(store),
        raw_getbuffer(get_buffer),
        raw_releasebuffer(release_buffer),
    ],
    methods: TABLE,
    ..TypeSpec::new(&PyByteArray_Type)
};
