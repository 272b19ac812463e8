//! The bare bones of `dict`: an insertion-ordered hash table.
//!
//! Problem: most look-ups have an interned str as key and must cost a handful of instructions;
//! others call `__eq__`, which may change the very dict that is being searched. Idea: a table of
//! small indices (one to eight bytes each) into a dense array of entries `(hash, key, value)` in
//! insertion order. A table whose keys are all exact strs says so, and its look-ups never run Python
//! code; all others watch for changes and start again. A dict that is the `__dict__` of an instance
//! borrows its class's table of names and keeps the values inside that instance (`split.rs`).
//!
//! Invariants:
//! - at most two thirds of the indices are in use; deleted entries keep their place with a null key;
//! - `version` is non-zero only while the set and order of keys is what it was when a cache asked;
//! - no reference into the table is held while a comparison or a finaliser can run.

mod copy;
pub mod split;

use crate::alloc;
use crate::err::{self, PyResult};
use crate::gc;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::refcount;
use crate::statics::{PyDict_Type, PyUnicode_Type};
use crate::unicode::Str;
use core::ffi::{c_int, c_void};
use core::ptr::{addr_of_mut, null_mut};
use split::InlineValues;
use taipan_abi::*;

layout!(
    /// A `dict` or an instance of a subclass.
    Dict, RawDict, "dict", |o| o.ty().has_flag(Py_TPFLAGS_DICT_SUBCLASS)
);

/// The memory of a dict.
#[repr(C)]
pub struct RawDict {
    head: PyObject,
    used: isize,
    reserved: u64,
    keys: *mut Keys,
    /// The values of a dict whose table is [`SHARED`], otherwise null.
    values: *mut InlineValues,
}
const _: () = assert!(size_of::<RawDict>() == size_of::<PyDictObject>());

/// A key with its hash and value; a deleted entry has a null key.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entry {
    pub hash: isize,
    pub key: *mut PyObject,
    pub value: *mut PyObject,
}

/// The table: this head, then the indices, then the entries.
#[repr(C)]
pub struct Keys {
    log2_size: u8,
    log2_index: u8,
    /// [`GENERAL`], [`ALL_STR`] or [`SHARED`].
    kind: u8,
    /// Instances made so far of the class whose names these are ([`SHARED`] only).
    instances: u8,
    version: u32,
    usable: isize,
    entries: isize,
    /// Entries before this one are known to be deleted: queues take from the front.
    first: isize,
}

/// Keys of any kind.
const GENERAL: u8 = 0;
/// Every key is an exact str.
const ALL_STR: u8 = 1;
/// The attribute names of a class's instances, all of them exact strs. Entries have no values: those are with the
/// instances. Nothing is ever deleted, there is no version, and `usable` is zero.
const SHARED: u8 = 2;

const EMPTY: i64 = -1;
const DELETED: i64 = -2;
const MIN_LOG2: u8 = 3;
const HEAD: usize = size_of::<Keys>();

#[repr(C)]
struct EmptyKeys {
    head: Keys,
    indices: [i8; 8],
}
/// The table of every empty dict. It has no room, so it is never written.
static EMPTY_KEYS: EmptyKeys = EmptyKeys {
    head: Keys {
        log2_size: MIN_LOG2,
        log2_index: 0,
        kind: ALL_STR,
        instances: 0,
        version: 0,
        usable: 0,
        entries: 0,
        first: 0,
    },
    indices: [-1; 8],
};

/// Where a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The number of its entry.
    At(usize),
    Missing,
}

fn empty_keys() -> *mut Keys {
    (&raw const EMPTY_KEYS).cast_mut().cast()
}

impl Keys {
    fn size(&self) -> usize {
        1 << self.log2_size
    }

    /// Entries that a table of this size may hold.
    fn capacity(log2_size: u8) -> usize {
        (1usize << log2_size) * 2 / 3
    }

    /// A new table for at least `wanted` entries; null without memory.
    fn allocate(wanted: usize) -> *mut Keys {
        let mut log2_size = MIN_LOG2;
        while Self::capacity(log2_size) < wanted {
            log2_size += 1;
            if log2_size > 58 {
                return null_mut();
            }
        }
        let log2_index = match log2_size {
            0..=7 => 0,
            8..=15 => 1,
            16..=31 => 2,
            _ => 3,
        };
        let index_bytes = 1usize << (log2_size + log2_index);
        let capacity = Self::capacity(log2_size);
        let block = alloc::malloc(table_bytes(log2_size, log2_index));
        if block.is_null() {
            return null_mut();
        }
        let keys = block.cast::<Keys>();
        // SAFETY: fresh memory of the computed size; all-ones indices are `EMPTY` in every width.
        unsafe {
            keys.write(Keys {
                log2_size,
                log2_index,
                kind: ALL_STR,
                instances: 0,
                version: 0,
                usable: capacity.cast_signed(),
                entries: 0,
                first: 0,
            });
            core::ptr::write_bytes(block.add(HEAD), 0xFF, index_bytes);
        }
        keys
    }
}

/// The bytes of a table with head, indices and entries.
fn table_bytes(log2_size: u8, log2_index: u8) -> usize {
    HEAD + (1usize << (log2_size + log2_index)) + Keys::capacity(log2_size) * size_of::<Entry>()
}

/// # Safety
/// `keys` is a live table.
#[inline(always)]
unsafe fn indices(keys: *mut Keys) -> *mut u8 {
    // SAFETY: indices follow the head.
    unsafe { keys.cast::<u8>().add(HEAD) }
}

/// # Safety
/// `keys` is a live table.
#[inline(always)]
unsafe fn entries(keys: *mut Keys) -> *mut Entry {
    // SAFETY: entries follow the indices.
    unsafe { indices(keys).add(1usize << ((*keys).log2_size + (*keys).log2_index)).cast() }
}

/// # Safety
/// `slot` is below the table's size.
#[inline(always)]
unsafe fn index_at(keys: *mut Keys, slot: usize) -> i64 {
    // SAFETY: within the indices by contract.
    unsafe {
        let base = indices(keys);
        match (*keys).log2_index {
            0 => i64::from(base.cast::<i8>().add(slot).read()),
            1 => i64::from(base.cast::<i16>().add(slot).read()),
            2 => i64::from(base.cast::<i32>().add(slot).read()),
            _ => base.cast::<i64>().add(slot).read(),
        }
    }
}

/// # Safety
/// `slot` is below the table's size, `value` fits the index width.
#[inline(always)]
unsafe fn set_index(keys: *mut Keys, slot: usize, value: i64) {
    // SAFETY: within the indices by contract.
    unsafe {
        let base = indices(keys);
        match (*keys).log2_index {
            0 => base.cast::<i8>().add(slot).write(value as i8),
            1 => base.cast::<i16>().add(slot).write(value as i16),
            2 => base.cast::<i32>().add(slot).write(value as i32),
            _ => base.cast::<i64>().add(slot).write(value),
        }
    }
}

/// The slots that a hash visits, in order.
struct Probe {
    mask: usize,
    perturb: usize,
    slot: usize,
}

impl Probe {
    #[inline(always)]
    fn new(hash: isize, size: usize) -> Self {
        let hash = hash as usize;
        Self { mask: size - 1, perturb: hash, slot: hash & (size - 1) }
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.perturb >>= 5;
        self.slot = (self.slot.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1)) & self.mask;
    }
}

/// Looks a str up in a table whose keys are all strs: no Python code can run.
///
/// # Safety
/// `keys` is a live table of strs.
#[inline(always)]
unsafe fn find_str(keys: *mut Keys, key: &Str, hash: isize) -> (Found, usize) {
    // SAFETY: live by contract; indices point to entries.
    unsafe {
        let table = entries(keys);
        let mut probe = Probe::new(hash, (*keys).size());
        loop {
            let index = index_at(keys, probe.slot);
            if index >= 0 {
                let entry = table.add(index as usize);
                if (*entry).key == key.as_ptr()
                    || ((*entry).hash == hash && Object::borrow((*entry).key).cast::<Str>().same_text(key))
                {
                    return (Found::At(index as usize), probe.slot);
                }
            } else if index == EMPTY {
                return (Found::Missing, probe.slot);
            }
            probe.advance();
        }
    }
}

impl Dict {
    #[inline(always)]
    fn keys_ptr(&self) -> *mut Keys {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).keys }
    }

    /// The number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).used as usize }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A new, empty dict.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new() -> PyResult<Ref<Dict>> {
        let dict = Self::allocate_block().ok_or_else(alloc::no_memory)?;
        gc::track(&dict);
        Ok(dict)
    }

    /// An empty dict that the collector does not see, for the time before there is one.
    pub(crate) fn new_untracked() -> Ref<Dict> {
        match Self::allocate_block() {
            Some(dict) => dict,
            None => err::fatal_no_memory(),
        }
    }

    fn allocate_block() -> Option<Ref<Dict>> {
        let block =
            if crate::state::current().is_null() { alloc::malloc(64) } else { alloc::small_alloc::<64>() };
        if block.is_null() {
            return None;
        }
        // SAFETY: the block holds header and dict.
        unsafe {
            block.cast::<[usize; 2]>().write([0; 2]);
            let raw = block.add(alloc::GC_HEAD).cast::<RawDict>();
            alloc::init_object(raw.cast(), &PyDict_Type);
            (*raw).used = 0;
            (*raw).reserved = 0;
            (*raw).keys = empty_keys();
            (*raw).values = null_mut();
            Some(Ref::steal(raw.cast()))
        }
    }

    /// A new dict with room for `count` items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn with_capacity(count: usize) -> PyResult<Ref<Dict>> {
        let dict = Self::new()?;
        if count > 0 {
            let keys = Keys::allocate(count);
            if keys.is_null() {
                return Err(alloc::no_memory());
            }
            // SAFETY: the dict is fresh, its table the shared empty one.
            unsafe { (*dict.raw()).keys = keys };
        }
        Ok(dict)
    }

    /// Makes a zeroed instance of a subclass an empty dict.
    ///
    /// # Safety
    /// `self` is fresh memory of a dict subclass.
    pub unsafe fn init_fresh(&self) {
        // SAFETY: fresh by contract.
        unsafe { (*self.raw()).keys = empty_keys() }
    }

    /// Looks a key up: its entry, and the slot of its index.
    fn find(&self, key: &Object, hash: isize) -> PyResult<(Found, usize)> {
        let keys = self.keys_ptr();
        // SAFETY: the table is live; `find_general` guards against changes.
        unsafe {
            if (*keys).kind == ALL_STR && key.is_exact(&PyUnicode_Type) {
                return Ok(find_str(keys, key.cast(), hash));
            }
            if (*keys).kind == SHARED && key.is_exact(&PyUnicode_Type) {
                return Ok((self.if_set(find_str(keys, key.cast(), hash).0), 0));
            }
            self.find_general(key, hash)
        }
    }

    /// The search that may call `__eq__`: when the table changed meanwhile, it starts again.
    unsafe fn find_general(&self, key: &Object, hash: isize) -> PyResult<(Found, usize)> {
        'again: loop {
            let keys = self.keys_ptr();
            // SAFETY: the table is live until it is seen to have been replaced.
            unsafe {
                let mut probe = Probe::new(hash, (*keys).size());
                loop {
                    let index = index_at(keys, probe.slot);
                    if index >= 0 {
                        let entry = entries(keys).add(index as usize);
                        let candidate = (*entry).key;
                        if candidate == key.as_ptr() {
                            return Ok((self.if_set(Found::At(index as usize)), probe.slot));
                        }
                        if (*entry).hash == hash {
                            let held = Object::borrow(candidate).new_ref();
                            let equal = held.equals(key)?;
                            if self.keys_ptr() != keys || (*entry).key != candidate {
                                continue 'again;
                            }
                            if equal {
                                return Ok((self.if_set(Found::At(index as usize)), probe.slot));
                            }
                        }
                    } else if index == EMPTY {
                        return Ok((Found::Missing, probe.slot));
                    }
                    probe.advance();
                }
            }
        }
    }

    /// The entry of a key.
    ///
    /// # Errors
    /// What `__eq__` raises.
    pub fn lookup(&self, key: &Object, hash: isize) -> PyResult<Found> {
        Ok(self.find(key, hash)?.0)
    }

    /// The value of an entry, if the entry is in use.
    #[inline]
    pub fn value_at(&self, index: usize) -> Option<&Object> {
        let keys = self.keys_ptr();
        // SAFETY: the index is checked against the number of entries.
        unsafe {
            if index >= (*keys).entries as usize {
                return None;
            }
            if (*keys).kind == SHARED {
                return self.shared_value(index);
            }
            Object::borrow_opt((*entries(keys).add(index)).value)
        }
    }

    /// The place of an entry's value.
    ///
    /// # Safety
    /// `index` is the number of an entry that a look-up gave and that is still there.
    #[inline(always)]
    unsafe fn value_place(&self, index: usize) -> *mut *mut PyObject {
        let keys = self.keys_ptr();
        // SAFETY: by contract.
        unsafe {
            if (*keys).kind == SHARED {
                return InlineValues::values((*self.raw()).values).add(index);
            }
            addr_of_mut!((*entries(keys).add(index)).value)
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// What `__hash__` and `__eq__` raise.
    pub fn get(&self, key: &Object) -> PyResult<Option<Ref>> {
        let hash = hash_key(key)?;
        self.get_hashed(key, hash)
    }

    /// The value of a key whose hash is known.
    ///
    /// # Errors
    /// What `__eq__` raises.
    pub fn get_hashed(&self, key: &Object, hash: isize) -> PyResult<Option<Ref>> {
        Ok(match self.find(key, hash)?.0 {
            Found::At(index) => self.value_at(index).map(Object::new_ref),
            Found::Missing => None,
        })
    }

    /// The value of a str key.
    ///
    /// # Errors
    /// What `__eq__` of odd keys raises.
    #[inline]
    pub fn get_str(&self, key: &Str) -> PyResult<Option<Ref>> {
        let hash = key.hash();
        self.get_hashed(key, hash)
    }

    /// The value of a str key, for dicts known to hold only strs (errors of odd keys count as missing).
    pub fn get_text(&self, key: &str) -> Option<Ref> {
        let key = Str::from_utf8(key).ok()?;
        self.get_str(&key).ok().flatten()
    }

    /// Whether the key is there.
    ///
    /// # Errors
    /// What `__hash__` and `__eq__` raise.
    pub fn contains(&self, key: &Object) -> PyResult<bool> {
        let hash = hash_key(key)?;
        Ok(self.find(key, hash)?.0 != Found::Missing)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// What `__hash__` and `__eq__` raise, `MemoryError`.
    pub fn set(&self, key: &Object, value: &Object) -> PyResult<()> {
        let hash = hash_key(key)?;
        self.set_hashed(key, hash, value.new_ref())
    }

    /// Sets the value of a str key.
    ///
    /// # Errors
    /// As [`Dict::set`].
    pub fn set_str(&self, key: &Str, value: &Object) -> PyResult<()> {
        self.set_hashed(key, key.hash(), value.new_ref())
    }

    /// Sets the value of the interned str `key`.
    ///
    /// # Errors
    /// As [`Dict::set`].
    pub fn set_text(&self, key: &str, value: &Object) -> PyResult<()> {
        let key = crate::unicode::intern(Str::from_utf8(key)?);
        self.set_str(&key, value)
    }

    /// Sets the value of a key whose hash is known.
    ///
    /// # Errors
    /// What `__eq__` raises, `MemoryError`.
    pub fn set_hashed(&self, key: &Object, hash: isize, value: Ref) -> PyResult<()> {
        match self.find(key, hash)?.0 {
            Found::At(index) => {
                // SAFETY: the entry was found just now; the old value goes after the store.
                unsafe {
                    crate::handle::set_field(self.value_place(index), Some(value));
                }
                Ok(())
            }
            Found::Missing => self.insert_new(key, hash, value),
        }
    }

    /// Adds a key that is known to be missing. No Python code runs.
    fn insert_new(&self, key: &Object, hash: isize, value: Ref) -> PyResult<()> {
        // SAFETY: the table is live; `grow` makes room; the slot found is free.
        unsafe {
            let mut value = value;
            if (*self.keys_ptr()).usable <= 0 {
                if (*self.keys_ptr()).kind == SHARED {
                    match self.insert_shared(key, hash, value)? {
                        None => return Ok(()),
                        Some(left) => value = left,
                    }
                } else {
                    self.grow()?;
                }
            }
            let keys = self.keys_ptr();
            let mut probe = Probe::new(hash, (*keys).size());
            while index_at(keys, probe.slot) >= 0 {
                probe.advance();
            }
            let at = (*keys).entries;
            set_index(keys, probe.slot, at as i64);
            entries(keys).add(at as usize).write(Entry {
                hash,
                key: key.new_ref().into_ptr(),
                value: value.into_ptr(),
            });
            (*keys).entries = at + 1;
            (*keys).usable -= 1;
            (*keys).version = 0;
            if !key.is_exact(&PyUnicode_Type) {
                (*keys).kind = GENERAL;
            }
            (*self.raw()).used += 1;
        }
        Ok(())
    }

    /// Moves the entries in use to a table with room for more.
    fn grow(&self) -> PyResult<()> {
        self.resize((self.len() * 3).max(1))
    }

    fn resize(&self, room: usize) -> PyResult<()> {
        self.resize_with(room, 0)
    }

    /// Moves the entries in use to a table for `room` entries, the first `slack` of which stay free.
    fn resize_with(&self, room: usize, slack: usize) -> PyResult<()> {
        self.unshare()?;
        let old = self.keys_ptr();
        let new = Keys::allocate(room.max(self.len() + slack));
        if new.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: both tables are live; references move from the old to the new one.
        unsafe {
            (*new).kind = (*old).kind;
            (*new).first = slack.cast_signed();
            let mut at = slack;
            // Readers of entries recognise a free one by its null key.
            core::ptr::write_bytes(entries(new), 0, slack);
            for index in 0..(*old).entries as usize {
                let entry = entries(old).add(index).read();
                if entry.key.is_null() {
                    continue;
                }
                entries(new).add(at).write(entry);
                let mut probe = Probe::new(entry.hash, (*new).size());
                while index_at(new, probe.slot) != EMPTY {
                    probe.advance();
                }
                set_index(new, probe.slot, at as i64);
                at += 1;
            }
            (*new).entries = at.cast_signed();
            (*new).usable -= at.cast_signed();
            (*self.raw()).keys = new;
            free_table(old);
        }
        Ok(())
    }

    /// Takes a key out; returns its key and value.
    ///
    /// # Errors
    /// What `__eq__` raises.
    pub fn take_hashed(&self, key: &Object, hash: isize) -> PyResult<Option<(Ref, Ref)>> {
        let (Found::At(index), slot) = self.find(key, hash)? else { return Ok(None) };
        Ok(Some(self.take_entry(index, slot)))
    }

    fn take_entry(&self, index: usize, slot: usize) -> (Ref, Ref) {
        // SAFETY: the entry is in use and `slot` holds its index.
        unsafe {
            let keys = self.keys_ptr();
            if (*keys).kind == SHARED {
                return self.take_shared(index);
            }
            set_index(keys, slot, DELETED);
            let entry = entries(keys).add(index);
            let (key, value) = ((*entry).key, (*entry).value);
            (*entry).key = null_mut();
            (*entry).value = null_mut();
            (*keys).version = 0;
            (*self.raw()).used -= 1;
            (Ref::steal(key), Ref::steal(value))
        }
    }

    /// Takes a key out; returns its value.
    ///
    /// # Errors
    /// What `__hash__` and `__eq__` raise.
    pub fn remove(&self, key: &Object) -> PyResult<Option<Ref>> {
        let hash = hash_key(key)?;
        Ok(self.take_hashed(key, hash)?.map(|(_key, value)| value))
    }

    /// Takes the last item out.
    pub fn pop_last(&self) -> Option<(Ref, Ref)> {
        // Whoever takes items from the end uses the dict as a stack, not as an instance's attributes.
        if self.unshare().is_err() {
            let last = self.len().checked_sub(1)?;
            return Some(self.take_shared(self.shared_position(last)?));
        }
        let keys = self.keys_ptr();
        // SAFETY: the table is live; the entry's slot is found by its own index.
        unsafe {
            let mut index = (*keys).entries as usize;
            while index > 0 {
                index -= 1;
                let entry = entries(keys).add(index);
                if (*entry).key.is_null() {
                    continue;
                }
                let mut probe = Probe::new((*entry).hash, (*keys).size());
                while index_at(keys, probe.slot) != index as i64 {
                    probe.advance();
                }
                let item = self.take_entry(index, probe.slot);
                (*keys).entries = index.cast_signed();
                (*keys).first = (*keys).first.min((*keys).entries);
                return Some(item);
            }
        }
        None
    }

    /// Moves a key before all others, or behind them; false if there is no such key.
    ///
    /// # Errors
    /// What `__eq__` raises, `MemoryError`.
    pub fn move_to_end(&self, key: &Object, hash: isize, last: bool) -> PyResult<bool> {
        self.unshare()?;
        let (Found::At(index), slot) = self.find(key, hash)? else { return Ok(false) };
        // SAFETY: the table is live, and nothing below runs Python code; entries in front of `first`
        // are free, and `resize_with` leaves some when there are none.
        unsafe {
            if last {
                if index + 1 < self.entry_count() {
                    if (*self.keys_ptr()).usable <= 0 {
                        self.grow()?;
                        return self.move_to_end(key, hash, last);
                    }
                    let (key, value) = self.take_entry(index, slot);
                    self.insert_new(&key, hash, value)?;
                }
                return Ok(true);
            }
            if (*self.keys_ptr()).first == 0 {
                let slack = self.len() + 1;
                self.resize_with(slack + self.len() * 2, slack)?;
                return self.move_to_end(key, hash, last);
            }
            let keys = self.keys_ptr();
            let to = (*keys).first - 1;
            let (from, into) = (entries(keys).add(index), entries(keys).add(to as usize));
            into.write(from.read());
            (*from).key = null_mut();
            (*from).value = null_mut();
            set_index(keys, slot, to as i64);
            (*keys).first = to;
            (*keys).version = 0;
        }
        Ok(true)
    }

    /// The value of a key, which is set to `default` first if it is missing.
    ///
    /// # Errors
    /// What `__hash__` and `__eq__` raise, `MemoryError`.
    pub fn set_default(&self, key: &Object, default: &Object) -> PyResult<Ref> {
        let hash = hash_key(key)?;
        match self.find(key, hash)?.0 {
            Found::At(index) => Ok(self.value_at(index).unwrap_or(default).new_ref()),
            Found::Missing => {
                self.insert_new(key, hash, default.new_ref())?;
                Ok(default.new_ref())
            }
        }
    }

    /// Empties the dict; keys and values are released after it has become empty.
    pub fn clear(&self) {
        if self.is_split() {
            return self.clear_shared();
        }
        // SAFETY: the table is taken out whole before anything is released.
        unsafe {
            let keys = core::mem::replace(&mut (*self.raw()).keys, empty_keys());
            (*self.raw()).used = 0;
            release_table(keys);
        }
    }

    /// The next item from entry `*position` on; `*position` then stands behind it.
    ///
    /// The dict may change between calls: entries are read afresh each time.
    #[inline]
    pub fn next(&self, position: &mut usize) -> Option<(Ref, Ref)> {
        let (key, value, _) = self.next_borrowed(position)?;
        Some((key.new_ref(), value.new_ref()))
    }

    /// As [`Dict::next`], with borrowed key and value and the key's hash. Valid until the dict changes.
    #[inline]
    pub fn next_borrowed(&self, position: &mut usize) -> Option<(&Object, &Object, isize)> {
        let keys = self.keys_ptr();
        // SAFETY: the position is checked against the number of entries; a table that has entries is
        // not the shared empty one, so it may be written.
        unsafe {
            if (*keys).kind == SHARED {
                let item = self.shared_item(*position)?;
                *position += 1;
                return Some(item);
            }
            let from_start = *position <= (*keys).first as usize;
            if from_start {
                *position = (*keys).first as usize;
            }
            while *position < (*keys).entries as usize {
                let entry = entries(keys).add(*position);
                *position += 1;
                if !(*entry).key.is_null() {
                    if from_start {
                        (*keys).first = position.cast_signed() - 1;
                    }
                    return Some((
                        Object::borrow((*entry).key),
                        Object::borrow((*entry).value),
                        (*entry).hash,
                    ));
                }
            }
        }
        None
    }

    /// As [`Dict::next`], backwards: `*position` counts down from [`Dict::entry_count`].
    pub fn next_back(&self, position: &mut usize) -> Option<(Ref, Ref)> {
        let keys = self.keys_ptr();
        // SAFETY: the position is checked against the number of entries.
        unsafe {
            if (*keys).kind == SHARED {
                *position = (*position).min(self.len()).checked_sub(1)?;
                let (key, value, _) = self.shared_item(*position)?;
                return Some((key.new_ref(), value.new_ref()));
            }
            *position = (*position).min((*keys).entries as usize);
            while *position > 0 {
                *position -= 1;
                let entry = entries(keys).add(*position);
                if !(*entry).key.is_null() {
                    return Some((
                        Object::borrow((*entry).key).new_ref(),
                        Object::borrow((*entry).value).new_ref(),
                    ));
                }
            }
        }
        None
    }

    /// Entries so far, deleted ones included: the bound of positions.
    pub fn entry_count(&self) -> usize {
        if self.is_split() {
            return self.len();
        }
        // SAFETY: the table is live.
        unsafe { (*self.keys_ptr()).entries as usize }
    }

    /// All items, as they are now.
    pub fn items_vec(&self) -> Vec<(Ref, Ref)> {
        let mut position = 0;
        let mut all = Vec::with_capacity(self.len());
        while let Some(item) = self.next(&mut position) {
            all.push(item);
        }
        all
    }

    /// A number that stays the same as long as the set of keys and their places do; `None` when the
    /// keys are not all strs. Caches keep it beside an entry number.
    pub fn keys_version(&self) -> Option<u32> {
        let keys = self.keys_ptr();
        // SAFETY: the table is live; the shared empty table is never written.
        unsafe {
            if (*keys).kind != ALL_STR || keys == empty_keys() {
                return None;
            }
            if (*keys).version == 0 {
                (*keys).version = crate::typeobject::next_keys_version()?;
            }
            Some((*keys).version)
        }
    }

    /// As [`Dict::keys_version`], also for an empty dict, which gets a table of its own first.
    pub fn keys_version_even_empty(&self) -> Option<u32> {
        if self.keys_ptr() == empty_keys() {
            self.resize(1).ok()?;
        }
        self.keys_version()
    }

    /// Whether the keys still have `version`.
    #[inline(always)]
    pub fn has_keys_version(&self, version: u32) -> bool {
        // SAFETY: the table is live.
        unsafe { (*self.keys_ptr()).version == version }
    }

    /// The fast path of a global look-up: the value of entry `index`, if the keys still have `version`.
    #[inline(always)]
    pub fn cached_value(&self, version: u32, index: usize) -> Option<&Object> {
        let keys = self.keys_ptr();
        // SAFETY: an unchanged version means that the entry number is still valid.
        unsafe {
            if (*keys).version != version {
                return None;
            }
            Object::borrow_opt((*entries(keys).add(index)).value)
        }
    }

    /// The fast path of an attribute in a dict: the value of entry `index`, if it has this very key.
    #[inline(always)]
    pub fn hinted_value(&self, index: usize, key: &Str) -> Option<*mut *mut PyObject> {
        let keys = self.keys_ptr();
        // SAFETY: the index is checked against the number of entries; an entry with a key has a value.
        unsafe {
            if (*keys).kind == SHARED || index >= (*keys).entries as usize {
                return None;
            }
            let entry = entries(keys).add(index);
            ((*entry).key == key.as_ptr()).then(|| addr_of_mut!((*entry).value))
        }
    }

    /// Bytes that the table takes besides the object.
    pub fn table_size(&self) -> usize {
        let keys = self.keys_ptr();
        if keys == empty_keys() || self.is_split() {
            return 0;
        }
        // SAFETY: the table is live.
        unsafe { table_bytes((*keys).log2_size, (*keys).log2_index) }
    }
}

/// The hash of an object that is to be a key.
///
/// # Errors
/// What `__hash__` raises; a plain `TypeError` says what the object was wanted for.
#[inline]
pub fn hash_key(key: &Object) -> PyResult<isize> {
    key.hash().map_err(|error| unhashable_as(key, error, "a dict key"))
}

/// Rewords the `TypeError` of hashing an object that was wanted as `purpose`.
#[cold]
pub fn unhashable_as(object: &Object, error: err::PyErr, purpose: &str) -> err::PyErr {
    if !error.exception().is_exact(&crate::statics::PyExc_TypeError) {
        return error;
    }
    let name = object.ty().qualified_name();
    let reason = error.into_exception().str_lossy();
    err::type_error(&format!("cannot use '{name}' as {purpose} ({reason})"))
}

/// Frees a table whose references have moved elsewhere.
unsafe fn free_table(keys: *mut Keys) {
    if keys != empty_keys() {
        // SAFETY: nobody uses the table any more.
        unsafe { alloc::free(keys.cast()) }
    }
}

/// Releases keys and values of a table that no dict points to any more, and frees it.
unsafe fn release_table(keys: *mut Keys) {
    // SAFETY: the table is this function's own now.
    unsafe {
        for index in 0..(*keys).entries as usize {
            let entry = entries(keys).add(index).read();
            refcount::xdecref(entry.key);
            refcount::xdecref(entry.value);
        }
        free_table(keys);
    }
}

/// `tp_dealloc` of `dict`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let object = Object::borrow(ptr);
        gc::untrack_ptr(ptr);
        // An instance detaches its dict before it lets go of it.
        debug_assert!(!object.cast::<Dict>().is_split());
        let keys = core::mem::replace(&mut (*object.raw_as::<RawDict>()).keys, empty_keys());
        release_table(keys);
        if object.is_exact(&PyDict_Type) {
            alloc::small_free::<64>(ptr.cast::<u8>().sub(alloc::GC_HEAD));
        } else if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

/// `tp_traverse` of `dict`.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live dict.
    unsafe {
        let dict: &Dict = Object::borrow(ptr).cast();
        let keys = dict.keys_ptr();
        if (*keys).kind == SHARED {
            return dict.visit_shared(visit, arg);
        }
        let all_str = (*keys).kind == ALL_STR;
        for index in 0..(*keys).entries as usize {
            let entry = entries(keys).add(index);
            if (*entry).key.is_null() {
                continue;
            }
            let mut result = visit((*entry).value, arg);
            if result == 0 && !all_str {
                result = visit((*entry).key, arg);
            }
            if result != 0 {
                return result;
            }
        }
    }
    0
}

/// `tp_clear` of `dict`.
///
/// # Safety
/// As every `tp_clear`.
pub unsafe extern "C" fn tp_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live dict.
    unsafe { Object::borrow(ptr).cast::<Dict>().clear() };
    0
}
