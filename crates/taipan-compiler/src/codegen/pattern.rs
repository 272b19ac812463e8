//! Pattern matching (PEP 634).
//!
//! Code for a pattern consumes its subject from the top and goes on when it matches; otherwise it jumps to a label
//! that drops what is on the stack by then. Captured values wait below what is on top until the whole pattern has
//! matched, and are stored then.

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::*;

use super::Compiler;
use crate::constants::from_ast;
use crate::error::{CompileError, Compiled, location};
use crate::fold;
use crate::instr::{Label, NEXT_LOCATION};
use crate::names::Name;

/// State of the pattern under work.
#[derive(Default, Clone)]
struct Context {
    /// Captured names in the order of their values on the stack.
    stores: Vec<Name>,
    /// May the pattern match everything?
    allow_irrefutable: bool,
    /// `fail_pop[n]` drops n values.
    fail_pop: Vec<Label>,
    /// Values on top that must stay on top.
    on_top: usize,
}

fn is_wildcard(pattern: &Pattern) -> bool {
    matches!(&pattern.kind, PatternKind::MatchAs(node) if node.name.is_none())
}

fn is_star_wildcard(pattern: &Pattern) -> bool {
    matches!(&pattern.kind, PatternKind::MatchStar(node) if node.name.is_none())
}

fn is_star(pattern: &Pattern) -> bool {
    matches!(pattern.kind, PatternKind::MatchStar(_))
}

/// `repr` of a name for an error message.
fn quoted(text: &str) -> String {
    format!("'{text}'")
}

impl<'a> Compiler<'a> {
    pub(crate) fn match_stmt(&mut self, node: &'a StmtMatch) -> Compiled<()> {
        self.expr(&node.subject)?;
        let end = self.new_label();
        let Some(last) = node.cases.last() else {
            return Err(CompileError::system("match without cases"));
        };
        let count = node.cases.len();
        let has_default = is_wildcard(&last.pattern) && count > 1;
        let tested = count - usize::from(has_default);
        for (index, case) in node.cases[..tested].iter().enumerate() {
            let loc = location(case.pattern.range);
            let keeps_subject = index + 1 != tested;
            if keeps_subject {
                self.op_i(loc, Opcode::COPY, 1);
            }
            let mut context = Context {
                allow_irrefutable: case.guard.is_some() || index + 1 == count,
                ..Context::default()
            };
            self.pattern(&case.pattern, &mut context)?;
            for name in std::mem::take(&mut context.stores) {
                self.nameop(loc, name, ExprContext::Store);
            }
            if let Some(guard) = &case.guard {
                self.ensure_fail_pop(&mut context, 0);
                self.jump_if(guard, context.fail_pop[0], false)?;
            }
            if keeps_subject {
                self.op(NEXT_LOCATION, Opcode::POP_TOP);
            }
            self.stmts(&case.body)?;
            self.jump(Location::NONE, Opcode::JUMP, end);
            self.emit_fail_pop(&mut context, loc);
        }
        if has_default {
            let loc = location(last.pattern.range);
            self.op(loc, Opcode::NOP);
            if let Some(guard) = &last.guard {
                self.jump_if(guard, end, false)?;
            }
            self.stmts(&last.body)?;
        }
        self.use_label(end);
        Ok(())
    }

    fn ensure_fail_pop(&mut self, context: &mut Context, count: usize) {
        while context.fail_pop.len() <= count {
            let label = self.new_label();
            context.fail_pop.push(label);
        }
    }

    /// Jumps to where everything of this pattern is dropped.
    fn jump_to_fail(&mut self, context: &mut Context, loc: Location, op: Opcode) {
        let pops = context.on_top + context.stores.len();
        self.ensure_fail_pop(context, pops);
        self.jump(loc, op, context.fail_pop[pops]);
    }

    fn emit_fail_pop(&mut self, context: &mut Context, loc: Location) {
        let labels = std::mem::take(&mut context.fail_pop);
        for (index, label) in labels.into_iter().enumerate().rev() {
            self.use_label(label);
            if index > 0 {
                self.op(loc, Opcode::POP_TOP);
            }
        }
    }

    /// Moves the top below `count - 1` others.
    fn rotate(&mut self, loc: Location, count: usize) {
        for depth in (2..=count).rev() {
            self.op_i(loc, Opcode::SWAP, depth as u32);
        }
    }

    fn capture(&mut self, context: &mut Context, loc: Location, name: Option<Name>) -> Compiled<()> {
        let Some(name) = name else {
            self.op(loc, Opcode::POP_TOP);
            return Ok(());
        };
        if context.stores.contains(&name) {
            return self.duplicate_store(loc, name);
        }
        self.rotate(loc, context.on_top + context.stores.len() + 1);
        context.stores.push(name);
        Ok(())
    }

    fn duplicate_store(&self, loc: Location, name: Name) -> Compiled<()> {
        let name = quoted(self.names.text(name));
        self.error(loc, format!("multiple assignments to name {name} in pattern"))
    }

    fn optional_name(&mut self, name: Option<&Identifier>) -> Option<Name> {
        name.map(|name| self.names.intern(name))
    }

    fn pattern(&mut self, pattern: &'a Pattern, context: &mut Context) -> Compiled<()> {
        self.depth.enter()?;
        let loc = location(pattern.range);
        match &pattern.kind {
            PatternKind::MatchValue(node) => {
                if !matches!(node.value.kind, ExprKind::Constant(_) | ExprKind::Attribute(_)) {
                    return self.error(loc, "patterns may only match literals and attribute lookups");
                }
                self.expr(&node.value)?;
                self.compare_op(loc, CmpOp::Eq);
                self.op(loc, Opcode::TO_BOOL);
                self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
            }
            PatternKind::MatchSingleton(node) => {
                self.load_const(loc, from_ast(&node.value));
                self.compare_op(loc, CmpOp::Is);
                self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
            }
            PatternKind::MatchSequence(node) => self.sequence_pattern(&node.patterns, loc, context)?,
            PatternKind::MatchMapping(node) => self.mapping_pattern(node, loc, context)?,
            PatternKind::MatchClass(node) => self.class_pattern(node, loc, context)?,
            PatternKind::MatchStar(node) => {
                let name = self.optional_name(node.name.as_ref());
                self.capture(context, loc, name)?;
            }
            PatternKind::MatchAs(node) => self.as_pattern(node, loc, context)?,
            PatternKind::MatchOr(node) => self.or_pattern(&node.patterns, loc, context)?,
        }
        self.depth.leave();
        Ok(())
    }

    /// A pattern within another may match everything.
    fn subpattern(&mut self, pattern: &'a Pattern, context: &mut Context) -> Compiled<()> {
        let before = std::mem::replace(&mut context.allow_irrefutable, true);
        self.pattern(pattern, context)?;
        context.allow_irrefutable = before;
        Ok(())
    }

    fn as_pattern(&mut self, node: &'a PatternMatchAs, loc: Location, context: &mut Context) -> Compiled<()> {
        let name = self.optional_name(node.name.as_ref());
        let Some(inner) = &node.pattern else {
            if !context.allow_irrefutable {
                return match name {
                    Some(name) => {
                        let name = quoted(self.names.text(name));
                        self.error(loc, format!("name capture {name} makes remaining patterns unreachable"))
                    }
                    None => self.error(loc, "wildcard makes remaining patterns unreachable"),
                };
            }
            return self.capture(context, loc, name);
        };
        context.on_top += 1;
        self.op_i(loc, Opcode::COPY, 1);
        self.pattern(inner, context)?;
        context.on_top -= 1;
        self.capture(context, loc, name)
    }

    fn check_length(&mut self, loc: Location, length: usize, op: CmpOp, context: &mut Context) {
        self.op(loc, Opcode::GET_LEN);
        self.load_int(loc, length as i64);
        self.compare_op(loc, op);
        self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
    }

    fn sequence_pattern(
        &mut self,
        patterns: &'a [Pattern],
        loc: Location,
        context: &mut Context,
    ) -> Compiled<()> {
        let mut star = None;
        let mut only_wildcard = true;
        let mut star_wildcard = false;
        for (index, pattern) in patterns.iter().enumerate() {
            if is_star(pattern) {
                if star.is_some() {
                    return self.error(loc, "multiple starred names in sequence pattern");
                }
                star_wildcard = is_star_wildcard(pattern);
                only_wildcard &= star_wildcard;
                star = Some(index);
            } else {
                only_wildcard &= is_wildcard(pattern);
            }
        }
        let size = patterns.len();
        context.on_top += 1;
        self.op(loc, Opcode::MATCH_SEQUENCE);
        self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
        if star.is_none() {
            self.check_length(loc, size, CmpOp::Eq, context);
        } else if size > 1 {
            self.check_length(loc, size - 1, CmpOp::GtE, context);
        }
        context.on_top -= 1;
        match star {
            _ if only_wildcard => self.op(loc, Opcode::POP_TOP),
            Some(star) if star_wildcard => self.sequence_by_index(patterns, star, loc, context)?,
            _ => self.sequence_by_unpacking(patterns, loc, context)?,
        }
        Ok(())
    }

    fn sequence_by_unpacking(
        &mut self,
        patterns: &'a [Pattern],
        loc: Location,
        context: &mut Context,
    ) -> Compiled<()> {
        let size = patterns.len();
        match patterns.iter().position(is_star) {
            Some(star) => {
                let after = size - star - 1;
                if star >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
                    return self.error(loc, "too many expressions in star-unpacking sequence pattern");
                }
                self.op_i(loc, Opcode::UNPACK_EX, (star + (after << 8)) as u32);
            }
            None => self.op_i(loc, Opcode::UNPACK_SEQUENCE, size as u32),
        }
        context.on_top += size;
        for pattern in patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        Ok(())
    }

    /// Where the star captures nothing, items are taken one by one.
    fn sequence_by_index(
        &mut self,
        patterns: &'a [Pattern],
        star: usize,
        loc: Location,
        context: &mut Context,
    ) -> Compiled<()> {
        context.on_top += 1;
        let size = patterns.len();
        for (index, pattern) in patterns.iter().enumerate() {
            if is_wildcard(pattern) || index == star {
                continue;
            }
            self.op_i(loc, Opcode::COPY, 1);
            if index < star {
                self.load_int(loc, index as i64);
            } else {
                self.op(loc, Opcode::GET_LEN);
                self.load_int(loc, (size - index) as i64);
                self.op_i(loc, Opcode::BINARY_OP, NB_SUBTRACT);
            }
            self.op_i(loc, Opcode::BINARY_OP, NB_SUBSCR);
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 1;
        self.op(loc, Opcode::POP_TOP);
        Ok(())
    }

    fn fail_unless_found(&mut self, loc: Location, context: &mut Context) {
        self.load_const(loc, Constant::None);
        self.op_i(loc, Opcode::IS_OP, 1);
        self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
    }

    fn class_pattern(
        &mut self,
        node: &'a PatternMatchClass,
        loc: Location,
        context: &mut Context,
    ) -> Compiled<()> {
        if node.kwd_attrs.len() != node.kwd_patterns.len() {
            return self.error(
                loc,
                format!(
                    "kwd_attrs ({}) / kwd_patterns ({}) length mismatch in class pattern",
                    node.kwd_attrs.len(),
                    node.kwd_patterns.len()
                ),
            );
        }
        for (index, attr) in node.kwd_attrs.iter().enumerate() {
            if let Some(other) = node.kwd_attrs[index + 1..].iter().position(|other| other == attr) {
                let place = location(node.kwd_patterns[index + 1 + other].range);
                return self.error(place, format!("attribute name repeated in class pattern: {attr}"));
            }
        }
        self.expr(&node.cls)?;
        let mut attrs = Vec::with_capacity(node.kwd_attrs.len());
        for attr in &node.kwd_attrs {
            let name = self.names.intern(attr);
            attrs.push(self.name_constant(name));
        }
        self.load_const(loc, Constant::Tuple(attrs.into()));
        self.op_i(loc, Opcode::MATCH_CLASS, node.patterns.len() as u32);
        self.op_i(loc, Opcode::COPY, 1);
        // The tuple of attributes is on top from here.
        self.load_const(loc, Constant::None);
        self.op_i(loc, Opcode::IS_OP, 1);
        context.on_top += 1;
        self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
        let count = node.patterns.len() + node.kwd_patterns.len();
        self.op_i(loc, Opcode::UNPACK_SEQUENCE, count as u32);
        context.on_top += count;
        context.on_top -= 1;
        for pattern in node.patterns.iter().chain(&node.kwd_patterns) {
            context.on_top -= 1;
            if is_wildcard(pattern) {
                self.op(loc, Opcode::POP_TOP);
            } else {
                self.subpattern(pattern, context)?;
            }
        }
        Ok(())
    }

    fn mapping_keys(&mut self, node: &'a PatternMatchMapping, loc: Location) -> Compiled<()> {
        let mut seen: Vec<Constant> = Vec::new();
        for key in &node.keys {
            match &key.kind {
                ExprKind::Constant(constant) => {
                    let value = from_ast(&constant.value);
                    if seen.iter().any(|other| fold::equal(other, &value)) {
                        let mut shown = String::new();
                        taipan_syntax::dump::repr_constant(&mut shown, &constant.value);
                        return self.error(loc, format!("mapping pattern checks duplicate key ({shown})"));
                    }
                    seen.push(value);
                }
                ExprKind::Attribute(_) => {}
                _ => {
                    return self
                        .error(loc, "mapping pattern keys may only match literals and attribute lookups");
                }
            }
            self.expr(key)?;
        }
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        node: &'a PatternMatchMapping,
        loc: Location,
        context: &mut Context,
    ) -> Compiled<()> {
        let size = node.keys.len();
        if size != node.patterns.len() {
            return self.error(
                loc,
                format!(
                    "keys ({size}) / patterns ({}) length mismatch in mapping pattern",
                    node.patterns.len()
                ),
            );
        }
        let rest = self.optional_name(node.rest.as_ref());
        context.on_top += 1;
        self.op(loc, Opcode::MATCH_MAPPING);
        self.jump_to_fail(context, loc, Opcode::POP_JUMP_IF_FALSE);
        if size == 0 && rest.is_none() {
            context.on_top -= 1;
            self.op(loc, Opcode::POP_TOP);
            return Ok(());
        }
        if size > 0 {
            self.check_length(loc, size, CmpOp::GtE, context);
        }
        self.mapping_keys(node, loc)?;
        self.op_i(loc, Opcode::BUILD_TUPLE, size as u32);
        self.op(loc, Opcode::MATCH_KEYS);
        context.on_top += 2;
        self.op_i(loc, Opcode::COPY, 1);
        self.fail_unless_found(loc, context);
        self.op_i(loc, Opcode::UNPACK_SEQUENCE, size as u32);
        context.on_top += size;
        context.on_top -= 1;
        for pattern in &node.patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 2;
        let Some(rest) = rest else {
            self.op(loc, Opcode::POP_TOP);
            self.op(loc, Opcode::POP_TOP);
            return Ok(());
        };
        // A dict of the subject without the keys.
        self.op_i(loc, Opcode::BUILD_MAP, 0);
        self.op_i(loc, Opcode::SWAP, 3);
        self.op_i(loc, Opcode::DICT_UPDATE, 2);
        self.op_i(loc, Opcode::UNPACK_SEQUENCE, size as u32);
        for left in (1..=size).rev() {
            self.op_i(loc, Opcode::COPY, left as u32 + 1);
            self.op_i(loc, Opcode::SWAP, 2);
            self.op(loc, Opcode::DELETE_SUBSCR);
        }
        self.capture(context, loc, Some(rest))
    }

    fn or_pattern(&mut self, patterns: &'a [Pattern], loc: Location, context: &mut Context) -> Compiled<()> {
        let end = self.new_label();
        let mut control: Option<Vec<Name>> = None;
        for (index, alternative) in patterns.iter().enumerate() {
            let place = location(alternative.range);
            let mut inner = Context {
                allow_irrefutable: index + 1 == patterns.len() && context.allow_irrefutable,
                ..Context::default()
            };
            self.op_i(place, Opcode::COPY, 1);
            self.pattern(alternative, &mut inner)?;
            match &control {
                None => control = Some(inner.stores.clone()),
                Some(control) => self.reorder_stores(control, &mut inner.stores, place, loc)?,
            }
            self.jump(place, Opcode::JUMP, end);
            self.emit_fail_pop(&mut inner, place);
        }
        self.op(loc, Opcode::POP_TOP);
        self.jump_to_fail(context, loc, Opcode::JUMP);
        self.use_label(end);
        let control = control.unwrap_or_default();
        let rotations = control.len() + 1 + context.on_top + context.stores.len();
        for name in control {
            self.rotate(loc, rotations);
            if context.stores.contains(&name) {
                return self.duplicate_store(loc, name);
            }
            context.stores.push(name);
        }
        self.op(loc, Opcode::POP_TOP);
        Ok(())
    }

    /// Brings the captures of an alternative into the order of the first one's.
    fn reorder_stores(
        &mut self,
        control: &[Name],
        stores: &mut Vec<Name>,
        place: Location,
        loc: Location,
    ) -> Compiled<()> {
        const DIFFERENT: &str = "alternative patterns bind different names";
        if stores.len() != control.len() {
            return self.error(loc, DIFFERENT);
        }
        for at in (0..control.len()).rev() {
            let Some(found) = stores.iter().position(|name| *name == control[at]) else {
                return self.error(loc, DIFFERENT);
            };
            if found == at {
                continue;
            }
            let rotated: Vec<Name> = stores.drain(..=found).collect();
            let insert_at = at - found;
            stores.splice(insert_at..insert_at, rotated);
            for _ in 0..=found {
                self.rotate(place, at + 1);
            }
        }
        Ok(())
    }
}
