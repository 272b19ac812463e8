//! Native types with more than a head before their Rust value: subclasses of builtin types, and types
//! whose instances are called quickly.
//!
//! A [`Derived`] instance is a whole instance of its base, then the value. Tearing it down drops the
//! value and leaves the rest, the memory too, to the base. A [`Called`] value has the vectorcall
//! function in front of it, at the offset that [`Called::OFFSET`] names.

use super::payload::{Native, Payload, RawNative, Visitor};
use super::slots::{Slot, raw_call, raw_clear, raw_dealloc, raw_traverse, the};
use super::{CallArgs, IntoPy, ret};
use crate::err::PyResult;
use crate::gc;
use crate::handle::{Layout, Object, Type, clear_field};
use crate::instance::{dict_place, visit_all};
use crate::statics::StaticType;
use crate::tuple::Tuple;
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::Deref;
use taipan_abi::*;

/// The Rust state that a native subclass adds to its base.
pub trait DerivedPayload: 'static + Sized {
    /// The type object.
    const TYPE: &'static StaticType;
    /// The view of the base.
    type Base: Layout;
    /// Shows the collector every reference that the value owns.
    fn traverse(&self, visitor: &mut Visitor) {
        let _ = visitor;
    }
    /// Drops references that can be part of a cycle.
    fn clear(&self) {}
}

/// The memory of an instance.
#[repr(C)]
pub struct RawDerived<P: DerivedPayload> {
    base: <P::Base as Layout>::Raw,
    value: P,
}

/// The view of an instance of a native subclass; it dereferences to the value.
#[repr(transparent)]
pub struct Derived<P: DerivedPayload>(Object, PhantomData<P>);

// SAFETY: transparent around `Object`; instances of `P::TYPE` are completed by `Derived::init`, and
// until then the value is all zero (checked by no one but the contract of `init`).
unsafe impl<P: DerivedPayload> Layout for Derived<P> {
    type Raw = RawDerived<P>;
    const NAME: &'static str = "native object";
    #[inline]
    fn check(object: &Object) -> bool {
        object.ty().is_subtype(P::TYPE)
    }
}

impl<P: DerivedPayload> Deref for Derived<P> {
    type Target = P;
    #[inline(always)]
    fn deref(&self) -> &P {
        // SAFETY: the value was written by `init` and lives as long as the object.
        unsafe { &(*core::ptr::from_ref(self).cast_mut().cast::<RawDerived<P>>()).value }
    }
}

impl<P: DerivedPayload> Derived<P> {
    /// The bytes that an instance takes.
    pub const SIZE: usize = size_of::<RawDerived<P>>();
    /// `tp_dealloc`, `tp_traverse` and `tp_clear` of the type.
    pub const DEALLOC: Slot = raw_dealloc(dealloc::<P>);
    pub const TRAVERSE: Slot = raw_traverse(traverse::<P>);
    pub const CLEAR: Slot = raw_clear(clear::<P>);

    /// The instance as any object.
    #[inline(always)]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// The instance as one of its base.
    #[inline(always)]
    pub fn base(&self) -> &P::Base {
        // SAFETY: an instance begins with one of the base.
        unsafe { self.0.cast() }
    }

    /// A new instance of `ty`, which is `P::TYPE` or a subclass: the base's `tp_new` makes it, then
    /// the value is put in.
    ///
    /// # Errors
    /// What the base raises.
    pub fn create(ty: &Type, args: &Tuple, value: P) -> PyResult<crate::Ref<Self>> {
        debug_assert!(ty.is_subtype(P::TYPE));
        // SAFETY: the base's slot makes zeroed memory of the whole type; the value is written once.
        unsafe {
            let base = P::TYPE.base().unwrap_or(ty);
            let Some(new) = (*base.raw()).tp_new else {
                return Err(crate::err::type_error("the base cannot be instantiated"));
            };
            let object = super::from_c(new(ty.raw(), args.as_ptr(), core::ptr::null_mut()))?;
            (&raw mut (*object.raw_as::<RawDerived<P>>()).value).write(value);
            Ok(object.cast_owned())
        }
    }
}

unsafe extern "C" fn dealloc<P: DerivedPayload>(ptr: *mut PyObject) {
    // SAFETY: dead; what this type added goes first, then the base tears the rest down.
    unsafe {
        let object = Object::borrow(ptr);
        let own = P::TYPE.raw();
        if object.ty().flags() & Py_TPFLAGS_HAVE_GC != 0 {
            gc::untrack_ptr(ptr);
        }
        if (*own).tp_weaklistoffset != 0 {
            crate::weakref::clear_on_dealloc(object);
        }
        if (*own).tp_dictoffset != 0
            && let Some(place) = dict_place(object)
        {
            clear_field(place);
        }
        core::ptr::drop_in_place(&raw mut (*object.raw_as::<RawDerived<P>>()).value);
        if let Some(base) = P::TYPE.base()
            && let Some(dealloc) = (*base.raw()).tp_dealloc
        {
            dealloc(ptr);
        }
    }
}

unsafe extern "C" fn traverse<P: DerivedPayload>(
    ptr: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let object = Object::borrow(ptr);
        if (*P::TYPE.raw()).tp_dictoffset != 0
            && let Some(place) = dict_place(object)
        {
            let result = visit_all(&[*place], visit, arg);
            if result != 0 {
                return result;
            }
        }
        let mut visitor = Visitor::new(visit, arg);
        object.cast::<Derived<P>>().deref().traverse(&mut visitor);
        if visitor.result() != 0 {
            return visitor.result();
        }
        match P::TYPE.base().and_then(|base| (*base.raw()).tp_traverse) {
            Some(traverse) => traverse(ptr, visit, arg),
            None => 0,
        }
    }
}

unsafe extern "C" fn clear<P: DerivedPayload>(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let object = Object::borrow(ptr);
        object.cast::<Derived<P>>().deref().clear();
        if (*P::TYPE.raw()).tp_dictoffset != 0
            && let Some(place) = dict_place(object)
        {
            clear_field(place);
        }
        match P::TYPE.base().and_then(|base| (*base.raw()).tp_clear) {
            Some(clear) => clear(ptr),
            None => 0,
        }
    }
}

/// A value with the function in front that calls of the instance go through.
#[repr(C)]
pub struct Called<P> {
    function: vectorcallfunc,
    value: P,
}

/// The Rust state of a type whose instances can be called.
pub trait CalledPayload: 'static + Sized {
    /// The type object, declared with [`StaticType::called`] and [`Called::OFFSET`].
    const TYPE: &'static StaticType;
    /// Shows the collector every reference that the value owns.
    fn traverse(&self, visitor: &mut Visitor) {
        let _ = visitor;
    }
    /// Drops references that can be part of a cycle.
    fn clear(&self) {}
}

impl<P> Deref for Called<P> {
    type Target = P;
    #[inline(always)]
    fn deref(&self) -> &P {
        &self.value
    }
}

impl<P: CalledPayload> Payload for Called<P> {
    const TYPE: &'static StaticType = P::TYPE;
    fn traverse(&self, visitor: &mut Visitor) {
        self.value.traverse(visitor);
    }
    fn clear(&self) {
        self.value.clear();
    }
}

impl<P: CalledPayload> Called<P> {
    /// Where the function stands in an instance.
    pub const OFFSET: usize = offset_of!(RawNative<Self>, value) + offset_of!(Self, function);
    /// `tp_call`, by the function of the instance.
    pub const CALL: Slot = raw_call(crate::callable::vectorcall_call);

    /// A value whose instance is called through `fn(&instance, CallArgs) -> object`.
    pub fn new<R: IntoPy, F: Fn(&Native<Self>, CallArgs<'_>) -> R + Copy>(value: P, _function: F) -> Self {
        Self { function: entry::<P, R, F>, value }
    }
}

unsafe extern "C" fn entry<
    P: CalledPayload,
    R: IntoPy,
    F: Fn(&Native<Called<P>>, CallArgs<'_>) -> R + Copy,
>(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: vectorcall contract: an instance, the arguments, and a tuple of names or null.
    unsafe {
        let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
        let count = crate::callable::vectorcall_count(nargsf) + kwnames.map_or(0, Tuple::len);
        let all: &[&Object] = if count == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), count) };
        ret(the::<F>()(Object::borrow(callable).cast(), CallArgs { all, kwnames }))
    }
}
