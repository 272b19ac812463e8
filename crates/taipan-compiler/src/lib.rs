//! From syntax tree to code objects, bit for bit those of CPython 3.14.
//!
//! The way of the data: [`future`] statements are read, the tree is prepared ([`preprocess`]), names are sorted out
//! ([`symtable`]), instructions are generated (`codegen`), their flow graph is optimised (`flow`), and what remains
//! is assembled into [`Code`](taipan_bytecode::Code) (`assemble`). Nothing here knows Python objects, and there is
//! no global state.

#![forbid(unsafe_code)]

mod assemble;
mod codegen;
mod constants;
pub mod docstring;
pub mod error;
mod flow;
mod fold;
pub mod future;
mod instr;
pub mod names;
mod preprocess;
pub mod stages;
pub mod symtable;
mod unparse;

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Code, PyStr};
use taipan_syntax::ast::Mod;

pub use error::{CompileError, ErrorKind, Warning};
use error::{Compiled, Depth};
use names::Names;
use symtable::SymbolTable;

/// The bits of [`Options::flags`] that code objects inherit.
const FUTURE_MASK: u32 = CO_FUTURE_DIVISION
    | CO_FUTURE_ABSOLUTE_IMPORT
    | CO_FUTURE_WITH_STATEMENT
    | CO_FUTURE_PRINT_FUNCTION
    | CO_FUTURE_UNICODE_LITERALS
    | CO_FUTURE_BARRY_AS_BDFL
    | CO_FUTURE_GENERATOR_STOP
    | CO_FUTURE_ANNOTATIONS;

/// How deep a tree may be nested when nothing else is said.
pub const DEFAULT_DEPTH: u32 = 2000;

/// How to compile.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `CO_FUTURE_*` bits that are on without a future statement.
    pub flags: u32,
    /// May `await` stand outside functions?
    pub top_level_await: bool,
    /// Level of `-O`: 0, 1 or 2.
    pub optimize: u8,
    /// How deep the tree may be nested; the stack must suffice for it.
    pub max_depth: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { flags: 0, top_level_await: false, optimize: 0, max_depth: DEFAULT_DEPTH }
    }
}

/// A compiled tree.
#[derive(Debug)]
pub struct Output {
    /// The code object.
    pub code: Code,
    /// `SyntaxWarning`s in the order in which they come up.
    pub warnings: Vec<Warning>,
}

/// A failed compilation.
#[derive(Debug)]
pub struct Failure {
    /// The error.
    pub error: CompileError,
    /// `SyntaxWarning`s that came up before it.
    pub warnings: Vec<Warning>,
}

/// Does to a tree what the compiler does before it makes code: folds constants, `__debug__` and formats,
/// and drops docstrings, as far as the level of optimisation goes. Gives the warnings on the way.
///
/// # Errors
/// What the future statements or the tree's depth give.
pub fn preprocess(module: &mut Mod, options: &Options) -> Compiled<Vec<Warning>> {
    let mut future = future::from_module(module)?;
    future.features |= options.flags & FUTURE_MASK;
    let depth = Depth::new(options.max_depth);
    let mut preprocessor = preprocess::Preprocessor::new(options.optimize, future.annotations(), depth);
    preprocessor.module(module, None)?;
    Ok(preprocessor.warnings)
}

/// Compiles a tree. The tree is changed on the way: constants take the place of what they are computed from.
/// `notable` is what the parser has [noted](taipan_syntax::Parsed::notable), where the tree comes from a text.
pub fn compile(
    module: &mut Mod,
    notable: Option<&[u32]>,
    filename: &str,
    options: &Options,
) -> Result<Output, Box<Failure>> {
    let mut warnings = Vec::new();
    match compile_with(module, notable, filename, options, &mut warnings) {
        Ok(code) => Ok(Output { code, warnings }),
        Err(error) => Err(Box::new(Failure { error: *error, warnings })),
    }
}

fn compile_with(
    module: &mut Mod,
    notable: Option<&[u32]>,
    filename: &str,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Compiled<Code> {
    let (names, table, future, depth) = prepared(module, notable, options, warnings)?;
    let (code, mut more) = codegen::Compiler::module(
        module,
        names,
        table,
        PyStr::from(filename),
        future,
        future.features & FUTURE_MASK,
        options.optimize,
        depth,
    )?;
    warnings.append(&mut more);
    Ok(code)
}

/// What code generation needs besides the tree, which is prepared on the way.
fn prepared(
    module: &mut Mod,
    notable: Option<&[u32]>,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Compiled<(Names, SymbolTable, future::Future, Depth)> {
    let depth = Depth::new(options.max_depth);
    let mut future = future::from_module(module)?;
    future.features |= options.flags & FUTURE_MASK;
    let mut preprocessor = preprocess::Preprocessor::new(options.optimize, future.annotations(), depth);
    let result = preprocessor.module(module, notable);
    warnings.append(&mut preprocessor.warnings);
    result?;
    let mut names = Names::new();
    let table = SymbolTable::build(module, &mut names, &future, options.top_level_await, depth)?;
    Ok((names, table, future, depth))
}

/// The symbol tables of a tree, as Python's `symtable` module shows them.
pub fn symbols(module: &Mod, options: &Options) -> Compiled<(SymbolTable, Names)> {
    let mut future = future::from_module(module)?;
    future.features |= options.flags & FUTURE_MASK;
    let mut names = Names::new();
    let depth = Depth::new(options.max_depth);
    let table = SymbolTable::build(module, &mut names, &future, options.top_level_await, depth)?;
    Ok((table, names))
}
