//! The bare bones of `bytes` and `bytearray`.

use crate::alloc;
use crate::err::PyResult;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::statics::{PyByteArray_Type, PyBytes_Type};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};
use taipan_abi::*;

layout!(
    /// A `bytes` or an instance of a subclass.
    Bytes, PyBytesObject, "bytes", |o| o.ty().has_flag(Py_TPFLAGS_BYTES_SUBCLASS)
);
layout!(
    /// A `bytearray` or an instance of a subclass.
    ByteArray, PyByteArrayObject, "bytearray", |o| o.ty().is_subtype(&PyByteArray_Type)
);

impl Bytes {
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_base.ob_size as usize }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the data.
    #[inline]
    pub fn data_ptr(&self) -> *mut u8 {
        // SAFETY: the view guarantees the layout.
        unsafe { (&raw mut (*self.raw()).ob_sval).cast() }
    }

    /// The data; a bytes object never changes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` bytes stand at the address.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }

    /// A new bytes object.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(data: &[u8]) -> PyResult<Ref<Bytes>> {
        match data {
            [] => Ok(Ref::of(cached(256))),
            [byte] => Ok(Ref::of(cached(usize::from(*byte)))),
            _ => Self::new_uncached(data),
        }
    }

    fn new_uncached(data: &[u8]) -> PyResult<Ref<Bytes>> {
        let new = Self::with_room(data.len())?;
        // SAFETY: room for that many bytes, not yet shared.
        unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), new.data_ptr(), data.len()) };
        Ok(new)
    }

    /// A bytes object with room for `len` bytes, which the caller fills before anybody else sees it.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn with_room(len: usize) -> PyResult<Ref<Bytes>> {
        let size = len.checked_add(33).ok_or_else(alloc::no_memory)?;
        let block = alloc::malloc(size);
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: fresh memory of the right size.
        unsafe {
            let raw = block.cast::<PyBytesObject>();
            alloc::init_object(raw.cast(), &PyBytes_Type);
            (*raw).ob_base.ob_size = len.cast_signed();
            (*raw).ob_shash = -1;
            let new: Ref<Bytes> = Ref::steal(raw.cast());
            new.data_ptr().add(len).write(0);
            Ok(new)
        }
    }

    /// A bytes object of `len` bytes that `fill` writes (they are zero before); it says how many there are
    /// in the end.
    ///
    /// # Errors
    /// `MemoryError`; what `fill` gives.
    pub fn filled<E>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> PyResult<Result<Ref<Bytes>, E>> {
        let new = Self::with_room(len)?;
        // SAFETY: `len` bytes of fresh memory that nobody else can see.
        let room = unsafe {
            core::ptr::write_bytes(new.data_ptr(), 0, len);
            core::slice::from_raw_parts_mut(new.data_ptr(), len)
        };
        match fill(room) {
            Err(error) => Ok(Err(error)),
            Ok(count) if count >= len => Ok(Ok(new)),
            Ok(count) => Self::new(&new.as_slice()[..count]).map(Ok),
        }
    }

    /// The hash, computed once.
    pub fn hash(&self) -> isize {
        // SAFETY: the view guarantees the layout.
        unsafe {
            if (*self.raw()).ob_shash == -1 {
                (*self.raw()).ob_shash = crate::unicode::hash_bytes(self.as_slice());
            }
            (*self.raw()).ob_shash
        }
    }
}

/// The one object of each single byte; index 256 is the empty bytes.
fn cached(index: usize) -> &'static Bytes {
    static CACHE: [AtomicPtr<PyObject>; 257] = [const { AtomicPtr::new(null_mut()) }; 257];
    let mut ptr = CACHE[index].load(Ordering::Acquire);
    if ptr.is_null() {
        let data: &[u8] = if index == 256 { &[] } else { &[index as u8] };
        let Ok(new) = Bytes::new_uncached(data) else { crate::err::fatal_no_memory() };
        new.hash();
        crate::refcount::make_immortal(&new);
        ptr = new.as_ptr();
        CACHE[index].store(ptr, Ordering::Release);
    }
    // SAFETY: immortal, and a bytes object.
    unsafe { Object::borrow(ptr).cast() }
}

/// What an empty bytearray's data pointer points to.
#[unsafe(no_mangle)]
pub static _PyByteArray_empty_string: [u8; 1] = [0];

impl ByteArray {
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_base.ob_size as usize }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the data (valid until the next change of size).
    pub fn data_ptr(&self) -> *mut u8 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_start.cast_mut().cast() }
    }

    /// A copy of the data: the object may change whenever Python code runs.
    pub fn to_vec(&self) -> Vec<u8> {
        // SAFETY: `len` bytes stand at the address.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }.to_vec()
    }
}
