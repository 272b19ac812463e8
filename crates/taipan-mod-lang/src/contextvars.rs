//! `_contextvars`.

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::statics::{PyContext_Type, PyContextToken_Type, PyContextVar_Type};
use taipan_object::{Object, PyResult, methods};
use taipan_types_meta::contextvars;

methods! {
    static METHODS = {
        noargs "copy_context" "($module, /)" = |_: &Object| contextvars::copy_current(), "A copy of the current context.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    module.add("Context", &PyContext_Type)?;
    module.add("ContextVar", &PyContextVar_Type)?;
    module.add("Token", &PyContextToken_Type)
}

/// `_contextvars`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_contextvars", doc: "Context variables.", methods: METHODS, init };
