//! Construction, methods and attributes of `float`.

use crate::format::argument_name;
use crate::int::make;
use crate::text::{short_repr, to_ascii};
use taipan_num::float as kernel;
use taipan_num::float::HexError;
use taipan_object::buffer::{Buffer, alloc_instance, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::{Args, CallArgs, GetSetRow, from_c, getset_row};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, methods, raise, state};

/// Parses the ASCII form of a text; `shown` is the object for the message.
fn parse(text: &[u8], shown: &Object) -> PyResult<f64> {
    kernel::parse(text)
        .ok_or_else(|| raise!(PyExc_ValueError, "could not convert string to float: {}", short_repr(shown)))
}

/// The float of a text, a bytes-like object, or a number (`float(object)`).
///
/// # Errors
/// `TypeError`, `ValueError`, `OverflowError`; what the object's conversion raises.
pub fn float_from_object(object: &Object) -> PyResult<f64> {
    if object.is_exact(&PyFloat_Type) {
        return object.to_f64();
    }
    if let Some(text) = object.downcast::<Str>().filter(|text| text.is_exact(&PyUnicode_Type)) {
        return parse(&to_ascii(text), text);
    }
    if let Some(value) = number(object)? {
        return Ok(value);
    }
    if let Some(text) = object.downcast::<Str>() {
        return parse(&to_ascii(text), text);
    }
    if has_buffer(object) {
        let data = Buffer::simple(object)?.to_vec();
        return match object.downcast::<Bytes>() {
            Some(bytes) => parse(&data, bytes),
            None => parse(&data, object),
        };
    }
    Err(raise!(
        PyExc_TypeError,
        "float() argument must be a string or a real number, not '{}'",
        object.ty().message_name()
    ))
}

/// `__float__` or `__index__` of an object, if it has one (`PyNumber_Float` without texts).
///
/// # Errors
/// What the methods raise, `TypeError` when they give something else.
pub fn number(object: &Object) -> PyResult<Option<f64>> {
    // SAFETY: slot contract.
    unsafe {
        let table = (*object.ty().raw()).tp_as_number.as_ref();
        if let Some(slot) = table.and_then(|table| table.nb_float) {
            let result = from_c(slot(object.as_ptr()))?;
            if result.is_exact(&PyFloat_Type) {
                return result.to_f64().map(Some);
            }
            let Some(float) = result.downcast::<Float>() else {
                return Err(raise!(
                    PyExc_TypeError,
                    "{}.__float__ returned non-float (type {})",
                    object.ty().message_name(),
                    result.ty().message_name()
                ));
            };
            let message = format!(
                "{}.__float__ returned non-float (type {}).  The ability to return an instance of a strict subclass of float is deprecated, and may not be supported in a future version of Python.",
                object.ty().message_name(),
                result.ty().message_name()
            );
            (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)?;
            return Ok(Some(float.value()));
        }
        if table.is_some_and(|table| table.nb_index.is_some()) {
            return crate::int::to_f64(&*object.to_index()?).map(Some);
        }
    }
    Ok(object.downcast::<Float>().map(Float::value))
}

/// `float.__new__`.
pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // SAFETY: live types; function addresses are compared as CPython compares them.
    let own_init = unsafe {
        let floats: &Type = &PyFloat_Type;
        (*ty.raw()).tp_init.map(|f| f as usize) != (*floats.raw()).tp_init.map(|f| f as usize)
    };
    if !own_init && kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(err::type_error("float() takes no keyword arguments"));
    }
    let value = match args.items() {
        [] => 0.0,
        [object] if ty.is(&PyFloat_Type) && object.is_exact(&PyFloat_Type) => return Ok(object.new_ref()),
        [object] => float_from_object(object)?,
        items => {
            return Err(raise!(PyExc_TypeError, "float expected at most 1 argument, got {}", items.len()));
        }
    };
    instance_of(ty, value)
}

/// `float(...)`.
pub(super) fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    match args.single() {
        Some(object) if object.is_exact(&PyFloat_Type) => Ok(object.new_ref()),
        Some(object) => Ok(Float::new(float_from_object(object)?).upcast()),
        None => args.call_with_tuple(|args, kwargs| new(ty, args, kwargs)),
    }
}

/// The value as an instance of `ty`, which is `float` or a subclass.
fn instance_of(ty: &Type, value: f64) -> PyResult {
    if ty.is(&PyFloat_Type) {
        return Ok(Float::new(value).upcast());
    }
    let object = alloc_instance(ty, 0)?;
    // SAFETY: a fresh instance of a subclass of float.
    unsafe { (*object.raw_as::<taipan_abi::PyFloatObject>()).ob_fval = value };
    Ok(object)
}

pub(super) fn repr(float: &Float) -> String {
    kernel::repr(float.value())
}

pub(super) fn hash_slot(float: &Float) -> PyResult<isize> {
    Ok(kernel::hash(float.value()).unwrap_or_else(|| taipan_num::hash::pointer(float.as_ptr().addr()))
        as isize)
}

pub(super) fn truth(float: &Float) -> PyResult<bool> {
    Ok(float.value() != 0.0)
}

pub(super) fn exact(float: &Float) -> Ref<Float> {
    if float.is_exact(&PyFloat_Type) { Ref::of(float) } else { Float::new(float.value()) }
}

/// The int of a whole-valued float.
///
/// # Errors
/// `ValueError` for NaN, `OverflowError` for infinities.
pub fn int_of(value: f64) -> PyResult<Ref<Int>> {
    match taipan_num::int::from_f64(value) {
        Some(int) => make(int),
        None if value.is_nan() => Err(err::value_error("cannot convert float NaN to integer")),
        None => Err(err::overflow_error("cannot convert float infinity to integer")),
    }
}

pub(super) fn trunc(float: &Float) -> PyResult<Ref<Int>> {
    int_of(float.value())
}

fn floor(float: &Float) -> PyResult<Ref<Int>> {
    int_of(float.value().floor())
}

fn ceil(float: &Float) -> PyResult<Ref<Int>> {
    int_of(float.value().ceil())
}

fn round(float: &Float, args: &Args<'_>) -> PyResult {
    let Some(places) = args.get_some(0) else {
        return int_of(float.value().round_ties_even()).map(Ref::upcast);
    };
    let places = places.to_index_clamped(None)?;
    if !float.value().is_finite() {
        return Ok(Float::new(float.value()).upcast());
    }
    match kernel::round(float.value(), places as i64) {
        Some(value) => Ok(Float::new(value).upcast()),
        None => Err(err::overflow_error("rounded value too large to represent")),
    }
}

fn as_integer_ratio(float: &Float) -> PyResult<Ref<Tuple>> {
    match taipan_num::int::as_integer_ratio(float.value()) {
        Some((top, bottom)) => Tuple::from_array([make(top)?.upcast(), make(bottom)?.upcast()]),
        None if float.value().is_nan() => Err(err::value_error("cannot convert NaN to integer ratio")),
        None => Err(err::overflow_error("cannot convert Infinity to integer ratio")),
    }
}

fn hex(float: &Float) -> String {
    kernel::to_hex(float.value())
}

fn fromhex(ty: &Type, text: &Object) -> PyResult {
    let Some(text) = text.downcast::<Str>() else {
        return Err(err::type_error("bad argument type for built-in operation"));
    };
    let bytes = text.to_utf8()?.as_bytes();
    let value = kernel::from_hex(bytes).map_err(|error| match error {
        HexError::Invalid => err::value_error("invalid hexadecimal floating-point string"),
        HexError::TooLarge => err::overflow_error("hexadecimal value too large to represent as a float"),
    })?;
    let float = Float::new(value);
    if ty.is(&PyFloat_Type) { Ok(float.upcast()) } else { ty.call(&[&float]) }
}

fn from_number(ty: &Type, object: &Object) -> PyResult {
    if object.is_exact(&PyFloat_Type) && ty.is(&PyFloat_Type) {
        return Ok(object.new_ref());
    }
    let float = Float::new(object.to_f64()?);
    if ty.is(&PyFloat_Type) { Ok(float.upcast()) } else { ty.call(&[&float]) }
}

fn is_integer(float: &Float) -> bool {
    float.value().is_finite() && float.value().fract() == 0.0
}

fn getnewargs(float: &Float) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([Float::new(float.value()).upcast()])
}

fn getformat(_: &Type, kind: &Object) -> PyResult<&'static str> {
    let Some(text) = kind.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__getformat__() argument must be str, not {}",
            argument_name(kind)
        ));
    };
    if !text.equals("double") && !text.equals("float") {
        return Err(err::value_error("__getformat__() argument 1 must be 'double' or 'float'"));
    }
    Ok(if cfg!(target_endian = "little") { "IEEE, little-endian" } else { "IEEE, big-endian" })
}

fn format(float: &Float, spec: &Object) -> PyResult<Ref<Str>> {
    let Some(spec) = spec.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__format__() argument must be str, not {}",
            argument_name(spec)
        ));
    };
    crate::format::format_float(float, spec)
}

fn zero(_: &Float) -> f64 {
    0.0
}

pub(super) static GETSET: [GetSetRow; 2] = [
    getset_row(c"real", exact, c"The number itself: floats have no other part."),
    getset_row(c"imag", zero, c"Zero: floats have no imaginary part."),
];

methods! {
    pub(super) static TABLE = {
        class one "from_number" "($type, number, /)" = from_number, "The float of a real number; texts are refused.";
        noargs "conjugate" "($self, /)" = exact, "The number itself, as its own complex conjugate.";
        noargs "__trunc__" "($self, /)" = trunc, "The whole part as an int.";
        noargs "__floor__" "($self, /)" = floor, "The largest int that is not greater.";
        noargs "__ceil__" "($self, /)" = ceil, "The smallest int that is not less.";
        args "__round__" "($self, ndigits=None, /)" = round, "Round half to even: to an int, or with ndigits to a float of that many decimals.";
        noargs "as_integer_ratio" "($self, /)" = as_integer_ratio, "Two ints in lowest terms, the second positive, whose ratio is exactly this float.\n\nInfinities are an OverflowError, NaNs a ValueError.";
        class one "fromhex" "($type, string, /)" = fromhex, "The float that a text such as '0x1.8p3' stands for.";
        noargs "hex" "($self, /)" = hex, "The number in hexadecimal, as fromhex reads it back.";
        noargs "is_integer" "($self, /)" = is_integer, "Whether the number is finite and has no fraction.";
        noargs "__getnewargs__" "($self, /)" = getnewargs, "";
        class one "__getformat__" "($type, typestr, /)" = getformat, "How this machine stores floats; typestr is 'double' or 'float'. For the test suite.";
        one "__format__" "($self, format_spec, /)" = format, "Lay the number out by a format specification.";
    }
}
