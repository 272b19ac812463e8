//! The methods that `bytes` and `bytearray` share.

use super::{Bytelike, data_arg};
use crate::util::{argument_name, bounds, check_count, name_arg, search_args, value_error};
use memchr::memmem;
use taipan_object::buffer::{byte_value, has_buffer};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, protocol, raise};

/// A byte or bytes to look for.
enum Sub<'a> {
    Byte([u8; 1]),
    Data(super::Data<'a>),
}

impl core::ops::Deref for Sub<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Sub::Byte(byte) => byte,
            Sub::Data(data) => data,
        }
    }
}

fn sub_arg(object: &Object) -> PyResult<Sub<'_>> {
    if has_buffer(object) {
        return data_arg(object).map(Sub::Data);
    }
    if protocol::has_index(object) {
        return byte_value(object, "byte must be in range(0, 256)").map(|byte| Sub::Byte([byte]));
    }
    Err(raise!(
        PyExc_TypeError,
        "argument should be integer or bytes-like object, not '{}'",
        object.ty().message_name()
    ))
}

/// The place of `sub` in a part of `data`.
fn find_in(data: &[u8], sub: &[u8], start: isize, end: isize, last: bool) -> Option<usize> {
    let (start, end) = bounds(data.len(), start, end)?;
    let part = &data[start..end];
    let found = match (sub, last) {
        ([byte], false) => memchr::memchr(*byte, part),
        ([byte], true) => memchr::memrchr(*byte, part),
        (_, false) => memmem::find(part, sub),
        (_, true) => memmem::rfind(part, sub),
    };
    found.map(|at| at + start)
}

fn searched<T: Bytelike>(this: &T, name: &str, args: &[&Object], last: bool) -> PyResult<Option<usize>> {
    let (sub, start, end) = search_args(name, args)?;
    let _hold = this.hold();
    let sub = sub_arg(sub)?;
    Ok(find_in(this.data(), &sub, start, end, last))
}

pub(super) fn find<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<isize> {
    Ok(searched(this, "find", args, false)?.map_or(-1, usize::cast_signed))
}

pub(super) fn rfind<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<isize> {
    Ok(searched(this, "rfind", args, true)?.map_or(-1, usize::cast_signed))
}

fn not_found() -> PyErr {
    err::value_error("subsection not found")
}

pub(super) fn index<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<usize> {
    searched(this, "index", args, false)?.ok_or_else(not_found)
}

pub(super) fn rindex<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<usize> {
    searched(this, "rindex", args, true)?.ok_or_else(not_found)
}

pub(super) fn count<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<usize> {
    let (sub, start, end) = search_args("count", args)?;
    let _hold = this.hold();
    let sub = sub_arg(sub)?;
    let data = this.data();
    let Some((start, end)) = bounds(data.len(), start, end) else { return Ok(0) };
    if sub.is_empty() {
        return Ok(end - start + 1);
    }
    Ok(memmem::find_iter(&data[start..end], &*sub).count())
}

fn affix_test<T: Bytelike>(this: &T, name: &str, args: &[&Object], at_end: bool) -> PyResult<bool> {
    let (affix, start, end) = search_args(name, args)?;
    let test = |affix: &Object| -> PyResult<bool> {
        let affix = data_arg(affix)?;
        let data = this.data();
        let Some((start, end)) = bounds(data.len(), start, end) else { return Ok(false) };
        let part = &data[start..end];
        Ok(if at_end { part.ends_with(&affix) } else { part.starts_with(&affix) })
    };
    if let Some(tuple) = affix.downcast::<Tuple>() {
        for item in tuple.items() {
            if test(item)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if !has_buffer(affix) {
        return Err(raise!(
            PyExc_TypeError,
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            affix.ty().message_name()
        ));
    }
    test(affix)
}

pub(super) fn startswith<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<bool> {
    affix_test(this, "startswith", args, false)
}

pub(super) fn endswith<T: Bytelike>(this: &T, args: &[&Object]) -> PyResult<bool> {
    affix_test(this, "endswith", args, true)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

fn limit(args: &Args<'_>) -> PyResult<usize> {
    Ok(usize::try_from(args.isize_or(1, -1)?).unwrap_or(usize::MAX))
}

fn list_of<T: Bytelike>(parts: &[&[u8]]) -> PyResult<Ref<List>> {
    List::from_vec(parts.iter().map(|part| T::make(part)).collect::<PyResult<Vec<_>>>()?)
}

fn empty_separator() -> PyErr {
    err::value_error("empty separator")
}

fn split_blanks(data: &[u8], limit: usize) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = data.trim_ascii_start_py();
    while !rest.is_empty() {
        if out.len() == limit {
            out.push(rest);
            break;
        }
        let end = rest.iter().position(|&b| is_blank(b)).unwrap_or(rest.len());
        out.push(&rest[..end]);
        rest = rest[end..].trim_ascii_start_py();
    }
    out
}

fn rsplit_blanks(data: &[u8], limit: usize) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = data.trim_ascii_end_py();
    while !rest.is_empty() {
        if out.len() == limit {
            out.push(rest);
            break;
        }
        let start = rest.iter().rposition(|&b| is_blank(b)).map_or(0, |at| at + 1);
        out.push(&rest[start..]);
        rest = rest[..start].trim_ascii_end_py();
    }
    out.reverse();
    out
}

/// Trimming by Python's blanks, which include the vertical tab.
trait Trim {
    fn trim_ascii_start_py(&self) -> &Self;
    fn trim_ascii_end_py(&self) -> &Self;
}

impl Trim for [u8] {
    fn trim_ascii_start_py(&self) -> &Self {
        &self[self.iter().position(|&b| !is_blank(b)).unwrap_or(self.len())..]
    }
    fn trim_ascii_end_py(&self) -> &Self {
        &self[..self.iter().rposition(|&b| !is_blank(b)).map_or(0, |at| at + 1)]
    }
}

pub(super) fn split<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref<List>> {
    let limit = limit(args)?;
    let Some(separator) = args.get_some(0) else { return list_of::<T>(&split_blanks(this.data(), limit)) };
    let _hold = this.hold();
    let separator = data_arg(separator)?;
    if separator.is_empty() {
        return Err(empty_separator());
    }
    let data = this.data();
    let mut parts = Vec::new();
    let mut from = 0;
    for at in memmem::find_iter(data, &*separator).take(limit) {
        parts.push(&data[from..at]);
        from = at + separator.len();
    }
    parts.push(&data[from..]);
    list_of::<T>(&parts)
}

pub(super) fn rsplit<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref<List>> {
    let limit = limit(args)?;
    let Some(separator) = args.get_some(0) else { return list_of::<T>(&rsplit_blanks(this.data(), limit)) };
    let _hold = this.hold();
    let separator = data_arg(separator)?;
    if separator.is_empty() {
        return Err(empty_separator());
    }
    let mut rest = this.data();
    let mut parts = Vec::new();
    while parts.len() < limit
        && let Some(at) = memmem::rfind(rest, &separator)
    {
        parts.push(&rest[at + separator.len()..]);
        rest = &rest[..at];
    }
    parts.push(rest);
    parts.reverse();
    list_of::<T>(&parts)
}

fn parts<T: Bytelike>(this: &T, separator: &Object, last: bool) -> PyResult<Ref<Tuple>> {
    let _hold = this.hold();
    let wanted = data_arg(separator)?;
    if wanted.is_empty() {
        return Err(empty_separator());
    }
    let data = this.data();
    let found = if last { memmem::rfind(data, &wanted) } else { memmem::find(data, &wanted) };
    match found {
        Some(at) => Tuple::from_array([
            T::make(&data[..at])?,
            T::make(&wanted)?,
            T::make(&data[at + wanted.len()..])?,
        ]),
        None if last => Tuple::from_array([T::make(&[])?, T::make(&[])?, this.unchanged()?]),
        None => Tuple::from_array([this.unchanged()?, T::make(&[])?, T::make(&[])?]),
    }
}

pub(super) fn partition<T: Bytelike>(this: &T, separator: &Object) -> PyResult<Ref<Tuple>> {
    parts(this, separator, false)
}

pub(super) fn rpartition<T: Bytelike>(this: &T, separator: &Object) -> PyResult<Ref<Tuple>> {
    parts(this, separator, true)
}

pub(super) fn splitlines<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref<List>> {
    let keep = args.bool_or(0, false)?;
    let mut rest = this.data();
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let next = match &rest[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [] => end,
            _ => end + 1,
        };
        lines.push(&rest[..if keep { next } else { end }]);
        rest = &rest[next..];
    }
    list_of::<T>(&lines)
}

fn strip_sides<T: Bytelike>(this: &T, args: &Args<'_>, left: bool, right: bool) -> PyResult<Ref> {
    let set = args.get_some(0).map(data_arg).transpose()?;
    let drop = |byte: &u8| set.as_ref().map_or_else(|| is_blank(*byte), |set| set.contains(byte));
    let data = this.data();
    let mut part = data;
    while left && part.first().is_some_and(drop) {
        part = &part[1..];
    }
    while right && part.last().is_some_and(drop) {
        part = &part[..part.len() - 1];
    }
    if part.len() == data.len() { this.unchanged() } else { T::make(part) }
}

pub(super) fn strip<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    strip_sides(this, args, true, true)
}

pub(super) fn lstrip<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    strip_sides(this, args, true, false)
}

pub(super) fn rstrip<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    strip_sides(this, args, false, true)
}

pub(super) fn removeprefix<T: Bytelike>(this: &T, prefix: &Object) -> PyResult<Ref> {
    let prefix = data_arg(prefix)?;
    match this.data().strip_prefix(&*prefix) {
        Some(rest) if !prefix.is_empty() => T::make(rest),
        _ => this.unchanged(),
    }
}

pub(super) fn removesuffix<T: Bytelike>(this: &T, suffix: &Object) -> PyResult<Ref> {
    let suffix = data_arg(suffix)?;
    match this.data().strip_suffix(&*suffix) {
        Some(rest) if !suffix.is_empty() => T::make(rest),
        _ => this.unchanged(),
    }
}

pub(super) fn replace<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let limit = usize::try_from(args.isize_or(2, -1)?).unwrap_or(usize::MAX);
    let (old, new) = (data_arg(args.required(0))?, data_arg(args.required(1))?);
    let data = this.data();
    let places: Vec<usize> = if old.is_empty() {
        (0..=data.len()).take(limit).collect()
    } else {
        memmem::find_iter(data, &*old).take(limit).collect()
    };
    if places.is_empty() {
        return this.unchanged();
    }
    let total = places.len() as i128 * (new.len() as i128 - old.len() as i128) + data.len() as i128;
    if total > isize::MAX as i128 {
        return Err(err::overflow_error("replace bytes is too long"));
    }
    let mut out = Vec::new();
    out.try_reserve_exact(total as usize).map_err(|_| err::memory_error())?;
    let mut from = 0;
    for at in places {
        out.extend_from_slice(&data[from..at]);
        out.extend_from_slice(&new);
        from = at + old.len();
    }
    out.extend_from_slice(&data[from..]);
    T::make(&out)
}

pub(super) fn join<T: Bytelike>(this: &T, iterable: &Object) -> PyResult<Ref> {
    let _hold = this.hold();
    let list = iterable.downcast::<List>();
    let items = match list {
        Some(list) => list.to_vec(),
        None => {
            let iterator = iterable.iter().map_err(|error| {
                if error.is(&PyExc_TypeError) { err::type_error("can only join an iterable") } else { error }
            })?;
            protocol::to_vec(&iterator)?
        }
    };
    let mut parts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if !has_buffer(item) {
            return Err(raise!(
                PyExc_TypeError,
                "sequence item {index}: expected a bytes-like object, {} found",
                item.ty().message_name()
            ));
        }
        parts.push(data_arg(item)?);
        if list.is_some_and(|list| list.len() != items.len()) {
            return Err(err::runtime_error("sequence changed size during iteration"));
        }
    }
    let separator = this.data();
    let mut total = separator.len().saturating_mul(parts.len().saturating_sub(1));
    total = parts.iter().fold(total, |total, part| total.saturating_add(part.len()));
    let mut out = Vec::new();
    out.try_reserve_exact(total).map_err(|_| err::memory_error())?;
    for (index, part) in parts.iter().enumerate() {
        if index != 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(part);
    }
    T::make(&out)
}

pub(super) fn decode<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let encoding = args.get(0).map(|name| name_arg(name, "decode", " 'encoding'")).transpose()?;
    let errors = args.get(1).map(|name| name_arg(name, "decode", " 'errors'")).transpose()?;
    crate::str::check_names(encoding.as_deref(), errors.as_deref())?;
    let data = this.data().to_vec();
    crate::str::decode(&data, encoding.as_deref().unwrap_or("utf-8"), errors.as_deref().unwrap_or("strict"))
}

pub(super) fn translate<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let table = args.get_some(0).map(data_arg).transpose()?;
    if table.as_ref().is_some_and(|table| table.len() != 256) {
        return Err(err::value_error("translation table must be 256 characters long"));
    }
    let delete = args.get(1).map(data_arg).transpose()?;
    let mut dropped = [false; 256];
    for &byte in delete.iter().flat_map(|delete| delete.iter()) {
        dropped[usize::from(byte)] = true;
    }
    let map = |byte: u8| table.as_ref().map_or(byte, |table| table[usize::from(byte)]);
    let data = this.data();
    let out: Vec<u8> =
        data.iter().filter(|byte| !dropped[usize::from(**byte)]).map(|&byte| map(byte)).collect();
    if out == data { this.unchanged() } else { T::make(&out) }
}

pub(super) fn maketrans(_: &Object, args: &[&Object]) -> PyResult<Ref<Bytes>> {
    check_count("maketrans", args.len(), 2, 2)?;
    let (from, to) = (data_arg(args[0])?, data_arg(args[1])?);
    if from.len() != to.len() {
        return Err(err::value_error("maketrans arguments must have same length"));
    }
    let mut table: [u8; 256] = core::array::from_fn(|byte| byte as u8);
    for (&from, &to) in from.iter().zip(to.iter()) {
        table[usize::from(from)] = to;
    }
    Bytes::new(&table)
}

fn width_and_fill(name: &str, args: &Args<'_>) -> PyResult<(usize, u8)> {
    let width = usize::try_from(args.required(0).to_isize()?).unwrap_or(0);
    let Some(fill) = args.get(1) else { return Ok((width, b' ')) };
    let (kind, data) = if let Some(bytes) = fill.downcast::<Bytes>() {
        ("bytes", bytes.as_slice())
    } else if let Some(bytes) = fill.downcast::<ByteArray>() {
        ("bytearray", bytes.data())
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "{name}() argument 2 must be a byte string of length 1, not {}",
            argument_name(fill)
        ));
    };
    match data {
        [byte] => Ok((width, *byte)),
        _ => Err(raise!(
            PyExc_TypeError,
            "{name}(): argument 2 must be a byte string of length 1, not a {kind} object of length {}",
            data.len()
        )),
    }
}

fn padded<T: Bytelike>(this: &T, left: usize, right: usize, fill: u8) -> PyResult<Ref> {
    if left == 0 && right == 0 {
        return this.unchanged();
    }
    let data = this.data();
    let mut out = Vec::new();
    out.try_reserve_exact(left.saturating_add(right).saturating_add(data.len()))
        .map_err(|_| err::memory_error())?;
    out.resize(left, fill);
    out.extend_from_slice(data);
    out.resize(left + data.len() + right, fill);
    T::make(&out)
}

pub(super) fn center<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let (width, fill) = width_and_fill("center", args)?;
    let margin = width.saturating_sub(this.data().len());
    let left = margin / 2 + (margin & width & 1);
    padded(this, left, margin - left, fill)
}

pub(super) fn ljust<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let (width, fill) = width_and_fill("ljust", args)?;
    padded(this, 0, width.saturating_sub(this.data().len()), fill)
}

pub(super) fn rjust<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let (width, fill) = width_and_fill("rjust", args)?;
    padded(this, width.saturating_sub(this.data().len()), 0, fill)
}

pub(super) fn zfill<T: Bytelike>(this: &T, width: &Object) -> PyResult<Ref> {
    let width = usize::try_from(width.to_isize()?).unwrap_or(0);
    let data = this.data();
    let missing = width.saturating_sub(data.len());
    let sign = crate::util::sign_width(data.first().map(|&b| u32::from(b)));
    if missing == 0 || sign == 0 {
        return padded(this, missing, 0, b'0');
    }
    let mut out = Vec::new();
    out.try_reserve_exact(width).map_err(|_| err::memory_error())?;
    out.push(data[0]);
    out.resize(missing + 1, b'0');
    out.extend_from_slice(&data[1..]);
    T::make(&out)
}

pub(super) fn expandtabs<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<Ref> {
    let tab = usize::try_from(args.i32_or(0, 8)?).unwrap_or(0);
    let mut out = Vec::new();
    let mut column = 0usize;
    for &byte in this.data() {
        if byte == b'\t' {
            if tab > 0 {
                let blanks = tab - column % tab;
                out.try_reserve(blanks).map_err(|_| err::overflow_error("result too long"))?;
                out.resize(out.len() + blanks, b' ');
                column += blanks;
            }
        } else {
            column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
            out.push(byte);
        }
    }
    T::make(&out)
}

macro_rules! mapped {
    ($($name:ident = |$copy:ident| $change:expr;)*) => {$(
        pub(super) fn $name<T: Bytelike>(this: &T) -> PyResult<Ref> {
            let mut owned = this.data().to_vec();
            let $copy = &mut owned[..];
            $change;
            T::make(&owned)
        }
    )*};
}

mapped! {
    lower = |copy| copy.make_ascii_lowercase();
    upper = |copy| copy.make_ascii_uppercase();
    title = |copy| crate::str::ascii_title(copy);
    swapcase = |copy| crate::str::ascii_swapcase(copy);
    capitalize = |copy| {
        copy.make_ascii_lowercase();
        if let Some(first) = copy.first_mut() {
            first.make_ascii_uppercase();
        }
    };
}

macro_rules! all_are {
    ($($name:ident = $test:expr;)*) => {$(
        pub(super) fn $name<T: Bytelike>(this: &T) -> bool {
            !this.data().is_empty() && this.data().iter().all($test)
        }
    )*};
}

all_are! {
    isalnum = u8::is_ascii_alphanumeric;
    isalpha = u8::is_ascii_alphabetic;
    isdigit = u8::is_ascii_digit;
    isspace = |byte| is_blank(*byte);
}

pub(super) fn isascii<T: Bytelike>(this: &T) -> bool {
    this.data().is_ascii()
}

pub(super) fn islower<T: Bytelike>(this: &T) -> bool {
    let data = this.data();
    data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)
}

pub(super) fn isupper<T: Bytelike>(this: &T) -> bool {
    let data = this.data();
    data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)
}

pub(super) fn istitle<T: Bytelike>(this: &T) -> bool {
    let (mut cased, mut inside) = (false, false);
    for byte in this.data() {
        let (upper, lower) = (byte.is_ascii_uppercase(), byte.is_ascii_lowercase());
        if (upper && inside) || (lower && !inside) {
            return false;
        }
        inside = upper || lower;
        cased |= inside;
    }
    cased
}

/// The bytes of hexadecimal text.
///
/// # Errors
/// `ValueError` with the place of the first bad character.
pub fn from_hex(text: &Object) -> PyResult<Vec<u8>> {
    let points: Vec<u32> = if let Some(text) = text.downcast::<Str>() {
        text.code_points().collect()
    } else if has_buffer(text) {
        data_arg(text)?.iter().map(|&byte| u32::from(byte)).collect()
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "fromhex() argument must be str or bytes-like, not {}",
            text.ty().message_name()
        ));
    };
    let digit = |at: usize| points.get(at).and_then(|&c| char::from_u32(c)).and_then(|c| c.to_digit(16));
    let bad = |at: usize| {
        raise!(
            taipan_object::statics::PyExc_ValueError,
            "non-hexadecimal number found in fromhex() arg at position {at}"
        )
    };
    let mut out = Vec::with_capacity(points.len() / 2);
    let mut at = 0;
    while at < points.len() {
        if u8::try_from(points[at]).is_ok_and(is_blank) {
            at += 1;
            continue;
        }
        let high = digit(at).ok_or_else(|| bad(at))?;
        if at + 1 >= points.len() {
            return Err(err::value_error("fromhex() arg must contain an even number of hexadecimal digits"));
        }
        let low = digit(at + 1).ok_or_else(|| bad(at + 1))?;
        out.push((high << 4 | low) as u8);
        at += 2;
    }
    Ok(out)
}

pub(super) fn fromhex<T: Bytelike>(ty: &Type, text: &Object) -> PyResult<Ref> {
    let made = T::make(&from_hex(text)?)?;
    if made.is_exact(ty) { Ok(made) } else { ty.call(&[&made]) }
}

/// `hex()` of bytes with the optional arguments `sep` and `bytes_per_sep`.
///
/// # Errors
/// `ValueError`, `TypeError` for a bad separator.
pub fn hex_text(data: impl FnOnce() -> Vec<u8>, args: &Args<'_>) -> PyResult<String> {
    let group = args.i32_or(1, 1)?;
    let mut separator = None;
    if let Some(object) = args.get(0) {
        if object.len()? != 1 {
            return Err(value_error("sep must be length 1."));
        }
        let c = if let Some(text) = object.downcast::<Str>() {
            text.chars().at(0)
        } else if let Some(bytes) = object.downcast::<Bytes>() {
            u32::from(bytes.as_slice()[0])
        } else {
            return Err(err::type_error("sep must be str or bytes."));
        };
        separator =
            Some(u8::try_from(c).ok().filter(u8::is_ascii).ok_or_else(|| value_error("sep must be ASCII."))?);
    }
    let data = data();
    let mut out = String::new();
    out.try_reserve_exact(data.len().saturating_mul(2)).map_err(|_| err::memory_error())?;
    let group_size = group.unsigned_abs() as usize;
    for (index, byte) in data.iter().enumerate() {
        if let Some(separator) = separator.filter(|_| group_size != 0 && index != 0) {
            let boundary = if group > 0 { data.len() - index } else { index };
            if boundary % group_size == 0 {
                out.push(char::from(separator));
            }
        }
        for half in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789abcdef"[usize::from(half)]));
        }
    }
    Ok(out)
}

pub(super) fn hex<T: Bytelike>(this: &T, args: &Args<'_>) -> PyResult<String> {
    let _hold = this.hold();
    hex_text(|| this.data().to_vec(), args)
}

/// The literal of bytes.
pub fn repr_literal(data: &[u8]) -> String {
    let quote = if data.contains(&b'\'') && !data.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = String::with_capacity(data.len() + 3);
    out.push('b');
    out.push(char::from(quote));
    for &byte in data {
        match byte {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\\' => out.push_str("\\\\"),
            _ if byte == quote => {
                out.push('\\');
                out.push(char::from(byte));
            }
            32..=126 => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(char::from(quote));
    out
}

/// A method table: the rows given, then those that both types have.
macro_rules! byte_methods {
    (static $table:ident: $ty:ty = { $($own:tt)* }) => {
        taipan_object::methods! {
            static $table = {
                $($own)*
                noargs "capitalize" "($self, /)" = $crate::bytes::methods::capitalize::<$ty>, "A copy whose first ASCII letter is a capital and the others small.";
                args "center" "($self, width, fillchar=b' ', /)" = $crate::bytes::methods::center::<$ty>, "A copy in the middle of width bytes.";
                many "count" "($self, sub[, start[, end]], /)" = $crate::bytes::methods::count::<$ty>, "How often sub occurs in the part from start to end, without overlap.";
                args "decode" "($self, /, encoding='utf-8', errors='strict')" = $crate::bytes::methods::decode::<$ty>, "The text that the bytes hold in an encoding.\n\nerrors names what happens to bytes that are none: 'strict' raises\nUnicodeDecodeError, others are 'ignore', 'replace' and what is registered.";
                many "endswith" "($self, suffix[, start[, end]], /)" = $crate::bytes::methods::endswith::<$ty>, "Whether the part from start to end ends with suffix, or one of a tuple of them.";
                args "expandtabs" "($self, /, tabsize=8)" = $crate::bytes::methods::expandtabs::<$ty>, "A copy in which tabs are blanks up to the next multiple of tabsize.";
                many "find" "($self, sub[, start[, end]], /)" = $crate::bytes::methods::find::<$ty>, "The first place of sub in the part from start to end, or -1.";
                class one "fromhex" "($type, string, /)" = $crate::bytes::methods::fromhex::<$ty>, "The bytes that pairs of hexadecimal digits stand for; blanks between pairs are skipped.";
                args "hex" "($self, /, sep=<unrepresentable>, bytes_per_sep=1)" = $crate::bytes::methods::hex::<$ty>, "The bytes as hexadecimal digits.\n\nsep, one character, stands between groups of bytes_per_sep bytes, which are\ncounted from the right, or from the left when the number is negative.";
                many "index" "($self, sub[, start[, end]], /)" = $crate::bytes::methods::index::<$ty>, "The first place of sub in the part from start to end.\n\nRaises ValueError if there is none.";
                noargs "isalnum" "($self, /)" = $crate::bytes::methods::isalnum::<$ty>, "Whether all bytes are ASCII letters or digits, and there are some.";
                noargs "isalpha" "($self, /)" = $crate::bytes::methods::isalpha::<$ty>, "Whether all bytes are ASCII letters, and there are some.";
                noargs "isascii" "($self, /)" = $crate::bytes::methods::isascii::<$ty>, "Whether all bytes are ASCII; true without any.";
                noargs "isdigit" "($self, /)" = $crate::bytes::methods::isdigit::<$ty>, "Whether all bytes are ASCII digits, and there are some.";
                noargs "islower" "($self, /)" = $crate::bytes::methods::islower::<$ty>, "Whether there are ASCII letters and all of them are small.";
                noargs "isspace" "($self, /)" = $crate::bytes::methods::isspace::<$ty>, "Whether all bytes are ASCII blanks, and there are some.";
                noargs "istitle" "($self, /)" = $crate::bytes::methods::istitle::<$ty>, "Whether capitals stand exactly at the beginning of words, and there are some.";
                noargs "isupper" "($self, /)" = $crate::bytes::methods::isupper::<$ty>, "Whether there are ASCII letters and all of them are capitals.";
                one "join" "($self, iterable_of_bytes, /)" = $crate::bytes::methods::join::<$ty>, "The bytes-like items of an iterable, with these bytes between them.";
                args "ljust" "($self, width, fillchar=b' ', /)" = $crate::bytes::methods::ljust::<$ty>, "A copy filled up at the right to width bytes.";
                noargs "lower" "($self, /)" = $crate::bytes::methods::lower::<$ty>, "A copy with ASCII letters made small.";
                args "lstrip" "($self, bytes=None, /)" = $crate::bytes::methods::lstrip::<$ty>, "A copy without blanks, or members of bytes, at the left end.";
                static many "maketrans" "" = $crate::bytes::methods::maketrans, "A table for translate: each byte of the first argument becomes its counterpart in the second.";
                one "partition" "($self, sep, /)" = $crate::bytes::methods::partition::<$ty>, "What stands before the first sep, sep itself, and what stands behind it.\n\nWithout sep in it: the bytes and two empty ones.";
                args "replace" "($self, old, new, count=-1, /)" = $crate::bytes::methods::replace::<$ty>, "A copy in which old is replaced by new.\n\nAt most count times, from the left; -1 means every time.";
                one "removeprefix" "($self, prefix, /)" = $crate::bytes::methods::removeprefix::<$ty>, "A copy without prefix at its beginning, if it is there.";
                one "removesuffix" "($self, suffix, /)" = $crate::bytes::methods::removesuffix::<$ty>, "A copy without suffix at its end, if it is there.";
                many "rfind" "($self, sub[, start[, end]], /)" = $crate::bytes::methods::rfind::<$ty>, "The last place of sub in the part from start to end, or -1.";
                many "rindex" "($self, sub[, start[, end]], /)" = $crate::bytes::methods::rindex::<$ty>, "The last place of sub in the part from start to end.\n\nRaises ValueError if there is none.";
                args "rjust" "($self, width, fillchar=b' ', /)" = $crate::bytes::methods::rjust::<$ty>, "A copy filled up at the left to width bytes.";
                one "rpartition" "($self, sep, /)" = $crate::bytes::methods::rpartition::<$ty>, "What stands before the last sep, sep itself, and what stands behind it.\n\nWithout sep in it: two empty ones and the bytes.";
                args "rsplit" "($self, /, sep=None, maxsplit=-1)" = $crate::bytes::methods::rsplit::<$ty>, "The parts between separators, cut from the right.\n\nWithout sep runs of ASCII blanks separate. At most maxsplit cuts; -1 means all.";
                args "rstrip" "($self, bytes=None, /)" = $crate::bytes::methods::rstrip::<$ty>, "A copy without blanks, or members of bytes, at the right end.";
                args "split" "($self, /, sep=None, maxsplit=-1)" = $crate::bytes::methods::split::<$ty>, "The parts between separators, as a list.\n\nWithout sep runs of ASCII blanks separate. At most maxsplit cuts; -1 means all.";
                args "splitlines" "($self, /, keepends=False)" = $crate::bytes::methods::splitlines::<$ty>, "The lines as a list, with their line ends if keepends is true.";
                many "startswith" "($self, prefix[, start[, end]], /)" = $crate::bytes::methods::startswith::<$ty>, "Whether the part from start to end begins with prefix, or one of a tuple of them.";
                args "strip" "($self, bytes=None, /)" = $crate::bytes::methods::strip::<$ty>, "A copy without blanks, or members of bytes, at both ends.";
                noargs "swapcase" "($self, /)" = $crate::bytes::methods::swapcase::<$ty>, "A copy with ASCII capitals made small and small letters made capitals.";
                noargs "title" "($self, /)" = $crate::bytes::methods::title::<$ty>, "A copy in which every ASCII word begins with a capital and goes on in small letters.";
                args "translate" "($self, table, /, delete=b'')" = $crate::bytes::methods::translate::<$ty>, "A copy without the bytes in delete, each of the others replaced by table[byte].\n\ntable is 256 bytes long, or None to change nothing.";
                noargs "upper" "($self, /)" = $crate::bytes::methods::upper::<$ty>, "A copy with ASCII letters made capitals.";
                one "zfill" "($self, width, /)" = $crate::bytes::methods::zfill::<$ty>, "A copy filled up with zeros behind its sign to width bytes.";
            }
        }
    };
}
pub(crate) use byte_methods;
