//! Small things that `str` and the bytes types share.

use taipan_object::slice::slice_index;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, err, raise};

/// How messages about arguments name an object's type.
pub(crate) fn argument_name(object: &Object) -> &str {
    if taipan_object::singletons::is_none(object) { "None" } else { object.ty().message_name() }
}

/// Counts the positional arguments of a function without keywords.
pub(crate) fn check_count(name: &str, given: usize, min: usize, max: usize) -> PyResult<()> {
    if (min..=max).contains(&given) {
        return Ok(());
    }
    let bound = if min == max {
        ""
    } else if given < min {
        "at least "
    } else {
        "at most "
    };
    let wanted = if given < min { min } else { max };
    let plural = if wanted == 1 { "" } else { "s" };
    Err(raise!(PyExc_TypeError, "{name} expected {bound}{wanted} argument{plural}, got {given}"))
}

/// The arguments `sub[, start[, end]]`: what to look for and the wanted part of something `len()` long.
///
/// The length is asked for last, because reading the indices may run Python code.
pub(crate) fn search_args<'a>(name: &str, args: &[&'a Object]) -> PyResult<(&'a Object, isize, isize)> {
    check_count(name, args.len(), 1, 3)?;
    let start = args.get(1).map_or(Ok(0), |start| slice_index(start, 0))?;
    let end = args.get(2).map_or(Ok(isize::MAX), |end| slice_index(end, isize::MAX))?;
    Ok((args[0], start, end))
}

/// Brings a part into the bounds of a length; `None` when it starts beyond the end.
pub(crate) fn bounds(len: usize, start: isize, end: isize) -> Option<(usize, usize)> {
    let len = len.cast_signed();
    let end = if end > len {
        len
    } else if end < 0 {
        (end + len).max(0)
    } else {
        end
    };
    let start = if start < 0 { (start + len).max(0) } else { start };
    if start > end { None } else { Some((start as usize, end as usize)) }
}

/// A str argument, or the error `function() argument place must be str, not …`.
pub(crate) fn str_arg<'a>(object: &'a Object, function: &str, place: &str) -> PyResult<&'a Str> {
    object.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "{function}() argument{place} must be str, not {}", argument_name(object))
    })
}

/// A text argument such as an encoding: without lone surrogates or zeros.
pub(crate) fn name_arg(object: &Object, function: &str, place: &str) -> PyResult<String> {
    let text = str_arg(object, function, place)?.to_utf8()?;
    if text.contains('\0') {
        return Err(err::value_error("embedded null character"));
    }
    Ok(text.to_owned())
}

/// An exception whose message comes as a value.
pub(crate) fn value_error(message: impl AsRef<str>) -> PyErr {
    err::value_error(message.as_ref())
}

/// Where text is cut off by the digits' sign for `zfill`: 1 if there is a sign.
pub(crate) fn sign_width(first: Option<u32>) -> usize {
    usize::from(matches!(first, Some(0x2b | 0x2d)))
}
