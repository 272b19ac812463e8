//! Start and stop, `builtins`, `sys`, import, the standard streams of the first moments.

#![forbid(unsafe_code)]

mod builtins;
mod compile;
mod import;
mod printer;
mod source;
mod sys;

pub use compile::{Settings, compile_text};
pub use import::{NativeModules, import_module};
pub use printer::{print_exception, to_stderr};
pub mod start;

use taipan_object::PyResult;
use taipan_object::dict::Dict;

pub use builtins::decode_source;
pub use printer::os_error;

/// Runs a module's code in its namespace.
///
/// # Errors
/// What the code raises.
pub fn run_code(code: &taipan_eval::code::Code, globals: &Dict) -> PyResult {
    taipan_eval::call::run_code(code, globals, None)
}
