//! `_tokenize`: the front end's own tokens, for the library's `tokenize`.

use crate::compile::{parse_error, syntax_error_at};
use core::cell::{Cell, RefCell};
use std::rc::Rc;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern, payload, state};
use taipan_syntax::lexer::{LexError, LexOptions, Lexer};
use taipan_syntax::token::{Kind, Token};
use taipan_syntax::{ErrorKind, ErrorPlace, ParseError};

/// A token as the library wants it, in characters.
struct Row {
    kind: u8,
    text: String,
    start: (i32, i32),
    end: (i32, i32),
    /// Shared by the tokens of a line, which may be long and many.
    line: Rc<str>,
}

/// What is left to give out: rows, then perhaps an error.
#[derive(Default)]
struct Rest {
    rows: std::collections::VecDeque<Row>,
    error: Option<PyErr>,
    /// The line of the token given out last, and the str of it.
    line: Option<(Rc<str>, Ref<Str>)>,
}

/// An iterator over the tokens of what `readline` gives.
pub struct Tokens {
    readline: Field,
    encoding: Field,
    extra: bool,
    started: Cell<bool>,
    rest: RefCell<Rest>,
}
payload!(Tokens, TOKENS, c"_tokenize.TokenizerIter", GC, [readline, encoding]);
type View = Native<Tokens>;

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    taipan_object::bind!(bound = "tokenizeriter" "(readline, /, *, encoding=None, extra_tokens=False)", args, kwargs);
    let tokens = Tokens {
        readline: Field::of(bound.required(0)),
        encoding: Field::new(bound.get_some(1).map(Object::new_ref)),
        extra: bound.bool_or(2, false)?,
        started: Cell::new(false),
        rest: RefCell::default(),
    };
    Ok(native_new(ty, tokens)?.upcast())
}

/// The whole source: lines until one is empty or the iterator has ended.
fn read(tokens: &View) -> PyResult<String> {
    let Some(readline) = tokens.readline.get() else { return Ok(String::new()) };
    let encoding = match tokens.encoding.get() {
        Some(encoding) => Some(encoding.str()?.to_lossy()),
        None => None,
    };
    let mut source = String::new();
    loop {
        let line = match readline.call(&[]) {
            Ok(line) => line,
            Err(error) => {
                error.allow::<()>(&PyExc_StopIteration)?;
                return Ok(source);
            }
        };
        let before = source.len();
        match &encoding {
            Some(encoding) => {
                let Some(bytes) = line.downcast::<Bytes>() else {
                    return Err(type_error("readline() returned a non-bytes object"));
                };
                let decoded = (state::interp().hooks.get().decode)(bytes.as_slice(), encoding, "replace")?;
                source.push_str(&decoded.str()?.to_lossy());
            }
            None => {
                let Some(text) = line.downcast::<Str>() else {
                    return Err(type_error("readline() returned a non-string object"));
                };
                source.push_str(&text.to_lossy());
            }
        }
        if source.len() == before {
            return Ok(source);
        }
    }
}

/// First line, last line, and their text.
type SharedText = ((i32, i32), Rc<str>);

/// The source with plain line ends, and where its lines begin.
struct Lines<'a> {
    original: Vec<&'a str>,
    plain: String,
    starts: Vec<usize>,
    /// The text of the lines that were asked for last.
    shared: RefCell<Option<SharedText>>,
    /// A place whose column in characters is known: line, column in bytes, column in characters.
    known: Cell<(i32, usize, i32)>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a str) -> Self {
        let original: Vec<&str> = source.split_inclusive('\n').collect();
        let mut plain = String::with_capacity(source.len());
        let mut starts = Vec::with_capacity(original.len());
        for line in &original {
            starts.push(plain.len());
            match line.strip_suffix("\r\n") {
                Some(text) => {
                    plain.push_str(text);
                    plain.push('\n');
                }
                None => plain.push_str(line),
            }
        }
        // A last line without its end gets one, which is not shown.
        if !plain.is_empty() && !plain.ends_with('\n') {
            plain.push('\n');
        }
        Self { original, plain, starts, shared: RefCell::default(), known: Cell::default() }
    }

    /// The text of the lines from `first` to `last`, counted from 1.
    fn text(&self, first: i32, last: i32) -> String {
        let index = |line: i32| usize::try_from(line - 1).unwrap_or(0).min(self.original.len());
        let (first, last) = (index(first), index(last + 1));
        self.original.get(first..last.max(first)).map(|lines| lines.concat()).unwrap_or_default()
    }

    /// As [`text`](Lines::text); one text for all that ask for the same lines in turn.
    fn shared_text(&self, first: i32, last: i32) -> Rc<str> {
        let mut shared = self.shared.borrow_mut();
        match &*shared {
            Some((lines, text)) if *lines == (first, last) => text.clone(),
            _ => shared.insert(((first, last), self.text(first, last).into())).1.clone(),
        }
    }

    /// Whether the last line holds white space or a comment only.
    fn ends_idle(&self) -> bool {
        self.original.last().is_none_or(|line| {
            let text = line.trim_start_matches([' ', '\t', '\x0c']);
            text.is_empty() || text.starts_with(['#', '\n', '\r'])
        })
    }

    /// A byte column of a line in characters.
    fn column(&self, line: i32, column: i32) -> i32 {
        let Ok(bytes) = usize::try_from(column) else { return column };
        let Some(start) = usize::try_from(line - 1).ok().and_then(|line| self.starts.get(line)) else {
            return column;
        };
        // Tokens come in order: what was counted for the last one is not counted again.
        let (from, counted) = match self.known.get() {
            (known, from, counted) if known == line && from <= bytes => (from, counted),
            _ => (0, 0),
        };
        let Some(between) = self.plain.get(start + from..start + bytes) else { return column };
        let characters = counted + between.chars().count() as i32;
        self.known.set((line, bytes, characters));
        characters
    }
}

fn is_string(kind: Kind) -> bool {
    matches!(kind, Kind::STRING | Kind::FSTRING_MIDDLE | Kind::TSTRING_MIDDLE)
}

/// The rows of a source and the error that ends them.
fn tokenize(whole: &str, extra: bool) -> Rest {
    // A line with a NUL is never read: the tokens end before it.
    let nul = whole.find('\0');
    let cut = nul.map_or(whole.len(), |at| whole[..at].rfind('\n').map_or(0, |newline| newline + 1));
    let source = &whole[..cut];
    let null_byte = || {
        let line = source.matches('\n').count() as i32 + 1;
        let before = nul.map_or("", |at| &whole[cut..at]);
        let error = ParseError {
            kind: ErrorKind::SyntaxError,
            msg: "source code cannot contain null bytes".to_owned(),
            place: Some(ErrorPlace {
                lineno: line,
                offset: 0,
                end_lineno: Some(line),
                end_offset: Some(0),
                text: Some(before.to_owned()),
            }),
        };
        parse_error(&error, intern!("<string>"))
    };
    let lines = Lines::new(source);
    let implicit_newline = !source.is_empty() && !source.ends_with('\n');
    let last_line = lines.original.len() as i32;
    let mut lexer = Lexer::new(&lines.plain, LexOptions { type_comments: false, extra_tokens: extra });
    let mut rest = Rest::default();
    loop {
        let token = lexer.next_token();
        if token.kind == Kind::ERRORTOKEN {
            let cut_off = lexer.unterminated_at_end() || matches!(lexer.error(), Some(LexError::Eof));
            let at_nul = nul.is_some() && cut_off;
            rest.error = Some(if at_nul { null_byte() } else { failure(&lexer, &lines) });
            return rest;
        }
        let trailing = token.kind == Kind::ENDMARKER || token.kind == Kind::DEDENT && lexer.reached_end();
        if trailing && nul.is_some() {
            rest.error = Some(null_byte());
            return rest;
        }
        let mut row = Row {
            kind: if token.kind.is_keyword() { Kind::NAME as u8 } else { token.kind as u8 },
            text: token.text(&lines.plain).to_owned(),
            start: (token.lineno, lines.column(token.lineno, token.col)),
            end: (token.end_lineno, lines.column(token.end_lineno, token.end_col)),
            line: line_of(&token, &lines),
        };
        if !extra && token.kind == Kind::NEWLINE {
            // Up to the line's end, comment and carriage return included.
            let line = lines.text(token.lineno, token.lineno);
            let line = line.strip_suffix('\n').unwrap_or(&line);
            row.text = line.get(token.col as usize..).unwrap_or("").to_owned();
            row.end = (row.start.0, row.start.1 + row.text.chars().count() as i32);
        }
        if trailing && lines.ends_idle() {
            row.line = Rc::default();
        }
        if extra {
            let at_last = token.end_lineno >= last_line;
            adjust(&mut row, &token, trailing, implicit_newline && at_last, &lines);
            if trailing {
                let line = last_line + 1;
                row.start = (line, 0);
                row.end = (line, 0);
                row.line = Rc::default();
            }
        }
        rest.rows.push_back(row);
        if token.kind == Kind::ENDMARKER {
            return rest;
        }
    }
}

fn line_of(token: &Token, lines: &Lines<'_>) -> Rc<str> {
    let first = if is_string(token.kind) { token.lineno } else { token.end_lineno };
    lines.shared_text(first, token.end_lineno)
}

/// What `tokenize` has otherwise than the parser.
fn adjust(row: &mut Row, token: &Token, trailing: bool, implicit_newline: bool, lines: &Lines<'_>) {
    let kind = token.kind as u8;
    if kind > Kind::DEDENT as u8 && kind < Kind::OP as u8 {
        row.kind = Kind::OP as u8;
    } else if token.kind == Kind::NEWLINE || token.kind == Kind::NL {
        let crlf = lines.text(token.lineno, token.lineno).ends_with("\r\n");
        row.text = match (implicit_newline, crlf) {
            (true, _) => String::new(),
            (false, true) => "\r\n".to_owned(),
            (false, false) => "\n".to_owned(),
        };
        let width = if crlf && !implicit_newline { 2 } else { 1 };
        row.end = (row.start.0, row.start.1 + width);
    } else if (token.kind == Kind::DEDENT || token.kind == Kind::INDENT) && !trailing && row.start.1 < 0 {
        row.start.1 = 0;
        row.end.1 = 0;
    }
}

fn failure(lexer: &Lexer<'_>, lines: &Lines<'_>) -> PyErr {
    let line = lexer.lineno();
    let text = lines.text(line, line);
    let shown = text.trim_end_matches(['\n', '\r']).to_owned();
    let column = lines.column(line, lexer.column());
    let plain = |class: &Type, message: &str| PyErr::new(class, message);
    match lexer.error() {
        Some(LexError::Raised(error)) => parse_error(error, intern!("<string>")),
        Some(LexError::Eof) | None => plain(&PyExc_SyntaxError, "unexpected EOF in multi-line statement"),
        Some(LexError::Dedent) => syntax_error_at(
            &PyExc_IndentationError,
            "unindent does not match any outer indentation level",
            intern!("<string>"),
            (line, column),
            &shown,
        ),
        Some(LexError::TabSpace) => syntax_error_at(
            &PyExc_TabError,
            "inconsistent use of tabs and spaces in indentation",
            intern!("<string>"),
            (line, column),
            &shown,
        ),
        Some(LexError::TooDeep) => syntax_error_at(
            &PyExc_IndentationError,
            "too many levels of indentation",
            intern!("<string>"),
            (line, column),
            &shown,
        ),
        Some(LexError::LineContinuation { .. }) => syntax_error_at(
            &PyExc_SyntaxError,
            "unexpected character after line continuation character",
            intern!("<string>"),
            (line, column),
            &shown,
        ),
    }
}

fn next(tokens: &View) -> PyResult<Option<Ref>> {
    if !tokens.started.replace(true) {
        let source = read(tokens)?;
        let rest = tokenize(&source, tokens.extra);
        *tokens.rest.borrow_mut() = rest;
    }
    let (row, known) = {
        let mut rest = tokens.rest.borrow_mut();
        let Some(row) = rest.rows.pop_front() else {
            return rest.error.take().map_or(Ok(None), Err);
        };
        let known =
            rest.line.as_ref().filter(|known| Rc::ptr_eq(&known.0, &row.line)).map(|known| known.1.clone());
        (row, known)
    };
    let line = match known {
        Some(line) => line,
        None => {
            let line = Str::from_utf8(&row.line)?;
            tokens.rest.borrow_mut().line = Some((row.line.clone(), line.clone()));
            line
        }
    };
    let place = |(line, column): (i32, i32)| {
        let number = |value: i32| Int::from_i64(i64::from(value)).upcast();
        Tuple::from_array([number(line), number(column)])
    };
    let made = Tuple::from_array([
        Int::from_i64(i64::from(row.kind)).upcast(),
        Str::from_utf8(&row.text)?.upcast(),
        place(row.start)?.upcast(),
        place(row.end)?.upcast(),
        line.upcast(),
    ])?;
    Ok(Some(made.upcast()))
}

static SPEC_TOKENS: TypeSpec = TypeSpec {
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_iter(|tokens: &View| tokens.object().new_ref()),
        tp_iternext(next),
    ],
    ..TypeSpec::new(&TOKENS)
};

fn init(module: &Module) -> PyResult<()> {
    add_type(module, &SPEC_TOKENS)
}

/// `_tokenize`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_tokenize", doc: "The front end's tokens.", methods: &[], init };
