//! What a caller uses: match, search, and scanning from match to match.

use crate::Program;
use crate::charset::LocaleTable;
use crate::engine::{Machine, SreError};

/// Text as characters of one width. `bytes` patterns use the `u8` form too.
pub trait Chars: Copy {
    /// Number of characters.
    fn len(self) -> usize;
    /// The character at a position inside.
    fn at(self, i: usize) -> u32;
    /// First position in `from..to` of `ch`.
    fn find(self, ch: u32, from: usize, to: usize) -> Option<usize>;
    /// First position in `from..to` where all of `word` stands.
    fn find_word(self, word: &[u32], from: usize, to: usize) -> Option<usize> {
        let mut i = from;
        while let Some(p) = self.find(word[0], i, to) {
            if to - p < word.len() {
                return None;
            }
            if word.iter().enumerate().all(|(k, &w)| self.at(p + k) == w) {
                return Some(p);
            }
            i = p + 1;
        }
        None
    }
    /// Whether there are no characters.
    fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl Chars for &[u8] {
    #[inline(always)]
    fn len(self) -> usize {
        <[u8]>::len(self)
    }
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        self[i] as u32
    }
    fn find(self, ch: u32, from: usize, to: usize) -> Option<usize> {
        let b = u8::try_from(ch).ok()?;
        memchr::memchr(b, &self[from..to]).map(|p| from + p)
    }
    fn find_word(self, word: &[u32], from: usize, to: usize) -> Option<usize> {
        let mut needle = [0u8; 32];
        if word.len() > 32 || word.iter().any(|&w| w > 255) {
            // Long prefixes: look for their start and compare the rest.
            let head = &word[..word.len().min(32)];
            if head.iter().any(|&w| w > 255) || word.iter().any(|&w| w > 255) {
                return None;
            }
            let mut i = from;
            while let Some(p) = self.find_word(head, i, to) {
                if to - p >= word.len() && word.iter().enumerate().all(|(k, &w)| self.at(p + k) == w) {
                    return Some(p);
                }
                i = p + 1;
            }
            return None;
        }
        needle.iter_mut().zip(word).for_each(|(n, &w)| *n = w as u8);
        memchr::memmem::find(&self[from..to], &needle[..word.len()]).map(|p| from + p)
    }
}

macro_rules! wide_chars {
    ($t:ty) => {
        impl Chars for &[$t] {
            #[inline(always)]
            fn len(self) -> usize {
                <[$t]>::len(self)
            }
            #[inline(always)]
            fn at(self, i: usize) -> u32 {
                self[i] as u32
            }
            fn find(self, ch: u32, from: usize, to: usize) -> Option<usize> {
                let c = <$t>::try_from(ch).ok()?;
                self[from..to].iter().position(|&x| x == c).map(|p| from + p)
            }
        }
    };
}
wide_chars!(u16);
wide_chars!(u32);

/// A match: its span, the spans of its groups, and the last group closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Groups 1 and up.
    pub groups: Vec<Option<(usize, usize)>>,
    /// Number of the group closed last, from 1.
    pub lastindex: Option<usize>,
}

/// Runs one program over one text. Buffers live as long as the matcher.
pub struct Matcher<'a, T: Chars> {
    machine: Machine<'a, T>,
}

impl<'a, T: Chars> Matcher<'a, T> {
    /// `endpos` cuts the text; `poll` is asked every few thousand steps and stops the match with an error.
    pub fn new(
        program: &'a Program,
        text: T,
        endpos: usize,
        locale: &'a LocaleTable,
        poll: &'a mut dyn FnMut() -> bool,
    ) -> Self {
        let end = endpos.min(text.len());
        Matcher { machine: Machine::new(program, text, end, locale, poll) }
    }

    fn result(&self) -> Match {
        let m = &self.machine;
        let groups = (0..m.program.groups).map(|g| m.group(g)).collect();
        Match { start: m.start, end: m.ptr, groups, lastindex: m.lastindex() }
    }

    /// A match at `pos`. `must_advance` refuses an empty one.
    pub fn match_at(&mut self, pos: usize, must_advance: bool) -> Result<Option<Match>, SreError> {
        let found = self.machine.match_at(pos, must_advance, false)?;
        Ok(found.then(|| self.result()))
    }

    /// A match from `pos` to the very end.
    pub fn fullmatch(&mut self, pos: usize) -> Result<Option<Match>, SreError> {
        let found = self.machine.match_at(pos, false, true)?;
        Ok(found.then(|| self.result()))
    }

    /// The first match at or after `pos`. `must_advance` refuses an empty one at `pos` itself.
    pub fn search(&mut self, pos: usize, must_advance: bool) -> Result<Option<Match>, SreError> {
        let found = self.machine.search(pos, must_advance)?;
        Ok(found.then(|| self.result()))
    }
}

/// Match after match, as `finditer`, `sub`, `split` and scanner objects go.
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    /// Where to go on; `None` when exhausted.
    next: Option<usize>,
    must_advance: bool,
}

impl Scanner {
    /// Starts at `pos`.
    pub fn new(pos: usize) -> Scanner {
        Scanner { next: Some(pos), must_advance: false }
    }

    fn step(&mut self, found: Option<Match>) -> Option<Match> {
        self.next = found.as_ref().map(|m| m.end);
        self.must_advance = found.as_ref().is_some_and(|m| m.start == m.end);
        found
    }

    /// The next match found by searching.
    pub fn search<T: Chars>(&mut self, m: &mut Matcher<'_, T>) -> Result<Option<Match>, SreError> {
        let Some(pos) = self.next else { return Ok(None) };
        let found = m.search(pos, self.must_advance)?;
        Ok(self.step(found))
    }

    /// The next match that starts just where the last one ended.
    pub fn matching<T: Chars>(&mut self, m: &mut Matcher<'_, T>) -> Result<Option<Match>, SreError> {
        let Some(pos) = self.next else { return Ok(None) };
        let found = m.match_at(pos, self.must_advance)?;
        Ok(self.step(found))
    }
}
