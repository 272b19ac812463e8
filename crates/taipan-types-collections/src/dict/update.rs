//! Merging mappings and sequences of pairs into a dict.

use super::slots::next_hashed;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, key_error, runtime_error};
use taipan_object::intern;
use taipan_object::protocol::iter_next;
use taipan_object::statics::{PyDict_Type, PyExc_TypeError, PyExc_ValueError};
use taipan_object::unicode::Str;
use taipan_object::{Object, raise};

/// What to do with a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDuplicate {
    /// The new value wins.
    Replace,
    /// The old value stays.
    Keep,
    /// `KeyError` of the key.
    Fail,
}

/// Whether a dict's items can be read from its table: no subclass that iterates otherwise.
pub(super) fn iterates_plainly(dict: &Dict) -> bool {
    // SAFETY: live types; addresses of functions are compared as C code compares them.
    unsafe {
        (*dict.ty().raw()).tp_iter.map(|f| f as usize) == (*PyDict_Type.raw()).tp_iter.map(|f| f as usize)
    }
}

/// `dict.update(other)`: from a mapping, or from pairs.
///
/// # Errors
/// What reading `other` raises.
pub fn update(dict: &Dict, other: &Object) -> PyResult<()> {
    if other.is_exact(&PyDict_Type) || other.getattr_opt(intern!("keys"))?.is_some() {
        return merge(dict, other, OnDuplicate::Replace);
    }
    merge_pairs(dict, other, OnDuplicate::Replace)
}

/// Merges the items of a mapping.
///
/// # Errors
/// What reading `other` raises; `AttributeError` when it has no `keys`; `KeyError` of a duplicate key
/// when those are to fail.
pub fn merge(dict: &Dict, other: &Object, duplicates: OnDuplicate) -> PyResult<()> {
    if let Some(source) = other.downcast::<Dict>().filter(|source| iterates_plainly(source)) {
        return merge_dict(dict, source, duplicates);
    }
    let keys = other.call_method(intern!("keys"), &[])?;
    let iterator = keys.iter()?;
    while let Some(key) = iter_next(&iterator)? {
        if duplicates != OnDuplicate::Replace && dict.contains(&key)? {
            if duplicates == OnDuplicate::Fail {
                return Err(key_error(&key));
            }
            continue;
        }
        let value = other.get_item(&key)?;
        dict.set(&key, &value)?;
    }
    Ok(())
}

fn merge_dict(dict: &Dict, source: &Dict, duplicates: OnDuplicate) -> PyResult<()> {
    if dict.is(source) || source.is_empty() {
        return Ok(());
    }
    if dict.copy_table_of(source)? {
        return Ok(());
    }
    let (size, mut position) = (source.len(), 0);
    while let Some((key, value, hash)) = next_hashed(source, &mut position) {
        if duplicates == OnDuplicate::Replace || dict.get_hashed(&key, hash)?.is_none() {
            dict.set_hashed(&key, hash, value)?;
        } else if duplicates == OnDuplicate::Fail {
            return Err(key_error(&key));
        }
        if source.len() != size {
            return Err(runtime_error("dict mutated during update"));
        }
    }
    Ok(())
}

/// Merges the pairs that an iterable gives.
///
/// # Errors
/// What the iteration raises; `TypeError` and `ValueError` for things that are no pairs.
pub fn merge_pairs(dict: &Dict, pairs: &Object, duplicates: OnDuplicate) -> PyResult<()> {
    let iterator = pairs.iter()?;
    let mut count = 0usize;
    while let Some(pair) = iter_next(&iterator)? {
        let parts = crate::util::sequence_fast(&pair, "object is not iterable")
            .map_err(|error| with_note(error, count))?;
        let [key, value] = parts.as_slice() else {
            return Err(raise!(
                PyExc_ValueError,
                "dictionary update sequence element #{count} has length {}; 2 is required",
                parts.len()
            ));
        };
        if duplicates == OnDuplicate::Replace {
            dict.set(key, value)?;
        } else {
            dict.set_default(key, value)?;
        }
        count += 1;
    }
    Ok(())
}

/// Says which element was no pair, in a note on the exception.
#[cold]
fn with_note(error: PyErr, count: usize) -> PyErr {
    if !error.is(&PyExc_TypeError) {
        return error;
    }
    let note = format!("Cannot convert dictionary update sequence element #{count} to a sequence");
    let added =
        Str::from_utf8(&note).and_then(|note| error.exception().call_method(intern!("add_note"), &[&note]));
    match added {
        Ok(_) => error,
        Err(other) => other,
    }
}
