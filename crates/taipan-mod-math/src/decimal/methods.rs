//! The methods of `Decimal`.

use super::context::{optional, rounding};
use super::number::{
    self, Binary, Unary, View, argument, as_integer_ratio, as_tuple, from_float, from_number, make, reduce,
    round, same, size_of, to_complex, to_int, under,
};
use taipan_decimal::{Context, Dec, Rounding, arith, compare, elementary, logical, unary};
use taipan_object::native::Args;
use taipan_object::{Object, PyResult, Ref};

/// A method without operand: `(context=None)`.
fn one(a: &View, args: &Args<'_>, operation: Unary) -> PyResult<Ref<View>> {
    make(under(optional(args.get(0))?, |ctx, st| operation(&a.value, ctx, st))?)
}

/// A method with an operand: `(other, context=None)`.
fn two(a: &View, args: &Args<'_>, operation: Binary) -> PyResult<Ref<View>> {
    let context = optional(args.get(1))?;
    let other = argument(args.required(0))?;
    make(under(context, |ctx, st| operation(&a.value, &other, ctx, st))?)
}

/// A method `(rounding=None, context=None)`.
fn rounded(a: &View, args: &Args<'_>, operation: Unary) -> PyResult<Ref<View>> {
    let context = optional(args.get(1))?;
    let round = args.get_some(0).map(rounding).transpose()?;
    make(under(context, |ctx, st| operation(&a.value, &ctx.rounding(round.unwrap_or(ctx.round)), st))?)
}

fn quantize(a: &View, args: &Args<'_>) -> PyResult<Ref<View>> {
    let context = optional(args.get(2))?;
    let round = args.get_some(1).map(rounding).transpose()?;
    let other = argument(args.required(0))?;
    make(under(context, |ctx, st| {
        unary::quantize(&a.value, &other, &ctx.rounding(round.unwrap_or(ctx.round)), st)
    })?)
}

fn fma(a: &View, args: &Args<'_>) -> PyResult<Ref<View>> {
    let context = optional(args.get(2))?;
    let (b, c) = (argument(args.required(0))?, argument(args.required(1))?);
    make(under(context, |ctx, st| arith::fma(&a.value, &b, &c, ctx, st))?)
}

/// A question under a context.
fn ask(a: &View, args: &Args<'_>, question: fn(&Dec, &Context) -> bool) -> PyResult<bool> {
    under(optional(args.get(0))?, |ctx, _| question(&a.value, ctx))
}

fn adjusted(a: &View) -> i64 {
    if a.value.is_special() { 0 } else { a.value.adjusted() }
}

fn number_class(a: &View, args: &Args<'_>) -> PyResult<&'static str> {
    under(optional(args.get(0))?, |ctx, _| unary::class(&a.value, ctx))
}

fn to_eng_string(a: &View, args: &Args<'_>) -> PyResult<String> {
    let capitals = match optional(args.get(0))? {
        Some(context) => context.settings.capitals(),
        None => number::capitals()?,
    };
    Ok(a.value.to_eng(capitals))
}

fn same_quantum(a: &View, args: &Args<'_>) -> PyResult<bool> {
    optional(args.get(1))?;
    Ok(unary::same_quantum(&a.value, &*argument(args.required(0))?))
}

/// The operand's sign on this number.
pub fn copy_sign(a: &Dec, b: &Dec, _: &Context, _: &mut u32) -> Dec {
    a.with_sign(b.negative)
}

/// [`compare::compare_total`] as the other operations are called.
pub fn compare_total(a: &Dec, b: &Dec, _: &Context, _: &mut u32) -> Dec {
    compare::compare_total(a, b)
}

/// [`compare::compare_total_mag`] as the other operations are called.
pub fn compare_total_mag(a: &Dec, b: &Dec, _: &Context, _: &mut u32) -> Dec {
    compare::compare_total_mag(a, b)
}

/// A row `(context=None)`.
macro_rules! unary {
    ($operation:path) => {
        |a: &View, args: &Args<'_>| one(a, args, $operation)
    };
}

/// A row `(other, context=None)`.
macro_rules! binary {
    ($operation:path) => {
        |a: &View, args: &Args<'_>| two(a, args, $operation)
    };
}

taipan_object::methods! { pub(super) static METHODS = {
    args "exp" "($self, /, context=None)" = unary!(elementary::exp), "e raised to this number, rounded half to even.";
    args "ln" "($self, /, context=None)" = unary!(elementary::ln), "The natural logarithm, rounded half to even.";
    args "log10" "($self, /, context=None)" = unary!(elementary::log10), "The logarithm to base ten, rounded half to even.";
    args "next_minus" "($self, /, context=None)" = unary!(unary::next_minus), "The largest number of the context that is smaller.";
    args "next_plus" "($self, /, context=None)" = unary!(unary::next_plus), "The smallest number of the context that is larger.";
    args "normalize" "($self, /, context=None)" = unary!(unary::normalize), "The same value without trailing zeros.";
    args "to_integral" "($self, /, rounding=None, context=None)" = |a: &View, args: &Args<'_>| rounded(a, args, unary::to_integral), "Another name of to_integral_value().";
    args "to_integral_exact" "($self, /, rounding=None, context=None)" = |a: &View, args: &Args<'_>| rounded(a, args, unary::to_integral_exact), "The nearest integer; signals when something was lost.";
    args "to_integral_value" "($self, /, rounding=None, context=None)" = |a: &View, args: &Args<'_>| rounded(a, args, unary::to_integral), "The nearest integer, without signals.";
    args "sqrt" "($self, /, context=None)" = unary!(arith::sqrt), "The square root, rounded half to even.";
    args "compare" "($self, /, other, context=None)" = binary!(compare::compare), "-1, 0 or 1 as a number, or NaN.";
    args "compare_signal" "($self, /, other, context=None)" = binary!(compare::compare_signal), "As compare(), but every NaN signals.";
    args "max" "($self, /, other, context=None)" = binary!(compare::max), "The larger number; a quiet NaN does not count.";
    args "max_mag" "($self, /, other, context=None)" = binary!(compare::max_mag), "As max() for absolute values.";
    args "min" "($self, /, other, context=None)" = binary!(compare::min), "The smaller number; a quiet NaN does not count.";
    args "min_mag" "($self, /, other, context=None)" = binary!(compare::min_mag), "As min() for absolute values.";
    args "next_toward" "($self, /, other, context=None)" = binary!(unary::next_toward), "The neighbour in the direction of another number.";
    args "quantize" "($self, /, exp, rounding=None, context=None)" = quantize, "The value rounded to the exponent of another number.";
    args "remainder_near" "($self, /, other, context=None)" = binary!(taipan_decimal::divide::rem_near), "The remainder of least absolute value.";
    args "fma" "($self, /, other, third, context=None)" = fma, "self * other + third with a single rounding.";
    noargs "is_canonical" "($self, /)" = |_: &View| true, "Always true.";
    noargs "is_finite" "($self, /)" = |a: &View| a.value.is_finite(), "Whether this is neither infinite nor NaN.";
    noargs "is_infinite" "($self, /)" = |a: &View| a.value.is_infinite(), "Whether this is an infinity.";
    noargs "is_nan" "($self, /)" = |a: &View| a.value.is_nan(), "Whether this is a NaN, quiet or signalling.";
    noargs "is_qnan" "($self, /)" = |a: &View| a.value.is_qnan(), "Whether this is a quiet NaN.";
    noargs "is_snan" "($self, /)" = |a: &View| a.value.is_snan(), "Whether this is a signalling NaN.";
    noargs "is_signed" "($self, /)" = |a: &View| a.value.negative, "Whether the sign is set.";
    noargs "is_zero" "($self, /)" = |a: &View| a.value.is_zero(), "Whether this is a zero of either sign.";
    args "is_normal" "($self, /, context=None)" = |a: &View, args: &Args<'_>| ask(a, args, Dec::is_normal), "Whether this is finite, not zero and not subnormal.";
    args "is_subnormal" "($self, /, context=None)" = |a: &View, args: &Args<'_>| ask(a, args, Dec::is_subnormal), "Whether this is too small for all digits.";
    noargs "adjusted" "($self, /)" = adjusted, "The exponent of the first digit.";
    noargs "canonical" "($self, /)" = same, "The number itself.";
    noargs "conjugate" "($self, /)" = same, "The number itself.";
    noargs "radix" "($self, /)" = |_: &View| make(Dec::from_i64(10)), "Ten.";
    noargs "copy_abs" "($self, /)" = |a: &View| make(a.value.with_sign(false)), "The absolute value, unrounded.";
    noargs "copy_negate" "($self, /)" = |a: &View| make(a.value.with_sign(!a.value.negative)), "The number with its sign turned, unrounded.";
    args "logb" "($self, /, context=None)" = unary!(unary::logb), "The exponent of the first digit as a number.";
    args "logical_invert" "($self, /, context=None)" = unary!(logical::invert), "Zeros and ones exchanged.";
    args "number_class" "($self, /, context=None)" = number_class, "The name of the number's class.";
    args "to_eng_string" "($self, /, context=None)" = to_eng_string, "Text whose exponent is a multiple of three.";
    args "compare_total" "($self, /, other, context=None)" = binary!(compare_total), "Compare by the order in which only equal texts are equal.";
    args "compare_total_mag" "($self, /, other, context=None)" = binary!(compare_total_mag), "As compare_total() for absolute values.";
    args "copy_sign" "($self, /, other, context=None)" = binary!(copy_sign), "This number with the sign of another.";
    args "same_quantum" "($self, /, other, context=None)" = same_quantum, "Whether both have the same exponent.";
    args "logical_and" "($self, /, other, context=None)" = binary!(logical::and), "Digit by digit 'and'.";
    args "logical_or" "($self, /, other, context=None)" = binary!(logical::or), "Digit by digit 'or'.";
    args "logical_xor" "($self, /, other, context=None)" = binary!(logical::xor), "Digit by digit exclusive 'or'.";
    args "rotate" "($self, /, other, context=None)" = binary!(logical::rotate), "The digits moved around by a number of places.";
    args "scaleb" "($self, /, other, context=None)" = binary!(unary::scaleb), "The number with its exponent changed.";
    args "shift" "($self, /, other, context=None)" = binary!(logical::shift), "The digits moved by a number of places.";
    class one "from_float" "($type, f, /)" = from_float, "The exact value of a float or an int.";
    class one "from_number" "($type, number, /)" = from_number, "The exact value of a number.";
    noargs "as_tuple" "($self, /)" = as_tuple, "Sign, digits and exponent.";
    noargs "as_integer_ratio" "($self, /)" = as_integer_ratio, "Numerator and denominator in lowest terms.";
    noargs "__copy__" "($self, /)" = same, "";
    one "__deepcopy__" "($self, object, /)" = |a: &View, _: &Object| same(a), "";
    many "__format__" "" = super::text::format, "";
    noargs "__reduce__" "($self, /)" = reduce, "";
    many "__round__" "" = round, "";
    noargs "__ceil__" "($self, /)" = |a: &View| to_int(&a.value, Rounding::Ceiling), "";
    noargs "__floor__" "($self, /)" = |a: &View| to_int(&a.value, Rounding::Floor), "";
    noargs "__trunc__" "($self, /)" = |a: &View| to_int(&a.value, Rounding::Down), "";
    noargs "__complex__" "($self, /)" = to_complex, "";
    noargs "__sizeof__" "($self, /)" = size_of, "";
} }
