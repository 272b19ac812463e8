//! General Decimal Arithmetic (IEEE 754-2008 decimals of any precision) with no Python objects in it.
//!
//! The problem: `decimal` computes with up to 10**18 digits and exponents of ±(10**18 - 1), in every
//! rounding mode, and each operation reports which conditions it met. The idea: a number ([`Dec`]) is a
//! sign, a coefficient and an exponent; every operation computes an exact coefficient (or one that is
//! known to round like the exact one) and hands it to [`Dec::finalize`], the one place that knows about
//! precision, exponent limits and rounding.
//!
//! - [`coeff`]: coefficients; below 10**38 they need no heap memory.
//! - [`limbs`]: arithmetic on vectors of limbs in base 10**19.
//! - [`big`]: the border to the binary big-integer library (large products, base conversion).
//! - [`number`]: numbers, contexts, rounding.
//! - [`arith`], [`divide`], [`compare`], [`unary`], [`logical`]: the operations of the specification.
//! - [`elementary`], [`power`]: `exp`, `ln`, `log10` and powers.
//! - [`text`], [`format`]: text both ways.
//!
//! Memory that cannot be had is a condition like the others ([`status::MALLOC_ERROR`]).
#![forbid(unsafe_code)]

pub mod arith;
pub mod big;
pub mod coeff;
pub mod compare;
pub mod divide;
pub mod elementary;
pub mod format;
pub mod limbs;
pub mod logical;
pub mod number;
pub mod power;
pub mod text;
pub mod unary;

pub use coeff::Coeff;
pub use number::{Context, Dec, Kind, MAX_EMAX, MAX_PREC, MIN_EMIN, MIN_ETINY, Rounding, status};

/// A coefficient would not fit in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;
