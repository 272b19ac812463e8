//! The exception hierarchy.

use super::*;
use taipan_object::list::List;
use taipan_types_meta::exceptions as exc;

pub fn run() -> PyResult<()> {
    basics()?;
    os()?;
    places()?;
    groups()
}

fn basics() -> PyResult<()> {
    let value_error: &Type = &PyExc_ValueError;
    let error = value_error.call(&[&int(1), &text("a")])?;
    assert_eq!(error.repr()?.to_lossy(), "ValueError(1, 'a')");
    assert_eq!(error.str()?.to_lossy(), "(1, 'a')");
    assert_eq!(value_error.call(&[&text("a")])?.str()?.to_lossy(), "a");
    let key: &Type = &PyExc_KeyError;
    assert_eq!(key.call(&[&text("a")])?.str()?.to_lossy(), "'a'");
    assert_eq!(
        fails(error.setattr(intern!("__cause__"), Some(&int(1)))),
        "TypeError: exception cause must be None or derive from BaseException"
    );
    assert_eq!(fails(error.setattr(intern!("args"), None)), "TypeError: args may not be deleted");
    error.call_method(intern!("add_note"), &[&text("n")])?;
    assert_eq!(error.getattr(intern!("__notes__"))?.repr()?.to_lossy(), "['n']");
    let stop: &Type = &PyExc_StopIteration;
    assert_eq!(stop.call(&[&int(3)])?.getattr(intern!("value"))?.repr()?.to_lossy(), "3");
    let derived = class("E", &[value_error])?;
    let instance = derived.call(&[&int(9)])?;
    instance.setattr(intern!("more"), Some(&int(1)))?;
    assert_eq!(instance.repr()?.to_lossy(), "E(9)");
    // A long chain of contexts goes without recursion.
    let mut last = value_error.call(&[])?;
    for _ in 0..200_000 {
        let next = value_error.call(&[])?;
        next.setattr(intern!("__context__"), Some(&last))?;
        last = next;
    }
    drop(last);
    Ok(())
}

fn os() -> PyResult<()> {
    let base: &Type = &PyExc_OSError;
    let error = base.call(&[&int(2), &text("x"), &text("f")])?;
    assert_eq!(error.repr()?.to_lossy(), "FileNotFoundError(2, 'x')");
    assert_eq!(error.str()?.to_lossy(), "[Errno 2] x: 'f'");
    assert_eq!(base.call(&[&int(1)])?.repr()?.to_lossy(), "OSError(1)");
    assert_eq!(
        message(exc::os_error(13, Some(&text("p")))),
        "PermissionError: [Errno 13] Permission denied: 'p'"
    );
    assert_eq!(fails(error.getattr(intern!("characters_written"))), "AttributeError: characters_written");
    Ok(())
}

fn places() -> PyResult<()> {
    let error = exc::syntax_error(&PyExc_SyntaxError, "bad", &text("d/f.py"), None, (3, 4), Some((3, 5)));
    assert_eq!(message(error), "SyntaxError: bad (f.py, line 3)");
    let encode: &Type = &PyExc_UnicodeEncodeError;
    let error = encode.call(&[&text("u"), &text("ab\u{1234}"), &int(2), &int(3), &text("r")])?;
    assert_eq!(error.str()?.to_lossy(), "'u' codec can't encode character '\\u1234' in position 2: r");
    assert_eq!(fails(encode.call(&[&text("u")])), "TypeError: function takes exactly 5 arguments (1 given)");
    let error = exc::import_error(Some(&text("n")), None, "no");
    assert_eq!(error.exception().getattr(intern!("name"))?.str_lossy(), "n");
    Ok(())
}

fn groups() -> PyResult<()> {
    let (value, kind): (&Type, &Type) = (&PyExc_ValueError, &PyExc_TypeError);
    let group: &Type = &PyExc_BaseExceptionGroup;
    let inner = group.call(&[&text("b"), &*List::from_vec(vec![value.call(&[&int(3)])?])?])?;
    let members = List::from_vec(vec![value.call(&[&int(1)])?, kind.call(&[&int(2)])?, inner])?;
    let outer = group.call(&[&text("a"), &members])?;
    assert_eq!(
        outer.repr()?.to_lossy(),
        "ExceptionGroup('a', [ValueError(1), TypeError(2), ExceptionGroup('b', [ValueError(3)])])"
    );
    assert_eq!(outer.str()?.to_lossy(), "a (3 sub-exceptions)");
    let matched = exc::match_group(&outer, value)?;
    assert_eq!(
        matched.matched.as_ref().map(|m| m.repr_lossy()).as_deref(),
        Some("ExceptionGroup('a', [ValueError(1), ExceptionGroup('b', [ValueError(3)])])")
    );
    assert_eq!(
        matched.rest.as_ref().map(|m| m.repr_lossy()).as_deref(),
        Some("ExceptionGroup('a', [TypeError(2)])")
    );
    let rest = matched.rest.expect("checked just now");
    let again = exc::prep_reraise_star(&outer, &*List::from_vec(vec![rest])?)?;
    assert_eq!(again.map(|m| m.repr_lossy()).as_deref(), Some("ExceptionGroup('a', [TypeError(2)])"));
    let raised = List::from_vec(vec![value.call(&[&int(8)])?])?;
    assert_eq!(
        fails(group.call(&[&text("a"), &*List::new()?])),
        "ValueError: second argument (exceptions) must be a non-empty sequence"
    );
    assert_eq!(
        exc::prep_reraise_star(&*value.call(&[])?, &raised)?.map(|m| m.repr_lossy()).as_deref(),
        Some("ValueError(8)")
    );
    Ok(())
}
