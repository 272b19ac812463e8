//! Text of complex numbers.

use super::{Complex, c};
use crate::float::{self, Flags};

/// `repr(x)`.
pub fn repr(x: Complex) -> String {
    let im = float::format(x.im, 'r', 0, Flags { sign: true, ..Flags::default() });
    if x.re == 0.0 && x.re.is_sign_positive() {
        return format!("{}j", im.strip_prefix('+').unwrap_or(&im));
    }
    format!("({}{im}j)", float::format(x.re, 'r', 0, Flags::default()))
}

/// Parses `complex(text)`: ASCII, other digits and blanks already mapped by the caller.
pub fn parse(text: &[u8]) -> Option<Complex> {
    let owned: Vec<u8>;
    let mut s = text;
    if s.contains(&b'_') {
        for (i, &b) in s.iter().enumerate() {
            let digit = |j: usize| s.get(j).is_some_and(u8::is_ascii_digit);
            if b == b'_' && !(i > 0 && digit(i - 1) && digit(i + 1)) {
                return None;
            }
        }
        owned = s.iter().copied().filter(|&b| b != b'_').collect();
        s = &owned;
    }
    s = trim(s);
    if let Some(inner) = s.strip_prefix(b"(") {
        s = trim(inner.strip_suffix(b")")?);
    }
    let is_j = |b: Option<&u8>| matches!(b, Some(b'j' | b'J'));
    match float::parse_prefix(s) {
        Some((x, n)) => {
            let rest = &s[n..];
            match rest.first() {
                None => Some(c(x, 0.0)),
                b if is_j(b) => (rest.len() == 1).then_some(c(0.0, x)),
                Some(b'+' | b'-') => {
                    let (y, m) = match float::parse_prefix(rest) {
                        Some(found) => found,
                        None => (if rest[0] == b'-' { -1.0 } else { 1.0 }, 1),
                    };
                    (rest.len() == m + 1 && is_j(rest.get(m))).then_some(c(x, y))
                }
                _ => None,
            }
        }
        None => {
            // Only a bare unit is left: "j", "+j", "-j".
            let n = usize::from(matches!(s.first(), Some(b'+' | b'-')));
            let y = if s.first() == Some(&b'-') { -1.0 } else { 1.0 };
            (s.len() == n + 1 && is_j(s.get(n))).then_some(c(0.0, y))
        }
    }
}

fn trim(s: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | 9..=13 | 28..=31);
    match s.iter().position(|b| !blank(b)) {
        None => &[],
        Some(a) => &s[a..=s.iter().rposition(|b| !blank(b)).unwrap_or(a)],
    }
}
