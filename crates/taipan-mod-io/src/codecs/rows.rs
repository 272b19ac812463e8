//! The functions of `_codecs` for the Unicode encodings, ASCII and Latin-1.

use super::errors::{self, Accepts};
use crate::io::{Kind, argument_name, str_arg};
use taipan_codecs::utf16_32::{self, Order};
use taipan_codecs::{DecodeStep, EncodeStep, utf7};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::{Args, IntoPy};
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, raise};

/// A name without zeros.
pub fn checked(text: &Str) -> PyResult<&str> {
    let text = text.to_utf8()?;
    if text.contains('\0') { Err(err::value_error("embedded null character")) } else { Ok(text) }
}

/// The argument `errors`: a str or `None`.
pub fn errors_arg(args: &Args<'_>, index: usize, function: &str) -> PyResult<String> {
    match args.get(index).filter(|value| !is_none(value)) {
        None => Ok("strict".to_owned()),
        Some(value) => match value.downcast::<Str>() {
            Some(text) => checked(text).map(str::to_owned),
            None => Err(raise!(
                PyExc_TypeError,
                "{function}() argument {} must be str or None, not {}",
                index + 1,
                argument_name(value)
            )),
        },
    }
}

/// The argument `data`: a buffer, copied.
pub fn data_arg(args: &Args<'_>) -> PyResult<Vec<u8>> {
    Ok(Buffer::simple(args.required(0))?.as_slice().to_vec())
}

/// The argument `data` of the escape codecs: a buffer, or a str as UTF-8.
pub fn text_or_data(args: &Args<'_>) -> PyResult<Vec<u8>> {
    match args.required(0).downcast::<Str>() {
        Some(text) => Ok(text.to_utf8()?.as_bytes().to_vec()),
        None => data_arg(args),
    }
}

/// `(result, length)`.
pub fn pair<T: taipan_object::Layout>(result: Ref<T>, len: usize) -> PyResult {
    Tuple::from_array([result.upcast(), Int::from_usize(len).upcast()])?.into_py()
}

/// Decoders of one argument, errors and perhaps `final`.
pub fn plain_decode(args: &Args<'_>, function: &str, encoding: &str, step: &mut DecodeStep<'_>) -> PyResult {
    let data = data_arg(args)?;
    let errors = errors_arg(args, 1, function)?;
    let last = args.bool_or(2, false)?;
    if data.is_ascii() && encoding != "utf7" {
        return pair(Str::from_latin1(&data)?, data.len());
    }
    let (text, used) = errors::decode(step, &data, encoding, &errors, last)?;
    pair(text, used)
}

/// Encoders of one argument and errors.
pub fn plain_encode(
    args: &Args<'_>,
    function: &str,
    encoding: &str,
    step: &mut EncodeStep<'_>,
    ascii_text: bool,
) -> PyResult {
    let text = str_arg(args.required(0), function, "1")?;
    let errors = errors_arg(args, 1, function)?;
    if let Some(ascii) = text.as_ascii() {
        return pair(Bytes::new(ascii.as_bytes())?, text.len());
    }
    pair(errors::encode(step, text, encoding, &errors, Accepts { unit: 1, ascii_text })?, text.len())
}

pub fn utf_7_encode(_: &Object, args: &Args<'_>) -> PyResult {
    let text = str_arg(args.required(0), "utf_7_encode", "1")?;
    errors_arg(args, 1, "utf_7_encode")?;
    let points: Vec<u32> = text.code_points().collect();
    pair(Bytes::new(&utf7::encode(&points))?, text.len())
}

type WideDecode = fn(Order, &[u8], usize, bool, &mut Vec<u32>) -> Result<usize, taipan_codecs::Fault>;
type WideEncode = fn(Order, &[u32], usize, &mut Vec<u8>) -> Result<(), taipan_codecs::Fault>;

/// A wide encoding: how its marks, steps and names are.
struct Wide {
    unit: usize,
    mark: fn(&[u8]) -> Option<(Order, usize)>,
    decode: WideDecode,
    encode: WideEncode,
    names: [&'static str; 3],
}

static WIDE_16: Wide = Wide {
    unit: 2,
    mark: utf16_32::bom16,
    decode: utf16_32::decode16,
    encode: utf16_32::encode16,
    names: ["utf-16", "utf-16-le", "utf-16-be"],
};

static WIDE_32: Wide = Wide {
    unit: 4,
    mark: utf16_32::bom32,
    decode: utf16_32::decode32,
    encode: utf16_32::encode32,
    names: ["utf-32", "utf-32-le", "utf-32-be"],
};

impl Wide {
    fn name(&self, order: Option<Order>) -> &'static str {
        self.names[match order {
            None => 0,
            Some(Order::Little) => 1,
            Some(Order::Big) => 2,
        }]
    }

    /// Decodes; gives text, bytes used and the byte order as a number: 0 is unknown.
    fn decode_all(
        &self,
        data: &[u8],
        order: Option<Order>,
        errors: &str,
        last: bool,
    ) -> PyResult<(Ref<Str>, usize, i64)> {
        let (found, skip) = match order {
            Some(order) => (Some(order), 0),
            None => (self.mark)(data).map_or((None, 0), |(order, len)| (Some(order), len)),
        };
        let used = found.unwrap_or(Order::Little);
        let name = self.name(Some(used));
        let mut step = |s: &[u8], at: usize, last: bool, out: &mut Vec<u32>| {
            (self.decode)(used, s, at.max(skip), last, out)
        };
        let (text, end) = errors::decode(&mut step, data, name, errors, last)?;
        let number = match found {
            None => 0,
            Some(Order::Little) => -1,
            Some(Order::Big) => 1,
        };
        Ok((text, end, number))
    }

    fn encode_all(&self, text: &Str, order: Option<Order>, errors: &str) -> PyResult<Ref<Bytes>> {
        let name = self.name(order);
        let mut marked = order.is_some();
        let used = order.unwrap_or(Order::Little);
        let mut step = |s: &[u32], at: usize, out: &mut Vec<u8>| {
            if !marked {
                marked = true;
                (self.encode)(used, &[0xFEFF], 0, out)?;
            }
            (self.encode)(used, s, at, out)
        };
        errors::encode(&mut step, text, name, errors, Accepts { unit: self.unit, ascii_text: true })
    }

    fn decode_row(&self, args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
        let data = data_arg(args)?;
        let errors = errors_arg(args, 1, function)?;
        let last = args.bool_or(2, false)?;
        let (text, used, _) = self.decode_all(&data, order, &errors, last)?;
        pair(text, used)
    }

    fn ex_decode_row(&self, args: &Args<'_>, function: &str) -> PyResult {
        let data = data_arg(args)?;
        let errors = errors_arg(args, 1, function)?;
        let order = args.i32_or(2, 0)?;
        let last = args.bool_or(3, false)?;
        let (text, used, order) = self.decode_all(&data, order_of(order), &errors, last)?;
        Tuple::from_array([text.upcast(), Int::from_usize(used).upcast(), Int::from_i64(order).upcast()])?
            .into_py()
    }

    fn encode_row(&self, args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
        let text = str_arg(args.required(0), function, "1")?;
        let errors = errors_arg(args, 1, function)?;
        let order = match order {
            Some(order) => Some(order),
            None => order_of(args.i32_or(2, 0)?),
        };
        pair(self.encode_all(text, order, &errors)?, text.len())
    }
}

fn order_of(number: i32) -> Option<Order> {
    match number {
        0 => None,
        i32::MIN..=-1 => Some(Order::Little),
        _ => Some(Order::Big),
    }
}

pub fn decode_16(args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
    WIDE_16.decode_row(args, function, order)
}

pub fn decode_32(args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
    WIDE_32.decode_row(args, function, order)
}

pub fn encode_16(args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
    WIDE_16.encode_row(args, function, order)
}

pub fn encode_32(args: &Args<'_>, function: &str, order: Option<Order>) -> PyResult {
    WIDE_32.encode_row(args, function, order)
}

pub fn utf_16_ex_decode(_: &Object, args: &Args<'_>) -> PyResult {
    WIDE_16.ex_decode_row(args, "utf_16_ex_decode")
}

pub fn utf_32_ex_decode(_: &Object, args: &Args<'_>) -> PyResult {
    WIDE_32.ex_decode_row(args, "utf_32_ex_decode")
}

pub fn readbuffer_encode(_: &Object, args: &Args<'_>) -> PyResult {
    let data = text_or_data(args)?;
    errors_arg(args, 1, "readbuffer_encode")?;
    pair(Bytes::new(&data)?, data.len())
}

/// Encodings of two and four bytes by their normalised names, for which no codec is asked.
fn wide_by_name(name: &str) -> Option<(&'static Wide, Option<Order>)> {
    Some(match name {
        "utf_16" | "utf16" => (&WIDE_16, None),
        "utf_32" | "utf32" => (&WIDE_32, None),
        _ => return None,
    })
}

/// Decoding by the encodings that need no registry; `None` for others.
pub fn decode_known(data: &[u8], name: &str, errors: &str) -> Option<PyResult> {
    if let Some(kind) = Kind::of(name) {
        return Some(kind.decode(data, errors, true).map(|(text, _)| text.upcast()));
    }
    let (wide, order) = wide_by_name(name)?;
    Some(wide.decode_all(data, order, errors, true).map(|(text, ..)| text.upcast()))
}

/// Encoding, likewise.
pub fn encode_known(text: &Str, name: &str, errors: &str) -> Option<PyResult> {
    if let Some(kind) = Kind::of(name) {
        let mut out = Vec::with_capacity(text.len());
        return Some(kind.encode(text, errors, &mut out).and_then(|()| Bytes::new(&out)?.into_py()));
    }
    let (wide, order) = wide_by_name(name)?;
    Some(wide.encode_all(text, order, errors).map(Ref::upcast))
}
