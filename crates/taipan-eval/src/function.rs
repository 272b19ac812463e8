//! Function objects.

use crate::code::Code;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{self, type_error};
use taipan_object::handle::set_field;
use taipan_object::native::{
    GetSetRow, IntoPy, Member, TypeSpec, getset_row, raw_call, raw_clear, raw_dealloc, raw_traverse,
    tp_descr_get, tp_repr,
};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{
    PyCell_Type, PyExc_TypeError, PyExc_ValueError, PyFunction_Type, PyModule_Type,
};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{
    Object, PyResult, Ref, Type, alloc, callable, gc, instance, intern, layout, raise, refcount, state,
};

layout!(
    /// A function written in Python.
    Function, PyFunctionObject, "function", |o| o.is_exact(&PyFunction_Type)
);

impl Function {
    #[inline(always)]
    pub fn code(&self) -> &Code {
        // SAFETY: always a code object.
        unsafe { Object::borrow((*self.raw()).func_code).cast() }
    }

    pub fn globals(&self) -> &Dict {
        // SAFETY: always a dict.
        unsafe { Object::borrow((*self.raw()).func_globals).cast() }
    }

    /// Defaults of positional parameters.
    pub fn defaults(&self) -> Option<&Tuple> {
        // SAFETY: null or a tuple.
        unsafe { Object::borrow_opt((*self.raw()).func_defaults).map(|d| d.cast()) }
    }

    /// Defaults of keyword-only parameters.
    pub fn kwdefaults(&self) -> Option<&Dict> {
        // SAFETY: null or a dict.
        unsafe { Object::borrow_opt((*self.raw()).func_kwdefaults).map(|d| d.cast()) }
    }

    pub fn closure(&self) -> Option<&Tuple> {
        // SAFETY: null or a tuple of cells.
        unsafe { Object::borrow_opt((*self.raw()).func_closure).map(|c| c.cast()) }
    }

    pub fn qualname(&self) -> &Str {
        // SAFETY: always a str.
        unsafe { Object::borrow((*self.raw()).func_qualname).cast() }
    }

    /// The version that inline caches guard on; 0 when there are no more.
    pub fn version(&self) -> u32 {
        // SAFETY: the view guarantees the layout.
        unsafe {
            let raw = self.raw();
            if (*raw).func_version == 0 {
                let next = &state::interp().next_func_version;
                let version = next.get();
                if let Some(after) = version.checked_add(1) {
                    next.set(after);
                    (*raw).func_version = version;
                }
            }
            (*raw).func_version
        }
    }

    /// Whether the function has this version, which is not 0.
    #[inline(always)]
    pub fn has_version(&self, version: u32) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).func_version == version }
    }

    /// Forgets the version after something that callers rely on has changed.
    fn modified(&self) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).func_version = 0 }
    }

    /// A new function of this code in this namespace.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(code: &Code, globals: &Dict, qualname: Option<&Str>) -> PyResult<Ref<Function>> {
        code.ensure_verified()?;
        let builtins = builtins_of(globals)?;
        let module = globals.get_str(intern!("__name__"))?;
        let doc =
            if code.flags() & taipan_bytecode::CO_HAS_DOCSTRING != 0 { code.consts().get(0) } else { None };
        let object = alloc::alloc_object(&PyFunction_Type, 0)?;
        // SAFETY: fresh memory of this layout.
        unsafe {
            let function: Ref<Function> = object.cast_owned();
            let raw = function.raw();
            (*raw).func_globals = globals.new_ref().into_ptr();
            (*raw).func_builtins = builtins.into_ptr();
            (*raw).func_name = code.name().new_ref().into_ptr();
            (*raw).func_qualname = qualname.unwrap_or_else(|| code.qualname()).new_ref().into_ptr();
            (*raw).func_code = code.new_ref().into_ptr();
            (*raw).func_doc = doc.unwrap_or(none()).new_ref().into_ptr();
            (*raw).func_module = taipan_object::handle::into_ptr_opt(module);
            (*raw).vectorcall = Some(crate::call::function_vectorcall);
            gc::track(&function);
            Ok(function)
        }
    }
}

/// The builtins that code in this namespace sees: `__builtins__`, a module or its dict.
///
/// # Errors
/// What looking it up raises.
pub fn builtins_of(globals: &Dict) -> PyResult {
    let found = globals.get_str(intern!("__builtins__"))?;
    if let Some(found) = found {
        if found.ty().is_subtype(&PyModule_Type)
            && let Some(dict) = instance::existing_dict(&found)
        {
            return Ok(dict.new_ref());
        }
        return Ok(found);
    }
    match state::interp().builtins.borrow().as_ref() {
        Some(builtins) => Ok(builtins.clone().upcast()),
        None => Dict::new().map(Ref::upcast),
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        taipan_object::weakref::clear_on_dealloc(Object::borrow(ptr));
        release(ptr.cast());
        let raw = ptr.cast::<PyFunctionObject>();
        for field in [
            (*raw).func_code,
            (*raw).func_name,
            (*raw).func_qualname,
            (*raw).func_globals,
            (*raw).func_builtins,
        ] {
            refcount::xdecref(field);
        }
        alloc::free_object(ptr);
    }
}

/// Releases everything but what the function cannot exist without.
unsafe fn release(raw: *mut PyFunctionObject) {
    // SAFETY: fields own references or are null.
    unsafe {
        use taipan_object::handle::clear_field;
        clear_field(&raw mut (*raw).func_module);
        clear_field(&raw mut (*raw).func_defaults);
        clear_field(&raw mut (*raw).func_kwdefaults);
        clear_field(&raw mut (*raw).func_doc);
        clear_field(&raw mut (*raw).func_dict);
        clear_field(&raw mut (*raw).func_closure);
        clear_field(&raw mut (*raw).func_annotations);
        clear_field(&raw mut (*raw).func_annotate);
        clear_field(&raw mut (*raw).func_typeparams);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live function.
    unsafe {
        let raw = ptr.cast::<PyFunctionObject>();
        let fields = [
            (*raw).func_code,
            (*raw).func_globals,
            (*raw).func_builtins,
            (*raw).func_module,
            (*raw).func_defaults,
            (*raw).func_kwdefaults,
            (*raw).func_doc,
            (*raw).func_dict,
            (*raw).func_closure,
            (*raw).func_annotations,
            (*raw).func_annotate,
            (*raw).func_typeparams,
        ];
        instance::visit_all(&fields, visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live function.
    unsafe { release(ptr.cast()) };
    0
}

fn repr(function: &Function) -> PyResult {
    format!("<function {} at {:#x}>", function.qualname().to_lossy(), function.as_ptr().addr()).into_py()
}

fn descr_get(function: &Function, object: Option<&Object>, _: Option<&Object>) -> PyResult {
    match object {
        Some(object) if !is_none(object) => Ok(callable::new_method(function, object)?.upcast()),
        Some(_) | None => Ok(function.new_ref()),
    }
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    use taipan_object::native::Signature;
    static SIGNATURE: Signature = Signature::parse(
        "function",
        "(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
    );
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let Some(code) = bound.required(0).downcast::<Code>() else {
        return Err(raise!(
            PyExc_TypeError,
            "function() argument 'code' must be code, not {}",
            bound.required(0).ty().message_name()
        ));
    };
    let Some(globals) = bound.required(1).downcast::<Dict>() else {
        return Err(raise!(
            PyExc_TypeError,
            "function() argument 'globals' must be dict, not {}",
            bound.required(1).ty().message_name()
        ));
    };
    let closure = check_closure(code, bound.get_some(4))?;
    let function = Function::new(code, globals, None)?;
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = function.raw();
        if let Some(name) = bound.get_some(2) {
            if name.downcast::<Str>().is_none() {
                return Err(type_error("arg 3 (name) must be None or string"));
            }
            set_field(&raw mut (*raw).func_name, Some(name.new_ref()));
            set_field(&raw mut (*raw).func_qualname, Some(name.new_ref()));
        }
        if let Some(defaults) = bound.get_some(3) {
            if defaults.downcast::<Tuple>().is_none() {
                return Err(type_error("arg 4 (defaults) must be None or tuple"));
            }
            set_field(&raw mut (*raw).func_defaults, Some(defaults.new_ref()));
        }
        set_field(&raw mut (*raw).func_closure, closure.map(Ref::upcast));
        if let Some(defaults) = bound.get_some(5) {
            if defaults.downcast::<Dict>().is_none() {
                return Err(type_error("arg 6 (kwdefaults) must be None or dict"));
            }
            set_field(&raw mut (*raw).func_kwdefaults, Some(defaults.new_ref()));
        }
    }
    Ok(function.upcast())
}

fn check_closure(code: &Code, closure: Option<&Object>) -> PyResult<Option<Ref<Tuple>>> {
    let wanted = code.nfreevars();
    let Some(closure) = closure else {
        if wanted > 0 {
            return Err(type_error("arg 5 (closure) must be tuple"));
        }
        return Ok(None);
    };
    let Some(closure) = closure.downcast::<Tuple>() else {
        return Err(type_error("arg 5 (closure) must be None or tuple"));
    };
    if closure.len() != wanted {
        return Err(raise!(
            PyExc_ValueError,
            "{} requires closure of length {wanted}, not {}",
            code.name().to_lossy(),
            closure.len()
        ));
    }
    if let Some(other) = closure.items().iter().find(|cell| !cell.is_exact(&PyCell_Type)) {
        return Err(raise!(
            PyExc_TypeError,
            "arg 5 (closure) expected cell, found {}",
            other.ty().message_name()
        ));
    }
    Ok(Some(Ref::of(closure)))
}

/// A field with a checked setter.
macro_rules! checked {
    ($name:literal, $field:ident, $type:ident, $message:literal, optional = $optional:literal) => {
        getset_row(
            $name,
            // SAFETY: the view guarantees the layout.
            |f: &Function| unsafe { Object::borrow_opt((*f.raw()).$field).unwrap_or(none()).new_ref() },
            c"",
        )
        .with_setter(|f: &Function, value: Option<&Object>| {
            let value = value.filter(|value| !($optional && is_none(value)));
            if value.is_some_and(|value| value.downcast::<$type>().is_none())
                || (value.is_none() && !$optional)
            {
                return Err(type_error($message));
            }
            f.modified();
            // SAFETY: the view guarantees the layout.
            unsafe { set_field(&raw mut (*f.raw()).$field, value.map(Object::new_ref)) };
            Ok(())
        })
    };
}

fn set_code(function: &Function, value: Option<&Object>) -> PyResult<()> {
    let Some(code) = value.and_then(|value| value.downcast::<Code>()) else {
        return Err(type_error("__code__ must be set to a code object"));
    };
    let cells = function.closure().map_or(0, Tuple::len);
    if code.nfreevars() != cells {
        return Err(raise!(
            PyExc_ValueError,
            "{}() requires a code object with {cells} free vars, not {}",
            function.qualname().to_lossy(),
            code.nfreevars()
        ));
    }
    code.ensure_verified()?;
    function.modified();
    // SAFETY: the view guarantees the layout.
    unsafe { set_field(&raw mut (*function.raw()).func_code, Some(code.new_ref())) };
    Ok(())
}

/// `__annotations__`: made by `__annotate__` on first use (PEP 649).
fn annotations(function: &Function) -> PyResult {
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = function.raw();
        if let Some(found) = Object::borrow_opt((*raw).func_annotations) {
            if let Some(pairs) = found.downcast::<Tuple>() {
                let dict = Dict::new()?;
                for pair in pairs.items().chunks_exact(2) {
                    dict.set(pair[0], pair[1])?;
                }
                set_field(&raw mut (*raw).func_annotations, Some(dict.clone().upcast()));
                return Ok(dict.upcast());
            }
            return Ok(found.new_ref());
        }
        let annotate =
            Object::borrow_opt((*raw).func_annotate).filter(|f| f.is_callable()).map(Object::new_ref);
        let made = match annotate {
            Some(annotate) => {
                let made = annotate.call(&[taipan_object::int::small(1)])?;
                if made.downcast::<Dict>().is_none() {
                    return Err(raise!(
                        PyExc_TypeError,
                        "__annotate__ returned non-dict of type '{}'",
                        made.ty().message_name()
                    ));
                }
                made
            }
            None => Dict::new()?.upcast(),
        };
        set_field(&raw mut (*raw).func_annotations, Some(made.clone()));
        Ok(made)
    }
}

fn set_annotations(function: &Function, value: Option<&Object>) -> PyResult<()> {
    let value = value.filter(|value| !is_none(value));
    if value.is_some_and(|value| value.downcast::<Dict>().is_none()) {
        return Err(type_error("__annotations__ must be set to a dict object"));
    }
    // SAFETY: the view guarantees the layout.
    unsafe {
        set_field(&raw mut (*function.raw()).func_annotations, value.map(Object::new_ref));
        set_field(&raw mut (*function.raw()).func_annotate, None);
    }
    Ok(())
}

fn set_annotate(function: &Function, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("__annotate__ cannot be deleted")) };
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = function.raw();
        if is_none(value) {
            set_field(&raw mut (*raw).func_annotate, Some(value.new_ref()));
        } else if value.is_callable() {
            set_field(&raw mut (*raw).func_annotate, Some(value.new_ref()));
            set_field(&raw mut (*raw).func_annotations, None);
        } else {
            return Err(type_error("__annotate__ must be callable or None"));
        }
    }
    Ok(())
}

static GETSET: &[GetSetRow] = &[
    // SAFETY: the view guarantees the layout.
    getset_row(c"__code__", |f: &Function| f.code().new_ref(), c"").with_setter(set_code),
    checked!(
        c"__defaults__",
        func_defaults,
        Tuple,
        "__defaults__ must be set to a tuple object",
        optional = true
    ),
    checked!(
        c"__kwdefaults__",
        func_kwdefaults,
        Dict,
        "__kwdefaults__ must be set to a dict object",
        optional = true
    ),
    getset_row(c"__annotations__", annotations, c"").with_setter(set_annotations),
    getset_row(
        c"__annotate__",
        // SAFETY: the view guarantees the layout.
        |f: &Function| unsafe { Object::borrow_opt((*f.raw()).func_annotate).unwrap_or(none()).new_ref() },
        c"",
    )
    .with_setter(set_annotate),
    getset_row(
        c"__dict__",
        |f: &Function| -> PyResult {
            instance::dict_of(f)?
                .map(Ref::upcast)
                .ok_or_else(|| err::attribute_error("This object has no __dict__"))
        },
        c"",
    )
    .with_setter(|f: &Function, value: Option<&Object>| {
        match value.and_then(|value| value.downcast::<Dict>()) {
            Some(dict) => {
                instance::set_dict(f, Some(dict))?;
                Ok(())
            }
            None => Err(type_error("__dict__ must be set to a dictionary")),
        }
    }),
    checked!(c"__name__", func_name, Str, "__name__ must be set to a string object", optional = false),
    checked!(
        c"__qualname__",
        func_qualname,
        Str,
        "__qualname__ must be set to a string object",
        optional = false
    ),
    getset_row(
        c"__type_params__",
        |f: &Function| -> PyResult {
            // SAFETY: the view guarantees the layout.
            match unsafe { Object::borrow_opt((*f.raw()).func_typeparams) } {
                Some(params) => Ok(params.new_ref()),
                None => Ok(Tuple::empty().upcast()),
            }
        },
        c"",
    )
    .with_setter(|f: &Function, value: Option<&Object>| {
        let Some(value) = value.filter(|value| value.downcast::<Tuple>().is_some()) else {
            return Err(type_error("__type_params__ must be set to a tuple"));
        };
        // SAFETY: the view guarantees the layout.
        unsafe { set_field(&raw mut (*f.raw()).func_typeparams, Some(value.new_ref())) };
        Ok(())
    }),
];

static MEMBERS: &[Member] = &[
    Member::new(c"__closure__", T_OBJECT, offset_of!(PyFunctionObject, func_closure), Py_READONLY, c""),
    Member::new(c"__doc__", T_OBJECT, offset_of!(PyFunctionObject, func_doc), 0, c""),
    Member::new(c"__globals__", T_OBJECT, offset_of!(PyFunctionObject, func_globals), Py_READONLY, c""),
    Member::new(c"__module__", T_OBJECT, offset_of!(PyFunctionObject, func_module), 0, c""),
    Member::new(c"__builtins__", T_OBJECT, offset_of!(PyFunctionObject, func_builtins), Py_READONLY, c""),
];

/// `function`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"function(code, globals, name=None, argdefs=None, closure=None,\n         kwdefaults=None)\n--\n\nMake a function that runs code in the namespace globals."),
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        raw_call(callable::vectorcall_call),
        tp_repr(repr),
        tp_descr_get(descr_get),
        taipan_object::native::tp_new(new),
    ],
    getset: GETSET,
    members: MEMBERS,
    ..TypeSpec::new(&PyFunction_Type)
};
