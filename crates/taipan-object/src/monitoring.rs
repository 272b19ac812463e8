//! What an interpreter knows of the tools that watch it (PEP 669).
//!
//! Only the bookkeeping stands here: who wants which events, what is called for them, and a version that
//! counts changes. Sending events is the evaluator's business.
//!
//! Invariants: while `tools` is not all zero, every thread of the interpreter has
//! [`MONITORING`](crate::state::breaker::MONITORING) in its eval breaker; `version` grows with every change
//! of `tools`.

use crate::state::{InterpreterState, breaker};
use crate::{Object, PyResult, Ref};
use core::cell::{Cell, RefCell};
use core::sync::atomic::Ordering;
use std::collections::HashSet;

/// Tools in all: six that programs can take, then `sys.setprofile` and `sys.settrace`.
pub const TOOLS: usize = 8;
/// The tools that `sys.monitoring` hands out.
pub const USER_TOOLS: usize = 6;
/// The tool behind `sys.setprofile`.
pub const PROFILER: usize = 6;
/// The tool behind `sys.settrace`.
pub const TRACER: usize = 7;

/// Events by their numbers; a set of events is a word with these bits.
pub mod event {
    pub const PY_START: usize = 0;
    pub const PY_RESUME: usize = 1;
    pub const PY_RETURN: usize = 2;
    pub const PY_YIELD: usize = 3;
    pub const CALL: usize = 4;
    pub const LINE: usize = 5;
    pub const INSTRUCTION: usize = 6;
    pub const JUMP: usize = 7;
    pub const BRANCH_LEFT: usize = 8;
    pub const BRANCH_RIGHT: usize = 9;
    pub const STOP_ITERATION: usize = 10;
    pub const RAISE: usize = 11;
    pub const EXCEPTION_HANDLED: usize = 12;
    pub const PY_UNWIND: usize = 13;
    pub const PY_THROW: usize = 14;
    pub const RERAISE: usize = 15;
    pub const C_RETURN: usize = 16;
    pub const C_RAISE: usize = 17;
    pub const BRANCH: usize = 18;
}

/// The first events belong to instructions, which can be watched one by one.
pub const LOCAL_EVENTS: usize = 11;
/// Events that are asked for by themselves; `C_RETURN` and `C_RAISE` come with `CALL`.
pub const UNGROUPED_EVENTS: usize = 16;
/// All events, `BRANCH` (left and right together) included.
pub const EVENTS: usize = 19;

/// The names of the events.
pub const EVENT_NAMES: [&str; EVENTS] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH_LEFT",
    "BRANCH_RIGHT",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
    "BRANCH",
];

/// For each event that an instruction can have, the tools that want it, one bit each.
pub type LocalTools = [u8; LOCAL_EVENTS];

/// What is called for an event.
#[derive(Clone)]
pub struct Callback {
    pub function: Ref,
    /// Registered for `BRANCH`: disabling it disables both ways of a loop.
    pub both_branches: bool,
}

/// The state of monitoring in one interpreter.
pub struct Monitoring {
    /// For each event, the tools that want it everywhere.
    pub tools: Cell<[u8; UNGROUPED_EVENTS]>,
    /// Counts changes of `tools`.
    pub version: Cell<u64>,
    /// The version at which disabled events were last asked for again.
    pub last_restart: Cell<u64>,
    /// The names of the tools in use.
    pub names: RefCell<[Option<Ref>; TOOLS]>,
    callbacks: RefCell<Vec<Option<Callback>>>,
    /// The addresses of all code objects that have tables for monitoring.
    pub instrumented: RefCell<HashSet<usize>>,
    disable: RefCell<Option<Ref>>,
    missing: RefCell<Option<Ref>>,
}

impl Default for Monitoring {
    fn default() -> Self {
        Monitoring {
            tools: Cell::new([0; UNGROUPED_EVENTS]),
            version: Cell::new(0),
            last_restart: Cell::new(0),
            names: RefCell::default(),
            callbacks: RefCell::new(vec![None; TOOLS * EVENTS]),
            instrumented: RefCell::default(),
            disable: RefCell::default(),
            missing: RefCell::default(),
        }
    }
}

fn marker(place: &RefCell<Option<Ref>>) -> PyResult {
    if let Some(found) = &*place.borrow() {
        return Ok(found.clone());
    }
    let made = crate::statics::PyBaseObject_Type.call(&[])?;
    *place.borrow_mut() = Some(made.clone());
    Ok(made)
}

impl Monitoring {
    /// Whether any tool wants any event everywhere.
    pub fn is_active(&self) -> bool {
        self.tools.get() != [0; UNGROUPED_EVENTS]
    }

    /// `sys.monitoring.DISABLE`.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn disable(&self) -> PyResult {
        marker(&self.disable)
    }

    /// `sys.monitoring.MISSING`.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn missing(&self) -> PyResult {
        marker(&self.missing)
    }

    /// Whether an object is `DISABLE`.
    pub fn is_disable(&self, object: &Object) -> bool {
        self.disable.borrow().as_ref().is_some_and(|disable| disable.is(object))
    }

    /// What is called for an event of a tool.
    pub fn callback(&self, tool: usize, event: usize) -> Option<Callback> {
        self.callbacks.borrow()[tool * EVENTS + event].clone()
    }

    /// Sets what is called for an event of a tool; gives what was called before.
    pub fn set_callback(&self, tool: usize, event: usize, callback: Option<Callback>) -> Option<Callback> {
        core::mem::replace(&mut self.callbacks.borrow_mut()[tool * EVENTS + event], callback)
    }

    /// The events that a tool wants everywhere.
    pub fn events_of(&self, tool: usize) -> u32 {
        events_in(&self.tools.get(), tool)
    }

    /// Counts a change.
    pub fn next_version(&self) -> u64 {
        self.version.set(self.version.get() + 1);
        self.version.get()
    }
}

/// The events that a tool wants, from the tools of each event.
pub fn events_in(tools: &[u8], tool: usize) -> u32 {
    let wanted = |(event, tools): (usize, &u8)| u32::from(tools >> tool & 1) << event;
    tools.iter().enumerate().map(wanted).sum()
}

/// Sets the events that a tool wants.
pub fn set_events_in(tools: &mut [u8], tool: usize, events: u32) {
    for (event, tools) in tools.iter_mut().enumerate() {
        *tools = *tools & !(1 << tool) | ((events >> event & 1) as u8) << tool;
    }
}

impl InterpreterState {
    /// Tells every thread whether events are wanted.
    pub fn announce_monitoring(&self) {
        let active = self.monitoring.is_active();
        for &thread in &*self.threads.borrow() {
            // SAFETY: listed threads are live.
            let word = unsafe { &(*thread).eval_breaker };
            if active {
                word.fetch_or(breaker::MONITORING, Ordering::Relaxed);
            } else {
                word.fetch_and(!breaker::MONITORING, Ordering::Relaxed);
            }
        }
    }
}
