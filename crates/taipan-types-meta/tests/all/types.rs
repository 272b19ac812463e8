//! `object` and `type`.

use super::*;

pub fn run() -> PyResult<()> {
    object()?;
    attributes()?;
    hierarchy()
}

fn object() -> PyResult<()> {
    let base: &Type = &PyBaseObject_Type;
    assert_eq!(fails(base.call(&[&int(1)])), "TypeError: object() takes no arguments");
    let a = class("A", &[base])?;
    assert_eq!(fails(a.call(&[&int(1)])), "TypeError: A() takes no arguments");
    let instance = a.call(&[])?;
    assert!(instance.repr()?.to_lossy().starts_with("<m.A object at 0x"));
    assert_eq!(a.repr()?.to_lossy(), "<class 'm.A'>");
    assert_eq!(base.repr()?.to_lossy(), "<class 'object'>");
    instance.setattr(intern!("x"), Some(&int(5)))?;
    assert_eq!(instance.getattr(intern!("x"))?.repr()?.to_lossy(), "5");
    assert_eq!(fails(instance.getattr(intern!("y"))), "AttributeError: 'A' object has no attribute 'y'");
    let slotted = class_with("C", &[base], &[("__slots__", &*Tuple::from_refs(&[&text("a"), &text("b")])?)])?;
    assert_eq!(
        fails(instance.setattr(intern!("__class__"), Some(&slotted))),
        "TypeError: __class__ assignment: 'C' object layout differs from 'A'"
    );
    let b = class("B", &[base])?;
    instance.setattr(intern!("__class__"), Some(&b))?;
    assert!(instance.is_exact(&b));
    assert_eq!(instance.getattr(intern!("x"))?.repr()?.to_lossy(), "5");
    let two = slotted.call(&[])?;
    two.setattr(intern!("a"), Some(&int(1)))?;
    assert_eq!(two.getattr(intern!("a"))?.repr()?.to_lossy(), "1");
    assert_eq!(
        fails(two.setattr(intern!("z"), Some(&int(1)))),
        "AttributeError: 'C' object has no attribute 'z' and no __dict__ for setting new attributes"
    );
    Ok(())
}

fn attributes() -> PyResult<()> {
    let base: &Type = &PyBaseObject_Type;
    let a = class("A", &[base])?;
    assert_eq!(fails(a.getattr(intern!("foo"))), "AttributeError: type object 'A' has no attribute 'foo'");
    assert_eq!(
        fails(a.setattr(intern!("foo"), None)),
        "AttributeError: type object 'A' has no attribute 'foo'"
    );
    assert_eq!(
        fails(PyLong_Type.setattr(intern!("x"), Some(&int(1)))),
        "TypeError: cannot set 'x' attribute of immutable type 'int'"
    );
    assert_eq!(
        fails(a.setattr(intern!("__name__"), None)),
        "TypeError: cannot delete '__name__' attribute of immutable type 'A'"
    );
    a.setattr(intern!("__name__"), Some(&text("Z")))?;
    assert_eq!(a.name(), "Z");
    assert_eq!(a.getattr(intern!("__qualname__"))?.str_lossy(), "A");
    a.setattr(intern!("x"), Some(&int(7)))?;
    assert_eq!(a.call(&[])?.getattr(intern!("x"))?.repr()?.to_lossy(), "7");
    assert_eq!(base.getattr(intern!("__module__"))?.str_lossy(), "builtins");
    assert_eq!(fails(PyType_Type.call(&[])), "TypeError: type() takes 1 or 3 arguments");
    assert!(PyType_Type.call(&[&int(1)])?.is(&PyLong_Type));
    let empty = Tuple::empty();
    let made = PyType_Type.call(&[&text("N"), &empty, &*Dict::new()?])?;
    assert_eq!(made.repr()?.to_lossy(), "<class 'N'>");
    assert_eq!(
        fails(PyType_Type.call(&[&text("N"), &int(1), &*Dict::new()?])),
        "TypeError: type.__new__() argument 2 must be tuple, not int"
    );
    Ok(())
}

fn hierarchy() -> PyResult<()> {
    let base: &Type = &PyBaseObject_Type;
    let a = class_with("A", &[base], &[("x", &int(1))])?;
    let c = class_with("C", &[base], &[("x", &int(2))])?;
    let b = class("B", &[&a])?;
    assert_eq!(b.getattr(intern!("x"))?.repr()?.to_lossy(), "1");
    b.setattr(intern!("__bases__"), Some(&*Tuple::from_refs(&[&c])?))?;
    assert_eq!(b.getattr(intern!("x"))?.repr()?.to_lossy(), "2");
    assert_eq!(a.subclasses().len(), 0);
    assert_eq!(c.subclasses().len(), 1);
    assert_eq!(
        fails(b.setattr(intern!("__bases__"), Some(&int(1)))),
        "TypeError: can only assign tuple to B.__bases__, not int"
    );
    assert_eq!(
        fails(b.setattr(intern!("__bases__"), Some(&*Tuple::from_refs(&[&b])?))),
        "TypeError: a __bases__ item causes an inheritance cycle"
    );
    drop(b);
    taipan_object::gc::collect(2);
    assert_eq!(c.subclasses().len(), 0);
    Ok(())
}
