//! `dict` as Python sees it: methods, operators, views and iterators over the table of
//! [`taipan_object::dict`].
//!
//! Loops read one entry at a time by its number, with new references to key and value, so that
//! whatever runs in between may change the dict.

pub mod iter;
mod methods;
pub mod ordered;
mod slots;
mod update;
pub mod view;

use crate::util;
use core::ffi::CStr;
use taipan_object::dict::{self, Dict};
use taipan_object::err::PyResult;
use taipan_object::native::*;
use taipan_object::statics::PyDict_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Type, TypeSpec};

pub(crate) use slots::next_hashed as iter_items;
pub use slots::repr;
pub use update::{OnDuplicate, merge, merge_pairs, update};

const DOC: &CStr = c"dict() -> a new, empty dictionary\ndict(mapping) -> a new dictionary with the items of a mapping\ndict(iterable) -> a new dictionary with the pairs of key and value that the\n    iterable gives\ndict(**kwargs) -> a new dictionary with the keywords as keys, which may also\n    follow one of the arguments above";

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    if ty.is(&PyDict_Type) {
        return Ok(Dict::new()?.upcast());
    }
    let dict = util::allocate(ty, 0)?;
    // SAFETY: fresh memory of a dict subclass.
    unsafe { dict.cast::<Dict>().init_fresh() };
    Ok(dict)
}

/// What `dict.__init__` does.
///
/// # Errors
/// What reading the arguments raises.
pub fn init(dict: &Dict, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    util::check_count("dict", args.len(), 0, 1)?;
    fill(dict, args.get(0), kwargs)
}

/// What construction and `update` do: first the argument, then the keywords.
fn fill(dict: &Dict, argument: Option<&Object>, kwargs: Option<&Dict>) -> PyResult<()> {
    if let Some(argument) = argument {
        update(dict, argument)?;
    }
    match kwargs {
        Some(kwargs) => {
            util::check_keyword_names(kwargs)?;
            merge(dict, kwargs, OnDuplicate::Replace)
        }
        None => Ok(()),
    }
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    util::check_count("dict", args.positional().len(), 0, 1)?;
    let dict = new(ty, &Tuple::empty(), None)?;
    // SAFETY: made as an instance of `dict` or of a subclass.
    let view: &Dict = unsafe { dict.cast() };
    if let Some(argument) = args.positional().first() {
        update(view, argument)?;
    }
    for (name, value) in args.keywords() {
        view.set(name, value)?;
    }
    Ok(dict)
}

/// `dict`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(dict::dealloc),
        raw_traverse(dict::traverse),
        raw_clear(dict::tp_clear),
        tp_new(new),
        tp_init(init),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_richcompare(slots::compare),
        tp_iter(iter::keys),
        sq_contains(slots::contains),
        mp_length(slots::length),
        mp_subscript(slots::subscript),
        mp_ass_subscript(slots::store),
        nb_or(slots::or),
        nb_inplace_or(slots::inplace_or),
    ],
    methods: methods::METHODS,
    ..TypeSpec::new(&PyDict_Type)
};
