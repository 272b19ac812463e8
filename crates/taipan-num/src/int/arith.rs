//! The four operations, powers, roots and common divisors.

use super::*;
use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::{DivRem, Gcd, SquareRoot};

/// Shorter operand length from which multiplication goes to the library.
const MUL_CUTOFF: usize = 20;

/// Repacks digits of 30 bits into the library's words.
pub(crate) fn to_big(digits: &[u32]) -> UBig {
    let mut bytes = Vec::with_capacity(digits.len() * 4);
    let (mut acc, mut have) = (0u64, 0u32);
    for &d in digits {
        acc |= (d as u64) << have;
        have += SHIFT;
        if have >= 32 {
            bytes.extend_from_slice(&(acc as u32).to_le_bytes());
            acc >>= 32;
            have -= 32;
        }
    }
    bytes.extend_from_slice(&(acc as u32).to_le_bytes());
    UBig::from_le_bytes(&bytes)
}

/// Repacks the library's words into digits of 30 bits.
pub(crate) fn from_big(big: &UBig) -> Digits {
    let words = big.as_words();
    let mut out = Vec::with_capacity(words.len() * 64 / 30 + 2);
    let (mut acc, mut have) = (0u128, 0u32);
    for &w in words {
        acc |= (w as u128) << have;
        have += 64;
        while have >= SHIFT {
            out.push(acc as u32 & MASK);
            acc >>= SHIFT;
            have -= SHIFT;
        }
    }
    out.push(acc as u32);
    Digits::from_vec(out)
}

fn buf(negative: bool, digits: Digits) -> IntBuf {
    IntBuf { negative: negative && !digits.is_empty(), digits }
}

#[inline]
fn small(d: &[u32]) -> Option<u128> {
    (d.len() <= 4).then(|| d.iter().rev().fold(0u128, |x, &d| x << SHIFT | d as u128))
}

fn add_digits(a: &[u32], b: &[u32]) -> Digits {
    if let (Some(x), Some(y)) = (small(a), small(b)) {
        return Digits::from_u128(x + y);
    }
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut out = Vec::with_capacity(a.len() + 1);
    let mut carry = 0;
    for (&x, &y) in a.iter().zip(b) {
        carry += x + y;
        out.push(carry & MASK);
        carry >>= SHIFT;
    }
    for &x in &a[b.len()..] {
        carry += x;
        out.push(carry & MASK);
        carry >>= SHIFT;
    }
    out.push(carry);
    Digits::from_vec(out)
}

/// `|a - b|` and whether `a < b`.
fn sub_digits(a: &[u32], b: &[u32]) -> (bool, Digits) {
    if let (Some(x), Some(y)) = (small(a), small(b)) {
        return (x < y, Digits::from_u128(x.abs_diff(y)));
    }
    match cmp_digits(a, b) {
        Ordering::Equal => (false, Digits::EMPTY),
        Ordering::Less => (true, sub_digits(b, a).1),
        Ordering::Greater => {
            let mut out = Vec::with_capacity(a.len());
            let mut borrow = 0u32;
            for (i, &x) in a.iter().enumerate() {
                let y = b.get(i).copied().unwrap_or(0);
                let d = x.wrapping_sub(y).wrapping_sub(borrow);
                out.push(d & MASK);
                borrow = d >> 31;
            }
            (false, Digits::from_vec(out))
        }
    }
}

/// `a + b`.
pub fn add(a: Int, b: Int) -> IntBuf {
    if a.negative == b.negative {
        return buf(a.negative, add_digits(a.digits, b.digits));
    }
    let (less, d) = sub_digits(a.digits, b.digits);
    buf(a.negative != less, d)
}

/// `a - b`.
pub fn sub(a: Int, b: Int) -> IntBuf {
    add(a, b.neg())
}

fn mul_digits(a: &[u32], b: &[u32]) -> Digits {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    if b.is_empty() {
        return Digits::EMPTY;
    }
    if a.len() <= 2 {
        let x = a.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64);
        let y = b.iter().rev().fold(0u64, |x, &d| x << SHIFT | d as u64);
        return Digits::from_u128(x as u128 * y as u128);
    }
    if b.len() >= MUL_CUTOFF {
        if std::ptr::eq(a, b) {
            return from_big(&to_big(a).sqr());
        }
        return from_big(&(to_big(a) * to_big(b)));
    }
    let mut out = vec![0u32; a.len() + b.len()];
    for (i, &y) in b.iter().enumerate() {
        let mut carry = 0u64;
        let y = y as u64;
        let (row, rest) = out[i..].split_at_mut(a.len());
        for (o, &x) in row.iter_mut().zip(a) {
            carry += *o as u64 + x as u64 * y;
            *o = carry as u32 & MASK;
            carry >>= SHIFT;
        }
        rest[0] = carry as u32;
    }
    Digits::from_vec(out)
}

/// `a * b`. The same slice twice is squared.
pub fn mul(a: Int, b: Int) -> IntBuf {
    buf(a.negative != b.negative, mul_digits(a.digits, b.digits))
}

/// Quotient and remainder of magnitudes; the divisor is not zero.
pub(crate) fn divrem_digits(a: &[u32], b: &[u32]) -> (Digits, Digits) {
    if cmp_digits(a, b) == Ordering::Less {
        return (Digits::EMPTY, Int::new(false, a).to_owned().digits);
    }
    if let (Some(x), Some(y)) = (small(a), small(b)) {
        if let (Ok(x), Ok(y)) = (u64::try_from(x), u64::try_from(y)) {
            return (Digits::from_u128((x / y) as u128), Digits::from_u128((x % y) as u128));
        }
        return (Digits::from_u128(x / y), Digits::from_u128(x % y));
    }
    if b.len() == 1 {
        let (q, r) = divrem_digit(a, b[0]);
        return (q, Digits::from_u128(r as u128));
    }
    let (q, r) = to_big(a).div_rem(to_big(b));
    (from_big(&q), from_big(&r))
}

fn divrem_digit(a: &[u32], d: u32) -> (Digits, u32) {
    let mut out = vec![0; a.len()];
    let mut rem = 0u64;
    for (o, &x) in out.iter_mut().zip(a).rev() {
        rem = rem << SHIFT | x as u64;
        *o = (rem / d as u64) as u32;
        rem %= d as u64;
    }
    (Digits::from_vec(out), rem as u32)
}

/// Quotient rounded toward zero, and a remainder with the sign of `a`.
pub fn divrem_trunc(a: Int, b: Int) -> Result<(IntBuf, IntBuf), IntError> {
    check_room(a.digits.len() + b.digits.len())?;
    if b.is_zero() {
        return Err(IntError::ZeroDivision);
    }
    let (q, r) = divrem_digits(a.digits, b.digits);
    Ok((buf(a.negative != b.negative, q), buf(a.negative, r)))
}

/// Python's `divmod`: floor of the quotient, remainder with the sign of `b`.
pub fn divmod(a: Int, b: Int) -> Result<(IntBuf, IntBuf), IntError> {
    let (q, r) = divrem_trunc(a, b)?;
    if !r.digits.is_empty() && r.negative != b.negative {
        return Ok((sub(q.as_int(), ONE), add(r.as_int(), b)));
    }
    Ok((q, r))
}

/// One, for the small corrections.
pub(crate) const ONE: Int<'static> = Int { negative: false, digits: &[1] };

/// `a // b`.
pub fn floordiv(a: Int, b: Int) -> Result<IntBuf, IntError> {
    divmod(a, b).map(|x| x.0)
}

/// `a % b`.
pub fn modulo(a: Int, b: Int) -> Result<IntBuf, IntError> {
    divmod(a, b).map(|x| x.1)
}

/// `divmod_near` of CPython: quotient rounded half to even and the remainder that goes with it.
pub fn divmod_near(a: Int, b: Int) -> Result<(IntBuf, IntBuf), IntError> {
    let (q, r) = divmod(a, b)?;
    // After floor division r has the sign of b, so twice |r| against |b| decides.
    let twice = lshift(r.as_int().abs(), 1)?;
    let up = match cmp_digits(&twice.digits, b.digits) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => q.as_int().is_odd(),
    };
    if up { Ok((add(q.as_int(), ONE), sub(r.as_int(), b))) } else { Ok((q, r)) }
}

/// `base ** exp` for `exp >= 0`.
pub fn pow(base: Int, exp: Int) -> Result<IntBuf, IntError> {
    if exp.negative {
        return Err(IntError::Negative);
    }
    if exp.is_zero() {
        return Ok(ONE.to_owned());
    }
    if base.digits.len() <= 1 && base.digits.first().is_none_or(|&d| d == 1) {
        let negative = base.negative && exp.is_odd();
        return Ok(IntBuf { negative, ..base.to_owned() });
    }
    let e = to_u64(exp).map_err(|_| IntError::NoMemory)?;
    let bits = bit_length(base);
    // Results past a terabit never fit; refusing early keeps the library from aborting.
    if (bits - 1).checked_mul(e).is_none_or(|n| n > 1 << 40) {
        return Err(IntError::NoMemory);
    }
    let negative = base.negative && e & 1 == 1;
    if bits.saturating_mul(e) <= 120 {
        return Ok(IntBuf::from_u128(negative, small(base.digits).unwrap_or(0).pow(e as u32)));
    }
    let twos = trailing_zeros(base);
    if twos + 1 == bits {
        let r = lshift(ONE, twos * e)?;
        return Ok(IntBuf { negative, ..r });
    }
    check_room((bits * e / 30 + 1) as usize)?;
    Ok(buf(negative, from_big(&to_big(base.digits).pow(e as usize))))
}

/// Whether there is memory for work on so many digits. The library for large numbers ends the program where there is
/// none, so this is asked before; what it needs besides the result is a multiple of it.
///
/// # Errors
/// `NoMemory`.
pub fn check_room(digits: usize) -> Result<(), IntError> {
    const LARGE: usize = 1 << 24;
    if digits < LARGE {
        return Ok(());
    }
    Vec::<[u32; 16]>::new().try_reserve_exact(digits).map_err(|_| IntError::NoMemory)
}

/// Three-argument `pow`. `ZeroDivision` stands for a zero modulus.
pub fn pow_mod(base: Int, exp: Int, modulus: Int) -> Result<IntBuf, IntError> {
    if modulus.is_zero() {
        return Err(IntError::ZeroDivision);
    }
    check_room(base.digits.len() + 2 * modulus.digits.len())?;
    if modulus.digits == [1] {
        return Ok(IntBuf::zero());
    }
    let m = modulus.abs();
    let b = modulo(base, m)?;
    let r = if let (Some(b), Some(e), Some(m)) = (small(&b.digits), small(exp.digits), small(m.digits))
        && m >> 63 == 0
        && e >> 64 == 0
        && !exp.negative
    {
        IntBuf::from_u128(false, pow_mod_u64(b as u64, e as u64, m as u64) as u128)
    } else {
        let ring = ConstDivisor::new(to_big(m.digits));
        let mut x = ring.reduce(to_big(&b.digits));
        if exp.negative {
            x = x.inv().ok_or(IntError::NotInvertible)?;
        }
        buf(false, from_big(&x.pow(&to_big(exp.digits)).residue()))
    };
    if modulus.negative && !r.digits.is_empty() { Ok(add(r.as_int(), modulus)) } else { Ok(r) }
}

fn pow_mod_u64(mut b: u64, mut e: u64, m: u64) -> u64 {
    let mut r = 1 % m;
    while e != 0 {
        if e & 1 == 1 {
            r = (r as u128 * b as u128 % m as u128) as u64;
        }
        b = (b as u128 * b as u128 % m as u128) as u64;
        e >>= 1;
    }
    r
}

/// Greatest common divisor, never negative.
pub fn gcd(a: Int, b: Int) -> IntBuf {
    if a.is_zero() || b.is_zero() {
        return if a.is_zero() { b.abs().to_owned() } else { a.abs().to_owned() };
    }
    if let (Some(x), Some(y)) = (small(a.digits), small(b.digits)) {
        let (mut x, mut y) = if x < y { (y, x) } else { (x, y) };
        while y != 0 {
            if x >> 64 == 0 {
                let (mut p, mut q) = (x as u64, y as u64);
                while q != 0 {
                    (p, q) = (q, p % q);
                }
                return IntBuf::from_u128(false, p as u128);
            }
            (x, y) = (y, x % y);
        }
        return IntBuf::from_u128(false, x);
    }
    buf(false, from_big(&to_big(a.digits).gcd(to_big(b.digits))))
}

/// Least common multiple, never negative.
pub fn lcm(a: Int, b: Int) -> IntBuf {
    if a.is_zero() || b.is_zero() {
        return IntBuf::zero();
    }
    let g = gcd(a, b);
    let (q, _) = divrem_digits(a.digits, &g.digits);
    buf(false, mul_digits(&q, b.digits))
}

/// Floor of the square root.
pub fn isqrt(a: Int) -> Result<IntBuf, IntError> {
    if a.negative {
        return Err(IntError::Negative);
    }
    if let Some(x) = small(a.digits) {
        return Ok(IntBuf::from_u128(false, x.isqrt()));
    }
    Ok(buf(false, from_big(&to_big(a.digits).sqrt())))
}
