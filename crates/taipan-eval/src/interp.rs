//! Running frames: the loop over instructions, and what happens when one raises.
//!
//! A call of a Python function pushes a frame and goes on in this same loop; only native code that calls
//! back enters it anew. The instructions themselves are in [`crate::instructions`].
//!
//! Invariants: the thread's current frame is the one being run; an exception leaves the instructions
//! with its words still on the stack, and the handler that is found cuts the stack to its depth.

use crate::frame::{self, ENTRY, Frame};
use crate::instructions::{EXITS, Next, RAISED, RUN_AS, TABLE, VALUE};
use crate::monitor::{self, events};
use crate::stackref::StackRef;
use crate::unwind::{self, Unwound};
use taipan_bytecode::{CACHES, op};
use taipan_object::float::Float;
use taipan_object::monitoring::event;
use taipan_object::native::CompareOp;
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::state::ThreadState;
use taipan_object::statics::*;
use taipan_object::{PyErr, PyResult, Ref};

/// Runs a frame (and the frames it calls) to its end: gives what it returned or yielded.
///
/// # Safety
/// `first` is the newest frame of `thread`, the current one; it is popped, or suspended if it belongs
/// to a generator.
/// # Errors
/// What the code raises.
pub unsafe fn run_frame(thread: *mut ThreadState, first: *mut Frame) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        if taipan_object::state::stack_is_low(thread) {
            let error = protocol::too_deep("");
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        if let Err(error) = frame::enter_recursion(thread) {
            frame::leave_recursion(thread);
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        (*first).flags |= ENTRY;
        (*thread).base.current_frame = first.cast();
        run(thread, Next { ip: (*first).instr_ptr, sp: (*first).stackpointer })
    }
}

/// Raises an exception in a suspended generator's frame and runs it on.
///
/// # Safety
/// As [`run_frame`]; the frame belongs to a generator.
/// # Errors
/// What the code raises, at least the exception itself when nothing catches it.
pub unsafe fn throw_into(thread: *mut ThreadState, first: *mut Frame, error: PyErr) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        if let Err(error) = frame::enter_recursion(thread) {
            frame::leave_recursion(thread);
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        (*first).flags |= ENTRY;
        (*thread).base.current_frame = first.cast();
        let mut error = error;
        if events::is_active(thread) {
            // The RESUME that brings code up to date is not run.
            monitor::update_frame(thread, first);
            error = events::exception(thread, first, event::PY_THROW, unit_of(first), error);
        }
        // Suspended frames point behind their yield, whose handlers are meant.
        let next = handle(thread, error, true, 1)?;
        run(thread, next)
    }
}

#[inline(never)]
unsafe fn run(thread: *mut ThreadState, mut next: Next) -> PyResult {
    // SAFETY: see the invariants of the instructions; `sp` of an exit is an owned object, but for `RUN_AS`.
    unsafe {
        loop {
            let word = *next.ip;
            let handler = TABLE[usize::from(word as u8)];
            let frame = (*thread).base.current_frame.cast();
            next = handler(next.ip, next.sp, frame, thread, usize::from(word >> 8));
            while next.ip.addr() < EXITS {
                next = match next.ip.addr() {
                    VALUE => return Ok(Ref::steal(next.sp.cast())),
                    RUN_AS => {
                        let (opcode, oparg) = (next.sp.addr() as u8, next.sp.addr() >> 8);
                        let frame: *mut Frame = (*thread).base.current_frame.cast();
                        let handler = TABLE[usize::from(opcode)];
                        handler((*frame).instr_ptr, (*frame).stackpointer, frame, thread, oparg)
                    }
                    how => {
                        let exception: Ref = Ref::steal(next.sp.cast());
                        let error = PyErr::from_exception(exception.cast_owned());
                        handle(thread, error, how == RAISED, 0)?
                    }
                };
            }
        }
    }
}

/// Finds a handler for an exception in the current frame or its callers; without one, the exception is
/// what the loop gives. The handlers that count in the current frame are those so many units `before` its
/// instruction.
#[cold]
#[inline(never)]
unsafe fn handle(thread: *mut ThreadState, mut error: PyErr, mut add: bool, before: usize) -> PyResult<Next> {
    // SAFETY: the current frame is live and has stored its pointers.
    unsafe {
        let mut frame: *mut Frame = (*thread).base.current_frame.cast();
        let watched = events::is_active(thread);
        let mut inner = false;
        loop {
            let raised_at = core::mem::replace(&mut (*frame).raised_at, 0);
            let mut unit = unit_of(frame);
            if !inner {
                unit = unit.saturating_sub(before);
            }
            if raised_at != 0 {
                // The handler is looked for from here, but the exception came from there.
                (*frame).instr_ptr = Frame::code(frame).instructions().add(raised_at as usize - 1);
            }
            if add {
                crate::traceback::add_here(error.exception(), frame);
            }
            let told = if watched { told_unit(frame, unit, add, inner) } else { unit };
            if watched {
                let event = if add { event::RAISE } else { event::RERAISE };
                error = events::exception(thread, frame, event, told, error);
            }
            loop {
                match unwind::find_handler(frame, error, unit as u32) {
                    Unwound::Handler(ip) if watched => match handled(thread, frame, ip) {
                        Ok(()) => return Ok(Next { ip, sp: (*frame).stackpointer }),
                        Err(other) => {
                            // It is looked up as if it came from before the handler.
                            error = other;
                            unit = (ip.offset_from(Frame::code(frame).instructions()) as usize).max(1) - 1;
                        }
                    },
                    Unwound::Handler(ip) => return Ok(Next { ip, sp: (*frame).stackpointer }),
                    Unwound::None(again) => {
                        error = again;
                        break;
                    }
                }
            }
            if watched {
                error = events::exception(thread, frame, event::PY_UNWIND, told, error);
            }
            let (flags, previous) = ((*frame).flags, (*frame).previous);
            frame::leave_recursion(thread);
            (*thread).base.current_frame = previous.cast();
            unwind::finish_frame(thread, frame);
            if flags & ENTRY != 0 {
                return Err(error);
            }
            frame = previous;
            add = true;
            inner = true;
        }
    }
}

/// The current instruction of a frame.
unsafe fn unit_of(frame: *mut Frame) -> usize {
    // SAFETY: the frame is live.
    unsafe { Frame::lasti(frame).max(0) as usize }
}

/// The unit that tools are told an exception comes from. CPython's instruction pointer stands behind the
/// caches of an instruction that fails, but in front of a call whose callee fails.
unsafe fn told_unit(frame: *mut Frame, unit: usize, add: bool, inner: bool) -> usize {
    // SAFETY: the frame is live, its words are valid.
    unsafe {
        let base = monitor::base_opcode(Frame::code(frame), unit);
        let unpacked_call = base == op::CALL_FUNCTION_EX
            && (*frame).stackpointer >= Frame::stack_base(frame).add(4)
            && (*(*frame).stackpointer.sub(4)).is_exact(&PyFunction_Type);
        match add {
            false => unit,
            true if inner || unpacked_call => unit.saturating_sub(1),
            true => unit + usize::from(CACHES[usize::from(base)]),
        }
    }
}

/// Tells of a handler that was found; the exception is on top of the frame's stack.
unsafe fn handled(thread: *mut ThreadState, frame: *mut Frame, ip: *mut u16) -> PyResult<()> {
    // SAFETY: the frame is the current one, its stack that of the handler.
    unsafe {
        let unit = ip.offset_from(Frame::code(frame).instructions()) as usize;
        let error = (*(*frame).stackpointer.sub(1)).look();
        events::fire(thread, frame, event::EXCEPTION_HANDLED, unit, &[&error])
    }
}

/// The operators of `BINARY_OP` below the in-place ones.
pub(crate) fn operator(oparg: usize) -> (Option<BinaryOp>, bool) {
    if oparg < 13 {
        (BinaryOp::from_raw(oparg as u8), false)
    } else {
        (BinaryOp::from_raw((oparg - 13) as u8), true)
    }
}

/// The comparison of `COMPARE_OP`'s argument.
pub(crate) fn comparison(oparg: usize) -> Option<CompareOp> {
    CompareOp::from_raw((oparg >> 5) as i32)
}

/// Whether a float is exact.
pub(crate) fn exact_float(word: StackRef) -> Option<f64> {
    if word.is_exact(&PyFloat_Type) {
        // SAFETY: an exact float.
        return Some(unsafe { word.object().cast::<Float>() }.value());
    }
    None
}
