//! The standard error handlers as functions: exception in, replacement and position out.

use super::errors::{backslashed, escaped, named, passed_bytes, surrogate_at};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::Exception;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::IntoPy;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, methods, raise};

/// Their names, in the order of the table below.
pub const NAMES: [&str; 8] = [
    "strict",
    "ignore",
    "replace",
    "backslashreplace",
    "xmlcharrefreplace",
    "namereplace",
    "surrogateescape",
    "surrogatepass",
];

methods! {
    static TABLE = {
        one "strict_errors" "" = |_: &Object, error: &Object| strict(error), "The handler 'strict': raises the exception.";
        one "ignore_errors" "" = |_: &Object, error: &Object| ignore(error), "The handler 'ignore': leaves out what is wrong.";
        one "replace_errors" "" = |_: &Object, error: &Object| replace(error), "The handler 'replace': puts a replacement sign.";
        one "backslashreplace_errors" "" = |_: &Object, error: &Object| backslashreplace(error), "The handler 'backslashreplace': puts escape sequences.";
        one "xmlcharrefreplace_errors" "" = |_: &Object, error: &Object| xmlcharrefreplace(error), "The handler 'xmlcharrefreplace': puts XML character references.";
        one "namereplace_errors" "" = |_: &Object, error: &Object| namereplace(error), "The handler 'namereplace': puts \\N{...} sequences.";
        one "surrogateescape" "" = |_: &Object, error: &Object| surrogateescape(error), "The handler 'surrogateescape': bytes become lone surrogates and back.";
        one "surrogatepass" "" = |_: &Object, error: &Object| surrogatepass(error), "The handler 'surrogatepass': surrogates are encoded and decoded like other characters.";
    }
}

/// Puts the standard handlers into a registry. They are functions of a module that nobody else sees.
pub fn fill(handlers: &Dict) -> PyResult<()> {
    let module = Module::new(&*Str::from_utf8("_codecs")?, None)?;
    module.add_functions(TABLE)?;
    for (name, function) in NAMES.iter().zip(FUNCTIONS) {
        if let Some(made) = module.dict().get_text(function) {
            handlers.set_text(name, &made)?;
        }
    }
    Ok(())
}

/// The functions' own names, in the order of [`NAMES`].
const FUNCTIONS: [&str; 8] = [
    "strict_errors",
    "ignore_errors",
    "replace_errors",
    "backslashreplace_errors",
    "xmlcharrefreplace_errors",
    "namereplace_errors",
    "surrogateescape",
    "surrogatepass",
];

/// What an exception is about.
enum Case {
    Encode(Vec<u32>),
    Decode(Ref<Bytes>),
    Translate(Vec<u32>),
}

struct Trouble {
    case: Case,
    start: usize,
    end: usize,
}

#[cold]
fn unknown(error: &Object) -> PyErr {
    raise!(PyExc_TypeError, "don't know how to handle {} in error callback", error.ty().message_name())
}

fn read(error: &Object) -> PyResult<Trouble> {
    let is = |ty: &taipan_object::Type| error.ty().is_subtype(ty);
    let object = |error: &Object| error.getattr(intern!("object"));
    let (case, len) = if is(&PyExc_UnicodeDecodeError) {
        let data = object(error)?
            .downcast_owned::<Bytes>()
            .map_err(|_| err::type_error("object attribute must be bytes"))?;
        let len = data.len();
        (Case::Decode(data), len)
    } else if is(&PyExc_UnicodeEncodeError) || is(&PyExc_UnicodeTranslateError) {
        let text = object(error)?;
        let Some(text) = text.downcast::<Str>() else {
            return Err(err::type_error("object attribute must be unicode"));
        };
        let all: Vec<u32> = text.code_points().collect();
        let len = all.len();
        (if is(&PyExc_UnicodeEncodeError) { Case::Encode(all) } else { Case::Translate(all) }, len)
    } else {
        return Err(unknown(error));
    };
    let start = error.getattr(intern!("start"))?.to_isize()?;
    let end = error.getattr(intern!("end"))?.to_isize()?;
    let start = usize::try_from(start).unwrap_or(0).min(len.saturating_sub(1));
    let end = usize::try_from(end).unwrap_or(0).max(1).min(len).max(start);
    Ok(Trouble { case, start, end })
}

impl Trouble {
    fn text(&self) -> Option<&[u32]> {
        match &self.case {
            Case::Encode(all) | Case::Translate(all) => all.get(self.start..self.end),
            Case::Decode(_) => None,
        }
    }
}

fn answer(text: &[u32], next: usize) -> PyResult {
    let text = Str::from_code_points(text)?;
    Tuple::from_array([text.upcast(), Int::from_usize(next).upcast()])?.into_py()
}

fn answer_text(text: &str, next: usize) -> PyResult {
    answer(&text.chars().map(u32::from).collect::<Vec<_>>(), next)
}

fn strict(error: &Object) -> PyResult {
    match error.downcast::<Exception>() {
        Some(exception) => Err(PyErr::from_instance(exception.new_ref())),
        None => Err(err::type_error("codec must pass exception instance")),
    }
}

fn ignore(error: &Object) -> PyResult {
    let trouble = read(error)?;
    answer(&[], trouble.end)
}

fn replace(error: &Object) -> PyResult {
    let trouble = read(error)?;
    let count = trouble.end - trouble.start;
    match trouble.case {
        Case::Encode(_) => answer(&vec![u32::from(b'?'); count], trouble.end),
        Case::Decode(_) => answer(&[0xFFFD], trouble.end),
        Case::Translate(_) => answer(&vec![0xFFFD; count], trouble.end),
    }
}

fn backslashreplace(error: &Object) -> PyResult {
    let trouble = read(error)?;
    let made: String = match &trouble.case {
        Case::Decode(data) => data.as_slice()[trouble.start..trouble.end]
            .iter()
            .map(|&byte| backslashed(u32::from(byte)))
            .collect(),
        _ => trouble.text().unwrap_or(&[]).iter().map(|&c| backslashed(c)).collect(),
    };
    answer_text(&made, trouble.end)
}

/// The characters of an encoding error; other exceptions are refused.
fn encoding_only(error: &Object) -> PyResult<(Vec<u32>, usize)> {
    if !error.ty().is_subtype(&PyExc_UnicodeEncodeError) {
        return Err(unknown(error));
    }
    let trouble = read(error)?;
    Ok((trouble.text().unwrap_or(&[]).to_vec(), trouble.end))
}

fn xmlcharrefreplace(error: &Object) -> PyResult {
    let (bad, end) = encoding_only(error)?;
    answer_text(&bad.iter().map(|c| format!("&#{c};")).collect::<String>(), end)
}

fn namereplace(error: &Object) -> PyResult {
    let (bad, end) = encoding_only(error)?;
    answer_text(&bad.iter().map(|&c| named(c)).collect::<String>(), end)
}

fn bytes_answer(bytes: &[u8], next: usize) -> PyResult {
    Tuple::from_array([Bytes::new(bytes)?.upcast(), Int::from_usize(next).upcast()])?.into_py()
}

fn surrogateescape(error: &Object) -> PyResult {
    if error.ty().is_subtype(&PyExc_UnicodeTranslateError) {
        return Err(unknown(error));
    }
    let trouble = read(error)?;
    match &trouble.case {
        Case::Decode(data) => {
            let bad = &data.as_slice()[trouble.start..trouble.end];
            let high: Vec<u32> =
                bad.iter().take(4).take_while(|b| **b >= 128).map(|&b| 0xDC00 + u32::from(b)).collect();
            if high.is_empty() { strict(error) } else { answer(&high, trouble.start + high.len()) }
        }
        _ => match escaped(trouble.text().unwrap_or(&[])) {
            Some(bytes) => bytes_answer(&bytes, trouble.end),
            None => strict(error),
        },
    }
}

fn surrogatepass(error: &Object) -> PyResult {
    if error.ty().is_subtype(&PyExc_UnicodeTranslateError) {
        return Err(unknown(error));
    }
    let trouble = read(error)?;
    let encoding = error.getattr(intern!("encoding"))?;
    let Some(encoding) = encoding.downcast::<Str>() else {
        return Err(err::type_error("encoding attribute must be unicode"));
    };
    let encoding = encoding.to_lossy();
    match &trouble.case {
        Case::Decode(data) => match surrogate_at(&encoding, &data.as_slice()[trouble.start..]) {
            Some((c, len)) => answer(&[c], trouble.start + len),
            None => strict(error),
        },
        _ => match passed_bytes(&encoding, trouble.text().unwrap_or(&[])) {
            Some(bytes) => bytes_answer(&bytes, trouble.end),
            None => strict(error),
        },
    }
}
