//! `compile`, `eval`, `exec` and the namespaces of running code.

use crate::ast;
use crate::compile::{Settings, compile_text};
use std::borrow::Cow;
use taipan_bytecode as bc;
use taipan_eval::code::Code;
use taipan_eval::{call, frame, frame_object};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::dict::Dict;
use taipan_object::err::{system_error, type_error, value_error};
use taipan_object::native::Args;
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, raise, state};
use taipan_syntax::Mode;

type Module = Object;

const PYCF_ONLY_AST: i32 = 0x400;
const PYCF_TYPE_COMMENTS: i32 = 0x1000;
const PYCF_OPTIMIZED_AST: i32 = 0x8000 | PYCF_ONLY_AST;
const KNOWN_FLAGS: i32 = PYCF_ONLY_AST
    | PYCF_TYPE_COMMENTS
    | PYCF_OPTIMIZED_AST
    | PYCF_ALLOW_TOP_LEVEL_AWAIT
    | PYCF_DONT_IMPLY_DEDENT
    | PYCF_ALLOW_INCOMPLETE_INPUT
    // Accepted and without meaning: source is UTF-8, nested scopes are always on.
    | 0x100
    | 0x10;
const PYCF_ALLOW_TOP_LEVEL_AWAIT: i32 = 0x2000;
const PYCF_DONT_IMPLY_DEDENT: i32 = 0x200;
const PYCF_ALLOW_INCOMPLETE_INPUT: i32 = 0x4000;
const FUTURE_MASK: u32 = bc::CO_FUTURE_DIVISION
    | bc::CO_FUTURE_ABSOLUTE_IMPORT
    | bc::CO_FUTURE_WITH_STATEMENT
    | bc::CO_FUTURE_PRINT_FUNCTION
    | bc::CO_FUTURE_UNICODE_LITERALS
    | bc::CO_FUTURE_BARRY_AS_BDFL
    | bc::CO_FUTURE_GENERATOR_STOP
    | bc::CO_FUTURE_ANNOTATIONS;

/// The text of a source argument.
fn source_text<'a>(source: &'a Object, function: &str, what: &str) -> PyResult<Cow<'a, str>> {
    source_text_of(source, function, what, intern!("<string>"))
}

/// The text of a source argument; `function` and `what` are for the message.
///
/// # Errors
/// `TypeError` for other objects, `SyntaxError` for bytes that cannot be decoded.
pub(crate) fn source_text_of<'a>(
    source: &'a Object,
    function: &str,
    what: &str,
    filename: &Str,
) -> PyResult<Cow<'a, str>> {
    if let Some(text) = source.downcast::<Str>() {
        return Ok(Cow::Owned(text.to_utf8()?.to_owned()));
    }
    if let Some(bytes) = source.downcast::<Bytes>() {
        return decode_named(bytes.as_slice(), filename, false);
    }
    let bytes = if let Some(bytes) = source.downcast::<ByteArray>() {
        bytes.to_vec()
    } else if taipan_object::buffer::has_buffer(source) {
        taipan_object::buffer::Buffer::simple(source)?.to_vec()
    } else {
        return Err(raise!(PyExc_TypeError, "{function}() arg 1 must be a {what}"));
    };
    decode_named(&bytes, filename, false).map(|text| Cow::Owned(text.into_owned()))
}

/// Decodes source bytes by their own declaration (PEP 263); `script` says that they are the program's file.
///
/// # Errors
/// `SyntaxError` that names the file.
pub(crate) fn decode_named<'a>(bytes: &'a [u8], filename: &Str, script: bool) -> PyResult<Cow<'a, str>> {
    let hook = |encoding: &str, bytes: &[u8]| -> Result<Option<String>, String> {
        match (state::interp().hooks.get().decode)(bytes, encoding, "strict") {
            Ok(decoded) => Ok(decoded.downcast::<Str>().and_then(|text| text.as_utf8().map(str::to_owned))),
            Err(error) if error.is(&PyExc_LookupError) => Ok(None),
            Err(error) => Err(error.exception().str_lossy()),
        }
    };
    let file = if script { filename.as_utf8() } else { None };
    taipan_syntax::source::decode_script(bytes, &hook, file)
        .map_err(|error| crate::compile::parse_error(&error, filename))
}

/// A file name argument: text, bytes, or a path object.
///
/// # Errors
/// `TypeError` for anything else, `ValueError` for a NUL in it.
pub(crate) fn file_name(value: &Object) -> PyResult<Ref<Str>> {
    let path = taipan_object::system::fspath(value)?;
    let text = match path.downcast::<Str>() {
        Some(text) => Ref::of(text),
        None => taipan_object::system::fs_decode(path.downcast::<Bytes>().map_or(&[], Bytes::as_slice))?,
    };
    if text.code_points().any(|point| point == 0) {
        return Err(value_error("embedded null character"));
    }
    Ok(text)
}

/// An argument that must be a `str` without NUL.
///
/// # Errors
/// `TypeError`, `ValueError`.
pub(crate) fn mode_text(value: &Object, argument: &str) -> PyResult<String> {
    let Some(text) = value.downcast::<Str>() else {
        return Err(raise!(PyExc_TypeError, "{argument} must be str, not {}", value.ty().message_name()));
    };
    let text = text.to_utf8()?;
    if text.contains('\0') {
        return Err(value_error("embedded null character"));
    }
    Ok(text.to_owned())
}

pub(super) fn compile(_: &Module, args: &Args<'_>) -> PyResult {
    let filename = file_name(args.required(1))?;
    let mode_name = mode_text(args.required(2), "compile() argument 'mode'")?;
    let flags = args.i32_or(3, 0)?;
    let mode = match mode_name.as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" => Mode::FuncType,
        _ => return Err(value_error("compile() mode must be 'exec', 'eval' or 'single'")),
    };
    if flags & !(KNOWN_FLAGS | FUTURE_MASK.cast_signed()) != 0 {
        return Err(value_error("compile(): unrecognised flags"));
    }
    if mode == Mode::FuncType && flags & PYCF_ONLY_AST == 0 {
        return Err(value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST"));
    }
    let optimize = match args.i32_or(5, -1)? {
        -1 => crate::compile::default_optimize(),
        level @ 0..=2 => level as u8,
        _ => return Err(value_error("compile(): invalid optimize value")),
    };
    let mut future = flags.cast_unsigned() & FUTURE_MASK;
    if !args.bool_or(4, false)? {
        future |= inherited_future();
    }
    let feature_version = match args.i32_or(6, -1)? {
        version @ 0..=14 if flags & PYCF_ONLY_AST != 0 => version as u8,
        _ => 14,
    };
    let settings = Settings {
        future,
        optimize,
        allow_incomplete: flags & PYCF_ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: flags & PYCF_DONT_IMPLY_DEDENT != 0,
        top_level_await: flags & PYCF_ALLOW_TOP_LEVEL_AWAIT != 0,
        type_comments: flags & PYCF_TYPE_COMMENTS != 0,
        feature_version,
        ..Settings::new(mode)
    };
    let (source, filename) = (args.required(0), &*filename);
    let optimized = flags & PYCF_OPTIMIZED_AST == PYCF_OPTIMIZED_AST;
    if ast::is_node(source) {
        if flags & PYCF_ONLY_AST != 0 && !optimized {
            ast::check_root(source, mode)?;
            return Ok(source.new_ref());
        }
        let mut tree = ast::from_object(source, mode)?;
        if flags & PYCF_ONLY_AST != 0 {
            crate::compile::preprocess(&mut tree, "", filename, settings)?;
            return ast::to_object(taipan_syntax::ast::NodeRef::Mod(&tree));
        }
        return Ok(crate::compile::compile_tree(&mut tree, "", filename, settings)?.upcast());
    }
    let text = source_text_of(source, "compile", "string, bytes or AST object", filename)?;
    if flags & PYCF_ONLY_AST != 0 {
        return crate::compile::parse_to_object(&text, filename, settings, optimized);
    }
    Ok(compile_text(&text, filename, settings)?.upcast())
}

/// The future features of the code that is running.
fn inherited_future() -> u32 {
    current_frame_object()
        .and_then(|object| frame_object::code_of(&object))
        .map_or(0, |code| code.flags() & FUTURE_MASK)
}

fn current_frame_object() -> Option<Ref> {
    frame_object::current()
}

pub(super) fn globals(_: &Module) -> PyResult {
    match frame::current_globals() {
        Some(globals) => Ok(globals.upcast()),
        None => Err(system_error("globals() without running code")),
    }
}

/// The namespace of the running scope.
pub(super) fn current_locals() -> PyResult {
    frame_object::current_locals()
}

pub(super) fn locals(_: &Module) -> PyResult {
    current_locals()
}

/// Globals and locals of `eval` and `exec`.
fn namespaces(args: &Args<'_>, function: &str) -> PyResult<(Ref<Dict>, Ref)> {
    let globals = match args.get_some(1) {
        None => None,
        Some(globals) => match globals.downcast::<Dict>() {
            Some(globals) => Some(Ref::of(globals)),
            None if function == "eval" && protocol::is_mapping(globals) => {
                return Err(type_error("globals must be a real dict; try eval(expr, {}, mapping)"));
            }
            None if function == "eval" => return Err(type_error("globals must be a dict")),
            None => {
                return Err(raise!(
                    PyExc_TypeError,
                    "{function}() globals must be a dict, not {}",
                    globals.ty().message_name()
                ));
            }
        },
    };
    let locals = args.get_some(2).map(Object::new_ref);
    if let Some(locals) = locals.as_ref().filter(|locals| !protocol::is_mapping(locals)) {
        return Err(if function == "eval" {
            type_error("locals must be a mapping")
        } else {
            raise!(PyExc_TypeError, "locals must be a mapping or None, not {}", locals.ty().message_name())
        });
    }
    let (globals, locals) = match (globals, locals) {
        (Some(globals), Some(locals)) => (globals, locals),
        (Some(globals), None) => (globals.clone(), globals.upcast()),
        (None, locals) => {
            let Some(globals) = frame::current_globals() else {
                return Err(system_error("globals and locals cannot be NULL"));
            };
            let locals = match locals {
                Some(locals) => locals,
                None => current_locals()?,
            };
            (globals, locals)
        }
    };
    if globals.get_str(intern!("__builtins__"))?.is_none()
        && let Some(builtins) = state::interp().modules.get_text("builtins")
    {
        globals.set_str(intern!("__builtins__"), &builtins)?;
    }
    Ok((globals, locals))
}

fn run(args: &Args<'_>, function: &str, mode: Mode) -> PyResult {
    let source = args.required(0).new_ref();
    let (globals, locals) = namespaces(args, function)?;
    if let Some(code) = source.downcast::<Code>() {
        if code.nfreevars() > 0 {
            return run_with_closure(code, &globals, &locals, args, function);
        }
        if function == "exec" && args.get_some(3).is_some() {
            return Err(type_error("cannot use a closure with this code object"));
        }
        return call::run_code(code, &globals, Some(&locals));
    }
    if function == "exec" && args.get_some(3).is_some() {
        return Err(type_error("closure can only be used when source is a code object"));
    }
    let text = source_text(&source, function, "string, bytes or code object")?;
    let text = if mode == Mode::Eval { text.trim_start_matches([' ', '\t']) } else { &*text };
    let settings = Settings { future: inherited_future(), ..Settings::new(mode) };
    let code = compile_text(text, intern!("<string>"), settings)?;
    call::run_code(&code, &globals, Some(&locals))
}

fn run_with_closure(
    code: &Code,
    globals: &Dict,
    locals: &Object,
    args: &Args<'_>,
    function: &str,
) -> PyResult {
    if function == "eval" {
        return Err(type_error("code object passed to eval() may not contain free variables"));
    }
    let fits = |closure: &&Object| {
        closure.downcast::<Tuple>().is_some_and(|cells| {
            cells.len() == code.nfreevars() && cells.items().iter().all(|cell| cell.is_exact(&PyCell_Type))
        })
    };
    let Some(closure) = args.get_some(3).filter(fits) else {
        return Err(raise!(
            PyExc_TypeError,
            "code object requires a closure of exactly length {}",
            code.nfreevars()
        ));
    };
    let made = PyFunction_Type.call(&[
        code,
        globals,
        taipan_object::singletons::none(),
        taipan_object::singletons::none(),
        closure,
    ])?;
    match made.downcast::<taipan_eval::function::Function>() {
        Some(made) => call::run_function_in(made, Some(locals)),
        None => Err(type_error("exec() could not bind the closure")),
    }
}

pub(super) fn eval(_: &Module, args: &Args<'_>) -> PyResult {
    run(args, "eval", Mode::Eval)
}

pub(super) fn exec(_: &Module, args: &Args<'_>) -> PyResult<()> {
    run(args, "exec", Mode::Exec).map(|_| ())
}
