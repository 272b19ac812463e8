//! Text: what numbers are read from, and `__format__`.

use super::number::{View, capitals, under};
use taipan_decimal::format::Spec;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::statics::{PyExc_DeprecationWarning, PyExc_TypeError, PyExc_ValueError};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise, state};
use taipan_types_num::text::to_ascii;

/// As [`to_ascii`] without the blanks around and without underscores.
pub fn ascii_number(text: &Str) -> Vec<u8> {
    let mut ascii = to_ascii(text);
    let blank = |byte: &u8| matches!(byte, b' ' | 9..=13 | 28..=31);
    let end = ascii.iter().rposition(|byte| !blank(byte)).map_or(0, |at| at + 1);
    ascii.truncate(end);
    let start = ascii.iter().position(|byte| !blank(byte)).unwrap_or(0);
    if start > 0 {
        ascii.drain(..start);
    }
    if ascii.contains(&b'_') {
        ascii.retain(|&byte| byte != b'_');
    }
    ascii
}

fn invalid_format() -> PyErr {
    err::value_error("invalid format string")
}

/// What the library's own class makes of a specification that is not understood here.
fn library_format(number: &View, spec: &Str) -> PyResult {
    let module = (state::interp().hooks.get().import_module)("_pydecimal")?;
    let class = module.getattr(intern!("Decimal"))?;
    let plain = class.call(&[&*number.object().str()?])?;
    let context = super::state::current()?;
    match plain.call_method(intern!("__format__"), &[spec, context.object()]) {
        Err(error) if error.is(&PyExc_ValueError) => Err(invalid_format()),
        other => other,
    }
}

/// Group sizes from a text or a list as locales have them.
fn grouping(value: &Object) -> PyResult<Vec<u8>> {
    let mut sizes: Vec<u8> = if let Some(text) = value.downcast::<Str>() {
        text.code_points().map(|size| u8::try_from(size).unwrap_or(255)).collect()
    } else if let Some(list) = value.downcast::<List>() {
        let size = |size: &Ref| {
            size.downcast::<Int>().and_then(Int::to_i64).and_then(|n| u8::try_from(n).ok()).unwrap_or(127)
        };
        list.to_vec().iter().map(size).collect()
    } else {
        Vec::new()
    };
    if sizes.last().is_some_and(|&last| last != 0 && last != 127) {
        sizes.push(0);
    }
    Ok(sizes)
}

/// Puts point, separator and grouping from a mapping into a specification.
fn apply_locale(spec: &mut Spec, values: &Dict, strict: bool) -> PyResult<()> {
    let text = |key: &str| -> PyResult<Option<String>> {
        match values.get_text(key) {
            None => Ok(None),
            Some(value) => match value.downcast::<Str>() {
                Some(text) => Ok(Some(text.to_utf8()?.to_owned())),
                None => Err(raise!(PyExc_TypeError, "bad argument type for built-in operation")),
            },
        }
    };
    if let Some(point) = text("decimal_point")? {
        spec.point = point;
    }
    if let Some(separator) = text("thousands_sep")? {
        spec.separator = separator;
    }
    if let Some(value) = values.get_text("grouping") {
        spec.grouping = grouping(&value)?;
    }
    let grouping_fits = spec.grouping.iter().all(|&size| size <= 127);
    let texts_fit = (1..=4).contains(&spec.point.len()) && spec.separator.len() <= 4;
    if strict && !(texts_fit && grouping_fits) {
        return Err(err::value_error("invalid override dict"));
    }
    Ok(())
}

fn from_locale(spec: &mut Spec) -> PyResult<()> {
    let module = (state::interp().hooks.get().import_module)("locale")?;
    let values = module.getattr(intern!("localeconv"))?.call(&[])?;
    match values.downcast::<Dict>() {
        Some(values) => apply_locale(spec, values, false),
        None => Err(err::type_error("localeconv() must give a dict")),
    }
}

/// `__format__(spec, override=None)`.
pub fn format(number: &View, args: &[&Object]) -> PyResult {
    let (text, values) = match *args {
        [] => return Err(err::type_error("function takes at least 1 argument (0 given)")),
        [text] => (text, None),
        [text, values] => (text, Some(values)),
        _ => {
            return Err(raise!(PyExc_TypeError, "function takes at most 2 arguments ({} given)", args.len()));
        }
    };
    let Some(text) = text.downcast::<Str>() else {
        return Err(err::type_error("format arg must be str"));
    };
    let plain = text.to_utf8()?;
    if plain.ends_with('N') {
        (state::interp().hooks.get().warn)(
            &PyExc_DeprecationWarning,
            "Format specifier 'N' is deprecated and slated for removal in Python 3.18",
            1,
        )?;
    }
    let Some(mut spec) = Spec::parse(plain, capitals()?) else {
        return library_format(number, text);
    };
    let limit = taipan_decimal::MAX_PREC;
    let too_long = |precision: i64| {
        let dec = &number.value;
        let written_out = matches!(spec.kind, 'f' | 'F' | '%') && !dec.is_special() && !dec.is_zero();
        precision > limit || (written_out && dec.adjusted() > limit - precision - 1)
    };
    if spec.width > limit.unsigned_abs() as usize || spec.precision.is_some_and(too_long) {
        return Err(err::value_error("format specification exceeds internal limits of _decimal"));
    }
    match values {
        Some(values) => match values.downcast::<Dict>() {
            // Without groups and without a locale there is no point yet that could be kept.
            Some(values)
                if !spec.locale
                    && spec.separator.is_empty()
                    && values.get_text("decimal_point").is_none() =>
            {
                return Err(err::value_error("invalid override dict"));
            }
            Some(values) => apply_locale(&mut spec, values, true)?,
            None => return Err(err::type_error("optional argument must be a dict")),
        },
        None if spec.locale => from_locale(&mut spec)?,
        None => {}
    }
    let made = under(None, |ctx, _| spec.apply(&number.value, ctx))?;
    let made = made.map_err(|_| err::memory_error())?;
    Ok(Str::from_utf8(&made)?.upcast())
}
