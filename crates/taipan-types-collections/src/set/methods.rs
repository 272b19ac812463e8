//! Methods of the sets.

use super::table::AnySet;
use super::{add, make, ops, slots, update};
use crate::util;
use taipan_object::err::{PyResult, key_error};
use taipan_object::intern;
use taipan_object::list::List;
use taipan_object::native::IntoPy;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref};

fn copy(set: &AnySet) -> PyResult<Ref<AnySet>> {
    if slots::is_exact_frozen(set) {
        return Ok(Ref::of(set));
    }
    make(ops::base_type(set), Some(set))
}

fn remove(set: &AnySet, item: &Object) -> PyResult<()> {
    let taken = slots::with_key(item, |key, hash| set.take_hashed(key, hash))?;
    taken.map(drop).ok_or_else(|| key_error(item))
}

fn discard(set: &AnySet, item: &Object) -> PyResult<()> {
    slots::with_key(item, |key, hash| set.take_hashed(key, hash)).map(drop)
}

fn pop(set: &AnySet) -> PyResult {
    match set.pop() {
        Some(item) => Ok(item),
        None => Err(key_error(&*"pop from an empty set".into_py()?)),
    }
}

fn difference(set: &AnySet, others: &[&Object]) -> PyResult<Ref<AnySet>> {
    let Some((first, rest)) = others.split_first() else { return slots::copy(set) };
    let result = ops::difference(set, first)?;
    for other in rest {
        ops::difference_update(&result, other)?;
    }
    Ok(result)
}

fn difference_update(set: &AnySet, others: &[&Object]) -> PyResult<()> {
    others.iter().try_for_each(|other| ops::difference_update(set, other))
}

fn intersection(set: &AnySet, others: &[&Object]) -> PyResult<Ref<AnySet>> {
    let Some((first, rest)) = others.split_first() else { return slots::copy(set) };
    let mut result = ops::intersection(set, first)?;
    for other in rest {
        result = ops::intersection(&result, other)?;
    }
    Ok(result)
}

fn intersection_update(set: &AnySet, others: &[&Object]) -> PyResult<()> {
    let common = intersection(set, others)?;
    if !common.is(set) {
        set.swap_bodies(&common);
    }
    Ok(())
}

fn union(set: &AnySet, others: &[&Object]) -> PyResult<Ref<AnySet>> {
    let result = slots::copy(set)?;
    for other in others {
        update(&result, other)?;
    }
    Ok(result)
}

fn update_all(set: &AnySet, others: &[&Object]) -> PyResult<()> {
    others.iter().try_for_each(|other| update(set, other))
}

fn symmetric_difference(set: &AnySet, other: &Object) -> PyResult<Ref<AnySet>> {
    ops::symmetric_difference(set, other)
}

fn reduce(set: &AnySet) -> PyResult {
    let items = List::from_vec(slots::elements(set))?.upcast();
    let args = Tuple::from_array([items])?.upcast();
    let state = set.call_method(intern!("__getstate__"), &[])?;
    Ok(Tuple::from_array([set.ty().new_ref(), args, state])?.upcast())
}

fn size_of(set: &AnySet) -> usize {
    // SAFETY: a live type.
    unsafe { (*set.ty().raw()).tp_basicsize as usize + set.table_size() }
}

fn contains(set: &AnySet, item: &Object) -> PyResult<bool> {
    super::contains(set, item)
}

taipan_object::methods! { pub(super) static SET = {
    coexist one "__contains__" "($self, object, /)" = contains, "Whether the object is an element.";
    one "add" "($self, object, /)" = add, "Add an element, unless it is there already.";
    noargs "clear" "($self, /)" = AnySet::clear, "Remove all elements.";
    noargs "copy" "($self, /)" = copy, "A new set of the same elements.";
    one "discard" "($self, object, /)" = discard, "Remove an element if it is there.";
    many "difference" "($self, /, *others)" = difference, "A new set of the elements that are in none of the others.";
    many "difference_update" "($self, /, *others)" = difference_update, "Remove the elements that are in one of the others.";
    many "intersection" "($self, /, *others)" = intersection, "A new set of the elements that are in all of the others too.";
    many "intersection_update" "($self, /, *others)" = intersection_update, "Remove the elements that are not in all of the others.";
    one "isdisjoint" "($self, other, /)" = ops::is_disjoint, "Whether no element is in the other.";
    one "issubset" "($self, other, /)" = ops::is_subset, "Whether every element is in the other.";
    one "issuperset" "($self, other, /)" = ops::is_superset, "Whether every item of the other is an element.";
    noargs "pop" "($self, /)" = pop, "Remove some element and return it.\n\nRaises KeyError when the set is empty.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the set for pickling.";
    one "remove" "($self, object, /)" = remove, "Remove an element.\n\nRaises KeyError when it is not there.";
    noargs "__sizeof__" "($self, /)" = size_of, "The bytes that the set itself takes in memory.";
    one "symmetric_difference" "($self, other, /)" = symmetric_difference, "A new set of what is in exactly one of the two.";
    one "symmetric_difference_update" "($self, other, /)" = ops::symmetric_difference_update, "Keep and add what is in exactly one of the two.";
    many "union" "($self, /, *others)" = union, "A new set of the elements of all.";
    many "update" "($self, /, *others)" = update_all, "Add the elements of the others.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what the elements are, see PEP 585.";
} }

taipan_object::methods! { pub(super) static FROZENSET = {
    coexist one "__contains__" "($self, object, /)" = contains, "Whether the object is an element.";
    noargs "copy" "($self, /)" = copy, "The set itself, or of a subclass a plain one of the same elements.";
    many "difference" "($self, /, *others)" = difference, "A new set of the elements that are in none of the others.";
    many "intersection" "($self, /, *others)" = intersection, "A new set of the elements that are in all of the others too.";
    one "isdisjoint" "($self, other, /)" = ops::is_disjoint, "Whether no element is in the other.";
    one "issubset" "($self, other, /)" = ops::is_subset, "Whether every element is in the other.";
    one "issuperset" "($self, other, /)" = ops::is_superset, "Whether every item of the other is an element.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the set for pickling.";
    noargs "__sizeof__" "($self, /)" = size_of, "The bytes that the set itself takes in memory.";
    one "symmetric_difference" "($self, other, /)" = symmetric_difference, "A new set of what is in exactly one of the two.";
    many "union" "($self, /, *others)" = union, "A new set of the elements of all.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what the elements are, see PEP 585.";
} }
