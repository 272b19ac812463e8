//! Exception groups (PEP 654): `BaseExceptionGroup`, `ExceptionGroup`, and what `except*` needs.
//!
//! Splitting walks the tree of groups; each node whose exceptions are divided is rebuilt by its
//! `derive` method, so that subclasses keep their class. `ExceptionGroup` has two bases and is
//! therefore a class made at run time, one per interpreter.

use super::base::{self, fields, lifetime};
use crate::arguments::typed;
use crate::util;
use core::mem::offset_of;
use std::collections::HashSet;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyErr, PyResult, exception_args, system_error, type_error, value_error};
use taipan_object::handle::set_field;
use taipan_object::list::List;
use taipan_object::native::{self, IntoPy, Member, Slot, TypeSpec};
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::{self, TypeParts};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern, layout, protocol, raise, state};

layout!(
    /// A `BaseExceptionGroup`.
    ExceptionGroup, PyBaseExceptionGroupObject, "BaseExceptionGroup",
    |o| o.ty().is_subtype(&PyExc_BaseExceptionGroup)
);
fields!(GroupFields, PyBaseExceptionGroupObject, [msg, excs, excs_str]);

/// The class `ExceptionGroup` of an interpreter.
struct GroupClass(Ref<Type>);

/// Makes `ExceptionGroup` from `BaseExceptionGroup` and `Exception`.
pub(super) fn make_exception_group() -> PyResult<()> {
    let (group, exception): (&Type, &Type) = (&PyExc_BaseExceptionGroup, &PyExc_Exception);
    let namespace = Dict::new()?;
    namespace.set_str(intern!("__module__"), intern!("builtins"))?;
    let class = typeobject::type_new(&TypeParts {
        metatype: &PyType_Type,
        name: intern!("ExceptionGroup"),
        bases: &*Tuple::from_refs(&[group, exception])?,
        namespace: &namespace,
        kwargs: None,
    })?;
    state::interp().extension(|| GroupClass(class));
    Ok(())
}

/// The type `ExceptionGroup`.
pub fn exception_group_type() -> &'static Type {
    let made: &'static GroupClass =
        state::interp().extension(|| unreachable!("the exceptions are installed before any program runs"));
    &made.0
}

impl ExceptionGroup {
    /// The exceptions in the group.
    pub fn exceptions(&self) -> Ref<Tuple> {
        // SAFETY: the view guarantees the layout.
        let excs = unsafe { util::field(&raw mut (*self.raw()).excs) };
        excs.and_then(|excs| excs.downcast_owned::<Tuple>().ok()).unwrap_or_else(Tuple::empty)
    }

    fn message(&self) -> Ref {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).msg) }.unwrap_or_else(new_none)
    }

    fn as_exception(&self) -> &Exception {
        // SAFETY: the layout begins with that of `BaseException`.
        unsafe { self.cast() }
    }
}

/// `PySequence_Check`.
fn is_sequence(object: &Object) -> bool {
    if object.downcast::<Dict>().is_some() {
        return false;
    }
    // SAFETY: a live type.
    unsafe { (*object.ty().raw()).tp_as_sequence.as_ref().is_some_and(|table| table.sq_item.is_some()) }
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    const FUNCTION: &str = "BaseExceptionGroup.__new__()";
    let [message, exceptions] = args.items() else {
        return Err(raise!(PyExc_TypeError, "{FUNCTION} takes exactly 2 arguments ({} given)", args.len()));
    };
    let message: &Str = typed(FUNCTION, 1, message)?;
    if !is_sequence(exceptions) {
        return Err(type_error("second argument (exceptions) must be a sequence"));
    }
    let plain = exceptions.is_exact(&PyTuple_Type) || exceptions.is_exact(&PyList_Type);
    // Other sequences are shown as they were at this moment.
    let shown = if plain { None } else { Some(exceptions.repr()?.upcast()) };
    let members = Tuple::from_vec(protocol::to_vec(exceptions)?)?;
    if members.is_empty() {
        return Err(value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let exception: &Type = &PyExc_Exception;
    let mut only_exceptions = true;
    for (index, member) in members.items().iter().enumerate() {
        if member.downcast::<Exception>().is_none() {
            return Err(value_error(&format!(
                "Item {index} of second argument (exceptions) is not an exception"
            )));
        }
        only_exceptions &= member.ty().is_subtype(exception);
    }
    let base: &Type = &PyExc_BaseExceptionGroup;
    let group = exception_group_type();
    let ty = if ty.is(base) && only_exceptions { group } else { ty };
    if !only_exceptions && ty.is(group) {
        return Err(type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
    }
    if !only_exceptions && ty.is_subtype(exception) {
        return Err(raise!(PyExc_TypeError, "Cannot nest BaseExceptions in '{}'", ty.message_name()));
    }
    let made = base::new(ty, args, kwargs)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = made.raw_as::<PyBaseExceptionGroupObject>();
        set_field(&raw mut (*raw).msg, Some(message.new_ref()));
        set_field(&raw mut (*raw).excs, Some(members.upcast()));
        set_field(&raw mut (*raw).excs_str, shown);
    }
    Ok(made)
}

fn init(group: &ExceptionGroup, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    base::init(group.as_exception(), args, kwargs)
}

fn str(group: &ExceptionGroup) -> PyResult {
    let count = group.exceptions().len();
    let plural = if count == 1 { "" } else { "s" };
    format!("{} ({count} sub-exception{plural})", group.message().str()?.to_lossy()).into_py()
}

fn repr(group: &ExceptionGroup) -> PyResult {
    // SAFETY: the view guarantees the layout.
    let shown = unsafe { util::field(&raw mut (*group.raw()).excs_str) };
    let members = group.exceptions();
    let members = match shown {
        Some(shown) => shown.str()?,
        None => {
            let args = exception_args(group.as_exception());
            if args.len() == 2 && args.items()[1].downcast::<List>().is_some() {
                List::from_vec(members.items().iter().map(|member| member.new_ref()).collect())?.repr()?
            } else {
                members.repr()?
            }
        }
    };
    format!("{}({}, {})", group.ty().name(), group.message().repr()?.to_lossy(), members.to_lossy()).into_py()
}

fn derive(group: &ExceptionGroup, exceptions: &Object) -> PyResult {
    let base: &Type = &PyExc_BaseExceptionGroup;
    base.call(&[&group.message(), exceptions])
}

/// What decides which exceptions of a group are wanted.
enum Matcher<'a> {
    /// An exception type or a tuple of such.
    Type(&'a Object),
    /// A function of the exception.
    Predicate(&'a Object),
    /// Identity with one of these leaves.
    Leaves(&'a HashSet<*mut PyObject>),
}

/// Whether an exception is an instance of a type, or of one in a tuple (`PyErr_GivenExceptionMatches`).
pub fn exception_matches(exception: &Object, wanted: &Object) -> bool {
    if let Some(many) = wanted.downcast::<Tuple>() {
        return many.items().iter().any(|wanted| exception_matches(exception, wanted));
    }
    let class = match exception.downcast::<Exception>() {
        Some(exception) => exception.ty(),
        None => match exception.downcast::<Type>() {
            Some(class) => class,
            None => return exception.is(wanted),
        },
    };
    match wanted.downcast::<Type>() {
        Some(wanted) if is_exception_type(wanted) && is_exception_type(class) => class.is_subtype(wanted),
        _ => class.is(wanted),
    }
}

/// A new exception class: `module.Name`, with a class or a tuple of them as bases and a namespace
/// (`PyErr_NewExceptionWithDoc`).
///
/// # Errors
/// `SystemError` for a name without a module; what making a class raises.
pub fn new_exception_class(
    full: &str,
    doc: Option<&Str>,
    base: Option<&Object>,
    namespace: Option<&Object>,
) -> PyResult {
    let Some((module, name)) = full.rsplit_once('.') else {
        return Err(system_error("PyErr_NewException: name must be module.class"));
    };
    let dict = match namespace {
        Some(given) => Ref::of(
            given.downcast::<Dict>().ok_or_else(|| system_error("bad argument to internal function"))?,
        ),
        None => Dict::new()?,
    };
    if !dict.contains(intern!("__module__"))? {
        dict.set_str(intern!("__module__"), &*Str::from_utf8(module)?)?;
    }
    if let Some(doc) = doc {
        dict.set_str(intern!("__doc__"), doc)?;
    }
    let exception: &Type = &PyExc_Exception;
    let base = base.unwrap_or(exception);
    let bases = match base.downcast::<Tuple>() {
        Some(bases) => Ref::of(bases),
        None => Tuple::from_refs(&[base])?,
    };
    PyType_Type.call(&[&*Str::from_utf8(name)?, &bases, &dict])
}

fn is_exception_type(object: &Object) -> bool {
    object.downcast::<Type>().is_some_and(|ty| ty.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS))
}

impl<'a> Matcher<'a> {
    fn new(value: &'a Object) -> PyResult<Self> {
        if value.is_callable() && value.downcast::<Type>().is_none() {
            return Ok(Self::Predicate(value));
        }
        let types = value.downcast::<Tuple>().map_or_else(
            || is_exception_type(value),
            |many| many.items().iter().all(|ty| is_exception_type(ty)),
        );
        if types {
            return Ok(Self::Type(value));
        }
        Err(type_error(
            "expected an exception type, a tuple of exception types, or a callable (other than a class)",
        ))
    }

    fn matches(&self, exception: &Object) -> PyResult<bool> {
        match self {
            Self::Type(wanted) => Ok(exception_matches(exception, wanted)),
            Self::Predicate(function) => function.call(&[exception])?.is_true(),
            Self::Leaves(leaves) => {
                Ok(exception.downcast::<ExceptionGroup>().is_none() && leaves.contains(&exception.as_ptr()))
            }
        }
    }
}

/// The part of an exception (or group) that matches, and what is left.
fn divide(
    exception: &Object,
    matcher: &Matcher<'_>,
    want_rest: bool,
) -> PyResult<(Option<Ref>, Option<Ref>)> {
    if matcher.matches(exception)? {
        return Ok((Some(exception.new_ref()), None));
    }
    let Some(group) = exception.downcast::<ExceptionGroup>() else {
        return Ok((None, want_rest.then(|| exception.new_ref())));
    };
    let (mut matching, mut rest) = (Vec::new(), Vec::new());
    for member in group.exceptions().items() {
        let (yes, no) =
            protocol::recursive(" in exceptiongroup_split_recursive", || divide(member, matcher, want_rest))?;
        matching.extend(yes);
        rest.extend(no);
    }
    let matched = subset(group, matching)?;
    let rest = if want_rest { subset(group, rest)? } else { None };
    Ok((matched, rest))
}

/// A group like `group` of these exceptions, with its traceback, cause, context and notes.
fn subset(group: &ExceptionGroup, members: Vec<Ref>) -> PyResult<Option<Ref>> {
    if members.is_empty() {
        return Ok(None);
    }
    let members = List::from_vec(members)?;
    let made = group.call_method(intern!("derive"), &[&members])?;
    let Some(new) = made.downcast::<ExceptionGroup>() else {
        return Err(type_error("derive must return an instance of BaseExceptionGroup"));
    };
    let (old, new) = (group.as_exception(), new.as_exception());
    if let Some(traceback) = old.traceback() {
        new.set_traceback(Some(traceback));
    }
    new.set_context(old.context());
    new.set_cause(old.cause());
    let name = intern!("__notes__");
    if let Some(notes) = old.getattr_opt(name)?
        && is_sequence(&notes)
    {
        let copy = List::from_vec(protocol::to_vec(&notes)?)?;
        new.setattr(name, Some(&copy))?;
    }
    Ok(Some(made))
}

fn split(group: &ExceptionGroup, matcher: &Object) -> PyResult {
    let (matched, rest) = divide(group, &Matcher::new(matcher)?, true)?;
    Tuple::from_array([matched.unwrap_or_else(new_none), rest.unwrap_or_else(new_none)])?.into_py()
}

fn subgroup(group: &ExceptionGroup, matcher: &Object) -> PyResult<Option<Ref>> {
    Ok(divide(group, &Matcher::new(matcher)?, false)?.0)
}

taipan_object::methods! { static METHODS = {
    class one "__class_getitem__" "($type, object, /)" = |class: &Object, item: &Object| crate::generic_alias::new(class, item),
        "A generic alias of the class, for annotations.";
    one "derive" "($self, excs, /)" = derive,
        "Make a group of other exceptions with the same message; subclasses override this.";
    one "split" "($self, matcher_value, /)" = split,
        "Divide the group into what matches and what does not.";
    one "subgroup" "($self, matcher_value, /)" = subgroup,
        "The part of the group that matches, or None.";
} }

const LIFE: [Slot; 3] = lifetime::<GroupFields>();

/// `BaseExceptionGroup`.
pub(super) const SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Several exceptions that belong together."),
    slots: &[
        LIFE[0],
        LIFE[1],
        LIFE[2],
        native::tp_new(new),
        native::tp_init(init),
        native::tp_str(str),
        native::tp_repr(repr),
    ],
    methods: METHODS,
    members: &[
        Member::new(
            c"message",
            T_OBJECT,
            offset_of!(PyBaseExceptionGroupObject, msg),
            Py_READONLY,
            c"the message",
        ),
        Member::new(
            c"exceptions",
            T_OBJECT,
            offset_of!(PyBaseExceptionGroupObject, excs),
            Py_READONLY,
            c"the exceptions in the group",
        ),
    ],
    ..TypeSpec::new(&_PyExc_BaseExceptionGroup)
};

/// What an `except*` clause gets of an exception.
pub struct GroupMatch {
    /// The group that the clause handles, if any.
    pub matched: Option<Ref>,
    /// What later clauses get, or is raised again.
    pub rest: Option<Ref>,
    /// Whether a naked exception was wrapped: the caller then gives the new group a traceback.
    pub wrapped: bool,
}

fn new_group(message: &str, members: &Object) -> PyResult {
    exception_group_type().call(&[&*Str::from_utf8(message)?, members])
}

/// `CHECK_EG_MATCH`: divides an exception for a clause `except* wanted`, a valid type or tuple.
///
/// # Errors
/// What an overridden `split` raises; `TypeError` when it gives something else than a pair.
pub fn match_group(exception: &Object, wanted: &Object) -> PyResult<GroupMatch> {
    if is_none(exception) {
        return Ok(GroupMatch { matched: None, rest: None, wrapped: false });
    }
    let is_group = exception.downcast::<ExceptionGroup>().is_some();
    if exception_matches(exception, wanted) {
        if is_group {
            return Ok(GroupMatch { matched: Some(exception.new_ref()), rest: None, wrapped: false });
        }
        let group = match exception.downcast::<Exception>().map(|e| e.ty().is_subtype(&PyExc_Exception)) {
            Some(true) => new_group("", &*Tuple::from_refs(&[exception])?)?,
            _ => {
                let base: &Type = &PyExc_BaseExceptionGroup;
                base.call(&[taipan_object::unicode::empty(), &*Tuple::from_refs(&[exception])?])?
            }
        };
        return Ok(GroupMatch { matched: Some(group), rest: None, wrapped: true });
    }
    if !is_group {
        return Ok(GroupMatch { matched: None, rest: Some(exception.new_ref()), wrapped: false });
    }
    let pair = exception.call_method(intern!("split"), &[wanted])?;
    let class = exception.ty().message_name();
    let Some(pair) = pair.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{class}.split must return a tuple, not {}",
            pair.ty().message_name()
        ));
    };
    let [matched, rest, ..] = pair.items() else {
        return Err(raise!(
            PyExc_TypeError,
            "{class}.split must return a 2-tuple, got tuple of size {}",
            pair.len()
        ));
    };
    let given = |object: &Object| if is_none(object) { None } else { Some(object.new_ref()) };
    Ok(GroupMatch { matched: given(matched), rest: given(rest), wrapped: false })
}

/// Checks the type of an `except*` clause.
///
/// # Errors
/// `TypeError` for what is no exception type, or a group.
pub fn check_star_type(wanted: &Object) -> Result<(), PyErr> {
    let all: Vec<Ref> = match wanted.downcast::<Tuple>() {
        Some(many) => many.items().iter().map(|one| one.new_ref()).collect(),
        None => vec![wanted.new_ref()],
    };
    let group: &Type = &PyExc_BaseExceptionGroup;
    if !all.iter().all(|one| is_exception_type(one)) {
        return Err(type_error("catching classes that do not inherit from BaseException is not allowed"));
    }
    if all.iter().any(|one| one.downcast::<Type>().is_some_and(|ty| ty.is_subtype(group))) {
        return Err(type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    Ok(())
}

/// `PREP_RERAISE_STAR`: what is raised after the `except*` clauses of `original` have run, given what
/// each of them raised (or the rest that nobody handled). `None` when nothing is left.
///
/// # Errors
/// What overridden `derive` methods raise.
pub fn prep_reraise_star(original: &Object, raised: &List) -> PyResult<Option<Ref>> {
    let all = raised.to_vec();
    let Some(first) = all.first() else { return Ok(None) };
    let given = |object: &Object| if is_none(object) { None } else { Some(object.new_ref()) };
    let Some(group) = original.downcast::<ExceptionGroup>() else {
        // A naked exception was wrapped; one clause at most has run.
        return Ok(given(first));
    };
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for exception in all.into_iter().filter(|exception| !is_none(exception)) {
        let same = exception.downcast::<Exception>().is_some_and(|e| same_origin(e, group.as_exception()));
        if same { again.push(exception) } else { new.push(exception) }
    }
    let mut leaves = HashSet::new();
    for exception in &again {
        collect_leaves(exception, &mut leaves)?;
    }
    let again = if again.is_empty() { None } else { divide(group, &Matcher::Leaves(&leaves), false)?.0 };
    if new.is_empty() {
        return Ok(again);
    }
    new.extend(again);
    if let [only] = &new[..] {
        return Ok(Some(only.clone()));
    }
    let base: &Type = &PyExc_BaseExceptionGroup;
    let members = List::from_vec(new)?;
    base.call(&[taipan_object::unicode::empty(), &members]).map(Some)
}

/// Whether an exception is a part of the original that was raised again, not one raised anew.
fn same_origin(a: &Exception, b: &Exception) -> bool {
    // SAFETY: the views guarantee the layout.
    unsafe {
        let (a, b) = (a.raw(), b.raw());
        (*a).notes == (*b).notes
            && (*a).traceback == (*b).traceback
            && (*a).cause == (*b).cause
            && (*a).context == (*b).context
    }
}

fn collect_leaves(exception: &Object, leaves: &mut HashSet<*mut PyObject>) -> PyResult<()> {
    let Some(group) = exception.downcast::<ExceptionGroup>() else {
        leaves.insert(exception.as_ptr());
        return Ok(());
    };
    for member in group.exceptions().items() {
        protocol::recursive(" in collect_exception_group_leaf_ids", || collect_leaves(member, leaves))?;
    }
    Ok(())
}
