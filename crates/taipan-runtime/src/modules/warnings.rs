//! `_warnings`: the door through which native code and `importlib` reach the library's warnings.
//!
//! The filters and the machinery are the library's own Python code (`_py_warnings`, through `warnings`);
//! this module has just the two functions that must exist before it is imported.

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::CallArgs;
use taipan_object::{Object, PyResult, intern, protocol, state};

fn library(function: &taipan_object::unicode::Str, args: CallArgs<'_>) -> PyResult {
    let warnings = (state::interp().hooks.get().import_module)("warnings")?;
    let function = warnings.getattr(function)?;
    protocol::vectorcall_with_dict(&function, args.positional(), args.keywords_dict()?.as_deref())
}

fn warn(_: &Object, args: CallArgs<'_>) -> PyResult {
    library(intern!("warn"), args)
}

fn warn_explicit(_: &Object, args: CallArgs<'_>) -> PyResult {
    library(intern!("warn_explicit"), args)
}

taipan_object::methods! { static METHODS = {
    keywords "warn" "($module, /, message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())" = warn,
        "Issue a warning, or ignore it or raise it as the filters say.";
    keywords "warn_explicit" "($module, /, message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)" = warn_explicit,
        "Issue a warning for a place that is given.";
} }

fn init(_: &Module) -> PyResult<()> {
    Ok(())
}

/// `_warnings`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_warnings", doc: "The way to the library's warnings.", methods: METHODS, init };
