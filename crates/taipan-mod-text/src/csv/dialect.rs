//! Dialects: the parameters of a format, checked.

use super::shared;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, abi, err, methods, raise};

pub const MINIMAL: i64 = 0;
pub const ALL: i64 = 1;
pub const NONNUMERIC: i64 = 2;
pub const NONE: i64 = 3;
pub const STRINGS: i64 = 4;
pub const NOTNULL: i64 = 5;

/// The constants of the module.
pub const QUOTING: [(&str, i64); 6] = [
    ("QUOTE_MINIMAL", MINIMAL),
    ("QUOTE_ALL", ALL),
    ("QUOTE_NONNUMERIC", NONNUMERIC),
    ("QUOTE_NONE", NONE),
    ("QUOTE_STRINGS", STRINGS),
    ("QUOTE_NOTNULL", NOTNULL),
];

/// The parameters.
#[derive(Clone, Debug)]
pub struct Dialect {
    pub delimiter: u32,
    pub quote: Option<u32>,
    pub escape: Option<u32>,
    pub terminator: Vec<u32>,
    pub quoting: i64,
    pub double_quote: bool,
    pub skip_space: bool,
    pub strict: bool,
}

pub static DIALECT: StaticType =
    StaticType::native(c"_csv.Dialect", Native::<Dialect>::SIZE, abi::Py_TPFLAGS_BASETYPE);

impl Payload for Dialect {
    const TYPE: &'static StaticType = &DIALECT;
}

type View = Native<Dialect>;

const NAMES: [&str; 8] = [
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

fn wrong_char(name: &str, value: &Object, optional: bool) -> PyErr {
    let or_none = if optional { " or None" } else { "" };
    match value.downcast::<Str>() {
        Some(text) => raise!(
            PyExc_TypeError,
            "\"{name}\" must be a unicode character{or_none}, not a string of length {}",
            text.len()
        ),
        None => raise!(
            PyExc_TypeError,
            "\"{name}\" must be a unicode character{or_none}, not {}",
            value.ty().message_name()
        ),
    }
}

fn character(
    name: &str,
    value: Option<&Object>,
    default: Option<u32>,
    optional: bool,
) -> PyResult<Option<u32>> {
    let Some(value) = value else { return Ok(default) };
    if optional && is_none(value) {
        return Ok(None);
    }
    match value.downcast::<Str>() {
        Some(text) if text.len() == 1 => Ok(Some(text.chars().at(0))),
        _ => Err(wrong_char(name, value, optional)),
    }
}

fn flag(value: Option<&Object>, default: bool) -> PyResult<bool> {
    value.map_or(Ok(default), Object::is_true)
}

fn quoting(value: Option<&Object>) -> PyResult<i64> {
    let Some(value) = value else { return Ok(MINIMAL) };
    let Some(int) = value.downcast::<Int>() else {
        return Err(raise!(
            PyExc_TypeError,
            "\"quoting\" must be an integer, not {}",
            value.ty().message_name()
        ));
    };
    match int.to_i64() {
        Some(value @ 0..=5) => Ok(value),
        _ => Err(err::type_error("bad \"quoting\" value")),
    }
}

impl Dialect {
    fn from_values(values: &[Option<Ref>; 8]) -> PyResult<Dialect> {
        let value = |index: usize| values[index].as_deref();
        let delimiter = character("delimiter", value(0), Some(u32::from(b',')), false)?.unwrap_or(0);
        let double_quote = flag(value(1), true)?;
        let escape = character("escapechar", value(2), None, true)?;
        let terminator = match value(3) {
            None => vec![13, 10],
            Some(text) => match text.downcast::<Str>() {
                Some(text) => text.code_points().collect(),
                None => {
                    return Err(raise!(
                        PyExc_TypeError,
                        "\"lineterminator\" must be a string, not {}",
                        text.ty().message_name()
                    ));
                }
            },
        };
        let quote = character("quotechar", value(4), Some(u32::from(b'"')), true)?;
        let mut made = Dialect {
            delimiter,
            quote,
            escape,
            terminator,
            quoting: quoting(value(5))?,
            double_quote,
            skip_space: flag(value(6), false)?,
            strict: flag(value(7), false)?,
        };
        if value(4).is_some_and(is_none) && value(5).is_none() {
            made.quoting = NONE;
        }
        made.check()?;
        Ok(made)
    }

    fn check(&self) -> PyResult<()> {
        if self.quoting != NONE && self.quote.is_none() {
            return Err(err::type_error("quotechar must be set if quoting enabled"));
        }
        let chars =
            [("delimiter", Some(self.delimiter)), ("escapechar", self.escape), ("quotechar", self.quote)];
        for (index, (name, c)) in chars.into_iter().enumerate() {
            let Some(c) = c else { continue };
            if matches!(c, 10 | 13) || (c == 32 && index > 0 && self.skip_space) {
                return Err(raise!(PyExc_ValueError, "bad {name} value"));
            }
            if self.terminator.contains(&c) {
                return Err(raise!(PyExc_ValueError, "bad {name} or lineterminator value"));
            }
        }
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            if chars[first].1.is_some() && chars[first].1 == chars[second].1 {
                return Err(raise!(PyExc_ValueError, "bad {} or {} value", chars[first].0, chars[second].0));
            }
        }
        Ok(())
    }
}

/// `Dialect(dialect, **parameters)`, as the module's functions make it.
pub fn make(dialect: Option<&Object>, parameters: Option<&Dict>) -> PyResult {
    let args = match dialect {
        Some(dialect) => Tuple::from_array([dialect.new_ref()])?,
        None => Tuple::empty(),
    };
    new(&DIALECT, &args, parameters)
}

fn new(ty: &Type, args: &Tuple, parameters: Option<&Dict>) -> PyResult {
    if args.len() > 9 {
        return Err(raise!(
            PyExc_TypeError,
            "this function takes at most 9 arguments ({} given)",
            args.len()
        ));
    }
    let mut values: [Option<Ref>; 8] = [const { None }; 8];
    let mut base = args.get(0).map(Object::new_ref);
    for (place, value) in values.iter_mut().zip(args.items().iter().skip(1)) {
        *place = Some(value.new_ref());
    }
    let mut any = args.len() > 1;
    for (name, value) in parameters.map(Dict::items_vec).unwrap_or_default() {
        let text = name.str_lossy();
        if text == "dialect" {
            base = Some(value);
            continue;
        }
        let Some(index) = NAMES.iter().position(|known| *known == text) else {
            return Err(raise!(PyExc_TypeError, "this function got an unexpected keyword argument '{text}'"));
        };
        any = true;
        values[index] = Some(value);
    }
    if let Some(given) = base.filter(|given| !is_none(given)) {
        let found = if given.downcast::<Str>().is_some() { shared()?.dialect(&given)? } else { given };
        if !any && found.downcast::<View>().is_some() && ty.is(&DIALECT) {
            return Ok(found);
        }
        for (place, name) in values.iter_mut().zip(NAMES) {
            if place.is_none() {
                *place = found.getattr_opt(&*Str::from_utf8(name)?)?;
            }
        }
    }
    native_new(ty, Dialect::from_values(&values)?)?.into_py()
}

fn char_str(c: Option<u32>) -> PyResult<Option<Ref<Str>>> {
    c.map(|c| Str::from_code_points(&[c])).transpose()
}

fn no_pickle(dialect: &View, _: &[&Object]) -> PyResult {
    Err(raise!(PyExc_TypeError, "cannot pickle '{}' instances", dialect.object().ty().name()))
}

methods! {
    static METHODS = {
        many "__reduce__" "" = no_pickle, "Raises TypeError: dialects cannot be pickled.";
        many "__reduce_ex__" "" = no_pickle, "Raises TypeError: dialects cannot be pickled.";
    }
}

/// `Dialect`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Dialect(dialect=None, **fmtparams)\n--\n\nThe parameters of a format, checked."),
    slots: &[View::DEALLOC, tp_new(new)],
    methods: METHODS,
    getset: &[
        getset_row(c"delimiter", |d: &View| char_str(Some(d.delimiter)), c"stands between fields"),
        getset_row(c"escapechar", |d: &View| char_str(d.escape), c"stands before special characters"),
        getset_row(
            c"lineterminator",
            |d: &View| Str::from_code_points(&d.terminator),
            c"ends rows that are written",
        ),
        getset_row(c"quotechar", |d: &View| char_str(d.quote), c"stands around fields"),
        getset_row(c"quoting", |d: &View| d.quoting, c"which fields are quoted"),
        getset_row(
            c"skipinitialspace",
            |d: &View| d.skip_space,
            c"whether spaces after delimiters are left out",
        ),
        getset_row(c"doublequote", |d: &View| d.double_quote, c"whether quotes in fields are doubled"),
        getset_row(c"strict", |d: &View| d.strict, c"whether bad input is an error"),
    ],
    ..TypeSpec::new(&DIALECT)
};
