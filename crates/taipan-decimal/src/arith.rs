//! Addition, subtraction, multiplication and their fusion.

use crate::NoMemory;
use crate::coeff::Coeff;
use crate::number::{Context, Dec, Rounding, or_no_memory, status::*};
use core::cmp::Ordering;

/// The sum.
#[inline]
pub fn add(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    sum(a, b, b.negative, ctx, st)
}

/// The difference.
#[inline]
pub fn sub(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    sum(a, b, !b.negative, ctx, st)
}

/// `a` plus `b`, where `b` has the given sign.
#[inline]
fn sum(a: &Dec, b: &Dec, b_negative: bool, ctx: &Context, st: &mut u32) -> Dec {
    if !a.is_finite() || !b.is_finite() {
        return special_sum(a, b, b_negative, ctx, st);
    }
    // The case of money: the same exponent, and nothing long.
    if a.exp == b.exp
        && a.negative == b_negative
        && let (Some(x), Some(y)) = (a.coeff.small(), b.coeff.small())
    {
        return Dec::new(a.negative, Coeff::from_u128(x + y), a.exp).finalize(ctx, st);
    }
    match aligned_sum(a, b, b_negative, ctx) {
        Ok(exact) => exact.finalize(ctx, st),
        Err(NoMemory) => Dec::invalid(MALLOC_ERROR, st),
    }
}

#[cold]
fn special_sum(a: &Dec, b: &Dec, b_negative: bool, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
        return nan;
    }
    if a.is_infinite() {
        if b.is_infinite() && a.negative != b_negative {
            return Dec::invalid(INVALID_OPERATION, st);
        }
        return Dec::infinity(a.negative);
    }
    Dec::infinity(b_negative)
}

/// The sum of two finite numbers, exact or with the same rounding as the exact one.
fn aligned_sum(a: &Dec, b: &Dec, b_negative: bool, ctx: &Context) -> Result<Dec, NoMemory> {
    // `big` has the greater exponent.
    let (mut big, mut big_negative, mut small, mut small_negative) = (a, a.negative, b, b_negative);
    if b.exp > a.exp {
        (big, big_negative, small, small_negative) = (b, b_negative, a, a.negative);
    }
    let tiny;
    let shifted;
    let mut big_coeff = &big.coeff;
    if big.exp != small.exp && !big_coeff.is_zero() {
        let digits = big_coeff.digits().cast_signed();
        let below = big.exp - 1 + if digits > ctx.prec { 0 } else { digits - ctx.prec - 1 };
        if small.adjusted() < below {
            // Too far below to matter other than by being there.
            tiny = Dec::triple(small_negative, u64::from(!small.coeff.is_zero()), below);
            small = &tiny;
        }
        shifted = big_coeff.shl((big.exp - small.exp).unsigned_abs())?;
        big_coeff = &shifted;
    }
    let exp = small.exp;
    if big_negative == small_negative {
        return Ok(Dec::new(big_negative, big_coeff.add(&small.coeff)?, exp));
    }
    Ok(match big_coeff.cmp(&small.coeff) {
        Ordering::Greater => Dec::new(big_negative, big_coeff.sub(&small.coeff)?, exp),
        Ordering::Less => Dec::new(small_negative, small.coeff.sub(big_coeff)?, exp),
        Ordering::Equal => Dec::new(ctx.round == Rounding::Floor, Coeff::ZERO, exp),
    })
}

/// The product.
#[inline]
pub fn mul(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    exact_product(a, b, ctx, st).finalize(ctx, st)
}

#[inline]
fn exact_product(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return nan;
        }
        if a.is_zero() || b.is_zero() {
            return Dec::invalid(INVALID_OPERATION, st);
        }
        return Dec::infinity(negative);
    }
    match a.coeff.mul(&b.coeff) {
        Ok(coeff) => Dec::new(negative, coeff, a.exp + b.exp),
        Err(NoMemory) => Dec::invalid(MALLOC_ERROR, st),
    }
}

/// `a * b + c` with one rounding.
pub fn fma(a: &Dec, b: &Dec, c: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let before = *st;
    let product = exact_product(a, b, ctx, st);
    if *st & !before & (INVALID_OPERATION | MALLOC_ERROR) != 0 {
        return product;
    }
    add(&product, c, ctx, st)
}

/// The number with its sign turned, rounded.
pub fn minus(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    signed(a, !a.negative, ctx, st)
}

/// The number, rounded.
pub fn plus(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    signed(a, a.negative, ctx, st)
}

/// The absolute value, rounded.
pub fn abs(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_infinite() {
        return Dec::infinity(false);
    }
    if a.negative { minus(a, ctx, st) } else { plus(a, ctx, st) }
}

/// As by adding to or subtracting from zero: a zero is negative only when rounding down.
fn signed(a: &Dec, negative: bool, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_nan()
        && let Some(nan) = Dec::propagate(&[a], ctx, st)
    {
        return nan;
    }
    let negative = if a.is_zero() && ctx.round != Rounding::Floor { false } else { negative };
    a.with_sign(negative).finalize(ctx, st)
}

/// The integer square root of a coefficient, and whether it is exact.
///
/// # Errors
/// When there is no memory for it.
pub fn isqrt(a: &Coeff) -> Result<(Coeff, bool), NoMemory> {
    use dashu_int::ops::SquareRoot;
    if let Some(x) = a.small() {
        let root = x.isqrt();
        return Ok((Coeff::from_u128(root), root * root == x));
    }
    let mut room = [0; 2];
    let whole = crate::big::from_limbs(a.limbs(&mut room));
    let root = whole.sqrt();
    let exact = root.sqr() == whole;
    Ok((Coeff::from_limbs(crate::big::to_limbs(&root)?), exact))
}

/// The square root, rounded half to even.
pub fn sqrt(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() {
        if let Some(nan) = Dec::propagate(&[a], ctx, st) {
            return nan;
        }
        return if a.negative { Dec::invalid(INVALID_OPERATION, st) } else { Dec::infinity(false) };
    }
    let ctx = ctx.rounding(Rounding::HalfEven);
    let ideal = a.exp.div_euclid(2);
    if a.coeff.is_zero() {
        return Dec::new(a.negative, Coeff::ZERO, ideal).finalize(&ctx, st);
    }
    if a.negative {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let root = finite_sqrt(a, ideal, &ctx);
    or_no_memory(root, st).finalize(&ctx, st)
}

/// The root of a positive number to one digit more than the precision; the last digit tells of a rest.
fn finite_sqrt(a: &Dec, ideal: i64, ctx: &Context) -> Result<Dec, NoMemory> {
    let want = ctx.prec + 1;
    let digits = a.coeff.digits().cast_signed();
    // The radicand gets an even exponent and enough digits: those of the root are half of its.
    let odd = a.exp.rem_euclid(2);
    let length = digits + odd;
    let shift = 2 * want - length - (length & 1);
    let (radicand, lost) = if shift + odd >= 0 {
        (a.coeff.shl((shift + odd).unsigned_abs())?, false)
    } else {
        let (cut, digit) = a.coeff.shr((shift + odd).unsigned_abs())?;
        (cut, digit != 0)
    };
    let (mut root, exact) = isqrt(&radicand)?;
    let mut exp = (a.exp - odd - shift) / 2;
    if exact && !lost {
        // An exact root goes as near to its ideal exponent as it can without losing digits.
        if exp > ideal {
            root = root.shl((exp - ideal).unsigned_abs())?;
            exp = ideal;
        }
        let zeros = root.trailing_zeros().min((ideal - exp).unsigned_abs());
        root = root.shr(zeros)?.0;
        exp += zeros.cast_signed();
    } else if root.last_digit().is_multiple_of(5) {
        root = root.increment();
    }
    Ok(Dec::new(false, root, exp))
}

/// The number rounded, with nothing else changed.
pub fn plus_exactly(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    a.clone().finalize(ctx, st)
}
