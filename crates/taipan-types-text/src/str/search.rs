//! Finding text in text.
//!
//! Both texts are searched as the bytes that store them: a needle is widened to the width of the
//! haystack (a wider needle cannot occur), and hits that are not aligned to a code point are
//! passed over. That gives one linear-time searcher for all widths.

use crate::util::{bounds, check_count, search_args, str_arg, value_error};
use memchr::memmem;
use std::borrow::Cow;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, err, raise};

/// Needles up to so many bytes are looked for by their first byte: preparing more would cost more than it saves.
const SHORT: usize = 4;

fn find_short(part: &[u8], bytes: &[u8]) -> Option<usize> {
    let last = part.len().checked_sub(bytes.len())?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(bytes[0], &part[from..=last])?;
        if part[at..].starts_with(bytes) {
            return Some(at);
        }
        from = at + 1;
        if from > last {
            return None;
        }
    }
}

/// A needle in the width of a haystack.
pub(super) struct Needle<'h> {
    hay: &'h [u8],
    bytes: Cow<'h, [u8]>,
    width: usize,
    /// In code points.
    pub len: usize,
}

impl<'h> Needle<'h> {
    /// `None` when the needle has characters too wide for the haystack.
    pub fn new(hay: &'h Str, needle: &'h Str) -> Option<Self> {
        let width = hay.kind();
        if needle.kind() > width || (hay.is_ascii() && !needle.is_ascii()) {
            return None;
        }
        let bytes = match width {
            _ if needle.kind() == width => Cow::Borrowed(needle.data_bytes()),
            2 => needle.code_points().flat_map(|c| (c as u16).to_ne_bytes()).collect(),
            _ => needle.code_points().flat_map(u32::to_ne_bytes).collect(),
        };
        Some(Self { hay: hay.data_bytes(), bytes, width: width as usize, len: needle.len() })
    }

    /// The first place from `start` on that ends before `end`.
    pub fn find(&self, start: usize, end: usize) -> Option<usize> {
        if self.len == 0 {
            return (start <= end).then_some(start);
        }
        let mut from = start * self.width;
        let limit = end * self.width;
        while from + self.bytes.len() <= limit {
            let part = &self.hay[from..limit];
            let at = match &*self.bytes {
                [byte] => memchr::memchr(*byte, part),
                bytes if bytes.len() <= SHORT => find_short(part, bytes),
                bytes => memmem::find(part, bytes),
            }? + from;
            if at.is_multiple_of(self.width) {
                return Some(at / self.width);
            }
            from = at + 1;
        }
        None
    }

    /// The last place.
    pub fn rfind(&self, start: usize, end: usize) -> Option<usize> {
        if self.len == 0 {
            return (start <= end).then_some(end);
        }
        let from = start * self.width;
        let mut limit = end * self.width;
        while from + self.bytes.len() <= limit {
            let part = &self.hay[from..limit];
            let at = match &*self.bytes {
                [byte] => memchr::memrchr(*byte, part),
                bytes => memmem::rfind(part, bytes),
            }? + from;
            if at.is_multiple_of(self.width) {
                return Some(at / self.width);
            }
            limit = at + self.bytes.len() - 1;
        }
        None
    }

    /// The places of a needle that is not empty, without overlap, at most `limit`.
    pub fn all(&self, start: usize, end: usize, limit: usize) -> Vec<usize> {
        let mut places = Vec::new();
        if self.width == 1 && self.bytes.len() > SHORT {
            let finder = memmem::find_iter(&self.hay[start..end], &*self.bytes);
            places.extend(finder.take(limit).map(|at| at + start));
            return places;
        }
        let mut from = start;
        while places.len() < limit
            && let Some(at) = self.find(from, end)
        {
            places.push(at);
            from = at + self.len;
        }
        places
    }
}

/// The place of `sub` in a part of `text`.
pub fn find_in(text: &Str, sub: &Str, start: isize, end: isize, last: bool) -> Option<usize> {
    let (start, end) = bounds(text.len(), start, end)?;
    let needle = Needle::new(text, sub)?;
    if last { needle.rfind(start, end) } else { needle.find(start, end) }
}

/// `sub in text`.
pub fn contains(text: &Str, sub: &Str) -> bool {
    find_in(text, sub, 0, isize::MAX, false).is_some()
}

pub(super) fn contains_slot(text: &Str, item: &Object) -> PyResult<bool> {
    let Some(sub) = item.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "'in <string>' requires string as left operand, not {}",
            item.ty().message_name()
        ));
    };
    Ok(contains(text, sub))
}

fn searched(text: &Str, name: &str, args: &[&Object], last: bool) -> PyResult<Option<usize>> {
    check_count(name, args.len(), 1, 3)?;
    let sub = str_arg(args[0], name, " 1")?;
    let (_, start, end) = search_args(name, args)?;
    Ok(find_in(text, sub, start, end, last))
}

fn or_minus_one(found: Option<usize>) -> isize {
    found.map_or(-1, usize::cast_signed)
}

fn or_error(found: Option<usize>) -> PyResult<usize> {
    found.ok_or_else(|| err::value_error("substring not found"))
}

pub(super) fn find(text: &Str, args: &[&Object]) -> PyResult<isize> {
    searched(text, "find", args, false).map(or_minus_one)
}

pub(super) fn rfind(text: &Str, args: &[&Object]) -> PyResult<isize> {
    searched(text, "rfind", args, true).map(or_minus_one)
}

pub(super) fn index(text: &Str, args: &[&Object]) -> PyResult<usize> {
    searched(text, "index", args, false).and_then(or_error)
}

pub(super) fn rindex(text: &Str, args: &[&Object]) -> PyResult<usize> {
    searched(text, "rindex", args, true).and_then(or_error)
}

pub(super) fn count(text: &Str, args: &[&Object]) -> PyResult<usize> {
    check_count("count", args.len(), 1, 3)?;
    let sub = str_arg(args[0], "count", " 1")?;
    let (_, start, end) = search_args("count", args)?;
    let Some((start, end)) = bounds(text.len(), start, end) else { return Ok(0) };
    if sub.is_empty() {
        return Ok(end - start + 1);
    }
    Ok(Needle::new(text, sub).map_or(0, |needle| needle.all(start, end, usize::MAX).len()))
}

/// Whether a part of `text` begins (or ends) with `affix`.
pub fn matches_at(text: &Str, affix: &Str, start: isize, end: isize, at_end: bool) -> bool {
    let Some((start, end)) = bounds(text.len(), start, end) else { return false };
    if affix.len() > end - start {
        return false;
    }
    let from = if at_end { end - affix.len() } else { start };
    let (chars, affix) = (text.chars(), affix.chars());
    (0..affix.len()).all(|index| chars.at(from + index) == affix.at(index))
}

fn affix_test(text: &Str, name: &str, args: &[&Object], at_end: bool) -> PyResult<bool> {
    let (affix, start, end) = search_args(name, args)?;
    if let Some(affix) = affix.downcast::<Str>() {
        return Ok(matches_at(text, affix, start, end, at_end));
    }
    let Some(tuple) = affix.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{name} first arg must be str or a tuple of str, not {}",
            affix.ty().message_name()
        ));
    };
    for item in tuple.items() {
        let Some(affix) = item.downcast::<Str>() else {
            return Err(raise!(
                PyExc_TypeError,
                "tuple for {name} must only contain str, not {}",
                item.ty().message_name()
            ));
        };
        if matches_at(text, affix, start, end, at_end) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn startswith(text: &Str, args: &[&Object]) -> PyResult<bool> {
    affix_test(text, "startswith", args, false)
}

pub(super) fn endswith(text: &Str, args: &[&Object]) -> PyResult<bool> {
    affix_test(text, "endswith", args, true)
}

pub(super) fn empty_separator() -> PyErr {
    value_error("empty separator")
}
