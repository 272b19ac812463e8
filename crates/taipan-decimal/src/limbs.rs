//! Arithmetic on magnitudes in base 10**19, least significant limb first.
//!
//! Two limbs multiplied and two more added still fit a `u128`, so every inner loop works on machine
//! words. Products and quotients change to subquadratic methods from some length on: products become one
//! binary product ([`crate::big`]), quotients are cut in halves (Burnikel and Ziegler's recursion).
//!
//! Slices may have leading zero limbs on the way in; results are trimmed.

use crate::NoMemory;
use core::cmp::Ordering;

/// The base of a limb.
pub const BASE: u64 = 10_000_000_000_000_000_000;
/// Decimal digits in a limb.
pub const WIDTH: u64 = 19;
/// Limbs of the shorter factor from which a product goes through the binary library.
const PRODUCT_CUTOFF: usize = 48;
/// Limbs of the divisor from which division recurs.
const QUOTIENT_CUTOFF: usize = 80;

/// The powers of ten that fit a limb.
pub const POW10: [u64; 20] = {
    let mut all = [1; 20];
    let mut i = 1;
    while i < 20 {
        all[i] = all[i - 1] * 10;
        i += 1;
    }
    all
};

/// A vector of `n` zero limbs.
///
/// # Errors
/// When there is no memory for it.
pub fn zeroed(n: usize) -> Result<Vec<u64>, NoMemory> {
    let mut out = empty(n)?;
    out.resize(n, 0);
    Ok(out)
}

/// An empty vector with room for `n` limbs.
///
/// # Errors
/// When there is no memory for it.
pub fn empty(n: usize) -> Result<Vec<u64>, NoMemory> {
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| NoMemory)?;
    Ok(out)
}

/// The slice without its leading zero limbs.
pub fn trimmed(a: &[u64]) -> &[u64] {
    &a[..a.len() - a.iter().rev().take_while(|&&limb| limb == 0).count()]
}

/// Drops leading zero limbs.
pub fn trim(a: &mut Vec<u64>) {
    a.truncate(trimmed(a).len());
}

/// Decimal digits of a limb; zero has none.
#[inline]
pub fn limb_digits(limb: u64) -> u64 {
    limb.checked_ilog10().map_or(0, |log| u64::from(log) + 1)
}

/// Decimal digits of trimmed limbs; zero has none.
pub fn digits(a: &[u64]) -> u64 {
    a.split_last().map_or(0, |(&top, low)| low.len() as u64 * WIDTH + limb_digits(top))
}

/// Compares trimmed magnitudes.
pub fn cmp(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// A divisor with its top bit set, and what division by it multiplies with instead.
#[derive(Clone, Copy)]
pub struct Reciprocal {
    divisor: u64,
    inverse: u64,
}

impl Reciprocal {
    /// Of a divisor whose top bit is set.
    pub const fn new(divisor: u64) -> Reciprocal {
        Reciprocal { divisor, inverse: (u128::MAX / divisor as u128) as u64 }
    }

    /// Quotient and remainder of a two-word value whose upper word is below the divisor: Möller and
    /// Granlund's "Improved division by invariant integers", algorithm 4.
    #[inline(always)]
    pub const fn divide(self, wide: u128) -> (u64, u64) {
        let (high, low) = ((wide >> 64) as u64, wide as u64);
        let guess = (self.inverse as u128 * high as u128).wrapping_add(wide);
        let mut quotient = ((guess >> 64) as u64).wrapping_add(1);
        let mut rest = low.wrapping_sub(quotient.wrapping_mul(self.divisor));
        if rest > guess as u64 {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(self.divisor);
        }
        if rest >= self.divisor {
            quotient = quotient.wrapping_add(1);
            rest -= self.divisor;
        }
        (quotient, rest)
    }
}

const BY_BASE: Reciprocal = Reciprocal::new(BASE);

/// Splits a value below `BASE * 2**64` into its upper limb, which fits a word, and its lower one.
#[inline(always)]
pub fn split(wide: u128) -> (u64, u64) {
    BY_BASE.divide(wide)
}

/// The powers of ten that fit a word, moved up until their top bit is set.
static SHIFTED_POWERS: [(u32, Reciprocal); 20] = {
    let mut all = [(0, BY_BASE); 20];
    let mut i = 0;
    while i < 20 {
        let shift = POW10[i].leading_zeros();
        all[i] = (shift, Reciprocal::new(POW10[i] << shift));
        i += 1;
    }
    all
};

/// Quotient and remainder by a power of ten below 10**20.
#[inline]
pub fn div_pow10(x: u128, n: usize) -> (u128, u64) {
    let (shift, by) = SHIFTED_POWERS[n];
    let top = if shift == 0 { 0 } else { (x >> (128 - shift)) as u64 };
    let low = x << shift;
    let (q1, r1) = by.divide(u128::from(top) << 64 | low >> 64);
    let (q0, r0) = by.divide(u128::from(r1) << 64 | u128::from(low as u64));
    (u128::from(q1) << 64 | u128::from(q0), r0 >> shift)
}

/// Adds `b` into `a`, which is at least as long, and gives the carry.
fn add_into(a: &mut [u64], b: &[u64]) -> bool {
    let mut carry = false;
    for (i, limb) in a.iter_mut().enumerate() {
        let other = b.get(i).copied().unwrap_or(0);
        if !carry && i >= b.len() {
            return false;
        }
        let sum = u128::from(*limb) + u128::from(other) + u128::from(carry);
        carry = sum >= u128::from(BASE);
        *limb = if carry { (sum - u128::from(BASE)) as u64 } else { sum as u64 };
    }
    carry
}

/// Subtracts `b` from `a`, which is at least as long, and gives the borrow.
fn sub_from(a: &mut [u64], b: &[u64]) -> bool {
    let mut borrow = false;
    for (i, limb) in a.iter_mut().enumerate() {
        if !borrow && i >= b.len() {
            return false;
        }
        let other = b.get(i).copied().unwrap_or(0);
        let (first, under) = limb.overflowing_sub(other);
        let (second, under2) = first.overflowing_sub(u64::from(borrow));
        borrow = under || under2;
        *limb = if borrow { second.wrapping_add(BASE) } else { second };
    }
    borrow
}

/// The sum.
///
/// # Errors
/// When there is no memory for it.
pub fn add(a: &[u64], b: &[u64]) -> Result<Vec<u64>, NoMemory> {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut out = empty(a.len() + 1)?;
    out.extend_from_slice(a);
    if add_into(&mut out, b) {
        out.push(1);
    }
    Ok(out)
}

/// The difference of `a` and `b`, which is not greater.
///
/// # Errors
/// When there is no memory for it.
pub fn sub(a: &[u64], b: &[u64]) -> Result<Vec<u64>, NoMemory> {
    let mut out = empty(a.len())?;
    out.extend_from_slice(a);
    sub_from(&mut out, trimmed(b));
    trim(&mut out);
    Ok(out)
}

/// Multiplies in place by a limb, adds `carry` and gives what comes out on top.
pub fn mul_limb(a: &mut [u64], factor: u64, mut carry: u64) -> u64 {
    for limb in a {
        let (high, low) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        *limb = low;
        carry = high;
    }
    carry
}

/// Divides in place by a limb and gives the remainder.
pub fn div_limb(a: &mut [u64], divisor: u64) -> u64 {
    let mut rest = 0u64;
    for limb in a.iter_mut().rev() {
        let wide = u128::from(rest) * u128::from(BASE) + u128::from(*limb);
        let quotient = (wide / u128::from(divisor)) as u64;
        rest = (wide - u128::from(quotient) * u128::from(divisor)) as u64;
        *limb = quotient;
    }
    rest
}

/// The product.
///
/// # Errors
/// When there is no memory for it.
pub fn mul(a: &[u64], b: &[u64]) -> Result<Vec<u64>, NoMemory> {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    if b.is_empty() {
        return Ok(Vec::new());
    }
    if b.len() >= PRODUCT_CUTOFF {
        return crate::big::product(a, b);
    }
    let mut out = zeroed(a.len() + b.len())?;
    for (i, &factor) in b.iter().enumerate() {
        let mut carry = 0u64;
        for (limb, &other) in out[i..].iter_mut().zip(a) {
            let wide = u128::from(other) * u128::from(factor) + u128::from(*limb) + u128::from(carry);
            let (high, low) = split(wide);
            *limb = low;
            carry = high;
        }
        out[i + a.len()] = carry;
    }
    trim(&mut out);
    Ok(out)
}

/// `a * 10**n`.
///
/// # Errors
/// When there is no memory for it.
pub fn shl(a: &[u64], n: u64) -> Result<Vec<u64>, NoMemory> {
    if a.is_empty() {
        return Ok(Vec::new());
    }
    let whole = usize::try_from(n / WIDTH).map_err(|_| NoMemory)?;
    let room = whole.checked_add(a.len() + 1).ok_or(NoMemory)?;
    let mut out = empty(room)?;
    out.resize(whole, 0);
    out.extend_from_slice(a);
    let part = POW10[(n % WIDTH) as usize];
    if part > 1 {
        let top = mul_limb(&mut out[whole..], part, 0);
        out.push(top);
        trim(&mut out);
    }
    Ok(out)
}

/// What a cut leaves behind: the first digit cut off, where 0 and 5 mean exactly that and 1 and 6 stand
/// for "a little more".
#[inline]
pub fn rounding_digit(first: u64, rest: bool) -> u8 {
    (first + u64::from(rest && first.is_multiple_of(5))) as u8
}

/// `a / 10**n` cut to an integer, and what was cut off.
///
/// # Errors
/// When there is no memory for it.
pub fn shr(a: &[u64], n: u64) -> Result<(Vec<u64>, u8), NoMemory> {
    if n == 0 {
        return empty(a.len()).map(|mut out| {
            out.extend_from_slice(a);
            (out, 0)
        });
    }
    let length = digits(a);
    if n > length {
        return Ok((Vec::new(), u8::from(length != 0)));
    }
    // The first digit cut off is at place n - 1.
    let at = n - 1;
    let (whole, part) = ((at / WIDTH) as usize, (at % WIDTH) as usize);
    let limb = a[whole];
    let first = limb / POW10[part] % 10;
    let rest = !limb.is_multiple_of(POW10[part]) || a[..whole].iter().any(|&limb| limb != 0);
    let (whole, part) = ((n / WIDTH) as usize, POW10[(n % WIDTH) as usize]);
    let mut out = empty(a.len() - whole.min(a.len()))?;
    out.extend_from_slice(&a[whole.min(a.len())..]);
    if part > 1 {
        div_limb(&mut out, part);
    }
    trim(&mut out);
    Ok((out, rounding_digit(first, rest)))
}

/// `a % 10**n`.
///
/// # Errors
/// When there is no memory for it.
pub fn low_digits(a: &[u64], n: u64) -> Result<Vec<u64>, NoMemory> {
    let keep = usize::try_from(n.div_ceil(WIDTH)).unwrap_or(usize::MAX).min(a.len());
    let mut out = empty(keep)?;
    out.extend_from_slice(&a[..keep]);
    let part = n % WIDTH;
    if keep as u64 == n.div_ceil(WIDTH)
        && part != 0
        && let Some(top) = out.last_mut()
    {
        *top %= POW10[part as usize];
    }
    trim(&mut out);
    Ok(out)
}

/// Quotient and remainder; `b` is not zero.
///
/// # Errors
/// When there is no memory for them.
pub fn divrem(a: &[u64], b: &[u64]) -> Result<(Vec<u64>, Vec<u64>), NoMemory> {
    let (a, b) = (trimmed(a), trimmed(b));
    if cmp(a, b) == Ordering::Less {
        return Ok((Vec::new(), add(a, &[])?));
    }
    if let [divisor] = *b {
        let mut quotient = add(a, &[])?;
        let rest = div_limb(&mut quotient, divisor);
        trim(&mut quotient);
        return Ok((quotient, if rest == 0 { Vec::new() } else { vec![rest] }));
    }
    // Both are multiplied so that the divisor's top limb is at least half the base.
    let factor = BASE / (b[b.len() - 1] + 1);
    let mut divisor = add(b, &[])?;
    mul_limb(&mut divisor, factor, 0);
    let mut dividend = add(a, &[0])?;
    let top = mul_limb(&mut dividend, factor, 0);
    dividend.push(top);
    let (quotient, mut rest) = if b.len() < QUOTIENT_CUTOFF || a.len() - b.len() < QUOTIENT_CUTOFF {
        schoolbook(dividend, &divisor)?
    } else {
        by_blocks(&dividend, divisor)?
    };
    div_limb(&mut rest, factor);
    trim(&mut rest);
    Ok((quotient, rest))
}

/// Knuth's algorithm D for a normalised divisor of at least two limbs. The remainder replaces the dividend.
fn schoolbook(mut rest: Vec<u64>, b: &[u64]) -> Result<(Vec<u64>, Vec<u64>), NoMemory> {
    let n = b.len();
    if rest.len() < n {
        return Ok((Vec::new(), rest));
    }
    rest.push(0);
    let mut quotient = zeroed(rest.len() - n)?;
    let (top, next) = (b[n - 1], b[n - 2]);
    for j in (0..quotient.len()).rev() {
        let wide = u128::from(rest[j + n]) * u128::from(BASE) + u128::from(rest[j + n - 1]);
        let (mut guess, mut left) = (wide / u128::from(top), wide % u128::from(top));
        while guess >= u128::from(BASE)
            || guess * u128::from(next) > left * u128::from(BASE) + u128::from(rest[j + n - 2])
        {
            guess -= 1;
            left += u128::from(top);
            if left >= u128::from(BASE) {
                break;
            }
        }
        let mut guess = guess as u64;
        if guess == 0 {
            continue;
        }
        let (mut carry, mut borrow) = (0u64, false);
        for (limb, &other) in rest[j..j + n].iter_mut().zip(b) {
            let (high, low) = split(u128::from(other) * u128::from(guess) + u128::from(carry));
            carry = high;
            let (first, under) = limb.overflowing_sub(low);
            let (second, under2) = first.overflowing_sub(u64::from(borrow));
            borrow = under || under2;
            *limb = if borrow { second.wrapping_add(BASE) } else { second };
        }
        let take = u128::from(carry) + u128::from(borrow);
        let have = u128::from(rest[j + n]);
        rest[j + n] = 0;
        if have < take {
            guess -= 1;
            add_into(&mut rest[j..j + n], b);
        }
        quotient[j] = guess;
    }
    trim(&mut quotient);
    trim(&mut rest);
    Ok((quotient, rest))
}

/// Division in blocks as long as the divisor, each by recursion.
fn by_blocks(a: &[u64], mut b: Vec<u64>) -> Result<(Vec<u64>, Vec<u64>), NoMemory> {
    // The length must halve evenly down to the cutoff: low zero limbs fill it up on both sides.
    let mut unit = 1;
    while b.len() / unit >= QUOTIENT_CUTOFF {
        unit *= 2;
    }
    let pad = b.len().next_multiple_of(unit) - b.len();
    let n = b.len() + pad;
    b.splice(0..0, core::iter::repeat_n(0, pad));
    let mut dividend = zeroed(pad)?;
    dividend.try_reserve(a.len()).map_err(|_| NoMemory)?;
    dividend.extend_from_slice(a);
    let blocks = dividend.len().div_ceil(n);
    dividend.resize(blocks * n, 0);
    let mut quotient = zeroed(blocks * n)?;
    let mut rest: Vec<u64> = Vec::new();
    for block in (0..blocks).rev() {
        let mut part = empty(2 * n)?;
        part.extend_from_slice(&dividend[block * n..(block + 1) * n]);
        part.extend_from_slice(&rest);
        let (q, r) = two_by_one(&part, &b)?;
        quotient[block * n..block * n + q.len()].copy_from_slice(&q);
        rest = r;
    }
    trim(&mut quotient);
    rest.drain(..pad.min(rest.len()));
    Ok((quotient, rest))
}

/// Divides up to `2n` limbs, whose upper half is below `b`, by `n` limbs.
fn two_by_one(a: &[u64], b: &[u64]) -> Result<(Vec<u64>, Vec<u64>), NoMemory> {
    let n = b.len();
    if !n.is_multiple_of(2) || n < QUOTIENT_CUTOFF {
        return schoolbook(add(trimmed(a), &[])?, b);
    }
    let half = n / 2;
    let (high, mut rest) = three_by_two(a.get(half..).unwrap_or(&[]), b)?;
    let mut low = empty(half * 3)?;
    low.extend_from_slice(&a[..half.min(a.len())]);
    low.resize(half, 0);
    low.append(&mut rest);
    let (mut quotient, rest) = three_by_two(&low, b)?;
    quotient.resize(half, 0);
    quotient.extend_from_slice(&high);
    trim(&mut quotient);
    Ok((quotient, rest))
}

/// Divides up to `3h` limbs by `2h` limbs, where the quotient has at most `h`.
fn three_by_two(a: &[u64], b: &[u64]) -> Result<(Vec<u64>, Vec<u64>), NoMemory> {
    let half = b.len() / 2;
    let upper = trimmed(a.get(half..).unwrap_or(&[]));
    let (b_low, b_high) = b.split_at(half);
    let (mut quotient, high) = if cmp(trimmed(upper.get(half..).unwrap_or(&[])), b_high) == Ordering::Less {
        two_by_one(upper, b_high)?
    } else {
        // The quotient would need more than `h` limbs; the greatest it can be is all nines.
        let mut shifted = zeroed(half)?;
        shifted.extend_from_slice(b_high);
        (vec![BASE - 1; half], add(&sub(upper, &shifted)?, b_high)?)
    };
    let mut rest = empty(b.len() + 2)?;
    rest.extend_from_slice(&a[..half.min(a.len())]);
    rest.resize(half, 0);
    rest.extend_from_slice(&high);
    trim(&mut rest);
    let product = mul(&quotient, trimmed(b_low))?;
    while cmp(&rest, &product) == Ordering::Less {
        sub_from(&mut quotient, &[1]);
        rest = add(&rest, b)?;
        trim(&mut rest);
    }
    let rest = sub(&rest, &product)?;
    trim(&mut quotient);
    Ok((quotient, rest))
}
