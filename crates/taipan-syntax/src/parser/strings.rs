//! String literals: their concatenation, and the fields of f-strings and t-strings.
//!
//! Neighbouring literals become one node. Where any of them has fields the node is a `JoinedStr`
//! (a `TemplateStr` for t-strings), whose constant parts are merged and empty ones dropped.

use std::rc::Rc;

use taipan_text::PyStrBuilder;

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::diagnose::character_offset;
use crate::error::{ErrorKind, ErrorPlace, ParseError, Warning};
use crate::literal::{self, InvalidEscape};
use crate::token::{Kind, Token};

fn str_constant(range: Range, value: PyStr, kind: Option<PyStr>) -> Expr {
    Expr { range, kind: ExprKind::Constant(ExprConstant { value: Constant::Str(value), kind }) }
}

/// Merges neighbouring constants and drops empty ones.
pub(crate) fn merge_parts(parts: Vec<Expr>) -> Vec<Expr> {
    let mut out: Vec<Expr> = Vec::with_capacity(parts.len());
    let mut text = PyStrBuilder::default();
    let mut run: Option<(Range, Option<PyStr>)> = None;
    let flush = |out: &mut Vec<Expr>, text: &mut PyStrBuilder, run: &mut Option<(Range, Option<PyStr>)>| {
        if let Some((range, kind)) = run.take()
            && !text.is_empty()
        {
            out.push(str_constant(range, text.take(), kind));
        }
    };
    for part in parts {
        match part.kind {
            ExprKind::Constant(ExprConstant { value: Constant::Str(value), kind }) => {
                text.push_pystr(&value);
                match &mut run {
                    Some((range, _)) => *range = range.to(part.range),
                    None => run = Some((part.range, kind)),
                }
            }
            _ => {
                flush(&mut out, &mut text, &mut run);
                out.push(part);
            }
        }
    }
    flush(&mut out, &mut text, &mut run);
    out
}

/// The source of a field's expression with its comments taken out.
pub(crate) fn expression_text(source: &str) -> String {
    if !source.contains('#') {
        return source.to_owned();
    }
    let mut out = String::with_capacity(source.len());
    let mut quote = None;
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quote.is_some() => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            '#' if quote.is_none() => {
                if chars.by_ref().any(|c| c == '\n') {
                    out.push('\n');
                }
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// What is collected about one field before its node is made.
struct Field {
    start: usize,
    value: Expr,
    /// The `=` that asks for the expression's text.
    equals: Option<Token>,
    conversion: Option<(char, Token)>,
    format_spec: Option<Expr>,
    /// The token that ends the expression's text.
    stop: Token,
}

fn bytes_value(parts: &literal::StringParts<'_>) -> Parse<(Constant, Option<InvalidEscape>)> {
    if !parts.body.is_ascii() {
        return Err(Fail);
    }
    let (value, invalid) = literal::decode_bytes(parts.body, parts.raw).map_err(|_| Fail)?;
    Ok((Constant::Bytes(value), invalid))
}

/// An escape to be warned about: the token, its text, the place in it.
type Escape<'s> = (Token, (&'s str, InvalidEscape));

impl<'s> Parser<'s> {
    pub(super) fn strings(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if self.at(Kind::STRING) && !matches!(self.next, Kind::STRING | Kind::FSTRING_START) {
            let (value, kind) = self.plain_string()?;
            if self.at(Kind::TSTRING_START) {
                return Err(Fail);
            }
            return Ok(self.expr(start, ExprKind::Constant(ExprConstant { value, kind })));
        }
        let mut parts = Vec::new();
        let (mut fields, mut template, mut plain, mut bytes) = (false, false, false, None);
        loop {
            match self.kind() {
                Kind::STRING => {
                    plain = true;
                    let first = self.pos;
                    let (value, kind) = self.plain_string()?;
                    let is_bytes = matches!(value, Constant::Bytes(_));
                    if *bytes.get_or_insert(is_bytes) != is_bytes {
                        return Err(Fail);
                    }
                    parts.push(self.expr(first, ExprKind::Constant(ExprConstant { value, kind })));
                }
                Kind::FSTRING_START | Kind::TSTRING_START => {
                    let is_template = self.at(Kind::TSTRING_START);
                    (template, fields) = (template | is_template, fields | !is_template);
                    if *bytes.get_or_insert(false) {
                        return Err(Fail);
                    }
                    self.joined(&mut parts)?;
                    if is_template {
                        self.require_behind(14, "t-strings are")?;
                    }
                }
                _ => break,
            }
        }
        if template && (plain || fields) {
            return Err(Fail);
        }
        if bytes == Some(true) {
            return Ok(self.expr(start, concatenate_bytes(parts)));
        }
        let values = if fields || template { merge_parts(parts) } else { merge_plain(parts) };
        if template {
            return Ok(self.expr(start, ExprTemplateStr { values }));
        }
        if fields {
            return Ok(self.expr(start, ExprJoinedStr { values }));
        }
        let only = values.into_iter().next().ok_or(Fail)?;
        Ok(self.expr(start, only.kind))
    }

    /// One literal without fields: its value and whether it is marked `u`.
    fn plain_string(&mut self) -> Parse<(Constant, Option<PyStr>)> {
        let at = self.pos;
        self.bump();
        let parts = literal::split_string(self.tokens[at].text(self.source));
        let (value, invalid) = if parts.bytes {
            bytes_value(&parts)?
        } else {
            let (value, invalid) = literal::decode_text(parts.body, parts.raw).map_err(|_| Fail)?;
            (Constant::Str(value), invalid)
        };
        if invalid.is_some() {
            let token = self.tokens[at];
            let at_body = Token { col: token.col + parts.body_start as i32, ..token };
            self.warn_escape(at_body, parts.body, invalid);
        }
        Ok((value, parts.unicode.then(|| PyStr::from("u"))))
    }

    #[cold]
    fn warn_escape(&mut self, token: Token, body: &str, invalid: Option<InvalidEscape>) {
        if let Some(invalid) = invalid
            && let Some(warning) = escape_warning(self.source, token, body, invalid)
        {
            self.warnings.push(warning);
        }
    }

    /// One f- or t-string: its parts are added to `parts`.
    fn joined(&mut self, parts: &mut Vec<Expr>) -> Parse<()> {
        let open = self.bump();
        let raw = open.text(self.source).contains(['r', 'R']);
        let mut escapes = Vec::new();
        loop {
            match self.kind() {
                Kind::FSTRING_MIDDLE | Kind::TSTRING_MIDDLE => {
                    let (part, escape) = self.middle(raw)?;
                    parts.push(part);
                    escapes.extend(escape);
                }
                Kind::FSTRING_END | Kind::TSTRING_END => {
                    // Such text is decoded at the string's end, from where its lines are counted.
                    let Token { lineno, start, end, col, .. } = self.bump();
                    for (token, escape) in escapes {
                        let token = Token { lineno, end, col: col + (end - start) as i32, ..token };
                        self.warn_escape(token, escape.0, Some(escape.1));
                    }
                    return Ok(());
                }
                Kind::LBRACE => self.field(parts, open.kind == Kind::TSTRING_START, raw)?,
                _ => return Err(Fail),
            }
        }
    }

    fn middle(&mut self, raw: bool) -> Parse<(Expr, Option<Escape<'s>>)> {
        let start = self.pos;
        let token = self.bump();
        let body = token.text(self.source);
        let (value, invalid) = literal::decode_text(body, raw).map_err(|_| Fail)?;
        let escape = invalid.map(|invalid| (token, (body, invalid)));
        Ok((str_constant(self.range_from(start), value, None), escape))
    }

    /// A replacement field: `{value = !conversion :format}`.
    fn field(&mut self, parts: &mut Vec<Expr>, template: bool, raw: bool) -> Parse<()> {
        let start = self.pos;
        self.bump();
        let value = self.annotated_rhs()?;
        let equals = if self.at(Kind::EQUAL) { Some(self.bump()) } else { None };
        let stop = self.token();
        let mut conversion = None;
        if self.eat(Kind::EXCLAMATION) {
            let token = self.expect(Kind::NAME)?;
            let letter = match token.text(self.source) {
                "s" => 's',
                "r" => 'r',
                "a" => 'a',
                _ => return Err(Fail),
            };
            if token.start != stop.end {
                return Err(Fail);
            }
            conversion = Some((letter, token));
        }
        let format_spec = if self.at(Kind::COLON) { Some(self.format_spec(raw)?) } else { None };
        self.expect(Kind::RBRACE)?;
        let field = Field { start, value, equals, conversion, format_spec, stop };
        self.finish_field(parts, field, template);
        Ok(())
    }

    fn finish_field(&mut self, parts: &mut Vec<Expr>, field: Field, template: bool) {
        let Field { start, value, equals, conversion, format_spec, stop } = field;
        let open = self.tokens[start];
        let whole = self.range_from(start);
        let letter = match conversion {
            Some((letter, _)) => letter as i32,
            None if equals.is_some() && format_spec.is_none() => 'r' as i32,
            None => -1,
        };
        let text = |end: u32| expression_text(&self.source[open.end as usize..end as usize]);
        if equals.is_some() {
            let (line, col) = match (&conversion, &format_spec) {
                (Some((_, token)), _) => (token.lineno, token.col),
                (None, Some(spec)) => (spec.range.lineno, spec.range.col_offset + 1),
                _ => (whole.end_lineno, whole.end_col_offset),
            };
            let range = Range {
                col_offset: whole.col_offset + 1,
                end_lineno: line,
                end_col_offset: col - 1,
                ..whole
            };
            parts.push(str_constant(range, PyStr::from(text(stop.start)), None));
        }
        let kind = if template {
            let str = Constant::Str(PyStr::from(text(equals.map_or(stop.start, |token| token.start))));
            ExprInterpolation { value, str, conversion: letter, format_spec }.into()
        } else {
            ExprFormattedValue { value, conversion: letter, format_spec }.into()
        };
        parts.push(Expr { range: whole, kind });
    }

    fn format_spec(&mut self, raw: bool) -> Parse<Expr> {
        let start = self.pos;
        self.bump();
        let mut values = Vec::new();
        loop {
            match self.kind() {
                Kind::FSTRING_MIDDLE | Kind::TSTRING_MIDDLE => {
                    let (part, escape) = self.middle(raw)?;
                    values.push(part);
                    if let Some((token, (body, invalid))) = escape {
                        self.warn_escape(token, body, Some(invalid));
                    }
                }
                Kind::LBRACE => self.field(&mut values, false, raw)?,
                _ => break,
            }
        }
        let values = merge_parts(values);
        Ok(self.expr(start, ExprJoinedStr { values }))
    }
}

/// The warning for an escape that is kept as written; the lexer has already warned about braces.
/// The token's column is where `body` begins.
pub(crate) fn escape_warning(
    source: &str,
    token: Token,
    body: &str,
    invalid: InvalidEscape,
) -> Option<Warning> {
    let rest = &body[invalid.at..];
    let c = rest.chars().next()?;
    let middle = matches!(token.kind, Kind::FSTRING_MIDDLE | Kind::TSTRING_MIDDLE);
    if middle && matches!(c, '{' | '}') {
        return None;
    }
    let (msg, error_msg) = if ('4'..='7').contains(&c) {
        literal::invalid_octal_messages(&rest[..3])
    } else {
        literal::invalid_escape_messages(c)
    };
    let backslash = invalid.at - 1;
    let lineno = token.lineno + body[..backslash].matches('\n').count() as i32;
    let col = match body[..backslash].rfind('\n') {
        Some(newline) => backslash - newline - 1,
        None => token.col.max(0) as usize + backslash,
    };
    let error = escape_error(source, error_msg, lineno, col);
    Some(Warning { msg, lineno, at: token.end, error: Some(Box::new(error)) })
}

/// The error when warnings are errors: it covers the backslash and the character behind it.
fn escape_error(source: &str, msg: String, lineno: i32, col: usize) -> ParseError {
    let index = usize::try_from(lineno - 1).unwrap_or(0);
    let line = source.split_inclusive('\n').nth(index).unwrap_or("");
    // Lines counted from the end of an f-string can lie behind the text.
    let offset_of = |col: i32| if line.is_empty() { col } else { character_offset(line, col) };
    let (offset, end_offset) = (offset_of(col as i32 + 1), offset_of(col as i32 + 3));
    let place = ErrorPlace {
        lineno,
        offset,
        end_lineno: Some(lineno),
        end_offset: Some(end_offset),
        text: Some(line.to_owned()),
    };
    ParseError { kind: ErrorKind::SyntaxError, msg, place: Some(place) }
}

fn concatenate_bytes(parts: Vec<Expr>) -> ExprKind {
    let mut all = Vec::new();
    for part in &parts {
        if let ExprKind::Constant(ExprConstant { value: Constant::Bytes(bytes), .. }) = &part.kind {
            all.extend_from_slice(bytes);
        }
    }
    ExprKind::Constant(ExprConstant { value: Constant::Bytes(Rc::from(all)), kind: None })
}

/// Merges literals without fields into one, which may be empty.
fn merge_plain(parts: Vec<Expr>) -> Vec<Expr> {
    let mut text = PyStrBuilder::default();
    let mut first: Option<(Range, Option<PyStr>)> = None;
    for part in parts {
        if let ExprKind::Constant(ExprConstant { value: Constant::Str(value), kind }) = part.kind {
            text.push_pystr(&value);
            first.get_or_insert((part.range, kind));
        }
    }
    first.map(|(range, kind)| str_constant(range, text.take(), kind)).into_iter().collect()
}
