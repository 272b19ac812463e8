//! Native modules about text and data formats: `unicodedata`, `_string`, `_struct`, `binascii`, `_json`,
//! `_csv` and `_locale`.
//!
//! The algorithms that know no objects are in the crates below (`taipan-unicode`, `taipan-format`,
//! `taipan-codecs`); here are the modules' own rules and words.

#![forbid(unsafe_code)]
#![recursion_limit = "512"]

pub mod binascii;
pub mod string;
pub mod structs;
pub mod unicodedata;
mod util;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&string::SPEC, &unicodedata::SPEC, &structs::SPEC, &binascii::SPEC];
