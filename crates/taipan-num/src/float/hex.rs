//! `float.hex` and `float.fromhex`.

use crate::int::compose;

/// `float.hex(x)`.
pub fn to_hex(x: f64) -> String {
    if !x.is_finite() {
        return super::repr(x);
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = x.to_bits();
    let e = (bits >> 52 & 0x7ff) as i32;
    let m = bits & ((1 << 52) - 1);
    let (lead, e) = if e == 0 { (0, -1022) } else { (1, e - 1023) };
    let esign = if e < 0 { '-' } else { '+' };
    format!("{sign}0x{lead}.{m:013x}p{esign}{}", e.abs())
}

/// Why `fromhex` refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// `ValueError: invalid hexadecimal floating-point string`.
    Invalid,
    /// `OverflowError: hexadecimal value too large to represent as a float`.
    TooLarge,
}

/// `float.fromhex(text)`.
pub fn from_hex(text: &[u8]) -> Result<f64, HexError> {
    let blank = |b: &u8| matches!(b, b' ' | 9..=13);
    let start = text.iter().position(|b| !blank(b)).ok_or(HexError::Invalid)?;
    let end = text.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
    let mut s = &text[start..end];
    let negative = s.first() == Some(&b'-');
    if negative || s.first() == Some(&b'+') {
        s = &s[1..];
    }
    let signed = |x: f64| if negative { -x } else { x };
    if s.eq_ignore_ascii_case(b"inf") || s.eq_ignore_ascii_case(b"infinity") {
        return Ok(signed(f64::INFINITY));
    }
    if s.eq_ignore_ascii_case(b"nan") {
        return Ok(signed(f64::NAN));
    }
    if s.len() >= 2 && s[0] == b'0' && s[1] | 0x20 == b'x' {
        s = &s[2..];
    }
    let (mut m, mut sticky, mut exp, mut any) = (0u64, false, 0i64, false);
    let mut i = 0;
    let mut after_point = false;
    while let Some(&b) = s.get(i) {
        if b == b'.' && !after_point {
            after_point = true;
        } else if let Some(d) = (b as char).to_digit(16) {
            any = true;
            if m >> 60 == 0 {
                m = m << 4 | d as u64;
                exp -= 4 * after_point as i64;
            } else {
                sticky |= d != 0;
                exp += 4 * !after_point as i64;
            }
        } else {
            break;
        }
        i += 1;
    }
    if !any {
        return Err(HexError::Invalid);
    }
    if matches!(s.get(i), Some(b'p' | b'P')) {
        i += 1;
        let minus = s.get(i) == Some(&b'-');
        if minus || s.get(i) == Some(&b'+') {
            i += 1;
        }
        let from = i;
        let mut e = 0i64;
        while let Some(&b) = s.get(i).filter(|b| b.is_ascii_digit()) {
            e = (e * 10 + (b - b'0') as i64).min(1 << 50);
            i += 1;
        }
        if i == from {
            return Err(HexError::Invalid);
        }
        exp += if minus { -e } else { e };
    }
    if i != s.len() {
        return Err(HexError::Invalid);
    }
    compose(negative, m, sticky, exp).ok_or(HexError::TooLarge)
}
