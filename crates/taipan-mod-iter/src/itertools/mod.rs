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
    for (name, spec) in [
        ("accumulate", &fold::ACCUMULATE_SPEC),
        ("batched", &fold::BATCHED_SPEC),
        ("chain", &join::CHAIN_SPEC),
        ("combinations", &combine::COMBINATIONS_SPEC),
        ("combinations_with_replacement", &combine::REPLACEMENT_SPEC),
        ("compress", &filter::COMPRESS_SPEC),
        ("count", &endless::COUNT_SPEC),
        ("cycle", &endless::CYCLE_SPEC),
        ("dropwhile", &filter::DROPWHILE_SPEC),
        ("filterfalse", &filter::FILTERFALSE_SPEC),
        ("groupby", &group::GROUPBY_SPEC),
        ("_grouper", &group::GROUPER_SPEC),
        ("islice", &filter::ISLICE_SPEC),
        ("pairwise", &fold::PAIRWISE_SPEC),
        ("permutations", &combine::PERMUTATIONS_SPEC),
        ("product", &combine::PRODUCT_SPEC),
        ("repeat", &endless::REPEAT_SPEC),
        ("starmap", &join::STARMAP_SPEC),
        ("takewhile", &filter::TAKEWHILE_SPEC),
        ("_tee", &tee::TEE_SPEC),
        ("_tee_dataobject", &tee::DATA_SPEC),
        ("zip_longest", &join::ZIP_SPEC),
    ] {
        add_type(module, name, spec)?;
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
