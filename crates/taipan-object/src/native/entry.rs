//! The C functions behind method rows: one generic function per calling convention.

use super::Args;
use super::args::{CallArgs, Signature};
use super::convert::{IntoPy, ret};
use super::slots::the;
use crate::err::PyErr;
use crate::handle::{Layout, Object, Ref};
use crate::singletons;
use crate::tuple::Tuple;
use core::ffi::c_void;
use taipan_abi::*;

/// A C function with the `METH_` flags of its convention.
#[derive(Clone, Copy)]
pub struct Entry {
    pub function: *mut c_void,
    pub flags: i32,
}

/// A row's signature, as a type.
pub trait Signed {
    fn signature() -> &'static Signature;
}

/// What a function is called on: `None` for static methods, which C calls without an object.
///
/// # Safety
/// `object` is null or a borrowed object that lives during `'a`.
#[inline(always)]
unsafe fn receiver<'a>(object: *mut PyObject) -> &'a Object {
    // SAFETY: by contract.
    unsafe { Object::borrow_opt(object) }.unwrap_or(singletons::none())
}

/// # Safety
/// `args` points to `count` borrowed objects that live during `'a`.
#[inline(always)]
unsafe fn slice<'a>(args: *const *mut PyObject, count: usize) -> &'a [&'a Object] {
    if count == 0 {
        return &[];
    }
    // SAFETY: `&Object` has the representation of a non-null object pointer.
    unsafe { core::slice::from_raw_parts(args.cast(), count) }
}

/// `METH_NOARGS`: from `fn(&T) -> object`.
pub const fn noargs<T: Layout, R: IntoPy, F: Fn(&T) -> R + Copy>(_: F) -> Entry {
    unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T) -> R + Copy>(
        object: *mut PyObject,
        _: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: C's convention: the instance that the descriptor has checked.
        ret(the::<F>()(unsafe { receiver(object).cast() }))
    }
    Entry { function: entry::<T, R, F> as PyCFunction as *mut c_void, flags: METH_NOARGS }
}

/// `METH_O`: from `fn(&T, &Object) -> object`.
pub const fn one<T: Layout, R: IntoPy, F: Fn(&T, &Object) -> R + Copy>(_: F) -> Entry {
    unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T, &Object) -> R + Copy>(
        object: *mut PyObject,
        arg: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: C's convention.
        unsafe { ret(the::<F>()(receiver(object).cast(), Object::borrow(arg))) }
    }
    Entry { function: entry::<T, R, F> as PyCFunction as *mut c_void, flags: METH_O }
}

/// `METH_FASTCALL`: from `fn(&T, &[&Object]) -> object`.
pub const fn many<T: Layout, R: IntoPy, F: Fn(&T, &[&Object]) -> R + Copy>(_: F) -> Entry {
    unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T, &[&Object]) -> R + Copy>(
        object: *mut PyObject,
        args: *const *mut PyObject,
        count: isize,
    ) -> *mut PyObject {
        // SAFETY: C's convention.
        unsafe { ret(the::<F>()(receiver(object).cast(), slice(args, count as usize))) }
    }
    Entry { function: entry::<T, R, F> as PyCFunctionFast as *mut c_void, flags: METH_FASTCALL }
}

/// `METH_FASTCALL | METH_KEYWORDS` without parsing: from `fn(&T, CallArgs) -> object`.
pub const fn keywords<T: Layout, R: IntoPy, F: Fn(&T, CallArgs<'_>) -> R + Copy>(_: F) -> Entry {
    unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T, CallArgs<'_>) -> R + Copy>(
        object: *mut PyObject,
        args: *const *mut PyObject,
        count: isize,
        kwnames: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: C's convention; `kwnames` is null or a tuple.
        unsafe {
            let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
            let all = slice(args, count as usize + kwnames.map_or(0, Tuple::len));
            ret(the::<F>()(receiver(object).cast(), CallArgs { all, kwnames }))
        }
    }
    Entry {
        function: entry::<T, R, F> as PyCFunctionFastWithKeywords as *mut c_void,
        flags: METH_FASTCALL | METH_KEYWORDS,
    }
}

/// `METH_FASTCALL | METH_KEYWORDS`, bound by the row's signature: from `fn(&T, &Args) -> object`.
pub const fn args<S: Signed, T: Layout, R: IntoPy, F: Fn(&T, &Args<'_>) -> R + Copy>(_: F) -> Entry {
    unsafe extern "C" fn entry<S: Signed, T: Layout, R: IntoPy, F: Fn(&T, &Args<'_>) -> R + Copy>(
        object: *mut PyObject,
        args: *const *mut PyObject,
        count: isize,
        kwnames: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: C's convention; `kwnames` is null or a tuple.
        unsafe {
            let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
            let all = slice(args, count as usize + kwnames.map_or(0, Tuple::len));
            match S::signature().bind(all, kwnames) {
                Ok(bound) => ret(the::<F>()(receiver(object).cast(), &bound)),
                Err(error) => ret(Err::<Ref, PyErr>(error)),
            }
        }
    }
    Entry {
        function: entry::<S, T, R, F> as PyCFunctionFastWithKeywords as *mut c_void,
        flags: METH_FASTCALL | METH_KEYWORDS,
    }
}
