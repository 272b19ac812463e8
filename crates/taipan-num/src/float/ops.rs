//! Python's float arithmetic where it differs from the machine's, and the hash.

use super::{FloatError, decompose};

/// `divmod(x, y)`: floor of the quotient and the remainder with the sign of `y`.
pub fn divmod(x: f64, y: f64) -> Result<(f64, f64), FloatError> {
    if y == 0.0 {
        return Err(FloatError::ZeroDivision);
    }
    let mut m = x % y;
    let mut q = (x - m) / y;
    if m != 0.0 {
        if (y < 0.0) != (m < 0.0) {
            m += y;
            q -= 1.0;
        }
    } else {
        m = 0f64.copysign(y);
    }
    let floor = if q != 0.0 {
        let f = q.floor();
        if q - f > 0.5 { f + 1.0 } else { f }
    } else {
        0f64.copysign(x / y)
    };
    Ok((floor, m))
}

/// `x % y`.
pub fn modulo(x: f64, y: f64) -> Result<f64, FloatError> {
    divmod(x, y).map(|r| r.1)
}

/// `x // y`.
pub fn floordiv(x: f64, y: f64) -> Result<f64, FloatError> {
    divmod(x, y).map(|r| r.0)
}

/// `x ** y`.
pub fn pow(x: f64, y: f64) -> Result<f64, FloatError> {
    let odd = |y: f64| y.abs() % 2.0 == 1.0;
    if y == 0.0 || x == 1.0 {
        return Ok(1.0);
    }
    if x.is_nan() || y.is_nan() {
        return Ok(if x.is_nan() { x } else { y });
    }
    if y.is_infinite() {
        let a = x.abs();
        return Ok(if a == 1.0 {
            1.0
        } else if (y > 0.0) == (a > 1.0) {
            y.abs()
        } else {
            0.0
        });
    }
    if x.is_infinite() {
        return Ok(match (y > 0.0, odd(y)) {
            (true, true) => x,
            (true, false) => x.abs(),
            (false, true) => 0f64.copysign(x),
            (false, false) => 0.0,
        });
    }
    if x == 0.0 {
        if y < 0.0 {
            return Err(FloatError::ZeroToNegative);
        }
        return Ok(if odd(y) { x } else { 0.0 });
    }
    if x < 0.0 && y != y.floor() {
        return Err(FloatError::Complex);
    }
    let r = x.abs().powf(y);
    let r = if x < 0.0 && odd(y) { -r } else { r };
    if r.is_infinite() { Err(FloatError::Range) } else { Ok(r) }
}

/// `hash(x)`; `None` for NaN, whose hash is that of its object.
pub fn hash(x: f64) -> Option<i64> {
    const P: u64 = (1 << 61) - 1;
    if x.is_nan() {
        return None;
    }
    if x.is_infinite() {
        return Some(if x > 0.0 { 314159 } else { -314159 });
    }
    let (m, e) = decompose(x.abs());
    // Multiplying by a power of two modulo 2**61 - 1 is a rotation.
    let e = e.rem_euclid(61) as u32;
    let h = if e == 0 { m } else { (m << e) & P | m >> (61 - e) } as i64;
    let h = if h as u64 == P { 0 } else { h };
    let h = if x < 0.0 { -h } else { h };
    Some(if h == -1 { -2 } else { h })
}
