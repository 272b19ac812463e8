//! `sys.settrace` and `sys.setprofile`, as two tools of monitoring.
//!
//! Problem: trace and profile functions are older than monitoring, know other events and belong to threads.
//! Idea: they are the tools 7 and 6, which ask for all events that any old event can come from; here those
//! are put into the old words. A thread's function is a C function with an object, so that the C API can set
//! one; for Python functions both are [`trace_trampoline`] or [`profile_trampoline`] and the function.
//!
//! Invariants: the tools ask for events while some thread has a function; a trace function that raises is
//! removed, and its exception goes on in the code that was traced.

use super::{jump, local_events, set_events, set_local_events};
use crate::code::Code;
use crate::frame::Frame;
use crate::frame_object::{self, FrameObject};
use core::ffi::{c_int, c_void};
use taipan_abi::{Py_tracefunc, PyFrameObject, PyObject};
use taipan_object::descr::MethodDescr;
use taipan_object::err::{self, Exception};
use taipan_object::handle::{clear_field, into_ptr_opt, set_field};
use taipan_object::monitoring::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::state::{self, ThreadState};
use taipan_object::statics::{PyCFunction_Type, PyMethodDescr_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, intern};

/// The old events by their numbers in the C API.
pub const CALL: c_int = 0;
pub const EXCEPTION: c_int = 1;
pub const LINE: c_int = 2;
pub const RETURN: c_int = 3;
pub const C_CALL: c_int = 4;
pub const C_EXCEPTION: c_int = 5;
pub const C_RETURN: c_int = 6;
pub const OPCODE: c_int = 7;

const fn bit(event: usize) -> u32 {
    1 << event
}

/// How frames begin, go on and end.
const FRAMES: u32 = bit(event::PY_START)
    | bit(event::PY_RESUME)
    | bit(event::PY_RETURN)
    | bit(event::PY_YIELD)
    | bit(event::PY_UNWIND)
    | bit(event::PY_THROW);
const TRACED: u32 =
    FRAMES | bit(event::LINE) | bit(event::JUMP) | bit(event::STOP_ITERATION) | bit(event::RAISE);
const PROFILED: u32 = FRAMES | bit(event::CALL);

/// A thread's function: what is called, with an object of its own.
pub type Function = Option<(Py_tracefunc, Ref)>;

/// Calls a thread's function; an exception stands in the error indicator afterwards.
unsafe fn call_c(
    function: Py_tracefunc,
    own: *mut PyObject,
    frame: &FrameObject,
    what: c_int,
    arg: Option<&Object>,
) -> PyResult<()> {
    // SAFETY: the thread's function and object belong together; both stay alive during the call.
    unsafe {
        let own = Object::borrow_opt(own).map(Object::new_ref);
        let frame = frame.new_ref();
        let argument = arg.map_or(core::ptr::null_mut(), Object::as_ptr);
        let pointer = own.as_ref().map_or(core::ptr::null_mut(), |own| own.as_ptr());
        if function(pointer, frame.as_ptr().cast::<c_void>(), what, argument) == 0 {
            return Ok(());
        }
    }
    Err(err::fetch_opt().unwrap_or_else(|| err::system_error("error return without exception set")))
}

/// Puts an event of monitoring into the words of the tool 6 or 7; `true` when it is wanted here no more.
///
/// # Safety
/// `frame` is the current frame of the current thread `thread`.
/// # Errors
/// What the function raises.
pub(super) unsafe fn call(
    thread: *mut ThreadState,
    frame: *mut Frame,
    tool: usize,
    event: usize,
    args: &[&Object],
) -> PyResult<bool> {
    // SAFETY: by contract.
    unsafe {
        if frame.is_null() {
            return Err(err::system_error("Missing frame when calling trace function."));
        }
        if tool == PROFILER {
            return profile(thread, frame, event, args).map(|()| false);
        }
        let Some(function) = (*thread).base.c_tracefunc else { return Ok(false) };
        let own = (*thread).base.c_traceobj;
        let object = frame_object::of(frame)?;
        let raw = object.raw();
        let none: &Object = none();
        match event {
            event::PY_START | event::PY_RESUME | event::PY_THROW => {
                call_c(function, own, &object, CALL, Some(none))?;
            }
            event::PY_RETURN | event::PY_YIELD => call_c(function, own, &object, RETURN, Some(args[2]))?,
            event::PY_UNWIND => call_c(function, own, &object, RETURN, None)?,
            event::RAISE | event::STOP_ITERATION => {
                let traceback = args[2].downcast::<Exception>().and_then(Exception::traceback);
                let traceback = traceback.unwrap_or_else(|| none.new_ref());
                let all = Tuple::from_refs(&[args[2].ty(), args[2], &traceback])?;
                call_c(function, own, &object, EXCEPTION, Some(&all))?;
            }
            event::JUMP => return jumped(function, own, &object, args),
            event::INSTRUCTION if (*raw).f_trace_opcodes != 0 => {
                call_c(function, own, &object, OPCODE, Some(none))?;
            }
            _ => {}
        }
    }
    Ok(false)
}

/// A jump back within a line counts as reaching the line anew.
unsafe fn jumped(
    function: Py_tracefunc,
    own: *mut PyObject,
    object: &FrameObject,
    args: &[&Object],
) -> PyResult<bool> {
    let (from, to) = (args[1].to_i64()?, args[2].to_i64()?);
    if to >= from {
        return Ok(true);
    }
    // SAFETY: a live frame object; the arguments of a jump begin with a code object.
    unsafe {
        if (*object.raw()).f_trace_lines == 0 {
            return Ok(false);
        }
        let code: &Code = args[0].cast();
        let line_at = |offset: i64| code.line_of(usize::try_from(offset / 2).unwrap_or(0));
        let line = line_at(to);
        if line != line_at(from) {
            // The target reports its line itself.
            return Ok(true);
        }
        if let Some(line) = line {
            call_line(function, own, object, line)?;
        }
    }
    Ok(false)
}

unsafe fn call_line(
    function: Py_tracefunc,
    own: *mut PyObject,
    object: &FrameObject,
    line: i32,
) -> PyResult<()> {
    // SAFETY: a live frame object.
    unsafe {
        (*object.raw()).f_lineno = line;
        let result = call_c(function, own, object, LINE, Some(none()));
        (*object.raw()).f_lineno = 0;
        result
    }
}

/// Tells the thread's trace function of a line.
///
/// # Safety
/// As [`call`].
/// # Errors
/// What the function raises.
pub(super) unsafe fn line(thread: *mut ThreadState, frame: *mut Frame, line: i32) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let Some(function) = (*thread).base.c_tracefunc else { return Ok(()) };
        let object = frame_object::of(frame)?;
        if (*object.raw()).f_trace_lines == 0 {
            return Ok(());
        }
        call_line(function, (*thread).base.c_traceobj, &object, line)
    }
}

unsafe fn profile(
    thread: *mut ThreadState,
    frame: *mut Frame,
    event: usize,
    args: &[&Object],
) -> PyResult<()> {
    // SAFETY: by contract of the caller.
    unsafe {
        let Some(function) = (*thread).base.c_profilefunc else { return Ok(()) };
        let own = (*thread).base.c_profileobj;
        let what = match event {
            event::PY_START | event::PY_RESUME | event::PY_THROW => CALL,
            event::PY_RETURN | event::PY_YIELD | event::PY_UNWIND => RETURN,
            event::CALL => C_CALL,
            event::C_RETURN => C_RETURN,
            event::C_RAISE => C_EXCEPTION,
            _ => return Ok(()),
        };
        let native;
        let arg = match what {
            CALL => Some(none()),
            RETURN if event == event::PY_UNWIND => None,
            RETURN => Some(args[2]),
            _ => {
                native = match native_function(args[2], args[3])? {
                    Some(found) => found,
                    None => return Ok(()),
                };
                Some(&*native)
            }
        };
        let object = frame_object::of(frame)?;
        call_c(function, own, &object, what, arg)
    }
}

/// The builtin function that a profile function is shown; `None` for what is none.
fn native_function(callable: &Object, first: &Object) -> PyResult<Option<Ref>> {
    if callable.ty().is_subtype(&PyCFunction_Type) {
        return Ok(Some(callable.new_ref()));
    }
    if !callable.is_exact(&PyMethodDescr_Type) || callable.downcast::<MethodDescr>().is_none() {
        return Ok(None);
    }
    if state::interp().monitoring.missing()?.is(first) {
        return Ok(None);
    }
    // Methods are shown bound, as they were when only bound ones could be seen.
    callable.call_method(intern!("__get__"), &[first, first.ty()]).map(Some)
}

fn name_of(what: c_int) -> &'static Object {
    match what {
        CALL => intern!("call"),
        EXCEPTION => intern!("exception"),
        LINE => intern!("line"),
        RETURN => intern!("return"),
        C_CALL => intern!("c_call"),
        C_EXCEPTION => intern!("c_exception"),
        C_RETURN => intern!("c_return"),
        _ => intern!("opcode"),
    }
}

/// Calls a Python function with frame, event and argument.
unsafe fn call_python(callback: &Object, frame: &FrameObject, what: c_int, arg: *mut PyObject) -> PyResult {
    // SAFETY: null or a live object.
    let arg = unsafe { Object::borrow_opt(arg) }.unwrap_or(none());
    callback.call(&[frame, name_of(what), arg])
}

/// The trace function of threads that trace with a Python function.
///
/// # Safety
/// As every trace function of the C API.
pub unsafe extern "C" fn trace_trampoline(
    own: *mut PyObject,
    frame: *mut c_void,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let frame: &FrameObject = Object::borrow(frame.cast()).cast();
        let raw = frame.raw();
        let callback = if what == CALL { own } else { (*raw).f_trace };
        let Some(callback) = Object::borrow_opt(callback).map(Object::new_ref) else { return 0 };
        match call_python(&callback, frame, what, arg) {
            Ok(result) => {
                if !is_none(&result) {
                    set_field(&raw mut (*raw).f_trace, Some(result));
                }
                0
            }
            Err(error) => {
                set_trace(None);
                clear_field(&raw mut (*raw).f_trace);
                err::restore(error);
                -1
            }
        }
    }
}

/// The profile function of threads that profile with a Python function.
///
/// # Safety
/// As every profile function of the C API.
pub unsafe extern "C" fn profile_trampoline(
    own: *mut PyObject,
    frame: *mut c_void,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let frame: &FrameObject = Object::borrow(frame.cast()).cast();
        let Some(callback) = Object::borrow_opt(own).map(Object::new_ref) else { return 0 };
        match call_python(&callback, frame, what, arg) {
            Ok(_) => 0,
            Err(error) => {
                set_profile(None);
                err::restore(error);
                -1
            }
        }
    }
}

/// A trace function that is not written in Python.
pub trait NativeTrace {
    /// Is told of an event.
    ///
    /// # Errors
    /// What is to be raised in the code that is traced.
    fn told(own: &Object, frame: &FrameObject, what: i32, arg: &Object) -> PyResult<()>;
}

unsafe extern "C" fn native_trampoline<T: NativeTrace>(
    own: *mut PyObject,
    frame: *mut c_void,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: called as every trace function, with the object that was set with it.
    let result = unsafe {
        let arg = Object::borrow_opt(arg).unwrap_or(none());
        T::told(Object::borrow(own), Object::borrow(frame.cast()).cast(), what, arg)
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            err::restore(error);
            -1
        }
    }
}

/// A native trace function with its object.
pub fn native<T: NativeTrace>(own: Ref) -> (Py_tracefunc, Ref) {
    (native_trampoline::<T>, own)
}

unsafe fn give_trace(thread: *mut ThreadState, function: Function) {
    // SAFETY: a live thread, under the interpreter lock.
    unsafe {
        (*thread).base.c_tracefunc = None;
        let (function, object) = function.unzip();
        let old = core::mem::replace(&mut (*thread).base.c_traceobj, into_ptr_opt(object));
        (*thread).base.c_tracefunc = function;
        taipan_object::refcount::xdecref(old);
    }
}

unsafe fn give_profile(thread: *mut ThreadState, function: Function) {
    // SAFETY: a live thread, under the interpreter lock.
    unsafe {
        (*thread).base.c_profilefunc = None;
        let (function, object) = function.unzip();
        let old = core::mem::replace(&mut (*thread).base.c_profileobj, into_ptr_opt(object));
        (*thread).base.c_profilefunc = function;
        taipan_object::refcount::xdecref(old);
    }
}

/// Asks for the events that the functions of all threads need.
fn ask() {
    let threads = state::interp().threads.borrow().clone();
    // SAFETY: listed threads are live.
    let any = |has: fn(&ThreadState) -> bool| threads.iter().any(|&thread| has(unsafe { &*thread }));
    let traced = any(|thread| thread.base.c_tracefunc.is_some());
    let profiled = any(|thread| thread.base.c_profilefunc.is_some());
    set_events(TRACER, if traced { TRACED } else { 0 });
    set_events(PROFILER, if profiled { PROFILED } else { 0 });
}

/// Sets the trace function of the current thread.
pub fn set_trace(function: Function) {
    // SAFETY: the current thread's state.
    unsafe {
        let thread = state::current();
        let on = function.is_some();
        give_trace(thread, function);
        ask();
        let frame: *mut Frame = (*thread).base.current_frame.cast();
        if on
            && !frame.is_null()
            && let Some(object) = Object::borrow_opt((*frame).frame_obj)
            && (*object.raw_as::<PyFrameObject>()).f_trace_opcodes != 0
        {
            trace_opcodes(Frame::code(frame), true);
        }
    }
}

/// Sets the profile function of the current thread.
pub fn set_profile(function: Function) {
    // SAFETY: the current thread's state.
    unsafe { give_profile(state::current(), function) };
    ask();
}

/// Sets the trace function of all threads.
pub fn set_trace_everywhere(function: &Function) {
    let threads = state::interp().threads.borrow().clone();
    for thread in threads {
        // SAFETY: listed threads are live.
        unsafe { give_trace(thread, function.clone()) };
    }
    ask();
}

/// Sets the profile function of all threads.
pub fn set_profile_everywhere(function: &Function) {
    let threads = state::interp().threads.borrow().clone();
    for thread in threads {
        // SAFETY: listed threads are live.
        unsafe { give_profile(thread, function.clone()) };
    }
    ask();
}

/// Forgets the functions of a thread that ends.
///
/// # Safety
/// `thread` is a live state of the current interpreter.
pub unsafe fn forget_thread(thread: *mut ThreadState) {
    // SAFETY: by contract.
    unsafe {
        if (*thread).base.c_tracefunc.is_some() {
            give_trace(thread, None);
        }
        if (*thread).base.c_profilefunc.is_some() {
            give_profile(thread, None);
        }
    }
    ask();
}

/// The object of the thread's trace function, `None` if there is none.
pub fn current_trace() -> Option<Ref> {
    // SAFETY: the current thread's state; null or a live object.
    unsafe { Object::borrow_opt((*state::current()).base.c_traceobj).map(Object::new_ref) }
}

/// The object of the thread's profile function, `None` if there is none.
pub fn current_profile() -> Option<Ref> {
    // SAFETY: as above.
    unsafe { Object::borrow_opt((*state::current()).base.c_profileobj).map(Object::new_ref) }
}

/// A Python function as a thread's trace function.
pub fn python_trace(function: &Object) -> Function {
    (!is_none(function)).then(|| (trace_trampoline as Py_tracefunc, function.new_ref()))
}

/// A Python function as a thread's profile function.
pub fn python_profile(function: &Object) -> Function {
    (!is_none(function)).then(|| (profile_trampoline as Py_tracefunc, function.new_ref()))
}

/// Runs something with tracing on, though a trace function is being run.
///
/// # Errors
/// What it raises.
pub fn with_tracing(run: impl FnOnce() -> PyResult) -> PyResult {
    // SAFETY: the current thread's state.
    unsafe {
        let thread = state::current();
        let outside = core::mem::replace(&mut (*thread).base.tracing, 0);
        let result = run();
        (*thread).base.tracing = outside;
        result
    }
}

/// Reports every instruction of a code object to trace functions, or no more.
pub fn trace_opcodes(code: &Code, on: bool) {
    let events = local_events(TRACER, code);
    let wanted = bit(event::INSTRUCTION);
    set_local_events(TRACER, code, if on { events | wanted } else { events & !wanted });
}

/// `f_trace = value`.
pub(crate) fn set_frame_trace(frame: &FrameObject, value: Option<&Object>) -> PyResult<()> {
    let value = value.filter(|value| !is_none(value));
    // SAFETY: a live frame object.
    unsafe {
        let raw = frame.raw();
        set_field(&raw mut (*raw).f_trace, value.map(Object::new_ref));
        if value.is_some() && (*raw).f_trace_opcodes != 0 && !frame.frame().is_null() {
            trace_opcodes(Frame::code(frame.frame()), true);
        }
    }
    Ok(())
}

/// `f_trace_opcodes = value`.
pub(crate) fn set_frame_opcodes(frame: &FrameObject, value: Option<&Object>) -> PyResult<()> {
    let on = jump::truth(value)?;
    // SAFETY: a live frame object.
    unsafe {
        let raw = frame.raw();
        (*raw).f_trace_opcodes = on.into();
        if !frame.frame().is_null() && (!on || !(*raw).f_trace.is_null()) {
            trace_opcodes(Frame::code(frame.frame()), on);
        }
    }
    Ok(())
}
