//! Arguments of the functions that CPython binds by a format rather than a signature.
//!
//! Such a function takes and converts one argument after the other, so that a value of the wrong type
//! is reported before a later argument that is missing, and its messages differ from those of
//! [`taipan_object::native::Signature`].

use crate::calendar::Clock;
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

/// The values given by name.
#[derive(Clone, Copy, Default)]
struct Named<'a> {
    names: &'a [&'a Object],
    values: &'a [&'a Object],
}

impl<'a> Named<'a> {
    fn pairs(self) -> impl Iterator<Item = (&'a Object, &'a Object)> {
        self.names.iter().copied().zip(self.values.iter().copied())
    }

    fn get(self, wanted: &str) -> Option<&'a Object> {
        self.pairs().find(|(name, _)| is_name(name, wanted)).map(|(_, value)| value)
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
    /// The arguments of a call.
    pub fn call<'a>(&'static self, args: &CallArgs<'a>) -> PyResult<Given<'a>> {
        let positional = args.positional();
        let named = args.kwnames.map_or_else(Named::default, |names| Named {
            names: names.items(),
            values: &args.all[positional.len()..],
        });
        let (count, most) = (args.all.len(), self.params.len());
        if count > most {
            let kind = if positional.is_empty() { "keyword " } else { "" };
            return Err(raise!(
                PyExc_TypeError,
                "{} takes at most {most} {kind}argument{} ({count} given)",
                self.shown(),
                plural(most)
            ));
        }
        Ok(Given { form: self, positional, named, index: 0, left: named.names.len() })
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

    /// The next four arguments as a time of the day, from the hour to the microsecond.
    pub fn clock(&mut self) -> PyResult<Clock> {
        Ok(Clock {
            hour: self.int_or(0)?,
            minute: self.int_or(0)?,
            second: self.int_or(0)?,
            micro: self.int_or(0)?,
        })
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
        let odd = self.named.names.iter().find_map(|name| match name.downcast::<Str>() {
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

/// The arguments of a `tp_new` in the form of a vectorcall.
pub fn with_call_args<R>(
    args: &Tuple,
    kwargs: Option<&Dict>,
    call: impl FnOnce(&CallArgs<'_>) -> PyResult<R>,
) -> PyResult<R> {
    let Some(kwargs) = kwargs.filter(|kwargs| !kwargs.is_empty()) else {
        return call(&CallArgs { all: args.items(), kwnames: None });
    };
    // The pairs are held here, whatever becomes of the dict.
    let pairs = kwargs.items_vec();
    let names: Vec<&Object> = pairs.iter().map(|(name, _)| &**name).collect();
    let names = Tuple::from_refs(&names)?;
    let values = pairs.iter().map(|(_, value)| &**value);
    let all: Vec<&Object> = args.items().iter().copied().chain(values).collect();
    call(&CallArgs { all: &all, kwnames: Some(&names) })
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
