//! Dropping deep trees without deep recursion.
//!
//! The parser bounds how deep constructs nest inside one another, but chains that grow by repetition
//! (`a.b.b.b…`, `a + a + a…`, `f()()()…`, `if … elif … elif …`) have no bound. Each payload that can
//! be a link of such a chain takes its long side apart in a loop before the compiler's own
//! field-by-field drop sees it; what remains is bounded by the parser's limit.

use std::mem;

use super::*;

fn hollow() -> Expr {
    Expr {
        range: Range::default(),
        kind: ExprKind::Constant(ExprConstant { value: Constant::None, kind: None }),
    }
}

/// The side along which an expression can form a chain.
fn spine(expr: &mut Expr) -> Option<&mut Expr> {
    match &mut expr.kind {
        ExprKind::BinOp(node) => Some(&mut node.left),
        ExprKind::UnaryOp(node) => Some(&mut node.operand),
        ExprKind::Attribute(node) => Some(&mut node.value),
        ExprKind::Subscript(node) => Some(&mut node.value),
        ExprKind::Call(node) => Some(&mut node.func),
        ExprKind::IfExp(node) => Some(&mut node.orelse),
        ExprKind::Lambda(node) => Some(&mut node.body),
        _ => None,
    }
}

fn unwind(first: &mut Expr) {
    // A link or two are dropped as well without help, and most chains are no longer.
    if spine(first).and_then(spine).is_none() {
        return;
    }
    let mut rest = mem::replace(first, hollow());
    while let Some(next) = spine(&mut rest) {
        let next = mem::replace(next, hollow());
        rest = next;
    }
}

macro_rules! drop_along {
    ($($node:ident . $side:ident),* $(,)?) => {
        $(impl Drop for $node {
            fn drop(&mut self) {
                unwind(&mut self.$side);
            }
        })*
    };
}

drop_along! {
    ExprBinOp.left,
    ExprUnaryOp.operand,
    ExprAttribute.value,
    ExprSubscript.value,
    ExprCall.func,
    ExprIfExp.orelse,
    ExprLambda.body,
}

impl Drop for StmtIf {
    fn drop(&mut self) {
        let mut rest = mem::take(&mut self.orelse);
        while let [Stmt { kind: StmtKind::If(inner), .. }] = rest.as_mut_slice() {
            let next = mem::take(&mut inner.orelse);
            rest = next;
        }
    }
}
