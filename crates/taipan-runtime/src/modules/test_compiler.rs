//! Hooks of `_testinternalcapi` into the compiler: instruction sequences as objects, and the stages one by one.
//!
//! Problem: the tests of code generator, flow graph and assembler feed these passes by hand. Idea: a sequence holds
//! plain instructions, and each hook runs the very pass of [`taipan_compiler::stages`], which checks what it gets.
//! Invariant: values that the compiler does not compute with come out as the objects that went in.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::ast;
use crate::compile::{Settings, generate};
use taipan_bytecode::{Constant, Location, Opcode, flag};
use taipan_compiler::stages::{self, Instr, Origin, Refused};
use taipan_eval::code::Code;
use taipan_object::dict::Dict;
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::new_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, methods, payload, raise};
use taipan_syntax::Mode;

/// An instruction as it was given: the argument may be anything yet.
#[derive(Clone, Copy)]
struct Given {
    op: Opcode,
    arg: i32,
    loc: Location,
}

/// Instructions in order, and labels that are not yet replaced by positions.
#[derive(Default)]
struct Labelled {
    instrs: Vec<Given>,
    labels: HashMap<i32, i32>,
    last_label: i32,
}

impl Labelled {
    /// Puts positions into the places of labels. Without labels, arguments of jumps are positions already.
    fn apply_labels(&mut self) -> PyResult<()> {
        if self.labels.is_empty() {
            return Ok(());
        }
        for instr in self.instrs.iter_mut().filter(|instr| instr.op.has_target()) {
            instr.arg = *self
                .labels
                .get(&instr.arg)
                .ok_or_else(|| value_error(&format!("label {} has no place", instr.arg)))?;
        }
        self.labels.clear();
        Ok(())
    }
}

/// What an instance holds.
pub struct Sequence {
    content: RefCell<Labelled>,
    nested: RefCell<Vec<Ref>>,
}
payload!(Sequence, SEQUENCE, c"InstructionSequence", GC, [nested]);

type View = Native<Sequence>;

fn sequence_of(instrs: Vec<Instr>, nested: Vec<Ref>) -> PyResult {
    let instrs =
        instrs.into_iter().map(|Instr { op, arg, loc }| Given { op, arg: arg.cast_signed(), loc }).collect();
    let content = RefCell::new(Labelled { instrs, ..Labelled::default() });
    Ok(native_new(&SEQUENCE, Sequence { content, nested: RefCell::new(nested) })?.upcast())
}

/// `new_instruction_sequence()`.
pub(super) fn new_sequence(_: &Object) -> PyResult {
    sequence_of(Vec::new(), Vec::new())
}

fn addop(sequence: &View, args: &Args<'_>) -> PyResult<()> {
    let number = |index: usize| args.required(index).to_i32();
    let op = number(0)?;
    let op = u16::try_from(op)
        .ok()
        .and_then(Opcode::from_u16)
        .ok_or_else(|| value_error(&format!("{op} is not an opcode")))?;
    // The parameters' names promise another order than the one in which they are taken.
    let loc = Location {
        lineno: number(2)?,
        end_lineno: number(3)?,
        col_offset: number(4)?,
        end_col_offset: number(5)?,
    };
    let arg = number(1)?;
    sequence.content.borrow_mut().instrs.push(Given { op, arg, loc });
    Ok(())
}

fn use_label(sequence: &View, args: &Args<'_>) -> PyResult<()> {
    let label = args.required(0).to_i32()?;
    let mut content = sequence.content.borrow_mut();
    let place = i32::try_from(content.instrs.len())
        .map_err(|_| raise!(PyExc_OverflowError, "too many instructions"))?;
    content.labels.insert(label, place);
    Ok(())
}

fn new_label(sequence: &View) -> i32 {
    let mut content = sequence.content.borrow_mut();
    content.last_label = content.last_label.wrapping_add(1);
    content.last_label
}

fn add_nested(sequence: &View, args: &Args<'_>) -> PyResult<()> {
    let nested = args.required(0);
    if nested.downcast::<View>().is_none() {
        let class = nested.ty().message_name();
        return Err(type_error(&format!("expected an instruction sequence, not {class}")));
    }
    sequence.nested.borrow_mut().push(nested.new_ref());
    Ok(())
}

fn get_nested(sequence: &View) -> PyResult<Ref<List>> {
    List::from_vec(sequence.nested.borrow().clone())
}

fn get_instructions(sequence: &View) -> PyResult<Ref<List>> {
    sequence.content.borrow_mut().apply_labels()?;
    let instrs = sequence.content.borrow().instrs.clone();
    let mut all = Vec::with_capacity(instrs.len());
    for Given { op, arg, loc } in instrs {
        let number = |value: i32| Int::from_i64(i64::from(value)).upcast();
        let arg = if op.has(flag::ARG) { number(arg) } else { new_none() };
        let parts = [
            number(i32::from(op.number())),
            arg,
            number(loc.lineno),
            number(loc.end_lineno),
            number(loc.col_offset),
            number(loc.end_col_offset),
        ];
        all.push(Tuple::from_array(parts)?.upcast());
    }
    List::from_vec(all)
}

methods! { static METHODS = {
    args "addop" "($self, /, opcode, oparg, lineno, col_offset, end_lineno, end_col_offset)" = addop, "Put an instruction at the end.";
    args "use_label" "($self, /, label)" = use_label, "Let a label stand before the next instruction.";
    noargs "new_label" "($self, /)" = new_label, "A label of its own.";
    args "add_nested" "($self, /, nested)" = add_nested, "Note the sequence of a unit within.";
    noargs "get_nested" "($self, /)" = get_nested, "The sequences of the units within.";
    noargs "get_instructions" "($self, /)" = get_instructions, "The instructions as tuples; labels have become positions.";
} }

static SPEC: TypeSpec = TypeSpec {
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(|_: &Type, _: &Tuple, _: Option<&Dict>| sequence_of(Vec::new(), Vec::new())),
    ],
    methods: METHODS,
    ..TypeSpec::new(&SEQUENCE)
};

/// Makes the type ready.
pub(super) fn init() -> PyResult<()> {
    make_ready(&SPEC)
}

/// The instructions of an argument.
fn instructions(value: &Object, consts: Option<usize>) -> PyResult<Vec<Instr>> {
    let Some(sequence) = value.downcast::<View>() else {
        return Err(type_error("expected an instruction sequence"));
    };
    let mut content = sequence.content.borrow_mut();
    content.apply_labels()?;
    let mut all = Vec::with_capacity(content.instrs.len());
    for Given { op, arg, loc } in content.instrs.iter().copied() {
        if let Some(count) = consts
            && op == Opcode::LOAD_CONST
            && !usize::try_from(arg).is_ok_and(|arg| arg < count)
        {
            let message = format!("LOAD_CONST index {arg} is out of range for consts (len={count})");
            return Err(value_error(&message));
        }
        let arg =
            u32::try_from(arg).map_err(|_| value_error(&format!("{} has no argument {arg}", op.name())))?;
        all.push(Instr { op, arg, loc });
    }
    Ok(all)
}

fn refused(refused: Refused) -> taipan_object::PyErr {
    value_error(&refused.0)
}

/// `compiler_codegen(ast, filename, optimize, compile_mode=0)`.
pub(super) fn compiler_codegen(_: &Object, args: &Args<'_>) -> PyResult {
    let Some(filename) = args.required(1).downcast::<Str>() else {
        return Err(type_error("the file name must be a str"));
    };
    let mode = match args.i32_or(3, 0)? {
        0 => Mode::Exec,
        1 => Mode::Eval,
        2 => Mode::Single,
        _ => return Err(value_error("compile_mode must be 0, 1 or 2")),
    };
    let optimize = match args.required(2).to_i32()? {
        -1 => crate::compile::default_optimize(),
        level @ 0..=2 => level as u8,
        _ => return Err(value_error("invalid optimize value")),
    };
    let mut tree = ast::from_object(args.required(0), mode)?;
    let generated = generate(&mut tree, filename, Settings { optimize, ..Settings::new(mode) })?;
    let consts = List::from_vec(Code::constants_from_plain(&generated.consts, filename)?)?;
    let metadata = Dict::new()?;
    for key in ["argcount", "posonlyargcount", "kwonlyargcount"] {
        metadata.set_text(key, &Int::from_i64(0))?;
    }
    metadata.set_text("consts", &consts)?;
    Ok(Tuple::from_array([generated_sequence(generated.unit)?, metadata.upcast()])?.upcast())
}

fn generated_sequence(unit: stages::Generated) -> PyResult {
    let mut nested = Vec::with_capacity(unit.nested.len());
    for unit in unit.nested {
        nested.push(taipan_object::protocol::recursive(" during compilation", || generated_sequence(unit))?);
    }
    sequence_of(unit.instrs, nested)
}

/// A constant as the compiler knows it. Code and slices are known by number only.
fn plain_constant(value: &Object, index: usize) -> PyResult<Constant> {
    if value.downcast::<Code>().is_some() || value.is_exact(&PySlice_Type) {
        return Ok(stages::opaque(index));
    }
    Ok(stages::constant_of(&ast::constant(value)?))
}

/// `optimize_cfg(instructions, consts, nlocals)`.
pub(super) fn optimize_cfg(_: &Object, args: &Args<'_>) -> PyResult {
    if args.required(0).downcast::<View>().is_none() {
        return Err(value_error("expected an instruction sequence"));
    }
    let Some(consts) = args.required(1).downcast::<List>() else {
        return Err(type_error("consts must be a list"));
    };
    let nlocals = args.required(2).to_i32()?;
    let nlocals = usize::try_from(nlocals).map_err(|_| value_error("nlocals must not be negative"))?;
    let before = consts.to_vec();
    let instrs = instructions(args.required(0), Some(before.len()))?;
    let mut given = Vec::with_capacity(before.len());
    for (index, value) in before.iter().enumerate() {
        given.push(plain_constant(value, index)?);
    }
    let (instrs, origins) = stages::optimize(instrs, given, nlocals).map_err(refused)?;
    let filename = Str::from_utf8("")?;
    let mut after = Vec::with_capacity(origins.len());
    for origin in origins {
        match origin {
            Origin::Given(index) => after.push(before[index].clone()),
            Origin::Computed(value) => after.extend(Code::constants_from_plain(&[value], &filename)?),
        }
    }
    consts.splice(0, consts.len(), after)?;
    sequence_of(instrs, Vec::new())
}

/// Reads the description of a code unit.
struct Described<'a>(&'a Dict);

impl Described<'_> {
    fn value(&self, key: &str) -> PyResult {
        self.0.get_text(key).ok_or_else(|| value_error(&format!("metadata has no '{key}'")))
    }

    fn text(&self, key: &str) -> PyResult<String> {
        match self.value(key)?.downcast::<Str>() {
            Some(text) => Ok(text.to_utf8()?.to_owned()),
            None => Err(type_error(&format!("'{key}' must be a str"))),
        }
    }

    /// Keys in the order of the numbers that they have.
    fn numbered(&self, key: &str) -> PyResult<Vec<Ref>> {
        let value = self.value(key)?;
        let Some(dict) = value.downcast::<Dict>() else {
            return Err(type_error(&format!("'{key}' must be a dict")));
        };
        let items = dict.items_vec();
        let mut places: Vec<Option<Ref>> = vec![None; items.len()];
        for (name, number) in items {
            let place = usize::try_from(number.to_isize()?).ok().and_then(|at| places.get_mut(at));
            match place {
                Some(place) if place.is_none() => *place = Some(name),
                _ => return Err(value_error(&format!("'{key}' is not numbered from zero on"))),
            }
        }
        Ok(places.into_iter().flatten().collect())
    }

    fn names(&self, key: &str) -> PyResult<Vec<String>> {
        let mut all = Vec::new();
        for name in self.numbered(key)? {
            let Some(name) = name.downcast::<Str>() else {
                return Err(type_error(&format!("'{key}' must have names for keys")));
            };
            all.push(name.to_utf8()?.to_owned());
        }
        Ok(all)
    }

    fn count(&self, key: &str) -> PyResult<u32> {
        let count = self.value(key)?.to_i32()?;
        u32::try_from(count).map_err(|_| value_error(&format!("'{key}' must not be negative")))
    }
}

/// `assemble_code_object(filename, instructions, metadata)`.
pub(super) fn assemble_code_object(_: &Object, args: &Args<'_>) -> PyResult {
    let Some(filename) = args.required(0).downcast::<Str>() else {
        return Err(type_error("the file name must be a str"));
    };
    let Some(metadata) = args.required(2).downcast::<Dict>() else {
        return Err(type_error("metadata must be a dict"));
    };
    let described = Described(metadata);
    let mut consts = Vec::new();
    for key in described.numbered("consts")? {
        // The compiler's own tables have the type beside the value in a key.
        match key.downcast::<Tuple>().filter(|key| key.len() == 2) {
            Some(pair) => consts.push(pair.items()[1].new_ref()),
            None => consts.push(key),
        }
    }
    let instrs = instructions(args.required(1), Some(consts.len()))?;
    let metadata = stages::Metadata {
        name: described.text("name")?,
        qualname: described.text("qualname")?,
        names: described.names("names")?,
        varnames: described.names("varnames")?,
        cellvars: described.names("cellvars")?,
        freevars: described.names("freevars")?,
        fast_hidden: described.names("fasthidden")?,
        argcount: described.count("argcount")?,
        posonlyargcount: described.count("posonlyargcount")?,
        kwonlyargcount: described.count("kwonlyargcount")?,
        firstlineno: described.count("firstlineno")?.cast_signed(),
    };
    let plain = stages::assemble(instrs, &metadata, "").map_err(refused)?;
    let code = Code::from_plain_with(&plain, filename, Tuple::from_vec(consts)?)?;
    code.distrust();
    Ok(code.upcast())
}

/// `compiler_cleandoc(doc)`.
pub(super) fn compiler_cleandoc(_: &Object, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let doc = args.required(0);
    let Some(text) = doc.downcast::<Str>() else {
        let class = doc.ty().message_name();
        return Err(type_error(&format!("compiler_cleandoc() argument 'doc' must be str, not {class}")));
    };
    let mut plain = taipan_bytecode::code::PyStrBuilder::default();
    text.code_points().for_each(|point| plain.push_code_point(point));
    taipan_eval::code::text(&taipan_compiler::docstring::clean(&plain.take()))
}
