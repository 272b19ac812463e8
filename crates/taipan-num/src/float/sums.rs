//! Sums without loss: `math.fsum`, `math.sumprod`, and the compensated sum of `sum()`.

use super::FloatError;

/// Exact sum: `a + b` rounded and what rounding lost.
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let bb = s - a;
    (s, (a - (s - bb)) + (b - bb))
}

/// `math.fsum` fed one value at a time: the running sum is a list of floats that do not overlap.
#[derive(Debug, Default)]
pub struct Fsum {
    partials: Vec<f64>,
    special: f64,
    infinite: f64,
}

impl Fsum {
    /// An empty sum.
    pub fn new() -> Fsum {
        Fsum::default()
    }

    /// Adds a value. `Range`: a partial sum of finite values overflowed.
    pub fn add(&mut self, value: f64) -> Result<(), FloatError> {
        let mut x = value;
        let mut n = 0;
        for j in 0..self.partials.len() {
            let y = self.partials[j];
            let (a, b) = if x.abs() < y.abs() { (y, x) } else { (x, y) };
            let hi = a + b;
            let lo = b - (hi - a);
            if lo != 0.0 {
                self.partials[n] = lo;
                n += 1;
            }
            x = hi;
        }
        self.partials.truncate(n);
        if x != 0.0 {
            if !x.is_finite() {
                if value.is_finite() {
                    return Err(FloatError::Range);
                }
                if value.is_infinite() {
                    self.infinite += value;
                }
                self.special += value;
                self.partials.clear();
            } else {
                self.partials.push(x);
            }
        }
        Ok(())
    }

    /// The sum, correctly rounded. `Domain`: infinities of both signs.
    pub fn finish(self) -> Result<f64, FloatError> {
        if self.special != 0.0 {
            return if self.infinite.is_nan() { Err(FloatError::Domain) } else { Ok(self.special) };
        }
        let p = &self.partials;
        let Some((&last, mut rest)) = p.split_last() else { return Ok(0.0) };
        let (mut hi, mut lo) = (last, 0.0);
        while let Some((&y, head)) = rest.split_last() {
            let x = hi;
            hi = x + y;
            lo = y - (hi - x);
            rest = head;
            if lo != 0.0 {
                break;
            }
        }
        // A tie that the partials below would decide the other way.
        if let Some(&below) = rest.last()
            && ((lo < 0.0 && below < 0.0) || (lo > 0.0 && below > 0.0))
        {
            let y = lo * 2.0;
            let x = hi + y;
            if y == x - hi {
                hi = x;
            }
        }
        Ok(hi)
    }
}

/// The float path of `math.sumprod`: products and sums in triple precision.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumProd {
    hi: f64,
    lo: f64,
    tiny: f64,
}

impl SumProd {
    /// Adds `x * y`.
    pub fn add(&mut self, x: f64, y: f64) {
        let p = x * y;
        let plow = x.mul_add(y, -p);
        let (hi, s) = two_sum(self.hi, p);
        let (l1, t1) = two_sum(self.lo, plow);
        let (l2, t2) = two_sum(l1, s);
        *self = SumProd { hi, lo: l2, tiny: self.tiny + t1 + t2 };
    }
    /// The sum rounded once.
    pub fn finish(self) -> f64 {
        let (lo, tiny) = two_sum(self.lo, self.tiny);
        let (hi, rest) = two_sum(self.hi, lo);
        hi + (rest + tiny)
    }
}

/// Neumaier's compensated sum, as `sum()` adds floats.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompensatedSum {
    /// Rounded sum so far.
    pub hi: f64,
    /// What rounding lost so far.
    pub lo: f64,
}

impl CompensatedSum {
    /// Starts at `x`.
    pub fn new(x: f64) -> Self {
        CompensatedSum { hi: x, lo: 0.0 }
    }
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        let t = self.hi + x;
        self.lo += if self.hi.abs() >= x.abs() { (self.hi - t) + x } else { (x - t) + self.hi };
        self.hi = t;
    }
    /// The sum.
    pub fn finish(self) -> f64 {
        if self.lo != 0.0 && self.lo.is_finite() { self.hi + self.lo } else { self.hi }
    }
}
