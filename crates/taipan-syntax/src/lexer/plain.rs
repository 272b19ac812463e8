//! The common case in one go: words, operators, whole numbers and string literals, line after line.
//!
//! Nearly all tokens of a program need nothing of the lexer's state but the place. [`Lexer::plain_tokens`] reads them
//! in a loop that keeps the place in local variables, and stops before whatever needs more thought: f-strings, tabs,
//! continued lines, odd numbers, other letters than ASCII's, errors. [`Lexer::next_token`] reads that, and could have
//! read all the rest as well.
//!
//! Invariants: state and tokens are at every stop what `next_token` would have made of the text so far. The text ends
//! in a newline, so nothing plain ends with the text. What cannot be read to its end is looked at twice at most.

use super::ident::{plain_prefix, word_end};
use super::operator::{bracket_pair, one, two_or_three};
use super::{Bracket, Lexer, MAX_INDENT, MAX_LEVEL};
use crate::token::{Kind, Token};

/// What a byte begins.
#[derive(Clone, Copy)]
enum Class {
    Space,
    Word,
    Digit,
    Quote,
    Dot,
    Open,
    Close,
    Operator,
    Newline,
    Comment,
    /// Nothing plain.
    Other,
}

static CLASS: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'"' | b'\'' => Class::Quote,
            b'.' => Class::Dot,
            b'(' | b'[' | b'{' => Class::Open,
            b')' | b']' | b'}' => Class::Close,
            b':' | b',' | b';' | b'+' | b'-' | b'*' | b'/' | b'|' | b'&' | b'<' | b'>' | b'=' | b'%'
            | b'~' | b'^' | b'@' | b'!' => Class::Operator,
            b'\n' => Class::Newline,
            b'#' => Class::Comment,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

/// Behind the spaces from `at` on.
#[inline]
fn behind_spaces(src: &[u8], mut at: usize) -> usize {
    while let Some(rest) = src.get(at..)
        && rest.first_chunk() == Some(b"        ")
    {
        at += 8;
    }
    while src.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Behind the newline from `at` on, or the end of the text.
#[inline]
fn behind_line(src: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &src[at..]).map_or(src.len(), |n| at + n + 1)
}

/// Behind the string literal whose first quote stands at `open`, and whether it may have several lines.
#[inline]
fn string_end(src: &[u8], open: usize) -> Option<(usize, bool)> {
    let quote = src[open];
    let mut at = open + 1;
    if src.get(at) == Some(&quote) {
        if src.get(at + 1) != Some(&quote) {
            return Some((at + 1, false));
        }
        return triple_end(src, quote, at + 2).map(|end| (end, true));
    }
    loop {
        at += memchr::memchr3(quote, b'\\', b'\n', src.get(at..)?)?;
        match src[at] {
            b'\\' if src.get(at + 1) != Some(&b'\n') => at += 2,
            b'\\' | b'\n' => return None,
            _ => return Some((at + 1, false)),
        }
    }
}

/// Behind the three quotes that end the literal with the text from `at` on.
fn triple_end(src: &[u8], quote: u8, mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(quote, b'\\', src.get(at..)?)?;
        if src[at] == b'\\' {
            at += 2;
        } else if src.get(at + 1) != Some(&quote) {
            at += 1;
        } else if src.get(at + 2) != Some(&quote) {
            at += 2;
        } else {
            return Some(at + 3);
        }
    }
}

/// Behind the whole number that begins at `start`.
#[inline]
fn whole_number_end(src: &[u8], start: usize) -> Option<usize> {
    let mut end = start + 1;
    while src.get(end)?.is_ascii_digit() {
        end += 1;
    }
    let zeros = src[start] == b'0' && end > start + 1;
    let goes_on = matches!(src[end], b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | 128..);
    (!zeros && !goes_on).then_some(end)
}

impl Lexer<'_> {
    /// Appends the tokens that come next, up to one that is not plain.
    pub fn plain_tokens(&mut self, tokens: &mut Vec<Token>) {
        let options = self.options.type_comments || self.options.extra_tokens;
        if options || !self.strings.is_empty() || self.pending_indents != 0 || !self.src.ends_with(b"\n") {
            return;
        }
        while (!self.at_line_begin || self.plain_indentation(tokens)) && self.plain_line(tokens) {}
    }

    /// Passes blank lines and the white space the next line begins with.
    fn plain_indentation(&mut self, tokens: &mut Vec<Token>) -> bool {
        let src = self.src;
        loop {
            let begin = self.cur;
            let at = behind_spaces(src, begin);
            let end = match src.get(at) {
                Some(b'\n') => at + 1,
                Some(b'#') => behind_line(src, at),
                Some(b'\t' | 12 | b'\\') | None => return false,
                Some(_) => {
                    if self.brackets.is_empty() && !self.plain_blocks((at - begin) as u32, at, tokens) {
                        return false;
                    }
                    self.enter_plain_line(begin);
                    self.cur = at;
                    self.at_line_begin = false;
                    return true;
                }
            };
            self.enter_plain_line(begin);
            (self.cur, self.line_end) = (end, end);
        }
    }

    #[inline]
    fn enter_plain_line(&mut self, begin: usize) {
        self.buffer_start = begin;
        self.line_start = begin;
        self.lineno += 1;
    }

    /// Opens and closes blocks as the indentation of the next line says.
    #[inline]
    fn plain_blocks(&mut self, col: u32, at: usize, tokens: &mut Vec<Token>) -> bool {
        match self.indents.last() {
            Some(&(block, alt_block)) if col == block && col == alt_block => true,
            Some(&(block, alt_block)) if col > block => {
                let fits = col > alt_block && self.indents.len() < MAX_INDENT;
                if fits {
                    self.indents.push((col, col));
                    tokens.push(self.block_token(Kind::INDENT, at));
                }
                fits
            }
            _ => {
                let block = self.indents.iter().rposition(|block| *block == (col, col));
                if let Some(block) = block {
                    let dedent = self.block_token(Kind::DEDENT, at);
                    tokens.extend(self.indents.drain(block + 1..).map(|_| dedent));
                }
                block.is_some()
            }
        }
    }

    /// The token for a block that the line to be entered opens or closes.
    fn block_token(&self, kind: Kind, at: usize) -> Token {
        let lineno = self.lineno + 1;
        let at = at as u32;
        Token { kind, level: 0, start: at, end: at, lineno, col: -1, end_lineno: lineno, end_col: -1 }
    }

    /// Reads on in the line; whether its end was reached.
    fn plain_line(&mut self, tokens: &mut Vec<Token>) -> bool {
        let src = self.src;
        let (mut lineno, mut line_start) = (self.lineno, self.line_start);
        let mut level = self.brackets.len();
        let mut start = self.cur;
        let ended = loop {
            let Some(&byte) = src.get(start) else { break false };
            let (kind, mut end) = match CLASS[usize::from(byte)] {
                Class::Space => {
                    start += 1;
                    continue;
                }
                Class::Word => {
                    let end = word_end(src, start);
                    match src.get(end) {
                        Some(b'"' | b'\'') if plain_prefix(&src[start..end]) => (Kind::STRING, end),
                        Some(b'"' | b'\'' | 128..) | None => break false,
                        _ => (Kind::of_word(&src[start..end]), end),
                    }
                }
                Class::Digit => match whole_number_end(src, start) {
                    Some(end) => (Kind::NUMBER, end),
                    None => break false,
                },
                Class::Quote => (Kind::STRING, start),
                Class::Dot => match (src.get(start + 1), src.get(start + 2)) {
                    (Some(b'0'..=b'9'), _) => break false,
                    (Some(b'.'), Some(b'.')) => (Kind::ELLIPSIS, start + 3),
                    _ => (Kind::DOT, start + 1),
                },
                Class::Open => {
                    if level >= MAX_LEVEL {
                        break false;
                    }
                    let col = (start - line_start) as i32;
                    self.brackets.push(Bracket { open: byte, lineno, col });
                    level += 1;
                    (one(byte), start + 1)
                }
                Class::Close => {
                    if !self.brackets.last().is_some_and(|bracket| bracket_pair(bracket.open, byte)) {
                        break false;
                    }
                    self.brackets.pop();
                    level -= 1;
                    (one(byte), start + 1)
                }
                Class::Operator => match two_or_three(src, start) {
                    Some((kind, length)) => (kind, start + length),
                    None => (one(byte), start + 1),
                },
                Class::Newline | Class::Comment => {
                    let behind = if byte == b'#' { behind_line(src, start) } else { start + 1 };
                    // With a comment the token begins there; its text ends before it, the columns behind it.
                    if level == 0 {
                        tokens.push(Token {
                            kind: Kind::NEWLINE,
                            level: 0,
                            start: start as u32,
                            end: start as u32,
                            lineno,
                            col: (start - line_start) as i32,
                            end_lineno: lineno,
                            end_col: (behind - line_start) as i32,
                        });
                    }
                    start = behind;
                    break true;
                }
                Class::Other => break false,
            };
            let (first_lineno, first_line) = (lineno, line_start);
            if kind == Kind::STRING {
                let Some((behind, lines)) = string_end(src, end) else { break false };
                let text = &src[end..behind];
                if lines && let Some(newline) = memchr::memrchr(b'\n', text) {
                    line_start = end + newline + 1;
                    lineno += memchr::memchr_iter(b'\n', text).count() as i32;
                }
                end = behind;
            }
            tokens.push(Token {
                kind,
                level: level as u8,
                start: start as u32,
                end: end as u32,
                lineno: first_lineno,
                col: (start - first_line) as i32,
                end_lineno: lineno,
                end_col: (end - line_start) as i32,
            });
            start = end;
        };
        (self.lineno, self.line_start, self.cur) = (lineno, line_start, start);
        if ended {
            self.line_end = start;
        } else if self.line_end <= start {
            // Looked for once in a line, however long it is.
            self.line_end = behind_line(src, start);
        }
        self.at_line_begin = ended;
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::{LexError, LexOptions};

    /// All tokens, as text, and the error that ends them.
    fn tokens(text: &str, plain: bool) -> (Vec<String>, Option<LexError>) {
        let mut lexer = Lexer::new(text, LexOptions::default());
        let mut tokens = Vec::new();
        loop {
            if plain {
                lexer.plain_tokens(&mut tokens);
            }
            let token = lexer.next_token();
            tokens.push(token);
            if matches!(token.kind, Kind::ENDMARKER | Kind::ERRORTOKEN) {
                return (tokens.iter().map(|token| format!("{token:?}")).collect(), lexer.error().cloned());
            }
        }
    }

    const PIECES: &[&str] = &[
        "a",
        "if",
        "x1_",
        "é",
        " ",
        "  ",
        "        ",
        "\t",
        "\x0c",
        "\n",
        "\n",
        "\n    ",
        "\n        ",
        "\n\t",
        "\\\n",
        "\\",
        "#c\n",
        "# c",
        "1",
        "0",
        "00",
        "01",
        "1.5",
        "0x1f",
        "1_0",
        "1if",
        "'a'",
        "\"b\"",
        "''",
        "'\\''",
        "'\\\n'",
        "'''",
        "\"\"\"",
        "'",
        "\"",
        "rb'x'",
        "f'{",
        "f'",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        ":",
        ":=",
        "=",
        "==",
        "!=",
        "!",
        "<",
        "<<=",
        "**",
        "//=",
        "->",
        ".",
        "...",
        "..",
        ".5",
        "$",
        "?",
        "\0",
    ];

    #[test]
    fn plain_tokens_are_those_that_come_one_by_one() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..1 + (state >> 33) % 30 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += PIECES[(state >> 33) as usize % PIECES.len()];
            }
            if state >> 62 != 0 {
                text += "\n";
            }
            assert_eq!(tokens(&text, true), tokens(&text, false), "{text:?}");
        }
    }
}
