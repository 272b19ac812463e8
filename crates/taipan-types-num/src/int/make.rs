//! Making ints: `int(...)`, texts, conversions of other objects.

use super::{exact, make};
use crate::text::{short_repr, to_ascii};
use taipan_num::int::{self as kernel, ParseError};
use taipan_object::buffer::{Buffer, alloc_instance, has_buffer};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::{CallArgs, Signature, from_c};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, raise, state};

/// Parses the ASCII form of a text; `shown` is the object for the message.
fn parse(text: &[u8], base: u32, shown: &Object) -> PyResult<Ref<Int>> {
    let limit = usize::try_from(state::interp().int_max_str_digits.get()).unwrap_or(0);
    match kernel::parse(text, base, limit) {
        Ok(value) => match super::pylong::from_text(text, base)? {
            Some(value) => Ok(value),
            None => make(value),
        },
        Err(ParseError::TooLong(digits)) => Err(raise!(
            PyExc_ValueError,
            "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; use sys.set_int_max_str_digits() to increase the limit"
        )),
        Err(ParseError::Invalid) => {
            Err(raise!(PyExc_ValueError, "invalid literal for int() with base {base}: {}", short_repr(shown)))
        }
    }
}

/// `int(text, base)`; the base is 0 or from 2 to 36.
///
/// # Errors
/// `ValueError`.
pub fn int_from_str(text: &Str, base: u32) -> PyResult<Ref<Int>> {
    parse(&to_ascii(text), base, text)
}

/// `int(text, base)` of the bytes of `shown`.
///
/// # Errors
/// `ValueError`.
pub fn int_from_bytes_text(text: &[u8], base: u32) -> PyResult<Ref<Int>> {
    let shown = Bytes::new(text)?;
    parse(text, base, &shown)
}

/// `int(object)` (`PyNumber_Long`): an exact int.
///
/// # Errors
/// `TypeError` when the object is neither number nor text; what its conversion raises.
pub fn int_from_object(object: &Object) -> PyResult<Ref<Int>> {
    if let Some(int) = object.downcast::<Int>().filter(|int| int.is_exact(&PyLong_Type)) {
        return Ok(Ref::of(int));
    }
    // SAFETY: slot contract.
    unsafe {
        let table = (*object.ty().raw()).tp_as_number.as_ref();
        if let Some(slot) = table.and_then(|table| table.nb_int) {
            return checked_int(from_c(slot(object.as_ptr()))?);
        }
        if table.is_some_and(|table| table.nb_index.is_some()) {
            return exact(&*object.to_index()?);
        }
    }
    if let Some(text) = object.downcast::<Str>() {
        return int_from_str(text, 10);
    }
    if let Some(bytes) = object.downcast::<Bytes>() {
        return int_from_bytes_text(bytes.as_slice(), 10);
    }
    if has_buffer(object) {
        let data = Buffer::simple(object)?.to_vec();
        return int_from_bytes_text(&data, 10);
    }
    Err(raise!(
        PyExc_TypeError,
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        object.ty().message_name()
    ))
}

/// What `__int__` returned: an int; a strict subclass is deprecated.
fn checked_int(result: Ref) -> PyResult<Ref<Int>> {
    let result = result.downcast_owned::<Int>().map_err(|other| {
        raise!(PyExc_TypeError, "__int__ returned non-int (type {})", other.ty().message_name())
    })?;
    if !result.is_exact(&PyLong_Type) {
        let message = format!(
            "__int__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be supported in a future version of Python.",
            result.ty().message_name()
        );
        (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)?;
    }
    exact(&result)
}

fn with_base(object: &Object, base: &Object) -> PyResult<Ref<Int>> {
    let base = base.to_index_clamped(None)?;
    let base = u32::try_from(base)
        .ok()
        .filter(|base| *base == 0 || (2..=36).contains(base))
        .ok_or_else(|| err::value_error("int() base must be >= 2 and <= 36, or 0"))?;
    if let Some(text) = object.downcast::<Str>() {
        int_from_str(text, base)
    } else if let Some(bytes) = object.downcast::<Bytes>() {
        int_from_bytes_text(bytes.as_slice(), base)
    } else if let Some(bytes) = object.downcast::<ByteArray>() {
        int_from_bytes_text(&bytes.to_vec(), base)
    } else {
        Err(err::type_error("int() can't convert non-string with explicit base"))
    }
}

static SIGNATURE: Signature = Signature::parse("int", "(x=0, /, base=10)");

/// `int.__new__`.
pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_none_or(Dict::is_empty) {
        match args.items() {
            [] if ty.is(&PyLong_Type) => return Ok(Int::from_i64(0).upcast()),
            [value] if ty.is(&PyLong_Type) => return int_from_object(value).map(Ref::upcast),
            items if items.len() > 2 && ty.is(&PyLong_Type) => return Err(too_many(items.len())),
            _ => {}
        }
    }
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let value = match (bound.get(0), bound.get(1)) {
        (None, None) => Int::from_i64(0),
        (None, Some(_)) => return Err(err::type_error("int() missing string argument")),
        (Some(value), None) => int_from_object(value)?,
        (Some(value), Some(base)) => with_base(value, base)?,
    };
    instance_of(ty, value)
}

/// `int(...)`.
pub(super) fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    match args.single() {
        Some(value) => int_from_object(value).map(Ref::upcast),
        None => args.call_with_tuple(|args, kwargs| new(ty, args, kwargs)),
    }
}

#[cold]
fn too_many(given: usize) -> PyErr {
    raise!(PyExc_TypeError, "int expected at most 2 arguments, got {given}")
}

/// The value as an instance of `ty`, which is `int` or a subclass.
///
/// # Errors
/// `MemoryError`.
pub(super) fn instance_of(ty: &Type, value: Ref<Int>) -> PyResult {
    if ty.is(&PyLong_Type) {
        return Ok(value.upcast());
    }
    let object = alloc_instance(ty, value.digit_count().max(1))?;
    // SAFETY: a fresh instance of a subclass of int with room for the digits.
    unsafe { object.cast::<Int>().fill(value.is_negative(), value.digits()) };
    Ok(object)
}
