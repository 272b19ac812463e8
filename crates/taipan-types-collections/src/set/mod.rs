//! `set` and `frozenset`. The table is in [`table`]; what both types share comes first in each file.

pub mod iter;
mod methods;
mod ops;
mod slots;
pub mod table;

use crate::util;
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::native::*;
use taipan_object::statics::{PyFrozenSet_Type, PySet_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Layout, Object, Ref, Type, TypeSpec};

pub use ops::{difference_update, symmetric_difference_update, update};
pub use table::AnySet;

/// Whether an object is a set or frozenset, or an instance of a subclass.
pub fn is_any_set(object: &Object) -> bool {
    AnySet::check(object)
}

/// A new set or frozenset of type `ty` with the items of an iterable.
///
/// # Errors
/// What the iteration and hashing raise, `MemoryError`.
fn make(ty: &Type, iterable: Option<&Object>) -> PyResult<Ref<AnySet>> {
    let set = util::allocate(ty, 0)?;
    // SAFETY: fresh memory of a set.
    let set: Ref<AnySet> = unsafe {
        set.cast::<AnySet>().init_fresh();
        set.cast_owned()
    };
    if let Some(iterable) = iterable {
        update(&set, iterable)?;
    }
    Ok(set)
}

/// A new `set`.
///
/// # Errors
/// What the iteration and hashing raise, `MemoryError`.
pub fn new_set(iterable: Option<&Object>) -> PyResult<Ref<AnySet>> {
    make(&PySet_Type, iterable)
}

/// A new `frozenset`.
///
/// # Errors
/// What the iteration and hashing raise, `MemoryError`.
pub fn new_frozenset(iterable: Option<&Object>) -> PyResult<Ref<AnySet>> {
    if let Some(iterable) = iterable
        && iterable.is_exact(&PyFrozenSet_Type)
    {
        // SAFETY: an exact frozenset.
        return Ok(Ref::of(unsafe { iterable.cast() }));
    }
    make(&PyFrozenSet_Type, iterable)
}

/// Adds an element.
///
/// # Errors
/// What hashing and comparing raise, `MemoryError`.
pub fn add(set: &AnySet, item: &Object) -> PyResult<()> {
    let hash = table::hash_element(item)?;
    set.add_hashed(item, hash).map(|_| ())
}

/// Whether an element is there. A set that cannot be hashed is looked up as a frozenset.
///
/// # Errors
/// What hashing and comparing raise.
pub fn contains(set: &AnySet, item: &Object) -> PyResult<bool> {
    slots::with_key(item, |key, hash| set.contains_hashed(key, hash))
}

fn new_mutable(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Ok(make(ty, None)?.upcast())
}

fn init(set: &AnySet, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let iterable = util::one_of_tuple("set", args, kwargs, false)?;
    set.clear();
    iterable.map_or(Ok(()), |iterable| update(set, iterable))
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let args = util::only_positional("set", &args)?;
    Ok(make(ty, util::at_most_one("set", args)?)?.upcast())
}

fn make_frozen(ty: &Type, iterable: Option<&Object>) -> PyResult {
    if ty.is(&PyFrozenSet_Type) {
        return Ok(new_frozenset(iterable)?.upcast());
    }
    Ok(make(ty, iterable)?.upcast())
}

fn new_frozen(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let lenient = !ty.is(&PyFrozenSet_Type) && !util::same_init(ty, &PyFrozenSet_Type);
    make_frozen(ty, util::one_of_tuple("frozenset", args, kwargs, lenient)?)
}

fn vectorcall_frozen(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let args = util::only_positional("frozenset", &args)?;
    make_frozen(ty, util::at_most_one("frozenset", args)?)
}

const DOC: &CStr =
    c"set(iterable=(), /)\n--\n\nA collection of different elements without an order, which can be changed.";
const FROZEN_DOC: &CStr =
    c"frozenset(iterable=(), /)\n--\n\nA collection of different elements without an order, which never changes.";

/// `set`.
pub static SET: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(table::dealloc),
        raw_traverse(table::traverse),
        raw_clear(table::tp_clear),
        tp_new(new_mutable),
        tp_init(init),
        tp_vectorcall(vectorcall),
        tp_repr(slots::repr),
        tp_richcompare(slots::compare),
        tp_iter(iter::new),
        sq_length(slots::length),
        sq_contains(contains),
        nb_subtract(slots::subtract),
        nb_and(slots::and),
        nb_xor(slots::xor),
        nb_or(slots::or),
        nb_inplace_subtract(slots::inplace_subtract),
        nb_inplace_and(slots::inplace_and),
        nb_inplace_xor(slots::inplace_xor),
        nb_inplace_or(slots::inplace_or),
    ],
    methods: methods::SET,
    ..TypeSpec::new(&PySet_Type)
};

/// `frozenset`.
pub static FROZENSET: TypeSpec = TypeSpec {
    doc: Some(FROZEN_DOC),
    slots: &[
        raw_dealloc(table::dealloc),
        raw_traverse(table::traverse),
        raw_clear(table::tp_clear),
        tp_new(new_frozen),
        tp_vectorcall(vectorcall_frozen),
        tp_repr(slots::repr),
        tp_hash(slots::hash),
        tp_richcompare(slots::compare),
        tp_iter(iter::new),
        sq_length(slots::length),
        sq_contains(contains),
        nb_subtract(slots::subtract),
        nb_and(slots::and),
        nb_xor(slots::xor),
        nb_or(slots::or),
    ],
    methods: methods::FROZENSET,
    ..TypeSpec::new(&PyFrozenSet_Type)
};

/// The types of this folder.
pub static ALL: [&TypeSpec; 3] = [&SET, &FROZENSET, &iter::SPEC];
