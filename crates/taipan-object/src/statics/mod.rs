//! The type objects and singletons that C extensions link to.
//!
//! Each is a writable static under CPython's own symbol, complete in size, flags and base from the
//! first instruction on. What makes a type useful, its slots and methods, is a [`crate::TypeSpec`]
//! that the room of that type installs before the first program line runs.

#![allow(non_upper_case_globals, reason = "CPython's symbol names")]

mod generated;

pub use generated::*;

use crate::handle::{Object, Type};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::ops::Deref;
use core::ptr::null_mut;
use taipan_abi::*;

/// A statically allocated, immortal type object.
#[repr(transparent)]
pub struct StaticType(UnsafeCell<PyTypeObject>);

// SAFETY: type objects are only touched by threads that hold the interpreter lock.
unsafe impl Sync for StaticType {}

/// What a static type is before it is made ready.
pub struct StaticTypeInit {
    pub name: &'static CStr,
    pub basicsize: isize,
    pub itemsize: isize,
    pub dictoffset: isize,
    pub weaklistoffset: isize,
    pub vectorcall_offset: isize,
    pub flags: u64,
    pub base: *const StaticType,
}

impl StaticType {
    /// A type object with the given sizes; its slots are filled by its [`crate::TypeSpec`].
    pub const fn new(init: StaticTypeInit) -> Self {
        // SAFETY: null pointers, `None` functions and zero are valid in every field.
        let mut raw: PyTypeObject = unsafe { core::mem::zeroed() };
        raw.ob_base.ob_base = PyObject::immortal((&raw const PyType_Type).cast_mut().cast());
        raw.tp_name = init.name.as_ptr();
        raw.tp_basicsize = init.basicsize;
        raw.tp_itemsize = init.itemsize;
        raw.tp_dictoffset = init.dictoffset;
        raw.tp_weaklistoffset = init.weaklistoffset;
        raw.tp_vectorcall_offset = init.vectorcall_offset;
        raw.tp_flags = init.flags;
        raw.tp_base = init.base.cast_mut().cast();
        Self(UnsafeCell::new(raw))
    }

    /// A plain native type: `flags` are added to what every static type has.
    pub const fn native(name: &'static CStr, basicsize: usize, flags: u64) -> Self {
        Self::new(StaticTypeInit {
            name,
            basicsize: basicsize.cast_signed(),
            itemsize: 0,
            dictoffset: 0,
            weaklistoffset: 0,
            vectorcall_offset: 0,
            flags: flags | Py_TPFLAGS_IMMUTABLETYPE,
            base: &raw const PyBaseObject_Type,
        })
    }
}

impl StaticType {
    /// A native type with another base than `object`.
    pub const fn derived(name: &'static CStr, basicsize: usize, flags: u64, base: *const StaticType) -> Self {
        Self::new(StaticTypeInit {
            name,
            basicsize: basicsize.cast_signed(),
            itemsize: 0,
            dictoffset: 0,
            weaklistoffset: 0,
            vectorcall_offset: 0,
            flags: flags | Py_TPFLAGS_IMMUTABLETYPE,
            base,
        })
    }

    /// A native type whose instances are called through the pointer at `vectorcall_offset`.
    pub const fn called(name: &'static CStr, basicsize: usize, vectorcall_offset: usize, flags: u64) -> Self {
        Self::new(StaticTypeInit {
            name,
            basicsize: basicsize.cast_signed(),
            itemsize: 0,
            dictoffset: 0,
            weaklistoffset: 0,
            vectorcall_offset: vectorcall_offset.cast_signed(),
            flags: flags | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
            base: &raw const PyBaseObject_Type,
        })
    }
}

impl Deref for StaticType {
    type Target = Type;
    #[inline(always)]
    fn deref(&self) -> &Type {
        // SAFETY: a static type is a live object for ever; `Type` is a zero-sized view.
        unsafe { &*self.0.get().cast::<Type>() }
    }
}

macro_rules! static_type {
    ($name:ident, $python:literal, $basic:literal, $item:literal, $dict:literal, $weak:literal, $vec:literal, $flags:literal, $base:ident) => {
        #[doc = concat!("The type `", $python, "`.")]
        #[unsafe(no_mangle)]
        pub static $name: super::StaticType = super::StaticType::new(super::StaticTypeInit {
            name: match core::ffi::CStr::from_bytes_with_nul(concat!($python, "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => unreachable!(),
            },
            basicsize: $basic,
            itemsize: $item,
            dictoffset: $dict,
            weaklistoffset: $weak,
            vectorcall_offset: $vec,
            flags: $flags,
    base: super::static_type!(@base $base),
        });
    };
    (@base null) => {
        core::ptr::null()
    };
    (@base $base:ident) => {
        &raw const $base
    };
}
use static_type;

/// A `PyExc_X` variable: the address of an exception type.
#[repr(transparent)]
pub struct ExceptionPointer(*const StaticType);

// SAFETY: a constant address.
unsafe impl Sync for ExceptionPointer {}

impl Deref for ExceptionPointer {
    type Target = Type;
    #[inline(always)]
    fn deref(&self) -> &Type {
        // SAFETY: the address of a static.
        unsafe { &*self.0 }
    }
}

macro_rules! exception_type {
    ($variable:ident, $($row:tt)*) => {
        super::static_type!($($row)*);
        super::exception_type!(@variable $variable, $($row)*);
    };
    (@variable $variable:ident, $name:ident, $python:literal, $($rest:tt)*) => {
        #[doc = concat!("Points to the exception type `", $python, "`.")]
        #[unsafe(no_mangle)]
        pub static $variable: super::ExceptionPointer = super::ExceptionPointer(&raw const $name);
    };
}
use exception_type;

/// `IOError` and `EnvironmentError` are other names of `OSError`.
#[unsafe(no_mangle)]
pub static PyExc_IOError: ExceptionPointer = ExceptionPointer(&raw const _PyExc_OSError);
#[unsafe(no_mangle)]
pub static PyExc_EnvironmentError: ExceptionPointer = ExceptionPointer(&raw const _PyExc_OSError);

/// A singleton object without fields.
#[repr(transparent)]
pub struct StaticObject(UnsafeCell<PyObject>);

// SAFETY: only touched under the interpreter lock.
unsafe impl Sync for StaticObject {}

impl StaticObject {
    const fn new(ty: *const StaticType) -> Self {
        Self(UnsafeCell::new(PyObject::immortal(ty.cast_mut().cast())))
    }
}

impl Deref for StaticObject {
    type Target = Object;
    #[inline(always)]
    fn deref(&self) -> &Object {
        // SAFETY: lives for ever.
        unsafe { Object::borrow(self.0.get()) }
    }
}

/// `None`.
#[unsafe(no_mangle)]
pub static _Py_NoneStruct: StaticObject = StaticObject::new(&raw const _PyNone_Type);
/// `NotImplemented`.
#[unsafe(no_mangle)]
pub static _Py_NotImplementedStruct: StaticObject = StaticObject::new(&raw const _PyNotImplemented_Type);
/// `...`.
#[unsafe(no_mangle)]
pub static _Py_EllipsisObject: StaticObject = StaticObject::new(&raw const PyEllipsis_Type);

/// A statically allocated int of one digit.
#[repr(transparent)]
pub struct StaticInt(UnsafeCell<PyLongObject>);

// SAFETY: only touched under the interpreter lock.
unsafe impl Sync for StaticInt {}

impl StaticInt {
    /// `tag` is the whole `lv_tag` word.
    pub(crate) const fn new(ty: *const StaticType, tag: u64, digit: u32) -> Self {
        Self(UnsafeCell::new(PyLongObject {
            ob_base: PyObject::immortal(ty.cast_mut().cast()),
            long_value: _PyLongValue { lv_tag: tag, ob_digit: [digit] },
        }))
    }
}

impl Deref for StaticInt {
    type Target = Object;
    #[inline(always)]
    fn deref(&self) -> &Object {
        // SAFETY: lives for ever.
        unsafe { Object::borrow(self.0.get().cast()) }
    }
}

/// `True` and `False` are ints of type `bool`.
#[unsafe(no_mangle)]
pub static _Py_TrueStruct: StaticInt = StaticInt::new(&raw const PyBool_Type, 8, 1);
#[unsafe(no_mangle)]
pub static _Py_FalseStruct: StaticInt = StaticInt::new(&raw const PyBool_Type, 1, 0);

/// A null type pointer, for readers of optional bases.
pub const NO_TYPE: *mut PyTypeObject = null_mut();
