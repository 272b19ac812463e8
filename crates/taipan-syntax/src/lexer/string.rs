//! Plain string and bytes literals.

use super::{EOF, Lexer};
use crate::token::{Kind, Token};

impl Lexer<'_> {
    /// A literal whose prefix and first quote are read.
    pub(super) fn string(&mut self, start: usize, quote: u8) -> Token {
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let mut size = 1;
        if self.peek() == quote {
            self.cur += 1;
            if self.peek() != quote {
                return self.string_token(Kind::STRING, start, self.cur);
            }
            self.cur += 1;
            size = 3;
        }
        let mut escaped_quote = false;
        let mut run = 0;
        while run != size {
            if run == 0 {
                self.skip_plain(quote);
            }
            let c = self.next_char();
            if c == EOF || (size == 1 && c == i32::from(b'\n')) {
                self.unterminated_at_end = c == EOF;
                return self.unterminated(start, quote, size, escaped_quote);
            }
            if c == i32::from(quote) {
                run += 1;
                continue;
            }
            run = 0;
            if c == i32::from(b'\\') {
                escaped_quote |= self.next_char() == i32::from(quote);
            }
        }
        self.string_token(Kind::STRING, start, self.cur)
    }

    /// Passes characters of the line that cannot end or escape anything.
    #[inline]
    fn skip_plain(&mut self, quote: u8) {
        let rest = &self.src[self.cur..self.line_end];
        let plain = memchr::memchr3(quote, b'\\', b'\n', rest);
        self.cur += plain.unwrap_or(rest.len());
    }

    /// The error is told at the opening quote, or at the prefix before it.
    fn unterminated(&mut self, start: usize, quote: u8, size: u8, escaped_quote: bool) -> Token {
        let detected = self.lineno;
        self.cur = start + 1;
        self.line_start = self.multi_line_start;
        self.lineno = self.first_lineno;
        // A quote that could end the string around is rather that end than the start of a literal.
        if self.strings.last().is_some_and(|mode| mode.quote == quote && mode.quote_size == size) {
            let letter = self.string_letter();
            return self.syntax_error(format!("{letter}-string: expecting '}}'"));
        }
        let triple = if size == 3 { "triple-quoted " } else { "" };
        let hint = if size == 1 && escaped_quote { "; perhaps you escaped the end quote?" } else { "" };
        self.syntax_error(format!("unterminated {triple}string literal (detected at line {detected}){hint}"))
    }
}
