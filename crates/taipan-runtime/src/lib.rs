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
