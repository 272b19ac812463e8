//! `object.__reduce_ex__`, `__reduce__` and `__getstate__`: how any object describes itself to pickle.
//!
//! Protocols 0 and 1 are `copyreg`'s; from protocol 2 on an object is described as
//! `(copyreg.__newobj__, (class, *newargs), state, list items, dict items)`.

use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, value_error};
use taipan_object::list::List;
use taipan_object::native::IntoPy;
use taipan_object::singletons::{is_none, new_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, callable::CFunction, intern, protocol, raise, state};

fn copyreg() -> PyResult {
    (state::interp().hooks.get().import_module)("copyreg")
}

/// `object.__reduce_ex__`: an overridden `__reduce__` is asked first.
pub(super) fn reduce_ex(object: &Object, protocol: i32) -> PyResult {
    let name = intern!("__reduce__");
    if let Some(reduce) = object.getattr_opt(name)? {
        let own = object.ty().getattr(name)?;
        let objects: &Type = &PyBaseObject_Type;
        let ours = objects.lookup(name);
        if !ours.is_some_and(|ours| ours.is(&own)) {
            return reduce.call(&[]);
        }
    }
    common_reduce(object, protocol)
}

/// What `object` does when nothing is overridden.
pub(super) fn common_reduce(object: &Object, protocol: i32) -> PyResult {
    if protocol >= 2 {
        return reduce_newobj(object);
    }
    let number = protocol.into_py()?;
    copyreg()?.getattr(intern!("_reduce_ex"))?.call(&[object, &number])
}

fn cannot_pickle(object: &Object) -> PyErr {
    raise!(PyExc_TypeError, "cannot pickle '{}' object", object.ty().message_name())
}

fn reduce_newobj(object: &Object) -> PyResult {
    // SAFETY: a live type.
    if unsafe { (*object.ty().raw()).tp_new.is_none() } {
        return Err(cannot_pickle(object));
    }
    let (args, kwargs) = new_arguments(object)?;
    let copyreg = copyreg()?;
    let class = object.ty().new_ref();
    let no_args = args.is_none();
    let (function, arguments) = match (args, kwargs) {
        (args, None) => newobj(&copyreg, class, args)?,
        (args, Some(kwargs)) if kwargs.is_empty() => newobj(&copyreg, class, args)?,
        (Some(args), Some(kwargs)) => (
            copyreg.getattr(intern!("__newobj_ex__"))?,
            Tuple::from_array([class, args.upcast(), kwargs.upcast()])?,
        ),
        (None, Some(_)) => return Err(taipan_object::err::system_error("bad argument to internal function")),
    };
    let is_list = object.downcast::<List>().is_some();
    let is_dict = object.downcast::<Dict>().is_some();
    let state = get_state(object, no_args && !is_list && !is_dict)?;
    let list_items = if is_list { object.iter()? } else { new_none() };
    let dict_items = if is_dict { object.call_method(intern!("items"), &[])?.iter()? } else { new_none() };
    Tuple::from_array([function, arguments.upcast(), state, list_items, dict_items])?.into_py()
}

fn newobj(copyreg: &Object, class: Ref, args: Option<Ref<Tuple>>) -> PyResult<(Ref, Ref<Tuple>)> {
    let mut all = vec![class];
    if let Some(args) = args {
        all.extend(args.items().iter().map(|arg| arg.new_ref()));
    }
    Ok((copyreg.getattr(intern!("__newobj__"))?, Tuple::from_vec(all)?))
}

/// Positional and keyword arguments, where a class gives them.
type NewArguments = (Option<Ref<Tuple>>, Option<Ref<Dict>>);

/// The arguments for `__new__` that `__getnewargs_ex__` or `__getnewargs__` give.
fn new_arguments(object: &Object) -> PyResult<NewArguments> {
    if let Some(pair) = protocol::special_opt(object, intern!("__getnewargs_ex__"), &[])? {
        let Some(pair) = pair.downcast::<Tuple>() else {
            return Err(raise!(
                PyExc_TypeError,
                "__getnewargs_ex__ should return a tuple, not '{}'",
                pair.ty().message_name()
            ));
        };
        let [args, kwargs] = pair.items() else {
            return Err(value_error(&format!(
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                pair.len()
            )));
        };
        let Some(args) = args.downcast::<Tuple>() else {
            return Err(raise!(
                PyExc_TypeError,
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                args.ty().message_name()
            ));
        };
        let Some(kwargs) = kwargs.downcast::<Dict>() else {
            return Err(raise!(
                PyExc_TypeError,
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                kwargs.ty().message_name()
            ));
        };
        return Ok((Some(Ref::of(args)), Some(Ref::of(kwargs))));
    }
    if let Some(args) = protocol::special_opt(object, intern!("__getnewargs__"), &[])? {
        return match args.downcast_owned::<Tuple>() {
            Ok(args) => Ok((Some(args), None)),
            Err(other) => Err(raise!(
                PyExc_TypeError,
                "__getnewargs__ should return a tuple, not '{}'",
                other.ty().message_name()
            )),
        };
    }
    Ok((None, None))
}

/// `__getstate__`; `object`'s own needs to know whether unseen native state would be lost.
fn get_state(object: &Object, required: bool) -> PyResult {
    let method = object.getattr(intern!("__getstate__"))?;
    if let Some(function) = method.downcast::<CFunction>()
        && function.name() == "__getstate__"
        && function.self_object().is_some_and(|owner| owner.is(object))
        && is_objects_getstate(object)
    {
        return default_state(object, required);
    }
    method.call(&[])
}

fn is_objects_getstate(object: &Object) -> bool {
    let name = intern!("__getstate__");
    let base: &Type = &PyBaseObject_Type;
    object.ty().lookup_ptr(name) == base.lookup_ptr(name)
}

/// `object.__getstate__`: the instance's dict, and its slots if it has any.
pub(super) fn default_state(object: &Object, required: bool) -> PyResult {
    let ty = object.ty();
    // SAFETY: a live type.
    if required && unsafe { (*ty.raw()).tp_itemsize != 0 } {
        return Err(raise!(PyExc_TypeError, "cannot pickle {} objects", ty.message_name()));
    }
    let attributes = match taipan_object::instance::dict_of(object)? {
        Some(dict) if !dict.is_empty() => dict.upcast(),
        Some(_) => new_none(),
        None => match object.getattr_opt(intern!("__dict__"))? {
            Some(dict) => dict,
            None => new_none(),
        },
    };
    let slot_names = slot_names(ty)?;
    if required && basic_size(ty, slot_names.as_deref()) < instance_size(ty) {
        return Err(cannot_pickle(object));
    }
    let Some(slot_names) = slot_names.filter(|names| !names.is_empty()) else { return Ok(attributes) };
    let slots = Dict::new()?;
    for name in slot_names.to_vec() {
        let Some(text) = name.downcast::<Str>() else { continue };
        if let Some(value) = object.getattr_opt(text)? {
            slots.set(&name, &value)?;
        }
    }
    if slots.is_empty() {
        return Ok(attributes);
    }
    Tuple::from_array([attributes, slots.upcast()])?.into_py()
}

fn instance_size(ty: &Type) -> isize {
    // SAFETY: a live type.
    unsafe { (*ty.raw()).tp_basicsize }
}

/// The size of an instance whose state is all visible: dict, weak references and slots.
fn basic_size(ty: &Type, slots: Option<&List>) -> isize {
    // SAFETY: a live type.
    unsafe {
        let raw = ty.raw();
        let mut size = size_of::<PyObject>().cast_signed();
        if (*raw).tp_dictoffset != 0 && !ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            size += 8;
        }
        if (*raw).tp_weaklistoffset > 0 {
            size += 8;
        }
        size + slots.map_or(0, |slots| slots.len().cast_signed()) * 8
    }
}

/// `copyreg._slotnames(class)`, which keeps its answer in `__slotnames__`.
fn slot_names(ty: &Type) -> PyResult<Option<Ref<List>>> {
    let dict = ty.dict().map(Ref::of);
    let known = match dict {
        Some(dict) => dict.get_str(intern!("__slotnames__"))?,
        None => None,
    };
    let names = match known {
        Some(names) if is_none(&names) || names.downcast::<List>().is_some() => names,
        Some(other) => {
            return Err(raise!(
                PyExc_TypeError,
                "{}.__slotnames__ should be a list or None, not {}",
                ty.message_name(),
                other.ty().message_name()
            ));
        }
        None => {
            let names = copyreg()?.getattr(intern!("_slotnames"))?.call(&[ty])?;
            if !names.is(none()) && names.downcast::<List>().is_none() {
                return Err(taipan_object::err::type_error(
                    "copyreg._slotnames didn't return a list or None",
                ));
            }
            names
        }
    };
    Ok(names.downcast_owned::<List>().ok())
}
