//! Which instructions begin a line.
//!
//! Problem: a line is reported when control reaches it from elsewhere, be it from the line above, by a jump or
//! by an exception; but not when it jumps about within the line. Instructions here do not note where they are
//! unless they call out, so an instruction cannot ask which one ran before it. Idea: the first instruction of
//! each stretch of a line, and every target of a jump, is *marked*. Most marks have only predecessors on other
//! lines: reaching them is always news. For the others the predecessors are made to note that they were run:
//! they get `INSTRUMENTED_LINE` too, without any tool (as long as the mark itself has one).
//!
//! Invariants: an instruction stands under `INSTRUMENTED_LINE` exactly when a tool wants its line or a live
//! mark needs to know of it; RESUME never does.

use crate::code::Code;
use taipan_bytecode::{self as bytecode, CACHES, op};

pub(super) struct Lines {
    /// The line of each unit, or a negative number.
    pub line: Vec<i32>,
    /// What is below `INSTRUMENTED_LINE`.
    pub below: Vec<u8>,
    /// The tools that want the line that begins here.
    pub tools: Vec<u8>,
    /// How many marks need to know that this instruction was run.
    needed: Vec<u32>,
    /// Marks whose predecessors are all on other lines.
    pub always: Vec<bool>,
    /// The marks in order, with the predecessors that they need to know of.
    marks: Vec<(usize, Vec<usize>)>,
    /// The first instruction that can be traced.
    pub first: usize,
}

/// One instruction of the original code.
#[derive(Clone, Copy)]
struct Step {
    at: usize,
    opcode: u8,
    oparg: usize,
    /// The unit behind it and its caches.
    next: usize,
}

/// The instructions of a code object; prefixes are instructions of their own.
fn steps(code: &[u8]) -> Vec<Step> {
    let mut all = Vec::with_capacity(code.len() / 2);
    let (mut at, mut prefix) = (0, 0usize);
    while at * 2 + 1 < code.len() {
        let (opcode, low) = (code[at * 2], usize::from(code[at * 2 + 1]));
        let oparg = prefix << 8 | low;
        let next = at + 1 + usize::from(CACHES[usize::from(opcode)]);
        all.push(Step { at, opcode, oparg, next });
        prefix = if opcode == op::EXTENDED_ARG { oparg & 0x00FF_FFFF } else { 0 };
        at = next;
    }
    all
}

/// The units of every `POP_ITER` and of the branch that leads to it, mostly a `FOR_ITER`.
pub(super) fn loops(code: &Code) -> Vec<(usize, usize)> {
    let original = code.original_code();
    let is_end = |unit: usize| original.get(unit * 2) == Some(&op::POP_ITER);
    steps(&original)
        .iter()
        .filter_map(|step| target(step).map(|to| (to, step.at)))
        .filter(|&(to, _)| is_end(to))
        .collect()
}

/// Where an instruction jumps to.
fn target(step: &Step) -> Option<usize> {
    match step.opcode {
        op::POP_JUMP_IF_TRUE
        | op::POP_JUMP_IF_FALSE
        | op::POP_JUMP_IF_NONE
        | op::POP_JUMP_IF_NOT_NONE
        | op::JUMP_FORWARD
        | op::SEND => Some(step.next + step.oparg),
        // Over END_FOR.
        op::FOR_ITER => Some(step.next + step.oparg + 1),
        op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => step.next.checked_sub(step.oparg),
        _ => None,
    }
}

fn falls_through(opcode: u8) -> bool {
    !matches!(
        opcode,
        op::RETURN_VALUE
            | op::RAISE_VARARGS
            | op::RERAISE
            | op::JUMP_FORWARD
            | op::JUMP_BACKWARD
            | op::JUMP_BACKWARD_NO_INTERRUPT
    )
}

/// Instructions that others pass over, and so begin no line.
fn never_begins(opcode: u8) -> bool {
    matches!(opcode, op::END_ASYNC_FOR | op::END_FOR | op::END_SEND | op::RESUME | op::POP_ITER)
}

impl Lines {
    pub fn new(code: &Code, first: usize) -> Lines {
        let count = code.unit_count();
        let mut line = Vec::with_capacity(count);
        for (units, location) in bytecode::LocationReader::new(code.linetable(), code.firstlineno()) {
            line.extend(core::iter::repeat_n(location.lineno, units));
        }
        line.resize(count, -1);
        let original = code.original_code();
        let steps = steps(&original);
        let mut marked = vec![false; count];
        let mut current = -1;
        for step in steps.iter().filter(|step| step.at >= first && !never_begins(step.opcode)) {
            marked[step.at] = line[step.at] >= 0 && line[step.at] != current;
            current = line[step.at];
        }
        let mut opcode_of = vec![0; count];
        for step in &steps {
            opcode_of[step.at] = step.opcode;
        }
        // A FOR_ITER leads to a POP_ITER, which begins no line.
        for step in steps.iter().filter(|step| step.at >= first && step.opcode != op::FOR_ITER) {
            let skipped = usize::from(step.opcode == op::SEND);
            if let Some(to) = target(step).map(|to| to + skipped)
                && to < count
                && line[to] >= 0
                && opcode_of[to] != op::POP_ITER
            {
                marked[to] = true;
            }
        }
        let mut handler = vec![false; count];
        for guard in bytecode::exceptions::read_guards(code.exceptiontable()) {
            let to = guard.target as usize;
            if to < count && line[to] >= 0 && opcode_of[to] != op::END_ASYNC_FOR {
                marked[to] = true;
                handler[to] = true;
            }
        }
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
        for step in steps.iter().filter(|step| step.at >= first) {
            let through = falls_through(step.opcode).then_some(step.next);
            for to in [through, target(step)].into_iter().flatten().filter(|&to| to < count && marked[to]) {
                before[to].push(step.at);
            }
        }
        let mut always = vec![false; count];
        let mut marks = Vec::new();
        for at in (0..count).filter(|&at| marked[at]) {
            let elsewhere = |&from: &usize| line[from] != line[at];
            always[at] = !handler[at] && before[at].iter().all(elsewhere);
            let mut sources = core::mem::take(&mut before[at]);
            sources.retain(|&from| !always[at] && opcode_of[from] != op::RESUME);
            marks.push((at, sources));
        }
        Lines {
            line,
            below: vec![0; count],
            tools: vec![0; count],
            needed: vec![0; count],
            always,
            marks,
            first,
        }
    }

    /// The units that begin lines.
    pub fn marked(&self) -> Vec<usize> {
        self.marks.iter().map(|mark| mark.0).collect()
    }

    /// The instructions that only note that they were run.
    pub fn silent(&self) -> impl Iterator<Item = usize> {
        (0..self.needed.len()).filter(|&unit| self.needed[unit] != 0 && self.tools[unit] == 0)
    }

    pub fn is_wanted(&self, unit: usize) -> bool {
        self.tools[unit] != 0 || self.needed[unit] != 0
    }

    /// Changes the tools of a mark; gives the instructions that it needs to know of, if that has changed.
    pub fn change(&mut self, unit: usize, remove: u8, add: u8) -> Vec<usize> {
        let Ok(index) = self.marks.binary_search_by_key(&unit, |mark| mark.0) else { return Vec::new() };
        let was = self.tools[unit];
        let is = was & !remove | add;
        self.tools[unit] = is;
        if (was == 0) == (is == 0) {
            return Vec::new();
        }
        let sources = self.marks[index].1.clone();
        for &source in &sources {
            let needed = &mut self.needed[source];
            *needed = if is != 0 { *needed + 1 } else { needed.saturating_sub(1) };
        }
        sources
    }
}
