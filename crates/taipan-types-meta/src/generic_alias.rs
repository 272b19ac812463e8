//! `types.GenericAlias`.

use taipan_object::{Object, PyResult};

/// `origin[item]` of a generic class.
///
/// # Errors
/// `MemoryError`.
pub fn new(origin: &Object, _: &Object) -> PyResult {
    Ok(origin.new_ref())
}
