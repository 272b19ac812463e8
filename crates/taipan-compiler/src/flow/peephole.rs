//! Local improvements within a block: constants that decide jumps, comparisons that need no `TO_BOOL`, jumps to
//! jumps, foldable operations, and the fusing of instruction pairs.

use taipan_bytecode::opcode::{COMPARE_TO_BOOL, INTRINSIC_LIST_TO_TUPLE, INTRINSIC_UNARY_POSITIVE};
use taipan_bytecode::{Constant, Opcode};

use super::fold_block::Folder;
use super::graph::{BlockId, CfgInstr, Graph, NO_BLOCK, holds, is_jump};
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
    let instrs = &mut block.instrs[..];
    // The load that the top of the stack comes from, seen through copies.
    let (mut op, mut arg) = (Opcode::CACHE, 0);
    for at in 0..instrs.len() {
        let instr = &mut instrs[at];
        match instr.op {
            Opcode::LOAD_CONST => {
                if let Some(small) = folder.small_int(instr.arg) {
                    instr.set(Opcode::LOAD_SMALL_INT, small);
                }
                (op, arg) = (instr.op, instr.arg);
            }
            Opcode::LOAD_SMALL_INT => (op, arg) = (instr.op, instr.arg),
            Opcode::COPY if instr.arg == 1 && op == Opcode::LOAD_CONST => {}
            _ => {
                op = Opcode::CACHE;
                continue;
            }
        }
        let Some(next) = instrs.get(at + 1) else { break };
        let had_folded = std::mem::replace(&mut folded, true);
        match next.op {
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
    // More jumps than blocks go round in a circle. The code generator makes none that do.
    let mut most = graph.blocks().len();
    while most > 0
        && let Some(jump) = graph.at(id).instrs.last().copied()
        && jump.target != NO_BLOCK
        && let Some(target) = graph.at(jump.target).instrs.first()
        && is_jump(target.op)
    {
        let target = *target;
        most -= 1;
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
        let instrs = &mut block.instrs[..];
        let mut at = 0;
        while let Some(more) =
            instrs[at..].iter().position(|instr| holds::of(instr.op) & holds::PEEPHOLE != 0)
        {
            at += more;
            block.holds |= optimize_instr(instrs, at, folder);
            at += 1;
        }
    }
    thread_jump(graph, id);
    let block = graph.at_mut(id);
    if block.may_hold(holds::SWAP) {
        optimize_swaps(&mut block.instrs);
        block.holds |= holds::NOP;
    }
}

/// What a block may hold in addition when constants were folded.
const FOLDED: u32 = holds::NOP | holds::CONST | holds::NO_LINE;

/// Improves an instruction by what stands around it. What the block may hold in addition is given back.
fn optimize_instr(instrs: &mut [CfgInstr], at: usize, folder: &mut Folder<'_>) -> u32 {
    let CfgInstr { op, arg, .. } = instrs[at];
    let (next_op, next_arg) = instrs.get(at + 1).map_or((Opcode::CACHE, 0), |next| (next.op, next.arg));
    let folded = match op {
        Opcode::BUILD_TUPLE => {
            if next_op == Opcode::UNPACK_SEQUENCE && next_arg == arg {
                match arg {
                    1 => {
                        instrs[at].set_nop();
                        instrs[at + 1].set_nop();
                        return holds::NOP;
                    }
                    2 | 3 => {
                        instrs[at].set_nop();
                        instrs[at + 1].op = Opcode::SWAP;
                        return holds::NOP | holds::SWAP;
                    }
                    _ => {}
                }
            }
            folder.fold_tuple(instrs, at)
        }
        Opcode::LIST_APPEND | Opcode::SET_ADD => folder.fold_appended(instrs, at, next_op),
        Opcode::BUILD_LIST | Opcode::BUILD_SET => folder.fold_list_or_set(instrs, at, next_op),
        Opcode::STORE_FAST => {
            if next_op != op || next_arg != arg || instrs[at + 1].loc.lineno != instrs[at].loc.lineno {
                return 0;
            }
            instrs[at].set(Opcode::POP_TOP, 0);
            return holds::POP;
        }
        Opcode::SWAP if arg == 1 => {
            instrs[at].set_nop();
            return holds::NOP;
        }
        Opcode::LOAD_GLOBAL if next_op == Opcode::PUSH_NULL && arg & 1 == 0 => {
            instrs[at].arg = arg | 1;
            instrs[at + 1].set_nop();
            return holds::NOP;
        }
        Opcode::COMPARE_OP if next_op == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::COMPARE_OP, arg | COMPARE_TO_BOOL);
            return holds::NOP;
        }
        Opcode::CONTAINS_OP | Opcode::IS_OP => {
            let arg = match next_op {
                Opcode::TO_BOOL => arg,
                Opcode::UNARY_NOT => arg ^ 1,
                _ => return 0,
            };
            instrs[at].set_nop();
            instrs[at + 1].set(op, arg);
            return holds::NOP;
        }
        Opcode::TO_BOOL if next_op == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            return holds::NOP;
        }
        Opcode::UNARY_NOT if next_op == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::UNARY_NOT, 0);
            return holds::NOP;
        }
        Opcode::UNARY_NOT if next_op == Opcode::UNARY_NOT => {
            instrs[at].set_nop();
            instrs[at + 1].set_nop();
            return holds::NOP;
        }
        Opcode::UNARY_NOT | Opcode::UNARY_INVERT | Opcode::UNARY_NEGATIVE => folder.fold_unary(instrs, at),
        Opcode::CALL_INTRINSIC_1 if arg == INTRINSIC_LIST_TO_TUPLE => {
            let folded = folder.fold_list_to_tuple(instrs, at);
            if !folded && next_op == Opcode::GET_ITER {
                instrs[at].set_nop();
                return holds::NOP;
            }
            folded
        }
        Opcode::CALL_INTRINSIC_1 if arg == INTRINSIC_UNARY_POSITIVE => folder.fold_unary(instrs, at),
        Opcode::BINARY_OP => folder.fold_binary(instrs, at),
        _ => false,
    };
    if folded { FOLDED } else { 0 }
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
    let mut before: Option<&mut CfgInstr> = None;
    for second in instrs {
        let loads = second.op == Opcode::LOAD_FAST;
        if !loads && second.op != Opcode::STORE_FAST {
            before = None;
            continue;
        }
        if let Some(first) = before
            && let Some(fused) = fused(first, second, loads)
        {
            *first = fused;
            second.set_nop();
            fused_any = true;
            before = None;
        } else {
            before = Some(second);
        }
    }
    fused_any
}

/// A load or store of a local and the one behind it in one.
fn fused(first: &CfgInstr, second: &CfgInstr, second_loads: bool) -> Option<CfgInstr> {
    let op = match (first.op, second_loads) {
        (Opcode::LOAD_FAST, true) => Opcode::LOAD_FAST_LOAD_FAST,
        (Opcode::STORE_FAST, true) => Opcode::STORE_FAST_LOAD_FAST,
        (Opcode::STORE_FAST, false) => Opcode::STORE_FAST_STORE_FAST,
        _ => return None,
    };
    let (line1, line2) = (first.loc.lineno, second.loc.lineno);
    let apart = line1 >= 0 && line2 >= 0 && line1 != line2;
    if apart || first.arg >= 16 || second.arg >= 16 {
        return None;
    }
    Some(CfgInstr { op, arg: (first.arg << 4) | second.arg, ..*first })
}
