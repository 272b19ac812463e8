//! Decoding of source files for the front end.

use taipan_syntax::ParseError;
use taipan_syntax::source::decode_source;

/// Text from source bytes; `codec` serves encodings other than UTF-8 and Latin-1.
///
/// # Errors
/// CPython's `SyntaxError`, as data.
pub fn decode(bytes: &[u8], codec: taipan_syntax::source::Codec<'_>) -> Result<String, ParseError> {
    decode_source(bytes, codec)
}
