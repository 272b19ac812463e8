//! The bare bones of `slice`: three objects, and the arithmetic of indices.

use crate::alloc;
use crate::err::{PyResult, type_error, value_error};
use crate::gc;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::refcount;
use crate::singletons::is_none;
use crate::statics::PySlice_Type;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

layout!(
    /// A `slice`.
    Slice, PySliceObject, "slice", |o| o.is_exact(&PySlice_Type)
);

/// Indices that a slice selects in a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub count: usize,
}

impl Range {
    /// The selected index number `i`.
    #[inline]
    pub fn at(&self, i: usize) -> usize {
        (self.start + i as isize * self.step) as usize
    }

    /// The selected indices in order.
    pub fn places(self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator {
        (0..self.count).map(move |i| self.at(i))
    }
}

/// One slice index (`None` gives the default), brought near zero or the ends when too big.
///
/// # Errors
/// `TypeError` when it is neither an integer nor `None`.
pub fn slice_index(value: &Object, default: isize) -> PyResult<isize> {
    if is_none(value) {
        return Ok(default);
    }
    if value.is_exact(&crate::statics::PyLong_Type)
        // SAFETY: an exact int.
        && let Some(value) = unsafe { value.cast::<crate::int::Int>() }.compact_value()
    {
        return Ok(value as isize);
    }
    if !crate::protocol::has_index(value) {
        return Err(type_error("slice indices must be integers or None or have an __index__ method"));
    }
    value.to_index_clamped(None)
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

    fn part(&self, pick: impl FnOnce(*mut PySliceObject) -> *mut PyObject) -> Ref {
        // SAFETY: the view guarantees the layout; parts are live objects.
        unsafe { Object::borrow(pick(self.raw())).new_ref() }
    }

    /// `PySlice_Unpack`: start, stop, step as integers.
    ///
    /// # Errors
    /// `TypeError` for parts that are no indices, `ValueError` for a step of zero.
    pub fn unpack(&self) -> PyResult<(isize, isize, isize)> {
        // SAFETY: the view guarantees the layout.
        let (step, start, stop) =
            unsafe { (self.part(|s| (*s).step), self.part(|s| (*s).start), self.part(|s| (*s).stop)) };
        let step = slice_index(&step, 1)?;
        if step == 0 {
            return Err(value_error("slice step cannot be zero"));
        }
        let step = step.max(-isize::MAX);
        let start = slice_index(&start, if step < 0 { isize::MAX } else { 0 })?;
        let stop = slice_index(&stop, if step < 0 { isize::MIN } else { isize::MAX })?;
        Ok((start, stop, step))
    }
}

/// `PySlice_AdjustIndices`.
pub fn adjust(len: usize, start: isize, stop: isize, step: isize) -> Range {
    let len = len.cast_signed();
    let clamp = |value: isize| {
        if value < 0 {
            let from_end = value + len;
            if from_end < 0 { if step < 0 { -1 } else { 0 } } else { from_end }
        } else if value >= len {
            if step < 0 { len - 1 } else { len }
        } else {
            value
        }
    };
    let (start, stop) = (clamp(start), clamp(stop));
    let count = if step < 0 {
        if stop < start { (start - stop - 1) / -step + 1 } else { 0 }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    Range { start, stop, step, count: count as usize }
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

#[cfg(test)]
mod tests {
    use super::adjust;

    #[test]
    fn indices() {
        let r = adjust(5, isize::MAX, isize::MIN, -2);
        assert_eq!((r.start, r.count, r.at(2)), (4, 3, 0));
        assert_eq!(adjust(5, 1, -1, 1).count, 3);
        assert_eq!(adjust(0, 0, isize::MAX, 1).count, 0);
        assert_eq!(adjust(5, 3, 1, 1).count, 0);
    }
}
