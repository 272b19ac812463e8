//! What Python sees of the types that everything else is made with: `object`, `type`, exceptions,
//! `property` and its kin, modules, weak references, the singletons, generic aliases and unions.
//!
//! Each type is a folder or file that ends in a `SPEC`, its table of slots, methods and attributes;
//! [`install`] fills the type objects from these tables, bases first.
//!
//! This is an unsafe district: the types' C layouts are read and written here.

#![allow(non_upper_case_globals, reason = "slot numbers and flags keep CPython's names, also in patterns")]

mod arguments;
pub mod capsule;
pub mod contextvars;
pub mod exceptions;
pub mod generic_alias;
pub mod module;
pub mod object;
pub mod property;
pub mod singletons;
pub mod super_object;
pub mod template;
pub mod typeobj;
pub mod typevars;
pub mod union;
mod util;
pub mod weakrefs;
pub mod wrappers;

use taipan_object::{PyResult, typeobject};

/// Fills `object` and `type`, from which everything else inherits.
///
/// # Errors
/// `MemoryError`.
pub fn install_roots() -> PyResult<()> {
    typeobject::install(&object::SPEC)?;
    typeobject::install(&typeobj::SPEC)
}

/// Fills the other types of this crate, after the roots and the descriptors.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    exceptions::install()?;
    for spec in
        [&wrappers::CLASSMETHOD, &wrappers::STATICMETHOD, &property::SPEC, &super_object::SPEC, &module::SPEC]
            .into_iter()
            .chain(&singletons::SPECS)
            .chain([&weakrefs::REFERENCE])
            .chain(&weakrefs::PROXIES)
            .chain([&generic_alias::SPEC, &generic_alias::ITERATOR_SPEC, &union::SPEC, &capsule::SPEC])
    {
        typeobject::install(spec)?;
    }
    typevars::install()?;
    template::install()?;
    contextvars::install()
}
