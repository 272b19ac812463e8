//! `__format__` of the numbers.

use crate::int::{to_decimal, view};
use taipan_format::spec::{Grouping, Spec, layout_number, layout_str, padding, unknown_type};
use taipan_num::complex::Complex;
use taipan_num::float::{self, Flags};
use taipan_object::int::Int;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyComplex_Type, PyFloat_Type, PyLong_Type};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err};

/// How messages about arguments name an object's type.
pub fn argument_name(object: &Object) -> String {
    if is_none(object) { "None".to_owned() } else { object.ty().message_name().to_owned() }
}

#[expect(clippy::needless_pass_by_value, reason = "used as the argument of map_err")]
fn bad(message: String) -> PyErr {
    err::value_error(&message)
}

fn points(text: &Str) -> Vec<u32> {
    text.code_points().collect()
}

fn finish(text: &[u32]) -> PyResult<Ref<Str>> {
    Str::from_code_points(text)
}

/// `int.__format__`.
///
/// # Errors
/// `ValueError` for a bad specification, `OverflowError`.
pub fn format_int(int: &Int, spec: &Str) -> PyResult<Ref<Str>> {
    if spec.is_empty() {
        return if int.is_exact(&PyLong_Type) { Str::from_utf8(&to_decimal(int)?) } else { int.str() };
    }
    let name = int.ty().name().to_owned();
    let parsed = Spec::parse(&points(spec), &name, u32::from(b'd'), b'>').map_err(bad)?;
    parsed.check_room().map_err(|_| err::memory_error())?;
    let Ok(ty) = u8::try_from(parsed.ty) else { return Err(bad(unknown_type(parsed.ty, &name))) };
    match ty {
        b'b' | b'c' | b'd' | b'o' | b'x' | b'X' | b'n' => finish(&layout_int(int, &parsed, ty)?),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => {
            finish(&layout_float(crate::int::to_f64(int)?, &parsed)?)
        }
        _ => Err(bad(unknown_type(parsed.ty, &name))),
    }
}

fn layout_int(int: &Int, spec: &Spec, ty: u8) -> PyResult<Vec<u32>> {
    spec.check_int().map_err(bad)?;
    let grouping = Grouping::from_spec(spec);
    if ty == b'c' {
        let value =
            int.to_i64().ok_or_else(|| err::overflow_error("Python int too large to convert to C long"))?;
        let c = u32::try_from(value)
            .ok()
            .filter(|c| *c < 0x110000)
            .ok_or_else(|| err::overflow_error("%c arg not in range(0x110000)"))?;
        return Ok(layout_str(&[c], spec));
    }
    let (radix, prefix) = match ty {
        b'b' => (2, "0b"),
        b'o' => (8, "0o"),
        b'x' => (16, "0x"),
        b'X' => (16, "0X"),
        _ => (10, ""),
    };
    let text = if radix == 10 { to_decimal(int)? } else { taipan_num::int::to_string(view(int), radix) };
    let mut digits = text.trim_start_matches('-').to_owned();
    if ty == b'X' {
        digits.make_ascii_uppercase();
    }
    let prefix = if spec.alternate { prefix } else { "" };
    Ok(layout_number(int.is_negative(), prefix, &digits, spec, &grouping))
}

/// `float.__format__` of a plain value.
///
/// # Errors
/// `ValueError` for a bad specification.
pub fn format_f64(value: f64, spec: &Str, type_name: &str) -> PyResult<Ref<Str>> {
    let parsed = Spec::parse(&points(spec), type_name, 0, b'>').map_err(bad)?;
    parsed.check_room().map_err(|_| err::memory_error())?;
    match u8::try_from(parsed.ty) {
        Ok(0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n' | b'%') => {
            finish(&layout_float(value, &parsed)?)
        }
        _ => Err(bad(unknown_type(parsed.ty, type_name))),
    }
}

/// Format code, precision and flags of a specification for one float.
fn float_code(spec: &Spec, default_precision: usize, code: u8) -> PyResult<(char, usize)> {
    let (code, precision) = match (code, spec.precision) {
        (b'r', Some(precision)) => (b'g', precision),
        (code, given) => (code, given.unwrap_or(default_precision)),
    };
    if precision > float::MAX_PRECISION {
        return Err(err::value_error("precision too big"));
    }
    Ok((char::from(code), precision))
}

fn layout_float(value: f64, spec: &Spec) -> PyResult<Vec<u32>> {
    let mut flags = Flags { alternate: spec.alternate, no_neg_0: spec.no_neg_0, ..Flags::default() };
    let ty = u8::try_from(spec.ty).unwrap_or(0);
    let (code, default) = match ty {
        0 => {
            flags.add_dot_0 = true;
            (b'r', 0)
        }
        b'n' => (b'g', 6),
        b'%' => (b'f', 6),
        other => (other, 6),
    };
    let value = if ty == b'%' { value * 100.0 } else { value };
    let (code, precision) = float_code(spec, default, code)?;
    let text = float::format(value, code, precision, flags);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.to_owned()),
        None => (false, text),
    };
    let text = if ty == b'%' { text + "%" } else { text };
    Ok(layout_number(negative, "", &text, spec, &Grouping::from_spec(spec)))
}

/// `float.__format__`.
///
/// # Errors
/// `ValueError` for a bad specification.
pub fn format_float(float: &taipan_object::float::Float, spec: &Str) -> PyResult<Ref<Str>> {
    if spec.is_empty() {
        return if float.is_exact(&PyFloat_Type) {
            Str::from_utf8(&float::repr(float.value()))
        } else {
            float.str()
        };
    }
    format_f64(float.value(), spec, float.ty().name())
}

/// `complex.__format__`.
///
/// # Errors
/// `ValueError` for a bad specification.
pub fn format_complex(complex: &taipan_object::float::Complex, spec: &Str) -> PyResult<Ref<Str>> {
    let (re, im) = complex.value();
    if spec.is_empty() {
        return if complex.is_exact(&PyComplex_Type) {
            Str::from_utf8(&taipan_num::complex::repr(Complex { re, im }))
        } else {
            complex.str()
        };
    }
    let name = complex.ty().name();
    let parsed = Spec::parse(&points(spec), name, 0, b'>').map_err(bad)?;
    parsed.check_room().map_err(|_| err::memory_error())?;
    if !matches!(u8::try_from(parsed.ty), Ok(0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n')) {
        return Err(bad(unknown_type(parsed.ty, name)));
    }
    finish(&layout_complex(re, im, &parsed)?)
}

fn layout_complex(re: f64, im: f64, spec: &Spec) -> PyResult<Vec<u32>> {
    spec.check_complex().map_err(bad)?;
    let plain = spec.ty == 0;
    let skip_real = plain && re == 0.0 && re.is_sign_positive();
    let code = match u8::try_from(spec.ty) {
        Ok(0) => b'r',
        Ok(b'n') => b'g',
        Ok(other) => other,
        Err(_) => b'g',
    };
    let (code, precision) = float_code(spec, if plain { 0 } else { 6 }, code)?;
    let flags = Flags { alternate: spec.alternate, no_neg_0: spec.no_neg_0, ..Flags::default() };
    // The parts are laid out bare; padding goes around the whole.
    let bare = Spec { fill: u32::from(b' '), align: b'<', width: None, ..spec.clone() };
    let signed = Spec { sign: Some(b'+'), ..bare.clone() };
    let part = |value: f64, spec: &Spec| {
        let text = float::format(value, code, precision, flags);
        let (negative, text) = text.strip_prefix('-').map_or((false, &*text), |rest| (true, rest));
        layout_number(negative, "", text, spec, &Grouping::from_spec(spec))
    };
    let mut body = Vec::new();
    let parens = plain && !skip_real;
    if parens {
        body.push(u32::from(b'('));
    }
    if skip_real {
        body.extend(part(im, &bare));
    } else {
        body.extend(part(re, &bare));
        body.extend(part(im, &signed));
    }
    body.push(u32::from(b'j'));
    if parens {
        body.push(u32::from(b')'));
    }
    let (left, right) = padding(body.len(), spec.width, spec.align);
    let mut out = vec![spec.fill; left];
    out.extend(body);
    out.extend(std::iter::repeat_n(spec.fill, right));
    Ok(out)
}
