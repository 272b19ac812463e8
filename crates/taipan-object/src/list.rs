//! The bare bones of `list`: a vector of owned references that C code reads and writes inline.
//!
//! Invariants: `ob_item` has room for `allocated` pointers, the first `ob_size` of them own a
//! reference. Items may be replaced by any Python code that runs, so no slice of them is ever held
//! across a call: readers take a new reference to one item at a time.

use crate::alloc;
use crate::err::PyResult;
use crate::gc;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::refcount;
use crate::statics::PyList_Type;
use crate::tuple::Tuple;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

layout!(
    /// A `list` or an instance of a subclass.
    List, PyListObject, "list", |o| o.ty().has_flag(Py_TPFLAGS_LIST_SUBCLASS)
);

impl List {
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_base.ob_size as usize }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first item; null in an empty list.
    #[inline(always)]
    pub fn items_ptr(&self) -> *mut *mut PyObject {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_item }
    }

    /// A new reference to an item.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Ref> {
        if index >= self.len() {
            return None;
        }
        // SAFETY: the index was checked.
        Some(unsafe { Object::borrow(self.items_ptr().add(index).read()).new_ref() })
    }

    /// A new, empty list.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new() -> PyResult<Ref<List>> {
        let block = alloc::small_alloc::<56>();
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: the block holds header and list.
        unsafe {
            block.cast::<[usize; 2]>().write([0; 2]);
            let raw = block.add(alloc::GC_HEAD).cast::<PyListObject>();
            alloc::init_object(raw.cast(), &PyList_Type);
            (*raw).ob_base.ob_size = 0;
            (*raw).ob_item = core::ptr::null_mut();
            (*raw).allocated = 0;
            gc::track_ptr(raw.cast());
            Ok(Ref::steal(raw.cast()))
        }
    }

    /// A new, empty list with room for `capacity` items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn with_capacity(capacity: usize) -> PyResult<Ref<List>> {
        let list = Self::new()?;
        if capacity > 0 {
            list.set_allocated(capacity)?;
        }
        Ok(list)
    }

    /// A new list that takes over the items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_vec(items: Vec<Ref>) -> PyResult<Ref<List>> {
        let list = Self::with_capacity(items.len())?;
        for (index, item) in items.into_iter().enumerate() {
            // SAFETY: there is room.
            unsafe {
                list.items_ptr().add(index).write(item.into_ptr());
                (*list.raw()).ob_base.ob_size = index.cast_signed() + 1;
            }
        }
        Ok(list)
    }

    /// New references to all items, as they are now.
    pub fn to_vec(&self) -> Vec<Ref> {
        (0..self.len()).map_while(|index| self.get(index)).collect()
    }

    /// The items as a new tuple.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn to_tuple(&self) -> PyResult<Ref<Tuple>> {
        Tuple::from_vec(self.to_vec())
    }

    /// Reallocates the vector to exactly `allocated` items.
    fn set_allocated(&self, allocated: usize) -> PyResult<()> {
        let size = allocated.checked_mul(8).ok_or_else(alloc::no_memory)?;
        // SAFETY: the vector came from this allocator.
        unsafe {
            let raw = self.raw();
            let block = alloc::realloc((*raw).ob_item.cast(), size);
            if block.is_null() {
                return Err(alloc::no_memory());
            }
            (*raw).ob_item = block.cast();
            (*raw).allocated = allocated.cast_signed();
        }
        Ok(())
    }

    /// Makes room for `len` items in all, growing in CPython's proportions so that appending is
    /// linear on the whole. `ob_size` stays.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn reserve_total(&self, len: usize) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        let allocated = unsafe { (*self.raw()).allocated as usize };
        if len <= allocated {
            return Ok(());
        }
        let mut grown = (len + (len >> 3) + 6) & !3;
        if len - self.len() > grown - len {
            grown = (len + 3) & !3;
        }
        self.set_allocated(grown)
    }

    /// As [`Self::reserve_total`], but exactly (rounded up to pairs) for a list without memory.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn reserve_exact_total(&self, len: usize) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        if unsafe { (*self.raw()).ob_item.is_null() } && len > 0 {
            return self.set_allocated((len + 1) & !1);
        }
        self.reserve_total(len)
    }

    /// Gives memory back after the list has become much shorter.
    pub fn shrink(&self) {
        let len = self.len();
        // SAFETY: the view guarantees the layout.
        unsafe {
            let raw = self.raw();
            if len == 0 {
                let items = core::mem::replace(&mut (*raw).ob_item, core::ptr::null_mut());
                (*raw).allocated = 0;
                alloc::free(items.cast());
            } else if len < (*raw).allocated as usize / 2 {
                // Keeping too much memory is not an error.
                let _ = self.set_allocated((len + (len >> 3) + 6) & !3);
            }
        }
    }

    /// Adds an item at the end.
    ///
    /// # Errors
    /// `MemoryError`.
    #[inline]
    pub fn append(&self, item: Ref) -> PyResult<()> {
        let len = self.len();
        // SAFETY: room is made before the store.
        unsafe {
            if (*self.raw()).allocated as usize <= len {
                self.reserve_total(len + 1)?;
            }
            self.items_ptr().add(len).write(item.into_ptr());
            (*self.raw()).ob_base.ob_size = len.cast_signed() + 1;
        }
        Ok(())
    }

    /// Replaces an item and returns the old one; gives `item` back when there is no such index.
    pub fn replace(&self, index: usize, item: Ref) -> Result<Ref, Ref> {
        if index >= self.len() {
            return Err(item);
        }
        // SAFETY: the index was checked.
        Ok(unsafe { Ref::steal(self.items_ptr().add(index).replace(item.into_ptr())) })
    }

    /// Inserts an item before `index`, which is at most the length.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn insert(&self, index: usize, item: Ref) -> PyResult<()> {
        let len = self.len();
        let index = index.min(len);
        self.reserve_total(len + 1)?;
        // SAFETY: there is room for one more.
        unsafe {
            let at = self.items_ptr().add(index);
            core::ptr::copy(at, at.add(1), len - index);
            at.write(item.into_ptr());
            (*self.raw()).ob_base.ob_size = len.cast_signed() + 1;
        }
        Ok(())
    }

    /// Takes an item out.
    pub fn remove(&self, index: usize) -> Option<Ref> {
        let len = self.len();
        if index >= len {
            return None;
        }
        // SAFETY: the index was checked.
        unsafe {
            let at = self.items_ptr().add(index);
            let item = at.read();
            core::ptr::copy(at.add(1), at, len - index - 1);
            (*self.raw()).ob_base.ob_size = len.cast_signed() - 1;
            if len - 1 < (*self.raw()).allocated as usize / 2 {
                self.shrink();
            }
            Some(Ref::steal(item))
        }
    }

    /// Puts `items` in place of the range and returns what stood there.
    ///
    /// # Errors
    /// `MemoryError`; the list is unchanged then.
    pub fn splice(&self, from: usize, to: usize, items: Vec<Ref>) -> PyResult<Vec<Ref>> {
        let len = self.len();
        let (from, to) = (from.min(len), to.clamp(from.min(len), len));
        let new_len = len - (to - from) + items.len();
        self.reserve_total(new_len)?;
        // SAFETY: room for the new length; the removed references move into the result.
        unsafe {
            let base = self.items_ptr();
            let removed = (from..to).map(|index| Ref::steal(base.add(index).read())).collect();
            core::ptr::copy(base.add(to), base.add(from + items.len()), len - to);
            for (index, item) in items.into_iter().enumerate() {
                base.add(from + index).write(item.into_ptr());
            }
            (*self.raw()).ob_base.ob_size = new_len.cast_signed();
            if new_len < len {
                self.shrink();
            }
            Ok(removed)
        }
    }

    /// Replaces as many items as another list has, which is not this one; they are there.
    pub fn overwrite(&self, from: usize, items: &List) {
        assert!(from + items.len() <= self.len() && !self.is(items), "the items lie within the list");
        let mut old = Vec::with_capacity(items.len());
        // SAFETY: places within two different lists; nothing runs until all are replaced.
        unsafe {
            for index in 0..items.len() {
                let item = items.items_ptr().add(index).read();
                refcount::incref(item);
                old.push(Ref::<Object>::steal(self.items_ptr().add(from + index).replace(item)));
            }
        }
        drop(old);
    }

    /// A new list of the selected items, which lie within the list.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn copy_range(&self, range: crate::slice::Range) -> PyResult<Ref<List>> {
        let new = List::with_capacity(range.count)?;
        // SAFETY: the places lie within the list; the new one has room for as many.
        unsafe {
            let (from, to) = (self.items_ptr(), new.items_ptr());
            for (index, place) in range.places().enumerate() {
                debug_assert!(place < self.len());
                let item = from.add(place).read();
                refcount::incref(item);
                to.add(index).write(item);
            }
            (*new.raw()).ob_base.ob_size = range.count.cast_signed();
        }
        Ok(new)
    }

    /// Empties the list; the items are released after it has become empty.
    pub fn clear(&self) {
        // SAFETY: the old vector is taken out whole before anything is released.
        unsafe {
            let raw = self.raw();
            let items = core::mem::replace(&mut (*raw).ob_item, core::ptr::null_mut());
            let len = core::mem::replace(&mut (*raw).ob_base.ob_size, 0) as usize;
            (*raw).allocated = 0;
            for index in (0..len).rev() {
                refcount::xdecref(items.add(index).read());
            }
            alloc::free(items.cast());
        }
    }
}

/// `tp_dealloc` of `list`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let object = Object::borrow(ptr);
        gc::untrack_ptr(ptr);
        object.cast::<List>().clear();
        if object.is_exact(&PyList_Type) {
            alloc::small_free::<56>(ptr.cast::<u8>().sub(alloc::GC_HEAD));
        } else if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

/// `tp_traverse` of `list`.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live list.
    unsafe {
        let list: &List = Object::borrow(ptr).cast();
        for index in 0..list.len() {
            let item = list.items_ptr().add(index).read();
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

/// `tp_clear` of `list`.
///
/// # Safety
/// As every `tp_clear`.
pub unsafe extern "C" fn tp_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live list.
    unsafe { Object::borrow(ptr).cast::<List>().clear() };
    0
}
