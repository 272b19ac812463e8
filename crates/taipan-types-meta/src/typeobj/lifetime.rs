//! The end of classes. Native types never end; the collector passes them over.

use core::ffi::{c_int, c_void};
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::handle::clear_field;
use taipan_object::{Object, Ref, Type, alloc, gc, instance, weakref};

/// `tp_is_gc`: only classes made at run time have a collector header.
pub(super) unsafe extern "C" fn is_gc(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live type.
    unsafe { c_int::from(Object::borrow(ptr).cast::<Type>().has_flag(Py_TPFLAGS_HEAPTYPE)) }
}

/// `tp_dealloc`.
pub(super) unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract, and a heap type: static types are immortal.
    unsafe {
        let ty: &Type = Object::borrow(ptr).cast();
        if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
            return;
        }
        gc::untrack_ptr(ptr);
        leave_bases(ty);
        weakref::clear_on_dealloc(ty);
        let raw = ty.raw();
        let heap = ty.heap();
        clear_field(&raw mut (*raw).tp_base);
        clear_field(&raw mut (*raw).tp_dict);
        clear_field(&raw mut (*raw).tp_bases);
        clear_field(&raw mut (*raw).tp_mro);
        clear_field(&raw mut (*raw).tp_cache);
        alloc::free((*raw).tp_doc.cast_mut().cast());
        instance::free_shared_names(ty);
        clear_field(&raw mut (*heap).ht_slots);
        clear_field(&raw mut (*heap).ht_qualname);
        clear_field(&raw mut (*heap).ht_module);
        clear_field(&raw mut (*heap).ht_name);
        alloc::free((*heap)._ht_tpname.cast_mut().cast());
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

/// Takes the class from the lists of subclasses that its bases keep.
fn leave_bases(ty: &Type) {
    if let Some(bases) = ty.bases().map(Ref::of) {
        for base in bases.items() {
            if let Some(base) = base.downcast::<Type>() {
                base.remove_subclass(ty);
            }
        }
    }
}

/// `tp_traverse`.
pub(super) unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live heap type; fields are null or objects.
    unsafe {
        let ty: &Type = Object::borrow(ptr).cast();
        if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
            return 0;
        }
        let raw = ty.raw();
        instance::visit_all(
            &[
                (*raw).tp_dict,
                (*raw).tp_cache,
                (*raw).tp_mro,
                (*raw).tp_bases,
                (*raw).tp_base.cast(),
                (*ty.heap()).ht_module,
            ],
            visit,
            arg,
        )
    }
}

/// `tp_clear`: breaks the cycles through namespace and resolution order. Base and bases stay, as
/// deallocating instances needs them.
pub(super) unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live heap type.
    unsafe {
        let ty: &Type = Object::borrow(ptr).cast();
        ty.modified();
        if let Some(dict) = ty.dict() {
            Ref::<Dict>::of(dict).clear();
        }
        clear_field(&raw mut (*ty.heap()).ht_module);
        clear_field(&raw mut (*ty.raw()).tp_mro);
    }
    0
}
