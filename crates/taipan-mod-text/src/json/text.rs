//! Text in its stored width, errors with their place, and JSON strings.

use taipan_object::int::Int;
use taipan_object::native::IntoPy;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise, state};

/// Code points of one stored width.
pub trait Text: Copy {
    fn len(self) -> usize;
    fn at(self, index: usize) -> u32;
    fn part(self, from: usize, to: usize) -> PyResult<Ref<Str>>;
    /// From `from` on, the first place of a quote, a backslash or a control character.
    fn special(self, from: usize) -> Option<usize>;

    fn get(self, index: usize) -> Option<u32> {
        (index < self.len()).then(|| self.at(index))
    }
}

macro_rules! text {
    ($item:ty, $make:ident) => {
        impl Text for &[$item] {
            #[inline(always)]
            fn len(self) -> usize {
                <[$item]>::len(self)
            }
            #[inline(always)]
            fn at(self, index: usize) -> u32 {
                u32::from(self[index])
            }
            fn part(self, from: usize, to: usize) -> PyResult<Ref<Str>> {
                Str::$make(&self[from..to])
            }
            fn special(self, from: usize) -> Option<usize> {
                let found = self[from..].iter().position(|&c| c == 34 || c == 92 || c < 32);
                found.map(|at| at + from)
            }
        }
    };
}
text!(u8, from_latin1);
text!(u16, from_ucs2);
text!(u32, from_code_points);

/// `JSONDecodeError(message, document, position)`.
#[cold]
pub fn decode_error(message: &str, document: &Str, position: isize) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let decoder = (state::interp().hooks.get().import_module)("json.decoder")?;
        let class = decoder.getattr(intern!("JSONDecodeError"))?;
        let made = class.call(&[&*Str::from_utf8(message)?, document, &*Int::from_isize(position)])?;
        Ok(PyErr::from_instance(made))
    };
    make().unwrap_or_else(|error| error)
}

/// Four hexadecimal digits.
fn four<T: Text>(text: T, at: usize) -> Option<u32> {
    (0..4).try_fold(0, |acc, k| {
        let digit = char::from_u32(text.get(at + k)?)?.to_digit(16)?;
        Some(acc << 4 | digit)
    })
}

/// Reads a string whose opening quote stands before `from`; gives it and the place behind it.
pub fn scan_string<T: Text>(
    document: &Str,
    text: T,
    from: usize,
    strict: bool,
) -> PyResult<(Ref<Str>, usize)> {
    let begin = from as isize - 1;
    let fault = |message: &str, at: isize| decode_error(message, document, at);
    let unterminated = || fault("Unterminated string starting at", begin);
    let mut parts: Vec<u32> = Vec::new();
    let (mut start, mut at) = (from, from);
    loop {
        at = text.special(at).ok_or_else(unterminated)?;
        match text.at(at) {
            34 => {
                if parts.is_empty() {
                    return Ok((text.part(start, at)?, at + 1));
                }
                parts.extend((start..at).map(|k| text.at(k)));
                return Ok((Str::from_code_points(&parts)?, at + 1));
            }
            92 => {
                parts.extend((start..at).map(|k| text.at(k)));
                let letter = text.get(at + 1).ok_or_else(unterminated)?;
                let (c, next) = escape(text, letter, at + 1, &fault)?;
                parts.push(c);
                (start, at) = (next, next);
            }
            _ if strict => return Err(fault("Invalid control character at", at as isize)),
            _ => at += 1,
        }
    }
}

/// The character of an escape whose letter stands at `at`.
fn escape<T: Text>(
    text: T,
    letter: u32,
    at: usize,
    fault: &dyn Fn(&str, isize) -> PyErr,
) -> PyResult<(u32, usize)> {
    let simple = match letter {
        0x22 | 0x5C | 0x2F => letter,
        0x62 => 8,
        0x66 => 12,
        0x6E => 10,
        0x72 => 13,
        0x74 => 9,
        0x75 => {
            let digits = at + 1;
            // Something has to follow: at least the closing quote.
            let c = if digits + 4 < text.len() { four(text, digits) } else { None };
            let c = c.ok_or_else(|| fault("Invalid \\uXXXX escape", at as isize))?;
            let end = digits + 4;
            if c & 0xFC00 == 0xD800 && end + 6 < text.len() && text.at(end) == 92 && text.at(end + 1) == 0x75
            {
                let low =
                    four(text, end + 2).ok_or_else(|| fault("Invalid \\uXXXX escape", end as isize + 1))?;
                if low & 0xFC00 == 0xDC00 {
                    return Ok((0x10000 + ((c - 0xD800) << 10 | (low - 0xDC00)), end + 6));
                }
            }
            return Ok((c, end));
        }
        _ => return Err(fault("Invalid \\escape", at as isize - 1)),
    };
    Ok((simple, at + 1))
}

/// `scanstring(string, end, strict=True)`.
pub fn scanstring_function(_: &Object, args: &[&Object]) -> PyResult {
    if !(2..=3).contains(&args.len()) {
        let (bound, count) = if args.len() < 2 { ("at least", 2) } else { ("at most", 3) };
        return Err(raise!(
            PyExc_TypeError,
            "scanstring() takes {bound} {count} arguments ({} given)",
            args.len()
        ));
    }
    let end = args[1].to_isize()?;
    let strict = args.get(2).map_or(Ok(true), |strict| strict.is_true())?;
    let Some(document) = args[0].downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "first argument must be a string, not {}",
            args[0].ty().message_name()
        ));
    };
    let Some(from) = usize::try_from(end).ok().filter(|end| *end <= document.len()) else {
        return Err(err::value_error("end is out of bounds"));
    };
    let (text, end) = match document.chars() {
        Chars::One(s) => scan_string(document, s, from, strict)?,
        Chars::Two(s) => scan_string(document, s, from, strict)?,
        Chars::Four(s) => scan_string(document, s, from, strict)?,
    };
    Tuple::from_array([text.upcast(), Int::from_usize(end).upcast()])?.into_py()
}
