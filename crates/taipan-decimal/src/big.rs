//! The border to the binary big-integer library.
//!
//! Large products: the limbs of both factors are laid into bit fields so wide that no column of the
//! product can overflow its field; one binary product (subquadratic in the library) then contains all
//! columns, and carrying them turns it back into limbs. Base conversion splits in halves around powers
//! 10**(19 * 2**k), so it costs a few products.

use crate::NoMemory;
use crate::coeff::Coeff;
use crate::limbs::{self, BASE};
use dashu_int::UBig;
use dashu_int::ops::DivRem;

/// Limbs that are converted one by one.
const PLAIN: usize = 30;

fn bytes(n: usize) -> Result<Vec<u8>, NoMemory> {
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| NoMemory)?;
    out.resize(n, 0);
    Ok(out)
}

fn spread(a: &[u64], field: usize) -> Result<UBig, NoMemory> {
    let mut out = bytes(a.len().checked_mul(field).ok_or(NoMemory)?)?;
    for (place, limb) in out.chunks_exact_mut(field).zip(a) {
        place[..8].copy_from_slice(&limb.to_le_bytes());
    }
    Ok(UBig::from_le_bytes(&out))
}

/// The product of two magnitudes in base 10**19.
///
/// # Errors
/// When there is no memory for it.
pub fn product(a: &[u64], b: &[u64]) -> Result<Vec<u64>, NoMemory> {
    // A column is less than min(len) * 10**38, and 10**38 < 2**127.
    let columns = usize::BITS - a.len().min(b.len()).leading_zeros();
    let field = (127 + columns as usize).div_ceil(8);
    let first = spread(a, field)?;
    let whole = if a == b { first.sqr() } else { first * spread(b, field)? };
    let text = whole.to_le_bytes();
    let mut out = limbs::empty(a.len() + b.len())?;
    let mut carry = 0u128;
    for place in text.chunks(field) {
        let mut low = [0; 16];
        let mut high = [0; 8];
        let cut = place.len().min(16);
        low[..cut].copy_from_slice(&place[..cut]);
        high[..place.len() - cut].copy_from_slice(&place[cut..]);
        let (sum, over) = u128::from_le_bytes(low).overflowing_add(carry);
        let top = u64::from_le_bytes(high) + u64::from(over);
        let upper = (u128::from(top) << 64) | (sum >> 64);
        let (q1, r1) = (upper / u128::from(BASE), upper % u128::from(BASE));
        let lower = (r1 << 64) | (sum & u128::from(u64::MAX));
        out.push((lower % u128::from(BASE)) as u64);
        carry = (q1 << 64) + lower / u128::from(BASE);
    }
    while carry != 0 {
        out.push((carry % u128::from(BASE)) as u64);
        carry /= u128::from(BASE);
    }
    limbs::trim(&mut out);
    Ok(out)
}

/// 10**n.
pub fn pow10(n: usize) -> UBig {
    UBig::from(5u8).pow(n) << n
}

/// The powers 10**(19 * PLAIN * 2**k) with which numbers of `n` limbs are taken apart.
fn powers(n: usize) -> Vec<UBig> {
    let mut all = Vec::new();
    let mut size = PLAIN;
    while size < n {
        let next = all.last().map_or_else(|| UBig::from(BASE).pow(PLAIN), UBig::sqr);
        all.push(next);
        size *= 2;
    }
    all
}

/// The binary number of trimmed limbs.
pub fn from_limbs(a: &[u64]) -> UBig {
    fn walk(a: &[u64], powers: &[UBig]) -> UBig {
        let a = limbs::trimmed(a);
        if a.len() <= PLAIN {
            return a.iter().rev().fold(UBig::ZERO, |sum, &limb| sum * BASE + limb);
        }
        let mut level = powers.len();
        while PLAIN << (level - 1) >= a.len() {
            level -= 1;
        }
        let (low, high) = a.split_at(PLAIN << (level - 1));
        walk(high, &powers[..level]) * &powers[level - 1] + walk(low, &powers[..level])
    }
    walk(a, &powers(a.len()))
}

/// The limbs of a binary number.
///
/// # Errors
/// When there is no memory for them.
pub fn to_limbs(x: &UBig) -> Result<Vec<u64>, NoMemory> {
    fn walk(x: UBig, powers: &[UBig], whole: Option<usize>, out: &mut Vec<u64>) {
        let Some((power, smaller)) = powers.split_last() else {
            let start = out.len();
            let mut digits = if x.is_zero() { Vec::new() } else { x.to_digits(BASE) };
            digits.reverse();
            out.extend_from_slice(&digits);
            if let Some(whole) = whole {
                out.resize(start + whole, 0);
            }
            return;
        };
        let half = PLAIN << smaller.len();
        if x < *power {
            let start = out.len();
            walk(x, smaller, Some(half), out);
            if let Some(whole) = whole {
                out.resize(start + whole, 0);
            }
            return;
        }
        let (high, low) = x.div_rem(power);
        walk(low, smaller, Some(half), out);
        walk(high, smaller, whole.map(|whole| whole - half), out);
    }
    // 63 bits of every limb are sure to be used.
    let n = x.as_words().len() * 64 / 63 + 1;
    let mut out = limbs::empty(n + PLAIN)?;
    let powers = powers(n);
    walk(x.clone(), &powers, None, &mut out);
    limbs::trim(&mut out);
    Ok(out)
}

/// Digits of 30 bits (as Python's integers store them) as a binary number.
pub fn from_digits30(digits: &[u32]) -> UBig {
    let mut bytes = Vec::with_capacity(digits.len() * 4 + 8);
    let (mut have, mut bits) = (0u64, 0u32);
    for &digit in digits {
        have |= u64::from(digit) << bits;
        bits += 30;
        if bits >= 32 {
            bytes.extend_from_slice(&(have as u32).to_le_bytes());
            have >>= 32;
            bits -= 32;
        }
    }
    bytes.extend_from_slice(&(have as u32).to_le_bytes());
    UBig::from_le_bytes(&bytes)
}

/// A binary number as digits of 30 bits.
pub fn to_digits30(big: &UBig) -> Vec<u32> {
    const MASK: u32 = (1 << 30) - 1;
    let words = big.as_words();
    let mut out = Vec::with_capacity(words.len() * 64 / 30 + 2);
    let (mut have, mut bits) = (0u128, 0u32);
    for &word in words {
        have |= u128::from(word) << bits;
        bits += 64;
        while bits >= 30 {
            out.push(have as u32 & MASK);
            have >>= 30;
            bits -= 30;
        }
    }
    out.push(have as u32);
    out
}

/// `mantissa * 2**exponent` as a coefficient; for a negative exponent that of the decimal fraction.
///
/// # Errors
/// When there is no memory for it.
pub fn scaled_by_two(mantissa: u64, exponent: i64) -> Result<Coeff, NoMemory> {
    let mantissa = UBig::from(mantissa);
    let whole = if exponent >= 0 {
        mantissa << exponent as usize
    } else {
        mantissa * UBig::from(5u8).pow(exponent.unsigned_abs() as usize)
    };
    to_limbs(&whole).map(Coeff::from_limbs)
}

/// A coefficient as digits of 30 bits.
pub fn coeff_digits30(coeff: &Coeff) -> Vec<u32> {
    to_digits30(&from_limbs(coeff.limbs(&mut [0; 2])))
}

/// Numerator and denominator of `coeff * 10**exp` in lowest terms, as digits of 30 bits.
///
/// # Errors
/// When there is no memory for them.
pub fn ratio(coeff: &Coeff, exp: i64) -> Result<(Vec<u32>, Vec<u32>), NoMemory> {
    if coeff.is_zero() {
        return Ok((Vec::new(), vec![1]));
    }
    if exp >= 0 {
        return Ok((coeff_digits30(&coeff.shl(exp.unsigned_abs())?), vec![1]));
    }
    // Zeros at the end cancel against the power of ten as they are.
    let zeros = coeff.trailing_zeros().min(exp.unsigned_abs());
    let places = exp.unsigned_abs() - zeros;
    let denominator = from_limbs(Coeff::ONE.shl(places)?.limbs(&mut [0; 2]));
    let numerator = from_limbs(coeff.shr(zeros)?.0.limbs(&mut [0; 2]));
    let common = dashu_int::ops::Gcd::gcd(&numerator, &denominator);
    Ok((to_digits30(&(numerator / &common)), to_digits30(&(denominator / common))))
}
