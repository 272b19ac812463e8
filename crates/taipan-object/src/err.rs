//! Exceptions in Rust: one word, and a result.
//!
//! Problem: C knows "null and an error indicator"; Rust should not. Idea: inside Taipan a fallible
//! function returns [`PyResult`], whose error [`PyErr`] owns a normalised exception instance. Only
//! [`crate::native`] and the C API translate, with [`restore`] and [`fetch`].
//!
//! Invariant: while a `PyErr` travels, the thread's indicator is empty.

use crate::handle::{Object, Ref, Type};
use crate::layout;
use crate::state;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use taipan_abi::*;

layout!(
    /// An instance of `BaseException` or of a subclass.
    Exception, PyBaseExceptionObject, "BaseException", |o| o.ty().has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS)
);

/// A raised exception on its way to a handler.
pub struct PyErr(Ref<Exception>);
const _: () = assert!(size_of::<PyErr>() == size_of::<usize>());

/// What a fallible function returns.
pub type PyResult<T = Ref> = Result<T, PyErr>;

impl PyErr {
    /// A new exception `ty(message)`, with the exception being handled as its context.
    #[cold]
    pub fn new(ty: &Type, message: &str) -> PyErr {
        match Str::from_utf8(message) {
            Ok(text) => Self::with_args(ty, &[&text]),
            Err(error) => error,
        }
    }

    /// A new exception `ty(*args)`; if making it fails, that failure is the exception.
    #[cold]
    pub fn with_args(ty: &Type, args: &[&Object]) -> PyErr {
        match ty.call(args) {
            Ok(instance) => Self::from_instance(instance),
            Err(error) => error,
        }
    }

    /// The raise of an exception instance: sets its context unless it has been raised before.
    #[cold]
    pub fn from_instance(instance: Ref) -> PyErr {
        match instance.downcast_owned::<Exception>() {
            Ok(exception) => {
                exception.chain_context();
                PyErr(exception)
            }
            Err(other) => type_error(&format!(
                "calling {} should have returned an instance of BaseException, not {}",
                other.repr_lossy(),
                other.ty().name()
            )),
        }
    }

    /// The raise of an exception that goes on: the context is left alone.
    #[inline]
    pub fn from_exception(exception: Ref<Exception>) -> PyErr {
        PyErr(exception)
    }

    /// The exception instance.
    #[inline]
    pub fn exception(&self) -> &Exception {
        &self.0
    }

    #[inline]
    pub fn into_exception(self) -> Ref<Exception> {
        self.0
    }

    /// Whether the exception is an instance of `ty`.
    #[inline]
    pub fn is(&self, ty: &Type) -> bool {
        self.0.ty().is_subtype(ty)
    }

    /// `Ok(None)` if the exception is an instance of `ty`, itself otherwise.
    ///
    /// # Errors
    /// The exception, when it is another.
    pub fn allow<T>(self, ty: &Type) -> PyResult<Option<T>> {
        if self.is(ty) { Ok(None) } else { Err(self) }
    }
}

impl core::fmt::Debug for PyErr {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0.repr_lossy())
    }
}

macro_rules! exception_field {
    ($get:ident, $set:ident, $field:ident, $doc:literal) => {
        #[doc = concat!("`", $doc, "`, if set.")]
        pub fn $get(&self) -> Option<Ref> {
            // SAFETY: the view guarantees the layout; the field is null or an object.
            unsafe { Object::borrow_opt((*self.raw()).$field).map(Object::new_ref) }
        }
        #[doc = concat!("Sets `", $doc, "`.")]
        pub fn $set(&self, value: Option<Ref>) {
            // SAFETY: the view guarantees the layout; the field owns a reference.
            unsafe { crate::handle::set_field(&raw mut (*self.raw()).$field, value) }
        }
    };
}

impl Exception {
    exception_field!(traceback, set_traceback, traceback, "__traceback__");
    exception_field!(context, set_context, context, "__context__");
    exception_field!(cause, set_raw_cause, cause, "__cause__");
    exception_field!(args, set_args, args, "args");

    /// Whether tracebacks leave the context out.
    pub fn suppresses_context(&self) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).suppress_context != 0 }
    }

    /// Sets `__cause__`, which also hides the context in tracebacks.
    pub fn set_cause(&self, value: Option<Ref>) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).suppress_context = 1 };
        self.set_raw_cause(value);
    }

    /// Makes the exception being handled the context of this one, without making a cycle.
    pub fn chain_context(&self) {
        let Some(handled) = state::handled_exception() else { return };
        if handled.is(self) {
            return;
        }
        // A cycle would arise if this exception stands somewhere in the handled one's chain; a
        // second pointer at half speed notices chains that are cyclic already.
        let mut current = handled.clone();
        let mut slow = handled.clone();
        let mut advance_slow = false;
        while let Some(context) = current.downcast::<Exception>().and_then(Exception::context) {
            if context.is(self) {
                if let Some(exception) = current.downcast::<Exception>() {
                    exception.set_context(None);
                }
                break;
            }
            current = context;
            if current.is(&slow) {
                break;
            }
            if advance_slow && let Some(next) = slow.downcast::<Exception>().and_then(Exception::context) {
                slow = next;
            }
            advance_slow = !advance_slow;
        }
        self.set_context(Some(handled));
    }
}

/// Puts an exception into the thread's indicator, for C to find.
pub fn restore(error: PyErr) {
    let thread = state::current();
    // SAFETY: attached, so the state is live; the indicator owns a reference.
    unsafe { crate::handle::set_field(&raw mut (*thread).base.current_exception, Some(error.0.upcast())) }
}

/// Takes the exception out of the indicator, if there is one.
#[inline]
pub fn fetch_opt() -> Option<PyErr> {
    let thread = state::current();
    // SAFETY: attached, so the state is live; the indicator owns what it holds, a normalised exception.
    unsafe {
        let ptr = core::mem::replace(&mut (*thread).base.current_exception, core::ptr::null_mut());
        if ptr.is_null() { None } else { Some(PyErr(Ref::steal(ptr))) }
    }
}

/// Takes the exception out of the indicator after C has signalled an error.
#[cold]
pub fn fetch() -> PyErr {
    fetch_opt().unwrap_or_else(|| system_error("error return without exception set"))
}

/// Whether the indicator is set.
#[inline]
pub fn occurred() -> bool {
    // SAFETY: attached, so the state is live.
    unsafe { !(*state::current()).base.current_exception.is_null() }
}

/// Reports an exception that nobody can catch (`sys.unraisablehook`).
pub fn write_unraisable(error: PyErr, object: Option<&Object>) {
    (state::interp().hooks.get().unraisable)(error.into_exception().upcast(), None, object);
}

/// Reports an exception that nobody can catch, with words of its own: `place` and the object's `repr`.
pub fn write_unraisable_at(error: PyErr, place: &str, object: &Object) {
    let message = format!("{place} {}", object.repr_lossy());
    write_unraisable_text(error, &message);
}

/// Reports an exception that nobody can catch under a whole message.
pub fn write_unraisable_text(error: PyErr, message: &str) {
    (state::interp().hooks.get().unraisable)(error.into_exception().upcast(), Some(message), None);
}

/// Writes to `sys.stderr`, as it is now; without one there is nobody to tell.
pub fn to_stderr(text: &str) {
    let stderr = state::interp().sysdict.borrow().as_ref().and_then(|sys| sys.get_text("stderr"));
    let written = stderr
        .filter(|stream| !crate::singletons::is_none(stream))
        .map(|stream| stream.call_method(crate::intern!("write"), &[&*Str::from_utf8(text)?]));
    // A stream that fails is not told about its failure.
    drop(written);
}

macro_rules! shorthand {
    ($($name:ident $ty:ident;)*) => {$(
        #[doc = concat!("A new `", stringify!($ty), "` with this message.")]
        #[cold]
        pub fn $name(message: &str) -> PyErr {
            PyErr::new(&$ty, message)
        }
    )*};
}

shorthand! {
    attribute_error PyExc_AttributeError;
    buffer_error PyExc_BufferError;
    index_error PyExc_IndexError;
    name_error PyExc_NameError;
    not_implemented_error PyExc_NotImplementedError;
    overflow_error PyExc_OverflowError;
    recursion_error PyExc_RecursionError;
    reference_error PyExc_ReferenceError;
    runtime_error PyExc_RuntimeError;
    system_error PyExc_SystemError;
    type_error PyExc_TypeError;
    unbound_local_error PyExc_UnboundLocalError;
    value_error PyExc_ValueError;
    zero_division_error PyExc_ZeroDivisionError;
    import_error PyExc_ImportError;
    eof_error PyExc_EOFError;
    assertion_error PyExc_AssertionError;
}

/// A new `KeyError` of the key itself.
#[cold]
pub fn key_error(key: &Object) -> PyErr {
    PyErr::with_args(&PyExc_KeyError, &[key])
}

/// A new `StopIteration` of a value.
#[cold]
pub fn stop_iteration(value: Option<&Object>) -> PyErr {
    match value {
        Some(value) => PyErr::with_args(&PyExc_StopIteration, &[value]),
        None => PyErr::with_args(&PyExc_StopIteration, &[]),
    }
}

/// A new `MemoryError`.
#[cold]
pub fn memory_error() -> PyErr {
    PyErr::with_args(&PyExc_MemoryError, &[])
}

/// A new `UnicodeEncodeError`.
#[cold]
pub fn unicode_encode_error(encoding: &str, object: &Str, start: usize, end: usize, reason: &str) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let (encoding, reason) = (Str::from_utf8(encoding)?, Str::from_utf8(reason)?);
        let (start, end) = (crate::int::Int::from_usize(start), crate::int::Int::from_usize(end));
        Ok(PyErr::with_args(&PyExc_UnicodeEncodeError, &[&encoding, object, &start, &end, &reason]))
    };
    make().unwrap_or_else(|error| error)
}

/// The end of the program when not even a small int can be had.
#[cold]
pub fn fatal_no_memory() -> ! {
    eprintln!("Fatal Python error: out of memory for a small object");
    std::process::abort()
}

/// Formats a `TypeError` and the like: `raise!(PyExc_TypeError, "no {}", x)` is a `PyErr`.
#[macro_export]
macro_rules! raise {
    ($ty:expr, $($format:tt)*) => {
        $crate::err::PyErr::new(&$ty, &format!($($format)*))
    };
}

/// The arguments of an exception, as a tuple.
pub fn exception_args(exception: &Exception) -> Ref<Tuple> {
    exception.args().and_then(|args| args.downcast_owned().ok()).unwrap_or_else(Tuple::empty)
}
