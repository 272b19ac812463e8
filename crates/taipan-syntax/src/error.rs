//! Errors and warnings as plain data, in CPython's words and with CPython's places.

/// What class of exception an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `SyntaxError`
    SyntaxError,
    /// `IndentationError`
    IndentationError,
    /// `TabError`
    TabError,
    /// `_IncompleteInputError`: the source is a beginning of a program
    IncompleteInput,
    /// `MemoryError`
    MemoryError,
    /// `RecursionError`
    RecursionError,
    /// `OverflowError`
    OverflowError,
    /// `ValueError`
    ValueError,
}

impl ErrorKind {
    /// Name of the exception class.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::SyntaxError => "SyntaxError",
            ErrorKind::IndentationError => "IndentationError",
            ErrorKind::TabError => "TabError",
            ErrorKind::IncompleteInput => "_IncompleteInputError",
            ErrorKind::MemoryError => "MemoryError",
            ErrorKind::RecursionError => "RecursionError",
            ErrorKind::OverflowError => "OverflowError",
            ErrorKind::ValueError => "ValueError",
        }
    }
}

/// Where an error stands, in the exception's own units: lines and character offsets from 1, with
/// CPython's odd values (0, −1) where it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPlace {
    /// `lineno`
    pub lineno: i32,
    /// `offset`
    pub offset: i32,
    /// `end_lineno`
    pub end_lineno: Option<i32>,
    /// `end_offset`
    pub end_offset: Option<i32>,
    /// `text`: the source line.
    pub text: Option<String>,
}

/// An error found in source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Class of the exception.
    pub kind: ErrorKind,
    /// `msg`
    pub msg: String,
    /// Place, if the exception has one.
    pub place: Option<ErrorPlace>,
}

impl ParseError {
    /// An error without a place.
    pub fn bare(kind: ErrorKind, msg: impl Into<String>) -> ParseError {
        ParseError { kind, msg: msg.into(), place: None }
    }
}

impl ErrorPlace {
    /// `lineno,offset,end_lineno,end_offset` as Python shows them.
    pub fn describe(&self) -> String {
        let show = |n: Option<i32>| n.map_or("None".to_owned(), |n| n.to_string());
        format!("{},{},{},{}", self.lineno, self.offset, show(self.end_lineno), show(self.end_offset))
    }
}

/// A `SyntaxWarning` found in source text. Where warnings are errors, the caller raises
/// `error` in its stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Message of the warning.
    pub msg: String,
    /// Line the warning is reported on.
    pub lineno: i32,
    /// Byte offset in the text up to which it was read when the warning was due.
    pub at: u32,
    /// The `SyntaxError` that takes its place when warnings are turned into errors.
    pub error: Option<Box<ParseError>>,
}
