//! Interned strs: one object for each text (`sys.intern`, and the names of all code).
//!
//! The table holds its strs without owning a reference: a str that dies takes itself out ([`forget`]), one that is
//! interned for ever is immortal. It grows to hundreds of thousands of entries, far more than the caches of a
//! processor hold, so what a search costs is the lines of memory it waits for: a slot has the whole hash beside the
//! address, which leaves one line of the table and one of the str, and many texts at once
//! ([`intern_immortal_ascii`]) are asked for first and looked at later.

use crate::err::PyResult;
use crate::handle::{Object, Ref};
use crate::refcount;
use crate::state;
use crate::statics::PyUnicode_Type;
use crate::unicode::{INTERNED_IMMORTAL, INTERNED_MASK, INTERNED_MORTAL, Str, hash_bytes};
use taipan_abi::*;

#[derive(Clone, Copy)]
struct Slot {
    hash: isize,
    /// Null where the slot is free.
    text: *mut PyObject,
}

const FREE: Slot = Slot { hash: 0, text: core::ptr::null_mut() };

impl Slot {
    fn text(&self) -> &Str {
        // SAFETY: a str leaves the table before it is deallocated.
        unsafe { Object::borrow(self.text).cast() }
    }
}

/// The interned strs of an interpreter. A search goes from the slot that the hash names to the next free one.
#[derive(Default)]
pub struct InternTable {
    /// A power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    taken: usize,
}

impl InternTable {
    fn start(&self, hash: isize) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The place of the str with this hash of which `is_it` is true.
    fn place(&self, hash: isize, mut is_it: impl FnMut(&Str) -> bool) -> Option<usize> {
        if self.taken == 0 {
            return None;
        }
        let mut at = self.start(hash);
        loop {
            let slot = &self.slots[at];
            if slot.text.is_null() {
                return None;
            }
            if slot.hash == hash && is_it(slot.text()) {
                return Some(at);
            }
            at = self.next(at);
        }
    }

    fn find(&self, hash: isize, is_it: impl FnMut(&Str) -> bool) -> Option<Ref<Str>> {
        self.place(hash, is_it).map(|at| Ref::of(self.slots[at].text()))
    }

    /// Adds a str whose text is not there.
    fn insert(&mut self, text: &Str, hash: isize) {
        if 2 * (self.taken + 1) > self.slots.len() {
            let larger = vec![FREE; (2 * self.slots.len()).max(1 << 10)];
            for slot in core::mem::replace(&mut self.slots, larger) {
                if !slot.text.is_null() {
                    self.put(slot);
                }
            }
        }
        self.taken += 1;
        self.put(Slot { hash, text: text.as_ptr() });
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.start(slot.hash);
        while !self.slots[at].text.is_null() {
            at = self.next(at);
        }
        self.slots[at] = slot;
    }

    /// Takes a slot out, and moves those behind it that a search would no longer reach.
    fn remove(&mut self, mut hole: usize) {
        self.taken -= 1;
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = self.next(at);
            let slot = self.slots[at];
            if slot.text.is_null() {
                break;
            }
            // How far the slot is from where its search begins, and how far from the hole.
            let from_start = at.wrapping_sub(self.start(slot.hash)) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_start >= from_hole {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = FREE;
    }

    /// Asks for the memory where a search for a hash begins.
    fn prefetch(&self, hash: isize) {
        if self.taken != 0 {
            prefetch(&raw const self.slots[self.start(hash)]);
        }
    }

    /// Asks for the str that a search for a hash meets first.
    fn prefetch_text(&self, hash: isize) {
        if self.taken != 0 {
            prefetch(self.slots[self.start(hash)].text);
        }
    }
}

/// Asks for memory ahead of its use.
fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that touches nothing, whatever the address.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// `sys.intern`: the one str of this text. Only exact strs are interned.
pub fn intern(text: Ref<Str>) -> Ref<Str> {
    if text.is_interned() || !text.is_exact(&PyUnicode_Type) {
        return text;
    }
    let hash = text.hash();
    let mut table = state::interp().interned.borrow_mut();
    if let Some(found) = table.find(hash, |other| other.same_text(&text)) {
        // The argument may die with the table free.
        drop(table);
        return found;
    }
    table.insert(&text, hash);
    // SAFETY: an exact str; the interned bits are ours.
    unsafe { (*text.raw())._base._base.state |= INTERNED_MORTAL };
    text
}

/// Interns a str for ever.
pub fn intern_immortal(text: Ref<Str>) -> Ref<Str> {
    let text = intern(text);
    if text.is_exact(&PyUnicode_Type) && text.state() & INTERNED_MASK != INTERNED_IMMORTAL {
        refcount::make_immortal(&text);
        // SAFETY: an exact str; the interned bits are ours.
        unsafe {
            let state = &raw mut (*text.raw())._base._base.state;
            *state = *state & !INTERNED_MASK | INTERNED_IMMORTAL;
        }
    }
    text
}

/// The interned strs of ASCII texts for ever, made where there is none.
///
/// # Errors
/// `MemoryError`.
pub fn intern_immortal_ascii(texts: &[&[u8]]) -> PyResult<Vec<Ref<Str>>> {
    const AT_ONCE: usize = 32;
    let mut all = Vec::with_capacity(texts.len());
    let mut hashes = [0; AT_ONCE];
    for texts in texts.chunks(AT_ONCE) {
        {
            let table = state::interp().interned.borrow();
            for (text, hash) in texts.iter().zip(&mut hashes) {
                *hash = hash_bytes(text);
                table.prefetch(*hash);
            }
            hashes[..texts.len()].iter().for_each(|hash| table.prefetch_text(*hash));
        }
        for (text, hash) in texts.iter().zip(hashes) {
            let is_it = |other: &Str| other.is_ascii() && other.data_bytes() == *text;
            let found = state::interp().interned.borrow().find(hash, is_it);
            all.push(intern_immortal(match found {
                Some(found) => found,
                None => Str::from_latin1(text)?,
            }));
        }
    }
    Ok(all)
}

/// Takes a str out of the table.
pub(crate) fn forget(text: &Str) {
    let mut table = state::interp().interned.borrow_mut();
    if let Some(place) = table.place(text.hash(), |other| other.as_ptr() == text.as_ptr()) {
        table.remove(place);
    }
}
