//! `defaultdict`: a dict that asks a function for missing values.

use crate::util::{Field, GC_BASE, Held, class_getitem};
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, key_error, type_error};
use taipan_object::native::*;
use taipan_object::protocol::repr_guard;
use taipan_object::singletons::{is_none, new_none, none, not_implemented};
use taipan_object::statics::{PyDict_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, intern, methods};
use taipan_types_collections::Text;
use taipan_types_collections::dict as builtin;

/// What a defaultdict has besides its items.
pub struct DefaultDict {
    factory: Field,
}

/// The type object.
pub static DEFAULT_DICT: StaticType = StaticType::derived(
    c"collections.defaultdict",
    Derived::<DefaultDict>::SIZE,
    GC_BASE | abi::Py_TPFLAGS_DICT_SUBCLASS,
    &raw const PyDict_Type,
);

impl DerivedPayload for DefaultDict {
    const TYPE: &'static StaticType = &DEFAULT_DICT;
    type Base = Dict;
    fn traverse(&self, visitor: &mut Visitor) {
        self.factory.show(visitor);
    }
    fn clear(&self) {
        self.factory.release();
    }
}

type View = Derived<DefaultDict>;

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    View::create(ty, &Tuple::empty(), DefaultDict { factory: Field::default() })?.into_py()
}

fn init(dict: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if let Some(factory) = args.get(0)
        && !is_none(factory)
        && !factory.is_callable()
    {
        return Err(type_error("first argument must be callable or None"));
    }
    let factory = args.get(0).filter(|factory| !is_none(factory));
    dict.factory.set(factory.map(Object::new_ref));
    let rest = args.slice(args.len().min(1), args.len())?;
    builtin::init(dict.base(), &rest, kwargs)
}

fn missing(dict: &View, key: &Object) -> PyResult {
    let Some(factory) = dict.factory.get() else { return Err(key_error(key)) };
    let value = factory.call(&[])?;
    // The factory may have added the key itself, by way of the dict.
    taipan_object::protocol::set_item(dict.object(), key, &value)?;
    Ok(value)
}

fn copy_of(dict: &View) -> PyResult {
    let factory = dict.factory.get().unwrap_or_else(new_none);
    dict.object().ty().call(&[&factory, dict.object()])
}

fn reduce(dict: &View) -> PyResult {
    let args = match dict.factory.get() {
        None => Tuple::empty(),
        Some(factory) => Tuple::from_array([factory])?,
    };
    let items = dict.object().call_method(intern!("items"), &[])?.iter()?;
    let (a, b) = (new_none(), new_none());
    Tuple::from_array([dict.object().ty().new_ref(), args.upcast(), a, b, items])?.into_py()
}

fn repr(dict: &View) -> PyResult {
    let items = builtin::repr(dict.base())?;
    let mut text = Text::new();
    text.text(dict.object().ty().name())?;
    text.ascii("(");
    match dict.factory.get() {
        None => text.ascii("None"),
        // The factory may be a method of this very dict.
        Some(factory) => match repr_guard(dict.object(), || factory.repr())? {
            Some(factory) => text.push(&factory),
            None => text.ascii("..."),
        },
    }
    text.ascii(", ");
    text.push(&*items.str()?);
    text.ascii(")");
    text.finish()?.into_py()
}

fn or(left: &Object, right: &Object) -> PyResult {
    let (own, other) = match left.downcast::<View>() {
        Some(own) => (own, right),
        None => match right.downcast::<View>() {
            Some(own) => (own, left),
            None => return Ok(not_implemented().new_ref()),
        },
    };
    if other.downcast::<Dict>().is_none() {
        return Ok(not_implemented().new_ref());
    }
    let factory = own.factory.get().unwrap_or_else(|| none().new_ref());
    let merged = own.object().ty().call(&[&factory, left])?;
    let Some(dict) = merged.downcast::<Dict>() else { return wrong_copy(&merged) };
    builtin::update(dict, right)?;
    Ok(merged)
}

#[cold]
fn wrong_copy(made: &Object) -> PyResult {
    Err(PyErr::new(
        &taipan_object::statics::PyExc_TypeError,
        &format!("unsupported operand type(s) for |: '{}' is not a dict", made.ty().message_name()),
    ))
}

methods! {
    static METHODS = {
        one "__missing__" "" = missing, "Make, store and return the value of a missing key; KeyError without a factory.";
        noargs "copy" "" = copy_of, "D.copy() -> a defaultdict with the same factory and items.";
        noargs "__copy__" "" = copy_of, "D.copy() -> a defaultdict with the same factory and items.";
        noargs "__reduce__" "" = reduce, "Describe the dict for pickling.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"defaultdict(default_factory=None, /, [...]) -> a dict with a default factory\n\nThe factory is called without arguments for the value of a key that is\nmissing in a subscript; the value is stored. The other arguments are those of dict.\n",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        nb_or(or),
    ],
    methods: METHODS,
    getset: &[getset_row(
        c"default_factory",
        |dict: &View| -> Ref { dict.factory.get().unwrap_or_else(new_none) },
        c"What makes the values of missing keys.",
    )
    .with_setter(|dict: &View, value: Option<&Object>| {
        dict.factory.set(value.filter(|value| !is_none(value)).map(Object::new_ref));
        Ok(())
    })],
    ..TypeSpec::new(&DEFAULT_DICT)
};
