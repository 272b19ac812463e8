//! The types of this crate, driven through the object layer alone: no interpreter loop.

use taipan_object::dict::Dict;
use taipan_object::hooks::Hooks;
use taipan_object::native::TypeSpec;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::{self, TypeParts};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, gil, intern, state};

mod exceptions;
mod others;
mod types;

fn nothing(_: &str) -> PyResult<Ref> {
    Err(err::import_error("no modules here"))
}

static HOOKS: Hooks = Hooks {
    import_module: nothing,
    warn: |_, _, _| Ok(()),
    unraisable: |error, _, _| panic!("unraisable: {}", error.repr_lossy()),
    check_signals: || Ok(()),
    current_globals: || None,
    current_builtins: || state::interp().builtins.borrow().clone().map(Ref::upcast),
    current_super_args: || Err(err::runtime_error("super(): no current frame")),
    decode: |_, _, _| Err(err::not_implemented_error("decode")),
    encode: |_, _, _| Err(err::not_implemented_error("encode")),
};

/// `repr` and memory of the core types, which belong to other rooms: just enough for these tests.
mod core_types {
    use super::*;
    use taipan_object::native;
    use taipan_object::protocol::to_vec;

    fn items_repr(object: &Object) -> PyResult<String> {
        let tuple = object.is_exact(&PyTuple_Type);
        let items: Vec<String> =
            to_vec(object)?.iter().map(|item| Ok(item.repr()?.to_lossy())).collect::<PyResult<_>>()?;
        let comma = if tuple && items.len() == 1 { "," } else { "" };
        let (open, close) = if tuple { ('(', ')') } else { ('[', ']') };
        Ok(format!("{open}{}{comma}{close}", items.join(", ")))
    }

    pub static SPECS: &[TypeSpec] = &[
        TypeSpec {
            slots: &[native::tp_repr(|s: &Str| format!("'{}'", s.to_lossy()))],
            ..TypeSpec::new(&PyUnicode_Type)
        },
        TypeSpec {
            slots: &[
                native::tp_repr(|i: &taipan_object::int::Int| i.to_i64().map(|v| v.to_string())),
                native::nb_index(|i: &taipan_object::int::Int| i.new_ref()),
            ],
            ..TypeSpec::new(&PyLong_Type)
        },
        TypeSpec {
            slots: &[
                native::raw_dealloc(taipan_object::tuple::dealloc),
                native::raw_traverse(taipan_object::tuple::traverse),
                native::sq_item(|t: &Tuple, i: isize| t.items()[i as usize].new_ref()),
                native::tp_repr(items_repr),
            ],
            ..TypeSpec::new(&PyTuple_Type)
        },
        TypeSpec {
            slots: &[
                native::sq_item(|t: &taipan_object::list::List, i: isize| t.to_vec()[i as usize].clone()),
                native::tp_repr(items_repr),
            ],
            ..TypeSpec::new(&PyList_Type)
        },
    ];
}

/// Runs a test in a fresh interpreter, on a thread whose stack is known.
fn with_interpreter(test: impl FnOnce() -> PyResult<()> + Send + 'static) {
    const STACK: usize = 16 << 20;
    let run = move || run_attached(STACK - (1 << 20), test);
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn run_attached(stack: usize, test: impl FnOnce() -> PyResult<()>) {
    let interp = state::InterpreterState::create(0, &HOOKS);
    let thread = state::new_thread_state(interp);
    let here = 0u8;
    // SAFETY: this thread's own state and stack.
    unsafe {
        state::set_stack_bounds(thread, (&raw const here).addr() - stack, stack);
        gil::attach(thread);
    }
    let result = install().and_then(|()| test());
    if let Err(error) = result {
        panic!("{error:?}: {}", error.exception().str_lossy());
    }
    gil::detach();
}

fn install() -> PyResult<()> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| {
        result = taipan_types_meta::install_roots().and_then(|()| {
            typeobject::install(&taipan_object::callable::CFUNCTION)?;
            typeobject::install(&taipan_object::callable::METHOD)?;
            for spec in &taipan_object::descr::SPECS {
                typeobject::install(spec)?;
            }
            taipan_types_meta::install()?;
            for spec in core_types::SPECS {
                typeobject::install(spec)?;
            }
            typeobject::ready_static()
        });
    });
    result
}

fn text(text: &str) -> Ref<Str> {
    Str::from_utf8(text).expect("memory")
}

fn int(value: i64) -> Ref {
    taipan_object::int::Int::from_i64(value).upcast()
}

/// The message of an error, with its type in front.
fn message(error: PyErr) -> String {
    format!("{}: {}", error.exception().ty().name(), error.exception().str_lossy())
}

fn fails(result: PyResult<impl Sized>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => message(error),
    }
}

/// `class name(*bases): pass`.
fn class(name: &str, bases: &[&Type]) -> PyResult<Ref<Type>> {
    class_with(name, bases, &[])
}

fn class_with(name: &str, bases: &[&Type], entries: &[(&str, &Object)]) -> PyResult<Ref<Type>> {
    let namespace = Dict::new()?;
    namespace.set_str(intern!("__module__"), &text("m"))?;
    for (name, value) in entries {
        namespace.set_str(&taipan_object::unicode::intern(text(name)), value)?;
    }
    let bases: Vec<&Object> = bases.iter().map(|base| &***base).collect();
    typeobject::type_new(&TypeParts {
        metatype: &PyType_Type,
        name: &text(name),
        bases: &*Tuple::from_refs(&bases)?,
        namespace: &namespace,
        kwargs: None,
    })
}

/// All tests in one interpreter: type objects are shared by the process.
#[test]
fn everything() {
    with_interpreter(|| {
        types::run()?;
        exceptions::run()?;
        others::run()
    });
}
