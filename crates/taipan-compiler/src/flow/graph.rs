//! Basic blocks and how they are built from an instruction sequence.
//!
//! Blocks live in one vector and are linked by `next` in the order in which they will be written. A block is left at
//! its last instruction only: by a jump, an exit from the scope, or by falling through to `next`. Until the very last
//! passes, therefore, only the last instruction and openers of protected regions name other blocks.
//!
//! Most passes care for few instructions, which most blocks lack. Each block says what it may [hold](holds), so that
//! a pass goes by on the other side where there is nothing for it; a bit too many costs time, a bit too few is a bug.

use std::ops::Range;

use taipan_bytecode::opcode::flag;
use taipan_bytecode::{Location, Opcode};

use super::borrow::Stack;
use crate::instr::InstrSeq;

/// What a block may hold: bits of [`Block::holds`].
pub mod holds {
    use taipan_bytecode::Opcode;
    use taipan_bytecode::opcode::OPCODE_COUNT;

    use crate::instr::NEXT_LOCATION;

    /// `NOP`.
    pub const NOP: u32 = 1;
    /// Openers and closers of protected regions.
    pub const GUARD: u32 = 2;
    /// Loads of constants.
    pub const CONST: u32 = 4;
    /// What the peephole optimiser has a look at.
    pub const PEEPHOLE: u32 = 8;
    /// `SWAP`.
    pub const SWAP: u32 = 16;
    /// `POP_TOP`.
    pub const POP: u32 = 32;
    /// Whatever loads, stores or deletes a fast local.
    pub const LOCAL: u32 = 64;
    /// Whatever may leave a fast local unbound.
    pub const UNBIND: u32 = 128;
    /// Arguments that number cells.
    pub const CELL: u32 = 256;
    /// Pseudo instructions that are no jumps.
    pub const PSEUDO: u32 = 512;
    /// An instruction without a line.
    pub const NO_LINE: u32 = 1024;
    /// An instruction that takes over the place of the next.
    pub const NEXT_LINE: u32 = 2048;

    /// Fused loads and stores of fast locals.
    pub const FUSED: u32 = 4096;
    /// A jump, pseudo or real.
    pub const JUMP: u32 = 8192;
    /// A jump that is always taken.
    pub const ALWAYS: u32 = 16384;
    /// An exit from the scope.
    pub const EXIT: u32 = 32768;
    /// `JUMP_IF_FALSE` and `JUMP_IF_TRUE`, which leave what they test.
    pub const TEST: u32 = 65536;
    /// Openers of protected regions.
    pub const OPENER: u32 = 131072;

    const fn of_row(op: Opcode) -> u32 {
        let jump = if op.has_jump() { JUMP } else { 0 };
        jump | match op {
            Opcode::JUMP
            | Opcode::JUMP_NO_INTERRUPT
            | Opcode::JUMP_FORWARD
            | Opcode::JUMP_BACKWARD
            | Opcode::JUMP_BACKWARD_NO_INTERRUPT => ALWAYS,
            Opcode::JUMP_IF_FALSE | Opcode::JUMP_IF_TRUE => TEST,
            Opcode::RETURN_VALUE | Opcode::RAISE_VARARGS | Opcode::RERAISE => EXIT,
            Opcode::NOP => NOP,
            Opcode::SETUP_FINALLY | Opcode::SETUP_CLEANUP | Opcode::SETUP_WITH => OPENER | GUARD | PSEUDO,
            Opcode::POP_BLOCK => GUARD | PSEUDO,
            Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT => CONST,
            Opcode::BUILD_TUPLE
            | Opcode::LIST_APPEND
            | Opcode::SET_ADD
            | Opcode::BUILD_LIST
            | Opcode::BUILD_SET
            | Opcode::LOAD_GLOBAL
            | Opcode::COMPARE_OP
            | Opcode::CONTAINS_OP
            | Opcode::IS_OP
            | Opcode::TO_BOOL
            | Opcode::UNARY_NOT
            | Opcode::UNARY_INVERT
            | Opcode::UNARY_NEGATIVE
            | Opcode::CALL_INTRINSIC_1
            | Opcode::BINARY_OP => PEEPHOLE,
            Opcode::SWAP => SWAP | PEEPHOLE,
            Opcode::POP_TOP => POP,
            Opcode::STORE_FAST => LOCAL | PEEPHOLE,
            Opcode::LOAD_FAST | Opcode::LOAD_FAST_CHECK => LOCAL,
            Opcode::LOAD_FAST_LOAD_FAST | Opcode::STORE_FAST_LOAD_FAST | Opcode::STORE_FAST_STORE_FAST => {
                FUSED
            }
            Opcode::DELETE_FAST | Opcode::LOAD_FAST_AND_CLEAR => LOCAL | UNBIND,
            Opcode::STORE_FAST_MAYBE_NULL => LOCAL | UNBIND | PSEUDO,
            Opcode::LOAD_CLOSURE => CELL | PSEUDO,
            Opcode::MAKE_CELL
            | Opcode::LOAD_DEREF
            | Opcode::STORE_DEREF
            | Opcode::DELETE_DEREF
            | Opcode::LOAD_FROM_DICT_OR_DEREF => CELL,
            _ => 0,
        }
    }

    static OF: [u32; OPCODE_COUNT] = {
        let mut table = [0; OPCODE_COUNT];
        let mut i = 0;
        while i < Opcode::ALL.len() {
            table[Opcode::ALL[i] as usize] = of_row(Opcode::ALL[i]);
            i += 1;
        }
        table
    };

    /// What a block with such an instruction on that line holds.
    #[inline]
    pub fn with_line(op: Opcode, line: i32) -> u32 {
        let line_bits = if line >= 0 {
            0
        } else if line == NEXT_LOCATION.lineno {
            NO_LINE | NEXT_LINE
        } else {
            NO_LINE
        };
        of(op) | line_bits
    }

    /// What a block with such an instruction holds.
    #[inline]
    pub fn of(op: Opcode) -> u32 {
        OF[op as usize]
    }
}

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

    /// What it adds to what its block holds.
    #[inline]
    pub fn holds(&self) -> u32 {
        holds::with_line(self.op, self.loc.lineno)
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
    holds::of(op) & holds::JUMP != 0
}

/// Does it open a protected region?
#[inline]
pub fn is_opener(op: Opcode) -> bool {
    holds::of(op) & holds::OPENER != 0
}

/// Is its target a block, to jump to or to handle exceptions?
#[inline]
pub fn names_block(op: Opcode) -> bool {
    holds::of(op) & (holds::JUMP | holds::OPENER) != 0
}

/// Does control never go on behind it, and not elsewhere in this code object either?
#[inline]
pub fn is_scope_exit(op: Opcode) -> bool {
    holds::of(op) & holds::EXIT != 0
}

/// Is it a jump that is always taken?
#[inline]
pub fn is_unconditional_jump(op: Opcode) -> bool {
    holds::of(op) & holds::ALWAYS != 0
}

/// Does control never go on to the next instruction?
#[inline]
pub fn ends_path(op: Opcode) -> bool {
    holds::of(op) & (holds::ALWAYS | holds::EXIT) != 0
}

/// Does it load a constant?
#[inline]
pub fn loads_const(op: Opcode) -> bool {
    matches!(op, Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT)
}

/// A basic block.
#[derive(Default, Debug)]
pub struct Block {
    /// Instructions.
    pub instrs: Vec<CfgInstr>,
    /// Guards of former instructions behind the last one, the nearest last. CPython keeps a block's instructions in
    /// an array whose unused end is not cleared, and an instruction added there later gets the guard of the one that
    /// stood in its place before; to write the same exception table, so do we.
    former_guards: Vec<BlockId>,
    /// What may be among the instructions, as bits of [`holds`].
    pub holds: u32,
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
    /// Waits for another look at its locals.
    pub queued: bool,
    /// The last walk that came here, as a number.
    visited: u32,
    /// Reached through exceptions only.
    pub cold: bool,
    /// Reached without an exception.
    pub warm: bool,
    /// Code units that it takes; for the assembler.
    pub size: u32,
    /// Code units before it; for the assembler.
    pub offset: u32,
}

impl Block {
    /// Becomes a block without instructions; the memory stays.
    fn clear(&mut self) {
        let (mut instrs, mut former_guards) =
            (std::mem::take(&mut self.instrs), std::mem::take(&mut self.former_guards));
        instrs.clear();
        former_guards.clear();
        *self = Block { instrs, former_guards, next: NO_BLOCK, start_depth: -1, ..Block::default() };
    }

    /// Shortens the block.
    pub fn truncate(&mut self, count: usize) {
        for instr in self.instrs[count..].iter().rev() {
            // Nothing at all and no guard are the same.
            if instr.except != NO_BLOCK || !self.former_guards.is_empty() {
                self.former_guards.push(instr.except);
            }
        }
        self.instrs.truncate(count);
    }

    /// Notes that that many instructions were put into the block by hand.
    pub fn used_slots(&mut self, count: usize) {
        self.former_guards.truncate(self.former_guards.len().saturating_sub(count));
    }

    /// Adds an instruction at the end.
    pub fn add(&mut self, instr: CfgInstr) {
        let except = self.former_guards.pop().unwrap_or(NO_BLOCK);
        self.holds |= instr.holds();
        self.instrs.push(CfgInstr { except, ..instr });
    }

    /// May it hold one of these?
    #[inline]
    pub fn may_hold(&self, bits: u32) -> bool {
        self.holds & bits != 0
    }

    /// Looks through the instructions for what they are, after they were changed.
    pub fn look_again(&mut self) {
        self.holds = self.instrs.iter().fold(0, |bits, instr| bits | instr.holds());
    }

    /// Its last instruction's opcode.
    #[inline]
    pub fn last_op(&self) -> Option<Opcode> {
        self.instrs.last().map(|instr| instr.op)
    }

    /// Indices of the instructions among which those with targets are: the last one and, when it says that a jump was
    /// not taken, the one before; everything where protected regions are opened.
    #[inline]
    pub fn may_have_targets(&self) -> Range<usize> {
        self.may_have_targets_of(self.instrs.len())
    }

    /// As [`may_have_targets`](Block::may_have_targets), of that many instructions.
    #[inline]
    pub fn may_have_targets_of(&self, count: usize) -> Range<usize> {
        if self.may_hold(holds::GUARD) { 0..count } else { count.saturating_sub(2)..count }
    }

    /// Index of the jump at its end, which may be followed by the note that it was not taken.
    #[inline]
    pub fn jump_index(&self) -> Option<usize> {
        let count = self.instrs.len();
        self.instrs.iter().rev().take(2).position(|instr| is_jump(instr.op)).map(|back| count - 1 - back)
    }

    /// Where the jump at its end goes, if there is one.
    #[inline]
    pub fn jump_target(&self) -> Option<BlockId> {
        self.instrs.last().filter(|instr| is_jump(instr.op)).map(|instr| instr.target)
    }

    /// Can control go on to the next block?
    #[inline]
    pub fn falls_through(&self) -> bool {
        !self.last_op().is_some_and(ends_path)
    }

    /// Does it end by leaving the scope?
    #[inline]
    pub fn exits_scope(&self) -> bool {
        self.last_op().is_some_and(is_scope_exit)
    }

    /// Has none of its instructions a line?
    #[inline]
    pub fn has_no_lineno(&self) -> bool {
        self.instrs.iter().all(|instr| instr.loc.lineno < 0)
    }

    /// Does an instruction of it look for pending work?
    pub fn has_eval_break(&self) -> bool {
        self.instrs.iter().any(|instr| instr.op.has(flag::EVAL_BREAK))
    }
}

/// The flow graph of one code object, and memory for the next.
#[derive(Default)]
pub struct Graph {
    /// All blocks ever made; block 0 is the entry. Those from `count` on belonged to earlier graphs.
    blocks: Vec<Block>,
    /// How many blocks this graph has.
    count: usize,
    /// What the blocks held all together when the graph was built.
    pub held: u32,
    /// Deepest value stack.
    pub stacksize: u32,
    /// Number of the walk under way.
    walk: u32,
    /// An empty vector for walks through the graph.
    pub stack: Vec<BlockId>,
    /// A stack for whoever runs blocks.
    pub values: Stack,
    /// A vector for marks of any sort.
    pub marks: Vec<bool>,
    /// While the graph is built: the block of each instruction that is jumped to.
    block_of: Vec<BlockId>,
}

/// Mark of an instruction that is jumped to and has no block yet.
const JUMPED_TO: BlockId = NO_BLOCK - 1;

impl Graph {
    /// Cuts an instruction sequence into blocks. Jump arguments become block numbers, targets of block openers
    /// handlers.
    pub fn build(&mut self, seq: &InstrSeq) {
        self.count = 0;
        self.held = 0;
        self.walk = 0;
        self.stack.clear();
        self.block_of.clear();
        self.block_of.resize(seq.instrs.len() + 1, NO_BLOCK);
        for position in seq.targets() {
            self.block_of[position as usize] = JUMPED_TO;
        }
        let mut current = self.new_block();
        let mut start = 0;
        for run in seq.runs() {
            if self.block_of[start] == JUMPED_TO {
                let block = self.at(current);
                if !block.instrs.is_empty() || block.is_label {
                    current = self.new_block_behind(current);
                }
                self.block_of[start] = current;
                self.at_mut(current).is_label = true;
            }
            let block = self.at_mut(current);
            block.holds |= run.bits;
            let instrs = match run.is_placeholder {
                false => &seq.instrs[start..run.end as usize],
                true => seq.annotations.as_ref().map_or(&[][..], |inner| &inner.instrs),
            };
            block.instrs.extend_from_slice(instrs);
            start = run.end as usize;
            if run.is_placeholder {
                block.look_again();
            } else if run.bits & (holds::JUMP | holds::EXIT) != 0 && start < seq.instrs.len() {
                current = self.new_block_behind(current);
            }
        }
        self.resolve_targets(seq);
    }

    fn resolve_targets(&mut self, seq: &InstrSeq) {
        for id in 0..self.count {
            let block = &mut self.blocks[id];
            self.held |= block.holds;
            if let Some(last) = block.instrs.last_mut()
                && is_jump(last.op)
            {
                last.arg = seq.position(last.arg);
                last.target = self.block_of[last.arg as usize];
            }
            if !block.may_hold(holds::GUARD) {
                continue;
            }
            let mut instrs = std::mem::take(&mut block.instrs);
            for instr in &mut instrs {
                if is_opener(instr.op) {
                    instr.arg = seq.position(instr.arg);
                    instr.target = self.block_of[instr.arg as usize];
                    self.blocks[instr.target as usize].except_handler = true;
                }
            }
            self.blocks[id].instrs = instrs;
        }
    }

    /// Makes a fresh block the next one.
    fn new_block_behind(&mut self, id: BlockId) -> BlockId {
        let fresh = self.new_block();
        self.at_mut(id).next = fresh;
        fresh
    }

    /// Appends a fresh block to the vector (not to the written order).
    pub fn new_block(&mut self) -> BlockId {
        match self.blocks.get_mut(self.count) {
            Some(block) => block.clear(),
            None => {
                let mut block = Block { next: NO_BLOCK, start_depth: -1, ..Block::default() };
                block.instrs.reserve(16);
                self.blocks.push(block);
            }
        }
        self.count += 1;
        self.count as BlockId - 1
    }

    /// All blocks, in the order in which they were made.
    #[inline]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks[..self.count]
    }

    /// All blocks, to be changed.
    #[inline]
    pub fn blocks_mut(&mut self) -> &mut [Block] {
        &mut self.blocks[..self.count]
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

    /// Begins a walk: no block has been visited in it.
    pub fn begin_walk(&mut self) {
        self.walk += 1;
    }

    /// Marks a block as visited; whether it was so before is given back.
    #[inline]
    pub fn visit(&mut self, id: BlockId) -> bool {
        let walk = self.walk;
        std::mem::replace(&mut self.at_mut(id).visited, walk) == walk
    }

    /// Was the block visited in this walk?
    #[inline]
    pub fn is_visited(&self, id: BlockId) -> bool {
        self.at(id).visited == self.walk
    }

    /// Block numbers in written order, as they are now.
    pub fn order(&self) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.count);
        let mut id = 0;
        while id != NO_BLOCK {
            order.push(id);
            id = self.next(id);
        }
        order
    }
}
