//! From a finished flow graph to bytes: jump directions and distances, caches, the location and exception tables, and
//! the code object itself.

use taipan_bytecode::code::{
    CO_FAST_ARG_KW, CO_FAST_ARG_POS, CO_FAST_ARG_VAR, CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN,
    CO_FAST_LOCAL,
};
use taipan_bytecode::exceptions::{Guard, write_guard};
use taipan_bytecode::location::LocationWriter;
use taipan_bytecode::opcode::{CO_VARARGS, CO_VARKEYWORDS};
use taipan_bytecode::{Code, Location, Opcode, PyStr};

use crate::constants::{ConstantPool, UnitConstants};
use crate::flow::{BlockId, CfgInstr, Graph, NO_BLOCK, holds};
use crate::instr::NEXT_LOCATION;
use crate::names::{Name, NameMap, NameSet, Names, known};

/// Distance in code units from a `SEND` to its `END_SEND`.
const END_SEND_OFFSET: u32 = 5;

/// What the assembler needs to know about a unit besides its instructions.
pub struct UnitInfo<'a> {
    /// Name.
    pub name: Name,
    /// Qualified name.
    pub qualname: PyStr,
    /// Positional parameters, positional-only ones not included.
    pub argcount: u32,
    /// Positional-only parameters.
    pub posonlyargcount: u32,
    /// Keyword-only parameters.
    pub kwonlyargcount: u32,
    /// First line.
    pub firstlineno: i32,
    /// `CO_*` bits.
    pub flags: u32,
    /// Names of globals and attributes.
    pub names: &'a NameSet,
    /// Locals.
    pub varnames: &'a NameSet,
    /// Cells.
    pub cellvars: &'a NameSet,
    /// Free variables.
    pub freevars: &'a NameSet,
    /// Names that were locals of inlined comprehensions only.
    pub fast_hidden: &'a NameMap<bool>,
    /// Constants.
    pub consts: &'a UnitConstants,
    /// Whether the first parameter is shown as `format`.
    pub rename_format: bool,
}

/// Memory that assembling takes, kept from unit to unit.
#[derive(Default)]
pub struct Scratch {
    jumps: Vec<Jump>,
    linetable: Vec<u8>,
    exceptiontable: Vec<u8>,
    slot_names: Vec<PyStr>,
    slot_kinds: Vec<u8>,
}

/// Where a jump stands.
struct Jump {
    block: BlockId,
    /// Its index in the block.
    at: usize,
    /// Code units before it in the block.
    before: u32,
}

/// Size of an instruction in code units.
#[inline]
fn instr_size(op: Opcode, arg: u32) -> u32 {
    let size = 1 + op.caches() as u32;
    if arg <= 0xff { size } else { size + extended_args(arg) }
}

/// Number of `EXTENDED_ARG`s that an argument above 255 takes.
#[cold]
fn extended_args(arg: u32) -> u32 {
    match arg {
        0..=0xffff => 1,
        0x1_0000..=0xff_ffff => 2,
        _ => 3,
    }
}

/// Size of instructions in code units.
fn size(instrs: &[CfgInstr]) -> u32 {
    instrs.iter().map(|instr| instr_size(instr.op, instr.arg)).sum()
}

/// Makes the code object of a finished graph, whose jumps get their directions and distances.
pub fn assemble(
    graph: &mut Graph,
    info: &UnitInfo<'_>,
    names: &mut Names,
    pool: &ConstantPool,
    filename: &PyStr,
    scratch: &mut Scratch,
) -> Code {
    measure(graph, &mut scratch.jumps);
    direct_jumps(graph, &scratch.jumps);
    let total = resolve_jumps(graph, &scratch.jumps);
    if graph.held & holds::NEXT_LINE != 0 {
        resolve_locations(graph);
    }
    let code = write_code(graph, total as usize, info.firstlineno, scratch);
    locals_plus(info, names, scratch);
    Code {
        argcount: info.posonlyargcount + info.argcount,
        posonlyargcount: info.posonlyargcount,
        kwonlyargcount: info.kwonlyargcount,
        stacksize: graph.stacksize,
        flags: info.flags,
        code,
        consts: info.consts.list.iter().map(|id| pool.get(*id).clone()).collect(),
        names: info.names.keys().map(|name| names.string(name)).collect(),
        localsplusnames: scratch.slot_names.drain(..).collect(),
        localspluskinds: Box::from(&*scratch.slot_kinds),
        filename: filename.clone(),
        name: names.string(info.name),
        qualname: info.qualname.clone(),
        firstlineno: info.firstlineno,
        linetable: Box::from(&*scratch.linetable),
        exceptiontable: Box::from(&*scratch.exceptiontable),
    }
}

/// Finds the sizes of the blocks without their jumps, and the jumps. The offsets of the blocks are indices of
/// instructions meanwhile.
fn measure(graph: &mut Graph, jumps: &mut Vec<Jump>) {
    jumps.clear();
    let mut index = 0;
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        block.offset = index;
        index += block.instrs.len() as u32;
        block.size = match block.jump_index() {
            None => size(&block.instrs),
            Some(at) => {
                let before = size(&block.instrs[..at]);
                jumps.push(Jump { block: id, at, before });
                before + size(&block.instrs[at + 1..])
            }
        };
        id = block.next;
    }
}

/// Gives jumps their directions. Their arguments, and with them their sizes, begin as indices of instructions.
fn direct_jumps(graph: &mut Graph, jumps: &[Jump]) {
    for Jump { block: id, at, .. } in jumps {
        let block = graph.at(*id);
        let target = graph.at(block.instrs[*at].target).offset;
        let forward = target > block.offset + *at as u32;
        let block = graph.at_mut(*id);
        let jump = &mut block.instrs[*at];
        jump.arg = target;
        jump.op = match jump.op {
            Opcode::JUMP if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP => Opcode::JUMP_BACKWARD,
            Opcode::JUMP_NO_INTERRUPT if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP_NO_INTERRUPT => Opcode::JUMP_BACKWARD_NO_INTERRUPT,
            op => op,
        };
        block.size += instr_size(jump.op, jump.arg);
    }
}

/// Turns targets into distances, again and again until no jump changes its size any more, and finds each block's
/// offset. Returns the size of the code in code units.
fn resolve_jumps(graph: &mut Graph, jumps: &[Jump]) -> u32 {
    loop {
        let mut offset = 0;
        let mut id = 0;
        while id != NO_BLOCK {
            let block = graph.at_mut(id);
            block.offset = offset;
            offset += block.size;
            id = block.next;
        }
        let mut changed = false;
        for Jump { block: id, at, before } in jumps {
            let block = graph.at(*id);
            let jump = &block.instrs[*at];
            let old_size = instr_size(jump.op, jump.arg);
            let behind = block.offset + before + old_size;
            let target = graph.at(jump.target).offset;
            let distance = if jump.op == Opcode::END_ASYNC_FOR {
                behind.saturating_sub(target + END_SEND_OFFSET)
            } else {
                target.abs_diff(behind)
            };
            let new_size = instr_size(jump.op, distance);
            let block = graph.at_mut(*id);
            block.instrs[*at].arg = distance;
            block.size = block.size - old_size + new_size;
            changed |= new_size != old_size;
        }
        if !changed {
            return offset;
        }
    }
}

/// Gives instructions that take over the place of the next one that place.
fn resolve_locations(graph: &mut Graph) {
    let mut next = Location::NONE;
    for id in graph.order().into_iter().rev() {
        for instr in graph.at_mut(id).instrs.iter_mut().rev() {
            if instr.loc == NEXT_LOCATION {
                let terminator = instr.op.has_jump()
                    || matches!(instr.op, Opcode::RETURN_VALUE | Opcode::RAISE_VARARGS | Opcode::RERAISE);
                instr.loc = if terminator { Location::NONE } else { next };
            }
            next = instr.loc;
        }
    }
}

/// Gives the bytecode; its location table and its exception table are left in the memory.
fn write_code(graph: &Graph, units: usize, firstlineno: i32, scratch: &mut Scratch) -> Box<[u8]> {
    let mut code = vec![[0; 2]; units];
    let mut writer = LocationWriter::with_memory(firstlineno, std::mem::take(&mut scratch.linetable));
    scratch.exceptiontable.clear();
    let mut current = &Location::NONE;
    let mut run_start = 0;
    // The handler of the instructions under way, and where they began.
    let mut guard = NO_BLOCK;
    let mut guard_start = 0;
    let mut at = 0;
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at(id);
        for instr in &block.instrs {
            if instr.loc != *current {
                writer.push(current, at - run_start);
                current = &instr.loc;
                run_start = at;
            }
            if instr.except != guard && guard_offset(graph, instr.except) != guard_offset(graph, guard) {
                end_guard(graph, guard, guard_start, at, &mut scratch.exceptiontable);
                guard = instr.except;
                guard_start = at;
            }
            if instr.arg > 0xff {
                for shift in [24, 16, 8] {
                    if instr.arg >> shift != 0 {
                        code[at] = [Opcode::EXTENDED_ARG as u8, (instr.arg >> shift) as u8];
                        at += 1;
                    }
                }
            }
            code[at] = [instr.op as u16 as u8, instr.arg as u8];
            at += 1 + instr.op.caches();
        }
        id = block.next;
    }
    writer.push(current, at - run_start);
    scratch.linetable = writer.finish();
    end_guard(graph, guard, guard_start, at, &mut scratch.exceptiontable);
    code.into_flattened().into()
}

/// Where a handler begins.
fn guard_offset(graph: &Graph, handler: BlockId) -> Option<u32> {
    (handler != NO_BLOCK).then(|| graph.at(handler).offset)
}

/// Notes that a handler, if it is one, guards the code between two offsets.
fn end_guard(graph: &Graph, handler: BlockId, start: usize, end: usize, table: &mut Vec<u8>) {
    if handler != NO_BLOCK {
        let block = graph.at(handler);
        let (start, end) = (start as u32, end as u32);
        let lasti = block.preserve_lasti;
        let depth = (block.start_depth.max(0) as u32).saturating_sub(1 + u32::from(lasti));
        write_guard(table, Guard { start, end, target: block.offset, depth, lasti });
    }
}

/// Leaves names and kinds of all frame slots in the memory.
fn locals_plus(info: &UnitInfo<'_>, names: &mut Names, scratch: &mut Scratch) {
    let Scratch { slot_names: all, slot_kinds: kinds, .. } = scratch;
    kinds.clear();
    let runs = [
        (info.posonlyargcount, CO_FAST_ARG_POS),
        (info.argcount, CO_FAST_ARG_POS | CO_FAST_ARG_KW),
        (info.kwonlyargcount, CO_FAST_ARG_KW),
        (u32::from(info.flags & CO_VARARGS != 0), CO_FAST_ARG_VAR | CO_FAST_ARG_POS),
        (u32::from(info.flags & CO_VARKEYWORDS != 0), CO_FAST_ARG_VAR | CO_FAST_ARG_KW),
        (u32::MAX, 0),
    ];
    let mut argument_kinds = runs.iter().flat_map(|(count, kind)| (0..*count).map(move |_| *kind));
    for name in info.varnames.keys() {
        let mut kind = CO_FAST_LOCAL | argument_kinds.next().unwrap_or(0);
        if info.fast_hidden.contains(name) {
            kind |= CO_FAST_HIDDEN;
        }
        if info.cellvars.contains(name) {
            kind |= CO_FAST_CELL;
        }
        all.push(names.string(name));
        kinds.push(kind);
    }
    for name in info.cellvars.keys().filter(|name| !info.varnames.contains(*name)) {
        all.push(names.string(name));
        kinds.push(CO_FAST_CELL);
    }
    for name in info.freevars.keys() {
        all.push(names.string(name));
        kinds.push(CO_FAST_FREE);
    }
    if info.rename_format && !all.is_empty() {
        all[0] = names.string(known::FORMAT);
    }
}
