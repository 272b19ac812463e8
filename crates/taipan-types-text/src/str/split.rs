//! Cutting text up, and replacing parts of it.

use super::build::concat_all;
use super::search::{Needle, empty_separator, matches_at};
use crate::util::{argument_name, str_arg};
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str, empty};
use taipan_object::{Object, PyResult, Ref, err, raise};

/// The str itself, as an exact one.
pub(super) fn exact(text: &Str) -> PyResult<Ref<Str>> {
    if text.is_exact(&PyUnicode_Type) { Ok(Ref::of(text)) } else { Str::from_chars(text.chars()) }
}

fn push(out: &mut Vec<Ref>, text: &Str, from: usize, to: usize) -> PyResult<()> {
    out.push(text.substring(from, to)?.upcast());
    Ok(())
}

/// A separator argument: `None` means blanks.
fn separator(object: Option<&Object>) -> PyResult<Option<&Str>> {
    match object {
        None => Ok(None),
        Some(object) if is_none(object) => Ok(None),
        Some(object) => object.downcast::<Str>().map(Some).ok_or_else(|| {
            raise!(PyExc_TypeError, "must be str or None, not {}", object.ty().message_name())
        }),
    }
}

fn limit(args: &Args<'_>) -> PyResult<usize> {
    Ok(usize::try_from(args.isize_or(1, -1)?).unwrap_or(usize::MAX))
}

fn is_blank(c: u32) -> bool {
    if c < 128 { matches!(c, 9..=13 | 28..=32) } else { taipan_unicode::is_space(c) }
}

fn split_blanks(text: &Str, limit: usize) -> PyResult<Vec<Ref>> {
    let (chars, len) = (text.chars(), text.len());
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        while at < len && is_blank(chars.at(at)) {
            at += 1;
        }
        if at == len {
            return Ok(out);
        }
        let start = at;
        if out.len() == limit {
            push(&mut out, text, start, len)?;
            return Ok(out);
        }
        while at < len && !is_blank(chars.at(at)) {
            at += 1;
        }
        push(&mut out, text, start, at)?;
    }
}

fn rsplit_blanks(text: &Str, limit: usize) -> PyResult<Vec<Ref>> {
    let chars = text.chars();
    let mut out = Vec::new();
    let mut at = text.len();
    loop {
        while at > 0 && is_blank(chars.at(at - 1)) {
            at -= 1;
        }
        if at == 0 {
            break;
        }
        let end = at;
        if out.len() == limit {
            push(&mut out, text, 0, end)?;
            break;
        }
        while at > 0 && !is_blank(chars.at(at - 1)) {
            at -= 1;
        }
        push(&mut out, text, at, end)?;
    }
    out.reverse();
    Ok(out)
}

pub(super) fn split(text: &Str, args: &Args<'_>) -> PyResult<Ref<List>> {
    let limit = limit(args)?;
    let Some(separator) = separator(args.get(0))? else { return List::from_vec(split_blanks(text, limit)?) };
    if separator.is_empty() {
        return Err(empty_separator());
    }
    let Some(needle) = Needle::new(text, separator) else {
        return List::from_vec(vec![exact(text)?.upcast()]);
    };
    let mut out = Vec::new();
    let mut from = 0;
    for at in needle.all(0, text.len(), limit) {
        push(&mut out, text, from, at)?;
        from = at + needle.len;
    }
    push(&mut out, text, from, text.len())?;
    List::from_vec(out)
}

pub(super) fn rsplit(text: &Str, args: &Args<'_>) -> PyResult<Ref<List>> {
    let limit = limit(args)?;
    let Some(separator) = separator(args.get(0))? else { return List::from_vec(rsplit_blanks(text, limit)?) };
    if separator.is_empty() {
        return Err(empty_separator());
    }
    let Some(needle) = Needle::new(text, separator) else {
        return List::from_vec(vec![exact(text)?.upcast()]);
    };
    let mut out = Vec::new();
    let mut end = text.len();
    while out.len() < limit
        && let Some(at) = needle.rfind(0, end)
    {
        push(&mut out, text, at + needle.len, end)?;
        end = at;
    }
    push(&mut out, text, 0, end)?;
    out.reverse();
    List::from_vec(out)
}

fn parts(text: &Str, separator: &Object, last: bool) -> PyResult<Ref<Tuple>> {
    let Some(separator) = separator.downcast::<Str>() else {
        return Err(raise!(PyExc_TypeError, "must be str, not {}", separator.ty().message_name()));
    };
    if separator.is_empty() {
        return Err(empty_separator());
    }
    let found = Needle::new(text, separator)
        .and_then(|needle| if last { needle.rfind(0, text.len()) } else { needle.find(0, text.len()) });
    let nothing = || Ref::of(empty()).upcast();
    match found {
        Some(at) => Tuple::from_array([
            text.substring(0, at)?.upcast(),
            separator.new_ref(),
            text.substring(at + separator.len(), text.len())?.upcast(),
        ]),
        None if last => Tuple::from_array([nothing(), nothing(), exact(text)?.upcast()]),
        None => Tuple::from_array([exact(text)?.upcast(), nothing(), nothing()]),
    }
}

pub(super) fn partition(text: &Str, separator: &Object) -> PyResult<Ref<Tuple>> {
    parts(text, separator, false)
}

pub(super) fn rpartition(text: &Str, separator: &Object) -> PyResult<Ref<Tuple>> {
    parts(text, separator, true)
}

pub(super) fn splitlines(text: &Str, args: &Args<'_>) -> PyResult<Ref<List>> {
    let keep = args.bool_or(0, false)?;
    let (chars, len) = (text.chars(), text.len());
    let mut out = Vec::new();
    let mut start = 0;
    while start < len {
        let mut end = start;
        while end < len && !taipan_unicode::is_linebreak(chars.at(end)) {
            end += 1;
        }
        let mut next = end;
        if next < len {
            next += if chars.at(next) == 13 && next + 1 < len && chars.at(next + 1) == 10 { 2 } else { 1 };
        }
        push(&mut out, text, start, if keep { next } else { end })?;
        start = next;
    }
    List::from_vec(out)
}

fn strip_sides(text: &Str, name: &str, args: &Args<'_>, left: bool, right: bool) -> PyResult<Ref<Str>> {
    let chars = text.chars();
    let mut bounds = (0, text.len());
    let mut cut = |drop: &dyn Fn(u32) -> bool| {
        while left && bounds.0 < bounds.1 && drop(chars.at(bounds.0)) {
            bounds.0 += 1;
        }
        while right && bounds.0 < bounds.1 && drop(chars.at(bounds.1 - 1)) {
            bounds.1 -= 1;
        }
    };
    match args.get_some(0) {
        None => cut(&is_blank),
        Some(object) => {
            let Some(set) = object.downcast::<Str>() else {
                return Err(raise!(PyExc_TypeError, "{name} arg must be None or str"));
            };
            let set = set.chars();
            cut(&|c| match set {
                Chars::One(s) => u8::try_from(c).is_ok_and(|c| s.contains(&c)),
                Chars::Two(s) => u16::try_from(c).is_ok_and(|c| s.contains(&c)),
                Chars::Four(s) => s.contains(&c),
            });
        }
    }
    text.substring(bounds.0, bounds.1)
}

pub(super) fn strip(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    strip_sides(text, "strip", args, true, true)
}

pub(super) fn lstrip(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    strip_sides(text, "lstrip", args, true, false)
}

pub(super) fn rstrip(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    strip_sides(text, "rstrip", args, false, true)
}

pub(super) fn removeprefix(text: &Str, prefix: &Object) -> PyResult<Ref<Str>> {
    let prefix = str_arg(prefix, "removeprefix", "")?;
    let from = if matches_at(text, prefix, 0, isize::MAX, false) { prefix.len() } else { 0 };
    text.substring(from, text.len())
}

pub(super) fn removesuffix(text: &Str, suffix: &Object) -> PyResult<Ref<Str>> {
    let suffix = str_arg(suffix, "removesuffix", "")?;
    let cut = if matches_at(text, suffix, 0, isize::MAX, true) { suffix.len() } else { 0 };
    text.substring(0, text.len() - cut)
}

pub(super) fn replace(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let old = str_arg(args.required(0), "replace", " 1")?;
    let new = str_arg(args.required(1), "replace", " 2")?;
    let limit = usize::try_from(args.isize_or(2, -1)?).unwrap_or(usize::MAX);
    replaced(text, old, new, limit)
}

/// `text.replace(old, new, limit)`.
///
/// # Errors
/// `OverflowError`, `MemoryError`.
pub fn replaced(text: &Str, old: &Str, new: &Str, limit: usize) -> PyResult<Ref<Str>> {
    let len = text.len();
    if limit == 0 || old.same_text(new) {
        return exact(text);
    }
    let places = if old.is_empty() {
        (0..=len).take(limit).collect()
    } else {
        Needle::new(text, old).map_or_else(Vec::new, |needle| needle.all(0, len, limit))
    };
    if places.is_empty() {
        return exact(text);
    }
    let total = places.len() as i128 * (new.len() as i128 - old.len() as i128) + len as i128;
    if total > isize::MAX as i128 {
        return Err(err::overflow_error("replace string is too long"));
    }
    if let (Chars::One(hay), Chars::One(new)) = (text.chars(), new.chars()) {
        let mut out = Vec::new();
        out.try_reserve_exact(total as usize).map_err(|_| err::memory_error())?;
        let mut from = 0;
        for at in places {
            out.extend_from_slice(&hay[from..at]);
            out.extend_from_slice(new);
            from = at + old.len();
        }
        out.extend_from_slice(&hay[from..]);
        return Str::from_latin1(&out);
    }
    // Parts are narrowed one by one, and the whole is as wide as the widest part.
    let mut pieces = Vec::with_capacity(places.len() + 1);
    let mut from = 0;
    for at in places {
        pieces.push(text.substring(from, at)?);
        from = at + old.len();
    }
    pieces.push(text.substring(from, len)?);
    let mut all: Vec<&Str> = Vec::with_capacity(pieces.len() * 2);
    for (index, piece) in pieces.iter().enumerate() {
        if index != 0 {
            all.push(new);
        }
        all.push(piece);
    }
    concat_all(&all)
}

pub(super) fn expandtabs(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let size = args.i32_or(0, 8)?;
    let tab = usize::try_from(size).unwrap_or(0);
    if text.is_exact(&PyUnicode_Type) && !text.code_points().any(|c| c == 9) {
        return Ok(Ref::of(text));
    }
    let mut out: Vec<u32> = Vec::with_capacity(text.len());
    let mut column = 0usize;
    for c in text.code_points() {
        if c == 9 {
            if tab > 0 {
                let blanks = tab - column % tab;
                out.try_reserve(blanks).map_err(|_| err::overflow_error("new string is too long"))?;
                out.extend(std::iter::repeat_n(32, blanks));
                column += blanks;
            }
        } else {
            column = if c == 10 || c == 13 { 0 } else { column + 1 };
            out.push(c);
        }
    }
    Str::from_code_points(&out)
}

/// `left` and `right` fill characters around the text.
fn padded(text: &Str, left: usize, right: usize, fill: u32) -> PyResult<Ref<Str>> {
    if left == 0 && right == 0 {
        return exact(text);
    }
    if left.saturating_add(right).saturating_add(text.len()) > isize::MAX as usize {
        return Err(err::overflow_error("padded string is too long"));
    }
    let filler = Str::from_code_points(&[fill])?;
    let left = super::repeat(&filler, left.cast_signed())?;
    let right = super::repeat(&filler, right.cast_signed())?;
    concat_all(&[&left, text, &right])
}

fn width_and_fill(args: &Args<'_>) -> PyResult<(usize, u32)> {
    let width = usize::try_from(args.required(0).to_isize()?).unwrap_or(0);
    let Some(fill) = args.get(1) else { return Ok((width, 32)) };
    let Some(fill) = fill.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "The fill character must be a unicode character, not {}",
            argument_name(fill)
        ));
    };
    if fill.len() != 1 {
        return Err(err::type_error("The fill character must be exactly one character long"));
    }
    Ok((width, fill.chars().at(0)))
}

pub(super) fn center(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let (width, fill) = width_and_fill(args)?;
    let margin = width.saturating_sub(text.len());
    // An odd blank goes to the left when the width is odd too.
    let left = margin / 2 + (margin & width & 1);
    padded(text, left, margin - left, fill)
}

pub(super) fn ljust(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let (width, fill) = width_and_fill(args)?;
    padded(text, 0, width.saturating_sub(text.len()), fill)
}

pub(super) fn rjust(text: &Str, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let (width, fill) = width_and_fill(args)?;
    padded(text, width.saturating_sub(text.len()), 0, fill)
}

pub(super) fn zfill(text: &Str, width: &Object) -> PyResult<Ref<Str>> {
    let width = usize::try_from(width.to_isize()?).unwrap_or(0);
    let missing = width.saturating_sub(text.len());
    let sign = crate::util::sign_width((!text.is_empty()).then(|| text.chars().at(0)));
    if missing == 0 || sign == 0 {
        return padded(text, missing, 0, 48);
    }
    let rest = padded(&*text.substring(1, text.len())?, missing, 0, 48)?;
    concat_all(&[&*text.substring(0, 1)?, &rest])
}
