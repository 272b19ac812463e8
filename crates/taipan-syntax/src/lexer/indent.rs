//! Indentation and continued lines.

use super::{EOF, LexError, Lexer, MAX_INDENT};
use crate::token::Token;

/// Tab stops for the column that decides, and for the one that only checks consistency.
const TAB_SIZE: u32 = 8;

impl Lexer<'_> {
    /// Reads the white space a line begins with and notes the blocks it opens or closes. The result
    /// says whether the line holds nothing else than a comment.
    pub(super) fn indentation(&mut self) -> Result<bool, Token> {
        let (mut col, mut alt_col) = (0_u32, 0_u32);
        // Where a backslash splits the indentation, the first line's column counts.
        let mut continued = 0;
        self.at_line_begin = false;
        let mut c = self.next_char();
        if c == i32::from(b' ') {
            let spaces = self.src[self.cur..self.line_end].iter().take_while(|byte| **byte == b' ').count();
            self.cur += spaces;
            (col, alt_col) = (spaces as u32 + 1, spaces as u32 + 1);
            c = self.next_char();
        }
        loop {
            match c as u8 {
                _ if c == EOF => break,
                b' ' => {
                    col += 1;
                    alt_col += 1;
                }
                b'\t' => {
                    col = (col / TAB_SIZE + 1) * TAB_SIZE;
                    alt_col += 1;
                }
                12 => (col, alt_col) = (0, 0),
                b'\\' => {
                    if continued == 0 {
                        continued = col;
                    }
                    self.continuation_line()?;
                }
                _ => break,
            }
            c = self.next_char();
        }
        self.back(c);
        if c == i32::from(b'#') || c == i32::from(b'\n') {
            return Ok(true);
        }
        if self.brackets.is_empty() {
            if continued != 0 {
                (col, alt_col) = (continued, continued);
            }
            self.change_blocks(col, alt_col)?;
        }
        Ok(false)
    }

    fn change_blocks(&mut self, col: u32, alt_col: u32) -> Result<(), Token> {
        let (block, alt_block) = *self.indents.last().unwrap_or(&(0, 0));
        if col == block {
            return if alt_col == alt_block { Ok(()) } else { Err(self.fail_line(LexError::TabSpace)) };
        }
        if col > block {
            if self.indents.len() >= MAX_INDENT {
                return Err(self.fail_line(LexError::TooDeep));
            }
            if alt_col <= alt_block {
                return Err(self.fail_line(LexError::TabSpace));
            }
            self.pending_indents += 1;
            self.indents.push((col, alt_col));
            return Ok(());
        }
        while self.indents.len() > 1 && self.indents.last().is_some_and(|top| col < top.0) {
            self.pending_indents -= 1;
            self.indents.pop();
        }
        let (block, alt_block) = *self.indents.last().unwrap_or(&(0, 0));
        if col != block {
            return Err(self.fail_line(LexError::Dedent));
        }
        if alt_col != alt_block {
            return Err(self.fail_line(LexError::TabSpace));
        }
        Ok(())
    }

    /// Fails with the rest of the line taken as read.
    fn fail_line(&mut self, error: LexError) -> Token {
        self.cur = self.line_end;
        self.fail(error)
    }

    /// Goes on to the line behind a backslash.
    pub(super) fn continuation_line(&mut self) -> Result<(), Token> {
        if self.next_char() != i32::from(b'\n') {
            let col = (self.cur - self.buffer_start) as i32 - 1;
            return Err(self.fail(LexError::LineContinuation { col }));
        }
        let c = self.next_char();
        if c == EOF {
            return Err(self.fail_line(LexError::Eof));
        }
        self.back(c);
        Ok(())
    }
}
