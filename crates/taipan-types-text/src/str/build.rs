//! Putting strs together: concatenation, repetition, joining.
//!
//! Every str is stored in its narrowest width, so the widest part decides the width of the whole.

use super::max_char;
use taipan_object::list::List;
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str, empty};
use taipan_object::{Object, PyResult, Ref, err, protocol, raise};

/// Writes the code points of `part` from index `at` of `target` on.
///
/// # Safety
/// `target` is fresh, not shared, at least as wide as `part`, and has room.
unsafe fn write(target: &Str, at: usize, part: &Str) {
    let data = target.data_ptr();
    // SAFETY: room and width by contract.
    unsafe {
        match (part.chars(), target.kind()) {
            (Chars::One(s), 1) => core::ptr::copy_nonoverlapping(s.as_ptr(), data.add(at), s.len()),
            (Chars::Two(s), 2) => {
                core::ptr::copy_nonoverlapping(s.as_ptr(), data.cast::<u16>().add(at), s.len())
            }
            (Chars::Four(s), 4) => {
                core::ptr::copy_nonoverlapping(s.as_ptr(), data.cast::<u32>().add(at), s.len())
            }
            (chars, 2) => {
                for index in 0..chars.len() {
                    data.cast::<u16>().add(at + index).write(chars.at(index) as u16);
                }
            }
            (chars, _) => {
                for index in 0..chars.len() {
                    data.cast::<u32>().add(at + index).write(chars.at(index));
                }
            }
        }
    }
}

/// `a + b`.
///
/// # Errors
/// `MemoryError`.
pub fn concat(a: &Str, b: &Str) -> PyResult<Ref<Str>> {
    if a.is_empty() && b.is_exact(&PyUnicode_Type) {
        return Ok(Ref::of(b));
    }
    if b.is_empty() && a.is_exact(&PyUnicode_Type) {
        return Ok(Ref::of(a));
    }
    let (left, right) = (a.len(), b.len());
    let len =
        left.checked_add(right).ok_or_else(|| err::overflow_error("strings are too large to concat"))?;
    let new = Str::with_room(len, max_char(a).max(max_char(b)))?;
    // SAFETY: room for both, as wide as the wider one.
    unsafe {
        write(&new, 0, a);
        write(&new, left, b);
    }
    Ok(new)
}

/// All parts one behind the other.
///
/// # Errors
/// `OverflowError`, `MemoryError`.
pub fn concat_all(parts: &[&Str]) -> PyResult<Ref<Str>> {
    let mut len = 0usize;
    let mut max = 0;
    for part in parts {
        len = len
            .checked_add(part.len())
            .filter(|len| *len <= isize::MAX as usize)
            .ok_or_else(|| err::overflow_error("join() result is too long for a Python string"))?;
        max = max.max(max_char(part));
    }
    if len == 0 {
        return Ok(Ref::of(empty()));
    }
    if let [part] = parts
        && part.is_exact(&PyUnicode_Type)
    {
        return Ok(Ref::of(part));
    }
    let new = Str::with_room(len, max)?;
    let mut at = 0;
    for part in parts {
        // SAFETY: room for all parts, as wide as the widest one.
        unsafe { write(&new, at, part) };
        at += part.len();
    }
    Ok(new)
}

/// `text * count`.
///
/// # Errors
/// `OverflowError`, `MemoryError`.
pub fn repeat(text: &Str, count: isize) -> PyResult<Ref<Str>> {
    if count < 1 || text.is_empty() {
        return Ok(Ref::of(empty()));
    }
    let count = count as usize;
    if count == 1 && text.is_exact(&PyUnicode_Type) {
        return Ok(Ref::of(text));
    }
    let len = text
        .len()
        .checked_mul(count)
        .filter(|len| *len <= isize::MAX as usize)
        .ok_or_else(|| err::overflow_error("repeated string is too long"))?;
    let new = Str::with_room(len, max_char(text))?;
    let unit = text.data_bytes().len();
    let total = unit * count;
    // SAFETY: same width and room for `total` bytes; what is written doubles each time.
    unsafe {
        let data = new.data_ptr();
        core::ptr::copy_nonoverlapping(text.data_ptr(), data, unit);
        let mut done = unit;
        while done < total {
            let more = done.min(total - done);
            core::ptr::copy_nonoverlapping(data, data.add(done), more);
            done += more;
        }
    }
    Ok(new)
}

/// `separator.join(iterable)`.
///
/// # Errors
/// `TypeError` for items that are not strs; what the iteration raises.
pub fn join(separator: &Str, iterable: &Object) -> PyResult<Ref<Str>> {
    if let Some(tuple) = iterable.downcast::<Tuple>() {
        return join_items(separator, tuple.items());
    }
    let items = if let Some(list) = iterable.downcast::<List>() {
        list.to_vec()
    } else {
        let iterator = iterable.iter().map_err(|error| {
            if error.is(&PyExc_TypeError) { err::type_error("can only join an iterable") } else { error }
        })?;
        protocol::to_vec(&iterator)?
    };
    let borrowed: Vec<&Object> = items.iter().map(AsRef::as_ref).collect();
    join_items(separator, &borrowed)
}

/// The items with the separator between them.
///
/// # Errors
/// `TypeError` for items that are not strs.
pub fn join_items(separator: &Str, items: &[&Object]) -> PyResult<Ref<Str>> {
    let mut parts = Vec::with_capacity(items.len() * 2);
    for (index, item) in items.iter().enumerate() {
        let Some(text) = item.downcast::<Str>() else {
            return Err(raise!(
                PyExc_TypeError,
                "sequence item {index}: expected str instance, {} found",
                item.ty().message_name()
            ));
        };
        if index != 0 && !separator.is_empty() {
            parts.push(separator);
        }
        parts.push(text);
    }
    concat_all(&parts)
}
