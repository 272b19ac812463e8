//! Number literals.

use super::{EOF, Lexer};
use crate::token::{Kind, Token};

fn is_digit(c: i32) -> bool {
    (48..58).contains(&c)
}

fn is(c: i32, a: u8, b: u8) -> bool {
    c == i32::from(a) || c == i32::from(b)
}

/// Whether `rest` begins with `tail` and the word ends there.
fn is_word(rest: &[u8], tail: &[u8]) -> bool {
    rest.strip_prefix(tail).is_some_and(|rest| {
        !rest.first().is_some_and(|&b| b == b'_' || b >= 128 || b.is_ascii_alphanumeric())
    })
}

impl Lexer<'_> {
    /// A number whose first digit is read.
    pub(super) fn number(&mut self, start: usize, first: u8) -> Token {
        let result = if first == b'0' { self.after_zero(start) } else { self.decimal() };
        match result {
            Ok(()) => self.token(Kind::NUMBER, start),
            Err(token) => token,
        }
    }

    /// A dot: an operator, an ellipsis, or the beginning of a fraction.
    pub(super) fn period(&mut self, start: usize) -> Token {
        self.note_end();
        let next = self.peek();
        if next.is_ascii_digit() {
            let c = self.next_char();
            return match self.fraction(c) {
                Ok(()) => self.token(Kind::NUMBER, start),
                Err(token) => token,
            };
        }
        if next == b'.' && self.cur + 1 < self.line_end && self.src[self.cur + 1] == b'.' {
            self.cur += 2;
            return self.token(Kind::ELLIPSIS, start);
        }
        self.token(Kind::DOT, start)
    }

    fn after_zero(&mut self, start: usize) -> Result<(), Token> {
        let mut c = self.next_char();
        match c as u8 {
            _ if c == EOF => {}
            b'x' | b'X' => return self.based(16, "hexadecimal"),
            b'o' | b'O' => return self.based(8, "octal"),
            b'b' | b'B' => return self.based(2, "binary"),
            _ => {}
        }
        loop {
            if c == i32::from(b'_') {
                c = self.next_char();
                if !is_digit(c) {
                    self.back(c);
                    return Err(self.syntax_error("invalid decimal literal"));
                }
            }
            if c != i32::from(b'0') {
                break;
            }
            c = self.next_char();
        }
        let zeros_end = self.cur;
        let mut nonzero = false;
        if is_digit(c) {
            nonzero = true;
            c = self.decimal_tail()?;
        }
        if c == i32::from(b'.') {
            let c = self.next_char();
            return self.fraction(c);
        }
        if is(c, b'e', b'E') {
            return self.exponent(c);
        }
        if is(c, b'j', b'J') {
            return self.imaginary();
        }
        if nonzero && !self.options.extra_tokens {
            self.back(c);
            let (begin, end) = ((start + 1 - self.line_start) as i32, (zeros_end - self.line_start) as i32);
            let msg = "leading zeros in decimal integer literals are not permitted; \
                       use an 0o prefix for octal integers";
            return Err(self.syntax_error_range(msg, begin, end));
        }
        self.end_of_number(c, "decimal")
    }

    /// Digits of base 16, 8 or 2 behind their prefix.
    fn based(&mut self, base: u32, name: &str) -> Result<(), Token> {
        let in_base = |c: i32| c != EOF && (c as u8 as char).is_digit(base);
        let mut c = self.next_char();
        loop {
            if c == i32::from(b'_') {
                c = self.next_char();
            }
            if !in_base(c) {
                if is_digit(c) {
                    return Err(self.bad_digit(c, name));
                }
                self.back(c);
                return Err(self.syntax_error(format!("invalid {name} literal")));
            }
            while in_base(c) {
                c = self.next_char();
            }
            if c != i32::from(b'_') {
                break;
            }
        }
        if is_digit(c) {
            return Err(self.bad_digit(c, name));
        }
        self.end_of_number(c, name)
    }

    fn bad_digit(&mut self, c: i32, name: &str) -> Token {
        self.syntax_error(format!("invalid digit '{}' in {name} literal", c as u8 as char))
    }

    fn decimal(&mut self) -> Result<(), Token> {
        let c = self.decimal_tail()?;
        if c == i32::from(b'.') {
            let c = self.next_char();
            return self.fraction(c);
        }
        self.after_fraction(c)
    }

    /// Digits and underscores; the result is the character read behind them.
    fn decimal_tail(&mut self) -> Result<i32, Token> {
        loop {
            let mut c = self.next_char();
            while is_digit(c) {
                c = self.next_char();
            }
            if c != i32::from(b'_') {
                return Ok(c);
            }
            c = self.next_char();
            if !is_digit(c) {
                self.back(c);
                return Err(self.syntax_error("invalid decimal literal"));
            }
        }
    }

    /// What follows the decimal point; `c` is the character behind it.
    fn fraction(&mut self, c: i32) -> Result<(), Token> {
        let c = if is_digit(c) { self.decimal_tail()? } else { c };
        self.after_fraction(c)
    }

    fn after_fraction(&mut self, c: i32) -> Result<(), Token> {
        if is(c, b'e', b'E') {
            return self.exponent(c);
        }
        if is(c, b'j', b'J') {
            return self.imaginary();
        }
        self.end_of_number(c, "decimal")
    }

    fn exponent(&mut self, e: i32) -> Result<(), Token> {
        let mut c = self.next_char();
        if is(c, b'+', b'-') {
            c = self.next_char();
            if !is_digit(c) {
                self.back(c);
                return Err(self.syntax_error("invalid decimal literal"));
            }
        } else if !is_digit(c) {
            // `1else` is a number and a word; `1e` is neither.
            self.back(c);
            return self.end_of_number(e, "decimal");
        }
        let c = self.decimal_tail()?;
        if is(c, b'j', b'J') {
            return self.imaginary();
        }
        self.end_of_number(c, "decimal")
    }

    fn imaginary(&mut self) -> Result<(), Token> {
        let c = self.next_char();
        self.end_of_number(c, "imaginary")
    }

    /// Checks that no word is glued to the number, `c` being the character read behind it, and
    /// gives `c` back. Keywords that can follow a number are let pass with a warning.
    fn end_of_number(&mut self, c: i32, name: &str) -> Result<(), Token> {
        let rest = &self.src[self.cur..self.line_end];
        let keyword = c != EOF
            && match c as u8 {
                b'a' => is_word(rest, b"nd"),
                b'e' => is_word(rest, b"lse"),
                b'f' => is_word(rest, b"or"),
                b'i' => matches!(rest.first(), Some(b'f' | b'n' | b's')),
                b'o' => is_word(rest, b"r"),
                b'n' => is_word(rest, b"ot"),
                _ => false,
            };
        self.back(c);
        if keyword {
            self.warn(format!("invalid {name} literal"), None);
            return Ok(());
        }
        if (0..128).contains(&c) && (c as u8 == b'_' || (c as u8).is_ascii_alphanumeric()) {
            return Err(self.syntax_error(format!("invalid {name} literal")));
        }
        Ok(())
    }
}
