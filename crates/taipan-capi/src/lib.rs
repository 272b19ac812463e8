//! The C API: the functions that extension modules made for CPython 3.14 link to.
//!
//! Each module here stands for a header of CPython or a family of functions in it. The functions hold no
//! logic of their own: they turn pointers into handles, call what the rooms below offer, and turn the
//! result into C's form, all through [`border`]. The type objects, singletons and exceptions that C links
//! to as data stand in `taipan_object::statics`.
//!
//! This is an unsafe district: every exported function trusts its C caller as the API documents it.

#![allow(non_snake_case, non_upper_case_globals, reason = "exported names are CPython's")]

mod abstract_;
mod border;
mod bytesobject;
mod call;
mod codecs;
mod containers;
mod datetime;
mod datetime_tests;
mod floatobject;
mod format;
mod frames;
mod getargs;
mod loader;
mod longobject;
mod memory;
mod memory_object;
mod misc;
mod modsupport;
mod moduleobject;
mod monitoring;
mod object;
mod pyerrors;
mod pystate;
mod threads;
mod typeobject;
mod unicodeobject;
mod variadic;

pub use loader::install;

use taipan_object::module::ModuleSpec;

/// The modules that consist of a table for C code as well as of Python's part.
pub const MODULES: &[&ModuleSpec] = &[&datetime::SPEC];
