//! Pickling: the layout of the items is named by a number, so that other machines can read it.

use super::item::Kind;
use super::methods::tolist;
use super::{ARRAY, View, make};
use taipan_object::bytes::Bytes;
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::Args;
use taipan_object::singletons::new_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern, raise, state};

/// What stands behind a machine format: item size, signedness, order of bytes.
#[derive(Clone, Copy)]
enum Format {
    Int { size: usize, signed: bool, big: bool },
    Float { size: usize, big: bool },
    Text { size: usize, big: bool },
}

fn format(code: i64) -> Option<Format> {
    let big = code & 1 == 1;
    Some(match code {
        0 | 1 => Format::Int { size: 1, signed: code == 1, big: false },
        2..=5 => Format::Int { size: 2, signed: code >= 4, big },
        6..=9 => Format::Int { size: 4, signed: code >= 8, big },
        10..=13 => Format::Int { size: 8, signed: code >= 12, big },
        14 | 15 => Format::Float { size: 4, big },
        16 | 17 => Format::Float { size: 8, big },
        18 | 19 => Format::Text { size: 2, big },
        20 | 21 => Format::Text { size: 4, big },
        _ => return None,
    })
}

/// The kind of ints of a size; the one asked for where that fits.
fn int_kind(asked: Kind, size: usize, signed: bool) -> Option<Kind> {
    let fits = !asked.is_text() && !asked.is_float() && asked.size == size && asked.is_signed() == signed;
    if fits {
        return Some(asked);
    }
    let code = match size {
        1 => b'b',
        2 => b'h',
        4 => b'i',
        _ => b'q',
    };
    Kind::of(u32::from(if signed { code } else { code.to_ascii_uppercase() }))
}

/// Bytes with every item in this machine's order.
fn ordered(bytes: &[u8], size: usize, big: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if big != cfg!(target_endian = "big") {
        out.chunks_mut(size).for_each(<[u8]>::reverse);
    }
    out
}

/// Decodes a text of another layout.
fn decoded(items: &Object, size: usize, big: bool) -> PyResult<Ref> {
    let name = match (size, big) {
        (2, false) => "utf-16-le",
        (2, true) => "utf-16-be",
        (_, false) => "utf-32-le",
        (_, true) => "utf-32-be",
    };
    items.call_method(intern!("decode"), &[&*Str::from_utf8(name)?])
}

fn reconstruct(_: &Object, args: &Args<'_>) -> PyResult<Ref<View>> {
    let Some(ty) = args.required(0).downcast::<Type>() else {
        return Err(raise!(
            PyExc_TypeError,
            "first argument must be a type object, not {}",
            args.required(0).ty().message_name()
        ));
    };
    let code = super::code_arg(args.required(1))?;
    let machine = args.required(2).to_i32()?;
    let items = args.required(3);
    let own: &Type = &ARRAY;
    if !ty.is_subtype(own) {
        return Err(raise!(
            PyExc_TypeError,
            "{} is not a subtype of {}",
            ty.message_name(),
            own.message_name()
        ));
    }
    let Some(asked) = Kind::of(code) else {
        return Err(value_error("second argument must be a valid type code"));
    };
    let Some(format) = format(machine.into()) else {
        return Err(value_error("third argument must be a valid machine format code."));
    };
    let Some(bytes) = items.downcast::<Bytes>() else {
        return Err(raise!(
            PyExc_TypeError,
            "fourth argument should be bytes, not {}",
            items.ty().message_name()
        ));
    };
    let data = bytes.as_slice();
    let whole = |size: usize| {
        let odd = !data.len().is_multiple_of(size);
        if odd { Err(value_error("string length not a multiple of item size")) } else { Ok(()) }
    };
    let unknown = || value_error("second argument must be a valid type code");
    match format {
        Format::Int { size, signed, big } => {
            whole(size)?;
            make(ty, int_kind(asked, size, signed).ok_or_else(unknown)?, ordered(data, size, big))
        }
        Format::Float { size, big } => {
            whole(size)?;
            // The numbers are read in the layout they were written in and kept as the kind asked for.
            let wanted = if asked.is_float() { asked } else { asked_float(asked)? };
            let from = Kind::of(u32::from(if size == 4 { b'f' } else { b'd' })).ok_or_else(unknown)?;
            let mut out = Vec::with_capacity(data.len());
            for item in ordered(data, size, big).chunks_exact(size) {
                out.extend_from_slice(&wanted.store(&*from.load(item)?)?[..wanted.size]);
            }
            make(ty, wanted, out)
        }
        Format::Text { size, big } => {
            let text = decoded(items, size, big)?;
            if !asked.is_text() {
                return Err(super::no_text(asked));
            }
            match text.downcast::<Str>() {
                Some(text) => make(ty, asked, super::text_bytes(text)),
                None => Err(type_error("decoding gave no str")),
            }
        }
    }
}

/// Floats can only become floats.
fn asked_float(asked: Kind) -> PyResult<Kind> {
    Err(raise!(
        PyExc_TypeError,
        "'float' object cannot be interpreted as an integer (typecode '{}')",
        char::from(asked.code)
    ))
}

/// `__reduce_ex__`.
pub fn reduce_ex(array: &View, protocol: &Object) -> PyResult<Ref<Tuple>> {
    if protocol.downcast::<Int>().is_none() {
        return Err(type_error("__reduce_ex__ argument should be an integer"));
    }
    let protocol = protocol.to_i64()?;
    let object = array.object();
    let dict = object.getattr_opt(intern!("__dict__"))?.unwrap_or_else(new_none);
    let code = Str::from_code_points(&[array.kind.code.into()])?.upcast();
    let ty = object.ty().new_ref();
    if protocol < 3 {
        let arguments = Tuple::from_array([code, tolist(array)?.upcast()])?;
        return Tuple::from_array([ty, arguments.upcast(), dict]);
    }
    let module = (state::interp().hooks.get().import_module)("array")?;
    let function = module.getattr(intern!("_array_reconstructor"))?;
    let machine = Int::from_i64(array.kind.machine_format()).upcast();
    let bytes = Bytes::new(&array.bytes())?.upcast();
    let arguments = Tuple::from_array([ty, code, machine, bytes])?;
    Tuple::from_array([function, arguments.upcast(), dict])
}

taipan_object::methods! {
    pub static METHODS = {
        args "_array_reconstructor" "($module, arraytype, typecode, mformat_code, items, /)" = reconstruct, "Make an array from what pickling kept.";
    }
}
