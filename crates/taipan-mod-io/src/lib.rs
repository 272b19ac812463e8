//! Streams: the native module `_io`, on which `io` and the builtin `open` stand.
//!
//! Four layers as in CPython: abstract bases, raw files on descriptors, buffers around raw streams,
//! text around buffers. A layer talks to the one below through Python methods, since programs put
//! classes of their own in any place; the stack that `open` makes takes short cuts between our own.

#![forbid(unsafe_code)]
#![recursion_limit = "512"]

pub mod codecs;
pub mod io;

use taipan_object::hooks::Hooks;
use taipan_object::module::ModuleSpec;
use taipan_object::{PyResult, state};

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[&io::SPEC, &codecs::SPEC];

/// Lends the codecs to the object layer, which encodes and decodes through its hooks.
///
/// # Errors
/// None so far.
pub fn install() -> PyResult<()> {
    let hooks = &state::interp().hooks;
    // One small table for each interpreter, which needs it until the end.
    hooks.set(Box::leak(Box::new(Hooks {
        decode: codecs::decode_text,
        encode: codecs::encode_text,
        ..*hooks.get()
    })));
    Ok(())
}
