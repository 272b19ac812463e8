//! The values of number, string and bytes literals.
//!
//! Everything here is a pure function from a literal's text to its value, so that the parser and
//! the error pass share it. Escapes that Python keeps as they are, with a warning, are reported by
//! their position.

use std::rc::Rc;

use taipan_text::{PyStr, PyStrBuilder};

use crate::ast::{BigInt, Constant};
use crate::unicode;

/// An escape that is kept as written, with a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEscape {
    /// Byte offset in the literal's body of the character behind the backslash.
    pub at: usize,
}

/// Message of the warning about `\c`, and of the error when warnings are errors.
pub fn invalid_escape_messages(c: char) -> (String, String) {
    let tail = format!("Did you mean \"\\\\{c}\"? A raw string is also an option.");
    (
        format!(
            "\"\\{c}\" is an invalid escape sequence. Such sequences will not work in the future. {tail}"
        ),
        format!("\"\\{c}\" is an invalid escape sequence. {tail}"),
    )
}

/// The same for an octal escape beyond `\377`.
pub fn invalid_octal_messages(digits: &str) -> (String, String) {
    let tail = format!("Did you mean \"\\\\{digits}\"? A raw string is also an option.");
    (
        format!(
            "\"\\{digits}\" is an invalid octal escape sequence. \
             Such sequences will not work in the future. {tail}"
        ),
        format!("\"\\{digits}\" is an invalid octal escape sequence. {tail}"),
    )
}

/// The two parts of a string literal's token.
pub struct StringParts<'s> {
    /// `b` prefix.
    pub bytes: bool,
    /// `r` prefix.
    pub raw: bool,
    /// `u` prefix.
    pub unicode: bool,
    /// What stands between the quotes.
    pub body: &'s str,
    /// Byte offset of the body in the token.
    pub body_start: usize,
}

/// Takes a string token apart.
#[inline]
pub fn split_string(token: &str) -> StringParts<'_> {
    let mut parts = StringParts { bytes: false, raw: false, unicode: false, body: "", body_start: 0 };
    let raw = token.as_bytes();
    let mut at = 0;
    loop {
        match raw[at] {
            b'b' | b'B' => parts.bytes = true,
            b'r' | b'R' => parts.raw = true,
            // Only the small letter is remembered in the tree.
            b'u' => parts.unicode = true,
            b'U' => {}
            _ => break,
        }
        at += 1;
    }
    let quote = raw[at];
    let size = if raw.len() >= at + 6 && raw[at + 1] == quote && raw[at + 2] == quote { 3 } else { 1 };
    parts.body_start = at + size;
    parts.body = &token[at + size..token.len() - size];
    parts
}

/// The text of a string body with its escapes resolved. The error is the codec's message.
#[inline]
pub fn decode_text(body: &str, raw: bool) -> Result<(PyStr, Option<InvalidEscape>), String> {
    if raw || memchr::memchr(b'\\', body.as_bytes()).is_none() {
        return Ok((PyStr::from(body), None));
    }
    decode_escapes(body)
}

fn decode_escapes(body: &str) -> Result<(PyStr, Option<InvalidEscape>), String> {
    let mut decoder = TextDecoder {
        body,
        at: 0,
        // CPython spells other than ASCII characters as ten-byte escapes before decoding.
        widened: 0,
        out: PyStrBuilder::with_capacity(body.len()),
        invalid: None,
    };
    decoder.run()?;
    Ok((decoder.out.take(), decoder.invalid))
}

struct TextDecoder<'s> {
    body: &'s str,
    at: usize,
    widened: usize,
    out: PyStrBuilder,
    invalid: Option<InvalidEscape>,
}

impl TextDecoder<'_> {
    fn run(&mut self) -> Result<(), String> {
        loop {
            let rest = &self.body[self.at..];
            let Some(plain) = rest.find('\\') else {
                self.out.push_str(rest);
                return Ok(());
            };
            self.copy(plain);
            self.escape()?;
        }
    }

    fn copy(&mut self, length: usize) {
        let piece = &self.body[self.at..self.at + length];
        self.out.push_str(piece);
        self.widen(piece);
        self.at += length;
    }

    fn widen(&mut self, piece: &str) {
        if !piece.is_ascii() {
            self.widened += piece.chars().filter(|c| !c.is_ascii()).map(|c| 10 - c.len_utf8()).sum::<usize>();
        }
    }

    fn error(&self, start: usize, end: usize, what: &str) -> String {
        let (from, to) = (start + self.widened, end + self.widened - 1);
        if from == to {
            return format!("'unicodeescape' codec can't decode byte 0x5c in position {from}: {what}");
        }
        format!("'unicodeescape' codec can't decode bytes in position {from}-{to}: {what}")
    }

    fn escape(&mut self) -> Result<(), String> {
        let start = self.at;
        let raw = self.body.as_bytes();
        // A backslash before other than ASCII, or at the end of a part of an f-string, is itself.
        let Some(&c) = raw.get(start + 1).filter(|&&c| c < 128) else {
            self.out.push_str("\\");
            self.widened += 5;
            self.at = start + 1;
            return Ok(());
        };
        self.at = start + 2;
        let simple = match c {
            b'\n' => return Ok(()),
            b'\\' | b'\'' | b'"' => c,
            b'b' => 8,
            b'f' => 12,
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'v' => 11,
            b'a' => 7,
            b'0'..=b'7' => {
                self.octal(start);
                return Ok(());
            }
            b'x' => return self.hex(start, 2, "truncated \\xXX escape"),
            b'u' => return self.hex(start, 4, "truncated \\uXXXX escape"),
            b'U' => return self.hex(start, 8, "truncated \\UXXXXXXXX escape"),
            b'N' => return self.named(start),
            _ => {
                self.invalid.get_or_insert(InvalidEscape { at: start + 1 });
                self.out.push_str("\\");
                self.at = start + 1;
                self.copy(1);
                return Ok(());
            }
        };
        self.out.push_code_point(u32::from(simple));
        Ok(())
    }

    fn octal(&mut self, start: usize) {
        let (value, length) = octal_value(&self.body.as_bytes()[start + 1..]);
        if value > 0o377 {
            self.invalid.get_or_insert(InvalidEscape { at: start + 1 });
        }
        self.out.push_code_point(value);
        self.at = start + 1 + length;
    }

    fn hex(&mut self, start: usize, count: usize, what: &str) -> Result<(), String> {
        let digits = &self.body.as_bytes()[start + 2..];
        let mut value = 0_u32;
        for i in 0..count {
            let Some(digit) = digits.get(i).and_then(|&b| (b as char).to_digit(16)) else {
                return Err(self.error(start, start + 2 + i, what));
            };
            value = value << 4 | digit;
        }
        if value > 0x10_FFFF {
            return Err(self.error(start, start + 2 + count, "illegal Unicode character"));
        }
        self.out.push_code_point(value);
        self.at = start + 2 + count;
        Ok(())
    }

    fn named(&mut self, start: usize) -> Result<(), String> {
        let malformed = "malformed \\N character escape";
        let rest = &self.body[start + 2..];
        let Some(name) = rest.strip_prefix('{') else {
            return Err(self.error(start, start + 2, malformed));
        };
        let Some(length) = name.find('}') else {
            let end = self.body.len();
            self.widen(name);
            let widened = self.widened;
            self.widened = 0;
            return Err(self.error_spread(start, end + widened, malformed));
        };
        if length == 0 {
            return Err(self.error(start, start + 3, malformed));
        }
        let end = start + 2 + length + 2;
        match unicode::character_named(&name[..length]) {
            Some(c) => {
                self.out.push_code_point(c as u32);
                self.at = end;
                Ok(())
            }
            None => Err(self.error(start, end, "unknown Unicode character name")),
        }
    }

    fn error_spread(&self, start: usize, end: usize, what: &str) -> String {
        format!("'unicodeescape' codec can't decode bytes in position {start}-{}: {what}", end - 1)
    }
}

/// Up to three octal digits: value and how many.
fn octal_value(digits: &[u8]) -> (u32, usize) {
    let length = digits.iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
    (digits[..length].iter().fold(0, |value, b| value << 3 | u32::from(b - b'0')), length)
}

/// The value of a bytes body. The error is the message of the `ValueError`.
pub fn decode_bytes(body: &str, raw: bool) -> Result<(Rc<[u8]>, Option<InvalidEscape>), String> {
    let src = body.as_bytes();
    if raw || !src.contains(&b'\\') {
        return Ok((Rc::from(src), None));
    }
    let mut out = Vec::with_capacity(src.len());
    let mut invalid = None;
    let mut at = 0;
    while let Some(&c) = src.get(at) {
        at += 1;
        if c != b'\\' {
            out.push(c);
            continue;
        }
        let escaped = src.get(at).copied().unwrap_or(b'\\');
        at += 1;
        match escaped {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(escaped),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b't' => out.push(b'\t'),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b'v' => out.push(11),
            b'a' => out.push(7),
            b'0'..=b'7' => {
                let (value, length) = octal_value(&src[at - 1..]);
                if value > 0o377 {
                    invalid.get_or_insert(InvalidEscape { at: at - 1 });
                }
                out.push(value as u8);
                at += length - 1;
            }
            b'x' => {
                let digit = |i: usize| src.get(i).and_then(|&b| (b as char).to_digit(16));
                let (Some(high), Some(low)) = (digit(at), digit(at + 1)) else {
                    return Err(format!("invalid \\x escape at position {}", at - 2));
                };
                out.push((high << 4 | low) as u8);
                at += 2;
            }
            _ => {
                invalid.get_or_insert(InvalidEscape { at: at - 1 });
                out.extend([b'\\', escaped]);
            }
        }
    }
    Ok((Rc::from(out), invalid))
}

/// A decimal literal has more digits than the limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyDigits {
    /// How many it has.
    pub digits: usize,
}

/// The value of a number literal. `max_digits` is the limit for decimal integers, zero for none.
pub fn parse_number(text: &str, max_digits: usize) -> Result<Constant, TooManyDigits> {
    let cleaned;
    let text = if text.contains('_') {
        cleaned = text.replace('_', "");
        &cleaned
    } else {
        text
    };
    let raw = text.as_bytes();
    if raw.len() > 2 && raw[0] == b'0' {
        let bits = match raw[1] {
            b'x' | b'X' => 4,
            b'o' | b'O' => 3,
            b'b' | b'B' => 1,
            _ => 0,
        };
        if bits > 0 {
            return Ok(power_of_two_digits(&raw[2..], bits));
        }
    }
    if let [number @ .., b'j' | b'J'] = raw {
        let imag = float_value(&text[..number.len()]);
        return Ok(Constant::Complex { real: 0.0, imag });
    }
    if raw.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) {
        return Ok(Constant::Float(float_value(text)));
    }
    decimal_value(raw, max_digits)
}

fn float_value(text: &str) -> f64 {
    // The tokenizer only lets forms through that this accepts.
    text.parse().unwrap_or(f64::NAN)
}

fn integer(digits: Vec<u32>) -> Constant {
    let mut digits = digits;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.len() <= 3 {
        let value = digits.iter().rev().fold(0_u128, |value, &d| value << 30 | u128::from(d));
        if let Ok(small) = i64::try_from(value) {
            return Constant::Int(small);
        }
    }
    Constant::BigInt(Rc::new(BigInt { negative: false, digits: digits.into() }))
}

fn power_of_two_digits(text: &[u8], bits: u32) -> Constant {
    let mut digits = Vec::with_capacity(text.len() * bits as usize / 30 + 1);
    let (mut pending, mut filled) = (0_u64, 0);
    for &byte in text.iter().rev() {
        let value = (byte as char).to_digit(16).unwrap_or(0);
        pending |= u64::from(value) << filled;
        filled += bits;
        if filled >= 30 {
            digits.push((pending & 0x3FFF_FFFF) as u32);
            pending >>= 30;
            filled -= 30;
        }
    }
    digits.push(pending as u32);
    integer(digits)
}

fn decimal_value(text: &[u8], max_digits: usize) -> Result<Constant, TooManyDigits> {
    if text.len() <= 18 {
        let value = text.iter().fold(0_i64, |value, b| value * 10 + i64::from(b - b'0'));
        return Ok(Constant::Int(value));
    }
    if max_digits > 0 && text.len() > max_digits {
        return Err(TooManyDigits { digits: text.len() });
    }
    let mut digits: Vec<u32> = Vec::with_capacity(text.len() / 9 + 2);
    for chunk in text.chunks(9) {
        let scale = 10_u64.pow(chunk.len() as u32);
        let mut carry = chunk.iter().fold(0_u64, |value, b| value * 10 + u64::from(b - b'0'));
        for digit in &mut digits {
            carry += u64::from(*digit) * scale;
            *digit = (carry & 0x3FFF_FFFF) as u32;
            carry >>= 30;
        }
        while carry > 0 {
            digits.push((carry & 0x3FFF_FFFF) as u32);
            carry >>= 30;
        }
    }
    Ok(integer(digits))
}
