//! `timedelta`.

use crate::arguments::{Form, Given, with_call_args};
use crate::layout::{DELTA, DELTA_DAYS, DELTA_MICROS, DELTA_SECONDS, DeltaView, Span, raw_delta};
use crate::span::{self, DAY_SECONDS, SECOND, floor_div, int_of, value_of};
use taipan_num::hash::TupleHasher;
use taipan_object::abi::{Py_READONLY, Py_T_INT};
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::{BinaryOp, binary_op, richcompare_bool};
use taipan_object::singletons::{as_bool, new_bool, not_implemented};
use taipan_object::statics::{PyExc_TypeError, PyFloat_Type, PyLong_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, intern, raise};

static FORM: Form = Form {
    name: "__new__",
    params: &["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"],
    required: 0,
    positional: 7,
};

/// The order in which arguments are added up (and complained about), with their microseconds.
const UNITS: [(usize, i64); 7] = [
    (2, 1),
    (3, 1_000),
    (1, SECOND),
    (4, 60 * SECOND),
    (5, 3_600 * SECOND),
    (0, DAY_SECONDS * SECOND),
    (6, 7 * DAY_SECONDS * SECOND),
];

/// A sum of microseconds: a machine number as long as the arguments are, then any int.
enum Sum {
    Small(i128),
    Big(Ref),
}

impl Sum {
    fn object(self) -> PyResult {
        match self {
            Self::Small(value) => int_of(value).map(Ref::upcast),
            Self::Big(object) => Ok(object),
        }
    }

    fn add_small(self, value: i128) -> PyResult<Self> {
        match self {
            Self::Small(sum) => Ok(Self::Small(sum + value)),
            Self::Big(sum) => Ok(Self::Big(binary_op(&sum, &*int_of(value)?, BinaryOp::Add)?)),
        }
    }

    /// Adds `value * factor` as Python does.
    fn add_product(self, value: &Object, factor: i64) -> PyResult<Self> {
        let product = binary_op(value, &Int::from_i64(factor), BinaryOp::Multiply)?;
        Ok(Self::Big(binary_op(&*self.object()?, &product, BinaryOp::Add)?))
    }

    fn is_odd(&self) -> bool {
        match self {
            Self::Small(value) => value % 2 != 0,
            Self::Big(object) => is_odd(object),
        }
    }

    fn span(self) -> PyResult<Span> {
        let total = match self {
            Self::Small(value) => Some(value),
            Self::Big(object) => {
                let int = object.downcast::<Int>().ok_or_else(|| type_error("an integer is required"))?;
                value_of(int)
            }
        };
        Span::from_micros(total.ok_or_else(span::too_large)?)
    }
}

/// The value of an int that is not of a Python subclass, if it fits.
fn plain_int(object: &Object) -> Option<i64> {
    if object.is_exact(&PyLong_Type) || as_bool(object).is_some() {
        return object.downcast::<Int>().and_then(Int::to_i64);
    }
    None
}

/// The bounds between which a float's whole part fits 64 bits.
const LIMIT: f64 = 9_223_372_036_854_774_784.0;

/// Adds an argument to the sum; parts of microseconds go to `rest`.
fn accumulate(sum: Sum, name: &str, value: &Object, factor: i64, rest: &mut f64) -> PyResult<Sum> {
    if let Some(small) = plain_int(value) {
        return sum.add_small(i128::from(small) * i128::from(factor));
    }
    if value.downcast::<Int>().is_some() {
        return sum.add_product(value, factor);
    }
    let Some(float) = value.downcast::<Float>() else {
        return Err(raise!(
            PyExc_TypeError,
            "unsupported type for timedelta {name} component: {}",
            value.ty().message_name()
        ));
    };
    let number = float.value();
    let whole = number.trunc();
    let sum = if whole.abs() <= LIMIT {
        sum.add_small(whole as i128 * i128::from(factor))?
    } else {
        // Not a number and infinity are refused here as well.
        let int = PyLong_Type.call(&[&Float::new(whole)])?;
        sum.add_product(&int, factor)?
    };
    let fraction = number - whole;
    if fraction == 0.0 || !number.is_finite() {
        return Ok(sum);
    }
    let micros = factor as f64 * fraction;
    *rest += micros - micros.trunc();
    sum.add_small(micros.trunc() as i128)
}

fn make(ty: &Type, mut given: Given<'_>) -> PyResult<Ref<DeltaView>> {
    let mut values = [None; 7];
    for place in &mut values {
        *place = given.next()?;
    }
    given.end()?;
    let mut sum = Sum::Small(0);
    let mut rest = 0.0;
    for (index, factor) in UNITS {
        if let Some(value) = values[index] {
            sum = accumulate(sum, FORM.params[index], value, factor, &mut rest)?;
        }
    }
    if rest != 0.0 {
        let mut whole = f64::round(rest);
        if (whole - rest).abs() == 0.5 {
            // Half way: the sum as a whole becomes even.
            let odd = f64::from(u8::from(sum.is_odd()));
            whole = 2.0 * f64::round((rest + odd) * 0.5) - odd;
        }
        sum = sum.add_small(whole as i128)?;
    }
    raw_delta(ty, sum.span()?)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<DeltaView>> {
    with_call_args(args, kwargs, |args| make(ty, FORM.call(args)?))
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult<Ref<DeltaView>> {
    make(ty, FORM.call(&args)?)
}

/// A `timedelta`.
pub fn object(span: Span) -> PyResult<Ref<DeltaView>> {
    raw_delta(&DELTA, span)
}

fn delta(object: &Object) -> Option<Span> {
    object.downcast::<DeltaView>().map(|delta| delta.span())
}

/// A result, or `NotImplemented`.
fn known(span: Option<PyResult<Span>>) -> PyResult {
    match span {
        Some(span) => object(span?).map(Ref::upcast),
        None => Ok(not_implemented().new_ref()),
    }
}

fn add(left: &Object, right: &Object) -> PyResult {
    known(delta(left).zip(delta(right)).map(|(a, b)| a.add(b)))
}

fn subtract(left: &Object, right: &Object) -> PyResult {
    known(delta(left).zip(delta(right)).map(|(a, b)| a.sub(b)))
}

fn multiply(left: &Object, right: &Object) -> PyResult {
    let (span, factor) = match (delta(left), delta(right)) {
        (Some(span), None) => (span, right),
        (None, Some(span)) => (span, left),
        _ => return known(None),
    };
    if let Some(int) = factor.downcast::<Int>() {
        return known(Some(span.times(value_of(int))));
    }
    match factor.downcast::<Float>() {
        Some(float) if float.is_exact(&PyFloat_Type) => known(Some(span.times_float(float.value()))),
        Some(float) => by_own_ratio(span, float, false),
        None => known(None),
    }
}

/// The duration times (or divided by) a float of a subclass, which is asked for its ratio.
fn by_own_ratio(span: Span, float: &Float, inverse: bool) -> PyResult {
    let ratio = float.call_method(intern!("as_integer_ratio"), &[])?;
    let Some(pair) = ratio.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "unexpected return type from as_integer_ratio(): expected tuple, not '{}'",
            ratio.ty().message_name()
        ));
    };
    let (Some(numerator), Some(denominator), 2) = (pair.get(0), pair.get(1), pair.len()) else {
        return Err(value_error("as_integer_ratio() must return a 2-tuple"));
    };
    let (factor, divisor) = if inverse { (denominator, numerator) } else { (numerator, denominator) };
    let (Some(factor), Some(divisor)) = (factor.downcast::<Int>(), divisor.downcast::<Int>()) else {
        return Err(type_error("non-integer arguments in division"));
    };
    let product = binary_op(&*int_of(span.total())?, factor, BinaryOp::Multiply)?;
    known(Some(Sum::Big(rounded_quotient(&product, divisor)?).span()))
}

/// The quotient of two ints of any size, rounded to the nearest, to the even one of two.
fn rounded_quotient(a: &Object, b: &Int) -> PyResult {
    if b.is_zero() {
        return Err(span::zero_division());
    }
    let quotient = binary_op(a, b, BinaryOp::FloorDivide)?;
    let rest = binary_op(a, b, BinaryOp::Remainder)?;
    let twice = binary_op(&rest, &rest, BinaryOp::Add)?;
    let beyond = if b.is_negative() { CompareOp::Lt } else { CompareOp::Gt };
    if richcompare_bool(&twice, b, beyond)? || twice.equals(b)? && is_odd(&quotient) {
        return binary_op(&quotient, &Int::from_i64(1), BinaryOp::Add);
    }
    Ok(quotient)
}

/// Whether an object is an odd int.
fn is_odd(object: &Object) -> bool {
    let digit = object.downcast::<Int>().and_then(|int| int.digits().first());
    digit.is_some_and(|digit| digit % 2 == 1)
}

/// The quotient of two durations as a float, rounded once.
fn ratio(a: i128, b: i128) -> PyResult {
    const EXACT: u128 = 1 << 53;
    if b == 0 {
        return Err(span::zero_division());
    }
    if a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
        return Ok(Float::new(a as f64 / b as f64).upcast());
    }
    binary_op(&*int_of(a)?, &*int_of(b)?, BinaryOp::TrueDivide)
}

fn true_divide(left: &Object, right: &Object) -> PyResult {
    let Some(span) = delta(left) else { return known(None) };
    if let Some(divisor) = delta(right) {
        return ratio(span.total(), divisor.total());
    }
    if let Some(float) = right.downcast::<Float>() {
        if !float.is_exact(&PyFloat_Type) {
            return by_own_ratio(span, float, true);
        }
        return known(Some(span.over_float(float.value())));
    }
    known(right.downcast::<Int>().map(|int| span.over(value_of(int))))
}

fn floor_divide(left: &Object, right: &Object) -> PyResult {
    let Some(span) = delta(left) else { return known(None) };
    if let Some(divisor) = delta(right) {
        return int_of(floor_div(span.total(), divisor.total())?.0).map(Ref::upcast);
    }
    known(right.downcast::<Int>().map(|int| span.floor_over(value_of(int), int.is_negative())))
}

fn remainder(left: &Object, right: &Object) -> PyResult {
    let both = delta(left).zip(delta(right));
    known(both.map(|(a, b)| Span::from_micros(floor_div(a.total(), b.total())?.1)))
}

fn divmod(left: &Object, right: &Object) -> PyResult {
    let Some((a, b)) = delta(left).zip(delta(right)) else { return known(None) };
    let (quotient, rest) = floor_div(a.total(), b.total())?;
    let pair = [int_of(quotient)?.upcast(), object(Span::from_micros(rest)?)?.upcast()];
    Tuple::from_array(pair).map(Ref::upcast)
}

fn absolute(delta: &DeltaView) -> PyResult<Ref<DeltaView>> {
    let span = delta.span();
    object(if span.days < 0 { span.negated()? } else { span })
}

fn richcompare(delta: &DeltaView, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<DeltaView>() else { return Ok(not_implemented().new_ref()) };
    Ok(new_bool(op.holds(delta.span().cmp(&other.span()))))
}

/// The hash of the three fields as a tuple.
pub fn hash_span(span: Span) -> isize {
    let mut hasher = TupleHasher::default();
    for field in [span.days, span.seconds, span.micros] {
        hasher.add(taipan_num::hash::fix(field.into()));
    }
    hasher.finish() as isize
}

fn hash(delta: &DeltaView) -> PyResult<isize> {
    delta.hash.get_or(|| Ok(hash_span(delta.span())))
}

fn repr(delta: &DeltaView) -> String {
    let Span { days, seconds, micros } = delta.span();
    let mut parts = Vec::new();
    for (name, value) in [("days", days), ("seconds", seconds), ("microseconds", micros)] {
        if value != 0 {
            parts.push(format!("{name}={value}"));
        }
    }
    if parts.is_empty() {
        parts.push("0".to_owned());
    }
    format!("{}({})", delta.object().ty().full_name(), parts.join(", "))
}

fn text(delta: &DeltaView) -> String {
    let Span { days, seconds, micros } = delta.span();
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    text += &format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros != 0 {
        text += &format!(".{micros:06}");
    }
    text
}

/// The duration in seconds as a float.
pub fn total_seconds(span: Span) -> PyResult {
    ratio(span.total(), SECOND.into())
}

fn reduce(delta: &DeltaView) -> PyResult<Ref<Tuple>> {
    let Span { days, seconds, micros } = delta.span();
    let fields = [days, seconds, micros].map(|field| Int::from_i64(field.into()).upcast());
    let fields = Tuple::from_array(fields)?.upcast();
    Tuple::from_array([delta.object().ty().new_ref(), fields])
}

taipan_object::methods! {
    static METHODS = {
        noargs "total_seconds" "($self, /)" = |d: &DeltaView| total_seconds(d.span()), "The whole duration in seconds, with fractions.";
        noargs "__reduce__" "($self, /)" = reduce, "The class and the arguments that make an equal object.";
    }
}

/// `timedelta`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A duration: the difference between two dates or times.\n\nMade from days, seconds, microseconds, milliseconds, minutes, hours and weeks, each an int or\na float of either sign and 0 by default. It is kept as days, seconds and microseconds, the last two\nnever negative.",
    ),
    slots: &[
        DeltaView::DEALLOC,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_str(text),
        tp_hash(hash),
        tp_richcompare(richcompare),
        nb_add(add),
        nb_subtract(subtract),
        nb_multiply(multiply),
        nb_true_divide(true_divide),
        nb_floor_divide(floor_divide),
        nb_remainder(remainder),
        nb_divmod(divmod),
        nb_negative(|d: &DeltaView| object(d.span().negated()?)),
        nb_positive(|d: &DeltaView| object(d.span())),
        nb_absolute(absolute),
        nb_bool(|d: &DeltaView| Ok(!d.span().is_zero())),
    ],
    methods: METHODS,
    members: &[
        Member::new(c"days", Py_T_INT, DELTA_DAYS, Py_READONLY, c"Whole days, of either sign."),
        Member::new(c"seconds", Py_T_INT, DELTA_SECONDS, Py_READONLY, c"Seconds beyond the days, less than a day."),
        Member::new(c"microseconds", Py_T_INT, DELTA_MICROS, Py_READONLY, c"Microseconds beyond the seconds, less than a second."),
    ],
    ..TypeSpec::new(&DELTA)
};

/// Adds the constants of the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &DELTA;
    for (name, span) in [("resolution", Span::RESOLUTION), ("min", Span::MIN), ("max", Span::MAX)] {
        ty.set_own(name, object(span)?.object())?;
    }
    Ok(())
}
