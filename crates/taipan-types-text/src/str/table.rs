//! `translate` and `maketrans`.

use crate::util::{argument_name, check_count};
use std::collections::HashMap;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyDict_Type, PyExc_LookupError, PyExc_TypeError};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, raise};

/// What becomes of a character.
#[derive(Clone)]
enum Replacement {
    Same,
    Char(u32),
    Text(Vec<u32>),
}

fn lookup(table: &Object, c: u32) -> PyResult<Replacement> {
    let found = match table.get_item(&Int::from_i64(i64::from(c))) {
        Ok(found) => found,
        Err(error) if error.is(&PyExc_LookupError) => return Ok(Replacement::Same),
        Err(error) => return Err(error),
    };
    if is_none(&found) {
        return Ok(Replacement::Text(Vec::new()));
    }
    if let Some(int) = found.downcast::<Int>() {
        return match int.to_i64().and_then(|value| u32::try_from(value).ok()).filter(|c| *c < 0x110000) {
            Some(c) => Ok(Replacement::Char(c)),
            None => Err(err::value_error("character mapping must be in range(0x110000)")),
        };
    }
    match found.downcast::<Str>() {
        Some(text) => Ok(Replacement::Text(text.code_points().collect())),
        None => Err(err::type_error("character mapping must return integer, None or str")),
    }
}

pub(super) fn translate(text: &Str, table: &Object) -> PyResult<Ref<Str>> {
    // Each ASCII character is looked up once; wider ones as often as they occur, as tables may count.
    let mut known: HashMap<u32, Replacement> = HashMap::new();
    let ascii = text.is_ascii();
    let mut out = Vec::with_capacity(text.len());
    for c in text.code_points() {
        let replacement = match known.get(&c) {
            Some(replacement) => replacement.clone(),
            None => {
                let replacement = lookup(table, c)?;
                if ascii {
                    known.insert(c, replacement.clone());
                }
                replacement
            }
        };
        match replacement {
            Replacement::Same => out.push(c),
            Replacement::Char(c) => out.push(c),
            Replacement::Text(text) => out.extend(text),
        }
    }
    Str::from_code_points(&out)
}

fn char_key(c: u32) -> Ref<Int> {
    Int::from_i64(i64::from(c))
}

/// `str.maketrans`.
pub(super) fn maketrans(_: &Object, args: &[&Object]) -> PyResult<Ref<Dict>> {
    check_count("maketrans", args.len(), 1, 3)?;
    let table = Dict::new()?;
    let Some(to) = args.get(1) else {
        from_dict(args[0], &table)?;
        return Ok(table);
    };
    let Some(to) = to.downcast::<Str>() else {
        return Err(raise!(PyExc_TypeError, "maketrans() argument 2 must be str, not {}", argument_name(to)));
    };
    let drop = match args.get(2) {
        None => None,
        Some(drop) => Some(drop.downcast::<Str>().ok_or_else(|| {
            raise!(PyExc_TypeError, "maketrans() argument 3 must be str, not {}", argument_name(drop))
        })?),
    };
    let Some(from) = args[0].downcast::<Str>() else {
        return Err(err::type_error(
            "first maketrans argument must be a string if there is a second argument",
        ));
    };
    if from.len() != to.len() {
        return Err(err::value_error("the first two maketrans arguments must have equal length"));
    }
    for (from, to) in from.code_points().zip(to.code_points()) {
        table.set(&char_key(from), &char_key(to))?;
    }
    for c in drop.iter().flat_map(|drop| drop.code_points()) {
        table.set(&char_key(c), none())?;
    }
    Ok(table)
}

fn from_dict(source: &Object, table: &Dict) -> PyResult<()> {
    if !source.is_exact(&PyDict_Type) {
        return Err(err::type_error("if you give only one argument to maketrans it must be a dict"));
    }
    let Some(source) = source.downcast::<Dict>() else { return Ok(()) };
    for (key, value) in source.items_vec() {
        if let Some(text) = key.downcast::<Str>() {
            if text.len() != 1 {
                return Err(err::value_error("string keys in translatetable must be of length 1"));
            }
            table.set(&char_key(text.chars().at(0)), &value)?;
        } else if key.downcast::<Int>().is_some() {
            table.set(&key, &value)?;
        } else {
            // The missing blank is part of the message that programs know.
            return Err(err::type_error("keys in translate table mustbe strings or integers"));
        }
    }
    Ok(())
}
