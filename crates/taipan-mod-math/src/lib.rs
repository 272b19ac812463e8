//! Native modules of numbers: `math`, `_decimal` and `_statistics`.
//!
//! The numerics are the kernels of `taipan-num` and `taipan-decimal`; what is written here is how Python
//! calls them: which arguments are taken, and which exception with which words each failure becomes.

#![forbid(unsafe_code)]

pub mod decimal;
pub mod math;
pub mod statistics;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&math::SPEC, &decimal::SPEC, &statistics::SPEC];
