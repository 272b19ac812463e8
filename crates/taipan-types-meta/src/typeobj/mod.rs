//! `type`: what Python sees of classes.
//!
//! The machinery (making types ready, MRO, look-up, slots) is `taipan_object::typeobject`; here are
//! calling a class ([`call`]), attribute access on classes ([`access`]), their special attributes
//! ([`attributes`], [`bases`], [`annotations`]) and their end ([`lifetime`]).

mod access;
mod annotations;
mod attributes;
mod bases;
mod call;
mod lifetime;

pub(crate) use annotations::call_annotate;

use crate::object;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::native::{self, IntoPy, Member, TypeSpec};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, instance, intern, protocol, typeobject};

fn type_repr(ty: &Type) -> PyResult {
    let name = ty.name();
    let module = attributes::module_of(ty);
    let qualname = ty.getattr(intern!("__qualname__"))?;
    match module.ok().as_ref().and_then(|module| module.downcast::<Str>()) {
        Some(module) if !module.equals("builtins") => {
            format!("<class '{}.{}'>", module.to_lossy(), qualname.str_lossy()).into_py()
        }
        _ if ty.has_flag(Py_TPFLAGS_HEAPTYPE) => format!("<class '{}'>", qualname.str_lossy()).into_py(),
        _ => format!("<class '{name}'>").into_py(),
    }
}

/// `X | Y` makes a union.
fn type_or(left: &Object, right: &Object) -> PyResult {
    crate::union::or(left, right)
}

fn type_mro(ty: &Type) -> PyResult<Ref<List>> {
    List::from_vec(typeobject::compute_mro(ty)?.items().iter().map(|entry| entry.new_ref()).collect())
}

fn type_subclasses(ty: &Type) -> PyResult<Ref<List>> {
    List::from_vec(ty.subclasses().into_iter().map(Ref::upcast).collect())
}

fn type_dir(ty: &Type) -> PyResult<Ref<List>> {
    let names = Dict::new()?;
    object::merge_class_names(&names, ty)?;
    List::from_vec(names.items_vec().into_iter().map(|(name, _)| name).collect())
}

fn type_sizeof(ty: &Type) -> usize {
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        size_of::<PyHeapTypeObject>() + instance::inline_values_size(ty)
    } else {
        size_of::<PyTypeObject>()
    }
}

taipan_object::methods! { static METHODS = {
    noargs "mro" "($self, /)" = type_mro,
        "Work out the class's method resolution order.";
    noargs "__subclasses__" "($self, /)" = type_subclasses,
        "The classes that name this one among their bases and still exist, oldest first.";
    class keywords "__prepare__" "($cls, name, bases, /, **kwds)" = |_: &Object, _: native::CallArgs<'_>| Dict::new(),
        "Make the namespace that a class body runs in.";
    one "__instancecheck__" "($self, instance, /)" = |ty: &Object, object: &Object| protocol::real_is_instance(object, ty),
        "Whether an object counts as an instance of the class.";
    one "__subclasscheck__" "($self, subclass, /)" = |ty: &Object, class: &Object| protocol::real_is_subclass(class, ty),
        "Whether a class counts as derived from this one.";
    noargs "__dir__" "($self, /)" = type_dir,
        "The names of the attributes of the class and its bases, for dir().";
    noargs "__sizeof__" "($self, /)" = type_sizeof,
        "The size of the class object's own memory in bytes.";
} }

static MEMBERS: &[Member] = &[
    Member::new(
        c"__basicsize__",
        Py_T_PYSSIZET,
        core::mem::offset_of!(PyTypeObject, tp_basicsize),
        Py_READONLY,
        c"",
    ),
    Member::new(
        c"__itemsize__",
        Py_T_PYSSIZET,
        core::mem::offset_of!(PyTypeObject, tp_itemsize),
        Py_READONLY,
        c"",
    ),
    Member::new(c"__flags__", Py_T_ULONG, core::mem::offset_of!(PyTypeObject, tp_flags), Py_READONLY, c""),
    Member::new(
        c"__weakrefoffset__",
        Py_T_PYSSIZET,
        core::mem::offset_of!(PyTypeObject, tp_weaklistoffset),
        Py_READONLY,
        c"",
    ),
    Member::new(c"__base__", T_OBJECT, core::mem::offset_of!(PyTypeObject, tp_base), Py_READONLY, c""),
    Member::new(
        c"__dictoffset__",
        Py_T_PYSSIZET,
        core::mem::offset_of!(PyTypeObject, tp_dictoffset),
        Py_READONLY,
        c"",
    ),
];

/// `type`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"type(object, /)\n--\n\ntype(object) -> the object's class\ntype(name, bases, namespace, **keywords) -> a new class"),
    slots: &[
        native::raw_dealloc(lifetime::dealloc),
        native::raw_traverse(lifetime::traverse),
        native::raw_clear(lifetime::clear),
        native::raw_is_gc(lifetime::is_gc),
        native::raw_free(instance::object_gc_del),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_getattro(access::type_getattro),
        native::tp_setattro(access::setattr),
        native::tp_repr(type_repr),
        native::tp_new(call::type_new),
        native::tp_init(call::type_init),
        native::tp_call(call::type_call),
        native::raw_vectorcall(call::type_vectorcall),
        native::nb_or(type_or),
    ],
    methods: METHODS,
    getset: attributes::GETSET,
    members: MEMBERS,
    ..TypeSpec::new(&PyType_Type)
};
