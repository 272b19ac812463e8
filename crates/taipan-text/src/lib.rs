//! Source text and the strings written in it: pure data, no Python objects.

#![forbid(unsafe_code)]

pub mod hash;
mod pystr;

pub use pystr::{PyStr, PyStrBuilder};
