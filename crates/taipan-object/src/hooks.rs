//! The few doors through which this crate calls upward.
//!
//! Problem: dependencies go downward only, yet the object layer must sometimes warn, import or
//! call a Python function. Idea: one table of function pointers, given by the program that puts the
//! rooms together when it makes an interpreter. Rule: a door is added here only when a slot or an
//! ordinary attribute look-up cannot do.

use crate::err::PyResult;
use crate::handle::{Object, Ref};

/// Functions that rooms above lend to this one.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Imports a module by its absolute name.
    pub import_module: fn(&str) -> PyResult<Ref>,
    /// Issues a warning: category, message, stack level.
    pub warn: fn(&Object, &str, isize) -> PyResult<()>,
    /// Reports an exception that nobody can catch: exception, message, object it happened in.
    pub unraisable: fn(Ref, Option<&str>, Option<&Object>),
    /// Runs pending signal handlers and queued calls.
    pub check_signals: fn() -> PyResult<()>,
    /// The globals of the Python code that is running.
    pub current_globals: fn() -> Option<Ref<crate::dict::Dict>>,
    /// The builtins of the Python code that is running: a dict, or another mapping.
    pub current_builtins: fn() -> Option<Ref>,
    /// What `super()` without arguments means in the code that is running: the class in `__class__`
    /// and the first argument.
    pub current_super_args: fn() -> PyResult<(Ref, Ref)>,
    /// Decodes bytes with a named codec and error handler.
    pub decode: fn(&[u8], &str, &str) -> PyResult<Ref>,
    /// Encodes a str with a named codec and error handler, to a bytes object.
    pub encode: fn(&Object, &str, &str) -> PyResult<Ref>,
}
