//! `mappingproxy`: a mapping that can be read but not changed through the proxy.

use crate::util::{self, Field, Text};
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, type_error};
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol::{self, BinaryOp, binary_op, richcompare};
use taipan_object::singletons::none;
use taipan_object::statics::{PyDict_Type, PyDictProxy_Type, PyExc_TypeError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, intern, raise};

/// The state: the mapping.
struct Proxy(Field);
const _: () = assert!(Native::<Proxy>::SIZE <= 24);

impl Payload for Proxy {
    const TYPE: &'static StaticType = &PyDictProxy_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.0.visit(visitor);
    }
}

type View = Native<Proxy>;

fn mapping(view: &View) -> PyResult {
    view.0.get().ok_or_else(|| type_error("the proxy has been cleared"))
}

/// A proxy for a mapping that is known to be one.
///
/// # Errors
/// `MemoryError`.
pub fn new_proxy(mapping: &Object) -> PyResult {
    Ok(native_new(&PyDictProxy_Type, Proxy(Field::of(mapping)))?.upcast())
}

static SIGNATURE: Signature = Signature::parse("mappingproxy", "(mapping)");

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let (mut storage, mut names) = (Vec::new(), None);
    let args = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let mapping = args.required(0);
    // SAFETY: a live type.
    let has_items = unsafe {
        (*mapping.ty().raw()).tp_as_mapping.as_ref().is_some_and(|table| table.mp_subscript.is_some())
    };
    if !has_items || mapping.downcast::<List>().is_some() || mapping.downcast::<Tuple>().is_some() {
        return Err(raise!(
            PyExc_TypeError,
            "mappingproxy() argument must be a mapping, not {}",
            mapping.ty().message_name()
        ));
    }
    new_proxy(mapping)
}

fn contains(view: &View, key: &Object) -> PyResult<bool> {
    let mapping = mapping(view)?;
    if mapping.is_exact(&PyDict_Type) {
        // SAFETY: an exact dict.
        return unsafe { mapping.cast::<Dict>() }.contains(key);
    }
    protocol::contains(&mapping, key)
}

/// The mapping of a proxy, anything else itself.
fn unwrap(object: &Object) -> PyResult {
    object.downcast::<View>().map_or_else(|| Ok(object.new_ref()), mapping)
}

fn or(left: &Object, right: &Object) -> PyResult {
    binary_op(&*unwrap(left)?, &*unwrap(right)?, BinaryOp::Or)
}

fn inplace_or(left: &Object, _: &Object) -> PyResult {
    let error: PyErr =
        raise!(PyExc_TypeError, "'|=' is not supported by {}; use '|' instead", left.ty().message_name());
    Err(error)
}

fn repr(view: &View) -> PyResult {
    let mut text = Text::new();
    text.ascii("mappingproxy(");
    text.repr(&*mapping(view)?)?;
    text.ascii(")");
    Ok(text.finish()?.upcast())
}

fn get(view: &View, args: &[&Object]) -> PyResult {
    util::check_count("get", args.len(), 1, 2)?;
    let default = args.get(1).copied().unwrap_or(none());
    mapping(view)?.call_method(intern!("get"), &[args[0], default])
}

fn reversed(view: &View) -> PyResult {
    protocol::special(&*mapping(view)?, intern!("__reversed__"), &[])
}

taipan_object::methods! { static METHODS = {
    many "get" "($self, key, default=None, /)" = get, "The value of a key, or the default when there is no such key.";
    noargs "keys" "($self, /)" = |view: &View| mapping(view)?.call_method(intern!("keys"), &[]), "A view of the keys.";
    noargs "values" "($self, /)" = |view: &View| mapping(view)?.call_method(intern!("values"), &[]), "A view of the values.";
    noargs "items" "($self, /)" = |view: &View| mapping(view)?.call_method(intern!("items"), &[]), "A view of the pairs of key and value.";
    noargs "copy" "($self, /)" = |view: &View| mapping(view)?.call_method(intern!("copy"), &[]), "A copy of the mapping.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what keys and values are, see PEP 585.";
    noargs "__reversed__" "($self, /)" = reversed, "An iterator over the keys from the last to the first.";
} }

const DOC: &CStr = c"mappingproxy(mapping)\n--\n\nA view of a mapping that cannot be changed through it.";

/// `mappingproxy`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        Native::<Proxy>::DEALLOC,
        Native::<Proxy>::TRAVERSE,
        tp_new(new),
        tp_repr(repr),
        tp_str(|view: &View| -> PyResult<Ref<_>> { mapping(view)?.str() }),
        tp_hash(|view: &View| mapping(view)?.hash()),
        tp_richcompare(|view: &View, other: &Object, op: CompareOp| {
            richcompare(&*mapping(view)?, &*unwrap(other)?, op)
        }),
        tp_iter(|view: &View| mapping(view)?.iter()),
        mp_length(|view: &View| Ok(mapping(view)?.len()?.cast_signed())),
        mp_subscript(|view: &View, key: &Object| mapping(view)?.get_item(key)),
        sq_contains(contains),
        nb_or(or),
        nb_inplace_or(inplace_or),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PyDictProxy_Type)
};
