//! Iterators over ranges: one over machine integers, which the evaluator steps itself
//! ([`RawRangeIterator`]), and one over ints of any size.

use super::{Range, add, count_small, mul, sub};
use crate::util::{self, Field};
use taipan_object::abi::PyObject;
use taipan_object::alloc;
use taipan_object::err::{PyResult, type_error};
use taipan_object::int::Int;
use taipan_object::iters::RawRangeIterator;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::{Object, Ref, TypeSpec, layout};

layout!(
    /// A `range_iterator`.
    SmallIterator, RawRangeIterator, "range_iterator", |o| o.is_exact(&PyRangeIter_Type)
);

fn new_small(next: i64, step: i64, left: i64) -> PyResult {
    let block = alloc::small_alloc::<40>();
    if block.is_null() {
        return Err(alloc::no_memory());
    }
    // SAFETY: the block holds the iterator.
    unsafe {
        let raw = block.cast::<RawRangeIterator>();
        alloc::init_object(raw.cast(), &PyRangeIter_Type);
        (*raw).next = next;
        (*raw).step = step;
        (*raw).left = left;
        Ok(Ref::steal(raw.cast()))
    }
}

/// Start, step and length, if everything the iteration touches fits machine words.
fn small_parts(range: &Range) -> Option<(i64, i64, i64)> {
    let (start, stop, step) = (range.start().to_i64()?, range.stop().to_i64()?, range.step().to_i64()?);
    let length = i64::try_from(count_small(start, stop, step)).ok()?;
    // The end that a pickle writes down, start + length * step, is to fit as well.
    let fits = match step > 0 {
        _ if length == 0 => true,
        true => stop <= i64::MAX - (step - 1),
        false => stop >= i64::MIN + (-1 - step),
    };
    if !fits {
        return None;
    }
    Some((start, step, length))
}

/// `iter(range)`.
///
/// # Errors
/// `MemoryError`.
pub fn new_forward(range: &Range) -> PyResult {
    match small_parts(range) {
        Some((start, step, length)) => new_small(start, step, length),
        None => new_big(Ref::of(range.start()), Ref::of(range.step()), Ref::of(range.length())),
    }
}

/// `reversed(range)`.
///
/// # Errors
/// `MemoryError`.
pub fn new_backward(range: &Range) -> PyResult {
    if let Some((start, step, length)) = small_parts(range)
        && let Some(back) = step.checked_neg()
        && start.checked_add(back).is_some()
    {
        let last = start.wrapping_add(length.wrapping_sub(1).wrapping_mul(step));
        return new_small(last, back, length);
    }
    let last = range.item_at(&*sub(range.length(), &Int::from_i64(1))?)?;
    let back = sub(&Int::from_i64(0), range.step())?;
    new_big(last, back, Ref::of(range.length()))
}

fn next_small(iterator: &SmallIterator) -> PyResult<Option<Ref>> {
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = iterator.raw();
        if (*raw).left <= 0 {
            return Ok(None);
        }
        let value = (*raw).next;
        // Behind the last item the sum may leave the range of the word; it is never used then.
        (*raw).next = value.wrapping_add((*raw).step);
        (*raw).left -= 1;
        Ok(Some(Int::from_i64(value).upcast()))
    }
}

fn hint_small(iterator: &SmallIterator) -> i64 {
    // SAFETY: the view guarantees the layout.
    unsafe { (*iterator.raw()).left }
}

fn reduce_small(iterator: &SmallIterator) -> PyResult {
    // SAFETY: the view guarantees the layout.
    let (next, step, left) = unsafe {
        let raw = iterator.raw();
        ((*raw).next, (*raw).step, (*raw).left)
    };
    let (start, step) = (Int::from_i64(next), Int::from_i64(step));
    let stop = add(&start, &*mul(&Int::from_i64(left), &step)?)?;
    rest(start, stop, step)
}

/// `(iter, (range(…),), None)`.
fn rest(start: Ref<Int>, stop: Ref<Int>, step: Ref<Int>) -> PyResult {
    let range = Range::make(start, stop, step)?;
    util::reduced(protocol::builtin("iter")?, &[&range], Some(new_none()))
}

fn state_small(iterator: &SmallIterator, state: &Object) -> PyResult<()> {
    let skip = state.to_i64()?;
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = iterator.raw();
        let skip = skip.clamp(0, (*raw).left);
        (*raw).next = (*raw).next.wrapping_add(skip.wrapping_mul((*raw).step));
        (*raw).left -= skip;
    }
    Ok(())
}

unsafe extern "C" fn dealloc_small(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the type has no subclasses.
    unsafe { alloc::small_free::<40>(ptr.cast()) }
}

taipan_object::methods! { static SMALL_METHODS = {
    noargs "__length_hint__" "($self, /)" = hint_small, "How many items are left.";
    noargs "__reduce__" "($self, /)" = reduce_small, "Describe the iterator for pickling: the range that is left.";
    one "__setstate__" "($self, object, /)" = state_small, "Skip as many items as a pickle recorded.";
} }

/// `range_iterator`.
pub static SMALL: TypeSpec = TypeSpec {
    slots: &[raw_dealloc(dealloc_small), tp_iter(util::own_iterator), tp_iternext(next_small)],
    methods: SMALL_METHODS,
    ..TypeSpec::new(&PyRangeIter_Type)
};

/// The state of a `longrange_iterator`: three ints.
struct Big {
    next: Field,
    step: Field,
    left: Field,
}
const _: () = assert!(Native::<Big>::SIZE <= 40);

impl Payload for Big {
    const TYPE: &'static StaticType = &PyLongRangeIter_Type;
}

impl Big {
    fn int(field: &Field) -> PyResult<Ref<Int>> {
        match field.get() {
            // SAFETY: the fields only ever hold ints.
            Some(int) => Ok(unsafe { int.cast_owned() }),
            None => Err(type_error("the iterator has been cleared")),
        }
    }
}

fn new_big(next: Ref<Int>, step: Ref<Int>, left: Ref<Int>) -> PyResult {
    let state =
        Big { next: Field::new(Some(next)), step: Field::new(Some(step)), left: Field::new(Some(left)) };
    Ok(native_new(&PyLongRangeIter_Type, state)?.upcast())
}

fn skip(it: &Big, count: &Int) -> PyResult<()> {
    let next = add(&*Big::int(&it.next)?, &*mul(count, &*Big::int(&it.step)?)?)?;
    let left = sub(&*Big::int(&it.left)?, count)?;
    it.next.set(Some(next));
    it.left.set(Some(left));
    Ok(())
}

fn next_big(it: &Native<Big>) -> PyResult<Option<Ref>> {
    if Big::int(&it.left)?.is_zero() {
        return Ok(None);
    }
    let value = Big::int(&it.next)?;
    skip(it, &Int::from_i64(1))?;
    Ok(Some(value.upcast()))
}

fn reduce_big(it: &Native<Big>) -> PyResult {
    let (start, step) = (Big::int(&it.next)?, Big::int(&it.step)?);
    let stop = add(&start, &*mul(&*Big::int(&it.left)?, &step)?)?;
    rest(start, stop, step)
}

fn state_big(it: &Native<Big>, state: &Object) -> PyResult<()> {
    let Some(count) = state.downcast::<Int>() else {
        return Err(taipan_object::raise!(
            PyExc_TypeError,
            "state must be an int, not {}",
            state.ty().message_name()
        ));
    };
    if count.is_negative() {
        return Ok(());
    }
    let left = Big::int(&it.left)?;
    let most = if super::order(count, &left).is_gt() { left } else { Ref::of(count) };
    skip(it, &most)
}

taipan_object::methods! { static BIG_METHODS = {
    noargs "__length_hint__" "($self, /)" = |it: &Native<Big>| Big::int(&it.left), "How many items are left.";
    noargs "__reduce__" "($self, /)" = reduce_big, "Describe the iterator for pickling: the range that is left.";
    one "__setstate__" "($self, object, /)" = state_big, "Skip as many items as a pickle recorded.";
} }

/// `longrange_iterator`.
pub static BIG: TypeSpec = TypeSpec {
    slots: &[Native::<Big>::DEALLOC, tp_iter(util::own_iterator), tp_iternext(next_big)],
    methods: BIG_METHODS,
    ..TypeSpec::new(&PyLongRangeIter_Type)
};
