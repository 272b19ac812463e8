//! The end of the interpreter.
//!
//! Problem: objects that modules hold have finalisers, and these want to find a world that still works. Idea: the
//! order in which CPython takes its modules down. First the variables of `sys` that hold parts of the program go,
//! then every module leaves `sys.modules`. Most die of that, or are cycles that the collector then finds, with
//! their variables still in place for finalisers to use. What lives on, because something outside holds it, loses
//! its variables one by one, the modules that were imported last first. `sys` and `builtins` stay to the very end.

use crate::{modules, streams};
use taipan_object::dict::Dict;
use taipan_object::err::write_unraisable_at;
use taipan_object::module::Module;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::_PyWeakref_RefType;
use taipan_object::unicode::Str;
use taipan_object::weakref::{self, WeakRef};
use taipan_object::{Ref, gc, intern, state};

/// What goes from `sys` before anything else.
const SYS_GOES: &[&str] = &[
    "path",
    "argv",
    "ps1",
    "ps2",
    "last_exc",
    "last_type",
    "last_value",
    "last_traceback",
    "path_importer_cache",
    "meta_path",
    "path_hooks",
    "__interactivehook__",
];
/// The streams that `sys` gets back as they were at the start.
const SYS_RETURNS: &[(&str, &str)] =
    &[("stdin", "__stdin__"), ("stdout", "__stdout__"), ("stderr", "__stderr__")];

/// Ends the interpreter: waits for threads, calls what `atexit` holds, takes the modules down, flushes the
/// streams. Gives the exit status, 120 when output was lost.
pub fn finish(status: u8) -> u8 {
    let interp = state::interp();
    // Without the module no thread of its own was started.
    if let Some(threading) = interp.modules.get_text("threading")
        && let Err(error) = threading.call_method(intern!("_shutdown"), &[])
    {
        write_unraisable_at(error, "Exception ignored on threading shutdown", &threading);
    }
    if let Err(error) = modules::thread::wait_for_all() {
        taipan_object::err::write_unraisable(error, None);
    }
    modules::atexit::run();
    let mut flushed = streams::flush_standard();
    interp.finalizing.set(true);
    interp.gil.keep_for_last();
    gc::collect(2);
    take_modules_down();
    flushed &= streams::flush_standard();
    // The bare printers of the first moments hold text back, too.
    if taipan_os::flush_standard(1).is_err() {
        flushed = false;
    }
    if flushed { status } else { 120 }
}

fn take_modules_down() {
    let interp = state::interp();
    // A variable that cannot be replaced keeps its value until the process ends.
    if let Some(sys) = interp.sysdict.borrow().clone() {
        for name in SYS_GOES {
            let _ = sys.set_text(name, none());
        }
        for (name, first) in SYS_RETURNS {
            let stream = sys.get_text(first).unwrap_or_else(|| none().new_ref());
            let _ = sys.set_text(name, &stream);
        }
    }
    let builtins = interp.modules.get_text("builtins");
    if let Some(namespace) = builtins.as_ref().and_then(|module| module.downcast::<Module>()) {
        let _ = namespace.dict().set_text("_", none());
    }
    let sys = interp.modules.get_text("sys");
    let mut watched: Vec<Ref<WeakRef>> = Vec::new();
    for (name, module) in interp.modules.items_vec() {
        let stays = [&sys, &builtins].iter().any(|kept| kept.as_ref().is_some_and(|kept| kept.is(&module)));
        if !stays
            && module.downcast::<Module>().is_some()
            && let Ok(reference) = weakref::new(&_PyWeakref_RefType, &module, None)
        {
            watched.push(reference);
        }
        let _ = interp.modules.set(&name, none());
    }
    interp.modules.clear();
    gc::collect(2);
    for reference in watched.iter().rev() {
        if let Some(module) =
            weakref::referent(reference).and_then(|module| module.downcast_owned::<Module>().ok())
        {
            clear_namespace(module.dict());
        }
    }
    gc::collect(2);
}

/// Sets a module's variables to `None`, those with one leading underscore first.
fn clear_namespace(namespace: &Dict) {
    for private in [true, false] {
        for (key, value) in namespace.items_vec() {
            let Some(name) = key.downcast::<Str>() else { continue };
            let text = name.to_lossy();
            let is_private = text.starts_with('_') && !text.starts_with("__");
            if text == "__builtins__" || is_private != private || is_none(&value) {
                continue;
            }
            drop(value);
            // A name that cannot be replaced keeps its value until the process ends.
            let _ = namespace.set_str(name, none());
        }
    }
}
