//! `combinations`, `combinations_with_replacement`, `permutations`, `product`.
//!
//! All four are odometers over tuples of items: no Python code runs while they turn.

use crate::util::{Field, GC_BASE};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::to_vec;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, err, raise};
use taipan_object::{bind, payload};

/// What an odometer has done.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Fresh,
    Turning,
    Ended,
}

/// A pool of items and the places of the ones that stand in the result.
struct Wheel {
    pool: Field,
    indices: RefCell<Vec<usize>>,
    /// `permutations` only: how far each place still has to turn.
    cycles: RefCell<Vec<usize>>,
    stage: Cell<Stage>,
}

macro_rules! wheel_payload {
    ($payload:ident, $ty:ident, $python:literal) => {
        pub struct $payload(Wheel);

        /// The type object.
        pub static $ty: taipan_object::statics::StaticType =
            taipan_object::statics::StaticType::native($python, Native::<$payload>::SIZE, GC_BASE);

        impl Payload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                crate::util::Held::show(&self.0.pool, visitor);
            }
            fn clear(&self) {
                self.0.pool.set(None);
            }
        }
    };
}
wheel_payload!(Combinations, COMBINATIONS, c"itertools.combinations");
wheel_payload!(Replacement, REPLACEMENT, c"itertools.combinations_with_replacement");
wheel_payload!(Permutations, PERMUTATIONS, c"itertools.permutations");

fn places(values: impl ExactSizeIterator<Item = usize>) -> PyResult<RefCell<Vec<usize>>> {
    let mut all = Vec::new();
    all.try_reserve_exact(values.len()).map_err(|_| err::memory_error())?;
    all.extend(values);
    Ok(RefCell::new(all))
}

fn length(r: &Object) -> PyResult<usize> {
    non_negative(r.to_isize()?)
}

fn non_negative(r: isize) -> PyResult<usize> {
    usize::try_from(r).map_err(|_| err::value_error("r must be non-negative"))
}

fn pool_of(iterable: &Object) -> PyResult<Ref<Tuple>> {
    Tuple::from_vec(to_vec(iterable)?)
}

impl Wheel {
    fn new(pool: Ref<Tuple>, indices: RefCell<Vec<usize>>, ended: bool) -> Self {
        let stage = Cell::new(if ended { Stage::Ended } else { Stage::Fresh });
        Self { pool: Field::new(Some(pool.upcast())), indices, cycles: RefCell::default(), stage }
    }

    /// The first result as it is, each later one after a turn that says whether there is one.
    fn next(&self, result: usize, turn: impl FnOnce(&mut [usize], usize) -> bool) -> PyResult<Option<Ref>> {
        let Some(pool) = self.pool.get() else { return Ok(None) };
        let Some(pool) = pool.downcast::<Tuple>() else { return Ok(None) };
        let mut indices = self.indices.borrow_mut();
        match self.stage.get() {
            Stage::Ended => return Ok(None),
            Stage::Fresh => self.stage.set(Stage::Turning),
            Stage::Turning => {
                if !turn(&mut indices, pool.len()) {
                    self.stage.set(Stage::Ended);
                    return Ok(None);
                }
            }
        }
        let items: Vec<&Object> = indices[..result].iter().filter_map(|&index| pool.get(index)).collect();
        Ok(Some(Tuple::from_refs(&items)?.upcast()))
    }
}

fn combinations_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "combinations" "(iterable, r)", args, kwargs);
    let r = bound.required(1).to_isize()?;
    let pool = pool_of(bound.required(0))?;
    let r = non_negative(r)?;
    let ended = r > pool.len();
    let indices = places(0..if ended { 0 } else { r })?;
    native_new(ty, Combinations(Wheel::new(pool, indices, ended)))?.into_py()
}

fn combinations_next(state: &Native<Combinations>) -> PyResult<Option<Ref>> {
    let r = state.0.indices.borrow().len();
    state.0.next(r, |indices, n| {
        // The rightmost place that has room moves on, those after it follow closely.
        let Some(at) = (0..r).rev().find(|&i| indices[i] != i + n - r) else { return false };
        let first = indices[at] + 1;
        for (step, place) in indices[at..].iter_mut().enumerate() {
            *place = first + step;
        }
        true
    })
}

iterator!(
    COMBINATIONS_SPEC,
    Combinations,
    COMBINATIONS,
    c"combinations(iterable, r)\n--\n\nThe ways to pick r of the items, in their order.",
    combinations_new,
    combinations_next
);

fn replacement_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "combinations_with_replacement" "(iterable, r)", args, kwargs);
    let r = bound.required(1).to_isize()?;
    let pool = pool_of(bound.required(0))?;
    let r = non_negative(r)?;
    let ended = pool.is_empty() && r > 0;
    let indices = places(core::iter::repeat_n(0, if ended { 0 } else { r }))?;
    native_new(ty, Replacement(Wheel::new(pool, indices, ended)))?.into_py()
}

fn replacement_next(state: &Native<Replacement>) -> PyResult<Option<Ref>> {
    let r = state.0.indices.borrow().len();
    state.0.next(r, |indices, n| {
        let Some(at) = (0..r).rev().find(|&i| indices[i] + 1 != n) else { return false };
        let next = indices[at] + 1;
        indices[at..].fill(next);
        true
    })
}

iterator!(
    REPLACEMENT_SPEC,
    Replacement,
    REPLACEMENT,
    c"combinations_with_replacement(iterable, r)\n--\n\nThe ways to pick r items, in their order, each as often as one likes.",
    replacement_new,
    replacement_next
);

fn permutations_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "permutations" "(iterable, r=None)", args, kwargs);
    let pool = pool_of(bound.required(0))?;
    let n = pool.len();
    let r = match bound.get_some(1) {
        None => n,
        Some(r) if r.downcast::<Int>().is_some() => length(r)?,
        Some(_) => return Err(err::type_error("Expected int as r")),
    };
    let ended = r > n;
    let r = if ended { 0 } else { r };
    let wheel = Wheel::new(pool, places(0..n)?, ended);
    wheel.cycles.replace(places((0..r).map(|i| n - i))?.into_inner());
    native_new(ty, Permutations(wheel))?.into_py()
}

fn permutations_next(state: &Native<Permutations>) -> PyResult<Option<Ref>> {
    let mut cycles = state.0.cycles.borrow_mut();
    let r = cycles.len();
    state.0.next(r, |indices, n| {
        for i in (0..r).rev() {
            cycles[i] -= 1;
            if cycles[i] == 0 {
                // Every item has stood here: back to the order that was.
                indices[i..].rotate_left(1);
                cycles[i] = n - i;
            } else {
                let other = n - cycles[i];
                indices.swap(i, other);
                return true;
            }
        }
        false
    })
}

iterator!(
    PERMUTATIONS_SPEC,
    Permutations,
    PERMUTATIONS,
    c"permutations(iterable, r=None)\n--\n\nThe ways to put r of the items in a row; without r, all of them.",
    permutations_new,
    permutations_next
);

pub struct Product {
    /// A tuple of the pools.
    pools: Field,
    indices: RefCell<Vec<usize>>,
    stage: Cell<Stage>,
}
payload!(Product, PRODUCT, c"itertools.product", GC_BASE, [pools]);

fn product_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let mut repeat = 1;
    if let Some(kwargs) = kwargs {
        let mut position = 0;
        while let Some((name, value)) = kwargs.next(&mut position) {
            let name = name.str_lossy();
            if name != "repeat" {
                return Err(raise!(PyExc_TypeError, "product() got an unexpected keyword argument '{name}'"));
            }
            repeat = value.to_isize()?;
        }
    }
    let repeat =
        usize::try_from(repeat).map_err(|_| err::value_error("repeat argument cannot be negative"))?;
    let count = if repeat == 0 { 0 } else { args.len() };
    let total = count.checked_mul(repeat).filter(|&total| total <= isize::MAX.unsigned_abs() / 8);
    let total = total.ok_or_else(|| err::overflow_error("repeat argument too large"))?;
    let indices = places(core::iter::repeat_n(0, total))?;
    let mut pools: Vec<Ref> = Vec::new();
    pools.try_reserve_exact(total).map_err(|_| err::memory_error())?;
    for arg in &args.items()[..count] {
        pools.push(pool_of(arg)?.upcast());
    }
    for index in count..total {
        pools.push(pools[index - count].clone());
    }
    let pools = Field::new(Some(Tuple::from_vec(pools)?.upcast()));
    native_new(ty, Product { pools, indices, stage: Cell::new(Stage::Fresh) })?.into_py()
}

fn product_next(state: &Native<Product>) -> PyResult<Option<Ref>> {
    let Some(pools) = state.pools.get() else { return Ok(None) };
    let Some(pools) = pools.downcast::<Tuple>() else { return Ok(None) };
    let pool = |index: usize| pools.get(index).and_then(|pool| pool.downcast::<Tuple>());
    let mut indices = state.indices.borrow_mut();
    let alive = match state.stage.get() {
        Stage::Ended => false,
        Stage::Fresh => (0..pools.len()).all(|index| pool(index).is_some_and(|pool| !pool.is_empty())),
        Stage::Turning => {
            let mut turned = false;
            for index in (0..indices.len()).rev() {
                indices[index] += 1;
                if pool(index).is_some_and(|pool| indices[index] < pool.len()) {
                    turned = true;
                    break;
                }
                indices[index] = 0;
            }
            turned
        }
    };
    state.stage.set(if alive { Stage::Turning } else { Stage::Ended });
    if !alive {
        return Ok(None);
    }
    let items: Vec<&Object> = indices
        .iter()
        .enumerate()
        .filter_map(|(index, &place)| pool(index).and_then(|pool| pool.get(place)))
        .collect();
    Ok(Some(Tuple::from_refs(&items)?.upcast()))
}

iterator!(
    PRODUCT_SPEC,
    Product,
    PRODUCT,
    c"product(*iterables, repeat=1)\n--\n\nThe tuples of one item from each iterable, as nested loops give them.\n\nWith repeat, the iterables are taken that many times.",
    product_new,
    product_next
);
