//! Template strings (PEP 750): `Template` and `Interpolation`.
//!
//! A template is its literal texts with the interpolations between them: there is always one text more
//! than there are interpolations, and texts may be empty.

use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error, value_error};
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{Py_GenericAliasType, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, Ref, Type, TypeSpec, bind, intern, payload, raise, state, typeobject};

/// A template.
pub struct Template {
    strings: Ref<Tuple>,
    interpolations: Ref<Tuple>,
}
payload!(Template, TEMPLATE, c"string.templatelib.Template", GC, [strings, interpolations]);

/// A value in a template.
pub struct Interpolation {
    value: Ref,
    expression: Ref,
    conversion: Ref,
    format_spec: Ref,
}
payload!(
    Interpolation,
    INTERPOLATION,
    c"string.templatelib.Interpolation",
    GC,
    [value, expression, conversion, format_spec]
);

type View = Native<Template>;
type Part = Native<Interpolation>;

/// A template of literal texts and interpolations, as the compiler arranges them.
///
/// # Errors
/// `TypeError` when these are no tuples; `MemoryError`.
pub fn make_template(strings: &Object, interpolations: &Object) -> PyResult {
    let (Some(strings), Some(interpolations)) =
        (strings.downcast::<Tuple>(), interpolations.downcast::<Tuple>())
    else {
        return Err(type_error("a template needs tuples"));
    };
    let payload = Template { strings: Ref::of(strings), interpolations: Ref::of(interpolations) };
    native_new(&TEMPLATE, payload)?.into_py()
}

/// An interpolation from its parts.
///
/// # Errors
/// `MemoryError`.
pub fn make_interpolation(
    value: &Object,
    expression: &Object,
    conversion: &Object,
    format_spec: &Object,
) -> PyResult {
    let payload = Interpolation {
        value: value.new_ref(),
        expression: expression.new_ref(),
        conversion: conversion.new_ref(),
        format_spec: format_spec.new_ref(),
    };
    native_new(&INTERPOLATION, payload)?.into_py()
}

/// Brings texts and interpolations into their order: neighbouring texts become one.
fn arrange(parts: &[&Object]) -> PyResult {
    let (mut strings, mut interpolations): (Vec<Ref<Str>>, Vec<Ref>) = (Vec::new(), Vec::new());
    let mut last_is_text = false;
    for part in parts {
        if let Some(text) = part.downcast::<Str>() {
            let before = if last_is_text { strings.pop() } else { None };
            match before {
                Some(before) => strings.push(concat(&before, text)?),
                None => strings.push(Ref::of(text)),
            }
            last_is_text = true;
        } else if part.downcast::<Part>().is_some() {
            if !last_is_text {
                strings.push(Ref::of(unicode::empty()));
            }
            interpolations.push(part.new_ref());
            last_is_text = false;
        } else {
            return Err(raise!(
                PyExc_TypeError,
                "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {}",
                part.ty().message_name()
            ));
        }
    }
    if !last_is_text {
        strings.push(Ref::of(unicode::empty()));
    }
    let strings = Tuple::from_vec(strings.into_iter().map(Ref::upcast).collect())?;
    make_template(&strings, &*Tuple::from_vec(interpolations)?)
}

fn concat(a: &Str, b: &Str) -> PyResult<Ref<Str>> {
    let points: Vec<u32> = a.code_points().chain(b.code_points()).collect();
    Str::from_code_points(&points)
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("Template.__new__ only accepts *args arguments"));
    }
    arrange(args.items())
}

fn values(template: &View) -> PyResult {
    let all = template.interpolations.items().iter().filter_map(|item| item.downcast::<Part>());
    Tuple::from_vec(all.map(|part| part.value.clone()).collect())?.into_py()
}

fn repr(template: &View) -> PyResult<String> {
    Ok(format!(
        "Template(strings={}, interpolations={})",
        template.strings.repr()?.to_lossy(),
        template.interpolations.repr()?.to_lossy()
    ))
}

fn add(template: &View, other: &Object) -> PyResult {
    let Some(other) = other.downcast::<View>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only concatenate string.templatelib.Template (not \"{}\") to string.templatelib.Template",
            other.ty().full_name()
        ));
    };
    let mut strings: Vec<Ref> = template.strings.items().iter().map(|item| item.new_ref()).collect();
    let more = other.strings.items();
    let last = strings.pop();
    if let (Some(last), Some(first)) = (last.as_ref().and_then(|l| l.downcast::<Str>()), more.first()) {
        let first = first.downcast::<Str>().unwrap_or(unicode::empty());
        strings.push(concat(last, first)?.upcast());
    }
    strings.extend(more.iter().skip(1).map(|item| item.new_ref()));
    let both = template.interpolations.items().iter().chain(other.interpolations.items());
    let interpolations = Tuple::from_vec(both.map(|item| item.new_ref()).collect())?;
    make_template(&*Tuple::from_vec(strings)?, &interpolations)
}

fn reduce(template: &View) -> PyResult {
    let library = (state::interp().hooks.get().import_module)("string.templatelib")?;
    let library = match state::interp().modules.get_str(intern!("string.templatelib"))? {
        Some(module) => module,
        None => library,
    };
    let unpickle = library.getattr(intern!("_template_unpickle"))?;
    let state =
        Tuple::from_array([template.strings.clone().upcast(), template.interpolations.clone().upcast()])?;
    Tuple::from_array([unpickle, state.upcast()])?.into_py()
}

fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

/// Goes through a template: texts that are not empty, and interpolations, in their order.
pub struct TemplateIter {
    template: Field,
    /// Twice the number of the next text; one more for the interpolation behind it.
    place: Cell<usize>,
}
payload!(TemplateIter, TEMPLATE_ITER, c"string.templatelib.TemplateIter", GC, [template]);

fn iterate(template: &View) -> PyResult {
    let state = TemplateIter { template: Field::of(template.object()), place: Cell::new(0) };
    native_new(&TEMPLATE_ITER, state)?.into_py()
}

fn next(iterator: &Native<TemplateIter>) -> PyResult<Option<Ref>> {
    let Some(template) = iterator.template.get() else { return Ok(None) };
    let Some(template) = template.downcast::<View>() else { return Ok(None) };
    loop {
        let place = iterator.place.get();
        let (index, is_text) = (place / 2, place.is_multiple_of(2));
        let list = if is_text { &template.strings } else { &template.interpolations };
        let Some(item) = list.get(index) else {
            iterator.template.set(None);
            return Ok(None);
        };
        iterator.place.set(place + 1);
        if !is_text || item.downcast::<Str>().is_some_and(|text| !text.is_empty()) {
            return Ok(Some(item.new_ref()));
        }
    }
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = reduce, "Describe the template for pickling.";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
} }

static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A template string: literal texts with interpolations between them."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_repr(repr),
        tp_iter(iterate),
        sq_concat(add),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"strings", |t: &View| t.strings.clone(), c"The literal texts.").with_setter(read_only),
        getset_row(c"interpolations", |t: &View| t.interpolations.clone(), c"The interpolations.")
            .with_setter(read_only),
        getset_row(c"values", values, c"The values of the interpolations."),
    ],
    ..TypeSpec::new(&TEMPLATE)
};

static ITER_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Goes through the parts of a template."),
    slots: &[
        Native::<TemplateIter>::DEALLOC,
        Native::<TemplateIter>::TRAVERSE,
        Native::<TemplateIter>::CLEAR,
        tp_iter(|it: &Object| it.new_ref()),
        tp_iternext(next),
    ],
    ..TypeSpec::new(&TEMPLATE_ITER)
};

/// A text argument of `Interpolation`.
fn text_argument<'a>(argument: &'a Object, name: &str) -> PyResult<&'a Str> {
    argument.downcast::<Str>().ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "Interpolation() argument '{name}' must be str, not {}",
            if is_none(argument) { "None" } else { argument.ty().name() }
        )
    })
}

fn part_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(
        given = "Interpolation" "(value, expression='', conversion=None, format_spec='')",
        args,
        kwargs
    );
    let expression = given.get(1).map_or(Ok(unicode::empty()), |text| text_argument(text, "expression"))?;
    let conversion = match given.get_some(2) {
        None => none(),
        Some(conversion) => {
            let text = text_argument(conversion, "conversion")?;
            if !["s", "a", "r"].iter().any(|known| text.equals(known)) {
                return Err(value_error(
                    "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'",
                ));
            }
            conversion
        }
    };
    let format_spec = given.get(3).map_or(Ok(unicode::empty()), |text| text_argument(text, "format_spec"))?;
    make_interpolation(given.required(0), expression, conversion, format_spec)
}

fn part_repr(part: &Part) -> PyResult<String> {
    let text = |object: &Object| object.repr().map(|text| text.to_lossy());
    Ok(format!(
        "Interpolation({}, {}, {}, {})",
        text(&part.value)?,
        text(&part.expression)?,
        text(&part.conversion)?,
        text(&part.format_spec)?
    ))
}

fn part_reduce(part: &Part) -> PyResult {
    let parts = [&part.value, &part.expression, &part.conversion, &part.format_spec];
    let state = Tuple::from_vec(parts.into_iter().cloned().collect())?;
    Tuple::from_array([part.object().ty().new_ref(), state.upcast()])?.into_py()
}

taipan_object::methods! { static PART_METHODS = {
    noargs "__reduce__" "($self, /)" = part_reduce, "Describe the interpolation for pickling.";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
} }

static PART_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A value in a template string, with the text of its expression, conversion and format."),
    slots: &[Part::DEALLOC, Part::TRAVERSE, Part::CLEAR, tp_new(part_new), tp_repr(part_repr)],
    methods: PART_METHODS,
    getset: &[
        getset_row(c"value", |p: &Part| p.value.clone(), c"The value.").with_setter(read_only),
        getset_row(c"expression", |p: &Part| p.expression.clone(), c"The source text.")
            .with_setter(read_only),
        getset_row(c"conversion", |p: &Part| p.conversion.clone(), c"'r', 's', 'a' or None.")
            .with_setter(read_only),
        getset_row(c"format_spec", |p: &Part| p.format_spec.clone(), c"What stood behind the colon.")
            .with_setter(read_only),
    ],
    ..TypeSpec::new(&INTERPOLATION)
};

/// Fills the types.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn install() -> PyResult<()> {
    for spec in [&SPEC, &ITER_SPEC, &PART_SPEC] {
        typeobject::install(spec)?;
    }
    let fields = ["value", "expression", "conversion", "format_spec"];
    let fields: PyResult<Vec<Ref>> = fields.into_iter().map(|name| name.into_py()).collect();
    let ty: &Type = &INTERPOLATION;
    ty.set_own("__match_args__", &*Tuple::from_vec(fields?)?)
}
