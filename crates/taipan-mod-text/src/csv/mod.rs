//! `_csv`: tables of comma-separated values.

mod dialect;
mod read;
mod write;

use crate::util::{ModuleError, module_error};
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, methods, raise, state};

module_error!(Error, "_csv", "Error", PyExc_Exception);

/// What the module keeps for each interpreter.
pub struct Shared {
    dialects: Ref<Dict>,
    /// The longest field that is read.
    limit: Cell<isize>,
}

/// This interpreter's part.
pub fn shared() -> PyResult<&'static Shared> {
    let dialects = Dict::new()?;
    Ok(state::interp().extension(|| Shared { dialects, limit: Cell::new(128 * 1024) }))
}

impl Shared {
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit.get()).unwrap_or(0)
    }

    /// A registered dialect.
    pub fn dialect(&self, name: &Object) -> PyResult {
        match self.dialects.get(name) {
            Ok(Some(dialect)) => Ok(dialect),
            Ok(None) => Err(Error::error("unknown dialect")),
            Err(error) => Err(error),
        }
    }
}

fn register_dialect(_: &Object, args: CallArgs<'_>) -> PyResult<()> {
    let positional = args.positional();
    if positional.is_empty() || positional.len() > 2 {
        let (bound, count) = if positional.is_empty() {
            ("least 1 argument", 0)
        } else {
            ("most 2 arguments", positional.len())
        };
        return Err(raise!(PyExc_TypeError, "register_dialect expected at {bound}, got {count}"));
    }
    let Some(name) = positional[0].downcast::<Str>() else {
        return Err(err::type_error("dialect name must be a string"));
    };
    let made = dialect::make(positional.get(1).copied(), args.keywords_dict()?.as_deref())?;
    shared()?.dialects.set(name, &made)
}

fn unregister_dialect(_: &Object, args: &Args<'_>) -> PyResult<()> {
    match shared()?.dialects.remove(args.required(0))? {
        Some(_) => Ok(()),
        None => Err(Error::error("unknown dialect")),
    }
}

fn list_dialects(_: &Object) -> PyResult<Ref<List>> {
    List::from_vec(shared()?.dialects.items_vec().into_iter().map(|(name, _)| name).collect())
}

fn field_size_limit(_: &Object, args: &Args<'_>) -> PyResult<isize> {
    let shared = shared()?;
    let old = shared.limit.get();
    if let Some(new) = args.get(0) {
        let Some(int) = new.downcast::<Int>() else {
            return Err(err::type_error("limit must be an integer"));
        };
        let value = int.to_i64().and_then(|value| isize::try_from(value).ok());
        let too_big = || err::overflow_error("Python int too large to convert to C ssize_t");
        shared.limit.set(value.ok_or_else(too_big)?);
    }
    Ok(old)
}

/// The arguments of `reader` and `writer`: what to work on, a dialect, format parameters.
fn opened<'a>(args: &CallArgs<'a>, function: &str) -> PyResult<(&'a Object, Ref<Native<dialect::Dialect>>)> {
    let positional = args.positional();
    let (bound, plural) = match positional.len() {
        0 => ("at least 1", ""),
        1 | 2 => ("", ""),
        _ => ("at most 2", "s"),
    };
    if !bound.is_empty() {
        return Err(raise!(
            PyExc_TypeError,
            "{function} expected {bound} argument{plural}, got {}",
            positional.len()
        ));
    }
    let made = dialect::make(positional.get(1).copied(), args.keywords_dict()?.as_deref())?;
    let made = made.downcast_owned().map_err(|_| err::system_error("Dialect() gave no dialect"))?;
    Ok((positional[0], made))
}

methods! {
    static METHODS = {
        keywords "reader" "($module, iterable, /, dialect='excel', **fmtparams)" = |_: &Object, args: CallArgs<'_>| read::open(&args),
            "A reader: an iterator over the rows of what gives lines.\n\ndialect is a name or an object with the parameters as attributes; keywords\noverride them.";
        keywords "writer" "($module, fileobj, /, dialect='excel', **fmtparams)" = |_: &Object, args: CallArgs<'_>| write::open(&args),
            "A writer of rows to something with a write() method.";
        noargs "list_dialects" "($module, /)" = list_dialects, "The names of the registered dialects.";
        keywords "register_dialect" "($module, name, /, dialect='excel', **fmtparams)" = register_dialect, "Register a dialect under a name.";
        args "unregister_dialect" "($module, /, name)" = unregister_dialect, "Forget a dialect.";
        args "get_dialect" "($module, /, name)" = |_: &Object, a: &Args<'_>| shared()?.dialect(a.required(0)), "The dialect of a name.";
        args "field_size_limit" "($module, /, new_limit=<unrepresentable>)" = field_size_limit, "The longest field that is read; with an argument, also set it.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    module.add("Error", Error::class()?)?;
    module.add("_dialects", &shared()?.dialects)?;
    for (name, spec) in [("Dialect", &dialect::SPEC), ("Reader", &read::SPEC), ("Writer", &write::SPEC)] {
        make_ready(spec)?;
        let ty: &Type = spec.ty;
        module.add(name, ty)?;
    }
    for (name, value) in dialect::QUOTING {
        module.add(name, &Int::from_i64(value))?;
    }
    Ok(())
}

/// `_csv`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_csv", doc: "Reads and writes comma-separated values.", methods: METHODS, init };
