//! Context variables (PEP 567): `Context`, `ContextVar` and `Token`.
//!
//! A context holds its values in a dict that copies share: whoever changes it first, while it is
//! shared, makes a copy of its own. The context of a thread stands in the thread state, where C
//! extensions expect it.

use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, key_error, runtime_error, type_error, value_error};
use taipan_object::native::*;
use taipan_object::protocol::vectorcall;
use taipan_object::singletons::{none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, TypeSpec, bind, payload, raise, state, typeobject};

/// A context. The type keeps its list of weak references behind these fields.
pub struct Context {
    /// A dict, or nothing for an empty context.
    values: Field,
    entered: Cell<bool>,
}
const _: () = assert!(Native::<Context>::SIZE <= 32);

impl Payload for Context {
    const TYPE: &'static StaticType = &PyContext_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.values.show(visitor);
    }
    fn clear(&self) {
        self.values.release();
    }
}

type View = Native<Context>;

fn new_context(values: Option<Ref<Dict>>) -> PyResult<Ref<View>> {
    let values = Field::new(values.map(Ref::upcast));
    native_new(&PyContext_Type, Context { values, entered: Cell::new(false) })
}

/// The thread's context, made now if need be.
fn current() -> PyResult<Ref<View>> {
    if let Some(found) = state::context()
        && let Ok(context) = found.downcast_owned::<View>()
    {
        return Ok(context);
    }
    let made = new_context(None)?;
    state::set_context(Some(made.clone().upcast()));
    Ok(made)
}

/// Gives the thread's context a new version: who noted a value of it has to look again.
fn new_version() {
    state::set_context(state::context());
}

impl Context {
    fn dict(&self) -> Option<Ref<Dict>> {
        self.values.get().and_then(|values| values.downcast_owned().ok())
    }

    /// The values as they are now; whoever holds them keeps them as they are.
    fn snapshot(&self) -> PyResult<Ref<Dict>> {
        if let Some(values) = self.dict() {
            return Ok(values);
        }
        let values = Dict::new()?;
        self.values.set(Some(values.clone().upcast()));
        Ok(values)
    }

    fn get(&self, var: &Object) -> PyResult<Option<Ref>> {
        self.dict().map_or(Ok(None), |values| values.get(var))
    }

    /// A dict that nobody else holds.
    fn own_values(&self) -> PyResult<Ref<Dict>> {
        let shared = self.snapshot()?;
        // One reference here, one in the field.
        if shared.refcount() <= 2 {
            return Ok(shared);
        }
        let own = shared.copy()?;
        self.values.set(Some(own.clone().upcast()));
        Ok(own)
    }
}

fn context_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("Context() does not accept any arguments"));
    }
    new_context(None)?.into_py()
}

fn copy(context: &View) -> PyResult<Ref<View>> {
    new_context(Some(context.snapshot()?))
}

/// A copy of the thread's context.
///
/// # Errors
/// `MemoryError`.
pub fn copy_current() -> PyResult {
    copy(&*current()?)?.into_py()
}

fn var_key(key: &Object) -> PyResult<&Object> {
    if key.is_exact(&PyContextVar_Type) {
        return Ok(key);
    }
    Err(raise!(PyExc_TypeError, "a ContextVar key was expected, got {}", key.repr()?.to_lossy()))
}

fn subscript(context: &View, key: &Object) -> PyResult {
    context.get(var_key(key)?)?.ok_or_else(|| key_error(key))
}

fn context_get(context: &View, args: &Args<'_>) -> PyResult {
    let found = context.get(var_key(args.required(0))?)?;
    Ok(found.unwrap_or_else(|| args.get(1).unwrap_or(none()).new_ref()))
}

fn contains(context: &View, key: &Object) -> PyResult<bool> {
    Ok(context.get(var_key(key)?)?.is_some())
}

fn compare(context: &View, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<View>()) else {
        return Ok(not_implemented().new_ref());
    };
    let same = context.snapshot()?.equals(&*other.snapshot()?)?;
    (same == (op == CompareOp::Eq)).into_py()
}

fn view(context: &View, name: &str) -> PyResult {
    context.snapshot()?.call_method(&*Str::from_utf8(name)?, &[])?.iter()
}

fn run(context: &View, args: CallArgs<'_>) -> PyResult {
    let Some((function, _)) = args.positional().split_first() else {
        return Err(type_error("run() missing 1 required positional argument"));
    };
    if context.entered.replace(true) {
        return Err(raise!(
            PyExc_RuntimeError,
            "cannot enter context: {} is already entered",
            context.object().repr()?.to_lossy()
        ));
    }
    let before = state::context();
    state::set_context(Some(context.object().new_ref()));
    let result = vectorcall(function, &args.all[1..], args.kwnames);
    let ours = state::context().is_some_and(|after| after.is(context.object()));
    state::set_context(before);
    context.entered.set(false);
    match result {
        Ok(_) if !ours => {
            Err(runtime_error("cannot exit context: thread state references a different context object"))
        }
        other => other,
    }
}

taipan_object::methods! { static CONTEXT_METHODS = {
    args "get" "($self, key, default=None, /)" = context_get, "The value of a variable, or the default when it has none here.";
    noargs "items" "($self, /)" = |context: &View| view(context, "items"), "Variables and their values.";
    noargs "keys" "($self, /)" = |context: &View| view(context, "keys"), "The variables that have a value here.";
    noargs "values" "($self, /)" = |context: &View| view(context, "values"), "The values of all variables.";
    noargs "copy" "($self, /)" = copy, "A context of its own with the same values.";
    keywords "run" "" = run, "Call a function so that this is its context.";
} }

static CONTEXT: TypeSpec = TypeSpec {
    doc: None,
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(context_new),
        tp_richcompare(compare),
        tp_iter(|context: &View| view(context, "keys")),
        mp_length(|context: &View| Ok(context.snapshot()?.len().cast_signed())),
        mp_subscript(subscript),
        sq_contains(contains),
    ],
    methods: CONTEXT_METHODS,
    ..TypeSpec::new(&PyContext_Type)
};

/// A context variable.
pub struct ContextVar {
    name: Ref<Str>,
    default: Field,
    hash: isize,
}
const _: () = assert!(Native::<ContextVar>::SIZE <= 64);

impl Payload for ContextVar {
    const TYPE: &'static StaticType = &PyContextVar_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.default.show(visitor);
    }
    fn clear(&self) {
        self.default.release();
    }
}

type Var = Native<ContextVar>;

fn var_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(given = "ContextVar" "(name, *, default=<unrepresentable>)", args, kwargs);
    let Some(name) = given.required(0).downcast::<Str>() else {
        return Err(type_error("context variable name must be a str"));
    };
    let payload = ContextVar {
        name: Ref::of(name),
        default: Field::new(given.get(1).map(Object::new_ref)),
        hash: name.hash(),
    };
    native_new(ty, payload)?.into_py()
}

fn var_get(var: &Var, args: &[&Object]) -> PyResult {
    if args.len() > 1 {
        return Err(raise!(PyExc_TypeError, "get expected at most 1 argument, got {}", args.len()));
    }
    if let Some(found) = current()?.get(var.object())? {
        return Ok(found);
    }
    if let Some(default) = args.first() {
        return Ok(default.new_ref());
    }
    var.default.get().ok_or_else(|| PyErr::with_args(&PyExc_LookupError, &[var.object()]))
}

fn var_set(var: &Var, value: &Object) -> PyResult {
    let context = current()?;
    let old = context.get(var.object())?;
    context.own_values()?.set(var.object(), value)?;
    new_version();
    let token = Token {
        context: Field::of(context.object()),
        var: Field::of(var.object()),
        old: Field::new(old),
        used: Cell::new(false),
    };
    native_new(&PyContextToken_Type, token)?.into_py()
}

fn var_reset(var: &Var, token: &Object) -> PyResult<()> {
    let Some(token) = token.downcast::<TokenView>() else {
        return Err(raise!(
            PyExc_TypeError,
            "expected an instance of Token, got {}",
            token.repr()?.to_lossy()
        ));
    };
    let shown = || Ok::<String, PyErr>(token.object().repr()?.to_lossy());
    if token.used.get() {
        return Err(runtime_error(&format!("{} has already been used once", shown()?)));
    }
    if !token.var.get().is_some_and(|own| own.is(var.object())) {
        return Err(value_error(&format!("{} was created by a different ContextVar", shown()?)));
    }
    let context = current()?;
    if !token.context.get().is_some_and(|own| own.is(context.object())) {
        return Err(value_error(&format!("{} was created in a different Context", shown()?)));
    }
    token.used.set(true);
    let values = context.own_values()?;
    new_version();
    match token.old.get() {
        Some(old) => values.set(var.object(), &old),
        None => match values.remove(var.object())? {
            Some(_) => Ok(()),
            None => Err(PyErr::with_args(&PyExc_LookupError, &[var.object()])),
        },
    }
}

fn var_repr(var: &Var) -> PyResult<String> {
    let default = match var.default.get() {
        None => String::new(),
        Some(default) => match taipan_object::protocol::repr_guard(var.object(), || default.repr())? {
            Some(default) => format!(" default={}", default.to_lossy()),
            None => " default=...".to_owned(),
        },
    };
    let address = var.object().as_ptr().addr();
    Ok(format!("<ContextVar name={}{default} at {address:#x}>", var.name.repr()?.to_lossy()))
}

fn var_hash(var: &Var) -> PyResult<isize> {
    let address = var.object().as_ptr().addr();
    let hash = var.hash ^ address.rotate_right(4).cast_signed();
    Ok(if hash == -1 { -2 } else { hash })
}

fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

taipan_object::methods! { static VAR_METHODS = {
    many "get" "($self, default=<unrepresentable>, /)" = var_get, "The value in the current context.\n\nWithout one there, the default given here, or that of the variable, or LookupError.";
    one "set" "($self, value, /)" = var_set, "Set the value in the current context; the token given back can undo it.";
    one "reset" "($self, token, /)" = var_reset, "Undo a set().";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
} }

static VAR: TypeSpec = TypeSpec {
    doc: None,
    slots: &[Var::DEALLOC, Var::TRAVERSE, Var::CLEAR, tp_new(var_new), tp_repr(var_repr), tp_hash(var_hash)],
    methods: VAR_METHODS,
    getset: &[getset_row(c"name", |var: &Var| var.name.clone(), c"").with_setter(read_only)],
    ..TypeSpec::new(&PyContextVar_Type)
};

/// What undoes a `set`.
pub struct Token {
    context: Field,
    var: Field,
    old: Field,
    used: Cell<bool>,
}
const _: () = assert!(Native::<Token>::SIZE <= 48);

impl Payload for Token {
    const TYPE: &'static StaticType = &PyContextToken_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.context.show(visitor);
        self.var.show(visitor);
        self.old.show(visitor);
    }
    fn clear(&self) {
        self.context.release();
        self.var.release();
        self.old.release();
    }
}

type TokenView = Native<Token>;

/// What stands for a value that was not there.
pub struct Missing;
payload!(Missing, MISSING, c"Token.MISSING", 0, []);

static MISSING_SPEC: TypeSpec = TypeSpec {
    slots: &[Native::<Missing>::DEALLOC, tp_repr(|_: &Object| "<Token.MISSING>")],
    ..TypeSpec::new(&MISSING)
};

struct TheMissing(Ref);

fn missing() -> PyResult {
    let fresh = native_new(&MISSING, Missing)?.upcast();
    Ok(state::interp().extension(|| TheMissing(fresh)).0.clone())
}

fn token_new(_: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Err(runtime_error("Tokens can only be created by ContextVars"))
}

fn token_repr(token: &TokenView) -> PyResult<String> {
    let used = if token.used.get() { " used" } else { "" };
    let var = match token.var.get() {
        Some(var) => var.repr()?.to_lossy(),
        None => "None".to_owned(),
    };
    Ok(format!("<Token{used} var={var} at {:#x}>", token.object().as_ptr().addr()))
}

fn token_exit(token: &TokenView, _: &[&Object]) -> PyResult<()> {
    let Some(var) = token.var.get() else { return Ok(()) };
    var.downcast::<Var>().map_or(Ok(()), |var| var_reset(var, token.object()))
}

taipan_object::methods! { static TOKEN_METHODS = {
    noargs "__enter__" "($self, /)" = |token: &TokenView| token.object().new_ref(), "The token itself.";
    many "__exit__" "($self, type, val, tb, /)" = token_exit, "Undo the set() that made the token.";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
} }

static TOKEN: TypeSpec = TypeSpec {
    doc: None,
    slots: &[
        TokenView::DEALLOC,
        TokenView::TRAVERSE,
        TokenView::CLEAR,
        tp_new(token_new),
        tp_repr(token_repr),
        raw_hash(taipan_object::protocol::PyObject_HashNotImplemented),
    ],
    methods: TOKEN_METHODS,
    getset: &[
        getset_row(c"var", |token: &TokenView| token.var.get(), c""),
        getset_row(
            c"old_value",
            |token: &TokenView| -> PyResult { token.old.get().map_or_else(missing, Ok) },
            c"",
        ),
    ],
    ..TypeSpec::new(&PyContextToken_Type)
};

/// Fills the types.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn install() -> PyResult<()> {
    for spec in [&CONTEXT, &VAR, &TOKEN, &MISSING_SPEC] {
        typeobject::install(spec)?;
    }
    let ty: &Type = &PyContextToken_Type;
    ty.set_own("MISSING", &*missing()?)
}
