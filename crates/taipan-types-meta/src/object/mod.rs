//! `object`: what every object can do.
//!
//! The look-up of attributes and the memory of instances are in `taipan_object::instance`; here is
//! what Python sees: making and initialising instances, identity comparison, `__class__`,
//! `__dir__`, formatting and the pickling protocol ([`reduce`]).

mod class;
mod dir;
pub mod reduce;

pub(crate) use class::can_assign;
pub(crate) use dir::merge_class_names;

use crate::util;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err;
use taipan_object::native::{self, CompareOp, IntoPy, TypeSpec, getset_row};
use taipan_object::singletons::{is_not_implemented, new_bool, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::get_slot;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Type, instance, intern, protocol, raise};

/// Whether `ty` has the same function in a slot as `object` itself.
pub(crate) fn has_objects_slot(ty: &Type, id: i32) -> bool {
    let object: &Type = &PyBaseObject_Type;
    core::ptr::eq(get_slot(ty, id), get_slot(object, id))
}

/// `object.__new__`: arguments are only welcome where the class defines what happens to them.
fn object_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if util::has_arguments(args, kwargs) {
        if !has_objects_slot(ty, Py_tp_new) {
            return Err(err::type_error(
                "object.__new__() takes exactly one argument (the type to instantiate)",
            ));
        }
        if has_objects_slot(ty, Py_tp_init) {
            return Err(raise!(PyExc_TypeError, "{}() takes no arguments", ty.message_name()));
        }
    }
    if ty.has_flag(Py_TPFLAGS_IS_ABSTRACT) {
        return Err(abstract_error(ty)?);
    }
    util::allocate(ty)
}

/// The refusal to make an instance of an abstract class, which names what is missing.
fn abstract_error(ty: &Type) -> PyResult<err::PyErr> {
    let names = ty.getattr(intern!("__abstractmethods__"))?;
    let mut names: Vec<String> =
        protocol::to_vec(&names)?.iter().map(|name| Ok(name.str()?.to_lossy())).collect::<PyResult<_>>()?;
    names.sort();
    let plural = if names.len() == 1 { "" } else { "s" };
    let list = names.join("', '");
    Ok(raise!(
        PyExc_TypeError,
        "Can't instantiate abstract class {} without an implementation for abstract method{plural} '{list}'",
        ty.message_name()
    ))
}

fn object_init(object: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if util::has_arguments(args, kwargs) {
        let ty = object.ty();
        if !has_objects_slot(ty, Py_tp_init) {
            return Err(err::type_error(
                "object.__init__() takes exactly one argument (the instance to initialize)",
            ));
        }
        if has_objects_slot(ty, Py_tp_new) {
            return Err(raise!(
                PyExc_TypeError,
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                ty.message_name()
            ));
        }
    }
    Ok(())
}

fn object_hash(object: &Object) -> PyResult<isize> {
    Ok(taipan_num::hash::pointer(object.as_ptr().addr()) as isize)
}

/// Equality is identity; inequality is the opposite of what `__eq__` says.
fn object_richcompare(object: &Object, other: &Object, op: CompareOp) -> PyResult {
    match op {
        CompareOp::Eq if object.is(other) => Ok(new_bool(true)),
        CompareOp::Ne => {
            // SAFETY: slot contract.
            let equal = unsafe {
                match (*object.ty().raw()).tp_richcompare {
                    Some(compare) => {
                        native::from_c(compare(object.as_ptr(), other.as_ptr(), CompareOp::Eq as i32))?
                    }
                    None => return Ok(not_implemented().new_ref()),
                }
            };
            if is_not_implemented(&equal) { Ok(equal) } else { Ok(new_bool(!equal.is_true()?)) }
        }
        _ => Ok(not_implemented().new_ref()),
    }
}

fn object_format(object: &Object, spec: &Object) -> PyResult {
    let Some(spec) = spec.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__format__() argument must be str, not {}",
            crate::arguments::type_name(spec)
        ));
    };
    if !spec.is_empty() {
        return Err(raise!(
            PyExc_TypeError,
            "unsupported format string passed to {}.__format__",
            object.ty().message_name()
        ));
    }
    object.str().into_py()
}

/// The bytes of the instance itself, without what it refers to.
fn object_sizeof(object: &Object) -> isize {
    // SAFETY: a live object; types with items have `ob_size`.
    unsafe {
        let raw = object.ty().raw();
        let items = if (*raw).tp_itemsize > 0 {
            (*object.raw_as::<PyVarObject>()).ob_size.unsigned_abs().cast_signed() * (*raw).tp_itemsize
        } else {
            0
        };
        let values = instance::inline_values(object).map_or(0, |_| instance::inline_values_size(object.ty()));
        (*raw).tp_basicsize + items + values.cast_signed()
    }
}

taipan_object::methods! { static METHODS = {
    args "__reduce_ex__" "($self, protocol, /)" = |o: &Object, a: &native::Args<'_>| reduce::reduce_ex(o, a.i32_or(0, 0)?),
        "Describe the object for pickling by the given version of the protocol.";
    noargs "__reduce__" "($self, /)" = |o: &Object| reduce::common_reduce(o, 0),
        "Describe the object for pickling.";
    noargs "__getstate__" "($self, /)" = |o: &Object| reduce::default_state(o, false),
        "The attributes that pickling and copying keep.";
    class noargs "__init_subclass__" "($type, /)" = |_: &Object| (),
        "Called when a class is derived from this one.";
    class one "__subclasshook__" "($type, object, /)" = |_: &Object, _: &Object| not_implemented().new_ref(),
        "Asked by abstract base classes whether a class counts as derived; NotImplemented leaves it to them.";
    one "__format__" "($self, format_spec, /)" = object_format,
        "Format the object: str(self) if the specification is empty, an error otherwise.";
    noargs "__sizeof__" "($self, /)" = object_sizeof,
        "The size of the object's own memory in bytes.";
    noargs "__dir__" "($self, /)" = dir::object_dir,
        "The names of the object's attributes, for dir().";
} }

/// `object`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"object()\n--\n\nThe base of every class: it has what all objects have in common.\n\nCalled, it makes an object without attributes."),
    slots: &[
        native::raw_dealloc(instance::native_object_dealloc),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_free),
        native::raw_getattro(instance::PyObject_GenericGetAttr),
        native::raw_setattro(instance::PyObject_GenericSetAttr),
        native::tp_new(object_new),
        native::tp_init(object_init),
        native::tp_repr(protocol::default_repr),
        native::tp_str(|object: &Object| object.repr()),
        native::tp_hash(object_hash),
        native::tp_richcompare(object_richcompare),
    ],
    methods: METHODS,
    getset: &[getset_row(c"__class__", |object: &Object| object.ty().new_ref(), c"the object's class")
        .with_setter(class::set_class)],
    ..TypeSpec::new(&PyBaseObject_Type)
};
