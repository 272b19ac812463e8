//! `weakref.ReferenceType` and the two proxy types.
//!
//! A proxy does with its referent whatever is done with it: each slot replaces proxies among the
//! operands by their referents and goes through the abstract protocol again.

use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::callable;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, reference_error};
use taipan_object::native::{self, CompareOp, IntoPy, Member, Slot, TypeSpec};
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::singletons::{is_none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::weakref::{self, WeakRef};
use taipan_object::{Object, Ref, Type, instance, intern, raise};

fn reference_arguments<'a>(
    function: &str,
    args: &'a Tuple,
    kwargs: Option<&Dict>,
) -> PyResult<(&'a Object, Option<&'a Object>)> {
    if function == "__init__" {
        crate::util::no_keywords("ref", kwargs)?;
    }
    match args.items() {
        [] => Err(raise!(PyExc_TypeError, "{function} expected at least 1 argument, got 0")),
        [object] => Ok((object, None)),
        [object, callback] => Ok((object, Some(*callback).filter(|callback| !is_none(callback)))),
        many => Err(raise!(PyExc_TypeError, "{function} expected at most 2 arguments, got {}", many.len())),
    }
}

fn reference_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let (object, callback) = reference_arguments("__new__", args, kwargs)?;
    Ok(weakref::new(ty, object, callback)?.upcast())
}

/// `ref(object)` and `ref(object, callback)` need no tuple.
fn reference_vectorcall(ty: &Type, args: native::CallArgs<'_>) -> PyResult {
    if args.kwnames.is_none() {
        match args.all {
            [object] => return Ok(weakref::new(ty, object, None)?.upcast()),
            [object, callback] => {
                let callback = Some(*callback).filter(|callback| !is_none(callback));
                return Ok(weakref::new(ty, object, callback)?.upcast());
            }
            _ => {}
        }
    }
    let tuple = Tuple::from_refs(args.positional())?;
    let kwargs = args.keywords_dict()?;
    let made = reference_new(ty, &tuple, kwargs.as_deref())?;
    reference_arguments("__init__", &tuple, kwargs.as_deref())?;
    Ok(made)
}

fn reference_init(_: &WeakRef, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    reference_arguments("__init__", args, kwargs).map(drop)
}

fn reference_repr(reference: &WeakRef) -> PyResult {
    let address = reference.as_ptr().addr();
    let Some(object) = weakref::referent(reference) else {
        return format!("<weakref at {address:#x}; dead>").into_py();
    };
    let (class, place) = (object.ty().qualified_name(), object.as_ptr().addr());
    let name = object.getattr_opt(intern!("__name__"))?;
    match name.as_ref().and_then(|name| name.downcast::<Str>()) {
        Some(name) => format!("<weakref at {address:#x}; to '{class}' at {place:#x} ({})>", name.to_lossy()),
        None => format!("<weakref at {address:#x}; to '{class}' at {place:#x}>"),
    }
    .into_py()
}

/// The hash of the referent, kept so that it outlives it.
fn reference_hash(reference: &WeakRef) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    unsafe {
        if (*reference.raw()).hash != -1 {
            return Ok((*reference.raw()).hash);
        }
        let Some(object) = weakref::referent(reference) else {
            return Err(taipan_object::err::type_error("weak object has gone away"));
        };
        let hash = object.hash()?;
        (*reference.raw()).hash = hash;
        Ok(hash)
    }
}

/// Live references compare as their referents, dead ones by identity.
fn reference_compare(reference: &WeakRef, other: &Object, op: CompareOp) -> PyResult {
    let other = other.downcast::<WeakRef>().filter(|other| other.ty().is_subtype(&_PyWeakref_RefType));
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other) else {
        return Ok(not_implemented().new_ref());
    };
    match (weakref::referent(reference), weakref::referent(other)) {
        (Some(a), Some(b)) => protocol::richcompare(&a, &b, op),
        _ => (reference.is(other) == (op == CompareOp::Eq)).into_py(),
    }
}

taipan_object::methods! { static REFERENCE_METHODS = {
    class one "__class_getitem__" "($type, object, /)" = |class: &Object, item: &Object| crate::generic_alias::new(class, item),
        "A generic alias of the class, for annotations.";
} }

const LIFE: [Slot; 3] = [
    native::raw_dealloc(weakref::dealloc),
    native::raw_traverse(weakref::traverse),
    native::raw_clear(weakref::tp_clear),
];

/// `weakref.ReferenceType`.
pub static REFERENCE: TypeSpec = TypeSpec {
    doc: Some(c"A weak reference: calling it gives the object, or None once that has gone."),
    slots: &[
        LIFE[0],
        LIFE[1],
        LIFE[2],
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::raw_call(callable::vectorcall_call),
        native::tp_new(reference_new),
        native::tp_vectorcall(reference_vectorcall),
        native::tp_init(reference_init),
        native::tp_repr(reference_repr),
        native::tp_hash(reference_hash),
        native::tp_richcompare(reference_compare),
    ],
    methods: REFERENCE_METHODS,
    members: &[Member::new(
        c"__callback__",
        T_OBJECT,
        offset_of!(PyWeakReference, wr_callback),
        Py_READONLY,
        c"what is called when the object goes",
    )],
    ..TypeSpec::new(&_PyWeakref_RefType)
};

/// A proxy for an object: callable if the object is.
///
/// # Errors
/// `TypeError` when the object cannot be weakly referenced, `MemoryError`.
pub fn new_proxy(object: &Object, callback: Option<&Object>) -> PyResult {
    let ty: &Type = if object.is_callable() { &_PyWeakref_CallableProxyType } else { &_PyWeakref_ProxyType };
    Ok(weakref::new(ty, object, callback.filter(|callback| !is_none(callback)))?.upcast())
}

/// The referent of a proxy, which may have gone; any other object as it is.
fn behind(object: &Object) -> PyResult {
    if !object.is_exact(&_PyWeakref_ProxyType) && !object.is_exact(&_PyWeakref_CallableProxyType) {
        return Ok(object.new_ref());
    }
    // SAFETY: proxies have the layout of weak references.
    weakref::referent(unsafe { object.cast() })
        .ok_or_else(|| reference_error("weakly-referenced object no longer exists"))
}

/// The binary operator `OP` on what is behind proxies.
macro_rules! operator {
    ($op:ident) => {
        |a: &Object, b: &Object| -> PyResult {
            protocol::binary_op(&*behind(a)?, &*behind(b)?, BinaryOp::$op)
        }
    };
}

macro_rules! in_place {
    ($op:ident) => {
        |a: &Object, b: &Object| -> PyResult {
            protocol::inplace_op(&*behind(a)?, &*behind(b)?, BinaryOp::$op)
        }
    };
}

macro_rules! unary {
    ($id:ident) => {
        |a: &Object| -> PyResult { protocol::unary(&*behind(a)?, $id) }
    };
}

fn truth(proxy: &Object) -> PyResult<bool> {
    behind(proxy)?.is_true()
}

fn next(proxy: &Object) -> PyResult<Option<Ref>> {
    let object = behind(proxy)?;
    // SAFETY: a live type.
    if unsafe { (*object.ty().raw()).tp_iternext.is_none() } {
        return Err(raise!(
            PyExc_TypeError,
            "Weakref proxy referenced a non-iterator '{}' object",
            object.ty().message_name()
        ));
    }
    protocol::iter_next(&object)
}

fn getattro(proxy: &Object, name: &Object) -> PyResult {
    let object = behind(proxy)?;
    match name.downcast::<Str>() {
        Some(name) => object.getattr(name),
        None => instance::generic_getattr(&object, name),
    }
}

fn setattro(proxy: &Object, name: &Object, value: Option<&Object>) -> PyResult<()> {
    let object = behind(proxy)?;
    match name.downcast::<Str>() {
        Some(name) => object.setattr(name, value),
        None => instance::generic_setattr(&object, name, value),
    }
}

fn store(proxy: &Object, key: &Object, value: Option<&Object>) -> PyResult<()> {
    let object = behind(proxy)?;
    match value {
        Some(value) => protocol::set_item(&object, &*behind(key)?, value),
        None => protocol::delete_item(&object, &*behind(key)?),
    }
}

/// The proxy itself, not what is behind it: for debugging.
fn proxy_repr(proxy: &WeakRef) -> String {
    let address = proxy.as_ptr().addr();
    match weakref::referent(proxy) {
        Some(object) => format!(
            "<weakproxy at {address:#x}; to '{}' at {:#x}>",
            object.ty().qualified_name(),
            object.as_ptr().addr()
        ),
        None => format!("<weakproxy at {address:#x}; dead>"),
    }
}

fn call(proxy: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    protocol::call_with_dict(&*behind(proxy)?, args, kwargs)
}

/// An in-place operator that has no constructor of its own: all have the same shape.
const fn in_place_slot(id: i32, like: Slot) -> Slot {
    Slot { id, function: like.function }
}

/// What both kinds of proxy do.
const PROXY: &[Slot] = &[
    LIFE[0],
    LIFE[1],
    LIFE[2],
    native::raw_free(instance::object_gc_del),
    native::tp_repr(proxy_repr),
    native::tp_str(|a: &Object| behind(a)?.str()),
    native::tp_getattro(getattro),
    native::tp_setattro(setattro),
    native::tp_richcompare(|a: &Object, b: &Object, op: CompareOp| {
        protocol::richcompare(&*behind(a)?, &*behind(b)?, op)
    }),
    native::tp_iter(|a: &Object| behind(a)?.iter()),
    native::tp_iternext(next),
    native::nb_add(operator!(Add)),
    native::nb_subtract(operator!(Subtract)),
    native::nb_multiply(operator!(Multiply)),
    native::nb_remainder(operator!(Remainder)),
    native::nb_divmod(operator!(Divmod)),
    native::nb_lshift(operator!(Lshift)),
    native::nb_rshift(operator!(Rshift)),
    native::nb_and(operator!(And)),
    native::nb_xor(operator!(Xor)),
    native::nb_or(operator!(Or)),
    native::nb_floor_divide(operator!(FloorDivide)),
    native::nb_true_divide(operator!(TrueDivide)),
    native::nb_matrix_multiply(operator!(MatrixMultiply)),
    native::nb_power(|a: &Object, b: &Object, c: &Object| {
        protocol::power(&*behind(a)?, &*behind(b)?, &*behind(c)?)
    }),
    native::nb_inplace_add(in_place!(Add)),
    native::nb_inplace_subtract(in_place!(Subtract)),
    native::nb_inplace_multiply(in_place!(Multiply)),
    native::nb_inplace_and(in_place!(And)),
    native::nb_inplace_or(in_place!(Or)),
    native::nb_inplace_xor(in_place!(Xor)),
    in_place_slot(Py_nb_inplace_remainder, native::nb_inplace_add(in_place!(Remainder))),
    in_place_slot(Py_nb_inplace_lshift, native::nb_inplace_add(in_place!(Lshift))),
    in_place_slot(Py_nb_inplace_rshift, native::nb_inplace_add(in_place!(Rshift))),
    in_place_slot(Py_nb_inplace_floor_divide, native::nb_inplace_add(in_place!(FloorDivide))),
    in_place_slot(Py_nb_inplace_true_divide, native::nb_inplace_add(in_place!(TrueDivide))),
    in_place_slot(Py_nb_inplace_matrix_multiply, native::nb_inplace_add(in_place!(MatrixMultiply))),
    in_place_slot(
        Py_nb_inplace_power,
        native::nb_power(|a: &Object, b: &Object, _: &Object| {
            protocol::inplace_op(&*behind(a)?, &*behind(b)?, BinaryOp::Power)
        }),
    ),
    native::nb_negative(unary!(Py_nb_negative)),
    native::nb_positive(unary!(Py_nb_positive)),
    native::nb_absolute(unary!(Py_nb_absolute)),
    native::nb_invert(unary!(Py_nb_invert)),
    native::nb_bool(truth),
    native::nb_int(|a: &Object| PyLong_Type.call(&[&*behind(a)?])),
    native::nb_float(|a: &Object| PyFloat_Type.call(&[&*behind(a)?])),
    native::nb_index(|a: &Object| behind(a)?.to_index()),
    native::mp_length(|a: &Object| behind(a)?.len().map(usize::cast_signed)),
    native::mp_subscript(|a: &Object, key: &Object| behind(a)?.get_item(&*behind(key)?)),
    native::mp_ass_subscript(store),
    native::sq_contains(|a: &Object, item: &Object| protocol::contains(&*behind(a)?, item)),
];

/// [`PROXY`] with calls.
const CALLABLE: &[Slot] = &{
    let mut all = [native::tp_call(call); PROXY.len() + 1];
    let mut index = 0;
    while index < PROXY.len() {
        all[index] = PROXY[index];
        index += 1;
    }
    all
};

taipan_object::methods! { static PROXY_METHODS = {
    noargs "__bytes__" "" = |a: &Object| -> PyResult { behind(a)?.call_method(intern!("__bytes__"), &[]) },
        "The object as bytes.";
    noargs "__reversed__" "" = |a: &Object| -> PyResult { behind(a)?.call_method(intern!("__reversed__"), &[]) },
        "An iterator over the object from its end.";
} }

/// `weakref.ProxyType` and `weakref.CallableProxyType`.
pub static PROXIES: [TypeSpec; 2] = [
    TypeSpec { slots: PROXY, methods: PROXY_METHODS, ..TypeSpec::new(&_PyWeakref_ProxyType) },
    TypeSpec { slots: CALLABLE, ..TypeSpec::new(&_PyWeakref_CallableProxyType) },
];
