//! Arithmetic and comparison of floats; ints take part as floats.

use taipan_num::float::{self as kernel, FloatError};
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::native::{CompareOp, IntoPy};
use taipan_object::singletons::{is_none, new_bool, not_implemented};
use taipan_object::statics::PyExc_OverflowError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err};

/// An operand as a float, if it is a float or an int.
///
/// # Errors
/// `OverflowError` for ints beyond the range.
#[inline(always)]
pub fn operand(object: &Object) -> PyResult<Option<f64>> {
    if let Some(float) = object.downcast::<Float>() {
        return Ok(Some(float.value()));
    }
    object.downcast::<Int>().map(crate::int::to_f64).transpose()
}

/// Applies an operator to two operands, or says that it is not implemented for them.
#[inline(always)]
fn apply<R: IntoPy>(a: &Object, b: &Object, op: impl FnOnce(f64, f64) -> R) -> PyResult {
    if let Some(a) = operand(a)?
        && let Some(b) = operand(b)?
    {
        return op(a, b).into_py();
    }
    Ok(not_implemented().new_ref())
}

#[cold]
fn kernel_error(error: FloatError) -> PyErr {
    match error {
        FloatError::ZeroDivision => err::zero_division_error("division by zero"),
        FloatError::ZeroToNegative => err::zero_division_error("zero to a negative power"),
        FloatError::Range => range_error(),
        FloatError::Domain | FloatError::Complex => err::value_error("math domain error"),
    }
}

/// The C library's word for a result that is too large.
#[cold]
fn range_error() -> PyErr {
    match Str::from_utf8("Numerical result out of range") {
        Ok(text) => PyErr::with_args(&PyExc_OverflowError, &[&Int::from_i64(34), &text]),
        Err(error) => error,
    }
}

pub(super) fn add_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| a + b)
}

pub(super) fn sub_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| a - b)
}

pub(super) fn mul_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| a * b)
}

/// `a / b`.
///
/// # Errors
/// `ZeroDivisionError`.
#[inline]
pub fn div(a: f64, b: f64) -> PyResult<f64> {
    if b == 0.0 { Err(kernel_error(FloatError::ZeroDivision)) } else { Ok(a / b) }
}

/// `a // b`.
///
/// # Errors
/// `ZeroDivisionError`.
pub fn floor_div(a: f64, b: f64) -> PyResult<f64> {
    kernel::floordiv(a, b).map_err(kernel_error)
}

/// `a % b`.
///
/// # Errors
/// `ZeroDivisionError`.
pub fn modulo(a: f64, b: f64) -> PyResult<f64> {
    kernel::modulo(a, b).map_err(kernel_error)
}

pub(super) fn div_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, div)
}

pub(super) fn floor_div_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, floor_div)
}

pub(super) fn modulo_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, modulo)
}

pub(super) fn divmod_slot(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| -> PyResult {
        let (q, r) = kernel::divmod(a, b).map_err(kernel_error)?;
        Ok(Tuple::from_array([Float::new(q).upcast(), Float::new(r).upcast()])?.upcast())
    })
}

/// `a ** b`: a float, or a complex for a fractional power of a negative number.
///
/// # Errors
/// `ZeroDivisionError`, `OverflowError`.
pub fn pow(a: f64, b: f64) -> PyResult {
    match kernel::pow(a, b) {
        Ok(value) => Ok(Float::new(value).upcast()),
        Err(FloatError::Complex) => {
            let (x, y) = (taipan_num::complex::c(a, 0.0), taipan_num::complex::c(b, 0.0));
            let z = taipan_num::complex::pow(x, y).map_err(crate::complex::kernel_error)?;
            Complex::new(z.re, z.im).map(Ref::upcast)
        }
        Err(error) => Err(kernel_error(error)),
    }
}

pub(super) fn pow_slot(a: &Object, b: &Object, modulus: &Object) -> PyResult {
    if !is_none(modulus) {
        return Err(err::type_error("pow() 3rd argument not allowed unless all arguments are integers"));
    }
    apply(a, b, pow)
}

pub(super) fn neg(a: &Float) -> f64 {
    -a.value()
}

pub(super) fn abs(a: &Float) -> f64 {
    a.value().abs()
}

/// Compares two floats by an operator.
#[inline]
pub fn compare(a: f64, b: f64, op: CompareOp) -> bool {
    match op {
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Gt => a > b,
        CompareOp::Ge => a >= b,
    }
}

pub(super) fn compare_slot(a: &Float, b: &Object, op: CompareOp) -> Ref {
    if let Some(b) = b.downcast::<Float>() {
        return new_bool(compare(a.value(), b.value(), op));
    }
    let Some(b) = b.downcast::<Int>() else { return not_implemented().new_ref() };
    // Exactly: the int is not rounded to a float first.
    match taipan_num::int::cmp_f64(crate::int::view(b), a.value()) {
        Some(order) => new_bool(op.holds(order.reverse())),
        None => new_bool(op == CompareOp::Ne),
    }
}
