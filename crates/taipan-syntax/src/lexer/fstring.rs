//! The text parts of f-strings and t-strings.
//!
//! Such a string is a START token, then MIDDLE tokens of text alternating with the ordinary tokens
//! of replacement fields, then an END token. Each open string has a [`StringMode`] on a stack, which
//! says whether text or a field is being read. Of a doubled brace one is kept: the MIDDLE token ends
//! behind the first, and the second is passed over.

use super::{EOF, Lexer, MAX_FIELD_NESTING, MAX_STRING_LEVEL, StringMode};
use crate::token::{Kind, Token};

impl Lexer<'_> {
    /// Opens an f- or t-string whose prefix and first quote are read.
    pub(super) fn open_string(&mut self, start: usize, quote: u8, template: bool, raw: bool) -> Token {
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let mut quote_size = 1;
        if self.peek() == quote && self.cur + 1 < self.line_end && self.src[self.cur + 1] == quote {
            self.cur += 2;
            quote_size = 3;
        }
        if self.strings.len() + 1 >= MAX_STRING_LEVEL {
            return self.syntax_error("too many nested f-strings or t-strings");
        }
        self.strings.push(StringMode {
            in_text: true,
            template,
            raw,
            quote,
            quote_size,
            start,
            line_start: self.line_start,
            first_line: self.lineno,
            bracket_depth: 0,
            field_depth: -1,
            in_format_spec: false,
            in_debug: false,
        });
        let kind = if template { Kind::TSTRING_START } else { Kind::FSTRING_START };
        self.string_token(kind, start, self.cur)
    }

    fn mode(&mut self) -> &mut StringMode {
        self.strings.last_mut().expect("text of a string is only read while one is open")
    }

    /// The next token where text is being read.
    pub(super) fn string_text_token(&mut self) -> Token {
        let mode = *self.mode();
        self.start = Some(self.cur);
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let start = self.cur;
        let c = self.next_char();
        if c == i32::from(b'{') {
            let next = self.peek();
            self.back(c);
            if next != b'{' || mode.in_format_spec && mode.field_depth >= 0 {
                return match self.enter_field() {
                    Some(error) => error,
                    None => self.normal_token(),
                };
            }
        } else {
            self.back(c);
        }
        if self.at_closing_quotes(&mode) {
            // The first character may have stood on a new line, which is where the token begins.
            self.multi_line_start = self.line_start;
            self.first_lineno = self.lineno;
            self.cur += usize::from(mode.quote_size);
            self.strings.pop();
            let kind = if mode.template { Kind::TSTRING_END } else { Kind::FSTRING_END };
            return self.string_token(kind, start, self.cur);
        }
        self.string_middle(start, &mode)
    }

    fn at_closing_quotes(&self, mode: &StringMode) -> bool {
        let rest = &self.src[self.cur..];
        let size = usize::from(mode.quote_size);
        rest.len() >= size && rest[..size].iter().all(|&b| b == mode.quote)
    }

    /// Goes over to reading a field; too deep nesting is an error.
    fn enter_field(&mut self) -> Option<Token> {
        let mode = self.mode();
        mode.field_depth += 1;
        if mode.field_depth >= MAX_FIELD_NESTING {
            let letter = self.string_letter();
            return Some(self.syntax_error(format!("{letter}-string: expressions nested too deeply")));
        }
        mode.in_text = false;
        None
    }

    fn middle_token(&self, mode: &StringMode, start: usize, end: usize) -> Token {
        let kind = if mode.template { Kind::TSTRING_MIDDLE } else { Kind::FSTRING_MIDDLE };
        self.string_token(kind, start, end)
    }

    fn string_middle(&mut self, start: usize, mode: &StringMode) -> Token {
        self.multi_line_start = self.line_start;
        let in_format_spec = mode.in_format_spec && mode.field_depth >= 0;
        let mut named_escape = false;
        let mut run = 0;
        while run != mode.quote_size {
            let c = self.next_char();
            if c == EOF || (mode.quote_size == 1 && c == i32::from(b'\n')) {
                self.unterminated_at_end = c == EOF && mode.quote_size == 3;
                return self.unterminated_text(mode, c, in_format_spec);
            }
            if c == i32::from(mode.quote) {
                run += 1;
                continue;
            }
            run = 0;
            match c as u8 {
                b'{' => {
                    let doubled = self.peek() == b'{';
                    if !doubled || in_format_spec {
                        self.back(c);
                        if let Some(error) = self.enter_field() {
                            return error;
                        }
                        return self.middle_token(mode, start, self.cur);
                    }
                    self.cur += 1;
                    return self.middle_token(mode, start, self.cur - 1);
                }
                b'}' => {
                    if named_escape {
                        return self.middle_token(mode, start, self.cur);
                    }
                    if self.peek() == b'}' && !in_format_spec && mode.bracket_depth == 0 {
                        self.cur += 1;
                        return self.middle_token(mode, start, self.cur - 1);
                    }
                    self.back(c);
                    self.mode().in_text = false;
                    return self.middle_token(mode, start, self.cur);
                }
                b'\\' => {
                    let next = self.next_char();
                    if next == i32::from(b'{') || next == i32::from(b'}') {
                        if !mode.raw {
                            self.warn_escaped_brace(next as u8 as char);
                        }
                        self.back(next);
                    } else if !mode.raw && next == i32::from(b'N') && self.peek() == b'{' {
                        self.cur += 1;
                        named_escape = true;
                    }
                }
                _ => {}
            }
        }
        self.cur -= usize::from(mode.quote_size);
        self.middle_token(mode, start, self.cur)
    }

    fn warn_escaped_brace(&mut self, c: char) {
        let (msg, error) = crate::literal::invalid_escape_messages(c);
        self.warn(msg, Some(error));
    }

    /// The error is told at the string's first character.
    fn unterminated_text(&mut self, mode: &StringMode, c: i32, in_format_spec: bool) -> Token {
        let letter = self.string_letter();
        if in_format_spec && c == i32::from(b'\n') {
            return self.syntax_error(format!(
                "{letter}-string: newlines are not allowed in format specifiers for single quoted {letter}-strings"
            ));
        }
        let detected = self.lineno;
        self.cur = mode.start + 1;
        self.line_start = mode.line_start;
        self.lineno = mode.first_line;
        let triple = if mode.quote_size == 3 { "triple-quoted " } else { "" };
        self.syntax_error(format!(
            "unterminated {triple}{letter}-string literal (detected at line {detected})"
        ))
    }
}
