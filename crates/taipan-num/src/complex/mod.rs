//! Complex numbers: arithmetic with the recoveries of C's Annex G, powers, text, hash, and `cmath`.

mod cmath;
mod text;

pub use cmath::*;
pub use text::*;

use crate::float::FloatError;

/// A complex number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// Shorthand.
pub const fn c(re: f64, im: f64) -> Complex {
    Complex { re, im }
}

/// An infinite part becomes ±1, a finite one ±0.
fn boxed(x: f64) -> f64 {
    (if x.is_infinite() { 1f64 } else { 0.0 }).copysign(x)
}

fn nan_to_zero(x: f64) -> f64 {
    if x.is_nan() { 0f64.copysign(x) } else { x }
}

/// `x * y`.
pub fn mul(x: Complex, y: Complex) -> Complex {
    let (mut a, mut b, mut cc, mut d) = (x.re, x.im, y.re, y.im);
    let (ac, bd, ad, bc) = (a * cc, b * d, a * d, b * cc);
    let r = c(ac - bd, ad + bc);
    if !(r.re.is_nan() && r.im.is_nan()) {
        return r;
    }
    let mut again = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, cc, d) = (boxed(a), boxed(b), nan_to_zero(cc), nan_to_zero(d));
        again = true;
    }
    if cc.is_infinite() || d.is_infinite() {
        (cc, d, a, b) = (boxed(cc), boxed(d), nan_to_zero(a), nan_to_zero(b));
        again = true;
    }
    if !again && [ac, bd, ad, bc].iter().any(|x| x.is_infinite()) {
        (a, b, cc, d) = (nan_to_zero(a), nan_to_zero(b), nan_to_zero(cc), nan_to_zero(d));
        again = true;
    }
    if again { c(f64::INFINITY * (a * cc - b * d), f64::INFINITY * (a * d + b * cc)) } else { r }
}

/// `x / y`; `ZeroDivision` for a zero divisor.
pub fn div(x: Complex, y: Complex) -> Result<Complex, FloatError> {
    let (ar, ai) = (y.re.abs(), y.im.abs());
    let mut r = if ar >= ai {
        if ar == 0.0 {
            return Err(FloatError::ZeroDivision);
        }
        let ratio = y.im / y.re;
        let den = y.re + y.im * ratio;
        c((x.re + x.im * ratio) / den, (x.im - x.re * ratio) / den)
    } else if ai >= ar {
        let ratio = y.re / y.im;
        let den = y.re * ratio + y.im;
        c((x.re * ratio + x.im) / den, (x.im * ratio - x.re) / den)
    } else {
        c(f64::NAN, f64::NAN)
    };
    if r.re.is_nan() && r.im.is_nan() {
        let inf = f64::INFINITY;
        if (x.re.is_infinite() || x.im.is_infinite()) && y.re.is_finite() && y.im.is_finite() {
            let (p, q) = (boxed(x.re), boxed(x.im));
            r = c(inf * (p * y.re + q * y.im), inf * (q * y.re - p * y.im));
        } else if (ar.is_infinite() || ai.is_infinite()) && x.re.is_finite() && x.im.is_finite() {
            let (p, q) = (boxed(y.re), boxed(y.im));
            r = c(0.0 * (x.re * p + x.im * q), 0.0 * (x.im * p - x.re * q));
        }
    }
    Ok(r)
}

/// `x / y` for a real `x`.
pub fn real_div(x: f64, y: Complex) -> Result<Complex, FloatError> {
    let (ar, ai) = (y.re.abs(), y.im.abs());
    let mut r = if ar >= ai {
        if ar == 0.0 {
            return Err(FloatError::ZeroDivision);
        }
        let ratio = y.im / y.re;
        let den = y.re + y.im * ratio;
        c(x / den, (-x * ratio) / den)
    } else if ai >= ar {
        let ratio = y.re / y.im;
        let den = y.re * ratio + y.im;
        c((x * ratio) / den, -x / den)
    } else {
        c(f64::NAN, f64::NAN)
    };
    if r.re.is_nan() && r.im.is_nan() && x.is_finite() && (ar.is_infinite() || ai.is_infinite()) {
        let (p, q) = (boxed(y.re), boxed(y.im));
        r = c(0.0 * (x * p), 0.0 * (-x * q));
    }
    Ok(r)
}

/// `x / y` for a real `y`.
pub fn div_real(x: Complex, y: f64) -> Result<Complex, FloatError> {
    if y == 0.0 {
        return Err(FloatError::ZeroDivision);
    }
    Ok(c(x.re / y, x.im / y))
}

/// `abs(x)`; `Range` on overflow.
pub fn abs(x: Complex) -> Result<f64, FloatError> {
    if x.re.is_infinite() || x.im.is_infinite() {
        return Ok(f64::INFINITY);
    }
    let r = x.re.hypot(x.im);
    if r.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}

fn pow_u(x: Complex, n: u32) -> Complex {
    let (mut r, mut p) = (c(1.0, 0.0), x);
    let mut mask = 1;
    while mask != 0 && n >= mask {
        if n & mask != 0 {
            r = mul(r, p);
        }
        mask <<= 1;
        p = mul(p, p);
    }
    r
}

fn pow_general(x: Complex, y: Complex) -> Result<Complex, FloatError> {
    if y.re == 0.0 && y.im == 0.0 {
        return Ok(c(1.0, 0.0));
    }
    if x.re == 0.0 && x.im == 0.0 {
        return if y.im != 0.0 || y.re < 0.0 { Err(FloatError::ZeroDivision) } else { Ok(c(0.0, 0.0)) };
    }
    let size = x.re.hypot(x.im);
    let mut len = size.powf(y.re);
    let at = x.im.atan2(x.re);
    let mut phase = at * y.re;
    if y.im != 0.0 {
        len *= (-at * y.im).exp();
        phase += y.im * size.ln();
    }
    if phase.is_infinite() {
        // The C library reports a domain error for such an angle, and CPython words it so.
        return Err(FloatError::ZeroDivision);
    }
    Ok(c(len * phase.cos(), len * phase.sin()))
}

/// `x ** y`. `ZeroDivision`: zero to a negative or complex power; `Range`: overflow.
pub fn pow(x: Complex, y: Complex) -> Result<Complex, FloatError> {
    let r = if y.im == 0.0 && y.re == y.re.floor() && y.re.abs() <= 100.0 {
        let n = y.re as i32;
        let p = pow_u(x, n.unsigned_abs());
        if n >= 0 { p } else { div(c(1.0, 0.0), p)? }
    } else {
        pow_general(x, y)?
    };
    if r.re.is_infinite() || r.im.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}

/// `hash(x)` from the hashes of both parts (the caller hashes NaN parts by object).
pub fn hash(re: i64, im: i64) -> i64 {
    crate::hash::fix(re.wrapping_add(im.wrapping_mul(1000003)))
}
