//! The code generator's output: a sequence of instructions whose jumps go to labels.

use taipan_bytecode::{Location, Opcode};

/// A jump target, placed somewhere in a sequence by [`InstrSeq::use_label`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(pub u32);

/// Location of instructions that take over the place of the following one.
pub const NEXT_LOCATION: Location =
    Location { lineno: -2, end_lineno: -2, col_offset: -2, end_col_offset: -2 };

/// One instruction; with a target its argument is a label.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    /// What to do.
    pub op: Opcode,
    /// The argument.
    pub arg: u32,
    /// Where it comes from.
    pub loc: Location,
}

const UNPLACED: u32 = u32::MAX;

/// Instructions in order, and where the labels stand.
#[derive(Default, Debug)]
pub struct InstrSeq {
    /// The instructions.
    pub instrs: Vec<Instr>,
    labels: Vec<u32>,
    /// Code that goes in the place of `ANNOTATIONS_PLACEHOLDER`.
    pub annotations: Option<Box<InstrSeq>>,
}

impl InstrSeq {
    /// Appends an instruction.
    #[inline]
    pub fn push(&mut self, op: Opcode, arg: u32, loc: Location) {
        self.instrs.push(Instr { op, arg, loc });
    }

    /// Puts an instruction somewhere in the middle; labels move along.
    pub fn insert(&mut self, at: usize, op: Opcode, arg: u32, loc: Location) {
        self.instrs.insert(at, Instr { op, arg, loc });
        for label in &mut self.labels {
            if *label != UNPLACED && *label as usize >= at {
                *label += 1;
            }
        }
    }

    /// A sequence in which the arguments of jumps are positions already.
    pub fn of_positions(instrs: Vec<Instr>) -> InstrSeq {
        let labels = (0..instrs.len() as u32).collect();
        InstrSeq { instrs, labels, annotations: None }
    }

    /// The instructions with positions in the place of labels.
    pub fn into_positions(mut self) -> Vec<Instr> {
        for instr in &mut self.instrs {
            if instr.op.has_target() {
                instr.arg = self.labels[instr.arg as usize];
            }
        }
        self.instrs
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
        self.annotations = None;
    }

    /// Places a label before the next instruction.
    #[inline]
    pub fn use_label(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.instrs.len() as u32;
    }

    /// Indices of the instructions that are jumped to or handle exceptions, in no order.
    pub fn targets(&self) -> impl Iterator<Item = u32> {
        // Without labels there is nothing to look for.
        let instrs = if self.labels.is_empty() { &[] } else { &self.instrs[..] };
        instrs.iter().filter(|instr| instr.op.has_target()).map(|instr| self.labels[instr.arg as usize])
    }

    /// Index of the instruction that a label stands before.
    #[inline]
    pub fn position(&self, label: u32) -> u32 {
        self.labels[label as usize]
    }
}
