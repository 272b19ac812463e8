//! From source text to a code object, with Python's exceptions for what goes wrong.

use core::cell::Cell;
use taipan_compiler as compiler;
use taipan_eval::code::Code;
use taipan_object::int::Int;
use taipan_object::region::Region;
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern, protocol, state};
use taipan_syntax::ast::{Mod, NodeRef};
use taipan_syntax::{ErrorKind, Flags, Mode, ParseError};

/// The level of optimisation that the command line asked for.
#[derive(Default)]
struct DefaultOptimize(Cell<u8>);

/// Sets the level of optimisation of everything that does not name its own.
pub(crate) fn set_default_optimize(level: u8) {
    state::interp().extension(DefaultOptimize::default).0.set(level);
}

pub(crate) fn default_optimize() -> u8 {
    state::interp().extension(DefaultOptimize::default).0.get()
}

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
    pub type_comments: bool,
    pub feature_version: u8,
}

impl Settings {
    /// Plain compilation in a mode.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            future: 0,
            optimize: default_optimize(),
            allow_incomplete: false,
            dont_imply_dedent: false,
            top_level_await: false,
            type_comments: false,
            feature_version: 14,
        }
    }
}

/// The flags of the parser for these settings.
fn parser_flags(settings: Settings) -> Flags {
    Flags {
        type_comments: settings.type_comments,
        dont_imply_dedent: settings.dont_imply_dedent,
        allow_incomplete_input: settings.allow_incomplete,
        barry_as_bdfl: settings.future & taipan_bytecode::CO_FUTURE_BARRY_AS_BDFL != 0,
        feature_version: settings.feature_version,
        int_max_str_digits: usize::try_from(state::interp().int_max_str_digits.get()).unwrap_or(0),
    }
}

fn compiler_options(settings: Settings) -> compiler::Options {
    compiler::Options {
        flags: settings.future,
        top_level_await: settings.top_level_await,
        optimize: settings.optimize,
        ..compiler::Options::default()
    }
}

/// What parser and compiler need of the stack at their deepest; `cargo test` runs them unoptimised.
const STACK_NEED: usize = if cfg!(debug_assertions) { 7 << 20 } else { 3 << 20 };

/// Runs parser or compiler, which nest deeply, make many blocks, and know no objects, where there is stack enough.
fn with_stack<T>(work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let _region = Region::enter();
    state::with_stack(STACK_NEED, work).ok_or_else(|| protocol::too_deep(" during compilation"))
}

type Parsed = Result<taipan_syntax::Parsed, Box<taipan_syntax::Rejected>>;
type Compiled = Result<compiler::Output, Box<compiler::Failure>>;

fn check_text(source: &str) -> PyResult<()> {
    if source.contains('\0') {
        return Err(PyErr::new(&PyExc_SyntaxError, "source code string cannot contain null bytes"));
    }
    Ok(())
}

/// The tree of a parser's result, when its warnings have been issued.
fn parsed_tree(parsed: Parsed, source: &str, filename: &Str) -> PyResult<Mod> {
    let (outcome, warnings) = match parsed {
        Ok(parsed) => (Ok(parsed.module), parsed.warnings),
        Err(rejected) => (Err((rejected.error, rejected.last_statement)), rejected.warnings),
    };
    for warning in warnings {
        let error = warning.error.as_deref().map(|error| parse_error(error, filename));
        issue(&warning.msg, filename, i64::from(warning.lineno), error)?;
    }
    outcome.map_err(|(error, last_statement)| {
        let raised = parse_error(&error, filename);
        match note_source(&raised, last_statement, source) {
            Ok(()) => raised,
            Err(other) => other,
        }
    })
}

/// Gives a syntax error what `traceback` needs to look for misspelt keywords: where the last good statement stands,
/// and the source.
fn note_source(error: &PyErr, (line, column): (i32, i32), source: &str) -> PyResult<()> {
    if !protocol::is_instance(error.exception(), &PyExc_SyntaxError)? {
        return Ok(());
    }
    let number = |value: i32| Int::from_i64(i64::from(value)).upcast();
    let known = Tuple::from_array([number(line), number(column), Str::from_utf8(source)?.upcast()])?;
    error.exception().setattr(intern!("_metadata"), Some(&known))
}

/// The code object of a compiler's result, when its warnings have been issued.
fn code_object(compiled: Compiled, source: &str, filename: &Str) -> PyResult<Ref<Code>> {
    let (outcome, warnings) = match compiled {
        Ok(output) => (Ok(output.code), output.warnings),
        Err(failure) => (Err(failure.error), failure.warnings),
    };
    issue_all(warnings, source, filename)?;
    match outcome {
        Ok(code) => Code::from_plain(&code, filename),
        Err(error) => Err(compile_error(&error, source, filename)),
    }
}

/// Parses text.
fn parse(source: &str, filename: &Str, settings: Settings) -> PyResult<Mod> {
    check_text(source)?;
    let flags = parser_flags(settings);
    parsed_tree(with_stack(|| taipan_syntax::parse(source, settings.mode, &flags))?, source, filename)
}

/// Compiles text.
///
/// # Errors
/// `SyntaxError` and its kin, what a warning turned into an error raises.
pub fn compile_text(source: &str, filename: &Str, settings: Settings) -> PyResult<Ref<Code>> {
    check_text(source)?;
    let (flags, options) = (parser_flags(settings), compiler_options(settings));
    let (parsed, compiled) = with_stack(|| {
        let mut parsed = taipan_syntax::parse(source, settings.mode, &flags);
        let compile = |parsed: &mut taipan_syntax::Parsed| {
            compiler::compile(&mut parsed.module, parsed.notable.as_deref(), "", &options)
        };
        let compiled = parsed.as_mut().ok().map(compile);
        (parsed, compiled)
    })?;
    parsed_tree(parsed, source, filename)?;
    match compiled {
        Some(compiled) => code_object(compiled, source, filename),
        None => Err(taipan_object::err::system_error("a tree was not compiled")),
    }
}

/// Compiles a tree; `source` is its text, as far as it is known.
///
/// # Errors
/// As [`compile_text`].
pub(crate) fn compile_tree(
    module: &mut Mod,
    source: &str,
    filename: &Str,
    settings: Settings,
) -> PyResult<Ref<Code>> {
    let mut options = compiler_options(settings);
    options.max_depth = depth_that_fits(options.max_depth);
    code_object(compiler::compile(module, None, "", &options), source, filename)
}

/// What the code generator makes of a tree.
///
/// # Errors
/// As [`compile_text`].
pub(crate) fn generate(
    module: &mut Mod,
    filename: &Str,
    settings: Settings,
) -> PyResult<compiler::stages::GeneratedModule> {
    let mut options = compiler_options(settings);
    options.max_depth = depth_that_fits(options.max_depth);
    match compiler::stages::generate(module, &options) {
        Ok(mut generated) => {
            issue_all(std::mem::take(&mut generated.warnings), "", filename)?;
            Ok(generated)
        }
        Err(failure) => {
            issue_all(failure.warnings, "", filename)?;
            Err(compile_error(&failure.error, "", filename))
        }
    }
}

/// How deep a tree that stands here already may be for the stack that is left.
fn depth_that_fits(most: u32) -> u32 {
    let share = state::stack_left().min(STACK_NEED) as u64 * u64::from(most) / STACK_NEED as u64;
    u32::try_from(share).unwrap_or(most)
}

/// The symbol tables of a text.
///
/// # Errors
/// As [`compile_text`].
pub(crate) fn symbols_of_text(
    source: &str,
    filename: &Str,
    settings: Settings,
) -> PyResult<(compiler::symtable::SymbolTable, compiler::names::Names)> {
    let module = parse(source, filename, settings)?;
    let mut options = compiler_options(settings);
    options.max_depth = depth_that_fits(options.max_depth);
    compiler::symbols(&module, &options).map_err(|error| compile_error(&error, source, filename))
}

/// The tree of a text as node objects (`PyCF_ONLY_AST`), preprocessed if `optimized`.
///
/// # Errors
/// As [`compile_text`].
pub(crate) fn parse_to_object(
    source: &str,
    filename: &Str,
    settings: Settings,
    optimized: bool,
) -> PyResult<Ref> {
    let mut module = parse(source, filename, settings)?;
    if optimized {
        preprocess(&mut module, source, filename, settings)?;
    }
    crate::ast::to_object(NodeRef::Mod(&module))
}

/// What `PyCF_OPTIMIZED_AST` asks for.
pub(crate) fn preprocess(module: &mut Mod, source: &str, filename: &Str, settings: Settings) -> PyResult<()> {
    let mut options = compiler_options(settings);
    options.max_depth = depth_that_fits(options.max_depth);
    match compiler::preprocess(module, &options) {
        Ok(warnings) => issue_all(warnings, source, filename),
        Err(error) => Err(compile_error(&error, source, filename)),
    }
}

fn issue_all(warnings: Vec<compiler::Warning>, source: &str, filename: &Str) -> PyResult<()> {
    for warning in warnings {
        let line = i64::from(warning.range.lineno);
        let error = compiler::CompileError {
            kind: compiler::ErrorKind::Syntax,
            message: warning.message.clone(),
            range: Some(warning.range),
        };
        issue(&warning.message, filename, line, Some(compile_error(&error, source, filename)))?;
    }
    Ok(())
}

/// Issues a `SyntaxWarning`. Where warnings are errors, `error` is raised in its stead.
fn issue(message: &str, filename: &Str, line: i64, error: Option<PyErr>) -> PyResult<()> {
    if state::interp().importlib.borrow().is_none() {
        return Ok(());
    }
    let warn = crate::import_module("warnings")?.getattr(intern!("warn_explicit"))?;
    let module = new_none();
    let args: [&Object; 5] =
        [&*Str::from_utf8(message)?, &PyExc_SyntaxWarning, filename, &Int::from_i64(line), &module];
    match warn.call(&args) {
        Ok(_) => Ok(()),
        Err(raised) if raised.is(&PyExc_SyntaxWarning) => Err(error.unwrap_or(raised)),
        Err(raised) => Err(raised),
    }
}

/// The exception of a parse error.
pub(crate) fn parse_error(error: &ParseError, filename: &Str) -> PyErr {
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

fn compile_error(error: &compiler::CompileError, source: &str, filename: &Str) -> PyErr {
    let class: &Type = match error.kind {
        compiler::ErrorKind::Syntax => &PyExc_SyntaxError,
        compiler::ErrorKind::Recursion => &PyExc_RecursionError,
        compiler::ErrorKind::System => &PyExc_SystemError,
        compiler::ErrorKind::Runtime => &PyExc_RuntimeError,
        compiler::ErrorKind::Value => &PyExc_ValueError,
    };
    let Some(range) = &error.range else { return PyErr::new(class, &error.message) };
    let line = |number: i64| source.lines().nth(usize::try_from(number - 1).unwrap_or(0));
    // Columns count from 1; unlike those of the parser they stay bytes.
    let column = |byte: i64| byte + 1;
    let (first, last) = (i64::from(range.lineno), i64::from(range.end_lineno));
    let place = [
        Some(first),
        Some(column(i64::from(range.col_offset))),
        Some(last),
        Some(column(i64::from(range.end_col_offset))),
    ];
    // Only a file's lines are shown.
    let text =
        line(first).filter(|_| taipan_os::is_file(&filename.to_lossy())).map(|text| format!("{text}\n"));
    syntax_error(class, &error.message, filename, place, text.as_deref())
}

/// A syntax error at a place without an end.
pub(crate) fn syntax_error_at(
    class: &Type,
    message: &str,
    filename: &Str,
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
    filename: &Str,
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
            filename.new_ref(),
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
