//! Floats: text both ways, rounding, Python's arithmetic, and the functions of `math` that need care.
//!
//! Decimal digits come from the standard library, whose conversions are exact for any precision and
//! shortest for `repr`; what is written here is Python's layout of those digits and its rules for
//! signs, special values and errors.

mod format;
mod functions;
mod gamma;
mod hex;
mod ops;
mod sums;

/// The digits that CPython lets a float be written with: what a C int can count, with room for the rest of
/// the text.
pub const MAX_PRECISION: usize = i32::MAX as usize - 1024;

pub use format::*;
pub use functions::*;
pub use gamma::*;
pub use hex::*;
pub use ops::*;
pub use sums::*;

/// Why a float operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatError {
    /// Outside the domain (`math domain error` and its kin).
    Domain,
    /// Too large for a float (`math range error`).
    Range,
    /// Division by zero.
    ZeroDivision,
    /// Zero to a negative power.
    ZeroToNegative,
    /// A negative base with a fractional exponent: the answer is complex.
    Complex,
}

/// `x = m * 2**e` for a finite `x >= 0`.
pub fn decompose(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let e = (bits >> 52 & 0x7ff) as i32;
    let m = bits & ((1 << 52) - 1);
    if e == 0 { (m, -1074) } else { (m | 1 << 52, e - 1075) }
}
