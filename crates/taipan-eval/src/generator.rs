//! Generators, coroutines and asynchronous generators.
//!
//! A generator object contains the frame that it suspends: yielding and resuming move no data. A
//! `for` loop or an `await` in Python code enters the frame in the caller's own loop.
//!
//! Invariants: `frame_state` says whether the frame may be entered; words of a suspended frame are
//! heap-safe; while the frame runs, the generator's exception item is linked into the thread's stack.

use crate::frame::{self, Frame, OWNED_BY_GENERATOR, StackItem};
use crate::stackref::StackRef;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use core::ptr::null_mut;
use taipan_abi::*;
use taipan_bytecode::{CO_ASYNC_GENERATOR, CO_COROUTINE};
use taipan_object::err::{self, type_error};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::native::{
    GetSetRow, IntoPy, Sent, TypeSpec, am_send, from_c, getset_row, raw_clear, raw_dealloc, raw_traverse,
    tp_finalize, tp_iter, tp_iternext, tp_repr,
};
use taipan_object::singletons::{is_none, none};
use taipan_object::state::{self, ThreadState};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{
    Object, PyErr, PyResult, Ref, Type, alloc, gc, instance, intern, layout, raise, refcount,
};

layout!(
    /// A generator, coroutine or asynchronous generator.
    Generator, RawGenerator, "generator",
    |o| o.is_exact(&PyGen_Type) || o.is_exact(&PyCoro_Type) || o.is_exact(&PyAsyncGen_Type)
);

/// The memory of a generator. The frame's locals and stack follow.
#[repr(C)]
pub struct RawGenerator {
    head: PyObject,
    weakrefs: *mut PyObject,
    pub(crate) name: *mut PyObject,
    pub(crate) qualname: *mut PyObject,
    exc_state: StackItem,
    /// Where a coroutine was made, or an asynchronous generator's finaliser.
    pub(crate) origin_or_finalizer: *mut PyObject,
    hooks_inited: u8,
    closed: u8,
    running_async: u8,
    frame_state: i8,
    frame: Frame,
}
/// Where `ag_running` stands.
pub(crate) const RUNNING_ASYNC_OFFSET: usize = offset_of!(RawGenerator, running_async);
const _: () = assert!(offset_of!(RawGenerator, frame) == 72 && offset_of!(RawGenerator, frame_state) == 67);

/// States of a generator's frame (the numbers are CPython's).
const CREATED: i8 = -3;
const SUSPENDED: i8 = -2;
const SUSPENDED_YIELD_FROM: i8 = -1;
const EXECUTING: i8 = 0;
const COMPLETED: i8 = 1;
const CLEARED: i8 = 4;

unsafe fn of_frame(frame: *mut Frame) -> *mut RawGenerator {
    // SAFETY: the frame stands inside a generator.
    unsafe { frame.cast::<u8>().sub(offset_of!(RawGenerator, frame)).cast() }
}

impl Generator {
    fn frame(&self) -> *mut Frame {
        // SAFETY: the view guarantees the layout.
        unsafe { &raw mut (*self.raw()).frame }
    }

    fn state(&self) -> i8 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).frame_state }
    }

    /// Whether the frame has returned or raised.
    pub(crate) fn is_finished(&self) -> bool {
        self.state() >= COMPLETED
    }

    /// Whether an awaitable of this asynchronous generator is under way.
    pub(crate) fn is_running_async(&self) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).running_async != 0 }
    }

    pub(crate) fn set_running_async(&self, running: bool) {
        // SAFETY: as above.
        unsafe { (*self.raw()).running_async = u8::from(running) }
    }

    /// Whether this asynchronous generator can give nothing more.
    pub(crate) fn is_closed(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.raw()).closed != 0 }
    }

    pub(crate) fn set_closed(&self) {
        // SAFETY: as above.
        unsafe { (*self.raw()).closed = 1 }
    }

    /// True at the first call.
    pub(crate) fn take_first_use(&self) -> bool {
        // SAFETY: as above.
        unsafe { core::mem::replace(&mut (*self.raw()).hooks_inited, 1) == 0 }
    }

    pub(crate) fn set_finalizer(&self, finalizer: Option<Ref>) {
        // SAFETY: as above; the field owns a reference.
        unsafe { set_field(&raw mut (*self.raw()).origin_or_finalizer, finalizer) }
    }

    /// `__qualname__`.
    pub(crate) fn qualname(&self) -> Ref {
        // SAFETY: as above; the field is never null.
        unsafe { Object::borrow((*self.raw()).qualname).new_ref() }
    }

    /// `generator`, `coroutine` or `async generator`, for messages.
    fn kind(&self) -> &'static str {
        if self.is_exact(&PyGen_Type) {
            "generator"
        } else if self.is_exact(&PyCoro_Type) {
            "coroutine"
        } else {
            "async generator"
        }
    }
}

/// The generator that owns this frame.
///
/// # Safety
/// The frame belongs to a generator, which lives during `'a`.
pub unsafe fn owner_of<'a>(frame: *mut Frame) -> &'a Object {
    // SAFETY: by contract.
    unsafe { Object::borrow(of_frame(frame).cast()) }
}

/// Whether the generator that owns this frame is running.
///
/// # Safety
/// The frame belongs to a generator.
pub unsafe fn is_executing(frame: *mut Frame) -> bool {
    // SAFETY: by contract.
    unsafe { (*of_frame(frame)).frame_state == EXECUTING }
}

/// Makes the generator of a frame that has reached `RETURN_GENERATOR`; the frame's words move into it.
///
/// # Safety
/// `frame` is the running frame on the thread's stack; its memory is given back by the caller.
/// # Errors
/// `MemoryError`.
pub unsafe fn from_frame(frame: *mut Frame, resume_at: *mut u16) -> PyResult {
    // SAFETY: by contract; the object has room for the whole frame.
    unsafe {
        let code = Frame::code(frame);
        let ty: &Type = if code.flags() & CO_COROUTINE != 0 {
            &PyCoro_Type
        } else if code.flags() & CO_ASYNC_GENERATOR != 0 {
            &PyAsyncGen_Type
        } else {
            &PyGen_Type
        };
        let object = alloc::alloc_object(ty, code.framesize().cast_signed())?;
        let raw = object.raw_as::<RawGenerator>();
        let function: &crate::function::Function = (*frame).f_funcobj.object().cast();
        (*raw).name = Object::borrow((*function.raw()).func_name).new_ref().into_ptr();
        (*raw).qualname = function.qualname().new_ref().into_ptr();
        (*raw).frame_state = CREATED;
        let own = &raw mut (*raw).frame;
        core::ptr::copy_nonoverlapping(frame, own, 1);
        let count = (*frame).stackpointer.offset_from(Frame::locals(frame)) as usize;
        for index in 0..count {
            let word = Frame::locals(frame).add(index).read();
            Frame::locals(own).add(index).write(word.heap_safe());
        }
        (*own).f_funcobj = (*own).f_funcobj.heap_safe();
        (*own).stackpointer = Frame::locals(own).add(count);
        (*own).instr_ptr = resume_at;
        (*own).owner = OWNED_BY_GENERATOR;
        (*own).flags = 0;
        (*own).previous = null_mut();
        if !(*own).frame_obj.is_null() {
            // The frame object follows its frame.
            (*(*own).frame_obj.cast::<PyFrameObject>()).f_frame = own.cast();
        }
        gc::track(&object);
        if ty.is(&PyCoro_Type) {
            set_origin(&object);
        }
        Ok(object)
    }
}

/// Remembers where a coroutine was made, when `sys.set_coroutine_origin_tracking_depth` asks.
unsafe fn set_origin(object: &Object) {
    let thread = state::current();
    // SAFETY: a fresh coroutine; the current thread's frames are live.
    unsafe {
        let depth = (*thread).base.coroutine_origin_tracking_depth;
        if depth <= 0 {
            return;
        }
        let mut rows = Vec::new();
        let mut frame = frame::current_frame();
        frame = if frame.is_null() { frame } else { (*frame).previous };
        while !frame.is_null() && (rows.len() as i32) < depth {
            let code = Frame::code(frame);
            let line = taipan_object::int::Int::from_i64(i64::from(Frame::line(frame).unwrap_or(0)));
            let row = [Ref::of(code.filename()).upcast(), line.upcast(), Ref::of(code.name()).upcast()];
            if let Ok(row) = taipan_object::tuple::Tuple::from_array(row) {
                rows.push(row.upcast());
            }
            frame = (*frame).previous;
        }
        if let Ok(rows) = taipan_object::tuple::Tuple::from_vec(rows) {
            set_field(&raw mut (*object.raw_as::<RawGenerator>()).origin_or_finalizer, Some(rows.upcast()));
        }
    }
}

/// Links the generator's exception item in front of the thread's and marks it as running.
unsafe fn begin(thread: *mut ThreadState, generator: *mut RawGenerator, previous: *mut Frame) -> *mut Frame {
    // SAFETY: the generator is suspended or fresh.
    unsafe {
        (*generator).frame_state = EXECUTING;
        (*generator).exc_state.previous_item = (*thread).base.exc_info;
        (*thread).base.exc_info = &raw mut (*generator).exc_state;
        let frame = &raw mut (*generator).frame;
        (*frame).previous = previous;
        // Running in a loop keeps the generator alive: whoever iterates holds it.
        frame
    }
}

unsafe fn end(thread: *mut ThreadState, generator: *mut RawGenerator) {
    // SAFETY: the generator's item is the newest on the thread's stack.
    unsafe {
        (*thread).base.exc_info = (*generator).exc_state.previous_item;
        (*generator).exc_state.previous_item = null_mut();
        (*generator).frame.previous = null_mut();
        (*generator).frame.flags = 0;
    }
}

/// Suspends the generator of a frame at a yield.
///
/// # Safety
/// `frame` is the running frame and belongs to a generator.
#[inline]
pub unsafe fn suspend(thread: *mut ThreadState, frame: *mut Frame, oparg: usize) {
    // SAFETY: by contract; the words of a suspended frame must not borrow.
    unsafe {
        let generator = of_frame(frame);
        (*generator).frame_state = if oparg & 1 != 0 { SUSPENDED_YIELD_FROM } else { SUSPENDED };
        end(thread, generator);
        let mut word = Frame::stack_base(frame);
        while word < (*frame).stackpointer {
            word.write((*word).heap_safe());
            word = word.add(1);
        }
    }
}

/// Clears the frame of a generator that is over. The generator keeps the code, which `gi_code` shows.
unsafe fn release_frame(generator: *mut RawGenerator) {
    // SAFETY: the frame is complete and does not run.
    unsafe {
        let frame = &raw mut (*generator).frame;
        let code = (*frame).f_executable.look().new_ref();
        frame::clear_frame(frame);
        (*frame).f_executable = StackRef::owned(code);
    }
}

/// Ends the generator of a frame that has returned or raised.
///
/// # Safety
/// The frame belongs to a running generator and is not current any more.
pub unsafe fn finish(thread: *mut ThreadState, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        let generator = of_frame(frame);
        // Clearing may drop the last reference to the generator itself.
        let keep = Object::borrow(generator.cast()).new_ref();
        end(thread, generator);
        (*generator).frame_state = CLEARED;
        clear_field(&raw mut (*generator).exc_state.exc_value);
        release_frame(generator);
        drop(keep);
    }
}

/// Gives a generator's frame back unentered.
///
/// # Safety
/// As [`finish`].
pub unsafe fn abort_start(thread: *mut ThreadState, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe { finish(thread, frame) }
}

/// Prepares a generator for `next()` in the caller's loop; `None` when it cannot be entered so.
///
/// # Safety
/// `iterator` is a generator object.
#[inline]
pub unsafe fn start_next(
    thread: *mut ThreadState,
    iterator: *mut PyObject,
    previous: *mut Frame,
) -> Option<*mut Frame> {
    // SAFETY: by contract.
    unsafe { start(thread, iterator.cast(), StackRef::borrowed(none()), previous) }
}

unsafe fn start(
    thread: *mut ThreadState,
    generator: *mut RawGenerator,
    value: StackRef,
    previous: *mut Frame,
) -> Option<*mut Frame> {
    // SAFETY: a generator object.
    unsafe {
        if (*generator).frame_state >= EXECUTING {
            return None;
        }
        let frame = begin(thread, generator, previous);
        // Also a fresh frame expects a word: its RESUME is preceded by POP_TOP.
        (*frame).stackpointer.write(value.heap_safe());
        (*frame).stackpointer = (*frame).stackpointer.add(1);
        Some(frame)
    }
}

/// Prepares a generator or coroutine for `SEND` in the caller's loop; `None` when it cannot be entered so.
/// The value word is taken over on success.
///
/// # Safety
/// The words are on the running frame's stack.
#[inline]
pub unsafe fn start_send(
    thread: *mut ThreadState,
    receiver: StackRef,
    value: StackRef,
    previous: *mut Frame,
) -> Option<*mut Frame> {
    if !receiver.is_exact(&PyGen_Type) && !receiver.is_exact(&PyCoro_Type) {
        return None;
    }
    // SAFETY: an exact generator or coroutine.
    unsafe { start(thread, receiver.ptr().cast(), value, previous) }
}

/// Sends a value to any iterator; `true` when it has finished with the result.
///
/// # Errors
/// What the receiver raises.
pub fn send_any(receiver: &Object, value: &Object) -> PyResult<(Ref, bool)> {
    // SAFETY: slot contract.
    unsafe {
        if let Some(send) = (*receiver.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_send) {
            let mut result: *mut PyObject = null_mut();
            let status = send(receiver.as_ptr(), value.as_ptr(), &raw mut result);
            let result = from_c(result)?;
            if status == 0 {
                crate::monitor::events::stop_answered(receiver, &result);
            }
            return Ok((result, status == 0));
        }
    }
    let outcome = if is_none(value) && crate::ops::is_iterator(receiver) {
        match taipan_object::protocol::iter_step(receiver) {
            Ok(Some(item)) => Ok(item),
            Ok(None) => return Ok((none().new_ref(), true)),
            Err(error) => Err(error),
        }
    } else {
        receiver.call_method(intern!("send"), &[value])
    };
    match outcome {
        Ok(value) => Ok((value, false)),
        Err(error) => {
            if error.is(&PyExc_StopIteration) {
                crate::monitor::events::stop_taken(&error);
            }
            crate::ops::stop_value(error).map(|value| (value, true))
        }
    }
}

/// Resumes a generator from native code with a value or an exception.
pub(crate) fn resume(generator: &Generator, value: Option<&Object>, throw: Option<PyErr>) -> PyResult<Sent> {
    let raw = generator.raw();
    let state = generator.state();
    if state == EXECUTING {
        let kind = generator.kind();
        return Err(err::value_error(&format!("{kind} already executing")));
    }
    if state == CREATED && value.is_some_and(|value| !is_none(value)) {
        return Err(raise!(
            PyExc_TypeError,
            "can't send non-None value to a just-started {}",
            generator.kind()
        ));
    }
    if generator.is_finished() {
        if generator.is_exact(&PyCoro_Type) {
            return Err(err::runtime_error("cannot reuse already awaited coroutine"));
        }
        if let Some(error) = throw {
            return Err(error);
        }
        return Ok(Sent::Returned(none().new_ref()));
    }
    let thread = state::current();
    let keep = generator.new_ref();
    // SAFETY: the generator is suspended or fresh; `keep` holds it while it runs.
    let outcome = unsafe {
        let previous = (*thread).base.current_frame.cast::<Frame>();
        let new = begin(thread, raw, previous);
        match throw {
            None => {
                (*new).stackpointer.write(StackRef::owned(value.unwrap_or(none()).new_ref()));
                (*new).stackpointer = (*new).stackpointer.add(1);
                crate::interp::run_frame(thread, new)
            }
            Some(error) => {
                // The handlers of a yield count on the word that resuming leaves.
                (*new).stackpointer.write(StackRef::borrowed(none()));
                (*new).stackpointer = (*new).stackpointer.add(1);
                let own = (*raw).exc_state.exc_value;
                if Object::borrow_opt(own).is_some_and(|handled| !is_none(handled)) {
                    error.exception().chain_context();
                }
                crate::interp::throw_into(thread, new, error)
            }
        }
    };
    drop(keep);
    let value = outcome?;
    Ok(if generator.is_finished() { Sent::Returned(value) } else { Sent::Yielded(value) })
}

pub(crate) fn send_slot(generator: &Generator, value: &Object) -> PyResult<Sent> {
    resume(generator, Some(value), None)
}

pub(crate) fn next_slot(generator: &Generator) -> PyResult<Option<Ref>> {
    next_of(resume(generator, None, None))
}

/// A step as the answer of `tp_iternext`.
pub(crate) fn next_of(step: PyResult<Sent>) -> PyResult<Option<Ref>> {
    match step? {
        Sent::Yielded(value) => Ok(Some(value)),
        Sent::Returned(value) if is_none(&value) => Ok(None),
        Sent::Returned(value) => Err(stop_with(&value)),
    }
}

/// `StopIteration(value)`, where a tuple or exception is wrapped so that it arrives whole.
fn stop_with(value: &Object) -> PyErr {
    err::stop_iteration(Some(value))
}

/// A step as the answer of a method: the end is a `StopIteration`.
pub(crate) fn finished(step: PyResult<Sent>) -> PyResult {
    match step? {
        Sent::Yielded(value) => Ok(value),
        Sent::Returned(value) if is_none(&value) => Err(err::stop_iteration(None)),
        Sent::Returned(value) => Err(stop_with(&value)),
    }
}

pub(crate) fn send_method(generator: &Generator, value: &Object) -> PyResult {
    finished(resume(generator, Some(value), None))
}

pub(crate) fn throw_method(generator: &Generator, args: &[&Object]) -> PyResult {
    if args.is_empty() || args.len() > 3 {
        let bound = if args.is_empty() { "at least 1 argument" } else { "at most 3 arguments" };
        return Err(raise!(PyExc_TypeError, "throw expected {bound}, got {}", args.len()));
    }
    if args.len() > 1 {
        (state::interp().hooks.get().warn)(
            &PyExc_DeprecationWarning,
            "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
            1,
        )?;
    }
    let error = parse_throw(args)?;
    finished(throw(generator, error, true))
}

/// The exception that a tuple of arguments means, with the method's name for messages.
pub(crate) fn thrown_exception(method: &str, args: &[&Object]) -> PyResult<PyErr> {
    if args.is_empty() || args.len() > 3 {
        let bound = if args.is_empty() { "at least 1 argument" } else { "at most 3 arguments" };
        return Err(raise!(PyExc_TypeError, "{method} expected {bound}, got {}", args.len()));
    }
    parse_throw(args)
}

/// The exception of `throw(type[, value[, tb]])`.
pub(crate) fn parse_throw(args: &[&Object]) -> PyResult<PyErr> {
    let given = |index: usize| args.get(index).copied().filter(|arg| !is_none(arg));
    let error = if let Some(class) =
        args[0].downcast::<Type>().filter(|class| class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS))
    {
        match given(1) {
            Some(value) if value.ty().is_subtype(class) => exception_of(value),
            Some(value) => match value.downcast::<taipan_object::tuple::Tuple>() {
                Some(args) => PyErr::with_args(class, args.items()),
                None => PyErr::with_args(class, &[value]),
            },
            None => PyErr::with_args(class, &[]),
        }
    } else if args[0].downcast::<err::Exception>().is_some() {
        if given(1).is_some() {
            return Err(type_error("instance exception may not have a separate value"));
        }
        exception_of(args[0])
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "exceptions must be classes or instances deriving from BaseException, not {}",
            args[0].ty().message_name()
        ));
    };
    if let Some(traceback) = given(2) {
        if !traceback.is_exact(&PyTraceBack_Type) {
            return Err(type_error("throw() third argument must be a traceback object"));
        }
        error.exception().set_traceback(Some(traceback.new_ref()));
    }
    Ok(error)
}

fn exception_of(object: &Object) -> PyErr {
    match object.new_ref().downcast_owned::<err::Exception>() {
        Ok(exception) => PyErr::from_exception(exception),
        Err(other) => PyErr::from_instance(other),
    }
}

/// What a suspended `yield from` or `await` delegates to.
pub(crate) fn delegate(generator: &Generator) -> Option<Ref> {
    if generator.state() != SUSPENDED_YIELD_FROM {
        return None;
    }
    // SAFETY: while delegating, the receiver is on top of the suspended stack.
    unsafe { Some((*(*generator.frame()).stackpointer.sub(1)).look().new_ref()) }
}

/// Throws an exception into a generator: through to the innermost delegate first.
///
/// # Errors
/// What the generator raises.
pub(crate) fn throw(generator: &Generator, error: PyErr, close_on_exit: bool) -> PyResult<Sent> {
    let Some(inner) = delegate(generator) else { return resume(generator, None, Some(error)) };
    if error.is(&PyExc_GeneratorExit) && close_on_exit {
        // SAFETY: marks the outer generator as running while its delegate is closed.
        let closed = unsafe { while_running(generator, || close_iterator(&inner)) };
        return match closed {
            Ok(()) => resume(generator, None, Some(error)),
            Err(other) => resume(generator, None, Some(other)),
        };
    }
    let outcome = if let Some(inner) = inner.downcast::<Generator>().filter(|g| !g.is_exact(&PyAsyncGen_Type))
    {
        taipan_object::protocol::recursive("", || {
            // SAFETY: as above.
            unsafe { while_running(generator, || throw(inner, error, close_on_exit)) }
        })
    } else {
        match inner.getattr_opt(intern!("throw"))? {
            None => return resume(generator, None, Some(error)),
            // SAFETY: as above.
            Some(method) => unsafe {
                while_running(generator, || method.call(&[error.exception()]).map(Sent::Yielded))
            },
        }
    };
    match outcome {
        Ok(Sent::Yielded(value)) => Ok(Sent::Yielded(value)),
        // The delegate has ended: its result is the value of the expression.
        Ok(Sent::Returned(value)) => finish_delegation(generator, &value),
        Err(error) => match crate::ops::stop_value(error) {
            Ok(value) => finish_delegation(generator, &value),
            Err(error) => resume(generator, None, Some(error)),
        },
    }
}

/// Lets the outer generator go on behind its `yield from` with the delegate's result.
fn finish_delegation(generator: &Generator, value: &Object) -> PyResult<Sent> {
    // SAFETY: the frame is suspended at the YIELD_VALUE of a SEND loop: throwing StopIteration there makes
    // CLEANUP_THROW take the value.
    let error = err::stop_iteration(Some(value));
    resume(generator, None, Some(error))
}

unsafe fn while_running<T>(generator: &Generator, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    // SAFETY: only the state byte is changed, and put back.
    unsafe {
        let raw = generator.raw();
        let state = core::mem::replace(&mut (*raw).frame_state, EXECUTING);
        // Tracebacks and `sys._getframe` see the outer generator's frame while the delegate runs.
        let thread = state::current();
        let previous = (*thread).base.current_frame;
        (*raw).frame.previous = previous.cast();
        (*thread).base.current_frame = (&raw mut (*raw).frame).cast();
        let result = run();
        (*thread).base.current_frame = previous;
        (*raw).frame.previous = null_mut();
        (*raw).frame_state = state;
        result
    }
}

fn close_iterator(iterator: &Object) -> PyResult<()> {
    if let Some(generator) = iterator.downcast::<Generator>().filter(|g| !g.is_exact(&PyAsyncGen_Type)) {
        close(generator)?;
        return Ok(());
    }
    if let Some(method) = iterator.getattr_opt(intern!("close"))? {
        method.call(&[])?;
    }
    Ok(())
}

/// The bit in the argument of a RESUME that says that no `try` surrounds it.
const RESUME_OUTSIDE_TRY: u16 = 4;

/// `close()`: gives what the generator returned, or `None`.
pub(crate) fn close(generator: &Generator) -> PyResult {
    if generator.state() == CREATED {
        // SAFETY: a frame that has not begun is released without running.
        unsafe {
            let raw = generator.raw();
            (*raw).frame_state = CLEARED;
            release_frame(raw);
        }
        return Ok(none().new_ref());
    }
    if generator.is_finished() {
        return Ok(none().new_ref());
    }
    if generator.state() == EXECUTING {
        return Err(err::value_error(&format!("{} already executing", generator.kind())));
    }
    let inner = delegate(generator);
    // Suspended outside of any handler: nothing could see the exception.
    // SAFETY: a suspended frame stands at the RESUME behind its yield.
    unsafe {
        let raw = generator.raw();
        let frame = generator.frame();
        let resume = (*frame).instr_ptr.read();
        let unit = Frame::lasti(frame).max(0) as usize;
        let outside = crate::monitor::base_opcode(Frame::code(frame), unit) == taipan_bytecode::op::RESUME
            && (resume >> 8) & RESUME_OUTSIDE_TRY != 0;
        if outside && inner.is_none() && !crate::monitor::events::is_unwinding_watched() {
            (*raw).frame_state = CLEARED;
            release_frame(raw);
            return Ok(none().new_ref());
        }
    }
    let exit = PyErr::with_args(&PyExc_GeneratorExit, &[]);
    let error = match inner {
        Some(inner) => {
            // SAFETY: marks the generator as running while its delegate is closed.
            match unsafe { while_running(generator, || close_iterator(&inner)) } {
                Ok(()) => exit,
                Err(other) => other,
            }
        }
        None => exit,
    };
    match resume(generator, None, Some(error)) {
        Ok(Sent::Returned(value)) => Ok(value),
        Ok(Sent::Yielded(_)) => Err(raise!(PyExc_RuntimeError, "{} ignored GeneratorExit", generator.kind())),
        Err(error) if error.is(&PyExc_StopIteration) => crate::ops::stop_value(error),
        Err(error) if error.is(&PyExc_GeneratorExit) => Ok(none().new_ref()),
        Err(error) => Err(error),
    }
}

/// `frame.clear()` of a suspended generator's frame.
///
/// # Safety
/// The frame belongs to a generator that does not run.
/// # Errors
/// What closing raises.
pub unsafe fn close_frame(frame: *mut Frame) -> PyResult<()> {
    // SAFETY: by contract.
    let generator: Ref<Generator> = unsafe { Ref::of(Object::borrow(of_frame(frame).cast()).cast()) };
    if generator.state() != CREATED {
        return Err(raise!(PyExc_RuntimeError, "cannot clear a suspended frame"));
    }
    finalize(&generator);
    Ok(())
}

pub(crate) fn finalize(generator: &Generator) {
    if generator.is_finished() || generator.state() == EXECUTING {
        return;
    }
    if generator.is_exact(&PyCoro_Type) && generator.state() == CREATED {
        warn_never_awaited(generator);
    }
    if generator.is_exact(&PyAsyncGen_Type) {
        // SAFETY: the view guarantees the layout.
        let finalizer =
            unsafe { Object::borrow_opt((*generator.raw()).origin_or_finalizer).map(Object::new_ref) };
        // SAFETY: the view guarantees the layout.
        if let Some(finalizer) = finalizer.filter(|_| unsafe { (*generator.raw()).closed == 0 }) {
            if let Err(error) = finalizer.call(&[generator]) {
                err::write_unraisable_at(error, "Exception ignored while finalizing generator", generator);
            }
            return;
        }
    }
    if let Err(error) = close(generator) {
        err::write_unraisable_at(error, "Exception ignored while closing generator", generator);
    }
}

/// The library's `warnings` knows how to show where the coroutine was made.
fn warn_never_awaited(generator: &Generator) {
    let warned = match (state::interp().hooks.get().import_module)("warnings")
        .and_then(|module| module.getattr_opt(intern!("_warn_unawaited_coroutine")))
    {
        Ok(Some(function)) => function.call(&[generator]).map(|_| true),
        Ok(None) => Ok(false),
        Err(error) => Err(error),
    };
    let report =
        |error| err::write_unraisable_at(error, "Exception ignored while finalizing coroutine", generator);
    let done = warned.unwrap_or_else(|error| {
        // The warning itself as an exception is told, too.
        let told = error.is(&PyExc_RuntimeWarning);
        report(error);
        told
    });
    if !done {
        let message = format!("coroutine '{}' was never awaited", generator.qualname().str_lossy());
        if let Err(error) = (state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, &message, 1) {
            report(error);
        }
    }
}

pub(crate) unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let generator: &Generator = Object::borrow(ptr).cast();
        if instance::finalize_on_dealloc(generator) {
            return;
        }
        gc::untrack_ptr(ptr);
        taipan_object::weakref::clear_on_dealloc(generator);
        let raw = generator.raw();
        if (*raw).frame_state < COMPLETED {
            (*raw).frame_state = CLEARED;
            release_frame(raw);
        }
        core::mem::replace(&mut (*raw).frame.f_executable, StackRef::NULL).close();
        clear_field(&raw mut (*raw).exc_state.exc_value);
        clear_field(&raw mut (*raw).origin_or_finalizer);
        refcount::xdecref((*raw).name);
        refcount::xdecref((*raw).qualname);
        alloc::free_object(ptr);
    }
}

pub(crate) unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live generator.
    unsafe {
        let raw = ptr.cast::<RawGenerator>();
        let fields = [(*raw).name, (*raw).qualname, (*raw).exc_state.exc_value, (*raw).origin_or_finalizer];
        let result = instance::visit_all(&fields, visit, arg);
        if result != 0 || (*raw).frame_state >= EXECUTING {
            return result;
        }
        crate::frame_object::visit_frame(&raw mut (*raw).frame, visit, arg)
    }
}

pub(crate) unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live generator that the collector found unreachable: it is not running.
    unsafe {
        let raw = ptr.cast::<RawGenerator>();
        if (*raw).frame_state < EXECUTING {
            (*raw).frame_state = CLEARED;
            release_frame(raw);
        }
        clear_field(&raw mut (*raw).exc_state.exc_value);
    }
    0
}

pub(crate) fn repr(generator: &Generator) -> PyResult {
    // SAFETY: the view guarantees the layout.
    let name = unsafe { Object::borrow((*generator.raw()).qualname) }.str_lossy();
    let kind = if generator.is_exact(&PyAsyncGen_Type) { "async_generator" } else { generator.kind() };
    format!("<{kind} object {name} at {:#x}>", generator.as_ptr().addr()).into_py()
}

pub(crate) fn running(generator: &Generator) -> bool {
    generator.state() == EXECUTING
}

pub(crate) fn suspended(generator: &Generator) -> bool {
    matches!(generator.state(), SUSPENDED | SUSPENDED_YIELD_FROM)
}

pub(crate) fn frame_attribute(generator: &Generator) -> PyResult {
    if generator.is_finished() {
        return ().into_py();
    }
    // SAFETY: an unfinished generator's frame is live.
    unsafe { crate::frame_object::of(generator.frame()).map(Ref::upcast) }
}

pub(crate) fn code_attribute(generator: &Generator) -> PyResult {
    // SAFETY: the code word stays readable while the generator lives, unless the frame was cleared.
    unsafe {
        let word = (*generator.frame()).f_executable;
        Ok(if word.is_null() { none().new_ref() } else { word.look().new_ref() })
    }
}

/// `__name__` or `__qualname__`, with what is said of values that are no str.
macro_rules! name_row {
    ($name:literal, $field:ident, $message:ident, $doc:literal) => {
        getset_row(
            $name,
            // SAFETY: the view guarantees the layout.
            |g: &Generator| unsafe { Object::borrow((*g.raw()).$field).new_ref() },
            $doc,
        )
        .with_setter(|g: &Generator, value: Option<&Object>| {
            let Some(value) = value.filter(|value| value.downcast::<Str>().is_some()) else {
                return Err(type_error($message));
            };
            // SAFETY: the view guarantees the layout.
            unsafe { set_field(&raw mut (*g.raw()).$field, Some(value.new_ref())) };
            Ok(())
        })
    };
}

pub(crate) use name_row;

pub(crate) const NO_NAME: &str = "__name__ must be set to a string object";
pub(crate) const NO_QUALNAME: &str = "__qualname__ must be set to a string object";
pub(crate) const NAME: GetSetRow = name_row!(c"__name__", name, NO_NAME, c"The name of the generator.");
pub(crate) const QUALNAME: GetSetRow =
    name_row!(c"__qualname__", qualname, NO_QUALNAME, c"The qualified name of the generator.");

pub(crate) fn iter_self(generator: &Generator) -> Ref {
    generator.new_ref()
}

/// `__class_getitem__`.
pub(crate) fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

/// `__sizeof__`: with the frame's locals and stack.
pub(crate) fn size_of_generator(generator: &Generator) -> i64 {
    let ty = generator.ty();
    // SAFETY: a live type; the frame's code stays readable, unless the frame was cleared.
    unsafe {
        let word = (*generator.frame()).f_executable;
        let words = if word.is_null() {
            0
        } else {
            word.look().downcast::<crate::code::Code>().map_or(0, |code| code.framesize())
        };
        (*ty.raw()).tp_basicsize as i64 + (words as i64) * 8
    }
}

taipan_object::methods! { static METHODS = {
    one "send" "($self, value, /)" = send_method, "Go on with a value, up to the next yield.";
    many "throw" "" = throw_method, "throw(value)\nthrow(type[,value[,tb]])\n\nRaise an exception where the generator is suspended.";
    noargs "close" "($self, /)" = close, "Raise GeneratorExit where the generator is suspended.";
    noargs "__sizeof__" "($self, /)" = size_of_generator, "The bytes that the generator takes.";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "The class with type parameters.";
} }

/// `generator`.
pub static GENERATOR: TypeSpec = TypeSpec {
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        tp_repr(repr),
        tp_iter(iter_self),
        tp_iternext(next_slot),
        tp_finalize(finalize),
        am_send(send_slot),
    ],
    methods: METHODS,
    getset: &[
        NAME,
        QUALNAME,
        getset_row(c"gi_yieldfrom", delegate, c"what the generator delegates to, or None"),
        getset_row(c"gi_running", running, c""),
        getset_row(c"gi_suspended", suspended, c""),
        getset_row(c"gi_frame", frame_attribute, c""),
        getset_row(c"gi_code", code_attribute, c""),
    ],
    ..TypeSpec::new(&PyGen_Type)
};
