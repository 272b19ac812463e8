//! Properties of code points. `blocks` numbers the block of each 128 code points, `points` the record of
//! each place in a block, `records` holds the records (24 bytes: flags, three case offsets, number of the
//! full case mappings, category, direction, combining class, width, decimal, digit).

use crate::labels::{BIDI, CATEGORIES, WIDTHS};
use crate::{find_row, u16_at, u32_at};

static BLOCKS: &[u8] = include_bytes!("tables/blocks.bin");
static POINTS: &[u8] = include_bytes!("tables/points.bin");
static RECORDS: &[u8] = include_bytes!("tables/records.bin");
static NUMERIC: &[u8] = include_bytes!("tables/numeric.bin");

const RECORD: usize = 24;

pub(crate) const CASED: u32 = 1 << 13;
pub(crate) const IGNORABLE: u32 = 1 << 14;
pub(crate) const CANONICAL: u32 = 1 << 15;
pub(crate) const ANY_DECOMPOSITION: u32 = 1 << 16;
pub(crate) const SECOND: u32 = 1 << 17;
pub(crate) const NOT_NFC: u32 = 1 << 18;
pub(crate) const NOT_NFKC: u32 = 1 << 19;

/// Byte position of the record of `c`; past the last code point that of an unassigned one.
#[inline(always)]
pub(crate) fn record(c: u32) -> usize {
    let c = if c < 0x110000 { c as usize } else { 0x10ffff };
    let block = u16_at(BLOCKS, c >> 7) as usize;
    u16_at(POINTS, block << 7 | c & 127) as usize * RECORD
}

#[inline(always)]
pub(crate) fn flags(c: u32) -> u32 {
    u32_at(RECORDS, record(c))
}

/// Simple case mapping `k`: 0 lower, 1 upper, 2 title.
#[inline(always)]
pub(crate) fn simple(c: u32, k: usize) -> u32 {
    c.wrapping_add(u32_at(RECORDS, record(c) + 4 + 4 * k))
}

/// Number of the full case mappings of `c`, 0 if the simple ones say all.
pub(crate) fn special(c: u32) -> usize {
    let at = record(c) + 16;
    u16_at(&RECORDS[at..at + 2], 0) as usize
}

macro_rules! flag {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        $($(#[$doc])* #[inline] pub fn $name(c: u32) -> bool { flags(c) & $bit != 0 })*
    };
}

flag! {
    /// `str.isalpha`.
    is_alpha = 1;
    /// `str.isspace`.
    is_space = 1 << 1;
    /// `str.isprintable`.
    is_printable = 1 << 2;
    /// May start an identifier.
    is_identifier_start = 1 << 3;
    /// May go on in an identifier.
    is_identifier_continue = 1 << 4;
    /// `str.isdecimal`.
    is_decimal = 1 << 5;
    /// `str.isdigit`.
    is_digit = 1 << 6;
    /// `str.isnumeric`.
    is_numeric = 1 << 7;
    /// Has the Lowercase property.
    is_lower = 1 << 8;
    /// Has the Uppercase property.
    is_upper = 1 << 9;
    /// A title-case letter, or upper case: `str.istitle` of the character alone.
    is_title_alone = 1 << 10;
    /// `unicodedata.mirrored`.
    is_mirrored = 1 << 11;
    /// Ends a line for `str.splitlines`.
    is_linebreak = 1 << 12;
    /// Counts as a letter with case where a final sigma is decided.
    is_cased = CASED;
    /// Is passed over where a final sigma is decided.
    is_case_ignorable = IGNORABLE;
}

/// `str.isalnum`.
#[inline]
pub fn is_alnum(c: u32) -> bool {
    flags(c) & (1 | 1 << 5 | 1 << 6 | 1 << 7) != 0
}

/// A title-case letter (category `Lt`).
pub fn is_title(c: u32) -> bool {
    category(c) == "Lt"
}

/// `unicodedata.category`.
pub fn category(c: u32) -> &'static str {
    CATEGORIES[RECORDS[record(c) + 18] as usize]
}
/// `unicodedata.bidirectional`.
pub fn bidirectional(c: u32) -> &'static str {
    BIDI[RECORDS[record(c) + 19] as usize]
}
/// `unicodedata.combining`.
#[inline]
pub fn combining(c: u32) -> u8 {
    RECORDS[record(c) + 20]
}
/// `unicodedata.east_asian_width`.
pub fn east_asian_width(c: u32) -> &'static str {
    WIDTHS[RECORDS[record(c) + 21] as usize]
}
/// `unicodedata.decimal`.
#[inline]
pub fn decimal(c: u32) -> Option<u8> {
    u8::try_from(RECORDS[record(c) + 22] as i8).ok()
}
/// `unicodedata.digit`.
pub fn digit(c: u32) -> Option<u8> {
    u8::try_from(RECORDS[record(c) + 23] as i8).ok()
}
/// `unicodedata.numeric`.
pub fn numeric(c: u32) -> Option<f64> {
    if !is_numeric(c) {
        return None;
    }
    let at = find_row(NUMERIC, 16, c)?;
    let top = u32_at(NUMERIC, at + 8) as u64 | (u32_at(NUMERIC, at + 12) as u64) << 32;
    Some(top as i64 as f64 / u32_at(NUMERIC, at + 4) as f64)
}
