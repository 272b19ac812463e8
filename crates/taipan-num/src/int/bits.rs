//! Shifts and bitwise operations, negative numbers read as endless two's complement.

use super::*;

/// Bits of the magnitude.
#[inline]
pub fn bit_length(a: Int) -> u64 {
    match a.digits.last() {
        None => 0,
        Some(&top) => (a.digits.len() as u64 - 1) * SHIFT as u64 + (32 - top.leading_zeros()) as u64,
    }
}

/// Ones in the magnitude.
pub fn bit_count(a: Int) -> u64 {
    a.digits.iter().map(|d| d.count_ones() as u64).sum()
}

/// Zeros below the lowest one; 0 for zero.
pub fn trailing_zeros(a: Int) -> u64 {
    match a.digits.iter().position(|&d| d != 0) {
        None => 0,
        Some(i) => i as u64 * SHIFT as u64 + a.digits[i].trailing_zeros() as u64,
    }
}

/// `a << n`.
pub fn lshift(a: Int, n: u64) -> Result<IntBuf, IntError> {
    if a.is_zero() {
        return Ok(IntBuf::zero());
    }
    let (whole, part) = (n / SHIFT as u64, (n % SHIFT as u64) as u32);
    let whole = usize::try_from(whole).map_err(|_| IntError::NoMemory)?;
    let len = whole.checked_add(a.digits.len() + 1).ok_or(IntError::NoMemory)?;
    let mut out = try_zeroed(len)?;
    let mut carry = 0u64;
    for (o, &d) in out[whole..].iter_mut().zip(a.digits) {
        carry |= (d as u64) << part;
        *o = carry as u32 & MASK;
        carry >>= SHIFT;
    }
    out[len - 1] = carry as u32;
    Ok(IntBuf::from_vec(a.negative, out))
}

/// Magnitude shifted right, and whether a one fell out.
pub(crate) fn shr_digits(digits: &[u32], n: u64) -> (Vec<u32>, bool) {
    let whole = usize::try_from(n / SHIFT as u64).unwrap_or(usize::MAX);
    let part = (n % SHIFT as u64) as u32;
    if whole >= digits.len() {
        return (Vec::new(), !digits.is_empty());
    }
    let (low, high) = digits.split_at(whole);
    let lost = low.iter().any(|&d| d != 0) || high[0] & ((1 << part) - 1) != 0;
    let mut out = Vec::with_capacity(high.len() + 1);
    for (i, &d) in high.iter().enumerate() {
        let next = high.get(i + 1).copied().unwrap_or(0) as u64;
        out.push((((next << SHIFT) | d as u64) >> part) as u32 & MASK);
    }
    (out, lost)
}

/// `a >> n`, rounding toward minus infinity.
pub fn rshift(a: Int, n: u64) -> IntBuf {
    let (v, lost) = shr_digits(a.digits, n);
    let r = IntBuf::from_vec(a.negative, v);
    if a.negative && lost { sub(Int { negative: true, digits: &r.digits }, ONE) } else { r }
}

/// `~a`.
pub fn invert(a: Int) -> IntBuf {
    add(a, ONE).negated()
}

/// Two's complement over `n` digits.
fn twos(a: Int, n: usize) -> Vec<u32> {
    let mut v = a.digits.to_vec();
    v.resize(n, 0);
    if a.negative {
        complement(&mut v);
    }
    v
}

fn complement(v: &mut [u32]) {
    let mut carry = 1;
    for d in v {
        carry += !*d & MASK;
        *d = carry & MASK;
        carry >>= SHIFT;
    }
}

fn bitwise(a: Int, b: Int, op: impl Fn(u32, u32) -> u32) -> IntBuf {
    let negative = op(a.negative as u32, b.negative as u32) & 1 == 1;
    if !a.negative && !b.negative && a.digits.len() <= INLINE && b.digits.len() <= INLINE {
        let mut d = [0; INLINE];
        for (i, o) in d.iter_mut().enumerate() {
            *o = op(a.digits.get(i).copied().unwrap_or(0), b.digits.get(i).copied().unwrap_or(0));
        }
        let n = INLINE - d.iter().rev().take_while(|&&x| x == 0).count();
        return IntBuf { negative: false, digits: Digits::Inline(n as u8, d) };
    }
    let n = a.digits.len().max(b.digits.len()) + 1;
    let mut x = twos(a, n);
    for (x, y) in x.iter_mut().zip(twos(b, n)) {
        *x = op(*x, y) & MASK;
    }
    if negative {
        complement(&mut x);
    }
    IntBuf::from_vec(negative, x)
}

/// `a & b`.
pub fn and(a: Int, b: Int) -> IntBuf {
    bitwise(a, b, |x, y| x & y)
}
/// `a | b`.
pub fn or(a: Int, b: Int) -> IntBuf {
    bitwise(a, b, |x, y| x | y)
}
/// `a ^ b`.
pub fn xor(a: Int, b: Int) -> IntBuf {
    bitwise(a, b, |x, y| x ^ y)
}
