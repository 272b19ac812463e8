//! The parameters of functions and lambdas, and type parameters.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Kind;

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Before any star.
    Positional,
    /// Behind `*` or `*args`.
    KeywordOnly,
    /// Behind a bare `*`, where a parameter must follow.
    BareStar,
}

struct Collector {
    out: Arguments,
    stage: Stage,
    slash: bool,
    annotated: bool,
}

impl Parser<'_> {
    pub(super) fn lambda_parameters(&mut self) -> Parse<Arguments> {
        self.parameter_list(Kind::COLON, false)
    }

    pub(super) fn parameters(&mut self) -> Parse<Arguments> {
        self.parameter_list(Kind::RPAR, true)
    }

    /// Parameters up to the token `close`, which stays.
    fn parameter_list(&mut self, close: Kind, annotated: bool) -> Parse<Arguments> {
        let out = Arguments {
            posonlyargs: Vec::new(),
            args: Vec::new(),
            vararg: None,
            kwonlyargs: Vec::new(),
            kw_defaults: Vec::new(),
            kwarg: None,
            defaults: Vec::new(),
        };
        let mut list = Collector { out, stage: Stage::Positional, slash: false, annotated };
        while !self.at(close) {
            if list.out.kwarg.is_some() {
                return Err(Fail);
            }
            let more = match self.kind() {
                Kind::SLASH => self.slash(&mut list)?,
                Kind::STAR => self.star(&mut list)?,
                Kind::DOUBLESTAR => self.double_star(&mut list)?,
                _ => self.parameter(&mut list)?,
            };
            if !more {
                break;
            }
        }
        if !self.at(close) || list.stage == Stage::BareStar {
            return Err(Fail);
        }
        Ok(list.out)
    }

    /// The comma behind a parameter, and its type comment on either side of it.
    fn comma(&mut self, comment: &mut Option<PyStr>) -> bool {
        if self.eat(Kind::COMMA) {
            *comment = self.type_comment();
            return true;
        }
        *comment = self.type_comment();
        false
    }

    fn slash(&mut self, list: &mut Collector) -> Parse<bool> {
        if list.stage != Stage::Positional || list.slash || list.out.args.is_empty() {
            return Err(Fail);
        }
        self.bump();
        self.require(8, "Positional-only parameters are")?;
        list.slash = true;
        list.out.posonlyargs = std::mem::take(&mut list.out.args);
        Ok(self.eat(Kind::COMMA))
    }

    fn star(&mut self, list: &mut Collector) -> Parse<bool> {
        if list.stage != Stage::Positional {
            return Err(Fail);
        }
        self.bump();
        if self.eat(Kind::COMMA) {
            list.stage = Stage::BareStar;
            return if self.at(Kind::TYPE_COMMENT) { Err(Fail) } else { Ok(true) };
        }
        list.stage = Stage::KeywordOnly;
        let mut arg = self.bare_parameter(list.annotated, true)?;
        let more = self.comma(&mut arg.type_comment);
        list.out.vararg = Some(Box::new(arg));
        Ok(more)
    }

    fn double_star(&mut self, list: &mut Collector) -> Parse<bool> {
        if list.stage == Stage::BareStar {
            return Err(Fail);
        }
        self.bump();
        let mut arg = self.bare_parameter(list.annotated, false)?;
        let more = self.comma(&mut arg.type_comment);
        list.out.kwarg = Some(Box::new(arg));
        Ok(more)
    }

    fn parameter(&mut self, list: &mut Collector) -> Parse<bool> {
        let mut arg = self.bare_parameter(list.annotated, false)?;
        let default = if self.eat(Kind::EQUAL) { Some(self.expression()?) } else { None };
        let more = self.comma(&mut arg.type_comment);
        if list.stage == Stage::Positional {
            match default {
                Some(value) => list.out.defaults.push(value),
                None if !list.out.defaults.is_empty() => return Err(Fail),
                None => {}
            }
            list.out.args.push(arg);
        } else {
            list.stage = Stage::KeywordOnly;
            list.out.kwonlyargs.push(arg);
            list.out.kw_defaults.push(default);
        }
        Ok(more)
    }

    /// A name with its annotation, which behind `*` may be starred.
    fn bare_parameter(&mut self, annotated: bool, starred: bool) -> Parse<Arg> {
        let start = self.pos;
        let arg = self.name()?;
        let mut annotation = None;
        if annotated && self.eat(Kind::COLON) {
            annotation = Some(if starred { self.star_expression()? } else { self.expression()? });
        }
        Ok(Arg { range: self.range_from(start), arg, annotation, type_comment: None })
    }

    fn require_default(&mut self, default: &Option<Expr>) -> Parse<()> {
        if default.is_none() { Ok(()) } else { self.require(13, "Type parameter defaults are") }
    }

    /// `[T, *Ts, **P]`, if there.
    pub(super) fn type_params(&mut self) -> Parse<Vec<TypeParam>> {
        let mut params = Vec::new();
        if !self.eat(Kind::LSQB) {
            return Ok(params);
        }
        loop {
            params.push(self.type_param()?);
            if !self.eat(Kind::COMMA) || self.at(Kind::RSQB) {
                break;
            }
        }
        self.require(12, "Type parameter lists are")?;
        self.expect(Kind::RSQB)?;
        Ok(params)
    }

    fn type_param(&mut self) -> Parse<TypeParam> {
        let start = self.pos;
        let kind = if self.eat(Kind::STAR) {
            let name = self.name()?;
            let default_value = if self.eat(Kind::EQUAL) { Some(self.star_expression()?) } else { None };
            self.require_default(&default_value)?;
            TypeParamTypeVarTuple { name, default_value }.into()
        } else if self.eat(Kind::DOUBLESTAR) {
            let name = self.name()?;
            let default_value = if self.eat(Kind::EQUAL) { Some(self.expression()?) } else { None };
            self.require_default(&default_value)?;
            TypeParamParamSpec { name, default_value }.into()
        } else {
            let name = self.name()?;
            let bound = if self.eat(Kind::COLON) { Some(self.expression()?) } else { None };
            let default_value = if self.eat(Kind::EQUAL) { Some(self.expression()?) } else { None };
            self.require_default(&default_value)?;
            TypeParamTypeVar { name, bound, default_value }.into()
        };
        Ok(TypeParam { range: self.range_from(start), kind })
    }
}
