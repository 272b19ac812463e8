//! `range`: arithmetic progressions of ints of any size.
//!
//! Start, stop, step and length are int objects, as Python sees them. Where all of them fit machine
//! words, the work is done there; otherwise in the big-integer kernel.

pub mod iter;

use crate::util;
use core::ffi::CStr;
use core::mem::offset_of;
use taipan_num::Int as Number;
use taipan_num::int as kernel;
use taipan_object::abi::{Py_READONLY, PyObject, T_OBJECT};
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, index_error, overflow_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::{contains_by_iteration, has_index, iter_next};
use taipan_object::singletons::{is_none, none};
use taipan_object::slice::Slice;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, layout, raise, refcount};

/// The memory of a range: four owned, exact ints.
#[repr(C)]
pub struct RawRange {
    head: PyObject,
    start: *mut PyObject,
    stop: *mut PyObject,
    step: *mut PyObject,
    length: *mut PyObject,
}
const _: () = assert!(size_of::<RawRange>() == 48);

layout!(
    /// A `range`.
    Range, RawRange, "range", |o| o.is_exact(&PyRange_Type)
);

/// The value of an int for the kernel.
fn number(int: &Int) -> Number<'_> {
    Number::new(int.is_negative(), int.digits())
}

fn from_kernel(value: &kernel::IntBuf) -> PyResult<Ref<Int>> {
    let value = value.as_int();
    Int::from_digits(value.negative, value.digits)
}

fn add(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    if let (Some(a), Some(b)) = (a.to_i64(), b.to_i64())
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(Int::from_i64(sum));
    }
    from_kernel(&kernel::add(number(a), number(b)))
}

fn sub(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    if let (Some(a), Some(b)) = (a.to_i64(), b.to_i64())
        && let Some(difference) = a.checked_sub(b)
    {
        return Ok(Int::from_i64(difference));
    }
    from_kernel(&kernel::sub(number(a), number(b)))
}

fn mul(a: &Int, b: &Int) -> PyResult<Ref<Int>> {
    if let (Some(a), Some(b)) = (a.to_i64(), b.to_i64())
        && let Some(product) = a.checked_mul(b)
    {
        return Ok(Int::from_i64(product));
    }
    from_kernel(&kernel::mul(number(a), number(b)))
}

/// Quotient and remainder, rounded down.
fn divmod(a: &Int, b: &Int) -> PyResult<(Ref<Int>, Ref<Int>)> {
    let (quotient, remainder) = kernel::divmod(number(a), number(b))
        .map_err(|_| taipan_object::err::zero_division_error("division by zero"))?;
    Ok((from_kernel(&quotient)?, from_kernel(&remainder)?))
}

fn order(a: &Int, b: &Int) -> core::cmp::Ordering {
    match (a.to_i64(), b.to_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => match (a.is_negative(), b.is_negative()) {
            (true, false) => core::cmp::Ordering::Less,
            (false, true) => core::cmp::Ordering::Greater,
            (false, false) => kernel::cmp_digits(a.digits(), b.digits()),
            (true, true) => kernel::cmp_digits(b.digits(), a.digits()),
        },
    }
}

/// How many steps lead from `start` to `stop`; `step` is not zero.
fn count_steps(start: &Int, stop: &Int, step: &Int) -> PyResult<Ref<Int>> {
    if let (Some(start), Some(stop), Some(step)) = (start.to_i64(), stop.to_i64(), step.to_i64()) {
        return Ok(Int::from_u64(count_small(start, stop, step)));
    }
    let (low, high) = if step.is_negative() { (stop, start) } else { (start, stop) };
    if order(low, high).is_ge() {
        return Ok(Int::from_i64(0));
    }
    let width = sub(&*sub(high, low)?, &Int::from_i64(1))?;
    let size = if step.is_negative() { sub(&Int::from_i64(0), step)? } else { Ref::of(step) };
    add(&divmod(&width, &size)?.0, &Int::from_i64(1))
}

/// [`count_steps`] for machine integers.
fn count_small(start: i64, stop: i64, step: i64) -> u64 {
    let (low, high) = if step < 0 { (stop, start) } else { (start, stop) };
    if low >= high {
        return 0;
    }
    (high.wrapping_sub(low).cast_unsigned() - 1) / step.unsigned_abs() + 1
}

impl Range {
    fn field(&self, pick: impl FnOnce(*mut RawRange) -> *mut PyObject) -> &Int {
        // SAFETY: set at creation to exact ints, never changed.
        unsafe { Object::borrow(pick(self.raw())).cast() }
    }

    /// The first item.
    pub fn start(&self) -> &Int {
        // SAFETY: the view guarantees the layout.
        self.field(|raw| unsafe { (*raw).start })
    }

    /// The bound.
    pub fn stop(&self) -> &Int {
        // SAFETY: the view guarantees the layout.
        self.field(|raw| unsafe { (*raw).stop })
    }

    /// The distance of neighbouring items.
    pub fn step(&self) -> &Int {
        // SAFETY: the view guarantees the layout.
        self.field(|raw| unsafe { (*raw).step })
    }

    /// The number of items.
    pub fn length(&self) -> &Int {
        // SAFETY: the view guarantees the layout.
        self.field(|raw| unsafe { (*raw).length })
    }

    /// A new range; `step` is not zero.
    fn make(start: Ref<Int>, stop: Ref<Int>, step: Ref<Int>) -> PyResult<Ref<Range>> {
        let length = count_steps(&start, &stop, &step)?;
        let range = taipan_object::alloc::alloc_object(&PyRange_Type, 0)?;
        // SAFETY: fresh memory of this layout.
        unsafe {
            let raw = range.raw_as::<RawRange>();
            (*raw).start = start.into_ptr();
            (*raw).stop = stop.into_ptr();
            (*raw).step = step.into_ptr();
            (*raw).length = length.into_ptr();
            Ok(range.cast_owned())
        }
    }

    /// The item at a place, which may lie beyond the ends.
    fn item_at(&self, place: &Int) -> PyResult<Ref<Int>> {
        add(self.start(), &*mul(place, self.step())?)
    }
}

/// The integer of an argument as an exact int, so that no subclass has a say in arithmetic.
fn exact(object: &Object) -> PyResult<Ref<Int>> {
    let int = object.to_index()?;
    if int.is_exact(&PyLong_Type) { Ok(int) } else { Int::from_digits(int.is_negative(), int.digits()) }
}

fn construct(args: &[&Object]) -> PyResult {
    util::check_count("range", args.len(), 1, 3)?;
    let (start, stop, step) = match args {
        [stop] => (Int::from_i64(0), exact(stop)?, Int::from_i64(1)),
        [start, stop] => (exact(start)?, exact(stop)?, Int::from_i64(1)),
        _ => {
            let (start, stop, step) = (exact(args[0])?, exact(args[1])?, exact(args[2])?);
            if step.is_zero() {
                return Err(value_error("range() arg 3 must not be zero"));
            }
            (start, stop, step)
        }
    };
    Ok(Range::make(start, stop, step)?.upcast())
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    util::no_keywords("range", kwargs)?;
    construct(args.items())
}

fn vectorcall(_: &Type, args: CallArgs<'_>) -> PyResult {
    construct(util::only_positional("range", &args)?)
}

fn length(range: &Range) -> PyResult<isize> {
    range
        .length()
        .to_i64()
        .map(|length| length as isize)
        .ok_or_else(|| overflow_error("Python int too large to convert to C ssize_t"))
}

#[cold]
fn out_of_range() -> PyErr {
    index_error("range object index out of range")
}

fn item_number(range: &Range, place: &Int) -> PyResult {
    let place = if place.is_negative() { add(place, range.length())? } else { Ref::of(place) };
    if place.is_negative() || order(&place, range.length()).is_ge() {
        return Err(out_of_range());
    }
    Ok(range.item_at(&place)?.upcast())
}

fn item(range: &Range, index: isize) -> PyResult {
    if index < 0 {
        return Err(out_of_range());
    }
    item_number(range, &Int::from_isize(index))
}

fn subscript(range: &Range, key: &Object) -> PyResult {
    if has_index(key) {
        return item_number(range, &*exact(key)?);
    }
    match key.downcast::<Slice>() {
        Some(slice) => subrange(range, slice),
        None => Err(raise!(
            PyExc_TypeError,
            "range indices must be integers or slices, not {}",
            key.ty().message_name()
        )),
    }
}

fn subrange(range: &Range, slice: &Slice) -> PyResult {
    let bounds = slice_bounds(slice, range.length())?;
    let step = mul(&bounds.2, range.step())?;
    Ok(Range::make(range.item_at(&bounds.0)?, range.item_at(&bounds.1)?, step)?.upcast())
}

/// Start, stop and step of a slice of a sequence of `length` items, for lengths of any size.
///
/// # Errors
/// `TypeError` for parts that are no integers, `ValueError` for a step of zero.
pub fn slice_bounds(slice: &Slice, length: &Int) -> PyResult<(Ref<Int>, Ref<Int>, Ref<Int>)> {
    let zero = Int::from_i64(0);
    let part = |part: &Object| -> PyResult<Option<Ref<Int>>> {
        if is_none(part) {
            return Ok(None);
        }
        if !has_index(part) {
            return Err(taipan_object::err::type_error(
                "slice indices must be integers or None or have an __index__ method",
            ));
        }
        exact(part).map(Some)
    };
    let step = part(slice.step())?.unwrap_or_else(|| Int::from_i64(1));
    if step.is_zero() {
        return Err(value_error("slice step cannot be zero"));
    }
    let backward = step.is_negative();
    let (low, high) =
        if backward { (Int::from_i64(-1), sub(length, &Int::from_i64(1))?) } else { (zero, Ref::of(length)) };
    let fit = |place: Ref<Int>| -> PyResult<Ref<Int>> {
        if place.is_negative() {
            let from_end = add(&place, length)?;
            return Ok(if order(&from_end, &low).is_lt() { low.clone() } else { from_end });
        }
        Ok(if order(&place, &high).is_gt() { high.clone() } else { place })
    };
    let start = match part(slice.start())? {
        Some(place) => fit(place)?,
        None => (if backward { &high } else { &low }).clone(),
    };
    let stop = match part(slice.stop())? {
        Some(place) => fit(place)?,
        None => (if backward { &low } else { &high }).clone(),
    };
    Ok((start, stop, step))
}

/// The place of an int in the range, if it is an item.
fn place_of(range: &Range, value: &Int) -> PyResult<Option<Ref<Int>>> {
    let (from_start, from_stop) = (order(value, range.start()), order(value, range.stop()));
    let inside = if range.step().is_negative() {
        from_start.is_le() && from_stop.is_gt()
    } else {
        from_start.is_ge() && from_stop.is_lt()
    };
    if !inside {
        return Ok(None);
    }
    let (place, rest) = divmod(&*sub(value, range.start())?, range.step())?;
    Ok(rest.is_zero().then_some(place))
}

/// An exact int or bool, whose equality is known.
fn plain_int(object: &Object) -> Option<&Int> {
    object.downcast::<Int>().filter(|int| int.is_exact(&PyLong_Type) || int.is_exact(&PyBool_Type))
}

fn contains(range: &Range, value: &Object) -> PyResult<bool> {
    match plain_int(value) {
        Some(int) => Ok(place_of(range, int)?.is_some()),
        None => contains_by_iteration(range, value),
    }
}

fn index(range: &Range, value: &Object) -> PyResult {
    if let Some(int) = plain_int(value) {
        return match place_of(range, int)? {
            Some(place) => Ok(place.upcast()),
            None => Err(value_error("range.index(x): x not in range")),
        };
    }
    let iterator = range.iter()?;
    let mut place = 0usize;
    while let Some(item) = iter_next(&iterator)? {
        if item.equals(value)? {
            return place.into_py();
        }
        place += 1;
    }
    Err(value_error("sequence.index(x): x not in sequence"))
}

fn count(range: &Range, value: &Object) -> PyResult<usize> {
    if let Some(int) = plain_int(value) {
        return Ok(usize::from(place_of(range, int)?.is_some()));
    }
    let iterator = range.iter()?;
    let mut found = 0;
    while let Some(item) = iter_next(&iterator)? {
        found += usize::from(item.equals(value)?);
    }
    Ok(found)
}

fn is_true(range: &Range) -> PyResult<bool> {
    Ok(!range.length().is_zero())
}

/// Ranges are equal when they are the same sequence.
fn equal(a: &Range, b: &Range) -> bool {
    if order(a.length(), b.length()).is_ne() {
        return false;
    }
    a.length().is_zero()
        || (order(a.start(), b.start()).is_eq()
            && (a.length().to_i64() == Some(1) || order(a.step(), b.step()).is_eq()))
}

fn compare(range: &Range, other: &Object, op: CompareOp) -> PyResult {
    match (op, other.downcast::<Range>()) {
        (CompareOp::Eq, Some(other)) => equal(range, other).into_py(),
        (CompareOp::Ne, Some(other)) => (!equal(range, other)).into_py(),
        _ => Ok(util::not_implemented()),
    }
}

/// The hash of what equality looks at: length, start, step, as far as they matter.
fn hash(range: &Range) -> PyResult<isize> {
    let empty = range.length().is_zero();
    let single = range.length().to_i64() == Some(1);
    let start: &Object = if empty { none() } else { range.start() };
    let step: &Object = if empty || single { none() } else { range.step() };
    Tuple::from_refs(&[range.length(), start, step])?.hash()
}

fn repr(range: &Range) -> PyResult {
    let (start, stop, step) = (range.start(), range.stop(), range.step());
    let text = |int: &Int| int.repr().map(|text| text.to_lossy());
    if step.to_i64() == Some(1) {
        return format!("range({}, {})", text(start)?, text(stop)?).into_py();
    }
    format!("range({}, {}, {})", text(start)?, text(stop)?, text(step)?).into_py()
}

fn reduce(range: &Range) -> PyResult {
    util::reduced(range.ty().new_ref(), &[range.start(), range.stop(), range.step()], None)
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; fields own their ints.
    unsafe {
        let raw = ptr.cast::<RawRange>();
        for field in [(*raw).start, (*raw).stop, (*raw).step, (*raw).length] {
            refcount::xdecref(field);
        }
        taipan_object::alloc::free_object(ptr);
    }
}

taipan_object::methods! { static METHODS = {
    noargs "__reversed__" "($self, /)" = iter::new_backward, "An iterator over the items from the last to the first.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the range for pickling.";
    one "count" "($self, object, /)" = count, "How many items equal the value.";
    one "index" "($self, object, /)" = index, "The place of the item that equals the value.\n\nRaises ValueError when there is none.";
} }

const DOC: &CStr = c"range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nThe integers from start, or 0, up to stop but without it, in steps of step, or 1.\nWith a negative step they go down. The items are computed when asked for.";

/// `range`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(dealloc),
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
        tp_iter(iter::new_forward),
        nb_bool(is_true),
        sq_length(length),
        mp_length(length),
        sq_item(item),
        sq_contains(contains),
        mp_subscript(subscript),
    ],
    methods: METHODS,
    members: &[
        Member::new(c"start", T_OBJECT, offset_of!(RawRange, start), Py_READONLY, c""),
        Member::new(c"stop", T_OBJECT, offset_of!(RawRange, stop), Py_READONLY, c""),
        Member::new(c"step", T_OBJECT, offset_of!(RawRange, step), Py_READONLY, c""),
    ],
    ..TypeSpec::new(&PyRange_Type)
};
