//! The algebra of sets: each operation in place, and as a new set of a given type.

use super::table::{AnySet, hash_element};
use super::{make, slots};
use crate::dict::iter_items;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::protocol::iter_next;
use taipan_object::statics::{PyDict_Type, PyFrozenSet_Type, PySet_Type};
use taipan_object::{Object, Ref, Type};

/// The type of a result: `set` or `frozenset`, never a subclass.
pub(super) fn base_type(set: &AnySet) -> &'static Type {
    if set.ty().is_subtype(&PySet_Type) { &PySet_Type } else { &PyFrozenSet_Type }
}

/// Calls `step` with each item of an iterable and its hash; those of sets and exact dicts are known.
fn for_each(iterable: &Object, mut step: impl FnMut(&Object, isize) -> PyResult<bool>) -> PyResult<()> {
    if let Some(set) = iterable.downcast::<AnySet>() {
        let mut position = 0;
        while let Some((item, hash)) = set.next(&mut position) {
            if !step(&item, hash)? {
                break;
            }
        }
        return Ok(());
    }
    if iterable.is_exact(&PyDict_Type) {
        // SAFETY: an exact dict.
        let dict: &Dict = unsafe { iterable.cast() };
        let mut position = 0;
        while let Some((key, _, hash)) = iter_items(dict, &mut position) {
            if !step(&key, hash)? {
                break;
            }
        }
        return Ok(());
    }
    let iterator = iterable.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        let hash = hash_element(&item)?;
        if !step(&item, hash)? {
            break;
        }
    }
    Ok(())
}

/// Adds the items of an iterable.
///
/// # Errors
/// What iterating, hashing and comparing raise, `MemoryError`.
pub fn update(set: &AnySet, other: &Object) -> PyResult<()> {
    if let Some(other) = other.downcast::<AnySet>() {
        return set.merge(other);
    }
    if other.is_exact(&PyDict_Type) {
        // SAFETY: an exact dict.
        set.reserve_for(unsafe { other.cast::<Dict>() }.len())?;
    }
    for_each(other, |item, hash| set.add_hashed(item, hash).map(|_| true))
}

/// Takes the items of an iterable out.
///
/// # Errors
/// What iterating, hashing and comparing raise.
pub fn difference_update(set: &AnySet, other: &Object) -> PyResult<()> {
    if set.is(other) {
        set.clear();
        return Ok(());
    }
    // A small set is not searched for each item of a large one.
    if let Some(other) = other.downcast::<AnySet>()
        && set.len() / 8 < other.len() / 64
    {
        let mut position = 0;
        while let Some((item, hash)) = set.next(&mut position) {
            if other.contains_hashed(&item, hash)? {
                drop(set.take_hashed(&item, hash)?);
            }
        }
    } else {
        for_each(other, |item, hash| set.take_hashed(item, hash).map(|_| true))?;
    }
    set.tidy()
}

/// A new set of the items of `set` that are not in `other`.
pub(super) fn difference(set: &AnySet, other: &Object) -> PyResult<Ref<AnySet>> {
    let known = other.downcast::<AnySet>().map(AnySet::len).or_else(|| {
        // SAFETY: an exact dict.
        other.is_exact(&PyDict_Type).then(|| unsafe { other.cast::<Dict>() }.len())
    });
    // When the other is much larger, its items are not gone through.
    if known.is_none_or(|len| set.len() >> 2 > len) {
        let result = make(base_type(set), Some(set))?;
        difference_update(&result, other)?;
        return Ok(result);
    }
    let result = make(base_type(set), None)?;
    let mut position = 0;
    while let Some((item, hash)) = set.next(&mut position) {
        if !has(other, &item, hash)? {
            result.add_hashed(&item, hash)?;
        }
    }
    Ok(result)
}

/// Whether a set or an exact dict has a key.
fn has(container: &Object, item: &Object, hash: isize) -> PyResult<bool> {
    match container.downcast::<AnySet>() {
        Some(set) => set.contains_hashed(item, hash),
        // SAFETY: the callers pass exact dicts otherwise.
        None => Ok(unsafe { container.cast::<Dict>() }.get_hashed(item, hash)?.is_some()),
    }
}

/// A new set of the items that are in both.
pub(super) fn intersection(set: &AnySet, other: &Object) -> PyResult<Ref<AnySet>> {
    if set.is(other) {
        return make(base_type(set), Some(set));
    }
    let result = make(base_type(set), None)?;
    let (mut searched, mut walked) = (set, other);
    if let Some(other) = other.downcast::<AnySet>()
        && other.len() > set.len()
    {
        (searched, walked) = (other, set);
    }
    for_each(walked, |item, hash| {
        if searched.contains_hashed(item, hash)? {
            result.add_hashed(item, hash)?;
        }
        Ok(true)
    })?;
    Ok(result)
}

/// Exchanges membership: items of `other` that are there go, the others come.
///
/// # Errors
/// What iterating, hashing and comparing raise, `MemoryError`.
pub fn symmetric_difference_update(set: &AnySet, other: &Object) -> PyResult<()> {
    if set.is(other) {
        set.clear();
        return Ok(());
    }
    // Items that come twice must not come and go.
    let different: Ref = if other.downcast::<AnySet>().is_some() || other.is_exact(&PyDict_Type) {
        other.new_ref()
    } else {
        make(base_type(set), Some(other))?.upcast()
    };
    for_each(&different, |item, hash| {
        if set.take_hashed(item, hash)?.is_none() {
            set.add_hashed(item, hash)?;
        }
        Ok(true)
    })
}

/// A new set of the items that are in exactly one of both.
pub(super) fn symmetric_difference(set: &AnySet, other: &Object) -> PyResult<Ref<AnySet>> {
    let result = make(base_type(set), Some(other))?;
    symmetric_difference_update(&result, set)?;
    Ok(result)
}

/// Whether nothing is in both.
pub(super) fn is_disjoint(set: &AnySet, other: &Object) -> PyResult<bool> {
    if set.is(other) {
        return Ok(set.is_empty());
    }
    let (mut searched, mut walked) = (set, other);
    if let Some(other) = other.downcast::<AnySet>()
        && other.len() > set.len()
    {
        (searched, walked) = (other, set);
    }
    let mut disjoint = true;
    for_each(walked, |item, hash| {
        disjoint = !searched.contains_hashed(item, hash)?;
        Ok(disjoint)
    })?;
    Ok(disjoint)
}

/// Whether every item is in `other`.
pub(super) fn is_subset(set: &AnySet, other: &Object) -> PyResult<bool> {
    let Some(other) = other.downcast::<AnySet>() else {
        let common = intersection(set, other)?;
        return Ok(common.len() == set.len());
    };
    slots::included(set, other)
}

/// Whether every item of `other` is there.
pub(super) fn is_superset(set: &AnySet, other: &Object) -> PyResult<bool> {
    if let Some(other) = other.downcast::<AnySet>() {
        return slots::included(other, set);
    }
    let iterator = other.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        let hash = hash_element(&item)?;
        if !set.contains_hashed(&item, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}
