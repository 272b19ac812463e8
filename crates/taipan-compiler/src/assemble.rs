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
use crate::flow::{FlatInstr, Flattened};
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

fn instr_size(instr: &FlatInstr) -> u32 {
    let extended = match instr.arg {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xff_ffff => 2,
        _ => 3,
    };
    1 + extended + instr.op.caches() as u32
}

/// Makes the code object.
pub fn assemble(
    mut flat: Flattened,
    info: &UnitInfo<'_>,
    names: &mut Names,
    pool: &ConstantPool,
    filename: &PyStr,
) -> Code {
    resolve_unconditional_jumps(&mut flat.instrs);
    let offsets = resolve_jump_offsets(&mut flat.instrs);
    resolve_locations(&mut flat.instrs);
    let (localsplusnames, localspluskinds) = locals_plus(info, names);
    Code {
        argcount: info.posonlyargcount + info.argcount,
        posonlyargcount: info.posonlyargcount,
        kwonlyargcount: info.kwonlyargcount,
        stacksize: flat.stacksize,
        flags: info.flags,
        code: write_code(&flat.instrs),
        consts: info.consts.list.iter().map(|id| pool.get(*id).clone()).collect(),
        names: info.names.keys().map(|name| names.string(name)).collect(),
        localsplusnames: localsplusnames.into(),
        localspluskinds: localspluskinds.into(),
        filename: filename.clone(),
        name: names.string(info.name),
        qualname: info.qualname.clone(),
        firstlineno: info.firstlineno,
        linetable: write_locations(&flat.instrs, info.firstlineno),
        exceptiontable: write_exceptions(&flat.instrs, &offsets),
    }
}

fn resolve_unconditional_jumps(instrs: &mut [FlatInstr]) {
    for (at, instr) in instrs.iter_mut().enumerate() {
        let forward = instr.arg as usize > at;
        instr.op = match instr.op {
            Opcode::JUMP if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP => Opcode::JUMP_BACKWARD,
            Opcode::JUMP_NO_INTERRUPT if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP_NO_INTERRUPT => Opcode::JUMP_BACKWARD_NO_INTERRUPT,
            op => op,
        };
    }
}

/// Turns targets into distances, again and again until no jump grows any more. Returns each instruction's offset.
fn resolve_jump_offsets(instrs: &mut [FlatInstr]) -> Vec<u32> {
    let targets: Vec<(usize, u32)> = instrs
        .iter()
        .enumerate()
        .filter(|(_, instr)| instr.op.has_jump())
        .map(|(at, instr)| (at, instr.arg))
        .collect();
    let mut offsets = vec![0; instrs.len()];
    loop {
        let mut offset = 0;
        for (at, instr) in instrs.iter().enumerate() {
            offsets[at] = offset;
            offset += instr_size(instr);
        }
        let mut grown = false;
        for (at, target) in &targets {
            let instr = &mut instrs[*at];
            let size = instr_size(instr);
            let behind = offsets[*at] + size;
            let target = offsets[*target as usize];
            instr.arg = if instr.op == Opcode::END_ASYNC_FOR {
                behind.saturating_sub(target + END_SEND_OFFSET)
            } else {
                target.abs_diff(behind)
            };
            grown |= instr_size(instr) != size;
        }
        if !grown {
            return offsets;
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

fn write_code(instrs: &[FlatInstr]) -> Box<[u8]> {
    let mut code = Vec::with_capacity(instrs.len() * 4);
    for instr in instrs {
        for shift in [24, 16, 8] {
            if instr.arg >> shift != 0 {
                code.extend([Opcode::EXTENDED_ARG as u8, (instr.arg >> shift) as u8]);
            }
        }
        code.extend([instr.op as u16 as u8, instr.arg as u8]);
        code.resize(code.len() + 2 * instr.op.caches(), 0);
    }
    code.into()
}

fn write_locations(instrs: &[FlatInstr], firstlineno: i32) -> Box<[u8]> {
    let mut writer = LocationWriter::new(firstlineno);
    let mut current = Location::NONE;
    let mut size = 0;
    for instr in instrs {
        if instr.loc != current {
            writer.push(current, size);
            current = instr.loc;
            size = 0;
        }
        size += instr_size(instr) as usize;
    }
    writer.push(current, size);
    writer.finish().into()
}

fn write_exceptions(instrs: &[FlatInstr], offsets: &[u32]) -> Box<[u8]> {
    let mut table = Vec::new();
    let mut start = 0;
    let mut open: Option<&FlatInstr> = None;
    let mut offset = 0;
    let mut close = |open: Option<&FlatInstr>, start: u32, end: u32| {
        if let Some(instr) = open
            && let Some(handler) = instr.handler
        {
            let depth = instr.handler_depth.saturating_sub(1 + u32::from(instr.handler_lasti));
            let target = offsets[handler as usize];
            write_guard(&mut table, Guard { start, end, target, depth, lasti: instr.handler_lasti });
        }
    };
    for (at, instr) in instrs.iter().enumerate() {
        offset = offsets[at];
        if instr.handler != open.and_then(|open| open.handler) {
            close(open, start, offset);
            start = offset;
            open = Some(instr);
        }
        offset += instr_size(instr);
    }
    close(open, start, offset);
    table.into()
}

/// Names and kinds of all frame slots.
fn locals_plus(info: &UnitInfo<'_>, names: &mut Names) -> (Vec<PyStr>, Vec<u8>) {
    let mut all = Vec::new();
    let mut kinds = Vec::new();
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
