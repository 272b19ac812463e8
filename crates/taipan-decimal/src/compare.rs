//! Comparison, total order, maximum and minimum.

use crate::number::{Context, Dec, Kind, status::*};
use core::cmp::Ordering;

fn sign_of(order: Ordering) -> Dec {
    Dec::from_i64(order as i64)
}

/// -1, 0 or 1, or the NaN among the operands.
pub fn compare(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    Dec::propagate(&[a, b], ctx, st).unwrap_or_else(|| sign_of(a.cmp_numbers(b)))
}

/// As [`compare`], where every NaN is an invalid operation.
pub fn compare_signal(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    match Dec::propagate(&[a, b], ctx, st) {
        Some(nan) => {
            *st |= INVALID_OPERATION;
            nan
        }
        None => sign_of(a.cmp_numbers(b)),
    }
}

/// The order of numbers where only equal representations are equal and NaN stand at both ends.
pub fn total_order(a: &Dec, b: &Dec) -> Ordering {
    if a.negative != b.negative {
        return if a.negative { Ordering::Less } else { Ordering::Greater };
    }
    let magnitudes = total_order_abs(a, b);
    if a.negative { magnitudes.reverse() } else { magnitudes }
}

/// [`total_order`] of the absolute values.
pub fn total_order_abs(a: &Dec, b: &Dec) -> Ordering {
    let rank = |x: &Dec| match x.kind {
        Kind::Finite => 0,
        Kind::Infinite => 1,
        Kind::SNaN => 2,
        Kind::NaN => 3,
    };
    rank(a).cmp(&rank(b)).then_with(|| match a.kind {
        Kind::Infinite => Ordering::Equal,
        Kind::NaN | Kind::SNaN => a.coeff.cmp(&b.coeff),
        Kind::Finite => a.cmp_abs(b).then(a.exp.cmp(&b.exp)),
    })
}

/// [`total_order`] as a number.
pub fn compare_total(a: &Dec, b: &Dec) -> Dec {
    sign_of(total_order(a, b))
}

/// [`total_order_abs`] as a number.
pub fn compare_total_mag(a: &Dec, b: &Dec) -> Dec {
    sign_of(total_order_abs(a, b))
}

/// Chooses by an order of numbers; a quiet NaN counts as missing.
fn choose(a: &Dec, b: &Dec, mag: bool, want: Ordering, ctx: &Context, st: &mut u32) -> Dec {
    let chosen = if a.is_qnan() && !b.is_nan() {
        b
    } else if b.is_qnan() && !a.is_nan() {
        a
    } else if let Some(nan) = Dec::propagate(&[a, b], ctx, st) {
        return nan;
    } else {
        let numbers =
            if mag { a.with_sign(false).cmp_numbers(&b.with_sign(false)) } else { a.cmp_numbers(b) };
        let order = numbers.then_with(|| total_order(a, b));
        if order == want { a } else { b }
    };
    chosen.clone().finalize(ctx, st)
}

/// The greater number.
pub fn max(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    choose_max(a, b, false, ctx, st)
}

/// The number of greater magnitude.
pub fn max_mag(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    choose_max(a, b, true, ctx, st)
}

/// The smaller number.
pub fn min(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    choose(a, b, false, Ordering::Less, ctx, st)
}

/// The number of smaller magnitude.
pub fn min_mag(a: &Dec, b: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    choose(a, b, true, Ordering::Less, ctx, st)
}

fn choose_max(a: &Dec, b: &Dec, mag: bool, ctx: &Context, st: &mut u32) -> Dec {
    choose(a, b, mag, Ordering::Greater, ctx, st)
}
