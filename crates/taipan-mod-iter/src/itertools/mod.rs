//! `itertools`, a file per kind: `endless` (count, cycle, repeat), `filter` (those that leave items
//! out), `join` (those that read several iterables), `fold` (those that look at neighbours),
//! `combine` (combinatorics), `group`, `tee`.

mod combine;
mod endless;
mod filter;
mod fold;
mod group;
mod join;
mod tee;

use crate::util::{add_type, make_ready};
use taipan_object::PyResult;
use taipan_object::methods;
use taipan_object::module::{Module, ModuleSpec};

methods! {
    static METHODS = {
        args "tee" "($module, iterable, n=2, /)" = tee::tee, "A tuple of n iterators that all give the items of one iterable.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    make_ready(&group::GROUPER_SPEC)?;
    for spec in [
        &fold::ACCUMULATE_SPEC,
        &fold::BATCHED_SPEC,
        &join::CHAIN_SPEC,
        &combine::COMBINATIONS_SPEC,
        &combine::REPLACEMENT_SPEC,
        &filter::COMPRESS_SPEC,
        &endless::COUNT_SPEC,
        &endless::CYCLE_SPEC,
        &filter::DROPWHILE_SPEC,
        &filter::FILTERFALSE_SPEC,
        &group::GROUPBY_SPEC,
        &group::GROUPER_SPEC,
        &filter::ISLICE_SPEC,
        &fold::PAIRWISE_SPEC,
        &combine::PERMUTATIONS_SPEC,
        &combine::PRODUCT_SPEC,
        &endless::REPEAT_SPEC,
        &join::STARMAP_SPEC,
        &filter::TAKEWHILE_SPEC,
        &tee::TEE_SPEC,
        &tee::DATA_SPEC,
        &join::ZIP_SPEC,
    ] {
        add_type(module, spec)?;
    }
    Ok(())
}

/// `itertools`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "itertools",
    doc: "Iterators that make, filter, join and rearrange other iterators, one item at a time.",
    methods: METHODS,
    init,
};
