//! Small containers: `mappingproxy`, `types.SimpleNamespace`, `cell`.

pub mod cell;
pub mod mappingproxy;
pub mod namespace;

use taipan_object::TypeSpec;

/// The types of this folder.
pub static ALL: [&TypeSpec; 3] = [&mappingproxy::SPEC, &namespace::SPEC, &cell::SPEC];
