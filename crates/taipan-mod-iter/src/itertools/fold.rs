//! `accumulate`, `batched`, `pairwise`.

use crate::util::{Field, GC_BASE, no_keywords};
use taipan_object::dict::Dict;
use taipan_object::gc;
use taipan_object::native::*;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, err};
use taipan_object::{bind, payload};

pub struct Accumulate {
    iterator: Field,
    total: Field,
    function: Field,
    /// The initial value, until it has been given.
    initial: Field,
}
payload!(Accumulate, ACCUMULATE, c"itertools.accumulate", GC_BASE, [iterator, total, function, initial]);

fn accumulate_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "accumulate" "(iterable, func=None, *, initial=None)", args, kwargs);
    let state = Accumulate {
        iterator: Field::new(Some(bound.required(0).iter()?)),
        total: Field::default(),
        function: Field::new(bound.get_some(1).map(Object::new_ref)),
        initial: Field::new(bound.get_some(2).map(Object::new_ref)),
    };
    native_new(ty, state)?.into_py()
}

fn accumulate_next(state: &Native<Accumulate>) -> PyResult<Option<Ref>> {
    if let Some(initial) = state.initial.take() {
        state.total.set(Some(initial.clone()));
        return Ok(Some(initial));
    }
    let Some(iterator) = state.iterator.get() else { return Ok(None) };
    let Some(item) = iter_next(&iterator)? else { return Ok(None) };
    let total = match (state.total.get(), state.function.get()) {
        (None, _) => item,
        (Some(total), None) => binary_op(&total, &item, BinaryOp::Add)?,
        (Some(total), Some(function)) => function.call(&[&total, &item])?,
    };
    state.total.set(Some(total.clone()));
    Ok(Some(total))
}

iterator!(
    ACCUMULATE_SPEC,
    Accumulate,
    ACCUMULATE,
    c"accumulate(iterable, func=None, *, initial=None)\n--\n\nThe running totals of the items, or what a function of two makes of them.",
    accumulate_new,
    accumulate_next
);

pub struct Batched {
    iterator: Field,
    size: usize,
    strict: bool,
}
payload!(Batched, BATCHED, c"itertools.batched", GC_BASE, [iterator]);

fn batched_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "batched" "(iterable, n, *, strict=False)", args, kwargs);
    let size = bound.required(1).to_isize()?;
    let strict = bound.bool_or(2, false)?;
    if size < 1 {
        return Err(err::value_error("n must be at least one"));
    }
    let iterator = Field::new(Some(bound.required(0).iter()?));
    native_new(ty, Batched { iterator, size: size.unsigned_abs(), strict })?.into_py()
}

fn batched_next(state: &Native<Batched>) -> PyResult<Option<Ref>> {
    let Some(iterator) = state.iterator.get() else { return Ok(None) };
    let mut items = Vec::new();
    while items.len() < state.size {
        match iter_next(&iterator) {
            Ok(Some(item)) => {
                items.try_reserve(1).map_err(|_| err::memory_error())?;
                items.push(item);
            }
            Ok(None) => {
                state.iterator.set(None);
                break;
            }
            Err(error) => {
                state.iterator.set(None);
                return Err(error);
            }
        }
    }
    if items.is_empty() {
        return Ok(None);
    }
    if state.strict && items.len() < state.size {
        return Err(err::value_error("batched(): incomplete batch"));
    }
    Ok(Some(Tuple::from_vec(items)?.upcast()))
}

iterator!(
    BATCHED_SPEC,
    Batched,
    BATCHED,
    c"batched(iterable, n, *, strict=False)\n--\n\nThe items in tuples of n.\n\nThe last tuple may be shorter, which strict makes a ValueError.",
    batched_new,
    batched_next
);

pub struct Pairwise {
    iterator: Field,
    last: Field,
}
payload!(Pairwise, PAIRWISE, c"itertools.pairwise", GC_BASE, [iterator, last]);

fn pairwise_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Pairwise>(ty, "pairwise", kwargs)?;
    bind!(bound = "pairwise" "(iterable, /)", args, None);
    let iterator = Field::new(Some(bound.required(0).iter()?));
    native_new(ty, Pairwise { iterator, last: Field::default() })?.into_py()
}

fn pairwise_next(state: &Native<Pairwise>) -> PyResult<Option<Ref>> {
    let result = pairwise_step(state);
    if !matches!(result, Ok(Some(_))) {
        state.iterator.set(None);
        state.last.set(None);
    }
    result
}

fn pairwise_step(state: &Pairwise) -> PyResult<Option<Ref>> {
    let Some(iterator) = state.iterator.get() else { return Ok(None) };
    let last = match state.last.get() {
        Some(last) => last,
        None => {
            let Some(first) = iter_next(&iterator)? else { return Ok(None) };
            state.last.set(Some(first.clone()));
            // Reading may have come back here and ended the iteration.
            if state.iterator.get().is_none() {
                return Ok(None);
            }
            first
        }
    };
    let Some(item) = iter_next(&iterator)? else { return Ok(None) };
    state.last.set(Some(item.clone()));
    let pair = Tuple::from_array([last, item])?;
    // Programs may count on the collector knowing every pair, even one of atoms.
    if !gc::is_tracked(&pair) {
        gc::track(&pair);
    }
    Ok(Some(pair.upcast()))
}

iterator!(
    PAIRWISE_SPEC,
    Pairwise,
    PAIRWISE,
    c"pairwise(iterable, /)\n--\n\nEach item with the one after it.",
    pairwise_new,
    pairwise_next
);
