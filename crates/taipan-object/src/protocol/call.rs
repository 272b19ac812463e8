//! Calls: vectorcall where a type offers it (PEP 590), `tp_call` otherwise.

use crate::dict::Dict;
use crate::err::{self, PyResult};
use crate::handle::{Object, Ref};
use crate::native::{from_c, opt_ptr};
use crate::raise;
use crate::statics::PyExc_TypeError;
use crate::tuple::Tuple;
use crate::unicode::Str;
use taipan_abi::*;

/// The vectorcall function of a callable, if it has one.
#[inline(always)]
fn vectorcall_function(callable: &Object) -> Option<vectorcallfunc> {
    let ty = callable.ty();
    if !ty.has_flag(Py_TPFLAGS_HAVE_VECTORCALL) {
        return None;
    }
    // SAFETY: the flag says that a vectorcall pointer stands at the offset.
    unsafe {
        let offset = (*ty.raw()).tp_vectorcall_offset;
        callable.as_ptr().cast::<u8>().offset(offset).cast::<Option<vectorcallfunc>>().read()
    }
}

/// Calls with arguments as C passes them: positional ones, then the values of `kwnames`.
///
/// # Safety
/// `args` points to as many live objects as `nargsf` and `kwnames` (null or a tuple of strs) say; with
/// bit 63 of `nargsf` set, the word before them may be overwritten during the call.
/// # Errors
/// What the call raises.
#[inline]
pub unsafe fn vectorcall_raw(
    callable: &Object,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: forwarded contract.
    unsafe {
        match vectorcall_function(callable) {
            Some(function) => {
                super::recursive("", || from_c(function(callable.as_ptr(), args, nargsf, kwnames)))
            }
            None => call_by_tuple(callable, args, nargsf, kwnames),
        }
    }
}

#[cold]
unsafe fn call_by_tuple(
    callable: &Object,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: forwarded contract.
    unsafe {
        let count = crate::callable::vectorcall_count(nargsf);
        let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
        let total = count + kwnames.map_or(0, Tuple::len);
        let all: &[&Object] = if total == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), total) };
        let tuple = Tuple::from_refs(&all[..count])?;
        let kwargs = crate::native::CallArgs { all, kwnames }.keywords_dict()?;
        call_slot(callable, &tuple, kwargs.as_deref())
    }
}

/// Calls through `tp_call`.
fn call_slot(callable: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let Some(call) = (*callable.ty().raw()).tp_call else {
            return Err(raise!(PyExc_TypeError, "'{}' object is not callable", callable.ty().message_name()));
        };
        super::recursive("", || from_c(call(callable.as_ptr(), args.as_ptr(), opt_ptr(kwargs.map(|k| &**k)))))
    }
}

/// Calls with positional arguments followed by the values of `kwnames`.
///
/// # Errors
/// What the call raises.
pub fn vectorcall(callable: &Object, args: &[&Object], kwnames: Option<&Tuple>) -> PyResult {
    let count = args.len() - kwnames.map_or(0, Tuple::len);
    // SAFETY: `&Object` has the representation of an object pointer; the slice lives during the call.
    unsafe { vectorcall_raw(callable, args.as_ptr().cast(), count, opt_ptr(kwnames.map(|names| &**names))) }
}

/// Calls with positional arguments and a dict of keywords.
///
/// # Errors
/// What the call raises; `TypeError` for keywords that are not strs.
pub fn vectorcall_with_dict(callable: &Object, args: &[&Object], kwargs: Option<&Dict>) -> PyResult {
    with_names(args, kwargs, |all, names| vectorcall(callable, all, names))
}

/// Calls the function in the object's vectorcall field, whether or not its class still says that calls
/// go there: what `tp_call` does for the types that have such a field.
///
/// # Safety
/// The layout of the object has a vectorcall function at its type's `tp_vectorcall_offset`.
///
/// # Errors
/// What the call raises; `TypeError` for keywords that are not strs.
pub unsafe fn call_vectorcall_field(callable: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // SAFETY: the caller's promise.
    let field = unsafe {
        let offset = (*callable.ty().raw()).tp_vectorcall_offset;
        callable.as_ptr().cast::<u8>().offset(offset).cast::<Option<vectorcallfunc>>().read()
    };
    let Some(function) = field else {
        return Err(crate::raise!(
            PyExc_TypeError,
            "'{}' object does not support vectorcall",
            callable.ty().message_name()
        ));
    };
    with_names(args.items(), kwargs, |all, names| {
        let count = all.len() - names.map_or(0, Tuple::len);
        // SAFETY: as in `vectorcall`.
        unsafe {
            from_c(function(
                callable.as_ptr(),
                all.as_ptr().cast(),
                count,
                opt_ptr(names.map(|names| &**names)),
            ))
        }
    })
}

/// The arguments as a vectorcall takes them: all values in one row, and the names of the last ones.
fn with_names(
    args: &[&Object],
    kwargs: Option<&Dict>,
    call: impl FnOnce(&[&Object], Option<&Tuple>) -> PyResult,
) -> PyResult {
    let Some(kwargs) = kwargs.filter(|kwargs| !kwargs.is_empty()) else {
        return call(args, None);
    };
    let names = crate::descr::dict_names(kwargs)?;
    let values: Vec<Ref> = kwargs.items_vec().into_iter().map(|(_, value)| value).collect();
    let mut all = args.to_vec();
    all.extend(values.iter().map(|value| &**value));
    call(&all, Some(&names))
}

/// `callable(*args, **kwargs)`.
///
/// # Errors
/// What the call raises.
pub fn call_with_dict(callable: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if vectorcall_function(callable).is_some() {
        return vectorcall_with_dict(callable, args.items(), kwargs);
    }
    call_slot(callable, args, kwargs)
}

/// Whether a class attribute is a function that takes the instance as its first argument, so that no
/// bound method needs to be made.
#[inline]
pub fn is_plain_method(method: &Object) -> bool {
    method.ty().has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR)
}

/// Calls what was found on the type of `object` as its method.
///
/// # Errors
/// What the call raises.
pub fn call_unbound(method: &Object, object: &Object, args: &[&Object]) -> PyResult {
    if !is_plain_method(method) {
        return crate::instance::bind_descriptor(method, object, object.ty())?.call(args);
    }
    let mut all: [*mut PyObject; 6] = [core::ptr::null_mut(); 6];
    if args.len() > 4 {
        let mut many = vec![object];
        many.extend_from_slice(args);
        return vectorcall(method, &many, None);
    }
    all[1] = object.as_ptr();
    for (place, arg) in all[2..].iter_mut().zip(args) {
        *place = arg.as_ptr();
    }
    // SAFETY: the array holds one spare word, the instance and the arguments.
    unsafe { vectorcall_raw(method, all.as_ptr().add(1), (args.len() + 1) | 1 << 63, core::ptr::null_mut()) }
}

/// As [`call_unbound`] with keywords in a dict.
///
/// # Errors
/// What the call raises.
pub fn call_unbound_with_dict(
    method: &Object,
    object: &Object,
    args: &Tuple,
    kwargs: Option<&Dict>,
) -> PyResult {
    if !is_plain_method(method) {
        return call_with_dict(
            &*crate::instance::bind_descriptor(method, object, object.ty())?,
            args,
            kwargs,
        );
    }
    let mut all = Vec::with_capacity(args.len() + 1);
    all.push(object);
    all.extend_from_slice(args.items());
    vectorcall_with_dict(method, &all, kwargs)
}

/// Calls a special method, looked up on the type; `None` if there is none.
///
/// # Errors
/// What the call raises.
pub fn special_opt(object: &Object, name: &Str, args: &[&Object]) -> PyResult<Option<Ref>> {
    match object.ty().lookup(name) {
        Some(method) => super::recursive("", || call_unbound(&method, object, args)).map(Some),
        None => Ok(None),
    }
}

/// Calls a special method, looked up on the type.
///
/// # Errors
/// `AttributeError` if there is none; what the call raises.
pub fn special(object: &Object, name: &Str, args: &[&Object]) -> PyResult {
    match special_opt(object, name, args)? {
        Some(result) => Ok(result),
        None => Err(err::attribute_error(&name.to_lossy())),
    }
}
