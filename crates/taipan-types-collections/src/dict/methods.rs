//! Methods of `dict`.

use super::{fill, iter, slots, view};
use crate::set::AnySet;
use crate::util;
use taipan_object::dict::{Dict, hash_key};
use taipan_object::err::{PyResult, key_error};
use taipan_object::native::{CallArgs, IntoPy};
use taipan_object::protocol::{iter_next, set_item};
use taipan_object::singletons::none;
use taipan_object::statics::PyDict_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref};

fn get(dict: &Dict, args: &[&Object]) -> PyResult {
    util::check_count("get", args.len(), 1, 2)?;
    let found = dict.get(args[0])?;
    Ok(found.unwrap_or_else(|| args.get(1).copied().unwrap_or(none()).new_ref()))
}

fn set_default(dict: &Dict, args: &[&Object]) -> PyResult {
    util::check_count("setdefault", args.len(), 1, 2)?;
    dict.set_default(args[0], args.get(1).copied().unwrap_or(none()))
}

fn pop(dict: &Dict, args: &[&Object]) -> PyResult {
    util::check_count("pop", args.len(), 1, 2)?;
    // An empty dict does not even ask for the hash.
    let taken = if dict.is_empty() {
        None
    } else {
        let hash = hash_key(args[0])?;
        dict.take_hashed(args[0], hash)?
    };
    match (taken, args.get(1)) {
        (Some((_key, value)), _) => Ok(value),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(key_error(args[0])),
    }
}

fn pop_item(dict: &Dict) -> PyResult {
    match dict.pop_last() {
        Some((key, value)) => Ok(Tuple::from_array([key, value])?.upcast()),
        None => Err(key_error(&*"popitem(): dictionary is empty".into_py()?)),
    }
}

fn update(dict: &Dict, args: CallArgs<'_>) -> PyResult<()> {
    util::check_count("update", args.positional().len(), 0, 1)?;
    let kwargs = args.keywords_dict()?;
    fill(dict, args.positional().first().copied(), kwargs.as_deref())
}

/// `cls.fromkeys(iterable, value)`.
fn from_keys(class: &Object, args: &[&Object]) -> PyResult {
    util::check_count("fromkeys", args.len(), 1, 2)?;
    let value = args.get(1).copied().unwrap_or(none());
    let made = class.call(&[])?;
    let plain = made.is_exact(&PyDict_Type);
    if let Some(set) = args[0].downcast::<AnySet>().filter(|_| plain) {
        // A set knows the hashes.
        let mut position = 0;
        while let Some((key, hash)) = set.next(&mut position) {
            // SAFETY: an exact dict.
            unsafe { made.cast::<Dict>() }.set_hashed(&key, hash, value.new_ref())?;
        }
        return Ok(made);
    }
    let iterator = args[0].iter()?;
    while let Some(key) = iter_next(&iterator)? {
        if plain {
            // SAFETY: an exact dict.
            unsafe { made.cast::<Dict>() }.set(&key, value)?;
        } else {
            set_item(&made, &key, value)?;
        }
    }
    Ok(made)
}

fn size_of(dict: &Dict) -> usize {
    // SAFETY: a live type.
    unsafe { (*dict.ty().raw()).tp_basicsize as usize + dict.table_size() }
}

fn copy(dict: &Dict) -> PyResult<Ref<Dict>> {
    slots::copy(dict)
}

taipan_object::methods! { pub(super) static METHODS = {
    coexist one "__getitem__" "($self, key, /)" = slots::subscript, "The value of a key.";
    coexist one "__contains__" "($self, key, /)" = slots::contains, "Whether there is such a key.";
    noargs "__sizeof__" "($self, /)" = size_of, "The bytes that the dictionary itself takes in memory.";
    many "get" "($self, key, default=None, /)" = get, "The value of a key, or the default when there is no such key.";
    many "setdefault" "($self, key, default=None, /)" = set_default, "The value of a key, which is added with the default first when it is missing.";
    many "pop" "($self, key, default=<unrepresentable>, /)" = pop, "D.pop(key[, default]) -> the value of a key, which is taken out\n\nA missing key gives the default; without one KeyError is raised.";
    noargs "popitem" "($self, /)" = pop_item, "Take out the item that was added last and return it as a pair of key and value.\n\nRaises KeyError when the dictionary is empty.";
    noargs "keys" "($self, /)" = view::keys, "A view of the keys, which behaves like a set.";
    noargs "items" "($self, /)" = view::items, "A view of the pairs of key and value, which behaves like a set.";
    noargs "values" "($self, /)" = view::values, "A view of the values.";
    keywords "update" "" = update, "D.update([other, ]**keywords)\n\nTake over items: those of a mapping or the pairs of an iterable, then the keywords.\nValues of keys that are there already are replaced.";
    class many "fromkeys" "($type, iterable, value=None, /)" = from_keys, "A new dictionary whose keys come from an iterable and all have one value.";
    noargs "clear" "($self, /)" = Dict::clear, "Remove all items.";
    noargs "copy" "($self, /)" = copy, "A new dictionary of the same items.";
    noargs "__reversed__" "($self, /)" = iter::reversed_keys, "An iterator over the keys from the last to the first.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what keys and values are, see PEP 585.";
} }
