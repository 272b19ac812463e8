//! The border between C and Rust: the one place where errors and panics change their form.
//!
//! Problem: C knows "a failure value and the thread's raised exception", Rust knows `PyResult`, and a
//! panic that runs into C is undefined. Idea: [`export!`] declares a C function whose body is ordinary
//! Rust returning a `PyResult`; [`guard`] runs it, stores an error as the thread's raised exception,
//! makes a `SystemError` of a panic, and [`Crossing`] says how each Rust value looks in C and which
//! value means failure there. The opposite direction, C called from Rust, is
//! `taipan_object::native::from_c`.
//!
//! Invariant: no exported function whose body can fail or panic does without [`guard`]; the others
//! only move machine words.

use core::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use taipan_abi::{PyObject, PyTypeObject};
use taipan_object::err::{self, PyErr, PyResult, system_error};
use taipan_object::handle::{Layout, Object, Ref, Type};
use taipan_object::unicode::Str;

/// A `PyObject *`.
pub type Obj = *mut PyObject;

/// A Rust value that a C function of type `C` can return.
pub trait Crossing<C> {
    /// What C sees when the function failed.
    const FAILURE: C;
    /// What C sees when it did not.
    fn cross(self) -> C;
}

impl<T: Layout> Crossing<Obj> for Ref<T> {
    const FAILURE: Obj = core::ptr::null_mut();
    fn cross(self) -> Obj {
        self.into_ptr()
    }
}

impl<T: Layout> Crossing<Obj> for Option<Ref<T>> {
    const FAILURE: Obj = core::ptr::null_mut();
    fn cross(self) -> Obj {
        taipan_object::handle::into_ptr_opt(self)
    }
}

/// A borrowed reference: the object is kept alive by something else.
impl Crossing<Obj> for &Object {
    const FAILURE: Obj = core::ptr::null_mut();
    fn cross(self) -> Obj {
        self.as_ptr()
    }
}

impl Crossing<Obj> for Option<&Object> {
    const FAILURE: Obj = core::ptr::null_mut();
    fn cross(self) -> Obj {
        taipan_object::native::opt_ptr(self)
    }
}

impl Crossing<c_int> for () {
    const FAILURE: c_int = -1;
    fn cross(self) -> c_int {
        0
    }
}

impl Crossing<()> for () {
    const FAILURE: () = ();
    fn cross(self) {}
}

impl Crossing<c_int> for bool {
    const FAILURE: c_int = -1;
    fn cross(self) -> c_int {
        c_int::from(self)
    }
}

impl Crossing<isize> for usize {
    const FAILURE: isize = -1;
    fn cross(self) -> isize {
        self.cast_signed()
    }
}

macro_rules! same {
    ($($ty:ty: $failure:expr;)*) => {$(
        impl Crossing<$ty> for $ty {
            const FAILURE: $ty = $failure;
            fn cross(self) -> $ty {
                self
            }
        }
    )*};
}

same! {
    c_int: -1;
    u32: u32::MAX;
    i64: -1;
    isize: -1;
    u64: u64::MAX;
    usize: usize::MAX;
    f64: -1.0;
    Obj: core::ptr::null_mut();
    *mut PyTypeObject: core::ptr::null_mut();
    *const c_char: core::ptr::null();
    *mut c_char: core::ptr::null_mut();
    *mut c_void: core::ptr::null_mut();
}

/// Runs the body of an exported function and hands its result over.
#[inline]
pub fn guard<C, T: Crossing<C>>(body: impl FnOnce() -> PyResult<T>) -> C {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value.cross(),
        Ok(Err(error)) => {
            err::restore(error);
            T::FAILURE
        }
        Err(panic) => {
            err::restore(panicked(&*panic));
            T::FAILURE
        }
    }
}

#[cold]
fn panicked(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    system_error(&format!("internal error in the C API: {text}"))
}

/// Declares exported C functions whose bodies return a `PyResult`.
macro_rules! export {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of the C API.")]
        $(#[$meta])*
        ///
        /// # Safety
        /// The thread is attached, and the arguments are what the C API documents for this function.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) $(-> $ret)? {
            $crate::border::guard(move || {
                #[allow(unused_unsafe, clippy::macro_metavars_in_unsafe, reason = "many bodies follow no pointer")]
                // SAFETY: the function's own contract: live objects, valid pointers.
                unsafe { $body }
            })
        }
    )*};
}

/// Declares exported C functions that cannot fail.
macro_rules! export_plain {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of the C API.")]
        $(#[$meta])*
        ///
        /// # Safety
        /// The arguments are what the C API documents for this function.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) $(-> $ret)? {
            #[allow(unused_unsafe, clippy::macro_metavars_in_unsafe, reason = "many bodies follow no pointer")]
            // SAFETY: the function's own contract: live objects, valid pointers.
            unsafe { $body }
        }
    )*};
}
pub(crate) use {export, export_plain};

/// An argument that must not be null.
///
/// # Safety
/// `ptr` is null or a live object that outlives `'a`.
pub unsafe fn arg<'a>(ptr: Obj) -> PyResult<&'a Object> {
    // SAFETY: by contract.
    unsafe { Object::borrow_opt(ptr) }.ok_or_else(|| {
        // An earlier failure explains the null better.
        err::fetch_opt().unwrap_or_else(|| system_error("null argument to internal routine"))
    })
}

/// An argument of a certain type.
///
/// # Safety
/// As [`arg`].
pub unsafe fn typed<'a, T: Layout>(ptr: Obj) -> PyResult<&'a T> {
    // SAFETY: by contract.
    unsafe { Object::borrow_opt(ptr) }.and_then(Object::downcast::<T>).ok_or_else(bad_call)
}

/// A type argument.
///
/// # Safety
/// As [`arg`].
pub unsafe fn ty<'a>(ptr: *mut PyTypeObject) -> PyResult<&'a Type> {
    // SAFETY: by contract; a type pointer points to a type.
    unsafe { Ok(arg(ptr.cast())?.cast()) }
}

/// The `SystemError` of an argument that C must not pass.
#[cold]
pub fn bad_call() -> PyErr {
    system_error("bad argument to internal function")
}

/// A C text of UTF-8.
///
/// # Safety
/// `ptr` is null or null-terminated and outlives `'a`.
pub unsafe fn text<'a>(ptr: *const c_char) -> PyResult<&'a str> {
    if ptr.is_null() {
        return Err(bad_call());
    }
    // SAFETY: by contract.
    let bytes = unsafe { CStr::from_ptr(ptr) }.to_bytes();
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // The decoder finds the same flaw and has the words for it.
        Err(_) => match taipan_types_text::str::decode(bytes, "utf-8", "strict") {
            Err(error) => Err(error),
            Ok(_) => Err(bad_call()),
        },
    }
}

/// A C text of UTF-8 as an interned str.
///
/// # Safety
/// As [`text`].
pub unsafe fn name(ptr: *const c_char) -> PyResult<Ref<Str>> {
    // SAFETY: by contract.
    Ok(taipan_object::unicode::intern(Str::from_utf8(unsafe { text(ptr) }?)?))
}

/// `name` of an attribute that C passes as an object.
///
/// # Safety
/// As [`arg`].
pub unsafe fn attribute_name<'a>(ptr: Obj) -> PyResult<&'a Str> {
    // SAFETY: by contract.
    let name = unsafe { arg(ptr)? };
    name.downcast::<Str>().ok_or_else(|| {
        taipan_object::raise!(
            taipan_object::statics::PyExc_TypeError,
            "attribute name must be string, not '{}'",
            name.ty().message_name()
        )
    })
}

/// Runs a check that has no way to report failure: the exception goes to `sys.unraisablehook`.
pub fn ignoring<T>(result: PyResult<T>, otherwise: T) -> T {
    result.unwrap_or_else(|error| {
        err::write_unraisable(error, None);
        otherwise
    })
}

/// Puts the thread's raised exception aside while `run` works, and back afterwards.
pub fn keeping_error<T>(run: impl FnOnce() -> T) -> T {
    let kept = err::fetch_opt();
    let result = run();
    if let Some(kept) = kept {
        err::restore(kept);
    }
    result
}

/// Calls a method as the builtin type defines it, whatever a subclass makes of it.
pub fn builtin_method(class: &Type, method: &str, args: &[&Object]) -> PyResult {
    class.getattr(&*Str::from_utf8(method)?)?.call(args)
}

/// A function of a module of the library, called.
pub fn call_in_module(module: &str, function: &str, args: &[&Object]) -> PyResult {
    taipan_runtime::import_module(module)?.getattr(&*Str::from_utf8(function)?)?.call(args)
}
