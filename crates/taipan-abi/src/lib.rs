//! The binary interface of CPython 3.14 (cp314, x86-64 Linux, with the GIL), as data.
//!
//! Problem: C extensions read and write objects, types and definition tables inline, so their
//! layouts are law. Idea: the layouts stand once, in `data/layouts.tsv`; from that table
//! `generated.rs` holds each struct with compile-time assertions of its size and of the offset of
//! every field. There is no behaviour here.
//!
//! Invariant: mortal objects keep the upper half of the reference count word zero (old stable-ABI
//! wheels count in 64 bits); only immortals carry flags there.

#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case, reason = "CPython's names")]
#![no_std]

mod functions;
#[rustfmt::skip]
mod generated;

pub use core::ffi::{c_char, c_int, c_void};
pub use functions::*;
pub use generated::*;

/// The head of every object (`Include/object.h`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyObject {
    /// Reference count; values of [`IMMORTAL_MINIMUM`] and above never change.
    pub ob_refcnt: u32,
    pub ob_overflow: u16,
    pub ob_flags: u16,
    pub ob_type: *mut PyTypeObject,
}

/// The head of objects with a variable number of items.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyVarObject {
    pub ob_base: PyObject,
    pub ob_size: isize,
}

/// The head of `PyDictObject`; what stands behind `ma_used` is the dict's own business.
#[repr(C)]
pub struct PyDictObject {
    pub ob_base: PyObject,
    pub ma_used: isize,
    pub _ma_watcher_tag: u64,
    pub ma_keys: *mut c_void,
    pub ma_values: *mut c_void,
}
const _: () = assert!(size_of::<PyDictObject>() == 48);

/// Reference counts at and above this value belong to immortal objects.
pub const IMMORTAL_MINIMUM: u32 = 0x8000_0000;
/// Header code increments only below this value.
pub const IMMORTAL_INITIAL: u32 = 0xC000_0000;
/// `ob_flags` of statically allocated immortal objects.
pub const STATIC_IMMORTAL_FLAGS: u16 = 5;
/// `ob_flags` of objects that became immortal at run time.
pub const RUNTIME_IMMORTAL_FLAGS: u16 = 1;

impl PyObject {
    /// The head of a statically allocated immortal object of the given type.
    pub const fn immortal(ob_type: *mut PyTypeObject) -> Self {
        Self { ob_refcnt: IMMORTAL_INITIAL, ob_overflow: 0, ob_flags: STATIC_IMMORTAL_FLAGS, ob_type }
    }
}
