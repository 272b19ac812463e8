//! `__annotations__` and `__annotate__` of classes (PEP 649): evaluated when first asked for.
//!
//! The compiler leaves the function that computes the annotations in the namespace as
//! `__annotate_func__`; its result is kept there as `__annotations_cache__`.

use super::access::immutable;
use super::attributes::{own, store};
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, attribute_error, type_error};
use taipan_object::instance::attribute_error_with;
use taipan_object::int::Int;
use taipan_object::singletons::{is_none, new_none, none};
use taipan_object::statics::*;
use taipan_object::typeobject::bind_for_class;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern, raise};

fn missing(ty: &Type, name: &str) -> PyErr {
    attribute_error_with(ty, name, &format!("type object '{}' has no attribute '{name}'", ty.message_name()))
}

/// The getter of `__annotate__`.
pub(super) fn annotate(ty: &Type) -> PyResult {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        return Err(missing(ty, "__annotate__"));
    }
    // A class body may define the function itself.
    let found = match own(ty, intern!("__annotate__"))? {
        Some(found) => Some(found),
        None => own(ty, intern!("__annotate_func__"))?,
    };
    match found {
        Some(found) => bind_for_class(&found, ty),
        None => {
            store(ty, intern!("__annotate_func__"), Some(none()))?;
            Ok(new_none())
        }
    }
}

/// The setter of `__annotate__`.
pub(super) fn set_annotate(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("cannot delete __annotate__ attribute")) };
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(immutable(ty, "set", "__annotate__"));
    }
    if !is_none(value) && !value.is_callable() {
        return Err(type_error("__annotate__ must be callable or None"));
    }
    store(ty, intern!("__annotate_func__"), Some(value))?;
    if !is_none(value) {
        store(ty, intern!("__annotations_cache__"), None)?;
    }
    Ok(())
}

/// The getter of `__annotations__`.
pub(super) fn annotations(ty: &Type) -> PyResult {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        return Err(missing(ty, "__annotations__"));
    }
    let known = match own(ty, intern!("__annotations__"))? {
        Some(found) => Some(found),
        None => own(ty, intern!("__annotations_cache__"))?,
    };
    if let Some(found) = known {
        return bind_for_class(&found, ty);
    }
    let function = ty.getattr(intern!("__annotate__"))?;
    let made = if function.is_callable() {
        call_annotate(&function, "__annotate__ returned non-dict of type")?
    } else {
        Dict::new()?
    };
    store(ty, intern!("__annotations_cache__"), Some(&*made))?;
    Ok(made.upcast())
}

/// What an annotate function gives for the format VALUE.
pub(crate) fn call_annotate(function: &Object, refusal: &str) -> PyResult<Ref<Dict>> {
    let made = function.call(&[&Int::from_i64(1)])?;
    made.downcast_owned::<Dict>()
        .map_err(|other| raise!(PyExc_TypeError, "{refusal} '{}'", other.ty().message_name()))
}

/// The setter of `__annotations__`.
pub(super) fn set_annotations(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(immutable(ty, if value.is_some() { "set" } else { "delete" }, "__annotations__"));
    }
    let (plain, cache): (&Str, &Str) = (intern!("__annotations__"), intern!("__annotations_cache__"));
    let has_plain = own(ty, plain)?.is_some();
    match value {
        Some(value) => store(ty, if has_plain { plain } else { cache }, Some(value))?,
        None if has_plain => store(ty, plain, None)?,
        None if own(ty, cache)?.is_some() => store(ty, cache, None)?,
        None => return Err(attribute_error("__annotations__")),
    }
    // The function no longer tells what the annotations are.
    store(ty, intern!("__annotate_func__"), None)?;
    store(ty, intern!("__annotate__"), None)
}
