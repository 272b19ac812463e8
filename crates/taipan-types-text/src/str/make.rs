//! Making strs: `str(...)`, decoding, encoding.

use crate::util::name_arg;
use taipan_object::buffer::{Buffer, alloc_instance, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::native::{CallArgs, Signature};
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Str, empty, fill_subclass};
use taipan_object::{Object, PyResult, Ref, Type, err, intern, raise, state};

/// Bytes decoded by a named codec; plain UTF-8 and ASCII do not ask the registry.
///
/// # Errors
/// `UnicodeDecodeError`, `LookupError`; what the codec raises.
pub fn decode(data: &[u8], encoding: &str, errors: &str) -> PyResult {
    if data.is_ascii() && matches!(encoding, "utf-8" | "utf8" | "ascii" | "latin-1" | "UTF-8") {
        return Str::from_latin1(data).map(Ref::upcast);
    }
    if matches!(encoding, "utf-8" | "utf8" | "UTF-8")
        && let Ok(text) = core::str::from_utf8(data)
    {
        return Str::from_utf8(text).map(Ref::upcast);
    }
    let result = (state::interp().hooks.get().decode)(data, encoding, errors)?;
    if result.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
            result.ty().message_name()
        ));
    }
    Ok(result)
}

/// Text encoded by a named codec, as bytes.
///
/// # Errors
/// `UnicodeEncodeError`, `LookupError`; what the codec raises.
pub fn encode(text: &Str, encoding: &str, errors: &str) -> PyResult {
    if matches!(encoding, "utf-8" | "utf8" | "UTF-8")
        && let Some(utf8) = text.as_utf8()
    {
        return Bytes::new(utf8.as_bytes()).map(Ref::upcast);
    }
    let result = (state::interp().hooks.get().encode)(text, encoding, errors)?;
    if result.downcast::<Bytes>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
            result.ty().message_name()
        ));
    }
    Ok(result)
}

/// In development mode: whether a codec and an error handler of these names exist, even where they
/// would not be needed.
///
/// # Errors
/// `LookupError`.
pub(crate) fn check_names(encoding: Option<&str>, errors: Option<&str>) -> PyResult<()> {
    if (encoding.is_none() && errors.is_none()) || !state::interp().dev_mode.get() {
        return Ok(());
    }
    let codecs = (state::interp().hooks.get().import_module)("_codecs")?;
    for (function, name) in [(intern!("lookup"), encoding), (intern!("lookup_error"), errors)] {
        if let Some(name) = name {
            codecs.call_method(function, &[&*Str::from_utf8(name)?])?;
        }
    }
    Ok(())
}

/// `str(object, encoding, errors)`.
///
/// # Errors
/// `TypeError` for things that cannot be decoded; what decoding raises.
pub fn str_from_object(object: &Object, encoding: Option<&str>, errors: Option<&str>) -> PyResult {
    if encoding.is_none() && errors.is_none() {
        return object.str().map(Ref::upcast);
    }
    if object.downcast::<Str>().is_some() {
        return Err(err::type_error("decoding str is not supported"));
    }
    if !has_buffer(object) {
        return Err(raise!(
            PyExc_TypeError,
            "decoding to str: need a bytes-like object, {} found",
            object.ty().message_name()
        ));
    }
    let data = Buffer::simple(object)?.to_vec();
    decode(&data, encoding.unwrap_or("utf-8"), errors.unwrap_or("strict"))
}

static SIGNATURE: Signature = Signature::parse("str", "(object='', encoding='utf-8', errors='strict')");

/// `str(...)`.
pub(super) fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    match args.single() {
        Some(object) => object.str().map(Ref::upcast),
        None => args.call_with_tuple(|args, kwargs| new(ty, args, kwargs)),
    }
}

/// `str.__new__`.
pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let plain = kwargs.is_none_or(Dict::is_empty);
    if plain && ty.is(&PyUnicode_Type) {
        match args.items() {
            [] => return Ok(empty().new_ref()),
            [object] => return object.str().map(Ref::upcast),
            items if items.len() > 3 => {
                return Err(raise!(PyExc_TypeError, "str expected at most 3 arguments, got {}", items.len()));
            }
            _ => {}
        }
    }
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let encoding = bound.get(1).map(|name| name_arg(name, "str", " 'encoding'")).transpose()?;
    let errors = bound.get(2).map(|name| name_arg(name, "str", " 'errors'")).transpose()?;
    check_names(encoding.as_deref(), errors.as_deref())?;
    let text = match bound.get(0) {
        None => empty().new_ref(),
        Some(object) => str_from_object(object, encoding.as_deref(), errors.as_deref())?,
    };
    if ty.is(&PyUnicode_Type) {
        return Ok(text);
    }
    let Some(text) = text.downcast::<Str>() else { return Err(err::system_error("str() gave no str")) };
    let object = alloc_instance(ty, 0)?;
    // SAFETY: a fresh instance of a subclass of str, zeroed by its allocation.
    unsafe { fill_subclass(&object, text)? };
    Ok(object)
}
