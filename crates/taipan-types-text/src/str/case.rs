//! Upper and lower case, and questions about characters.

use taipan_object::unicode::{Chars, Str};
use taipan_object::{PyResult, Ref};
use taipan_unicode as unicode;

fn mapped(
    text: &Str,
    ascii: impl FnOnce(&mut Vec<u8>),
    full: impl FnOnce(&[u32]) -> Vec<u32>,
) -> PyResult<Ref<Str>> {
    if let (true, Chars::One(bytes)) = (text.is_ascii(), text.chars()) {
        let mut copy = bytes.to_vec();
        ascii(&mut copy);
        return Str::from_latin1(&copy);
    }
    Str::from_code_points(&full(&text.code_points().collect::<Vec<_>>()))
}

pub(super) fn lower(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| bytes.make_ascii_lowercase(), unicode::lower_str)
}

pub(super) fn upper(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| bytes.make_ascii_uppercase(), unicode::upper_str)
}

pub(super) fn casefold(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| bytes.make_ascii_lowercase(), unicode::casefold_str)
}

pub(super) fn capitalize(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| ascii_capitalize(bytes), unicode::capitalize_str)
}

pub(super) fn title(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| ascii_title(bytes), unicode::title_str)
}

pub(super) fn swapcase(text: &Str) -> PyResult<Ref<Str>> {
    mapped(text, |bytes| ascii_swapcase(bytes), unicode::swapcase_str)
}

fn ascii_capitalize(bytes: &mut [u8]) {
    bytes.make_ascii_lowercase();
    if let Some(first) = bytes.first_mut() {
        first.make_ascii_uppercase();
    }
}

/// ASCII title case; `bytes.title` is the same.
pub(crate) fn ascii_title(bytes: &mut [u8]) {
    let mut inside = false;
    for byte in bytes {
        if inside {
            byte.make_ascii_lowercase();
        } else {
            byte.make_ascii_uppercase();
        }
        inside = byte.is_ascii_alphabetic();
    }
}

/// Exchanges capitals and small letters of ASCII.
pub(crate) fn ascii_swapcase(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
        *byte ^= 0x20;
    }
}

pub(super) fn isascii(text: &Str) -> bool {
    text.is_ascii()
}

macro_rules! all_are {
    ($($name:ident = $test:path;)*) => {$(
        pub(super) fn $name(text: &Str) -> bool {
            !text.is_empty() && text.code_points().all($test)
        }
    )*};
}

all_are! {
    isspace = unicode::is_space;
    isdecimal = unicode::is_decimal;
    isdigit = unicode::is_digit;
    isnumeric = unicode::is_numeric;
    isalpha = unicode::is_alpha;
    isalnum = unicode::is_alnum;
}

pub(super) fn isprintable(text: &Str) -> bool {
    text.code_points().all(unicode::is_printable)
}

pub(super) fn islower(text: &Str) -> bool {
    let mut cased = false;
    for c in text.code_points() {
        if unicode::is_upper(c) || unicode::is_title(c) {
            return false;
        }
        cased |= unicode::is_lower(c);
    }
    cased
}

pub(super) fn isupper(text: &Str) -> bool {
    let mut cased = false;
    for c in text.code_points() {
        if unicode::is_lower(c) || unicode::is_title(c) {
            return false;
        }
        cased |= unicode::is_upper(c);
    }
    cased
}

pub(super) fn istitle(text: &Str) -> bool {
    let (mut cased, mut inside) = (false, false);
    for c in text.code_points() {
        if unicode::is_upper(c) || unicode::is_title(c) {
            if inside {
                return false;
            }
            (cased, inside) = (true, true);
        } else if unicode::is_lower(c) {
            if !inside {
                return false;
            }
            cased = true;
        } else {
            inside = false;
        }
    }
    cased
}

pub(super) fn isidentifier(text: &Str) -> bool {
    let mut chars = text.code_points();
    chars.next().is_some_and(|c| c == 0x5f || unicode::is_identifier_start(c))
        && chars.all(unicode::is_identifier_continue)
}
