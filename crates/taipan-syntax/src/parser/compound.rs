//! Statements with blocks.

use super::{Fail, MAX_CHAIN, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

impl Parser<'_> {
    fn block_stmt(&self, start: usize, kind: impl Into<StmtKind>) -> Stmt {
        Stmt { range: self.block_range_from(start), kind: kind.into() }
    }

    /// Whether a statement with blocks may begin here.
    #[inline]
    pub(super) fn at_compound_statement(&self) -> bool {
        match self.kind() {
            Kind::DEF | Kind::CLASS | Kind::AT | Kind::IF | Kind::FOR | Kind::WITH => true,
            Kind::WHILE | Kind::TRY | Kind::ASYNC => true,
            Kind::NAME => self.word_at(0) == "match",
            _ => false,
        }
    }

    /// Reads a statement with blocks, if there is one.
    pub(super) fn compound_statement(&mut self, body: &mut Vec<Stmt>) -> Parse<bool> {
        let statement = match self.kind() {
            Kind::DEF | Kind::CLASS | Kind::AT => self.definition()?,
            Kind::IF => self.if_statement()?,
            Kind::FOR => self.for_statement(self.pos, false)?,
            Kind::WITH => self.with_statement(self.pos, false)?,
            Kind::WHILE => self.while_statement()?,
            Kind::TRY => self.try_statement()?,
            Kind::ASYNC => match self.next {
                Kind::DEF => self.definition()?,
                Kind::FOR | Kind::WITH => {
                    let start = self.pos;
                    self.bump();
                    if self.at(Kind::FOR) {
                        self.for_statement(start, true)?
                    } else {
                        self.with_statement(start, true)?
                    }
                }
                _ => return Err(Fail),
            },
            Kind::NAME => match self.attempt(Parser::match_head) {
                Some(subject) => self.match_statement(subject)?,
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        body.push(statement);
        Ok(true)
    }

    /// `:` and a block.
    pub(super) fn block(&mut self) -> Parse<Vec<Stmt>> {
        self.expect(Kind::COLON)?;
        self.block_body()
    }

    fn block_body(&mut self) -> Parse<Vec<Stmt>> {
        let mut body = self.spare_bodies.pop().unwrap_or_default();
        self.block_statements(&mut body)?;
        // The list of its own size, and the memory for the next one.
        let mut block = Vec::with_capacity(body.len());
        block.append(&mut body);
        self.spare_bodies.push(body);
        Ok(block)
    }

    fn block_statements(&mut self, body: &mut Vec<Stmt>) -> Parse<()> {
        if !self.at(Kind::NEWLINE) {
            return self.simple_statements(body);
        }
        self.bump();
        self.expect(Kind::INDENT)?;
        loop {
            self.statement(body)?;
            if self.eat(Kind::DEDENT) {
                return Ok(());
            }
            if self.at(Kind::ENDMARKER) {
                return Err(Fail);
            }
        }
    }

    fn else_block(&mut self) -> Parse<Vec<Stmt>> {
        if self.eat(Kind::ELSE) { self.block() } else { Ok(Vec::new()) }
    }

    fn definition(&mut self) -> Parse<Stmt> {
        let mut decorator_list = Vec::new();
        while self.eat(Kind::AT) {
            decorator_list.push(self.named_expression()?);
            self.expect(Kind::NEWLINE)?;
        }
        let start = self.pos;
        match self.kind() {
            Kind::CLASS => self.class_definition(start, decorator_list),
            Kind::DEF => self.function(start, decorator_list, false),
            Kind::ASYNC => {
                self.bump();
                self.function(start, decorator_list, true)
            }
            _ => Err(Fail),
        }
    }

    fn class_definition(&mut self, start: usize, decorator_list: Vec<Expr>) -> Parse<Stmt> {
        self.bump();
        let name = self.name()?;
        let type_params = self.type_params()?;
        let open = self.pos;
        let (mut bases, mut keywords) = (Vec::new(), Vec::new());
        if self.eat(Kind::LPAR) && !self.eat(Kind::RPAR) {
            (bases, keywords) = self.arguments(open, false)?;
        }
        let body = self.block()?;
        Ok(self.block_stmt(start, StmtClassDef { name, bases, keywords, body, decorator_list, type_params }))
    }

    fn function(&mut self, start: usize, decorator_list: Vec<Expr>, is_async: bool) -> Parse<Stmt> {
        self.expect(Kind::DEF)?;
        let name = self.name()?;
        let type_params = self.type_params()?;
        self.expect(Kind::LPAR)?;
        let args = self.parameters()?;
        self.expect(Kind::RPAR)?;
        let returns = if self.eat(Kind::RARROW) { Some(self.expression()?) } else { None };
        self.expect(Kind::COLON)?;
        let type_comment = self.function_type_comment()?;
        let body = self.block_body()?;
        if is_async {
            self.require_behind(5, "Async functions are")?;
        }
        let kind = if is_async {
            StmtAsyncFunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }
                .into()
        } else {
            StmtFunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }.into()
        };
        Ok(Stmt { range: self.block_range_from(start), kind })
    }

    /// A type comment behind the colon, or alone on the first line of the block.
    fn function_type_comment(&mut self) -> Parse<Option<PyStr>> {
        if self.at(Kind::NEWLINE)
            && self.next == Kind::TYPE_COMMENT
            && self.kind_at(2) == Kind::NEWLINE
            && self.kind_at(3) == Kind::INDENT
        {
            self.bump();
            return Ok(self.type_comment());
        }
        let comment = self.type_comment();
        if comment.is_some() && self.at(Kind::NEWLINE) && self.next == Kind::TYPE_COMMENT {
            return Err(Fail);
        }
        Ok(comment)
    }

    /// `if` with its chain of `elif`s, read into a list and folded from the end, so that a long
    /// chain costs no stack.
    fn if_statement(&mut self) -> Parse<Stmt> {
        let mut links = Vec::new();
        let mut last = self.if_link()?;
        while self.at(Kind::ELIF) {
            links.push(last);
            if links.len() > MAX_CHAIN - 3 {
                return Err(Fail);
            }
            last = self.if_link()?;
        }
        let orelse = self.else_block()?;
        let (start, test, body) = last;
        let mut statement = self.block_stmt(start, StmtIf { test, body, orelse });
        while let Some((start, test, body)) = links.pop() {
            statement = self.block_stmt(start, StmtIf { test, body, orelse: vec![statement] });
        }
        Ok(statement)
    }

    /// `if` or `elif` with its condition and block.
    fn if_link(&mut self) -> Parse<(usize, Expr, Vec<Stmt>)> {
        let start = self.pos;
        self.bump();
        Ok((start, self.named_expression()?, self.block()?))
    }

    fn while_statement(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        let test = self.named_expression()?;
        let body = self.block()?;
        let orelse = self.else_block()?;
        Ok(self.block_stmt(start, StmtWhile { test, body, orelse }))
    }

    fn for_statement(&mut self, start: usize, is_async: bool) -> Parse<Stmt> {
        self.bump();
        let target = self.star_targets()?;
        self.expect(Kind::IN)?;
        let iter = self.star_expressions()?;
        self.expect(Kind::COLON)?;
        let type_comment = self.type_comment();
        let body = self.block_body()?;
        let orelse = self.else_block()?;
        if is_async {
            self.require(5, "Async for loops are")?;
        }
        let kind = if is_async {
            StmtAsyncFor { target, iter, body, orelse, type_comment }.into()
        } else {
            StmtFor { target, iter, body, orelse, type_comment }.into()
        };
        Ok(Stmt { range: self.block_range_from(start), kind })
    }

    fn with_statement(&mut self, start: usize, is_async: bool) -> Parse<Stmt> {
        self.bump();
        let bracketed = if self.at(Kind::LPAR) { self.attempt(Parser::bracketed_with_items) } else { None };
        let items = match bracketed {
            Some(items) => items,
            None => {
                let mut items = vec![self.with_item()?];
                while self.eat(Kind::COMMA) {
                    items.push(self.with_item()?);
                }
                self.expect(Kind::COLON)?;
                items
            }
        };
        let type_comment = self.type_comment();
        let body = self.block_body()?;
        if is_async {
            self.require_behind(5, "Async with statements are")?;
        }
        let kind = if is_async {
            StmtAsyncWith { items, body, type_comment }.into()
        } else {
            StmtWith { items, body, type_comment }.into()
        };
        Ok(Stmt { range: self.block_range_from(start), kind })
    }

    /// `(a as b, c as d):`; what looks so may yet be an expression that begins with a bracket.
    fn bracketed_with_items(&mut self) -> Parse<Vec<WithItem>> {
        self.expect(Kind::LPAR)?;
        let mut items = vec![self.with_item()?];
        while self.eat(Kind::COMMA) {
            if self.at(Kind::RPAR) {
                break;
            }
            items.push(self.with_item()?);
        }
        self.expect(Kind::RPAR)?;
        self.expect(Kind::COLON)?;
        Ok(items)
    }

    fn with_item(&mut self) -> Parse<WithItem> {
        let context_expr = self.expression()?;
        let optional_vars = if self.eat(Kind::AS) {
            let target = self.with_target()?;
            if !matches!(self.kind(), Kind::COMMA | Kind::RPAR | Kind::COLON) {
                return Err(Fail);
            }
            Some(target)
        } else {
            None
        };
        Ok(WithItem { context_expr, optional_vars })
    }

    fn try_statement(&mut self) -> Parse<Stmt> {
        let start = self.pos;
        self.bump();
        let body = self.block()?;
        let mut handlers = Vec::new();
        let star = self.at(Kind::EXCEPT) && self.next == Kind::STAR;
        while self.at(Kind::EXCEPT) {
            handlers.push(self.handler(star)?);
        }
        let orelse = if handlers.is_empty() { Vec::new() } else { self.else_block()? };
        let finalbody = if self.eat(Kind::FINALLY) { self.block()? } else { Vec::new() };
        self.notable |= !finalbody.is_empty();
        if handlers.is_empty() && finalbody.is_empty() {
            return Err(Fail);
        }
        if star {
            self.require(11, "Exception groups are")?;
        }
        let kind = if star {
            StmtTryStar { body, handlers, orelse, finalbody }.into()
        } else {
            StmtTry { body, handlers, orelse, finalbody }.into()
        };
        Ok(Stmt { range: self.block_range_from(start), kind })
    }

    fn handler(&mut self, star: bool) -> Parse<ExceptHandler> {
        let start = self.pos;
        self.bump();
        if self.eat(Kind::STAR) != star {
            return Err(Fail);
        }
        let (mut type_, mut name, mut bare) = (None, None, false);
        if star || !self.at(Kind::COLON) {
            let first = self.pos;
            let types = self.expressions()?;
            bare = matches!(types.kind, ExprKind::Tuple(_)) && self.tokens[first].kind != Kind::LPAR;
            type_ = Some(types);
            if self.at(Kind::AS) {
                // Several types need brackets when a name follows.
                if matches!(&type_, Some(Expr { kind: ExprKind::Tuple(_), .. }))
                    && (self.tokens[first].kind != Kind::LPAR || self.tokens[self.pos - 1].kind != Kind::RPAR)
                {
                    return Err(Fail);
                }
                self.bump();
                name = Some(self.name()?);
            }
        }
        let body = self.block()?;
        if bare {
            self.require_behind(14, "except expressions without parentheses are")?;
        }
        Ok(ExceptHandler { range: self.block_range_from(start), type_, name, body })
    }

    /// `match subject:` and the line's end; anything else is no match statement.
    fn match_head(&mut self) -> Parse<(usize, Expr)> {
        let start = self.pos;
        self.bump();
        let first = self.pos;
        let starred = self.at(Kind::STAR);
        let mut subject = self.star_named_expression()?;
        if self.at(Kind::COMMA) {
            let mut elts = vec![subject];
            while self.eat(Kind::COMMA) {
                if self.at(Kind::COLON) {
                    break;
                }
                elts.push(self.star_named_expression()?);
            }
            subject = self.expr(first, ExprTuple { elts, ctx: ExprContext::Load });
        } else if starred {
            return Err(Fail);
        }
        self.expect(Kind::COLON)?;
        self.expect(Kind::NEWLINE)?;
        self.expect(Kind::INDENT)?;
        if self.word_at(0) != "case" {
            return Err(Fail);
        }
        Ok((start, subject))
    }

    fn match_statement(&mut self, (start, subject): (usize, Expr)) -> Parse<Stmt> {
        let mut cases = Vec::new();
        while !self.eat(Kind::DEDENT) {
            if self.word_at(0) != "case" {
                return Err(Fail);
            }
            self.bump();
            let pattern = self.patterns()?;
            let guard = if self.eat(Kind::IF) { Some(self.named_expression()?) } else { None };
            let body = self.block()?;
            cases.push(MatchCase { pattern, guard, body });
        }
        self.require_behind(10, "Pattern matching is")?;
        self.notable = true;
        Ok(self.block_stmt(start, StmtMatch { subject, cases }))
    }
}
