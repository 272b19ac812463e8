//! `unicodedata`: the properties of characters.

use crate::util::{argument_name, str_arg};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::statics::{PyExc_KeyError, PyExc_TypeError, PyExc_ValueError, StaticType};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, TypeSpec, abi, err, methods, raise};
use taipan_unicode::{Form, Named, old};

/// The one character of an argument; `place` is empty or a number with a space in front.
fn character(object: &Object, function: &str, place: &str) -> PyResult<u32> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument{place} must be a unicode character, not {}",
            argument_name(object)
        ));
    };
    if text.len() != 1 {
        return Err(raise!(
            PyExc_TypeError,
            "{function}(): argument{place} must be a unicode character, not a string of length {}",
            text.len()
        ));
    }
    Ok(text.chars().at(0))
}

/// A property that not all characters have: the value, the default, or an error.
fn or_default(args: &Args<'_>, value: Option<impl IntoPy>, missing: &str) -> PyResult {
    match (value, args.get(1)) {
        (Some(value), _) => value.into_py(),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(raise!(PyExc_ValueError, "{missing}")),
    }
}

fn decimal(_: &Object, args: &Args<'_>) -> PyResult {
    let c = character(args.required(0), "decimal", " 1")?;
    or_default(args, taipan_unicode::decimal(c).map(i64::from), "not a decimal")
}

fn digit(_: &Object, args: &Args<'_>) -> PyResult {
    let c = character(args.required(0), "digit", " 1")?;
    or_default(args, taipan_unicode::digit(c).map(i64::from), "not a digit")
}

fn numeric(_: &Object, args: &Args<'_>) -> PyResult {
    let c = character(args.required(0), "numeric", " 1")?;
    or_default(args, taipan_unicode::numeric(c), "not a numeric character")
}

fn name(_: &Object, args: &Args<'_>) -> PyResult {
    let c = character(args.required(0), "name", " 1")?;
    or_default(args, taipan_unicode::name(c), "no such name")
}

/// The name that was asked for, and what has it.
fn find(name: &Object) -> PyResult<(String, Option<Named>)> {
    let text = match name.downcast::<Str>() {
        Some(text) => text.to_utf8()?.to_owned(),
        None => {
            let bytes = taipan_object::buffer::Buffer::simple(name)?.to_vec();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if text.len() > 256 {
        return Err(raise!(PyExc_KeyError, "name too long"));
    }
    let found = taipan_unicode::lookup(&text);
    Ok((text, found))
}

/// The error for a name that nothing has; a zero ends the name in the message.
fn undefined(name: &str) -> PyErr {
    raise!(PyExc_KeyError, "undefined character name '{}'", name.split('\0').next().unwrap_or(""))
}

fn lookup(_: &Object, name: &Object) -> PyResult<Ref<Str>> {
    match find(name)? {
        (_, Some(Named::Char(c))) => Str::from_code_points(&[c]),
        (_, Some(Named::Sequence(points))) => Str::from_code_points(points),
        (name, None) => Err(undefined(&name)),
    }
}

fn form_and_text(args: &Args<'_>, function: &str) -> PyResult<(Form, Ref<Str>)> {
    let form = str_arg(args.required(0), function, " 1")?;
    let text = str_arg(args.required(1), function, " 2")?;
    let parsed = form.as_ascii().and_then(Form::from_name);
    if text.is_empty() && parsed.is_none() {
        // An empty text is in every form, even in one that does not exist.
        return Ok((Form::Nfc, Ref::of(text)));
    }
    let form = parsed.ok_or_else(|| err::value_error("invalid normalization form"))?;
    Ok((form, Ref::of(text)))
}

fn normalize(_: &Object, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let (form, text) = form_and_text(args, "normalize")?;
    if text.is_ascii() {
        return text.substring(0, text.len());
    }
    let points: Vec<u32> = text.code_points().collect();
    let made = taipan_unicode::normalize(form, &points);
    if made == points { text.substring(0, text.len()) } else { Str::from_code_points(&made) }
}

fn is_normalized(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let (form, text) = form_and_text(args, "is_normalized")?;
    let points: Vec<u32> = text.code_points().collect();
    Ok(text.is_ascii() || taipan_unicode::is_normalized(form, &points))
}

methods! {
    static METHODS = {
        args "decimal" "($self, chr, default=<unrepresentable>, /)" = decimal, "The decimal value of a character, or the default, or ValueError.";
        args "digit" "($self, chr, default=<unrepresentable>, /)" = digit, "The value of a character as a digit, or the default, or ValueError.";
        args "numeric" "($self, chr, default=<unrepresentable>, /)" = numeric, "The numeric value of a character, or the default, or ValueError.";
        one "category" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "category", "").map(taipan_unicode::category), "The general category of a character.";
        one "bidirectional" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "bidirectional", "").map(taipan_unicode::bidirectional), "The direction class of a character, '' for none.";
        one "combining" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "combining", "").map(|c| i64::from(taipan_unicode::combining(c))), "The combining class of a character, 0 for none.";
        one "mirrored" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "mirrored", "").map(|c| i64::from(taipan_unicode::is_mirrored(c))), "1 if a character is mirrored in text from right to left, else 0.";
        one "east_asian_width" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "east_asian_width", "").map(taipan_unicode::east_asian_width), "The width class of a character.";
        one "decomposition" "($self, chr, /)" = |_: &Object, c: &Object| character(c, "decomposition", "").map(taipan_unicode::decomposition), "The decomposition of a character as text, '' for none.";
        args "name" "($self, chr, default=<unrepresentable>, /)" = name, "The name of a character, or the default, or ValueError.";
        one "lookup" "($self, name, /)" = lookup, "The character or sequence of a name, or KeyError.";
        args "is_normalized" "($self, form, unistr, /)" = is_normalized, "Whether a text is in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.";
        args "normalize" "($self, form, unistr, /)" = normalize, "The text in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.";
    }
}

/// The database of version 3.2.0.
pub struct Ucd;

static UCD: StaticType =
    StaticType::native(c"unicodedata.UCD", Native::<Ucd>::SIZE, abi::Py_TPFLAGS_DISALLOW_INSTANTIATION);

impl Payload for Ucd {
    const TYPE: &'static StaticType = &UCD;
}

type Old = Native<Ucd>;

fn old_normal(args: &Args<'_>, function: &str) -> PyResult<(Ref<Str>, Vec<u32>, Vec<u32>)> {
    let (form, text) = form_and_text(args, function)?;
    let points: Vec<u32> = text.code_points().collect();
    let made = old::normalize(form, &points);
    Ok((text, points, made))
}

fn old_lookup(_: &Old, name: &Object) -> PyResult<Ref<Str>> {
    let found = find(name)?;
    match found.1 {
        Some(Named::Char(c)) => Str::from_code_points(&[c]),
        _ => Err(undefined(&found.0)),
    }
}

methods! {
    static UCD_METHODS = {
        args "decimal" "($self, chr, default=<unrepresentable>, /)" = |_: &Old, a: &Args<'_>| { let c = character(a.required(0), "decimal", " 1")?; or_default(a, old::decimal(c).map(i64::from), "not a decimal") }, "The decimal value of a character, or the default, or ValueError.";
        args "digit" "($self, chr, default=<unrepresentable>, /)" = |_: &Old, a: &Args<'_>| { let c = character(a.required(0), "digit", " 1")?; or_default(a, taipan_unicode::digit(c).map(i64::from), "not a digit") }, "The value of a character as a digit, or the default, or ValueError.";
        args "numeric" "($self, chr, default=<unrepresentable>, /)" = |_: &Old, a: &Args<'_>| { let c = character(a.required(0), "numeric", " 1")?; or_default(a, old::numeric(c), "not a numeric character") }, "The numeric value of a character, or the default, or ValueError.";
        one "category" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "category", "").map(old::category), "The general category of a character.";
        one "bidirectional" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "bidirectional", "").map(old::bidirectional), "The direction class of a character, '' for none.";
        one "combining" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "combining", "").map(|c| i64::from(old::combining(c))), "The combining class of a character, 0 for none.";
        one "mirrored" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "mirrored", "").map(|c| i64::from(old::is_mirrored(c))), "1 if a character is mirrored in text from right to left, else 0.";
        one "east_asian_width" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "east_asian_width", "").map(old::east_asian_width), "The width class of a character.";
        one "decomposition" "($self, chr, /)" = |_: &Old, c: &Object| character(c, "decomposition", "").map(old::decomposition), "The decomposition of a character as text, '' for none.";
        args "name" "($self, chr, default=<unrepresentable>, /)" = |_: &Old, a: &Args<'_>| { let c = character(a.required(0), "name", " 1")?; or_default(a, old::name(c), "no such name") }, "The name of a character, or the default, or ValueError.";
        one "lookup" "($self, name, /)" = old_lookup, "The character of a name, or KeyError.";
        args "is_normalized" "($self, form, unistr, /)" = |_: &Old, a: &Args<'_>| old_normal(a, "is_normalized").map(|(_, before, after)| before == after), "Whether a text is in a normal form.";
        args "normalize" "($self, form, unistr, /)" = |_: &Old, a: &Args<'_>| old_normal(a, "normalize").and_then(|(_, _, after)| Str::from_code_points(&after)), "The text in a normal form.";
    }
}

static UCD_SPEC: TypeSpec = TypeSpec {
    slots: &[Old::DEALLOC],
    methods: UCD_METHODS,
    getset: &[getset_row(c"unidata_version", |_: &Old| old::VERSION, c"the version")],
    ..TypeSpec::new(&UCD)
};

fn init(module: &Module) -> PyResult<()> {
    add_type(module, &UCD_SPEC)?;
    module.add("unidata_version", &*Str::from_utf8(taipan_unicode::VERSION)?)?;
    let old = native_new(&UCD, Ucd)?;
    module.add("ucd_3_2_0", old.object())
}

/// `unicodedata`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "unicodedata",
    doc: "The Unicode Character Database, version 16.0.0: properties, names, normal forms.",
    methods: METHODS,
    init,
};
