//! `_tuplegetter`: the attributes of named tuples.

use crate::util::{Field, GC};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Type, TypeSpec, err, methods, raise};
use taipan_object::{bind, payload};

/// An item of tuples, by its index.
pub struct TupleGetter {
    index: isize,
    doc: Field,
}
payload!(TupleGetter, TUPLE_GETTER, c"collections._tuplegetter", GC, [doc]);

type View = Native<TupleGetter>;

fn new(ty: &Type, args: &Tuple, _: Option<&Dict>) -> PyResult {
    bind!(bound = "_tuplegetter" "(index, doc, /)", args, None);
    let payload = TupleGetter { index: bound.required(0).to_isize()?, doc: Field::of(bound.required(1)) };
    native_new(ty, payload)?.into_py()
}

fn get(getter: &View, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance else { return Ok(getter.object().new_ref()) };
    let Some(tuple) = instance.downcast::<Tuple>() else {
        if is_none(instance) {
            return Ok(getter.object().new_ref());
        }
        return Err(raise!(
            PyExc_TypeError,
            "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
            getter.index,
            instance.ty().message_name()
        ));
    };
    let item = usize::try_from(getter.index).ok().and_then(|index| tuple.get(index));
    item.map(Object::new_ref).ok_or_else(|| err::index_error("tuple index out of range"))
}

fn set(_: &View, _: &Object, value: Option<&Object>) -> PyResult<()> {
    Err(err::attribute_error(match value {
        None => "can't delete attribute",
        Some(_) => "can't set attribute",
    }))
}

fn doc(getter: &View) -> taipan_object::Ref {
    getter.doc.get().unwrap_or_else(new_none)
}

fn reduce(getter: &View) -> PyResult {
    let args = Tuple::from_array([Int::from_isize(getter.index).upcast(), doc(getter)])?;
    Tuple::from_array([getter.object().ty().new_ref(), args.upcast()])?.into_py()
}

fn repr(getter: &View) -> PyResult {
    let mut text = taipan_types_collections::Text::new();
    text.text(getter.object().ty().name())?;
    text.ascii(&format!("({}, ", getter.index));
    text.repr(&doc(getter))?;
    text.ascii(")");
    text.finish()?.into_py()
}

methods! {
    static METHODS = {
        noargs "__reduce__" "" = reduce, "Describe the descriptor for pickling.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: None,
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(repr),
        tp_descr_get(get),
        tp_descr_set(set),
    ],
    methods: METHODS,
    getset: &[getset_row(c"__doc__", doc, c"").with_setter(|getter: &View, value: Option<&Object>| {
        getter.doc.set(value.map(Object::new_ref));
        Ok(())
    })],
    ..TypeSpec::new(&TUPLE_GETTER)
};
