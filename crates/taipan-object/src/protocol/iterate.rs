//! Iteration and containment.

use crate::err::{PyErr, PyResult};
use crate::handle::{Object, Ref};
use crate::native::{from_c, from_c_int, from_c_opt};
use crate::raise;
use crate::statics::*;
use taipan_abi::*;

/// `iter(object)`.
pub(super) fn iter(object: &Object) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let ty = object.ty().raw();
        let Some(slot) = (*ty).tp_iter else {
            if is_sequence(object) {
                return sequence_iterator(object);
            }
            return Err(raise!(PyExc_TypeError, "'{}' object is not iterable", object.ty().message_name()));
        };
        let iterator = super::recursive("", || from_c(slot(object.as_ptr())))?;
        if (*iterator.ty().raw()).tp_iternext.is_none() {
            return Err(raise!(
                PyExc_TypeError,
                "iter() returned non-iterator of type '{}'",
                iterator.ty().message_name()
            ));
        }
        Ok(iterator)
    }
}

fn is_sequence(object: &Object) -> bool {
    // SAFETY: a live type.
    !object.ty().has_flag(Py_TPFLAGS_DICT_SUBCLASS)
        && unsafe {
            (*object.ty().raw()).tp_as_sequence.as_ref().is_some_and(|table| table.sq_item.is_some())
        }
}

/// The memory of the iterator over things with `__getitem__` (`PySeqIter_Type`).
#[repr(C)]
pub struct RawSequenceIterator {
    pub head: PyObject,
    pub index: isize,
    /// Null once the iteration has ended.
    pub sequence: *mut PyObject,
}
const _: () = assert!(size_of::<RawSequenceIterator>() == 32);

/// An iterator that subscripts `object` from 0 on.
///
/// # Errors
/// `MemoryError`.
pub fn sequence_iterator(object: &Object) -> PyResult {
    let iterator = crate::alloc::alloc_object(&PySeqIter_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        (*iterator.raw_as::<RawSequenceIterator>()).sequence = object.new_ref().into_ptr();
        crate::gc::track(&iterator);
    }
    Ok(iterator)
}

/// The next item of an iterator; `None` at the end (a `StopIteration` is consumed).
///
/// # Errors
/// What `__next__` raises; `TypeError` when the object is no iterator; `RecursionError` at the end of the stack.
#[inline]
pub fn iter_next(iterator: &Object) -> PyResult<Option<Ref>> {
    iter_step(iterator).or_else(|error| error.allow(&PyExc_StopIteration))
}

/// The next item of an iterator; at its end `None` or `StopIteration`, whatever the iterator says. Iterators that
/// read other iterators nest as deeply as a program likes, so this one door looks how much of the machine stack is
/// left.
///
/// # Errors
/// As [`iter_next`].
#[inline]
pub fn iter_step(iterator: &Object) -> PyResult<Option<Ref>> {
    // SAFETY: slot contract.
    unsafe {
        let Some(next) = (*iterator.ty().raw()).tp_iternext else {
            return Err(raise!(
                PyExc_TypeError,
                "'{}' object is not an iterator",
                iterator.ty().message_name()
            ));
        };
        super::recursive("", || from_c_opt(next(iterator.as_ptr())))
    }
}

/// The next item of an iterator; at its end the `StopIteration` is raised.
///
/// # Errors
/// What `__next__` raises; `TypeError` when the object is no iterator; `RecursionError` at the end of the stack.
pub fn iter_next_or_stop(iterator: &Object) -> PyResult {
    iter_step(iterator)?.ok_or_else(|| crate::err::stop_iteration(None))
}

/// What to do after an item.
pub enum IterStep {
    Continue,
    Stop,
}

/// Calls `step` for each item of an iterable.
///
/// # Errors
/// What the iteration or `step` raises.
pub fn iterate(iterable: &Object, mut step: impl FnMut(Ref) -> PyResult<IterStep>) -> PyResult<()> {
    let iterator = iterable.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        if matches!(step(item)?, IterStep::Stop) {
            break;
        }
    }
    Ok(())
}

/// How many items an iterable will probably give: its length, what `__length_hint__` says, or `default`.
///
/// # Errors
/// What `__len__` and `__length_hint__` raise, except `TypeError`; `TypeError` and `ValueError` for a
/// hint that is no length.
pub fn length_hint(object: &Object, default: usize) -> PyResult<usize> {
    // SAFETY: a live type.
    let has_length = unsafe {
        let ty = object.ty().raw();
        (*ty).tp_as_sequence.as_ref().is_some_and(|table| table.sq_length.is_some())
            || (*ty).tp_as_mapping.as_ref().is_some_and(|table| table.mp_length.is_some())
    };
    if has_length {
        match object.len() {
            Ok(length) => return Ok(length),
            Err(error) => error.allow::<()>(&PyExc_TypeError)?,
        };
    }
    let hint = match super::special_opt(object, crate::intern!("__length_hint__"), &[]) {
        Ok(hint) => hint,
        Err(error) => error.allow(&PyExc_TypeError)?,
    };
    let Some(hint) = hint.filter(|hint| !crate::singletons::is_not_implemented(hint)) else {
        return Ok(default);
    };
    let Some(int) = hint.downcast::<crate::int::Int>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__length_hint__ must be an integer, not {}",
            hint.ty().message_name()
        ));
    };
    let hint = int.to_isize()?;
    usize::try_from(hint).map_err(|_| crate::err::value_error("__length_hint__() should return >= 0"))
}

/// All items of an iterable.
///
/// # Errors
/// What the iteration raises.
pub fn to_vec(iterable: &Object) -> PyResult<Vec<Ref>> {
    if iterable.is_exact(&PyList_Type) {
        // SAFETY: an exact list.
        return Ok(unsafe { iterable.cast::<crate::list::List>() }.to_vec());
    }
    if iterable.is_exact(&PyTuple_Type) {
        // SAFETY: an exact tuple.
        let items = unsafe { iterable.cast::<crate::tuple::Tuple>() }.items();
        return Ok(items.iter().map(|item| item.new_ref()).collect());
    }
    let mut all = Vec::new();
    iterate(iterable, |item| {
        all.try_reserve(1).map_err(|_| crate::alloc::no_memory())?;
        all.push(item);
        Ok(IterStep::Continue)
    })?;
    Ok(all)
}

/// `item in container`.
///
/// # Errors
/// `TypeError` when the object is no container; what the comparison raises.
pub fn contains(container: &Object, item: &Object) -> PyResult<bool> {
    // SAFETY: slot contract.
    unsafe {
        if let Some(slot) =
            (*container.ty().raw()).tp_as_sequence.as_ref().and_then(|table| table.sq_contains)
        {
            return super::recursive("", || from_c_int(slot(container.as_ptr(), item.as_ptr()) as isize))
                .map(|found| found != 0);
        }
    }
    contains_by_iteration(container, item)
}

/// `item in container` by looking at every item.
///
/// # Errors
/// `TypeError` when the object is not iterable; what the comparison raises.
pub fn contains_by_iteration(container: &Object, item: &Object) -> PyResult<bool> {
    let iterator = container.iter().map_err(|error| not_container(container, error))?;
    while let Some(candidate) = iter_next(&iterator)? {
        if candidate.equals(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn not_container(object: &Object, error: PyErr) -> PyErr {
    if !error.is(&PyExc_TypeError) {
        return error;
    }
    raise!(
        PyExc_TypeError,
        "argument of type '{}' is not a container or iterable",
        object.ty().message_name()
    )
}
