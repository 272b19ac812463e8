//! How native code is declared to Python: slots, methods, arguments, payloads.
//!
//! Problem: a type or a module is a bundle of functions that C calls by its own conventions; each
//! would need hand-written translation. Idea: everything is declared in plain tables of Rust
//! functions that take handles and return [`PyResult`]; `const` functions turn a Rust function into
//! the C function of a slot, and [`methods!`](crate::methods) makes `PyMethodDef` rows whose Python
//! signature is written once and yields parser, `__text_signature__` and documentation.
//!
//! This module is one of the two places (the other is the C API) where results become "null and an
//! error indicator" and back.

mod args;
mod convert;
mod derived;
pub mod entry;
mod fields;
mod memory;
mod payload;
mod rows;
mod slots;

pub use args::{Args, CallArgs, Signature};
pub use convert::{IntoPy, from_c, from_c_int, from_c_opt, opt_ptr, ret, ret_int, ret_len};
pub use derived::{Called, CalledPayload, Derived, DerivedPayload};
pub use entry::Signed;
pub use fields::{Field, GC, GC_BASE, Held, add_type, make_ready, type_init};
pub use memory::{Items, Memory, bf_forward, bf_forward_bytes, bf_items, bf_memory};
pub use payload::{Native, Payload, Visitor, native_new};
pub use rows::{Member, MethodRow, getset_row, method_row, read_only};
pub use slots::*;

use crate::statics::StaticType;
use core::ffi::CStr;
use taipan_abi::{PyGetSetDef, PyMemberDef, PyMethodDef};

/// Everything that makes a static type useful, in one table.
pub struct TypeSpec {
    pub ty: &'static StaticType,
    /// The documentation, with the signature in front as CPython has it; null-terminated.
    pub doc: Option<&'static CStr>,
    pub slots: &'static [Slot],
    pub methods: &'static [MethodRow],
    pub getset: &'static [GetSetRow],
    pub members: &'static [Member],
}

impl TypeSpec {
    /// A spec with only slots; the other tables are given with struct update syntax.
    pub const fn new(ty: &'static StaticType) -> Self {
        Self { ty, doc: None, slots: &[], methods: &[], getset: &[], members: &[] }
    }
}

/// A `PyGetSetDef` in a static table.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct GetSetRow(pub PyGetSetDef);
// SAFETY: rows are never written.
unsafe impl Sync for GetSetRow {}

impl GetSetRow {
    /// The row as C sees it.
    pub fn raw(&'static self) -> *mut PyGetSetDef {
        core::ptr::from_ref(&self.0).cast_mut()
    }
}

/// The row as C sees it.
pub fn method_ptr(row: &'static MethodRow) -> *mut PyMethodDef {
    core::ptr::from_ref(&row.0).cast_mut()
}

/// The row as C sees it.
pub fn member_ptr(row: &'static Member) -> *mut PyMemberDef {
    core::ptr::from_ref(&row.0).cast_mut()
}
