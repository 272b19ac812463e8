//! Importing: native modules by their table, and what is already in `sys.modules`.
//!
//! The library's own `importlib` will take over as soon as the modules that it stands on are there;
//! until then only native modules can be imported, and everything else is `ModuleNotFoundError`.

use taipan_object::err::{import_error, value_error};
use taipan_object::module::{self, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, raise, state};

/// The native modules of this program; `taipan-stdlib` hands the table over at start-up.
pub struct NativeModules(pub &'static [&'static ModuleSpec]);

/// A module by its absolute name.
///
/// # Errors
/// `ModuleNotFoundError`; what the module's own code raises.
pub fn import_module(name: &str) -> PyResult {
    let key = Str::from_utf8(name)?;
    let modules = &state::interp().modules;
    if let Some(found) = modules.get_str(&key)? {
        if taipan_object::singletons::is_none(&found) {
            return Err(not_found(&format!("import of {name} halted; None in sys.modules"), name));
        }
        return Ok(found);
    }
    let table: &'static NativeModules = state::interp().extension(|| NativeModules(&[]));
    let Some(spec) = table.0.iter().find(|spec| spec.name == name) else {
        return Err(not_found(&format!("No module named '{name}'"), name));
    };
    let made = module::create(spec)?.upcast();
    modules.set_text(name, &made)?;
    Ok(made)
}

#[cold]
fn not_found(message: &str, name: &str) -> PyErr {
    let error = raise!(PyExc_ModuleNotFoundError, "{message}");
    if error.is(&PyExc_ImportError)
        && let Ok(name) = Str::from_utf8(name)
    {
        // SAFETY is not needed: the attribute is set the ordinary way.
        let _ = error.exception().setattr(taipan_object::intern!("name"), Some(&name));
    }
    error
}

/// `builtins.__import__`.
pub(crate) fn builtin_import(_: &Object, args: &Args<'_>) -> PyResult {
    let Some(name) = args.required(0).downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__import__() argument 1 must be str, not {}",
            args.required(0).ty().message_name()
        ));
    };
    let level = args.i32_or(4, 0)?;
    if level < 0 {
        return Err(value_error("level must be >= 0"));
    }
    if level > 0 {
        return Err(import_error("attempted relative import with no known parent package"));
    }
    let name = name.to_utf8()?;
    if name.is_empty() {
        return Err(value_error("Empty module name"));
    }
    let module = import_module(name)?;
    let wants_leaf = match args.get_some(3) {
        Some(from) => from.is_true()?,
        None => false,
    };
    match name.split_once('.') {
        Some((top, _)) if !wants_leaf => import_module(top),
        _ => Ok(module),
    }
}

/// `sys.builtin_module_names`.
pub fn native_names(table: &'static [&'static ModuleSpec]) -> PyResult<Ref<Tuple>> {
    let mut names: Vec<&str> = table.iter().map(|spec| spec.name).collect();
    names.sort_unstable();
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        all.push(Str::from_utf8(name)?.upcast());
    }
    Tuple::from_vec(all)
}
