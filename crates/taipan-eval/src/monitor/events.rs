//! Telling tools of events.
//!
//! Tools are called from the one with the highest number down. While one is called, the thread's `tracing`
//! counter is above zero, so that nothing that the tool does is reported in turn; `what_event` says which event
//! it is being told of.

use super::{Tables, disable_at, legacy, loop_partner, tables, tools_at};
use crate::code::Code;
use crate::frame::{Frame, JUMPED};
use taipan_bytecode::op;
use taipan_object::err::{self, value_error};
use taipan_object::int::Int;
use taipan_object::monitoring::*;
use taipan_object::state::{self, ThreadState, breaker};
use taipan_object::{Object, PyErr, PyResult, Ref};

/// Whether any tool wants events everywhere.
///
/// # Safety
/// `thread` is the current thread's state.
#[inline(always)]
pub unsafe fn is_active(thread: *mut ThreadState) -> bool {
    // SAFETY: by contract.
    unsafe { (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) & breaker::MONITORING != 0 }
}

/// Whether some tool wants to hear of frames that are left by an exception.
pub(crate) fn is_unwinding_watched() -> bool {
    state::interp().monitoring.tools.get()[event::PY_UNWIND] != 0
}

fn offset(unit: usize) -> Ref<Int> {
    Int::from_i64(unit as i64 * 2)
}

/// Calls one tool; `true` when it wants to be told no more.
unsafe fn call_one(
    thread: *mut ThreadState,
    frame: *mut Frame,
    tool: usize,
    event: usize,
    args: &[&Object],
) -> PyResult<bool> {
    // SAFETY: by contract of the callers.
    unsafe {
        let monitoring = &(*thread).interp().monitoring;
        let callback = if tool < USER_TOOLS {
            match monitoring.callback(tool, event) {
                Some(callback) => Some(callback),
                None => return Ok(false),
            }
        } else {
            None
        };
        let both = callback.as_ref().is_some_and(|callback| callback.both_branches);
        let branch = if both { old_branch(args) } else { None };
        if both && branch.is_none() {
            return Ok(false);
        }
        let outside = enter(thread, event);
        let result = match &callback {
            Some(callback) => callback.function.call(args).map(|result| monitoring.is_disable(&result)),
            None => legacy::call(thread, frame, tool, event, args),
        };
        leave(thread, outside);
        if let (Ok(true), Some((code, source))) = (&result, branch) {
            disable_other_branch(code, source, tool, event);
        }
        result
    }
}

unsafe fn enter(thread: *mut ThreadState, event: usize) -> i32 {
    // SAFETY: the current thread's state.
    unsafe {
        (*thread).base.tracing += 1;
        core::mem::replace(&mut (*thread).base.what_event, event as i32)
    }
}

unsafe fn leave(thread: *mut ThreadState, outside: i32) {
    // SAFETY: the current thread's state.
    unsafe {
        (*thread).base.what_event = outside;
        (*thread).base.tracing -= 1;
    }
}

/// The instruction that a reported branch belongs to. Callbacks for both branches hear of the branches that
/// there were before the two could be told apart: `for` loops and conditional jumps.
fn old_branch<'a>(args: &[&'a Object]) -> Option<(&'a Code, usize)> {
    let code: &Code = args.first()?.downcast::<Code>()?;
    let source = usize::try_from(args.get(1)?.to_i64().ok()? / 2).ok()?;
    let known = source < code.unit_count()
        && matches!(
            super::base_opcode(code, source),
            op::FOR_ITER
                | op::POP_JUMP_IF_TRUE
                | op::POP_JUMP_IF_FALSE
                | op::POP_JUMP_IF_NONE
                | op::POP_JUMP_IF_NOT_NONE
        );
    known.then_some((code, source))
}

/// A callback for both branches has disabled the one that the instruction `source` reports itself: that is the
/// end of the other one as well.
fn disable_other_branch(code: &Code, source: usize, tool: usize, event: usize) {
    match (super::base_opcode(code, source), event) {
        (op::FOR_ITER, event::BRANCH_LEFT) => {
            if let Some(end) = loop_partner(code, source) {
                disable_at(code, end, event::BRANCH_RIGHT, tool);
            }
        }
        // A conditional jump has one unit of cache.
        (base, event::BRANCH_RIGHT)
            if base != op::FOR_ITER
                && source + 2 < code.unit_count()
                && super::base_opcode(code, source + 2) == op::NOT_TAKEN =>
        {
            disable_at(code, source + 2, event::BRANCH_LEFT, tool);
        }
        _ => {}
    }
}

/// A tool wants to be told no more of what cannot be disabled: it is told nothing more at all.
unsafe fn cannot_disable(thread: *mut ThreadState, tool: usize, event: usize) -> PyErr {
    // SAFETY: the current thread's state.
    let old = unsafe { (*thread).interp() }.monitoring.set_callback(tool, event, None);
    drop(old);
    value_error(&format!("Cannot disable {} events. Callback removed.", EVENT_NAMES[event]))
}

/// Tells the tools of a set, from the highest on.
unsafe fn tell(
    thread: *mut ThreadState,
    frame: *mut Frame,
    unit: usize,
    event: usize,
    mut tools: u8,
    args: &[&Object],
) -> PyResult<()> {
    while tools != 0 {
        let tool = tools.ilog2() as usize;
        tools &= !(1 << tool);
        // SAFETY: by contract of the callers.
        unsafe {
            if !call_one(thread, frame, tool, event, args)? {
                continue;
            }
            if event < LOCAL_EVENTS {
                disable_at(Frame::code(frame), unit, event, tool);
            } else {
                return Err(cannot_disable(thread, tool, event));
            }
        }
    }
    Ok(())
}

/// The tools that want to hear of an event at the instruction `unit`; none while a tool is being told.
unsafe fn listeners(thread: *mut ThreadState, frame: *mut Frame, event: usize, unit: usize) -> u8 {
    // SAFETY: by contract of the callers.
    unsafe { if (*thread).base.tracing != 0 { 0 } else { tools_at(Frame::code(frame), unit, event) } }
}

/// Tells of an event at the instruction `unit`, with what belongs to it.
///
/// # Safety
/// `frame` is the current frame of the current thread `thread`, its pointers are saved.
/// # Errors
/// What a tool raises.
pub unsafe fn fire(
    thread: *mut ThreadState,
    frame: *mut Frame,
    event: usize,
    unit: usize,
    rest: &[&Object],
) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let tools = listeners(thread, frame, event, unit);
        if tools == 0 {
            return Ok(());
        }
        let code = Frame::code(frame);
        let at = offset(unit);
        let mut args: Vec<&Object> = Vec::with_capacity(4);
        args.push(code);
        args.push(&at);
        args.extend_from_slice(rest);
        tell(thread, frame, unit, event, tools, &args)
    }
}

/// Tells of control going from one unit to another; the event is that of the instruction `unit`.
///
/// # Safety
/// As [`fire`].
/// # Errors
/// What a tool raises.
pub unsafe fn jump(
    thread: *mut ThreadState,
    frame: *mut Frame,
    event: usize,
    unit: usize,
    from: usize,
    to: usize,
) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let tools = listeners(thread, frame, event, unit);
        if tools == 0 {
            return Ok(());
        }
        tell(thread, frame, unit, event, tools, &[Frame::code(frame), &offset(from), &offset(to)])
    }
}

/// Tells of a call or of how it ended: `CALL`, `C_RETURN` or `C_RAISE`.
///
/// # Safety
/// As [`fire`].
/// # Errors
/// What a tool raises.
pub unsafe fn call(
    thread: *mut ThreadState,
    frame: *mut Frame,
    event: usize,
    unit: usize,
    function: &Object,
    first: Option<&Object>,
) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        if (*thread).base.tracing != 0 {
            return Ok(());
        }
        match first {
            Some(first) => fire(thread, frame, event, unit, &[function, first]),
            None => {
                let missing = (*thread).interp().monitoring.missing()?;
                fire(thread, frame, event, unit, &[function, &missing])
            }
        }
    }
}

/// Tells how the call of something native has ended; gives what is to come of it.
///
/// # Safety
/// As [`fire`].
/// # Errors
/// What the call has raised, or what a tool raises.
pub unsafe fn called(
    thread: *mut ThreadState,
    frame: *mut Frame,
    unit: usize,
    function: &Object,
    first: Option<&Object>,
    result: PyResult,
) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        let event = if result.is_ok() { event::C_RETURN } else { event::C_RAISE };
        call(thread, frame, event, unit, function, first)?;
    }
    result
}

/// Tells of an exception; gives the one to go on with, which is another if a tool raises.
///
/// # Safety
/// As [`fire`].
pub unsafe fn exception(
    thread: *mut ThreadState,
    frame: *mut Frame,
    event: usize,
    unit: usize,
    error: PyErr,
) -> PyErr {
    // SAFETY: by contract.
    match unsafe { fire(thread, frame, event, unit, &[error.exception()]) } {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// Tells of an iterator's `StopIteration`, which a loop or a delegation takes without raising it.
#[cold]
pub fn stop_taken(error: &PyErr) {
    let thread = state::current();
    // SAFETY: the current frame is the one that runs the loop, its pointers are saved.
    unsafe {
        let frame: *mut Frame = (*thread).base.current_frame.cast();
        if !is_active(thread) || frame.is_null() {
            return;
        }
        let unit = Frame::lasti(frame).max(0) as usize;
        // What a tool raises here is lost with the `StopIteration` itself.
        if let Err(lost) = fire(thread, frame, event::RAISE, unit, &[error.exception()]) {
            drop(lost);
        }
    }
}

/// Tells of a delegate that has ended without raising the `StopIteration` that one of CPython raises.
#[cold]
pub fn stop_answered(receiver: &Object, value: &Object) {
    // SAFETY: the current thread's state.
    if !unsafe { is_active(state::current()) } {
        return;
    }
    let is_none = taipan_object::singletons::is_none(value);
    let silent = receiver.downcast::<crate::generator::Generator>().is_some()
        || is_none && receiver.is_exact(&crate::coroutine::WRAPPER_TYPE);
    if !silent {
        stop_taken(&err::stop_iteration(Some(value).filter(|_| !is_none)));
    }
}

/// Tells of the end of a generator that a loop or a delegation has entered itself.
///
/// # Safety
/// As [`fire`].
/// # Errors
/// What a tool raises.
pub unsafe fn stop_iteration(
    thread: *mut ThreadState,
    frame: *mut Frame,
    unit: usize,
    value: &Object,
) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        if listeners(thread, frame, event::STOP_ITERATION, unit) == 0 {
            return Ok(());
        }
        let value = Some(value).filter(|value| !taipan_object::singletons::is_none(value));
        let stop = err::stop_iteration(value);
        fire(thread, frame, event::STOP_ITERATION, unit, &[stop.exception()])
    }
}

/// Tells of an event outside Python code, to the tools in `active`; what stays of them is left there.
///
/// # Errors
/// What a tool raises.
pub fn fire_outside(
    active: &mut u8,
    code: &Object,
    offset: i32,
    event: usize,
    rest: &[&Object],
) -> PyResult<()> {
    let thread = state::current();
    // SAFETY: the current thread's state and its current frame.
    unsafe {
        if (*thread).base.tracing != 0 {
            return Ok(());
        }
        let frame: *mut Frame = (*thread).base.current_frame.cast();
        let offset = Int::from_i64(i64::from(offset));
        let mut args: Vec<&Object> = vec![code, &offset];
        args.extend_from_slice(rest);
        let mut tools = *active;
        while tools != 0 {
            let tool = tools.ilog2() as usize;
            tools &= !(1 << tool);
            if call_one(thread, frame, tool, event, &args)? {
                if event >= LOCAL_EVENTS {
                    return Err(cannot_disable(thread, tool, event));
                }
                *active &= !(1 << tool);
            }
        }
    }
    Ok(())
}

/// Whether the line of the instruction `unit` is reached from elsewhere, and by which tools it is wanted.
unsafe fn line_news(own: *mut Tables, frame: *mut Frame, unit: usize, from: isize) -> Option<(i32, u8)> {
    // SAFETY: the tables are live; no tool is called here.
    let lines = unsafe { (*own).lines.as_ref()? };
    let tools = lines.tools[unit];
    if tools == 0 {
        return None;
    }
    let line = lines.line[unit];
    let from = usize::try_from(from).unwrap_or(0);
    // SAFETY: the frame is live.
    unsafe {
        let jumped = core::mem::replace(&mut (*frame).flags, (*frame).flags & !JUMPED) & JUMPED != 0;
        if jumped && from == unit {
            return None;
        }
    }
    // SAFETY: the frame is live.
    let code = unsafe { Frame::code(frame) };
    let from = from.max(lines.first);
    // Behind a RESUME the same line is news too, unless it has been run before and nobody asked for its event.
    let news = lines.always[unit]
        || lines.line.get(from) != Some(&line)
        || matches!(super::own_opcode(code, from), op::RESUME | op::INSTRUMENTED_RESUME);
    news.then_some((line, tools))
}

/// Tells of the line that begins at `unit`, if control comes from another one. `from` is the unit that the
/// frame noted last.
///
/// # Safety
/// As [`fire`]; the instruction stands under `INSTRUMENTED_LINE`.
/// # Errors
/// What a tool raises.
pub unsafe fn line(thread: *mut ThreadState, frame: *mut Frame, unit: usize, from: isize) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let code = Frame::code(frame);
        let Some((line, mut tools)) = line_news(tables(code), frame, unit, from) else { return Ok(()) };
        if tools & 1 << TRACER != 0 {
            tools &= !(1 << TRACER);
            let outside = enter(thread, event::LINE);
            let result = legacy::line(thread, frame, line);
            leave(thread, outside);
            result?;
        }
        if tools == 0 {
            return Ok(());
        }
        tell(thread, frame, unit, event::LINE, tools, &[code, &Int::from_i64(i64::from(line))])
    }
}

/// Tells that the instruction `unit` is about to run.
///
/// # Safety
/// As [`fire`]; the instruction stands under `INSTRUMENTED_INSTRUCTION`.
/// # Errors
/// What a tool raises.
pub unsafe fn instruction(thread: *mut ThreadState, frame: *mut Frame, unit: usize) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        let code = Frame::code(frame);
        let own = tables(code);
        let tools = if own.is_null() { 0 } else { super::entry(&(*own).instruction_tools, unit, 0) };
        tell(thread, frame, unit, event::INSTRUCTION, tools, &[code, &offset(unit)])
    }
}
