//! Functions with whole results.

use taipan_num::int::{self as kernel, IntBuf, IntError};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::{Args, IntoPy};
use taipan_object::protocol::special_opt;
use taipan_object::statics::{PyExc_TypeError, PyFloat_Type};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise};

/// The digits of an int, lent to a kernel.
pub(super) fn view(int: &Int) -> kernel::Int<'_> {
    kernel::Int::new(int.is_negative(), int.digits())
}

fn make(result: &IntBuf) -> PyResult<Ref<Int>> {
    Int::from_digits(result.negative, &result.digits)
}

#[cold]
fn no_memory(_: IntError) -> PyErr {
    err::memory_error()
}

fn whole(x: f64) -> PyResult {
    if x.is_nan() {
        return Err(err::value_error("cannot convert float NaN to integer"));
    }
    match kernel::from_f64(x) {
        Some(int) => make(&int)?.into_py(),
        None => Err(err::overflow_error("cannot convert float infinity to integer")),
    }
}

fn rounded(x: &Object, method: &Str, function: fn(f64) -> f64) -> PyResult {
    if !x.is_exact(&PyFloat_Type)
        && let Some(result) = special_opt(x, method, &[])?
    {
        return Ok(result);
    }
    whole(function(x.to_f64()?))
}

pub(super) fn ceil(_: &Object, x: &Object) -> PyResult {
    rounded(x, intern!("__ceil__"), f64::ceil)
}

pub(super) fn floor(_: &Object, x: &Object) -> PyResult {
    rounded(x, intern!("__floor__"), f64::floor)
}

pub(super) fn trunc(_: &Object, x: &Object) -> PyResult {
    if x.is_exact(&PyFloat_Type)
        && let Some(float) = x.downcast::<Float>()
    {
        return whole(float.value());
    }
    special_opt(x, intern!("__trunc__"), &[])?.ok_or_else(|| {
        raise!(PyExc_TypeError, "type {} doesn't define __trunc__ method", x.ty().message_name())
    })
}

pub(super) fn factorial(_: &Object, n: &Object) -> PyResult<Ref<Int>> {
    let n = n.to_index()?;
    if n.is_negative() {
        return Err(err::value_error("factorial() not defined for negative values"));
    }
    let n = n
        .to_i64()
        .ok_or_else(|| err::overflow_error("factorial() argument should not exceed 9223372036854775807"))?;
    make(&kernel::factorial(n.unsigned_abs()).map_err(no_memory)?)
}

pub(super) fn isqrt(_: &Object, n: &Object) -> PyResult<Ref<Int>> {
    let n = n.to_index()?;
    let root = kernel::isqrt(view(&n));
    make(&root.map_err(|_| err::value_error("isqrt() argument must be nonnegative"))?)
}

/// Folds ints that may all be given as anything with `__index__`.
fn fold(
    args: &[&Object],
    empty: i64,
    function: for<'a, 'b> fn(kernel::Int<'a>, kernel::Int<'b>) -> IntBuf,
) -> PyResult<Ref<Int>> {
    let [first, rest @ ..] = args else { return Ok(Int::from_i64(empty)) };
    let first = first.to_index()?;
    let mut result = view(&first).abs().to_owned();
    for arg in rest {
        result = function(result.as_int(), view(&*arg.to_index()?));
    }
    make(&result)
}

pub(super) fn gcd(_: &Object, args: &[&Object]) -> PyResult<Ref<Int>> {
    fold(args, 0, kernel::gcd)
}

pub(super) fn lcm(_: &Object, args: &[&Object]) -> PyResult<Ref<Int>> {
    fold(args, 1, kernel::lcm)
}

/// `n` and `k` of a choice, neither negative.
fn choice(n: &Object, k: &Object) -> PyResult<(Ref<Int>, Ref<Int>)> {
    let (n, k) = (n.to_index()?, k.to_index()?);
    if n.is_negative() {
        return Err(err::value_error("n must be a non-negative integer"));
    }
    if k.is_negative() {
        return Err(err::value_error("k must be a non-negative integer"));
    }
    Ok((n, k))
}

/// A count of picks that fits a machine word.
fn picks(k: kernel::Int<'_>, words: &str) -> PyResult<u64> {
    let k = kernel::to_i64(k).map(i64::unsigned_abs);
    k.ok_or_else(|| err::overflow_error(&format!("{words} must not exceed 9223372036854775807")))
}

pub(super) fn perm(module: &Object, args: &Args<'_>) -> PyResult<Ref<Int>> {
    let Some(k) = args.get_some(1) else { return factorial(module, args.required(0)) };
    let (n, k) = choice(args.required(0), k)?;
    if kernel::sub(view(&n), view(&k)).negative {
        return Ok(Int::from_i64(0));
    }
    make(&kernel::perm(view(&n), picks(view(&k), "k")?).map_err(no_memory)?)
}

pub(super) fn comb(_: &Object, args: &Args<'_>) -> PyResult<Ref<Int>> {
    let (n, k) = choice(args.required(0), args.required(1))?;
    let rest = kernel::sub(view(&n), view(&k));
    if rest.negative {
        return Ok(Int::from_i64(0));
    }
    let smaller = if kernel::sub(rest.as_int(), view(&k)).negative { rest.as_int() } else { view(&k) };
    make(&kernel::comb(view(&n), picks(smaller, "min(n - k, k)")?).map_err(no_memory)?)
}
