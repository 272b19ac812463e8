//! What can go wrong, and what is worth a warning, as plain data.

use taipan_bytecode::Location;
use taipan_syntax::ast::Range;

/// Class of the exception to raise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// `SyntaxError`
    Syntax,
    /// `RecursionError`
    Recursion,
    /// `SystemError`: a tree that the parser cannot have made
    System,
    /// `RuntimeError`
    Runtime,
    /// `ValueError`
    Value,
}

impl ErrorKind {
    /// Name of the Python class.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Syntax => "SyntaxError",
            ErrorKind::Recursion => "RecursionError",
            ErrorKind::System => "SystemError",
            ErrorKind::Runtime => "RuntimeError",
            ErrorKind::Value => "ValueError",
        }
    }
}

/// A compilation failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileError {
    /// Class of the exception.
    pub kind: ErrorKind,
    /// Its message.
    pub message: String,
    /// Where, for a `SyntaxError`: lines from 1, columns in bytes from 0.
    pub range: Option<Range>,
}

impl CompileError {
    /// A `SyntaxError` at a place.
    #[cold]
    pub fn syntax(message: impl Into<String>, range: Range) -> Box<CompileError> {
        CompileError::boxed(ErrorKind::Syntax, message.into(), Some(range))
    }

    /// An error of any kind.
    #[cold]
    pub fn boxed(kind: ErrorKind, message: String, range: Option<Range>) -> Box<CompileError> {
        Box::new(CompileError { kind, message, range })
    }

    /// A `SyntaxError` at a location.
    pub fn at(message: impl Into<String>, loc: Location) -> Box<CompileError> {
        CompileError::syntax(message, range_of(loc))
    }

    /// The tree is nested too deeply.
    #[cold]
    pub fn too_deep() -> Box<CompileError> {
        let message = "maximum recursion depth exceeded during compilation".to_owned();
        CompileError::boxed(ErrorKind::Recursion, message, None)
    }

    /// A tree that no parser makes.
    #[cold]
    pub fn system(message: impl Into<String>) -> Box<CompileError> {
        CompileError::boxed(ErrorKind::System, message.into(), None)
    }
}

/// A `SyntaxWarning`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Its message.
    pub message: String,
    /// Where: lines from 1, columns in bytes from 0.
    pub range: Range,
}

/// Result of a step of the compilation. The error is boxed, so that the results of the many steps that go well fit
/// into a register.
pub type Compiled<T> = Result<T, Box<CompileError>>;

/// A source range as a location.
#[inline]
pub fn location(range: Range) -> Location {
    Location {
        lineno: range.lineno,
        end_lineno: range.end_lineno,
        col_offset: range.col_offset,
        end_col_offset: range.end_col_offset,
    }
}

/// A location as a source range.
pub fn range_of(loc: Location) -> Range {
    Range {
        lineno: loc.lineno,
        col_offset: loc.col_offset,
        end_lineno: loc.end_lineno,
        end_col_offset: loc.end_col_offset,
    }
}

/// Counts how deep a walk over the tree is, and stops it before the stack is used up.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    left: u32,
}

impl Depth {
    /// A walk that may go that deep.
    pub fn new(limit: u32) -> Depth {
        Depth { left: limit }
    }

    /// One level down.
    #[inline]
    pub fn enter(&mut self) -> Compiled<()> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(CompileError::too_deep()),
        }
    }

    /// One level up.
    #[inline]
    pub fn leave(&mut self) {
        self.left += 1;
    }
}
