//! The hash table of `set` and `frozenset`, in the memory layout that C code reads.
//!
//! Problem: the order of iteration can be seen, so with a fixed hash seed it has to be CPython's; and
//! comparing keys may run code that changes the table. Idea: the same open addressing (a window of
//! nine neighbouring places, then a jump that mixes in the hash's upper bits) and the same moments of
//! growing; a search that finds the table changed after a comparison starts again.
//!
//! Invariants: a place is free (null key), a dummy (null key would end searches, so the key points
//! to [`DUMMY`]), or owns its key; `fill` counts keys and dummies, `used` keys only; at least one
//! place is free, so that every search ends; `table` is `smalltable` while `mask` is 7.

use core::ffi::{c_int, c_void};
use taipan_object::abi::{PyObject, PySetObject, setentry, visitproc};
use taipan_object::alloc;
use taipan_object::dict::unhashable_as;
use taipan_object::err::PyResult;
use taipan_object::handle::Object;
use taipan_object::statics::{PyFrozenSet_Type, PySet_Type, PyUnicode_Type};
use taipan_object::unicode::Str;
use taipan_object::{Ref, gc, layout, refcount};

layout!(
    /// A `set`, a `frozenset`, or an instance of a subclass.
    AnySet, PySetObject, "set", |o| o.ty().is_subtype(&PySet_Type) || o.ty().is_subtype(&PyFrozenSet_Type)
);

/// Places looked at side by side before jumping.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// The size of the table inside the object.
const SMALL: usize = 8;

/// Its address marks places whose key was taken out.
static DUMMY_PLACE: u64 = 0;

fn dummy() -> *mut PyObject {
    (&raw const DUMMY_PLACE).cast_mut().cast()
}

/// The hash of an object that is to be an element.
///
/// # Errors
/// What `__hash__` raises; a plain `TypeError` says what the object was wanted for.
#[inline]
pub fn hash_element(item: &Object) -> PyResult<isize> {
    item.hash().map_err(|error| unhashable_as(item, error, "a set element"))
}

/// What a search for a key ended at.
enum Search {
    /// The key's place.
    Found(*mut setentry),
    /// The free place that ended the search, and the last dummy before it (or null): that one is
    /// where CPython puts the key.
    Missing { free: *mut setentry, reuse: *mut setentry },
}

impl AnySet {
    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).used as usize }
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn mask(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).mask as usize }
    }

    fn table(&self) -> *mut setentry {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).table }
    }

    fn small_table(&self) -> *mut setentry {
        // SAFETY: the view guarantees the layout.
        unsafe { (&raw mut (*self.raw()).smalltable).cast() }
    }

    /// Makes zeroed memory an empty set.
    ///
    /// # Safety
    /// `self` is fresh, zeroed memory of a set.
    pub unsafe fn init_fresh(&self) {
        // SAFETY: fresh by contract.
        unsafe {
            (*self.raw()).mask = SMALL as isize - 1;
            (*self.raw()).table = self.small_table();
            (*self.raw()).hash = -1;
        }
    }

    /// The place of a key: where it is, or `None`.
    ///
    /// # Errors
    /// What `__eq__` raises.
    fn find(&self, key: &Object, hash: isize) -> PyResult<Option<*mut setentry>> {
        Ok(match self.search(key, hash)? {
            Search::Found(entry) => Some(entry),
            Search::Missing { .. } => None,
        })
    }

    /// The place of a key, or where it would go.
    fn search(&self, key: &Object, hash: isize) -> PyResult<Search> {
        // SAFETY: places stay within the table, which is seen to be the same after each comparison.
        unsafe {
            'again: loop {
                let (table, mask) = (self.table(), self.mask());
                let mut perturb = hash as usize;
                let mut slot = hash as usize & mask;
                let mut reuse = core::ptr::null_mut();
                loop {
                    let window = if slot + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
                    for place in slot..=slot + window {
                        let entry = table.add(place);
                        if (*entry).key.is_null() {
                            return Ok(Search::Missing { free: entry, reuse });
                        }
                        if (*entry).key == dummy() {
                            reuse = entry;
                        } else if (*entry).hash == hash {
                            match self.same_key(entry, key)? {
                                Some(true) => return Ok(Search::Found(entry)),
                                Some(false) => {}
                                None => continue 'again,
                            }
                        }
                    }
                    perturb >>= PERTURB_SHIFT;
                    slot = slot.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
                }
            }
        }
    }

    /// Whether an entry's key equals `key`; `None` when the comparison changed the table.
    ///
    /// # Safety
    /// `entry` is a place of the current table that holds a key.
    #[inline]
    unsafe fn same_key(&self, entry: *mut setentry, key: &Object) -> PyResult<Option<bool>> {
        // SAFETY: by contract; after a comparison the table is checked before it is read.
        unsafe {
            let candidate = (*entry).key;
            if candidate == key.as_ptr() {
                return Ok(Some(true));
            }
            let held = Object::borrow(candidate);
            if held.is_exact(&PyUnicode_Type) && key.is_exact(&PyUnicode_Type) {
                return Ok(Some(held.cast::<Str>().same_text(key.cast::<Str>())));
            }
            let (table, mask) = (self.table(), self.mask());
            let held = held.new_ref();
            let equal = held.equals(key)?;
            if self.table() != table || self.mask() != mask || (*entry).key != candidate {
                return Ok(None);
            }
            Ok(Some(equal))
        }
    }

    /// Whether the key is there.
    ///
    /// # Errors
    /// What `__eq__` raises.
    pub fn contains_hashed(&self, key: &Object, hash: isize) -> PyResult<bool> {
        Ok(self.find(key, hash)?.is_some())
    }

    /// Adds a key; false if it was there already.
    ///
    /// # Errors
    /// What `__eq__` raises, `MemoryError`.
    pub fn add_hashed(&self, key: &Object, hash: isize) -> PyResult<bool> {
        let Search::Missing { free, reuse } = self.search(key, hash)? else { return Ok(false) };
        // SAFETY: no Python code runs between the search and the store, so the places are still those.
        unsafe {
            let (raw, mask) = (self.raw(), self.mask());
            let new = setentry { key: key.new_ref().into_ptr(), hash };
            (*raw).used += 1;
            if !reuse.is_null() {
                reuse.write(new);
                return Ok(true);
            }
            free.write(new);
            (*raw).fill += 1;
            if ((*raw).fill as usize).saturating_mul(5) >= mask * 3 {
                let used = (*raw).used as usize;
                self.resize(if used > 50_000 { used * 2 } else { used * 4 })?;
            }
        }
        Ok(true)
    }

    /// Moves the keys to a table with more than `wanted` places.
    fn resize(&self, wanted: usize) -> PyResult<()> {
        let mut size = SMALL;
        while size <= wanted {
            size = size.checked_mul(2).ok_or_else(alloc::no_memory)?;
        }
        // SAFETY: the old table is read in full before it is freed; a table that moves within the
        // object is copied out first.
        unsafe {
            let raw = self.raw();
            let (old, old_mask) = (self.table(), self.mask());
            let old_is_small = old == self.small_table();
            let saved: [setentry; SMALL] = (*raw).smalltable;
            let mut source = old.cast_const();
            let new = if size == SMALL {
                if old_is_small {
                    if (*raw).fill == (*raw).used {
                        return Ok(());
                    }
                    source = saved.as_ptr();
                }
                core::ptr::write_bytes(self.small_table(), 0, SMALL);
                self.small_table()
            } else {
                let bytes = size.checked_mul(size_of::<setentry>()).ok_or_else(alloc::no_memory)?;
                let block = alloc::calloc(bytes).cast::<setentry>();
                if block.is_null() {
                    return Err(alloc::no_memory());
                }
                block
            };
            for place in 0..=old_mask {
                let entry = source.add(place).read();
                if !entry.key.is_null() && entry.key != dummy() {
                    insert_clean(new, size - 1, entry.key, entry.hash);
                }
            }
            (*raw).mask = size.cast_signed() - 1;
            (*raw).table = new;
            (*raw).fill = (*raw).used;
            if !old_is_small {
                alloc::free(old.cast());
            }
        }
        Ok(())
    }

    /// Makes room before many keys are added, as CPython does when it merges sets.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn reserve_for(&self, more: usize) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        let fill = unsafe { (*self.raw()).fill as usize };
        if (fill + more).saturating_mul(5) >= self.mask() * 3 {
            self.resize((self.len() + more).saturating_mul(2))?;
        }
        Ok(())
    }

    /// Adds all keys of another set.
    ///
    /// # Errors
    /// What `__eq__` raises, `MemoryError`.
    pub fn merge(&self, other: &AnySet) -> PyResult<()> {
        if other.is(self) || other.is_empty() {
            return Ok(());
        }
        self.reserve_for(other.len())?;
        // SAFETY: while nothing is compared no Python code runs, and both tables stay as they are.
        unsafe {
            let raw = self.raw();
            if (*raw).fill == 0 {
                let same_shape = self.mask() == other.mask() && (*other.raw()).fill == (*other.raw()).used;
                for place in 0..=other.mask() {
                    let entry = other.table().add(place).read();
                    if entry.key.is_null() || entry.key == dummy() {
                        continue;
                    }
                    refcount::incref(entry.key);
                    if same_shape {
                        self.table().add(place).write(entry);
                    } else {
                        insert_clean(self.table(), self.mask(), entry.key, entry.hash);
                    }
                }
                (*raw).fill = other.len().cast_signed();
                (*raw).used = (*raw).fill;
                return Ok(());
            }
        }
        let mut position = 0;
        while let Some((key, hash)) = other.next(&mut position) {
            self.add_hashed(&key, hash)?;
        }
        Ok(())
    }

    /// The next key from place `*position` on, with its hash.
    pub fn next(&self, position: &mut usize) -> Option<(Ref, isize)> {
        // SAFETY: the place is checked against the table as it is now.
        unsafe {
            while *position <= self.mask() {
                let entry = self.table().add(*position).read();
                *position += 1;
                if !entry.key.is_null() && entry.key != dummy() {
                    return Some((Object::borrow(entry.key).new_ref(), entry.hash));
                }
            }
        }
        None
    }

    /// Takes a key out.
    ///
    /// # Errors
    /// What `__eq__` raises.
    pub fn take_hashed(&self, key: &Object, hash: isize) -> PyResult<Option<Ref>> {
        let Some(entry) = self.find(key, hash)? else { return Ok(None) };
        // SAFETY: found just now.
        Ok(Some(unsafe { self.take_entry(entry) }))
    }

    /// # Safety
    /// `entry` is a place of the table that holds a key.
    unsafe fn take_entry(&self, entry: *mut setentry) -> Ref {
        // SAFETY: by contract.
        unsafe {
            let key = core::mem::replace(&mut (*entry).key, dummy());
            (*entry).hash = -1;
            (*self.raw()).used -= 1;
            Ref::steal(key)
        }
    }

    /// Takes some key out: the first from the finger on, which then stands behind it.
    pub fn pop(&self) -> Option<Ref> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: the set has a key, so the search ends; places stay within the table.
        unsafe {
            let mut place = (*self.raw()).finger as usize & self.mask();
            loop {
                let entry = self.table().add(place);
                if !(*entry).key.is_null() && (*entry).key != dummy() {
                    (*self.raw()).finger = place.cast_signed() + 1;
                    return Some(self.take_entry(entry));
                }
                place = (place + 1) & self.mask();
            }
        }
    }

    /// Empties the set; keys are released after it has become empty.
    pub fn clear(&self) {
        // SAFETY: the old table is taken out whole before anything is released.
        unsafe {
            let raw = self.raw();
            if (*raw).table.is_null() {
                return;
            }
            let (old, old_mask) = (self.table(), self.mask());
            let small = old == self.small_table();
            let saved: [setentry; SMALL] = (*raw).smalltable;
            core::ptr::write_bytes(self.small_table(), 0, SMALL);
            (*raw).fill = 0;
            (*raw).used = 0;
            (*raw).mask = SMALL as isize - 1;
            (*raw).table = self.small_table();
            (*raw).hash = -1;
            let source = if small { saved.as_ptr() } else { old.cast_const() };
            for place in 0..=old_mask {
                let key = (*source.add(place)).key;
                if !key.is_null() && key != dummy() {
                    refcount::decref(key);
                }
            }
            if !small {
                alloc::free(old.cast());
            }
        }
    }

    /// Gets rid of dummies when they take up a fifth of the table.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn tidy(&self) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        let (fill, used) = unsafe { ((*self.raw()).fill as usize, (*self.raw()).used as usize) };
        if (fill - used) <= self.mask() / 5 {
            return Ok(());
        }
        self.resize(if used > 50_000 { used * 2 } else { used * 4 })
    }

    /// Exchanges the elements of two sets.
    pub fn swap_bodies(&self, other: &AnySet) {
        // SAFETY: both views guarantee the layout; pointers into the objects themselves are redone.
        unsafe {
            let (a, b) = (self.raw(), other.raw());
            let (a_small, b_small) =
                (self.table() == self.small_table(), other.table() == other.small_table());
            core::ptr::swap(&raw mut (*a).fill, &raw mut (*b).fill);
            core::ptr::swap(&raw mut (*a).used, &raw mut (*b).used);
            core::ptr::swap(&raw mut (*a).mask, &raw mut (*b).mask);
            core::ptr::swap(&raw mut (*a).table, &raw mut (*b).table);
            core::ptr::swap(&raw mut (*a).smalltable, &raw mut (*b).smalltable);
            if a_small {
                (*b).table = other.small_table();
            }
            if b_small {
                (*a).table = self.small_table();
            }
            (*a).hash = -1;
            (*b).hash = -1;
        }
    }

    /// Bytes of the table outside the object.
    pub fn table_size(&self) -> usize {
        if self.table() == self.small_table() { 0 } else { (self.mask() + 1) * size_of::<setentry>() }
    }
}

/// Puts a key that is not there into a table, without comparing.
///
/// # Safety
/// The table has a free place and `mask + 1` places; the reference moves into it.
unsafe fn insert_clean(table: *mut setentry, mask: usize, key: *mut PyObject, hash: isize) {
    let mut perturb = hash as usize;
    let mut slot = hash as usize & mask;
    // SAFETY: places stay within the table.
    unsafe {
        loop {
            let window = if slot + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
            for place in slot..=slot + window {
                let entry = table.add(place);
                if (*entry).key.is_null() {
                    entry.write(setentry { key, hash });
                    return;
                }
            }
            perturb >>= PERTURB_SHIFT;
            slot = slot.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
        }
    }
}

/// `tp_dealloc` of the sets.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let object = Object::borrow(ptr);
        gc::untrack_ptr(ptr);
        taipan_object::weakref::clear_on_dealloc(object);
        object.cast::<AnySet>().clear();
        if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

/// `tp_traverse` of the sets.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live set.
    unsafe {
        let set: &AnySet = Object::borrow(ptr).cast();
        if set.table().is_null() {
            return 0;
        }
        for place in 0..=set.mask() {
            let key = (*set.table().add(place)).key;
            if !key.is_null() && key != dummy() {
                let result = visit(key, arg);
                if result != 0 {
                    return result;
                }
            }
        }
    }
    0
}

/// `tp_clear` of the sets.
///
/// # Safety
/// As every `tp_clear`.
pub unsafe extern "C" fn tp_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live set.
    unsafe { Object::borrow(ptr).cast::<AnySet>().clear() };
    0
}
