//! `classmethod` and `staticmethod`.
//!
//! Both wrap a callable, copy the attributes that make it look like the function, and bind it
//! otherwise than a function would be bound.

use crate::util::{self, INSTANCE_DICT};
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::callable;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::handle::{clear_field, set_field};
use taipan_object::instance::{self, RawWrapperMethod};
use taipan_object::native::{self, GetSetRow, IntoPy, Member, Slot, TypeSpec, getset_row};
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, gc, intern, layout, protocol, raise};

layout!(
    /// A `classmethod` or `staticmethod`.
    WrapperMethod, RawWrapperMethod, "staticmethod",
    |o| o.ty().is_subtype(&PyStaticMethod_Type) || o.ty().is_subtype(&PyClassMethod_Type)
);

impl WrapperMethod {
    /// The wrapped callable; `None` before `__init__`.
    pub fn callable(&self) -> Option<Ref> {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).callable) }
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let raw = ptr.cast::<RawWrapperMethod>();
        clear_field(&raw mut (*raw).callable);
        clear_field(&raw mut (*raw).dict);
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live wrapper.
    unsafe {
        let raw = ptr.cast::<RawWrapperMethod>();
        instance::visit_all(&[(*raw).callable, (*raw).dict], visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live wrapper.
    unsafe {
        let raw = ptr.cast::<RawWrapperMethod>();
        clear_field(&raw mut (*raw).callable);
        clear_field(&raw mut (*raw).dict);
    }
    0
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    let made = util::allocate(ty)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        set_field(&raw mut (*made.raw_as::<RawWrapperMethod>()).callable, Some(none().new_ref()));
    }
    Ok(made)
}

fn init(wrapper: &WrapperMethod, name: &str, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    util::no_keywords(name, kwargs)?;
    let [callable] = args.items() else {
        return Err(raise!(PyExc_TypeError, "{name} expected 1 argument, got {}", args.len()));
    };
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*wrapper.raw()).callable, Some(callable.new_ref())) };
    let names: [&Str; 4] =
        [intern!("__module__"), intern!("__name__"), intern!("__qualname__"), intern!("__doc__")];
    for name in names {
        if let Some(value) = callable.getattr_opt(name)? {
            wrapper.setattr(name, Some(&value))?;
        }
    }
    Ok(())
}

fn is_abstract(wrapper: &WrapperMethod) -> PyResult<bool> {
    match wrapper.callable() {
        Some(callable) => abstract_flag(&callable),
        None => Ok(false),
    }
}

/// Whether an object says that it is an abstract method.
pub(crate) fn abstract_flag(object: &Object) -> PyResult<bool> {
    match object.getattr_opt(intern!("__isabstractmethod__"))? {
        Some(flag) => flag.is_true(),
        None => Ok(false),
    }
}

/// An attribute that comes from the callable and is then kept.
fn forwarded(wrapper: &WrapperMethod, name: &Str, cache: &Str) -> PyResult {
    let dict = instance::dict_of(wrapper)?;
    if let Some(dict) = &dict
        && let Some(found) = dict.get_str(cache)?
    {
        return Ok(found);
    }
    let callable = wrapper.callable().unwrap_or_else(|| none().new_ref());
    let value = callable.getattr(name)?;
    if let Some(dict) = dict {
        dict.set_str(cache, &value)?;
    }
    Ok(value)
}

fn set_forwarded(wrapper: &WrapperMethod, name: &Str, value: Option<&Object>) -> PyResult<()> {
    let Some(dict) = instance::dict_of(wrapper)? else { return Ok(()) };
    match value {
        Some(value) => dict.set_str(name, value),
        None => match dict.remove(name)? {
            Some(_) => Ok(()),
            None => Err(taipan_object::err::attribute_error(&name.to_lossy())),
        },
    }
}

fn repr(wrapper: &WrapperMethod) -> PyResult {
    let callable = wrapper.callable().unwrap_or_else(|| none().new_ref());
    let kind = if wrapper.ty().is_subtype(&PyStaticMethod_Type) { "staticmethod" } else { "classmethod" };
    format!("<{kind}({})>", callable.repr()?.to_lossy()).into_py()
}

fn class_get(wrapper: &WrapperMethod, instance: Option<&Object>, owner: Option<&Object>) -> PyResult {
    let Some(callable) = wrapper.callable() else {
        return Err(taipan_object::err::runtime_error("uninitialized classmethod object"));
    };
    let class = match (owner, instance) {
        (Some(owner), _) => owner.new_ref(),
        (None, Some(instance)) => instance.ty().new_ref(),
        (None, None) => return Err(taipan_object::err::type_error("__get__(None, None) is invalid")),
    };
    Ok(callable::new_method(&callable, &class)?.upcast())
}

fn static_get(wrapper: &WrapperMethod, _: Option<&Object>, _: Option<&Object>) -> PyResult {
    wrapper.callable().ok_or_else(|| taipan_object::err::runtime_error("uninitialized staticmethod object"))
}

fn static_call(wrapper: &WrapperMethod, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let callable = static_get(wrapper, None, None)?;
    protocol::call_with_dict(&callable, args, kwargs)
}

taipan_object::methods! { static METHODS = {
    class one "__class_getitem__" "($type, object, /)" = |class: &Object, item: &Object| crate::generic_alias::new(class, item),
        "A generic alias of the class, for annotations.";
} }

const MEMBERS: &[Member] = &[
    Member::new(c"__func__", T_OBJECT, offset_of!(RawWrapperMethod, callable), Py_READONLY, c"the callable"),
    Member::new(
        c"__wrapped__",
        T_OBJECT,
        offset_of!(RawWrapperMethod, callable),
        Py_READONLY,
        c"the callable",
    ),
];

const GETSET: &[GetSetRow] = &[
    getset_row(c"__isabstractmethod__", is_abstract, c""),
    INSTANCE_DICT,
    getset_row(
        c"__annotations__",
        |w: &WrapperMethod| forwarded(w, intern!("__annotations__"), intern!("__annotations__")),
        c"",
    )
    .with_setter(|w: &WrapperMethod, v: Option<&Object>| set_forwarded(w, intern!("__annotations__"), v)),
    getset_row(
        c"__annotate__",
        |w: &WrapperMethod| forwarded(w, intern!("__annotate__"), intern!("__annotate__")),
        c"",
    )
    .with_setter(|w: &WrapperMethod, v: Option<&Object>| set_forwarded(w, intern!("__annotate__"), v)),
];

const LIFE: [Slot; 3] =
    [native::raw_dealloc(dealloc), native::raw_traverse(traverse), native::raw_clear(clear)];

/// `classmethod`.
pub static CLASSMETHOD: TypeSpec = TypeSpec {
    doc: Some(c"classmethod(function, /)\n--\n\nMake a method that gets the class instead of the instance as its first argument."),
    slots: &[
        LIFE[0],
        LIFE[1],
        LIFE[2],
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::tp_new(new),
        native::tp_init(|w: &WrapperMethod, args: &Tuple, kwargs: Option<&Dict>| init(w, "classmethod", args, kwargs)),
        native::tp_repr(repr),
        native::tp_descr_get(class_get),
    ],
    methods: METHODS,
    members: MEMBERS,
    getset: GETSET,
    ..TypeSpec::new(&PyClassMethod_Type)
};

/// `staticmethod`.
pub static STATICMETHOD: TypeSpec = TypeSpec {
    doc: Some(c"staticmethod(function, /)\n--\n\nMake a method that gets neither the instance nor the class as its first argument."),
    slots: &[
        LIFE[0],
        LIFE[1],
        LIFE[2],
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::tp_new(new),
        native::tp_init(|w: &WrapperMethod, args: &Tuple, kwargs: Option<&Dict>| init(w, "staticmethod", args, kwargs)),
        native::tp_repr(repr),
        native::tp_descr_get(static_get),
        native::tp_call(static_call),
    ],
    methods: METHODS,
    members: MEMBERS,
    getset: GETSET,
    ..TypeSpec::new(&PyStaticMethod_Type)
};
