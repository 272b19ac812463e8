//! Folding of operations on constants within a block: the operands' loads become `NOP`s, the operation a load of
//! the result. What cannot be computed, or would grow too big, stays as it is.

use std::rc::Rc;

use taipan_bytecode::opcode::INTRINSIC_UNARY_POSITIVE;
use taipan_bytecode::{Constant, Location, Opcode};

use super::graph::{CfgInstr, loads_const};
use crate::constants::{ConstantPool, UnitConstants};
use crate::fold::{self, Unary};

/// Longest sequence that is built on the value stack.
pub const STACK_USE_GUIDELINE: u32 = 30;
/// Shortest list or set worth a constant.
const MIN_CONST_SEQUENCE_SIZE: u32 = 3;

/// Access to the constants of the unit under work.
pub struct Folder<'a> {
    /// All values.
    pub pool: &'a mut ConstantPool,
    /// Those of this unit.
    pub consts: &'a mut UnitConstants,
}

impl Folder<'_> {
    /// Index of a constant, added when new.
    pub fn add(&mut self, value: Constant) -> u32 {
        let id = self.pool.add(value);
        self.consts.add(id)
    }

    /// The constant that an instruction loads.
    pub fn value(&self, op: Opcode, arg: u32) -> Constant {
        if op == Opcode::LOAD_SMALL_INT {
            return Constant::Int(i64::from(arg));
        }
        self.pool.get(self.consts.list[arg as usize]).clone()
    }

    /// The constant of that index if `LOAD_SMALL_INT` can load it.
    pub fn small_int(&self, index: u32) -> Option<u32> {
        small_int(self.pool.get(self.consts.list[index as usize]))
    }

    fn load(&mut self, instr: &mut CfgInstr, value: Constant) {
        match small_int(&value) {
            Some(small) => instr.set(Opcode::LOAD_SMALL_INT, small),
            None => {
                let index = self.add(value);
                instr.set(Opcode::LOAD_CONST, index);
            }
        }
    }

    fn values(&self, instrs: &[CfgInstr], loads: &[usize]) -> Rc<[Constant]> {
        loads.iter().map(|at| self.value(instrs[*at].op, instrs[*at].arg)).collect()
    }

    // All folding says whether there was something to fold.

    /// `BUILD_TUPLE` of constants.
    pub fn fold_tuple(&mut self, instrs: &mut [CfgInstr], at: usize) -> bool {
        let size = instrs[at].arg;
        if size > STACK_USE_GUIDELINE {
            return false;
        }
        let Some(loads) = constant_loads(instrs, at, size as usize) else { return false };
        let value = Constant::Tuple(self.values(instrs, &loads));
        nop_out(instrs, &loads);
        self.load(&mut instrs[at], value);
        true
    }

    /// A long display that was built item by item from constants, then made a tuple.
    pub fn fold_list_to_tuple(&mut self, instrs: &mut [CfgInstr], at: usize) -> bool {
        let Some((start, items)) = self.appended_constants(instrs, at, Opcode::BUILD_LIST) else {
            return false;
        };
        clear(&mut instrs[start..at]);
        self.load(&mut instrs[at], Constant::Tuple(items));
        true
    }

    /// A long list or set of constants, appended item by item up to `at`, that is only iterated or searched.
    pub fn fold_appended(&mut self, instrs: &mut [CfgInstr], at: usize, next: Opcode) -> bool {
        if instrs[at].arg != 1 || !matches!(next, Opcode::GET_ITER | Opcode::CONTAINS_OP) {
            return false;
        }
        let is_set = instrs[at].op == Opcode::SET_ADD;
        let build = if is_set { Opcode::BUILD_SET } else { Opcode::BUILD_LIST };
        let Some((start, items)) = self.appended_constants(instrs, at + 1, build) else { return false };
        clear(&mut instrs[start..=at]);
        let value = if is_set { fold::frozen_set(&items) } else { Constant::Tuple(items) };
        self.load(&mut instrs[at], value);
        true
    }

    /// The constants appended right before `end` to a collection that begins empty, and where it begins.
    fn appended_constants(
        &self,
        instrs: &[CfgInstr],
        end: usize,
        build: Opcode,
    ) -> Option<(usize, Rc<[Constant]>)> {
        let append = if build == Opcode::BUILD_SET { Opcode::SET_ADD } else { Opcode::LIST_APPEND };
        let mut loads = Vec::new();
        let mut expect_append = true;
        for position in (0..end).rev() {
            let instr = instrs[position];
            match instr.op {
                Opcode::NOP => continue,
                op if op == build && instr.arg == 0 => {
                    if !expect_append {
                        return None;
                    }
                    loads.reverse();
                    return Some((position, self.values(instrs, &loads)));
                }
                op if expect_append && op == append && instr.arg == 1 => {}
                op if !expect_append && loads_const(op) => loads.push(position),
                _ => return None,
            }
            expect_append = !expect_append;
        }
        None
    }

    /// Lists and sets of constants: a constant where only iterated or searched, else filled from a constant.
    pub fn fold_list_or_set(&mut self, instrs: &mut [CfgInstr], at: usize, next: Opcode) -> bool {
        let CfgInstr { op, arg: size, loc, .. } = instrs[at];
        let only_read = matches!(next, Opcode::GET_ITER | Opcode::CONTAINS_OP);
        if size > STACK_USE_GUIDELINE || (size < MIN_CONST_SEQUENCE_SIZE && !only_read) {
            return false;
        }
        let Some(loads) = constant_loads(instrs, at, size as usize) else {
            if only_read && op == Opcode::BUILD_LIST {
                instrs[at].op = Opcode::BUILD_TUPLE;
                return true;
            }
            return false;
        };
        let items = self.values(instrs, &loads);
        let value = if op == Opcode::BUILD_SET { fold::frozen_set(&items) } else { Constant::Tuple(items) };
        let index = self.add(value);
        nop_out(instrs, &loads);
        if only_read {
            instrs[at].set(Opcode::LOAD_CONST, index);
            return true;
        }
        instrs[at - 2].loc = loc;
        instrs[at - 2].set(op, 0);
        instrs[at - 1].set(Opcode::LOAD_CONST, index);
        instrs[at].set(if op == Opcode::BUILD_LIST { Opcode::LIST_EXTEND } else { Opcode::SET_UPDATE }, 1);
        true
    }

    /// A binary operator or subscription.
    pub fn fold_binary(&mut self, instrs: &mut [CfgInstr], at: usize) -> bool {
        let Some(loads) = constant_loads(instrs, at, 2) else { return false };
        let left = self.value(instrs[loads[0]].op, instrs[loads[0]].arg);
        let right = self.value(instrs[loads[1]].op, instrs[loads[1]].arg);
        let Some(value) = fold::binary(instrs[at].arg, &left, &right) else { return false };
        nop_out(instrs, &loads);
        self.load(&mut instrs[at], value);
        true
    }

    /// A unary operator.
    pub fn fold_unary(&mut self, instrs: &mut [CfgInstr], at: usize) -> bool {
        let operator = match instrs[at].op {
            Opcode::UNARY_NEGATIVE => Unary::Negative,
            Opcode::UNARY_INVERT => Unary::Invert,
            Opcode::UNARY_NOT => Unary::Not,
            Opcode::CALL_INTRINSIC_1 if instrs[at].arg == INTRINSIC_UNARY_POSITIVE => Unary::Positive,
            _ => return false,
        };
        let Some(loads) = constant_loads(instrs, at, 1) else { return false };
        let operand = self.value(instrs[loads[0]].op, instrs[loads[0]].arg);
        let Some(value) = fold::unary(operator, &operand) else { return false };
        nop_out(instrs, &loads);
        self.load(&mut instrs[at], value);
        true
    }
}

fn small_int(value: &Constant) -> Option<u32> {
    match value {
        Constant::Int(value @ 0..=255) => Some(*value as u32),
        _ => None,
    }
}

/// Where the `count` constants right before `at` are loaded, `NOP`s aside.
fn constant_loads(instrs: &[CfgInstr], at: usize, count: usize) -> Option<Vec<usize>> {
    // Most operands are no constants; that shows at once.
    if count > 0 {
        let last = instrs[..at].iter().rev().find(|instr| instr.op != Opcode::NOP)?;
        if !loads_const(last.op) {
            return None;
        }
    }
    let mut loads = Vec::with_capacity(count);
    for position in (0..at).rev() {
        if loads.len() == count {
            break;
        }
        let op = instrs[position].op;
        if op == Opcode::NOP {
            continue;
        }
        if !loads_const(op) {
            return None;
        }
        loads.push(position);
    }
    if loads.len() != count {
        return None;
    }
    loads.reverse();
    Some(loads)
}

fn clear(instrs: &mut [CfgInstr]) {
    for instr in instrs.iter_mut().filter(|instr| instr.op != Opcode::NOP) {
        instr.set_nop();
        instr.loc = Location::NONE;
    }
}

fn nop_out(instrs: &mut [CfgInstr], loads: &[usize]) {
    for at in loads {
        instrs[*at].set_nop();
        instrs[*at].loc = Location::NONE;
    }
}
