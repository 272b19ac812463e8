//! What the modules of this room share.

use taipan_object::module::Module;
use taipan_object::typeobject::install;
use taipan_object::{PyResult, Type, TypeSpec, abi};

/// Makes a class ready, once per process, and adds it to its module.
///
/// # Errors
/// `MemoryError`.
pub fn add_type(module: &Module, name: &str, spec: &'static TypeSpec) -> PyResult<()> {
    if !spec.ty.has_flag(abi::Py_TPFLAGS_READY) {
        install(spec)?;
    }
    let ty: &Type = spec.ty;
    module.add(name, ty)
}
