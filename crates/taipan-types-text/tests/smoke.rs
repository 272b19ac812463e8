//! The text and number types on a bare interpreter: what needs no exceptions and no evaluator.

use taipan_object::bytes::Bytes;
use taipan_object::hooks::Hooks;
use taipan_object::int::Int;
use taipan_object::native::IntoPy;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next, richcompare_bool};
use taipan_object::native::CompareOp;
use taipan_object::state::{InterpreterState, new_thread_state};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern};

static HOOKS: Hooks = Hooks {
    import_module: |_| unreachable!(),
    warn: |_, _, _| Ok(()),
    unraisable: |_, _| (),
    check_signals: || Ok(()),
    current_globals: || None,
    decode: |_, _, _| unreachable!(),
    encode: |_, _, _| unreachable!(),
};

fn text(object: &Object) -> String {
    object.repr().map(|text| text.to_lossy()).unwrap_or_else(|_| "error".into())
}

fn s(value: &str) -> Ref {
    value.into_py().expect("memory")
}

fn call(object: &Object, name: &str, args: &[&Object]) -> String {
    let name = Str::from_utf8(name).expect("memory");
    text(&object.call_method(&name, args).unwrap_or_else(|error| error.into_exception().upcast()))
}

fn run() -> PyResult<()> {
    taipan_object::typeobject::ready_static()?;
    taipan_types_num::install()?;
    taipan_types_text::install()?;
    let five = Int::from_i64(5);
    let big = binary_op(&Int::from_i64(1 << 40), &Int::from_i64(1 << 40), BinaryOp::Multiply)?;
    assert_eq!(text(&big), "1208925819614629174706176");
    assert_eq!(text(&*binary_op(&Int::from_i64(-7), &five, BinaryOp::FloorDivide)?), "-2");
    assert_eq!(text(&*binary_op(&Int::from_i64(7), &five, BinaryOp::TrueDivide)?), "1.4");
    assert_eq!(call(&five, "__format__", &[&s("+05d")]), "'+0005'");
    assert_eq!(call(&s("a,b,,c"), "split", &[&s(",")]), "['a', 'b', '', 'c']".replace("[", "["));
    Ok(())
}

fn texts() -> PyResult<()> {
    let hello = s("héllo wörld");
    assert_eq!(text(&hello), "'héllo wörld'");
    assert_eq!(call(&hello, "upper", &[]), "'HÉLLO WÖRLD'");
    assert_eq!(call(&hello, "title", &[]), "'Héllo Wörld'");
    assert_eq!(call(&hello, "find", &[&s("wö")]), "6");
    assert_eq!(call(&s("aXbX\u{1234}"), "replace", &[&s("X"), &s("\u{1F600}")]), "'a😀b😀ሴ'");
    assert_eq!(call(&s("ab\u{1234}\u{1234}cd"), "find", &[&s("\u{1234}c")]), "3");
    assert_eq!(call(&s("{} {:>4}|{0}"), "format", &[&s("x")]).is_empty(), false);
    assert_eq!(call(&s("{1}-{0:>4}"), "format", &[&s("x"), &s("y")]), "'y-   x'");
    assert_eq!(call(&s("abc"), "center", &[&Int::from_i64(8), &s("*")]), "'**abc***'");
    let values = Tuple::from_array([Int::from_i64(255).upcast(), s("z"), 1.5f64.into_py()?])?;
    let made = binary_op(&s("%#06x %-3s| %.2f%%"), &values, BinaryOp::Remainder)?;
    assert_eq!(text(&made), "'0x00ff z  | 1.50%'");
    let joined = s("-").call_method(intern!("join"), &[&*Tuple::from_array([s("a"), s("é")])?])?;
    assert_eq!(text(&joined), "'a-é'");
    let iterator = s("añ").iter()?;
    assert_eq!(text(&*iter_next(&iterator)?.expect("item")), "'a'");
    assert_eq!(text(&*iter_next(&iterator)?.expect("item")), "'ñ'");
    assert!(iter_next(&iterator)?.is_none());
    Ok(())
}

fn bytes() -> PyResult<()> {
    let data = Bytes::new(b"abcabc\n")?;
    assert_eq!(text(&data), "b'abcabc\\n'");
    assert_eq!(call(&data, "hex", &[&s(":"), &Int::from_i64(2)]), "'61:6263:6162:630a'");
    assert_eq!(call(&data, "replace", &[&*Bytes::new(b"b")?, &*Bytes::new(b"__")?]), "b'a__ca__c\\n'");
    let array = PyByteArray_Type.call(&[&*data])?;
    assert_eq!(text(&array), "bytearray(b'abcabc\\n')");
    assert_eq!(call(&array, "pop", &[]), "10");
    assert_eq!(call(&array, "extend", &[&*Bytes::new(b"xyz")?]), "None");
    assert_eq!(text(&array), "bytearray(b'abcabcxyz')");
    let view = PyMemoryView_Type.call(&[&*array])?;
    assert_eq!(call(&view, "tolist", &[]), "[97, 98, 99, 97, 98, 99, 120, 121, 122]");
    let shape = Tuple::from_array([Int::from_i64(3).upcast(), Int::from_i64(3).upcast()])?;
    let square = view.call_method(intern!("cast"), &[&s("B"), &shape])?;
    assert_eq!(call(&square, "tolist", &[]), "[[97, 98, 99], [97, 98, 99], [120, 121, 122]]");
    assert!(richcompare_bool(&view, &array, CompareOp::Eq)?);
    drop(square);
    drop(view);
    assert_eq!(call(&array, "clear", &[]), "None");
    Ok(())
}

#[test]
fn everyday_use() {
    let interp = InterpreterState::create(0, &HOOKS);
    let state = new_thread_state(interp);
    // SAFETY: made just now for this thread.
    unsafe { taipan_object::gil::attach(state) };
    for part in [run, texts, bytes] {
        if let Err(error) = part() {
            panic!("{}", text(error.exception()));
        }
    }
}
