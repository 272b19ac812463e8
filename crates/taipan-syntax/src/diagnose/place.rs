//! Where errors stand: from tokens and byte columns to the exception's lines and character offsets.

use super::grammar::NodeKind;
use super::matcher::{Matcher, NodeId, Raised};
use crate::error::{ErrorKind, ErrorPlace, ParseError};
use crate::lexer::LexError;
use crate::token::{Kind, Token};

/// A place in CPython's raw form: lines, byte columns from 1; 0 or −1 stand for themselves.
#[derive(Clone, Copy)]
pub(super) struct RawPlace {
    pub lineno: i32,
    pub col: i32,
    pub end_lineno: i32,
    pub end_col: i32,
}

/// The character offset of byte offset `col` (from 1) in `line`.
pub(crate) fn character_offset(line: &str, col: i32) -> i32 {
    let Ok(col) = usize::try_from(col) else { return col };
    let read = String::from_utf8_lossy(&line.as_bytes()[..col.min(line.len())]).chars().count() as i32;
    read + i32::from(col > line.len())
}

impl Matcher<'_> {
    fn line(&self, lineno: i32) -> &str {
        let index = usize::try_from(lineno - 1).unwrap_or(0);
        let line = self.source.split_inclusive('\n').nth(index).unwrap_or("");
        // Only the line the tokenizer is on still has its end.
        if self.lexer.lineno() > lineno { line.trim_end_matches('\n') } else { line }
    }

    /// Keeps the error, unless there is one already.
    pub(super) fn raise_at(&mut self, kind: ErrorKind, raw: RawPlace, msg: &str) {
        if self.error.is_some() {
            return;
        }
        let line = self.line(raw.lineno);
        let offset = character_offset(line, raw.col);
        let end_offset = if raw.end_col > 0 { character_offset(line, raw.end_col) } else { raw.end_col };
        let text = line.to_owned();
        self.error = Some(ParseError {
            kind,
            msg: msg.to_owned(),
            place: Some(ErrorPlace {
                lineno: raw.lineno,
                offset,
                end_lineno: Some(raw.end_lineno),
                end_offset: Some(end_offset),
                text: Some(text),
            }),
        });
    }

    pub(super) fn raise_token(&mut self, token: Token, msg: &str) {
        let raw = RawPlace {
            lineno: token.lineno,
            col: token.col + 1,
            end_lineno: token.end_lineno,
            end_col: token.end_col + 1,
        };
        self.raise_at(ErrorKind::SyntaxError, raw, msg);
    }

    /// From the beginning of one node to the end of another.
    pub(super) fn raise_nodes(&mut self, first: NodeId, last: NodeId, msg: &str) {
        let first = self.tokens[self.node(first).start as usize];
        let last = self.tokens[self.node(last).end as usize];
        let raw = RawPlace {
            lineno: first.lineno,
            col: first.col + 1,
            end_lineno: last.end_lineno,
            end_col: last.end_col + 1,
        };
        self.raise_at(ErrorKind::SyntaxError, raw, msg);
    }

    /// From a node to where the tokenizer stands.
    pub(super) fn raise_from(&mut self, first: NodeId, msg: &str) {
        let first = self.tokens[self.node(first).start as usize];
        let raw = RawPlace {
            lineno: first.lineno,
            col: first.col + 1,
            end_lineno: self.lexer.lineno(),
            end_col: self.lexer.column(),
        };
        self.raise_at(ErrorKind::SyntaxError, raw, msg);
    }

    /// At a token as the parser sees it: one without text stands where the tokenizer stands.
    fn raise_seen(&mut self, kind: ErrorKind, token: Token, msg: &str) {
        if token.kind == Kind::ERRORTOKEN && self.lexer.error() == Some(&LexError::Eof) && self.unclosed() {
            return;
        }
        self.raise_seen_plain(kind, token, msg);
    }

    fn raise_seen_plain(&mut self, kind: ErrorKind, token: Token, msg: &str) {
        let raw = RawPlace {
            lineno: token.lineno,
            col: if token.col == -1 { self.lexer.column() } else { token.col + 1 },
            end_lineno: token.end_lineno,
            end_col: if token.end_col == -1 { -1 } else { token.end_col + 1 },
        };
        self.raise_at(kind, raw, msg);
    }

    pub(super) fn raise_last(&mut self, kind: ErrorKind, msg: &str) {
        if let Some(&token) = self.tokens.last() {
            self.raise_seen(kind, token, msg);
            return;
        }
        self.raise_at(kind, RawPlace { lineno: 0, col: 0, end_lineno: 0, end_col: -1 }, msg);
    }

    /// At the next token, which is read if need be.
    pub(super) fn raise_next(&mut self, msg: &str) -> Result<(), Raised> {
        let token = self.token()?;
        self.raise_seen(ErrorKind::SyntaxError, token, msg);
        Ok(())
    }

    /// The error of a bracket that is still open, if one is.
    fn unclosed(&mut self) -> bool {
        let Some((open, lineno, col)) = self.lexer.open_bracket() else { return false };
        let raw = RawPlace { lineno, col: col + 1, end_lineno: lineno, end_col: 0 };
        self.raise_at(ErrorKind::SyntaxError, raw, &format!("'{open}' was never closed"));
        true
    }

    /// Words what the tokenizer only named.
    pub(super) fn tokenizer_error(&mut self, error: &LexError) {
        let lineno = self.lexer.lineno();
        let line = |col| RawPlace { lineno, col, end_lineno: lineno, end_col: 0 };
        match error {
            LexError::Raised(error) => {
                self.error.get_or_insert_with(|| (**error).clone());
            }
            LexError::Eof => {
                if !self.unclosed() {
                    self.raise_last(ErrorKind::SyntaxError, "unexpected EOF while parsing");
                }
            }
            LexError::Dedent => {
                let msg = "unindent does not match any outer indentation level";
                self.raise_last(ErrorKind::IndentationError, msg);
            }
            LexError::TabSpace => {
                let msg = "inconsistent use of tabs and spaces in indentation";
                self.raise_at(ErrorKind::TabError, line(1), msg);
            }
            LexError::TooDeep => {
                self.raise_at(ErrorKind::IndentationError, line(1), "too many levels of indentation");
            }
            LexError::LineContinuation { col } => {
                let msg = "unexpected character after line continuation character";
                self.raise_at(ErrorKind::SyntaxError, line(*col + 1), msg);
            }
        }
    }

    pub fn last_token(&self) -> Option<Token> {
        self.tokens.last().copied()
    }

    /// Whether the text ended where more was expected.
    pub fn ended(&self) -> bool {
        match self.lexer.error() {
            None | Some(LexError::Eof) => self.lexer.reached_end(),
            Some(LexError::Raised(_)) => self.lexer.unterminated_at_end(),
            Some(_) => false,
        }
    }

    pub fn forget_error(&mut self) {
        self.error = None;
    }

    pub fn raise_here(&mut self, kind: ErrorKind, msg: &str) -> ParseError {
        match self.tokens.last() {
            Some(&token) => self.raise_seen_plain(kind, token, msg),
            None => self.raise_last(kind, msg),
        }
        self.taken_error()
    }

    fn taken_error(&mut self) -> ParseError {
        self.error.take().unwrap_or_else(|| {
            ParseError::bare(ErrorKind::SyntaxError, "error at start before reading any input")
        })
    }

    /// The error raised by the parser, unless the rest of the text has a worse one.
    pub fn finish_error(&mut self) -> ParseError {
        let error = self.taken_error();
        let from_parser = self.lexer.error().is_none() && !self.lexer.reached_end();
        let syntactic =
            matches!(error.kind, ErrorKind::SyntaxError | ErrorKind::IndentationError | ErrorKind::TabError);
        if from_parser && syntactic { self.error_in_rest().unwrap_or(error) } else { error }
    }

    /// The error when no rule had anything to say.
    pub fn generic_error(&mut self, last: Option<Token>) -> ParseError {
        let Some(token) = last else {
            return self.raise_here(ErrorKind::SyntaxError, "error at start before reading any input");
        };
        match token.kind {
            Kind::INDENT => return self.raise_here(ErrorKind::IndentationError, "unexpected indent"),
            Kind::DEDENT => return self.raise_here(ErrorKind::IndentationError, "unexpected unindent"),
            _ => {}
        }
        self.raise_token(token, "invalid syntax");
        let error = self.taken_error();
        self.error_in_rest().unwrap_or(error)
    }

    /// Reads the rest of the text for an error of the tokenizer, or a bracket opened on an earlier
    /// line and never closed, which explain more than what the parser stumbled over.
    fn error_in_rest(&mut self) -> Option<ParseError> {
        let current = self.tokens.last().map_or(0, |token| token.lineno);
        loop {
            let kind = self.lexer.next_token().kind;
            if kind == Kind::ENDMARKER {
                return None;
            }
            if kind == Kind::ERRORTOKEN {
                break;
            }
        }
        // What is wrong inside an f-string is for its own parts to say.
        if self.lexer.inside_string() {
            return None;
        }
        if let Some(LexError::Raised(error)) = self.lexer.error() {
            return Some((**error).clone());
        }
        let (_, lineno, _) = self.lexer.open_bracket()?;
        if current <= lineno {
            return None;
        }
        self.unclosed();
        self.error.take()
    }

    /// The text fits, so what the quick parser refused is more than one statement, or too deep.
    pub fn error_after_success(&mut self) -> ParseError {
        if self.mode == crate::Mode::Single {
            let msg = "multiple statements found while compiling a single statement";
            return self.raise_here(ErrorKind::SyntaxError, msg);
        }
        let msg = "Parser stack overflowed - Python source too complex to parse";
        ParseError::bare(ErrorKind::MemoryError, msg)
    }

    /// Whether a node is a token of this kind.
    pub(super) fn is_token(&self, id: NodeId, kind: Kind) -> bool {
        let node = self.node(id);
        node.kind == NodeKind::Token && self.tokens[node.start as usize].kind == kind
    }
}
