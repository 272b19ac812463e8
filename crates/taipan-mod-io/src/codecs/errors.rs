//! Error handlers: what stands in the place of something that cannot be decoded or encoded.
//!
//! A handler is a callable that is given the exception and answers with a replacement and where to go
//! on. The standard ones are known here by name, so that no exception is made where none is wanted;
//! any other is looked up and called. A handler may replace the input as well (decoding only).

use super::registry;
use taipan_codecs::{DecodeStep, EncodeStep, Fault, utf8};
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise};

/// The `UnicodeDecodeError` of a fault.
#[cold]
pub fn decode_error(encoding: &str, data: &[u8], fault: &Fault) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let (encoding, reason) = (Str::from_utf8(encoding)?, Str::from_utf8(fault.reason)?);
        let (start, end) = (Int::from_usize(fault.start), Int::from_usize(fault.end));
        let data = Bytes::new(data)?;
        Ok(PyErr::with_args(&PyExc_UnicodeDecodeError, &[&encoding, &data, &start, &end, &reason]))
    };
    make().unwrap_or_else(|error| error)
}

/// The `UnicodeEncodeError` of a fault.
#[cold]
pub fn encode_error(encoding: &str, text: &Str, fault: &Fault) -> PyErr {
    err::unicode_encode_error(encoding, text, fault.start, fault.end, fault.reason)
}

/// `\xff`, `\uffff` or `\Uffffffff`.
pub fn backslashed(c: u32) -> String {
    match c {
        0..0x100 => format!("\\x{c:02x}"),
        0x100..0x10000 => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    }
}

fn points(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

/// The position that a handler asks for, within the input.
fn checked_position(answer: &Object, len: usize) -> PyResult<usize> {
    let given = answer.to_isize()?;
    let at = if given < 0 { given + len.cast_signed() } else { given };
    if at < 0 || at.unsigned_abs() > len {
        return Err(raise!(PyExc_IndexError, "position {given} from error handler out of bounds"));
    }
    Ok(at.unsigned_abs())
}

/// Decodes by a step of `taipan-codecs`; gives the text and how many bytes it is made of.
pub fn decode(
    step: &mut DecodeStep<'_>,
    data: &[u8],
    encoding: &str,
    errors: &str,
    last: bool,
) -> PyResult<(Ref<Str>, usize)> {
    let mut replaced: Option<Vec<u8>> = None;
    let mut out = Vec::new();
    out.try_reserve(data.len()).map_err(|_| err::memory_error())?;
    let mut at = 0;
    loop {
        let input = replaced.as_deref().unwrap_or(data);
        match step(input, at, last, &mut out) {
            Ok(end) => return Ok((Str::from_code_points(&out)?, end)),
            Err(fault) => match standard_decode(errors, encoding, input, &fault) {
                Some((characters, next)) => {
                    out.extend(characters);
                    at = next;
                }
                None => {
                    let error = decode_error(encoding, input, &fault);
                    if errors == "strict" || !error.is(&PyExc_UnicodeDecodeError) {
                        return Err(error);
                    }
                    let answer = ask_decode(error, errors)?;
                    at = answer.next;
                    out.extend(answer.text.code_points());
                    replaced = Some(answer.input);
                }
            },
        }
    }
}

/// What the standard handlers answer without an exception.
fn standard_decode(errors: &str, encoding: &str, input: &[u8], fault: &Fault) -> Option<(Vec<u32>, usize)> {
    let bad = input.get(fault.start..fault.end.min(input.len()))?;
    match errors {
        "ignore" => Some((Vec::new(), fault.end)),
        "replace" => Some((vec![0xFFFD], fault.end)),
        "backslashreplace" => {
            Some((bad.iter().flat_map(|&b| points(&backslashed(u32::from(b)))).collect(), fault.end))
        }
        "surrogateescape" => {
            let high: Vec<u32> =
                bad.iter().take_while(|b| **b >= 128).take(4).map(|&b| 0xDC00 + u32::from(b)).collect();
            if high.is_empty() { None } else { Some((high.clone(), fault.start + high.len())) }
        }
        "surrogatepass" => {
            let (c, len) = passed_surrogate(encoding, &input[fault.start..])?;
            Some((vec![c], fault.start + len))
        }
        _ => None,
    }
}

/// Width and order of the encodings in which surrogates can be passed on: 1 stands for UTF-8.
fn surrogate_form(encoding: &str) -> Option<(usize, bool)> {
    let plain: String =
        encoding.chars().filter(|c| *c != '-' && *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "utf8" | "cputf8" => Some((1, false)),
        "utf16" | "utf16le" => Some((2, false)),
        "utf16be" => Some((2, true)),
        "utf32" | "utf32le" => Some((4, false)),
        "utf32be" => Some((4, true)),
        _ => None,
    }
}

/// The surrogate that stands at the beginning of `input`, with its length.
fn passed_surrogate(encoding: &str, input: &[u8]) -> Option<(u32, usize)> {
    let (width, big) = surrogate_form(encoding)?;
    let (c, len) = match width {
        1 => {
            let &[a, b, c] = input.first_chunk::<3>()?;
            if a & 0xF0 != 0xE0 || b & 0xC0 != 0x80 || c & 0xC0 != 0x80 {
                return None;
            }
            (u32::from(a & 15) << 12 | u32::from(b & 63) << 6 | u32::from(c & 63), 3)
        }
        2 => {
            let pair = *input.first_chunk::<2>()?;
            (u32::from(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }), 2)
        }
        _ => {
            let four = *input.first_chunk::<4>()?;
            (if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }, 4)
        }
    };
    (0xD800..0xE000).contains(&c).then_some((c, len))
}

struct Answer {
    text: Ref<Str>,
    next: usize,
    input: Vec<u8>,
}

/// Calls a handler for a decoding error.
fn ask_decode(error: PyErr, errors: &str) -> PyResult<Answer> {
    let handler = registry::lookup_error(errors)?;
    let exception = error.into_exception();
    let answer = handler.call(&[&exception])?;
    let wrong = || err::type_error("decoding error handler must return (str, int) tuple");
    let Some(answer) = answer.downcast::<Tuple>().filter(|answer| answer.len() == 2) else {
        return Err(wrong());
    };
    let [text, next] = answer.items() else { return Err(wrong()) };
    let (Some(text), Some(_)) = (text.downcast::<Str>(), next.downcast::<Int>()) else { return Err(wrong()) };
    let object = exception.getattr(intern!("object"))?;
    let Some(object) = object.downcast::<Bytes>() else {
        return Err(err::type_error("exception attribute object must be bytes"));
    };
    Ok(Answer {
        text: Ref::of(text),
        next: checked_position(next, object.len())?,
        input: object.as_slice().to_vec(),
    })
}

/// How an encoding takes replacements.
#[derive(Clone, Copy)]
pub struct Accepts {
    /// Replacement bytes come in pieces of this size.
    pub unit: usize,
    /// Replacement text is to be ASCII.
    pub ascii_text: bool,
}

impl Accepts {
    /// Anything that the encoding itself can encode.
    pub const ANY: Accepts = Accepts { unit: 1, ascii_text: false };
}

/// Encodes by a step of `taipan-codecs`.
pub fn encode(
    step: &mut EncodeStep<'_>,
    text: &Str,
    encoding: &str,
    errors: &str,
    accepts: Accepts,
) -> PyResult<Ref<Bytes>> {
    let input: Vec<u32> = text.code_points().collect();
    let mut out = Vec::with_capacity(input.len());
    let mut at = 0;
    while let Err(fault) = step(&input, at, &mut out) {
        let refuse = || encode_error(encoding, text, &fault);
        let (replacement, next) = match standard_encode(errors, encoding, &input, &fault) {
            Some(answer) => (answer, fault.end),
            None if errors == "strict" => return Err(refuse()),
            None if errors == "surrogateescape" => {
                // What stands for bytes is taken; the fault is what comes after it.
                let bad = &input[fault.start..fault.end];
                let bytes: Vec<u8> = bad.iter().map_while(|&c| escaped_byte(c)).collect();
                if bytes.is_empty() {
                    return Err(refuse());
                }
                let next = fault.start + bytes.len();
                (Replacement::Bytes(bytes), next)
            }
            None => ask_encode(refuse(), errors, input.len())?,
        };
        match replacement {
            Replacement::Bytes(bytes) if bytes.len() % accepts.unit != 0 => return Err(refuse()),
            Replacement::Bytes(bytes) => out.extend(bytes),
            Replacement::Text(text) => {
                let fits = !accepts.ascii_text || text.iter().all(|c| *c < 128);
                if !fits || step(&text, 0, &mut out).is_err() {
                    return Err(refuse());
                }
            }
        }
        at = next;
    }
    Bytes::new(&out)
}

enum Replacement {
    Bytes(Vec<u8>),
    Text(Vec<u32>),
}

/// The byte that a lone surrogate stands for.
fn escaped_byte(c: u32) -> Option<u8> {
    (0xDC80..0xDD00).contains(&c).then_some((c & 0xFF) as u8)
}

fn standard_encode(errors: &str, encoding: &str, input: &[u32], fault: &Fault) -> Option<Replacement> {
    let bad = input.get(fault.start..fault.end)?;
    let text = |make: &dyn Fn(u32) -> String| {
        Some(Replacement::Text(bad.iter().flat_map(|&c| points(&make(c))).collect()))
    };
    match errors {
        "ignore" => Some(Replacement::Text(Vec::new())),
        "replace" => Some(Replacement::Text(vec![u32::from(b'?'); bad.len()])),
        "backslashreplace" => text(&backslashed),
        "xmlcharrefreplace" => text(&|c| format!("&#{c};")),
        "namereplace" => text(&named),
        "surrogatepass" => passed_bytes(encoding, bad).map(Replacement::Bytes),
        _ => None,
    }
}

/// `\N{NAME}`, or as `backslashed` for what has no name.
pub fn named(c: u32) -> String {
    taipan_unicode::name(c).map_or_else(|| backslashed(c), |name| format!("\\N{{{name}}}"))
}

/// The bytes of surrogates; `None` where something else stands among them.
pub fn passed_bytes(encoding: &str, bad: &[u32]) -> Option<Vec<u8>> {
    let (width, big) = surrogate_form(encoding)?;
    let mut out = Vec::new();
    for &c in bad {
        if !(0xD800..0xE000).contains(&c) {
            return None;
        }
        match (width, big) {
            (1, _) => utf8::push(c, &mut out),
            (2, true) => out.extend((c as u16).to_be_bytes()),
            (2, false) => out.extend((c as u16).to_le_bytes()),
            (_, true) => out.extend(c.to_be_bytes()),
            (_, false) => out.extend(c.to_le_bytes()),
        }
    }
    Some(out)
}

/// Calls a handler for an encoding error.
fn ask_encode(error: PyErr, errors: &str, len: usize) -> PyResult<(Replacement, usize)> {
    let handler = registry::lookup_error(errors)?;
    if !error.is(&PyExc_UnicodeEncodeError) {
        return Err(error);
    }
    let answer = handler.call(&[&error.into_exception()])?;
    let wrong = || err::type_error("encoding error handler must return (str/bytes, int) tuple");
    let Some(answer) = answer.downcast::<Tuple>().filter(|answer| answer.len() == 2) else {
        return Err(wrong());
    };
    let [replacement, next] = answer.items() else { return Err(wrong()) };
    if next.downcast::<Int>().is_none() {
        return Err(wrong());
    }
    let replacement = if let Some(text) = replacement.downcast::<Str>() {
        Replacement::Text(text.code_points().collect())
    } else if let Some(bytes) = replacement.downcast::<Bytes>() {
        Replacement::Bytes(bytes.as_slice().to_vec())
    } else {
        return Err(wrong());
    };
    Ok((replacement, checked_position(next, len)?))
}

/// The surrogate at the start of what an exception complains about, for the handler `surrogatepass`.
pub fn surrogate_at(encoding: &str, input: &[u8]) -> Option<(u32, usize)> {
    passed_surrogate(encoding, input)
}

/// The bytes that lone surrogates stand for, all of them, for the handler `surrogateescape`.
pub fn escaped(bad: &[u32]) -> Option<Vec<u8>> {
    bad.iter().map(|&c| escaped_byte(c)).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}
