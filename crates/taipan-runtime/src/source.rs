//! Decoding of source files for the front end.

use taipan_syntax::source::decode_source;

/// Text from source bytes; `codec` serves encodings other than UTF-8 and Latin-1.
///
/// # Errors
/// The message of CPython's `SyntaxError`.
pub fn decode(bytes: &[u8], codec: &dyn Fn(&[u8], &str) -> Option<String>) -> Result<String, String> {
    decode_source(bytes, codec)
}
