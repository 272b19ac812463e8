//! The text that a pattern is matched with: a str, or the bytes of a buffer.

use super::pattern::Pattern;
use core::cell::{Cell, LazyCell};
use core::sync::atomic::Ordering;
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::{PyErr, memory_error, runtime_error, type_error};
use taipan_object::state::{self, breaker};
use taipan_object::statics::{PyBytes_Type, PyExc_TypeError};
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyResult, Ref, raise};
use taipan_sre::{LocaleTable, SreError};

thread_local! {
    /// What the C locale says of bytes, for patterns with the LOCALE flag.
    static C_LOCALE: LazyCell<&'static LocaleTable> = LazyCell::new(|| Box::leak(Box::default()));
}

/// The table of the current locale.
pub(super) fn locale() -> &'static LocaleTable {
    C_LOCALE.with(|table| **table)
}

/// A held str or buffer.
pub(super) struct Subject {
    pub(super) object: Ref,
    buffer: Option<Buffer>,
}

impl Subject {
    /// The text of an object.
    ///
    /// # Errors
    /// `TypeError` when it has none.
    pub(super) fn new(object: &Object) -> PyResult<Self> {
        if object.downcast::<Str>().is_some() {
            return Ok(Self { object: object.new_ref(), buffer: None });
        }
        if !has_buffer(object) {
            return Err(raise!(
                PyExc_TypeError,
                "expected string or bytes-like object, got '{}'",
                object.ty().message_name()
            ));
        }
        let buffer = Buffer::simple(object)?;
        Ok(Self { object: object.new_ref(), buffer: Some(buffer) })
    }

    /// The text of an object, which fits the pattern's kind.
    pub(super) fn for_pattern(object: &Object, pattern: &Pattern) -> PyResult<Self> {
        let subject = Self::new(object)?;
        match (subject.is_bytes(), pattern.is_bytes) {
            (true, Some(false)) => Err(type_error("cannot use a string pattern on a bytes-like object")),
            (false, Some(true)) => Err(type_error("cannot use a bytes pattern on a string-like object")),
            _ => Ok(subject),
        }
    }

    pub(super) fn is_bytes(&self) -> bool {
        self.buffer.is_some()
    }

    pub(super) fn chars(&self) -> Chars<'_> {
        match (&self.buffer, self.object.downcast::<Str>()) {
            (Some(buffer), _) => Chars::One(buffer.as_slice()),
            (None, Some(text)) => text.chars(),
            (None, None) => Chars::One(&[]),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.chars().len()
    }

    /// The part between two places, as str or bytes; an empty one where the places are out of order.
    pub(super) fn slice(&self, from: usize, to: usize) -> PyResult {
        let to = to.min(self.len());
        let from = from.min(to);
        match &self.buffer {
            Some(buffer) => {
                if from == 0 && to == buffer.as_slice().len() && self.object.is_exact(&PyBytes_Type) {
                    return Ok(self.object.clone());
                }
                Ok(Bytes::new(&buffer.as_slice()[from..to])?.upcast())
            }
            None => match self.object.downcast::<Str>() {
                Some(text) => Ok(text.substring(from, to)?.upcast()),
                None => Err(runtime_error("the subject has gone")),
            },
        }
    }

    /// The bounds of a search, brought into the text.
    pub(super) fn bounds(&self, pos: isize, endpos: isize) -> (usize, usize) {
        let len = self.len();
        let clamp = |place: isize| usize::try_from(place).unwrap_or(0).min(len);
        (clamp(pos), clamp(endpos))
    }
}

/// What a match was given up for.
pub(super) struct Poll(Cell<Option<PyErr>>);

impl Poll {
    pub(super) fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs signal handlers if a signal has come; true if one of them raised.
    pub(super) fn check(&self) -> bool {
        if state::thread().eval_breaker.load(Ordering::Relaxed) & breaker::SIGNALS_PENDING == 0 {
            return false;
        }
        match (state::interp().hooks.get().check_signals)() {
            Ok(()) => false,
            Err(error) => {
                self.0.set(Some(error));
                true
            }
        }
    }

    /// The exception for what the engine says.
    pub(super) fn error(&self, error: SreError) -> PyErr {
        match error {
            SreError::NoMemory => memory_error(),
            SreError::Interrupted => {
                self.0.take().unwrap_or_else(|| runtime_error("the match was interrupted"))
            }
        }
    }
}

/// Runs `$body` with a matcher `$matcher` for the subject's width of characters; the body's engine
/// errors become exceptions through `$poll`.
macro_rules! with_matcher {
    ($pattern:expr, $subject:expr, $endpos:expr, |$matcher:ident, $poll:ident| $body:expr) => {{
        let $poll = $crate::sre::subject::Poll::new();
        let mut ask = || $poll.check();
        let (program, table) = (&$pattern.program, $crate::sre::subject::locale());
        match $subject.chars() {
            taipan_object::unicode::Chars::One(text) => {
                let mut $matcher = taipan_sre::Matcher::new(program, text, $endpos, table, &mut ask);
                $body
            }
            taipan_object::unicode::Chars::Two(text) => {
                let mut $matcher = taipan_sre::Matcher::new(program, text, $endpos, table, &mut ask);
                $body
            }
            taipan_object::unicode::Chars::Four(text) => {
                let mut $matcher = taipan_sre::Matcher::new(program, text, $endpos, table, &mut ask);
                $body
            }
        }
    }};
}
pub(super) use with_matcher;
