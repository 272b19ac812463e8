//! The functions of `_codecs` for escape sequences.

use super::errors;
use super::rows::{errors_arg, pair, text_or_data};
use crate::io::{argument_name, str_arg, warn};
use taipan_codecs::escapes::{self, EscapeError, InvalidEscape};
use taipan_object::bytes::Bytes;
use taipan_object::native::Args;
use taipan_object::statics::*;
use taipan_object::{Object, PyResult, err, raise};
use taipan_unicode::Named;

/// Warns of a sequence that only happens to be taken as it stands.
fn warn_invalid(data: &[u8], invalid: InvalidEscape) -> PyResult<()> {
    let Some(at) = invalid else { return Ok(()) };
    let rest = data.get(at..).unwrap_or(&[]);
    let first = rest.first().copied().unwrap_or(b'?');
    let message = if (b'4'..=b'7').contains(&first) {
        let digits: String = rest.iter().take(3).map(|&byte| char::from(byte)).collect();
        format!(
            "\"\\{digits}\" is an invalid octal escape sequence. Such sequences will not work in the future. "
        )
    } else {
        let c = char::from(first);
        format!("\"\\{c}\" is an invalid escape sequence. Such sequences will not work in the future. ")
    };
    warn(&PyExc_DeprecationWarning, &message, 1)
}

pub fn escape_decode(_: &Object, args: &Args<'_>) -> PyResult {
    let data = text_or_data(args)?;
    let errors = errors_arg(args, 1, "escape_decode")?;
    let (mut out, mut invalid, mut at) = (Vec::with_capacity(data.len()), None, 0);
    while let Err(error) = escapes::decode_bytes(&data, at, &mut invalid, &mut out) {
        match error {
            EscapeError::Trailing => return Err(err::value_error("Trailing \\ in string")),
            EscapeError::Hex { position, next } => {
                match errors.as_str() {
                    "strict" => {
                        return Err(raise!(PyExc_ValueError, "invalid \\x escape at position {position}"));
                    }
                    "replace" => out.push(b'?'),
                    "ignore" => {}
                    _ => {
                        return Err(raise!(
                            PyExc_ValueError,
                            "decoding error; unknown error handling code: {errors}"
                        ));
                    }
                }
                at = next;
            }
        }
    }
    warn_invalid(&data, invalid)?;
    pair(Bytes::new(&out)?, data.len())
}

pub fn escape_encode(_: &Object, args: &Args<'_>) -> PyResult {
    let Some(data) = args.required(0).downcast::<Bytes>() else {
        return Err(raise!(
            PyExc_TypeError,
            "escape_encode() argument 1 must be bytes, not {}",
            argument_name(args.required(0))
        ));
    };
    errors_arg(args, 1, "escape_encode")?;
    let mut out = Vec::with_capacity(data.len());
    for &byte in data.as_slice() {
        match byte {
            b'\\' | b'\'' => out.extend([b'\\', byte]),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            32..127 => out.push(byte),
            _ => out.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    pair(Bytes::new(&out)?, data.len())
}

/// The character of a name in `\N{…}`.
fn by_name(name: &[u8]) -> Option<u32> {
    match taipan_unicode::lookup(core::str::from_utf8(name).ok()?)? {
        Named::Char(c) => Some(c),
        Named::Sequence(_) => None,
    }
}

pub fn unicode_escape_decode(_: &Object, args: &Args<'_>) -> PyResult {
    let data = text_or_data(args)?;
    let errors = errors_arg(args, 1, "unicode_escape_decode")?;
    let last = args.bool_or(2, true)?;
    let mut invalid = None;
    let mut step = |s: &[u8], at: usize, last: bool, out: &mut Vec<u32>| {
        escapes::decode_unicode(&by_name, &mut invalid, s, at, last, out)
    };
    let (text, used) = errors::decode(&mut step, &data, "unicodeescape", &errors, last)?;
    warn_invalid(&data, invalid)?;
    pair(text, used)
}

pub fn raw_unicode_escape_decode(_: &Object, args: &Args<'_>) -> PyResult {
    let data = text_or_data(args)?;
    let errors = errors_arg(args, 1, "raw_unicode_escape_decode")?;
    let last = args.bool_or(2, true)?;
    let (text, used) = errors::decode(&mut escapes::decode_raw, &data, "rawunicodeescape", &errors, last)?;
    pair(text, used)
}

fn encode_row(args: &Args<'_>, function: &str, encode: fn(&[u32]) -> Vec<u8>) -> PyResult {
    let text = str_arg(args.required(0), function, "1")?;
    errors_arg(args, 1, function)?;
    let points: Vec<u32> = text.code_points().collect();
    pair(Bytes::new(&encode(&points))?, text.len())
}

pub fn unicode_escape_encode(_: &Object, args: &Args<'_>) -> PyResult {
    encode_row(args, "unicode_escape_encode", escapes::encode_unicode)
}

pub fn raw_unicode_escape_encode(_: &Object, args: &Args<'_>) -> PyResult {
    encode_row(args, "raw_unicode_escape_encode", escapes::encode_raw)
}
