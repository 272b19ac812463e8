//! Which handler guards which instruction, by a walk that carries the stack of open protected regions.

use std::rc::Rc;

use taipan_bytecode::Opcode;
use taipan_bytecode::opcode::{RESUME_AT_FUNC_START, RESUME_OPARG_DEPTH1_MASK};

use super::graph::{BlockId, Graph, NO_BLOCK, holds, is_jump};

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
        for instr in &mut instrs {
            match instr.op {
                op if op.is_block_push() => {
                    if !graph.visit(instr.target) {
                        todo.push((instr.target, stack.clone()));
                    }
                    if matches!(op, Opcode::SETUP_WITH | Opcode::SETUP_CLEANUP) {
                        graph.at_mut(instr.target).preserve_lasti = true;
                    }
                    Rc::make_mut(&mut stack).push(instr.target);
                    handler = instr.target;
                }
                Opcode::POP_BLOCK => {
                    Rc::make_mut(&mut stack).pop();
                    handler = stack.last().copied().unwrap_or(NO_BLOCK);
                    instr.set_nop();
                }
                op if is_jump(op) => {
                    instr.except = handler;
                    if !graph.visit(instr.target) {
                        todo.push((instr.target, stack.clone()));
                    }
                }
                op => {
                    instr.except = handler;
                    if op == Opcode::YIELD_VALUE {
                        depth_at_yield = Some(stack.len());
                    } else if op == Opcode::RESUME && instr.arg != RESUME_AT_FUNC_START {
                        if depth_at_yield == Some(1) {
                            instr.arg |= RESUME_OPARG_DEPTH1_MASK;
                        }
                        depth_at_yield = None;
                    }
                }
            }
        }
        let block = graph.at_mut(id);
        block.instrs = instrs;
        if block.may_hold(holds::GUARD) {
            block.look_again();
        }
        let next = graph.next(id);
        if next != NO_BLOCK && graph.at(id).falls_through() && !graph.visit(next) {
            todo.push((next, stack));
        }
    }
}
