//! Native modules of the operating system: `posix`, `errno` and `time`.
//!
//! System calls are made in `taipan-os`; what is written here is how Python calls them: which
//! arguments are taken, what comes back, and which exception each failure becomes.

#![forbid(unsafe_code)]

mod errno;
pub mod posix;
pub mod time;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&posix::SPEC, &errno::SPEC, &time::SPEC];
