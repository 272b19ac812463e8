//! Unwinding: from a raised exception to the handler that takes it.

use crate::frame::{self, Frame, OWNED_BY_GENERATOR};
use crate::generator;
use crate::stackref::StackRef;
use taipan_object::PyErr;
use taipan_object::state::ThreadState;

/// What looking for a handler in a frame gave.
pub enum Unwound {
    /// The frame's stack is that of the handler, which stands here; its instruction pointer is unchanged.
    Handler(*mut u16),
    /// The frame has none.
    None(PyErr),
}

/// Looks a unit of the code up in the exception table: cuts the stack to the handler's depth and pushes what
/// the handler expects.
///
/// # Safety
/// `frame` is live; its instruction pointer is at the instruction that the exception came from first.
pub unsafe fn find_handler(frame: *mut Frame, error: PyErr, unit: u32) -> Unwound {
    // SAFETY: by contract; the table's numbers were written for this code.
    unsafe {
        let code = Frame::code(frame);
        let Some((target, depth, push_lasti)) = search(code.exceptiontable(), unit) else {
            return Unwound::None(error);
        };
        let base = Frame::stack_base(frame);
        let wanted = base.add(depth as usize);
        while (*frame).stackpointer > wanted {
            (*frame).stackpointer = (*frame).stackpointer.sub(1);
            (*frame).stackpointer.replace(StackRef::NULL).close();
        }
        let mut sp = (*frame).stackpointer;
        if push_lasti {
            sp.write(StackRef::int(Frame::lasti(frame).max(0) as i64));
            sp = sp.add(1);
        }
        sp.write(StackRef::owned(error.into_exception().upcast()));
        (*frame).stackpointer = sp.add(1);
        Unwound::Handler(code.instructions().add(target as usize))
    }
}

/// The first guard that covers a code unit: target, depth, whether the offset is pushed.
fn search(table: &[u8], unit: u32) -> Option<(u32, u32, bool)> {
    let mut at = 0;
    let mut number = || -> Option<u32> {
        let mut byte = *table.get(at)?;
        at += 1;
        let mut value = u32::from(byte & 63);
        while byte & 64 != 0 {
            byte = *table.get(at)?;
            at += 1;
            value = value << 6 | u32::from(byte & 63);
        }
        Some(value)
    };
    loop {
        let (start, length, target, depth) = (number()?, number()?, number()?, number()?);
        if start > unit {
            return None;
        }
        if unit < start.saturating_add(length) {
            return Some((target, depth >> 1, depth & 1 != 0));
        }
    }
}

/// Ends a frame: pops one of the thread's stack, finishes a generator's.
///
/// # Safety
/// The frame has returned or raised and is not current any more.
#[inline(always)]
pub unsafe fn finish_frame(thread: *mut ThreadState, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        if (*frame).owner == OWNED_BY_GENERATOR {
            generator::finish(thread, frame);
        } else {
            frame::pop_frame(thread, frame);
        }
    }
}

/// Gives up a frame that was never run.
///
/// # Safety
/// The frame is the newest on the thread's stack or belongs to a generator, and is not current.
pub unsafe fn leave_frame(thread: *mut ThreadState, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe { finish_frame(thread, frame) }
}
