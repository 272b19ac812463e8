//! `typeobject`, `descrobject.h`, `methodobject.h`, `classobject.h`, `structseq.h`: types that C makes, from
//! static tables (`PyType_Ready`) or from specifications (`PyType_FromSpec`).

use crate::border::{Obj, arg, bad_call, export, export_plain, text, ty, typed};
use core::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use taipan_abi::*;
use taipan_object::err::{PyResult, system_error, type_error};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::{self, get_slot, set_slot};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, alloc, callable, descr, gc, instance, intern, raise};

/// What a specification's slots say, besides functions.
#[derive(Default)]
struct Plan {
    members: Vec<PyMemberDef>,
    weaklist: Option<isize>,
    dict: Option<isize>,
    vectorcall: Option<isize>,
    doc: Option<String>,
    base: Option<Ref>,
    token: Option<*mut c_void>,
    functions: Vec<(i32, *mut c_void)>,
    methods: *mut c_void,
    getset: *mut c_void,
}

/// `PyType_GetToken` and its kin: the token that means "the specification itself".
const TOKEN_OF_SPEC: usize = 0;

unsafe fn read_slots(spec: &PyType_Spec) -> PyResult<Plan> {
    let mut plan = Plan::default();
    // SAFETY: the table ends with slot 0; values are what the slots ask for.
    unsafe {
        let mut slot = spec.slots;
        while (*slot).slot != 0 {
            let (id, value) = ((*slot).slot, (*slot).pfunc);
            slot = slot.add(1);
            match id {
                Py_tp_members => {
                    let mut member = value.cast::<PyMemberDef>();
                    while !member.is_null() && !(*member).name.is_null() {
                        plan.members.push(*member);
                        member = member.add(1);
                    }
                }
                Py_tp_doc if value.is_null() => {}
                Py_tp_doc => plan.doc = Some(text(value.cast())?.to_owned()),
                Py_tp_base | Py_tp_bases => plan.base = Object::borrow_opt(value.cast()).map(Object::new_ref),
                Py_tp_methods => plan.methods = value,
                Py_tp_getset => plan.getset = value,
                Py_tp_token => plan.token = Some(value),
                id if !(0..=Py_tp_token).contains(&id) => {
                    return Err(taipan_object::err::runtime_error("invalid slot offset"));
                }
                id => plan.functions.push((id, value)),
            }
        }
    }
    Ok(plan)
}

/// Offsets that stand among the members under reserved names.
fn special_members(plan: &mut Plan, start: isize, relative: bool) -> PyResult<()> {
    for member in &mut plan.members {
        if member.flags & Py_RELATIVE_OFFSET != 0 {
            if !relative {
                return Err(system_error("With Py_RELATIVE_OFFSET, basicsize must be negative."));
            }
            member.offset += start;
            member.flags &= !Py_RELATIVE_OFFSET;
        }
        // SAFETY: names are C texts.
        match unsafe { CStr::from_ptr(member.name) }.to_bytes() {
            b"__weaklistoffset__" => plan.weaklist = Some(member.offset),
            b"__dictoffset__" => plan.dict = Some(member.offset),
            b"__vectorcalloffset__" => plan.vectorcall = Some(member.offset),
            _ => {}
        }
    }
    Ok(())
}

fn bases_of(plan: &Plan, given: Option<&Object>) -> PyResult<Ref<Tuple>> {
    let given = given.or(plan.base.as_deref());
    match given {
        None => {
            let object: &Type = &PyBaseObject_Type;
            Tuple::from_refs(&[object])
        }
        Some(bases) => match bases.downcast::<Tuple>() {
            Some(bases) => Ok(Ref::of(bases)),
            None => Tuple::from_refs(&[bases]),
        },
    }
}

/// A copy of a text in memory that belongs to the type.
fn keep_text(text: &str) -> PyResult<*const c_char> {
    let block = alloc::malloc(text.len() + 1);
    if block.is_null() {
        return Err(alloc::no_memory());
    }
    // SAFETY: room for the text and its end.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
        block.add(text.len()).write(0);
    }
    Ok(block.cast())
}

/// The type that a specification describes.
unsafe fn from_spec(
    metatype: Option<&Type>,
    module: Option<&Object>,
    spec: &PyType_Spec,
    bases: Option<&Object>,
) -> PyResult<Ref<Type>> {
    // SAFETY: a live specification and live objects by the callers' contract.
    unsafe {
        let mut plan = read_slots(spec)?;
        let bases = bases_of(&plan, bases)?;
        let metatype = typeobject::winning_metatype(metatype.unwrap_or(&PyType_Type), &bases)?;
        let own_new = (*metatype.raw()).tp_new.map(|new| new as usize);
        if own_new.is_some() && own_new != (*PyType_Type.raw()).tp_new.map(|new| new as usize) {
            return Err(type_error("Metaclasses with custom tp_new are not supported."));
        }
        let base = typeobject::best_base(&bases)?;
        let (basicsize, start) = sizes(spec, &base)?;
        special_members(&mut plan, start, spec.basicsize < 0)?;
        let made = allocate(&metatype, spec, &plan, &bases, &base, basicsize)?;
        let name = text(spec.name)?;
        name_type(&made, name, module)?;
        for &(id, function) in &plan.functions {
            set_slot(&made, id, function);
        }
        let raw = made.raw();
        if (*raw).tp_dealloc.is_none() {
            (*raw).tp_dealloc = Some(instance::subtype_dealloc);
        }
        if (*raw).tp_flags & Py_TPFLAGS_HAVE_GC != 0 && (*raw).tp_free.is_none() {
            (*raw).tp_free = Some(instance::object_gc_del);
        }
        let token = plan.token.map(|token| {
            if token.addr() == TOKEN_OF_SPEC { core::ptr::from_ref(spec).cast_mut().cast() } else { token }
        });
        (*made.heap()).ht_token = token.unwrap_or(core::ptr::null_mut());
        typeobject::ready(&made)?;
        set_module(&made, name)?;
        Ok(made)
    }
}

/// The size of instances, and where the type's own data begin.
fn sizes(spec: &PyType_Spec, base: &Type) -> PyResult<(isize, isize)> {
    // SAFETY: a live type.
    let (inherited, items) = unsafe { ((*base.raw()).tp_basicsize, (*base.raw()).tp_itemsize) };
    let own = spec.basicsize as isize;
    if own > 0 && own < inherited {
        return Err(raise!(
            PyExc_TypeError,
            "tp_basicsize for type '{}' ({own}) is too small for base '{}' ({inherited})",
            // SAFETY: the name is a C text.
            unsafe { CStr::from_ptr(spec.name) }.to_string_lossy(),
            base.message_name()
        ));
    }
    match own {
        0 => Ok((inherited, inherited)),
        own if own > 0 => Ok((own, 0)),
        own => {
            if items != 0 && !base.has_flag(Py_TPFLAGS_ITEMS_AT_END) {
                return Err(system_error(
                    "Cannot extend variable-size class without Py_TPFLAGS_ITEMS_AT_END.",
                ));
            }
            let align = |size: isize| (size + 15) & !15;
            let start = align(inherited);
            Ok((start + align(-own), start))
        }
    }
}

unsafe fn allocate(
    metatype: &Type,
    spec: &PyType_Spec,
    plan: &Plan,
    bases: &Tuple,
    base: &Type,
    basicsize: isize,
) -> PyResult<Ref<Type>> {
    // SAFETY: fresh, zeroed memory of a heap type with room for the members behind it.
    unsafe {
        let count = plan.members.len();
        let made: Ref<Type> = alloc::alloc_object(metatype, count.cast_signed() + 1)?.cast_owned();
        let (heap, raw) = (made.heap(), made.raw());
        (*raw).ob_base.ob_size = count.cast_signed();
        (*raw).tp_flags = u64::from(spec.flags) | Py_TPFLAGS_HEAPTYPE;
        (*raw).tp_as_async = &raw mut (*heap).as_async;
        (*raw).tp_as_number = &raw mut (*heap).as_number;
        (*raw).tp_as_sequence = &raw mut (*heap).as_sequence;
        (*raw).tp_as_mapping = &raw mut (*heap).as_mapping;
        (*raw).tp_as_buffer = &raw mut (*heap).as_buffer;
        (*raw).tp_base = Ref::of(base).into_ptr().cast();
        (*raw).tp_bases = Ref::of(bases).into_ptr();
        (*raw).tp_basicsize = basicsize;
        (*raw).tp_itemsize = spec.itemsize as isize;
        (*raw).tp_methods = plan.methods.cast();
        (*raw).tp_getset = plan.getset.cast();
        if let Some(offset) = plan.weaklist {
            (*raw).tp_weaklistoffset = offset;
        }
        if let Some(offset) = plan.dict {
            (*raw).tp_dictoffset = offset;
        }
        if let Some(offset) = plan.vectorcall {
            (*raw).tp_vectorcall_offset = offset;
        }
        if made.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            (*raw).tp_dictoffset = -1;
        }
        if made.has_flag(Py_TPFLAGS_MANAGED_WEAKREF) {
            (*raw).tp_weaklistoffset = -32;
        }
        if count > 0 {
            let members: *mut PyMemberDef =
                made.as_ptr().cast::<u8>().offset((*metatype.raw()).tp_basicsize).cast();
            for (index, member) in plan.members.iter().enumerate() {
                members.add(index).write(*member);
            }
            (*raw).tp_members = members;
        }
        if let Some(doc) = &plan.doc {
            (*raw).tp_doc = keep_text(doc)?;
        }
        gc::track(&made);
        Ok(made)
    }
}

/// Names: `tp_name` is the whole, `__name__` and `__qualname__` what stands behind the last dot.
unsafe fn name_type(made: &Type, full: &str, module: Option<&Object>) -> PyResult<()> {
    // SAFETY: a heap type being made.
    unsafe {
        let heap = made.heap();
        let short = full.rsplit('.').next().unwrap_or(full);
        (*heap).ht_name = Str::from_utf8(short)?.into_ptr();
        (*heap).ht_qualname = Str::from_utf8(short)?.into_ptr();
        (*heap)._ht_tpname = keep_text(full)?;
        (*made.raw()).tp_name = (*heap)._ht_tpname;
        (*heap).ht_module = taipan_object::handle::into_ptr_opt(module.map(Object::new_ref));
    }
    Ok(())
}

/// `__module__`: what stands before the last dot of the name.
fn set_module(made: &Type, full: &str) -> PyResult<()> {
    let Some(dict) = made.dict() else { return Ok(()) };
    let key = intern!("__module__");
    if dict.get_str(key)?.is_none() {
        match full.rsplit_once('.') {
            Some((module, _)) => {
                dict.set_str(key, &taipan_object::unicode::intern(Str::from_utf8(module)?))?
            }
            None => {
                let category: &Type = &PyExc_DeprecationWarning;
                let message = format!("builtin type {full} has no __module__ attribute");
                (taipan_object::state::interp().hooks.get().warn)(category, &message, 1)?;
            }
        }
    }
    made.modified();
    Ok(())
}

/// The class in the MRO that a module's definition made.
fn by_definition(class: &Type, def: *mut PyModuleDef) -> Option<Ref> {
    let mro = class.mro().map(Ref::of)?;
    for entry in mro.items() {
        // SAFETY: an MRO holds types; a heap type's module is null or an object.
        unsafe {
            let entry: &Type = entry.cast();
            if !entry.has_flag(Py_TPFLAGS_HEAPTYPE) {
                continue;
            }
            let module = (*entry.heap()).ht_module;
            if let Some(module) = Object::borrow_opt(module)
                && let Some(view) = module.downcast::<taipan_object::module::Module>()
                && (*view.raw()).md_def == def.cast()
            {
                return Some(module.new_ref());
            }
        }
    }
    None
}

/// The class in the MRO with a token.
fn by_token(class: &Type, token: *mut c_void) -> Option<Ref> {
    let mro = class.mro().map(Ref::of)?;
    mro.items()
        .iter()
        // SAFETY: an MRO holds types.
        .find(|entry| unsafe {
            let entry: &Type = entry.cast();
            entry.has_flag(Py_TPFLAGS_HEAPTYPE) && (*entry.heap()).ht_token == token
        })
        .map(|entry| entry.new_ref())
}

unsafe fn module_of<'a>(class: *mut PyTypeObject) -> PyResult<&'a Object> {
    // SAFETY: a live type by the callers' contract.
    unsafe {
        let class = ty(class)?;
        if !class.has_flag(Py_TPFLAGS_HEAPTYPE) {
            return Err(raise!(
                PyExc_TypeError,
                "PyType_GetModule: Type '{}' is not a heap type",
                class.message_name()
            ));
        }
        Object::borrow_opt((*class.heap()).ht_module).ok_or_else(|| {
            raise!(
                PyExc_TypeError,
                "PyType_GetModule: Type '{}' has no associated module",
                class.message_name()
            )
        })
    }
}

export! {
    fn PyType_Ready(class: *mut PyTypeObject) -> c_int {
        let class = ty(class)?;
        if (*class.raw()).ob_base.ob_base.ob_refcnt == 0 {
            (*class.raw()).ob_base.ob_base.ob_refcnt = 1;
        }
        typeobject::ready(class)
    }

    fn PyType_FromSpec(spec: *mut PyType_Spec) -> Obj {
        from_spec(None, None, &*spec, None)
    }

    fn PyType_FromSpecWithBases(spec: *mut PyType_Spec, bases: Obj) -> Obj {
        from_spec(None, None, &*spec, Object::borrow_opt(bases))
    }

    fn PyType_FromModuleAndSpec(module: Obj, spec: *mut PyType_Spec, bases: Obj) -> Obj {
        from_spec(None, Object::borrow_opt(module), &*spec, Object::borrow_opt(bases))
    }

    fn PyType_FromMetaclass(metatype: *mut PyTypeObject, module: Obj, spec: *mut PyType_Spec, bases: Obj) -> Obj {
        let metatype = Object::borrow_opt(metatype.cast()).map(|metatype| metatype.cast::<Type>());
        from_spec(metatype, Object::borrow_opt(module), &*spec, Object::borrow_opt(bases))
    }

    fn PyType_GetModule(class: *mut PyTypeObject) -> Obj {
        module_of(class)
    }

    fn PyType_GetModuleState(class: *mut PyTypeObject) -> *mut c_void {
        let module = typed::<taipan_object::module::Module>(module_of(class)?.as_ptr())?;
        Ok((*module.raw()).md_state)
    }

    fn PyType_GetModuleByDef(class: *mut PyTypeObject, def: *mut PyModuleDef) -> Obj {
        let class = ty(class)?;
        match by_definition(class, def) {
            // The type keeps its module alive.
            Some(module) => Ok(module.as_ptr()),
            None => Err(raise!(
                PyExc_TypeError,
                "PyType_GetModuleByDef: No superclass of '{}' has the given module",
                class.message_name()
            )),
        }
    }

    fn PyType_GetBaseByToken(class: *mut PyTypeObject, token: *mut c_void, place: *mut Obj) -> c_int {
        if !place.is_null() {
            place.write(core::ptr::null_mut());
        }
        if token.is_null() {
            return Err(system_error("PyType_GetBaseByToken called with token=NULL"));
        }
        let Some(found) = by_token(ty(class)?, token) else { return Ok(false) };
        if !place.is_null() {
            place.write(found.into_ptr());
        }
        Ok(true)
    }

    fn PyType_GetSlot(class: *mut PyTypeObject, id: c_int) -> *mut c_void {
        if !(1..=Py_tp_token).contains(&id) {
            return Err(bad_call());
        }
        let class = ty(class)?;
        Ok(match id {
            Py_tp_base => (*class.raw()).tp_base.cast(),
            Py_tp_bases => (*class.raw()).tp_bases.cast(),
            Py_tp_doc => (*class.raw()).tp_doc.cast_mut().cast(),
            Py_tp_methods => (*class.raw()).tp_methods.cast(),
            Py_tp_members => (*class.raw()).tp_members.cast(),
            Py_tp_getset => (*class.raw()).tp_getset.cast(),
            Py_tp_token if class.has_flag(Py_TPFLAGS_HEAPTYPE) => (*class.heap()).ht_token,
            Py_tp_token => core::ptr::null_mut(),
            id => get_slot(class, id),
        })
    }

    fn PyType_GetName(class: *mut PyTypeObject) -> Obj {
        ty(class)?.getattr(intern!("__name__"))
    }

    fn PyType_GetQualName(class: *mut PyTypeObject) -> Obj {
        ty(class)?.getattr(intern!("__qualname__"))
    }

    fn PyType_GetModuleName(class: *mut PyTypeObject) -> Obj {
        ty(class)?.getattr(intern!("__module__"))
    }

    fn PyType_GetDict(class: *mut PyTypeObject) -> Obj {
        Ok(ty(class)?.dict().map(|dict| dict.new_ref()))
    }

    fn PyType_GenericNew(class: *mut PyTypeObject, _args: Obj, _kwargs: Obj) -> Obj {
        let class = ty(class)?;
        match (*class.raw()).tp_alloc {
            Some(function) => taipan_object::native::from_c(function(class.raw(), 0)),
            None => alloc::generic_alloc(class, 0),
        }
    }

    fn PyType_Freeze(class: *mut PyTypeObject) -> c_int {
        let class = ty(class)?;
        (*class.raw()).tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        class.modified();
        Ok(())
    }

    fn PyObject_GetTypeDataSize(class: *mut PyTypeObject) -> isize {
        Ok(data_size(ty(class)?))
    }

    fn PyType_GetTypeDataSize(class: *mut PyTypeObject) -> isize {
        Ok(data_size(ty(class)?))
    }

    fn PyCFunction_New(def: *mut PyMethodDef, object: Obj) -> Obj {
        callable::new_cfunction(def, Object::borrow_opt(object), None, None)
    }

    fn PyCFunction_NewEx(def: *mut PyMethodDef, object: Obj, module: Obj) -> Obj {
        callable::new_cfunction(def, Object::borrow_opt(object), Object::borrow_opt(module), None)
    }

    fn PyCMethod_New(def: *mut PyMethodDef, object: Obj, module: Obj, class: *mut PyTypeObject) -> Obj {
        let needs_class = (*def).ml_flags & METH_METHOD != 0;
        let class = Object::borrow_opt(class.cast()).map(|class| class.cast::<Type>());
        if needs_class && class.is_none() {
            return Err(system_error("attempting to create PyCMethod with a METH_METHOD flag but no class"));
        }
        if !needs_class && class.is_some() {
            return Err(system_error("attempting to create PyCFunction with class but no METH_METHOD flag"));
        }
        callable::new_cfunction(def, Object::borrow_opt(object), Object::borrow_opt(module), class)
    }

    fn PyCFunction_GetFunction(function: Obj) -> *mut c_void {
        let def = typed::<callable::CFunction>(function)?.def_ptr();
        Ok((*def).ml_meth.map_or(core::ptr::null_mut(), |function| function as *mut c_void))
    }

    fn PyCFunction_GetSelf(function: Obj) -> Obj {
        let function = typed::<callable::CFunction>(function)?;
        if (*function.def_ptr()).ml_flags & METH_STATIC != 0 {
            return Ok(None);
        }
        Ok(function.self_object())
    }

    fn PyCFunction_GetFlags(function: Obj) -> c_int {
        Ok((*typed::<callable::CFunction>(function)?.def_ptr()).ml_flags)
    }

    fn PyMethod_New(function: Obj, object: Obj) -> Obj {
        callable::new_method(arg(function)?, arg(object)?)
    }

    fn PyMethod_Function(method: Obj) -> Obj {
        Ok(typed::<callable::Method>(method)?.function())
    }

    fn PyMethod_Self(method: Obj) -> Obj {
        Ok(typed::<callable::Method>(method)?.self_object())
    }

    fn PyInstanceMethod_New(function: Obj) -> Obj {
        PyInstanceMethod_Type.call(&[arg(function)?])
    }

    fn PyStaticMethod_New(function: Obj) -> Obj {
        instance::new_staticmethod(arg(function)?)
    }

    fn PyClassMethod_New(function: Obj) -> Obj {
        typeobject::new_classmethod(arg(function)?)
    }

    fn PyDescr_NewMethod(class: *mut PyTypeObject, def: *mut PyMethodDef) -> Obj {
        descr::method_from_def(ty(class)?, def)
    }

    fn PyDescr_NewClassMethod(class: *mut PyTypeObject, def: *mut PyMethodDef) -> Obj {
        let flags = (*def).ml_flags;
        (*def).ml_flags = flags | METH_CLASS;
        let made = descr::method_from_def(ty(class)?, def);
        (*def).ml_flags = flags;
        made
    }

    fn PyDescr_NewGetSet(class: *mut PyTypeObject, def: *mut PyGetSetDef) -> Obj {
        descr::new_getset(ty(class)?, def)
    }

    fn PyDescr_NewMember(class: *mut PyTypeObject, def: *mut PyMemberDef) -> Obj {
        descr::new_member(ty(class)?, def)
    }

    fn PyMember_GetOne(object: *const c_char, def: *mut PyMemberDef) -> Obj {
        descr::read_member(Object::borrow(object.cast_mut().cast()), &*def)
    }

    fn PyMember_SetOne(object: *mut c_char, def: *mut PyMemberDef, value: Obj) -> c_int {
        descr::write_member(Object::borrow(object.cast()), &*def, Object::borrow_opt(value))
    }

    fn Py_GenericAlias(origin: Obj, item: Obj) -> Obj {
        taipan_types_meta::generic_alias::new(arg(origin)?, arg(item)?)
    }

    fn PyStructSequence_New(class: *mut PyTypeObject) -> Obj {
        let class = ty(class)?;
        let count = class.getattr(intern!("n_fields"))?.to_isize()?;
        let made = alloc::alloc_object(class, count)?;
        (*made.raw_as::<PyVarObject>()).ob_size = class.getattr(intern!("n_sequence_fields"))?.to_isize()?;
        gc::track(&made);
        Ok(made)
    }

    fn PyStructSequence_SetItem(object: Obj, index: isize, value: Obj) {
        let items = typed::<Tuple>(object)?.items_ptr();
        let old = items.offset(index).replace(value);
        taipan_object::refcount::xdecref(old);
        Ok(())
    }

    fn PyStructSequence_GetItem(object: Obj, index: isize) -> Obj {
        Ok(*typed::<Tuple>(object)?.items_ptr().offset(index))
    }
}

fn data_size(class: &Type) -> isize {
    // SAFETY: a live type.
    unsafe {
        let own = (*class.raw()).tp_basicsize;
        let base = class.base().map_or(0, |base| (*base.raw()).tp_basicsize);
        (own - ((base + 15) & !15)).max(0)
    }
}

export_plain! {
    fn PyType_IsSubtype(class: *mut PyTypeObject, other: *mut PyTypeObject) -> c_int {
        let (class, other): (&Type, &Type) = (Object::borrow(class.cast()).cast(), Object::borrow(other.cast()).cast());
        c_int::from(class.is_subtype(other))
    }

    fn PyType_GetFlags(class: *mut PyTypeObject) -> c_ulong {
        (*class).tp_flags
    }

    fn PyType_Modified(class: *mut PyTypeObject) {
        Object::borrow(class.cast()).cast::<Type>().modified();
    }

    fn PyType_ClearCache() -> u32 {
        0
    }

    fn PyUnstable_Type_AssignVersionTag(class: *mut PyTypeObject) -> c_int {
        c_int::from(Object::borrow(class.cast()).cast::<Type>().assign_version().is_some())
    }
}
