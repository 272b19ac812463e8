//! `make_encoder`: Python objects to JSON text.

use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::singletons::{as_bool, is_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, abi, bind, err, intern, payload, raise};

/// Writes a str in quotes.
fn quoted(text: &Str, ascii: bool, out: &mut Vec<u32>) {
    fn put(out: &mut Vec<u32>, text: &str) {
        out.extend(text.bytes().map(u32::from));
    }
    let unit = |out: &mut Vec<u32>, value: u32| put(out, &format!("\\u{value:04x}"));
    out.push(34);
    for c in text.code_points() {
        match c {
            34 => put(out, "\\\""),
            92 => put(out, "\\\\"),
            8 => put(out, "\\b"),
            12 => put(out, "\\f"),
            10 => put(out, "\\n"),
            13 => put(out, "\\r"),
            9 => put(out, "\\t"),
            0..32 => unit(out, c),
            127.. if ascii && c >= 0x10000 => {
                unit(out, 0xD800 | (c - 0x10000) >> 10);
                unit(out, 0xDC00 | (c & 0x3FF));
            }
            127.. if ascii => unit(out, c),
            _ => out.push(c),
        }
    }
    out.push(34);
}

fn quoted_str(text: &Object, ascii: bool) -> PyResult<Ref<Str>> {
    let Some(text) = text.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "first argument must be a string, not {}",
            text.ty().message_name()
        ));
    };
    let mut out = Vec::with_capacity(text.len() + 2);
    quoted(text, ascii, &mut out);
    Str::from_code_points(&out)
}

pub fn encode_basestring(_: &Object, text: &Object) -> PyResult<Ref<Str>> {
    quoted_str(text, false)
}

pub fn encode_basestring_ascii(_: &Object, text: &Object) -> PyResult<Ref<Str>> {
    quoted_str(text, true)
}

/// How strs are encoded.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quoting {
    #[default]
    Function,
    Plain,
    Ascii,
}

#[derive(Default)]
pub struct Encoder {
    markers: Field,
    default: Field,
    encoder: Field,
    indent: Field,
    key_separator: Field,
    item_separator: Field,
    sort_keys: Cell<bool>,
    skip_keys: Cell<bool>,
    allow_nan: Cell<bool>,
    quoting: Cell<Quoting>,
}
payload!(
    Encoder,
    ENCODER,
    c"_json.Encoder",
    abi::Py_TPFLAGS_HAVE_GC,
    PyBaseObject_Type,
    [markers, default, encoder, indent, key_separator, item_separator]
);

type View = Native<Encoder>;

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(
        bound = "make_encoder"
            "(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)",
        args, kwargs
    );
    let made = Encoder::default();
    let markers = bound.required(0);
    if !is_none(markers) && markers.downcast::<Dict>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "make_encoder() argument 1 must be dict or None, not {}",
            markers.ty().message_name()
        ));
    }
    for (index, place) in [(4, 5), (5, 6)] {
        crate::util::str_arg(bound.required(index), "make_encoder", &format!(" {place}"))?;
    }
    let encoder = bound.required(2);
    let name = encoder.getattr_opt(intern!("__name__"))?;
    let named =
        |wanted: &str| name.as_ref().and_then(|n| n.downcast::<Str>()).is_some_and(|n| n.equals(wanted));
    if encoder.is_exact(&PyCFunction_Type) {
        if named("encode_basestring_ascii") {
            made.quoting.set(Quoting::Ascii);
        } else if named("encode_basestring") {
            made.quoting.set(Quoting::Plain);
        }
    }
    made.markers.set(Some(markers.new_ref()));
    made.default.set(Some(bound.required(1).new_ref()));
    made.encoder.set(Some(encoder.new_ref()));
    made.indent.set(Some(bound.required(3).new_ref()));
    made.key_separator.set(Some(bound.required(4).new_ref()));
    made.item_separator.set(Some(bound.required(5).new_ref()));
    made.sort_keys.set(bound.bool_or(6, false)?);
    made.skip_keys.set(bound.bool_or(7, false)?);
    made.allow_nan.set(bound.bool_or(8, true)?);
    native_new(ty, made)?.into_py()
}

/// One run.
struct Run<'a> {
    encoder: &'a Encoder,
    markers: Option<Ref<Dict>>,
    indent: Option<Vec<u32>>,
    key_separator: Vec<u32>,
    item_separator: Vec<u32>,
    out: Vec<u32>,
}

fn points(field: &Field) -> Vec<u32> {
    let value = field.get();
    value
        .as_ref()
        .and_then(|v| v.downcast::<Str>())
        .map(|text| text.code_points().collect())
        .unwrap_or_default()
}

/// Adds where in the data an error happened.
fn with_note(error: PyErr, note: impl FnOnce() -> PyResult<String>) -> PyErr {
    // Without the note the error is still the error.
    if let Ok(note) = note()
        && let Ok(note) = Str::from_utf8(&note)
    {
        let _ = error.exception().call_method(intern!("add_note"), &[&note]);
    }
    error
}

impl Run<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend(text.bytes().map(u32::from));
    }

    fn str(&mut self, text: &Str) {
        self.out.extend(text.code_points());
    }

    fn string(&mut self, text: &Str) -> PyResult<()> {
        match self.encoder.quoting.get() {
            Quoting::Plain => quoted(text, false, &mut self.out),
            Quoting::Ascii => quoted(text, true, &mut self.out),
            Quoting::Function => {
                let Some(function) = self.encoder.encoder.get() else { return Ok(()) };
                let made = function.call(&[text])?;
                let Some(made) = made.downcast::<Str>() else {
                    return Err(raise!(
                        PyExc_TypeError,
                        "encoder() must return a string, not {}",
                        made.ty().message_name()
                    ));
                };
                self.str(made);
            }
        }
        Ok(())
    }

    fn number(&self, value: &Object) -> PyResult<Option<String>> {
        if let Some(float) = value.downcast::<Float>() {
            let number = float.value();
            if number.is_finite() {
                return Ok(Some(Float::new(number).upcast().repr()?.to_lossy()));
            }
            if !self.encoder.allow_nan.get() {
                return Err(raise!(
                    PyExc_ValueError,
                    "Out of range float values are not JSON compliant: {}",
                    value.repr()?.to_lossy()
                ));
            }
            let name = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            return Ok(Some(name.to_owned()));
        }
        let Some(int) = value.downcast::<Int>() else { return Ok(None) };
        if let Some(small) = int.to_i64() {
            return Ok(Some(small.to_string()));
        }
        let plain: &Type = &PyLong_Type;
        let Some(repr) = plain.lookup(intern!("__repr__")) else { return Ok(None) };
        Ok(Some(protocol::call_unbound(&repr, value, &[])?.str_lossy()))
    }

    fn new_line(&mut self, level: usize) {
        if let Some(indent) = self.indent.clone() {
            self.out.push(10);
            for _ in 0..level {
                self.out.extend_from_slice(&indent);
            }
        }
    }

    fn value(&mut self, value: &Object, level: usize) -> PyResult<()> {
        if is_none(value) {
            self.text("null");
        } else if let Some(truth) = as_bool(value) {
            self.text(if truth { "true" } else { "false" });
        } else if let Some(text) = value.downcast::<Str>() {
            self.string(text)?;
        } else if let Some(number) = self.number(value)? {
            self.text(&number);
        } else if value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some() {
            protocol::recursive(" while encoding a JSON object", || self.list(value, level))?;
        } else if let Some(dict) = value.downcast::<Dict>() {
            protocol::recursive(" while encoding a JSON object", || self.dict(dict, level))?;
        } else {
            protocol::recursive(" while encoding a JSON object", || self.other(value, level))?;
        }
        Ok(())
    }

    /// Notes that an object is being encoded; an error if it is already.
    fn enter(&self, value: &Object) -> PyResult<Option<Ref<Int>>> {
        let Some(markers) = &self.markers else { return Ok(None) };
        let key = Int::from_usize(value.as_ptr().addr());
        if markers.contains(&key)? {
            return Err(err::value_error("Circular reference detected"));
        }
        markers.set(&key, value)?;
        Ok(Some(key))
    }

    fn leave(&self, key: Option<Ref<Int>>) -> PyResult<()> {
        if let (Some(markers), Some(key)) = (&self.markers, key)
            && markers.remove(&key)?.is_none()
        {
            return Err(err::key_error(&key));
        }
        Ok(())
    }

    /// What is no JSON by itself: what the function `default` makes of it.
    fn other(&mut self, value: &Object, level: usize) -> PyResult<()> {
        let key = self.enter(value)?;
        let Some(default) = self.encoder.default.get() else { return Ok(()) };
        let made = default.call(&[value])?;
        self.value(&made, level).map_err(|error| {
            with_note(error, || Ok(format!("when serializing {} object", value.ty().qualified_name())))
        })?;
        self.leave(key)
    }

    fn list(&mut self, value: &Object, level: usize) -> PyResult<()> {
        let items = protocol::to_vec(value)?;
        if items.is_empty() {
            self.text("[]");
            return Ok(());
        }
        let key = self.enter(value)?;
        self.text("[");
        self.new_line(level + 1);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                let separator = self.item_separator.clone();
                self.out.extend(separator);
                self.new_line(level + 1);
            }
            self.value(item, level + 1).map_err(|error| {
                with_note(error, || {
                    Ok(format!("when serializing {} item {index}", value.ty().qualified_name()))
                })
            })?;
        }
        self.leave(key)?;
        self.new_line(level);
        self.text("]");
        Ok(())
    }

    /// The items of a dict as pairs.
    fn pairs(&self, dict: &Dict) -> PyResult<Vec<(Ref, Ref)>> {
        let plain: &Type = &PyDict_Type;
        let sort = self.encoder.sort_keys.get();
        if dict.is_exact(plain) && !sort {
            return Ok(dict.items_vec());
        }
        let items = if dict.is_exact(plain) {
            dict.call_method(intern!("items"), &[])?
        } else {
            let items = dict.call_method(intern!("items"), &[])?;
            if items.iter().is_err() {
                return Err(raise!(
                    PyExc_TypeError,
                    "{}.items() returned a non-iterable (type {})",
                    dict.ty().message_name(),
                    items.ty().message_name()
                ));
            }
            items
        };
        let list = PyList_Type.call(&[&items])?;
        if sort {
            list.call_method(intern!("sort"), &[])?;
        }
        let mut pairs = Vec::new();
        for item in protocol::to_vec(&list)? {
            match item.downcast::<Tuple>().map(Tuple::items) {
                Some([key, value]) => pairs.push((key.new_ref(), value.new_ref())),
                _ => return Err(err::value_error("items must return 2-tuples")),
            }
        }
        Ok(pairs)
    }

    fn dict(&mut self, dict: &Dict, level: usize) -> PyResult<()> {
        if dict.is_empty() {
            self.text("{}");
            return Ok(());
        }
        let marker = self.enter(dict)?;
        self.text("{");
        let mut first = true;
        for (key, value) in self.pairs(dict)? {
            let text = match self.key(&key)? {
                Some(text) => text,
                None => continue,
            };
            if !first {
                let separator = self.item_separator.clone();
                self.out.extend(separator);
            }
            first = false;
            self.new_line(level + 1);
            self.string(&text)?;
            let separator = self.key_separator.clone();
            self.out.extend(separator);
            self.value(&value, level + 1).map_err(|error| {
                with_note(error, || {
                    Ok(format!(
                        "when serializing {} item {}",
                        dict.ty().qualified_name(),
                        key.repr()?.to_lossy()
                    ))
                })
            })?;
        }
        self.leave(marker)?;
        if !first {
            self.new_line(level);
        }
        self.text("}");
        Ok(())
    }

    /// A key as a str; `None` to skip it.
    fn key(&self, key: &Object) -> PyResult<Option<Ref<Str>>> {
        if let Some(text) = key.downcast::<Str>() {
            return Ok(Some(Ref::of(text)));
        }
        if is_none(key) {
            return Str::from_utf8("null").map(Some);
        }
        if let Some(truth) = as_bool(key) {
            return Str::from_utf8(if truth { "true" } else { "false" }).map(Some);
        }
        if let Some(number) = self.number(key)? {
            return Str::from_utf8(&number).map(Some);
        }
        if self.encoder.skip_keys.get() {
            return Ok(None);
        }
        Err(raise!(
            PyExc_TypeError,
            "keys must be str, int, float, bool or None, not {}",
            key.ty().message_name()
        ))
    }
}

fn call(encoder: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "_iterencode" "(obj, _current_indent_level)", args, kwargs);
    let level = bound.required(1).to_isize()?;
    let indent = encoder.indent.get().filter(|indent| !is_none(indent));
    let mut run = Run {
        encoder,
        markers: encoder.markers.get().and_then(|markers| markers.downcast_owned::<Dict>().ok()),
        indent: indent.as_ref().and_then(|i| i.downcast::<Str>()).map(|text| text.code_points().collect()),
        key_separator: points(&encoder.key_separator),
        item_separator: points(&encoder.item_separator),
        out: Vec::new(),
    };
    run.value(bound.required(0), usize::try_from(level).unwrap_or(0))?;
    Tuple::from_array([Str::from_code_points(&run.out)?.upcast()])?.into_py()
}

/// `make_encoder`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"make_encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)\n--\n\nWrites JSON: encoder(object, level) -> tuple of texts.",
    ),
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR, tp_new(new), tp_call(call)],
    getset: &[
        getset_row(c"markers", |e: &View| e.markers.get(), c"the objects being encoded, by id"),
        getset_row(c"default", |e: &View| e.default.get(), c"called with what is no JSON"),
        getset_row(c"encoder", |e: &View| e.encoder.get(), c"encodes strs"),
        getset_row(c"indent", |e: &View| e.indent.get(), c"the indentation of one level"),
        getset_row(c"key_separator", |e: &View| e.key_separator.get(), c"stands behind keys"),
        getset_row(c"item_separator", |e: &View| e.item_separator.get(), c"stands between items"),
        getset_row(c"sort_keys", |e: &View| e.sort_keys.get(), c"whether keys are sorted"),
        getset_row(c"skipkeys", |e: &View| e.skip_keys.get(), c"whether odd keys are left out"),
    ],
    ..TypeSpec::new(&ENCODER)
};
