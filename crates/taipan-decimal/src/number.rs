//! Numbers, contexts, and the rounding that ends every operation.
//!
//! Invariants: an infinity has coefficient and exponent zero; a NaN keeps its payload in the coefficient
//! (zero means that there is none) and has exponent zero.

use crate::NoMemory;
use crate::coeff::{Coeff, POW10};
use core::cmp::Ordering;

/// The greatest precision.
pub const MAX_PREC: i64 = 999_999_999_999_999_999;
/// The greatest exponent of a first digit.
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
/// The least exponent of a first digit.
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
/// The least exponent of a last digit.
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);
/// An exponent beyond every limit, with which an operation says "too large to compute".
pub const EXP_INF: i64 = 2_000_000_000_000_000_001;
/// Exponents read from text are held within this distance of zero.
pub const EXP_CLAMP: i64 = 4_000_000_000_000_000_001;

/// The conditions that an operation can meet, one bit each.
pub mod status {
    pub const CLAMPED: u32 = 0x1;
    pub const CONVERSION_SYNTAX: u32 = 0x2;
    pub const DIVISION_BY_ZERO: u32 = 0x4;
    pub const DIVISION_IMPOSSIBLE: u32 = 0x8;
    pub const DIVISION_UNDEFINED: u32 = 0x10;
    pub const FPU_ERROR: u32 = 0x20;
    pub const INEXACT: u32 = 0x40;
    pub const INVALID_CONTEXT: u32 = 0x80;
    pub const INVALID_OPERATION: u32 = 0x100;
    pub const MALLOC_ERROR: u32 = 0x200;
    pub const NOT_IMPLEMENTED: u32 = 0x400;
    pub const OVERFLOW: u32 = 0x800;
    pub const ROUNDED: u32 = 0x1000;
    pub const SUBNORMAL: u32 = 0x2000;
    pub const UNDERFLOW: u32 = 0x4000;
    /// A float was used where decimals are expected.
    pub const FLOAT_OPERATION: u32 = 0x8000;
    /// Everything that the standard calls an invalid operation.
    pub const IEEE_INVALID: u32 = CONVERSION_SYNTAX
        | DIVISION_IMPOSSIBLE
        | DIVISION_UNDEFINED
        | FPU_ERROR
        | INVALID_CONTEXT
        | INVALID_OPERATION
        | MALLOC_ERROR;
    /// What leaves no usable result.
    pub const ERRORS: u32 = IEEE_INVALID | DIVISION_BY_ZERO;
}
use status::*;

/// How a cut coefficient is rounded. The order is that of the names in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    /// Away from zero if the last digit kept would be 0 or 5.
    ZeroFiveUp,
}

/// The limits under which an operation works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub prec: i64,
    pub emax: i64,
    pub emin: i64,
    pub round: Rounding,
    /// Exponents are folded down so that no number has more than `prec` digits with its exponent.
    pub clamp: bool,
}

impl Context {
    /// The widest limits there are.
    pub const MAX: Context =
        Context { prec: MAX_PREC, emax: MAX_EMAX, emin: MIN_EMIN, round: Rounding::HalfEven, clamp: false };

    /// The least exponent of a subnormal number.
    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }

    /// The greatest exponent of a number with all digits in use.
    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }

    /// The same limits with another rounding.
    #[must_use]
    pub fn rounding(&self, round: Rounding) -> Context {
        Context { round, ..*self }
    }
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Finite,
    Infinite,
    /// A quiet NaN.
    NaN,
    /// A signalling NaN.
    SNaN,
}

/// A decimal number.
#[derive(Clone, Debug)]
pub struct Dec {
    pub coeff: Coeff,
    pub exp: i64,
    pub negative: bool,
    pub kind: Kind,
}

/// A result, or the NaN that stands for memory that could not be had.
pub fn or_no_memory(result: Result<Dec, NoMemory>, st: &mut u32) -> Dec {
    result.unwrap_or_else(|NoMemory| Dec::invalid(MALLOC_ERROR, st))
}

impl Dec {
    /// One.
    pub const ONE: Dec = Dec { coeff: Coeff::ONE, exp: 0, negative: false, kind: Kind::Finite };

    /// A finite number.
    #[inline]
    pub fn new(negative: bool, coeff: Coeff, exp: i64) -> Dec {
        Dec { coeff, exp, negative, kind: Kind::Finite }
    }

    /// A finite number with a small coefficient.
    #[inline]
    pub fn triple(negative: bool, coeff: u64, exp: i64) -> Dec {
        Dec::new(negative, Coeff::Small([coeff, 0]), exp)
    }

    /// An integer.
    pub fn from_i64(value: i64) -> Dec {
        Dec::triple(value < 0, value.unsigned_abs(), 0)
    }

    /// An infinity.
    pub fn infinity(negative: bool) -> Dec {
        Dec { coeff: Coeff::ZERO, exp: 0, negative, kind: Kind::Infinite }
    }

    /// The quiet NaN without payload.
    pub fn nan() -> Dec {
        Dec { coeff: Coeff::ZERO, exp: 0, negative: false, kind: Kind::NaN }
    }

    /// Notes a condition that leaves no result, and gives the NaN that stands for it.
    #[cold]
    pub fn invalid(condition: u32, st: &mut u32) -> Dec {
        *st |= condition;
        Dec::nan()
    }

    #[inline(always)]
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }

    #[inline]
    pub fn is_special(&self) -> bool {
        self.kind != Kind::Finite
    }

    pub fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinite
    }

    pub fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::NaN | Kind::SNaN)
    }

    pub fn is_qnan(&self) -> bool {
        self.kind == Kind::NaN
    }

    pub fn is_snan(&self) -> bool {
        self.kind == Kind::SNaN
    }

    /// Whether it is a zero of either sign.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.coeff.is_zero()
    }

    /// The exponent of the first digit.
    #[inline]
    pub fn adjusted(&self) -> i64 {
        self.exp + self.coeff.digits().cast_signed() - 1
    }

    /// Finite, not zero, and too small for all digits.
    pub fn is_subnormal(&self, ctx: &Context) -> bool {
        self.is_finite() && !self.coeff.is_zero() && self.adjusted() < ctx.emin
    }

    /// Finite, not zero and not subnormal.
    pub fn is_normal(&self, ctx: &Context) -> bool {
        self.is_finite() && !self.coeff.is_zero() && self.adjusted() >= ctx.emin
    }

    /// Whether it is a finite number without fraction.
    pub fn is_integer(&self) -> bool {
        self.is_finite()
            && (self.exp >= 0
                || self.coeff.is_zero()
                || self.coeff.trailing_zeros() >= self.exp.unsigned_abs())
    }

    /// Whether it is an odd integer.
    pub fn is_odd_integer(&self) -> bool {
        self.is_integer() && self.exp <= 0 && self.coeff.digit(self.exp.unsigned_abs()) & 1 == 1
    }

    /// The value as a machine integer, if it is an integer that fits.
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        if self.coeff.is_zero() {
            return Some(0);
        }
        if self.adjusted() > 19 {
            return None;
        }
        let whole = if self.exp >= 0 {
            self.coeff.shl(self.exp.unsigned_abs()).ok()?
        } else {
            self.coeff.shr(self.exp.unsigned_abs()).ok()?.0
        };
        let value = i128::try_from(whole.small()?).ok()?;
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// The same number with the given sign.
    #[must_use]
    pub fn with_sign(&self, negative: bool) -> Dec {
        Dec { negative, ..self.clone() }
    }

    /// The NaN with its payload cut to what the context allows.
    fn fix_nan(mut self, ctx: &Context) -> Dec {
        let room = (ctx.prec - i64::from(ctx.clamp)).unsigned_abs();
        if !self.coeff.is_zero() && self.coeff.digits() > room {
            self.coeff = self.coeff.low_digits(room).unwrap_or(Coeff::ZERO);
        }
        self
    }

    /// The quiet NaN that an operand makes of a result.
    fn quieted(&self, ctx: &Context) -> Dec {
        Dec { kind: Kind::NaN, ..self.clone() }.fix_nan(ctx)
    }

    /// The result of an operation with NaN among its operands: the first signalling one, else the first.
    #[cold]
    pub fn propagate(operands: &[&Dec], ctx: &Context, st: &mut u32) -> Option<Dec> {
        if let Some(found) = operands.iter().find(|operand| operand.is_snan()) {
            *st |= INVALID_OPERATION;
            return Some(found.quieted(ctx));
        }
        operands.iter().find(|operand| operand.is_nan()).map(|found| found.quieted(ctx))
    }

    /// Makes an exact result fit the context: checks the exponent, rounds, and notes what happened.
    #[inline]
    #[must_use]
    pub fn finalize(self, ctx: &Context, st: &mut u32) -> Dec {
        if self.is_finite() {
            let digits = self.coeff.digits().cast_signed();
            let adjusted = self.exp + digits - 1;
            if digits <= ctx.prec
                && adjusted <= ctx.emax
                && adjusted >= ctx.emin
                && !(ctx.clamp && self.exp > ctx.etop())
            {
                return self;
            }
        }
        self.finalize_slow(ctx, st)
    }

    fn finalize_slow(self, ctx: &Context, st: &mut u32) -> Dec {
        match self.kind {
            Kind::Infinite => return self,
            Kind::NaN | Kind::SNaN => return self.fix_nan(ctx),
            Kind::Finite => {}
        }
        let result = self.check_exponent(ctx, st).and_then(|fits| fits.check_precision(ctx, st));
        or_no_memory(result, st)
    }

    /// What a number too large becomes.
    fn overflow(&self, ctx: &Context, st: &mut u32) -> Result<Dec, NoMemory> {
        *st |= OVERFLOW | INEXACT | ROUNDED;
        let infinite = match ctx.round {
            Rounding::HalfUp | Rounding::HalfEven | Rounding::HalfDown | Rounding::Up => true,
            Rounding::Down | Rounding::ZeroFiveUp => false,
            Rounding::Ceiling => !self.negative,
            Rounding::Floor => self.negative,
        };
        if infinite {
            return Ok(Dec::infinity(self.negative));
        }
        Dec::largest(self.negative, ctx)
    }

    /// The largest number of a context.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn largest(negative: bool, ctx: &Context) -> Result<Dec, NoMemory> {
        Ok(Dec::new(negative, Coeff::nines(ctx.prec.unsigned_abs())?, ctx.etop()))
    }

    fn check_exponent(mut self, ctx: &Context, st: &mut u32) -> Result<Dec, NoMemory> {
        if self.is_special() {
            return Ok(self);
        }
        let adjusted = self.adjusted();
        if adjusted > ctx.emax {
            if self.coeff.is_zero() {
                self.exp = if ctx.clamp { ctx.etop() } else { ctx.emax };
                *st |= CLAMPED;
                return Ok(self);
            }
            return self.overflow(ctx, st);
        }
        if ctx.clamp && self.exp > ctx.etop() {
            let shift = self.exp - ctx.etop();
            self.coeff = self.coeff.shl(shift.unsigned_abs())?;
            self.exp -= shift;
            *st |= CLAMPED;
            if !self.coeff.is_zero() && adjusted < ctx.emin {
                *st |= SUBNORMAL;
            }
            return Ok(self);
        }
        if adjusted < ctx.emin {
            return self.small(ctx, st);
        }
        Ok(self)
    }

    /// The number, whose first digit lies below the least exponent.
    fn small(mut self, ctx: &Context, st: &mut u32) -> Result<Dec, NoMemory> {
        let etiny = ctx.etiny();
        if self.coeff.is_zero() {
            if self.exp < etiny {
                self.exp = etiny;
                *st |= CLAMPED;
            }
            return Ok(self);
        }
        *st |= SUBNORMAL;
        if self.exp < etiny {
            let (cut, digit) = self.coeff.shr((etiny - self.exp).unsigned_abs())?;
            self.exp = etiny;
            self.coeff = cut;
            if self.rounds_up(digit, ctx.round) {
                self.coeff = self.coeff.increment();
            }
            *st |= ROUNDED;
            if digit != 0 {
                *st |= INEXACT | UNDERFLOW;
                if self.coeff.is_zero() {
                    *st |= CLAMPED;
                }
            }
        }
        Ok(self)
    }

    /// Whether the cut coefficient is to grow by one, given the digit that stands for what was cut off.
    pub fn rounds_up(&self, digit: u8, round: Rounding) -> bool {
        match round {
            Rounding::Down => false,
            Rounding::HalfUp => digit >= 5,
            Rounding::HalfEven => digit > 5 || (digit == 5 && self.coeff.is_odd()),
            Rounding::HalfDown => digit > 5,
            Rounding::Ceiling => digit != 0 && !self.negative,
            Rounding::Floor => digit != 0 && self.negative,
            Rounding::Up => digit != 0,
            Rounding::ZeroFiveUp => digit != 0 && self.coeff.last_digit().is_multiple_of(5),
        }
    }

    fn check_precision(mut self, ctx: &Context, st: &mut u32) -> Result<Dec, NoMemory> {
        let digits = self.coeff.digits().cast_signed();
        if self.is_special() || digits <= ctx.prec {
            return Ok(self);
        }
        let shift = digits - ctx.prec;
        let (cut, digit) = self.coeff.shr(shift.unsigned_abs())?;
        self.exp += shift;
        self.coeff = cut;
        if self.rounds_up(digit, ctx.round) {
            self.coeff = self.coeff.increment();
            if self.coeff.digits().cast_signed() > ctx.prec {
                self.coeff = self.coeff.shr(1)?.0;
                self.exp += 1;
                self = self.check_exponent(ctx, st)?;
            }
        }
        *st |= ROUNDED;
        if digit != 0 {
            *st |= INEXACT;
        }
        Ok(self)
    }

    /// Compares the magnitudes of two finite numbers.
    pub fn cmp_abs(&self, other: &Dec) -> Ordering {
        match (self.coeff.is_zero(), other.coeff.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        if self.exp == other.exp {
            return self.coeff.cmp(&other.coeff);
        }
        if let (Some(x), Some(y)) = (self.coeff.small(), other.coeff.small()) {
            // What overflows when scaled is the greater one.
            let power = |gap: i64| usize::try_from(gap).ok().and_then(|gap| POW10.get(gap));
            if let Some(scaled) = power(self.exp - other.exp).and_then(|&power| x.checked_mul(power)) {
                return scaled.cmp(&y);
            }
            if let Some(scaled) = power(other.exp - self.exp).and_then(|&power| y.checked_mul(power)) {
                return x.cmp(&scaled);
            }
        }
        self.adjusted().cmp(&other.adjusted()).then_with(|| {
            // The same length when written out: the gap is no greater than the digits at hand.
            let gap = (self.exp - other.exp).unsigned_abs();
            let scaled = |coeff: &Coeff| coeff.shl(gap).unwrap_or(Coeff::ZERO);
            if self.exp > other.exp {
                scaled(&self.coeff).cmp(&other.coeff)
            } else {
                self.coeff.cmp(&scaled(&other.coeff))
            }
        })
    }

    /// Compares two numbers that are not NaN.
    pub fn cmp_numbers(&self, other: &Dec) -> Ordering {
        let sign = |x: &Dec| match (x.is_zero(), x.negative) {
            (true, _) => 0,
            (_, true) => -1,
            _ => 1,
        };
        let (a, b) = (sign(self), sign(other));
        if a != b || a == 0 {
            return a.cmp(&b);
        }
        let magnitudes = match (self.is_infinite(), other.is_infinite()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => self.cmp_abs(other),
        };
        if a < 0 { magnitudes.reverse() } else { magnitudes }
    }
}

/// The modulus of Python's hashes of numbers, 2**61 - 1.
const HASH_MODULUS: u64 = (1 << 61) - 1;

/// `base ** exp` modulo [`HASH_MODULUS`].
fn hash_power(base: u64, mut exp: u64) -> u64 {
    let mul = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(HASH_MODULUS)) as u64;
    let (mut result, mut power) = (1, base);
    while exp != 0 {
        if exp & 1 == 1 {
            result = mul(result, power);
        }
        power = mul(power, power);
        exp >>= 1;
    }
    result
}

impl Dec {
    /// Python's hash of a finite number: the value modulo a prime, as for every number.
    pub fn python_hash(&self) -> i64 {
        let modulus = u128::from(HASH_MODULUS);
        let base = u128::from(crate::limbs::BASE) % modulus;
        let mut room = [0; 2];
        let coeff = self
            .coeff
            .limbs(&mut room)
            .iter()
            .rev()
            .fold(0u128, |sum, &limb| (sum * base + u128::from(limb)) % modulus);
        // 10 ** (p - 1) is 1, so a negative exponent counts from there.
        let exp = self.exp.rem_euclid((HASH_MODULUS - 1) as i64).unsigned_abs();
        let hash = (coeff * u128::from(hash_power(10, exp)) % modulus) as i64;
        match if self.negative { -hash } else { hash } {
            -1 => -2,
            hash => hash,
        }
    }
}
