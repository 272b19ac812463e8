//! What stands in the slots of classes written in Python: each function looks the special method up
//! on the type and calls it.

use crate::dict::Dict;
use crate::err::{self, PyResult, type_error};
use crate::handle::{Object, Ref, Type};
use crate::intern;
use crate::native::CompareOp;
use crate::protocol::{call_with_dict, special, special_opt};
use crate::raise;
use crate::singletons::{is_none, is_not_implemented, none, not_implemented};
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

macro_rules! unary {
    ($($function:ident $name:literal;)*) => {$(
        pub(super) fn $function(object: &Object) -> PyResult {
            special(object, intern!($name), &[])
        }
    )*};
}

unary! {
    iter_method "__iter__"; await_ "__await__"; aiter "__aiter__"; anext "__anext__"; neg "__neg__"; pos "__pos__";
    abs "__abs__"; invert "__invert__"; int "__int__"; float "__float__"; index "__index__";
}

/// A binary operator: the left operand's method, unless the right one's type is a subclass that
/// overrides the reflected method; then the other (language reference, "Emulating numeric types").
fn binary(
    left: &Object,
    right: &Object,
    slot: *const c_void,
    id: i32,
    name: &'static Str,
    reflected: &'static Str,
) -> PyResult {
    let ours = |object: &Object| core::ptr::eq(super::get_slot(object.ty(), id), slot);
    let mut try_right = !left.ty().is(right.ty()) && ours(right);
    if ours(left) {
        if try_right && right.ty().is_subtype(left.ty()) && overrides(left, right, reflected) {
            let result = maybe(right, reflected, left)?;
            if !is_not_implemented(&result) {
                return Ok(result);
            }
            try_right = false;
        }
        let result = maybe(left, name, right)?;
        if !is_not_implemented(&result) || right.ty().is(left.ty()) {
            return Ok(result);
        }
    }
    if try_right { maybe(right, reflected, left) } else { Ok(not_implemented().new_ref()) }
}

fn maybe(object: &Object, name: &Str, other: &Object) -> PyResult {
    Ok(special_opt(object, name, &[other])?.unwrap_or_else(|| not_implemented().new_ref()))
}

fn overrides(left: &Object, right: &Object, name: &Str) -> bool {
    let (a, b) = (right.ty().lookup_ptr(name), left.ty().lookup_ptr(name));
    !a.is_null() && a != b
}

macro_rules! binary {
    ($($function:ident $id:ident $name:literal $reflected:literal;)*) => {$(
        pub(super) fn $function(left: &Object, right: &Object) -> PyResult {
            binary(left, right, crate::native::$function($function).function, $id, intern!($name), intern!($reflected))
        }
    )*};
}

binary! {
    nb_add Py_nb_add "__add__" "__radd__";
    nb_subtract Py_nb_subtract "__sub__" "__rsub__";
    nb_multiply Py_nb_multiply "__mul__" "__rmul__";
    nb_remainder Py_nb_remainder "__mod__" "__rmod__";
    nb_divmod Py_nb_divmod "__divmod__" "__rdivmod__";
    nb_lshift Py_nb_lshift "__lshift__" "__rlshift__";
    nb_rshift Py_nb_rshift "__rshift__" "__rrshift__";
    nb_and Py_nb_and "__and__" "__rand__";
    nb_xor Py_nb_xor "__xor__" "__rxor__";
    nb_or Py_nb_or "__or__" "__ror__";
    nb_floor_divide Py_nb_floor_divide "__floordiv__" "__rfloordiv__";
    nb_true_divide Py_nb_true_divide "__truediv__" "__rtruediv__";
    nb_matrix_multiply Py_nb_matrix_multiply "__matmul__" "__rmatmul__";
}

/// The C function of an in-place operator, which has no reflected form.
macro_rules! method_binary {
    ($name:literal) => {{
        fn method(object: &crate::Object, other: &crate::Object) -> crate::PyResult {
            crate::protocol::special(object, crate::intern!($name), &[other])
        }
        crate::native::nb_inplace_add(method).function
    }};
}
pub(super) use method_binary;

pub(super) fn power(base: &Object, exponent: &Object, modulus: &Object) -> PyResult {
    let slot = crate::native::nb_power(power).function;
    if is_none(modulus) {
        return binary(base, exponent, slot, Py_nb_power, intern!("__pow__"), intern!("__rpow__"));
    }
    // With a modulus the left operand's method is asked first, then the right one's reflected one.
    if core::ptr::eq(super::get_slot(base.ty(), Py_nb_power), slot) {
        let result = special_opt(base, intern!("__pow__"), &[exponent, modulus])?;
        if let Some(result) = result.filter(|result| !is_not_implemented(result)) {
            return Ok(result);
        }
    }
    if core::ptr::eq(super::get_slot(exponent.ty(), Py_nb_power), slot)
        && let Some(result) = special_opt(exponent, intern!("__rpow__"), &[base, modulus])?
    {
        return Ok(result);
    }
    Ok(not_implemented().new_ref())
}

/// `__ipow__` takes one argument: the slot's third is ignored.
pub(super) const fn inplace_power() -> *mut c_void {
    fn method(object: &Object, other: &Object, _: &Object) -> PyResult {
        special(object, intern!("__ipow__"), &[other])
    }
    crate::native::nb_power(method).function
}

pub(super) fn repr(object: &Object) -> PyResult {
    match special_opt(object, intern!("__repr__"), &[])? {
        Some(text) => Ok(text),
        None => crate::protocol::default_repr(object),
    }
}

pub(super) fn str(object: &Object) -> PyResult {
    special(object, intern!("__str__"), &[])
}

pub(super) fn hash(object: &Object) -> PyResult<isize> {
    let method = object.ty().lookup(intern!("__hash__")).filter(|method| !is_none(method));
    let Some(method) = method else { return Err(crate::protocol::unhashable(object)) };
    let value = crate::protocol::call_unbound(&method, object, &[])?;
    let Some(int) = value.downcast::<crate::int::Int>() else {
        return Err(type_error("__hash__ method should return an integer"));
    };
    // Values that do not fit are reduced as ints are hashed.
    let hash = match int.to_i64() {
        Some(value) => value as isize,
        None => crate::protocol::hash_big(int),
    };
    Ok(if hash == -1 { -2 } else { hash })
}

pub(super) fn call(object: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let Some(method) = object.ty().lookup(intern!("__call__")) else {
        return Err(raise!(PyExc_TypeError, "'{}' object is not callable", object.ty().message_name()));
    };
    crate::protocol::call_unbound_with_dict(&method, object, args, kwargs)
}

pub(super) fn richcompare(object: &Object, other: &Object, op: CompareOp) -> PyResult {
    let name = match op {
        CompareOp::Lt => intern!("__lt__"),
        CompareOp::Le => intern!("__le__"),
        CompareOp::Eq => intern!("__eq__"),
        CompareOp::Ne => intern!("__ne__"),
        CompareOp::Gt => intern!("__gt__"),
        CompareOp::Ge => intern!("__ge__"),
    };
    let Some(method) = object.ty().lookup(name) else { return Ok(not_implemented().new_ref()) };
    if crate::protocol::is_plain_method(&method) {
        return crate::protocol::recursive("", || crate::protocol::call_unbound(&method, object, &[other]));
    }
    // A descriptor that cannot give its method counts as having none.
    match crate::instance::bind_descriptor(&method, object, object.ty()) {
        Ok(bound) => crate::protocol::recursive("", || bound.call(&[other])),
        Err(error) => {
            error.allow::<()>(&PyExc_AttributeError)?;
            Ok(not_implemented().new_ref())
        }
    }
}

pub(super) fn iter(object: &Object) -> PyResult {
    let Some(method) = object.ty().lookup(intern!("__iter__")) else {
        return if object.ty().lookup_ptr(intern!("__getitem__")).is_null() {
            Err(not_iterable(object))
        } else {
            crate::protocol::sequence_iterator(object)
        };
    };
    if is_none(&method) {
        return Err(not_iterable(object));
    }
    iter_method(object)
}

fn not_iterable(object: &Object) -> err::PyErr {
    raise!(PyExc_TypeError, "'{}' object is not iterable", object.ty().message_name())
}

pub(super) fn iternext(object: &Object) -> PyResult<Option<Ref>> {
    match special(object, intern!("__next__"), &[]) {
        Ok(item) => Ok(Some(item)),
        // The end of the iteration may keep its exception: the indicator says so to C.
        Err(error) => Err(error),
    }
}

pub(super) fn descr_get(object: &Object, instance: Option<&Object>, owner: Option<&Object>) -> PyResult {
    let Some(method) = object.ty().lookup(intern!("__get__")) else { return Ok(object.new_ref()) };
    method.call(&[object, instance.unwrap_or(none()), owner.unwrap_or(none())])
}

pub(super) fn descr_set(object: &Object, instance: &Object, value: Option<&Object>) -> PyResult<()> {
    match value {
        Some(value) => special(object, intern!("__set__"), &[instance, value])?,
        None => special(object, intern!("__delete__"), &[instance])?,
    };
    Ok(())
}

pub(super) fn init(object: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let Some(method) = object.ty().lookup(intern!("__init__")) else { return Ok(()) };
    let result = crate::protocol::call_unbound_with_dict(&method, object, args, kwargs)?;
    if is_none(&result) {
        return Ok(());
    }
    Err(raise!(PyExc_TypeError, "__init__() should return None, not '{}'", result.ty().message_name()))
}

pub(super) fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let function = ty.getattr(intern!("__new__"))?;
    let mut all = vec![ty.new_ref()];
    all.extend(args.items().iter().map(|arg| arg.new_ref()));
    call_with_dict(&function, &*Tuple::from_vec(all)?, kwargs)
}

pub(super) fn finalize(object: &Object) {
    let Some(method) = object.ty().lookup(intern!("__del__")) else { return };
    if let Err(error) = crate::protocol::call_unbound(&method, object, &[]) {
        err::write_unraisable_at(error, "Exception ignored while calling deallocator", &method);
    }
}

pub(super) fn bool(object: &Object) -> PyResult<bool> {
    let (method, by_length) = match object.ty().lookup(intern!("__bool__")) {
        Some(method) => (method, false),
        None => match object.ty().lookup(intern!("__len__")) {
            Some(method) => (method, true),
            None => return Ok(true),
        },
    };
    let value = crate::protocol::call_unbound(&method, object, &[])?;
    if by_length {
        return Ok(crate::protocol::checked_length(&value)? != 0);
    }
    crate::singletons::as_bool(&value).ok_or_else(|| {
        raise!(PyExc_TypeError, "__bool__ should return bool, returned {}", value.ty().message_name())
    })
}

pub(super) fn len(object: &Object) -> PyResult<isize> {
    crate::protocol::checked_length(&*special(object, intern!("__len__"), &[])?)
}

pub(super) fn subscript(object: &Object, key: &Object) -> PyResult {
    special(object, intern!("__getitem__"), &[key])
}

pub(super) fn ass_subscript(object: &Object, key: &Object, value: Option<&Object>) -> PyResult<()> {
    match value {
        Some(value) => special(object, intern!("__setitem__"), &[key, value])?,
        None => special(object, intern!("__delitem__"), &[key])?,
    };
    Ok(())
}

pub(super) fn item(object: &Object, index: isize) -> PyResult {
    subscript(object, &crate::int::Int::from_isize(index))
}

pub(super) fn ass_item(object: &Object, index: isize, value: Option<&Object>) -> PyResult<()> {
    ass_subscript(object, &crate::int::Int::from_isize(index), value)
}

pub(super) fn contains(object: &Object, item: &Object) -> PyResult<bool> {
    match object.ty().lookup(intern!("__contains__")) {
        Some(method) if is_none(&method) => {
            Err(raise!(PyExc_TypeError, "'{}' object is not a container", object.ty().message_name()))
        }
        Some(method) => crate::protocol::call_unbound(&method, object, &[item])?.is_true(),
        None => crate::protocol::contains_by_iteration(object, item),
    }
}

pub(super) fn setattro(object: &Object, name: &Object, value: Option<&Object>) -> PyResult<()> {
    match value {
        Some(value) => special(object, intern!("__setattr__"), &[name, value])?,
        None => special(object, intern!("__delattr__"), &[name])?,
    };
    Ok(())
}

/// `tp_getattro` of a class that overrides `__getattribute__` only.
pub(super) unsafe extern "C" fn slot_getattro(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot contract.
    let (object, name) = unsafe { (Object::borrow(object), Object::borrow(name)) };
    crate::native::ret(special(object, intern!("__getattribute__"), &[name]))
}

/// `tp_getattro` of a class with `__getattr__`: that is asked when the ordinary look-up fails.
pub(super) unsafe extern "C" fn slot_getattr_hook(
    object: *mut PyObject,
    name: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    let (object, name) = unsafe { (Object::borrow(object), Object::borrow(name)) };
    crate::native::ret(getattr_hook(object, name))
}

fn getattr_hook(object: &Object, name: &Object) -> PyResult {
    let ty = object.ty();
    let Some(hook) = ty.lookup(intern!("__getattr__")) else {
        return special(object, intern!("__getattribute__"), &[name]);
    };
    let found = match ty.lookup(intern!("__getattribute__")) {
        Some(method) if !crate::descr::is_generic_getattribute(&method) => {
            match crate::protocol::call_unbound(&method, object, &[name]) {
                Ok(value) => Some(value),
                Err(error) => error.allow(&PyExc_AttributeError)?,
            }
        }
        _ => crate::instance::generic_getattr_opt(object, name)?,
    };
    match found {
        Some(value) => Ok(value),
        None => crate::protocol::call_unbound(&hook, object, &[name]),
    }
}

/// `bf_getbuffer` of a class with `__buffer__` (PEP 688).
pub(super) unsafe extern "C" fn slot_getbuffer(
    object: *mut PyObject,
    view: *mut Py_buffer,
    flags: c_int,
) -> c_int {
    // SAFETY: slot contract.
    let instance = unsafe { Object::borrow(object) };
    let result = (|| {
        let flags_object = crate::int::Int::from_i64(i64::from(flags));
        let memory = special(instance, intern!("__buffer__"), &[&flags_object])?;
        if !memory.is_exact(&PyMemoryView_Type) {
            return Err(raise!(PyExc_TypeError, "__buffer__ returned non-memoryview object"));
        }
        // SAFETY: a memoryview exports its buffer through its own slot; the consumer's view keeps it.
        unsafe {
            let get = (*memory.ty().raw()).tp_as_buffer.as_ref().and_then(|table| table.bf_getbuffer);
            match get {
                Some(get) if get(memory.as_ptr(), view, flags) == 0 => Ok(()),
                _ => Err(err::fetch()),
            }
        }
    })();
    crate::native::ret_int(result)
}

/// `bf_releasebuffer` of a class with `__release_buffer__`.
pub(super) unsafe extern "C" fn slot_releasebuffer(object: *mut PyObject, view: *mut Py_buffer) {
    // SAFETY: slot contract: the exporter of the view is the memoryview that `__buffer__` gave.
    unsafe {
        let instance = Object::borrow(object);
        let Some(exporter) = Object::borrow_opt((*view).obj) else { return };
        if let Err(error) = special_opt(instance, intern!("__release_buffer__"), &[exporter]) {
            let message =
                format!("Exception ignored in bf_releasebuffer of {}", instance.ty().message_name());
            err::write_unraisable_text(error, &message);
        }
    }
}
