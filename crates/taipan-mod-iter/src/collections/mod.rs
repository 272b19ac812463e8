//! `_collections`: `deque`, `defaultdict`, `OrderedDict` (which lives with `dict`), what `Counter` and
//! `namedtuple` need.

mod defaultdict;
mod deque;
mod deque_methods;
mod tuplegetter;

use crate::util::{add_type, make_ready};
use taipan_object::dict::{Dict, hash_key};
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next, set_item};
use taipan_object::statics::{PyDict_Type, PyODict_Type};
use taipan_object::{Object, PyResult, int, intern, methods};

/// Whether a mapping reads and stores as `dict` does, so that its table may be used directly.
fn counts_plainly(mapping: &Object) -> bool {
    let same = |name| {
        let (own, base) = (mapping.ty().lookup(name), PyDict_Type.lookup(name));
        matches!((own, base), (Some(own), Some(base)) if own.is(&base))
    };
    mapping.downcast::<Dict>().is_some() && same(intern!("get")) && same(intern!("__setitem__"))
}

/// Adds one to the count of each item.
fn count_elements(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (mapping, iterator) = (args.required(0), args.required(1).iter()?);
    let one = int::small(1);
    if counts_plainly(mapping)
        && let Some(dict) = mapping.downcast::<Dict>()
    {
        while let Some(key) = iter_next(&iterator)? {
            let hash = hash_key(&key)?;
            let count = match dict.get_hashed(&key, hash)? {
                None => one.new_ref(),
                Some(old) => binary_op(&old, one, BinaryOp::Add)?,
            };
            dict.set_hashed(&key, hash, count)?;
        }
        return Ok(());
    }
    let get = mapping.getattr(intern!("get"))?;
    while let Some(key) = iter_next(&iterator)? {
        let old = get.call(&[&key, int::small(0)])?;
        set_item(mapping, &key, &*binary_op(&old, one, BinaryOp::Add)?)?;
    }
    Ok(())
}

methods! {
    static METHODS = {
        args "_count_elements" "($module, mapping, iterable, /)" = count_elements, "Add one to the number that the mapping holds for each item of the iterable.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    make_ready(&deque::ITERATOR_SPEC)?;
    add_type(module, &deque::SPEC)?;
    add_type(module, &defaultdict::SPEC)?;
    module.add("OrderedDict", &PyODict_Type)?;
    add_type(module, &deque::ITERATOR_SPEC)?;
    add_type(module, &deque::REVERSE_SPEC)?;
    add_type(module, &tuplegetter::SPEC)
}

/// `_collections`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_collections",
    doc: "Containers beyond the builtin ones.\n- deque:        a list that is quick at both ends\n- defaultdict:  a dict that makes missing values\n",
    methods: METHODS,
    init,
};
