//! The native modules that stand on the interpreter itself.

pub mod atexit;
pub mod gc;
pub mod opcode;
pub mod signal;
pub mod symtable;
pub mod test_capi;
mod test_codes;
mod test_compiler;
mod test_events;
pub mod test_support;
pub mod thread;
pub mod tokenize;
pub mod warnings;
pub mod weakref;

use taipan_object::module::ModuleSpec;

/// All of them, besides `builtins` and `sys`.
pub const MODULES: &[&ModuleSpec] = &[
    &atexit::SPEC,
    &gc::SPEC,
    &opcode::SPEC,
    &signal::SPEC,
    &symtable::SPEC,
    &test_capi::SPEC,
    &test_support::INTERNAL_SPEC,
    &test_support::LIMITED_SPEC,
    &thread::SPEC,
    &tokenize::SPEC,
    &warnings::SPEC,
    &weakref::SPEC,
    &crate::ast::SPEC,
    &crate::imp::SPEC,
    &crate::marshal::SPEC,
];
