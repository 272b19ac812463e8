//! A quick hash for the tables of the front end.
//!
//! The keys are names and constants of the program that is being compiled. Its author gains nothing from collisions
//! but a slow compilation of his own program, so speed is all that counts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

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

#[cfg(test)]
mod tests {
    use super::*;

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
