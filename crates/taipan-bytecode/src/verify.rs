//! Proves that bytecode which no compiler of ours has made cannot harm the interpreter.
//!
//! The interpreter trusts its code: it reads operands, locals and constants without looking, and takes what stands
//! on the stack for what the compiler put there. Code from `marshal`, `code(...)` and `code.replace(...)` may be
//! anything, so before its first run every path through it is followed with an abstract machine. A word of that
//! machine is a set of [`kind`]s that the real word may have; where paths meet, sets are united, and the walk goes on
//! until nothing changes.
//!
//! Proven are: instructions and their arguments are within bounds; jumps and handlers land on instructions; the
//! stack has the same depth on all ways to an instruction, never underflows and stays within `co_stacksize`; NULL
//! is met only where it may be; locals are bound where they are loaded without a check, and cells are cells; a
//! borrowed word does not outlive the local that it borrows from; lists, dicts and sets under construction, code,
//! functions, closures and saved exceptions are what the instruction takes them for; generators yield only after
//! they have been made.

use crate::exceptions::read_guards;
use crate::opcode::*;
use crate::{CO_FAST_CELL, CO_FAST_FREE, Code, Constant};

/// What a word may be, as a set of bits.
mod kind {
    pub const NULL: u16 = 1;
    /// Any object or small integer.
    pub const VALUE: u16 = 2;
    pub const CELL: u16 = 4;
    pub const CODE: u16 = 8;
    pub const FUNCTION: u16 = 16;
    pub const LIST: u16 = 32;
    pub const SET: u16 = 64;
    pub const DICT: u16 = 128;
    pub const TUPLE: u16 = 256;
    /// A tuple of cells.
    pub const CLOSURE: u16 = 512;
    /// An exception that was raised.
    pub const RAISED: u16 = 1024;
    /// What was handled before, or None.
    pub const SAVED: u16 = 2048;
    /// The offset of a raising instruction.
    pub const OFFSET: u16 = 4096;
}

/// What the verifier wants to know of a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstantKind {
    /// A code object with that many free variables.
    Code(usize),
    /// A tuple.
    Tuple,
    /// Anything else.
    Other,
}

/// The code object to be verified.
pub struct Subject<'a> {
    /// Instructions.
    pub code: &'a [u8],
    /// Tells the kind of each constant.
    pub constant: &'a dyn Fn(usize) -> ConstantKind,
    /// Number of constants.
    pub constants: usize,
    /// Number of names.
    pub names: usize,
    /// Kinds of the frame's variables.
    pub localspluskinds: &'a [u8],
    /// How many of the first variables are parameters.
    pub parameters: usize,
    /// `co_stacksize`.
    pub stacksize: usize,
    /// `co_flags`.
    pub flags: u32,
    /// Exception table.
    pub exceptiontable: &'a [u8],
}

/// Why code is refused, and the code unit where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// What is wrong.
    pub what: &'static str,
    /// Code unit.
    pub at: usize,
}

type Verified<T> = Result<T, Defect>;

/// No local is borrowed from.
const NOTHING: u32 = u32::MAX;
/// Borrowed from a local that differs from path to path.
const ANYTHING: u32 = u32::MAX - 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Word {
    kinds: u16,
    /// The local whose reference it uses.
    lender: u32,
    /// Number that goes with `CODE`, `FUNCTION` (free variables), `CLOSURE` and `TUPLE` (length).
    number: u32,
}

const fn word(kinds: u16) -> Word {
    Word { kinds, lender: NOTHING, number: 0 }
}

const fn numbered(kinds: u16, number: usize) -> Word {
    Word { kinds, lender: NOTHING, number: number as u32 }
}

const ANY: Word = word(kind::VALUE);

impl Word {
    /// What it is when it comes from either side.
    fn meet(self, other: Word) -> Word {
        if self == other {
            return self;
        }
        let mut kinds = self.kinds | other.kinds;
        if self.number != other.number {
            // Numbers that differ mean nothing.
            let lost = kind::CODE | kind::FUNCTION | kind::CLOSURE;
            if kinds & lost != 0 {
                kinds = kinds & !lost | kind::VALUE;
            }
        }
        let lender = if self.lender == other.lender { self.lender } else { ANYTHING };
        Word { kinds, lender, number: self.number }
    }

    fn is(self, kinds: u16) -> bool {
        self.kinds & !kinds == 0
    }
}

#[derive(Clone, PartialEq, Eq)]
struct State {
    locals: Vec<Word>,
    stack: Vec<Word>,
    /// Is the frame that of a generator by now?
    generator: bool,
}

struct Guarded {
    start: usize,
    end: usize,
    target: usize,
    depth: usize,
    lasti: bool,
}

struct Walk<'a> {
    subject: &'a Subject<'a>,
    guards: Vec<Guarded>,
    /// For each code unit, whether an instruction (with its prefixes) begins there.
    starts: Vec<bool>,
    /// For each code unit, whether paths may meet there.
    joins: Vec<bool>,
    states: Vec<Option<Box<State>>>,
    todo: Vec<usize>,
    here: usize,
}

/// One instruction with its prefixes.
struct Step {
    op: Opcode,
    arg: u32,
    /// Unit behind its caches.
    next: usize,
}

/// Verifies a code object.
///
/// # Errors
/// The first defect met.
pub fn verify(subject: &Subject<'_>) -> Verified<()> {
    let units = subject.code.len() / 2;
    let nowhere = |what| Defect { what, at: 0 };
    if units == 0 || !subject.code.len().is_multiple_of(2) {
        return Err(nowhere("no instructions"));
    }
    if subject.parameters > subject.localspluskinds.len() {
        return Err(nowhere("more parameters than variables"));
    }
    let mut walk = Walk {
        subject,
        guards: Vec::new(),
        starts: vec![false; units],
        joins: vec![false; units],
        states: Vec::new(),
        todo: Vec::new(),
        here: 0,
    };
    walk.mark_instructions()?;
    walk.read_guards()?;
    walk.states.resize_with(units, || None);
    let locals = subject
        .localspluskinds
        .iter()
        .enumerate()
        .map(|(at, _)| if at < subject.parameters { ANY } else { word(kind::NULL) })
        .collect();
    let start = State { locals, stack: Vec::new(), generator: false };
    walk.joins[0] = true;
    walk.arrive(0, &start)?;
    while let Some(at) = walk.todo.pop() {
        walk.follow(at)?;
    }
    Ok(())
}

/// Verifies a code object that is plain data, and those among its constants.
///
/// # Errors
/// The first defect met.
pub fn verify_code(code: &Code) -> Verified<()> {
    let kind_of = |index: usize| match &code.consts[index] {
        Constant::Code(code) => ConstantKind::Code(code.freevars().len()),
        Constant::Tuple(_) => ConstantKind::Tuple,
        _ => ConstantKind::Other,
    };
    let variadic = code.flags & (CO_VARARGS | CO_VARKEYWORDS);
    let parameters = code.argcount as usize + code.kwonlyargcount as usize + variadic.count_ones() as usize;
    verify(&Subject {
        code: &code.code,
        constant: &kind_of,
        constants: code.consts.len(),
        names: code.names.len(),
        localspluskinds: &code.localspluskinds,
        parameters,
        stacksize: code.stacksize as usize,
        flags: code.flags,
        exceptiontable: &code.exceptiontable,
    })?;
    for constant in code.consts.iter() {
        if let Constant::Code(inner) = constant {
            verify_code(inner)?;
        }
    }
    Ok(())
}

impl Walk<'_> {
    fn fail<T>(&self, what: &'static str) -> Verified<T> {
        Err(Defect { what, at: self.here })
    }

    fn check(&self, holds: bool, what: &'static str) -> Verified<()> {
        if holds { Ok(()) } else { self.fail(what) }
    }

    /// The instruction at a unit.
    fn step(&self, mut at: usize) -> Verified<Step> {
        let code = self.subject.code;
        let mut arg = 0u32;
        let start = at;
        loop {
            let Some(&[number, low]) = code.get(at * 2..at * 2 + 2) else {
                return self.fail("instruction beyond the end");
            };
            arg = arg << 8 | u32::from(low);
            at += 1;
            // Numbers without meaning raise SystemError when they are run.
            let Some(op) = Opcode::from_u8(number) else {
                return Ok(Step { op: Opcode::CACHE, arg: 0, next: at });
            };
            if op == Opcode::EXTENDED_ARG {
                if at - start > 3 {
                    return self.fail("too many prefixes");
                }
                continue;
            }
            if op.kind() != Kind::Real
                || matches!(
                    op,
                    Opcode::CACHE | Opcode::RESERVED | Opcode::INTERPRETER_EXIT | Opcode::EXIT_INIT_CHECK
                )
            {
                return self.fail("instruction that programs do not have");
            }
            let next = at + op.caches();
            if next * 2 > code.len() {
                return self.fail("instruction beyond the end");
            }
            return Ok(Step { op, arg, next });
        }
    }

    fn mark_instructions(&mut self) -> Verified<()> {
        let mut at = 0;
        while at < self.starts.len() {
            self.here = at;
            self.starts[at] = true;
            at = self.step(at)?.next;
        }
        at = 0;
        while at < self.starts.len() {
            self.here = at;
            let step = self.step(at)?;
            if let Some(target) = self.target(&step)? {
                self.joins[target] = true;
            }
            at = step.next;
        }
        Ok(())
    }

    /// Where a jump goes.
    fn target(&self, step: &Step) -> Verified<Option<usize>> {
        let distance = step.arg as usize;
        let target = match step.op {
            // The distance tells where the loop's `SEND` stands; control does not go there.
            Opcode::END_ASYNC_FOR => return Ok(None),
            Opcode::JUMP_BACKWARD | Opcode::JUMP_BACKWARD_NO_INTERRUPT => step.next.checked_sub(distance),
            op if op.has_jump() => step.next.checked_add(distance),
            _ => return Ok(None),
        };
        // An exhausted loop goes on behind its `END_FOR`.
        let target = target.map(|at| if step.op == Opcode::FOR_ITER { at + 1 } else { at });
        match target {
            Some(at) if self.starts.get(at).copied().unwrap_or(false) => Ok(Some(at)),
            _ => self.fail("jump to no instruction"),
        }
    }

    fn read_guards(&mut self) -> Verified<()> {
        let units = self.starts.len();
        let mut last = 0;
        for guard in read_guards(self.subject.exceptiontable) {
            let (start, end, target) = (guard.start as usize, guard.end as usize, guard.target as usize);
            self.here = start;
            let depth = guard.depth as usize;
            let sane = start >= last
                && start < end
                && end <= units
                && self.starts[start]
                && self.starts.get(target).copied().unwrap_or(false);
            self.check(sane, "odd exception table")?;
            let height = depth.checked_add(1 + usize::from(guard.lasti));
            self.check(height.is_some_and(|height| height <= self.subject.stacksize), "stack too small")?;
            self.joins[target] = true;
            last = end;
            self.guards.push(Guarded { start, end, target, depth, lasti: guard.lasti });
        }
        Ok(())
    }

    /// A path reaches a unit where paths may meet.
    fn arrive(&mut self, at: usize, state: &State) -> Verified<()> {
        match &mut self.states[at] {
            slot @ None => {
                *slot = Some(Box::new(state.clone()));
                self.todo.push(at);
            }
            Some(known) => {
                if known.stack.len() != state.stack.len() || known.generator != state.generator {
                    return Err(Defect { what: "paths meet with different stacks", at });
                }
                let mut changed = false;
                let pairs = known.locals.iter_mut().zip(&state.locals);
                for (known, new) in pairs.chain(known.stack.iter_mut().zip(&state.stack)) {
                    let met = known.meet(*new);
                    changed |= met != *known;
                    *known = met;
                }
                if changed {
                    self.todo.push(at);
                }
            }
        }
        Ok(())
    }

    /// Follows the code from a join to the next one.
    fn follow(&mut self, start: usize) -> Verified<()> {
        let Some(state) = &self.states[start] else { return Ok(()) };
        let mut state = State::clone(state);
        let mut at = start;
        // The guard whose handler knows the locals as they are.
        let mut told = None;
        loop {
            self.here = at;
            let step = self.step(at)?;
            let guard = self.guards.partition_point(|guard| guard.start <= at).checked_sub(1);
            if let Some(index) = guard.filter(|index| at < self.guards[*index].end && can_raise(step.op)) {
                let depth = self.guards[index].depth;
                let reach = reach(&step);
                self.check(state.stack.len() >= depth + reach, "handler deeper than the stack")?;
                if told != Some(index) {
                    self.raise(index, &state)?;
                    told = Some(index);
                }
            }
            if changes_frame(step.op) {
                told = None;
            }
            let goes_on = self.execute(&step, &mut state)?;
            if !goes_on {
                return Ok(());
            }
            self.check(step.next < self.starts.len(), "control runs off the end")?;
            at = step.next;
            if self.joins[at] {
                return self.arrive(at, &state);
            }
        }
    }

    /// An exception goes to a handler.
    fn raise(&mut self, index: usize, state: &State) -> Verified<()> {
        let Guarded { target, depth, lasti, .. } = self.guards[index];
        let mut stack = state.stack[..depth].to_vec();
        if lasti {
            stack.push(word(kind::OFFSET));
        }
        stack.push(word(kind::RAISED));
        let state = State { locals: state.locals.clone(), stack, generator: state.generator };
        self.arrive(target, &state)
    }

    fn pop(&self, state: &mut State) -> Verified<Word> {
        match state.stack.pop() {
            Some(word) => Ok(word),
            None => self.fail("stack underflow"),
        }
    }

    /// Pops a word that is an object.
    fn pop_value(&self, state: &mut State) -> Verified<Word> {
        let popped = self.pop(state)?;
        self.check(popped.kinds & kind::NULL == 0, "NULL where an object must be")?;
        Ok(popped)
    }

    fn pop_values(&self, state: &mut State, count: usize) -> Verified<()> {
        for _ in 0..count {
            self.pop_value(state)?;
        }
        Ok(())
    }

    fn pop_kind(&self, state: &mut State, kinds: u16) -> Verified<Word> {
        let popped = self.pop(state)?;
        self.check(popped.is(kinds), "operand of another kind")?;
        Ok(popped)
    }

    /// The word `n` below the top; 1 is the top.
    fn peek(&self, state: &State, n: usize) -> Verified<Word> {
        match state.stack.len().checked_sub(n).filter(|_| n > 0).and_then(|at| state.stack.get(at)) {
            Some(word) => Ok(*word),
            None => self.fail("stack underflow"),
        }
    }

    fn push(&self, state: &mut State, word: Word) -> Verified<()> {
        self.check(state.stack.len() < self.subject.stacksize, "stack too small")?;
        state.stack.push(word);
        Ok(())
    }

    fn local(&self, state: &State, at: usize) -> Verified<Word> {
        match state.locals.get(at) {
            Some(word) => Ok(*word),
            None => self.fail("no such variable"),
        }
    }

    /// Gives a local another word; nobody may borrow from the old one.
    fn set_local(&self, state: &mut State, at: usize, new: Word) -> Verified<()> {
        let lent = |word: &Word| word.lender == at as u32 || word.lender == ANYTHING;
        self.check(!state.stack.iter().any(lent), "local changed while it is borrowed from")?;
        match state.locals.get_mut(at) {
            Some(local) => {
                *local = Word { lender: NOTHING, ..new };
                Ok(())
            }
            None => self.fail("no such variable"),
        }
    }

    fn load_fast(&self, state: &mut State, at: usize, borrow: bool) -> Verified<()> {
        let local = self.local(state, at)?;
        self.check(local.kinds & kind::NULL == 0, "unbound variable")?;
        self.push(state, Word { lender: if borrow { at as u32 } else { NOTHING }, ..local })
    }

    fn store_fast(&self, state: &mut State, at: usize) -> Verified<()> {
        let value = self.pop(state)?;
        self.set_local(state, at, value)
    }

    fn cell(&self, state: &State, at: usize) -> Verified<()> {
        let local = self.local(state, at)?;
        self.check(local.is(kind::CELL), "variable that is no cell")
    }

    /// Does to the state what an instruction does. Says whether control goes on to the next instruction.
    fn execute(&mut self, step: &Step, state: &mut State) -> Verified<bool> {
        use Opcode::*;
        let (op, arg) = (step.op, step.arg as usize);
        self.check_argument(step)?;
        match op {
            POP_TOP | POP_ITER | END_FOR => {
                self.pop(state)?;
            }
            PUSH_NULL => self.push(state, word(kind::NULL))?,
            COPY => {
                let copied = self.peek(state, arg)?;
                self.push(state, copied)?;
            }
            SWAP => {
                self.peek(state, arg)?;
                let count = state.stack.len();
                state.stack.swap(count - 1, count - arg);
            }
            LOAD_CONST => {
                let made = match (self.subject.constant)(arg) {
                    ConstantKind::Code(free) => numbered(kind::CODE, free),
                    ConstantKind::Tuple => word(kind::TUPLE),
                    ConstantKind::Other => ANY,
                };
                self.push(state, made)?;
            }
            LOAD_FAST => self.load_fast(state, arg, false)?,
            LOAD_FAST_BORROW => self.load_fast(state, arg, true)?,
            LOAD_FAST_LOAD_FAST | LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                let borrow = op == LOAD_FAST_BORROW_LOAD_FAST_BORROW;
                self.load_fast(state, arg >> 4, borrow)?;
                self.load_fast(state, arg & 15, borrow)?;
            }
            LOAD_FAST_CHECK => {
                let local = self.local(state, arg)?;
                // Behind it the variable is bound, or control is elsewhere.
                let kinds = local.kinds & !kind::NULL;
                let bound = Word { kinds: if kinds == 0 { kind::VALUE } else { kinds }, ..local };
                state.locals[arg] = bound;
                self.push(state, bound)?;
            }
            LOAD_FAST_AND_CLEAR => {
                let local = self.local(state, arg)?;
                self.set_local(state, arg, word(kind::NULL))?;
                self.push(state, local)?;
            }
            STORE_FAST => self.store_fast(state, arg)?,
            STORE_FAST_LOAD_FAST => {
                self.store_fast(state, arg >> 4)?;
                self.load_fast(state, arg & 15, false)?;
            }
            STORE_FAST_STORE_FAST => {
                self.store_fast(state, arg >> 4)?;
                self.store_fast(state, arg & 15)?;
            }
            DELETE_FAST => {
                self.local(state, arg)?;
                self.set_local(state, arg, word(kind::NULL))?;
            }
            MAKE_CELL => self.set_local(state, arg, word(kind::CELL))?,
            COPY_FREE_VARS => {
                let kinds = self.subject.localspluskinds;
                let free = kinds.iter().filter(|kind| **kind & CO_FAST_FREE != 0).count();
                self.check(arg == free, "wrong number of free variables")?;
                for at in kinds.len() - free..kinds.len() {
                    self.set_local(state, at, word(kind::CELL))?;
                }
            }
            LOAD_DEREF => {
                self.cell(state, arg)?;
                self.push(state, ANY)?;
            }
            STORE_DEREF => {
                self.cell(state, arg)?;
                self.pop_value(state)?;
            }
            DELETE_DEREF => self.cell(state, arg)?,
            LOAD_FROM_DICT_OR_DEREF => {
                self.cell(state, arg)?;
                self.pop_value(state)?;
                self.push(state, ANY)?;
            }
            BUILD_TUPLE => self.build_tuple(state, arg)?,
            BUILD_LIST => self.build(state, arg, kind::LIST)?,
            BUILD_SET => self.build(state, arg, kind::SET)?,
            BUILD_MAP => self.build(state, arg * 2, kind::DICT)?,
            LIST_APPEND | LIST_EXTEND => self.add_to_container(state, 1, arg, kind::LIST)?,
            // These look at what they get: the names of annotated variables are collected in a global.
            SET_ADD | SET_UPDATE => self.add_to_container(state, 1, arg, !kind::NULL)?,
            MAP_ADD => self.add_to_container(state, 2, arg, kind::DICT)?,
            DICT_UPDATE => self.add_to_container(state, 1, arg, kind::DICT)?,
            DICT_MERGE => {
                self.add_to_container(state, 1, arg, kind::DICT)?;
                // The function stands further down, for messages.
                let function = self.peek(state, arg + 3)?;
                self.check(function.kinds & kind::NULL == 0, "NULL where an object must be")?;
            }
            MAKE_FUNCTION => self.make_function(step, state)?,
            SET_FUNCTION_ATTRIBUTE => self.set_function_attribute(state, step.arg)?,
            _ => return self.execute_more(step, state),
        }
        Ok(true)
    }

    fn execute_more(&mut self, step: &Step, state: &mut State) -> Verified<bool> {
        use Opcode::*;
        let (op, arg) = (step.op, step.arg as usize);
        let null_or_self = word(kind::NULL | kind::VALUE);
        match op {
            LOAD_ATTR => {
                self.pop_value(state)?;
                self.push_method(state, arg & 1 != 0)?;
            }
            LOAD_SUPER_ATTR => {
                self.pop_values(state, 3)?;
                self.push_method(state, arg & 1 != 0)?;
            }
            LOAD_GLOBAL => {
                self.push(state, ANY)?;
                if arg & 1 != 0 {
                    self.push(state, word(kind::NULL))?;
                }
            }
            LOAD_SPECIAL => {
                self.pop_value(state)?;
                self.push(state, ANY)?;
                self.push(state, null_or_self)?;
            }
            CALL => {
                self.pop_values(state, arg)?;
                self.pop(state)?;
                self.pop_value(state)?;
                self.push(state, ANY)?;
            }
            CALL_KW => {
                self.pop_kind(state, kind::TUPLE)?;
                self.pop_values(state, arg)?;
                self.pop(state)?;
                self.pop_value(state)?;
                self.push(state, ANY)?;
            }
            CALL_FUNCTION_EX => {
                self.pop(state)?;
                self.pop_value(state)?;
                self.pop(state)?;
                self.pop_value(state)?;
                self.push(state, ANY)?;
            }
            WITH_EXCEPT_START => {
                let exit = self.peek(state, 5)?;
                let raised = self.peek(state, 1)?;
                self.check((exit.kinds | raised.kinds) & kind::NULL == 0, "NULL where an object must be")?;
                self.push(state, ANY)?;
            }
            PUSH_EXC_INFO => {
                let raised = self.pop_kind(state, kind::RAISED)?;
                self.push(state, word(kind::SAVED))?;
                self.push(state, raised)?;
            }
            POP_EXCEPT => {
                self.pop_kind(state, kind::SAVED)?;
            }
            CHECK_EXC_MATCH => {
                self.pop_value(state)?;
                let raised = self.peek(state, 1)?;
                self.check(raised.kinds & kind::NULL == 0, "NULL where an object must be")?;
                self.push(state, ANY)?;
            }
            RERAISE => {
                self.pop_value(state)?;
                if arg > 0 {
                    let offset = self.peek(state, arg)?;
                    self.check(offset.is(kind::OFFSET), "operand of another kind")?;
                }
                return Ok(false);
            }
            CACHE => return Ok(false),
            RETURN_VALUE => {
                self.pop_value(state)?;
                return Ok(false);
            }
            RAISE_VARARGS => {
                self.pop_values(state, arg)?;
                return Ok(false);
            }
            RETURN_GENERATOR => {
                let made = self.subject.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0;
                self.check(
                    made && !state.generator && state.stack.is_empty(),
                    "generator made in an odd place",
                )?;
                state.generator = true;
                self.push(state, ANY)?;
            }
            YIELD_VALUE => {
                self.check(state.generator, "yield outside a generator")?;
                self.pop_value(state)?;
                self.push(state, ANY)?;
            }
            SEND => {
                self.check(state.generator, "yield outside a generator")?;
                self.pop_value(state)?;
                let receiver = self.peek(state, 1)?;
                self.check(receiver.kinds & kind::NULL == 0, "NULL where an object must be")?;
                self.push(state, ANY)?;
                self.jump(step, state)?;
            }
            FOR_ITER => {
                let iterator = self.peek(state, 1)?;
                self.check(iterator.kinds & kind::NULL == 0, "NULL where an object must be")?;
                let behind = step.next + step.arg as usize;
                let end = self.subject.code.get(behind * 2).copied();
                self.check(end == Some(END_FOR as u16 as u8), "loop without end")?;
                self.jump(step, state)?;
                self.push(state, ANY)?;
            }
            JUMP_FORWARD | JUMP_BACKWARD | JUMP_BACKWARD_NO_INTERRUPT => {
                self.jump(step, state)?;
                return Ok(false);
            }
            GET_ANEXT | GET_LEN | MATCH_MAPPING | MATCH_SEQUENCE | MATCH_KEYS | IMPORT_FROM => {
                let depth = op.pops(step.arg) as usize;
                for below in 1..=depth {
                    let operand = self.peek(state, below)?;
                    self.check(operand.kinds & kind::NULL == 0, "NULL where an object must be")?;
                }
                self.push(state, ANY)?;
            }
            _ => {
                let (pops, pushes) = (op.pops(step.arg).max(0) as usize, op.pushes(step.arg).max(0) as usize);
                self.pop_values(state, pops)?;
                if op.has_jump() && op != END_ASYNC_FOR {
                    self.jump(step, state)?;
                }
                for _ in 0..pushes {
                    self.push(state, ANY)?;
                }
            }
        }
        Ok(true)
    }

    fn jump(&mut self, step: &Step, state: &State) -> Verified<()> {
        match self.target(step)? {
            Some(target) => self.arrive(target, state),
            None => self.fail("jump to no instruction"),
        }
    }

    fn push_method(&self, state: &mut State, is_method: bool) -> Verified<()> {
        self.push(state, ANY)?;
        if is_method {
            self.push(state, word(kind::NULL | kind::VALUE))?;
        }
        Ok(())
    }

    fn build(&self, state: &mut State, count: usize, kinds: u16) -> Verified<()> {
        self.pop_values(state, count)?;
        self.push(state, word(kinds))
    }

    fn build_tuple(&self, state: &mut State, count: usize) -> Verified<()> {
        let mut all_cells = count > 0;
        for _ in 0..count {
            all_cells &= self.pop_value(state)?.is(kind::CELL);
        }
        self.push(state, if all_cells { numbered(kind::CLOSURE, count) } else { word(kind::TUPLE) })
    }

    /// `count` words go into the container `depth` below them.
    fn add_to_container(&self, state: &mut State, count: usize, depth: usize, kinds: u16) -> Verified<()> {
        self.pop_values(state, count)?;
        let container = self.peek(state, depth)?;
        self.check(container.is(kinds), "operand of another kind")
    }

    fn make_function(&self, step: &Step, state: &mut State) -> Verified<()> {
        let code = self.pop_kind(state, kind::CODE)?;
        let free = code.number as usize;
        if free > 0 {
            let next = self.step(step.next)?;
            let given = next.op == Opcode::SET_FUNCTION_ATTRIBUTE && next.arg == MAKE_FUNCTION_CLOSURE;
            let closure = self.peek(state, 1)?;
            let fits = closure.is(kind::CLOSURE) && closure.number as usize == free;
            self.check(given && fits && !self.joins[step.next], "function without its closure")?;
        }
        self.push(state, numbered(kind::FUNCTION, free))
    }

    fn set_function_attribute(&self, state: &mut State, which: u32) -> Verified<()> {
        let function = self.pop_kind(state, kind::FUNCTION)?;
        let value = self.pop_value(state)?;
        if which == MAKE_FUNCTION_CLOSURE {
            let fits = value.is(kind::CLOSURE) && value.number == function.number;
            self.check(fits, "operand of another kind")?;
        }
        self.push(state, function)
    }

    /// Checks that the argument means something.
    fn check_argument(&self, step: &Step) -> Verified<()> {
        use Opcode::*;
        let (op, arg) = (step.op, step.arg as usize);
        let Subject { names, constants, .. } = *self.subject;
        let fits = match op {
            LOAD_CONST => arg < constants,
            LOAD_SMALL_INT => arg < 256,
            LOAD_GLOBAL | LOAD_ATTR => arg >> 1 < names,
            LOAD_SUPER_ATTR => arg >> 2 < names,
            _ if op.has(flag::NAME) => arg < names,
            LOAD_DEREF | STORE_DEREF | DELETE_DEREF | LOAD_FROM_DICT_OR_DEREF | MAKE_CELL => {
                arg < self.subject.localspluskinds.len()
                    && self.subject.localspluskinds[arg] & (CO_FAST_CELL | CO_FAST_FREE) != 0
            }
            LOAD_FAST_LOAD_FAST
            | LOAD_FAST_BORROW_LOAD_FAST_BORROW
            | STORE_FAST_LOAD_FAST
            | STORE_FAST_STORE_FAST => arg < 256,
            COMPARE_OP => arg >> 5 < 6,
            BINARY_OP => arg < 27,
            IS_OP | CONTAINS_OP => arg < 2,
            CONVERT_VALUE => (1..=3).contains(&arg),
            BUILD_SLICE => arg == 2 || arg == 3,
            RAISE_VARARGS => arg <= 2,
            LOAD_SPECIAL => arg < 4,
            LOAD_COMMON_CONSTANT => arg < 5,
            CALL_INTRINSIC_1 => (1..=11).contains(&arg),
            CALL_INTRINSIC_2 => (1..=5).contains(&arg),
            SET_FUNCTION_ATTRIBUTE => arg.is_power_of_two() && arg <= 16,
            COPY => arg >= 1,
            SWAP => arg >= 1,
            UNPACK_EX => (arg & 255) + (arg >> 8) < 1 << 24,
            // What builds from the stack cannot take more than is there.
            BUILD_TUPLE | BUILD_LIST | BUILD_SET | BUILD_STRING | CALL | CALL_KW | BUILD_MAP
            | UNPACK_SEQUENCE => arg < 1 << 30,
            LIST_APPEND | LIST_EXTEND | SET_ADD | SET_UPDATE | MAP_ADD | DICT_UPDATE | DICT_MERGE => {
                (1..1 << 30).contains(&arg)
            }
            _ => true,
        };
        self.check(fits, "argument out of range")
    }
}

/// How deep an instruction may cut the stack before it raises.
fn reach(step: &Step) -> usize {
    match step.op {
        Opcode::COPY => 0,
        Opcode::SWAP => step.arg as usize,
        // The word that they look at stays.
        Opcode::LIST_APPEND | Opcode::LIST_EXTEND | Opcode::SET_ADD | Opcode::SET_UPDATE => 1,
        Opcode::DICT_UPDATE | Opcode::DICT_MERGE | Opcode::CHECK_EXC_MATCH => 1,
        Opcode::MAP_ADD => 2,
        Opcode::RERAISE => 1,
        Opcode::GET_ANEXT | Opcode::GET_LEN | Opcode::MATCH_MAPPING | Opcode::MATCH_SEQUENCE => 0,
        Opcode::MATCH_KEYS | Opcode::IMPORT_FROM | Opcode::WITH_EXCEPT_START | Opcode::FOR_ITER => 0,
        Opcode::SEND => 1,
        // What is thrown into a generator finds another value in the place of the yielded one.
        Opcode::YIELD_VALUE => 0,
        op => op.pops(step.arg).max(0) as usize,
    }
}

/// Whether an exception can come up, be it thrown from outside.
fn can_raise(op: Opcode) -> bool {
    op.has(flag::ERROR | flag::ERROR_NO_POP | flag::EVAL_BREAK)
        || matches!(op, Opcode::YIELD_VALUE | Opcode::RESUME | Opcode::CACHE)
}

/// Whether handlers must be told anew what the locals and the lower part of the stack hold.
fn changes_frame(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        SWAP | PUSH_EXC_INFO
            | POP_EXCEPT
            | LOAD_FAST_CHECK
            | LOAD_FAST_AND_CLEAR
            | STORE_FAST
            | STORE_FAST_LOAD_FAST
            | STORE_FAST_STORE_FAST
            | DELETE_FAST
            | MAKE_CELL
            | COPY_FREE_VARS
            | RETURN_GENERATOR
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &[(Opcode, u8)], stacksize: usize, locals: &[u8], parameters: usize) -> Verified<()> {
        let code: Vec<u8> = code.iter().flat_map(|(op, arg)| [*op as u16 as u8, *arg]).collect();
        verify(&Subject {
            code: &code,
            constant: &|_| ConstantKind::Other,
            constants: 1,
            names: 1,
            localspluskinds: locals,
            parameters,
            stacksize,
            flags: 0,
            exceptiontable: &[],
        })
    }

    fn refusal(code: &[(Opcode, u8)]) -> &'static str {
        check(code, 2, &[0x20], 0).expect_err("this code is refused").what
    }

    #[test]
    fn sound_code_is_accepted() {
        use Opcode::*;
        assert_eq!(check(&[(RESUME, 0), (LOAD_CONST, 0), (RETURN_VALUE, 0)], 1, &[], 0), Ok(()));
        assert_eq!(check(&[(LOAD_FAST_BORROW, 0), (RETURN_VALUE, 0)], 1, &[0x22], 1), Ok(()));
    }

    #[test]
    fn unsound_code_is_refused() {
        use Opcode::*;
        assert_eq!(refusal(&[(RETURN_VALUE, 0)]), "stack underflow");
        assert_eq!(refusal(&[(LOAD_CONST, 1), (RETURN_VALUE, 0)]), "argument out of range");
        assert_eq!(refusal(&[(LOAD_CONST, 0)]), "control runs off the end");
        assert_eq!(refusal(&[(LOAD_FAST, 0), (RETURN_VALUE, 0)]), "unbound variable");
        assert_eq!(refusal(&[(LOAD_FAST, 7), (RETURN_VALUE, 0)]), "no such variable");
        assert_eq!(refusal(&[(PUSH_NULL, 0), (RETURN_VALUE, 0)]), "NULL where an object must be");
        assert_eq!(refusal(&[(JUMP_FORWARD, 9), (RETURN_VALUE, 0)]), "jump to no instruction");
        assert_eq!(refusal(&[(LOAD_CONST, 0), (POP_EXCEPT, 0)]), "operand of another kind");
        assert_eq!(refusal(&[(LOAD_CONST, 0), (YIELD_VALUE, 0)]), "yield outside a generator");
        let push = (LOAD_CONST, 0);
        assert_eq!(refusal(&[push, push, push, (RETURN_VALUE, 0)]), "stack too small");
        // The loop pushes one value more each time round.
        let endless = [push, (JUMP_BACKWARD, 3), (CACHE, 0)];
        assert_eq!(refusal(&endless), "paths meet with different stacks");
        let overwritten =
            [push, (STORE_FAST, 0), (LOAD_FAST_BORROW, 0), push, (STORE_FAST, 0), (RETURN_VALUE, 0)];
        assert_eq!(refusal(&overwritten), "local changed while it is borrowed from");
    }
}
