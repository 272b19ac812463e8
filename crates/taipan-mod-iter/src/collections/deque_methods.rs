//! Methods of `deque`.

use super::deque::{View, copy, reversed, source_of};
use crate::util::class_getitem;
use taipan_object::err::{self, index_error, runtime_error};
use taipan_object::int::Int;
use taipan_object::native::{Args, CompareOp, IntoPy};
use taipan_object::protocol::{iter_next, richcompare_bool};
use taipan_object::slice::slice_index;

use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, intern, methods};

fn append(deque: &View, item: &Object) -> PyResult<()> {
    deque.push_back(item.new_ref())
}

fn append_left(deque: &View, item: &Object) -> PyResult<()> {
    deque.push_front(item.new_ref())
}

fn pop(deque: &View) -> PyResult {
    let item = deque.items.borrow_mut().pop_back();
    deque.changed();
    item.ok_or_else(|| index_error("pop from an empty deque"))
}

fn pop_left(deque: &View) -> PyResult {
    let item = deque.items.borrow_mut().pop_front();
    deque.changed();
    item.ok_or_else(|| index_error("pop from an empty deque"))
}

fn extend(deque: &View, iterable: &Object) -> PyResult<()> {
    deque.extend(&*source_of(deque, iterable)?)
}

fn extend_left(deque: &View, iterable: &Object) -> PyResult<()> {
    let iterator = source_of(deque, iterable)?.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        deque.push_front(item)?;
    }
    Ok(())
}

fn rotate(deque: &View, args: &Args<'_>) -> PyResult<()> {
    let steps = args.isize_or(0, 1)?;
    let mut items = deque.items.borrow_mut();
    if items.len() > 1 {
        let places = steps.rem_euclid(items.len().cast_signed()).unsigned_abs();
        items.rotate_right(places);
        deque.changed();
    }
    Ok(())
}

fn reverse(deque: &View) {
    deque.items.borrow_mut().make_contiguous().reverse();
}

fn count(deque: &View, item: &Object) -> PyResult<usize> {
    let (changes, mut found) = (deque.changes.get(), 0);
    for index in 0.. {
        let Some(candidate) = deque.get(index) else { break };
        found += usize::from(richcompare_bool(&candidate, item, CompareOp::Eq)?);
        if deque.changes.get() != changes {
            return Err(runtime_error("deque mutated during iteration"));
        }
    }
    Ok(found)
}

fn index(deque: &View, args: &Args<'_>) -> PyResult<usize> {
    let (item, len) = (args.required(0), deque.len().cast_signed());
    let place = |index: isize| if index < 0 { (index + len).max(0) } else { index };
    let start = place(args.get(1).map_or(Ok(0), |value| slice_index(value, 0))?);
    let stop = place(args.get(2).map_or(Ok(len), |value| slice_index(value, len))?).min(len);
    let changes = deque.changes.get();
    for index in start..stop {
        let Some(candidate) = deque.get(index.unsigned_abs()) else { break };
        if richcompare_bool(&candidate, item, CompareOp::Eq)? {
            return Ok(index.unsigned_abs());
        }
        if deque.changes.get() != changes {
            return Err(runtime_error("deque mutated during iteration"));
        }
    }
    Err(err::value_error("deque.index(x): x not in deque"))
}

fn insert(deque: &View, args: &Args<'_>) -> PyResult<()> {
    let index = args.isize_or(0, 0)?;
    let item = args.required(1).new_ref();
    let len = deque.len();
    if deque.limit.get() == Some(len) {
        return Err(index_error("deque already at its maximum size"));
    }
    let place = if index < 0 { index.saturating_add(len.cast_signed()).max(0) } else { index };
    let mut items = deque.items.borrow_mut();
    items.try_reserve(1).map_err(|_| err::memory_error())?;
    items.insert(place.unsigned_abs().min(len), item);
    deque.changed();
    Ok(())
}

fn remove(deque: &View, item: &Object) -> PyResult<()> {
    let changes = deque.changes.get();
    for index in 0.. {
        let Some(candidate) = deque.get(index) else { break };
        let same = richcompare_bool(&candidate, item, CompareOp::Eq)?;
        if deque.changes.get() != changes {
            return Err(index_error("deque mutated during remove()."));
        }
        if same {
            let removed = deque.items.borrow_mut().remove(index);
            deque.changed();
            drop(removed);
            return Ok(());
        }
    }
    Err(err::value_error("deque.remove(x): x not in deque"))
}

fn reduce(deque: &View) -> PyResult {
    let object = deque.object();
    let state = object.call_method(intern!("__getstate__"), &[])?;
    let iterator = object.iter()?;
    let args = match deque.limit.get() {
        None => Tuple::empty(),
        Some(limit) => Tuple::from_array([Tuple::empty().upcast(), Int::from_usize(limit).upcast()])?,
    };
    Tuple::from_array([object.ty().new_ref(), args.upcast(), state, iterator])?.into_py()
}

fn bytes_taken(deque: &View) -> usize {
    View::SIZE + deque.items.borrow().capacity() * size_of::<usize>()
}

methods! {
    pub(super) static METHODS = {
        one "append" "($self, item, /)" = append, "Add an item on the right.";
        one "appendleft" "($self, item, /)" = append_left, "Add an item on the left.";
        noargs "clear" "($self, /)" = |deque: &View| deque.forget_all(), "Remove all items.";
        noargs "__copy__" "($self, /)" = copy, "A deque of the same items.";
        noargs "copy" "($self, /)" = copy, "A deque of the same items.";
        one "count" "($self, value, /)" = count, "How many items are equal to the value.";
        one "extend" "($self, iterable, /)" = extend, "Add the items of an iterable on the right.";
        one "extendleft" "($self, iterable, /)" = extend_left, "Add the items of an iterable on the left, one after the other.";
        args "index" "($self, value, start=0, stop=sys.maxsize, /)" = index, "The place of the first item that is equal to the value.\n\nRaises ValueError if there is none.";
        args "insert" "($self, index, value, /)" = insert, "Put a value before the item at an index.";
        noargs "pop" "($self, /)" = pop, "Take out the rightmost item.";
        noargs "popleft" "($self, /)" = pop_left, "Take out the leftmost item.";
        noargs "__reduce__" "($self, /)" = reduce, "Describe the deque for pickling.";
        one "remove" "($self, value, /)" = remove, "Remove the first item that is equal to the value.";
        noargs "__reversed__" "($self, /)" = reversed, "An iterator over the items from the right.";
        noargs "reverse" "($self, /)" = |deque: &View| reverse(deque), "Reverse the order of the items.";
        args "rotate" "($self, n=1, /)" = rotate, "Move items from the right end to the left one, n times; the other way if n is negative.";
        noargs "__sizeof__" "($self, /)" = bytes_taken, "The bytes that the deque itself takes in memory.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
    }
}
