//! A quick hash for the tables of the front end.
//!
//! The keys are names and constants of the program that is being compiled. Its author gains nothing from collisions
//! but a slow compilation of his own program, so speed is all that counts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hash of a few multiplications.
#[derive(Default, Clone)]
pub struct FastHasher {
    state: u64,
}

/// A hash map with the quick hash.
pub type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

impl FastHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.state = (self.state.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// The last eight bytes of a text, or all of a shorter one, as one number.
#[inline]
fn tail(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)) << 32);
    }
    match bytes {
        [] => 0,
        [first, ..] => {
            let (middle, last) = (bytes[bytes.len() / 2], bytes[bytes.len() - 1]);
            u64::from(*first) | (u64::from(middle) << 8) | (u64::from(last) << 16)
        }
    }
}

impl Hasher for FastHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while rest.len() > 8
            && let Some((word, more)) = rest.split_first_chunk::<8>()
        {
            self.mix(u64::from_le_bytes(*word));
            rest = more;
        }
        // The last word may overlap the one before; the length tells such texts apart.
        self.mix(tail(if bytes.len() > 8 { bytes } else { rest }) ^ ((bytes.len() as u64) << 56));
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state ^ (self.state >> 29)
    }
}

/// The quick hash of a value.
#[inline]
pub fn fast_hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = FastHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The quick hash of a text.
#[inline]
pub fn fast_hash_text(text: &str) -> u64 {
    let mut hasher = FastHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Finds the numbers of values that somebody else keeps in a list: eight bytes for each, and no value is hashed
/// twice, however the table grows.
#[derive(Clone, Debug, Default)]
pub struct NumberTable {
    /// Upper half of the hash and number, or [`FREE`]; a power of two of them, at most half of them taken.
    slots: Vec<u64>,
    taken: usize,
}

const FREE: u64 = u64::MAX;

impl NumberTable {
    /// A table with room for so many numbers.
    pub fn with_capacity(count: usize) -> NumberTable {
        NumberTable { slots: vec![FREE; (2 * count.max(1)).next_power_of_two()], taken: 0 }
    }

    #[inline]
    fn start(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.slots.len() - 1)
    }

    /// The number with this hash of which `is_it` is true.
    #[inline]
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.taken == 0 {
            return None;
        }
        let mut at = self.start(hash);
        loop {
            let slot = self.slots[at];
            if slot == FREE {
                return None;
            }
            if slot >> 32 == hash >> 32 && is_it(slot as u32) {
                return Some(slot as u32);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds a number, below `u32::MAX`, that is not there.
    pub fn insert(&mut self, hash: u64, number: u32) {
        // One slot at least stays free: there a search ends.
        if 2 * (self.taken + 1) > self.slots.len() {
            self.grow();
        }
        self.taken += 1;
        self.put((hash & !u64::from(u32::MAX)) | u64::from(number));
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.start(slot);
        while self.slots[at] != FREE {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![FREE; (2 * self.slots.len()).max(16)];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot != FREE {
                self.put(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_hash_and_value() {
        let texts: Vec<String> = (0..1000).map(|n| format!("text {n}")).collect();
        for mut table in [NumberTable::default(), NumberTable::with_capacity(0), NumberTable::with_capacity(7)] {
            for (text, number) in texts.iter().zip(0..) {
                let hash = fast_hash_text(text);
                assert_eq!(table.find(hash, |_| true), None, "{text}");
                table.insert(hash, number);
            }
            for (text, number) in texts.iter().zip(0..) {
                assert_eq!(table.find(fast_hash_text(text), |n| texts[n as usize] == *text), Some(number));
            }
        }
    }

    fn hash(bytes: &[u8]) -> u64 {
        let mut hasher = FastHasher::default();
        hasher.write(bytes);
        hasher.finish()
    }

    #[test]
    fn texts_that_differ_in_one_byte_hash_differently() {
        for length in 1..40 {
            let text = vec![b'a'; length];
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert_ne!(hash(&text), hash(&other), "{length} {at}");
            }
            assert_ne!(hash(&text), hash(&vec![b'a'; length + 1]), "{length}");
        }
    }
}
