//! Expressions: tuples, conditionals, lambdas, operators.

use super::{MAX_CHAIN, Parse, Parser};
use crate::ast::*;
use crate::parser::Fail;
use crate::token::{KINDS, Kind};

/// Binding strength and operator of a binary operator token.
fn binary(kind: Kind) -> Option<(u8, Operator)> {
    Some(match kind {
        Kind::VBAR => (1, Operator::BitOr),
        Kind::CIRCUMFLEX => (2, Operator::BitXor),
        Kind::AMPER => (3, Operator::BitAnd),
        Kind::LEFTSHIFT => (4, Operator::LShift),
        Kind::RIGHTSHIFT => (4, Operator::RShift),
        Kind::PLUS => (5, Operator::Add),
        Kind::MINUS => (5, Operator::Sub),
        Kind::STAR => (6, Operator::Mult),
        Kind::SLASH => (6, Operator::Div),
        Kind::DOUBLESLASH => (6, Operator::FloorDiv),
        Kind::PERCENT => (6, Operator::Mod),
        Kind::AT => (6, Operator::MatMult),
        _ => return None,
    })
}

/// An operator that can follow an operand begins with this token.
const GOES_ON: u8 = 1;
/// No further expression can begin with this token, so a comma before it is the last.
const ENDS_LIST: u8 = 2;
/// An expression that begins so is more than an atom and what is hung on it.
const PREFIX: u8 = 4;
/// `if`
const CONDITION: u8 = 8;
/// A name or a constant.
const ATOM: u8 = 16;
/// An expression cannot go on with this token.
const ENDS_EXPRESSION: u8 = 32;

/// Of each kind of token, what it means for expressions.
static ROLES: [u8; 256] = {
    let mut table = [0; 256];
    let mut row = 0;
    while row < KINDS.len() {
        let kind = KINDS[row].0;
        table[kind as usize] = roles_of(kind);
        row += 1;
    }
    table
};

const fn roles_of(kind: Kind) -> u8 {
    use Kind::*;
    match kind {
        PLUS | MINUS | NOT => GOES_ON | PREFIX,
        TILDE | AWAIT | LAMBDA => PREFIX,
        VBAR | CIRCUMFLEX | AMPER | LEFTSHIFT | RIGHTSHIFT | STAR | SLASH | DOUBLESLASH | PERCENT | AT
        | DOUBLESTAR | EQEQUAL | NOTEQUAL | LESSEQUAL | GREATEREQUAL | LESS | GREATER | IS | AND | OR => {
            GOES_ON
        }
        IN => GOES_ON | ENDS_LIST,
        IF => CONDITION,
        NAME | NUMBER | STRING | NONE | TRUE | FALSE => ATOM,
        NEWLINE | RPAR | RSQB | RBRACE | EQUAL | COLON | COMMA => ENDS_LIST | ENDS_EXPRESSION,
        SEMI | ENDMARKER | TYPE_COMMENT | EXCLAMATION | FOR | AS | PLUSEQUAL | MINEQUAL | STAREQUAL
        | SLASHEQUAL | PERCENTEQUAL | AMPEREQUAL | VBAREQUAL | CIRCUMFLEXEQUAL | LEFTSHIFTEQUAL
        | RIGHTSHIFTEQUAL | DOUBLESTAREQUAL | DOUBLESLASHEQUAL | ATEQUAL => ENDS_LIST,
        _ => 0,
    }
}

#[inline]
fn has(kind: Kind, role: u8) -> bool {
    ROLES[kind as usize] & role != 0
}

impl Parser<'_> {
    /// `a`, `a,`, `a, *b`: one expression or a tuple.
    pub(super) fn star_expressions(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let first = self.star_expression();
        if !self.at(Kind::COMMA) {
            return first;
        }
        let at = self.items.len();
        self.items.push(first?);
        while self.eat(Kind::COMMA) {
            if has(self.kind(), ENDS_LIST) {
                break;
            }
            let item = self.star_expression()?;
            self.items.push(item);
        }
        let elts = self.take_items(at);
        Ok(self.expr(start, ExprTuple { elts, ctx: ExprContext::Load }))
    }

    pub(super) fn star_expression(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if self.eat(Kind::STAR) {
            let value = self.bitwise_or()?;
            return Ok(self.expr(start, ExprStarred { value, ctx: ExprContext::Load }));
        }
        self.expression()
    }

    /// The same without stars.
    pub(super) fn expressions(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let first = self.expression();
        if !self.at(Kind::COMMA) {
            return first;
        }
        let at = self.items.len();
        self.items.push(first?);
        while self.eat(Kind::COMMA) {
            if has(self.kind(), ENDS_LIST) {
                break;
            }
            let item = self.expression()?;
            self.items.push(item);
        }
        let elts = self.take_items(at);
        Ok(self.expr(start, ExprTuple { elts, ctx: ExprContext::Load }))
    }

    pub(super) fn star_named_expression(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if self.eat(Kind::STAR) {
            let value = self.bitwise_or()?;
            return Ok(self.expr(start, ExprStarred { value, ctx: ExprContext::Load }));
        }
        self.named_expression()
    }

    #[inline]
    pub(super) fn named_expression(&mut self) -> Parse<Expr> {
        if self.at(Kind::NAME) && self.next == Kind::COLONEQUAL {
            return self.assignment_expression();
        }
        let value = self.expression();
        if self.at(Kind::COLONEQUAL) { Err(Fail) } else { value }
    }

    pub(super) fn assignment_expression(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let target = self.name_expr(ExprContext::Store)?;
        self.expect(Kind::COLONEQUAL)?;
        let value = self.expression()?;
        self.require(8, "Assignment expressions are")?;
        Ok(self.expr(start, ExprNamedExpr { target, value }))
    }

    /// Yield, or a list of expressions: what may stand right of an assignment.
    pub(super) fn annotated_rhs(&mut self) -> Parse<Expr> {
        if self.at(Kind::YIELD) { self.yield_expr() } else { self.star_expressions() }
    }

    pub(super) fn yield_expr(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.expect(Kind::YIELD)?;
        if self.eat(Kind::FROM) {
            let value = self.expression()?;
            return Ok(self.expr(start, ExprYieldFrom { value }));
        }
        let value = if has(self.kind(), ENDS_LIST) && !matches!(self.kind(), Kind::COMMA) {
            None
        } else {
            Some(self.star_expressions()?)
        };
        Ok(self.expr(start, ExprYield { value }))
    }

    pub(super) fn expression(&mut self) -> Parse<Expr> {
        // A name or a constant alone need not go through all the operators.
        if has(self.next, ENDS_EXPRESSION) && has(self.kind(), ATOM) {
            return self.atom();
        }
        if self.at(Kind::LAMBDA) {
            return self.deeper(Parser::lambda);
        }
        let start = self.pos;
        let body = self.disjunction();
        if !self.at(Kind::IF) {
            return body;
        }
        self.conditional(start, body?)
    }

    /// `a if b else c if d else …`: the parts in a list first, so that length costs no stack.
    fn conditional(&mut self, mut start: usize, body: Expr) -> Parse<Expr> {
        let mut parts = Vec::new();
        let mut last = body;
        while self.eat(Kind::IF) {
            let test = self.disjunction()?;
            self.expect(Kind::ELSE)?;
            parts.push((start, last, test));
            if parts.len() > MAX_CHAIN {
                return Err(Fail);
            }
            start = self.pos;
            if self.at(Kind::LAMBDA) {
                last = self.deeper(Parser::lambda)?;
                break;
            }
            last = self.disjunction()?;
        }
        for (start, body, test) in parts.into_iter().rev() {
            last = self.expr(start, ExprIfExp { test, body, orelse: last });
        }
        Ok(last)
    }

    fn lambda(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.expect(Kind::LAMBDA)?;
        let args = self.lambda_parameters()?;
        self.expect(Kind::COLON)?;
        let body = self.expression()?;
        Ok(self.expr(start, ExprLambda { args, body }))
    }

    /// Anything but lambdas and conditionals. What begins with an atom and goes on without an operator, as most
    /// expressions do, need not go through all the levels.
    pub(super) fn disjunction(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if has(self.kind(), PREFIX) {
            let first = self.conjunction()?;
            return self.disjunction_tail(start, first);
        }
        let first = self.primary();
        if !has(self.kind(), GOES_ON) {
            return first;
        }
        let power = self.power_tail(start, first?)?;
        let sum = self.binary_tail(start, power, 1)?;
        let comparison = self.comparison_tail(start, sum)?;
        let conjunction = self.conjunction_tail(start, comparison)?;
        self.disjunction_tail(start, conjunction)
    }

    fn disjunction_tail(&mut self, start: usize, first: Expr) -> Parse<Expr> {
        if !self.at(Kind::OR) {
            return Ok(first);
        }
        let at = self.items.len();
        self.items.push(first);
        while self.eat(Kind::OR) {
            let value = self.conjunction()?;
            self.items.push(value);
        }
        let values = self.take_items(at);
        Ok(self.expr(start, ExprBoolOp { op: BoolOp::Or, values }))
    }

    fn conjunction(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let first = self.inversion()?;
        self.conjunction_tail(start, first)
    }

    fn conjunction_tail(&mut self, start: usize, first: Expr) -> Parse<Expr> {
        if !self.at(Kind::AND) {
            return Ok(first);
        }
        let at = self.items.len();
        self.items.push(first);
        while self.eat(Kind::AND) {
            let value = self.inversion()?;
            self.items.push(value);
        }
        let values = self.take_items(at);
        Ok(self.expr(start, ExprBoolOp { op: BoolOp::And, values }))
    }

    fn inversion(&mut self) -> Parse<Expr> {
        let start = self.pos;
        while self.eat(Kind::NOT) {}
        let end = self.pos;
        if end - start > MAX_CHAIN {
            return Err(Fail);
        }
        let mut operand = self.comparison()?;
        for at in (start..end).rev() {
            operand = self.expr(at, ExprUnaryOp { op: UnaryOp::Not, operand });
        }
        Ok(operand)
    }

    fn comparison_operator(&mut self) -> Option<CmpOp> {
        let op = match self.kind() {
            Kind::EQEQUAL => CmpOp::Eq,
            Kind::NOTEQUAL if !self.barry => CmpOp::NotEq,
            Kind::LESS if self.barry && self.next == Kind::GREATER => {
                // `<>`, one operator where the future flag asks for it.
                if self.token().end != self.tokens[self.pos + 1].start {
                    return None;
                }
                self.bump();
                CmpOp::NotEq
            }
            Kind::LESS => CmpOp::Lt,
            Kind::LESSEQUAL => CmpOp::LtE,
            Kind::GREATER => CmpOp::Gt,
            Kind::GREATEREQUAL => CmpOp::GtE,
            Kind::IN => CmpOp::In,
            Kind::IS => {
                self.bump();
                return Some(if self.eat(Kind::NOT) { CmpOp::IsNot } else { CmpOp::Is });
            }
            Kind::NOT if self.next == Kind::IN => {
                self.bump();
                CmpOp::NotIn
            }
            _ => return None,
        };
        self.bump();
        Some(op)
    }

    fn comparison(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let left = self.bitwise_or()?;
        self.comparison_tail(start, left)
    }

    fn comparison_tail(&mut self, start: usize, left: Expr) -> Parse<Expr> {
        let Some(op) = self.comparison_operator() else { return Ok(left) };
        let mut ops = vec![op];
        let mut comparators = vec![self.bitwise_or()?];
        while let Some(op) = self.comparison_operator() {
            ops.push(op);
            comparators.push(self.bitwise_or()?);
        }
        Ok(self.expr(start, ExprCompare { left, ops, comparators }))
    }

    #[inline]
    pub(super) fn bitwise_or(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let left = self.factor();
        if !has(self.kind(), GOES_ON) {
            return left;
        }
        self.binary_tail(start, left?, 1)
    }

    /// Goes on behind `left` with operators that bind at least as strongly as `min`.
    fn binary_tail(&mut self, start: usize, mut left: Expr, min: u8) -> Parse<Expr> {
        while let Some((strength, op)) = binary(self.kind())
            && strength >= min
        {
            self.bump();
            let right_start = self.pos;
            let mut right = self.factor()?;
            if binary(self.kind()).is_some_and(|next| next.0 > strength) {
                right = self.binary_tail(right_start, right, strength + 1)?;
            }
            if op == Operator::MatMult {
                self.require(5, "The '@' operator is")?;
            }
            self.notable |= op == Operator::Mod && matches!(right.kind, ExprKind::Tuple(_));
            left = self.expr(start, ExprBinOp { left, op, right });
        }
        Ok(left)
    }

    fn factor(&mut self) -> Parse<Expr> {
        if !matches!(self.kind(), Kind::PLUS | Kind::MINUS | Kind::TILDE) {
            return self.power();
        }
        let start = self.pos;
        while matches!(self.kind(), Kind::PLUS | Kind::MINUS | Kind::TILDE) {
            self.bump();
        }
        let end = self.pos;
        if end - start > MAX_CHAIN {
            return Err(Fail);
        }
        let mut operand = self.power()?;
        for at in (start..end).rev() {
            let op = match self.tokens[at].kind {
                Kind::PLUS => UnaryOp::UAdd,
                Kind::MINUS => UnaryOp::USub,
                _ => UnaryOp::Invert,
            };
            operand = self.expr(at, ExprUnaryOp { op, operand });
        }
        Ok(operand)
    }

    fn power(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let left = self.await_primary()?;
        self.power_tail(start, left)
    }

    fn power_tail(&mut self, start: usize, left: Expr) -> Parse<Expr> {
        if !self.at(Kind::DOUBLESTAR) {
            return Ok(left);
        }
        self.bump();
        let right = self.deeper(Parser::factor)?;
        Ok(self.expr(start, ExprBinOp { left, op: Operator::Pow, right }))
    }

    fn await_primary(&mut self) -> Parse<Expr> {
        if !self.at(Kind::AWAIT) {
            return self.primary();
        }
        let start = self.pos;
        self.bump();
        let value = self.primary()?;
        self.require(5, "Await expressions are")?;
        Ok(self.expr(start, ExprAwait { value }))
    }

    /// An atom with its trailers: attributes, calls, subscripts.
    pub(super) fn primary(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let atom = self.atom();
        if !matches!(self.kind(), Kind::DOT | Kind::LPAR | Kind::LSQB) {
            return atom;
        }
        let mut value = atom?;
        loop {
            value = match self.kind() {
                Kind::DOT => {
                    self.bump();
                    let attr = self.name()?;
                    self.expr(start, ExprAttribute { value, attr, ctx: ExprContext::Load })
                }
                Kind::LPAR => {
                    let (args, keywords) = self.call_arguments()?;
                    self.expr(start, ExprCall { func: value, args, keywords })
                }
                Kind::LSQB => {
                    self.bump();
                    let slice = self.slices()?;
                    self.expect(Kind::RSQB)?;
                    self.expr(start, ExprSubscript { value, slice, ctx: ExprContext::Load })
                }
                _ => return Ok(value),
            };
        }
    }

    fn slices(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let starred = self.at(Kind::STAR);
        let first = self.slice_or_starred();
        if !starred && !self.at(Kind::COMMA) {
            return first;
        }
        let at = self.items.len();
        self.items.push(first?);
        while self.eat(Kind::COMMA) {
            if self.at(Kind::RSQB) {
                break;
            }
            let item = self.slice_or_starred()?;
            self.items.push(item);
        }
        let elts = self.take_items(at);
        Ok(self.expr(start, ExprTuple { elts, ctx: ExprContext::Load }))
    }

    fn slice_or_starred(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if self.eat(Kind::STAR) {
            let value = self.expression()?;
            return Ok(self.expr(start, ExprStarred { value, ctx: ExprContext::Load }));
        }
        let lower = if self.at(Kind::COLON) {
            None
        } else {
            let value = self.named_expression()?;
            if !self.at(Kind::COLON) {
                return Ok(value);
            }
            if matches!(value.kind, ExprKind::NamedExpr(_)) && self.tokens[start].kind == Kind::NAME {
                return Err(Fail);
            }
            Some(value)
        };
        self.expect(Kind::COLON)?;
        let upper = self.slice_part()?;
        let step = if self.eat(Kind::COLON) { self.slice_part()? } else { None };
        Ok(self.expr(start, ExprSlice { lower, upper, step }))
    }

    fn slice_part(&mut self) -> Parse<Option<Expr>> {
        if matches!(self.kind(), Kind::COLON | Kind::COMMA | Kind::RSQB) {
            return Ok(None);
        }
        self.expression().map(Some)
    }
}
