//! CPython's hashes of text, tuples, sets and addresses.

/// Key of the string hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKey {
    /// First half of the SipHash key.
    pub k0: u64,
    /// Second half.
    pub k1: u64,
}

impl HashKey {
    /// The key for `PYTHONHASHSEED=seed`; seed 0 turns randomisation off (a key of zeros).
    pub fn from_seed(seed: u32) -> HashKey {
        let mut bytes = [0u8; 16];
        if seed != 0 {
            let mut x = seed;
            for b in &mut bytes {
                x = x.wrapping_mul(214013).wrapping_add(2531011);
                *b = (x >> 16) as u8;
            }
        }
        Self::from_bytes(bytes)
    }
    /// The key from sixteen random bytes.
    pub fn from_bytes(b: [u8; 16]) -> HashKey {
        let x = u128::from_le_bytes(b);
        HashKey { k0: x as u64, k1: (x >> 64) as u64 }
    }

    /// `hash()` of `str` and `bytes` data as it lies in memory (1, 2 or 4 bytes a character).
    #[inline]
    pub fn hash(self, data: &[u8]) -> i64 {
        if data.is_empty() {
            return 0;
        }
        fix(siphash13(self.k0, self.k1, data) as i64)
    }
}

/// -1 means "error" in a hash slot, so no hash is -1.
#[inline]
pub fn fix(h: i64) -> i64 {
    if h == -1 { -2 } else { h }
}

/// SipHash with one round per word and three at the end.
pub fn siphash13(k0: u64, k1: u64, data: &[u8]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, tail) = data.as_chunks::<8>();
    for w in words {
        let m = u64::from_le_bytes(*w);
        v[3] ^= m;
        sip_round(&mut v);
        v[0] ^= m;
    }
    let m = tail_word(tail) | (data.len() as u64) << 56;
    v[3] ^= m;
    sip_round(&mut v);
    v[0] ^= m;
    v[2] ^= 0xff;
    for _ in 0..3 {
        sip_round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

/// Up to seven bytes as one number, the first lowest. Most strings are short; loads that overlap are quicker than a
/// copy of unknown length.
#[inline(always)]
fn tail_word(tail: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (tail.first_chunk::<4>(), tail.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        return u64::from(u32::from_le_bytes(*first)) | last << (8 * (tail.len() - 4));
    }
    match *tail {
        [] => 0,
        [one] => u64::from(one),
        [first, .., last] => {
            let middle = u64::from(tail[tail.len() / 2]) << (8 * (tail.len() / 2));
            u64::from(first) | middle | u64::from(last) << (8 * (tail.len() - 1))
        }
    }
}

#[inline(always)]
fn sip_round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

const PRIME_1: u64 = 11400714785074694791;
const PRIME_2: u64 = 14029467366897019727;
const PRIME_5: u64 = 2870177450012600261;

/// Tuple hash, fed one item at a time.
#[derive(Clone, Copy, Debug)]
pub struct TupleHasher {
    acc: u64,
    len: u64,
}

impl Default for TupleHasher {
    fn default() -> Self {
        TupleHasher { acc: PRIME_5, len: 0 }
    }
}

impl TupleHasher {
    /// Adds an item's hash.
    #[inline]
    pub fn add(&mut self, hash: i64) {
        self.acc =
            self.acc.wrapping_add((hash as u64).wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1);
        self.len += 1;
    }
    /// The tuple's hash.
    #[inline]
    pub fn finish(self) -> i64 {
        let h = self.acc.wrapping_add(self.len ^ (PRIME_5 ^ 3527539)) as i64;
        if h == -1 { 1546275796 } else { h }
    }
    /// The hash of something that always has as many items, such as a slice.
    #[inline]
    pub fn finish_without_length(self) -> i64 {
        if self.acc == u64::MAX { 1546275796 } else { self.acc as i64 }
    }
}

/// Hash of a tuple whose items have these hashes.
pub fn tuple(hashes: &[i64]) -> i64 {
    let mut t = TupleHasher::default();
    hashes.iter().for_each(|&h| t.add(h));
    t.finish()
}

/// Frozenset hash, fed in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetHasher {
    acc: u64,
    len: u64,
}

impl SetHasher {
    /// Adds an item's hash.
    #[inline]
    pub fn add(&mut self, hash: i64) {
        let h = hash as u64;
        self.acc ^= (h ^ 89869747 ^ (h << 16)).wrapping_mul(3644798167);
        self.len += 1;
    }
    /// The set's hash.
    pub fn finish(self) -> i64 {
        let mut h = self.acc ^ (self.len.wrapping_add(1)).wrapping_mul(1927868237);
        h ^= (h >> 11) ^ (h >> 25);
        h = h.wrapping_mul(69069).wrapping_add(907133923);
        if h == u64::MAX { 590923713 } else { h as i64 }
    }
}

/// Hash of an address: the low bits, always alike, go to the top.
#[inline]
pub fn pointer(address: usize) -> i64 {
    fix((address as u64).rotate_right(4) as i64)
}
