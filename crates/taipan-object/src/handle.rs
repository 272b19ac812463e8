//! Handles: how the rest of Taipan holds objects.
//!
//! Problem: the object layer is shared, mutable C memory with reference counts; raw pointers
//! everywhere would make every line `unsafe`. Idea: a *borrowed* reference is `&Object`, where
//! [`Object`] is an opaque zero-sized view (so that no Rust reference ever claims the bytes behind
//! it), and an *owned* one is [`Ref`], whose `Drop` releases it. Neither is `Send`, and both can
//! only be obtained on a thread that holds the interpreter lock: having one is the proof.
//!
//! Invariants:
//! - a `&Object` points to a live object for its whole lifetime;
//! - a `Ref` owns exactly one reference;
//! - raw pointers say their ownership in the verb that turns them into a handle:
//!   [`Ref::steal`] takes over a reference, [`Object::borrow`] does not.

use crate::refcount;
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use taipan_abi::{PyObject, PyTypeObject};

/// Any Python object, seen through a borrowed reference.
#[repr(C)]
pub struct Object {
    /// Zero bytes: a `&Object` makes no claim about memory, accessors go through [`Object::as_ptr`].
    opaque: [Cell<u8>; 0],
    /// Objects belong to the thread that holds the interpreter lock.
    not_send: PhantomData<*mut PyObject>,
}

/// A view of objects with a certain C layout: `Str`, `List`, `Type` …
///
/// # Safety
/// The implementing type is `#[repr(transparent)]` around [`Object`], and `check` is true only for
/// objects whose memory begins with `Raw`.
pub unsafe trait Layout: 'static {
    /// The C struct at the object's address.
    type Raw;
    /// The Python name, for error messages.
    const NAME: &'static str;
    /// Whether `object` is an instance of this type or of a subclass.
    fn check(object: &Object) -> bool;
}

// SAFETY: every object begins with a `PyObject`.
unsafe impl Layout for Object {
    type Raw = PyObject;
    const NAME: &'static str = "object";
    #[inline(always)]
    fn check(_: &Object) -> bool {
        true
    }
}

impl Object {
    /// The address of the object; ownership stays where it is.
    #[inline(always)]
    pub fn as_ptr(&self) -> *mut PyObject {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    /// A borrowed handle.
    ///
    /// # Safety
    /// `ptr` is not null and points to an object that stays alive during `'a`; the current thread
    /// holds the interpreter lock.
    #[inline(always)]
    pub unsafe fn borrow<'a>(ptr: *mut PyObject) -> &'a Self {
        debug_assert!(!ptr.is_null());
        // SAFETY: the type has size zero and alignment one; liveness is the caller's contract.
        unsafe { &*ptr.cast::<Self>() }
    }

    /// A borrowed handle, or `None` for the null pointer.
    ///
    /// # Safety
    /// As [`Object::borrow`], except that `ptr` may be null.
    #[inline(always)]
    pub unsafe fn borrow_opt<'a>(ptr: *mut PyObject) -> Option<&'a Self> {
        // SAFETY: the caller's contract covers the non-null case.
        if ptr.is_null() { None } else { Some(unsafe { Self::borrow(ptr) }) }
    }

    /// The type of the object.
    #[inline(always)]
    pub fn ty(&self) -> &Type {
        // SAFETY: a live object has a live type.
        unsafe { Self::borrow((*self.as_ptr()).ob_type.cast()).cast() }
    }

    /// A new owned reference to the same object.
    #[inline(always)]
    pub fn new_ref(&self) -> Ref {
        // SAFETY: the object is alive.
        unsafe {
            refcount::incref(self.as_ptr());
            Ref::steal(self.as_ptr())
        }
    }

    /// Identity: Python's `is` for everything but integers, see [`crate::int::same_object`].
    #[inline(always)]
    pub fn is(&self, other: &Object) -> bool {
        self.as_ptr() == other.as_ptr()
    }

    /// Whether the object's type is exactly `ty`.
    #[inline(always)]
    pub fn is_exact(&self, ty: &Type) -> bool {
        // SAFETY: the object is alive.
        unsafe { (*self.as_ptr()).ob_type == ty.raw() }
    }

    /// The view as `T`, if the object is an instance of it.
    #[inline(always)]
    pub fn downcast<T: Layout>(&self) -> Option<&T> {
        // SAFETY: `check` has just said so.
        if T::check(self) { Some(unsafe { self.cast() }) } else { None }
    }

    /// The view as `T`.
    ///
    /// # Safety
    /// The object's memory begins with `T::Raw`.
    #[inline(always)]
    pub unsafe fn cast<T: Layout>(&self) -> &T {
        // SAFETY: `T` is transparent around `Object`; the layout is the caller's contract.
        unsafe { &*self.as_ptr().cast::<T>() }
    }

    /// The C struct of the object, to be read and written field by field.
    ///
    /// # Safety
    /// The object's memory begins with `R`.
    #[inline(always)]
    pub unsafe fn raw_as<R>(&self) -> *mut R {
        self.as_ptr().cast()
    }

    /// The number of references, as `sys.getrefcount` counts them.
    pub fn refcount(&self) -> u32 {
        // SAFETY: the object is alive.
        unsafe { (*self.as_ptr()).ob_refcnt }
    }
}

/// Declares a borrowed view type over a C layout.
///
/// `layout!(List, PyListObject, "list", |o| …check…)` makes `List`, which derefs to [`Object`] and
/// has `raw()`.
#[macro_export]
macro_rules! layout {
    ($(#[$meta:meta])* $name:ident, $raw:ty, $python:literal, $check:expr) => {
        $(#[$meta])*
        #[repr(transparent)]
        pub struct $name($crate::Object);
        // SAFETY: transparent around `Object`; the check is true only for objects of this layout.
        unsafe impl $crate::Layout for $name {
            type Raw = $raw;
            const NAME: &'static str = $python;
            #[inline(always)]
            fn check(object: &$crate::Object) -> bool {
                let check: fn(&$crate::Object) -> bool = $check;
                check(object)
            }
        }
        impl core::ops::Deref for $name {
            type Target = $crate::Object;
            #[inline(always)]
            fn deref(&self) -> &$crate::Object {
                &self.0
            }
        }
        impl $name {
            /// The C struct behind the view.
            #[inline(always)]
            pub fn raw(&self) -> *mut $raw {
                self.0.as_ptr().cast()
            }
        }
    };
}

layout!(
    /// A type object.
    Type, PyTypeObject, "type", |o| o.ty().has_flag(taipan_abi::Py_TPFLAGS_TYPE_SUBCLASS)
);

/// An owned reference to an object seen as `T`.
#[repr(transparent)]
pub struct Ref<T: Layout = Object> {
    ptr: NonNull<PyObject>,
    view: PhantomData<*const T>,
}

impl<T: Layout> Ref<T> {
    /// Takes over one reference.
    ///
    /// # Safety
    /// `ptr` is not null, its memory begins with `T::Raw`, and the caller gives up a reference it owned.
    #[inline(always)]
    pub unsafe fn steal(ptr: *mut PyObject) -> Self {
        debug_assert!(!ptr.is_null());
        // SAFETY: not null by contract.
        Self { ptr: unsafe { NonNull::new_unchecked(ptr) }, view: PhantomData }
    }

    /// Gives up the handle and hands out the reference it owned.
    #[inline(always)]
    pub fn into_ptr(self) -> *mut PyObject {
        ManuallyDrop::new(self).ptr.as_ptr()
    }

    /// The same reference seen as any object.
    #[inline(always)]
    pub fn upcast(self) -> Ref {
        // SAFETY: ownership moves over; every layout begins with `PyObject`.
        unsafe { Ref::steal(self.into_ptr()) }
    }

    /// The same reference seen as `U`, or the handle back.
    #[inline]
    pub fn downcast_owned<U: Layout>(self) -> Result<Ref<U>, Self> {
        // SAFETY: as `T` is some view of a live object.
        if U::check(unsafe { Object::borrow(self.ptr.as_ptr()) }) {
            // SAFETY: checked just now.
            Ok(unsafe { Ref::steal(self.into_ptr()) })
        } else {
            Err(self)
        }
    }

    /// The same reference seen as `U`.
    ///
    /// # Safety
    /// The object's memory begins with `U::Raw`.
    #[inline(always)]
    pub unsafe fn cast_owned<U: Layout>(self) -> Ref<U> {
        // SAFETY: ownership moves over; layout by contract.
        unsafe { Ref::steal(self.into_ptr()) }
    }

    /// Borrowed from the view: one more owned reference.
    #[inline(always)]
    pub fn of(view: &T) -> Self {
        let ptr: *mut PyObject = core::ptr::from_ref(view).cast_mut().cast();
        // SAFETY: a view points to a live object.
        unsafe {
            refcount::incref(ptr);
            Self::steal(ptr)
        }
    }
}

impl<T: Layout> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the handle keeps the object alive, and `T` is a transparent view.
        unsafe { &*self.ptr.as_ptr().cast::<T>() }
    }
}

impl<T: Layout> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl<T: Layout> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the handle owns one reference, and gives it up here.
        unsafe { refcount::decref(self.ptr.as_ptr()) }
    }
}

impl<T: Layout> AsRef<Object> for Ref<T> {
    #[inline(always)]
    fn as_ref(&self) -> &Object {
        // SAFETY: the handle keeps the object alive.
        unsafe { Object::borrow(self.ptr.as_ptr()) }
    }
}

/// Turns an optional handle into the pointer that C expects: null for none.
#[inline(always)]
pub fn into_ptr_opt<T: Layout>(handle: Option<Ref<T>>) -> *mut PyObject {
    handle.map_or(core::ptr::null_mut(), Ref::into_ptr)
}

/// Replaces the owned reference in an object's field, releasing the old one *after* the store, so
/// that a finaliser sees the object in its new state.
///
/// # Safety
/// `field` points to a field of a live object that holds null or an owned reference.
#[inline]
pub unsafe fn set_field<P>(field: *mut *mut P, value: Option<Ref>) {
    // SAFETY: the contract gives us the field and its old reference.
    unsafe {
        let old = field.replace(into_ptr_opt(value).cast());
        refcount::xdecref(old.cast());
    }
}

/// Clears a field that holds null or an owned reference.
///
/// # Safety
/// As [`set_field`].
#[inline]
pub unsafe fn clear_field<P>(field: *mut *mut P) {
    // SAFETY: forwarded contract.
    unsafe { set_field(field, None) }
}
