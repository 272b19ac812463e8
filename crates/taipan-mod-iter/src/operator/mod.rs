//! `_operator`: the operators as functions, and functions that get something from an object.

mod getters;

use crate::util::add_type;
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::err::{self, overflow_error, type_error, value_error};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, CallArgs, CompareOp, IntoPy};
use taipan_object::protocol::{
    self, BinaryOp, binary_op, inplace_op, iter_next, power, richcompare, richcompare_bool,
};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, abi, buffer::Buffer, int, methods, raise};

macro_rules! two {
    ($($name:ident = |$a:ident, $b:ident| $body:expr;)*) => {$(
        fn $name(_: &Object, args: &Args<'_>) -> PyResult {
            let ($a, $b) = (args.required(0), args.required(1));
            $body.into_py()
        }
    )*};
}

two! {
    add = |a, b| binary_op(a, b, BinaryOp::Add);
    sub = |a, b| binary_op(a, b, BinaryOp::Subtract);
    mul = |a, b| binary_op(a, b, BinaryOp::Multiply);
    matmul = |a, b| binary_op(a, b, BinaryOp::MatrixMultiply);
    floordiv = |a, b| binary_op(a, b, BinaryOp::FloorDivide);
    truediv = |a, b| binary_op(a, b, BinaryOp::TrueDivide);
    modulo = |a, b| binary_op(a, b, BinaryOp::Remainder);
    lshift = |a, b| binary_op(a, b, BinaryOp::Lshift);
    rshift = |a, b| binary_op(a, b, BinaryOp::Rshift);
    and = |a, b| binary_op(a, b, BinaryOp::And);
    xor = |a, b| binary_op(a, b, BinaryOp::Xor);
    or = |a, b| binary_op(a, b, BinaryOp::Or);
    pow = |a, b| power(a, b, none());
    iadd = |a, b| inplace_op(a, b, BinaryOp::Add);
    isub = |a, b| inplace_op(a, b, BinaryOp::Subtract);
    imul = |a, b| inplace_op(a, b, BinaryOp::Multiply);
    imatmul = |a, b| inplace_op(a, b, BinaryOp::MatrixMultiply);
    ifloordiv = |a, b| inplace_op(a, b, BinaryOp::FloorDivide);
    itruediv = |a, b| inplace_op(a, b, BinaryOp::TrueDivide);
    imod = |a, b| inplace_op(a, b, BinaryOp::Remainder);
    ilshift = |a, b| inplace_op(a, b, BinaryOp::Lshift);
    irshift = |a, b| inplace_op(a, b, BinaryOp::Rshift);
    iand = |a, b| inplace_op(a, b, BinaryOp::And);
    ixor = |a, b| inplace_op(a, b, BinaryOp::Xor);
    ior = |a, b| inplace_op(a, b, BinaryOp::Or);
    ipow = |a, b| inplace_op(a, b, BinaryOp::Power);
    lt = |a, b| richcompare(a, b, CompareOp::Lt);
    le = |a, b| richcompare(a, b, CompareOp::Le);
    eq = |a, b| richcompare(a, b, CompareOp::Eq);
    ne = |a, b| richcompare(a, b, CompareOp::Ne);
    gt = |a, b| richcompare(a, b, CompareOp::Gt);
    ge = |a, b| richcompare(a, b, CompareOp::Ge);
    is = |a, b| int::same_object(a, b);
    is_not = |a, b| !int::same_object(a, b);
    contains = |a, b| protocol::contains(a, b);
    getitem = |a, b| a.get_item(b);
    delitem = |a, b| protocol::delete_item(a, b);
    concat = |a, b| concatenate(a, b, BinaryOp::Add, false);
    iconcat = |a, b| concatenate(a, b, BinaryOp::Add, true);
    count_of = |a, b| count(a, b);
    index_of = |a, b| index(a, b);
    compare_digest = |a, b| same_digest(a, b);
}

fn setitem(_: &Object, args: &Args<'_>) -> PyResult<()> {
    protocol::set_item(args.required(0), args.required(1), args.required(2))
}

/// `concat`: only for sequences.
fn concatenate(a: &Object, b: &Object, op: BinaryOp, in_place: bool) -> PyResult {
    let sequence = |object: &Object| object.ty().lookup(taipan_object::intern!("__getitem__")).is_some();
    let knows_add = a.ty().lookup(taipan_object::intern!("__add__")).is_some();
    if !sequence(a) || !(knows_add || in_place) {
        return Err(raise!(PyExc_TypeError, "'{}' object can't be concatenated", a.ty().message_name()));
    }
    if in_place { inplace_op(a, b, op) } else { binary_op(a, b, op) }
}

fn not_iterable(error: err::PyErr, object: &Object) -> err::PyErr {
    if !error.is(&PyExc_TypeError) {
        return error;
    }
    raise!(PyExc_TypeError, "argument of type '{}' is not iterable", object.ty().message_name())
}

fn count(container: &Object, item: &Object) -> PyResult<isize> {
    let iterator = container.iter().map_err(|error| not_iterable(error, container))?;
    let mut found = 0isize;
    while let Some(candidate) = iter_next(&iterator)? {
        if richcompare_bool(&candidate, item, CompareOp::Eq)? {
            found = found.checked_add(1).ok_or_else(|| overflow_error("count exceeds C integer size"))?;
        }
    }
    Ok(found)
}

fn index(container: &Object, item: &Object) -> PyResult<isize> {
    let iterator = container.iter().map_err(|error| not_iterable(error, container))?;
    let mut place = 0isize;
    while let Some(candidate) = iter_next(&iterator)? {
        if richcompare_bool(&candidate, item, CompareOp::Eq)? {
            return Ok(place);
        }
        place = place.checked_add(1).ok_or_else(|| overflow_error("index exceeds C integer size"))?;
    }
    Err(value_error("sequence.index(x): x not in sequence"))
}

/// Compares without telling by the time it takes where the first difference is.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let other = if a.len() == b.len() { a } else { b };
    let mut difference = u8::from(a.len() != b.len());
    for (x, y) in other.iter().zip(b) {
        difference |= core::hint::black_box(x ^ y);
    }
    difference == 0
}

fn same_digest(a: &Object, b: &Object) -> PyResult<bool> {
    if let (Some(a), Some(b)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
        let (Some(a), Some(b)) = (a.as_ascii(), b.as_ascii()) else {
            return Err(type_error("comparing strings with non-ASCII characters is not supported"));
        };
        return Ok(same_bytes(a.as_bytes(), b.as_bytes()));
    }
    let plain =
        |object: &Object| object.downcast::<Bytes>().is_some() || object.downcast::<ByteArray>().is_some();
    let readable = |object: &Object| plain(object) || taipan_object::buffer::has_buffer(object);
    if !readable(a) && !readable(b) {
        return Err(raise!(
            PyExc_TypeError,
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            a.ty().message_name(),
            b.ty().message_name()
        ));
    }
    let (a, b) = (Buffer::simple(a)?, Buffer::simple(b)?);
    Ok(same_bytes(a.as_slice(), b.as_slice()))
}

fn call(_: &Object, args: CallArgs<'_>) -> PyResult {
    let positional = args.positional();
    if positional.is_empty() {
        return Err(type_error("call expected at least 1 argument, got 0"));
    }
    protocol::vectorcall(positional[0], &args.all[1..], args.kwnames)
}

fn length_hint(_: &Object, args: &Args<'_>) -> PyResult<isize> {
    let default = args.get(1).map_or(Ok(0), |default| {
        if default.downcast::<int::Int>().is_none() && !protocol::has_index(default) {
            return Err(raise!(
                PyExc_TypeError,
                "'{}' object cannot be interpreted as an integer",
                default.ty().message_name()
            ));
        }
        default.to_index_clamped(Some(&PyExc_OverflowError))
    })?;
    // The protocol's hint is never negative; the default may be.
    let none_given = usize::MAX;
    let hint = protocol::length_hint(args.required(0), none_given)?;
    Ok(if hint == none_given { default } else { hint.cast_signed() })
}

methods! {
    static METHODS = {
        one "truth" "($module, a, /)" = |_: &Object, a: &Object| a.is_true(), "Whether a counts as true.";
        args "contains" "($module, a, b, /)" = contains, "b in a, note the order.";
        args "indexOf" "($module, a, b, /)" = index_of, "The place of the first b in a.";
        args "countOf" "($module, a, b, /)" = count_of, "How many items in a are equal to b.";
        args "is_" "($module, a, b, /)" = is, "a is b.";
        args "is_not" "($module, a, b, /)" = is_not, "a is not b.";
        one "is_none" "($module, a, /)" = |_: &Object, a: &Object| is_none(a), "a is None.";
        one "is_not_none" "($module, a, /)" = |_: &Object, a: &Object| !is_none(a), "a is not None.";
        args "add" "($module, a, b, /)" = add, "a + b.";
        args "sub" "($module, a, b, /)" = sub, "a - b.";
        args "mul" "($module, a, b, /)" = mul, "a * b.";
        args "matmul" "($module, a, b, /)" = matmul, "a @ b.";
        args "floordiv" "($module, a, b, /)" = floordiv, "a // b.";
        args "truediv" "($module, a, b, /)" = truediv, "a / b.";
        args "mod" "($module, a, b, /)" = modulo, "a % b.";
        one "neg" "($module, a, /)" = |_: &Object, a: &Object| protocol::unary(a, abi::Py_nb_negative), "-a.";
        one "pos" "($module, a, /)" = |_: &Object, a: &Object| protocol::unary(a, abi::Py_nb_positive), "+a.";
        one "abs" "($module, a, /)" = |_: &Object, a: &Object| protocol::unary(a, abi::Py_nb_absolute), "abs(a).";
        one "inv" "($module, a, /)" = |_: &Object, a: &Object| protocol::unary(a, abi::Py_nb_invert), "~a.";
        one "invert" "($module, a, /)" = |_: &Object, a: &Object| protocol::unary(a, abi::Py_nb_invert), "~a.";
        args "lshift" "($module, a, b, /)" = lshift, "a << b.";
        args "rshift" "($module, a, b, /)" = rshift, "a >> b.";
        one "not_" "($module, a, /)" = |_: &Object, a: &Object| a.is_true().map(|truth| !truth), "not a.";
        args "and_" "($module, a, b, /)" = and, "a & b.";
        args "xor" "($module, a, b, /)" = xor, "a ^ b.";
        args "or_" "($module, a, b, /)" = or, "a | b.";
        args "iadd" "($module, a, b, /)" = iadd, "a += b.";
        args "isub" "($module, a, b, /)" = isub, "a -= b.";
        args "imul" "($module, a, b, /)" = imul, "a *= b.";
        args "imatmul" "($module, a, b, /)" = imatmul, "a @= b.";
        args "ifloordiv" "($module, a, b, /)" = ifloordiv, "a //= b.";
        args "itruediv" "($module, a, b, /)" = itruediv, "a /= b.";
        args "imod" "($module, a, b, /)" = imod, "a %= b.";
        args "ilshift" "($module, a, b, /)" = ilshift, "a <<= b.";
        args "irshift" "($module, a, b, /)" = irshift, "a >>= b.";
        args "iand" "($module, a, b, /)" = iand, "a &= b.";
        args "ixor" "($module, a, b, /)" = ixor, "a ^= b.";
        args "ior" "($module, a, b, /)" = ior, "a |= b.";
        args "concat" "($module, a, b, /)" = concat, "a + b, for sequences.";
        args "iconcat" "($module, a, b, /)" = iconcat, "a += b, for sequences.";
        args "getitem" "($module, a, b, /)" = getitem, "a[b].";
        args "setitem" "($module, a, b, c, /)" = setitem, "a[b] = c.";
        args "delitem" "($module, a, b, /)" = delitem, "del a[b].";
        args "pow" "($module, a, b, /)" = pow, "a ** b.";
        args "ipow" "($module, a, b, /)" = ipow, "a **= b.";
        args "lt" "($module, a, b, /)" = lt, "a < b.";
        args "le" "($module, a, b, /)" = le, "a <= b.";
        args "eq" "($module, a, b, /)" = eq, "a == b.";
        args "ne" "($module, a, b, /)" = ne, "a != b.";
        args "gt" "($module, a, b, /)" = gt, "a > b.";
        args "ge" "($module, a, b, /)" = ge, "a >= b.";
        one "index" "($module, a, /)" = |_: &Object, a: &Object| a.to_index(), "a.__index__().";
        args "length_hint" "($module, obj, default=0, /)" = length_hint, "How many items obj may have: its length, its own guess, or the default.";
        args "_compare_digest" "($module, a, b, /)" = compare_digest, "a == b, in a time that does not tell how much of them agrees.\n\nBoth are ASCII str, or both are bytes-like.";
        keywords "call" "($module, obj, /, *args, **kwargs)" = call, "obj(*args, **kwargs).";
    }
}

fn init(module: &Module) -> PyResult<()> {
    add_type(module, &getters::ITEM_SPEC)?;
    add_type(module, &getters::ATTR_SPEC)?;
    add_type(module, &getters::METHOD_SPEC)
}

/// `_operator`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_operator",
    doc: "The operators as functions: add(x, y) is x + y.\n\nA name with underscores around it is the special method, the one without is easier to read.",
    methods: METHODS,
    init,
};
