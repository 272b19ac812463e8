//! Functions of one float: each has its domain, and its words for arguments outside of it.

use super::float_error;
use super::integers::view;
use taipan_num::float::log_int;
use taipan_num::float::{self as kernel, FloatError};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::IntoPy;
use taipan_object::protocol::{BinaryOp, binary_op};
use taipan_object::statics::{PyExc_TypeError, PyExc_ValueError};
use taipan_object::{Object, PyErr, PyResult, err, raise};

/// Functions that are defined everywhere.
macro_rules! total {
    ($($name:ident: $ty:ty = $function:expr;)*) => {$(
        pub(super) fn $name(_: &Object, x: &Object) -> PyResult<$ty> {
            let function: fn(f64) -> $ty = $function;
            x.to_f64().map(function)
        }
    )*};
}

total! {
    asinh: f64 = kernel::asinh;
    atan: f64 = f64::atan;
    cbrt: f64 = f64::cbrt;
    degrees: f64 = |x| x * (180.0 / core::f64::consts::PI);
    erf: f64 = kernel::erf;
    erfc: f64 = kernel::erfc;
    fabs: f64 = f64::abs;
    isfinite: bool = f64::is_finite;
    isinf: bool = f64::is_infinite;
    isnan: bool = f64::is_nan;
    radians: f64 = |x| x * (core::f64::consts::PI / 180.0);
    tanh: f64 = f64::tanh;
    ulp: f64 = kernel::ulp;
}

/// Functions that grow beyond all floats, but are defined everywhere.
macro_rules! growing {
    ($($name:ident = $function:expr;)*) => {$(
        pub(super) fn $name(_: &Object, x: &Object) -> PyResult<f64> {
            let x = x.to_f64()?;
            let result = $function(x);
            if result.is_infinite() && x.is_finite() { Err(float_error(FloatError::Range)) } else { Ok(result) }
        }
    )*};
}

growing! {
    cosh = f64::cosh;
    exp = f64::exp;
    exp2 = f64::exp2;
    expm1 = f64::exp_m1;
    sinh = f64::sinh;
}

#[cold]
fn outside(words: &str, x: f64) -> PyErr {
    raise!(PyExc_ValueError, "{words}, got {}", kernel::repr(x))
}

/// Functions whose domain is a part of the numbers; a NaN goes through.
macro_rules! partial {
    ($($name:ident = $function:expr, $domain:expr, $words:literal;)*) => {$(
        pub(super) fn $name(_: &Object, x: &Object) -> PyResult<f64> {
            let x = x.to_f64()?;
            let inside: fn(f64) -> bool = $domain;
            if !x.is_nan() && !inside(x) {
                return Err(outside($words, x));
            }
            Ok($function(x))
        }
    )*};
}

partial! {
    acos = f64::acos, |x| x.abs() <= 1.0, "expected a number in range from -1 up to 1";
    acosh = kernel::acosh, |x| x >= 1.0, "expected argument value not less than 1";
    asin = f64::asin, |x| x.abs() <= 1.0, "expected a number in range from -1 up to 1";
    atanh = kernel::atanh, |x| x.abs() < 1.0, "expected a number between -1 and 1";
    cos = f64::cos, f64::is_finite, "expected a finite input";
    log1p = f64::ln_1p, |x| x > -1.0, "expected argument value > -1";
    sin = f64::sin, f64::is_finite, "expected a finite input";
    sqrt = f64::sqrt, |x| x >= 0.0, "expected a nonnegative input";
    tan = f64::tan, f64::is_finite, "expected a finite input";
}

fn gamma_error(error: FloatError, x: f64) -> PyErr {
    match error {
        FloatError::Domain => outside("expected a noninteger or positive integer", x),
        other => float_error(other),
    }
}

pub(super) fn gamma(_: &Object, x: &Object) -> PyResult<f64> {
    let x = x.to_f64()?;
    kernel::gamma(x).map_err(|error| gamma_error(error, x))
}

pub(super) fn lgamma(_: &Object, x: &Object) -> PyResult<f64> {
    let x = x.to_f64()?;
    kernel::lgamma(x).map_err(|error| gamma_error(error, x))
}

/// A logarithm; ints may be larger than any float.
fn logarithm(x: &Object, function: fn(f64) -> f64) -> PyResult<f64> {
    if let Some(int) = x.downcast::<Int>() {
        return log_int(view(int), function).map_err(|_| err::value_error("expected a positive input"));
    }
    let x = x.to_f64()?;
    kernel::log_checked(x, function).map_err(|_| outside("expected a positive input", x))
}

pub(super) fn log(_: &Object, args: &[&Object]) -> PyResult {
    match args {
        [x] => logarithm(x, f64::ln)?.into_py(),
        [x, base] => {
            let (x, base) = (logarithm(x, f64::ln)?, logarithm(base, f64::ln)?);
            binary_op(&Float::new(x), &Float::new(base), BinaryOp::TrueDivide)
        }
        [] => Err(err::type_error("log expected at least 1 argument, got 0")),
        many => Err(raise!(PyExc_TypeError, "log expected at most 2 arguments, got {}", many.len())),
    }
}

pub(super) fn log2(_: &Object, x: &Object) -> PyResult<f64> {
    logarithm(x, f64::log2)
}

pub(super) fn log10(_: &Object, x: &Object) -> PyResult<f64> {
    logarithm(x, f64::log10)
}
