//! One byte, one character: ASCII, Latin-1, character maps.

use crate::{Fault, fault};

/// Decoding step of ASCII.
pub fn decode_ascii(s: &[u8], pos: usize, _last: bool, out: &mut Vec<u32>) -> Result<usize, Fault> {
    for (i, &b) in s.iter().enumerate().skip(pos) {
        if b >= 0x80 {
            return fault(i, i + 1, "ordinal not in range(128)");
        }
        out.push(b as u32);
    }
    Ok(s.len())
}

/// Decoding step of Latin-1, which never fails.
pub fn decode_latin1(s: &[u8], pos: usize, _last: bool, out: &mut Vec<u32>) -> Result<usize, Fault> {
    out.extend(s[pos..].iter().map(|&b| b as u32));
    Ok(s.len())
}

fn encode_below(
    limit: u32,
    reason: &'static str,
    s: &[u32],
    pos: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    for (i, &c) in s.iter().enumerate().skip(pos) {
        if c >= limit {
            let n = s[i..].iter().take_while(|&&c| c >= limit).count();
            return fault(i, i + n, reason);
        }
        out.push(c as u8);
    }
    Ok(())
}

/// Encoding step of ASCII.
pub fn encode_ascii(s: &[u32], pos: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    encode_below(128, "ordinal not in range(128)", s, pos, out)
}

/// Encoding step of Latin-1.
pub fn encode_latin1(s: &[u32], pos: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    encode_below(256, "ordinal not in range(256)", s, pos, out)
}

const UNDEFINED: &str = "character maps to <undefined>";

/// Decoding step by a map of bytes to characters; an empty answer is undefined.
pub fn decode_charmap(
    map: &mut dyn FnMut(u8, &mut Vec<u32>) -> bool,
    s: &[u8],
    pos: usize,
    out: &mut Vec<u32>,
) -> Result<usize, Fault> {
    for (i, &b) in s.iter().enumerate().skip(pos) {
        if !map(b, out) {
            return fault(i, i + 1, UNDEFINED);
        }
    }
    Ok(s.len())
}

/// Decoding step by a table of characters, where U+FFFE is undefined.
pub fn decode_table(table: &[u32], s: &[u8], pos: usize, out: &mut Vec<u32>) -> Result<usize, Fault> {
    let mut map = |b: u8, out: &mut Vec<u32>| match table.get(b as usize) {
        None | Some(0xfffe) => false,
        Some(&c) => {
            out.push(c);
            true
        }
    };
    decode_charmap(&mut map, s, pos, out)
}

/// Encoding step by a map of characters to bytes.
pub fn encode_charmap(
    map: &mut dyn FnMut(u32, &mut Vec<u8>) -> bool,
    s: &[u32],
    pos: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    for i in pos..s.len() {
        if !map(s[i], out) {
            let mut scratch = Vec::new();
            let n = s[i + 1..].iter().take_while(|&&c| !map(c, &mut scratch)).count();
            return fault(i, i + 1 + n, UNDEFINED);
        }
    }
    Ok(())
}
