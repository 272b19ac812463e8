//! Which locals may be unbound where they are loaded: those loads become `LOAD_FAST_CHECK`.
//!
//! A bit set flows through the graph for the first 64 locals. Further ones are looked at block by block only, so
//! that the work stays linear.

use taipan_bytecode::Opcode;

use super::graph::{BlockId, CfgInstr, Graph, NO_BLOCK, holds};

/// How many locals are followed from block to block.
pub const TRACKED: usize = 64;

/// Turns loads of possibly unbound locals into checking ones.
pub fn check_unbound_locals(graph: &mut Graph, nlocals: usize, nparams: usize) {
    if nlocals == 0 {
        return;
    }
    if nlocals > TRACKED {
        check_many_locals(graph, nlocals);
    }
    // Parameters are bound, and stay so when nothing unbinds.
    if nparams >= nlocals.min(TRACKED) && graph.held & holds::UNBIND == 0 {
        return;
    }
    graph.begin_walk();
    let mut stack = std::mem::take(&mut graph.stack);
    let mut start = 0u64;
    for local in nparams..nlocals.min(TRACKED) {
        start |= 1 << local;
    }
    arrive(graph, 0, start, &mut stack);
    let mut id = 0;
    while id != NO_BLOCK {
        graph.visit(id);
        scan(graph, id, &mut stack);
        id = graph.next(id);
    }
    // Blocks that have learnt of more unbound locals after their turn.
    while let Some(id) = stack.pop() {
        graph.at_mut(id).queued = false;
        scan(graph, id, &mut stack);
    }
    graph.stack = stack;
}

fn arrive(graph: &mut Graph, id: BlockId, unsafe_locals: u64, stack: &mut Vec<BlockId>) {
    let had_its_turn = graph.is_visited(id);
    let block = graph.at_mut(id);
    let both = block.unsafe_locals | unsafe_locals;
    if block.unsafe_locals != both {
        block.unsafe_locals = both;
        if had_its_turn && !block.queued {
            block.queued = true;
            stack.push(id);
        }
    }
}

fn scan(graph: &mut Graph, id: BlockId, stack: &mut Vec<BlockId>) {
    let guarded = graph.held & holds::GUARD != 0;
    let block = graph.at_mut(id);
    let mut unsafe_locals = block.unsafe_locals;
    if guarded {
        // Only facts about blocks change meanwhile.
        let mut instrs = std::mem::take(&mut block.instrs);
        let mut told = (NO_BLOCK, 0);
        for instr in &mut instrs {
            if instr.except != NO_BLOCK && (instr.except, unsafe_locals) != told {
                told = (instr.except, unsafe_locals);
                arrive(graph, instr.except, unsafe_locals, stack);
            }
            pass(instr, &mut unsafe_locals);
        }
        graph.at_mut(id).instrs = instrs;
    } else if block.may_hold(holds::LOCAL) {
        for instr in &mut block.instrs {
            pass(instr, &mut unsafe_locals);
        }
    }
    let block = graph.at(id);
    let (next, falls_through, target) = (block.next, block.falls_through(), block.jump_target());
    if next != NO_BLOCK && falls_through {
        arrive(graph, next, unsafe_locals, stack);
    }
    if let Some(target) = target {
        arrive(graph, target, unsafe_locals, stack);
    }
}

/// What an instruction does to the locals that may be unbound, and they to it.
#[inline]
fn pass(instr: &mut CfgInstr, unsafe_locals: &mut u64) {
    if holds::of(instr.op) & holds::LOCAL == 0 || instr.arg as usize >= TRACKED {
        return;
    }
    let bit = 1u64 << instr.arg;
    match instr.op {
        Opcode::STORE_FAST | Opcode::LOAD_FAST_CHECK => *unsafe_locals &= !bit,
        Opcode::LOAD_FAST => {
            if *unsafe_locals & bit != 0 {
                instr.op = Opcode::LOAD_FAST_CHECK;
                *unsafe_locals &= !bit;
            }
        }
        _ => *unsafe_locals |= bit,
    }
}

fn check_many_locals(graph: &mut Graph, nlocals: usize) {
    // The number of the block in which a local was last known to be bound.
    let mut bound_in = vec![0u32; nlocals - TRACKED];
    let mut number = 0;
    let mut id = 0;
    while id != NO_BLOCK {
        number += 1;
        let block = graph.at_mut(id);
        for instr in &mut block.instrs {
            let Some(local) = (instr.arg as usize).checked_sub(TRACKED) else { continue };
            match instr.op {
                Opcode::DELETE_FAST | Opcode::LOAD_FAST_AND_CLEAR | Opcode::STORE_FAST_MAYBE_NULL => {
                    bound_in[local] = number - 1;
                }
                Opcode::STORE_FAST => bound_in[local] = number,
                Opcode::LOAD_FAST => {
                    if bound_in[local] != number {
                        instr.op = Opcode::LOAD_FAST_CHECK;
                    }
                    bound_in[local] = number;
                }
                _ => {}
            }
        }
        id = block.next;
    }
}
