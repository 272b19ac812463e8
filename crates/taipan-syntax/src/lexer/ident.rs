//! Words: identifiers, keywords, and the prefixes of string literals.

use super::Lexer;
use crate::token::{Kind, Token};
use crate::unicode;

#[derive(Default)]
pub(super) struct Prefix {
    pub b: bool,
    pub r: bool,
    pub u: bool,
    pub f: bool,
    pub t: bool,
}

/// Of each byte, whether a word goes on with it.
static CONTINUES_WORD: [bool; 256] = word_bytes(true);
static CONTINUES_ASCII_WORD: [bool; 256] = word_bytes(false);

const fn word_bytes(other_letters: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = (byte as u8).is_ascii_alphanumeric() || byte == b'_' as usize;
        table[byte] = ascii || (other_letters && byte >= 128);
        byte += 1;
    }
    table
}

/// Behind the ASCII letters and digits from `start` on.
#[inline]
pub(super) fn word_end(src: &[u8], start: usize) -> usize {
    let mut end = start;
    // Eight at a time the compiler needs no loop.
    while let Some(chunk) = src.get(end..).and_then(|rest| rest.first_chunk::<8>()) {
        match chunk.iter().position(|byte| !CONTINUES_ASCII_WORD[usize::from(*byte)]) {
            Some(length) => return end + length,
            None => end += 8,
        }
    }
    while src.get(end).is_some_and(|byte| CONTINUES_ASCII_WORD[usize::from(*byte)]) {
        end += 1;
    }
    end
}

/// Whether a literal with this prefix is a string or bytes literal without fields.
pub(super) fn plain_prefix(word: &[u8]) -> bool {
    string_prefix(word).is_some_and(|p| !p.f && !p.t && !(p.u && (p.b || p.r)))
}

impl Lexer<'_> {
    /// A word, of which the first byte is read; or a string literal with a prefix.
    pub(super) fn word(&mut self, start: usize) -> Token {
        let line = &self.src[..self.line_end];
        let mut at = word_end(line, start);
        let ascii = line.get(at).is_none_or(u8::is_ascii);
        if !ascii {
            at += line[at..].iter().take_while(|byte| CONTINUES_WORD[usize::from(**byte)]).count();
        }
        if at - start <= 5
            && let Some(&quote) = line.get(at)
            && (quote == b'"' || quote == b'\'')
            && let Some(prefix) = string_prefix(&line[start..at])
        {
            self.cur = at + 1;
            return self.prefixed_string(start, quote, &prefix);
        }
        self.cur = at;
        self.note_end();
        if !ascii && let Some(token) = self.invalid_identifier(start) {
            return token;
        }
        let kind = if self.options.extra_tokens { Kind::NAME } else { Kind::of_word(&self.src[start..at]) };
        self.token(kind, start)
    }

    fn prefixed_string(&mut self, start: usize, quote: u8, prefix: &Prefix) -> Token {
        let clash = match prefix {
            Prefix { u: true, b: true, .. } => Some(('u', 'b')),
            Prefix { u: true, r: true, .. } => Some(('u', 'r')),
            Prefix { u: true, f: true, .. } => Some(('u', 'f')),
            Prefix { u: true, t: true, .. } => Some(('u', 't')),
            Prefix { b: true, f: true, .. } => Some(('b', 'f')),
            Prefix { b: true, t: true, .. } => Some(('b', 't')),
            Prefix { f: true, t: true, .. } => Some(('f', 't')),
            _ => None,
        };
        if let Some((a, b)) = clash {
            let begin = (start + 1 - self.line_start) as i32;
            let end = (self.cur - self.line_start) as i32;
            return self.syntax_error_range(format!("'{a}' and '{b}' prefixes are incompatible"), begin, end);
        }
        if prefix.f || prefix.t {
            return self.open_string(start, quote, prefix.t, prefix.r);
        }
        self.string(start, quote)
    }

    /// The error for a word with a character that identifiers cannot have.
    fn invalid_identifier(&mut self, start: usize) -> Option<Token> {
        let word = &self.text[start..self.cur];
        let bad = word.char_indices().find(|&(at, c)| {
            if at == 0 { !unicode::is_identifier_start(c) } else { !unicode::is_identifier_continue(c) }
        });
        let (at, c) = bad?;
        self.cur = start + at + c.len_utf8();
        let code = c as u32;
        Some(if unicode::is_printable(c) {
            self.syntax_error(format!("invalid character '{c}' (U+{code:04X})"))
        } else {
            self.syntax_error(format!("invalid non-printable character U+{code:04X}"))
        })
    }
}

/// Reads `word` as a string prefix: each letter at most once.
fn string_prefix(word: &[u8]) -> Option<Prefix> {
    let mut p = Prefix::default();
    for byte in word {
        let seen = match byte.to_ascii_lowercase() {
            b'b' => &mut p.b,
            b'u' => &mut p.u,
            b'r' => &mut p.r,
            b'f' => &mut p.f,
            b't' => &mut p.t,
            _ => return None,
        };
        if *seen {
            return None;
        }
        *seen = true;
    }
    Some(p)
}
