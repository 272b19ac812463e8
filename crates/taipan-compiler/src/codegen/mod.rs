//! Code generation: from the tree to instruction sequences, one for each code object.
//!
//! A [`Unit`] is a code object under construction; units are stacked as functions and classes nest. This file holds
//! the units, the emission of single instructions, and names; the others hold statements, expressions, calls,
//! comprehensions, patterns, functions and classes, and the statements that guard blocks.

mod blocks;
mod call;
mod comprehension;
mod expr;
mod function;
mod pattern;
mod stmt;

use std::rc::Rc;

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Code, Constant, Location, Opcode, PyStr};
use taipan_syntax::ast::{self, ExprContext, Mod, Range, StmtAnnAssign};

use crate::assemble::{self, UnitInfo};
use crate::constants::{ConstantPool, UnitConstants};
use crate::error::{CompileError, Compiled, Depth, Warning, location, range_of};
use crate::flow::{self, Layout, UnitFacts};
use crate::future::Future;
use crate::instr::{InstrSeq, Label};
use crate::names::{Name, NameMap, NameSet, Names, known};
use crate::stages::Generated;
use crate::symtable::*;
use blocks::Guard;

/// Longest sequence that is built on the value stack.
pub(crate) const STACK_USE_GUIDELINE: usize = 30;

/// Sort of code object.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum UnitKind {
    #[default]
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    Annotations,
}

/// A code object under construction.
#[derive(Default)]
pub(crate) struct Unit<'a> {
    kind: UnitKind,
    scope: ScopeId,
    name: Name,
    qualname: PyStr,
    private: Option<Name>,
    seq: InstrSeq,
    /// What was generated for the units within, when that is wanted.
    nested: Vec<Generated>,
    stashed: Option<InstrSeq>,
    names: NameSet,
    varnames: NameSet,
    cellvars: NameSet,
    freevars: NameSet,
    /// Names that inlined comprehensions keep in fast slots outside functions; true while one is compiled.
    fast_hidden: NameMap<bool>,
    consts: UnitConstants,
    argcount: u32,
    posonlyargcount: u32,
    kwonlyargcount: u32,
    firstlineno: i32,
    guards: Vec<Guard<'a>>,
    in_inlined_comp: u32,
    in_conditional_block: u32,
    deferred_annotations: Vec<(&'a StmtAnnAssign, Location, Option<i64>)>,
    next_conditional_index: i64,
    static_attributes: NameSet,
}

/// Numbers of parameters.
#[derive(Clone, Copy, Default)]
pub(crate) struct ArgCounts {
    pub args: usize,
    pub posonly: usize,
    pub kwonly: usize,
}

/// The whole compilation.
pub(crate) struct Compiler<'a> {
    pub names: Names,
    pub table: SymbolTable,
    pub pool: ConstantPool,
    pub unit: Box<Unit<'a>>,
    #[expect(clippy::vec_box, reason = "a unit moves between here and `unit`, where it is boxed")]
    pub outer: Vec<Box<Unit<'a>>>,
    pub filename: PyStr,
    pub future: Future,
    /// `CO_FUTURE_*` bits for every code object.
    pub inherited_flags: u32,
    pub optimize: u8,
    pub interactive: bool,
    pub warnings: Vec<Warning>,
    pub depth: Depth,
    /// Above zero while code is generated once more that has been generated before.
    pub silenced: u32,
    /// Whether the sequences of nested units are kept.
    keeps_sequences: bool,
    /// The graph of the unit that is finished last, and other memory that finishing takes.
    graph: flow::Graph,
    scratch: assemble::Scratch,
    /// Units that are done with, for their memory.
    #[expect(clippy::vec_box, reason = "as `outer`")]
    spare_units: Vec<Box<Unit<'a>>>,
}

/// A finished code object, and the names of its free variables.
pub(crate) struct Finished {
    code: Rc<Code>,
    freevars: Vec<Name>,
}

/// How a name is reached.
enum Access {
    Fast,
    Global,
    Deref,
    Named,
}

impl<'a> Compiler<'a> {
    /// Compiles a whole tree.
    #[expect(clippy::too_many_arguments, reason = "one call with the whole of `compile()`'s settings")]
    pub fn module(
        module: &'a Mod,
        names: Names,
        table: SymbolTable,
        filename: PyStr,
        future: Future,
        inherited_flags: u32,
        optimize: u8,
        depth: Depth,
    ) -> Compiled<(Code, Vec<Warning>)> {
        let mut compiler = Compiler::new(names, table, filename, future, inherited_flags, optimize, depth);
        let add_none = compiler.module_code(module)?;
        let finished = compiler.finish_unit(add_none, false)?;
        let code = Rc::into_inner(finished.code).ok_or_else(|| CompileError::system("shared module code"))?;
        Ok((code, compiler.warnings))
    }

    /// Stops behind code generation: the instructions, the constants of the module, the warnings.
    #[expect(clippy::too_many_arguments, reason = "as `module`")]
    pub fn generated(
        module: &'a Mod,
        names: Names,
        table: SymbolTable,
        filename: PyStr,
        future: Future,
        inherited_flags: u32,
        optimize: u8,
        depth: Depth,
    ) -> Compiled<(Generated, Vec<Constant>, Vec<Warning>)> {
        let mut compiler = Compiler::new(names, table, filename, future, inherited_flags, optimize, depth);
        compiler.keeps_sequences = true;
        let add_none = compiler.module_code(module)?;
        compiler.add_return(add_none);
        let Compiler { unit, pool, warnings, .. } = compiler;
        let consts = unit.consts.list.iter().map(|id| pool.get(*id).clone()).collect();
        Ok((Generated { instrs: unit.seq.into_positions(), nested: unit.nested }, consts, warnings))
    }

    fn new(
        mut names: Names,
        table: SymbolTable,
        filename: PyStr,
        future: Future,
        inherited_flags: u32,
        optimize: u8,
        depth: Depth,
    ) -> Compiler<'a> {
        let mut unit = Box::<Unit<'a>>::default();
        unit.begin(&mut names, &table, UnitKind::Module, 0, known::ANON_MODULE, 1);
        Compiler {
            names,
            table,
            pool: ConstantPool::default(),
            unit,
            outer: Vec::new(),
            filename,
            future,
            inherited_flags,
            optimize,
            interactive: false,
            warnings: Vec::new(),
            depth,
            silenced: 0,
            keeps_sequences: false,
            graph: flow::Graph::default(),
            scratch: assemble::Scratch::default(),
            spare_units: Vec::new(),
        }
    }

    /// Generates the code of a tree; whether it is to return None is given back.
    fn module_code(&mut self, module: &'a Mod) -> Compiled<bool> {
        let start = Location { lineno: 0, end_lineno: 1, col_offset: 0, end_col_offset: 0 };
        self.op_i(start, Opcode::RESUME, RESUME_AT_FUNC_START);
        self.unit.seq.push_placeholder(start);
        let add_none = match module {
            Mod::Module(node) => {
                self.module_body(&node.body, false)?;
                true
            }
            Mod::Interactive(node) => {
                self.interactive = true;
                self.module_body(&node.body, true)?;
                true
            }
            Mod::Expression(node) => {
                self.expr(&node.body)?;
                false
            }
            Mod::FunctionType(_) => return Err(CompileError::system("module kind should not be possible")),
        };
        Ok(add_none)
    }

    fn module_body(&mut self, body: &'a [ast::Stmt], interactive: bool) -> Compiled<()> {
        let loc = match body.first() {
            Some(first) => location(first.range),
            None => Location { lineno: 1, end_lineno: 1, col_offset: 0, end_col_offset: 0 },
        };
        if self.scope().has_conditional_annotations {
            self.op_i(loc, Opcode::BUILD_SET, 0);
            let arg = self.unit.names.add(known::CONDITIONAL_ANNOTATIONS);
            self.op_i(loc, Opcode::STORE_NAME, arg as u32);
        }
        self.body(loc, body, interactive)
    }

    // Units.

    pub(crate) fn scope(&self) -> &Scope {
        &self.table.scopes[self.unit.scope]
    }

    pub(crate) fn lookup(&self, key: Key) -> Compiled<ScopeId> {
        self.table.lookup(key).ok_or_else(|| CompileError::system("unknown symbol table entry"))
    }

    /// Begins a nested code object.
    pub(crate) fn enter_unit(
        &mut self,
        name: Name,
        kind: UnitKind,
        scope: ScopeId,
        lineno: i32,
        private: Option<Name>,
        counts: ArgCounts,
    ) {
        let mut unit = self.spare_units.pop().unwrap_or_default();
        unit.begin(&mut self.names, &self.table, kind, scope, name, lineno);
        unit.argcount = counts.args as u32;
        unit.posonlyargcount = counts.posonly as u32;
        unit.kwonlyargcount = counts.kwonly as u32;
        unit.private = private.or(self.unit.private);
        let outer = std::mem::replace(&mut self.unit, unit);
        self.outer.push(outer);
        self.set_qualname();
        let loc = Location { lineno, end_lineno: lineno, col_offset: 0, end_col_offset: 0 };
        self.op_i(loc, Opcode::RESUME, RESUME_AT_FUNC_START);
    }

    fn set_qualname(&mut self) {
        let name = self.unit.name;
        let count = self.outer.len();
        let mut base = None;
        if count > 1 {
            let mut parent = count - 1;
            if self.outer[parent].kind == UnitKind::Annotations {
                // Type parameters do not show in the path.
                if count == 2 {
                    return;
                }
                parent -= 1;
            }
            let parent = &self.outer[parent];
            let named =
                matches!(self.unit.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Class);
            let global = named && {
                let mangled = self.names.mangle(parent.private, name);
                self.table.scopes[parent.scope].scope(mangled) == GLOBAL_EXPLICIT
            };
            if !global {
                let is_function =
                    matches!(parent.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda);
                base = Some((parent.qualname.clone(), if is_function { ".<locals>." } else { "." }));
            }
        }
        if let Some((base, joint)) = base {
            let own = self.names.text(name);
            let length = base.as_bytes().len() + joint.len() + own.len();
            let mut text = taipan_bytecode::code::PyStrBuilder::with_capacity(length);
            text.push_pystr(&base);
            text.push_str(joint);
            text.push_str(own);
            self.unit.qualname = text.take();
        }
    }

    fn code_flags(&self) -> u32 {
        let scope = self.scope();
        let mut flags = 0;
        if scope.is_function_like() {
            flags |= CO_NEWLOCALS | CO_OPTIMIZED;
            let bits = [
                (scope.nested, CO_NESTED),
                (scope.generator && !scope.coroutine, CO_GENERATOR),
                (scope.generator && scope.coroutine, CO_ASYNC_GENERATOR),
                (scope.varargs, CO_VARARGS),
                (scope.varkeywords, CO_VARKEYWORDS),
                (scope.has_docstring, CO_HAS_DOCSTRING),
                (scope.method, CO_METHOD),
            ];
            for (holds, bit) in bits {
                if holds {
                    flags |= bit;
                }
            }
        }
        if scope.coroutine && !scope.generator {
            flags |= CO_COROUTINE;
        }
        flags | self.inherited_flags
    }

    /// Ends a unit's instructions.
    fn add_return(&mut self, add_none: bool) {
        if add_none {
            self.load_const(Location::NONE, Constant::None);
        }
        self.op(Location::NONE, Opcode::RETURN_VALUE);
    }

    /// Optimises and assembles the unit under work.
    pub(crate) fn finish_unit(&mut self, add_none: bool, rename_format: bool) -> Compiled<Finished> {
        let flags = self.code_flags();
        self.add_return(add_none);
        let nparams = self.scope().varnames.len();
        let unit = &mut *self.unit;
        let facts = UnitFacts {
            nlocals: unit.varnames.len(),
            nparams,
            layout: Layout { varnames: &unit.varnames, cellvars: &unit.cellvars, freevars: &unit.freevars },
            flags,
            firstlineno: unit.firstlineno,
        };
        let graph = &mut self.graph;
        flow::optimize(graph, &unit.seq, &mut self.pool, &mut unit.consts, &facts)
            .map_err(|error| CompileError::system(error.0))?;
        let info = UnitInfo {
            name: unit.name,
            qualname: unit.qualname.clone(),
            argcount: unit.argcount,
            posonlyargcount: unit.posonlyargcount,
            kwonlyargcount: unit.kwonlyargcount,
            firstlineno: unit.firstlineno,
            flags,
            names: &unit.names,
            varnames: &unit.varnames,
            cellvars: &unit.cellvars,
            freevars: &unit.freevars,
            fast_hidden: &unit.fast_hidden,
            consts: &unit.consts,
            rename_format,
        };
        let scratch = &mut self.scratch;
        let code = assemble::assemble(graph, &info, &mut self.names, &self.pool, &self.filename, scratch);
        Ok(Finished { code: Rc::new(code), freevars: unit.freevars.keys().collect() })
    }

    /// Goes back to the unit around.
    pub(crate) fn leave_unit(&mut self) {
        if let Some(outer) = self.outer.pop() {
            let mut unit = std::mem::replace(&mut self.unit, outer);
            if self.keeps_sequences {
                let instrs = std::mem::take(&mut unit.seq).into_positions();
                let nested = std::mem::take(&mut unit.nested);
                self.unit.nested.push(Generated { instrs, nested });
            }
            self.spare_units.push(unit);
        }
    }

    /// Finishes the unit under work and goes back to the one around.
    pub(crate) fn end_unit(&mut self, add_none: bool, rename_format: bool) -> Compiled<Finished> {
        let finished = self.finish_unit(add_none, rename_format)?;
        self.leave_unit();
        Ok(finished)
    }

    // Errors and warnings.

    pub(crate) fn error<T>(&self, loc: Location, message: impl Into<String>) -> Compiled<T> {
        Err(CompileError::at(message, loc))
    }

    pub(crate) fn warn(&mut self, loc: Location, message: String) {
        if self.silenced == 0 {
            self.warnings.push(Warning { message, range: range_of(loc) });
        }
    }

    // Instructions.

    #[inline]
    pub(crate) fn op(&mut self, loc: Location, op: Opcode) {
        self.unit.seq.push(op, 0, loc);
    }

    #[inline]
    pub(crate) fn op_i(&mut self, loc: Location, op: Opcode, arg: u32) {
        self.unit.seq.push(op, arg, loc);
    }

    #[inline]
    pub(crate) fn jump(&mut self, loc: Location, op: Opcode, label: Label) {
        self.unit.seq.push(op, label.0, loc);
    }

    #[inline]
    pub(crate) fn new_label(&mut self) -> Label {
        self.unit.seq.new_label()
    }

    #[inline]
    pub(crate) fn use_label(&mut self, label: Label) {
        self.unit.seq.use_label(label);
    }

    pub(crate) fn add_const(&mut self, value: Constant) -> u32 {
        let id = self.pool.add(value);
        self.unit.consts.add(id)
    }

    pub(crate) fn load_const(&mut self, loc: Location, value: Constant) {
        let index = self.add_const(value);
        self.op_i(loc, Opcode::LOAD_CONST, index);
    }

    pub(crate) fn load_int(&mut self, loc: Location, value: i64) {
        self.load_const(loc, Constant::Int(value));
    }

    pub(crate) fn name_constant(&mut self, name: Name) -> Constant {
        Constant::Str(self.names.string(name))
    }

    pub(crate) fn load_name_const(&mut self, loc: Location, name: Name) {
        let value = self.name_constant(name);
        self.load_const(loc, value);
    }

    // Names.

    #[inline]
    pub(crate) fn mangle(&mut self, name: Name) -> Name {
        self.table.scopes[self.unit.scope].mangle(&mut self.names, self.unit.private, name)
    }

    /// Index of a name among the names of globals and attributes.
    pub(crate) fn name_index(&mut self, name: Name) -> u32 {
        let mangled = self.mangle(name);
        self.unit.names.add(mangled) as u32
    }

    /// An instruction whose argument is a name.
    pub(crate) fn op_name(&mut self, loc: Location, op: Opcode, name: Name) {
        let mut arg = self.name_index(name);
        if op == Opcode::LOAD_ATTR {
            arg <<= 1;
        }
        self.op_i(loc, op, arg);
    }

    pub(crate) fn load_method(&mut self, loc: Location, name: Name) {
        let arg = self.name_index(name);
        self.op_i(loc, Opcode::LOAD_ATTR, (arg << 1) | 1);
    }

    pub(crate) fn cell_index(&mut self, name: Name) -> u32 {
        self.unit.cellvars.add(name) as u32
    }

    pub(crate) fn free_index(&mut self, name: Name) -> u32 {
        (self.unit.cellvars.len() + self.unit.freevars.add(name)) as u32
    }

    fn access(&self, mangled: Name, scope: u32) -> Access {
        let function_like = self.scope().is_function_like();
        match scope {
            FREE | CELL => Access::Deref,
            LOCAL if function_like || self.unit.fast_hidden.get(mangled) == Some(&true) => Access::Fast,
            GLOBAL_IMPLICIT if function_like => Access::Global,
            GLOBAL_EXPLICIT => Access::Global,
            _ => Access::Named,
        }
    }

    fn load_classdict(&mut self, loc: Location) {
        let arg = self.free_index(known::CLASSDICT);
        self.op_i(loc, Opcode::LOAD_DEREF, arg);
    }

    /// Loads, stores or deletes a name.
    pub(crate) fn nameop(&mut self, loc: Location, name: Name, ctx: ExprContext) {
        use ExprContext::{Del, Load, Store};
        let mangled = self.mangle(name);
        let scope = self.scope().scope(mangled);
        let in_class = self.scope().kind == BlockKind::Class;
        let inlined = self.unit.in_inlined_comp > 0;
        let sees_class = self.scope().can_see_class_scope;
        match self.access(mangled, scope) {
            Access::Fast => {
                let op = match ctx {
                    Load => Opcode::LOAD_FAST,
                    Store => Opcode::STORE_FAST,
                    Del => Opcode::DELETE_FAST,
                };
                let arg = self.unit.varnames.add(mangled) as u32;
                self.op_i(loc, op, arg);
            }
            Access::Deref => {
                let arg = if scope == FREE { self.free_index(mangled) } else { self.cell_index(mangled) };
                let op = match ctx {
                    Load if in_class && !inlined => {
                        self.op(loc, Opcode::LOAD_LOCALS);
                        Opcode::LOAD_FROM_DICT_OR_DEREF
                    }
                    Load if sees_class => {
                        self.load_classdict(loc);
                        Opcode::LOAD_FROM_DICT_OR_DEREF
                    }
                    Load => Opcode::LOAD_DEREF,
                    Store => Opcode::STORE_DEREF,
                    Del => Opcode::DELETE_DEREF,
                };
                self.op_i(loc, op, arg);
            }
            Access::Global => {
                let arg = self.unit.names.add(mangled) as u32;
                match ctx {
                    Load if sees_class && scope == GLOBAL_IMPLICIT => {
                        self.load_classdict(loc);
                        self.op_i(loc, Opcode::LOAD_FROM_DICT_OR_GLOBALS, arg);
                    }
                    Load => self.op_i(loc, Opcode::LOAD_GLOBAL, arg << 1),
                    Store => self.op_i(loc, Opcode::STORE_GLOBAL, arg),
                    Del => self.op_i(loc, Opcode::DELETE_GLOBAL, arg),
                }
            }
            Access::Named => {
                let arg = self.unit.names.add(mangled) as u32;
                match ctx {
                    Load if in_class && inlined => self.op_i(loc, Opcode::LOAD_GLOBAL, arg << 1),
                    Load => self.op_i(loc, Opcode::LOAD_NAME, arg),
                    Store => self.op_i(loc, Opcode::STORE_NAME, arg),
                    Del => self.op_i(loc, Opcode::DELETE_NAME, arg),
                }
            }
        }
    }

    /// Scope of a name for closures: the implicit cells of a class count as cells.
    pub(crate) fn closure_scope(&self, name: Name) -> u32 {
        let implicit = [known::CLASS, known::CLASSDICT, known::CONDITIONAL_ANNOTATIONS];
        if self.unit.kind == UnitKind::Class && implicit.contains(&name) {
            return CELL;
        }
        self.scope().scope(name)
    }

    /// Makes a function of a finished code object; values for `flags` are on the stack.
    pub(crate) fn make_closure(&mut self, loc: Location, finished: Finished, mut flags: u32) {
        let Finished { code, freevars } = finished;
        if !freevars.is_empty() {
            for name in &freevars {
                let arg = match self.closure_scope(*name) {
                    CELL => self.cell_index(*name),
                    _ => self.free_index(*name),
                };
                self.op_i(loc, Opcode::LOAD_CLOSURE, arg);
            }
            flags |= MAKE_FUNCTION_CLOSURE;
            self.op_i(loc, Opcode::BUILD_TUPLE, freevars.len() as u32);
        }
        self.load_const(loc, Constant::Code(code));
        self.op(loc, Opcode::MAKE_FUNCTION);
        for flag in [
            MAKE_FUNCTION_CLOSURE,
            MAKE_FUNCTION_ANNOTATIONS,
            MAKE_FUNCTION_ANNOTATE,
            MAKE_FUNCTION_KWDEFAULTS,
            MAKE_FUNCTION_DEFAULTS,
        ] {
            if flags & flag != 0 {
                self.op_i(loc, Opcode::SET_FUNCTION_ATTRIBUTE, flag);
            }
        }
    }
}

impl Unit<'_> {
    /// Begins a code object; whatever the unit held before is gone, but for memory.
    fn begin(
        &mut self,
        names: &mut Names,
        table: &SymbolTable,
        kind: UnitKind,
        scope: ScopeId,
        name: Name,
        firstlineno: i32,
    ) {
        let block = &table.scopes[scope];
        self.kind = kind;
        self.scope = scope;
        self.name = name;
        self.qualname = names.string(name);
        self.private = None;
        self.seq.clear();
        self.nested.clear();
        self.stashed = None;
        self.names.clear();
        self.varnames.copy_from(&block.varnames);
        add_sorted(&mut self.cellvars, names, block, CELL, DEF_COMP_CELL);
        for (needed, cell) in [
            (block.needs_class_closure, known::CLASS),
            (block.needs_classdict, known::CLASSDICT),
            (block.has_conditional_annotations, known::CONDITIONAL_ANNOTATIONS),
        ] {
            if needed {
                self.cellvars.add(cell);
            }
        }
        add_sorted(&mut self.freevars, names, block, FREE, DEF_FREE_CLASS);
        self.fast_hidden.clear();
        self.consts.clear();
        (self.argcount, self.posonlyargcount, self.kwonlyargcount) = (0, 0, 0);
        self.firstlineno = firstlineno;
        self.guards.clear();
        (self.in_inlined_comp, self.in_conditional_block) = (0, 0);
        self.deferred_annotations.clear();
        self.next_conditional_index = 0;
        self.static_attributes.clear();
    }
}

/// Makes a set of the names of a block with that scope or one of those flags, in alphabetical order.
fn add_sorted(set: &mut NameSet, names: &Names, block: &Scope, scope: u32, flags: u32) {
    let of_sort = |symbol: u32| scope_of(symbol) == scope || symbol & flags != 0;
    set.clear();
    if !block.symbols.iter().any(|(_, symbol)| of_sort(*symbol)) {
        return;
    }
    let mut found: Vec<Name> =
        block.symbols.iter().filter(|(_, symbol)| of_sort(**symbol)).map(|(name, _)| name).collect();
    found.sort_by(|a, b| names.text(*a).cmp(names.text(*b)));
    for name in found {
        set.add(name);
    }
}

/// A place on one line without columns worth the name.
pub(crate) fn line_start(lineno: i32) -> Location {
    Location { lineno, end_lineno: lineno, col_offset: 0, end_col_offset: 0 }
}

/// From one range's beginning to another's end.
pub(crate) fn span(first: Range, last: Range) -> Location {
    Location {
        lineno: first.lineno,
        end_lineno: last.end_lineno,
        col_offset: first.col_offset,
        end_col_offset: last.end_col_offset,
    }
}
