//! `complex`.

mod make;

pub use make::complex_from_object;

use crate::format::argument_name;
use core::mem::offset_of;
use taipan_abi::{Py_READONLY, Py_T_DOUBLE, Py_complex, PyComplexObject};
use taipan_num::complex as kernel;
use taipan_num::complex::c;
use taipan_num::float::FloatError;
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, new_bool, not_implemented};
use taipan_object::statics::{PyComplex_Type, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, methods, raise};

#[cold]
pub(crate) fn kernel_error(error: FloatError) -> PyErr {
    match error {
        FloatError::ZeroToNegative => err::zero_division_error("zero to a negative or complex power"),
        FloatError::ZeroDivision => err::zero_division_error("division by zero"),
        _ => err::overflow_error("complex exponentiation"),
    }
}

fn value(complex: &Complex) -> kernel::Complex {
    let (re, im) = complex.value();
    c(re, im)
}

fn new(z: kernel::Complex) -> PyResult {
    Complex::new(z.re, z.im).map(Ref::upcast)
}

/// An operand: a complex, or a real number that keeps being one.
enum Operand {
    Complex(kernel::Complex),
    Real(f64),
}

impl Operand {
    fn complex(self) -> kernel::Complex {
        match self {
            Operand::Complex(z) => z,
            Operand::Real(x) => c(x, 0.0),
        }
    }
}

fn operand(object: &Object) -> PyResult<Option<Operand>> {
    if let Some(z) = object.downcast::<Complex>() {
        return Ok(Some(Operand::Complex(value(z))));
    }
    Ok(crate::float::operand(object)?.map(Operand::Real))
}

fn apply(a: &Object, b: &Object, op: impl FnOnce(Operand, Operand) -> PyResult<kernel::Complex>) -> PyResult {
    if let Some(a) = operand(a)?
        && let Some(b) = operand(b)?
    {
        return new(op(a, b)?);
    }
    Ok(not_implemented().new_ref())
}

// A real operand has no imaginary part at all, not one of zero: signs of zeros and infinities stay.

fn add(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| {
        Ok(match (a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => c(x.re + y.re, x.im + y.im),
            (Operand::Complex(x), Operand::Real(y)) | (Operand::Real(y), Operand::Complex(x)) => {
                c(x.re + y, x.im)
            }
            (Operand::Real(x), Operand::Real(y)) => c(x + y, 0.0),
        })
    })
}

fn sub(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| {
        Ok(match (a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => c(x.re - y.re, x.im - y.im),
            (Operand::Complex(x), Operand::Real(y)) => c(x.re - y, x.im),
            (Operand::Real(x), Operand::Complex(y)) => c(x - y.re, -y.im),
            (Operand::Real(x), Operand::Real(y)) => c(x - y, 0.0),
        })
    })
}

fn mul(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| {
        Ok(match (a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => kernel::mul(x, y),
            (Operand::Complex(x), Operand::Real(y)) | (Operand::Real(y), Operand::Complex(x)) => {
                c(x.re * y, x.im * y)
            }
            (Operand::Real(x), Operand::Real(y)) => c(x * y, 0.0),
        })
    })
}

fn div(a: &Object, b: &Object) -> PyResult {
    apply(a, b, |a, b| {
        match (a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => kernel::div(x, y),
            (Operand::Complex(x), Operand::Real(y)) => kernel::div_real(x, y),
            (Operand::Real(x), Operand::Complex(y)) => kernel::real_div(x, y),
            (Operand::Real(x), Operand::Real(y)) => kernel::div(c(x, 0.0), c(y, 0.0)),
        }
        .map_err(kernel_error)
    })
}

fn pow(a: &Object, b: &Object, modulus: &Object) -> PyResult {
    let (Some(a), Some(b)) = (operand(a)?, operand(b)?) else { return Ok(not_implemented().new_ref()) };
    if !is_none(modulus) {
        return Err(err::value_error("complex modulo"));
    }
    let result = kernel::pow(a.complex(), b.complex()).map_err(|error| match error {
        FloatError::ZeroDivision => kernel_error(FloatError::ZeroToNegative),
        other => kernel_error(other),
    })?;
    new(result)
}

fn neg(z: &Complex) -> PyResult {
    let z = value(z);
    new(c(-z.re, -z.im))
}

fn exact(z: &Complex) -> PyResult {
    if z.is_exact(&PyComplex_Type) { Ok(z.new_ref()) } else { new(value(z)) }
}

fn abs(z: &Complex) -> PyResult<f64> {
    kernel::abs(value(z)).map_err(|_| err::overflow_error("absolute value too large"))
}

fn truth(z: &Complex) -> PyResult<bool> {
    let z = value(z);
    Ok(z.re != 0.0 || z.im != 0.0)
}

fn conjugate(z: &Complex) -> PyResult {
    let z = value(z);
    new(c(z.re, -z.im))
}

fn repr(z: &Complex) -> String {
    kernel::repr(value(z))
}

fn hash(z: &Complex) -> PyResult<isize> {
    let address = taipan_num::hash::pointer(z.as_ptr().addr());
    let part = |x: f64| taipan_num::float::hash(x).unwrap_or(address);
    let z = value(z);
    Ok(kernel::hash(part(z.re), part(z.im)) as isize)
}

fn compare(z: &Complex, other: &Object, op: CompareOp) -> Ref {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return not_implemented().new_ref();
    }
    let z = value(z);
    let equal = if let Some(int) = other.downcast::<Int>() {
        z.im == 0.0
            && taipan_num::int::cmp_f64(crate::int::view(int), z.re).is_some_and(|order| order.is_eq())
    } else if let Some(float) = other.downcast::<Float>() {
        z.im == 0.0 && z.re == float.value()
    } else if let Some(other) = other.downcast::<Complex>() {
        let other = value(other);
        z.re == other.re && z.im == other.im
    } else {
        return not_implemented().new_ref();
    };
    new_bool(equal == (op == CompareOp::Eq))
}

fn getnewargs(z: &Complex) -> PyResult<Ref<Tuple>> {
    let z = value(z);
    Tuple::from_array([Float::new(z.re).upcast(), Float::new(z.im).upcast()])
}

fn format(z: &Complex, spec: &Object) -> PyResult<Ref<Str>> {
    let Some(spec) = spec.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__format__() argument must be str, not {}",
            argument_name(spec)
        ));
    };
    crate::format::format_complex(z, spec)
}

methods! {
    static TABLE = {
        class one "from_number" "($type, number, /)" = make::from_number, "The complex of a number; texts are refused.";
        noargs "conjugate" "($self, /)" = conjugate, "The number with the sign of its imaginary part changed.";
        noargs "__complex__" "($self, /)" = exact, "The number as an exact complex.";
        noargs "__getnewargs__" "($self, /)" = getnewargs, "";
        one "__format__" "($self, format_spec, /)" = format, "Lay the number out by a format specification.";
    }
}

const MEMBERS: &[Member] = &[
    Member::new(
        c"real",
        Py_T_DOUBLE,
        offset_of!(PyComplexObject, cval) + offset_of!(Py_complex, real),
        Py_READONLY,
        c"The real part.",
    ),
    Member::new(
        c"imag",
        Py_T_DOUBLE,
        offset_of!(PyComplexObject, cval) + offset_of!(Py_complex, imag),
        Py_READONLY,
        c"The imaginary part.",
    ),
];

/// `complex`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"complex(real=0, imag=0)\n--\n\nThe complex number real + imag*1j, or the one that a text stands for.\n\nA text stands alone: 'complex(\"1+2j\")'.",
    ),
    slots: &[
        tp_new(make::new),
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
        nb_add(add),
        nb_subtract(sub),
        nb_multiply(mul),
        nb_power(pow),
        nb_negative(neg),
        nb_positive(exact),
        nb_absolute(abs),
        nb_bool(truth),
        nb_true_divide(div),
    ],
    methods: TABLE,
    members: MEMBERS,
    ..TypeSpec::new(&PyComplex_Type)
};
