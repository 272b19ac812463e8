//! `partial` and the `Placeholder` that keeps a place for a positional argument.

use crate::util::{Field, GC_BASE, class_getitem};
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::instance::{dict_of, existing_dict, set_dict};
use taipan_object::native::*;
use taipan_object::protocol::{repr_guard, vectorcall};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyDict_Type, PyExc_TypeError, PyTuple_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, callable, intern, methods, raise, state};
use taipan_object::{called, payload};
use taipan_types_collections::Text;

/// The value without content.
pub struct Placeholder;
payload!(Placeholder, PLACEHOLDER, c"functools._PlaceholderType", 0, []);

/// The one placeholder of the interpreter.
struct TheOne(Ref);

/// The placeholder, made on first use.
///
/// # Errors
/// `MemoryError`.
pub(super) fn placeholder() -> PyResult {
    let fresh = native_new(&PLACEHOLDER, Placeholder)?.upcast();
    Ok(state::interp().extension(|| TheOne(fresh)).0.clone())
}

fn is_placeholder(object: &Object) -> bool {
    object.is_exact(&PLACEHOLDER)
}

fn placeholder_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(raise!(PyExc_TypeError, "PlaceholderType takes no arguments"));
    }
    placeholder()
}

methods! {
    static PLACEHOLDER_METHODS = {
        noargs "__reduce__" "($self, /)" = |_: &Object| "Placeholder", "Describe the placeholder for pickling: by its name.";
    }
}

pub(super) static PLACEHOLDER_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The type of Placeholder, which keeps a place among the arguments of partial."),
    slots: &[Native::<Placeholder>::DEALLOC, tp_new(placeholder_new), tp_repr(|_: &Object| "Placeholder")],
    methods: PLACEHOLDER_METHODS,
    ..TypeSpec::new(&PLACEHOLDER)
};

/// A function with arguments that it gets before those of the call.
pub struct Partial {
    function: Field,
    args: Field,
    keywords: Field,
    /// How many of `args` are placeholders.
    places: Cell<usize>,
}
called!(
    Partial,
    PARTIAL,
    c"functools.partial",
    GC_BASE | abi::Py_TPFLAGS_MANAGED_DICT | abi::Py_TPFLAGS_MANAGED_WEAKREF,
    [function, args, keywords]
);

type View = Native<Called<Partial>>;

/// Function, arguments and keywords, as owned references.
struct Parts {
    function: Ref,
    args: Ref<Tuple>,
    keywords: Ref<Dict>,
}

fn parts(partial: &View) -> PyResult<Parts> {
    let wrong = || type_error("invalid partial state");
    Ok(Parts {
        function: partial.function.get().ok_or_else(wrong)?,
        args: partial.args.get().and_then(|args| args.downcast_owned().ok()).ok_or_else(wrong)?,
        keywords: partial.keywords.get().and_then(|k| k.downcast_owned().ok()).ok_or_else(wrong)?,
    })
}

fn count_places(args: &Tuple) -> usize {
    args.items().iter().filter(|item| is_placeholder(item)).count()
}

/// The old arguments, with new ones first in the kept places and then behind.
fn merge_args(old: &Tuple, places: usize, new: &[&Object]) -> PyResult<Ref<Tuple>> {
    let mut all: Vec<&Object> = Vec::with_capacity(old.len() + new.len());
    let mut fill = new.iter().take(places);
    for &item in old.items() {
        all.push(if is_placeholder(item) { fill.next().copied().unwrap_or(item) } else { item });
    }
    all.extend(new.iter().skip(places));
    Tuple::from_refs(&all)
}

fn merge_keywords(old: Option<&Dict>, new: Option<&Dict>) -> PyResult<Ref<Dict>> {
    let merged = match old {
        Some(old) => old.copy()?,
        None => Dict::new()?,
    };
    if let Some(new) = new {
        for (name, value) in new.items_vec() {
            merged.set(&name, &value)?;
        }
    }
    Ok(merged)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let Some((function, given)) = args.items().split_first() else {
        return Err(type_error("type 'partial' takes at least one argument"));
    };
    if !function.is_callable() {
        return Err(type_error("the first argument must be callable"));
    }
    if given.last().is_some_and(|last| is_placeholder(last)) {
        return Err(type_error("trailing Placeholders are not allowed"));
    }
    let named = kwargs.map_or_else(Vec::new, Dict::items_vec);
    if named.iter().any(|(_, value)| is_placeholder(value)) {
        return Err(type_error("Placeholder cannot be passed as a keyword argument"));
    }
    // A partial of a partial calls the inner function directly, unless it carries attributes.
    let inner = function.downcast::<View>().filter(|inner| existing_dict(inner.object()).is_none());
    let state = match inner {
        Some(inner) => {
            let inner_parts = parts(inner)?;
            let args = merge_args(&inner_parts.args, inner.places.get(), given)?;
            let keywords = merge_keywords(Some(&inner_parts.keywords), kwargs)?;
            Parts { function: inner_parts.function, args, keywords }
        }
        None => Parts {
            function: function.new_ref(),
            args: Tuple::from_refs(given)?,
            keywords: merge_keywords(None, kwargs)?,
        },
    };
    let places = count_places(&state.args);
    let payload = Partial {
        function: Field::new(Some(state.function)),
        args: Field::new(Some(state.args.upcast())),
        keywords: Field::new(Some(state.keywords.upcast())),
        places: Cell::new(places),
    };
    native_new(ty, Called::new(payload, call))?.into_py()
}

fn call(partial: &View, given: CallArgs<'_>) -> PyResult {
    let Parts { function, args, keywords } = parts(partial)?;
    let places = partial.places.get();
    let positional = given.positional();
    if positional.len() < places {
        return Err(raise!(
            PyExc_TypeError,
            "missing positional arguments in 'partial' call; expected at least {places}, got {}",
            positional.len()
        ));
    }
    let mut all: Vec<&Object> = Vec::with_capacity(args.len() + given.all.len() + keywords.len());
    if places == 0 {
        all.extend_from_slice(args.items());
        all.extend_from_slice(positional);
    } else {
        let mut fill = positional.iter();
        for &item in args.items() {
            let filled = if is_placeholder(item) { fill.next().copied() } else { None };
            all.push(filled.unwrap_or(item));
        }
        all.extend(fill);
    }
    if keywords.is_empty() {
        all.extend(given.keywords().map(|(_, value)| value));
        return vectorcall(&function, &all, given.kwnames);
    }
    call_with_keywords(&function, &all, &keywords, given)
}

/// The call with keywords of both sides: those of the call replace those of the partial.
fn call_with_keywords(function: &Object, args: &[&Object], own: &Dict, given: CallArgs<'_>) -> PyResult {
    let merged = own.copy()?;
    for (name, value) in given.keywords() {
        merged.set(name, value)?;
    }
    taipan_object::protocol::vectorcall_with_dict(function, args, Some(&merged))
}

fn repr(partial: &View) -> PyResult {
    let ty = partial.object().ty();
    let module = ty.getattr(intern!("__module__"))?;
    let name = ty.getattr(intern!("__qualname__"))?;
    let text = repr_guard(partial.object(), || {
        let Parts { function, args, keywords } = parts(partial)?;
        let mut text = Text::new();
        text.push(&*module.str()?);
        text.ascii(".");
        text.push(&*name.str()?);
        text.ascii("(");
        text.repr(&function)?;
        for item in args.items() {
            text.ascii(", ");
            text.repr(item)?;
        }
        for (name, value) in keywords.items_vec() {
            text.ascii(", ");
            text.push(&*name.str()?);
            text.ascii("=");
            text.repr(&value)?;
        }
        text.ascii(")");
        text.finish()
    })?;
    text.map_or_else(|| "...".into_py(), IntoPy::into_py)
}

fn bind(partial: &View, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    match instance.filter(|instance| !is_none(instance)) {
        None => Ok(partial.object().new_ref()),
        Some(instance) => callable::new_method(partial.object(), instance)?.into_py(),
    }
}

fn reduce(partial: &View) -> PyResult {
    let Parts { function, args, keywords } = parts(partial)?;
    let dict = existing_dict(partial.object()).map(|dict| dict.new_ref());
    let dict = dict.unwrap_or_else(|| none().new_ref());
    let constructor = Tuple::from_refs(&[&function])?.upcast();
    let state = Tuple::from_array([function, args.upcast(), keywords.upcast(), dict])?;
    Tuple::from_array([partial.object().ty().new_ref(), constructor, state.upcast()])?.into_py()
}

fn set_state(partial: &View, state: &Object) -> PyResult<()> {
    let invalid = || type_error("invalid partial state");
    let items = state.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let [function, args, keywords, dict] = items else { return Err(invalid()) };
    let args = args.downcast::<Tuple>().ok_or_else(invalid)?;
    if !function.is_callable() || !(is_none(keywords) || keywords.downcast::<Dict>().is_some()) {
        return Err(invalid());
    }
    if args.items().last().is_some_and(|last| is_placeholder(last)) {
        return Err(type_error("trailing Placeholders are not allowed"));
    }
    let places = count_places(args);
    let args = if args.is_exact(&PyTuple_Type) { Ref::of(args) } else { args.slice(0, args.len())? };
    let keywords = match keywords.downcast::<Dict>() {
        None => Dict::new()?,
        Some(keywords) if keywords.is_exact(&PyDict_Type) => Ref::of(keywords),
        Some(keywords) => keywords.copy()?,
    };
    partial.function.set(Some(function.new_ref()));
    partial.args.set(Some(args.upcast()));
    partial.keywords.set(Some(keywords.upcast()));
    partial.places.set(places);
    if !is_none(dict) && dict.downcast::<Dict>().is_none() {
        return Err(type_error(&format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            dict.ty().message_name()
        )));
    }
    set_dict(partial.object(), dict.downcast::<Dict>())?;
    Ok(())
}

/// `__dict__`, which cannot be deleted.
const PARTIAL_DICT: GetSetRow = getset_row(
    c"__dict__",
    |object: &Object| -> PyResult<Option<Ref<Dict>>> { dict_of(object) },
    c"dictionary for instance variables",
)
.with_setter(|object: &Object, value: Option<&Object>| {
    let Some(value) = value else { return Err(type_error("cannot delete __dict__")) };
    match value.downcast::<Dict>() {
        Some(dict) => {
            set_dict(object, Some(dict))?;
            Ok(())
        }
        None => Err(type_error(&format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            value.ty().message_name()
        ))),
    }
});

methods! {
    static METHODS = {
        noargs "__reduce__" "" = reduce, "Describe the partial for pickling.";
        one "__setstate__" "" = set_state, "Take over what __reduce__ gave.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"partial(func, /, *args, **keywords)\n--\n\nA function that calls another one with some arguments given already.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        Called::<Partial>::CALL,
        tp_new(new),
        tp_repr(repr),
        tp_descr_get(bind),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"func", |p: &View| p.function.get(), c"The function that is called.").with_setter(read_only),
        getset_row(c"args", |p: &View| p.args.get(), c"The arguments that come before those of the call.").with_setter(read_only),
        getset_row(c"keywords", |p: &View| p.keywords.get(), c"The keywords that every call gets.").with_setter(read_only),
        PARTIAL_DICT,
    ],
    ..TypeSpec::new(&PARTIAL)
};
