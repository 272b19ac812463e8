//! Importing: `__import__`, and how the library's own `importlib` is set up.
//!
//! Problem: the import system is Python code, which must be there before anything can be imported, and
//! `import` of what is loaded already must not pay for it. Idea: `importlib._bootstrap` and
//! `_bootstrap_external` are in the binary as code ([`Frozen`]); they are run at start-up. `__import__`
//! answers from `sys.modules` itself and asks `importlib` for the rest.

use crate::{marshal, to_stderr};
use core::cell::Cell;
use std::time::{Duration, Instant};
use taipan_eval::call;
use taipan_eval::code::Code;
use taipan_object::dict::Dict;
use taipan_object::err::{import_error, key_error, system_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{self, Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise, state};

/// The native modules of this program besides `builtins` and `sys`.
pub struct NativeModules(pub &'static [&'static ModuleSpec]);

/// A module that is in the binary as marshalled code.
pub struct Frozen {
    pub name: &'static str,
    pub data: &'static [u8],
    pub is_package: bool,
    /// The name of the library's module that it is a copy of.
    pub origin: Option<&'static str>,
}

/// How extension modules are made and run, given by the room of the C API.
pub struct DynamicLoader {
    /// Opens the file of a module specification and makes the module.
    pub create: fn(&Object) -> PyResult,
    /// Runs the second phase of a module's initialisation.
    pub exec: fn(&Object) -> PyResult<i32>,
}

/// The frozen modules of this program.
pub struct FrozenModules(pub &'static [Frozen]);

/// A module by its absolute name, the module itself and not its top package.
///
/// # Errors
/// `ModuleNotFoundError`; what the module's own code raises.
pub fn import_module(name: &str) -> PyResult {
    let name = Str::from_utf8(name)?;
    load(&name)
}

/// A native module by its name, without `importlib`.
///
/// # Errors
/// What making it raises; `ModuleNotFoundError` if there is none.
pub(crate) fn import_native(name: &str) -> PyResult {
    let key = Str::from_utf8(name)?;
    let modules = &state::interp().modules;
    if let Some(found) = modules.get_str(&key)? {
        return Ok(found);
    }
    let table: &'static NativeModules = state::interp().extension(|| NativeModules(&[]));
    let Some(spec) = table.0.iter().find(|spec| spec.name == name) else {
        return Err(not_found(&format!("No module named '{name}'"), &key));
    };
    let made = module::create(spec)?.upcast();
    modules.set_str(&key, &made)?;
    Ok(made)
}

/// Runs a frozen module as the module `name` and leaves it in `sys.modules`.
///
/// # Errors
/// What its code raises.
pub(crate) fn run_frozen(frozen: &'static Frozen, name: &str) -> PyResult {
    let code = marshal::loads_own(frozen.data)?;
    let Some(code) = code.downcast::<Code>() else { return Err(system_error("a frozen module is no code")) };
    let name = Str::from_utf8(name)?;
    let module = Module::new(&name, None)?;
    if let Some(builtins) = state::interp().modules.get_text("builtins") {
        module.add("__builtins__", &builtins)?;
    }
    if frozen.is_package {
        module.add("__path__", &*taipan_object::list::List::new()?)?;
    }
    // The library's own fix-up wants to know what the module is a copy of.
    let origin = match frozen.origin {
        Some(origin) => Str::from_utf8(origin)?.upcast(),
        None => none().new_ref(),
    };
    module.add("__origname__", &origin)?;
    state::interp().modules.set_str(&name, &module)?;
    call::run_code(code, module.dict(), None)?;
    Ok(module.upcast())
}

/// Runs `importlib` and lets it take over.
///
/// # Errors
/// What its code raises.
pub fn install_importlib(frozen: &'static [Frozen]) -> PyResult<()> {
    let interp = state::interp();
    interp.extension(|| FrozenModules(frozen));
    let find = |name: &str| {
        frozen
            .iter()
            .find(|module| module.name == name)
            .ok_or_else(|| system_error("importlib is not in the binary"))
    };
    let importlib = run_frozen(find("_frozen_importlib")?, "_frozen_importlib")?;
    let imp = import_native("_imp")?;
    let sys = interp.modules.get_text("sys").unwrap_or_else(taipan_object::singletons::new_none);
    importlib.call_method(intern!("_install"), &[&sys, &imp])?;
    *interp.importlib.borrow_mut() = Some(importlib.clone());
    let builtins = interp.builtins.borrow().clone();
    *interp.import_func.borrow_mut() = builtins.and_then(|builtins| builtins.get_text("__import__"));
    run_frozen(find("_frozen_importlib_external")?, "_frozen_importlib_external")?;
    importlib.call_method(intern!("_install_external_importers"), &[])?;
    // Archives come first among what understands an entry of the path.
    let importer = import_module("zipimport")?.getattr(intern!("zipimporter"))?;
    let Some(hooks) = interp.sysdict.borrow().as_ref().and_then(|sys| sys.get_text("path_hooks")) else {
        return Err(system_error("lost sys.path_hooks"));
    };
    hooks.call_method(intern!("insert"), &[&*Int::from_i64(0), &importer]).map(drop)
}

#[cold]
fn not_found(message: &str, name: &Str) -> PyErr {
    let error = raise!(PyExc_ModuleNotFoundError, "{message}");
    if error.is(&PyExc_ImportError) {
        // Without the attribute the message still names the module.
        let _ = error.exception().setattr(intern!("name"), Some(name));
    }
    error
}

/// `importlib`, and the `__import__` that it is handed.
fn importlib() -> Option<(Ref, Ref)> {
    let interp = state::interp();
    let importlib = interp.importlib.borrow().clone()?;
    let function = interp.import_func.borrow().clone()?;
    Some((importlib, function))
}

/// A module by its absolute name, from `sys.modules` or loaded now.
fn load(name: &Str) -> PyResult {
    let modules = &state::interp().modules;
    if let Some(found) = modules.get_str(name)?
        && !is_none(&found)
    {
        wait_until_complete(&found, name)?;
        if state::interp().import_time.get() > 1 {
            let width = 2 * ImportTimes::get().level.get();
            let name = name.to_lossy();
            to_stderr(&format!("import time: cached    | cached     | {name:>width$}\n"));
        }
        return Ok(found);
    }
    let Some((importlib, function)) = importlib() else { return import_native(&name.to_lossy()) };
    let find = || importlib.call_method(intern!("_find_and_load"), &[name, &function]);
    let found = if state::interp().import_time.get() > 0 { timed(name, find) } else { find() };
    found.map_err(trim_traceback)
}

/// What `-X importtime` has to remember.
#[derive(Default)]
struct ImportTimes {
    /// Imports that are under way.
    level: Cell<usize>,
    /// What the imports within the innermost of them have taken.
    within: Cell<Duration>,
    headed: Cell<bool>,
}

impl ImportTimes {
    fn get() -> &'static ImportTimes {
        state::interp().extension(ImportTimes::default)
    }
}

/// Finds a module and tells how long that took.
fn timed(name: &Str, find: impl FnOnce() -> PyResult) -> PyResult {
    let times = ImportTimes::get();
    if !times.headed.replace(true) {
        to_stderr("import time: self [us] | cumulative | imported package\n");
    }
    let level = times.level.get();
    times.level.set(level + 1);
    let before = times.within.take();
    let begun = Instant::now();
    let found = find();
    let taken = begun.elapsed();
    let own = taken.saturating_sub(times.within.get());
    times.level.set(level);
    times.within.set(before + taken);
    let micros = |time: Duration| time.as_nanos().div_ceil(1000);
    to_stderr(&format!(
        "import time: {:>9} | {:>10} | {:indent$}{}\n",
        micros(own),
        micros(taken),
        "",
        name.to_lossy(),
        indent = 2 * level
    ));
    found
}

/// Another thread may be loading the module: its lock is waited for.
fn wait_until_complete(module: &Object, name: &Str) -> PyResult<()> {
    let Some(spec) = module.getattr_opt(intern!("__spec__"))? else { return Ok(()) };
    if is_none(&spec) {
        return Ok(());
    }
    let Some(initializing) = spec.getattr_opt(intern!("_initializing"))? else { return Ok(()) };
    if initializing.is_true()?
        && let Some((importlib, _)) = importlib()
    {
        importlib.call_method(intern!("_lock_unlock_module"), &[name])?;
    }
    Ok(())
}

/// Takes the frames of `importlib` out of a traceback: all of them from an `ImportError`, otherwise those
/// that end in the function which marks itself for removal.
fn trim_traceback(error: PyErr) -> PyErr {
    let whole = error.is(&PyExc_ImportError);
    let trimmed = || -> PyResult<Option<Ref>> {
        let mut entries: Vec<(Ref, bool, bool)> = Vec::new();
        let mut next = error.exception().traceback();
        while let Some(entry) = next {
            let code = entry.getattr(intern!("tb_frame"))?.getattr(intern!("f_code"))?;
            let (file, name) = (code.getattr(intern!("co_filename"))?, code.getattr(intern!("co_name"))?);
            let text = |object: &Object| object.str_lossy();
            let inside = matches!(
                text(&file).as_str(),
                "<frozen importlib._bootstrap>" | "<frozen importlib._bootstrap_external>"
            );
            let last = inside && text(&name) == "_call_with_frames_removed";
            next = Some(entry.getattr(intern!("tb_next"))?).filter(|next| !is_none(next));
            entries.push((entry, inside, last));
        }
        let mut keep = vec![true; entries.len()];
        let mut at = 0;
        while at < entries.len() {
            if !entries[at].1 {
                at += 1;
                continue;
            }
            let start = at;
            while at < entries.len() && entries[at].1 {
                at += 1;
                // A chunk ends where the frames to remove say so, too.
                if entries[at - 1].2 {
                    break;
                }
            }
            if whole || entries[at - 1].2 {
                keep[start..at].fill(false);
            }
        }
        let mut chain: Option<Ref> = None;
        for (entry, kept) in entries.into_iter().zip(keep).rev().map(|((entry, ..), kept)| (entry, kept)) {
            if kept {
                entry.setattr(intern!("tb_next"), Some(chain.as_deref().unwrap_or(none())))?;
                chain = Some(entry);
            }
        }
        Ok(chain)
    };
    if let Ok(chain) = trimmed() {
        error.exception().set_traceback(chain);
    }
    error
}

/// The package that relative imports of a namespace start from.
fn package_of(globals: Option<&Dict>) -> PyResult<Ref<Str>> {
    let Some(globals) = globals else { return Err(key_error(intern!("'__name__' not in globals"))) };
    let package = globals.get_str(intern!("__package__"))?.filter(|package| !is_none(package));
    let spec = globals.get_str(intern!("__spec__"))?.filter(|spec| !is_none(spec));
    if let Some(package) = package {
        let Ok(package) = package.downcast_owned::<Str>() else {
            return Err(type_error("package must be a string"));
        };
        if let Some(spec) = spec {
            let parent = spec.getattr(intern!("parent"))?;
            if !parent.equals(&package)? {
                let message = format!(
                    "__package__ != __spec__.parent ({} != {})",
                    package.repr_lossy(),
                    parent.repr_lossy()
                );
                (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)?;
            }
        }
        return Ok(package);
    }
    if let Some(spec) = spec {
        return spec
            .getattr(intern!("parent"))?
            .downcast_owned()
            .map_err(|_| type_error("__spec__.parent must be a string"));
    }
    (state::interp().hooks.get().warn)(
        &PyExc_ImportWarning,
        "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
        1,
    )?;
    let Some(name) = globals.get_str(intern!("__name__"))? else {
        return Err(key_error(intern!("'__name__' not in globals")));
    };
    let Ok(name) = name.downcast_owned::<Str>() else { return Err(type_error("__name__ must be a string")) };
    if globals.get_str(intern!("__path__"))?.is_some() {
        return Ok(name);
    }
    match name.to_utf8()?.rsplit_once('.') {
        Some((parent, _)) => Str::from_utf8(parent),
        None => Err(import_error("attempted relative import with no known parent package")),
    }
}

/// The absolute name of a relative import.
fn resolve(name: &Str, globals: Option<&Dict>, level: i32) -> PyResult<Ref<Str>> {
    let package = package_of(globals)?;
    if package.is_empty() {
        return Err(import_error("attempted relative import with no known parent package"));
    }
    let mut base = package.to_utf8()?;
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((parent, _)) => base = parent,
            None => return Err(import_error("attempted relative import beyond top-level package")),
        }
    }
    if name.is_empty() {
        Str::from_utf8(base)
    } else {
        Str::from_utf8(&format!("{base}.{}", name.to_utf8()?))
    }
}

/// What `import` and `from … import` get: PEP 328's `__import__`.
///
/// # Errors
/// `ImportError`, `ValueError`, what the module's code raises.
pub(crate) fn import_level(
    name: &Str,
    globals: Option<&Dict>,
    fromlist: Option<&Object>,
    level: i32,
) -> PyResult {
    if level < 0 {
        return Err(value_error("level must be >= 0"));
    }
    let full = if level > 0 {
        resolve(name, globals, level)?
    } else if name.is_empty() {
        return Err(value_error("Empty module name"));
    } else {
        Ref::of(name)
    };
    let module = load(&full)?;
    if let Some(fromlist) = fromlist
        && fromlist.is_true()?
    {
        if module.getattr_opt(intern!("__path__"))?.is_some()
            && let Some((importlib, function)) = importlib()
        {
            return importlib
                .call_method(intern!("_handle_fromlist"), &[&module, fromlist, &function])
                .map_err(trim_traceback);
        }
        return Ok(module);
    }
    if level > 0 && name.is_empty() {
        return Ok(module);
    }
    if name.code_points().all(|c| c != u32::from(b'.')) {
        return Ok(module);
    }
    let text = name.to_utf8()?;
    let Some((front, _)) = text.split_once('.') else { return Ok(module) };
    if level == 0 {
        return load(&*Str::from_utf8(front)?);
    }
    // `from`-less relative imports give the part of the path that the statement's first name stands for.
    let full_text = full.to_utf8()?;
    let top = Str::from_utf8(&full_text[..full_text.len() - (text.len() - front.len())])?;
    match state::interp().modules.get_str(&top)? {
        Some(module) => Ok(module),
        None => {
            Err(key_error(&*Str::from_utf8(&format!("{} not in sys.modules as expected", top.repr_lossy()))?))
        }
    }
}

/// `builtins.__import__`.
pub(crate) fn builtin_import(_: &Object, args: &Args<'_>) -> PyResult {
    let Some(name) = args.required(0).downcast::<Str>() else {
        return Err(type_error("module name must be a string"));
    };
    let globals = args.get_some(1);
    let dict = globals.and_then(|globals| globals.downcast::<Dict>());
    let level = args.i32_or(4, 0)?;
    if level > 0 && globals.is_some() && dict.is_none() {
        return Err(type_error("globals must be a dict"));
    }
    import_level(name, dict, args.get_some(3), level)
}

/// `sys.builtin_module_names`.
pub fn native_names(table: &'static [&'static ModuleSpec]) -> PyResult<Ref<Tuple>> {
    let mut names: Vec<&str> = table.iter().map(|spec| spec.name).collect();
    names.extend(["builtins", "sys"]);
    names.sort_unstable();
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        all.push(Str::from_utf8(name)?.upcast());
    }
    Tuple::from_vec(all)
}
