//! The bare bones of `slice`: three objects, and the arithmetic of indices.

use crate::err::{PyResult, type_error, value_error};
use crate::handle::{Object, Ref};
use crate::layout;
use crate::singletons::is_none;
use crate::statics::PySlice_Type;
use taipan_abi::PySliceObject;

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
}

/// One slice index (`None` gives the default), brought near zero or the ends when too big.
///
/// # Errors
/// `TypeError` when it is neither an integer nor `None`.
pub fn slice_index(value: &Object, default: isize) -> PyResult<isize> {
    if is_none(value) {
        return Ok(default);
    }
    if !crate::protocol::has_index(value) {
        return Err(type_error("slice indices must be integers or None or have an __index__ method"));
    }
    value.to_index_clamped(None)
}

impl Slice {
    fn part(&self, pick: impl FnOnce(*mut PySliceObject) -> *mut taipan_abi::PyObject) -> Ref {
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
