//! `_codecs`, its registry and error handlers.

pub mod errors;
mod handlers;
pub mod registry;
