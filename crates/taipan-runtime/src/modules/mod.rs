//! The native modules that stand on the interpreter itself.

pub mod atexit;
pub mod contextvars;
pub mod gc;
pub mod opcode;
pub mod signal;
pub mod thread;
pub mod tokenize;
pub mod warnings;
pub mod weakref;

use taipan_object::module::ModuleSpec;

/// All of them, besides `builtins` and `sys`.
pub const MODULES: &[&ModuleSpec] = &[
    &atexit::SPEC,
    &contextvars::SPEC,
    &gc::SPEC,
    &opcode::SPEC,
    &signal::SPEC,
    &thread::SPEC,
    &tokenize::SPEC,
    &warnings::SPEC,
    &weakref::SPEC,
    &crate::imp::SPEC,
    &crate::marshal::SPEC,
];
