//! `unicodeobject.h`: strings, but for making them from formats ([`crate::format`]) and from codecs
//! ([`crate::codecs`]).

use crate::border::{Obj, arg, bad_call, builtin_method, export, export_plain, text, typed};
use core::ffi::{CStr, c_char, c_int, c_void};
use taipan_object::err::{PyResult, index_error, memory_error, system_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::CompareOp;
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, Ref, alloc, raise};

/// An argument that must be a str, with the message of a type error.
unsafe fn must_be_str<'a>(object: Obj) -> PyResult<&'a Str> {
    // SAFETY: a live object by the callers' contract.
    let object = unsafe { arg(object)? };
    object
        .downcast::<Str>()
        .ok_or_else(|| raise!(PyExc_TypeError, "must be str, not {}", object.ty().message_name()))
}

/// Bytes that C gave with their length.
///
/// # Safety
/// `data` points to `len` bytes, or is null and `len` is 0.
pub unsafe fn bytes<'a>(data: *const c_char, len: isize) -> PyResult<&'a [u8]> {
    let Ok(len) = usize::try_from(len) else {
        return Err(system_error("Negative size passed to PyUnicode_FromStringAndSize"));
    };
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(bad_call()) };
    }
    // SAFETY: by contract.
    Ok(unsafe { core::slice::from_raw_parts(data.cast(), len) })
}

/// A str of UTF-8 bytes, with the decoder's error for others.
pub fn from_utf8(data: &[u8]) -> PyResult<Ref<Str>> {
    match core::str::from_utf8(data) {
        Ok(text) => Str::from_utf8(text),
        Err(_) => taipan_types_text::str::decode(data, "utf-8", "strict")?
            .downcast_owned::<Str>()
            .map_err(|_| bad_call()),
    }
}

unsafe fn from_kind(kind: c_int, data: *const c_void, len: isize) -> PyResult<Ref<Str>> {
    let Ok(len) = usize::try_from(len) else { return Err(value_error("size must be positive")) };
    if len == 0 {
        return Ok(Ref::of(unicode::empty()));
    }
    // SAFETY: `len` units of the kind by the callers' contract.
    unsafe {
        match kind {
            1 => Str::from_latin1(core::slice::from_raw_parts(data.cast(), len)),
            2 => Str::from_ucs2(core::slice::from_raw_parts(data.cast(), len)),
            4 => Str::from_code_points(core::slice::from_raw_parts(data.cast(), len)),
            _ => Err(system_error("invalid kind")),
        }
    }
}

fn max_char(text: &Str) -> u32 {
    match text.kind() {
        1 if text.is_ascii() => 0x7F,
        1 => 0xFF,
        2 => 0xFFFF,
        _ => 0x10_FFFF,
    }
}

/// Writes a code point into a str that nobody else sees yet.
unsafe fn write_char(text: &Str, index: usize, c: u32) {
    // SAFETY: the index is within the str, whose kind is wide enough: the callers check both.
    unsafe {
        let data = text.data_ptr();
        match text.kind() {
            1 => data.add(index).write(c as u8),
            2 => data.cast::<u16>().add(index).write(c as u16),
            _ => data.cast::<u32>().add(index).write(c),
        }
    }
}

unsafe fn copy_characters(
    to: Obj,
    to_start: isize,
    from: Obj,
    from_start: isize,
    count: isize,
) -> PyResult<isize> {
    // SAFETY: live strs by the callers' contract.
    unsafe {
        let (to, from) = (must_be_str(to)?, must_be_str(from)?);
        let (Ok(at), Ok(start)) = (usize::try_from(to_start), usize::try_from(from_start)) else {
            return Err(index_error("string index out of range"));
        };
        if at > to.len() || start > from.len() {
            return Err(index_error("string index out of range"));
        }
        let Ok(count) = usize::try_from(count) else {
            return Err(system_error("how_many cannot be negative"));
        };
        let count = count.min(from.len() - start);
        if at + count > to.len() {
            return Err(raise!(
                PyExc_SystemError,
                "Cannot write {count} characters at {at} in a string of {} characters",
                to.len()
            ));
        }
        check_modifiable(to)?;
        if max_char(from) > max_char(to) {
            let widest = from.code_points().skip(start).take(count).max().unwrap_or(0);
            if widest > max_char(to) {
                return Err(raise!(
                    PyExc_SystemError,
                    "Cannot copy {} characters into a string of narrower characters",
                    from.ty().name()
                ));
            }
        }
        for (offset, c) in from.code_points().skip(start).take(count).enumerate() {
            write_char(to, at + offset, c);
        }
        Ok(count.cast_signed())
    }
}

/// C may change a str only as long as it alone knows it.
fn check_modifiable(text: &Str) -> PyResult<()> {
    // SAFETY: the view guarantees the layout.
    let hashed = unsafe { (*text.raw())._base._base.hash != -1 };
    if text.refcount() != 1 || hashed || text.is_interned() || !text.is_exact(&PyUnicode_Type) {
        return Err(system_error("Cannot modify a string currently used"));
    }
    Ok(())
}

/// `PyUnicode_Resize`: the same contents with another length.
unsafe fn resize(place: *mut Obj, len: isize) -> PyResult<()> {
    // SAFETY: a place that owns a str by the callers' contract.
    unsafe {
        if place.is_null() {
            return Err(bad_call());
        }
        let text = typed::<Str>(*place)?;
        let Ok(len) = usize::try_from(len) else { return Err(bad_call()) };
        if len == text.len() {
            return Ok(());
        }
        let fresh = Str::with_room(len, max_char(text))?;
        let unit = text.kind() as usize;
        let kept = len.min(text.len()) * unit;
        core::ptr::copy_nonoverlapping(text.data_ptr(), fresh.data_ptr(), kept);
        let old = Ref::<Object>::steal(place.replace(fresh.into_ptr()));
        drop(old);
        Ok(())
    }
}

unsafe fn intern_in_place(place: *mut Obj, forever: bool) -> PyResult<()> {
    // SAFETY: a place that owns a reference, or null.
    unsafe {
        let Some(object) = Object::borrow_opt(*place) else { return Ok(()) };
        let Some(text) = object.downcast::<Str>() else { return Ok(()) };
        if !text.is_exact(&PyUnicode_Type) {
            return Ok(());
        }
        let text = Ref::of(text);
        let interned = if forever { unicode::intern_immortal(text) } else { unicode::intern(text) };
        let old = Ref::<Object>::steal(place.replace(interned.into_ptr()));
        drop(old);
        Ok(())
    }
}

/// Compares with a Latin-1 text of C.
unsafe fn compare_with_ascii(text: &Str, other: *const c_char) -> c_int {
    // SAFETY: null-terminated by the callers' contract.
    let other = unsafe { CStr::from_ptr(other) }.to_bytes();
    match text.code_points().cmp(other.iter().map(|&c| u32::from(c))) {
        core::cmp::Ordering::Less => -1,
        core::cmp::Ordering::Equal => 0,
        core::cmp::Ordering::Greater => 1,
    }
}

fn limit(count: isize) -> Ref<Int> {
    Int::from_isize(count)
}

/// A separator that may be missing.
unsafe fn optional<'a>(object: Obj) -> &'a Object {
    // SAFETY: null or a live object.
    unsafe { Object::borrow_opt(object) }.unwrap_or(taipan_object::singletons::none())
}

unsafe fn copy_out(text: &Str, to: *mut u32, room: isize, with_end: bool) -> PyResult<*mut c_void> {
    let needed = text.len() + usize::from(with_end);
    if to.is_null() || room < needed.cast_signed() {
        return Err(system_error("string is longer than the buffer"));
    }
    // SAFETY: room for that many units.
    unsafe {
        for (index, c) in text.code_points().enumerate() {
            to.add(index).write(c);
        }
        if with_end {
            to.add(text.len()).write(0);
        }
    }
    Ok(to.cast())
}

unsafe fn wide<'a>(data: *const u32, len: isize) -> PyResult<&'a [u32]> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(bad_call()) };
    }
    // SAFETY: null-terminated when the length is -1, else that long.
    unsafe {
        let len = match usize::try_from(len) {
            Ok(len) => len,
            Err(_) => (0..).take_while(|&index| data.add(index).read() != 0).count(),
        };
        Ok(core::slice::from_raw_parts(data, len))
    }
}

unsafe fn as_utf8(object: Obj, size: *mut isize) -> PyResult<*const c_char> {
    // SAFETY: a live object; `size` is null or a place.
    unsafe {
        let Some(text) = arg(object)?.downcast::<Str>() else {
            return Err(type_error("bad argument type for built-in operation"));
        };
        // An empty slice of ASCII data still ends with a zero.
        let utf8 = text.to_utf8()?;
        if !size.is_null() {
            size.write(utf8.len().cast_signed());
        }
        Ok(if text.is_ascii() { text.data_ptr().cast() } else { utf8.as_ptr().cast() })
    }
}

export! {
    fn PyUnicode_New(len: isize, max_char: u32) -> Obj {
        let Ok(len) = usize::try_from(len) else {
            return Err(system_error("Negative size passed to PyUnicode_New"));
        };
        if max_char > 0x10_FFFF {
            return Err(system_error("invalid maximum character passed to PyUnicode_New"));
        }
        if len == 0 {
            return Ok(Ref::of(unicode::empty()));
        }
        Str::with_room(len, max_char)
    }

    fn PyUnicode_FromString(data: *const c_char) -> Obj {
        from_utf8(CStr::from_ptr(data).to_bytes())
    }

    fn PyUnicode_FromStringAndSize(data: *const c_char, len: isize) -> Obj {
        from_utf8(bytes(data, len)?)
    }

    fn PyUnicode_InternFromString(data: *const c_char) -> Obj {
        Ok(unicode::intern(from_utf8(CStr::from_ptr(data).to_bytes())?))
    }

    fn PyUnicode_FromKindAndData(kind: c_int, data: *const c_void, len: isize) -> Obj {
        from_kind(kind, data, len)
    }

    fn PyUnicode_FromOrdinal(c: c_int) -> Obj {
        match u32::try_from(c) {
            Ok(c) if c <= 0x10_FFFF => Str::from_code_points(&[c]),
            _ => Err(value_error("chr() arg not in range(0x110000)")),
        }
    }

    fn PyUnicode_FromObject(object: Obj) -> Obj {
        let object = arg(object)?;
        match object.downcast::<Str>() {
            Some(text) if text.is_exact(&PyUnicode_Type) => Ok(Ref::of(text)),
            Some(text) => Str::from_chars(text.chars()),
            None => Err(raise!(PyExc_TypeError, "Can't convert '{}' object to str implicitly", object.ty().message_name())),
        }
    }

    fn PyUnicode_FromWideChar(data: *const u32, len: isize) -> Obj {
        Str::from_code_points(wide(data, len)?)
    }

    fn PyUnicode_AsWideChar(object: Obj, to: *mut u32, room: isize) -> isize {
        let text = must_be_str(object)?;
        if to.is_null() {
            return Ok(text.len() + 1);
        }
        let room = room.max(0).cast_unsigned();
        let count = text.len().min(room);
        for (index, c) in text.code_points().take(count).enumerate() {
            to.add(index).write(c);
        }
        if room > text.len() {
            to.add(text.len()).write(0);
        }
        Ok(count)
    }

    fn PyUnicode_AsWideCharString(object: Obj, size: *mut isize) -> *mut c_void {
        let text = must_be_str(object)?;
        if size.is_null() && text.code_points().any(|c| c == 0) {
            return Err(value_error("embedded null character"));
        }
        let block = alloc::malloc((text.len() + 1) * 4);
        if block.is_null() {
            return Err(memory_error());
        }
        if !size.is_null() {
            size.write(text.len().cast_signed());
        }
        copy_out(text, block.cast(), isize::MAX, true)
    }

    fn PyUnicode_AsUCS4(object: Obj, to: *mut u32, room: isize, with_end: c_int) -> *mut c_void {
        copy_out(typed::<Str>(object)?, to, room, with_end != 0)
    }

    fn PyUnicode_AsUCS4Copy(object: Obj) -> *mut c_void {
        let text = typed::<Str>(object)?;
        let block = alloc::malloc((text.len() + 1) * 4);
        if block.is_null() {
            return Err(memory_error());
        }
        copy_out(text, block.cast(), isize::MAX, true)
    }

    fn PyUnicode_AsUTF8(object: Obj) -> *const c_char {
        as_utf8(object, core::ptr::null_mut())
    }

    fn PyUnicode_AsUTF8AndSize(object: Obj, size: *mut isize) -> *const c_char {
        if !size.is_null() {
            size.write(-1);
        }
        as_utf8(object, size)
    }

    fn PyUnicode_GetLength(object: Obj) -> isize {
        match arg(object)?.downcast::<Str>() {
            Some(text) => Ok(text.len()),
            None => Err(type_error("bad argument type for built-in operation")),
        }
    }

    fn PyUnicode_ReadChar(object: Obj, index: isize) -> u32 {
        let Some(text) = arg(object)?.downcast::<Str>() else {
            return Err(type_error("bad argument type for built-in operation"));
        };
        match usize::try_from(index) {
            Ok(index) if index < text.len() => Ok(text.chars().at(index)),
            _ => Err(index_error("string index out of range")),
        }
    }

    fn PyUnicode_WriteChar(object: Obj, index: isize, c: u32) -> c_int {
        let Some(text) = arg(object)?.downcast::<Str>() else {
            return Err(type_error("bad argument type for built-in operation"));
        };
        let Some(index) = usize::try_from(index).ok().filter(|&index| index < text.len()) else {
            return Err(index_error("string index out of range"));
        };
        check_modifiable(text)?;
        if c > max_char(text) {
            return Err(value_error("character out of range"));
        }
        write_char(text, index, c);
        Ok(())
    }

    fn PyUnicode_Fill(object: Obj, start: isize, count: isize, c: u32) -> isize {
        let text = must_be_str(object)?;
        let Some(start) = usize::try_from(start).ok().filter(|&start| start <= text.len()) else {
            return Err(index_error("string index out of range"));
        };
        check_modifiable(text)?;
        if c > max_char(text) {
            return Err(value_error("fill character is bigger than the string maximum character"));
        }
        let count = count.max(0).cast_unsigned().min(text.len() - start);
        for index in start..start + count {
            write_char(text, index, c);
        }
        Ok(count)
    }

    fn PyUnicode_CopyCharacters(to: Obj, to_start: isize, from: Obj, from_start: isize, count: isize) -> isize {
        copy_characters(to, to_start, from, from_start, count)
    }

    fn PyUnicode_Resize(place: *mut Obj, len: isize) -> c_int {
        resize(place, len)
    }

    fn PyUnicode_InternInPlace(place: *mut Obj) {
        intern_in_place(place, false)
    }

    fn PyUnicode_InternImmortal(place: *mut Obj) {
        intern_in_place(place, true)
    }

    fn PyUnicode_Substring(object: Obj, start: isize, end: isize) -> Obj {
        let text = typed::<Str>(object)?;
        if start < 0 || end < 0 {
            return Err(index_error("string index out of range"));
        }
        let end = end.cast_unsigned().min(text.len());
        let start = start.cast_unsigned().min(end);
        text.substring(start, end)
    }

    fn PyUnicode_Concat(a: Obj, b: Obj) -> Obj {
        let left = must_be_str(a)?;
        let right = arg(b)?;
        match right.downcast::<Str>() {
            Some(right) => taipan_types_text::str::concat(left, right),
            None => Err(raise!(
                PyExc_TypeError,
                "can only concatenate str (not \"{}\") to str",
                right.ty().message_name()
            )),
        }
    }

    /// Replaces the str at `place` by the concatenation, or by null on failure.
    fn PyUnicode_Append(place: *mut Obj, tail: Obj) {
        append(place, tail)
    }

    fn PyUnicode_AppendAndDel(place: *mut Obj, tail: Obj) {
        let held = Object::borrow_opt(tail).map(|_| Ref::<Object>::steal(tail));
        let result = append(place, tail);
        drop(held);
        result
    }

    fn PyUnicode_Compare(a: Obj, b: Obj) -> c_int {
        let (left, right) = (arg(a)?, arg(b)?);
        match (left.downcast::<Str>(), right.downcast::<Str>()) {
            (Some(left), Some(right)) => Ok(left.compare(right) as i32),
            _ => Err(raise!(
                PyExc_TypeError,
                "Can't compare {} and {}",
                left.ty().message_name(),
                right.ty().message_name()
            )),
        }
    }

    fn PyUnicode_Equal(a: Obj, b: Obj) -> c_int {
        Ok(must_be_str(a)?.same_text(must_be_str(b)?))
    }

    fn PyUnicode_RichCompare(a: Obj, b: Obj, op: c_int) -> Obj {
        let (left, right) = (arg(a)?, arg(b)?);
        let op = CompareOp::from_raw(op).ok_or_else(bad_call)?;
        if left.downcast::<Str>().is_none() || right.downcast::<Str>().is_none() {
            return Ok(taipan_object::singletons::not_implemented().new_ref());
        }
        protocol::richcompare(left, right, op)
    }

    fn PyUnicode_Contains(container: Obj, part: Obj) -> c_int {
        let (container, part) = (must_be_str(container)?, arg(part)?);
        match part.downcast::<Str>() {
            Some(part) => Ok(taipan_types_text::str::contains(container, part)),
            None => Err(raise!(
                PyExc_TypeError,
                "'in <string>' requires string as left operand, not {}",
                part.ty().message_name()
            )),
        }
    }

    fn PyUnicode_Find(object: Obj, part: Obj, start: isize, end: isize, direction: c_int) -> isize {
        let (text, part) = (must_be_str(object)?, must_be_str(part)?);
        Ok(find_result(taipan_types_text::str::find_in(text, part, start, end, direction < 0)))
    }

    fn PyUnicode_FindChar(object: Obj, c: u32, start: isize, end: isize, direction: c_int) -> isize {
        let text = must_be_str(object)?;
        if start < 0 || end < 0 {
            return Err(index_error("string index out of range"));
        }
        let end = end.cast_unsigned().min(text.len());
        let start = start.cast_unsigned().min(end);
        let chars = text.chars();
        let mut places = start..end;
        Ok(find_result(if direction < 0 {
            places.rev().find(|&index| chars.at(index) == c)
        } else {
            places.find(|&index| chars.at(index) == c)
        }))
    }

    fn PyUnicode_Count(object: Obj, part: Obj, start: isize, end: isize) -> isize {
        let (text, part) = (must_be_str(object)?, must_be_str(part)?);
        builtin_method(&PyUnicode_Type, "count", &[text, part, &limit(start), &limit(end)])?.to_isize()
    }

    fn PyUnicode_Tailmatch(object: Obj, affix: Obj, start: isize, end: isize, direction: c_int) -> isize {
        let (text, affix) = (must_be_str(object)?, must_be_str(affix)?);
        Ok(isize::from(taipan_types_text::str::matches_at(text, affix, start, end, direction > 0)))
    }

    fn PyUnicode_Replace(object: Obj, old: Obj, new: Obj, count: isize) -> Obj {
        let (text, old, new) = (must_be_str(object)?, must_be_str(old)?, must_be_str(new)?);
        builtin_method(&PyUnicode_Type, "replace", &[text, old, new, &limit(count)])
    }

    fn PyUnicode_Split(object: Obj, separator: Obj, count: isize) -> Obj {
        builtin_method(&PyUnicode_Type, "split", &[must_be_str(object)?, optional(separator), &limit(count)])
    }

    fn PyUnicode_RSplit(object: Obj, separator: Obj, count: isize) -> Obj {
        builtin_method(&PyUnicode_Type, "rsplit", &[must_be_str(object)?, optional(separator), &limit(count)])
    }

    fn PyUnicode_Partition(object: Obj, separator: Obj) -> Obj {
        builtin_method(&PyUnicode_Type, "partition", &[must_be_str(object)?, must_be_str(separator)?])
    }

    fn PyUnicode_RPartition(object: Obj, separator: Obj) -> Obj {
        builtin_method(&PyUnicode_Type, "rpartition", &[must_be_str(object)?, must_be_str(separator)?])
    }

    fn PyUnicode_Splitlines(object: Obj, keep: c_int) -> Obj {
        let keep = taipan_object::singletons::bool_object(keep != 0);
        builtin_method(&PyUnicode_Type, "splitlines", &[must_be_str(object)?, keep])
    }

    fn PyUnicode_Translate(object: Obj, table: Obj, _errors: *const c_char) -> Obj {
        builtin_method(&PyUnicode_Type, "translate", &[must_be_str(object)?, arg(table)?])
    }

    fn PyUnicode_Join(separator: Obj, items: Obj) -> Obj {
        let separator = Object::borrow_opt(separator).unwrap_or(taipan_types_text_space()?);
        builtin_method(&PyUnicode_Type, "join", &[separator, arg(items)?])
    }

    fn PyUnicode_Format(format: Obj, args: Obj) -> Obj {
        let format = must_be_str(format)?;
        protocol::binary_op(format, arg(args)?, protocol::BinaryOp::Remainder)
    }

    fn PyUnicode_IsIdentifier(object: Obj) -> c_int {
        Ok(unicode::is_identifier(must_be_str(object)?))
    }

    fn PyUnicode_BuildEncodingMap(map: Obj) -> Obj {
        crate::border::call_in_module("codecs", "charmap_build", &[arg(map)?])
    }
}

/// One blank, which joins where C gives no separator.
fn taipan_types_text_space() -> PyResult<&'static Object> {
    Ok(unicode::latin1_char(b' '))
}

fn find_result(found: Option<usize>) -> isize {
    found.map_or(-1, usize::cast_signed)
}

unsafe fn append(place: *mut Obj, tail: Obj) -> PyResult<()> {
    // SAFETY: a place that owns a str or null.
    unsafe {
        if place.is_null() {
            return Err(bad_call());
        }
        if (*place).is_null() {
            return Ok(());
        }
        let head = Ref::<Object>::steal(place.replace(core::ptr::null_mut()));
        let (Some(left), Some(right)) = (head.downcast::<Str>(), arg(tail)?.downcast::<Str>()) else {
            return Err(bad_call());
        };
        place.write(taipan_types_text::str::concat(left, right)?.into_ptr());
        Ok(())
    }
}

export_plain! {
    fn PyUnicode_GetDefaultEncoding() -> *const c_char {
        c"utf-8".as_ptr()
    }

    fn PyUnicode_KIND(object: Obj) -> u32 {
        Object::borrow(object).cast::<Str>().kind()
    }

    fn PyUnicode_GetMax() -> u32 {
        0x10_FFFF
    }

    fn PyUnicode_DATA(object: Obj) -> *mut c_void {
        Object::borrow(object).cast::<Str>().data_ptr().cast()
    }

    fn PyUnicode_GetSize(object: Obj) -> isize {
        PyUnicode_GetLength(object)
    }

    fn PyUnicode_CompareWithASCIIString(object: Obj, other: *const c_char) -> c_int {
        compare_with_ascii(Object::borrow(object).cast(), other)
    }

    fn _PyUnicode_EqualToASCIIString(object: Obj, other: *const c_char) -> c_int {
        c_int::from(compare_with_ascii(Object::borrow(object).cast(), other) == 0)
    }

    fn PyUnicode_EqualToUTF8AndSize(object: Obj, other: *const c_char, len: isize) -> c_int {
        let text: &Str = Object::borrow(object).cast();
        let other = core::slice::from_raw_parts(other.cast::<u8>(), len.max(0).cast_unsigned());
        c_int::from(text.as_utf8().is_some_and(|text| text.as_bytes() == other))
    }

    fn PyUnicode_EqualToUTF8(object: Obj, other: *const c_char) -> c_int {
        let len = CStr::from_ptr(other).to_bytes().len();
        PyUnicode_EqualToUTF8AndSize(object, other, len.cast_signed())
    }

    fn _PyUnicode_IsWhitespace(c: u32) -> c_int {
        c_int::from(matches!(c, 9..=13 | 28..=32 | 0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000))
    }

    fn _PyUnicode_IsLinebreak(c: u32) -> c_int {
        c_int::from(matches!(c, 10..=13 | 28..=30 | 0x85 | 0x2028 | 0x2029))
    }
}

/// A question about a character, answered by the method of `str` that asks it.
fn character(c: u32, method: &str) -> c_int {
    let ask = || builtin_method(&PyUnicode_Type, method, &[&*Str::from_code_points(&[c])?])?.is_true();
    c_int::from(crate::border::ignoring(ask(), false))
}

fn mapped(c: u32, method: &str) -> u32 {
    let ask = || -> PyResult<u32> {
        let result = builtin_method(&PyUnicode_Type, method, &[&*Str::from_code_points(&[c])?])?;
        // A simple mapping is one character; where the full mapping is longer the character stays.
        Ok(result.downcast::<Str>().filter(|text| text.len() == 1).map_or(c, |text| text.chars().at(0)))
    };
    crate::border::ignoring(ask(), c)
}

export_plain! {
    fn _PyUnicode_IsAlpha(c: u32) -> c_int {
        character(c, "isalpha")
    }

    fn _PyUnicode_IsDecimalDigit(c: u32) -> c_int {
        character(c, "isdecimal")
    }

    fn _PyUnicode_IsDigit(c: u32) -> c_int {
        character(c, "isdigit")
    }

    fn _PyUnicode_IsNumeric(c: u32) -> c_int {
        character(c, "isnumeric")
    }

    fn _PyUnicode_IsLowercase(c: u32) -> c_int {
        character(c, "islower")
    }

    fn _PyUnicode_IsUppercase(c: u32) -> c_int {
        character(c, "isupper")
    }

    fn _PyUnicode_IsTitlecase(c: u32) -> c_int {
        c_int::from(character(c, "istitle") != 0 && character(c, "isupper") == 0)
    }

    fn _PyUnicode_IsPrintable(c: u32) -> c_int {
        character(c, "isprintable")
    }

    fn _PyUnicode_ToLowercase(c: u32) -> u32 {
        mapped(c, "lower")
    }

    fn _PyUnicode_ToUppercase(c: u32) -> u32 {
        mapped(c, "upper")
    }

    fn _PyUnicode_ToTitlecase(c: u32) -> u32 {
        mapped(c, "title")
    }

    fn _PyUnicode_ToDecimalDigit(c: u32) -> c_int {
        digit(c, "decimal")
    }

    fn _PyUnicode_ToDigit(c: u32) -> c_int {
        digit(c, "digit")
    }
}

/// A character's value by a function of `unicodedata`, or -1.
fn digit(c: u32, function: &str) -> c_int {
    let ask = || -> PyResult<c_int> {
        let minus_one = Int::from_i64(-1);
        crate::border::call_in_module(
            "unicodedata",
            function,
            &[&*Str::from_code_points(&[c])?, &*minus_one],
        )?
        .to_i32()
    };
    crate::border::ignoring(ask(), -1)
}

/// `text` is looked at by other families too.
pub unsafe fn text_or(given: *const c_char, default: &str) -> PyResult<&str> {
    // SAFETY: null or null-terminated by the callers' contract.
    if given.is_null() { Ok(default) } else { unsafe { text(given) } }
}
