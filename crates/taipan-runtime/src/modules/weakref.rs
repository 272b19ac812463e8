//! `_weakref`: the types of weak references, and what is asked about an object's own.

use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::statics::*;
use taipan_object::weakref::{self, WeakRef};
use taipan_object::{Object, PyResult, Ref, Type, raise};

fn count(_: &Object, object: &Object) -> usize {
    weakref::count(object)
}

fn references(_: &Object, object: &Object) -> PyResult<Ref<List>> {
    List::from_vec(weakref::all(object))
}

fn proxy(_: &Object, args: &Args<'_>) -> PyResult {
    taipan_types_meta::weakrefs::new_proxy(args.required(0), args.get_some(1))
}

/// Removes an entry whose value is a weak reference, if its object has gone.
fn remove_dead(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let Some(dict) = args.required(0).downcast::<Dict>() else {
        return Err(raise!(
            PyExc_TypeError,
            "_remove_dead_weakref() argument 1 must be dict, not {}",
            args.required(0).ty().message_name()
        ));
    };
    let key = args.required(1);
    let Some(value) = dict.get(key)? else { return Ok(()) };
    let Some(reference) = value.downcast::<WeakRef>() else {
        return Err(taipan_object::err::type_error("not a weakref"));
    };
    if weakref::referent(reference).is_none() {
        dict.remove(key)?;
    }
    Ok(())
}

taipan_object::methods! { static METHODS = {
    one "getweakrefcount" "($module, object, /)" = count, "How many weak references an object has.";
    one "getweakrefs" "($module, object, /)" = references, "The weak references of an object.";
    args "proxy" "($module, object, callback=None, /)" = proxy, "A proxy that does not keep the object alive.";
    args "_remove_dead_weakref" "($module, dct, key, /)" = remove_dead, "Remove an entry whose object has gone.";
} }

fn init(module: &Module) -> PyResult<()> {
    let types: [(&str, &Type); 4] = [
        ("ref", &_PyWeakref_RefType),
        ("ReferenceType", &_PyWeakref_RefType),
        ("ProxyType", &_PyWeakref_ProxyType),
        ("CallableProxyType", &_PyWeakref_CallableProxyType),
    ];
    for (name, ty) in types {
        module.add(name, ty)?;
    }
    Ok(())
}

/// `_weakref`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_weakref", doc: "Weak references.", methods: METHODS, init };
