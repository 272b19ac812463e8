//! The later stages one by one, for those who want to look at them or to test them alone.
//!
//! [`compile`](crate::compile) runs from the tree to the code object. Here the same passes can be entered in the
//! middle: [`generate`] stops before optimisation, [`optimize`] takes any instruction sequence through the flow
//! graph, [`assemble`] makes a code object of one. The passes trust the code generator; sequences from elsewhere may
//! be anything, so they are checked first, and what the passes could not bear is refused with a message.

use std::collections::HashMap;
use std::rc::Rc;

use taipan_bytecode::opcode::{INTRINSICS_1, INTRINSICS_2, NB_OPS};
use taipan_bytecode::{Code, Constant, Opcode, PyStr};
use taipan_syntax::ast::Mod;

use crate::assemble::{Scratch, UnitInfo};
use crate::codegen;
use crate::constants::{ConstantPool, UnitConstants};
use crate::flow::{self, Layout, UnitFacts};
use crate::names::{Name, NameMap, NameSet, Names};
use crate::{Failure, Options};

pub use crate::constants::from_ast as constant_of;
pub use crate::instr::{Instr, InstrSeq};

/// Why a sequence is refused, in words for the one who made it.
#[derive(Debug)]
pub struct Refused(pub String);

type Checked<T> = Result<T, Refused>;

fn refuse<T>(message: impl Into<String>) -> Checked<T> {
    Err(Refused(message.into()))
}

impl From<flow::FlowError> for Refused {
    fn from(error: flow::FlowError) -> Refused {
        Refused(error.0.to_owned())
    }
}

/// What the code generator made of one code unit.
#[derive(Debug)]
pub struct Generated {
    /// The instructions; arguments of jumps are positions.
    pub instrs: Vec<Instr>,
    /// The units within, in the order of their completion.
    pub nested: Vec<Generated>,
}

/// What the code generator made of a module.
pub struct GeneratedModule {
    /// Its instructions and those of the units within.
    pub unit: Generated,
    /// The constants that `LOAD_CONST` numbers.
    pub consts: Vec<Constant>,
    /// Warnings on the way.
    pub warnings: Vec<crate::Warning>,
}

/// Runs everything up to and including code generation.
pub fn generate(module: &mut Mod, options: &Options) -> Result<GeneratedModule, Box<Failure>> {
    let mut warnings = Vec::new();
    let generated =
        crate::prepared(module, None, options, &mut warnings).and_then(|(names, table, future, depth)| {
            let inherited = future.features & crate::FUTURE_MASK;
            codegen::Compiler::generated(
                module,
                names,
                table,
                PyStr::from(""),
                future,
                inherited,
                options.optimize,
                depth,
            )
        });
    match generated {
        Ok((unit, consts, mut more)) => {
            warnings.append(&mut more);
            Ok(GeneratedModule { unit, consts, warnings })
        }
        Err(error) => Err(Box::new(Failure { error: *error, warnings })),
    }
}

/// Highest argument of `SWAP` and `COPY` that is worked on.
const DEEPEST: u32 = 0xFFFF;

/// Refuses what the passes could not bear.
fn check(instrs: &[Instr], nlocals: usize) -> Checked<()> {
    let known = |op: Opcode, arg: u32, count: usize| {
        if (arg as usize) < count { Ok(()) } else { refuse(format!("{} has no argument {arg}", op.name())) }
    };
    for instr in instrs {
        let Instr { op, arg, .. } = *instr;
        if op.has_target() && arg as usize >= instrs.len() {
            return refuse(format!("target {arg} of {} is not in the sequence", op.name()));
        }
        match op {
            Opcode::SWAP | Opcode::COPY if arg == 0 || arg > DEEPEST => {
                return refuse(format!("{} has no argument {arg}", op.name()));
            }
            Opcode::BINARY_OP => known(op, arg, NB_OPS.len())?,
            Opcode::CALL_INTRINSIC_1 => known(op, arg, INTRINSICS_1.len())?,
            Opcode::CALL_INTRINSIC_2 => known(op, arg, INTRINSICS_2.len())?,
            Opcode::LOAD_FAST
            | Opcode::STORE_FAST
            | Opcode::DELETE_FAST
            | Opcode::LOAD_FAST_AND_CLEAR
            | Opcode::STORE_FAST_MAYBE_NULL
                if arg as usize >= nlocals && nlocals > flow::TRACKED_LOCALS =>
            {
                return refuse(format!("{} has no local {arg}", op.name()));
            }
            _ => {}
        }
    }
    match instrs.last() {
        Some(last) if !flow::ends_path(last.op) => refuse("the sequence runs on behind its end"),
        _ => Ok(()),
    }
}

/// A constant that stands for a value which the compiler cannot compute with. Different numbers differ.
pub fn opaque(number: usize) -> Constant {
    let none = || PyStr::from("");
    Constant::Code(Rc::new(Code {
        argcount: 0,
        posonlyargcount: 0,
        kwonlyargcount: 0,
        stacksize: 0,
        flags: 0,
        code: Box::default(),
        consts: Rc::new([]),
        names: Rc::new([]),
        localsplusnames: Rc::new([]),
        localspluskinds: Box::default(),
        filename: none(),
        name: none(),
        qualname: PyStr::from(&*number.to_string()),
        firstlineno: 0,
        linetable: Box::default(),
        exceptiontable: Box::default(),
    }))
}

/// A constant of an optimised sequence.
pub enum Origin {
    /// The constant that had this index before.
    Given(usize),
    /// One that was computed.
    Computed(Constant),
}

/// Takes a sequence through all passes over the flow graph. Gives the new sequence and its constants.
pub fn optimize(
    instrs: Vec<Instr>,
    given: Vec<Constant>,
    nlocals: usize,
) -> Checked<(Vec<Instr>, Vec<Origin>)> {
    check(&instrs, nlocals)?;
    if instrs.is_empty() {
        return Ok((instrs, (0..given.len()).map(Origin::Given).collect()));
    }
    let mut pool = ConstantPool::default();
    let mut first = HashMap::new();
    let mut consts = UnitConstants::default();
    for (index, constant) in given.into_iter().enumerate() {
        let id = pool.add(constant);
        first.entry(id).or_insert(index);
        consts.give(id);
    }
    let seq = InstrSeq::of_positions(instrs);
    let instrs = flow::optimize_alone(&seq, &mut pool, &mut consts, nlocals)?;
    let origins = consts.list.iter().map(|id| match first.get(id) {
        Some(index) => Origin::Given(*index),
        None => Origin::Computed(pool.get(*id).clone()),
    });
    Ok((instrs, origins.collect()))
}

/// What a code unit is besides its instructions and constants.
#[derive(Default, Debug)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Qualified name.
    pub qualname: String,
    /// Names of globals and attributes.
    pub names: Vec<String>,
    /// Locals, parameters first.
    pub varnames: Vec<String>,
    /// Cells.
    pub cellvars: Vec<String>,
    /// Free variables.
    pub freevars: Vec<String>,
    /// Locals of inlined comprehensions.
    pub fast_hidden: Vec<String>,
    /// Positional parameters, positional-only ones not included.
    pub argcount: u32,
    /// Positional-only parameters.
    pub posonlyargcount: u32,
    /// Keyword-only parameters.
    pub kwonlyargcount: u32,
    /// First line.
    pub firstlineno: i32,
}

fn name_set(names: &mut Names, texts: &[String]) -> NameSet {
    let mut set = NameSet::default();
    for text in texts {
        set.add(names.intern_str(text));
    }
    set
}

/// Makes the code object of a sequence. Its constants are left to the caller.
pub fn assemble(instrs: Vec<Instr>, metadata: &Metadata, filename: &str) -> Checked<Code> {
    let counts = [metadata.argcount, metadata.posonlyargcount, metadata.kwonlyargcount];
    if counts.iter().map(|count| u64::from(*count)).sum::<u64>() > metadata.varnames.len() as u64 {
        return refuse("code: co_varnames is too small");
    }
    // Whoever runs the code proves that it keeps to its locals.
    check(&instrs, 0)?;
    let cells = metadata.cellvars.len() + metadata.freevars.len();
    if let Some(instr) =
        instrs.iter().find(|instr| flow::numbers_cell(instr.op) && instr.arg as usize >= cells)
    {
        return refuse(format!("{} has no cell {}", instr.op.name(), instr.arg));
    }
    let mut names = Names::new();
    let mut fast_hidden = NameMap::<bool>::default();
    for text in &metadata.fast_hidden {
        fast_hidden.insert(names.intern_str(text), false);
    }
    let name: Name = names.intern_str(&metadata.name);
    let globals = name_set(&mut names, &metadata.names);
    let varnames = name_set(&mut names, &metadata.varnames);
    let cellvars = name_set(&mut names, &metadata.cellvars);
    let freevars = name_set(&mut names, &metadata.freevars);
    let facts = UnitFacts {
        nlocals: varnames.len(),
        nparams: 0,
        layout: Layout { varnames: &varnames, cellvars: &cellvars, freevars: &freevars },
        flags: 0,
        firstlineno: metadata.firstlineno,
    };
    let mut graph = flow::finish_alone(&InstrSeq::of_positions(instrs), &facts)?;
    let info = UnitInfo {
        name,
        qualname: PyStr::from(&*metadata.qualname),
        argcount: metadata.argcount,
        posonlyargcount: metadata.posonlyargcount,
        kwonlyargcount: metadata.kwonlyargcount,
        firstlineno: metadata.firstlineno,
        flags: 0,
        names: &globals,
        varnames: &varnames,
        cellvars: &cellvars,
        freevars: &freevars,
        fast_hidden: &fast_hidden,
        consts: &UnitConstants::default(),
        rename_format: false,
    };
    let filename = PyStr::from(filename);
    let mut scratch = Scratch::default();
    Ok(crate::assemble::assemble(
        &mut graph,
        &info,
        &mut names,
        &ConstantPool::default(),
        &filename,
        &mut scratch,
    ))
}
