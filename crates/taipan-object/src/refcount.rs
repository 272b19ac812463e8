//! Reference counts: the one choke point through which every count of Taipan passes.
//!
//! Invariants (ABI.md, "Reference counting, exactly"): a count at or above the immortal mark never
//! changes; a mortal object keeps the upper half of its word zero.

use crate::{dealloc, handle::Object};
use taipan_abi::{IMMORTAL_INITIAL, PyObject, RUNTIME_IMMORTAL_FLAGS};

/// Adds a reference.
///
/// # Safety
/// `ptr` points to a live object and the current thread holds the interpreter lock.
#[inline(always)]
pub unsafe fn incref(ptr: *mut PyObject) {
    // SAFETY: live by contract.
    unsafe {
        let count = (*ptr).ob_refcnt;
        if count < IMMORTAL_INITIAL {
            (*ptr).ob_refcnt = count + 1;
        }
    }
}

/// Gives up a reference; the object is deallocated with its last one, which can run Python code.
///
/// # Safety
/// `ptr` points to a live object of which the caller owns a reference.
#[inline(always)]
pub unsafe fn decref(ptr: *mut PyObject) {
    // SAFETY: live by contract; the reference is the caller's to give.
    unsafe {
        let count = (*ptr).ob_refcnt;
        if count.cast_signed() < 0 {
            return;
        }
        (*ptr).ob_refcnt = count - 1;
        if count == 1 {
            dealloc::dealloc(ptr);
        }
    }
}

/// [`decref`] that accepts null.
///
/// # Safety
/// As [`decref`] when `ptr` is not null.
#[inline(always)]
pub unsafe fn xdecref(ptr: *mut PyObject) {
    if !ptr.is_null() {
        // SAFETY: forwarded contract.
        unsafe { decref(ptr) }
    }
}

/// [`incref`] that accepts null.
///
/// # Safety
/// As [`incref`] when `ptr` is not null.
#[inline(always)]
pub unsafe fn xincref(ptr: *mut PyObject) {
    if !ptr.is_null() {
        // SAFETY: forwarded contract.
        unsafe { incref(ptr) }
    }
}

/// Whether the object is never deallocated.
#[inline(always)]
pub fn is_immortal(object: &Object) -> bool {
    object.refcount().cast_signed() < 0
}

/// Makes the object immortal from now on.
pub fn make_immortal(object: &Object) {
    if !is_immortal(object) {
        // SAFETY: the object is alive; its count is ours to set under the lock.
        unsafe {
            let head = object.as_ptr();
            (*head).ob_refcnt = IMMORTAL_INITIAL;
            (*head).ob_flags = RUNTIME_IMMORTAL_FLAGS;
        }
    }
}
