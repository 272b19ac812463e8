//! `property`: an attribute computed by functions.

use crate::util;
use crate::wrappers::abstract_flag;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::native::{self, CallArgs, Member, Signature, TypeSpec, getset_row};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, gc, instance, intern, layout, raise};

/// The memory of a property.
#[repr(C)]
pub struct RawProperty {
    head: PyObject,
    get: *mut PyObject,
    set: *mut PyObject,
    delete: *mut PyObject,
    doc: *mut PyObject,
    name: *mut PyObject,
    /// Whether the documentation is the getter's.
    getter_doc: c_int,
}
const _: () = assert!(size_of::<RawProperty>() == 64);

layout!(
    /// A `property`.
    Property, RawProperty, "property", |o| o.ty().is_subtype(&PyProperty_Type)
);

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        clear(ptr);
        clear_field(&raw mut (*ptr.cast::<RawProperty>()).name);
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live property.
    unsafe {
        let raw = ptr.cast::<RawProperty>();
        instance::visit_all(&[(*raw).get, (*raw).set, (*raw).delete, (*raw).doc, (*raw).name], visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live property.
    unsafe {
        let raw = ptr.cast::<RawProperty>();
        clear_field(&raw mut (*raw).get);
        clear_field(&raw mut (*raw).set);
        clear_field(&raw mut (*raw).delete);
        clear_field(&raw mut (*raw).doc);
    }
    0
}

macro_rules! part {
    ($name:ident, $field:ident) => {
        /// The function behind this part of the property.
        pub fn $name(&self) -> Option<Ref> {
            // SAFETY: the view guarantees the layout.
            unsafe { util::field(&raw mut (*self.raw()).$field) }
        }
    };
}

impl Property {
    part!(getter, get);
    part!(setter, set);
    part!(deleter, delete);
    part!(stored_doc, doc);
    part!(stored_name, name);

    /// The name that `__set_name__` gave, or that of the getter.
    fn name(&self) -> PyResult<Option<Ref>> {
        if let Some(name) = self.stored_name() {
            return Ok(Some(name));
        }
        match self.getter().filter(|getter| !is_none(getter)) {
            Some(getter) => getter.getattr_opt(intern!("__name__")),
            None => Ok(None),
        }
    }
}

static SIGNATURE: Signature = Signature::parse("property", "(fget=None, fset=None, fdel=None, doc=None)");

fn init(property: &Property, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let part = |index: usize| bound.get_some(index).map(Object::new_ref);
    let (getter, doc) = (part(0), part(3));
    let raw = property.raw();
    // SAFETY: the view guarantees the layout; fields own their values.
    unsafe {
        set_field(&raw mut (*raw).get, getter.clone());
        set_field(&raw mut (*raw).set, part(1));
        set_field(&raw mut (*raw).delete, part(2));
        set_field(&raw mut (*raw).doc, None);
        set_field(&raw mut (*raw).name, None);
        (*raw).getter_doc = 0;
    }
    let mut kept = doc;
    if kept.is_none()
        && let Some(getter) = getter
        && let Some(found) = getter.getattr_opt(intern!("__doc__"))?.filter(|found| !is_none(found))
    {
        // SAFETY: as above.
        unsafe { (*raw).getter_doc = 1 };
        kept = Some(found);
    }
    if property.is_exact(&PyProperty_Type) {
        // SAFETY: as above.
        unsafe { set_field(&raw mut (*raw).doc, kept) };
        return Ok(());
    }
    // The class's own `__doc__` hides the field from instances of subclasses: they keep it themselves.
    match property.setattr(intern!("__doc__"), Some(kept.as_deref().unwrap_or(none()))) {
        // A text given is lost where there is no room for it; the getter's own is not lost silently.
        // SAFETY: as above.
        Err(error) if unsafe { (*raw).getter_doc == 0 } => error.allow::<()>(&PyExc_AttributeError).map(drop),
        result => result,
    }
}

/// `property 'x' of 'C' object has no setter`.
#[cold]
fn missing(property: &Property, instance: &Object, what: &str) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let qualname = instance.ty().getattr(intern!("__qualname__"))?.repr()?.to_lossy();
        Ok(match property.name()? {
            Some(name) => raise!(
                PyExc_AttributeError,
                "property {} of {qualname} object has no {what}",
                name.repr()?.to_lossy()
            ),
            None => raise!(PyExc_AttributeError, "property of {qualname} object has no {what}"),
        })
    };
    make().unwrap_or_else(|error| error)
}

fn get(property: &Property, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance.filter(|instance| !is_none(instance)) else {
        return Ok(property.new_ref());
    };
    match property.getter() {
        Some(getter) => getter.call(&[instance]),
        None => Err(missing(property, instance, "getter")),
    }
}

fn set(property: &Property, instance: &Object, value: Option<&Object>) -> PyResult<()> {
    match value {
        Some(value) => match property.setter() {
            Some(setter) => setter.call(&[instance, value]).map(drop),
            None => Err(missing(property, instance, "setter")),
        },
        None => match property.deleter() {
            Some(deleter) => deleter.call(&[instance]).map(drop),
            None => Err(missing(property, instance, "deleter")),
        },
    }
}

/// A copy with one function replaced.
fn copy(
    property: &Property,
    getter: Option<&Object>,
    setter: Option<&Object>,
    deleter: Option<&Object>,
) -> PyResult {
    let or_none = |new: Option<&Object>, old: Option<Ref>| -> Ref {
        match new.filter(|new| !is_none(new)) {
            Some(new) => new.new_ref(),
            None => old.unwrap_or_else(|| none().new_ref()),
        }
    };
    let get = or_none(getter, property.getter());
    // SAFETY: the view guarantees the layout.
    let from_getter = unsafe { (*property.raw()).getter_doc != 0 };
    // Documentation that came from the getter is taken from the new getter.
    let doc = if from_getter && !is_none(&get) { None } else { property.stored_doc() };
    let doc = doc.unwrap_or_else(|| none().new_ref());
    let new = property.ty().call(&[
        &get,
        &or_none(setter, property.setter()),
        &or_none(deleter, property.deleter()),
        &doc,
    ])?;
    if let Some(made) = new.downcast::<Property>() {
        // SAFETY: the view guarantees the layout.
        unsafe { set_field(&raw mut (*made.raw()).name, property.stored_name()) };
    }
    Ok(new)
}

fn set_name(property: &Property, call: CallArgs<'_>) -> PyResult<()> {
    let [_, name] = call.positional() else {
        return Err(raise!(
            PyExc_TypeError,
            "__set_name__() takes 2 positional arguments but {} were given",
            call.positional().len()
        ));
    };
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*property.raw()).name, Some(name.new_ref())) };
    Ok(())
}

fn is_abstract(property: &Property) -> PyResult<bool> {
    for part in [property.getter(), property.setter(), property.deleter()].into_iter().flatten() {
        if abstract_flag(&part)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn own_name(property: &Property) -> PyResult {
    match property.name()? {
        Some(name) => Ok(name),
        None => Err(instance::attribute_error_with(
            property,
            "__name__",
            &format!("'{}' object has no attribute '__name__'", property.ty().message_name()),
        )),
    }
}

taipan_object::methods! { static METHODS = {
    one "getter" "" = |p: &Property, f: &Object| copy(p, Some(f), None, None),
        "Make a property with another getter.";
    one "setter" "" = |p: &Property, f: &Object| copy(p, None, Some(f), None),
        "Make a property with another setter.";
    one "deleter" "" = |p: &Property, f: &Object| copy(p, None, None, Some(f)),
        "Make a property with another deleter.";
    keywords "__set_name__" "" = set_name,
        "Tell the property the name that it was given in its class.";
} }

/// `property`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"property(fget=None, fset=None, fdel=None, doc=None)\n--\n\nMake an attribute that is computed, set and deleted by functions.\n\nUsed as a decorator it makes a read-only attribute of a method; its methods getter, setter and\ndeleter make properties with further functions."),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::raw_clear(clear),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| util::allocate(ty)),
        native::tp_init(init),
        native::tp_descr_get(get),
        native::tp_descr_set(set),
    ],
    methods: METHODS,
    members: &[
        Member::new(c"fget", T_OBJECT, offset_of!(RawProperty, get), Py_READONLY, c""),
        Member::new(c"fset", T_OBJECT, offset_of!(RawProperty, set), Py_READONLY, c""),
        Member::new(c"fdel", T_OBJECT, offset_of!(RawProperty, delete), Py_READONLY, c""),
        Member::new(c"__doc__", T_OBJECT, offset_of!(RawProperty, doc), 0, c""),
    ],
    getset: &[
        getset_row(c"__name__", own_name, c"").with_setter(|p: &Property, value: Option<&Object>| {
            // SAFETY: the view guarantees the layout.
            unsafe { set_field(&raw mut (*p.raw()).name, value.map(Object::new_ref)) };
            Ok(())
        }),
        getset_row(c"__isabstractmethod__", is_abstract, c""),
    ],
    ..TypeSpec::new(&PyProperty_Type)
};
