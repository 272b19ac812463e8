//! Arguments of the functions that CPython binds by a format rather than a signature.
//!
//! Such a function takes and converts one argument after the other, so that a value of the wrong type
//! is reported before a later argument that is missing, and its messages differ from those of
//! [`taipan_object::native::Signature`].

use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, type_error};
use taipan_object::native::CallArgs;
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Layout, Object, raise};

/// The parameters of a function.
pub struct Form {
    /// Its name; constructors have none.
    pub name: &'static str,
    pub params: &'static [&'static str],
    /// The first so many must be given.
    pub required: usize,
    /// The parameters from this one on need names.
    pub positional: usize,
}

/// Where the values given by name are.
#[derive(Clone, Copy)]
pub enum Named<'a> {
    None,
    Vector(&'a Tuple, &'a [&'a Object]),
    Dict(&'a Dict),
}

impl<'a> Named<'a> {
    fn len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Vector(names, _) => names.len(),
            Self::Dict(dict) => dict.len(),
        }
    }

    /// Looks at each name with its value until `look` finds what it wants.
    fn find<R>(self, mut look: impl FnMut(&'a Object, &'a Object) -> Option<R>) -> Option<R> {
        match self {
            Self::None => None,
            Self::Vector(names, values) => {
                names.items().iter().zip(values).find_map(|(name, value)| look(name, value))
            }
            Self::Dict(dict) => {
                let mut position = 0;
                while let Some((name, value, _)) = dict.next_borrowed(&mut position) {
                    if let Some(found) = look(name, value) {
                        return Some(found);
                    }
                }
                None
            }
        }
    }

    fn get(self, wanted: &str) -> Option<&'a Object> {
        self.find(|name, value| is_name(name, wanted).then_some(value))
    }
}

fn is_name(object: &Object, wanted: &str) -> bool {
    object.downcast::<Str>().is_some_and(|name| name.equals(wanted))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The arguments of one call, to be taken in order.
pub struct Given<'a> {
    form: &'static Form,
    positional: &'a [&'a Object],
    named: Named<'a>,
    index: usize,
    /// How many of the named ones have not been taken.
    left: usize,
}

impl Form {
    /// The arguments of a call by vector.
    pub fn call<'a>(&'static self, args: &CallArgs<'a>) -> PyResult<Given<'a>> {
        let named = match args.kwnames {
            Some(names) if !names.is_empty() => {
                Named::Vector(names, &args.all[args.all.len() - names.len()..])
            }
            _ => Named::None,
        };
        self.given(args.positional(), named)
    }

    /// The arguments of a `tp_new`.
    pub fn tuple<'a>(&'static self, args: &'a Tuple, kwargs: Option<&'a Dict>) -> PyResult<Given<'a>> {
        self.given(args.items(), kwargs.filter(|dict| !dict.is_empty()).map_or(Named::None, Named::Dict))
    }

    fn given<'a>(&'static self, positional: &'a [&'a Object], named: Named<'a>) -> PyResult<Given<'a>> {
        let (count, most) = (positional.len() + named.len(), self.params.len());
        if count > most {
            let kind = if positional.is_empty() { "keyword " } else { "" };
            return Err(raise!(
                PyExc_TypeError,
                "{} takes at most {most} {kind}argument{} ({count} given)",
                self.shown(),
                plural(most)
            ));
        }
        Ok(Given { form: self, positional, named, index: 0, left: named.len() })
    }

    fn shown(&self) -> String {
        if self.name.is_empty() { "function".to_owned() } else { format!("{}()", self.name) }
    }
}

impl<'a> Given<'a> {
    /// The next argument; `None` when it was not given and need not be.
    pub fn next(&mut self) -> PyResult<Option<&'a Object>> {
        let (form, index) = (self.form, self.index);
        self.index += 1;
        if index == form.positional && self.positional.len() > index {
            return Err(raise!(
                PyExc_TypeError,
                "{} takes {} {index} positional argument{} ({} given)",
                form.shown(),
                if form.required < form.params.len() { "at most" } else { "exactly" },
                plural(index),
                self.positional.len()
            ));
        }
        if let Some(value) = self.positional.get(index) {
            return Ok(Some(value));
        }
        if self.left > 0
            && let Some(value) = self.named.get(form.params[index])
        {
            self.left -= 1;
            return Ok(Some(value));
        }
        if index < form.required {
            return Err(raise!(
                PyExc_TypeError,
                "{} missing required argument '{}' (pos {})",
                form.shown(),
                form.params[index],
                index + 1
            ));
        }
        Ok(None)
    }

    /// The next argument, which is required.
    pub fn required(&mut self) -> PyResult<&'a Object> {
        self.next()?.ok_or_else(|| type_error("missing argument"))
    }

    /// The next argument as a C int.
    pub fn int_or(&mut self, default: i32) -> PyResult<i32> {
        self.next()?.map_or(Ok(default), Object::to_i32)
    }

    /// The next argument as a str.
    pub fn text(&mut self) -> PyResult<Option<&'a Str>> {
        let value = self.next()?;
        self.typed(value, "str")
    }

    /// An argument just taken as one of a certain type, which messages call `wanted`.
    pub fn typed<T: Layout>(&self, value: Option<&'a Object>, wanted: &str) -> PyResult<Option<&'a T>> {
        let Some(value) = value else { return Ok(None) };
        value.downcast::<T>().map(Some).ok_or_else(|| wrong(self.form.name, self.index, wanted, value))
    }

    /// Refuses names that are no parameters.
    pub fn end(self) -> PyResult<()> {
        if self.left == 0 { Ok(()) } else { Err(self.leftover()) }
    }

    #[cold]
    fn leftover(&self) -> PyErr {
        let form = self.form;
        for (index, param) in form.params.iter().enumerate().take(self.positional.len()) {
            if self.named.get(param).is_some() {
                return raise!(
                    PyExc_TypeError,
                    "argument for {} given by name ('{param}') and position ({})",
                    form.shown(),
                    index + 1
                );
            }
        }
        let odd = self.named.find(|name, _| match name.downcast::<Str>() {
            None => Some(type_error("keywords must be strings")),
            Some(text) if form.params.iter().any(|param| text.equals(param)) => None,
            Some(text) => Some(raise!(
                PyExc_TypeError,
                "{} got an unexpected keyword argument '{}'",
                if form.name.is_empty() { "this function".to_owned() } else { form.shown() },
                text.to_lossy()
            )),
        });
        odd.unwrap_or_else(|| type_error("too many arguments"))
    }
}

/// The error of an argument of the wrong type.
#[cold]
pub fn wrong(function: &str, place: usize, wanted: &str, value: &Object) -> PyErr {
    let given = if is_none(value) { "None" } else { value.ty().message_name() };
    raise!(PyExc_TypeError, "{function}() argument {place} must be {wanted}, not {given}")
}

/// The arguments of a function without names: exactly so many.
pub fn exactly<'a>(function: &str, args: &CallArgs<'a>, count: usize) -> PyResult<&'a [&'a Object]> {
    if args.kwnames.is_some_and(|names| !names.is_empty()) {
        return Err(raise!(PyExc_TypeError, "{function}() takes no keyword arguments"));
    }
    let args = args.positional();
    if args.len() == count {
        return Ok(args);
    }
    Err(raise!(
        PyExc_TypeError,
        "{function}() takes exactly {count} argument{} ({} given)",
        plural(count),
        args.len()
    ))
}

/// An argument of such a function that must be a str.
pub fn text_arg<'a>(function: &str, args: &'a [&'a Object], index: usize) -> PyResult<&'a Str> {
    args[index].downcast::<Str>().ok_or_else(|| wrong(function, index + 1, "str", args[index]))
}
