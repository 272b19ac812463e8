//! Arguments of `posix`: names, descriptors, numbers of several widths; and its errors.

use std::ffi::{CStr, CString};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::native::Args;
use taipan_object::protocol::has_index;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError, PyExc_ValueError};
use taipan_object::system::{fd_of_index, fs_decode, fs_encode, fspath, fspath_opt, warn_bool_fd};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, raise};
use taipan_os::{Errno, paths};
use taipan_types_meta::exceptions as make;

/// An `OSError` without a file.
#[cold]
pub fn os_error(errno: Errno) -> PyErr {
    make::os_error(errno, None)
}

/// A file as an argument names it.
pub struct Path {
    /// What stands in an exception.
    object: Ref,
    name: CString,
    /// The file is given by its descriptor.
    pub fd: Option<i32>,
    /// The name was given as `str` (or not at all).
    pub text: bool,
}

/// What else than a name a function takes for a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Also {
    Nothing,
    Fd,
    FdOrNone,
}

impl Path {
    /// Converts an argument; `None` only where the argument was left out or may be `None`.
    ///
    /// # Errors
    /// `TypeError` for what names no file, `ValueError` for a null character.
    pub fn of(function: &str, argument: &str, object: Option<&Object>, also: Also) -> PyResult<Path> {
        let Some(object) = object.filter(|object| also != Also::FdOrNone || !is_none(object)) else {
            let here = CString::from(c".");
            return Ok(Path {
                object: taipan_object::singletons::new_none(),
                name: here,
                fd: None,
                text: true,
            });
        };
        if let Some(found) = fspath_opt(object)? {
            return Self::of_name(function, argument, found);
        }
        if also != Also::Nothing && has_index(object) {
            warn_bool_fd(object)?;
            let fd = fd_of_index(&*object.to_index()?)?;
            let object = taipan_object::int::Int::from_i64(i64::from(fd)).upcast();
            return Ok(Path { object, name: CString::default(), fd: Some(fd), text: true });
        }
        let allowed = match also {
            Also::Nothing => "string, bytes or os.PathLike",
            Also::Fd => "string, bytes, os.PathLike or integer",
            Also::FdOrNone => "string, bytes, os.PathLike, integer or None",
        };
        Err(raise!(
            PyExc_TypeError,
            "{function}: {argument} should be {allowed}, not {}",
            object.ty().message_name()
        ))
    }

    fn of_name(function: &str, argument: &str, found: Ref) -> PyResult<Path> {
        let (name, text) = name_bytes(&found)?;
        let name = CString::new(name)
            .map_err(|_| raise!(PyExc_ValueError, "{function}: embedded null character in {argument}"))?;
        Ok(Path { object: found, name, fd: None, text })
    }

    /// The name; empty for a descriptor.
    pub fn name(&self) -> &CStr {
        &self.name
    }

    /// What was given, `None` where nothing was.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The error of an operation on this file.
    #[cold]
    pub fn error(&self, errno: Errno) -> PyErr {
        make::os_error(errno, Some(&*self.object).filter(|object| !is_none(object)))
    }

    /// The error of an operation on two files.
    #[cold]
    pub fn error2(&self, other: &Path, errno: Errno) -> PyErr {
        make::os_error2(errno, Some(&self.object), Some(&other.object))
    }

    /// A name that the system gave, in the kind that this name was given in.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn give(&self, name: &[u8]) -> PyResult {
        if self.text { Ok(fs_decode(name)?.upcast()) } else { Ok(Bytes::new(name)?.upcast()) }
    }

    /// Checks that a folder to start from goes with a name.
    ///
    /// # Errors
    /// `ValueError`.
    pub fn no_dir_with_fd(&self, function: &str, dir: i32) -> PyResult<()> {
        if self.fd.is_some() && dir != paths::HERE {
            return Err(raise!(PyExc_ValueError, "{function}: can't specify dir_fd without matching path"));
        }
        Ok(())
    }

    /// Checks that not following links goes with a name.
    ///
    /// # Errors
    /// `ValueError`.
    pub fn follow_with_fd(&self, function: &str, follow: bool) -> PyResult<()> {
        if self.fd.is_some() && !follow {
            return Err(raise!(PyExc_ValueError, "{function}: cannot use fd and follow_symlinks together"));
        }
        Ok(())
    }
}

/// The bytes of a `str` or bytes object, and whether it is a `str`.
///
/// # Errors
/// `UnicodeEncodeError`.
pub fn name_bytes(object: &Object) -> PyResult<(Vec<u8>, bool)> {
    if let Some(text) = object.downcast::<Str>() {
        return Ok((fs_encode(text)?, true));
    }
    let bytes = object.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec());
    Ok((bytes.unwrap_or_default(), false))
}

/// `os.fsencode` for C: a name without null characters.
///
/// # Errors
/// `TypeError` for what is no name, `ValueError` for null characters.
pub fn c_name(object: &Object) -> PyResult<CString> {
    let found = fspath(object)?;
    let (bytes, _) = name_bytes(&found)?;
    CString::new(bytes).map_err(|_| value_error("embedded null byte"))
}

/// A `dir_fd` argument.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn dir_fd(object: Option<&Object>) -> PyResult<i32> {
    let Some(object) = object.filter(|object| !is_none(object)) else { return Ok(paths::HERE) };
    if !has_index(object) {
        return Err(raise!(
            PyExc_TypeError,
            "argument should be integer or None, not {}",
            object.ty().message_name()
        ));
    }
    warn_bool_fd(object)?;
    fd_of_index(&*object.to_index()?)
}

/// A C int.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn int(object: &Object) -> PyResult<i32> {
    let number = object.to_index()?;
    let value = number.to_i64().and_then(|n| i32::try_from(n).ok());
    value.ok_or_else(|| overflow_error("Python int too large to convert to C int"))
}

/// A C int, or the default.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn int_or(args: &Args<'_>, index: usize, default: i32) -> PyResult<i32> {
    args.get(index).map_or(Ok(default), int)
}

/// A C unsigned int, whose bits may also be given as a negative number.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn unsigned(object: &Object) -> PyResult<u32> {
    let number = object.to_index()?;
    if number.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    let value = number.to_u64().and_then(|n| u32::try_from(n).ok());
    value.ok_or_else(|| overflow_error("Python int too large to convert to C unsigned int"))
}

/// An offset in a file.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn offset(object: &Object) -> PyResult<i64> {
    let number = object.to_index()?;
    number.to_i64().ok_or_else(|| overflow_error("Python int too large to convert to C long"))
}

/// An offset in a file, or none.
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn offset_opt(object: Option<&Object>) -> PyResult<Option<i64>> {
    object.filter(|object| !is_none(object)).map(offset).transpose()
}

/// A user or group number; -1 stands for "leave it".
///
/// # Errors
/// `TypeError`, `OverflowError`.
pub fn id(object: &Object, what: &str) -> PyResult<u32> {
    if !has_index(object) {
        return Err(raise!(PyExc_TypeError, "{what} should be integer, not {}", object.ty().message_name()));
    }
    let number = object.to_index()?;
    match number.to_i64() {
        Some(-1) => Ok(u32::MAX),
        Some(value) => {
            u32::try_from(value).map_err(|_| raise!(PyExc_OverflowError, "{what} is less than minimum"))
        }
        None if number.is_negative() => Err(raise!(PyExc_OverflowError, "{what} is less than minimum")),
        None => Err(raise!(PyExc_OverflowError, "{what} is greater than maximum")),
    }
}

/// The bytes of a buffer argument.
///
/// # Errors
/// `TypeError`.
pub fn data(object: &Object) -> PyResult<Vec<u8>> {
    if !has_buffer(object) {
        return Err(raise!(
            PyExc_TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().message_name()
        ));
    }
    Ok(Buffer::simple(object)?.to_vec())
}

/// The items of a list or tuple.
pub fn sequence(object: &Object) -> Option<Vec<Ref>> {
    if let Some(list) = object.downcast::<taipan_object::list::List>() {
        return Some(list.to_vec());
    }
    let tuple = object.downcast::<taipan_object::tuple::Tuple>()?;
    Some(tuple.items().iter().map(|item| item.new_ref()).collect())
}

/// Whether an object is a sequence, as far as C's protocol can tell.
pub fn is_sequence(object: &Object) -> bool {
    let dict = object.downcast::<taipan_object::dict::Dict>().is_some();
    !dict && object.ty().lookup(taipan_object::intern!("__getitem__")).is_some()
}

/// A result of the system, with its error as an `OSError` without a file.
///
/// # Errors
/// `OSError`.
pub fn ok<T>(result: Result<T, Errno>) -> PyResult<T> {
    result.map_err(os_error)
}

/// As [`ok`], of a call made without the interpreter lock, repeated while signals interrupt it.
///
/// # Errors
/// `OSError`; what a signal handler raises.
pub fn wait_ok<T>(call: impl FnMut() -> Result<T, Errno>) -> PyResult<T> {
    ok(taipan_object::system::waiting(call)?)
}

/// A call made once without the interpreter lock.
pub fn released<T>(call: impl FnOnce() -> T) -> T {
    taipan_object::gil::allow_threads(call)
}
