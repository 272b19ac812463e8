//! UTF-8 without surrogates.

use crate::{Fault, fault, is_surrogate};

/// Decoding step.
pub fn decode(s: &[u8], mut pos: usize, last: bool, out: &mut Vec<u32>) -> Result<usize, Fault> {
    while pos < s.len() {
        let lead = s[pos];
        if lead < 0x80 {
            out.push(lead as u32);
            pos += 1;
            continue;
        }
        // The second byte of some leads has a narrower range: no overlong forms, no surrogates.
        let (len, low, high) = match lead {
            0xc2..=0xdf => (2, 0x80, 0xbf),
            0xe0 => (3, 0xa0, 0xbf),
            0xed => (3, 0x80, 0x9f),
            0xe1..=0xef => (3, 0x80, 0xbf),
            0xf0 => (4, 0x90, 0xbf),
            0xf1..=0xf3 => (4, 0x80, 0xbf),
            0xf4 => (4, 0x80, 0x8f),
            _ => return fault(pos, pos + 1, "invalid start byte"),
        };
        let mut c = lead as u32 & (0x7f >> len);
        for k in 1..len {
            match s.get(pos + k) {
                None if last => return fault(pos, s.len(), "unexpected end of data"),
                None => return Ok(pos),
                // Half a surrogate may become one that the caller lets pass.
                Some(0xa0..=0xbf) if !last && lead == 0xed && k == 1 && s.len() - pos == 2 => {
                    return Ok(pos);
                }
                Some(&b) if b & 0xc0 != 0x80 || (k == 1 && !(low..=high).contains(&b)) => {
                    return fault(pos, pos + k, "invalid continuation byte");
                }
                Some(&b) => c = c << 6 | (b & 0x3f) as u32,
            }
        }
        out.push(c);
        pos += len;
    }
    Ok(pos)
}

/// Encoding step.
pub fn encode(s: &[u32], pos: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    for (i, &c) in s.iter().enumerate().skip(pos) {
        if is_surrogate(c) {
            let n = s[i..].iter().take_while(|&&c| is_surrogate(c)).count();
            return fault(i, i + n, "surrogates not allowed");
        }
        push(c, out);
    }
    Ok(())
}

/// The bytes of one code point, surrogates too (as `surrogatepass` writes them).
pub fn push(c: u32, out: &mut Vec<u8>) {
    let tail = |k: u32| 0x80 | (c >> (6 * k) & 0x3f) as u8;
    match c {
        0..0x80 => out.push(c as u8),
        0x80..0x800 => out.extend([0xc0 | (c >> 6) as u8, tail(0)]),
        0x800..0x10000 => out.extend([0xe0 | (c >> 12) as u8, tail(1), tail(0)]),
        _ => out.extend([0xf0 | (c >> 18 & 7) as u8, tail(2), tail(1), tail(0)]),
    }
}
