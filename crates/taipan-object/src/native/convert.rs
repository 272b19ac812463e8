//! Results across the border: Rust's `PyResult` to C's null and indicator, and back.

use crate::err::{self, PyErr, PyResult};
use crate::handle::{Layout, Object, Ref};
use crate::int::Int;
use crate::singletons::{new_bool, new_none};
use crate::unicode::Str;
use core::ffi::c_int;
use taipan_abi::PyObject;

/// What a native function may return.
pub trait IntoPy {
    /// The value as an object.
    ///
    /// # Errors
    /// The error that the value carries, or `MemoryError`.
    fn into_py(self) -> PyResult<Ref>;
}

impl<T: Layout> IntoPy for Ref<T> {
    #[inline(always)]
    fn into_py(self) -> PyResult<Ref> {
        Ok(self.upcast())
    }
}

impl<T: IntoPy> IntoPy for Result<T, PyErr> {
    #[inline(always)]
    fn into_py(self) -> PyResult<Ref> {
        self?.into_py()
    }
}

impl<T: IntoPy> IntoPy for Option<T> {
    #[inline(always)]
    fn into_py(self) -> PyResult<Ref> {
        self.map_or_else(|| Ok(new_none()), IntoPy::into_py)
    }
}

macro_rules! into_py {
    ($($ty:ty, |$value:ident| $make:expr;)*) => {$(
        impl IntoPy for $ty {
            #[inline]
            fn into_py(self) -> PyResult<Ref> {
                let $value = self;
                $make
            }
        }
    )*};
}

into_py! {
    (), |_value| Ok(new_none());
    bool, |value| Ok(new_bool(value));
    i32, |value| Ok(Int::from_i64(i64::from(value)).upcast());
    u32, |value| Ok(Int::from_i64(i64::from(value)).upcast());
    i64, |value| Ok(Int::from_i64(value).upcast());
    u64, |value| Ok(Int::from_u64(value).upcast());
    isize, |value| Ok(Int::from_isize(value).upcast());
    usize, |value| Ok(Int::from_usize(value).upcast());
    f64, |value| Ok(crate::float::Float::new(value).upcast());
    &str, |value| Str::from_utf8(value).map(Ref::upcast);
    String, |value| Str::from_utf8(&value).map(Ref::upcast);
}

/// Hands an object result to C.
#[inline(always)]
pub fn ret(value: impl IntoPy) -> *mut PyObject {
    match value.into_py() {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            err::restore(error);
            core::ptr::null_mut()
        }
    }
}

/// Hands success (0) or failure (-1) to C.
#[inline(always)]
pub fn ret_int(result: PyResult<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            err::restore(error);
            -1
        }
    }
}

/// Hands a length, hash or truth value to C; -1 means failure.
#[inline(always)]
pub fn ret_len(result: PyResult<isize>) -> isize {
    result.unwrap_or_else(|error| {
        err::restore(error);
        -1
    })
}

/// Takes an owned object result from C.
///
/// # Safety
/// `ptr` is an owned reference, or null with the indicator set.
/// # Errors
/// The exception in the indicator.
#[inline(always)]
pub unsafe fn from_c(ptr: *mut PyObject) -> PyResult<Ref> {
    // SAFETY: owned by contract.
    if ptr.is_null() { Err(err::fetch()) } else { Ok(unsafe { Ref::steal(ptr) }) }
}

/// As [`from_c`] where null without an exception means that there is nothing (`tp_iternext`).
///
/// # Safety
/// `ptr` is an owned reference or null.
/// # Errors
/// The exception in the indicator.
#[inline(always)]
pub unsafe fn from_c_opt(ptr: *mut PyObject) -> PyResult<Option<Ref>> {
    if ptr.is_null() {
        return err::fetch_opt().map_or(Ok(None), Err);
    }
    // SAFETY: owned by contract.
    Ok(Some(unsafe { Ref::steal(ptr) }))
}

/// Takes a status from C: negative means failure.
///
/// # Errors
/// The exception in the indicator.
#[inline(always)]
pub fn from_c_int(status: isize) -> PyResult<isize> {
    if status < 0
        && status == -1
        && let Some(error) = err::fetch_opt()
    {
        return Err(error);
    }
    Ok(status)
}

/// A borrowed optional object as a slot's argument.
#[inline(always)]
pub fn opt_ptr(object: Option<&Object>) -> *mut PyObject {
    object.map_or(core::ptr::null_mut(), Object::as_ptr)
}
