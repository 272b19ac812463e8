//! The method resolution order: the C3 linearisation of the bases.

use crate::err::{PyResult, type_error};
use crate::handle::{Object, Ref, Type};
use crate::raise;
use crate::statics::{PyExc_TypeError, PyType_Type};
use crate::tuple::Tuple;

/// The C3 linearisation of `ty` from its bases.
///
/// # Errors
/// `TypeError` when a base stands twice among the bases or no consistent order exists.
pub fn compute_mro(ty: &Type) -> PyResult<Ref<Tuple>> {
    let Some(bases) = ty.bases() else { return Tuple::from_refs(&[ty]) };
    let bases = Ref::of(bases);
    if let [base] = bases.items() {
        // SAFETY: bases are types.
        let base: &Type = unsafe { base.cast() };
        let mut order = vec![ty.new_ref()];
        order.extend(linear(base)?.items().iter().map(|entry| entry.new_ref()));
        return Tuple::from_vec(order);
    }
    for (index, base) in bases.items().iter().enumerate() {
        if bases.items()[..index].iter().any(|other| other.is(base)) {
            // SAFETY: bases are types.
            let name = unsafe { base.cast::<Type>() }.name();
            return Err(raise!(PyExc_TypeError, "duplicate base class {name}"));
        }
    }
    let mut lists: Vec<Vec<Ref>> = Vec::with_capacity(bases.len() + 1);
    for base in bases.items() {
        // SAFETY: bases are types.
        let order = linear(unsafe { base.cast() })?;
        lists.push(order.items().iter().map(|entry| entry.new_ref()).collect());
    }
    lists.push(bases.items().iter().map(|base| base.new_ref()).collect());
    let mut order = vec![ty.new_ref()];
    merge(&mut order, lists)?;
    Tuple::from_vec(order)
}

/// The resolution order as the metatype wants it: what its `mro()` gives, if it overrides that of `type`.
///
/// # Errors
/// As [`compute_mro`]; what `mro()` raises; `TypeError` when it gives something unusable.
pub fn make_mro(ty: &Type) -> PyResult<Ref<Tuple>> {
    let name = crate::intern!("mro");
    let metatype = ty.ty();
    let plain: &Type = &PyType_Type;
    if metatype.is(plain) {
        return compute_mro(ty);
    }
    let Some(method) = metatype.lookup(name) else { return compute_mro(ty) };
    if plain.lookup_ptr(name) == method.as_ptr() {
        return compute_mro(ty);
    }
    let order = crate::protocol::to_vec(&*crate::protocol::call_unbound(&method, ty, &[])?)?;
    let solid = super::create::solid_base(ty);
    for entry in &order {
        let Some(base) = entry.downcast::<Type>() else {
            return Err(raise!(
                PyExc_TypeError,
                "mro() returned a non-class ('{}')",
                entry.ty().message_name()
            ));
        };
        if !solid.is_subtype(super::create::solid_base(base)) {
            return Err(raise!(
                PyExc_TypeError,
                "mro() returned base with unsuitable layout ('{}')",
                base.message_name()
            ));
        }
    }
    Tuple::from_vec(order)
}

fn linear(base: &Type) -> PyResult<Ref<Tuple>> {
    base.mro()
        .map(Ref::of)
        .ok_or_else(|| type_error(&format!("Cannot extend an incomplete type '{}'", base.name())))
}

/// Repeatedly takes the first head that stands in no other list's tail.
fn merge(order: &mut Vec<Ref>, lists: Vec<Vec<Ref>>) -> PyResult<()> {
    let mut starts = vec![0usize; lists.len()];
    loop {
        let open: Vec<usize> = (0..lists.len()).filter(|&index| starts[index] < lists[index].len()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let in_tail = |candidate: &Object| {
            open.iter()
                .any(|&index| lists[index][starts[index] + 1..].iter().any(|entry| entry.is(candidate)))
        };
        let Some(&chosen) = open.iter().find(|&&index| !in_tail(&lists[index][starts[index]])) else {
            return Err(conflict(&lists, &starts, &open));
        };
        let next = lists[chosen][starts[chosen]].clone();
        for &index in &open {
            if lists[index][starts[index]].is(&next) {
                starts[index] += 1;
            }
        }
        order.push(next);
    }
}

fn conflict(lists: &[Vec<Ref>], starts: &[usize], open: &[usize]) -> crate::PyErr {
    let mut seen: Vec<&Object> = Vec::new();
    for &index in open {
        let head: &Object = &lists[index][starts[index]];
        if !seen.iter().any(|other| other.is(head)) {
            seen.push(head);
        }
    }
    let names: Vec<String> = seen
        .iter()
        // SAFETY: an MRO holds types only.
        .map(|entry| unsafe { entry.cast::<Type>() }.name().to_owned())
        .collect();
    raise!(
        PyExc_TypeError,
        "Cannot create a consistent method resolution order (MRO) for bases {}",
        names.join(", ")
    )
}
