//! Runs of `SWAP`: replaced by the shortest run with the same effect, then applied to the instructions behind them
//! where those are stores that may change places.

use taipan_bytecode::Opcode;

use super::graph::CfgInstr;

/// Works on every run of swaps in a block.
pub fn optimize_swaps(instrs: &mut [CfgInstr]) {
    let mut at = 0;
    while at < instrs.len() {
        if instrs[at].op == Opcode::SWAP {
            at = shorten_run(instrs, at);
            apply_statically(instrs, at);
        }
        at += 1;
    }
}

/// Rewrites the run of swaps that begins at `start`; returns the index of its last instruction, or `start` when the
/// run is a single swap.
fn shorten_run(instrs: &mut [CfgInstr], start: usize) -> usize {
    let mut depth = instrs[start].arg as usize;
    let mut end = start + 1;
    let mut several = false;
    while let Some(instr) = instrs.get(end) {
        match instr.op {
            Opcode::SWAP => {
                depth = depth.max(instr.arg as usize);
                several = true;
            }
            Opcode::NOP => {}
            _ => break,
        }
        end += 1;
    }
    if !several {
        return start;
    }
    let mut stack: Vec<usize> = (0..depth).collect();
    for instr in &instrs[start..end] {
        if instr.op == Opcode::SWAP {
            stack.swap(0, instr.arg as usize - 1);
        }
    }
    // Undo the permutation cycle by cycle, writing from the end of the run backwards: each cycle is entered through
    // the top, the only place that a swap reaches.
    const DONE: usize = usize::MAX;
    let mut write = end;
    for first in 0..depth {
        if stack[first] == DONE || stack[first] == first {
            continue;
        }
        let mut at = first;
        loop {
            if at != 0 {
                write -= 1;
                instrs[write].op = Opcode::SWAP;
                instrs[write].arg = at as u32 + 1;
            }
            if stack[at] == DONE {
                break;
            }
            at = std::mem::replace(&mut stack[at], DONE);
        }
    }
    for instr in &mut instrs[start..write] {
        instr.set_nop();
    }
    end - 1
}

/// May it change places with another of its kind? It only consumes the top and runs no code.
fn is_swappable(op: Opcode) -> bool {
    matches!(op, Opcode::STORE_FAST | Opcode::STORE_FAST_MAYBE_NULL | Opcode::POP_TOP)
}

fn stored_local(instr: &CfgInstr) -> Option<u32> {
    matches!(instr.op, Opcode::STORE_FAST | Opcode::STORE_FAST_MAYBE_NULL).then_some(instr.arg)
}

/// The next instruction that may be moved, on the given line when one is given.
fn next_swappable(instrs: &[CfgInstr], at: usize, line: i32) -> Option<usize> {
    for (index, instr) in instrs.iter().enumerate().skip(at + 1) {
        if line >= 0 && instr.loc.lineno != line {
            return None;
        }
        if instr.op == Opcode::NOP {
            continue;
        }
        return is_swappable(instr.op).then_some(index);
    }
    None
}

/// Going back from `last`, exchanges instructions instead of values.
fn apply_statically(instrs: &mut [CfgInstr], last: usize) {
    for at in (0..=last).rev() {
        let swap = instrs[at];
        if swap.op != Opcode::SWAP {
            if swap.op == Opcode::NOP || is_swappable(swap.op) {
                continue;
            }
            return;
        }
        let Some(first) = next_swappable(instrs, at, -1) else { return };
        let line = instrs[first].loc.lineno;
        let mut second = first;
        for _ in 1..swap.arg {
            match next_swappable(instrs, second, line) {
                Some(index) => second = index,
                None => return,
            }
        }
        let (store_first, store_second) = (stored_local(&instrs[first]), stored_local(&instrs[second]));
        if store_first.is_some() || store_second.is_some() {
            if store_first == store_second {
                return;
            }
            let between = &instrs[first + 1..second.max(first + 1)];
            if between.iter().any(|instr| {
                let store = stored_local(instr);
                store.is_some() && (store == store_first || store == store_second)
            }) {
                return;
            }
        }
        instrs[at].set_nop();
        instrs.swap(first, second);
    }
}
