//! The builtin iterator classes.
use taipan_object::TypeSpec;
/// The types of this folder.
pub static ALL: [&TypeSpec; 0] = [];
