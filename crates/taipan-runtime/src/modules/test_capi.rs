//! `_testcapi`: the few parts of it that tests of the language itself stand on.
//!
//! Problem: tests ask it for the limits of C's numbers, for the configuration, and for functions of each calling
//! convention. Idea: the limits are this machine's, the configuration is the one that the interpreter was started
//! with, the functions go through the ordinary tables of methods. What is not here is left out, so that a test
//! notices.

use super::test_events;
use crate::config::Config;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::monitoring::event;
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, new_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, methods, payload, raise, state};

/// An instance, whatever its class.
pub struct Plain;
payload!(Plain, INSTANCE, c"MethInstance", 0, []);
/// As [`Plain`], for the class with class methods.
pub struct PlainClass;
payload!(PlainClass, CLASS, c"MethClass", 0, []);
/// As [`Plain`], for the class with static methods.
pub struct PlainStatic;
payload!(PlainStatic, STATIC, c"MethStatic", 0, []);

fn positional(this: Ref, args: &[&Object]) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([this, Tuple::from_refs(args)?.upcast()])
}

fn with_keywords(this: Ref, args: CallArgs<'_>) -> PyResult<Ref<Tuple>> {
    let keywords = args.keywords_dict()?.map_or_else(new_none, Ref::upcast);
    Tuple::from_array([this, Tuple::from_refs(args.positional())?.upcast(), keywords])
}

fn single(this: Ref, arg: &Object) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([this, arg.new_ref()])
}

/// The option of that name as `PyConfig_Get` gives it.
fn config_value(name: &str) -> PyResult<Option<Ref>> {
    // These may have been changed since.
    let public = match name {
        "argv" | "base_exec_prefix" | "base_prefix" | "exec_prefix" | "executable" | "orig_argv"
        | "platlibdir" | "prefix" | "pycache_prefix" | "warnoptions" => name,
        "base_executable" => "_base_executable",
        "module_search_paths" => "path",
        "stdlib_dir" => "_stdlib_dir",
        "xoptions" => "_xoptions",
        _ => "",
    };
    if !public.is_empty() {
        let sys = state::interp().sysdict.borrow().clone();
        return Ok(sys.and_then(|sys: Ref<Dict>| sys.get_text(public)));
    }
    let Some(config) = Config::of_interpreter() else { return Ok(None) };
    let number = |value: i32| Some(Int::from_i64(i64::from(value)).upcast());
    let truth = |value: bool| Some(new_bool(value));
    Ok(match name {
        "bytes_warning" => number(config.bytes_warning),
        "buffered_stdio" => truth(!config.unbuffered),
        "check_hash_pycs_mode" => Some(Str::from_utf8(&config.check_hash_based_pycs)?.upcast()),
        "code_debug_ranges" => truth(config.code_debug_ranges),
        "dev_mode" => truth(config.dev_mode),
        "hash_seed" => Some(Int::from_i64(i64::from(config.hash_seed.unwrap_or(0))).upcast()),
        "inspect" => truth(config.inspect > 0),
        "int_max_str_digits" => number(state::interp().int_max_str_digits.get()),
        "interactive" => truth(config.interactive > 0),
        "isolated" => truth(config.isolated > 0),
        "optimization_level" => number(config.optimize),
        "parser_debug" => truth(config.debug > 0),
        "quiet" => truth(config.quiet > 0),
        "safe_path" => truth(config.safe_path),
        "site_import" => truth(config.no_site == 0),
        "skip_source_first_line" => truth(config.skip_first_line),
        "use_environment" => truth(config.ignore_environment == 0),
        "use_hash_seed" => truth(config.hash_seed.is_some()),
        "user_site_directory" => truth(config.no_user_site == 0),
        "utf8_mode" => truth(config.utf8_mode > 0),
        "verbose" => number(config.verbose),
        "warn_default_encoding" => truth(config.warn_default_encoding > 0),
        "write_bytecode" => truth(config.dont_write_bytecode == 0),
        _ => None,
    })
}

fn config_get(_: &Object, args: &Args<'_>) -> PyResult {
    let name = args.required(0).str_lossy();
    match config_value(&name)? {
        Some(value) => Ok(value),
        None => Err(raise!(PyExc_ValueError, "unknown config option name: {}", name)),
    }
}

fn exception_class(object: &Object) -> Option<&Type> {
    let base: &Type = &PyExc_BaseException;
    object.downcast::<Type>().filter(|class| class.is_subtype(base))
}

/// Raises what a class makes of the arguments 0, 1, …, `count` of them.
fn raise_exception(_: &Object, args: &Args<'_>) -> PyResult {
    let (class, count) = (args.required(0), args.required(1).to_isize()?);
    let Some(class) = exception_class(class) else {
        let shown = class.repr()?;
        return Err(raise!(
            PyExc_SystemError,
            "_PyErr_SetObject: exception {} is not a BaseException subclass",
            shown.to_utf8()?
        ));
    };
    let numbers: Vec<Ref> = (0..count as i64).map(|number| Int::from_i64(number).upcast()).collect();
    let numbers: Vec<&Object> = numbers.iter().map(|number| &**number).collect();
    Err(PyErr::with_args(class, &numbers))
}

/// A new exception class.
fn make_exception_with_doc(_: &Object, args: &Args<'_>) -> PyResult {
    let text = |at: usize| -> PyResult<Option<&Str>> {
        match args.get(at) {
            None => Ok(None),
            Some(value) => match value.downcast::<Str>() {
                Some(text) => Ok(Some(text)),
                None => Err(raise!(
                    PyExc_TypeError,
                    "make_exception_with_doc() argument {} must be str, not {}",
                    at + 1,
                    value.ty().message_name()
                )),
            },
        }
    };
    let name = text(0)?.ok_or_else(|| type_error("a name is required"))?;
    taipan_types_meta::exceptions::new_exception_class(name.to_utf8()?, text(1)?, args.get(2), args.get(3))
}

methods! { static FUNCTIONS = {
    args "raise_exception" "($module, exc, num_args, /)" = raise_exception, "Raise a class with so many numbers as arguments.";
    noargs "raise_memoryerror" "($module, /)" = |_: &Object| -> PyResult { Err(taipan_object::alloc::no_memory()) }, "Raise what a failed allocation raises.";
    args "make_exception_with_doc" "($module, /, name, doc=<unrepresentable>, base=<unrepresentable>, dict=<unrepresentable>)" = make_exception_with_doc, "Make an exception class.";
    args "config_get" "($module, name, /)" = config_get, "An option of the interpreter's configuration.";
    many "meth_varargs" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The module and the arguments.";
    keywords "meth_varargs_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The module, the arguments and the keywords.";
    one "meth_o" "" = |this: &Object, arg: &Object| single(this.new_ref(), arg), "The module and the argument.";
    noargs "meth_noargs" "" = |this: &Object| this.new_ref(), "The module.";
    many "meth_fastcall" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The module and the arguments.";
    keywords "meth_fastcall_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The module, the arguments and the keywords.";
    args "code_offset_to_line" "($module, code, offset, /)" = test_events::code_offset_to_line, "The line of an instruction, or -1.";
    many "fire_event_py_start" "" = test_events::fire_plain::<{ event::PY_START }>, "Send an event of this kind.";
    many "fire_event_py_resume" "" = test_events::fire_plain::<{ event::PY_RESUME }>, "Send an event of this kind.";
    many "fire_event_py_return" "" = test_events::fire_plain::<{ event::PY_RETURN }>, "Send an event of this kind.";
    many "fire_event_py_yield" "" = test_events::fire_plain::<{ event::PY_YIELD }>, "Send an event of this kind.";
    many "fire_event_c_return" "" = test_events::fire_plain::<{ event::C_RETURN }>, "Send an event of this kind.";
    many "fire_event_call" "" = test_events::fire_plain::<{ event::CALL }>, "Send an event of this kind.";
    many "fire_event_jump" "" = test_events::fire_plain::<{ event::JUMP }>, "Send an event of this kind.";
    many "fire_event_branch_right" "" = test_events::fire_plain::<{ event::BRANCH_RIGHT }>, "Send an event of this kind.";
    many "fire_event_branch_left" "" = test_events::fire_plain::<{ event::BRANCH_LEFT }>, "Send an event of this kind.";
    many "fire_event_py_throw" "" = test_events::fire_exception::<{ event::PY_THROW }>, "Send an event of this kind.";
    many "fire_event_raise" "" = test_events::fire_exception::<{ event::RAISE }>, "Send an event of this kind.";
    many "fire_event_c_raise" "" = test_events::fire_exception::<{ event::C_RAISE }>, "Send an event of this kind.";
    many "fire_event_reraise" "" = test_events::fire_exception::<{ event::RERAISE }>, "Send an event of this kind.";
    many "fire_event_exception_handled" "" = test_events::fire_exception::<{ event::EXCEPTION_HANDLED }>, "Send an event of this kind.";
    many "fire_event_py_unwind" "" = test_events::fire_exception::<{ event::PY_UNWIND }>, "Send an event of this kind.";
    many "fire_event_stop_iteration" "" = test_events::fire_stop, "Send an event of this kind.";
    many "monitoring_enter_scope" "" = test_events::enter_scope, "Ask which tools want these events of a code-like.";
    noargs "monitoring_exit_scope" "" = |_: &Object| {}, "End what was begun last.";
    one "settrace_to_record" "" = test_events::settrace_to_record, "Trace into a list.";
    one "settrace_to_error" "" = test_events::settrace_to_error, "Set a trace function that fails once.";
} }

methods! { static INSTANCE_METHODS = {
    many "meth_varargs" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The instance and the arguments.";
    keywords "meth_varargs_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The instance, the arguments and the keywords.";
    one "meth_o" "" = |this: &Object, arg: &Object| single(this.new_ref(), arg), "The instance and the argument.";
    noargs "meth_noargs" "" = |this: &Object| this.new_ref(), "The instance.";
    many "meth_fastcall" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The instance and the arguments.";
    keywords "meth_fastcall_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The instance, the arguments and the keywords.";
} }

methods! { static CLASS_METHODS = {
    class many "meth_varargs" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The class and the arguments.";
    class keywords "meth_varargs_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The class, the arguments and the keywords.";
    class one "meth_o" "" = |this: &Object, arg: &Object| single(this.new_ref(), arg), "The class and the argument.";
    class noargs "meth_noargs" "" = |this: &Object| this.new_ref(), "The class.";
    class many "meth_fastcall" "" = |this: &Object, args: &[&Object]| positional(this.new_ref(), args), "The class and the arguments.";
    class keywords "meth_fastcall_keywords" "" = |this: &Object, args: CallArgs<'_>| with_keywords(this.new_ref(), args), "The class, the arguments and the keywords.";
} }

methods! { static STATIC_METHODS = {
    static many "meth_varargs" "" = |_: &Object, args: &[&Object]| positional(new_none(), args), "None and the arguments.";
    static keywords "meth_varargs_keywords" "" = |_: &Object, args: CallArgs<'_>| with_keywords(new_none(), args), "None, the arguments and the keywords.";
    static one "meth_o" "" = |_: &Object, arg: &Object| single(new_none(), arg), "None and the argument.";
    static noargs "meth_noargs" "" = |_: &Object| new_none(), "None.";
    static many "meth_fastcall" "" = |_: &Object, args: &[&Object]| positional(new_none(), args), "None and the arguments.";
    static keywords "meth_fastcall_keywords" "" = |_: &Object, args: CallArgs<'_>| with_keywords(new_none(), args), "None, the arguments and the keywords.";
} }

static INSTANCE_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<Plain>::DEALLOC,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| -> PyResult { Ok(native_new(ty, Plain)?.upcast()) }),
    ],
    methods: INSTANCE_METHODS,
    ..TypeSpec::new(&INSTANCE)
};

static CLASS_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<PlainClass>::DEALLOC,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| -> PyResult {
            Ok(native_new(ty, PlainClass)?.upcast())
        }),
    ],
    methods: CLASS_METHODS,
    ..TypeSpec::new(&CLASS)
};

static STATIC_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<PlainStatic>::DEALLOC,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| -> PyResult {
            Ok(native_new(ty, PlainStatic)?.upcast())
        }),
    ],
    methods: STATIC_METHODS,
    ..TypeSpec::new(&STATIC)
};

const LIMITS: &[(&str, i64)] = &[
    ("CHAR_MAX", core::ffi::c_char::MAX as i64),
    ("CHAR_MIN", core::ffi::c_char::MIN as i64),
    ("UCHAR_MAX", u8::MAX as i64),
    ("SHRT_MAX", i16::MAX as i64),
    ("SHRT_MIN", i16::MIN as i64),
    ("USHRT_MAX", u16::MAX as i64),
    ("INT_MAX", i32::MAX as i64),
    ("INT_MIN", i32::MIN as i64),
    ("UINT_MAX", u32::MAX as i64),
    ("INT32_MAX", i32::MAX as i64),
    ("INT32_MIN", i32::MIN as i64),
    ("UINT32_MAX", u32::MAX as i64),
    ("INT64_MAX", i64::MAX),
    ("INT64_MIN", i64::MIN),
    ("LONG_MAX", core::ffi::c_long::MAX),
    ("LONG_MIN", core::ffi::c_long::MIN),
    ("LLONG_MAX", i64::MAX),
    ("LLONG_MIN", i64::MIN),
    ("PY_SSIZE_T_MAX", isize::MAX as i64),
    ("PY_SSIZE_T_MIN", isize::MIN as i64),
    ("SIZEOF_PID_T", 4),
    ("SIZEOF_TIME_T", 8),
    ("SIZEOF_VOID_P", size_of::<usize>() as i64),
    ("SIZEOF_WCHAR_T", 4),
];

const LARGE: [&str; 4] = ["ULONG_MAX", "ULLONG_MAX", "SIZE_MAX", "UINT64_MAX"];

/// Functions that the room of the C interface adds.
pub struct MoreTests {
    pub functions: &'static [MethodRow],
}

fn init(module: &Module) -> PyResult<()> {
    module.add_functions(state::interp().extension(|| MoreTests { functions: &[] }).functions)?;
    add_type(module, &test_events::CODE_LIKE_SPEC)?;
    add_type(module, &INSTANCE_SPEC)?;
    add_type(module, &CLASS_SPEC)?;
    add_type(module, &STATIC_SPEC)?;
    for (name, value) in LIMITS {
        module.add(name, &Int::from_i64(*value))?;
    }
    for name in LARGE {
        module.add(name, &*u64::MAX.into_py()?)?;
    }
    let floats = [
        ("FLT_MAX", f64::from(f32::MAX)),
        ("FLT_MIN", f64::from(f32::MIN_POSITIVE)),
        ("DBL_MAX", f64::MAX),
        ("DBL_MIN", f64::MIN_POSITIVE),
    ];
    for (name, value) in floats {
        module.add(name, &Float::new(value))?;
    }
    Ok(())
}

/// `_testcapi`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_testcapi",
    doc: "Limits, configuration and calling conventions, for tests.",
    methods: FUNCTIONS,
    init,
};
