//! `UnicodeEncodeError`, `UnicodeDecodeError` and `UnicodeTranslateError`: which part of what could
//! not be converted.

use super::base::{self, fields, lifetime};
use crate::util;
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyErr, PyResult, type_error};
use taipan_object::handle::set_field;
use taipan_object::native::{self, IntoPy, Member, Slot, TypeSpec};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Ref, layout, raise};

layout!(
    /// A `UnicodeError` of one of the three kinds with fields.
    UnicodeError, PyUnicodeErrorObject, "UnicodeError",
    |o| [&*PyExc_UnicodeEncodeError, &*PyExc_UnicodeDecodeError, &*PyExc_UnicodeTranslateError]
        .iter().any(|ty| o.ty().is_subtype(ty))
);
fields!(UnicodeErrorFields, PyUnicodeErrorObject, [encoding, object, reason]);

const LIFE: [Slot; 3] = lifetime::<UnicodeErrorFields>();

fn as_exception(exception: &UnicodeError) -> &Exception {
    // SAFETY: the layout begins with that of `BaseException`.
    unsafe { exception.cast() }
}

fn count(args: &Tuple, wanted: usize) -> PyResult<()> {
    if args.len() == wanted {
        return Ok(());
    }
    Err(raise!(PyExc_TypeError, "function takes exactly {wanted} arguments ({} given)", args.len()))
}

fn text(args: &Tuple, index: usize) -> PyResult<Ref> {
    let value = args.items()[index];
    if value.downcast::<Str>().is_some() {
        return Ok(value.new_ref());
    }
    Err(raise!(
        PyExc_TypeError,
        "argument {} must be str, not {}",
        index + 1,
        crate::arguments::type_name(value)
    ))
}

struct Parts {
    encoding: Option<Ref>,
    object: Ref,
    start: isize,
    end: isize,
    reason: Ref,
}

fn fill(exception: &UnicodeError, parts: Parts) {
    // SAFETY: the view guarantees the layout; fields own their values.
    unsafe {
        let raw = exception.raw();
        set_field(&raw mut (*raw).encoding, parts.encoding);
        set_field(&raw mut (*raw).object, Some(parts.object));
        set_field(&raw mut (*raw).reason, Some(parts.reason));
        (*raw).start = parts.start;
        (*raw).end = parts.end;
    }
}

fn encode_init(exception: &UnicodeError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, kwargs)?;
    count(args, 5)?;
    let parts = Parts {
        encoding: Some(text(args, 0)?),
        object: text(args, 1)?,
        start: args.items()[2].to_isize()?,
        end: args.items()[3].to_isize()?,
        reason: text(args, 4)?,
    };
    fill(exception, parts);
    Ok(())
}

fn decode_init(exception: &UnicodeError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, kwargs)?;
    count(args, 5)?;
    let encoding = Some(text(args, 0)?);
    let (start, end) = (args.items()[2].to_isize()?, args.items()[3].to_isize()?);
    let reason = text(args, 4)?;
    let object = args.items()[1];
    let object = match object.downcast::<Bytes>() {
        Some(bytes) => bytes.new_ref(),
        None => Bytes::new(&Buffer::simple(object)?.to_vec())?.upcast(),
    };
    fill(exception, Parts { encoding, object, start, end, reason });
    Ok(())
}

fn translate_init(exception: &UnicodeError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, kwargs)?;
    count(args, 4)?;
    let parts = Parts {
        encoding: None,
        object: text(args, 0)?,
        start: args.items()[1].to_isize()?,
        end: args.items()[2].to_isize()?,
        reason: text(args, 3)?,
    };
    fill(exception, parts);
    Ok(())
}

/// Encoding, object, reason, start and end.
struct Read {
    encoding: String,
    /// Read last: the `__str__` of the others may change it.
    object: Option<Ref>,
    reason: String,
    start: isize,
    end: isize,
}

/// The fields for `__str__`; `None` for an exception that was never initialised.
fn read(exception: &UnicodeError) -> PyResult<Option<Read>> {
    // SAFETY: the view guarantees the layout.
    let (encoding, object, reason) = unsafe {
        let raw = exception.raw();
        (
            util::field(&raw mut (*raw).encoding),
            util::field(&raw mut (*raw).object),
            util::field(&raw mut (*raw).reason),
        )
    };
    if object.is_none() {
        return Ok(None);
    }
    let text = |field: Option<Ref>| -> PyResult<String> {
        field.map_or_else(|| Ok("<NULL>".to_owned()), |field| Ok(field.str()?.to_lossy()))
    };
    let (reason, encoding) = (text(reason)?, text(encoding)?);
    // SAFETY: the view guarantees the layout.
    let (start, end, object) = unsafe {
        let raw = exception.raw();
        ((*raw).start, (*raw).end, util::field(&raw mut (*raw).object))
    };
    Ok(Some(Read { encoding, object, reason, start, end }))
}

impl Read {
    /// The index of the only element, if the range is one element within the object.
    fn single(&self, len: usize) -> Option<usize> {
        let start = usize::try_from(self.start).ok().filter(|&start| start < len)?;
        (self.end == self.start + 1).then_some(start)
    }

    fn str_object(&self) -> PyResult<&Str> {
        self.object
            .as_ref()
            .ok_or_else(not_set)?
            .downcast::<Str>()
            .ok_or_else(|| type_error("UnicodeError 'object' attribute must be a string"))
    }

    fn last(&self) -> isize {
        self.end.saturating_sub(1)
    }
}

fn not_set() -> PyErr {
    type_error("UnicodeError 'object' attribute is not set")
}

fn escaped(point: u32) -> String {
    match point {
        0..=0xFF => format!("\\x{point:02x}"),
        0x100..=0xFFFF => format!("\\u{point:04x}"),
        _ => format!("\\U{point:08x}"),
    }
}

fn encode_str(exception: &UnicodeError) -> PyResult {
    let Some(read) = read(exception)? else { return "".into_py() };
    let object = read.str_object()?;
    let Read { encoding, reason, start, .. } = &read;
    match read.single(object.len()) {
        Some(index) => format!(
            "'{encoding}' codec can't encode character '{}' in position {start}: {reason}",
            escaped(object.chars().at(index))
        ),
        None => format!(
            "'{encoding}' codec can't encode characters in position {start}-{}: {reason}",
            read.last()
        ),
    }
    .into_py()
}

fn decode_str(exception: &UnicodeError) -> PyResult {
    let Some(read) = read(exception)? else { return "".into_py() };
    let object = read.object.as_ref().ok_or_else(not_set)?;
    let Some(object) = object.downcast::<Bytes>() else {
        return Err(type_error("UnicodeError 'object' attribute must be a bytes"));
    };
    let Read { encoding, reason, start, .. } = &read;
    match read.single(object.len()) {
        Some(index) => format!(
            "'{encoding}' codec can't decode byte 0x{:02x} in position {start}: {reason}",
            object.as_slice()[index]
        ),
        None => {
            format!("'{encoding}' codec can't decode bytes in position {start}-{}: {reason}", read.last())
        }
    }
    .into_py()
}

fn translate_str(exception: &UnicodeError) -> PyResult {
    let Some(read) = read(exception)? else { return "".into_py() };
    let object = read.str_object()?;
    let Read { reason, start, .. } = &read;
    match read.single(object.len()) {
        Some(index) => format!(
            "can't translate character '{}' in position {start}: {reason}",
            escaped(object.chars().at(index))
        ),
        None => format!("can't translate characters in position {start}-{}: {reason}", read.last()),
    }
    .into_py()
}

const MEMBERS: &[Member] = &[
    Member::new(c"encoding", T_OBJECT, offset_of!(PyUnicodeErrorObject, encoding), 0, c"the encoding"),
    Member::new(
        c"object",
        T_OBJECT,
        offset_of!(PyUnicodeErrorObject, object),
        0,
        c"what was being converted",
    ),
    Member::new(
        c"start",
        Py_T_PYSSIZET,
        offset_of!(PyUnicodeErrorObject, start),
        0,
        c"where the fault begins",
    ),
    Member::new(c"end", Py_T_PYSSIZET, offset_of!(PyUnicodeErrorObject, end), 0, c"where the fault ends"),
    Member::new(c"reason", T_OBJECT, offset_of!(PyUnicodeErrorObject, reason), 0, c"what is wrong"),
];

macro_rules! spec {
    ($ty:ident, $init:ident, $str:ident, $doc:literal) => {
        TypeSpec {
            doc: Some($doc),
            slots: &[
                LIFE[0],
                LIFE[1],
                LIFE[2],
                native::tp_new(base::new),
                native::tp_init($init),
                native::tp_str($str),
            ],
            members: MEMBERS,
            ..TypeSpec::new(&$ty)
        }
    };
}

pub(super) const ENCODE: TypeSpec =
    spec!(_PyExc_UnicodeEncodeError, encode_init, encode_str, c"A text cannot be encoded.");
pub(super) const DECODE: TypeSpec =
    spec!(_PyExc_UnicodeDecodeError, decode_init, decode_str, c"Bytes cannot be decoded.");
pub(super) const TRANSLATE: TypeSpec =
    spec!(_PyExc_UnicodeTranslateError, translate_init, translate_str, c"A text cannot be translated.");
