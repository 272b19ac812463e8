//! The patterns of `case`.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

impl Parser<'_> {
    fn pattern_node(&self, start: usize, kind: impl Into<PatternKind>) -> Pattern {
        Pattern { range: self.range_from(start), kind: kind.into() }
    }

    /// What stands behind `case`: a pattern, or several without brackets.
    pub(super) fn patterns(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        let starred = self.at(Kind::STAR);
        let first = self.maybe_star_pattern()?;
        if !starred && !self.at(Kind::COMMA) {
            return Ok(first);
        }
        self.expect(Kind::COMMA)?;
        let patterns = self.more_patterns(first, Kind::COLON)?;
        Ok(self.pattern_node(start, PatternMatchSequence { patterns }))
    }

    /// The patterns behind the first and its comma.
    fn more_patterns(&mut self, first: Pattern, close: Kind) -> Parse<Vec<Pattern>> {
        let mut patterns = vec![first];
        while !self.at(close) && !self.at(Kind::IF) {
            patterns.push(self.maybe_star_pattern()?);
            if !self.eat(Kind::COMMA) {
                break;
            }
        }
        Ok(patterns)
    }

    fn maybe_star_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        if !self.eat(Kind::STAR) {
            return self.pattern();
        }
        let name = self.capture_name()?;
        Ok(self.pattern_node(start, PatternMatchStar { name }))
    }

    /// A name to capture, `None` for the wildcard.
    fn capture_name(&mut self) -> Parse<Option<Identifier>> {
        let name = self.name()?;
        if matches!(self.kind(), Kind::DOT | Kind::LPAR | Kind::EQUAL) {
            return Err(Fail);
        }
        Ok(if &*name == "_" { None } else { Some(name) })
    }

    pub(super) fn pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        let pattern = self.or_pattern()?;
        if !self.eat(Kind::AS) {
            return Ok(pattern);
        }
        let name = self.capture_name()?.ok_or(Fail)?;
        let pattern = Some(Box::new(pattern));
        Ok(self.pattern_node(start, PatternMatchAs { pattern, name: Some(name) }))
    }

    fn or_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        let first = self.closed_pattern()?;
        if !self.at(Kind::VBAR) {
            return Ok(first);
        }
        let mut patterns = vec![first];
        while self.eat(Kind::VBAR) {
            patterns.push(self.closed_pattern()?);
        }
        Ok(self.pattern_node(start, PatternMatchOr { patterns }))
    }

    fn closed_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        match self.kind() {
            Kind::NONE => self.singleton(Constant::None),
            Kind::TRUE => self.singleton(Constant::Bool(true)),
            Kind::FALSE => self.singleton(Constant::Bool(false)),
            Kind::NUMBER | Kind::MINUS | Kind::STRING | Kind::FSTRING_START | Kind::TSTRING_START => {
                let value = self.literal()?;
                Ok(self.pattern_node(start, PatternMatchValue { value }))
            }
            Kind::NAME => self.name_pattern(),
            Kind::LPAR | Kind::LSQB => self.bracketed_pattern(),
            Kind::LBRACE => self.mapping_pattern(),
            _ => Err(Fail),
        }
    }

    fn singleton(&mut self, value: Constant) -> Parse<Pattern> {
        let start = self.pos;
        self.bump();
        Ok(self.pattern_node(start, PatternMatchSingleton { value }))
    }

    /// A number, perhaps negative, perhaps complex, or a string.
    fn literal(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if !matches!(self.kind(), Kind::NUMBER | Kind::MINUS) {
            return self.strings();
        }
        let left = self.signed_number()?;
        let op = match self.kind() {
            Kind::PLUS => Operator::Add,
            Kind::MINUS => Operator::Sub,
            _ => return Ok(left),
        };
        let part = if let ExprKind::UnaryOp(node) = &left.kind { &node.operand } else { &left };
        if matches!(&part.kind, ExprKind::Constant(ExprConstant { value: Constant::Complex { .. }, .. })) {
            return Err(Fail);
        }
        self.bump();
        if !self.at(Kind::NUMBER) {
            return Err(Fail);
        }
        let right = self.number()?;
        if !matches!(&right.kind, ExprKind::Constant(ExprConstant { value: Constant::Complex { .. }, .. })) {
            return Err(Fail);
        }
        Ok(self.expr(start, ExprBinOp { left, op, right }))
    }

    fn signed_number(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let negative = self.eat(Kind::MINUS);
        if !self.at(Kind::NUMBER) {
            return Err(Fail);
        }
        let operand = self.number()?;
        if !negative {
            return Ok(operand);
        }
        Ok(self.expr(start, ExprUnaryOp { op: UnaryOp::USub, operand }))
    }

    /// A capture, the wildcard, a dotted value or a class.
    fn name_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        let plain = self.name_expr(ExprContext::Load)?;
        if !matches!(self.kind(), Kind::DOT | Kind::LPAR) {
            if self.at(Kind::EQUAL) {
                return Err(Fail);
            }
            let ExprKind::Name(node) = plain.kind else { return Err(Fail) };
            let name = if &*node.id == "_" { None } else { Some(node.id) };
            return Ok(self.pattern_node(start, PatternMatchAs { pattern: None, name }));
        }
        let value = self.attributes(start, plain)?;
        if self.at(Kind::LPAR) {
            return self.class_pattern(start, value);
        }
        if self.at(Kind::EQUAL) {
            return Err(Fail);
        }
        Ok(self.pattern_node(start, PatternMatchValue { value }))
    }

    fn attributes(&mut self, start: usize, mut value: Expr) -> Parse<Expr> {
        while self.eat(Kind::DOT) {
            let attr = self.name()?;
            value = self.expr(start, ExprAttribute { value, attr, ctx: ExprContext::Load });
        }
        Ok(value)
    }

    fn class_pattern(&mut self, start: usize, cls: Expr) -> Parse<Pattern> {
        self.expect(Kind::LPAR)?;
        let (mut patterns, mut kwd_attrs, mut kwd_patterns) = (Vec::new(), Vec::new(), Vec::new());
        while !self.at(Kind::RPAR) {
            if self.at(Kind::NAME) && self.next == Kind::EQUAL {
                kwd_attrs.push(self.name()?);
                self.bump();
                kwd_patterns.push(self.pattern()?);
            } else if kwd_attrs.is_empty() {
                patterns.push(self.pattern()?);
            } else {
                return Err(Fail);
            }
            if !self.eat(Kind::COMMA) {
                break;
            }
        }
        self.expect(Kind::RPAR)?;
        Ok(self.pattern_node(start, PatternMatchClass { cls, patterns, kwd_attrs, kwd_patterns }))
    }

    /// `(p)` is a group, everything else in brackets a sequence.
    fn bracketed_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        let round = self.bump().kind == Kind::LPAR;
        let close = if round { Kind::RPAR } else { Kind::RSQB };
        let mut patterns = Vec::new();
        if !self.at(close) {
            let starred = self.at(Kind::STAR);
            let first = self.maybe_star_pattern()?;
            if round && !starred && self.eat(Kind::RPAR) {
                return Ok(first);
            }
            if self.eat(Kind::COMMA) {
                patterns = self.more_patterns(first, close)?;
            } else if round {
                return Err(Fail);
            } else {
                patterns.push(first);
            }
        }
        self.expect(close)?;
        Ok(self.pattern_node(start, PatternMatchSequence { patterns }))
    }

    fn mapping_pattern(&mut self) -> Parse<Pattern> {
        let start = self.pos;
        self.bump();
        let (mut keys, mut patterns, mut rest) = (Vec::new(), Vec::new(), None);
        while !self.at(Kind::RBRACE) {
            if self.eat(Kind::DOUBLESTAR) {
                rest = Some(self.capture_name()?.ok_or(Fail)?);
                self.eat(Kind::COMMA);
                break;
            }
            keys.push(self.mapping_key()?);
            self.expect(Kind::COLON)?;
            patterns.push(self.pattern()?);
            if !self.eat(Kind::COMMA) {
                break;
            }
        }
        self.expect(Kind::RBRACE)?;
        Ok(self.pattern_node(start, PatternMatchMapping { keys, patterns, rest }))
    }

    fn mapping_key(&mut self) -> Parse<Expr> {
        match self.kind() {
            Kind::NONE => Ok(self.constant(Constant::None)),
            Kind::TRUE => Ok(self.constant(Constant::Bool(true))),
            Kind::FALSE => Ok(self.constant(Constant::Bool(false))),
            Kind::NAME if self.next == Kind::DOT => {
                let start = self.pos;
                let first = self.name_expr(ExprContext::Load)?;
                self.attributes(start, first)
            }
            Kind::NAME => Err(Fail),
            _ => self.literal(),
        }
    }
}
