//! Raising, matching and finishing exceptions.

use crate::frame::Frame;
use crate::stackref::StackRef;
use taipan_bytecode::{CO_ASYNC_GENERATOR, CO_COROUTINE};
use taipan_object::err::{self, Exception, type_error};
use taipan_object::protocol;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern, raise, state};

fn exception_class(object: &Object) -> Option<&Type> {
    object.downcast::<Type>().filter(|class| class.has_flag(taipan_abi::Py_TPFLAGS_BASE_EXC_SUBCLASS))
}

/// `raise [value [from cause]]`. `Ok` is the bare `raise`, which keeps the traceback as it is.
///
/// # Errors
/// The exception to raise.
pub fn raise(value: Option<Ref>, cause: Option<Ref>) -> PyResult<PyErr> {
    let Some(value) = value else {
        return match state::handled_exception() {
            Some(handled) => match handled.downcast_owned::<Exception>() {
                Ok(exception) => Ok(PyErr::from_exception(exception)),
                Err(_) => Err(err::runtime_error("No active exception to reraise")),
            },
            None => Err(err::runtime_error("No active exception to reraise")),
        };
    };
    let instance = match exception_class(&value) {
        Some(class) => {
            let made = class.call(&[])?;
            if made.downcast::<Exception>().is_none() {
                return Err(raise!(
                    PyExc_TypeError,
                    "calling {} should have returned an instance of BaseException, not {}",
                    class.repr_lossy(),
                    made.ty().repr_lossy()
                ));
            }
            made
        }
        None if value.downcast::<Exception>().is_some() => value,
        None => return Err(type_error("exceptions must derive from BaseException")),
    };
    if let Some(cause) = cause {
        let cause = match exception_class(&cause) {
            Some(class) => Some(class.call(&[])?),
            None if is_none(&cause) => None,
            None if cause.downcast::<Exception>().is_some() => Some(cause),
            None => return Err(type_error("exception causes must derive from BaseException")),
        };
        if let Some(exception) = instance.downcast::<Exception>() {
            exception.set_cause(cause);
        }
    }
    Err(PyErr::from_instance(instance))
}

/// The exception that an object is, to be raised again.
///
/// # Errors
/// `SystemError` when it is none.
pub fn reraise(object: Ref) -> PyResult<PyErr> {
    match object.downcast_owned::<Exception>() {
        Ok(exception) => Ok(PyErr::from_exception(exception)),
        Err(_) => Err(err::system_error("a handler found no exception")),
    }
}

const CATCH: &str = "catching classes that do not inherit from BaseException is not allowed";

fn check_catchable(kind: &Object) -> PyResult<()> {
    let fine = match kind.downcast::<Tuple>() {
        Some(kinds) => kinds.items().iter().all(|kind| exception_class(kind).is_some()),
        None => exception_class(kind).is_some(),
    };
    if fine { Ok(()) } else { Err(type_error(CATCH)) }
}

/// Whether `except kind` takes the exception.
///
/// # Errors
/// `TypeError` for what is no exception class.
pub fn exception_matches(value: &Object, kind: &Object) -> PyResult<bool> {
    check_catchable(kind)?;
    Ok(matches_any(value, kind))
}

fn matches_any(value: &Object, kind: &Object) -> bool {
    match kind.downcast::<Tuple>() {
        Some(kinds) => kinds.items().iter().any(|kind| matches_any(value, kind)),
        None => exception_class(kind).is_some_and(|class| value.ty().is_subtype(class)),
    }
}

/// `except* kind`: what is left of the exception and what is taken, each perhaps `None`.
///
/// # Errors
/// `TypeError` for what is no exception class or a group class.
pub fn exception_group_match(value: &Object, kind: &Object) -> PyResult<(Ref, Ref)> {
    check_catchable(kind)?;
    let group_class = |kind: &Object| {
        exception_class(kind).is_some_and(|class| class.is_subtype(&_PyExc_BaseExceptionGroup))
    };
    let groups = match kind.downcast::<Tuple>() {
        Some(kinds) => kinds.items().iter().any(|kind| group_class(kind)),
        None => group_class(kind),
    };
    if groups {
        return Err(type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    if is_none(value) {
        return Ok((none().new_ref(), none().new_ref()));
    }
    let is_group = value.ty().is_subtype(&_PyExc_BaseExceptionGroup);
    if matches_any(value, kind) {
        if is_group {
            return Ok((none().new_ref(), value.new_ref()));
        }
        // A naked exception is wrapped, and the wrapper keeps its traceback.
        let message = taipan_object::unicode::empty();
        let wrapped = _PyExc_BaseExceptionGroup.call(&[message, &*Tuple::from_refs(&[value])?])?;
        if let (Some(wrapped), Some(original)) =
            (wrapped.downcast::<Exception>(), value.downcast::<Exception>())
        {
            wrapped.set_traceback(original.traceback());
        }
        return Ok((none().new_ref(), wrapped));
    }
    if !is_group {
        return Ok((value.new_ref(), none().new_ref()));
    }
    let pair = value.call_method(intern!("split"), &[kind])?;
    let Some(parts) = pair.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{}.split must return a tuple, not {}",
            value.ty().message_name(),
            pair.ty().message_name()
        ));
    };
    if parts.len() < 2 {
        return Err(raise!(
            PyExc_TypeError,
            "{}.split must return a 2-tuple, got tuple of size {}",
            value.ty().message_name(),
            parts.len()
        ));
    }
    Ok((parts.items()[1].new_ref(), parts.items()[0].new_ref()))
}

/// What is raised at the end of a `try`/`except*`: the exceptions that handlers raised and what no
/// handler took, together as far as both exist.
///
/// # Errors
/// `MemoryError`, what splitting the group raises.
pub fn prepare_reraise_star(original: &Object, raised: &Object) -> PyResult {
    let all = protocol::to_vec(raised)?;
    let mut new: Vec<Ref> = Vec::new();
    let mut again: Vec<Ref> = Vec::new();
    for exception in all {
        if is_none(&exception) {
            continue;
        }
        if same_metadata(&exception, original) { again.push(exception) } else { new.push(exception) }
    }
    if !original.ty().is_subtype(&_PyExc_BaseExceptionGroup) {
        // A naked exception was handled or not, as a whole.
        return Ok(new.into_iter().chain(again).next().unwrap_or_else(|| none().new_ref()));
    }
    if !again.is_empty() {
        let mut leaves = Vec::new();
        for group in &again {
            collect_leaves(group, &mut leaves)?;
        }
        let keep = projection(original, &leaves)?;
        if let Some(keep) = keep {
            new.push(keep);
        }
    }
    match new.len() {
        0 => Ok(none().new_ref()),
        1 => Ok(new.remove(0)),
        _ => {
            let list = taipan_object::list::List::from_vec(new)?;
            _PyExc_BaseExceptionGroup.call(&[taipan_object::unicode::empty(), &list])
        }
    }
}

/// Parts of a split group share traceback, context, cause and notes with it.
fn same_metadata(part: &Object, whole: &Object) -> bool {
    let (Some(part), Some(whole)) = (part.downcast::<Exception>(), whole.downcast::<Exception>()) else {
        return false;
    };
    let same = |a: Option<Ref>, b: Option<Ref>| match (a, b) {
        (Some(a), Some(b)) => a.is(&b),
        (None, None) => true,
        _ => false,
    };
    part.ty().is_subtype(&_PyExc_BaseExceptionGroup)
        && same(part.traceback(), whole.traceback())
        && same(part.context(), whole.context())
        && same(part.cause(), whole.cause())
}

fn collect_leaves(group: &Object, leaves: &mut Vec<Ref>) -> PyResult<()> {
    if !group.ty().is_subtype(&_PyExc_BaseExceptionGroup) {
        leaves.push(group.new_ref());
        return Ok(());
    }
    protocol::recursive(" in except*", || {
        for inner in protocol::to_vec(&*group.getattr(intern!("exceptions"))?)? {
            collect_leaves(&inner, leaves)?;
        }
        Ok(())
    })
}

/// The part of a group that holds just these leaves, in the group's own shape.
fn projection(group: &Object, leaves: &[Ref]) -> PyResult<Option<Ref>> {
    if !group.ty().is_subtype(&_PyExc_BaseExceptionGroup) {
        return Ok(leaves.iter().any(|leaf| leaf.is(group)).then(|| group.new_ref()));
    }
    protocol::recursive(" in except*", || {
        let mut parts = Vec::new();
        for inner in protocol::to_vec(&*group.getattr(intern!("exceptions"))?)? {
            if let Some(part) = projection(&inner, leaves)? {
                parts.push(part);
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let list = taipan_object::list::List::from_vec(parts)?;
        let derived = group.call_method(intern!("derive"), &[&list])?;
        if let (Some(derived), Some(group)) = (derived.downcast::<Exception>(), group.downcast::<Exception>())
        {
            derived.set_traceback(group.traceback());
            derived.set_context(group.context());
            derived.set_cause(group.cause());
        }
        Ok(Some(derived))
    })
}

/// `__exit__(type, value, traceback)`.
///
/// # Errors
/// What it raises.
pub fn with_except_start(exit: StackRef, owner: StackRef, value: &Object) -> PyResult {
    let traceback =
        value.downcast::<Exception>().and_then(Exception::traceback).unwrap_or_else(|| none().new_ref());
    let exit = exit.look();
    if owner.is_null() {
        return exit.call(&[value.ty(), value, &traceback]);
    }
    exit.call(&[&owner.look(), value.ty(), value, &traceback])
}

/// A `StopIteration` that ends a delegation: its value.
pub fn cleanup_throw(value: &Object) -> Option<Ref> {
    if !value.ty().is_subtype(&PyExc_StopIteration) {
        return None;
    }
    // SAFETY: instances of StopIteration have this field.
    unsafe {
        let raw = value.as_ptr().cast::<taipan_abi::PyStopIterationObject>();
        Some(Object::borrow_opt((*raw).value).unwrap_or(none()).new_ref())
    }
}

/// A `StopIteration` that leaves a generator becomes a `RuntimeError` (PEP 479).
pub fn stop_iteration_error(frame: *mut Frame, value: &Object) -> Ref {
    // SAFETY: the running frame is live.
    let flags = unsafe { Frame::code(frame) }.flags();
    let kind = if flags & CO_ASYNC_GENERATOR != 0 {
        "async generator"
    } else if flags & CO_COROUTINE != 0 {
        "coroutine"
    } else {
        "generator"
    };
    let message = if value.ty().is_subtype(&PyExc_StopIteration) {
        format!("{kind} raised StopIteration")
    } else if flags & CO_ASYNC_GENERATOR != 0 && value.ty().is_subtype(&PyExc_StopAsyncIteration) {
        "async generator raised StopAsyncIteration".to_owned()
    } else {
        return value.new_ref();
    };
    let error = err::runtime_error(&message);
    error.exception().set_cause(Some(value.new_ref()));
    error.exception().set_context(Some(value.new_ref()));
    error.into_exception().upcast()
}
