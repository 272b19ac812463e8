//! Native types whose instances carry a Rust value.
//!
//! Problem: a module's types need state of their own, and modules forbid `unsafe`. Idea: an instance
//! is an object head followed by a Rust value; [`Native`] is its view and dereferences to the
//! value, which keeps what changes in cells. Allocation, traversal, clearing and deallocation are
//! generic and written here once.
//!
//! Rule: no `RefCell` borrow inside a payload is held across anything that can run Python code.

use super::slots::{Slot, raw_clear, raw_dealloc, raw_traverse};
use crate::alloc;
use crate::err::PyResult;
use crate::gc;
use crate::handle::{Layout, Object, Ref, Type};
use crate::statics::StaticType;
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::ops::Deref;
use taipan_abi::{Py_TPFLAGS_HAVE_GC, PyObject, visitproc};

/// The Rust state of a native type's instances.
///
/// A view of a type's instances is also one of its subtypes' instances: when both types have a payload, both are
/// `repr(C)` and the subtype's begins with the fields of the base's (as `datetime` begins with `date`).
pub trait Payload: 'static + Sized {
    /// The type object.
    const TYPE: &'static StaticType;
    /// Shows the collector every reference that the value owns.
    fn traverse(&self, visitor: &mut Visitor) {
        let _ = visitor;
    }
    /// Drops references that can be part of a cycle.
    fn clear(&self) {}
}

/// What the collector wants to see.
pub struct Visitor {
    visit: visitproc,
    arg: *mut c_void,
    /// The first non-zero answer ends the traversal.
    result: c_int,
}

impl Visitor {
    /// A visitor for the arguments of `tp_traverse`.
    pub(super) fn new(visit: visitproc, arg: *mut c_void) -> Self {
        Self { visit, arg, result: 0 }
    }

    /// What the traversal gives.
    pub(super) fn result(&self) -> c_int {
        self.result
    }

    /// Shows one reference.
    pub fn visit<T: Layout>(&mut self, object: &Ref<T>) {
        self.visit_object(object.as_ref());
    }

    /// Shows an optional reference.
    pub fn visit_opt<T: Layout>(&mut self, object: Option<&Ref<T>>) {
        if let Some(object) = object {
            self.visit(object);
        }
    }

    /// Shows a borrowed object.
    pub fn visit_object(&mut self, object: &Object) {
        if self.result == 0 {
            // SAFETY: the collector's own function with its own argument.
            self.result = unsafe { (self.visit)(object.as_ptr(), self.arg) };
        }
    }
}

/// The memory of an instance.
#[repr(C)]
pub struct RawNative<P> {
    head: PyObject,
    pub(super) value: P,
}

/// The view of an instance that carries a `P`.
#[repr(transparent)]
pub struct Native<P: Payload>(Object, PhantomData<P>);

// SAFETY: transparent around `Object`; instances of `P::TYPE` are made by `native_new` only.
unsafe impl<P: Payload> Layout for Native<P> {
    type Raw = RawNative<P>;
    const NAME: &'static str = "native object";
    #[inline]
    fn check(object: &Object) -> bool {
        object.ty().is_subtype(P::TYPE)
    }
}

impl<P: Payload> Native<P> {
    /// The instance as any object.
    #[inline(always)]
    pub fn object(&self) -> &Object {
        &self.0
    }

    const fn raw(&self) -> *mut RawNative<P> {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    /// The bytes that an instance takes.
    pub const SIZE: usize = size_of::<RawNative<P>>();

    /// `tp_dealloc`, `tp_traverse` and `tp_clear` of the type.
    pub const SLOTS: [Slot; 3] =
        [raw_dealloc(native_dealloc::<P>), raw_traverse(native_traverse::<P>), raw_clear(native_clear::<P>)];
    pub const DEALLOC: Slot = raw_dealloc(native_dealloc::<P>);
    pub const TRAVERSE: Slot = raw_traverse(native_traverse::<P>);
    pub const CLEAR: Slot = raw_clear(native_clear::<P>);
}

impl<P: Payload> Deref for Native<P> {
    type Target = P;
    #[inline(always)]
    fn deref(&self) -> &P {
        // SAFETY: the value was written by `native_new` and lives as long as the object.
        unsafe { &(*self.raw()).value }
    }
}

/// A new instance of `ty` (which is `P::TYPE` or a subclass) that carries `value`.
///
/// # Errors
/// `MemoryError`.
pub fn native_new<P: Payload>(ty: &Type, value: P) -> PyResult<Ref<Native<P>>> {
    debug_assert!(ty.is_subtype(P::TYPE));
    let object = alloc::alloc_object(ty, 0)?;
    // SAFETY: fresh memory of a type whose instances begin with `RawNative<P>`.
    unsafe {
        (&raw mut (*object.raw_as::<RawNative<P>>()).value).write(value);
        if ty.flags() & Py_TPFLAGS_HAVE_GC != 0 {
            gc::track(&object);
        }
        Ok(object.cast_owned())
    }
}

unsafe extern "C" fn native_dealloc<P: Payload>(ptr: *mut PyObject) {
    // SAFETY: dead, and made by `native_new`.
    unsafe {
        let object = Object::borrow(ptr);
        let flags = object.ty().flags();
        let own = flags & taipan_abi::Py_TPFLAGS_HEAPTYPE == 0;
        // A Python subclass has done this in its own `tp_dealloc` before it came here. An object that
        // comes back to life is to be tracked as before.
        if own && crate::instance::finalize_on_dealloc(object) {
            return;
        }
        if flags & Py_TPFLAGS_HAVE_GC != 0 {
            gc::untrack_ptr(ptr);
        }
        if own {
            crate::weakref::clear_on_dealloc(object);
            crate::instance::clear_managed_dict(object);
        }
        core::ptr::drop_in_place(&raw mut (*object.raw_as::<RawNative<P>>()).value);
        if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn native_traverse<P: Payload>(
    ptr: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    let mut visitor = Visitor::new(visit, arg);
    // SAFETY: a live instance made by `native_new`; classes made at run time show the dict themselves.
    unsafe {
        let object = Object::borrow(ptr);
        if object.ty().flags() & taipan_abi::Py_TPFLAGS_HEAPTYPE == 0 {
            visitor.result = crate::instance::visit_managed_dict(object, visit, arg);
        }
        object.cast::<Native<P>>().traverse(&mut visitor);
    }
    visitor.result
}

unsafe extern "C" fn native_clear<P: Payload>(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live instance made by `native_new`; classes made at run time clear the dict themselves.
    unsafe {
        let object = Object::borrow(ptr);
        object.cast::<Native<P>>().clear();
        if object.ty().flags() & taipan_abi::Py_TPFLAGS_HEAPTYPE == 0 {
            crate::instance::clear_managed_dict(object);
        }
    }
    0
}
