//! Unpacking, iteration and awaiting.

use crate::frame::Frame;
use crate::generator::Generator;
use taipan_bytecode::{CO_COROUTINE, CO_ITERABLE_COROUTINE};
use taipan_object::err::{self, type_error};
use taipan_object::native::from_c;
use taipan_object::protocol;
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::{Object, PyErr, PyResult, Ref, raise};

/// Whether `iter()` would accept the object, without calling anything.
pub fn is_iterable(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe {
        let ty = object.ty().raw();
        (*ty).tp_iter.is_some() || (*ty).tp_as_sequence.as_ref().is_some_and(|table| table.sq_item.is_some())
    }
}

/// Whether the object has `__next__`.
pub fn is_iterator(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*object.ty().raw()).tp_iternext.is_some() }
}

/// The next item of an iterator; at the end `None`, of which tools are told if it is an exception.
///
/// # Errors
/// What `__next__` raises.
#[inline]
pub fn next_item(iterator: &Object) -> PyResult<Option<Ref>> {
    protocol::iter_step(iterator).or_else(item_or_end)
}

#[cold]
fn item_or_end(error: PyErr) -> PyResult<Option<Ref>> {
    if error.is(&PyExc_StopIteration) {
        crate::monitor::events::stop_taken(&error);
        return Ok(None);
    }
    Err(error)
}

fn unpack_iterator(sequence: &Object) -> PyResult {
    if !is_iterable(sequence) {
        return Err(raise!(
            PyExc_TypeError,
            "cannot unpack non-iterable {} object",
            sequence.ty().message_name()
        ));
    }
    sequence.iter()
}

/// Exactly `count` items of an iterable.
///
/// # Errors
/// `ValueError` when there are more or fewer.
pub fn unpack(sequence: &Object, count: usize) -> PyResult<Vec<Ref>> {
    let iterator = unpack_iterator(sequence)?;
    let mut items = Vec::with_capacity(count);
    while items.len() < count {
        match protocol::iter_next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                let got = items.len();
                return Err(raise!(
                    PyExc_ValueError,
                    "not enough values to unpack (expected {count}, got {got})"
                ));
            }
        }
    }
    if protocol::iter_next(&iterator)?.is_none() {
        return Ok(items);
    }
    let sized = [&*PyList_Type, &*PyTuple_Type, &*PyDict_Type].iter().any(|ty| sequence.is_exact(ty));
    if sized {
        let got = sequence.len()?;
        return Err(raise!(PyExc_ValueError, "too many values to unpack (expected {count}, got {got})"));
    }
    Err(raise!(PyExc_ValueError, "too many values to unpack (expected {count})"))
}

/// `before` items, a list of what is between, and `after` items.
///
/// # Errors
/// `ValueError` when there are too few.
pub fn unpack_ex(sequence: &Object, before: usize, after: usize) -> PyResult<Vec<Ref>> {
    let iterator = unpack_iterator(sequence)?;
    let mut items = Vec::new();
    while let Some(item) = protocol::iter_next(&iterator)? {
        items.push(item);
    }
    let (least, got) = (before + after, items.len());
    if got < least {
        return Err(raise!(
            PyExc_ValueError,
            "not enough values to unpack (expected at least {least}, got {got})"
        ));
    }
    let tail = items.split_off(got - after);
    let middle = items.split_off(before);
    items.push(taipan_object::list::List::from_vec(middle)?.upcast());
    items.extend(tail);
    Ok(items)
}

/// `yield from`: the iterator of its operand, or `None` when the operand itself serves.
///
/// # Errors
/// `TypeError` for a coroutine in an ordinary generator.
pub fn yield_from_iter(frame: *mut Frame, iterable: &Object) -> PyResult<Option<Ref>> {
    if iterable.is_exact(&PyCoro_Type) {
        // SAFETY: the running frame is live.
        let flags = unsafe { Frame::code(frame) }.flags();
        if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) == 0 {
            return Err(type_error("cannot 'yield from' a coroutine object in a non-coroutine generator"));
        }
        return Ok(None);
    }
    if iterable.is_exact(&PyGen_Type) {
        return Ok(None);
    }
    iterable.iter().map(Some)
}

/// The value of a `StopIteration`; any other exception goes on.
///
/// # Errors
/// The exception, when it is another.
pub fn stop_value(error: PyErr) -> PyResult {
    if !error.is(&PyExc_StopIteration) {
        return Err(error);
    }
    // SAFETY: instances of StopIteration have this field.
    let value = unsafe {
        let raw = error.exception().as_ptr().cast::<taipan_abi::PyStopIterationObject>();
        Object::borrow_opt((*raw).value).map(Object::new_ref)
    };
    Ok(value.unwrap_or_else(|| none().new_ref()))
}

/// `GET_AWAITABLE`.
///
/// # Errors
/// `TypeError` for what cannot be awaited, `RuntimeError` for a coroutine that is being awaited already.
pub fn get_awaitable(value: &Object, oparg: usize) -> PyResult {
    let found = awaitable_iterator(value).map_err(|error| {
        let place = match oparg {
            1 => "__aenter__",
            2 => "__aexit__",
            _ => return error,
        };
        if error.is(&PyExc_TypeError) && !has_await(value) {
            return raise!(
                PyExc_TypeError,
                "'async with' received an object from {place} that does not implement __await__: {}",
                value.ty().message_name()
            );
        }
        error
    })?;
    if let Some(coroutine) = found.downcast::<Generator>().filter(|g| g.is_exact(&PyCoro_Type)) {
        let busy = coroutine.getattr(taipan_object::intern!("cr_await"))?;
        if !taipan_object::singletons::is_none(&busy) {
            return Err(err::runtime_error("coroutine is being awaited already"));
        }
    }
    Ok(found)
}

fn has_await(value: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*value.ty().raw()).tp_as_async.as_ref().is_some_and(|table| table.am_await.is_some()) }
}

/// The iterator that awaiting `value` runs.
///
/// # Errors
/// `TypeError` for what cannot be awaited.
pub fn awaitable_iterator(value: &Object) -> PyResult {
    if value.is_exact(&PyCoro_Type) {
        return Ok(value.new_ref());
    }
    if value.is_exact(&PyGen_Type) {
        let code = value.getattr(taipan_object::intern!("gi_code"))?;
        if code.downcast::<crate::code::Code>().is_some_and(|code| code.flags() & CO_ITERABLE_COROUTINE != 0)
        {
            return Ok(value.new_ref());
        }
    }
    // SAFETY: slot contract.
    unsafe {
        let slot = (*value.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_await);
        let Some(slot) = slot else {
            return Err(raise!(PyExc_TypeError, "'{}' object can't be awaited", value.ty().message_name()));
        };
        let iterator = from_c(slot(value.as_ptr()))?;
        if iterator.is_exact(&PyCoro_Type) {
            return Err(type_error("__await__() returned a coroutine"));
        }
        if !is_iterator(&iterator) {
            return Err(raise!(
                PyExc_TypeError,
                "__await__() returned non-iterator of type '{}'",
                iterator.ty().message_name()
            ));
        }
        Ok(iterator)
    }
}

/// `GET_AITER`.
///
/// # Errors
/// `TypeError` for what is no asynchronous iterable.
pub fn get_aiter(value: &Object) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let slot = (*value.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_aiter);
        let Some(slot) = slot else {
            return Err(raise!(
                PyExc_TypeError,
                "'async for' requires an object with __aiter__ method, got {}",
                value.ty().message_name()
            ));
        };
        let iterator = from_c(slot(value.as_ptr()))?;
        if (*iterator.ty().raw()).tp_as_async.as_ref().is_none_or(|table| table.am_anext.is_none()) {
            return Err(raise!(
                PyExc_TypeError,
                "'async for' received an object from __aiter__ that does not implement __anext__: {}",
                iterator.ty().message_name()
            ));
        }
        Ok(iterator)
    }
}

/// `GET_ANEXT`.
///
/// # Errors
/// `TypeError` for what is no asynchronous iterator.
pub fn get_anext(iterator: &Object) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let slot = (*iterator.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_anext);
        let Some(slot) = slot else {
            return Err(raise!(
                PyExc_TypeError,
                "'async for' requires an iterator with __anext__ method, got {}",
                iterator.ty().message_name()
            ));
        };
        let awaitable = from_c(slot(iterator.as_ptr()))?;
        if iterator.is_exact(&PyAsyncGen_Type) {
            return Ok(awaitable);
        }
        awaitable_iterator(&awaitable).map_err(|error| {
            let message = format!(
                "'async for' received an invalid object from __anext__: {}",
                awaitable.ty().message_name()
            );
            let wrapped = type_error(&message);
            wrapped.exception().set_cause(Some(error.into_exception().upcast()));
            wrapped
        })
    }
}
