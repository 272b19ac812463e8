//! Native modules about the language itself: regular expressions, syntax trees, tokens, symbol tables,
//! opcodes, type parameters, context variables.

#![forbid(unsafe_code)]

pub mod contextvars;
pub mod sre;
pub mod typing;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&sre::SPEC, &typing::SPEC, &contextvars::SPEC];
