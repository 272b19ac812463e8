//! `compress`, `dropwhile`, `filterfalse`, `islice`, `takewhile`.

use crate::util::{Field, GC_BASE, no_keywords};
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::protocol::iter_next;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyBool_Type, PyExc_OverflowError};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, err};
use taipan_object::{bind, payload};

pub struct Compress {
    data: Field,
    selectors: Field,
}
payload!(Compress, COMPRESS, c"itertools.compress", GC_BASE, [data, selectors]);

fn compress_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "compress" "(data, selectors)", args, kwargs);
    let data = Field::new(Some(bound.required(0).iter()?));
    let selectors = Field::new(Some(bound.required(1).iter()?));
    native_new(ty, Compress { data, selectors })?.into_py()
}

fn compress_next(compress: &Native<Compress>) -> PyResult<Option<Ref>> {
    let (Some(data), Some(selectors)) = (compress.data.get(), compress.selectors.get()) else {
        return Ok(None);
    };
    loop {
        let Some(item) = iter_next(&data)? else { return Ok(None) };
        let Some(selector) = iter_next(&selectors)? else { return Ok(None) };
        if selector.is_true()? {
            return Ok(Some(item));
        }
    }
}

iterator!(
    COMPRESS_SPEC,
    Compress,
    COMPRESS,
    c"compress(data, selectors)\n--\n\nThe items of data whose selector counts as true.",
    compress_new,
    compress_next
);

/// A predicate, an iterator, and whether the predicate has had its say.
pub struct While {
    predicate: Field,
    iterator: Field,
    decided: Cell<bool>,
}

/// `dropwhile`.
pub struct Dropwhile(While);
/// `takewhile`.
pub struct Takewhile(While);
/// `filterfalse`.
pub struct Filterfalse(While);

macro_rules! while_payload {
    ($payload:ident, $ty:ident, $python:literal) => {
        /// The type object.
        pub static $ty: taipan_object::statics::StaticType =
            taipan_object::statics::StaticType::native($python, Native::<$payload>::SIZE, GC_BASE);

        impl Payload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                crate::util::Held::show(&self.0.predicate, visitor);
                crate::util::Held::show(&self.0.iterator, visitor);
            }
            fn clear(&self) {
                self.0.predicate.set(None);
                self.0.iterator.set(None);
            }
        }
    };
}
while_payload!(Dropwhile, DROPWHILE, c"itertools.dropwhile");
while_payload!(Takewhile, TAKEWHILE, c"itertools.takewhile");
while_payload!(Filterfalse, FILTERFALSE, c"itertools.filterfalse");

fn while_state(predicate: &Object, iterable: &Object) -> PyResult<While> {
    let iterator = Field::new(Some(iterable.iter()?));
    Ok(While { predicate: Field::of(predicate), iterator, decided: Cell::new(false) })
}

fn dropwhile_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Dropwhile>(ty, "dropwhile", kwargs)?;
    bind!(bound = "dropwhile" "(predicate, iterable, /)", args, None);
    native_new(ty, Dropwhile(while_state(bound.required(0), bound.required(1))?))?.into_py()
}

fn takewhile_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Takewhile>(ty, "takewhile", kwargs)?;
    bind!(bound = "takewhile" "(predicate, iterable, /)", args, None);
    native_new(ty, Takewhile(while_state(bound.required(0), bound.required(1))?))?.into_py()
}

fn filterfalse_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Filterfalse>(ty, "filterfalse", kwargs)?;
    bind!(bound = "filterfalse" "(function, iterable, /)", args, None);
    native_new(ty, Filterfalse(while_state(bound.required(0), bound.required(1))?))?.into_py()
}

fn dropwhile_next(state: &Native<Dropwhile>) -> PyResult<Option<Ref>> {
    let state = &state.0;
    let (Some(iterator), Some(predicate)) = (state.iterator.get(), state.predicate.get()) else {
        return Ok(None);
    };
    loop {
        let Some(item) = iter_next(&iterator)? else { return Ok(None) };
        if state.decided.get() {
            return Ok(Some(item));
        }
        if !predicate.call(&[&item])?.is_true()? {
            state.decided.set(true);
            return Ok(Some(item));
        }
    }
}

fn takewhile_next(state: &Native<Takewhile>) -> PyResult<Option<Ref>> {
    let state = &state.0;
    if state.decided.get() {
        return Ok(None);
    }
    let (Some(iterator), Some(predicate)) = (state.iterator.get(), state.predicate.get()) else {
        return Ok(None);
    };
    let Some(item) = iter_next(&iterator)? else { return Ok(None) };
    if predicate.call(&[&item])?.is_true()? {
        return Ok(Some(item));
    }
    state.decided.set(true);
    Ok(None)
}

fn filterfalse_next(state: &Native<Filterfalse>) -> PyResult<Option<Ref>> {
    let state = &state.0;
    let (Some(iterator), Some(function)) = (state.iterator.get(), state.predicate.get()) else {
        return Ok(None);
    };
    let bool_type: &Type = &PyBool_Type;
    let by_truth = is_none(&function) || function.is(bool_type);
    loop {
        let Some(item) = iter_next(&iterator)? else { return Ok(None) };
        let good = if by_truth { item.is_true()? } else { function.call(&[&item])?.is_true()? };
        if !good {
            return Ok(Some(item));
        }
    }
}

iterator!(
    DROPWHILE_SPEC,
    Dropwhile,
    DROPWHILE,
    c"dropwhile(predicate, iterable, /)\n--\n\nThe items from the first on for which the predicate fails.",
    dropwhile_new,
    dropwhile_next
);
iterator!(
    TAKEWHILE_SPEC,
    Takewhile,
    TAKEWHILE,
    c"takewhile(predicate, iterable, /)\n--\n\nThe items before the first for which the predicate fails.",
    takewhile_new,
    takewhile_next
);
iterator!(
    FILTERFALSE_SPEC,
    Filterfalse,
    FILTERFALSE,
    c"filterfalse(function, iterable, /)\n--\n\nThe items for which the function gives something that counts as false.\n\nWith None, the items that count as false themselves.",
    filterfalse_new,
    filterfalse_next
);

pub struct Islice {
    iterator: Field,
    /// The place of the next item to give.
    next: Cell<usize>,
    stop: Option<usize>,
    step: usize,
    /// Items read so far.
    count: Cell<usize>,
}
payload!(Islice, ISLICE, c"itertools.islice", GC_BASE, [iterator]);

/// A number of `islice`: -1 stands for what is none.
fn islice_number(value: &Object) -> isize {
    value.to_index_clamped(Some(&PyExc_OverflowError)).unwrap_or(-1)
}

fn islice_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    const RANGE: &str = "must be None or an integer: 0 <= x <= sys.maxsize.";
    no_keywords::<Islice>(ty, "islice", kwargs)?;
    bind!(_bound = "islice" "(iterable, start, stop=None, step=None, /)", args, None);
    let items = args.items();
    let (start, stop, step) = match items {
        [_, stop] => (None, *stop, None),
        [_, start, stop] => (Some(*start), *stop, None),
        [_, start, stop, step] => (Some(*start), *stop, Some(*step)),
        _ => unreachable!("the signature takes two to four arguments"),
    };
    let given = |number: Option<&Object>, default| {
        number.filter(|number| !is_none(number)).map_or(default, islice_number)
    };
    let start = given(start, 0);
    let stop = if is_none(stop) {
        None
    } else {
        match islice_number(stop) {
            -1 => return Err(err::value_error(&format!("Stop argument for islice() {RANGE}"))),
            stop => Some(stop),
        }
    };
    if start < 0 || stop.is_some_and(|stop| stop < 0) {
        return Err(err::value_error(&format!("Indices for islice() {RANGE}")));
    }
    let step = given(step, 1);
    if step < 1 {
        return Err(err::value_error("Step for islice() must be a positive integer or None."));
    }
    let state = Islice {
        iterator: Field::new(Some(items[0].iter()?)),
        next: Cell::new(start.unsigned_abs()),
        stop: stop.map(isize::unsigned_abs),
        step: step.unsigned_abs(),
        count: Cell::new(0),
    };
    native_new(ty, state)?.into_py()
}

fn islice_next(slice: &Native<Islice>) -> PyResult<Option<Ref>> {
    let Some(iterator) = slice.iterator.get() else { return Ok(None) };
    let result = islice_step(slice, &iterator);
    if !matches!(result, Ok(Some(_))) {
        slice.iterator.set(None);
    }
    result
}

fn islice_step(slice: &Islice, iterator: &Object) -> PyResult<Option<Ref>> {
    while slice.count.get() < slice.next.get() {
        if iter_next(iterator)?.is_none() {
            return Ok(None);
        }
        slice.count.set(slice.count.get() + 1);
    }
    if slice.stop.is_some_and(|stop| slice.count.get() >= stop) {
        return Ok(None);
    }
    let Some(item) = iter_next(iterator)? else { return Ok(None) };
    slice.count.set(slice.count.get() + 1);
    let next = slice.next.get().saturating_add(slice.step);
    slice.next.set(slice.stop.map_or(next, |stop| next.min(stop)));
    Ok(Some(item))
}

iterator!(
    ISLICE_SPEC,
    Islice,
    ISLICE,
    c"islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nSome of the items, chosen by place as a slice does, without going back.",
    islice_new,
    islice_next
);
