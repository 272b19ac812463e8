//! `unicodeobject.h` (codecs), `codecs.h`, `fileutils.h`: text to bytes and back.

use crate::border::{Obj, arg, call_in_module, export, text, typed};
use crate::bytesobject::protocol_first;
use crate::unicodeobject::{bytes, text_or};
use core::ffi::{c_char, c_int};
use taipan_object::bytes::Bytes;
use taipan_object::err::{PyResult, type_error};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, raise};
use taipan_types_text::str::{decode, encode};

unsafe fn decoded(data: *const c_char, len: isize, encoding: &str, errors: *const c_char) -> PyResult {
    // SAFETY: data of that length and C texts by the callers' contract.
    unsafe { decode(bytes(data, len)?, encoding, text_or(errors, "strict")?) }
}

unsafe fn encoded(object: Obj, encoding: &str, errors: *const c_char) -> PyResult {
    // SAFETY: a live object and C texts by the callers' contract.
    unsafe {
        let Some(text) = arg(object)?.downcast::<Str>() else {
            return Err(type_error("bad argument type for built-in operation"));
        };
        encode(text, encoding, text_or(errors, "strict")?)
    }
}

/// Decoding that stops before an incomplete end: text and the number of bytes used.
unsafe fn stateful(
    codec: &str,
    data: *const c_char,
    len: isize,
    errors: *const c_char,
    consumed: *mut isize,
) -> PyResult {
    // SAFETY: data of that length, C texts, and null or a place, by the callers' contract.
    unsafe {
        let data = Bytes::new(bytes(data, len)?)?;
        let errors = Str::from_utf8(text_or(errors, "strict")?)?;
        let last = taipan_object::singletons::bool_object(consumed.is_null());
        let pair = call_in_module("_codecs", &format!("{codec}_decode"), &[&data, &errors, last])?;
        if !consumed.is_null() {
            consumed.write(pair.get_item(taipan_object::int::small(1))?.to_isize()?);
        }
        protocol_first(&pair)
    }
}

/// UTF-16 and UTF-32: `byteorder` says and learns which.
unsafe fn wide(
    size: usize,
    data: *const c_char,
    len: isize,
    errors: *const c_char,
    order: *mut c_int,
    consumed: *mut isize,
) -> PyResult {
    // SAFETY: as [`stateful`].
    unsafe {
        let given = if order.is_null() { 0 } else { *order };
        let raw = bytes(data, len)?;
        let little: &[u8] = if size == 2 { &[0xff, 0xfe] } else { &[0xff, 0xfe, 0, 0] };
        let big: &[u8] = if size == 2 { &[0xfe, 0xff] } else { &[0, 0, 0xfe, 0xff] };
        let (suffix, skip, found) = match given {
            0 if raw.starts_with(little) => ("_le", size, -1),
            0 if raw.starts_with(big) => ("_be", size, 1),
            order if order > 0 => ("_be", 0, order),
            order => ("_le", 0, order),
        };
        let codec = format!("utf_{}{suffix}", size * 8);
        let result = stateful(&codec, data.add(skip), len - skip.cast_signed(), errors, consumed)?;
        if !consumed.is_null() {
            *consumed += skip.cast_signed();
        }
        if !order.is_null() {
            order.write(found);
        }
        Ok(result)
    }
}

/// An encoding that takes part in `codecs.lookup`.
unsafe fn part_of_codec(encoding: *const c_char, attribute: &str) -> PyResult {
    // SAFETY: a C text by the callers' contract.
    let encoding = unsafe { Str::from_utf8(text(encoding)?)? };
    call_in_module("_codecs", "lookup", &[&encoding])?.getattr(&*Str::from_utf8(attribute)?)
}

unsafe fn error_handler(name: &str, error: Obj) -> PyResult {
    // SAFETY: a live object by the callers' contract.
    let error = unsafe { arg(error)? };
    call_in_module("_codecs", "lookup_error", &[&*Str::from_utf8(name)?])?.call(&[error])
}

/// A path as C's converters take it: bytes or str, without zeros.
unsafe fn path_object(object: Obj) -> PyResult {
    // SAFETY: a live object by the callers' contract.
    unsafe { taipan_object::system::fspath(arg(object)?) }
}

macro_rules! simple_codecs {
    ($($decode:ident $encode:ident $encoding:literal;)*) => {
        export! {$(
            fn $decode(data: *const c_char, len: isize, errors: *const c_char) -> Obj {
                decoded(data, len, $encoding, errors)
            }

            fn $encode(object: Obj) -> Obj {
                encoded(object, $encoding, core::ptr::null())
            }
        )*}
    };
}

simple_codecs! {
    PyUnicode_DecodeUTF8 PyUnicode_AsUTF8String "utf-8";
    PyUnicode_DecodeASCII PyUnicode_AsASCIIString "ascii";
    PyUnicode_DecodeLatin1 PyUnicode_AsLatin1String "latin-1";
    PyUnicode_DecodeUnicodeEscape PyUnicode_AsUnicodeEscapeString "unicode-escape";
    PyUnicode_DecodeRawUnicodeEscape PyUnicode_AsRawUnicodeEscapeString "raw-unicode-escape";
    PyUnicode_DecodeUTF7 _PyUnicode_AsUTF7String "utf-7";
}

export! {
    fn PyUnicode_Decode(data: *const c_char, len: isize, encoding: *const c_char, errors: *const c_char) -> Obj {
        decoded(data, len, text_or(encoding, "utf-8")?, errors)
    }

    fn PyUnicode_FromEncodedObject(object: Obj, encoding: *const c_char, errors: *const c_char) -> Obj {
        let object = arg(object)?;
        let encoding = if encoding.is_null() { "utf-8" } else { text(encoding)? };
        taipan_types_text::str::str_from_object(object, Some(encoding), Some(text_or(errors, "strict")?))
    }

    fn PyUnicode_AsEncodedString(object: Obj, encoding: *const c_char, errors: *const c_char) -> Obj {
        encoded(object, text_or(encoding, "utf-8")?, errors)
    }

    fn _PyUnicode_AsUTF8String(object: Obj, errors: *const c_char) -> Obj {
        encoded(object, "utf-8", errors)
    }

    fn _PyUnicode_AsASCIIString(object: Obj, errors: *const c_char) -> Obj {
        encoded(object, "ascii", errors)
    }

    fn _PyUnicode_AsLatin1String(object: Obj, errors: *const c_char) -> Obj {
        encoded(object, "latin-1", errors)
    }

    fn PyUnicode_AsUTF16String(object: Obj) -> Obj {
        encoded(object, "utf-16", core::ptr::null())
    }

    fn PyUnicode_AsUTF32String(object: Obj) -> Obj {
        encoded(object, "utf-32", core::ptr::null())
    }

    fn PyUnicode_DecodeUTF8Stateful(data: *const c_char, len: isize, errors: *const c_char, consumed: *mut isize) -> Obj {
        stateful("utf_8", data, len, errors, consumed)
    }

    fn PyUnicode_DecodeUTF16(data: *const c_char, len: isize, errors: *const c_char, order: *mut c_int) -> Obj {
        wide(2, data, len, errors, order, core::ptr::null_mut())
    }

    fn PyUnicode_DecodeUTF16Stateful(data: *const c_char, len: isize, errors: *const c_char, order: *mut c_int, consumed: *mut isize) -> Obj {
        wide(2, data, len, errors, order, consumed)
    }

    fn PyUnicode_DecodeUTF32(data: *const c_char, len: isize, errors: *const c_char, order: *mut c_int) -> Obj {
        wide(4, data, len, errors, order, core::ptr::null_mut())
    }

    fn PyUnicode_DecodeUTF32Stateful(data: *const c_char, len: isize, errors: *const c_char, order: *mut c_int, consumed: *mut isize) -> Obj {
        wide(4, data, len, errors, order, consumed)
    }

    fn PyUnicode_DecodeCharmap(data: *const c_char, len: isize, map: Obj, errors: *const c_char) -> Obj {
        let data = Bytes::new(bytes(data, len)?)?;
        let errors = Str::from_utf8(text_or(errors, "strict")?)?;
        let map = Object::borrow_opt(map).unwrap_or(taipan_object::singletons::none());
        protocol_first(&*call_in_module("_codecs", "charmap_decode", &[&data, &errors, map])?)
    }

    fn PyUnicode_AsCharmapString(object: Obj, map: Obj) -> Obj {
        let strict = Str::from_utf8("strict")?;
        protocol_first(&*call_in_module("_codecs", "charmap_encode", &[typed::<Str>(object)?, &strict, arg(map)?])?)
    }

    fn PyUnicode_DecodeLocale(data: *const c_char, errors: *const c_char) -> Obj {
        let len = core::ffi::CStr::from_ptr(data).to_bytes().len().cast_signed();
        decoded(data, len, "utf-8", errors)
    }

    fn PyUnicode_DecodeLocaleAndSize(data: *const c_char, len: isize, errors: *const c_char) -> Obj {
        decoded(data, len, "utf-8", errors)
    }

    fn PyUnicode_EncodeLocale(object: Obj, errors: *const c_char) -> Obj {
        encoded(object, "utf-8", errors)
    }

    fn PyUnicode_DecodeFSDefault(data: *const c_char) -> Obj {
        taipan_object::system::fs_decode(core::ffi::CStr::from_ptr(data).to_bytes())
    }

    fn PyUnicode_DecodeFSDefaultAndSize(data: *const c_char, len: isize) -> Obj {
        taipan_object::system::fs_decode(bytes(data, len)?)
    }

    fn PyUnicode_EncodeFSDefault(object: Obj) -> Obj {
        Bytes::new(&taipan_object::system::fs_encode(typed(object)?)?)
    }

    fn PyOS_FSPath(object: Obj) -> Obj {
        path_object(object)
    }

    /// A converter for `O&`: bytes of a path. Called with null it gives the reference back.
    fn PyUnicode_FSConverter(object: Obj, place: *mut Obj) -> c_int {
        if object.is_null() {
            release(place);
            return Ok(1);
        }
        let path = path_object(object)?;
        let made = match path.downcast::<Bytes>() {
            Some(bytes) => Ref::of(bytes),
            None => Bytes::new(&taipan_object::system::fs_encode(typed(path.as_ptr())?)?)?,
        };
        if made.as_slice().contains(&0) {
            return Err(taipan_object::err::value_error("embedded null byte"));
        }
        place.write(made.into_ptr());
        Ok(CLEANUP_SUPPORTED)
    }

    fn PyUnicode_FSDecoder(object: Obj, place: *mut Obj) -> c_int {
        if object.is_null() {
            release(place);
            return Ok(1);
        }
        let path = path_object(object)?;
        let made = match path.downcast::<Str>() {
            Some(text) => Ref::of(text),
            None => match path.downcast::<Bytes>() {
                Some(bytes) => taipan_object::system::fs_decode(bytes.as_slice())?,
                None => return Err(raise!(
                    PyExc_TypeError,
                    "path should be string, bytes, or os.PathLike, not {}",
                    path.ty().message_name()
                )),
            },
        };
        if made.code_points().any(|c| c == 0) {
            return Err(taipan_object::err::value_error("embedded null character"));
        }
        place.write(made.into_ptr());
        Ok(CLEANUP_SUPPORTED)
    }

    fn PyCodec_Register(function: Obj) -> c_int {
        call_in_module("_codecs", "register", &[arg(function)?]).map(drop)
    }

    fn PyCodec_Unregister(function: Obj) -> c_int {
        call_in_module("_codecs", "unregister", &[arg(function)?]).map(drop)
    }

    fn PyCodec_Encode(object: Obj, encoding: *const c_char, errors: *const c_char) -> Obj {
        let (encoding, errors) = (Str::from_utf8(text(encoding)?)?, Str::from_utf8(text_or(errors, "strict")?)?);
        call_in_module("_codecs", "encode", &[arg(object)?, &encoding, &errors])
    }

    fn PyCodec_Decode(object: Obj, encoding: *const c_char, errors: *const c_char) -> Obj {
        let (encoding, errors) = (Str::from_utf8(text(encoding)?)?, Str::from_utf8(text_or(errors, "strict")?)?);
        call_in_module("_codecs", "decode", &[arg(object)?, &encoding, &errors])
    }

    fn PyCodec_Encoder(encoding: *const c_char) -> Obj {
        part_of_codec(encoding, "encode")
    }

    fn PyCodec_Decoder(encoding: *const c_char) -> Obj {
        part_of_codec(encoding, "decode")
    }

    fn PyCodec_IncrementalEncoder(encoding: *const c_char, errors: *const c_char) -> Obj {
        part_of_codec(encoding, "incrementalencoder")?.call(&[&*Str::from_utf8(text_or(errors, "strict")?)?])
    }

    fn PyCodec_IncrementalDecoder(encoding: *const c_char, errors: *const c_char) -> Obj {
        part_of_codec(encoding, "incrementaldecoder")?.call(&[&*Str::from_utf8(text_or(errors, "strict")?)?])
    }

    fn PyCodec_StreamReader(encoding: *const c_char, stream: Obj, errors: *const c_char) -> Obj {
        part_of_codec(encoding, "streamreader")?.call(&[arg(stream)?, &*Str::from_utf8(text_or(errors, "strict")?)?])
    }

    fn PyCodec_StreamWriter(encoding: *const c_char, stream: Obj, errors: *const c_char) -> Obj {
        part_of_codec(encoding, "streamwriter")?.call(&[arg(stream)?, &*Str::from_utf8(text_or(errors, "strict")?)?])
    }

    fn PyCodec_KnownEncoding(encoding: *const c_char) -> c_int {
        Ok(part_of_codec(encoding, "encode").is_ok())
    }

    fn PyCodec_RegisterError(name: *const c_char, handler: Obj) -> c_int {
        call_in_module("_codecs", "register_error", &[&*Str::from_utf8(text(name)?)?, arg(handler)?]).map(drop)
    }

    fn PyCodec_LookupError(name: *const c_char) -> Obj {
        call_in_module("_codecs", "lookup_error", &[&*Str::from_utf8(text_or(name, "strict")?)?])
    }

    fn PyCodec_StrictErrors(error: Obj) -> Obj {
        error_handler("strict", error)
    }

    fn PyCodec_IgnoreErrors(error: Obj) -> Obj {
        error_handler("ignore", error)
    }

    fn PyCodec_ReplaceErrors(error: Obj) -> Obj {
        error_handler("replace", error)
    }

    fn PyCodec_BackslashReplaceErrors(error: Obj) -> Obj {
        error_handler("backslashreplace", error)
    }

    fn PyCodec_XMLCharRefReplaceErrors(error: Obj) -> Obj {
        error_handler("xmlcharrefreplace", error)
    }

    fn PyCodec_NameReplaceErrors(error: Obj) -> Obj {
        error_handler("namereplace", error)
    }
}

/// The answer of a converter that wants to be called again to give back what it made.
const CLEANUP_SUPPORTED: c_int = 0x20000;

unsafe fn release(place: *mut Obj) {
    // SAFETY: a place that owns a reference or null, by the callers' contract.
    unsafe { taipan_object::refcount::xdecref(place.replace(core::ptr::null_mut())) }
}
