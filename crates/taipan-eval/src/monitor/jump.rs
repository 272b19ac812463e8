//! Jumps of a debugger: assigning to `f_lineno`.
//!
//! Problem: control can only go on at another line if the operand stack there is one that cutting down the
//! present stack can give; otherwise the interpreter would work on words that are not there. Idea: a walk over
//! the code works out what kinds of values stand on the stack at each instruction. A jump is allowed to the
//! instruction of the line whose stack is the deepest one that is a beginning of the present stack.
//!
//! Invariants: a stack is one number, four bits for each value, the top lowest; negative numbers say that
//! it is unknown. The frame is changed only when everything has been checked.

use crate::code::Code;
use crate::frame::{Frame, JUMPED};
use crate::frame_object::{FrameObject, live};
use crate::stackref::StackRef;
use taipan_bytecode::{self as bytecode, CACHES, Opcode, op};
use taipan_object::err::{system_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::monitoring::event;
use taipan_object::singletons::{bool_object, none};
use taipan_object::statics::{PyCell_Type, PyExc_AttributeError, PyExc_RuntimeWarning};
use taipan_object::{Object, PyErr, PyResult, raise, refcount, state};

/// Kinds of values on the stack.
const ITERATOR: i128 = 1;
const EXCEPTION: i128 = 2;
const OBJECT: i128 = 3;
const NULL: i128 = 4;
const LASTI: i128 = 5;
// Containers that the code itself fills: it counts on their types.
const LIST: i128 = 6;
const SET: i128 = 7;
const MAP: i128 = 8;

const EMPTY: i128 = 0;
/// The stack has more values than a number can tell.
const OVERFLOWED: i128 = -1;
/// No path leads here.
const UNREACHED: i128 = -2;

const BITS: u32 = 4;
const MASK: i128 = 15;
/// A stack of 21 values is the deepest that is told from others, as in CPython.
const DEEPEST: i128 = 1 << (20 * BITS);

fn push(stack: i128, kind: i128) -> i128 {
    if (0..DEEPEST).contains(&stack) { stack << BITS | kind } else { OVERFLOWED }
}

fn pop(stack: i128) -> i128 {
    stack >> BITS
}

fn top(stack: i128) -> i128 {
    stack & MASK
}

fn depth(mut stack: i128) -> u32 {
    let mut count = 0;
    while stack > 0 {
        stack = pop(stack);
        count += 1;
    }
    count
}

/// The value `n` from the top; 1 is the top.
fn peek(stack: i128, n: usize) -> i128 {
    if stack < 0 { stack } else { top(stack.checked_shr(BITS * (n as u32 - 1)).unwrap_or(0)) }
}

fn swap(stack: i128, n: usize) -> i128 {
    if stack < 0 {
        return stack;
    }
    let place = BITS * (n as u32 - 1);
    if place >= 21 * BITS {
        return OVERFLOWED;
    }
    let (low, high) = (top(stack), top(stack >> place));
    stack & !MASK & !(MASK << place) | high | if n == 1 { 0 } else { low << place }
}

/// Whether a stack becomes another one when values are taken off it.
fn is_compatible(mut from: i128, mut to: i128) -> bool {
    if from < 0 || to < 0 {
        return false;
    }
    while depth(from) > depth(to) {
        from = pop(from);
    }
    while from != 0 {
        let fits = match top(to) {
            0 => false,
            OBJECT => !matches!(top(from), NULL | LASTI),
            NULL => true,
            kind => top(from) == kind,
        };
        if !fits {
            return false;
        }
        (from, to) = (pop(from), pop(to));
    }
    to == 0
}

fn why_not(to: i128) -> &'static str {
    match to {
        OVERFLOWED => "stack is too deep to analyze",
        UNREACHED => "can't jump into an exception handler, or code may be unreachable",
        _ => match top(to) {
            EXCEPTION => "can't jump into an 'except' block as there's no exception",
            LASTI => "can't jump into a re-raising block as there's no location",
            ITERATOR => "can't jump into the body of a for loop",
            _ => "incompatible stacks",
        },
    }
}

/// The stack at every unit of the code.
struct Walk {
    stacks: Vec<i128>,
    again: bool,
}

impl Walk {
    fn set(&mut self, unit: usize, stack: i128) {
        if let Some(place) = self.stacks.get_mut(unit) {
            *place = stack;
        }
    }

    fn new(code: &Code) -> Walk {
        let original = code.original_code();
        let guards = bytecode::exceptions::read_guards(code.exceptiontable());
        let mut walk = Walk { stacks: vec![UNREACHED; original.len() / 2 + 1], again: true };
        walk.stacks[0] = EMPTY;
        while walk.again {
            walk.again = false;
            walk.instructions(&original);
            for guard in &guards {
                walk.guard(guard);
            }
        }
        walk
    }

    fn guard(&mut self, guard: &bytecode::exceptions::Guard) {
        let (start, target) = (guard.start as usize, guard.target as usize);
        let (Some(&stack), Some(&UNREACHED)) = (self.stacks.get(start), self.stacks.get(target)) else {
            return;
        };
        if stack == UNREACHED {
            return;
        }
        self.again = true;
        let mut stack = stack;
        while depth(stack) > guard.depth {
            stack = pop(stack);
        }
        if guard.lasti {
            stack = push(stack, LASTI);
        }
        self.set(target, push(stack, EXCEPTION));
    }

    fn instructions(&mut self, original: &[u8]) {
        let count = original.len() / 2;
        let (mut at, mut prefix) = (0, 0usize);
        while at < count {
            let opcode = original[at * 2];
            let oparg = prefix << 8 | usize::from(original[at * 2 + 1]);
            let next = at + 1 + usize::from(CACHES[usize::from(opcode)]);
            let stack = self.stacks[at];
            if stack != UNREACHED {
                self.step(at, next, opcode, oparg, stack);
            }
            prefix = if opcode == op::EXTENDED_ARG { oparg & 0x00FF_FFFF } else { 0 };
            at = next;
        }
    }

    fn step(&mut self, at: usize, next: usize, opcode: u8, oparg: usize, stack: i128) {
        let through = match opcode {
            op::POP_JUMP_IF_FALSE
            | op::POP_JUMP_IF_TRUE
            | op::POP_JUMP_IF_NONE
            | op::POP_JUMP_IF_NOT_NONE => {
                self.set(next + oparg, pop(stack));
                pop(stack)
            }
            op::SEND => {
                self.set(next + oparg, stack);
                stack
            }
            op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => {
                let target = next.saturating_sub(oparg);
                self.again |= target < at && self.stacks[target] == UNREACHED;
                self.set(target, stack);
                return;
            }
            op::JUMP_FORWARD => return self.set(next + oparg, stack),
            op::RETURN_VALUE | op::RAISE_VARARGS | op::RERAISE => return,
            op::GET_ITER | op::GET_AITER => push(pop(stack), ITERATOR),
            op::FOR_ITER => {
                self.set(next + oparg, push(stack, OBJECT));
                push(stack, OBJECT)
            }
            op::END_ASYNC_FOR => pop(pop(stack)),
            op::PUSH_EXC_INFO => push(stack, EXCEPTION),
            op::POP_EXCEPT => pop(stack),
            op::PUSH_NULL => push(stack, NULL),
            op::BUILD_LIST | op::BUILD_SET | op::BUILD_MAP => {
                let kind = match opcode {
                    op::BUILD_LIST => LIST,
                    op::BUILD_SET => SET,
                    _ => MAP,
                };
                push(pop(Self::plain(opcode, oparg, stack)), kind)
            }
            op::LOAD_GLOBAL if oparg & 1 != 0 => push(push(stack, OBJECT), NULL),
            op::LOAD_ATTR if oparg & 1 != 0 => push(push(pop(stack), OBJECT), NULL),
            op::SWAP => swap(stack, oparg.max(1)),
            op::COPY => push(stack, peek(stack, oparg.max(1))),
            _ => Self::plain(opcode, oparg, stack),
        };
        self.set(next, through);
    }

    fn plain(opcode: u8, oparg: usize, mut stack: i128) -> i128 {
        let Some(opcode) = Opcode::from_u8(opcode) else { return OVERFLOWED };
        let oparg = u32::try_from(oparg).unwrap_or(u32::MAX);
        let mut effect = opcode.pushes(oparg) - opcode.pops(oparg);
        while effect < 0 {
            stack = pop(stack);
            effect += 1;
        }
        while effect > 0 {
            stack = push(stack, OBJECT);
            effect -= 1;
        }
        stack
    }
}

/// A `bool` that is assigned to a frame's attribute.
pub(super) fn truth(value: Option<&Object>) -> PyResult<bool> {
    match value {
        Some(value) if value.is(bool_object(true)) => Ok(true),
        Some(value) if value.is(bool_object(false)) => Ok(false),
        Some(_) => Err(type_error("attribute value type must be bool")),
        None => Err(cannot_delete("f_trace_opcodes")),
    }
}

fn cannot_delete(name: &str) -> PyErr {
    raise!(PyExc_AttributeError, "attribute '{name}' of 'frame' objects cannot be deleted")
}

/// Whether a jump may be made from the event that is being reported.
fn check_event() -> PyResult<()> {
    let what = state::thread().base.what_event;
    let Ok(what) = usize::try_from(what) else {
        return Err(value_error("f_lineno can only be set in a trace function"));
    };
    match what {
        event::PY_RESUME
        | event::JUMP
        | event::LINE
        | event::BRANCH_LEFT
        | event::BRANCH_RIGHT
        | event::PY_YIELD => Ok(()),
        event::PY_START => Err(value_error("can't jump from the 'call' trace event of a new frame")),
        event::CALL | event::C_RETURN => Err(value_error("can't jump during a call")),
        event::PY_RETURN
        | event::PY_THROW
        | event::PY_UNWIND
        | event::C_RAISE
        | event::RAISE
        | event::EXCEPTION_HANDLED
        | event::INSTRUCTION => Err(value_error("can only jump from a 'line' trace event")),
        _ => Err(system_error("unexpected event type")),
    }
}

/// For each unit at which a stretch of a line begins, that line.
fn line_starts(code: &Code) -> Vec<i32> {
    let mut starts = vec![-1; code.unit_count()];
    let (mut at, mut last) = (0, -1);
    for (units, location) in bytecode::LocationReader::new(code.linetable(), code.firstlineno()) {
        let line = location.lineno;
        if line >= 0
            && line != last
            && let Some(start) = starts.get_mut(at)
        {
            *start = line;
            last = line;
        }
        at += units;
    }
    starts
}

const GENERATORS: u32 = bytecode::CO_GENERATOR | bytecode::CO_COROUTINE | bytecode::CO_ASYNC_GENERATOR;

/// Finds where to go on: the unit, its stack and the present one.
fn destination(code: &Code, lasti: usize, wanted: i32) -> PyResult<(usize, i128, i128)> {
    if wanted < code.firstlineno() {
        return Err(value_error(&format!("line {wanted} comes before the current code block")));
    }
    let starts = line_starts(code);
    let Some(line) = starts.iter().copied().filter(|&line| line >= wanted).min() else {
        return Err(value_error(&format!("line {wanted} comes after the current code block")));
    };
    let walk = Walk::new(code);
    let present = walk.stacks.get(lasti).copied().unwrap_or(UNREACHED);
    // A generator does not begin twice: what makes it stands before the first instruction that can be traced.
    // SAFETY: the view guarantees the layout.
    let first = match unsafe { usize::try_from((*code.raw())._co_firsttraceable) } {
        Ok(first) if code.flags() & GENERATORS != 0 => first,
        _ => 0,
    };
    let mut best: Option<(usize, i128)> = None;
    let mut why = None;
    let is_there = |unit: &usize| *unit >= first && starts[*unit] == line;
    for (unit, stack) in (0..starts.len()).filter(is_there).map(|unit| (unit, walk.stacks[unit])) {
        if is_compatible(present, stack) {
            if best.is_none_or(|best| stack > best.1) {
                best = Some((unit, stack));
            }
        } else {
            why = why.or(Some(stack));
        }
    }
    match best {
        Some((unit, stack)) => Ok((unit, stack, present)),
        None => Err(value_error(match (why, present) {
            (None, _) => "cannot find bytecode for specified line",
            (_, OVERFLOWED) => "stack to deep to analyze",
            (_, UNREACHED) => "can't jump from unreachable code",
            (Some(stack), _) => why_not(stack),
        })),
    }
}

/// `f_lineno = value`.
pub(crate) fn set_line(object: &FrameObject, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(cannot_delete("f_lineno")) };
    let Some(number) =
        value.downcast::<Int>().filter(|_| value.is_exact(&taipan_object::statics::PyLong_Type))
    else {
        return Err(value_error("lineno must be an integer"));
    };
    check_event()?;
    let wanted = number.to_i64().and_then(|line| i32::try_from(line).ok());
    let Some(wanted) = wanted else { return Err(value_error("lineno out of range")) };
    let frame = live(object)?;
    // SAFETY: a live frame that has called a tool, so that its pointers are saved.
    unsafe {
        let code = Frame::code(frame);
        let lasti = Frame::lasti(frame).max(0) as usize;
        let (unit, target, mut present) = destination(code, lasti, wanted)?;
        // While a branch is reported, its instruction has already taken its word or left one.
        let base = Frame::stack_base(frame);
        let height = (*frame).stackpointer.offset_from(base).max(0) as u32;
        while depth(present) > height {
            present = pop(present);
        }
        if depth(target) > depth(present) {
            return Err(value_error("incompatible stacks"));
        }
        bind_none(code, frame)?;
        while (*frame).stackpointer > base.add(depth(target) as usize) {
            let extra = (*frame).stackpointer > base.add(depth(present) as usize);
            let sp = (*frame).stackpointer.sub(1);
            (*frame).stackpointer = sp;
            let word = sp.replace(StackRef::NULL);
            if extra {
                word.close();
                continue;
            }
            if top(present) == EXCEPTION {
                // What was being handled before is so again.
                let info = state::thread().base.exc_info;
                let value = word.into_ref();
                let value = (!taipan_object::singletons::is_none(&value)).then_some(value);
                let value = taipan_object::handle::into_ptr_opt(value);
                let old = core::mem::replace(&mut (*info).exc_value, value);
                refcount::xdecref(old);
            } else {
                word.close();
            }
            present = pop(present);
        }
        (*object.raw()).f_lineno = 0;
        (*frame).instr_ptr = code.instructions().add(unit);
        (*frame).flags |= JUMPED;
    }
    Ok(())
}

/// Gives variables without a value one: the code at the destination may count on it.
unsafe fn bind_none(code: &Code, frame: *mut Frame) -> PyResult<()> {
    // SAFETY: the frame is live and has this code.
    unsafe {
        let locals = Frame::locals(frame);
        let unbound: Vec<usize> =
            (0..code.nlocalsplus()).filter(|&index| (*locals.add(index)).is_null()).collect();
        if unbound.is_empty() {
            return Ok(());
        }
        let plural = if unbound.len() == 1 { "" } else { "s" };
        let message = format!("assigning None to {} unbound local{plural}", unbound.len());
        (state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, &message, 1)?;
        for index in unbound {
            let place = locals.add(index);
            if (*place).is_null() {
                // Where the code has a cell, it must go on having one.
                let is_cell = code.localspluskinds()[index] & bytecode::CO_FAST_CELL != 0;
                place.write(if is_cell {
                    StackRef::owned(PyCell_Type.call(&[])?)
                } else {
                    StackRef::borrowed(none())
                });
            }
        }
    }
    Ok(())
}
