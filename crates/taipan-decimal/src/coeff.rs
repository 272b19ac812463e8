//! Coefficients: natural numbers in decimal.
//!
//! Everyday numbers have less than 39 digits; those are kept in two machine words, in binary, and never
//! touch the heap. Longer ones are limbs in base 10**19. Invariant: a number is `Big` exactly when it is
//! 10**38 or more, and then it is trimmed.

use crate::NoMemory;
use crate::limbs::{self, BASE, WIDTH};
use core::cmp::Ordering;

/// Digits that fit the small form.
pub const SMALL_DIGITS: u64 = 38;

/// Powers of ten up to 10**38.
pub const POW10: [u128; 39] = {
    let mut all = [1; 39];
    let mut i = 1;
    while i < 39 {
        all[i] = all[i - 1] * 10;
        i += 1;
    }
    all
};

/// A coefficient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coeff {
    /// Low and high word of a number below 10**38.
    Small([u64; 2]),
    /// Limbs of a longer number.
    Big(Vec<u64>),
}

/// The decimal digits of a number; zero has one.
#[inline]
pub fn digits_of(x: u128) -> u64 {
    let bits = 128 - x.leading_zeros();
    // log10(2) from below, near enough for 128 bits.
    let low = (bits * 1233) >> 12;
    let over = match POW10.get(low as usize) {
        Some(&power) => x >= power,
        None => false,
    };
    u64::from(low + u32::from(over)).max(1)
}

/// Quotient and remainder by a power of ten, in machine words where possible.
#[inline]
fn div_pow10(x: u128, n: usize) -> (u128, u128) {
    if let (Ok(small), true) = (u64::try_from(x), n < 20) {
        let power = limbs::POW10[n];
        return (u128::from(small / power), u128::from(small % power));
    }
    if n < 20 {
        let (quotient, rest) = limbs::div_pow10(x, n);
        return (quotient, u128::from(rest));
    }
    let quotient = limbs::div_pow10(limbs::div_pow10(x, 19).0, n - 19).0;
    (quotient, x - quotient * POW10[n])
}

impl Coeff {
    /// Zero.
    pub const ZERO: Coeff = Coeff::Small([0, 0]);
    /// One.
    pub const ONE: Coeff = Coeff::Small([1, 0]);

    /// From a binary number.
    #[inline]
    pub fn from_u128(x: u128) -> Coeff {
        if x < POW10[38] { Coeff::Small([x as u64, (x >> 64) as u64]) } else { Self::from_large(x) }
    }

    #[cold]
    fn from_large(x: u128) -> Coeff {
        let base = u128::from(BASE);
        let (low, rest) = ((x % base) as u64, x / base);
        Coeff::Big(vec![low, (rest % base) as u64, (rest / base) as u64])
    }

    /// From limbs.
    pub fn from_limbs(mut a: Vec<u64>) -> Coeff {
        limbs::trim(&mut a);
        match *a {
            [] => Coeff::ZERO,
            [low] => Coeff::Small([low, 0]),
            [low, high] => Coeff::from_u128(u128::from(high) * u128::from(BASE) + u128::from(low)),
            _ => Coeff::Big(a),
        }
    }

    /// The number, when it is small.
    #[inline(always)]
    pub fn small(&self) -> Option<u128> {
        match self {
            Coeff::Small([low, high]) => Some(u128::from(*low) | (u128::from(*high) << 64)),
            Coeff::Big(_) => None,
        }
    }

    /// The limbs; a small number is written into `room` first.
    pub fn limbs<'a>(&'a self, room: &'a mut [u64; 2]) -> &'a [u64] {
        match self {
            Coeff::Big(limbs) => limbs,
            Coeff::Small(_) => {
                let x = self.small().unwrap_or(0);
                let (high, low) = limbs::split(x);
                *room = [low, high];
                limbs::trimmed(room)
            }
        }
    }

    /// Whether it is zero.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        matches!(self, Coeff::Small([0, 0]))
    }

    /// Decimal digits; zero has one.
    #[inline]
    pub fn digits(&self) -> u64 {
        match self {
            Coeff::Big(a) => limbs::digits(a),
            Coeff::Small(_) => digits_of(self.small().unwrap_or(0)),
        }
    }

    /// The last digit.
    pub fn last_digit(&self) -> u64 {
        match self {
            // 2**64 ends in 6.
            Coeff::Small([low, high]) => (low % 10 + high % 10 * 6) % 10,
            Coeff::Big(a) => a[0] % 10,
        }
    }

    /// Whether it is odd.
    pub fn is_odd(&self) -> bool {
        match self {
            Coeff::Small([low, _]) => low & 1 == 1,
            Coeff::Big(a) => a[0] & 1 == 1,
        }
    }

    /// Zeros at the end; zero itself has none.
    pub fn trailing_zeros(&self) -> u64 {
        let of_limb = |mut limb: u64| {
            let mut count = 0;
            while limb.is_multiple_of(10) {
                limb /= 10;
                count += 1;
            }
            count
        };
        if self.last_digit() != 0 {
            return 0;
        }
        if let Coeff::Small([low, 0]) = *self {
            return if low == 0 { 0 } else { of_limb(low) };
        }
        let mut room = [0; 2];
        let limbs = self.limbs(&mut room);
        match limbs.iter().position(|&limb| limb != 0) {
            Some(at) => at as u64 * WIDTH + of_limb(limbs[at]),
            None => 0,
        }
    }

    /// Whether it is a power of ten.
    pub fn is_power_of_ten(&self) -> bool {
        !self.is_zero()
            && self.trailing_zeros() + 1 == self.digits()
            && match self {
                Coeff::Small(_) => POW10.contains(&self.small().unwrap_or(0)),
                Coeff::Big(a) => a.last().is_some_and(|top| limbs::POW10.contains(top)),
            }
    }

    /// Whether all digits are nines.
    pub fn is_all_nines(&self) -> bool {
        match self {
            Coeff::Small(_) => self.small().is_some_and(|x| POW10[digits_of(x) as usize] - 1 == x),
            Coeff::Big(a) => a.split_last().is_some_and(|(top, low)| {
                low.iter().all(|&limb| limb == BASE - 1)
                    && limbs::POW10.get(limbs::limb_digits(*top) as usize).is_some_and(|&p| p - 1 == *top)
            }),
        }
    }

    /// The digit at a place, counted from the right.
    pub fn digit(&self, place: u64) -> u64 {
        let mut room = [0; 2];
        let limbs = self.limbs(&mut room);
        let limb = usize::try_from(place / WIDTH).ok().and_then(|at| limbs.get(at)).copied().unwrap_or(0);
        limb / limbs::POW10[(place % WIDTH) as usize] % 10
    }

    /// `10**n - 1`.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn nines(n: u64) -> Result<Coeff, NoMemory> {
        if n <= SMALL_DIGITS {
            return Ok(Coeff::from_u128(POW10[n as usize] - 1));
        }
        let mut out = limbs::empty(usize::try_from(n / WIDTH + 1).map_err(|_| NoMemory)?)?;
        out.resize((n / WIDTH) as usize, BASE - 1);
        out.push(limbs::POW10[(n % WIDTH) as usize] - 1);
        Ok(Coeff::from_limbs(out))
    }

    /// Adds one.
    pub fn increment(self) -> Coeff {
        match self {
            Coeff::Small(_) => Coeff::from_u128(self.small().unwrap_or(0) + 1),
            Coeff::Big(mut a) => {
                for limb in &mut a {
                    *limb += 1;
                    if *limb < BASE {
                        return Coeff::Big(a);
                    }
                    *limb = 0;
                }
                a.push(1);
                Coeff::Big(a)
            }
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub fn add(&self, other: &Coeff) -> Result<Coeff, NoMemory> {
        if let (Some(x), Some(y)) = (self.small(), other.small()) {
            return Ok(Coeff::from_u128(x + y));
        }
        let (mut r1, mut r2) = ([0; 2], [0; 2]);
        limbs::add(self.limbs(&mut r1), other.limbs(&mut r2)).map(Coeff::from_limbs)
    }

    /// The difference; `other` is not greater.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub fn sub(&self, other: &Coeff) -> Result<Coeff, NoMemory> {
        if let (Some(x), Some(y)) = (self.small(), other.small()) {
            return Ok(Coeff::from_u128(x - y));
        }
        let (mut r1, mut r2) = ([0; 2], [0; 2]);
        limbs::sub(self.limbs(&mut r1), other.limbs(&mut r2)).map(Coeff::from_limbs)
    }

    /// The product.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub fn mul(&self, other: &Coeff) -> Result<Coeff, NoMemory> {
        if let (Some(x), Some(y)) = (self.small(), other.small())
            && let Some(product) = x.checked_mul(y)
        {
            return Ok(Coeff::from_u128(product));
        }
        if let (Some(x), Some(y)) = (self.small(), other.small()) {
            return Ok(Self::long_product(x, y));
        }
        let (mut r1, mut r2) = ([0; 2], [0; 2]);
        limbs::mul(self.limbs(&mut r1), other.limbs(&mut r2)).map(Coeff::from_limbs)
    }

    /// A product of two small numbers that is not small.
    fn long_product(x: u128, y: u128) -> Coeff {
        let wide = |a: u64, b: u64, more: u64| limbs::split(u128::from(a) * u128::from(b) + u128::from(more));
        let ((x1, x0), (y1, y0)) = (limbs::split(x), limbs::split(y));
        let (carry, limb0) = wide(x0, y0, 0);
        let (upper, partial) = wide(x1, y0, carry);
        let (upper2, limb1) = wide(x0, y1, partial);
        let (top, limb2) =
            limbs::split(u128::from(x1) * u128::from(y1) + u128::from(upper) + u128::from(upper2));
        Coeff::from_limbs(vec![limb0, limb1, limb2, top])
    }

    /// Quotient and remainder; `other` is not zero.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn divrem(&self, other: &Coeff) -> Result<(Coeff, Coeff), NoMemory> {
        if let (Some(x), Some(y)) = (self.small(), other.small()) {
            if let (Ok(x), Ok(y)) = (u64::try_from(x), u64::try_from(y)) {
                return Ok((Coeff::Small([x / y, 0]), Coeff::Small([x % y, 0])));
            }
            return Ok((Coeff::from_u128(x / y), Coeff::from_u128(x % y)));
        }
        let (mut r1, mut r2) = ([0; 2], [0; 2]);
        let (q, r) = limbs::divrem(self.limbs(&mut r1), other.limbs(&mut r2))?;
        Ok((Coeff::from_limbs(q), Coeff::from_limbs(r)))
    }

    /// `self * 10**n`.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub fn shl(&self, n: u64) -> Result<Coeff, NoMemory> {
        if let Some(x) = self.small() {
            if x == 0 {
                return Ok(Coeff::ZERO);
            }
            if n + digits_of(x) <= SMALL_DIGITS {
                return Ok(Coeff::from_u128(x * POW10[n as usize]));
            }
        }
        let mut room = [0; 2];
        limbs::shl(self.limbs(&mut room), n).map(Coeff::from_limbs)
    }

    /// `self / 10**n` cut to an integer, and the digit that decides about rounding.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub fn shr(&self, n: u64) -> Result<(Coeff, u8), NoMemory> {
        if let Some(x) = self.small() {
            if n == 0 {
                return Ok((self.clone(), 0));
            }
            if n > SMALL_DIGITS {
                return Ok((Coeff::ZERO, u8::from(x != 0)));
            }
            let (quotient, cut) = div_pow10(x, n as usize);
            let (first, rest) = div_pow10(cut, n as usize - 1);
            return Ok((Coeff::from_u128(quotient), limbs::rounding_digit(first as u64, rest != 0)));
        }
        let mut room = [0; 2];
        let (out, digit) = limbs::shr(self.limbs(&mut room), n)?;
        Ok((Coeff::from_limbs(out), digit))
    }

    /// The last `n` digits.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn low_digits(&self, n: u64) -> Result<Coeff, NoMemory> {
        if n >= self.digits() {
            return Ok(self.clone());
        }
        let mut room = [0; 2];
        limbs::low_digits(self.limbs(&mut room), n).map(Coeff::from_limbs)
    }
}

impl PartialOrd for Coeff {
    fn partial_cmp(&self, other: &Coeff) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coeff {
    fn cmp(&self, other: &Coeff) -> Ordering {
        match (self, other) {
            (Coeff::Big(a), Coeff::Big(b)) => limbs::cmp(a, b),
            (Coeff::Big(_), Coeff::Small(_)) => Ordering::Greater,
            (Coeff::Small(_), Coeff::Big(_)) => Ordering::Less,
            _ => self.small().cmp(&other.small()),
        }
    }
}
