//! `pystate.h`, `ceval.h` (locks and recursion): threads, interpreters and the interpreter lock.

use crate::border::{Obj, export, export_plain};
use core::ffi::{c_char, c_int, c_ulong, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};
use taipan_object::err::PyResult;
use taipan_object::state::{self, InterpreterState, ThreadState};
use taipan_object::{Object, gil};

/// The first interpreter: threads that C made belong to it.
static MAIN: AtomicPtr<InterpreterState> = AtomicPtr::new(core::ptr::null_mut());

/// Notes the first interpreter.
pub fn remember_main(interp: &'static InterpreterState) {
    let pointer = core::ptr::from_ref(interp).cast_mut();
    // Only the first one counts: later calls come from further interpreters.
    let _ = MAIN.compare_exchange(core::ptr::null_mut(), pointer, Ordering::AcqRel, Ordering::Acquire);
}

fn main_interp() -> Option<&'static InterpreterState> {
    // SAFETY: interpreters are leaked.
    unsafe { MAIN.load(Ordering::Acquire).as_ref() }
}

#[cold]
fn fatal(message: &str) -> ! {
    taipan_runtime::to_stderr(&format!("Fatal Python error: {message}\n"));
    std::process::abort()
}

/// What `PyGILState_Ensure` found.
const WAS_LOCKED: c_int = 0;
const WAS_UNLOCKED: c_int = 1;

/// The function names count as C callers see them: 0 `PyGILState_LOCKED`, 1 `PyGILState_UNLOCKED`.
unsafe fn ensure() -> c_int {
    if !state::current().is_null() {
        // SAFETY: attached just as the check says.
        unsafe { (*state::current()).base.gilstate_counter += 1 };
        return WAS_LOCKED;
    }
    let own = state::own();
    // SAFETY: the thread's own state is live until it is forgotten.
    unsafe {
        if own.is_null() {
            let Some(interp) = main_interp() else { fatal("PyGILState_Ensure: no interpreter") };
            state::attach_new_thread(interp, taipan_os::stack_bounds());
            (*state::current()).base.gilstate_counter = 1;
            (*state::current()).base._whence = WHENCE_C;
        } else {
            gil::attach(own);
            (*own).base.gilstate_counter += 1;
        }
    }
    WAS_UNLOCKED
}

/// Ends a state that `PyGILState_Ensure` or `PyThreadState_New` made.
unsafe fn delete_current() {
    let thread = state::current();
    // SAFETY: the thread's own attached state, used by nobody after this.
    unsafe {
        let interp = (*thread).interp();
        taipan_eval::end_thread(thread);
        interp.threads.borrow_mut().retain(|other| *other != thread);
        gil::detach();
        state::forget_own();
        drop(Box::from_raw(thread));
    }
}

unsafe fn clear(thread: *mut ThreadState) {
    // SAFETY: a live state under the lock.
    unsafe {
        taipan_object::handle::clear_field(&raw mut (*thread).base.current_exception);
        taipan_object::handle::clear_field(&raw mut (*thread).base.dict);
        taipan_object::handle::clear_field(&raw mut (*thread).base.context);
        taipan_eval::monitor::legacy::forget_thread(thread);
    }
}

export_plain! {
    fn PyEval_SaveThread() -> *mut ThreadState {
        gil::detach()
    }

    fn PyEval_RestoreThread(thread: *mut ThreadState) {
        gil::attach(thread);
    }

    fn PyEval_AcquireThread(thread: *mut ThreadState) {
        gil::attach(thread);
    }

    fn PyEval_ReleaseThread(_thread: *mut ThreadState) {
        gil::detach();
    }

    fn PyEval_InitThreads() {}

    fn PyEval_ThreadsInitialized() -> c_int {
        1
    }

    fn PyGILState_Ensure() -> c_int {
        ensure()
    }

    fn PyGILState_Release(before: c_int) {
        let thread = state::current();
        if thread.is_null() {
            fatal("PyGILState_Release: the lock is not held");
        }
        (*thread).base.gilstate_counter -= 1;
        if before == WAS_UNLOCKED {
            // The thread that runs Python's own code was counted from zero, one made here from one.
            if (*thread).base.gilstate_counter == 0 && (*thread).base.current_frame.is_null() && made_here(thread) {
                clear(thread);
                delete_current();
            } else {
                gil::detach();
            }
        }
    }

    fn PyGILState_Check() -> c_int {
        c_int::from(!state::current().is_null())
    }

    fn PyGILState_GetThisThreadState() -> *mut ThreadState {
        state::own()
    }

    fn PyThreadState_Get() -> *mut ThreadState {
        let thread = state::current();
        if thread.is_null() {
            fatal("PyThreadState_Get: the lock is not held");
        }
        thread
    }

    fn PyThreadState_GetUnchecked() -> *mut ThreadState {
        state::current()
    }

    fn _PyThreadState_UncheckedGet() -> *mut ThreadState {
        state::current()
    }

    fn PyThreadState_Swap(new: *mut ThreadState) -> *mut ThreadState {
        let old = state::current();
        if !old.is_null() {
            gil::detach();
        }
        if !new.is_null() {
            gil::attach(new);
        }
        old
    }

    fn PyThreadState_New(interp: *mut InterpreterState) -> *mut ThreadState {
        let interp: &'static InterpreterState = &*interp;
        let thread = state::new_thread_state(interp);
        if let Some((lowest, size)) = taipan_os::stack_bounds() {
            state::set_stack_bounds(thread, lowest, size);
        }
        interp.threads.borrow_mut().push(thread);
        thread
    }

    fn PyThreadState_Clear(thread: *mut ThreadState) {
        clear(thread);
    }

    fn PyThreadState_Delete(thread: *mut ThreadState) {
        if thread.is_null() || thread == state::current() {
            fatal("PyThreadState_Delete: the state is in use");
        }
        (*thread).interp().threads.borrow_mut().retain(|other| *other != thread);
        if state::own() == thread {
            state::forget_own();
        }
        drop(Box::from_raw(thread));
    }

    fn PyThreadState_DeleteCurrent() {
        delete_current();
    }

    fn PyThreadState_GetInterpreter(thread: *mut ThreadState) -> *mut c_void {
        (*thread).base.interp.cast()
    }

    fn PyThreadState_GetID(thread: *mut ThreadState) -> u64 {
        (*thread).base.id
    }

    fn PyThreadState_EnterTracing(thread: *mut ThreadState) {
        (*thread).base.tracing += 1;
    }

    fn PyThreadState_LeaveTracing(thread: *mut ThreadState) {
        (*thread).base.tracing -= 1;
    }

    fn PyInterpreterState_Get() -> *mut c_void {
        (*PyThreadState_Get()).base.interp.cast()
    }

    fn PyInterpreterState_Main() -> *mut c_void {
        MAIN.load(Ordering::Acquire).cast()
    }

    fn PyInterpreterState_Head() -> *mut c_void {
        MAIN.load(Ordering::Acquire).cast()
    }

    fn PyInterpreterState_Next(_interp: *mut InterpreterState) -> *mut c_void {
        core::ptr::null_mut()
    }

    fn PyInterpreterState_GetID(interp: *mut InterpreterState) -> i64 {
        (*interp).id.cast_signed()
    }

    fn Py_IsInitialized() -> c_int {
        c_int::from(main_interp().is_some())
    }

    fn Py_IsFinalizing() -> c_int {
        c_int::from(main_interp().is_some_and(|interp| interp.finalizing.get()))
    }

    fn Py_EnterRecursiveCall(place: *const c_char) -> c_int {
        enter_recursive_call(place)
    }

    fn Py_LeaveRecursiveCall() {
        taipan_eval::frame::leave_recursion(state::current());
    }

    fn Py_GetRecursionLimit() -> c_int {
        state::interp().recursion_limit.get()
    }

    fn Py_SetRecursionLimit(limit: c_int) {
        // Too low a limit is left as it is: C has no way to be told.
        let _ = state::set_recursion_limit(limit);
    }

    fn PyThread_get_thread_ident() -> c_ulong {
        taipan_os::signals::thread_ident()
    }
}

/// Whether the state was made by `PyGILState_Ensure` (which starts the count at one).
fn made_here(thread: *mut ThreadState) -> bool {
    // SAFETY: a live state.
    unsafe { (*thread).base._whence == WHENCE_C }
}

/// The mark of a thread state that C code caused.
const WHENCE_C: c_int = 4;

fn enter_recursive_call(place: *const c_char) -> c_int {
    crate::border::guard(|| -> PyResult<()> {
        let thread = state::current();
        // SAFETY: attached; the text is null or null-terminated.
        unsafe {
            let place = if place.is_null() { "" } else { crate::border::text(place)? };
            if state::stack_is_low(thread) || (*thread).base.py_recursion_remaining <= 0 {
                return Err(taipan_object::err::recursion_error(&format!(
                    "maximum recursion depth exceeded{place}"
                )));
            }
            (*thread).base.py_recursion_remaining -= 1;
        }
        Ok(())
    })
}

export! {
    fn PyThreadState_GetDict() -> Obj {
        if state::current().is_null() {
            return Ok(core::ptr::null_mut());
        }
        // The thread state keeps the dict alive.
        Ok(state::thread_dict()?.as_ptr())
    }

    fn PyInterpreterState_GetDict(_interp: *mut InterpreterState) -> Obj {
        /// The dict for extensions, one per interpreter.
        struct ExtensionDict(taipan_object::Ref<taipan_object::dict::Dict>);
        let made = taipan_object::dict::Dict::new()?;
        let kept: &'static ExtensionDict = state::interp().extension(|| ExtensionDict(made));
        Ok::<&Object, _>(&kept.0)
    }

    fn PyThreadState_GetFrame(_thread: *mut ThreadState) -> Obj {
        Ok(taipan_eval::frame_object::current())
    }

    fn Py_MakePendingCalls() -> c_int {
        (state::interp().hooks.get().check_signals)()
    }
}
