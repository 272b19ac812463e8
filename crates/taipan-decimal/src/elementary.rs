//! `exp`, `ln` and `log10`, correctly rounded (half to even).
//!
//! Each function is approximated in binary fixed-point numbers with some digits more than are wanted. If
//! the numbers a little below and above the approximation round to the same result, that is the result;
//! if not, more digits are taken (Ziv's strategy). The values are irrational in all cases that get here,
//! so this ends.

use crate::NoMemory;
use crate::big;
use crate::coeff::Coeff;
use crate::number::{Context, Dec, EXP_INF, Rounding, or_no_memory, status::*};
use dashu_int::{IBig, UBig};
use std::sync::Mutex;

/// Bits for a number of decimal digits.
fn bits_for(digits: i64) -> usize {
    (digits as f64 * 3.321_928_094_887_363) as usize + 64
}

/// Makes sure that numbers of so many digits can be had at all.
fn probe(digits: i64) -> Result<(), NoMemory> {
    let bytes = usize::try_from(digits).ok().and_then(|n| n.checked_mul(4)).ok_or(NoMemory)?;
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| NoMemory)
}

/// A coefficient as a binary number.
fn binary(coeff: &Coeff) -> UBig {
    match coeff.small() {
        Some(small) => UBig::from(small),
        None => big::from_limbs(coeff.limbs(&mut [0; 2])),
    }
}

/// A magnitude as a coefficient.
fn decimal(x: &UBig) -> Result<Coeff, NoMemory> {
    match u128::try_from(x) {
        Ok(small) => Ok(Coeff::from_u128(small)),
        Err(_) => big::to_limbs(x).map(Coeff::from_limbs),
    }
}

/// A finite number as fixed point with so many bits behind the point (rounded down).
fn fixed(a: &Dec, bits: usize) -> IBig {
    let magnitude = binary(&a.coeff);
    let scaled = if a.exp >= 0 {
        (magnitude * big::pow10(a.exp as usize)) << bits
    } else {
        (magnitude << bits) / big::pow10(a.exp.unsigned_abs() as usize)
    };
    if a.negative { -IBig::from(scaled) } else { IBig::from(scaled) }
}

/// A fixed-point number as a decimal with so many digits behind the point.
fn unfixed(x: &IBig, bits: usize, digits: i64) -> Result<Dec, NoMemory> {
    let (sign, magnitude) = x.clone().into_parts();
    let scaled: UBig = (magnitude * big::pow10(digits as usize)) >> bits;
    Ok(Dec::new(sign == dashu_int::Sign::Negative, decimal(&scaled)?, -digits))
}

/// The leading digits of a number: an error below 10**(1 - digits) of it.
fn leading(a: &Dec, digits: i64) -> Result<Dec, NoMemory> {
    let cut = a.coeff.digits().cast_signed() - digits;
    if cut <= 0 {
        return Ok(a.clone());
    }
    Ok(Dec { coeff: a.coeff.shr(cut.unsigned_abs())?.0, exp: a.exp + cut, ..a.clone() })
}

/// Digits of an approximation that may be wrong.
const SLACK: i64 = 4;

/// The correctly rounded value of what `approximate` gives to a wanted number of digits, all but the last
/// [`SLACK`] of them good.
fn rounded(
    ctx: &Context,
    st: &mut u32,
    approximate: impl Fn(i64) -> Result<Dec, NoMemory>,
) -> Result<Dec, NoMemory> {
    let ctx = ctx.rounding(Rounding::HalfEven);
    let mut digits = ctx.prec + 12;
    loop {
        probe(digits)?;
        let near = leading(&approximate(digits)?, digits)?;
        // A number with fewer digits is as good as one with zeros behind.
        let missing = (digits - near.coeff.digits().cast_signed()).max(0);
        let coeff = near.coeff.shl(missing.unsigned_abs())?;
        let near = Dec { exp: near.exp - missing, ..near };
        let error = Coeff::from_u128(10u128.pow(SLACK as u32));
        let side = |coeff: Coeff, st: &mut u32| Dec { coeff, ..near.clone() }.finalize(&ctx, st);
        let (mut below_st, mut above_st) = (0, 0);
        let below = side(coeff.sub(&error)?, &mut below_st);
        let above = side(coeff.add(&error)?, &mut above_st);
        if below.coeff == above.coeff && below.exp == above.exp && below.kind == above.kind {
            *st |= above_st;
            return Ok(above);
        }
        digits += digits / 4 + 16;
    }
}

/// ln(10) in fixed point; the longest one computed is kept.
fn ln10(bits: usize) -> IBig {
    static KNOWN: Mutex<Option<(usize, IBig)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((have, value)) = &*known
        && *have >= bits
    {
        return value >> (have - bits);
    }
    let work = bits + 32;
    // A formula of Machin's kind: ln 10 = 46 artanh(1/31) + 34 artanh(1/49) + 20 artanh(1/161).
    let value = (IBig::from(46) * artanh_inverse(31, work)
        + IBig::from(34) * artanh_inverse(49, work)
        + IBig::from(20) * artanh_inverse(161, work))
        >> 32usize;
    *known = Some((bits, value.clone()));
    value
}

/// artanh(1/n) in fixed point, by binary splitting of its series.
fn artanh_inverse(n: u32, bits: usize) -> IBig {
    /// Powers, odd numbers and numerator of the terms `from..to`.
    fn split(square: &IBig, from: u64, to: u64) -> (IBig, IBig, IBig) {
        if to - from == 1 {
            return (square.clone(), IBig::from(2 * from + 1), IBig::ONE);
        }
        let middle = u64::midpoint(from, to);
        let (q1, b1, t1) = split(square, from, middle);
        let (q2, b2, t2) = split(square, middle, to);
        let numerator = t1 * &b2 * &q2 + t2 * &b1;
        (q1 * q2, b1 * b2, numerator)
    }
    let terms = (bits as f64 / (2.0 * f64::from(n).log2())) as u64 + 2;
    let square = IBig::from(u64::from(n) * u64::from(n));
    let (q, b, t) = split(&square, 0, terms);
    ((t * IBig::from(n)) << bits) / (q * b)
}

/// exp of a fixed-point number of at most a few units.
fn exp_fixed(x: &IBig, bits: usize) -> IBig {
    let halvings = (bits as f64).sqrt() as usize;
    let work = bits + 2 * halvings + 32;
    let small = (x << (work - bits)) >> halvings;
    let one = IBig::ONE << work;
    let mut sum = &one + &small;
    let mut term = small.clone();
    let mut n = 2u32;
    loop {
        term = ((term * &small) >> work) / IBig::from(n);
        // Shifting rounds down, so a negative term ends at -1.
        if term == IBig::ZERO || term == IBig::NEG_ONE {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        sum = sum.sqr_to_ibig() >> work;
    }
    sum >> (work - bits)
}

/// Squares without a second operand.
trait Square {
    fn sqr_to_ibig(&self) -> IBig;
}

impl Square for IBig {
    fn sqr_to_ibig(&self) -> IBig {
        IBig::from(self.sqr())
    }
}

/// exp(a) to so many digits.
fn exp_digits(a: &Dec, digits: i64) -> Result<Dec, NoMemory> {
    let a = leading(a, digits + 25)?;
    let bits = bits_for(digits);
    // The number of tens in the exponent can take 63 bits.
    let fine = bits + 80;
    let x = fixed(&a, fine);
    let ten = ln10(fine);
    let tens = (&x + (&ten >> 1usize)) / &ten;
    let rest = (x - &tens * ten) >> (fine - bits);
    let tens = i64::try_from(tens).unwrap_or(0);
    let value = unfixed(&exp_fixed(&rest, bits), bits, digits)?;
    Ok(Dec { exp: value.exp + tens, ..value })
}

/// `1.000…0`: what is too near to one to be told from it.
fn padded_one(ctx: &Context) -> Result<Dec, NoMemory> {
    Ok(Dec::new(false, Coeff::ONE.shl((ctx.prec - 1).unsigned_abs())?, 1 - ctx.prec))
}

/// The exponential function.
pub fn exp(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if a.is_special() {
        if let Some(nan) = Dec::propagate(&[a], ctx, st) {
            return nan;
        }
        return if a.negative { Dec::triple(false, 0, 0) } else { Dec::infinity(false) };
    }
    if a.coeff.is_zero() {
        return Dec::ONE;
    }
    let half_even = ctx.rounding(Rounding::HalfEven);
    if a.adjusted() >= 19 {
        let exp = if a.negative { ctx.etiny() - 1 } else { EXP_INF };
        *st |= INEXACT | ROUNDED;
        return Dec::triple(false, 1, exp).finalize(&half_even, st);
    }
    if a.adjusted() < -(ctx.prec + 1) {
        *st |= INEXACT | ROUNDED;
        return or_no_memory(padded_one(ctx), st).finalize(&half_even, st);
    }
    or_no_memory(rounded(ctx, st, |digits| exp_digits(a, digits)), st)
}

/// ln of a fixed-point number between 0.3 and 3.2, by iterating `y + 2 (x - e^y) / (x + e^y)`, which
/// triples the number of good bits.
fn ln_fixed(x: &IBig, bits: usize) -> IBig {
    let mut steps = vec![bits];
    while let Some(&last) = steps.last()
        && last > 45
    {
        steps.push(last / 3 + 6);
    }
    let start = (x >> (bits - 60)).to_f64().value() / 60f64.exp2();
    let mut have = 60usize;
    let mut y = IBig::from((start.ln() * 60f64.exp2()) as i64);
    for &want in steps.iter().rev() {
        let work = want + 16;
        y = if work >= have { y << (work - have) } else { y >> (have - work) };
        have = work;
        let x = if work >= bits { x << (work - bits) } else { x >> (bits - work) };
        let power = exp_fixed(&y, work);
        y += ((&x - &power) << (work + 1)) / (x + power);
    }
    if have >= bits { y >> (have - bits) } else { y << (bits - have) }
}

/// ln(1 + t) for tiny `t` by its series.
fn ln_series(t: &Dec, digits: i64) -> Result<Dec, NoMemory> {
    let ctx = Context { prec: digits + 6, ..Context::MAX };
    let st = &mut 0;
    let t = leading(t, digits + 6)?;
    let (mut power, mut sum, mut n) = (t.clone(), t.clone(), 2);
    loop {
        power = crate::arith::mul(&power, &t, &ctx, st);
        let term = crate::divide::div(&power, &Dec::from_i64(n), &ctx, st);
        if *st & MALLOC_ERROR != 0 {
            return Err(NoMemory);
        }
        if term.adjusted() < sum.adjusted() - digits - 4 {
            return Ok(sum);
        }
        sum = if n % 2 == 0 {
            crate::arith::sub(&sum, &term, &ctx, st)
        } else {
            crate::arith::add(&sum, &term, &ctx, st)
        };
        n += 1;
    }
}

/// ln(a) of a positive number other than one, to so many digits.
fn ln_digits(a: &Dec, digits: i64) -> Result<Dec, NoMemory> {
    // a = m * 10**tens with m between 0.316 and 3.16.
    let mut tens = a.adjusted();
    let first = leading(a, 3)?;
    let head = first.coeff.shl(3 - first.coeff.digits())?;
    if head > Coeff::from_u128(316) {
        tens += 1;
    }
    let m = Dec { exp: a.exp - tens, ..a.clone() };
    // Near one the logarithm is about as small as the distance.
    let mut extra = 0;
    if tens == 0 {
        let mut st = 0;
        let distance = crate::arith::sub(&m, &Dec::ONE, &Context::MAX, &mut st);
        if st & MALLOC_ERROR != 0 {
            return Err(NoMemory);
        }
        extra = (-distance.adjusted()).max(0);
        if extra > 2 && digits / extra < 40 {
            return ln_series(&distance, digits);
        }
    }
    let places = digits + extra;
    probe(places)?;
    let bits = bits_for(places);
    let m = leading(&m, places + 20)?;
    let mut value = ln_fixed(&fixed(&m, bits), bits);
    if tens != 0 {
        let fine = bits + 64;
        value += (IBig::from(tens) * ln10(fine)) >> 64usize;
    }
    unfixed(&value, bits, places)
}

/// What logarithms do with special operands, zero and negative numbers.
fn special_log(a: &Dec, ctx: &Context, st: &mut u32) -> Option<Dec> {
    if a.is_nan() {
        return Dec::propagate(&[a], ctx, st);
    }
    if a.is_zero() {
        return Some(Dec::infinity(true));
    }
    if a.negative {
        return Some(Dec::invalid(INVALID_OPERATION, st));
    }
    a.is_infinite().then(|| Dec::infinity(false))
}

/// The natural logarithm.
pub fn ln(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(special) = special_log(a, ctx, st) {
        return special;
    }
    if a.cmp_abs(&Dec::ONE).is_eq() {
        return Dec::triple(false, 0, 0);
    }
    or_no_memory(rounded(ctx, st, |digits| ln_digits(a, digits)), st)
}

/// The logarithm to base ten.
pub fn log10(a: &Dec, ctx: &Context, st: &mut u32) -> Dec {
    if let Some(special) = special_log(a, ctx, st) {
        return special;
    }
    if a.coeff.is_power_of_ten() {
        return Dec::from_i64(a.adjusted()).finalize(&ctx.rounding(Rounding::HalfEven), st);
    }
    let digits = |digits: i64| {
        let natural = ln_digits(a, digits + 4)?;
        let bits = bits_for(digits + 8);
        let base = unfixed(&ln10(bits), bits, digits + 8)?;
        let mut conditions = 0;
        let quotient = crate::divide::div(
            &natural,
            &base,
            &Context { prec: digits + 8, ..Context::MAX },
            &mut conditions,
        );
        if conditions & MALLOC_ERROR != 0 { Err(NoMemory) } else { Ok(quotient) }
    };
    or_no_memory(rounded(ctx, st, digits), st)
}
