//! The bare bones of `slice`, and the arithmetic of slicing that every sequence shares.
//!
//! Slicing has two steps. [`Slice::unpack`] asks `__index__` of the three parts, which may run any
//! Python code; [`Bounds::adjust`] then fits them to the length that the sequence has *afterwards*.

use crate::alloc;
use crate::err::{self, PyResult};
use crate::gc;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::protocol::is_index;
use crate::refcount;
use crate::singletons::is_none;
use crate::statics::PySlice_Type;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

layout!(
    /// A `slice`.
    Slice, PySliceObject, "slice", |o| o.is_exact(&PySlice_Type)
);

/// Start, stop and step as machine integers, not yet fitted to a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
}

/// The places that a slice selects in a sequence: `count` of them from `start` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub count: usize,
}

impl Selection {
    /// The selected places in order.
    pub fn places(self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator {
        (0..self.count).map(move |n| (self.start + n.cast_signed() * self.step) as usize)
    }
}

impl Bounds {
    /// Fits the bounds to a sequence of `len` items.
    pub fn adjust(self, len: usize) -> Selection {
        let len = len.cast_signed();
        let (low, high) = if self.step < 0 { (-1, len - 1) } else { (0, len) };
        let fit = |place: isize| (if place < 0 { place.saturating_add(len) } else { place }).clamp(low, high);
        let (start, stop) = (fit(self.start), fit(self.stop));
        let count = if self.step < 0 && stop < start {
            (start - stop - 1) as usize / self.step.unsigned_abs() + 1
        } else if self.step > 0 && start < stop {
            (stop - start - 1) as usize / self.step.unsigned_abs() + 1
        } else {
            0
        };
        Selection { start, stop, step: self.step, count }
    }
}

/// A part of a slice as an index; beyond the range of machine integers the nearest one.
///
/// # Errors
/// `TypeError` when it is neither `None` nor an integer; what `__index__` raises.
pub fn slice_index(object: &Object) -> PyResult<isize> {
    if is_index(object) {
        return object.to_index_clamped(None);
    }
    Err(err::type_error("slice indices must be integers or None or have an __index__ method"))
}

impl Slice {
    /// A new slice.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(start: &Object, stop: &Object, step: &Object) -> PyResult<Ref<Slice>> {
        let block = alloc::small_alloc::<56>();
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: the block holds header and slice.
        unsafe {
            block.cast::<[usize; 2]>().write([0; 2]);
            let raw = block.add(alloc::GC_HEAD).cast::<PySliceObject>();
            alloc::init_object(raw.cast(), &PySlice_Type);
            (*raw).start = start.new_ref().into_ptr();
            (*raw).stop = stop.new_ref().into_ptr();
            (*raw).step = step.new_ref().into_ptr();
            gc::track_ptr(raw.cast());
            Ok(Ref::steal(raw.cast()))
        }
    }

    #[inline]
    pub fn start(&self) -> &Object {
        // SAFETY: set at creation, never changed, never null.
        unsafe { Object::borrow((*self.raw()).start) }
    }

    #[inline]
    pub fn stop(&self) -> &Object {
        // SAFETY: as for `start`.
        unsafe { Object::borrow((*self.raw()).stop) }
    }

    #[inline]
    pub fn step(&self) -> &Object {
        // SAFETY: as for `start`.
        unsafe { Object::borrow((*self.raw()).step) }
    }

    /// The three parts as machine integers.
    ///
    /// # Errors
    /// `TypeError` for parts that are no integers, `ValueError` for a step of zero; what `__index__`
    /// raises.
    pub fn unpack(&self) -> PyResult<Bounds> {
        let step = if is_none(self.step()) {
            1
        } else {
            match slice_index(self.step())? {
                0 => return Err(err::value_error("slice step cannot be zero")),
                // So that a step can always be negated.
                step => step.max(-isize::MAX),
            }
        };
        let part =
            |part: &Object, default: isize| if is_none(part) { Ok(default) } else { slice_index(part) };
        let (first, last) = if step < 0 { (isize::MAX, isize::MIN) } else { (0, isize::MAX) };
        let start = part(self.start(), first)?;
        let stop = part(self.stop(), last)?;
        Ok(Bounds { start, stop, step })
    }
}

/// `tp_dealloc` of `slice`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; slices have no subclasses.
    unsafe {
        let raw = ptr.cast::<PySliceObject>();
        gc::untrack_ptr(ptr);
        refcount::decref((*raw).start);
        refcount::decref((*raw).stop);
        refcount::decref((*raw).step);
        alloc::small_free::<56>(ptr.cast::<u8>().sub(alloc::GC_HEAD));
    }
}

/// `tp_traverse` of `slice`.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live slice.
    unsafe {
        let raw = ptr.cast::<PySliceObject>();
        crate::instance::visit_all(&[(*raw).start, (*raw).stop, (*raw).step], visit, arg)
    }
}
