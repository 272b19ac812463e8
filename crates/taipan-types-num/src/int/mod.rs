//! `int`: `ops` arithmetic, `make` construction, `methods` the rest.
//!
//! Ints of at most one digit are computed as machine integers; everything else lends its digits to
//! the kernels of `taipan-num`.

mod make;
mod methods;
mod ops;
mod pylong;

pub use make::{int_from_bytes_text, int_from_object, int_from_str};
pub use ops::*;

use taipan_num::int::{self as kernel, IntError};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::statics::PyLong_Type;
use taipan_object::{PyErr, PyResult, Ref, err, state};

/// The digits of an int, lent to a kernel.
#[inline]
pub fn view(int: &Int) -> kernel::Int<'_> {
    kernel::Int::new(int.is_negative(), int.digits())
}

/// An int object of a kernel's result.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn make(result: kernel::IntBuf) -> PyResult<Ref<Int>> {
    Int::from_digits(result.negative, &result.digits)
}

#[cold]
pub(crate) fn kernel_error(error: IntError) -> PyErr {
    match error {
        IntError::ZeroDivision => err::zero_division_error("division by zero"),
        IntError::NoMemory => err::memory_error(),
        IntError::Overflow => err::overflow_error("too many digits in integer"),
        IntError::Negative => err::value_error("negative shift count"),
        IntError::NotInvertible => err::value_error("base is not invertible for the given modulus"),
    }
}

/// Limits below this one are not obeyed: such conversions are always quick.
const DIGITS_THRESHOLD: usize = 640;

/// The decimal text of an int, if it is not longer than the interpreter allows.
///
/// # Errors
/// `ValueError` beyond the limit.
pub fn to_decimal(int: &Int) -> PyResult<String> {
    if let Some(value) = int.to_i64() {
        return Ok(value.to_string());
    }
    let limit = usize::try_from(state::interp().int_max_str_digits.get()).unwrap_or(0);
    let too_long = || {
        err::value_error(&format!(
            "Exceeds the limit ({limit} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
        ))
    };
    // One digit more may turn out to be the estimate's fault; two are certain.
    if limit != 0 && kernel::decimal_digits_estimate(view(int)) > limit.max(DIGITS_THRESHOLD) as u64 + 1 {
        return Err(too_long());
    }
    if let Some(text) = pylong::to_decimal(int)? {
        return Ok(text);
    }
    let text = kernel::to_string(view(int), 10);
    let count = text.len() - usize::from(int.is_negative());
    if limit != 0 && count > DIGITS_THRESHOLD && count > limit { Err(too_long()) } else { Ok(text) }
}

/// The nearest float.
///
/// # Errors
/// `OverflowError`.
pub fn to_f64(int: &Int) -> PyResult<f64> {
    if let Some(value) = int.compact_value() {
        return Ok(value as f64);
    }
    kernel::to_f64(view(int)).ok_or_else(|| err::overflow_error("int too large to convert to float"))
}

/// `hash(int)`.
pub fn hash(int: &Int) -> isize {
    match int.compact_value() {
        Some(-1) => -2,
        Some(value) => value as isize,
        None => kernel::hash(view(int)) as isize,
    }
}

/// `int`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"int([x]) -> integer\nint(x, base=10) -> integer\n\nThe whole number that a number or a text stands for, or 0 without arguments.\nFloats lose their fraction. A text, bytes or bytearray may have a sign, blanks\naround it and single underscores between digits; a base from 2 to 36 says how to\nread it, and base 0 reads it as a literal of the source language.",
    ),
    slots: &[
        raw_dealloc(taipan_object::int::dealloc),
        tp_new(make::new),
        tp_vectorcall(make::vectorcall),
        tp_repr(methods::repr),
        tp_hash(methods::hash_slot),
        tp_richcompare(compare_slot),
        nb_add(add_slot),
        nb_subtract(sub_slot),
        nb_multiply(mul_slot),
        nb_remainder(modulo_slot),
        nb_divmod(divmod_slot),
        nb_power(pow_slot),
        nb_negative(neg),
        nb_positive(exact),
        nb_absolute(abs),
        nb_bool(methods::truth),
        nb_invert(invert),
        nb_lshift(lshift_slot),
        nb_rshift(rshift_slot),
        nb_and(and_slot),
        nb_xor(xor_slot),
        nb_or(or_slot),
        nb_int(exact),
        nb_float(methods::float),
        nb_floor_divide(floor_div_slot),
        nb_true_divide(true_div_slot),
        nb_index(exact),
    ],
    methods: methods::TABLE,
    getset: &methods::GETSET,
    ..TypeSpec::new(&PyLong_Type)
};
