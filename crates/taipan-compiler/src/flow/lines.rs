//! Line numbers of instructions that the source does not name. An exit without a line gets a copy of its own for
//! each jump to it, so that it can take over the line of the one place it is reached from (PEP 626); then lines
//! flow along blocks and into blocks with a single predecessor.

use taipan_bytecode::Location;

use super::graph::{Block, CfgInstr, Graph, NO_BLOCK, ends_path, holds, is_jump};

/// Gives a line to everything that can have one.
pub fn resolve_line_numbers(graph: &mut Graph) {
    if !graph.blocks().iter().any(|block| block.may_hold(holds::NO_LINE)) {
        return;
    }
    if graph.blocks().iter().any(wants_line) {
        duplicate_exits_without_lineno(graph);
    }
    propagate_line_numbers(graph);
}

fn wants_line(block: &Block) -> bool {
    block.may_hold(holds::NO_LINE) && block.has_no_lineno() && (block.exits_scope() || block.has_eval_break())
}

fn duplicate_exits_without_lineno(graph: &mut Graph) {
    let mut id = 0;
    while id != NO_BLOCK {
        if let Some(target) = graph.at(id).jump_target() {
            let target = graph.nonempty_from(target);
            if target != NO_BLOCK && wants_line(graph.at(target)) && graph.at(target).predecessors > 1 {
                let fresh = graph.new_block();
                let mut instrs = graph.at(target).instrs.clone();
                instrs[0].loc = graph.at(id).instrs.last().expect("the jump").loc;
                let old = graph.at_mut(target);
                old.predecessors -= 1;
                let next = old.next;
                let holds = old.holds;
                old.next = fresh;
                let copy = graph.at_mut(fresh);
                copy.instrs = instrs;
                copy.holds = holds;
                copy.predecessors = 1;
                copy.next = next;
                copy.is_label = true;
                graph.at_mut(id).instrs.last_mut().expect("the jump").target = fresh;
            }
        }
        id = graph.next(id);
    }
    id = 0;
    while id != NO_BLOCK {
        let block = graph.at(id);
        let next = block.next;
        if next != NO_BLOCK
            && wants_line(graph.at(next))
            && block.falls_through()
            && let Some(last) = block.instrs.last()
        {
            let loc = last.loc;
            graph.at_mut(next).instrs[0].loc = loc;
        }
        id = next;
    }
}

fn propagate_line_numbers(graph: &mut Graph) {
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        let next = block.next;
        if block.may_hold(holds::NO_LINE) && !fill_lines(&mut block.instrs) {
            block.holds &= !holds::NO_LINE;
        }
        let Some(last) = block.instrs.last().copied() else {
            id = next;
            continue;
        };
        if next != NO_BLOCK && !ends_path(last.op) {
            inherit(graph.at_mut(next), last.loc);
        }
        if is_jump(last.op) {
            inherit(graph.at_mut(last.target), last.loc);
        }
        id = next;
    }
}

/// Lets lines flow along a block; whether it has instructions without a line still is given back.
fn fill_lines(instrs: &mut [CfgInstr]) -> bool {
    let Some(first) = instrs.iter().position(|instr| instr.loc.lineno < 0) else { return false };
    let mut previous = if first > 0 { instrs[first - 1].loc } else { Location::NONE };
    // Below zero as soon as one of the lines is.
    let mut signs = 0;
    for instr in &mut instrs[first..] {
        if instr.is_artificial() {
            instr.loc = previous;
        } else {
            previous = instr.loc;
        }
        signs |= previous.lineno;
    }
    signs < 0
}

fn inherit(block: &mut Block, loc: Location) {
    if block.predecessors == 1
        && let Some(first) = block.instrs.first_mut()
        && first.is_artificial()
    {
        first.loc = loc;
    }
}
