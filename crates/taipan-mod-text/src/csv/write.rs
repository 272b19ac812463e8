//! `writer`: rows to lines.

use super::dialect::{ALL, Dialect, NONE, NONNUMERIC, NOTNULL, STRINGS};
use super::{Error, opened};
use crate::util::ModuleError;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, StaticType};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, TypeSpec, abi, err, intern, methods};

pub struct Writer {
    dialect: Ref<Native<Dialect>>,
    write: Field,
}

static WRITER: StaticType = StaticType::native(
    c"_csv.writer",
    Native::<Writer>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Writer {
    const TYPE: &'static StaticType = &WRITER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.dialect);
        self.write.show(visitor);
    }
    fn clear(&self) {
        self.write.release();
    }
}

type View = Native<Writer>;

/// `writer(file, dialect, **parameters)`.
pub fn open(args: &CallArgs<'_>) -> PyResult<Ref<View>> {
    let (file, dialect) = opened(args, "writer")?;
    let write = file.getattr_opt(intern!("write"))?.filter(|write| write.is_callable());
    let Some(write) = write else {
        return Err(err::type_error("argument 1 must have a \"write\" method"));
    };
    native_new(&WRITER, Writer { dialect, write: Field::new(Some(write)) })
}

/// `PyNumber_Check`: what converts to a number.
fn is_number(value: &Object) -> bool {
    ["__index__", "__int__", "__float__"]
        .iter()
        .any(|name| Str::from_utf8(name).is_ok_and(|name| value.ty().lookup(&name).is_some()))
}

/// A row being written.
struct Row<'a> {
    dialect: &'a Dialect,
    out: Vec<u32>,
    fields: usize,
}

impl Row<'_> {
    /// Adds a field; `None` is the empty one of a missing value.
    fn add(&mut self, field: Option<&Str>, mut quoted: bool) -> PyResult<()> {
        let dialect = self.dialect;
        if self.fields > 0 {
            self.out.push(dialect.delimiter);
        }
        self.fields += 1;
        if field.is_none_or(Str::is_empty) && dialect.delimiter == 32 && dialect.skip_space {
            let refused =
                dialect.quoting == NONE || (field.is_none() && matches!(dialect.quoting, STRINGS | NOTNULL));
            if refused {
                return Err(Error::error(
                    "empty field must be quoted if delimiter is a space and skipinitialspace is true",
                ));
            }
            quoted = true;
        }
        let mut text = Vec::new();
        if let Some(field) = field {
            for c in field.code_points() {
                self.add_char(c, &mut quoted, &mut text)?;
            }
        }
        match dialect.quote.filter(|_| quoted) {
            Some(quote) => {
                self.out.push(quote);
                self.out.append(&mut text);
                self.out.push(quote);
            }
            None => self.out.append(&mut text),
        }
        Ok(())
    }

    fn add_char(&self, c: u32, quoted: &mut bool, text: &mut Vec<u32>) -> PyResult<()> {
        let dialect = self.dialect;
        let is = |special: Option<u32>| special == Some(c);
        let special = c == dialect.delimiter
            || is(dialect.escape)
            || is(dialect.quote)
            || matches!(c, 10 | 13)
            || dialect.terminator.contains(&c);
        if special {
            let mut escape = dialect.quoting == NONE;
            if !escape {
                if is(dialect.quote) {
                    if dialect.double_quote {
                        text.push(c);
                    } else {
                        escape = true;
                    }
                } else if is(dialect.escape) {
                    escape = true;
                }
                if !escape {
                    *quoted = true;
                }
            }
            if escape {
                let Some(escape) = dialect.escape else {
                    return Err(Error::error("need to escape, but no escapechar set"));
                };
                text.push(escape);
            }
        }
        text.push(c);
        Ok(())
    }
}

fn writerow(writer: &View, row: &Object) -> PyResult {
    let fields = row.iter().map_err(|error| {
        if error.is(&PyExc_TypeError) {
            Error::error(&format!("iterable expected, not {}", row.ty().message_name()))
        } else {
            error
        }
    })?;
    let dialect: &Dialect = &writer.dialect;
    let mut made = Row { dialect, out: Vec::new(), fields: 0 };
    let mut missing = false;
    while let Some(field) = protocol::iter_next(&fields)? {
        missing = is_none(&field);
        let text = field.downcast::<Str>();
        let quoted = match dialect.quoting {
            NONNUMERIC => !is_number(&field),
            ALL => true,
            STRINGS => text.is_some(),
            NOTNULL => !missing,
            _ => false,
        };
        match text {
            Some(text) => made.add(Some(text), quoted)?,
            None if missing => made.add(None, quoted)?,
            None => made.add(Some(&*field.str()?), quoted)?,
        }
    }
    if made.fields > 0 && made.out.is_empty() {
        if dialect.quoting == NONE || (missing && matches!(dialect.quoting, STRINGS | NOTNULL)) {
            return Err(Error::error("single empty field record must be quoted"));
        }
        made.fields = 0;
        made.add(None, true)?;
    }
    made.out.extend_from_slice(&dialect.terminator);
    let Some(write) = writer.write.get() else { return Err(err::value_error("writer has been cleared")) };
    write.call(&[&*Str::from_code_points(&made.out)?])
}

fn writerows(writer: &View, rows: &Object) -> PyResult<()> {
    let rows = rows.iter()?;
    while let Some(row) = protocol::iter_next(&rows)? {
        writerow(writer, &row)?;
    }
    Ok(())
}

methods! {
    static METHODS = {
        one "writerow" "($self, row, /)" = writerow, "Write a row; returns what write() returns.";
        one "writerows" "($self, rows, /)" = writerows, "Write several rows.";
    }
}

/// The type of writers.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Writes the rows of a table."),
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR],
    methods: METHODS,
    getset: &[getset_row(c"dialect", |w: &View| w.dialect.clone(), c"the dialect")],
    ..TypeSpec::new(&WRITER)
};
