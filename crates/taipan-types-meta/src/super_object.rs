//! `super`: attributes from further along the resolution order.

use crate::util;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, runtime_error, type_error};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::native::{self, IntoPy, Member, TypeSpec, from_c, opt_ptr};
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, gc, instance, intern, layout, raise, state};

/// The memory of a `super` object.
#[repr(C)]
pub struct RawSuper {
    head: PyObject,
    class: *mut PyObject,
    object: *mut PyObject,
    object_class: *mut PyObject,
}
const _: () = assert!(size_of::<RawSuper>() == 40);

layout!(
    /// A `super` object.
    Super, RawSuper, "super", |o| o.ty().is_subtype(&PySuper_Type)
);

impl Super {
    fn class(&self) -> Option<Ref> {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).class) }
    }

    fn object(&self) -> Option<Ref> {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).object) }
    }

    fn object_class(&self) -> Option<Ref> {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).object_class) }
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let raw = ptr.cast::<RawSuper>();
        clear_field(&raw mut (*raw).object);
        clear_field(&raw mut (*raw).class);
        clear_field(&raw mut (*raw).object_class);
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live object.
    unsafe {
        let raw = ptr.cast::<RawSuper>();
        instance::visit_all(&[(*raw).object, (*raw).class, (*raw).object_class], visit, arg)
    }
}

/// The class whose resolution order counts: that of the object, or the object itself if it is a class
/// derived from `class`.
///
/// # Errors
/// `TypeError` when the object has nothing to do with the class.
pub fn check(class: &Type, object: &Object) -> PyResult<Ref<Type>> {
    if let Some(derived) = object.downcast::<Type>()
        && derived.is_subtype(class)
    {
        return Ok(Ref::of(derived));
    }
    if object.ty().is_subtype(class) {
        return Ok(Ref::of(object.ty()));
    }
    // Proxies may claim another class.
    if let Some(claimed) = object.getattr_opt(intern!("__class__"))?
        && let Ok(claimed) = claimed.downcast_owned::<Type>()
        && !claimed.is(object.ty())
        && claimed.is_subtype(class)
    {
        return Ok(claimed);
    }
    let (kind, name) = match object.downcast::<Type>() {
        Some(ty) => ("type", ty.message_name()),
        None => ("instance of", object.ty().message_name()),
    };
    Err(raise!(
        PyExc_TypeError,
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        class.message_name()
    ))
}

fn init(this: &Super, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    util::no_keywords("super", kwargs)?;
    let (class, object) = match args.items() {
        [] => {
            let (class, object) = (state::interp().hooks.get().current_super_args)()?;
            (class, Some(object))
        }
        [class] => (class.new_ref(), None),
        [class, object] => (class.new_ref(), Some(object.new_ref())),
        many => {
            return Err(raise!(PyExc_TypeError, "super() expected at most 2 arguments, got {}", many.len()));
        }
    };
    let Some(ty) = class.downcast::<Type>() else {
        if args.is_empty() {
            return Err(runtime_error(&format!(
                "super(): __class__ is not a type ({})",
                class.ty().message_name()
            )));
        }
        return Err(raise!(
            PyExc_TypeError,
            "super() argument 1 must be a type, not {}",
            crate::arguments::type_name(&class)
        ));
    };
    let object = object.filter(|object| !is_none(object));
    let object_class = match &object {
        Some(object) => Some(check(ty, object)?.upcast()),
        None => None,
    };
    // SAFETY: the view guarantees the layout; fields own their values.
    unsafe {
        let raw = this.raw();
        set_field(&raw mut (*raw).class, Some(class.clone()));
        set_field(&raw mut (*raw).object, object);
        set_field(&raw mut (*raw).object_class, object_class);
    }
    Ok(())
}

/// What `super(class, object)` finds under a name: unbound, from the classes after `class` in the
/// resolution order of `start`.
///
/// # Errors
/// What comparing odd keys raises.
pub fn lookup(class: &Object, start: &Type, name: &Str) -> PyResult<Option<Ref>> {
    let Some(mro) = start.mro().map(Ref::of) else { return Ok(None) };
    let mut rest = mro.items().iter();
    if !rest.by_ref().any(|entry| entry.is(class)) {
        return Ok(None);
    }
    for entry in rest {
        // SAFETY: a resolution order holds types only.
        let dict = unsafe { entry.cast::<Type>() }.dict().map(Ref::of);
        if let Some(dict) = dict
            && let Some(found) = dict.get_str(name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What `super(class, object).name` finds, bound to the object; `None` if nothing does.
///
/// # Errors
/// What descriptors raise.
pub fn find(class: &Object, object: &Object, start: &Type, name: &Str) -> PyResult<Option<Ref>> {
    let Some(found) = lookup(class, start, name)? else { return Ok(None) };
    // SAFETY: slot contract: no instance where the object is the class itself.
    unsafe {
        match (*found.ty().raw()).tp_descr_get {
            Some(get) => {
                let instance = if object.is(start) { None } else { Some(object) };
                from_c(get(found.as_ptr(), opt_ptr(instance), start.as_ptr())).map(Some)
            }
            None => Ok(Some(found)),
        }
    }
}

fn getattro(this: &Super, name: &Object) -> PyResult {
    let text = name.downcast::<Str>();
    // `__class__` is that of the super object.
    if let Some(text) = text.filter(|text| !text.equals("__class__"))
        && let (Some(class), Some(object), Some(start)) = (this.class(), this.object(), this.object_class())
        && let Ok(start) = start.downcast_owned::<Type>()
        && let Some(found) = find(&class, &object, &start, text)?
    {
        return Ok(found);
    }
    instance::generic_getattr(this, name)
}

fn repr(this: &Super) -> String {
    let name = |class: &Ref| {
        class.downcast::<Type>().map_or_else(|| "?".to_owned(), |ty| ty.message_name().to_owned())
    };
    let class = this.class().as_ref().map_or_else(|| "NULL".to_owned(), name);
    match this.object_class() {
        Some(object_class) => format!("<super: <class '{class}'>, <{} object>>", name(&object_class)),
        None => format!("<super: <class '{class}'>, NULL>"),
    }
}

/// An unbound super object in a class binds like a method.
fn descr_get(this: &Super, object: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(object) = object.filter(|object| !is_none(object)) else { return Ok(this.new_ref()) };
    if this.object().is_some() {
        return Ok(this.new_ref());
    }
    let Some(class) = this.class() else { return Ok(this.new_ref()) };
    if !this.is_exact(&PySuper_Type) {
        return this.ty().call(&[&class, object]);
    }
    let Some(ty) = class.downcast::<Type>() else { return Err(type_error("super() is not initialised")) };
    let object_class = check(ty, object)?;
    let made = util::allocate(&PySuper_Type)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = made.raw_as::<RawSuper>();
        set_field(&raw mut (*raw).class, Some(class.clone()));
        set_field(&raw mut (*raw).object, Some(object.new_ref()));
        set_field(&raw mut (*raw).object_class, Some(object_class.upcast()));
    }
    made.into_py()
}

/// `super`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"super() -> the attributes of the bases, as a method sees them\nsuper(class, object) -> the same, said at length\nsuper(class) -> an unbound super object"),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| util::allocate(ty)),
        native::tp_init(init),
        native::tp_repr(repr),
        native::tp_getattro(getattro),
        native::tp_descr_get(descr_get),
    ],
    members: &[
        Member::new(c"__thisclass__", T_OBJECT, offset_of!(RawSuper, class), Py_READONLY, c"the class named"),
        Member::new(c"__self__", T_OBJECT, offset_of!(RawSuper, object), Py_READONLY, c"the object"),
        Member::new(c"__self_class__", T_OBJECT, offset_of!(RawSuper, object_class), Py_READONLY, c"the object's class"),
    ],
    ..TypeSpec::new(&PySuper_Type)
};
