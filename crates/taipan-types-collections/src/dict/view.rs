//! `dict_keys`, `dict_values` and `dict_items`. Keys and items behave like sets.

use super::iter;
use crate::set;
use crate::util::{self, Field, Text};
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::native::*;
use taipan_object::protocol::{contains, iter_next, repr_guard};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, TypeSpec};

/// The state of a view, which never changes.
struct View(Field);

impl View {
    fn dict(&self) -> PyResult<Ref<Dict>> {
        match self.0.get() {
            // SAFETY: the field only ever holds a dict.
            Some(dict) => Ok(unsafe { dict.cast_owned() }),
            // The collector has cleared the view.
            None => Dict::new(),
        }
    }

    fn len(&self) -> PyResult<isize> {
        Ok(self.dict()?.len().cast_signed())
    }

    fn mapping(&self) -> PyResult {
        PyDictProxy_Type.call(&[&*self.dict()?])
    }
}

/// A kind of view that ordered dicts have a subclass of.
pub(super) trait ViewOf: Payload {
    const ORDERED: &'static StaticType;
    fn of(dict: &Dict) -> Self;
}

/// The view of an ordered dict.
pub(super) fn ordered_view<V: ViewOf>(dict: &Dict) -> PyResult {
    Ok(native_new(V::ORDERED, V::of(dict))?.upcast())
}

macro_rules! view_type {
    ($payload:ident, $ty:ident, $ordered:ident, $make:ident, $doc:literal) => {
        pub(super) struct $payload(View);
        impl $payload {
            /// The dict that is viewed.
            pub(super) fn dict(&self) -> PyResult<Ref<Dict>> {
                self.0.dict()
            }
        }
        impl ViewOf for $payload {
            const ORDERED: &'static StaticType = &$ordered;
            fn of(dict: &Dict) -> Self {
                Self(View(Field::of(dict)))
            }
        }
        const _: () = assert!(Native::<$payload>::SIZE <= 24);
        impl Payload for $payload {
            const TYPE: &'static StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                self.0.0.visit(visitor);
            }
        }
        #[doc = $doc]
        ///
        /// # Errors
        /// `MemoryError`.
        pub fn $make(dict: &Dict) -> PyResult {
            Ok(native_new(&$ty, $payload(View(Field::of(dict))))?.upcast())
        }
    };
}
view_type!(Keys, PyDictKeys_Type, PyODictKeys_Type, keys, "The view of a dict's keys.");
view_type!(Values, PyDictValues_Type, PyODictValues_Type, values, "The view of a dict's values.");
view_type!(Items, PyDictItems_Type, PyODictItems_Type, items, "The view of a dict's items.");

/// Whether an object is a view that behaves like a set.
fn is_set_view(object: &Object) -> bool {
    object.ty().is_subtype(&PyDictKeys_Type) || object.ty().is_subtype(&PyDictItems_Type)
}

fn repr(view: &Object) -> PyResult {
    let text = repr_guard(view, || {
        let items = taipan_object::protocol::to_vec(view)?;
        let items = taipan_object::list::List::from_vec(items)?;
        let mut text = Text::new();
        text.text(view.ty().name())?;
        text.ascii("(");
        text.repr(&items)?;
        text.ascii(")");
        text.finish()
    })?;
    text.map_or_else(|| "...".into_py(), |text: Ref<Str>| Ok(text.upcast()))
}

fn keys_contain(view: &Native<Keys>, key: &Object) -> PyResult<bool> {
    view.0.dict()?.contains(key)
}

fn items_contain(view: &Native<Items>, item: &Object) -> PyResult<bool> {
    let Some(pair) = item.downcast::<Tuple>() else { return Ok(false) };
    let [key, value] = pair.items() else { return Ok(false) };
    match view.0.dict()?.get(key)? {
        Some(found) => found.equals(value),
        None => Ok(false),
    }
}

/// Whether every item of `a` is in `b`.
fn all_in(a: &Object, b: &Object) -> PyResult<bool> {
    let iterator = a.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        if !contains(b, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(view: &Object, other: &Object, op: CompareOp) -> PyResult {
    if !set::is_any_set(other) && !is_set_view(other) {
        return Ok(util::not_implemented());
    }
    let (own, theirs) = (view.len()?, other.len()?);
    let holds = match op {
        CompareOp::Eq | CompareOp::Ne => own == theirs && all_in(view, other)?,
        CompareOp::Lt => own < theirs && all_in(view, other)?,
        CompareOp::Le => own <= theirs && all_in(view, other)?,
        CompareOp::Gt => own > theirs && all_in(other, view)?,
        CompareOp::Ge => own >= theirs && all_in(other, view)?,
    };
    (holds != (op == CompareOp::Ne)).into_py()
}

fn subtract(left: &Object, right: &Object) -> PyResult {
    let result = set::new_set(Some(left))?;
    set::difference_update(&result, right)?;
    Ok(result.upcast())
}

fn or(left: &Object, right: &Object) -> PyResult {
    let result = set::new_set(Some(left))?;
    set::update(&result, right)?;
    Ok(result.upcast())
}

fn and(left: &Object, right: &Object) -> PyResult {
    // The operands may come in either order: the view is what is asked for each item.
    let (mut view, mut other) = if is_set_view(left) { (left, right) } else { (right, left) };
    if is_set_view(other) && other.len()? > view.len()? {
        core::mem::swap(&mut view, &mut other);
    }
    let result = set::new_set(None)?;
    if set::is_any_set(other) && view.len()? <= other.len()? {
        core::mem::swap(&mut view, &mut other);
    }
    let iterator = other.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        if contains(view, &item)? {
            set::add(&result, &item)?;
        }
    }
    Ok(result.upcast())
}

fn xor(left: &Object, right: &Object) -> PyResult {
    let result = set::new_set(Some(left))?;
    set::symmetric_difference_update(&result, right)?;
    Ok(result.upcast())
}

fn is_disjoint(view: &Object, other: &Object) -> PyResult<bool> {
    if view.is(other) {
        return Ok(view.len()? == 0);
    }
    let (mut searched, mut walked) = (view, other);
    if (set::is_any_set(other) || is_set_view(other)) && other.len()? > view.len()? {
        (searched, walked) = (other, view);
    }
    let iterator = walked.iter()?;
    while let Some(item) = iter_next(&iterator)? {
        if contains(searched, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

taipan_object::methods! { static KEYS_METHODS = {
    one "isdisjoint" "($self, object, /)" = is_disjoint, "Whether the view and the iterable have nothing in common.";
    noargs "__reversed__" "($self, /)" = |view: &Native<Keys>| iter::reversed_keys(&*view.0.dict()?), "An iterator over the keys from the last to the first.";
} }
taipan_object::methods! { static VALUES_METHODS = {
    noargs "__reversed__" "($self, /)" = |view: &Native<Values>| iter::reversed_values(&*view.0.dict()?), "An iterator over the values from the last to the first.";
} }
taipan_object::methods! { static ITEMS_METHODS = {
    one "isdisjoint" "($self, object, /)" = is_disjoint, "Whether the view and the iterable have nothing in common.";
    noargs "__reversed__" "($self, /)" = |view: &Native<Items>| iter::reversed_items(&*view.0.dict()?), "An iterator over the items from the last to the first.";
} }

const MAPPING_DOC: &core::ffi::CStr = c"the dictionary that this is a view of";

/// `dict_keys`.
pub static KEYS: TypeSpec = TypeSpec {
    slots: &[
        Native::<Keys>::DEALLOC,
        Native::<Keys>::TRAVERSE,
        tp_repr(repr),
        tp_richcompare(compare),
        tp_iter(|view: &Native<Keys>| iter::keys(&*view.0.dict()?)),
        sq_length(|view: &Native<Keys>| view.0.len()),
        sq_contains(keys_contain),
        nb_subtract(subtract),
        nb_and(and),
        nb_xor(xor),
        nb_or(or),
    ],
    methods: KEYS_METHODS,
    getset: &[getset_row(c"mapping", |view: &Native<Keys>| view.0.mapping(), MAPPING_DOC)],
    ..TypeSpec::new(&PyDictKeys_Type)
};
/// `dict_values`.
pub static VALUES: TypeSpec = TypeSpec {
    slots: &[
        Native::<Values>::DEALLOC,
        Native::<Values>::TRAVERSE,
        tp_repr(repr),
        tp_iter(|view: &Native<Values>| iter::values(&*view.0.dict()?)),
        sq_length(|view: &Native<Values>| view.0.len()),
    ],
    methods: VALUES_METHODS,
    getset: &[getset_row(c"mapping", |view: &Native<Values>| view.0.mapping(), MAPPING_DOC)],
    ..TypeSpec::new(&PyDictValues_Type)
};
/// `dict_items`.
pub static ITEMS: TypeSpec = TypeSpec {
    slots: &[
        Native::<Items>::DEALLOC,
        Native::<Items>::TRAVERSE,
        tp_repr(repr),
        tp_richcompare(compare),
        tp_iter(|view: &Native<Items>| iter::items(&*view.0.dict()?)),
        sq_length(|view: &Native<Items>| view.0.len()),
        sq_contains(items_contain),
        nb_subtract(subtract),
        nb_and(and),
        nb_xor(xor),
        nb_or(or),
    ],
    methods: ITEMS_METHODS,
    getset: &[getset_row(c"mapping", |view: &Native<Items>| view.0.mapping(), MAPPING_DOC)],
    ..TypeSpec::new(&PyDictItems_Type)
};
