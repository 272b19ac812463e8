//! Structural pattern matching (PEP 634).

use taipan_object::err::type_error;
use taipan_object::protocol;
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, alloc, intern, raise};

/// The values of `keys` in a mapping as a tuple, or `None` when one is missing.
///
/// # Errors
/// `ValueError` for a key given twice; what the mapping raises.
pub fn match_keys(subject: &Object, keys: &Object) -> PyResult {
    let Some(keys) = keys.downcast::<Tuple>() else { return Err(type_error("expected a tuple of keys")) };
    if keys.is_empty() {
        return Ok(Tuple::empty().upcast());
    }
    let get = subject.getattr(intern!("get"))?;
    // Asking with a default of our own tells a missing key from one that maps to None.
    let missing = alloc::generic_alloc(&PyBaseObject_Type, 0)?;
    let seen = PySet_Type.call(&[])?;
    let mut values = Vec::with_capacity(keys.len());
    for key in keys.items() {
        if protocol::contains(&seen, key)? {
            return Err(raise!(
                PyExc_ValueError,
                "mapping pattern checks duplicate key ({})",
                key.repr_lossy()
            ));
        }
        crate::ops::set_add(&seen, key)?;
        let value = get.call(&[key, &missing])?;
        if value.is(&missing) {
            return Ok(none().new_ref());
        }
        values.push(value);
    }
    Ok(Tuple::from_vec(values)?.upcast())
}

/// The attributes of a class pattern as a tuple, or `None` when the subject does not match.
///
/// # Errors
/// `TypeError` for a pattern that does not fit its class.
pub fn match_class(subject: &Object, class: &Object, names: &Object, positional: usize) -> PyResult {
    let Some(class) = class.downcast::<Type>() else {
        return Err(raise!(PyExc_TypeError, "called match pattern must be a class"));
    };
    let Some(names) = names.downcast::<Tuple>() else { return Err(type_error("expected a tuple of names")) };
    if !protocol::is_instance(subject, class)? {
        return Ok(none().new_ref());
    }
    let mut seen: Vec<Ref> = Vec::new();
    let mut values: Vec<Ref> = Vec::new();
    if positional > 0 && !match_positional(subject, class, positional, &mut seen, &mut values)? {
        return Ok(none().new_ref());
    }
    for name in names.items() {
        match attribute(subject, class, name, &mut seen)? {
            Some(value) => values.push(value),
            None => return Ok(none().new_ref()),
        }
    }
    Ok(Tuple::from_vec(values)?.upcast())
}

fn match_positional(
    subject: &Object,
    class: &Type,
    positional: usize,
    seen: &mut Vec<Ref>,
    values: &mut Vec<Ref>,
) -> PyResult<bool> {
    let match_args = class.getattr_opt(intern!("__match_args__"))?;
    let match_self = match_args.is_none() && class.has_flag(taipan_abi::_Py_TPFLAGS_MATCH_SELF);
    let names = match match_args {
        Some(args) => match args.downcast_owned::<Tuple>() {
            Ok(names) => names,
            Err(other) => {
                return Err(raise!(
                    PyExc_TypeError,
                    "{}.__match_args__ must be a tuple (got {})",
                    class.name(),
                    other.ty().message_name()
                ));
            }
        },
        None => Tuple::empty(),
    };
    let allowed = if match_self { 1 } else { names.len() };
    if allowed < positional {
        let plural = if allowed == 1 { "" } else { "s" };
        return Err(raise!(
            PyExc_TypeError,
            "{}() accepts {allowed} positional sub-pattern{plural} ({positional} given)",
            class.name()
        ));
    }
    if match_self {
        values.push(subject.new_ref());
        return Ok(true);
    }
    for name in &names.items()[..positional] {
        if name.downcast::<Str>().is_none() {
            return Err(raise!(
                PyExc_TypeError,
                "__match_args__ elements must be strings (got {})",
                name.ty().message_name()
            ));
        }
        match attribute(subject, class, name, seen)? {
            Some(value) => values.push(value),
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn attribute(subject: &Object, class: &Type, name: &Object, seen: &mut Vec<Ref>) -> PyResult<Option<Ref>> {
    let Some(text) = name.downcast::<Str>() else { return Err(type_error("attribute name must be string")) };
    if seen.iter().any(|known| known.downcast::<Str>().is_some_and(|known| known.same_text(text))) {
        return Err(raise!(
            PyExc_TypeError,
            "{}() got multiple sub-patterns for attribute {}",
            class.name(),
            name.repr_lossy()
        ));
    }
    seen.push(name.new_ref());
    subject.getattr_opt(text)
}
