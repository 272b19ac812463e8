//! Powers.
//!
//! Integer powers by repeated squaring with a few digits more than the precision; others as
//! `exp(y * ln(x))` with enough digits that the error stays below one unit of the last place. The steps
//! and their precisions are part of what `decimal` promises: results agree with it to the last digit,
//! in every rounding mode.

use crate::NoMemory;
use crate::arith::mul;
use crate::coeff::{Coeff, digits_of};
use crate::divide::div;
use crate::number::{Context, Dec, EXP_INF, Rounding, or_no_memory, status::*};
use core::cmp::Ordering;

/// `base ** exp`.
pub fn pow(base: &Dec, exp: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(nan) = Dec::propagate(&[base, exp], ctx, st) {
        return nan;
    }
    let integer = exp.is_integer();
    let negative = base.negative && exp.is_odd_integer();
    if base.is_zero() {
        return if exp.is_zero() {
            Dec::invalid(INVALID_OPERATION, st)
        } else if exp.negative {
            Dec::infinity(negative)
        } else {
            Dec::triple(negative, 0, 0)
        };
    }
    if base.negative && !integer {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let against_one = if base.is_infinite() { Ordering::Greater } else { base.cmp_abs(&Dec::ONE) };
    if exp.is_infinite() {
        return match if exp.negative { against_one.reverse() } else { against_one } {
            Ordering::Equal => {
                *st |= INEXACT | ROUNDED;
                one_with_zeros(negative, ctx.prec - 1, st)
            }
            Ordering::Less => Dec::triple(negative, 0, 0),
            Ordering::Greater => Dec::infinity(negative),
        };
    }
    if base.is_infinite() {
        return if exp.is_zero() {
            Dec::triple(negative, 1, 0)
        } else if exp.negative {
            Dec::triple(negative, 0, 0)
        } else {
            Dec::infinity(negative)
        };
    }
    if exp.is_zero() {
        return Dec::triple(negative, 1, 0);
    }
    if against_one.is_eq() {
        return power_of_one(base, exp, negative, ctx, st);
    }
    if let Some(extreme) = out_of_bounds(base, exp, against_one, negative, ctx, st) {
        return extreme;
    }
    if integer { integer_power(base, exp, negative, ctx, st) } else { real_power(base, exp, ctx, st) }
}

fn one_with_zeros(negative: bool, zeros: i64, st: &mut u32) -> Dec {
    let one = || Ok::<_, NoMemory>(Dec::new(negative, Coeff::ONE.shl(zeros.unsigned_abs())?, -zeros));
    or_no_memory(one(), st)
}

/// A power of ±1: an integer power of `1.00` keeps all its zeros, as multiplying would.
fn power_of_one(base: &Dec, exp: &Dec, negative: bool, ctx: &Context, st: &mut u32) -> Dec {
    let mut zeros = ctx.prec - 1;
    if exp.is_integer() {
        if exp.negative {
            return Dec::triple(negative, 1, 0);
        }
        let exact = exp.to_i64().and_then(|exp| exp.checked_mul(-base.exp)).unwrap_or(i64::MAX);
        if base.exp == 0 {
            zeros = 0;
        } else if exact > zeros {
            *st |= ROUNDED;
        } else {
            zeros = exact;
        }
    } else {
        *st |= INEXACT | ROUNDED;
    }
    one_with_zeros(negative, zeros, st)
}

/// The result, when it surely lies beyond the exponent limits.
fn out_of_bounds(
    base: &Dec,
    exp: &Dec,
    against_one: Ordering,
    negative: bool,
    ctx: &Context,
    st: &mut u32,
) -> Option<Dec> {
    let length = |x: i64| digits_of(u128::from(x.unsigned_abs())).cast_signed();
    // Lower bounds of log10 of the exponent and of log10 of |log10(base)|.
    let theta = exp.adjusted();
    let zeta = match base.adjusted() {
        up @ 1.. => length(up) - 1,
        down @ ..=-2 => length(down + 1) - 1,
        near => {
            let mut conditions = 0;
            let distance =
                crate::arith::sub(&base.with_sign(false), &Dec::ONE, &Context::MAX, &mut conditions);
            if conditions & MALLOC_ERROR != 0 {
                return Some(Dec::invalid(MALLOC_ERROR, st));
            }
            distance.adjusted() - if near == 0 { 2 } else { 1 }
        }
    };
    let grows = (against_one == Ordering::Greater) != exp.negative;
    let (limit, beyond) = if grows { (ctx.emax, EXP_INF) } else { (ctx.etiny(), ctx.etiny() - 1) };
    (length(limit) < zeta + theta).then(|| Dec::triple(negative, 1, beyond).finalize(ctx, st))
}

/// A power with an integer exponent other than zero.
fn integer_power(base: &Dec, exp: &Dec, negative: bool, ctx: &Context, st: &mut u32) -> Dec {
    let extra = exp.coeff.digits().cast_signed() + exp.exp + 2;
    let mut work = Context { prec: ctx.prec + extra, round: Rounding::HalfEven, clamp: false, ..*ctx };
    let mut factor = base.clone();
    if exp.negative {
        work.prec += 1;
        factor = div(&Dec::ONE, base, &work, st);
        if *st & MALLOC_ERROR != 0 {
            return Dec::nan();
        }
    }
    let result = match exp.with_sign(false).to_i64() {
        Some(n) => short_power(&factor, n.unsigned_abs(), &work, st),
        None => long_power(factor, exp, &work, st),
    };
    let result = Dec { negative, ..result };
    // What overflowed on the way is rounded again, by the rounding that was asked for.
    let result = if result.is_infinite() { Dec::triple(negative, 1, EXP_INF) } else { result };
    result.finalize(ctx, st)
}

/// Whether further multiplication changes nothing.
fn settled(x: &Dec, conditions: u32) -> bool {
    x.is_special() || (x.coeff.is_zero() && conditions & CLAMPED != 0)
}

/// By squaring from the first bit of the exponent down.
fn short_power(base: &Dec, exp: u64, ctx: &Context, st: &mut u32) -> Dec {
    let mut result = base.clone();
    let mut conditions = 0;
    for bit in (0..63 - exp.leading_zeros()).rev() {
        result = mul(&result, &result, ctx, &mut conditions);
        if exp >> bit & 1 == 1 {
            result = mul(&result, base, ctx, &mut conditions);
        }
        if settled(&result, conditions) {
            break;
        }
    }
    *st |= conditions;
    result
}

/// By squaring from the last bit of an exponent that fits no machine word up.
fn long_power(mut base: Dec, exp: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let Ok(mut left) = exp.coeff.shl(exp.exp.max(0).unsigned_abs()) else {
        return Dec::invalid(MALLOC_ERROR, st);
    };
    let two = Coeff::from_u128(2);
    let mut result = Dec::ONE;
    let mut conditions = 0;
    while !left.is_zero() {
        if left.is_odd() {
            result = mul(&result, &base, ctx, &mut conditions);
            *st |= conditions;
            if settled(&result, conditions) {
                break;
            }
        }
        base = mul(&base, &base, ctx, &mut conditions);
        let Ok((half, _)) = left.divrem(&two) else {
            return Dec::invalid(MALLOC_ERROR, st);
        };
        left = half;
    }
    result
}

/// A power of a positive number.
fn real_power(base: &Dec, exp: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let prec = ctx.prec.max(base.coeff.digits().cast_signed()) + 4 + 19;
    let work = Context { prec, ..Context::MAX };
    let mut conditions = 0;
    let log = crate::elementary::ln(base, &work, &mut conditions);
    let product = mul(&log, exp, &work, &mut conditions);
    let mut result = crate::elementary::exp(&product, &work, st);
    *st |= conditions & ERRORS;
    *st |= INEXACT | ROUNDED;
    if result.is_finite() && result.cmp_abs(&Dec::ONE).is_eq() {
        result = one_with_zeros(false, ctx.prec - 1, st);
    }
    if result.is_infinite() {
        result = Dec::triple(false, 1, EXP_INF);
    }
    result.finalize(ctx, st)
}
