//! `typing.Union`: `X | Y` (PEP 604).

use crate::generic_alias::{Alias, parameters_of, substitute};
use crate::util;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::err::{PyResult, type_error};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::native::{self, CompareOp, IntoPy, Member, TypeSpec, getset_row};
use taipan_object::singletons::{is_none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, alloc, gc, instance, intern, layout, raise, state, weakref};

/// The memory of a union. The two middle fields keep CPython's places and are not used.
#[repr(C)]
pub struct RawUnion {
    head: PyObject,
    args: *mut PyObject,
    hashable: *mut PyObject,
    unhashable: *mut PyObject,
    parameters: *mut PyObject,
    weakrefs: *mut PyObject,
}
const _: () = assert!(size_of::<RawUnion>() == 56);

layout!(
    /// A union.
    Union, RawUnion, "typing.Union", |o| o.is_exact(&_PyUnion_Type)
);

impl Union {
    /// `__args__`.
    pub fn args(&self) -> Ref<Tuple> {
        // SAFETY: the view guarantees the layout.
        let args = unsafe { util::field(&raw mut (*self.raw()).args) };
        args.and_then(|args| args.downcast_owned::<Tuple>().ok()).unwrap_or_else(Tuple::empty)
    }

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

/// What `|` accepts without a union among the operands.
fn is_unionable(object: &Object) -> bool {
    is_none(object)
        || object.downcast::<Type>().is_some()
        || object.downcast::<Alias>().is_some()
        || object.downcast::<Union>().is_some()
        || object.ty().full_name() == "typing.TypeAliasType"
}

/// `left | right`.
///
/// # Errors
/// What comparing odd members raises.
pub fn or(left: &Object, right: &Object) -> PyResult {
    let has_union = left.downcast::<Union>().is_some() || right.downcast::<Union>().is_some();
    if !has_union && (!is_unionable(left) || !is_unionable(right)) {
        return Ok(not_implemented().new_ref());
    }
    make(&[left, right])
}

/// The union of some types: flat, without duplicates; a single type is its own union.
///
/// # Errors
/// `TypeError` for none at all; what comparing odd members raises.
pub fn make(members: &[&Object]) -> PyResult {
    let mut flat: Vec<Known> = Vec::new();
    for member in members {
        match member.downcast::<Union>() {
            Some(union) => {
                for inner in union.args().items() {
                    add(&mut flat, inner)?;
                }
            }
            None => add(&mut flat, member)?,
        }
    }
    let flat: Vec<Ref> = flat.into_iter().map(|member| member.value).collect();
    match &flat[..] {
        [] => return Err(type_error("Cannot take a Union of no types.")),
        [only] => return Ok(only.clone()),
        _ => {}
    }
    let args = Tuple::from_vec(flat)?;
    let made = alloc::alloc_object(&_PyUnion_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        set_field(&raw mut (*made.raw_as::<RawUnion>()).args, Some(args.upcast()));
        gc::track(&made);
    }
    Ok(made)
}

/// A member with its hash, if it has one.
struct Known {
    value: Ref,
    hash: Option<isize>,
}

/// Adds a member that is not there yet. Members are compared as a set would compare them: only those with the same
/// hash, and those without one only among themselves.
fn add(flat: &mut Vec<Known>, member: &Object) -> PyResult<()> {
    // `None` stands for its type.
    let member: &Object = if is_none(member) { &_PyNone_Type } else { member };
    let hash = member.hash().ok();
    for known in flat.iter() {
        if known.hash == hash && (known.value.is(member) || known.value.equals(member)?) {
            return Ok(());
        }
    }
    flat.push(Known { value: member.new_ref(), hash });
    Ok(())
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        weakref::clear_on_dealloc(Object::borrow(ptr));
        let raw = ptr.cast::<RawUnion>();
        clear_field(&raw mut (*raw).args);
        clear_field(&raw mut (*raw).hashable);
        clear_field(&raw mut (*raw).unhashable);
        clear_field(&raw mut (*raw).parameters);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live union.
    unsafe {
        let raw = ptr.cast::<RawUnion>();
        instance::visit_all(&[(*raw).args, (*raw).hashable, (*raw).unhashable, (*raw).parameters], visit, arg)
    }
}

fn repr(union: &Union) -> PyResult {
    let none: &Type = &_PyNone_Type;
    let parts: Vec<String> = union
        .args()
        .items()
        .iter()
        .map(|member| {
            if member.is(none) { Ok("None".to_owned()) } else { crate::generic_alias::argument_repr(member) }
        })
        .collect::<PyResult<_>>()?;
    parts.join(" | ").into_py()
}

/// The hash of the members as a set: their order does not count.
fn hash(union: &Union) -> PyResult<isize> {
    let args = union.args();
    for member in args.items() {
        member.hash()?;
    }
    PyFrozenSet_Type.call(&[&args])?.hash()
}

fn compare(union: &Union, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<Union>()) else {
        return Ok(not_implemented().new_ref());
    };
    let (a, b) = (union.args(), other.args());
    let mut same = a.len() == b.len();
    for member in a.items() {
        let mut found = false;
        for candidate in b.items() {
            found = found || candidate.equals(member)?;
        }
        same &= found;
    }
    (same == (op == CompareOp::Eq)).into_py()
}

fn getattro(union: &Union, name: &Object) -> PyResult {
    if let Some(name) = name.downcast::<Str>().filter(|name| name.equals("__module__")) {
        return union.ty().getattr(name);
    }
    instance::generic_getattr(union, name)
}

fn subscript(union: &Union, item: &Object) -> PyResult {
    let args = substitute(union, &union.args(), &*union.parameters()?, item)?;
    make(args.items())
}

/// `Union[X, Y]`: members that are no types are looked at by `typing`.
fn class_getitem(_: &Object, item: &Object) -> PyResult {
    let items = match item.downcast::<Tuple>() {
        Some(items) => Ref::of(items),
        None => Tuple::from_refs(&[item])?,
    };
    let mut members = Vec::with_capacity(items.len());
    for item in items.items() {
        if is_unionable(item) {
            members.push(item.new_ref());
            continue;
        }
        let typing = (state::interp().hooks.get().import_module)("typing")?;
        let message = Str::from_utf8("Union[arg, ...]: each arg must be a type.")?;
        members.push(typing.call_method(intern!("_type_check"), &[item, &message])?);
    }
    let refs: Vec<&Object> = members.iter().map(|member| &**member).collect();
    make(&refs)
}

taipan_object::methods! { static METHODS = {
    one "__mro_entries__" "" = |union: &Union, _: &Object| -> PyResult {
        Err(raise!(PyExc_TypeError, "Cannot subclass {}", union.repr()?.to_lossy()))
    }, "Refuse: a union is no base.";
    class one "__class_getitem__" "" = class_getitem, "The union of some types.";
} }

/// `typing.Union`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A union of types, as int | str."),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::tp_repr(repr),
        native::tp_hash(hash),
        native::tp_richcompare(compare),
        native::tp_getattro(getattro),
        native::nb_or(or),
        native::mp_subscript(subscript),
    ],
    methods: METHODS,
    members: &[Member::new(c"__args__", T_OBJECT, offset_of!(RawUnion, args), Py_READONLY, c"")],
    getset: &[
        getset_row(c"__name__", |_: &Union| "Union", c""),
        getset_row(c"__qualname__", |_: &Union| "Union", c""),
        getset_row(c"__origin__", |_: &Union| -> Ref { _PyUnion_Type.new_ref() }, c""),
        getset_row(c"__parameters__", Union::parameters, c"the type variables among the members"),
    ],
    ..TypeSpec::new(&_PyUnion_Type)
};
