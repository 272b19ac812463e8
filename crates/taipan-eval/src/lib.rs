//! The evaluator: frames, functions, generators, the interpreter loop and its specialisations,
//! unwinding, tracebacks.
//!
//! This is an unsafe district: the loop works on raw frames and stack words.

pub mod adaptive;
pub mod async_generator;
pub mod call;
pub mod code;
mod code_make;
mod code_plain;
mod code_verify;
pub mod coroutine;
pub mod frame;
pub mod frame_object;
pub mod function;
pub mod generator;
mod instructions;
pub mod interp;
pub mod locals_proxy;
pub mod monitor;
pub mod ops;
mod quick;
pub mod specialize;
pub mod stackref;
pub mod traceback;
mod unwind;

use taipan_object::PyResult;
use taipan_object::typeobject::install as install_type;

/// Gives back what the evaluator hangs on a thread state that ends.
///
/// # Safety
/// `thread` is the current thread's state, no frame of which runs any more.
pub unsafe fn end_thread(thread: *mut taipan_object::state::ThreadState) {
    // SAFETY: by contract.
    unsafe {
        monitor::legacy::forget_thread(thread);
        frame::release_data_stack(thread);
    }
}

/// Installs the types that the evaluator owns.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    for spec in [
        &code::SPEC,
        &function::SPEC,
        &traceback::SPEC,
        &frame_object::SPEC,
        &locals_proxy::SPEC,
        &generator::GENERATOR,
        &coroutine::COROUTINE,
        &coroutine::COROUTINE_WRAPPER,
        &async_generator::WRAPPED,
        &async_generator::ASEND,
        &async_generator::ATHROW,
        &async_generator::ASYNC_GENERATOR,
        &async_generator::ANEXT,
    ] {
        install_type(spec)?;
    }
    Ok(())
}
