//! Character names. Words are numbered; `name_stream` spells each name as word numbers, `name_index` gives
//! code point and start in the stream, `name_order` the places of the index in the order of names.

use crate::labels::{ALIASES, NAME_RANGES};
use crate::{find_row, u16_at, u32_at};

static WORDS: &[u8] = include_bytes!("tables/name_words.bin");
static WORD_ENDS: &[u8] = include_bytes!("tables/name_word_ends.bin");
static STREAM: &[u8] = include_bytes!("tables/name_stream.bin");
static INDEX: &[u8] = include_bytes!("tables/name_index.bin");
static ORDER: &[u8] = include_bytes!("tables/name_order.bin");

const LEADS: [&str; 19] =
    ["G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H"];
const VOWELS: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI",
    "YU", "EU", "YI", "I",
];
const TAILS: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS",
    "S", "SS", "NG", "J", "C", "K", "T", "P", "H",
];

fn spelled(row: usize) -> String {
    let (from, to) = (u32_at(INDEX, row * 8 + 4), u32_at(INDEX, row * 8 + 12));
    let mut out = String::new();
    for i in from..to {
        if !out.is_empty() {
            out.push(' ');
        }
        let w = u16_at(STREAM, i as usize) as usize;
        let (a, b) = (u32_at(WORD_ENDS, 4 * w) as usize, u32_at(WORD_ENDS, 4 * w + 4) as usize);
        out.push_str(std::str::from_utf8(&WORDS[a..b]).unwrap_or(""));
    }
    out
}

fn hangul(c: u32) -> String {
    let k = (c - 0xac00) as usize;
    format!("{}{}{}", LEADS[k / 588], VOWELS[k % 588 / 28], TAILS[k % 28])
}

/// `unicodedata.name`.
pub fn name(c: u32) -> Option<String> {
    if let Some(&(_, _, stem)) = NAME_RANGES.iter().find(|r| r.0 <= c && c <= r.1) {
        let tail = if stem == "HANGUL SYLLABLE " { hangul(c) } else { format!("{c:04X}") };
        return Some(format!("{stem}{tail}"));
    }
    if c >= 0x110000 {
        return None;
    }
    find_row(INDEX, 8, c).map(|at| spelled(at / 8))
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// One character.
    Char(u32),
    /// A named sequence, which `\N{…}` does not take but `lookup` does.
    Sequence(&'static [u32]),
}

/// `unicodedata.lookup`: letters of either case.
pub fn lookup(text: &str) -> Option<Named> {
    if text.len() > 256 || !text.is_ascii() {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    for &(first, last, stem) in NAME_RANGES {
        let Some(tail) = upper.strip_prefix(stem) else { continue };
        if stem == "HANGUL SYLLABLE " {
            return hangul_from(tail).map(Named::Char);
        }
        if let Ok(c) = u32::from_str_radix(tail, 16)
            && (first..=last).contains(&c)
            && tail == format!("{c:04X}")
        {
            return Some(Named::Char(c));
        }
    }
    let (mut lo, mut hi) = (0, ORDER.len() / 2);
    while lo < hi {
        let mid = (lo + hi) / 2;
        let row = u16_at(ORDER, mid) as usize;
        match spelled(row).as_str().cmp(&upper) {
            std::cmp::Ordering::Equal => return Some(Named::Char(u32_at(INDEX, row * 8))),
            std::cmp::Ordering::Less => lo = mid + 1,
            std::cmp::Ordering::Greater => hi = mid,
        }
    }
    let i = ALIASES.binary_search_by(|a| a.0.cmp(&upper)).ok()?;
    Some(match ALIASES[i].1 {
        [c] => Named::Char(*c),
        s => Named::Sequence(s),
    })
}

fn hangul_from(s: &str) -> Option<u32> {
    // Longest fitting lead first, then vowel, as the standard reads them.
    let longest = |s: &str, table: &[&str]| {
        (0..table.len()).filter(|&i| s.starts_with(table[i])).max_by_key(|&i| table[i].len())
    };
    let l = longest(s, &LEADS)?;
    let rest = &s[LEADS[l].len()..];
    let v = longest(rest, &VOWELS)?;
    let t = TAILS.iter().position(|&t| t == &rest[VOWELS[v].len()..])?;
    Some(0xac00 + ((l * 21 + v) * 28 + t) as u32)
}
