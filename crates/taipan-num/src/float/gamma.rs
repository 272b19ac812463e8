//! `math.gamma` and `math.lgamma` by the Lanczos approximation with g = 6.0246800407767296, N = 13.

use super::FloatError;
use std::f64::consts::PI;

#[expect(clippy::excessive_precision, reason = "the constant's exact value")]
const G: f64 = 6.024680040776729583740234375;
#[expect(clippy::excessive_precision, reason = "the constant's exact value")]
const G_MINUS_HALF: f64 = 5.524680040776729583740234375;
const LN_PI: f64 = 1.1447298858494002;

/// Numerator of the Lanczos sum, constant term first.
#[expect(clippy::excessive_precision, reason = "the published digits")]
const NUM: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
/// Denominator: the coefficients of x(x+1)…(x+11).
const DEN: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

fn lanczos_sum(x: f64) -> f64 {
    let (mut num, mut den) = (0.0, 0.0);
    if x < 5.0 {
        for i in (0..13).rev() {
            num = num * x + NUM[i];
            den = den * x + DEN[i];
        }
    } else {
        for i in 0..13 {
            num = num / x + NUM[i];
            den = den / x + DEN[i];
        }
    }
    num / den
}

/// `sin(pi * x)` for finite `x`, reduced first so that large arguments stay exact.
fn sinpi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let r = match (2.0 * y).round_ties_even() as i32 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1f64.copysign(x) * r
}

/// `math.gamma`.
pub fn gamma(x: f64) -> Result<f64, FloatError> {
    if !x.is_finite() {
        return if x == f64::NEG_INFINITY { Err(FloatError::Domain) } else { Ok(x) };
    }
    if x == 0.0 {
        return Err(FloatError::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(FloatError::Domain);
        }
        if x <= 23.0 {
            // Factorials up to 22! are exact in a float.
            return Ok((1..x as u64).map(|k| k as f64).product());
        }
    }
    let a = x.abs();
    if a < 1e-20 {
        let r = 1.0 / x;
        return if r.is_infinite() { Err(FloatError::Range) } else { Ok(r) };
    }
    if a > 200.0 {
        return if x < 0.0 { Ok(0.0 / sinpi(x)) } else { Err(FloatError::Range) };
    }
    let y = a + G_MINUS_HALF;
    // z corrects for the rounding of y.
    let z = if a > G_MINUS_HALF { (y - a) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - a };
    let z = z * G / y;
    let mut r;
    if x < 0.0 {
        r = -PI / sinpi(a) / a * y.exp() / lanczos_sum(a);
        r -= z * r;
        if a < 140.0 {
            r /= y.powf(a - 0.5);
        } else {
            let root = y.powf(a / 2.0 - 0.25);
            r /= root;
            r /= root;
        }
    } else {
        r = lanczos_sum(a) / y.exp();
        r += z * r;
        if a < 140.0 {
            r *= y.powf(a - 0.5);
        } else {
            let root = y.powf(a / 2.0 - 0.25);
            r *= root;
            r *= root;
        }
    }
    if r.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}

/// `math.lgamma`.
pub fn lgamma(x: f64) -> Result<f64, FloatError> {
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(FloatError::Domain) } else { Ok(0.0) };
    }
    let a = x.abs();
    if a < 1e-20 {
        return Ok(-a.ln());
    }
    let mut r = lanczos_sum(a).ln() - G;
    r += (a - 0.5) * ((a + G - 0.5).ln() - 1.0);
    if x < 0.0 {
        r = LN_PI - sinpi(a).abs().ln() - a.ln() - r;
    }
    if r.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}
