//! Module objects, and how a native module is declared.
//!
//! A native module is a [`ModuleSpec`]: its name, its documentation, a `methods!` table whose
//! functions take the module as first argument, and a function that puts everything else in. The
//! table of all native modules (`taipan-stdlib`) lists the specs; importing one calls [`create`].

use crate::alloc;
use crate::callable;
use crate::dict::Dict;
use crate::err::PyResult;
use crate::gc;
use crate::handle::{Object, Ref};
use crate::intern;
use crate::layout;
use crate::native::{MethodRow, method_ptr};
use crate::singletons::none;
use crate::statics::PyModule_Type;
use crate::unicode::Str;
use core::ffi::CStr;
use taipan_abi::PyModuleObject;

layout!(
    /// A module.
    Module, PyModuleObject, "module", |o| o.ty().is_subtype(&PyModule_Type)
);

/// A native module.
pub struct ModuleSpec {
    pub name: &'static str,
    pub doc: &'static str,
    pub methods: &'static [MethodRow],
    /// Adds types, constants and state; runs once per interpreter.
    pub init: fn(&Module) -> PyResult<()>,
}

impl Module {
    /// A new, empty module with the attributes that every module has.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(name: &Str, doc: Option<&str>) -> PyResult<Ref<Module>> {
        let object = alloc::alloc_object(&PyModule_Type, 0)?;
        let dict = Dict::new()?;
        dict.set_str(intern!("__name__"), name)?;
        match doc {
            Some(doc) => dict.set_str(intern!("__doc__"), &*Str::from_utf8(doc)?)?,
            None => dict.set_str(intern!("__doc__"), none())?,
        }
        for name in [intern!("__package__"), intern!("__loader__"), intern!("__spec__")] {
            dict.set_str(name, none())?;
        }
        // SAFETY: fresh memory of this layout.
        unsafe {
            let raw = object.raw_as::<PyModuleObject>();
            (*raw).md_dict = dict.into_ptr();
            (*raw).md_name = name.new_ref().into_ptr();
            gc::track(&object);
            Ok(object.cast_owned())
        }
    }

    /// The module's namespace.
    pub fn dict(&self) -> &Dict {
        // SAFETY: set at creation, always a dict.
        unsafe { Object::borrow((*self.raw()).md_dict).cast() }
    }

    /// Adds a value.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn add(&self, name: &str, value: &Object) -> PyResult<()> {
        self.dict().set_text(name, value)
    }

    /// Adds the functions of a table.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn add_functions(&self, rows: &'static [MethodRow]) -> PyResult<()> {
        // SAFETY: rows are static; names are null-terminated.
        unsafe {
            let module = Object::borrow((*self.raw()).md_name);
            for row in rows {
                let name = CStr::from_ptr((*method_ptr(row)).ml_name).to_str().unwrap_or("?");
                let function = callable::new_cfunction(method_ptr(row), Some(self), Some(module), None)?;
                self.add(name, &function)?;
            }
        }
        Ok(())
    }
}

/// Makes a native module.
///
/// # Errors
/// What its `init` raises.
pub fn create(spec: &'static ModuleSpec) -> PyResult<Ref<Module>> {
    let name = Str::from_utf8(spec.name)?;
    // The functions of these two do not share the name with the types beside them: pickles show it.
    let first = matches!(spec.name, "builtins" | "sys");
    let name = if first { name } else { crate::unicode::intern(name) };
    let module = Module::new(&name, Some(spec.doc))?;
    module.add_functions(spec.methods)?;
    (spec.init)(&module)?;
    Ok(module)
}
