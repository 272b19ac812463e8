//! Local improvements within a block: constants that decide jumps, comparisons that need no `TO_BOOL`, jumps to
//! jumps, foldable operations, and the fusing of instruction pairs.

use taipan_bytecode::opcode::{COMPARE_TO_BOOL, INTRINSIC_LIST_TO_TUPLE, INTRINSIC_UNARY_POSITIVE};
use taipan_bytecode::{Constant, Opcode};

use super::fold_block::Folder;
use super::graph::{BlockId, CfgInstr, Graph, NO_BLOCK, holds, is_jump, loads_const};
use super::simplify::remove_block_nops;
use super::swaps::optimize_swaps;
use crate::constants::truth;

/// Replaces loads of small integers, and folds tests of constants.
pub fn optimize_load_const(graph: &mut Graph, id: BlockId, folder: &mut Folder<'_>) {
    if !graph.at(id).may_hold(holds::CONST) {
        return;
    }
    let block = graph.at_mut(id);
    let mut folded = false;
    let instrs = &mut block.instrs;
    // The load that the top of the stack comes from, seen through copies.
    let (mut op, mut arg) = (Opcode::CACHE, 0);
    for at in 0..instrs.len() {
        if instrs[at].op == Opcode::LOAD_CONST
            && let Some(small) = folder.small_int(instrs[at].arg)
        {
            instrs[at].set(Opcode::LOAD_SMALL_INT, small);
        }
        let copies_constant =
            op == Opcode::LOAD_CONST && instrs[at].op == Opcode::COPY && instrs[at].arg == 1;
        if !copies_constant {
            (op, arg) = (instrs[at].op, instrs[at].arg);
        }
        if !loads_const(op) || at + 1 >= instrs.len() {
            continue;
        }
        let had_folded = std::mem::replace(&mut folded, true);
        match instrs[at + 1].op {
            next @ (Opcode::POP_JUMP_IF_FALSE
            | Opcode::POP_JUMP_IF_TRUE
            | Opcode::JUMP_IF_FALSE
            | Opcode::JUMP_IF_TRUE) => {
                let is_true = truth(&folder.value(op, arg));
                if matches!(next, Opcode::POP_JUMP_IF_FALSE | Opcode::POP_JUMP_IF_TRUE) {
                    instrs[at].set_nop();
                }
                if is_true == matches!(next, Opcode::POP_JUMP_IF_TRUE | Opcode::JUMP_IF_TRUE) {
                    instrs[at + 1].op = Opcode::JUMP;
                } else {
                    instrs[at + 1].set_nop();
                }
            }
            Opcode::IS_OP => {
                if matches!(folder.value(op, arg), Constant::None) {
                    fold_none_test(instrs, at);
                }
            }
            Opcode::TO_BOOL => {
                let is_true = truth(&folder.value(op, arg));
                let index = folder.add(Constant::Bool(is_true));
                instrs[at].set_nop();
                instrs[at + 1].set(Opcode::LOAD_CONST, index);
            }
            _ => folded = had_folded,
        }
    }
    if folded {
        block.look_again();
    }
}

/// `x is None` before a conditional jump becomes a jump that tests for None itself.
fn fold_none_test(instrs: &mut [CfgInstr], at: usize) {
    let mut jump = at + 2;
    if jump >= instrs.len() {
        return;
    }
    if instrs[jump].op == Opcode::TO_BOOL {
        instrs[jump].set_nop();
        jump += 1;
        if jump >= instrs.len() {
            return;
        }
    }
    let mut inverted = instrs[at + 1].arg != 0;
    match instrs[jump].op {
        Opcode::POP_JUMP_IF_FALSE => inverted = !inverted,
        Opcode::POP_JUMP_IF_TRUE => {}
        _ => return,
    }
    instrs[at].set_nop();
    instrs[at + 1].set_nop();
    instrs[jump].op = if inverted { Opcode::POP_JUMP_IF_NOT_NONE } else { Opcode::POP_JUMP_IF_NONE };
}

/// What to do with a jump to a block that begins with another jump.
enum Thread {
    /// Jump right to where that one goes, as this opcode.
    Through(Opcode),
    /// That one is never taken then: jump behind it.
    Behind,
}

fn threading(op: Opcode, target: Opcode) -> Option<Thread> {
    use Opcode::*;
    Some(match (op, target) {
        (POP_JUMP_IF_NOT_NONE | POP_JUMP_IF_NONE | POP_JUMP_IF_FALSE | POP_JUMP_IF_TRUE, JUMP) => {
            Thread::Through(op)
        }
        (JUMP_IF_FALSE, JUMP | JUMP_IF_FALSE) | (JUMP_IF_TRUE, JUMP | JUMP_IF_TRUE) => Thread::Through(op),
        (JUMP_IF_FALSE, JUMP_IF_TRUE) | (JUMP_IF_TRUE, JUMP_IF_FALSE) => Thread::Behind,
        (JUMP | JUMP_NO_INTERRUPT, JUMP) => Thread::Through(JUMP),
        (JUMP | JUMP_NO_INTERRUPT, JUMP_NO_INTERRUPT) => Thread::Through(op),
        _ => return None,
    })
}

/// Threads the jump at the end of a block through jumps that it leads to.
fn thread_jump(graph: &mut Graph, id: BlockId) {
    while let Some(jump) = graph.at(id).instrs.last().copied()
        && jump.target != NO_BLOCK
        && let Some(target) = graph.at(jump.target).instrs.first()
        && is_jump(target.op)
    {
        let target = *target;
        match threading(jump.op, target.op) {
            Some(Thread::Through(op)) if jump.target != target.target => {
                let block = graph.at_mut(id);
                block.instrs.last_mut().expect("the jump").set_nop();
                block.holds |= holds::NOP;
                let mut threaded = CfgInstr::new(op, target.arg, target.loc);
                threaded.target = target.target;
                block.add(threaded);
            }
            Some(Thread::Behind) => {
                let behind = graph.next(jump.target);
                graph.at_mut(id).instrs.last_mut().expect("the jump").target = behind;
            }
            _ => return,
        }
    }
}

/// Improves one block.
pub fn optimize_block(graph: &mut Graph, id: BlockId, folder: &mut Folder<'_>) {
    let block = graph.at_mut(id);
    if block.may_hold(holds::PEEPHOLE) {
        let instrs = &mut block.instrs;
        let mut changed = false;
        for at in 0..instrs.len() {
            if holds::of(instrs[at].op) & holds::PEEPHOLE != 0 {
                changed |= optimize_instr(instrs, at, folder);
            }
        }
        if changed {
            block.look_again();
        }
    }
    thread_jump(graph, id);
    let block = graph.at_mut(id);
    if block.may_hold(holds::SWAP) {
        optimize_swaps(&mut block.instrs);
        block.look_again();
    }
}

/// Improves an instruction by what stands around it; whether anything changed is given back.
fn optimize_instr(instrs: &mut [CfgInstr], at: usize, folder: &mut Folder<'_>) -> bool {
    let CfgInstr { op, arg, .. } = instrs[at];
    let next = instrs.get(at + 1).copied();
    let next_op = next.map_or(Opcode::CACHE, |next| next.op);
    match op {
        Opcode::BUILD_TUPLE => {
            if next_op == Opcode::UNPACK_SEQUENCE && next.is_some_and(|next| next.arg == arg) {
                match arg {
                    1 => {
                        instrs[at].set_nop();
                        instrs[at + 1].set_nop();
                        return true;
                    }
                    2 | 3 => {
                        instrs[at].set_nop();
                        instrs[at + 1].op = Opcode::SWAP;
                        return true;
                    }
                    _ => {}
                }
            }
            return folder.fold_tuple(instrs, at);
        }
        Opcode::LIST_APPEND | Opcode::SET_ADD => {
            return folder.fold_appended(instrs, at, next_op);
        }
        Opcode::BUILD_LIST | Opcode::BUILD_SET => {
            return folder.fold_list_or_set(instrs, at, next_op);
        }
        Opcode::STORE_FAST => {
            let line = instrs[at].loc.lineno;
            if next_op != op || next.is_none_or(|next| next.arg != arg || next.loc.lineno != line) {
                return false;
            }
            instrs[at].set(Opcode::POP_TOP, 0);
        }
        Opcode::SWAP if arg == 1 => instrs[at].set_nop(),
        Opcode::LOAD_GLOBAL if next_op == Opcode::PUSH_NULL && arg & 1 == 0 => {
            instrs[at].arg = arg | 1;
            instrs[at + 1].set_nop();
        }
        Opcode::COMPARE_OP if next_op == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::COMPARE_OP, arg | COMPARE_TO_BOOL);
        }
        Opcode::CONTAINS_OP | Opcode::IS_OP => {
            if next_op == Opcode::TO_BOOL {
                instrs[at].set_nop();
                instrs[at + 1].set(op, arg);
            } else if next_op == Opcode::UNARY_NOT {
                instrs[at].set_nop();
                instrs[at + 1].set(op, arg ^ 1);
            } else {
                return false;
            }
        }
        Opcode::TO_BOOL if next_op == Opcode::TO_BOOL => instrs[at].set_nop(),
        Opcode::UNARY_NOT if next_op == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::UNARY_NOT, 0);
        }
        Opcode::UNARY_NOT if next_op == Opcode::UNARY_NOT => {
            instrs[at].set_nop();
            instrs[at + 1].set_nop();
        }
        Opcode::UNARY_NOT | Opcode::UNARY_INVERT | Opcode::UNARY_NEGATIVE => {
            return folder.fold_unary(instrs, at);
        }
        Opcode::CALL_INTRINSIC_1 if arg == INTRINSIC_LIST_TO_TUPLE => {
            if folder.fold_list_to_tuple(instrs, at) {
                return true;
            }
            if next_op != Opcode::GET_ITER {
                return false;
            }
            instrs[at].set_nop();
        }
        Opcode::CALL_INTRINSIC_1 if arg == INTRINSIC_UNARY_POSITIVE => {
            return folder.fold_unary(instrs, at);
        }
        Opcode::BINARY_OP => return folder.fold_binary(instrs, at),
        _ => return false,
    }
    true
}

/// Fuses pairs of loads and stores of the first sixteen locals.
pub fn insert_superinstructions(graph: &mut Graph) {
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        let next = block.next;
        if block.may_hold(holds::LOCAL) && fuse_locals(&mut block.instrs) {
            block.holds |= holds::NOP | holds::FUSED;
        }
        // What is fused in later blocks has no say in which `NOP`s of this one are redundant.
        remove_block_nops(graph, id);
        id = next;
    }
}

fn fuse_locals(instrs: &mut [CfgInstr]) -> bool {
    let mut fused_any = false;
    for at in 1..instrs.len() {
        let (first, second) = (&instrs[at - 1], &instrs[at]);
        let fused = match (first.op, second.op) {
            (Opcode::LOAD_FAST, Opcode::LOAD_FAST) => Opcode::LOAD_FAST_LOAD_FAST,
            (Opcode::STORE_FAST, Opcode::LOAD_FAST) => Opcode::STORE_FAST_LOAD_FAST,
            (Opcode::STORE_FAST, Opcode::STORE_FAST) => Opcode::STORE_FAST_STORE_FAST,
            _ => continue,
        };
        let (line1, line2) = (first.loc.lineno, second.loc.lineno);
        if (line1 >= 0 && line2 >= 0 && line1 != line2) || first.arg >= 16 || second.arg >= 16 {
            continue;
        }
        let arg = (first.arg << 4) | second.arg;
        instrs[at - 1].set(fused, arg);
        instrs[at].set_nop();
        fused_any = true;
    }
    fused_any
}
