//! The `sys` module.

pub(crate) mod facts;
mod jit;
mod library;
mod monitoring;
mod more;

pub(crate) use more::{call_unraisablehook, hook_failed};

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
    noargs "getdefaultencoding" "($module, /)" = |_: &Object| "utf-8", "The encoding that str methods assume.";
    noargs "getfilesystemencoding" "($module, /)" = |_: &Object| "utf-8", "The encoding of file names.";
    noargs "getfilesystemencodeerrors" "($module, /)" = |_: &Object| "surrogateescape", "The error handler of file names.";
    noargs "get_int_max_str_digits" "($module, /)" = |_: &Object| state::interp().int_max_str_digits.get(), "The limit of int to str conversion.";
    args "set_int_max_str_digits" "($module, /, maxdigits)" = more::set_int_max_str_digits, "Set the limit of int to str conversion.";
    noargs "getswitchinterval" "($module, /)" = more::getswitchinterval, "How many seconds a thread may keep the interpreter lock.";
    one "setswitchinterval" "($module, interval, /)" = more::setswitchinterval, "Set how long a thread may keep the interpreter lock.";
    noargs "get_asyncgen_hooks" "($module, /)" = more::get_asyncgen_hooks, "The hooks of asynchronous generators.";
    args "set_asyncgen_hooks" "($module, /, firstiter=<unrepresentable>, finalizer=<unrepresentable>)" = more::set_asyncgen_hooks, "Set the hooks of asynchronous generators.";
    noargs "get_coroutine_origin_tracking_depth" "($module, /)" = |_: &Object| state::thread().base.coroutine_origin_tracking_depth, "How many frames coroutines remember.";
    args "set_coroutine_origin_tracking_depth" "($module, /, depth)" = more::set_origin_depth, "Set how many frames coroutines remember.";
    noargs "gettrace" "($module, /)" = |_: &Object| taipan_eval::monitor::legacy::current_trace(), "The trace function.";
    noargs "getprofile" "($module, /)" = |_: &Object| taipan_eval::monitor::legacy::current_profile(), "The profile function.";
    one "settrace" "($module, function, /)" = more::settrace, "Set the trace function.";
    one "setprofile" "($module, function, /)" = more::setprofile, "Set the profile function.";
    one "_settraceallthreads" "($module, function, /)" = more::settraceallthreads, "Set the trace function of all threads.";
    one "_setprofileallthreads" "($module, function, /)" = more::setprofileallthreads, "Set the profile function of all threads.";
    noargs "is_finalizing" "($module, /)" = |_: &Object| state::interp().finalizing.get(), "Whether the interpreter is ending.";
    many "audit" "($module, event, /, *args)" = more::audit, "Tell the audit hooks of an event.";
    args "addaudithook" "($module, /, hook)" = more::addaudithook, "Add an audit hook.";
    one "unraisablehook" "($module, unraisable, /)" = more::unraisablehook, "Show an exception that nobody can catch.";
    keywords "breakpointhook" "($module, /, *args, **kwargs)" = more::breakpointhook, "What breakpoint() calls.";
    args "call_tracing" "($module, func, args, /)" = more::call_tracing, "Call a function with tracing on.";
    args "_getframemodulename" "($module, /, depth=0)" = more::getframemodulename, "The module of the frame that is so many calls up.";
    noargs "_current_frames" "($module, /)" = more::current_frames, "The frame of this thread by its number.";
    noargs "_current_exceptions" "($module, /)" = more::current_exceptions, "The exception that this thread handles by its number.";
    one "_is_interned" "($module, string, /)" = more::is_interned, "Whether a str is interned.";
    one "_clear_type_descriptors" "($module, type, /)" = more::clear_type_descriptors, "Take __dict__ and __weakref__ out of a class, for whoever makes it a second time.";
    one "_is_immortal" "($module, op, /)" = |_: &Object, object: &Object| taipan_object::refcount::is_immortal(object), "Whether an object lives for ever.";
    noargs "_clear_type_cache" "($module, /)" = |_: &Object| {}, "Do nothing: caches notice changes themselves.";
    noargs "_clear_internal_caches" "($module, /)" = |_: &Object| {}, "Do nothing: caches notice changes themselves.";
    noargs "_is_gil_enabled" "($module, /)" = |_: &Object| true, "Whether there is an interpreter lock.";
    noargs "_get_cpu_count_config" "($module, /)" = |_: &Object| -1, "The processor count that was asked for, or -1.";
    noargs "getdlopenflags" "($module, /)" = |_: &Object| 2, "The flags that extension modules are loaded with.";
    noargs "getallocatedblocks" "($module, /)" = |_: &Object| taipan_object::gc::tracked_count(), "How many objects the collector watches.";
    one "intern" "($module, string, /)" = intern_text, "The one str of this text.";
} }

fn library_module_names() -> PyResult {
    let mut names = Vec::with_capacity(library::LIBRARY_MODULES.len());
    for name in library::LIBRARY_MODULES {
        names.push(Str::from_utf8(name)?.upcast());
    }
    let names = Tuple::from_vec(names)?;
    taipan_types_collections::set::new_frozenset(Some(&*names)).map(Ref::upcast)
}

fn init(module: &Module) -> PyResult<()> {
    facts::add_constants(module)?;
    let monitoring = taipan_object::module::create(&monitoring::SPEC)?;
    state::interp().modules.set_text("sys.monitoring", &monitoring)?;
    module.add("monitoring", &monitoring)?;
    module.add("_jit", &*taipan_object::module::create(&jit::SPEC)?)?;
    module.add("stdlib_module_names", &*library_module_names()?)?;
    module.add("path", &*List::new()?)?;
    module.add("argv", &*List::new()?)?;
    module.add("modules", &state::interp().modules)?;
    module.add("meta_path", &*List::new()?)?;
    module.add("path_hooks", &*List::new()?)?;
    module.add("path_importer_cache", &*Dict::new()?)?;
    module.add("warnoptions", &*List::new()?)?;
    for name in ["displayhook", "excepthook", "unraisablehook", "breakpointhook"] {
        if let Some(hook) = module.dict().get_text(name) {
            module.add(&format!("__{name}__"), &hook)?;
        }
    }
    for (name, fd) in [("stdout", 1), ("stderr", 2), ("__stdout__", 1), ("__stderr__", 2)] {
        module.add(name, &*printer::standard(fd)?)?;
    }
    Ok(())
}

/// Fills in what the command line and the environment said.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn configure(config: &crate::config::Config) -> PyResult<()> {
    match &*state::interp().sysdict.borrow() {
        Some(sys) => facts::add_configuration(sys, config),
        None => Ok(()),
    }
}

/// `sys`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "sys", doc: "What the interpreter knows about itself.", methods: METHODS, init };
