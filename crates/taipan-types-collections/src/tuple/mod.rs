//! `tuple` as Python sees it. Items never change once Python code can see the tuple, so a slice of
//! them may be held while other code runs, as long as the tuple itself is.

use crate::list::bound;
use crate::list::iter::new_tuple;
use crate::util::{self, Text};
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, index_error, value_error};
use taipan_object::native::*;
use taipan_object::protocol::{has_index, recursive, repr_guard, richcompare, to_vec};
use taipan_object::slice::{self, Slice};
use taipan_object::statics::{PyExc_IndexError, PyExc_TypeError, PyTuple_Type};
use taipan_object::tuple::{self, Tuple};
use taipan_object::{Object, Ref, Type, TypeSpec, raise};

const DOC: &CStr = c"tuple(iterable=(), /)\n--\n\nA sequence of any objects that never changes.\n\nWithout an argument it is the empty tuple; otherwise it holds the items of the\niterable. A tuple given as argument is returned itself.";

/// A tuple of the items of an iterable; an exact tuple is returned itself.
///
/// # Errors
/// What the iteration raises.
pub fn from_iterable(iterable: &Object) -> PyResult<Ref<Tuple>> {
    if iterable.is_exact(&PyTuple_Type) {
        // SAFETY: an exact tuple.
        return Ok(Ref::of(unsafe { iterable.cast() }));
    }
    Tuple::from_vec(to_vec(iterable)?)
}

fn make(ty: &Type, iterable: Option<&Object>) -> PyResult {
    let items = iterable.map_or_else(|| Ok(Tuple::empty()), from_iterable)?;
    if ty.is(&PyTuple_Type) {
        return Ok(items.upcast());
    }
    let new = util::allocate(ty, items.len())?;
    // SAFETY: a fresh tuple with as many places.
    unsafe {
        let tuple: &Tuple = new.cast();
        (*tuple.raw()).ob_hash = -1;
        for (index, item) in items.items().iter().enumerate() {
            tuple.items_ptr().add(index).write(item.new_ref().into_ptr());
        }
    }
    Ok(new)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let lenient = !ty.is(&PyTuple_Type) && !util::same_init(ty, &PyTuple_Type);
    make(ty, util::one_of_tuple("tuple", args, kwargs, lenient)?)
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let args = util::only_positional("tuple", &args)?;
    make(ty, util::at_most_one("tuple", args)?)
}

fn length(tuple: &Tuple) -> PyResult<isize> {
    Ok(tuple.len().cast_signed())
}

#[cold]
fn out_of_range() -> PyErr {
    index_error("tuple index out of range")
}

fn item(tuple: &Tuple, index: isize) -> PyResult {
    let item = usize::try_from(index).ok().and_then(|index| tuple.get(index));
    item.map(Object::new_ref).ok_or_else(out_of_range)
}

fn subscript(tuple: &Tuple, key: &Object) -> PyResult {
    if has_index(key) {
        let index = key.to_index_clamped(Some(&PyExc_IndexError))?;
        return item(tuple, if index < 0 { index + tuple.len().cast_signed() } else { index });
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(raise!(
            PyExc_TypeError,
            "tuple indices must be integers or slices, not {}",
            key.ty().message_name()
        ));
    };
    let (start, stop, step) = slice.unpack()?;
    let range = slice::adjust(tuple.len(), start, stop, step);
    if range.count == tuple.len() && step == 1 && tuple.is_exact(&PyTuple_Type) {
        return Ok(tuple.new_ref());
    }
    let items = tuple.items();
    Ok(Tuple::from_vec(range.places().map(|place| items[place].new_ref()).collect())?.upcast())
}

fn contains(tuple: &Tuple, item: &Object) -> PyResult<bool> {
    for candidate in tuple.items() {
        if candidate.equals(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn concat(tuple: &Tuple, other: &Object) -> PyResult {
    if tuple.is_empty() && other.is_exact(&PyTuple_Type) {
        return Ok(other.new_ref());
    }
    let Some(other) = other.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only concatenate tuple (not \"{}\") to tuple",
            other.ty().message_name()
        ));
    };
    if other.is_empty() && tuple.is_exact(&PyTuple_Type) {
        return Ok(tuple.new_ref());
    }
    let items = tuple.items().iter().chain(other.items()).map(|item| item.new_ref());
    Ok(Tuple::from_vec(items.collect())?.upcast())
}

fn repeat(tuple: &Tuple, times: isize) -> PyResult {
    if (tuple.is_empty() || times == 1) && tuple.is_exact(&PyTuple_Type) {
        return Ok(tuple.new_ref());
    }
    if tuple.is_empty() || times <= 0 {
        return Ok(Tuple::empty().upcast());
    }
    let total = tuple.len().checked_mul(times as usize).ok_or_else(taipan_object::alloc::no_memory)?;
    // SAFETY: every place is filled before anybody else can see the tuple.
    unsafe {
        let new = Tuple::with_room(total)?;
        let mut place = new.items_ptr();
        for _ in 0..times {
            for item in tuple.items() {
                place.write(item.new_ref().into_ptr());
                place = place.add(1);
            }
        }
        taipan_object::gc::track_ptr(new.as_ptr());
        Ok(new.upcast())
    }
}

fn compare(tuple: &Tuple, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<Tuple>() else { return Ok(util::not_implemented()) };
    for (a, b) in tuple.items().iter().zip(other.items()) {
        if !a.equals(b)? {
            return match op {
                CompareOp::Eq => false.into_py(),
                CompareOp::Ne => true.into_py(),
                _ => richcompare(a, b, op),
            };
        }
    }
    op.holds(tuple.len().cmp(&other.len())).into_py()
}

fn hash(tuple: &Tuple) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    let known = unsafe { (*tuple.raw()).ob_hash };
    if known != -1 {
        return Ok(known);
    }
    let mut hasher = taipan_num::hash::TupleHasher::default();
    recursive(" while hashing a tuple", || {
        for item in tuple.items() {
            hasher.add(item.hash()? as i64);
        }
        Ok(())
    })?;
    let hash = hasher.finish() as isize;
    // SAFETY: as above.
    unsafe { (*tuple.raw()).ob_hash = hash };
    Ok(hash)
}

fn repr(tuple: &Tuple) -> PyResult {
    if tuple.is_empty() {
        return "()".into_py();
    }
    let text = repr_guard(tuple, || {
        let mut text = Text::new();
        for (index, item) in tuple.items().iter().enumerate() {
            text.ascii(if index == 0 { "(" } else { ", " });
            text.repr(item)?;
        }
        text.ascii(if tuple.len() == 1 { ",)" } else { ")" });
        text.finish()
    })?;
    text.map_or_else(|| "(...)".into_py(), IntoPy::into_py)
}

fn index(tuple: &Tuple, args: &Args<'_>) -> PyResult<usize> {
    let fit = |place: isize| {
        (if place < 0 { place.saturating_add(tuple.len().cast_signed()).max(0) } else { place }) as usize
    };
    let start = fit(args.get(1).map_or(Ok(0), bound)?);
    let stop = fit(args.get(2).map_or(Ok(isize::MAX), bound)?).min(tuple.len());
    for place in start..stop {
        if tuple.items()[place].equals(args.required(0))? {
            return Ok(place);
        }
    }
    Err(value_error("tuple.index(x): x not in tuple"))
}

fn count(tuple: &Tuple, value: &Object) -> PyResult<usize> {
    let mut found = 0;
    for item in tuple.items() {
        found += usize::from(item.equals(value)?);
    }
    Ok(found)
}

fn getnewargs(tuple: &Tuple) -> PyResult {
    let plain = Tuple::from_refs(tuple.items())?;
    Ok(Tuple::from_array([plain.upcast()])?.upcast())
}

taipan_object::methods! { static METHODS = {
    noargs "__getnewargs__" "($self, /)" = getnewargs, "The arguments with which a copy is made.";
    args "index" "($self, value, start=0, stop=sys.maxsize, /)" = index, "The place of the first item that equals the value.\n\nRaises ValueError when there is none.";
    one "count" "($self, value, /)" = count, "How many items equal the value.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what the items are, see PEP 585.";
} }

/// `tuple`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(tuple::dealloc),
        raw_traverse(tuple::traverse),
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
        tp_iter(new_tuple),
        sq_length(length),
        mp_length(length),
        sq_item(item),
        sq_contains(contains),
        sq_concat(concat),
        sq_repeat(repeat),
        mp_subscript(subscript),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PyTuple_Type)
};
