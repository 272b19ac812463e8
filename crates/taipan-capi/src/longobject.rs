//! `longobject.h`, `boolobject.h`: integers to and from C's.

use crate::border::{Obj, arg, bad_call, export, export_plain, typed};
use core::ffi::{c_char, c_int, c_long, c_longlong, c_ulong, c_ulonglong, c_void};
use taipan_abi::*;
use taipan_object::err::{PyErr, PyResult, overflow_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, alloc, raise};

/// The int that an object stands for: itself, or by `__index__`.
unsafe fn index(object: Obj) -> PyResult<Ref<Int>> {
    // SAFETY: a live object by the callers' contract.
    unsafe { arg(object)? }.to_index()
}

unsafe fn exact<'a>(object: Obj) -> PyResult<&'a Int> {
    // SAFETY: a live object by the callers' contract.
    unsafe { arg(object)? }.downcast::<Int>().ok_or_else(|| type_error("an integer is required"))
}

#[cold]
fn too_large(what: &str) -> PyErr {
    raise!(PyExc_OverflowError, "Python int too large to convert to C {what}")
}

unsafe fn signed(object: Obj, what: &str) -> PyResult<i64> {
    // SAFETY: forwarded contract.
    unsafe { index(object)? }.to_i64().ok_or_else(|| too_large(what))
}

unsafe fn unsigned(object: Obj, what: &str) -> PyResult<u64> {
    // SAFETY: forwarded contract.
    let int = unsafe { exact(object)? };
    if int.is_negative() {
        return Err(overflow_error("can't convert negative value to unsigned int"));
    }
    int.to_u64().ok_or_else(|| too_large(what))
}

/// The low 64 bits of the two's complement.
fn wrapping(int: &Int) -> u64 {
    let mut value: u64 = 0;
    for (place, &digit) in int.digits().iter().enumerate().take(3) {
        value |= u64::from(digit).wrapping_shl(30 * place as u32) & if place == 2 { !0 << 60 } else { !0 };
    }
    if int.is_negative() { value.wrapping_neg() } else { value }
}

/// The value, or the side on which it overflows.
unsafe fn clipped(object: Obj, overflow: *mut c_int) -> PyResult<i64> {
    // SAFETY: forwarded contract; a valid out parameter.
    unsafe {
        overflow.write(0);
        let int = index(object)?;
        Ok(int.to_i64().unwrap_or_else(|| {
            overflow.write(if int.is_negative() { -1 } else { 1 });
            -1
        }))
    }
}

/// The magnitude in bytes, least significant first, without leading zeros.
fn magnitude(int: &Int) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u64, 0);
    for &digit in int.digits() {
        held |= u64::from(digit) << bits;
        bits += 30;
        while bits >= 8 {
            bytes.push((held & 0xff) as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    bytes.push((held & 0xff) as u8);
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

/// Two's complement of a magnitude, in place.
fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes {
        let (value, over) = (!*byte).overflowing_add(u8::from(carry));
        *byte = value;
        carry = over;
    }
}

/// The two's complement, least significant byte first, as short as it goes with a sign bit.
fn twos_complement(int: &Int) -> Vec<u8> {
    let mut bytes = magnitude(int);
    bytes.push(0);
    if int.is_negative() {
        negate(&mut bytes);
        while bytes.len() > 1 && bytes[bytes.len() - 1] == 0xff && bytes[bytes.len() - 2] & 0x80 != 0 {
            bytes.pop();
        }
    } else {
        while bytes.len() > 1 && bytes[bytes.len() - 1] == 0 && bytes[bytes.len() - 2] & 0x80 == 0 {
            bytes.pop();
        }
    }
    bytes
}

/// An int of little-endian bytes.
fn from_bytes(bytes: &[u8], signed: bool) -> PyResult<Ref<Int>> {
    let negative = signed && bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut bytes = bytes.to_vec();
    if negative {
        negate(&mut bytes);
    }
    let (mut digits, mut held, mut bits) = (Vec::new(), 0_u64, 0);
    for byte in bytes {
        held |= u64::from(byte) << bits;
        bits += 8;
        if bits >= 30 {
            digits.push((held & 0x3fff_ffff) as u32);
            held >>= 30;
            bits -= 30;
        }
    }
    digits.push(held as u32);
    while digits.last() == Some(&0) {
        digits.pop();
    }
    Int::from_digits(negative, &digits)
}

/// The flags of the native-bytes functions.
const BIG_ENDIAN: c_int = 0;
const NATIVE_ENDIAN: c_int = 3;
const UNSIGNED_BUFFER: c_int = 4;
const REJECT_NEGATIVE: c_int = 8;
const ALLOW_INDEX: c_int = 16;

/// Whether the flags ask for big-endian bytes; -1 stands for the defaults.
fn is_big(flags: c_int) -> bool {
    flags != -1 && flags & NATIVE_ENDIAN == BIG_ENDIAN
}

unsafe fn as_native_bytes(object: Obj, buffer: *mut u8, room: isize, flags: c_int) -> PyResult<isize> {
    // SAFETY: a live object and a buffer of that size by the callers' contract.
    unsafe {
        let Ok(room) = usize::try_from(room) else { return Err(bad_call()) };
        let object = arg(object)?;
        let int = match object.downcast::<Int>() {
            Some(int) => Ref::of(int),
            None if flags != -1 && flags & ALLOW_INDEX != 0 => object.to_index()?,
            None => {
                return Err(raise!(PyExc_TypeError, "expect int, got {}", object.ty().message_name()));
            }
        };
        if flags != -1 && flags & REJECT_NEGATIVE != 0 && int.is_negative() {
            return Err(value_error("Cannot convert negative int"));
        }
        let bytes = twos_complement(&int);
        let fill = if int.is_negative() { 0xff } else { 0 };
        for place in 0..room {
            let to = if is_big(flags) { room - 1 - place } else { place };
            buffer.add(to).write(bytes.get(place).copied().unwrap_or(fill));
        }
        let mut needed = bytes.len();
        // Without a sign bit one byte less may do.
        let unsigned = flags == -1 || flags & UNSIGNED_BUFFER != 0;
        if unsigned && !int.is_negative() && bytes.len() == room + 1 && bytes[room] == 0 {
            needed = room;
        }
        Ok(needed.cast_signed())
    }
}

unsafe fn from_native_bytes(data: *const u8, len: usize, flags: c_int, signed: bool) -> PyResult<Ref<Int>> {
    if data.is_null() {
        return Err(bad_call());
    }
    // SAFETY: that many bytes by the callers' contract.
    let mut bytes = unsafe { core::slice::from_raw_parts(data, len) }.to_vec();
    if is_big(flags) {
        bytes.reverse();
    }
    from_bytes(&bytes, signed && (flags == -1 || flags & UNSIGNED_BUFFER == 0))
}

/// The old fixed-size conversion: little or big, signed or not, all bytes or an error.
unsafe fn as_byte_array(int: &Int, to: *mut u8, len: usize, little: bool, is_signed: bool) -> PyResult<()> {
    if int.is_negative() && !is_signed {
        return Err(overflow_error("can't convert negative int to unsigned"));
    }
    let mut bytes = if is_signed { twos_complement(int) } else { magnitude(int) };
    if bytes.len() > len && !(is_signed && int.is_zero()) {
        return Err(overflow_error("int too big to convert"));
    }
    bytes.resize(len, if int.is_negative() { 0xff } else { 0 });
    if !little {
        bytes.reverse();
    }
    // SAFETY: room for that many bytes by the callers' contract.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
    Ok(())
}

/// A fixed-width conversion of 3.14's family.
unsafe fn fixed_signed<T: TryFrom<i64>>(object: Obj, place: *mut T, what: &str) -> PyResult<()> {
    // SAFETY: forwarded contract; a valid out parameter.
    unsafe {
        let value = index(object)?.to_i64().and_then(|value| T::try_from(value).ok());
        place.write(value.ok_or_else(|| too_large(what))?);
    }
    Ok(())
}

unsafe fn fixed_unsigned<T: TryFrom<u64>>(object: Obj, place: *mut T, what: &str) -> PyResult<()> {
    // SAFETY: forwarded contract; a valid out parameter.
    unsafe {
        let int = index(object)?;
        if int.is_negative() {
            return Err(value_error("Cannot convert negative int"));
        }
        let value = int.to_u64().and_then(|value| T::try_from(value).ok());
        place.write(value.ok_or_else(|| too_large(what))?);
    }
    Ok(())
}

/// What `PyLong_Export` fills in.
#[repr(C)]
pub struct PyLongExport {
    value: i64,
    negative: u8,
    ndigits: isize,
    digits: *const c_void,
    reserved: usize,
}

/// How digits look: `PyLong_GetNativeLayout`.
#[repr(C)]
pub struct PyLongLayout {
    bits_per_digit: u8,
    digit_size: u8,
    digits_order: i8,
    digit_endianness: i8,
}

static LAYOUT: PyLongLayout =
    PyLongLayout { bits_per_digit: 30, digit_size: 4, digits_order: -1, digit_endianness: -1 };

/// The value of a digit character, 37 for others.
#[unsafe(no_mangle)]
pub static _PyLong_DigitValue: [u8; 256] = {
    let mut table = [37; 256];
    let mut index = 0_u8;
    while index < 36 {
        if index < 10 {
            table[(b'0' + index) as usize] = index;
        } else {
            table[(b'a' + index - 10) as usize] = index;
            table[(b'A' + index - 10) as usize] = index;
        }
        index += 1;
    }
    table
};

/// An int of a C text, which may go on behind the number if the caller wants to know where it ends.
unsafe fn from_string(start: *const c_char, end: *mut *mut c_char, base: c_int) -> PyResult<Ref<Int>> {
    if !(base == 0 || (2..=36).contains(&base)) {
        return Err(value_error("int() arg 2 must be >= 2 and <= 36"));
    }
    // SAFETY: null-terminated; a valid out parameter or null, by the callers' contract.
    unsafe {
        let bytes = core::ffi::CStr::from_ptr(start).to_bytes();
        let mut len = bytes.len();
        if !end.is_null() {
            len = number_length(bytes, base);
        }
        let result = taipan_types_num::int::int_from_bytes_text(&bytes[..len], base.cast_unsigned());
        if !end.is_null() {
            let used = if result.is_ok() { len } else { 0 };
            end.write(start.add(used).cast_mut());
        }
        result.map_err(|error| {
            if error.is(&PyExc_ValueError) && end.is_null() {
                let shown = String::from_utf8_lossy(bytes);
                raise!(PyExc_ValueError, "invalid literal for int() with base {base}: '{shown}'")
            } else {
                error
            }
        })
    }
}

/// How many bytes of a text look like a number in this base.
fn number_length(bytes: &[u8], base: c_int) -> usize {
    let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut at = blank + usize::from(matches!(bytes.get(blank), Some(b'+' | b'-')));
    let mut base = base;
    if bytes.get(at) == Some(&b'0') {
        let prefix = match bytes.get(at + 1).map(u8::to_ascii_lowercase) {
            Some(b'x') => 16,
            Some(b'o') => 8,
            Some(b'b') => 2,
            _ => 0,
        };
        if prefix != 0 && (base == 0 || base == prefix) {
            base = prefix;
            at += 2;
        }
    }
    let base = if base == 0 { 10 } else { base };
    at + bytes[at..]
        .iter()
        .take_while(|&&byte| byte == b'_' || c_int::from(_PyLong_DigitValue[byte as usize]) < base)
        .count()
}

export! {
    fn PyLong_FromLong(value: c_long) -> Obj {
        Ok(Int::from_i64(value))
    }

    fn PyLong_FromLongLong(value: c_longlong) -> Obj {
        Ok(Int::from_i64(value))
    }

    fn PyLong_FromSsize_t(value: isize) -> Obj {
        Ok(Int::from_isize(value))
    }

    fn PyLong_FromUnsignedLong(value: c_ulong) -> Obj {
        Ok(Int::from_u64(value))
    }

    fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> Obj {
        Ok(Int::from_u64(value))
    }

    fn PyLong_FromSize_t(value: usize) -> Obj {
        Ok(Int::from_usize(value))
    }

    fn PyLong_FromInt32(value: i32) -> Obj {
        Ok(Int::from_i64(i64::from(value)))
    }

    fn PyLong_FromUInt32(value: u32) -> Obj {
        Ok(Int::from_i64(i64::from(value)))
    }

    fn PyLong_FromInt64(value: i64) -> Obj {
        Ok(Int::from_i64(value))
    }

    fn PyLong_FromUInt64(value: u64) -> Obj {
        Ok(Int::from_u64(value))
    }

    fn PyLong_FromDouble(value: f64) -> Obj {
        taipan_types_num::float::int_of(value)
    }

    fn PyLong_FromVoidPtr(pointer: *mut c_void) -> Obj {
        Ok(Int::from_usize(pointer.expose_provenance()))
    }

    fn PyLong_FromString(start: *const c_char, end: *mut *mut c_char, base: c_int) -> Obj {
        from_string(start, end, base)
    }

    fn PyLong_FromUnicodeObject(object: Obj, base: c_int) -> Obj {
        taipan_types_num::int_from_str(typed::<Str>(object)?, base.cast_unsigned())
    }

    fn PyLong_AsLong(object: Obj) -> c_long {
        signed(object, "long")
    }

    fn PyLong_AsLongLong(object: Obj) -> c_longlong {
        signed(object, "long long")
    }

    fn PyLong_AsInt(object: Obj) -> c_int {
        let value = signed(object, "long")?;
        c_int::try_from(value).map_err(|_| too_large("int"))
    }

    fn _PyLong_AsInt(object: Obj) -> c_int {
        let value = signed(object, "long")?;
        c_int::try_from(value).map_err(|_| too_large("int"))
    }

    fn PyLong_AsSsize_t(object: Obj) -> isize {
        let value = exact(object)?.to_i64().ok_or_else(|| too_large("ssize_t"))?;
        Ok(value as isize)
    }

    fn PyLong_AsSize_t(object: Obj) -> usize {
        Ok(unsigned(object, "size_t")? as usize)
    }

    fn PyLong_AsUnsignedLong(object: Obj) -> c_ulong {
        unsigned(object, "unsigned long")
    }

    fn PyLong_AsUnsignedLongLong(object: Obj) -> c_ulonglong {
        unsigned(object, "unsigned long long")
    }

    fn PyLong_AsUnsignedLongMask(object: Obj) -> c_ulong {
        Ok(wrapping(&*index(object)?))
    }

    fn PyLong_AsUnsignedLongLongMask(object: Obj) -> c_ulonglong {
        Ok(wrapping(&*index(object)?))
    }

    fn PyLong_AsLongAndOverflow(object: Obj, overflow: *mut c_int) -> c_long {
        clipped(object, overflow)
    }

    fn PyLong_AsLongLongAndOverflow(object: Obj, overflow: *mut c_int) -> c_longlong {
        clipped(object, overflow)
    }

    fn PyLong_AsDouble(object: Obj) -> f64 {
        taipan_types_num::int::to_f64(exact(object)?)
    }

    fn PyLong_AsVoidPtr(object: Obj) -> *mut c_void {
        let int = exact(object)?;
        let value = match int.is_negative() {
            true => int.to_i64().map(i64::cast_unsigned),
            false => int.to_u64(),
        };
        let value = value.ok_or_else(|| too_large("void pointer"))?;
        Ok(core::ptr::with_exposed_provenance_mut::<c_void>(value as usize))
    }

    fn PyLong_AsInt32(object: Obj, place: *mut i32) -> c_int {
        fixed_signed(object, place, "int32_t")
    }

    fn PyLong_AsInt64(object: Obj, place: *mut i64) -> c_int {
        fixed_signed(object, place, "int64_t")
    }

    fn PyLong_AsUInt32(object: Obj, place: *mut u32) -> c_int {
        fixed_unsigned(object, place, "uint32_t")
    }

    fn PyLong_AsUInt64(object: Obj, place: *mut u64) -> c_int {
        fixed_unsigned(object, place, "uint64_t")
    }

    fn PyLong_AsNativeBytes(object: Obj, buffer: *mut c_void, room: isize, flags: c_int) -> isize {
        as_native_bytes(object, buffer.cast(), room, flags)
    }

    fn PyLong_FromNativeBytes(data: *const c_void, len: usize, flags: c_int) -> Obj {
        from_native_bytes(data.cast(), len, flags, true)
    }

    fn PyLong_FromUnsignedNativeBytes(data: *const c_void, len: usize, flags: c_int) -> Obj {
        from_native_bytes(data.cast(), len, flags, false)
    }

    fn _PyLong_FromByteArray(data: *const u8, len: usize, little: c_int, is_signed: c_int) -> Obj {
        let mut bytes = core::slice::from_raw_parts(data, len).to_vec();
        if little == 0 {
            bytes.reverse();
        }
        from_bytes(&bytes, is_signed != 0)
    }

    fn _PyLong_AsByteArray(object: Obj, to: *mut u8, len: usize, little: c_int, is_signed: c_int, _with_exceptions: c_int) -> c_int {
        as_byte_array(typed(object)?, to, len, little != 0, is_signed != 0)
    }

    /// A fresh object, never a shared one: callers change its sign in place.
    fn _PyLong_Copy(object: Obj) -> Obj {
        let int = typed::<Int>(object)?;
        let digits = int.digits();
        let block = alloc::malloc(24 + 4 * digits.len().max(1));
        if block.is_null() {
            return Err(taipan_object::err::memory_error());
        }
        alloc::init_object(block.cast(), &PyLong_Type);
        let fresh = Ref::<Int>::steal(block.cast());
        fresh.fill(int.is_negative(), digits);
        Ok(fresh)
    }

    fn PyLong_GetSign(object: Obj, place: *mut c_int) -> c_int {
        let object = arg(object)?;
        let Some(int) = object.downcast::<Int>() else {
            return Err(raise!(PyExc_TypeError, "expect int, got {}", object.ty().message_name()));
        };
        place.write(sign(int));
        Ok(())
    }

    fn PyLong_GetInfo() -> Obj {
        taipan_runtime::import_module("sys")?.getattr(taipan_object::intern!("int_info"))
    }

    fn PyLong_Export(object: Obj, out: *mut PyLongExport) -> c_int {
        let object = arg(object)?;
        let Some(int) = object.downcast::<Int>() else {
            return Err(raise!(PyExc_TypeError, "expected int, got {}", object.ty().message_name()));
        };
        out.write(match int.to_i64() {
            Some(value) => PyLongExport { value, negative: 0, ndigits: 0, digits: core::ptr::null(), reserved: 0 },
            None => PyLongExport {
                value: 0,
                negative: u8::from(int.is_negative()),
                ndigits: int.digit_count().cast_signed(),
                digits: int.digits().as_ptr().cast(),
                reserved: int.new_ref().into_ptr().expose_provenance(),
            },
        });
        Ok(())
    }

    fn PyLongWriter_Create(negative: c_int, count: isize, digits: *mut *mut c_void) -> *mut c_void {
        if count <= 0 {
            return Err(value_error("ndigits must be positive"));
        }
        let writer = Box::new(Writer { negative: negative != 0, digits: vec![0; count.cast_unsigned()] });
        let writer = Box::into_raw(writer);
        digits.write((*writer).digits.as_mut_ptr().cast());
        Ok(writer.cast::<c_void>())
    }

    fn PyLongWriter_Finish(writer: *mut c_void) -> Obj {
        let mut writer = *Box::from_raw(writer.cast::<Writer>());
        while writer.digits.last() == Some(&0) {
            writer.digits.pop();
        }
        Int::from_digits(writer.negative, &writer.digits)
    }

    fn PyBool_FromLong(value: c_long) -> Obj {
        Ok(taipan_object::singletons::new_bool(value != 0))
    }
}

/// The digits of an int that C is making.
struct Writer {
    negative: bool,
    digits: Vec<u32>,
}

fn sign(int: &Int) -> c_int {
    if int.is_zero() {
        0
    } else if int.is_negative() {
        -1
    } else {
        1
    }
}

fn bit_length(int: &Int) -> u64 {
    int.digits()
        .last()
        .map_or(0, |top| (int.digit_count() as u64 - 1) * 30 + u64::from(u32::BITS - top.leading_zeros()))
}

/// Whether an int has the sign that a predicate asks for; -1 with a `TypeError` for others.
unsafe fn has_sign(object: Obj, wanted: fn(c_int) -> bool) -> c_int {
    crate::border::guard(|| {
        // SAFETY: a live object by the callers' contract.
        let object = unsafe { arg(object)? };
        match object.downcast::<Int>() {
            Some(int) => Ok(wanted(sign(int))),
            None => Err(raise!(PyExc_TypeError, "expected int, got {}", object.ty().message_name())),
        }
    })
}

export_plain! {
    fn _PyLong_Sign(object: Obj) -> c_int {
        sign(Object::borrow(object).cast())
    }

    fn _PyLong_NumBits(object: Obj) -> i64 {
        bit_length(Object::borrow(object).cast()).cast_signed()
    }

    fn PyLong_IsPositive(object: Obj) -> c_int {
        has_sign(object, |sign| sign > 0)
    }

    fn PyLong_IsNegative(object: Obj) -> c_int {
        has_sign(object, |sign| sign < 0)
    }

    fn PyLong_IsZero(object: Obj) -> c_int {
        has_sign(object, |sign| sign == 0)
    }

    fn PyLong_GetNativeLayout() -> *const PyLongLayout {
        &raw const LAYOUT
    }

    fn PyLong_FreeExport(out: *mut PyLongExport) {
        if (*out).reserved != 0 {
            taipan_object::refcount::decref(core::ptr::with_exposed_provenance_mut((*out).reserved));
            (*out).reserved = 0;
        }
    }

    fn PyLongWriter_Discard(writer: *mut c_void) {
        if !writer.is_null() {
            drop(Box::from_raw(writer.cast::<Writer>()));
        }
    }

    fn PyUnstable_Long_IsCompact(int: *const PyLongObject) -> c_int {
        c_int::from((*int).long_value.lv_tag < 16)
    }

    fn PyUnstable_Long_CompactValue(int: *const PyLongObject) -> isize {
        let tag = (*int).long_value.lv_tag;
        let sign = 1 - (tag & 3) as isize;
        sign * (*int).long_value.ob_digit[0] as isize
    }
}
