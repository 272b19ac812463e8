//! `AST`, the base of all node classes.

use super::attribute;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, abi, intern, payload, protocol, raise, state};

/// A node: everything stands in its dict.
pub struct Node;
payload!(Node, AST, c"ast.AST", GC_BASE | abi::Py_TPFLAGS_MANAGED_DICT, []);
type View = Native<Node>;

/// A node without any attribute.
pub(super) fn new_node(class: &Type) -> PyResult {
    Ok(native_new(class, Node)?.upcast())
}

fn new(class: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    new_node(class)
}

/// The names in a class attribute.
fn names(class: &Object, attribute: &Str) -> PyResult<Vec<Ref>> {
    match class.getattr_opt(attribute)? {
        Some(names) => protocol::to_vec(&names),
        None => Ok(Vec::new()),
    }
}

fn warn(message: &str) -> PyResult<()> {
    (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, message, 1)
}

fn contains(names: &[Ref], name: &Object) -> PyResult<bool> {
    for other in names {
        if other.equals(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn init(node: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let object = node.object();
    let class = object.ty();
    let name = class.message_name();
    let fields = names(class, intern!("_fields"))?;
    if fields.len() < args.len() {
        let plural = if fields.len() == 1 { "" } else { "s" };
        return Err(type_error(&format!(
            "{name} constructor takes at most {} positional argument{plural}",
            fields.len()
        )));
    }
    let mut missing = fields.clone();
    for (field, value) in fields.iter().zip(args.items()) {
        set(object, field, value)?;
    }
    missing.drain(..args.len());
    for (key, value) in kwargs.map(Dict::items_vec).unwrap_or_default() {
        let mut position = None;
        for (index, field) in fields.iter().enumerate() {
            if field.equals(&key)? {
                position = Some(index);
            }
        }
        match position {
            Some(index) if index < args.len() => {
                return Err(type_error(&format!(
                    "{name} got multiple values for argument {}",
                    key.repr_lossy()
                )));
            }
            Some(_) => {
                let mut left = Vec::with_capacity(missing.len());
                for field in missing {
                    if !field.equals(&key)? {
                        left.push(field);
                    }
                }
                missing = left;
            }
            None if !contains(&names(class, intern!("_attributes"))?, &key)? => warn(&format!(
                "{name}.__init__ got an unexpected keyword argument {}. Support for arbitrary keyword \
                 arguments is deprecated and will be removed in Python 3.15.",
                key.repr_lossy()
            ))?,
            None => {}
        }
        set(object, &key, &value)?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    let Some(types) = class.getattr_opt(intern!("_field_types"))? else { return Ok(()) };
    let Some(types) = types.downcast::<Dict>() else { return Ok(()) };
    for field in missing {
        fill(object, name, types, &field)?;
    }
    Ok(())
}

fn set(object: &Object, name: &Object, value: &Object) -> PyResult<()> {
    match name.downcast::<Str>() {
        Some(name) => object.setattr(name, Some(value)),
        None => {
            Err(raise!(PyExc_TypeError, "attribute name must be string, not '{}'", name.ty().message_name()))
        }
    }
}

/// What a field that was not given is set to: nothing, an empty list, `Load()`, or a warning.
fn fill(object: &Object, class: &str, types: &Dict, field: &Object) -> PyResult<()> {
    let Some(ty) = types.get(field)? else {
        return warn(&format!(
            "Field {} is missing from {class}._field_types. This will become an error in Python 3.15.",
            field.repr_lossy()
        ));
    };
    if ty.is_exact(&_PyUnion_Type) {
        // Optional fields are None in the class.
        return Ok(());
    }
    if ty.is_exact(&Py_GenericAliasType) {
        return set(object, field, &*List::new()?);
    }
    if let Some(context) = super::classes()?.groups.get("expr_context")
        && ty.is(context)
    {
        let load = super::objects::load()?;
        return set(object, field, &load);
    }
    warn(&format!(
        "{class}.__init__ missing 1 required positional argument: {}. This will become an error in Python 3.15.",
        field.repr_lossy()
    ))
}

fn reduce(node: &View) -> PyResult<Ref<Tuple>> {
    let object = node.object();
    let state = taipan_object::instance::dict_of(object)?;
    let class = object.ty();
    // Positional arguments stand in for fields, so that unpickling does not warn about missing ones.
    let mut args = Vec::new();
    let fields = names(class, intern!("_fields"))?;
    let mut rest = None;
    if let Some(state) = &state {
        let left = state.copy()?;
        for field in &fields {
            if left.remove(field)?.is_none() {
                break;
            }
            args.push(none().new_ref());
        }
        rest = Some(left);
    }
    drop(rest);
    let state = match state {
        Some(state) => state.copy()?.upcast(),
        None => none().new_ref(),
    };
    Tuple::from_array([class.new_ref(), Tuple::from_vec(args)?.upcast(), state])
}

/// `copy.replace(node, **changes)`.
fn replace(node: &View, args: CallArgs<'_>) -> PyResult {
    if !args.positional().is_empty() {
        return Err(type_error("__replace__() takes no positional arguments"));
    }
    let object = node.object();
    let class = object.ty();
    let mut known = names(class, intern!("_fields"))?;
    known.extend(names(class, intern!("_attributes"))?);
    let values = Dict::new()?;
    if let Some(own) = taipan_object::instance::dict_of(object)? {
        // What the class does not know stays behind.
        for (key, value) in own.items_vec() {
            if contains(&known, &key)? {
                values.set(&key, &value)?;
            }
        }
    }
    for (key, value) in args.keywords() {
        if !contains(&known, key)? {
            return Err(type_error(&format!(
                "{}.__replace__ got an unexpected keyword argument {}.",
                class.message_name(),
                key.repr_lossy()
            )));
        }
        values.set(key, value)?;
    }
    let mut missing = Vec::new();
    for field in names(class, intern!("_fields"))? {
        let optional = match field.downcast::<Str>() {
            Some(name) => class.getattr_opt(name)?.is_some_and(|value| is_none(&value)),
            None => false,
        };
        if !values.contains(&field)? && !optional {
            missing.push(field);
        }
    }
    if !missing.is_empty() {
        let mut shown: Vec<String> = missing.iter().map(|field| field.repr_lossy()).collect();
        shown.sort();
        return Err(type_error(&format!(
            "{}.__replace__ missing {} keyword argument{}: {}.",
            class.message_name(),
            shown.len(),
            if shown.len() == 1 { "" } else { "s" },
            shown.join(", ")
        )));
    }
    protocol::vectorcall_with_dict(class, &[], Some(&values))
}

/// How deep a node is shown.
const DEPTH: i32 = 3;

fn repr(node: &View) -> PyResult<String> {
    show(node.object(), DEPTH)
}

fn show(object: &Object, depth: i32) -> PyResult<String> {
    let class = object.ty();
    if depth <= 0 {
        return Ok(format!("{}(...)", class.message_name()));
    }
    let shown = protocol::repr_guard(object, || {
        let mut parts = Vec::new();
        for field in names(class, intern!("_fields"))? {
            let Some(name) = field.downcast::<Str>() else { continue };
            let Some(value) = attribute(object, name)? else {
                return Err(taipan_object::instance::attribute_error(object, &name.to_lossy()));
            };
            let text = match value.downcast::<List>() {
                Some(list) => show_list(list, depth)?,
                None if value.downcast::<View>().is_some() => show(&value, depth - 1)?,
                None => value.repr()?.to_lossy(),
            };
            parts.push(format!("{}={text}", name.to_lossy()));
        }
        Ok(format!("{}({})", class.message_name(), parts.join(", ")))
    })?;
    Ok(shown.unwrap_or_else(|| format!("{}(...)", class.message_name())))
}

/// The first and the last item; what is between them is left out.
fn show_list(list: &List, depth: i32) -> PyResult<String> {
    let items = list.to_vec();
    let one = |item: &Object| -> Result<String, PyErr> {
        if item.downcast::<View>().is_some() { show(item, depth - 1) } else { Ok(item.repr()?.to_lossy()) }
    };
    Ok(match items.as_slice() {
        [] => "[]".to_owned(),
        [only] => format!("[{}]", one(only)?),
        [first, last] => format!("[{}, {}]", one(first)?, one(last)?),
        [first, .., last] => format!("[{}, ..., {}]", one(first)?, one(last)?),
    })
}

methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = reduce, "Describe the node for pickling.";
    keywords "__replace__" "($self, /, **fields)" = replace, "A copy of the node with some fields changed.";
} }
use taipan_object::methods;

/// `AST`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        raw_getattro(taipan_object::instance::PyObject_GenericGetAttr),
        raw_setattro(taipan_object::instance::PyObject_GenericSetAttr),
    ],
    methods: METHODS,
    getset: &[getset_row(
        c"__dict__",
        |node: &View| -> PyResult<Option<Ref<Dict>>> { taipan_object::instance::dict_of(node.object()) },
        c"the node's attributes",
    )],
    ..TypeSpec::new(&AST)
};
