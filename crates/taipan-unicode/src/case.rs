//! Case mappings: simple ones by offset in the record, full ones in `special` (four strings of a length
//! and three characters: lower, upper, title, fold).

use crate::properties::{flags, is_case_ignorable, is_cased, simple, special};
use crate::{is_lower, is_title, is_upper, u32_at};

static SPECIAL: &[u8] = include_bytes!("tables/special.bin");

const UPPER_SIGMA: u32 = 0x3a3;

/// A full mapping: up to three characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    chars: [u32; 3],
    len: u8,
}

impl std::ops::Deref for Mapped {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.chars[..self.len as usize]
    }
}

/// Simple lower case.
#[inline]
pub fn lower_simple(c: u32) -> u32 {
    simple(c, 0)
}
/// Simple upper case.
#[inline]
pub fn upper_simple(c: u32) -> u32 {
    simple(c, 1)
}
/// Simple title case.
#[inline]
pub fn title_simple(c: u32) -> u32 {
    simple(c, 2)
}

fn full(c: u32, which: usize) -> Mapped {
    let s = special(c);
    if s == 0 {
        return Mapped { chars: [simple(c, which % 3), 0, 0], len: 1 };
    }
    let at = s * 64 + which * 16;
    let chars = [4, 8, 12].map(|k| u32_at(SPECIAL, at + k));
    Mapped { chars, len: SPECIAL[at].min(3) }
}

/// Full lower case, without regard to a final sigma.
pub fn lower(c: u32) -> Mapped {
    full(c, 0)
}
/// Full upper case.
pub fn upper(c: u32) -> Mapped {
    full(c, 1)
}
/// Full title case.
pub fn title(c: u32) -> Mapped {
    full(c, 2)
}
/// Full case folding.
pub fn casefold(c: u32) -> Mapped {
    full(c, 3)
}

/// Whether the sigma at `i` ends a word, so that its lower case is the final form.
fn final_sigma(s: &[u32], i: usize) -> bool {
    let before = s[..i].iter().rev().find(|&&c| !is_case_ignorable(c));
    let after = s[i + 1..].iter().find(|&&c| !is_case_ignorable(c));
    before.is_some_and(|&c| is_cased(c)) && !after.is_some_and(|&c| is_cased(c))
}

fn push_lower(s: &[u32], i: usize, out: &mut Vec<u32>) {
    if s[i] == UPPER_SIGMA {
        out.push(if final_sigma(s, i) { 0x3c2 } else { 0x3c3 });
    } else {
        out.extend_from_slice(&lower(s[i]));
    }
}

/// `str.lower`.
pub fn lower_str(s: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(s.len());
    (0..s.len()).for_each(|i| push_lower(s, i, &mut out));
    out
}

/// `str.upper`.
pub fn upper_str(s: &[u32]) -> Vec<u32> {
    s.iter().flat_map(|&c| upper(c).to_vec()).collect()
}

/// `str.casefold`.
pub fn casefold_str(s: &[u32]) -> Vec<u32> {
    s.iter().flat_map(|&c| casefold(c).to_vec()).collect()
}

/// `str.title`.
pub fn title_str(s: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(s.len());
    let mut inside = false;
    for (i, &c) in s.iter().enumerate() {
        if inside {
            push_lower(s, i, &mut out);
        } else {
            out.extend_from_slice(&title(c));
        }
        inside = has_case(c);
    }
    out
}

/// Whether a word goes on after `c` for `title` and `istitle`.
pub fn has_case(c: u32) -> bool {
    is_lower(c) || is_upper(c) || is_title(c)
}

/// `str.capitalize`.
pub fn capitalize_str(s: &[u32]) -> Vec<u32> {
    let Some(&first) = s.first() else { return Vec::new() };
    let mut out = title(first).to_vec();
    (1..s.len()).for_each(|i| push_lower(s, i, &mut out));
    out
}

/// `str.swapcase`.
pub fn swapcase_str(s: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(s.len());
    for (i, &c) in s.iter().enumerate() {
        if flags(c) & 1 << 9 != 0 {
            push_lower(s, i, &mut out);
        } else if is_lower(c) {
            out.extend_from_slice(&upper(c));
        } else {
            out.push(c);
        }
    }
    out
}
