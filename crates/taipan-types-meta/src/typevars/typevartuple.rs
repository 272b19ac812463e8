//! `TypeVarTuple`.

use super::*;

/// A variable for any number of types.
pub struct TypeVarTuple {
    name: Ref,
    pub(super) default: Lazy,
}
payload!(TypeVarTuple, TYPE_VAR_TUPLE, c"typing.TypeVarTuple", PARAMETER, [name, default]);

type View = Native<TypeVarTuple>;

/// A type variable tuple as `def f[*Ts]` makes it.
///
/// # Errors
/// `MemoryError`.
pub fn make_typevartuple(name: &Object) -> PyResult {
    native_new(&TYPE_VAR_TUPLE, TypeVarTuple { name: name.new_ref(), default: Lazy::default() })?.into_py()
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(given = "typevartuple" "(name, *, default=typing.NoDefault)", args, kwargs);
    let name = name_argument(given.required(0), "typevartuple")?;
    let default = match given.get(1) {
        Some(default) => default.new_ref(),
        None => no_default()?,
    };
    let payload = TypeVarTuple { name: name.new_ref(), default: Lazy::known(Some(&default)) };
    let made = native_new(ty, payload)?.upcast();
    set_module(&made)?;
    Ok(made)
}

/// `typing.Unpack[object]`.
pub(super) fn unpack(object: &Object) -> PyResult {
    let typing = (state::interp().hooks.get().import_module)("typing")?;
    typing.getattr(intern!("Unpack"))?.get_item(object)
}

/// `*Ts` gives one item: the unpacked variable.
pub(super) fn iterate(object: &Object) -> PyResult {
    Tuple::from_array([unpack(object)?])?.iter()
}

fn prepare_subst(tuple: &View, args: &Args<'_>) -> PyResult {
    call_typing("_typevartuple_prepare_subst", &[tuple.object(), args.required(0), args.required(1)])
}

fn subst(_: &View, _: &Object) -> PyResult {
    Err(type_error("Substitution of bare TypeVarTuple is not supported"))
}

taipan_object::methods! { static METHODS = {
    one "__typing_subst__" "($self, arg, /)" = subst, "Refuses: only the unpacked variable can be replaced.";
    args "__typing_prepare_subst__" "($self, alias, args, /)" = prepare_subst, "The arguments of an alias, in the form that it needs.";
    noargs "__reduce__" "($self, /)" = |tuple: &View| tuple.name.clone(), "Describe the variable for pickling: by its name.";
    noargs "has_default" "($self, /)" = |tuple: &View| tuple.default.has_default(), "Whether there is a default.";
    one "__mro_entries__" "($self, object, /)" = |_: &View, _: &Object| no_subclass("TypeVarTuple"), "Refuses to be a base.";
} }

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A variable that stands for any number of types.\n\nIn `def call[*Ts](f: Callable[[*Ts], None], *args: *Ts)` it is Ts.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(|tuple: &View| tuple.name.clone()),
        tp_iter(iterate),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"__name__", |tuple: &View| tuple.name.clone(), c"").with_setter(read_only),
        getset_row(c"__default__", |tuple: &View| tuple.default.default_value(), c""),
        getset_row(c"evaluate_default", |tuple: &View| tuple.default.evaluator(), c""),
    ],
    ..TypeSpec::new(&TYPE_VAR_TUPLE)
};
