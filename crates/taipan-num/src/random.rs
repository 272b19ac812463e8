//! The Mersenne Twister MT19937 and the draws that `random.Random` makes from it.

use crate::int::{Int, IntBuf, SHIFT};

const N: usize = 624;
const M: usize = 397;

/// Generator state: 624 words and the position of the next one.
#[derive(Clone, Debug)]
pub struct MersenneTwister {
    state: [u32; N],
    index: usize,
}

impl MersenneTwister {
    /// Seeded by one word.
    pub fn from_u32(seed: u32) -> Self {
        let mut state = [0; N];
        state[0] = seed;
        for i in 1..N {
            let prev: u32 = state[i - 1];
            state[i] = 1812433253u32.wrapping_mul(prev ^ (prev >> 30)).wrapping_add(i as u32);
        }
        MersenneTwister { state, index: N }
    }

    /// Seeded by a list of words, which must not be empty.
    pub fn from_key(key: &[u32]) -> Self {
        let key = if key.is_empty() { &[0] } else { key };
        let mut mt = Self::from_u32(19650218);
        let s = &mut mt.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let prev = s[i - 1];
            s[i] = (s[i] ^ (prev ^ (prev >> 30)).wrapping_mul(1664525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                s[0] = s[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let prev = s[i - 1];
            s[i] = (s[i] ^ (prev ^ (prev >> 30)).wrapping_mul(1566083941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        s[0] = 0x8000_0000;
        mt
    }

    /// Seeded by the absolute value of an integer, as `Random.seed` does.
    pub fn from_int(seed: Int) -> Self {
        let mut key = Vec::new();
        let (mut acc, mut have) = (0u64, 0);
        for &d in seed.digits {
            acc |= (d as u64) << have;
            have += SHIFT;
            if have >= 32 {
                key.push(acc as u32);
                acc >>= 32;
                have -= 32;
            }
        }
        key.push(acc as u32);
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        Self::from_key(&key)
    }

    /// The 624 words and the position, as `getstate` shows them.
    pub fn state(&self) -> (&[u32; N], usize) {
        (&self.state, self.index)
    }

    /// Restores what [`Self::state`] gave; `None` when the position is out of range.
    pub fn from_state(state: [u32; N], index: usize) -> Option<Self> {
        (index <= N).then_some(MersenneTwister { state, index })
    }

    fn refill(&mut self) {
        let s = &mut self.state;
        for k in 0..N {
            let y = (s[k] & 0x8000_0000) | (s[(k + 1) % N] & 0x7fff_ffff);
            s[k] = s[(k + M) % N] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
        }
        self.index = 0;
    }

    /// The next 32 bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.index >= N {
            self.refill();
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `random()`: 53 bits in [0, 1).
    #[inline]
    pub fn random(&mut self) -> f64 {
        let a = (self.next_u32() >> 5) as f64;
        let b = (self.next_u32() >> 6) as f64;
        (a * 67108864.0 + b) * (1.0 / 9007199254740992.0)
    }

    /// `getrandbits(k)` for `k <= 64` without an integer object.
    pub fn bits_u64(&mut self, k: u32) -> u64 {
        match k {
            0 => 0,
            1..=32 => (self.next_u32() >> (32 - k)) as u64,
            _ => {
                let low = self.next_u32() as u64;
                low | ((self.next_u32() >> (64 - k.min(64))) as u64) << 32
            }
        }
    }

    /// `getrandbits(k)`; `None` when `k` bits do not fit in memory.
    pub fn bits(&mut self, k: u64) -> Option<IntBuf> {
        if k <= 64 {
            return Some(crate::int::from_u64(self.bits_u64(k as u32)));
        }
        let words = usize::try_from(k.div_ceil(32)).ok()?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(words.checked_mul(4)?).ok()?;
        let mut left = k;
        for _ in 0..words {
            let mut r = self.next_u32();
            if left < 32 {
                r >>= 32 - left;
            }
            bytes.extend_from_slice(&r.to_le_bytes());
            left = left.saturating_sub(32);
        }
        Some(crate::int::from_bytes(&bytes, true, false))
    }
}
