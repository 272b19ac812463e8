//! Characters: categories, case, and sets with a bitmap for the first 256 characters.

use crate::constants::{cat, op};

/// What the C locale's functions say of single bytes, for patterns with the LOCALE flag.
#[derive(Clone, Debug)]
pub struct LocaleTable {
    /// Lower case of each byte.
    pub lower: [u8; 256],
    /// Upper case of each byte.
    pub upper: [u8; 256],
    /// Whether each byte is a letter or digit.
    pub alnum: [bool; 256],
}

impl Default for LocaleTable {
    /// The "C" locale: ASCII.
    fn default() -> Self {
        let mut t = LocaleTable { lower: [0; 256], upper: [0; 256], alnum: [false; 256] };
        for b in 0..=255u8 {
            t.lower[b as usize] = b.to_ascii_lowercase();
            t.upper[b as usize] = b.to_ascii_uppercase();
            t.alnum[b as usize] = b.is_ascii_alphanumeric();
        }
        t
    }
}

impl LocaleTable {
    pub(crate) fn lower(&self, ch: u32) -> u32 {
        if ch < 256 { self.lower[ch as usize] as u32 } else { ch }
    }
    pub(crate) fn upper(&self, ch: u32) -> u32 {
        if ch < 256 { self.upper[ch as usize] as u32 } else { ch }
    }
    pub(crate) fn is_word(&self, ch: u32) -> bool {
        ch < 256 && (self.alnum[ch as usize] || ch == b'_' as u32)
    }
}

pub(crate) fn ascii_word(ch: u32) -> bool {
    ch < 128 && ((ch as u8).is_ascii_alphanumeric() || ch as u8 == b'_')
}
pub(crate) fn unicode_word(ch: u32) -> bool {
    if ch < 128 { ascii_word(ch) } else { taipan_unicode::is_alnum(ch) }
}

pub(crate) fn category(code: u32, ch: u32, locale: &LocaleTable) -> bool {
    let yes = match code & !1 {
        cat::DIGIT => (48..58).contains(&ch),
        cat::SPACE => matches!(ch, 9..=13 | 32),
        cat::WORD => ascii_word(ch),
        cat::LINEBREAK => ch == 10,
        cat::LOC_WORD => locale.is_word(ch),
        cat::UNI_DIGIT => taipan_unicode::is_decimal(ch),
        cat::UNI_SPACE => taipan_unicode::is_space(ch),
        cat::UNI_WORD => unicode_word(ch),
        _ => taipan_unicode::is_linebreak(ch),
    };
    yes != (code & 1 == 1)
}

/// Which case mapping a set applies to a character before it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    None,
    Ascii,
    Unicode,
    /// The locale may change, so no bitmap is made.
    Locale,
}

/// A prepared set.
#[derive(Debug)]
pub(crate) struct Set {
    bits: [u64; 4],
    fold: Fold,
    /// Where the items are in the code.
    at: usize,
}

impl Set {
    pub fn new(code: &[u32], at: usize, fold: Fold) -> Set {
        let mut set = Set { bits: [0; 4], fold, at };
        if fold != Fold::Locale && !uses_locale(&code[at..]) {
            set.bits = bitmap(&code[at..], fold);
        } else {
            set.fold = Fold::Locale;
            if fold != Fold::Locale {
                // A category of the locale without case folding: mark by an impossible bit pattern.
                set.bits = [u64::MAX; 4];
            }
        }
        set
    }

    /// Whether `ch` is in the set.
    #[inline(always)]
    pub fn has(&self, code: &[u32], ch: u32, locale: &LocaleTable) -> bool {
        if ch < 256 && self.fold != Fold::Locale {
            return self.bits[(ch >> 6) as usize] >> (ch & 63) & 1 == 1;
        }
        self.slow(code, ch, locale)
    }

    #[cold]
    fn slow(&self, code: &[u32], ch: u32, locale: &LocaleTable) -> bool {
        let items = &code[self.at..];
        match self.fold {
            Fold::None => contains(items, ch, locale),
            Fold::Ascii => contains(items, crate::ascii_tolower(ch), locale),
            Fold::Unicode => contains(items, crate::unicode_tolower(ch), locale),
            Fold::Locale if self.bits[0] != 0 => contains(items, ch, locale),
            Fold::Locale => {
                let (lo, up) = (locale.lower(ch), locale.upper(ch));
                let either =
                    |items: &[u32]| contains(items, lo, locale) || (up != lo && contains(items, up, locale));
                // A negated set lacks a character when it lacks either form.
                match items {
                    [op::NEGATE, rest @ ..] => !either(rest),
                    items => either(items),
                }
            }
        }
    }
}

fn uses_locale(items: &[u32]) -> bool {
    let mut i = 0;
    loop {
        match items[i] {
            op::FAILURE => return false,
            op::CATEGORY if items[i + 1] & !1 == cat::LOC_WORD => return true,
            _ => i += item_len(&items[i..]),
        }
    }
}

/// Words of one item of a set, itself included.
fn item_len(items: &[u32]) -> usize {
    match items[0] {
        op::LITERAL | op::CATEGORY => 2,
        op::RANGE | op::RANGE_UNI_IGNORE => 3,
        op::CHARSET => 9,
        op::BIGCHARSET => 2 + 64 + items[1] as usize * 8,
        _ => 1,
    }
}

type Bits = [u64; 4];

fn has_bit(bits: &Bits, ch: u32) -> bool {
    bits[(ch >> 6) as usize] >> (ch & 63) & 1 == 1
}

fn bits_where(test: impl Fn(u32) -> bool) -> Bits {
    let mut bits = [0; 4];
    for ch in 0..256 {
        bits[(ch >> 6) as usize] |= u64::from(test(ch)) << (ch & 63);
    }
    bits
}

/// What a set without locale says of the first 256 characters: item by item, not character by character.
fn bitmap(items: &[u32], fold: Fold) -> Bits {
    let plain = plain_bitmap(items);
    let lower: fn(u32) -> u32 = match fold {
        Fold::None | Fold::Locale => return plain,
        Fold::Ascii => crate::ascii_tolower,
        Fold::Unicode => crate::unicode_tolower,
    };
    let locale = LocaleTable::default();
    bits_where(|ch| match lower(ch) {
        low @ 0..256 => has_bit(&plain, low),
        low => contains(items, low, &locale),
    })
}

fn plain_bitmap(items: &[u32]) -> Bits {
    let locale = LocaleTable::default();
    // The first item that a character hits decides about it.
    let (mut inside, mut open, mut ok, mut i) = ([0; 4], [u64::MAX; 4], true, 0);
    loop {
        let hit: Bits = match items[i] {
            op::NEGATE => {
                ok = !ok;
                [0; 4]
            }
            op::LITERAL => range_bits(items[i + 1], items[i + 1]),
            op::RANGE => range_bits(items[i + 1], items[i + 2]),
            op::CHARSET => {
                let word =
                    |at: usize| u64::from(items[i + 1 + 2 * at]) | u64::from(items[i + 2 + 2 * at]) << 32;
                [word(0), word(1), word(2), word(3)]
            }
            // What `contains` would say of the rest of the items.
            op::FAILURE => [u64::MAX; 4],
            op::CATEGORY => {
                let code = items[i + 1];
                bits_where(|ch| category(code, ch, &locale))
            }
            _ => {
                let rest = &items[i..];
                bits_where(|ch| item_hit(rest, ch, &locale).unwrap_or(true))
            }
        };
        let last = items[i] == op::FAILURE || item_hit(&items[i..], 0, &locale).is_none();
        for (at, hit) in hit.into_iter().enumerate() {
            // At the end the characters left are in the set if it is negated; an unknown item ends it as no hit.
            let decides = if items[i] == op::FAILURE { !ok } else { ok && !last };
            if decides {
                inside[at] |= hit & open[at];
            }
            open[at] &= !hit;
        }
        if last {
            return inside;
        }
        i += item_len(&items[i..]);
    }
}

fn range_bits(from: u32, to: u32) -> Bits {
    let mut bits = [0; 4];
    for ch in from..to.min(255).saturating_add(1) {
        bits[(ch >> 6) as usize] |= 1 << (ch & 63);
    }
    bits
}

/// Walks the items of a set, which end with FAILURE.
fn contains(items: &[u32], ch: u32, locale: &LocaleTable) -> bool {
    let mut ok = true;
    let mut i = 0;
    loop {
        match items[i] {
            op::FAILURE => return !ok,
            op::NEGATE => ok = !ok,
            _ => match item_hit(&items[i..], ch, locale) {
                Some(true) => return ok,
                Some(false) => {}
                None => return false,
            },
        }
        i += item_len(&items[i..]);
    }
}

/// Whether a character is in the first of these items; `None` when that is none that stands for characters.
#[inline(always)]
fn item_hit(items: &[u32], ch: u32, locale: &LocaleTable) -> Option<bool> {
    Some(match items[0] {
        op::NEGATE => false,
        op::LITERAL => ch == items[1],
        op::CATEGORY => category(items[1], ch, locale),
        op::RANGE => items[1] <= ch && ch <= items[2],
        op::RANGE_UNI_IGNORE => {
            let inside = |c: u32| items[1] <= c && c <= items[2];
            inside(ch) || inside(taipan_unicode::upper_simple(ch))
        }
        op::CHARSET => ch < 256 && items[1 + (ch >> 5) as usize] >> (ch & 31) & 1 == 1,
        op::BIGCHARSET => {
            ch < 65536 && {
                let block = items[2 + (ch >> 10) as usize].to_le_bytes()[(ch >> 8 & 3) as usize];
                let word = items[66 + block as usize * 8 + (ch >> 5 & 7) as usize];
                word >> (ch & 31) & 1 == 1
            }
        }
        _ => return None,
    })
}
