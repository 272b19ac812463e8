//! Native modules of the operating system: `posix`, `errno`, `time`, `select`, `fcntl`, `pwd`, `grp`,
//! `resource`, `_posixsubprocess` and `_socket`.
//!
//! System calls are made in `taipan-os`; what is written here is how Python calls them: which
//! arguments are taken, what comes back, and which exception each failure becomes.

#![forbid(unsafe_code)]

mod accounts;
mod errno;
mod fcntl;
pub mod posix;
mod resource;
mod select;
mod socket;
mod subprocess;
pub mod time;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[
    &posix::SPEC,
    &errno::SPEC,
    &time::SPEC,
    &select::SPEC,
    &fcntl::SPEC,
    &accounts::PWD,
    &accounts::GRP,
    &resource::SPEC,
    &subprocess::SPEC,
    &socket::SPEC,
];
