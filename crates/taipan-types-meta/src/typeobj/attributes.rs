//! The computed attributes of classes.

use super::access::immutable;
use super::{annotations, bases};
use taipan_abi::*;
use taipan_object::err::{PyResult, attribute_error, value_error};
use taipan_object::native::{GetSetRow, IntoPy, getset_row};
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, Ref, Type, alloc, descr, intern, raise};

pub(super) static GETSET: &[GetSetRow] = &[
    getset_row(c"__name__", name, c"").with_setter(set_name),
    getset_row(c"__qualname__", qualname, c"").with_setter(set_qualname),
    getset_row(c"__bases__", |ty: &Type| ty.bases().map(Ref::of), c"").with_setter(bases::set_bases),
    getset_row(c"__mro__", |ty: &Type| ty.mro().map(Ref::of), c""),
    getset_row(c"__module__", module_of, c"").with_setter(set_module),
    getset_row(c"__abstractmethods__", abstract_methods, c"").with_setter(set_abstract_methods),
    getset_row(c"__dict__", dict_proxy, c""),
    getset_row(c"__doc__", doc, c"").with_setter(set_doc),
    getset_row(c"__text_signature__", text_signature, c""),
    getset_row(c"__annotations__", annotations::annotations, c"").with_setter(annotations::set_annotations),
    getset_row(c"__annotate__", annotations::annotate, c"").with_setter(annotations::set_annotate),
    getset_row(c"__type_params__", type_params, c"").with_setter(set_type_params),
];

/// Whether a special attribute may be set to `value`: mutable types only, and never deleted.
pub(super) fn check_set<'a>(ty: &Type, value: Option<&'a Object>, name: &str) -> PyResult<&'a Object> {
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(immutable(ty, "set", name));
    }
    value.ok_or_else(|| immutable(ty, "delete", name))
}

fn name(ty: &Type) -> PyResult {
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        // SAFETY: heap types have the field.
        if let Some(name) = unsafe { crate::util::field(&raw mut (*ty.heap()).ht_name) } {
            return Ok(name);
        }
    }
    ty.name().into_py()
}

fn set_name(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__name__")?;
    let Some(name) = value.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only assign string to {}.__name__, not '{}'",
            ty.message_name(),
            value.ty().message_name()
        ));
    };
    let text = name.to_utf8()?;
    if text.contains('\0') {
        return Err(value_error("type name must not contain null characters"));
    }
    let copy = alloc::malloc(text.len() + 1);
    if copy.is_null() {
        return Err(alloc::no_memory());
    }
    // SAFETY: room for text and zero; a mutable type is a heap type that owns its names.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
        let heap = ty.heap();
        let old = core::mem::replace(&mut (*heap)._ht_tpname, copy.cast());
        (*ty.raw()).tp_name = copy.cast();
        alloc::free(old.cast_mut().cast());
        taipan_object::handle::set_field(&raw mut (*heap).ht_name, Some(value.new_ref()));
    }
    Ok(())
}

fn qualname(ty: &Type) -> PyResult {
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        // SAFETY: heap types have the field.
        if let Some(name) = unsafe { crate::util::field(&raw mut (*ty.heap()).ht_qualname) } {
            return Ok(name);
        }
    }
    ty.name().into_py()
}

fn set_qualname(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__qualname__")?;
    if value.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "can only assign string to {}.__qualname__, not '{}'",
            ty.message_name(),
            value.ty().message_name()
        ));
    }
    // SAFETY: a mutable type is a heap type; the field owns its value.
    unsafe {
        taipan_object::handle::set_field(&raw mut (*ty.heap()).ht_qualname, Some(value.new_ref()));
    }
    Ok(())
}

/// `__module__`: from the namespace of a class, from the full name of a native type.
pub(super) fn module_of(ty: &Type) -> PyResult {
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        let found = match ty.dict() {
            Some(dict) => dict.get_str(intern!("__module__"))?,
            None => None,
        };
        return found.ok_or_else(|| attribute_error("__module__"));
    }
    // One object for all types of a module: pickles then name it once.
    let module = ty.full_name().rsplit_once('.').map_or("builtins", |(module, _)| module);
    Ok(unicode::intern(Str::from_utf8(module)?).upcast())
}

fn set_module(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__module__")?;
    store(ty, intern!("__module__"), Some(value))?;
    // The line belonged to the definition in the old module.
    if let Some(dict) = ty.dict().map(Ref::of) {
        dict.remove(intern!("__firstlineno__"))?;
    }
    Ok(())
}

/// Sets or removes an entry of the class's namespace.
pub(super) fn store(ty: &Type, name: &Str, value: Option<&Object>) -> PyResult<()> {
    let Some(dict) = ty.dict().map(Ref::of) else { return Ok(()) };
    match value {
        Some(value) => dict.set_str(name, value)?,
        None => drop(dict.remove(name)?),
    }
    ty.modified();
    Ok(())
}

/// An entry of the class's own namespace.
pub(super) fn own(ty: &Type, name: &Str) -> PyResult<Option<Ref>> {
    match ty.dict().map(Ref::of) {
        Some(dict) => dict.get_str(name),
        None => Ok(None),
    }
}

fn abstract_methods(ty: &Type) -> PyResult {
    let name = intern!("__abstractmethods__");
    // `type` itself has the descriptor in its namespace, not a set of names.
    let found = if ty.is(&PyType_Type) { None } else { own(ty, name)? };
    found.ok_or_else(|| attribute_error("__abstractmethods__"))
}

fn set_abstract_methods(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let name = intern!("__abstractmethods__");
    let is_abstract = match value {
        Some(value) => {
            let truth = value.is_true()?;
            store(ty, name, Some(value))?;
            truth
        }
        None => {
            if own(ty, name)?.is_none() {
                return Err(attribute_error("__abstractmethods__"));
            }
            store(ty, name, None)?;
            false
        }
    };
    // SAFETY: a live type.
    unsafe {
        if is_abstract {
            (*ty.raw()).tp_flags |= Py_TPFLAGS_IS_ABSTRACT;
        } else {
            (*ty.raw()).tp_flags &= !Py_TPFLAGS_IS_ABSTRACT;
        }
    }
    ty.modified();
    Ok(())
}

/// `__dict__`: a read-only view of the namespace.
fn dict_proxy(ty: &Type) -> PyResult {
    match ty.dict() {
        Some(dict) => PyDictProxy_Type.call(&[dict]),
        None => Ok(new_none()),
    }
}

fn c_doc(ty: &Type) -> Option<&str> {
    // SAFETY: null or null-terminated text that lives as long as the type.
    unsafe {
        let doc = (*ty.raw()).tp_doc;
        if doc.is_null() { None } else { core::ffi::CStr::from_ptr(doc).to_str().ok() }
    }
}

fn doc(ty: &Type) -> PyResult {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE)
        && let Some(text) = c_doc(ty)
    {
        return descr::doc_without_signature(ty.name(), text).into_py();
    }
    match own(ty, intern!("__doc__"))? {
        None => Ok(new_none()),
        Some(found) => taipan_object::typeobject::bind_for_class(&found, ty),
    }
}

fn set_doc(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__doc__")?;
    store(ty, intern!("__doc__"), Some(value))
}

fn text_signature(ty: &Type) -> Option<String> {
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) && ty.dict().is_none() {
        return None;
    }
    descr::text_signature(ty.name(), c_doc(ty)?).map(str::to_owned)
}

fn type_params(ty: &Type) -> PyResult {
    let found = if ty.is(&PyType_Type) { None } else { own(ty, intern!("__type_params__"))? };
    Ok(found.unwrap_or_else(|| Tuple::empty().upcast()))
}

fn set_type_params(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__type_params__")?;
    store(ty, intern!("__type_params__"), Some(value))
}
