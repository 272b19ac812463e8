//! `_codecs`: the registry, the error handlers, and the codecs that `encodings` is made of.

mod charmap;
pub mod errors;
mod escapes;
mod handlers;
pub mod registry;
mod rows;

use rows::{decode_16, decode_32, encode_16, encode_32, plain_decode, plain_encode};
use taipan_codecs::{simple, utf7, utf8, utf16_32};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, add_type};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, methods, raise};
use utf16_32::Order;

fn name_of<'a>(object: &'a Object, function: &str) -> PyResult<&'a Str> {
    object.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "{function}() argument must be str, not {}", crate::io::argument_name(object))
    })
}

fn lookup(_: &Object, name: &Object) -> PyResult {
    registry::lookup(name_of(name, "lookup")?.to_utf8()?).map(taipan_object::Ref::upcast)
}

fn lookup_error(_: &Object, name: &Object) -> PyResult {
    registry::lookup_error(rows::checked(name_of(name, "lookup_error")?)?)
}

fn register_error(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let name = crate::io::str_arg(args.required(0), "register_error", "1")?;
    registry::register_error(name, args.required(1))
}

fn unregister_error(_: &Object, name: &Object) -> PyResult<bool> {
    registry::unregister_error(name_of(name, "_unregister_error")?)
}

/// `encode` and `decode`: by any codec.
fn by_codec(args: &Args<'_>, which: usize, function: &str) -> PyResult {
    let text = |index: usize, name: &str| -> PyResult<Option<String>> {
        args.get(index)
            .map(|value| rows::checked(crate::io::str_arg(value, function, name)?).map(str::to_owned))
            .transpose()
    };
    let encoding = text(1, "'encoding'")?.unwrap_or_else(|| "utf-8".to_owned());
    let errors = text(2, "'errors'")?;
    let codec = registry::lookup(&encoding)?;
    registry::call(&codec, which, &encoding, args.required(0), errors.as_deref())
}

methods! {
    static METHODS = {
        one "register" "($module, search_function, /)" = |_: &Object, search: &Object| registry::register(search),
            "Add a function that looks for codecs.\n\nIt is called with a name in lower case, and gives a tuple of four functions or\nNone.";
        one "unregister" "($module, search_function, /)" = |_: &Object, search: &Object| registry::unregister(search),
            "Remove a search function and forget the codecs that were found.";
        one "lookup" "($module, encoding, /)" = lookup, "The codec of a name.";
        args "encode" "($module, /, obj, encoding='utf-8', errors='strict')" = |_: &Object, a: &Args<'_>| by_codec(a, 0, "encode"),
            "Encode an object by a codec.\n\nerrors is 'strict', 'ignore', 'replace', 'backslashreplace' or any other handler\nthat was registered.";
        args "decode" "($module, /, obj, encoding='utf-8', errors='strict')" = |_: &Object, a: &Args<'_>| by_codec(a, 1, "decode"),
            "Decode an object by a codec.\n\nerrors is 'strict', 'ignore', 'replace', 'backslashreplace' or any other handler\nthat was registered.";
        args "register_error" "($module, errors, handler, /)" = register_error,
            "Register an error handler under a name.\n\nIt is called with a UnicodeError and gives a replacement and where to go on.";
        one "_unregister_error" "($module, errors, /)" = unregister_error, "Remove an error handler; whether there was one.";
        one "lookup_error" "($module, name, /)" = lookup_error, "The error handler of a name.";
        args "escape_decode" "($module, data, errors=None, /)" = escapes::escape_decode, "Decode escape sequences of bytes literals.";
        args "escape_encode" "($module, data, errors=None, /)" = escapes::escape_encode, "Encode as in bytes literals.";
        args "utf_8_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| plain_decode(a, "utf_8_decode", "utf-8", &mut utf8::decode), "Decode UTF-8.";
        args "utf_8_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| plain_encode(a, "utf_8_encode", "utf-8", &mut utf8::encode, true), "Encode as UTF-8.";
        args "utf_7_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| plain_decode(a, "utf_7_decode", "utf7", &mut utf7::decode), "Decode UTF-7.";
        args "utf_7_encode" "($module, str, errors=None, /)" = rows::utf_7_encode, "Encode as UTF-7.";
        args "utf_16_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_16(a, "utf_16_decode", None), "Decode UTF-16 with or without a mark.";
        args "utf_16_le_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_16(a, "utf_16_le_decode", Some(Order::Little)), "Decode little-endian UTF-16.";
        args "utf_16_be_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_16(a, "utf_16_be_decode", Some(Order::Big)), "Decode big-endian UTF-16.";
        args "utf_16_ex_decode" "($module, data, errors=None, byteorder=0, final=False,\n                 /)" = rows::utf_16_ex_decode, "Decode UTF-16 and tell its byte order.";
        args "utf_16_encode" "($module, str, errors=None, byteorder=0, /)" = |_: &Object, a: &Args<'_>| encode_16(a, "utf_16_encode", None), "Encode as UTF-16 with a mark.";
        args "utf_16_le_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| encode_16(a, "utf_16_le_encode", Some(Order::Little)), "Encode as little-endian UTF-16.";
        args "utf_16_be_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| encode_16(a, "utf_16_be_encode", Some(Order::Big)), "Encode as big-endian UTF-16.";
        args "utf_32_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_32(a, "utf_32_decode", None), "Decode UTF-32 with or without a mark.";
        args "utf_32_le_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_32(a, "utf_32_le_decode", Some(Order::Little)), "Decode little-endian UTF-32.";
        args "utf_32_be_decode" "($module, data, errors=None, final=False, /)" = |_: &Object, a: &Args<'_>| decode_32(a, "utf_32_be_decode", Some(Order::Big)), "Decode big-endian UTF-32.";
        args "utf_32_ex_decode" "($module, data, errors=None, byteorder=0, final=False,\n                 /)" = rows::utf_32_ex_decode, "Decode UTF-32 and tell its byte order.";
        args "utf_32_encode" "($module, str, errors=None, byteorder=0, /)" = |_: &Object, a: &Args<'_>| encode_32(a, "utf_32_encode", None), "Encode as UTF-32 with a mark.";
        args "utf_32_le_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| encode_32(a, "utf_32_le_encode", Some(Order::Little)), "Encode as little-endian UTF-32.";
        args "utf_32_be_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| encode_32(a, "utf_32_be_encode", Some(Order::Big)), "Encode as big-endian UTF-32.";
        args "unicode_escape_decode" "($module, data, errors=None, final=True, /)" = escapes::unicode_escape_decode, "Decode escape sequences of str literals.";
        args "unicode_escape_encode" "($module, str, errors=None, /)" = escapes::unicode_escape_encode, "Encode as in str literals.";
        args "raw_unicode_escape_decode" "($module, data, errors=None, final=True, /)" = escapes::raw_unicode_escape_decode, "Decode \\u and \\U sequences.";
        args "raw_unicode_escape_encode" "($module, str, errors=None, /)" = escapes::raw_unicode_escape_encode, "Encode with \\u and \\U sequences.";
        args "latin_1_decode" "($module, data, errors=None, /)" = |_: &Object, a: &Args<'_>| plain_decode(a, "latin_1_decode", "latin-1", &mut simple::decode_latin1), "Decode Latin-1.";
        args "latin_1_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| plain_encode(a, "latin_1_encode", "latin-1", &mut simple::encode_latin1, false), "Encode as Latin-1.";
        args "ascii_decode" "($module, data, errors=None, /)" = |_: &Object, a: &Args<'_>| plain_decode(a, "ascii_decode", "ascii", &mut simple::decode_ascii), "Decode ASCII.";
        args "ascii_encode" "($module, str, errors=None, /)" = |_: &Object, a: &Args<'_>| plain_encode(a, "ascii_encode", "ascii", &mut simple::encode_ascii, false), "Encode as ASCII.";
        args "charmap_decode" "($module, data, errors=None, mapping=None, /)" = charmap::decode, "Decode bytes by a mapping.";
        args "charmap_encode" "($module, str, errors=None, mapping=None, /)" = charmap::encode, "Encode characters by a mapping.";
        one "charmap_build" "($module, map, /)" = charmap::build, "The mapping for encoding that belongs to a decoding table.";
        args "readbuffer_encode" "($module, data, errors=None, /)" = rows::readbuffer_encode, "The bytes of a buffer, or of a str as UTF-8.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    registry::registry()?;
    // The type of charmap_build()'s answers is not a name of the module.
    add_type(module, &charmap::SPEC)?;
    module.dict().remove(taipan_object::intern!("EncodingMap")).map(drop)
}

/// `_codecs`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_codecs",
    doc: "Codecs: the registry and the encodings that others stand on.",
    methods: METHODS,
    init,
};

/// Decodes bytes for `bytes.decode` and the like: the wide-spread encodings at once, all others
/// through the registry.
///
/// # Errors
/// `UnicodeDecodeError`, `LookupError`; what the codec raises.
pub fn decode_text(data: &[u8], encoding: &str, errors: &str) -> PyResult {
    let checked = |name: &str| {
        if name.contains('\0') {
            Err(taipan_object::err::value_error("embedded null character"))
        } else {
            Ok(())
        }
    };
    checked(encoding)?;
    checked(errors)?;
    if let Some(made) = rows::decode_known(data, &registry::normalized(encoding), errors) {
        return made;
    }
    let codec = registry::lookup_text(encoding, "codecs.decode()")?;
    let bytes = taipan_object::bytes::Bytes::new(data)?;
    let view = taipan_object::statics::PyMemoryView_Type.call(&[&bytes])?;
    registry::call(&codec, 1, encoding, &view, (errors != "strict").then_some(errors))
}

/// Encodes text for `str.encode` and the like.
///
/// # Errors
/// `UnicodeEncodeError`, `LookupError`; what the codec raises.
pub fn encode_text(text: &Object, encoding: &str, errors: &str) -> PyResult {
    if encoding.contains('\0') || errors.contains('\0') {
        return Err(taipan_object::err::value_error("embedded null character"));
    }
    if let Some(text) = text.downcast::<Str>()
        && let Some(made) = rows::encode_known(text, &registry::normalized(encoding), errors)
    {
        return made;
    }
    let codec = registry::lookup_text(encoding, "codecs.encode()")?;
    registry::call(&codec, 0, encoding, text, (errors != "strict").then_some(errors))
}
