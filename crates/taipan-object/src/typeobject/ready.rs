//! Making a type ready (`PyType_Ready`): bases, MRO, dict, descriptors, inherited slots.
//!
//! One path serves static types of Taipan, static types of C extensions and classes made at run
//! time. Slots are inherited by copying C pointers along the MRO, as extensions expect.

use super::slotdefs::{self, get_slot, set_slot};
use crate::descr;
use crate::dict::Dict;
use crate::err::{PyResult, system_error, type_error};
use crate::handle::{Object, Ref, Type};
use crate::native::TypeSpec;
use crate::singletons::none;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use core::ffi::CStr;
use taipan_abi::*;

/// Fills a static type from its table. It is made ready afterwards, bases first.
///
/// # Errors
/// `MemoryError`.
pub fn install(spec: &'static TypeSpec) -> PyResult<()> {
    let ty: &Type = spec.ty;
    for slot in spec.slots {
        set_slot(ty, slot.id, slot.function);
    }
    if let Some(doc) = spec.doc {
        // SAFETY: a live type; the text is static.
        unsafe { (*ty.raw()).tp_doc = doc.as_ptr() };
    }
    ready(ty)?;
    for row in spec.methods {
        // SAFETY: rows are static.
        unsafe { add_method(ty, crate::native::method_ptr(row))? };
    }
    for row in spec.getset {
        // SAFETY: rows are static.
        unsafe { add_own(ty, (*row.raw()).name, &*descr::new_getset(ty, row.raw())?)? };
    }
    for row in spec.members {
        // SAFETY: rows are static.
        unsafe {
            add_own(
                ty,
                (*crate::native::member_ptr(row)).name,
                &*descr::new_member(ty, crate::native::member_ptr(row))?,
            )?
        };
    }
    Ok(())
}

/// Makes every static type of the table ready that has not been yet, but for those whose module does
/// it when it is imported.
///
/// # Errors
/// `MemoryError`.
pub fn ready_static() -> PyResult<()> {
    for ty in ALL {
        if !core::ptr::eq(*ty, &raw const PyPickleBuffer_Type) {
            ready(ty)?;
        }
    }
    Ok(())
}

/// Makes a type ready; does nothing if it is.
///
/// # Errors
/// `TypeError` for inconsistent bases, `MemoryError`.
pub fn ready(ty: &Type) -> PyResult<()> {
    if ty.has_flag(Py_TPFLAGS_READY) {
        return Ok(());
    }
    if ty.has_flag(Py_TPFLAGS_READYING) {
        // The metatype's `mro()` made a class of the class whose order it is to tell.
        return Err(type_error(&format!("Cannot extend an incomplete type '{}'", ty.name())));
    }
    ty.add_flags(Py_TPFLAGS_READYING);
    let result = ready_steps(ty);
    ty.remove_flags(Py_TPFLAGS_READYING);
    result?;
    ty.add_flags(Py_TPFLAGS_READY);
    Ok(())
}

fn ready_steps(ty: &Type) -> PyResult<()> {
    set_bases(ty)?;
    // SAFETY: a live type; what the fields hold becomes the type's own.
    unsafe {
        let raw = ty.raw();
        if (*raw).tp_dict.is_null() {
            (*raw).tp_dict = Dict::new()?.into_ptr();
        }
        add_slot_wrappers(ty)?;
        add_c_tables(ty)?;
        let mro = if (*raw).tp_mro.is_null() { Some(super::make_mro(ty)?) } else { None };
        if let Some(mro) = mro {
            (*raw).tp_mro = mro.into_ptr();
        }
        if let Some(base) = ty.base() {
            inherit_special(ty, base);
        }
        inherit_slots(ty);
        set_doc(ty)?;
        set_hash(ty)?;
        if ty.has_flag(Py_TPFLAGS_HAVE_GC)
            && core::ptr::eq(get_slot(ty, Py_tp_free), crate::instance::object_free as *const c_void)
        {
            (*raw).tp_free = Some(crate::instance::object_gc_del);
        }
        set_new(ty)?;
    }
    for base in ty.bases().map(Ref::of).iter().flat_map(|bases| bases.items()) {
        // SAFETY: bases are types.
        unsafe { base.cast::<Type>() }.add_subclass(ty);
    }
    Ok(())
}

fn set_bases(ty: &Type) -> PyResult<()> {
    // SAFETY: a live type.
    unsafe {
        let raw = ty.raw();
        let object: &Type = &PyBaseObject_Type;
        if (*raw).tp_base.is_null() && !ty.is(object) {
            (*raw).tp_base = object.raw();
        }
        if let Some(base) = ty.base() {
            ready(base)?;
            if (*raw).ob_base.ob_base.ob_type.is_null() {
                (*raw).ob_base.ob_base.ob_type = base.ty().raw();
            }
        }
        if (*raw).tp_bases.is_null() {
            let bases = match ty.base() {
                Some(base) => Tuple::from_refs(&[base])?,
                None => Tuple::empty(),
            };
            (*raw).tp_bases = bases.into_ptr();
        }
    }
    Ok(())
}

/// # Safety
/// `name` is null-terminated.
unsafe fn add_own(ty: &Type, name: *const c_char, value: &Object) -> PyResult<()> {
    // SAFETY: by contract.
    let name =
        unsafe { CStr::from_ptr(name) }.to_str().map_err(|_| system_error("a native name is not UTF-8"))?;
    let name = crate::unicode::intern_immortal(Str::from_utf8(name)?);
    if let Some(dict) = ty.dict() {
        // A computed `__doc__` of the instances takes the place of the type's own text.
        if name.equals("__doc__") {
            dict.set_str(&name, value)?;
        } else {
            dict.set_default(&name, value)?;
        }
    }
    Ok(())
}

/// # Safety
/// `def` lives as long as the type.
unsafe fn add_method(ty: &Type, def: *mut PyMethodDef) -> PyResult<()> {
    // SAFETY: forwarded contract.
    unsafe {
        let value = descr::method_from_def(ty, def)?;
        if (*def).ml_flags & METH_COEXIST != 0 {
            let name = CStr::from_ptr((*def).ml_name).to_str().unwrap_or("?");
            return ty.set_own(name, &value);
        }
        add_own(ty, (*def).ml_name, &value)
    }
}

/// Puts a wrapper into the dict for every slot that the type itself fills.
fn add_slot_wrappers(ty: &Type) -> PyResult<()> {
    let Some(dict) = ty.dict() else { return Ok(()) };
    for def in slotdefs::slot_defs() {
        if def.wrap == super::wrappers::Wrap::None {
            continue;
        }
        let function = get_slot(ty, def.id);
        // A class made at run time has Python methods behind its own trampolines.
        if function.is_null() || core::ptr::eq(function, def.generic) {
            continue;
        }
        let Some(name) = crate::unicode::permanent(def.name) else { continue };
        if dict.get_str(name)?.is_some() {
            continue;
        }
        if core::ptr::eq(function, crate::protocol::hash_not_implemented_slot()) {
            dict.set_str(name, none())?;
        } else {
            dict.set_str(name, &*descr::new_wrapper(ty, def, function)?)?;
        }
    }
    Ok(())
}

/// Adds what stands in `tp_methods`, `tp_members` and `tp_getset` of a type that C defined.
unsafe fn add_c_tables(ty: &Type) -> PyResult<()> {
    // SAFETY: tables end with a null name.
    unsafe {
        let raw = ty.raw();
        let mut def = (*raw).tp_methods;
        while !def.is_null() && !(*def).ml_name.is_null() {
            add_method(ty, def)?;
            def = def.add(1);
        }
        let mut member = (*raw).tp_members;
        while !member.is_null() && !(*member).name.is_null() {
            if (*member).flags & Py_RELATIVE_OFFSET == 0 {
                add_own(ty, (*member).name, &*descr::new_member(ty, member)?)?;
            }
            member = member.add(1);
        }
        let mut getset = (*raw).tp_getset;
        while !getset.is_null() && !(*getset).name.is_null() {
            add_own(ty, (*getset).name, &*descr::new_getset(ty, getset)?)?;
            getset = getset.add(1);
        }
    }
    Ok(())
}

/// Sizes, offsets and flags that come from the one base whose layout the type extends.
fn inherit_special(ty: &Type, base: &Type) {
    // SAFETY: live types.
    unsafe {
        let (raw, from) = (ty.raw(), base.raw());
        if !ty.has_flag(Py_TPFLAGS_HAVE_GC)
            && base.has_flag(Py_TPFLAGS_HAVE_GC)
            && (*raw).tp_traverse.is_none()
            && (*raw).tp_clear.is_none()
        {
            ty.add_flags(Py_TPFLAGS_HAVE_GC);
            (*raw).tp_traverse = (*from).tp_traverse;
            (*raw).tp_clear = (*from).tp_clear;
        }
        ty.add_flags(
            base.flags()
                & (Py_TPFLAGS_PREHEADER
                    | Py_TPFLAGS_INLINE_VALUES
                    | Py_TPFLAGS_LONG_SUBCLASS
                    | Py_TPFLAGS_LIST_SUBCLASS
                    | Py_TPFLAGS_TUPLE_SUBCLASS
                    | Py_TPFLAGS_BYTES_SUBCLASS
                    | Py_TPFLAGS_UNICODE_SUBCLASS
                    | Py_TPFLAGS_DICT_SUBCLASS
                    | Py_TPFLAGS_BASE_EXC_SUBCLASS
                    | Py_TPFLAGS_TYPE_SUBCLASS
                    | Py_TPFLAGS_ITEMS_AT_END
                    | _Py_TPFLAGS_MATCH_SELF),
        );
        if !ty.has_flag(Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING) {
            ty.add_flags(base.flags() & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING));
        }
        if (*raw).tp_basicsize == 0 {
            (*raw).tp_basicsize = (*from).tp_basicsize;
        }
        if (*raw).tp_itemsize == 0 {
            (*raw).tp_itemsize = (*from).tp_itemsize;
        }
        if (*raw).tp_weaklistoffset == 0 {
            (*raw).tp_weaklistoffset = (*from).tp_weaklistoffset;
        }
        if (*raw).tp_dictoffset == 0 {
            (*raw).tp_dictoffset = (*from).tp_dictoffset;
        }
        if (*raw).tp_vectorcall_offset == 0 {
            (*raw).tp_vectorcall_offset = (*from).tp_vectorcall_offset;
        }
    }
}

/// Slots that are only inherited together: a type with its own comparison has its own hash.
const COMPARISON: [i32; 2] = [Py_tp_richcompare, Py_tp_hash];

fn inherit_slots(ty: &Type) {
    let Some(mro) = ty.mro().map(Ref::of) else { return };
    for entry in mro.items().iter().skip(1) {
        // SAFETY: an MRO holds types only.
        let base: &Type = unsafe { entry.cast() };
        inherit_from(ty, base);
    }
}

fn inherit_from(ty: &Type, base: &Type) {
    let inherit = |id: i32| {
        if get_slot(ty, id).is_null() {
            let function = get_slot(base, id);
            if function.is_null() {
                return;
            }
            // A slot that the base has only by inheritance comes from further along the MRO.
            let from_its_base =
                base.base().is_some_and(|further| core::ptr::eq(get_slot(further, id), function));
            if !from_its_base || is_universal(id) || single_chain(ty, base) {
                set_slot(ty, id, function);
            }
        }
    };
    for id in slotdefs::ALL_IDS {
        match id {
            Py_tp_getattro | Py_tp_getattr if !both_null(ty, [Py_tp_getattro, Py_tp_getattr]) => {}
            Py_tp_setattro | Py_tp_setattr if !both_null(ty, [Py_tp_setattro, Py_tp_setattr]) => {}
            Py_tp_richcompare | Py_tp_hash | Py_tp_vectorcall | Py_tp_is_gc | Py_tp_traverse
            | Py_tp_clear | Py_tp_new => {}
            Py_tp_free => {
                // SAFETY: a live type.
                unsafe {
                    if (*ty.raw()).tp_free.is_none() {
                        let same = ty.has_flag(Py_TPFLAGS_HAVE_GC) == base.has_flag(Py_TPFLAGS_HAVE_GC);
                        (*ty.raw()).tp_free = if same {
                            (*base.raw()).tp_free
                        } else if ty.has_flag(Py_TPFLAGS_HAVE_GC) {
                            Some(crate::instance::object_gc_del)
                        } else {
                            None
                        };
                    }
                }
            }
            _ => inherit(id),
        }
    }
    if both_null(ty, COMPARISON) && !overrides_comparison(ty) {
        for id in COMPARISON {
            set_slot(ty, id, get_slot(base, id));
        }
    }
    // SAFETY: live types.
    unsafe {
        if (*ty.raw()).tp_is_gc.is_none()
            && ty.has_flag(Py_TPFLAGS_HAVE_GC) == base.has_flag(Py_TPFLAGS_HAVE_GC)
        {
            (*ty.raw()).tp_is_gc = (*base.raw()).tp_is_gc;
        }
        if !ty.has_flag(Py_TPFLAGS_HAVE_VECTORCALL)
            && base.has_flag(Py_TPFLAGS_HAVE_VECTORCALL)
            && !ty.has_flag(Py_TPFLAGS_HEAPTYPE)
            && core::ptr::eq(get_slot(ty, Py_tp_call), get_slot(base, Py_tp_call))
        {
            ty.add_flags(Py_TPFLAGS_HAVE_VECTORCALL);
        }
        if base.has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR)
            && core::ptr::eq(get_slot(ty, Py_tp_descr_get), get_slot(base, Py_tp_descr_get))
            && !ty.has_flag(Py_TPFLAGS_HEAPTYPE)
        {
            ty.add_flags(Py_TPFLAGS_METHOD_DESCRIPTOR);
        }
    }
}

/// Slots that every type needs, wherever they come from.
fn is_universal(id: i32) -> bool {
    matches!(
        id,
        Py_tp_alloc | Py_tp_dealloc | Py_tp_getattro | Py_tp_setattro | Py_tp_repr | Py_tp_str | Py_tp_init
    )
}

/// Whether `base` lies on the chain of primary bases, where everything is inherited.
fn single_chain(ty: &Type, base: &Type) -> bool {
    let mut current = ty.base();
    while let Some(ancestor) = current {
        if ancestor.is(base) {
            return true;
        }
        current = ancestor.base();
    }
    false
}

fn both_null(ty: &Type, ids: [i32; 2]) -> bool {
    ids.iter().all(|&id| get_slot(ty, id).is_null())
}

fn overrides_comparison(ty: &Type) -> bool {
    let Some(dict) = ty.dict() else { return false };
    ["__eq__", "__hash__"].iter().any(|name| {
        crate::unicode::permanent(name).is_some_and(|name| !matches!(dict.get_str(name), Ok(None)))
    })
}

/// `__doc__` in the dict: the documentation without the signature line, or `None`.
fn set_doc(ty: &Type) -> PyResult<()> {
    let Some(dict) = ty.dict() else { return Ok(()) };
    let key = crate::intern!("__doc__");
    if dict.get_str(key)?.is_some() {
        return Ok(());
    }
    // SAFETY: null or null-terminated text.
    let text = unsafe {
        let doc = (*ty.raw()).tp_doc;
        if doc.is_null() { None } else { CStr::from_ptr(doc).to_str().ok() }
    };
    match text {
        Some(text) => dict.set_str(key, &*Str::from_utf8(descr::doc_without_signature(ty.name(), text))?),
        None => dict.set_str(key, none()),
    }
}

/// A type that compares but does not hash is unhashable.
fn set_hash(ty: &Type) -> PyResult<()> {
    if !get_slot(ty, Py_tp_hash).is_null() {
        return Ok(());
    }
    let Some(dict) = ty.dict() else { return Ok(()) };
    let key = crate::intern!("__hash__");
    if dict.get_str(key)?.is_none() {
        dict.set_str(key, none())?;
        set_slot(ty, Py_tp_hash, crate::protocol::hash_not_implemented_slot());
    }
    Ok(())
}

/// `tp_new`: inherited, and shown as `__new__` where the type has one of its own.
fn set_new(ty: &Type) -> PyResult<()> {
    // SAFETY: live types.
    unsafe {
        let raw = ty.raw();
        let object: &Type = &PyBaseObject_Type;
        // A static type that derives from `object` alone can only be called if it says how.
        let own = (*raw).tp_new.is_some();
        if ty.has_flag(Py_TPFLAGS_DISALLOW_INSTANTIATION) {
            (*raw).tp_new = None;
            return Ok(());
        }
        if !own && let Some(base) = ty.base() {
            // What may be derived from may be called.
            if base.is(object) && !ty.has_flag(Py_TPFLAGS_HEAPTYPE) && !ty.has_flag(Py_TPFLAGS_BASETYPE) {
                ty.add_flags(Py_TPFLAGS_DISALLOW_INSTANTIATION);
            } else {
                (*raw).tp_new = (*base.raw()).tp_new;
            }
            return Ok(());
        }
        if own
            && !ty.has_flag(Py_TPFLAGS_HEAPTYPE)
            && let Some(dict) = ty.dict()
            && dict.get_str(crate::intern!("__new__"))?.is_none()
        {
            dict.set_str(crate::intern!("__new__"), &*super::new_wrapper::new_new_wrapper(ty)?)?;
        }
    }
    Ok(())
}
