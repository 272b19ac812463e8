//! Lengths and items.

use super::recursive;
use crate::err::{self, PyErr, PyResult};
use crate::handle::{Object, Ref, Type};
use crate::int::Int;
use crate::intern;
use crate::native::{from_c, from_c_int, opt_ptr};
use crate::raise;
use crate::statics::*;
use taipan_abi::Py_TPFLAGS_DICT_SUBCLASS;

/// `len(object)`.
pub(super) fn length(object: &Object) -> PyResult<usize> {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        let slot = (*ty)
            .tp_as_sequence
            .as_ref()
            .and_then(|table| table.sq_length)
            .or_else(|| (*ty).tp_as_mapping.as_ref().and_then(|table| table.mp_length));
        match slot {
            Some(slot) => recursive("", || from_c_int(slot(object.as_ptr()))).map(|length| length as usize),
            None => {
                Err(raise!(PyExc_TypeError, "object of type '{}' has no len()", object.ty().message_name()))
            }
        }
    }
}

/// What `__len__` returned, as a length.
///
/// # Errors
/// `TypeError` when it is no integer, `ValueError` when it is negative, `OverflowError`.
pub fn checked_length(value: &Object) -> PyResult<isize> {
    let int = value.to_index()?;
    if int.is_negative() {
        return Err(err::value_error("__len__() should return >= 0"));
    }
    int.to_i64().map(|length| length as isize).ok_or_else(|| {
        raise!(PyExc_OverflowError, "cannot fit '{}' into an index-sized integer", value.ty().message_name())
    })
}

/// `object[key]`.
///
/// # Errors
/// `TypeError` when the object cannot be subscripted; what `__getitem__` raises.
pub fn get_item(object: &Object, key: &Object) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        if let Some(slot) = (*ty).tp_as_mapping.as_ref().and_then(|table| table.mp_subscript) {
            return recursive("", || from_c(slot(object.as_ptr(), key.as_ptr())));
        }
        if let Some(slot) = (*ty).tp_as_sequence.as_ref().and_then(|table| table.sq_item) {
            let index = sequence_index(object, key)?;
            return from_c(slot(object.as_ptr(), index));
        }
    }
    if let Some(class) = object.downcast::<Type>() {
        if class.is(&PyType_Type) {
            return generic_alias(class, key);
        }
        if let Some(method) =
            class.getattr_opt(intern!("__class_getitem__"))?.filter(|m| !crate::singletons::is_none(m))
        {
            return method.call(&[key]);
        }
        return Err(raise!(PyExc_TypeError, "type '{}' is not subscriptable", class.message_name()));
    }
    Err(raise!(PyExc_TypeError, "'{}' object is not subscriptable", object.ty().message_name()))
}

fn generic_alias(class: &Type, key: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, key])
}

fn sequence_index(object: &Object, key: &Object) -> PyResult<isize> {
    if !has_index(key) {
        return Err(raise!(
            PyExc_TypeError,
            "sequence index must be integer, not '{}'",
            key.ty().message_name()
        ));
    }
    let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
    // SAFETY: a live type.
    let has_length = unsafe {
        (*object.ty().raw()).tp_as_sequence.as_ref().is_some_and(|table| table.sq_length.is_some())
    };
    Ok(if index < 0 && has_length { index + length(object)?.cast_signed() } else { index })
}

/// Whether an object has `__index__`.
pub fn has_index(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*object.ty().raw()).tp_as_number.as_ref().is_some_and(|table| table.nb_index.is_some()) }
}

/// `object[key] = value`.
///
/// # Errors
/// `TypeError` when items cannot be assigned; what `__setitem__` raises.
pub fn set_item(object: &Object, key: &Object, value: &Object) -> PyResult<()> {
    store(object, key, Some(value), "'{}' object does not support item assignment")
}

/// `del object[key]`.
///
/// # Errors
/// `TypeError` when items cannot be deleted; what `__delitem__` raises.
pub fn delete_item(object: &Object, key: &Object) -> PyResult<()> {
    store(object, key, None, "'{}' object does not support item deletion")
}

fn store(object: &Object, key: &Object, value: Option<&Object>, message: &str) -> PyResult<()> {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        if let Some(slot) = (*ty).tp_as_mapping.as_ref().and_then(|table| table.mp_ass_subscript) {
            return recursive("", || {
                from_c_int(slot(object.as_ptr(), key.as_ptr(), opt_ptr(value)) as isize).map(|_| ())
            });
        }
        if let Some(slot) = (*ty).tp_as_sequence.as_ref().and_then(|table| table.sq_ass_item) {
            let index = sequence_index(object, key)?;
            return from_c_int(slot(object.as_ptr(), index, opt_ptr(value)) as isize).map(|_| ());
        }
    }
    Err(err::type_error(&message.replacen("{}", object.ty().message_name(), 1)))
}

/// Item `index` of a sequence.
///
/// # Errors
/// What the sequence raises.
pub fn sequence_items(object: &Object, index: isize) -> PyResult<Ref> {
    get_item(object, &Int::from_isize(index))
}

/// Whether an object takes positions (`PySequence_Check`).
pub fn is_sequence(object: &Object) -> bool {
    if object.ty().has_flag(Py_TPFLAGS_DICT_SUBCLASS) {
        return false;
    }
    // SAFETY: a live type.
    unsafe { (*object.ty().raw()).tp_as_sequence.as_ref().is_some_and(|table| table.sq_item.is_some()) }
}

/// Whether an object takes keys (`PyMapping_Check`).
pub fn is_mapping(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*object.ty().raw()).tp_as_mapping.as_ref().is_some_and(|table| table.mp_subscript.is_some()) }
}

/// A position for a sequence slot: a negative one counts from the end when the length is known.
unsafe fn sequence_position(object: &Object, index: isize) -> PyResult<isize> {
    // SAFETY: slot contract.
    unsafe {
        let length = (*object.ty().raw()).tp_as_sequence.as_ref().and_then(|table| table.sq_length);
        match length {
            Some(length) if index < 0 => Ok(index + from_c_int(length(object.as_ptr()))?),
            _ => Ok(index),
        }
    }
}

/// What stands at a position (`PySequence_GetItem`).
///
/// # Errors
/// `TypeError` for what is no sequence, what the sequence raises.
pub fn sequence_get(object: &Object, index: isize) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        if let Some(slot) = (*ty).tp_as_sequence.as_ref().and_then(|table| table.sq_item) {
            return from_c(slot(object.as_ptr(), sequence_position(object, index)?));
        }
        Err(not_a_sequence(object, "does not support indexing"))
    }
}

/// Stores or deletes what stands at a position (`PySequence_SetItem`, `PySequence_DelItem`).
///
/// # Errors
/// `TypeError` for what is no sequence, what the sequence raises.
pub fn sequence_store(object: &Object, index: isize, value: Option<&Object>) -> PyResult<()> {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        if let Some(slot) = (*ty).tp_as_sequence.as_ref().and_then(|table| table.sq_ass_item) {
            let index = sequence_position(object, index)?;
            return from_c_int(slot(object.as_ptr(), index, opt_ptr(value)) as isize).map(|_| ());
        }
    }
    Err(not_a_sequence(
        object,
        if value.is_some() { "does not support item assignment" } else { "doesn't support item deletion" },
    ))
}

fn not_a_sequence(object: &Object, lacks: &str) -> PyErr {
    let name = object.ty().message_name();
    // SAFETY: a live type.
    let mapping =
        unsafe { (*object.ty().raw()).tp_as_mapping.as_ref().is_some_and(|t| t.mp_subscript.is_some()) };
    if mapping {
        err::type_error(&format!("{name} is not a sequence"))
    } else {
        err::type_error(&format!("'{name}' object {lacks}"))
    }
}
