//! `str`, `bytes`, `bytearray`, `memoryview` and their iterators as Python sees them.
//!
//! Each type is a folder that ends in one `SPEC`; [`install`] puts them into the type objects.

#![recursion_limit = "512"]

pub mod bytes;
pub mod memory;
mod percent;
pub mod str;
mod util;

use taipan_object::PyResult;
use taipan_object::typeobject::install as install_type;

/// Makes the text types useful.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    for spec in [
        &str::SPEC,
        &str::ITER_SPEC,
        &str::ASCII_ITER_SPEC,
        &bytes::BYTES_SPEC,
        &bytes::BYTEARRAY_SPEC,
        &bytes::BYTES_ITER_SPEC,
        &bytes::BYTEARRAY_ITER_SPEC,
        &memory::SPEC,
        &memory::MANAGED_SPEC,
        &memory::ITER_SPEC,
    ] {
        install_type(spec)?;
    }
    Ok(())
}
