//! `floatobject.h`, `complexobject.h`, `pystrtod.h`: floating-point numbers.

use crate::border::{Obj, arg, bad_call, export, export_plain};
use core::ffi::{CStr, c_char, c_int};
use taipan_abi::Py_complex;
use taipan_object::err::PyResult;
use taipan_object::float::{Complex, Float};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, alloc, raise};

fn complex_of(object: &Object) -> PyResult<(f64, f64)> {
    if let Some(complex) = object.downcast::<Complex>() {
        return Ok(complex.value());
    }
    taipan_types_num::complex::complex_from_object(object)
}

/// The real number behind an object, as `float()` sees it.
fn real(object: &Object) -> PyResult<f64> {
    object.to_f64()
}

fn pack(value: f64, size: usize) -> PyResult<[u8; 8]> {
    let mut bytes = [0; 8];
    match size {
        8 => bytes = value.to_le_bytes(),
        4 => {
            let narrow = value as f32;
            if narrow.is_infinite() && value.is_finite() {
                return Err(taipan_object::err::overflow_error("float too large to pack with f format"));
            }
            bytes[..4].copy_from_slice(&narrow.to_le_bytes());
        }
        _ => {
            let half = taipan_num::half::from_f64(value)
                .ok_or_else(|| taipan_object::err::overflow_error("float too large to pack with e format"))?;
            bytes[..2].copy_from_slice(&half.to_le_bytes());
        }
    }
    Ok(bytes)
}

unsafe fn pack_to(value: f64, to: *mut u8, little: c_int, size: usize) -> PyResult<()> {
    let bytes = pack(value, size)?;
    for (place, &byte) in bytes[..size].iter().enumerate() {
        let at = if little != 0 { place } else { size - 1 - place };
        // SAFETY: room for that many bytes by the callers' contract.
        unsafe { to.add(at).write(byte) };
    }
    Ok(())
}

unsafe fn unpack(from: *const u8, little: c_int, size: usize) -> f64 {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().enumerate().take(size) {
        let at = if little != 0 { place } else { size - 1 - place };
        // SAFETY: that many bytes by the callers' contract.
        *byte = unsafe { from.add(at).read() };
    }
    match size {
        8 => f64::from_le_bytes(bytes),
        4 => f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        _ => taipan_num::half::to_f64(u16::from_le_bytes([bytes[0], bytes[1]])),
    }
}

/// The end of the longest number at the start of a text.
fn number_end(text: &[u8]) -> usize {
    let mut best = 0;
    for end in 1..=text.len() {
        let Ok(part) = core::str::from_utf8(&text[..end]) else { break };
        let shaped = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !shaped {
            break;
        }
        if part.parse::<f64>().is_ok() {
            best = end;
        }
    }
    best
}

unsafe fn string_to_double(start: *const c_char, end: *mut *mut c_char, overflow: Obj) -> PyResult<f64> {
    // SAFETY: null-terminated; a valid out parameter or null, by the callers' contract.
    unsafe {
        let bytes = CStr::from_ptr(start).to_bytes();
        let length = number_end(bytes);
        let value = core::str::from_utf8(&bytes[..length]).ok().and_then(|text| text.parse::<f64>().ok());
        let Some(value) = value.filter(|_| !end.is_null() || length == bytes.len()) else {
            if !end.is_null() {
                end.write(start.cast_mut());
            }
            let shown = String::from_utf8_lossy(bytes);
            return Err(raise!(PyExc_ValueError, "could not convert string to float: '{shown}'"));
        };
        if !end.is_null() {
            end.write(start.add(length).cast_mut());
        }
        let spelled = bytes[..length].iter().any(|b| matches!(b, b'i' | b'I'));
        if value.is_infinite() && !spelled && !overflow.is_null() {
            let shown = String::from_utf8_lossy(bytes);
            return Err(taipan_object::PyErr::new(
                Object::borrow(overflow).cast(),
                &format!("value too large to convert to float: '{shown}'"),
            ));
        }
        Ok(value)
    }
}

/// `%g` and its relatives, in memory that C frees with `PyMem_Free`.
unsafe fn double_to_string(
    value: f64,
    code: c_char,
    precision: c_int,
    flags: c_int,
    kind: *mut c_int,
) -> PyResult<*mut c_char> {
    let code = code as u8;
    let text = match code {
        b'r' => Float::new(value).repr()?.to_lossy(),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let alternate = if flags & 4 != 0 { "#" } else { "" };
            let sign = if flags & 1 != 0 { "+" } else { "" };
            let spec = format!("{sign}{alternate}.{precision}{}", code as char);
            taipan_types_num::format::format_f64(value, &*Str::from_utf8(&spec)?, "float")?.to_lossy()
        }
        _ => return Err(bad_call()),
    };
    let mut text = text;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-'));
    if code == b'r' && flags & 2 == 0 && text.ends_with(".0") {
        text.truncate(text.len() - 2);
    } else if flags & 2 != 0 && plain {
        text.push_str(".0");
    }
    let block = alloc::malloc(text.len() + 1);
    if block.is_null() {
        return Err(taipan_object::err::memory_error());
    }
    // SAFETY: room for the text and its end; a valid out parameter or null.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
        block.add(text.len()).write(0);
        if !kind.is_null() {
            kind.write(if value.is_nan() { 2 } else { c_int::from(value.is_infinite()) });
        }
    }
    Ok(block.cast())
}

export! {
    fn PyFloat_FromDouble(value: f64) -> Obj {
        Ok(Float::new(value))
    }

    fn PyFloat_FromString(object: Obj) -> Obj {
        Ok(Float::new(taipan_types_num::float::float_from_object(arg(object)?)?))
    }

    fn PyFloat_AsDouble(object: Obj) -> f64 {
        real(arg(object)?)
    }

    fn PyFloat_GetInfo() -> Obj {
        taipan_runtime::import_module("sys")?.getattr(taipan_object::intern!("float_info"))
    }

    fn PyFloat_Pack2(value: f64, to: *mut u8, little: c_int) -> c_int {
        pack_to(value, to, little, 2)
    }

    fn PyFloat_Pack4(value: f64, to: *mut u8, little: c_int) -> c_int {
        pack_to(value, to, little, 4)
    }

    fn PyFloat_Pack8(value: f64, to: *mut u8, little: c_int) -> c_int {
        pack_to(value, to, little, 8)
    }

    fn PyComplex_FromDoubles(real: f64, imag: f64) -> Obj {
        Complex::new(real, imag)
    }

    fn PyComplex_FromCComplex(value: Py_complex) -> Obj {
        Complex::new(value.real, value.imag)
    }

    fn PyComplex_RealAsDouble(object: Obj) -> f64 {
        let object = arg(object)?;
        match object.downcast::<Complex>() {
            Some(complex) => Ok(complex.value().0),
            None => Ok(complex_of(object)?.0),
        }
    }

    fn PyComplex_ImagAsDouble(object: Obj) -> f64 {
        let object = arg(object)?;
        match object.downcast::<Complex>() {
            Some(complex) => Ok(complex.value().1),
            None => Ok(complex_of(object)?.1),
        }
    }

    fn PyOS_string_to_double(start: *const c_char, end: *mut *mut c_char, overflow: Obj) -> f64 {
        string_to_double(start, end, overflow)
    }

    fn PyOS_double_to_string(value: f64, code: c_char, precision: c_int, flags: c_int, kind: *mut c_int) -> *mut c_char {
        double_to_string(value, code, precision, flags, kind)
    }
}

export_plain! {
    fn PyFloat_Unpack2(from: *const u8, little: c_int) -> f64 {
        unpack(from, little, 2)
    }

    fn PyFloat_Unpack4(from: *const u8, little: c_int) -> f64 {
        unpack(from, little, 4)
    }

    fn PyFloat_Unpack8(from: *const u8, little: c_int) -> f64 {
        unpack(from, little, 8)
    }

    fn PyFloat_GetMax() -> f64 {
        f64::MAX
    }

    fn PyFloat_GetMin() -> f64 {
        f64::MIN_POSITIVE
    }

    fn PyComplex_AsCComplex(object: Obj) -> Py_complex {
        as_c_complex(object)
    }
}

unsafe fn as_c_complex(object: Obj) -> Py_complex {
    // SAFETY: a live object by the callers' contract.
    match unsafe { arg(object) }.and_then(complex_of) {
        Ok((real, imag)) => Py_complex { real, imag },
        Err(error) => {
            taipan_object::err::restore(error);
            Py_complex { real: -1.0, imag: 0.0 }
        }
    }
}
