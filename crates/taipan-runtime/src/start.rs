//! Bringing an interpreter up.
//!
//! Order matters: the thread state before any object; `object` and `type` before the types that inherit
//! their slots from them; exceptions before anything that can fail; `builtins` and `sys` before any code.

use crate::config::Config;
use crate::import::Frozen;
use crate::{builtins, import, printer, streams, sys};
use taipan_num::hash::HashKey;
use taipan_object::hooks::Hooks;
use taipan_object::module::{self, ModuleSpec};
use taipan_object::state::{self, InterpreterState};
use taipan_object::{Object, PyResult, Ref, callable, descr, err, intern, typeobject};

/// The doors of the object layer.
static HOOKS: Hooks = Hooks {
    import_module: import::import_module,
    warn,
    unraisable: printer::unraisable,
    check_signals: crate::modules::signal::check,
    current_globals: taipan_eval::frame::current_globals,
    current_builtins: taipan_eval::frame::current_builtins,
    current_super_args: taipan_eval::frame::current_super_args,
    decode: |_, encoding, _| Err(err::value_error(&format!("codec '{encoding}' is not available yet"))),
    encode: |_, encoding, _| Err(err::value_error(&format!("codec '{encoding}' is not available yet"))),
};

/// Warnings go to the `warnings` module if the program has imported it, to standard error otherwise.
fn warn(category: &Object, message: &str, level: isize) -> PyResult<()> {
    use taipan_object::int::Int;
    use taipan_object::unicode::Str;
    if state::interp().importlib.borrow().is_some() {
        let warn = import::import_module("warnings")?.getattr(taipan_object::intern!("warn"))?;
        warn.call(&[&*Str::from_utf8(message)?, category, &*Int::from_i64(level as i64)])?;
        return Ok(());
    }
    let name = category.downcast::<taipan_object::Type>().map_or("Warning", |ty| ty.name());
    printer::to_stderr(&format!("{name}: {message}\n"));
    Ok(())
}

/// Makes the main interpreter on this thread, with these native modules besides `builtins` and `sys`, and
/// these frozen ones. `roots` fills `object` and `type`, `install_types` all other builtin types.
///
/// # Errors
/// What setting up raises.
pub fn start(
    config: &Config,
    native: &'static [&'static ModuleSpec],
    frozen: &'static [Frozen],
    roots: fn() -> PyResult<()>,
    install_types: &[fn() -> PyResult<()>],
) -> PyResult<()> {
    set_hash_key(config);
    let interp = InterpreterState::create(0, &HOOKS);
    state::attach_new_thread(interp, taipan_os::stack_bounds());
    roots()?;
    for spec in &descr::SPECS {
        typeobject::install(spec)?;
    }
    typeobject::install(&callable::CFUNCTION)?;
    typeobject::install(&callable::METHOD)?;
    for install in install_types {
        install()?;
    }
    taipan_eval::install()?;
    typeobject::install(&printer::SPEC)?;
    // What no room has filled is at least complete enough to be looked at.
    typeobject::ready_static()?;
    interp.extension(|| import::NativeModules(native));
    let builtins = module::create(&builtins::SPEC)?;
    interp.modules.set_text("builtins", &builtins)?;
    *interp.builtins.borrow_mut() = Some(Ref::of(builtins.dict()));
    let sys = module::create(&sys::SPEC)?;
    interp.modules.set_text("sys", &sys)?;
    *interp.sysdict.borrow_mut() = Some(Ref::of(sys.dict()));
    sys.add("builtin_module_names", &*import::native_names(native)?)?;
    sys::configure(config)?;
    crate::compile::set_default_optimize(config.optimize.clamp(0, 2) as u8);
    builtins.add("__debug__", taipan_object::singletons::bool_object(config.optimize == 0))?;
    import::install_importlib(frozen)?;
    crate::modules::signal::install()?;
    streams::open_standard(config)?;
    if config.no_site == 0 {
        let site = import::import_module("site")?;
        site.call_method(intern!("main"), &[])?;
    }
    if !config.warnoptions.is_empty() {
        import::import_module("warnings")?;
    }
    Ok(())
}

/// The secret of str hashes: from a seed, or random.
fn set_hash_key(config: &Config) {
    let key = match config.hash_seed {
        Some(seed) => HashKey::from_seed(seed),
        None => {
            let mut bytes = [0; 16];
            // A system without entropy gets the key that seed 0 gives.
            match taipan_os::entropy(&mut bytes) {
                Ok(()) => HashKey::from_bytes(bytes),
                Err(_) => HashKey::from_seed(0),
            }
        }
    };
    taipan_object::unicode::set_hash_key(key);
}
