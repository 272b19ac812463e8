//! `tupleobject.h`, `listobject.h`, `dictobject.h`, `setobject.h`.

use crate::border::{Obj, arg, bad_call, builtin_method, export, export_plain, ignoring, name, text, typed};
use crate::variadic::variadic;
use core::ffi::{c_char, c_int};
use taipan_object::dict::{Dict, hash_key};
use taipan_object::err::{PyResult, index_error, key_error, type_error};
use taipan_object::list::List;
use taipan_object::native::opt_ptr;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, gc, protocol, raise, refcount};
use taipan_types_collections::dict::OnDuplicate;
use taipan_types_collections::set::{self, AnySet};

/// A position between 0 and `len`.
fn clip(index: isize, len: usize) -> usize {
    index.max(0).cast_unsigned().min(len)
}

/// A fresh tuple whose places C fills: the items are null until then.
unsafe fn new_tuple(len: isize) -> PyResult<Ref<Tuple>> {
    let Ok(len) = usize::try_from(len) else { return Err(bad_call()) };
    if len == 0 {
        return Ok(Tuple::empty());
    }
    // SAFETY: every place is written here.
    unsafe {
        let tuple = Tuple::with_room(len)?;
        core::ptr::write_bytes(tuple.items_ptr(), 0, len);
        if !gc::is_tracked(&tuple) {
            gc::track(&tuple);
        }
        Ok(tuple)
    }
}

/// Changes the length of a tuple that nobody else knows.
unsafe fn resize_tuple(place: *mut Obj, len: isize) -> PyResult<()> {
    // SAFETY: a place that owns a tuple by the callers' contract.
    unsafe {
        let held = Ref::<Object>::steal(place.replace(core::ptr::null_mut()));
        let Some(tuple) = held.downcast::<Tuple>().filter(|tuple| tuple.is_exact(&PyTuple_Type)) else {
            return Err(bad_call());
        };
        if tuple.len().cast_signed() == len {
            place.write(held.into_ptr());
            return Ok(());
        }
        if !tuple.is_empty() && tuple.refcount() != 1 {
            return Err(bad_call());
        }
        let fresh = new_tuple(len)?;
        let kept = tuple.len().min(fresh.len());
        for index in 0..kept {
            let item = tuple.items_ptr().add(index);
            fresh.items_ptr().add(index).write(*item);
            refcount::xincref(*item);
        }
        drop(held);
        place.write(fresh.into_ptr());
        Ok(())
    }
}

/// A list of `len` null places, which C fills.
unsafe fn new_list(len: isize) -> PyResult<Ref<List>> {
    let Ok(len) = usize::try_from(len) else { return Err(bad_call()) };
    let list = List::with_capacity(len)?;
    // SAFETY: capacity for that many items; null is allowed until C has filled the list.
    unsafe {
        if len > 0 {
            core::ptr::write_bytes(list.items_ptr(), 0, len);
        }
        (*list.raw()).ob_base.ob_size = len.cast_signed();
    }
    Ok(list)
}

unsafe fn place_in_list(list: Obj, index: isize, value: Obj) -> PyResult<()> {
    // SAFETY: the reference to `value` is taken over whatever happens.
    unsafe {
        let value = Object::borrow_opt(value).map(|_| Ref::<Object>::steal(value));
        let list = typed::<List>(list)?;
        let Some(index) = usize::try_from(index).ok().filter(|&index| index < list.len()) else {
            return Err(index_error("list assignment index out of range"));
        };
        let new = taipan_object::handle::into_ptr_opt(value);
        let old = list.items_ptr().add(index).replace(new);
        refcount::xdecref(old);
    }
    Ok(())
}

unsafe fn list_item<'a>(list: Obj, index: isize) -> PyResult<&'a Object> {
    // SAFETY: a live object by the callers' contract; the list keeps the item alive.
    unsafe {
        let list = typed::<List>(list)?;
        match usize::try_from(index).ok().filter(|&index| index < list.len()) {
            Some(index) => Ok(Object::borrow(*list.items_ptr().add(index))),
            None => Err(index_error("list index out of range")),
        }
    }
}

fn method(list: &List, name: &str, args: &[&Object]) -> PyResult {
    let mut all: Vec<&Object> = vec![list];
    all.extend_from_slice(args);
    builtin_method(&PyList_Type, name, &all)
}

/// The value of a key, borrowed from the dict.
fn borrowed_value<'a>(dict: &'a Dict, key: &Object) -> PyResult<Option<&'a Object>> {
    let hash = hash_key(key)?;
    borrowed_hashed(dict, key, hash)
}

fn borrowed_hashed<'a>(dict: &'a Dict, key: &Object, hash: isize) -> PyResult<Option<&'a Object>> {
    match dict.lookup(key, hash)? {
        taipan_object::dict::Found::At(index) => Ok(dict.value_at(index)),
        _ => Ok(None),
    }
}

unsafe fn hand_out(found: Option<Ref>, place: *mut Obj) -> bool {
    // SAFETY: a valid out parameter or null, by the callers' contract.
    unsafe {
        let some = found.is_some();
        if !place.is_null() {
            place.write(taipan_object::handle::into_ptr_opt(found));
        }
        some
    }
}

fn remove(dict: &Dict, key: &Object) -> PyResult<()> {
    match dict.remove(key)? {
        Some(_) => Ok(()),
        None => Err(key_error(key)),
    }
}

/// The value of a key, after putting in a default if there is none: the value, and whether it was there.
unsafe fn set_default(dict: Obj, key: Obj, default: Obj) -> PyResult<(Ref, bool)> {
    // SAFETY: live objects by the callers' contract.
    unsafe {
        let (dict, key) = (typed::<Dict>(dict)?, arg(key)?);
        let there = dict.get(key)?;
        match there {
            Some(value) => Ok((value, true)),
            None => Ok((dict.set_default(key, arg(default)?)?, false)),
        }
    }
}

fn merge(dict: &Dict, other: &Object, replace: c_int) -> PyResult<()> {
    let duplicates = match replace {
        0 => OnDuplicate::Keep,
        1 => OnDuplicate::Replace,
        _ => OnDuplicate::Fail,
    };
    taipan_types_collections::dict::merge(dict, other, duplicates)
}

fn dict_list(dict: &Dict, pick: impl Fn((Ref, Ref)) -> PyResult<Ref>) -> PyResult<Ref<List>> {
    let items: PyResult<Vec<Ref>> = dict.items_vec().into_iter().map(pick).collect();
    List::from_vec(items?)
}

/// One step of `PyDict_Next`: borrowed key and value.
unsafe fn next(dict: Obj, position: *mut isize, key: *mut Obj, value: *mut Obj, hash: *mut isize) -> c_int {
    // SAFETY: a live object and valid out parameters (null ones are skipped) by the callers' contract.
    unsafe {
        let Some(dict) = Object::borrow_opt(dict).and_then(Object::downcast::<Dict>) else { return 0 };
        let mut at = (*position).max(0).cast_unsigned();
        let Some((found_key, found_value, found_hash)) = dict.next_borrowed(&mut at) else { return 0 };
        *position = at.cast_signed();
        for (place, object) in [(key, found_key), (value, found_value)] {
            if !place.is_null() {
                place.write(object.as_ptr());
            }
        }
        if !hash.is_null() {
            hash.write(found_hash);
        }
        1
    }
}

/// The old look-up that hides errors: they go to `sys.unraisablehook`, and one already raised stays.
unsafe fn quiet_item(dict: Obj, key: &Object) -> Obj {
    // SAFETY: null or a live object.
    let dict = unsafe { Object::borrow_opt(dict) }.and_then(Object::downcast::<Dict>);
    crate::border::keeping_error(|| opt_ptr(dict.and_then(|dict| ignoring(borrowed_value(dict, key), None))))
}

unsafe fn set_of<'a>(object: Obj) -> PyResult<&'a AnySet> {
    // SAFETY: a live object by the callers' contract.
    unsafe { typed::<AnySet>(object) }
}

export! {
    fn PyTuple_New(len: isize) -> Obj {
        new_tuple(len)
    }

    fn PyTuple_Size(tuple: Obj) -> isize {
        Ok(typed::<Tuple>(tuple)?.len())
    }

    fn PyTuple_GetItem(tuple: Obj, index: isize) -> Obj {
        let tuple = typed::<Tuple>(tuple)?;
        usize::try_from(index).ok().and_then(|index| tuple.get(index))
            .ok_or_else(|| index_error("tuple index out of range"))
    }

    fn PyTuple_SetItem(tuple: Obj, index: isize, value: Obj) -> c_int {
        let value = Object::borrow_opt(value).map(|_| Ref::<Object>::steal(value));
        let tuple = typed::<Tuple>(tuple)?;
        if tuple.refcount() != 1 {
            return Err(bad_call());
        }
        let Some(index) = usize::try_from(index).ok().filter(|&index| index < tuple.len()) else {
            return Err(index_error("tuple assignment index out of range"));
        };
        let old = tuple.items_ptr().add(index).replace(taipan_object::handle::into_ptr_opt(value));
        refcount::xdecref(old);
        Ok(())
    }

    fn PyTuple_GetSlice(tuple: Obj, from: isize, to: isize) -> Obj {
        let tuple = typed::<Tuple>(tuple)?;
        let to = clip(to, tuple.len());
        tuple.slice(clip(from, to), to)
    }

    fn _PyTuple_Resize(place: *mut Obj, len: isize) -> c_int {
        resize_tuple(place, len)
    }

    fn PyTuple_FromArray(items: *const Obj, len: isize) -> Obj {
        if len <= 0 {
            return Ok(Tuple::empty());
        }
        Tuple::from_refs(core::slice::from_raw_parts(items.cast::<&Object>(), len.cast_unsigned()))
    }

    fn PyList_New(len: isize) -> Obj {
        new_list(len)
    }

    fn PyList_Size(list: Obj) -> isize {
        Ok(typed::<List>(list)?.len())
    }

    fn PyList_GetItem(list: Obj, index: isize) -> Obj {
        list_item(list, index)
    }

    fn PyList_GetItemRef(list: Obj, index: isize) -> Obj {
        match arg(list)?.downcast::<List>() {
            Some(_) => Ok(list_item(list, index)?.new_ref()),
            None => Err(type_error("expected a list")),
        }
    }

    fn PyList_SetItem(list: Obj, index: isize, value: Obj) -> c_int {
        place_in_list(list, index, value)
    }

    fn PyList_Append(list: Obj, value: Obj) -> c_int {
        typed::<List>(list)?.append(arg(value)?.new_ref())
    }

    fn PyList_Insert(list: Obj, index: isize, value: Obj) -> c_int {
        let list = typed::<List>(list)?;
        let index = if index < 0 { index + list.len().cast_signed() } else { index };
        list.insert(clip(index, list.len()), arg(value)?.new_ref())
    }

    fn PyList_Extend(list: Obj, iterable: Obj) -> c_int {
        taipan_types_collections::list::list_extend(typed(list)?, arg(iterable)?)
    }

    fn _PyList_Extend(list: Obj, iterable: Obj) -> Obj {
        taipan_types_collections::list::list_extend(typed(list)?, arg(iterable)?)?;
        Ok(taipan_object::singletons::new_none())
    }

    fn PyList_Clear(list: Obj) -> c_int {
        typed::<List>(list)?.clear();
        Ok(())
    }

    fn PyList_GetSlice(list: Obj, from: isize, to: isize) -> Obj {
        let list = typed::<List>(list)?;
        let to = clip(to, list.len());
        let from = clip(from, to);
        List::from_vec((from..to).filter_map(|index| list.get(index)).collect())
    }

    fn PyList_SetSlice(list: Obj, from: isize, to: isize, items: Obj) -> c_int {
        let items = match Object::borrow_opt(items) {
            Some(items) => protocol::to_vec(items)?,
            None => Vec::new(),
        };
        let list = typed::<List>(list)?;
        let from = clip(from, list.len());
        let to = clip(to, list.len()).max(from);
        let old = list.splice(from, to, items)?;
        drop(old);
        Ok(())
    }

    fn PyList_Sort(list: Obj) -> c_int {
        taipan_types_collections::list::list_sort(typed(list)?, None, false)
    }

    fn PyList_Reverse(list: Obj) -> c_int {
        method(typed(list)?, "reverse", &[]).map(drop)
    }

    fn PyList_AsTuple(list: Obj) -> Obj {
        typed::<List>(list)?.to_tuple()
    }

    fn PyDict_New() -> Obj {
        Dict::new()
    }

    fn _PyDict_NewPresized(count: isize) -> Obj {
        Dict::with_capacity(count.max(0).cast_unsigned())
    }

    fn PyDict_Size(dict: Obj) -> isize {
        Ok(typed::<Dict>(dict)?.len())
    }

    fn PyDict_Copy(dict: Obj) -> Obj {
        typed::<Dict>(dict)?.copy()
    }

    fn PyDict_Contains(dict: Obj, key: Obj) -> c_int {
        typed::<Dict>(dict)?.contains(arg(key)?)
    }

    fn PyDict_ContainsString(dict: Obj, key: *const c_char) -> c_int {
        typed::<Dict>(dict)?.contains(&*Str::from_utf8(text(key)?)?)
    }

    fn PyDict_GetItemWithError(dict: Obj, key: Obj) -> Obj {
        borrowed_value(typed(dict)?, arg(key)?)
    }

    fn _PyDict_GetItemStringWithError(dict: Obj, key: *const c_char) -> Obj {
        borrowed_value(typed(dict)?, &*Str::from_utf8(text(key)?)?)
    }

    fn _PyDict_GetItem_KnownHash(dict: Obj, key: Obj, hash: isize) -> Obj {
        borrowed_hashed(typed(dict)?, arg(key)?, hash)
    }

    fn PyDict_GetItemRef(dict: Obj, key: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        Ok(hand_out(typed::<Dict>(dict)?.get(arg(key)?)?, place))
    }

    fn PyDict_GetItemStringRef(dict: Obj, key: *const c_char, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        Ok(hand_out(typed::<Dict>(dict)?.get(&*Str::from_utf8(text(key)?)?)?, place))
    }

    fn PyDict_SetItem(dict: Obj, key: Obj, value: Obj) -> c_int {
        typed::<Dict>(dict)?.set(arg(key)?, arg(value)?)
    }

    fn PyDict_SetItemString(dict: Obj, key: *const c_char, value: Obj) -> c_int {
        typed::<Dict>(dict)?.set_str(&*name(key)?, arg(value)?)
    }

    fn _PyDict_SetItem_KnownHash(dict: Obj, key: Obj, value: Obj, hash: isize) -> c_int {
        typed::<Dict>(dict)?.set_hashed(arg(key)?, hash, arg(value)?.new_ref())
    }

    fn _PyDict_SetItem_KnownHash_LockHeld(dict: Obj, key: Obj, value: Obj, hash: isize) -> c_int {
        typed::<Dict>(dict)?.set_hashed(arg(key)?, hash, arg(value)?.new_ref())
    }

    fn PyDict_DelItem(dict: Obj, key: Obj) -> c_int {
        remove(typed(dict)?, arg(key)?)
    }

    fn PyDict_DelItemString(dict: Obj, key: *const c_char) -> c_int {
        remove(typed(dict)?, &*Str::from_utf8(text(key)?)?)
    }

    fn PyDict_Pop(dict: Obj, key: Obj, place: *mut Obj) -> c_int {
        if !place.is_null() {
            place.write(core::ptr::null_mut());
        }
        Ok(hand_out(typed::<Dict>(dict)?.remove(arg(key)?)?, place))
    }

    fn PyDict_PopString(dict: Obj, key: *const c_char, place: *mut Obj) -> c_int {
        if !place.is_null() {
            place.write(core::ptr::null_mut());
        }
        Ok(hand_out(typed::<Dict>(dict)?.remove(&*Str::from_utf8(text(key)?)?)?, place))
    }

    fn _PyDict_Pop(dict: Obj, key: Obj, default: Obj) -> Obj {
        let key = arg(key)?;
        match typed::<Dict>(dict)?.remove(key)? {
            Some(value) => Ok(value),
            None => Object::borrow_opt(default).map(Object::new_ref).ok_or_else(|| key_error(key)),
        }
    }

    fn PyDict_SetDefault(dict: Obj, key: Obj, default: Obj) -> Obj {
        // The dict keeps the value alive.
        Ok(set_default(dict, key, default)?.0.as_ptr())
    }

    fn PyDict_SetDefaultRef(dict: Obj, key: Obj, default: Obj, place: *mut Obj) -> c_int {
        if !place.is_null() {
            place.write(core::ptr::null_mut());
        }
        let (value, there) = set_default(dict, key, default)?;
        hand_out(Some(value), place);
        Ok(there)
    }

    fn PyDict_Clear(dict: Obj) {
        if let Some(dict) = Object::borrow_opt(dict).and_then(Object::downcast::<Dict>) {
            dict.clear();
        }
        Ok(())
    }

    fn PyDict_Keys(dict: Obj) -> Obj {
        dict_list(typed(dict)?, |(key, _)| Ok(key))
    }

    fn PyDict_Values(dict: Obj) -> Obj {
        dict_list(typed(dict)?, |(_, value)| Ok(value))
    }

    fn PyDict_Items(dict: Obj) -> Obj {
        dict_list(typed(dict)?, |(key, value)| Ok(Tuple::from_array([key, value])?.upcast()))
    }

    fn PyDict_Update(dict: Obj, other: Obj) -> c_int {
        merge(typed(dict)?, arg(other)?, 1)
    }

    fn PyDict_Merge(dict: Obj, other: Obj, replace: c_int) -> c_int {
        merge(typed(dict)?, arg(other)?, c_int::from(replace != 0))
    }

    fn _PyDict_MergeEx(dict: Obj, other: Obj, replace: c_int) -> c_int {
        merge(typed(dict)?, arg(other)?, replace)
    }

    fn PyDict_MergeFromSeq2(dict: Obj, pairs: Obj, replace: c_int) -> c_int {
        let duplicates = if replace != 0 { OnDuplicate::Replace } else { OnDuplicate::Keep };
        taipan_types_collections::dict::merge_pairs(typed(dict)?, arg(pairs)?, duplicates)
    }

    fn PyDictProxy_New(mapping: Obj) -> Obj {
        taipan_types_collections::misc::mappingproxy::new_proxy(arg(mapping)?)
    }

    fn PySet_New(iterable: Obj) -> Obj {
        set::new_set(Object::borrow_opt(iterable))
    }

    fn PyFrozenSet_New(iterable: Obj) -> Obj {
        set::new_frozenset(Object::borrow_opt(iterable))
    }

    fn PySet_Size(object: Obj) -> isize {
        Ok(set_of(object)?.len())
    }

    fn PySet_Contains(object: Obj, item: Obj) -> c_int {
        set_of(object)?.contains_hashed(arg(item)?, set::table::hash_element(arg(item)?)?)
    }

    fn PySet_Add(object: Obj, item: Obj) -> c_int {
        let found = set_of(object)?;
        // A frozenset may still be filled by whoever made it.
        if !found.ty().is_subtype(&PySet_Type) && found.refcount() != 1 {
            return Err(bad_call());
        }
        set::add(found, arg(item)?)
    }

    fn PySet_Discard(object: Obj, item: Obj) -> c_int {
        let item = arg(item)?;
        Ok(set_of(object)?.take_hashed(item, set::table::hash_element(item)?)?.is_some())
    }

    fn PySet_Pop(object: Obj) -> Obj {
        set_of(object)?.pop().ok_or_else(|| {
            raise!(PyExc_KeyError, "pop from an empty set")
        })
    }

    fn PySet_Clear(object: Obj) -> c_int {
        set_of(object)?.clear();
        Ok(())
    }

    fn _PySet_Update(object: Obj, iterable: Obj) -> c_int {
        set::update(set_of(object)?, arg(iterable)?)
    }
}

export_plain! {
    fn PyDict_GetItem(dict: Obj, key: Obj) -> Obj {
        match Object::borrow_opt(key) {
            Some(key) => quiet_item(dict, key),
            None => core::ptr::null_mut(),
        }
    }

    fn PyDict_GetItemString(dict: Obj, key: *const c_char) -> Obj {
        match ignoring(text(key).and_then(Str::from_utf8).map(Some), None) {
            Some(key) => quiet_item(dict, &key),
            None => core::ptr::null_mut(),
        }
    }

    fn PyDict_Next(dict: Obj, position: *mut isize, key: *mut Obj, value: *mut Obj) -> c_int {
        next(dict, position, key, value, core::ptr::null_mut())
    }

    fn _PyDict_Next(dict: Obj, position: *mut isize, key: *mut Obj, value: *mut Obj, hash: *mut isize) -> c_int {
        next(dict, position, key, value, hash)
    }

    fn _PySet_NextEntry(object: Obj, position: *mut isize, key: *mut Obj, hash: *mut isize) -> c_int {
        next_of_set(object, position, key, hash)
    }
}

unsafe fn next_of_set(object: Obj, position: *mut isize, key: *mut Obj, hash: *mut isize) -> c_int {
    // SAFETY: a live object and valid out parameters by the callers' contract.
    unsafe {
        let Some(set) = Object::borrow_opt(object).and_then(Object::downcast::<AnySet>) else { return 0 };
        let mut at = (*position).max(0).cast_unsigned();
        let Some((found, found_hash)) = set.next(&mut at) else { return 0 };
        *position = at.cast_signed();
        // The set keeps the key alive.
        key.write(found.as_ptr());
        hash.write(found_hash);
        1
    }
}

variadic! {
    fn PyTuple_Pack(va) -> Obj {
        let Ok(len) = usize::try_from(va.long()) else { return Err(bad_call()) };
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(arg(va.pointer())?.new_ref());
        }
        Tuple::from_vec(items)
    }
}
