//! Hexadecimal and base 64, as the module `binascii` has them. Errors are `binascii.Error` texts.

/// `binascii.hexlify` without separator.
pub fn hexlify(s: &[u8]) -> Vec<u8> {
    let digit = |d: u8| b"0123456789abcdef"[d as usize];
    s.iter().flat_map(|&b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// `binascii.unhexlify`.
pub fn unhexlify(s: &[u8]) -> Result<Vec<u8>, &'static str> {
    if s.len() % 2 == 1 {
        return Err("Odd-length string");
    }
    let value = |b: u8| (b as char).to_digit(16).ok_or("Non-hexadecimal digit found");
    s.as_chunks::<2>().0.iter().map(|&[a, b]| Ok((value(a)? << 4 | value(b)?) as u8)).collect()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `binascii.b2a_base64`.
pub fn b2a_base64(s: &[u8], newline: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len().div_ceil(3) * 4 + 1);
    for c in s.chunks(3) {
        let v = (c[0] as u32) << 16
            | (c.get(1).copied().unwrap_or(0) as u32) << 8
            | c.get(2).copied().unwrap_or(0) as u32;
        for k in 0..4 {
            out.push(if k <= c.len() { DIGITS[(v >> (18 - 6 * k) & 63) as usize] } else { b'=' });
        }
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// `binascii.a2b_base64`.
pub fn a2b_base64(s: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    if strict && s.first() == Some(&b'=') {
        return Err("Leading padding not allowed".into());
    }
    let mut out = Vec::with_capacity(s.len() / 4 * 3 + 3);
    // `quad` counts digits of the group at hand, `pads` the `=` right behind them.
    let (mut quad, mut left, mut pads) = (0usize, 0u8, 0usize);
    for &b in s {
        if b == b'=' {
            if quad >= 2 {
                pads += 1;
                if quad + pads <= 4 {
                    continue;
                }
            }
            if strict {
                return Err(if quad == 1 { one_too_many(&out) } else { "Excess padding not allowed".into() });
            }
            continue;
        }
        let Some(v) = value(b) else {
            if strict {
                return Err("Only base64 data is allowed".into());
            }
            continue;
        };
        if strict && pads > 0 {
            let full = quad + pads >= 4;
            return Err(
                if full { "Excess data after padding" } else { "Discontinuous padding not allowed" }.into()
            );
        }
        pads = 0;
        match quad {
            0 => {}
            1 => out.push(left << 2 | v >> 4),
            2 => out.push(left << 4 | v >> 2),
            _ => out.push(left << 6 | v),
        }
        left = v & [63, 15, 3, 0][quad];
        quad = (quad + 1) % 4;
    }
    match quad {
        0 => Ok(out),
        1 => Err(one_too_many(&out)),
        _ if quad + pads >= 4 => Ok(out),
        _ => Err("Incorrect padding".into()),
    }
}

fn one_too_many(out: &[u8]) -> String {
    format!(
        "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
        out.len() / 3 * 4 + 1
    )
}
