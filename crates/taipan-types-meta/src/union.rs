//! `typing.Union`: `X | Y` (PEP 604).

use taipan_object::{Object, PyResult, singletons};

/// `left | right` where one of them is a class.
pub(crate) fn or(_: &Object, _: &Object) -> PyResult {
    Ok(singletons::not_implemented().new_ref())
}
