//! To and from machine numbers, floats, bytes; comparison with floats; hash.

use super::*;

/// An `i64` as an integer.
#[inline]
pub fn from_i64(x: i64) -> IntBuf {
    IntBuf::from_u128(x < 0, x.unsigned_abs() as u128)
}
/// A `u64` as an integer.
#[inline]
pub fn from_u64(x: u64) -> IntBuf {
    IntBuf::from_u128(false, x as u128)
}
/// An `i128` as an integer.
pub fn from_i128(x: i128) -> IntBuf {
    IntBuf::from_u128(x < 0, x.unsigned_abs())
}

/// The magnitude as `u128` when it fits.
fn magnitude(a: Int) -> Option<u128> {
    if bit_length(a) > 128 {
        return None;
    }
    Some(a.digits.iter().rev().fold(0u128, |x, &d| x << SHIFT | d as u128))
}

/// As `i64`; `None` when it does not fit.
#[inline]
pub fn to_i64(a: Int) -> Option<i64> {
    match *a.digits {
        [] => Some(0),
        [d] => Some(if a.negative { -(d as i64) } else { d as i64 }),
        [lo, hi] => {
            let x = (hi as i64) << SHIFT | lo as i64;
            Some(if a.negative { -x } else { x })
        }
        _ => to_i128(a).and_then(|x| i64::try_from(x).ok()),
    }
}

/// As `i128`; `None` when it does not fit.
pub fn to_i128(a: Int) -> Option<i128> {
    let m = magnitude(a)?;
    if a.negative { 0i128.checked_sub_unsigned(m) } else { i128::try_from(m).ok() }
}

/// As `u64`: `Negative` or `Overflow` when it cannot be.
pub fn to_u64(a: Int) -> Result<u64, IntError> {
    if a.negative {
        return Err(IntError::Negative);
    }
    magnitude(a).and_then(|m| u64::try_from(m).ok()).ok_or(IntError::Overflow)
}

/// The lowest 64 bits in two's complement, as C casts do.
pub fn to_u64_wrapping(a: Int) -> u64 {
    let m = a.digits.iter().take(3).rev().fold(0u128, |x, &d| x << SHIFT | d as u128) as u64;
    if a.negative { m.wrapping_neg() } else { m }
}

/// `m * 2**exp` with `m` in 64 significant bits at most, `sticky` telling of ones below: rounded half to even.
pub(crate) fn compose(negative: bool, m: u64, sticky: bool, exp: i64) -> Option<f64> {
    if m == 0 {
        return Some(if negative { -0.0 } else { 0.0 });
    }
    let len = 64 - m.leading_zeros() as i64;
    let top = len + exp; // value in [2**(top-1), 2**top)
    if top > 1024 {
        return None;
    }
    let keep = if top - 1 < -1022 { 53 - (-1022 - (top - 1)) } else { 53 };
    let drop = len - keep;
    let (mut q, up) = if drop <= 0 {
        (m << (-drop).min(63), false)
    } else if drop > 64 {
        (0, false)
    } else {
        let q = if drop == 64 { 0 } else { m >> drop };
        let half = 1u64 << (drop - 1);
        let low = m & (half | (half - 1));
        (q, low > half || (low == half && (sticky || q & 1 == 1)))
    };
    q += up as u64;
    let e = exp + drop;
    let r = ldexp_exact(q as f64, e);
    if r.is_infinite() {
        return None;
    }
    Some(if negative { -r } else { r })
}

/// `x * 2**e` where the product is representable.
fn ldexp_exact(mut x: f64, mut e: i64) -> f64 {
    while e > 1000 {
        x *= 2f64.powi(1000);
        e -= 1000;
    }
    while e < -1000 {
        x *= 2f64.powi(-1000);
        e += 1000;
    }
    // Near the lower end the power itself would be subnormal: go in two exact steps.
    if e < -500 { x * 2f64.powi(-500) * 2f64.powi((e + 500) as i32) } else { x * 2f64.powi(e as i32) }
}

/// The nearest float, ties to even; `None` on overflow.
pub fn to_f64(a: Int) -> Option<f64> {
    if let Some(x) = to_i64(a) {
        return Some(x as f64);
    }
    let bits = bit_length(a);
    if bits > 1024 {
        return None;
    }
    let (top, lost) = shr_digits(a.digits, bits - 64);
    let m = top.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64);
    compose(a.negative, m, lost, bits as i64 - 64)
}

/// CPython's `frexp` of an integer: `x` in [0.5, 1) and exponent, for logarithms past the float range.
pub fn frexp(a: Int) -> (f64, i64) {
    let bits = bit_length(a);
    if bits == 0 {
        return (0.0, 0);
    }
    let (m, lost) = if bits > 64 {
        let (top, lost) = shr_digits(a.digits, bits - 64);
        (top.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64), lost)
    } else {
        (a.digits.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64) << (64 - bits), false)
    };
    let x = compose(a.negative, m, lost, -64).unwrap_or(0.0);
    if x.abs() == 1.0 { (x / 2.0, bits as i64 + 1) } else { (x, bits as i64) }
}

/// Truncates a finite float; `None` for infinities and NaN.
pub fn from_f64(x: f64) -> Option<IntBuf> {
    if !x.is_finite() {
        return None;
    }
    if x.abs() < 9.2e18 {
        return Some(from_i64(x as i64));
    }
    let (m, e) = crate::float::decompose(x.abs());
    let r = lshift(from_u64(m).as_int(), e as u64).ok()?;
    Some(IntBuf { negative: x < 0.0, ..r })
}

/// Numerator and denominator in lowest terms of a finite float; `None` otherwise.
pub fn as_integer_ratio(x: f64) -> Option<(IntBuf, IntBuf)> {
    if !x.is_finite() {
        return None;
    }
    let (mut m, mut e) = crate::float::decompose(x.abs());
    if m == 0 {
        return Some((IntBuf::zero(), from_u64(1)));
    }
    let z = m.trailing_zeros();
    m >>= z;
    e += z as i32;
    let (up, down) = if e >= 0 { (e as u64, 0) } else { (0, -e as u64) };
    let n = lshift(from_u64(m).as_int(), up).ok()?;
    let d = lshift(ONE, down).ok()?;
    Some((IntBuf { negative: x < 0.0, ..n }, d))
}

/// Exact comparison with a float; `None` for NaN.
pub fn cmp_f64(a: Int, x: f64) -> Option<Ordering> {
    if x.is_nan() {
        return None;
    }
    if x.is_infinite() {
        return Some(if x > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    if let Some(i) = to_i64(a)
        && i.unsigned_abs() < 1 << 53
    {
        return (i as f64).partial_cmp(&x);
    }
    let whole = from_f64(x)?;
    let fraction = x - x.trunc();
    Some(a.cmp(&whole.as_int()).then_with(|| 0.0f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}

/// `a / b`, correctly rounded. `Overflow` when too large for a float.
pub fn true_div(a: Int, b: Int) -> Result<f64, IntError> {
    if b.is_zero() {
        return Err(IntError::ZeroDivision);
    }
    let negative = a.negative != b.negative;
    if a.is_zero() {
        return Ok(if b.negative { -0.0 } else { 0.0 });
    }
    let (la, lb) = (bit_length(a), bit_length(b));
    if la <= 53 && lb <= 53 {
        let (x, y) = (to_i64(a).unwrap_or(0), to_i64(b).unwrap_or(1));
        return Ok(x as f64 / y as f64);
    }
    let gap = la as i64 - lb as i64;
    if gap > 1025 {
        return Err(IntError::Overflow);
    }
    if gap < -1080 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    // Scale so that the quotient has 62 or 63 bits; the remainder is the sticky bit.
    let shift = 62 - gap;
    let (q, r) = if shift >= 0 {
        divrem_digits(&lshift(a.abs(), shift as u64)?.digits, b.digits)
    } else {
        divrem_digits(a.digits, &lshift(b.abs(), -shift as u64)?.digits)
    };
    let m = q.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64);
    compose(negative, m, !r.is_empty(), -shift).ok_or(IntError::Overflow)
}

/// Reads bytes, least significant first if `little`.
pub fn from_bytes(bytes: &[u8], little: bool, signed: bool) -> IntBuf {
    let at = |i: usize| if little { bytes[i] } else { bytes[bytes.len() - 1 - i] };
    let n = bytes.len();
    let negative = signed && n > 0 && at(n - 1) & 0x80 != 0;
    let mut out = Vec::with_capacity(n * 8 / 30 + 2);
    let (mut acc, mut have, mut carry) = (0u64, 0u32, 1u32);
    for i in 0..n {
        let mut b = at(i) as u32;
        if negative {
            carry += b ^ 0xff;
            b = carry & 0xff;
            carry >>= 8;
        }
        acc |= (b as u64) << have;
        have += 8;
        if have >= SHIFT {
            out.push(acc as u32 & MASK);
            acc >>= SHIFT;
            have -= SHIFT;
        }
    }
    out.push(acc as u32);
    IntBuf::from_vec(negative, out)
}

/// Writes two's complement into `out`. `Negative`: negative and unsigned; `Overflow`: too big.
pub fn to_bytes(a: Int, out: &mut [u8], little: bool, signed: bool) -> Result<(), IntError> {
    if a.negative && !signed {
        return Err(IntError::Negative);
    }
    let room = out.len() as u64 * 8;
    let bits = bit_length(a);
    let fits = if !signed {
        bits <= room
    } else if a.negative {
        // -2**(n-1) still fits n bits.
        bits < room || (bits == room && room > 0 && trailing_zeros(a) + 1 == bits)
    } else {
        bits < room || bits == 0
    };
    if !fits {
        return Err(IntError::Overflow);
    }
    let (mut acc, mut have, mut next, mut carry) = (0u64, 0u32, a.digits.iter(), 1u32);
    let n = out.len();
    for i in 0..n {
        if have < 8
            && let Some(&d) = next.next()
        {
            acc |= (d as u64) << have;
            have += SHIFT;
        }
        let mut b = acc as u32 & 0xff;
        acc >>= 8;
        have = have.saturating_sub(8);
        if a.negative {
            carry += b ^ 0xff;
            b = carry & 0xff;
            carry >>= 8;
        }
        out[if little { i } else { n - 1 - i }] = b as u8;
    }
    Ok(())
}

/// `hash(int)`: the value modulo 2**61 - 1 with the sign put back, and -2 for -1.
pub fn hash(a: Int) -> i64 {
    const P: u64 = (1 << 61) - 1;
    let mut x = 0u64;
    for &d in a.digits.iter().rev() {
        x = ((x << SHIFT) & P) | (x >> (61 - SHIFT));
        x += d as u64;
        if x >= P {
            x -= P;
        }
    }
    let h = if a.negative { -(x as i64) } else { x as i64 };
    if h == -1 { -2 } else { h }
}
