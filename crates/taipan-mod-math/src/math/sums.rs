//! Functions over many numbers.

use taipan_num::float::{self as kernel, FloatError, Fsum, SumProd};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::native::{Args, IntoPy};
use taipan_object::protocol::{BinaryOp, IterStep, binary_op, iter_next, iterate, to_vec};
use taipan_object::statics::{PyBool_Type, PyFloat_Type, PyLong_Type};
use taipan_object::{Object, PyErr, PyResult, Ref, err};

pub(super) fn fsum(_: &Object, iterable: &Object) -> PyResult<f64> {
    let mut sum = Fsum::new();
    iterate(iterable, |item| {
        let overflow = |_| err::overflow_error("intermediate overflow in fsum");
        sum.add(item.to_f64()?).map_err(overflow)?;
        Ok(IterStep::Continue)
    })?;
    sum.finish().map_err(fsum_error)
}

#[cold]
fn fsum_error(error: FloatError) -> PyErr {
    match error {
        FloatError::Domain => err::value_error("-inf + inf in fsum"),
        _ => err::overflow_error("intermediate overflow in fsum"),
    }
}

fn floats(items: &[&Object]) -> PyResult<Vec<f64>> {
    items.iter().map(|item| item.to_f64()).collect()
}

pub(super) fn hypot(_: &Object, args: &[&Object]) -> PyResult<f64> {
    Ok(kernel::hypot(&floats(args)?))
}

pub(super) fn dist(_: &Object, args: &Args<'_>) -> PyResult<f64> {
    let (p, q) = (to_vec(args.required(0))?, to_vec(args.required(1))?);
    if p.len() != q.len() {
        return Err(err::value_error("both points must have the same number of dimensions"));
    }
    let mut distances = Vec::with_capacity(p.len());
    for (p, q) in p.iter().zip(&q) {
        distances.push(p.to_f64()? - q.to_f64()?);
    }
    Ok(kernel::hypot(&distances))
}

pub(super) fn prod(_: &Object, args: &Args<'_>) -> PyResult {
    let mut product = args.get(1).map_or_else(|| Int::from_i64(1).upcast(), Object::new_ref);
    iterate(args.required(0), |item| {
        product = binary_op(&product, &item, BinaryOp::Multiply)?;
        Ok(IterStep::Continue)
    })?;
    Ok(product)
}

/// The running sum of `sumprod`: ints while they fit a machine word, then floats in extended
/// precision, then objects. Each stage hands over to the next for good.
struct Total {
    objects: Ref,
    ints: Option<i64>,
    floats: Option<SumProd>,
    has_floats: bool,
}

impl Total {
    fn add_objects(&mut self, value: &Object) -> PyResult<()> {
        self.objects = binary_op(&self.objects, value, BinaryOp::Add)?;
        Ok(())
    }

    fn end_ints(&mut self) -> PyResult<()> {
        match self.ints.take() {
            Some(sum) if sum != 0 => self.add_objects(&Int::from_i64(sum)),
            _ => Ok(()),
        }
    }

    fn end_floats(&mut self) -> PyResult<()> {
        match self.floats.take() {
            Some(sum) if self.has_floats => self.add_objects(&Float::new(sum.finish())),
            _ => Ok(()),
        }
    }

    fn add(&mut self, p: &Object, q: &Object) -> PyResult<()> {
        if let Some(sum) = self.ints {
            if let Some(next) = exact_product(p, q).and_then(|product| sum.checked_add(product)) {
                self.ints = Some(next);
                return Ok(());
            }
            self.end_ints()?;
        }
        if let Some(sum) = &self.floats {
            if let Some((p, q)) = float_pair(p, q) {
                let mut next = *sum;
                next.add(p, q);
                if next.finish().is_finite() {
                    self.floats = Some(next);
                    self.has_floats = true;
                    return Ok(());
                }
            }
            self.end_floats()?;
        }
        let product = binary_op(p, q, BinaryOp::Multiply)?;
        self.add_objects(&product)
    }
}

fn exact_product(p: &Object, q: &Object) -> Option<i64> {
    let int = |object: &Object| {
        object.downcast::<Int>().filter(|_| object.is_exact(&PyLong_Type)).and_then(Int::to_i64)
    };
    int(p)?.checked_mul(int(q)?)
}

/// Both factors as floats, if one is a float and the other a float or an int.
fn float_pair(p: &Object, q: &Object) -> Option<(f64, f64)> {
    let float = |object: &Object| {
        if object.is_exact(&PyFloat_Type) {
            return object.downcast::<Float>().map(Float::value);
        }
        if object.is_exact(&PyLong_Type) || object.is_exact(&PyBool_Type) {
            return object
                .downcast::<Int>()
                .and_then(|int| taipan_num::int::to_f64(super::integers::view(int)));
        }
        None
    };
    if !p.is_exact(&PyFloat_Type) && !q.is_exact(&PyFloat_Type) {
        return None;
    }
    Some((float(p)?, float(q)?))
}

pub(super) fn sumprod(_: &Object, args: &Args<'_>) -> PyResult {
    let (p, q) = (args.required(0).iter()?, args.required(1).iter()?);
    let mut total = Total {
        objects: Int::from_i64(0).upcast(),
        ints: Some(0),
        floats: Some(SumProd::default()),
        has_floats: false,
    };
    loop {
        match (iter_next(&p)?, iter_next(&q)?) {
            (Some(p), Some(q)) => total.add(&p, &q)?,
            (None, None) => break,
            _ => return Err(err::value_error("Inputs are not the same length")),
        }
    }
    total.end_ints()?;
    total.end_floats()?;
    total.objects.into_py()
}
