//! From source text to tokens.
//!
//! The lexer walks the text line by line, keeps the stacks of indentation, brackets and open
//! f- or t-strings, and hands out one token at a time. It reads UTF-8 with `\n` line ends (see
//! `source.rs`); columns are byte offsets into the line.
//!
//! Errors: where the tokenizer itself words the message (`unterminated string literal`, …) the
//! finished error is kept in [`LexError::Raised`]; the other cases are named and get their words
//! and place from the parser's error pass, which knows the tokens read so far.
//!
//! Invariant: `line_start ≤ cur ≤ line_end ≤ text.len()`; a new line is entered (and counted) only
//! when a character behind the end of the current one is asked for, so a token that ends a line
//! still belongs to it.

mod fstring;
mod ident;
mod indent;
mod number;
mod operator;
mod plain;
mod string;

use crate::error::{ErrorKind, ErrorPlace, ParseError, Warning};
use crate::token::{Kind, Token};

/// Deepest nesting of brackets.
const MAX_LEVEL: usize = 200;
/// Deepest nesting of blocks.
const MAX_INDENT: usize = 100;
/// Deepest nesting of f-strings inside f-strings.
const MAX_STRING_LEVEL: usize = 150;
/// Deepest nesting of replacement fields inside format specifiers.
const MAX_FIELD_NESTING: i32 = 3;

/// Why the lexer stopped.
#[derive(Clone, Debug, PartialEq)]
pub enum LexError {
    /// The tokenizer's own error, ready to be raised.
    Raised(Box<ParseError>),
    /// The text ends inside brackets or behind a line continuation.
    Eof,
    /// A dedent to no enclosing block's column.
    Dedent,
    /// Tabs and spaces that only agree for one tab width.
    TabSpace,
    /// More than a hundred blocks in one another.
    TooDeep,
    /// Something follows a backslash at what should be the end of a line.
    LineContinuation {
        /// Byte column of the place, from 0.
        col: i32,
    },
}

/// What the tokenizer is asked to do besides the plain tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct LexOptions {
    /// Make tokens of type comments.
    pub type_comments: bool,
    /// Make tokens of comments and blank lines, and tolerate what only the parser forbids.
    pub extra_tokens: bool,
}

#[derive(Clone, Copy)]
struct Bracket {
    open: u8,
    lineno: i32,
    col: i32,
}

/// State of one open f- or t-string.
#[derive(Clone, Copy)]
struct StringMode {
    in_text: bool,
    template: bool,
    raw: bool,
    quote: u8,
    quote_size: u8,
    start: usize,
    line_start: usize,
    first_line: i32,
    bracket_depth: i32,
    field_depth: i32,
    in_format_spec: bool,
    in_debug: bool,
}

/// The tokenizer.
pub struct Lexer<'s> {
    text: &'s str,
    src: &'s [u8],
    options: LexOptions,
    cur: usize,
    line_start: usize,
    line_end: usize,
    lineno: i32,
    /// Start of the token in work; `None` between tokens.
    start: Option<usize>,
    /// Where CPython's line buffer would begin; only one message's column depends on it.
    buffer_start: usize,
    first_lineno: i32,
    multi_line_start: usize,
    at_line_begin: bool,
    pending_indents: i32,
    indents: Vec<(u32, u32)>,
    brackets: Vec<Bracket>,
    strings: Vec<StringMode>,
    comment_newline: bool,
    reached_end: bool,
    unterminated_at_end: bool,
    error: Option<LexError>,
    warnings: Vec<Warning>,
}

const EOF: i32 = -1;

impl<'s> Lexer<'s> {
    /// A lexer over prepared text.
    pub fn new(text: &'s str, options: LexOptions) -> Lexer<'s> {
        Lexer {
            text,
            src: text.as_bytes(),
            options,
            cur: 0,
            line_start: 0,
            line_end: 0,
            lineno: 0,
            start: None,
            buffer_start: 0,
            first_lineno: 0,
            multi_line_start: 0,
            at_line_begin: true,
            pending_indents: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            strings: Vec::new(),
            comment_newline: false,
            reached_end: false,
            unterminated_at_end: false,
            error: None,
            warnings: Vec::new(),
        }
    }

    /// The next token; `ERRORTOKEN` says that [`Lexer::error`] holds the reason.
    #[inline]
    pub fn next_token(&mut self) -> Token {
        match self.strings.last() {
            Some(mode) if mode.in_text => self.string_text_token(),
            _ => self.normal_token(),
        }
    }

    /// Why the last token was an `ERRORTOKEN`.
    pub fn error(&self) -> Option<&LexError> {
        self.error.as_ref()
    }

    /// Whether the end of the text was met.
    pub fn reached_end(&self) -> bool {
        self.reached_end
    }

    /// Whether an f- or t-string is open.
    pub fn inside_string(&self) -> bool {
        !self.strings.is_empty()
    }

    /// Whether the text ends inside a string.
    pub fn unterminated_at_end(&self) -> bool {
        self.unterminated_at_end
    }

    /// The line being read.
    pub fn lineno(&self) -> i32 {
        self.lineno
    }

    /// Byte column of the reading position.
    pub fn column(&self) -> i32 {
        (self.cur - self.line_start) as i32
    }

    /// The innermost bracket that is still open: character, line, byte column.
    pub fn open_bracket(&self) -> Option<(char, i32, i32)> {
        self.brackets.last().map(|b| (b.open as char, b.lineno, b.col))
    }

    /// Warnings met so far; the list is handed over.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Drops all blocks at once: `compile(…, 'single')` ends its input with one statement.
    pub fn close_blocks(&mut self) {
        let open = self.indents.len() as i32 - 1;
        if open > 0 {
            self.pending_indents = -open;
            self.indents.truncate(1);
        }
    }

    /// Whether a block is open.
    pub fn inside_block(&self) -> bool {
        self.indents.len() > 1
    }

    #[inline]
    fn next_char(&mut self) -> i32 {
        if self.cur == self.line_end && !self.enter_line() {
            return EOF;
        }
        let byte = self.src[self.cur];
        self.cur += 1;
        i32::from(byte)
    }

    fn enter_line(&mut self) -> bool {
        if self.cur >= self.src.len() {
            self.reached_end = true;
            return false;
        }
        if self.start.is_none() {
            self.buffer_start = self.cur;
        }
        self.line_start = self.cur;
        self.lineno += 1;
        let rest = &self.src[self.cur..];
        self.line_end = self.cur + memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        true
    }

    #[inline]
    fn back(&mut self, c: i32) {
        if c != EOF {
            self.cur -= 1;
        }
    }

    /// Remembers that the text ended where one more character was looked for.
    #[inline]
    fn note_end(&mut self) {
        self.reached_end |= self.cur == self.src.len();
    }

    #[inline]
    fn peek(&self) -> u8 {
        if self.cur < self.line_end { self.src[self.cur] } else { 0 }
    }

    /// A token from `start` to the reading position.
    #[inline]
    fn token(&self, kind: Kind, start: usize) -> Token {
        self.token_to(kind, start, self.cur)
    }

    #[inline]
    fn token_to(&self, kind: Kind, start: usize, end: usize) -> Token {
        Token {
            kind,
            level: self.brackets.len() as u8,
            start: start as u32,
            end: end as u32,
            lineno: self.lineno,
            col: (start - self.line_start) as i32,
            end_lineno: self.lineno,
            end_col: (end - self.line_start) as i32,
        }
    }

    /// A token of a string, which may have begun on an earlier line.
    fn string_token(&self, kind: Kind, start: usize, end: usize) -> Token {
        Token {
            lineno: self.first_lineno,
            col: (start - self.multi_line_start.min(start)) as i32,
            ..self.token_to_safe(kind, start, end)
        }
    }

    fn token_to_safe(&self, kind: Kind, start: usize, end: usize) -> Token {
        Token {
            kind,
            level: self.brackets.len() as u8,
            start: start as u32,
            end: end as u32,
            lineno: self.lineno,
            col: 0,
            end_lineno: self.lineno,
            // Of a doubled brace the second is no text but belongs to the parser's columns.
            end_col: if self.options.extra_tokens {
                end as i32 - self.line_start as i32
            } else {
                self.column()
            },
        }
    }

    /// A token without text.
    fn empty_token(&self, kind: Kind) -> Token {
        Token {
            kind,
            level: self.brackets.len() as u8,
            start: self.cur as u32,
            end: self.cur as u32,
            lineno: self.lineno,
            col: -1,
            end_lineno: self.lineno,
            end_col: -1,
        }
    }

    #[cold]
    fn fail(&mut self, error: LexError) -> Token {
        self.error = Some(error);
        self.empty_token(Kind::ERRORTOKEN)
    }

    /// The tokenizer's own error at the reading position.
    #[cold]
    fn syntax_error(&mut self, msg: impl Into<String>) -> Token {
        self.syntax_error_range(msg, -1, -1)
    }

    #[cold]
    fn syntax_error_range(&mut self, msg: impl Into<String>, offset: i32, end_offset: i32) -> Token {
        let error = self.make_error(msg.into(), offset, end_offset);
        self.fail(LexError::Raised(Box::new(error)))
    }

    fn make_error(&self, msg: String, offset: i32, end_offset: i32) -> ParseError {
        let line = &self.src[self.line_start..];
        let length = line.iter().position(|&b| b == b'\n').unwrap_or(line.len());
        let read = String::from_utf8_lossy(&self.src[self.line_start..self.cur.max(self.line_start)]);
        let characters = |bytes: i32| {
            let end = (self.line_start + bytes.max(0) as usize).min(self.src.len());
            String::from_utf8_lossy(&self.src[self.line_start..end]).chars().count() as i32
        };
        let offset = if offset == -1 { read.chars().count() as i32 } else { characters(offset) };
        let end_offset = if end_offset == -1 { offset } else { characters(end_offset) };
        ParseError {
            kind: ErrorKind::SyntaxError,
            msg,
            place: Some(ErrorPlace {
                lineno: self.lineno,
                offset,
                end_lineno: Some(self.lineno),
                end_offset: Some(end_offset),
                text: Some(String::from_utf8_lossy(&line[..length]).into_owned()),
            }),
        }
    }

    fn warn(&mut self, msg: String, error_msg: Option<String>) {
        let error = self.make_error(error_msg.unwrap_or_else(|| msg.clone()), -1, -1);
        self.warnings.push(Warning {
            msg,
            lineno: self.lineno,
            at: self.cur as u32,
            error: Some(Box::new(error)),
        });
    }

    fn normal_token(&mut self) -> Token {
        loop {
            self.start = None;
            let mut blank_line = false;
            if self.at_line_begin {
                match self.indentation() {
                    Ok(blank) => blank_line = blank,
                    Err(token) => return token,
                }
            }
            self.start = Some(self.cur);
            if self.pending_indents != 0 {
                return self.indent_token();
            }
            if let Some(token) = self.token_on_line(blank_line) {
                return token;
            }
        }
    }

    fn indent_token(&mut self) -> Token {
        if self.pending_indents < 0 {
            self.pending_indents += 1;
            let token = self.empty_token(Kind::DEDENT);
            return match (self.options.extra_tokens, self.reached_end) {
                (false, _) => token,
                (true, true) => self.trailing_token(Kind::DEDENT),
                (true, false) => self.token(Kind::DEDENT, self.cur),
            };
        }
        self.pending_indents -= 1;
        if self.options.extra_tokens {
            return self.token(Kind::INDENT, self.line_start);
        }
        self.empty_token(Kind::INDENT)
    }

    /// The next token of the line; `None` when the line gave none and the next is to be tried.
    fn token_on_line(&mut self, blank_line: bool) -> Option<Token> {
        loop {
            self.start = None;
            let mut c;
            loop {
                c = self.next_char();
                if c != i32::from(b' ') && c != i32::from(b'\t') && c != 12 {
                    break;
                }
            }
            let start = if c == EOF { self.cur } else { self.cur - 1 };
            self.start = Some(start);
            if c == i32::from(b'#') {
                match self.comment(start, blank_line) {
                    Some(token) => return Some(token),
                    None => c = self.next_char(),
                }
            }
            if c == EOF {
                if !self.brackets.is_empty() {
                    return Some(self.fail(LexError::Eof));
                }
                return Some(self.end_token());
            }
            let byte = c as u8;
            return match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | 128.. => Some(self.word(start)),
                b'\n' => self.newline(start, blank_line),
                b'0'..=b'9' => Some(self.number(start, byte)),
                b'.' => Some(self.period(start)),
                b'"' | b'\'' => Some(self.string(start, byte)),
                b'\\' => {
                    if let Err(token) = self.continuation_line() {
                        return Some(token);
                    }
                    continue;
                }
                _ => Some(self.operator(start, byte)),
            };
        }
    }

    fn end_token(&mut self) -> Token {
        if self.options.extra_tokens {
            return self.trailing_token(Kind::ENDMARKER);
        }
        self.empty_token(Kind::ENDMARKER)
    }

    /// What follows the text stands on a line of its own.
    fn trailing_token(&self, kind: Kind) -> Token {
        let lineno = self.lineno + 1;
        Token { lineno, end_lineno: lineno, col: 0, end_col: 0, ..self.empty_token(kind) }
    }

    fn newline(&mut self, start: usize, blank_line: bool) -> Option<Token> {
        self.at_line_begin = true;
        if blank_line || !self.brackets.is_empty() {
            self.comment_newline = false;
            return self.options.extra_tokens.then(|| self.token(Kind::NL, start));
        }
        if self.comment_newline && self.options.extra_tokens {
            self.comment_newline = false;
            return Some(self.token(Kind::NL, start));
        }
        // The text ends before the newline, the columns behind it.
        Some(Token { end: start as u32, ..self.token(Kind::NEWLINE, start) })
    }

    /// Passes a comment; the line end stays unread. A token comes out only where comments or type
    /// comments are asked for.
    fn comment(&mut self, start: usize, blank_line: bool) -> Option<Token> {
        let line = &self.src[start..self.line_end];
        self.cur = start + line.strip_suffix(b"\n").unwrap_or(line).len();
        if self.options.type_comments
            && let Some(token) = self.type_comment(start, blank_line)
        {
            return Some(token);
        }
        if self.options.extra_tokens {
            self.comment_newline = blank_line;
            return Some(self.token(Kind::COMMENT, start));
        }
        None
    }

    fn type_comment(&mut self, start: usize, blank_line: bool) -> Option<Token> {
        let comment = &self.text[start..self.cur];
        let rest = comment.strip_prefix('#')?.trim_start_matches([' ', '\t']);
        let rest = rest.strip_prefix("type:")?.trim_start_matches([' ', '\t']);
        let begin = self.cur - rest.len();
        let Some(tag) = rest
            .strip_prefix("ignore")
            .filter(|tag| !tag.as_bytes().first().is_some_and(|&b| b >= 128 || b.is_ascii_alphanumeric()))
        else {
            return Some(self.token(Kind::TYPE_COMMENT, begin));
        };
        let token = self.token(Kind::TYPE_IGNORE, self.cur - tag.len());
        if blank_line {
            self.next_char();
            self.at_line_begin = true;
        }
        Some(token)
    }
}
