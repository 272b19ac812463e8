//! `TypeVar`.

use super::*;
use taipan_object::protocol;

/// A type variable.
pub struct TypeVar {
    name: Ref,
    bound: Lazy,
    constraints: Lazy,
    pub(super) default: Lazy,
    variance: Variance,
}
payload!(TypeVar, TYPE_VAR, c"typing.TypeVar", PARAMETER, [name, bound, constraints, default]);

type View = Native<TypeVar>;

/// A type variable as `def f[T: …]` makes it, with functions that compute bound and constraints.
///
/// # Errors
/// `MemoryError`.
pub fn make_typevar(name: &Object, bound: Option<&Object>, constraints: Option<&Object>) -> PyResult {
    let payload = TypeVar {
        name: name.new_ref(),
        bound: Lazy::later(bound),
        constraints: Lazy::later(constraints),
        default: Lazy::default(),
        variance: Variance::new(false, false, true)?,
    };
    native_new(&TYPE_VAR, payload)?.into_py()
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // All positional arguments behind the name are constraints.
    let named = args.slice(0, args.len().min(1))?;
    bind!(
        given = "typevar" "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)",
        &named,
        kwargs
    );
    let name = name_argument(given.required(0), "typevar")?;
    let variance =
        Variance::new(given.bool_or(3, false)?, given.bool_or(4, false)?, given.bool_or(5, false)?)?;
    let bound = given.get_some(1).map(|bound| check_type(bound, "Bound must be a type.")).transpose()?;
    let constraints = match args.len() {
        0 | 1 => None,
        2 => return Err(type_error("A single constraint is not allowed")),
        _ if bound.is_some() => return Err(type_error("Constraints cannot be combined with bound=...")),
        count => {
            let checked: PyResult<Vec<Ref>> = args.items()[1..count]
                .iter()
                .map(|item| check_type(item, "TypeVar(name, constraint, ...): constraints must be types."))
                .collect();
            Some(Tuple::from_vec(checked?)?)
        }
    };
    let default = match given.get(2) {
        Some(default) => default.new_ref(),
        None => no_default()?,
    };
    let payload = TypeVar {
        name: name.new_ref(),
        bound: Lazy::known(bound.as_deref()),
        constraints: Lazy::known(constraints.as_deref().map(|all| &**all)),
        default: Lazy::known(Some(&default)),
        variance,
    };
    let made = native_new(ty, payload)?.upcast();
    set_module(&made)?;
    Ok(made)
}

fn repr(var: &View) -> String {
    format!("{}{}", var.variance.sign(), var.name.str_lossy())
}

fn constraints(var: &View) -> PyResult {
    Ok(var.constraints.get()?.unwrap_or_else(|| Tuple::empty().upcast()))
}

fn bound(var: &View) -> PyResult {
    Ok(var.bound.get()?.unwrap_or_else(|| none().new_ref()))
}

fn prepare_subst(var: &View, args: &Args<'_>) -> PyResult {
    let (alias, given) = (args.required(0), args.required(1));
    let parameters = alias.getattr(intern!("__parameters__"))?;
    let count = given.len()?;
    let parameters = protocol::to_vec(&parameters)?;
    let mut index = parameters.len();
    for (place, parameter) in parameters.iter().enumerate() {
        if parameter.equals(var.object())? {
            index = place;
            break;
        }
    }
    if index < count {
        return Ok(given.new_ref());
    }
    if index == count {
        let default = var.default.default_value()?;
        if !is_no_default(&default) {
            let more = Tuple::from_array([default])?;
            return protocol::binary_op(given, &more, protocol::BinaryOp::Add);
        }
    }
    Err(raise!(
        PyExc_TypeError,
        "Too few arguments for {}; actual {count}, expected at least {}",
        alias.str()?.to_lossy(),
        index + 1
    ))
}

taipan_object::methods! { static METHODS = {
    one "__typing_subst__" "($self, arg, /)" = |var: &View, arg: &Object| call_typing("_typevar_subst", &[var.object(), arg]), "What stands for the variable in an alias.";
    args "__typing_prepare_subst__" "($self, alias, args, /)" = prepare_subst, "The arguments of an alias, with defaults.";
    noargs "__reduce__" "($self, /)" = |var: &View| var.name.clone(), "Describe the variable for pickling: by its name.";
    noargs "has_default" "($self, /)" = |var: &View| var.default.has_default(), "Whether there is a default.";
    one "__mro_entries__" "($self, object, /)" = |_: &View, _: &Object| no_subclass("TypeVar"), "Refuses to be a base.";
} }

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A variable that stands for a type.\n\nIn `def first[T](items: list[T]) -> T` it is T: the result has the type of the items.\nA variable may have a bound, `[T: int]`, or constraints, `[T: (int, str)]`, and a default.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(|var: &View| repr(var)),
        nb_or(make_union),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"__name__", |var: &View| var.name.clone(), c"").with_setter(read_only),
        getset_row(c"__covariant__", |var: &View| var.variance.covariant.get(), c"").with_setter(read_only),
        getset_row(c"__contravariant__", |var: &View| var.variance.contravariant.get(), c"").with_setter(read_only),
        getset_row(c"__infer_variance__", |var: &View| var.variance.inferred.get(), c"").with_setter(read_only),
        getset_row(c"__bound__", bound, c""),
        getset_row(c"__constraints__", constraints, c""),
        getset_row(c"__default__", |var: &View| var.default.default_value(), c""),
        getset_row(c"evaluate_bound", |var: &View| var.bound.evaluator(), c""),
        getset_row(c"evaluate_constraints", |var: &View| var.constraints.evaluator(), c""),
        getset_row(c"evaluate_default", |var: &View| var.default.evaluator(), c""),
    ],
    ..TypeSpec::new(&TYPE_VAR)
};
