//! Which loads of locals may borrow.
//!
//! A value pushed by `LOAD_FAST` needs no reference of its own when the local still holds it until the value has
//! been consumed, and when it is not consumed by being stored in a local. Each block is run on a stack of which only
//! the values from loads are known; a load is spoiled when its local is overwritten while the value is on the stack,
//! when the value is stored in a local, or when it is still there at the end of the block.

use taipan_bytecode::Opcode;

use super::graph::{BlockId, CfgInstr, Graph, NO_BLOCK, holds, names_block};

/// A value on the stack that comes from a load: what stands at `depth`, the instruction that pushed it, and the
/// local that it came from.
#[derive(Clone, Copy)]
struct Value {
    depth: usize,
    instr: usize,
    local: u32,
}

/// No local at all.
const NONE: u32 = u32::MAX;

/// The stack: its height, and of the values on it those from loads, the lowest first. Of all others nothing need be
/// known.
#[derive(Default)]
pub struct Stack {
    height: usize,
    loads: Vec<Value>,
}

impl Stack {
    /// Puts a value on the stack that is no load's.
    #[inline]
    fn push(&mut self) {
        self.height += 1;
    }

    #[inline]
    fn push_load(&mut self, instr: usize, local: u32) {
        self.loads.push(Value { depth: self.height, instr, local });
        self.height += 1;
    }

    #[inline]
    fn pop(&mut self, count: usize) {
        self.height = self.height.saturating_sub(count);
        while self.loads.last().is_some_and(|value| value.depth >= self.height) {
            self.loads.pop();
        }
    }

    /// What is at that depth, if it comes from a load.
    fn at(&self, depth: usize) -> Option<Value> {
        let nearest = self.loads.iter().rev().copied().find(|value| value.depth <= depth);
        nearest.filter(|value| value.depth == depth)
    }

    /// Takes the top away.
    fn take(&mut self) -> Option<Value> {
        let top = self.at(self.height.wrapping_sub(1));
        self.pop(1);
        top
    }

    /// Puts a value on the stack that comes from elsewhere on it.
    fn put(&mut self, value: Option<Value>) {
        self.loads.extend(value.map(|value| Value { depth: self.height, ..value }));
        self.height += 1;
    }

    /// Puts a value that is no load's below the top.
    #[inline]
    fn push_below_top(&mut self) {
        if let Some(top) = self.loads.last_mut()
            && top.depth + 1 == self.height
        {
            top.depth += 1;
        }
        self.height = self.height.max(1) + 1;
    }

    /// Exchanges the top for what is that deep.
    fn swap(&mut self, other: usize) {
        let top = self.height - 1;
        let above = self.loads.iter().rev().take_while(|value| value.depth >= other).count();
        let first = self.loads.len() - above;
        for value in &mut self.loads[first..] {
            if value.depth == top {
                value.depth = other;
            } else if value.depth == other {
                value.depth = top;
            }
        }
        self.loads[first..].sort_by_key(|value| value.depth);
    }

    /// The local changes: loads of it that are still on the stack cannot borrow.
    fn kill(&self, instrs: &mut [CfgInstr], local: u32) {
        for value in &self.loads {
            if value.local == local {
                spoil(instrs, value.instr);
            }
        }
    }

    fn store(&mut self, instrs: &mut [CfgInstr], local: u32) {
        let value = self.take();
        self.kill(instrs, local);
        if let Some(value) = value {
            spoil(instrs, value.instr);
        }
    }
}

/// A load does not borrow after all.
fn spoil(instrs: &mut [CfgInstr], at: usize) {
    let instr = &mut instrs[at];
    match instr.op {
        Opcode::LOAD_FAST_BORROW => instr.op = Opcode::LOAD_FAST,
        Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW => instr.op = Opcode::LOAD_FAST_LOAD_FAST,
        _ => {}
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
    let mut stack = std::mem::take(&mut graph.values);
    while let Some(id) = todo.pop() {
        let block = graph.at(id);
        let (next, falls_through) = (block.next, !block.instrs.is_empty() && block.falls_through());
        if falls_through && next != NO_BLOCK {
            arrive(graph, next, &mut todo);
        }
        for at in graph.at(id).may_have_targets() {
            let instr = &graph.at(id).instrs[at];
            if names_block(instr.op) {
                arrive(graph, instr.target, &mut todo);
            }
        }
        let block = graph.at_mut(id);
        if !block.may_hold(holds::LOCAL | holds::FUSED) {
            continue;
        }
        stack.loads.clear();
        stack.height = block.start_depth.max(0) as usize;
        run_block(&mut block.instrs, &mut stack);
        for value in &stack.loads {
            spoil(&mut block.instrs, value.instr);
        }
    }
    graph.stack = todo;
    graph.values = stack;
}

fn arrive(graph: &mut Graph, id: BlockId, todo: &mut Vec<BlockId>) {
    if !graph.visit(id) {
        todo.push(id);
    }
}

/// Runs a block on the stack. Every load borrows as long as nothing is known against it.
fn run_block(instrs: &mut [CfgInstr], stack: &mut Stack) {
    let begins_with_load = instrs
        .first()
        .is_some_and(|first| matches!(first.op, Opcode::LOAD_FAST | Opcode::LOAD_FAST_LOAD_FAST));
    for at in 0..instrs.len() {
        let CfgInstr { op, arg, .. } = instrs[at];
        match op {
            Opcode::DELETE_FAST => stack.kill(instrs, arg),
            Opcode::LOAD_FAST => {
                instrs[at].op = Opcode::LOAD_FAST_BORROW;
                stack.push_load(at, arg);
            }
            Opcode::LOAD_FAST_AND_CLEAR => {
                stack.kill(instrs, arg);
                stack.push();
            }
            Opcode::LOAD_FAST_LOAD_FAST => {
                instrs[at].op = Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW;
                stack.push_load(at, arg >> 4);
                stack.push_load(at, arg & 15);
            }
            Opcode::STORE_FAST => stack.store(instrs, arg),
            Opcode::STORE_FAST_LOAD_FAST => {
                stack.store(instrs, arg >> 4);
                stack.push();
            }
            Opcode::STORE_FAST_STORE_FAST => {
                stack.store(instrs, arg >> 4);
                stack.store(instrs, arg & 15);
            }
            Opcode::COPY => {
                let value = stack.at(stack.height.wrapping_sub(arg as usize));
                stack.put(value);
            }
            Opcode::SWAP => {
                let other = stack.height.wrapping_sub(arg as usize);
                if other < stack.height {
                    stack.swap(other);
                }
            }
            // The operand stays, a result comes on top. CPython numbers such results from 0 within the instruction,
            // as if the first instruction of the block had pushed them; so that one counts as unconsumed as well.
            Opcode::GET_ANEXT
            | Opcode::GET_LEN
            | Opcode::IMPORT_FROM
            | Opcode::MATCH_KEYS
            | Opcode::MATCH_MAPPING
            | Opcode::MATCH_SEQUENCE
            | Opcode::WITH_EXCEPT_START => {
                stack.put(begins_with_load.then_some(Value { depth: 0, instr: 0, local: NONE }));
            }
            Opcode::FORMAT_SIMPLE
            | Opcode::GET_YIELD_FROM_ITER
            | Opcode::SETUP_FINALLY
            | Opcode::SETUP_CLEANUP
            | Opcode::SETUP_WITH => {}
            Opcode::DICT_MERGE
            | Opcode::DICT_UPDATE
            | Opcode::LIST_APPEND
            | Opcode::LIST_EXTEND
            | Opcode::MAP_ADD
            | Opcode::RERAISE
            | Opcode::SET_ADD
            | Opcode::SET_UPDATE => stack.pop((op.pops(arg) - op.pushes(arg)).max(0) as usize),
            Opcode::END_SEND | Opcode::SET_FUNCTION_ATTRIBUTE => {
                let top = stack.take();
                stack.pop(1);
                stack.put(top);
            }
            Opcode::CHECK_EXC_MATCH => {
                stack.pop(1);
                stack.push();
            }
            Opcode::FOR_ITER => stack.push(),
            Opcode::LOAD_ATTR if arg & 1 == 0 => {
                stack.pop(1);
                stack.push();
            }
            Opcode::LOAD_ATTR | Opcode::LOAD_SPECIAL | Opcode::PUSH_EXC_INFO => stack.push_below_top(),
            Opcode::LOAD_SUPER_ATTR => {
                let owner = stack.take();
                stack.pop(2);
                stack.push();
                if arg & 1 != 0 {
                    stack.put(owner);
                }
            }
            Opcode::SEND => {
                stack.pop(1);
                stack.push();
            }
            op => {
                stack.pop(op.pops(arg) as usize);
                stack.height += op.pushes(arg).max(0) as usize;
            }
        }
    }
}
