//! Which handler guards which instruction, by a walk that carries the stack of open protected regions.

use taipan_bytecode::Opcode;
use taipan_bytecode::opcode::{RESUME_AT_FUNC_START, RESUME_OPARG_DEPTH1_MASK};

use super::graph::{BlockId, Graph, NO_BLOCK, holds};

/// An open protected region.
struct Region {
    handler: BlockId,
    /// The region around it; around the first, which is none, that one again.
    outer: usize,
    /// Number of regions open there, itself included.
    depth: u32,
}

/// Gives every instruction its handler, and turns `POP_BLOCK` into `NOP`.
pub fn label_exception_targets(graph: &mut Graph) {
    if graph.held & holds::GUARD == 0 {
        return;
    }
    graph.begin_walk();
    let mut regions = vec![Region { handler: NO_BLOCK, outer: 0, depth: 0 }];
    let mut todo: Vec<(BlockId, usize)> = vec![(0, 0)];
    graph.visit(0);
    while let Some((id, mut region)) = todo.pop() {
        let mut handler = regions[region].handler;
        let mut depth_at_yield = None;
        let mut instrs = std::mem::take(&mut graph.at_mut(id).instrs);
        // What the block holds when its region's closers are gone.
        let mut holds = graph.at(id).holds & !holds::GUARD;
        for instr in &mut instrs {
            let bits = holds::of(instr.op);
            if bits & holds::OPENER != 0 {
                holds |= holds::GUARD;
                if !graph.visit(instr.target) {
                    todo.push((instr.target, region));
                }
                if matches!(instr.op, Opcode::SETUP_WITH | Opcode::SETUP_CLEANUP) {
                    graph.at_mut(instr.target).preserve_lasti = true;
                }
                handler = instr.target;
                regions.push(Region { handler, outer: region, depth: regions[region].depth + 1 });
                region = regions.len() - 1;
            } else if bits & holds::GUARD != 0 {
                region = regions[region].outer;
                handler = regions[region].handler;
                instr.set_nop();
                holds |= holds::NOP;
            } else {
                instr.except = handler;
                if bits & holds::JUMP != 0 {
                    if !graph.visit(instr.target) {
                        todo.push((instr.target, region));
                    }
                } else if instr.op == Opcode::YIELD_VALUE {
                    depth_at_yield = Some(regions[region].depth);
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
            todo.push((next, region));
        }
    }
}
