//! The methods of arrays.

use super::{Array, View, check_point, extend_iterable, make_plain, place, text_bytes};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::{eof_error, index_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::{Args, CompareOp};
use taipan_object::protocol::richcompare_bool;
use taipan_object::singletons::is_none;
use taipan_object::statics::{Py_GenericAliasType, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise};

fn append(array: &View, item: &Object) -> PyResult<()> {
    let item = array.kind.store(item)?;
    array.extend(&item[..array.kind.size])
}

fn buffer_info(array: &View) -> PyResult<Ref<Tuple>> {
    let address = array.memory.with(|bytes| bytes.as_ptr().addr());
    Tuple::from_array([Int::from_usize(address).upcast(), Int::from_usize(array.len()).upcast()])
}

fn byteswap(array: &View) -> PyResult<()> {
    let mut bytes = array.bytes();
    for item in bytes.chunks_mut(array.kind.size) {
        item.reverse();
    }
    array.memory.write(0, &bytes);
    Ok(())
}

/// The first place from `from` up to `to` of an item that equals `wanted`.
pub fn find(array: &Array, wanted: &Object, from: usize, to: usize) -> PyResult<Option<usize>> {
    let mut index = from;
    // The comparison may change the array: the length is looked at each time.
    while index < to.min(array.len()) {
        if richcompare_bool(&*array.load(index)?, wanted, CompareOp::Eq)? {
            return Ok(Some(index));
        }
        index += 1;
    }
    Ok(None)
}

fn count(array: &View, wanted: &Object) -> PyResult<usize> {
    let (mut found, mut from) = (0, 0);
    while let Some(index) = find(array, wanted, from, usize::MAX)? {
        found += 1;
        from = index + 1;
    }
    Ok(found)
}

fn index(array: &View, args: &Args<'_>) -> PyResult<usize> {
    let bound = |position: usize, default: usize| -> PyResult<usize> {
        let Some(object) = args.get(position) else { return Ok(default) };
        let value = object.to_index_clamped(None)?;
        let value = if value < 0 { value.saturating_add(array.len().cast_signed()).max(0) } else { value };
        Ok(value.cast_unsigned())
    };
    let (from, to) = (bound(1, 0)?, bound(2, usize::MAX)?);
    find(array, args.required(0), from, to)?.ok_or_else(|| value_error("array.index(x): x not in array"))
}

fn remove(array: &View, wanted: &Object) -> PyResult<()> {
    let Some(index) = find(array, wanted, 0, usize::MAX)? else {
        return Err(value_error("array.remove(x): x not in array"));
    };
    if index >= array.len() {
        return Ok(());
    }
    array.splice(index, index + 1, &[])
}

fn pop(array: &View, args: &Args<'_>) -> PyResult {
    let index = args.isize_or(0, -1)?;
    if array.len() == 0 {
        return Err(index_error("pop from empty array"));
    }
    let index = place(array, super::from_end(array, index), "pop index out of range")?;
    let item = array.load(index)?;
    array.splice(index, index + 1, &[])?;
    Ok(item)
}

fn insert(array: &View, args: &Args<'_>) -> PyResult<()> {
    let index = args.required(0).to_isize()?;
    let item = array.kind.store(args.required(1))?;
    let index = super::from_end(array, index).max(0).cast_unsigned().min(array.len());
    array.splice(index, index, &item[..array.kind.size])
}

fn reverse(array: &View) -> PyResult<()> {
    let bytes = array.bytes();
    let reversed: Vec<u8> = bytes.chunks(array.kind.size).rev().flatten().copied().collect();
    array.memory.write(0, &reversed);
    Ok(())
}

/// The items as a list.
pub fn tolist(array: &View) -> PyResult<Ref<List>> {
    let bytes = array.bytes();
    let mut items = Vec::with_capacity(bytes.len() / array.kind.size);
    for item in bytes.chunks_exact(array.kind.size) {
        items.push(array.kind.load(item)?);
    }
    List::from_vec(items)
}

fn tobytes(array: &View) -> PyResult<Ref<Bytes>> {
    Bytes::new(&array.bytes())
}

/// Appends items from bytes.
pub fn frombytes(array: &View, object: &Object) -> PyResult<()> {
    if !has_buffer(object) {
        return Err(raise!(
            PyExc_TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().message_name()
        ));
    }
    let buffer = Buffer::simple(object)?;
    if buffer.view().itemsize != 1 {
        return Err(type_error("a bytes-like object is required"));
    }
    let bytes = buffer.to_vec();
    drop(buffer);
    if !bytes.len().is_multiple_of(array.kind.size) {
        return Err(value_error("bytes length not a multiple of item size"));
    }
    array.extend(&bytes)
}

/// Appends the items of another array or of an iterable.
pub fn extend(array: &View, object: &Object) -> PyResult<()> {
    if let Some(other) = object.downcast::<View>() {
        if other.kind != array.kind {
            return Err(type_error("can only extend with array of same kind"));
        }
        return array.extend(&other.bytes());
    }
    extend_iterable(array, object)
}

fn fromlist(array: &View, object: &Object) -> PyResult<()> {
    let Some(list) = object.downcast::<List>() else { return Err(type_error("arg must be list")) };
    let size = list.len();
    let mut bytes = Vec::with_capacity(size * array.kind.size);
    for index in 0..size {
        let changed = || taipan_object::err::runtime_error("list changed size during iteration");
        let item = list.get(index).ok_or_else(changed)?;
        bytes.extend_from_slice(&array.kind.store(&item)?[..array.kind.size]);
        if list.len() != size {
            return Err(changed());
        }
    }
    array.extend(&bytes)
}

#[cold]
fn no_characters(function: &str) -> PyErr {
    value_error(&format!("{function}() may only be called on unicode type arrays ('u' or 'w')"))
}

fn fromunicode(array: &View, object: &Object) -> PyResult<()> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "fromunicode() argument must be str, not {}",
            if is_none(object) { "None" } else { object.ty().message_name() }
        ));
    };
    if !array.kind.is_text() {
        return Err(no_characters("fromunicode"));
    }
    array.extend(&text_bytes(text))
}

/// The characters as a str.
pub fn text(array: &View) -> PyResult<Ref<Str>> {
    let points: Vec<u32> =
        array.bytes().as_chunks::<4>().0.iter().map(|item| u32::from_ne_bytes(*item)).collect();
    for &point in &points {
        check_point(point)?;
    }
    Str::from_code_points(&points)
}

fn tounicode(array: &View) -> PyResult<Ref<Str>> {
    if array.kind.is_text() { text(array) } else { Err(no_characters("tounicode")) }
}

fn clear(array: &View) -> PyResult<()> {
    array.check_resize()?;
    array.memory.replace(Vec::new())
}

fn copy(array: &View) -> PyResult<Ref<View>> {
    make_plain(array.kind, array.bytes())
}

fn deepcopy(array: &View, _: &Object) -> PyResult<Ref<View>> {
    copy(array)
}

/// Blocks in which files are read and written.
const BLOCK: usize = 64 * 1024;

fn tofile(array: &View, file: &Object) -> PyResult<()> {
    let bytes = array.bytes();
    for block in bytes.chunks(BLOCK) {
        file.call_method(intern!("write"), &[&*Bytes::new(block)?])?;
    }
    Ok(())
}

fn fromfile(array: &View, args: &Args<'_>) -> PyResult<()> {
    let count = args.required(1).to_isize()?;
    let count = usize::try_from(count).map_err(|_| value_error("negative count"))?;
    let wanted = count.checked_mul(array.kind.size).filter(|&n| n <= isize::MAX as usize);
    let wanted = wanted.ok_or_else(taipan_object::err::memory_error)?;
    let read = args.required(0).call_method(intern!("read"), &[&*Int::from_usize(wanted)])?;
    let Some(bytes) = read.downcast::<Bytes>() else {
        return Err(type_error("read() didn't return bytes"));
    };
    let enough = bytes.len() == wanted;
    frombytes(array, &read)?;
    if enough { Ok(()) } else { Err(eof_error("read() didn't return enough bytes")) }
}

fn sizeof(array: &View) -> usize {
    View::SIZE + array.memory.capacity()
}

fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

taipan_object::methods! {
    pub static METHODS = {
        one "append" "($self, v, /)" = append, "Append an item.";
        noargs "buffer_info" "($self, /)" = buffer_info, "Where the memory is, and how many items it holds.";
        noargs "byteswap" "($self, /)" = byteswap, "Reverse the bytes of every item.";
        noargs "clear" "($self, /)" = clear, "Remove all items.";
        one "count" "($self, v, /)" = count, "How often an item occurs.";
        one "extend" "($self, bb, /)" = extend, "Append the items of an array or iterable.";
        args "fromfile" "($self, f, n, /)" = fromfile, "Append n items read from a file.";
        one "fromlist" "($self, list, /)" = fromlist, "Append the items of a list, all or none.";
        one "frombytes" "($self, buffer, /)" = frombytes, "Append items from bytes.";
        one "fromunicode" "($self, ustr, /)" = fromunicode, "Append the characters of a str.";
        args "index" "($self, v, start=0, stop=sys.maxsize, /)" = index, "The first place of an item.";
        args "insert" "($self, i, v, /)" = insert, "Put an item before a place.";
        args "pop" "($self, i=-1, /)" = pop, "Take an item out, by default the last.";
        one "remove" "($self, v, /)" = remove, "Remove the first item that equals v.";
        noargs "reverse" "($self, /)" = reverse, "Reverse the order of the items.";
        one "tofile" "($self, f, /)" = tofile, "Write all items to a file.";
        noargs "tolist" "($self, /)" = tolist, "The items as a list.";
        noargs "tobytes" "($self, /)" = tobytes, "The items as bytes.";
        noargs "tounicode" "($self, /)" = tounicode, "The characters as a str.";
        noargs "__copy__" "($self, /)" = copy, "A copy.";
        one "__deepcopy__" "($self, unused, /)" = deepcopy, "A copy.";
        one "__reduce_ex__" "($self, value, /)" = super::pickle::reduce_ex, "What pickling needs.";
        noargs "__sizeof__" "($self, /)" = sizeof, "Bytes that the array takes.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "Give the class type arguments, for annotations.";
    }
}
