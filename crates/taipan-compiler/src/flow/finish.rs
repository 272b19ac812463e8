//! The last passes: stack depth, frame slots of cells, pseudo instructions replaced, conditional jumps made to go
//! forward.

use taipan_bytecode::opcode::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR};
use taipan_bytecode::{Location, Opcode, opcode};

use super::graph::{CfgInstr, Graph, NO_BLOCK, holds, names_block};
use super::simplify::remove_redundant_nops_and_jumps;
use super::{FlowError, UnitFacts, borrow};
use crate::instr::Instr;
use crate::names::NameSet;

/// Where variables live in the frame.
pub struct Layout<'a> {
    /// Locals, parameters first.
    pub varnames: &'a NameSet,
    /// Cells.
    pub cellvars: &'a NameSet,
    /// Free variables.
    pub freevars: &'a NameSet,
}

/// Finishes the graph: what is left for the assembler is to give jumps their directions and distances.
pub fn finish(graph: &mut Graph, facts: &UnitFacts<'_>) -> Result<(), FlowError> {
    convert_pseudo_conditional_jumps(graph);
    graph.stacksize = calculate_stackdepth(graph)?;
    prepare_frame(graph, facts);
    convert_pseudo_ops(graph)?;
    normalize_jumps(graph);
    borrow::borrow_loads(graph);
    Ok(())
}

fn convert_pseudo_conditional_jumps(graph: &mut Graph) {
    if graph.held & holds::TEST == 0 {
        return;
    }
    for block in graph.blocks_mut() {
        let Some(last) = block.instrs.last_mut() else { continue };
        let op = match last.op {
            Opcode::JUMP_IF_FALSE => Opcode::POP_JUMP_IF_FALSE,
            Opcode::JUMP_IF_TRUE => Opcode::POP_JUMP_IF_TRUE,
            _ => continue,
        };
        last.op = op;
        let jump = *last;
        let at = block.instrs.len() - 1;
        block.instrs.truncate(at);
        let guarded = |op, arg| CfgInstr { except: jump.except, ..CfgInstr::new(op, arg, jump.loc) };
        // The jump stays last, and what is new is of no interest to the passes to come.
        block.instrs.push(guarded(Opcode::COPY, 1));
        block.instrs.push(guarded(Opcode::TO_BOOL, 0));
        block.instrs.push(jump);
        block.used_slots(2);
    }
}

const NO_EFFECT: FlowError = FlowError("Invalid stack effect");
const UNDERFLOW: FlowError = FlowError("Invalid CFG, stack underflow");

/// Finds out how deep the stack is at the beginning of each block, and how deep at most.
pub fn calculate_stackdepth(graph: &mut Graph) -> Result<u32, FlowError> {
    let mut deepest = 0;
    let mut stack = std::mem::take(&mut graph.stack);
    stack.clear();
    stack.push(0);
    graph.at_mut(0).start_depth = 0;
    while let Some(id) = stack.pop() {
        let depth = i64::from(graph.at(id).start_depth);
        let first_end = graph.at(id).may_have_targets().start;
        // Only depths of blocks change meanwhile.
        let instrs = std::mem::take(&mut graph.at_mut(id).instrs);
        let behind = depths_along(graph, &instrs, first_end, depth, &mut stack);
        graph.at_mut(id).instrs = instrs;
        let (depth, block_deepest) = behind?;
        deepest = deepest.max(block_deepest);
        let next = graph.next(id);
        if next != NO_BLOCK && graph.at(id).falls_through() {
            arrive(graph, next, depth, &mut stack)?;
        }
    }
    graph.stack = stack;
    // A frame has room for one value at least.
    u32::try_from(deepest.max(1)).map_err(|_| FlowError("Invalid CFG, stack overflow"))
}

/// Follows the depth along a block, and to the targets of its instructions from `first_end` on. Gives the depth at the
/// end, and the deepest before any instruction.
fn depths_along(
    graph: &mut Graph,
    instrs: &[CfgInstr],
    first_end: usize,
    mut depth: i64,
    stack: &mut Vec<u32>,
) -> Result<(i64, i64), FlowError> {
    let mut deepest = 0;
    let (plain, ends) = instrs.split_at(first_end);
    for instr in plain {
        deepest = deepest.max(depth);
        depth += opcode::stack_effect(instr.op, instr.arg, false).ok_or(NO_EFFECT)?;
        if depth < 0 {
            return Err(UNDERFLOW);
        }
    }
    for instr in ends {
        deepest = deepest.max(depth);
        let behind = depth + opcode::stack_effect(instr.op, instr.arg, false).ok_or(NO_EFFECT)?;
        if behind < 0 {
            return Err(UNDERFLOW);
        }
        if names_block(instr.op) && instr.op != Opcode::END_ASYNC_FOR {
            let effect = opcode::stack_effect(instr.op, instr.arg, true).ok_or(NO_EFFECT)?;
            arrive(graph, instr.target, depth + effect, stack)?;
        }
        depth = behind;
    }
    Ok((depth, deepest))
}

fn arrive(graph: &mut Graph, id: u32, depth: i64, stack: &mut Vec<u32>) -> Result<(), FlowError> {
    let block = graph.at_mut(id);
    if block.start_depth >= 0 && i64::from(block.start_depth) != depth {
        return Err(FlowError("Invalid CFG, inconsistent stackdepth"));
    }
    if block.start_depth < 0 {
        block.start_depth = i32::try_from(depth).map_err(|_| FlowError("Invalid CFG, stack overflow"))?;
        stack.push(id);
    }
    Ok(())
}

/// Frame slot of each cell and free variable: behind the locals, except cells of parameters, which stay in place.
pub fn cell_slots(layout: &Layout<'_>) -> Vec<u32> {
    let nlocals = layout.varnames.len() as u32;
    let mut dropped = 0;
    let cells = layout.cellvars.keys().map(Some).chain(layout.freevars.keys().map(|_| None));
    cells
        .enumerate()
        .map(|(index, name)| match name.and_then(|name| layout.varnames.position(name)) {
            Some(slot) => {
                dropped += 1;
                slot as u32
            }
            None => nlocals + index as u32 - dropped,
        })
        .collect()
}

/// Is the argument the number of a cell or free variable?
pub fn numbers_cell(op: Opcode) -> bool {
    matches!(
        op,
        Opcode::MAKE_CELL
            | Opcode::LOAD_CLOSURE
            | Opcode::LOAD_DEREF
            | Opcode::STORE_DEREF
            | Opcode::DELETE_DEREF
            | Opcode::LOAD_FROM_DICT_OR_DEREF
    )
}

fn prepare_frame(graph: &mut Graph, facts: &UnitFacts<'_>) {
    let generator = facts.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0;
    if facts.layout.cellvars.is_empty() && facts.layout.freevars.is_empty() && !generator {
        return;
    }
    let slots = cell_slots(&facts.layout);
    let mut prefix = Vec::new();
    let nfreevars = facts.layout.freevars.len() as u32;
    if nfreevars > 0 {
        prefix.push(CfgInstr::new(Opcode::COPY_FREE_VARS, nfreevars, Location::NONE));
    }
    let ncells = facts.layout.cellvars.len();
    let mut cells: Vec<u32> = (0..ncells as u32).collect();
    cells.sort_by_key(|cell| slots[*cell as usize]);
    prefix.extend(cells.into_iter().map(|cell| CfgInstr::new(Opcode::MAKE_CELL, cell, Location::NONE)));
    if generator {
        let line = facts.firstlineno;
        let loc = Location { lineno: line, end_lineno: line, col_offset: -1, end_col_offset: -1 };
        prefix.push(CfgInstr::new(Opcode::RETURN_GENERATOR, 0, loc));
        prefix.push(CfgInstr::new(Opcode::POP_TOP, 0, loc));
    }
    let entry = graph.at_mut(0);
    entry.used_slots(prefix.len());
    entry.holds |= prefix.iter().fold(0, |bits, instr| bits | instr.holds());
    entry.instrs.splice(0..0, prefix);
    if slots.is_empty() {
        return;
    }
    for block in graph.blocks_mut().iter_mut().filter(|block| block.may_hold(holds::CELL)) {
        for instr in &mut block.instrs {
            if numbers_cell(instr.op) {
                instr.arg = slots[instr.arg as usize];
            }
        }
    }
}

fn convert_pseudo_ops(graph: &mut Graph) -> Result<(), FlowError> {
    for block in graph.blocks_mut() {
        if !block.may_hold(holds::PSEUDO) {
            continue;
        }
        if block.may_hold(holds::OPENER) {
            block.holds |= holds::NOP;
        }
        if block.may_hold(holds::CELL) {
            block.holds |= holds::LOCAL;
        }
        block.holds &= !(holds::PSEUDO | holds::GUARD | holds::OPENER);
        for instr in &mut block.instrs {
            match instr.op {
                op if op.is_block_push() => instr.set_nop(),
                Opcode::LOAD_CLOSURE => instr.op = Opcode::LOAD_FAST,
                Opcode::STORE_FAST_MAYBE_NULL => instr.op = Opcode::STORE_FAST,
                _ => {}
            }
        }
    }
    remove_redundant_nops_and_jumps(graph)
}

/// Conditional jumps go forward only: one that goes back is inverted and jumps over an unconditional one.
fn normalize_jumps(graph: &mut Graph) {
    if graph.held & holds::JUMP == 0 {
        return;
    }
    graph.begin_walk();
    let mut id = 0;
    while id != NO_BLOCK {
        graph.visit(id);
        let next = graph.next(id);
        if let Some(last) = graph.at(id).instrs.last().copied()
            && let Some(inverted) = inverted(last.op)
        {
            if !graph.is_visited(last.target) {
                graph.at_mut(id).add(CfgInstr::new(Opcode::NOT_TAKEN, 0, last.loc));
            } else {
                jump_back_around(graph, id, last, inverted);
            }
        }
        id = next;
    }
}

fn inverted(op: Opcode) -> Option<Opcode> {
    Some(match op {
        Opcode::POP_JUMP_IF_NOT_NONE => Opcode::POP_JUMP_IF_NONE,
        Opcode::POP_JUMP_IF_NONE => Opcode::POP_JUMP_IF_NOT_NONE,
        Opcode::POP_JUMP_IF_FALSE => Opcode::POP_JUMP_IF_TRUE,
        Opcode::POP_JUMP_IF_TRUE => Opcode::POP_JUMP_IF_FALSE,
        _ => return None,
    })
}

fn jump_back_around(graph: &mut Graph, id: u32, last: CfgInstr, inverted: Opcode) {
    let fresh = graph.new_block();
    let start_depth = graph.at(last.target).start_depth;
    let mut jump = CfgInstr::new(Opcode::JUMP, 0, last.loc);
    jump.target = last.target;
    let block = graph.at_mut(id);
    let (next, cold) = (block.next, block.cold);
    let end = block.instrs.last_mut().expect("the jump");
    end.op = inverted;
    end.target = next;
    block.next = fresh;
    let block = graph.at_mut(fresh);
    block.add(CfgInstr::new(Opcode::NOT_TAKEN, 0, last.loc));
    block.add(jump);
    block.start_depth = start_depth;
    block.cold = cold;
    block.next = next;
    graph.visit(fresh);
}

/// Writes the graph out as a line of instructions, in which targets are positions.
pub fn linearize(graph: &Graph) -> Vec<Instr> {
    let mut instrs: Vec<Instr> = Vec::new();
    let mut first = vec![0; graph.blocks().len()];
    // The targets are block numbers until all blocks have their places.
    let mut targets = Vec::new();
    for id in graph.order() {
        let block = graph.at(id);
        let start = instrs.len();
        first[id as usize] = start as u32;
        instrs.extend(block.instrs.iter().map(|CfgInstr { op, arg, loc, .. }| Instr {
            op: *op,
            arg: *arg,
            loc: *loc,
        }));
        for at in block.may_have_targets() {
            let instr = &block.instrs[at];
            if names_block(instr.op) {
                targets.push((start + at, instr.target));
            }
        }
    }
    for (at, target) in targets {
        instrs[at].arg = first[target as usize];
    }
    instrs
}
