//! The methods of `Context`: operations under this context rather than the current one.

use super::context::{ContextView, clear, copy, reduce};
use super::methods::{compare_total, compare_total_mag, copy_sign};
use super::number::{Binary, Operand, Unary, View, argument, create, create_from_float, make, under};
use taipan_decimal::{Context, Dec, arith, compare, divide, elementary, logical, power, unary};
use taipan_object::native::Args;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, err};

fn one(context: &ContextView, x: &Object, operation: Unary) -> PyResult<Ref<View>> {
    let x = argument(x)?;
    make(under(Some(context), |ctx, st| operation(&x, ctx, st))?)
}

fn two(context: &ContextView, args: &Args<'_>, operation: Binary) -> PyResult<Ref<View>> {
    let (x, y) = (argument(args.required(0))?, argument(args.required(1))?);
    make(under(Some(context), |ctx, st| operation(&x, &y, ctx, st))?)
}

fn ask(context: &ContextView, x: &Object, question: fn(&Dec, &Context) -> bool) -> PyResult<bool> {
    Ok(question(&*argument(x)?, &context.settings.limits()))
}

/// A number unchanged: a decimal stays the object that it is.
fn unchanged(x: &Object) -> PyResult {
    match argument(x)? {
        Operand::Borrowed(_) => Ok(x.new_ref()),
        Operand::Owned(dec) => Ok(make(dec)?.upcast()),
    }
}

fn canonical(_: &ContextView, x: &Object) -> PyResult {
    match x.downcast::<View>() {
        Some(_) => Ok(x.new_ref()),
        None => Err(err::type_error("argument must be a Decimal")),
    }
}

fn is_canonical(_: &ContextView, x: &Object) -> PyResult<bool> {
    match x.downcast::<View>() {
        Some(_) => Ok(true),
        None => Err(err::type_error("argument must be a Decimal")),
    }
}

fn divmod(context: &ContextView, args: &Args<'_>) -> PyResult {
    let (x, y) = (argument(args.required(0))?, argument(args.required(1))?);
    let (q, r) = under(Some(context), |ctx, st| divide::divmod(&x, &y, ctx, st))?;
    Ok(Tuple::from_array([make(q)?.upcast(), make(r)?.upcast()])?.upcast())
}

fn fma(context: &ContextView, args: &Args<'_>) -> PyResult<Ref<View>> {
    let (x, y) = (argument(args.required(0))?, argument(args.required(1))?);
    let z = argument(args.required(2))?;
    make(under(Some(context), |ctx, st| arith::fma(&x, &y, &z, ctx, st))?)
}

fn context_power(context: &ContextView, args: &Args<'_>) -> PyResult<Ref<View>> {
    let (x, y) = (argument(args.required(0))?, argument(args.required(1))?);
    match args.get_some(2).map(argument).transpose()? {
        Some(z) => make(under(Some(context), |ctx, st| divide::powmod(&x, &y, &z, ctx, st))?),
        None => make(under(Some(context), |ctx, st| power::pow(&x, &y, ctx, st))?),
    }
}

fn copied(a: &Dec, negative: bool) -> PyResult<Ref<View>> {
    make(a.with_sign(negative))
}

fn class(context: &ContextView, x: &Object) -> PyResult<&'static str> {
    Ok(unary::class(&*argument(x)?, &context.settings.limits()))
}

/// A row `(x)`.
macro_rules! unary {
    ($operation:path) => {
        |context: &ContextView, x: &Object| one(context, x, $operation)
    };
}

/// A row `(x, y)`.
macro_rules! binary {
    ($operation:path) => {
        |context: &ContextView, args: &Args<'_>| two(context, args, $operation)
    };
}

/// A question about `x`.
macro_rules! question {
    ($question:expr) => {
        |context: &ContextView, x: &Object| ask(context, x, $question)
    };
}

taipan_object::methods! { pub(super) static METHODS = {
    one "abs" "($self, x, /)" = unary!(arith::abs), "The absolute value.";
    one "exp" "($self, x, /)" = unary!(elementary::exp), "e raised to x.";
    one "ln" "($self, x, /)" = unary!(elementary::ln), "The natural logarithm.";
    one "log10" "($self, x, /)" = unary!(elementary::log10), "The logarithm to base ten.";
    one "minus" "($self, x, /)" = unary!(arith::minus), "What the prefix operator '-' gives.";
    one "next_minus" "($self, x, /)" = unary!(unary::next_minus), "The largest number smaller than x.";
    one "next_plus" "($self, x, /)" = unary!(unary::next_plus), "The smallest number larger than x.";
    one "normalize" "($self, x, /)" = unary!(unary::normalize), "x without trailing zeros.";
    one "plus" "($self, x, /)" = unary!(arith::plus), "x rounded.";
    one "to_integral" "($self, x, /)" = unary!(unary::to_integral), "Another name of to_integral_value().";
    one "to_integral_exact" "($self, x, /)" = unary!(unary::to_integral_exact), "The nearest integer; signals when something was lost.";
    one "to_integral_value" "($self, x, /)" = unary!(unary::to_integral), "The nearest integer, without signals.";
    one "sqrt" "($self, x, /)" = unary!(arith::sqrt), "The square root.";
    args "add" "($self, x, y, /)" = binary!(arith::add), "x + y.";
    args "compare" "($self, x, y, /)" = binary!(compare::compare), "-1, 0 or 1 as a number.";
    args "compare_signal" "($self, x, y, /)" = binary!(compare::compare_signal), "As compare(), but every NaN signals.";
    args "divide" "($self, x, y, /)" = binary!(divide::div), "x / y.";
    args "divide_int" "($self, x, y, /)" = binary!(divide::divint), "x / y cut to an integer.";
    args "divmod" "($self, x, y, /)" = divmod, "Quotient and remainder.";
    args "max" "($self, x, y, /)" = binary!(compare::max), "The larger number.";
    args "max_mag" "($self, x, y, /)" = binary!(compare::max_mag), "The number of larger absolute value.";
    args "min" "($self, x, y, /)" = binary!(compare::min), "The smaller number.";
    args "min_mag" "($self, x, y, /)" = binary!(compare::min_mag), "The number of smaller absolute value.";
    args "multiply" "($self, x, y, /)" = binary!(arith::mul), "x * y.";
    args "next_toward" "($self, x, y, /)" = binary!(unary::next_toward), "The neighbour of x in the direction of y.";
    args "quantize" "($self, x, y, /)" = binary!(unary::quantize), "x rounded to the exponent of y.";
    args "remainder" "($self, x, y, /)" = binary!(divide::rem), "The remainder of x / y, with the sign of x.";
    args "remainder_near" "($self, x, y, /)" = binary!(divide::rem_near), "The remainder of least absolute value.";
    args "subtract" "($self, x, y, /)" = binary!(arith::sub), "x - y.";
    args "power" "($self, /, a, b, modulo=None)" = context_power, "a ** b, or a ** b % modulo for integers.";
    args "fma" "($self, x, y, z, /)" = fma, "x * y + z with a single rounding.";
    noargs "Etiny" "($self, /)" = |c: &ContextView| c.settings.limits().etiny(), "The least exponent of a subnormal number.";
    noargs "Etop" "($self, /)" = |c: &ContextView| c.settings.limits().etop(), "The greatest exponent of a number with all digits.";
    noargs "radix" "($self, /)" = |_: &ContextView| make(Dec::from_i64(10)), "Ten.";
    one "is_canonical" "($self, x, /)" = is_canonical, "Always true.";
    one "is_finite" "($self, x, /)" = question!(|x, _| x.is_finite()), "Whether x is neither infinite nor NaN.";
    one "is_infinite" "($self, x, /)" = question!(|x, _| x.is_infinite()), "Whether x is an infinity.";
    one "is_nan" "($self, x, /)" = question!(|x, _| x.is_nan()), "Whether x is a NaN.";
    one "is_normal" "($self, x, /)" = question!(Dec::is_normal), "Whether x is finite, not zero and not subnormal.";
    one "is_qnan" "($self, x, /)" = question!(|x, _| x.is_qnan()), "Whether x is a quiet NaN.";
    one "is_signed" "($self, x, /)" = question!(|x, _| x.negative), "Whether the sign of x is set.";
    one "is_snan" "($self, x, /)" = question!(|x, _| x.is_snan()), "Whether x is a signalling NaN.";
    one "is_subnormal" "($self, x, /)" = question!(Dec::is_subnormal), "Whether x is too small for all digits.";
    one "is_zero" "($self, x, /)" = question!(|x, _| x.is_zero()), "Whether x is a zero.";
    one "_apply" "($self, object, /)" = unary!(arith::plus_exactly), "x rounded, its zeros and NaN as they are.";
    one "canonical" "($self, x, /)" = canonical, "x itself.";
    one "copy_abs" "($self, x, /)" = |_: &ContextView, x: &Object| copied(&*argument(x)?, false), "x without its sign, unrounded.";
    one "copy_decimal" "($self, x, /)" = |_: &ContextView, x: &Object| unchanged(x), "x itself.";
    one "copy_negate" "($self, x, /)" = |_: &ContextView, x: &Object| { let x = argument(x)?; copied(&x, !x.negative) }, "x with its sign turned, unrounded.";
    one "logb" "($self, x, /)" = unary!(unary::logb), "The exponent of the first digit.";
    one "logical_invert" "($self, x, /)" = unary!(logical::invert), "Zeros and ones exchanged.";
    one "number_class" "($self, x, /)" = class, "The name of the class of x.";
    one "to_sci_string" "($self, x, /)" = |c: &ContextView, x: &Object| -> PyResult<String> { Ok(argument(x)?.to_sci(c.settings.capitals())) }, "Text in scientific notation.";
    one "to_eng_string" "($self, x, /)" = |c: &ContextView, x: &Object| -> PyResult<String> { Ok(argument(x)?.to_eng(c.settings.capitals())) }, "Text whose exponent is a multiple of three.";
    args "compare_total" "($self, x, y, /)" = binary!(compare_total), "Compare by the order in which only equal texts are equal.";
    args "compare_total_mag" "($self, x, y, /)" = binary!(compare_total_mag), "As compare_total() for absolute values.";
    args "copy_sign" "($self, x, y, /)" = binary!(copy_sign), "x with the sign of y.";
    args "logical_and" "($self, x, y, /)" = binary!(logical::and), "Digit by digit 'and'.";
    args "logical_or" "($self, x, y, /)" = binary!(logical::or), "Digit by digit 'or'.";
    args "logical_xor" "($self, x, y, /)" = binary!(logical::xor), "Digit by digit exclusive 'or'.";
    args "rotate" "($self, x, y, /)" = binary!(logical::rotate), "The digits of x moved around.";
    args "same_quantum" "($self, x, y, /)" = |_: &ContextView, args: &Args<'_>| -> PyResult<bool> { Ok(unary::same_quantum(&*argument(args.required(0))?, &*argument(args.required(1))?)) }, "Whether both have the same exponent.";
    args "scaleb" "($self, x, y, /)" = binary!(unary::scaleb), "x with its exponent changed.";
    args "shift" "($self, x, y, /)" = binary!(logical::shift), "The digits of x moved.";
    noargs "clear_flags" "($self, /)" = |c: &ContextView| clear(c, false), "Reset all flags.";
    noargs "clear_traps" "($self, /)" = |c: &ContextView| clear(c, true), "Reset all traps.";
    noargs "__copy__" "($self, /)" = copy, "";
    noargs "__reduce__" "($self, /)" = reduce, "";
    noargs "copy" "($self, /)" = copy, "A copy with all flags and traps.";
    args "create_decimal" "($self, num=\"0\", /)" = |c: &ContextView, args: &Args<'_>| create(c, args.get(0)), "A decimal rounded to this context.";
    one "create_decimal_from_float" "($self, f, /)" = create_from_float, "A decimal from a float or an int, rounded to this context.";
} }
