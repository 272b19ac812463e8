//! `sys._jit`: whether there is a compiler to machine code. There is none yet.

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::{Object, PyResult};

taipan_object::methods! { static METHODS = {
    noargs "is_available" "($module, /)" = |_: &Object| false, "Whether this build has a just-in-time compiler.";
    noargs "is_enabled" "($module, /)" = |_: &Object| false, "Whether it is switched on.";
    noargs "is_active" "($module, /)" = |_: &Object| false, "Whether the caller runs as machine code.";
} }

fn init(_: &Module) -> PyResult<()> {
    Ok(())
}

/// `sys._jit`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "sys._jit", doc: "The just-in-time compiler.", methods: METHODS, init };
