//! The database as it was in version 3.2.0, which internationalised domain names stand on.
//!
//! Only differences are stored, as runs of code points. What the reference derives from the present
//! database (names, digits, classes of characters that existed) is derived here in the same way.

#[path = "tables/old.rs"]
#[rustfmt::skip]
mod tables;

use crate::Form;
use tables::{BIDIRECTIONAL, CATEGORY, DECIMAL, MIRRORED, NUMERIC, WIDTH};

/// `unicodedata.ucd_3_2_0.unidata_version`.
pub const VERSION: &str = "3.2.0";

fn find<T: Copy>(runs: &[(u32, u32, T)], c: u32) -> Option<T> {
    let at = runs.partition_point(|run| run.1 < c);
    runs.get(at).filter(|run| run.0 <= c).map(|run| run.2)
}

/// The general category.
pub fn category(c: u32) -> &'static str {
    find(CATEGORY, c).unwrap_or_else(|| crate::category(c))
}

/// Whether the character existed.
pub fn is_assigned(c: u32) -> bool {
    category(c) != "Cn"
}

/// The direction class.
pub fn bidirectional(c: u32) -> &'static str {
    find(BIDIRECTIONAL, c).unwrap_or_else(|| crate::bidirectional(c))
}

/// The width class.
pub fn east_asian_width(c: u32) -> &'static str {
    find(WIDTH, c).unwrap_or_else(|| crate::east_asian_width(c))
}

/// Whether the character is mirrored.
pub fn is_mirrored(c: u32) -> bool {
    find(MIRRORED, c).unwrap_or_else(|| crate::is_mirrored(c))
}

/// The decimal value.
pub fn decimal(c: u32) -> Option<u8> {
    find(DECIMAL, c).unwrap_or_else(|| crate::decimal(c))
}

/// The numeric value.
pub fn numeric(c: u32) -> Option<f64> {
    find(NUMERIC, c).unwrap_or_else(|| crate::numeric(c))
}

/// The combining class.
pub fn combining(c: u32) -> u8 {
    if is_assigned(c) { crate::combining(c) } else { 0 }
}

/// The decomposition.
pub fn decomposition(c: u32) -> String {
    if is_assigned(c) { crate::decomposition(c) } else { String::new() }
}

/// The name.
pub fn name(c: u32) -> Option<String> {
    if is_assigned(c) { crate::name(c) } else { None }
}

/// Five ideographs whose decompositions were corrected later.
const CORRECTED: [(u32, u32); 5] =
    [(0x2F868, 0x2136A), (0x2F874, 0x5F33), (0x2F91F, 0x43AB), (0x2F95F, 0x7AAE), (0x2F9BF, 0x4D57)];

/// The text in a normal form.
pub fn normalize(form: Form, s: &[u32]) -> Vec<u32> {
    let mapped = |c: u32| match CORRECTED.iter().find(|row| row.0 == c) {
        Some(row) => Some(row.1),
        None if is_assigned(c) => None,
        None => Some(c),
    };
    crate::normal::normalize_by(form, s, &mapped)
}
