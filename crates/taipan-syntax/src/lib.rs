//! From source text to tokens and syntax tree: a library of its own, without Python objects.

#![forbid(unsafe_code)]

pub mod ast;
mod diagnose;
pub mod dump;
pub mod error;
pub mod lexer;
pub mod literal;
mod parser;
pub mod source;
pub mod token;
mod unicode;
pub mod validate;

pub use error::{ErrorKind, ErrorPlace, ParseError, Warning};

use ast::Mod;

/// What kind of text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression.
    Eval,
    /// One statement, as typed at a prompt.
    Single,
    /// The type of a function as in a type comment.
    FuncType,
}

/// How the text is read: `compile`'s flags, as far as they concern the parser.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    /// Keep type comments.
    pub type_comments: bool,
    /// Do not close open blocks at the end of a single statement.
    pub dont_imply_dedent: bool,
    /// Say of a beginning of a program that it is one.
    pub allow_incomplete_input: bool,
    /// `<>` in place of `!=`.
    pub barry_as_bdfl: bool,
    /// Minor version of the language, 14 being the newest.
    pub feature_version: u8,
    /// Longest decimal literal, zero for no limit.
    pub int_max_str_digits: usize,
}

impl Default for Flags {
    fn default() -> Flags {
        Flags {
            type_comments: false,
            dont_imply_dedent: false,
            allow_incomplete_input: false,
            barry_as_bdfl: false,
            feature_version: parser::NEWEST,
            int_max_str_digits: 4300,
        }
    }
}

/// A tree and what is to be warned about.
#[derive(Debug)]
pub struct Parsed {
    /// The tree.
    pub module: Mod,
    /// `SyntaxWarning`s in the order they are raised.
    pub warnings: Vec<Warning>,
    /// The statements of a module's body within which the compiler has to look for formatting by `%`, for `match`
    /// and for `finally`, by number. `None`: in all of them, and for more.
    pub notable: Option<Vec<u32>>,
}

/// An error and what is to be warned about before it is raised.
#[derive(Debug)]
pub struct Rejected {
    /// The error.
    pub error: ParseError,
    /// `SyntaxWarning`s in the order they are raised.
    pub warnings: Vec<Warning>,
    /// Line and column of the last compound statement that was understood before the error; zeros for none.
    pub last_statement: (i32, i32),
}

/// Parses `source`.
pub fn parse(source: &str, mode: Mode, flags: &Flags) -> Result<Parsed, Box<Rejected>> {
    let prepared = match source::prepare(source, mode) {
        Ok(text) => text,
        Err(error) => return Err(Box::new(Rejected { error, warnings: Vec::new(), last_statement: (0, 0) })),
    };
    let settings = parser::Settings {
        mode,
        type_comments: flags.type_comments,
        dont_imply_dedent: flags.dont_imply_dedent,
        max_digits: flags.int_max_str_digits,
        barry: flags.barry_as_bdfl,
        feature_version: flags.feature_version,
    };
    match parser::parse(&prepared, settings) {
        Ok(parsed) => Ok(parsed),
        Err(Some(rejected)) => Err(rejected),
        Err(None) => Err(Box::new(diagnose::diagnose(&prepared, mode, flags))),
    }
}
