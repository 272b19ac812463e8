//! Operators of the sets.

use super::ops;
use super::table::AnySet;
use super::{is_any_set, make, new_frozenset};
use crate::util::{self, Text};
use taipan_object::err::{PyErr, PyResult};
use taipan_object::list::List;
use taipan_object::native::{CompareOp, IntoPy};
use taipan_object::protocol::repr_guard;
use taipan_object::statics::{PyExc_TypeError, PyFrozenSet_Type, PySet_Type};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref};

pub(super) fn length(set: &AnySet) -> PyResult<isize> {
    Ok(set.len().cast_signed())
}

/// Looks a key up. A set stands for the frozenset of its elements.
pub(super) fn with_key<T>(key: &Object, search: impl FnOnce(&Object, isize) -> PyResult<T>) -> PyResult<T> {
    match key.hash() {
        Ok(hash) => search(key, hash),
        Err(error) => {
            let frozen = as_frozen(key, error)?;
            let hash = frozen.hash()?;
            search(&frozen, hash)
        }
    }
}

#[cold]
fn as_frozen(key: &Object, error: PyErr) -> PyResult<Ref<AnySet>> {
    if !key.ty().is_subtype(&PySet_Type) || !error.is(&PyExc_TypeError) {
        return Err(taipan_object::dict::unhashable_as(key, error, "a set element"));
    }
    new_frozenset(Some(key))
}

/// Whether every item of `a` is in `b`.
pub(super) fn included(a: &AnySet, b: &AnySet) -> PyResult<bool> {
    if a.len() > b.len() {
        return Ok(false);
    }
    let mut position = 0;
    while let Some((item, hash)) = a.next(&mut position) {
        if !b.contains_hashed(&item, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal(a: &AnySet, b: &AnySet) -> PyResult<bool> {
    // SAFETY: the views guarantee the layout.
    let (x, y) = unsafe { ((*a.raw()).hash, (*b.raw()).hash) };
    Ok(a.len() == b.len() && (x == -1 || y == -1 || x == y) && included(a, b)?)
}

pub(super) fn compare(set: &AnySet, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<AnySet>() else { return Ok(util::not_implemented()) };
    match op {
        CompareOp::Eq => equal(set, other),
        CompareOp::Ne => equal(set, other).map(|same| !same),
        CompareOp::Le => included(set, other),
        CompareOp::Ge => included(other, set),
        CompareOp::Lt => {
            if set.len() >= other.len() {
                Ok(false)
            } else {
                included(set, other)
            }
        }
        CompareOp::Gt => {
            if set.len() <= other.len() {
                Ok(false)
            } else {
                included(other, set)
            }
        }
    }
    .into_py()
}

pub(super) fn hash(set: &AnySet) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    let known = unsafe { (*set.raw()).hash };
    if known != -1 {
        return Ok(known);
    }
    let mut hasher = taipan_num::hash::SetHasher::default();
    let mut position = 0;
    while let Some((_, hash)) = set.next(&mut position) {
        hasher.add(hash as i64);
    }
    let hash = hasher.finish() as isize;
    // SAFETY: as above.
    unsafe { (*set.raw()).hash = hash };
    Ok(hash)
}

pub(super) fn repr(set: &AnySet) -> PyResult {
    let name = set.ty().name();
    let plain = set.is_exact(&PySet_Type);
    if set.is_empty() {
        return format!("{name}()").into_py();
    }
    let text = repr_guard(set, || {
        let list = List::from_vec(elements(set))?;
        let mut text = Text::new();
        if !plain {
            text.text(name)?;
            text.ascii("(");
        }
        text.ascii("{");
        text.push_inner(&*list.repr()?)?;
        text.ascii(if plain { "}" } else { "})" });
        text.finish()
    })?;
    text.map_or_else(|| format!("{name}(...)").into_py(), |text: Ref<Str>| Ok(text.upcast()))
}

/// All elements, as they are now.
pub(super) fn elements(set: &AnySet) -> Vec<Ref> {
    let mut position = 0;
    let mut all = Vec::with_capacity(set.len());
    while let Some((item, _)) = set.next(&mut position) {
        all.push(item);
    }
    all
}

macro_rules! operators {
    ($($name:ident, $inplace:ident: |$set:ident, $other:ident| $new:expr, $update:expr;)*) => {$(
        pub(super) fn $name(left: &Object, right: &Object) -> PyResult {
            let (Some($set), true) = (left.downcast::<AnySet>(), is_any_set(right)) else {
                return Ok(util::not_implemented());
            };
            let $other = right;
            Ok($new?.upcast())
        }
        pub(super) fn $inplace(left: &Object, right: &Object) -> PyResult {
            let (Some($set), true) = (left.downcast::<AnySet>(), is_any_set(right)) else {
                return Ok(util::not_implemented());
            };
            let $other = right;
            $update?;
            Ok(left.new_ref())
        }
    )*};
}

operators! {
    subtract, inplace_subtract: |set, other| ops::difference(set, other), ops::difference_update(set, other);
    and, inplace_and: |set, other| ops::intersection(set, other), intersect(set, other);
    xor, inplace_xor: |set, other| ops::symmetric_difference(set, other), ops::symmetric_difference_update(set, other);
    or, inplace_or: |set, other| union(set, other), ops::update(set, other);
}

fn union(set: &AnySet, other: &Object) -> PyResult<Ref<AnySet>> {
    let result = copy(set)?;
    ops::update(&result, other)?;
    Ok(result)
}

/// A new set or frozenset of the same elements; never a subclass.
pub(super) fn copy(set: &AnySet) -> PyResult<Ref<AnySet>> {
    make(ops::base_type(set), Some(set))
}

/// Keeps only what is in `other` too.
pub(super) fn intersect(set: &AnySet, other: &Object) -> PyResult<()> {
    let common = ops::intersection(set, other)?;
    set.swap_bodies(&common);
    Ok(())
}

/// Whether a set may stand for itself where a copy is wanted.
pub(super) fn is_exact_frozen(set: &AnySet) -> bool {
    set.is_exact(&PyFrozenSet_Type)
}
