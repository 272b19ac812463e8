//! Expressions, except calls and comprehensions.

use std::rc::Rc;

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::{self, *};

use super::{Compiler, STACK_USE_GUIDELINE, UnitKind};
use crate::constants::from_ast;
use crate::error::{CompileError, Compiled, location};
use crate::instr::Label;
use crate::names::{Name, known};

/// The argument of `BINARY_OP` for an operator; the in-place one is [`NB_INPLACE_ADD`] further.
pub(crate) fn operator_code(op: Operator) -> u32 {
    match op {
        Operator::Add => NB_ADD,
        Operator::Sub => NB_SUBTRACT,
        Operator::Mult => NB_MULTIPLY,
        Operator::MatMult => NB_MATRIX_MULTIPLY,
        Operator::Div => NB_TRUE_DIVIDE,
        Operator::Mod => NB_REMAINDER,
        Operator::Pow => NB_POWER,
        Operator::LShift => NB_LSHIFT,
        Operator::RShift => NB_RSHIFT,
        Operator::BitOr => NB_OR,
        Operator::BitXor => NB_XOR,
        Operator::BitAnd => NB_AND,
        Operator::FloorDiv => NB_FLOOR_DIVIDE,
    }
}

fn is_constant(expr: Option<&Expr>) -> bool {
    expr.is_none_or(|expr| matches!(expr.kind, ExprKind::Constant(_)))
}

fn is_constant_slice(slice: &ExprSlice) -> bool {
    is_constant(slice.lower.as_ref()) && is_constant(slice.upper.as_ref()) && is_constant(slice.step.as_ref())
}

/// A slice without a step whose bounds are not all constant gets instructions of its own.
pub(crate) fn is_two_part_slice(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Slice(slice) => slice.step.is_none() && !is_constant_slice(slice),
        _ => false,
    }
}

fn ast_type_name(value: &ast::Constant) -> &'static str {
    match value {
        ast::Constant::None => "NoneType",
        ast::Constant::Bool(_) => "bool",
        ast::Constant::Ellipsis => "ellipsis",
        ast::Constant::Str(_) => "str",
        ast::Constant::Bytes(_) => "bytes",
        ast::Constant::Int(_) | ast::Constant::BigInt(_) => "int",
        ast::Constant::Float(_) => "float",
        ast::Constant::Complex { .. } => "complex",
        ast::Constant::Tuple(_) => "tuple",
        ast::Constant::FrozenSet(_) => "frozenset",
    }
}

/// The type of an expression, where it shows.
pub(crate) fn infer_type(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Tuple(_) => "tuple",
        ExprKind::List(_) | ExprKind::ListComp(_) => "list",
        ExprKind::Dict(_) | ExprKind::DictComp(_) => "dict",
        ExprKind::Set(_) | ExprKind::SetComp(_) => "set",
        ExprKind::GeneratorExp(_) => "generator",
        ExprKind::Lambda(_) => "function",
        ExprKind::JoinedStr(_) | ExprKind::FormattedValue(_) => "str",
        ExprKind::TemplateStr(_) | ExprKind::Interpolation(_) => "string.templatelib.Template",
        ExprKind::Constant(node) => ast_type_name(&node.value),
        _ => return None,
    })
}

/// May it be compared by identity without a warning?
fn is_identity_operand(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Tuple(node) => !node.elts.iter().all(|elt| matches!(elt.kind, ExprKind::Constant(_))),
        ExprKind::Constant(node) => {
            matches!(node.value, ast::Constant::None | ast::Constant::Bool(_) | ast::Constant::Ellipsis)
        }
        _ => true,
    }
}

impl<'a> Compiler<'a> {
    pub(crate) fn exprs(&mut self, exprs: &'a [Expr]) -> Compiled<()> {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    pub(crate) fn expr(&mut self, expr: &'a Expr) -> Compiled<()> {
        self.depth.enter()?;
        let loc = location(expr.range);
        match &expr.kind {
            ExprKind::Constant(node) => self.load_const(loc, from_ast(&node.value)),
            ExprKind::Name(node) => {
                let name = self.names.intern(&node.id);
                self.nameop(loc, name, node.ctx);
            }
            ExprKind::NamedExpr(node) => {
                self.expr(&node.value)?;
                self.op_i(loc, Opcode::COPY, 1);
                self.expr(&node.target)?;
            }
            ExprKind::BoolOp(node) => self.bool_op(node, loc)?,
            ExprKind::BinOp(node) => {
                self.expr(&node.left)?;
                self.expr(&node.right)?;
                self.op_i(loc, Opcode::BINARY_OP, operator_code(node.op));
            }
            ExprKind::UnaryOp(node) => {
                self.expr(&node.operand)?;
                match node.op {
                    UnaryOp::UAdd => self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_UNARY_POSITIVE),
                    UnaryOp::Not => {
                        self.op(loc, Opcode::TO_BOOL);
                        self.op(loc, Opcode::UNARY_NOT);
                    }
                    UnaryOp::Invert => self.op(loc, Opcode::UNARY_INVERT),
                    UnaryOp::USub => self.op(loc, Opcode::UNARY_NEGATIVE),
                }
            }
            ExprKind::Lambda(node) => self.lambda(node, expr.range)?,
            ExprKind::IfExp(node) => {
                let (end, next) = (self.new_label(), self.new_label());
                self.jump_if(&node.test, next, false)?;
                self.expr(&node.body)?;
                self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                self.use_label(next);
                self.expr(&node.orelse)?;
                self.use_label(end);
            }
            ExprKind::Dict(node) => self.dict(node, loc)?,
            ExprKind::Set(node) => self.display(&node.elts, loc, Display::Set, 0, None)?,
            ExprKind::GeneratorExp(_)
            | ExprKind::ListComp(_)
            | ExprKind::SetComp(_)
            | ExprKind::DictComp(_) => self.comprehension(expr)?,
            ExprKind::Yield(node) => {
                if !self.scope().is_function_like() {
                    return self.error(loc, "'yield' outside function");
                }
                match &node.value {
                    Some(value) => self.expr(value)?,
                    None => self.load_const(loc, Constant::None),
                }
                self.yield_top(loc);
            }
            ExprKind::YieldFrom(node) => {
                if !self.scope().is_function_like() {
                    return self.error(loc, "'yield from' outside function");
                }
                if self.unit.kind == UnitKind::AsyncFunction {
                    return self.error(loc, "'yield from' inside async function");
                }
                self.expr(&node.value)?;
                self.op(loc, Opcode::GET_YIELD_FROM_ITER);
                self.load_const(loc, Constant::None);
                self.yield_from(loc, false);
            }
            ExprKind::Await(node) => {
                self.expr(&node.value)?;
                self.await_top(loc, 0);
            }
            ExprKind::Compare(node) => self.compare(node, loc)?,
            ExprKind::Call(node) => self.call(node, loc)?,
            ExprKind::JoinedStr(node) => self.joined_str(node, loc)?,
            ExprKind::TemplateStr(node) => self.template_str(node, loc)?,
            ExprKind::FormattedValue(node) => self.formatted_value(node, loc)?,
            ExprKind::Interpolation(node) => self.interpolation(node, loc)?,
            ExprKind::Attribute(node) => self.attribute(node, expr)?,
            ExprKind::Subscript(node) => self.subscript(node, loc)?,
            ExprKind::Starred(node) => {
                let message = match node.ctx {
                    ExprContext::Store => "starred assignment target must be in a list or tuple",
                    _ => "can't use starred expression here",
                };
                return self.error(loc, message);
            }
            ExprKind::Slice(node) => self.slice(node, expr)?,
            ExprKind::List(node) => match node.ctx {
                ExprContext::Store => self.unpack_targets(&node.elts, loc)?,
                ExprContext::Load => self.display(&node.elts, loc, Display::List, 0, None)?,
                ExprContext::Del => self.exprs(&node.elts)?,
            },
            ExprKind::Tuple(node) => match node.ctx {
                ExprContext::Store => self.unpack_targets(&node.elts, loc)?,
                ExprContext::Load => self.display(&node.elts, loc, Display::Tuple, 0, None)?,
                ExprContext::Del => self.exprs(&node.elts)?,
            },
        }
        self.depth.leave();
        Ok(())
    }

    /// Yields the top; an asynchronous generator's values are wrapped.
    pub(crate) fn yield_top(&mut self, loc: Location) {
        if self.scope().generator && self.scope().coroutine {
            self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_ASYNC_GEN_WRAP);
        }
        self.op_i(loc, Opcode::YIELD_VALUE, 0);
        self.op_i(loc, Opcode::RESUME, RESUME_AFTER_YIELD);
    }

    fn bool_op(&mut self, node: &'a ExprBoolOp, loc: Location) -> Compiled<()> {
        let jump = if node.op == BoolOp::And { Opcode::JUMP_IF_FALSE } else { Opcode::JUMP_IF_TRUE };
        let end = self.new_label();
        let Some((last, first)) = node.values.split_last() else {
            return Err(CompileError::system("BoolOp without values"));
        };
        for value in first {
            self.expr(value)?;
            self.jump(loc, jump, end);
            self.op(loc, Opcode::POP_TOP);
        }
        self.expr(last)?;
        self.use_label(end);
        Ok(())
    }

    /// Jumps when the truth of an expression is `condition`.
    pub(crate) fn jump_if(&mut self, expr: &'a Expr, next: Label, condition: bool) -> Compiled<()> {
        self.depth.enter()?;
        match &expr.kind {
            ExprKind::UnaryOp(node) if node.op == UnaryOp::Not => {
                self.jump_if(&node.operand, next, !condition)?;
            }
            ExprKind::BoolOp(node) => {
                let on_or = node.op == BoolOp::Or;
                let inner = if on_or != condition { self.new_label() } else { next };
                let Some((last, first)) = node.values.split_last() else {
                    return Err(CompileError::system("BoolOp without values"));
                };
                for value in first {
                    self.jump_if(value, inner, on_or)?;
                }
                self.jump_if(last, next, condition)?;
                if inner != next {
                    self.use_label(inner);
                }
            }
            ExprKind::IfExp(node) => {
                let (end, orelse) = (self.new_label(), self.new_label());
                self.jump_if(&node.test, orelse, false)?;
                self.jump_if(&node.body, next, condition)?;
                self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                self.use_label(orelse);
                self.jump_if(&node.orelse, next, condition)?;
                self.use_label(end);
            }
            ExprKind::Compare(node) if node.ops.len() > 1 => {
                self.jump_if_compare(node, location(expr.range), next, condition)?;
            }
            _ => {
                self.expr(expr)?;
                let loc = location(expr.range);
                self.op(loc, Opcode::TO_BOOL);
                self.jump(loc, pop_jump(condition), next);
            }
        }
        self.depth.leave();
        Ok(())
    }

    fn jump_if_compare(
        &mut self,
        node: &'a ExprCompare,
        loc: Location,
        next: Label,
        condition: bool,
    ) -> Compiled<()> {
        self.check_compare(node, loc);
        let cleanup = self.new_label();
        self.expr(&node.left)?;
        let last = node.ops.len() - 1;
        for (op, right) in node.ops.iter().zip(&node.comparators).take(last) {
            self.expr(right)?;
            self.op_i(loc, Opcode::SWAP, 2);
            self.op_i(loc, Opcode::COPY, 2);
            self.compare_op(loc, *op);
            self.op(loc, Opcode::TO_BOOL);
            self.jump(loc, Opcode::POP_JUMP_IF_FALSE, cleanup);
        }
        self.expr(&node.comparators[last])?;
        self.compare_op(loc, node.ops[last]);
        self.op(loc, Opcode::TO_BOOL);
        self.jump(loc, pop_jump(condition), next);
        let end = self.new_label();
        self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(cleanup);
        self.op(loc, Opcode::POP_TOP);
        if !condition {
            self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, next);
        }
        self.use_label(end);
        Ok(())
    }

    pub(crate) fn compare_op(&mut self, loc: Location, op: CmpOp) {
        let comparison = match op {
            CmpOp::Eq => PY_EQ,
            CmpOp::NotEq => PY_NE,
            CmpOp::Lt => PY_LT,
            CmpOp::LtE => PY_LE,
            CmpOp::Gt => PY_GT,
            CmpOp::GtE => PY_GE,
            CmpOp::Is => return self.op_i(loc, Opcode::IS_OP, 0),
            CmpOp::IsNot => return self.op_i(loc, Opcode::IS_OP, 1),
            CmpOp::In => return self.op_i(loc, Opcode::CONTAINS_OP, 0),
            CmpOp::NotIn => return self.op_i(loc, Opcode::CONTAINS_OP, 1),
        };
        self.op_i(loc, Opcode::COMPARE_OP, compare_oparg(comparison));
    }

    /// Warns of `is` with a literal.
    fn check_compare(&mut self, node: &'a ExprCompare, loc: Location) {
        let mut left = &node.left;
        for (op, right) in node.ops.iter().zip(&node.comparators) {
            let (left_fits, right_fits) = (is_identity_operand(left), is_identity_operand(right));
            if matches!(op, CmpOp::Is | CmpOp::IsNot) && !(left_fits && right_fits) {
                let literal = if left_fits { right } else { left };
                let (word, instead) = if *op == CmpOp::Is { ("is", "==") } else { ("is not", "!=") };
                let name = infer_type(literal).unwrap_or("object");
                self.warn(loc, format!("\"{word}\" with '{name}' literal. Did you mean \"{instead}\"?"));
                return;
            }
            left = right;
        }
    }

    fn compare(&mut self, node: &'a ExprCompare, loc: Location) -> Compiled<()> {
        self.check_compare(node, loc);
        self.expr(&node.left)?;
        let Some(last) = node.ops.len().checked_sub(1) else {
            return Err(CompileError::system("Compare without operators"));
        };
        if last == 0 {
            self.expr(&node.comparators[0])?;
            self.compare_op(loc, node.ops[0]);
            return Ok(());
        }
        let cleanup = self.new_label();
        for (op, right) in node.ops.iter().zip(&node.comparators).take(last) {
            self.expr(right)?;
            self.op_i(loc, Opcode::SWAP, 2);
            self.op_i(loc, Opcode::COPY, 2);
            self.compare_op(loc, *op);
            self.op_i(loc, Opcode::COPY, 1);
            self.op(loc, Opcode::TO_BOOL);
            self.jump(loc, Opcode::POP_JUMP_IF_FALSE, cleanup);
            self.op(loc, Opcode::POP_TOP);
        }
        self.expr(&node.comparators[last])?;
        self.compare_op(loc, node.ops[last]);
        let end = self.new_label();
        self.jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(cleanup);
        self.op_i(loc, Opcode::SWAP, 2);
        self.op(loc, Opcode::POP_TOP);
        self.use_label(end);
        Ok(())
    }

    /// A list, set or tuple, or the positional arguments of a call. `pushed` items are on the stack already, and
    /// `injected` is a name to be added at the end.
    pub(crate) fn display(
        &mut self,
        elts: &'a [Expr],
        loc: Location,
        display: Display,
        pushed: usize,
        injected: Option<Name>,
    ) -> Compiled<()> {
        let (build, add, extend) = match display {
            Display::Set => (Opcode::BUILD_SET, Opcode::SET_ADD, Opcode::SET_UPDATE),
            _ => (Opcode::BUILD_LIST, Opcode::LIST_APPEND, Opcode::LIST_EXTEND),
        };
        let big = elts.len() + pushed + usize::from(injected.is_some()) > STACK_USE_GUIDELINE;
        let starred = elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred(_)));
        if !starred && !big {
            self.exprs(elts)?;
            let mut count = elts.len() + pushed;
            if let Some(name) = injected {
                self.nameop(loc, name, ExprContext::Load);
                count += 1;
            }
            let op = if display == Display::Tuple { Opcode::BUILD_TUPLE } else { build };
            self.op_i(loc, op, count as u32);
            return Ok(());
        }
        let mut built = big;
        if big {
            self.op_i(loc, build, pushed as u32);
        }
        for (index, elt) in elts.iter().enumerate() {
            if let ExprKind::Starred(star) = &elt.kind {
                if !built {
                    self.op_i(loc, build, (index + pushed) as u32);
                    built = true;
                }
                self.expr(&star.value)?;
                self.op_i(loc, extend, 1);
            } else {
                self.expr(elt)?;
                if built {
                    self.op_i(loc, add, 1);
                }
            }
        }
        if let Some(name) = injected {
            self.nameop(loc, name, ExprContext::Load);
            self.op_i(loc, add, 1);
        }
        if display == Display::Tuple {
            self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_LIST_TO_TUPLE);
        }
        Ok(())
    }

    fn unpack_targets(&mut self, elts: &'a [Expr], loc: Location) -> Compiled<()> {
        let mut seen_star = false;
        let count = elts.len();
        for (index, elt) in elts.iter().enumerate() {
            if !matches!(elt.kind, ExprKind::Starred(_)) {
                continue;
            }
            if seen_star {
                return self.error(loc, "multiple starred expressions in assignment");
            }
            let after = count - index - 1;
            if index >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
                return self.error(loc, "too many expressions in star-unpacking assignment");
            }
            self.op_i(loc, Opcode::UNPACK_EX, (index + (after << 8)) as u32);
            seen_star = true;
        }
        if !seen_star {
            self.op_i(loc, Opcode::UNPACK_SEQUENCE, count as u32);
        }
        for elt in elts {
            match &elt.kind {
                ExprKind::Starred(star) => self.expr(&star.value)?,
                _ => self.expr(elt)?,
            }
        }
        Ok(())
    }

    fn dict_items(&mut self, node: &'a ExprDict, begin: usize, end: usize, loc: Location) -> Compiled<()> {
        let count = end - begin;
        let big = count * 2 > STACK_USE_GUIDELINE;
        if big {
            self.op_i(loc, Opcode::BUILD_MAP, 0);
        }
        for at in begin..end {
            if let Some(key) = &node.keys[at] {
                self.expr(key)?;
            }
            self.expr(&node.values[at])?;
            if big {
                self.op_i(loc, Opcode::MAP_ADD, 1);
            }
        }
        if !big {
            self.op_i(loc, Opcode::BUILD_MAP, count as u32);
        }
        Ok(())
    }

    fn dict(&mut self, node: &'a ExprDict, loc: Location) -> Compiled<()> {
        let count = node.values.len().min(node.keys.len());
        let mut have_dict = false;
        let mut pending = 0;
        for at in 0..count {
            if node.keys[at].is_none() {
                if pending > 0 {
                    self.dict_items(node, at - pending, at, loc)?;
                    if have_dict {
                        self.op_i(loc, Opcode::DICT_UPDATE, 1);
                    }
                    have_dict = true;
                    pending = 0;
                }
                if !have_dict {
                    self.op_i(loc, Opcode::BUILD_MAP, 0);
                    have_dict = true;
                }
                self.expr(&node.values[at])?;
                self.op_i(loc, Opcode::DICT_UPDATE, 1);
            } else if pending * 2 > STACK_USE_GUIDELINE {
                self.dict_items(node, at - pending, at + 1, loc)?;
                if have_dict {
                    self.op_i(loc, Opcode::DICT_UPDATE, 1);
                }
                have_dict = true;
                pending = 0;
            } else {
                pending += 1;
            }
        }
        if pending > 0 {
            self.dict_items(node, count - pending, count, loc)?;
            if have_dict {
                self.op_i(loc, Opcode::DICT_UPDATE, 1);
            }
            have_dict = true;
        }
        if !have_dict {
            self.op_i(loc, Opcode::BUILD_MAP, 0);
        }
        Ok(())
    }

    /// Where an attribute spans lines, the place is that of its name.
    pub(crate) fn attribute_location(&self, mut loc: Location, attribute: &Expr) -> Location {
        let ExprKind::Attribute(node) = &attribute.kind else { return loc };
        let range = attribute.range;
        if loc.lineno != range.end_lineno {
            loc.lineno = range.end_lineno;
            let length = node.attr.chars().count() as i32;
            if length <= range.end_col_offset {
                loc.col_offset = range.end_col_offset - length;
            } else {
                loc.col_offset = -1;
                loc.end_col_offset = -1;
            }
            loc.end_lineno = loc.end_lineno.max(loc.lineno);
            if loc.lineno == loc.end_lineno {
                loc.end_col_offset = loc.end_col_offset.max(loc.col_offset);
            }
        }
        loc
    }

    fn attribute(&mut self, node: &'a ExprAttribute, expr: &'a Expr) -> Compiled<()> {
        let loc = location(expr.range);
        let name = self.names.intern(&node.attr);
        if node.ctx == ExprContext::Load
            && let Some(call) = self.optimizable_super_call(node)
        {
            self.super_args(call, location(node.value.range))?;
            let two_args = if call.args.is_empty() { 0 } else { 2 };
            let arg = self.name_index(name);
            self.op_i(loc, Opcode::LOAD_SUPER_ATTR, (arg << 2) | two_args);
            let loc = self.attribute_location(loc, expr);
            self.op(loc, Opcode::NOP);
            return Ok(());
        }
        if node.ctx == ExprContext::Store {
            self.note_static_attribute(node, name);
        }
        self.expr(&node.value)?;
        let loc = self.attribute_location(loc, expr);
        let op = match node.ctx {
            ExprContext::Load => Opcode::LOAD_ATTR,
            ExprContext::Store => Opcode::STORE_ATTR,
            ExprContext::Del => Opcode::DELETE_ATTR,
        };
        self.op_name(loc, op, name);
        Ok(())
    }

    /// `self.name = …` in a method adds to the class's `__static_attributes__`.
    fn note_static_attribute(&mut self, node: &ExprAttribute, name: Name) {
        if let ExprKind::Name(owner) = &node.value.kind
            && owner.id.as_str() == "self"
            && let Some(class) = self.outer.iter_mut().rev().find(|unit| unit.kind == UnitKind::Class)
        {
            class.static_attributes.add(name);
        }
    }

    fn check_subscripter(&mut self, expr: &Expr) {
        let refused = match &expr.kind {
            ExprKind::Constant(node) => matches!(
                node.value,
                ast::Constant::None
                    | ast::Constant::Ellipsis
                    | ast::Constant::Bool(_)
                    | ast::Constant::Int(_)
                    | ast::Constant::BigInt(_)
                    | ast::Constant::Float(_)
                    | ast::Constant::Complex { .. }
                    | ast::Constant::FrozenSet(_)
            ),
            ExprKind::Set(_)
            | ExprKind::SetComp(_)
            | ExprKind::GeneratorExp(_)
            | ExprKind::Lambda(_)
            | ExprKind::TemplateStr(_)
            | ExprKind::Interpolation(_) => true,
            _ => false,
        };
        if refused && let Some(name) = infer_type(expr) {
            self.warn(
                location(expr.range),
                format!("'{name}' object is not subscriptable; perhaps you missed a comma?"),
            );
        }
    }

    fn check_index(&mut self, container: &Expr, index: &Expr) {
        let Some(index_type) = infer_type(index) else { return };
        if matches!(index_type, "int" | "bool" | "slice") {
            return;
        }
        let sequence = match &container.kind {
            ExprKind::Constant(node) => matches!(
                node.value,
                ast::Constant::Str(_) | ast::Constant::Bytes(_) | ast::Constant::Tuple(_)
            ),
            ExprKind::Tuple(_)
            | ExprKind::List(_)
            | ExprKind::ListComp(_)
            | ExprKind::JoinedStr(_)
            | ExprKind::FormattedValue(_) => true,
            _ => false,
        };
        if sequence && let Some(name) = infer_type(container) {
            self.warn(
                location(container.range),
                format!(
                    "{name} indices must be integers or slices, not {index_type}; perhaps you missed a comma?"
                ),
            );
        }
    }

    fn subscript(&mut self, node: &'a ExprSubscript, loc: Location) -> Compiled<()> {
        if node.ctx == ExprContext::Load {
            self.check_subscripter(&node.value);
            self.check_index(&node.value, &node.slice);
        }
        self.expr(&node.value)?;
        if node.ctx != ExprContext::Del && is_two_part_slice(&node.slice) {
            self.slice_bounds(&node.slice)?;
            let load = node.ctx == ExprContext::Load;
            self.op(loc, if load { Opcode::BINARY_SLICE } else { Opcode::STORE_SLICE });
            return Ok(());
        }
        self.expr(&node.slice)?;
        match node.ctx {
            ExprContext::Load => self.op_i(loc, Opcode::BINARY_OP, NB_SUBSCR),
            ExprContext::Store => self.op(loc, Opcode::STORE_SUBSCR),
            ExprContext::Del => self.op(loc, Opcode::DELETE_SUBSCR),
        }
        Ok(())
    }

    /// Pushes lower and upper bound of a slice.
    pub(crate) fn slice_bounds(&mut self, expr: &'a Expr) -> Compiled<()> {
        let ExprKind::Slice(slice) = &expr.kind else { return Ok(()) };
        for bound in [&slice.lower, &slice.upper] {
            match bound {
                Some(bound) => self.expr(bound)?,
                None => self.load_const(location(expr.range), Constant::None),
            }
        }
        Ok(())
    }

    fn slice(&mut self, node: &'a ExprSlice, expr: &'a Expr) -> Compiled<()> {
        let loc = location(expr.range);
        if is_constant_slice(node) {
            let value = |part: &Option<Expr>| match part.as_ref().map(|part| &part.kind) {
                Some(ExprKind::Constant(constant)) => from_ast(&constant.value),
                _ => Constant::None,
            };
            let parts = [value(&node.lower), value(&node.upper), value(&node.step)];
            self.load_const(loc, Constant::Slice(Rc::new(parts)));
            return Ok(());
        }
        self.slice_bounds(expr)?;
        let mut count = 2;
        if let Some(step) = &node.step {
            self.expr(step)?;
            count = 3;
        }
        self.op_i(loc, Opcode::BUILD_SLICE, count);
        Ok(())
    }

    fn empty_string(&mut self, loc: Location) {
        self.load_name_const(loc, known::EMPTY);
    }

    fn joined_str(&mut self, node: &'a ExprJoinedStr, loc: Location) -> Compiled<()> {
        let count = node.values.len();
        if count > STACK_USE_GUIDELINE {
            self.empty_string(loc);
            self.load_method(loc, known::JOIN);
            self.op_i(loc, Opcode::BUILD_LIST, 0);
            for value in &node.values {
                self.expr(value)?;
                self.op_i(loc, Opcode::LIST_APPEND, 1);
            }
            self.op_i(loc, Opcode::CALL, 1);
            return Ok(());
        }
        self.exprs(&node.values)?;
        match count {
            0 => self.empty_string(loc),
            1 => {}
            _ => self.op_i(loc, Opcode::BUILD_STRING, count as u32),
        }
        Ok(())
    }

    fn template_str(&mut self, node: &'a ExprTemplateStr, loc: Location) -> Compiled<()> {
        let mut texts = 0;
        let mut after_interpolation = true;
        for value in &node.values {
            if matches!(value.kind, ExprKind::Interpolation(_)) {
                if after_interpolation {
                    self.empty_string(loc);
                    texts += 1;
                }
                after_interpolation = true;
            } else {
                self.expr(value)?;
                texts += 1;
                after_interpolation = false;
            }
        }
        if after_interpolation {
            self.empty_string(loc);
            texts += 1;
        }
        self.op_i(loc, Opcode::BUILD_TUPLE, texts);
        let mut interpolations = 0;
        for value in &node.values {
            if matches!(value.kind, ExprKind::Interpolation(_)) {
                self.expr(value)?;
                interpolations += 1;
            }
        }
        self.op_i(loc, Opcode::BUILD_TUPLE, interpolations);
        self.op(loc, Opcode::BUILD_TEMPLATE);
        Ok(())
    }

    fn conversion(&self, conversion: i32) -> Compiled<u32> {
        match u8::try_from(conversion) {
            Ok(b's') => Ok(FVC_STR),
            Ok(b'r') => Ok(FVC_REPR),
            Ok(b'a') => Ok(FVC_ASCII),
            _ if conversion == -1 => Ok(0),
            _ => Err(CompileError::system(format!("Unrecognized conversion character {conversion}"))),
        }
    }

    fn interpolation(&mut self, node: &'a ExprInterpolation, loc: Location) -> Compiled<()> {
        self.expr(&node.value)?;
        self.load_const(loc, from_ast(&node.str));
        let mut arg = 2;
        if let Some(spec) = &node.format_spec {
            arg += 1;
            self.expr(spec)?;
        }
        arg |= self.conversion(node.conversion)? << 2;
        self.op_i(loc, Opcode::BUILD_INTERPOLATION, arg);
        Ok(())
    }

    fn formatted_value(&mut self, node: &'a ExprFormattedValue, loc: Location) -> Compiled<()> {
        self.expr(&node.value)?;
        let conversion = self.conversion(node.conversion)?;
        if conversion != 0 {
            self.op_i(loc, Opcode::CONVERT_VALUE, conversion);
        }
        match &node.format_spec {
            Some(spec) => {
                self.expr(spec)?;
                self.op(loc, Opcode::FORMAT_WITH_SPEC);
            }
            None => self.op(loc, Opcode::FORMAT_SIMPLE),
        }
        Ok(())
    }
}

/// What a display builds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    List,
    Tuple,
    Set,
}

fn pop_jump(condition: bool) -> Opcode {
    if condition { Opcode::POP_JUMP_IF_TRUE } else { Opcode::POP_JUMP_IF_FALSE }
}
