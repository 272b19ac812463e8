//! Blocks that only exceptions reach move behind all others.

use taipan_bytecode::{Location, Opcode};

use super::FlowError;
use super::graph::{BlockId, CfgInstr, Graph, NO_BLOCK};
use super::simplify::remove_redundant_nops_and_jumps;

/// Moves cold blocks to the end, keeping their order.
pub fn push_cold_blocks_to_end(graph: &mut Graph) -> Result<(), FlowError> {
    if graph.next(0) == NO_BLOCK || !graph.blocks().iter().any(|block| block.except_handler) {
        return Ok(());
    }
    mark_warm(graph);
    mark_cold(graph);
    add_explicit_jumps(graph);

    // Two chains, then one behind the other: each has a first and a last block.
    let mut chains = [(NO_BLOCK, NO_BLOCK); 2];
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        let next = std::mem::replace(&mut block.next, NO_BLOCK);
        let (first, last) = &mut chains[usize::from(block.cold)];
        match std::mem::replace(last, id) {
            NO_BLOCK => *first = id,
            before => graph.at_mut(before).next = id,
        }
        id = next;
    }
    let [(_, warm), (cold, _)] = chains;
    if cold == NO_BLOCK {
        return Ok(());
    }
    if warm != NO_BLOCK {
        graph.at_mut(warm).next = cold;
    }
    remove_redundant_nops_and_jumps(graph)
}

fn mark_warm(graph: &mut Graph) {
    graph.begin_walk();
    let mut stack = std::mem::take(&mut graph.stack);
    stack.push(0);
    graph.visit(0);
    while let Some(id) = stack.pop() {
        graph.at_mut(id).warm = true;
        for_each_successor(graph, id, |graph, successor| {
            if !graph.visit(successor) {
                stack.push(successor);
            }
        });
    }
    graph.stack = stack;
}

fn mark_cold(graph: &mut Graph) {
    graph.begin_walk();
    let mut stack = std::mem::take(&mut graph.stack);
    let mut id = 0;
    while id != NO_BLOCK {
        if graph.at(id).except_handler {
            graph.visit(id);
            stack.push(id);
        }
        id = graph.next(id);
    }
    while let Some(id) = stack.pop() {
        graph.at_mut(id).cold = true;
        for_each_successor(graph, id, |graph, successor| {
            if !graph.at(successor).warm && !graph.visit(successor) {
                stack.push(successor);
            }
        });
    }
    graph.stack = stack;
}

fn for_each_successor(graph: &mut Graph, id: BlockId, mut visit: impl FnMut(&mut Graph, BlockId)) {
    let next = graph.next(id);
    if next != NO_BLOCK && graph.at(id).falls_through() {
        visit(graph, next);
    }
    if let Some(target) = graph.at(id).jump_target() {
        visit(graph, target);
    }
}

/// A cold block that falls through to a warm one will be torn from it and needs a jump.
fn add_explicit_jumps(graph: &mut Graph) {
    let mut id = 0;
    while id != NO_BLOCK {
        let next = graph.next(id);
        if next != NO_BLOCK && graph.at(id).cold && graph.at(id).falls_through() && graph.at(next).warm {
            let jump = graph.new_block();
            let mut instr = CfgInstr::new(Opcode::JUMP_NO_INTERRUPT, 0, Location::NONE);
            instr.target = next;
            graph.at_mut(next).is_label = true;
            let block = graph.at_mut(jump);
            block.add(instr);
            block.cold = true;
            block.predecessors = 1;
            block.next = next;
            graph.at_mut(id).next = jump;
        }
        id = next;
    }
}
