//! Comprehensions: list, set and dict ones run in place (PEP 709), with the clashing locals of the function around
//! saved on the stack; generator expressions are functions of their own.

use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::{Comprehension as Generator, *};

use super::blocks::GuardKind;
use super::{ArgCounts, Compiler, UnitKind, span};
use crate::error::{CompileError, Compiled, location};
use crate::instr::Label;
use crate::names::{Name, known};
use crate::symtable::{BlockKind, CELL, DEF_LOCAL, DEF_NONLOCAL, FREE, Part, ScopeId, key_of, scope_of};

/// What a comprehension makes, and of what.
#[derive(Clone, Copy)]
struct Recipe<'a> {
    kind: Kind,
    generators: &'a [Generator],
    elt: &'a Expr,
    value: Option<&'a Expr>,
    loc: Location,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Generator,
    List,
    Set,
    Dict,
}

/// What has to be put back after an inlined comprehension.
#[derive(Default)]
struct Inlined {
    pushed: Vec<Name>,
    symbols: Vec<(Name, Option<u32>)>,
    hidden: Vec<Name>,
    cleanup: Option<Label>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn comprehension(&mut self, expr: &'a Expr) -> Compiled<()> {
        let (kind, key, generators, elt, value) = match &expr.kind {
            ExprKind::GeneratorExp(n) => {
                (Kind::Generator, key_of(&**n, Part::Body), &n.generators, &n.elt, None)
            }
            ExprKind::ListComp(n) => (Kind::List, key_of(&**n, Part::Body), &n.generators, &n.elt, None),
            ExprKind::SetComp(n) => (Kind::Set, key_of(&**n, Part::Body), &n.generators, &n.elt, None),
            ExprKind::DictComp(n) => {
                (Kind::Dict, key_of(&**n, Part::Body), &n.generators, &n.key, Some(&n.value))
            }
            _ => return Err(CompileError::system("not a comprehension")),
        };
        let loc = location(expr.range);
        let recipe = Recipe { kind, generators, elt, value, loc };
        let scope = self.lookup(key)?;
        let Some(outermost) = generators.first() else {
            return Err(CompileError::system("comprehension with no generators"));
        };
        if self.table.scopes[scope].comp_inlined {
            self.iterator_of(outermost)?;
            let state = self.enter_inlined(scope, loc)?;
            self.start_container(kind, loc);
            self.op_i(loc, Opcode::SWAP, 2);
            self.generator(recipe, 0, 0, true)?;
            self.leave_inlined(state, loc);
            return Ok(());
        }
        let is_async = self.table.scopes[scope].coroutine;
        let name = match kind {
            Kind::Generator => known::ANON_GENEXPR,
            Kind::List => known::ANON_LISTCOMP,
            Kind::Set => known::ANON_SETCOMP,
            Kind::Dict => known::ANON_DICTCOMP,
        };
        let counts = ArgCounts { args: 1, ..ArgCounts::default() };
        self.enter_unit(name, UnitKind::Comprehension, scope, expr.range.lineno, None, counts);
        self.start_container(kind, loc);
        self.generator(recipe, 0, 0, false)?;
        if kind == Kind::Generator {
            self.wrap_in_stopiteration_handler();
        } else {
            self.op(loc, Opcode::RETURN_VALUE);
        }
        let finished = self.end_unit(true, false)?;
        self.make_closure(loc, finished, 0);
        self.iterator_of(outermost)?;
        self.op_i(loc, Opcode::CALL, 0);
        if is_async && kind != Kind::Generator {
            self.await_top(loc, 0);
        }
        Ok(())
    }

    fn start_container(&mut self, kind: Kind, loc: Location) {
        match kind {
            Kind::Generator => {}
            Kind::List => self.op_i(loc, Opcode::BUILD_LIST, 0),
            Kind::Set => self.op_i(loc, Opcode::BUILD_SET, 0),
            Kind::Dict => self.op_i(loc, Opcode::BUILD_MAP, 0),
        }
    }

    fn iterator_of(&mut self, generator: &'a Generator) -> Compiled<()> {
        self.expr(&generator.iter)?;
        let op = if generator.is_async != 0 { Opcode::GET_AITER } else { Opcode::GET_ITER };
        self.op(location(generator.iter.range), op);
        Ok(())
    }

    fn generator(&mut self, recipe: Recipe<'a>, index: usize, depth: u32, on_stack: bool) -> Compiled<()> {
        self.depth.enter()?;
        if recipe.generators[index].is_async != 0 {
            self.async_generator(recipe, index, depth, on_stack)?;
        } else {
            self.sync_generator(recipe, index, depth, on_stack)?;
        }
        self.depth.leave();
        Ok(())
    }

    fn sync_generator(
        &mut self,
        recipe: Recipe<'a>,
        index: usize,
        mut depth: u32,
        on_stack: bool,
    ) -> Compiled<()> {
        let generator = &recipe.generators[index];
        let (start, if_cleanup, anchor) = (self.new_label(), self.new_label(), self.new_label());
        let mut looping = true;
        if !on_stack {
            if index == 0 {
                self.op_i(recipe.loc, Opcode::LOAD_FAST, 0);
            } else if let Some(only) = single_item(&generator.iter) {
                // `for x in [value]` is an assignment.
                self.expr(only)?;
                looping = false;
            } else {
                self.expr(&generator.iter)?;
                self.op(location(generator.iter.range), Opcode::GET_ITER);
            }
        }
        if looping {
            depth += 1;
            self.use_label(start);
            self.jump(location(generator.iter.range), Opcode::FOR_ITER, anchor);
        }
        self.expr(&generator.target)?;
        for test in &generator.ifs {
            self.jump_if(test, if_cleanup, false)?;
        }
        let elt_loc = self.innermost(recipe, index, depth)?;
        self.use_label(if_cleanup);
        if looping {
            self.jump(elt_loc, Opcode::JUMP, start);
            self.use_label(anchor);
            self.op(Location::NONE, Opcode::END_FOR);
            self.op(Location::NONE, Opcode::POP_ITER);
        }
        Ok(())
    }

    fn async_generator(
        &mut self,
        recipe: Recipe<'a>,
        index: usize,
        depth: u32,
        on_stack: bool,
    ) -> Compiled<()> {
        let generator = &recipe.generators[index];
        let loc = recipe.loc;
        let (start, send) = (self.new_label(), self.new_label());
        let (except, if_cleanup) = (self.new_label(), self.new_label());
        if !on_stack {
            if index == 0 {
                self.op_i(loc, Opcode::LOAD_FAST, 0);
            } else {
                self.expr(&generator.iter)?;
                self.op(location(generator.iter.range), Opcode::GET_AITER);
            }
        }
        self.use_label(start);
        self.push_guard(loc, GuardKind::AsyncComprehension, Some(start), None)?;
        self.jump(loc, Opcode::SETUP_FINALLY, except);
        self.op(loc, Opcode::GET_ANEXT);
        self.load_const(loc, Constant::None);
        self.use_label(send);
        self.yield_from(loc, true);
        self.op(loc, Opcode::POP_BLOCK);
        self.expr(&generator.target)?;
        for test in &generator.ifs {
            self.jump_if(test, if_cleanup, false)?;
        }
        let elt_loc = self.innermost(recipe, index, depth + 1)?;
        self.use_label(if_cleanup);
        self.jump(elt_loc, Opcode::JUMP, start);
        self.pop_guard();
        self.use_label(except);
        self.jump(loc, Opcode::END_ASYNC_FOR, send);
        Ok(())
    }

    /// The next generator, or the element behind the last one. Returns the place of the element.
    fn innermost(&mut self, recipe: Recipe<'a>, index: usize, depth: u32) -> Compiled<Location> {
        let mut elt_loc = location(recipe.elt.range);
        if index + 1 < recipe.generators.len() {
            self.generator(recipe, index + 1, depth, false)?;
            return Ok(elt_loc);
        }
        self.expr(recipe.elt)?;
        match recipe.kind {
            Kind::Generator => {
                self.yield_top(elt_loc);
                self.op(elt_loc, Opcode::POP_TOP);
            }
            Kind::List => self.op_i(elt_loc, Opcode::LIST_APPEND, depth + 1),
            Kind::Set => self.op_i(elt_loc, Opcode::SET_ADD, depth + 1),
            Kind::Dict => {
                if let Some(value) = recipe.value {
                    self.expr(value)?;
                    elt_loc = span(recipe.elt.range, value.range);
                }
                self.op_i(elt_loc, Opcode::MAP_ADD, depth + 1);
            }
        }
        Ok(elt_loc)
    }

    /// Makes the comprehension's names names of this unit, saving what they hide.
    fn enter_inlined(&mut self, comp: ScopeId, loc: Location) -> Compiled<Inlined> {
        let mut state = Inlined::default();
        let own = self.unit.scope;
        let in_class = self.table.scopes[own].kind == BlockKind::Class && self.unit.in_inlined_comp == 0;
        let function_like = self.table.scopes[own].is_function_like();
        self.unit.in_inlined_comp += 1;
        let symbols: Vec<(Name, u32)> = self.table.scopes[comp]
            .symbols
            .iter()
            .filter(|(name, _)| *name != known::ITERABLE)
            .map(|(name, flags)| (name, *flags))
            .collect();
        for &(name, flags) in &symbols {
            let outer = self.table.scopes[own].symbols.get(name).copied();
            let outer_scope = scope_of(outer.unwrap_or(0));
            let scope = scope_of(flags);
            let differs = scope != outer_scope && scope != FREE && !(scope == CELL && outer_scope == FREE);
            if differs || in_class {
                self.table.scopes[own].symbols.insert(name, flags);
                state.symbols.push((name, outer));
            }
            let bound = flags & DEF_LOCAL != 0 && flags & DEF_NONLOCAL == 0;
            if bound && !function_like && self.unit.fast_hidden.get(name) != Some(&true) {
                self.unit.fast_hidden.insert(name, true);
                state.hidden.push(name);
            }
        }
        for &(name, flags) in &symbols {
            let bound = flags & DEF_LOCAL != 0 && flags & DEF_NONLOCAL == 0;
            if !bound {
                continue;
            }
            let outer_scope = scope_of(self.table.scopes[own].symbol(name));
            let mangled = self.mangle(name);
            let arg = self.unit.varnames.add(mangled) as u32;
            self.op_i(loc, Opcode::LOAD_FAST_AND_CLEAR, arg);
            if scope_of(flags) == CELL {
                let arg =
                    if outer_scope == FREE { self.free_index(mangled) } else { self.cell_index(mangled) };
                self.op_i(loc, Opcode::MAKE_CELL, arg);
            }
            state.pushed.push(name);
        }
        if !state.pushed.is_empty() {
            self.op_i(loc, Opcode::SWAP, state.pushed.len() as u32 + 1);
            let cleanup = self.new_label();
            state.cleanup = Some(cleanup);
            self.jump(loc, Opcode::SETUP_FINALLY, cleanup);
            self.push_guard(loc, GuardKind::InlinedComprehension, None, Some(cleanup))?;
        }
        Ok(state)
    }

    fn restore_locals(&mut self, pushed: &[Name], loc: Location) {
        self.op_i(loc, Opcode::SWAP, pushed.len() as u32 + 1);
        for name in pushed.iter().rev() {
            let mangled = self.mangle(*name);
            let arg = self.unit.varnames.add(mangled) as u32;
            self.op_i(loc, Opcode::STORE_FAST_MAYBE_NULL, arg);
        }
    }

    fn leave_inlined(&mut self, state: Inlined, loc: Location) {
        if let Some(cleanup) = state.cleanup {
            let none = Location::NONE;
            self.op(none, Opcode::POP_BLOCK);
            self.pop_guard();
            let end = self.new_label();
            self.jump(none, Opcode::JUMP_NO_INTERRUPT, end);
            self.use_label(cleanup);
            self.op_i(none, Opcode::SWAP, 2);
            self.op(none, Opcode::POP_TOP);
            self.restore_locals(&state.pushed, loc);
            self.op_i(none, Opcode::RERAISE, 0);
            self.use_label(end);
            self.restore_locals(&state.pushed, loc);
        }
        self.unit.in_inlined_comp -= 1;
        let own = self.unit.scope;
        for (name, outer) in state.symbols {
            self.table.scopes[own].symbols.insert(name, outer.unwrap_or(0));
        }
        for name in state.hidden {
            self.unit.fast_hidden.insert(name, false);
        }
    }
}

/// The item of a display that has just one.
fn single_item(expr: &Expr) -> Option<&Expr> {
    let elts = match &expr.kind {
        ExprKind::List(node) => &node.elts,
        ExprKind::Tuple(node) => &node.elts,
        _ => return None,
    };
    match elts.as_slice() {
        [only] if !matches!(only.kind, ExprKind::Starred(_)) => Some(only),
        _ => None,
    }
}
