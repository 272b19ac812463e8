//! The `builtins` module.

mod classes;
pub(crate) mod code;
mod io;
mod objects;
mod sequences;

pub(crate) use code::decode_named;

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{bool_object, ellipsis, none, not_implemented};
use taipan_object::statics::*;
use taipan_object::{Object, PyResult};

taipan_object::methods! { static METHODS = {
    keywords "__build_class__" "" = classes::build_class,
        "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nWhat a class statement calls.";
    args "__import__" "($module, /, name, globals=None, locals=None, fromlist=(), level=0)" = crate::import::builtin_import,
        "Import a module; what the import statement calls.";
    one "abs" "($module, x, /)" = objects::abs, "The absolute value of a number.";
    one "all" "($module, iterable, /)" = sequences::all, "Whether every item is true; True for no items.";
    one "any" "($module, iterable, /)" = sequences::any, "Whether some item is true; False for no items.";
    one "ascii" "($module, obj, /)" = objects::ascii, "The repr with everything outside ASCII escaped.";
    one "bin" "($module, number, /)" = objects::bin, "The binary digits of an integer, after '0b'.";
    one "callable" "($module, obj, /)" = objects::callable, "Whether the object can be called.";
    one "chr" "($module, i, /)" = objects::chr, "The str of one code point, from 0 to 0x10ffff.";
    args "compile" "($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)" = code::compile,
        "Compile source into a code object that exec() or eval() can run.";
    one "aiter" "($module, async_iterable, /)" = |_: &Object, iterable: &Object| taipan_eval::async_generator::aiter(iterable),
        "The asynchronous iterator of an asynchronous iterable.";
    args "anext" "($module, aiterator, default=<unrepresentable>, /)" = |_: &Object, args: &Args<'_>| {
        taipan_eval::async_generator::anext(args.required(0), args.get(1))
    }, "An awaitable for the next item; the default is given at the end.";
    keywords "breakpoint" "($module, /, *args, **kws)" = io::breakpoint, "Call sys.breakpointhook(*args, **kws).";
    args "delattr" "($module, obj, name, /)" = objects::delattr, "Delete the attribute of that name.";
    many "dir" "" = objects::dir, "dir([object]) -> list\n\nThe names of an object's attributes, or of the current scope.";
    args "divmod" "($module, x, y, /)" = objects::divmod, "The tuple (x//y, x%y).";
    args "eval" "($module, source, /, globals=None, locals=None)" = code::eval, "Evaluate an expression.";
    args "exec" "($module, source, /, globals=None, locals=None, *, closure=None)" = code::exec, "Run statements.";
    args "format" "($module, value, format_spec='', /)" = objects::format, "Format a value by a specification.";
    many "getattr" "" = objects::getattr, "getattr(object, name[, default]) -> value\n\nThe attribute of that name.";
    noargs "globals" "($module, /)" = code::globals, "The namespace of the module that is running.";
    args "hasattr" "($module, obj, name, /)" = objects::hasattr, "Whether the object has an attribute of that name.";
    one "hash" "($module, obj, /)" = objects::hash, "The hash of an object; equal objects have equal hashes.";
    one "hex" "($module, number, /)" = objects::hex, "The hexadecimal digits of an integer, after '0x'.";
    one "id" "($module, obj, /)" = objects::id, "The identity of an object, unique while it lives.";
    args "input" "($module, prompt='', /)" = io::input, "Read a line of standard input, without its end.";
    args "isinstance" "($module, obj, class_or_tuple, /)" = classes::isinstance, "Whether the object is an instance of a class or of one of several.";
    args "issubclass" "($module, cls, class_or_tuple, /)" = classes::issubclass, "Whether a class derives from another or from one of several.";
    many "iter" "" = sequences::iter, "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator\n\nMake an iterator.";
    one "len" "($module, obj, /)" = sequences::len, "The number of items.";
    noargs "locals" "($module, /)" = code::locals, "The names and values of the current scope.";
    keywords "max" "" = sequences::max, "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nThe biggest item.";
    keywords "min" "" = sequences::min, "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nThe smallest item.";
    many "next" "" = sequences::next, "next(iterator[, default]) -> item\n\nThe next item of an iterator.";
    one "oct" "($module, number, /)" = objects::oct, "The octal digits of an integer, after '0o'.";
    one "ord" "($module, c, /)" = objects::ord, "The code point of a one-character str.";
    args "pow" "($module, /, base, exp, mod=None)" = objects::pow, "base**exp, or base**exp % mod.";
    keywords "print" "($module, /, *args, sep=' ', end='\\n', file=None, flush=False)" = io::print,
        "Write values to a stream, sys.stdout by default.";
    one "repr" "($module, obj, /)" = objects::repr, "The canonical text of an object.";
    args "round" "($module, /, number, ndigits=None)" = objects::round, "A number rounded to so many decimal places.";
    args "setattr" "($module, obj, name, value, /)" = objects::setattr, "Set the attribute of that name.";
    args "sorted" "($module, iterable, /, *, key=None, reverse=False)" = sequences::sorted, "A new sorted list of the items.";
    args "sum" "($module, iterable, /, start=0)" = sequences::sum, "The sum of start and the items.";
    many "vars" "" = objects::vars, "vars([object]) -> dict\n\nThe __dict__ of an object, or locals().";
} }

/// The types under their names in `builtins`.
const TYPES: &[(&str, &StaticType)] = &[
    ("bool", &PyBool_Type),
    ("bytearray", &PyByteArray_Type),
    ("bytes", &PyBytes_Type),
    ("classmethod", &PyClassMethod_Type),
    ("complex", &PyComplex_Type),
    ("dict", &PyDict_Type),
    ("enumerate", &PyEnum_Type),
    ("filter", &PyFilter_Type),
    ("float", &PyFloat_Type),
    ("frozenset", &PyFrozenSet_Type),
    ("int", &PyLong_Type),
    ("list", &PyList_Type),
    ("map", &PyMap_Type),
    ("memoryview", &PyMemoryView_Type),
    ("object", &PyBaseObject_Type),
    ("property", &PyProperty_Type),
    ("range", &PyRange_Type),
    ("reversed", &PyReversed_Type),
    ("set", &PySet_Type),
    ("slice", &PySlice_Type),
    ("staticmethod", &PyStaticMethod_Type),
    ("str", &PyUnicode_Type),
    ("super", &PySuper_Type),
    ("tuple", &PyTuple_Type),
    ("type", &PyType_Type),
    ("zip", &PyZip_Type),
];

fn init(module: &Module) -> PyResult<()> {
    for (name, ty) in TYPES {
        module.add(name, ty)?;
    }
    for ty in ALL {
        if ty.is_subtype(&_PyExc_BaseException) {
            module.add(ty.name(), ty)?;
        }
    }
    module.add("ExceptionGroup", taipan_types_meta::exceptions::exception_group_type())?;
    module.add("EnvironmentError", &PyExc_OSError)?;
    module.add("IOError", &PyExc_OSError)?;
    let singletons: [(&str, &Object); 6] = [
        ("None", none()),
        ("Ellipsis", ellipsis()),
        ("NotImplemented", not_implemented()),
        ("False", bool_object(false)),
        ("True", bool_object(true)),
        ("__debug__", bool_object(true)),
    ];
    for (name, value) in singletons {
        module.add(name, value)?;
    }
    let (len, isinstance) = (
        module.getattr(taipan_object::intern!("len"))?,
        module.getattr(taipan_object::intern!("isinstance"))?,
    );
    if let (Some(len), Some(isinstance)) = (len.downcast(), isinstance.downcast()) {
        taipan_object::state::interp().callables.set(len, isinstance);
    }
    for name in ["all", "any"] {
        let function = module.dict().get_text(name);
        if let Some(function) = function {
            taipan_object::state::interp().callables.keep(name, function);
        }
    }
    Ok(())
}

/// `builtins`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "builtins",
    doc: "The functions, types, exceptions and constants that need no import.",
    methods: METHODS,
    init,
};
