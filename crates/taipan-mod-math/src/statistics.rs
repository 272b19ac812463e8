//! `_statistics`: the inverse of the normal distribution's cumulative function.
//!
//! There is no closed form; the quotient of two polynomials of degree seven is good to about sixteen
//! digits, with other coefficients near the middle, outside of it, and in the far tails: M. J. Wichura,
//! "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988).

use taipan_object::methods;
use taipan_object::module::ModuleSpec;
use taipan_object::native::Args;
use taipan_object::{Object, PyResult, err};

/// Coefficients of a numerator and a denominator, the highest power first.
type Ratio = [[f64; 8]; 2];

/// Within 0.425 of the middle.
const MIDDLE: Ratio = [
    [
        2509.0809287301227,
        33430.57558358813,
        67265.7709270087,
        45921.95393154987,
        13731.69376550946,
        1971.5909503065513,
        133.14166789178438,
        3.3871328727963665,
    ],
    [
        5226.495278852854,
        28729.085735721943,
        39307.89580009271,
        21213.794301586597,
        5394.196021424751,
        687.1870074920579,
        42.31333070160091,
        1.0,
    ],
];

/// Further out.
const OUTSIDE: Ratio = [
    [
        0.0007745450142783414,
        0.022723844989269184,
        0.2417807251774506,
        1.2704582524523684,
        3.6478483247632045,
        5.769497221460691,
        4.630337846156546,
        1.4234371107496835,
    ],
    [
        1.0507500716444169e-09,
        0.0005475938084995345,
        0.015198666563616457,
        0.14810397642748008,
        0.6897673349851,
        1.6763848301838038,
        2.053191626637759,
        1.0,
    ],
];

/// In the far tails.
const TAILS: Ratio = [
    [
        2.0103343992922881e-07,
        2.7115555687434876e-05,
        0.0012426609473880784,
        0.026532189526576124,
        0.29656057182850487,
        1.7848265399172913,
        5.463784911164114,
        6.657904643501103,
    ],
    [
        2.0442631033899397e-15,
        1.421511758316446e-07,
        1.8463183175100548e-05,
        0.0007868691311456133,
        0.014875361290850615,
        0.1369298809227358,
        0.599832206555888,
        1.0,
    ],
];

/// The numerator and the denominator at a place.
fn at(ratio: &Ratio, r: f64) -> (f64, f64) {
    let value =
        |coefficients: &[f64; 8]| coefficients[1..].iter().fold(coefficients[0], |sum, c| sum * r + c);
    (value(&ratio[0]), value(&ratio[1]))
}

/// Where the distribution with this mean and deviation has reached `p`.
fn inverse(p: f64, mu: f64, sigma: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let (numerator, denominator) = at(&MIDDLE, 0.180625 - q * q);
        return mu + numerator * q / denominator * sigma;
    }
    let r = (-(if q <= 0.0 { p } else { 1.0 - p }).ln()).sqrt();
    let (numerator, denominator) = if r <= 5.0 { at(&OUTSIDE, r - 1.6) } else { at(&TAILS, r - 5.0) };
    let x = numerator / denominator;
    mu + (if q < 0.0 { -x } else { x }) * sigma
}

fn normal_dist_inv_cdf(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (p, mu, sigma) = (args.required(0).to_f64()?, args.required(1).to_f64()?, args.required(2).to_f64()?);
    if p <= 0.0 || p >= 1.0 {
        return Err(err::value_error("inv_cdf undefined for these parameters"));
    }
    Ok(inverse(p, mu, sigma))
}

methods! { static METHODS = {
    args "_normal_dist_inv_cdf" "($module, p, mu, sigma, /)" = normal_dist_inv_cdf, "The inverse of the cumulative normal distribution.";
} }

/// The module.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_statistics",
    doc: "What statistics computes natively.",
    methods: METHODS,
    init: |_| Ok(()),
};
