//! `zip`, `map` and `filter`.

use crate::util::{self, Field};
use core::cell::Cell;
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, type_error, value_error};
use taipan_object::native::*;
use taipan_object::protocol::{iter_next, recursive};
use taipan_object::singletons::{bool_object, is_none};
use taipan_object::statics::{
    PyBool_Type, PyExc_TypeError, PyFilter_Type, PyMap_Type, PyZip_Type, StaticType,
};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, TypeSpec, raise};

/// The keyword `strict`, the only one that `zip` and `map` know.
fn strict_argument(name: &str, kwargs: Option<&Dict>) -> PyResult<bool> {
    let Some(kwargs) = kwargs.filter(|kwargs| !kwargs.is_empty()) else { return Ok(false) };
    if kwargs.len() > 1 {
        return Err(raise!(
            PyExc_TypeError,
            "{name}() takes at most 1 keyword argument ({} given)",
            kwargs.len()
        ));
    }
    let mut position = 0;
    let Some((keyword, value)) = kwargs.next(&mut position) else { return Ok(false) };
    match keyword.downcast::<Str>() {
        Some(text) if text.equals("strict") => value.is_true(),
        Some(text) => {
            Err(raise!(PyExc_TypeError, "{name}() got an unexpected keyword argument '{}'", text.to_lossy()))
        }
        None => Err(type_error("keywords must be strings")),
    }
}

fn iterators(iterables: &[&Object]) -> PyResult<Ref<Tuple>> {
    let all: PyResult<Vec<Ref>> = iterables.iter().map(|iterable| iterable.iter()).collect();
    Tuple::from_vec(all?)
}

/// One item of each iterator; `None` when one of them has ended.
fn step_all(name: &str, iterators: &Tuple, strict: bool) -> PyResult<Option<Vec<Ref>>> {
    let mut items = Vec::with_capacity(iterators.len());
    for (place, iterator) in iterators.items().iter().enumerate() {
        match iter_next(iterator)? {
            Some(item) => items.push(item),
            None if strict => return check_ended(name, iterators, place).map(|()| None),
            None => return Ok(None),
        }
    }
    Ok(Some(items))
}

/// With `strict`, the iterators in front must not have had an item more, and those behind none.
#[cold]
fn check_ended(name: &str, iterators: &Tuple, place: usize) -> PyResult<()> {
    if place > 0 {
        return Err(uneven(name, place, "shorter"));
    }
    for (place, iterator) in iterators.items().iter().enumerate().skip(1) {
        if iter_next(iterator)?.is_some() {
            return Err(uneven(name, place, "longer"));
        }
    }
    Ok(())
}

#[cold]
fn uneven(name: &str, place: usize, how: &str) -> PyErr {
    let others = if place == 1 { " 1".to_owned() } else { format!("s 1-{place}") };
    value_error(&format!("{name}() argument {} is {how} than argument{others}", place + 1))
}

fn cleared() -> PyErr {
    type_error("the iterator has been cleared")
}

fn tuple_of(field: &Field) -> Option<Ref<Tuple>> {
    // SAFETY: the field only ever holds a tuple.
    field.get().map(|tuple| unsafe { tuple.cast_owned() })
}

/// The state of `zip`.
struct Zip {
    iterators: Field,
    strict: Cell<bool>,
}
const _: () = assert!(Native::<Zip>::SIZE <= 48);

impl Payload for Zip {
    const TYPE: &'static StaticType = &PyZip_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.iterators.visit(visitor);
    }
}

fn new_zip(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let strict = Cell::new(strict_argument("zip", kwargs)?);
    let state = Zip { iterators: Field::new(Some(iterators(args.items())?)), strict };
    Ok(native_new(ty, state)?.upcast())
}

fn next_zip(it: &Native<Zip>) -> PyResult<Option<Ref>> {
    let Some(iterators) = tuple_of(&it.iterators).filter(|all| !all.is_empty()) else { return Ok(None) };
    let items = recursive("", || step_all("zip", &iterators, it.strict.get()))?;
    items.map(|items| Ok(Tuple::from_vec(items)?.upcast())).transpose()
}

/// The tuple of type, arguments and perhaps `True` that describes a strict or other iterator.
fn reduce_with(object: &Object, args: &[&Object], strict: bool) -> PyResult {
    util::reduced(object.ty().new_ref(), args, strict.then(|| bool_object(true).new_ref()))
}

taipan_object::methods! { static ZIP_METHODS = {
    noargs "__reduce__" "($self, /)" = |it: &Native<Zip>| reduce_with(it.object(), tuple_of(&it.iterators).ok_or_else(cleared)?.items(), it.strict.get()), "Describe the iterator for pickling.";
    one "__setstate__" "($self, object, /)" = |it: &Native<Zip>, state: &Object| -> PyResult<()> { it.strict.set(state.is_true()?); Ok(()) }, "Set whether lengths are checked.";
} }

const ZIP_DOC: &CStr = c"zip(*iterables, strict=False)\n--\n\nAn iterator over tuples of one item from each iterable.\n\nIt ends with the shortest iterable; with strict all must be equally long.";

/// `zip`.
pub static ZIP: TypeSpec = TypeSpec {
    doc: Some(ZIP_DOC),
    slots: &[
        Native::<Zip>::DEALLOC,
        Native::<Zip>::TRAVERSE,
        tp_new(new_zip),
        tp_iter(util::own_iterator),
        tp_iternext(next_zip),
    ],
    methods: ZIP_METHODS,
    ..TypeSpec::new(&PyZip_Type)
};

/// The state of `map`.
struct Map {
    iterators: Field,
    function: Field,
    strict: Cell<bool>,
}
const _: () = assert!(Native::<Map>::SIZE <= 40);

impl Payload for Map {
    const TYPE: &'static StaticType = &PyMap_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.iterators.visit(visitor);
        self.function.visit(visitor);
    }
}

fn new_map(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let strict = Cell::new(strict_argument("map", kwargs)?);
    let [function, iterables @ ..] = args.items() else { return Err(too_few()) };
    if iterables.is_empty() {
        return Err(too_few());
    }
    let iterators = Field::new(Some(iterators(iterables)?));
    Ok(native_new(ty, Map { iterators, function: Field::of(function), strict })?.upcast())
}

#[cold]
fn too_few() -> PyErr {
    type_error("map() must have at least two arguments.")
}

fn next_map(it: &Native<Map>) -> PyResult<Option<Ref>> {
    let (Some(iterators), Some(function)) = (tuple_of(&it.iterators), it.function.get()) else {
        return Ok(None);
    };
    recursive("", || {
        if let [iterator] = iterators.items() {
            let Some(item) = iter_next(iterator)? else { return Ok(None) };
            return function.call(&[&item]).map(Some);
        }
        let Some(items) = step_all("map", &iterators, it.strict.get())? else { return Ok(None) };
        let args: Vec<&Object> = items.iter().map(|item| &**item).collect();
        function.call(&args).map(Some)
    })
}

fn reduce_map(it: &Native<Map>) -> PyResult {
    let (iterators, function) =
        (tuple_of(&it.iterators).ok_or_else(cleared)?, it.function.get().ok_or_else(cleared)?);
    let mut args: Vec<&Object> = vec![&function];
    args.extend_from_slice(iterators.items());
    reduce_with(it.object(), &args, it.strict.get())
}

taipan_object::methods! { static MAP_METHODS = {
    noargs "__reduce__" "($self, /)" = reduce_map, "Describe the iterator for pickling.";
    one "__setstate__" "($self, object, /)" = |it: &Native<Map>, state: &Object| -> PyResult<()> { it.strict.set(state.is_true()?); Ok(()) }, "Set whether lengths are checked.";
} }

const MAP_DOC: &CStr = c"map(function, iterable, /, *iterables, strict=False)\n--\n\nAn iterator over the results of calling a function with one item from each iterable.\n\nIt ends with the shortest iterable; with strict all must be equally long.";

/// `map`.
pub static MAP: TypeSpec = TypeSpec {
    doc: Some(MAP_DOC),
    slots: &[
        Native::<Map>::DEALLOC,
        Native::<Map>::TRAVERSE,
        tp_new(new_map),
        tp_iter(util::own_iterator),
        tp_iternext(next_map),
    ],
    methods: MAP_METHODS,
    ..TypeSpec::new(&PyMap_Type)
};

/// The state of `filter`.
struct Filter {
    function: Field,
    iterator: Field,
}
const _: () = assert!(Native::<Filter>::SIZE <= 32);

impl Payload for Filter {
    const TYPE: &'static StaticType = &PyFilter_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.function.visit(visitor);
        self.iterator.visit(visitor);
    }
}

fn new_filter(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if ty.is(&PyFilter_Type) || util::same_init(ty, &PyFilter_Type) {
        util::no_keywords("filter", kwargs)?;
    }
    util::check_count("filter", args.len(), 2, 2)?;
    let iterator = Field::new(Some(args.items()[1].iter()?));
    Ok(native_new(ty, Filter { function: Field::of(args.items()[0]), iterator })?.upcast())
}

fn next_filter(it: &Native<Filter>) -> PyResult<Option<Ref>> {
    let (Some(function), Some(iterator)) = (it.function.get(), it.iterator.get()) else {
        return Ok(None);
    };
    let truth = is_none(&function) || function.is(&PyBool_Type);
    recursive("", || {
        while let Some(item) = iter_next(&iterator)? {
            let wanted = if truth { item.is_true()? } else { function.call(&[&item])?.is_true()? };
            if wanted {
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

fn reduce_filter(it: &Native<Filter>) -> PyResult {
    let (function, iterator) =
        (it.function.get().ok_or_else(cleared)?, it.iterator.get().ok_or_else(cleared)?);
    util::reduced(it.object().ty().new_ref(), &[&function, &iterator], None)
}

taipan_object::methods! { static FILTER_METHODS = {
    noargs "__reduce__" "($self, /)" = reduce_filter, "Describe the iterator for pickling.";
} }

const FILTER_DOC: &CStr = c"filter(function, iterable, /)\n--\n\nAn iterator over the items for which the function gives a true result, or over the\ntrue items when the function is None.";

/// `filter`.
pub static FILTER: TypeSpec = TypeSpec {
    doc: Some(FILTER_DOC),
    slots: &[
        Native::<Filter>::DEALLOC,
        Native::<Filter>::TRAVERSE,
        tp_new(new_filter),
        tp_iter(util::own_iterator),
        tp_iternext(next_filter),
    ],
    methods: FILTER_METHODS,
    ..TypeSpec::new(&PyFilter_Type)
};
