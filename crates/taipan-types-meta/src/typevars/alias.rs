//! `TypeAliasType`: what `type X = …` makes.

use super::typevartuple::{TypeVarTuple, iterate, unpack};
use super::*;
use crate::generic_alias;
use taipan_object::instance::attribute_error;

/// A named alias whose value is computed when first asked for.
pub struct TypeAliasType {
    name: Ref,
    /// A tuple, or nothing for an alias without parameters.
    parameters: Field,
    value: Lazy,
    module: Field,
}
payload!(TypeAliasType, TYPE_ALIAS_TYPE, c"typing.TypeAliasType", GC, [name, parameters, value, module]);

type View = Native<TypeAliasType>;

/// An alias as the statement makes it: of a tuple with name, parameters or `None`, and evaluator.
///
/// # Errors
/// `MemoryError`.
pub fn make_alias(parts: &Object) -> PyResult {
    let Some([name, parameters, evaluator]) = parts.downcast::<Tuple>().map(Tuple::items) else {
        return Err(taipan_object::err::system_error("a type alias needs name, parameters and value"));
    };
    let payload = TypeAliasType {
        name: name.new_ref(),
        parameters: Field::new(Some(*parameters).filter(|p| !is_none(p)).map(Object::new_ref)),
        value: Lazy::later(Some(evaluator)),
        module: Field::default(),
    };
    native_new(&TYPE_ALIAS_TYPE, payload)?.into_py()
}

/// Checks that parameters without a default come before those with one.
fn check_parameters(parameters: &Tuple) -> PyResult<()> {
    let mut default_seen = false;
    for parameter in parameters.items() {
        let has_default = match parameter.getattr_opt(intern!("has_default"))? {
            Some(has_default)
                if parameter.is_exact(&TYPE_VAR)
                    || parameter.is_exact(&PARAM_SPEC)
                    || parameter.is_exact(&TYPE_VAR_TUPLE) =>
            {
                has_default.call(&[])?.is_true()?
            }
            _ => {
                return Err(raise!(
                    PyExc_TypeError,
                    "Expected a type param, got {}",
                    parameter.repr()?.to_lossy()
                ));
            }
        };
        if default_seen && !has_default {
            return Err(raise!(
                PyExc_TypeError,
                "non-default type parameter '{}' follows default type parameter",
                parameter.repr()?.to_lossy()
            ));
        }
        default_seen |= has_default;
    }
    Ok(())
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(given = "typealias" "(name, value, *, type_params=())", args, kwargs);
    let name = name_argument(given.required(0), "typealias")?;
    let parameters = match given.get(2) {
        None => None,
        Some(parameters) => match parameters.downcast::<Tuple>() {
            Some(parameters) => {
                check_parameters(parameters)?;
                Some(parameters.new_ref()).filter(|_| !parameters.is_empty())
            }
            None => return Err(type_error("type_params must be a tuple")),
        },
    };
    let payload = TypeAliasType {
        name: name.new_ref(),
        parameters: Field::new(parameters),
        value: Lazy::known(given.get(1)),
        module: Field::new(current_module_name()),
    };
    native_new(ty, payload)?.into_py()
}

fn type_params(alias: &View) -> Ref {
    alias.parameters.get().unwrap_or_else(|| Tuple::empty().upcast())
}

/// The parameters, those for several types unpacked.
fn parameters(alias: &View) -> PyResult {
    let all = type_params(alias);
    let items = all.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let shown: PyResult<Vec<Ref>> = items
        .iter()
        .map(|item| {
            if item.downcast::<Native<TypeVarTuple>>().is_some() { unpack(item) } else { Ok(item.new_ref()) }
        })
        .collect();
    Tuple::from_vec(shown?)?.into_py()
}

fn value(alias: &View) -> PyResult {
    alias.value.get()?.map_or_else(|| Ok(none().new_ref()), Ok)
}

fn module(alias: &View) -> PyResult {
    if let Some(module) = alias.module.get() {
        return Ok(module);
    }
    match alias.value.evaluator.get() {
        Some(function) => function.getattr(intern!("__module__")),
        None => Err(attribute_error(alias.object(), "__module__")),
    }
}

fn subscript(alias: &View, item: &Object) -> PyResult {
    if alias.parameters.get().is_none() {
        return Err(type_error("Only generic type aliases are subscriptable"));
    }
    generic_alias::new(alias.object(), item)
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = |alias: &View| alias.name.clone(), "Describe the alias for pickling: by its name.";
} }

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A name for a type, as `type Name = value` makes it.\n\nThe value is computed when __value__ is first asked for, so it may name the alias itself.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(|alias: &View| alias.name.clone()),
        tp_iter(iterate),
        nb_or(make_union),
        mp_subscript(subscript),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"__name__", |alias: &View| alias.name.clone(), c"").with_setter(read_only),
        getset_row(c"__parameters__", parameters, c""),
        getset_row(c"__type_params__", type_params, c""),
        getset_row(c"__value__", value, c""),
        getset_row(c"evaluate_value", |alias: &View| alias.value.evaluator(), c""),
        getset_row(c"__module__", module, c""),
    ],
    ..TypeSpec::new(&TYPE_ALIAS_TYPE)
};
