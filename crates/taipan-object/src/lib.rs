//! Objects: handles, reference counts, memory, the cycle collector, the type machinery, protocols,
//! exceptions in Rust, thread and interpreter state, and the bare bones of the core types.
//!
//! What Python sees of the builtin types (methods, operators, messages) is in the `taipan-types-*`
//! crates; this crate only knows their layouts and what every room needs of them.
//!
//! This is an unsafe district: the raw layer of C structs ends here, and handles begin.

#![allow(non_upper_case_globals, reason = "slot numbers and flags keep CPython's names, also in patterns")]

pub mod alloc;
pub mod buffer;
pub mod bytes;
pub mod callable;
pub mod dealloc;
pub mod descr;
pub mod dict;
pub mod err;
pub mod float;
pub mod gc;
pub mod gil;
pub mod handle;
pub mod hooks;
pub mod instance;
pub mod int;
pub mod intern;
pub mod iters;
pub mod list;
pub mod module;
pub mod monitoring;
pub mod native;
pub mod protocol;
pub mod refcount;
pub mod region;
pub mod singletons;
pub mod slice;
pub mod state;
pub mod statics;
pub mod structseq;
pub mod system;
pub mod threads;
pub mod tuple;
pub mod typeobject;
pub mod unicode;
pub mod weakref;

pub use err::{PyErr, PyResult};
pub use handle::{Layout, Object, Ref, Type};
pub use native::TypeSpec;

/// The C structs and constants, for macros of this crate.
pub use taipan_abi as abi;
