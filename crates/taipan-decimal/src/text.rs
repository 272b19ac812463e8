//! Numbers from text and to text.

use crate::NoMemory;
use crate::coeff::Coeff;
use crate::limbs::{self, WIDTH};
use crate::number::{Context, Dec, EXP_CLAMP, Kind, or_no_memory, status::*};
use core::fmt::Write;

/// The coefficient of ASCII digits.
///
/// # Errors
/// When there is no memory for it.
pub fn coefficient(digits: &[u8]) -> Result<Coeff, NoMemory> {
    let number = |part: &[u8]| part.iter().fold(0u64, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
    let width = WIDTH as usize;
    match digits.len() {
        0..=19 => Ok(Coeff::Small([number(digits), 0])),
        20..=38 => {
            let (high, low) = digits.split_at(digits.len() - width);
            Ok(Coeff::from_limbs(vec![number(low), number(high)]))
        }
        _ => {
            let mut out = limbs::empty(digits.len() / width + 1)?;
            out.extend(digits.rchunks(width).map(number));
            Ok(Coeff::from_limbs(out))
        }
    }
}

fn without_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// A number as the text says, before it is made to fit a context; the context limits payloads of NaN.
pub fn parse(text: &[u8], ctx: &Context, st: &mut u32) -> Dec {
    let parsed = parse_number(text, ctx);
    or_no_memory(parsed.unwrap_or_else(|| Ok(Dec::invalid(CONVERSION_SYNTAX, st))), st)
}

fn parse_number(text: &[u8], ctx: &Context) -> Option<Result<Dec, NoMemory>> {
    let (negative, body) = without_sign(text);
    if !body.first()?.is_ascii_digit() && body[0] != b'.' {
        return parse_special(negative, body, ctx);
    }
    let (mantissa, exponent) = match body.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&body[..at], parse_exponent(&body[at + 1..])?),
        None => (body, 0),
    };
    let joined;
    let (digits, fraction) = match mantissa.iter().position(|&b| b == b'.') {
        None => (mantissa, 0),
        Some(at) => {
            let (whole, rest) = (&mantissa[..at], &mantissa[at + 1..]);
            joined = [whole, rest].concat();
            (&*joined, rest.len())
        }
    };
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let exp = (exponent - fraction as i128).clamp(-i128::from(EXP_CLAMP), i128::from(EXP_CLAMP)) as i64;
    Some(coefficient(digits).map(|coeff| Dec::new(negative, coeff, exp)))
}

/// An exponent; what is absurdly large is only known to be so.
fn parse_exponent(text: &[u8]) -> Option<i128> {
    let (negative, digits) = without_sign(text);
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let size = digits
        .iter()
        .fold(0i128, |sum, &digit| (sum * 10 + i128::from(digit - b'0')).min(i128::from(EXP_CLAMP) * 2));
    Some(if negative { -size } else { size })
}

fn parse_special(negative: bool, body: &[u8], ctx: &Context) -> Option<Result<Dec, NoMemory>> {
    if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
        return Some(Ok(Dec::infinity(negative)));
    }
    let (kind, body) = match body {
        [b's' | b'S', rest @ ..] => (Kind::SNaN, rest),
        _ => (Kind::NaN, body),
    };
    let (name, payload) = body.split_at_checked(3)?;
    if !name.eq_ignore_ascii_case(b"nan") || !all_digits(payload) {
        return None;
    }
    let zeros = payload.iter().take_while(|&&digit| digit == b'0').count();
    let payload = &payload[zeros..];
    if payload.len() as u64 > (ctx.prec - i64::from(ctx.clamp)).unsigned_abs() {
        return None;
    }
    Some(coefficient(payload).map(|coeff| Dec { coeff, exp: 0, negative, kind }))
}

impl Coeff {
    /// Appends the decimal digits.
    pub fn write_digits(&self, out: &mut String) {
        // Writing to a string cannot fail.
        match self {
            Coeff::Small([low, 0]) => _ = write!(out, "{low}"),
            Coeff::Small(_) => _ = write!(out, "{}", self.small().unwrap_or(0)),
            Coeff::Big(a) => {
                out.reserve(a.len() * WIDTH as usize);
                let mut all = a.iter().rev();
                _ = all.next().map(|top| write!(out, "{top}"));
                for &limb in all {
                    let mut text = [b'0'; WIDTH as usize];
                    let mut rest = limb;
                    for place in text.iter_mut().rev() {
                        *place = b'0' + (rest % 10) as u8;
                        rest /= 10;
                    }
                    out.extend(text.iter().map(|&digit| char::from(digit)));
                }
            }
        }
    }

    /// The decimal digits.
    pub fn to_digits(&self) -> String {
        let mut out = String::new();
        self.write_digits(&mut out);
        out
    }
}

impl Dec {
    /// The text of infinities and NaN without sign.
    pub fn special_text(&self) -> String {
        match self.kind {
            Kind::Infinite => "Infinity".to_owned(),
            kind => {
                let mut out = if kind == Kind::SNaN { "sNaN" } else { "NaN" }.to_owned();
                if !self.coeff.is_zero() {
                    self.coeff.write_digits(&mut out);
                }
                out
            }
        }
    }

    /// Text in scientific notation where an exponent is needed.
    pub fn to_sci(&self, capitals: bool) -> String {
        self.notation(
            capitals,
            |dec, digits| {
                if dec.exp <= 0 && dec.exp + digits > -6 { dec.exp + digits } else { 1 }
            },
        )
    }

    /// Text whose exponent, where one is needed, is a multiple of three.
    pub fn to_eng(&self, capitals: bool) -> String {
        self.notation(capitals, |dec, digits| {
            let left = dec.exp + digits;
            if dec.exp <= 0 && left > -6 {
                left
            } else if dec.coeff.is_zero() {
                (left + 1).rem_euclid(3) - 1
            } else {
                (left - 1).rem_euclid(3) + 1
            }
        })
    }

    /// Text with the decimal point behind as many digits as `place` says.
    fn notation(&self, capitals: bool, place: fn(&Dec, i64) -> i64) -> String {
        let mut out = String::new();
        if self.negative {
            out.push('-');
        }
        if self.is_special() {
            out.push_str(&self.special_text());
            return out;
        }
        if self.exp == 0 {
            self.coeff.write_digits(&mut out);
            return out;
        }
        let mut room = [0; 40];
        let long;
        let digits = match self.coeff.small() {
            Some(small) => small_digits(small, &mut room),
            None => {
                long = self.coeff.to_digits();
                &*long
            }
        };
        let count = digits.len() as i64;
        let dot = place(self, count);
        out.reserve(digits.len() + 8);
        place_dot(digits, dot, &mut out);
        let exponent = self.exp + count - dot;
        if exponent != 0 {
            _ = write!(out, "{}{exponent:+}", if capitals { 'E' } else { 'e' });
        }
        out
    }
}

/// The digits of a small coefficient.
fn small_digits(x: u128, room: &mut [u8; 40]) -> &str {
    let mut at = room.len();
    let (high, mut low) = limbs::split(x);
    let mut put = |low: &mut u64| {
        at -= 1;
        room[at] = b'0' + (*low % 10) as u8;
        *low /= 10;
    };
    if high != 0 {
        (0..WIDTH).for_each(|_| put(&mut low));
        low = high;
    }
    put(&mut low);
    while low != 0 {
        put(&mut low);
    }
    core::str::from_utf8(&room[at..]).unwrap_or("0")
}

/// Writes digits with a decimal point at a place that may lie outside them.
fn place_dot(digits: &str, dot: i64, out: &mut String) {
    let count = digits.len() as i64;
    let zeros = |n: i64| core::iter::repeat_n('0', n.max(0) as usize);
    if dot <= 0 {
        out.push_str("0.");
        out.extend(zeros(-dot));
        out.push_str(digits);
    } else if dot >= count {
        out.push_str(digits);
        out.extend(zeros(dot - count));
    } else {
        out.push_str(&digits[..dot as usize]);
        out.push('.');
        out.push_str(&digits[dot as usize..]);
    }
}
