//! Work on the tree before it is compiled: `__debug__` becomes a constant, `'…%s' % (…,)` a formatted string,
//! numbers in patterns are computed, docstrings go with `-OO`; and leaving a `finally` block by `return`, `break` or
//! `continue` is warned about (PEP 765).

use taipan_bytecode::opcode::{NB_ADD, NB_SUBTRACT};
use taipan_syntax::ast::*;

use crate::docstring;
use crate::error::{Compiled, Depth, Warning};
use crate::fold::{self, Unary};

/// Settings and results of the walk.
pub struct Preprocessor {
    /// Level of `-O`.
    pub optimize: u8,
    /// Are annotations kept as strings?
    pub future_annotations: bool,
    /// Warnings so far.
    pub warnings: Vec<Warning>,
    /// How deep the walk may go.
    pub depth: Depth,
    contexts: Vec<Context>,
}

/// What surrounds a statement, as far as `finally` is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Finally,
    Function,
    Loop,
}

impl Preprocessor {
    /// A walk that has not begun.
    pub fn new(optimize: u8, future_annotations: bool, depth: Depth) -> Preprocessor {
        Preprocessor { optimize, future_annotations, warnings: Vec::new(), depth, contexts: Vec::new() }
    }

    /// Works on a whole tree. Where the parser has said which statements of a module are `notable`, the others are
    /// left alone, but with `-OO`: there are docstrings everywhere.
    pub fn module(&mut self, module: &mut Mod, notable: Option<&[u32]>) -> Compiled<()> {
        match module {
            Mod::Module(node) => self.body(&mut node.body, notable.filter(|_| self.optimize < 2)),
            Mod::Interactive(node) => self.stmts(&mut node.body),
            Mod::Expression(node) => self.expr(&mut node.body),
            Mod::FunctionType(_) => Ok(()),
        }
    }

    fn body(&mut self, body: &mut Vec<Stmt>, notable: Option<&[u32]>) -> Compiled<()> {
        let mut has_docstring = docstring::of_body(body).is_some();
        if has_docstring && self.optimize >= 2 {
            // A body is never empty.
            let docstring = body.remove(0);
            if body.is_empty() {
                let Range { lineno, col_offset, .. } = docstring.range;
                // As long as the word.
                let range = Range { lineno, col_offset, end_lineno: lineno, end_col_offset: col_offset + 4 };
                body.push(Stmt { range, kind: StmtKind::Pass });
            }
            has_docstring = false;
        }
        match notable {
            Some(numbers) => numbers.iter().try_for_each(|at| self.stmt(&mut body[*at as usize]))?,
            None => self.stmts(body)?,
        }
        // What now stands first was no docstring in the source and must not become one.
        if !has_docstring && docstring::of_body(body).is_some() {
            let first = &mut body[0];
            let range = first.range;
            if let StmtKind::Expr(node) = &mut first.kind {
                let hollow = Expr { range, kind: ExprKind::Constant(none()) };
                let value = std::mem::replace(&mut node.value, hollow);
                node.value.kind = ExprJoinedStr { values: vec![value] }.into();
            }
        }
        Ok(())
    }

    fn stmts(&mut self, stmts: &mut [Stmt]) -> Compiled<()> {
        stmts.iter_mut().try_for_each(|stmt| self.stmt(stmt))
    }

    fn within(&mut self, context: Context, stmts: &mut [Stmt]) -> Compiled<()> {
        self.contexts.push(context);
        self.stmts(stmts)?;
        self.contexts.pop();
        Ok(())
    }

    fn leaving(&mut self, what: &str, range: Range) {
        if self.contexts.last() == Some(&Context::Finally) {
            self.warnings.push(Warning { message: format!("'{what}' in a 'finally' block"), range });
        }
    }

    fn function(
        &mut self,
        args: &mut Arguments,
        body: &mut Vec<Stmt>,
        decorators: &mut [Expr],
        returns: Option<&mut Expr>,
        params: &mut [TypeParam],
    ) -> Compiled<()> {
        self.type_params(params)?;
        self.arguments(args)?;
        self.contexts.push(Context::Function);
        self.body(body, None)?;
        self.contexts.pop();
        self.exprs(decorators)?;
        if !self.future_annotations {
            self.optional(returns)?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &mut Stmt) -> Compiled<()> {
        self.depth.enter()?;
        let range = stmt.range;
        match &mut stmt.kind {
            StmtKind::FunctionDef(n) => self.function(
                &mut n.args,
                &mut n.body,
                &mut n.decorator_list,
                n.returns.as_mut(),
                &mut n.type_params,
            )?,
            StmtKind::AsyncFunctionDef(n) => self.function(
                &mut n.args,
                &mut n.body,
                &mut n.decorator_list,
                n.returns.as_mut(),
                &mut n.type_params,
            )?,
            StmtKind::ClassDef(n) => {
                self.type_params(&mut n.type_params)?;
                self.exprs(&mut n.bases)?;
                n.keywords.iter_mut().try_for_each(|keyword| self.expr(&mut keyword.value))?;
                self.body(&mut n.body, None)?;
                self.exprs(&mut n.decorator_list)?;
            }
            StmtKind::Return(n) => {
                self.leaving("return", range);
                self.optional(n.value.as_mut())?;
            }
            StmtKind::Delete(n) => self.exprs(&mut n.targets)?,
            StmtKind::Assign(n) => {
                self.exprs(&mut n.targets)?;
                self.expr(&mut n.value)?;
            }
            StmtKind::AugAssign(n) => {
                self.expr(&mut n.target)?;
                self.expr(&mut n.value)?;
            }
            StmtKind::AnnAssign(n) => {
                self.expr(&mut n.target)?;
                if !self.future_annotations {
                    self.expr(&mut n.annotation)?;
                }
                self.optional(n.value.as_mut())?;
            }
            StmtKind::TypeAlias(n) => {
                self.expr(&mut n.name)?;
                self.type_params(&mut n.type_params)?;
                self.expr(&mut n.value)?;
            }
            StmtKind::For(n) => {
                self.expr(&mut n.target)?;
                self.expr(&mut n.iter)?;
                self.within(Context::Loop, &mut n.body)?;
                self.stmts(&mut n.orelse)?;
            }
            StmtKind::AsyncFor(n) => {
                self.expr(&mut n.target)?;
                self.expr(&mut n.iter)?;
                self.within(Context::Loop, &mut n.body)?;
                self.stmts(&mut n.orelse)?;
            }
            StmtKind::While(n) => {
                self.expr(&mut n.test)?;
                self.within(Context::Loop, &mut n.body)?;
                self.stmts(&mut n.orelse)?;
            }
            StmtKind::If(n) => self.if_chain(n)?,
            StmtKind::With(n) => {
                self.with_items(&mut n.items)?;
                self.stmts(&mut n.body)?;
            }
            StmtKind::AsyncWith(n) => {
                self.with_items(&mut n.items)?;
                self.stmts(&mut n.body)?;
            }
            StmtKind::Match(n) => {
                self.expr(&mut n.subject)?;
                for case in &mut n.cases {
                    self.pattern(&mut case.pattern)?;
                    self.optional(case.guard.as_mut())?;
                    self.stmts(&mut case.body)?;
                }
            }
            StmtKind::Raise(n) => {
                self.optional(n.exc.as_mut())?;
                self.optional(n.cause.as_mut())?;
            }
            StmtKind::Try(n) => {
                self.try_parts(&mut n.body, &mut n.handlers, &mut n.orelse, &mut n.finalbody)?;
            }
            StmtKind::TryStar(n) => {
                self.try_parts(&mut n.body, &mut n.handlers, &mut n.orelse, &mut n.finalbody)?;
            }
            StmtKind::Assert(n) => {
                self.expr(&mut n.test)?;
                self.optional(n.msg.as_mut())?;
            }
            StmtKind::Expr(n) => self.expr(&mut n.value)?,
            StmtKind::Break => self.leaving("break", range),
            StmtKind::Continue => self.leaving("continue", range),
            StmtKind::Import(_)
            | StmtKind::ImportFrom(_)
            | StmtKind::Global(_)
            | StmtKind::Nonlocal(_)
            | StmtKind::Pass => {}
        }
        self.depth.leave();
        Ok(())
    }

    fn if_chain(&mut self, first: &mut StmtIf) -> Compiled<()> {
        let mut node = first;
        loop {
            self.expr(&mut node.test)?;
            self.stmts(&mut node.body)?;
            let is_elif = matches!(node.orelse.as_slice(), [Stmt { kind: StmtKind::If(_), .. }]);
            if !is_elif {
                return self.stmts(&mut node.orelse);
            }
            let StmtKind::If(next) = &mut node.orelse[0].kind else { return Ok(()) };
            node = next;
        }
    }

    fn try_parts(
        &mut self,
        body: &mut [Stmt],
        handlers: &mut [ExceptHandler],
        orelse: &mut [Stmt],
        finalbody: &mut [Stmt],
    ) -> Compiled<()> {
        self.stmts(body)?;
        for handler in handlers {
            self.optional(handler.type_.as_mut())?;
            self.stmts(&mut handler.body)?;
        }
        self.stmts(orelse)?;
        self.within(Context::Finally, finalbody)
    }

    fn with_items(&mut self, items: &mut [WithItem]) -> Compiled<()> {
        for item in items {
            self.expr(&mut item.context_expr)?;
            self.optional(item.optional_vars.as_mut())?;
        }
        Ok(())
    }

    fn arguments(&mut self, args: &mut Arguments) -> Compiled<()> {
        if !self.future_annotations {
            let all = args
                .posonlyargs
                .iter_mut()
                .chain(&mut args.args)
                .chain(args.vararg.as_deref_mut())
                .chain(&mut args.kwonlyargs);
            for arg in all {
                self.optional(arg.annotation.as_mut())?;
            }
        }
        args.kw_defaults.iter_mut().flatten().try_for_each(|default| self.expr(default))?;
        if !self.future_annotations
            && let Some(arg) = &mut args.kwarg
        {
            self.optional(arg.annotation.as_mut())?;
        }
        self.exprs(&mut args.defaults)
    }

    fn type_params(&mut self, params: &mut [TypeParam]) -> Compiled<()> {
        for param in params {
            match &mut param.kind {
                TypeParamKind::TypeVar(n) => {
                    self.optional(n.bound.as_mut())?;
                    self.optional(n.default_value.as_mut())?;
                }
                TypeParamKind::ParamSpec(n) => self.optional(n.default_value.as_mut())?,
                TypeParamKind::TypeVarTuple(n) => self.optional(n.default_value.as_mut())?,
            }
        }
        Ok(())
    }

    fn exprs(&mut self, exprs: &mut [Expr]) -> Compiled<()> {
        exprs.iter_mut().try_for_each(|expr| self.expr(expr))
    }

    fn optional(&mut self, expr: Option<&mut Expr>) -> Compiled<()> {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn generators(&mut self, generators: &mut [Comprehension]) -> Compiled<()> {
        for generator in generators {
            self.expr(&mut generator.target)?;
            self.expr(&mut generator.iter)?;
            self.exprs(&mut generator.ifs)?;
        }
        Ok(())
    }

    fn expr(&mut self, expr: &mut Expr) -> Compiled<()> {
        self.depth.enter()?;
        match &mut expr.kind {
            ExprKind::BoolOp(n) => self.exprs(&mut n.values)?,
            ExprKind::BinOp(n) => {
                self.expr(&mut n.left)?;
                self.expr(&mut n.right)?;
                let formatted = format_to_joined_str(n);
                if let Some(joined) = formatted {
                    expr.kind = joined.into();
                }
            }
            ExprKind::UnaryOp(n) => self.expr(&mut n.operand)?,
            ExprKind::Lambda(n) => {
                self.arguments(&mut n.args)?;
                self.expr(&mut n.body)?;
            }
            ExprKind::IfExp(n) => {
                self.expr(&mut n.test)?;
                self.expr(&mut n.body)?;
                self.expr(&mut n.orelse)?;
            }
            ExprKind::Dict(n) => {
                n.keys.iter_mut().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(&mut n.values)?;
            }
            ExprKind::Set(n) => self.exprs(&mut n.elts)?,
            ExprKind::ListComp(n) => {
                self.expr(&mut n.elt)?;
                self.generators(&mut n.generators)?;
            }
            ExprKind::SetComp(n) => {
                self.expr(&mut n.elt)?;
                self.generators(&mut n.generators)?;
            }
            ExprKind::DictComp(n) => {
                self.expr(&mut n.key)?;
                self.expr(&mut n.value)?;
                self.generators(&mut n.generators)?;
            }
            ExprKind::GeneratorExp(n) => {
                self.expr(&mut n.elt)?;
                self.generators(&mut n.generators)?;
            }
            ExprKind::Await(n) => self.expr(&mut n.value)?,
            ExprKind::Yield(n) => self.optional(n.value.as_mut())?,
            ExprKind::YieldFrom(n) => self.expr(&mut n.value)?,
            ExprKind::Compare(n) => {
                self.expr(&mut n.left)?;
                self.exprs(&mut n.comparators)?;
            }
            ExprKind::Call(n) => {
                self.expr(&mut n.func)?;
                self.exprs(&mut n.args)?;
                n.keywords.iter_mut().try_for_each(|keyword| self.expr(&mut keyword.value))?;
            }
            ExprKind::FormattedValue(n) => {
                self.expr(&mut n.value)?;
                self.optional(n.format_spec.as_mut())?;
            }
            ExprKind::Interpolation(n) => {
                self.expr(&mut n.value)?;
                self.optional(n.format_spec.as_mut())?;
            }
            ExprKind::JoinedStr(n) => self.exprs(&mut n.values)?,
            ExprKind::TemplateStr(n) => self.exprs(&mut n.values)?,
            ExprKind::Attribute(n) => self.expr(&mut n.value)?,
            ExprKind::Subscript(n) => {
                self.expr(&mut n.value)?;
                self.expr(&mut n.slice)?;
            }
            ExprKind::Starred(n) => self.expr(&mut n.value)?,
            ExprKind::Slice(n) => {
                self.optional(n.lower.as_mut())?;
                self.optional(n.upper.as_mut())?;
                self.optional(n.step.as_mut())?;
            }
            ExprKind::List(n) => self.exprs(&mut n.elts)?,
            ExprKind::Tuple(n) => self.exprs(&mut n.elts)?,
            ExprKind::NamedExpr(n) => self.expr(&mut n.value)?,
            ExprKind::Name(n) => {
                if n.ctx == ExprContext::Load && n.id.as_str() == "__debug__" {
                    let value = Constant::Bool(self.optimize == 0);
                    expr.kind = ExprKind::Constant(ExprConstant { value, kind: None });
                }
            }
            ExprKind::Constant(_) => {}
        }
        self.depth.leave();
        Ok(())
    }

    fn pattern(&mut self, pattern: &mut Pattern) -> Compiled<()> {
        self.depth.enter()?;
        match &mut pattern.kind {
            PatternKind::MatchValue(n) => fold_pattern_number(&mut n.value),
            PatternKind::MatchSingleton(_) | PatternKind::MatchStar(_) => {}
            PatternKind::MatchSequence(n) => self.patterns(&mut n.patterns)?,
            PatternKind::MatchMapping(n) => {
                n.keys.iter_mut().for_each(fold_pattern_number);
                self.patterns(&mut n.patterns)?;
            }
            PatternKind::MatchClass(n) => {
                self.expr(&mut n.cls)?;
                self.patterns(&mut n.patterns)?;
                self.patterns(&mut n.kwd_patterns)?;
            }
            PatternKind::MatchAs(n) => {
                if let Some(inner) = &mut n.pattern {
                    self.pattern(inner)?;
                }
            }
            PatternKind::MatchOr(n) => self.patterns(&mut n.patterns)?,
        }
        self.depth.leave();
        Ok(())
    }

    fn patterns(&mut self, patterns: &mut [Pattern]) -> Compiled<()> {
        patterns.iter_mut().try_for_each(|pattern| self.pattern(pattern))
    }
}

fn none() -> ExprConstant {
    ExprConstant { value: Constant::None, kind: None }
}

fn constant_of(expr: &Expr) -> Option<&Constant> {
    match &expr.kind {
        ExprKind::Constant(node) => Some(&node.value),
        _ => None,
    }
}

/// `-1` and `1 + 2j` in patterns become constants.
fn fold_pattern_number(expr: &mut Expr) {
    let folded = match &mut expr.kind {
        ExprKind::UnaryOp(node) if node.op == UnaryOp::USub => constant_of(&node.operand)
            .and_then(|value| fold::unary(Unary::Negative, &crate::constants::from_ast(value))),
        ExprKind::BinOp(node)
            if matches!(node.op, Operator::Add | Operator::Sub) && constant_of(&node.right).is_some() =>
        {
            fold_pattern_number(&mut node.left);
            let operator = if node.op == Operator::Add { NB_ADD } else { NB_SUBTRACT };
            match (constant_of(&node.left), constant_of(&node.right)) {
                (Some(left), Some(right)) => fold::binary(
                    operator,
                    &crate::constants::from_ast(left),
                    &crate::constants::from_ast(right),
                ),
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(value) = folded.as_ref().and_then(crate::constants::to_ast) {
        expr.kind = ExprKind::Constant(ExprConstant { value, kind: None });
    }
}

/// A format unit that an f-string can do as well: conversion letter, width, precision, left alignment.
struct Unit {
    conversion: char,
    spec: String,
    length: usize,
}

fn parse_unit(text: &str) -> Option<Unit> {
    const MAX_DIGITS: usize = 3;
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut left = false;
    let next = |at: &mut usize| {
        let byte = bytes.get(*at).copied();
        *at += 1;
        byte
    };
    let mut byte = next(&mut at)?;
    while matches!(byte, b'-' | b'+' | b' ' | b'#' | b'0') {
        left |= byte == b'-';
        byte = next(&mut at)?;
    }
    let number = |byte: &mut u8, at: &mut usize| -> Option<u32> {
        let mut value = 0;
        let mut digits = 0;
        while byte.is_ascii_digit() {
            value = value * 10 + u32::from(*byte - b'0');
            *byte = next(at)?;
            digits += 1;
            if digits >= MAX_DIGITS {
                return None;
            }
        }
        Some(value)
    };
    let mut width = None;
    if byte.is_ascii_digit() {
        width = Some(number(&mut byte, &mut at)?);
    }
    let mut precision = None;
    if byte == b'.' {
        byte = *bytes.get(at)?;
        at += 1;
        precision = Some(number(&mut byte, &mut at)?);
    }
    if !matches!(byte, b's' | b'r' | b'a') {
        return None;
    }
    let mut spec = String::new();
    if !left && width.is_some_and(|width| width > 0) {
        spec.push('>');
    }
    if let Some(width) = width {
        spec.push_str(&width.to_string());
    }
    if let Some(precision) = precision {
        spec.push_str(&format!(".{precision}"));
    }
    Some(Unit { conversion: char::from(byte), spec, length: at })
}

/// `'…' % (a, b)` as a formatted string, when it holds simple units only, one for each item.
fn format_to_joined_str(node: &mut ExprBinOp) -> Option<ExprJoinedStr> {
    if node.op != Operator::Mod {
        return None;
    }
    let Constant::Str(format) = constant_of(&node.left)? else { return None };
    let ExprKind::Tuple(tuple) = &mut node.right.kind else { return None };
    if tuple.elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred(_))) {
        return None;
    }
    let format = format.clone();
    let pieces = split_format(&format, tuple.elts.len())?;
    let mut items = std::mem::take(&mut tuple.elts).into_iter();
    let nowhere = Range { lineno: -1, col_offset: -1, end_lineno: -1, end_col_offset: -1 };
    let text = |value: PyStr| Expr {
        range: nowhere,
        kind: ExprKind::Constant(ExprConstant { value: Constant::Str(value), kind: None }),
    };
    let values = pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(value) => Some(text(value)),
            Piece::Unit(unit) => items.next().map(|value| Expr {
                range: value.range,
                kind: ExprFormattedValue {
                    conversion: unit.conversion as i32,
                    format_spec: (!unit.spec.is_empty()).then(|| text(PyStr::from(&*unit.spec))),
                    value,
                }
                .into(),
            }),
        })
        .collect();
    Some(ExprJoinedStr { values })
}

enum Piece {
    Text(PyStr),
    Unit(Unit),
}

/// Cuts a format into texts and units; None when it has other than `count` units, or one that is not simple.
fn split_format(format: &PyStr, count: usize) -> Option<Vec<Piece>> {
    let bytes = format.as_bytes();
    let mut pieces = Vec::new();
    let mut units = 0;
    let mut at = 0;
    loop {
        let mut literal = taipan_bytecode::code::PyStrBuilder::default();
        let mut rest = format_points(bytes, at);
        while let Some((start, point, end)) = rest.next() {
            at = start;
            if point == u32::from(b'%') {
                if bytes.get(end) != Some(&b'%') {
                    break;
                }
                rest.next();
                at = end + 1;
                literal.push_code_point(point);
                continue;
            }
            literal.push_code_point(point);
            at = end;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.take()));
        }
        if at >= bytes.len() {
            return (units == count).then_some(pieces);
        }
        if units >= count {
            return None;
        }
        // A unit is ASCII; what follows may be anything.
        let ascii = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii()).count();
        let unit = parse_unit(std::str::from_utf8(&bytes[at + 1..at + 1 + ascii]).ok()?)?;
        at += 1 + unit.length;
        units += 1;
        pieces.push(Piece::Unit(unit));
    }
}

/// Code points of generalised UTF-8 from a byte on: begin, value, end.
fn format_points(bytes: &[u8], mut at: usize) -> impl Iterator<Item = (usize, u32, usize)> {
    std::iter::from_fn(move || {
        let first = u32::from(*bytes.get(at)?);
        let (length, bits) = match first {
            0..0x80 => (1, first),
            0x80..0xE0 => (2, first & 0x1F),
            0xE0..0xF0 => (3, first & 0x0F),
            _ => (4, first & 0x07),
        };
        let end = (at + length).min(bytes.len());
        let point = bytes[at + 1..end].iter().fold(bits, |value, byte| value << 6 | u32::from(byte & 0x3F));
        let start = at;
        at = end;
        Some((start, point, end))
    })
}
