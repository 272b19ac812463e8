//! What the grammar's actions do: raise errors, or check what the parser checks while it reads.

use super::grammar::NodeKind;
use super::matcher::{ABSENT, Match, Matcher, NodeId, Raised};
use super::place::RawPlace;
use crate::ast::Constant;
use crate::error::ErrorKind;
use crate::literal;
use crate::parser::escape_warning;
use crate::token::{Kind, Token};

/// What a target is for.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Star,
    For,
    Del,
}

impl Matcher<'_> {
    /// Carries out an action. `None` says that the alternative, and with it the rule, matches nothing.
    pub(super) fn act(&mut self, how: &str, [a, b]: [NodeId; 2], message: &str, start: usize) -> Match {
        let message = self.fill_in(message, a);
        match how {
            "fail" => return Ok(None),
            "string" => return self.string(a),
            "joined" => return self.joined(a, b, start),
            "middle" => return self.middle(a),
            "concat" => return self.concatenation(a, start),
            "conversion" => return self.conversion(a, b, start),
            "noteq" => return self.not_equal(a),
            "less_greater" => return Ok((self.barry && self.adjacent(a, b)).then_some(a)),
            "typo_noteq" if self.barry || !self.adjacent(a, b) => return Ok(None),
            "typo_noteq" => {
                self.raise_nodes(a, b, "invalid syntax.  Maybe you meant '!=' instead of '<>'?");
            }
            "imported" => return self.imported(a, start),
            "real" | "imaginary" => return self.number_part(how, a),
            "at" => self.raise_nodes(a, a, &message),
            "range" => self.raise_nodes(a, b, &message),
            "range_last" => {
                let last = self.elements(b).last().copied().unwrap_or(b);
                self.raise_nodes(a, last, &message);
            }
            "genexp_range" => {
                // Up to the last target, not to the end.
                let target = self.last_comprehension_target(b);
                self.raise_nodes(a, target, &message);
            }
            "from" => self.raise_from(a, &message),
            "here" => self.raise_last(ErrorKind::SyntaxError, &message),
            "indent" => self.raise_last(ErrorKind::IndentationError, &message),
            "next" => self.raise_next(&message)?,
            "star_target" => return self.invalid_target(a, Target::Star),
            "for_target" => return self.invalid_target(a, Target::For),
            "del_target" => return self.invalid_target(a, Target::Del),
            "comma" => return self.forgotten_comma(a, b),
            "legacy" => return self.legacy_statement(a, b),
            "genexp_in_call" => return self.generator_in_call(a, b),
            "arguments" => self.arguments_error(a),
            "colon" => self.missing_colon(a),
            "bound" => {
                let kind = if self.node(b).kind == NodeKind::Tuple { "constraints" } else { "bound" };
                let what = self.bound_owner(start);
                self.raise_from(a, &format!("cannot use {kind} with {what}"));
            }
            _ => unreachable!("the grammar names no other action than these: {how}"),
        }
        Err(Raised)
    }

    fn bound_owner(&self, start: usize) -> &'static str {
        if self.tokens[start].kind == Kind::STAR { "TypeVarTuple" } else { "ParamSpec" }
    }

    fn first_token(&self, id: NodeId) -> Token {
        self.tokens[self.node(id).start as usize]
    }

    fn fill_in(&self, message: &str, a: NodeId) -> String {
        if !message.contains('%') {
            return message.to_owned();
        }
        let token = self.first_token(a);
        let mut out = message.to_owned();
        if out.contains("%s") {
            out = out.replace("%s", self.expression_name(a));
        }
        out.replace("%l", &token.lineno.to_string()).replace("%t", token.text(self.source))
    }

    /// What CPython calls an expression in messages.
    fn expression_name(&self, id: NodeId) -> &'static str {
        match self.node(id).kind {
            NodeKind::Attribute => "attribute",
            NodeKind::Subscript => "subscript",
            NodeKind::Starred => "starred",
            NodeKind::List => "list",
            NodeKind::Tuple => "tuple",
            NodeKind::Lambda => "lambda",
            NodeKind::Call => "function call",
            NodeKind::Op => "expression",
            NodeKind::GeneratorExp => "generator expression",
            NodeKind::Yield => "yield expression",
            NodeKind::Await => "await expression",
            NodeKind::ListComp => "list comprehension",
            NodeKind::SetComp => "set comprehension",
            NodeKind::DictComp => "dict comprehension",
            NodeKind::Dict => "dict literal",
            NodeKind::Set => "set display",
            NodeKind::JoinedStr => "f-string expression",
            NodeKind::TemplateStr => "t-string expression",
            NodeKind::Compare => "comparison",
            NodeKind::IfExp => "conditional expression",
            NodeKind::NamedExpr => "named expression",
            NodeKind::Token => match self.first_token(id).kind {
                Kind::NAME => "name",
                Kind::TRUE => "True",
                Kind::FALSE => "False",
                Kind::NONE => "None",
                Kind::ELLIPSIS => "ellipsis",
                _ => "literal",
            },
            _ => "literal",
        }
    }

    /// The expressions in a node, through the lists and groups that hold them.
    fn elements(&self, id: NodeId) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut stack: Vec<NodeId> = self.children_of(id).iter().rev().copied().collect();
        while let Some(id) = stack.pop() {
            match self.node(id).kind {
                NodeKind::Absent => {}
                NodeKind::Seq | NodeKind::Other | NodeKind::Args => {
                    stack.extend(self.children_of(id).iter().rev());
                }
                NodeKind::Token if !self.is_operand(id) => {}
                _ => out.push(id),
            }
        }
        out
    }

    fn is_operand(&self, id: NodeId) -> bool {
        matches!(
            self.first_token(id).kind,
            Kind::NAME | Kind::NUMBER | Kind::STRING | Kind::TRUE | Kind::FALSE | Kind::NONE | Kind::ELLIPSIS
        )
    }

    /// The first part of a target that cannot be one.
    fn bad_part(&self, id: NodeId, target: Target) -> Option<NodeId> {
        match self.node(id).kind {
            NodeKind::List | NodeKind::Tuple => {
                self.elements(id).into_iter().find_map(|part| self.bad_part(part, target))
            }
            NodeKind::Starred if target == Target::Del => Some(id),
            NodeKind::Starred => self.elements(id).last().and_then(|&part| self.bad_part(part, target)),
            NodeKind::Compare if target == Target::For => {
                let parts = self.elements(id);
                match parts[..] {
                    [left, pair, ..] if self.node(pair).kind == NodeKind::In => self.bad_part(left, target),
                    _ => None,
                }
            }
            NodeKind::Attribute | NodeKind::Subscript => None,
            NodeKind::Token if self.is_token(id, Kind::NAME) => None,
            _ => Some(id),
        }
    }

    fn invalid_target(&mut self, id: NodeId, target: Target) -> Match {
        let Some(part) = self.bad_part(id, target) else { return Ok(None) };
        let verb = if target == Target::Del { "delete" } else { "assign to" };
        let msg = format!("cannot {verb} {}", self.expression_name(part));
        self.raise_nodes(part, part, &msg);
        Err(Raised)
    }

    fn is_legacy_word(&self, id: NodeId) -> bool {
        self.is_token(id, Kind::NAME) && matches!(self.first_token(id).text(self.source), "print" | "exec")
    }

    /// Two expressions side by side, inside brackets.
    fn forgotten_comma(&mut self, a: NodeId, b: NodeId) -> Match {
        if self.is_legacy_word(a) || self.tokens[self.mark - 1].level == 0 {
            return Ok(None);
        }
        self.raise_nodes(a, b, "invalid syntax. Perhaps you forgot a comma?");
        Err(Raised)
    }

    fn legacy_statement(&mut self, a: NodeId, b: NodeId) -> Match {
        if !self.is_legacy_word(a) {
            return Ok(None);
        }
        let word = self.first_token(a).text(self.source);
        let msg = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
        self.raise_nodes(a, b, &msg);
        Err(Raised)
    }

    fn positional(&self, args: NodeId) -> Vec<NodeId> {
        let mut all = self.elements(args);
        all.retain(|&id| !matches!(self.node(id).kind, NodeKind::Kwarg | NodeKind::KwargUnpack));
        all
    }

    fn generator_in_call(&mut self, args: NodeId, clauses: NodeId) -> Match {
        let positional = self.positional(args);
        match positional[..] {
            [] | [_] => Ok(None),
            [.., last] => {
                self.raise_nodes(last, clauses, "Generator expression must be parenthesized");
                Err(Raised)
            }
        }
    }

    fn last_comprehension_target(&self, clauses: NodeId) -> NodeId {
        let Some(&clause) = self.children_of(clauses).last() else { return clauses };
        let parts = self.children_of(clause);
        let after_for = parts.iter().position(|&part| self.is_token(part, Kind::FOR)).map_or(0, |n| n + 1);
        parts.get(after_for).copied().unwrap_or(clause)
    }

    fn arguments_error(&mut self, args: NodeId) {
        let unpacking = self.elements(args).iter().any(|&id| self.node(id).kind == NodeKind::KwargUnpack);
        let tail = if unpacking { " unpacking" } else { "" };
        let msg = format!("positional argument follows keyword argument{tail}");
        self.raise_last(ErrorKind::SyntaxError, &msg);
    }

    fn missing_colon(&mut self, key: NodeId) {
        let first = self.first_token(key);
        let last = self.tokens[self.node(key).end as usize];
        let raw =
            RawPlace { lineno: first.lineno, col: last.end_col, end_lineno: last.end_lineno, end_col: 0 };
        self.raise_at(ErrorKind::SyntaxError, raw, "':' expected after dictionary key");
    }

    fn not_equal(&mut self, a: NodeId) -> Match {
        if self.barry {
            self.raise_last(ErrorKind::SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
            return Err(Raised);
        }
        Ok(Some(a))
    }

    fn adjacent(&self, a: NodeId, b: NodeId) -> bool {
        self.first_token(a).end == self.first_token(b).start
    }

    /// `from __future__ import barry_as_FLUFL` changes the operators for the rest of the text.
    fn imported(&mut self, names: NodeId, start: usize) -> Match {
        let words = |from: usize| self.tokens[from..self.mark].iter().map(|token| token.text(self.source));
        if words(start).nth(1) == Some("__future__") {
            let names = self.node(names).start as usize;
            self.barry |= words(names).any(|word| word == "barry_as_FLUFL");
        }
        let id = self.make(NodeKind::Other, start, &[]);
        Ok(Some(id))
    }

    /// Numbers are converted as they are read, and one can be too long.
    pub(super) fn check_number(&mut self) -> Result<(), Raised> {
        let token = self.tokens[self.mark - 1];
        let limit = self.flags.int_max_str_digits;
        let Err(too_many) = literal::parse_number(token.text(self.source), limit) else { return Ok(()) };
        let msg = format!(
            "Exceeds the limit ({limit} digits) for integer string conversion: value has {} digits; \
             use sys.set_int_max_str_digits() to increase the limit - \
             Consider hexadecimal for huge integer literals to avoid decimal conversion limits.",
            too_many.digits
        );
        let raw = RawPlace { lineno: token.lineno, col: 0, end_lineno: token.end_lineno, end_col: 0 };
        self.raise_at(ErrorKind::SyntaxError, raw, &msg);
        Err(Raised)
    }

    fn number_part(&mut self, how: &str, a: NodeId) -> Match {
        let token = self.first_token(a);
        let complex =
            matches!(literal::parse_number(token.text(self.source), 0), Ok(Constant::Complex { .. }));
        if complex == (how == "imaginary") {
            return Ok(Some(a));
        }
        let msg = format!("{how} number required in complex literal");
        self.raise_nodes(a, a, &msg);
        Err(Raised)
    }

    fn warn_escape(&mut self, token: Token, body: &str, invalid: Option<literal::InvalidEscape>) {
        if !self.messages
            && let Some(invalid) = invalid
        {
            self.warnings.extend(escape_warning(self.source, token, body, invalid));
        }
    }

    fn string(&mut self, a: NodeId) -> Match {
        let token = self.first_token(a);
        let parts = literal::split_string(token.text(self.source));
        let kind = if parts.bytes { NodeKind::Bytes } else { NodeKind::Str };
        let checked = if parts.bytes {
            if !parts.body.is_ascii() {
                self.raise_nodes(a, a, "bytes can only contain ASCII literal characters");
                return Err(Raised);
            }
            literal::decode_bytes(parts.body, parts.raw)
                .map(|found| found.1)
                .map_err(|msg| format!("(value error) {msg}"))
        } else {
            literal::decode_text(parts.body, parts.raw)
                .map(|found| found.1)
                .map_err(|msg| format!("(unicode error) {msg}"))
        };
        match checked {
            Ok(invalid) => {
                let at_body = Token { col: token.col + parts.body_start as i32, ..token };
                self.warn_escape(at_body, parts.body, invalid);
            }
            Err(msg) => {
                self.raise_last(ErrorKind::SyntaxError, &msg);
                return Err(Raised);
            }
        }
        let start = self.node(a).start as usize;
        Ok(Some(self.make(kind, start, &[])))
    }

    fn decode_part(&mut self, part: NodeId, raw: bool, (lineno, col): (i32, i32)) -> Result<(), Raised> {
        let token = self.first_token(part);
        let body = token.text(self.source);
        match literal::decode_text(body, raw) {
            Ok((_, invalid)) => {
                self.warn_escape(Token { lineno, col, ..token }, body, invalid);
                Ok(())
            }
            Err(msg) => {
                self.raise_token(token, &format!("(unicode error) {msg}"));
                Err(Raised)
            }
        }
    }

    /// Text of a format specifier is decoded as it is read.
    fn middle(&mut self, a: NodeId) -> Match {
        let token = self.first_token(a);
        let raw = token.text(self.source).contains('\\') && self.in_raw_string(self.node(a).start as usize);
        self.decode_part(a, raw, (token.lineno, token.col))?;
        Ok(Some(a))
    }

    /// Whether the string around token `at` has an `r` in its prefix.
    fn in_raw_string(&self, at: usize) -> bool {
        let mut depth = 0;
        for token in self.tokens[..at].iter().rev() {
            match token.kind {
                Kind::FSTRING_END | Kind::TSTRING_END => depth += 1,
                Kind::FSTRING_START | Kind::TSTRING_START if depth == 0 => {
                    return token.text(self.source).contains(['r', 'R']);
                }
                Kind::FSTRING_START | Kind::TSTRING_START => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// Text outside of fields is decoded when the string is complete.
    fn joined(&mut self, open: NodeId, parts: NodeId, start: usize) -> Match {
        let raw = self.first_token(open).text(self.source).contains(['r', 'R']);
        let template = self.is_token(open, Kind::TSTRING_START);
        let parts: Vec<NodeId> = self.children_of(parts).to_vec();
        // Lines are counted from the string's end, where the text is decoded.
        let close = self.tokens[self.mark - 1];
        let end = (close.lineno, close.end_col);
        for part in parts {
            if self.node(part).kind == NodeKind::Token {
                self.decode_part(part, raw, end)?;
            }
        }
        let kind = if template { NodeKind::TemplateStr } else { NodeKind::JoinedStr };
        Ok(Some(self.make(kind, start, &[])))
    }

    fn concatenation(&mut self, list: NodeId, start: usize) -> Match {
        let parts: Vec<NodeKind> = self.children_of(list).iter().map(|&id| self.node(id).kind).collect();
        let bytes = parts.iter().filter(|&&kind| kind == NodeKind::Bytes).count();
        if bytes > 0 && bytes < parts.len() {
            self.raise_last(ErrorKind::SyntaxError, "cannot mix bytes and nonbytes literals");
            return Err(Raised);
        }
        let joined = parts.contains(&NodeKind::JoinedStr);
        let kind = if joined { NodeKind::JoinedStr } else { NodeKind::Str };
        Ok(Some(self.make(kind, start, &[])))
    }

    fn conversion(&mut self, mark: NodeId, name: NodeId, start: usize) -> Match {
        let (mark, token) = (self.first_token(mark), self.first_token(name));
        let letter = if self.in_template(start) { 't' } else { 'f' };
        if mark.end_lineno != token.lineno || mark.end_col != token.col {
            let msg = format!("{letter}-string: conversion type must come right after the exclamation mark");
            let raw = RawPlace {
                lineno: mark.lineno,
                col: mark.col + 1,
                end_lineno: token.end_lineno,
                end_col: token.end_col + 1,
            };
            self.raise_at(ErrorKind::SyntaxError, raw, &msg);
            return Err(Raised);
        }
        let text = token.text(self.source);
        if !matches!(text, "s" | "r" | "a") {
            let msg =
                format!("{letter}-string: invalid conversion character '{text}': expected 's', 'r', or 'a'");
            self.raise_nodes(name, name, &msg);
            return Err(Raised);
        }
        Ok(Some(ABSENT))
    }

    fn in_template(&self, at: usize) -> bool {
        let mut depth = 0;
        for token in self.tokens[..at].iter().rev() {
            match token.kind {
                Kind::FSTRING_END | Kind::TSTRING_END => depth += 1,
                Kind::FSTRING_START | Kind::TSTRING_START if depth == 0 => {
                    return token.kind == Kind::TSTRING_START;
                }
                Kind::FSTRING_START | Kind::TSTRING_START => depth -= 1,
                _ => {}
            }
        }
        false
    }
}
