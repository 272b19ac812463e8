//! Buffers of other objects (PEP 3118), and bytes out of objects.
//!
//! Idea: a [`Buffer`] is an acquired `Py_buffer` that is released when dropped; it lives in a box
//! because exporters may point `shape` at the struct's own `len`. The memory behind it may be
//! written by anybody while Python code runs: slices are for short looks, copies for the rest.

use crate::alloc;
use crate::bytes::Bytes;
use crate::err::{self, PyResult, type_error, value_error};
use crate::handle::{Object, Ref};
use crate::int::Int;
use crate::intern;
use crate::list::List;
use crate::native::from_c_int;
use crate::protocol;
use crate::raise;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use core::ptr::null_mut;
use taipan_abi::*;

/// An acquired buffer.
pub struct Buffer(Box<Py_buffer>);

/// A `Py_buffer` of nulls, for exporters to fill.
pub fn empty_view() -> Py_buffer {
    // SAFETY: null pointers and zeros are valid in every field.
    unsafe { core::mem::zeroed() }
}

/// Whether an object exports a buffer.
pub fn has_buffer(object: &Object) -> bool {
    // SAFETY: a live type with null or a valid table.
    unsafe { (*object.ty().raw()).tp_as_buffer.as_ref().is_some_and(|table| table.bf_getbuffer.is_some()) }
}

/// Lets an object fill a view (`PyObject_GetBuffer`).
///
/// # Safety
/// `view` is writable, and stays where it is until it is released.
///
/// # Errors
/// `TypeError` when the object exports none; what the exporter raises.
pub unsafe fn fill_from(view: *mut Py_buffer, object: &Object, flags: i32) -> PyResult<()> {
    // SAFETY: slot contract; forwarded contract.
    unsafe {
        let slot = (*object.ty().raw()).tp_as_buffer.as_ref().and_then(|table| table.bf_getbuffer);
        let Some(slot) = slot else {
            return Err(raise!(
                PyExc_TypeError,
                "a bytes-like object is required, not '{}'",
                object.ty().message_name()
            ));
        };
        if slot(object.as_ptr(), view, flags) < 0 { Err(err::fetch()) } else { Ok(()) }
    }
}

impl Buffer {
    /// Acquires a buffer with these `PyBUF_` flags.
    ///
    /// # Errors
    /// `TypeError` when the object exports none; what the exporter raises.
    pub fn get(object: &Object, flags: i32) -> PyResult<Buffer> {
        let mut view = Box::new(empty_view());
        // SAFETY: the view is ours and stays where it is.
        unsafe { fill_from(&mut *view, object, flags)? };
        Ok(Buffer(view))
    }

    /// Acquires a contiguous readable buffer.
    ///
    /// # Errors
    /// As [`Buffer::get`].
    pub fn simple(object: &Object) -> PyResult<Buffer> {
        Self::get(object, PyBUF_SIMPLE)
    }

    /// The struct.
    pub fn view(&self) -> &Py_buffer {
        &self.0
    }

    /// The object whose memory it is; it lives as long as the buffer.
    pub fn owner(&self) -> Option<&Object> {
        // SAFETY: a reference that the view owns, or null.
        unsafe { Object::borrow_opt(self.0.obj) }
    }

    /// The memory of a contiguous buffer. Do not hold it while Python code can run.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        if self.0.buf.is_null() || self.0.len <= 0 {
            return &[];
        }
        // SAFETY: the exporter keeps `len` bytes alive until the release.
        unsafe { core::slice::from_raw_parts(self.0.buf.cast(), self.0.len as usize) }
    }

    /// Acquires a contiguous writable buffer.
    ///
    /// # Errors
    /// As [`Buffer::get`].
    pub fn writable(object: &Object) -> PyResult<Buffer> {
        Self::get(object, PyBUF_WRITABLE)
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len.max(0) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes into a contiguous writable buffer from `offset` on, as much as there is room for; gives
    /// how much that was.
    pub fn write_at(&self, offset: usize, data: &[u8]) -> usize {
        let room = self.len().saturating_sub(offset);
        let count = data.len().min(room);
        if count == 0 || self.0.readonly != 0 {
            return 0;
        }
        // SAFETY: the exporter keeps `len` writable bytes alive; `data` may lie in the same memory.
        unsafe { core::ptr::copy(data.as_ptr(), self.0.buf.cast::<u8>().add(offset), count) };
        count
    }

    /// A copy of the bytes in C order, whatever the layout.
    pub fn to_vec(&self) -> Vec<u8> {
        if is_contiguous(&self.0, b'C') {
            return self.as_slice().to_vec();
        }
        let mut out = Vec::with_capacity(self.0.len.max(0) as usize);
        // SAFETY: the exporter describes its memory by shape, strides and suboffsets.
        unsafe { copy_out(&self.0, 0, self.0.buf.cast(), &mut out) };
        out
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: acquired in `get`, released here once.
        unsafe { release(&mut self.0) }
    }
}

/// `PyBuffer_Release`.
///
/// # Safety
/// `view` was filled by an exporter or is empty.
pub unsafe fn release(view: &mut Py_buffer) {
    // SAFETY: `obj` is null or the exporter, of which the view owns a reference.
    unsafe {
        let owner = core::mem::replace(&mut view.obj, null_mut());
        if owner.is_null() {
            return;
        }
        let slot = (*(*owner).ob_type).tp_as_buffer.as_ref().and_then(|table| table.bf_releasebuffer);
        if let Some(slot) = slot {
            let pending = err::fetch_opt();
            view.obj = owner;
            slot(owner, view);
            view.obj = null_mut();
            if let Some(error) = pending {
                err::restore(error);
            }
        }
        drop(Ref::<Object>::steal(owner));
    }
}

/// One dimension's length of a view.
///
/// # Safety
/// `view` is a valid buffer and `dim` below `ndim`.
unsafe fn shape_at(view: &Py_buffer, dim: usize) -> isize {
    // SAFETY: a null shape means one dimension of bytes.
    unsafe { if view.shape.is_null() { view.len / view.itemsize.max(1) } else { *view.shape.add(dim) } }
}

/// Whether a buffer lies in one piece in the given order (`C`, `F`, or `A` for either).
pub fn is_contiguous(view: &Py_buffer, order: u8) -> bool {
    if !view.suboffsets.is_null() {
        return false;
    }
    if view.strides.is_null() || view.len == 0 {
        return order != b'F' || view.ndim <= 1 || view.len == 0;
    }
    let n = view.ndim.max(0) as usize;
    let check = |dims: &mut dyn Iterator<Item = usize>| {
        let mut expected = view.itemsize;
        for dim in dims {
            // SAFETY: shape and strides have `ndim` entries.
            let (length, stride) = unsafe { (shape_at(view, dim), *view.strides.add(dim)) };
            if length > 1 && stride != expected {
                return false;
            }
            expected *= length;
        }
        true
    };
    match order {
        b'C' => check(&mut (0..n).rev()),
        b'F' => check(&mut (0..n)),
        _ => check(&mut (0..n).rev()) || check(&mut (0..n)),
    }
}

/// Copies items in C order.
///
/// # Safety
/// `at` is the address of the sub-array of `view` that `dim` walks over.
unsafe fn copy_out(view: &Py_buffer, dim: usize, at: *const u8, out: &mut Vec<u8>) {
    let n = view.ndim.max(0) as usize;
    // SAFETY: the exporter's description of its memory.
    unsafe {
        if dim >= n {
            out.extend_from_slice(core::slice::from_raw_parts(at, view.itemsize as usize));
            return;
        }
        let stride = if view.strides.is_null() { view.itemsize } else { *view.strides.add(dim) };
        for index in 0..shape_at(view, dim) {
            let mut item = at.offset(index * stride);
            if !view.suboffsets.is_null() && *view.suboffsets.add(dim) >= 0 {
                item = (*item.cast::<*const u8>()).offset(*view.suboffsets.add(dim));
            }
            copy_out(view, dim + 1, item, out);
        }
    }
}

/// `PyBuffer_FillInfo`: describes one piece of bytes.
///
/// # Errors
/// `BufferError` when a writable view of read-only memory is asked for.
/// # Safety
/// `view` is the consumer's; `data` stays valid while `owner` is kept by it.
pub unsafe fn fill_info(
    view: *mut Py_buffer,
    owner: &Object,
    data: *mut u8,
    len: usize,
    readonly: bool,
    flags: i32,
) -> PyResult<()> {
    if view.is_null() {
        return Err(err::buffer_error("PyBuffer_FillInfo: view==NULL argument is obsolete"));
    }
    // SAFETY: the consumer's struct.
    unsafe {
        if flags != PyBUF_SIMPLE && (flags == PyBUF_READ || flags == PyBUF_WRITE) {
            return Err(err::system_error("bad argument to internal function"));
        }
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE && readonly {
            (*view).obj = null_mut();
            return Err(err::buffer_error("Object is not writable."));
        }
        (*view).obj = owner.new_ref().into_ptr();
        (*view).buf = data.cast();
        (*view).len = len.cast_signed();
        (*view).readonly = i32::from(readonly);
        (*view).itemsize = 1;
        (*view).format = if flags & PyBUF_FORMAT == PyBUF_FORMAT { c"B".as_ptr() } else { core::ptr::null() };
        (*view).ndim = 1;
        (*view).shape = if flags & PyBUF_ND == PyBUF_ND { &raw mut (*view).len } else { null_mut() };
        (*view).strides =
            if flags & PyBUF_STRIDES == PyBUF_STRIDES { &raw mut (*view).itemsize } else { null_mut() };
        (*view).suboffsets = null_mut();
        (*view).internal = null_mut();
    }
    Ok(())
}

/// Whether the getbuffer slot's status means success: for wrappers that call it themselves.
///
/// # Errors
/// The exception in the indicator.
pub fn status(code: i32) -> PyResult<()> {
    from_c_int(code as isize).map(drop)
}

/// The value of a byte: an integer from 0 to 255.
///
/// # Errors
/// `TypeError`, or `ValueError` with `message` out of range.
pub fn byte_value(object: &Object, message: &str) -> PyResult<u8> {
    let value = object.to_index_clamped(None)?;
    u8::try_from(value).map_err(|_| value_error(message))
}

/// The items of an iterable of small integers.
///
/// # Errors
/// What the iteration raises, `ValueError` for values out of range.
pub fn bytes_from_iterable(object: &Object) -> PyResult<Vec<u8>> {
    const RANGE: &str = "bytes must be in range(0, 256)";
    let mut out = Vec::new();
    if object.is_exact(&PyList_Type)
        && let Some(list) = object.downcast::<List>()
    {
        // `__index__` may change the list: look it up anew for each item.
        let mut index = 0;
        while let Some(item) = list.get(index) {
            out.push(byte_value(&item, RANGE)?);
            index += 1;
        }
        return Ok(out);
    }
    if object.is_exact(&PyTuple_Type)
        && let Some(tuple) = object.downcast::<Tuple>()
    {
        for item in tuple.items() {
            out.push(byte_value(item, RANGE)?);
        }
        return Ok(out);
    }
    protocol::iterate(object, |item| {
        out.push(byte_value(&item, RANGE)?);
        Ok(protocol::IterStep::Continue)
    })?;
    Ok(out)
}

/// `PyBytes_FromObject`: a buffer's contents or an iterable's items.
///
/// # Errors
/// `TypeError` when the object is neither.
pub fn bytes_from_object(object: &Object) -> PyResult<Vec<u8>> {
    if has_buffer(object) {
        return Ok(Buffer::get(object, PyBUF_FULL_RO)?.to_vec());
    }
    let is_text = object.downcast::<Str>().is_some();
    // SAFETY: a live type.
    let iterable = unsafe { (*object.ty().raw()).tp_iter.is_some() }
        || object.ty().lookup(intern!("__getitem__")).is_some();
    let refusal =
        || raise!(PyExc_TypeError, "cannot convert '{}' object to bytes", object.ty().message_name());
    if is_text || !iterable {
        return Err(refusal());
    }
    if object.is_exact(&PyList_Type) || object.is_exact(&PyTuple_Type) {
        return bytes_from_iterable(object);
    }
    let iterator =
        object.iter().map_err(|error| if error.is(&PyExc_TypeError) { refusal() } else { error })?;
    bytes_from_iterable(&iterator)
}

/// What `__bytes__` gives, if the object has it.
///
/// # Errors
/// What the method raises; `TypeError` when it gives no bytes.
pub fn special_bytes(object: &Object) -> PyResult<Option<Ref<Bytes>>> {
    let Some(made) = protocol::special_opt(object, intern!("__bytes__"), &[])? else { return Ok(None) };
    match made.downcast_owned::<Bytes>() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(other) => {
            Err(type_error(&format!("__bytes__ returned non-bytes (type {})", other.ty().message_name())))
        }
    }
}

/// `PyObject_Bytes`: exact bytes, `__bytes__`, or as [`bytes_from_object`].
///
/// # Errors
/// `TypeError` when the object cannot be bytes.
pub fn object_bytes(object: &Object) -> PyResult<Ref<Bytes>> {
    if object.is_exact(&PyBytes_Type)
        && let Some(bytes) = object.downcast::<Bytes>()
    {
        return Ok(Ref::of(bytes));
    }
    if let Some(bytes) = special_bytes(object)? {
        return Ok(bytes);
    }
    Bytes::new(&bytes_from_object(object)?)
}

/// Memory for an instance of `ty`, through its `tp_alloc`.
///
/// # Errors
/// `MemoryError`.
pub fn alloc_instance(ty: &crate::handle::Type, items: usize) -> PyResult {
    alloc::generic_alloc(ty, items.cast_signed())
}

/// An index-sized integer object.
pub fn index_object(value: usize) -> Ref {
    Int::from_usize(value).upcast()
}
