//! UTF-7.

use crate::{Fault, fault};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn value(b: u8) -> Option<u32> {
    DIGITS.iter().position(|&d| d == b).map(|v| v as u32)
}

/// Decoding step.
pub fn decode(s: &[u8], pos: usize, last: bool, out: &mut Vec<u32>) -> Result<usize, Fault> {
    let (mut i, mut start, mut shifted) = (pos, pos, false);
    let (mut bits, mut acc, mut high, mut kept) = (0u32, 0u32, 0u32, out.len());
    while i < s.len() {
        let b = s[i];
        if shifted {
            if let Some(v) = value(b) {
                acc = acc << 6 | v;
                bits += 6;
                i += 1;
                if bits >= 16 {
                    bits -= 16;
                    let c = acc >> bits;
                    acc &= (1 << bits) - 1;
                    if high != 0 && c & !0x3ff == 0xdc00 {
                        out.push(0x10000 + ((high & 0x3ff) << 10 | c & 0x3ff));
                        high = 0;
                        continue;
                    }
                    if high != 0 {
                        out.push(high);
                        high = 0;
                    }
                    if c & !0x3ff == 0xd800 {
                        high = c;
                    } else {
                        out.push(c);
                    }
                }
                continue;
            }
            shifted = false;
            if bits >= 6 {
                return fault(start, i + 1, "partial character in shift sequence");
            }
            if bits > 0 && acc != 0 {
                return fault(start, i + 1, "non-zero padding bits in shift sequence");
            }
            if high != 0 && b < 0x80 && b != b'+' {
                out.push(high);
            }
            high = 0;
            i += usize::from(b == b'-');
            continue;
        }
        start = i;
        i += 1;
        if b == b'+' {
            match s.get(i) {
                Some(b'-') => {
                    out.push(b'+' as u32);
                    i += 1;
                }
                Some(&n) if value(n).is_none() => return fault(start, i + 1, "ill-formed sequence"),
                _ => (shifted, bits, acc, high, kept) = (true, 0, 0, 0, out.len()),
            }
        } else if b < 0x80 {
            out.push(b as u32);
        } else {
            return fault(start, i, "unexpected special character");
        }
    }
    if shifted && !last {
        out.truncate(kept);
        return Ok(start);
    }
    if shifted && (high != 0 || bits >= 6 || (bits > 0 && acc != 0)) {
        return fault(start, s.len(), "unterminated shift sequence");
    }
    Ok(s.len())
}

/// Encodes text; every code point has a form.
pub fn encode(s: &[u32]) -> Vec<u8> {
    let direct = |c: u32| matches!(c, 9 | 10 | 13) || ((32..126).contains(&c) && c != 43 && c != 92);
    let mut out = Vec::with_capacity(s.len());
    let (mut shifted, mut acc, mut bits) = (false, 0u64, 0u32);
    for &c in s {
        if shifted && direct(c) {
            if bits > 0 {
                out.push(DIGITS[(acc << (6 - bits) & 63) as usize]);
            }
            (shifted, acc, bits) = (false, 0, 0);
            if value(c as u8).is_some() || c == 45 {
                out.push(b'-');
            }
        }
        if !shifted {
            if direct(c) {
                out.push(c as u8);
                continue;
            }
            out.push(b'+');
            if c == 43 {
                out.push(b'-');
                continue;
            }
            shifted = true;
        }
        let mut put = |unit: u32| {
            acc = acc << 16 | unit as u64;
            bits += 16;
            while bits >= 6 {
                bits -= 6;
                out.push(DIGITS[(acc >> bits & 63) as usize]);
            }
            acc &= (1 << bits) - 1;
        };
        if c >= 0x10000 {
            put(0xd800 | (c - 0x10000) >> 10);
            put(0xdc00 | (c & 0x3ff));
        } else {
            put(c);
        }
    }
    if bits > 0 {
        out.push(DIGITS[(acc << (6 - bits) & 63) as usize]);
    }
    if shifted {
        out.push(b'-');
    }
    out
}
