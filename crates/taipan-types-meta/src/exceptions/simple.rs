//! Exceptions with a field or two: `StopIteration`, `SystemExit`, `ImportError`, `NameError`,
//! `AttributeError`, `KeyError`.

use super::base::{self, fields, lifetime};
use crate::util;
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyResult, exception_args};
use taipan_object::handle::set_field;
use taipan_object::native::{self, IntoPy, Member, Slot, TypeSpec};
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, intern, layout, raise};

layout!(
    /// A `StopIteration`.
    StopIteration, PyStopIterationObject, "StopIteration", |o| o.ty().is_subtype(&PyExc_StopIteration)
);
layout!(
    /// A `SystemExit`.
    SystemExit, PySystemExitObject, "SystemExit", |o| o.ty().is_subtype(&PyExc_SystemExit)
);
layout!(
    /// An `ImportError`.
    ImportError, PyImportErrorObject, "ImportError", |o| o.ty().is_subtype(&PyExc_ImportError)
);
layout!(
    /// A `NameError`.
    NameError, PyNameErrorObject, "NameError", |o| o.ty().is_subtype(&PyExc_NameError)
);
layout!(
    /// An `AttributeError`.
    AttributeError, PyAttributeErrorObject, "AttributeError", |o| o.ty().is_subtype(&PyExc_AttributeError)
);

fields!(StopIterationFields, PyStopIterationObject, [value]);
fields!(SystemExitFields, PySystemExitObject, [code]);
fields!(ImportErrorFields, PyImportErrorObject, [msg, name, path, name_from]);
fields!(NameErrorFields, PyNameErrorObject, [name]);
fields!(AttributeErrorFields, PyAttributeErrorObject, [obj, name]);

/// The view of an exception as its base.
///
/// Every view here is of an exception type.
fn as_exception(object: &Object) -> &Exception {
    // SAFETY: callers pass views of exception layouts only.
    unsafe { object.cast() }
}

const fn member(name: &'static core::ffi::CStr, offset: usize) -> Member {
    Member::new(name, T_OBJECT, offset, 0, c"")
}

fn stop_iteration_init(exception: &StopIteration, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, kwargs)?;
    let value = args.get(0).unwrap_or(none()).new_ref();
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*exception.raw()).value, Some(value)) };
    Ok(())
}

const STOP_LIFE: [Slot; 3] = lifetime::<StopIterationFields>();
/// `StopIteration`.
pub(super) const STOP_ITERATION: TypeSpec = TypeSpec {
    doc: Some(c"Tells that an iterator has no more items."),
    slots: &[STOP_LIFE[0], STOP_LIFE[1], STOP_LIFE[2], native::tp_init(stop_iteration_init)],
    members: &[member(c"value", offset_of!(PyStopIterationObject, value))],
    ..TypeSpec::new(&_PyExc_StopIteration)
};

fn system_exit_init(exception: &SystemExit, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, kwargs)?;
    let code = match args.items() {
        [] => return Ok(()),
        [code] => code.new_ref(),
        _ => args.new_ref(),
    };
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*exception.raw()).code, Some(code)) };
    Ok(())
}

const EXIT_LIFE: [Slot; 3] = lifetime::<SystemExitFields>();
/// `SystemExit`.
pub(super) const SYSTEM_EXIT: TypeSpec = TypeSpec {
    doc: Some(c"Asks the interpreter to end the program."),
    slots: &[EXIT_LIFE[0], EXIT_LIFE[1], EXIT_LIFE[2], native::tp_init(system_exit_init)],
    members: &[member(c"code", offset_of!(PySystemExitObject, code))],
    ..TypeSpec::new(&_PyExc_SystemExit)
};

/// The values of keyword-only parameters of an exception's `__init__`.
fn keyword_values<const N: usize>(
    function: &str,
    names: [&str; N],
    kwargs: Option<&Dict>,
) -> PyResult<[Option<Ref>; N]> {
    let mut values = [const { None }; N];
    for (name, value) in kwargs.map(Dict::items_vec).unwrap_or_default() {
        let Some(name) = name.downcast::<Str>() else {
            return Err(taipan_object::err::type_error("keywords must be strings"));
        };
        let Some(index) = names.iter().position(|known| name.equals(known)) else {
            return Err(raise!(
                PyExc_TypeError,
                "{function}() got an unexpected keyword argument '{}'",
                name.to_lossy()
            ));
        };
        values[index] = Some(value);
    }
    Ok(values)
}

fn import_error_init(exception: &ImportError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, None)?;
    let [name, path, name_from] = keyword_values("ImportError", ["name", "path", "name_from"], kwargs)?;
    let message = if let [message] = args.items() { Some(message.new_ref()) } else { None };
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = exception.raw();
        set_field(&raw mut (*raw).name, name);
        set_field(&raw mut (*raw).path, path);
        set_field(&raw mut (*raw).name_from, name_from);
        set_field(&raw mut (*raw).msg, message);
    }
    Ok(())
}

fn import_error_str(exception: &ImportError) -> PyResult {
    // SAFETY: the view guarantees the layout.
    let message = unsafe { util::field(&raw mut (*exception.raw()).msg) };
    match message.filter(|message| message.is_exact(&PyUnicode_Type)) {
        Some(message) => Ok(message),
        None => base::str(as_exception(exception)),
    }
}

/// A copy of the instance's dict with these attributes added; `None` if there is nothing in it.
fn state_with(exception: &Exception, extra: &[(&Str, Option<Ref>)]) -> PyResult<Option<Ref>> {
    let dict = base::own_dict(exception);
    if extra.iter().all(|(_, value)| value.is_none()) {
        return Ok(dict);
    }
    let state = match dict.as_ref().and_then(|dict| dict.downcast::<Dict>()) {
        Some(dict) => dict.copy()?,
        None => Dict::new()?,
    };
    for (name, value) in extra {
        if let Some(value) = value {
            state.set_str(name, value)?;
        }
    }
    Ok(Some(state.upcast()))
}

fn import_error_reduce(exception: &ImportError) -> PyResult {
    let base = as_exception(exception);
    // SAFETY: the view guarantees the layout.
    let (name, path, name_from) = unsafe {
        let raw = exception.raw();
        (
            util::field(&raw mut (*raw).name),
            util::field(&raw mut (*raw).path),
            util::field(&raw mut (*raw).name_from),
        )
    };
    let extra = [(intern!("name"), name), (intern!("path"), path), (intern!("name_from"), name_from)];
    let state = state_with(base, &extra)?;
    base::reduce_with(base, exception_args(base), state)
}

taipan_object::methods! { static IMPORT_METHODS = {
    noargs "__reduce__" "($self, /)" = import_error_reduce,
        "Describe the exception for pickling: its class, arguments and attributes.";
} }

const IMPORT_LIFE: [Slot; 3] = lifetime::<ImportErrorFields>();
/// `ImportError`.
pub(super) const IMPORT_ERROR: TypeSpec = TypeSpec {
    doc: Some(c"A module, or a name in it, cannot be imported."),
    slots: &[
        IMPORT_LIFE[0],
        IMPORT_LIFE[1],
        IMPORT_LIFE[2],
        native::tp_init(import_error_init),
        native::tp_str(import_error_str),
    ],
    methods: IMPORT_METHODS,
    members: &[
        member(c"msg", offset_of!(PyImportErrorObject, msg)),
        member(c"name", offset_of!(PyImportErrorObject, name)),
        member(c"path", offset_of!(PyImportErrorObject, path)),
        member(c"name_from", offset_of!(PyImportErrorObject, name_from)),
    ],
    ..TypeSpec::new(&_PyExc_ImportError)
};

/// The slots of `ModuleNotFoundError`.
pub(super) static IMPORT_PLAIN: [Slot; 3] = IMPORT_LIFE;

fn name_error_init(exception: &NameError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, None)?;
    let [name] = keyword_values("NameError", ["name"], kwargs)?;
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*exception.raw()).name, name) };
    Ok(())
}

const NAME_LIFE: [Slot; 3] = lifetime::<NameErrorFields>();
/// `NameError`.
pub(super) const NAME_ERROR: TypeSpec = TypeSpec {
    doc: Some(c"A name is not defined."),
    slots: &[NAME_LIFE[0], NAME_LIFE[1], NAME_LIFE[2], native::tp_init(name_error_init)],
    members: &[member(c"name", offset_of!(PyNameErrorObject, name))],
    ..TypeSpec::new(&_PyExc_NameError)
};

/// The slots of `UnboundLocalError`.
pub(super) static NAME_PLAIN: [Slot; 3] = NAME_LIFE;

fn attribute_error_init(exception: &AttributeError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(as_exception(exception), args, None)?;
    let [name, obj] = keyword_values("AttributeError", ["name", "obj"], kwargs)?;
    // SAFETY: the view guarantees the layout.
    unsafe {
        set_field(&raw mut (*exception.raw()).name, name);
        set_field(&raw mut (*exception.raw()).obj, obj);
    }
    Ok(())
}

/// The object is left out: it may not be picklable.
fn attribute_error_state(exception: &AttributeError) -> PyResult<Option<Ref>> {
    let base = as_exception(exception);
    // SAFETY: the view guarantees the layout.
    let name = unsafe { util::field(&raw mut (*exception.raw()).name) };
    if name.is_none() && exception_args(base).is_empty() {
        return Ok(base::own_dict(base));
    }
    let args = exception_args(base).upcast();
    state_with(base, &[(intern!("name"), name), (intern!("args"), Some(args))])
}

fn attribute_error_reduce(exception: &AttributeError) -> PyResult {
    let base = as_exception(exception);
    base::reduce_with(base, exception_args(base), attribute_error_state(exception)?)
}

taipan_object::methods! { static ATTRIBUTE_METHODS = {
    noargs "__getstate__" "($self, /)" = attribute_error_state,
        "The attributes that pickling and copying keep.";
    noargs "__reduce__" "($self, /)" = attribute_error_reduce,
        "Describe the exception for pickling: its class, arguments and attributes.";
} }

const ATTRIBUTE_LIFE: [Slot; 3] = lifetime::<AttributeErrorFields>();
/// `AttributeError`.
pub(super) const ATTRIBUTE_ERROR: TypeSpec = TypeSpec {
    doc: Some(c"An object has no attribute of that name."),
    slots: &[ATTRIBUTE_LIFE[0], ATTRIBUTE_LIFE[1], ATTRIBUTE_LIFE[2], native::tp_init(attribute_error_init)],
    methods: ATTRIBUTE_METHODS,
    members: &[
        member(c"name", offset_of!(PyAttributeErrorObject, name)),
        member(c"obj", offset_of!(PyAttributeErrorObject, obj)),
    ],
    ..TypeSpec::new(&_PyExc_AttributeError)
};

/// A single key is shown as `repr` shows it, so that `KeyError('')` can be told from `KeyError()`.
fn key_error_str(exception: &Exception) -> PyResult {
    match exception_args(exception).items() {
        [key] => key.repr().into_py(),
        _ => base::str(exception),
    }
}

/// `KeyError`.
pub(super) const KEY_ERROR: TypeSpec = TypeSpec {
    doc: Some(c"A mapping has no such key."),
    slots: &[
        base::PLAIN_SLOTS[0],
        base::PLAIN_SLOTS[1],
        base::PLAIN_SLOTS[2],
        base::PLAIN_SLOTS[3],
        native::tp_str(key_error_str),
    ],
    ..TypeSpec::new(&_PyExc_KeyError)
};
