//! Operators of `list`: items, slices, arithmetic, comparison, `repr`.

use super::methods;
use crate::util::{self, Text};
use taipan_object::err::{PyErr, PyResult, index_error, value_error};
use taipan_object::list::List;
use taipan_object::native::{CompareOp, IntoPy};
use taipan_object::protocol::{has_index, repr_guard, richcompare};
use taipan_object::slice::{self, Slice};
use taipan_object::statics::{PyExc_IndexError, PyExc_TypeError, PyExc_ValueError};
use taipan_object::{Object, Ref, raise};

pub(super) fn length(list: &List) -> PyResult<isize> {
    Ok(list.len().cast_signed())
}

pub(super) fn item(list: &List, index: isize) -> PyResult {
    usize::try_from(index).ok().and_then(|index| list.get(index)).ok_or_else(out_of_range)
}

#[cold]
fn out_of_range() -> PyErr {
    index_error("list index out of range")
}

#[cold]
fn bad_index(key: &Object) -> PyErr {
    raise!(PyExc_TypeError, "list indices must be integers or slices, not {}", key.ty().message_name())
}

/// An index from either end as a place.
fn place(list: &List, key: &Object) -> PyResult<isize> {
    let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
    Ok(if index < 0 { index + list.len().cast_signed() } else { index })
}

pub(super) fn subscript(list: &List, key: &Object) -> PyResult {
    if has_index(key) {
        return item(list, place(list, key)?);
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(bad_index(key)) };
    let (start, stop, step) = slice.unpack()?;
    let range = slice::adjust(list.len(), start, stop, step);
    Ok(list.copy_range(range)?.upcast())
}

pub(super) fn set_index(list: &List, index: isize, value: Option<&Object>) -> PyResult<()> {
    let bad = || index_error("list assignment index out of range");
    let index = usize::try_from(index).map_err(|_| bad())?;
    let old = match value {
        Some(value) => list.replace(index, value.new_ref()).ok(),
        None => list.remove(index),
    };
    old.map(drop).ok_or_else(bad)
}

pub(super) fn store(list: &List, key: &Object, value: Option<&Object>) -> PyResult<()> {
    if has_index(key) {
        let place = place(list, key)?;
        return set_index(list, place, value);
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(bad_index(key)) };
    let (start, stop, step) = slice.unpack()?;
    let Some(value) = value else {
        delete_places(list, slice::adjust(list.len(), start, stop, step));
        return Ok(());
    };
    let items = util::sequence_fast(value, "must assign iterable to extended slice")?;
    // Only now: the iteration may have changed the list.
    let range = slice::adjust(list.len(), start, stop, step);
    if step == 1 {
        let from = range.start as usize;
        drop(list.splice(from, range.stop.max(range.start) as usize, items)?);
        return Ok(());
    }
    if items.len() != range.count {
        return Err(raise!(
            PyExc_ValueError,
            "attempt to assign sequence of size {} to extended slice of size {}",
            items.len(),
            range.count
        ));
    }
    let mut old = Vec::with_capacity(items.len());
    for (place, item) in range.places().zip(items) {
        old.extend(list.replace(place, item));
    }
    Ok(())
}

/// Takes the selected items out and releases them last.
fn delete_places(list: &List, range: slice::Range) {
    if range.count == 0 {
        return;
    }
    let (one, other) = (range.at(0), range.at(range.count - 1));
    let (first, last, step) = (one.min(other), one.max(other), range.step.unsigned_abs());
    let len = list.len();
    let mut removed = Vec::with_capacity(range.count);
    let mut write = first;
    // SAFETY: all places are below the length; every reference moves to exactly one place.
    unsafe {
        let items = list.items_ptr();
        for read in first..len {
            let item = items.add(read).read();
            if read <= last && (read - first).is_multiple_of(step) {
                removed.push(Ref::<Object>::steal(item));
            } else {
                items.add(write).write(item);
                write += 1;
            }
        }
        (*list.raw()).ob_base.ob_size = write.cast_signed();
    }
    list.shrink();
    drop(removed);
}

pub(super) fn contains(list: &List, item: &Object) -> PyResult<bool> {
    let mut index = 0;
    while let Some(candidate) = list.get(index) {
        if candidate.equals(item)? {
            return Ok(true);
        }
        index += 1;
    }
    Ok(false)
}

/// Appends the first `len` items of `source` to `new` as many times.
fn append_times(new: &List, source: &List, len: usize, times: usize) -> PyResult<()> {
    for _ in 0..times {
        for index in 0..len {
            if let Some(item) = source.get(index) {
                new.append(item)?;
            }
        }
    }
    Ok(())
}

pub(super) fn concat(list: &List, other: &Object) -> PyResult {
    let Some(other) = other.downcast::<List>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only concatenate list (not \"{}\") to list",
            other.ty().message_name()
        ));
    };
    let new = List::with_capacity(list.len() + other.len())?;
    append_times(&new, list, list.len(), 1)?;
    append_times(&new, other, other.len(), 1)?;
    Ok(new.upcast())
}

pub(super) fn repeat(list: &List, times: isize) -> PyResult {
    let (len, times) = (list.len(), times.max(0) as usize);
    let total = len.checked_mul(times).ok_or_else(taipan_object::alloc::no_memory)?;
    let new = List::with_capacity(total)?;
    append_times(&new, list, len, if len == 0 { 0 } else { times })?;
    Ok(new.upcast())
}

pub(super) fn inplace_concat(list: &List, other: &Object) -> PyResult {
    methods::extend(list, other)?;
    Ok(list.new_ref())
}

pub(super) fn inplace_repeat(list: &List, times: isize) -> PyResult {
    if times <= 0 {
        list.clear();
    } else if !list.is_empty() {
        let (len, times) = (list.len(), times as usize);
        let total = len.checked_mul(times).ok_or_else(taipan_object::alloc::no_memory)?;
        list.reserve_total(total)?;
        append_times(list, list, len, times - 1)?;
    }
    Ok(list.new_ref())
}

pub(super) fn compare(list: &List, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<List>() else { return Ok(util::not_implemented()) };
    if list.len() != other.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return (op == CompareOp::Ne).into_py();
    }
    let mut index = 0;
    while let (Some(a), Some(b)) = (list.get(index), other.get(index)) {
        if !a.equals(&b)? {
            // The comparison may have emptied the lists: what is left decides then.
            if index >= list.len() || index >= other.len() {
                break;
            }
            return match op {
                CompareOp::Eq => false.into_py(),
                CompareOp::Ne => true.into_py(),
                _ => richcompare(&a, &b, op),
            };
        }
        index += 1;
    }
    op.holds(list.len().cmp(&other.len())).into_py()
}

pub(super) fn repr(list: &List) -> PyResult {
    if list.is_empty() {
        return "[]".into_py();
    }
    let text = repr_guard(list, || {
        let mut text = Text::new();
        text.ascii("[");
        let mut index = 0;
        while let Some(item) = list.get(index) {
            if index > 0 {
                text.ascii(", ");
            }
            text.repr(&item)?;
            index += 1;
        }
        text.ascii("]");
        text.finish()
    })?;
    text.map_or_else(|| "[...]".into_py(), IntoPy::into_py)
}

pub(super) fn pop(list: &List, index: isize) -> PyResult {
    let len = list.len();
    if len == 0 {
        return Err(index_error("pop from empty list"));
    }
    let index = if index < 0 { index + len.cast_signed() } else { index };
    let item = usize::try_from(index).ok().and_then(|index| list.remove(index));
    item.ok_or_else(|| index_error("pop index out of range"))
}

pub(super) fn find(list: &List, value: &Object, start: isize, stop: isize) -> PyResult<usize> {
    let fit = |place: isize| {
        if place < 0 {
            place.saturating_add(list.len().cast_signed()).max(0) as usize
        } else {
            place as usize
        }
    };
    let (mut index, stop) = (fit(start), fit(stop));
    while index < stop
        && let Some(item) = list.get(index)
    {
        if item.equals(value)? {
            return Ok(index);
        }
        index += 1;
    }
    Err(value_error("list.index(x): x not in list"))
}
