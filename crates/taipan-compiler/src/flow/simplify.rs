//! Removal of what is not needed: unreachable blocks, idle `NOP`s, pairs that undo each other, jumps to the next
//! block, and jumps to small exits, which are replaced by a copy of the exit.

use taipan_bytecode::{Location, Opcode};

use super::FlowError;
use super::graph::{
    BlockId, CfgInstr, Graph, NO_BLOCK, holds, is_jump, is_unconditional_jump, loads_const, names_block,
};

/// Exits up to this size are copied.
const MAX_COPY_SIZE: usize = 4;

/// Replaces jumps to small exits, or to blocks without lines that do not fall through, by their content.
pub fn inline_small_or_no_lineno_blocks(graph: &mut Graph) {
    if graph.held & holds::ALWAYS == 0 {
        return;
    }
    loop {
        let mut changed = false;
        let mut id = 0;
        while id != NO_BLOCK {
            changed |= inline_target(graph, id);
            id = graph.next(id);
        }
        if !changed {
            return;
        }
    }
}

fn inline_target(graph: &mut Graph, id: BlockId) -> bool {
    if !graph.at(id).may_hold(holds::ALWAYS) {
        return false;
    }
    let Some(last) = graph.at(id).instrs.last().copied() else { return false };
    if !is_unconditional_jump(last.op) {
        return false;
    }
    let target = graph.at(last.target);
    let small_exit = target.exits_scope() && target.instrs.len() <= MAX_COPY_SIZE;
    let no_lineno = target.has_no_lineno() && !target.falls_through();
    if !small_exit && !no_lineno {
        return false;
    }
    let copy = target.instrs.clone();
    let copied = target.holds;
    graph.at_mut(last.target).predecessors -= 1;
    let block = graph.at_mut(id);
    block.instrs.last_mut().expect("a last instruction").set_nop();
    block.holds |= holds::NOP | copied;
    block.used_slots(copy.len());
    block.instrs.extend(copy);
    if no_lineno && last.op == Opcode::JUMP {
        let end = block.instrs.last_mut().expect("a copied instruction");
        // The copied jump must look for pending work where the replaced one did.
        if is_unconditional_jump(end.op) {
            end.op = Opcode::JUMP;
        }
    }
    true
}

/// Counts the ways into each block and empties those that cannot be reached.
pub fn remove_unreachable(graph: &mut Graph) {
    let leads_elsewhere = graph.held & (holds::JUMP | holds::GUARD) != 0;
    if let [block] = graph.blocks_mut()
        && !leads_elsewhere
    {
        block.predecessors = 1;
        return;
    }
    graph.begin_walk();
    for block in graph.blocks_mut() {
        block.predecessors = 0;
    }
    let mut stack = std::mem::take(&mut graph.stack);
    stack.push(0);
    graph.visit(0);
    graph.at_mut(0).predecessors = 1;
    while let Some(id) = stack.pop() {
        let next = graph.next(id);
        if next != NO_BLOCK && graph.at(id).falls_through() {
            arrive(graph, next, &mut stack);
        }
        let block = graph.at_mut(id);
        if block.may_hold(holds::GUARD) {
            // Only counts of ways change meanwhile.
            let instrs = std::mem::take(&mut block.instrs);
            for instr in instrs.iter().filter(|instr| names_block(instr.op)) {
                arrive(graph, instr.target, &mut stack);
            }
            graph.at_mut(id).instrs = instrs;
        } else if let Some(target) = block.jump_target() {
            arrive(graph, target, &mut stack);
        }
    }
    graph.stack = stack;
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        if block.predecessors == 0 {
            block.truncate(0);
            block.holds = 0;
            block.except_handler = false;
        }
        id = block.next;
    }
}

fn arrive(graph: &mut Graph, id: BlockId, stack: &mut Vec<BlockId>) {
    if !graph.visit(id) {
        stack.push(id);
    }
    graph.at_mut(id).predecessors += 1;
}

/// Line of the first instruction of a block that will stay.
fn first_line(graph: &Graph, id: BlockId) -> i32 {
    graph
        .at(id)
        .instrs
        .iter()
        .find(|instr| instr.op != Opcode::NOP || instr.loc.lineno >= 0)
        .map_or(Location::NONE.lineno, |instr| instr.loc.lineno)
}

/// Removes the `NOP`s of a block whose line shows elsewhere. Returns how many.
#[inline]
pub fn remove_block_nops(graph: &mut Graph, id: BlockId) -> usize {
    if graph.at(id).may_hold(holds::NOP) { remove_held_nops(graph, id) } else { 0 }
}

#[inline(never)]
fn remove_held_nops(graph: &mut Graph, id: BlockId) -> usize {
    let instrs = &graph.at(id).instrs;
    let count = instrs.len();
    let Some(first) = instrs.iter().position(|instr| instr.op == Opcode::NOP) else {
        graph.at_mut(id).holds &= !holds::NOP;
        return 0;
    };
    // The line behind the block, which only a `NOP` at its end asks for.
    let mut next_line = None;
    if instrs[count - 1].op == Opcode::NOP {
        let next = graph.nonempty_from(graph.next(id));
        next_line = (next != NO_BLOCK).then(|| first_line(graph, next));
    }
    let instrs = &mut graph.at_mut(id).instrs[..];
    let mut kept = first;
    let mut kept_nops = 0;
    let mut at = first;
    while at < count {
        // A `NOP`, then others up to the next one.
        let mut from = at + 1;
        if !is_idle(instrs, at, kept, next_line) {
            kept_nops = holds::NOP;
            from = at;
        }
        let others = instrs[at + 1..].iter().position(|instr| instr.op == Opcode::NOP);
        at = others.map_or(count, |others| at + 1 + others);
        instrs.copy_within(from..at, kept);
        kept += at - from;
    }
    let block = graph.at_mut(id);
    block.truncate(kept);
    block.holds = (block.holds & !holds::NOP) | kept_nops;
    count - kept
}

/// Is a `NOP` of no use, if what is kept before it ends at an index? An instruction without a line takes over its.
fn is_idle(instrs: &mut [CfgInstr], at: usize, kept: usize, next_line: Option<i32>) -> bool {
    let loc = instrs[at].loc;
    if loc.lineno < 0 || (kept > 0 && instrs[kept - 1].loc.lineno == loc.lineno) {
        return true;
    }
    match instrs.get_mut(at + 1) {
        Some(following) if following.loc.lineno < 0 => {
            following.loc = loc;
            true
        }
        Some(following) => following.loc.lineno == loc.lineno,
        None => next_line == Some(loc.lineno),
    }
}

/// Removes idle `NOP`s everywhere. Returns how many.
pub fn remove_redundant_nops(graph: &mut Graph) -> usize {
    let mut removed = 0;
    let mut id = 0;
    while id != NO_BLOCK {
        removed += remove_block_nops(graph, id);
        id = graph.next(id);
    }
    removed
}

/// Removes loads whose value is dropped at once.
pub fn remove_redundant_nops_and_pairs(graph: &mut Graph) {
    loop {
        let mut done = true;
        // The instruction before, when control surely comes from it.
        let mut previous: Option<(BlockId, usize)> = None;
        let mut id = 0;
        while id != NO_BLOCK {
            remove_block_nops(graph, id);
            if graph.at(id).is_label {
                previous = None;
            }
            let block = graph.at(id);
            let count = block.instrs.len();
            if block.may_hold(holds::POP) {
                let mut from = 0;
                while let Some(at) = next_pop(&graph.at(id).instrs, from) {
                    let before = if at > 0 { Some((id, at - 1)) } else { previous };
                    if before.is_some_and(|before| undo_pair(graph, before, (id, at))) {
                        done = false;
                    }
                    from = at + 1;
                }
            }
            if count > 0 {
                previous = Some((id, count - 1));
            }
            let ends_by_jump =
                previous.is_some_and(|(block, index)| is_jump(graph.at(block).instrs[index].op));
            if ends_by_jump || !graph.at(id).falls_through() {
                previous = None;
            }
            id = graph.next(id);
        }
        if done {
            return;
        }
    }
}

/// Index of the first `POP_TOP` from an index on.
fn next_pop(instrs: &[CfgInstr], from: usize) -> Option<usize> {
    instrs[from..].iter().position(|instr| instr.op == Opcode::POP_TOP).map(|more| from + more)
}

/// Removes a load and the drop that follows it, if that is what they are.
fn undo_pair(graph: &mut Graph, load: (BlockId, usize), drop: (BlockId, usize)) -> bool {
    let before = &mut graph.at_mut(load.0).instrs[load.1];
    let copies_top = before.op == Opcode::COPY && before.arg == 1;
    if !loads_const(before.op) && !copies_top {
        return false;
    }
    for (id, at) in [load, drop] {
        let block = graph.at_mut(id);
        block.instrs[at].set_nop();
        block.holds |= holds::NOP;
    }
    true
}

fn remove_redundant_jumps(graph: &mut Graph) -> Result<usize, FlowError> {
    let mut changes = 0;
    let mut id = 0;
    while id != NO_BLOCK {
        let next = graph.next(id);
        if graph.at(id).may_hold(holds::ALWAYS)
            && let Some(last) = graph.at(id).instrs.last().copied()
            && is_unconditional_jump(last.op)
        {
            let target = graph.nonempty_from(last.target);
            if target == NO_BLOCK {
                return Err(FlowError("jump with NULL target"));
            }
            if target == graph.nonempty_from(next) {
                changes += 1;
                let block = graph.at_mut(id);
                block.instrs.last_mut().expect("a last instruction").set_nop();
                block.holds |= holds::NOP;
            }
        }
        id = next;
    }
    Ok(changes)
}

/// Removes idle `NOP`s and jumps to the next block until there are none.
pub fn remove_redundant_nops_and_jumps(graph: &mut Graph) -> Result<(), FlowError> {
    loop {
        let nops = remove_redundant_nops(graph);
        // A single block has nowhere to jump to but itself.
        if graph.blocks().len() == 1 {
            return Ok(());
        }
        let jumps = remove_redundant_jumps(graph)?;
        if nops + jumps == 0 {
            return Ok(());
        }
    }
}
