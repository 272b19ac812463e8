//! The bare bones of `tuple`: items stand in the object itself, from byte 32 on.

use crate::alloc;
use crate::err::PyResult;
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::layout;
use crate::statics::{PyTuple_Type, StaticType};
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

layout!(
    /// A `tuple` or an instance of a subclass.
    Tuple, PyTupleObject, "tuple", |o| o.ty().has_flag(Py_TPFLAGS_TUPLE_SUBCLASS)
);

/// The empty tuple with its collector header, so that header arithmetic on it stays in bounds.
#[repr(C, align(16))]
struct EmptyTuple {
    head: [usize; 2],
    tuple: UnsafeCell<PyTupleObject>,
}
// SAFETY: only touched under the interpreter lock.
unsafe impl Sync for EmptyTuple {}

const fn tuple_head(ty: *const StaticType) -> PyVarObject {
    PyVarObject { ob_base: PyObject::immortal(ty.cast_mut().cast()), ob_size: 0 }
}

static EMPTY: EmptyTuple = EmptyTuple {
    head: [0; 2],
    tuple: UnsafeCell::new(PyTupleObject {
        ob_base: tuple_head(&raw const PyTuple_Type),
        ob_hash: -1,
        ob_item: [core::ptr::null_mut()],
    }),
};

impl Tuple {
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_base.ob_size as usize }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first item.
    #[inline(always)]
    pub fn items_ptr(&self) -> *mut *mut PyObject {
        // SAFETY: the view guarantees the layout.
        unsafe { (&raw mut (*self.raw()).ob_item).cast() }
    }

    /// The items. A tuple that Python code can see is complete and never changes.
    #[inline]
    pub fn items(&self) -> &[&Object] {
        // SAFETY: items are non-null object pointers; `&Object` has their layout.
        unsafe { core::slice::from_raw_parts(self.items_ptr().cast_const().cast(), self.len()) }
    }

    #[inline]
    pub fn get(&self, index: usize) -> Option<&Object> {
        self.items().get(index).copied()
    }

    /// The empty tuple.
    #[inline]
    pub fn empty() -> Ref<Tuple> {
        // SAFETY: a static of this layout.
        unsafe { Ref::of(Object::borrow(EMPTY.tuple.get().cast()).cast()) }
    }

    /// A new tuple of room for `len` items, all null, not tracked.
    ///
    /// # Safety
    /// Every item is filled with an owned reference before Python code can see the tuple.
    /// # Errors
    /// `MemoryError`.
    pub unsafe fn with_room(len: usize) -> PyResult<Ref<Tuple>> {
        if len == 0 {
            return Ok(Self::empty());
        }
        let size = len
            .checked_mul(8)
            .and_then(|n| n.checked_add(32 + alloc::GC_HEAD))
            .ok_or_else(alloc::no_memory)?;
        let block = match len {
            1 => alloc::small_alloc::<56>(),
            2 => alloc::small_alloc::<64>(),
            3 => alloc::small_alloc::<72>(),
            _ => alloc::malloc(size),
        };
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: the block holds header and tuple.
        unsafe {
            block.cast::<[usize; 2]>().write([0; 2]);
            let raw = block.add(alloc::GC_HEAD).cast::<PyTupleObject>();
            alloc::init_object(raw.cast(), &PyTuple_Type);
            (*raw).ob_base.ob_size = len.cast_signed();
            (*raw).ob_hash = -1;
            core::ptr::write_bytes((&raw mut (*raw).ob_item).cast::<*mut PyObject>(), 0, len);
            Ok(Ref::steal(raw.cast()))
        }
    }

    /// A new tuple of these items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_refs(items: &[&Object]) -> PyResult<Ref<Tuple>> {
        Self::from_iter_exact(items.len(), items.iter().map(|item| item.new_ref()))
    }

    /// A new tuple that takes over the items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_vec(items: Vec<Ref>) -> PyResult<Ref<Tuple>> {
        Self::from_iter_exact(items.len(), items.into_iter())
    }

    /// A new tuple that takes over an array of items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_array<const N: usize>(items: [Ref; N]) -> PyResult<Ref<Tuple>> {
        Self::from_iter_exact(N, items.into_iter())
    }

    fn from_iter_exact(len: usize, items: impl Iterator<Item = Ref>) -> PyResult<Ref<Tuple>> {
        // SAFETY: every item is filled below, and nothing in between runs Python code.
        unsafe {
            let tuple = Self::with_room(len)?;
            let slots = tuple.items_ptr();
            let mut track = false;
            for (index, item) in items.take(len).enumerate() {
                track = track || gc::may_be_tracked(&item);
                slots.add(index).write(item.into_ptr());
            }
            if track {
                gc::track_ptr(tuple.as_ptr());
            }
            Ok(tuple)
        }
    }

    /// A new tuple of a subtype of `tuple` whose instances hold no more than their items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn of_type(ty: &Type, items: &[&Object]) -> PyResult<Ref<Tuple>> {
        debug_assert!(ty.is_subtype(&PyTuple_Type));
        let made = alloc::alloc_object(ty, items.len().cast_signed())?;
        // SAFETY: fresh memory of a tuple with as many places; nothing here runs Python code.
        unsafe {
            let tuple: Ref<Tuple> = made.cast_owned();
            (*tuple.raw()).ob_base.ob_size = items.len().cast_signed();
            (*tuple.raw()).ob_hash = -1;
            for (index, item) in items.iter().enumerate() {
                tuple.items_ptr().add(index).write(item.new_ref().into_ptr());
            }
            gc::track_ptr(tuple.as_ptr());
            Ok(tuple)
        }
    }

    /// Gives a pair other items, and the old ones to the caller.
    ///
    /// # Safety
    /// The tuple has two items, and the caller's is the only reference to it.
    pub unsafe fn refill_pair(&self, first: Ref, second: Ref) -> [Ref; 2] {
        // SAFETY: by contract nobody sees the tuple change.
        unsafe {
            let track = gc::may_be_tracked(&first) || gc::may_be_tracked(&second);
            let slots = self.items_ptr();
            let old = [slots.replace(first.into_ptr()), slots.add(1).replace(second.into_ptr())];
            (*self.raw()).ob_hash = -1;
            if track {
                gc::track_ptr(self.as_ptr());
            }
            old.map(|item| Ref::steal(item))
        }
    }

    /// A slice as a new tuple.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn slice(&self, from: usize, to: usize) -> PyResult<Ref<Tuple>> {
        Self::from_refs(&self.items()[from..to])
    }
}

/// `tp_dealloc` of `tuple`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; items are null or owned.
    unsafe {
        let object = Object::borrow(ptr);
        let tuple: &Tuple = object.cast();
        gc::untrack_ptr(ptr);
        let len = tuple.len();
        for index in 0..len {
            crate::refcount::xdecref(tuple.items_ptr().add(index).read());
        }
        if !object.is_exact(&PyTuple_Type) {
            if let Some(free) = (*object.ty().raw()).tp_free {
                free(ptr.cast());
            }
            return;
        }
        let block = ptr.cast::<u8>().sub(alloc::GC_HEAD);
        match len {
            1 => alloc::small_free::<56>(block),
            2 => alloc::small_free::<64>(block),
            3 => alloc::small_free::<72>(block),
            _ => alloc::free(block),
        }
    }
}

/// `tp_traverse` of `tuple`.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live tuple; items may still be null while it is built.
    unsafe {
        let tuple: &Tuple = Object::borrow(ptr).cast();
        for index in 0..tuple.len() {
            let item = tuple.items_ptr().add(index).read();
            if !item.is_null() {
                let result = visit(item, arg);
                if result != 0 {
                    return result;
                }
            }
        }
    }
    0
}
