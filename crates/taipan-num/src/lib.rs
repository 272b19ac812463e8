//! Number kernels of Python with no Python objects in them.
//!
//! The problem: `int`, `float`, `complex`, `random` and `hash` must give CPython's results bit for bit.
//! The idea: every kernel is a pure function over plain data. Integers come as CPython stores them
//! (little-endian digits of 30 bits and a separate sign), so the object layer lends its digits without
//! copying. Errors are small enums; the words of exceptions belong to the caller.
#![forbid(unsafe_code)]

pub mod complex;
pub mod float;
pub mod half;
pub mod hash;
pub mod int;
pub mod random;

pub use int::{Digits, Int, IntBuf, IntError};
