//! Division in its forms: to full precision, to an integer, remainders; powers modulo an integer.

use crate::NoMemory;
use crate::coeff::{Coeff, POW10, SMALL_DIGITS, digits_of};
use crate::number::{Context, Dec, or_no_memory, status::*};
use core::cmp::Ordering;

/// The quotient.
pub fn div(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let negative = a.negative != b.negative;
    if a.is_special() || b.is_special() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return nan;
        }
        if a.is_infinite() {
            if b.is_infinite() {
                return Dec::invalid(INVALID_OPERATION, st);
            }
            return Dec::infinity(negative);
        }
        *st |= CLAMPED;
        return Dec::new(negative, Coeff::ZERO, ctx.etiny());
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return Dec::invalid(DIVISION_UNDEFINED, st);
        }
        *st |= DIVISION_BY_ZERO;
        return Dec::infinity(negative);
    }
    if a.coeff.is_zero() {
        return Dec::new(negative, Coeff::ZERO, a.exp - b.exp).finalize(ctx, st);
    }
    or_no_memory(quotient(a, b, negative, ctx), st).finalize(ctx, st)
}

/// The quotient of numbers that are not zero, to one digit more than the precision; the last digit tells
/// of a rest.
fn quotient(a: &Dec, b: &Dec, negative: bool, ctx: &Context) -> Result<Dec, NoMemory> {
    let ideal = a.exp - b.exp;
    let shift = b.coeff.digits().cast_signed() - a.coeff.digits().cast_signed() + ctx.prec + 1;
    let (mut coeff, exact, left) = match short_quotient(&a.coeff, &b.coeff, shift) {
        Some(found) => found,
        None if shift >= 0 => {
            let (q, r) = a.coeff.shl(shift.unsigned_abs())?.divrem(&b.coeff)?;
            (q, r.is_zero(), 0)
        }
        None => {
            let (q, r) = a.coeff.divrem(&b.coeff.shl(shift.unsigned_abs())?)?;
            (q, r.is_zero(), 0)
        }
    };
    let mut exp = ideal - shift + left;
    if !exact {
        if coeff.last_digit().is_multiple_of(5) {
            coeff = coeff.increment();
        }
    } else if ideal > exp {
        let zeros = coeff.trailing_zeros().min((ideal - exp).unsigned_abs());
        coeff = coeff.shr(zeros)?.0;
        exp += zeros.cast_signed();
    }
    Ok(Dec::new(negative, coeff, exp))
}

/// `a * 10**shift / b` where all of it fits machine words: the quotient, whether there is no rest, and by
/// how many places less it was shifted, because there were only zeros to come.
fn short_quotient(a: &Coeff, b: &Coeff, shift: i64) -> Option<(Coeff, bool, i64)> {
    let (dividend, divisor) = (a.small()?, b.small()?);
    let mut left = u64::try_from(shift).ok()?;
    // So many digits can be appended to a remainder.
    let room = SMALL_DIGITS - digits_of(divisor);
    if room < 6 {
        return None;
    }
    let divided = |x: u128| match (u64::try_from(x), u64::try_from(divisor)) {
        (Ok(x), Ok(divisor)) => (u128::from(x / divisor), u128::from(x % divisor)),
        _ => {
            let quotient = x / divisor;
            (quotient, x - quotient * divisor)
        }
    };
    let (mut quotient, mut rest) = divided(dividend);
    while left > 0 && rest != 0 {
        let piece = left.min(room);
        let power = POW10[piece as usize];
        let (more, next) = divided(rest * power);
        quotient = quotient.checked_mul(power)?.checked_add(more)?;
        rest = next;
        left -= piece;
    }
    Some((Coeff::from_u128(quotient), rest == 0, left.cast_signed()))
}

/// Integer quotient and remainder of finite numbers whose divisor is not zero.
fn integer_parts(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Option<(Dec, Dec)> {
    let negative = a.negative != b.negative;
    let ideal = a.exp.min(b.exp);
    if a.coeff.is_zero() {
        return Some((Dec::new(negative, Coeff::ZERO, 0), Dec::new(a.negative, Coeff::ZERO, ideal)));
    }
    let gap = a.adjusted() - b.adjusted();
    let parts = || -> Result<Option<(Coeff, Coeff)>, NoMemory> {
        if gap < 0 {
            return Ok(Some((Coeff::ZERO, a.coeff.shl((a.exp - ideal).unsigned_abs())?)));
        }
        if gap > ctx.prec {
            return Ok(None);
        }
        let shift = a.exp - b.exp;
        let (q, r) = match shift.cmp(&0) {
            Ordering::Greater => a.coeff.shl(shift.unsigned_abs())?.divrem(&b.coeff)?,
            Ordering::Less => a.coeff.divrem(&b.coeff.shl(shift.unsigned_abs())?)?,
            Ordering::Equal => a.coeff.divrem(&b.coeff)?,
        };
        Ok((q.digits().cast_signed() <= ctx.prec).then_some((q, r)))
    };
    match parts() {
        Ok(Some((q, r))) => Some((Dec::new(negative, q, 0), Dec::new(a.negative, r, ideal))),
        Ok(None) => {
            *st |= DIVISION_IMPOSSIBLE;
            None
        }
        Err(NoMemory) => {
            *st |= MALLOC_ERROR;
            None
        }
    }
}

/// The quotient cut to an integer.
pub fn divint(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let negative = a.negative != b.negative;
    if a.is_special() || b.is_special() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return nan;
        }
        return match (a.is_infinite(), b.is_infinite()) {
            (true, true) => Dec::invalid(INVALID_OPERATION, st),
            (true, false) => Dec::infinity(negative),
            _ => Dec::new(negative, Coeff::ZERO, 0),
        };
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return Dec::invalid(DIVISION_UNDEFINED, st);
        }
        *st |= DIVISION_BY_ZERO;
        return Dec::infinity(negative);
    }
    integer_parts(a, b, ctx, st).map_or_else(Dec::nan, |(q, _)| q.finalize(ctx, st))
}

/// What both remainders do with special operands and zero divisors.
fn special_remainder(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Option<Dec> {
    if a.is_special() || b.is_special() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return Some(nan);
        }
        if a.is_infinite() {
            return Some(Dec::invalid(INVALID_OPERATION, st));
        }
        return Some(a.clone().finalize(ctx, st));
    }
    if b.coeff.is_zero() {
        let condition = if a.coeff.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION };
        return Some(Dec::invalid(condition, st));
    }
    None
}

/// The remainder of [`divint`].
pub fn rem(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(special) = special_remainder(a, b, ctx, st) {
        return special;
    }
    integer_parts(a, b, ctx, st).map_or_else(Dec::nan, |(_, r)| r.finalize(ctx, st))
}

/// The remainder by the nearest integer quotient, the even one of two.
pub fn rem_near(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(special) = special_remainder(a, b, ctx, st) {
        return special;
    }
    let Some((q, r)) = integer_parts(a, b, ctx, st) else { return Dec::nan() };
    if r.coeff.is_zero() || (b.adjusted() - r.adjusted()).abs() > 1 {
        return r.finalize(ctx, st);
    }
    // The other candidate lies on the other side of zero.
    let mut ignored = 0;
    let other = if a.negative == b.negative {
        crate::arith::sub(&r, b, &Context::MAX, &mut ignored)
    } else {
        crate::arith::add(&r, b, &Context::MAX, &mut ignored)
    };
    if ignored & MALLOC_ERROR != 0 {
        return Dec::invalid(MALLOC_ERROR, st);
    }
    let nearer = match other.cmp_abs(&r) {
        Ordering::Less => true,
        Ordering::Equal => q.coeff.is_odd(),
        Ordering::Greater => false,
    };
    if !nearer {
        return r.finalize(ctx, st);
    }
    if q.coeff.is_all_nines() && q.coeff.digits().cast_signed() == ctx.prec {
        return Dec::invalid(DIVISION_IMPOSSIBLE, st);
    }
    other.finalize(ctx, st)
}

/// [`divint`] and [`rem`] at once.
pub fn divmod(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> (Dec, Dec) {
    let negative = a.negative != b.negative;
    if a.is_special() || b.is_special() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return (nan.clone(), nan);
        }
        if a.is_infinite() {
            let q = if b.is_infinite() { Dec::nan() } else { Dec::infinity(negative) };
            return (q, Dec::invalid(INVALID_OPERATION, st));
        }
        return (Dec::new(negative, Coeff::ZERO, 0), a.clone().finalize(ctx, st));
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            *st |= DIVISION_UNDEFINED;
            return (Dec::nan(), Dec::nan());
        }
        *st |= DIVISION_BY_ZERO | INVALID_OPERATION;
        return (Dec::infinity(negative), Dec::nan());
    }
    match integer_parts(a, b, ctx, st) {
        Some((q, r)) => (q.finalize(ctx, st), r.finalize(ctx, st)),
        None => (Dec::nan(), Dec::nan()),
    }
}

/// `10**exp` modulo a coefficient.
fn pow10_mod(exp: u64, modulus: &Coeff) -> Result<Coeff, NoMemory> {
    let ten = Coeff::from_u128(10).divrem(modulus)?.1;
    let mut result = Coeff::ONE.divrem(modulus)?.1;
    for bit in (0..64 - exp.leading_zeros()).rev() {
        result = result.mul(&result)?.divrem(modulus)?.1;
        if exp >> bit & 1 == 1 {
            result = result.mul(&ten)?.divrem(modulus)?.1;
        }
    }
    Ok(result)
}

/// The integer as a coefficient modulo another, `modulus`.
fn reduced(a: &Dec, modulus: &Coeff) -> Result<Coeff, NoMemory> {
    if a.exp < 0 {
        return Ok(a.coeff.shr(a.exp.unsigned_abs())?.0.divrem(modulus)?.1);
    }
    let low = a.coeff.divrem(modulus)?.1;
    low.mul(&pow10_mod(a.exp.unsigned_abs(), modulus)?)?.divrem(modulus).map(|(_, r)| r)
}

fn integer_coeff(a: &Dec) -> Result<Coeff, NoMemory> {
    if a.exp >= 0 {
        a.coeff.shl(a.exp.unsigned_abs())
    } else {
        a.coeff.shr(a.exp.unsigned_abs()).map(|(q, _)| q)
    }
}

/// `base ** exp % modulus` for integers.
pub fn powmod(base: &Dec, exp: &Dec, modulus: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if base.is_special() || exp.is_special() || modulus.is_special() {
        if let Some(nan) = Dec::propagate(&[base, exp, modulus], ctx, st) {
            return nan;
        }
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let integers = base.is_integer() && exp.is_integer() && modulus.is_integer();
    if !integers
        || modulus.coeff.is_zero()
        || (exp.negative && !exp.coeff.is_zero())
        || (base.coeff.is_zero() && exp.coeff.is_zero())
        || modulus.adjusted() >= ctx.prec
    {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let negative = base.negative && exp.is_odd_integer();
    let compute = || -> Result<Dec, NoMemory> {
        let modulus = integer_coeff(modulus)?;
        let base = reduced(base, &modulus)?;
        let mut exponent = integer_coeff(exp)?;
        let mut power = base;
        let mut result = Coeff::ONE.divrem(&modulus)?.1;
        let two = Coeff::from_u128(2);
        while !exponent.is_zero() {
            if exponent.is_odd() {
                result = result.mul(&power)?.divrem(&modulus)?.1;
            }
            power = power.mul(&power)?.divrem(&modulus)?.1;
            exponent = exponent.divrem(&two)?.0;
        }
        Ok(Dec::new(negative, result, 0))
    };
    // It has no more digits than the modulus; exponent limits do not count.
    or_no_memory(compute(), st)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limbs;

    #[test]
    fn long_division_gives_back_the_dividend() {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let limb = (seed >> 1) % limbs::BASE;
            if limb.is_multiple_of(7) { limbs::BASE - 1 } else { limb }
        };
        for (n, m) in [(3, 2), (5, 3), (170, 90), (400, 170), (900, 333), (1200, 100), (640, 320)] {
            let a: Vec<u64> = (0..n).map(|_| next()).collect();
            let mut b: Vec<u64> = (0..m).map(|_| next()).collect();
            b[m - 1] |= 1;
            let (q, r) = limbs::divrem(&a, &b).unwrap();
            assert_eq!(limbs::cmp(&r, limbs::trimmed(&b)), Ordering::Less);
            let back = limbs::add(&limbs::mul(&q, &b).unwrap(), &r).unwrap();
            assert_eq!(limbs::trimmed(&back), limbs::trimmed(&a), "{n} by {m}");
        }
    }

    #[test]
    fn limbs_survive_base_conversion() {
        for n in [1usize, 5, 31, 64, 200, 1000] {
            let a: Vec<u64> = (0..n as u64).map(|i| (i * 7_919_000_000_000_011) % limbs::BASE + 1).collect();
            assert_eq!(crate::big::to_limbs(&crate::big::from_limbs(&a)).unwrap(), a);
        }
    }
}
