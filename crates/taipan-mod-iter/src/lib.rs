//! Native modules about iterating, calling and collecting: `itertools`, `_functools`, `_operator` and
//! `_collections`.
//!
//! Every class is a payload behind an object head. What a payload owns stands in [`util::Field`]s
//! and cells; a value is taken out before Python code runs and put back afterwards, so that no code
//! called on the way ever finds a borrowed cell.

#![forbid(unsafe_code)]

#[macro_use]
mod util;
pub mod abc;
pub mod collections;
pub mod functools;
pub mod itertools;
pub mod operator;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] =
    &[&itertools::SPEC, &functools::SPEC, &collections::SPEC, &operator::SPEC, &abc::SPEC];
