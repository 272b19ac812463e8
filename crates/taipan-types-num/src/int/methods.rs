//! Methods and attributes of `int`.

use super::{exact, hash, kernel_error, make, to_decimal, view};
use taipan_num::int::{self as kernel, IntError};
use taipan_object::buffer::object_bytes;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::{Args, GetSetRow, getset_row};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::statics::PyLong_Type;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, methods, raise};

pub(super) fn repr(int: &Int) -> PyResult<String> {
    to_decimal(int)
}

pub(super) fn hash_slot(int: &Int) -> PyResult<isize> {
    Ok(hash(int))
}

pub(super) fn truth(int: &Int) -> PyResult<bool> {
    Ok(!int.is_zero())
}

pub(super) fn float(int: &Int) -> PyResult<f64> {
    super::to_f64(int)
}

fn bit_length(int: &Int) -> u64 {
    kernel::bit_length(view(int))
}

fn bit_count(int: &Int) -> u64 {
    kernel::bit_count(view(int))
}

/// Reads a `byteorder` argument: whether it is little-endian.
fn is_little(args: &Args<'_>, index: usize, function: &str) -> PyResult<bool> {
    match args.typed::<Str>(index, function, "'byteorder'")? {
        None => Ok(false),
        Some(order) if order.equals("little") => Ok(true),
        Some(order) if order.equals("big") => Ok(false),
        Some(_) => Err(err::value_error("byteorder must be either 'little' or 'big'")),
    }
}

fn to_bytes(int: &Int, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let length = args.isize_or(0, 1)?;
    let little = is_little(args, 1, "to_bytes")?;
    let signed = args.bool_or(2, false)?;
    let length =
        usize::try_from(length).map_err(|_| err::value_error("length argument must be non-negative"))?;
    let mut out = Vec::new();
    out.try_reserve_exact(length).map_err(|_| err::memory_error())?;
    out.resize(length, 0);
    kernel::to_bytes(view(int), &mut out, little, signed).map_err(|error| match error {
        IntError::Negative => err::overflow_error("can't convert negative int to unsigned"),
        IntError::Overflow => err::overflow_error("int too big to convert"),
        other => kernel_error(other),
    })?;
    Bytes::new(&out)
}

fn from_bytes(ty: &Type, args: &Args<'_>) -> PyResult {
    let source = args.required(0);
    let little = is_little(args, 1, "from_bytes")?;
    let signed = args.bool_or(2, false)?;
    let data = object_bytes(source)?;
    let value = make(kernel::from_bytes(data.as_slice(), little, signed))?;
    if ty.is(&PyLong_Type) { Ok(value.upcast()) } else { ty.call(&[&value]) }
}

fn as_integer_ratio(int: &Int) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([exact(int)?.upcast(), Int::from_i64(1).upcast()])
}

fn round(int: &Int, args: &Args<'_>) -> PyResult<Ref<Int>> {
    let Some(places) = args.get_some(0) else { return exact(int) };
    let places = places.to_index()?;
    if !places.is_negative() {
        return exact(int);
    }
    // Beyond all digits the answer is zero; this also bounds the power of ten.
    let power = match places.to_i64() {
        Some(places) if places.unsigned_abs() <= kernel::decimal_digits_estimate(view(int)) + 1 => {
            kernel::from_u64(places.unsigned_abs())
        }
        _ => return Ok(Int::from_i64(0)),
    };
    let unit = kernel::pow(kernel::from_i64(10).as_int(), power.as_int()).map_err(kernel_error)?;
    let (_, rest) = kernel::divmod_near(view(int), unit.as_int()).map_err(kernel_error)?;
    make(kernel::sub(view(int), rest.as_int()))
}

fn getnewargs(int: &Int) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([Int::from_digits(int.is_negative(), int.digits())?.upcast()])
}

fn format(int: &Int, spec: &Object) -> PyResult<Ref<Str>> {
    let Some(spec) = spec.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__format__() argument must be str, not {}",
            crate::format::argument_name(spec)
        ));
    };
    crate::format::format_int(int, spec)
}

fn sizeof(int: &Int) -> usize {
    24 + 4 * int.digit_count().max(1)
}

fn is_integer(_: &Int) -> bool {
    true
}

fn zero(_: &Int) -> Ref<Int> {
    Int::from_i64(0)
}

fn one(_: &Int) -> Ref<Int> {
    Int::from_i64(1)
}

pub(super) static GETSET: [GetSetRow; 4] = [
    getset_row(c"real", exact, c"The number itself: ints have no other part."),
    getset_row(c"imag", zero, c"Zero: ints have no imaginary part."),
    getset_row(c"numerator", exact, c"The number itself, as the top of a fraction."),
    getset_row(c"denominator", one, c"One, as the bottom of a fraction."),
];

methods! {
    pub(super) static TABLE = {
        noargs "conjugate" "($self, /)" = exact, "The number itself, as its own complex conjugate.";
        noargs "bit_length" "($self, /)" = bit_length, "How many binary digits the absolute value needs; 0 for zero.";
        noargs "bit_count" "($self, /)" = bit_count, "How many ones the absolute value has in binary.";
        args "to_bytes" "($self, /, length=1, byteorder='big', *, signed=False)" = to_bytes, "The number as bytes.\n\nlength says how many there are, byteorder ('big' or 'little') where the most\nsignificant one stands, signed whether negative numbers go as two's complement.\nA number that does not fit is an OverflowError.";
        class args "from_bytes" "($type, /, bytes, byteorder='big', *, signed=False)" = from_bytes, "The number that bytes stand for.\n\nbytes is bytes-like or an iterable of small ints; byteorder ('big' or 'little')\nsays where the most significant byte stands, signed whether they are in two's\ncomplement.";
        noargs "as_integer_ratio" "($self, /)" = as_integer_ratio, "The pair (self, 1).";
        noargs "__trunc__" "($self, /)" = exact, "The number itself: nothing to cut off.";
        noargs "__floor__" "($self, /)" = exact, "The number itself: nothing to round down.";
        noargs "__ceil__" "($self, /)" = exact, "The number itself: nothing to round up.";
        args "__round__" "($self, ndigits=None, /)" = round, "Round to a power of ten when ndigits is negative, half to even.";
        noargs "__getnewargs__" "($self, /)" = getnewargs, "";
        one "__format__" "($self, format_spec, /)" = format, "Lay the number out by a format specification.";
        noargs "__sizeof__" "($self, /)" = sizeof, "The bytes of memory that the object takes.";
        noargs "is_integer" "($self, /)" = is_integer, "True: for use where floats may stand as well.";
    }
}
