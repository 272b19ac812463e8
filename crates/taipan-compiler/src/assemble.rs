//! From linear instructions to bytes: jump directions and distances, caches, the location and exception tables, and
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
use crate::flow::{BlockId, FlatInstr, Flattened, NO_BLOCK};
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

/// Size of an instruction in code units.
fn instr_size(instr: &FlatInstr) -> u32 {
    let extended = match instr.arg {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xff_ffff => 2,
        _ => 3,
    };
    1 + extended + instr.op.caches() as u32
}

/// Makes the code object. The instructions are used up.
pub fn assemble(
    flat: &mut Flattened,
    info: &UnitInfo<'_>,
    names: &mut Names,
    pool: &ConstantPool,
    filename: &PyStr,
) -> Code {
    let exceptiontable = resolve_jumps(flat);
    if flat.next_locations {
        resolve_locations(&mut flat.instrs);
    }
    let (code, linetable) = write_code(&flat.instrs, info.firstlineno);
    let (localsplusnames, localspluskinds) = locals_plus(info, names);
    Code {
        argcount: info.posonlyargcount + info.argcount,
        posonlyargcount: info.posonlyargcount,
        kwonlyargcount: info.kwonlyargcount,
        stacksize: flat.stacksize,
        flags: info.flags,
        code,
        consts: info.consts.list.iter().map(|id| pool.get(*id).clone()).collect(),
        names: info.names.keys().map(|name| names.string(name)).collect(),
        localsplusnames: localsplusnames.into(),
        localspluskinds: localspluskinds.into(),
        filename: filename.clone(),
        name: names.string(info.name),
        qualname: info.qualname.clone(),
        firstlineno: info.firstlineno,
        linetable,
        exceptiontable,
    }
}

/// Gives jumps their direction and their distance. Returns the exception table, which needs the offsets as well.
fn resolve_jumps(flat: &mut Flattened) -> Box<[u8]> {
    let instrs = &mut flat.instrs;
    for (at, _) in &flat.jumps {
        let instr = &mut instrs[*at as usize];
        let forward = instr.arg > *at;
        instr.op = match instr.op {
            Opcode::JUMP if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP => Opcode::JUMP_BACKWARD,
            Opcode::JUMP_NO_INTERRUPT if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP_NO_INTERRUPT => Opcode::JUMP_BACKWARD_NO_INTERRUPT,
            op => op,
        };
    }
    if flat.jumps.is_empty() && !flat.guarded {
        return Box::default();
    }
    resolve_jump_offsets(instrs, &flat.jumps, &mut flat.offsets);
    if flat.guarded { write_exceptions(flat) } else { Box::default() }
}

/// Turns targets into distances, again and again until no jump changes its size any more, and finds each
/// instruction's offset.
fn resolve_jump_offsets(instrs: &mut [FlatInstr], jumps: &[(u32, u32)], offsets: &mut Vec<u32>) {
    loop {
        let mut offset = 0;
        offsets.clear();
        offsets.extend(instrs.iter().map(|instr| {
            let start = offset;
            offset += instr_size(instr);
            start
        }));
        let mut changed = false;
        for (at, target) in jumps {
            let instr = &mut instrs[*at as usize];
            let size = instr_size(instr);
            let behind = offsets[*at as usize] + size;
            let target = offsets[*target as usize];
            instr.arg = if instr.op == Opcode::END_ASYNC_FOR {
                behind.saturating_sub(target + END_SEND_OFFSET)
            } else {
                target.abs_diff(behind)
            };
            changed |= instr_size(instr) != size;
        }
        if !changed {
            return;
        }
    }
}

fn resolve_locations(instrs: &mut [FlatInstr]) {
    for at in (0..instrs.len()).rev() {
        if instrs[at].loc == NEXT_LOCATION {
            let terminator = instrs[at].op.has_jump()
                || matches!(instrs[at].op, Opcode::RETURN_VALUE | Opcode::RAISE_VARARGS | Opcode::RERAISE);
            instrs[at].loc = match instrs.get(at + 1) {
                Some(next) if !terminator => next.loc,
                _ => Location::NONE,
            };
        }
    }
}

/// The bytecode and its location table.
fn write_code(instrs: &[FlatInstr], firstlineno: i32) -> (Box<[u8]>, Box<[u8]>) {
    let total: u32 = instrs.iter().map(instr_size).sum();
    let mut code = vec![0; 2 * total as usize];
    let mut writer = LocationWriter::with_capacity(firstlineno, 2 * instrs.len());
    let mut current = Location::NONE;
    let mut run_start = 0;
    let mut at = 0;
    for instr in instrs {
        if instr.loc != current {
            writer.push(current, (at - run_start) / 2);
            current = instr.loc;
            run_start = at;
        }
        if instr.arg > 0xff {
            for shift in [24, 16, 8] {
                if instr.arg >> shift != 0 {
                    code[at] = Opcode::EXTENDED_ARG as u8;
                    code[at + 1] = (instr.arg >> shift) as u8;
                    at += 2;
                }
            }
        }
        code[at] = instr.op as u16 as u8;
        code[at + 1] = instr.arg as u8;
        at += 2 + 2 * instr.op.caches();
    }
    writer.push(current, (at - run_start) / 2);
    (code.into(), writer.finish().into())
}

fn write_exceptions(flat: &Flattened) -> Box<[u8]> {
    let offsets = &flat.offsets;
    let mut table = Vec::new();
    // The handler of the run of instructions under way, where it stands, and where the run began.
    let mut open = NO_BLOCK;
    let mut open_first = None;
    let mut start = 0;
    let mut close = |open: BlockId, start: u32, end: u32| {
        if open != NO_BLOCK {
            let place = flat.places[open as usize];
            let depth = place.depth.saturating_sub(1 + u32::from(place.lasti));
            let target = offsets[place.first as usize];
            write_guard(&mut table, Guard { start, end, target, depth, lasti: place.lasti });
        }
    };
    let mut end = 0;
    for (instr, offset) in flat.instrs.iter().zip(offsets) {
        if instr.except != open {
            let first = flat.places.get(instr.except as usize).map(|place| place.first);
            if first != open_first {
                close(open, start, *offset);
                start = *offset;
                open = instr.except;
                open_first = first;
            }
        }
        end = *offset + instr_size(instr);
    }
    close(open, start, end);
    table.into()
}

/// Names and kinds of all frame slots.
fn locals_plus(info: &UnitInfo<'_>, names: &mut Names) -> (Vec<PyStr>, Vec<u8>) {
    let count = info.varnames.len() + info.cellvars.len() + info.freevars.len();
    let mut all = Vec::with_capacity(count);
    let mut kinds = Vec::with_capacity(count);
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
    (all, kinds)
}
