//! `feature_version`: text that older versions of the language do not know is refused on demand.
//!
//! Such text is Python, so the error pass would not find anything wrong with it. The parser itself notes the error,
//! with the place of the last token that CPython's parser has looked at by then.

use super::{Fail, Parse, Parser};
use crate::diagnose::character_offset;
use crate::error::{ErrorKind, ErrorPlace, ParseError};

/// The version that knows everything.
pub(crate) const NEWEST: u8 = 14;

impl Parser<'_> {
    /// Fails unless the language is at least version 3.`minor`; the current token has been looked at.
    #[inline]
    pub(super) fn require(&mut self, minor: u8, what: &str) -> Parse<()> {
        if self.feature_version >= minor { Ok(()) } else { self.too_new(self.pos, minor, what) }
    }

    /// The same behind a block, where nothing has been looked at but the block.
    #[inline]
    pub(super) fn require_behind(&mut self, minor: u8, what: &str) -> Parse<()> {
        if self.feature_version >= minor { Ok(()) } else { self.too_new(self.pos - 1, minor, what) }
    }

    #[cold]
    fn too_new(&mut self, at: usize, minor: u8, what: &str) -> Parse<()> {
        let token = self.tokens[at];
        let line = self.source.split_inclusive('\n').nth(token.lineno as usize - 1).unwrap_or("");
        let offset = |col: i32| if col < 0 { -1 } else { character_offset(line, col + 1) };
        let error = ParseError {
            kind: ErrorKind::SyntaxError,
            msg: format!("{what} only supported in Python 3.{minor} and greater"),
            place: Some(ErrorPlace {
                lineno: token.lineno,
                offset: offset(token.col),
                end_lineno: Some(token.end_lineno),
                end_offset: Some(offset(token.end_col)),
                text: Some(line.to_owned()),
            }),
        };
        self.own_error.get_or_insert_with(|| Box::new(error));
        Err(Fail)
    }
}
