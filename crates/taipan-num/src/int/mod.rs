//! Integers over CPython's digits: least significant first, 30 bits each, no leading zero digit.
//!
//! [`Int`] borrows digits and copies freely, [`IntBuf`] owns a result. Up to four digits a result lives
//! without heap memory. Small operands take schoolbook loops over digits; large ones are repacked into
//! 64-bit words and handed to `dashu-int`, which is subquadratic throughout. Repacking is linear, so it
//! never costs the order of growth.
//!
//! Invariant: `digits` is normalised (its last digit is not zero) and zero is never negative.

mod arith;
mod bits;
mod combinatorics;
mod convert;
mod text;

pub use arith::*;
pub use bits::*;
pub use combinatorics::*;
pub use convert::*;
pub use text::*;

use std::cmp::Ordering;
use std::ops::Deref;

/// Bits in one digit.
pub const SHIFT: u32 = 30;
/// All bits of one digit.
pub const MASK: u32 = (1 << SHIFT) - 1;

/// Why an integer operation has no result. The caller knows CPython's words for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntError {
    /// Division or modulo by zero; also a zero modulus of `pow`.
    ZeroDivision,
    /// The result would not fit in memory.
    NoMemory,
    /// The result does not fit the target type.
    Overflow,
    /// A negative value where none may be (shift count, unsigned conversion, square root).
    Negative,
    /// `pow` with negative exponent: the base has no inverse for the modulus.
    NotInvertible,
}

const INLINE: usize = 4;

/// Owned digits; up to four without heap memory.
#[derive(Clone, Debug)]
pub enum Digits {
    /// Number of digits in use and the digits.
    Inline(u8, [u32; INLINE]),
    /// Longer numbers.
    Heap(Vec<u32>),
}

impl Deref for Digits {
    type Target = [u32];
    #[inline]
    fn deref(&self) -> &[u32] {
        match self {
            Digits::Inline(n, d) => &d[..*n as usize & 7],
            Digits::Heap(v) => v,
        }
    }
}

impl Digits {
    /// The digits of zero: none.
    pub const EMPTY: Digits = Digits::Inline(0, [0; INLINE]);

    /// Takes over a vector after cutting its leading zero digits.
    pub fn from_vec(mut v: Vec<u32>) -> Digits {
        while v.last() == Some(&0) {
            v.pop();
        }
        if v.len() <= INLINE {
            let mut d = [0; INLINE];
            d[..v.len()].copy_from_slice(&v);
            Digits::Inline(v.len() as u8, d)
        } else {
            Digits::Heap(v)
        }
    }

    /// The digits of a value of at most 120 bits; larger ones go to the heap.
    #[inline]
    pub fn from_u128(mut x: u128) -> Digits {
        if x >> 120 != 0 {
            let mut v = Vec::with_capacity(5);
            while x != 0 {
                v.push(x as u32 & MASK);
                x >>= SHIFT;
            }
            return Digits::Heap(v);
        }
        let mut d = [0; INLINE];
        let mut n = 0;
        while x != 0 {
            d[n] = x as u32 & MASK;
            x >>= SHIFT;
            n += 1;
        }
        Digits::Inline(n as u8, d)
    }
}

/// A borrowed integer.
#[derive(Clone, Copy, Debug)]
pub struct Int<'a> {
    /// Sign; never set for zero.
    pub negative: bool,
    /// Magnitude.
    pub digits: &'a [u32],
}

/// An owned integer.
#[derive(Clone, Debug)]
pub struct IntBuf {
    /// Sign; never set for zero.
    pub negative: bool,
    /// Magnitude.
    pub digits: Digits,
}

impl<'a> Int<'a> {
    /// Zero.
    pub const ZERO: Int<'static> = Int { negative: false, digits: &[] };

    /// Wraps a sign and normalised digits.
    #[inline]
    pub fn new(negative: bool, digits: &'a [u32]) -> Int<'a> {
        debug_assert!(digits.last() != Some(&0));
        Int { negative: negative && !digits.is_empty(), digits }
    }
    /// Whether this is zero.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.digits.is_empty()
    }
    /// Whether the lowest bit is set.
    #[inline]
    pub fn is_odd(self) -> bool {
        self.digits.first().is_some_and(|d| d & 1 == 1)
    }
    /// An owned copy.
    pub fn to_owned(self) -> IntBuf {
        let digits = if self.digits.len() <= INLINE {
            let mut d = [0; INLINE];
            d[..self.digits.len()].copy_from_slice(self.digits);
            Digits::Inline(self.digits.len() as u8, d)
        } else {
            Digits::Heap(self.digits.to_vec())
        };
        IntBuf { negative: self.negative, digits }
    }
    /// The absolute value.
    pub fn abs(self) -> Int<'a> {
        Int { negative: false, digits: self.digits }
    }
    /// The opposite value.
    #[expect(clippy::should_implement_trait, reason = "a view changes its sign without making a number")]
    pub fn neg(self) -> Int<'a> {
        Int { negative: !self.negative && !self.digits.is_empty(), digits: self.digits }
    }
}

impl IntBuf {
    /// From a sign and digits that may have leading zeros.
    pub fn from_vec(negative: bool, v: Vec<u32>) -> IntBuf {
        let digits = Digits::from_vec(v);
        IntBuf { negative: negative && !digits.is_empty(), digits }
    }
    /// From a sign and a magnitude.
    #[inline]
    pub fn from_u128(negative: bool, x: u128) -> IntBuf {
        IntBuf { negative: negative && x != 0, digits: Digits::from_u128(x) }
    }
    /// Zero.
    pub fn zero() -> IntBuf {
        IntBuf { negative: false, digits: Digits::EMPTY }
    }
    /// Borrows it.
    #[inline]
    pub fn as_int(&self) -> Int<'_> {
        Int { negative: self.negative, digits: &self.digits }
    }
    /// The opposite value.
    pub fn negated(mut self) -> IntBuf {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }
}

impl PartialEq for IntBuf {
    fn eq(&self, other: &IntBuf) -> bool {
        self.negative == other.negative && *self.digits == *other.digits
    }
}
impl Eq for IntBuf {}
impl PartialEq for Int<'_> {
    fn eq(&self, other: &Int<'_>) -> bool {
        self.negative == other.negative && self.digits == other.digits
    }
}
impl Eq for Int<'_> {}
impl PartialOrd for Int<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Int<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => cmp_digits(self.digits, other.digits),
            (true, true) => cmp_digits(other.digits, self.digits),
        }
    }
}

/// Compares two magnitudes.
pub fn cmp_digits(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// A zeroed vector, or `NoMemory`.
pub(crate) fn try_zeroed(n: usize) -> Result<Vec<u32>, IntError> {
    let mut v = Vec::new();
    v.try_reserve_exact(n).map_err(|_| IntError::NoMemory)?;
    v.resize(n, 0);
    Ok(v)
}
