//! `repr` and `ascii` of strs.

use std::fmt::Write;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{PyResult, Ref};

const DOUBLE: u32 = 0x22;
const SINGLE: u32 = 0x27;

/// The text as a literal; what `shown` refuses is escaped.
fn literal(text: &Str, shown: impl Fn(u32) -> bool) -> Vec<u32> {
    let (mut single, mut double) = (false, false);
    for c in text.code_points() {
        single |= c == SINGLE;
        double |= c == DOUBLE;
    }
    let quote = if single && !double { DOUBLE } else { SINGLE };
    let mut out = Vec::with_capacity(text.len() + 2);
    let mut escape = String::new();
    out.push(quote);
    for c in text.code_points() {
        escape.clear();
        match c {
            0x5c => escape.push_str("\\\\"),
            9 => escape.push_str("\\t"),
            10 => escape.push_str("\\n"),
            13 => escape.push_str("\\r"),
            c if c == quote => {
                out.push(0x5c);
                out.push(c);
            }
            c if c < 32 || c == 127 || (c > 127 && !shown(c)) => {
                // Writing into a String cannot fail.
                let _ = match c {
                    0..=0xff => write!(escape, "\\x{c:02x}"),
                    0x100..=0xffff => write!(escape, "\\u{c:04x}"),
                    _ => write!(escape, "\\U{c:08x}"),
                };
            }
            c => out.push(c),
        }
        out.extend(escape.bytes().map(u32::from));
    }
    out.push(quote);
    out
}

/// Whether an ASCII text needs nothing but quotes around it.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| (32..127).contains(&b) && b != b'\\' && b != b'\'')
}

/// `repr(text)`.
///
/// # Errors
/// `MemoryError`.
pub fn repr_of(text: &Str) -> PyResult<Ref<Str>> {
    if let (true, Chars::One(bytes)) = (text.is_ascii(), text.chars())
        && is_plain(bytes)
    {
        let mut out = Vec::with_capacity(bytes.len() + 2);
        out.push(b'\'');
        out.extend_from_slice(bytes);
        out.push(b'\'');
        return Str::from_latin1(&out);
    }
    Str::from_code_points(&literal(text, taipan_unicode::is_printable))
}

pub(super) fn repr(text: &Str) -> PyResult<Ref<Str>> {
    repr_of(text)
}

/// A `repr` with everything beyond ASCII escaped (`ascii(object)`).
///
/// # Errors
/// `MemoryError`.
pub fn ascii_of(text: &Str) -> PyResult<Ref<Str>> {
    if text.is_ascii() {
        return Ok(Ref::of(text));
    }
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.code_points() {
        let _ = match c {
            0..=0x7f => write!(out, "{}", c as u8 as char),
            0x80..=0xff => write!(out, "\\x{c:02x}"),
            0x100..=0xffff => write!(out, "\\u{c:04x}"),
            _ => write!(out, "\\U{c:08x}"),
        };
    }
    Str::from_utf8(&out)
}
