//! Making `bytes`, and what the constructors of both types share.

use crate::str::check_names;
use crate::util::name_arg;
use taipan_object::buffer::{alloc_instance, bytes_from_object, has_buffer, special_bytes};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::native::{Args, Signature};
use taipan_object::statics::{PyBytes_Type, PyExc_OverflowError, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, protocol, raise};

/// What a constructor is given.
pub(super) enum Source {
    Data(Vec<u8>),
    Bytes(Ref<Bytes>),
    /// A bytearray takes these ints one by one, in sight of the iterator.
    Iterable(Ref),
}

impl Source {
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Source::Data(data) => data,
            Source::Bytes(bytes) => bytes.as_slice(),
            Source::Iterable(_) => &[],
        }
    }
}

/// Zeros, as many as an integer says; `None` when the object is no integer.
fn zeros(object: &Object) -> PyResult<Option<Vec<u8>>> {
    if !protocol::has_index(object) {
        return Ok(None);
    }
    let count = match object.to_index_clamped(Some(&PyExc_OverflowError)) {
        Ok(count) => count,
        Err(error) if error.is(&PyExc_TypeError) => return Ok(None),
        Err(error) => return Err(error),
    };
    let count = usize::try_from(count).map_err(|_| err::value_error("negative count"))?;
    let mut data = Vec::new();
    data.try_reserve_exact(count).map_err(|_| err::memory_error())?;
    data.resize(count, 0);
    Ok(Some(data))
}

/// The bytes that constructor arguments ask for. `special` asks `__bytes__` first.
pub(super) fn source(args: &Args<'_>, function: &str, special: bool) -> PyResult<Source> {
    let encoding = args.get(1).map(|name| name_arg(name, function, " 'encoding'")).transpose()?;
    let errors = args.get(2).map(|name| name_arg(name, function, " 'errors'")).transpose()?;
    check_names(encoding.as_deref(), errors.as_deref())?;
    let Some(object) = args.get(0) else {
        if encoding.is_some() || errors.is_some() {
            let what = if encoding.is_some() { "encoding" } else { "errors" };
            return Err(raise!(PyExc_TypeError, "{what} without a string argument"));
        }
        return Ok(Source::Data(Vec::new()));
    };
    if special
        && encoding.is_none()
        && errors.is_none()
        && !object.is_exact(&PyBytes_Type)
        && let Some(bytes) = special_bytes(object)?
    {
        return Ok(Source::Bytes(bytes));
    }
    if let Some(text) = object.downcast::<Str>() {
        if let Some(encoding) = encoding {
            let made = crate::str::encode(text, &encoding, errors.as_deref().unwrap_or("strict"))?;
            return made
                .downcast_owned::<Bytes>()
                .map(Source::Bytes)
                .map_err(|_| err::system_error("encoder gave no bytes"));
        }
        let message = "string argument without an encoding";
        return Err(err::type_error(message));
    }
    if encoding.is_some() || errors.is_some() {
        let what = if encoding.is_some() { "encoding" } else { "errors" };
        return Err(raise!(PyExc_TypeError, "{what} without a string argument"));
    }
    if special && let Some(bytes) = object.downcast::<Bytes>().filter(|bytes| bytes.is_exact(&PyBytes_Type)) {
        return Ok(Source::Bytes(Ref::of(bytes)));
    }
    match zeros(object)? {
        Some(data) => Ok(Source::Data(data)),
        None if special || has_buffer(object) => bytes_from_object(object).map(Source::Data),
        None => Ok(Source::Iterable(object.new_ref())),
    }
}

/// The iterator over the ints that a bytearray is made of.
pub(super) fn iterate(object: &Object) -> PyResult<Ref> {
    object.iter().map_err(|error| {
        if error.is(&PyExc_TypeError) {
            raise!(PyExc_TypeError, "cannot convert '{}' object to bytearray", object.ty().message_name())
        } else {
            error
        }
    })
}

static SIGNATURE: Signature = Signature::parse("bytes", "(source=b'', encoding='utf-8', errors='strict')");

/// `bytes.__new__`.
pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let source = source(&bound, "bytes", true)?;
    if ty.is(&PyBytes_Type) {
        return match source {
            Source::Bytes(bytes) => Ok(bytes.upcast()),
            other => Bytes::new(other.as_slice()).map(Ref::upcast),
        };
    }
    let data = source.as_slice();
    let object = alloc_instance(ty, data.len())?;
    // SAFETY: a fresh instance of a subclass of bytes with room for the data and a zero.
    unsafe {
        let bytes: &Bytes = object.cast();
        (*bytes.raw()).ob_shash = -1;
        core::ptr::copy_nonoverlapping(data.as_ptr(), bytes.data_ptr(), data.len());
    }
    Ok(object)
}
