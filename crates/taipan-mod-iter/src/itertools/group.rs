//! `groupby` and the groups it gives.
//!
//! A group reads from its parent; it has ended once the parent has gone on to another group, which it
//! notices by the number it was given.

use crate::util::{Field, GC, GC_BASE};
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::protocol::iter_next;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, raise};
use taipan_object::{bind, payload};

pub struct Groupby {
    iterator: Field,
    key: Field,
    /// The key of the group that was given last.
    target: Field,
    current_key: Field,
    current_value: Field,
    /// The number of the group that may read, and of the last one made.
    current_group: Cell<Option<u64>>,
    groups: Cell<u64>,
}
payload!(
    Groupby,
    GROUPBY,
    c"itertools.groupby",
    GC_BASE,
    [iterator, key, target, current_key, current_value]
);

pub struct Grouper {
    parent: Field,
    target: Field,
    number: u64,
}
payload!(Grouper, GROUPER, c"itertools._grouper", GC, [parent, target]);

fn groupby_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "groupby" "(iterable, key=None)", args, kwargs);
    let state = Groupby {
        iterator: Field::new(Some(bound.required(0).iter()?)),
        key: Field::new(bound.get_some(1).map(Object::new_ref)),
        target: Field::default(),
        current_key: Field::default(),
        current_value: Field::default(),
        current_group: Cell::new(None),
        groups: Cell::new(0),
    };
    native_new(ty, state)?.into_py()
}

/// Reads one item; false at the end.
fn step(state: &Groupby) -> PyResult<bool> {
    let Some(iterator) = state.iterator.get() else { return Ok(false) };
    let Some(value) = iter_next(&iterator)? else { return Ok(false) };
    let key = match state.key.get() {
        None => value.clone(),
        Some(function) => function.call(&[&value])?,
    };
    state.current_value.set(Some(value));
    state.current_key.set(Some(key));
    Ok(true)
}

fn new_group(parent: &Native<Groupby>, target: &Object) -> PyResult {
    let number = parent.groups.get() + 1;
    parent.groups.set(number);
    parent.current_group.set(Some(number));
    let state = Grouper { parent: Field::of(parent.object()), target: Field::of(target), number };
    native_new(&GROUPER, state)?.into_py()
}

fn groupby_next(state: &Native<Groupby>) -> PyResult<Option<Ref>> {
    state.current_group.set(None);
    loop {
        match (state.current_key.get(), state.target.get()) {
            (None, _) => {}
            (Some(_), None) => break,
            (Some(current), Some(target)) => {
                if !target.equals(&current)? {
                    break;
                }
            }
        }
        if !step(state)? {
            return Ok(None);
        }
    }
    let Some(key) = state.current_key.get() else { return Ok(None) };
    state.target.set(Some(key.clone()));
    let group = new_group(state, &key)?;
    Ok(Some(Tuple::from_array([key, group])?.upcast()))
}

fn grouper_new(_: &Type, args: &Tuple, _: Option<&Dict>) -> PyResult {
    bind!(bound = "_grouper" "(parent, tgtkey, /)", args, None);
    let parent = bound.required(0);
    let Some(parent) = parent.downcast::<Native<Groupby>>() else {
        return Err(raise!(
            PyExc_TypeError,
            "_grouper() argument 1 must be itertools.groupby, not {}",
            parent.ty().message_name()
        ));
    };
    new_group(parent, bound.required(1))
}

fn grouper_next(group: &Native<Grouper>) -> PyResult<Option<Ref>> {
    let Some(parent) = group.parent.get() else { return Ok(None) };
    let Some(parent) = parent.downcast::<Native<Groupby>>() else { return Ok(None) };
    if parent.current_group.get() != Some(group.number) {
        return Ok(None);
    }
    if parent.current_value.get().is_none() && !step(parent)? {
        return Ok(None);
    }
    let (Some(target), Some(key)) = (group.target.get(), parent.current_key.get()) else { return Ok(None) };
    if !target.equals(&key)? {
        return Ok(None);
    }
    let value = parent.current_value.take();
    parent.current_key.set(None);
    Ok(value)
}

iterator!(
    GROUPBY_SPEC,
    Groupby,
    GROUPBY,
    c"groupby(iterable, key=None)\n--\n\nRuns of items with equal keys, as pairs of the key and an iterator over the run.\n\n  iterable\n    What gives the items.\n  key\n    A function that gives the key of an item; None takes the item itself.",
    groupby_new,
    groupby_next
);

iterator!(GROUPER_SPEC, Grouper, GROUPER, c"The items of one group.", grouper_new, grouper_next);
