//! `reader`: rows out of lines, by a small machine that looks at one character at a time.

use super::dialect::{Dialect, NONE, NONNUMERIC, NOTNULL, STRINGS};
use super::{Error, opened, shared};
use crate::util::ModuleError;
use core::cell::{Cell, RefCell};
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::singletons::new_none;
use taipan_object::statics::{PyFloat_Type, StaticType};
use taipan_object::unicode::Str;
use taipan_object::{PyResult, Ref, TypeSpec, abi};

/// Where the machine is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    StartRecord,
    StartField,
    Escaped,
    InField,
    InQuoted,
    EscapedInQuoted,
    QuoteInQuoted,
    LineEnd,
    AfterEscapedLineEnd,
}

pub struct Reader {
    dialect: Ref<Native<Dialect>>,
    lines: Field,
    line_number: Cell<u64>,
    /// How many rows were finished: lines may come from code that reads from this reader itself.
    rows: Cell<u64>,
}

static READER: StaticType = StaticType::native(
    c"_csv.reader",
    Native::<Reader>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Reader {
    const TYPE: &'static StaticType = &READER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.dialect);
        self.lines.show(visitor);
    }
    fn clear(&self) {
        self.lines.release();
    }
}

type View = Native<Reader>;

/// `reader(iterable, dialect, **parameters)`.
pub fn open(args: &CallArgs<'_>) -> PyResult<Ref<View>> {
    let (iterable, dialect) = opened(args, "reader")?;
    let lines = iterable.iter()?;
    native_new(
        &READER,
        Reader { dialect, lines: Field::new(Some(lines)), line_number: Cell::new(0), rows: Cell::new(0) },
    )
}

/// A row being read.
struct Row<'a> {
    dialect: &'a Dialect,
    at: At,
    field: Vec<u32>,
    quoted: bool,
    fields: RefCell<Vec<Ref>>,
    limit: usize,
}

const LF: u32 = 10;
const CR: u32 = 13;

impl Row<'_> {
    fn add(&mut self, c: u32) -> PyResult<()> {
        if self.field.len() >= self.limit {
            return Err(Error::error(&format!("field larger than field limit ({})", self.limit)));
        }
        self.field.push(c);
        Ok(())
    }

    fn save(&mut self) -> PyResult<()> {
        let quoting = self.dialect.quoting;
        let value = if !self.quoted && self.field.is_empty() && matches!(quoting, NOTNULL | STRINGS) {
            new_none()
        } else {
            let text = Str::from_code_points(&self.field)?;
            if !self.quoted && !self.field.is_empty() && matches!(quoting, NONNUMERIC | STRINGS) {
                PyFloat_Type.call(&[&text])?
            } else {
                text.upcast()
            }
        };
        self.fields.borrow_mut().push(value);
        self.field.clear();
        self.quoted = false;
        Ok(())
    }

    /// What is done at the end of a line: `None`, or a line end character.
    fn end_field(&mut self, c: Option<u32>) -> PyResult<()> {
        self.save()?;
        self.at = if c.is_none() { At::StartRecord } else { At::LineEnd };
        Ok(())
    }

    fn start_field(&mut self, c: Option<u32>) -> PyResult<()> {
        let dialect = self.dialect;
        match c {
            None | Some(LF | CR) => return self.end_field(c),
            Some(_) if c == dialect.quote && dialect.quoting != NONE => {
                self.quoted = true;
                self.at = At::InQuoted;
            }
            Some(_) if c == dialect.escape => self.at = At::Escaped,
            Some(32) if dialect.skip_space => {}
            Some(c) if c == dialect.delimiter => self.save()?,
            Some(c) => {
                self.add(c)?;
                self.at = At::InField;
            }
        }
        Ok(())
    }

    fn in_field(&mut self, c: Option<u32>) -> PyResult<()> {
        match c {
            None | Some(LF | CR) => return self.end_field(c),
            Some(_) if c == self.dialect.escape => self.at = At::Escaped,
            Some(c) if c == self.dialect.delimiter => {
                self.save()?;
                self.at = At::StartField;
            }
            Some(c) => self.add(c)?,
        }
        Ok(())
    }

    fn quote_in_quoted(&mut self, c: Option<u32>) -> PyResult<()> {
        let dialect = self.dialect;
        match c {
            Some(quote) if dialect.quoting != NONE && c == dialect.quote => {
                self.add(quote)?;
                self.at = At::InQuoted;
            }
            Some(c) if c == dialect.delimiter => {
                self.save()?;
                self.at = At::StartField;
            }
            None | Some(LF | CR) => return self.end_field(c),
            Some(c) if !dialect.strict => {
                self.add(c)?;
                self.at = At::InField;
            }
            Some(_) => {
                let shown = |c: u32| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
                return Err(Error::error(&format!(
                    "'{}' expected after '{}'",
                    shown(dialect.delimiter),
                    shown(dialect.quote.unwrap_or(34))
                )));
            }
        }
        Ok(())
    }

    /// The next character; `None` at the end of a line.
    fn step(&mut self, c: Option<u32>) -> PyResult<()> {
        match (self.at, c) {
            (At::StartRecord, None) => Ok(()),
            (At::StartRecord, Some(LF | CR)) => {
                self.at = At::LineEnd;
                Ok(())
            }
            (At::StartRecord, _) => {
                self.at = At::StartField;
                self.start_field(c)
            }
            (At::StartField, _) => self.start_field(c),
            (At::Escaped, Some(c @ (LF | CR))) => {
                self.add(c)?;
                self.at = At::AfterEscapedLineEnd;
                Ok(())
            }
            (At::Escaped, _) => {
                self.add(c.unwrap_or(LF))?;
                self.at = At::InField;
                Ok(())
            }
            (At::AfterEscapedLineEnd, None) => Ok(()),
            (At::AfterEscapedLineEnd | At::InField, _) => self.in_field(c),
            (At::InQuoted, None) => Ok(()),
            (At::InQuoted, Some(_)) if c == self.dialect.escape => {
                self.at = At::EscapedInQuoted;
                Ok(())
            }
            (At::InQuoted, Some(_)) if c == self.dialect.quote && self.dialect.quoting != NONE => {
                self.at = if self.dialect.double_quote { At::QuoteInQuoted } else { At::InField };
                Ok(())
            }
            (At::InQuoted, Some(c)) => self.add(c),
            (At::EscapedInQuoted, _) => {
                self.add(c.unwrap_or(LF))?;
                self.at = At::InQuoted;
                Ok(())
            }
            (At::QuoteInQuoted, _) => self.quote_in_quoted(c),
            (At::LineEnd, Some(LF | CR)) => Ok(()),
            (At::LineEnd, None) => {
                self.at = At::StartRecord;
                Ok(())
            }
            (At::LineEnd, Some(_)) => Err(Error::error(
                "new-line character seen in unquoted field - do you need to open the file with newline=''?",
            )),
        }
    }
}

fn next(reader: &View) -> PyResult<Option<Ref>> {
    let Some(lines) = reader.lines.get() else { return Ok(None) };
    let mut row = Row {
        dialect: &reader.dialect,
        at: At::StartRecord,
        field: Vec::new(),
        quoted: false,
        fields: RefCell::default(),
        limit: shared()?.limit(),
    };
    let before = reader.rows.get();
    loop {
        let line = protocol::iter_next(&lines)?;
        if reader.rows.get() != before {
            return Err(Error::error("iterator has already advanced the reader"));
        }
        let Some(line) = line else {
            if row.field.is_empty() && row.at != At::InQuoted {
                return Ok(None);
            }
            if reader.dialect.strict {
                return Err(Error::error("unexpected end of data"));
            }
            row.save()?;
            break;
        };
        let Some(text) = line.downcast::<Str>() else {
            return Err(Error::error(&format!(
                "iterator should return strings, not {} (the file should be opened in text mode)",
                line.ty().message_name()
            )));
        };
        reader.line_number.set(reader.line_number.get() + 1);
        for c in text.code_points() {
            row.step(Some(c))?;
        }
        row.step(None)?;
        if row.at == At::StartRecord {
            break;
        }
    }
    reader.rows.set(before + 1);
    Ok(Some(List::from_vec(row.fields.take())?.upcast()))
}

/// The type of readers.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"An iterator over the rows of a table."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_iter(|reader: &View| reader.object().new_ref()),
        tp_iternext(next),
    ],
    getset: &[
        getset_row(c"dialect", |r: &View| r.dialect.clone(), c"the dialect"),
        getset_row(c"line_num", |r: &View| r.line_number.get(), c"how many lines were read"),
    ],
    ..TypeSpec::new(&READER)
};
