//! The code generator's output: a sequence of instructions whose jumps go to labels.

use taipan_bytecode::{Location, Opcode};

use crate::flow::{CfgInstr, holds};

/// A jump target, placed somewhere in a sequence by [`InstrSeq::use_label`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(pub u32);

/// Location of instructions that take over the place of the following one.
pub const NEXT_LOCATION: Location =
    Location { lineno: -2, end_lineno: -2, col_offset: -2, end_col_offset: -2 };

/// One instruction; with a target its argument is the index of another.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    /// What to do.
    pub op: Opcode,
    /// The argument.
    pub arg: u32,
    /// Where it comes from.
    pub loc: Location,
}

/// A run of instructions that is entered at its beginning and left at its end only.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Index behind its last instruction.
    pub end: u32,
    /// What a block with these instructions [holds].
    pub bits: u32,
    /// Is it the one `ANNOTATIONS_PLACEHOLDER`?
    pub is_placeholder: bool,
}

const UNPLACED: u32 = u32::MAX;

/// Instructions in order, and where the labels stand.
#[derive(Default, Debug)]
pub struct InstrSeq {
    /// The instructions; those with a target have a label for argument.
    pub instrs: Vec<CfgInstr>,
    labels: Vec<u32>,
    /// Labels that are jumped to or handle exceptions, in the order in which they are named.
    named: Vec<u32>,
    /// Straight runs of instructions: each ends behind a jump or an exit, before a label, or at the end.
    runs: Vec<Run>,
    /// What the instructions behind the last run hold.
    bits: u32,
    /// Code that goes in the place of `ANNOTATIONS_PLACEHOLDER`.
    pub annotations: Option<Box<InstrSeq>>,
}

impl InstrSeq {
    /// Appends an instruction.
    #[inline]
    pub fn push(&mut self, op: Opcode, arg: u32, loc: Location) {
        let bits = holds::with_line(op, loc.lineno);
        self.bits |= bits;
        if bits & (holds::JUMP | holds::GUARD | holds::EXIT) != 0 {
            self.push_end(op, arg, loc);
        } else {
            self.instrs.push(CfgInstr::new(op, arg, loc));
        }
    }

    /// Appends an instruction that may have a target, or end a run.
    fn push_end(&mut self, op: Opcode, arg: u32, loc: Location) {
        self.instrs.push(CfgInstr::new(op, arg, loc));
        if op.has_target() {
            self.named.push(arg);
        }
        if holds::of(op) & (holds::JUMP | holds::EXIT) != 0 {
            self.end_run();
        }
    }

    /// Appends the place of the annotations' code.
    pub fn push_placeholder(&mut self, loc: Location) {
        self.end_run();
        self.instrs.push(CfgInstr::new(Opcode::ANNOTATIONS_PLACEHOLDER, 0, loc));
        self.end_run();
        if let Some(run) = self.runs.last_mut() {
            run.is_placeholder = true;
        }
    }

    fn end_run(&mut self) {
        let end = self.instrs.len() as u32;
        if end > self.runs.last().map_or(0, |run| run.end) {
            self.runs.push(Run { end, bits: self.bits, is_placeholder: false });
        }
        self.bits = 0;
    }

    /// The runs in order, which hold all instructions when the sequence is complete.
    pub fn runs(&self) -> impl Iterator<Item = Run> {
        let end = self.instrs.len() as u32;
        let rest = Run { end, bits: self.bits, is_placeholder: false };
        let ended = end == self.runs.last().map_or(0, |run| run.end);
        self.runs.iter().copied().chain((!ended).then_some(rest))
    }

    /// Opens a protected region that holds everything so far.
    pub fn push_first(&mut self, opener: Opcode, handler: Label, loc: Location) {
        self.instrs.insert(0, CfgInstr::new(opener, handler.0, loc));
        for label in &mut self.labels {
            if *label != UNPLACED {
                *label += 1;
            }
        }
        for run in &mut self.runs {
            run.end += 1;
        }
        let bits = holds::with_line(opener, loc.lineno);
        match self.runs.first_mut() {
            Some(first) => first.bits |= bits,
            None => self.bits |= bits,
        }
        self.named.push(handler.0);
    }

    /// A sequence in which the arguments of jumps are positions already.
    pub fn of_positions(instrs: Vec<Instr>) -> InstrSeq {
        let mut seq = InstrSeq { labels: (0..instrs.len() as u32).collect(), ..InstrSeq::default() };
        for Instr { op, arg, loc } in instrs {
            // Every position may be a label's.
            seq.end_run();
            match op {
                Opcode::ANNOTATIONS_PLACEHOLDER => seq.push_placeholder(loc),
                _ => seq.push(op, arg, loc),
            }
        }
        seq
    }

    /// The instructions with positions in the place of labels.
    pub fn into_positions(self) -> Vec<Instr> {
        let position = |op: Opcode, arg: u32| if op.has_target() { self.position(arg) } else { arg };
        let instrs = self.instrs.iter();
        instrs
            .map(|instr| Instr { op: instr.op, arg: position(instr.op, instr.arg), loc: instr.loc })
            .collect()
    }

    /// A label without a place.
    pub fn new_label(&mut self) -> Label {
        self.labels.push(UNPLACED);
        Label(self.labels.len() as u32 - 1)
    }

    /// Empties the sequence; its memory stays.
    pub fn clear(&mut self) {
        self.instrs.clear();
        self.labels.clear();
        self.named.clear();
        self.runs.clear();
        self.bits = 0;
        self.annotations = None;
    }

    /// Places a label before the next instruction.
    #[inline]
    pub fn use_label(&mut self, label: Label) {
        self.end_run();
        self.labels[label.0 as usize] = self.instrs.len() as u32;
    }

    /// Indices of the instructions that are jumped to or handle exceptions, in no order.
    pub fn targets(&self) -> impl Iterator<Item = u32> {
        self.named.iter().map(|label| self.labels[*label as usize])
    }

    /// Index of the instruction that a label stands before.
    #[inline]
    pub fn position(&self, label: u32) -> u32 {
        self.labels[label as usize]
    }
}
