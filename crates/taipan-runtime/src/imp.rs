//! The `_imp` module: what the library's `importlib` cannot do in Python.
//!
//! Native modules come from one table, frozen ones from another; both are handed over at start-up. The
//! import lock is the one that only this module's three functions know: modules have locks of their own.

use crate::import::{self, FrozenModules, NativeModules};
use crate::marshal;
use core::cell::Cell;
use taipan_eval::code::Code;
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::err::{import_error, runtime_error, type_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{self, Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise, state};

/// The import lock's state.
#[derive(Default)]
struct ImportLock {
    owner: Cell<u64>,
    depth: Cell<u32>,
}

fn import_lock() -> &'static ImportLock {
    state::interp().extension(ImportLock::default)
}

fn acquire_lock(_: &Object) -> PyResult<()> {
    let (lock, me) = (import_lock(), state::thread().base.id);
    while lock.depth.get() > 0 && lock.owner.get() != me {
        taipan_object::gil::allow_threads(|| std::thread::sleep(std::time::Duration::from_micros(100)));
    }
    lock.owner.set(me);
    lock.depth.set(lock.depth.get() + 1);
    Ok(())
}

fn release_lock(_: &Object) -> PyResult<()> {
    let lock = import_lock();
    if lock.depth.get() == 0 || lock.owner.get() != state::thread().base.id {
        return Err(runtime_error("not holding the import lock"));
    }
    lock.depth.set(lock.depth.get() - 1);
    Ok(())
}

fn lock_held(_: &Object) -> bool {
    import_lock().depth.get() > 0
}

fn text<'a>(args: &Args<'a>, index: usize, function: &str) -> PyResult<&'a Str> {
    args.required(index).downcast::<Str>().ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "{function}() argument {} must be str, not {}",
            index + 1,
            args.required(index).ty().message_name()
        )
    })
}

fn native(name: &Str) -> Option<&'static ModuleSpec> {
    let table: &'static NativeModules = state::interp().extension(|| NativeModules(&[]));
    table.0.iter().copied().find(|spec| name.equals(spec.name))
}

fn is_builtin(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let name = text(args, 0, "is_builtin")?;
    Ok(if name.equals("sys") || name.equals("builtins") { -1 } else { i32::from(native(name).is_some()) })
}

fn create_builtin(_: &Object, args: &Args<'_>) -> PyResult {
    let name = args.required(0).getattr(intern!("name"))?;
    let Some(name) = name.downcast::<Str>() else {
        return Err(type_error("name must be string"));
    };
    if (name.equals("sys") || name.equals("builtins"))
        && let Some(found) = state::interp().modules.get_str(name)?
    {
        return Ok(found);
    }
    match native(name) {
        Some(spec) => Ok(module::create(spec)?.upcast()),
        None => Ok(none().new_ref()),
    }
}

fn frozen(name: &Str) -> Option<&'static import::Frozen> {
    let table: &'static FrozenModules = state::interp().extension(|| FrozenModules(&[]));
    table.0.iter().find(|frozen| name.equals(frozen.name))
}

#[cold]
fn no_frozen(name: &Str) -> PyErr {
    let error = raise!(PyExc_ImportError, "No such frozen object named {}", name.to_lossy());
    // A failure to note the name leaves the message, which says it too.
    let _ = error.exception().setattr(intern!("name"), Some(name));
    error
}

fn is_frozen(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    Ok(frozen(text(args, 0, "is_frozen")?).is_some())
}

fn is_frozen_package(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let name = text(args, 0, "is_frozen_package")?;
    frozen(name).map(|frozen| frozen.is_package).ok_or_else(|| no_frozen(name))
}

fn find_frozen(_: &Object, args: &Args<'_>) -> PyResult {
    let name = text(args, 0, "find_frozen")?;
    let Some(found) = frozen(name) else { return Ok(none().new_ref()) };
    let data = if args.bool_or(1, false)? {
        taipan_object::protocol::memoryview_from(
            &*Bytes::new(found.data)?,
            taipan_object::abi::PyBUF_FULL_RO,
        )?
    } else {
        none().new_ref()
    };
    let origin = match found.origin {
        Some(origin) => Str::from_utf8(origin)?.upcast(),
        None => none().new_ref(),
    };
    let package = taipan_object::singletons::new_bool(found.is_package);
    Ok(Tuple::from_array([data, package, origin])?.upcast())
}

fn get_frozen_object(_: &Object, args: &Args<'_>) -> PyResult {
    let name = text(args, 0, "get_frozen_object")?;
    let object = match args.get_some(1) {
        Some(data) => {
            let data = Buffer::simple(data)?.to_vec();
            marshal::loads(&data, true)?.0
        }
        None => {
            let found = frozen(name).ok_or_else(|| no_frozen(name))?;
            marshal::loads_own(found.data)?
        }
    };
    if object.downcast::<Code>().is_none() {
        return Err(raise!(PyExc_TypeError, "frozen object {} is not a code object", name.repr_lossy()));
    }
    Ok(object)
}

fn init_frozen(_: &Object, args: &Args<'_>) -> PyResult {
    let name = text(args, 0, "init_frozen")?;
    match frozen(name) {
        Some(found) => import::run_frozen(found, found.name),
        None => Ok(none().new_ref()),
    }
}

fn frozen_names(_: &Object) -> PyResult<Ref<List>> {
    let table: &'static FrozenModules = state::interp().extension(|| FrozenModules(&[]));
    let mut names = Vec::new();
    for frozen in table.0 {
        names.push(Str::from_utf8(frozen.name)?.upcast());
    }
    List::from_vec(names)
}

/// Sets the file name of a code object and of those inside it that had the same.
fn fix_co_filename(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let Some(code) = args.required(0).downcast::<Code>() else {
        return Err(raise!(
            PyExc_TypeError,
            "_fix_co_filename() argument 1 must be code, not {}",
            args.required(0).ty().message_name()
        ));
    };
    let path = text(args, 1, "_fix_co_filename")?;
    if code.filename().same_text(path) {
        return Ok(());
    }
    let old = Ref::of(code.filename());
    let mut todo = vec![Ref::of(code)];
    while let Some(code) = todo.pop() {
        if !code.filename().same_text(&old) {
            continue;
        }
        code.set_filename(path);
        todo.extend(code.consts().items().iter().filter_map(|item| item.downcast::<Code>().map(Ref::of)));
    }
    Ok(())
}

fn source_hash(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let key = args.required(0).to_i64_wrapping()?;
    let data = Buffer::simple(args.required(1))?.to_vec();
    let hash = taipan_num::hash::siphash13(key.cast_unsigned(), 0, &data);
    Bytes::new(&hash.to_le_bytes())
}

fn extension_suffixes(_: &Object) -> PyResult<Ref<List>> {
    let mut names = Vec::new();
    for name in [".cpython-314-x86_64-linux-gnu.so", ".abi3.so", ".so"] {
        names.push(Str::from_utf8(name)?.upcast());
    }
    List::from_vec(names)
}

fn create_dynamic(_: &Object, args: &Args<'_>) -> PyResult {
    let spec = args.required(0);
    (loader().create)(spec)
}

fn exec_dynamic(_: &Object, module: &Object) -> PyResult<i32> {
    (loader().exec)(module)
}

/// Who loads extension modules: the room of the C API, if the program has one.
fn loader() -> &'static import::DynamicLoader {
    state::interp().extension(|| import::DynamicLoader {
        create: |spec| {
            let (name, path) = (spec.getattr(intern!("name"))?, spec.getattr(intern!("origin"))?);
            let error = import_error("this program was built without extension modules");
            for (attribute, value) in [(intern!("name"), &name), (intern!("path"), &path)] {
                error.exception().setattr(attribute, Some(value))?;
            }
            Err(error)
        },
        exec: |_| Ok(0),
    })
}

taipan_object::methods! { static METHODS = {
    noargs "acquire_lock" "($module, /)" = acquire_lock, "Take the import lock of this thread.";
    noargs "release_lock" "($module, /)" = release_lock, "Give the import lock back.";
    noargs "lock_held" "($module, /)" = lock_held, "Whether some thread holds the import lock.";
    noargs "extension_suffixes" "($module, /)" = extension_suffixes, "How the names of extension modules end.";
    args "is_builtin" "($module, name, /)" = is_builtin, "-1 for modules that cannot be made again, 1 for native ones, else 0.";
    args "create_builtin" "($module, spec, /)" = create_builtin, "Make a native module.";
    one "exec_builtin" "($module, mod, /)" = |_: &Object, _: &Object| 0, "Native modules are complete when made.";
    args "create_dynamic" "($module, spec, file=None, /)" = create_dynamic, "Load an extension module.";
    one "exec_dynamic" "($module, mod, /)" = exec_dynamic, "Run an extension module's second phase.";
    args "is_frozen" "($module, name, /)" = is_frozen, "Whether a module is in the binary as code.";
    args "is_frozen_package" "($module, name, /)" = is_frozen_package, "Whether a frozen module is a package.";
    args "find_frozen" "($module, name, /, *, withdata=False)" = find_frozen, "Data, package flag and original name of a frozen module.";
    args "get_frozen_object" "($module, name, data=None, /)" = get_frozen_object, "The code object of a frozen module.";
    args "init_frozen" "($module, name, /)" = init_frozen, "Run a frozen module.";
    noargs "_frozen_module_names" "($module, /)" = frozen_names, "The names of all frozen modules.";
    one "_override_frozen_modules_for_tests" "($module, override, /)" = |_: &Object, _: &Object| {}, "Frozen modules are always used.";
    one "_override_multi_interp_extensions_check" "($module, override, /)" = |_: &Object, _: &Object| 0, "There is one interpreter.";
    args "_fix_co_filename" "($module, code, path, /)" = fix_co_filename, "Set the file name of a code object.";
    args "source_hash" "($module, key, source)" = source_hash, "The hash of a source, as checked .pyc files hold it.";
} }

fn init(module: &Module) -> PyResult<()> {
    module.add("check_hash_based_pycs", &*Str::from_utf8("default")?)?;
    module.add(
        "pyc_magic_number_token",
        &Int::from_i64(i64::from(u32::from_le_bytes(taipan_bytecode::marshal::MAGIC))),
    )
}

/// `_imp`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_imp", doc: "What importlib cannot do in Python.", methods: METHODS, init };
