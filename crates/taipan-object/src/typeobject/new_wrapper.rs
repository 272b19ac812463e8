//! `__new__` of native types: one builtin function for all, bound to the type whose `tp_new` it calls.
//!
//! Python code may hand it any subclass; it refuses those whose instances another native type must make.

use crate::callable::{CFunction, new_cfunction};
use crate::err::{PyErr, PyResult};
use crate::handle::{Object, Type};
use crate::native::{self, CallArgs, from_c, opt_ptr};
use crate::raise;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::typeobject::get_slot;
use core::ffi::c_void;
use taipan_abi::*;

/// The one function behind every native type's `__new__`.
static NEW_DEF: native::MethodRow = native::method_row(
    "__new__\0",
    native::entry::keywords(new_wrapper_call),
    0,
    "__new__($type, *args, **kwargs)\n--\n\nMake a new object; help(type) has the signature.\0",
);

/// `__new__` of a native type: a builtin function bound to the type.
///
/// # Errors
/// `MemoryError`.
pub fn new_new_wrapper(ty: &Type) -> PyResult {
    // SAFETY: the row is static.
    unsafe { Ok(new_cfunction(native::method_ptr(&NEW_DEF), Some(ty), None, None)?.upcast()) }
}

/// Whether an object is the `__new__` of a native type.
pub fn is_new_wrapper(object: &Object) -> bool {
    object.downcast::<CFunction>().is_some_and(|function| function.def_ptr() == native::method_ptr(&NEW_DEF))
}

/// The `tp_new` behind such a `__new__`.
pub fn new_wrapper_function(object: &Object) -> *mut c_void {
    let function = object.downcast::<CFunction>();
    match function.and_then(|f| f.self_object()).and_then(|ty| ty.downcast::<Type>()) {
        Some(ty) => get_slot(ty, Py_tp_new),
        None => core::ptr::null_mut(),
    }
}

fn new_wrapper_call(owner: &Type, call: CallArgs<'_>) -> PyResult {
    let name = owner.message_name();
    let Some((first, args)) = call.positional().split_first() else {
        return Err(raise!(PyExc_TypeError, "{name}.__new__(): not enough arguments"));
    };
    let Some(subtype) = first.downcast::<Type>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{name}.__new__(X): X is not a type object ({})",
            first.ty().message_name()
        ));
    };
    if !subtype.is_subtype(owner) {
        let sub = subtype.message_name();
        return Err(raise!(PyExc_TypeError, "{name}.__new__({sub}): {sub} is not a subtype of {name}"));
    }
    check_new_is_safe(owner, subtype)?;
    let args = Tuple::from_refs(args)?;
    let kwargs = call.keywords_dict()?;
    // SAFETY: `tp_new` of a native type, called for a subtype.
    unsafe {
        let Some(new) = (*owner.raw()).tp_new else {
            return Err(raise!(PyExc_TypeError, "cannot create '{}' instances", owner.message_name()));
        };
        from_c(new(subtype.raw(), args.as_ptr(), opt_ptr(kwargs.as_ref().map(|k| &***k))))
    }
}

/// Refuses `object.__new__(dict)` and the like: the most derived native type decides how its
/// instances are made.
fn check_new_is_safe(owner: &Type, subtype: &Type) -> Result<(), PyErr> {
    let mut native = Some(subtype);
    while let Some(ty) = native {
        if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
            break;
        }
        native = ty.base();
    }
    let Some(native) = native else { return Ok(()) };
    if core::ptr::eq(get_slot(native, Py_tp_new), get_slot(owner, Py_tp_new)) {
        return Ok(());
    }
    if get_slot(subtype, Py_tp_new).is_null() {
        return Err(raise!(PyExc_TypeError, "cannot create '{}' instances", subtype.message_name()));
    }
    Err(raise!(
        PyExc_TypeError,
        "{}.__new__({}) is not safe, use {}.__new__()",
        owner.message_name(),
        subtype.message_name(),
        native.message_name()
    ))
}
