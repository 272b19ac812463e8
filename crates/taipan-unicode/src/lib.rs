//! Unicode 16.0 as `str` and `unicodedata` of Python 3.14 see it.
//!
//! The problem: the answers must be CPython's for every code point, surrogates included. The idea: the
//! tables are taken from the reference interpreter itself (`cargo dev gen-unicode`) and a test hashes all
//! 0x110000 answers against it. Properties sit in two-stage tables: code point → block → record.
//! Characters are `u32` because Python strings may hold lone surrogates.
#![forbid(unsafe_code)]

mod case;
mod names;
mod normal;
pub mod old;
mod properties;
#[path = "tables/labels.rs"]
#[rustfmt::skip]
mod labels;

pub use case::*;
pub use names::{Named, lookup, name};
pub use normal::{Form, decomposition, is_normalized, normalize};
pub use properties::*;

/// `unicodedata.unidata_version`.
pub const VERSION: &str = "16.0.0";

/// Little-endian word `i` of a table.
#[inline(always)]
pub(crate) fn u16_at(t: &[u8], i: usize) -> u16 {
    u16::from_le_bytes([t[2 * i], t[2 * i + 1]])
}
/// Little-endian double word at byte `at`.
#[inline(always)]
pub(crate) fn u32_at(t: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([t[at], t[at + 1], t[at + 2], t[at + 3]])
}

/// Binary search over rows of `size` bytes that begin with their key.
pub(crate) fn find_row(t: &'static [u8], size: usize, key: u32) -> Option<usize> {
    let (mut lo, mut hi) = (0, t.len() / size);
    while lo < hi {
        let mid = (lo + hi) / 2;
        match u32_at(t, mid * size).cmp(&key) {
            std::cmp::Ordering::Equal => return Some(mid * size),
            std::cmp::Ordering::Less => lo = mid + 1,
            std::cmp::Ordering::Greater => hi = mid,
        }
    }
    None
}
