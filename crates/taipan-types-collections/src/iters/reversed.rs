//! `reversed`: sequences from their last item to the first.

use super::sequence_item;
use crate::util::{self, Field};
use core::cell::Cell;
use core::ffi::CStr;
use taipan_object::abi::Py_TPFLAGS_DICT_SUBCLASS;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult};
use taipan_object::native::*;
use taipan_object::protocol::{call_unbound, recursive};
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, PyReversed_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, intern, raise};

/// The state: the sequence, until the iteration has ended, and the next index.
struct Reversed {
    sequence: Field,
    index: Cell<isize>,
}
const _: () = assert!(Native::<Reversed>::SIZE <= 32);

impl Payload for Reversed {
    const TYPE: &'static StaticType = &PyReversed_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.sequence.visit(visitor);
    }
}

#[cold]
fn not_reversible(object: &Object) -> PyErr {
    raise!(PyExc_TypeError, "'{}' object is not reversible", object.ty().qualified_name())
}

fn make(ty: &Type, args: &[&Object]) -> PyResult {
    util::check_count("reversed", args.len(), 1, 1)?;
    let sequence = args[0];
    if let Some(method) = sequence.ty().lookup(intern!("__reversed__")) {
        if is_none(&method) {
            return Err(not_reversible(sequence));
        }
        return recursive("", || call_unbound(&method, sequence, &[]));
    }
    // SAFETY: a live type.
    let has_items = unsafe {
        (*sequence.ty().raw()).tp_as_sequence.as_ref().is_some_and(|table| table.sq_item.is_some())
    };
    if !has_items || sequence.ty().has_flag(Py_TPFLAGS_DICT_SUBCLASS) {
        return Err(not_reversible(sequence));
    }
    let last = sequence.len()?.cast_signed() - 1;
    let state = Reversed { sequence: Field::of(sequence), index: Cell::new(last) };
    Ok(native_new(ty, state)?.upcast())
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    util::no_keywords("reversed", kwargs)?;
    make(ty, args.items())
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    make(ty, util::only_positional("reversed", &args)?)
}

fn next(it: &Native<Reversed>) -> PyResult<Option<Ref>> {
    let Some(sequence) = it.sequence.get() else { return Ok(None) };
    let index = it.index.get();
    if index >= 0
        && let Some(item) = recursive("", || sequence_item(&sequence, index))?
    {
        it.index.set(index - 1);
        return Ok(Some(item));
    }
    it.index.set(-1);
    it.sequence.take();
    Ok(None)
}

fn length_hint(it: &Native<Reversed>) -> PyResult<isize> {
    let Some(sequence) = it.sequence.get() else { return Ok(0) };
    let (len, left) = (sequence.len()?.cast_signed(), it.index.get() + 1);
    Ok(if len < left { 0 } else { left })
}

fn reduce(it: &Native<Reversed>) -> PyResult {
    let ty = it.object().ty().new_ref();
    match it.sequence.get() {
        Some(sequence) => util::reduced(ty, &[&sequence], Some(it.index.get().into_py()?)),
        None => util::reduced(ty, &[&*Tuple::empty()], None),
    }
}

fn set_state(it: &Native<Reversed>, state: &Object) -> PyResult<()> {
    let index = util::state_index(state)?;
    if let Some(sequence) = it.sequence.get() {
        it.index.set(index.clamp(-1, sequence.len()?.cast_signed() - 1));
    }
    Ok(())
}

taipan_object::methods! { static METHODS = {
    noargs "__length_hint__" "($self, /)" = length_hint, "How many items are left, as far as is known.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the iterator and its place for pickling.";
    one "__setstate__" "($self, object, /)" = set_state, "Go to the place that a pickle recorded.";
} }

const DOC: &CStr =
    c"reversed(sequence, /)\n--\n\nAn iterator over the items of a sequence from the last to the first.";

/// `reversed`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        Native::<Reversed>::DEALLOC,
        Native::<Reversed>::TRAVERSE,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_iter(util::own_iterator),
        tp_iternext(next),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PyReversed_Type)
};
