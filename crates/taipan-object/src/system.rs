//! What modules that talk to the operating system share: file names, descriptors, waiting.
//!
//! File names are bytes to the system and `str` to Python: UTF-8, where bytes that are not UTF-8
//! become the lone surrogates U+DC80 to U+DCFF and back (`surrogateescape`).

use crate::bytes::Bytes;
use crate::err::{PyErr, PyResult, type_error, unicode_encode_error, value_error};
use crate::gil;
use crate::handle::{Object, Ref};
use crate::int::Int;
use crate::intern;
use crate::raise;
use crate::state;
use crate::statics::*;
use crate::unicode::Str;

/// `EINTR`, the same on every Linux.
const INTERRUPTED: i32 = 4;

/// A file name as Python's text.
///
/// # Errors
/// `MemoryError`.
pub fn fs_decode(name: &[u8]) -> PyResult<Ref<Str>> {
    if let Ok(text) = core::str::from_utf8(name) {
        return Str::from_utf8(text);
    }
    let mut points = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        points.extend(chunk.valid().chars().map(u32::from));
        points.extend(chunk.invalid().iter().map(|&byte| 0xDC00 + u32::from(byte)));
    }
    Str::from_code_points(&points)
}

/// Python's text as a file name.
///
/// # Errors
/// `UnicodeEncodeError` for other surrogates.
pub fn fs_encode(text: &Str) -> PyResult<Vec<u8>> {
    if let Some(text) = text.as_utf8() {
        return Ok(text.as_bytes().to_vec());
    }
    let mut name = Vec::with_capacity(text.len());
    for (index, point) in text.code_points().enumerate() {
        match char::from_u32(point) {
            Some(character) => name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None if (0xDC80..=0xDCFF).contains(&point) => name.push((point - 0xDC00) as u8),
            None => {
                return Err(unicode_encode_error("utf-8", text, index, index + 1, "surrogates not allowed"));
            }
        }
    }
    Ok(name)
}

/// `os.fspath`: a `str` or bytes as it is, or what `__fspath__` gives; `None` for anything else.
///
/// # Errors
/// What `__fspath__` raises, `TypeError` when it gives neither.
pub fn fspath_opt(object: &Object) -> PyResult<Option<Ref>> {
    let is_name =
        |object: &Object| object.downcast::<Str>().is_some() || object.downcast::<Bytes>().is_some();
    if is_name(object) {
        return Ok(Some(object.new_ref()));
    }
    let Some(made) = crate::protocol::special_opt(object, intern!("__fspath__"), &[])? else {
        return Ok(None);
    };
    if is_name(&made) {
        return Ok(Some(made));
    }
    Err(raise!(
        PyExc_TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        object.ty().message_name(),
        made.ty().message_name()
    ))
}

/// `os.fspath`.
///
/// # Errors
/// `TypeError` for what is no file name.
pub fn fspath(object: &Object) -> PyResult {
    fspath_opt(object)?.ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "expected str, bytes or os.PathLike object, not {}",
            object.ty().message_name()
        )
    })
}

/// A C int from an index, with the words that descriptors get.
///
/// # Errors
/// `OverflowError`.
pub fn fd_of_index(number: &Int) -> PyResult<i32> {
    number.to_i64().and_then(|n| i32::try_from(n).ok()).ok_or_else(|| {
        let bound = if number.is_negative() { "less than minimum" } else { "greater than maximum" };
        crate::err::overflow_error(&format!("fd is {bound}"))
    })
}

/// Warns when a bool stands for a descriptor.
///
/// # Errors
/// The warning, when it is an error.
pub fn warn_bool_fd(object: &Object) -> PyResult<()> {
    if !object.is_exact(&PyBool_Type) {
        return Ok(());
    }
    (state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, "bool is used as a file descriptor", 1)
}

/// The descriptor of an int or of an object with `fileno()`.
///
/// # Errors
/// `TypeError` when there is none, `ValueError` when it is negative.
pub fn descriptor(object: &Object) -> PyResult<i32> {
    let fd = if object.downcast::<Int>().is_some() {
        warn_bool_fd(object)?;
        object.to_i32().map_err(too_big)?
    } else {
        let Some(method) = object.getattr_opt(intern!("fileno"))? else {
            return Err(type_error("argument must be an int, or have a fileno() method."));
        };
        let number = method.call(&[])?;
        if number.downcast::<Int>().is_none() {
            return Err(type_error("fileno() returned a non-integer"));
        }
        number.to_i32().map_err(too_big)?
    };
    if fd < 0 {
        return Err(value_error(&format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}

/// The words of C's `PyLong_AsInt`.
fn too_big(error: PyErr) -> PyErr {
    if error.is(&PyExc_OverflowError) {
        crate::err::overflow_error("Python int too large to convert to C int")
    } else {
        error
    }
}

/// Makes a call that may wait, without the interpreter lock, again and again while signals
/// interrupt it (PEP 475).
///
/// # Errors
/// What a signal handler raises.
pub fn waiting<T>(mut call: impl FnMut() -> Result<T, i32>) -> PyResult<Result<T, i32>> {
    loop {
        match gil::allow_threads(&mut call) {
            Err(INTERRUPTED) => (state::interp().hooks.get().check_signals)()?,
            done => return Ok(done),
        }
    }
}
