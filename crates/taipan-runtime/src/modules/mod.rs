//! The native modules that stand on the interpreter itself.

pub mod atexit;
pub mod gc;
pub mod signal;
pub mod thread;
pub mod warnings;
pub mod weakref;

use taipan_object::module::ModuleSpec;

/// All of them, besides `builtins` and `sys`.
pub const MODULES: &[&ModuleSpec] = &[
    &atexit::SPEC,
    &gc::SPEC,
    &signal::SPEC,
    &thread::SPEC,
    &warnings::SPEC,
    &weakref::SPEC,
    &crate::imp::SPEC,
    &crate::marshal::SPEC,
];
