//! Statements that open blocks: loops, `try`, `with`; and how `return`, `break` and `continue` leave them.

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::*;

use super::Compiler;
use crate::error::{Compiled, location};
use crate::instr::Label;
use crate::names::Name;

/// Blocks nested deeper than this are refused.
const MAX_BLOCKS: usize = 21;

/// Sort of open block, as far as leaving it is concerned.
#[derive(Clone, Copy)]
pub(crate) enum GuardKind<'a> {
    While,
    For,
    TryExcept,
    FinallyTry(&'a [Stmt]),
    FinallyEnd,
    InlinedComprehension,
    With {
        is_async: bool,
    },
    /// An `except` clause with the name that it binds.
    Handler(Option<Name>),
    ExceptionHandler,
    ExceptionGroupHandler,
    AsyncComprehension,
    StopIteration,
    PopValue,
}

/// An open block.
#[derive(Clone, Copy)]
pub(crate) struct Guard<'a> {
    pub kind: GuardKind<'a>,
    pub loc: Location,
    /// Where `continue` goes.
    pub start: Option<Label>,
    /// Where `break` goes.
    pub exit: Option<Label>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn push_guard(
        &mut self,
        loc: Location,
        kind: GuardKind<'a>,
        start: Option<Label>,
        exit: Option<Label>,
    ) -> Compiled<()> {
        if self.unit.guards.len() >= MAX_BLOCKS {
            return self.error(loc, "too many statically nested blocks");
        }
        self.unit.guards.push(Guard { kind, loc, start, exit });
        Ok(())
    }

    pub(crate) fn pop_guard(&mut self) {
        self.unit.guards.pop();
    }

    pub(crate) fn call_exit_with_nones(&mut self, loc: Location) {
        for _ in 0..3 {
            self.load_const(loc, Constant::None);
        }
        self.op_i(loc, Opcode::CALL, 3);
    }

    /// The loop that delegates to an iterator (`yield from`) or awaitable.
    pub(crate) fn yield_from(&mut self, loc: Location, is_await: bool) {
        let (send, fail, exit) = (self.new_label(), self.new_label(), self.new_label());
        self.use_label(send);
        self.jump(loc, Opcode::SEND, exit);
        // Only close() and throw() make YIELD_VALUE raise; StopIteration is then the result.
        self.jump(loc, Opcode::SETUP_FINALLY, fail);
        self.op_i(loc, Opcode::YIELD_VALUE, 1);
        self.op(Location::NONE, Opcode::POP_BLOCK);
        let after = if is_await { RESUME_AFTER_AWAIT } else { RESUME_AFTER_YIELD_FROM };
        self.op_i(loc, Opcode::RESUME, after);
        self.jump(loc, Opcode::JUMP_NO_INTERRUPT, send);
        self.use_label(fail);
        self.op(loc, Opcode::CLEANUP_THROW);
        self.use_label(exit);
        self.op(loc, Opcode::END_SEND);
    }

    pub(crate) fn await_top(&mut self, loc: Location, context: u32) {
        self.op_i(loc, Opcode::GET_AWAITABLE, context);
        self.load_const(loc, Constant::None);
        self.yield_from(loc, true);
    }

    fn pop_except_and_reraise(&mut self, loc: Location) {
        self.op_i(loc, Opcode::COPY, 3);
        self.op(loc, Opcode::POP_EXCEPT);
        self.op_i(loc, Opcode::RERAISE, 1);
    }

    fn unbind(&mut self, loc: Location, name: Name) {
        self.load_const(loc, Constant::None);
        self.nameop(loc, name, ExprContext::Store);
        self.nameop(loc, name, ExprContext::Del);
    }

    /// Code that leaves one block; `keep_top` when a return value is on the stack.
    fn unwind_guard(&mut self, loc: &mut Location, guard: &Guard<'a>, keep_top: bool) -> Compiled<()> {
        let keep = |this: &mut Self, loc: Location| {
            if keep_top {
                this.op_i(loc, Opcode::SWAP, 2);
            }
        };
        match guard.kind {
            GuardKind::While
            | GuardKind::ExceptionHandler
            | GuardKind::ExceptionGroupHandler
            | GuardKind::AsyncComprehension
            | GuardKind::InlinedComprehension
            | GuardKind::StopIteration => {}
            GuardKind::For | GuardKind::PopValue => {
                keep(self, *loc);
                self.op(*loc, Opcode::POP_TOP);
            }
            GuardKind::TryExcept => self.op(*loc, Opcode::POP_BLOCK),
            GuardKind::FinallyTry(body) => {
                self.op(*loc, Opcode::POP_BLOCK);
                if keep_top {
                    self.push_guard(*loc, GuardKind::PopValue, None, None)?;
                }
                self.stmts(body)?;
                if keep_top {
                    self.pop_guard();
                }
                *loc = Location::NONE;
            }
            GuardKind::FinallyEnd => {
                keep(self, *loc);
                self.op(*loc, Opcode::POP_TOP);
                keep(self, *loc);
                self.op(*loc, Opcode::POP_BLOCK);
                self.op(*loc, Opcode::POP_EXCEPT);
            }
            GuardKind::With { is_async } => {
                *loc = guard.loc;
                self.op(*loc, Opcode::POP_BLOCK);
                if keep_top {
                    self.op_i(*loc, Opcode::SWAP, 3);
                    self.op_i(*loc, Opcode::SWAP, 2);
                }
                self.call_exit_with_nones(*loc);
                if is_async {
                    self.await_top(*loc, 2);
                }
                self.op(*loc, Opcode::POP_TOP);
                *loc = Location::NONE;
            }
            GuardKind::Handler(name) => {
                if name.is_some() {
                    self.op(*loc, Opcode::POP_BLOCK);
                }
                keep(self, *loc);
                self.op(*loc, Opcode::POP_BLOCK);
                self.op(*loc, Opcode::POP_EXCEPT);
                if let Some(name) = name {
                    self.unbind(*loc, name);
                }
            }
        }
        Ok(())
    }

    /// Code that leaves all blocks, or those within the innermost loop, which is returned.
    pub(crate) fn unwind_guards(
        &mut self,
        loc: &mut Location,
        keep_top: bool,
        to_loop: bool,
    ) -> Compiled<Option<Guard<'a>>> {
        let mut left = Vec::new();
        let mut found = None;
        while let Some(guard) = self.unit.guards.last().copied() {
            if matches!(guard.kind, GuardKind::ExceptionGroupHandler) {
                return self
                    .error(*loc, "'break', 'continue' and 'return' cannot appear in an except* block");
            }
            if to_loop && matches!(guard.kind, GuardKind::While | GuardKind::For) {
                found = Some(guard);
                break;
            }
            self.unit.guards.pop();
            left.push(guard);
            self.unwind_guard(loc, &guard, keep_top)?;
        }
        self.unit.guards.extend(left.into_iter().rev());
        Ok(found)
    }

    pub(crate) fn return_stmt(&mut self, node: &'a StmtReturn, range: Range) -> Compiled<()> {
        let mut loc = location(range);
        let constant = node.value.as_ref().and_then(|value| match &value.kind {
            ExprKind::Constant(constant) => Some(&constant.value),
            _ => None,
        });
        let keep_top = node.value.is_some() && constant.is_none();
        if !self.scope().is_function_like() {
            return self.error(loc, "'return' outside function");
        }
        if node.value.is_some() && self.scope().coroutine && self.scope().generator {
            return self.error(loc, "'return' with value in async generator");
        }
        if let Some(value) = &node.value {
            if keep_top {
                self.expr(value)?;
            } else {
                loc = location(value.range);
                self.op(loc, Opcode::NOP);
            }
        }
        if node.value.as_ref().is_none_or(|value| value.range.lineno != range.lineno) {
            loc = location(range);
            self.op(loc, Opcode::NOP);
        }
        self.unwind_guards(&mut loc, keep_top, false)?;
        if !keep_top {
            let value = constant.map_or(Constant::None, crate::constants::from_ast);
            self.load_const(loc, value);
        }
        self.op(loc, Opcode::RETURN_VALUE);
        Ok(())
    }

    pub(crate) fn break_stmt(&mut self, origin: Location) -> Compiled<()> {
        let mut loc = origin;
        self.op(loc, Opcode::NOP);
        let Some(found) = self.unwind_guards(&mut loc, false, true)? else {
            return self.error(origin, "'break' outside loop");
        };
        self.unwind_guard(&mut loc, &found, false)?;
        if let Some(exit) = found.exit {
            self.jump(loc, Opcode::JUMP, exit);
        }
        Ok(())
    }

    pub(crate) fn continue_stmt(&mut self, origin: Location) -> Compiled<()> {
        let mut loc = origin;
        self.op(loc, Opcode::NOP);
        let Some(found) = self.unwind_guards(&mut loc, false, true)? else {
            return self.error(origin, "'continue' not properly in loop");
        };
        if let Some(start) = found.start {
            self.jump(loc, Opcode::JUMP, start);
        }
        Ok(())
    }

    pub(crate) fn for_stmt(&mut self, node: &'a StmtFor, range: Range) -> Compiled<()> {
        let (start, cleanup, end) = (self.new_label(), self.new_label(), self.new_label());
        self.push_guard(location(range), GuardKind::For, Some(start), Some(end))?;
        self.expr(&node.iter)?;
        let loc = location(node.iter.range);
        self.op(loc, Opcode::GET_ITER);
        self.use_label(start);
        self.jump(loc, Opcode::FOR_ITER, cleanup);
        // Keeps the target's line visible to tracing.
        self.op(location(node.target.range), Opcode::NOP);
        self.expr(&node.target)?;
        self.stmts(&node.body)?;
        self.jump(Location::NONE, Opcode::JUMP, start);
        self.use_label(cleanup);
        self.op(Location::NONE, Opcode::END_FOR);
        self.op(Location::NONE, Opcode::POP_ITER);
        self.pop_guard();
        self.stmts(&node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(crate) fn async_for(&mut self, node: &'a StmtAsyncFor, range: Range) -> Compiled<()> {
        let loc = location(range);
        let (start, send) = (self.new_label(), self.new_label());
        let (except, end) = (self.new_label(), self.new_label());
        self.expr(&node.iter)?;
        let iter_loc = location(node.iter.range);
        self.op(iter_loc, Opcode::GET_AITER);
        self.use_label(start);
        self.push_guard(loc, GuardKind::For, Some(start), Some(end))?;
        self.jump(loc, Opcode::SETUP_FINALLY, except);
        self.op(loc, Opcode::GET_ANEXT);
        self.load_const(loc, Constant::None);
        self.use_label(send);
        self.yield_from(loc, true);
        self.op(loc, Opcode::POP_BLOCK);
        self.op(loc, Opcode::NOT_TAKEN);
        self.expr(&node.target)?;
        self.stmts(&node.body)?;
        self.jump(Location::NONE, Opcode::JUMP, start);
        self.pop_guard();
        self.use_label(except);
        self.jump(iter_loc, Opcode::END_ASYNC_FOR, send);
        self.stmts(&node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(crate) fn while_stmt(&mut self, node: &'a StmtWhile, range: Range) -> Compiled<()> {
        let (start, end, anchor) = (self.new_label(), self.new_label(), self.new_label());
        self.use_label(start);
        self.push_guard(location(range), GuardKind::While, Some(start), Some(end))?;
        self.jump_if(&node.test, anchor, false)?;
        self.stmts(&node.body)?;
        self.jump(Location::NONE, Opcode::JUMP, start);
        self.pop_guard();
        self.use_label(anchor);
        self.stmts(&node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(crate) fn try_stmt(&mut self, node: &'a StmtTry, range: Range) -> Compiled<()> {
        if node.finalbody.is_empty() {
            return self.try_except(node, range);
        }
        self.try_finally(&node.finalbody, range, |this| {
            if node.handlers.is_empty() { this.stmts(&node.body) } else { this.try_except(node, range) }
        })
    }

    pub(crate) fn try_star_stmt(&mut self, node: &'a StmtTryStar, range: Range) -> Compiled<()> {
        if node.finalbody.is_empty() {
            return self.try_star_except(node, range);
        }
        self.try_finally(&node.finalbody, range, |this| {
            if node.handlers.is_empty() { this.stmts(&node.body) } else { this.try_star_except(node, range) }
        })
    }

    fn try_finally(
        &mut self,
        finalbody: &'a [Stmt],
        range: Range,
        body: impl FnOnce(&mut Self) -> Compiled<()>,
    ) -> Compiled<()> {
        let loc = location(range);
        let (start, end) = (self.new_label(), self.new_label());
        let (exit, cleanup) = (self.new_label(), self.new_label());
        self.jump(loc, Opcode::SETUP_FINALLY, end);
        self.use_label(start);
        self.push_guard(loc, GuardKind::FinallyTry(finalbody), Some(start), Some(end))?;
        body(self)?;
        self.op(Location::NONE, Opcode::POP_BLOCK);
        self.pop_guard();
        self.stmts(finalbody)?;
        self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, exit);

        self.use_label(end);
        self.jump(Location::NONE, Opcode::SETUP_CLEANUP, cleanup);
        self.op(Location::NONE, Opcode::PUSH_EXC_INFO);
        self.push_guard(Location::NONE, GuardKind::FinallyEnd, Some(end), None)?;
        // The body's second copy has nothing new to say.
        self.silenced += 1;
        self.stmts(finalbody)?;
        self.silenced -= 1;
        self.pop_guard();
        self.op_i(Location::NONE, Opcode::RERAISE, 0);
        self.use_label(cleanup);
        self.pop_except_and_reraise(Location::NONE);
        self.use_label(exit);
        Ok(())
    }

    fn try_except(&mut self, node: &'a StmtTry, range: Range) -> Compiled<()> {
        let loc = location(range);
        let (body, except) = (self.new_label(), self.new_label());
        let (end, cleanup) = (self.new_label(), self.new_label());
        self.jump(loc, Opcode::SETUP_FINALLY, except);
        self.use_label(body);
        self.push_guard(loc, GuardKind::TryExcept, Some(body), None)?;
        self.stmts(&node.body)?;
        self.pop_guard();
        self.op(Location::NONE, Opcode::POP_BLOCK);
        self.stmts(&node.orelse)?;
        self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);

        self.use_label(except);
        self.jump(Location::NONE, Opcode::SETUP_CLEANUP, cleanup);
        self.op(Location::NONE, Opcode::PUSH_EXC_INFO);
        self.push_guard(loc, GuardKind::ExceptionHandler, None, None)?;
        let count = node.handlers.len();
        for (index, handler) in node.handlers.iter().enumerate() {
            let loc = location(handler.range);
            if handler.type_.is_none() && index + 1 < count {
                return self.error(loc, "default 'except:' must be last");
            }
            let next = self.new_label();
            if let Some(class) = &handler.type_ {
                self.expr(class)?;
                self.op(loc, Opcode::CHECK_EXC_MATCH);
                self.jump(loc, Opcode::POP_JUMP_IF_FALSE, next);
            }
            self.except_body(handler, end)?;
            self.use_label(next);
        }
        self.pop_guard();
        self.op_i(Location::NONE, Opcode::RERAISE, 0);
        self.use_label(cleanup);
        self.pop_except_and_reraise(Location::NONE);
        self.use_label(end);
        Ok(())
    }

    fn except_body(&mut self, handler: &'a ExceptHandler, end: Label) -> Compiled<()> {
        let loc = location(handler.range);
        let none = Location::NONE;
        let Some(name) = &handler.name else {
            let body = self.new_label();
            self.op(loc, Opcode::POP_TOP);
            self.use_label(body);
            self.push_guard(loc, GuardKind::Handler(None), Some(body), None)?;
            self.stmts(&handler.body)?;
            self.pop_guard();
            self.op(none, Opcode::POP_BLOCK);
            self.op(none, Opcode::POP_EXCEPT);
            self.jump(none, Opcode::JUMP_NO_INTERRUPT, end);
            return Ok(());
        };
        let name = self.names.intern(name);
        let (cleanup_end, cleanup_body) = (self.new_label(), self.new_label());
        self.nameop(loc, name, ExprContext::Store);
        self.jump(loc, Opcode::SETUP_CLEANUP, cleanup_end);
        self.use_label(cleanup_body);
        self.push_guard(loc, GuardKind::Handler(Some(name)), Some(cleanup_body), None)?;
        self.stmts(&handler.body)?;
        self.pop_guard();
        self.op(none, Opcode::POP_BLOCK);
        self.op(none, Opcode::POP_BLOCK);
        self.op(none, Opcode::POP_EXCEPT);
        self.unbind(none, name);
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(cleanup_end);
        self.unbind(none, name);
        self.op_i(none, Opcode::RERAISE, 1);
        Ok(())
    }

    fn try_star_except(&mut self, node: &'a StmtTryStar, range: Range) -> Compiled<()> {
        let loc = location(range);
        let none = Location::NONE;
        let (body, except, orelse) = (self.new_label(), self.new_label(), self.new_label());
        let (end, cleanup, reraise_star) = (self.new_label(), self.new_label(), self.new_label());
        self.jump(loc, Opcode::SETUP_FINALLY, except);
        self.use_label(body);
        self.push_guard(loc, GuardKind::TryExcept, Some(body), None)?;
        self.stmts(&node.body)?;
        self.pop_guard();
        self.op(none, Opcode::POP_BLOCK);
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, orelse);

        self.use_label(except);
        self.jump(none, Opcode::SETUP_CLEANUP, cleanup);
        self.op(none, Opcode::PUSH_EXC_INFO);
        self.push_guard(loc, GuardKind::ExceptionGroupHandler, None, None)?;
        let count = node.handlers.len();
        for (index, handler) in node.handlers.iter().enumerate() {
            if index == 0 {
                // A list for what is raised in the handlers, and a copy of the group.
                self.op_i(location(handler.range), Opcode::BUILD_LIST, 0);
                self.op_i(location(handler.range), Opcode::COPY, 2);
            }
            self.except_star_handler(handler)?;
            if index + 1 == count {
                self.op_i(none, Opcode::LIST_APPEND, 1);
                self.jump(none, Opcode::JUMP_NO_INTERRUPT, reraise_star);
            }
        }
        self.pop_guard();
        let reraise = self.new_label();
        self.use_label(reraise_star);
        self.op_i(none, Opcode::CALL_INTRINSIC_2, INTRINSIC_PREP_RERAISE_STAR);
        self.op_i(none, Opcode::COPY, 1);
        self.jump(none, Opcode::POP_JUMP_IF_NOT_NONE, reraise);
        self.op(none, Opcode::POP_TOP);
        self.op(none, Opcode::POP_BLOCK);
        self.op(none, Opcode::POP_EXCEPT);
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(reraise);
        self.op(none, Opcode::POP_BLOCK);
        self.op_i(none, Opcode::SWAP, 2);
        self.op(none, Opcode::POP_EXCEPT);
        self.op_i(none, Opcode::RERAISE, 0);
        self.use_label(cleanup);
        self.pop_except_and_reraise(none);
        self.use_label(orelse);
        self.stmts(&node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    fn except_star_handler(&mut self, handler: &'a ExceptHandler) -> Compiled<()> {
        let loc = location(handler.range);
        let none = Location::NONE;
        let (next, with_error, no_match) = (self.new_label(), self.new_label(), self.new_label());
        if let Some(class) = &handler.type_ {
            self.expr(class)?;
            self.op(loc, Opcode::CHECK_EG_MATCH);
            self.op_i(loc, Opcode::COPY, 1);
            self.jump(loc, Opcode::POP_JUMP_IF_NONE, no_match);
        }
        let (cleanup_end, cleanup_body) = (self.new_label(), self.new_label());
        let name = handler.name.as_ref().map(|name| self.names.intern(name));
        match name {
            Some(name) => self.nameop(loc, name, ExprContext::Store),
            None => self.op(loc, Opcode::POP_TOP),
        }
        self.jump(loc, Opcode::SETUP_CLEANUP, cleanup_end);
        self.use_label(cleanup_body);
        self.push_guard(loc, GuardKind::Handler(name), Some(cleanup_body), None)?;
        self.stmts(&handler.body)?;
        self.pop_guard();
        self.op(none, Opcode::POP_BLOCK);
        if let Some(name) = name {
            self.unbind(none, name);
        }
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, next);
        self.use_label(cleanup_end);
        if let Some(name) = name {
            self.unbind(none, name);
        }
        self.op_i(none, Opcode::LIST_APPEND, 3);
        self.op(none, Opcode::POP_TOP);
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, with_error);
        self.use_label(next);
        // Holds a line for what comes from above.
        self.op(none, Opcode::NOP);
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, with_error);
        self.use_label(no_match);
        self.op(loc, Opcode::POP_TOP);
        self.use_label(with_error);
        Ok(())
    }

    fn with_except_finish(&mut self, cleanup: Label) {
        let none = Location::NONE;
        let suppress = self.new_label();
        self.op(none, Opcode::TO_BOOL);
        self.jump(none, Opcode::POP_JUMP_IF_TRUE, suppress);
        self.op_i(none, Opcode::RERAISE, 2);
        self.use_label(suppress);
        self.op(none, Opcode::POP_TOP);
        self.op(none, Opcode::POP_BLOCK);
        self.op(none, Opcode::POP_EXCEPT);
        for _ in 0..3 {
            self.op(none, Opcode::POP_TOP);
        }
        let exit = self.new_label();
        self.jump(none, Opcode::JUMP_NO_INTERRUPT, exit);
        self.use_label(cleanup);
        self.pop_except_and_reraise(none);
        self.use_label(exit);
    }

    /// `with` and `async with`, item by item.
    pub(crate) fn with_stmt(
        &mut self,
        items: &'a [WithItem],
        body: &'a [Stmt],
        is_async: bool,
    ) -> Compiled<()> {
        let Some((item, rest)) = items.split_first() else { return self.stmts(body) };
        let (block, last) = (self.new_label(), self.new_label());
        let (exit, cleanup) = (self.new_label(), self.new_label());
        self.expr(&item.context_expr)?;
        let loc = location(item.context_expr.range);
        let (enter_method, exit_method) = match is_async {
            true => (SPECIAL___AENTER__, SPECIAL___AEXIT__),
            false => (SPECIAL___ENTER__, SPECIAL___EXIT__),
        };
        self.op_i(loc, Opcode::COPY, 1);
        self.op_i(loc, Opcode::LOAD_SPECIAL, exit_method);
        self.op_i(loc, Opcode::SWAP, 2);
        self.op_i(loc, Opcode::SWAP, 3);
        self.op_i(loc, Opcode::LOAD_SPECIAL, enter_method);
        self.op_i(loc, Opcode::CALL, 0);
        if is_async {
            self.await_top(loc, 1);
        }
        self.jump(loc, Opcode::SETUP_WITH, last);
        self.use_label(block);
        self.push_guard(loc, GuardKind::With { is_async }, Some(block), Some(last))?;
        match &item.optional_vars {
            Some(target) => self.expr(target)?,
            None => self.op(loc, Opcode::POP_TOP),
        }
        if rest.is_empty() {
            self.stmts(body)?;
        } else {
            self.depth.enter()?;
            self.with_stmt(rest, body, is_async)?;
            self.depth.leave();
        }
        self.pop_guard();
        self.op(if is_async { loc } else { Location::NONE }, Opcode::POP_BLOCK);
        self.call_exit_with_nones(loc);
        if is_async {
            self.await_top(loc, 2);
        }
        self.op(loc, Opcode::POP_TOP);
        self.jump(loc, Opcode::JUMP, exit);

        self.use_label(last);
        self.jump(loc, Opcode::SETUP_CLEANUP, cleanup);
        self.op(loc, Opcode::PUSH_EXC_INFO);
        self.op(loc, Opcode::WITH_EXCEPT_START);
        if is_async {
            self.await_top(loc, 2);
        }
        self.with_except_finish(cleanup);
        self.use_label(exit);
        Ok(())
    }
}
