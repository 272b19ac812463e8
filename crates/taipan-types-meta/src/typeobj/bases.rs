//! Assignment to `__bases__`: a class moves to another place in the hierarchy.
//!
//! The new bases must give instances the same memory. New resolution orders of the class and all
//! its subclasses are computed before anything is changed, so a failure leaves everything as it was.

use super::attributes::check_set;
use crate::object::can_assign;
use taipan_object::err::{PyResult, type_error};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject;
use taipan_object::{Object, Ref, Type, handle, raise};

pub(super) fn set_bases(ty: &Type, value: Option<&Object>) -> PyResult<()> {
    let value = check_set(ty, value, "__bases__")?;
    let bases = check_bases(ty, value)?;
    let base = typeobject::best_base(bases)?;
    let Some(old_base) = ty.base() else { return Err(type_error("object has no bases")) };
    can_assign(old_base, &base, "__bases__")?;
    let ty = Ref::of(ty);
    let old_bases = ty.bases().map(Ref::of);
    let old_base = Ref::of(old_base);
    // SAFETY: a heap type, whose fields own their values.
    unsafe {
        handle::set_field(&raw mut (*ty.raw()).tp_bases, Some(bases.new_ref()));
        handle::set_field(&raw mut (*ty.raw()).tp_base, Some(base.clone().upcast()));
    }
    let mut changed: Vec<(Ref<Type>, Option<Ref<Tuple>>)> = Vec::new();
    if let Err(error) = update_mros(&ty, &mut changed) {
        // SAFETY: as above; everything goes back to what it was.
        unsafe {
            for (class, old) in changed.into_iter().rev() {
                handle::set_field(&raw mut (*class.raw()).tp_mro, old.map(Ref::upcast));
                class.modified();
            }
            // An assignment inside `mro()` that went through stays.
            if ty.bases().is_some_and(|now| now.is(bases)) {
                handle::set_field(&raw mut (*ty.raw()).tp_bases, old_bases.map(Ref::upcast));
                handle::set_field(&raw mut (*ty.raw()).tp_base, Some(old_base.upcast()));
            }
        }
        return Err(error);
    }
    // Assignment to `__bases__` inside `mro()` may have overtaken us.
    if ty.bases().is_some_and(|now| now.is(bases)) {
        relink(&ty, old_bases.as_deref(), bases);
        update_slots(&ty);
    }
    Ok(())
}

fn check_bases<'a>(ty: &Type, value: &'a Object) -> PyResult<&'a Tuple> {
    let name = ty.message_name();
    let Some(bases) = value.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "can only assign tuple to {name}.__bases__, not {}",
            value.ty().message_name()
        ));
    };
    if bases.is_empty() {
        return Err(raise!(PyExc_TypeError, "can only assign non-empty tuple to {name}.__bases__, not ()"));
    }
    for base in bases.items() {
        let Some(class) = base.downcast::<Type>() else {
            return Err(raise!(
                PyExc_TypeError,
                "{name}.__bases__ must be tuple of classes, not '{}'",
                base.ty().message_name()
            ));
        };
        // While `mro()` runs, the chain of bases may be ahead of the resolution orders.
        let mut chain = Some(class);
        let mut in_chain = false;
        while let Some(link) = chain {
            in_chain |= link.is(ty);
            chain = link.base();
        }
        if class.is_subtype(ty) || in_chain {
            return Err(type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    Ok(bases)
}

/// New resolution orders of the class and, where they changed, of its subclasses.
fn update_mros(ty: &Type, changed: &mut Vec<(Ref<Type>, Option<Ref<Tuple>>)>) -> PyResult<()> {
    taipan_object::protocol::recursive("", || {
        let new = typeobject::make_mro(ty)?;
        changed.push((Ref::of(ty), ty.mro().map(Ref::of)));
        // SAFETY: the field owns its value.
        unsafe { handle::set_field(&raw mut (*ty.raw()).tp_mro, Some(new.upcast())) };
        ty.modified();
        for subclass in ty.subclasses() {
            update_mros(&subclass, changed)?;
        }
        Ok(())
    })
}

fn relink(ty: &Type, old: Option<&Tuple>, new: &Tuple) {
    for base in old.map_or(&[][..], Tuple::items) {
        if let Some(base) = base.downcast::<Type>() {
            base.remove_subclass(ty);
        }
    }
    for base in new.items() {
        if let Some(base) = base.downcast::<Type>() {
            base.add_subclass(ty);
        }
    }
}

fn update_slots(ty: &Type) {
    ty.modified();
    typeobject::update_all_slots(ty);
    for subclass in ty.subclasses() {
        update_slots(&subclass);
    }
}
