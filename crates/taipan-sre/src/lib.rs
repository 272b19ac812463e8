//! The engine behind `re`: runs the code that `re._compiler` emits (magic 20230612).
//!
//! The problem: backtracking as CPython's engine does it, result for result, but without recursion on
//! the machine stack and without trust in the code. The idea: [`Program::new`] checks the code once and
//! prepares bitmaps for its character sets; [`Matcher`] then interprets it with an explicit stack of
//! choice points, a trail that undoes group marks, and immutable records of repeats, so that
//! backtracking is: pop, cut back, go on.
#![forbid(unsafe_code)]

mod charset;
mod constants;
mod engine;
mod matcher;
mod validate;

pub use charset::LocaleTable;
pub use constants::{CODESIZE, MAGIC, MAXGROUPS, MAXREPEAT};
pub use engine::SreError;
pub use matcher::{Chars, Match, Matcher, Scanner};

use charset::Set;

/// Checked code, ready to run.
#[derive(Debug)]
pub struct Program {
    pub(crate) code: Vec<u32>,
    /// Beside each set operator: which prepared set is its own.
    pub(crate) set_at: Vec<u32>,
    pub(crate) sets: Vec<Set>,
    pub(crate) groups: usize,
    pub(crate) info: Info,
}

/// The code is not what the compiler emits: `RuntimeError: invalid SRE code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCode;

/// What the INFO block promises about the start of a match.
#[derive(Debug, Default)]
pub(crate) struct Info {
    /// Where the code proper starts.
    pub start: usize,
    pub min_width: usize,
    pub prefix: Vec<u32>,
    pub prefix_skip: usize,
    /// The prefix is the whole pattern.
    pub literal: bool,
    /// Set that the first character is in.
    pub set: Option<u32>,
}

impl Program {
    /// Checks code and prepares it. `groups` is the number of capture groups.
    pub fn new(code: Vec<u32>, groups: usize) -> Result<Program, InvalidCode> {
        validate::build(code, groups)
    }

    /// Number of capture groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The code as given.
    pub fn code(&self) -> &[u32] {
        &self.code
    }
}

/// `_sre.ascii_iscased`.
pub fn ascii_iscased(ch: u32) -> bool {
    ch < 128 && (ch as u8).is_ascii_alphabetic()
}
/// `_sre.ascii_tolower`.
pub fn ascii_tolower(ch: u32) -> u32 {
    if ch < 128 { (ch as u8).to_ascii_lowercase() as u32 } else { ch }
}
/// `_sre.unicode_iscased`.
pub fn unicode_iscased(ch: u32) -> bool {
    // The first character of the full mapping: small sharp s, say, has no single capital.
    unicode_tolower(ch) != ch || taipan_unicode::upper(ch).first() != Some(&ch)
}
/// `_sre.unicode_tolower`.
pub fn unicode_tolower(ch: u32) -> u32 {
    taipan_unicode::lower_simple(ch)
}
