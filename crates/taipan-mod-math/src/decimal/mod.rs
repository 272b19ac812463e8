//! `_decimal`: decimal numbers and contexts.
//!
//! The arithmetic is `taipan-decimal`; here is how Python sees it. `state` holds signals, the settings of
//! contexts and the current context; `context`, `signals` and `number` are the types; `methods` and
//! `operations` are the methods of `Decimal` and `Context`; `text` reads and formats.
//!
//! Every operation takes the limits of a context, computes without running Python code, notes the
//! conditions that it met, and raises if one of them is trapped.

mod context;
mod methods;
mod number;
mod operations;
mod signals;
mod state;
mod text;

use taipan_decimal::{MAX_EMAX, MAX_PREC, MIN_EMIN, MIN_ETINY};
use taipan_object::methods;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, IntoPy, make_ready};
use taipan_object::{Object, PyResult};

const IEEE_CONTEXT_MAX_BITS: i64 = 512;

fn get_context(_: &Object) -> PyResult {
    Ok(state::current()?.upcast())
}

fn set_context(_: &Object, args: &Args<'_>) -> PyResult<()> {
    state::set_current(context::required(args)?)
}

methods! { static METHODS = {
    noargs "getcontext" "($module, /)" = get_context, "The current context.";
    args "setcontext" "($module, context, /)" = set_context, "Make a context the current one.";
    keywords "localcontext" "($module, /, ctx=None, **kwargs)" = context::local_context, "A context manager: a copy of the context is current inside a 'with' block.";
    one "IEEEContext" "($module, bits, /)" = context::ieee_context, "The context of an IEEE interchange format of so many bits.";
} }

fn init(module: &Module) -> PyResult<()> {
    for spec in [&signals::SPEC, &context::SPEC, &context::MANAGER_SPEC, &number::SPEC] {
        make_ready(spec)?;
    }
    module.add("Decimal", &number::DECIMAL)?;
    module.add("Context", &context::CONTEXT)?;
    state::add_to(module)?;
    for (name, _) in state::ROUNDINGS {
        module.add(name, &*state::rounding_name(name)?)?;
    }
    for (name, value) in [
        ("MAX_PREC", MAX_PREC),
        ("MAX_EMAX", MAX_EMAX),
        ("MIN_EMIN", MIN_EMIN),
        ("MIN_ETINY", MIN_ETINY),
        ("IEEE_CONTEXT_MAX_BITS", IEEE_CONTEXT_MAX_BITS),
    ] {
        module.add(name, &*value.into_py()?)?;
    }
    module.add("HAVE_CONTEXTVAR", &*true.into_py()?)?;
    module.add("HAVE_THREADS", &*true.into_py()?)?;
    module.add("__version__", &*"1.70".into_py()?)?;
    module.add("__libmpdec_version__", &*"2.5.1".into_py()?)
}

/// The module.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_decimal", doc: "Fast decimal arithmetic.", methods: METHODS, init };
