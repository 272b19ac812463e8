//! Finding the words and the place of a syntax error.
//!
//! Problem: which message CPython gives depends on the order in which its parser tries things, and
//! on the farthest token it looked at. Idea: where the quick parser fails, the text is read again by
//! a matcher that follows a grammar as data (`python.grammar`), ordered choice by ordered choice,
//! remembering results as CPython does. First without the rules that describe wrong programs: that
//! finds the farthest token, and errors raised on the way (by the tokenizer, by literals). Then with
//! them: the first such rule that matches words the error. If none does it is plain
//! `invalid syntax` at the farthest token.
//!
//! The matcher's depth is bounded like CPython's; it recurses, so it runs on a thread with a stack
//! that is large enough for that bound.

mod actions;
mod grammar;
mod matcher;
mod place;

pub(crate) use place::character_offset;

use crate::error::{ErrorKind, ParseError};
use crate::{Flags, Mode, Rejected};
use matcher::Matcher;

/// Deepest nesting of rules, as in CPython.
const MAX_LEVEL: u32 = 6000;
/// What the matcher needs for that, generously.
const STACK_BYTES: usize = 256 << 20;

/// The error in `source` and the warnings before it.
pub(crate) fn diagnose(source: &str, mode: Mode, flags: &Flags) -> Rejected {
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
    std::thread::scope(|scope| {
        match worker.spawn_scoped(scope, || search(source, mode, flags, MAX_LEVEL)) {
            Ok(handle) => handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // Without threads a small depth must do.
            Err(_) => search(source, mode, flags, MAX_LEVEL / 100),
        }
    })
}

fn search(source: &str, mode: Mode, flags: &Flags, max_level: u32) -> Rejected {
    let mut matcher = Matcher::new(source, mode, flags, max_level);
    let error = find_error(&mut matcher, mode, flags);
    // Reading on for a better message warns as well.
    Rejected { error, warnings: matcher.take_warnings(), last_statement: matcher.last_statement }
}

fn find_error(matcher: &mut Matcher<'_>, mode: Mode, flags: &Flags) -> ParseError {
    let start = match mode {
        Mode::Exec => "file",
        Mode::Single => "interactive",
        Mode::Eval => "eval",
        Mode::FuncType => "func_type",
    };
    let first = matcher.run(start);
    if let Ok(true) = first {
        return matcher.error_after_success();
    }
    if flags.allow_incomplete_input && matcher.ended() {
        matcher.forget_error();
        return matcher.raise_here(ErrorKind::IncompleteInput, "incomplete input");
    }
    if first.is_err() {
        return matcher.finish_error();
    }
    let last = matcher.last_token();
    matcher.search_messages();
    let second = matcher.run(start);
    if second.is_err() { matcher.finish_error() } else { matcher.generic_error(last) }
}
