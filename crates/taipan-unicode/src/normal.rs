//! Normal forms. `decompositions` lists code point, tag, length and place in `decomposed`; `compositions`
//! the pairs that compose. Hangul goes by arithmetic.

use crate::labels::TAGS;
use crate::properties::{ANY_DECOMPOSITION, CANONICAL, NOT_NFC, NOT_NFKC, SECOND, combining, flags};
use crate::{find_row, u16_at, u32_at};

static DECOMPOSITIONS: &[u8] = include_bytes!("tables/decompositions.bin");
static DECOMPOSED: &[u8] = include_bytes!("tables/decomposed.bin");
static COMPOSITIONS: &[u8] = include_bytes!("tables/compositions.bin");

/// A normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the standard's own names")]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Form {
    /// By its name in Python.
    pub fn from_name(name: &str) -> Option<Form> {
        Some(match name {
            "NFC" => Form::Nfc,
            "NFD" => Form::Nfd,
            "NFKC" => Form::Nfkc,
            "NFKD" => Form::Nfkd,
            _ => return None,
        })
    }
    fn compat(self) -> bool {
        matches!(self, Form::Nfkc | Form::Nfkd)
    }
    fn composes(self) -> bool {
        matches!(self, Form::Nfc | Form::Nfkc)
    }
    /// Flags of characters that keep a text from being seen as normal at once.
    fn suspects(self) -> u32 {
        match self {
            Form::Nfc => NOT_NFC | SECOND,
            Form::Nfkc => NOT_NFKC | SECOND,
            Form::Nfd => CANONICAL,
            Form::Nfkd => ANY_DECOMPOSITION,
        }
    }
}

const S: u32 = 0xac00;
const L: u32 = 0x1100;
const V: u32 = 0x1161;
const T: u32 = 0x11a7;

/// Tag number and characters of the mapping of `c`, not for Hangul.
fn mapping(c: u32) -> Option<(usize, impl Iterator<Item = u32> + Clone)> {
    if flags(c) & ANY_DECOMPOSITION == 0 {
        return None;
    }
    let at = find_row(DECOMPOSITIONS, 8, c)?;
    let (tag, len) = (DECOMPOSITIONS[at + 4] as usize, DECOMPOSITIONS[at + 5] as usize);
    let from = u16_at(&DECOMPOSITIONS[at + 6..], 0) as usize;
    Some((tag, (from..from + len).map(|k| u32_at(DECOMPOSED, 4 * k))))
}

/// `unicodedata.decomposition`.
pub fn decomposition(c: u32) -> String {
    if (S..S + 11172).contains(&c) {
        let mut out = Vec::new();
        decompose(c, false, &mut out);
        return out.iter().map(|x| format!("{x:04X}")).collect::<Vec<_>>().join(" ");
    }
    let Some((tag, chars)) = mapping(c) else { return String::new() };
    let mut words: Vec<String> = chars.map(|x| format!("{x:04X}")).collect();
    if tag != 0 {
        words.insert(0, TAGS[tag].to_string());
    }
    words.join(" ")
}

fn decompose(c: u32, compat: bool, out: &mut Vec<u32>) {
    if (S..S + 11172).contains(&c) {
        let k = c - S;
        out.extend([L + k / 588, V + k % 588 / 28]);
        if !k.is_multiple_of(28) {
            out.push(T + k % 28);
        }
        return;
    }
    match mapping(c) {
        // Mappings nest a few levels deep at most, by the data.
        Some((tag, chars)) if tag == 0 || compat => chars.for_each(|x| decompose(x, compat, out)),
        _ => out.push(c),
    }
}

fn compose_pair(a: u32, b: u32) -> Option<u32> {
    if (L..L + 19).contains(&a) && (V..V + 21).contains(&b) {
        return Some(S + ((a - L) * 21 + (b - V)) * 28);
    }
    if (S..S + 11172).contains(&a) && (a - S).is_multiple_of(28) && (T + 1..T + 28).contains(&b) {
        return Some(a + (b - T));
    }
    let (mut lo, mut hi) = (0, COMPOSITIONS.len() / 12);
    while lo < hi {
        let mid = (lo + hi) / 2;
        let at = mid * 12;
        match (u32_at(COMPOSITIONS, at), u32_at(COMPOSITIONS, at + 4)).cmp(&(a, b)) {
            std::cmp::Ordering::Equal => return Some(u32_at(COMPOSITIONS, at + 8)),
            std::cmp::Ordering::Less => lo = mid + 1,
            std::cmp::Ordering::Greater => hi = mid,
        }
    }
    None
}

/// Sorts each run of combining characters by class, keeping the order of equals.
fn reorder(s: &mut [u32]) {
    let mut i = 0;
    while i < s.len() {
        let from = i;
        while i < s.len() && combining(s[i]) != 0 {
            i += 1;
        }
        if i - from > 1 {
            s[from..i].sort_by_key(|&c| combining(c));
        }
        i = i.max(from + 1);
    }
}

fn compose(s: &mut Vec<u32>) {
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    let mut out = 0;
    for i in 0..s.len() {
        let c = s[i];
        let class = combining(c);
        if let Some(at) = starter {
            let free = out == at + 1 || (last_class != 0 && last_class < class);
            if free && let Some(x) = compose_pair(s[at], c) {
                s[at] = x;
                continue;
            }
        }
        if class == 0 {
            starter = Some(out);
        }
        last_class = class;
        s[out] = c;
        out += 1;
    }
    s.truncate(out);
}

/// Whether nothing in the text can need work; false means "perhaps".
fn surely_normal(form: Form, s: &[u32]) -> bool {
    let suspects = form.suspects();
    let mut last = 0;
    s.iter().all(|&c| {
        let class = combining(c);
        let fine = flags(c) & suspects == 0 && (class == 0 || last <= class);
        last = class;
        fine
    })
}

/// `unicodedata.normalize`.
pub fn normalize(form: Form, s: &[u32]) -> Vec<u32> {
    if surely_normal(form, s) {
        return s.to_vec();
    }
    let mut out = Vec::with_capacity(s.len() + s.len() / 4);
    s.iter().for_each(|&c| decompose(c, form.compat(), &mut out));
    reorder(&mut out);
    if form.composes() {
        compose(&mut out);
    }
    out
}

/// As [`normalize`], by the decompositions of another version: `mapped` gives a character that is not
/// the present one's affair as it stands.
pub(crate) fn normalize_by(form: Form, s: &[u32], mapped: &dyn Fn(u32) -> Option<u32>) -> Vec<u32> {
    let mut out = Vec::with_capacity(s.len() + s.len() / 4);
    for &c in s {
        match mapped(c) {
            Some(other) => out.push(other),
            None => decompose(c, form.compat(), &mut out),
        }
    }
    reorder(&mut out);
    if form.composes() {
        compose(&mut out);
    }
    out
}

/// `unicodedata.is_normalized`.
pub fn is_normalized(form: Form, s: &[u32]) -> bool {
    surely_normal(form, s) || normalize(form, s) == s
}
