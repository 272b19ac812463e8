//! Arithmetic, bits and comparison of ints.

use super::{kernel_error, make, pylong, view};
use taipan_num::int::{self as kernel, IntError};
use taipan_object::int::Int;
use taipan_object::native::CompareOp;
use taipan_object::singletons::{bool_object, is_none, not_implemented};
use taipan_object::statics::PyLong_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, err};

/// Both operands as ints, if they are.
#[inline(always)]
fn both<'a>(a: &'a Object, b: &'a Object) -> Option<(&'a Int, &'a Int)> {
    Some((a.downcast::<Int>()?, b.downcast::<Int>()?))
}

#[inline(always)]
fn small(a: &Int, b: &Int) -> Option<(i64, i64)> {
    Some((a.compact_value()?, b.compact_value()?))
}

macro_rules! slots {
    ($($slot:ident = $function:ident;)*) => {$(
        pub(super) fn $slot(a: &Object, b: &Object) -> PyResult {
            match both(a, b) {
                Some((a, b)) => $function(a, b).map(Ref::upcast),
                None => Ok(not_implemented().new_ref()),
            }
        }
    )*};
}

slots! {
    add_slot = add;
    sub_slot = sub;
    mul_slot = mul;
    modulo_slot = modulo;
    divmod_slot = divmod;
    lshift_slot = lshift;
    rshift_slot = rshift;
    and_slot = and;
    xor_slot = xor;
    or_slot = or;
    floor_div_slot = floor_div;
    true_div_slot = true_div;
}

/// `a + b`.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn add(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    match small(a, b) {
        Some((a, b)) => Ok(Int::from_i64(a + b)),
        None => make(kernel::add(view(a), view(b))),
    }
}

/// `a - b`.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn sub(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    match small(a, b) {
        Some((a, b)) => Ok(Int::from_i64(a - b)),
        None => make(kernel::sub(view(a), view(b))),
    }
}

/// `a * b`.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn mul(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    match small(a, b) {
        Some((a, b)) => Ok(Int::from_i64(a * b)),
        None => {
            kernel::check_room(a.digits().len() + b.digits().len()).map_err(kernel_error)?;
            make(kernel::mul(view(a), view(b)))
        }
    }
}

/// Quotient rounded down, for a divisor that is not zero.
#[inline]
fn floor_i64(a: i64, b: i64) -> i64 {
    let q = a / b;
    if (a % b != 0) && ((a < 0) != (b < 0)) { q - 1 } else { q }
}

/// `a // b`.
///
/// # Errors
/// `ZeroDivisionError`, `MemoryError`.
#[inline]
pub fn floor_div(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    match small(a, b) {
        Some((a, b)) if b != 0 => Ok(Int::from_i64(floor_i64(a, b))),
        _ => match pylong::divmod(a, b)? {
            Some((quotient, _)) => Ok(quotient),
            None => make(kernel::floordiv(view(a), view(b)).map_err(kernel_error)?),
        },
    }
}

/// `a % b`.
///
/// # Errors
/// `ZeroDivisionError`, `MemoryError`.
#[inline]
pub fn modulo(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    match small(a, b) {
        Some((a, b)) if b != 0 => Ok(Int::from_i64(a - floor_i64(a, b) * b)),
        _ => make(kernel::modulo(view(a), view(b)).map_err(kernel_error)?),
    }
}

/// `divmod(a, b)`.
///
/// # Errors
/// `ZeroDivisionError`, `MemoryError`.
pub fn divmod(a: &Int, b: &Int) -> PyResult<Ref<Tuple>> {
    let (q, r) = match small(a, b) {
        Some((a, b)) if b != 0 => {
            let q = floor_i64(a, b);
            (Int::from_i64(q), Int::from_i64(a - q * b))
        }
        _ => match pylong::divmod(a, b)? {
            Some(pair) => pair,
            None => {
                let (q, r) = kernel::divmod(view(a), view(b)).map_err(kernel_error)?;
                (make(q)?, make(r)?)
            }
        },
    };
    Tuple::from_array([q.upcast(), r.upcast()])
}

/// `a / b`.
///
/// # Errors
/// `ZeroDivisionError`, `OverflowError`.
pub fn true_div(a: &Int, b: &Int) -> PyResult<Ref<taipan_object::float::Float>> {
    let value = match small(a, b) {
        Some((a, b)) if b != 0 => a as f64 / b as f64,
        _ => kernel::true_div(view(a), view(b)).map_err(|error| match error {
            IntError::Overflow => err::overflow_error("integer division result too large for a float"),
            other => kernel_error(other),
        })?,
    };
    Ok(taipan_object::float::Float::new(value))
}

/// A shift count: `None` when it is beyond any number.
fn shift_count(count: &Int) -> PyResult<Option<u64>> {
    if count.is_negative() {
        return Err(kernel_error(IntError::Negative));
    }
    Ok(count.to_i64().map(i64::cast_unsigned))
}

/// `a << b`.
///
/// # Errors
/// `ValueError` for a negative count, `OverflowError`, `MemoryError`.
pub fn lshift(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    let count = shift_count(b)?;
    if a.is_zero() {
        return Ok(Int::from_i64(0));
    }
    let Some(count) = count else { return Err(kernel_error(IntError::Overflow)) };
    match a.compact_value() {
        Some(value) if count < 33 => Ok(Int::from_i64(value << count)),
        _ => make(kernel::lshift(view(a), count).map_err(kernel_error)?),
    }
}

/// `a >> b`.
///
/// # Errors
/// `ValueError` for a negative count, `MemoryError`.
pub fn rshift(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    let Some(count) = shift_count(b)? else { return Ok(Int::from_i64(-i64::from(a.is_negative()))) };
    match a.compact_value() {
        Some(value) => Ok(Int::from_i64(value >> count.min(63))),
        None => make(kernel::rshift(view(a), count)),
    }
}

macro_rules! bitwise {
    ($($(#[$doc:meta])* $name:ident, $op:tt;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// `MemoryError`.
        #[inline]
        pub fn $name(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
            match small(a, b) {
                Some((a, b)) => Ok(Int::from_i64(a $op b)),
                None => make(kernel::$name(view(a), view(b))),
            }
        }
    )*};
}

bitwise! {
    /// `a & b`.
    and, &;
    /// `a | b`.
    or, |;
    /// `a ^ b`.
    xor, ^;
}

/// `-a`.
///
/// # Errors
/// `MemoryError`.
pub fn neg(a: &Int) -> PyResult<Ref<Int>> {
    match a.compact_value() {
        Some(value) => Ok(Int::from_i64(-value)),
        None => Int::from_digits(!a.is_negative(), a.digits()),
    }
}

/// The int itself, or an exact int of a subclass instance's value.
///
/// # Errors
/// `MemoryError`.
pub fn exact(a: &Int) -> PyResult<Ref<Int>> {
    if a.is_exact(&PyLong_Type) { Ok(Ref::of(a)) } else { Int::from_digits(a.is_negative(), a.digits()) }
}

/// `abs(a)`.
///
/// # Errors
/// `MemoryError`.
pub fn abs(a: &Int) -> PyResult<Ref<Int>> {
    if a.is_negative() { neg(a) } else { exact(a) }
}

/// `~a`.
///
/// # Errors
/// `MemoryError`.
pub fn invert(a: &Int) -> PyResult<Ref<Int>> {
    match a.compact_value() {
        Some(value) => Ok(Int::from_i64(!value)),
        None => make(kernel::invert(view(a))),
    }
}

/// `pow(a, b)` or `pow(a, b, modulus)`; a negative power without modulus is a float.
///
/// # Errors
/// `ZeroDivisionError`, `ValueError`, `MemoryError`.
pub fn pow(a: &Int, b: &Int, modulus: Option<&Int>) -> PyResult {
    if let Some(modulus) = modulus {
        let result = kernel::pow_mod(view(a), view(b), view(modulus)).map_err(|error| match error {
            IntError::ZeroDivision => err::value_error("pow() 3rd argument cannot be 0"),
            other => kernel_error(other),
        })?;
        return make(result).map(Ref::upcast);
    }
    if b.is_negative() {
        return crate::float::pow(super::to_f64(a)?, super::to_f64(b)?);
    }
    make(kernel::pow(view(a), view(b)).map_err(kernel_error)?).map(Ref::upcast)
}

pub(super) fn pow_slot(a: &Object, b: &Object, modulus: &Object) -> PyResult {
    let third = modulus.downcast::<Int>();
    match both(a, b) {
        Some((a, b)) if third.is_some() || is_none(modulus) => pow(a, b, third),
        _ => Ok(not_implemented().new_ref()),
    }
}

/// The order of two ints.
#[inline]
pub fn compare(a: &Int, b: &Int) -> core::cmp::Ordering {
    match small(a, b) {
        Some((a, b)) => a.cmp(&b),
        None => view(a).cmp(&view(b)),
    }
}

pub(super) fn compare_slot(a: &Int, b: &Object, op: CompareOp) -> Ref {
    match b.downcast::<Int>() {
        Some(b) => bool_object(op.holds(compare(a, b))).new_ref(),
        None => not_implemented().new_ref(),
    }
}
