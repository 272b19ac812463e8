//! `_heapq`: lists kept as heaps, smallest first or (`_max`) largest first.
//!
//! A comparison may run Python code that changes the list: after each one the length is looked at
//! again, and items are held by references of our own while they are compared.

use taipan_object::err::{index_error, runtime_error};
use taipan_object::list::List;
use taipan_object::module::ModuleSpec;
use taipan_object::native::{Args, CompareOp};
use taipan_object::protocol::richcompare_bool;
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::{Object, PyErr, PyResult, Ref, raise};

#[cold]
fn changed() -> PyErr {
    runtime_error("list changed size during iteration")
}

#[cold]
fn empty() -> PyErr {
    index_error("index out of range")
}

/// Whether `a` belongs above `b`.
fn above(a: &Object, b: &Object, max: bool) -> PyResult<bool> {
    if max { richcompare_bool(b, a, CompareOp::Lt) } else { richcompare_bool(a, b, CompareOp::Lt) }
}

fn item(list: &List, index: usize) -> PyResult<Ref> {
    list.get(index).ok_or_else(empty)
}

/// Compares two items, and sees whether the list still has its length.
fn compare(list: &List, a: usize, b: usize, max: bool) -> PyResult<bool> {
    let size = list.len();
    let (a, b) = (item(list, a)?, item(list, b)?);
    let answer = above(&a, &b, max)?;
    if list.len() == size { Ok(answer) } else { Err(changed()) }
}

fn swap(list: &List, a: usize, b: usize) -> PyResult<()> {
    let (first, second) = (item(list, a)?, item(list, b)?);
    let old = (list.replace(a, second), list.replace(b, first));
    match old {
        (Ok(_), Ok(_)) => Ok(()),
        _ => Err(changed()),
    }
}

/// Moves the item at `place` up to where it belongs, not above `start`.
fn sift_down(list: &List, start: usize, mut place: usize, max: bool) -> PyResult<()> {
    if place >= list.len() {
        return Err(empty());
    }
    while place > start {
        let parent = (place - 1) / 2;
        if !compare(list, place, parent, max)? {
            break;
        }
        swap(list, place, parent)?;
        place = parent;
    }
    Ok(())
}

/// Moves the item at `place` down to a leaf, always below the child that belongs above, and then up.
fn sift_up(list: &List, mut place: usize, max: bool) -> PyResult<()> {
    let (start, end) = (place, list.len());
    if place >= end {
        return Err(empty());
    }
    while place < end / 2 {
        let mut child = 2 * place + 1;
        if child + 1 < end && !compare(list, child, child + 1, max)? {
            child += 1;
        }
        swap(list, child, place)?;
        place = child;
    }
    sift_down(list, start, place, max)
}

/// The heap as a list; `place` is how the message counts the argument.
fn heap<'a>(object: &'a Object, function: &str, place: &str) -> PyResult<&'a List> {
    object.downcast::<List>().ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "{function}() argument {place}must be list, not {}",
            if is_none(object) { "None" } else { object.ty().message_name() }
        )
    })
}

fn push(function: &str, args: &Args<'_>, max: bool) -> PyResult<()> {
    let list = heap(args.required(0), function, "1 ")?;
    list.append(args.required(1).new_ref())?;
    sift_down(list, 0, list.len() - 1, max)
}

fn pop(function: &str, object: &Object, max: bool) -> PyResult {
    let list = heap(object, function, "")?;
    let last = list.len().checked_sub(1).and_then(|index| list.remove(index)).ok_or_else(empty)?;
    if list.is_empty() {
        return Ok(last);
    }
    let Ok(first) = list.replace(0, last) else { return Err(empty()) };
    sift_up(list, 0, max)?;
    Ok(first)
}

fn replace(function: &str, args: &Args<'_>, max: bool) -> PyResult {
    let list = heap(args.required(0), function, "1 ")?;
    let Ok(first) = list.replace(0, args.required(1).new_ref()) else { return Err(empty()) };
    sift_up(list, 0, max)?;
    Ok(first)
}

fn push_pop(function: &str, args: &Args<'_>, max: bool) -> PyResult {
    let list = heap(args.required(0), function, "1 ")?;
    let new = args.required(1);
    let Some(top) = list.get(0) else { return Ok(new.new_ref()) };
    if !above(&top, new, max)? {
        return Ok(new.new_ref());
    }
    // The comparison may have emptied the list.
    let Ok(first) = list.replace(0, new.new_ref()) else { return Err(empty()) };
    sift_up(list, 0, max)?;
    Ok(first)
}

fn make(function: &str, object: &Object, max: bool) -> PyResult<()> {
    let list = heap(object, function, "")?;
    for place in (0..list.len() / 2).rev() {
        sift_up(list, place, max)?;
    }
    Ok(())
}

macro_rules! both {
    ($($inner:ident: $name:ident $name_max:ident;)*) => {$(
        fn $name(_: &Object, args: &Args<'_>) -> PyResult {
            $inner(stringify!($name), args, false).and_then(taipan_object::native::IntoPy::into_py)
        }
        fn $name_max(_: &Object, args: &Args<'_>) -> PyResult {
            $inner(stringify!($name_max), args, true).and_then(taipan_object::native::IntoPy::into_py)
        }
    )*};
}

both! {
    push: heappush heappush_max;
    replace: heapreplace heapreplace_max;
    push_pop: heappushpop heappushpop_max;
}

fn heappop(_: &Object, heap: &Object) -> PyResult {
    pop("heappop", heap, false)
}

fn heappop_max(_: &Object, heap: &Object) -> PyResult {
    pop("heappop_max", heap, true)
}

fn heapify(_: &Object, heap: &Object) -> PyResult<()> {
    make("heapify", heap, false)
}

fn heapify_max(_: &Object, heap: &Object) -> PyResult<()> {
    make("heapify_max", heap, true)
}

taipan_object::methods! {
    static METHODS = {
        args "heappush" "($module, heap, item, /)" = heappush, "Put an item into a heap.";
        args "heappushpop" "($module, heap, item, /)" = heappushpop, "Put an item into a heap, then take out the smallest.";
        one "heappop" "($module, heap, /)" = heappop, "Take out the smallest item of a heap.";
        args "heapreplace" "($module, heap, item, /)" = heapreplace, "Take out the smallest item of a heap, then put one in.";
        one "heapify" "($module, heap, /)" = heapify, "Make a list a heap.";
        args "heappush_max" "($module, heap, item, /)" = heappush_max, "Put an item into a heap of largest items.";
        args "heappushpop_max" "($module, heap, item, /)" = heappushpop_max, "Put an item into a heap, then take out the largest.";
        one "heappop_max" "($module, heap, /)" = heappop_max, "Take out the largest item of a heap.";
        args "heapreplace_max" "($module, heap, item, /)" = heapreplace_max, "Take out the largest item of a heap, then put one in.";
        one "heapify_max" "($module, heap, /)" = heapify_max, "Make a list a heap of largest items.";
    }
}

/// `_heapq`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_heapq",
    doc: "Lists kept as heaps: heap[k] is not behind heap[2*k+1] and heap[2*k+2].",
    methods: METHODS,
    init: |module| {
        module.add(
            "__about__",
            &*taipan_object::unicode::Str::from_utf8("Heap queues: the item on top is always the next.")?,
        )
    },
};
