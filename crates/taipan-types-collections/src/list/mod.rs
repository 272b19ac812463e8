//! `list` as Python sees it.
//!
//! Problem: any comparison, hash or finaliser may change the very list that is being worked on.
//! Idea: every loop over items reads the length afresh and takes a new reference to one item at a
//! time; operations that replace many items take the old ones out first and release them last.

pub mod iter;
mod methods;
mod slots;
mod sort;

use crate::util;
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::list::{self, List};
use taipan_object::native::*;
use taipan_object::statics::PyList_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec};

pub(crate) use methods::bound;
pub use methods::extend as list_extend;
pub use sort::sort as list_sort;

const DOC: &CStr = c"list(iterable=(), /)\n--\n\nA sequence of any objects that can grow, shrink and be changed in place.\n\nWithout an argument the new list is empty; otherwise it holds the items of the iterable.";

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    if ty.is(&PyList_Type) {
        return Ok(List::new()?.upcast());
    }
    util::allocate(ty, 0)
}

fn init(list: &List, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let ty = list.ty();
    let lenient = !ty.is(&PyList_Type) && !util::same_new(ty, &PyList_Type);
    let iterable = util::one_of_tuple("list", args, kwargs, lenient)?;
    fill(list, iterable)
}

fn fill(list: &List, iterable: Option<&Object>) -> PyResult<()> {
    if !list.is_empty() {
        list.clear();
    }
    iterable.map_or(Ok(()), |iterable| methods::extend(list, iterable))
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let args = util::only_positional("list", &args)?;
    let iterable = util::at_most_one("list", args)?;
    let list = new(ty, &Tuple::empty(), None)?;
    // SAFETY: made as an instance of `list` or of a subclass.
    fill(unsafe { list.cast() }, iterable)?;
    Ok(list)
}

/// A new list of the items of an iterable.
///
/// # Errors
/// What the iteration raises.
pub fn from_iterable(iterable: &Object) -> PyResult<Ref<List>> {
    let list = List::new()?;
    methods::extend(&list, iterable)?;
    Ok(list)
}

/// `list`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(list::dealloc),
        raw_traverse(list::traverse),
        raw_clear(list::tp_clear),
        tp_new(new),
        tp_init(init),
        tp_vectorcall(vectorcall),
        tp_repr(slots::repr),
        tp_richcompare(slots::compare),
        tp_iter(iter::new_forward),
        sq_length(slots::length),
        mp_length(slots::length),
        sq_item(slots::item),
        sq_ass_item(slots::set_index),
        sq_contains(slots::contains),
        sq_concat(slots::concat),
        sq_repeat(slots::repeat),
        sq_inplace_concat(slots::inplace_concat),
        sq_inplace_repeat(slots::inplace_repeat),
        mp_subscript(slots::subscript),
        mp_ass_subscript(slots::store),
    ],
    methods: methods::METHODS,
    ..TypeSpec::new(&PyList_Type)
};
