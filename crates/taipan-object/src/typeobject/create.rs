//! Making classes: what `type(name, bases, namespace)` does (language reference, 3.3.3).

use crate::alloc;
use crate::dict::Dict;
use crate::err::{PyErr, PyResult, type_error};
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::instance::{self, RawWrapperMethod};
use crate::intern;
use crate::native::{self, from_c};
use crate::raise;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use taipan_abi::*;

/// What a class is made of.
pub struct TypeParts<'a> {
    pub metatype: &'a Type,
    pub name: &'a Str,
    pub bases: &'a Tuple,
    pub namespace: &'a Dict,
    pub kwargs: Option<&'a Dict>,
}

/// The places that a class adds to its instances.
struct Layout {
    names: Vec<Ref<Str>>,
    add_dict: bool,
    add_weakref: bool,
}

/// Makes a class.
///
/// # Errors
/// `TypeError` for bases that do not go together, `ValueError` for slots that hide class attributes;
/// what `__set_name__` and `__init_subclass__` raise.
pub fn type_new(parts: &TypeParts<'_>) -> PyResult<Ref<Type>> {
    let (metatype, bases) = metatype_and_bases(parts)?;
    if !metatype.is(parts.metatype) {
        // The real metatype may make its classes differently.
        // SAFETY: slot contract; the arguments live during the call.
        unsafe {
            let ours = (*PyType_Type.raw()).tp_new;
            let theirs = (*metatype.raw()).tp_new;
            if let Some(new) = theirs.filter(|new| ours.is_none_or(|ours| ours as usize != *new as usize)) {
                let args = Tuple::from_refs(&[parts.name, &bases, parts.namespace])?;
                let kwargs = native::opt_ptr(parts.kwargs.map(|k| &**k));
                let made = from_c(new(metatype.raw(), args.as_ptr(), kwargs))?;
                return made
                    .downcast_owned::<Type>()
                    .map_err(|_| type_error("metaclass made something that is no class"));
            }
        }
    }
    let base = best_base(&bases)?;
    let dict = parts.namespace.copy()?;
    let layout = plan_layout(&base, &bases, &dict, parts.name)?;
    let ty = allocate(&metatype, &base, &bases, &dict, &layout, parts.name)?;
    set_special_attributes(&ty, &dict)?;
    let cell = dict.remove(intern!("__classcell__"))?;
    super::ready(&ty)?;
    super::update_all_slots(&ty);
    if let Some(cell) = cell {
        fill_class_cell(&cell, &ty)?;
    }
    let class_dict_cell = dict.remove(intern!("__classdictcell__"))?;
    if let Some(cell) = class_dict_cell {
        // SAFETY: the compiler puts a cell there; anything else is refused.
        unsafe { set_cell(&cell, &dict, "__classdictcell__")? };
    }
    if dict.items_vec().iter().any(|(key, _)| key.downcast::<Str>().is_none()) {
        let message = format!("non-string key in the __dict__ of class {}", ty.name());
        (crate::state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, &message, 1)?;
    }
    call_set_names(&ty)?;
    call_init_subclass(&ty, parts.kwargs)?;
    Ok(ty)
}

fn metatype_and_bases(parts: &TypeParts<'_>) -> PyResult<(Ref<Type>, Ref<Tuple>)> {
    if parts.bases.is_empty() {
        let object: &Type = &PyBaseObject_Type;
        return Ok((Ref::of(parts.metatype), Tuple::from_refs(&[object])?));
    }
    for base in parts.bases.items() {
        if base.downcast::<Type>().is_none() {
            if base.getattr_opt(intern!("__mro_entries__"))?.is_some() {
                return Err(type_error("type() doesn't support MRO entry resolution; use types.new_class()"));
            }
            return Err(type_error("bases must be types"));
        }
    }
    Ok((winning_metatype(parts.metatype, parts.bases)?, Ref::of(parts.bases)))
}

/// The most derived metatype of `metatype` and those of the bases.
///
/// # Errors
/// `TypeError` for a conflict.
pub fn winning_metatype(metatype: &Type, bases: &Tuple) -> PyResult<Ref<Type>> {
    let mut winner = Ref::of(metatype);
    for base in bases.items() {
        let other = base.ty();
        if winner.is_subtype(other) {
            continue;
        }
        if other.is_subtype(&winner) {
            winner = Ref::of(other);
            continue;
        }
        return Err(type_error(
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
        ));
    }
    Ok(winner)
}

/// The base whose native layout a class with these bases extends.
///
/// # Errors
/// `TypeError` when a base cannot be derived from or two layouts conflict.
pub fn best_base(bases: &Tuple) -> PyResult<Ref<Type>> {
    let mut best: Option<(&Type, &Type)> = None;
    for base in bases.items() {
        let Some(base) = base.downcast::<Type>() else { return Err(type_error("bases must be types")) };
        // A class whose order is just being asked for is refused where that order is needed.
        if !base.has_flag(Py_TPFLAGS_READYING) {
            super::ready(base)?;
        }
        if !base.has_flag(Py_TPFLAGS_BASETYPE) {
            return Err(raise!(
                PyExc_TypeError,
                "type '{}' is not an acceptable base type",
                base.message_name()
            ));
        }
        let solid = solid_base(base);
        best = match best {
            None => Some((base, solid)),
            Some((_, winner)) if winner.is_subtype(solid) => best,
            Some((_, winner)) if solid.is_subtype(winner) => Some((base, solid)),
            Some(_) => return Err(type_error("multiple bases have instance lay-out conflict")),
        };
    }
    best.map(|(base, _)| Ref::of(base))
        .ok_or_else(|| type_error("a new-style class can't have only classic bases"))
}

/// The most derived base that adds fields of its own.
pub(super) fn solid_base(ty: &Type) -> &Type {
    let base = ty.base().map_or_else(|| -> &Type { &PyBaseObject_Type }, solid_base);
    if adds_fields(ty, base) { ty } else { base }
}

fn adds_fields(ty: &Type, base: &Type) -> bool {
    // SAFETY: live types.
    unsafe {
        let (t, b) = (ty.raw(), base.raw());
        let mut size = (*t).tp_basicsize as usize;
        let base_size = (*b).tp_basicsize as usize;
        if (*t).tp_itemsize != (*b).tp_itemsize && (*t).tp_itemsize != 0 {
            return true;
        }
        // A dict or list of weak references at the end is no conflict.
        if (*t).tp_weaklistoffset != 0
            && (*b).tp_weaklistoffset == 0
            && (*t).tp_weaklistoffset as usize + 8 == size
            && ty.has_flag(Py_TPFLAGS_HEAPTYPE)
        {
            size -= 8;
        }
        if (*t).tp_dictoffset > 0
            && (*b).tp_dictoffset == 0
            && (*t).tp_dictoffset as usize + 8 == size
            && ty.has_flag(Py_TPFLAGS_HEAPTYPE)
        {
            size -= 8;
        }
        size != base_size
    }
}

/// Reads `__slots__` and decides where dict and weak references go.
fn plan_layout(base: &Type, bases: &Tuple, dict: &Dict, class_name: &Str) -> PyResult<Layout> {
    // SAFETY: live types.
    let (may_dict, may_weak, var_sized) = unsafe {
        let raw = base.raw();
        (
            (*raw).tp_dictoffset == 0 && !base.has_flag(Py_TPFLAGS_MANAGED_DICT),
            (*raw).tp_weaklistoffset == 0 && !base.has_flag(Py_TPFLAGS_MANAGED_WEAKREF),
            (*raw).tp_itemsize != 0,
        )
    };
    let Some(slots) = dict.get_str(intern!("__slots__"))? else {
        return Ok(Layout { names: Vec::new(), add_dict: may_dict, add_weakref: may_weak && !var_sized });
    };
    let entries = if slots.downcast::<Str>().is_some() {
        vec![slots.clone()]
    } else {
        crate::protocol::to_vec(&slots)?
    };
    if !entries.is_empty() && var_sized {
        return Err(raise!(
            PyExc_TypeError,
            "nonempty __slots__ not supported for subtype of '{}'",
            base.message_name()
        ));
    }
    let mut layout = Layout { names: Vec::new(), add_dict: false, add_weakref: false };
    for entry in entries {
        let Ok(name) = entry.clone().downcast_owned::<Str>() else {
            return Err(raise!(
                PyExc_TypeError,
                "__slots__ items must be strings, not '{}'",
                entry.ty().message_name()
            ));
        };
        if !crate::unicode::is_identifier(&name) {
            return Err(type_error("__slots__ must be identifiers"));
        }
        if name.equals("__dict__") {
            if !may_dict || layout.add_dict {
                return Err(type_error("__dict__ slot disallowed: we already got one"));
            }
            layout.add_dict = true;
        } else if name.equals("__weakref__") {
            if !may_weak || layout.add_weakref {
                return Err(type_error("__weakref__ slot disallowed: we already got one"));
            }
            layout.add_weakref = true;
        } else {
            layout.names.push(add_slot_name(&name, dict, class_name)?);
        }
    }
    layout.names.sort_by(|a, b| a.compare(b));
    // A base further along may bring a dict or weak references with it.
    for other in bases.items().iter().filter(|other| !other.is(base)) {
        // SAFETY: bases are types.
        let (has_dict, has_weak) = unsafe {
            let other: &Type = other.cast();
            (
                (*other.raw()).tp_dictoffset != 0 || other.has_flag(Py_TPFLAGS_MANAGED_DICT),
                (*other.raw()).tp_weaklistoffset != 0 || other.has_flag(Py_TPFLAGS_MANAGED_WEAKREF),
            )
        };
        layout.add_dict |= may_dict && has_dict;
        layout.add_weakref |= may_weak && has_weak;
    }
    Ok(layout)
}

fn add_slot_name(name: &Str, dict: &Dict, class_name: &Str) -> PyResult<Ref<Str>> {
    let mangled = mangle(class_name, name)?;
    let hides = dict.get_str(&mangled)?.is_some();
    let special =
        ["__qualname__", "__classcell__", "__classdictcell__"].iter().any(|special| name.equals(special));
    if hides && !special {
        return Err(raise!(
            PyExc_ValueError,
            "{} in __slots__ conflicts with class variable",
            mangled.repr_lossy()
        ));
    }
    Ok(mangled)
}

/// Private names get the class's name in front (language reference, 6.2.1).
///
/// # Errors
/// `MemoryError`.
pub fn mangle(class_name: &Str, name: &Str) -> PyResult<Ref<Str>> {
    let text = name.to_lossy();
    let private = text.starts_with("__") && !text.ends_with("__") && !text.contains('.');
    let class = class_name.to_lossy();
    let class = class.trim_start_matches('_');
    if !private || class.is_empty() {
        return Ok(crate::unicode::intern(Ref::of(name)));
    }
    Ok(crate::unicode::intern(Str::from_utf8(&format!("_{class}{text}"))?))
}

fn allocate(
    metatype: &Type,
    base: &Type,
    bases: &Tuple,
    dict: &Dict,
    layout: &Layout,
    name: &Str,
) -> PyResult<Ref<Type>> {
    if name.to_utf8()?.contains('\0') {
        return Err(crate::err::value_error("type name must not contain null characters"));
    }
    let ty: Ref<Type> = {
        // One more: the table of members ends with an empty row.
        let object = alloc::alloc_object(metatype, layout.names.len().cast_signed() + 1)?;
        // SAFETY: instances of metatypes begin with a type object.
        unsafe {
            (*object.raw_as::<PyVarObject>()).ob_size = layout.names.len().cast_signed();
            object.cast_owned()
        }
    };
    // SAFETY: fresh, zeroed memory of a heap type; every field set here is owned by the type.
    unsafe {
        let heap = ty.heap();
        let raw = ty.raw();
        (*raw).tp_flags = Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
        (*raw).tp_as_async = &raw mut (*heap).as_async;
        (*raw).tp_as_number = &raw mut (*heap).as_number;
        (*raw).tp_as_sequence = &raw mut (*heap).as_sequence;
        (*raw).tp_as_mapping = &raw mut (*heap).as_mapping;
        (*raw).tp_as_buffer = &raw mut (*heap).as_buffer;
        (*raw).tp_base = Ref::of(base).into_ptr().cast();
        (*raw).tp_bases = Ref::of(bases).into_ptr();
        (*raw).tp_dict = Ref::of(dict).into_ptr();
        (*heap).ht_name = Ref::of(name).into_ptr();
        let text = name.to_utf8()?;
        let copy = alloc::malloc(text.len() + 1);
        if copy.is_null() {
            return Err(alloc::no_memory());
        }
        core::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
        (*heap)._ht_tpname = copy.cast();
        (*raw).tp_name = copy.cast();
        set_qualname(&ty, dict)?;
        set_instance_layout(&ty, base, metatype, layout)?;
        (*raw).tp_dealloc = Some(instance::subtype_dealloc);
        (*raw).tp_traverse = Some(instance::subtype_traverse);
        (*raw).tp_clear = Some(instance::subtype_clear);
        (*raw).tp_alloc = Some(instance::PyType_GenericAlloc);
        (*raw).tp_free = Some(instance::object_gc_del);
        gc::track(&ty);
    }
    Ok(ty)
}

/// # Safety
/// `ty` is a heap type being made.
unsafe fn set_qualname(ty: &Type, dict: &Dict) -> PyResult<()> {
    let given = dict.remove(intern!("__qualname__"))?;
    // SAFETY: by contract.
    unsafe {
        let heap = ty.heap();
        (*heap).ht_qualname = match given {
            Some(name) if name.downcast::<Str>().is_some() => name.into_ptr(),
            Some(other) => {
                return Err(raise!(
                    PyExc_TypeError,
                    "type __qualname__ must be a str, not {}",
                    other.ty().message_name()
                ));
            }
            None => Object::borrow((*heap).ht_name).new_ref().into_ptr(),
        };
    }
    Ok(())
}

/// Sizes, slots, dict and weak references of the instances.
unsafe fn set_instance_layout(ty: &Type, base: &Type, metatype: &Type, layout: &Layout) -> PyResult<()> {
    // SAFETY: a heap type being made, with room for the member definitions behind it.
    unsafe {
        let raw = ty.raw();
        let mut size = (*base.raw()).tp_basicsize;
        let members: *mut PyMemberDef =
            ty.as_ptr().cast::<u8>().offset((*metatype.raw()).tp_basicsize).cast();
        for (index, name) in layout.names.iter().enumerate() {
            // The type keeps the names in `ht_slots`, whose text ends with a zero.
            let text = name.to_utf8()?;
            members.add(index).write(PyMemberDef {
                name: text.as_ptr().cast(),
                r#type: Py_T_OBJECT_EX,
                offset: size,
                flags: 0,
                doc: core::ptr::null(),
            });
            size += 8;
        }
        if !layout.names.is_empty() {
            let names = layout.names.iter().map(|name| name.new_ref()).collect();
            (*ty.heap()).ht_slots = Tuple::from_vec(names)?.into_ptr();
            (*raw).tp_members = members;
        }
        (*raw).tp_itemsize = (*base.raw()).tp_itemsize;
        (*raw).tp_basicsize = size;
        (*raw).tp_weaklistoffset = (*base.raw()).tp_weaklistoffset;
        (*raw).tp_dictoffset = (*base.raw()).tp_dictoffset;
        if layout.add_dict {
            ty.add_flags(Py_TPFLAGS_MANAGED_DICT);
            (*raw).tp_dictoffset = -1;
            // Values can stand right behind the fields only where nothing else does.
            if (*base.raw()).tp_itemsize == 0 {
                ty.add_flags(Py_TPFLAGS_INLINE_VALUES);
            }
        }
        if layout.add_weakref {
            ty.add_flags(Py_TPFLAGS_MANAGED_WEAKREF);
            (*raw).tp_weaklistoffset = -32;
        }
    }
    Ok(())
}

/// `__module__`, `__doc__`, and the methods that are static or class methods without saying so.
fn set_special_attributes(ty: &Type, dict: &Dict) -> PyResult<()> {
    if dict.get_str(intern!("__module__"))?.is_none()
        && let Some(module) = crate::protocol::current_module_name()
    {
        dict.set_str(intern!("__module__"), &module)?;
    }
    if let Some(function) = dict.get_str(intern!("__new__"))?
        && function.is_exact(&PyFunction_Type)
    {
        dict.set_str(intern!("__new__"), &*instance::new_staticmethod(&function)?)?;
    }
    for name in [intern!("__init_subclass__"), intern!("__class_getitem__")] {
        if let Some(function) = dict.get_str(name)?
            && function.is_exact(&PyFunction_Type)
        {
            dict.set_str(name, &*new_classmethod(&function)?)?;
        }
    }
    if let Some(doc) = dict.get_str(intern!("__doc__"))?
        && let Some(text) = doc.downcast::<Str>()
    {
        let text = text.to_utf8()?;
        let copy = alloc::malloc(text.len() + 1);
        if copy.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: room for the text and its end; the type owns the copy.
        unsafe {
            core::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
            copy.add(text.len()).write(0);
            (*ty.raw()).tp_doc = copy.cast();
        }
    }
    add_dict_and_weakref(ty, dict)
}

/// `__dict__` and `__weakref__` of the instances.
fn add_dict_and_weakref(ty: &Type, dict: &Dict) -> PyResult<()> {
    let base = ty.base();
    // SAFETY: live types.
    let (own_dict, own_weak) = unsafe {
        (
            (*ty.raw()).tp_dictoffset != 0 && base.is_none_or(|base| (*base.raw()).tp_dictoffset == 0),
            (*ty.raw()).tp_weaklistoffset != 0
                && base.is_none_or(|base| (*base.raw()).tp_weaklistoffset == 0),
        )
    };
    if own_dict {
        // SAFETY: the row is static.
        let descr = unsafe { crate::descr::new_getset(ty, INSTANCE_DICT_ROW.raw())? };
        dict.set_default(intern!("__dict__"), &descr)?;
    }
    if own_weak {
        // SAFETY: the row is static.
        let descr = unsafe { crate::descr::new_getset(ty, INSTANCE_WEAKREF.raw())? };
        dict.set_default(intern!("__weakref__"), &descr)?;
    }
    Ok(())
}

/// `__dict__` of instances that have one.
pub const INSTANCE_DICT: native::GetSetRow =
    native::getset_row(c"__dict__", instance_dict, c"dictionary for instance variables")
        .with_setter(set_instance_dict);

/// The same for Python classes, which may have a class of another kind among their bases.
static INSTANCE_DICT_ROW: native::GetSetRow =
    native::getset_row(c"__dict__", dict_by_base, c"dictionary for instance variables")
        .with_setter(set_dict_by_base);

fn instance_dict(object: &Object) -> PyResult {
    instance::dict_of(object)?
        .map(Ref::upcast)
        .ok_or_else(|| crate::err::attribute_error("This object has no __dict__"))
}

/// What a class written in C or Rust among the bases of the object's class says about `__dict__`: classes, modules
/// and exceptions have rules of their own, also where a Python class stands before them in the MRO.
fn inherited_dict_descriptor(object: &Object) -> Option<(Ref, descrgetfunc, Option<descrsetfunc>)> {
    let mut class = object.ty();
    // SAFETY: live types.
    unsafe {
        while class.has_flag(Py_TPFLAGS_HEAPTYPE) || (*class.raw()).tp_dictoffset == 0 {
            class = class.base()?;
        }
        let descr = class.lookup(intern!("__dict__"))?;
        let slots = descr.ty().raw();
        (*slots).tp_descr_get.map(|get| (descr, get, (*slots).tp_descr_set))
    }
}

fn dict_by_base(object: &Object) -> PyResult {
    match inherited_dict_descriptor(object) {
        // SAFETY: slot contract.
        Some((descr, get, _)) => unsafe {
            from_c(get(descr.as_ptr(), object.as_ptr(), object.ty().as_ptr()))
        },
        None => instance_dict(object),
    }
}

fn set_dict_by_base(object: &Object, value: Option<&Object>) -> PyResult<()> {
    let Some((descr, _, set)) = inherited_dict_descriptor(object) else {
        return set_instance_dict(object, value);
    };
    let Some(set) = set else {
        return Err(crate::err::attribute_error("readonly attribute"));
    };
    // SAFETY: slot contract.
    let status = unsafe { set(descr.as_ptr(), object.as_ptr(), native::opt_ptr(value)) };
    native::from_c_int(status as isize).map(|_| ())
}

fn set_instance_dict(object: &Object, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else {
        // Deleting the dict means an empty one from now on.
        instance::set_dict(object, Some(&*Dict::new()?))?;
        return Ok(());
    };
    let Some(dict) = value.downcast::<Dict>() else {
        return Err(raise!(
            PyExc_TypeError,
            "__dict__ must be set to a dictionary, not a '{}'",
            value.ty().message_name()
        ));
    };
    instance::set_dict(object, Some(dict))?;
    Ok(())
}

static INSTANCE_WEAKREF: native::GetSetRow = native::getset_row(
    c"__weakref__",
    |object: &Object| crate::weakref::all(object).into_iter().next(),
    c"list of weak references to the object",
);

/// A `classmethod` around a callable.
///
/// # Errors
/// `MemoryError`.
pub fn new_classmethod(function: &Object) -> PyResult {
    let object = alloc::alloc_object(&PyClassMethod_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        (*object.raw_as::<RawWrapperMethod>()).callable = function.new_ref().into_ptr();
        gc::track(&object);
    }
    Ok(object)
}

/// # Safety
/// The `cell` is checked here; kept unsafe because it writes an object's field.
unsafe fn set_cell(cell: &Object, value: &Object, name: &str) -> PyResult<()> {
    if !cell.is_exact(&PyCell_Type) {
        return Err(raise!(
            PyExc_TypeError,
            "{name} must be a nonlocal cell, not {}",
            cell.ty().repr_lossy()
        ));
    }
    // SAFETY: an exact cell.
    unsafe {
        crate::handle::set_field(&raw mut (*cell.raw_as::<PyCellObject>()).ob_ref, Some(value.new_ref()))
    };
    Ok(())
}

fn fill_class_cell(cell: &Object, ty: &Type) -> PyResult<()> {
    // SAFETY: checked by `set_cell`.
    unsafe { set_cell(cell, ty, "__classcell__") }
}

/// `__set_name__` of everything in the namespace that has one.
fn call_set_names(ty: &Type) -> PyResult<()> {
    let Some(dict) = ty.dict() else { return Ok(()) };
    for (name, value) in dict.items_vec() {
        let Some(method) = value.ty().lookup(intern!("__set_name__")) else { continue };
        if let Err(error) = crate::protocol::call_unbound(&method, &value, &[ty, &name]) {
            return Err(set_name_error(error, &value, &name, ty));
        }
    }
    Ok(())
}

/// The error goes on as it is, with a note of where it happened.
fn set_name_error(error: PyErr, value: &Object, name: &Object, ty: &Type) -> PyErr {
    let note = format!(
        "Error calling __set_name__ on '{}' instance {} in '{}'",
        value.ty().message_name(),
        name.repr_lossy(),
        ty.message_name()
    );
    let add = || -> PyResult<()> {
        error.exception().call_method(intern!("add_note"), &[&*Str::from_utf8(&note)?])?;
        Ok(())
    };
    match add() {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// `super(cls, cls).__init_subclass__(**kwargs)`.
fn call_init_subclass(ty: &Type, kwargs: Option<&Dict>) -> PyResult<()> {
    let Some(mro) = ty.mro().map(Ref::of) else { return Ok(()) };
    if !mro.items().iter().any(|entry| entry.is(ty)) {
        // The order comes from an `mro()` that left the class itself out.
        let name = ty.name();
        return Err(raise!(
            PyExc_TypeError,
            "super(type, obj): obj (type {name}) is not an instance or subtype of type ({name})."
        ));
    }
    let name = intern!("__init_subclass__");
    for entry in mro.items().iter().skip(1) {
        // SAFETY: an MRO holds types only.
        let base: &Type = unsafe { entry.cast() };
        let found = match base.dict() {
            Some(dict) => dict.get_str(name)?,
            None => None,
        };
        if let Some(found) = found {
            let bound = bind_for_class(&found, ty)?;
            crate::protocol::vectorcall_with_dict(&bound, &[], kwargs)?;
            return Ok(());
        }
    }
    Ok(())
}

/// What a class attribute gives when it is looked up on the class itself.
///
/// # Errors
/// What `__get__` raises.
pub fn bind_for_class(found: &Object, ty: &Type) -> PyResult {
    // SAFETY: slot contract: no instance, the class as owner.
    unsafe {
        match (*found.ty().raw()).tp_descr_get {
            Some(get) => from_c(get(found.as_ptr(), core::ptr::null_mut(), ty.as_ptr())),
            None => Ok(found.new_ref()),
        }
    }
}

/// Resolves bases that are no classes (PEP 560): each may replace itself by `__mro_entries__`.
///
/// # Errors
/// `TypeError` when that does not give a tuple; what the method raises.
pub fn resolve_bases(bases: &Tuple) -> PyResult<Ref<Tuple>> {
    let mut resolved = Vec::with_capacity(bases.len());
    let mut changed = false;
    for base in bases.items() {
        let method = if base.downcast::<Type>().is_some() {
            None
        } else {
            base.getattr_opt(intern!("__mro_entries__"))?
        };
        let Some(method) = method else {
            resolved.push(base.new_ref());
            continue;
        };
        changed = true;
        let entries = method.call(&[bases])?;
        let Some(entries) = entries.downcast::<Tuple>() else {
            return Err(type_error("__mro_entries__ must return a tuple"));
        };
        resolved.extend(entries.items().iter().map(|entry| entry.new_ref()));
    }
    if changed { Tuple::from_vec(resolved) } else { Ok(Ref::of(bases)) }
}
