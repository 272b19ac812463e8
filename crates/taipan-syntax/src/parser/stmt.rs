//! Statements on one line.

use super::target::{store, store_single};
use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

fn augmented(kind: Kind) -> Option<Operator> {
    Some(match kind {
        Kind::PLUSEQUAL => Operator::Add,
        Kind::MINEQUAL => Operator::Sub,
        Kind::STAREQUAL => Operator::Mult,
        Kind::ATEQUAL => Operator::MatMult,
        Kind::SLASHEQUAL => Operator::Div,
        Kind::PERCENTEQUAL => Operator::Mod,
        Kind::AMPEREQUAL => Operator::BitAnd,
        Kind::VBAREQUAL => Operator::BitOr,
        Kind::CIRCUMFLEXEQUAL => Operator::BitXor,
        Kind::LEFTSHIFTEQUAL => Operator::LShift,
        Kind::RIGHTSHIFTEQUAL => Operator::RShift,
        Kind::DOUBLESTAREQUAL => Operator::Pow,
        Kind::DOUBLESLASHEQUAL => Operator::FloorDiv,
        _ => return None,
    })
}

impl Parser<'_> {
    fn stmt(&self, start: usize, kind: impl Into<StmtKind>) -> Stmt {
        Stmt { range: self.range_from(start), kind: kind.into() }
    }

    /// One statement, or the several of one line.
    pub(super) fn statement(&mut self, body: &mut Vec<Stmt>) -> Parse<()> {
        if self.at_compound_statement() && self.compound_statement(body)? {
            return Ok(());
        }
        self.simple_statements(body)
    }

    /// `a; b; c` and the end of the line.
    pub(super) fn simple_statements(&mut self, body: &mut Vec<Stmt>) -> Parse<()> {
        loop {
            let statement = self.simple_statement()?;
            body.push(statement);
            if self.eat(Kind::NEWLINE) {
                return Ok(());
            }
            self.expect(Kind::SEMI)?;
            if self.eat(Kind::NEWLINE) {
                return Ok(());
            }
        }
    }

    fn simple_statement(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        match self.kind() {
            Kind::NAME if self.next == Kind::NAME && self.word_at(0) == "type" => self.type_alias(),
            Kind::RETURN => {
                self.bump();
                let value = match self.kind() {
                    Kind::NEWLINE | Kind::SEMI => None,
                    _ => Some(self.star_expressions()?),
                };
                Ok(self.stmt(start, StmtReturn { value }))
            }
            Kind::IMPORT => self.import_name(),
            Kind::FROM => self.import_from(),
            Kind::RAISE => self.raise(),
            Kind::PASS => Ok(self.word_statement(StmtKind::Pass)),
            Kind::BREAK => Ok(self.word_statement(StmtKind::Break)),
            Kind::CONTINUE => Ok(self.word_statement(StmtKind::Continue)),
            Kind::DEL => {
                self.bump();
                let targets = self.del_targets()?;
                if !matches!(self.kind(), Kind::SEMI | Kind::NEWLINE) {
                    return Err(Fail);
                }
                Ok(self.stmt(start, StmtDelete { targets }))
            }
            Kind::YIELD => {
                let value = self.yield_expr()?;
                if self.at(Kind::EQUAL) {
                    return Err(Fail);
                }
                Ok(self.stmt(start, StmtExpr { value }))
            }
            Kind::ASSERT => {
                self.bump();
                let test = self.expression()?;
                let msg = if self.eat(Kind::COMMA) { Some(self.expression()?) } else { None };
                Ok(self.stmt(start, StmtAssert { test, msg }))
            }
            Kind::GLOBAL => {
                let names = self.name_list()?;
                Ok(self.stmt(start, StmtGlobal { names }))
            }
            Kind::NONLOCAL => {
                let names = self.name_list()?;
                Ok(self.stmt(start, StmtNonlocal { names }))
            }
            _ => self.expression_statement(),
        }
    }

    fn word_statement(&mut self, kind: StmtKind) -> Stmt {
        let start = self.pos;
        self.bump();
        self.stmt(start, kind)
    }

    fn name_list(&mut self) -> Parse<Vec<Identifier>> {
        self.bump();
        let mut names = vec![self.name()?];
        while self.eat(Kind::COMMA) {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn raise(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        if matches!(self.kind(), Kind::NEWLINE | Kind::SEMI) {
            return Ok(self.stmt(start, StmtRaise { exc: None, cause: None }));
        }
        let exc = Some(self.expression()?);
        let cause = if self.eat(Kind::FROM) { Some(self.expression()?) } else { None };
        Ok(self.stmt(start, StmtRaise { exc, cause }))
    }

    fn type_alias(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        let name = self.name_expr(ExprContext::Store)?;
        let type_params = self.type_params()?;
        self.expect(Kind::EQUAL)?;
        let value = self.expression()?;
        self.require(12, "Type statement is")?;
        Ok(self.stmt(start, StmtTypeAlias { name, type_params, value }))
    }

    /// An expression, which what follows may turn into a target.
    fn expression_statement(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        let first = self.star_expressions()?;
        match self.kind() {
            Kind::NEWLINE | Kind::SEMI => Ok(self.stmt(start, StmtExpr { value: first })),
            Kind::EQUAL => self.assignment(start, first),
            Kind::COLON => self.annotated_assignment(start, first),
            kind => match augmented(kind) {
                Some(op) => {
                    let mut target = first;
                    store_single(&mut target)?;
                    if op == Operator::MatMult {
                        self.require(5, "The '@' operator is")?;
                    }
                    self.bump();
                    let value = self.annotated_rhs()?;
                    Ok(self.stmt(start, StmtAugAssign { target, op, value }))
                }
                None => Ok(self.stmt(start, StmtExpr { value: first })),
            },
        }
    }

    fn assignment(&mut self, start: usize, first: Expr) -> Parse<Stmt> {
        let mut targets = Vec::with_capacity(1);
        let mut value = first;
        while self.eat(Kind::EQUAL) {
            store(&mut value)?;
            targets.push(value);
            if self.at(Kind::YIELD) {
                value = self.yield_expr()?;
                if self.at(Kind::EQUAL) {
                    return Err(Fail);
                }
                break;
            }
            value = self.star_expressions()?;
        }
        let type_comment = self.type_comment();
        Ok(self.stmt(start, StmtAssign { targets, value, type_comment }))
    }

    fn annotated_assignment(&mut self, start: usize, first: Expr) -> Parse<Stmt> {
        let simple = i32::from(self.pos == start + 1 && self.tokens[start].kind == Kind::NAME);
        let mut target = first;
        store_single(&mut target)?;
        self.expect(Kind::COLON)?;
        let annotation = self.expression()?;
        let value = if self.eat(Kind::EQUAL) { Some(self.annotated_rhs()?) } else { None };
        let what = if self.tokens[start].kind == Kind::NAME && self.tokens[start + 1].kind == Kind::COLON {
            "Variable annotation syntax is"
        } else {
            "Variable annotations syntax is"
        };
        self.require(6, what)?;
        Ok(self.stmt(start, StmtAnnAssign { target, annotation, value, simple }))
    }

    /// `a.b.c` as one name.
    fn dotted_name(&mut self) -> Parse<Identifier> {
        let first = self.name()?;
        if !self.at(Kind::DOT) {
            return Ok(first);
        }
        let mut text = first.to_string();
        while self.eat(Kind::DOT) {
            text.push('.');
            text.push_str(&self.name()?);
        }
        Ok(Identifier::from(text.as_str()))
    }

    fn import_name(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        let mut names = Vec::new();
        loop {
            let first = self.pos;
            let name = self.dotted_name()?;
            let asname = if self.eat(Kind::AS) { Some(self.name()?) } else { None };
            names.push(Alias { range: self.range_from(first), name, asname });
            if !self.eat(Kind::COMMA) {
                break;
            }
        }
        Ok(self.stmt(start, StmtImport { names }))
    }

    fn import_from(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        let mut level = 0;
        loop {
            match self.kind() {
                Kind::DOT => level += 1,
                Kind::ELLIPSIS => level += 3,
                _ => break,
            }
            self.bump();
        }
        let module = if level > 0 && self.at(Kind::IMPORT) { None } else { Some(self.dotted_name()?) };
        self.expect(Kind::IMPORT)?;
        let names = self.imported_names()?;
        if level == 0 && module.as_deref() == Some("__future__") {
            self.barry |= names.iter().any(|alias| &*alias.name == "barry_as_FLUFL");
        }
        Ok(self.stmt(start, StmtImportFrom { module, names, level }))
    }

    fn imported_names(&mut self) -> Parse<Vec<Alias>> {
        let first = self.pos;
        if self.eat(Kind::STAR) {
            return Ok(vec![Alias { range: self.range_from(first), name: "*".into(), asname: None }]);
        }
        let bracketed = self.eat(Kind::LPAR);
        let mut names = Vec::new();
        loop {
            let first = self.pos;
            let name = self.name()?;
            let asname = if self.eat(Kind::AS) { Some(self.name()?) } else { None };
            names.push(Alias { range: self.range_from(first), name, asname });
            if !self.eat(Kind::COMMA) || (bracketed && self.at(Kind::RPAR)) {
                break;
            }
        }
        if bracketed {
            self.expect(Kind::RPAR)?;
        }
        Ok(names)
    }
}
