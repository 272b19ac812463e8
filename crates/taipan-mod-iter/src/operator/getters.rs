//! `itemgetter`, `attrgetter` and `methodcaller`.

use crate::util::GC;
use taipan_object::called;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::native::*;
use taipan_object::protocol::{repr_guard, vectorcall_with_dict};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Str, intern};
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, methods, raise};
use taipan_types_collections::Text;

/// What to look up, as it was given.
pub struct ItemGetter {
    items: Ref<Tuple>,
}
called!(ItemGetter, ITEM_GETTER, c"operator.itemgetter", GC, [items]);

/// The dotted names, each split.
pub struct AttrGetter {
    names: Ref<Tuple>,
    paths: Vec<Vec<Ref<Str>>>,
}
called!(AttrGetter, ATTR_GETTER, c"operator.attrgetter", GC, [names]);

/// A method's name with its arguments.
pub struct MethodCaller {
    name: Ref<Str>,
    args: Ref<Tuple>,
    kwargs: Ref<Dict>,
}
called!(MethodCaller, METHOD_CALLER, c"operator.methodcaller", GC, [args, kwargs]);

/// The one object that a getter is called with.
fn subject<'a>(name: &str, args: CallArgs<'a>) -> PyResult<&'a Object> {
    if args.kwnames.is_some_and(|names| !names.is_empty()) {
        return Err(raise!(PyExc_TypeError, "{name}() takes no keyword arguments"));
    }
    match args.all {
        [only] => Ok(only),
        all => Err(raise!(PyExc_TypeError, "{name} expected 1 argument, got {}", all.len())),
    }
}

fn check_new(name: &str, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(raise!(PyExc_TypeError, "{name}() takes no keyword arguments"));
    }
    if args.is_empty() {
        return Err(raise!(PyExc_TypeError, "{name} expected 1 argument, got 0"));
    }
    Ok(())
}

/// One result as it is, several as a tuple.
fn gather(count: usize, get: impl Fn(usize) -> PyResult) -> PyResult {
    if count == 1 {
        return get(0);
    }
    let all: PyResult<Vec<Ref>> = (0..count).map(get).collect();
    Tuple::from_vec(all?)?.into_py()
}

fn item_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    check_new("itemgetter", args, kwargs)?;
    native_new(ty, Called::new(ItemGetter { items: Ref::of(args) }, item_call))?.into_py()
}

fn item_call(getter: &Native<Called<ItemGetter>>, args: CallArgs<'_>) -> PyResult {
    let object = subject("itemgetter", args)?;
    let items = getter.items.items();
    gather(items.len(), |index| object.get_item(items[index]))
}

/// The parts of a dotted name.
fn split(name: &Str) -> PyResult<Vec<Ref<Str>>> {
    let mut parts = Vec::new();
    let (mut start, chars) = (0, name.chars());
    for index in 0..=name.len() {
        if index == name.len() || chars.at(index) == u32::from('.') {
            parts.push(intern(name.substring(start, index)?));
            start = index + 1;
        }
    }
    Ok(parts)
}

fn attr_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    check_new("attrgetter", args, kwargs)?;
    let mut paths = Vec::new();
    for name in args.items() {
        let Some(name) = name.downcast::<Str>() else {
            return Err(type_error("attribute name must be a string"));
        };
        paths.push(split(name)?);
    }
    native_new(ty, Called::new(AttrGetter { names: Ref::of(args), paths }, attr_call))?.into_py()
}

fn attr_call(getter: &Native<Called<AttrGetter>>, args: CallArgs<'_>) -> PyResult {
    let object = subject("attrgetter", args)?;
    gather(getter.paths.len(), |index| {
        let mut found = object.new_ref();
        for name in &getter.paths[index] {
            found = found.getattr(name)?;
        }
        Ok(found)
    })
}

fn method_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let Some((name, rest)) = args.items().split_first() else {
        return Err(type_error("methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = name.downcast::<Str>() else {
        return Err(type_error("method name must be a string"));
    };
    let payload = MethodCaller {
        name: intern(Ref::of(name)),
        args: Tuple::from_refs(rest)?,
        kwargs: match kwargs {
            Some(kwargs) => kwargs.copy()?,
            None => Dict::new()?,
        },
    };
    native_new(ty, Called::new(payload, method_call))?.into_py()
}

fn method_call(caller: &Native<Called<MethodCaller>>, args: CallArgs<'_>) -> PyResult {
    let object = subject("methodcaller", args)?;
    if caller.kwargs.is_empty() {
        return object.call_method(&caller.name, caller.args.items());
    }
    let method = object.getattr(&caller.name)?;
    vectorcall_with_dict(&method, caller.args.items(), Some(&caller.kwargs))
}

/// `name(item, …, key=value, …)`.
fn repr_call(object: &Object, items: &[&Object], keywords: &[(Ref, Ref)]) -> PyResult {
    let text = repr_guard(object, || {
        let mut text = Text::new();
        text.text(object.ty().full_name())?;
        text.ascii("(");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                text.ascii(", ");
            }
            text.repr(item)?;
        }
        for (name, value) in keywords {
            text.ascii(", ");
            text.push(&*name.str()?);
            text.ascii("=");
            text.repr(value)?;
        }
        text.ascii(")");
        text.finish()
    })?;
    match text {
        Some(text) => text.into_py(),
        None => format!("{}(...)", object.ty().full_name()).into_py(),
    }
}

fn item_repr(getter: &Native<Called<ItemGetter>>) -> PyResult {
    repr_call(getter.object(), getter.items.items(), &[])
}

fn attr_repr(getter: &Native<Called<AttrGetter>>) -> PyResult {
    repr_call(getter.object(), getter.names.items(), &[])
}

fn method_repr(caller: &Native<Called<MethodCaller>>) -> PyResult {
    let mut items: Vec<&Object> = vec![&caller.name];
    items.extend_from_slice(caller.args.items());
    repr_call(caller.object(), &items, &caller.kwargs.items_vec())
}

fn item_reduce(getter: &Native<Called<ItemGetter>>) -> PyResult {
    let ty = getter.object().ty().new_ref();
    Tuple::from_array([ty, getter.items.clone().upcast()])?.into_py()
}

fn attr_reduce(getter: &Native<Called<AttrGetter>>) -> PyResult {
    let ty = getter.object().ty().new_ref();
    Tuple::from_array([ty, getter.names.clone().upcast()])?.into_py()
}

fn method_reduce(caller: &Native<Called<MethodCaller>>) -> PyResult {
    let mut args: Vec<&Object> = vec![&caller.name];
    let ty = caller.object().ty();
    if caller.kwargs.is_empty() {
        args.extend_from_slice(caller.args.items());
        let args = Tuple::from_refs(&args)?.upcast();
        return Tuple::from_array([ty.new_ref(), args])?.into_py();
    }
    // Keywords travel in a partial: pickling calls a class with positional arguments only.
    let functools = (taipan_object::state::interp().hooks.get().import_module)("functools")?;
    let partial = functools.getattr(taipan_object::intern!("partial"))?;
    let made = vectorcall_with_dict(&partial, &[ty, &caller.name], Some(&caller.kwargs))?;
    Tuple::from_array([made, caller.args.clone().upcast()])?.into_py()
}

methods! {
    static ITEM_METHODS = {
        noargs "__reduce__" "" = item_reduce, "Describe the getter for pickling.";
    }
}
methods! {
    static ATTR_METHODS = {
        noargs "__reduce__" "" = attr_reduce, "Describe the getter for pickling.";
    }
}
methods! {
    static METHOD_METHODS = {
        noargs "__reduce__" "" = method_reduce, "Describe the caller for pickling.";
    }
}

macro_rules! spec {
    ($spec:ident, $payload:ident, $ty:ident, $doc:literal, $new:expr, $repr:expr, $methods:expr) => {
        pub(super) static $spec: TypeSpec = TypeSpec {
            doc: Some($doc),
            slots: &[
                Native::<Called<$payload>>::DEALLOC,
                Native::<Called<$payload>>::TRAVERSE,
                Native::<Called<$payload>>::CLEAR,
                Called::<$payload>::CALL,
                tp_new($new),
                tp_repr($repr),
            ],
            methods: $methods,
            getset: &[getset_row(c"__text_signature__", |_: &Object| "(obj, /)", c"")],
            ..TypeSpec::new(&$ty)
        };
    };
}
spec!(
    ITEM_SPEC,
    ItemGetter,
    ITEM_GETTER,
    c"itemgetter(item, /, *items)\n--\n\nA function that gets items from its argument.\n\nWith f = itemgetter(2), f(r) is r[2]; with several items, f(r) is a tuple.",
    item_new,
    item_repr,
    ITEM_METHODS
);
spec!(
    ATTR_SPEC,
    AttrGetter,
    ATTR_GETTER,
    c"attrgetter(attr, /, *attrs)\n--\n\nA function that gets attributes from its argument.\n\nWith f = attrgetter('name.first'), f(r) is r.name.first; with several names, f(r) is a tuple.",
    attr_new,
    attr_repr,
    ATTR_METHODS
);
spec!(
    METHOD_SPEC,
    MethodCaller,
    METHOD_CALLER,
    c"methodcaller(name, /, *args, **kwargs)\n--\n\nA function that calls a method of its argument.\n\nWith f = methodcaller('name', 1), f(r) is r.name(1).",
    method_new,
    method_repr,
    METHOD_METHODS
);
