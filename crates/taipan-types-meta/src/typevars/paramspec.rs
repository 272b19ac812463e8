//! `ParamSpec`, `ParamSpecArgs` and `ParamSpecKwargs`.

use super::*;
use taipan_object::singletons::not_implemented;

/// A variable for the parameters of a function.
pub struct ParamSpec {
    name: Ref,
    bound: Field,
    pub(super) default: Lazy,
    variance: Variance,
}
payload!(ParamSpec, PARAM_SPEC, c"typing.ParamSpec", PARAMETER, [name, bound, default]);

type View = Native<ParamSpec>;

/// A parameter specification as `def f[**P]` makes it.
///
/// # Errors
/// `MemoryError`.
pub fn make_paramspec(name: &Object) -> PyResult {
    let payload = ParamSpec {
        name: name.new_ref(),
        bound: Field::default(),
        default: Lazy::default(),
        variance: Variance::new(false, false, true)?,
    };
    native_new(&PARAM_SPEC, payload)?.into_py()
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(
        given = "paramspec" "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)",
        args,
        kwargs
    );
    let name = name_argument(given.required(0), "paramspec")?;
    let variance =
        Variance::new(given.bool_or(3, false)?, given.bool_or(4, false)?, given.bool_or(5, false)?)?;
    let bound = given.get_some(1).map(|bound| check_type(bound, "Bound must be a type.")).transpose()?;
    let default = match given.get(2) {
        Some(default) => default.new_ref(),
        None => no_default()?,
    };
    let payload = ParamSpec {
        name: name.new_ref(),
        bound: Field::new(bound),
        default: Lazy::known(Some(&default)),
        variance,
    };
    let made = native_new(ty, payload)?.upcast();
    set_module(&made)?;
    Ok(made)
}

/// One half of a parameter specification: `P.args` or `P.kwargs`.
pub struct Part<const KEYWORDS: bool> {
    origin: Ref,
}

macro_rules! part {
    ($alias:ident, $keywords:literal, $ty:ident, $python:literal, $spec:ident, $new:ident, $what:literal, $suffix:literal, $doc:literal) => {
        type $alias = Part<$keywords>;
        payload!($alias, $ty, $python, GC | Py_TPFLAGS_MANAGED_WEAKREF, [origin]);

        fn $new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
            bind!(given = $what "(origin)", args, kwargs);
            native_new(ty, Part::<$keywords> { origin: given.required(0).new_ref() })?.into_py()
        }

        pub(super) static $spec: TypeSpec = TypeSpec {
            doc: Some($doc),
            slots: &[
                Native::<$alias>::DEALLOC,
                Native::<$alias>::TRAVERSE,
                Native::<$alias>::CLEAR,
                tp_new($new),
                tp_repr(|part: &Native<$alias>| part_repr(&part.origin, $suffix)),
                tp_richcompare(|part: &Native<$alias>, other: &Object, op: CompareOp| {
                    let other = other.downcast::<Native<$alias>>();
                    compare_origins(&part.origin, other.map(|other| &*other.origin), op)
                }),
            ],
            methods: {
                taipan_object::methods! { static METHODS = {
                    one "__mro_entries__" "($self, object, /)" = |_: &Object, _: &Object| no_subclass($what), "Refuses to be a base.";
                } }
                METHODS
            },
            getset: &[getset_row(c"__origin__", |part: &Native<$alias>| part.origin.clone(), c"")
                .with_setter(read_only)],
            ..TypeSpec::new(&$ty)
        };
    };
}

fn part_repr(origin: &Object, suffix: &str) -> PyResult<String> {
    Ok(match origin.downcast::<View>() {
        Some(spec) => format!("{}.{suffix}", spec.name.str_lossy()),
        None => format!("{}.{suffix}", origin.repr()?.to_lossy()),
    })
}

fn compare_origins(own: &Object, other: Option<&Object>, op: CompareOp) -> PyResult {
    match (op, other) {
        (CompareOp::Eq | CompareOp::Ne, Some(other)) => {
            (own.equals(other)? == (op == CompareOp::Eq)).into_py()
        }
        _ => Ok(not_implemented().new_ref()),
    }
}

part!(
    PartArgs,
    false,
    PARAM_SPEC_ARGS,
    c"typing.ParamSpecArgs",
    ARGS_SPEC,
    args_new,
    "ParamSpecArgs",
    "args",
    c"The positional parameters that a ParamSpec stands for: P.args."
);
part!(
    PartKwargs,
    true,
    PARAM_SPEC_KWARGS,
    c"typing.ParamSpecKwargs",
    KWARGS_SPEC,
    kwargs_new,
    "ParamSpecKwargs",
    "kwargs",
    c"The keyword parameters that a ParamSpec stands for: P.kwargs."
);

fn args_of(spec: &View) -> PyResult {
    native_new(&PARAM_SPEC_ARGS, PartArgs { origin: spec.object().new_ref() })?.into_py()
}

fn kwargs_of(spec: &View) -> PyResult {
    native_new(&PARAM_SPEC_KWARGS, PartKwargs { origin: spec.object().new_ref() })?.into_py()
}

fn prepare_subst(spec: &View, args: &Args<'_>) -> PyResult {
    call_typing("_paramspec_prepare_subst", &[spec.object(), args.required(0), args.required(1)])
}

taipan_object::methods! { static METHODS = {
    one "__typing_subst__" "($self, arg, /)" = |spec: &View, arg: &Object| call_typing("_paramspec_subst", &[spec.object(), arg]), "What stands for the specification in an alias.";
    args "__typing_prepare_subst__" "($self, alias, args, /)" = prepare_subst, "The arguments of an alias, in the form that it needs.";
    noargs "has_default" "($self, /)" = |spec: &View| spec.default.has_default(), "Whether there is a default.";
    noargs "__reduce__" "($self, /)" = |spec: &View| spec.name.clone(), "Describe the specification for pickling: by its name.";
    one "__mro_entries__" "($self, object, /)" = |_: &View, _: &Object| no_subclass("ParamSpec"), "Refuses to be a base.";
} }

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A variable that stands for the parameters of a function.

In `def logged[**P, R](f: Callable[P, R]) -> Callable[P, R]` it is P.
Its halves are P.args and P.kwargs.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(|spec: &View| format!("{}{}", spec.variance.sign(), spec.name.str_lossy())),
        nb_or(make_union),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"__name__", |spec: &View| spec.name.clone(), c"").with_setter(read_only),
        getset_row(c"__bound__", |spec: &View| spec.bound.get(), c"").with_setter(read_only),
        getset_row(c"__covariant__", |spec: &View| spec.variance.covariant.get(), c"").with_setter(read_only),
        getset_row(c"__contravariant__", |spec: &View| spec.variance.contravariant.get(), c"")
            .with_setter(read_only),
        getset_row(c"__infer_variance__", |spec: &View| spec.variance.inferred.get(), c"")
            .with_setter(read_only),
        getset_row(c"args", args_of, c"The positional parameters."),
        getset_row(c"kwargs", kwargs_of, c"The keyword parameters."),
        getset_row(c"__default__", |spec: &View| spec.default.default_value(), c""),
        getset_row(c"evaluate_default", |spec: &View| spec.default.evaluator(), c""),
    ],
    ..TypeSpec::new(&PARAM_SPEC)
};
