//! What instructions do beyond their fast paths, one file per family.

mod build;
mod exceptions;
mod imports;
mod iterate;
mod matching;
mod names;
mod operators;

pub(crate) use build::*;
pub(crate) use exceptions::*;
pub(crate) use imports::*;
pub(crate) use iterate::*;
pub(crate) use matching::*;
pub(crate) use names::*;
pub(crate) use operators::*;

pub use iterate::is_iterator;
pub use operators::{ascii, format_value};

use core::sync::atomic::Ordering;
use taipan_object::state::{ThreadState, breaker};
use taipan_object::{PyErr, PyResult, gc};

/// Does what the eval breaker's bits ask for.
///
/// # Safety
/// `thread` is the current thread's state; the running frame's pointers are saved.
/// # Errors
/// What signal handlers raise, or an asynchronous exception.
#[cold]
pub unsafe fn handle_breaker(thread: *mut ThreadState) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let bits = (*thread).eval_breaker.load(Ordering::Relaxed);
        if bits & (breaker::SIGNALS_PENDING | breaker::CALLS_TO_DO) != 0 {
            (*thread)
                .eval_breaker
                .fetch_and(!(breaker::SIGNALS_PENDING | breaker::CALLS_TO_DO), Ordering::Relaxed);
            ((*thread).interp().hooks.get().check_signals)()?;
        }
        if bits & breaker::GC_SCHEDULED != 0 {
            (*thread).eval_breaker.fetch_and(!breaker::GC_SCHEDULED, Ordering::Relaxed);
            gc::run_scheduled();
        }
        if bits & breaker::GIL_DROP_REQUEST != 0 {
            (*thread).interp().gil.yield_to_others();
        }
        if bits & breaker::ASYNC_EXCEPTION != 0 {
            (*thread).eval_breaker.fetch_and(!breaker::ASYNC_EXCEPTION, Ordering::Relaxed);
            let pending = core::mem::replace(&mut (*thread).base.async_exc, core::ptr::null_mut());
            if !pending.is_null() {
                let class = taipan_object::Ref::<taipan_object::Object>::steal(pending);
                return match class.downcast::<taipan_object::Type>() {
                    Some(class) => Err(PyErr::with_args(class, &[])),
                    None => Err(PyErr::from_instance(class)),
                };
            }
        }
    }
    Ok(())
}

/// The error of an instruction that no compiler writes.
#[cold]
pub fn unknown_opcode(opcode: u8) -> PyErr {
    taipan_object::err::system_error(&format!("unknown opcode {opcode}"))
}
