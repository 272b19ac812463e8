//! Objects that are pickled by name: functions, classes, and what says so.

use super::op;
use super::save::Save;
use super::shared::{dotted, import_named, pickling_error, walk};
use taipan_object::bytes::Bytes;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_AttributeError, PyExc_ImportError, PyExc_RuntimeError, PyExc_ValueError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise, state};

/// The error that an object cannot be found, with what went wrong as its context.
#[cold]
fn not_found(object: &Object, why: &str, cause: Option<PyErr>) -> PyErr {
    let shown = match object.repr() {
        Ok(shown) => shown.to_lossy(),
        Err(error) => return error,
    };
    with_context(pickling_error(&format!("Can't pickle {shown}: {why}")), cause)
}

/// An error with what it came from.
fn with_context(error: PyErr, cause: Option<PyErr>) -> PyErr {
    if let Some(cause) = cause {
        error.exception().set_context(Some(cause.into_exception().upcast()));
    }
    error
}

/// Looks through all modules for one that has the object under this name.
fn search(object: &Object, path: &[Ref<Str>]) -> PyResult<Option<Ref<Str>>> {
    for (name, module) in state::interp().modules.items_vec() {
        let Ok(name) = name.downcast_owned::<Str>() else { continue };
        if is_none(&module) || name.equals("__main__") || name.equals("__mp_main__") {
            continue;
        }
        match walk(&module, path) {
            Ok(found) if found.is(object) => return Ok(Some(name)),
            Ok(_) => {}
            Err(error) => {
                error.allow(&PyExc_AttributeError)?.unwrap_or(());
            }
        }
    }
    Ok(None)
}

/// The module in which an object is found under its name.
fn which_module(object: &Object, name: &Str, path: &[Ref<Str>]) -> PyResult<Ref<Str>> {
    let module = object.getattr_opt(intern!("__module__"))?.filter(|module| !is_none(module));
    if path.iter().any(|part| part.equals("<locals>")) {
        let shown = object.repr()?.to_lossy();
        return Err(pickling_error(&format!("Can't pickle local object {shown}")));
    }
    let module = match module {
        Some(module) => module.downcast_owned::<Str>().map_err(|module| {
            raise!(
                taipan_object::statics::PyExc_TypeError,
                "module name must be a string, not {}",
                module.ty().qualified_name()
            )
        })?,
        None => match search(object, path)? {
            Some(module) => module,
            None => Ref::of(intern!("__main__")),
        },
    };
    let place = match import_named(&module) {
        Ok(place) => place,
        Err(error) if error.is(&PyExc_ImportError) || error.is(&PyExc_ValueError) => {
            let why = error.exception().str_lossy();
            return Err(not_found(object, &why, Some(error)));
        }
        Err(error) => return Err(error),
    };
    let full = || format!("{}.{}", module.to_lossy(), name.to_lossy());
    match walk(&place, path) {
        Ok(found) if found.is(object) => Ok(module),
        Ok(_) => Err(not_found(object, &format!("it's not the same object as {}", full()), None)),
        Err(error) if error.is(&PyExc_AttributeError) => {
            Err(not_found(object, &format!("it's not found as {}", full()), Some(error)))
        }
        Err(error) => Err(error),
    }
}

impl Save<'_> {
    /// Pickles an object as the name under which it is found.
    pub fn save_global(&mut self, object: &Object, name: Option<&Str>) -> PyResult<()> {
        let name = match name {
            Some(name) => Ref::of(name),
            None => {
                let found = match object.getattr_opt(intern!("__qualname__"))? {
                    Some(found) => found,
                    None => object.getattr(intern!("__name__"))?,
                };
                found.downcast_owned::<Str>().map_err(|found| {
                    raise!(
                        taipan_object::statics::PyExc_TypeError,
                        "name must be a string, not {}",
                        found.ty().qualified_name()
                    )
                })?
            }
        };
        let path = dotted(&name)?;
        let module = which_module(object, &name, &path)?;
        if self.protocol >= 2 && self.save_extension(&module, &name)? {
            return Ok(());
        }
        if self.protocol >= 4 {
            self.save(&module, true)?;
            self.save(&name, true)?;
            self.put(&[op::STACK_GLOBAL]);
        } else if let [first, rest @ ..] = path.as_slice()
            && !rest.is_empty()
        {
            // Names with dots are unknown to old readers: getattr(getattr(first, …), …).
            let getattr = self.getattr_function();
            for _ in rest {
                self.save(&getattr, true)?;
                if self.protocol < 2 {
                    self.put(&[op::MARK]);
                }
            }
            self.put_names(&module, first)?;
            for part in rest {
                self.save(part, true)?;
                self.put(&[if self.protocol < 2 { op::TUPLE } else { op::TUPLE2 }, op::REDUCE]);
            }
        } else {
            self.put_names(&module, &name)?;
        }
        self.memoize(object);
        Ok(())
    }

    /// Pickles an object as its code in the extension registry, if it has one.
    fn save_extension(&mut self, module: &Str, name: &Str) -> PyResult<bool> {
        let registry = &self.shared.extension_registry;
        if registry.is_empty() {
            return Ok(false);
        }
        let key = Tuple::from_refs(&[module, name])?;
        let Some(code) = registry.get(&key)? else { return Ok(false) };
        let wide = code.to_index()?;
        let Some(wide) = wide.to_i64() else {
            return Err(err::overflow_error("Python int too large to convert to C long"));
        };
        let Some(number) = i32::try_from(wide).ok().filter(|&number| number > 0) else {
            return Err(raise!(PyExc_RuntimeError, "extension code {wide} is out of range"));
        };
        let [a, b, c, d] = number.to_le_bytes();
        match number {
            ..=0xff => self.put(&[op::EXT1, a]),
            0x100..=0xffff => self.put(&[op::EXT2, a, b]),
            _ => self.put(&[op::EXT4, a, b, c, d]),
        }
        Ok(true)
    }

    /// `GLOBAL` with a module and a name, as they are called in Python 2 if that is asked for.
    fn put_names(&mut self, module: &Str, name: &Str) -> PyResult<()> {
        let (mut module, mut name) = (Ref::of(module), Ref::of(name));
        if self.fix_imports {
            let key = Tuple::from_refs(&[&*module, &*name])?;
            if let Some(pair) = self.shared.name_3to2.get(&key)? {
                let bad = || {
                    err::runtime_error("_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples of str")
                };
                let pair = pair.downcast::<Tuple>().filter(|pair| pair.len() == 2).ok_or_else(bad)?;
                let part = |index| pair.get(index).and_then(|part| part.downcast::<Str>()).map(Ref::of);
                module = part(0).ok_or_else(bad)?;
                name = part(1).ok_or_else(bad)?;
            } else if let Some(renamed) = self.shared.import_3to2.get(&module)? {
                module = renamed.downcast_owned().map_err(|_| {
                    err::runtime_error("_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings")
                })?;
            }
        }
        self.put(&[op::GLOBAL]);
        for (part, what) in [(&module, "module"), (&name, "global")] {
            let codec = if self.protocol >= 3 { "utf-8" } else { "ascii" };
            let encode = state::interp().hooks.get().encode;
            let text = encode(part, codec, "strict").map_err(|cause| {
                let shown = part.repr_lossy();
                let protocol = self.protocol;
                with_context(
                    pickling_error(&format!(
                        "can't pickle {what} identifier {shown} using pickle protocol {protocol}"
                    )),
                    Some(cause),
                )
            })?;
            let text = text.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
            self.put(text);
            self.put(b"\n");
        }
        Ok(())
    }
}
