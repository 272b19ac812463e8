//! `import` statements.

use crate::frame::Frame;
use taipan_object::dict::Dict;
use taipan_object::err;
use taipan_object::protocol;
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, instance, intern, raise, state};

/// `IMPORT_NAME`: calls `builtins.__import__`.
///
/// # Errors
/// What the import raises.
pub fn import_name(frame: *mut Frame, index: usize, level: &Object, from: &Object) -> PyResult {
    // SAFETY: the running frame is live.
    unsafe {
        let name: &Str = Frame::code(frame).names().items()[index].cast();
        let builtins = Object::borrow((*frame).f_builtins);
        let function = super::names::mapping_get(builtins, intern!("__import__"))?;
        let Some(function) = function else { return Err(err::import_error("__import__ not found")) };
        let locals = Object::borrow_opt((*frame).f_locals).unwrap_or(none());
        function.call(&[name, Object::borrow((*frame).f_globals), locals, from, level])
    }
}

/// `from module import name`.
///
/// # Errors
/// `ImportError` with CPython's hints about where the module came from.
pub fn import_from(module: &Object, name: &Str) -> PyResult {
    if let Some(found) = module.getattr_opt(name)? {
        return Ok(found);
    }
    // A submodule that is being imported may stand in sys.modules already.
    let package = module.getattr_opt(intern!("__name__"))?;
    let package = package.as_ref().and_then(|name| name.downcast::<Str>());
    if let Some(package) = package {
        let full = Str::from_utf8(&format!("{}.{}", package.to_lossy(), name.to_lossy()))?;
        if let Some(found) = state::interp().modules.get_str(&full)? {
            return Ok(found);
        }
    }
    Err(cannot_import(module, name, package))
}

#[cold]
fn cannot_import(module: &Object, name: &Str, package: Option<&Str>) -> PyErr {
    let shown = package.map_or_else(|| "<unknown module name>".to_owned(), Str::to_lossy);
    let origin = module
        .getattr_opt(intern!("__file__"))
        .ok()
        .flatten()
        .and_then(|file| file.downcast_owned::<Str>().ok());
    let initializing = module
        .getattr_opt(intern!("__spec__"))
        .ok()
        .flatten()
        .and_then(|spec| spec.getattr_opt(intern!("_initializing")).ok().flatten())
        .is_some_and(|flag| flag.is_true().unwrap_or(false));
    let place = origin.as_ref().map_or_else(|| "unknown location".to_owned(), |file| file.to_lossy());
    let circular = if initializing { "partially initialized module " } else { "" };
    let hint = if initializing { "most likely due to a circular import) (" } else { "" };
    let quoted = if package.is_some() { format!("'{shown}'") } else { shown };
    let error = raise!(
        PyExc_ImportError,
        "cannot import name '{}' from {circular}{quoted} ({hint}{place})",
        name.to_lossy()
    );
    if error.is(&PyExc_ImportError) {
        // SAFETY: instances of ImportError have these fields.
        unsafe {
            use taipan_object::handle::set_field;
            let raw = error.exception().as_ptr().cast::<taipan_abi::PyImportErrorObject>();
            set_field(&raw mut (*raw).name, package.map(|p| p.new_ref()));
            set_field(&raw mut (*raw).path, origin.map(Ref::upcast));
            set_field(&raw mut (*raw).name_from, Some(name.new_ref()));
        }
    }
    error
}

/// `from module import *`.
///
/// # Errors
/// What reading the module's names raises.
pub fn import_star(frame: *mut Frame, module: &Object) -> PyResult<()> {
    let locals = crate::ops::load_locals(frame)?;
    let listed = module.getattr_opt(intern!("__all__"))?;
    let skip_private = listed.is_none();
    let names = match listed {
        Some(all) => all,
        None => match instance::dict_of(module)? {
            Some(dict) => dict.call_method(intern!("keys"), &[])?,
            None => return Err(err::import_error("from-import-* object has no __dict__ and no __all__")),
        },
    };
    let names = protocol::to_vec(&names)?;
    for name in names {
        let Some(text) = name.downcast::<Str>() else {
            let (kind, place) = if skip_private { ("Key", "__dict__") } else { ("Item", "__all__") };
            let owner = module.getattr(intern!("__name__"))?;
            return Err(raise!(
                PyExc_TypeError,
                "{kind} in {}.{place} must be str, not {}",
                owner.str_lossy(),
                name.ty().message_name()
            ));
        };
        if skip_private && text.to_lossy().starts_with('_') {
            continue;
        }
        let value = module.getattr(text)?;
        match locals.downcast::<Dict>().filter(|dict| dict.is_exact(&PyDict_Type)) {
            Some(dict) => dict.set_str(text, &value)?,
            None => protocol::set_item(&locals, text, &value)?,
        }
    }
    Ok(())
}
