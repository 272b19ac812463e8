//! Operations that change the representation: quantising, rounding to integers, normalising, neighbours,
//! exponents; and questions about a number.

use crate::NoMemory;
use crate::coeff::Coeff;
use crate::number::{Context, Dec, Kind, Rounding, or_no_memory, status::*};
use core::cmp::Ordering;

/// The number with the exponent of another.
pub fn quantize(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() || b.is_special() {
        if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
            return nan;
        }
        if a.is_infinite() && b.is_infinite() {
            return Dec::infinity(a.negative);
        }
        return Dec::invalid(INVALID_OPERATION, st);
    }
    if b.exp > ctx.emax || b.exp < ctx.etiny() {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    if a.coeff.is_zero() {
        return Dec::new(a.negative, Coeff::ZERO, b.exp).finalize(ctx, st);
    }
    let gap = a.exp - b.exp;
    if a.coeff.digits().cast_signed() + gap > ctx.prec {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let mut conditions = 0;
    let result = match rescaled(a, b.exp, ctx.round, &mut conditions) {
        Ok(result) => result,
        Err(NoMemory) => return Dec::invalid(MALLOC_ERROR, st),
    };
    if result.coeff.digits().cast_signed() > ctx.prec || result.adjusted() > ctx.emax {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    *st |= conditions;
    result.finalize(ctx, st)
}

/// A finite number with another exponent, rounded.
///
/// # Errors
/// When there is no memory for it.
pub fn rescaled(a: &Dec, exp: i64, round: Rounding, st: &mut u32) -> Result<Dec, NoMemory> {
    if a.exp >= exp {
        return Ok(Dec::new(a.negative, a.coeff.shl((a.exp - exp).unsigned_abs())?, exp));
    }
    let (coeff, digit) = a.coeff.shr((exp - a.exp).unsigned_abs())?;
    let mut result = Dec::new(a.negative, coeff, exp);
    if result.rounds_up(digit, round) {
        result.coeff = result.coeff.increment();
    }
    *st |= ROUNDED;
    if digit != 0 {
        *st |= INEXACT;
    }
    Ok(result)
}

/// Rounded to an integer, silently.
pub fn to_integral(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let mut exactness = 0;
    let result = to_integral_exact(a, ctx, &mut exactness);
    *st |= exactness & !(INEXACT | ROUNDED);
    result
}

/// Rounded to an integer, noting what was lost.
pub fn to_integral_exact(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() {
        return Dec::propagate(&[a], ctx, st).unwrap_or_else(|| a.clone());
    }
    if a.exp >= 0 {
        return a.clone();
    }
    if a.coeff.is_zero() {
        return Dec::new(a.negative, Coeff::ZERO, 0);
    }
    or_no_memory(rescaled(a, 0, ctx.round, st), st)
}

/// Rounded to the context and without trailing zeros.
pub fn normalize(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() {
        return Dec::propagate(&[a], ctx, st).unwrap_or_else(|| a.clone());
    }
    let fits = a.clone().finalize(ctx, st);
    if fits.is_special() {
        return fits;
    }
    if fits.coeff.is_zero() {
        return Dec::new(fits.negative, Coeff::ZERO, 0);
    }
    let top = if ctx.clamp { ctx.etop() } else { ctx.emax };
    let shift = fits.coeff.trailing_zeros().cast_signed().min(top - fits.exp);
    match fits.coeff.shr(shift.max(0).unsigned_abs()) {
        Ok((coeff, _)) => Dec::new(fits.negative, coeff, fits.exp + shift.max(0)),
        Err(NoMemory) => Dec::invalid(MALLOC_ERROR, st),
    }
}

/// The neighbour in one direction.
fn neighbour(a: &Dec, up: bool, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() {
        if let Some(nan) = Dec::propagate(&[a], ctx, st) {
            return nan;
        }
        if a.negative != up {
            return a.clone();
        }
        return or_no_memory(Dec::largest(a.negative, ctx), st);
    }
    let directed = ctx.rounding(if up { Rounding::Ceiling } else { Rounding::Floor });
    let mut conditions = 0;
    let rounded = a.clone().finalize(&directed, &mut conditions);
    if conditions & (INEXACT | ERRORS) != 0 {
        *st |= conditions & ERRORS;
        return rounded;
    }
    conditions = 0;
    let tiny = Dec::triple(!up, 1, ctx.etiny() - 1);
    let next = crate::arith::add(a, &tiny, &directed, &mut conditions);
    *st |= conditions & ERRORS;
    next
}

/// The next number towards positive infinity.
pub fn next_plus(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    neighbour(a, true, ctx, st)
}

/// The next number towards negative infinity.
pub fn next_minus(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    neighbour(a, false, ctx, st)
}

/// The next number towards another.
pub fn next_toward(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
        return nan;
    }
    let next = match a.cmp_numbers(b) {
        Ordering::Equal => return a.with_sign(b.negative),
        Ordering::Less => next_plus(a, ctx, st),
        Ordering::Greater => next_minus(a, ctx, st),
    };
    if next.is_infinite() {
        *st |= OVERFLOW | ROUNDED | INEXACT;
    } else if next.is_finite() && next.adjusted() < ctx.emin {
        *st |= UNDERFLOW | SUBNORMAL | ROUNDED | INEXACT;
        if next.coeff.is_zero() {
            *st |= CLAMPED;
        }
    }
    next
}

/// The exponent of the first digit as a number.
pub fn logb(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    match a.kind {
        Kind::NaN | Kind::SNaN => Dec::propagate(&[a], ctx, st).unwrap_or_else(Dec::nan),
        Kind::Infinite => Dec::infinity(false),
        Kind::Finite if a.coeff.is_zero() => {
            *st |= DIVISION_BY_ZERO;
            Dec::infinity(true)
        }
        Kind::Finite => Dec::from_i64(a.adjusted()).finalize(ctx, st),
    }
}

/// `a * 10**b`.
pub fn scaleb(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
        return nan;
    }
    if b.exp != 0 || b.is_infinite() {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let reach = 2 * (ctx.emax + ctx.prec);
    let Some(by) = b.to_i64().filter(|by| by.unsigned_abs() <= reach.unsigned_abs()) else {
        return Dec::invalid(INVALID_OPERATION, st);
    };
    if a.is_infinite() {
        return a.clone();
    }
    Dec { exp: (a.exp + by).clamp(-EXP_LIMIT, EXP_LIMIT), ..a.clone() }.finalize(ctx, st)
}

const EXP_LIMIT: i64 = crate::number::EXP_INF;

/// Whether two numbers have the same exponent.
pub fn same_quantum(a: &Dec, b: &Dec) -> bool {
    if a.is_special() || b.is_special() {
        return (a.is_nan() && b.is_nan()) || (a.is_infinite() && b.is_infinite());
    }
    a.exp == b.exp
}

/// The name of a number's class.
pub fn class(a: &Dec, ctx: &Context) -> &'static str {
    match (a.kind, a.negative) {
        (Kind::NaN, _) => "NaN",
        (Kind::SNaN, _) => "sNaN",
        (Kind::Infinite, false) => "+Infinity",
        (Kind::Infinite, true) => "-Infinity",
        (Kind::Finite, negative) => match (a.coeff.is_zero(), a.is_normal(ctx), negative) {
            (true, _, false) => "+Zero",
            (true, _, true) => "-Zero",
            (_, true, false) => "+Normal",
            (_, true, true) => "-Normal",
            (_, false, false) => "+Subnormal",
            (_, false, true) => "-Subnormal",
        },
    }
}
