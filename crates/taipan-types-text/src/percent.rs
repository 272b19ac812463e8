//! `%`-formatting of strs and bytes.
//!
//! Both cut the format into the same pieces and differ in what `s`, `b`, `r`, `a` and `c` give;
//! numbers become ASCII text for both.

use crate::bytes::Bytelike;
use crate::str::ascii_of;
use crate::util::value_error;
use taipan_format::percent::{Amount, Percent, PercentSpec, Piece, unsupported};
use taipan_num::float::{self, Flags};
use taipan_object::buffer::{Buffer, has_buffer, special_bytes};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, raise};

/// The values on the right of `%`.
struct Values<'a> {
    object: &'a Object,
    tuple: Option<&'a Tuple>,
    next: usize,
    is_mapping: bool,
    bytes: bool,
}

impl<'a> Values<'a> {
    fn new(object: &'a Object, bytes: bool) -> Self {
        let tuple = object.downcast::<Tuple>();
        // SAFETY: a live type.
        let subscript = unsafe {
            (*object.ty().raw()).tp_as_mapping.as_ref().is_some_and(|table| table.mp_subscript.is_some())
        };
        let text = object.downcast::<Str>().is_some()
            || (bytes && (object.downcast::<Bytes>().is_some() || object.downcast::<ByteArray>().is_some()));
        Self { object, tuple, next: 0, is_mapping: subscript && tuple.is_none() && !text, bytes }
    }

    fn take(&mut self) -> PyResult<Ref> {
        let index = self.next;
        self.next += 1;
        let found = match self.tuple {
            Some(tuple) => tuple.get(index),
            None => (index == 0).then_some(self.object),
        };
        found.map(Object::new_ref).ok_or_else(|| err::type_error("not enough arguments for format string"))
    }

    fn finish(&self, used_keys: bool) -> PyResult<()> {
        let left = match self.tuple {
            Some(tuple) => self.next < tuple.len(),
            None => self.next == 0 && !self.is_mapping && !used_keys,
        };
        if left {
            let kind = if self.bytes { "bytes" } else { "string" };
            return Err(raise!(PyExc_TypeError, "not all arguments converted during {kind} formatting"));
        }
        Ok(())
    }

    /// The value of a `*`.
    fn star(&mut self) -> PyResult<isize> {
        let value = self.take()?;
        let Some(int) = value.downcast::<Int>() else { return Err(err::type_error("* wants int")) };
        int.to_i64()
            .map(|value| value as isize)
            .ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))
    }
}

/// Width, precision and alignment with the stars filled in.
struct Layout {
    width: usize,
    precision: Option<usize>,
    left: bool,
}

fn layout(spec: &PercentSpec, values: &mut Values<'_>) -> PyResult<Layout> {
    let mut left = spec.left;
    let width = match spec.width {
        Amount::None => 0,
        Amount::Given(width) => width,
        Amount::Star => {
            let width = values.star()?;
            if width == isize::MIN {
                return Err(err::overflow_error("width too big"));
            }
            left |= width < 0;
            width.unsigned_abs()
        }
    };
    let precision = match spec.precision {
        Amount::None => None,
        Amount::Given(precision) => Some(precision),
        Amount::Star => {
            let precision = values.star()?;
            if precision > i32::MAX as isize {
                return Err(err::overflow_error("Python int too large to convert to C int"));
            }
            Some(usize::try_from(precision).unwrap_or(0))
        }
    };
    if width > isize::MAX as usize / 8 {
        return Err(err::memory_error());
    }
    Ok(Layout { width, precision, left })
}

/// The integer that a `d`, `o` or `x` conversion shows.
fn integer(value: &Object, conversion: u8) -> PyResult<Ref<Int>> {
    if let Some(int) = value.downcast::<Int>() {
        return Ok(Ref::of(int));
    }
    let hex = matches!(conversion, b'x' | b'X' | b'o');
    let wanted = if hex { "an integer" } else { "a real number" };
    let refuse = || {
        raise!(
            PyExc_TypeError,
            "%{} format: {wanted} is required, not {}",
            char::from(conversion),
            value.ty().message_name()
        )
    };
    // SAFETY: a live type.
    let number = unsafe {
        (*value.ty().raw()).tp_as_number.as_ref().is_some_and(|table| {
            table.nb_int.is_some() || table.nb_index.is_some() || table.nb_float.is_some()
        })
    };
    if !number {
        return Err(refuse());
    }
    let made = if hex { value.to_index().map(Ref::upcast) } else { PyLong_Type.call(&[value]) };
    match made {
        Ok(made) => made.downcast_owned::<Int>().map_err(|_| refuse()),
        Err(error) if error.is(&PyExc_TypeError) => Err(refuse()),
        Err(error) => Err(error),
    }
}

/// Sign, prefix and digits of an integer.
fn integer_text(
    int: &Int,
    spec: &PercentSpec,
    conversion: u8,
    precision: Option<usize>,
) -> PyResult<(String, String)> {
    let view = taipan_num::Int::new(int.is_negative(), int.digits());
    let (radix, prefix) = match conversion {
        b'o' => (8, "0o"),
        b'x' => (16, "0x"),
        b'X' => (16, "0X"),
        _ => (10, ""),
    };
    let text = if radix == 10 {
        let exact = Int::from_digits(int.is_negative(), int.digits())?;
        exact.repr()?.to_lossy()
    } else {
        taipan_num::int::to_string(view, radix)
    };
    let mut digits = text.trim_start_matches('-').to_owned();
    if conversion == b'X' {
        digits.make_ascii_uppercase();
    }
    if let Some(precision) = precision
        && digits.len() < precision
    {
        digits.insert_str(0, &"0".repeat(precision - digits.len()));
    }
    let mut head = sign(int.is_negative(), spec).to_owned();
    if spec.alternate {
        head.push_str(prefix);
    }
    Ok((head, digits))
}

fn sign(negative: bool, spec: &PercentSpec) -> &'static str {
    match (negative, spec.sign, spec.blank) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn float_text(
    value: &Object,
    spec: &PercentSpec,
    conversion: u8,
    precision: Option<usize>,
    bytes: bool,
) -> PyResult<(String, String)> {
    let value = match value.downcast::<Float>() {
        Some(float) => float.value(),
        None => value.to_f64().map_err(|error| {
            if bytes && error.is(&PyExc_TypeError) {
                raise!(PyExc_TypeError, "float argument required, not {}", value.ty().message_name())
            } else {
                error
            }
        })?,
    };
    let flags = Flags { alternate: spec.alternate, ..Flags::default() };
    let precision = precision.unwrap_or(6);
    if precision > float::MAX_PRECISION {
        return Err(err::value_error("precision too big"));
    }
    let text = float::format(value, char::from(conversion), precision, flags);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.to_owned()),
        None => (false, text),
    };
    Ok((sign(negative, spec).to_owned(), digits))
}

/// A number's head and digits, or `None` for conversions that are not numeric.
fn numeric(
    value: &Object,
    spec: &PercentSpec,
    layout: &Layout,
    bytes: bool,
) -> PyResult<Option<(String, String)>> {
    let Ok(conversion) = u8::try_from(spec.conversion) else { return Ok(None) };
    match conversion {
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => {
            let int = integer(value, conversion)?;
            integer_text(&int, spec, conversion, layout.precision).map(Some)
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            float_text(value, spec, conversion, layout.precision, bytes).map(Some)
        }
        _ => Ok(None),
    }
}

/// Places head and body in a field.
fn place<U: Copy + From<u8>>(
    out: &mut Vec<U>,
    head: &[U],
    body: &[U],
    zero: bool,
    layout: &Layout,
) -> PyResult<()> {
    let fill = layout.width.saturating_sub(head.len() + body.len());
    out.try_reserve(fill + head.len() + body.len()).map_err(|_| err::memory_error())?;
    let blanks = |out: &mut Vec<U>| out.extend(std::iter::repeat_n(U::from(b' '), fill));
    if layout.left {
        out.extend_from_slice(head);
        out.extend_from_slice(body);
        blanks(out);
    } else if zero {
        out.extend_from_slice(head);
        out.extend(std::iter::repeat_n(U::from(b'0'), fill));
        out.extend_from_slice(body);
    } else {
        blanks(out);
        out.extend_from_slice(head);
        out.extend_from_slice(body);
    }
    Ok(())
}

/// The value of a conversion: by key, or the next one.
fn argument<'v>(
    spec: &PercentSpec,
    values: &mut Values<'v>,
    key: impl FnOnce() -> PyResult<Ref>,
    used_keys: &mut bool,
    current: &mut Option<Ref>,
) -> PyResult<()> {
    if spec.key.is_some() {
        if !values.is_mapping {
            return Err(err::type_error("format requires a mapping"));
        }
        *current = Some(values.object.get_item(&*key()?)?);
        *used_keys = true;
        // From now on values come by key only.
        values.next = 1;
    }
    Ok(())
}

/// `text % values`.
///
/// # Errors
/// `TypeError`, `ValueError`, `OverflowError`; what converting the values raises.
pub(crate) fn format_str(text: &Str, object: &Object) -> PyResult<Ref<Str>> {
    let points: Vec<u32> = text.code_points().collect();
    let mut values = Values::new(object, false);
    let mut used_keys = false;
    let mut out: Vec<u32> = Vec::with_capacity(points.len() + 16);
    // A text that turns out to be the whole result.
    let mut whole: Option<Ref> = None;
    if text.is_exact(&PyUnicode_Type) && !points.contains(&u32::from(b'%')) {
        whole = Some(text.new_ref());
    }
    for piece in Percent::new(&points) {
        let spec = match piece.map_err(value_error)? {
            Piece::Text(range) => {
                out.extend_from_slice(&points[range]);
                continue;
            }
            Piece::Spec(spec) => spec,
        };
        let mut keyed = None;
        let key = || Ok(Str::from_code_points(&points[spec.key.clone().unwrap_or(0..0)])?.upcast());
        argument(&spec, &mut values, key, &mut used_keys, &mut keyed)?;
        let layout = layout(&spec, &mut values)?;
        if spec.conversion == u32::from(b'%') && points[spec.index - 1] == u32::from(b'%') {
            out.push(u32::from(b'%'));
            continue;
        }
        let value = match keyed {
            Some(value) => value,
            None => values.take()?,
        };
        let points_of = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        if let Some((head, digits)) = numeric(&value, &spec, &layout, false)? {
            place(&mut out, &points_of(&head), &points_of(&digits), spec.zero, &layout)?;
            continue;
        }
        if spec.conversion == u32::from(b's') && out.is_empty() && value.is_exact(&PyUnicode_Type) {
            let short = |text: &Str| layout.precision.is_none_or(|precision| precision >= text.len());
            whole = value.downcast::<Str>().filter(|text| short(text)).map(|text| text.new_ref());
        }
        let body: Vec<u32> = match u8::try_from(spec.conversion) {
            Ok(b's') => cut(value.str()?.code_points().collect(), &layout),
            Ok(b'r') => cut(value.repr()?.code_points().collect(), &layout),
            Ok(b'a') => cut(ascii_of(&*value.repr()?)?.code_points().collect(), &layout),
            Ok(b'c') => vec![character(&value)?],
            _ => return Err(value_error(unsupported(&spec))),
        };
        place(&mut out, &[], &body, false, &layout)?;
    }
    values.finish(used_keys)?;
    match whole.and_then(|text| text.downcast_owned::<Str>().ok()).filter(|text| text.len() == out.len()) {
        Some(text) => Ok(text),
        None => Str::from_code_points(&out),
    }
}

/// A precision cuts text.
fn cut<U>(mut text: Vec<U>, layout: &Layout) -> Vec<U> {
    if let Some(precision) = layout.precision {
        text.truncate(precision);
    }
    text
}

/// `%c` of a str format.
fn character(value: &Object) -> PyResult<u32> {
    if let Some(text) = value.downcast::<Str>() {
        if text.len() == 1 {
            return Ok(text.chars().at(0));
        }
        return Err(raise!(
            PyExc_TypeError,
            "%c requires an int or a unicode character, not a string of length {}",
            text.len()
        ));
    }
    if !taipan_object::protocol::has_index(value) {
        return Err(raise!(
            PyExc_TypeError,
            "%c requires an int or a unicode character, not {}",
            value.ty().qualified_name()
        ));
    }
    let int = value.to_index()?;
    int.to_i64()
        .and_then(|c| u32::try_from(c).ok())
        .filter(|c| *c < 0x110000)
        .ok_or_else(|| err::overflow_error("%c arg not in range(0x110000)"))
}

/// `bytes % values`, as plain bytes.
///
/// # Errors
/// As [`format_str`].
pub(crate) fn format_bytes(format: &[u8], object: &Object) -> PyResult<Vec<u8>> {
    let points: Vec<u32> = format.iter().map(|&b| u32::from(b)).collect();
    let mut values = Values::new(object, true);
    let mut used_keys = false;
    let mut out: Vec<u8> = Vec::with_capacity(points.len() + 16);
    for piece in Percent::new(&points) {
        let spec = match piece.map_err(value_error)? {
            Piece::Text(range) => {
                out.extend_from_slice(&format[range]);
                continue;
            }
            Piece::Spec(spec) => spec,
        };
        let mut keyed = None;
        let key = || Ok(Bytes::new(&format[spec.key.clone().unwrap_or(0..0)])?.upcast());
        argument(&spec, &mut values, key, &mut used_keys, &mut keyed)?;
        let layout = layout(&spec, &mut values)?;
        if spec.conversion == u32::from(b'%') && format[spec.index - 1] == b'%' {
            out.push(b'%');
            continue;
        }
        let value = match keyed {
            Some(value) => value,
            None => values.take()?,
        };
        if let Some((head, digits)) = numeric(&value, &spec, &layout, true)? {
            place(&mut out, head.as_bytes(), digits.as_bytes(), spec.zero, &layout)?;
            continue;
        }
        let body = match u8::try_from(spec.conversion) {
            Ok(b's' | b'b') => cut(bytes_value(&value)?, &layout),
            Ok(b'r' | b'a') => cut(ascii_of(&*value.repr()?)?.data_bytes().to_vec(), &layout),
            Ok(b'c') => vec![byte_character(&value)?],
            _ => return Err(value_error(unsupported(&spec))),
        };
        place(&mut out, &[], &body, false, &layout)?;
    }
    values.finish(used_keys)?;
    Ok(out)
}

fn bytes_value(value: &Object) -> PyResult<Vec<u8>> {
    if let Some(bytes) = value.downcast::<Bytes>().filter(|bytes| bytes.is_exact(&PyBytes_Type)) {
        return Ok(bytes.as_slice().to_vec());
    }
    if let Some(bytes) = value.downcast::<ByteArray>() {
        return Ok(bytes.to_vec());
    }
    if let Some(bytes) = special_bytes(value)? {
        return Ok(bytes.as_slice().to_vec());
    }
    if has_buffer(value) {
        return Ok(Buffer::get(value, taipan_abi::PyBUF_FULL_RO)?.to_vec());
    }
    Err(raise!(
        PyExc_TypeError,
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        value.ty().message_name()
    ))
}

/// `%c` of a bytes format.
fn byte_character(value: &Object) -> PyResult<u8> {
    let single = |data: &[u8], kind: &str| match data {
        [byte] => Ok(*byte),
        _ => Err(raise!(
            PyExc_TypeError,
            "%c requires an integer in range(256) or a single byte, not a {kind} object of length {}",
            data.len()
        )),
    };
    if let Some(bytes) = value.downcast::<Bytes>() {
        return single(bytes.as_slice(), "bytes");
    }
    if let Some(bytes) = value.downcast::<ByteArray>() {
        return single(bytes.data(), "bytearray");
    }
    if !taipan_object::protocol::has_index(value) {
        return Err(raise!(
            PyExc_TypeError,
            "%c requires an integer in range(256) or a single byte, not {}",
            value.ty().qualified_name()
        ));
    }
    u8::try_from(value.to_index_clamped(None)?).map_err(|_| err::overflow_error("%c arg not in range(256)"))
}
