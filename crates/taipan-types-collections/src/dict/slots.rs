//! Operators of `dict`: items, union, comparison, `repr`.

use super::update::iterates_plainly;
use super::{OnDuplicate, merge, update};
use crate::util::{self, Text};
use taipan_object::dict::{Dict, hash_key};
use taipan_object::err::{PyResult, key_error};
use taipan_object::intern;
use taipan_object::native::{CompareOp, IntoPy};
use taipan_object::protocol::{repr_guard, special_opt};
use taipan_object::statics::PyDict_Type;
use taipan_object::{Object, Ref};

pub(super) fn length(dict: &Dict) -> PyResult<isize> {
    Ok(dict.len().cast_signed())
}

pub(super) fn contains(dict: &Dict, key: &Object) -> PyResult<bool> {
    dict.contains(key)
}

pub(super) fn subscript(dict: &Dict, key: &Object) -> PyResult {
    if let Some(value) = dict.get(key)? {
        return Ok(value);
    }
    if !dict.is_exact(&PyDict_Type)
        && let Some(value) = special_opt(dict, intern!("__missing__"), &[key])?
    {
        return Ok(value);
    }
    Err(key_error(key))
}

pub(super) fn store(dict: &Dict, key: &Object, value: Option<&Object>) -> PyResult<()> {
    match value {
        Some(value) => dict.set(key, value),
        None => {
            let hash = hash_key(key)?;
            let taken = dict.take_hashed(key, hash)?;
            taken.map(drop).ok_or_else(|| key_error(key))
        }
    }
}

pub(super) fn or(left: &Object, right: &Object) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<Dict>(), right.downcast::<Dict>()) else {
        return Ok(util::not_implemented());
    };
    let new = copy(a)?;
    update(&new, b)?;
    Ok(new.upcast())
}

pub(super) fn inplace_or(left: &Object, right: &Object) -> PyResult {
    let Some(dict) = left.downcast::<Dict>() else { return Ok(util::not_implemented()) };
    update(dict, right)?;
    Ok(left.new_ref())
}

/// A new dict of the same items. Subclasses that iterate in their own way are asked for their keys.
pub(super) fn copy(dict: &Dict) -> PyResult<Ref<Dict>> {
    if iterates_plainly(dict) {
        return dict.copy();
    }
    let new = Dict::new()?;
    merge(&new, dict, OnDuplicate::Replace)?;
    Ok(new)
}

/// Whether two dicts have equal items.
fn equal(a: &Dict, b: &Dict) -> PyResult<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    let mut position = 0;
    while let Some((key, value, hash)) = next_hashed(a, &mut position) {
        match b.get_hashed(&key, hash)? {
            Some(other) if value.equals(&other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The next item with its hash, as new references.
pub(crate) fn next_hashed(dict: &Dict, position: &mut usize) -> Option<(Ref, Ref, isize)> {
    let (key, value, hash) = dict.next_borrowed(position)?;
    Some((key.new_ref(), value.new_ref(), hash))
}

pub(super) fn compare(dict: &Dict, other: &Object, op: CompareOp) -> PyResult {
    match (op, other.downcast::<Dict>()) {
        (CompareOp::Eq, Some(other)) => equal(dict, other).into_py(),
        (CompareOp::Ne, Some(other)) => equal(dict, other).map(|same| !same).into_py(),
        _ => Ok(util::not_implemented()),
    }
}

/// What `dict.__repr__` does.
///
/// # Errors
/// What the `repr` of keys and values raises.
pub fn repr(dict: &Dict) -> PyResult {
    if dict.is_empty() {
        return "{}".into_py();
    }
    let text = repr_guard(dict, || {
        let mut text = Text::new();
        text.ascii("{");
        let (mut position, mut first) = (0, true);
        while let Some((key, value)) = dict.next(&mut position) {
            if !core::mem::take(&mut first) {
                text.ascii(", ");
            }
            text.repr(&key)?;
            text.ascii(": ");
            text.repr(&value)?;
        }
        text.ascii("}");
        text.finish()
    })?;
    text.map_or_else(|| "{...}".into_py(), IntoPy::into_py)
}
