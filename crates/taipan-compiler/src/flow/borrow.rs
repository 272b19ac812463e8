//! Which loads of locals may borrow.
//!
//! A value pushed by `LOAD_FAST` needs no reference of its own when the local still holds it until the value has
//! been consumed, and when it is not consumed by being stored in a local. Each block is run on a stack of abstract
//! values that remember the load they come from; a load is spoiled when its local is overwritten while the value is
//! on the stack, when the value is stored in a local, or when it is still there at the end of the block.

use taipan_bytecode::Opcode;

use super::graph::{Block, BlockId, Graph, NO_BLOCK, holds};

/// An abstract value: the instruction that pushed it (none at block entry) and the local that it came from.
#[derive(Clone, Copy)]
struct Value {
    instr: u32,
    local: u32,
}

const NONE: u32 = u32::MAX;
const UNKNOWN: Value = Value { instr: NONE, local: NONE };

struct Walk {
    stack: Vec<Value>,
    spoiled: Vec<bool>,
}

impl Walk {
    fn push(&mut self, instr: usize, local: u32) {
        self.stack.push(Value { instr: instr as u32, local });
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(UNKNOWN)
    }

    fn kill(&mut self, local: u32) {
        for value in &self.stack {
            if value.local == local && value.instr != NONE {
                self.spoiled[value.instr as usize] = true;
            }
        }
    }

    fn store(&mut self, local: u32) {
        let value = self.pop();
        self.kill(local);
        if value.instr != NONE {
            self.spoiled[value.instr as usize] = true;
        }
    }
}

/// Turns loads into borrowing ones where that is safe.
pub fn borrow_loads(graph: &mut Graph) {
    if graph.held & (holds::LOCAL | holds::CELL | holds::FUSED) == 0 {
        return;
    }
    graph.begin_walk();
    graph.visit(0);
    graph.at_mut(0).start_depth = 0;
    let mut todo = std::mem::take(&mut graph.stack);
    todo.push(0);
    let mut walk = Walk { stack: Vec::new(), spoiled: std::mem::take(&mut graph.marks) };
    while let Some(id) = todo.pop() {
        let block = graph.at(id);
        let (next, falls_through) = (block.next, !block.instrs.is_empty() && block.falls_through());
        if falls_through && next != NO_BLOCK {
            arrive(graph, next, &mut todo);
        }
        for at in graph.at(id).may_have_targets() {
            let instr = &graph.at(id).instrs[at];
            if instr.op.has_target() {
                arrive(graph, instr.target, &mut todo);
            }
        }
        let block = graph.at_mut(id);
        if !block.may_hold(holds::LOCAL | holds::FUSED) {
            continue;
        }
        run_block(block, &mut walk);
        for value in &walk.stack {
            if value.instr != NONE {
                walk.spoiled[value.instr as usize] = true;
            }
        }
        for (instr, spoiled) in block.instrs.iter_mut().zip(&walk.spoiled) {
            if !spoiled {
                match instr.op {
                    Opcode::LOAD_FAST => instr.op = Opcode::LOAD_FAST_BORROW,
                    Opcode::LOAD_FAST_LOAD_FAST => instr.op = Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW,
                    _ => {}
                }
            }
        }
    }
    graph.stack = todo;
    graph.marks = walk.spoiled;
}

fn arrive(graph: &mut Graph, id: BlockId, todo: &mut Vec<BlockId>) {
    if !graph.visit(id) {
        todo.push(id);
    }
}

fn run_block(block: &Block, walk: &mut Walk) {
    walk.spoiled.clear();
    walk.spoiled.resize(block.instrs.len(), false);
    walk.stack.clear();
    walk.stack.resize(block.start_depth.max(0) as usize, UNKNOWN);
    for (at, instr) in block.instrs.iter().enumerate() {
        let arg = instr.arg;
        match instr.op {
            Opcode::DELETE_FAST => walk.kill(arg),
            Opcode::LOAD_FAST => walk.push(at, arg),
            Opcode::LOAD_FAST_AND_CLEAR => {
                walk.kill(arg);
                walk.push(at, arg);
            }
            Opcode::LOAD_FAST_LOAD_FAST => {
                walk.push(at, arg >> 4);
                walk.push(at, arg & 15);
            }
            Opcode::STORE_FAST => walk.store(arg),
            Opcode::STORE_FAST_LOAD_FAST => {
                walk.store(arg >> 4);
                walk.push(at, arg & 15);
            }
            Opcode::STORE_FAST_STORE_FAST => {
                walk.store(arg >> 4);
                walk.store(arg & 15);
            }
            Opcode::COPY => {
                let depth = walk.stack.len().wrapping_sub(arg as usize);
                let value = walk.stack.get(depth).copied().unwrap_or(UNKNOWN);
                walk.stack.push(value);
            }
            Opcode::SWAP => {
                let top = walk.stack.len().wrapping_sub(1);
                let other = walk.stack.len().wrapping_sub(arg as usize);
                if top < walk.stack.len() && other < walk.stack.len() {
                    walk.stack.swap(top, other);
                }
            }
            // Operands stay, results come on top. CPython numbers such results from 0 within the instruction, as
            // if the first instructions of the block had pushed them; so those count as unconsumed as well.
            Opcode::FORMAT_SIMPLE
            | Opcode::GET_ANEXT
            | Opcode::GET_LEN
            | Opcode::GET_YIELD_FROM_ITER
            | Opcode::IMPORT_FROM
            | Opcode::MATCH_KEYS
            | Opcode::MATCH_MAPPING
            | Opcode::MATCH_SEQUENCE
            | Opcode::WITH_EXCEPT_START => {
                for pushed in 0..instr.op.pushes(arg) - instr.op.pops(arg) {
                    walk.push(pushed as usize, NONE);
                }
            }
            Opcode::DICT_MERGE
            | Opcode::DICT_UPDATE
            | Opcode::LIST_APPEND
            | Opcode::LIST_EXTEND
            | Opcode::MAP_ADD
            | Opcode::RERAISE
            | Opcode::SET_ADD
            | Opcode::SET_UPDATE => {
                for _ in 0..instr.op.pops(arg) - instr.op.pushes(arg) {
                    walk.pop();
                }
            }
            Opcode::END_SEND | Opcode::SET_FUNCTION_ATTRIBUTE => {
                let top = walk.pop();
                walk.pop();
                walk.stack.push(top);
            }
            Opcode::CHECK_EXC_MATCH => {
                walk.pop();
                walk.push(at, NONE);
            }
            Opcode::FOR_ITER => walk.push(at, NONE),
            Opcode::LOAD_ATTR | Opcode::LOAD_SUPER_ATTR => {
                let owner = walk.pop();
                if instr.op == Opcode::LOAD_SUPER_ATTR {
                    walk.pop();
                    walk.pop();
                }
                walk.push(at, NONE);
                if arg & 1 != 0 {
                    walk.stack.push(owner);
                }
            }
            Opcode::LOAD_SPECIAL | Opcode::PUSH_EXC_INFO => {
                let top = walk.pop();
                walk.push(at, NONE);
                walk.stack.push(top);
            }
            Opcode::SEND => {
                walk.pop();
                walk.push(at, NONE);
            }
            op if op.is_block_push() => {}
            op => {
                let depth = walk.stack.len().saturating_sub(op.pops(arg) as usize);
                walk.stack.truncate(depth);
                for _ in 0..op.pushes(arg) {
                    walk.push(at, NONE);
                }
            }
        }
    }
}
