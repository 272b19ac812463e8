//! When and into what an instruction specialises.
//!
//! Problem: an instruction that looks at the types of its operands at every run pays for the choice
//! each time. Idea (PEP 659): the general form counts down in the first unit of its inline cache; when
//! the counter is due it looks at the operands once and writes the form that fits them in its own place.
//! A specialised form only guards; when its guard fails the general form runs instead, still under the
//! specialised opcode, and counts down to the next choice.
//!
//! Invariants: a choice never changes what the instruction does, only how; what is written into the
//! cache is guarded by a version or by a type test at every use; the counter's low twelve bits never
//! reach zero once the instruction has run (zero means that it is new).

use crate::call::is_exact_fit;
use crate::function::Function;
use crate::interp::exact_float;
use crate::specialize::{set_opcode, simple_init, write_u32};
use crate::stackref::StackRef;
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::callable::{self, CFunction};
use taipan_object::descr::MethodDescr;
use taipan_object::statics::*;
use taipan_object::{Type, intern, state};

/// Runs before the first choice: code that runs once is not worth one.
pub const WARMUP: u16 = 1;
/// Runs of the general form that a specialised one is forgiven before it is chosen anew.
pub const COOLDOWN: u16 = 52;
const COUNT: u16 = 0x0FFF;

/// Counts down; `true` when a choice is due.
///
/// # Safety
/// `counter` is the first unit of an inline cache.
#[inline(always)]
pub unsafe fn due(counter: *mut u16) -> bool {
    // SAFETY: by contract.
    unsafe {
        let value = counter.read();
        if value & COUNT == 1 {
            return true;
        }
        counter.write(if value == 0 { WARMUP } else { value - 1 });
        false
    }
}

/// Writes the chosen form, or waits twice as long as last time when nothing fits.
///
/// # Safety
/// `instruction` is an instruction with an inline cache.
unsafe fn choose(instruction: *mut u16, chosen: Option<u8>) {
    // SAFETY: by contract.
    unsafe {
        let counter = instruction.add(1);
        match chosen {
            Some(opcode) => {
                set_opcode(instruction, opcode);
                counter.write(COOLDOWN);
            }
            None => back_off(counter),
        }
    }
}

/// Writes the chosen form of an instruction that guards on a type's version.
///
/// # Safety
/// `instruction` is an instruction whose inline cache has a version behind the counter.
pub unsafe fn chosen(instruction: *mut u16, opcode: u8, version: u32) {
    // SAFETY: by contract.
    unsafe {
        write_u32(instruction.add(2), version);
        choose(instruction, Some(opcode));
    }
}

/// Puts the next choice off, for twice as long each time.
///
/// # Safety
/// `counter` is the first unit of an inline cache.
pub unsafe fn back_off(counter: *mut u16) {
    // SAFETY: by contract.
    unsafe {
        let exponent = ((counter.read() >> 12) + 1).min(11);
        counter.write(exponent << 12 | (1 << exponent));
    }
}

/// `BINARY_OP`.
///
/// # Safety
/// `instruction` is the one being run, with these operands.
#[cold]
pub unsafe fn binary_op(instruction: *mut u16, left: StackRef, right: StackRef, oparg: usize) {
    let inplace = (13..26).contains(&oparg);
    let kind = if inplace { oparg - 13 } else { oparg };
    let ints = left.as_compact_int().is_some() && right.as_compact_int().is_some();
    let number = |word: StackRef| word.as_compact_int().is_some() || exact_float(word).is_some();
    let chosen = if kind == 26 {
        subscript(left, right)
    } else if ints {
        match kind {
            0 => Some(op::BINARY_OP_ADD_INT),
            10 => Some(op::BINARY_OP_SUBTRACT_INT),
            5 => Some(op::BINARY_OP_MULTIPLY_INT),
            1 | 2 | 3 | 6 | 7 | 9 | 11 | 12 => Some(op::BINARY_OP_EXTEND),
            _ => None,
        }
    } else if exact_float(left).is_some() && exact_float(right).is_some() {
        match kind {
            0 => Some(op::BINARY_OP_ADD_FLOAT),
            10 => Some(op::BINARY_OP_SUBTRACT_FLOAT),
            5 => Some(op::BINARY_OP_MULTIPLY_FLOAT),
            11 => Some(op::BINARY_OP_EXTEND),
            _ => None,
        }
    } else if number(left) && number(right) {
        matches!(kind, 0 | 5 | 10 | 11).then_some(op::BINARY_OP_EXTEND)
    } else if kind == 0 && left.is_exact(&PyUnicode_Type) && right.is_exact(&PyUnicode_Type) {
        // SAFETY: an instruction always has a successor.
        let stores = unsafe { *instruction.add(6) } as u8 == op::STORE_FAST;
        Some(if stores && inplace { op::BINARY_OP_INPLACE_ADD_UNICODE } else { op::BINARY_OP_ADD_UNICODE })
    } else {
        None
    };
    // SAFETY: by contract.
    unsafe { choose(instruction, chosen) }
}

fn subscript(container: StackRef, key: StackRef) -> Option<u8> {
    if container.is_exact(&PyDict_Type) {
        return Some(op::BINARY_OP_SUBSCR_DICT);
    }
    let int_key = key.as_compact_int().is_some();
    if container.is_exact(&PyList_Type) && int_key {
        Some(op::BINARY_OP_SUBSCR_LIST_INT)
    } else if container.is_exact(&PyTuple_Type) && int_key {
        Some(op::BINARY_OP_SUBSCR_TUPLE_INT)
    } else if container.is_exact(&PyUnicode_Type) && int_key {
        Some(op::BINARY_OP_SUBSCR_STR_INT)
    } else {
        None
    }
}

/// `COMPARE_OP`.
///
/// # Safety
/// As [`binary_op`].
#[cold]
pub unsafe fn compare_op(instruction: *mut u16, left: StackRef, right: StackRef) {
    let chosen = if left.as_compact_int().is_some() && right.as_compact_int().is_some() {
        Some(op::COMPARE_OP_INT)
    } else if exact_float(left).is_some() && exact_float(right).is_some() {
        Some(op::COMPARE_OP_FLOAT)
    } else if left.is_exact(&PyUnicode_Type) && right.is_exact(&PyUnicode_Type) {
        Some(op::COMPARE_OP_STR)
    } else {
        None
    };
    // SAFETY: by contract.
    unsafe { choose(instruction, chosen) }
}

/// `STORE_SUBSCR`.
///
/// # Safety
/// As [`binary_op`].
#[cold]
pub unsafe fn store_subscr(instruction: *mut u16, container: StackRef, key: StackRef) {
    let chosen = if container.is_exact(&PyList_Type) && key.as_compact_int().is_some() {
        Some(op::STORE_SUBSCR_LIST_INT)
    } else if container.is_exact(&PyDict_Type) {
        Some(op::STORE_SUBSCR_DICT)
    } else {
        None
    };
    // SAFETY: by contract.
    unsafe { choose(instruction, chosen) }
}

/// `FOR_ITER`.
///
/// # Safety
/// As [`binary_op`].
#[cold]
pub unsafe fn for_iter(instruction: *mut u16, iterator: StackRef) {
    let chosen = if iterator.is_exact(&PyRangeIter_Type) {
        Some(op::FOR_ITER_RANGE)
    } else if iterator.is_exact(&PyListIter_Type) {
        Some(op::FOR_ITER_LIST)
    } else if iterator.is_exact(&PyTupleIter_Type) {
        Some(op::FOR_ITER_TUPLE)
    } else if iterator.is_exact(&PyGen_Type) {
        Some(op::FOR_ITER_GEN)
    } else {
        None
    };
    // SAFETY: by contract.
    unsafe { choose(instruction, chosen) }
}

/// `CALL`: `target` with `count` arguments, the second word of the callable being there or not.
///
/// # Safety
/// As [`binary_op`]; `target` is not NULL.
#[cold]
pub unsafe fn call(instruction: *mut u16, target: StackRef, has_self: bool, count: usize) {
    if target.is_int() {
        return;
    }
    // SAFETY: types are tested before their layouts are used.
    unsafe {
        let object = target.object();
        let chosen = if target.is_exact(&PyFunction_Type) {
            python_function(instruction, object.cast(), count).then_some(op::CALL_PY_EXACT_ARGS)
        } else if target.is_exact(&PyMethod_Type) && !has_self {
            let function = object.cast::<callable::Method>().function();
            let fits = function.is_exact(&PyFunction_Type)
                && python_function(instruction, function.cast(), count + 1);
            fits.then_some(op::CALL_BOUND_METHOD_EXACT_ARGS)
        } else if target.is_exact(&PyType_Type) {
            class(instruction, object.cast(), has_self, count)
        } else if target.is_exact(&PyCFunction_Type) {
            native(object.cast(), count)
        } else if target.is_exact(&PyMethodDescr_Type) {
            method_descriptor(object.cast(), count)
        } else {
            None
        };
        choose(instruction, chosen);
    }
}

unsafe fn python_function(instruction: *mut u16, function: &Function, count: usize) -> bool {
    let version = function.version();
    if version == 0 || !is_exact_fit(function.code(), count) {
        return false;
    }
    // SAFETY: the cache of a CALL has room for a version behind its counter.
    unsafe { write_u32(instruction.add(2), version) };
    true
}

unsafe fn class(instruction: *mut u16, class: &Type, has_self: bool, count: usize) -> Option<u8> {
    if has_self {
        return None;
    }
    if count == 1 && core::ptr::eq(class, &*PyType_Type) {
        return Some(op::CALL_TYPE_1);
    }
    let init = simple_init(class)?;
    // SAFETY: `simple_init` gives Python functions.
    let function: &Function = unsafe { init.cast() };
    if !is_exact_fit(function.code(), count + 1) {
        return None;
    }
    let version = class.assign_version()?;
    // SAFETY: as in `python_function`.
    unsafe { write_u32(instruction.add(2), version) };
    Some(op::CALL_ALLOC_AND_ENTER_INIT)
}

const FASTCALL_KEYWORDS: i32 = METH_FASTCALL | METH_KEYWORDS;

fn native(function: &CFunction, count: usize) -> Option<u8> {
    let known = &state::interp().callables;
    if count == 1 && known.is_len(function) {
        return Some(op::CALL_LEN);
    }
    if count == 2 && known.is_isinstance(function) {
        return Some(op::CALL_ISINSTANCE);
    }
    match function.convention() {
        METH_O if count == 1 => Some(op::CALL_BUILTIN_O),
        METH_FASTCALL => Some(op::CALL_BUILTIN_FAST),
        FASTCALL_KEYWORDS => Some(op::CALL_BUILTIN_FAST_WITH_KEYWORDS),
        _ => None,
    }
}

fn method_descriptor(method: &MethodDescr, count: usize) -> Option<u8> {
    match method.convention() {
        METH_O if count == 2 => {
            Some(if is_append(method) { op::CALL_LIST_APPEND } else { op::CALL_METHOD_DESCRIPTOR_O })
        }
        METH_NOARGS if count == 1 => Some(op::CALL_METHOD_DESCRIPTOR_NOARGS),
        METH_FASTCALL if count >= 1 => Some(op::CALL_METHOD_DESCRIPTOR_FAST),
        FASTCALL_KEYWORDS if count >= 1 => Some(op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS),
        _ => None,
    }
}

/// Whether a method is `list.append`.
#[inline(always)]
pub fn is_append(method: &MethodDescr) -> bool {
    core::ptr::eq(method.as_descr().owner(), &*PyList_Type) && method.as_descr().name().is(intern!("append"))
}
