//! `str.format` and `str.__format__`.

use crate::util::value_error;
use taipan_format::fields::{AutoNumber, Field, First, Part, Template, split_name};
use taipan_format::spec::{Spec, layout_str, unknown_type};
use taipan_object::int::Int;
use taipan_object::native::CallArgs;
use taipan_object::statics::{PyExc_IndexError, PyExc_TypeError, PyUnicode_Type};
use taipan_object::unicode::{Str, empty};
use taipan_object::{Object, PyResult, Ref, err, intern, protocol, raise};

/// `str.__format__`.
///
/// # Errors
/// `ValueError` for a bad specification.
pub fn format_str(text: &Str, spec: &Str) -> PyResult<Ref<Str>> {
    if spec.is_empty() {
        return if text.is_exact(&PyUnicode_Type) { Ok(Ref::of(text)) } else { text.str() };
    }
    let name = text.ty().name();
    let points: Vec<u32> = spec.code_points().collect();
    let parsed = Spec::parse(&points, name, u32::from(b's'), b'<').map_err(value_error)?;
    if parsed.ty != u32::from(b's') {
        return Err(value_error(unknown_type(parsed.ty, name)));
    }
    parsed.check_str().map_err(value_error)?;
    parsed.check_room().map_err(|_| err::memory_error())?;
    let fits = parsed.width.is_none_or(|width| width <= text.len())
        && parsed.precision.is_none_or(|precision| precision >= text.len());
    if fits && text.is_exact(&PyUnicode_Type) {
        return Ok(Ref::of(text));
    }
    let points: Vec<u32> = text.code_points().collect();
    Str::from_code_points(&layout_str(&points, &parsed))
}

/// `format(value, spec)`, as f-strings and `str.format` do it.
///
/// # Errors
/// `TypeError` when `__format__` gives no str; what it raises.
pub fn format_value(value: &Object, spec: Option<&Str>) -> PyResult<Ref<Str>> {
    let spec = spec.unwrap_or_else(|| empty());
    if spec.is_empty() {
        if value.is_exact(&PyUnicode_Type)
            && let Some(text) = value.downcast::<Str>()
        {
            return Ok(Ref::of(text));
        }
        if value.is_exact(&taipan_object::statics::PyLong_Type) {
            return value.str();
        }
    }
    let Some(result) = protocol::special_opt(value, intern!("__format__"), &[spec])? else {
        return Err(raise!(PyExc_TypeError, "Type {} doesn't define __format__", value.ty().message_name()));
    };
    result.downcast_owned::<Str>().map_err(|other| {
        raise!(PyExc_TypeError, "__format__ must return a str, not {}", other.ty().message_name())
    })
}

/// Where field names are looked up.
enum Names<'a> {
    Call(CallArgs<'a>),
    Mapping(&'a Object),
}

/// How deep fields may stand in fields.
const OUTERMOST: u32 = 2;

struct Formatter<'a> {
    names: Names<'a>,
    auto: AutoNumber,
    /// A field's text while nothing else stands in the result.
    only: Option<Ref<Str>>,
}

fn text_of(points: &[u32]) -> PyResult<Ref<Str>> {
    Str::from_code_points(points)
}

impl Formatter<'_> {
    /// Formats a template; fields of fields may nest to this depth.
    fn run(&mut self, points: &[u32], template: Template<'_>, depth: u32) -> PyResult<Vec<u32>> {
        if depth == 0 {
            return Err(err::value_error("Max string recursion exceeded"));
        }
        let mut out = Vec::new();
        for step in template {
            let step = step.map_err(value_error)?;
            out.extend_from_slice(&points[step.literal]);
            if let Some(field) = step.field {
                let text = self.field(points, &field, depth)?;
                self.only = (out.is_empty() && depth == OUTERMOST).then(|| text.clone());
                out.extend(text.code_points());
            }
        }
        Ok(out)
    }

    fn field(&mut self, points: &[u32], field: &Field, depth: u32) -> PyResult<Ref<Str>> {
        let mut value = self.value(points, field)?;
        if let Some(conversion) = field.conversion {
            value = convert(&value, conversion)?;
        }
        let spec = if field.nested {
            let nested = self.run(points, Template::part(points, field.spec.clone()), depth - 1)?;
            text_of(&nested)?
        } else {
            text_of(&points[field.spec.clone()])?
        };
        format_value(&value, Some(&spec))
    }

    fn value(&mut self, points: &[u32], field: &Field) -> PyResult<Ref> {
        let (first, parts) = split_name(points, field.name.clone()).map_err(value_error)?;
        let mut value = match (self.auto.index(&first).map_err(value_error)?, &first) {
            (Some(index), _) => self.positional(index)?,
            (None, First::Name(range)) => self.named(&*text_of(&points[range.clone()])?)?,
            (None, _) => return Err(err::system_error("field without a name")),
        };
        for part in parts {
            value = match part.map_err(value_error)? {
                Part::Attribute(range) => value.getattr(&*text_of(&points[range])?)?,
                Part::Index(index) => index_item(&value, index)?,
                Part::Key(range) => value.get_item(&*text_of(&points[range])?)?,
            };
        }
        Ok(value)
    }

    fn positional(&self, index: usize) -> PyResult<Ref> {
        match &self.names {
            Names::Call(args) => args.positional().get(index).map(|arg| arg.new_ref()).ok_or_else(|| {
                raise!(PyExc_IndexError, "Replacement index {index} out of range for positional args tuple")
            }),
            Names::Mapping(_) => Err(err::value_error("Format string contains positional fields")),
        }
    }

    fn named(&self, name: &Str) -> PyResult<Ref> {
        match &self.names {
            Names::Call(args) => args
                .keywords()
                .find(|(key, _)| key.downcast::<Str>().is_some_and(|key| key.same_text(name)))
                .map(|(_, value)| value.new_ref())
                .ok_or_else(|| err::key_error(name)),
            Names::Mapping(mapping) => mapping.get_item(name),
        }
    }
}

/// `value[5]`: sequences are asked by index first.
fn index_item(value: &Object, index: usize) -> PyResult<Ref> {
    value.get_item(&Int::from_usize(index))
}

fn convert(value: &Object, conversion: u32) -> PyResult<Ref> {
    match u8::try_from(conversion) {
        Ok(b'r') => value.repr().map(Ref::upcast),
        Ok(b's') => value.str().map(Ref::upcast),
        Ok(b'a') => super::ascii_of(&*value.repr()?).map(Ref::upcast),
        Ok(shown @ 33..=126) => {
            Err(value_error(format!("Unknown conversion specifier {}", char::from(shown))))
        }
        _ => Err(value_error(format!("Unknown conversion specifier \\x{conversion:x}"))),
    }
}

fn build(text: &Str, names: Names<'_>) -> PyResult<Ref<Str>> {
    let points: Vec<u32> = text.code_points().collect();
    let mut formatter = Formatter { names, auto: AutoNumber::default(), only: None };
    let out = formatter.run(&points, Template::new(&points), OUTERMOST)?;
    match formatter.only.filter(|text| text.is_exact(&PyUnicode_Type) && text.len() == out.len()) {
        Some(text) => Ok(text),
        None => Str::from_code_points(&out),
    }
}

/// `str.format`.
pub(super) fn format(text: &Str, args: CallArgs<'_>) -> PyResult<Ref<Str>> {
    if text.is_exact(&PyUnicode_Type) && !text.code_points().any(|c| c == 0x7b || c == 0x7d) {
        return Ok(Ref::of(text));
    }
    build(text, Names::Call(args))
}

/// `str.format_map`.
pub(super) fn format_map(text: &Str, mapping: &Object) -> PyResult<Ref<Str>> {
    build(text, Names::Mapping(mapping))
}
