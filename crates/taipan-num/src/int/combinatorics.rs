//! `math.factorial`, `math.perm`, `math.comb`.

use super::*;

/// Product of `lo..=hi` by halving, so that factors of like size meet.
fn product(lo: u64, hi: u64) -> IntBuf {
    if lo > hi {
        return ONE.to_owned();
    }
    if hi - lo < 12 {
        let mut r = from_u64(lo);
        for x in lo + 1..=hi {
            r = mul(r.as_int(), from_u64(x).as_int());
        }
        return r;
    }
    let mid = lo + (hi - lo) / 2;
    mul(product(lo, mid).as_int(), product(mid + 1, hi).as_int())
}

/// `n!`.
pub fn factorial(n: u64) -> Result<IntBuf, IntError> {
    if n > 1 << 34 {
        return Err(IntError::NoMemory);
    }
    Ok(product(1, n.max(1)))
}

/// `n * (n-1) * … * (n-k+1)` for `n >= k`.
pub fn perm(n: Int, k: u64) -> Result<IntBuf, IntError> {
    if n.negative {
        return Err(IntError::Negative);
    }
    if bit_length(n).saturating_mul(k) > 1 << 42 {
        return Err(IntError::NoMemory);
    }
    if let Ok(n) = to_u64(n) {
        return Ok(if k > n {
            IntBuf::zero()
        } else if k == 0 {
            ONE.to_owned()
        } else {
            product(n - k + 1, n)
        });
    }
    falling(n, k)
}

/// The falling factorial of a number past 64 bits.
fn falling(n: Int, k: u64) -> Result<IntBuf, IntError> {
    match k {
        0 => Ok(ONE.to_owned()),
        1 => Ok(n.to_owned()),
        _ => {
            let j = k / 2;
            let rest = sub(n, from_u64(j).as_int());
            Ok(mul(falling(n, j)?.as_int(), falling(rest.as_int(), k - j)?.as_int()))
        }
    }
}

/// Binomial coefficient for `n >= 0`; `k` is already the smaller of `k` and `n - k`.
pub fn comb(n: Int, k: u64) -> Result<IntBuf, IntError> {
    if k == 0 {
        return Ok(ONE.to_owned());
    }
    if k <= 16 || to_u64(n).is_ok_and(|n| n <= 200) {
        let top = perm(n, k)?;
        return floordiv(top.as_int(), factorial(k)?.as_int());
    }
    // C(n, k) = C(n, j) * C(n-j, k-j) / C(k, j) keeps the operands small.
    let j = k / 2;
    let left = comb(n, j)?;
    let rest = sub(n, from_u64(j).as_int());
    let right = comb(rest.as_int(), k - j)?;
    let below = comb(from_u64(k).as_int(), j)?;
    floordiv(mul(left.as_int(), right.as_int()).as_int(), below.as_int())
}
