//! Targets: what can be assigned to or deleted.
//!
//! Most targets are read as expressions first, since only the token behind them tells that they are
//! targets; they are then checked and marked. An expression remembers no brackets around it, so the
//! few places where brackets matter look at the tokens.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

/// Marks `expr` and the targets in it as assigned to. Fails where it is no target.
pub(super) fn store(expr: &mut Expr) -> Parse<()> {
    match &mut expr.kind {
        ExprKind::Name(node) => node.ctx = ExprContext::Store,
        ExprKind::Attribute(node) => node.ctx = ExprContext::Store,
        ExprKind::Subscript(node) => node.ctx = ExprContext::Store,
        ExprKind::Starred(node) => {
            node.ctx = ExprContext::Store;
            if matches!(node.value.kind, ExprKind::Starred(_)) {
                return Err(Fail);
            }
            store(&mut node.value)?;
        }
        ExprKind::Tuple(node) => {
            node.ctx = ExprContext::Store;
            node.elts.iter_mut().try_for_each(store)?;
        }
        ExprKind::List(node) => {
            node.ctx = ExprContext::Store;
            node.elts.iter_mut().try_for_each(store)?;
        }
        _ => return Err(Fail),
    }
    Ok(())
}

/// Marks a target of one piece: a name, an attribute or a subscript.
pub(super) fn store_single(expr: &mut Expr) -> Parse<()> {
    match &mut expr.kind {
        ExprKind::Name(_) | ExprKind::Attribute(_) | ExprKind::Subscript(_) => store(expr),
        _ => Err(Fail),
    }
}

/// Marks `expr` and the targets in it as deleted.
fn delete(expr: &mut Expr) -> Parse<()> {
    match &mut expr.kind {
        ExprKind::Name(node) => node.ctx = ExprContext::Del,
        ExprKind::Attribute(node) => node.ctx = ExprContext::Del,
        ExprKind::Subscript(node) => node.ctx = ExprContext::Del,
        ExprKind::Tuple(node) => {
            node.ctx = ExprContext::Del;
            node.elts.iter_mut().try_for_each(delete)?;
        }
        ExprKind::List(node) => {
            node.ctx = ExprContext::Del;
            node.elts.iter_mut().try_for_each(delete)?;
        }
        _ => return Err(Fail),
    }
    Ok(())
}

impl Parser<'_> {
    fn star_target(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if self.eat(Kind::STAR) {
            let mut value = self.primary()?;
            store(&mut value)?;
            return Ok(self.expr(start, ExprStarred { value, ctx: ExprContext::Store }));
        }
        let mut target = self.primary()?;
        store(&mut target)?;
        Ok(target)
    }

    /// The targets of a `for` loop or a comprehension.
    pub(super) fn star_targets(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let first = self.star_target()?;
        if !self.at(Kind::COMMA) {
            return Ok(first);
        }
        let mut elts = vec![first];
        while self.eat(Kind::COMMA) {
            if self.at(Kind::IN) {
                break;
            }
            elts.push(self.star_target()?);
        }
        Ok(self.expr(start, ExprTuple { elts, ctx: ExprContext::Store }))
    }

    /// The single target behind `as` in a `with` statement.
    pub(super) fn with_target(&mut self) -> Parse<Expr> {
        self.star_target()
    }

    pub(super) fn del_targets(&mut self) -> Parse<Vec<Expr>> {
        let mut targets = Vec::new();
        loop {
            let mut target = self.primary()?;
            delete(&mut target)?;
            targets.push(target);
            if !self.eat(Kind::COMMA) || matches!(self.kind(), Kind::SEMI | Kind::NEWLINE) {
                return Ok(targets);
            }
        }
    }
}
