//! The library's `_pylong` as the hook of huge conversions and divisions.
//!
//! Problem: huge ints are converted and divided by functions of the module `_pylong`, and a program may put
//! other functions into that module. Idea: the kernels compute what the module's own functions compute, only
//! faster, so those are never called; but a function that was put in their place is. Invariant: nothing is
//! imported here, since a module that nobody has imported holds nothing of anybody's.

use taipan_object::err::{self, type_error};
use taipan_object::int::Int;
use taipan_object::statics::PyFunction_Type;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, state};

/// Longer ints (in digits of 30 bits) are huge to a conversion to text.
const TEXT_DIGITS: usize = 1000;
/// Longer texts are huge to a conversion to an int.
const DECIMAL_DIGITS: usize = 6000;
/// A divisor of more digits is huge,
const DIVISOR_DIGITS: usize = 300;
/// if the quotient has more than these as well.
const QUOTIENT_DIGITS: usize = 150;

/// What stands in the module under `name`, unless it is the module's own function.
#[cold]
fn replacement(name: &Str) -> PyResult<Option<Ref>> {
    let Some(module) = state::interp().modules.get_str(intern!("_pylong"))? else { return Ok(None) };
    let Some(found) = module.getattr_opt(name)? else { return Ok(None) };
    if found.ty().is(&PyFunction_Type) {
        let home = found.getattr(intern!("__module__"))?;
        if home.downcast::<Str>().and_then(Str::as_utf8) == Some("_pylong") {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// The decimal text of a huge int, if a program computes it.
///
/// # Errors
/// What the function raises; `TypeError` if it gives no text.
pub(super) fn to_decimal(int: &Int) -> PyResult<Option<String>> {
    if int.digit_count() <= TEXT_DIGITS {
        return Ok(None);
    }
    let Some(function) = replacement(intern!("int_to_decimal_string"))? else { return Ok(None) };
    let result = function.call(&[int])?;
    match result.downcast::<Str>() {
        Some(text) => Ok(Some(text.to_utf8()?.to_owned())),
        None => Err(type_error("_pylong.int_to_decimal_string did not return a string")),
    }
}

/// The int of a long text that has been found to be a literal of the base, if a program computes it.
///
/// # Errors
/// What the function raises; `TypeError` if it gives no int.
pub(super) fn from_text(text: &[u8], base: u32) -> PyResult<Option<Ref<Int>>> {
    if text.len() <= DECIMAL_DIGITS {
        return Ok(None);
    }
    let text = text.trim_ascii();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let decimal = base == 10 || base == 0 && !digits.starts_with(b"0");
    if !decimal || digits.iter().filter(|digit| digit.is_ascii_digit()).count() <= DECIMAL_DIGITS {
        return Ok(None);
    }
    let Some(function) = replacement(intern!("int_from_string"))? else { return Ok(None) };
    let digits =
        Str::from_utf8(core::str::from_utf8(digits).map_err(|_| err::value_error("not a literal"))?)?;
    let result = function.call(&[&*digits])?;
    match result.downcast::<Int>() {
        Some(int) if negative => super::neg(int).map(Some),
        Some(int) => Ok(Some(Ref::of(int))),
        None => Err(type_error("_pylong.int_from_string did not return an int")),
    }
}

/// Quotient and remainder of a huge division, if a program computes them.
///
/// # Errors
/// What the function raises; `ValueError` if it gives no two ints.
pub(super) fn divmod(a: &Int, b: &Int) -> PyResult<Option<(Ref<Int>, Ref<Int>)>> {
    let divisor = b.digit_count();
    if divisor <= DIVISOR_DIGITS || a.digit_count() <= divisor + QUOTIENT_DIGITS {
        return Ok(None);
    }
    let Some(function) = replacement(intern!("int_divmod"))? else { return Ok(None) };
    let result = function.call(&[a, b])?;
    let pair: &Object = &result;
    let Some(pair) = pair.downcast::<Tuple>() else {
        return Err(err::value_error("tuple of length 2 is required from int_divmod()"));
    };
    let [quotient, remainder] = pair.items() else {
        return Err(err::value_error("tuple of length 2 is required from int_divmod()"));
    };
    match (quotient.downcast::<Int>(), remainder.downcast::<Int>()) {
        (Some(quotient), Some(remainder)) => Ok(Some((Ref::of(quotient), Ref::of(remainder)))),
        _ => Err(err::value_error("tuple of int is required from int_divmod()")),
    }
}
