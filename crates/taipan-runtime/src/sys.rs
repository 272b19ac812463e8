//! The `sys` module.

use crate::printer;
use taipan_object::dict::Dict;
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{is_none, new_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise, state};

/// Taipan's own version.
pub const TAIPAN_VERSION: &str = env!("CARGO_PKG_VERSION");

fn exc_info(_: &Object) -> PyResult<Ref<Tuple>> {
    match state::handled_exception() {
        None => Tuple::from_array([new_none(), new_none(), new_none()]),
        Some(value) => {
            let traceback = value.getattr(intern!("__traceback__"))?;
            Tuple::from_array([value.ty().new_ref(), value.clone(), traceback])
        }
    }
}

fn exception(_: &Object) -> Option<Ref> {
    state::handled_exception()
}

fn exit(_: &Object, args: &Args<'_>) -> PyResult {
    Err(match args.get_some(0) {
        None => PyErr::with_args(&PyExc_SystemExit, &[]),
        Some(status) => PyErr::with_args(&PyExc_SystemExit, &[status]),
    })
}

fn getrefcount(_: &Object, object: &Object) -> u32 {
    object.refcount()
}

fn getrecursionlimit(_: &Object) -> i32 {
    state::interp().recursion_limit.get()
}

fn setrecursionlimit(_: &Object, limit: &Object) -> PyResult<()> {
    let limit = limit.to_i32()?;
    if limit < 1 {
        return Err(value_error("recursion limit must be greater or equal than 1"));
    }
    match state::set_recursion_limit(limit) {
        Ok(()) => Ok(()),
        Err(depth) => Err(raise!(
            PyExc_RecursionError,
            "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
        )),
    }
}

fn intern_text(_: &Object, text: &Object) -> PyResult<Ref<Str>> {
    match text.downcast::<Str>() {
        Some(text) if text.is_exact(&PyUnicode_Type) => Ok(unicode::intern(Ref::of(text))),
        Some(other) => Err(raise!(PyExc_TypeError, "can't intern {}", other.ty().message_name())),
        None => {
            Err(raise!(PyExc_TypeError, "intern() argument must be str, not {}", text.ty().message_name()))
        }
    }
}

fn getframe(_: &Object, args: &Args<'_>) -> PyResult {
    let depth = args.i32_or(0, 0)?;
    let mut frame = taipan_eval::frame_object::current();
    for _ in 0..depth.max(0) {
        frame = match frame {
            Some(frame) => Some(frame.getattr(intern!("f_back"))?).filter(|back| !is_none(back)),
            None => None,
        };
    }
    frame.ok_or_else(|| value_error("call stack is not deep enough"))
}

fn displayhook(_: &Object, value: &Object) -> PyResult<()> {
    if is_none(value) {
        return Ok(());
    }
    let builtins = state::interp().builtins.borrow().clone();
    if let Some(builtins) = &builtins {
        builtins.set_text("_", none())?;
    }
    let sys = state::interp().sysdict.borrow().clone();
    let Some(stdout) = sys.and_then(|sys| sys.get_text("stdout")) else {
        return Err(taipan_object::err::runtime_error("lost sys.stdout"));
    };
    stdout.call_method(intern!("write"), &[&*value.repr()?])?;
    stdout.call_method(intern!("write"), &[intern!("\n")])?;
    if let Some(builtins) = &builtins {
        builtins.set_text("_", value)?;
    }
    Ok(())
}

fn excepthook(_: &Object, args: &Args<'_>) -> PyResult<()> {
    printer::print_exception(args.required(1))
}

fn getsizeof(_: &Object, args: &Args<'_>) -> PyResult {
    let object = args.required(0);
    let method = taipan_object::protocol::special_opt(object, intern!("__sizeof__"), &[])?;
    match (method, args.get(1)) {
        (Some(size), _) => {
            let header = if taipan_object::gc::is_gc(object) { 16 } else { 0 };
            Ok(Int::from_i64(size.to_i64()? + header).upcast())
        }
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(type_error("Type doesn't define __sizeof__")),
    }
}

taipan_object::methods! { static METHODS = {
    one "displayhook" "($module, object, /)" = displayhook, "Show a value at the prompt and keep it as builtins._";
    args "excepthook" "($module, exctype, value, traceback, /)" = excepthook, "Show an exception that nothing caught.";
    noargs "exc_info" "($module, /)" = exc_info, "Type, value and traceback of the exception being handled.";
    noargs "exception" "($module, /)" = exception, "The exception being handled, or None.";
    args "exit" "($module, status=None, /)" = exit, "Leave the interpreter by raising SystemExit(status).";
    args "_getframe" "($module, depth=0, /)" = getframe, "The frame that is so many calls up.";
    noargs "getrecursionlimit" "($module, /)" = getrecursionlimit, "How deep calls may nest.";
    one "setrecursionlimit" "($module, limit, /)" = setrecursionlimit, "Set how deep calls may nest.";
    one "getrefcount" "($module, object, /)" = getrefcount, "How many references an object has.";
    args "getsizeof" "($module, /, object, default=-1)" = getsizeof, "How many bytes an object takes.";
    one "intern" "($module, string, /)" = intern_text, "The one str of this text.";
} }

/// `sys.version_info` and the like are tuples with names; a plain tuple until struct sequences exist.
fn version_tuple() -> PyResult<Ref<Tuple>> {
    Tuple::from_vec(vec![
        Int::from_i64(3).upcast(),
        Int::from_i64(14).upcast(),
        Int::from_i64(10).upcast(),
        Str::from_utf8("final")?.upcast(),
        Int::from_i64(0).upcast(),
    ])
}

fn init(module: &Module) -> PyResult<()> {
    let version = format!("3.14.10 (main) [Taipan {TAIPAN_VERSION}]");
    module.add("version", &*Str::from_utf8(&version)?)?;
    module.add("version_info", &*version_tuple()?)?;
    module.add("hexversion", &Int::from_i64(0x030e_0af0))?;
    module.add("api_version", &Int::from_i64(1013))?;
    module.add("maxsize", &Int::from_i64(i64::MAX))?;
    module.add("maxunicode", &Int::from_i64(0x10_FFFF))?;
    module.add("byteorder", intern!("little"))?;
    module.add("platform", intern!("linux"))?;
    module.add("copyright", &*Str::from_utf8("Copyright (c) the Taipan developers.")?)?;
    module.add("path", &*List::new()?)?;
    module.add("argv", &*List::new()?)?;
    module.add("modules", &state::interp().modules)?;
    module.add("meta_path", &*List::new()?)?;
    module.add("path_hooks", &*List::new()?)?;
    module.add("path_importer_cache", &*Dict::new()?)?;
    module.add("warnoptions", &*List::new()?)?;
    for (name, fd) in [("stdout", 1), ("stderr", 2), ("__stdout__", 1), ("__stderr__", 2)] {
        module.add(name, &*printer::standard(fd)?)?;
    }
    Ok(())
}

/// `sys`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "sys", doc: "What the interpreter knows about itself.", methods: METHODS, init };
