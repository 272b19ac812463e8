//! Monitoring: rewriting code so that it tells tools what it does (PEP 669).
//!
//! Problem: debuggers, profilers and coverage tools want to hear of lines, calls, jumps and exceptions, yet
//! code that nobody watches must not even test whether somebody does. Idea: instructions that have something
//! to tell are replaced in place by `INSTRUMENTED_…` forms; tables that hang on the code object remember what
//! stood there and which tools want to hear of it. Code is brought up to date where it is entered (`RESUME`
//! looks only when the eval breaker says that some tool is active), and at once where it is being run.
//!
//! An instruction can carry three layers: `INSTRUMENTED_LINE` on top, `INSTRUMENTED_INSTRUCTION` below it, and
//! the instruction's own form at the bottom. Each layer knows what is below it.
//!
//! Invariants: while `_co_monitoring` is null no instrumented form stands in the code; the tables are freed
//! with the code object only; no reference into the tables is kept across a call of a tool. Nothing of this
//! shows in `co_code`, in comparisons or in what is marshalled: all of them read [`base_opcode`].

pub mod events;
pub mod jump;
pub mod legacy;
mod lines;

use crate::code::Code;
use crate::frame::Frame;
use lines::Lines;
use taipan_bytecode::{CACHES, DEOPT, MIN_INSTRUMENTED_OPCODE, op};
use taipan_object::monitoring::*;
use taipan_object::state::{self, ThreadState};

/// What stands for an instruction while it is watched; 0 where nothing does.
static INSTRUMENTED: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < PAIRS.len() {
        table[PAIRS[at].0 as usize] = PAIRS[at].1;
        at += 1;
    }
    table
};

/// The family's head of every opcode, instrumented ones included.
static BASE: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = DEOPT[at];
        at += 1;
    }
    at = 0;
    while at < PAIRS.len() {
        table[PAIRS[at].1 as usize] = PAIRS[at].0;
        at += 1;
    }
    table
};

const PAIRS: [(u8, u8); 21] = [
    (op::END_FOR, op::INSTRUMENTED_END_FOR),
    (op::POP_ITER, op::INSTRUMENTED_POP_ITER),
    (op::END_SEND, op::INSTRUMENTED_END_SEND),
    (op::FOR_ITER, op::INSTRUMENTED_FOR_ITER),
    (op::JUMP_FORWARD, op::INSTRUMENTED_JUMP_FORWARD),
    (op::NOT_TAKEN, op::INSTRUMENTED_NOT_TAKEN),
    (op::POP_JUMP_IF_TRUE, op::INSTRUMENTED_POP_JUMP_IF_TRUE),
    (op::POP_JUMP_IF_FALSE, op::INSTRUMENTED_POP_JUMP_IF_FALSE),
    (op::POP_JUMP_IF_NONE, op::INSTRUMENTED_POP_JUMP_IF_NONE),
    (op::POP_JUMP_IF_NOT_NONE, op::INSTRUMENTED_POP_JUMP_IF_NOT_NONE),
    (op::RESUME, op::INSTRUMENTED_RESUME),
    (op::RETURN_VALUE, op::INSTRUMENTED_RETURN_VALUE),
    (op::YIELD_VALUE, op::INSTRUMENTED_YIELD_VALUE),
    (op::END_ASYNC_FOR, op::INSTRUMENTED_END_ASYNC_FOR),
    (op::LOAD_SUPER_ATTR, op::INSTRUMENTED_LOAD_SUPER_ATTR),
    (op::CALL, op::INSTRUMENTED_CALL),
    (op::CALL_KW, op::INSTRUMENTED_CALL_KW),
    (op::CALL_FUNCTION_EX, op::INSTRUMENTED_CALL_FUNCTION_EX),
    (op::JUMP_BACKWARD, op::INSTRUMENTED_JUMP_BACKWARD),
    // The layers: what is below them is in the tables.
    (op::INSTRUMENTED_LINE, op::INSTRUMENTED_LINE),
    (op::INSTRUMENTED_INSTRUCTION, op::INSTRUMENTED_INSTRUCTION),
];

/// Where a RESUME stands: 0 at the start of a function.
const RESUME_PLACE: u8 = 3;

/// The event of an instruction's own form.
fn event_of(base: u8, oparg: u8) -> Option<usize> {
    Some(match base {
        op::RESUME if oparg & RESUME_PLACE == 0 => event::PY_START,
        op::RESUME => event::PY_RESUME,
        op::RETURN_VALUE => event::PY_RETURN,
        op::YIELD_VALUE => event::PY_YIELD,
        op::CALL | op::CALL_KW | op::CALL_FUNCTION_EX | op::LOAD_SUPER_ATTR => event::CALL,
        op::JUMP_FORWARD | op::JUMP_BACKWARD => event::JUMP,
        op::POP_JUMP_IF_TRUE
        | op::POP_JUMP_IF_FALSE
        | op::POP_JUMP_IF_NONE
        | op::POP_JUMP_IF_NOT_NONE
        | op::POP_ITER
        | op::END_ASYNC_FOR => event::BRANCH_RIGHT,
        op::FOR_ITER | op::NOT_TAKEN => event::BRANCH_LEFT,
        op::END_FOR | op::END_SEND => event::STOP_ITERATION,
        _ => return None,
    })
}

/// What a watched code object remembers, one entry for each code unit.
struct Tables {
    /// The tools that want events of this code only.
    local: LocalTools,
    /// The tools that the code has been rewritten for.
    active: LocalTools,
    /// Once several tools wanted the same event.
    several: bool,
    /// For each instruction the tools that want its own event.
    tools: Vec<u8>,
    lines: Option<Box<Lines>>,
    /// What is below `INSTRUMENTED_INSTRUCTION`; empty before the first.
    below: Vec<u8>,
    instruction_tools: Vec<u8>,
    /// The ends of `for` loops: units of `POP_ITER` and of the branch to it.
    loops: Vec<(usize, usize)>,
}

/// The tables of a code object; null if it has none.
fn tables(code: &Code) -> *mut Tables {
    // SAFETY: the view guarantees the layout; only this module writes the field.
    unsafe { (*code.raw())._co_monitoring.cast() }
}

fn opcode_at(code: &Code, unit: usize) -> u8 {
    // SAFETY: units are below the code's length, or the sentinel behind it.
    unsafe { code.instructions().add(unit).read() as u8 }
}

fn set_opcode_at(code: &Code, unit: usize, opcode: u8) {
    // SAFETY: as above.
    unsafe {
        let place = code.instructions().add(unit);
        place.write(place.read() & 0xFF00 | u16::from(opcode));
    }
}

/// An entry of a table, which may not have been made yet.
fn entry(table: &[u8], unit: usize, otherwise: u8) -> u8 {
    table.get(unit).copied().unwrap_or(otherwise)
}

/// The opcode below `INSTRUMENTED_LINE`, if that stands there.
pub(crate) fn below_line(code: &Code, unit: usize) -> u8 {
    match opcode_at(code, unit) {
        // SAFETY: the opcode stands only where the tables are.
        op::INSTRUMENTED_LINE => unsafe {
            (*tables(code)).lines.as_ref().map_or(op::NOP, |lines| lines.below[unit])
        },
        opcode => opcode,
    }
}

/// Whether some tool wants the line that begins here.
pub(crate) fn begins_line(code: &Code, unit: usize) -> bool {
    let own = tables(code);
    // SAFETY: tables are live while they hang on the code.
    !own.is_null() && unsafe { (*own).lines.as_ref().is_some_and(|lines| lines.tools[unit] != 0) }
}

/// The instruction's own form, perhaps instrumented, below all layers.
pub(crate) fn own_opcode(code: &Code, unit: usize) -> u8 {
    match below_line(code, unit) {
        // SAFETY: as above.
        op::INSTRUMENTED_INSTRUCTION => unsafe { entry(&(*tables(code)).below, unit, op::NOP) },
        opcode => opcode,
    }
}

/// The opcode that the compiler wrote.
pub fn base_opcode(code: &Code, unit: usize) -> u8 {
    BASE[usize::from(own_opcode(code, unit))]
}

/// The instructions as they stand now. Where `INSTRUMENTED_LINE` serves no tool, what is below it.
pub(crate) fn visible_code(code: &Code) -> Vec<u8> {
    let mut all = Vec::with_capacity(code.unit_count() * 2);
    for unit in 0..code.unit_count() {
        // SAFETY: within the instructions.
        all.extend(unsafe { code.instructions().add(unit).read() }.to_ne_bytes());
    }
    let own = tables(code);
    if own.is_null() {
        return all;
    }
    // SAFETY: tables are live while they hang on the code.
    if let Some(lines) = unsafe { &(*own).lines } {
        for unit in lines.silent() {
            all[unit * 2] = lines.below[unit];
        }
    }
    all
}

/// Units of the instruction at `unit` with its caches.
fn length_at(code: &Code, unit: usize) -> usize {
    1 + usize::from(CACHES[usize::from(base_opcode(code, unit))])
}

/// The family's head, for what must not be a specialised form.
fn general(opcode: u8) -> u8 {
    if opcode < MIN_INSTRUMENTED_OPCODE { DEOPT[usize::from(opcode)] } else { opcode }
}

/// Lets the choice of a specialised form begin anew.
fn forget_choice(code: &Code, unit: usize, base: u8) {
    if CACHES[usize::from(base)] > 0 && unit + 1 < code.unit_count() {
        // SAFETY: within the instructions.
        unsafe { code.instructions().add(unit + 1).write(crate::code::WARMUP) };
    }
}

impl Tables {
    fn new(code: &Code) -> Tables {
        Tables {
            local: [0; LOCAL_EVENTS],
            active: [0; LOCAL_EVENTS],
            several: false,
            tools: vec![0; code.unit_count()],
            lines: None,
            below: Vec::new(),
            instruction_tools: Vec::new(),
            loops: lines::loops(code),
        }
    }

    fn set_below_line(&mut self, code: &Code, unit: usize, opcode: u8) {
        match &mut self.lines {
            Some(lines) if opcode_at(code, unit) == op::INSTRUMENTED_LINE => lines.below[unit] = opcode,
            _ => set_opcode_at(code, unit, opcode),
        }
    }

    fn set_own(&mut self, code: &Code, unit: usize, opcode: u8) {
        if below_line(code, unit) == op::INSTRUMENTED_INSTRUCTION {
            self.below[unit] = opcode;
        } else {
            self.set_below_line(code, unit, opcode);
        }
    }

    fn add_own(&mut self, code: &Code, unit: usize, tools: u8) {
        self.tools[unit] |= tools;
        let own = own_opcode(code, unit);
        if own < MIN_INSTRUMENTED_OPCODE {
            let base = DEOPT[usize::from(own)];
            self.set_own(code, unit, INSTRUMENTED[usize::from(base)]);
            forget_choice(code, unit, base);
        }
    }

    fn remove_own(&mut self, code: &Code, unit: usize, tools: u8) {
        self.tools[unit] &= !tools;
        let own = own_opcode(code, unit);
        if self.tools[unit] == 0 && own >= MIN_INSTRUMENTED_OPCODE {
            let base = BASE[usize::from(own)];
            self.set_own(code, unit, base);
            forget_choice(code, unit, base);
        }
    }

    fn add_instruction(&mut self, code: &Code, unit: usize, tools: u8) {
        self.instruction_tools[unit] |= tools;
        let opcode = below_line(code, unit);
        if opcode != op::INSTRUMENTED_INSTRUCTION {
            self.below[unit] = general(opcode);
            self.set_below_line(code, unit, op::INSTRUMENTED_INSTRUCTION);
            forget_choice(code, unit, base_opcode(code, unit));
        }
    }

    fn remove_instruction(&mut self, code: &Code, unit: usize, tools: u8) {
        self.instruction_tools[unit] &= !tools;
        if self.instruction_tools[unit] == 0 && below_line(code, unit) == op::INSTRUMENTED_INSTRUCTION {
            self.set_below_line(code, unit, self.below[unit]);
            forget_choice(code, unit, base_opcode(code, unit));
        }
    }

    /// Puts `INSTRUMENTED_LINE` where it is wanted and takes it away where it is not.
    fn settle_line(&mut self, code: &Code, unit: usize) {
        let Some(lines) = &mut self.lines else { return };
        let opcode = opcode_at(code, unit);
        if lines.is_wanted(unit) {
            if opcode != op::INSTRUMENTED_LINE {
                lines.below[unit] = general(opcode);
                set_opcode_at(code, unit, op::INSTRUMENTED_LINE);
                forget_choice(code, unit, base_opcode(code, unit));
            }
        } else if opcode == op::INSTRUMENTED_LINE {
            set_opcode_at(code, unit, lines.below[unit]);
            forget_choice(code, unit, base_opcode(code, unit));
        }
    }

    fn change_line(&mut self, code: &Code, unit: usize, remove: u8, add: u8) {
        let Some(lines) = &mut self.lines else { return };
        let sources = lines.change(unit, remove, add);
        self.settle_line(code, unit);
        for source in sources {
            self.settle_line(code, source);
        }
    }

    /// Rewrites the code: some tools do not want some events any more, others want them now.
    fn rewrite(&mut self, code: &Code, first: usize, removed: &LocalTools, added: &LocalTools) {
        let count = code.unit_count();
        let change = |event: usize| removed[event] | added[event] != 0;
        let mut unit = first;
        while unit < count {
            let base = base_opcode(code, unit);
            // SAFETY: within the instructions.
            let oparg = unsafe { code.instructions().add(unit).read() >> 8 } as u8;
            if let Some(event) = event_of(base, oparg).filter(|&event| change(event)) {
                if removed[event] != 0 {
                    self.remove_own(code, unit, removed[event]);
                }
                if added[event] != 0 {
                    self.add_own(code, unit, added[event]);
                }
            }
            unit += length_at(code, unit);
        }
        if change(event::INSTRUCTION) {
            self.below.resize(count, 0);
            self.instruction_tools.resize(count, 0);
            let mut unit = first;
            while unit < count {
                let length = length_at(code, unit);
                if !matches!(base_opcode(code, unit), op::RESUME | op::END_FOR) {
                    self.remove_instruction(code, unit, removed[event::INSTRUCTION]);
                    if added[event::INSTRUCTION] != 0 {
                        self.add_instruction(code, unit, added[event::INSTRUCTION]);
                    }
                }
                unit += length;
            }
        }
        if change(event::LINE) {
            let marks = self.lines.get_or_insert_with(|| Box::new(Lines::new(code, first))).marked();
            for unit in marks {
                self.change_line(code, unit, removed[event::LINE], added[event::LINE]);
            }
        }
    }
}

/// Brings a code object up to date with what tools want; `true` when it had to be rewritten.
pub fn update(code: &Code) -> bool {
    let monitoring = &state::interp().monitoring;
    let raw = code.raw();
    // SAFETY: the view guarantees the layout; the tables are not referred to by anything else.
    unsafe {
        let seen = (*raw)._co_instrumentation_version;
        (*raw)._co_instrumentation_version = monitoring.version.get();
        let mut wanted: LocalTools = [0; LOCAL_EVENTS];
        wanted.copy_from_slice(&monitoring.tools.get()[..LOCAL_EVENTS]);
        let mut own = tables(code);
        if own.is_null() {
            if wanted == [0; LOCAL_EVENTS] {
                return false;
            }
            own = make_tables(code);
        }
        let own = &mut *own;
        for (wanted, local) in wanted.iter_mut().zip(own.local) {
            *wanted |= local;
        }
        own.several |= wanted.iter().any(|tools| tools.count_ones() > 1);
        let before = core::mem::replace(&mut own.active, wanted);
        let (removed, added) = if monitoring.last_restart.get() > seen {
            (before, wanted)
        } else {
            let only = |a: &LocalTools, b: &LocalTools| core::array::from_fn(|event| a[event] & !b[event]);
            (only(&before, &wanted), only(&wanted, &before))
        };
        if removed == [0; LOCAL_EVENTS] && added == [0; LOCAL_EVENTS] {
            return false;
        }
        let first = usize::try_from((*raw)._co_firsttraceable).unwrap_or(0);
        own.rewrite(code, first, &removed, &added);
        true
    }
}

fn make_tables(code: &Code) -> *mut Tables {
    let made = Box::into_raw(Box::new(Tables::new(code)));
    // SAFETY: the view guarantees the layout.
    unsafe { (*code.raw())._co_monitoring = made.cast() };
    state::interp().monitoring.instrumented.borrow_mut().insert(code.as_ptr().addr());
    made
}

/// Frees the tables of a code object that dies.
///
/// # Safety
/// Nothing runs or rewrites the code any more.
pub unsafe fn free_tables(code: &Code) {
    let own = tables(code);
    if own.is_null() {
        return;
    }
    state::interp().monitoring.instrumented.borrow_mut().remove(&code.as_ptr().addr());
    // SAFETY: made by `make_tables`, freed once.
    unsafe {
        (*code.raw())._co_monitoring = core::ptr::null_mut();
        drop(Box::from_raw(own));
    }
}

/// Brings the code of a frame that is entered up to date; `true` when it had to be rewritten.
///
/// # Safety
/// `frame` is live, `thread` the current thread's state.
pub unsafe fn update_frame(thread: *mut ThreadState, frame: *mut Frame) -> bool {
    // SAFETY: by contract.
    unsafe {
        let code = Frame::code(frame);
        let current =
            (*code.raw())._co_instrumentation_version == (*thread).interp().monitoring.version.get();
        !current && (*thread).base.tracing == 0 && update(code)
    }
}

/// Brings all code that is being run up to date.
fn update_running() {
    let threads = state::interp().threads.borrow().clone();
    for thread in threads {
        // SAFETY: listed threads are live, their frames too; the interpreter lock is held.
        unsafe {
            let mut frame: *mut Frame = (*thread).base.current_frame.cast();
            while !frame.is_null() {
                update(Frame::code(frame));
                frame = (*frame).previous;
            }
        }
    }
}

/// Brings all code up to date that was ever rewritten.
fn update_rewritten() {
    let all: Vec<usize> = state::interp().monitoring.instrumented.borrow().iter().copied().collect();
    for address in all {
        // SAFETY: code objects leave the set when they die, and updating runs no Python code.
        unsafe {
            let ptr = core::ptr::with_exposed_provenance_mut(address);
            update(taipan_object::Object::borrow(ptr).cast());
        }
    }
}

/// Puts a change of what tools want everywhere into effect.
fn apply() {
    let interp = state::interp();
    interp.monitoring.next_version();
    if interp.monitoring.is_active() {
        update_running();
    } else {
        // Nobody will look at the entries of functions any more: everything is put right now.
        update_rewritten();
    }
    interp.announce_monitoring();
}

/// Sets the events that a tool wants everywhere.
pub fn set_events(tool: usize, events: u32) {
    let monitoring = &state::interp().monitoring;
    if monitoring.events_of(tool) == events {
        return;
    }
    let mut tools = monitoring.tools.get();
    set_events_in(&mut tools, tool, events);
    monitoring.tools.set(tools);
    apply();
}

/// The events that a tool wants of one code object only.
pub fn local_events(tool: usize, code: &Code) -> u32 {
    let own = tables(code);
    // SAFETY: tables are live while they hang on the code.
    if own.is_null() { 0 } else { events_in(unsafe { &(*own).local }, tool) }
}

/// Sets the events that a tool wants of one code object.
pub fn set_local_events(tool: usize, code: &Code, events: u32) {
    if local_events(tool, code) == events {
        return;
    }
    let mut own = tables(code);
    if own.is_null() {
        // What cannot be run is never rewritten; the error appears when somebody tries.
        if code.ensure_verified().is_err() {
            return;
        }
        own = make_tables(code);
    }
    // SAFETY: as above.
    unsafe { set_events_in(&mut (*own).local, tool, events) };
    update(code);
}

/// Asks for all events again that tools have disabled.
pub fn restart_events() {
    let monitoring = &state::interp().monitoring;
    monitoring.last_restart.set(monitoring.next_version());
    monitoring.next_version();
    update_running();
    update_rewritten();
    state::interp().announce_monitoring();
}

/// Takes everything back that a tool has asked for.
pub fn clear_tool(tool: usize) {
    let monitoring = &state::interp().monitoring;
    for event in 0..EVENTS {
        let old = monitoring.set_callback(tool, event, None);
        drop(old);
    }
    let all: Vec<usize> = monitoring.instrumented.borrow().iter().copied().collect();
    for address in all {
        // SAFETY: as in `update_rewritten`.
        unsafe {
            let ptr = core::ptr::with_exposed_provenance_mut(address);
            set_local_events(tool, taipan_object::Object::borrow(ptr).cast(), 0);
        }
    }
    set_events(tool, 0);
}

/// The tools that want an event of the instruction at `unit`, or an event without an instruction.
fn tools_at(code: &Code, unit: usize, event: usize) -> u8 {
    let own = tables(code);
    match event {
        // A tool that has just disabled the call still hears how it ends, as long as it is the only one.
        // SAFETY: tables are live while they hang on the code.
        event::C_RETURN | event::C_RAISE if !own.is_null() && unsafe { !(*own).several } => unsafe {
            (*own).active[event::CALL]
        },
        event::C_RETURN | event::C_RAISE => tools_at(code, unit, event::CALL),
        // SAFETY: tables are live while they hang on the code.
        _ if event < LOCAL_EVENTS && !own.is_null() => unsafe { entry(&(*own).tools, unit, 0) },
        _ if event < LOCAL_EVENTS => 0,
        _ => state::interp().monitoring.tools.get()[event],
    }
}

/// A tool does not want the event of this instruction any more.
fn disable_at(code: &Code, unit: usize, event: usize, tool: usize) {
    let own = tables(code);
    if own.is_null() || unit >= code.unit_count() {
        return;
    }
    // SAFETY: tables are live while they hang on the code.
    let own = unsafe { &mut *own };
    match event {
        event::LINE => own.change_line(code, unit, 1 << tool, 0),
        event::INSTRUCTION => own.remove_instruction(code, unit, 1 << tool),
        _ => own.remove_own(code, unit, 1 << tool),
    }
}

/// The other end of a loop: of its `FOR_ITER` the `POP_ITER`, and the other way round. A `POP_ITER` without a
/// `FOR_ITER` of its own is reached by a conditional jump.
pub(crate) fn loop_partner(code: &Code, unit: usize) -> Option<usize> {
    let own = tables(code);
    if own.is_null() {
        return None;
    }
    // SAFETY: as above.
    let loops = unsafe { &(*own).loops };
    loops.iter().find_map(|&(end, head)| match unit {
        _ if unit == end => Some(head),
        _ if unit == head => Some(end),
        _ => None,
    })
}
