//! Starting and ending threads of an interpreter.
//!
//! Problem: handles must not cross threads, yet a new thread begins with a function and arguments that
//! another one owns. Idea: the whole job crosses the border as one sealed box, which is opened only after
//! the new thread has attached itself to the interpreter, and emptied before it detaches again.

use crate::gil;
use crate::state::{self, InterpreterState, ThreadState};

/// A job on its way to its thread.
struct Sealed {
    interp: &'static InterpreterState,
    job: Box<dyn FnOnce()>,
}
// SAFETY: the interpreter is only used under its lock; the box is made by an attached thread and opened, run and dropped by one that is attached to
// the same interpreter; in between nobody touches what it holds.
unsafe impl Send for Sealed {}

/// Runs `job` on a new thread of the current interpreter. `stack_size` 0 leaves the size to the system;
/// `bounds` gives lowest address and size of the calling thread's stack; `at_end` gives back what other
/// rooms hang on a thread state.
///
/// # Errors
/// What the system says.
pub fn spawn(
    stack_size: usize,
    bounds: fn() -> Option<(usize, usize)>,
    at_end: unsafe fn(*mut ThreadState),
    job: impl FnOnce() + 'static,
) -> std::io::Result<()> {
    let sealed = Sealed { interp: state::interp(), job: Box::new(job) };
    // What a program asks for is what its code may use: the reserve below the limit comes on top.
    let size = if stack_size > 0 { stack_size.saturating_add(SMALL_RESERVE) } else { DEFAULT_STACK };
    let builder = std::thread::Builder::new().stack_size(size);
    builder.spawn(move || {
        // The whole box is moved in, not only its fields.
        let sealed = sealed;
        state::attach_new_thread(sealed.interp, bounds());
        let Sealed { interp, job } = sealed;
        job();
        let thread = state::current();
        // SAFETY: the thread's own state, attached until just below and used by nobody after that.
        unsafe {
            crate::handle::clear_field(&raw mut (*thread).base.current_exception);
            crate::handle::clear_field(&raw mut (*thread).base.dict);
            crate::handle::clear_field(&raw mut (*thread).base.context);
            at_end(thread);
            interp.threads.borrow_mut().retain(|other| *other != thread);
            for list in &mut (*thread).freelists {
                while !list.head.is_null() {
                    let block = list.head;
                    list.head = block.cast::<*mut u8>().read();
                    crate::alloc::free(block);
                }
            }
            gil::detach();
            state::forget_own();
            drop(Box::from_raw(thread));
        }
    })?;
    Ok(())
}

/// As the first thread of a process has it on most systems.
const DEFAULT_STACK: usize = 8 << 20;
/// What a thread of a chosen size gets beyond it, so that the smallest one still runs Python code that calls
/// native code that calls Python code.
const SMALL_RESERVE: usize = 512 << 10;
