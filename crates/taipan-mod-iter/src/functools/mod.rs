//! `_functools`: `partial`, `reduce`, `cmp_to_key`, and the cache behind `lru_cache`.

mod compare;
mod lru;
mod partial;

use crate::util::{add_type, make_ready};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::protocol::iter_next;
use taipan_object::statics::{PyExc_AttributeError, PyExc_TypeError};
use taipan_object::{Object, PyResult, err, intern, methods};

/// `reduce(function, iterable, /, initial)`.
fn reduce(_: &Object, args: &Args<'_>) -> PyResult {
    let (function, iterable) = (args.required(0), args.required(1));
    let iterator = iterable.iter().map_err(|error| {
        if error.is(&PyExc_TypeError) {
            err::type_error("reduce() arg 2 must support iteration")
        } else {
            error
        }
    })?;
    let mut result = match args.get(2) {
        Some(initial) => initial.new_ref(),
        None => iter_next(&iterator)?
            .ok_or_else(|| err::type_error("reduce() of empty iterable with no initial value"))?,
    };
    while let Some(item) = iter_next(&iterator)? {
        result = function.call(&[&result, &item])?;
    }
    Ok(result)
}

methods! {
    static METHODS = {
        args "reduce" "($module, function, iterable, /, initial=<unrepresentable>)" = reduce, "Combine the items of an iterable from the left with a function of two arguments.\n\nreduce(f, [a, b, c]) is f(f(a, b), c). The initial value, if given, stands before the\nitems and is the result when there are none.";
        args "cmp_to_key" "($module, /, mycmp)" = compare::cmp_to_key, "Turn a function that compares two values into a key function.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    make_ready(&partial::PLACEHOLDER_SPEC)?;
    make_ready(&compare::KEY_SPEC)?;
    add_type(module, &partial::PLACEHOLDER_SPEC)?;
    module.add("Placeholder", &*partial::placeholder()?)?;
    add_type(module, &partial::SPEC)?;
    add_type(module, &lru::SPEC)
}

/// The attribute of a function that becomes its pickled form.
fn qualified_name(object: &Object) -> PyResult {
    object
        .getattr_opt(intern!("__qualname__"))?
        .ok_or_else(|| err::PyErr::new(&PyExc_AttributeError, "__qualname__"))
}

/// `_functools`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_functools", doc: "Functions that take or make functions.", methods: METHODS, init };
