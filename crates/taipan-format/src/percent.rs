//! `%`-formats: `%[(key)][flags][width][.precision][length]conversion`.

use std::ops::Range;

/// A width or precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Not given.
    None,
    /// Written out.
    Given(usize),
    /// `*`: the next argument says it.
    Star,
}

/// One conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PercentSpec {
    /// Where the key is in the format, when there is one.
    pub key: Option<Range<usize>>,
    /// `-`.
    pub left: bool,
    /// `+`.
    pub sign: bool,
    /// Blank.
    pub blank: bool,
    /// `#`.
    pub alternate: bool,
    /// `0`.
    pub zero: bool,
    /// Least width.
    pub width: Amount,
    /// Precision.
    pub precision: Amount,
    /// The conversion character.
    pub conversion: u32,
    /// Where it is, for the error about an unknown one.
    pub index: usize,
}

/// A piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text to copy.
    Text(Range<usize>),
    /// A conversion; `%%` too.
    Spec(PercentSpec),
}

/// Cuts a format into pieces. After an error it ends.
#[derive(Clone, Debug)]
pub struct Percent<'s> {
    s: &'s [u32],
    pos: usize,
}

impl<'s> Percent<'s> {
    /// Starts at the beginning.
    pub fn new(s: &'s [u32]) -> Self {
        Percent { s, pos: 0 }
    }

    fn peek(&self) -> Result<u32, &'static str> {
        self.s.get(self.pos).copied().ok_or("incomplete format")
    }

    fn key(&mut self) -> Result<Option<Range<usize>>, &'static str> {
        if self.s.get(self.pos) != Some(&(b'(' as u32)) {
            return Ok(None);
        }
        self.pos += 1;
        let start = self.pos;
        let mut depth = 1;
        while let Some(&c) = self.s.get(self.pos) {
            self.pos += 1;
            match u8::try_from(c) {
                Ok(b'(') => depth += 1,
                Ok(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(Some(start..self.pos - 1));
            }
        }
        Err("incomplete format key")
    }

    fn amount(&mut self, limit: usize, too_big: &'static str) -> Result<Amount, &'static str> {
        if self.peek()? == b'*' as u32 {
            self.pos += 1;
            return Ok(Amount::Star);
        }
        let mut n = 0usize;
        let start = self.pos;
        while let Some(d) = self.s.get(self.pos).and_then(|&c| c.checked_sub(48)).filter(|&d| d < 10) {
            if n > (limit - d as usize) / 10 {
                return Err(too_big);
            }
            n = n * 10 + d as usize;
            self.pos += 1;
        }
        Ok(if self.pos > start { Amount::Given(n) } else { Amount::None })
    }

    fn spec(&mut self) -> Result<PercentSpec, &'static str> {
        let mut p = PercentSpec {
            key: self.key()?,
            left: false,
            sign: false,
            blank: false,
            alternate: false,
            zero: false,
            width: Amount::None,
            precision: Amount::None,
            conversion: 0,
            index: 0,
        };
        loop {
            match u8::try_from(self.peek()?) {
                Ok(b'-') => p.left = true,
                Ok(b'+') => p.sign = true,
                Ok(b' ') => p.blank = true,
                Ok(b'#') => p.alternate = true,
                Ok(b'0') => p.zero = true,
                _ => break,
            }
            self.pos += 1;
        }
        p.width = self.amount(isize::MAX as usize, "width too big")?;
        if self.peek()? == b'.' as u32 {
            self.pos += 1;
            p.precision = match self.amount(i32::MAX as usize, "precision too big")? {
                Amount::None => Amount::Given(0),
                given => given,
            };
        }
        if matches!(u8::try_from(self.peek()?), Ok(b'h' | b'l' | b'L')) {
            self.pos += 1;
        }
        p.conversion = self.peek()?;
        p.index = self.pos;
        self.pos += 1;
        Ok(p)
    }
}

impl Iterator for Percent<'_> {
    type Item = Result<Piece, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.pos;
        let n = self.s[start..].iter().position(|&c| c == b'%' as u32);
        let end = n.map_or(self.s.len(), |n| start + n);
        if end > start {
            self.pos = end;
            return Some(Ok(Piece::Text(start..end)));
        }
        n?;
        self.pos += 1;
        let r = self.spec().map(Piece::Spec);
        if r.is_err() {
            self.pos = self.s.len();
        }
        Some(r)
    }
}

/// The error for an unknown conversion of a `str` format.
pub fn unsupported(spec: &PercentSpec) -> String {
    let shown = if (32..127).contains(&spec.conversion) { spec.conversion as u8 as char } else { '?' };
    format!("unsupported format character '{shown}' (0x{:x}) at index {}", spec.conversion, spec.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chars;

    fn first_error(s: &str) -> &'static str {
        Percent::new(&chars(s)).find_map(Result::err).unwrap()
    }

    #[test]
    fn pieces() {
        let s = chars("ab%(k(1))-+ #0*.*ldc%%");
        let all: Vec<Piece> = Percent::new(&s).map(Result::unwrap).collect();
        assert_eq!(all.len(), 4);
        let Piece::Spec(p) = &all[1] else { panic!() };
        assert_eq!(p.key, Some(4..8));
        assert!(p.left && p.sign && p.blank && p.alternate && p.zero);
        assert_eq!((p.width, p.precision, p.conversion), (Amount::Star, Amount::Star, 'd' as u32));
    }

    #[test]
    fn errors() {
        assert_eq!(first_error("%"), "incomplete format");
        assert_eq!(first_error("%l"), "incomplete format");
        assert_eq!(first_error("%(a"), "incomplete format key");
        assert_eq!(first_error("%99999999999999999999d"), "width too big");
        assert_eq!(first_error("%.999999999999999999999d"), "precision too big");
    }
}
