//! Floats to text and back.

/// What may be asked of [`format`] beyond the code and the precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `#`: keep the point, and for `g` the trailing zeros.
    pub alternate: bool,
    /// Put `.0` after a result that would read as an integer.
    pub add_dot_0: bool,
    /// `+`: a sign in any case.
    pub sign: bool,
    /// `z`: a result of all zeros has no minus.
    pub no_neg_0: bool,
}

/// Every double has at most this many decimals and significant digits.
const MAX_EXACT: usize = 1100;

/// Digits and exponent: the value is `0.DIGITS * 10**point`.
struct Decimal {
    digits: String,
    point: i32,
}

fn split_scientific(s: &str) -> Decimal {
    let (m, e) = s.split_once('e').unwrap_or((s, "0"));
    let digits: String = m.chars().filter(|&c| c != '.').collect();
    Decimal { digits, point: e.parse::<i32>().unwrap_or(0) + 1 }
}

/// The fewest digits that read back as `x`, which is finite and not negative.
fn shortest(x: f64) -> Decimal {
    if x == 0.0 {
        return Decimal { digits: "0".into(), point: 1 };
    }
    let found = split_scientific(&format!("{x:e}"));
    let count = found.digits.len();
    if !is_halfway(x, count as i32 - found.point) {
        return found;
    }
    let even = format!("{:.*e}", count - 1, x);
    // Below a power of two the doubles are closer together: the even one may belong to another.
    if even.parse() == Ok(x) { split_scientific(&even) } else { found }
}

/// Whether `x` lies right in the middle of two numbers of that many decimals: of these Python takes the even one.
/// A binary fraction has as many decimals as binary places, and the last is a 5.
fn is_halfway(x: f64, decimals: i32) -> bool {
    let bits = x.to_bits();
    let (mantissa, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32 & 0x7ff);
    let (mantissa, exponent) = if exponent == 0 { (mantissa, 1) } else { (mantissa | 1 << 52, exponent) };
    let places = 1075 - exponent - mantissa.trailing_zeros() as i32;
    places == decimals + 1
}

/// Exactly `n >= 1` significant digits, rounded half to even on the exact value.
fn significant(x: f64, n: usize) -> Decimal {
    let mut d = split_scientific(&format!("{:.*e}", n.min(MAX_EXACT) - 1, x));
    pad(&mut d.digits, n);
    d
}

fn pad(s: &mut String, n: usize) {
    while s.len() < n {
        s.push('0');
    }
}

/// `repr(x)`.
pub fn repr(x: f64) -> String {
    format(x, 'r', 0, Flags { add_dot_0: true, ..Flags::default() })
}

/// Text for one of the codes `e f g r` (lower or upper case) as `PyOS_double_to_string` lays it out.
pub fn format(x: f64, code: char, precision: usize, flags: Flags) -> String {
    let upper = code.is_ascii_uppercase();
    let mut body = match x.is_finite() {
        true => finite(x.abs(), code.to_ascii_lowercase(), precision, flags),
        false => if x.is_nan() { "nan" } else { "inf" }.to_string(),
    };
    let mut negative = x.is_sign_negative() && !x.is_nan();
    if negative && flags.no_neg_0 && x.is_finite() {
        let mantissa = body.split('e').next().unwrap_or("");
        negative = mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'));
    }
    if upper {
        body.make_ascii_uppercase();
    }
    match (negative, flags.sign) {
        (true, _) => body.insert(0, '-'),
        (false, true) => body.insert(0, '+'),
        _ => {}
    }
    body
}

fn finite(x: f64, code: char, precision: usize, flags: Flags) -> String {
    match code {
        'f' => {
            let mut s = format!("{:.*}", precision.min(MAX_EXACT), x);
            if precision > MAX_EXACT {
                let n = s.len() + precision - MAX_EXACT;
                pad(&mut s, n);
            }
            if precision == 0 && flags.alternate {
                s.push('.');
            }
            s
        }
        'e' => {
            let d = significant(x, precision + 1);
            scientific(&d, flags.alternate)
        }
        'g' => {
            let p = precision.max(1);
            let mut d = significant(x, p);
            if x == 0.0 {
                d.point = 1;
            }
            let point = d.point;
            if !flags.alternate {
                let kept = d.digits.trim_end_matches('0').len().max(1);
                d.digits.truncate(kept);
            }
            // Where ".0" is added, a number that fills all its digits is no shorter than with an exponent.
            if point <= -4 || point as i64 > p as i64 - i64::from(flags.add_dot_0) {
                scientific(&d, flags.alternate)
            } else {
                plain(&d, flags)
            }
        }
        _ => {
            let d = shortest(x);
            if d.point <= -4 || d.point > 16 { scientific(&d, false) } else { plain(&d, flags) }
        }
    }
}

fn scientific(d: &Decimal, alternate: bool) -> String {
    let (head, tail) = d.digits.split_at(1);
    let e = d.point - 1;
    let point = if tail.is_empty() && !alternate { "" } else { "." };
    let sign = if e < 0 { '-' } else { '+' };
    format!("{head}{point}{tail}e{sign}{:02}", e.abs())
}

fn plain(d: &Decimal, flags: Flags) -> String {
    let mut out = String::new();
    if d.point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', -d.point as usize));
        out.push_str(&d.digits);
        return out;
    }
    let point = d.point as usize;
    if d.digits.len() > point {
        out.push_str(&d.digits[..point]);
        out.push('.');
        out.push_str(&d.digits[point..]);
    } else {
        out.push_str(&d.digits);
        pad(&mut out, point);
        if flags.alternate {
            out.push('.');
        } else if flags.add_dot_0 {
            out.push_str(".0");
        }
    }
    out
}

/// `round(x, ndigits)`. `None` when the rounded value is too large.
pub fn round(x: f64, ndigits: i64) -> Option<f64> {
    if !x.is_finite() || x == 0.0 || ndigits > 323 {
        return Some(x);
    }
    if ndigits < -308 {
        return Some(0.0 * x);
    }
    let text = if ndigits >= 0 {
        format!("{:.*}", ndigits as usize, x)
    } else {
        let exact = significant(x.abs(), 800);
        let keep = exact.point as i64 + ndigits;
        if keep < 0 {
            return Some(0.0 * x);
        }
        let (kept, rest) = exact.digits.split_at(keep as usize);
        let tail = rest[1..].bytes().any(|b| b != b'0');
        let odd = kept.bytes().last().is_some_and(|b| b & 1 == 1);
        let first = rest.as_bytes()[0];
        let up = first > b'5' || (first == b'5' && (tail || odd));
        let kept = if kept.is_empty() { "0" } else { kept };
        let n = crate::int::parse(kept.as_bytes(), 10, 0).ok()?;
        let n = crate::int::add(n.as_int(), crate::int::from_u64(up as u64).as_int());
        let digits = crate::int::to_string(n.as_int(), 10);
        format!("{}{digits}e{}", if x < 0.0 { "-" } else { "" }, -ndigits)
    };
    let r: f64 = text.parse().ok()?;
    r.is_finite().then_some(r)
}

/// Parses `float(text)`. `text` is ASCII with other digits and blanks already mapped by the caller.
pub fn parse(text: &[u8]) -> Option<f64> {
    let s = std::str::from_utf8(text).ok()?;
    let s = s.trim_matches(|c| matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f'));
    if !s.contains('_') {
        return s.parse().ok();
    }
    let b = s.as_bytes();
    for (i, &c) in b.iter().enumerate() {
        let digit_at = |j: Option<usize>| j.and_then(|j| b.get(j)).is_some_and(u8::is_ascii_digit);
        if c == b'_' && !(digit_at(i.checked_sub(1)) && digit_at(Some(i + 1))) {
            return None;
        }
    }
    s.replace('_', "").parse().ok()
}

/// The longest prefix of `text` that reads as a float, and its length; for parsers such as `complex`.
pub fn parse_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let mut i = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let word = |w: &[u8]| text[i..].len() >= w.len() && text[i..i + w.len()].eq_ignore_ascii_case(w);
    if word(b"infinity") {
        i += 8;
    } else if word(b"inf") || word(b"nan") {
        i += 3;
    } else {
        let digits = |mut j: usize| {
            while text.get(j).is_some_and(u8::is_ascii_digit) {
                j += 1;
            }
            j
        };
        let whole = digits(i);
        let mut any = whole > i;
        i = whole;
        if text.get(i) == Some(&b'.') {
            let end = digits(i + 1);
            any |= end > i + 1;
            if any {
                i = end;
            }
        }
        if !any {
            return None;
        }
        if matches!(text.get(i), Some(b'e' | b'E')) {
            let start = i + 1 + usize::from(matches!(text.get(i + 1), Some(b'+' | b'-')));
            let end = digits(start);
            if end > start {
                i = end;
            }
        }
    }
    let x = std::str::from_utf8(&text[..i]).ok()?.parse().ok()?;
    Some((x, i))
}
