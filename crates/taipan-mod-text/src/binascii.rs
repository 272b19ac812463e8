//! `binascii`: bytes as text and back: hexadecimal, base 64, uuencode, quoted-printable, checksums.

use crate::util::{ModuleError, module_error};
use taipan_codecs::{binascii, transfer};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, methods, raise};
use transfer::QpOptions;

module_error!(Error, "binascii", "Error", PyExc_ValueError);
module_error!(Incomplete, "binascii", "Incomplete", PyExc_Exception);

/// A buffer, or a str of ASCII characters.
fn ascii_or_buffer(object: &Object) -> PyResult<Vec<u8>> {
    if let Some(text) = object.downcast::<Str>() {
        return match text.as_ascii() {
            Some(ascii) => Ok(ascii.as_bytes().to_vec()),
            None => Err(err::value_error("string argument should contain only ASCII characters")),
        };
    }
    if !has_buffer(object) {
        return Err(raise!(
            PyExc_TypeError,
            "argument should be bytes, buffer or ASCII string, not '{}'",
            object.ty().message_name()
        ));
    }
    Ok(Buffer::simple(object)?.as_slice().to_vec())
}

fn data(args: &Args<'_>) -> PyResult<Vec<u8>> {
    Ok(Buffer::simple(args.required(0))?.as_slice().to_vec())
}

fn hexlify(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let bytes = data(args)?;
    let digits = binascii::hexlify(&bytes);
    let Some(separator) = args.get(1) else { return Bytes::new(&digits) };
    let separator = separator_byte(separator)?;
    let group = args.get(2).map_or(Ok(1), Object::to_i32)?;
    Bytes::new(&grouped(&digits, separator, group))
}

fn separator_byte(separator: &Object) -> PyResult<u8> {
    if separator.len()? != 1 {
        return Err(err::value_error("sep must be length 1."));
    }
    if let Some(text) = separator.downcast::<Str>() {
        return u8::try_from(text.chars().at(0)).map_err(|_| err::value_error("sep must be ASCII."));
    }
    match separator.downcast::<Bytes>().map(Bytes::as_slice) {
        Some([byte]) => Ok(*byte),
        _ => Err(err::type_error("sep must be str or bytes.")),
    }
}

/// Digits with a separator after each group of bytes, counted from the right, or from the left for
/// negative sizes.
fn grouped(digits: &[u8], separator: u8, group: i32) -> Vec<u8> {
    let size = group.unsigned_abs() as usize * 2;
    if size == 0 {
        return digits.to_vec();
    }
    let first = if group > 0 && !digits.len().is_multiple_of(size) { digits.len() % size } else { size };
    let (head, tail) = digits.split_at(first.min(digits.len()));
    let mut out = head.to_vec();
    for part in tail.chunks(size) {
        out.push(separator);
        out.extend_from_slice(part);
    }
    out
}

fn unhexlify(_: &Object, text: &Object) -> PyResult<Ref<Bytes>> {
    Bytes::new(&binascii::unhexlify(&ascii_or_buffer(text)?).map_err(Error::error)?)
}

fn a2b_base64(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let text = ascii_or_buffer(args.required(0))?;
    let strict = args.bool_or(1, false)?;
    Bytes::new(&binascii::a2b_base64(&text, strict).map_err(|message| Error::error(&message))?)
}

fn b2a_base64(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let bytes = data(args)?;
    Bytes::new(&binascii::b2a_base64(&bytes, args.bool_or(1, true)?))
}

fn a2b_uu(_: &Object, text: &Object) -> PyResult<Ref<Bytes>> {
    Bytes::new(&transfer::uu_decode(&ascii_or_buffer(text)?).map_err(Error::error)?)
}

fn b2a_uu(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let bytes = data(args)?;
    Bytes::new(&transfer::uu_encode(&bytes, args.bool_or(1, false)?).map_err(Error::error)?)
}

fn a2b_qp(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let text = ascii_or_buffer(args.required(0))?;
    Bytes::new(&transfer::qp_decode(&text, args.bool_or(1, false)?))
}

fn b2a_qp(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let bytes = data(args)?;
    let options = QpOptions {
        quote_tabs: args.bool_or(1, false)?,
        text: args.bool_or(2, true)?,
        header: args.bool_or(3, false)?,
    };
    Bytes::new(&transfer::qp_encode(&bytes, options))
}

/// The low bits of an integer argument.
fn low_bits(value: Option<&Object>) -> PyResult<u64> {
    let Some(value) = value else { return Ok(0) };
    let int = value.to_index()?;
    // The lowest digits of 30 bits are enough, negated for negative numbers.
    let low =
        int.digits().iter().take(3).rev().fold(0u128, |acc, digit| acc << 30 | u128::from(*digit)) as u64;
    Ok(if int.is_negative() { low.wrapping_neg() } else { low })
}

fn crc32(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let bytes = data(args)?;
    let start = low_bits(args.get(1))? as u32;
    Ok(i64::from(taipan_object::gil::allow_threads(|| transfer::crc32(&bytes, start))))
}

fn crc_hqx(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let bytes = data(args)?;
    Ok(i64::from(transfer::crc_hqx(&bytes, low_bits(args.get(1))? as u16)))
}

methods! {
    static METHODS = {
        args "a2b_base64" "($module, data, /, *, strict_mode=False)" = a2b_base64, "Decode base 64; strict_mode refuses what is not plain base 64.";
        one "a2b_hex" "($module, hexstr, /)" = unhexlify, "The bytes of hexadecimal digits; the same as unhexlify().";
        args "a2b_qp" "($module, /, data, header=False)" = a2b_qp, "Decode quoted-printable.";
        one "a2b_uu" "($module, data, /)" = a2b_uu, "Decode a line of uuencoded data.";
        args "b2a_base64" "($module, data, /, *, newline=True)" = b2a_base64, "Encode as base 64.";
        args "b2a_hex" "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)" = hexlify, "Hexadecimal digits of bytes, with a separator if sep is given; the same as hexlify().";
        args "b2a_qp" "($module, /, data, quotetabs=False, istext=True, header=False)" = b2a_qp, "Encode as quoted-printable.\n\nistext leaves line ends as they are, quotetabs quotes white space, header makes\nspaces underscores.";
        args "b2a_uu" "($module, data, /, *, backtick=False)" = b2a_uu, "Encode a line by uuencode.";
        args "crc32" "($module, data, crc=0, /)" = crc32, "The CRC-32 checksum, going on from crc.";
        args "crc_hqx" "($module, data, crc, /)" = crc_hqx, "The CRC-CCITT checksum, going on from crc.";
        args "hexlify" "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)" = hexlify, "Hexadecimal digits of bytes, with a separator after bytes_per_sep bytes, counted from the\nright, or from the left for negative numbers.";
        one "unhexlify" "($module, hexstr, /)" = unhexlify, "The bytes of hexadecimal digits.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    module.add("Error", Error::class()?)?;
    module.add("Incomplete", Incomplete::class()?)
}

/// `binascii`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "binascii", doc: "Bytes as ASCII text and back.", methods: METHODS, init };
