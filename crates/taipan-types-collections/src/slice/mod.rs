//! `slice` as Python sees it; the arithmetic of machine-sized slicing is in
//! [`taipan_object::slice`], that of any size in [`crate::range::slice_bounds`].

use crate::range::slice_bounds;
use crate::util::{self, Text};
use core::ffi::CStr;
use core::mem::offset_of;
use taipan_object::abi::{Py_READONLY, PySliceObject, T_OBJECT};
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, value_error};
use taipan_object::native::*;
use taipan_object::protocol::{recursive, richcompare};
use taipan_object::singletons::none;
use taipan_object::slice::{self, Slice};
use taipan_object::statics::PySlice_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec};

/// What the instruction that builds slices does; a missing step is `None`.
///
/// # Errors
/// `MemoryError`.
pub fn build_slice(start: &Object, stop: &Object, step: Option<&Object>) -> PyResult<Ref<Slice>> {
    Slice::new(start, stop, step.unwrap_or(none()))
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    util::no_keywords("slice", kwargs)?;
    util::check_count("slice", args.len(), 1, 3)?;
    let slice = match args.items() {
        [stop] => Slice::new(none(), stop, none()),
        [start, stop] => Slice::new(start, stop, none()),
        all => Slice::new(all[0], all[1], all[2]),
    };
    Ok(slice?.upcast())
}

fn parts(slice: &Slice) -> PyResult<Ref<Tuple>> {
    Tuple::from_refs(&[slice.start(), slice.stop(), slice.step()])
}

fn compare(slice: &Slice, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<Slice>() else { return Ok(util::not_implemented()) };
    if slice.is(other) {
        return matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge).into_py();
    }
    richcompare(&*parts(slice)?, &*parts(other)?, op)
}

fn hash(slice: &Slice) -> PyResult<isize> {
    let mut hasher = taipan_num::hash::TupleHasher::default();
    recursive(" while hashing a slice", || {
        for part in [slice.start(), slice.stop(), slice.step()] {
            hasher.add(part.hash()? as i64);
        }
        Ok(hasher.finish_without_length() as isize)
    })
}

fn repr(slice: &Slice) -> PyResult {
    let mut text = Text::new();
    text.ascii("slice(");
    text.repr(slice.start())?;
    text.ascii(", ");
    text.repr(slice.stop())?;
    text.ascii(", ");
    text.repr(slice.step())?;
    text.ascii(")");
    Ok(text.finish()?.upcast())
}

fn indices(slice: &Slice, length: &Object) -> PyResult {
    let length = length.to_index()?;
    if length.is_negative() {
        return Err(value_error("length should not be negative"));
    }
    let (start, stop, step) = slice_bounds(slice, &length)?;
    Ok(Tuple::from_array([start.upcast(), stop.upcast(), step.upcast()])?.upcast())
}

fn reduce(slice: &Slice) -> PyResult {
    util::reduced(slice.ty().new_ref(), &[slice.start(), slice.stop(), slice.step()], None)
}

taipan_object::methods! { static METHODS = {
    one "indices" "($self, object, /)" = indices, "Start, stop and step of the slice in a sequence of the given length.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the slice for pickling.";
} }

const DOC: &CStr = c"slice(stop)\nslice(start, stop[, step])\n\nWhat stands between the brackets of an extended subscript such as a[0:10:2].";

/// `slice`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(slice::dealloc),
        raw_traverse(slice::traverse),
        tp_new(new),
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
    ],
    methods: METHODS,
    members: &[
        Member::new(c"start", T_OBJECT, offset_of!(PySliceObject, start), Py_READONLY, c""),
        Member::new(c"stop", T_OBJECT, offset_of!(PySliceObject, stop), Py_READONLY, c""),
        Member::new(c"step", T_OBJECT, offset_of!(PySliceObject, step), Py_READONLY, c""),
    ],
    ..TypeSpec::new(&PySlice_Type)
};
