//! The quick paths: what common types of operands allow to do without calling anything, and the
//! inline caches of attribute and global look-ups.
//!
//! Caches stand in the code units behind their instruction (laid out as CPython documents them). A
//! cached form replaces the opcode of its family's head in place; its guard failing means that the
//! general path runs, which may specialise afresh.

use crate::adaptive;
use crate::call::is_exact_fit;
use crate::frame::Frame;
use crate::function::Function;
use crate::interp::exact_float;
use crate::stackref::{INT_MAX, INT_MIN, StackRef};
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::callable;
use taipan_object::descr::MemberDescr;
use taipan_object::dict::{Dict, Found};
use taipan_object::float::Float;
use taipan_object::instance::{self, InlineValues};
use taipan_object::int::Int;
use taipan_object::iters::{RawIndexIterator, RawRangeIterator};
use taipan_object::list::List;
use taipan_object::native::CompareOp;
use taipan_object::singletons::{bool_object, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern};
use taipan_types_meta::property::Property;

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

fn subscript(container: StackRef, key: StackRef) -> Option<StackRef> {
    // SAFETY: exact types have the layouts of their views.
    unsafe {
        if container.is_exact(&PyList_Type) {
            return list_item(container, key);
        }
        if container.is_exact(&PyTuple_Type) {
            return tuple_item(container, key);
        }
    }
    str_item(container, key)
}

/// A subscript as an index into `len` items.
#[inline(always)]
fn index_within(key: StackRef, len: usize) -> Option<usize> {
    let index = key.as_compact_int()?;
    let index = if index < 0 { index + len as i64 } else { index };
    // A negative index becomes a huge one.
    let index = index as usize;
    if index < len { Some(index) } else { None }
}

/// The place of an item of a list.
///
/// # Safety
/// `container` is an exact list.
#[inline(always)]
pub unsafe fn list_place(container: StackRef, key: StackRef) -> Option<*mut *mut PyObject> {
    // SAFETY: by contract.
    unsafe {
        let list: &List = container.object().cast();
        Some(list.items_ptr().add(index_within(key, list.len())?))
    }
}

/// An item of a list.
///
/// # Safety
/// As [`list_place`].
#[inline(always)]
pub unsafe fn list_item(container: StackRef, key: StackRef) -> Option<StackRef> {
    // SAFETY: by contract.
    unsafe { Some(StackRef::owned(Object::borrow(list_place(container, key)?.read()).new_ref())) }
}

/// An item of a tuple.
///
/// # Safety
/// `container` is an exact tuple.
#[inline(always)]
pub unsafe fn tuple_item(container: StackRef, key: StackRef) -> Option<StackRef> {
    // SAFETY: by contract.
    unsafe {
        let tuple: &Tuple = container.object().cast();
        let index = index_within(key, tuple.len())?;
        Some(StackRef::owned(tuple.items().get_unchecked(index).new_ref()))
    }
}

/// A character of an exact str, if it is one of the first 256.
pub fn str_item(container: StackRef, key: StackRef) -> Option<StackRef> {
    if !container.is_exact(&PyUnicode_Type) {
        return None;
    }
    // SAFETY: an exact str.
    let text: &Str = unsafe { container.object().cast() };
    let c = text.chars().at(index_within(key, text.len())?);
    if c < 256 { Some(StackRef::borrowed(taipan_object::unicode::latin1_char(c as u8))) } else { None }
}

/// The sequence slots of a container that is a native sequence, for an index that needs no object:
/// array, deque, memoryview, range and the like. Their `sq_item` agrees with their `mp_subscript`.
#[inline]
fn native_sequence(container: StackRef, key: StackRef) -> Option<(&'static PySequenceMethods, isize)> {
    if !key.is_int() || key.int_value() < 0 || container.is_int() {
        return None;
    }
    let ty = container.ty();
    if ty.flags() & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_SEQUENCE) != Py_TPFLAGS_SEQUENCE {
        return None;
    }
    // SAFETY: types that are no heap types live for ever, and so do their tables.
    Some((unsafe { (*ty.raw()).tp_as_sequence.as_ref()? }, key.int_value() as isize))
}

/// `container[key]` of a native sequence; `None`, without an exception, when that is not to be had.
pub fn native_item(container: StackRef, key: StackRef) -> Option<StackRef> {
    let (table, index) = native_sequence(container, key)?;
    // SAFETY: slot contract.
    let result = unsafe { taipan_object::native::from_c(table.sq_item?(container.ptr(), index)) };
    result.ok().map(StackRef::owned)
}

/// `container[key] = value` of a native sequence; `false`, without an exception, when the general way has
/// to do it.
pub fn store_native_item(container: StackRef, key: StackRef, value: StackRef) -> bool {
    let Some((table, index)) = native_sequence(container, key) else { return false };
    let Some(slot) = table.sq_ass_item else { return false };
    let look = value.look();
    // SAFETY: slot contract.
    let failed = unsafe { slot(container.ptr(), index, look.as_ptr()) } < 0;
    if failed {
        drop(taipan_object::err::fetch());
    }
    !failed
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

/// Two ints of which at least one has an object.
#[inline(never)]
pub fn int_pair(left: StackRef, right: StackRef) -> Option<(i64, i64)> {
    Some((left.as_compact_int()?, right.as_compact_int()?))
}

/// Operations on ints and floats that have no form of their own. Takes the operands over on success.
#[inline(never)]
pub fn extended_binary(left: StackRef, right: StackRef, oparg: usize) -> Option<StackRef> {
    let result = quick_binary(left, right, oparg)?;
    left.close();
    right.close();
    Some(result)
}

/// The float `value`, in the object of an operand that nobody else has. Takes the operands over.
///
/// # Safety
/// Both words are exact floats.
#[inline(always)]
pub unsafe fn float_in_place(value: f64, left: StackRef, right: StackRef) -> StackRef {
    // SAFETY: a float with one reference, which is the word's, is seen by nobody else.
    unsafe {
        if left.is_owned() && (*left.ptr()).ob_refcnt == 1 {
            (*left.ptr().cast::<PyFloatObject>()).ob_fval = value;
            right.close();
            return left;
        }
        if right.is_owned() && (*right.ptr()).ob_refcnt == 1 {
            (*right.ptr().cast::<PyFloatObject>()).ob_fval = value;
            left.close();
            return right;
        }
    }
    left.close();
    right.close();
    StackRef::owned(Float::new(value).upcast())
}

/// The truth of values whose types have a simple one.
#[inline(always)]
pub fn quick_truth(value: StackRef) -> Option<bool> {
    if value.is_int() {
        return Some(value.int_value() != 0);
    }
    let ptr = value.ptr();
    if ptr == bool_object(true).as_ptr() {
        return Some(true);
    }
    if ptr == bool_object(false).as_ptr() || ptr == none().as_ptr() {
        return Some(false);
    }
    // SAFETY: exact types have the layouts of their views.
    unsafe {
        if value.is_exact(&PyList_Type) {
            return Some(!value.object().cast::<List>().is_empty());
        }
        if value.is_exact(&PyUnicode_Type) {
            return Some(!value.object().cast::<Str>().is_empty());
        }
    }
    None
}

/// Whether the comparison of a `COMPARE_OP` holds: its argument has one bit for each outcome that does.
#[inline(always)]
pub fn holds<T: PartialOrd>(a: T, b: T, oparg: usize) -> bool {
    let outcome = match a.partial_cmp(&b) {
        None => 1,
        Some(core::cmp::Ordering::Less) => 2,
        Some(core::cmp::Ordering::Greater) => 4,
        Some(core::cmp::Ordering::Equal) => 8,
    };
    outcome & oparg != 0
}

/// Whether an int is among the items of a list or tuple of ints; `None` where something else is.
#[inline]
pub fn quick_contains(container: StackRef, item: StackRef) -> Option<bool> {
    let wanted = item.as_compact_int()?;
    // SAFETY: exact types have the layouts of their views; nothing runs that could change them.
    let items: &[*mut PyObject] = unsafe {
        if container.is_exact(&PyList_Type) {
            let list: &List = container.object().cast();
            if list.is_empty() {
                return Some(false);
            }
            core::slice::from_raw_parts(list.items_ptr(), list.len())
        } else if container.is_exact(&PyTuple_Type) {
            let tuple: &Tuple = container.object().cast();
            core::slice::from_raw_parts(tuple.items().as_ptr().cast(), tuple.len())
        } else {
            return None;
        }
    };
    for &item in items {
        // SAFETY: items are live.
        let value = unsafe {
            if (*item).ob_type != PyLong_Type.raw() {
                return None;
            }
            Object::borrow(item).cast::<Int>().compact_value()
        };
        match value {
            Some(value) if value == wanted => return Some(true),
            // A longer int is none that fits one digit, but may be one that fits a word.
            None => return None,
            Some(_) => {}
        }
    }
    Some(false)
}

/// The concatenation of two exact strs.
///
/// # Errors
/// `MemoryError`, `OverflowError`.
pub fn concat(left: &Object, right: &Object) -> PyResult {
    // SAFETY: a live type; the slot takes any two objects.
    unsafe {
        match (*PyUnicode_Type.raw()).tp_as_sequence.as_ref().and_then(|table| table.sq_concat) {
            Some(slot) => taipan_object::native::from_c(slot(left.as_ptr(), right.as_ptr())),
            None => Err(taipan_object::err::system_error("str without concatenation")),
        }
    }
}

/// The items of a tuple or list that has `count` of them.
#[inline(always)]
pub fn items_of(sequence: StackRef, count: usize) -> Option<*const *mut PyObject> {
    // SAFETY: exact types have the layouts of their views.
    unsafe {
        if sequence.is_exact(&PyTuple_Type) {
            let tuple: &Tuple = sequence.object().cast();
            return (tuple.len() == count).then(|| tuple.items().as_ptr().cast());
        }
        if sequence.is_exact(&PyList_Type) {
            let list: &List = sequence.object().cast();
            return (list.len() == count).then(|| list.items_ptr().cast_const());
        }
    }
    None
}

/// The length of the commonest containers.
#[inline(always)]
pub fn quick_len(value: StackRef) -> Option<usize> {
    // SAFETY: exact types have the layouts of their views.
    unsafe {
        if value.is_exact(&PyList_Type) {
            return Some(value.object().cast::<List>().len());
        }
        if value.is_exact(&PyTuple_Type) {
            return Some(value.object().cast::<Tuple>().len());
        }
        if value.is_exact(&PyUnicode_Type) {
            return Some(value.object().cast::<Str>().len());
        }
    }
    None
}

/// `isinstance` with a plain class, as far as the type of the object tells.
#[inline]
pub fn quick_isinstance(object: StackRef, class: StackRef) -> Option<bool> {
    if !class.is_exact(&PyType_Type) {
        return None;
    }
    // SAFETY: an exact type.
    let class: &Type = unsafe { class.object().cast() };
    let ty = object.ty();
    if ty.is_subtype(class) {
        return Some(true);
    }
    // An instance may claim another class by `__class__`, unless it inherits that from object.
    let claims = intern!("__class__");
    // SAFETY: a live type; function addresses are compared as CPython does.
    let generic = unsafe {
        (*ty.raw())
            .tp_getattro
            .is_some_and(|f| f as usize == instance::PyObject_GenericGetAttr as *const () as usize)
    };
    (generic && ty.lookup_ptr(claims) == PyBaseObject_Type.lookup_ptr(claims)).then_some(false)
}

/// Calls the C function of a definition with words of the stack; `None` if the arguments do not suit its
/// convention, before anything has happened.
///
/// # Safety
/// `object` is what the function expects as self; `args` points to `count` words, which stay there
/// during the call (integers among them get their objects).
#[inline(always)]
pub unsafe fn call_native(
    def: *mut PyMethodDef,
    object: *mut PyObject,
    args: *mut StackRef,
    count: usize,
) -> Option<PyResult> {
    const MOST: usize = 6;
    // SAFETY: conventions by the flags; `ml_meth` is stored untyped.
    unsafe {
        let function = (*def).ml_meth?;
        let flags = (*def).ml_flags & callable::CONVENTION;
        let result = match flags {
            METH_O if count == 1 => function(object, StackRef::materialize(&mut *args)),
            METH_NOARGS if count == 0 => function(object, core::ptr::null_mut()),
            _ if flags & !METH_KEYWORDS == METH_FASTCALL && count <= MOST => {
                let mut array = [core::mem::MaybeUninit::<*mut PyObject>::uninit(); MOST];
                for (index, place) in array.iter_mut().enumerate().take(count) {
                    place.write(StackRef::materialize(&mut *args.add(index)));
                }
                let array = array.as_ptr().cast::<*mut PyObject>();
                if flags == METH_FASTCALL {
                    let function: PyCFunctionFast = core::mem::transmute(function);
                    function(object, array, count.cast_signed())
                } else {
                    let function: PyCFunctionFastWithKeywords = core::mem::transmute(function);
                    function(object, array, count.cast_signed(), core::ptr::null_mut())
                }
            }
            _ => return None,
        };
        Some(taipan_object::native::from_c(result))
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

/// Replaces the opcode of an instruction, keeping its argument.
///
/// # Safety
/// `instruction` points into a code object.
pub(crate) unsafe fn set_opcode(instruction: *mut u16, opcode: u8) {
    // SAFETY: by contract.
    unsafe { instruction.write(instruction.read() & 0xFF00 | u16::from(opcode)) }
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
            if let Some(instruction) = fill
                && instance::inline_values(object).is_some()
                && let Some(position) = instance::inline_position(ty, name)
                && let Ok(offset) = u16::try_from(instance::inline_offset(ty))
            {
                let cache = instruction.add(1);
                cache.add(3).write(offset);
                cache.add(4).write(position as u16);
                adaptive::chosen(instruction, op::LOAD_ATTR_INSTANCE_VALUE, version);
            }
            return Ok(instance::own_attribute(object, name)?.map(|value| (value, false)));
        };
        if instance::is_data_descriptor(&found) && instance::gives_values(&found) {
            if let Some(instruction) = fill {
                specialize_data_descriptor(&found, method, version, instruction);
            }
            return Ok(None);
        }
        if let Some(own) = instance::own_attribute(object, name)? {
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

/// Slots and properties.
unsafe fn specialize_data_descriptor(found: &Object, method: bool, version: u32, instruction: *mut u16) {
    if let Some(member) = found.downcast::<MemberDescr>() {
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
            Some(found) => {
                let Some(member) = found.downcast::<MemberDescr>() else { return };
                let def = member.def();
                if def.r#type == Py_T_OBJECT_EX
                    && def.flags & Py_READONLY == 0
                    && let Ok(offset) = u16::try_from(def.offset)
                {
                    cache.add(3).write(offset);
                    adaptive::chosen(instruction, op::STORE_ATTR_SLOT, version);
                }
            }
            None => {
                if instance::inline_values(object).is_some()
                    && let Some(position) = instance::inline_position(ty, name)
                {
                    cache.add(3).write(position as u16);
                    adaptive::chosen(instruction, op::STORE_ATTR_INSTANCE_VALUE, version);
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
