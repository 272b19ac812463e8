//! `bytes` and `bytearray`: `methods` what both have, `make` construction, `array` what changes a
//! bytearray, `iter`.
//!
//! Arguments are read first, because reading them may run Python code that changes a bytearray;
//! only then is its data looked at.

mod array;
mod iter;
mod make;
mod methods;

pub use array::{BYTEARRAY_SPEC, resize as bytearray_resize};
pub use iter::{BYTEARRAY_ITER_SPEC, BYTES_ITER_SPEC};
pub use methods::{from_hex, hex_text, repr_literal};

use taipan_object::buffer::Buffer;
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, not_implemented};
use taipan_object::slice::{Slice, adjust};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Layout, Object, PyResult, Ref, err, protocol, raise};

/// What `bytes` and `bytearray` have in common.
pub(crate) trait Bytelike: Layout {
    /// The data, valid until Python code runs.
    fn data(&self) -> &[u8];
    /// A new object of the exact type.
    fn make(data: &[u8]) -> PyResult<Ref>;
    /// The object itself where an unchanged copy may be it.
    fn unchanged(&self) -> PyResult<Ref>;
    /// The view as any object.
    fn object(&self) -> &Object;
    /// Forbids a change of size while Python code reads the arguments of an operation.
    fn hold(&self) -> Hold<'_> {
        Hold(None)
    }
}

/// Counts as an export of a bytearray's buffer while it lives.
pub(crate) struct Hold<'a>(Option<&'a ByteArray>);

impl<'a> Hold<'a> {
    fn new(array: &'a ByteArray) -> Self {
        // SAFETY: the view guarantees the layout.
        unsafe { (*array.raw()).ob_exports += 1 };
        Hold(Some(array))
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if let Some(array) = self.0 {
            // SAFETY: the view guarantees the layout; the count was raised in `new`.
            unsafe { (*array.raw()).ob_exports -= 1 };
        }
    }
}

impl Bytelike for Bytes {
    fn data(&self) -> &[u8] {
        self.as_slice()
    }
    fn make(data: &[u8]) -> PyResult<Ref> {
        Bytes::new(data).map(Ref::upcast)
    }
    fn unchanged(&self) -> PyResult<Ref> {
        if self.is_exact(&PyBytes_Type) { Ok(self.new_ref()) } else { Self::make(self.as_slice()) }
    }
    fn object(&self) -> &Object {
        self
    }
}

impl Bytelike for ByteArray {
    fn data(&self) -> &[u8] {
        if self.is_empty() {
            return &[];
        }
        // SAFETY: `len` bytes stand at the address; callers do not run Python code meanwhile.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }
    fn make(data: &[u8]) -> PyResult<Ref> {
        array::new_bytearray(data).map(Ref::upcast)
    }
    fn unchanged(&self) -> PyResult<Ref> {
        Self::make(self.data())
    }
    fn object(&self) -> &Object {
        self
    }
    fn hold(&self) -> Hold<'_> {
        Hold::new(self)
    }
}

/// A bytes-like argument: bytes as they are, others through their buffer.
pub(crate) enum Data<'a> {
    Bytes(&'a Bytes),
    Buffer(Buffer),
}

impl core::ops::Deref for Data<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Data::Bytes(bytes) => bytes.as_slice(),
            Data::Buffer(buffer) => buffer.as_slice(),
        }
    }
}

/// Reads a bytes-like argument.
pub(crate) fn data_arg(object: &Object) -> PyResult<Data<'_>> {
    match object.downcast::<Bytes>() {
        Some(bytes) => Ok(Data::Bytes(bytes)),
        None => Buffer::simple(object).map(Data::Buffer),
    }
}

fn length<T: Bytelike>(this: &T) -> PyResult<isize> {
    Ok(this.data().len().cast_signed())
}

fn hash(this: &Bytes) -> PyResult<isize> {
    Ok(this.hash())
}

fn concat<T: Bytelike>(this: &T, other: &Object) -> PyResult<Ref> {
    if !taipan_object::buffer::has_buffer(other) {
        return Err(raise!(
            PyExc_TypeError,
            "can't concat {} to {}",
            other.ty().message_name(),
            this.object().ty().message_name()
        ));
    }
    let other = data_arg(other)?;
    let data = this.data();
    let mut out = Vec::new();
    out.try_reserve_exact(data.len() + other.len()).map_err(|_| err::memory_error())?;
    out.extend_from_slice(data);
    out.extend_from_slice(&other);
    T::make(&out)
}

/// Data repeated.
fn repeated(data: &[u8], count: isize) -> PyResult<Vec<u8>> {
    let count = usize::try_from(count).unwrap_or(0);
    let total = data
        .len()
        .checked_mul(count)
        .filter(|total| *total <= isize::MAX as usize)
        .ok_or_else(|| err::overflow_error("repeated bytes are too long"))?;
    let mut out = Vec::new();
    out.try_reserve_exact(total).map_err(|_| err::memory_error())?;
    for _ in 0..if data.is_empty() { 0 } else { count } {
        out.extend_from_slice(data);
    }
    Ok(out)
}

fn repeat<T: Bytelike>(this: &T, count: isize) -> PyResult<Ref> {
    if count == 1 {
        return this.unchanged();
    }
    T::make(&repeated(this.data(), count)?)
}

fn item<T: Bytelike>(this: &T, index: isize, message: &str) -> PyResult<i64> {
    usize::try_from(index)
        .ok()
        .and_then(|index| this.data().get(index).copied())
        .map(i64::from)
        .ok_or_else(|| err::index_error(message))
}

fn subscript<T: Bytelike>(this: &T, key: &Object, what: &str, out_of_range: &str) -> PyResult<Ref> {
    if protocol::has_index(key) {
        let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
        let len = this.data().len().cast_signed();
        return item(this, if index < 0 { index + len } else { index }, out_of_range)?.into_py();
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{what} indices must be integers or slices, not {}",
            key.ty().message_name()
        ));
    };
    let (start, stop, step) = slice.unpack()?;
    let data = this.data();
    let range = adjust(data.len(), start, stop, step);
    if range.count == 0 {
        return T::make(&[]);
    }
    if step == 1 {
        if range.count == data.len() {
            return this.unchanged();
        }
        return T::make(&data[range.start as usize..range.start as usize + range.count]);
    }
    T::make(&(0..range.count).map(|i| data[range.at(i)]).collect::<Vec<_>>())
}

fn contains<T: Bytelike>(this: &T, item: &Object) -> PyResult<bool> {
    let _hold = this.hold();
    if protocol::has_index(item) && !taipan_object::buffer::has_buffer(item) {
        let byte = taipan_object::buffer::byte_value(item, "byte must be in range(0, 256)")?;
        return Ok(memchr::memchr(byte, this.data()).is_some());
    }
    let sub = data_arg(item)?;
    Ok(memchr::memmem::find(this.data(), &sub).is_some())
}

fn compare<T: Bytelike>(this: &T, other: &Object, op: CompareOp) -> PyResult<Ref> {
    if !taipan_object::buffer::has_buffer(other) {
        return Ok(not_implemented().new_ref());
    }
    let Ok(other) = data_arg(other) else { return Ok(not_implemented().new_ref()) };
    let (a, b) = (this.data(), &*other);
    let holds = match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        op => op.holds(a.cmp(b)),
    };
    Ok(new_bool(holds))
}

fn remainder<T: Bytelike>(this: &Object, values: &Object) -> PyResult<Ref> {
    match this.downcast::<T>() {
        Some(this) => {
            let _hold = this.hold();
            T::make(&crate::percent::format_bytes(this.data(), values)?)
        }
        None => Ok(not_implemented().new_ref()),
    }
}

fn bytes_item(this: &Bytes, index: isize) -> PyResult<i64> {
    item(this, index, "index out of range")
}

fn bytes_subscript(this: &Bytes, key: &Object) -> PyResult<Ref> {
    subscript(this, key, "byte", "index out of range")
}

fn bytes_compare(this: &Bytes, other: &Object, op: CompareOp) -> PyResult<Ref> {
    // A bytes answers for bytes only; a bytearray or a memoryview answers itself.
    if other.downcast::<Bytes>().is_none() {
        Ok(not_implemented().new_ref())
    } else {
        compare(this, other, op)
    }
}

fn repr(this: &Bytes) -> PyResult<String> {
    Ok(repr_literal(this.as_slice()))
}

fn str(this: &Bytes) -> PyResult<String> {
    Ok(repr_literal(this.as_slice()))
}

fn getnewargs(this: &Bytes) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([Bytes::new(this.as_slice())?.upcast()])
}

fn to_bytes(this: &Bytes) -> PyResult<Ref> {
    this.unchanged()
}

unsafe extern "C" fn get_buffer(
    object: *mut taipan_abi::PyObject,
    view: *mut taipan_abi::Py_buffer,
    flags: i32,
) -> i32 {
    // SAFETY: slot contract: a bytes object and the consumer's view.
    unsafe {
        let bytes: &Bytes = Object::borrow(object).cast();
        ret_int(taipan_object::buffer::fill_info(view, bytes, bytes.data_ptr(), bytes.len(), true, flags))
    }
}

methods::byte_methods! {
    static BYTES_TABLE: Bytes = {
        noargs "__getnewargs__" "($self, /)" = getnewargs, "";
        noargs "__bytes__" "($self, /)" = to_bytes, "The object as exact bytes.";
    }
}

/// `bytes`.
pub static BYTES_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object\n\nUnchangeable bytes: of an iterable of ints from 0 to 255, of a text in an encoding,\nof a buffer, or a number of zeros.",
    ),
    slots: &[
        tp_new(make::new),
        tp_repr(repr),
        tp_str(str),
        tp_hash(hash),
        tp_richcompare(bytes_compare),
        tp_iter(iter::bytes_iter),
        nb_remainder(remainder::<Bytes>),
        sq_length(length::<Bytes>),
        sq_concat(concat::<Bytes>),
        sq_repeat(repeat::<Bytes>),
        sq_item(bytes_item),
        sq_contains(contains::<Bytes>),
        mp_length(length::<Bytes>),
        mp_subscript(bytes_subscript),
        raw_getbuffer(get_buffer),
    ],
    methods: BYTES_TABLE,
    ..TypeSpec::new(&PyBytes_Type)
};
