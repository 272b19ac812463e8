//! `memoryview.cast`.

use super::item::native_format;
use super::{C_ORDER, Dims, View, c_strides};
use crate::util::argument_name;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, raise};

const FORMAT_RULE: &str = "format must be a native single character format prefixed with an optional '@'";

/// The wanted shape: integers above zero.
fn shape_arg(object: &Object) -> PyResult<Vec<Ref>> {
    if let Some(list) = object.downcast::<List>() {
        Ok(list.to_vec())
    } else if let Some(tuple) = object.downcast::<Tuple>() {
        Ok(tuple.items().iter().map(|item| item.new_ref()).collect())
    } else {
        Err(err::type_error("shape must be a list or a tuple"))
    }
}

fn lengths(items: &[Ref], itemsize: isize) -> PyResult<Vec<isize>> {
    let too_big = || err::value_error("memoryview.cast(): product(shape) > SSIZE_MAX");
    let mut shape = Vec::with_capacity(items.len());
    let mut product = itemsize;
    for item in items {
        let Some(int) = item.downcast::<Int>() else {
            return Err(err::type_error("memoryview.cast(): elements of shape must be integers"));
        };
        let length =
            int.to_i64().ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))?
                as isize;
        if length <= 0 {
            return Err(err::value_error("memoryview.cast(): elements of shape must be integers > 0"));
        }
        product = product.checked_mul(length).ok_or_else(too_big)?;
        shape.push(length);
    }
    Ok(shape)
}

fn format_error(which: &str) -> PyErr {
    err::value_error(&format!("memoryview: {which} {FORMAT_RULE}"))
}

pub(super) fn cast(view: &View, args: &Args<'_>) -> PyResult<Ref<View>> {
    let Some(format) = args.required(0).downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "cast() argument 'format' must be str, not {}",
            argument_name(args.required(0))
        ));
    };
    view.check()?;
    if view.flags() & C_ORDER == 0 {
        return Err(err::type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let shape = args.get(1);
    if (shape.is_some() || view.ndim() != 1) && view.shape().contains(&0) {
        return Err(err::type_error("memoryview: cannot cast view with zeros in shape or strides"));
    }
    let items = shape.map(shape_arg).transpose()?;
    if let Some(items) = &items {
        if items.len() > 64 {
            return Err(err::value_error("memoryview: number of dimensions must not exceed 64"));
        }
        if view.ndim() != 1 && items.len() != 1 {
            return Err(err::type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
        }
    }
    let Some(source) = native_format(view.format().to_bytes()) else { return Err(format_error("source")) };
    let Some(target) = format.as_ascii().and_then(|text| native_format(text.as_bytes())) else {
        return Err(format_error("destination"));
    };
    let is_byte = |c: u8| matches!(c, b'b' | b'B' | b'c');
    if !is_byte(source.1) && !is_byte(target.1) {
        return Err(err::type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let (len, itemsize) = (view.buffer().len, target.2.cast_signed());
    if len % itemsize != 0 {
        return Err(err::type_error("memoryview: length is not a multiple of itemsize"));
    }
    let shape = match &items {
        None => vec![len / itemsize],
        Some(items) => {
            let shape = lengths(items, itemsize)?;
            if shape.iter().product::<isize>() * itemsize != len {
                return Err(err::type_error("memoryview: product(shape) * itemsize != buffer size"));
            }
            shape
        }
    };
    let mut buffer = *view.buffer();
    buffer.itemsize = itemsize;
    buffer.format = target.0.as_ptr();
    let strides = c_strides(&shape, itemsize);
    View::build(view.managed(), &buffer, &Dims { shape, strides, suboffsets: Vec::new() })
}
