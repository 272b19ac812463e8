//! `object.__class__`: giving an object another class.
//!
//! That is only sound when instances of both classes have the same memory: the same native base with
//! the same additions, the same places for dict and weak references, the same slots.

use taipan_abi::*;
use taipan_object::err::{PyResult, type_error};
use taipan_object::statics::*;
use taipan_object::{Object, Type, instance, raise, refcount};

/// The setter of `__class__`.
pub(super) fn set_class(object: &Object, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("can't delete __class__ attribute")) };
    let Some(new) = value.downcast::<Type>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__class__ must be set to a class, not '{}' object",
            value.ty().message_name()
        ));
    };
    let old = object.ty();
    let module: &Type = &PyModule_Type;
    let modules = new.is_subtype(module) && old.is_subtype(module);
    let mutable = |ty: &Type| !ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE);
    let both_mutable = mutable(new) && mutable(old);
    if !modules && !both_mutable {
        return Err(type_error(
            "__class__ assignment only supported for mutable types or ModuleType subclasses",
        ));
    }
    can_assign(old, new, "__class__")?;
    move_instance(object, new)
}

/// Changes the class of an object whose memory fits; attributes move into a real dict, since the
/// new class keeps other names inline.
fn move_instance(object: &Object, new: &Type) -> PyResult<()> {
    let old = object.ty();
    if old.is(new) {
        return Ok(());
    }
    if old.has_flag(Py_TPFLAGS_INLINE_VALUES) {
        instance::unshare_dict(object)?;
    }
    let old_ptr = old.as_ptr();
    // SAFETY: instances hold a reference to heap types; the new type's layout was checked.
    unsafe {
        if new.has_flag(Py_TPFLAGS_HEAPTYPE) {
            refcount::incref(new.as_ptr());
        }
        let old_is_heap = old.has_flag(Py_TPFLAGS_HEAPTYPE);
        (*object.as_ptr()).ob_type = new.raw();
        if old_is_heap {
            refcount::decref(old_ptr);
        }
    }
    Ok(())
}

/// Whether instances of `old` can become instances of `new`; `what` is named in the refusal.
pub(crate) fn can_assign(old: &Type, new: &Type, what: &str) -> PyResult<()> {
    // SAFETY: live types; function addresses are compared as C code compares them.
    let same_dealloc = unsafe {
        let address = |ty: &Type| (*ty.raw()).tp_dealloc.map(|f| f as usize);
        address(new) == address(old)
    };
    // A module is given up the same way in its subclasses, which only add what every class adds.
    let module: &Type = &PyModule_Type;
    let modules = old.is_subtype(module) && new.is_subtype(module);
    if !same_dealloc && !modules {
        return Err(raise!(
            PyExc_TypeError,
            "{what} assignment: '{}' deallocator differs from '{}'",
            new.message_name(),
            old.message_name()
        ));
    }
    if !same_layout(old, new) {
        return Err(raise!(
            PyExc_TypeError,
            "{what} assignment: '{}' object layout differs from '{}'",
            new.message_name(),
            old.message_name()
        ));
    }
    Ok(())
}

fn same_layout(old: &Type, new: &Type) -> bool {
    const PLACES: u64 = Py_TPFLAGS_INLINE_VALUES | Py_TPFLAGS_PREHEADER | Py_TPFLAGS_HAVE_GC;
    if old.flags() & PLACES != new.flags() & PLACES {
        return false;
    }
    let (mut a, mut b) = (new, old);
    // Classes that add nothing are passed over.
    while adds_nothing(a) {
        let Some(base) = a.base() else { break };
        a = base;
    }
    while adds_nothing(b) {
        let Some(base) = b.base() else { break };
        b = base;
    }
    if a.is(b) {
        return true;
    }
    let same_base = match (a.base(), b.base()) {
        (Some(x), Some(y)) => x.is(y),
        _ => false,
    };
    same_base && same_additions(a, b)
}

/// Whether instances of a class have the same memory as those of its base.
fn adds_nothing(ty: &Type) -> bool {
    let Some(base) = ty.base() else { return false };
    // SAFETY: live types.
    unsafe {
        let (t, b) = (ty.raw(), base.raw());
        const PLACES: u64 = Py_TPFLAGS_INLINE_VALUES | Py_TPFLAGS_PREHEADER;
        (*t).tp_basicsize == (*b).tp_basicsize
            && (*t).tp_itemsize == (*b).tp_itemsize
            && (*t).tp_dictoffset == (*b).tp_dictoffset
            && (*t).tp_weaklistoffset == (*b).tp_weaklistoffset
            && ty.flags() & PLACES == base.flags() & PLACES
            && ty.flags() & Py_TPFLAGS_HAVE_GC == base.flags() & Py_TPFLAGS_HAVE_GC
            && ((*t).tp_dealloc.map(|f| f as usize) == (*b).tp_dealloc.map(|f| f as usize)
                || ty.has_flag(Py_TPFLAGS_HEAPTYPE) && (*t).tp_members.is_null())
    }
}

/// Whether two classes with the same base add the same slots, dict and weak references to it.
fn same_additions(a: &Type, b: &Type) -> bool {
    // SAFETY: live types; member definitions of classes end with a null name.
    unsafe {
        let (x, y) = (a.raw(), b.raw());
        if (*x).tp_basicsize != (*y).tp_basicsize
            || (*x).tp_itemsize != (*y).tp_itemsize
            || (*x).tp_dictoffset != (*y).tp_dictoffset
            || (*x).tp_weaklistoffset != (*y).tp_weaklistoffset
            || !a.has_flag(Py_TPFLAGS_HEAPTYPE)
            || !b.has_flag(Py_TPFLAGS_HEAPTYPE)
        {
            return false;
        }
        slot_names(a) == slot_names(b)
    }
}

fn slot_names(ty: &Type) -> Vec<(Vec<u8>, isize)> {
    let mut names = Vec::new();
    // SAFETY: definitions end with a null name.
    unsafe {
        let mut def = (*ty.raw()).tp_members;
        while !def.is_null() && !(*def).name.is_null() {
            names.push((core::ffi::CStr::from_ptr((*def).name).to_bytes().to_vec(), (*def).offset));
            def = def.add(1);
        }
    }
    names
}
