//! `bool`: an `int` with two instances and its own words.

use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{as_bool, new_bool};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, raise, state};

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(taipan_object::err::type_error("bool() takes no keyword arguments"));
    }
    match args.items() {
        [] => Ok(new_bool(false)),
        [value] => value.is_true().map(new_bool),
        items => Err(raise!(PyExc_TypeError, "bool expected at most 1 argument, got {}", items.len())),
    }
}

fn repr(value: &Int) -> &'static str {
    if value.is_zero() { "False" } else { "True" }
}

/// Two bools give a bool, anything else is up to `int`.
fn logic(
    a: &Object,
    b: &Object,
    op: fn(bool, bool) -> bool,
    slot: fn(&Int, &Int) -> PyResult<Ref<Int>>,
) -> PyResult {
    match (as_bool(a), as_bool(b)) {
        (Some(a), Some(b)) => Ok(new_bool(op(a, b))),
        _ => match (a.downcast::<Int>(), b.downcast::<Int>()) {
            (Some(a), Some(b)) => slot(a, b).map(Ref::upcast),
            _ => Ok(taipan_object::singletons::not_implemented().new_ref()),
        },
    }
}

fn and(a: &Object, b: &Object) -> PyResult {
    logic(a, b, |a, b| a & b, crate::int::and)
}

fn or(a: &Object, b: &Object) -> PyResult {
    logic(a, b, |a, b| a | b, crate::int::or)
}

fn xor(a: &Object, b: &Object) -> PyResult {
    logic(a, b, |a, b| a ^ b, crate::int::xor)
}

fn invert(value: &Int) -> PyResult {
    (state::interp().hooks.get().warn)(
        &PyExc_DeprecationWarning,
        "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise inversion of the underlying int object and is usually not what you expect from negating a bool. Use the 'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion of the underlying int.",
        1,
    )?;
    crate::int::invert(value).map(Ref::upcast)
}

/// `bool`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"bool(object=False, /)\n--\n\nTrue or False, as the object counts in a condition.\n\nThere are only these two; bool is a subclass of int that cannot be subclassed.",
    ),
    slots: &[
        tp_new(new),
        tp_repr(repr),
        nb_invert(invert),
        nb_and(and),
        nb_xor(xor),
        nb_or(or),
    ],
    ..TypeSpec::new(&PyBool_Type)
};
