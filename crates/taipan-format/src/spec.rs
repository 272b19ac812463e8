//! `[[fill]align][sign][z][#][0][width][grouping][.precision[grouping]][type]`.

use crate::integer;
use std::collections::TryReserveError;

/// A specification taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Character that fills up.
    pub fill: u32,
    /// One of `<`, `>`, `^`, `=`.
    pub align: u8,
    /// Whether the alignment was written out (or follows from a leading zero).
    pub align_given: bool,
    /// `+`, `-` or blank when given.
    pub sign: Option<u8>,
    /// `z`.
    pub no_neg_0: bool,
    /// `#`.
    pub alternate: bool,
    /// Least width.
    pub width: Option<usize>,
    /// `,` or `_` between groups of whole digits.
    pub thousands: Option<u8>,
    /// Digits after the point, or most characters of a string.
    pub precision: Option<usize>,
    /// `,` or `_` between groups of decimals.
    pub frac_thousands: Option<u8>,
    /// Type letter; 0 when none was given and the type has no default.
    pub ty: u32,
}

const BOTH: &str = "Cannot specify both ',' and '_'.";

fn grouping(s: &[u32], pos: &mut usize) -> Result<Option<u8>, String> {
    let mut found = None;
    if s.get(*pos) == Some(&(b',' as u32)) {
        found = Some(b',');
        *pos += 1;
    }
    if s.get(*pos) == Some(&(b'_' as u32)) {
        if found.is_some() {
            return Err(BOTH.into());
        }
        found = Some(b'_');
        *pos += 1;
    }
    if s.get(*pos) == Some(&(b',' as u32)) && found == Some(b'_') {
        return Err(BOTH.into());
    }
    Ok(found)
}

fn bad_grouping(sep: u8, ty: u32) -> String {
    let sep = sep as char;
    match ty {
        33..=127 => format!("Cannot specify '{sep}' with '{}'.", ty as u8 as char),
        _ => format!("Cannot specify '{sep}' with '\\x{ty:x}'."),
    }
}

/// The error for a type letter that a type does not know.
pub fn unknown_type(ty: u32, type_name: &str) -> String {
    match ty {
        33..=127 => format!("Unknown format code '{}' for object of type '{type_name}'", ty as u8 as char),
        _ => format!("Unknown format code '\\x{ty:x}' for object of type '{type_name}'"),
    }
}

impl Spec {
    /// Reads a specification for a value of type `type_name`, whose default type letter and alignment are
    /// given.
    pub fn parse(s: &[u32], type_name: &str, default_type: u32, default_align: u8) -> Result<Spec, String> {
        let is_align = |c: Option<&u32>| {
            c.and_then(|&c| u8::try_from(c).ok()).filter(|c| matches!(c, b'<' | b'>' | b'=' | b'^'))
        };
        let mut spec = Spec {
            fill: b' ' as u32,
            align: default_align,
            align_given: false,
            sign: None,
            no_neg_0: false,
            alternate: false,
            width: None,
            thousands: None,
            precision: None,
            frac_thousands: None,
            ty: default_type,
        };
        let mut pos = 0;
        let mut fill_given = false;
        if let Some(a) = is_align(s.get(1)) {
            (spec.align, spec.fill, fill_given, spec.align_given) = (a, s[0], true, true);
            pos = 2;
        } else if let Some(a) = is_align(s.first()) {
            (spec.align, spec.align_given) = (a, true);
            pos = 1;
        }
        let eat = |pos: &mut usize, c: u8| {
            let yes = s.get(*pos) == Some(&(c as u32));
            *pos += yes as usize;
            yes
        };
        spec.sign = [b'+', b'-', b' '].into_iter().find(|&c| eat(&mut pos, c));
        spec.no_neg_0 = eat(&mut pos, b'z');
        spec.alternate = eat(&mut pos, b'#');
        if !fill_given && eat(&mut pos, b'0') {
            spec.fill = b'0' as u32;
            if !spec.align_given && default_align == b'>' {
                (spec.align, spec.align_given) = (b'=', true);
            }
        }
        spec.width = integer(s, &mut pos)?;
        spec.thousands = grouping(s, &mut pos)?;
        if eat(&mut pos, b'.') {
            spec.precision = integer(s, &mut pos)?;
            spec.frac_thousands = grouping(s, &mut pos)?;
            if spec.precision.is_none() && spec.frac_thousands.is_none() {
                return Err("Format specifier missing precision".into());
            }
        }
        match s.len() - pos {
            0 => {}
            1 => spec.ty = s[pos],
            _ => {
                let text: String = s.iter().map(|&c| char::from_u32(c).unwrap_or('\u{fffd}')).collect();
                return Err(format!("Invalid format specifier '{text}' for object of type '{type_name}'"));
            }
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), String> {
        let ty = u8::try_from(self.ty).unwrap_or(255);
        if let Some(sep) = self.thousands {
            let fine = match ty {
                b'd' | b'e' | b'f' | b'g' | b'E' | b'G' | b'%' | b'F' | 0 => true,
                b'b' | b'o' | b'x' | b'X' => sep == b'_',
                _ => false,
            };
            if !fine {
                return Err(bad_grouping(sep, self.ty));
            }
        }
        match self.frac_thousands {
            Some(sep) if ty == b'n' => Err(bad_grouping(sep, self.ty)),
            _ => Ok(()),
        }
    }

    /// Whether there is memory for the width, asked before anything is laid out: code points of the digits, of their
    /// groups, of the whole, and the str.
    ///
    /// # Errors
    /// When there is not.
    pub fn check_room(&self) -> Result<(), TryReserveError> {
        Vec::<[u32; 4]>::new().try_reserve_exact(self.width.unwrap_or(0))
    }

    /// Checks what a string refuses.
    pub fn check_str(&self) -> Result<(), String> {
        Err(match self {
            Spec { sign: Some(b' '), .. } => "Space not allowed in string format specifier",
            Spec { sign: Some(_), .. } => "Sign not allowed in string format specifier",
            Spec { no_neg_0: true, .. } => {
                "Negative zero coercion (z) not allowed in string format specifier"
            }
            Spec { alternate: true, .. } => "Alternate form (#) not allowed in string format specifier",
            Spec { align: b'=', .. } => "'=' alignment not allowed in string format specifier",
            _ => return Ok(()),
        }
        .into())
    }

    /// Checks what an integer refuses; the type is one of `b c d n o x X`.
    pub fn check_int(&self) -> Result<(), String> {
        let c = self.ty == b'c' as u32;
        Err(match self {
            Spec { precision: Some(_), .. } => "Precision not allowed in integer format specifier",
            Spec { no_neg_0: true, .. } => {
                "Negative zero coercion (z) not allowed in integer format specifier"
            }
            Spec { sign: Some(_), .. } if c => "Sign not allowed with integer format specifier 'c'",
            Spec { alternate: true, .. } if c => {
                "Alternate form (#) not allowed with integer format specifier 'c'"
            }
            _ => return Ok(()),
        }
        .into())
    }

    /// Checks what a complex number refuses.
    pub fn check_complex(&self) -> Result<(), String> {
        if self.fill == b'0' as u32 {
            return Err("Zero padding is not allowed in complex format specifier".into());
        }
        if self.align == b'=' {
            return Err("'=' alignment flag is not allowed in complex format specifier".into());
        }
        Ok(())
    }
}

/// Fill characters before and behind something `len` long.
pub fn padding(len: usize, width: Option<usize>, align: u8) -> (usize, usize) {
    let n = width.unwrap_or(0).saturating_sub(len);
    match align {
        b'<' => (0, n),
        b'^' => (n / 2, n - n / 2),
        _ => (n, 0),
    }
}

/// Lays out a string: cut to the precision, filled to the width.
pub fn layout_str(text: &[u32], spec: &Spec) -> Vec<u32> {
    let text = &text[..text.len().min(spec.precision.unwrap_or(usize::MAX))];
    let (left, right) = padding(text.len(), spec.width, spec.align);
    let mut out = Vec::with_capacity(left + text.len() + right);
    out.extend(std::iter::repeat_n(spec.fill, left));
    out.extend_from_slice(text);
    out.extend(std::iter::repeat_n(spec.fill, right));
    out
}

/// How digits are grouped and what the point looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    /// Between groups of whole digits.
    pub separator: Vec<u32>,
    /// Sizes of groups from the point on, the last repeated; a 0 ends repetition, as in C's `lconv`.
    pub sizes: Vec<u8>,
    /// Replaces `.`.
    pub point: Vec<u32>,
    /// Between groups of three decimals.
    pub frac_separator: Option<u8>,
}

impl Grouping {
    /// As a specification asks; for type `n` the caller fills it from the locale.
    pub fn from_spec(spec: &Spec) -> Grouping {
        let by_four = matches!(u8::try_from(spec.ty), Ok(b'b' | b'o' | b'x' | b'X'));
        Grouping {
            separator: spec.thousands.map(|c| c as u32).into_iter().collect(),
            sizes: if spec.thousands.is_some() { vec![if by_four { 4 } else { 3 }] } else { vec![] },
            point: vec![b'.' as u32],
            frac_separator: spec.frac_thousands,
        }
    }
}

/// Puts separators into digits and zeros before them until `min_width` characters are there.
pub fn group_digits(digits: &[u8], g: &Grouping, min_width: usize) -> Vec<u32> {
    let mut out = Vec::new(); // backwards
    let mut rest = digits;
    let mut left = min_width as isize;
    let mut sizes = g.sizes.iter().copied();
    let mut size = 0usize;
    let mut first = true;
    loop {
        match sizes.next() {
            // "No further grouping": one group takes all.
            Some(0 | 127) => size = usize::MAX,
            Some(n) => size = n as usize,
            None if size == 0 => size = usize::MAX,
            None => {}
        }
        if !first {
            left -= g.separator.len() as isize;
            out.extend(g.separator.iter().rev());
        }
        first = false;
        let need = (rest.len() as isize).max(left).max(1) as usize;
        let take = size.min(need);
        let from_digits = take.min(rest.len());
        let (head, tail) = rest.split_at(rest.len() - from_digits);
        out.extend(tail.iter().rev().map(|&b| b as u32));
        out.extend(std::iter::repeat_n(b'0' as u32, take - from_digits));
        rest = head;
        left -= take as isize;
        if rest.is_empty() && left <= 0 {
            break;
        }
    }
    out.reverse();
    out
}

/// Lays out a number. `text` is what follows sign and prefix: digits, then perhaps a point, decimals, an
/// exponent or a `%`; or `inf`, `nan`. Complex parts and `c` come without digits and are only padded.
pub fn layout_number(negative: bool, prefix: &str, text: &str, spec: &Spec, g: &Grouping) -> Vec<u32> {
    let sign = match (negative, spec.sign) {
        (true, _) => Some(b'-'),
        (false, Some(s @ (b'+' | b' '))) => Some(s),
        _ => None,
    };
    let hex = spec.ty == b'x' as u32 || spec.ty == b'X' as u32;
    let is_digit = |b: &u8| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    let n = text.bytes().take_while(is_digit).count();
    let (digits, tail) = text.split_at(n);
    let tail = layout_tail(tail, g);
    let head = sign.is_some() as usize + prefix.len();
    let zeros = spec.fill == b'0' as u32 && spec.align == b'=';
    let min_width = if zeros { spec.width.unwrap_or(0).saturating_sub(head + tail.len()) } else { 0 };
    let grouped = if digits.is_empty() { vec![] } else { group_digits(digits.as_bytes(), g, min_width) };
    let total = head + grouped.len() + tail.len();
    let (left, right) = padding(total, spec.width, spec.align);
    let mut out = Vec::with_capacity(total + left + right);
    let fill = |out: &mut Vec<u32>, n| out.extend(std::iter::repeat_n(spec.fill, n));
    if spec.align != b'=' {
        fill(&mut out, left);
    }
    out.extend(sign.map(|c| c as u32));
    out.extend(prefix.bytes().map(|c| c as u32));
    if spec.align == b'=' {
        fill(&mut out, left);
    }
    out.extend(grouped);
    out.extend(tail);
    fill(&mut out, right);
    out
}

fn layout_tail(tail: &str, g: &Grouping) -> Vec<u32> {
    let Some(rest) = tail.strip_prefix('.') else { return crate::chars(tail) };
    let mut out = g.point.clone();
    let n = rest.bytes().take_while(u8::is_ascii_digit).count();
    for (i, b) in rest.bytes().enumerate() {
        if let Some(sep) = g.frac_separator
            && i > 0
            && i < n
            && i % 3 == 0
        {
            out.push(sep as u32);
        }
        out.push(b as u32);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chars;

    fn parse(s: &str, ty: char, align: u8) -> Result<Spec, String> {
        Spec::parse(&chars(s), "int", ty as u32, align)
    }
    fn number(negative: bool, text: &str, s: &str) -> String {
        let spec = parse(s, '\0', b'>').unwrap();
        let out = layout_number(negative, "", text, &spec, &Grouping::from_spec(&spec));
        out.iter().map(|&c| char::from_u32(c).unwrap()).collect()
    }

    #[test]
    fn errors() {
        let e = |s: &str| parse(s, 'd', b'>').unwrap_err();
        assert_eq!(e(",,"), "Cannot specify ',' with ','.");
        assert_eq!(e(",_"), BOTH);
        assert_eq!(e("_,"), BOTH);
        assert_eq!(e(".3,_f"), BOTH);
        assert_eq!(e("_n"), "Cannot specify '_' with 'n'.");
        assert_eq!(e(".3_n"), "Cannot specify '_' with 'n'.");
        assert_eq!(e("."), "Format specifier missing precision");
        assert_eq!(e("5x5"), "Invalid format specifier '5x5' for object of type 'int'");
        assert_eq!(e("99999999999999999999"), "Too many decimal digits in format string");
        assert_eq!(unknown_type(0xfc, "float"), "Unknown format code '\\xfc' for object of type 'float'");
    }

    #[test]
    fn numbers() {
        assert_eq!(number(false, "1234567", "015,"), "000,001,234,567");
        assert_eq!(number(false, "1234567.50", "020,.2f"), "0,000,001,234,567.50");
        assert_eq!(number(false, "1234567.123456789", ",.9_f"), "1,234,567.123_456_789");
        assert_eq!(number(true, "12", "=+6"), "-   12");
        assert_eq!(number(true, "inf", "08"), "-0000inf");
        assert_eq!(number(false, "7", "*^+6"), "**+7**");
        assert_eq!(number(false, "1.500000", ".,f"), "1.500,000");
    }

    #[test]
    fn strings() {
        let spec = Spec::parse(&chars("*^7.3"), "str", 's' as u32, b'<').unwrap();
        assert_eq!(layout_str(&chars("abcdef"), &spec), chars("**abc**"));
        let spec = Spec::parse(&chars("05"), "str", 's' as u32, b'<').unwrap();
        assert_eq!(layout_str(&chars("a"), &spec), chars("a0000"));
    }
}
