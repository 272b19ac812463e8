//! Comparison, hashing, `isinstance` and `issubclass`.

use crate::err::{PyErr, PyResult, type_error};
use crate::handle::{Object, Ref, Type};
use crate::int::Int;
use crate::intern;
use crate::native::{CompareOp, from_c};
use crate::raise;
use crate::singletons::{as_bool, bool_object, is_not_implemented};
use crate::statics::*;
use crate::tuple::Tuple;
use core::ffi::c_void;
use taipan_abi::*;

/// `a op b`.
///
/// # Errors
/// What the comparison raises; `TypeError` for an order that neither operand knows.
pub fn richcompare(a: &Object, b: &Object, op: CompareOp) -> PyResult {
    super::recursive(" in comparison", || compare(a, b, op))
}

fn compare(a: &Object, b: &Object, op: CompareOp) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let slot = |object: &Object| (*object.ty().raw()).tp_richcompare;
        let mut tried_reflected = false;
        if !a.ty().is(b.ty())
            && b.ty().is_subtype(a.ty())
            && let Some(f) = slot(b)
        {
            tried_reflected = true;
            let result = from_c(f(b.as_ptr(), a.as_ptr(), op.swapped() as i32))?;
            if !is_not_implemented(&result) {
                return Ok(result);
            }
        }
        if let Some(f) = slot(a) {
            let result = from_c(f(a.as_ptr(), b.as_ptr(), op as i32))?;
            if !is_not_implemented(&result) {
                return Ok(result);
            }
        }
        if !tried_reflected && let Some(f) = slot(b) {
            let result = from_c(f(b.as_ptr(), a.as_ptr(), op.swapped() as i32))?;
            if !is_not_implemented(&result) {
                return Ok(result);
            }
        }
    }
    match op {
        CompareOp::Eq => Ok(bool_object(crate::int::same_object(a, b)).new_ref()),
        CompareOp::Ne => Ok(bool_object(!crate::int::same_object(a, b)).new_ref()),
        _ => Err(raise!(
            PyExc_TypeError,
            "'{}' not supported between instances of '{}' and '{}'",
            op.symbol(),
            a.ty().message_name(),
            b.ty().message_name()
        )),
    }
}

/// The truth of `a op b`, where identical objects count as equal.
///
/// # Errors
/// What the comparison raises.
#[inline]
pub fn richcompare_bool(a: &Object, b: &Object, op: CompareOp) -> PyResult<bool> {
    if a.is(b) {
        match op {
            CompareOp::Eq => return Ok(true),
            CompareOp::Ne => return Ok(false),
            _ => {}
        }
    }
    let result = richcompare(a, b, op)?;
    as_bool(&result).map_or_else(|| result.is_true(), Ok)
}

/// The `TypeError` of hashing something unhashable.
#[cold]
pub fn unhashable(object: &Object) -> PyErr {
    raise!(PyExc_TypeError, "unhashable type: '{}'", object.ty().message_name())
}

/// `tp_hash` of types that cannot be hashed.
///
/// # Safety
/// As every `tp_hash`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_HashNotImplemented(object: *mut PyObject) -> isize {
    // SAFETY: slot contract.
    crate::native::ret_len(Err(unhashable(unsafe { Object::borrow(object) })))
}

/// The address of the slot function of unhashable types.
pub fn hash_not_implemented_slot() -> *mut c_void {
    PyObject_HashNotImplemented as hashfunc as *mut c_void
}

/// The hash of an int of any size: its value modulo 2^61 - 1.
pub fn hash_big(int: &Int) -> isize {
    let modulus: u64 = (1 << 61) - 1;
    let mut hash: u64 = 0;
    for &digit in int.digits().iter().rev() {
        hash = (hash << 30 & modulus) | hash >> 31;
        hash += u64::from(digit);
        if hash >= modulus {
            hash -= modulus;
        }
    }
    let hash = if int.is_negative() { -(hash as isize) } else { hash as isize };
    if hash == -1 { -2 } else { hash }
}

/// The members of a union, which is checked like the tuple of them.
fn union_members(class: &Object) -> PyResult<Option<Ref>> {
    if class.is_exact(&_PyUnion_Type) { class.getattr(intern!("__args__")).map(Some) } else { Ok(None) }
}

/// `isinstance(object, class)`, where `class` may be a tuple, a union or anything with
/// `__instancecheck__`.
///
/// # Errors
/// `TypeError` for a class that is none; what the checks raise.
pub fn is_instance(object: &Object, class: &Object) -> PyResult<bool> {
    if object.ty().is(class) {
        return Ok(true);
    }
    if class.ty().is(&PyType_Type) {
        return real_is_instance(object, class);
    }
    let members = union_members(class)?;
    let class = members.as_deref().unwrap_or(class);
    if let Some(classes) = class.downcast::<Tuple>() {
        return super::recursive(" in __instancecheck__", || {
            for class in classes.items() {
                if is_instance(object, class)? {
                    return Ok(true);
                }
            }
            Ok(false)
        });
    }
    match super::special_opt(class, intern!("__instancecheck__"), &[object])? {
        Some(answer) => answer.is_true(),
        None => real_is_instance(object, class),
    }
}

/// `isinstance` without `__instancecheck__` (`type.__instancecheck__` itself).
///
/// # Errors
/// `TypeError` for a class that is none.
pub fn real_is_instance(object: &Object, class: &Object) -> PyResult<bool> {
    if let Some(class) = class.downcast::<Type>() {
        if object.ty().is_subtype(class) {
            return Ok(true);
        }
        // Proxies may claim another class.
        let claimed = object.getattr_opt(intern!("__class__"))?;
        return Ok(claimed.is_some_and(|claimed| {
            !claimed.is(object.ty())
                && claimed.downcast::<Type>().is_some_and(|claimed| claimed.is_subtype(class))
        }));
    }
    check_class(class, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
    match object.getattr_opt(intern!("__class__"))? {
        Some(own) => abstract_is_subclass(&own, class),
        None => Ok(false),
    }
}

/// `issubclass(derived, class)`.
///
/// # Errors
/// `TypeError` for arguments that are no classes; what the checks raise.
pub fn is_subclass(derived: &Object, class: &Object) -> PyResult<bool> {
    if class.ty().is(&PyType_Type) {
        if derived.is(class) {
            return Ok(true);
        }
        return real_is_subclass(derived, class);
    }
    let members = union_members(class)?;
    let class = members.as_deref().unwrap_or(class);
    if let Some(classes) = class.downcast::<Tuple>() {
        return super::recursive(" in __subclasscheck__", || {
            for class in classes.items() {
                if is_subclass(derived, class)? {
                    return Ok(true);
                }
            }
            Ok(false)
        });
    }
    match super::special_opt(class, intern!("__subclasscheck__"), &[derived])? {
        Some(answer) => answer.is_true(),
        None => real_is_subclass(derived, class),
    }
}

/// `issubclass` without `__subclasscheck__` (`type.__subclasscheck__` itself).
///
/// # Errors
/// `TypeError` for arguments that are no classes.
pub fn real_is_subclass(derived: &Object, class: &Object) -> PyResult<bool> {
    if let (Some(derived), Some(class)) = (derived.downcast::<Type>(), class.downcast::<Type>()) {
        return Ok(derived.is_subtype(class));
    }
    check_class(derived, "issubclass() arg 1 must be a class")?;
    check_class(class, "issubclass() arg 2 must be a class, a tuple of classes, or a union")?;
    abstract_is_subclass(derived, class)
}

fn bases_of(class: &Object) -> PyResult<Option<Ref<Tuple>>> {
    let bases = class.getattr_opt(intern!("__bases__"))?;
    Ok(bases.and_then(|bases| bases.downcast_owned::<Tuple>().ok()))
}

fn check_class(class: &Object, message: &str) -> PyResult<()> {
    if bases_of(class)?.is_some() { Ok(()) } else { Err(type_error(message)) }
}

/// Follows `__bases__` of things that look like classes.
fn abstract_is_subclass(derived: &Object, class: &Object) -> PyResult<bool> {
    let mut derived = derived.new_ref();
    loop {
        if derived.is(class) {
            return Ok(true);
        }
        let Some(bases) = bases_of(&derived)? else { return Ok(false) };
        match bases.items() {
            [] => return Ok(false),
            [base] => derived = base.new_ref(),
            many => {
                return super::recursive(" in __issubclass__", || {
                    for base in many {
                        if abstract_is_subclass(base, class)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                });
            }
        }
    }
}
