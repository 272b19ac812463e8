//! `_testcapi`, `_testlimitedcapi` and `_testinternalcapi`: views on the object layer for the language's own test suite.
//!
//! Problem: a few tests reach behind the language, at sequence slots or at how attributes are stored. Idea:
//! every function here calls the very function of the object layer that native modules use; nothing is
//! imitated. What this implementation has no counterpart of is left out, so that a test notices.

use core::ffi::{c_int, c_long, c_uint};
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, instance, raise, state};

fn sequence_getitem(_: &Object, args: &Args<'_>) -> PyResult {
    protocol::sequence_get(args.required(0), args.required(1).to_isize()?)
}

fn sequence_setitem(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    protocol::sequence_store(args.required(0), args.required(1).to_isize()?, Some(args.required(2)))?;
    Ok(0)
}

fn sequence_delitem(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    protocol::sequence_store(args.required(0), args.required(1).to_isize()?, None)?;
    Ok(0)
}

fn attribute_name(name: &Object) -> PyResult<Ref<Str>> {
    let bytes = taipan_object::buffer::Buffer::simple(name)?;
    let text = bytes.to_vec();
    let text =
        core::str::from_utf8(&text).map_err(|_| type_error("an attribute name in UTF-8 is required"))?;
    Str::from_utf8(text)
}

fn hasattr(object: &Object, name: &Str) -> PyResult<i32> {
    Ok(i32::from(object.getattr_opt(name)?.is_some()))
}

fn object_hasattrstring(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let name = attribute_name(args.required(1))?;
    match hasattr(args.required(0), &name) {
        Ok(answer) => Ok(answer),
        // The function that this stands for cannot tell of errors.
        Err(error) => {
            let place = "Exception ignored in PyObject_HasAttrString(); consider using \
                         PyObject_HasAttrStringWithError(), PyObject_GetOptionalAttrString() or \
                         PyObject_GetAttrString()";
            taipan_object::err::write_unraisable_text(error, place);
            Ok(0)
        }
    }
}

fn object_hasattrstringwitherror(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    hasattr(args.required(0), &*attribute_name(args.required(1))?)
}

taipan_object::methods! { static LIMITED = {
    noargs "_py_getbuiltwithassert" "($module, /)" = |_: &Object| cfg!(debug_assertions), "Whether assertions are compiled in.";
    one "sequence_check" "($module, arg, /)" = |_: &Object, object: &Object| i32::from(protocol::is_sequence(object)),
        "Whether an object takes positions.";
    args "sequence_getitem" "($module, seq, i, /)" = sequence_getitem, "What stands at a position.";
    args "sequence_setitem" "($module, seq, i, val, /)" = sequence_setitem, "Store at a position.";
    args "sequence_delitem" "($module, seq, i, /)" = sequence_delitem, "Delete what stands at a position.";
    one "sequence_list" "($module, arg, /)" = |_: &Object, object: &Object| PyList_Type.call(&[object]), "A list of the items.";
    one "sequence_tuple" "($module, arg, /)" = |_: &Object, object: &Object| PyTuple_Type.call(&[object]), "A tuple of the items.";
    args "sequence_contains" "($module, seq, value, /)" = |_: &Object, args: &Args<'_>| -> PyResult<i32> {
        protocol::contains(args.required(0), args.required(1)).map(i32::from)
    }, "Whether an item is there.";
    args "object_hasattrstring" "($module, obj, name, /)" = object_hasattrstring, "Whether an attribute is there; errors are reported and dropped.";
    args "object_hasattrstringwitherror" "($module, obj, name, /)" = object_hasattrstringwitherror, "Whether an attribute is there.";
    args "number_add" "($module, a, b, /)" = |_: &Object, args: &Args<'_>| {
        protocol::binary_op(args.required(0), args.required(1), BinaryOp::Add)
    }, "a + b.";
} }

/// `_testlimitedcapi`.
pub static LIMITED_SPEC: ModuleSpec = ModuleSpec {
    name: "_testlimitedcapi",
    doc: "Protocols of the object layer, for tests.",
    methods: LIMITED,
    init: |_: &Module| Ok(()),
};

fn has_inline_values(_: &Object, object: &Object) -> bool {
    instance::inline_values(object).is_some()
}

fn dict_getitem_knownhash(_: &Object, args: &Args<'_>) -> PyResult {
    let (dict, key) = (args.required(0), args.required(1));
    let hash = args.required(2).to_isize()?;
    let Some(dict) = dict.downcast::<Dict>() else {
        return Err(raise!(PyExc_SystemError, "bad argument to internal function"));
    };
    match dict.get_hashed(key, hash)? {
        Some(value) => Ok(value),
        None => Err(PyErr::with_args(&PyExc_KeyError, &[key])),
    }
}

taipan_object::methods! { static INTERNAL = {
    one "has_inline_values" "($module, arg, /)" = has_inline_values, "Whether the attributes stand in the object itself.";
    noargs "get_recursion_depth" "($module, /)" = |_: &Object| state::recursion_depth(), "How many levels of Python code are running.";
    args "dict_getitem_knownhash" "($module, mp, key, hash, /)" = dict_getitem_knownhash, "The value of a key whose hash is given.";
} }

/// `_testinternalcapi`.
pub static INTERNAL_SPEC: ModuleSpec = ModuleSpec {
    name: "_testinternalcapi",
    doc: "Insides of the object layer, for tests.",
    methods: INTERNAL,
    init: |module: &Module| {
        module.add("SIZEOF_PYGC_HEAD", &Int::from_i64(16))?;
        module.add("SIZEOF_MANAGED_PRE_HEADER", &Int::from_i64(16))
    },
};

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

fn config_get(_: &Object, name: &Object) -> PyResult<bool> {
    let Some(name) = name.downcast::<Str>() else { return Err(type_error("an option's name is required")) };
    match name.to_utf8()? {
        // Positions are kept whatever the options say.
        "code_debug_ranges" => Ok(true),
        name => Err(raise!(PyExc_ValueError, "unknown config option name: {name}")),
    }
}

taipan_object::methods! { static CAPI = {
    args "raise_exception" "($module, exc, num_args, /)" = raise_exception, "Raise a class with so many numbers as arguments.";
    noargs "raise_memoryerror" "($module, /)" = |_: &Object| -> PyResult { Err(taipan_object::alloc::no_memory()) }, "Raise what a failed allocation raises.";
    args "make_exception_with_doc" "($module, /, name, doc=<unrepresentable>, base=<unrepresentable>, dict=<unrepresentable>)" = make_exception_with_doc, "Make an exception class.";
    one "config_get" "($module, name, /)" = config_get, "The value of an option of the interpreter.";
} }

/// `_testcapi`.
pub static CAPI_SPEC: ModuleSpec = ModuleSpec {
    name: "_testcapi",
    doc: "Limits of C's types, and raising and making exceptions as extensions do, for tests.",
    methods: CAPI,
    init: |module: &Module| {
        let signed = [
            ("CHAR_MIN", i64::from(i8::MIN)),
            ("CHAR_MAX", i64::from(i8::MAX)),
            ("UCHAR_MAX", i64::from(u8::MAX)),
            ("SHRT_MIN", i64::from(i16::MIN)),
            ("SHRT_MAX", i64::from(i16::MAX)),
            ("USHRT_MAX", i64::from(u16::MAX)),
            ("INT_MIN", i64::from(c_int::MIN)),
            ("INT_MAX", i64::from(c_int::MAX)),
            ("UINT_MAX", i64::from(c_uint::MAX)),
            ("LONG_MIN", c_long::MIN),
            ("LONG_MAX", c_long::MAX),
            ("LLONG_MIN", i64::MIN),
            ("LLONG_MAX", i64::MAX),
            ("PY_SSIZE_T_MIN", isize::MIN as i64),
            ("PY_SSIZE_T_MAX", isize::MAX as i64),
        ];
        for (name, value) in signed {
            module.add(name, &Int::from_i64(value))?;
        }
        for name in ["ULONG_MAX", "ULLONG_MAX"] {
            module.add(name, &Int::from_u64(u64::MAX))?;
        }
        // Objects come from an allocator of our own.
        for name in ["WITH_PYMALLOC", "WITH_MIMALLOC"] {
            module.add(name, taipan_object::singletons::bool_object(false))?;
        }
        Ok(())
    },
};
