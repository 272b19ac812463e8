//! Text of integers in radix 2 to 36, both ways.

use super::*;
use dashu_int::UBig;
use std::borrow::Cow;

/// Why text is not an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Not an integer literal of that base.
    Invalid,
    /// More decimal digits than allowed; the count.
    TooLong(usize),
}

/// Text in `radix`, lower case, without prefix.
pub fn to_string(a: Int, radix: u32) -> String {
    let mut out = String::new();
    if a.negative {
        out.push('-');
    }
    if bit_length(a) <= 120 {
        let mut x = a.digits.iter().rev().fold(0u128, |x, &d| x << SHIFT | d as u128);
        let mut tmp = [0u8; 128];
        let mut i = tmp.len();
        loop {
            i -= 1;
            if x >> 64 == 0 {
                let small = x as u64;
                tmp[i] = digit_char((small % radix as u64) as u32);
                x = (small / radix as u64) as u128;
            } else {
                tmp[i] = digit_char((x % radix as u128) as u32);
                x /= radix as u128;
            }
            if x == 0 {
                break;
            }
        }
        out.extend(tmp[i..].iter().map(|&b| b as char));
    } else if radix.is_power_of_two() {
        power_of_two_text(a, radix.trailing_zeros(), &mut out);
    } else {
        out.push_str(&to_big(a.digits).in_radix(radix as u8).to_string());
    }
    out
}

fn digit_char(d: u32) -> u8 {
    if d < 10 { b'0' + d as u8 } else { b'a' + (d - 10) as u8 }
}

fn power_of_two_text(a: Int, bits: u32, out: &mut String) {
    let n = bit_length(a).div_ceil(bits as u64);
    for i in (0..n).rev() {
        let pos = i * bits as u64;
        let (w, p) = ((pos / SHIFT as u64) as usize, (pos % SHIFT as u64) as u32);
        let pair = a.digits[w] as u64 | (a.digits.get(w + 1).copied().unwrap_or(0) as u64) << SHIFT;
        out.push(digit_char((pair >> p) as u32 & ((1 << bits) - 1)) as char);
    }
}

/// An upper bound of the decimal digits, good enough to reject before converting.
pub fn decimal_digits_estimate(a: Int) -> u64 {
    (bit_length(a) as f64 * std::f64::consts::LOG10_2) as u64 + 1
}

/// Parses `int(text, base)`. `text` is ASCII (other digits and blanks already mapped by the caller);
/// blanks around it are skipped. Base 0 reads the prefix as source code does. `max_digits` of 0 is no limit.
pub fn parse(text: &[u8], base: u32, max_digits: usize) -> Result<IntBuf, ParseError> {
    let blank = |b: &u8| matches!(b, b' ' | 9..=13 | 28..=31);
    let start = text.iter().position(|b| !blank(b)).ok_or(ParseError::Invalid)?;
    let end = text.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
    let mut s = &text[start..end];
    let negative = s.first() == Some(&b'-');
    if negative || s.first() == Some(&b'+') {
        s = &s[1..];
    }
    let mut base = base;
    let prefixed = |c: u8| match c | 0x20 {
        b'x' => 16,
        b'o' => 8,
        b'b' => 2,
        _ => 0,
    };
    let mut zeros_only = false;
    if s.len() >= 2 && s[0] == b'0' && prefixed(s[1]) != 0 && (base == 0 || base == prefixed(s[1])) {
        base = prefixed(s[1]);
        s = &s[2..];
        if s.first() == Some(&b'_') {
            s = &s[1..];
        }
    } else if base == 0 {
        base = 10;
        // Source code allows a leading zero only in zero itself.
        zeros_only = s.first() == Some(&b'0');
    }
    let v = parse_digits(s, base, max_digits)?;
    if zeros_only && !v.is_empty() {
        return Err(ParseError::Invalid);
    }
    Ok(IntBuf { negative: negative && !v.is_empty(), digits: v })
}

/// The digits of a literal's body without its underscores.
fn plain_digits(s: &[u8], base: u32) -> Result<Cow<'_, str>, ParseError> {
    // Long decimal texts are refused for their length alone, so looking at them must be quick.
    if base == 10
        && !s.is_empty()
        && s.iter().all(u8::is_ascii_digit)
        && let Ok(text) = core::str::from_utf8(s)
    {
        return Ok(Cow::Borrowed(text));
    }
    let mut clean = String::with_capacity(s.len());
    let mut last_underscore = true;
    for &b in s {
        if b == b'_' {
            if last_underscore {
                return Err(ParseError::Invalid);
            }
            last_underscore = true;
        } else {
            if !(b as char).is_digit(base) {
                return Err(ParseError::Invalid);
            }
            last_underscore = false;
            clean.push(b as char);
        }
    }
    if last_underscore {
        return Err(ParseError::Invalid);
    }
    Ok(Cow::Owned(clean))
}

fn parse_digits(s: &[u8], base: u32, max_digits: usize) -> Result<Digits, ParseError> {
    let clean = plain_digits(s, base)?;
    if max_digits != 0 && clean.len() > max_digits && !base.is_power_of_two() {
        return Err(ParseError::TooLong(clean.len()));
    }
    if clean.len() <= 23 {
        let x = clean
            .bytes()
            .fold(0u128, |x, b| x * base as u128 + (b as char).to_digit(base).unwrap_or(0) as u128);
        return Ok(Digits::from_u128(x));
    }
    let big = UBig::from_str_radix(&clean, base).map_err(|_| ParseError::Invalid)?;
    Ok(from_big(&big))
}
