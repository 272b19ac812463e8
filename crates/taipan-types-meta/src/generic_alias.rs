//! `types.GenericAlias`: `list[int]` and its like (PEP 585).
//!
//! An alias looks like its origin in nearly everything; it adds the arguments, and substitutes type
//! variables among them when it is subscripted itself. Type variables take part through
//! `__typing_subst__` and `__typing_prepare_subst__`, so that their kinds need not be known here.

use crate::util;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::callable;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, type_error};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::list::List;
use taipan_object::native::{self, CompareOp, IntoPy, Member, TypeSpec, getset_row};
use taipan_object::singletons::{ellipsis, is_none, new_none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, gc, instance, intern, layout, protocol, raise, weakref};

/// The memory of an alias.
#[repr(C)]
pub struct RawAlias {
    head: PyObject,
    origin: *mut PyObject,
    args: *mut PyObject,
    parameters: *mut PyObject,
    weakrefs: *mut PyObject,
    starred: bool,
    vectorcall: Option<vectorcallfunc>,
}
const _: () = assert!(size_of::<RawAlias>() == 64 && offset_of!(RawAlias, vectorcall) == 56);

layout!(
    /// A generic alias.
    Alias, RawAlias, "types.GenericAlias", |o| o.ty().is_subtype(&Py_GenericAliasType)
);

/// `origin[item]` of a generic class.
///
/// # Errors
/// `MemoryError`.
pub fn new(origin: &Object, item: &Object) -> PyResult {
    make(&Py_GenericAliasType, origin, item, false)
}

fn make(ty: &Type, origin: &Object, item: &Object, starred: bool) -> PyResult {
    let args = match item.downcast::<Tuple>() {
        Some(args) => Ref::of(args),
        None => Tuple::from_refs(&[item])?,
    };
    let made = util::allocate(ty)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = made.raw_as::<RawAlias>();
        set_field(&raw mut (*raw).origin, Some(origin.new_ref()));
        set_field(&raw mut (*raw).args, Some(args.upcast()));
        (*raw).starred = starred;
        (*raw).vectorcall = Some(alias_vectorcall);
    }
    Ok(made)
}

impl Alias {
    /// `__origin__`.
    pub fn origin(&self) -> Ref {
        // SAFETY: the view guarantees the layout.
        unsafe { util::field(&raw mut (*self.raw()).origin) }.unwrap_or_else(new_none)
    }

    /// `__args__`.
    pub fn args(&self) -> Ref<Tuple> {
        // SAFETY: the view guarantees the layout.
        let args = unsafe { util::field(&raw mut (*self.raw()).args) };
        args.and_then(|args| args.downcast_owned::<Tuple>().ok()).unwrap_or_else(Tuple::empty)
    }

    fn starred(&self) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).starred }
    }

    /// `__parameters__`, worked out when first asked for.
    fn parameters(&self) -> PyResult<Ref<Tuple>> {
        // SAFETY: the view guarantees the layout; the field owns its value.
        unsafe {
            if let Some(known) = util::field(&raw mut (*self.raw()).parameters)
                && let Ok(known) = known.downcast_owned::<Tuple>()
            {
                return Ok(known);
            }
            let made = parameters_of(&self.args())?;
            set_field(&raw mut (*self.raw()).parameters, Some(made.clone().upcast()));
            Ok(made)
        }
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        weakref::clear_on_dealloc(Object::borrow(ptr));
        let raw = ptr.cast::<RawAlias>();
        clear_field(&raw mut (*raw).origin);
        clear_field(&raw mut (*raw).args);
        clear_field(&raw mut (*raw).parameters);
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live alias.
    unsafe {
        let raw = ptr.cast::<RawAlias>();
        instance::visit_all(&[(*raw).origin, (*raw).args, (*raw).parameters], visit, arg)
    }
}

/// Calling an alias makes an instance of its origin that remembers the alias, if it can.
unsafe extern "C" fn alias_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let alias: &Alias = Object::borrow(callable).cast();
        let call = || -> PyResult {
            let object = protocol::vectorcall_raw(&alias.origin(), args, nargsf, kwnames)?;
            match object.setattr(intern!("__orig_class__"), Some(alias)) {
                Err(error) if !error.is(&PyExc_AttributeError) && !error.is(&PyExc_TypeError) => Err(error),
                _ => Ok(object),
            }
        };
        native::ret(call())
    }
}

fn alias_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    util::no_keywords("GenericAlias", kwargs)?;
    let [origin, item] = args.items() else {
        return Err(raise!(PyExc_TypeError, "GenericAlias expected 2 arguments, got {}", args.len()));
    };
    make(ty, origin, item, false)
}

/// How an argument of a generic is shown.
pub(crate) fn argument_repr(argument: &Object) -> PyResult<String> {
    if argument.is(ellipsis()) {
        return Ok("...".to_owned());
    }
    if argument.downcast::<List>().is_some() {
        let items: Vec<String> =
            protocol::to_vec(argument)?.iter().map(|item| argument_repr(item)).collect::<PyResult<_>>()?;
        return Ok(format!("[{}]", items.join(", ")));
    }
    let is_alias = argument.getattr_opt(intern!("__origin__"))?.is_some()
        && argument.getattr_opt(intern!("__args__"))?.is_some();
    if !is_alias
        && let Some(qualname) = argument.getattr_opt(intern!("__qualname__"))?
        && let Some(module) = argument.getattr_opt(intern!("__module__"))?.filter(|module| !is_none(module))
    {
        return Ok(match module.downcast::<Str>() {
            Some(text) if text.equals("builtins") => qualname.str()?.to_lossy(),
            _ => format!("{}.{}", module.str()?.to_lossy(), qualname.str()?.to_lossy()),
        });
    }
    Ok(argument.repr()?.to_lossy())
}

fn repr(alias: &Alias) -> PyResult {
    let star = if alias.starred() { "*" } else { "" };
    let args: Vec<String> =
        alias.args().items().iter().map(|argument| argument_repr(argument)).collect::<PyResult<_>>()?;
    let args = if args.is_empty() { "()".to_owned() } else { args.join(", ") };
    format!("{star}{}[{args}]", argument_repr(&alias.origin())?).into_py()
}

fn hash(alias: &Alias) -> PyResult<isize> {
    let hash = alias.origin().hash()? ^ alias.args().hash()?;
    Ok(if hash == -1 { -2 } else { hash })
}

fn compare(alias: &Alias, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<Alias>()) else {
        return Ok(not_implemented().new_ref());
    };
    let same = alias.starred() == other.starred()
        && alias.origin().equals(&other.origin())?
        && alias.args().equals(&other.args())?;
    (same == (op == CompareOp::Eq)).into_py()
}

/// Names that are looked up on the alias itself; everything else comes from the origin.
const OWN: &[&str] = &[
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
    "__copy__",
    "__deepcopy__",
];

fn getattro(alias: &Alias, name: &Object) -> PyResult {
    if let Some(text) = name.downcast::<Str>()
        && !OWN.iter().any(|own| text.equals(own))
    {
        return alias.origin().getattr(text);
    }
    instance::generic_getattr(alias, name)
}

/// The type variables among arguments, in order of their first appearance.
pub(crate) fn parameters_of(args: &Object) -> PyResult<Ref<Tuple>> {
    let mut found: Vec<Ref> = Vec::new();
    collect_parameters(args, &mut found)?;
    Tuple::from_vec(found)
}

fn collect_parameters(args: &Object, found: &mut Vec<Ref>) -> PyResult<()> {
    for argument in protocol::to_vec(args)? {
        // A class among the arguments has no parameters of its own that could be substituted.
        if argument.downcast::<Type>().is_some() {
            continue;
        }
        if argument.getattr_opt(intern!("__typing_subst__"))?.is_some() {
            add(found, argument);
            continue;
        }
        if argument.downcast::<List>().is_some() || argument.downcast::<Tuple>().is_some() {
            protocol::recursive("", || collect_parameters(&argument, found))?;
            continue;
        }
        let inner = argument.getattr_opt(intern!("__parameters__"))?;
        if let Some(inner) = inner.as_ref().and_then(|inner| inner.downcast::<Tuple>()) {
            for parameter in inner.items() {
                add(found, parameter.new_ref());
            }
        }
    }
    Ok(())
}

fn add(found: &mut Vec<Ref>, parameter: Ref) {
    if !found.iter().any(|known| known.is(&parameter)) {
        found.push(parameter);
    }
}

/// Arguments with `*tuple[...]` among them unpacked.
fn unpack(item: &Object) -> PyResult<Vec<Ref>> {
    let items: Vec<Ref> = match item.downcast::<Tuple>() {
        Some(items) => items.items().iter().map(|item| item.new_ref()).collect(),
        None => vec![item.new_ref()],
    };
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        if item.downcast::<Type>().is_none()
            && let Some(inner) = item.getattr_opt(intern!("__typing_unpacked_tuple_args__"))?
            && let Some(inner) = inner.downcast::<Tuple>()
            && !inner.items().last().is_some_and(|last| last.is(ellipsis()))
        {
            all.extend(inner.items().iter().map(|inner| inner.new_ref()));
            continue;
        }
        all.push(item);
    }
    Ok(all)
}

/// The arguments of `alias[item]`: type variables among `args` replaced.
///
/// # Errors
/// `TypeError` for a class without parameters or a wrong number of arguments; what substitution raises.
pub(crate) fn substitute(
    alias: &Object,
    args: &Tuple,
    parameters: &Tuple,
    item: &Object,
) -> PyResult<Ref<Tuple>> {
    if parameters.is_empty() {
        return Err(raise!(PyExc_TypeError, "{} is not a generic class", alias.repr()?.to_lossy()));
    }
    let mut item = Tuple::from_vec(unpack(item)?)?.upcast();
    for parameter in parameters.items() {
        if let Some(prepare) = parameter.getattr_opt(intern!("__typing_prepare_subst__"))?
            && !is_none(&prepare)
        {
            let prepared = prepare.call(&[alias, &item])?;
            item = if prepared.downcast::<Tuple>().is_some() {
                prepared
            } else {
                Tuple::from_array([prepared])?.upcast()
            };
        }
    }
    let given: Vec<Ref> = protocol::to_vec(&item)?;
    if given.len() != parameters.len() {
        return Err(wrong_count(alias, given.len(), parameters.len())?);
    }
    substitute_in(args, parameters, &given)
}

fn wrong_count(alias: &Object, given: usize, wanted: usize) -> PyResult<PyErr> {
    let (many, bound) = if given > wanted { ("many", "") } else { ("few", "at least ") };
    Ok(raise!(
        PyExc_TypeError,
        "Too {many} arguments for {}; actual {given}, expected {bound}{wanted}",
        alias.repr()?.to_lossy()
    ))
}

fn substitute_in(args: &Object, parameters: &Tuple, given: &[Ref]) -> PyResult<Ref<Tuple>> {
    let mut new: Vec<Ref> = Vec::new();
    for argument in protocol::to_vec(args)? {
        if argument.downcast::<Type>().is_some() {
            new.push(argument);
            continue;
        }
        if argument.downcast::<Tuple>().is_some() || argument.downcast::<List>().is_some() {
            let inner = protocol::recursive("", || substitute_in(&argument, parameters, given))?;
            new.push(if argument.downcast::<List>().is_some() {
                List::from_vec(inner.items().iter().map(|item| item.new_ref()).collect())?.upcast()
            } else {
                inner.upcast()
            });
            continue;
        }
        let is_unpacked = match argument.getattr_opt(intern!("__typing_is_unpacked_typevartuple__"))? {
            Some(flag) => flag.is_true()?,
            None => false,
        };
        let value = match argument.getattr_opt(intern!("__typing_subst__"))? {
            Some(subst) => {
                let at = parameters.items().iter().position(|known| known.is(&argument));
                let at = at.ok_or_else(|| type_error("a type variable is missing from __parameters__"))?;
                subst.call(&[&given[at]])?
            }
            None => substitute_inner(&argument, parameters, given)?,
        };
        match value.downcast::<Tuple>().filter(|_| is_unpacked) {
            Some(many) => new.extend(many.items().iter().map(|item| item.new_ref())),
            None => new.push(value),
        }
    }
    Tuple::from_vec(new)
}

/// An argument that is generic itself is subscripted with what its own parameters become.
fn substitute_inner(argument: &Object, parameters: &Tuple, given: &[Ref]) -> PyResult {
    let inner = argument.getattr_opt(intern!("__parameters__"))?;
    let Some(inner) =
        inner.as_ref().and_then(|inner| inner.downcast::<Tuple>()).filter(|inner| !inner.is_empty())
    else {
        return Ok(argument.new_ref());
    };
    let mut items: Vec<Ref> = Vec::with_capacity(inner.len());
    for parameter in inner.items() {
        match parameters.items().iter().position(|known| known.is(parameter)) {
            // The parameter is a TypeVarTuple when it can be iterated: it stands for many.
            // SAFETY: a live type.
            Some(at) if unsafe { (*parameter.ty().raw()).tp_iter.is_some() } => {
                match given[at].downcast::<Tuple>() {
                    Some(many) => items.extend(many.items().iter().map(|item| item.new_ref())),
                    None => items.push(given[at].clone()),
                }
            }
            Some(at) => items.push(given[at].clone()),
            None => items.push(parameter.new_ref()),
        }
    }
    argument.get_item(&*Tuple::from_vec(items)?)
}

fn subscript(alias: &Alias, item: &Object) -> PyResult {
    let args = substitute(alias, &alias.args(), &*alias.parameters()?, item)?;
    make(&Py_GenericAliasType, &alias.origin(), &args, alias.starred())
}

fn refuse(what: &str) -> PyErr {
    type_error(&format!("{what}() argument 2 cannot be a parameterized generic"))
}

fn reduce(alias: &Alias) -> PyResult {
    if alias.starred() {
        let plain = make(&Py_GenericAliasType, &alias.origin(), &alias.args(), false)?;
        let next = protocol::builtin("next")?;
        return Tuple::from_array([next, Tuple::from_array([plain.iter()?])?.upcast()])?.into_py();
    }
    let args = Tuple::from_array([alias.origin(), alias.args().upcast()])?;
    Tuple::from_array([alias.ty().new_ref(), args.upcast()])?.into_py()
}

fn unpacked_args(alias: &Alias) -> PyResult {
    let tuple: &Type = &PyTuple_Type;
    Ok(if alias.starred() && alias.origin().is(tuple) { alias.args().upcast() } else { new_none() })
}

fn dir(alias: &Alias) -> PyResult<Ref<List>> {
    let names = alias.origin().ty().lookup(intern!("__dir__"));
    let names = match names {
        Some(method) => protocol::to_vec(&*protocol::call_unbound(&method, &alias.origin(), &[])?)?,
        None => Vec::new(),
    };
    let list = List::from_vec(names)?;
    for own in OWN {
        let name = Str::from_utf8(own)?;
        if !protocol::contains(&list, &name)? {
            list.append(name.upcast())?;
        }
    }
    Ok(list)
}

taipan_object::methods! { static METHODS = {
    one "__mro_entries__" "($self, object, /)" = |alias: &Alias, _: &Object| Tuple::from_array([alias.origin()]),
        "What stands for the alias among the bases of a class: its origin.";
    one "__instancecheck__" "($self, object, /)" = |_: &Alias, _: &Object| Err::<Ref, _>(refuse("isinstance")),
        "Refuse: the arguments cannot be checked.";
    one "__subclasscheck__" "($self, object, /)" = |_: &Alias, _: &Object| Err::<Ref, _>(refuse("issubclass")),
        "Refuse: the arguments cannot be checked.";
    noargs "__reduce__" "($self, /)" = reduce,
        "Describe the alias for pickling.";
    noargs "__dir__" "($self, /)" = dir,
        "The names of the attributes of alias and origin, for dir().";
} }

/// `types.GenericAlias`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"GenericAlias(origin, args, /)\n--\n\nA generic class with arguments, as list[int]."),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::raw_call(callable::vectorcall_call),
        native::raw_setattro(instance::PyObject_GenericSetAttr),
        native::tp_new(alias_new),
        native::tp_repr(repr),
        native::tp_hash(hash),
        native::tp_richcompare(compare),
        native::tp_getattro(getattro),
        native::tp_iter(iterate),
        native::nb_or(crate::union::or),
        native::mp_subscript(subscript),
    ],
    methods: METHODS,
    members: &[
        Member::new(c"__origin__", T_OBJECT, offset_of!(RawAlias, origin), Py_READONLY, c""),
        Member::new(c"__args__", T_OBJECT, offset_of!(RawAlias, args), Py_READONLY, c""),
        Member::new(c"__unpacked__", Py_T_BOOL, offset_of!(RawAlias, starred), Py_READONLY, c""),
    ],
    getset: &[
        getset_row(c"__parameters__", Alias::parameters, c"the type variables among the arguments"),
        getset_row(c"__typing_unpacked_tuple_args__", unpacked_args, c""),
    ],
    ..TypeSpec::new(&Py_GenericAliasType)
};

/// The iterator of an alias gives one item: the alias with a star.
pub struct StarOnce {
    alias: core::cell::RefCell<Option<Ref>>,
}

/// `generic_alias_iterator`.
pub static ITERATOR: StaticType = StaticType::native(
    c"generic_alias_iterator",
    native::Native::<StarOnce>::SIZE,
    Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl native::Payload for StarOnce {
    const TYPE: &'static StaticType = &ITERATOR;
    fn traverse(&self, visitor: &mut native::Visitor) {
        visitor.visit_opt(self.alias.borrow().as_ref());
    }
    fn clear(&self) {
        drop(self.alias.take());
    }
}

fn iterate(alias: &Alias) -> PyResult {
    let payload = StarOnce { alias: core::cell::RefCell::new(Some(alias.new_ref())) };
    Ok(native::native_new(&ITERATOR, payload)?.upcast())
}

/// `(iter, (alias,))`; at the end an empty tuple stands for the alias.
fn reduce_iterator(iterator: &native::Native<StarOnce>) -> PyResult {
    let iter = protocol::builtin("iter")?;
    // Only now: looking the function up may have used the iterator.
    let alias = iterator.alias.borrow().clone().unwrap_or_else(|| Tuple::empty().upcast());
    Ok(Tuple::from_array([iter, Tuple::from_array([alias])?.upcast()])?.upcast())
}

taipan_object::methods! { static ITERATOR_METHODS = {
    noargs "__reduce__" "($self, /)" = reduce_iterator, "Describe the iterator for pickling.";
} }

fn next(iterator: &native::Native<StarOnce>) -> PyResult<Option<Ref>> {
    let Some(alias) = iterator.alias.take() else { return Ok(None) };
    match alias.downcast::<Alias>() {
        Some(alias) => make(&Py_GenericAliasType, &alias.origin(), &alias.args(), true).map(Some),
        None => Ok(None),
    }
}

/// The iterator's table.
pub static ITERATOR_SPEC: TypeSpec = TypeSpec {
    slots: &[
        native::Native::<StarOnce>::DEALLOC,
        native::Native::<StarOnce>::TRAVERSE,
        native::Native::<StarOnce>::CLEAR,
        native::tp_iter(|iterator: &Object| iterator.new_ref()),
        native::tp_iternext(next),
    ],
    methods: ITERATOR_METHODS,
    ..TypeSpec::new(&ITERATOR)
};
