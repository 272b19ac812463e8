//! Which handler guards which instruction, by a walk that carries the stack of open protected regions.

use std::rc::Rc;

use taipan_bytecode::Opcode;
use taipan_bytecode::opcode::{RESUME_AT_FUNC_START, RESUME_OPARG_DEPTH1_MASK};

use super::graph::{BlockId, Graph, NO_BLOCK, holds};

/// Gives every instruction its handler, and turns `POP_BLOCK` into `NOP`.
pub fn label_exception_targets(graph: &mut Graph) {
    if graph.held & holds::GUARD == 0 {
        return;
    }
    graph.begin_walk();
    let mut todo: Vec<(BlockId, Rc<Vec<BlockId>>)> = vec![(0, Rc::new(Vec::new()))];
    graph.visit(0);
    while let Some((id, mut stack)) = todo.pop() {
        let mut handler = stack.last().copied().unwrap_or(NO_BLOCK);
        let mut depth_at_yield = None;
        let mut instrs = std::mem::take(&mut graph.at_mut(id).instrs);
        // What the block holds when its region's closers are gone.
        let mut holds = graph.at(id).holds & !holds::GUARD;
        for instr in &mut instrs {
            let bits = holds::of(instr.op);
            if bits & holds::OPENER != 0 {
                holds |= holds::GUARD;
                if !graph.visit(instr.target) {
                    todo.push((instr.target, stack.clone()));
                }
                if matches!(instr.op, Opcode::SETUP_WITH | Opcode::SETUP_CLEANUP) {
                    graph.at_mut(instr.target).preserve_lasti = true;
                }
                Rc::make_mut(&mut stack).push(instr.target);
                handler = instr.target;
            } else if bits & holds::GUARD != 0 {
                Rc::make_mut(&mut stack).pop();
                handler = stack.last().copied().unwrap_or(NO_BLOCK);
                instr.set_nop();
                holds |= holds::NOP;
            } else {
                instr.except = handler;
                if bits & holds::JUMP != 0 {
                    if !graph.visit(instr.target) {
                        todo.push((instr.target, stack.clone()));
                    }
                } else if instr.op == Opcode::YIELD_VALUE {
                    depth_at_yield = Some(stack.len());
                } else if instr.op == Opcode::RESUME && instr.arg != RESUME_AT_FUNC_START {
                    if depth_at_yield == Some(1) {
                        instr.arg |= RESUME_OPARG_DEPTH1_MASK;
                    }
                    depth_at_yield = None;
                }
            }
        }
        let block = graph.at_mut(id);
        block.instrs = instrs;
        block.holds = holds;
        let next = graph.next(id);
        if next != NO_BLOCK && graph.at(id).falls_through() && !graph.visit(next) {
            todo.push((next, stack));
        }
    }
}
