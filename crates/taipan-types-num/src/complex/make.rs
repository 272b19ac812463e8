//! Making complex numbers.

use super::value;
use crate::text::to_ascii;
use taipan_num::complex as kernel;
use taipan_num::complex::c;
use taipan_object::buffer::alloc_instance;
use taipan_object::dict::Dict;
use taipan_object::float::Complex;
use taipan_object::native::Signature;
use taipan_object::protocol::special_opt;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Type, err, intern, raise, state};

fn malformed() -> PyErr {
    err::value_error("complex() arg is a malformed string")
}

fn from_text(text: &Str) -> PyResult<kernel::Complex> {
    kernel::parse(&to_ascii(text)).ok_or_else(malformed)
}

/// What `__complex__` gives, if the object has it.
fn special(object: &Object) -> PyResult<Option<kernel::Complex>> {
    let Some(result) = special_opt(object, intern!("__complex__"), &[])? else { return Ok(None) };
    let Some(z) = result.downcast::<Complex>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__complex__ returned non-complex (type {})",
            result.ty().message_name()
        ));
    };
    if !z.is_exact(&PyComplex_Type) {
        let message = format!(
            "__complex__ returned non-complex (type {}).  The ability to return an instance of a strict subclass of complex is deprecated, and may not be supported in a future version of Python.",
            z.ty().message_name()
        );
        (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)?;
    }
    Ok(Some(value(z)))
}

/// A number as a complex; whether it is truly one comes along.
fn number(object: &Object) -> PyResult<Option<(kernel::Complex, bool)>> {
    if object.is_exact(&PyComplex_Type)
        && let Some(z) = object.downcast::<Complex>()
    {
        return Ok(Some((value(z), true)));
    }
    if let Some(z) = special(object)? {
        return Ok(Some((z, true)));
    }
    if let Some(z) = object.downcast::<Complex>() {
        return Ok(Some((value(z), true)));
    }
    Ok(crate::float::number_of(object)?.map(|x| (c(x, 0.0), false)))
}

/// `complex(object)`.
///
/// # Errors
/// `TypeError`, `ValueError`; what the conversion raises.
pub fn complex_from_object(object: &Object) -> PyResult<(f64, f64)> {
    if let Some(text) = object.downcast::<Str>() {
        let z = from_text(text)?;
        return Ok((z.re, z.im));
    }
    match number(object)? {
        Some((z, _)) => Ok((z.re, z.im)),
        None => Err(raise!(
            PyExc_TypeError,
            "complex() argument must be a string or a number, not {}",
            object.ty().message_name()
        )),
    }
}

static SIGNATURE: Signature = Signature::parse("complex", "(real=0, imag=0)");

fn bad_part(name: &str, object: &Object) -> PyErr {
    raise!(
        PyExc_TypeError,
        "complex() argument '{name}' must be a real number, not {}",
        object.ty().message_name()
    )
}

#[cold]
fn warn_complex_part(name: &str, object: &Object) -> PyResult<()> {
    let message =
        format!("complex() argument '{name}' must be a real number, not {}", object.ty().message_name());
    (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)
}

/// `complex.__new__`.
pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let plain = kwargs.is_none_or(Dict::is_empty);
    if let ([only], true) = (args.items(), plain) {
        if ty.is(&PyComplex_Type) && only.is_exact(&PyComplex_Type) {
            return Ok(only.new_ref());
        }
        let (re, im) = complex_from_object(only)?;
        return instance_of(ty, c(re, im));
    }
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    instance_of(ty, from_parts(bound.get(0), bound.get(1))?)
}

/// `real + imag*1j`. Complex parts are deprecated, but still add up.
fn from_parts(real: Option<&Object>, imag: Option<&Object>) -> PyResult<kernel::Complex> {
    let (real_part, real_is_complex) = match real {
        None => (c(0.0, 0.0), false),
        Some(object) => {
            let Some((z, is_complex)) = number(object)? else { return Err(bad_part("real", object)) };
            if is_complex {
                warn_complex_part("real", object)?;
            }
            (z, is_complex)
        }
    };
    let Some(object) = imag else { return Ok(real_part) };
    let (imag_part, imag_is_complex) = if let Some(z) = object.downcast::<Complex>() {
        warn_complex_part("imag", object)?;
        (value(z), true)
    } else {
        match crate::float::number_of(object)? {
            Some(x) => (c(x, 0.0), false),
            None => return Err(bad_part("imag", object)),
        }
    };
    // A part that is no complex adds nothing to the other axis, not even the sign of a zero.
    let re = if imag_is_complex { real_part.re - imag_part.im } else { real_part.re };
    let im = if real_is_complex { imag_part.re + real_part.im } else { imag_part.re };
    Ok(c(re, im))
}

/// The value as an instance of `ty`, which is `complex` or a subclass.
fn instance_of(ty: &Type, z: kernel::Complex) -> PyResult {
    if ty.is(&PyComplex_Type) {
        return super::new(z);
    }
    let object = alloc_instance(ty, 0)?;
    // SAFETY: a fresh instance of a subclass of complex.
    unsafe {
        (*object.raw_as::<taipan_abi::PyComplexObject>()).cval =
            taipan_abi::Py_complex { real: z.re, imag: z.im };
    }
    Ok(object)
}

/// `complex.from_number`.
pub(super) fn from_number(ty: &Type, object: &Object) -> PyResult {
    if object.is_exact(&PyComplex_Type) && ty.is(&PyComplex_Type) {
        return Ok(object.new_ref());
    }
    let z = match number(object)? {
        Some((z, _)) => z,
        None => c(object.to_f64()?, 0.0),
    };
    if ty.is(&PyComplex_Type) { super::new(z) } else { ty.call(&[&*super::new(z)?]) }
}
