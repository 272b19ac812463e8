//! Arithmetic of durations.
//!
//! Any duration counts less than 2^67 microseconds, so sums and most products are exact in 128 bits;
//! what does not fit there is out of range in any case. Quotients are rounded to the nearest
//! microsecond, to the even one when two are equally near.

use crate::layout::Span;
use taipan_object::err::{PyErr, PyResult, overflow_error, value_error, zero_division_error};
use taipan_object::int::Int;
use taipan_object::statics::PyExc_OverflowError;
use taipan_object::{Ref, raise};

pub const SECOND: i64 = 1_000_000;
pub const DAY_SECONDS: i64 = 86_400;
const DAY: i64 = SECOND * DAY_SECONDS;
/// Durations have at most so many days.
pub const MAX_DAYS: i32 = 999_999_999;
/// The bits of a digit of an int object.
const DIGIT: u32 = 30;

/// The error of a number of microseconds that no duration has.
#[cold]
pub fn too_large() -> PyErr {
    overflow_error("Python int too large to convert to C int")
}

impl Span {
    pub const MIN: Span = Span { days: -MAX_DAYS, seconds: 0, micros: 0 };
    pub const MAX: Span = Span { days: MAX_DAYS, seconds: 86_399, micros: 999_999 };
    pub const RESOLUTION: Span = Span { days: 0, seconds: 0, micros: 1 };

    /// The duration of fields in any range.
    pub fn normal(days: i64, seconds: i64, micros: i64) -> PyResult<Span> {
        let seconds = seconds + micros.div_euclid(SECOND);
        let days = days + seconds.div_euclid(DAY_SECONDS);
        let small = |value: i64| i32::try_from(value).unwrap_or(0);
        let (seconds, micros) = (small(seconds.rem_euclid(DAY_SECONDS)), small(micros.rem_euclid(SECOND)));
        match i32::try_from(days) {
            Ok(days) if days.abs() <= MAX_DAYS => Ok(Span { days, seconds, micros }),
            _ => Err(raise!(PyExc_OverflowError, "days={days}; must have magnitude <= {MAX_DAYS}")),
        }
    }

    /// All of it in microseconds.
    pub fn total(self) -> i128 {
        i128::from(self.whole_seconds()) * i128::from(SECOND) + i128::from(self.micros)
    }

    /// Days and seconds as seconds.
    pub fn whole_seconds(self) -> i64 {
        i64::from(self.days) * DAY_SECONDS + i64::from(self.seconds)
    }

    /// The duration of so many microseconds.
    pub fn from_micros(total: i128) -> PyResult<Span> {
        if let Ok(total) = i64::try_from(total) {
            return Self::normal(total.div_euclid(DAY), 0, total.rem_euclid(DAY));
        }
        let days = total.div_euclid(DAY.into());
        let rest = i64::try_from(total.rem_euclid(DAY.into())).unwrap_or(0);
        match i32::try_from(days) {
            Ok(days) => Self::normal(days.into(), 0, rest),
            Err(_) => Err(too_large()),
        }
    }

    pub fn is_zero(self) -> bool {
        self == Span::default()
    }

    pub fn add(self, other: Span) -> PyResult<Span> {
        Self::normal(
            i64::from(self.days) + i64::from(other.days),
            i64::from(self.seconds) + i64::from(other.seconds),
            i64::from(self.micros) + i64::from(other.micros),
        )
    }

    pub fn sub(self, other: Span) -> PyResult<Span> {
        Self::normal(
            i64::from(self.days) - i64::from(other.days),
            i64::from(self.seconds) - i64::from(other.seconds),
            i64::from(self.micros) - i64::from(other.micros),
        )
    }

    pub fn negated(self) -> PyResult<Span> {
        Span::default().sub(self)
    }

    /// Whether the duration can be an offset from UTC: less than a day either way.
    pub fn is_offset(self) -> bool {
        let day = Span { days: 1, ..Span::default() };
        self < day && (self.days > -1 || self.days == -1 && (self.seconds, self.micros) > (0, 0))
    }

    /// The duration times a whole number, `None` for one beyond 120 bits.
    pub fn times(self, factor: Option<i128>) -> PyResult<Span> {
        let total = self.total();
        match factor {
            _ if total == 0 => Ok(self),
            Some(factor) => Self::from_micros(total.checked_mul(factor).ok_or_else(too_large)?),
            None => Err(too_large()),
        }
    }

    /// The duration times a float.
    pub fn times_float(self, factor: f64) -> PyResult<Span> {
        let Ratio { negative, odd, shift } = Ratio::of(factor)?;
        // 67 and 53 bits.
        let product = self.total().unsigned_abs() * u128::from(odd);
        let magnitude = if product == 0 {
            0
        } else if shift >= 0 {
            let fits = product.leading_zeros() > shift.unsigned_abs() + 1;
            if !fits {
                return Err(too_large());
            }
            product << shift
        } else {
            match shift.unsigned_abs() {
                down @ 0..=120 => nearest(product >> down, product & ((1 << down) - 1), 1 << down),
                _ => 0,
            }
        };
        Self::signed(magnitude, negative != (self.total() < 0))
    }

    /// The duration divided by a float.
    pub fn over_float(self, divisor: f64) -> PyResult<Span> {
        let Ratio { negative, odd, shift } = Ratio::of(divisor)?;
        if odd == 0 {
            return Err(zero_division());
        }
        let total = self.total().unsigned_abs();
        let odd = u128::from(odd);
        let magnitude = if shift >= 68 {
            0
        } else if shift >= 0 {
            let divisor = odd << shift;
            nearest(total / divisor, total % divisor, divisor)
        } else {
            // Long division, at most 60 bits at a time: the remainder has 53 at most.
            let (mut quotient, mut rest) = (total / odd, total % odd);
            let mut left = shift.unsigned_abs();
            while left > 0 {
                let step = left.min(60);
                if quotient.leading_zeros() < step + 2 {
                    return Err(too_large());
                }
                quotient = (quotient << step) + (rest << step) / odd;
                rest = (rest << step) % odd;
                left -= step;
            }
            nearest(quotient, rest, odd)
        };
        Self::signed(magnitude, negative != (self.total() < 0))
    }

    fn signed(magnitude: u128, negative: bool) -> PyResult<Span> {
        let value = i128::try_from(magnitude).map_err(|_| too_large())?;
        Self::from_micros(if negative { -value } else { value })
    }

    /// The duration divided by a whole number and rounded, `None` for one beyond 120 bits.
    pub fn over(self, divisor: Option<i128>) -> PyResult<Span> {
        let Some(divisor) = divisor else { return Ok(Span::default()) };
        if divisor == 0 {
            return Err(zero_division());
        }
        let (total, by) = (self.total().unsigned_abs(), divisor.unsigned_abs());
        Self::signed(nearest(total / by, total % by, by), (self.total() < 0) != (divisor < 0))
    }

    /// The duration divided by a whole number and rounded down; `None` for one beyond 120 bits, whose
    /// sign is `negative`.
    pub fn floor_over(self, divisor: Option<i128>, negative: bool) -> PyResult<Span> {
        let total = self.total();
        let Some(divisor) = divisor else {
            return Self::from_micros(if total != 0 && negative != (total < 0) { -1 } else { 0 });
        };
        Self::from_micros(floor_div(total, divisor)?.0)
    }
}

#[cold]
pub fn zero_division() -> PyErr {
    zero_division_error("division by zero")
}

/// Quotient rounded down, and remainder.
pub fn floor_div(a: i128, b: i128) -> PyResult<(i128, i128)> {
    if b == 0 {
        return Err(zero_division());
    }
    let (quotient, rest) = (a / b, a % b);
    Ok(if rest != 0 && (rest < 0) != (b < 0) { (quotient - 1, rest + b) } else { (quotient, rest) })
}

/// A quotient without sign, rounded by its remainder.
fn nearest(quotient: u128, rest: u128, divisor: u128) -> u128 {
    let half = (rest * 2).cmp(&divisor);
    quotient + u128::from(half.is_gt() || half.is_eq() && quotient % 2 == 1)
}

/// A finite float as an odd number (or 0) times a power of two.
struct Ratio {
    negative: bool,
    odd: u64,
    shift: i32,
}

impl Ratio {
    fn of(value: f64) -> PyResult<Self> {
        if value.is_nan() {
            return Err(value_error("cannot convert NaN to integer ratio"));
        }
        if value.is_infinite() {
            return Err(overflow_error("cannot convert Infinity to integer ratio"));
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let zeros = if mantissa == 0 { 0 } else { mantissa.trailing_zeros() };
        Ok(Self {
            negative: value.is_sign_negative(),
            odd: mantissa >> zeros,
            shift: exponent.max(1) - 1075 + zeros.cast_signed(),
        })
    }
}

/// A number as an int object.
pub fn int_of(value: i128) -> PyResult<Ref<Int>> {
    if let Ok(small) = i64::try_from(value) {
        return Ok(Int::from_i64(small));
    }
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::with_capacity(5);
    while rest != 0 {
        digits.push(u32::try_from(rest & ((1 << DIGIT) - 1)).unwrap_or(0));
        rest >>= DIGIT;
    }
    Int::from_digits(value < 0, &digits)
}

/// An int object's value, if it has at most 120 bits.
pub fn value_of(int: &Int) -> Option<i128> {
    if let Some(small) = int.to_i64() {
        return Some(small.into());
    }
    let digits = int.digits();
    if digits.len() > 4 {
        return None;
    }
    let magnitude = digits.iter().rev().fold(0i128, |sum, &digit| (sum << DIGIT) | i128::from(digit));
    Some(if int.is_negative() { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(total: i128) -> Span {
        Span::from_micros(total).unwrap_or_default()
    }

    #[test]
    fn halves_go_to_the_even_side() {
        for (total, expected) in [(5, 2), (7, 4), (-5, -2), (-7, -4), (3, 2), (1, 0)] {
            assert_eq!(micros(total).over(Some(2)).ok(), Some(micros(expected)));
            assert_eq!(micros(total).over_float(2.0).ok(), Some(micros(expected)));
            assert_eq!(micros(total).times_float(0.5).ok(), Some(micros(expected)));
        }
    }

    #[test]
    fn long_division_is_exact() {
        // 10 microseconds over the float next to 1e-12 is 10^13 of them, more or less a rounding.
        assert_eq!(micros(10).over_float(1e-12).map(Span::total).ok(), Some(10_000_000_000_000));
        assert_eq!(micros(-10).over_float(0.1).map(Span::total).ok(), Some(-100));
        assert_eq!(micros(0).over_float(5e-324).map(Span::total).ok(), Some(0));
        assert_eq!(Span::MAX.times_float(5e-324).map(Span::total).ok(), Some(0));
        assert_eq!(Span::MAX.over_float(1.7e308).map(Span::total).ok(), Some(0));
    }

    #[test]
    fn offsets_are_less_than_a_day() {
        assert!(micros(86_399_999_999).is_offset() && micros(-86_399_999_999).is_offset());
        assert!(!micros(86_400_000_000).is_offset() && !micros(-86_400_000_000).is_offset());
        assert!(!micros(-86_400_000_001).is_offset() && micros(0).is_offset() && micros(-1).is_offset());
    }
}
