//! `cmp_to_key`: keys that compare through a function of two values.

use crate::util::{Field, GC};
use taipan_object::called;
use taipan_object::native::*;
use taipan_object::protocol::richcompare;
use taipan_object::{Object, PyResult, TypeSpec, err, int};

/// A value and the function that compares it; without a value it is the key function itself.
pub struct Key {
    compare: Field,
    object: Field,
}
called!(Key, KEY, c"functools.KeyWrapper", GC, [compare, object]);

type View = Native<Called<Key>>;

fn make(compare: &Object, object: Option<&Object>) -> PyResult {
    let key = Key { compare: Field::of(compare), object: Field::new(object.map(Object::new_ref)) };
    native_new(&KEY, Called::new(key, call))?.into_py()
}

static SIGNATURE: Signature = Signature::parse("K", "(obj)");

fn call(key: &View, args: CallArgs<'_>) -> PyResult {
    let bound = SIGNATURE.bind(args.all, args.kwnames)?;
    let Some(compare) = key.compare.get() else { return Err(err::attribute_error("object")) };
    make(&compare, Some(bound.required(0)))
}

fn richcompare_keys(key: &View, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<View>() else {
        return Err(err::type_error("other argument must be K instance"));
    };
    let (Some(compare), Some(left), Some(right)) = (key.compare.get(), key.object.get(), other.object.get())
    else {
        return Err(err::attribute_error("object"));
    };
    let order = compare.call(&[&left, &right])?;
    richcompare(&order, int::small(0), op)
}

pub(super) fn cmp_to_key(_: &Object, args: &Args<'_>) -> PyResult {
    make(args.required(0), None)
}

fn set_object(key: &View, value: Option<&Object>) -> PyResult<()> {
    key.object.set(value.map(Object::new_ref));
    Ok(())
}

pub(super) static KEY_SPEC: TypeSpec = TypeSpec {
    doc: None,
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        Called::<Key>::CALL,
        tp_richcompare(richcompare_keys),
    ],
    getset: &[
        getset_row(
            c"obj",
            |key: &View| -> PyResult {
                Ok(key.object.get().unwrap_or_else(taipan_object::singletons::new_none))
            },
            c"The value that the key stands for.",
        )
        .with_setter(set_object),
        getset_row(c"__text_signature__", |_: &View| "(obj)", c""),
    ],
    ..TypeSpec::new(&KEY)
};
