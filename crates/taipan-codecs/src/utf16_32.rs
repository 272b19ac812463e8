//! UTF-16 and UTF-32 in either byte order.

use crate::{Fault, fault, is_surrogate};

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Order and length of a byte order mark of UTF-16; little-endian when there is none.
pub fn bom16(s: &[u8]) -> Option<(Order, usize)> {
    match s {
        [0xff, 0xfe, ..] => Some((Order::Little, 2)),
        [0xfe, 0xff, ..] => Some((Order::Big, 2)),
        _ => None,
    }
}

/// Order and length of a byte order mark of UTF-32.
pub fn bom32(s: &[u8]) -> Option<(Order, usize)> {
    match s {
        [0xff, 0xfe, 0, 0, ..] => Some((Order::Little, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Order::Big, 4)),
        _ => None,
    }
}

/// Decoding step of UTF-16.
pub fn decode16(
    order: Order,
    s: &[u8],
    mut pos: usize,
    last: bool,
    out: &mut Vec<u32>,
) -> Result<usize, Fault> {
    let unit = |i: usize| {
        let b = [*s.get(i)?, *s.get(i + 1)?];
        Some(if order == Order::Little { u16::from_le_bytes(b) } else { u16::from_be_bytes(b) } as u32)
    };
    while pos < s.len() {
        let Some(c) = unit(pos) else {
            return if last { fault(pos, s.len(), "truncated data") } else { Ok(pos) };
        };
        if !is_surrogate(c) {
            out.push(c);
            pos += 2;
        } else if c >= 0xdc00 {
            return fault(pos, pos + 2, "illegal encoding");
        } else {
            match unit(pos + 2) {
                None if last => return fault(pos, s.len(), "unexpected end of data"),
                None => return Ok(pos),
                Some(d) if d & !0x3ff == 0xdc00 => {
                    out.push(0x10000 + ((c & 0x3ff) << 10 | d & 0x3ff));
                    pos += 4;
                }
                Some(_) => return fault(pos, pos + 2, "illegal UTF-16 surrogate"),
            }
        }
    }
    Ok(pos)
}

/// Decoding step of UTF-32.
pub fn decode32(
    order: Order,
    s: &[u8],
    mut pos: usize,
    last: bool,
    out: &mut Vec<u32>,
) -> Result<usize, Fault> {
    while pos < s.len() {
        let Some(&b) = s[pos..].first_chunk::<4>() else {
            return if last { fault(pos, s.len(), "truncated data") } else { Ok(pos) };
        };
        let c = if order == Order::Little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) };
        if is_surrogate(c) {
            return fault(pos, pos + 4, "code point in surrogate code point range(0xd800, 0xe000)");
        }
        if c >= 0x110000 {
            return fault(pos, pos + 4, "code point not in range(0x110000)");
        }
        out.push(c);
        pos += 4;
    }
    Ok(pos)
}

/// Encoding step of UTF-16, without a mark.
pub fn encode16(order: Order, s: &[u32], pos: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut put = |u: u32| {
        let u = u as u16;
        out.extend(if order == Order::Little { u.to_le_bytes() } else { u.to_be_bytes() });
    };
    for (i, &c) in s.iter().enumerate().skip(pos) {
        if is_surrogate(c) {
            return fault(i, i + 1, "surrogates not allowed");
        }
        if c < 0x10000 {
            put(c);
        } else {
            put(0xd800 | (c - 0x10000) >> 10);
            put(0xdc00 | (c & 0x3ff));
        }
    }
    Ok(())
}

/// Encoding step of UTF-32, without a mark.
pub fn encode32(order: Order, s: &[u32], pos: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    for (i, &c) in s.iter().enumerate().skip(pos) {
        if is_surrogate(c) {
            return fault(i, i + 1, "surrogates not allowed");
        }
        out.extend(if order == Order::Little { c.to_le_bytes() } else { c.to_be_bytes() });
    }
    Ok(())
}
