//! `chain`, `starmap`, `zip_longest`.

use crate::util::{Field, GC_BASE, class_getitem, no_keywords, own_keywords};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::native::*;
use taipan_object::protocol::{call_with_dict, iter_next, to_vec};
use taipan_object::singletons::none;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, methods};
use taipan_object::{bind, payload};

pub struct Chain {
    /// The iterator over the iterables.
    source: Field,
    /// The iterator that is being read.
    active: Field,
}
payload!(Chain, CHAIN, c"itertools.chain", GC_BASE, [source, active]);

fn chain_of(ty: &Type, iterables: &Object) -> PyResult {
    let source = Field::new(Some(iterables.iter()?));
    native_new(ty, Chain { source, active: Field::default() })?.into_py()
}

fn chain_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Chain>(ty, "chain", kwargs)?;
    chain_of(ty, args)
}

fn chain_from_iterable(ty: &Type, iterable: &Object) -> PyResult {
    chain_of(ty, iterable)
}

fn chain_next(chain: &Native<Chain>) -> PyResult<Option<Ref>> {
    while let Some(source) = chain.source.get() {
        let active = match chain.active.get() {
            Some(active) => active,
            None => {
                let next = iter_next(&source).and_then(|next| next.map(|next| next.iter()).transpose());
                match next {
                    Ok(Some(iterator)) => {
                        chain.active.set(Some(iterator.clone()));
                        iterator
                    }
                    ended => {
                        chain.source.set(None);
                        return ended;
                    }
                }
            }
        };
        if let Some(item) = iter_next(&active)? {
            return Ok(Some(item));
        }
        chain.active.set(None);
    }
    Ok(None)
}

methods! {
    static CHAIN_METHODS = {
        class one "from_iterable" "($type, iterable, /)" = chain_from_iterable, "A chain of the iterables that one iterable gives.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "The class with type parameters.";
    }
}

iterator!(
    CHAIN_SPEC,
    Chain,
    CHAIN,
    c"chain(*iterables)\n--\n\nThe items of one iterable after the other.",
    chain_new,
    chain_next,
    methods CHAIN_METHODS
);

pub struct Starmap {
    function: Field,
    iterator: Field,
}
payload!(Starmap, STARMAP, c"itertools.starmap", GC_BASE, [function, iterator]);

fn starmap_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Starmap>(ty, "starmap", kwargs)?;
    bind!(bound = "starmap" "(function, iterable, /)", args, None);
    let iterator = Field::new(Some(bound.required(1).iter()?));
    native_new(ty, Starmap { function: Field::of(bound.required(0)), iterator })?.into_py()
}

fn starmap_next(starmap: &Native<Starmap>) -> PyResult<Option<Ref>> {
    let (Some(function), Some(iterator)) = (starmap.function.get(), starmap.iterator.get()) else {
        return Ok(None);
    };
    let Some(args) = iter_next(&iterator)? else { return Ok(None) };
    if let Some(args) = args.downcast::<Tuple>() {
        return call_with_dict(&function, args, None).map(Some);
    }
    call_with_dict(&function, &*Tuple::from_vec(to_vec(&args)?)?, None).map(Some)
}

iterator!(
    STARMAP_SPEC,
    Starmap,
    STARMAP,
    c"starmap(function, iterable, /)\n--\n\nWhat the function gives for each tuple of arguments.",
    starmap_new,
    starmap_next
);

pub struct ZipLongest {
    /// `None` for those that have ended.
    iterators: RefCell<Vec<Option<Ref>>>,
    active: Cell<usize>,
    fill: Field,
}
payload!(ZipLongest, ZIP, c"itertools.zip_longest", GC_BASE, [iterators, fill]);

fn zip_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let mut fill = none().new_ref();
    if let Some(kwargs) = own_keywords::<ZipLongest>(ty, kwargs).or(kwargs).filter(|k| !k.is_empty()) {
        fill = match kwargs.get_text("fillvalue") {
            Some(fill) if kwargs.len() == 1 => fill,
            _ => return Err(type_error("zip_longest() got an unexpected keyword argument")),
        };
    }
    let mut iterators = Vec::with_capacity(args.len());
    for arg in args.items() {
        iterators.push(Some(arg.iter()?));
    }
    let active = Cell::new(iterators.len());
    let state = ZipLongest { iterators: RefCell::new(iterators), active, fill: Field::new(Some(fill)) };
    native_new(ty, state)?.into_py()
}

fn zip_next(zip: &Native<ZipLongest>) -> PyResult<Option<Ref>> {
    let count = zip.iterators.borrow().len();
    if count == 0 || zip.active.get() == 0 {
        return Ok(None);
    }
    let Some(fill) = zip.fill.get() else { return Ok(None) };
    let mut items = Vec::with_capacity(count);
    for index in 0..count {
        // Reading an iterator may come back here and end others.
        let iterator = zip.iterators.borrow().get(index).cloned().flatten();
        let Some(iterator) = iterator else {
            items.push(fill.clone());
            continue;
        };
        match iter_next(&iterator) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                zip.active.set(zip.active.get().saturating_sub(1));
                if zip.active.get() == 0 {
                    return Ok(None);
                }
                items.push(fill.clone());
                let ended = zip.iterators.borrow_mut().get_mut(index).and_then(Option::take);
                drop(ended);
            }
            Err(error) => {
                zip.active.set(0);
                return Err(error);
            }
        }
    }
    Ok(Some(Tuple::from_vec(items)?.upcast()))
}

iterator!(
    ZIP_SPEC,
    ZipLongest,
    ZIP,
    c"zip_longest(*iterables, fillvalue=None)\n--\n\nTuples of one item from each iterable, until the longest has ended.\n\nThose that end before give the fill value.",
    zip_new,
    zip_next
);
