//! `_bisect`: places in sorted sequences.

use taipan_object::err::{overflow_error, value_error};
use taipan_object::list::List;
use taipan_object::module::ModuleSpec;
use taipan_object::native::{Args, CompareOp};
use taipan_object::protocol::{has_index, richcompare_bool, sequence_items};
use taipan_object::statics::{PyExc_TypeError, PyList_Type};
use taipan_object::{Object, PyResult, intern, raise};

/// On which side of equal items the place is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn index(object: &Object) -> PyResult<isize> {
    if !has_index(object) {
        return Err(raise!(
            PyExc_TypeError,
            "'{}' object cannot be interpreted as an integer",
            object.ty().message_name()
        ));
    }
    object
        .to_index()?
        .to_i64()
        .map(|n| n as isize)
        .ok_or_else(|| overflow_error("Python int too large to convert to C ssize_t"))
}

/// The place of `x` in `list`.
fn search(
    list: &Object,
    x: &Object,
    bounds: (isize, Option<isize>),
    key: Option<&Object>,
    side: Side,
) -> PyResult<isize> {
    let (mut low, high) = bounds;
    if low < 0 {
        return Err(value_error("lo must be non-negative"));
    }
    let mut high = match high {
        Some(high) => high,
        None => list.len()?.cast_signed(),
    };
    while low < high {
        // Both are not negative, so the sum of their halves does not overflow as their sum could.
        let middle = low + (high - low) / 2;
        let item = sequence_items(list, middle)?;
        let item = match key {
            Some(key) => key.call(&[&item])?,
            None => item,
        };
        let before = match side {
            Side::Left => richcompare_bool(&item, x, CompareOp::Lt)?,
            Side::Right => !richcompare_bool(x, &item, CompareOp::Lt)?,
        };
        if before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

type Parts<'a> = (&'a Object, &'a Object, (isize, Option<isize>), Option<&'a Object>);

fn parts<'a>(args: &Args<'a>) -> PyResult<Parts<'a>> {
    let low = args.get(2).map_or(Ok(0), index)?;
    let high = args.get_some(3).map(index).transpose()?;
    Ok((args.required(0), args.required(1), (low, high.filter(|&high| high != -1)), args.get_some(4)))
}

fn bisect(args: &Args<'_>, side: Side) -> PyResult<isize> {
    let (list, x, bounds, key) = parts(args)?;
    search(list, x, bounds, key, side)
}

fn insort(args: &Args<'_>, side: Side) -> PyResult<()> {
    let (list, x, bounds, key) = parts(args)?;
    let place = match key {
        Some(key) => search(list, &*key.call(&[x])?, bounds, Some(key), side)?,
        None => search(list, x, bounds, None, side)?,
    };
    if list.is_exact(&PyList_Type)
        && let Some(list) = list.downcast::<List>()
    {
        return list.insert(place.cast_unsigned(), x.new_ref());
    }
    let place = taipan_object::int::Int::from_isize(place);
    list.call_method(intern!("insert"), &[&place, x]).map(drop)
}

fn bisect_left(_: &Object, args: &Args<'_>) -> PyResult<isize> {
    bisect(args, Side::Left)
}

fn bisect_right(_: &Object, args: &Args<'_>) -> PyResult<isize> {
    bisect(args, Side::Right)
}

fn insort_left(_: &Object, args: &Args<'_>) -> PyResult<()> {
    insort(args, Side::Left)
}

fn insort_right(_: &Object, args: &Args<'_>) -> PyResult<()> {
    insort(args, Side::Right)
}

taipan_object::methods! {
    static METHODS = {
        args "bisect_left" "($module, /, a, x, lo=0, hi=None, *, key=None)" = bisect_left, "Where x would go in the sorted sequence a, before equal items.\n\n  lo, hi\n    The part of the sequence to look at.\n  key\n    A function whose results for the items are compared with x.";
        args "bisect_right" "($module, /, a, x, lo=0, hi=None, *, key=None)" = bisect_right, "Where x would go in the sorted sequence a, behind equal items.";
        args "insort_left" "($module, /, a, x, lo=0, hi=None, *, key=None)" = insort_left, "Put x into the sorted sequence a, before equal items.";
        args "insort_right" "($module, /, a, x, lo=0, hi=None, *, key=None)" = insort_right, "Put x into the sorted sequence a, behind equal items.";
    }
}

/// `_bisect`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_bisect",
    doc: "Searching in sorted sequences by halves.",
    methods: METHODS,
    init: |_| Ok(()),
};
