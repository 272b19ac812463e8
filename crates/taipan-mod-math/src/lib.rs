//! Native modules of numbers: `math`.
//!
//! The numerics are the kernels of `taipan-num`; what is written here is how Python calls them: which
//! arguments are taken, and which exception with which words each failure becomes.

#![forbid(unsafe_code)]

pub mod math;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&math::SPEC];
