//! Text of numbers: Unicode digits and blanks become ASCII before a kernel reads them.

use taipan_object::Object;
use taipan_object::unicode::{Chars, Str};

/// The text with decimal digits and blanks of any script as ASCII; what else is not ASCII becomes `?`.
pub fn to_ascii(text: &Str) -> Vec<u8> {
    if let (true, Chars::One(bytes)) = (text.is_ascii(), text.chars()) {
        return bytes.to_vec();
    }
    let one = |c: u32| match u8::try_from(c) {
        Ok(byte) if byte < 127 => byte,
        _ if taipan_unicode::is_space(c) => b' ',
        _ => taipan_unicode::decimal(c).map_or(b'?', |digit| b'0' + digit),
    };
    text.code_points().map(one).collect()
}

/// `repr` for messages, at most 200 characters.
pub fn short_repr(object: &Object) -> String {
    object.repr_lossy().chars().take(200).collect()
}
