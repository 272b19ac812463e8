//! Half-precision floating point (IEEE 754 binary16).

/// A number of half precision, rounded to even; `None` when it is too large.
pub fn from_f64(value: f64) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 48 & 0x8000) as u16;
    if value.is_nan() {
        let payload = (bits >> 42 & 0x1FF) as u16;
        return Some(sign | 0x7C00 | 0x200 | payload);
    }
    let size = value.abs();
    if size.is_infinite() {
        return Some(sign | 0x7C00);
    }
    // Below 2^-14 numbers are multiples of 2^-24, above they have eleven digits.
    let exponent = if size == 0.0 { -14 } else { ((size.to_bits() >> 52) as i32 - 1023).max(-14) };
    if exponent > 15 {
        return None;
    }
    let scaled = (size * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    // A carry into the next power of two is what adding gives.
    let made =
        if exponent == -14 && scaled < 1024 { scaled } else { ((exponent + 14) as u32) * 1024 + scaled };
    if made >= 0x7C00 { None } else { Some(sign | made as u16) }
}

/// The value of a number of half precision.
pub fn to_f64(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => {
            let payload = u64::from(bits & 1023) << 42;
            f64::from_bits(u64::from(bits & 0x8000) << 48 | 0x7FF0 << 48 | payload)
        }
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}
