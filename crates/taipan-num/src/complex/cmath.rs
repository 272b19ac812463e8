//! The functions of `cmath`.
//!
//! Where an argument has an infinite or NaN part the answer comes from a table of seven by seven kinds
//! (C's Annex G); everywhere else the formulas avoid overflow by scaling and cancellation by rewriting.
//! A `Domain` or `Range` error stands for `math domain error` and `math range error`.

use super::{Complex, c};
use crate::float::FloatError;
use std::f64::consts::{E, FRAC_PI_2 as P12, FRAC_PI_4 as P14, LN_2, PI as P};

type Answer = Result<Complex, FloatError>;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const P34: f64 = 0.75 * P;
/// A cell that no caller reads: both parts finite.
const U: Complex = c(0.0, 0.0);
const LARGE: f64 = f64::MAX / 4.0;
const SQRT_LARGE: f64 = 6.703903964971298e+153;
const LOG_LARGE: f64 = 708.3964185322641;
const SQRT_MIN: f64 = 1.4916681462400413e-154;

type Table = [[Complex; 7]; 7];

/// Row or column: -inf, negative, -0, +0, positive, +inf, NaN.
fn kind(x: f64) -> usize {
    if x.is_nan() {
        6
    } else if x == INF {
        5
    } else if x == -INF {
        0
    } else if x == 0.0 {
        if x.is_sign_positive() { 3 } else { 2 }
    } else if x > 0.0 {
        4
    } else {
        1
    }
}

fn special(z: Complex, table: &Table) -> Option<Complex> {
    (!z.re.is_finite() || !z.im.is_finite()).then(|| table[kind(z.re)][kind(z.im)])
}

#[rustfmt::skip]
static ACOS: Table = [
    [c(P34, INF), c(P, INF), c(P, INF), c(P, -INF), c(P, -INF), c(P34, -INF), c(NAN, INF)],
    [c(P12, INF), U, U, U, U, c(P12, -INF), c(NAN, NAN)],
    [c(P12, INF), U, c(P12, 0.0), c(P12, -0.0), U, c(P12, -INF), c(P12, NAN)],
    [c(P12, INF), U, c(P12, 0.0), c(P12, -0.0), U, c(P12, -INF), c(P12, NAN)],
    [c(P12, INF), U, U, U, U, c(P12, -INF), c(NAN, NAN)],
    [c(P14, INF), c(0.0, INF), c(0.0, INF), c(0.0, -INF), c(0.0, -INF), c(P14, -INF), c(NAN, INF)],
    [c(NAN, INF), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, -INF), c(NAN, NAN)],
];
#[rustfmt::skip]
static ACOSH: Table = [
    [c(INF, -P34), c(INF, -P), c(INF, -P), c(INF, P), c(INF, P), c(INF, P34), c(INF, NAN)],
    [c(INF, -P12), U, U, U, U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, c(0.0, -P12), c(0.0, P12), U, c(INF, P12), c(NAN, P12)],
    [c(INF, -P12), U, c(0.0, -P12), c(0.0, P12), U, c(INF, P12), c(NAN, P12)],
    [c(INF, -P12), U, U, U, U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P14), c(INF, -0.0), c(INF, -0.0), c(INF, 0.0), c(INF, 0.0), c(INF, P14), c(INF, NAN)],
    [c(INF, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(INF, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static ASINH: Table = [
    [c(-INF, -P14), c(-INF, -0.0), c(-INF, -0.0), c(-INF, 0.0), c(-INF, 0.0), c(-INF, P14), c(-INF, NAN)],
    [c(-INF, -P12), U, U, U, U, c(-INF, P12), c(NAN, NAN)],
    [c(-INF, -P12), U, c(-0.0, -0.0), c(-0.0, 0.0), U, c(-INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, c(0.0, -0.0), c(0.0, 0.0), U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, U, U, U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P14), c(INF, -0.0), c(INF, -0.0), c(INF, 0.0), c(INF, 0.0), c(INF, P14), c(INF, NAN)],
    [c(INF, NAN), c(NAN, NAN), c(NAN, -0.0), c(NAN, 0.0), c(NAN, NAN), c(INF, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static ATANH: Table = [
    [c(-0.0, -P12), c(-0.0, -P12), c(-0.0, -P12), c(-0.0, P12), c(-0.0, P12), c(-0.0, P12), c(-0.0, NAN)],
    [c(-0.0, -P12), U, U, U, U, c(-0.0, P12), c(NAN, NAN)],
    [c(-0.0, -P12), U, c(-0.0, -0.0), c(-0.0, 0.0), U, c(-0.0, P12), c(-0.0, NAN)],
    [c(0.0, -P12), U, c(0.0, -0.0), c(0.0, 0.0), U, c(0.0, P12), c(0.0, NAN)],
    [c(0.0, -P12), U, U, U, U, c(0.0, P12), c(NAN, NAN)],
    [c(0.0, -P12), c(0.0, -P12), c(0.0, -P12), c(0.0, P12), c(0.0, P12), c(0.0, P12), c(0.0, NAN)],
    [c(0.0, -P12), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(0.0, P12), c(NAN, NAN)],
];
#[rustfmt::skip]
static COSH: Table = [
    [c(INF, NAN), U, c(INF, 0.0), c(INF, -0.0), U, c(INF, NAN), c(INF, NAN)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(NAN, 0.0), U, c(1.0, 0.0), c(1.0, -0.0), U, c(NAN, 0.0), c(NAN, 0.0)],
    [c(NAN, 0.0), U, c(1.0, -0.0), c(1.0, 0.0), U, c(NAN, 0.0), c(NAN, 0.0)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(INF, NAN), U, c(INF, -0.0), c(INF, 0.0), U, c(INF, NAN), c(INF, NAN)],
    [c(NAN, NAN), c(NAN, NAN), c(NAN, 0.0), c(NAN, 0.0), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static EXP: Table = [
    [c(0.0, 0.0), U, c(0.0, -0.0), c(0.0, 0.0), U, c(0.0, 0.0), c(0.0, 0.0)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(NAN, NAN), U, c(1.0, -0.0), c(1.0, 0.0), U, c(NAN, NAN), c(NAN, NAN)],
    [c(NAN, NAN), U, c(1.0, -0.0), c(1.0, 0.0), U, c(NAN, NAN), c(NAN, NAN)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(INF, NAN), U, c(INF, -0.0), c(INF, 0.0), U, c(INF, NAN), c(INF, NAN)],
    [c(NAN, NAN), c(NAN, NAN), c(NAN, -0.0), c(NAN, 0.0), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static LOG: Table = [
    [c(INF, -P34), c(INF, -P), c(INF, -P), c(INF, P), c(INF, P), c(INF, P34), c(INF, NAN)],
    [c(INF, -P12), U, U, U, U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, c(-INF, -P), c(-INF, P), U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, c(-INF, -0.0), c(-INF, 0.0), U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P12), U, U, U, U, c(INF, P12), c(NAN, NAN)],
    [c(INF, -P14), c(INF, -0.0), c(INF, -0.0), c(INF, 0.0), c(INF, 0.0), c(INF, P14), c(INF, NAN)],
    [c(INF, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(INF, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static SINH: Table = [
    [c(INF, NAN), U, c(-INF, -0.0), c(-INF, 0.0), U, c(INF, NAN), c(INF, NAN)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(0.0, NAN), U, c(-0.0, -0.0), c(-0.0, 0.0), U, c(0.0, NAN), c(0.0, NAN)],
    [c(0.0, NAN), U, c(0.0, -0.0), c(0.0, 0.0), U, c(0.0, NAN), c(0.0, NAN)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(INF, NAN), U, c(INF, -0.0), c(INF, 0.0), U, c(INF, NAN), c(INF, NAN)],
    [c(NAN, NAN), c(NAN, NAN), c(NAN, -0.0), c(NAN, 0.0), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN)],
];
#[rustfmt::skip]
static SQRT: Table = [
    [c(INF, -INF), c(0.0, -INF), c(0.0, -INF), c(0.0, INF), c(0.0, INF), c(INF, INF), c(NAN, INF)],
    [c(INF, -INF), U, U, U, U, c(INF, INF), c(NAN, NAN)],
    [c(INF, -INF), U, c(0.0, -0.0), c(0.0, 0.0), U, c(INF, INF), c(NAN, NAN)],
    [c(INF, -INF), U, c(0.0, -0.0), c(0.0, 0.0), U, c(INF, INF), c(NAN, NAN)],
    [c(INF, -INF), U, U, U, U, c(INF, INF), c(NAN, NAN)],
    [c(INF, -INF), c(INF, -0.0), c(INF, -0.0), c(INF, 0.0), c(INF, 0.0), c(INF, INF), c(INF, NAN)],
    [c(INF, -INF), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN), c(INF, INF), c(NAN, NAN)],
];
#[rustfmt::skip]
static TANH: Table = [
    [c(-1.0, 0.0), U, c(-1.0, -0.0), c(-1.0, 0.0), U, c(-1.0, 0.0), c(-1.0, 0.0)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(-0.0, NAN), U, c(-0.0, -0.0), c(-0.0, 0.0), U, c(-0.0, NAN), c(-0.0, NAN)],
    [c(0.0, NAN), U, c(0.0, -0.0), c(0.0, 0.0), U, c(0.0, NAN), c(0.0, NAN)],
    [c(NAN, NAN), U, U, U, U, c(NAN, NAN), c(NAN, NAN)],
    [c(1.0, 0.0), U, c(1.0, -0.0), c(1.0, 0.0), U, c(1.0, 0.0), c(1.0, 0.0)],
    [c(NAN, NAN), c(NAN, NAN), c(NAN, -0.0), c(NAN, 0.0), c(NAN, NAN), c(NAN, NAN), c(NAN, NAN)],
];

fn big(z: Complex) -> bool {
    z.re.abs() > LARGE || z.im.abs() > LARGE
}

/// `cmath.sqrt`.
pub fn sqrt(z: Complex) -> Complex {
    if let Some(r) = special(z, &SQRT) {
        return r;
    }
    if z.re == 0.0 && z.im == 0.0 {
        return c(0.0, z.im);
    }
    let (mut ax, ay) = (z.re.abs(), z.im.abs());
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE && (ax > 0.0 || ay > 0.0) {
        // Lift subnormals; the odd power makes up for the half under the root.
        ax *= 2f64.powi(53);
        (ax + ax.hypot(ay * 2f64.powi(53))).sqrt() * 2f64.powi(-27)
    } else {
        ax /= 8.0;
        2.0 * (ax + ax.hypot(ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if z.re >= 0.0 { c(s, d.copysign(z.im)) } else { c(d, s.copysign(z.im)) }
}

/// `cmath.acos`.
pub fn acos(z: Complex) -> Complex {
    if let Some(r) = special(z, &ACOS) {
        return r;
    }
    if big(z) {
        let re = z.im.abs().atan2(z.re);
        let m = (z.re / 2.0).hypot(z.im / 2.0).ln() + LN_2 * 2.0;
        let im = if z.re < 0.0 { -m.copysign(z.im) } else { m.copysign(-z.im) };
        return c(re, im);
    }
    let s1 = sqrt(c(1.0 - z.re, -z.im));
    let s2 = sqrt(c(1.0 + z.re, z.im));
    c(2.0 * s1.re.atan2(s2.re), crate::float::asinh(s2.re * s1.im - s2.im * s1.re))
}

/// `cmath.acosh`.
pub fn acosh(z: Complex) -> Complex {
    if let Some(r) = special(z, &ACOSH) {
        return r;
    }
    if big(z) {
        return c((z.re / 2.0).hypot(z.im / 2.0).ln() + LN_2 * 2.0, z.im.atan2(z.re));
    }
    let s1 = sqrt(c(z.re - 1.0, z.im));
    let s2 = sqrt(c(z.re + 1.0, z.im));
    c(crate::float::asinh(s1.re * s2.re + s1.im * s2.im), 2.0 * s1.im.atan2(s2.re))
}

/// `cmath.asin`.
pub fn asin(z: Complex) -> Complex {
    let s = asinh(c(-z.im, z.re));
    c(s.im, -s.re)
}

/// `cmath.asinh`.
pub fn asinh(z: Complex) -> Complex {
    if let Some(r) = special(z, &ASINH) {
        return r;
    }
    if big(z) {
        let m = (z.re / 2.0).hypot(z.im / 2.0).ln() + LN_2 * 2.0;
        let re = if z.im.is_sign_positive() { m.copysign(z.re) } else { -m.copysign(-z.re) };
        return c(re, z.im.atan2(z.re.abs()));
    }
    let s1 = sqrt(c(1.0 + z.im, -z.re));
    let s2 = sqrt(c(1.0 - z.im, z.re));
    c(crate::float::asinh(s1.re * s2.im - s2.re * s1.im), z.im.atan2(s1.re * s2.re - s1.im * s2.im))
}

/// `cmath.atan`.
pub fn atan(z: Complex) -> Answer {
    let s = atanh(c(-z.im, z.re))?;
    Ok(c(s.im, -s.re))
}

/// `cmath.atanh`.
pub fn atanh(z: Complex) -> Answer {
    if let Some(r) = special(z, &ATANH) {
        return Ok(r);
    }
    if z.re < 0.0 || (z.re == 0.0 && z.re.is_sign_negative()) {
        let r = atanh(c(-z.re, -z.im))?;
        return Ok(c(-r.re, -r.im));
    }
    let ay = z.im.abs();
    if z.re > SQRT_LARGE || ay > SQRT_LARGE {
        let h = (z.re / 2.0).hypot(z.im / 2.0);
        return Ok(c(z.re / 4.0 / h / h, P12.copysign(z.im)));
    }
    if z.re == 1.0 && ay < SQRT_MIN {
        if ay == 0.0 {
            return Err(FloatError::Domain);
        }
        let re = -(ay.sqrt() / ay.hypot(2.0).sqrt()).ln();
        return Ok(c(re, (2f64.atan2(-ay) / 2.0).copysign(z.im)));
    }
    let d = 1.0 - z.re;
    Ok(c(
        (4.0 * z.re / (d * d + ay * ay)).ln_1p() / 4.0,
        -((-2.0 * z.im).atan2(d * (1.0 + z.re) - ay * ay)) / 2.0,
    ))
}

/// `cmath.cos`.
pub fn cos(z: Complex) -> Answer {
    cosh(c(-z.im, z.re))
}

fn check_domain(bad: bool, r: Complex) -> Answer {
    if bad { Err(FloatError::Domain) } else { Ok(r) }
}

fn check_range(r: Complex) -> Answer {
    if r.re.is_infinite() || r.im.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}

/// `cmath.cosh`.
pub fn cosh(z: Complex) -> Answer {
    if !z.re.is_finite() || !z.im.is_finite() {
        let r = if z.re.is_infinite() && z.im.is_finite() && z.im != 0.0 {
            let re = INF.copysign(z.im.cos());
            let im = INF.copysign(z.im.sin());
            c(re, if z.re > 0.0 { im } else { -im })
        } else {
            COSH[kind(z.re)][kind(z.im)]
        };
        return check_domain(z.im.is_infinite() && !z.re.is_nan(), r);
    }
    check_range(if z.re.abs() > LOG_LARGE {
        let x = z.re - 1f64.copysign(z.re);
        c(z.im.cos() * x.cosh() * E, z.im.sin() * x.sinh() * E)
    } else {
        c(z.im.cos() * z.re.cosh(), z.im.sin() * z.re.sinh())
    })
}

/// `cmath.exp`.
pub fn exp(z: Complex) -> Answer {
    if !z.re.is_finite() || !z.im.is_finite() {
        let r = if z.re.is_infinite() && z.im.is_finite() && z.im != 0.0 {
            let size = if z.re > 0.0 { INF } else { 0.0 };
            c(size.copysign(z.im.cos()), size.copysign(z.im.sin()))
        } else {
            EXP[kind(z.re)][kind(z.im)]
        };
        return check_domain(z.im.is_infinite() && (z.re.is_finite() || z.re == INF), r);
    }
    check_range(if z.re > LOG_LARGE {
        let l = (z.re - 1.0).exp();
        c(l * z.im.cos() * E, l * z.im.sin() * E)
    } else {
        let l = z.re.exp();
        c(l * z.im.cos(), l * z.im.sin())
    })
}

/// `cmath.log` with one argument.
pub fn log(z: Complex) -> Answer {
    if let Some(r) = special(z, &LOG) {
        return Ok(r);
    }
    let (ax, ay) = (z.re.abs(), z.im.abs());
    let re = if ax > LARGE || ay > LARGE {
        (ax / 2.0).hypot(ay / 2.0).ln() + LN_2
    } else if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        if ax == 0.0 && ay == 0.0 {
            return Err(FloatError::Domain);
        }
        (ax * 2f64.powi(53)).hypot(ay * 2f64.powi(53)).ln() - 53.0 * LN_2
    } else {
        let h = ax.hypot(ay);
        if (0.71..=1.73).contains(&h) {
            let (am, an) = if ax > ay { (ax, ay) } else { (ay, ax) };
            ((am - 1.0) * (am + 1.0) + an * an).ln_1p() / 2.0
        } else {
            h.ln()
        }
    };
    Ok(c(re, z.im.atan2(z.re)))
}

/// `cmath.log10`.
pub fn log10(z: Complex) -> Answer {
    let r = log(z)?;
    Ok(c(r.re / std::f64::consts::LN_10, r.im / std::f64::consts::LN_10))
}

/// `cmath.sin`.
pub fn sin(z: Complex) -> Answer {
    let s = sinh(c(-z.im, z.re))?;
    Ok(c(s.im, -s.re))
}

/// `cmath.sinh`.
pub fn sinh(z: Complex) -> Answer {
    if !z.re.is_finite() || !z.im.is_finite() {
        let r = if z.re.is_infinite() && z.im.is_finite() && z.im != 0.0 {
            let re = INF.copysign(z.im.cos());
            c(if z.re > 0.0 { re } else { -re }, INF.copysign(z.im.sin()))
        } else {
            SINH[kind(z.re)][kind(z.im)]
        };
        return check_domain(z.im.is_infinite() && !z.re.is_nan(), r);
    }
    check_range(if z.re.abs() > LOG_LARGE {
        let x = z.re - 1f64.copysign(z.re);
        c(z.im.cos() * x.sinh() * E, z.im.sin() * x.cosh() * E)
    } else {
        c(z.im.cos() * z.re.sinh(), z.im.sin() * z.re.cosh())
    })
}

/// `cmath.tan`.
pub fn tan(z: Complex) -> Answer {
    let s = tanh(c(-z.im, z.re))?;
    Ok(c(s.im, -s.re))
}

/// `cmath.tanh`.
pub fn tanh(z: Complex) -> Answer {
    if !z.re.is_finite() || !z.im.is_finite() {
        let r = if z.re.is_infinite() && z.im.is_finite() && z.im != 0.0 {
            c(if z.re > 0.0 { 1.0 } else { -1.0 }, 0f64.copysign(2.0 * z.im.sin() * z.im.cos()))
        } else {
            TANH[kind(z.re)][kind(z.im)]
        };
        return check_domain(z.im.is_infinite() && z.re.is_finite(), r);
    }
    if z.re.abs() > LOG_LARGE {
        let im = 4.0 * z.im.sin() * z.im.cos() * (-2.0 * z.re.abs()).exp();
        return Ok(c(1f64.copysign(z.re), im));
    }
    let tx = z.re.tanh();
    let ty = z.im.tan();
    let cx = 1.0 / z.re.cosh();
    let txty = tx * ty;
    let den = 1.0 + txty * txty;
    Ok(c(tx * (1.0 + ty * ty) / den, ty / den * cx * cx))
}

/// `cmath.phase`.
pub fn phase(z: Complex) -> f64 {
    z.im.atan2(z.re)
}

/// `cmath.rect`.
pub fn rect(r: f64, phi: f64) -> Answer {
    if !r.is_finite() || !phi.is_finite() {
        let out = if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let (x, y) = (INF.copysign(phi.cos()), INF.copysign(phi.sin()));
            if r > 0.0 { c(x, y) } else { c(-x, -y) }
        } else {
            rect_special(r, phi)
        };
        return check_domain(r != 0.0 && !r.is_nan() && phi.is_infinite(), out);
    }
    if phi == 0.0 {
        return Ok(c(r, r * phi));
    }
    Ok(c(r * phi.cos(), r * phi.sin()))
}

fn rect_special(r: f64, phi: f64) -> Complex {
    match (kind(r), kind(phi)) {
        (0, 2) => c(-INF, 0.0),
        (0, 3) => c(-INF, -0.0),
        (5, 2) => c(INF, -0.0),
        (5, 3) => c(INF, 0.0),
        (0 | 5, _) => c(INF, NAN),
        (2 | 3, _) => c(0.0, 0.0),
        (6, 2 | 3) => c(NAN, 0.0),
        _ => c(NAN, NAN),
    }
}
