//! Attributes of classes: `type.__getattribute__` and `type.__setattr__`.
//!
//! A class is an instance of its metatype, so data descriptors of the metatype come first; then the
//! attributes of the class and its bases, bound as class attributes; then the rest of the metatype.

use taipan_abi::*;
use taipan_object::err::{PyErr, PyResult};
use taipan_object::instance::{attribute_error_with, bind_descriptor, gives_values, is_data_descriptor};
use taipan_object::native::{from_c_int, opt_ptr, ret};
use taipan_object::statics::*;
use taipan_object::typeobject::{self, bind_for_class};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, raise, unicode};

fn name_str(name: &Object) -> PyResult<&Str> {
    name.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "attribute name must be string, not '{}'", name.ty().message_name())
    })
}

#[cold]
fn missing(ty: &Type, name: &Str) -> PyErr {
    let name = name.to_lossy();
    attribute_error_with(ty, &name, &format!("type object '{}' has no attribute '{name}'", ty.message_name()))
}

fn find(ty: &Type, name: &Str) -> PyResult<Option<Ref>> {
    let metatype = ty.ty();
    let meta = metatype.lookup(name);
    if let Some(descr) = &meta
        && is_data_descriptor(descr)
        && gives_values(descr)
    {
        // SAFETY: a live type.
        let has_get = unsafe { (*descr.ty().raw()).tp_descr_get.is_some() };
        if has_get {
            return bind_descriptor(descr, ty, metatype).map(Some);
        }
    }
    if let Some(found) = ty.lookup(name) {
        return bind_for_class(&found, ty).map(Some);
    }
    match meta {
        Some(descr) => bind_descriptor(&descr, ty, metatype).map(Some),
        None => Ok(None),
    }
}

/// `tp_getattro` of `type`.
///
/// # Safety
/// As every `tp_getattro`, for a type.
pub(super) unsafe extern "C" fn type_getattro(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot contract.
    let (ty, name): (&Type, &Object) = unsafe { (Object::borrow(object).cast(), Object::borrow(name)) };
    let get = || -> PyResult {
        let name = name_str(name)?;
        find(ty, name)?.ok_or_else(|| missing(ty, name))
    };
    ret(get())
}

/// The refusal to change a native type.
pub(super) fn immutable(ty: &Type, verb: &str, name: &str) -> PyErr {
    raise!(PyExc_TypeError, "cannot {verb} '{name}' attribute of immutable type '{}'", ty.message_name())
}

/// `type.__setattr__` and `type.__delattr__`.
pub(super) fn setattr(ty: &Type, name: &Object, value: Option<&Object>) -> PyResult<()> {
    let name = name_str(name)?;
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(immutable(ty, "set", &name.to_lossy()));
    }
    let name = if name.is_exact(&PyUnicode_Type) {
        unicode::intern(Ref::of(name))
    } else {
        unicode::intern(Str::from_chars(name.chars())?)
    };
    if let Some(descr) = ty.ty().lookup(&name) {
        // SAFETY: slot contract.
        unsafe {
            if let Some(set) = (*descr.ty().raw()).tp_descr_set {
                return from_c_int(set(descr.as_ptr(), ty.as_ptr(), opt_ptr(value)) as isize).map(drop);
            }
        }
    }
    let Some(dict) = ty.dict().map(Ref::of) else { return Err(missing(ty, &name)) };
    // The old value is released last, when the class is consistent again.
    let old = dict.get_str(&name)?;
    match value {
        Some(value) => dict.set_str(&name, value)?,
        None if old.is_none() => return Err(missing(ty, &name)),
        None => drop(dict.remove(&name)?),
    }
    ty.modified();
    if is_special(&name) {
        typeobject::update_slot(ty, &name);
    }
    drop(old);
    Ok(())
}

/// Whether a name is `__like_this__`.
fn is_special(name: &Str) -> bool {
    name.as_ascii().is_some_and(|text| text.len() > 4 && text.starts_with("__") && text.ends_with("__"))
}
