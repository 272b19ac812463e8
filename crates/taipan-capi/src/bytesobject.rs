//! `bytesobject.h`, `bytearrayobject.h`.

use crate::border::{Obj, arg, bad_call, builtin_method, export, typed};
use core::ffi::{CStr, c_char, c_int};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::err::{PyResult, system_error, type_error, value_error};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, raise};

unsafe fn as_bytes<'a>(object: Obj) -> PyResult<&'a Bytes> {
    // SAFETY: a live object by the callers' contract.
    let object = unsafe { arg(object)? };
    object
        .downcast::<Bytes>()
        .ok_or_else(|| raise!(PyExc_TypeError, "expected bytes, {} found", object.ty().message_name()))
}

/// Data that C gave, or room for data that it will write.
unsafe fn from_size(data: *const c_char, len: isize) -> PyResult<Ref<Bytes>> {
    let Ok(len) = usize::try_from(len) else {
        return Err(system_error("Negative size passed to PyBytes_FromStringAndSize"));
    };
    if data.is_null() && len > 0 {
        return Bytes::with_room(len);
    }
    if len == 0 {
        return Bytes::new(&[]);
    }
    // SAFETY: that many bytes by the callers' contract.
    Bytes::new(unsafe { core::slice::from_raw_parts(data.cast(), len) })
}

/// Data and length of a bytes object; without a place for the length, data with zeros are refused.
unsafe fn parts(object: Obj, data: *mut *mut c_char, len: *mut isize) -> PyResult<()> {
    // SAFETY: a live object and valid out parameters by the callers' contract.
    unsafe {
        if data.is_null() {
            return Err(bad_call());
        }
        let bytes = as_bytes(object)?;
        data.write(bytes.data_ptr().cast());
        if !len.is_null() {
            len.write(bytes.len().cast_signed());
        } else if bytes.as_slice().contains(&0) {
            return Err(value_error("embedded null byte"));
        }
    }
    Ok(())
}

/// Changes the length of a bytes object that nobody else knows.
unsafe fn resize(place: *mut Obj, len: isize) -> PyResult<()> {
    // SAFETY: a place that owns a bytes object by the callers' contract.
    unsafe {
        let held = Ref::<Object>::steal(place.replace(core::ptr::null_mut()));
        let (Some(bytes), Ok(len)) = (held.downcast::<Bytes>(), usize::try_from(len)) else {
            return Err(bad_call());
        };
        if bytes.len() == len {
            place.write(held.into_ptr());
            return Ok(());
        }
        let kept = len.min(bytes.len());
        let fresh = if len == 0 { Bytes::new(&[])? } else { Bytes::with_room(len)? };
        if kept > 0 {
            core::ptr::copy_nonoverlapping(bytes.data_ptr(), fresh.data_ptr(), kept);
        }
        place.write(fresh.into_ptr());
        Ok(())
    }
}

/// Replaces the object at `place` by the concatenation, or by null on failure.
unsafe fn concat(place: *mut Obj, tail: Obj) -> PyResult<()> {
    // SAFETY: a place that owns a reference or null, by the callers' contract.
    unsafe {
        if (*place).is_null() {
            return Ok(());
        }
        let head = Ref::<Object>::steal(place.replace(core::ptr::null_mut()));
        let Some(tail) = Object::borrow_opt(tail) else { return Ok(()) };
        let (left, right) =
            (taipan_object::buffer::Buffer::simple(&head), taipan_object::buffer::Buffer::simple(tail));
        let (Ok(left), Ok(right)) = (left, right) else {
            return Err(raise!(
                PyExc_TypeError,
                "can't concat {} to {}",
                tail.ty().message_name(),
                head.ty().message_name()
            ));
        };
        let mut all = left.to_vec();
        all.extend_from_slice(right.as_slice());
        place.write(Bytes::new(&all)?.into_ptr());
        Ok(())
    }
}

/// A new bytearray of these bytes.
fn new_array(data: &[u8]) -> PyResult {
    PyByteArray_Type.call(&[&*Bytes::new(data)?])
}

export! {
    fn PyBytes_FromStringAndSize(data: *const c_char, len: isize) -> Obj {
        from_size(data, len)
    }

    fn PyBytes_FromString(data: *const c_char) -> Obj {
        Bytes::new(CStr::from_ptr(data).to_bytes())
    }

    fn PyBytes_FromObject(object: Obj) -> Obj {
        let object = arg(object)?;
        if object.is_exact(&PyBytes_Type) {
            return Ok(object.new_ref());
        }
        if object.downcast::<Str>().is_some() {
            return Err(type_error("cannot convert 'str' object to bytes"));
        }
        match taipan_object::buffer::has_buffer(object) {
            true => Ok(Bytes::new(taipan_object::buffer::Buffer::simple(object)?.as_slice())?.upcast()),
            false if object.ty().lookup(taipan_object::intern!("__iter__")).is_none()
                && object.downcast::<taipan_object::list::List>().is_none() =>
            {
                Err(raise!(
                    PyExc_TypeError,
                    "cannot convert '{}' object to bytes",
                    object.ty().message_name()
                ))
            }
            false => Ok(Bytes::new(&taipan_object::buffer::bytes_from_iterable(object)?)?.upcast()),
        }
    }

    fn PyBytes_Size(object: Obj) -> isize {
        Ok(as_bytes(object)?.len())
    }

    fn PyBytes_AsString(object: Obj) -> *mut c_char {
        Ok(as_bytes(object)?.data_ptr().cast::<c_char>())
    }

    fn PyBytes_AsStringAndSize(object: Obj, data: *mut *mut c_char, len: *mut isize) -> c_int {
        parts(object, data, len)
    }

    fn PyBytes_Repr(object: Obj, _smart_quotes: c_int) -> Obj {
        typed::<Bytes>(object)?.repr()
    }

    fn PyBytes_Concat(place: *mut Obj, tail: Obj) {
        concat(place, tail)
    }

    fn PyBytes_ConcatAndDel(place: *mut Obj, tail: Obj) {
        let held = Object::borrow_opt(tail).map(|_| Ref::<Object>::steal(tail));
        let result = concat(place, tail);
        drop(held);
        result
    }

    fn PyBytes_Join(separator: Obj, items: Obj) -> Obj {
        builtin_method(&PyBytes_Type, "join", &[as_bytes(separator)?, arg(items)?])
    }

    fn _PyBytes_Join(separator: Obj, items: Obj) -> Obj {
        builtin_method(&PyBytes_Type, "join", &[as_bytes(separator)?, arg(items)?])
    }

    fn _PyBytes_Resize(place: *mut Obj, len: isize) -> c_int {
        resize(place, len)
    }

    fn PyBytes_DecodeEscape(data: *const c_char, len: isize, errors: *const c_char, _unicode: isize, _encoding: *const c_char) -> Obj {
        let bytes = from_size(data, len)?;
        let errors = Str::from_utf8(crate::unicodeobject::text_or(errors, "strict")?)?;
        let pair = crate::border::call_in_module("_codecs", "escape_decode", &[&bytes, &errors])?;
        protocol_first(&pair)
    }

    fn PyByteArray_FromStringAndSize(data: *const c_char, len: isize) -> Obj {
        let Ok(len) = usize::try_from(len) else {
            return Err(system_error("Negative size passed to PyByteArray_FromStringAndSize"));
        };
        if data.is_null() || len == 0 {
            return new_array(&vec![0; len]);
        }
        new_array(core::slice::from_raw_parts(data.cast(), len))
    }

    fn PyByteArray_FromObject(object: Obj) -> Obj {
        PyByteArray_Type.call(&[arg(object)?])
    }

    fn PyByteArray_Concat(a: Obj, b: Obj) -> Obj {
        let (left, right) = (arg(a)?, arg(b)?);
        let data = (taipan_object::buffer::Buffer::simple(left), taipan_object::buffer::Buffer::simple(right));
        match data {
            (Ok(a), Ok(b)) => new_array(&[a.as_slice(), b.as_slice()].concat()),
            _ => Err(raise!(
                PyExc_TypeError,
                "can't concat {} to {}",
                right.ty().message_name(),
                left.ty().message_name()
            )),
        }
    }

    fn PyByteArray_Size(object: Obj) -> isize {
        Ok(typed::<ByteArray>(object)?.len())
    }

    fn PyByteArray_AsString(object: Obj) -> *mut c_char {
        Ok(typed::<ByteArray>(object)?.data_ptr().cast::<c_char>())
    }

    fn PyByteArray_Resize(object: Obj, len: isize) -> c_int {
        let Ok(size) = usize::try_from(len) else {
            return Err(raise!(PyExc_ValueError, "Can only resize to positive sizes, got {len}"));
        };
        taipan_types_text::bytes::bytearray_resize(typed(object)?, size)
    }
}

/// The first item of a pair.
pub fn protocol_first(pair: &Object) -> PyResult {
    pair.get_item(taipan_object::int::small(0))
}
