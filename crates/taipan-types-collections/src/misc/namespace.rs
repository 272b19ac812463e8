//! `types.SimpleNamespace`: an object whose attributes are its whole state.

use crate::dict::{OnDuplicate, merge, update};
use crate::util::{self, Text};
use core::ffi::{CStr, c_int, c_void};
use core::mem::offset_of;
use taipan_object::abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error};
use taipan_object::native::*;
use taipan_object::protocol::{repr_guard, richcompare};
use taipan_object::statics::{PyBaseObject_Type, StaticType, StaticTypeInit};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, TypeSpec, gc, layout, refcount};

/// The memory of a namespace.
#[repr(C)]
pub struct RawNamespace {
    head: PyObject,
    dict: *mut PyObject,
}

/// The type object.
pub static TYPE: StaticType = StaticType::new(StaticTypeInit {
    name: c"types.SimpleNamespace",
    basicsize: size_of::<RawNamespace>().cast_signed(),
    itemsize: 0,
    dictoffset: offset_of!(RawNamespace, dict).cast_signed(),
    weaklistoffset: 0,
    vectorcall_offset: 0,
    flags: Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    base: &raw const PyBaseObject_Type,
});

layout!(
    /// A `SimpleNamespace` or an instance of a subclass.
    Namespace, RawNamespace, "SimpleNamespace", |o| o.ty().is_subtype(&TYPE)
);

impl Namespace {
    /// The attributes.
    fn dict(&self) -> PyResult<Ref<Dict>> {
        // SAFETY: the view guarantees the layout; the field is null or owns a dict.
        unsafe {
            if (*self.raw()).dict.is_null() {
                (*self.raw()).dict = Dict::new()?.into_ptr();
            }
            Ok(Ref::of(Object::borrow((*self.raw()).dict).cast()))
        }
    }
}

/// A namespace of the items of a dict, which may be `None`.
///
/// # Errors
/// `MemoryError`.
pub fn new_namespace(attributes: Option<&Dict>) -> PyResult {
    let namespace = new(&TYPE, &Tuple::empty(), None)?;
    if let Some(attributes) = attributes {
        // SAFETY: made just now.
        merge(&*unsafe { namespace.cast::<Namespace>() }.dict()?, attributes, OnDuplicate::Replace)?;
    }
    Ok(namespace)
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    let namespace = util::allocate(ty, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe { namespace.cast::<Namespace>() }.dict()?;
    Ok(namespace)
}

fn init(namespace: &Namespace, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    util::check_count("SimpleNamespace", args.len(), 0, 1)?;
    let dict = namespace.dict()?;
    if let Some(argument) = args.get(0) {
        let given = Dict::new()?;
        update(&given, argument)?;
        util::check_keyword_names(&given)?;
        merge(&dict, &given, OnDuplicate::Replace)?;
    }
    if let Some(kwargs) = kwargs {
        util::check_keyword_names(kwargs)?;
        merge(&dict, kwargs, OnDuplicate::Replace)?;
    }
    Ok(())
}

fn repr(namespace: &Namespace) -> PyResult {
    let ty = namespace.ty();
    let name = if ty.is(&TYPE) { "namespace" } else { ty.name() };
    let text = repr_guard(namespace, || {
        let mut text = Text::new();
        text.text(name)?;
        text.ascii("(");
        let (dict, mut position, mut first) = (namespace.dict()?, 0, true);
        while let Some((key, value)) = dict.next(&mut position) {
            let Some(key) = key.downcast::<Str>().filter(|key| !key.is_empty()) else { continue };
            if !core::mem::take(&mut first) {
                text.ascii(", ");
            }
            text.push(key);
            text.ascii("=");
            text.repr(&value)?;
        }
        text.ascii(")");
        text.finish()
    })?;
    text.map_or_else(|| format!("{name}(...)").into_py(), IntoPy::into_py)
}

fn compare(namespace: &Namespace, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<Namespace>() else { return Ok(util::not_implemented()) };
    richcompare(&*namespace.dict()?, &*other.dict()?, op)
}

fn reduce(namespace: &Namespace) -> PyResult {
    util::reduced(namespace.ty().new_ref(), &[], Some(namespace.dict()?.upcast()))
}

fn replace(namespace: &Namespace, args: CallArgs<'_>) -> PyResult {
    if !args.positional().is_empty() {
        return Err(type_error("__replace__() takes no positional arguments"));
    }
    let made = namespace.ty().call(&[])?;
    let Some(new) = made.downcast::<Namespace>() else {
        return Err(type_error(&format!(
            "expect types.SimpleNamespace type, but {}() returned '{}' object",
            namespace.ty().full_name(),
            made.ty().full_name()
        )));
    };
    let dict = new.dict()?;
    merge(&dict, &*namespace.dict()?, OnDuplicate::Replace)?;
    for (name, value) in args.keywords() {
        dict.set(name, value)?;
    }
    Ok(made)
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let dict = core::mem::replace(&mut (*ptr.cast::<RawNamespace>()).dict, core::ptr::null_mut());
        refcount::xdecref(dict);
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live namespace.
    unsafe {
        let dict = (*ptr.cast::<RawNamespace>()).dict;
        if dict.is_null() { 0 } else { visit(dict, arg) }
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live namespace.
    unsafe { taipan_object::handle::clear_field(&raw mut (*ptr.cast::<RawNamespace>()).dict) };
    0
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = reduce, "Describe the namespace for pickling.";
    keywords "__replace__" "($self, /, **changes)" = replace, "A copy with some attributes changed.";
} }

const DOC: &CStr = c"SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n--\n\nAn object whose attributes can be set, read and deleted freely.";

/// `types.SimpleNamespace`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        raw_getattro(taipan_object::instance::PyObject_GenericGetAttr),
        raw_setattro(taipan_object::instance::PyObject_GenericSetAttr),
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        tp_richcompare(compare),
    ],
    methods: METHODS,
    members: &[Member::new(c"__dict__", T_OBJECT, offset_of!(RawNamespace, dict), Py_READONLY, c"")],
    ..TypeSpec::new(&TYPE)
};
