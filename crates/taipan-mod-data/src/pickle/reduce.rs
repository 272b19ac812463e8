//! Objects that say themselves how they are pickled.

use super::op;
use super::pickler::nothing;
use super::save::Save;
use super::shared::{pickling_error, with_note};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::protocol::{call_with_dict, get_item};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern};

/// How an object is shown in messages about what it is not.
fn shown(object: &Object) -> String {
    object.ty().qualified_name()
}

fn is_iterator(object: &Object) -> bool {
    object.ty().lookup(intern!("__next__")).is_some()
}

/// The parts of what `__reduce__` gave.
struct Parts<'a> {
    callable: &'a Object,
    args: &'a Tuple,
    state: Option<&'a Object>,
    list_items: Option<&'a Object>,
    dict_items: Option<&'a Object>,
    state_setter: Option<&'a Object>,
}

impl<'a> Parts<'a> {
    fn new(value: &'a Tuple) -> PyResult<Parts<'a>> {
        if !(2..=6).contains(&value.len()) {
            return Err(pickling_error("tuple returned by __reduce__ must contain 2 through 6 elements"));
        }
        let part = |index| value.get(index).filter(|part| !nothing(Some(part)));
        let wrong = |place: &str, wanted: &str, got: &Object| {
            pickling_error(&format!(
                "{place} item of the tuple returned by __reduce__ must be {wanted}, not {}",
                shown(got)
            ))
        };
        let [callable, args, ..] = value.items() else {
            return Err(pickling_error("tuple returned by __reduce__ must contain 2 through 6 elements"));
        };
        if !callable.is_callable() {
            return Err(wrong("first", "callable", callable));
        }
        let Some(args) = args.downcast::<Tuple>() else { return Err(wrong("second", "a tuple", args)) };
        for (place, index) in [("fourth", 3), ("fifth", 4)] {
            if let Some(items) = part(index).filter(|items| !is_iterator(items)) {
                return Err(wrong(place, "an iterator", items));
            }
        }
        if let Some(setter) = part(5).filter(|setter| !setter.is_callable()) {
            return Err(wrong("sixth", "callable", setter));
        }
        Ok(Parts {
            callable,
            args,
            state: part(2),
            list_items: part(3),
            dict_items: part(4),
            state_setter: part(5),
        })
    }
}

/// Adds a note about a part of an object; none when there is no object.
fn part_note(error: PyErr, object: Option<&Object>, part: &str) -> PyErr {
    match object {
        Some(object) => with_note(error, &format!("when serializing {} {part}", shown(object))),
        None => error,
    }
}

impl Save<'_> {
    /// What is no built-in container.
    pub fn save_other(&mut self, object: &Object) -> PyResult<()> {
        let ty = object.ty();
        if let Some(function) = self.reducer_override.clone() {
            let value = function.call(&[object])?;
            if !value.is(taipan_object::singletons::not_implemented()) {
                return self.save_reduced(&value, object);
            }
        }
        if ty.is(&PyType_Type) {
            return self.save_type(object);
        }
        if ty.is(&PyFunction_Type) {
            return self.save_global(object, None);
        }
        let reducer = match self.dispatch_table.clone() {
            None => self.shared.dispatch_table.get(ty)?,
            Some(table) => match table.downcast::<Dict>().filter(|table| table.is_exact(&PyDict_Type)) {
                Some(table) => table.get(ty)?,
                None => match get_item(&table, ty) {
                    Ok(found) => Some(found),
                    Err(error) => error.allow(&PyExc_KeyError)?,
                },
            },
        };
        let value = if let Some(reducer) = reducer {
            reducer.call(&[object])?
        } else if ty.is_subtype(&PyType_Type) {
            return self.save_global(object, None);
        } else if let Some(reduce) = object.getattr_opt(intern!("__reduce_ex__"))? {
            reduce.call(&[&*Int::from_i64(i64::from(self.protocol))])?
        } else if let Some(reduce) = object.getattr_opt(intern!("__reduce__"))? {
            reduce.call(&[])?
        } else {
            return Err(pickling_error(&format!("Can't pickle {} object", shown(object))));
        };
        self.save_reduced(&value, object)
    }

    fn save_reduced(&mut self, value: &Object, object: &Object) -> PyResult<()> {
        if let Some(name) = value.downcast::<Str>() {
            return self.save_global(object, Some(name));
        }
        let done = match value.downcast::<Tuple>() {
            Some(parts) => self.save_reduce(parts, Some(object)),
            None => Err(pickling_error(&format!(
                "__reduce__ must return a string or tuple, not {}",
                shown(value)
            ))),
        };
        done.map_err(|error| part_note(error, Some(object), "object"))
    }

    /// Classes: the types of the singletons have no name to be found by.
    fn save_type(&mut self, object: &Object) -> PyResult<()> {
        use taipan_object::singletons::{ellipsis, none, not_implemented};
        for single in [none(), ellipsis(), not_implemented()] {
            if object.is(single.ty()) {
                let args = Tuple::from_array([single.new_ref()])?;
                return self.reduce_call(PyType_Type.new_ref().upcast(), args, object);
            }
        }
        self.save_global(object, None)
    }

    /// Pickles a part and notes which one it was if that fails.
    fn save_part(&mut self, part: &Object, object: Option<&Object>, what: &str) -> PyResult<()> {
        self.save(part, true).map_err(|error| part_note(error, object, what))
    }

    /// Checks the class that `__newobj__` is called with.
    fn check_class(class: &Object, object: Option<&Object>) -> PyResult<()> {
        if class.downcast::<Type>().is_none() {
            return Err(pickling_error(&format!(
                "first argument to __newobj__() must be a class, not {}",
                shown(class)
            )));
        }
        if class.getattr_opt(intern!("__new__"))?.is_none() {
            return Err(pickling_error("first argument to __newobj__() has no __new__"));
        }
        if let Some(object) = object {
            let own = object.getattr(intern!("__class__"))?;
            if !own.is(class) {
                return Err(pickling_error(&format!(
                    "first argument to __newobj__() must be {}, not {}",
                    own.repr()?.to_lossy(),
                    class.repr()?.to_lossy()
                )));
            }
        }
        Ok(())
    }

    fn save_newobj(&mut self, args: &Tuple, object: Option<&Object>) -> PyResult<()> {
        let Some(class) = args.get(0) else {
            return Err(pickling_error("__newobj__ expected at least 1 argument, got 0"));
        };
        Self::check_class(class, object)?;
        self.save_part(class, object, "class")?;
        let rest = args.slice(1, args.len())?;
        self.save_part(&rest, object, "__new__ arguments")?;
        self.put(&[op::NEWOBJ]);
        Ok(())
    }

    fn save_newobj_ex(&mut self, args: &Tuple, object: Option<&Object>) -> PyResult<()> {
        let &[class, positional, keywords] = args.items() else {
            return Err(pickling_error(&format!("__newobj_ex__ expected 3 arguments, got {}", args.len())));
        };
        let wrong = |place: &str, wanted: &str, got: &Object| {
            pickling_error(&format!(
                "{place} argument to __newobj_ex__() must be {wanted}, not {}",
                shown(got)
            ))
        };
        if class.downcast::<Type>().is_none() {
            return Err(wrong("first", "a class", class));
        }
        let Some(positional) = positional.downcast::<Tuple>() else {
            return Err(wrong("second", "a tuple", positional));
        };
        let Some(keywords) = keywords.downcast::<Dict>() else {
            return Err(wrong("third", "a dict", keywords));
        };
        if self.protocol >= 4 {
            self.save_part(class, object, "class")?;
            self.save_part(positional, object, "__new__ arguments")?;
            self.save_part(keywords, object, "__new__ arguments")?;
            self.put(&[op::NEWOBJ_EX]);
            return Ok(());
        }
        let mut all = vec![class.getattr(intern!("__new__"))?, class.new_ref()];
        all.extend(positional.items().iter().map(|item| item.new_ref()));
        let bound = call_with_dict(&self.shared.partial, &*Tuple::from_vec(all)?, Some(keywords))?;
        self.save_part(&bound, object, "reconstructor")?;
        self.save(&Tuple::empty(), true)?;
        self.put(&[op::REDUCE]);
        Ok(())
    }

    /// Pickles what `__reduce__` gave; `object` is what it was asked about.
    pub fn save_reduce(&mut self, value: &Tuple, object: Option<&Object>) -> PyResult<()> {
        let parts = Parts::new(value)?;
        let name = match self.protocol >= 2 {
            true => parts.callable.getattr_opt(intern!("__name__"))?,
            false => None,
        };
        let named = |wanted: &str| {
            name.as_ref().and_then(|name| name.downcast::<Str>()).is_some_and(|name| name.equals(wanted))
        };
        if named("__newobj_ex__") {
            self.save_newobj_ex(parts.args, object)?;
        } else if named("__newobj__") {
            self.save_newobj(parts.args, object)?;
        } else {
            self.save_part(parts.callable, object, "reconstructor")?;
            self.save_part(parts.args, object, "reconstructor arguments")?;
            self.put(&[op::REDUCE]);
        }
        if let Some(object) = object {
            // An object that is part of its own arguments was pickled on the way.
            if let Some(number) = self.remembered(object) {
                self.put(&[op::POP]);
                self.fetch(number);
            } else {
                self.memoize(object);
            }
        }
        let container = object.unwrap_or(value);
        if let Some(items) = parts.list_items {
            self.batch_append(items, container)?;
        }
        if let Some(items) = parts.dict_items {
            self.batch_store(items, container)?;
        }
        let Some(state) = parts.state else { return Ok(()) };
        let (Some(setter), Some(object)) = (parts.state_setter, object) else {
            self.save_part(state, object, "state")?;
            self.put(&[op::BUILD]);
            return Ok(());
        };
        self.save_part(setter, Some(object), "state setter")?;
        self.save(object, true)?;
        self.save_part(state, Some(object), "state")?;
        // What the setter gives is not wanted.
        self.put(&[op::TUPLE2, op::REDUCE, op::POP]);
        Ok(())
    }

    /// The reference to what `getattr` gives, for names with dots in old protocols.
    pub fn getattr_function(&self) -> Ref {
        self.shared.getattr.clone()
    }
}
