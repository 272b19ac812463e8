//! `_pickle.Unpickler`: the options and the memo of reading pickles from a file.

use super::load::{Input, Load};
use super::memo::{UnpickleMemo, set_unpickler_memo, unpickler_memo};
use super::shared::{self, dotted, import_named, walk};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_AttributeError, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{
    Object, PyErr, PyResult, Ref, Type, TypeSpec, bind, err, instance, intern, payload, raise, state,
};

/// `_pickle.Unpickler`.
#[derive(Default)]
pub struct Unpickler {
    pub read: Field,
    pub readline: Field,
    pub peek: Field,
    /// The iterator of out-of-band buffers.
    pub buffers: Field,
    pub memo: UnpickleMemo,
    /// What was set as `persistent_load` on the instance.
    pub persistent_load: Field,
    pub encoding: RefCell<String>,
    pub errors: RefCell<String>,
    pub fix_imports: Cell<bool>,
    /// The protocol that the pickle being read says it has.
    pub protocol: Cell<u8>,
    /// A run is under way.
    pub running: Cell<bool>,
}
payload!(
    Unpickler,
    UNPICKLER,
    c"_pickle.Unpickler",
    GC_BASE,
    [read, readline, peek, buffers, memo, persistent_load]
);

/// The instance.
pub type View = Native<Unpickler>;

/// How to read.
pub struct Options {
    fix_imports: bool,
    encoding: String,
    errors: String,
    buffers: Option<Ref>,
}

fn text(args: &Args<'_>, index: usize, function: &str, name: &str, default: &str) -> PyResult<String> {
    match args.get(index) {
        None => Ok(default.to_owned()),
        Some(value) => match value.downcast::<Str>() {
            Some(text) => Ok(text.to_utf8()?.to_owned()),
            None => Err(raise!(
                PyExc_TypeError,
                "{function}() argument '{name}' must be str, not {}",
                if is_none(value) { "None" } else { value.ty().message_name() }
            )),
        },
    }
}

impl Options {
    /// Reads `fix_imports`, `encoding`, `errors` and `buffers`, which stand from `first` on.
    pub fn from_args(args: &Args<'_>, first: usize, function: &str) -> PyResult<Options> {
        let fix_imports = args.bool_or(first, true)?;
        let encoding = text(args, first + 1, function, "encoding", "ASCII")?;
        let errors = text(args, first + 2, function, "errors", "strict")?;
        Ok(Options { fix_imports, encoding, errors, buffers: args.get_some(first + 3).map(Object::new_ref) })
    }
}

fn set_options(unpickler: &Unpickler, options: Options) -> PyResult<()> {
    unpickler.fix_imports.set(options.fix_imports);
    unpickler.encoding.replace(options.encoding);
    unpickler.errors.replace(options.errors);
    unpickler.buffers.set(options.buffers.map(|buffers| buffers.iter()).transpose()?);
    Ok(())
}

fn set_file(unpickler: &Unpickler, file: &Object) -> PyResult<()> {
    unpickler.peek.set(file.getattr_opt(intern!("peek"))?);
    let read = file.getattr_opt(intern!("read"))?;
    let readline = file.getattr_opt(intern!("readline"))?;
    if read.is_none() || readline.is_none() {
        return Err(err::type_error("file must have 'read' and 'readline' attributes"));
    }
    unpickler.read.set(read);
    unpickler.readline.set(readline);
    Ok(())
}

/// `_pickle.load`.
pub fn load_file(file: &Object, options: Options) -> PyResult {
    let unpickler = native_new(&UNPICKLER, Unpickler::default())?;
    set_file(&unpickler, file)?;
    set_options(&unpickler, options)?;
    load(&unpickler)
}

/// `_pickle.loads`.
pub fn load_bytes(data: &Object, options: Options) -> PyResult {
    let input = Input::of_bytes(data)?;
    let unpickler = native_new(&UNPICKLER, Unpickler::default())?;
    set_options(&unpickler, options)?;
    Load::new(&unpickler, input, None, shared::get()?).run()
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Ok(native_new(ty, Unpickler::default())?.upcast())
}

#[cold]
fn in_use() -> PyErr {
    err::runtime_error("Unpickler object is already used")
}

fn init(unpickler: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(
        bound = "Unpickler" "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
        args, kwargs
    );
    if unpickler.running.get() {
        return Err(in_use());
    }
    let options = Options::from_args(&bound, 1, "Unpickler")?;
    let read_before = unpickler.read.take();
    if read_before.is_some() {
        unpickler.clear();
    }
    drop(read_before);
    set_file(unpickler, bound.required(0))?;
    set_options(unpickler, options)?;
    unpickler.protocol.set(0);
    Ok(())
}

/// Marks an unpickler as free again when a run is over, however it ended.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn load(unpickler: &View) -> PyResult {
    if unpickler.running.get() {
        return Err(in_use());
    }
    let Some(input) = Input::of_file(unpickler) else {
        return Err(shared::unpickling_error(&format!(
            "Unpickler.__init__() was not called by {}.__init__()",
            unpickler.object().ty().message_name()
        )));
    };
    unpickler.running.set(true);
    let _running = Running(&unpickler.running);
    let persistent = match unpickler.persistent_load.get() {
        Some(own) => Some(own),
        None if unpickler.object().is_exact(&UNPICKLER) => None,
        None => unpickler.object().getattr_opt(intern!("persistent_load"))?,
    };
    Load::new(unpickler, input, persistent, shared::get()?).run()
}

fn audit(module: &Str, name: &Str) -> PyResult<()> {
    let hooks: Vec<Ref> = state::interp().audit_hooks.borrow().clone();
    if hooks.is_empty() {
        return Ok(());
    }
    let args = Tuple::from_refs(&[module, name])?;
    for hook in hooks {
        hook.call(&[intern!("pickle.find_class"), &args])?;
    }
    Ok(())
}

/// The names under which Python 3 knows what Python 2 called by these.
fn renamed(module: Ref<Str>, name: Ref<Str>) -> PyResult<(Ref<Str>, Ref<Str>)> {
    let shared = shared::get()?;
    let key = Tuple::from_refs(&[&*module, &*name])?;
    if let Some(pair) = shared.name_2to3.get(&key)? {
        let bad = || err::runtime_error("_compat_pickle.NAME_MAPPING values should be 2-tuples of str");
        let pair = pair.downcast::<Tuple>().filter(|pair| pair.len() == 2).ok_or_else(bad)?;
        let part = |index| pair.get(index).and_then(|part| part.downcast::<Str>()).map(Ref::of);
        return Ok((part(0).ok_or_else(bad)?, part(1).ok_or_else(bad)?));
    }
    match shared.import_2to3.get(&module)? {
        None => Ok((module, name)),
        Some(renamed) => match renamed.downcast_owned() {
            Ok(renamed) => Ok((renamed, name)),
            Err(_) => Err(err::runtime_error("_compat_pickle.IMPORT_MAPPING values should be strings")),
        },
    }
}

/// `Unpickler.find_class`.
pub fn find_class(unpickler: &View, module: &Str, name: &Str) -> PyResult {
    audit(module, name)?;
    let (mut module, mut name) = (Ref::of(module), Ref::of(name));
    if unpickler.protocol.get() < 3 && unpickler.fix_imports.get() {
        (module, name) = renamed(module, name)?;
    }
    let place = import_named(&module)?;
    if unpickler.protocol.get() >= 4 && name.code_points().any(|c| c == u32::from(b'.')) {
        return walk(&place, &dotted(&name)?).or_else(|error| {
            if !error.is(&PyExc_AttributeError) {
                return Err(error);
            }
            let (name, module) = (name.repr()?.to_lossy(), module.repr()?.to_lossy());
            let better = raise!(PyExc_AttributeError, "Can't resolve path {name} on module {module}");
            better.exception().set_context(Some(error.into_exception().upcast()));
            Err(better)
        });
    }
    place.getattr(&name)
}

fn find_class_method(unpickler: &View, args: &Args<'_>) -> PyResult {
    let part = |index: usize| {
        args.required(index).downcast::<Str>().ok_or_else(|| {
            raise!(
                PyExc_TypeError,
                "find_class() argument {} must be str, not {}",
                index + 1,
                args.required(index).ty().message_name()
            )
        })
    };
    find_class(unpickler, part(0)?, part(1)?)
}

/// The error of persistent ids that nobody can resolve.
#[cold]
pub fn no_persistent_load() -> PyErr {
    shared::unpickling_error(
        "A load persistent id instruction was encountered, but no persistent_load function was specified.",
    )
}

fn getattro(unpickler: &View, name: &Object) -> PyResult {
    if name.downcast::<Str>().is_some_and(|name| name.equals("persistent_load"))
        && let Some(own) = unpickler.persistent_load.get()
    {
        return Ok(own);
    }
    instance::generic_getattr(unpickler.object(), name)
}

fn setattro(unpickler: &View, name: &Object, value: Option<&Object>) -> PyResult<()> {
    if name.downcast::<Str>().is_some_and(|name| name.equals("persistent_load")) {
        unpickler.persistent_load.set(value.map(Object::new_ref));
        return Ok(());
    }
    instance::generic_setattr(unpickler.object(), name, value)
}

taipan_object::methods! {
    static METHODS = {
        one "persistent_load" "($self, pid, /)" = |_: &View, _: &Object| -> PyResult { Err(no_persistent_load()) }, "The object that a persistent id stands for.";
        noargs "load" "($self, /)" = load, "Read the next object.";
        args "find_class" "($self, module_name, global_name, /)" = find_class_method, "The object of this name in this module, which is imported.";
    }
}

pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())\n--\n\nReads pickles from a binary file.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_getattro(getattro),
        tp_setattro(setattro),
    ],
    methods: METHODS,
    getset: &[getset_row(c"memo", unpickler_memo, c"What can be referred to.").with_setter(set_unpickler_memo)],
    ..TypeSpec::new(&UNPICKLER)
};
