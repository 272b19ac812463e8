//! Functions about iterables.

use taipan_object::err::{self, type_error};
use taipan_object::float::Complex;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::{Args, CallArgs, CompareOp};
use taipan_object::protocol::{self, BinaryOp, IterStep};
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, raise};

type Module = Object;

pub(super) fn all(_: &Module, iterable: &Object) -> PyResult<bool> {
    let mut result = true;
    protocol::iterate(iterable, |item| {
        result = item.is_true()?;
        Ok(if result { IterStep::Continue } else { IterStep::Stop })
    })?;
    Ok(result)
}

pub(super) fn any(_: &Module, iterable: &Object) -> PyResult<bool> {
    let mut result = false;
    protocol::iterate(iterable, |item| {
        result = item.is_true()?;
        Ok(if result { IterStep::Stop } else { IterStep::Continue })
    })?;
    Ok(result)
}

pub(super) fn len(_: &Module, object: &Object) -> PyResult<usize> {
    object.len()
}

pub(super) fn iter(_: &Module, args: &[&Object]) -> PyResult {
    match args {
        [iterable] => iterable.iter(),
        [callable, sentinel] => {
            if !callable.is_callable() {
                return Err(type_error("iter(v, w): v must be callable"));
            }
            taipan_types_collections::iters::generic::callable_iterator(callable, sentinel)
        }
        [] => Err(type_error("iter expected at least 1 argument, got 0")),
        _ => Err(raise!(PyExc_TypeError, "iter expected at most 2 arguments, got {}", args.len())),
    }
}

pub(super) fn next(_: &Module, args: &[&Object]) -> PyResult {
    let (iterator, default) = match args {
        [iterator] => (*iterator, None),
        [iterator, default] => (*iterator, Some(*default)),
        [] => return Err(type_error("next expected at least 1 argument, got 0")),
        _ => return Err(raise!(PyExc_TypeError, "next expected at most 2 arguments, got {}", args.len())),
    };
    if !taipan_eval::ops::is_iterator(iterator) {
        return Err(raise!(PyExc_TypeError, "'{}' object is not an iterator", iterator.ty().message_name()));
    }
    match default {
        None => protocol::iter_next_or_stop(iterator),
        Some(default) => Ok(protocol::iter_next(iterator)?.unwrap_or_else(|| default.new_ref())),
    }
}

pub(super) fn max(_: &Module, args: CallArgs<'_>) -> PyResult {
    extreme(args, "max", CompareOp::Gt)
}

pub(super) fn min(_: &Module, args: CallArgs<'_>) -> PyResult {
    extreme(args, "min", CompareOp::Lt)
}

/// Takes an item, with what its key function gives, if it is the first or better than the best so far.
#[inline]
fn better_of(best: &mut Option<(Ref, Ref)>, item: Ref, key: Option<&Object>, op: CompareOp) -> PyResult<()> {
    let value = match key {
        Some(key) => key.call(&[&item])?,
        None => item.clone(),
    };
    let better = match best {
        None => true,
        Some((_, known)) => protocol::richcompare_bool(&value, known, op)?,
    };
    if better {
        *best = Some((item, value));
    }
    Ok(())
}

fn extreme(args: CallArgs<'_>, name: &str, op: CompareOp) -> PyResult {
    let (mut key, mut default) = (None, None);
    for (keyword, value) in args.keywords() {
        let keyword = keyword.str_lossy();
        match keyword.as_str() {
            "key" => key = Some(value).filter(|key| !is_none(key)),
            "default" => default = Some(value),
            _ => {
                return Err(raise!(
                    PyExc_TypeError,
                    "{name}() got an unexpected keyword argument '{keyword}'"
                ));
            }
        }
    }
    let items = match args.positional() {
        [] => return Err(raise!(PyExc_TypeError, "{name} expected at least 1 argument, got 0")),
        [iterable] => iterable.iter()?,
        many => {
            if default.is_some() {
                return Err(raise!(
                    PyExc_TypeError,
                    "Cannot specify a default for {name}() with multiple positional arguments"
                ));
            }
            let mut best = None;
            for item in many {
                better_of(&mut best, item.new_ref(), key, op)?;
            }
            return Ok(best.map_or_else(new_none, |(item, _)| item));
        }
    };
    let mut best = None;
    while let Some(item) = protocol::iter_next(&items)? {
        better_of(&mut best, item, key, op)?;
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(err::value_error(&format!("{name}() iterable argument is empty"))),
    }
}

pub(super) fn sorted(_: &Module, args: &Args<'_>) -> PyResult {
    let list = List::from_vec(protocol::to_vec(args.required(0))?)?;
    let sort = list.getattr(intern!("sort"))?;
    let kwargs = taipan_object::dict::Dict::new()?;
    if let Some(key) = args.get(1) {
        kwargs.set_text("key", key)?;
    }
    if let Some(reverse) = args.get(2) {
        kwargs.set_text("reverse", reverse)?;
    }
    protocol::vectorcall_with_dict(&sort, &[], Some(&kwargs))?;
    Ok(list.upcast())
}

pub(super) fn sum(_: &Module, args: &Args<'_>) -> PyResult {
    let start = args.get(1);
    if let Some(start) = start {
        let refused = [
            (start.downcast::<Str>().is_some(), "sum() can't sum strings [use ''.join(seq) instead]"),
            (start.is_exact(&PyBytes_Type), "sum() can't sum bytes [use b''.join(seq) instead]"),
            (start.is_exact(&PyByteArray_Type), "sum() can't sum bytearray [use b''.join(seq) instead]"),
        ];
        if let Some((_, message)) = refused.iter().find(|(is, _)| *is) {
            return Err(type_error(message));
        }
    }
    let iterator = args.required(0).iter()?;
    let mut total = start.map_or_else(|| Int::from_i64(0).upcast(), Object::new_ref);
    // Ints that fit a machine word are added without objects.
    let mut small = total.downcast::<Int>().filter(|int| int.is_exact(&PyLong_Type)).and_then(Int::to_i64);
    while let Some(item) = protocol::iter_next(&iterator)? {
        if let Some(sum) = small {
            let value = item.downcast::<Int>().filter(|int| int.is_exact(&PyLong_Type)).and_then(Int::to_i64);
            if let Some(next) = value.and_then(|value| sum.checked_add(value)) {
                small = Some(next);
                continue;
            }
            total = Int::from_i64(sum).upcast();
            small = None;
        }
        if total.is_exact(&PyFloat_Type) {
            return float_sum(&total, item, &iterator);
        }
        if total.is_exact(&PyComplex_Type)
            && let Some(start) = total.downcast::<Complex>()
        {
            let (real, imag) = start.value();
            return complex_sum(real, imag, item, &iterator);
        }
        total = protocol::binary_op(&total, &item, BinaryOp::Add)?;
    }
    Ok(small.map_or(total, |sum| Int::from_i64(sum).upcast()))
}

/// A sum of floats with the error of each addition kept (Neumaier), as CPython does.
fn float_sum(start: &Object, first: Ref, iterator: &Object) -> PyResult {
    use taipan_object::float::Float;
    let as_float = |item: &Object| -> PyResult<Option<f64>> {
        if item.is_exact(&PyFloat_Type) {
            return Ok(item.downcast::<Float>().map(Float::value));
        }
        if item.is_exact(&PyLong_Type) { item.to_f64().map(Some) } else { Ok(None) }
    };
    let mut high = as_float(start)?.unwrap_or(0.0);
    let mut low = 0.0;
    let add = |high: &mut f64, low: &mut f64, value: f64| {
        let sum = *high + value;
        *low += if high.abs() >= value.abs() { (*high - sum) + value } else { (value - sum) + *high };
        *high = sum;
    };
    let mut item = Some(first);
    while let Some(current) = item {
        let Some(value) = as_float(&current)? else {
            if current.is_exact(&PyComplex_Type) {
                // Minus zero leaves whatever imaginary part comes as it is.
                return complex_sum(compensated(high, low), -0.0, current, iterator);
            }
            let total = Float::new(compensated(high, low)).upcast();
            let mut total = protocol::binary_op(&total, &current, BinaryOp::Add)?;
            while let Some(next) = protocol::iter_next(iterator)? {
                total = protocol::binary_op(&total, &next, BinaryOp::Add)?;
            }
            return Ok(total);
        };
        add(&mut high, &mut low, value);
        item = protocol::iter_next(iterator)?;
    }
    Ok(Float::new(compensated(high, low)).upcast())
}

/// A sum of complex numbers: both parts keep the errors of their additions.
fn complex_sum(real: f64, imag: f64, first: Ref, iterator: &Object) -> PyResult {
    use taipan_object::float::Float;
    let mut parts = [(real, 0.0), (imag, 0.0)];
    let add = |part: &mut (f64, f64), value: f64| {
        let sum = part.0 + value;
        part.1 += if part.0.abs() >= value.abs() { (part.0 - sum) + value } else { (value - sum) + part.0 };
        part.0 = sum;
    };
    let total = |parts: &[(f64, f64); 2]| {
        Complex::new(compensated(parts[0].0, parts[0].1), compensated(parts[1].0, parts[1].1))
    };
    let mut item = Some(first);
    while let Some(current) = item {
        if current.is_exact(&PyComplex_Type)
            && let Some(value) = current.downcast::<Complex>()
        {
            let (real, imag) = value.value();
            add(&mut parts[0], real);
            add(&mut parts[1], imag);
        } else if current.is_exact(&PyLong_Type) {
            add(&mut parts[0], current.to_f64()?);
        } else if current.is_exact(&PyFloat_Type)
            && let Some(value) = current.downcast::<Float>()
        {
            add(&mut parts[0], value.value());
        } else {
            let mut sum = protocol::binary_op(&*total(&parts)?, &current, BinaryOp::Add)?;
            while let Some(next) = protocol::iter_next(iterator)? {
                sum = protocol::binary_op(&sum, &next, BinaryOp::Add)?;
            }
            return Ok(sum);
        }
        item = protocol::iter_next(iterator)?;
    }
    total(&parts).map(Ref::upcast)
}

fn compensated(high: f64, low: f64) -> f64 {
    if low != 0.0 && low.is_finite() { high + low } else { high }
}
