//! Strings as Python has them: any sequence of code points, lone surrogates included.
//!
//! Problem: a literal such as `'\ud800'` is a valid Python string and no valid Rust `str`.
//! Idea: keep the code points in generalised UTF-8, that is UTF-8 in which surrogates (U+D800 to
//! U+DFFF) are encoded like any other three-byte code point. Two surrogates in a row stay two
//! code points, as in Python. Text without surrogates is plain UTF-8 and can be borrowed as `&str`
//! at no cost.
//!
//! Invariant: the bytes are always well-formed generalised UTF-8; they are only made by the
//! constructors below.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// An immutable, cheaply cloned Python string.
#[derive(Clone)]
pub struct PyStr {
    bytes: Rc<[u8]>,
}

impl PyStr {
    /// The string as generalised UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The string as Rust text, or `None` when it holds a surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Whether the string has no code point.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the string is made of ASCII letters, digits and underscores: CPython interns such constants.
    pub fn is_name_like(&self) -> bool {
        self.bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    /// The code points one by one; surrogates come as their own value.
    pub fn code_points(&self) -> CodePoints<'_> {
        CodePoints { bytes: &self.bytes }
    }
}

impl From<&str> for PyStr {
    fn from(text: &str) -> PyStr {
        PyStr { bytes: Rc::from(text.as_bytes()) }
    }
}

/// Shares the text.
impl From<Rc<str>> for PyStr {
    fn from(text: Rc<str>) -> PyStr {
        PyStr { bytes: text.into() }
    }
}

impl Default for PyStr {
    fn default() -> PyStr {
        PyStr { bytes: Rc::new([]) }
    }
}

impl From<String> for PyStr {
    fn from(text: String) -> PyStr {
        PyStr { bytes: Rc::from(text.into_bytes()) }
    }
}

impl PartialEq for PyStr {
    fn eq(&self, other: &PyStr) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PyStr {}

impl Hash for PyStr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl fmt::Debug for PyStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.bytes))
    }
}

#[derive(Clone)]
/// Iterator over the code points of a [`PyStr`].
pub struct CodePoints<'a> {
    bytes: &'a [u8],
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = u32::from(*self.bytes.first()?);
        let (length, bits) = match first {
            0..0x80 => (1, first),
            0x80..0xE0 => (2, first & 0x1F),
            0xE0..0xF0 => (3, first & 0x0F),
            _ => (4, first & 0x07),
        };
        let (now, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        Some(now[1..].iter().fold(bits, |value, byte| value << 6 | u32::from(byte & 0x3F)))
    }
}

/// Grows a [`PyStr`] piece by piece.
#[derive(Default, Clone, Debug)]
pub struct PyStrBuilder {
    bytes: Vec<u8>,
}

impl PyStrBuilder {
    /// An empty builder with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> PyStrBuilder {
        PyStrBuilder { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends Rust text.
    pub fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends one code point; `code` must be at most U+10FFFF, which the caller has checked.
    pub fn push_code_point(&mut self, code: u32) {
        debug_assert!(code <= 0x10_FFFF);
        let tail = |shift: u32| 0x80 | (code >> shift & 0x3F) as u8;
        match code {
            0..0x80 => self.bytes.push(code as u8),
            0x80..0x800 => self.bytes.extend([0xC0 | (code >> 6) as u8, tail(0)]),
            0x800..0x1_0000 => self.bytes.extend([0xE0 | (code >> 12) as u8, tail(6), tail(0)]),
            _ => self.bytes.extend([0xF0 | (code >> 18 & 7) as u8, tail(12), tail(6), tail(0)]),
        }
    }

    /// Appends another string.
    pub fn push_pystr(&mut self, text: &PyStr) {
        self.bytes.extend_from_slice(&text.bytes);
    }

    /// Whether nothing was appended yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The finished string; the builder is empty afterwards.
    pub fn take(&mut self) -> PyStr {
        let text = PyStr { bytes: Rc::from(self.bytes.as_slice()) };
        self.bytes.clear();
        text
    }
}
