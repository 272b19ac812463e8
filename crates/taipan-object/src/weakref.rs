//! Weak references: the lists that objects keep of them, and how they die.
//!
//! A weak reference stands on the doubly linked list of its referent. Plain references without a
//! callback are shared: at most one `ref` and one proxy of that kind exist, at the front of the
//! list. When the referent dies every reference on the list is cleared first, and only then are the
//! callbacks called, so no callback can bring the referent back.

use crate::alloc;
use crate::err::{self, PyResult};
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::layout;
use crate::raise;
use crate::statics::*;
use core::ptr::null_mut;
use taipan_abi::*;

layout!(
    /// A weak reference or a proxy.
    WeakRef, PyWeakReference, "weakref.ReferenceType",
    |o| o.ty().is_subtype(&_PyWeakref_RefType) || o.is_exact(&_PyWeakref_ProxyType) || o.is_exact(&_PyWeakref_CallableProxyType)
);

/// The place of an object's list of weak references; null if its type has none.
pub fn list_of(object: &Object) -> *mut *mut PyWeakReference {
    let ty = object.ty();
    // SAFETY: the offset or the header belongs to every instance of the type.
    unsafe {
        if ty.has_flag(Py_TPFLAGS_MANAGED_WEAKREF) {
            return object.as_ptr().cast::<*mut PyWeakReference>().sub(4);
        }
        let offset = (*ty.raw()).tp_weaklistoffset;
        if offset <= 0 {
            return null_mut();
        }
        object.as_ptr().cast::<u8>().add(offset as usize).cast()
    }
}

/// The referent of a weak reference, if it is alive.
pub fn referent(reference: &WeakRef) -> Option<Ref> {
    // SAFETY: cleared to None when the referent dies; a count of zero means that it is dying.
    unsafe {
        let target = Object::borrow_opt((*reference.raw()).wr_object)?;
        if crate::singletons::is_none(target) || target.refcount() == 0 {
            return None;
        }
        Some(target.new_ref())
    }
}

/// A weak reference of type `ty` to `object`; an existing one where that makes no difference.
///
/// # Errors
/// `TypeError` when the object cannot be weakly referenced, `MemoryError`.
pub fn new(ty: &Type, object: &Object, callback: Option<&Object>) -> PyResult<Ref<WeakRef>> {
    let list = list_of(object);
    if list.is_null() {
        return Err(raise!(
            PyExc_TypeError,
            "cannot create weak reference to '{}' object",
            object.ty().message_name()
        ));
    }
    let shared = callback.is_none() && !ty.has_flag(Py_TPFLAGS_HEAPTYPE);
    if shared && let Some(found) = find_shared(list, ty) {
        return Ok(found);
    }
    let reference = alloc::alloc_object(ty, 0)?;
    // SAFETY: fresh memory of this layout; the list belongs to the live object.
    unsafe {
        let raw = reference.raw_as::<PyWeakReference>();
        (*raw).wr_object = object.as_ptr();
        (*raw).wr_callback = crate::handle::into_ptr_opt(callback.map(Object::new_ref));
        (*raw).hash = -1;
        (*raw).vectorcall = Some(call_reference);
        insert(list, raw, shared);
        gc::track(&reference);
        Ok(reference.cast_owned())
    }
}

fn find_shared(list: *mut *mut PyWeakReference, ty: &Type) -> Option<Ref<WeakRef>> {
    // SAFETY: the list is well formed; dying references are skipped.
    unsafe {
        let mut node = *list;
        while !node.is_null() && (*node).wr_callback.is_null() {
            if (*node).ob_base.ob_type == ty.raw() && (*node).ob_base.ob_refcnt > 0 {
                return Some(Ref::of(Object::borrow(node.cast()).cast()));
            }
            node = (*node).wr_next;
        }
    }
    None
}

/// Shared references go to the front, all others behind them.
unsafe fn insert(list: *mut *mut PyWeakReference, node: *mut PyWeakReference, shared: bool) {
    // SAFETY: the list is well formed and `node` is on none.
    unsafe {
        let mut before: *mut PyWeakReference = null_mut();
        if !shared {
            let mut current = *list;
            while !current.is_null()
                && (*current).wr_callback.is_null()
                && Object::borrow(current.cast()).ty().flags() & Py_TPFLAGS_HEAPTYPE == 0
            {
                before = current;
                current = (*current).wr_next;
            }
        }
        if before.is_null() {
            (*node).wr_prev = null_mut();
            (*node).wr_next = *list;
            if !(*list).is_null() {
                (**list).wr_prev = node;
            }
            *list = node;
        } else {
            (*node).wr_prev = before;
            (*node).wr_next = (*before).wr_next;
            if !(*before).wr_next.is_null() {
                (*(*before).wr_next).wr_prev = node;
            }
            (*before).wr_next = node;
        }
    }
}

/// Calling a reference gives its referent or `None`.
unsafe extern "C" fn call_reference(
    callable: *mut PyObject,
    _: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let given = crate::callable::vectorcall_count(nargsf);
        if given != 0 || !kwnames.is_null() {
            return crate::native::ret(Err::<Ref, _>(raise!(
                PyExc_TypeError,
                "weakref expected 0 arguments, got {given}"
            )));
        }
        crate::native::ret(referent(Object::borrow(callable).cast()))
    }
}

/// Takes a reference from its referent's list and forgets the referent; gives the callback back.
fn detach(reference: &WeakRef) -> Option<Ref> {
    let raw = reference.raw();
    // SAFETY: a live reference; its referent's memory is still there while it is on the list.
    unsafe {
        let target = Object::borrow_opt((*raw).wr_object);
        if let Some(target) = target.filter(|target| !crate::singletons::is_none(target)) {
            let list = list_of(target);
            if !list.is_null() && *list == raw {
                *list = (*raw).wr_next;
            }
            if !(*raw).wr_prev.is_null() {
                (*(*raw).wr_prev).wr_next = (*raw).wr_next;
            }
            if !(*raw).wr_next.is_null() {
                (*(*raw).wr_next).wr_prev = (*raw).wr_prev;
            }
            (*raw).wr_prev = null_mut();
            (*raw).wr_next = null_mut();
            (*raw).wr_object = crate::singletons::none().as_ptr();
        }
        let callback = core::mem::replace(&mut (*raw).wr_callback, null_mut());
        if callback.is_null() { None } else { Some(Ref::steal(callback)) }
    }
}

/// Clears every weak reference to a dying object, then calls their callbacks.
pub fn clear_on_dealloc(object: &Object) {
    let list = list_of(object);
    // SAFETY: the list belongs to the object.
    unsafe {
        if list.is_null() || (*list).is_null() {
            return;
        }
        let pending = err::fetch_opt();
        let mut calls: Vec<(Ref, Ref)> = Vec::new();
        while !(*list).is_null() {
            let reference: &WeakRef = Object::borrow((*list).cast()).cast();
            // A reference that is dying itself must not be handed to its callback.
            let held = if reference.refcount() > 0 { Some(reference.new_ref()) } else { None };
            if let (Some(callback), Some(held)) = (detach(reference), held) {
                calls.push((held, callback));
            }
        }
        call_callbacks(calls);
        if let Some(error) = pending {
            err::restore(error);
        }
    }
}

/// Whether there are weak references to an object.
pub fn has_references(object: &Object) -> bool {
    let list = list_of(object);
    // SAFETY: the list belongs to the live object.
    !list.is_null() && unsafe { !(*list).is_null() }
}

/// The same for garbage that the collector is about to clear: references that are garbage
/// themselves lose their callbacks, the others are called.
pub fn clear_for_garbage(garbage: &[Ref]) {
    let unreachable: std::collections::HashSet<*mut PyObject> =
        garbage.iter().map(|object| object.as_ptr()).collect();
    let mut calls: Vec<(Ref, Ref)> = Vec::new();
    for object in garbage {
        let list = list_of(object);
        // SAFETY: the list belongs to the live object.
        unsafe {
            while !list.is_null() && !(*list).is_null() {
                let reference: &WeakRef = Object::borrow((*list).cast()).cast();
                let held = reference.new_ref();
                if let Some(callback) = detach(reference)
                    && !unreachable.contains(&held.as_ptr())
                {
                    calls.push((held, callback));
                }
            }
        }
    }
    call_callbacks(calls);
}

/// Clears the references that finalisers have made to garbage meanwhile. Nothing is called; the callbacks go
/// when the result does.
pub fn clear_quietly(garbage: &[Ref]) -> Vec<Ref> {
    let mut callbacks = Vec::new();
    for object in garbage {
        let list = list_of(object);
        // SAFETY: the list belongs to the live object.
        unsafe {
            while !list.is_null() && !(*list).is_null() {
                let reference: &WeakRef = Object::borrow((*list).cast()).cast();
                callbacks.extend(detach(reference));
            }
        }
    }
    callbacks
}

fn call_callbacks(calls: Vec<(Ref, Ref)>) {
    for (reference, callback) in calls {
        if let Err(error) = callback.call(&[&reference]) {
            err::write_unraisable_at(error, "Exception ignored while calling weakref callback", &callback);
        }
    }
}

/// `tp_dealloc` of weak references.
///
/// # Safety
/// As every `tp_dealloc`.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let object = Object::borrow(ptr);
        drop(detach(object.cast()));
        if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

/// `tp_traverse` of weak references: only the callback is owned.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live reference.
    unsafe { crate::instance::visit_all(&[(*ptr.cast::<PyWeakReference>()).wr_callback], visit, arg) }
}

/// `tp_clear` of weak references.
///
/// # Safety
/// As every `tp_clear`.
pub unsafe extern "C" fn tp_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live reference.
    drop(detach(unsafe { Object::borrow(ptr).cast() }));
    0
}

/// The number of weak references to an object.
pub fn count(object: &Object) -> usize {
    all(object).len()
}

/// The weak references to an object.
pub fn all(object: &Object) -> Vec<Ref> {
    let list = list_of(object);
    let mut found = Vec::new();
    // SAFETY: a well-formed list; dying references are skipped.
    unsafe {
        if !list.is_null() {
            let mut node = *list;
            while !node.is_null() {
                if (*node).ob_base.ob_refcnt > 0 {
                    found.push(Object::borrow(node.cast()).new_ref());
                }
                node = (*node).wr_next;
            }
        }
    }
    found
}
