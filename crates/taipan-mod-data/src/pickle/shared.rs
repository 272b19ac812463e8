//! What all picklers of an interpreter share: the exception classes and the tables of `copyreg` and
//! `_compat_pickle`.

use core::cell::OnceCell;
use taipan_object::dict::Dict;
use taipan_object::statics::{PyExc_Exception, PyExc_ModuleNotFoundError, PyType_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, intern, state};

/// The shared objects.
pub struct Shared {
    pub pickle_error: Ref<Type>,
    pub pickling_error: Ref<Type>,
    pub unpickling_error: Ref<Type>,
    /// `copyreg.dispatch_table`.
    pub dispatch_table: Ref<Dict>,
    /// `copyreg._extension_registry`: (module, name) to code.
    pub extension_registry: Ref<Dict>,
    /// `copyreg._inverted_registry`: code to (module, name).
    pub inverted_registry: Ref<Dict>,
    /// `copyreg._extension_cache`: code to object.
    pub extension_cache: Ref<Dict>,
    pub name_2to3: Ref<Dict>,
    pub import_2to3: Ref<Dict>,
    pub name_3to2: Ref<Dict>,
    pub import_3to2: Ref<Dict>,
    pub codecs_encode: Ref,
    pub partial: Ref,
    pub getattr: Ref,
}

#[derive(Default)]
struct Place(OnceCell<Shared>);

/// Imports a module.
pub fn import(name: &str) -> PyResult {
    (state::interp().hooks.get().import_module)(name)
}

/// Imports a module of any name.
///
/// # Errors
/// `ValueError` for no name; what the import raises.
pub fn import_named(name: &Str) -> PyResult {
    if name.is_empty() {
        return Err(err::value_error("Empty module name"));
    }
    match name.as_utf8() {
        Some(name) => import(name),
        // No file has such a name, but a program may have registered a module under it.
        None => state::interp().modules.get_str(name)?.ok_or_else(|| {
            PyErr::new(&PyExc_ModuleNotFoundError, &format!("No module named {}", name.repr_lossy()))
        }),
    }
}

fn class(name: &str, base: &Type) -> PyResult<Ref<Type>> {
    let bases = Tuple::from_array([base.new_ref()])?;
    let namespace = Dict::new()?;
    namespace.set_str(intern!("__module__"), intern!("_pickle"))?;
    PyType_Type
        .call(&[&*Str::from_utf8(name)?, &*bases, &*namespace])?
        .downcast_owned()
        .map_err(|_| err::system_error("type() gave no type"))
}

fn table(module: &Object, shown: &str, name: &Str) -> PyResult<Ref<Dict>> {
    module.getattr(name)?.downcast_owned().map_err(|value| {
        err::runtime_error(&format!("{shown} should be a dict, not {}", value.ty().message_name()))
    })
}

fn make() -> PyResult<Shared> {
    let copyreg = import("copyreg")?;
    let compat = import("_compat_pickle")?;
    let pickle_error = class("PickleError", &PyExc_Exception)?;
    Ok(Shared {
        pickling_error: class("PicklingError", &pickle_error)?,
        unpickling_error: class("UnpicklingError", &pickle_error)?,
        pickle_error,
        dispatch_table: table(&copyreg, "copyreg.dispatch_table", intern!("dispatch_table"))?,
        extension_registry: table(&copyreg, "copyreg._extension_registry", intern!("_extension_registry"))?,
        inverted_registry: table(&copyreg, "copyreg._inverted_registry", intern!("_inverted_registry"))?,
        extension_cache: table(&copyreg, "copyreg._extension_cache", intern!("_extension_cache"))?,
        name_2to3: table(&compat, "_compat_pickle.NAME_MAPPING", intern!("NAME_MAPPING"))?,
        import_2to3: table(&compat, "_compat_pickle.IMPORT_MAPPING", intern!("IMPORT_MAPPING"))?,
        name_3to2: table(&compat, "_compat_pickle.REVERSE_NAME_MAPPING", intern!("REVERSE_NAME_MAPPING"))?,
        import_3to2: table(
            &compat,
            "_compat_pickle.REVERSE_IMPORT_MAPPING",
            intern!("REVERSE_IMPORT_MAPPING"),
        )?,
        codecs_encode: import("codecs")?.getattr(intern!("encode"))?,
        partial: import("functools")?.getattr(intern!("partial"))?,
        getattr: import("builtins")?.getattr(intern!("getattr"))?,
    })
}

/// The shared objects, made on first use.
///
/// # Errors
/// What the imports raise.
pub fn get() -> PyResult<&'static Shared> {
    let place = &state::interp().extension(Place::default).0;
    if place.get().is_none() {
        let made = make()?;
        // Whoever came first while the imports ran is as good.
        let _ = place.set(made);
    }
    place.get().ok_or_else(|| err::system_error("the state of _pickle is missing"))
}

/// A `PicklingError`.
#[cold]
pub fn pickling_error(message: &str) -> PyErr {
    get().map_or_else(|error| error, |shared| PyErr::new(&shared.pickling_error, message))
}

/// An `UnpicklingError`.
#[cold]
pub fn unpickling_error(message: &str) -> PyErr {
    get().map_or_else(|error| error, |shared| PyErr::new(&shared.unpickling_error, message))
}

/// Adds a note to an error: what was being pickled.
#[cold]
pub fn with_note(error: PyErr, note: &str) -> PyErr {
    // Without the note the error is still the error.
    if let Ok(note) = Str::from_utf8(note) {
        let _ = error.exception().call_method(intern!("add_note"), &[&note]);
    }
    error
}

/// Follows a dotted path of attributes.
///
/// # Errors
/// What the attributes raise.
pub fn walk(object: &Object, path: &[Ref<Str>]) -> PyResult {
    let mut found = object.new_ref();
    for name in path {
        found = found.getattr(name)?;
    }
    Ok(found)
}

/// The parts of a dotted name.
///
/// # Errors
/// `MemoryError`.
pub fn dotted(name: &Str) -> PyResult<Vec<Ref<Str>>> {
    let points: Vec<u32> = name.code_points().collect();
    points.split(|&c| c == u32::from(b'.')).map(Str::from_code_points).collect()
}
