//! `math`.
//!
//! `unary` holds the functions of one float with their domains, `sums` those that walk over iterables,
//! `integers` those that stay exact.

mod integers;
mod sums;
mod unary;

use taipan_num::float::{self as kernel, FloatError};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::methods;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, IntoPy};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, err};

/// The words of most failures.
#[cold]
fn float_error(error: FloatError) -> PyErr {
    match error {
        FloatError::Range => err::overflow_error("math range error"),
        FloatError::ZeroDivision => err::zero_division_error("division by zero"),
        _ => err::value_error("math domain error"),
    }
}

/// Two float arguments of a function without keywords.
fn two(args: &Args<'_>) -> PyResult<(f64, f64)> {
    Ok((args.required(0).to_f64()?, args.required(1).to_f64()?))
}

fn atan2(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    two(args).map(|(y, x)| y.atan2(x))
}

fn copysign(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    two(args).map(|(x, y)| x.copysign(y))
}

fn fmod(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (x, y) = two(args)?;
    kernel::fmod(x, y).map_err(float_error)
}

fn remainder(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (x, y) = two(args)?;
    kernel::remainder(x, y).map_err(float_error)
}

fn pow(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (x, y) = two(args)?;
    kernel::math_pow(x, y).map_err(float_error)
}

fn fma(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (x, y) = two(args)?;
    let z = args.required(2).to_f64()?;
    kernel::fma(x, y, z).map_err(|error| match error {
        FloatError::Range => err::overflow_error("overflow in fma"),
        _ => err::value_error("invalid operation in fma"),
    })
}

fn ldexp(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let x = args.required(0).to_f64()?;
    let Some(exponent) = args.required(1).downcast::<Int>() else {
        return Err(err::type_error("Expected an int as second argument to ldexp."));
    };
    // Far outside the range of exponents only the sign matters.
    let limit = if exponent.is_negative() { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.to_i64().map_or(limit, |e| e.clamp(i64::MIN / 2, i64::MAX / 2));
    kernel::ldexp(x, exponent).map_err(float_error)
}

fn frexp(_: &Object, x: &Object) -> PyResult {
    let (fraction, exponent) = kernel::frexp(x.to_f64()?);
    pair(fraction, exponent)
}

fn modf(_: &Object, x: &Object) -> PyResult {
    let (fraction, whole) = kernel::modf(x.to_f64()?);
    pair(fraction, whole)
}

fn pair(a: impl IntoPy, b: impl IntoPy) -> PyResult {
    Tuple::from_array([a.into_py()?, b.into_py()?])?.into_py()
}

fn isclose(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let (a, b) = two(args)?;
    let (relative, absolute) = (args.f64_or(2, 1e-9)?, args.f64_or(3, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(err::value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(false);
    }
    let distance = (b - a).abs();
    Ok(distance <= (relative * b).abs() || distance <= (relative * a).abs() || distance <= absolute)
}

fn nextafter(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (x, y) = two(args)?;
    let Some(steps) = args.get_some(2) else {
        // A single step to zero keeps the sign of where it came from.
        let next = kernel::nextafter(x, y, 1);
        return Ok(if next == 0.0 && x != 0.0 { next.copysign(x) } else { next });
    };
    let steps = steps.to_index()?;
    if steps.is_negative() {
        return Err(err::value_error("steps must be a non-negative integer"));
    }
    // No two floats are 2^64 steps apart.
    Ok(kernel::nextafter(x, y, steps.to_u64().unwrap_or(u64::MAX)))
}

methods! {
    static METHODS = {
        one "acos" "($module, x, /)" = unary::acos, "The angle between 0 and pi whose cosine is x.";
        one "acosh" "($module, x, /)" = unary::acosh, "The inverse of the hyperbolic cosine at x.";
        one "asin" "($module, x, /)" = unary::asin, "The angle between -pi/2 and pi/2 whose sine is x.";
        one "asinh" "($module, x, /)" = unary::asinh, "The inverse of the hyperbolic sine at x.";
        one "atan" "($module, x, /)" = unary::atan, "The angle between -pi/2 and pi/2 whose tangent is x.";
        args "atan2" "($module, y, x, /)" = atan2, "The angle of the point (x, y), in the right quadrant.";
        one "atanh" "($module, x, /)" = unary::atanh, "The inverse of the hyperbolic tangent at x.";
        one "cbrt" "($module, x, /)" = unary::cbrt, "The cube root of x.";
        one "ceil" "($module, x, /)" = integers::ceil, "The smallest int that is not less than x.";
        args "copysign" "($module, x, y, /)" = copysign, "The size of x with the sign of y, even of a zero.";
        one "cos" "($module, x, /)" = unary::cos, "The cosine of an angle in radians.";
        one "cosh" "($module, x, /)" = unary::cosh, "The hyperbolic cosine of x.";
        one "degrees" "($module, x, /)" = unary::degrees, "An angle in radians, as degrees.";
        args "dist" "($module, p, q, /)" = sums::dist, "The straight distance between two points.\n\nBoth are given as sequences of coordinates of the same length.";
        one "erf" "($module, x, /)" = unary::erf, "The error function at x.";
        one "erfc" "($module, x, /)" = unary::erfc, "One minus the error function at x, exact also where that is tiny.";
        one "exp" "($module, x, /)" = unary::exp, "e to the power of x.";
        one "exp2" "($module, x, /)" = unary::exp2, "2 to the power of x.";
        one "expm1" "($module, x, /)" = unary::expm1, "e to the power of x, less 1, exact also for tiny x.";
        one "fabs" "($module, x, /)" = unary::fabs, "The absolute value of x, as a float.";
        one "factorial" "($module, n, /)" = integers::factorial, "The product of the ints from 1 to n.";
        one "floor" "($module, x, /)" = integers::floor, "The largest int that is not greater than x.";
        args "fma" "($module, x, y, z, /)" = fma, "x * y + z, rounded only once.";
        args "fmod" "($module, x, y, /)" = fmod, "The remainder of x / y with the sign of x, as in C.";
        one "frexp" "($module, x, /)" = frexp, "Splits x into (m, e) with x == m * 2**e and 0.5 <= abs(m) < 1.";
        one "fsum" "($module, seq, /)" = sums::fsum, "The sum of floats, rounded only once.";
        one "gamma" "($module, x, /)" = unary::gamma, "The gamma function at x.";
        many "gcd" "($module, /, *integers)" = integers::gcd, "The greatest int that divides all arguments.";
        many "hypot" "($module, /, *coordinates)" = sums::hypot, "The length of the vector with these coordinates.";
        args "isclose" "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)" = isclose, "Whether two numbers are nearly equal.\n\n  rel_tol\n    The distance allowed, as a part of the larger number.\n  abs_tol\n    The distance allowed in any case, for numbers near zero.\n\nInfinities are close only to themselves, and a NaN to nothing.";
        one "isfinite" "($module, x, /)" = unary::isfinite, "Whether x is neither infinite nor a NaN.";
        one "isinf" "($module, x, /)" = unary::isinf, "Whether x is infinite.";
        one "isnan" "($module, x, /)" = unary::isnan, "Whether x is a NaN.";
        one "isqrt" "($module, n, /)" = integers::isqrt, "The square root of an int, rounded down.";
        many "lcm" "($module, /, *integers)" = integers::lcm, "The smallest positive int that all arguments divide.";
        args "ldexp" "($module, x, i, /)" = ldexp, "x * 2**i, the inverse of frexp().";
        one "lgamma" "($module, x, /)" = unary::lgamma, "The natural logarithm of the gamma function's absolute value at x.";
        many "log" "" = unary::log, "log(x, [base=math.e])\nThe logarithm of x to the given base.\n\nWithout a base it is the natural logarithm.";
        one "log10" "($module, x, /)" = unary::log10, "The logarithm of x to base 10.";
        one "log1p" "($module, x, /)" = unary::log1p, "The natural logarithm of 1 + x, exact also for tiny x.";
        one "log2" "($module, x, /)" = unary::log2, "The logarithm of x to base 2.";
        one "modf" "($module, x, /)" = modf, "The fraction and the whole part of x, both with its sign.";
        args "nextafter" "($module, x, y, /, *, steps=None)" = nextafter, "The float that comes after x on the way to y.\n\nWith steps, the float that many places on, at most y.";
        args "perm" "($module, n, k=None, /)" = integers::perm, "How many ways there are to pick k of n things in order.\n\nWithout k all n things are picked.";
        args "comb" "($module, n, k, /)" = integers::comb, "How many ways there are to pick k of n things in any order.";
        args "pow" "($module, x, y, /)" = pow, "x to the power of y, as floats.";
        args "prod" "($module, iterable, /, *, start=1)" = sums::prod, "The product of the items and the start value.";
        one "radians" "($module, x, /)" = unary::radians, "An angle in degrees, as radians.";
        args "remainder" "($module, x, y, /)" = remainder, "The distance from x to the nearest multiple of y.\n\nHalfway the even multiple counts.";
        one "sin" "($module, x, /)" = unary::sin, "The sine of an angle in radians.";
        one "sinh" "($module, x, /)" = unary::sinh, "The hyperbolic sine of x.";
        one "sqrt" "($module, x, /)" = unary::sqrt, "The square root of x.";
        args "sumprod" "($module, p, q, /)" = sums::sumprod, "The sum of the products of the pairs of items.";
        one "tan" "($module, x, /)" = unary::tan, "The tangent of an angle in radians.";
        one "tanh" "($module, x, /)" = unary::tanh, "The hyperbolic tangent of x.";
        one "trunc" "($module, x, /)" = integers::trunc, "The whole part of x, by its method __trunc__.";
        one "ulp" "($module, x, /)" = unary::ulp, "The worth of the last bit of the float x.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    use core::f64::consts::{E, PI, TAU};
    for (name, value) in [("pi", PI), ("e", E), ("tau", TAU), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        module.add(name, &Float::new(value))?;
    }
    Ok(())
}

/// `math`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "math",
    doc: "Functions of real numbers, as defined by the C standard, and of ints.",
    methods: METHODS,
    init,
};
