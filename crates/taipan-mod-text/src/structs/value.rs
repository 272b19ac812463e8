//! Single values: Python objects to bytes and back.

use super::StructError;
use super::format::{Format, Item};
use crate::util::ModuleError;
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::native::IntoPy;
use taipan_object::singletons::new_bool;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, protocol, raise};

/// An integer argument: an int, or what `__index__` gives.
fn integer(value: &Object) -> PyResult<Ref<Int>> {
    match value.downcast::<Int>() {
        Some(int) => Ok(Ref::of(int)),
        None if protocol::has_index(value) => value.to_index(),
        None => Err(StructError::error("required argument is not an integer")),
    }
}

/// The bounds of an integer code.
fn bounds(code: u8, size: usize) -> (i128, i128) {
    let bits = size as u32 * 8;
    if code.is_ascii_lowercase() { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

fn wide(int: &Int) -> Option<i128> {
    int.to_i64().map(i128::from).or_else(|| int.to_u64().map(i128::from))
}

fn put_integer(item: &Item, value: &Object) -> PyResult<u64> {
    let int = integer(value)?;
    if item.code == b'P' {
        // Addresses may be given as negative numbers.
        let value = int.to_u64().or_else(|| int.to_i64().map(i64::cast_unsigned));
        return value.ok_or_else(|| StructError::error("int too large to convert"));
    }
    let (low, high) = bounds(item.code, item.size);
    match wide(&int).filter(|value| (low..=high).contains(value)) {
        Some(value) => Ok(value as u64),
        None => Err(StructError::error(&format!(
            "'{}' format requires {low} <= number <= {high}",
            char::from(item.code)
        ))),
    }
}

fn overflow(value: &Object, code: char) -> PyErr {
    if value.downcast::<Int>().is_some() {
        return StructError::error("int too large to convert");
    }
    raise!(PyExc_OverflowError, "float too large to pack with {code} format")
}

fn single(value: f64) -> Option<f32> {
    let made = value as f32;
    (made.is_finite() || !value.is_finite()).then_some(made)
}

fn put_ordered(out: &mut [u8], bytes: &[u8], big: bool) {
    out.copy_from_slice(bytes);
    if big {
        out.reverse();
    }
}

fn put_float(code: u8, value: f64, source: &Object, out: &mut [u8], big: bool) -> PyResult<()> {
    match code {
        b'e' => {
            let bits = taipan_num::half::from_f64(value).ok_or_else(|| overflow(source, 'e'))?;
            put_ordered(out, &bits.to_le_bytes(), big);
        }
        b'f' => {
            let made = single(value).ok_or_else(|| overflow(source, 'f'))?;
            put_ordered(out, &made.to_le_bytes(), big);
        }
        _ => put_ordered(out, &value.to_le_bytes(), big),
    }
    Ok(())
}

fn complex(value: &Object) -> PyResult<(f64, f64)> {
    let wrong = || StructError::error("required argument is not a complex");
    if let Some(complex) = value.downcast::<Complex>() {
        return Ok(complex.value());
    }
    if value.downcast::<Str>().is_some() {
        return Err(wrong());
    }
    let made = PyComplex_Type.call(&[value]).map_err(|_| wrong())?;
    made.downcast::<Complex>().map(Complex::value).ok_or_else(wrong)
}

fn put_string(item: &Item, value: &Object, out: &mut [u8]) -> PyResult<()> {
    let copy;
    let data = if let Some(bytes) = value.downcast::<Bytes>() {
        bytes.as_slice()
    } else if let Some(array) = value.downcast::<ByteArray>() {
        copy = array.to_vec();
        &copy
    } else {
        return Err(StructError::error(&format!(
            "argument for '{}' must be a bytes object",
            char::from(item.code)
        )));
    };
    if item.code == b's' {
        let count = data.len().min(out.len());
        out[..count].copy_from_slice(&data[..count]);
    } else if let Some((length, room)) = out.split_first_mut() {
        let count = data.len().min(room.len());
        room[..count].copy_from_slice(&data[..count]);
        *length = count.min(255) as u8;
    }
    Ok(())
}

/// Writes one value; `out` is zero and as long as the item.
pub fn put(format: &Format, item: &Item, value: &Object, out: &mut [u8]) -> PyResult<()> {
    match item.code {
        b'c' => match value.downcast::<Bytes>().map(Bytes::as_slice) {
            Some([byte]) => out[0] = *byte,
            _ => return Err(StructError::error("char format requires a bytes object of length 1")),
        },
        b's' | b'p' => put_string(item, value, out)?,
        b'?' => out[0] = u8::from(value.is_true()?),
        b'e' | b'f' | b'd' => {
            let number =
                value.to_f64().map_err(|_| StructError::error("required argument is not a float"))?;
            put_float(item.code, number, value, out, format.big)?;
        }
        b'F' | b'D' => {
            let (real, imag) = complex(value)?;
            let (first, second) = out.split_at_mut(item.size / 2);
            for (part, out) in [(real, first), (imag, second)] {
                // In the machine's own byte order parts that are too large become infinite.
                if item.code == b'F' && format.big {
                    put_float(b'f', part, value, out, true)?;
                } else if item.code == b'F' {
                    put_ordered(out, &(part as f32).to_le_bytes(), format.big);
                } else {
                    put_ordered(out, &part.to_le_bytes(), format.big);
                }
            }
        }
        _ => {
            let bits = put_integer(item, value)?;
            put_ordered(out, &bits.to_le_bytes()[..item.size], format.big);
        }
    }
    Ok(())
}

fn word(data: &[u8], big: bool) -> u64 {
    let step = |acc: u64, byte: &u8| acc << 8 | u64::from(*byte);
    if big { data.iter().fold(0, step) } else { data.iter().rev().fold(0, step) }
}

fn float_of(code: u8, data: &[u8], big: bool) -> f64 {
    let bits = word(data, big);
    match code {
        b'e' => taipan_num::half::to_f64(bits as u16),
        b'f' => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

/// Reads one value.
pub fn take(format: &Format, item: &Item, data: &[u8]) -> PyResult {
    match item.code {
        b'c' | b's' => Bytes::new(data)?.into_py(),
        b'p' => {
            let (length, room) = data.split_first().unwrap_or((&0, &[]));
            Bytes::new(&room[..room.len().min(usize::from(*length))])?.into_py()
        }
        b'?' => Ok(new_bool(data[0] != 0)),
        b'e' | b'f' | b'd' => Ok(Float::new(float_of(item.code, data, format.big)).upcast()),
        b'F' | b'D' => {
            let code = if item.code == b'F' { b'f' } else { b'd' };
            let (first, second) = data.split_at(data.len() / 2);
            Complex::new(float_of(code, first, format.big), float_of(code, second, format.big))
                .map(Ref::upcast)
        }
        code => {
            let bits = word(data, format.big);
            if code.is_ascii_lowercase() {
                let unused = 64 - data.len() as u32 * 8;
                return Ok(Int::from_i64((bits << unused).cast_signed() >> unused).upcast());
            }
            Ok(Int::from_u64(bits).upcast())
        }
    }
}

/// An error for arguments that are missing.
pub fn missing(message: &str) -> PyErr {
    err::type_error(message)
}
