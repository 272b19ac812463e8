//! `_abc`: what abstract base classes keep about virtual subclasses.
//!
//! Each abstract class has a registry and two caches of classes, all of them weak. A weak set is a
//! table by address whose entry holds a weak reference: a class that has died, or another that took
//! over its address, is noticed when it is looked up. The negative cache is only valid as long as
//! nobody has registered anything, which an interpreter-wide counter tells.

use core::cell::{Cell, RefCell};
use std::collections::HashMap;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, runtime_error, type_error};
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::payload;
use taipan_object::protocol::{is_subclass, iter_next};
use taipan_object::singletons::{as_bool, is_not_implemented};
use taipan_object::statics::{PyExc_AssertionError, PyFrozenSet_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::weakref::{self, WeakRef};
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, intern, methods, state, statics};
use taipan_types_collections::set;

/// Classes, held weakly, by address.
#[derive(Default)]
struct WeakSet {
    entries: RefCell<HashMap<usize, Ref<WeakRef>>>,
    /// The size at which dead entries are swept out next.
    sweep_at: Cell<usize>,
}

impl WeakSet {
    fn contains(&self, class: &Object) -> bool {
        let found = self.entries.borrow().get(&class.as_ptr().addr()).cloned();
        found.is_some_and(|entry| weakref::referent(&entry).is_some_and(|alive| alive.is(class)))
    }

    fn add(&self, class: &Object) -> PyResult<()> {
        if self.contains(class) {
            return Ok(());
        }
        let entry = weakref::new(&statics::_PyWeakref_RefType, class, None)?;
        let old = self.entries.borrow_mut().insert(class.as_ptr().addr(), entry);
        drop(old);
        if self.entries.borrow().len() > self.sweep_at.get() {
            let mut dead = Vec::new();
            self.entries.borrow_mut().retain(|_, entry| {
                let alive = weakref::referent(entry).is_some();
                if !alive {
                    dead.push(entry.clone());
                }
                alive
            });
            self.sweep_at.set(self.entries.borrow().len() * 2 + 16);
        }
        Ok(())
    }

    /// The living classes with their references.
    fn living(&self) -> Vec<(Ref, Ref<WeakRef>)> {
        let entries: Vec<Ref<WeakRef>> = self.entries.borrow().values().cloned().collect();
        entries.into_iter().filter_map(|entry| Some((weakref::referent(&entry)?, entry))).collect()
    }

    fn clear(&self) {
        let entries = self.entries.take();
        drop(entries);
    }

    /// As a `set` of weak references.
    fn dump(&self) -> PyResult {
        let dump = set::new_set(None)?;
        for (_, entry) in self.living() {
            set::add(&dump, &entry)?;
        }
        dump.into_py()
    }
}

/// What an abstract class keeps.
pub struct AbcData {
    registry: WeakSet,
    cache: WeakSet,
    negative: WeakSet,
    negative_version: Cell<u64>,
}
payload!(AbcData, ABC_DATA, c"_abc._abc_data", 0, []);

type View = Native<AbcData>;

/// Counts registrations, in each interpreter.
#[derive(Default)]
struct Registrations(Cell<u64>);

fn registrations() -> &'static Cell<u64> {
    &state::interp().extension(Registrations::default).0
}

fn new_data() -> PyResult<Ref<View>> {
    native_new(
        &ABC_DATA,
        AbcData {
            registry: WeakSet::default(),
            cache: WeakSet::default(),
            negative: WeakSet::default(),
            negative_version: Cell::new(registrations().get()),
        },
    )
}

fn data_of(class: &Object) -> PyResult<Ref<View>> {
    let data = class.getattr(intern!("_abc_impl"))?;
    data.downcast_owned::<View>().map_err(|_| type_error("_abc_impl is set to a wrong type"))
}

fn is_abstract(object: &Object) -> PyResult<bool> {
    match object.getattr_opt(intern!("__isabstractmethod__"))? {
        Some(flag) => flag.is_true(),
        None => Ok(false),
    }
}

/// Collects the names of abstract methods: new ones, and inherited ones that are still abstract.
fn compute_abstract_methods(class: &Object) -> PyResult<()> {
    let abstracts = List::new()?;
    let namespace = class.getattr(intern!("__dict__"))?;
    let items = namespace.call_method(intern!("items"), &[])?;
    let items = taipan_object::protocol::to_vec(&items)?;
    for item in &items {
        let Some([name, value]) = item.downcast::<Tuple>().map(Tuple::items) else {
            return Err(type_error("Iteration over class dict should return pairs"));
        };
        if is_abstract(value)? {
            abstracts.append(name.new_ref())?;
        }
    }
    let bases = class.getattr(intern!("__bases__"))?;
    let Some(bases) = bases.downcast::<Tuple>() else { return Err(type_error("__bases__ is not tuple")) };
    for base in bases.items() {
        let Some(inherited) = base.getattr_opt(intern!("__abstractmethods__"))? else { continue };
        let iterator = inherited.iter()?;
        while let Some(name) = iter_next(&iterator)? {
            let Some(text) = name.downcast::<Str>() else { continue };
            if let Some(value) = class.getattr_opt(text)?
                && is_abstract(&value)?
            {
                abstracts.append(name)?;
            }
        }
    }
    let frozen = PyFrozenSet_Type.call(&[&abstracts])?;
    class.setattr(intern!("__abstractmethods__"), Some(&frozen))
}

const COLLECTION: u64 = abi::Py_TPFLAGS_SEQUENCE | abi::Py_TPFLAGS_MAPPING;

fn abc_init(_: &Object, class: &Object) -> PyResult<()> {
    compute_abstract_methods(class)?;
    class.setattr(intern!("_abc_impl"), Some(&new_data()?.upcast()))?;
    let Some(ty) = class.downcast::<Type>() else { return Ok(()) };
    let name = intern!("__abc_tpflags__");
    let Some(flags) = ty.dict().map_or(Ok(None), |dict| dict.get_str(name))? else { return Ok(()) };
    if flags.downcast::<taipan_object::int::Int>().is_none() {
        return Ok(());
    }
    let flags = flags.to_i64()?.cast_unsigned();
    if flags & COLLECTION == COLLECTION {
        return Err(type_error("__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"));
    }
    if flags & COLLECTION != 0 {
        ty.set_collection_flags(flags);
    }
    if let Some(dict) = ty.dict() {
        dict.remove(name)?;
        ty.modified();
    }
    Ok(())
}

/// Hands the flag down to a class and its subclasses, those excepted that have one or never change.
fn hand_down(ty: &Type, flag: u64) {
    let mut all = vec![Ref::of(ty)];
    while let Some(ty) = all.pop() {
        if ty.has_flag(abi::Py_TPFLAGS_IMMUTABLETYPE) || ty.flags() & COLLECTION == flag {
            continue;
        }
        ty.set_collection_flags(flag);
        all.extend(ty.subclasses());
    }
}

fn register(_: &Object, args: &Args<'_>) -> PyResult {
    let (class, subclass) = (args.required(0), args.required(1));
    let Some(subtype) = subclass.downcast::<Type>() else {
        return Err(type_error("Can only register classes"));
    };
    if is_subclass(subclass, class)? {
        return Ok(subclass.new_ref());
    }
    // Registering a class for its own base would make the two classes subclasses of each other.
    if is_subclass(class, subclass)? {
        return Err(runtime_error("Refusing to create an inheritance cycle"));
    }
    data_of(class)?.registry.add(subclass)?;
    registrations().set(registrations().get() + 1);
    if let Some(ty) = class.downcast::<Type>() {
        let flag = ty.flags() & COLLECTION;
        if flag != 0 {
            hand_down(subtype, flag);
        }
    }
    Ok(subclass.new_ref())
}

fn instance_check(_: &Object, args: &Args<'_>) -> PyResult {
    let (class, instance) = (args.required(0), args.required(1));
    let data = data_of(class)?;
    let shown = instance.getattr(intern!("__class__"))?;
    if data.cache.contains(&shown) {
        return true.into_py();
    }
    let check = |candidate: &Object| class.call_method(intern!("__subclasscheck__"), &[candidate]);
    let real: &Object = instance.ty();
    if shown.is(real) {
        if data.negative_version.get() == registrations().get() && data.negative.contains(&shown) {
            return false.into_py();
        }
        return check(&shown);
    }
    let result = check(&shown)?;
    if result.is_true()? { Ok(result) } else { check(real) }
}

fn subclass_check(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let (class, subclass) = (args.required(0), args.required(1));
    let Some(subtype) = subclass.downcast::<Type>() else {
        return Err(type_error("issubclass() arg 1 must be a class"));
    };
    let data = data_of(class)?;
    if data.cache.contains(subclass) {
        return Ok(true);
    }
    if data.negative_version.get() < registrations().get() {
        data.negative.clear();
        data.negative_version.set(registrations().get());
    } else if data.negative.contains(subclass) {
        return Ok(false);
    }
    match decide(class, subtype, &data)? {
        Answer::Yes => data.cache.add(subclass)?,
        Answer::Registered => {}
        Answer::No => {
            data.negative.add(subclass)?;
            return Ok(false);
        }
    }
    Ok(true)
}

enum Answer {
    Yes,
    No,
    Registered,
}

/// The answer without caches: the class's own hook, inheritance, registered classes, subclasses.
fn decide(class: &Object, subtype: &Type, data: &View) -> PyResult<Answer> {
    let said = class.call_method(intern!("__subclasshook__"), &[subtype])?;
    if let Some(answer) = as_bool(&said) {
        return Ok(if answer { Answer::Yes } else { Answer::No });
    }
    if !is_not_implemented(&said) {
        return Err(PyErr::new(
            &PyExc_AssertionError,
            "__subclasshook__ must return either False, True, or NotImplemented",
        ));
    }
    if class.downcast::<Type>().is_some_and(|class| subtype.is_subtype(class)) {
        return Ok(Answer::Yes);
    }
    // A registered class itself needs no place in the cache.
    if data.registry.contains(subtype) {
        return Ok(Answer::Registered);
    }
    for (registered, _) in data.registry.living() {
        if is_subclass(subtype, &registered)? {
            return Ok(Answer::Yes);
        }
    }
    let subclasses = class.call_method(intern!("__subclasses__"), &[])?;
    let Some(subclasses) = subclasses.downcast::<List>() else {
        return Err(type_error("__subclasses__() must return a list"));
    };
    for candidate in subclasses.to_vec() {
        if is_subclass(subtype, &candidate)? {
            return Ok(Answer::Yes);
        }
    }
    Ok(Answer::No)
}

fn dump(_: &Object, class: &Object) -> PyResult {
    let data = data_of(class)?;
    Tuple::from_array([
        data.registry.dump()?,
        data.cache.dump()?,
        data.negative.dump()?,
        data.negative_version.get().into_py()?,
    ])?
    .into_py()
}

fn reset_registry(_: &Object, class: &Object) -> PyResult<()> {
    data_of(class)?.registry.clear();
    Ok(())
}

fn reset_caches(_: &Object, class: &Object) -> PyResult<()> {
    let data = data_of(class)?;
    data.cache.clear();
    data.negative.clear();
    Ok(())
}

methods! {
    static METHODS = {
        noargs "get_cache_token" "($module, /)" = |_: &Object| registrations().get(), "A number that changes with every registration with any abstract class.";
        one "_abc_init" "($module, self, /)" = abc_init, "Prepare a new abstract class.";
        one "_reset_registry" "($module, self, /)" = reset_registry, "Forget the registered classes, for tests.";
        one "_reset_caches" "($module, self, /)" = reset_caches, "Forget what is known of classes, for tests.";
        one "_get_dump" "($module, self, /)" = dump, "Registry, cache, negative cache and its version, for tests.";
        args "_abc_register" "($module, self, subclass, /)" = register, "Make a class a virtual subclass.";
        args "_abc_instancecheck" "($module, self, instance, /)" = instance_check, "What __instancecheck__ of abstract classes does.";
        args "_abc_subclasscheck" "($module, self, subclass, /)" = subclass_check, "What __subclasscheck__ of abstract classes does.";
    }
}

fn data_new(_: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    new_data()?.into_py()
}

static DATA_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"What an abstract class keeps about its virtual subclasses."),
    slots: &[View::DEALLOC, tp_new(data_new)],
    ..TypeSpec::new(&ABC_DATA)
};

/// `_abc`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_abc",
    doc: "The native part of abc.",
    methods: METHODS,
    init: |_: &Module| make_ready(&DATA_SPEC),
};
