//! Names: locals, cells, globals, builtins, special methods, `super`.

use crate::frame::Frame;
use crate::stackref::StackRef;
use taipan_abi::PyCellObject;
use taipan_bytecode as bc;
use taipan_object::dict::Dict;
use taipan_object::err;
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, alloc, gc, instance, intern, raise, state};

fn name_of<'a>(frame: *mut Frame, index: usize) -> &'a Str {
    // SAFETY: the running frame is live; names are strs.
    unsafe { Frame::code(frame).names().items()[index].cast() }
}

/// `NameError: name 'x' is not defined`, with the name for suggestions.
#[cold]
pub fn not_defined(name: &Str) -> PyErr {
    with_name(raise!(PyExc_NameError, "name '{}' is not defined", name.to_lossy()), name)
}

fn with_name(error: PyErr, name: &Str) -> PyErr {
    if error.is(&PyExc_NameError) {
        // SAFETY: instances of NameError have this field.
        unsafe {
            let raw = error.exception().as_ptr().cast::<taipan_abi::PyNameErrorObject>();
            taipan_object::handle::set_field(&raw mut (*raw).name, Some(name.new_ref()));
        }
    }
    error
}

/// The error of an unbound local.
#[cold]
pub fn unbound_local(frame: *mut Frame, index: usize) -> PyErr {
    // SAFETY: the running frame is live.
    let name = unsafe { Frame::code(frame) }.local_name(index);
    let message =
        format!("cannot access local variable '{}' where it is not associated with a value", name.to_lossy());
    with_name(err::unbound_local_error(&message), name)
}

/// The error of an empty cell.
#[cold]
pub fn unbound_deref(frame: *mut Frame, index: usize) -> PyErr {
    // SAFETY: the running frame is live.
    let code = unsafe { Frame::code(frame) };
    if code.localspluskinds()[index] & bc::CO_FAST_FREE == 0 {
        return unbound_local(frame, index);
    }
    let name = code.local_name(index);
    let message = format!(
        "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
        name.to_lossy()
    );
    with_name(err::name_error(&message), name)
}

/// A value of any mapping; a missing key is `None`.
pub(crate) fn mapping_get(mapping: &Object, name: &Str) -> PyResult<Option<Ref>> {
    if mapping.is_exact(&PyDict_Type) {
        // SAFETY: an exact dict.
        return unsafe { mapping.cast::<Dict>() }.get_str(name);
    }
    match mapping.get_item(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) => error.allow(&PyExc_KeyError),
    }
}

/// A name in the globals, or else in the builtins, whatever mappings these are.
///
/// # Errors
/// `NameError`.
pub fn global_or_builtin(frame: *mut Frame, name: &Str) -> PyResult {
    // SAFETY: the running frame is live.
    unsafe {
        if let Some(value) = mapping_get(Object::borrow((*frame).f_globals), name)? {
            return Ok(value);
        }
        mapping_get(Object::borrow((*frame).f_builtins), name)?.ok_or_else(|| not_defined(name))
    }
}

/// `LOAD_NAME`.
///
/// # Errors
/// `NameError`.
pub fn load_name(frame: *mut Frame, index: usize) -> PyResult {
    let name = name_of(frame, index);
    if let Some(value) = mapping_get(&*load_locals(frame)?, name)? {
        return Ok(value);
    }
    // Unlike `LOAD_GLOBAL`, this takes globals for the plain dict that they are underneath.
    // SAFETY: the running frame is live.
    unsafe {
        if let Some(value) = Frame::globals(frame).get_str(name)? {
            return Ok(value);
        }
        mapping_get(Object::borrow((*frame).f_builtins), name)?.ok_or_else(|| not_defined(name))
    }
}

/// `LOAD_FROM_DICT_OR_GLOBALS`.
///
/// # Errors
/// `NameError`.
pub fn load_from_dict_or_globals(frame: *mut Frame, mapping: &Object, index: usize) -> PyResult {
    let name = name_of(frame, index);
    match mapping_get(mapping, name)? {
        Some(value) => Ok(value),
        None => global_or_builtin(frame, name),
    }
}

/// `LOAD_FROM_DICT_OR_DEREF`.
///
/// # Errors
/// `NameError`.
pub fn load_from_dict_or_deref(frame: *mut Frame, mapping: &Object, index: usize) -> PyResult {
    // SAFETY: the running frame is live; the local is a cell.
    unsafe {
        let name = Frame::code(frame).local_name(index);
        if let Some(value) = mapping_get(mapping, name)? {
            return Ok(value);
        }
        let cell = (*Frame::locals(frame).add(index)).ptr().cast::<PyCellObject>();
        Object::borrow_opt((*cell).ob_ref).map(Object::new_ref).ok_or_else(|| unbound_deref(frame, index))
    }
}

/// `STORE_NAME`, and `DELETE_NAME` for `None`.
///
/// # Errors
/// `NameError` when there is nothing to delete; what the namespace raises.
pub fn store_name(frame: *mut Frame, index: usize, value: Option<&Object>) -> PyResult<()> {
    let name = name_of(frame, index);
    let locals = load_locals(frame)?;
    match value {
        Some(value) if locals.is_exact(&PyDict_Type) => {
            // SAFETY: an exact dict.
            unsafe { locals.cast::<Dict>() }.set_str(name, value)
        }
        Some(value) => protocol::set_item(&locals, name, value),
        None => protocol::delete_item(&locals, name)
            .map_err(|error| if error.is(&PyExc_KeyError) { not_defined(name) } else { error }),
    }
}

/// `DELETE_GLOBAL`.
///
/// # Errors
/// `NameError`.
pub fn delete_global(frame: *mut Frame, index: usize) -> PyResult<()> {
    let name = name_of(frame, index);
    // SAFETY: the running frame is live.
    match unsafe { Frame::globals(frame) }.remove(name)? {
        Some(_) => Ok(()),
        None => Err(not_defined(name)),
    }
}

/// The mapping of a frame's locals outside functions.
///
/// # Errors
/// None.
pub fn load_locals(frame: *mut Frame) -> PyResult {
    // SAFETY: the running frame is live.
    match unsafe { Object::borrow_opt((*frame).f_locals) } {
        Some(locals) => Ok(locals.new_ref()),
        // Code of a module that was made a function of runs in its globals.
        // SAFETY: the running frame is live.
        None => Ok(unsafe { Object::borrow((*frame).f_globals).new_ref() }),
    }
}

/// `builtins.__build_class__`.
///
/// # Errors
/// `NameError`.
pub fn load_build_class(frame: *mut Frame) -> PyResult {
    // SAFETY: the running frame is live.
    let builtins = unsafe { Object::borrow((*frame).f_builtins) };
    mapping_get(builtins, intern!("__build_class__"))?
        .ok_or_else(|| err::name_error("__build_class__ not found"))
}

/// `LOAD_COMMON_CONSTANT`.
///
/// # Errors
/// `SystemError` for a number that no compiler writes.
pub fn common_constant(index: usize) -> PyResult {
    // The functions themselves, whatever the names mean by now.
    let builtin =
        |name: &Str| -> PyResult { state::interp().callables.builtin(name).ok_or_else(|| not_defined(name)) };
    match index as u32 {
        bc::CONSTANT_ASSERTIONERROR => Ok(PyExc_AssertionError.new_ref()),
        bc::CONSTANT_NOTIMPLEMENTEDERROR => Ok(PyExc_NotImplementedError.new_ref()),
        bc::CONSTANT_BUILTIN_TUPLE => Ok(PyTuple_Type.new_ref()),
        bc::CONSTANT_BUILTIN_ALL => builtin(intern!("all")),
        bc::CONSTANT_BUILTIN_ANY => builtin(intern!("any")),
        _ => Err(err::system_error("unknown common constant")),
    }
}

/// A new cell.
///
/// # Errors
/// `MemoryError`.
pub fn new_cell(value: Option<Ref>) -> PyResult {
    let cell = alloc::alloc_object(&PyCell_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        (*cell.raw_as::<PyCellObject>()).ob_ref = taipan_object::handle::into_ptr_opt(value);
        gc::track(&cell);
    }
    Ok(cell)
}

/// `LOAD_SPECIAL`: the method, and whether the owner is to be passed as its first argument.
///
/// # Errors
/// `TypeError` for objects that are no context managers.
pub fn load_special(owner: &Object, which: usize) -> PyResult<(Ref, bool)> {
    let (name, protocol, other) = match which as u32 {
        bc::SPECIAL___ENTER__ => (intern!("__enter__"), "context manager", "asynchronous context manager"),
        bc::SPECIAL___EXIT__ => (intern!("__exit__"), "context manager", "asynchronous context manager"),
        bc::SPECIAL___AENTER__ => (intern!("__aenter__"), "asynchronous context manager", "context manager"),
        _ => (intern!("__aexit__"), "asynchronous context manager", "context manager"),
    };
    let ty = owner.ty();
    if let Some(method) = ty.lookup(name) {
        if method.ty().has_flag(taipan_abi::Py_TPFLAGS_METHOD_DESCRIPTOR) {
            return Ok((method, true));
        }
        return Ok((instance::bind_descriptor(&method, owner, ty)?, false));
    }
    let asynchronous = which as u32 >= bc::SPECIAL___AENTER__;
    let (enter, exit) = if asynchronous { ("__enter__", "__exit__") } else { ("__aenter__", "__aexit__") };
    let has = |name: &str| Str::from_utf8(name).is_ok_and(|name| ty.lookup(&name).is_some());
    let hint = if has(enter) && has(exit) {
        let statement = if asynchronous { "with" } else { "async with" };
        format!(" but it supports the {other} protocol. Did you mean to use '{statement}'?")
    } else {
        String::new()
    };
    let other_half = if asynchronous { "__aexit__" } else { "__exit__" };
    let missing = if exit_method(which) || has(other_half) {
        format!(" (missed {} method)", name.to_lossy())
    } else {
        String::new()
    };
    Err(raise!(
        PyExc_TypeError,
        "'{}' object does not support the {protocol} protocol{missing}{hint}",
        ty.message_name()
    ))
}

fn exit_method(which: usize) -> bool {
    matches!(which as u32, bc::SPECIAL___EXIT__ | bc::SPECIAL___AEXIT__)
}

/// `super(class, object).name` of an ordinary instance, without a `super` object; `true` when the result
/// is a method to be called with the instance. `None` where `super` itself has to say what happens.
fn quick_super(class: &Object, object: &Object, name: &Str, method: bool) -> PyResult<Option<(Ref, bool)>> {
    let Some(class) = class.downcast::<Type>() else { return Ok(None) };
    let start = object.ty();
    if !start.is_subtype(class) || object.downcast::<Type>().is_some() || name.equals("__class__") {
        return Ok(None);
    }
    let Some(mro) = start.mro().map(Ref::of) else { return Ok(None) };
    let behind = mro.items().iter().skip_while(|entry| !entry.is(class)).skip(1);
    for entry in behind {
        // SAFETY: an MRO holds types only.
        let base: &Type = unsafe { entry.cast() };
        let Some(dict) = base.dict() else { continue };
        let Some(found) = dict.get_str(name)? else { continue };
        if method && found.ty().has_flag(taipan_abi::Py_TPFLAGS_METHOD_DESCRIPTOR) {
            return Ok(Some((found, true)));
        }
        let value = instance::bind_descriptor(&found, object, start)?;
        return Ok(Some((value, false)));
    }
    Ok(None)
}

/// `super(class, object).name`; `true` when the result is a method to be called with the object.
///
/// # Errors
/// What `super` and the attribute raise.
pub fn load_super_attr(
    frame: *mut Frame,
    super_type: StackRef,
    class: StackRef,
    object: StackRef,
    oparg: usize,
) -> PyResult<(Ref, bool)> {
    let name = name_of(frame, oparg >> 2);
    let (super_type, class, object) = (super_type.look(), class.look(), object.look());
    if super_type.is(&PySuper_Type)
        && let Some(found) = quick_super(&class, &object, name, oparg & 1 != 0)?
    {
        return Ok(found);
    }
    let instance = make_super(&super_type, &class, &object, oparg)?;
    Ok((instance.getattr(name)?, false))
}

/// Calls what goes by the name of `super`; one of the program's own is called as written.
///
/// # Errors
/// What it raises.
pub fn make_super(super_type: &Object, class: &Object, object: &Object, oparg: usize) -> PyResult {
    if oparg & 2 != 0 || super_type.is_exact(&PyType_Type) {
        super_type.call(&[class, object])
    } else {
        super_type.call(&[])
    }
}

/// An attribute by its place among the names of a frame's code.
///
/// # Errors
/// What the attribute raises.
pub fn attribute_named(frame: *mut Frame, object: &Object, index: usize) -> PyResult {
    object.getattr(name_of(frame, index))
}

/// `SETUP_ANNOTATIONS`.
///
/// # Errors
/// What the namespace raises.
pub fn setup_annotations(frame: *mut Frame) -> PyResult<()> {
    let locals = load_locals(frame)?;
    let name = intern!("__annotations__");
    if mapping_get(&locals, name)?.is_none() {
        protocol::set_item(&locals, name, &*Dict::new()?)?;
    }
    Ok(())
}

/// An attribute of `sys`, if it is there.
///
/// # Errors
/// None of its own.
pub fn sys_attribute(name: &str) -> PyResult<Option<Ref>> {
    let sys = state::interp().sysdict.borrow().clone();
    Ok(sys.and_then(|sys| sys.get_text(name)))
}
