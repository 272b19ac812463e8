//! `abstract.h`, the calls: with tuples, vectors, and C's `...`.

use crate::border::{Obj, arg, attribute_name, export, export_plain, name};
use crate::modsupport;
use crate::variadic::{VaList, variadic};
use core::ffi::{c_char, c_int};
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error};
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, raise};

/// A bound call of what `method` names, with arguments that C put into a vector behind `self`.
unsafe fn vectorcall_method(method: Obj, args: *const Obj, nargsf: usize, kwnames: Obj) -> PyResult {
    // SAFETY: a vector of at least one live object by the callers' contract.
    unsafe {
        let name = attribute_name(method)?;
        let object = arg(*args)?;
        let function = object.getattr(name)?;
        let count = taipan_object::callable::vectorcall_count(nargsf) - 1;
        protocol::vectorcall_raw(&function, args.add(1), count, kwnames)
    }
}

/// Objects up to a null pointer.
unsafe fn objects<'a>(va: &mut VaList) -> Vec<&'a Object> {
    let mut found = Vec::new();
    // SAFETY: the list ends with a null pointer by the callers' contract.
    while let Some(object) = unsafe { Object::borrow_opt(va.pointer()) } {
        found.push(object);
    }
    found
}

/// A call whose arguments a format builds: one tuple is the argument list itself.
unsafe fn call_built(function: &Object, format: *const c_char, va: &mut VaList) -> PyResult {
    // SAFETY: the format and its arguments agree by the callers' contract.
    let built = unsafe {
        if format.is_null() || *format == 0 {
            return function.call(&[]);
        }
        modsupport::build(core::ffi::CStr::from_ptr(format).to_bytes(), va)?
    };
    match built.downcast::<Tuple>() {
        Some(args) => protocol::call_with_dict(function, args, None),
        None => function.call(&[&built]),
    }
}

unsafe fn tuple_args<'a>(args: Obj) -> PyResult<&'a Tuple> {
    // SAFETY: a live object by the callers' contract.
    unsafe { arg(args)?.downcast::<Tuple>().ok_or_else(|| type_error("argument list must be a tuple")) }
}

export! {
    fn PyObject_Call(function: Obj, args: Obj, kwargs: Obj) -> Obj {
        let kwargs = Object::borrow_opt(kwargs).map(|kwargs| kwargs.cast::<Dict>());
        protocol::call_with_dict(arg(function)?, tuple_args(args)?, kwargs)
    }

    fn PyObject_CallObject(function: Obj, args: Obj) -> Obj {
        match Object::borrow_opt(args) {
            Some(_) => protocol::call_with_dict(arg(function)?, tuple_args(args)?, None),
            None => arg(function)?.call(&[]),
        }
    }

    fn PyEval_CallObjectWithKeywords(function: Obj, args: Obj, kwargs: Obj) -> Obj {
        let kwargs = Object::borrow_opt(kwargs).map(|kwargs| kwargs.cast::<Dict>());
        let empty = Tuple::empty();
        let args = if args.is_null() { &*empty } else { tuple_args(args)? };
        protocol::call_with_dict(arg(function)?, args, kwargs)
    }

    fn PyObject_CallNoArgs(function: Obj) -> Obj {
        arg(function)?.call(&[])
    }

    fn PyObject_CallOneArg(function: Obj, argument: Obj) -> Obj {
        arg(function)?.call(&[arg(argument)?])
    }

    fn PyObject_CallMethodNoArgs(object: Obj, method: Obj) -> Obj {
        arg(object)?.call_method(attribute_name(method)?, &[])
    }

    fn PyObject_CallMethodOneArg(object: Obj, method: Obj, argument: Obj) -> Obj {
        arg(object)?.call_method(attribute_name(method)?, &[arg(argument)?])
    }

    fn PyObject_Vectorcall(function: Obj, args: *const Obj, nargsf: usize, kwnames: Obj) -> Obj {
        protocol::vectorcall_raw(arg(function)?, args, nargsf, kwnames)
    }

    fn _PyObject_Vectorcall(function: Obj, args: *const Obj, nargsf: usize, kwnames: Obj) -> Obj {
        protocol::vectorcall_raw(arg(function)?, args, nargsf, kwnames)
    }

    fn PyObject_VectorcallDict(function: Obj, args: *const Obj, nargsf: usize, kwargs: Obj) -> Obj {
        let count = taipan_object::callable::vectorcall_count(nargsf);
        let items: &[&Object] = if count == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), count) };
        let kwargs = Object::borrow_opt(kwargs).map(|kwargs| kwargs.cast::<Dict>());
        protocol::vectorcall_with_dict(arg(function)?, items, kwargs)
    }

    fn PyObject_VectorcallMethod(method: Obj, args: *const Obj, nargsf: usize, kwnames: Obj) -> Obj {
        vectorcall_method(method, args, nargsf, kwnames)
    }

    fn PyVectorcall_Call(function: Obj, args: Obj, kwargs: Obj) -> Obj {
        let function = arg(function)?;
        if PyVectorcall_Function(function.as_ptr()).is_none() {
            return Err(raise!(
                PyExc_TypeError,
                "'{}' object does not support vectorcall",
                function.ty().message_name()
            ));
        }
        let kwargs = Object::borrow_opt(kwargs).map(|kwargs| kwargs.cast::<Dict>());
        protocol::call_vectorcall_field(function, tuple_args(args)?, kwargs)
    }

    fn PyIter_Send(iterator: Obj, value: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        let value = Object::borrow_opt(value).unwrap_or(taipan_object::singletons::none());
        let (result, more) = taipan_eval::generator::send_any(arg(iterator)?, value)?;
        place.write(result.into_ptr());
        // PYGEN_NEXT is 1, PYGEN_RETURN is 0.
        Ok(more)
    }
}

export_plain! {
    fn PyVectorcall_NARGS(nargsf: usize) -> isize {
        taipan_object::callable::vectorcall_count(nargsf).cast_signed()
    }

    fn PyVectorcall_Function(function: Obj) -> Option<vectorcallfunc> {
        let class = (*function).ob_type;
        if (*class).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL == 0 {
            return None;
        }
        function.cast::<u8>().offset((*class).tp_vectorcall_offset).cast::<Option<vectorcallfunc>>().read()
    }
}

variadic! {
    fn PyObject_CallFunctionObjArgs(va) -> Obj {
        let function = arg(va.pointer())?;
        function.call(&objects(va))
    }

    fn PyObject_CallMethodObjArgs(va) -> Obj {
        let object = arg(va.pointer())?;
        let method = attribute_name(va.pointer())?;
        object.call_method(method, &objects(va))
    }

    fn PyObject_CallFunction(va) -> Obj {
        let function = arg(va.pointer())?;
        let format = va.text();
        call_built(function, format, va)
    }

    fn _PyObject_CallFunction_SizeT(va) -> Obj {
        let function = arg(va.pointer())?;
        let format = va.text();
        call_built(function, format, va)
    }

    fn PyObject_CallMethod(va) -> Obj {
        call_method(va)
    }

    fn _PyObject_CallMethod_SizeT(va) -> Obj {
        call_method(va)
    }

    fn PyEval_CallFunction(va) -> Obj {
        let function = arg(va.pointer())?;
        let format = va.text();
        call_built(function, format, va)
    }

    fn PyEval_CallMethod(va) -> Obj {
        call_method(va)
    }
}

unsafe fn call_method(va: &mut VaList) -> PyResult {
    // SAFETY: object, name, format and what the format asks for.
    unsafe {
        let object = arg(va.pointer())?;
        let method = name(va.text())?;
        let function = object.getattr(&method)?;
        if !function.is_callable() {
            return Err(raise!(
                PyExc_TypeError,
                "attribute of type '{}' is not callable",
                function.ty().message_name()
            ));
        }
        let format = va.text();
        call_built(&function, format, va)
    }
}
