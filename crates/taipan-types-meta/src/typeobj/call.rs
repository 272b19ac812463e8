//! Calling classes: `__new__`, then `__init__`; and `type(...)` itself.

use crate::arguments::typed;
use taipan_abi::*;
use taipan_object::callable::vectorcall_count;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error};
use taipan_object::native::{from_c, from_c_int, opt_ptr, ret};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::{self, TypeParts};
use taipan_object::unicode::Str;
use taipan_object::{Object, Type, raise};

/// `type.__call__`.
pub(super) fn type_call(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if ty.is(&PyType_Type) {
        let no_keywords = kwargs.is_none_or(Dict::is_empty);
        match args.items() {
            [object] if no_keywords => return Ok(object.ty().new_ref()),
            [_] => return Err(type_error("type() takes no keyword arguments")),
            [_, _, _] => {}
            _ => return Err(type_error("type() takes 1 or 3 arguments")),
        }
    }
    // SAFETY: slot contracts; `ty` and the arguments live during the call.
    unsafe {
        let Some(new) = (*ty.raw()).tp_new else {
            return Err(raise!(PyExc_TypeError, "cannot create '{}' instances", ty.message_name()));
        };
        let kwargs = opt_ptr(kwargs.map(|kwargs| &**kwargs));
        let object = from_c(new(ty.raw(), args.as_ptr(), kwargs))?;
        // `__new__` may give something else, which is left as it is.
        if !object.ty().is_subtype(ty) {
            return Ok(object);
        }
        if let Some(init) = (*object.ty().raw()).tp_init {
            from_c_int(init(object.as_ptr(), args.as_ptr(), kwargs) as isize)?;
        }
        Ok(object)
    }
}

/// The vectorcall of `type` itself: `type(x)` without a tuple.
///
/// # Safety
/// As every vectorcall function.
pub(super) unsafe extern "C" fn type_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let count = vectorcall_count(nargsf);
        let names: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
        let keywords = names.map_or(0, Tuple::len);
        if count == 1 && keywords == 0 {
            return ret(Object::borrow(*args).ty().new_ref());
        }
        let total = count + keywords;
        let all: &[&Object] = if total == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), total) };
        let call = || -> PyResult {
            let tuple = Tuple::from_refs(&all[..count])?;
            let kwargs = taipan_object::native::CallArgs { all, kwnames: names }.keywords_dict()?;
            type_call(Object::borrow(callable).cast(), &tuple, kwargs.as_deref())
        };
        ret(call())
    }
}

/// `type.__new__`.
pub(super) fn type_new(metatype: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let [name, bases, namespace] = args.items() else {
        return Err(raise!(
            PyExc_TypeError,
            "type.__new__() takes exactly 3 arguments ({} given)",
            args.len()
        ));
    };
    const FUNCTION: &str = "type.__new__()";
    let name: &Str = typed(FUNCTION, 1, name)?;
    let bases: &Tuple = typed(FUNCTION, 2, bases)?;
    let namespace: &Dict = typed(FUNCTION, 3, namespace)?;
    Ok(typeobject::type_new(&TypeParts { metatype, name, bases, namespace, kwargs })?.upcast())
}

/// `type.__init__`: everything was done by `__new__`; keywords are for `__init_subclass__`.
pub(super) fn type_init(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    match args.len() {
        1 if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) => {
            Err(type_error("type.__init__() takes no keyword arguments"))
        }
        1 | 3 => Ok(()),
        _ => Err(type_error("type.__init__() takes 1 or 3 arguments")),
    }
}
