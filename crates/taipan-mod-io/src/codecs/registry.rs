//! The registry of codecs and error handlers, one per interpreter.
//!
//! Search functions are asked in turn for a name, answers are kept. The package `encodings` registers
//! its own when it is imported, which the first look-up does.

use super::handlers;
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::statics::{PyExc_LookupError, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, intern, raise, state};

/// Search functions, found codecs, error handlers.
pub struct Registry {
    searches: RefCell<Vec<Ref>>,
    found: Ref<Dict>,
    handlers: Ref<Dict>,
    loaded: Cell<bool>,
}

/// This interpreter's registry.
///
/// # Errors
/// `MemoryError`.
pub fn registry() -> PyResult<&'static Registry> {
    let (found, table) = (Dict::new()?, Dict::new()?);
    let made = state::interp().extension(|| Registry {
        searches: RefCell::new(Vec::new()),
        found,
        handlers: table,
        loaded: Cell::new(false),
    });
    if made.handlers.is_empty() {
        handlers::fill(&made.handlers)?;
    }
    Ok(made)
}

/// The name under which a codec is looked for: lower case, other signs between words are one `_`.
pub fn normalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    out
}

/// `codecs.register`.
///
/// # Errors
/// `TypeError`.
pub fn register(search: &Object) -> PyResult<()> {
    if !search.is_callable() {
        return Err(err::type_error("argument must be callable"));
    }
    registry()?.searches.borrow_mut().push(search.new_ref());
    Ok(())
}

/// `codecs.unregister`.
///
/// # Errors
/// `MemoryError`.
pub fn unregister(search: &Object) -> PyResult<()> {
    let registry = registry()?;
    let at = registry.searches.borrow().iter().position(|known| known.is(search));
    if let Some(at) = at {
        registry.found.clear();
        let gone = registry.searches.borrow_mut().remove(at);
        drop(gone);
    }
    Ok(())
}

/// The codec of a name: a tuple of four functions, mostly a `CodecInfo`.
///
/// # Errors
/// `LookupError`; what the search functions raise.
pub fn lookup(name: &str) -> PyResult<Ref<Tuple>> {
    if name.contains('\0') {
        return Err(err::value_error("embedded null character"));
    }
    let registry = registry()?;
    if !registry.loaded.replace(true)
        && let Err(error) = (state::interp().hooks.get().import_module)("encodings")
    {
        registry.loaded.set(false);
        return Err(error);
    }
    let key = Str::from_utf8(&normalized(name))?;
    if let Some(found) = registry.found.get_str(&key)?
        && let Ok(found) = found.downcast_owned::<Tuple>()
    {
        return Ok(found);
    }
    let searches = registry.searches.borrow().clone();
    if searches.is_empty() {
        return Err(raise!(PyExc_LookupError, "no codec search functions registered: can't find encoding"));
    }
    for search in searches {
        let answer = search.call(&[&key])?;
        if taipan_object::singletons::is_none(&answer) {
            continue;
        }
        let Ok(codec) = answer.downcast_owned::<Tuple>() else {
            return Err(err::type_error("codec search functions must return 4-tuples"));
        };
        if codec.len() != 4 {
            return Err(err::type_error("codec search functions must return 4-tuples"));
        }
        registry.found.set_str(&key, &codec)?;
        return Ok(codec);
    }
    Err(raise!(PyExc_LookupError, "unknown encoding: {name}"))
}

/// As [`lookup`] for codecs between text and bytes; `instead` names what to use for others.
///
/// # Errors
/// `LookupError`.
pub fn lookup_text(name: &str, instead: &str) -> PyResult<Ref<Tuple>> {
    let codec = lookup(name)?;
    let plain: &taipan_object::Type = &taipan_object::statics::PyTuple_Type;
    if !codec.is_exact(plain)
        && let Some(text) = codec.getattr_opt(intern!("_is_text_encoding"))?
        && !text.is_true()?
    {
        return Err(raise!(
            PyExc_LookupError,
            "'{name}' is not a text encoding; use {instead} to handle arbitrary codecs"
        ));
    }
    Ok(codec)
}

/// Calls a codec's encoder (0) or decoder (1) and takes the first part of its answer.
///
/// # Errors
/// `TypeError`; what the codec raises, with a note that names it.
pub fn call(codec: &Tuple, which: usize, name: &str, object: &Object, errors: Option<&str>) -> PyResult {
    let what = if which == 0 { "encoder" } else { "decoder" };
    let function =
        codec.get(which).ok_or_else(|| err::type_error("codec search functions must return 4-tuples"))?;
    let answer = match errors {
        Some(errors) => function.call(&[object, &*Str::from_utf8(errors)?]),
        None => function.call(&[object]),
    };
    let verb = if which == 0 { "encoding" } else { "decoding" };
    let answer = answer.map_err(|error| with_note(error, &format!("{verb} with '{name}' codec failed")))?;
    match answer.downcast::<Tuple>() {
        Some(answer) if answer.len() == 2 => Ok(answer.items()[0].new_ref()),
        _ => Err(raise!(PyExc_TypeError, "{what} must return a tuple (object, integer)")),
    }
}

fn with_note(error: taipan_object::PyErr, note: &str) -> taipan_object::PyErr {
    // A failure to add the note must not hide the error.
    if let Ok(note) = Str::from_utf8(note) {
        let _ = error.exception().call_method(intern!("add_note"), &[&note]);
    }
    error
}

/// `codecs.register_error`.
///
/// # Errors
/// `TypeError`.
pub fn register_error(name: &Str, handler: &Object) -> PyResult<()> {
    if !handler.is_callable() {
        return Err(err::type_error("handler must be callable"));
    }
    registry()?.handlers.set_str(name, handler)
}

/// `codecs._unregister_error`: whether there was one of that name.
///
/// # Errors
/// `ValueError` for the standard handlers.
pub fn unregister_error(name: &Str) -> PyResult<bool> {
    if handlers::NAMES.iter().any(|known| name.equals(known)) {
        return Err(err::value_error(&format!(
            "cannot un-register built-in error handler '{}'",
            name.to_lossy()
        )));
    }
    Ok(registry()?.handlers.remove(name)?.is_some())
}

/// The error handler of a name.
///
/// # Errors
/// `LookupError`.
pub fn lookup_error(name: &str) -> PyResult {
    let key = Str::from_utf8(name)?;
    match registry()?.handlers.get_str(&key)? {
        Some(handler) => Ok(handler),
        None => Err(raise!(PyExc_LookupError, "unknown error handler name '{name}'")),
    }
}
