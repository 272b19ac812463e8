//! Character maps: bytes to characters by a str or any mapping, and back.
//!
//! A mapping may be any object and may raise: its error is kept and ends the conversion, which the
//! kernels of `taipan-codecs` know nothing of.

use super::errors::{self, Accepts};
use super::rows::{data_arg, errors_arg, pair};
use crate::io::str_arg;
use std::collections::HashMap;
use taipan_codecs::{Fault, simple};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, TypeSpec, abi, err, methods, protocol, raise};

const UNDEFINED: &str = "character maps to <undefined>";

/// What a mapping says of a key; `None` where it has nothing.
fn ask(mapping: &Object, key: u32) -> PyResult<Option<Ref>> {
    match protocol::get_item(mapping, &Int::from_i64(i64::from(key))) {
        Ok(value) if is_none(&value) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(error) => error.allow(&PyExc_LookupError),
    }
}

/// The characters of a byte.
fn characters(mapping: &Object, byte: u8, out: &mut Vec<u32>) -> PyResult<bool> {
    let Some(value) = ask(mapping, u32::from(byte))? else { return Ok(false) };
    if let Some(int) = value.downcast::<Int>() {
        let c = int.to_i64().unwrap_or(-1);
        if c == 0xFFFE {
            return Ok(false);
        }
        if !(0..0x110000).contains(&c) {
            return Err(err::type_error("character mapping must be in range(0x110000)"));
        }
        out.push(c as u32);
        return Ok(true);
    }
    let Some(text) = value.downcast::<Str>() else {
        return Err(err::type_error("character mapping must return integer, None or str"));
    };
    if text.len() == 1 && text.chars().at(0) == 0xFFFE {
        return Ok(false);
    }
    out.extend(text.code_points());
    Ok(true)
}

pub fn decode(_: &Object, args: &Args<'_>) -> PyResult {
    let data = data_arg(args)?;
    let errors = errors_arg(args, 1, "charmap_decode")?;
    let Some(mapping) = args.get_some(2) else {
        return pair(Str::from_latin1(&data)?, data.len());
    };
    if let Some(table) = mapping.downcast::<Str>() {
        let table: Vec<u32> = table.code_points().collect();
        let mut step =
            |s: &[u8], at: usize, _: bool, out: &mut Vec<u32>| simple::decode_table(&table, s, at, out);
        let (text, used) = errors::decode(&mut step, &data, "charmap", &errors, true)?;
        return pair(text, used);
    }
    let mut raised: Option<PyErr> = None;
    let mut step = |s: &[u8], at: usize, _: bool, out: &mut Vec<u32>| -> Result<usize, Fault> {
        for (index, &byte) in s.iter().enumerate().skip(at) {
            match characters(mapping, byte, out) {
                Ok(true) => {}
                Ok(false) => return Err(Fault { start: index, end: index + 1, reason: UNDEFINED }),
                Err(error) => {
                    raised = Some(error);
                    return Ok(s.len());
                }
            }
        }
        Ok(s.len())
    };
    let result = errors::decode(&mut step, &data, "charmap", &errors, true);
    if let Some(error) = raised {
        return Err(error);
    }
    let (text, used) = result?;
    pair(text, used)
}

/// The bytes of a character.
fn bytes_of(mapping: &Object, c: u32, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Some(map) = mapping.downcast::<Native<EncodingMap>>() {
        return Ok(match map.bytes.get(&c) {
            Some(byte) => {
                out.push(*byte);
                true
            }
            None => false,
        });
    }
    let Some(value) = ask(mapping, c)? else { return Ok(false) };
    if let Some(int) = value.downcast::<Int>() {
        let byte = int.to_i64().and_then(|value| u8::try_from(value).ok());
        out.push(byte.ok_or_else(|| err::type_error("character mapping must be in range(256)"))?);
        return Ok(true);
    }
    match value.downcast::<Bytes>() {
        Some(bytes) => {
            out.extend_from_slice(bytes.as_slice());
            Ok(true)
        }
        None => Err(raise!(
            PyExc_TypeError,
            "character mapping must return integer, bytes or None, not {}",
            value.ty().message_name()
        )),
    }
}

pub fn encode(_: &Object, args: &Args<'_>) -> PyResult {
    let text = str_arg(args.required(0), "charmap_encode", "1")?;
    let errors = errors_arg(args, 1, "charmap_encode")?;
    let Some(mapping) = args.get_some(2) else {
        let made = errors::encode(&mut simple::encode_latin1, text, "latin-1", &errors, Accepts::ANY)?;
        return pair(made, text.len());
    };
    let mut raised: Option<PyErr> = None;
    let mut step = |s: &[u32], at: usize, out: &mut Vec<u8>| -> Result<(), Fault> {
        let mut run: Option<usize> = None;
        for (index, &c) in s.iter().enumerate().skip(at) {
            // A run of faults is one fault: what could be encoded behind it is only looked at.
            let before = out.len();
            match bytes_of(mapping, c, out) {
                Ok(false) => {
                    run.get_or_insert(index);
                }
                Ok(true) => {
                    if let Some(start) = run {
                        out.truncate(before);
                        return Err(Fault { start, end: index, reason: UNDEFINED });
                    }
                }
                Err(error) => {
                    raised = Some(error);
                    return Ok(());
                }
            }
        }
        run.map_or(Ok(()), |start| Err(Fault { start, end: s.len(), reason: UNDEFINED }))
    };
    let result = errors::encode(&mut step, text, "charmap", &errors, Accepts::ANY);
    if let Some(error) = raised {
        return Err(error);
    }
    pair(result?, text.len())
}

/// A decoding table turned around.
pub struct EncodingMap {
    bytes: HashMap<u32, u8>,
    size: usize,
}

static ENCODING_MAP: StaticType =
    StaticType::native(c"EncodingMap", Native::<EncodingMap>::SIZE, abi::Py_TPFLAGS_DISALLOW_INSTANTIATION);

impl Payload for EncodingMap {
    const TYPE: &'static StaticType = &ENCODING_MAP;
}

methods! {
    static METHODS = {
        noargs "size" "" = |map: &Native<EncodingMap>| map.size, "The bytes of memory that the map takes.";
    }
}

/// The type of the compact maps.
pub static SPEC: TypeSpec =
    TypeSpec { slots: &[Native::<EncodingMap>::DEALLOC], methods: METHODS, ..TypeSpec::new(&ENCODING_MAP) };

/// `charmap_build(map)`: a compact map where the table is an ordinary one, a dict otherwise.
pub fn build(_: &Object, table: &Object) -> PyResult {
    let Some(table) = table.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "charmap_build() argument must be str, not {}",
            crate::io::argument_name(table)
        ));
    };
    let points: Vec<u32> = table.code_points().take(256).collect();
    let [first, rest @ ..] = points.as_slice() else {
        return Err(err::system_error("bad argument to internal function"));
    };
    let ordinary = *first == 0 && rest.iter().all(|c| *c != 0 && *c <= 0xFFFF);
    if ordinary {
        let defined = || points.iter().copied().filter(|c| *c != 0xFFFE);
        let blocks = |shift: u32| {
            let mut all: Vec<u32> = defined().map(|c| c >> shift).collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        };
        let (second, third) = (blocks(11), blocks(7));
        if second < 0xFF && third < 0xFF {
            let bytes = points.iter().enumerate().filter(|(_, c)| **c != 0xFFFE);
            let bytes = bytes.map(|(byte, &c)| (c, byte as u8)).collect();
            return native_new(&ENCODING_MAP, EncodingMap { bytes, size: 63 + 16 * second + 128 * third })?
                .into_py();
        }
    }
    let dict = Dict::new()?;
    for (byte, &c) in points.iter().enumerate() {
        dict.set(&Int::from_i64(i64::from(c)), &Int::from_usize(byte))?;
    }
    dict.into_py()
}
