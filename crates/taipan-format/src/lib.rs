//! Python's three little formatting languages as plain data.
//!
//! [`spec`] reads the specification behind `format()` and lays out text and digit strings by it;
//! [`percent`] cuts `%`-formats into pieces; [`fields`] cuts `str.format` templates and their field names.
//! Input is a slice of characters, errors carry CPython's words (all are `ValueError`s), and what needs
//! an object (looking up a key, converting a value) is left to the caller.
#![forbid(unsafe_code)]

pub mod fields;
pub mod percent;
pub mod spec;

/// Decimal digits at `*pos`, as many as there are. `Ok(None)`: there are none.
pub(crate) fn integer(s: &[u32], pos: &mut usize) -> Result<Option<usize>, &'static str> {
    let start = *pos;
    let mut n = 0usize;
    while let Some(d) = s.get(*pos).and_then(|&c| taipan_unicode::decimal(c)) {
        n = n
            .checked_mul(10)
            .and_then(|n| n.checked_add(d as usize))
            .filter(|&n| n <= isize::MAX as usize)
            .ok_or("Too many decimal digits in format string")?;
        *pos += 1;
    }
    Ok((*pos > start).then_some(n))
}

/// Text as characters.
pub fn chars(s: &str) -> Vec<u32> {
    s.chars().map(|c| c as u32).collect()
}
