//! Functions of `math` with Python's domain rules.

use super::{FloatError, decompose};
use crate::int::{self, Int, compose};

/// `math.frexp`.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (m, e) = decompose(x.abs());
    let len = 64 - m.leading_zeros() as i32;
    let fraction = f64::from_bits(1022 << 52 | (m << (53 - len)) & ((1 << 52) - 1));
    (fraction.copysign(x), e + len)
}

/// `math.ldexp`, correctly rounded.
pub fn ldexp(x: f64, e: i64) -> Result<f64, FloatError> {
    if x == 0.0 || !x.is_finite() {
        return Ok(x);
    }
    let (m, old) = decompose(x.abs());
    compose(x < 0.0, m, false, (old as i64).saturating_add(e)).ok_or(FloatError::Range)
}

/// `math.modf`: fraction and whole part.
pub fn modf(x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0f64.copysign(x), x);
    }
    let whole = x.trunc();
    ((x - whole).copysign(x), whole)
}

/// `math.remainder`.
pub fn remainder(x: f64, y: f64) -> Result<f64, FloatError> {
    if x.is_nan() || y.is_nan() {
        return Ok(if x.is_nan() { x } else { y });
    }
    if x.is_infinite() || y == 0.0 {
        return Err(FloatError::Domain);
    }
    if y.is_infinite() {
        return Ok(x);
    }
    let (a, b) = (x.abs(), y.abs());
    let m = a % b;
    let c = b - m;
    // On a tie the even quotient wins; halving the distance finds its parity without rounding.
    let r = if m < c {
        m
    } else if m > c {
        -c
    } else {
        m - 2.0 * ((0.5 * (a - m)) % b)
    };
    Ok(1f64.copysign(x) * r)
}

/// `math.fmod`.
pub fn fmod(x: f64, y: f64) -> Result<f64, FloatError> {
    if y.is_infinite() && x.is_finite() {
        return Ok(x);
    }
    let r = x % y;
    if r.is_nan() && !x.is_nan() && !y.is_nan() { Err(FloatError::Domain) } else { Ok(r) }
}

/// `math.pow`.
pub fn math_pow(x: f64, y: f64) -> Result<f64, FloatError> {
    match pow_c(x, y) {
        r if r.is_finite() => Ok(r),
        r if r.is_nan() && (x.is_nan() || y.is_nan()) => Ok(r),
        r if r.is_nan() => Err(FloatError::Domain),
        r if x.is_infinite() || y.is_infinite() => Ok(r),
        _ if x == 0.0 => Err(FloatError::Domain),
        _ => Err(FloatError::Range),
    }
}

fn pow_c(x: f64, y: f64) -> f64 {
    x.powf(y)
}

/// `math.fma`: `Domain` or `Range` where a finite or NaN-free input gives no number.
pub fn fma(x: f64, y: f64, z: f64) -> Result<f64, FloatError> {
    let r = x.mul_add(y, z);
    if r.is_finite() {
        return Ok(r);
    }
    if r.is_nan() {
        if !x.is_nan() && !y.is_nan() && !z.is_nan() {
            return Err(FloatError::Domain);
        }
    } else if x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(FloatError::Range);
    }
    Ok(r)
}

/// `math.nextafter(x, y, steps=n)`.
pub fn nextafter(x: f64, y: f64, steps: u64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    if steps == 0 || x == y {
        return if steps == 0 { x } else { y };
    }
    // Floats in order are integers in order once negatives are mirrored.
    let order = |f: f64| {
        let b = f.to_bits() as i64;
        if b < 0 { i64::MIN.wrapping_sub(b) as i128 } else { b as i128 }
    };
    let (a, b) = (order(x), order(y));
    let n = steps as i128;
    if (b - a).abs() <= n {
        return y;
    }
    let r = if b > a { a + n } else { a - n } as i64;
    if r == 0 {
        return 0f64.copysign(x);
    }
    f64::from_bits(if r < 0 { i64::MIN.wrapping_sub(r) as u64 } else { r as u64 })
}

/// `math.ulp`.
pub fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.abs();
    if x.is_infinite() {
        return x;
    }
    let up = x.next_up();
    if up.is_infinite() { x - x.next_down() } else { up - x }
}

/// Error function.
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Complementary error function.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// A logarithm with Python's errors; `f` is one of the `f64` logarithms.
pub fn log_checked(x: f64, f: fn(f64) -> f64) -> Result<f64, FloatError> {
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x <= 0.0 { Err(FloatError::Domain) } else { Ok(f(x)) }
}

/// A logarithm of an integer of any size.
pub fn log_int(a: Int, f: fn(f64) -> f64) -> Result<f64, FloatError> {
    if a.negative || a.is_zero() {
        return Err(FloatError::Domain);
    }
    if let Some(x) = int::to_f64(a) {
        return Ok(f(x));
    }
    let (m, e) = int::frexp(a);
    Ok(f(m) + f(2.0) * e as f64)
}

/// `math.hypot` of any number of coordinates; `dist` passes differences.
pub fn hypot(coordinates: &[f64]) -> f64 {
    let mut v: Vec<f64> = coordinates.iter().map(|x| x.abs()).collect();
    let max = v.iter().copied().fold(0.0, f64::max);
    if max.is_infinite() {
        return max;
    }
    if v.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    vector_norm(&mut v, max)
}

/// Sum of squares carried in twice the precision, then one Newton step on the root.
fn vector_norm(v: &mut [f64], max: f64) -> f64 {
    if max == 0.0 || v.len() <= 1 {
        return max;
    }
    let (_, e) = frexp(max);
    if e < -1023 {
        for x in v.iter_mut() {
            *x /= f64::MIN_POSITIVE;
        }
        return f64::MIN_POSITIVE * vector_norm(v, max / f64::MIN_POSITIVE);
    }
    let scale = ldexp(1.0, -e as i64).unwrap_or(1.0);
    let (mut sum, mut low1, mut low2) = (1.0f64, 0.0f64, 0.0f64);
    let mut take = |hi: f64, lo: f64| {
        let s = sum + hi;
        low2 += hi - (s - sum);
        low1 += lo;
        sum = s;
        sum - 1.0 + (low1 + low2)
    };
    let mut total = 0.0;
    for x in v.iter().map(|x| x * scale) {
        let hi = x * x;
        total = take(hi, x.mul_add(x, -hi));
    }
    let h = total.sqrt();
    let hi = -h * h;
    let rest = take(hi, (-h).mul_add(h, -hi));
    (h + rest / (2.0 * h)) / scale
}

/// Inverse hyperbolic sine. The standard library's own formula rounds otherwise than the C library.
pub fn asinh(x: f64) -> f64 {
    let a = x.abs();
    if !x.is_finite() || a < 1.0 / (1u64 << 28) as f64 {
        return x;
    }
    let r = if a > (1u64 << 28) as f64 {
        a.ln() + std::f64::consts::LN_2
    } else if a > 2.0 {
        (2.0 * a + 1.0 / ((x * x + 1.0).sqrt() + a)).ln()
    } else {
        let t = x * x;
        (a + t / (1.0 + (1.0 + t).sqrt())).ln_1p()
    };
    r.copysign(x)
}

/// Inverse hyperbolic cosine; NaN below one.
pub fn acosh(x: f64) -> f64 {
    if x.is_nan() || x < 1.0 {
        f64::NAN
    } else if x >= (1u64 << 28) as f64 {
        if x.is_infinite() { x } else { x.ln() + std::f64::consts::LN_2 }
    } else if x > 2.0 {
        (2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt())).ln()
    } else {
        let t = x - 1.0;
        (t + (2.0 * t + t * t).sqrt()).ln_1p()
    }
}

/// Inverse hyperbolic tangent; infinite at ±1, NaN beyond.
pub fn atanh(x: f64) -> f64 {
    let a = x.abs();
    let r = if a < 0.5 {
        if a < 1.0 / (1u64 << 28) as f64 {
            return x;
        }
        let t = a + a;
        0.5 * (t + t * a / (1.0 - a)).ln_1p()
    } else {
        0.5 * ((a + a) / (1.0 - a)).ln_1p()
    };
    r.copysign(x)
}
