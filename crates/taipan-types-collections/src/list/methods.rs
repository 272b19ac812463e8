//! Methods of `list`.

use super::{iter, slots, sort};
use crate::util;
use taipan_object::err::{PyResult, type_error, value_error};
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::protocol::{has_index, iter_next, length_hint};
use taipan_object::slice::slice_index;
use taipan_object::statics::{PyDict_Type, PyFrozenSet_Type, PyList_Type, PySet_Type, PyTuple_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref};

/// Appends the items of an iterable.
///
/// # Errors
/// What the iteration raises; items that came before stay in the list.
pub fn extend(list: &List, iterable: &Object) -> PyResult<()> {
    if iterable.is_exact(&PyTuple_Type) {
        // SAFETY: an exact tuple.
        let items = unsafe { iterable.cast::<Tuple>() }.items();
        list.reserve_exact_total(list.len() + items.len())?;
        for item in items {
            list.append(item.new_ref())?;
        }
        return Ok(());
    }
    if iterable.is_exact(&PyList_Type) {
        // SAFETY: an exact list; it may be `list` itself, so its length is fixed first.
        let other: &List = unsafe { iterable.cast() };
        let len = other.len();
        list.reserve_exact_total(list.len() + len)?;
        for index in 0..len {
            if let Some(item) = other.get(index) {
                list.append(item)?;
            }
        }
        return Ok(());
    }
    let iterator = iterable.iter()?;
    let hint = length_hint(iterable, 8)?;
    if let Some(total) = list.len().checked_add(hint).filter(|&total| total <= isize::MAX as usize) {
        // Sets and dicts grow the list as appending does.
        let grows = iterable.is_exact(&PySet_Type)
            || iterable.is_exact(&PyFrozenSet_Type)
            || iterable.is_exact(&PyDict_Type);
        if grows { list.reserve_total(total)? } else { list.reserve_exact_total(total)? }
    }
    while let Some(item) = iter_next(&iterator)? {
        list.append(item)?;
    }
    list.shrink();
    Ok(())
}

fn remove(list: &List, value: &Object) -> PyResult<()> {
    let mut index = 0;
    while let Some(item) = list.get(index) {
        if item.equals(value)? {
            drop(list.remove(index));
            return Ok(());
        }
        index += 1;
    }
    Err(value_error("list.remove(x): x not in list"))
}

fn count(list: &List, value: &Object) -> PyResult<usize> {
    let (mut index, mut found) = (0, 0);
    while let Some(item) = list.get(index) {
        found += usize::from(item.equals(value)?);
        index += 1;
    }
    Ok(found)
}

fn insert(list: &List, args: &Args<'_>) -> PyResult<()> {
    let index = args.required(0).to_isize()?;
    let len = list.len().cast_signed();
    let index = if index < 0 { (index + len).max(0) } else { index.min(len) };
    list.insert(index as usize, args.required(1).new_ref())
}

/// Reverses the items in place.
pub fn reverse(list: &List) {
    let len = list.len();
    for index in 0..len / 2 {
        // SAFETY: both places are below the length.
        unsafe { core::ptr::swap(list.items_ptr().add(index), list.items_ptr().add(len - 1 - index)) };
    }
}

fn copy(list: &List) -> PyResult<Ref<List>> {
    let new = List::with_capacity(list.len())?;
    for index in 0..list.len() {
        if let Some(item) = list.get(index) {
            new.append(item)?;
        }
    }
    Ok(new)
}

fn size_of(list: &List) -> usize {
    // SAFETY: the view guarantees the layout; the type is live.
    unsafe { (*list.ty().raw()).tp_basicsize as usize + (*list.raw()).allocated as usize * 8 }
}

fn index(list: &List, args: &Args<'_>) -> PyResult<usize> {
    let start = args.get(1).map_or(Ok(0), bound)?;
    let stop = args.get(2).map_or(Ok(isize::MAX), bound)?;
    slots::find(list, args.required(0), start, stop)
}

/// A bound of `index`: anything with `__index__`, but not `None`.
pub(crate) fn bound(value: &Object) -> PyResult<isize> {
    if !has_index(value) {
        return Err(type_error("slice indices must be integers or have an __index__ method"));
    }
    slice_index(value, 0)
}

taipan_object::methods! { pub(super) static METHODS = {
    coexist one "__getitem__" "($self, index, /)" = slots::subscript, "The item at an index, or a new list of the items that a slice selects.";
    noargs "__reversed__" "($self, /)" = iter::new_backward, "An iterator over the items from the last to the first.";
    noargs "__sizeof__" "($self, /)" = size_of, "The bytes that the list itself takes in memory.";
    noargs "clear" "($self, /)" = List::clear, "Remove all items.";
    noargs "copy" "($self, /)" = copy, "A new list of the same items.";
    one "append" "($self, object, /)" = |list: &List, item: &Object| list.append(item.new_ref()), "Add one object at the end.";
    args "insert" "($self, index, object, /)" = insert, "Put an object in front of the item at an index.";
    one "extend" "($self, iterable, /)" = extend, "Add all items of an iterable at the end.";
    args "pop" "($self, index=-1, /)" = |list: &List, args: &Args<'_>| slots::pop(list, args.isize_or(0, -1)?), "Take an item out and return it; without an index the last one.\n\nRaises IndexError when there is no such item.";
    one "remove" "($self, value, /)" = remove, "Take the first item out that equals the value.\n\nRaises ValueError when there is none.";
    args "index" "($self, value, start=0, stop=sys.maxsize, /)" = index, "The place of the first item that equals the value.\n\nRaises ValueError when there is none.";
    one "count" "($self, value, /)" = count, "How many items equal the value.";
    noargs "reverse" "($self, /)" = reverse, "Turn the order of the items round, in place.";
    args "sort" "($self, /, *, key=None, reverse=False)" = sort::method, "Order the items from the least to the greatest, in place.\n\nItems that compare equal keep their order. The function key, if given, is called\nonce with each item and its results are compared instead. With reverse the order\nis from the greatest to the least.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what the items are, see PEP 585.";
} }
