//! From tokens to the syntax tree: recursive descent for statements, precedence climbing for
//! operators.
//!
//! This parser knows the language and nothing of error messages: where the text is not Python it
//! stops with [`Fail`], and the error pass (`diagnose/`) reads the text anew to find the words and
//! the place. So the path that correct programs take stays short and quick, and the slow search for
//! the best message is paid for by wrong programs only.
//!
//! Depth: nesting by brackets is bounded by the lexer (200) and by blocks (100); what can recurse
//! without either (`lambda`, `**`) is counted; everything else that repeats is a loop.

mod args;
mod atom;
mod compound;
mod expr;
mod params;
mod pattern;
mod stmt;
mod strings;
mod target;
mod versions;

pub(crate) use versions::NEWEST;

pub(crate) use strings::escape_warning;

use taipan_text::hash::{NumberTable, fast_hash_text};

use crate::ast::*;
use crate::error::Warning;
use crate::lexer::{LexOptions, Lexer};
use crate::token::{Kind, Token};
use crate::unicode;

/// The text is not Python, or beyond what the parser takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fail;

type Parse<T> = Result<T, Fail>;

/// How many prefix operators, conditionals or `elif`s may follow one another: CPython's parser recurses for each
/// and gives up there. Ours does not, but the error pass tells the same story.
const MAX_CHAIN: usize = 5968;

/// How deep constructs that no bracket bounds may nest.
const MAX_DEPTH: u32 = 1000;

pub(crate) struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    pos: usize,
    /// Kind of the token at `pos`, and of the one behind it.
    kind: Kind,
    next: Kind,
    depth: u32,
    /// The identifiers so far, each once.
    names: Vec<Identifier>,
    name_index: NumberTable,
    type_ignores: Vec<TypeIgnore>,
    warnings: Vec<Warning>,
    max_digits: usize,
    barry: bool,
    /// Items of lists under construction, one list behind the other. So each list is allocated once, in its size.
    items: Vec<Expr>,
    /// Empty lists of statements, kept for their memory.
    spare_bodies: Vec<Vec<Stmt>>,
    feature_version: u8,
    own_error: Option<Box<crate::ParseError>>,
    /// Whether the statement under way holds something for [`crate::Parsed::notable`], and which ones did.
    notable: bool,
    notables: Vec<u32>,
    /// Whether there is the name `__debug__`.
    has_debug: bool,
}

/// What the parser is to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub mode: crate::Mode,
    pub type_comments: bool,
    pub dont_imply_dedent: bool,
    pub max_digits: usize,
    pub barry: bool,
    pub feature_version: u8,
}

/// What comes of the text, or nothing; or the error for text that is too new.
pub(crate) fn parse(source: &str, settings: Settings) -> Result<crate::Parsed, Option<Box<crate::Rejected>>> {
    let mut parser = Parser {
        source,
        tokens: Vec::with_capacity(source.len() / 4 + 8),
        pos: 0,
        kind: Kind::ENDMARKER,
        next: Kind::ENDMARKER,
        depth: 0,
        names: Vec::new(),
        name_index: NumberTable::with_capacity(source.len() / 128),
        type_ignores: Vec::new(),
        warnings: Vec::new(),
        max_digits: settings.max_digits,
        barry: settings.barry,
        items: Vec::new(),
        spare_bodies: Vec::new(),
        feature_version: settings.feature_version,
        own_error: None,
        notable: false,
        notables: Vec::new(),
        has_debug: false,
    };
    parser.tokenize(settings).map_err(|Fail| None)?;
    let module = match settings.mode {
        crate::Mode::Exec => parser.file(),
        crate::Mode::Single => parser.interactive(),
        crate::Mode::Eval => parser.eval(),
        crate::Mode::FuncType => parser.func_type(),
    };
    let module = match (module, parser.own_error) {
        (_, Some(error)) => {
            return Err(Some(Box::new(crate::Rejected {
                error: *error,
                warnings: parser.warnings,
                last_statement: (0, 0),
            })));
        }
        (Err(Fail), None) => return Err(None),
        (Ok(module), None) => module,
    };
    // The lexer ran ahead: its warnings go where the parser would have asked for the token.
    parser.warnings.sort_by_key(|w| w.at);
    let notable = (settings.mode == crate::Mode::Exec && !parser.has_debug).then_some(parser.notables);
    Ok(crate::Parsed { module, warnings: parser.warnings, notable })
}

impl<'s> Parser<'s> {
    fn tokenize(&mut self, settings: Settings) -> Parse<()> {
        let options = LexOptions { type_comments: settings.type_comments, extra_tokens: false };
        let mut lexer = Lexer::new(self.source, options);
        let mut started = false;
        loop {
            let before = self.tokens.len();
            lexer.plain_tokens(&mut self.tokens);
            started |= self.tokens.len() > before;
            let mut token = lexer.next_token();
            match token.kind {
                Kind::ERRORTOKEN => return Err(Fail),
                Kind::TYPE_IGNORE => {
                    let tag = PyStr::from(token.text(self.source));
                    self.type_ignores.push(TypeIgnore { lineno: token.lineno, tag });
                    continue;
                }
                Kind::ENDMARKER if settings.mode == crate::Mode::Single && started => {
                    // A single statement need not end in a newline, nor close its blocks.
                    started = false;
                    token.kind = Kind::NEWLINE;
                    if !settings.dont_imply_dedent {
                        lexer.close_blocks();
                    }
                }
                _ => started = true,
            }
            self.tokens.push(token);
            if token.kind == Kind::ENDMARKER {
                break;
            }
        }
        self.warnings = lexer.take_warnings();
        // Looking a few tokens ahead never leaves the list.
        let end = self.tokens[self.tokens.len() - 1];
        self.tokens.extend([end; 4]);
        self.go_to(0);
        Ok(())
    }

    #[inline]
    fn kind(&self) -> Kind {
        self.kind
    }

    /// Goes back to a token.
    fn go_to(&mut self, pos: usize) {
        self.pos = pos;
        self.kind = self.kind_at(0);
        self.next = self.kind_at(1);
    }

    #[inline]
    fn kind_at(&self, ahead: usize) -> Kind {
        self.tokens[(self.pos + ahead).min(self.tokens.len() - 1)].kind
    }

    #[inline]
    fn token(&self) -> Token {
        self.tokens[self.pos]
    }

    /// The current token, passed over; the end stays.
    #[inline]
    fn bump(&mut self) -> Token {
        let token = self.tokens[self.pos];
        if let Some(after) = self.tokens.get(self.pos + 2) {
            self.pos += 1;
            self.kind = self.next;
            self.next = after.kind;
        }
        token
    }

    #[inline]
    fn at(&self, kind: Kind) -> bool {
        self.kind() == kind
    }

    #[inline]
    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    #[inline]
    fn expect(&mut self, kind: Kind) -> Parse<Token> {
        if self.kind() == kind { Ok(self.bump()) } else { Err(Fail) }
    }

    /// Text of the token, for soft keywords.
    fn word_at(&self, ahead: usize) -> &'s str {
        let token = &self.tokens[self.pos + ahead];
        if token.kind == Kind::NAME { token.text(self.source) } else { "" }
    }

    /// The range from token `start` to the token before the current one.
    #[inline]
    fn range_from(&self, start: usize) -> Range {
        let (first, last) = (&self.tokens[start], &self.tokens[self.pos - 1]);
        Range {
            lineno: first.lineno,
            col_offset: first.col,
            end_lineno: last.end_lineno,
            end_col_offset: last.end_col,
        }
    }

    /// The same for a statement that may end with a block: line ends and dedents do not count.
    fn block_range_from(&self, start: usize) -> Range {
        let mut end = self.pos - 1;
        while end > start
            && matches!(self.tokens[end].kind, Kind::NEWLINE | Kind::INDENT | Kind::DEDENT | Kind::ENDMARKER)
        {
            end -= 1;
        }
        let (first, last) = (&self.tokens[start], &self.tokens[end]);
        Range {
            lineno: first.lineno,
            col_offset: first.col,
            end_lineno: last.end_lineno,
            end_col_offset: last.end_col,
        }
    }

    #[inline]
    fn expr(&self, start: usize, kind: impl Into<ExprKind>) -> Expr {
        Expr { range: self.range_from(start), kind: kind.into() }
    }

    /// The identifier with this text; equal ones share it.
    #[inline]
    fn identifier(&mut self, text: &str) -> Identifier {
        let hash = fast_hash_text(text);
        // What is there is in normal form, so what equals it is, too.
        match self.known_name(text, hash) {
            Some(name) => name,
            None if text.is_ascii() => self.add_name(text, hash),
            None => self.normal_identifier(text),
        }
    }

    /// A word with other letters; its normal form may be one that no identifier can have.
    #[cold]
    fn normal_identifier(&mut self, text: &str) -> Identifier {
        let normal = unicode::nfkc(text);
        if matches!(&*normal, "None" | "True" | "False") {
            let error = crate::ParseError {
                kind: crate::ErrorKind::ValueError,
                msg: format!("identifier field can't represent '{normal}' constant"),
                place: None,
            };
            self.own_error.get_or_insert_with(|| Box::new(error));
        }
        let hash = fast_hash_text(&normal);
        self.known_name(&normal, hash).unwrap_or_else(|| self.add_name(&normal, hash))
    }

    #[inline]
    fn known_name(&self, text: &str, hash: u64) -> Option<Identifier> {
        let at = self.name_index.find(hash, |at| *self.names[at as usize] == *text)?;
        Some(self.names[at as usize].clone())
    }

    fn add_name(&mut self, text: &str, hash: u64) -> Identifier {
        let name = Identifier::from(text);
        self.has_debug |= text == "__debug__";
        self.name_index.insert(hash, self.names.len() as u32);
        self.names.push(name.clone());
        name
    }

    fn name(&mut self) -> Parse<Identifier> {
        let token = self.expect(Kind::NAME)?;
        Ok(self.identifier(token.text(self.source)))
    }

    fn name_expr(&mut self, ctx: ExprContext) -> Parse<Expr> {
        let start = self.pos;
        let id = self.name()?;
        Ok(self.expr(start, ExprKind::Name(ExprName { id, ctx })))
    }

    fn type_comment(&mut self) -> Option<PyStr> {
        if !self.at(Kind::TYPE_COMMENT) {
            return None;
        }
        Some(PyStr::from(self.bump().text(self.source)))
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Fail);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The list of the items put down since there were `start` of them.
    #[inline]
    fn take_items(&mut self, start: usize) -> Vec<Expr> {
        self.items.split_off(start)
    }

    /// Tries `inner`; where it fails everything is as if it had not been tried.
    fn attempt<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Option<T> {
        let (pos, depth, warnings) = (self.pos, self.depth, self.warnings.len());
        let items = self.items.len();
        match inner(self) {
            Ok(value) => Some(value),
            Err(Fail) => {
                self.go_to(pos);
                self.depth = depth;
                self.warnings.truncate(warnings);
                self.items.truncate(items);
                None
            }
        }
    }

    fn file(&mut self) -> Parse<Mod> {
        let mut body = Vec::new();
        while !self.at(Kind::ENDMARKER) {
            let first = body.len() as u32;
            self.notable = false;
            self.statement(&mut body)?;
            if self.notable {
                self.notables.extend(first..body.len() as u32);
            }
        }
        let type_ignores = std::mem::take(&mut self.type_ignores);
        Ok(Mod::Module(ModModule { body, type_ignores }))
    }

    fn interactive(&mut self) -> Parse<Mod> {
        let mut body = Vec::new();
        match self.kind() {
            Kind::NEWLINE => {
                let range = self.range_of(self.token());
                body.push(Stmt { range, kind: StmtKind::Pass });
                self.bump();
            }
            Kind::ENDMARKER => return Err(Fail),
            _ => {
                if self.at_compound_statement() && self.compound_statement(&mut body)? {
                    self.expect(Kind::NEWLINE)?;
                } else {
                    self.simple_statements(&mut body)?;
                }
            }
        }
        if self.pos < 1 || self.more_text(self.tokens[self.pos - 1].end as usize) {
            return Err(Fail);
        }
        Ok(Mod::Interactive(ModInteractive { body }))
    }

    /// Whether anything but white space and comments is left behind byte `at`.
    fn more_text(&self, at: usize) -> bool {
        let mut comment = false;
        self.source.as_bytes()[at..].iter().any(|&b| {
            comment = (comment || b == b'#') && b != b'\n';
            !comment && !matches!(b, b' ' | b'\t' | b'\n' | 12)
        })
    }

    fn range_of(&self, token: Token) -> Range {
        Range {
            lineno: token.lineno,
            col_offset: token.col,
            end_lineno: token.end_lineno,
            end_col_offset: token.end_col,
        }
    }

    fn eval(&mut self) -> Parse<Mod> {
        let body = self.expressions()?;
        while self.eat(Kind::NEWLINE) {}
        self.expect(Kind::ENDMARKER)?;
        Ok(Mod::Expression(ModExpression { body }))
    }

    /// `(int, *str, **dict) -> bool`, the form of function type comments.
    fn func_type(&mut self) -> Parse<Mod> {
        self.expect(Kind::LPAR)?;
        let mut argtypes = Vec::new();
        let (mut starred, mut double_starred) = (false, false);
        while !self.at(Kind::RPAR) {
            if self.eat(Kind::DOUBLESTAR) {
                double_starred = true;
            } else if self.eat(Kind::STAR) {
                if starred {
                    return Err(Fail);
                }
                starred = true;
            } else if starred {
                return Err(Fail);
            }
            argtypes.push(self.expression()?);
            if double_starred || self.at(Kind::RPAR) {
                break;
            }
            self.expect(Kind::COMMA)?;
            if self.at(Kind::RPAR) {
                return Err(Fail);
            }
        }
        self.expect(Kind::RPAR)?;
        self.expect(Kind::RARROW)?;
        let returns = self.expression()?;
        while self.eat(Kind::NEWLINE) {}
        self.expect(Kind::ENDMARKER)?;
        Ok(Mod::FunctionType(ModFunctionType { argtypes, returns }))
    }
}
