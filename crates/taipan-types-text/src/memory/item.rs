//! Items of a memoryview: native single-character formats, read and written.

use core::ffi::CStr;
use taipan_object::bytes::Bytes;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::IntoPy;
use taipan_object::statics::{PyExc_NotImplementedError, PyExc_TypeError, PyExc_ValueError};
use taipan_object::{Object, PyErr, PyResult, Ref, protocol, raise};

/// The formats that a view can be cast to, so that their texts live for ever.
static FORMATS: [(&CStr, &CStr, usize); 18] = [
    (c"c", c"@c", 1),
    (c"b", c"@b", 1),
    (c"B", c"@B", 1),
    (c"?", c"@?", 1),
    (c"h", c"@h", 2),
    (c"H", c"@H", 2),
    (c"i", c"@i", 4),
    (c"I", c"@I", 4),
    (c"l", c"@l", 8),
    (c"L", c"@L", 8),
    (c"q", c"@q", 8),
    (c"Q", c"@Q", 8),
    (c"n", c"@n", 8),
    (c"N", c"@N", 8),
    (c"e", c"@e", 2),
    (c"f", c"@f", 4),
    (c"d", c"@d", 8),
    (c"P", c"@P", 8),
];

/// The static text, the character and the item size of a native format.
pub(super) fn native_format(text: &[u8]) -> Option<(&'static CStr, u8, usize)> {
    let (plain, at) = match text {
        [c] => (*c, false),
        [b'@', c] => (*c, true),
        _ => return None,
    };
    let row = FORMATS.iter().find(|row| row.0.to_bytes() == [plain])?;
    Some((if at { row.1 } else { row.0 }, plain, row.2))
}

pub(super) fn unsupported(format: &CStr) -> PyErr {
    raise!(PyExc_NotImplementedError, "memoryview: format {} not supported", format.to_string_lossy())
}

/// Reads one item.
///
/// # Safety
/// An item of this format stands at `at`, aligned or not.
pub(super) unsafe fn unpack(at: *const u8, format: u8) -> PyResult<Ref> {
    macro_rules! read {
        ($ty:ty) => {
            // SAFETY: the caller's contract.
            unsafe { at.cast::<$ty>().read_unaligned() }
        };
    }
    match format {
        b'b' => i64::from(read!(i8)).into_py(),
        b'B' => i64::from(read!(u8)).into_py(),
        b'c' => Bytes::new(&[read!(u8)]).map(Ref::upcast),
        b'?' => (read!(u8) != 0).into_py(),
        b'h' => i64::from(read!(i16)).into_py(),
        b'H' => i64::from(read!(u16)).into_py(),
        b'i' => read!(i32).into_py(),
        b'I' => read!(u32).into_py(),
        b'l' | b'q' | b'n' => read!(i64).into_py(),
        b'L' | b'Q' | b'N' | b'P' => read!(u64).into_py(),
        b'e' => Ok(Float::new(half_to_f64(read!(u16))).upcast()),
        b'f' => Ok(Float::new(f64::from(read!(f32))).upcast()),
        _ => Ok(Float::new(read!(f64)).upcast()),
    }
}

/// The bytes of a value in a format.
pub(super) fn pack(value: &Object, format: u8) -> PyResult<Vec<u8>> {
    let shown = char::from(format);
    let bad_type = || raise!(PyExc_TypeError, "memoryview: invalid type for format '{shown}'");
    let bad_value = || raise!(PyExc_ValueError, "memoryview: invalid value for format '{shown}'");
    match format {
        b'c' => {
            let Some(bytes) = value.downcast::<Bytes>() else { return Err(bad_type()) };
            return if bytes.len() == 1 { Ok(bytes.as_slice().to_vec()) } else { Err(bad_value()) };
        }
        b'?' => return Ok(vec![u8::from(value.is_true()?)]),
        b'e' | b'f' | b'd' => {
            let x = value
                .to_f64()
                .map_err(|error| if error.is(&PyExc_TypeError) { bad_type() } else { error })?;
            return match format {
                b'e' => f64_to_half(x).map(|half| half.to_ne_bytes().to_vec()).ok_or_else(bad_value),
                b'f' => Ok((x as f32).to_ne_bytes().to_vec()),
                _ => Ok(x.to_ne_bytes().to_vec()),
            };
        }
        _ => {}
    }
    if !protocol::has_index(value) {
        return Err(bad_type());
    }
    let int = value.to_index()?;
    macro_rules! fit {
        ($ty:ty) => {
            wide(&int)
                .and_then(|value| <$ty>::try_from(value).ok())
                .map(|value| value.to_ne_bytes().to_vec())
                .ok_or_else(bad_value)
        };
    }
    match format {
        b'b' => fit!(i8),
        b'B' => fit!(u8),
        b'h' => fit!(i16),
        b'H' => fit!(u16),
        b'i' => fit!(i32),
        b'I' => fit!(u32),
        b'l' | b'q' | b'n' => fit!(i64),
        _ => fit!(u64),
    }
}

fn wide(int: &Int) -> Option<i128> {
    int.to_i64().map(i128::from).or_else(|| int.to_u64().map(i128::from))
}

/// The value of an IEEE half.
fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 31), f64::from(half & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    }
}

/// The nearest half, ties to even; `None` when too large.
fn f64_to_half(x: f64) -> Option<u16> {
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = x.abs();
    if x.is_nan() {
        return Some(sign | 0x7e00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7c00);
    }
    if magnitude < 2f64.powi(-14) {
        return Some(sign | (magnitude * 2f64.powi(24)).round_ties_even() as u16);
    }
    let exponent = ((magnitude.to_bits() >> 52) as i32) - 1023;
    // A carry out of the fraction steps into the exponent, as it should.
    let fraction = (magnitude * 2f64.powi(10 - exponent)).round_ties_even() as i32 - 1024;
    let bits = (exponent + 15) * 1024 + fraction;
    if bits >= 31 * 1024 { None } else { Some(sign | bits as u16) }
}

#[cfg(test)]
mod tests {
    use super::{f64_to_half, half_to_f64};

    #[test]
    fn halves_survive() {
        for half in (0..=0x7c00).chain(0x8000..=0xfc00) {
            assert_eq!(f64_to_half(half_to_f64(half)), Some(half));
        }
        assert_eq!(f64_to_half(65519.0), Some(0x7bff));
        assert_eq!(f64_to_half(65520.0), None);
    }
}
