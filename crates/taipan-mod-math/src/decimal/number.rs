//! `Decimal`: the object, what it is made from, operators, comparison, hash.

use super::context::{ContextView, optional};
use super::state::{known, trap, with_current};
use super::text::ascii_number;
use core::cell::Cell;
use core::ops::Deref;
use taipan_decimal::{Coeff, Context, Dec, arith, big, divide, power, status, text};
use taipan_object::abi::Py_TPFLAGS_BASETYPE;
use taipan_object::dict::Dict;
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::{
    CallArgs, CompareOp, IntoPy, Native, Slot, TypeSpec, getset_row, native_new, nb_absolute, nb_add,
    nb_bool, nb_divmod, nb_float, nb_floor_divide, nb_int, nb_multiply, nb_negative, nb_positive, nb_power,
    nb_remainder, nb_subtract, nb_true_divide, tp_hash, tp_new, tp_repr, tp_richcompare, tp_str,
    tp_vectorcall,
};
use taipan_object::singletons::{is_none, not_implemented};
use taipan_object::statics::PyComplex_Type;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, bind, err, payload, raise};
use taipan_types_num::text::to_ascii;

/// A decimal.
pub struct Number {
    pub value: Dec,
    /// The hash, or -1 as long as nobody asked.
    hash: Cell<isize>,
}

payload!(Number, DECIMAL, c"decimal.Decimal", Py_TPFLAGS_BASETYPE, []);

/// The view of a decimal object.
pub type View = Native<Number>;

/// A new object of the exact type.
#[inline]
pub fn make(value: Dec) -> PyResult<Ref<View>> {
    native_new(&DECIMAL, Number { value, hash: Cell::new(-1) })
}

fn make_as(ty: &Type, value: Dec) -> PyResult<Ref<View>> {
    native_new(ty, Number { value, hash: Cell::new(-1) })
}

/// An operand: borrowed from an object or made from an int.
pub enum Operand<'a> {
    Borrowed(&'a Dec),
    Owned(Dec),
}

impl Deref for Operand<'_> {
    type Target = Dec;
    #[inline(always)]
    fn deref(&self) -> &Dec {
        match self {
            Operand::Borrowed(dec) => dec,
            Operand::Owned(dec) => dec,
        }
    }
}

/// The value of an int, exactly.
pub fn from_int(int: &Int) -> PyResult<Dec> {
    if let Some(value) = int.to_i64() {
        return Ok(Dec::from_i64(value));
    }
    let limbs = big::to_limbs(&big::from_digits30(int.digits())).map_err(|_| err::memory_error())?;
    Ok(Dec::new(int.is_negative(), Coeff::from_limbs(limbs), 0))
}

/// The value of a float, exactly.
pub fn from_f64(value: f64) -> PyResult<Dec> {
    if value.is_nan() {
        return Ok(Dec { negative: value.is_sign_negative(), ..Dec::nan() });
    }
    if value.is_infinite() {
        return Ok(Dec::infinity(value < 0.0));
    }
    let bits = value.to_bits();
    let (fraction, field) = (bits & ((1 << 52) - 1), (bits >> 52) as i64 & 0x7ff);
    let (mut mantissa, mut exponent) =
        if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    if mantissa == 0 {
        return Ok(Dec::triple(value.is_sign_negative(), 0, 0));
    }
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    exponent += i64::from(zeros);
    let coeff = big::scaled_by_two(mantissa, exponent).map_err(|_| err::memory_error())?;
    Ok(Dec::new(value.is_sign_negative(), coeff, exponent.min(0)))
}

/// An object as the operand of an operator, if it is a decimal or an int.
#[inline]
pub fn operand(object: &Object) -> PyResult<Option<Operand<'_>>> {
    if let Some(number) = object.downcast::<View>() {
        return Ok(Some(Operand::Borrowed(&number.value)));
    }
    match object.downcast::<Int>() {
        Some(int) => Ok(Some(Operand::Owned(from_int(int)?))),
        None => Ok(None),
    }
}

/// The error for an object that cannot become a decimal.
#[cold]
pub fn unsupported(object: &Object) -> PyErr {
    err::type_error(&format!("conversion from {} to Decimal is not supported", object.ty().name()))
}

/// As [`operand`] for arguments of methods.
pub fn argument(object: &Object) -> PyResult<Operand<'_>> {
    operand(object)?.ok_or_else(|| unsupported(object))
}

/// Runs an operation under the given context or the current one, and raises what is trapped.
#[inline]
pub fn under<R>(
    context: Option<&ContextView>,
    operation: impl FnOnce(&Context, &mut u32) -> R,
) -> PyResult<R> {
    let run = |settings: &super::state::Settings| {
        let mut conditions = 0;
        let result = operation(&settings.limits(), &mut conditions);
        (result, settings.note(conditions))
    };
    let (result, trapped) = match context {
        Some(context) => run(&context.settings),
        None => with_current(run)?,
    };
    if trapped != 0 {
        return Err(trap(trapped));
    }
    Ok(result)
}

/// An operation of two operands.
pub type Binary = fn(&Dec, &Dec, &Context, &mut u32) -> Dec;
/// An operation of one operand.
pub type Unary = fn(&Dec, &Context, &mut u32) -> Dec;

#[inline]
fn operator(
    a: &Object,
    b: &Object,
    operation: impl FnOnce(&Dec, &Dec, &Context, &mut u32) -> Dec,
) -> PyResult {
    let (Some(x), Some(y)) = (operand(a)?, operand(b)?) else {
        return Ok(not_implemented().new_ref());
    };
    make(under(None, |ctx, st| operation(&x, &y, ctx, st))?)?.into_py()
}

fn unary_operator(a: &View, operation: Unary) -> PyResult<Ref<View>> {
    make(under(None, |ctx, st| operation(&a.value, ctx, st))?)
}

fn operator_divmod(a: &Object, b: &Object) -> PyResult {
    let (Some(x), Some(y)) = (operand(a)?, operand(b)?) else {
        return Ok(not_implemented().new_ref());
    };
    let (q, r) = under(None, |ctx, st| divide::divmod(&x, &y, ctx, st))?;
    Ok(Tuple::from_array([make(q)?.upcast(), make(r)?.upcast()])?.upcast())
}

fn operator_power(a: &Object, b: &Object, modulus: &Object) -> PyResult {
    let (Some(x), Some(y)) = (operand(a)?, operand(b)?) else {
        return Ok(not_implemented().new_ref());
    };
    if is_none(modulus) {
        return make(under(None, |ctx, st| power::pow(&x, &y, ctx, st))?)?.into_py();
    }
    let Some(z) = operand(modulus)? else { return Ok(not_implemented().new_ref()) };
    make(under(None, |ctx, st| divide::powmod(&x, &y, &z, ctx, st))?)?.into_py()
}

const NB_ADD: Slot = nb_add(|a: &Object, b: &Object| operator(a, b, arith::add));
const NB_SUBTRACT: Slot = nb_subtract(|a: &Object, b: &Object| operator(a, b, arith::sub));
const NB_MULTIPLY: Slot = nb_multiply(|a: &Object, b: &Object| operator(a, b, arith::mul));
const NB_TRUE_DIVIDE: Slot = nb_true_divide(|a: &Object, b: &Object| operator(a, b, divide::div));
const NB_FLOOR_DIVIDE: Slot = nb_floor_divide(|a: &Object, b: &Object| operator(a, b, divide::divint));
const NB_REMAINDER: Slot = nb_remainder(|a: &Object, b: &Object| operator(a, b, divide::rem));

/// The other side of a comparison, and the number to compare with it: both are multiplied for fractions.
fn comparable(a: &View, other: &Object, op: CompareOp) -> PyResult<Option<(Option<Dec>, Dec)>> {
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let float = |value: f64| -> PyResult<Option<(Option<Dec>, Dec)>> {
        if equality {
            // The signal is noted, never raised: equality must not fail.
            with_current(|settings| settings.note(status::FLOAT_OPERATION))?;
        } else {
            with_current(|settings| settings.add(status::FLOAT_OPERATION))??;
        }
        Ok(Some((None, from_f64(value)?)))
    };
    if let Some(int) = other.downcast::<Int>() {
        return Ok(Some((None, from_int(int)?)));
    }
    if let Some(number) = other.downcast::<Float>() {
        return float(number.value());
    }
    if other.ty().is_subtype(&PyComplex_Type) {
        return match other.downcast::<Complex>() {
            Some(complex) if equality && complex.value().1 == 0.0 => float(complex.value().0),
            _ => Ok(None),
        };
    }
    if !other.ty().is_exact_builtin() && other_is_rational(other)? {
        let part = |name: &str| -> PyResult<Dec> {
            let value = other.getattr(&*Str::from_utf8(name)?)?;
            let Some(int) = value.downcast::<Int>() else {
                return Err(err::type_error(&format!("{name} must be an integer")));
            };
            from_int(int)
        };
        let (numerator, denominator) = (part("numerator")?, part("denominator")?);
        if a.value.is_special() {
            return Ok(Some((None, numerator)));
        }
        let mut conditions = 0;
        let scaled = arith::mul(&a.value, &denominator, &Context::MAX, &mut conditions);
        if conditions & status::MALLOC_ERROR != 0 {
            return Err(err::memory_error());
        }
        return Ok(Some((Some(scaled), numerator)));
    }
    Ok(None)
}

/// Types that cannot be registered as rational need not be asked.
trait ExactBuiltin {
    fn is_exact_builtin(&self) -> bool;
}

impl ExactBuiltin for Type {
    fn is_exact_builtin(&self) -> bool {
        use taipan_object::statics::{_PyNone_Type, PyTuple_Type, PyUnicode_Type};
        let this: &Object = self;
        let builtin: [&Type; 3] = [&PyUnicode_Type, &PyTuple_Type, &_PyNone_Type];
        builtin.iter().any(|ty| this.is(ty))
    }
}

fn other_is_rational(other: &Object) -> PyResult<bool> {
    taipan_object::protocol::is_instance(other, &known()?.rational)
}

fn compare(a: &View, other: &Object, op: CompareOp) -> PyResult {
    if let Some(b) = other.downcast::<View>() {
        return compare_values(&a.value, &b.value, op).and_then(IntoPy::into_py);
    }
    match comparable(a, other, op)? {
        None => Ok(not_implemented().new_ref()),
        Some((scaled, b)) => compare_values(scaled.as_ref().unwrap_or(&a.value), &b, op)?.into_py(),
    }
}

fn compare_values(a: &Dec, b: &Dec, op: CompareOp) -> PyResult<bool> {
    if a.is_nan() || b.is_nan() {
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if !equality || a.is_snan() || b.is_snan() {
            with_current(|settings| settings.add(status::INVALID_OPERATION))??;
        }
        return Ok(op == CompareOp::Ne);
    }
    Ok(op.holds(a.cmp_numbers(b)))
}

/// `hash`: that of the equal int, float or fraction.
fn hash(number: &View) -> PyResult<isize> {
    if number.hash.get() == -1 {
        let dec = &number.value;
        let hash = if dec.is_snan() {
            return Err(err::type_error("Cannot hash a signaling NaN value"));
        } else if dec.is_nan() {
            taipan_num::hash::pointer(number.object().as_ptr().addr()) as isize
        } else if dec.is_infinite() {
            if dec.negative { -314_159 } else { 314_159 }
        } else {
            dec.python_hash() as isize
        };
        number.hash.set(hash);
    }
    Ok(number.hash.get())
}

fn no_integer(dec: &Dec) -> PyErr {
    if dec.is_nan() {
        err::value_error("cannot convert NaN to integer")
    } else {
        err::overflow_error("cannot convert Infinity to integer")
    }
}

/// The integer that a number rounds to.
pub fn to_int(dec: &Dec, round: taipan_decimal::Rounding) -> PyResult<Ref<Int>> {
    if dec.is_special() {
        return Err(no_integer(dec));
    }
    let mut conditions = 0;
    let whole = taipan_decimal::unary::to_integral(dec, &Context::MAX.rounding(round), &mut conditions);
    if let Some(value) = whole.to_i64() {
        return Ok(Int::from_i64(value));
    }
    let coeff = whole.coeff.shl(whole.exp.max(0).unsigned_abs()).map_err(|_| err::memory_error())?;
    Int::from_digits(whole.negative, &big::coeff_digits30(&coeff))
}

fn to_f64(number: &View) -> PyResult<f64> {
    let dec = &number.value;
    if dec.is_snan() {
        return Err(err::value_error("cannot convert signaling NaN to float"));
    }
    if dec.is_nan() {
        return Ok(if dec.negative { -f64::NAN } else { f64::NAN });
    }
    if dec.is_infinite() {
        return Ok(if dec.negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    dec.to_sci(true).parse().map_err(|_| err::value_error("could not convert string to float"))
}

/// A result that must be exact.
pub fn exactly(dec: Dec, st: &mut u32) -> Dec {
    let mut conditions = 0;
    let result = dec.finalize(&Context::MAX, &mut conditions);
    if conditions & (status::INEXACT | status::ROUNDED | status::CLAMPED) != 0 {
        return Dec::invalid(status::INVALID_OPERATION, st);
    }
    *st |= conditions & status::ERRORS;
    result
}

/// The number that a text says, exactly.
fn from_text(text: &Str, context: Option<&ContextView>) -> PyResult<Dec> {
    let ascii = ascii_number(text);
    under(context, |_, st| {
        let dec = text::parse(&ascii, &Context::MAX, st);
        exactly(dec, st)
    })
}

/// A tuple or a list as a tuple.
fn as_tuple_of(value: &Object) -> PyResult<Option<Ref<Tuple>>> {
    match value.downcast::<List>() {
        Some(list) => Ok(Some(list.to_tuple()?)),
        None => Ok(value.downcast::<Tuple>().map(Ref::of)),
    }
}

/// A tuple of sign, digits and exponent as the text of a number.
fn from_tuple(parts: &Tuple) -> PyResult<Vec<u8>> {
    let [sign, digits, exponent] = *parts.items() else {
        return Err(err::value_error("argument must be a sequence of length 3"));
    };
    let bad_sign = || err::value_error("sign must be an integer with the value 0 or 1");
    let Some(sign) = sign.downcast::<Int>() else { return Err(bad_sign()) };
    let mut text: Vec<u8> = match sign.to_i64() {
        Some(0) => Vec::new(),
        Some(1) => vec![b'-'],
        Some(_) => return Err(bad_sign()),
        None => return Err(err::overflow_error("Python int too large to convert to C long")),
    };
    let mut infinite = false;
    let mut suffix = None;
    if let Some(name) = exponent.downcast::<Str>() {
        match name.to_lossy().as_str() {
            "F" => {
                text.extend_from_slice(b"Inf");
                infinite = true;
            }
            "n" => text.extend_from_slice(b"NaN"),
            "N" => text.extend_from_slice(b"sNaN"),
            _ => {
                return Err(err::value_error(
                    "string argument in the third position must be 'F', 'n' or 'N'",
                ));
            }
        }
    } else {
        let Some(int) = exponent.downcast::<Int>() else {
            return Err(err::value_error("exponent must be an integer"));
        };
        suffix = Some(
            int.to_i64()
                .ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))?,
        );
    }
    let bad_digits = || err::value_error("coefficient must be a tuple of digits");
    let digits = as_tuple_of(digits)?.ok_or_else(bad_digits)?;
    if digits.is_empty() && suffix.is_some() {
        text.push(b'0');
    }
    for digit in digits.items() {
        let value = digit.downcast::<Int>().and_then(Int::to_i64).filter(|digit| (0..10).contains(digit));
        let value = value.ok_or_else(bad_digits)?;
        if !infinite {
            text.push(b'0' + value as u8);
        }
    }
    if let Some(exponent) = suffix {
        text.extend_from_slice(format!("E{exponent}").as_bytes());
    }
    Ok(text)
}

/// What `Decimal(value)` makes, exactly.
fn value_of(value: &Object, context: Option<&ContextView>) -> PyResult<Dec> {
    if let Some(number) = value.downcast::<View>() {
        return Ok(number.value.clone());
    }
    if let Some(text) = value.downcast::<Str>() {
        return from_text(text, context);
    }
    if let Some(int) = value.downcast::<Int>() {
        return from_int(int);
    }
    if let Some(tuple) = as_tuple_of(value)? {
        let text = from_tuple(&tuple)?;
        return under(context, |_, st| {
            let dec = text::parse(&text, &Context::MAX, st);
            exactly(dec, st)
        });
    }
    if let Some(float) = value.downcast::<Float>() {
        let value = float.value();
        under(context, |_, st| *st |= status::FLOAT_OPERATION)?;
        return from_f64(value);
    }
    Err(unsupported(value))
}

/// `Decimal(value)` for a class.
pub fn construct(ty: &Type, value: Option<&Object>, context: Option<&Object>) -> PyResult<Ref<View>> {
    let context = optional(context)?;
    let Some(value) = value else { return make_as(ty, Dec::triple(false, 0, 0)) };
    let exact: &Type = &DECIMAL;
    if ty.is(exact)
        && value.is_exact(exact)
        && let Some(same) = value.downcast::<View>()
    {
        return Ok(Ref::of(same));
    }
    make_as(ty, value_of(value, context)?)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<View>> {
    bind!(given = "Decimal" "(value='0', context=None)", args, kwargs);
    construct(ty, given.get(0), given.get(1))
}

fn vectorcall(ty: &Type, call: CallArgs<'_>) -> PyResult<Ref<View>> {
    if let Some(value) = call.single() {
        return construct(ty, Some(value), None);
    }
    call.call_with_tuple(|args, kwargs| new(ty, args, kwargs))
}

/// `from_float`: a class method for floats and ints.
pub fn from_float(class: &Object, value: &Object) -> PyResult {
    let dec = match (value.downcast::<Int>(), value.downcast::<Float>()) {
        (Some(int), _) => from_int(int)?,
        (_, Some(float)) => from_f64(float.value())?,
        _ => return Err(err::type_error("argument must be int or float")),
    };
    as_class(class, dec)
}

/// `from_number`: a class method for numbers of all kinds, not for texts.
pub fn from_number(class: &Object, value: &Object) -> PyResult {
    let dec = match (value.downcast::<View>(), value.downcast::<Int>(), value.downcast::<Float>()) {
        (Some(number), ..) => number.value.clone(),
        (_, Some(int), _) => from_int(int)?,
        (.., Some(float)) => from_f64(float.value())?,
        _ => return Err(unsupported(value)),
    };
    as_class(class, dec)
}

fn as_class(class: &Object, dec: Dec) -> PyResult {
    let made = make(dec)?;
    let exact: &Type = &DECIMAL;
    if class.is(exact) { Ok(made.upcast()) } else { class.call(&[made.object()]) }
}

fn create_from_ascii(context: &ContextView, ascii: &[u8]) -> PyResult<Ref<View>> {
    make(under(Some(context), |ctx, st| {
        let dec = text::parse(ascii, ctx, st);
        dec.finalize(ctx, st)
    })?)
}

/// `create_decimal`: rounded to a context.
pub fn create(context: &ContextView, value: Option<&Object>) -> PyResult<Ref<View>> {
    let Some(value) = value else { return make(Dec::triple(false, 0, 0)) };
    if let Some(text) = value.downcast::<Str>() {
        return create_from_ascii(context, &to_ascii(text));
    }
    if let Some(tuple) = as_tuple_of(value)? {
        return create_from_ascii(context, &from_tuple(&tuple)?);
    }
    let exact: &Type = &DECIMAL;
    let room = |ctx: &Context| (ctx.prec - i64::from(ctx.clamp)).unsigned_abs();
    if let Some(number) = value.downcast::<View>() {
        let dec = under(Some(context), |ctx, st| {
            if number.value.is_nan()
                && !number.value.coeff.is_zero()
                && number.value.coeff.digits() > room(ctx)
            {
                return Some(Dec::invalid(status::CONVERSION_SYNTAX, st));
            }
            let fits = number.value.clone().finalize(ctx, st);
            let same =
                value.is_exact(exact) && fits.coeff == number.value.coeff && fits.exp == number.value.exp;
            (!same).then_some(fits)
        })?;
        return dec.map_or_else(|| Ok(Ref::of(number)), make);
    }
    let dec = if let Some(float) = value.downcast::<Float>() {
        under(Some(context), |_, st| *st |= status::FLOAT_OPERATION)?;
        from_f64(float.value())?
    } else {
        value_of(value, Some(context))?
    };
    make(under(Some(context), |ctx, st| dec.finalize(ctx, st))?)
}

/// `create_decimal_from_float`.
pub fn create_from_float(context: &ContextView, value: &Object) -> PyResult<Ref<View>> {
    let dec = match (value.downcast::<Int>(), value.downcast::<Float>()) {
        (Some(int), _) => from_int(int)?,
        (_, Some(float)) => from_f64(float.value())?,
        _ => return Err(err::type_error("argument must be int or float")),
    };
    make(under(Some(context), |ctx, st| dec.finalize(ctx, st))?)
}

/// The letters of exponents under the current context.
pub fn capitals() -> PyResult<bool> {
    with_current(super::state::Settings::capitals)
}

fn repr(number: &View) -> PyResult<String> {
    Ok(format!("Decimal('{}')", number.value.to_sci(capitals()?)))
}

/// The type.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"Decimal(value=\"0\", context=None)\n--\n\nA decimal number.\n\nMade exactly from a text, an int, a float, another decimal, or a tuple of sign, digits and exponent.",
    ),
    slots: &[
        View::DEALLOC,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_str(|number: &View| -> PyResult<String> { Ok(number.value.to_sci(capitals()?)) }),
        tp_hash(hash),
        tp_richcompare(compare),
        NB_ADD,
        NB_SUBTRACT,
        NB_MULTIPLY,
        NB_TRUE_DIVIDE,
        NB_FLOOR_DIVIDE,
        NB_REMAINDER,
        nb_divmod(operator_divmod),
        nb_power(operator_power),
        nb_negative(|a: &View| unary_operator(a, arith::minus)),
        nb_positive(|a: &View| unary_operator(a, arith::plus)),
        nb_absolute(|a: &View| unary_operator(a, arith::abs)),
        nb_bool(|a: &View| Ok(!a.value.is_zero())),
        nb_int(|a: &View| to_int(&a.value, taipan_decimal::Rounding::Down)),
        nb_float(to_f64),
    ],
    methods: super::methods::METHODS,
    getset: &[
        getset_row(c"real", |a: &View| Ref::of(a), c"The number itself."),
        getset_row(c"imag", |_: &View| make(Dec::triple(false, 0, 0)), c"Always zero."),
    ],
    ..TypeSpec::new(&DECIMAL)
};

/// What pickles and copies a number: its class and its text.
pub fn reduce(number: &View) -> PyResult {
    let class: &Object = number.object().ty();
    let args = Tuple::from_refs(&[&*number.object().str()?])?;
    Ok(Tuple::from_refs(&[class, &args])?.upcast())
}

/// `as_tuple()`.
pub fn as_tuple(number: &View) -> PyResult {
    let dec = &number.value;
    let digits: Vec<Ref> = match dec.kind {
        taipan_decimal::Kind::Infinite => vec![Int::from_i64(0).upcast()],
        taipan_decimal::Kind::NaN | taipan_decimal::Kind::SNaN if dec.coeff.is_zero() => Vec::new(),
        _ => dec
            .coeff
            .to_digits()
            .bytes()
            .map(|digit| Int::from_i64(i64::from(digit - b'0')).upcast())
            .collect(),
    };
    let exponent = match dec.kind {
        taipan_decimal::Kind::Infinite => "F".into_py()?,
        taipan_decimal::Kind::NaN => "n".into_py()?,
        taipan_decimal::Kind::SNaN => "N".into_py()?,
        taipan_decimal::Kind::Finite => dec.exp.into_py()?,
    };
    let sign = Int::from_i64(i64::from(dec.negative));
    known()?.tuple.call(&[&sign, &*Tuple::from_vec(digits)?, &exponent])
}

/// `as_integer_ratio()`.
pub fn as_integer_ratio(number: &View) -> PyResult {
    let dec = &number.value;
    if dec.is_nan() {
        return Err(err::value_error("cannot convert NaN to integer ratio"));
    }
    if dec.is_infinite() {
        return Err(err::overflow_error("cannot convert Infinity to integer ratio"));
    }
    let (numerator, denominator) = big::ratio(&dec.coeff, dec.exp).map_err(|_| err::memory_error())?;
    let pair = [
        Int::from_digits(dec.negative, &numerator)?.upcast(),
        Int::from_digits(false, &denominator)?.upcast(),
    ];
    Ok(Tuple::from_array(pair)?.upcast())
}

/// `__deepcopy__` and `__copy__`: a number never changes.
pub fn same(number: &View) -> Ref<View> {
    Ref::of(number)
}

/// `__sizeof__()`.
pub fn size_of(number: &View) -> usize {
    let heap = match &number.value.coeff {
        Coeff::Small(_) => 0,
        Coeff::Big(limbs) => limbs.capacity() * size_of_limb(),
    };
    View::SIZE + heap
}

const fn size_of_limb() -> usize {
    core::mem::size_of::<u64>()
}

/// `__round__(ndigits=None)`.
pub fn round(number: &View, args: &[&Object]) -> PyResult {
    match args {
        [] => Ok(to_int(&number.value, taipan_decimal::Rounding::HalfEven)?.upcast()),
        [none] if is_none(none) => Ok(to_int(&number.value, taipan_decimal::Rounding::HalfEven)?.upcast()),
        [digits] => {
            let Some(digits) = digits.downcast::<Int>() else {
                return Err(err::type_error("optional arg must be an integer"));
            };
            let digits = digits
                .to_i64()
                .ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))?;
            let unit = Dec::triple(false, 1, digits.checked_neg().unwrap_or(i64::MAX));
            make(under(None, |ctx, st| taipan_decimal::unary::quantize(&number.value, &unit, ctx, st))?)?
                .into_py()
        }
        many => Err(raise!(
            taipan_object::statics::PyExc_TypeError,
            "function takes at most 1 argument ({} given)",
            many.len()
        )),
    }
}

/// `__complex__()`.
pub fn to_complex(number: &View) -> PyResult<Ref<Complex>> {
    Complex::new(to_f64(number)?, 0.0)
}
