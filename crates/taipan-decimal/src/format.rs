//! `format()`: numbers under a format specification.
//!
//! Only what is common is understood here; [`Spec::parse`] says no to everything else.

use crate::NoMemory;
use crate::number::{Context, Dec, Rounding};
use crate::unary::rescaled;

/// A format specification.
#[derive(Clone, Debug)]
pub struct Spec {
    pub fill: char,
    /// `<`, `>`, `^` or `=`.
    pub align: char,
    /// `+`, `-` or a blank.
    pub sign: char,
    pub width: usize,
    pub precision: Option<i64>,
    /// One of `eEfFgG%`.
    pub kind: char,
    /// Whether the locale decides about point and groups.
    pub locale: bool,
    pub point: String,
    pub separator: String,
    /// Group sizes from the right as C locales give them: 0 repeats the one before, 127 ends grouping.
    pub grouping: Vec<u8>,
}

fn number(text: &[char]) -> Option<usize> {
    let digits: String = text.iter().collect();
    digits.parse().ok().filter(|&value: &usize| i64::try_from(value).is_ok())
}

impl Spec {
    /// Understands a specification, or not.
    pub fn parse(text: &str, capitals: bool) -> Option<Spec> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| matches!(c, '<' | '>' | '=' | '^'));
        let mut spec = Spec {
            fill: ' ',
            align: '>',
            sign: '-',
            width: 0,
            precision: None,
            kind: if capitals { 'G' } else { 'g' },
            locale: false,
            point: ".".to_owned(),
            separator: String::new(),
            grouping: Vec::new(),
        };
        let mut aligned = true;
        if is_align(chars.get(1)) {
            (spec.fill, spec.align, at) = (chars[0], chars[1], 2);
        } else if is_align(chars.first()) {
            (spec.align, at) = (chars[0], 1);
        } else {
            aligned = false;
        }
        if let Some(&sign @ ('+' | '-' | ' ')) = chars.get(at) {
            spec.sign = sign;
            at += 1;
        }
        if chars.get(at) == Some(&'0') {
            if aligned {
                return None;
            }
            (spec.fill, spec.align) = ('0', '=');
            at += 1;
        }
        let run = |from: usize| from + chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let end = run(at);
        if end > at {
            spec.width = number(&chars[at..end])?;
            at = end;
        }
        if chars.get(at) == Some(&',') {
            (spec.separator, spec.grouping) = (",".to_owned(), vec![3, 0]);
            at += 1;
        }
        if chars.get(at) == Some(&'.') {
            let end = run(at + 1);
            spec.precision = Some(i64::try_from(number(&chars[at + 1..end])?).ok()?);
            at = end;
        }
        match chars.get(at) {
            None => return Some(spec),
            Some(&kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => spec.kind = kind,
            Some(&kind @ ('n' | 'N')) if spec.separator.is_empty() => {
                spec.locale = true;
                spec.kind = if kind == 'n' { 'g' } else { 'G' };
            }
            Some(_) => return None,
        }
        (at + 1 == chars.len()).then_some(spec)
    }

    /// The text of a number.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn apply(&self, dec: &Dec, ctx: &Context) -> Result<String, NoMemory> {
        Vec::<u8>::new().try_reserve_exact(self.width).map_err(|_| NoMemory)?;
        let (negative, whole, rest) = if dec.is_special() {
            let percent = if self.kind == '%' { "%" } else { "" };
            (dec.negative, None, dec.special_text() + percent)
        } else {
            self.parts(dec, ctx)?
        };
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, '-') => "",
            (false, '+') => "+",
            (false, _) => " ",
        };
        let length = rest.chars().count() + sign.len();
        // Special values are not padded with zeros.
        let zero_padded = self.align == '=' && self.fill == '0' && whole.is_some();
        let whole = whole.map_or_else(String::new, |digits| {
            self.grouped(&digits, if zero_padded { self.width.saturating_sub(length) } else { 0 })
        });
        let missing = self.width.saturating_sub(length + whole.chars().count());
        if missing > isize::MAX as usize / 8 {
            return Err(NoMemory);
        }
        let special_zero = dec.is_special() && self.align == '=' && self.fill == '0';
        let (fill, align) = if special_zero { (' ', '>') } else { (self.fill, self.align) };
        let pad = |n: usize| -> Result<String, NoMemory> {
            let mut out = String::new();
            out.try_reserve_exact(n * fill.len_utf8()).map_err(|_| NoMemory)?;
            out.extend(core::iter::repeat_n(fill, n));
            Ok(out)
        };
        Ok(match align {
            '<' => format!("{sign}{whole}{rest}{}", pad(missing)?),
            '^' => format!("{}{sign}{whole}{rest}{}", pad(missing / 2)?, pad(missing - missing / 2)?),
            '=' => format!("{sign}{}{whole}{rest}", pad(missing)?),
            _ => format!("{}{sign}{whole}{rest}", pad(missing)?),
        })
    }

    /// Sign, digits before the point, and everything from the point on.
    fn parts(&self, dec: &Dec, ctx: &Context) -> Result<(bool, Option<String>, String), NoMemory> {
        let kind = self.kind.to_ascii_lowercase();
        let mut value = dec.clone();
        if kind == '%' {
            value.exp += 2;
        }
        if let Some(precision) = self.precision {
            value = match kind {
                'e' => round_digits(value, precision + 1, ctx.round)?,
                'g' if value.coeff.digits().cast_signed() <= precision.max(1) => value,
                'g' => round_digits(value, precision.max(1), ctx.round)?,
                _ => rescaled(&value, -precision, ctx.round, &mut 0)?,
            };
        }
        if kind != 'e' && kind != 'g' && value.coeff.is_zero() && value.exp > 0 {
            value.exp = 0;
        }
        let digits = value.coeff.to_digits();
        let count = digits.len() as i64;
        let left = value.exp + count;
        let dot = match kind {
            'e' => match self.precision {
                Some(precision) if value.coeff.is_zero() => 1 - precision,
                _ => 1,
            },
            'g' if value.exp > 0 || left <= -6 => 1,
            _ => left,
        };
        let zeros = |n: i64| -> Result<String, NoMemory> {
            let n = usize::try_from(n).unwrap_or(0);
            let mut out = String::new();
            out.try_reserve_exact(n).map_err(|_| NoMemory)?;
            out.extend(core::iter::repeat_n('0', n));
            Ok(out)
        };
        let (whole, fraction) = if dot <= 0 {
            ("0".to_owned(), zeros(-dot)? + &digits)
        } else if dot > count {
            (digits + &zeros(dot - count)?, String::new())
        } else {
            (digits[..dot as usize].to_owned(), digits[dot as usize..].to_owned())
        };
        let mut rest = if fraction.is_empty() { String::new() } else { format!("{}{fraction}", self.point) };
        let exponent = left - dot;
        if exponent != 0 || kind == 'e' {
            let letter = if self.kind.is_ascii_uppercase() { 'E' } else { 'e' };
            rest += &format!("{letter}{exponent:+}");
        }
        if kind == '%' {
            rest.push('%');
        }
        Ok((value.negative, Some(whole), rest))
    }

    /// Digits in groups, with leading zeros up to a width.
    fn grouped(&self, digits: &str, width: usize) -> String {
        if self.separator.is_empty() || self.grouping.is_empty() {
            return format!("{}{digits}", "0".repeat(width.saturating_sub(digits.len())));
        }
        let separator = self.separator.chars().count();
        let mut sizes = self.grouping.iter();
        let mut size = 0;
        let mut groups: Vec<String> = Vec::new();
        let mut left = digits;
        let mut missing = width;
        loop {
            match sizes.next() {
                Some(0) => sizes = [].iter(),
                Some(127) => (size, sizes) = (usize::MAX, [].iter()),
                Some(&next) => size = usize::from(next),
                None => {}
            }
            let size = if size == 0 { usize::MAX } else { size };
            // A group takes what digits are left, and zeros as long as the width is not reached.
            let length = left.len().max(missing).max(1).min(size);
            let (rest, own) = left.split_at(left.len() - left.len().min(length));
            groups.push("0".repeat(length - own.len()) + own);
            left = rest;
            missing = missing.saturating_sub(length);
            if left.is_empty() && missing == 0 {
                break;
            }
            missing = missing.saturating_sub(separator);
        }
        groups.reverse();
        groups.join(&self.separator)
    }
}

/// A finite number with so many digits; zero keeps its own.
fn round_digits(value: Dec, digits: i64, round: Rounding) -> Result<Dec, NoMemory> {
    let have = value.coeff.digits().cast_signed();
    if value.coeff.is_zero() || have == digits {
        return Ok(value);
    }
    let exp = value.exp + have - digits;
    let mut rounded = rescaled(&value, exp, round, &mut 0)?;
    if rounded.coeff.digits().cast_signed() > digits {
        rounded.coeff = rounded.coeff.shr(1)?.0;
        rounded.exp += 1;
    }
    Ok(rounded)
}
