//! Atoms: names, constants, and everything in brackets.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::literal;
use crate::token::Kind;

impl Parser<'_> {
    pub(super) fn constant(&mut self, value: Constant) -> Expr {
        let start = self.pos;
        self.bump();
        self.expr(start, ExprKind::Constant(ExprConstant { value, kind: None }))
    }

    pub(super) fn atom(&mut self) -> Parse<Expr> {
        match self.kind() {
            Kind::NAME => self.name_expr(ExprContext::Load),
            Kind::NUMBER => self.number(),
            Kind::STRING | Kind::FSTRING_START | Kind::TSTRING_START => self.strings(),
            Kind::NONE => Ok(self.constant(Constant::None)),
            Kind::TRUE => Ok(self.constant(Constant::Bool(true))),
            Kind::FALSE => Ok(self.constant(Constant::Bool(false))),
            Kind::ELLIPSIS => Ok(self.constant(Constant::Ellipsis)),
            Kind::LPAR => self.parenthesized(),
            Kind::LSQB => self.list(),
            Kind::LBRACE => self.dict_or_set(),
            _ => Err(Fail),
        }
    }

    pub(super) fn number(&mut self) -> Parse<Expr> {
        if self.feature_version < 6 && self.token().text(self.source).contains('_') {
            self.require(6, "Underscores in numeric literals are")?;
        }
        let value =
            literal::parse_number(self.token().text(self.source), self.max_digits).map_err(|_| Fail)?;
        Ok(self.constant(value))
    }

    /// A group, a tuple or a generator expression.
    fn parenthesized(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.expect(Kind::LPAR)?;
        if self.eat(Kind::RPAR) {
            return Ok(self.expr(start, ExprTuple { elts: Vec::new(), ctx: ExprContext::Load }));
        }
        if self.at(Kind::YIELD) {
            let value = self.yield_expr()?;
            self.expect(Kind::RPAR)?;
            return Ok(value);
        }
        let starred = self.at(Kind::STAR);
        let first = self.star_named_expression()?;
        match self.kind() {
            Kind::RPAR if !starred => {
                self.bump();
                Ok(first)
            }
            Kind::FOR | Kind::ASYNC if !starred => {
                let generators = self.comprehensions()?;
                self.expect(Kind::RPAR)?;
                Ok(self.expr(start, ExprGeneratorExp { elt: first, generators }))
            }
            Kind::COMMA => {
                let elts = self.elements_after(first, Kind::RPAR)?;
                self.expect(Kind::RPAR)?;
                Ok(self.expr(start, ExprTuple { elts, ctx: ExprContext::Load }))
            }
            _ => Err(Fail),
        }
    }

    /// The elements of a display whose first is read, up to the closing bracket.
    fn elements_after(&mut self, first: Expr, close: Kind) -> Parse<Vec<Expr>> {
        let start = self.items.len();
        self.items.push(first);
        while self.eat(Kind::COMMA) {
            if self.at(close) {
                break;
            }
            let item = self.star_named_expression()?;
            self.items.push(item);
        }
        Ok(self.take_items(start))
    }

    fn list(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.expect(Kind::LSQB)?;
        if self.eat(Kind::RSQB) {
            return Ok(self.expr(start, ExprList { elts: Vec::new(), ctx: ExprContext::Load }));
        }
        let starred = self.at(Kind::STAR);
        let first = self.star_named_expression()?;
        if !starred && matches!(self.kind(), Kind::FOR | Kind::ASYNC) {
            let generators = self.comprehensions()?;
            self.expect(Kind::RSQB)?;
            return Ok(self.expr(start, ExprListComp { elt: first, generators }));
        }
        let elts = self.elements_after(first, Kind::RSQB)?;
        self.expect(Kind::RSQB)?;
        Ok(self.expr(start, ExprList { elts, ctx: ExprContext::Load }))
    }

    fn dict_or_set(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.expect(Kind::LBRACE)?;
        if self.eat(Kind::RBRACE) {
            return Ok(self.expr(start, ExprDict { keys: Vec::new(), values: Vec::new() }));
        }
        if self.at(Kind::DOUBLESTAR) {
            return self.dict(start, Vec::new(), Vec::new());
        }
        let starred = self.at(Kind::STAR);
        let named = self.at(Kind::NAME) && self.next == Kind::COLONEQUAL;
        let first = self.star_named_expression()?;
        if !starred && !named && self.eat(Kind::COLON) {
            let value = self.expression()?;
            if matches!(self.kind(), Kind::FOR | Kind::ASYNC) {
                let generators = self.comprehensions()?;
                self.expect(Kind::RBRACE)?;
                return Ok(self.expr(start, ExprDictComp { key: first, value, generators }));
            }
            if !self.at(Kind::RBRACE) {
                self.expect(Kind::COMMA)?;
            }
            return self.dict(start, vec![Some(first)], vec![value]);
        }
        if !starred && matches!(self.kind(), Kind::FOR | Kind::ASYNC) {
            let generators = self.comprehensions()?;
            self.expect(Kind::RBRACE)?;
            return Ok(self.expr(start, ExprSetComp { elt: first, generators }));
        }
        let elts = self.elements_after(first, Kind::RBRACE)?;
        self.expect(Kind::RBRACE)?;
        Ok(self.expr(start, ExprSet { elts }))
    }

    /// The rest of a dict, of which some items and the comma behind them are read.
    fn dict(&mut self, start: usize, mut keys: Vec<Option<Expr>>, mut values: Vec<Expr>) -> Parse<Expr> {
        while !self.at(Kind::RBRACE) {
            if self.eat(Kind::DOUBLESTAR) {
                keys.push(None);
                values.push(self.bitwise_or()?);
            } else {
                keys.push(Some(self.expression()?));
                self.expect(Kind::COLON)?;
                values.push(self.expression()?);
            }
            if !self.eat(Kind::COMMA) {
                break;
            }
        }
        self.expect(Kind::RBRACE)?;
        Ok(self.expr(start, ExprDict { keys, values }))
    }

    /// `for x in y if z …`, once or more.
    pub(super) fn comprehensions(&mut self) -> Parse<Vec<Comprehension>> {
        let mut generators = Vec::new();
        while matches!(self.kind(), Kind::FOR | Kind::ASYNC) {
            let is_async = i32::from(self.eat(Kind::ASYNC));
            self.expect(Kind::FOR)?;
            let target = self.star_targets()?;
            self.expect(Kind::IN)?;
            let iter = self.disjunction()?;
            let mut ifs = Vec::new();
            while self.eat(Kind::IF) {
                ifs.push(self.disjunction()?);
            }
            if is_async != 0 {
                self.require(6, "Async comprehensions are")?;
            }
            generators.push(Comprehension { target, iter, ifs, is_async });
        }
        Ok(generators)
    }
}
