//! The kinds of items: between bytes in memory and Python's objects.

use core::ffi::CStr;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, raise};

/// A type code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    pub code: u8,
    pub size: usize,
    pub format: &'static CStr,
}

const fn kind(code: u8, size: usize, format: &'static CStr) -> Kind {
    Kind { code, size, format }
}

/// All kinds, in the order of `array.typecodes`.
pub const KINDS: [Kind; 14] = [
    kind(b'b', 1, c"b"),
    kind(b'B', 1, c"B"),
    kind(b'u', 4, c"w"),
    kind(b'w', 4, c"w"),
    kind(b'h', 2, c"h"),
    kind(b'H', 2, c"H"),
    kind(b'i', 4, c"i"),
    kind(b'I', 4, c"I"),
    kind(b'l', 8, c"l"),
    kind(b'L', 8, c"L"),
    kind(b'q', 8, c"q"),
    kind(b'Q', 8, c"Q"),
    kind(b'f', 4, c"f"),
    kind(b'd', 8, c"d"),
];

/// An item's bytes; the first `size` of them count.
pub type Raw = [u8; 8];

fn raw(bytes: &[u8]) -> Raw {
    let mut out = [0; 8];
    out[..bytes.len()].copy_from_slice(bytes);
    out
}

/// A C long that lies in a range, with the words for each side.
fn ranged(object: &Object, low: i64, high: i64, what: &str) -> PyResult<i64> {
    let value = object.to_i64()?;
    if value < low {
        return Err(overflow_error(&format!("{what} is less than minimum")));
    }
    if value > high {
        return Err(overflow_error(&format!("{what} is greater than maximum")));
    }
    Ok(value)
}

fn unsigned_long(object: &Object) -> PyResult<u64> {
    let number = object.to_index()?;
    if number.is_negative() {
        return Err(overflow_error("can't convert negative value to unsigned int"));
    }
    number.to_u64().ok_or_else(|| overflow_error("Python int too large to convert to C unsigned long"))
}

fn character(object: &Object) -> PyResult<u32> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "array item must be a unicode character, not {}",
            object.ty().message_name()
        ));
    };
    let mut points = text.code_points();
    match (points.next(), text.len()) {
        (Some(point), 1) => Ok(point),
        _ => Err(raise!(
            PyExc_TypeError,
            "array item must be a unicode character, not a string of length {}",
            text.len()
        )),
    }
}

impl Kind {
    pub fn of(code: u32) -> Option<Kind> {
        KINDS.into_iter().find(|kind| u32::from(kind.code) == code)
    }

    pub fn is_text(self) -> bool {
        matches!(self.code, b'u' | b'w')
    }

    pub fn is_float(self) -> bool {
        matches!(self.code, b'f' | b'd')
    }

    pub fn is_signed(self) -> bool {
        self.code.is_ascii_lowercase()
    }

    /// The item of an object.
    ///
    /// # Errors
    /// `TypeError` or `OverflowError` when it does not fit.
    pub fn store(self, object: &Object) -> PyResult<Raw> {
        Ok(match self.code {
            b'b' => {
                let value = ranged(object, -32768, 32767, "signed short integer")?;
                let value = Int::from_i64(value);
                raw(&(ranged(&value, -128, 127, "signed char")? as i8).to_ne_bytes())
            }
            b'B' => raw(&(ranged(object, 0, 255, "unsigned byte integer")? as u8).to_ne_bytes()),
            b'h' => raw(&(ranged(object, -32768, 32767, "signed short integer")? as i16).to_ne_bytes()),
            b'H' => {
                let value = ranged(object, i32::MIN.into(), i32::MAX.into(), "signed integer")?;
                raw(&(ranged(&Int::from_i64(value), 0, 65535, "unsigned short")? as u16).to_ne_bytes())
            }
            b'i' => raw(&(object.to_i32()?).to_ne_bytes()),
            b'I' => {
                let value = u32::try_from(unsigned_long(object)?);
                raw(&value.map_err(|_| overflow_error("unsigned int is greater than maximum"))?.to_ne_bytes())
            }
            b'l' => raw(&object.to_i64()?.to_ne_bytes()),
            b'L' => raw(&unsigned_long(object)?.to_ne_bytes()),
            b'q' => {
                let value = object.to_index()?.to_i64();
                raw(&value.ok_or_else(|| overflow_error("int too big to convert"))?.to_ne_bytes())
            }
            b'Q' => {
                let number = object.to_index()?;
                if number.is_negative() {
                    return Err(overflow_error("can't convert negative int to unsigned"));
                }
                raw(&number.to_u64().ok_or_else(|| overflow_error("int too big to convert"))?.to_ne_bytes())
            }
            b'f' => raw(&(object.to_f64()? as f32).to_ne_bytes()),
            b'd' => raw(&object.to_f64()?.to_ne_bytes()),
            _ => raw(&character(object)?.to_ne_bytes()),
        })
    }

    /// The object of an item, which is `size` bytes long.
    ///
    /// # Errors
    /// `ValueError` for a number that is no character.
    pub fn load(self, bytes: &[u8]) -> PyResult {
        fn take<const N: usize>(bytes: &[u8]) -> [u8; N] {
            let mut out = [0; N];
            out.copy_from_slice(&bytes[..N]);
            out
        }
        let int = |value: i64| Ok(Int::from_i64(value).upcast());
        match self.code {
            b'b' => int(i8::from_ne_bytes(take(bytes)).into()),
            b'B' => int(bytes[0].into()),
            b'h' => int(i16::from_ne_bytes(take(bytes)).into()),
            b'H' => int(u16::from_ne_bytes(take(bytes)).into()),
            b'i' => int(i32::from_ne_bytes(take(bytes)).into()),
            b'I' => int(u32::from_ne_bytes(take(bytes)).into()),
            b'l' | b'q' => int(i64::from_ne_bytes(take(bytes))),
            b'L' | b'Q' => Ok(Int::from_u64(u64::from_ne_bytes(take(bytes))).upcast()),
            b'f' => Ok(Float::new(f32::from_ne_bytes(take(bytes)).into()).upcast()),
            b'd' => Ok(Float::new(f64::from_ne_bytes(take(bytes))).upcast()),
            _ => {
                let point = u32::from_ne_bytes(take(bytes));
                check_point(point)?;
                Ok(Str::from_code_points(&[point])?.upcast())
            }
        }
    }

    /// The number by which pickles name this kind's layout on this machine.
    pub fn machine_format(self) -> i64 {
        match (self.code, self.size) {
            (b'f', _) => 14,
            (b'd', _) => 16,
            (b'u' | b'w', _) => 20,
            (_, size) => {
                let base = match size {
                    1 => return i64::from(self.is_signed()),
                    2 => 2,
                    4 => 6,
                    _ => 10,
                };
                base + if self.is_signed() { 2 } else { 0 }
            }
        }
    }
}

/// Whether a number is a character's.
///
/// # Errors
/// `ValueError`.
pub fn check_point(point: u32) -> PyResult<()> {
    if point <= 0x10_FFFF {
        return Ok(());
    }
    Err(value_error(&format!("character U+{point:x} is not in range [U+0000; U+10ffff]")))
}

/// The error of a text given for a kind that is none.
#[cold]
pub fn no_text(kind: Kind) -> PyErr {
    raise!(
        PyExc_TypeError,
        "cannot use a str to initialize an array with typecode '{}'",
        char::from(kind.code)
    )
}
