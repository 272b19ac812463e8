//! `monitoring.h` and the trace functions of `ceval.h`: events that C code sends, and functions that it sets.
//!
//! The macros of the header test `active` themselves, so that code which nobody watches calls nothing.

use crate::border::{Obj, arg, export};
use core::ffi::c_int;
use taipan_abi::Py_tracefunc;
use taipan_eval::monitor::{events, legacy};
use taipan_object::err::{self, PyResult, value_error};
use taipan_object::monitoring::event;
use taipan_object::statics::PyExc_StopIteration;
use taipan_object::{Object, state};

/// `PyMonitoringState`: the tools that want the event of one place.
#[repr(C)]
pub struct MonitoringState {
    active: u8,
    opaque: u8,
}

/// Tells the tools of a place of its event.
unsafe fn fire(
    place: *mut MonitoringState,
    code: Obj,
    offset: i32,
    event: usize,
    rest: &[&Object],
) -> PyResult<()> {
    // SAFETY: the place and the object are the caller's, live during the call.
    unsafe { events::fire_outside(&mut (*place).active, arg(code)?, offset, event, rest) }
}

/// An event of the exception that is raised; it stays raised unless a tool raises another one.
unsafe fn fire_raised(place: *mut MonitoringState, code: Obj, offset: i32, event: usize) -> PyResult<()> {
    let Some(error) = err::fetch_opt() else {
        return Err(value_error(&format!("Firing event {event} with no exception set")));
    };
    // SAFETY: as above.
    unsafe { fire(place, code, offset, event, &[error.exception()])? };
    err::restore(error);
    Ok(())
}

fn function(function: Option<Py_tracefunc>, object: Obj) -> legacy::Function {
    // SAFETY: null or a live object.
    let object = unsafe { Object::borrow_opt(object) }.unwrap_or(taipan_object::singletons::none());
    function.map(|function| (function, object.new_ref()))
}

export! {
    fn PyEval_SetTrace(callback: Option<Py_tracefunc>, object: Obj) -> () {
        legacy::set_trace(function(callback, object));
        Ok(())
    }

    fn PyEval_SetProfile(callback: Option<Py_tracefunc>, object: Obj) -> () {
        legacy::set_profile(function(callback, object));
        Ok(())
    }

    fn PyEval_SetTraceAllThreads(callback: Option<Py_tracefunc>, object: Obj) -> () {
        legacy::set_trace_everywhere(&function(callback, object));
        Ok(())
    }

    fn PyEval_SetProfileAllThreads(callback: Option<Py_tracefunc>, object: Obj) -> () {
        legacy::set_profile_everywhere(&function(callback, object));
        Ok(())
    }

    fn PyMonitoring_EnterScope(places: *mut MonitoringState, version: *mut u64, wanted: *const u8, count: isize) -> c_int {
        let monitoring = &state::interp().monitoring;
        if *version != monitoring.version.get() {
            for index in 0..count.max(0) as usize {
                let event = usize::from(*wanted.add(index));
                (*places.add(index)).active = monitoring.tools.get().get(event).copied().unwrap_or(0);
            }
            *version = monitoring.version.get();
        }
        Ok(())
    }

    fn PyMonitoring_ExitScope() -> c_int {
        Ok(())
    }

    fn _PyMonitoring_FirePyStartEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire(place, code, offset, event::PY_START, &[])
    }

    fn _PyMonitoring_FirePyResumeEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire(place, code, offset, event::PY_RESUME, &[])
    }

    fn _PyMonitoring_FirePyReturnEvent(place: *mut MonitoringState, code: Obj, offset: i32, value: Obj) -> c_int {
        fire(place, code, offset, event::PY_RETURN, &[arg(value)?])
    }

    fn _PyMonitoring_FirePyYieldEvent(place: *mut MonitoringState, code: Obj, offset: i32, value: Obj) -> c_int {
        fire(place, code, offset, event::PY_YIELD, &[arg(value)?])
    }

    fn _PyMonitoring_FireCallEvent(place: *mut MonitoringState, code: Obj, offset: i32, callable: Obj, first: Obj) -> c_int {
        fire(place, code, offset, event::CALL, &[arg(callable)?, arg(first)?])
    }

    fn _PyMonitoring_FireLineEvent(place: *mut MonitoringState, code: Obj, offset: i32, line: c_int) -> c_int {
        // A line stands where other events have the offset.
        let _ = offset;
        fire(place, code, line, event::LINE, &[])
    }

    fn _PyMonitoring_FireJumpEvent(place: *mut MonitoringState, code: Obj, offset: i32, target: Obj) -> c_int {
        fire(place, code, offset, event::JUMP, &[arg(target)?])
    }

    fn _PyMonitoring_FireBranchEvent(place: *mut MonitoringState, code: Obj, offset: i32, target: Obj) -> c_int {
        fire(place, code, offset, event::BRANCH_RIGHT, &[arg(target)?])
    }

    fn _PyMonitoring_FireBranchRightEvent(place: *mut MonitoringState, code: Obj, offset: i32, target: Obj) -> c_int {
        fire(place, code, offset, event::BRANCH_RIGHT, &[arg(target)?])
    }

    fn _PyMonitoring_FireBranchLeftEvent(place: *mut MonitoringState, code: Obj, offset: i32, target: Obj) -> c_int {
        fire(place, code, offset, event::BRANCH_LEFT, &[arg(target)?])
    }

    fn _PyMonitoring_FireCReturnEvent(place: *mut MonitoringState, code: Obj, offset: i32, value: Obj) -> c_int {
        fire(place, code, offset, event::C_RETURN, &[arg(value)?])
    }

    fn _PyMonitoring_FirePyThrowEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::PY_THROW)
    }

    fn _PyMonitoring_FireRaiseEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::RAISE)
    }

    fn _PyMonitoring_FireReraiseEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::RERAISE)
    }

    fn _PyMonitoring_FireExceptionHandledEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::EXCEPTION_HANDLED)
    }

    fn _PyMonitoring_FireCRaiseEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::C_RAISE)
    }

    fn _PyMonitoring_FirePyUnwindEvent(place: *mut MonitoringState, code: Obj, offset: i32) -> c_int {
        fire_raised(place, code, offset, event::PY_UNWIND)
    }

    fn _PyMonitoring_FireStopIterationEvent(place: *mut MonitoringState, code: Obj, offset: i32, value: Obj) -> c_int {
        let value = arg(value)?;
        if value.ty().is_subtype(&PyExc_StopIteration) {
            return fire(place, code, offset, event::STOP_ITERATION, &[value]);
        }
        let stop = PyExc_StopIteration.call(&[value])?;
        fire(place, code, offset, event::STOP_ITERATION, &[&stop])
    }
}
