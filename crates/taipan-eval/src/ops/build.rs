//! Building and extending containers and strings.

use crate::stackref::StackRef;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::list::List;
use taipan_object::protocol::{self, IterStep};
use taipan_object::singletons::none;
use taipan_object::slice::Slice;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, raise};
use taipan_types_meta::template;

/// Takes over `count` words.
unsafe fn take(words: *mut StackRef, count: usize) -> Vec<Ref> {
    // SAFETY: the words are the caller's to give.
    (0..count).map(|index| unsafe { words.add(index).replace(StackRef::NULL).into_ref() }).collect()
}

/// A tuple of words, which it takes over.
///
/// # Safety
/// `words` points to `count` words.
/// # Errors
/// `MemoryError`.
pub unsafe fn build_tuple(words: *mut StackRef, count: usize) -> PyResult {
    // SAFETY: by contract; every item is filled before anybody sees the tuple.
    unsafe {
        let tuple = Tuple::with_room(count)?;
        let items = tuple.items_ptr();
        for index in 0..count {
            items.add(index).write(words.add(index).replace(StackRef::NULL).into_ref().into_ptr());
        }
        if count != 0 {
            taipan_object::gc::track_ptr(tuple.as_ptr());
        }
        Ok(tuple.upcast())
    }
}

/// A list of words, which it takes over.
///
/// # Safety
/// `words` points to `count` words.
/// # Errors
/// `MemoryError`.
pub unsafe fn build_list(words: *mut StackRef, count: usize) -> PyResult {
    // SAFETY: by contract.
    List::from_vec(unsafe { take(words, count) }).map(Ref::upcast)
}

/// A dict of keys and values in turn.
///
/// # Safety
/// `words` points to `2 * pairs` words.
/// # Errors
/// What hashing and comparing keys raises.
pub unsafe fn build_map(words: *mut StackRef, pairs: usize) -> PyResult {
    let dict = Dict::with_capacity(pairs)?;
    for pair in 0..pairs {
        // SAFETY: by contract.
        unsafe {
            let key = (*words.add(2 * pair)).look();
            dict.set(&key, &(*words.add(2 * pair + 1)).look())?;
        }
    }
    Ok(dict.upcast())
}

/// A set of words.
///
/// # Safety
/// `words` points to `count` words.
/// # Errors
/// What hashing and comparing items raises.
pub unsafe fn build_set(words: *mut StackRef, count: usize) -> PyResult {
    let set = PySet_Type.call(&[])?;
    for index in 0..count {
        // SAFETY: by contract.
        set_add(&set, &unsafe { *words.add(index) }.look())?;
    }
    Ok(set)
}

/// Adds an item to a set.
///
/// # Errors
/// What hashing and comparing raises.
pub fn set_add(set: &Object, item: &Object) -> PyResult<()> {
    // What records conditional annotations is a name that anyone can rebind.
    if !set.is_exact(&PySet_Type) {
        return Err(type_error(&format!("'{}' object is not a set", set.ty().message_name())));
    }
    set.call_method(intern!("add"), &[item]).map(|_| ())
}

/// Adds an iterable's items to a set.
///
/// # Errors
/// What the iteration raises.
pub fn set_update(set: &Object, iterable: &Object) -> PyResult<()> {
    set.call_method(intern!("update"), &[iterable]).map(|_| ())
}

/// A str of strs.
///
/// # Safety
/// `words` points to `count` words that hold strs.
/// # Errors
/// `MemoryError`.
pub unsafe fn build_string(words: *mut StackRef, count: usize) -> PyResult {
    let mut points: Vec<u32> = Vec::new();
    let mut ascii = String::new();
    let mut all_ascii = true;
    for index in 0..count {
        // SAFETY: by contract.
        let look = unsafe { (*words.add(index)).look() };
        let Some(text) = look.downcast::<Str>() else { return Err(type_error("expected str")) };
        match text.as_ascii() {
            Some(text) if all_ascii => ascii.push_str(text),
            _ => {
                if all_ascii {
                    points.extend(ascii.chars().map(u32::from));
                    all_ascii = false;
                }
                points.extend(text.code_points());
            }
        }
    }
    if all_ascii { Str::from_utf8(&ascii) } else { Str::from_code_points(&points) }.map(Ref::upcast)
}

/// A slice of two or three words.
///
/// # Safety
/// `words` points to `count` words.
/// # Errors
/// `MemoryError`.
pub unsafe fn build_slice(words: *mut StackRef, count: usize) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        let (start, stop) = ((*words).look(), (*words.add(1)).look());
        if count == 3 {
            return Slice::new(&start, &stop, &(*words.add(2)).look()).map(Ref::upcast);
        }
        Slice::new(&start, &stop, none()).map(Ref::upcast)
    }
}

/// `BUILD_TEMPLATE`.
///
/// # Errors
/// `MemoryError`.
pub fn build_template(strings: StackRef, interpolations: StackRef) -> PyResult {
    template::make_template(&strings.look(), &interpolations.look())
}

/// `BUILD_INTERPOLATION`: value, expression text and perhaps a format specification.
///
/// # Safety
/// `words` points to two words, or three when bit 0 of `oparg` is set.
/// # Errors
/// `MemoryError`.
pub unsafe fn build_interpolation(words: *mut StackRef, oparg: usize) -> PyResult {
    let conversion = match oparg >> 2 {
        1 => intern!("s").new_ref(),
        2 => intern!("r").new_ref(),
        3 => intern!("a").new_ref(),
        _ => none().new_ref(),
    };
    // SAFETY: by contract.
    unsafe {
        let (value, text) = ((*words).look(), (*words.add(1)).look());
        if oparg & 1 != 0 {
            return template::make_interpolation(&value, &text, &conversion, &(*words.add(2)).look());
        }
        template::make_interpolation(&value, &text, &conversion, taipan_object::unicode::empty())
    }
}

/// Adds an iterable's items to a list (`[*iterable]`).
///
/// # Errors
/// `TypeError` when it is not iterable; what the iteration raises.
pub fn list_extend(list: &List, iterable: &Object) -> PyResult<()> {
    if !crate::ops::is_iterable(iterable) {
        return Err(raise!(
            PyExc_TypeError,
            "Value after * must be an iterable, not {}",
            iterable.ty().message_name()
        ));
    }
    if iterable.is_exact(&PyList_Type) || iterable.is_exact(&PyTuple_Type) {
        for item in protocol::to_vec(iterable)? {
            list.append(item)?;
        }
        return Ok(());
    }
    protocol::iterate(iterable, |item| {
        list.append(item)?;
        Ok(IterStep::Continue)
    })
}

/// `{**other}`.
///
/// # Errors
/// `TypeError` when it is no mapping; what reading it raises.
pub fn dict_update(dict: &Object, other: &Object) -> PyResult<()> {
    merge_into(dict, other, |_| Ok(())).map_err(|error| {
        if error.is(&PyExc_AttributeError) {
            return raise!(PyExc_TypeError, "'{}' object is not a mapping", other.ty().message_name());
        }
        error
    })
}

/// `f(**other)` after other keywords: every name may stand once.
///
/// # Errors
/// `TypeError` for a name given twice, or when it is no mapping.
pub fn dict_merge(dict: &Object, other: &Object, function: &Object) -> PyResult<()> {
    let target = dict.new_ref();
    let check = |key: &Object| {
        let known = target.downcast::<Dict>().is_some_and(|dict| dict.contains(key).unwrap_or(false));
        if key.downcast::<Str>().is_none() {
            return Err(type_error("keywords must be strings"));
        }
        if known {
            return Err(raise!(
                PyExc_TypeError,
                "{} got multiple values for keyword argument '{}'",
                crate::ops::function_text(function),
                key.str_lossy()
            ));
        }
        Ok(())
    };
    merge_into(dict, other, check).map_err(|error| {
        if error.is(&PyExc_AttributeError) {
            return raise!(
                PyExc_TypeError,
                "{} argument after ** must be a mapping, not {}",
                crate::ops::function_text(function),
                other.ty().message_name()
            );
        }
        error
    })
}

fn merge_into(dict: &Object, other: &Object, check: impl Fn(&Object) -> PyResult<()>) -> PyResult<()> {
    let Some(dict) = dict.downcast::<Dict>() else { return Err(type_error("expected a dict")) };
    if let Some(other) = other.downcast::<Dict>().filter(|other| other.is_exact(&PyDict_Type)) {
        for (key, value) in other.items_vec() {
            check(&key)?;
            dict.set(&key, &value)?;
        }
        return Ok(());
    }
    let keys = other.call_method(intern!("keys"), &[])?;
    protocol::iterate(&keys, |key| {
        check(&key)?;
        dict.set(&key, &*other.get_item(&key)?)?;
        Ok(IterStep::Continue)
    })
}
