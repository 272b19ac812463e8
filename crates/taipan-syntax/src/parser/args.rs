//! The arguments of calls and class definitions.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

impl Parser<'_> {
    /// `(…)` behind what is called, brackets included.
    pub(super) fn call_arguments(&mut self) -> Parse<(Vec<Expr>, Vec<Keyword>)> {
        let open = self.pos;
        self.expect(Kind::LPAR)?;
        if self.eat(Kind::RPAR) {
            return Ok((Vec::new(), Vec::new()));
        }
        self.arguments(open, true)
    }

    /// Arguments up to and with the closing bracket; there is at least one. A lone generator
    /// expression needs no brackets of its own and takes the call's.
    pub(super) fn arguments(&mut self, open: usize, lone: bool) -> Parse<(Vec<Expr>, Vec<Keyword>)> {
        let first = self.items.len();
        let mut keywords = Vec::new();
        let mut unpacked_mapping = false;
        loop {
            let start = self.pos;
            match self.kind() {
                Kind::DOUBLESTAR => {
                    self.bump();
                    let value = self.expression()?;
                    unpacked_mapping = true;
                    keywords.push(Keyword { range: self.range_from(start), arg: None, value });
                }
                Kind::STAR if !unpacked_mapping => {
                    self.bump();
                    let value = self.expression()?;
                    let starred = self.expr(start, ExprStarred { value, ctx: ExprContext::Load });
                    self.items.push(starred);
                }
                Kind::NAME if self.next == Kind::EQUAL => {
                    let arg = Some(self.name()?);
                    self.bump();
                    let value = self.expression()?;
                    keywords.push(Keyword { range: self.range_from(start), arg, value });
                }
                _ if keywords.is_empty() => {
                    let value = self.named_expression()?;
                    if lone && self.items.len() == first && matches!(self.kind(), Kind::FOR | Kind::ASYNC) {
                        let generators = self.comprehensions()?;
                        self.expect(Kind::RPAR)?;
                        let genexp = self.expr(open, ExprGeneratorExp { elt: value, generators });
                        return Ok((vec![genexp], keywords));
                    }
                    if self.at(Kind::EQUAL) {
                        return Err(Fail);
                    }
                    self.items.push(value);
                }
                _ => return Err(Fail),
            }
            let comma = self.eat(Kind::COMMA);
            if self.eat(Kind::RPAR) {
                return Ok((self.take_items(first), keywords));
            }
            if !comma {
                return Err(Fail);
            }
        }
    }
}
