//! The quick paths: what common types of operands allow to do without calling anything, and the
//! inline caches of attribute and global look-ups.
//!
//! Caches stand in the code units behind their instruction (laid out as CPython documents them). A
//! cached form replaces the opcode of its family's head in place; its guard failing means that the
//! general path runs, which may specialise afresh.

use crate::frame::Frame;
use crate::interp::exact_float;
use crate::stackref::{INT_MAX, INT_MIN, StackRef};
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::descr::MemberDescr;
use taipan_object::dict::{Dict, Found};
use taipan_object::float::Float;
use taipan_object::instance::{self, InlineValues};
use taipan_object::iters::{RawIndexIterator, RawRangeIterator};
use taipan_object::list::List;
use taipan_object::native::CompareOp;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern};

/// Binary operations on small ints, floats, and subscriptions by small ints.
#[inline(always)]
pub fn quick_binary(left: StackRef, right: StackRef, oparg: usize) -> Option<StackRef> {
    let kind = if (13..26).contains(&oparg) { oparg - 13 } else { oparg };
    if left.both_int(right) {
        return int_op(left.int_value(), right.int_value(), kind);
    }
    if kind == 26 {
        return subscript(left, right);
    }
    quick_mixed(left, right, kind)
}

#[inline(always)]
fn int_op(a: i64, b: i64, kind: usize) -> Option<StackRef> {
    let value = match kind {
        0 => a + b,
        10 => a - b,
        5 => a.checked_mul(b)?,
        1 => a & b,
        7 => a | b,
        12 => a ^ b,
        2 if b != 0 => a / b - i64::from(a % b != 0 && (a < 0) != (b < 0)),
        6 if b != 0 => {
            let rem = a % b;
            if rem != 0 && (rem < 0) != (b < 0) { rem + b } else { rem }
        }
        3 if (0..61).contains(&b) => {
            let value = a << b;
            if value >> b != a {
                return None;
            }
            value
        }
        9 if b >= 0 => a >> b.min(63),
        11 if b != 0 && a.unsigned_abs() < 1 << 53 && b.unsigned_abs() < 1 << 53 => {
            return Some(StackRef::owned(Float::new(a as f64 / b as f64).upcast()));
        }
        _ => return None,
    };
    if (INT_MIN..=INT_MAX).contains(&value) { Some(StackRef::int(value)) } else { None }
}

/// A word as a float operand: an exact float, or an int that converts exactly.
#[inline(always)]
fn float_operand(word: StackRef) -> Option<f64> {
    if word.is_int() {
        let value = word.int_value();
        return if value.unsigned_abs() < 1 << 53 { Some(value as f64) } else { None };
    }
    exact_float(word)
}

#[inline]
fn quick_mixed(left: StackRef, right: StackRef, kind: usize) -> Option<StackRef> {
    if exact_float(left).is_some() || exact_float(right).is_some() {
        let (a, b) = (float_operand(left)?, float_operand(right)?);
        let value = match kind {
            0 => a + b,
            10 => a - b,
            5 => a * b,
            11 if b != 0.0 => a / b,
            _ => return None,
        };
        return Some(StackRef::owned(Float::new(value).upcast()));
    }
    // Ints with objects that are short enough for a word.
    let (a, b) = (left.as_compact_int()?, right.as_compact_int()?);
    int_op(a, b, kind)
}

#[inline(always)]
fn subscript(container: StackRef, key: StackRef) -> Option<StackRef> {
    if !key.is_int() || container.is_int() {
        return None;
    }
    let index = key.int_value();
    // SAFETY: exact types have the layouts of their views.
    unsafe {
        if container.is_exact(&PyList_Type) {
            let list: &List = container.object().cast();
            let index = if index < 0 { index + list.len() as i64 } else { index };
            return usize::try_from(index).ok().and_then(|index| list.get(index)).map(StackRef::owned);
        }
        if container.is_exact(&PyTuple_Type) {
            let tuple: &Tuple = container.object().cast();
            let index = if index < 0 { index + tuple.len() as i64 } else { index };
            let item = usize::try_from(index).ok().and_then(|index| tuple.get(index));
            return item.map(|item| StackRef::owned(item.new_ref()));
        }
        if container.is_exact(&PyUnicode_Type) {
            let text: &Str = container.object().cast();
            let index = usize::try_from(index).ok().filter(|&index| index < text.len())?;
            let c = text.chars().at(index);
            if c < 256 {
                return Some(StackRef::borrowed(taipan_object::unicode::latin1_char(c as u8)));
            }
        }
    }
    None
}

/// A Python `__getitem__` that may be entered without native recursion.
#[inline]
pub fn python_getitem(container: StackRef) -> Option<Ref> {
    if container.is_int() || !container.ty().has_flag(Py_TPFLAGS_HEAPTYPE) {
        return None;
    }
    container.ty().lookup(intern!("__getitem__")).filter(|method| method.is_exact(&PyFunction_Type))
}

/// `local += str` where the local is the only other owner of the left string: grows it in place.
/// The next instruction stores to that local; it is done here.
///
/// # Safety
/// `locals` are those of the running frame, `next` its next instruction.
pub unsafe fn append_in_place(left: StackRef, right: StackRef, locals: *mut StackRef, next: u16) -> bool {
    if next as u8 != op::STORE_FAST || !left.is_exact(&PyUnicode_Type) || !right.is_exact(&PyUnicode_Type) {
        return false;
    }
    // SAFETY: the local index was written for this code; both are exact strs.
    unsafe {
        let local = locals.add(usize::from(next >> 8));
        if (*local).is_int() || (*local).ptr() != left.ptr() || !(*local).is_owned() {
            return false;
        }
        let wanted = if left.is_owned() { 2 } else { 1 };
        if (*left.ptr()).ob_refcnt != wanted {
            return false;
        }
        let Some(grown) = taipan_object::unicode::append_unique(left.ptr(), right.object().cast(), wanted)
        else {
            return false;
        };
        // The words for the old address are gone with it; the local owns the new one.
        local.write(StackRef::from_ptr(grown));
        true
    }
}

/// Comparisons of small ints, floats and strs.
#[inline(always)]
pub fn quick_compare(left: StackRef, right: StackRef, oparg: usize) -> Option<bool> {
    let op = crate::interp::comparison(oparg)?;
    if left.both_int(right) {
        return Some(op.holds(left.int_value().cmp(&right.int_value())));
    }
    quick_compare_objects(left, right, op)
}

#[inline]
fn quick_compare_objects(left: StackRef, right: StackRef, op: CompareOp) -> Option<bool> {
    if let (Some(a), Some(b)) = (exact_float(left), float_operand(right)) {
        return Some(float_compare(a, b, op));
    }
    if let (Some(a), Some(b)) = (float_operand(left), exact_float(right)) {
        return Some(float_compare(a, b, op));
    }
    if left.is_exact(&PyUnicode_Type) && right.is_exact(&PyUnicode_Type) {
        // SAFETY: exact strs.
        let (a, b): (&Str, &Str) = unsafe { (left.object().cast(), right.object().cast()) };
        return match op {
            CompareOp::Eq => Some(a.same_text(b)),
            CompareOp::Ne => Some(!a.same_text(b)),
            _ => Some(op.holds(a.compare(b))),
        };
    }
    let (a, b) = (left.as_compact_int()?, right.as_compact_int()?);
    Some(op.holds(a.cmp(&b)))
}

fn float_compare(a: f64, b: f64, op: CompareOp) -> bool {
    match op {
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Gt => a > b,
        CompareOp::Ge => a >= b,
    }
}

/// The next item of a range; NULL at the end.
///
/// # Safety
/// `iterator` is a `range_iterator`.
#[inline(always)]
pub unsafe fn next_of_range(iterator: *mut PyObject) -> StackRef {
    // SAFETY: by contract.
    unsafe {
        let raw = iterator.cast::<RawRangeIterator>();
        if (*raw).left <= 0 {
            return StackRef::NULL;
        }
        let value = (*raw).next;
        (*raw).next = value.wrapping_add((*raw).step);
        (*raw).left -= 1;
        StackRef::from_i64(value)
    }
}

/// The next item of a list; NULL at the end.
///
/// # Safety
/// `iterator` is a `list_iterator`.
#[inline(always)]
pub unsafe fn next_of_list(iterator: *mut PyObject) -> StackRef {
    // SAFETY: by contract.
    unsafe {
        let raw = iterator.cast::<RawIndexIterator>();
        let Some(list) = Object::borrow_opt((*raw).sequence) else { return StackRef::NULL };
        let list: &List = list.cast();
        match list.get((*raw).index as usize) {
            Some(item) => {
                (*raw).index += 1;
                StackRef::owned(item)
            }
            None => {
                taipan_object::handle::clear_field(&raw mut (*raw).sequence);
                StackRef::NULL
            }
        }
    }
}

/// The next item of a tuple; NULL at the end.
///
/// # Safety
/// `iterator` is a `tuple_iterator`.
#[inline(always)]
pub unsafe fn next_of_tuple(iterator: *mut PyObject) -> StackRef {
    // SAFETY: by contract.
    unsafe {
        let raw = iterator.cast::<RawIndexIterator>();
        let Some(tuple) = Object::borrow_opt((*raw).sequence) else { return StackRef::NULL };
        let tuple: &Tuple = tuple.cast();
        match tuple.get((*raw).index as usize) {
            Some(item) => {
                let item = item.new_ref();
                (*raw).index += 1;
                StackRef::owned(item)
            }
            None => {
                taipan_object::handle::clear_field(&raw mut (*raw).sequence);
                StackRef::NULL
            }
        }
    }
}

// ---- inline caches ---------------------------------------------------------------------------------

/// # Safety
/// `cache` points to the code units of an inline cache.
#[inline(always)]
unsafe fn read_u32(cache: *const u16) -> u32 {
    // SAFETY: by contract; units are two-byte aligned.
    unsafe { cache.cast::<u32>().read_unaligned() }
}

/// # Safety
/// As [`read_u32`].
unsafe fn write_u32(cache: *mut u16, value: u32) {
    // SAFETY: by contract.
    unsafe { cache.cast::<u32>().write_unaligned(value) }
}

/// # Safety
/// As [`read_u32`].
#[inline(always)]
unsafe fn read_ptr(cache: *const u16) -> *mut PyObject {
    // SAFETY: by contract; what is read was written by `write_ptr`.
    unsafe { core::ptr::with_exposed_provenance_mut(cache.cast::<usize>().read_unaligned()) }
}

/// # Safety
/// As [`read_u32`].
unsafe fn write_ptr(cache: *mut u16, ptr: *mut PyObject) {
    // SAFETY: by contract.
    unsafe { cache.cast::<usize>().write_unaligned(ptr.expose_provenance()) }
}

/// Replaces the opcode of an instruction, keeping its argument.
///
/// # Safety
/// `instruction` points into a code object.
unsafe fn set_opcode(instruction: *mut u16, opcode: u8) {
    // SAFETY: by contract.
    unsafe { instruction.write(instruction.read() & 0xFF00 | u16::from(opcode)) }
}

/// The cached value of a `LOAD_GLOBAL`. Cache: counter, index, version of the module's keys, version
/// of the builtins' keys.
///
/// # Safety
/// `cache` points to the instruction's cache.
#[inline(always)]
pub unsafe fn cached_global<'a>(frame: *mut Frame, cache: *const u16, opcode: u8) -> Option<&'a Object> {
    if opcode == op::LOAD_GLOBAL {
        return None;
    }
    // SAFETY: by contract; versions guard the entry numbers.
    unsafe {
        let index = usize::from(*cache.add(1));
        let globals: &Dict = Object::borrow((*frame).f_globals).cast();
        if opcode == op::LOAD_GLOBAL_MODULE {
            return globals.cached_value(u32::from(*cache.add(2)), index);
        }
        if !globals.has_keys_version(u32::from(*cache.add(2))) {
            return None;
        }
        // Another function with this code may have builtins of another kind.
        let builtins = Object::borrow((*frame).f_builtins).downcast::<Dict>()?;
        builtins.cached_value(u32::from(*cache.add(3)), index)
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

/// The cached result of a `LOAD_ATTR`; `true` when it is a method to be called with the owner as its
/// first argument. Cache: counter, type version (2), keys version or offset (2), descriptor (4).
///
/// # Safety
/// `cache` points to the instruction's cache.
#[inline(always)]
pub unsafe fn cached_attr(owner: StackRef, cache: *const u16, opcode: u8) -> Option<(StackRef, bool)> {
    if opcode == op::LOAD_ATTR || owner.is_int() {
        return None;
    }
    // SAFETY: by contract; the type's version guards what was cached about it.
    unsafe {
        let object = owner.object();
        match opcode {
            op::LOAD_ATTR_INSTANCE_VALUE => {
                let ty = object.ty();
                if ty.version() != read_u32(cache.add(1)) {
                    return None;
                }
                let values =
                    object.as_ptr().cast::<u8>().add(usize::from(*cache.add(3))).cast::<InlineValues>();
                let position = usize::from(*cache.add(4));
                if (*values).valid == 0 || position >= usize::from((*values).capacity) {
                    return None;
                }
                let value = Object::borrow_opt(InlineValues::values(values).add(position).read())?;
                Some((StackRef::owned(value.new_ref()), false))
            }
            op::LOAD_ATTR_METHOD_WITH_VALUES => {
                if object.ty().version() != read_u32(cache.add(1)) {
                    return None;
                }
                // No instance attribute may hide the method: either the names do not have it …
                instance::inline_values(object)?;
                Some((StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()), true))
            }
            op::LOAD_ATTR_METHOD_NO_DICT => {
                if object.ty().version() != read_u32(cache.add(1)) {
                    return None;
                }
                Some((StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()), true))
            }
            op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT => {
                if object.ty().version() != read_u32(cache.add(1)) {
                    return None;
                }
                Some((StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()), false))
            }
            op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES => {
                if object.ty().version() != read_u32(cache.add(1))
                    || instance::inline_values(object).is_none()
                {
                    return None;
                }
                Some((StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()), false))
            }
            op::LOAD_ATTR_SLOT => {
                if object.ty().version() != read_u32(cache.add(1)) {
                    return None;
                }
                let place =
                    object.as_ptr().cast::<u8>().add(usize::from(*cache.add(3))).cast::<*mut PyObject>();
                Some((StackRef::owned(Object::borrow_opt(place.read())?.new_ref()), false))
            }
            op::LOAD_ATTR_CLASS => {
                let class = object.downcast::<Type>()?;
                if class.version() != read_u32(cache.add(1)) {
                    return None;
                }
                Some((StackRef::owned(Object::borrow(read_ptr(cache.add(5))).new_ref()), false))
            }
            op::LOAD_ATTR_MODULE => {
                if !object.is_exact(&PyModule_Type) {
                    return None;
                }
                let dict: &Dict = Object::borrow((*object.raw_as::<PyModuleObject>()).md_dict).cast();
                let value = dict.cached_value(read_u32(cache.add(1)), usize::from(*cache.add(3)))?;
                Some((StackRef::owned(value.new_ref()), false))
            }
            _ => None,
        }
    }
}

/// An attribute, looked up; fills the cache when it can be guarded. `method` says that a call follows,
/// so that a function found on the type need not be bound.
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
        if generic {
            if let Some(found) = specialize_instance_attr(object, name, method, instruction)? {
                return Ok(found);
            }
        } else {
            specialize_other_attr(object, name, instruction);
        }
    }
    Ok((object.getattr(name)?, false))
}

/// Works out where an attribute of an ordinary object comes from.
unsafe fn specialize_instance_attr(
    object: &Object,
    name: &Str,
    method: bool,
    instruction: *mut u16,
) -> PyResult<Option<(Ref, bool)>> {
    let ty = object.ty();
    let Some(version) = ty.assign_version() else { return Ok(None) };
    // SAFETY: the cache belongs to the instruction.
    unsafe {
        let cache = instruction.add(1);
        let found = ty.lookup(name);
        if let Some(found) = found {
            let plain_method = found.ty().has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR);
            let data = instance::is_data_descriptor(&found);
            if data {
                if let Some(member) = found.downcast::<MemberDescr>() {
                    specialize_slot(member, version, instruction);
                }
                return Ok(None);
            }
            if let Some(own) = instance::own_attribute(object, name)? {
                return Ok(Some((own, false)));
            }
            // SAFETY: a live type.
            let descriptor = (*found.ty().raw()).tp_descr_get.is_some();
            let storage = instance::dict_place(object).is_some();
            let inline =
                instance::inline_values(object).is_some() && instance::inline_position(ty, name).is_none();
            if (plain_method && method) || !descriptor {
                let opcode = match (descriptor, storage, inline) {
                    (true, false, _) => Some(op::LOAD_ATTR_METHOD_NO_DICT),
                    (true, true, true) => Some(op::LOAD_ATTR_METHOD_WITH_VALUES),
                    (false, false, _) => Some(op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT),
                    (false, true, true) => Some(op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES),
                    _ => None,
                };
                if let Some(opcode) = opcode {
                    write_u32(cache.add(1), version);
                    write_ptr(cache.add(5), found.as_ptr());
                    set_opcode(instruction, opcode);
                }
                return Ok(Some((found, descriptor)));
            }
            return instance::bind_descriptor(&found, object, ty).map(|value| Some((value, false)));
        }
        if instance::inline_values(object).is_some()
            && let Some(position) = instance::inline_position(ty, name)
            && let Ok(offset) = u16::try_from(instance::inline_offset(ty))
        {
            write_u32(cache.add(1), version);
            cache.add(3).write(offset);
            cache.add(4).write(position as u16);
            set_opcode(instruction, op::LOAD_ATTR_INSTANCE_VALUE);
        }
        Ok(instance::own_attribute(object, name)?.map(|value| (value, false)))
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
            write_u32(instruction.add(2), version);
            instruction.add(4).write(offset);
            set_opcode(instruction, op::LOAD_ATTR_SLOT);
        }
    }
}

/// Attributes of classes and modules.
unsafe fn specialize_other_attr(object: &Object, name: &Str, instruction: *mut u16) {
    // SAFETY: the cache belongs to the instruction; exact types have the layouts of their views.
    unsafe {
        let cache = instruction.add(1);
        if object.is_exact(&PyType_Type) {
            let class: &Type = object.cast();
            let Some(found) = class.lookup(name) else { return };
            let meta = PyType_Type.lookup_ptr(name);
            if meta.is_null()
                && (*found.ty().raw()).tp_descr_get.is_none()
                && let Some(version) = class.assign_version()
            {
                write_u32(cache.add(1), version);
                write_ptr(cache.add(5), found.as_ptr());
                set_opcode(instruction, op::LOAD_ATTR_CLASS);
            }
            return;
        }
        if object.is_exact(&PyModule_Type) {
            let dict: &Dict = Object::borrow((*object.raw_as::<PyModuleObject>()).md_dict).cast();
            if let (Ok(Found::At(index)), Some(version)) =
                (dict.lookup(name, name.hash()), dict.keys_version())
                && let Ok(index) = u16::try_from(index)
            {
                write_u32(cache.add(1), version);
                cache.add(3).write(index);
                set_opcode(instruction, op::LOAD_ATTR_MODULE);
            }
        }
    }
}

/// The cached form of a `STORE_ATTR`. Cache: counter, type version (2), offset or position.
///
/// # Safety
/// `cache` points to the instruction's cache. The value word is taken over on success.
#[inline(always)]
pub unsafe fn cached_store_attr(owner: StackRef, value: StackRef, cache: *const u16, opcode: u8) -> bool {
    if opcode == op::STORE_ATTR || owner.is_int() {
        return false;
    }
    // SAFETY: by contract; the type's version guards what was cached about it.
    unsafe {
        let object = owner.object();
        let ty = object.ty();
        if ty.version() != read_u32(cache.add(1)) {
            return false;
        }
        if opcode == op::STORE_ATTR_SLOT {
            let place = object.as_ptr().cast::<u8>().add(usize::from(*cache.add(3))).cast::<*mut PyObject>();
            taipan_object::handle::set_field(place, Some(value.into_ref()));
            return true;
        }
        let Some(values) = instance::inline_values(object) else { return false };
        let position = usize::from(*cache.add(3));
        if position >= usize::from((*values).capacity) {
            return false;
        }
        instance::store_inline(values, position, value.into_ref());
        true
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
        let generic = (*ty.raw())
            .tp_setattro
            .is_some_and(|f| f as usize == instance::PyObject_GenericSetAttr as *const () as usize);
        let Some(version) = ty.assign_version().filter(|_| generic) else { return };
        let cache = instruction.add(1);
        match ty.lookup(name) {
            Some(found) => {
                let Some(member) = found.downcast::<MemberDescr>() else { return };
                let def = member.def();
                if def.r#type == Py_T_OBJECT_EX
                    && def.flags & Py_READONLY == 0
                    && let Ok(offset) = u16::try_from(def.offset)
                {
                    write_u32(cache.add(1), version);
                    cache.add(3).write(offset);
                    set_opcode(instruction, op::STORE_ATTR_SLOT);
                }
            }
            None => {
                if instance::inline_values(object).is_some()
                    && let Some(position) = instance::inline_position(ty, name)
                {
                    write_u32(cache.add(1), version);
                    cache.add(3).write(position as u16);
                    set_opcode(instruction, op::STORE_ATTR_INSTANCE_VALUE);
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
