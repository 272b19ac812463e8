//! `count`, `cycle`, `repeat`.

use crate::util::{Field, GC_BASE, no_keywords};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next};
use taipan_object::statics::{PyComplex_Type, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, err, intern, methods, raise};
use taipan_object::{bind, payload};

/// While `step` is 1 and the count fits a machine word, `small` is the count; afterwards `count` is.
pub struct Count {
    small: Cell<Option<i64>>,
    count: Field,
    step: Field,
}
payload!(Count, COUNT, c"itertools.count", GC_BASE, [count, step]);

fn is_number(object: &Object) -> bool {
    let ty = object.ty();
    [intern!("__index__"), intern!("__int__"), intern!("__float__")]
        .iter()
        .any(|name| ty.lookup(name).is_some())
        || ty.is_subtype(&PyComplex_Type)
}

fn is_one(object: &Object) -> bool {
    object.downcast::<Int>().is_some_and(|int| int.to_i64() == Some(1))
}

fn count_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let given = args.len() + kwargs.map_or(0, Dict::len);
    if given > 2 {
        return Err(raise!(PyExc_TypeError, "count() takes at most 2 arguments ({given} given)"));
    }
    bind!(bound = "count" "(start=0, step=1)", args, kwargs);
    for index in 0..2 {
        if bound.get(index).is_some_and(|number| !is_number(number)) {
            return Err(err::type_error("a number is required"));
        }
    }
    let start = bound.get(0).map_or_else(|| Int::from_i64(0).upcast(), Object::new_ref);
    let step = bound.get(1).map_or_else(|| Int::from_i64(1).upcast(), Object::new_ref);
    let small = start.downcast::<Int>().and_then(Int::to_i64).filter(|_| is_one(&step));
    let count = if small.is_some() { None } else { Some(start) };
    let state = Count { small: Cell::new(small), count: Field::new(count), step: Field::new(Some(step)) };
    native_new(ty, state)?.into_py()
}

fn count_next(count: &Native<Count>) -> PyResult<Option<Ref>> {
    if let Some(value) = count.small.get() {
        match value.checked_add(1) {
            Some(next) => count.small.set(Some(next)),
            None => {
                count.small.set(None);
                let next = binary_op(&Int::from_i64(value), &Int::from_i64(1), BinaryOp::Add)?;
                count.count.set(Some(next));
            }
        }
        return Ok(Some(Int::from_i64(value).upcast()));
    }
    let (Some(value), Some(step)) = (count.count.get(), count.step.get()) else { return Ok(None) };
    let next = binary_op(&value, &step, BinaryOp::Add)?;
    count.count.set(Some(next));
    Ok(Some(value))
}

fn count_repr(count: &Native<Count>) -> PyResult<String> {
    let name = count.object().ty().name().to_owned();
    if let Some(value) = count.small.get() {
        return Ok(format!("{name}({value})"));
    }
    let (Some(value), Some(step)) = (count.count.get(), count.step.get()) else {
        return Ok(format!("{name}()"));
    };
    let value = value.repr()?.to_lossy();
    if is_one(&step) {
        return Ok(format!("{name}({value})"));
    }
    Ok(format!("{name}({value}, {})", step.repr()?.to_lossy()))
}

iterator!(
    COUNT_SPEC,
    Count,
    COUNT,
    c"count(start=0, step=1)\n--\n\nNumbers from start on, each a step further than the last.",
    count_new,
    count_next,
    slots[tp_repr(count_repr)]
);

pub struct Cycle {
    iterator: Field,
    saved: RefCell<Vec<Ref>>,
    index: Cell<usize>,
}
payload!(Cycle, CYCLE, c"itertools.cycle", GC_BASE, [iterator, saved]);

fn cycle_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Cycle>(ty, "cycle", kwargs)?;
    bind!(bound = "cycle" "(iterable, /)", args, None);
    let iterator = Field::new(Some(bound.required(0).iter()?));
    native_new(ty, Cycle { iterator, saved: RefCell::default(), index: Cell::new(0) })?.into_py()
}

fn cycle_next(cycle: &Native<Cycle>) -> PyResult<Option<Ref>> {
    if let Some(iterator) = cycle.iterator.get() {
        if let Some(item) = iter_next(&iterator)? {
            let mut saved = cycle.saved.borrow_mut();
            saved.try_reserve(1).map_err(|_| err::memory_error())?;
            saved.push(item.clone());
            return Ok(Some(item));
        }
        cycle.iterator.set(None);
    }
    let saved = cycle.saved.borrow();
    let index = cycle.index.get();
    let item = saved.get(index).cloned();
    cycle.index.set(if index + 1 < saved.len() { index + 1 } else { 0 });
    Ok(item)
}

iterator!(
    CYCLE_SPEC,
    Cycle,
    CYCLE,
    c"cycle(iterable, /)\n--\n\nThe items of the iterable, again and again.",
    cycle_new,
    cycle_next
);

pub struct Repeat {
    element: Field,
    /// `None` for ever.
    left: Cell<Option<usize>>,
}
payload!(Repeat, REPEAT, c"itertools.repeat", GC_BASE, [element]);

fn repeat_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "repeat" "(object, times=None)", args, kwargs);
    let left = match bound.get(1) {
        Some(times) => Some(times.to_isize()?.max(0).unsigned_abs()),
        None => None,
    };
    native_new(ty, Repeat { element: Field::of(bound.required(0)), left: Cell::new(left) })?.into_py()
}

fn repeat_next(repeat: &Native<Repeat>) -> PyResult<Option<Ref>> {
    if let Some(left) = repeat.left.get() {
        if left == 0 {
            return Ok(None);
        }
        repeat.left.set(Some(left - 1));
    }
    Ok(repeat.element.get())
}

fn repeat_repr(repeat: &Native<Repeat>) -> PyResult<String> {
    let name = repeat.object().ty().name().to_owned();
    let Some(element) = repeat.element.get() else { return Ok(format!("{name}()")) };
    let element = element.repr()?.to_lossy();
    Ok(match repeat.left.get() {
        None => format!("{name}({element})"),
        Some(left) => format!("{name}({element}, {left})"),
    })
}

fn repeat_hint(repeat: &Native<Repeat>) -> PyResult<usize> {
    repeat.left.get().ok_or_else(|| err::type_error("len() of unsized object"))
}

methods! {
    static REPEAT_METHODS = {
        noargs "__length_hint__" "($self, /)" = repeat_hint, "How many times the object is still given.";
    }
}

iterator!(
    REPEAT_SPEC,
    Repeat,
    REPEAT,
    c"repeat(object [,times]) -> iterator\n\nOne object a number of times, or without end.",
    repeat_new,
    repeat_next,
    slots [tp_repr(repeat_repr)],
    methods REPEAT_METHODS
);
