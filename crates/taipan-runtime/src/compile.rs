//! From source text to a code object, with Python's exceptions for what goes wrong.

use taipan_compiler as compiler;
use taipan_eval::code::Code;
use taipan_object::int::Int;
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, state};
use taipan_syntax::{ErrorKind, Flags, Mode, ParseError};

/// How a source is to be compiled.
#[derive(Clone, Copy)]
pub struct Settings {
    pub mode: Mode,
    /// `CO_FUTURE_*` bits that are on from the start.
    pub future: u32,
    pub optimize: u8,
    pub allow_incomplete: bool,
    pub dont_imply_dedent: bool,
    pub top_level_await: bool,
}

impl Settings {
    /// Plain compilation in a mode.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            future: 0,
            optimize: 0,
            allow_incomplete: false,
            dont_imply_dedent: false,
            top_level_await: false,
        }
    }
}

/// Compiles text.
///
/// # Errors
/// `SyntaxError` and its kin, what a warning turned into an error raises.
pub fn compile_text(source: &str, filename: &str, settings: Settings) -> PyResult<Ref<Code>> {
    if source.contains('\0') {
        return Err(PyErr::new(&PyExc_SyntaxError, "source code string cannot contain null bytes"));
    }
    let digits = usize::try_from(state::interp().int_max_str_digits.get()).unwrap_or(0);
    let flags = Flags {
        type_comments: false,
        dont_imply_dedent: settings.dont_imply_dedent,
        allow_incomplete_input: settings.allow_incomplete,
        barry_as_bdfl: false,
        feature_version: 14,
        int_max_str_digits: digits,
    };
    let mut parsed = match taipan_syntax::parse(source, settings.mode, &flags) {
        Ok(parsed) => parsed,
        Err(rejected) => return Err(parse_error(&rejected.error, filename)),
    };
    let options = compiler::Options {
        flags: settings.future,
        top_level_await: settings.top_level_await,
        optimize: settings.optimize,
        ..compiler::Options::default()
    };
    match compiler::compile(&mut parsed.module, filename, &options) {
        Ok(output) => Code::from_plain(&output.code),
        Err(failure) => Err(compile_error(&failure.error, source, filename)),
    }
}

/// The exception of a parse error.
pub(crate) fn parse_error(error: &ParseError, filename: &str) -> PyErr {
    let class: &Type = match error.kind {
        ErrorKind::SyntaxError => &PyExc_SyntaxError,
        ErrorKind::IndentationError => &PyExc_IndentationError,
        ErrorKind::TabError => &PyExc_TabError,
        ErrorKind::IncompleteInput => &_PyExc_IncompleteInputError,
        ErrorKind::MemoryError => &PyExc_MemoryError,
        ErrorKind::RecursionError => &PyExc_RecursionError,
        ErrorKind::OverflowError => &PyExc_OverflowError,
        _ => &PyExc_ValueError,
    };
    match &error.place {
        Some(place) => syntax_error(
            class,
            &error.msg,
            filename,
            [Some(place.lineno), Some(place.offset), place.end_lineno, place.end_offset]
                .map(|n| n.map(i64::from)),
            place.text.as_deref(),
        ),
        None => PyErr::new(class, &error.msg),
    }
}

fn compile_error(error: &compiler::CompileError, source: &str, filename: &str) -> PyErr {
    let class: &Type = match error.kind {
        compiler::ErrorKind::Syntax => &PyExc_SyntaxError,
        compiler::ErrorKind::Recursion => &PyExc_RecursionError,
        compiler::ErrorKind::System => &PyExc_SystemError,
        compiler::ErrorKind::Runtime => &PyExc_RuntimeError,
        compiler::ErrorKind::Value => &PyExc_ValueError,
    };
    let Some(range) = &error.range else { return PyErr::new(class, &error.message) };
    let line = |number: i64| source.lines().nth(usize::try_from(number - 1).unwrap_or(0));
    // Columns count characters from 1; the compiler counts bytes from 0.
    let column = |number: i64, byte: i64| {
        let before = line(number).and_then(|text| text.get(..usize::try_from(byte).unwrap_or(0)));
        before.map_or(byte, |text| text.chars().count() as i64) + 1
    };
    let (first, last) = (i64::from(range.lineno), i64::from(range.end_lineno));
    let place = [
        Some(first),
        Some(column(first, i64::from(range.col_offset))),
        Some(last),
        Some(column(last, i64::from(range.end_col_offset))),
    ];
    let text = line(first).map(|text| format!("{text}\n"));
    syntax_error(class, &error.message, filename, place, text.as_deref())
}

/// A syntax error at a place without an end.
pub(crate) fn syntax_error_at(
    class: &Type,
    message: &str,
    filename: &str,
    (line, column): (i32, i32),
    text: &str,
) -> PyErr {
    let place = [Some(i64::from(line)), Some(i64::from(column)), None, None];
    syntax_error(class, message, filename, place, Some(text))
}

/// `class(msg, (filename, lineno, offset, text, end_lineno, end_offset))`.
fn syntax_error(
    class: &Type,
    message: &str,
    filename: &str,
    place: [Option<i64>; 4],
    text: Option<&str>,
) -> PyErr {
    let number = |value: Option<i64>| value.map_or_else(new_none, |value| Int::from_i64(value).upcast());
    let make = || -> PyResult<PyErr> {
        let text = match text {
            Some(text) => Str::from_utf8(text)?.upcast(),
            None => new_none(),
        };
        let details = Tuple::from_vec(vec![
            Str::from_utf8(filename)?.upcast(),
            number(place[0]),
            number(place[1]),
            text,
            number(place[2]),
            number(place[3]),
        ])?;
        let message = Str::from_utf8(message)?;
        let args: [&Object; 2] = [&message, &details];
        Ok(PyErr::with_args(class, &args))
    };
    make().unwrap_or_else(|error| error)
}
