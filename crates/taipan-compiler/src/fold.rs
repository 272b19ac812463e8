//! Arithmetic on constants, as Python would do it at run time.
//!
//! A result of None means: leave the operation to run time, because it raises or its result would be too big.
//! The size limits are CPython's.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use num_bigint::{BigInt as Integer, Sign};
use num_integer::Integer as _;
use num_traits::{Signed, ToPrimitive, Zero};
use taipan_bytecode::opcode::*;
use taipan_bytecode::{BigInt, Constant, PyStr};

use crate::constants::holds_nan;
use crate::names::{FastHasher, FastMap};

const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION_SIZE: i64 = 256;
const MAX_STR_SIZE: i64 = 4096;
const MAX_TOTAL_ITEMS: i64 = 1024;

/// A unary operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `-x`
    Negative,
    /// `+x`
    Positive,
    /// `~x`
    Invert,
    /// `not x`
    Not,
}

fn big_to_integer(value: &BigInt) -> Integer {
    // From digits of 30 bits to words of 32, in one go.
    let mut words = Vec::with_capacity(value.digits.len());
    let (mut bits, mut count) = (0u64, 0);
    for digit in &value.digits {
        bits |= u64::from(*digit) << count;
        count += 30;
        if count >= 32 {
            words.push(bits as u32);
            bits >>= 32;
            count -= 32;
        }
    }
    words.push(bits as u32);
    Integer::from_slice(if value.negative { Sign::Minus } else { Sign::Plus }, &words)
}

/// An integer constant of any size.
pub fn integer_constant(value: Integer) -> Constant {
    if let Some(small) = value.to_i64() {
        return Constant::Int(small);
    }
    let mut digits = Vec::new();
    let (sign, bytes) = value.to_radix_le_words();
    digits.extend(bytes);
    Constant::BigInt(Rc::new(BigInt { negative: sign, digits: digits.into_boxed_slice() }))
}

trait Words {
    fn to_radix_le_words(&self) -> (bool, Vec<u32>);
}

impl Words for Integer {
    fn to_radix_le_words(&self) -> (bool, Vec<u32>) {
        let (sign, words) = self.to_u32_digits();
        let mut digits = Vec::with_capacity(words.len() + 1);
        let mut pending = 0u64;
        let mut bits = 0;
        for word in words {
            pending |= u64::from(word) << bits;
            bits += 32;
            while bits >= 30 {
                digits.push((pending & 0x3fff_ffff) as u32);
                pending >>= 30;
                bits -= 30;
            }
        }
        if pending != 0 {
            digits.push(pending as u32);
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        (sign == Sign::Minus, digits)
    }
}

fn as_integer(value: &Constant) -> Option<Integer> {
    Some(match value {
        Constant::Bool(value) => Integer::from(u8::from(*value)),
        Constant::Int(value) => Integer::from(*value),
        Constant::BigInt(value) => big_to_integer(value),
        _ => return None,
    })
}

fn as_float(value: &Constant) -> Option<f64> {
    match value {
        Constant::Float(value) => Some(*value),
        Constant::Bool(value) => Some(f64::from(u8::from(*value))),
        Constant::Int(value) => Some(*value as f64),
        Constant::BigInt(value) => big_to_integer(value).to_f64().filter(|value| value.is_finite()),
        _ => None,
    }
}

fn is_int(value: &Constant) -> bool {
    matches!(value, Constant::Bool(_) | Constant::Int(_) | Constant::BigInt(_))
}

/// Applies a unary operator.
pub fn unary(operator: Unary, operand: &Constant) -> Option<Constant> {
    match (operator, operand) {
        (Unary::Not, _) => Some(Constant::Bool(!crate::constants::truth(operand))),
        (Unary::Negative, Constant::Float(value)) => Some(Constant::Float(-value)),
        (Unary::Negative, Constant::Complex(real, imag)) => Some(Constant::Complex(-real, -imag)),
        (Unary::Positive, Constant::Float(_) | Constant::Complex(..)) => Some(operand.clone()),
        (Unary::Invert, Constant::Bool(_)) => None,
        (Unary::Negative, Constant::Int(value)) if *value != i64::MIN => Some(Constant::Int(-value)),
        _ => {
            let value = as_integer(operand)?;
            Some(integer_constant(match operator {
                Unary::Negative => -value,
                Unary::Invert => -value - 1,
                _ => value,
            }))
        }
    }
}

/// Applies a binary operator (`NB_*`) or a subscription.
pub fn binary(operator: u32, left: &Constant, right: &Constant) -> Option<Constant> {
    if operator == NB_SUBSCR {
        return subscript(left, right);
    }
    if let (Constant::Bool(a), Constant::Bool(b)) = (left, right) {
        match operator {
            NB_AND => return Some(Constant::Bool(a & b)),
            NB_OR => return Some(Constant::Bool(a | b)),
            NB_XOR => return Some(Constant::Bool(a ^ b)),
            _ => {}
        }
    }
    if is_int(left) && is_int(right) {
        return integers(operator, left, right);
    }
    if matches!(left, Constant::Complex(..)) || matches!(right, Constant::Complex(..)) {
        return complexes(operator, left, right);
    }
    if matches!(left, Constant::Float(_)) || matches!(right, Constant::Float(_)) {
        return floats(operator, as_float(left)?, as_float(right)?);
    }
    match operator {
        NB_ADD => concatenate(left, right),
        NB_MULTIPLY if is_int(left) => repeat(right, left),
        NB_MULTIPLY if is_int(right) => repeat(left, right),
        NB_AND | NB_OR | NB_XOR | NB_SUBTRACT => None,
        _ => None,
    }
}

fn integers(operator: u32, left: &Constant, right: &Constant) -> Option<Constant> {
    if let (Constant::Int(a), Constant::Int(b)) = (left, right) {
        let quick = match operator {
            NB_ADD => a.checked_add(*b),
            NB_SUBTRACT => a.checked_sub(*b),
            NB_MULTIPLY => a.checked_mul(*b),
            NB_AND => Some(a & b),
            NB_OR => Some(a | b),
            NB_XOR => Some(a ^ b),
            _ => None,
        };
        if let Some(value) = quick {
            return Some(Constant::Int(value));
        }
    }
    let (a, b) = (as_integer(left)?, as_integer(right)?);
    Some(integer_constant(match operator {
        NB_ADD => a + b,
        NB_SUBTRACT => a - b,
        NB_MULTIPLY => {
            if !a.is_zero() && !b.is_zero() && a.bits() + b.bits() > MAX_INT_BITS {
                return None;
            }
            a * b
        }
        NB_FLOOR_DIVIDE if !b.is_zero() => a.div_floor(&b),
        NB_REMAINDER if !b.is_zero() => a.mod_floor(&b),
        NB_TRUE_DIVIDE => return true_divide(&a, &b).map(Constant::Float),
        NB_POWER => return power(&a, &b),
        NB_LSHIFT => {
            let shift = b.to_u64()?;
            if !a.is_zero() && shift != 0 && (shift > MAX_INT_BITS || a.bits() > MAX_INT_BITS - shift) {
                return None;
            }
            if a.is_zero() { a } else { a << shift }
        }
        NB_RSHIFT => {
            if b.is_negative() {
                return None;
            }
            match b.to_u64() {
                Some(shift) if shift <= a.bits() => a >> shift,
                _ => Integer::from(if a.is_negative() { -1 } else { 0 }),
            }
        }
        NB_AND => a & b,
        NB_OR => a | b,
        NB_XOR => a ^ b,
        _ => return None,
    }))
}

fn power(a: &Integer, b: &Integer) -> Option<Constant> {
    if b.is_negative() {
        let (a, b) = (a.to_f64().filter(|a| a.is_finite())?, b.to_f64().filter(|b| b.is_finite())?);
        return floats(NB_POWER, a, b);
    }
    if !a.is_zero() && !b.is_zero() {
        let exponent = b.to_u64()?;
        if a.bits() > MAX_INT_BITS / exponent {
            return None;
        }
    }
    if a.is_zero() {
        return Some(Constant::Int(i64::from(b.is_zero())));
    }
    Some(integer_constant(a.pow(b.to_u32()?)))
}

/// The float nearest to a quotient of integers; ties to even.
fn true_divide(a: &Integer, b: &Integer) -> Option<f64> {
    if b.is_zero() {
        return None;
    }
    const EXACT: u64 = 53;
    if a.bits() <= EXACT && b.bits() <= EXACT {
        return Some(a.to_f64()? / b.to_f64()?);
    }
    if a.is_zero() {
        return Some(0.0);
    }
    let negative = a.is_negative() != b.is_negative();
    let (a, b) = (a.abs(), b.abs());
    // Scale so that the quotient has 55 or 56 bits (or fewer where the result is subnormal), with a sticky last bit.
    let mut shift = a.bits() as i64 - b.bits() as i64 - 55;
    shift = shift.max(-1074 - 2);
    if shift > 1100 {
        return None;
    }
    let (mut quotient, rest) =
        if shift >= 0 { a.div_rem(&(b << shift as u64)) } else { (a << shift.unsigned_abs()).div_rem(&b) };
    if !rest.is_zero() {
        quotient |= Integer::from(1);
    }
    let bits = quotient.bits() as i64;
    // Round half to even at the last bit that the result can hold.
    let extra = (bits - 53).max(-1074 - shift).max(0);
    let quotient = quotient.to_u64()?;
    let mut kept = quotient >> extra;
    if extra > 0 {
        let half = 1u64 << (extra - 1);
        let dropped = quotient & ((1 << extra) - 1);
        if dropped > half || (dropped == half && kept & 1 == 1) {
            kept += 1;
        }
    }
    let exponent = shift + extra;
    let value = kept as f64 * 2f64.powi((exponent / 2) as i32) * 2f64.powi((exponent - exponent / 2) as i32);
    if !value.is_finite() {
        return None;
    }
    Some(if negative { -value } else { value })
}

fn floats(operator: u32, a: f64, b: f64) -> Option<Constant> {
    Some(match operator {
        NB_ADD => Constant::Float(a + b),
        NB_SUBTRACT => Constant::Float(a - b),
        NB_MULTIPLY => Constant::Float(a * b),
        NB_TRUE_DIVIDE if b != 0.0 => Constant::Float(a / b),
        NB_FLOOR_DIVIDE if b != 0.0 => Constant::Float(floor_divmod(a, b).0),
        NB_REMAINDER if b != 0.0 => Constant::Float(floor_divmod(a, b).1),
        NB_POWER => return float_power(a, b),
        _ => return None,
    })
}

fn floor_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut modulo = a % b;
    let mut quotient = (a - modulo) / b;
    if modulo != 0.0 {
        if (b < 0.0) != (modulo < 0.0) {
            modulo += b;
            quotient -= 1.0;
        }
    } else {
        modulo = 0f64.copysign(b);
    }
    let floor = if quotient != 0.0 {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0f64.copysign(a / b)
    };
    (floor, modulo)
}

fn float_power(a: f64, b: f64) -> Option<Constant> {
    if a == 0.0 && b < 0.0 {
        return None;
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return complex_power((a, 0.0), (b, 0.0));
    }
    let value = a.powf(b);
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return None;
    }
    Some(Constant::Float(value))
}

/// A complex operand: real ones keep no imaginary part, because mixed operations leave the other's sign alone.
enum Operand {
    Real(f64),
    Complex(f64, f64),
}

fn operand(value: &Constant) -> Option<Operand> {
    match value {
        Constant::Complex(real, imag) => Some(Operand::Complex(*real, *imag)),
        _ => as_float(value).map(Operand::Real),
    }
}

fn complexes(operator: u32, left: &Constant, right: &Constant) -> Option<Constant> {
    use Operand::{Complex, Real};
    let (left, right) = (operand(left)?, operand(right)?);
    let (real, imag) = match (operator, left, right) {
        (NB_ADD, Complex(a, b), Complex(c, d)) => (a + c, b + d),
        (NB_ADD, Complex(a, b), Real(c)) | (NB_ADD, Real(c), Complex(a, b)) => (a + c, b),
        (NB_SUBTRACT, Complex(a, b), Complex(c, d)) => (a - c, b - d),
        (NB_SUBTRACT, Complex(a, b), Real(c)) => (a - c, b),
        (NB_SUBTRACT, Real(a), Complex(c, d)) => (a - c, -d),
        (NB_MULTIPLY, Complex(a, b), Real(c)) | (NB_MULTIPLY, Real(c), Complex(a, b)) => (a * c, b * c),
        (NB_MULTIPLY, Complex(a, b), Complex(c, d)) => complex_product((a, b), (c, d)),
        (NB_TRUE_DIVIDE, Complex(a, b), Real(c)) => {
            if c == 0.0 {
                return None;
            }
            (a / c, b / c)
        }
        (NB_TRUE_DIVIDE, Complex(a, b), Complex(c, d)) => complex_quotient((a, b), (c, d))?,
        (NB_TRUE_DIVIDE, Real(a), Complex(c, d)) => real_quotient(a, (c, d))?,
        (NB_POWER, left, right) => {
            let pair = |operand| match operand {
                Complex(a, b) => (a, b),
                Real(a) => (a, 0.0),
            };
            return complex_power(pair(left), pair(right));
        }
        _ => return None,
    };
    Some(Constant::Complex(real, imag))
}

fn complex_product((a, b): (f64, f64), (c, d): (f64, f64)) -> (f64, f64) {
    let (ac, bd, ad, bc) = (a * c, b * d, a * d, b * c);
    let (real, imag) = (ac - bd, ad + bc);
    if !(real.is_nan() && imag.is_nan()) {
        return (real, imag);
    }
    // Recover infinities that were lost in NaNs (C11, annex G.5.1).
    let boxed = |x: f64| (if x.is_infinite() { 1f64 } else { 0.0 }).copysign(x);
    let unnan = |x: f64| if x.is_nan() { 0f64.copysign(x) } else { x };
    let (mut a, mut b, mut c, mut d) = (a, b, c, d);
    let mut recalculate = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, c, d) = (boxed(a), boxed(b), unnan(c), unnan(d));
        recalculate = true;
    }
    if c.is_infinite() || d.is_infinite() {
        (c, d, a, b) = (boxed(c), boxed(d), unnan(a), unnan(b));
        recalculate = true;
    }
    if !recalculate && (ac.is_infinite() || bd.is_infinite() || ad.is_infinite() || bc.is_infinite()) {
        (a, b, c, d) = (unnan(a), unnan(b), unnan(c), unnan(d));
        recalculate = true;
    }
    if recalculate {
        return (f64::INFINITY * (a * c - b * d), f64::INFINITY * (a * d + b * c));
    }
    (real, imag)
}

fn complex_quotient((a, b): (f64, f64), (c, d): (f64, f64)) -> Option<(f64, f64)> {
    let (real, imag) = if c.abs() >= d.abs() {
        if c.abs() == 0.0 {
            return None;
        }
        let ratio = d / c;
        let denominator = c + d * ratio;
        ((a + b * ratio) / denominator, (b - a * ratio) / denominator)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let denominator = c * ratio + d;
        ((a * ratio + b) / denominator, (b * ratio - a) / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if real.is_nan() && imag.is_nan() {
        if (a.is_infinite() || b.is_infinite()) && c.is_finite() && d.is_finite() {
            let x = (if a.is_infinite() { 1f64 } else { 0.0 }).copysign(a);
            let y = (if b.is_infinite() { 1f64 } else { 0.0 }).copysign(b);
            return Some((f64::INFINITY * (x * c + y * d), f64::INFINITY * (y * c - x * d)));
        }
        if (c.is_infinite() || d.is_infinite()) && a.is_finite() && b.is_finite() {
            let x = (if c.is_infinite() { 1f64 } else { 0.0 }).copysign(c);
            let y = (if d.is_infinite() { 1f64 } else { 0.0 }).copysign(d);
            return Some((0.0 * (a * x + b * y), 0.0 * (b * x - a * y)));
        }
    }
    Some((real, imag))
}

fn real_quotient(a: f64, (c, d): (f64, f64)) -> Option<(f64, f64)> {
    let (real, imag) = if c.abs() >= d.abs() {
        if c.abs() == 0.0 {
            return None;
        }
        let ratio = d / c;
        let denominator = c + d * ratio;
        (a / denominator, -(a * ratio) / denominator)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let denominator = c * ratio + d;
        ((a * ratio) / denominator, -a / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if real.is_nan() && imag.is_nan() && a.is_finite() && (c.is_infinite() || d.is_infinite()) {
        let x = (if c.is_infinite() { 1f64 } else { 0.0 }).copysign(c);
        let y = (if d.is_infinite() { 1f64 } else { 0.0 }).copysign(d);
        return Some((0.0 * (a * x), 0.0 * (-a * y)));
    }
    Some((real, imag))
}

fn complex_power(a: (f64, f64), b: (f64, f64)) -> Option<Constant> {
    let (real, imag) = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        let exponent = b.0 as i32;
        if exponent > 0 {
            power_by_squaring(a, exponent)
        } else {
            complex_quotient((1.0, 0.0), power_by_squaring(a, -exponent))?
        }
    } else if b == (0.0, 0.0) {
        (1.0, 0.0)
    } else if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return None;
        }
        (0.0, 0.0)
    } else {
        let modulus = a.0.hypot(a.1);
        let angle = a.1.atan2(a.0);
        let mut length = modulus.powf(b.0);
        let mut phase = angle * b.0;
        if b.1 != 0.0 {
            length *= (-angle * b.1).exp();
            phase += b.1 * modulus.ln();
        }
        (length * phase.cos(), length * phase.sin())
    };
    let overflow = (real.is_infinite() || imag.is_infinite())
        && [a.0, a.1, b.0, b.1].iter().all(|part| part.is_finite());
    (!overflow).then_some(Constant::Complex(real, imag))
}

fn power_by_squaring(base: (f64, f64), exponent: i32) -> (f64, f64) {
    let mut result = (1.0, 0.0);
    let mut square = base;
    let mut mask = 1;
    while mask > 0 && exponent >= mask {
        if exponent & mask != 0 {
            result = complex_product(result, square);
        }
        mask <<= 1;
        square = complex_product(square, square);
    }
    result
}

fn concatenate(left: &Constant, right: &Constant) -> Option<Constant> {
    Some(match (left, right) {
        (Constant::Str(a), Constant::Str(b)) => {
            let mut text =
                taipan_bytecode::code::PyStrBuilder::with_capacity(a.as_bytes().len() + b.as_bytes().len());
            text.push_pystr(a);
            text.push_pystr(b);
            Constant::Str(text.take())
        }
        (Constant::Bytes(a), Constant::Bytes(b)) => Constant::Bytes([&**a, &**b].concat().into()),
        (Constant::Tuple(a), Constant::Tuple(b)) => {
            Constant::Tuple(a.iter().chain(b.iter()).cloned().collect())
        }
        _ => return None,
    })
}

/// Number of items, nested tuples included, subtracted from a budget.
fn within_budget(value: &Constant, budget: i64) -> Option<i64> {
    let Constant::Tuple(items) = value else { return Some(budget) };
    let mut left = budget - items.len() as i64;
    for item in items.iter() {
        if left < 0 {
            return None;
        }
        left = within_budget(item, left)?;
    }
    (left >= 0).then_some(left)
}

fn repeat(sequence: &Constant, count: &Constant) -> Option<Constant> {
    let count = as_integer(count)?;
    let (size, limit) = match sequence {
        Constant::Tuple(items) => (items.len(), MAX_COLLECTION_SIZE),
        Constant::Str(text) => (text.code_points().count(), MAX_STR_SIZE),
        Constant::Bytes(bytes) => (bytes.len(), MAX_STR_SIZE),
        _ => return None,
    };
    if size == 0 {
        // Repeating nothing any number of times that fits an index.
        count.to_i64()?;
        return Some(sequence.clone());
    }
    let times = count.to_i64()?;
    if times < 0 || times > limit / size as i64 {
        return None;
    }
    if times != 0 && matches!(sequence, Constant::Tuple(_)) {
        within_budget(sequence, MAX_TOTAL_ITEMS / times)?;
    }
    let times = times as usize;
    Some(match sequence {
        Constant::Tuple(items) => Constant::Tuple((0..times).flat_map(|_| items.iter().cloned()).collect()),
        Constant::Str(text) => {
            let mut out = taipan_bytecode::code::PyStrBuilder::default();
            for _ in 0..times {
                out.push_pystr(text);
            }
            Constant::Str(out.take())
        }
        Constant::Bytes(bytes) => Constant::Bytes(bytes.repeat(times).into()),
        _ => return None,
    })
}

fn subscript(container: &Constant, key: &Constant) -> Option<Constant> {
    let length = match container {
        Constant::Tuple(items) => items.len(),
        Constant::Str(text) => text.code_points().count(),
        Constant::Bytes(bytes) => bytes.len(),
        _ => return None,
    };
    if let Constant::Slice(parts) = key {
        let indices = slice_indices(parts, length)?;
        return Some(match container {
            Constant::Tuple(items) => Constant::Tuple(indices.map(|at| items[at].clone()).collect()),
            Constant::Bytes(bytes) => {
                Constant::Bytes(indices.map(|at| bytes[at]).collect::<Vec<u8>>().into())
            }
            Constant::Str(text) => {
                let points: Vec<u32> = text.code_points().collect();
                Constant::Str(string_of(indices.map(|at| points[at])))
            }
            _ => return None,
        });
    }
    let index = as_integer(key)?.to_i64()?;
    let index = if index < 0 { index.checked_add(length as i64)? } else { index };
    let index = usize::try_from(index).ok().filter(|index| *index < length)?;
    Some(match container {
        Constant::Tuple(items) => items[index].clone(),
        Constant::Bytes(bytes) => Constant::Int(i64::from(bytes[index])),
        Constant::Str(text) => Constant::Str(string_of(text.code_points().skip(index).take(1))),
        _ => return None,
    })
}

fn string_of(points: impl Iterator<Item = u32>) -> PyStr {
    let mut out = taipan_bytecode::code::PyStrBuilder::default();
    for point in points {
        out.push_code_point(point);
    }
    out.take()
}

/// The places that a slice of constants picks.
fn slice_indices(parts: &[Constant; 3], length: usize) -> Option<impl Iterator<Item = usize>> {
    let number = |part: &Constant| -> Option<Option<i64>> {
        match part {
            Constant::None => Some(None),
            _ => {
                let value = as_integer(part)?;
                let clamped = value.to_i64().unwrap_or(if value.is_negative() { i64::MIN } else { i64::MAX });
                Some(Some(clamped))
            }
        }
    };
    let step = number(&parts[2])?.unwrap_or(1).max(-i64::MAX);
    if step == 0 {
        return None;
    }
    let length = length as i64;
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let bound = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(value) if value < 0 => value.saturating_add(length).max(lowest),
        Some(value) => value.min(highest),
    };
    let start = bound(number(&parts[0])?, if step < 0 { highest } else { lowest });
    let stop = bound(number(&parts[1])?, if step < 0 { lowest } else { highest });
    let mut at = start;
    Some(std::iter::from_fn(move || {
        let inside = if step > 0 { at < stop } else { at > stop };
        inside.then(|| {
            let index = at as usize;
            at = at.saturating_add(step);
            index
        })
    }))
}

/// Equality of Python values among constants, for sets: numbers compare across types.
pub fn equal(a: &Constant, b: &Constant) -> bool {
    if holds_nan(a) || holds_nan(b) {
        // Each NaN is a number of its own.
        return false;
    }
    if let (Constant::Tuple(a), Constant::Tuple(b)) = (a, b) {
        return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b));
    }
    match (number_value(a), number_value(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b,
        _ => false,
    }
}

/// A number in a form that compares across types: an exact integer, or floats that are none.
fn number_value(value: &Constant) -> Option<(Option<Integer>, u64, u64)> {
    let float = |real: f64, imag: f64| {
        if imag == 0.0 && real.is_finite() && real == real.trunc() {
            return (num_traits::FromPrimitive::from_f64(real), 0, 0);
        }
        (None, real.to_bits(), if imag == 0.0 { 0 } else { imag.to_bits() })
    };
    match value {
        Constant::Float(value) => Some(float(*value, 0.0)),
        Constant::Complex(real, imag) => Some(float(*real, *imag)),
        _ => as_integer(value).map(|value| (Some(value), 0, 0)),
    }
}

/// The frozen set of some constants: of equal ones the first stays.
pub fn frozen_set(items: &[Constant]) -> Constant {
    let mut kept: Vec<Constant> = Vec::with_capacity(items.len());
    // By hash those that can be equal, so that large displays take no quadratic time.
    let mut places: FastMap<u64, Vec<usize>> = FastMap::default();
    for item in items {
        let mut hasher = FastHasher::default();
        hash_value(item, &mut hasher);
        let alike = places.entry(hasher.finish()).or_default();
        if !alike.iter().any(|at| equal(&kept[*at], item)) {
            alike.push(kept.len());
            kept.push(item.clone());
        }
    }
    Constant::FrozenSet(kept.into())
}

/// Hash that is the same for [`equal`] constants.
fn hash_value(value: &Constant, hasher: &mut FastHasher) {
    match (value, number_value(value)) {
        (Constant::Tuple(items), _) => items.iter().for_each(|item| hash_value(item, hasher)),
        (_, Some(number)) => number.hash(hasher),
        _ => value.hash(hasher),
    }
}
