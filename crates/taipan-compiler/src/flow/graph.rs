//! Basic blocks and how they are built from an instruction sequence.
//!
//! Blocks live in one vector and are linked by `next` in the order in which they will be written. A block is left at
//! its last instruction only: by a jump, an exit from the scope, or by falling through to `next`.

use taipan_bytecode::opcode::flag;
use taipan_bytecode::{Location, Opcode};

use crate::instr::InstrSeq;

/// Number of a block.
pub type BlockId = u32;
/// No block.
pub const NO_BLOCK: BlockId = u32::MAX;

/// An instruction within a block.
#[derive(Clone, Copy, Debug)]
pub struct CfgInstr {
    /// What to do.
    pub op: Opcode,
    /// The argument.
    pub arg: u32,
    /// Where it comes from.
    pub loc: Location,
    /// Jump target or handler that it opens.
    pub target: BlockId,
    /// Handler that guards it.
    pub except: BlockId,
}

impl CfgInstr {
    /// An instruction without target or guard.
    pub fn new(op: Opcode, arg: u32, loc: Location) -> CfgInstr {
        CfgInstr { op, arg, loc, target: NO_BLOCK, except: NO_BLOCK }
    }

    /// Turns it into another instruction.
    #[inline]
    pub fn set(&mut self, op: Opcode, arg: u32) {
        self.op = op;
        self.arg = arg;
    }

    /// Turns it into a `NOP`.
    #[inline]
    pub fn set_nop(&mut self) {
        self.set(Opcode::NOP, 0);
    }

    /// Has it no line?
    #[inline]
    pub fn is_artificial(&self) -> bool {
        self.loc.lineno == Location::NONE.lineno
    }
}

/// Is it a jump (pseudo or real)?
#[inline]
pub fn is_jump(op: Opcode) -> bool {
    op.has(flag::JUMP)
}

/// Does control never go on behind it, and not elsewhere in this code object either?
#[inline]
pub fn is_scope_exit(op: Opcode) -> bool {
    matches!(op, Opcode::RETURN_VALUE | Opcode::RAISE_VARARGS | Opcode::RERAISE)
}

/// Is it a jump that is always taken?
#[inline]
pub fn is_unconditional_jump(op: Opcode) -> bool {
    matches!(
        op,
        Opcode::JUMP
            | Opcode::JUMP_NO_INTERRUPT
            | Opcode::JUMP_FORWARD
            | Opcode::JUMP_BACKWARD
            | Opcode::JUMP_BACKWARD_NO_INTERRUPT
    )
}

/// Must it be the last of its block?
#[inline]
pub fn is_terminator(op: Opcode) -> bool {
    is_jump(op) || is_scope_exit(op)
}

/// Does it load a constant?
#[inline]
pub fn loads_const(op: Opcode) -> bool {
    matches!(op, Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT)
}

/// What is left of a graph: vectors that need not be allocated again.
#[derive(Default)]
pub struct Memory {
    blocks: Vec<Block>,
    spare: Vec<Block>,
}

/// A basic block.
#[derive(Debug)]
pub struct Block {
    /// Instructions.
    pub instrs: Vec<CfgInstr>,
    /// Guards of former instructions behind the last one, the nearest last. CPython keeps a block's instructions in
    /// an array whose unused end is not cleared, and an instruction added there later gets the guard of the one that
    /// stood in its place before; to write the same exception table, so do we.
    former_guards: Vec<BlockId>,
    /// The block written behind it.
    pub next: BlockId,
    /// Number of ways to get here; only right behind the removal of unreachable blocks.
    pub predecessors: i32,
    /// Stack depth at its beginning, below zero when unknown.
    pub start_depth: i32,
    /// Of the first 64 locals, those that may be unbound here.
    pub unsafe_locals: u64,
    /// Is it a jump target?
    pub is_label: bool,
    /// Is it an exception handler?
    pub except_handler: bool,
    /// Does the handler want to know the raising instruction?
    pub preserve_lasti: bool,
    /// Mark of the walk under way.
    pub visited: bool,
    /// Reached through exceptions only.
    pub cold: bool,
    /// Reached without an exception.
    pub warm: bool,
}

impl Block {
    fn new() -> Block {
        Block {
            instrs: Vec::new(),
            former_guards: Vec::new(),
            next: NO_BLOCK,
            predecessors: 0,
            start_depth: -1,
            unsafe_locals: 0,
            is_label: false,
            except_handler: false,
            preserve_lasti: false,
            visited: false,
            cold: false,
            warm: false,
        }
    }

    /// Shortens the block.
    pub fn truncate(&mut self, count: usize) {
        self.former_guards.extend(self.instrs.iter().skip(count).rev().map(|instr| instr.except));
        self.instrs.truncate(count);
    }

    /// Notes that that many instructions were put into the block by hand.
    pub fn used_slots(&mut self, count: usize) {
        self.former_guards.truncate(self.former_guards.len().saturating_sub(count));
    }

    /// Adds an instruction at the end.
    pub fn add(&mut self, instr: CfgInstr) {
        let except = self.former_guards.pop().unwrap_or(NO_BLOCK);
        self.instrs.push(CfgInstr { except, ..instr });
    }

    /// Its last instruction's opcode.
    #[inline]
    pub fn last_op(&self) -> Option<Opcode> {
        self.instrs.last().map(|instr| instr.op)
    }

    /// Can control go on to the next block?
    #[inline]
    pub fn falls_through(&self) -> bool {
        !self.last_op().is_some_and(|op| is_scope_exit(op) || is_unconditional_jump(op))
    }

    /// Does it end by leaving the scope?
    #[inline]
    pub fn exits_scope(&self) -> bool {
        self.last_op().is_some_and(is_scope_exit)
    }

    /// Has none of its instructions a line?
    pub fn has_no_lineno(&self) -> bool {
        self.instrs.iter().all(|instr| instr.loc.lineno < 0)
    }

    /// Does an instruction of it look for pending work?
    pub fn has_eval_break(&self) -> bool {
        self.instrs.iter().any(|instr| instr.op.has(flag::EVAL_BREAK))
    }
}

/// The flow graph of one code object.
pub struct Graph {
    /// All blocks ever made; block 0 is the entry.
    pub blocks: Vec<Block>,
    /// Blocks of earlier graphs, kept for their memory.
    spare: Vec<Block>,
}

impl Graph {
    /// Cuts an instruction sequence into blocks. Jump arguments become block numbers.
    pub fn build(seq: &InstrSeq, memory: Memory) -> Graph {
        let count = seq.instrs.len();
        let mut is_target = vec![false; count + 1];
        for instr in &seq.instrs {
            if instr.op.has_target() {
                is_target[seq.position(instr.arg) as usize] = true;
            }
        }
        let mut graph = Graph { blocks: memory.blocks, spare: memory.spare };
        graph.new_block();
        let mut builder = Builder {
            graph,
            current: 0,
            pending_label: None,
            terminated: false,
            block_of: vec![NO_BLOCK; count + 1],
        };
        for (at, instr) in seq.instrs.iter().enumerate() {
            if instr.op == Opcode::ANNOTATIONS_PLACEHOLDER {
                for inner in seq.annotations.iter().flat_map(|inner| &inner.instrs) {
                    builder.push(CfgInstr::new(inner.op, inner.arg, inner.loc));
                }
                continue;
            }
            if is_target[at] {
                builder.pending_label = Some(at);
                builder.start_block_if_due();
            }
            let arg = if instr.op.has_target() { seq.position(instr.arg) } else { instr.arg };
            builder.push(CfgInstr::new(instr.op, arg, instr.loc));
        }
        let Builder { mut graph, block_of, .. } = builder;
        for block in &mut graph.blocks {
            for instr in &mut block.instrs {
                if instr.op.has_target() {
                    instr.target = block_of[instr.arg as usize];
                }
            }
        }
        graph
    }

    /// Appends a fresh block to the vector (not to the written order).
    pub fn new_block(&mut self) -> BlockId {
        let mut block = Block::new();
        match self.spare.pop() {
            Some(mut spare) => {
                spare.instrs.clear();
                spare.former_guards.clear();
                block.instrs = spare.instrs;
                block.former_guards = spare.former_guards;
            }
            None => block.instrs.reserve(8),
        }
        self.blocks.push(block);
        self.blocks.len() as BlockId - 1
    }

    /// Takes the graph apart, for the memory that the next one can use.
    pub fn recycle(mut self) -> Memory {
        self.spare.append(&mut self.blocks);
        Memory { blocks: self.blocks, spare: self.spare }
    }

    /// The block of that number.
    #[inline]
    pub fn at(&self, id: BlockId) -> &Block {
        &self.blocks[id as usize]
    }

    /// The block of that number, to be changed.
    #[inline]
    pub fn at_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id as usize]
    }

    /// The block written behind.
    #[inline]
    pub fn next(&self, id: BlockId) -> BlockId {
        self.blocks[id as usize].next
    }

    /// The first block from `id` on that has an instruction.
    pub fn nonempty_from(&self, mut id: BlockId) -> BlockId {
        while id != NO_BLOCK && self.at(id).instrs.is_empty() {
            id = self.next(id);
        }
        id
    }

    /// Clears the marks of an earlier walk.
    pub fn clear_visited(&mut self) {
        for block in &mut self.blocks {
            block.visited = false;
        }
    }

    /// Block numbers in written order, as they are now.
    pub fn order(&self) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut id = 0;
        while id != NO_BLOCK {
            order.push(id);
            id = self.next(id);
        }
        order
    }
}

struct Builder {
    graph: Graph,
    current: BlockId,
    pending_label: Option<usize>,
    /// Whether the last instruction ends its block.
    terminated: bool,
    block_of: Vec<BlockId>,
}

impl Builder {
    fn start_block_if_due(&mut self) {
        let block = self.graph.at_mut(self.current);
        let terminated = match (block.last_op(), self.pending_label) {
            (Some(op), _) if is_terminator(op) => true,
            (_, None) => false,
            (last, Some(label)) => {
                if last.is_some() || block.is_label {
                    true
                } else {
                    block.is_label = true;
                    self.block_of[label] = self.current;
                    self.pending_label = None;
                    false
                }
            }
        };
        if terminated {
            let fresh = self.graph.new_block();
            if let Some(label) = self.pending_label.take() {
                self.graph.at_mut(fresh).is_label = true;
                self.block_of[label] = fresh;
            }
            self.graph.at_mut(self.current).next = fresh;
            self.current = fresh;
        }
    }

    #[inline]
    fn push(&mut self, instr: CfgInstr) {
        if self.pending_label.is_some() || self.terminated {
            self.start_block_if_due();
        }
        self.terminated = is_terminator(instr.op);
        self.graph.at_mut(self.current).instrs.push(instr);
    }
}
