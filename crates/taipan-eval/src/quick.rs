//! The quick paths: what common types of operands allow to do without calling anything.
//!
//! Each function tests the exact types of its operands, does the common case and gives `None` for every
//! other, before anything has happened: the caller then goes the general way.

use crate::interp::exact_float;
use crate::stackref::{INT_MAX, INT_MIN, StackRef};
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::callable;
use taipan_object::float::Float;
use taipan_object::instance::{self};
use taipan_object::int::Int;
use taipan_object::iters::{RawIndexIterator, RawRangeIterator};
use taipan_object::list::List;
use taipan_object::native::CompareOp;
use taipan_object::singletons::{bool_object, none};
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
/// array, bytes, deque, memoryview, range and the like. Their `sq_item` agrees with their `mp_subscript`.
#[inline]
fn native_sequence(container: StackRef, key: StackRef) -> Option<(&'static PySequenceMethods, isize)> {
    if !key.is_int() || key.int_value() < 0 || container.is_int() {
        return None;
    }
    let ty = container.ty();
    if ty.flags() & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_SEQUENCE) != Py_TPFLAGS_SEQUENCE
        && !ty.is(&PyByteArray_Type)
        && !ty.is(&PyBytes_Type)
    {
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

/// An operation on two ints of which at least one has an object, where the result needs none.
#[inline(never)]
pub fn long_ints(left: StackRef, right: StackRef, result: fn(i64, i64) -> Option<i64>) -> Option<StackRef> {
    StackRef::try_int(result(left.as_compact_int()?, right.as_compact_int()?)?)
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
    describe: &dyn Fn() -> String,
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
        Some(callable::checked_result(result, describe))
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
