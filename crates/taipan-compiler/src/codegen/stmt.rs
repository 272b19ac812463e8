//! Simple statements, and the way into all others.

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::*;

use super::expr::{is_two_part_slice, operator_code};
use super::{Compiler, UnitKind};
use crate::docstring;
use crate::error::{CompileError, Compiled, location};
use crate::names::{Name, known};

impl<'a> Compiler<'a> {
    pub(crate) fn stmts(&mut self, stmts: &'a [Stmt]) -> Compiled<()> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    /// The body of a module or class: docstring, statements, annotations.
    pub(crate) fn body(&mut self, loc: Location, body: &'a [Stmt], interactive: bool) -> Compiled<()> {
        if self.future.annotations() && self.scope().annotations_used {
            self.op(loc, Opcode::SETUP_ANNOTATIONS);
        }
        if body.is_empty() {
            return Ok(());
        }
        let mut first = 0;
        if !interactive
            && self.scope().has_docstring
            && let Some(doc) = docstring::of_body(body)
        {
            first = 1;
            let place = match &body[0].kind {
                StmtKind::Expr(node) => location(node.value.range),
                _ => loc,
            };
            self.load_const(place, Constant::Str(docstring::clean(doc)));
            self.nameop(Location::NONE, known::DOC, ExprContext::Store);
        }
        self.stmts(&body[first..])?;
        if !self.future.annotations() {
            self.deferred_annotations(loc)?;
        }
        Ok(())
    }

    fn conditional(&mut self, visit: impl FnOnce(&mut Self) -> Compiled<()>) -> Compiled<()> {
        self.unit.in_conditional_block += 1;
        visit(self)?;
        self.unit.in_conditional_block -= 1;
        Ok(())
    }

    pub(crate) fn stmt(&mut self, stmt: &'a Stmt) -> Compiled<()> {
        self.depth.enter()?;
        let range = stmt.range;
        let loc = location(range);
        match &stmt.kind {
            StmtKind::FunctionDef(node) => self.function_def(node, range)?,
            StmtKind::AsyncFunctionDef(node) => self.async_function_def(node, range)?,
            StmtKind::ClassDef(node) => self.class_def(node, range)?,
            StmtKind::TypeAlias(node) => self.type_alias(node, range)?,
            StmtKind::Return(node) => self.return_stmt(node, range)?,
            StmtKind::Delete(node) => node.targets.iter().try_for_each(|target| self.expr(target))?,
            StmtKind::Assign(node) => {
                self.expr(&node.value)?;
                let count = node.targets.len();
                for (index, target) in node.targets.iter().enumerate() {
                    if index + 1 < count {
                        self.op_i(loc, Opcode::COPY, 1);
                    }
                    self.expr(target)?;
                }
            }
            StmtKind::AugAssign(node) => self.aug_assign(node, loc)?,
            StmtKind::AnnAssign(node) => self.ann_assign(node, loc)?,
            StmtKind::For(node) => self.conditional(|this| this.for_stmt(node, range))?,
            StmtKind::AsyncFor(node) => self.conditional(|this| this.async_for(node, range))?,
            StmtKind::While(node) => self.conditional(|this| this.while_stmt(node, range))?,
            StmtKind::If(node) => self.conditional(|this| this.if_stmt(node))?,
            StmtKind::With(node) => {
                self.conditional(|this| this.with_stmt(&node.items, &node.body, false))?;
            }
            StmtKind::AsyncWith(node) => {
                self.conditional(|this| this.with_stmt(&node.items, &node.body, true))?;
            }
            StmtKind::Match(node) => self.conditional(|this| this.match_stmt(node))?,
            StmtKind::Raise(node) => {
                let mut count = 0;
                if let Some(exc) = &node.exc {
                    self.expr(exc)?;
                    count = 1;
                    if let Some(cause) = &node.cause {
                        self.expr(cause)?;
                        count = 2;
                    }
                }
                self.op_i(loc, Opcode::RAISE_VARARGS, count);
            }
            StmtKind::Try(node) => self.conditional(|this| this.try_stmt(node, range))?,
            StmtKind::TryStar(node) => self.conditional(|this| this.try_star_stmt(node, range))?,
            StmtKind::Assert(node) => self.assert_stmt(node, loc)?,
            StmtKind::Import(node) => self.import(node, loc),
            StmtKind::ImportFrom(node) => self.import_from(node, loc),
            StmtKind::Expr(node) => self.expr_stmt(&node.value, loc)?,
            StmtKind::Pass => self.op(loc, Opcode::NOP),
            StmtKind::Break => self.break_stmt(loc)?,
            StmtKind::Continue => self.continue_stmt(loc)?,
            StmtKind::Global(_) | StmtKind::Nonlocal(_) => {}
        }
        self.depth.leave();
        Ok(())
    }

    fn expr_stmt(&mut self, value: &'a Expr, loc: Location) -> Compiled<()> {
        if self.interactive && self.outer.is_empty() {
            self.expr(value)?;
            self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_PRINT);
        } else if matches!(value.kind, ExprKind::Constant(_)) {
            self.op(loc, Opcode::NOP);
            return Ok(());
        } else {
            self.expr(value)?;
        }
        self.op(Location::NONE, Opcode::POP_TOP);
        Ok(())
    }

    /// `if` with its `elif`s, in a loop: a chain may be long.
    fn if_stmt(&mut self, first: &'a StmtIf) -> Compiled<()> {
        let mut ends = Vec::new();
        let mut node = first;
        loop {
            let end = self.new_label();
            ends.push(end);
            let next = if node.orelse.is_empty() { end } else { self.new_label() };
            self.jump_if(&node.test, next, false)?;
            self.stmts(&node.body)?;
            if node.orelse.is_empty() {
                break;
            }
            self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
            self.use_label(next);
            match node.orelse.as_slice() {
                [Stmt { kind: StmtKind::If(inner), .. }] => node = inner,
                orelse => {
                    self.stmts(orelse)?;
                    break;
                }
            }
        }
        for end in ends {
            self.use_label(end);
        }
        Ok(())
    }

    fn assert_stmt(&mut self, node: &'a StmtAssert, loc: Location) -> Compiled<()> {
        let always_true = match &node.test.kind {
            ExprKind::Tuple(tuple) => !tuple.elts.is_empty(),
            ExprKind::Constant(constant) => {
                matches!(&constant.value, taipan_syntax::ast::Constant::Tuple(items) if !items.is_empty())
            }
            _ => false,
        };
        if always_true {
            self.warn(loc, "assertion is always true, perhaps remove parentheses?".to_owned());
        }
        if self.optimize > 0 {
            return Ok(());
        }
        let end = self.new_label();
        self.jump_if(&node.test, end, true)?;
        self.op_i(loc, Opcode::LOAD_COMMON_CONSTANT, CONSTANT_ASSERTIONERROR);
        if let Some(message) = &node.msg {
            self.expr(message)?;
            self.op_i(loc, Opcode::CALL, 0);
        }
        self.op_i(location(node.test.range), Opcode::RAISE_VARARGS, 1);
        self.use_label(end);
        Ok(())
    }

    fn import(&mut self, node: &'a StmtImport, loc: Location) {
        for alias in &node.names {
            self.load_int(loc, 0);
            self.load_const(loc, Constant::None);
            let name = self.names.intern(&alias.name);
            self.op_name(loc, Opcode::IMPORT_NAME, name);
            match &alias.asname {
                Some(asname) => {
                    let asname = self.names.intern(asname);
                    self.import_as(&alias.name, asname, loc);
                }
                None => {
                    let first = alias.name.as_str().split('.').next().unwrap_or_default();
                    let first = self.names.intern_str(first);
                    self.nameop(loc, first, ExprContext::Store);
                }
            }
        }
    }

    fn import_as(&mut self, path: &str, asname: Name, loc: Location) {
        let mut parts = path.split('.').skip(1).peekable();
        if parts.peek().is_none() {
            self.nameop(loc, asname, ExprContext::Store);
            return;
        }
        while let Some(part) = parts.next() {
            let part = self.names.intern_str(part);
            let arg = self.unit.names.add(part) as u32;
            self.op_i(loc, Opcode::IMPORT_FROM, arg);
            if parts.peek().is_some() {
                self.op_i(loc, Opcode::SWAP, 2);
                self.op(loc, Opcode::POP_TOP);
            }
        }
        self.nameop(loc, asname, ExprContext::Store);
        self.op(loc, Opcode::POP_TOP);
    }

    fn import_from(&mut self, node: &'a StmtImportFrom, loc: Location) {
        self.load_int(loc, i64::from(node.level));
        let mut wanted = Vec::with_capacity(node.names.len());
        for alias in &node.names {
            let name = self.names.intern(&alias.name);
            wanted.push(self.name_constant(name));
        }
        self.load_const(loc, Constant::Tuple(wanted.into()));
        let module = node.module.as_ref().map_or(known::EMPTY, |module| self.names.intern(module));
        self.op_name(loc, Opcode::IMPORT_NAME, module);
        for (index, alias) in node.names.iter().enumerate() {
            if index == 0 && alias.name.as_str() == "*" {
                self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_IMPORT_STAR);
                self.op(Location::NONE, Opcode::POP_TOP);
                return;
            }
            let name = self.names.intern(&alias.name);
            self.op_name(loc, Opcode::IMPORT_FROM, name);
            let bound = alias.asname.as_ref().map_or(name, |asname| self.names.intern(asname));
            self.nameop(loc, bound, ExprContext::Store);
        }
        self.op(loc, Opcode::POP_TOP);
    }

    fn aug_assign(&mut self, node: &'a StmtAugAssign, stmt_loc: Location) -> Compiled<()> {
        let target = &node.target;
        let loc = location(target.range);
        let inplace = operator_code(node.op) + NB_INPLACE_ADD;
        match &target.kind {
            ExprKind::Attribute(attribute) => {
                self.expr(&attribute.value)?;
                self.op_i(loc, Opcode::COPY, 1);
                let loc = self.attribute_location(loc, target);
                let name = self.names.intern(&attribute.attr);
                self.op_name(loc, Opcode::LOAD_ATTR, name);
                self.expr(&node.value)?;
                self.op_i(stmt_loc, Opcode::BINARY_OP, inplace);
                self.op_i(loc, Opcode::SWAP, 2);
                self.op_name(loc, Opcode::STORE_ATTR, name);
            }
            ExprKind::Subscript(subscript) => {
                self.expr(&subscript.value)?;
                let two_part = is_two_part_slice(&subscript.slice);
                if two_part {
                    self.slice_bounds(&subscript.slice)?;
                    for _ in 0..3 {
                        self.op_i(loc, Opcode::COPY, 3);
                    }
                    self.op(loc, Opcode::BINARY_SLICE);
                } else {
                    self.expr(&subscript.slice)?;
                    self.op_i(loc, Opcode::COPY, 2);
                    self.op_i(loc, Opcode::COPY, 2);
                    self.op_i(loc, Opcode::BINARY_OP, NB_SUBSCR);
                }
                self.expr(&node.value)?;
                self.op_i(stmt_loc, Opcode::BINARY_OP, inplace);
                if two_part {
                    self.op_i(loc, Opcode::SWAP, 4);
                }
                self.op_i(loc, Opcode::SWAP, 3);
                self.op_i(loc, Opcode::SWAP, 2);
                self.op(loc, if two_part { Opcode::STORE_SLICE } else { Opcode::STORE_SUBSCR });
            }
            ExprKind::Name(name) => {
                let name = self.names.intern(&name.id);
                self.nameop(loc, name, ExprContext::Load);
                self.expr(&node.value)?;
                self.op_i(stmt_loc, Opcode::BINARY_OP, inplace);
                self.nameop(loc, name, ExprContext::Store);
            }
            _ => return Err(CompileError::system("invalid node type for augmented assignment")),
        }
        Ok(())
    }

    fn evaluate_and_drop(&mut self, expr: &'a Expr) -> Compiled<()> {
        self.expr(expr)?;
        self.op(location(expr.range), Opcode::POP_TOP);
        Ok(())
    }

    fn check_annotated_subscript(&mut self, expr: &'a Expr) -> Compiled<()> {
        match &expr.kind {
            ExprKind::Slice(slice) => [&slice.lower, &slice.upper, &slice.step]
                .into_iter()
                .flatten()
                .try_for_each(|part| self.evaluate_and_drop(part)),
            ExprKind::Tuple(tuple) => {
                tuple.elts.iter().try_for_each(|elt| self.check_annotated_subscript(elt))
            }
            _ => self.evaluate_and_drop(expr),
        }
    }

    fn ann_assign(&mut self, node: &'a StmtAnnAssign, loc: Location) -> Compiled<()> {
        if let Some(value) = &node.value {
            self.expr(value)?;
            self.expr(&node.target)?;
        }
        let at_top = matches!(self.unit.kind, UnitKind::Module | UnitKind::Class);
        match &node.target.kind {
            ExprKind::Name(target) => {
                if node.simple != 0 && at_top {
                    let name = self.names.intern(&target.id);
                    self.record_annotation(node, name, loc);
                }
            }
            ExprKind::Attribute(target) => {
                if node.value.is_none() {
                    self.evaluate_and_drop(&target.value)?;
                }
            }
            ExprKind::Subscript(target) => {
                if node.value.is_none() {
                    self.evaluate_and_drop(&target.value)?;
                    self.check_annotated_subscript(&target.slice)?;
                }
            }
            _ => return Err(CompileError::system("invalid node type for annotated assignment")),
        }
        Ok(())
    }

    fn record_annotation(&mut self, node: &'a StmtAnnAssign, name: Name, loc: Location) {
        if self.future.annotations() {
            self.annotation_text(&node.annotation);
            self.op_name(loc, Opcode::LOAD_NAME, known::ANNOTATIONS);
            let mangled = self.mangle(name);
            self.load_name_const(loc, mangled);
            self.op(loc, Opcode::STORE_SUBSCR);
            return;
        }
        let conditional = self.unit.kind == UnitKind::Module || self.unit.in_conditional_block > 0;
        let index = conditional.then(|| {
            let index = self.unit.next_conditional_index;
            self.unit.next_conditional_index += 1;
            index
        });
        self.unit.deferred_annotations.push((node, loc, index));
        if let Some(index) = index {
            if self.unit.kind == UnitKind::Class {
                let arg = self.cell_index(known::CONDITIONAL_ANNOTATIONS);
                self.op_i(loc, Opcode::LOAD_DEREF, arg);
            } else {
                let arg = self.unit.names.add(known::CONDITIONAL_ANNOTATIONS);
                self.op_i(loc, Opcode::LOAD_NAME, arg as u32);
            }
            self.load_int(loc, index);
            self.op_i(loc, Opcode::SET_ADD, 1);
            self.op(loc, Opcode::POP_TOP);
        }
    }
}
