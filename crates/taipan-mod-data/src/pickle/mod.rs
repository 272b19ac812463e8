//! `_pickle`: objects to byte streams and back.
//!
//! Problem: pickling walks arbitrary graphs and calls Python code at every turn, and a stream to be
//! read may be hostile. Idea: a run of `dump` or `load` is a Rust value of its own that owns its
//! buffer and stack; the Python object holds what outlives a run (memo, options) and refuses to be
//! entered twice. Opcodes are written and read here only: [`op`] names them.
//!
//! Invariants: no borrow of a memo is held while Python code can run; everything read is checked for
//! length before it is looked at; nesting is bounded by the stack check.

mod buffer;
mod global;
mod load;
mod memo;
mod op;
mod pickler;
mod reduce;
mod save;
mod shared;
mod steps;
mod unpickler;

use crate::util::add_type;
use taipan_object::module::ModuleSpec;
use taipan_object::native::Args;
use taipan_object::{Object, PyResult, Ref};

fn dump(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let options = pickler::Options::from_args(args, 2)?;
    let write = pickler::write_of(args.required(1))?;
    pickler::dump_once(args.required(0), &options, Some(write)).map(drop)
}

fn dumps(_: &Object, args: &Args<'_>) -> PyResult {
    let options = pickler::Options::from_args(args, 1)?;
    let bytes = pickler::dump_once(args.required(0), &options, None)?;
    Ok(taipan_object::bytes::Bytes::new(&bytes)?.upcast())
}

fn load(_: &Object, args: &Args<'_>) -> PyResult<Ref> {
    let options = unpickler::Options::from_args(args, 1, "load")?;
    unpickler::load_file(args.required(0), options)
}

fn loads(_: &Object, args: &Args<'_>) -> PyResult<Ref> {
    let options = unpickler::Options::from_args(args, 1, "loads")?;
    unpickler::load_bytes(args.required(0), options)
}

taipan_object::methods! {
    static METHODS = {
        args "dump" "($module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)" = dump, "Write the pickle of an object to a binary file.";
        args "dumps" "($module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)" = dumps, "The pickle of an object, as bytes.";
        args "load" "($module, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())" = load, "Read the next object from a binary file.";
        args "loads" "($module, data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())" = loads, "The object that a pickle describes.";
    }
}

/// `_pickle`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_pickle",
    doc: "The fast part of the pickle module.",
    methods: METHODS,
    init: |module| {
        taipan_object::native::make_ready(&memo::PICKLER_MEMO_SPEC)?;
        taipan_object::native::make_ready(&memo::UNPICKLER_MEMO_SPEC)?;
        taipan_object::native::make_ready(&buffer::RAW_BYTES_SPEC)?;
        add_type(module, "PickleBuffer", &buffer::SPEC)?;
        add_type(module, "Pickler", &pickler::SPEC)?;
        add_type(module, "Unpickler", &unpickler::SPEC)?;
        let shared = shared::get()?;
        module.add("PickleError", &shared.pickle_error)?;
        module.add("PicklingError", &shared.pickling_error)?;
        module.add("UnpicklingError", &shared.unpickling_error)
    },
};
