//! Type parameters: `TypeVar`, `ParamSpec`, `TypeVarTuple`, `TypeAliasType`, `Generic` and `NoDefault`.
//!
//! What a parameter is bound to is computed when first asked for (PEP 695, 649): the compiler leaves a
//! function, the *evaluator*, and the value is kept once it has been called. A value that was given
//! right away gets an evaluator made for it, so that both kinds look alike from outside.
//!
//! Much of the behaviour lives in `typing.py`; it is called by name.

mod alias;
mod generic;
mod paramspec;
mod typevar;
mod typevartuple;

pub use alias::{TYPE_ALIAS_TYPE, make_alias};
pub use generic::{GENERIC, subscript_generic};
pub use paramspec::{PARAM_SPEC, PARAM_SPEC_ARGS, PARAM_SPEC_KWARGS, make_paramspec};
pub use typevar::{TYPE_VAR, make_typevar};
pub use typevartuple::{TYPE_VAR_TUPLE, make_typevartuple};

use crate::union;
use core::cell::Cell;
use taipan_abi::{Py_TPFLAGS_MANAGED_DICT, Py_TPFLAGS_MANAGED_WEAKREF};
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error};
use taipan_object::int;
use taipan_object::native::*;
use taipan_object::protocol::{current_module_name, vectorcall};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{_PyNone_Type, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, TypeSpec, bind, intern, payload, raise, state, typeobject};

/// Flags of parameters.
const PARAMETER: u64 = GC | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF;

/// Calls a function of `typing`.
///
/// # Errors
/// What it raises.
fn call_typing(name: &str, args: &[&Object]) -> PyResult {
    let typing = (state::interp().hooks.get().import_module)("typing")?;
    typing.getattr(&*Str::from_utf8(name)?)?.call(args)
}

/// A type as an argument of a parameter: `None` stands for its type.
fn check_type(argument: &Object, message: &str) -> PyResult {
    if is_none(argument) {
        return Ok(_PyNone_Type.new_ref());
    }
    call_typing("_type_check", &[argument, &*Str::from_utf8(message)?])
}

/// `NoDefault`.
pub struct NoDefault;
payload!(NoDefault, NO_DEFAULT, c"NoDefaultType", 0, []);

struct TheOne(Ref);

/// The object that says that there is no default.
///
/// # Errors
/// `MemoryError`.
pub fn no_default() -> PyResult {
    let fresh = native_new(&NO_DEFAULT, NoDefault)?.upcast();
    Ok(state::interp().extension(|| TheOne(fresh)).0.clone())
}

fn is_no_default(object: &Object) -> bool {
    object.is_exact(&NO_DEFAULT)
}

fn no_default_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("NoDefaultType takes no arguments"));
    }
    no_default()
}

taipan_object::methods! { static NO_DEFAULT_METHODS = {
    noargs "__reduce__" "($self, /)" = |_: &Object| "NoDefault", "Describe the object for pickling: by its name.";
} }

static NO_DEFAULT_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The type of NoDefault, which says that a type parameter has no default."),
    slots: &[Native::<NoDefault>::DEALLOC, tp_new(no_default_new), tp_repr(|_: &Object| "typing.NoDefault")],
    methods: NO_DEFAULT_METHODS,
    ..TypeSpec::new(&NO_DEFAULT)
};

/// The evaluator of a value that is known already.
pub struct ConstEvaluator {
    value: Ref,
}
payload!(ConstEvaluator, CONST_EVALUATOR, c"_typing._ConstEvaluator", GC, [value]);

fn const_evaluator(value: &Object) -> PyResult {
    native_new(&CONST_EVALUATOR, ConstEvaluator { value: value.new_ref() })?.into_py()
}

/// The format that asks for source text.
const FORMAT_STRING: i32 = 4;

/// How a type is written in an annotation.
fn type_text(value: &Object) -> PyResult<String> {
    if value.is(taipan_object::singletons::ellipsis()) {
        return Ok("...".to_owned());
    }
    if let Some(class) = value.downcast::<Type>() {
        let module = class.getattr_opt(intern!("__module__"))?;
        if let (Some(name), Some(module)) = (class.getattr_opt(intern!("__qualname__"))?, module)
            && !is_none(&module)
        {
            let (name, module) = (name.str_lossy(), module.str_lossy());
            return Ok(if module == "builtins" { name } else { format!("{module}.{name}") });
        }
    }
    Ok(value.repr()?.to_lossy())
}

fn const_call(evaluator: &Native<ConstEvaluator>, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "constevaluator.__call__" "(format, /)", args, kwargs);
    if bound.required(0).to_i32()? != FORMAT_STRING {
        return Ok(evaluator.value.clone());
    }
    match evaluator.value.downcast::<Tuple>() {
        Some(all) => {
            let texts: PyResult<Vec<String>> = all.items().iter().map(|item| type_text(item)).collect();
            format!("({})", texts?.join(", ")).into_py()
        }
        None => type_text(&evaluator.value)?.into_py(),
    }
}

fn const_repr(evaluator: &Native<ConstEvaluator>) -> PyResult<String> {
    Ok(format!("<constevaluator {}>", evaluator.value.repr()?.to_lossy()))
}

static CONST_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"_ConstEvaluator()\n--\n\nGives a type parameter's value that was known from the beginning."),
    slots: &[
        Native::<ConstEvaluator>::DEALLOC,
        Native::<ConstEvaluator>::TRAVERSE,
        Native::<ConstEvaluator>::CLEAR,
        tp_call(const_call),
        tp_repr(const_repr),
    ],
    ..TypeSpec::new(&CONST_EVALUATOR)
};

/// A value that is computed when first asked for.
#[derive(Default)]
struct Lazy {
    value: Field,
    evaluator: Field,
}

impl Lazy {
    fn known(value: Option<&Object>) -> Self {
        Self { value: Field::new(value.map(Object::new_ref)), evaluator: Field::default() }
    }

    fn later(evaluator: Option<&Object>) -> Self {
        Self { value: Field::default(), evaluator: Field::new(evaluator.map(Object::new_ref)) }
    }

    /// The value; computed now if need be.
    fn get(&self) -> PyResult<Option<Ref>> {
        if let Some(value) = self.value.get() {
            return Ok(Some(value));
        }
        let Some(evaluator) = self.evaluator.get() else { return Ok(None) };
        let value = vectorcall(&evaluator, &[int::small(1)], None)?;
        self.value.set(Some(value.clone()));
        Ok(Some(value))
    }

    /// What computes the value, or `None`.
    fn evaluator(&self) -> PyResult {
        if let Some(evaluator) = self.evaluator.get() {
            return Ok(evaluator);
        }
        match self.value.get() {
            Some(value) if !is_no_default(&value) => const_evaluator(&value),
            _ => Ok(none().new_ref()),
        }
    }

    /// The default of a parameter.
    fn default_value(&self) -> PyResult {
        match self.get()? {
            Some(value) => Ok(value),
            None => no_default(),
        }
    }

    /// Whether a default was given.
    fn has_default(&self) -> bool {
        self.evaluator.get().is_some() || self.value.get().is_some_and(|value| !is_no_default(&value))
    }

    fn release_all(&self) {
        self.value.set(None);
        self.evaluator.set(None);
    }
}

impl Held for Lazy {
    fn show(&self, visitor: &mut Visitor) {
        self.value.show(visitor);
        self.evaluator.show(visitor);
    }

    fn release(&self) {
        self.release_all();
    }
}

/// In which direction subtypes go.
#[derive(Default)]
struct Variance {
    covariant: Cell<bool>,
    contravariant: Cell<bool>,
    inferred: Cell<bool>,
}

impl Variance {
    fn new(covariant: bool, contravariant: bool, inferred: bool) -> PyResult<Self> {
        if covariant && contravariant {
            return Err(taipan_object::err::value_error("Bivariant types are not supported."));
        }
        if inferred && (covariant || contravariant) {
            return Err(taipan_object::err::value_error("Variance cannot be specified with infer_variance."));
        }
        Ok(Self {
            covariant: Cell::new(covariant),
            contravariant: Cell::new(contravariant),
            inferred: Cell::new(inferred),
        })
    }

    fn sign(&self) -> &'static str {
        match (self.inferred.get(), self.covariant.get(), self.contravariant.get()) {
            (true, _, _) => "",
            (_, true, _) => "+",
            (_, _, true) => "-",
            _ => "~",
        }
    }
}

/// Notes the module in which a parameter is made.
fn set_module(object: &Object) -> PyResult<()> {
    match current_module_name() {
        Some(name) => object.setattr(intern!("__module__"), Some(&name)),
        None => Ok(()),
    }
}

fn no_subclass(what: &str) -> PyResult {
    Err(raise!(PyExc_TypeError, "Cannot subclass an instance of {what}"))
}

/// `a | b` where one is a parameter or alias.
fn make_union(left: &Object, right: &Object) -> PyResult {
    let wrong = |object: &Object| {
        // Texts stand for types that come later.
        object.downcast::<Str>().is_some()
    };
    if wrong(left) || wrong(right) {
        let convert = |object: &Object| {
            if wrong(object) {
                check_type(object, "Union[arg, ...]: each arg must be a type.")
            } else {
                Ok(object.new_ref())
            }
        };
        return union::make(&[&*convert(left)?, &*convert(right)?]);
    }
    union::make(&[left, right])
}

/// A name given to a constructor.
fn name_argument<'a>(argument: &'a Object, function: &str) -> PyResult<&'a Str> {
    argument.downcast::<Str>().ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "{function}() argument 'name' must be str, not {}",
            if is_none(argument) { "None" } else { argument.ty().name() }
        )
    })
}

/// Sets how the default of a parameter is computed (`INTRINSIC_SET_TYPEPARAM_DEFAULT`).
///
/// # Errors
/// `TypeError` for things that are no parameters.
pub fn set_default(parameter: &Object, evaluator: &Object) -> PyResult {
    let lazy = if let Some(parameter) = parameter.downcast::<Native<typevar::TypeVar>>() {
        &parameter.default
    } else if let Some(parameter) = parameter.downcast::<Native<paramspec::ParamSpec>>() {
        &parameter.default
    } else if let Some(parameter) = parameter.downcast::<Native<typevartuple::TypeVarTuple>>() {
        &parameter.default
    } else {
        return Err(raise!(PyExc_TypeError, "Expected a type param, got {}", parameter.repr()?.to_lossy()));
    };
    lazy.evaluator.set(Some(evaluator.new_ref()));
    Ok(parameter.new_ref())
}

/// Fills the types.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn install() -> PyResult<()> {
    for spec in [
        &NO_DEFAULT_SPEC,
        &CONST_SPEC,
        &typevar::SPEC,
        &paramspec::SPEC,
        &paramspec::ARGS_SPEC,
        &paramspec::KWARGS_SPEC,
        &typevartuple::SPEC,
        &alias::SPEC,
        &generic::SPEC,
    ] {
        typeobject::install(spec)?;
    }
    Ok(())
}
