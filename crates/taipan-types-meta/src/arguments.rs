//! Messages of argument checks that several functions share.

use taipan_object::statics::PyExc_TypeError;
use taipan_object::{Layout, Object, PyResult, raise, singletons};

/// The type of a value as argument messages name it: `None` for the one instance of its type.
pub(crate) fn type_name(value: &Object) -> &str {
    if singletons::is_none(value) { "None" } else { value.ty().message_name() }
}

/// An argument of a certain type, or `f() argument N must be T, not X`.
pub(crate) fn typed<'a, T: Layout>(function: &str, place: usize, value: &'a Object) -> PyResult<&'a T> {
    value.downcast::<T>().ok_or_else(|| {
        raise!(PyExc_TypeError, "{function} argument {place} must be {}, not {}", T::NAME, type_name(value))
    })
}
