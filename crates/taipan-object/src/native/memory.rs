//! Growable memory that a native object exports through the buffer protocol.
//!
//! Problem: a module that forbids `unsafe` cannot hand out addresses, and memory that is exported must
//! neither move nor shrink. Idea: [`Memory`] owns bytes and counts its exports; its size changes only
//! while that count is zero, and [`bf_memory`] makes the two C slots. Contents may be written by
//! consumers at any time, so the memory is read and written by short copies only.

use super::slots::{Slot, the};
use crate::buffer::fill_info;
use crate::err::{self, PyResult};
use crate::handle::{Layout, Object};
use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_int, c_void};
use taipan_abi::*;

/// Bytes that can be exported.
#[derive(Default)]
pub struct Memory {
    bytes: UnsafeCell<Vec<u8>>,
    exports: Cell<usize>,
}

impl Memory {
    /// Memory that holds these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: UnsafeCell::new(bytes), exports: Cell::new(0) }
    }

    pub fn len(&self) -> usize {
        // SAFETY: the lock is held and no reference to the vector outlives a method here.
        unsafe { (*self.bytes.get()).len() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much fits before the memory has to move.
    pub fn capacity(&self) -> usize {
        // SAFETY: as in `len`.
        unsafe { (*self.bytes.get()).capacity() }
    }

    /// Whether consumers hold the memory.
    pub fn is_exported(&self) -> bool {
        self.exports.get() != 0
    }

    /// Lets `look` see the bytes; it must not run Python code.
    pub fn with<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        // SAFETY: the lock is held; `look` gets no way to this object's methods that change the vector
        // other than through Python code, which it does not run.
        look(unsafe { &*self.bytes.get() })
    }

    /// Overwrites bytes that exist; beyond the end nothing is written.
    pub fn write(&self, offset: usize, data: &[u8]) {
        let count = data.len().min(self.len().saturating_sub(offset));
        if count != 0 {
            // SAFETY: within the vector; `data` may be an export of it.
            unsafe {
                let target = (*self.bytes.get()).as_mut_ptr().add(offset);
                core::ptr::copy(data.as_ptr(), target, count);
            }
        }
    }

    /// Changes the size; new bytes are zero.
    ///
    /// # Errors
    /// `BufferError` while the memory is exported, `MemoryError`.
    pub fn resize(&self, len: usize) -> PyResult<()> {
        if len == self.len() {
            return Ok(());
        }
        self.check_exports()?;
        // SAFETY: not exported, so nobody points into the vector.
        let bytes = unsafe { &mut *self.bytes.get() };
        if len > bytes.capacity() {
            let more = len - bytes.len();
            bytes.try_reserve(more.max(bytes.len() / 8)).map_err(|_| err::memory_error())?;
        }
        bytes.resize(len, 0);
        Ok(())
    }

    /// `BufferError` while consumers hold the memory.
    ///
    /// # Errors
    /// That one.
    pub fn check_exports(&self) -> PyResult<()> {
        if self.is_exported() {
            return Err(err::buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    /// The bytes; the memory is empty afterwards.
    ///
    /// # Errors
    /// `BufferError` while the memory is exported.
    pub fn take(&self) -> PyResult<Vec<u8>> {
        self.check_exports()?;
        // SAFETY: not exported, so nobody points into the vector.
        Ok(core::mem::take(unsafe { &mut *self.bytes.get() }))
    }

    /// Replaces the bytes.
    ///
    /// # Errors
    /// `BufferError` while the memory is exported.
    pub fn replace(&self, bytes: Vec<u8>) -> PyResult<()> {
        self.check_exports()?;
        // SAFETY: not exported, so nobody points into the vector.
        unsafe { *self.bytes.get() = bytes };
        Ok(())
    }
}

/// `bf_getbuffer` and `bf_releasebuffer` of objects that export a [`Memory`]; `memory` gives it, the
/// same one during the object's life, or an error.
pub const fn bf_memory<T: Layout, F: Fn(&T) -> PyResult<&Memory> + Copy>(_memory: F) -> [Slot; 2] {
    unsafe extern "C" fn get<T: Layout, F: Fn(&T) -> PyResult<&Memory> + Copy>(
        object: *mut PyObject,
        view: *mut Py_buffer,
        flags: c_int,
    ) -> c_int {
        // SAFETY: slot contract; the memory does not move while its count of exports is not zero.
        unsafe {
            let owner = Object::borrow(object);
            let filled = the::<F>()(owner.cast()).and_then(|memory| {
                let bytes = memory.bytes.get();
                fill_info(view, owner, (*bytes).as_mut_ptr(), (*bytes).len(), false, flags)?;
                memory.exports.set(memory.exports.get() + 1);
                Ok(())
            });
            super::convert::ret_int(filled)
        }
    }
    unsafe extern "C" fn release<T: Layout, F: Fn(&T) -> PyResult<&Memory> + Copy>(
        object: *mut PyObject,
        _: *mut Py_buffer,
    ) {
        // SAFETY: slot contract: one call for each view that was given out.
        let memory = the::<F>()(unsafe { Object::borrow(object).cast() });
        if let Ok(memory) = memory {
            memory.exports.set(memory.exports.get().saturating_sub(1));
        }
    }
    [
        Slot { id: Py_bf_getbuffer, function: get::<T, F> as getbufferproc as *mut c_void },
        Slot { id: Py_bf_releasebuffer, function: release::<T, F> as releasebufferproc as *mut c_void },
    ]
}

/// What a view of items is: the memory, the items' format and their size in bytes.
pub type Items<'a> = (&'a Memory, &'static CStr, usize);

/// As [`bf_memory`], of objects whose memory holds items of one format.
pub const fn bf_items<T: Layout, F: Fn(&T) -> Items<'_> + Copy>(_items: F) -> [Slot; 2] {
    unsafe extern "C" fn get<T: Layout, F: Fn(&T) -> Items<'_> + Copy>(
        object: *mut PyObject,
        view: *mut Py_buffer,
        flags: c_int,
    ) -> c_int {
        // SAFETY: slot contract; the memory does not move while its count of exports is not zero. The
        // number of items stands in the view itself, which stays where it is until its release.
        unsafe {
            let owner = Object::borrow(object);
            let (memory, format, size) = the::<F>()(owner.cast());
            let bytes = memory.bytes.get();
            let filled = fill_info(view, owner, (*bytes).as_mut_ptr(), (*bytes).len(), false, flags);
            if filled.is_ok() {
                memory.exports.set(memory.exports.get() + 1);
                (*view).itemsize = size.cast_signed();
                if flags & PyBUF_FORMAT == PyBUF_FORMAT {
                    (*view).format = format.as_ptr();
                }
                if flags & PyBUF_ND == PyBUF_ND {
                    (*view).internal = core::ptr::without_provenance_mut((*bytes).len() / size.max(1));
                    (*view).shape = (&raw mut (*view).internal).cast();
                }
            }
            super::convert::ret_int(filled)
        }
    }
    unsafe extern "C" fn release<T: Layout, F: Fn(&T) -> Items<'_> + Copy>(
        object: *mut PyObject,
        _: *mut Py_buffer,
    ) {
        // SAFETY: slot contract: one call for each view that was given out.
        let (memory, _, _) = the::<F>()(unsafe { Object::borrow(object).cast() });
        memory.exports.set(memory.exports.get().saturating_sub(1));
    }
    [
        Slot { id: Py_bf_getbuffer, function: get::<T, F> as getbufferproc as *mut c_void },
        Slot { id: Py_bf_releasebuffer, function: release::<T, F> as releasebufferproc as *mut c_void },
    ]
}

/// `bf_getbuffer` of objects that pass on the memory of another object, which `owner` gives.
pub const fn bf_forward<T: Layout, F: Fn(&T) -> PyResult<crate::Ref> + Copy>(_owner: F) -> Slot {
    unsafe extern "C" fn get<T: Layout, F: Fn(&T) -> PyResult<crate::Ref> + Copy>(
        object: *mut PyObject,
        view: *mut Py_buffer,
        flags: c_int,
    ) -> c_int {
        // SAFETY: slot contract; the view belongs to the other object, to which it is released.
        unsafe {
            let filled = the::<F>()(Object::borrow(object).cast())
                .and_then(|owner| crate::buffer::fill_from(view, &owner, flags));
            super::convert::ret_int(filled)
        }
    }
    Slot { id: Py_bf_getbuffer, function: get::<T, F> as getbufferproc as *mut c_void }
}

/// As [`bf_forward`], as plain bytes whatever the items of the memory are; it must be in one piece.
pub const fn bf_forward_bytes<T: Layout, F: Fn(&T) -> PyResult<crate::Ref> + Copy>(_owner: F) -> Slot {
    unsafe extern "C" fn get<T: Layout, F: Fn(&T) -> PyResult<crate::Ref> + Copy>(
        object: *mut PyObject,
        view: *mut Py_buffer,
        flags: c_int,
    ) -> c_int {
        // SAFETY: slot contract; only what describes the items is changed, in the view itself, which
        // stays where it is until its release.
        unsafe {
            let filled = the::<F>()(Object::borrow(object).cast()).and_then(|owner| {
                let wanted = PyBUF_FULL_RO | flags & PyBUF_WRITABLE;
                crate::buffer::fill_from(view, &owner, wanted)?;
                if !crate::buffer::is_contiguous(&*view, b'A') {
                    crate::buffer::release(&mut *view);
                    return Err(err::buffer_error("cannot extract raw buffer from non-contiguous buffer"));
                }
                (*view).format = c"B".as_ptr().cast_mut();
                (*view).itemsize = 1;
                (*view).ndim = 1;
                (*view).suboffsets = core::ptr::null_mut();
                (*view).shape = &raw mut (*view).len;
                (*view).strides = &raw mut (*view).itemsize;
                Ok(())
            });
            super::convert::ret_int(filled)
        }
    }
    Slot { id: Py_bf_getbuffer, function: get::<T, F> as getbufferproc as *mut c_void }
}
