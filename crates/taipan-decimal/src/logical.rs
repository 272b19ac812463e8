//! Operations on digits: shifting, rotating, and logic on coefficients of zeros and ones.

use crate::NoMemory;
use crate::coeff::Coeff;
use crate::limbs::{self, POW10, WIDTH};
use crate::number::{Context, Dec, or_no_memory, status::*};

/// How many places to shift, when the operands allow it.
fn places(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Result<i64, Dec> {
    if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
        return Err(nan);
    }
    if b.exp != 0 || b.is_infinite() {
        return Err(Dec::invalid(INVALID_OPERATION, st));
    }
    match b.to_i64().filter(|by| by.unsigned_abs() <= ctx.prec.unsigned_abs()) {
        None => Err(Dec::invalid(INVALID_OPERATION, st)),
        Some(_) if a.is_infinite() => Err(a.clone()),
        Some(by) => Ok(by),
    }
}

/// Digits moved left or right within the precision.
pub fn shift(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let by = match places(a, b, ctx, st) {
        Ok(by) => by,
        Err(special) => return special,
    };
    let moved = || -> Result<Dec, NoMemory> {
        let room = ctx.prec.unsigned_abs();
        let coeff = if by >= 0 {
            a.coeff.low_digits(room - by.unsigned_abs())?.shl(by.unsigned_abs())?
        } else {
            a.coeff.low_digits(room)?.shr(by.unsigned_abs())?.0
        };
        Ok(Dec::new(a.negative, coeff, a.exp))
    };
    or_no_memory(moved(), st)
}

/// Digits moved around within the precision.
pub fn rotate(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    let by = match places(a, b, ctx, st) {
        Ok(by) => by,
        Err(special) => return special,
    };
    let turned = || -> Result<Dec, NoMemory> {
        let room = ctx.prec.unsigned_abs();
        let left = if by >= 0 { by.unsigned_abs() } else { room - by.unsigned_abs() };
        let coeff = a.coeff.low_digits(room)?;
        let low = coeff.low_digits(room - left)?.shl(left)?;
        let high = coeff.shr(room - left)?.0;
        Ok(Dec::new(a.negative, low.add(&high)?, a.exp))
    };
    or_no_memory(turned(), st)
}

/// Whether a number is a valid operand: a natural number of zeros and ones.
fn is_logical(a: &Dec) -> bool {
    a.is_finite() && !a.negative && a.exp == 0 && digits_are_bits(&a.coeff)
}

fn digits_are_bits(coeff: &Coeff) -> bool {
    let mut room = [0; 2];
    coeff.limbs(&mut room).iter().all(|&limb| {
        let mut limb = limb;
        while limb > 0 {
            if limb % 10 > 1 {
                return false;
            }
            limb /= 10;
        }
        true
    })
}

fn limb_by_digit(a: u64, b: u64, op: fn(u64, u64) -> u64) -> u64 {
    (0..WIDTH as usize).fold(0, |sum, i| sum + op(a / POW10[i] % 10, b / POW10[i] % 10) * POW10[i])
}

/// A logical operation on two operands, digit by digit.
fn digitwise(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32, op: fn(u64, u64) -> u64) -> Dec {
    if !is_logical(a) || !is_logical(b) {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let work = || -> Result<Dec, NoMemory> {
        let (mut r1, mut r2) = ([0; 2], [0; 2]);
        let (x, y) = (a.coeff.limbs(&mut r1), b.coeff.limbs(&mut r2));
        let at = |limbs: &[u64], i: usize| limbs.get(i).copied().unwrap_or(0);
        let count = x.len().max(y.len());
        let mut out = limbs::empty(count)?;
        out.extend((0..count).map(|i| limb_by_digit(at(x, i), at(y, i), op)));
        Ok(Dec::new(false, Coeff::from_limbs(out).low_digits(ctx.prec.unsigned_abs())?, 0))
    };
    or_no_memory(work(), st)
}

/// Digit by digit `and`.
pub fn and(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    digitwise(a, b, ctx, st, |x, y| x & y)
}

/// Digit by digit `or`.
pub fn or(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    digitwise(a, b, ctx, st, |x, y| x | y)
}

/// Digit by digit exclusive `or`.
pub fn xor(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    digitwise(a, b, ctx, st, |x, y| x ^ y)
}

/// Every digit of the precision turned over.
pub fn invert(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() || a.negative || a.exp != 0 {
        return Dec::invalid(INVALID_OPERATION, st);
    }
    let ones = || -> Result<Coeff, NoMemory> {
        let nine = Coeff::from_u128(9);
        Ok(Coeff::nines(ctx.prec.unsigned_abs())?.divrem(&nine)?.0)
    };
    match ones() {
        Ok(ones) => xor(a, &Dec::new(false, ones, 0), ctx, st),
        Err(NoMemory) => Dec::invalid(MALLOC_ERROR, st),
    }
}
