//! `_testlimitedcapi` and `_testinternalcapi`: views on the object layer for the language's own test suite.
//!
//! Problem: a few tests reach behind the language, at sequence slots or at how attributes are stored. Idea:
//! every function here calls the very function of the object layer that native modules use; nothing is
//! imitated. What this implementation has no counterpart of is left out, so that a test notices.

use super::{test_codes, test_compiler};
use taipan_eval::adaptive;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, instance, raise, state};

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
    one "get_co_localskinds" "($module, object, /)" = test_codes::local_kinds, "The kinds of a code object's variables.";
    one "code_returns_only_none" "($module, object, /)" = test_codes::returns_only_none, "Whether code returns nothing but None.";
    args "get_code_var_counts" "($module, /, code, globalsns=None, builtinsns=None)" = test_codes::var_counts, "How many variables of which kind code has.";
    args "verify_stateless_code" "($module, /, code, globalsns=None, builtinsns=None)" = test_codes::verify_stateless, "Raise an error if code needs more than its arguments and builtins.";
    noargs "new_instruction_sequence" "($module, /)" = test_compiler::new_sequence, "An empty instruction sequence.";
    args "compiler_codegen" "($module, /, ast, filename, optimize, compile_mode=0)" = test_compiler::compiler_codegen, "The instructions that the code generator makes of a tree, and what it notes about the unit.";
    args "optimize_cfg" "($module, /, instructions, consts, nlocals)" = test_compiler::optimize_cfg, "Take a sequence through the passes over the flow graph. The list of constants is brought up to date.";
    args "assemble_code_object" "($module, /, filename, instructions, metadata)" = test_compiler::assemble_code_object, "The code object of a sequence.";
    args "compiler_cleandoc" "($module, /, doc)" = test_compiler::compiler_cleandoc, "A docstring as the compiler stores it.";
} }

/// `_testinternalcapi`.
pub static INTERNAL_SPEC: ModuleSpec = ModuleSpec {
    name: "_testinternalcapi",
    doc: "Insides of the object layer, for tests.",
    methods: INTERNAL,
    init: |module: &Module| {
        test_compiler::init()?;
        let counters =
            [("SPECIALIZATION_THRESHOLD", adaptive::WARMUP), ("SPECIALIZATION_COOLDOWN", adaptive::COOLDOWN)];
        for (name, most) in counters {
            // The counter is looked at before it is counted down.
            module.add(name, &taipan_object::int::Int::from_i64(i64::from(most) + 1))?;
        }
        module.add("SIZEOF_PYGC_HEAD", &taipan_object::int::Int::from_i64(16))?;
        module.add("SIZEOF_MANAGED_PRE_HEADER", &taipan_object::int::Int::from_i64(16))
    },
};
