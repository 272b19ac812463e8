//! `None`, `NotImplemented`, `...`, `True` and `False`.

use crate::handle::{Object, Ref};
use crate::statics::{
    _Py_EllipsisObject, _Py_FalseStruct, _Py_NoneStruct, _Py_NotImplementedStruct, _Py_TrueStruct,
};

/// Borrowed `None`.
#[inline(always)]
pub fn none() -> &'static Object {
    &_Py_NoneStruct
}

/// Borrowed `NotImplemented`.
#[inline(always)]
pub fn not_implemented() -> &'static Object {
    &_Py_NotImplementedStruct
}

/// Borrowed `...`.
#[inline(always)]
pub fn ellipsis() -> &'static Object {
    &_Py_EllipsisObject
}

/// Borrowed `True` or `False`.
#[inline(always)]
pub fn bool_object(value: bool) -> &'static Object {
    if value { &_Py_TrueStruct } else { &_Py_FalseStruct }
}

/// A handle on `None`.
#[inline(always)]
pub fn new_none() -> Ref {
    none().new_ref()
}

/// A handle on `True` or `False`.
#[inline(always)]
pub fn new_bool(value: bool) -> Ref {
    bool_object(value).new_ref()
}

#[inline(always)]
pub fn is_none(object: &Object) -> bool {
    object.is(none())
}

#[inline(always)]
pub fn is_not_implemented(object: &Object) -> bool {
    object.is(not_implemented())
}

/// `Some(b)` for the two bools and nothing else.
#[inline(always)]
pub fn as_bool(object: &Object) -> Option<bool> {
    if object.is(bool_object(true)) {
        Some(true)
    } else if object.is(bool_object(false)) {
        Some(false)
    } else {
        None
    }
}
