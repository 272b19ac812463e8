//! `make_scanner`: JSON text to Python objects.
//!
//! The nesting of arrays and objects is the recursion of [`Scan::value`], which the stack limit guards.

use super::text::{Text, decode_error, scan_string};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, new_bool, new_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{PyErr, PyResult, Ref, Type, TypeSpec, abi, bind, err, intern, payload, protocol, raise};

#[derive(Default)]
pub struct Scanner {
    strict: core::cell::Cell<bool>,
    object_hook: Field,
    object_pairs_hook: Field,
    parse_float: Field,
    parse_int: Field,
    parse_constant: Field,
}
payload!(
    Scanner,
    SCANNER,
    c"_json.Scanner",
    abi::Py_TPFLAGS_HAVE_GC,
    PyBaseObject_Type,
    [object_hook, object_pairs_hook, parse_float, parse_int, parse_constant]
);

type View = Native<Scanner>;

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "make_scanner" "(context)", args, kwargs);
    let context = bound.required(0);
    let scanner = Scanner::default();
    scanner.strict.set(context.getattr(intern!("strict"))?.is_true()?);
    scanner.object_hook.set(Some(context.getattr(intern!("object_hook"))?));
    scanner.object_pairs_hook.set(Some(context.getattr(intern!("object_pairs_hook"))?));
    scanner.parse_float.set(Some(context.getattr(intern!("parse_float"))?));
    scanner.parse_int.set(Some(context.getattr(intern!("parse_int"))?));
    scanner.parse_constant.set(Some(context.getattr(intern!("parse_constant"))?));
    native_new(ty, scanner)?.into_py()
}

/// A hook that is there.
fn hook(field: &Field) -> Option<Ref> {
    field.get().filter(|hook| !is_none(hook))
}

/// One run over a document.
struct Scan<'a, T: Text> {
    document: &'a Str,
    text: T,
    strict: bool,
    object_hook: Option<Ref>,
    pairs_hook: Option<Ref>,
    parse_float: Option<Ref>,
    parse_int: Option<Ref>,
    parse_constant: Option<Ref>,
    /// The one str of each key.
    keys: Ref<Dict>,
}

/// `StopIteration(position)`: no value starts there.
#[cold]
fn nothing_at(position: usize) -> PyErr {
    err::stop_iteration(Some(&Int::from_usize(position)))
}

impl<T: Text> Scan<'_, T> {
    fn fault(&self, message: &str, at: usize) -> PyErr {
        decode_error(message, self.document, at as isize)
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.text.get(at), Some(32 | 9 | 10 | 13)) {
            at += 1;
        }
        at
    }

    fn starts(&self, at: usize, word: &str) -> bool {
        word.bytes().enumerate().all(|(k, byte)| self.text.get(at + k) == Some(u32::from(byte)))
    }

    fn constant(&self, word: &str, at: usize) -> PyResult<(Ref, usize)> {
        let parse = self.parse_constant.as_ref().ok_or_else(|| nothing_at(at))?;
        Ok((parse.call(&[&*Str::from_utf8(word)?])?, at + word.len()))
    }

    /// The value at a place, and the place behind it.
    fn value(&self, at: usize) -> PyResult<(Ref, usize)> {
        let Some(c) = self.text.get(at) else { return Err(nothing_at(at)) };
        match char::from_u32(c).unwrap_or(' ') {
            '"' => {
                let (text, end) = scan_string(self.document, self.text, at + 1, self.strict)?;
                Ok((text.upcast(), end))
            }
            '{' => protocol::recursive(" while decoding a JSON object from a unicode string", || {
                self.object(at + 1)
            }),
            '[' => protocol::recursive(" while decoding a JSON array from a unicode string", || {
                self.array(at + 1)
            }),
            'n' if self.starts(at, "null") => Ok((new_none(), at + 4)),
            't' if self.starts(at, "true") => Ok((new_bool(true), at + 4)),
            'f' if self.starts(at, "false") => Ok((new_bool(false), at + 5)),
            'N' if self.starts(at, "NaN") => self.constant("NaN", at),
            'I' if self.starts(at, "Infinity") => self.constant("Infinity", at),
            '-' if self.starts(at, "-Infinity") => self.constant("-Infinity", at),
            _ => self.number(at),
        }
    }

    fn digits(&self, mut at: usize) -> usize {
        while matches!(self.text.get(at), Some(48..=57)) {
            at += 1;
        }
        at
    }

    fn number(&self, start: usize) -> PyResult<(Ref, usize)> {
        let mut at = start;
        if self.text.get(at) == Some(45) {
            at += 1;
        }
        at = match self.text.get(at) {
            Some(48) => at + 1,
            Some(49..=57) => self.digits(at),
            _ => return Err(nothing_at(start)),
        };
        let mut is_float = false;
        if self.text.get(at) == Some(46) {
            let end = self.digits(at + 1);
            if end > at + 1 {
                (is_float, at) = (true, end);
            }
        }
        if matches!(self.text.get(at), Some(0x45 | 0x65)) {
            let sign = usize::from(matches!(self.text.get(at + 1), Some(43 | 45)));
            let end = self.digits(at + 1 + sign);
            if end > at + 1 + sign {
                (is_float, at) = (true, end);
            }
        }
        if !is_float && at - start <= 18 && self.parse_int.is_none() {
            // Few digits fit into a machine word.
            let negative = self.text.at(start) == 45;
            let from = start + usize::from(negative);
            let value = (from..at).fold(0i64, |acc, k| acc * 10 + i64::from(self.text.at(k) - 48));
            return Ok((Int::from_i64(if negative { -value } else { value }).upcast(), at));
        }
        let digits = self.text.part(start, at)?;
        let (float, int): (&Type, &Type) = (&PyFloat_Type, &PyLong_Type);
        let parse = if is_float { &self.parse_float } else { &self.parse_int };
        let made = match parse {
            Some(parse) => parse.call(&[&digits])?,
            None => if is_float { float } else { int }.call(&[&digits])?,
        };
        Ok((made, at))
    }

    fn key(&self, at: usize) -> PyResult<(Ref, usize)> {
        let (key, end) = scan_string(self.document, self.text, at, self.strict)?;
        Ok((self.keys.set_default(&key, &key)?, end))
    }

    fn object(&self, from: usize) -> PyResult<(Ref, usize)> {
        let dict = Dict::new()?;
        let mut pairs: Vec<Ref> = Vec::new();
        let mut at = self.skip_space(from);
        if self.text.get(at) != Some(125) {
            loop {
                if self.text.get(at) != Some(34) {
                    return Err(self.fault("Expecting property name enclosed in double quotes", at));
                }
                let (key, end) = self.key(at + 1)?;
                at = self.skip_space(end);
                if self.text.get(at) != Some(58) {
                    return Err(self.fault("Expecting ':' delimiter", at));
                }
                let (value, end) = self.value(self.skip_space(at + 1))?;
                if self.pairs_hook.is_some() {
                    pairs.push(Tuple::from_array([key, value])?.upcast());
                } else {
                    dict.set(&key, &value)?;
                }
                at = self.skip_space(end);
                match self.text.get(at) {
                    Some(125) => break,
                    Some(44) => {}
                    _ => return Err(self.fault("Expecting ',' delimiter", at)),
                }
                let comma = at;
                at = self.skip_space(at + 1);
                if self.text.get(at) == Some(125) {
                    return Err(self.fault("Illegal trailing comma before end of object", comma));
                }
            }
        }
        let made = match (&self.pairs_hook, &self.object_hook) {
            (Some(hook), _) => hook.call(&[&*List::from_vec(pairs)?])?,
            (None, Some(hook)) => hook.call(&[&dict])?,
            (None, None) => dict.upcast(),
        };
        Ok((made, at + 1))
    }

    fn array(&self, from: usize) -> PyResult<(Ref, usize)> {
        let mut items = Vec::new();
        let mut at = self.skip_space(from);
        if self.text.get(at) != Some(93) {
            loop {
                let (value, end) = self.value(at)?;
                items.push(value);
                at = self.skip_space(end);
                match self.text.get(at) {
                    Some(93) => break,
                    Some(44) => {}
                    _ => return Err(self.fault("Expecting ',' delimiter", at)),
                }
                let comma = at;
                at = self.skip_space(at + 1);
                if self.text.get(at) == Some(93) {
                    return Err(self.fault("Illegal trailing comma before end of array", comma));
                }
            }
        }
        Ok((List::from_vec(items)?.upcast(), at + 1))
    }
}

/// A parser that is not simply the type itself.
fn special_parser(field: &Field, plain: &Type) -> Option<Ref> {
    field.get().filter(|parse| !parse.is(plain))
}

fn run<T: Text>(scanner: &Scanner, document: &Str, text: T, at: usize) -> PyResult {
    let scan = Scan {
        document,
        text,
        strict: scanner.strict.get(),
        object_hook: hook(&scanner.object_hook),
        pairs_hook: hook(&scanner.object_pairs_hook),
        parse_float: special_parser(&scanner.parse_float, &PyFloat_Type),
        parse_int: special_parser(&scanner.parse_int, &PyLong_Type),
        parse_constant: scanner.parse_constant.get(),
        keys: Dict::new()?,
    };
    let (value, end) = scan.value(at)?;
    Tuple::from_array([value, Int::from_usize(end).upcast()])?.into_py()
}

fn call(scanner: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "scan_once" "(string, idx)", args, kwargs);
    let at = bound.required(1).to_isize()?;
    let Some(document) = bound.required(0).downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "first argument must be a string, not {}",
            bound.required(0).ty().message_name()
        ));
    };
    let at = usize::try_from(at).map_err(|_| err::value_error("idx cannot be negative"))?;
    match document.chars() {
        Chars::One(s) => run(scanner, document, s, at),
        Chars::Two(s) => run(scanner, document, s, at),
        Chars::Four(s) => run(scanner, document, s, at),
    }
}

/// `make_scanner`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"make_scanner(context)\n--\n\nReads one JSON value: scanner(string, index) -> (value, index behind it)."),
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR, tp_new(new), tp_call(call)],
    getset: &[
        getset_row(c"strict", |s: &View| s.strict.get(), c"whether control characters are refused"),
        getset_row(c"object_hook", |s: &View| s.object_hook.get(), c"called with each dict"),
        getset_row(c"object_pairs_hook", |s: &View| s.object_pairs_hook.get(), c"called with the pairs of each object"),
        getset_row(c"parse_float", |s: &View| s.parse_float.get(), c"called with numbers that have a fraction or an exponent"),
        getset_row(c"parse_int", |s: &View| s.parse_int.get(), c"called with integers"),
        getset_row(c"parse_constant", |s: &View| s.parse_constant.get(), c"called with NaN and the infinities"),
    ],
    ..TypeSpec::new(&SCANNER)
};
