//! Functions about single objects: attributes, identity, numbers, text.

use taipan_object::err::{type_error, value_error};
use taipan_object::int::{self, Int};
use taipan_object::list::List;
use taipan_object::native::{Args, IntoPy};
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, abi, intern, raise};

type Module = Object;

pub(super) fn abs(_: &Module, x: &Object) -> PyResult {
    protocol::unary(x, abi::Py_nb_absolute)
}

pub(super) fn ascii(_: &Module, object: &Object) -> PyResult {
    taipan_eval::ops::ascii(object)
}

fn in_base(number: &Object, spec: &str) -> PyResult {
    let int = number.to_index()?;
    let exact =
        if int.is_exact(&PyLong_Type) { int } else { Int::from_digits(int.is_negative(), int.digits())? };
    exact.call_method(intern!("__format__"), &[&*Str::from_utf8(spec)?])
}

pub(super) fn bin(_: &Module, number: &Object) -> PyResult {
    in_base(number, "#b")
}

pub(super) fn oct(_: &Module, number: &Object) -> PyResult {
    in_base(number, "#o")
}

pub(super) fn hex(_: &Module, number: &Object) -> PyResult {
    in_base(number, "#x")
}

pub(super) fn callable(_: &Module, object: &Object) -> bool {
    object.is_callable()
}

pub(super) fn chr(_: &Module, number: &Object) -> PyResult<Ref<Str>> {
    let value = number.to_index()?.to_i64().unwrap_or(-1);
    match u32::try_from(value) {
        Ok(c) if c <= 0x10_FFFF => Str::from_code_points(&[c]),
        _ => Err(value_error("chr() arg not in range(0x110000)")),
    }
}

pub(super) fn ord(_: &Module, c: &Object) -> PyResult {
    let length = if let Some(text) = c.downcast::<Str>() {
        if text.len() == 1 {
            return text.chars().at(0).into_py();
        }
        text.len()
    } else if let Some(bytes) = c.downcast::<taipan_object::bytes::Bytes>() {
        if let [byte] = bytes.as_slice() {
            return u32::from(*byte).into_py();
        }
        bytes.len()
    } else if let Some(bytes) = c.downcast::<taipan_object::bytes::ByteArray>() {
        if let [byte] = bytes.to_vec().as_slice() {
            return u32::from(*byte).into_py();
        }
        bytes.len()
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "ord() expected string of length 1, but {} found",
            c.ty().message_name()
        ));
    };
    Err(raise!(PyExc_TypeError, "ord() expected a character, but string of length {length} found"))
}

fn attribute_name(name: &Object) -> PyResult<&Str> {
    name.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "attribute name must be string, not '{}'", name.ty().message_name())
    })
}

pub(super) fn getattr(_: &Module, args: &[&Object]) -> PyResult {
    let (object, name, default) = match args {
        [object, name] => (object, name, None),
        [object, name, default] => (object, name, Some(*default)),
        [] | [_] => {
            return Err(raise!(PyExc_TypeError, "getattr expected at least 2 arguments, got {}", args.len()));
        }
        _ => return Err(raise!(PyExc_TypeError, "getattr expected at most 3 arguments, got {}", args.len())),
    };
    let name = attribute_name(name)?;
    match default {
        None => object.getattr(name),
        Some(default) => Ok(object.getattr_opt(name)?.unwrap_or_else(|| default.new_ref())),
    }
}

pub(super) fn hasattr(_: &Module, args: &Args<'_>) -> PyResult<bool> {
    Ok(args.required(0).getattr_opt(attribute_name(args.required(1))?)?.is_some())
}

pub(super) fn setattr(_: &Module, args: &Args<'_>) -> PyResult<()> {
    args.required(0).setattr(attribute_name(args.required(1))?, Some(args.required(2)))
}

pub(super) fn delattr(_: &Module, args: &Args<'_>) -> PyResult<()> {
    args.required(0).setattr(attribute_name(args.required(1))?, None)
}

pub(super) fn hash(_: &Module, object: &Object) -> PyResult<isize> {
    object.hash()
}

pub(super) fn id(_: &Module, object: &Object) -> usize {
    int::id(object)
}

pub(super) fn repr(_: &Module, object: &Object) -> PyResult<Ref<Str>> {
    object.repr()
}

pub(super) fn divmod(_: &Module, args: &Args<'_>) -> PyResult {
    protocol::binary_op(args.required(0), args.required(1), BinaryOp::Divmod)
}

pub(super) fn pow(_: &Module, args: &Args<'_>) -> PyResult {
    protocol::power(args.required(0), args.required(1), args.get(2).unwrap_or(none()))
}

pub(super) fn round(_: &Module, args: &Args<'_>) -> PyResult {
    let number = args.required(0);
    let digits: Vec<&Object> = args.get_some(1).into_iter().collect();
    protocol::special_opt(number, intern!("__round__"), &digits)?.ok_or_else(|| {
        raise!(PyExc_TypeError, "type {} doesn't define __round__ method", number.ty().message_name())
    })
}

pub(super) fn format(_: &Module, args: &Args<'_>) -> PyResult {
    let spec = args.get(1);
    if let Some(spec) = spec.filter(|spec| spec.downcast::<Str>().is_none()) {
        return Err(raise!(
            PyExc_TypeError,
            "format() argument 2 must be str, not {}",
            spec.ty().message_name()
        ));
    }
    taipan_eval::ops::format_value(args.required(0), spec)
}

pub(super) fn dir(_: &Module, args: &[&Object]) -> PyResult {
    let names = match args {
        [] => {
            let locals = super::code::current_locals()?;
            locals.call_method(intern!("keys"), &[])?
        }
        [object] => match protocol::special_opt(object, intern!("__dir__"), &[])? {
            Some(names) => names,
            None => return Err(type_error("object does not provide __dir__")),
        },
        _ => return Err(raise!(PyExc_TypeError, "dir expected at most 1 argument, got {}", args.len())),
    };
    let list = List::from_vec(protocol::to_vec(&names)?)?;
    list.call_method(intern!("sort"), &[])?;
    Ok(list.upcast())
}

pub(super) fn vars(_: &Module, args: &[&Object]) -> PyResult {
    match args {
        [] => super::code::current_locals(),
        [object] => object
            .getattr_opt(intern!("__dict__"))?
            .ok_or_else(|| type_error("vars() argument must have __dict__ attribute")),
        _ => Err(raise!(PyExc_TypeError, "vars expected at most 1 argument, got {}", args.len())),
    }
}
