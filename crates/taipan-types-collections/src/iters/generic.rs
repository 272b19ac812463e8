//! `iterator`, over things with `__getitem__`, and `callable_iterator`, as `iter(f, sentinel)` makes.

use super::sequence_item;
use crate::util::{self, Field};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use taipan_object::abi::{PyObject, visitproc};
use taipan_object::err::{PyResult, overflow_error};
use taipan_object::handle::clear_field;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::protocol::{RawSequenceIterator, recursive};
use taipan_object::statics::{PyCallIter_Type, PyExc_StopIteration, PySeqIter_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, TypeSpec, gc, layout, refcount};

layout!(
    /// An `iterator`.
    SequenceIterator, RawSequenceIterator, "iterator", |o| o.is_exact(&PySeqIter_Type)
);

impl SequenceIterator {
    fn sequence(&self) -> Option<Ref> {
        // SAFETY: null, or owned by the iterator.
        unsafe { Object::borrow_opt((*self.raw()).sequence) }.map(Object::new_ref)
    }

    fn index(&self) -> isize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).index }
    }
}

fn next(iterator: &SequenceIterator) -> PyResult<Option<Ref>> {
    let Some(sequence) = iterator.sequence() else { return Ok(None) };
    let index = iterator.index();
    if index == isize::MAX {
        return Err(overflow_error("iter index too large"));
    }
    let item = recursive("", || sequence_item(&sequence, index))?;
    // SAFETY: the view guarantees the layout; the field owns its reference.
    unsafe {
        match item {
            Some(_) => (*iterator.raw()).index += 1,
            None => clear_field(&raw mut (*iterator.raw()).sequence),
        }
    }
    Ok(item)
}

fn length_hint(iterator: &SequenceIterator) -> PyResult {
    let Some(sequence) = iterator.sequence() else { return 0i64.into_py() };
    // SAFETY: a live type.
    let sized = unsafe {
        let ty = sequence.ty().raw();
        (*ty).tp_as_sequence.as_ref().is_some_and(|table| table.sq_length.is_some())
            || (*ty).tp_as_mapping.as_ref().is_some_and(|table| table.mp_length.is_some())
    };
    if !sized {
        return Ok(util::not_implemented());
    }
    (sequence.len()?.cast_signed() - iterator.index()).max(0).into_py()
}

fn reduce(iterator: &SequenceIterator) -> PyResult {
    let function = protocol::builtin("iter")?;
    match iterator.sequence() {
        Some(sequence) => util::reduced(function, &[&sequence], Some(iterator.index().into_py()?)),
        None => util::reduced(function, &[&*Tuple::empty()], None),
    }
}

fn set_state(iterator: &SequenceIterator, state: &Object) -> PyResult<()> {
    let index = util::state_index(state)?;
    if iterator.sequence().is_some() {
        // SAFETY: the view guarantees the layout.
        unsafe { (*iterator.raw()).index = index.max(0) };
    }
    Ok(())
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the type has no subclasses.
    unsafe {
        gc::untrack_ptr(ptr);
        let sequence = core::mem::replace(&mut (*ptr.cast::<RawSequenceIterator>()).sequence, null_mut());
        refcount::xdecref(sequence);
        taipan_object::alloc::free_object(ptr);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live iterator.
    unsafe {
        let sequence = (*ptr.cast::<RawSequenceIterator>()).sequence;
        if sequence.is_null() { 0 } else { visit(sequence, arg) }
    }
}

taipan_object::methods! { static METHODS = {
    noargs "__length_hint__" "($self, /)" = length_hint, "How many items are left, as far as is known.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the iterator and its place for pickling.";
    one "__setstate__" "($self, object, /)" = set_state, "Go to the place that a pickle recorded.";
} }

/// `iterator`.
pub static SEQUENCE: TypeSpec = TypeSpec {
    slots: &[raw_dealloc(dealloc), raw_traverse(traverse), tp_iter(util::own_iterator), tp_iternext(next)],
    methods: METHODS,
    ..TypeSpec::new(&PySeqIter_Type)
};

/// The state of a `callable_iterator`; both are gone once it has ended.
struct Callable {
    function: Field,
    sentinel: Field,
}
const _: () = assert!(Native::<Callable>::SIZE <= 32);

impl Payload for Callable {
    const TYPE: &'static StaticType = &PyCallIter_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.function.visit(visitor);
        self.sentinel.visit(visitor);
    }
}

/// `iter(function, sentinel)`.
///
/// # Errors
/// `MemoryError`.
pub fn callable_iterator(function: &Object, sentinel: &Object) -> PyResult {
    let state = Callable { function: Field::of(function), sentinel: Field::of(sentinel) };
    Ok(native_new(&PyCallIter_Type, state)?.upcast())
}

fn next_call(it: &Native<Callable>) -> PyResult<Option<Ref>> {
    let Some(function) = it.function.get() else { return Ok(None) };
    let result = match recursive("", || function.call(&[])) {
        Ok(result) => result,
        Err(error) => {
            let ended: Option<()> = error.allow(&PyExc_StopIteration)?;
            debug_assert!(ended.is_none());
            it.function.take();
            it.sentinel.take();
            return Ok(None);
        }
    };
    // The call may have ended the iteration.
    let Some(sentinel) = it.sentinel.get() else { return Ok(None) };
    if sentinel.equals(&result)? {
        it.function.take();
        it.sentinel.take();
        return Ok(None);
    }
    Ok(Some(result))
}

fn reduce_call(it: &Native<Callable>) -> PyResult {
    let builtin = protocol::builtin("iter")?;
    match (it.function.get(), it.sentinel.get()) {
        (Some(function), Some(sentinel)) => util::reduced(builtin, &[&function, &sentinel], None),
        _ => util::reduced(builtin, &[&*Tuple::empty()], None),
    }
}

taipan_object::methods! { static CALL_METHODS = {
    noargs "__reduce__" "($self, /)" = reduce_call, "Describe the iterator for pickling.";
} }

/// `callable_iterator`.
pub static CALLABLE: TypeSpec = TypeSpec {
    slots: &[
        Native::<Callable>::DEALLOC,
        Native::<Callable>::TRAVERSE,
        tp_iter(util::own_iterator),
        tp_iternext(next_call),
    ],
    methods: CALL_METHODS,
    ..TypeSpec::new(&PyCallIter_Type)
};
