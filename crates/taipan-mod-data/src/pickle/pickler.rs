//! `_pickle.Pickler`: the options and the memo of pickling to a file.

use super::memo::{PickleMemo, pickler_memo, set_pickler_memo};
use super::op::HIGHEST;
use super::save::Save;
use super::shared;
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_OverflowError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{
    Object, PyErr, PyResult, Ref, Type, TypeSpec, bind, err, instance, intern, payload, raise,
};

/// `_pickle.Pickler`.
#[derive(Default)]
pub struct Pickler {
    pub write: Field,
    pub memo: PickleMemo,
    pub buffer_callback: Field,
    /// What was set as `dispatch_table`.
    pub dispatch_table: Field,
    /// What was set as `persistent_id` on the instance.
    pub persistent_id: Field,
    pub protocol: Cell<u8>,
    pub bin: Cell<i64>,
    pub fast: Cell<i64>,
    pub fix_imports: Cell<bool>,
    /// A run is under way.
    pub running: Cell<bool>,
}
payload!(
    Pickler,
    PICKLER,
    c"_pickle.Pickler",
    GC_BASE,
    [write, memo, buffer_callback, dispatch_table, persistent_id]
);

/// The instance.
pub type View = Native<Pickler>;

/// How to pickle.
pub struct Options {
    pub protocol: u8,
    pub fix_imports: bool,
    pub buffer_callback: Option<Ref>,
}

impl Options {
    /// Reads `protocol`, `fix_imports` and `buffer_callback`, which stand from `first` on.
    pub fn from_args(args: &Args<'_>, first: usize) -> PyResult<Options> {
        let fix_imports = args.bool_or(first + 1, true)?;
        let protocol = match args.get_some(first) {
            None => HIGHEST,
            Some(protocol) => match protocol.to_i32()? {
                ..0 => HIGHEST,
                wanted => u8::try_from(wanted)
                    .ok()
                    .filter(|&wanted| wanted <= HIGHEST)
                    .ok_or_else(|| err::value_error(&format!("pickle protocol must be <= {HIGHEST}")))?,
            },
        };
        let buffer_callback = args.get_some(first + 2).map(Object::new_ref);
        if buffer_callback.is_some() && protocol < 5 {
            return Err(err::value_error("buffer_callback needs protocol >= 5"));
        }
        Ok(Options { protocol, fix_imports: fix_imports && protocol < 3, buffer_callback })
    }
}

/// The `write` of a file.
pub fn write_of(file: &Object) -> PyResult<Ref> {
    file.getattr_opt(intern!("write"))?.ok_or_else(|| err::type_error("file must have a 'write' attribute"))
}

/// Pickles with a memo that is used for this alone; the bytes, unless they went to `write`.
pub fn dump_once(object: &Object, options: &Options, write: Option<Ref>) -> PyResult<Vec<u8>> {
    let memo = PickleMemo::default();
    let mut run = Save::new(&memo, options.protocol, options.fix_imports, shared::get()?);
    run.buffer_callback.clone_from(&options.buffer_callback);
    run.write = write;
    run.dump(object)
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Ok(native_new(ty, Pickler::default())?.upcast())
}

#[cold]
fn in_use() -> PyErr {
    err::runtime_error("Pickler object is already used")
}

fn init(pickler: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "Pickler" "(file, protocol=None, fix_imports=True, buffer_callback=None)", args, kwargs);
    if pickler.running.get() {
        return Err(in_use());
    }
    let write_before = pickler.write.take();
    if write_before.is_some() {
        pickler.clear();
    }
    drop(write_before);
    let options = Options::from_args(&bound, 1)?;
    pickler.write.set(Some(write_of(bound.required(0))?));
    pickler.protocol.set(options.protocol);
    pickler.bin.set((options.protocol > 0).into());
    pickler.fast.set(0);
    pickler.fix_imports.set(options.fix_imports);
    pickler.buffer_callback.set(options.buffer_callback);
    let table = pickler.object().getattr_opt(intern!("dispatch_table"))?;
    pickler.dispatch_table.set(table);
    Ok(())
}

/// Marks a pickler as free again when a run is over, however it ended.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn persistent_id_of(pickler: &View) -> PyResult<Option<Ref>> {
    if let Some(own) = pickler.persistent_id.get() {
        return Ok(Some(own));
    }
    let name = intern!("persistent_id");
    let object = pickler.object();
    let ty: &Type = &PICKLER;
    let plain = match (object.ty().lookup(name), ty.lookup(name)) {
        (Some(found), Some(ours)) => found.is(&ours),
        _ => false,
    };
    if plain && instance::existing_dict(object).is_none_or(Dict::is_empty) {
        return Ok(None);
    }
    let found = object.getattr_opt(name)?;
    Ok(found.filter(|found| !(plain && found.is_exact(&taipan_object::statics::PyCFunction_Type))))
}

fn dump(pickler: &View, object: &Object) -> PyResult<()> {
    if pickler.running.get() {
        return Err(in_use());
    }
    let Some(write) = pickler.write.get() else {
        return Err(shared::pickling_error(&format!(
            "Pickler.__init__() was not called by {}.__init__()",
            pickler.object().ty().message_name()
        )));
    };
    pickler.running.set(true);
    let _running = Running(&pickler.running);
    let mut run = Save::new(&pickler.memo, pickler.protocol.get(), pickler.fix_imports.get(), shared::get()?);
    run.bin = pickler.bin.get() != 0;
    run.fast = pickler.fast.get() != 0;
    run.write = Some(write);
    run.buffer_callback = pickler.buffer_callback.get();
    run.dispatch_table = pickler.dispatch_table.get();
    run.persistent_id = persistent_id_of(pickler)?;
    run.reducer_override = pickler.object().getattr_opt(intern!("reducer_override"))?;
    run.dump(object).map(drop)
}

/// An attribute that is a C `int` in CPython.
fn set_flag(cell: &Cell<i64>, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else {
        return Err(err::type_error("can't delete numeric/char attribute"));
    };
    let wide = value.to_index()?;
    let Some(number) = wide.to_i64() else {
        return Err(raise!(PyExc_OverflowError, "Python int too large to convert to C long"));
    };
    cell.set(i64::from(number as i32));
    Ok(())
}

fn dispatch_table(pickler: &View) -> PyResult {
    pickler.dispatch_table.get().ok_or_else(|| instance::attribute_error(pickler.object(), "dispatch_table"))
}

fn set_dispatch_table(pickler: &View, value: Option<&Object>) -> PyResult<()> {
    if value.is_none() && !pickler.dispatch_table.is_set() {
        return Err(err::attribute_error("dispatch_table"));
    }
    pickler.dispatch_table.set(value.map(Object::new_ref));
    Ok(())
}

fn getattro(pickler: &View, name: &Object) -> PyResult {
    if name.downcast::<Str>().is_some_and(|name| name.equals("persistent_id"))
        && let Some(own) = pickler.persistent_id.get()
    {
        return Ok(own);
    }
    instance::generic_getattr(pickler.object(), name)
}

fn setattro(pickler: &View, name: &Object, value: Option<&Object>) -> PyResult<()> {
    if name.downcast::<Str>().is_some_and(|name| name.equals("persistent_id")) {
        pickler.persistent_id.set(value.map(Object::new_ref));
        return Ok(());
    }
    instance::generic_setattr(pickler.object(), name, value)
}

taipan_object::methods! {
    static METHODS = {
        one "persistent_id" "($self, obj, /)" = |_: &View, _: &Object| (), "What stands for an object that is not pickled itself; None to pickle it.";
        one "dump" "($self, obj, /)" = dump, "Write the pickle of an object.";
        noargs "clear_memo" "($self, /)" = |pickler: &View| pickler.memo.clear(), "Forget which objects were pickled already.";
    }
}

pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\nWrites pickles to a binary file.",
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
    getset: &[
        getset_row(c"bin", |pickler: &View| pickler.bin.get(), c"Whether binary opcodes are used.")
            .with_setter(|pickler: &View, value: Option<&Object>| set_flag(&pickler.bin, value)),
        getset_row(c"fast", |pickler: &View| pickler.fast.get(), c"Whether no memo is kept.")
            .with_setter(|pickler: &View, value: Option<&Object>| set_flag(&pickler.fast, value)),
        getset_row(c"dispatch_table", dispatch_table, c"Functions that reduce, by class.")
            .with_setter(set_dispatch_table),
        getset_row(c"memo", pickler_memo, c"What was pickled already.").with_setter(set_pickler_memo),
    ],
    ..TypeSpec::new(&PICKLER)
};

/// Whether a value is None or nothing.
pub fn nothing(value: Option<&Object>) -> bool {
    value.is_none_or(is_none)
}
