//! Start and stop, `builtins`, `sys`, import, the standard streams of the first moments.

#![forbid(unsafe_code)]

mod ast;
mod builtins;
mod compile;
pub mod config;
mod imp;
mod import;
mod marshal;
mod modules;
mod printer;
mod program;
mod repl;
mod shutdown;
mod streams;
mod sys;

pub use compile::{Settings, compile_text};
pub use import::{DynamicLoader, Frozen, NativeModules, import_module, install_importlib};
pub use modules::MODULES;
pub use modules::test_capi::MoreTests;
pub use printer::{print_exception, to_stderr};
pub use program::run;
pub use shutdown::finish;
pub mod start;

use taipan_object::PyResult;
use taipan_object::dict::Dict;

pub use printer::os_error;

/// Runs a module's code in its namespace.
///
/// # Errors
/// What the code raises.
pub fn run_code(code: &taipan_eval::code::Code, globals: &Dict) -> PyResult {
    taipan_eval::call::run_code(code, globals, None)
}

/// The version of CPython that Taipan is compatible with.
pub fn version() -> String {
    let (major, minor, micro) = sys::facts::VERSION;
    format!("{major}.{minor}.{micro}")
}

/// The same with Taipan's own, as `sys.version` has it.
pub fn full_version() -> String {
    format!("{} (main) [Taipan {}]", version(), sys::facts::TAIPAN_VERSION)
}
