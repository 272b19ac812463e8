//! Property, modules, weak references, unions, aliases.

use super::*;
use taipan_object::protocol;
use taipan_types_meta::{generic_alias, module, union, weakrefs};

pub fn run() -> PyResult<()> {
    wrappers()?;
    modules()?;
    weak()?;
    generics()
}

fn wrappers() -> PyResult<()> {
    let base: &Type = &PyBaseObject_Type;
    let property = PyProperty_Type.call(&[])?;
    let c = class_with("C", &[base], &[("y", &property)])?;
    assert_eq!(
        fails(c.call(&[])?.getattr(intern!("y"))),
        "AttributeError: property 'y' of 'C' object has no getter"
    );
    assert_eq!(
        fails(c.call(&[])?.setattr(intern!("y"), Some(&int(1)))),
        "AttributeError: property 'y' of 'C' object has no setter"
    );
    let method = PyClassMethod_Type.call(&[&**PyType_Type])?;
    let d = class_with("D", &[base], &[("kind", &method)])?;
    assert!(d.call_method(intern!("kind"), &[])?.is(&PyType_Type));
    let fixed = PyStaticMethod_Type.call(&[&**PyType_Type])?;
    d.setattr(intern!("fixed"), Some(&fixed))?;
    assert!(d.call(&[])?.call_method(intern!("fixed"), &[&int(1)])?.is(&PyLong_Type));
    assert_eq!(fails(PyStaticMethod_Type.call(&[])), "TypeError: staticmethod expected 1 argument, got 0");
    let derived = class_with("E", &[&d], &[("kind", &int(3))])?;
    let up = PySuper_Type.call(&[&derived, &*derived.call(&[])?])?;
    assert!(up.call_method(intern!("kind"), &[])?.is(&PyType_Type));
    assert_eq!(fails(up.getattr(intern!("no"))), "AttributeError: 'super' object has no attribute 'no'");
    assert_eq!(up.repr()?.to_lossy(), "<super: <class 'E'>, <E object>>");
    Ok(())
}

fn modules() -> PyResult<()> {
    let made = taipan_object::module::Module::new(&text("x"), None)?;
    assert_eq!(made.repr()?.to_lossy(), "<module 'x'>");
    assert_eq!(fails(made.getattr(intern!("foo"))), "AttributeError: module 'x' has no attribute 'foo'");
    made.setattr(intern!("foo"), Some(&int(1)))?;
    assert_eq!(module::dict(&made)?.get_text("foo").map(|v| v.repr_lossy()).as_deref(), Some("1"));
    assert_eq!(
        fails(PyModule_Type.call(&[])),
        "TypeError: module() missing required argument 'name' (pos 1)"
    );
    Ok(())
}

fn weak() -> PyResult<()> {
    let base: &Type = &PyBaseObject_Type;
    let a = class("A", &[base])?;
    let object = a.call(&[])?;
    let reference = _PyWeakref_RefType.call(&[&object])?;
    assert!(reference.call(&[])?.is(&object));
    assert!(_PyWeakref_RefType.call(&[&object])?.is(&reference));
    let proxy = weakrefs::new_proxy(&object, None)?;
    object.setattr(intern!("x"), Some(&int(4)))?;
    assert_eq!(proxy.getattr(intern!("x"))?.repr()?.to_lossy(), "4");
    drop(object);
    assert!(taipan_object::singletons::is_none(&*reference.call(&[])?));
    assert_eq!(
        fails(proxy.getattr(intern!("x"))),
        "ReferenceError: weakly-referenced object no longer exists"
    );
    assert_eq!(fails(reference.hash()), "TypeError: weak object has gone away");
    assert_eq!(
        fails(_PyWeakref_RefType.call(&[&int(1)])),
        "TypeError: cannot create weak reference to 'int' object"
    );
    Ok(())
}

fn generics() -> PyResult<()> {
    let (integer, text_type, list): (&Type, &Type, &Type) = (&PyLong_Type, &PyUnicode_Type, &PyList_Type);
    let both = union::make(&[integer, text_type, integer])?;
    assert_eq!(both.repr()?.to_lossy(), "int | str");
    assert!(protocol::is_instance(&int(1), &both)?);
    assert!(!protocol::is_instance(taipan_object::singletons::none(), &both)?);
    assert_eq!(union::or(&both, taipan_object::singletons::none())?.repr()?.to_lossy(), "int | str | None");
    let alias = generic_alias::new(list, integer)?;
    assert_eq!(alias.repr()?.to_lossy(), "list[int]");
    assert_eq!(fails(alias.get_item(integer)), "TypeError: list[int] is not a generic class");
    assert_eq!(
        fails(protocol::is_instance(&int(1), &alias)),
        "TypeError: isinstance() argument 2 cannot be a parameterized generic"
    );
    assert_eq!(protocol::to_vec(&alias)?[0].repr()?.to_lossy(), "*list[int]");
    Ok(())
}
