//! Deallocation without deep recursion.
//!
//! Problem: releasing the head of a long chain (nested lists, linked instances) would recurse once
//! per link. Idea: each deallocation of a collectable object looks at the stack limit first; close
//! to it the dying object is put on the thread's `delete_later` list instead, and the outermost
//! deallocation that still has room empties the list. Objects that are not collectable cannot form
//! deep chains of themselves.
//!
//! Invariant: an object on the list has a reference count of zero and is not tracked by the
//! collector; the list is linked through the word that held the reference count and flags.

use crate::state;
use taipan_abi::{Py_TPFLAGS_HAVE_GC, PyObject};

/// Deallocates an object whose last reference has been given up.
///
/// # Safety
/// `ptr` points to an object with a reference count of zero.
#[inline(never)]
pub unsafe fn dealloc(ptr: *mut PyObject) {
    // SAFETY: the object is complete until its `tp_dealloc` has run.
    unsafe {
        let ty = (*ptr).ob_type;
        let Some(tp_dealloc) = (*ty).tp_dealloc else { return };
        if (*ty).tp_flags & Py_TPFLAGS_HAVE_GC == 0 {
            tp_dealloc(ptr);
            return;
        }
        let thread = state::current();
        if state::stack_is_low(thread) {
            crate::gc::untrack_ptr(ptr);
            ptr.cast::<usize>().write((*thread).base.delete_later.addr());
            (*thread).base.delete_later = ptr;
            return;
        }
        tp_dealloc(ptr);
        if !(*thread).base.delete_later.is_null() && !(*thread).emptying_delete_later {
            empty_delete_later(thread);
        }
    }
}

/// Deallocates what was put off, now that the stack is shallow again.
#[cold]
unsafe fn empty_delete_later(thread: *mut state::ThreadState) {
    // SAFETY: objects on the list are dead but complete; see the invariant.
    unsafe {
        if state::stack_is_low(thread) {
            return;
        }
        (*thread).emptying_delete_later = true;
        loop {
            let ptr = (*thread).base.delete_later;
            if ptr.is_null() {
                break;
            }
            (*thread).base.delete_later = core::ptr::with_exposed_provenance_mut(ptr.cast::<usize>().read());
            ptr.cast::<usize>().write(0);
            if let Some(tp_dealloc) = (*(*ptr).ob_type).tp_dealloc {
                tp_dealloc(ptr);
            }
        }
        (*thread).emptying_delete_later = false;
    }
}
