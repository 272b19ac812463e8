//! What all streams share: flags of their classes, arguments, errors, calls of other streams' methods.

use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::Exception;
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_TypeError, PyMemoryView_Type};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, abi, err, intern, protocol, raise, singletons, state};

/// Stream classes are collectable, can be derived from, have a dict and weak references.
pub const STREAM: u64 = abi::Py_TPFLAGS_HAVE_GC
    | abi::Py_TPFLAGS_BASETYPE
    | abi::Py_TPFLAGS_MANAGED_DICT
    | abi::Py_TPFLAGS_MANAGED_WEAKREF;

/// `UnsupportedOperation` with a message.
#[cold]
pub fn unsupported(message: &str) -> PyErr {
    super::unsupported_type().map_or_else(|error| error, |ty| PyErr::new(ty, message))
}

#[cold]
pub fn closed_file() -> PyErr {
    err::value_error("I/O operation on closed file")
}

/// A size argument: an integer, or `None` for -1.
pub fn size_or(value: Option<&Object>, default: isize) -> PyResult<isize> {
    match value {
        None => Ok(default),
        Some(value) if singletons::is_none(value) => Ok(-1),
        Some(value) if protocol::has_index(value) => {
            value.to_index_clamped(Some(&taipan_object::statics::PyExc_OverflowError))
        }
        Some(value) => Err(raise!(
            PyExc_TypeError,
            "argument should be integer or None, not '{}'",
            value.ty().message_name()
        )),
    }
}

/// The size argument of most methods, -1 when it is not given.
pub fn size_arg(args: &Args<'_>, index: usize) -> PyResult<isize> {
    size_or(args.get(index), -1)
}

/// How messages about arguments name an object's type.
pub fn argument_name(object: &Object) -> &str {
    if singletons::is_none(object) { "None" } else { object.ty().message_name() }
}

/// A writable buffer argument.
pub fn writable_arg(object: &Object, function: &str) -> PyResult<Buffer> {
    let wrong = || {
        raise!(
            PyExc_TypeError,
            "{function}() argument 1 must be read-write bytes-like object, not {}",
            argument_name(object)
        )
    };
    if !has_buffer(object) {
        return Err(wrong());
    }
    Buffer::writable(object)
        .map_err(|error| if error.is(&taipan_object::statics::PyExc_BufferError) { wrong() } else { error })
}

/// A str argument, or `TypeError` in the words of argument parsers.
pub fn str_arg<'a>(object: &'a Object, function: &str, place: &str) -> PyResult<&'a Str> {
    object.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "{function}() argument {place} must be str, not {}", argument_name(object))
    })
}

/// An encoding or the like: a str without zeros, or `None`.
pub fn name_arg(value: Option<&Object>, function: &str, place: &str) -> PyResult<Option<String>> {
    let Some(value) = value.filter(|value| !singletons::is_none(value)) else { return Ok(None) };
    let Some(text) = value.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument {place} must be str or None, not {}",
            argument_name(value)
        ));
    };
    let text = text.to_utf8()?;
    if text.contains('\0') {
        return Err(err::value_error("embedded null character"));
    }
    Ok(Some(text.to_owned()))
}

/// Runs signal handlers; what they raise ends the operation that was interrupted.
pub fn check_signals() -> PyResult<()> {
    (state::interp().hooks.get().check_signals)()
}

pub fn warn(category: &Object, message: &str, level: isize) -> PyResult<()> {
    (state::interp().hooks.get().warn)(category, message, level)
}

/// Makes a system call without the interpreter lock, again and again while it is interrupted by
/// signals whose handlers raise nothing. The inner result is the system's.
pub fn uninterrupted<T>(
    mut call: impl FnMut() -> Result<T, taipan_os::Errno>,
) -> PyResult<Result<T, taipan_os::Errno>> {
    loop {
        match taipan_object::gil::allow_threads(&mut call) {
            Err(taipan_os::files::numbers::EINTR) => check_signals()?,
            other => return Ok(other),
        }
    }
}

/// Whether an exception is an `OSError` with the error number of an interrupted call; signal handlers
/// have run then, and the operation is to be tried again.
pub fn is_interrupt(error: &PyErr) -> bool {
    error.is(&taipan_object::statics::PyExc_OSError)
        && error
            .exception()
            .getattr(intern!("errno"))
            .ok()
            .and_then(|number| number.downcast::<taipan_object::int::Int>().and_then(|n| n.to_i64()))
            == Some(i64::from(taipan_os::files::numbers::EINTR))
}

/// Calls a method as often as it is interrupted by a signal.
pub fn call_again(object: &Object, name: &Str, args: &[&Object]) -> PyResult {
    loop {
        match object.call_method(name, args) {
            Err(error) if is_interrupt(&error) => {}
            other => return other,
        }
    }
}

/// A memoryview of an object.
pub fn memoryview(object: &Object) -> PyResult {
    PyMemoryView_Type.call(&[object])
}

/// `(error during the second step, with the first error as its context)`: closing goes on after an
/// error, and the last one is raised.
pub fn chain(first: PyErr, second: PyErr) -> PyErr {
    let (before, after) = (first.into_exception(), second.into_exception());
    if !before.is(&after) {
        // The newest context at the end of the chain is the earlier error.
        let mut last: Ref<Exception> = after.clone();
        while let Some(next) = last.context().and_then(|context| context.downcast_owned::<Exception>().ok()) {
            if next.is(&before) {
                return PyErr::from_exception(after);
            }
            last = next;
        }
        last.set_context(Some(before.upcast()));
    }
    PyErr::from_exception(after)
}

/// The truth of an attribute, such as `closed`.
pub fn attribute_is_true(object: &Object, name: &Str) -> PyResult<bool> {
    object.getattr(name)?.is_true()
}

/// Bytes of a buffer argument, copied: other code may write to it meanwhile.
pub fn data_of(object: &Object) -> PyResult<Vec<u8>> {
    Ok(Buffer::simple(object)?.as_slice().to_vec())
}

/// What `read` methods of other streams must give.
pub fn bytes_result(object: Ref, wrong: impl FnOnce(&Object) -> PyErr) -> PyResult<Ref<Bytes>> {
    object.downcast_owned::<Bytes>().map_err(|object| wrong(&object))
}

/// `repr` of streams with a name: `<_io.X name='…'>`; a name that refers back to the stream is refused.
pub fn name_repr(object: &Object) -> PyResult<Option<String>> {
    match object.getattr(intern!("name")) {
        Ok(name) => {
            let text = protocol::repr_guard(object, || name.repr())?;
            match text {
                Some(text) => Ok(Some(text.to_lossy())),
                None => Err(raise!(
                    taipan_object::statics::PyExc_RuntimeError,
                    "reentrant call inside {}.__repr__",
                    object.ty().message_name()
                )),
            }
        }
        Err(error) if error.is(&taipan_object::statics::PyExc_AttributeError) => Ok(None),
        Err(error) if error.is(&taipan_object::statics::PyExc_ValueError) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `__getstate__` of streams that cannot be pickled.
pub fn cannot_pickle(object: &Object) -> PyResult {
    Err(raise!(PyExc_TypeError, "cannot pickle '{}' instances", object.ty().name()))
}

/// Raises an audit event.
pub fn audit(event: &str, args: &[&Object]) -> PyResult<()> {
    let hooks: Vec<Ref> = state::interp().audit_hooks.borrow().clone();
    if hooks.is_empty() {
        return Ok(());
    }
    let event = Str::from_utf8(event)?;
    let args = taipan_object::tuple::Tuple::from_refs(args)?;
    for hook in hooks {
        hook.call(&[&event, &args])?;
    }
    Ok(())
}
