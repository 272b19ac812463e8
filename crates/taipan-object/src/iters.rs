//! Layouts of the iterators that the evaluator steps itself: over lists, tuples and ranges.

use taipan_abi::PyObject;

/// `list_iterator` and `tuple_iterator`.
#[repr(C)]
pub struct RawIndexIterator {
    pub head: PyObject,
    pub index: isize,
    /// Owned; null once the iteration has ended.
    pub sequence: *mut PyObject,
}
const _: () = assert!(size_of::<RawIndexIterator>() == 32);

/// `range_iterator` over machine integers.
#[repr(C)]
pub struct RawRangeIterator {
    pub head: PyObject,
    pub next: i64,
    pub step: i64,
    /// Items left.
    pub left: i64,
}
const _: () = assert!(size_of::<RawRangeIterator>() == 40);
