//! `unicode_escape`, `raw_unicode_escape` and the bytes-to-bytes `escape_decode`.

use crate::{Fault, fault};

/// An escape that Python only warns about: where it is and what follows the backslash.
pub type InvalidEscape = Option<usize>;

/// Reads up to `n` hex digits at `i`: value and how many there were.
fn hex(s: &[u8], i: usize, n: usize) -> (u32, usize) {
    let mut v = 0;
    for k in 0..n {
        match s.get(i + k).and_then(|&b| (b as char).to_digit(16)) {
            Some(d) => v = v << 4 | d,
            None => return (v, k),
        }
    }
    (v, n)
}

fn octal(s: &[u8], i: &mut usize) -> u32 {
    let mut v = 0;
    for _ in 0..3 {
        match s.get(*i) {
            Some(b @ b'0'..=b'7') => v = v << 3 | (b - b'0') as u32,
            _ => break,
        }
        *i += 1;
    }
    v
}

/// The escapes of one letter.
fn letter(b: u8) -> Option<u8> {
    Some(match b {
        b'\\' | b'\'' | b'"' => b,
        b'b' => 8,
        b'f' => 12,
        b't' => 9,
        b'n' => 10,
        b'r' => 13,
        b'v' => 11,
        b'a' => 7,
        _ => return None,
    })
}

/// Decoding step of `unicode_escape`. `name` finds characters for `\N{…}`; the first invalid escape is
/// noted for the caller's warning.
pub fn decode_unicode(
    name: &dyn Fn(&[u8]) -> Option<u32>,
    invalid: &mut InvalidEscape,
    s: &[u8],
    pos: usize,
    last: bool,
    out: &mut Vec<u32>,
) -> Result<usize, Fault> {
    let mut i = pos;
    while i < s.len() {
        let start = i;
        let b = s[i];
        i += 1;
        if b != b'\\' {
            out.push(b as u32);
            continue;
        }
        let Some(&b) = s.get(i) else {
            return if last { fault(start, i, "\\ at end of string") } else { Ok(start) };
        };
        i += 1;
        let (count, short) = match b {
            b'\n' => continue,
            b'x' => (2, "truncated \\xXX escape"),
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            b'0'..=b'7' => {
                i -= 1;
                let v = octal(s, &mut i);
                if v > 0o377 {
                    invalid.get_or_insert(start + 1);
                }
                out.push(v);
                continue;
            }
            b'N' => {
                let from = i + 1;
                let braced = s.get(i) == Some(&b'{');
                let end =
                    if braced { from + s[from..].iter().take_while(|&&b| b != b'}').count() } else { i };
                if end >= s.len() && !last {
                    return Ok(start);
                }
                if !braced || end >= s.len() || end == from {
                    return fault(start, end, "malformed \\N character escape");
                }
                i = end + 1;
                match name(&s[from..end]) {
                    Some(c) => out.push(c),
                    None => return fault(start, i, "unknown Unicode character name"),
                }
                continue;
            }
            _ => {
                match letter(b) {
                    Some(c) => out.push(c as u32),
                    None => {
                        invalid.get_or_insert(start + 1);
                        out.extend([b'\\' as u32, b as u32]);
                    }
                }
                continue;
            }
        };
        let (v, n) = hex(s, i, count);
        i += n;
        if n < count {
            return if i >= s.len() && !last { Ok(start) } else { fault(start, i, short) };
        }
        if v >= 0x110000 {
            return fault(start, i, "illegal Unicode character");
        }
        out.push(v);
    }
    Ok(i)
}

/// Decoding step of `raw_unicode_escape`.
pub fn decode_raw(s: &[u8], pos: usize, last: bool, out: &mut Vec<u32>) -> Result<usize, Fault> {
    let mut i = pos;
    while i < s.len() {
        let start = i;
        let b = s[i];
        i += 1;
        if b == b'\\' && i == s.len() && !last {
            return Ok(start);
        }
        if b != b'\\' || i == s.len() {
            out.push(b as u32);
            continue;
        }
        let (count, short) = match s[i] {
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            other => {
                out.extend([b'\\' as u32, other as u32]);
                i += 1;
                continue;
            }
        };
        let (v, n) = hex(s, i + 1, count);
        i += 1 + n;
        if n < count {
            return if i >= s.len() && !last { Ok(start) } else { fault(start, i, short) };
        }
        if v >= 0x110000 {
            return fault(start, i, "\\Uxxxxxxxx out of range");
        }
        out.push(v);
    }
    Ok(i)
}

/// Encodes as `unicode_escape`.
pub fn encode_unicode(s: &[u32]) -> Vec<u8> {
    let mut out = String::with_capacity(s.len());
    for &c in s {
        match c {
            9 => out.push_str("\\t"),
            10 => out.push_str("\\n"),
            13 => out.push_str("\\r"),
            92 => out.push_str("\\\\"),
            32..127 => out.push(c as u8 as char),
            0..0x100 => out += &format!("\\x{c:02x}"),
            0x100..0x10000 => out += &format!("\\u{c:04x}"),
            _ => out += &format!("\\U{c:08x}"),
        }
    }
    out.into_bytes()
}

/// Encodes as `raw_unicode_escape`.
pub fn encode_raw(s: &[u32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    for &c in s {
        match c {
            0..0x100 => out.push(c as u8),
            0x100..0x10000 => out.extend(format!("\\u{c:04x}").bytes()),
            _ => out.extend(format!("\\U{c:08x}").bytes()),
        }
    }
    out
}

/// Why `escape_decode` stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeError {
    /// `Trailing \ in string`.
    Trailing,
    /// `invalid \x escape at position N`; the handlers `ignore` and `replace` go on behind `next`.
    Hex {
        /// Where the escape starts.
        position: usize,
        /// Where to go on.
        next: usize,
    },
}

/// Bytes literals: step from `pos`.
pub fn decode_bytes(
    s: &[u8],
    pos: usize,
    invalid: &mut InvalidEscape,
    out: &mut Vec<u8>,
) -> Result<(), EscapeError> {
    let mut i = pos;
    while i < s.len() {
        let start = i;
        i += 1;
        if s[start] != b'\\' {
            out.push(s[start]);
            continue;
        }
        let Some(&b) = s.get(i) else { return Err(EscapeError::Trailing) };
        i += 1;
        match b {
            b'\n' => {}
            b'0'..=b'7' => {
                i -= 1;
                let v = octal(s, &mut i);
                if v > 0o377 {
                    invalid.get_or_insert(start + 1);
                }
                out.push(v as u8);
            }
            b'x' => {
                let (v, n) = hex(s, i, 2);
                if n < 2 {
                    return Err(EscapeError::Hex { position: start, next: i + n });
                }
                i += 2;
                out.push(v as u8);
            }
            _ => match letter(b) {
                Some(c) => out.push(c),
                None => {
                    invalid.get_or_insert(start + 1);
                    out.extend([b'\\', b]);
                }
            },
        }
    }
    Ok(())
}
