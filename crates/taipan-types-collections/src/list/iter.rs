//! Iterators over lists and tuples. The evaluator steps the forward ones itself, so their layout is
//! [`RawIndexIterator`].

use crate::util;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use taipan_object::abi::{PyObject, visitproc};
use taipan_object::alloc::{self, GC_HEAD};
use taipan_object::err::PyResult;
use taipan_object::handle::clear_field;
use taipan_object::iters::RawIndexIterator;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::statics::{PyListIter_Type, PyListRevIter_Type, PyTupleIter_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, gc, layout, refcount};

layout!(
    /// An iterator over a list or a tuple.
    IndexIterator, RawIndexIterator, "iterator",
    |o| o.is_exact(&PyListIter_Type) || o.is_exact(&PyListRevIter_Type) || o.is_exact(&PyTupleIter_Type)
);

/// A new iterator of type `ty` over `sequence`, from `index` on.
fn new(ty: &Type, sequence: &Object, index: isize) -> PyResult {
    let block = alloc::small_alloc::<48>();
    if block.is_null() {
        return Err(alloc::no_memory());
    }
    // SAFETY: the block holds header and iterator.
    unsafe {
        block.cast::<[usize; 2]>().write([0; 2]);
        let raw = block.add(GC_HEAD).cast::<RawIndexIterator>();
        alloc::init_object(raw.cast(), ty);
        (*raw).index = index;
        (*raw).sequence = sequence.new_ref().into_ptr();
        gc::track_ptr(raw.cast());
        Ok(Ref::steal(raw.cast()))
    }
}

/// `iter(list)`.
///
/// # Errors
/// `MemoryError`.
pub fn new_forward(list: &List) -> PyResult {
    new(&PyListIter_Type, list, 0)
}

/// `reversed(list)`.
pub(super) fn new_backward(list: &List) -> PyResult {
    new(&PyListRevIter_Type, list, list.len().cast_signed() - 1)
}

/// `iter(tuple)`.
///
/// # Errors
/// `MemoryError`.
pub fn new_tuple(tuple: &Tuple) -> PyResult {
    new(&PyTupleIter_Type, tuple, 0)
}

impl IndexIterator {
    fn index(&self) -> isize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).index }
    }

    fn set_index(&self, index: isize) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).index = index }
    }

    /// The sequence, until the iteration has ended.
    fn sequence(&self) -> Option<Ref> {
        // SAFETY: null, or owned by the iterator.
        unsafe { Object::borrow_opt((*self.raw()).sequence) }.map(Object::new_ref)
    }

    fn finish(&self) {
        // SAFETY: the field owns its reference.
        unsafe { clear_field(&raw mut (*self.raw()).sequence) }
    }
}

/// The item of a list or tuple at a place.
fn item_at(sequence: &Object, index: isize) -> Option<Ref> {
    let index = usize::try_from(index).ok()?;
    match sequence.downcast::<List>() {
        Some(list) => list.get(index),
        // SAFETY: the sequence of an iterator is a list or a tuple.
        None => unsafe { sequence.cast::<Tuple>() }.get(index).map(Object::new_ref),
    }
}

fn len_of(sequence: &Object) -> isize {
    match sequence.downcast::<List>() {
        Some(list) => list.len().cast_signed(),
        // SAFETY: the sequence of an iterator is a list or a tuple.
        None => unsafe { sequence.cast::<Tuple>() }.len().cast_signed(),
    }
}

fn next(iterator: &IndexIterator) -> PyResult<Option<Ref>> {
    let Some(sequence) = iterator.sequence() else { return Ok(None) };
    let item = item_at(&sequence, iterator.index());
    match item {
        Some(_) => iterator.set_index(iterator.index() + 1),
        None => iterator.finish(),
    }
    Ok(item)
}

fn next_back(iterator: &IndexIterator) -> PyResult<Option<Ref>> {
    let Some(sequence) = iterator.sequence() else { return Ok(None) };
    let item = item_at(&sequence, iterator.index());
    match item {
        Some(_) => iterator.set_index(iterator.index() - 1),
        None => {
            iterator.set_index(-1);
            iterator.finish();
        }
    }
    Ok(item)
}

fn length_hint(iterator: &IndexIterator) -> isize {
    iterator.sequence().map_or(0, |sequence| (len_of(&sequence) - iterator.index()).max(0))
}

fn length_hint_back(iterator: &IndexIterator) -> isize {
    let left = iterator.index() + 1;
    iterator.sequence().map_or(0, |sequence| if left > len_of(&sequence) { 0 } else { left })
}

fn reduce(iterator: &IndexIterator) -> PyResult {
    // Looking the name up may run Python code that ends the iteration: do that first.
    let function = protocol::builtin("iter")?;
    match iterator.sequence() {
        Some(sequence) => util::reduced(function, &[&sequence], Some(iterator.index().into_py()?)),
        None if iterator.is_exact(&PyTupleIter_Type) => util::reduced(function, &[&*Tuple::empty()], None),
        None => util::reduced(function, &[&*List::new()?], None),
    }
}

fn reduce_back(iterator: &IndexIterator) -> PyResult {
    let function = protocol::builtin("reversed")?;
    match iterator.sequence().filter(|_| iterator.index() >= 0) {
        Some(sequence) => util::reduced(function, &[&sequence], Some(iterator.index().into_py()?)),
        None => util::reduced(function, &[&*List::new()?], None),
    }
}

fn set_state(iterator: &IndexIterator, state: &Object) -> PyResult<()> {
    let index = util::state_index(state)?;
    if let Some(sequence) = iterator.sequence() {
        let most = if iterator.is_exact(&PyTupleIter_Type) { len_of(&sequence) } else { isize::MAX };
        iterator.set_index(index.clamp(0, most));
    }
    Ok(())
}

fn set_state_back(iterator: &IndexIterator, state: &Object) -> PyResult<()> {
    let index = util::state_index(state)?;
    if let Some(sequence) = iterator.sequence() {
        iterator.set_index(index.clamp(-1, len_of(&sequence) - 1));
    }
    Ok(())
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; these types have no subclasses.
    unsafe {
        gc::untrack_ptr(ptr);
        let sequence = core::mem::replace(&mut (*ptr.cast::<RawIndexIterator>()).sequence, null_mut());
        refcount::xdecref(sequence);
        alloc::small_free::<48>(ptr.cast::<u8>().sub(GC_HEAD));
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live iterator.
    unsafe {
        let sequence = (*ptr.cast::<RawIndexIterator>()).sequence;
        if sequence.is_null() { 0 } else { visit(sequence, arg) }
    }
}

taipan_object::methods! { static METHODS = {
    noargs "__length_hint__" "($self, /)" = length_hint, "How many items are left, as far as is known.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the iterator and its place for pickling.";
    one "__setstate__" "($self, object, /)" = set_state, "Go to the place that a pickle recorded.";
} }

taipan_object::methods! { static BACK_METHODS = {
    noargs "__length_hint__" "($self, /)" = length_hint_back, "How many items are left, as far as is known.";
    noargs "__reduce__" "($self, /)" = reduce_back, "Describe the iterator and its place for pickling.";
    one "__setstate__" "($self, object, /)" = set_state_back, "Go to the place that a pickle recorded.";
} }

const FORWARD: &[Slot] =
    &[raw_dealloc(dealloc), raw_traverse(traverse), tp_iter(util::own_iterator), tp_iternext(next)];
const BACKWARD: &[Slot] =
    &[raw_dealloc(dealloc), raw_traverse(traverse), tp_iter(util::own_iterator), tp_iternext(next_back)];

/// `list_iterator`.
pub static LIST: TypeSpec = TypeSpec { slots: FORWARD, methods: METHODS, ..TypeSpec::new(&PyListIter_Type) };
/// `list_reverseiterator`.
pub static LIST_REVERSE: TypeSpec =
    TypeSpec { slots: BACKWARD, methods: BACK_METHODS, ..TypeSpec::new(&PyListRevIter_Type) };
/// `tuple_iterator`.
pub static TUPLE: TypeSpec =
    TypeSpec { slots: FORWARD, methods: METHODS, ..TypeSpec::new(&PyTupleIter_Type) };
