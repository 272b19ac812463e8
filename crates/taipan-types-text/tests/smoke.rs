//! The text and number types on a bare interpreter: what needs no exceptions and no evaluator.

use taipan_object::alloc::generic_alloc;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::hooks::Hooks;
use taipan_object::instance::{
    PyObject_GenericGetAttr, PyType_GenericAlloc, native_object_dealloc, object_free,
};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next, richcompare_bool, to_vec};
use taipan_object::state::{InterpreterState, new_thread_state};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern};

static HOOKS: Hooks = Hooks {
    import_module: |_| unreachable!(),
    warn: |_, _, _| Ok(()),
    unraisable: |_, _, _| (),
    check_signals: || Ok(()),
    current_globals: || None,
    current_builtins: || taipan_object::state::interp().builtins.borrow().clone().map(Ref::upcast),
    current_super_args: || unreachable!(),
    decode: |_, _, _| unreachable!(),
    encode: |_, _, _| unreachable!(),
};

/// `type(...)` as far as these types need it.
fn type_call(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // SAFETY: slot contracts.
    unsafe {
        let kwargs = kwargs.map_or(core::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        let new = (*ty.raw()).tp_new.expect("tp_new");
        let made = from_c(new(ty.raw(), args.as_ptr(), kwargs))?;
        if let Some(init) = (*ty.raw()).tp_init {
            from_c_int(init(made.as_ptr(), args.as_ptr(), kwargs) as isize)?;
        }
        Ok(made)
    }
}

fn exception_new(ty: &Type, args: &Tuple, _: Option<&Dict>) -> PyResult {
    let made = generic_alloc(ty, 0)?;
    if let Some(exception) = made.downcast::<taipan_object::err::Exception>() {
        exception.set_args(Some(args.new_ref()));
    }
    Ok(made)
}

fn exception_repr(exception: &taipan_object::err::Exception) -> String {
    format!("{}{}", exception.ty().name(), exception.args().map_or(String::new(), |args| items(&args)))
}

fn items(object: &Object) -> String {
    let all: Vec<String> =
        to_vec(object).map_or(Vec::new(), |all| all.iter().map(|item| text(item)).collect());
    all.join(" ")
}

static OBJECT: TypeSpec = TypeSpec {
    slots: &[
        raw_getattro(PyObject_GenericGetAttr),
        raw_dealloc(native_object_dealloc),
        raw_alloc(PyType_GenericAlloc),
        raw_free(object_free),
    ],
    ..TypeSpec::new(&PyBaseObject_Type)
};
static TYPE: TypeSpec = TypeSpec { slots: &[tp_call(type_call)], ..TypeSpec::new(&PyType_Type) };
static EXCEPTION: TypeSpec = TypeSpec {
    slots: &[tp_new(exception_new), tp_repr(exception_repr)],
    ..TypeSpec::new(&_PyExc_BaseException)
};
static TUPLE: TypeSpec =
    TypeSpec { slots: &[tp_repr(|tuple: &Tuple| items(tuple))], ..TypeSpec::new(&PyTuple_Type) };
static LIST: TypeSpec =
    TypeSpec { slots: &[tp_repr(|list: &List| items(list))], ..TypeSpec::new(&PyList_Type) };

fn text(object: &Object) -> String {
    if taipan_object::singletons::is_none(object) {
        return "None".into();
    }
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
    for spec in [&OBJECT, &TYPE, &EXCEPTION, &TUPLE, &LIST] {
        taipan_object::typeobject::install(spec)?;
    }
    for spec in &taipan_object::descr::SPECS {
        taipan_object::typeobject::install(spec)?;
    }
    for spec in [&taipan_object::callable::CFUNCTION, &taipan_object::callable::METHOD] {
        taipan_object::typeobject::install(spec)?;
    }
    taipan_object::typeobject::ready_static()?;
    taipan_types_num::install()?;
    taipan_types_text::install()?;
    let five = Int::from_i64(5);
    let big = binary_op(&Int::from_i64(1 << 40), &Int::from_i64(1 << 40), BinaryOp::Multiply)?;
    assert_eq!(text(&big), "1208925819614629174706176");
    assert_eq!(text(&*binary_op(&Int::from_i64(-7), &five, BinaryOp::FloorDivide)?), "-2");
    assert_eq!(text(&*binary_op(&Int::from_i64(7), &five, BinaryOp::TrueDivide)?), "1.4");
    assert_eq!(call(&five, "__format__", &[&s("+05d")]), "'+0005'");
    assert_eq!(call(&s("a,b,,c"), "split", &[&s(",")]), "'a' 'b' '' 'c'");
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
    assert!(call(&s("{} {0}"), "format", &[&s("x")]).starts_with("ValueError"));
    assert_eq!(call(&s("{1}-{0:>4}"), "format", &[&s("x"), &s("y")]), "'y-   x'");
    assert_eq!(call(&s("abc"), "center", &[&Int::from_i64(8), &s("*")]), "'**abc***'");
    let values = Tuple::from_array([Int::from_i64(255).upcast(), s("z"), 1.5f64.into_py()?])?;
    let made = binary_op(&s("%#06x %-3s| %.2f%%"), &values, BinaryOp::Remainder)?;
    assert_eq!(text(&made), "'0x00ff z  | 1.50%'");
    let joined = s("-").call_method(intern!("join"), &[&*Tuple::from_array([s("a"), s("é")])?])?;
    assert_eq!(text(&joined), "'a-é'");
    let iterator = s("añ").iter()?;
    assert_eq!(text(&iter_next(&iterator)?.expect("item")), "'a'");
    assert_eq!(text(&iter_next(&iterator)?.expect("item")), "'ñ'");
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
    assert_eq!(call(&view, "tolist", &[]), "97 98 99 97 98 99 120 121 122");
    let shape = Tuple::from_array([Int::from_i64(3).upcast(), Int::from_i64(3).upcast()])?;
    let square = view.call_method(intern!("cast"), &[&s("B"), &shape])?;
    assert_eq!(call(&square, "tolist", &[]), "97 98 99 97 98 99 120 121 122");
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
