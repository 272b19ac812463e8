//! Arguments of native functions, bound by the signature that is also their documentation.
//!
//! A [`Signature`] is parsed at compile time from the text of `__text_signature__`, for example
//! `"($self, value, start=0, stop=sys.maxsize, /)"`. Binding fills one place per parameter; a
//! parameter with a default that was not given stays `None`, and the function supplies the default.
//! Messages are those of CPython's argument parsers for the same kinds of parameters.

use crate::dict::Dict;
use crate::err::{PyErr, PyResult, type_error};
use crate::handle::{Layout, Object, Ref};
use crate::raise;
use crate::statics::PyExc_TypeError;
use crate::tuple::Tuple;
use crate::unicode::Str;

/// The most parameters that a native function has.
const MAX_PARAMS: usize = 24;

/// A parameter list, as ranges of the signature's text.
pub struct Signature {
    name: &'static str,
    text: &'static str,
    params: [(u16, u16); MAX_PARAMS],
    count: usize,
    /// Parameters before this one are positional-only; parameters from `keyword_only` on need names.
    positional_only: usize,
    keyword_only: usize,
    /// Bit `i` is set when parameter `i` has no default.
    required: u32,
}

impl Signature {
    /// Parses `($self, a, b=1, /, *, c)`.
    ///
    /// # Panics
    /// At compile time, when the text is not such a list.
    pub const fn parse(name: &'static str, text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let mut sig = Self {
            name,
            text,
            params: [(0, 0); MAX_PARAMS],
            count: 0,
            positional_only: 0,
            keyword_only: MAX_PARAMS,
            required: 0,
        };
        assert!(bytes[0] == b'(' && bytes[bytes.len() - 1] == b')', "a signature stands in parentheses");
        let end = bytes.len() - 1;
        let mut at = 1;
        while at < end {
            while at < end && matches!(bytes[at], b' ' | b',' | b'\n') {
                at += 1;
            }
            if at >= end {
                break;
            }
            let start = at;
            while at < end && bytes[at] != b',' && bytes[at] != b'=' {
                at += 1;
            }
            let name_end = at;
            let has_default = at < end && bytes[at] == b'=';
            // Defaults may hold commas inside brackets or quotes.
            let mut depth = 0;
            let mut quote = 0;
            while at < end && (bytes[at] != b',' || depth > 0 || quote != 0) {
                match bytes[at] {
                    b'(' | b'[' | b'{' if quote == 0 => depth += 1,
                    b')' | b']' | b'}' if quote == 0 => depth -= 1,
                    b'\'' | b'"' if quote == 0 => quote = bytes[at],
                    c if c == quote => quote = 0,
                    _ => {}
                }
                at += 1;
            }
            match bytes[start] {
                b'$' => {}
                b'/' => sig.positional_only = sig.count,
                b'*' if name_end == start + 1 => sig.keyword_only = sig.count,
                _ => {
                    assert!(bytes[start] != b'*', "variadic functions take their arguments unparsed");
                    sig.params[sig.count] = (start as u16, name_end as u16);
                    if !has_default {
                        sig.required |= 1 << sig.count;
                    }
                    sig.count += 1;
                }
            }
        }
        if sig.keyword_only > sig.count {
            sig.keyword_only = sig.count;
        }
        sig
    }

    fn param(&self, index: usize) -> &'static str {
        let (from, to) = self.params[index];
        &self.text[usize::from(from)..usize::from(to)]
    }

    fn required_count(&self) -> usize {
        (self.required & ((1 << self.keyword_only) - 1)).count_ones() as usize
    }

    /// Binds arguments to parameters.
    ///
    /// # Errors
    /// `TypeError` as CPython words it.
    #[inline(always)]
    pub fn bind<'a>(&self, args: &'a [&'a Object], kwnames: Option<&'a Tuple>) -> PyResult<Args<'a>> {
        let given = args.len();
        // Most calls name nothing, and give all that is needed and not too much.
        if kwnames.is_none() && given <= self.keyword_only && self.required >> given == 0 {
            let mut bound = Args { values: [None; MAX_PARAMS] };
            for (place, &arg) in bound.values.iter_mut().zip(args) {
                *place = Some(arg);
            }
            return Ok(bound);
        }
        self.bind_general(args, kwnames)
    }

    #[inline(never)]
    fn bind_general<'a>(&self, args: &'a [&'a Object], kwnames: Option<&'a Tuple>) -> PyResult<Args<'a>> {
        let keywords = kwnames.map_or(0, Tuple::len);
        let positional = args.len() - keywords;
        if self.positional_only == self.count {
            self.check_positional(positional, keywords)?;
        } else if positional > self.keyword_only || positional + keywords > self.count {
            return Err(self.too_many(positional, keywords));
        }
        let mut bound = Args { values: [None; MAX_PARAMS] };
        for (place, &arg) in bound.values.iter_mut().zip(&args[..positional]) {
            *place = Some(arg);
        }
        // A missing argument is reported before a keyword that does not fit.
        let mut refused = None;
        if let Some(names) = kwnames {
            for (name, &value) in names.items().iter().zip(&args[positional..]) {
                if let Err(error) = self.bind_keyword(&mut bound, name, value, positional) {
                    refused.get_or_insert(error);
                }
            }
        }
        for index in positional..self.count {
            if self.required & (1 << index) != 0 && bound.values[index].is_none() {
                return Err(self.missing(index, positional));
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        Ok(bound)
    }

    fn bind_keyword<'a>(
        &self,
        bound: &mut Args<'a>,
        name: &Object,
        value: &'a Object,
        positional: usize,
    ) -> PyResult<()> {
        let Some(text) = name.downcast::<Str>() else { return Err(type_error("keywords must be strings")) };
        let found = (self.positional_only..self.count).find(|&index| text.equals(self.param(index)));
        let Some(index) = found else {
            let positional_name = (0..self.positional_only).any(|index| text.equals(self.param(index)));
            if positional_name && self.positional_only > 0 {
                return Err(raise!(
                    PyExc_TypeError,
                    "{}() got some positional-only arguments passed as keyword arguments: '{}'",
                    self.name,
                    text.to_lossy()
                ));
            }
            return Err(raise!(
                PyExc_TypeError,
                "{}() got an unexpected keyword argument '{}'",
                self.name,
                text.to_lossy()
            ));
        };
        if index < positional {
            return Err(raise!(
                PyExc_TypeError,
                "argument for {}() given by name ('{}') and position ({})",
                self.name,
                text.to_lossy(),
                index + 1
            ));
        }
        bound.values[index] = Some(value);
        Ok(())
    }

    /// Functions without keywords count their arguments (`_PyArg_CheckPositional`).
    #[inline]
    fn check_positional(&self, given: usize, keywords: usize) -> PyResult<()> {
        let (min, max) = (self.required_count(), self.count);
        if keywords == 0 && (min..=max).contains(&given) {
            return Ok(());
        }
        Err(self.positional_error(given, keywords))
    }

    #[cold]
    fn positional_error(&self, given: usize, keywords: usize) -> PyErr {
        let (min, max) = (self.required_count(), self.count);
        if keywords != 0 {
            return raise!(PyExc_TypeError, "{}() takes no keyword arguments", self.name);
        }
        let exactly = if min == max {
            ""
        } else if given < min {
            "at least "
        } else {
            "at most "
        };
        let wanted = if given < min { min } else { max };
        let plural = if wanted == 1 { "" } else { "s" };
        raise!(PyExc_TypeError, "{} expected {exactly}{wanted} argument{plural}, got {given}", self.name)
    }

    #[cold]
    fn too_many(&self, positional: usize, keywords: usize) -> PyErr {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        if self.keyword_only == 0 {
            return raise!(PyExc_TypeError, "{}() takes no positional arguments", self.name);
        }
        if positional + keywords > self.count {
            let kind = if positional == 0 { "keyword " } else { "" };
            let given = positional + keywords;
            return raise!(
                PyExc_TypeError,
                "{}() takes at most {} {kind}argument{} ({given} given)",
                self.name,
                self.count,
                plural(self.count)
            );
        }
        let bound = if self.required_count() == self.keyword_only { "exactly" } else { "at most" };
        raise!(
            PyExc_TypeError,
            "{}() takes {bound} {} positional argument{} ({positional} given)",
            self.name,
            self.keyword_only,
            plural(self.keyword_only)
        )
    }

    #[cold]
    fn missing(&self, index: usize, positional: usize) -> PyErr {
        if index < self.positional_only {
            let min = (self.required & ((1u32 << self.positional_only) - 1)).count_ones();
            let bound = if min as usize == self.keyword_only { "exactly" } else { "at least" };
            let plural = if min == 1 { "" } else { "s" };
            return raise!(
                PyExc_TypeError,
                "{}() takes {bound} {min} positional argument{plural} ({positional} given)",
                self.name
            );
        }
        if index >= self.keyword_only {
            return raise!(
                PyExc_TypeError,
                "{}() missing required keyword-only argument '{}'",
                self.name,
                self.param(index)
            );
        }
        raise!(
            PyExc_TypeError,
            "{}() missing required argument '{}' (pos {})",
            self.name,
            self.param(index),
            index + 1
        )
    }
}

/// Bound arguments, one place per parameter.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    values: [Option<&'a Object>; MAX_PARAMS],
}

impl<'a> Args<'a> {
    /// The argument of a required parameter.
    ///
    /// # Panics
    /// When the signature gives the parameter a default: a mistake in the table.
    #[inline]
    pub fn required(&self, index: usize) -> &'a Object {
        match self.values[index] {
            Some(value) => value,
            None => unreachable!("parameter {index} has a default"),
        }
    }

    /// The argument, if given.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a Object> {
        self.values[index]
    }

    /// The argument, if given and not `None`.
    #[inline]
    pub fn get_some(&self, index: usize) -> Option<&'a Object> {
        self.values[index].filter(|value| !crate::singletons::is_none(value))
    }

    /// The argument as an index-sized integer (`__index__`), or the default.
    ///
    /// # Errors
    /// `TypeError` when it is no integer, `OverflowError` when it is too big.
    pub fn isize_or(&self, index: usize, default: isize) -> PyResult<isize> {
        self.values[index].map_or(Ok(default), Object::to_isize)
    }

    /// The argument as a C int, or the default.
    ///
    /// # Errors
    /// `TypeError` when it is no integer, `OverflowError` when it is too big.
    pub fn i32_or(&self, index: usize, default: i32) -> PyResult<i32> {
        self.values[index].map_or(Ok(default), Object::to_i32)
    }

    /// The argument's truth, or the default.
    ///
    /// # Errors
    /// What `__bool__` raises.
    pub fn bool_or(&self, index: usize, default: bool) -> PyResult<bool> {
        self.values[index].map_or(Ok(default), Object::is_true)
    }

    /// The argument as a float (`__float__`), or the default.
    ///
    /// # Errors
    /// `TypeError` when it is no number.
    pub fn f64_or(&self, index: usize, default: f64) -> PyResult<f64> {
        self.values[index].map_or(Ok(default), Object::to_f64)
    }

    /// The argument as a `T`, if given. `function` and `place` are for the message.
    ///
    /// # Errors
    /// `TypeError`: `function() argument 'place' must be T, not …`.
    pub fn typed<T: Layout>(&self, index: usize, function: &str, place: &str) -> PyResult<Option<&'a T>> {
        let Some(value) = self.values[index] else { return Ok(None) };
        value.downcast::<T>().map(Some).ok_or_else(|| {
            raise!(
                PyExc_TypeError,
                "{function}() argument {place} must be {}, not {}",
                T::NAME,
                if crate::singletons::is_none(value) { "None" } else { value.ty().name() }
            )
        })
    }
}

/// Arguments as they come: positional ones, then the values of the keywords.
#[derive(Clone, Copy)]
pub struct CallArgs<'a> {
    pub all: &'a [&'a Object],
    pub kwnames: Option<&'a Tuple>,
}

impl<'a> CallArgs<'a> {
    /// The positional arguments.
    pub fn positional(&self) -> &'a [&'a Object] {
        &self.all[..self.all.len() - self.kwnames.map_or(0, Tuple::len)]
    }

    /// The only argument, if there is just one and it is positional.
    #[inline(always)]
    pub fn single(&self) -> Option<&'a Object> {
        match (self.all, self.kwnames) {
            ([only], None) => Some(only),
            _ => None,
        }
    }

    /// Calls a function that takes a tuple and a dict, such as a `tp_new`.
    ///
    /// # Errors
    /// What the function raises; `MemoryError`.
    pub fn call_with_tuple<R>(&self, call: impl FnOnce(&Tuple, Option<&Dict>) -> PyResult<R>) -> PyResult<R> {
        let positional = Tuple::from_refs(self.positional())?;
        call(&positional, self.keywords_dict()?.as_deref())
    }

    /// Names and values of the keyword arguments.
    pub fn keywords(&self) -> impl Iterator<Item = (&'a Object, &'a Object)> {
        let count = self.kwnames.map_or(0, Tuple::len);
        let names: &'a [&'a Object] = self.kwnames.map_or(&[], |names| names.items());
        names.iter().copied().zip(self.all[self.all.len() - count..].iter().copied())
    }

    /// The keyword arguments as a dict, if there are any.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn keywords_dict(&self) -> PyResult<Option<Ref<Dict>>> {
        if self.kwnames.is_none_or(Tuple::is_empty) {
            return Ok(None);
        }
        let dict = Dict::new()?;
        for (name, value) in self.keywords() {
            dict.set(name, value)?;
        }
        Ok(Some(dict))
    }
}

impl Signature {
    /// Binds the tuple and dict of a `tp_new` or `tp_init`, which the caller keeps alive.
    ///
    /// # Errors
    /// `TypeError` as CPython words it.
    pub fn bind_tuple<'a>(
        &self,
        args: &'a Tuple,
        kwargs: Option<&'a Dict>,
        storage: &'a mut Vec<&'a Object>,
        names: &'a mut Option<Ref<Tuple>>,
    ) -> PyResult<Args<'a>> {
        storage.extend_from_slice(args.items());
        if let Some(kwargs) = kwargs.filter(|k| !k.is_empty()) {
            let mut all = Vec::with_capacity(kwargs.len());
            let mut position = 0;
            while let Some((name, value, _)) = kwargs.next_borrowed(&mut position) {
                all.push(name.new_ref());
                storage.push(value);
            }
            *names = Some(Tuple::from_vec(all)?);
        }
        self.bind(storage, names.as_deref())
    }
}
