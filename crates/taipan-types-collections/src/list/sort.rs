//! `list.sort`: a stable, adaptive merge sort.
//!
//! Problem: a comparison may raise, answer inconsistently, or look at and change the list that is
//! being sorted. Idea: the items are taken out of the list, which is empty meanwhile, and sorted as a
//! vector of handles; a list that is no longer empty afterwards was modified. Runs that are in order
//! already are found first, short ones are lengthened by binary insertion, and a stack of runs is
//! merged so that sizes stay balanced (powersort's rule). Every comparison asks "is the later one
//! less?", so equal items keep their order.
//!
//! Invariant: at every moment, also when a comparison raises, the vector holds each item once.

use taipan_object::abi::PyObject;
use taipan_object::err::{PyResult, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::{Args, CompareOp};
use taipan_object::protocol::richcompare_bool;
use taipan_object::statics::{PyFloat_Type, PyLong_Type, PyUnicode_Type};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref};

/// Runs shorter than this are lengthened by insertion.
const MIN_RUN: usize = 24;

pub(super) fn method(list: &List, args: &Args<'_>) -> PyResult<()> {
    let reverse = args.bool_or(1, false)?;
    sort(list, args.get_some(0), reverse)
}

/// Sorts a list in place.
///
/// # Errors
/// What the key function and comparisons raise; `ValueError` when the list was changed meanwhile.
pub fn sort(list: &List, key: Option<&Object>, reverse: bool) -> PyResult<()> {
    if list.is_empty() {
        return Ok(());
    }
    let mut items: Vec<Ref> = list.splice(0, list.len(), Vec::new())?;
    let marker = mark(list);
    let result = sort_taken(&mut items, key, reverse);
    // SAFETY: the view guarantees the layout.
    let modified = unsafe { (*list.raw()).ob_item != marker || (*list.raw()).allocated != 0 };
    let intruders = list.splice(0, list.len(), items)?;
    result?;
    drop(intruders);
    if modified { Err(value_error("list modified during sort")) } else { Ok(()) }
}

/// Gives the empty list a vector without room: whoever changes the list replaces it.
fn mark(list: &List) -> *mut *mut PyObject {
    let marker = taipan_object::alloc::malloc(16).cast();
    // SAFETY: the list is empty; the vector comes from the allocator that lists use.
    unsafe {
        let old = core::mem::replace(&mut (*list.raw()).ob_item, marker);
        (*list.raw()).allocated = 0;
        taipan_object::alloc::free(old.cast());
    }
    marker
}

/// An item with what is compared in its stead.
struct Entry {
    key: Ref,
    item: Option<Ref>,
}

fn sort_taken(items: &mut Vec<Ref>, key: Option<&Object>, reverse: bool) -> PyResult<()> {
    let Some(key) = key else { return sort_by(items, reverse, |item| item) };
    let mut keys = Vec::with_capacity(items.len());
    for item in items.iter() {
        keys.push(key.call(&[item])?);
    }
    let mut entries: Vec<Entry> =
        keys.into_iter().zip(items.drain(..)).map(|(key, item)| Entry { key, item: Some(item) }).collect();
    let result = sort_by(&mut entries, reverse, |entry| &entry.key);
    items.extend(entries.iter_mut().filter_map(|entry| entry.item.take()));
    drop(entries);
    result
}

/// Sorts by keys: reversing before and after keeps equal items in their order.
fn sort_by<T>(items: &mut [T], reverse: bool, key: impl Fn(&T) -> &Ref + Copy) -> PyResult<()> {
    if reverse {
        items.reverse();
    }
    let result = sort_forward(items, key);
    if reverse {
        items.reverse();
    }
    result
}

/// Picks the comparison: keys that are all of one simple type need no Python protocol.
fn sort_forward<T>(items: &mut [T], key: impl Fn(&T) -> &Ref + Copy) -> PyResult<()> {
    let Some(first) = items.first().map(|item| Ref::of(key(item).ty())) else { return Ok(()) };
    let uniform = items.iter().all(|item| key(item).ty().is(&first));
    // SAFETY: each view is taken of exact instances of its type.
    unsafe {
        if uniform && first.is(&PyUnicode_Type) {
            items.sort_by(|a, b| key(a).cast::<Str>().compare(key(b).cast::<Str>()));
            return Ok(());
        }
        if uniform && first.is(&PyLong_Type) {
            let value = |item: &T| key(item).cast::<Int>().to_i64();
            if items.iter().all(|item| value(item).is_some()) {
                items.sort_by_key(|item| value(item).unwrap_or(0));
                return Ok(());
            }
        }
        if uniform && first.is(&PyFloat_Type) {
            let value = |item: &T| key(item).cast::<Float>().value();
            return merge_sort(items, |a, b| Ok(value(a) < value(b)));
        }
    }
    merge_sort(items, |a, b| richcompare_bool(key(a), key(b), CompareOp::Lt))
}

/// A stretch of items in order, and the depth of the boundary in front of it.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    len: usize,
    power: u32,
}

/// Sorts with a comparison that can fail and need not be an order.
fn merge_sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> PyResult<bool> + Copy) -> PyResult<()> {
    let len = items.len();
    let mut scratch: Vec<usize> = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut start = 0;
    while start < len {
        let run = next_run(items, start, less)?;
        let power = runs.last().map_or(0, |last| boundary_depth(last.start, last.len, run, len));
        while runs.len() > 1 && runs[runs.len() - 1].power > power {
            merge_top(items, &mut runs, &mut scratch, less)?;
        }
        runs.push(Run { start, len: run, power });
        start += run;
    }
    while runs.len() > 1 {
        merge_top(items, &mut runs, &mut scratch, less)?;
    }
    Ok(())
}

/// How deep the boundary between two neighbouring runs lies in a perfectly balanced merge tree.
fn boundary_depth(start: usize, first: usize, second: usize, total: usize) -> u32 {
    let mut a = 2 * start + first;
    let mut b = a + first + second;
    let mut depth = 0;
    loop {
        depth += 1;
        if a >= total {
            a -= total;
            b -= total;
        } else if b >= total {
            return depth;
        }
        a <<= 1;
        b <<= 1;
    }
}

/// The length of the run at `start`, made ascending and at least [`MIN_RUN`] long if possible.
fn next_run<T>(items: &mut [T], start: usize, less: impl Fn(&T, &T) -> PyResult<bool>) -> PyResult<usize> {
    let rest = &mut items[start..];
    if rest.len() < 2 {
        return Ok(rest.len());
    }
    let mut len = 2;
    if less(&rest[1], &rest[0])? {
        while len < rest.len() && less(&rest[len], &rest[len - 1])? {
            len += 1;
        }
        rest[..len].reverse();
    } else {
        while len < rest.len() && !less(&rest[len], &rest[len - 1])? {
            len += 1;
        }
    }
    let wanted = MIN_RUN.min(rest.len());
    while len < wanted {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(&rest[len], &rest[middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        rest[low..=len].rotate_right(1);
        len += 1;
    }
    Ok(len)
}

/// The first place in `run` from `from` on for whose item `goes_after` holds, by doubling steps.
fn gallop<T>(run: &[T], from: usize, goes_after: impl Fn(&T) -> PyResult<bool>) -> PyResult<usize> {
    let (mut low, mut high, mut step) = (from, from, 1);
    while high < run.len() && !goes_after(&run[high])? {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high.min(run.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if goes_after(&run[middle])? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// Merges the two topmost runs. The order is worked out first, as numbers; items move only then.
fn merge_top<T>(
    items: &mut [T],
    runs: &mut Vec<Run>,
    order: &mut Vec<usize>,
    less: impl Fn(&T, &T) -> PyResult<bool> + Copy,
) -> PyResult<()> {
    let (Some(right), Some(left)) = (runs.pop(), runs.pop()) else { return Ok(()) };
    let merged = &mut items[left.start..right.start + right.len];
    merge_order(merged, left.len, order, less)?;
    apply_order(merged, order);
    runs.push(Run { start: left.start, len: left.len + right.len, power: left.power });
    Ok(())
}

/// Fills `order` with the places of the merged sequence's items.
fn merge_order<T>(
    items: &[T],
    middle: usize,
    order: &mut Vec<usize>,
    less: impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    let (left, right) = items.split_at(middle);
    let (mut a, mut b, mut streak) = (0, 0, 0i32);
    order.clear();
    while a < left.len() && b < right.len() {
        let take_right = less(&right[b], &left[a])?;
        // After several items from one side in a row the rest of that stretch is searched for.
        streak = match take_right {
            true => streak.max(0).saturating_add(1),
            false => streak.min(0).saturating_sub(1),
        };
        if take_right {
            let end =
                if streak > 6 { gallop(right, b + 1, |item| Ok(!less(item, &left[a])?))? } else { b + 1 };
            order.extend((b..end).map(|place| middle + place));
            b = end;
        } else {
            let end = if streak < -6 { gallop(left, a + 1, |item| less(&right[b], item))? } else { a + 1 };
            order.extend(a..end);
            a = end;
        }
    }
    order.extend(a..left.len());
    order.extend(middle + b..items.len());
    Ok(())
}

/// Puts the item from place `order[i]` at place `i`, following each cycle once.
fn apply_order<T>(items: &mut [T], order: &mut [usize]) {
    for first in 0..items.len() {
        let mut place = first;
        while order[place] != place {
            let source = core::mem::replace(&mut order[place], place);
            if source == first {
                break;
            }
            items.swap(place, source);
            place = source;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge_sort;

    fn check(mut items: Vec<(u32, usize)>) {
        let mut expected = items.clone();
        expected.sort_by_key(|&(key, _)| key);
        assert!(merge_sort(&mut items, |a, b| Ok(a.0 < b.0)).is_ok());
        assert_eq!(items, expected);
    }

    #[test]
    fn sorts_stably() {
        let mut seed = 12345u32;
        for len in [0, 1, 2, 3, 23, 24, 25, 50, 100, 777, 5000] {
            for modulus in [2, 7, 100, 1_000_000] {
                let items = (0..len).map(|place| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((seed >> 8) % modulus, place)
                });
                check(items.collect());
            }
            check((0..len).map(|place| (place as u32, place)).collect());
            check((0..len).map(|place| ((len - place) as u32, place)).collect());
            check((0..len).map(|place| ((place % 100) as u32, place)).collect());
        }
    }
}
