//! `int`, `bool`, `float` and `complex` as Python sees them: constructors, operators, methods,
//! formats and messages, around the kernels of `taipan-num`.
//!
//! Each type is a folder that ends in one `SPEC`; [`install`] puts them into the type objects.

pub mod bool;
pub mod complex;
pub mod float;
pub mod format;
pub mod int;
pub mod text;

pub use int::{int_from_object, int_from_str};

use taipan_object::PyResult;
use taipan_object::typeobject::install as install_type;

/// Makes the number types useful.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    for spec in [&int::SPEC, &bool::SPEC, &float::SPEC, &complex::SPEC] {
        install_type(spec)?;
    }
    Ok(())
}
