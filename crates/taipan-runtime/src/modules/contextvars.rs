//! `_contextvars`: variables whose values belong to a context (PEP 567).
//!
//! Problem: copying a context must cost nothing, since every task copies one. Idea: a context holds a dict
//! that is never changed while another context may hold it too; the first change after a copy makes the
//! context's own. Which context is current stands in the thread state.

use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::err::{key_error, runtime_error, type_error, value_error};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, abi, intern, methods, payload, protocol, raise, state};

/// A context: what each variable is set to.
pub struct Context {
    values: Field,
    /// Another context may hold the same dict.
    shared: Cell<bool>,
    /// The context that was current when this one was entered; set while it is entered.
    previous: Field,
    entered: Cell<bool>,
}
payload!(
    Context,
    CONTEXT,
    c"_contextvars.Context",
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_MANAGED_WEAKREF,
    [values, previous]
);
type ContextView = Native<Context>;

fn new_context(values: Option<Ref>) -> PyResult<Ref<ContextView>> {
    let shared = Cell::new(values.is_some());
    let context =
        Context { values: Field::new(values), shared, previous: Field::empty(), entered: Cell::new(false) };
    native_new(&CONTEXT, context)
}

/// The current context of this thread, made if there is none.
fn current() -> PyResult<Ref<ContextView>> {
    if let Some(found) = state::context()
        && let Ok(context) = found.downcast_owned::<ContextView>()
    {
        return Ok(context);
    }
    let made = new_context(None)?;
    state::set_context(Some(made.clone().upcast()));
    Ok(made)
}

impl Context {
    fn dict(&self) -> Option<Ref<Dict>> {
        self.values.get().and_then(|values| values.downcast_owned().ok())
    }

    /// The context's own dict, to be changed.
    fn own(&self) -> PyResult<Ref<Dict>> {
        let own = match self.dict() {
            Some(dict) if !self.shared.get() => return Ok(dict),
            Some(dict) => dict.copy()?,
            None => Dict::new()?,
        };
        self.values.set(Some(own.clone().upcast()));
        self.shared.set(false);
        Ok(own)
    }

    fn lookup(&self, var: &Object) -> PyResult<Option<Ref>> {
        match self.dict() {
            Some(dict) => dict.get(var),
            None => Ok(None),
        }
    }
}

fn context_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("Context() does not accept any arguments"));
    }
    Ok(new_context(None)?.upcast())
}

fn copy(context: &ContextView) -> PyResult {
    context.shared.set(true);
    Ok(new_context(context.values.get())?.upcast())
}

fn enter(context: &ContextView) -> PyResult<()> {
    if context.entered.get() {
        return Err(raise!(
            PyExc_RuntimeError,
            "cannot enter context: {} is already entered",
            context.object().repr_lossy()
        ));
    }
    context.previous.set(Some(current()?.upcast()));
    context.entered.set(true);
    state::set_context(Some(context.object().new_ref()));
    Ok(())
}

fn leave(context: &ContextView) {
    state::set_context(context.previous.take());
    context.entered.set(false);
}

fn run(context: &ContextView, args: CallArgs<'_>) -> PyResult {
    let Some((function, rest)) = args.positional().split_first() else {
        return Err(type_error("run() missing 1 required positional argument"));
    };
    enter(context)?;
    let result = protocol::vectorcall_with_dict(function, rest, args.keywords_dict()?.as_deref());
    leave(context);
    result
}

fn as_var(object: &Object) -> PyResult<()> {
    if object.downcast::<VarView>().is_some() {
        return Ok(());
    }
    Err(raise!(PyExc_TypeError, "a ContextVar key was expected, got {}", object.repr_lossy()))
}

fn context_item(context: &ContextView, var: &Object) -> PyResult {
    as_var(var)?;
    context.lookup(var)?.ok_or_else(|| key_error(var))
}

fn context_contains(context: &ContextView, var: &Object) -> PyResult<bool> {
    as_var(var)?;
    Ok(context.lookup(var)?.is_some())
}

fn context_get(context: &ContextView, args: &Args<'_>) -> PyResult {
    as_var(args.required(0))?;
    match context.lookup(args.required(0))? {
        Some(value) => Ok(value),
        None => Ok(args.get(1).map_or_else(new_none, Object::new_ref)),
    }
}

/// A method of a copy of the dict: the context may change while its result is used.
fn of_dict(context: &ContextView, method: &Str) -> PyResult {
    let dict = match context.dict() {
        Some(dict) => dict.copy()?,
        None => Dict::new()?,
    };
    dict.call_method(method, &[])
}

fn context_compare(context: &ContextView, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<ContextView>() else {
        return Ok(taipan_object::singletons::not_implemented().new_ref());
    };
    let (ours, theirs) = (context.dict(), other.dict());
    let empty = Dict::new()?;
    let (ours, theirs) = (ours.as_deref().unwrap_or(&empty), theirs.as_deref().unwrap_or(&empty));
    match op {
        CompareOp::Eq | CompareOp::Ne => protocol::richcompare(ours, theirs, op),
        _ => Ok(taipan_object::singletons::not_implemented().new_ref()),
    }
}

methods! { static CONTEXT_METHODS = {
    noargs "copy" "($self, /)" = copy, "A context with the same values.";
    keywords "run" "($self, /, callable, *args, **kwargs)" = run, "Call something while this context is current.";
    args "get" "($self, key, default=None, /)" = context_get, "A variable's value, or the default.";
    noargs "keys" "($self, /)" = |context: &ContextView| of_dict(context, intern!("keys")), "The variables that are set.";
    noargs "values" "($self, /)" = |context: &ContextView| of_dict(context, intern!("values")), "Their values.";
    noargs "items" "($self, /)" = |context: &ContextView| of_dict(context, intern!("items")), "Both, as pairs.";
} }

static CONTEXT_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Context()\n--\n\nA mapping of context variables to their values."),
    slots: &[
        ContextView::DEALLOC,
        ContextView::TRAVERSE,
        ContextView::CLEAR,
        tp_new(context_new),
        tp_iter(|context: &ContextView| -> PyResult { of_dict(context, intern!("keys"))?.iter() }),
        tp_richcompare(context_compare),
        mp_length(|context: &ContextView| Ok(context.dict().map_or(0, |dict| dict.len()).cast_signed())),
        mp_subscript(context_item),
        sq_contains(context_contains),
    ],
    methods: CONTEXT_METHODS,
    ..TypeSpec::new(&CONTEXT)
};

/// A context variable.
pub struct Var {
    name: Ref,
    default: Field,
}
payload!(
    Var,
    VAR,
    c"_contextvars.ContextVar",
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_MANAGED_WEAKREF,
    [name, default]
);
type VarView = Native<Var>;

fn var_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    taipan_object::bind!(bound = "ContextVar" "(name, /, *, default=<unrepresentable>)", args, kwargs);
    if bound.required(0).downcast::<Str>().is_none() {
        return Err(type_error("context variable name must be a str"));
    }
    let default = Field::new(bound.get(1).map(Object::new_ref));
    Ok(native_new(&VAR, Var { name: bound.required(0).new_ref(), default })?.upcast())
}

fn var_get(var: &VarView, args: &Args<'_>) -> PyResult {
    if let Some(context) = state::context().and_then(|context| context.downcast_owned::<ContextView>().ok())
        && let Some(value) = context.lookup(var.object())?
    {
        return Ok(value);
    }
    if let Some(default) = args.get(0) {
        return Ok(default.new_ref());
    }
    var.default.get().ok_or_else(|| taipan_object::PyErr::with_args(&PyExc_LookupError, &[var.object()]))
}

fn var_set(var: &VarView, value: &Object) -> PyResult {
    let context = current()?;
    let old = context.lookup(var.object())?;
    context.own()?.set(var.object(), value)?;
    let token = Token {
        context: Field::new(Some(context.upcast())),
        var: Field::of(var.object()),
        old: Field::new(old),
        used: Cell::new(false),
    };
    Ok(native_new(&TOKEN, token)?.upcast())
}

fn var_reset(var: &VarView, token: &Object) -> PyResult<()> {
    let Some(token) = token.downcast::<TokenView>() else {
        return Err(raise!(PyExc_TypeError, "expected an instance of Token, got {}", token.repr_lossy()));
    };
    if token.used.get() {
        return Err(raise!(PyExc_RuntimeError, "{} has already been used once", token.object().repr_lossy()));
    }
    if !token.var.get().is_some_and(|other| other.is(var.object())) {
        return Err(value_error(&format!(
            "{} was created by a different ContextVar",
            token.object().repr_lossy()
        )));
    }
    let context = current()?;
    if !token.context.get().is_some_and(|other| other.is(context.object())) {
        return Err(value_error(&format!(
            "{} was created in a different Context",
            token.object().repr_lossy()
        )));
    }
    token.used.set(true);
    let dict = context.own()?;
    match token.old.get() {
        Some(old) => dict.set(var.object(), &old),
        None => dict.remove(var.object()).map(|_| ()),
    }
}

fn var_repr(var: &VarView) -> PyResult<String> {
    let default = match var.default.get() {
        Some(default) => format!(" default={}", default.repr()?.to_lossy()),
        None => String::new(),
    };
    Ok(format!(
        "<ContextVar name={}{default} at {:#x}>",
        var.name.repr()?.to_lossy(),
        var.object().as_ptr().addr()
    ))
}

fn generic_alias(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

methods! { static VAR_METHODS = {
    args "get" "($self, default=<unrepresentable>, /)" = var_get, "The value in the current context, or a default.";
    one "set" "($self, value, /)" = var_set, "Set the value in the current context; gives a token for reset().";
    one "reset" "($self, token, /)" = var_reset, "Undo the set() that gave the token.";
    class one "__class_getitem__" "($type, object, /)" = generic_alias, "ContextVar with a type parameter.";
} }

static VAR_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"ContextVar(name, /, *, default=<unrepresentable>)\n--\n\nA variable whose value belongs to the context."),
    slots: &[VarView::DEALLOC, VarView::TRAVERSE, VarView::CLEAR, tp_new(var_new), tp_repr(var_repr)],
    methods: VAR_METHODS,
    getset: &[getset_row(c"name", |var: &VarView| var.name.clone(), c"the variable's name")],
    ..TypeSpec::new(&VAR)
};

/// What undoes a `set()`.
pub struct Token {
    context: Field,
    var: Field,
    old: Field,
    used: Cell<bool>,
}
payload!(Token, TOKEN, c"_contextvars.Token", GC, [context, var, old]);
type TokenView = Native<Token>;

struct Missing;
payload!(Missing, MISSING, c"Token.MISSING", 0, []);

static MISSING_SPEC: TypeSpec = TypeSpec {
    slots: &[Native::<Missing>::DEALLOC, tp_repr(|_: &Native<Missing>| "<Token.MISSING>")],
    ..TypeSpec::new(&MISSING)
};

struct MissingObject(Ref);

fn missing() -> Ref {
    let made = state::interp()
        .extension(|| MissingObject(native_new(&MISSING, Missing).map_or_else(|_| new_none(), Ref::upcast)));
    made.0.clone()
}

fn token_repr(token: &TokenView) -> PyResult<String> {
    let var = token.var.get().unwrap_or_else(new_none);
    Ok(format!(
        "<Token{} var={} at {:#x}>",
        if token.used.get() { " used" } else { "" },
        var.repr()?.to_lossy(),
        token.object().as_ptr().addr()
    ))
}

fn token_new(_: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Err(runtime_error("Tokens can only be created by ContextVars"))
}

fn token_exit(token: &TokenView, _: &Args<'_>) -> PyResult<()> {
    match token.var.get().and_then(|var| var.downcast_owned::<VarView>().ok()) {
        Some(var) => var_reset(&var, token.object()),
        None => Ok(()),
    }
}

methods! { static TOKEN_METHODS = {
    noargs "__enter__" "($self, /)" = |token: &TokenView| token.object().new_ref(), "Give the token itself.";
    args "__exit__" "($self, type=None, value=None, traceback=None, /)" = token_exit, "Undo the set() that gave the token.";
    class one "__class_getitem__" "($type, object, /)" = generic_alias, "Token with a type parameter.";
} }

static TOKEN_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"What ContextVar.set() gives and ContextVar.reset() takes."),
    slots: &[
        TokenView::DEALLOC,
        TokenView::TRAVERSE,
        TokenView::CLEAR,
        tp_new(token_new),
        tp_repr(token_repr),
    ],
    methods: TOKEN_METHODS,
    getset: &[
        getset_row(c"var", |token: &TokenView| token.var.get(), c"the variable"),
        getset_row(
            c"old_value",
            |token: &TokenView| token.old.get().unwrap_or_else(missing),
            c"the value before, or Token.MISSING",
        ),
    ],
    ..TypeSpec::new(&TOKEN)
};

methods! { static METHODS = {
    noargs "copy_context" "($module, /)" = |_: &Object| -> PyResult { copy(&*current()?) }, "A copy of the current context.";
} }

fn init(module: &Module) -> PyResult<()> {
    make_ready(&MISSING_SPEC)?;
    for spec in [&CONTEXT_SPEC, &VAR_SPEC, &TOKEN_SPEC] {
        add_type(module, spec)?;
    }
    let token: &Type = &TOKEN;
    token.set_own("MISSING", &missing())
}

/// `_contextvars`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_contextvars", doc: "Context variables.", methods: METHODS, init };
