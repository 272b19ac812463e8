//! Small things that several types of this crate need.

use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::native::{GetSetRow, from_c, getset_row};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, alloc, instance, raise};

/// A new instance of `ty` through its `tp_alloc`.
pub(crate) fn allocate(ty: &Type) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        match (*ty.raw()).tp_alloc {
            Some(alloc) => from_c(alloc(ty.raw(), 0)),
            None => alloc::generic_alloc(ty, 0),
        }
    }
}

/// Whether a call passes anything at all.
pub(crate) fn has_arguments(args: &Tuple, kwargs: Option<&Dict>) -> bool {
    !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty())
}

/// Refuses keywords: `X() takes no keyword arguments`.
pub(crate) fn no_keywords(name: &str, kwargs: Option<&Dict>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(raise!(PyExc_TypeError, "{name}() takes no keyword arguments"));
    }
    Ok(())
}

/// `__dict__` of instances that keep theirs at `tp_dictoffset`.
pub(crate) const INSTANCE_DICT: GetSetRow = getset_row(
    c"__dict__",
    |object: &Object| -> PyResult {
        instance::dict_of(object)?
            .map(Ref::upcast)
            .ok_or_else(|| taipan_object::err::attribute_error("This object has no __dict__"))
    },
    c"",
)
.with_setter(|object: &Object, value: Option<&Object>| {
    let Some(value) = value else { return Err(taipan_object::err::type_error("cannot delete __dict__")) };
    let Some(dict) = value.downcast::<Dict>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__dict__ must be set to a dictionary, not a '{}'",
            value.ty().message_name()
        ));
    };
    instance::set_dict(object, Some(dict))?;
    Ok(())
});

/// The object in a field, which holds null or an owned reference.
///
/// # Safety
/// `field` points to a live field that holds null or an object.
pub(crate) unsafe fn field(field: *mut *mut PyObject) -> Option<Ref> {
    // SAFETY: by contract.
    unsafe { Object::borrow_opt(field.read()).map(Object::new_ref) }
}
