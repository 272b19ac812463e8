//! Templates of `str.format`: literal text, `{field!conversion:spec}`, and field names.

use crate::integer;
use std::ops::Range;

/// A replacement field; ranges point into the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What stands before `!` or `:`.
    pub name: Range<usize>,
    /// The character behind `!`.
    pub conversion: Option<u32>,
    /// The specification, perhaps empty.
    pub spec: Range<usize>,
    /// The specification has fields of its own.
    pub nested: bool,
}

/// One step: literal text (with a doubled brace cut to one), then perhaps a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Text to copy.
    pub literal: Range<usize>,
    /// The field behind it.
    pub field: Option<Field>,
}

/// Walks a template. After an error it ends.
#[derive(Clone, Debug)]
pub struct Template<'s> {
    s: &'s [u32],
    pos: usize,
    end: usize,
}

const OPEN: u32 = b'{' as u32;
const CLOSE: u32 = b'}' as u32;

impl<'s> Template<'s> {
    /// All of `s`.
    pub fn new(s: &'s [u32]) -> Self {
        Template { s, pos: 0, end: s.len() }
    }

    /// The part `range` of `s`, for nested specifications.
    pub fn part(s: &'s [u32], range: Range<usize>) -> Self {
        Template { s, pos: range.start, end: range.end.min(s.len()) }
    }

    fn step(&mut self) -> Result<Step, &'static str> {
        let start = self.pos;
        let mut brace = 0;
        while self.pos < self.end {
            let c = self.s[self.pos];
            self.pos += 1;
            if c == OPEN || c == CLOSE {
                brace = c;
                break;
            }
        }
        if brace == 0 {
            return Ok(Step { literal: start..self.pos, field: None });
        }
        let next = if self.pos < self.end { Some(self.s[self.pos]) } else { None };
        if next == Some(brace) {
            self.pos += 1;
            return Ok(Step { literal: start..self.pos - 1, field: None });
        }
        if brace == CLOSE {
            return Err("Single '}' encountered in format string");
        }
        if next.is_none() {
            return Err("Single '{' encountered in format string");
        }
        let literal = start..self.pos - 1;
        Ok(Step { literal, field: Some(self.field()?) })
    }

    fn field(&mut self) -> Result<Field, &'static str> {
        let start = self.pos;
        let mut in_brackets = false;
        let mut stop = 0;
        while self.pos < self.end {
            let c = self.s[self.pos];
            self.pos += 1;
            match u8::try_from(c) {
                Ok(b'{') if !in_brackets => return Err("unexpected '{' in field name"),
                Ok(b'[') => in_brackets = true,
                Ok(b']') => in_brackets = false,
                Ok(b'}' | b':' | b'!') if !in_brackets => {
                    stop = c;
                    break;
                }
                _ => {}
            }
        }
        if stop == 0 {
            return Err("expected '}' before end of string");
        }
        let name = start..self.pos - 1;
        let mut f = Field { name, conversion: None, spec: self.pos..self.pos, nested: false };
        if stop == CLOSE {
            f.spec = self.pos - 1..self.pos - 1;
            return Ok(f);
        }
        if stop == b'!' as u32 {
            if self.pos >= self.end {
                return Err("end of string while looking for conversion specifier");
            }
            f.conversion = Some(self.s[self.pos]);
            self.pos += 1;
            if self.pos < self.end {
                let c = self.s[self.pos];
                self.pos += 1;
                if c == CLOSE {
                    f.spec = self.pos - 1..self.pos - 1;
                    return Ok(f);
                }
                if c != b':' as u32 {
                    return Err("expected ':' after conversion specifier");
                }
            }
        }
        let from = self.pos;
        let mut depth = 1;
        while self.pos < self.end {
            let c = self.s[self.pos];
            self.pos += 1;
            if c == OPEN {
                f.nested = true;
                depth += 1;
            } else if c == CLOSE {
                depth -= 1;
                if depth == 0 {
                    f.spec = from..self.pos - 1;
                    return Ok(f);
                }
            }
        }
        Err("unmatched '{' in format spec")
    }
}

impl Iterator for Template<'_> {
    type Item = Result<Step, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pos >= self.end {
            return None;
        }
        let r = self.step();
        if r.is_err() {
            self.pos = self.end;
        }
        Some(r)
    }
}

/// The first part of a field name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// Nothing: the next argument.
    Auto,
    /// A number: that argument.
    Index(usize),
    /// A keyword.
    Name(Range<usize>),
}

/// A later part of a field name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// `.name`.
    Attribute(Range<usize>),
    /// `[5]`.
    Index(usize),
    /// `[text]`.
    Key(Range<usize>),
}

/// Reads all of `range` as a number.
fn whole_integer(s: &[u32], range: &Range<usize>) -> Result<Option<usize>, &'static str> {
    let mut pos = range.start;
    let n = integer(&s[..range.end], &mut pos)?;
    Ok(n.filter(|_| pos == range.end))
}

/// The parts of a field name behind the first.
#[derive(Clone, Debug)]
pub struct Parts<'s> {
    s: &'s [u32],
    pos: usize,
    end: usize,
}

/// Splits a field name into its first part and the others.
pub fn split_name(s: &[u32], name: Range<usize>) -> Result<(First, Parts<'_>), &'static str> {
    let dot = |c: &u32| *c == b'.' as u32 || *c == b'[' as u32;
    let end = s[name.clone()].iter().position(dot).map_or(name.end, |n| name.start + n);
    let range = name.start..end;
    let first = if range.is_empty() {
        First::Auto
    } else {
        match whole_integer(s, &range)? {
            Some(n) => First::Index(n),
            None => First::Name(range),
        }
    };
    Ok((first, Parts { s, pos: end, end: name.end }))
}

impl Parts<'_> {
    fn part(&mut self) -> Result<Part, &'static str> {
        let opener = self.s[self.pos];
        self.pos += 1;
        let rest = &self.s[self.pos..self.end];
        let start = self.pos;
        let part = if opener == b'.' as u32 {
            let n = rest.iter().position(|&c| c == b'.' as u32 || c == b'[' as u32).unwrap_or(rest.len());
            self.pos += n;
            Part::Attribute(start..self.pos)
        } else if opener == b'[' as u32 {
            let n = rest.iter().position(|&c| c == b']' as u32).ok_or("Missing ']' in format string")?;
            self.pos += n + 1;
            let range = start..start + n;
            match whole_integer(self.s, &range)? {
                Some(n) => Part::Index(n),
                None => Part::Key(range),
            }
        } else {
            return Err("Only '.' or '[' may follow ']' in format field specifier");
        };
        match &part {
            Part::Attribute(r) | Part::Key(r) if r.is_empty() => Err("Empty attribute in format string"),
            _ => Ok(part),
        }
    }
}

impl Iterator for Parts<'_> {
    type Item = Result<Part, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pos >= self.end {
            return None;
        }
        let r = self.part();
        if r.is_err() {
            self.pos = self.end;
        }
        Some(r)
    }
}

/// Counts automatic fields and refuses a mixture with numbered ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoNumber {
    next: usize,
    manual: Option<bool>,
}

impl AutoNumber {
    /// The argument for a first part; `None` for a keyword.
    pub fn index(&mut self, first: &First) -> Result<Option<usize>, &'static str> {
        let manual = match first {
            First::Name(_) => return Ok(None),
            First::Index(_) => true,
            First::Auto => false,
        };
        match *self.manual.get_or_insert(manual) {
            was if was == manual => {}
            true => return Err("cannot switch from manual field specification to automatic field numbering"),
            false => {
                return Err("cannot switch from automatic field numbering to manual field specification");
            }
        }
        if let First::Index(n) = first {
            return Ok(Some(*n));
        }
        self.next += 1;
        Ok(Some(self.next - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chars;

    #[test]
    fn errors() {
        for (s, want) in [
            ("{", "Single '{' encountered in format string"),
            ("x}y", "Single '}' encountered in format string"),
            ("{0", "expected '}' before end of string"),
            ("{0!", "end of string while looking for conversion specifier"),
            ("{0!r", "unmatched '{' in format spec"),
            ("{0!rr}", "expected ':' after conversion specifier"),
            ("{0!}", "unmatched '{' in format spec"),
            ("{0:{}", "unmatched '{' in format spec"),
            ("{0[}", "expected '}' before end of string"),
            ("{0{", "unexpected '{' in field name"),
        ] {
            let got = Template::new(&chars(s)).find_map(Result::err);
            assert_eq!(got, Some(want), "{s}");
        }
    }

    #[test]
    fn names() {
        let s = chars("0.a[k][7]");
        let (first, parts) = split_name(&s, 0..s.len()).unwrap();
        assert_eq!(first, First::Index(0));
        let parts: Vec<Part> = parts.map(Result::unwrap).collect();
        assert_eq!(parts, [Part::Attribute(2..3), Part::Key(4..5), Part::Index(7)]);
        for (s, want) in [
            ("0[]", "Empty attribute in format string"),
            ("0..a", "Empty attribute in format string"),
            ("0[a", "Missing ']' in format string"),
            ("0[a]b", "Only '.' or '[' may follow ']' in format field specifier"),
            ("0[99999999999999999999]", "Too many decimal digits in format string"),
        ] {
            let s = chars(s);
            let (_, mut parts) = split_name(&s, 0..s.len()).unwrap();
            assert_eq!(parts.find_map(Result::err), Some(want));
        }
    }
}
