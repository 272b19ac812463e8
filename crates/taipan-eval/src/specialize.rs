//! The inline caches of attribute and global look-ups.
//!
//! Caches stand in the code units behind their instruction (laid out as CPython documents them). A
//! cached form replaces the opcode of its family's head in place; its guard failing means that the
//! general path runs, which may specialise afresh.

use crate::adaptive;
use crate::call::is_exact_fit;
use crate::frame::Frame;
use crate::function::Function;
use crate::stackref::StackRef;
use taipan_abi::*;
use taipan_bytecode::{MIN_INSTRUMENTED_OPCODE, op};
use taipan_object::descr::MemberDescr;
use taipan_object::dict::{Dict, Found};
use taipan_object::instance::{self, InlineValues};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern};
use taipan_types_meta::property::Property;

/// # Safety
/// `cache` points to the code units of an inline cache.
#[inline(always)]
pub(crate) unsafe fn read_u32(cache: *const u16) -> u32 {
    // SAFETY: by contract; units are two-byte aligned.
    unsafe { cache.cast::<u32>().read_unaligned() }
}

/// # Safety
/// As [`read_u32`].
pub(crate) unsafe fn write_u32(cache: *mut u16, value: u32) {
    // SAFETY: by contract.
    unsafe { cache.cast::<u32>().write_unaligned(value) }
}

/// # Safety
/// As [`read_u32`].
#[inline(always)]
pub(crate) unsafe fn read_ptr(cache: *const u16) -> *mut PyObject {
    // SAFETY: by contract; what is read was written by `write_ptr`.
    unsafe { core::ptr::with_exposed_provenance_mut(cache.cast::<usize>().read_unaligned()) }
}

/// # Safety
/// As [`read_u32`].
unsafe fn write_ptr(cache: *mut u16, ptr: *mut PyObject) {
    // SAFETY: by contract.
    unsafe { cache.cast::<usize>().write_unaligned(ptr.expose_provenance()) }
}

/// Replaces the opcode of an instruction, keeping its argument; one that is being watched stays as it is.
///
/// # Safety
/// `instruction` points into a code object.
pub(crate) unsafe fn set_opcode(instruction: *mut u16, opcode: u8) {
    // SAFETY: by contract.
    unsafe {
        let word = instruction.read();
        if (word as u8) < MIN_INSTRUMENTED_OPCODE {
            instruction.write(word & 0xFF00 | u16::from(opcode));
        }
    }
}

/// A global or builtin, looked up; fills the cache when versions and index fit.
///
/// # Safety
/// `instruction` is the frame's current `LOAD_GLOBAL`.
/// # Errors
/// `NameError`.
pub unsafe fn load_global(frame: *mut Frame, instruction: *mut u16, name: usize) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        let name: &Str = Frame::code(frame).names().items()[name].cast();
        let globals = Frame::globals(frame);
        if !globals.is_exact(&PyDict_Type) {
            // A class derived from dict may answer for missing names.
            set_opcode(instruction, op::LOAD_GLOBAL);
            return crate::ops::global_or_builtin(frame, name);
        }
        let cache = instruction.add(1);
        let small = |version: Option<u32>| version.and_then(|version| u16::try_from(version).ok());
        if let Found::At(index) = globals.lookup(name, name.hash())? {
            if let (Some(version), Ok(index)) = (small(globals.keys_version()), u16::try_from(index)) {
                cache.add(1).write(index);
                cache.add(2).write(version);
                set_opcode(instruction, op::LOAD_GLOBAL_MODULE);
            } else {
                set_opcode(instruction, op::LOAD_GLOBAL);
            }
            if let Some(value) = globals.value_at(index) {
                return Ok(value.new_ref());
            }
        }
        let builtins = Object::borrow((*frame).f_builtins);
        let Some(builtins) = builtins.downcast::<Dict>().filter(|dict| dict.is_exact(&PyDict_Type)) else {
            return builtins.get_item(name).map_err(|error| name_error(error, name));
        };
        match builtins.lookup(name, name.hash())? {
            Found::At(index) => {
                let versions = (small(globals.keys_version_even_empty()), small(builtins.keys_version()));
                if let ((Some(module), Some(builtin)), Ok(index)) = (versions, u16::try_from(index)) {
                    cache.add(1).write(index);
                    cache.add(2).write(module);
                    cache.add(3).write(builtin);
                    set_opcode(instruction, op::LOAD_GLOBAL_BUILTIN);
                }
                builtins.value_at(index).map(Object::new_ref).ok_or_else(|| crate::ops::not_defined(name))
            }
            Found::Missing => Err(crate::ops::not_defined(name)),
        }
    }
}

fn name_error(error: taipan_object::PyErr, name: &Str) -> taipan_object::PyErr {
    if error.is(&PyExc_KeyError) { crate::ops::not_defined(name) } else { error }
}

/// The type of an object whose version is the one in the cache (counter, then the version).
///
/// # Safety
/// `cache` points to the cache of an attribute instruction.
#[inline(always)]
unsafe fn guarded<'a>(owner: StackRef, cache: *const u16) -> Option<&'a Object> {
    if owner.is_int() {
        return None;
    }
    // SAFETY: a pointer word points to a live object.
    unsafe {
        let object = owner.object();
        if object.ty().version() == read_u32(cache.add(1)) { Some(object) } else { None }
    }
}

/// `LOAD_ATTR_INSTANCE_VALUE`: offset of the inline values and the position among them are cached.
///
/// # Safety
/// As for all the functions here: `cache` points to the cache of the instruction being run, which was
/// written for it; the version of the type guards what was cached about it.
#[inline(always)]
pub unsafe fn instance_value(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        let values = object.as_ptr().cast::<u8>().add(usize::from(*cache.add(3))).cast::<InlineValues>();
        let position = usize::from(*cache.add(4));
        if (*values).valid == 0 || position >= usize::from((*values).capacity) {
            return None;
        }
        let value = Object::borrow_opt(InlineValues::values(values).add(position).read())?;
        Some(StackRef::owned(value.new_ref()))
    }
}

/// `LOAD_ATTR_WITH_HINT`, `STORE_ATTR_WITH_HINT`: the place of an attribute in the instance's own dict, of whose
/// entries the likely one is cached.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn hinted_place(owner: StackRef, cache: *const u16, name: &Str) -> Option<*mut *mut PyObject> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        let dict = Object::borrow_opt(*instance::dict_place(object)?)?;
        dict.downcast::<Dict>()?.hinted_value(usize::from(*cache.add(3)), name)
    }
}

/// `LOAD_ATTR_METHOD_LAZY_DICT`: what was found on the type, where the instance has no dict yet.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn type_value_without_dict(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        if !(*instance::dict_place(object)?).is_null() {
            return None;
        }
        Some(StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()))
    }
}

/// `LOAD_ATTR_SLOT`: the offset of the slot is cached.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn slot_value(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        let place = slot_place(owner, cache)?;
        Some(StackRef::owned(Object::borrow_opt(place.read())?.new_ref()))
    }
}

/// The place of a slot: for `STORE_ATTR_SLOT`.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn slot_place(owner: StackRef, cache: *const u16) -> Option<*mut *mut PyObject> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        Some(object.as_ptr().cast::<u8>().add(usize::from(*cache.add(3))).cast())
    }
}

/// Values and position for `STORE_ATTR_INSTANCE_VALUE`.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn instance_place(owner: StackRef, cache: *const u16) -> Option<(*mut InlineValues, usize)> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        let values = instance::inline_values(object)?;
        let position = usize::from(*cache.add(3));
        if position >= usize::from((*values).capacity) {
            return None;
        }
        Some((values, position))
    }
}

/// What was found on the type, where instances have nothing of their own.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn type_value(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        guarded(owner, cache)?;
        Some(StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()))
    }
}

/// What was found on the type, where the instance keeps its attributes inline: none of them has the
/// name, or the type would have another version.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn type_value_unhidden(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        let object = guarded(owner, cache)?;
        instance::inline_values(object)?;
        Some(StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()))
    }
}

/// `LOAD_ATTR_CLASS`: an attribute of a class itself.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn class_value(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    if owner.is_int() {
        return None;
    }
    // SAFETY: see above.
    unsafe {
        let class = owner.object().downcast::<Type>()?;
        if class.version() != read_u32(cache.add(1)) {
            return None;
        }
        Some(StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()))
    }
}

/// `LOAD_ATTR_CLASS_WITH_METACLASS_CHECK`: an attribute of a class whose metaclass is not `type` itself.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn class_value_checked(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        if owner.is_int() || owner.object().ty().version() != read_u32(cache.add(3)) {
            return None;
        }
        class_value(owner, cache)
    }
}

/// `LOAD_ATTR_MODULE`: keys version and entry of the module's dict are cached.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn module_value(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    if !owner.is_exact(&PyModule_Type) {
        return None;
    }
    // SAFETY: see above.
    unsafe {
        let module = owner.object();
        let dict: &Dict = Object::borrow((*module.raw_as::<PyModuleObject>()).md_dict).cast();
        let value = dict.cached_value(read_u32(cache.add(1)), usize::from(*cache.add(3)))?;
        Some(StackRef::owned(value.new_ref()))
    }
}

/// `LOAD_ATTR_PROPERTY`: the Python function that gets the property.
///
/// # Safety
/// As [`instance_value`].
#[inline(always)]
pub unsafe fn property_getter(owner: StackRef, cache: *const u16) -> Option<StackRef> {
    // SAFETY: see above.
    unsafe {
        guarded(owner, cache)?;
        let getter = Object::borrow(read_ptr(cache.add(5)));
        let function: &Function = getter.cast();
        is_exact_fit(function.code(), 1).then(|| StackRef::owned(getter.new_ref()))
    }
}

/// An attribute, looked up; fills the cache when that is due and it can be guarded. `method` says that a
/// call follows, so that a function found on the type need not be bound. Cache: counter, type version (2),
/// keys version or offset (2), descriptor (4).
///
/// # Safety
/// `instruction` is the `LOAD_ATTR` being run.
/// # Errors
/// `AttributeError`; what descriptors raise.
pub unsafe fn load_attr(
    object: &Object,
    name: &Str,
    method: bool,
    instruction: *mut u16,
) -> PyResult<(Ref, bool)> {
    let ty = object.ty();
    // SAFETY: a live type; function addresses are compared as CPython compares them.
    let generic = unsafe {
        (*ty.raw())
            .tp_getattro
            .is_some_and(|f| f as usize == instance::PyObject_GenericGetAttr as *const () as usize)
    };
    // SAFETY: by contract.
    unsafe {
        let due = adaptive::due(instruction.add(1));
        if due {
            adaptive::back_off(instruction.add(1));
        }
        let fill = due.then_some(instruction);
        if generic {
            if let Some(found) = instance_attr(object, name, method, fill)? {
                return Ok(found);
            }
        } else if let Some(instruction) = fill {
            specialize_other_attr(object, name, instruction);
        }
    }
    Ok((object.getattr(name)?, false))
}

/// Works out where an attribute of an ordinary object comes from, and caches that.
unsafe fn instance_attr(
    object: &Object,
    name: &Str,
    method: bool,
    fill: Option<*mut u16>,
) -> PyResult<Option<(Ref, bool)>> {
    let ty = object.ty();
    let Some(version) = ty.assign_version() else { return Ok(None) };
    // SAFETY: the cache belongs to the instruction.
    unsafe {
        let Some(found) = ty.lookup(name) else {
            if let Some(instruction) = fill {
                specialize_own_attr(object, name, version, instruction);
            }
            return Ok(instance::own_attribute(object, name)?.map(|value| (value, false)));
        };
        if instance::is_data_descriptor(&found) && instance::gives_values(&found) {
            if let Some(instruction) = fill {
                specialize_data_descriptor(ty, &found, method, version, instruction);
            }
            return instance::bind_descriptor(&found, object, ty).map(|value| Some((value, false)));
        }
        if let Some(own) = instance::own_attribute(object, name)? {
            if let Some(instruction) = fill
                && stays_plain(&found)
            {
                specialize_own_attr(object, name, version, instruction);
            }
            return Ok(Some((own, false)));
        }
        let plain_method = found.ty().has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR);
        // SAFETY: a live type.
        let descriptor = (*found.ty().raw()).tp_descr_get.is_some();
        if !(plain_method && method) && descriptor {
            return instance::bind_descriptor(&found, object, ty).map(|value| Some((value, false)));
        }
        let storage = instance::dict_place(object).is_some();
        let inline =
            instance::inline_values(object).is_some() && instance::inline_position(ty, name).is_none();
        let lazy = storage && !inline && !ty.has_flag(Py_TPFLAGS_INLINE_VALUES);
        if lazy && descriptor && instance::existing_dict(object).is_none() {
            if let Some(instruction) = fill {
                write_ptr(instruction.add(6), found.as_ptr());
                adaptive::chosen(instruction, op::LOAD_ATTR_METHOD_LAZY_DICT, version);
            }
            return Ok(Some((found, true)));
        }
        let opcode = match (descriptor, storage, inline) {
            (true, false, _) => Some(op::LOAD_ATTR_METHOD_NO_DICT),
            (true, true, true) => Some(op::LOAD_ATTR_METHOD_WITH_VALUES),
            (false, false, _) => Some(op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT),
            (false, true, true) => Some(op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES),
            _ => None,
        };
        if let (Some(opcode), Some(instruction)) = (opcode, fill) {
            write_ptr(instruction.add(6), found.as_ptr());
            adaptive::chosen(instruction, opcode, version);
        }
        Ok(Some((found, descriptor)))
    }
}

/// Whether a class attribute leaves the instance's own one of that name visible, and always will: its type is no
/// data descriptor and cannot become one.
fn stays_plain(found: &Object) -> bool {
    found.ty().has_flag(Py_TPFLAGS_IMMUTABLETYPE) && !instance::is_data_descriptor(found)
}

/// Attributes that the instance itself has, inline or in its dict.
unsafe fn specialize_own_attr(object: &Object, name: &Str, version: u32, instruction: *mut u16) {
    let ty = object.ty();
    // SAFETY: the cache belongs to the instruction.
    unsafe {
        let cache = instruction.add(1);
        if instance::inline_values(object).is_some() {
            if let Some(position) = instance::inline_position(ty, name)
                && let Ok(offset) = u16::try_from(instance::inline_offset(ty))
            {
                cache.add(3).write(offset);
                cache.add(4).write(position as u16);
                adaptive::chosen(instruction, op::LOAD_ATTR_INSTANCE_VALUE, version);
            }
        } else if let Some(hint) = dict_hint(object, name) {
            cache.add(3).write(hint);
            adaptive::chosen(instruction, op::LOAD_ATTR_WITH_HINT, version);
        }
    }
}

/// The entry of an attribute in the instance's own dict, if its key is this very name.
fn dict_hint(object: &Object, name: &Str) -> Option<u16> {
    let dict = instance::existing_dict(object)?;
    let Ok(Found::At(index)) = dict.lookup(name, name.hash()) else { return None };
    dict.hinted_value(index, name)?;
    u16::try_from(index).ok()
}

/// Slots and properties.
unsafe fn specialize_data_descriptor(
    ty: &Type,
    found: &Object,
    method: bool,
    version: u32,
    instruction: *mut u16,
) {
    if let Some(member) = found.downcast::<MemberDescr>() {
        // A slot of an unrelated class tells of other memory than this object's.
        if !ty.is_subtype(member.as_descr().owner()) {
            return;
        }
        // SAFETY: the cache belongs to the instruction.
        unsafe { specialize_slot(member, version, instruction) };
        return;
    }
    let property = found.downcast::<Property>().filter(|found| found.is_exact(&PyProperty_Type));
    let getter = property.and_then(Property::getter).filter(|getter| getter.is_exact(&PyFunction_Type));
    let Some(getter) = getter.filter(|_| !method) else { return };
    // SAFETY: the cache belongs to the instruction.
    unsafe {
        write_ptr(instruction.add(6), getter.as_ptr());
        adaptive::chosen(instruction, op::LOAD_ATTR_PROPERTY, version);
    }
}

unsafe fn specialize_slot(member: &MemberDescr, version: u32, instruction: *mut u16) {
    let def = member.def();
    if def.r#type != Py_T_OBJECT_EX {
        return;
    }
    if let Ok(offset) = u16::try_from(def.offset) {
        // SAFETY: the cache belongs to the instruction.
        unsafe {
            instruction.add(4).write(offset);
            adaptive::chosen(instruction, op::LOAD_ATTR_SLOT, version);
        }
    }
}

/// Attributes of classes and modules.
unsafe fn specialize_other_attr(object: &Object, name: &Str, instruction: *mut u16) {
    // SAFETY: the cache belongs to the instruction; exact types have the layouts of their views.
    unsafe {
        let cache = instruction.add(1);
        if let Some(class) = object.downcast::<Type>() {
            let meta = object.ty();
            let ordinary = match ((*meta.raw()).tp_getattro, (*PyType_Type.raw()).tp_getattro) {
                (Some(own), Some(of_type)) => own as usize == of_type as usize,
                _ => false,
            };
            let Some(found) = class.lookup(name) else { return };
            if ordinary
                && meta.lookup_ptr(name).is_null()
                && (*found.ty().raw()).tp_descr_get.is_none()
                && let (Some(version), Some(meta_version)) = (class.assign_version(), meta.assign_version())
            {
                let plain = object.is_exact(&PyType_Type);
                let opcode =
                    if plain { op::LOAD_ATTR_CLASS } else { op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK };
                write_u32(cache.add(3), meta_version);
                write_ptr(cache.add(5), found.as_ptr());
                adaptive::chosen(instruction, opcode, version);
            }
            return;
        }
        if object.is_exact(&PyModule_Type) {
            let dict: &Dict = Object::borrow((*object.raw_as::<PyModuleObject>()).md_dict).cast();
            if let (Ok(Found::At(index)), Some(version)) =
                (dict.lookup(name, name.hash()), dict.keys_version())
                && let Ok(index) = u16::try_from(index)
            {
                cache.add(3).write(index);
                adaptive::chosen(instruction, op::LOAD_ATTR_MODULE, version);
            }
        }
    }
}

/// Fills the cache of a `STORE_ATTR` that has just been done the general way.
///
/// # Safety
/// `instruction` is the `STORE_ATTR` being run.
pub unsafe fn specialize_store_attr(object: &Object, name: &Str, instruction: *mut u16) {
    let ty = object.ty();
    // SAFETY: the cache belongs to the instruction; function addresses are compared as CPython does.
    unsafe {
        if !adaptive::due(instruction.add(1)) {
            return;
        }
        adaptive::back_off(instruction.add(1));
        let generic = (*ty.raw())
            .tp_setattro
            .is_some_and(|f| f as usize == instance::PyObject_GenericSetAttr as *const () as usize);
        let Some(version) = ty.assign_version().filter(|_| generic) else { return };
        let cache = instruction.add(1);
        match ty.lookup(name) {
            Some(found) if !stays_plain(&found) => {
                let Some(member) = found.downcast::<MemberDescr>() else { return };
                let def = member.def();
                if def.r#type == Py_T_OBJECT_EX
                    && def.flags & Py_READONLY == 0
                    && ty.is_subtype(member.as_descr().owner())
                    && let Ok(offset) = u16::try_from(def.offset)
                {
                    cache.add(3).write(offset);
                    adaptive::chosen(instruction, op::STORE_ATTR_SLOT, version);
                }
            }
            _ => {
                if instance::inline_values(object).is_some() {
                    if let Some(position) = instance::inline_position(ty, name) {
                        cache.add(3).write(position as u16);
                        adaptive::chosen(instruction, op::STORE_ATTR_INSTANCE_VALUE, version);
                    }
                } else if let Some(hint) = dict_hint(object, name) {
                    cache.add(3).write(hint);
                    adaptive::chosen(instruction, op::STORE_ATTR_WITH_HINT, version);
                }
            }
        }
    }
}

/// The Python `__init__` of a class whose instances are made the ordinary way.
pub fn simple_init(class: &Type) -> Option<Ref> {
    // SAFETY: a live type; function addresses are compared as CPython does.
    let plain_new = unsafe {
        match ((*class.raw()).tp_new, (*PyBaseObject_Type.raw()).tp_new) {
            (Some(new), Some(object_new)) => new as usize == object_new as usize,
            _ => false,
        }
    };
    if !plain_new || !class.has_flag(Py_TPFLAGS_HEAPTYPE) || class.has_flag(Py_TPFLAGS_IS_ABSTRACT) {
        return None;
    }
    class.lookup(intern!("__init__")).filter(|init| init.is_exact(&PyFunction_Type))
}

/// The `__init__` of a class that [`simple_init`] has accepted at its present version.
#[inline(always)]
pub fn known_init(class: &Type, count: usize) -> Option<StackRef> {
    // SAFETY: alive in a type's dict.
    let init = unsafe { Object::borrow_opt(class.lookup_ptr(intern!("__init__")))? };
    if !init.is_exact(&PyFunction_Type) {
        return None;
    }
    // SAFETY: an exact function.
    let function: &Function = unsafe { init.cast() };
    is_exact_fit(function.code(), count).then(|| StackRef::owned(init.new_ref()))
}
