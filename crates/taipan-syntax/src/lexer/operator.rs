//! Operators, brackets, and the characters that mean something only inside an f-string's field.

use super::{Bracket, Lexer, MAX_LEVEL};
use crate::token::{Kind, Token};
use crate::unicode;

/// The operator of one byte.
#[inline]
pub(super) fn one(c: u8) -> Kind {
    ONE[usize::from(c)]
}

static ONE: [Kind; 256] = {
    let mut table = [Kind::OP; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = kind_of_one(byte as u8);
        byte += 1;
    }
    table
};

const fn kind_of_one(c: u8) -> Kind {
    match c {
        b'(' => Kind::LPAR,
        b')' => Kind::RPAR,
        b'[' => Kind::LSQB,
        b']' => Kind::RSQB,
        b'{' => Kind::LBRACE,
        b'}' => Kind::RBRACE,
        b':' => Kind::COLON,
        b',' => Kind::COMMA,
        b';' => Kind::SEMI,
        b'+' => Kind::PLUS,
        b'-' => Kind::MINUS,
        b'*' => Kind::STAR,
        b'/' => Kind::SLASH,
        b'|' => Kind::VBAR,
        b'&' => Kind::AMPER,
        b'<' => Kind::LESS,
        b'>' => Kind::GREATER,
        b'=' => Kind::EQUAL,
        b'.' => Kind::DOT,
        b'%' => Kind::PERCENT,
        b'~' => Kind::TILDE,
        b'^' => Kind::CIRCUMFLEX,
        b'@' => Kind::AT,
        b'!' => Kind::EXCLAMATION,
        _ => Kind::OP,
    }
}

fn two(a: u8, b: u8) -> Option<Kind> {
    Some(match (a, b) {
        (b'=', b'=') => Kind::EQEQUAL,
        (b'!', b'=') => Kind::NOTEQUAL,
        (b'<', b'=') => Kind::LESSEQUAL,
        (b'<', b'<') => Kind::LEFTSHIFT,
        (b'>', b'=') => Kind::GREATEREQUAL,
        (b'>', b'>') => Kind::RIGHTSHIFT,
        (b'+', b'=') => Kind::PLUSEQUAL,
        (b'-', b'=') => Kind::MINEQUAL,
        (b'-', b'>') => Kind::RARROW,
        (b'*', b'*') => Kind::DOUBLESTAR,
        (b'*', b'=') => Kind::STAREQUAL,
        (b'/', b'/') => Kind::DOUBLESLASH,
        (b'/', b'=') => Kind::SLASHEQUAL,
        (b'|', b'=') => Kind::VBAREQUAL,
        (b'%', b'=') => Kind::PERCENTEQUAL,
        (b'&', b'=') => Kind::AMPEREQUAL,
        (b'^', b'=') => Kind::CIRCUMFLEXEQUAL,
        (b'@', b'=') => Kind::ATEQUAL,
        (b':', b'=') => Kind::COLONEQUAL,
        _ => return None,
    })
}

fn three(a: u8, b: u8, c: u8) -> Option<Kind> {
    Some(match (a, b, c) {
        (b'<', b'<', b'=') => Kind::LEFTSHIFTEQUAL,
        (b'>', b'>', b'=') => Kind::RIGHTSHIFTEQUAL,
        (b'*', b'*', b'=') => Kind::DOUBLESTAREQUAL,
        (b'/', b'/', b'=') => Kind::DOUBLESLASHEQUAL,
        _ => return None,
    })
}

/// The operator of several bytes at `start`, and how many they are.
#[inline]
pub(super) fn two_or_three(src: &[u8], start: usize) -> Option<(Kind, usize)> {
    let next = *src.get(start + 1)?;
    if matches!(next, b'=' | b'<' | b'>' | b'*' | b'/') { long_operator(&src[start..]) } else { None }
}

#[inline(never)]
fn long_operator(src: &[u8]) -> Option<(Kind, usize)> {
    let [a, b, rest @ ..] = src else { return None };
    let kind = two(*a, *b)?;
    let longer = rest.first().and_then(|c| three(*a, *b, *c));
    Some(longer.map_or((kind, 2), |kind| (kind, 3)))
}

/// Whether a bracket closes the other.
#[inline]
pub(super) fn bracket_pair(open: u8, close: u8) -> bool {
    matches!((open, close), (b'(', b')') | (b'[', b']') | (b'{', b'}'))
}

impl Lexer<'_> {
    /// An operator whose first byte is read.
    pub(super) fn operator(&mut self, start: usize, c: u8) -> Token {
        if !self.strings.is_empty()
            && matches!(c, b':' | b'}' | b'!' | b'{')
            && let Some(token) = self.field_punctuation(start, c)
        {
            return token;
        }
        self.note_end();
        if let Some((kind, length)) = two_or_three(&self.src[..self.line_end], start) {
            self.cur = start + length;
            if length == 2 {
                self.note_end();
            }
            return self.token(kind, start);
        }
        match c {
            b'(' | b'[' | b'{' => {
                if let Some(token) = self.open_bracket_at(start, c) {
                    return token;
                }
            }
            b')' | b']' | b'}' => {
                if let Some(token) = self.close_bracket_at(c) {
                    return token;
                }
            }
            _ => {}
        }
        if !c.is_ascii_graphic() && !unicode::is_printable(c as char) {
            return self.syntax_error(format!("invalid non-printable character U+{c:04X}"));
        }
        if c == b'='
            && let Some(mode) = self.strings.last_mut()
            && mode.bracket_depth - mode.field_depth == 1
        {
            mode.in_debug = true;
        }
        self.token(one(c), start)
    }

    /// A colon that ends a field's expression and begins its format specifier.
    fn field_punctuation(&mut self, start: usize, c: u8) -> Option<Token> {
        let mode = self.strings.last_mut()?;
        if mode.field_depth < 0 {
            return None;
        }
        let cursor = mode.bracket_depth - i32::from(c != b'{');
        if c == b':' && cursor == mode.field_depth {
            mode.in_text = true;
            mode.in_format_spec = true;
            return Some(self.token(Kind::COLON, start));
        }
        None
    }

    fn open_bracket_at(&mut self, start: usize, c: u8) -> Option<Token> {
        if self.brackets.len() >= MAX_LEVEL {
            return Some(self.syntax_error("too many nested parentheses"));
        }
        let col = (start - self.line_start) as i32;
        self.brackets.push(Bracket { open: c, lineno: self.lineno, col });
        if let Some(mode) = self.strings.last_mut() {
            mode.bracket_depth += 1;
        }
        None
    }

    fn close_bracket_at(&mut self, c: u8) -> Option<Token> {
        let shown = c as char;
        if c == b'}' && self.strings.last().is_some_and(|mode| mode.bracket_depth == 0) {
            let letter = self.string_letter();
            return Some(self.syntax_error(format!("{letter}-string: single '}}' is not allowed")));
        }
        let extra = self.options.extra_tokens;
        match self.brackets.pop() {
            None if !extra => return Some(self.syntax_error(format!("unmatched '{shown}'"))),
            None => {}
            Some(Bracket { open, lineno, .. }) if !bracket_pair(open, c) && !extra => {
                return Some(self.mismatch(open, lineno, shown));
            }
            Some(_) => {}
        }
        if let Some(mode) = self.strings.last_mut() {
            mode.bracket_depth -= 1;
            if mode.bracket_depth < 0 {
                let letter = self.string_letter();
                return Some(self.syntax_error(format!("{letter}-string: unmatched '{shown}'")));
            }
            if c == b'}' && mode.bracket_depth == mode.field_depth {
                mode.field_depth -= 1;
                mode.in_text = true;
                mode.in_format_spec = false;
                mode.in_debug = false;
            }
        }
        None
    }

    fn mismatch(&mut self, open: u8, lineno: i32, shown: char) -> Token {
        if open == b'{'
            && let Some(mode) = self.strings.last()
            && mode.bracket_depth - 1 == mode.field_depth
        {
            let letter = self.string_letter();
            return self.syntax_error(format!("{letter}-string: unmatched '{shown}'"));
        }
        let opened = open as char;
        let mut msg = format!("closing parenthesis '{shown}' does not match opening parenthesis '{opened}'");
        if lineno != self.lineno {
            msg += &format!(" on line {lineno}");
        }
        self.syntax_error(msg)
    }

    /// `f` or `t`, for messages about the string being read.
    pub(super) fn string_letter(&self) -> char {
        if self.strings.last().is_some_and(|mode| mode.template) { 't' } else { 'f' }
    }
}
