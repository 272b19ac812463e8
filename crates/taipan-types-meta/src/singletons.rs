//! The types of `None`, `NotImplemented` and `...`.

use crate::util;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, type_error};
use taipan_object::native::{self, CompareOp, TypeSpec};
use taipan_object::singletons::{ellipsis, new_bool, new_none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, raise};

/// Each of these types has one instance, which calling the type gives.
fn only(name: &str, args: &Tuple, kwargs: Option<&Dict>, instance: Ref) -> PyResult {
    if util::has_arguments(args, kwargs) {
        return Err(raise!(PyExc_TypeError, "{name} takes no arguments"));
    }
    Ok(instance)
}

fn no_truth() -> PyErr {
    type_error("NotImplemented should not be used in a boolean context")
}

taipan_object::methods! { static NOT_IMPLEMENTED_METHODS = {
    noargs "__reduce__" "" = |_: &Object| "NotImplemented", "The name, for pickling.";
} }

taipan_object::methods! { static ELLIPSIS_METHODS = {
    noargs "__reduce__" "" = |_: &Object| "Ellipsis", "The name, for pickling.";
} }

/// `NoneType`, `NotImplementedType`, `ellipsis`.
pub static SPECS: [TypeSpec; 3] = [
    TypeSpec {
        doc: Some(c"The type of None."),
        slots: &[
            native::tp_repr(|_: &Object| "None"),
            native::tp_hash(|_: &Object| Ok(0xFCA8_6420)),
            native::tp_richcompare(|none: &Object, other: &Object, op: CompareOp| {
                Ok(match op {
                    CompareOp::Eq if none.is(other) => new_bool(true),
                    CompareOp::Ne if none.is(other) => new_bool(false),
                    _ => not_implemented().new_ref(),
                })
            }),
            native::nb_bool(|_: &Object| Ok(false)),
            native::tp_new(|_: &Type, args: &Tuple, kwargs: Option<&Dict>| {
                only("NoneType", args, kwargs, new_none())
            }),
        ],
        ..TypeSpec::new(&_PyNone_Type)
    },
    TypeSpec {
        doc: Some(c"The type of NotImplemented."),
        slots: &[
            native::tp_repr(|_: &Object| "NotImplemented"),
            native::nb_bool(|_: &Object| Err(no_truth())),
            native::tp_new(|_: &Type, args: &Tuple, kwargs: Option<&Dict>| {
                only("NotImplementedType", args, kwargs, not_implemented().new_ref())
            }),
        ],
        methods: NOT_IMPLEMENTED_METHODS,
        ..TypeSpec::new(&_PyNotImplemented_Type)
    },
    TypeSpec {
        doc: Some(c"The type of the Ellipsis singleton."),
        slots: &[
            native::tp_repr(|_: &Object| "Ellipsis"),
            native::tp_new(|_: &Type, args: &Tuple, kwargs: Option<&Dict>| {
                only("EllipsisType", args, kwargs, ellipsis().new_ref())
            }),
        ],
        methods: ELLIPSIS_METHODS,
        ..TypeSpec::new(&PyEllipsis_Type)
    },
];
