//! Attributes inside their instance, and the dict that shows them.
//!
//! Problem: most attributes of most objects are the same few names in every instance of a class; a
//! dict per instance wastes memory and time. Idea: the class keeps the *names* in a table of keys
//! (`ht_cached_keys`), and each instance holds only a vector of values right behind its fields. When
//! somebody asks for `__dict__`, the instance makes a dict that borrows both: the class's table as its
//! keys, the instance's vector as its values. Attribute access goes on as before, and dict and
//! instance see the same places.
//!
//! A dict borrows only while its owner lives and only for names that fit. It is *unshared* - gets a
//! table of its own with the same items in the same order, while the instance's vector is marked
//! invalid for good - when a key does not fit, when the instance dies or gets another class or another
//! `__dict__`.
//!
//! Invariants:
//! - positions of names never change, and names are never taken out;
//! - while an instance's values are valid, its dict pointer is null or the dict that borrows them;
//! - a borrowing dict is referred to by its owner, and its `used` is the number of values;
//! - `order` lists the positions in use in the order in which they were set;
//! - a dict shows the collector the values that it borrows; an instance does so only without a dict.

use super::{ALL_STR, Dict, Entry, Found, HEAD, Keys, Probe, SHARED, empty_keys, entries, find_str};
use super::{index_at, indices, set_index};
use crate::alloc;
use crate::err::PyResult;
use crate::handle::{Object, Ref, Type};
use crate::refcount;
use crate::statics::PyUnicode_Type;
use crate::unicode::Str;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use taipan_abi::*;

/// The most attributes that are kept inline.
pub(crate) const MAX_INLINE: usize = 30;
/// Indices of a table of names: enough that probing stays short.
const LOG2_SHARED: u8 = 6;
/// In front of a table of names stands the class that owns it.
const OWNER: usize = size_of::<usize>();

/// The values behind an instance's fields: this head, the values, then the order bytes.
#[repr(C)]
pub struct InlineValues {
    pub capacity: u8,
    pub size: u8,
    pub valid: u8,
    reserved: [u8; 5],
}

impl InlineValues {
    /// # Safety
    /// `this` heads the values of a live instance.
    #[inline(always)]
    pub unsafe fn values(this: *mut Self) -> *mut *mut PyObject {
        // SAFETY: values follow the head.
        unsafe { this.add(1).cast() }
    }

    #[inline(always)]
    unsafe fn order(this: *mut Self) -> *mut u8 {
        // SAFETY: order bytes follow the values.
        unsafe { Self::values(this).add(usize::from((*this).capacity)).cast() }
    }

    /// The bytes of a vector for so many values.
    pub(crate) fn bytes(capacity: usize) -> usize {
        size_of::<Self>() + capacity * size_of::<usize>() + capacity.next_multiple_of(8)
    }

    /// Puts a value in a place; the old one, if there was any, is the caller's.
    ///
    /// # Safety
    /// `this` are the valid values of a live instance, `position` is below their capacity.
    #[inline(always)]
    pub(crate) unsafe fn put(this: *mut Self, position: usize, value: Ref) -> *mut PyObject {
        // SAFETY: by contract; each position stands in the order once, so there is room.
        unsafe {
            let old = Self::values(this).add(position).replace(value.into_ptr());
            if old.is_null() {
                let size = (*this).size;
                Self::order(this).add(usize::from(size)).write(position as u8);
                (*this).size = size + 1;
            }
            old
        }
    }

    /// Takes a value out; null if there was none.
    ///
    /// # Safety
    /// As [`InlineValues::put`].
    pub(crate) unsafe fn take(this: *mut Self, position: usize) -> *mut PyObject {
        // SAFETY: by contract.
        unsafe {
            let old = Self::values(this).add(position).replace(null_mut());
            if !old.is_null() {
                let order = Self::order(this);
                let size = usize::from((*this).size);
                let at =
                    (0..size).find(|&index| usize::from(*order.add(index)) == position).unwrap_or(size - 1);
                core::ptr::copy(order.add(at + 1), order.add(at), size - at - 1);
                (*this).size -= 1;
            }
            old
        }
    }

    /// Takes all values out and releases them afterwards.
    ///
    /// # Safety
    /// As [`InlineValues::put`].
    pub(crate) unsafe fn clear(this: *mut Self) {
        // SAFETY: by contract; the values are no longer to be seen when releasing them runs Python code, which
        // may also be the end of the instance.
        unsafe {
            let mut taken = [null_mut::<PyObject>(); MAX_INLINE];
            let size = usize::from((*this).size).min(MAX_INLINE);
            for (index, place) in taken[..size].iter_mut().enumerate() {
                let position = usize::from(*Self::order(this).add(index));
                *place = Self::values(this).add(position).replace(null_mut());
            }
            (*this).size = 0;
            for &value in &taken[..size] {
                refcount::xdecref(value);
            }
        }
    }

    /// The position of the value that was set as number `index`.
    ///
    /// # Safety
    /// As [`InlineValues::put`].
    unsafe fn position_of(this: *mut Self, index: usize) -> Option<usize> {
        // SAFETY: by contract.
        unsafe { (index < usize::from((*this).size)).then(|| usize::from(*Self::order(this).add(index))) }
    }
}

/// The table of names of a class's instances; null before the first instance is made.
#[inline(always)]
fn table_of(ty: &Type) -> *mut Keys {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        return null_mut();
    }
    // SAFETY: heap types have the field; it is null or was set by `make_table`.
    unsafe { (*ty.heap()).ht_cached_keys.cast() }
}

/// Makes the table of a class that has none yet; null without memory.
#[cold]
fn make_table(ty: &Type) -> *mut Keys {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        return null_mut();
    }
    let index_bytes = 1usize << LOG2_SHARED;
    let block = alloc::malloc(OWNER + HEAD + index_bytes + MAX_INLINE * size_of::<Entry>());
    if block.is_null() {
        return null_mut();
    }
    // SAFETY: fresh memory of that size; the type owns the table.
    unsafe {
        block.cast::<*mut PyTypeObject>().write(ty.raw());
        let keys = block.add(OWNER).cast::<Keys>();
        keys.write(Keys {
            log2_size: LOG2_SHARED,
            log2_index: 0,
            kind: SHARED,
            instances: 0,
            version: 0,
            usable: 0,
            entries: 0,
            first: 0,
        });
        core::ptr::write_bytes(indices(keys), 0xFF, index_bytes);
        (*ty.heap()).ht_cached_keys = keys.cast();
        keys
    }
}

/// Releases the table when the class goes.
pub fn free_shared_names(ty: &Type) {
    let keys = table_of(ty);
    if keys.is_null() {
        return;
    }
    // SAFETY: a dying heap type has no instances left, so nothing borrows its table.
    unsafe {
        (*ty.heap()).ht_cached_keys = null_mut();
        for index in 0..(*keys).entries as usize {
            refcount::decref((*entries(keys).add(index)).key);
        }
        alloc::free(keys.cast::<u8>().sub(OWNER));
    }
}

/// How many values a new instance gets room for: many at first, then as many as earlier ones needed
/// and one more.
#[inline]
pub(crate) fn capacity(ty: &Type) -> usize {
    let keys = table_of(ty);
    if keys.is_null() {
        return MAX_INLINE;
    }
    // SAFETY: the type's own table.
    unsafe {
        let wanted = ((*keys).entries as usize + 1).max(MAX_INLINE - usize::from((*keys).instances));
        wanted.min(MAX_INLINE)
    }
}

/// Marks the values of a new instance as in use; they stay invalid when there is no memory for a table of names.
///
/// # Safety
/// `values` are zeroed, with room for the capacity just now computed for `ty`.
#[inline]
pub(crate) unsafe fn init_values(values: *mut InlineValues, ty: &Type) {
    // SAFETY: by contract.
    unsafe {
        (*values).capacity = capacity(ty) as u8;
        let mut keys = table_of(ty);
        if keys.is_null() {
            keys = make_table(ty);
        }
        if !keys.is_null() {
            (*values).valid = 1;
            if usize::from((*keys).instances) < MAX_INLINE {
                (*keys).instances += 1;
            }
        }
    }
}

/// The position at which instances of a class keep an attribute, if they may.
#[inline]
pub fn inline_position(ty: &Type, name: &Str) -> Option<usize> {
    let keys = table_of(ty);
    if keys.is_null() {
        return None;
    }
    // SAFETY: the type's own table.
    match unsafe { find_str(keys, name, name.hash()) }.0 {
        Found::At(position) => Some(position),
        Found::Missing => None,
    }
}

/// The position of a name among the instances of a class, which is added if there is room and it is a plain str.
pub(crate) fn inline_position_or_new(ty: &Type, name: &Str) -> Option<usize> {
    let keys = table_of(ty);
    if keys.is_null() {
        return None;
    }
    // SAFETY: the type's own table.
    unsafe {
        match find_str(keys, name, name.hash()).0 {
            Found::At(position) => Some(position),
            Found::Missing => add_name(keys, name),
        }
    }
}

/// Adds a name to a table in which it is not.
///
/// # Safety
/// `keys` is the table of a live class.
unsafe fn add_name(keys: *mut Keys, name: &Str) -> Option<usize> {
    // SAFETY: by contract; the owner stands in front of the table.
    unsafe {
        let at = (*keys).entries as usize;
        // A name of a subclass of str is a key of its own kind: it goes into a dict.
        if at >= MAX_INLINE || !name.is_exact(&PyUnicode_Type) {
            return None;
        }
        let hash = name.hash();
        let name = crate::unicode::intern(Ref::of(name));
        let owner: &Type = Object::borrow(keys.cast::<u8>().sub(OWNER).cast::<*mut PyObject>().read()).cast();
        // Caches of what the class has by this name hold only while instances have nothing by it.
        if may_have(owner, &name) {
            owner.modified();
        }
        let mut probe = Probe::new(hash, (*keys).size());
        while index_at(keys, probe.slot) >= 0 {
            probe.advance();
        }
        set_index(keys, probe.slot, at as i64);
        entries(keys).add(at).write(Entry { hash, key: name.into_ptr().cast(), value: null_mut() });
        (*keys).entries += 1;
        Some(at)
    }
}

/// Whether a class or a base of it has an attribute, asked without running Python code.
fn may_have(ty: &Type, name: &Str) -> bool {
    let mro = ty.mro().map_or(&[][..], |mro| mro.items());
    mro.iter().any(|class| {
        let Some(dict) = class.downcast::<Type>().and_then(Type::dict) else { return true };
        let keys = dict.keys_ptr();
        // SAFETY: the table is live.
        unsafe { (*keys).kind != ALL_STR || find_str(keys, name, name.hash()).0 != Found::Missing }
    })
}

impl Dict {
    /// Whether the values are inside an instance.
    #[inline(always)]
    pub(crate) fn is_split(&self) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { !(*self.raw()).values.is_null() }
    }

    /// Whether the values are these.
    pub(crate) fn borrows(&self, values: *mut InlineValues) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).values == values }
    }

    /// A dict that shows the values of an instance of `ty`.
    ///
    /// # Safety
    /// The values are valid and nobody borrows them; their owner unshares the dict before it ends.
    pub(crate) unsafe fn borrowing(ty: &Type, values: *mut InlineValues) -> PyResult<Ref<Dict>> {
        let dict = Self::new()?;
        // SAFETY: by contract; valid values have a table of names.
        unsafe {
            (*dict.raw()).keys = table_of(ty);
            (*dict.raw()).values = values;
            (*dict.raw()).used = isize::from((*values).size);
        }
        Ok(dict)
    }

    /// The owner of the borrowed values has set or deleted one.
    ///
    /// # Safety
    /// The dict borrows the values.
    #[inline(always)]
    pub(crate) unsafe fn recount(&self) {
        // SAFETY: by contract.
        unsafe { (*self.raw()).used = isize::from((*(*self.raw()).values).size) }
    }

    /// Moves borrowed values into a table of the dict's own. No Python code runs.
    ///
    /// # Errors
    /// `MemoryError`; nothing has changed then.
    pub fn unshare(&self) -> PyResult<()> {
        if self.is_split() { self.unshare_for(self.len()) } else { Ok(()) }
    }

    /// As [`Dict::unshare`], with room for `room` items.
    #[cold]
    fn unshare_for(&self, room: usize) -> PyResult<()> {
        let new = Keys::allocate(room.max(1));
        if new.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: the dict borrows its values; references to values move, names are shared.
        unsafe {
            let (old, values) = ((*self.raw()).keys, (*self.raw()).values);
            (*new).kind = ALL_STR;
            let size = usize::from((*values).size);
            for at in 0..size {
                let position = usize::from(*InlineValues::order(values).add(at));
                let name = entries(old).add(position).read();
                refcount::incref(name.key);
                let value = InlineValues::values(values).add(position).replace(null_mut());
                entries(new).add(at).write(Entry { value, ..name });
                let mut probe = Probe::new(name.hash, (*new).size());
                while index_at(new, probe.slot) >= 0 {
                    probe.advance();
                }
                set_index(new, probe.slot, at as i64);
            }
            (*new).entries = size.cast_signed();
            (*new).usable -= size.cast_signed();
            (*values).size = 0;
            (*values).valid = 0;
            (*self.raw()).keys = new;
            (*self.raw()).values = null_mut();
        }
        Ok(())
    }

    /// Leaves borrowed values to their owner and becomes empty.
    pub(crate) fn abandon(&self) {
        // SAFETY: the view guarantees the layout; the owner keeps the references.
        unsafe {
            if self.is_split() {
                (*self.raw()).keys = empty_keys();
                (*self.raw()).values = null_mut();
                (*self.raw()).used = 0;
            }
        }
    }

    /// What was found in a table of names counts only if the instance has a value of that name.
    #[inline]
    pub(super) fn if_set(&self, found: Found) -> Found {
        match found {
            Found::At(position) if self.is_split() && self.shared_value(position).is_none() => Found::Missing,
            found => found,
        }
    }

    /// The borrowed value at a position.
    #[inline]
    pub(super) fn shared_value(&self, position: usize) -> Option<&Object> {
        // SAFETY: the values are there as long as the dict borrows them.
        unsafe {
            let values = (*self.raw()).values;
            if position >= usize::from((*values).capacity) {
                return None;
            }
            Object::borrow_opt(InlineValues::values(values).add(position).read())
        }
    }

    /// The position of the item that was set as number `index`.
    pub(super) fn shared_position(&self, index: usize) -> Option<usize> {
        // SAFETY: the values are there as long as the dict borrows them.
        unsafe { InlineValues::position_of((*self.raw()).values, index) }
    }

    /// The item that was set as number `index`.
    pub(super) fn shared_item(&self, index: usize) -> Option<(&Object, &Object, isize)> {
        let position = self.shared_position(index)?;
        let value = self.shared_value(position)?;
        // SAFETY: positions are entries of the class's table.
        unsafe {
            let name = entries((*self.raw()).keys).add(position);
            Some((Object::borrow((*name).key), value, (*name).hash))
        }
    }

    /// Adds a key that is missing among the borrowed values. If it does not fit there, the dict gets a table of
    /// its own with room for it, and the value is given back.
    #[cold]
    pub(super) fn insert_shared(&self, key: &Object, hash: isize, value: Ref) -> PyResult<Option<Ref>> {
        // SAFETY: the dict borrows its values; a table of names is looked up with strs only.
        unsafe {
            let (keys, values) = ((*self.raw()).keys, (*self.raw()).values);
            if key.is_exact(&PyUnicode_Type) {
                let name: &Str = key.cast();
                let position = match find_str(keys, name, hash).0 {
                    Found::At(position) => Some(position),
                    Found::Missing => add_name(keys, name),
                };
                if let Some(position) = position
                    && position < usize::from((*values).capacity)
                {
                    let old = InlineValues::put(values, position, value);
                    self.recount();
                    refcount::xdecref(old);
                    return Ok(None);
                }
            }
        }
        self.unshare_for(((self.len() + 1) * 3) / 2)?;
        Ok(Some(value))
    }

    /// Takes the borrowed value at a position out.
    pub(super) fn take_shared(&self, position: usize) -> (Ref, Ref) {
        // SAFETY: the position was found to have a value.
        unsafe {
            let value = InlineValues::take((*self.raw()).values, position);
            self.recount();
            let key = Object::borrow((*entries((*self.raw()).keys).add(position)).key).new_ref();
            (key, Ref::steal(value))
        }
    }

    /// Empties the instance's values, which stay in use.
    #[cold]
    pub(super) fn clear_shared(&self) {
        // SAFETY: the dict borrows its values; it is empty before anything is released.
        unsafe {
            (*self.raw()).used = 0;
            InlineValues::clear((*self.raw()).values);
        }
    }

    /// Shows the collector the borrowed values.
    pub(super) unsafe fn visit_shared(&self, visit: visitproc, arg: *mut c_void) -> c_int {
        // SAFETY: the dict borrows its values.
        unsafe { visit_values((*self.raw()).values, visit, arg) }
    }
}

/// Shows the collector the values of an instance.
///
/// # Safety
/// The values are those of a live instance; `visit` and `arg` come from the collector.
pub(crate) unsafe fn visit_values(values: *mut InlineValues, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: by contract.
    unsafe {
        for index in 0..usize::from((*values).size) {
            let position = usize::from(*InlineValues::order(values).add(index));
            let result = visit(InlineValues::values(values).add(position).read(), arg);
            if result != 0 {
                return result;
            }
        }
    }
    0
}
