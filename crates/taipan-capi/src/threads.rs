//! `pythread.h`, `pytss.h`: values that belong to threads.
//!
//! A key is a number; each thread keeps the values of its keys in a table of its own, so that these
//! functions work with and without the interpreter lock.

use crate::border::export_plain;
use core::cell::RefCell;
use core::ffi::{c_int, c_ulong, c_void};
use core::sync::atomic::{AtomicI32, Ordering};
use std::collections::HashMap;

static NEXT_KEY: AtomicI32 = AtomicI32::new(1);

thread_local! {
    static VALUES: RefCell<HashMap<c_int, *mut c_void>> = RefCell::new(HashMap::new());
}

/// `Py_tss_t`: whether there is a key, and which.
#[repr(C)]
pub struct PyTss {
    initialized: c_int,
    key: c_int,
}

fn get(key: c_int) -> *mut c_void {
    VALUES.with_borrow(|values| values.get(&key).copied().unwrap_or(core::ptr::null_mut()))
}

fn set(key: c_int, value: *mut c_void) -> c_int {
    VALUES.with_borrow_mut(|values| values.insert(key, value));
    0
}

fn forget(key: c_int) {
    VALUES.with_borrow_mut(|values| values.remove(&key));
}

export_plain! {
    fn PyThread_tss_alloc() -> *mut PyTss {
        Box::into_raw(Box::new(PyTss { initialized: 0, key: 0 }))
    }

    fn PyThread_tss_free(key: *mut PyTss) {
        if !key.is_null() {
            PyThread_tss_delete(key);
            drop(Box::from_raw(key));
        }
    }

    fn PyThread_tss_is_created(key: *mut PyTss) -> c_int {
        c_int::from((*key).initialized != 0)
    }

    fn PyThread_tss_create(key: *mut PyTss) -> c_int {
        if (*key).initialized == 0 {
            (*key).key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
            (*key).initialized = 1;
        }
        0
    }

    fn PyThread_tss_delete(key: *mut PyTss) {
        if (*key).initialized != 0 {
            forget((*key).key);
            (*key).initialized = 0;
        }
    }

    fn PyThread_tss_set(key: *mut PyTss, value: *mut c_void) -> c_int {
        set((*key).key, value)
    }

    fn PyThread_tss_get(key: *mut PyTss) -> *mut c_void {
        get((*key).key)
    }

    fn PyThread_create_key() -> c_int {
        NEXT_KEY.fetch_add(1, Ordering::Relaxed)
    }

    fn PyThread_delete_key(key: c_int) {
        forget(key);
    }

    fn PyThread_set_key_value(key: c_int, value: *mut c_void) -> c_int {
        // As with the old function, a value that is set stays.
        if get(key).is_null() { set(key, value) } else { 0 }
    }

    fn PyThread_get_key_value(key: c_int) -> *mut c_void {
        get(key)
    }

    fn PyThread_delete_key_value(key: c_int) {
        forget(key);
    }

    fn PyThread_ReInitTLS() {}

    fn PyThread_init_thread() {}

    fn PyThread_get_thread_native_id() -> c_ulong {
        taipan_os::signals::native_thread_id().cast_unsigned()
    }

    fn Py_PACK_FULL_VERSION(major: c_int, minor: c_int, micro: c_int, level: c_int, serial: c_int) -> u32 {
        let part = |value: c_int, mask: u32, shift: u32| (value.cast_unsigned() & mask) << shift;
        part(major, 0xff, 24) | part(minor, 0xff, 16) | part(micro, 0xff, 8) | part(level, 0xf, 4) | part(serial, 0xf, 0)
    }

    fn Py_PACK_VERSION(major: c_int, minor: c_int) -> u32 {
        Py_PACK_FULL_VERSION(major, minor, 0, 0, 0)
    }
}
