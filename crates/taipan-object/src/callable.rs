//! Calling C functions described by `PyMethodDef`, and the two callables made of them:
//! builtin functions and bound methods.

use crate::alloc;
use crate::dict::Dict;
use crate::err::{self, PyResult};
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::intern;
use crate::layout;
use crate::native::{
    self, CompareOp, GetSetRow, IntoPy, Member, TypeSpec, getset_row, raw_call, raw_dealloc, raw_getattro,
    raw_traverse, tp_descr_get, tp_getattro, tp_hash, tp_repr, tp_richcompare,
};
use crate::raise;
use crate::singletons::{is_none, none, not_implemented};
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use core::ffi::{CStr, c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;

layout!(
    /// A builtin function or method.
    CFunction, PyCFunctionObject, "builtin_function_or_method", |o| o.ty().is_subtype(&PyCFunction_Type)
);
layout!(
    /// A bound method.
    Method, PyMethodObject, "method", |o| o.is_exact(&PyMethod_Type)
);

/// The flags that decide how `ml_meth` is called.
/// The flags that say how a C function takes its arguments.
pub const CONVENTION: i32 = METH_VARARGS | METH_KEYWORDS | METH_NOARGS | METH_O | METH_FASTCALL | METH_METHOD;
const VARARGS_KEYWORDS: i32 = METH_VARARGS | METH_KEYWORDS;
const FASTCALL_KEYWORDS: i32 = METH_FASTCALL | METH_KEYWORDS;
const METHOD_KEYWORDS: i32 = METH_METHOD | METH_FASTCALL | METH_KEYWORDS;

/// Calls the C function of `def` with the calling convention of vectorcall.
///
/// # Safety
/// `def` is live, `object` is what the function expects as self (or null), and `args` points to
/// `count` objects followed by the values of `kwnames`.
/// # Errors
/// What the function raises; `TypeError` for a wrong number of arguments.
pub unsafe fn call_def(
    def: *mut PyMethodDef,
    object: *mut PyObject,
    class: *mut PyTypeObject,
    args: *const *mut PyObject,
    count: usize,
    kwnames: *mut PyObject,
    describe: &dyn Fn() -> String,
) -> PyResult {
    // SAFETY: conventions by the flags; `ml_meth` is stored untyped.
    unsafe {
        let Some(function) = (*def).ml_meth else {
            return Err(err::system_error("method without a function"));
        };
        let keywords = Object::borrow_opt(kwnames).map_or(0, |names| names.cast::<Tuple>().len());
        let flags = (*def).ml_flags & CONVENTION;
        if keywords != 0 && flags & METH_KEYWORDS == 0 {
            return Err(raise!(PyExc_TypeError, "{} takes no keyword arguments", describe()));
        }
        let result = match flags {
            METH_NOARGS => {
                if count != 0 {
                    return Err(raise!(PyExc_TypeError, "{} takes no arguments ({count} given)", describe()));
                }
                function(object, core::ptr::null_mut())
            }
            METH_O => {
                if count != 1 {
                    return Err(raise!(
                        PyExc_TypeError,
                        "{} takes exactly one argument ({count} given)",
                        describe()
                    ));
                }
                function(object, *args)
            }
            METH_FASTCALL => {
                let function: PyCFunctionFast = core::mem::transmute(function);
                function(object, args, count.cast_signed())
            }
            FASTCALL_KEYWORDS => {
                let function: PyCFunctionFastWithKeywords = core::mem::transmute(function);
                function(object, args, count.cast_signed(), kwnames)
            }
            METHOD_KEYWORDS => {
                let function: PyCMethod = core::mem::transmute(function);
                function(object, class, args, count, kwnames)
            }
            METH_VARARGS => {
                let tuple = Tuple::from_refs(core::slice::from_raw_parts(slice_start(args), count))?;
                function(object, tuple.as_ptr())
            }
            VARARGS_KEYWORDS => {
                let function: PyCFunctionWithKeywords = core::mem::transmute(function);
                let tuple = Tuple::from_refs(core::slice::from_raw_parts(slice_start(args), count))?;
                let all = native::CallArgs {
                    all: core::slice::from_raw_parts(slice_start(args), count + keywords),
                    kwnames: Object::borrow_opt(kwnames).map(|names| names.cast()),
                };
                let dict = all.keywords_dict()?;
                function(object, tuple.as_ptr(), native::opt_ptr(dict.as_ref().map(|d| &***d)))
            }
            _ => return Err(err::system_error("bad call flags in a method definition")),
        };
        checked_result(result, describe)
    }
}

/// The result of a C function, which must be either an object or a raised exception.
///
/// # Safety
/// `result` is an owned reference or null.
/// # Errors
/// What the function raised; `SystemError` when it broke the rule.
#[inline(always)]
pub unsafe fn checked_result(result: *mut PyObject, describe: &dyn Fn() -> String) -> PyResult {
    if result.is_null() || err::occurred() {
        // SAFETY: forwarded contract.
        return unsafe { failed_result(result, describe) };
    }
    // SAFETY: owned by contract.
    Ok(unsafe { Ref::steal(result) })
}

#[cold]
unsafe fn failed_result(result: *mut PyObject, describe: &dyn Fn() -> String) -> PyResult {
    let raised = err::fetch_opt();
    if result.is_null() {
        return Err(raised.unwrap_or_else(|| {
            err::system_error(&format!("{} returned NULL without setting an exception", described(describe)))
        }));
    }
    // SAFETY: owned by contract.
    drop(unsafe { Ref::<Object>::steal(result) });
    let error =
        err::system_error(&format!("{} returned a result with an exception set", described(describe)));
    if let Some(raised) = raised {
        error.exception().set_cause(Some(raised.exception().new_ref()));
        error.exception().set_context(Some(raised.into_exception().upcast()));
    }
    Err(error)
}

/// A function as its `repr` shows it, from the name that messages use.
fn described(describe: &dyn Fn() -> String) -> String {
    let name = describe();
    let name = name.trim_end_matches("()");
    format!("<built-in function {}>", name.rsplit('.').next().unwrap_or(name))
}

fn slice_start<'a>(args: *const *mut PyObject) -> *const &'a Object {
    if args.is_null() { core::ptr::NonNull::dangling().as_ptr() } else { args.cast() }
}

/// The number of positional arguments in a vectorcall's count word.
#[inline(always)]
pub fn vectorcall_count(nargsf: usize) -> usize {
    nargsf & !(1 << 63)
}

/// A builtin function: `def` bound to `object` (a module or an instance).
///
/// # Safety
/// `def` outlives the function.
/// # Errors
/// `MemoryError`.
pub unsafe fn new_cfunction(
    def: *mut PyMethodDef,
    object: Option<&Object>,
    module: Option<&Object>,
    class: Option<&Type>,
) -> PyResult<Ref<CFunction>> {
    let ty: &Type = if class.is_some() { &PyCMethod_Type } else { &PyCFunction_Type };
    let function = alloc::alloc_object(ty, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = function.raw_as::<PyCFunctionObject>();
        (*raw).m_ml = def;
        (*raw).m_self = crate::handle::into_ptr_opt(object.map(Object::new_ref)).cast();
        (*raw).m_module = crate::handle::into_ptr_opt(module.map(Object::new_ref));
        (*raw).vectorcall = Some(cfunction_vectorcall);
        if let Some(class) = class {
            (*function.raw_as::<PyCMethodObject>()).mm_class = class.new_ref().into_ptr().cast();
        }
        gc::track(&function);
        Ok(function.cast_owned())
    }
}

impl CFunction {
    fn def(&self) -> &PyMethodDef {
        // SAFETY: the definition outlives the function.
        unsafe { &*(*self.raw()).m_ml }
    }

    /// The calling convention: the `METH_` flags that say how the C function takes its arguments.
    pub fn convention(&self) -> i32 {
        self.def().ml_flags & CONVENTION
    }

    /// The definition.
    pub fn def_ptr(&self) -> *mut PyMethodDef {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).m_ml }
    }

    /// What the C function gets as its self: null where the function is static.
    #[inline(always)]
    pub fn raw_self(&self) -> *mut PyObject {
        self.self_object().map_or(core::ptr::null_mut(), Object::as_ptr)
    }

    /// What the function is bound to, unless it is static.
    pub fn self_object(&self) -> Option<&Object> {
        // SAFETY: the view guarantees the layout.
        unsafe {
            if self.def().ml_flags & METH_STATIC != 0 {
                None
            } else {
                Object::borrow_opt((*self.raw()).m_self)
            }
        }
    }

    pub fn name(&self) -> &str {
        // SAFETY: names are null-terminated.
        unsafe { CStr::from_ptr(self.def().ml_name) }.to_str().unwrap_or("?")
    }

    fn class(&self) -> *mut PyTypeObject {
        if self.def().ml_flags & METH_METHOD == 0 {
            return core::ptr::null_mut();
        }
        // SAFETY: functions with `METH_METHOD` have the longer layout.
        unsafe { (*self.raw().cast::<PyCMethodObject>()).mm_class }
    }

    fn qualname(&self) -> PyResult {
        // SAFETY: the view guarantees the layout.
        let bound = unsafe { Object::borrow_opt((*self.raw()).m_self) };
        match bound {
            Some(owner) if !owner.is_exact(&PyModule_Type) => {
                let ty = owner.downcast::<Type>().unwrap_or_else(|| owner.ty());
                let prefix = ty.getattr(intern!("__qualname__"))?;
                format!("{}.{}", prefix.str_lossy(), self.name()).into_py()
            }
            _ => self.name().into_py(),
        }
    }

    pub fn message_name(&self) -> String {
        // CPython names the module of anything but builtins.
        // SAFETY: the view guarantees the layout.
        let module = unsafe { Object::borrow_opt((*self.raw()).m_module) };
        let qualname = self.qualname().map_or_else(|_| self.name().to_owned(), |name| name.str_lossy());
        match module.and_then(|m| m.downcast::<Str>()) {
            Some(module) if !module.equals("builtins") => format!("{}.{qualname}()", module.to_lossy()),
            _ => format!("{qualname}()"),
        }
    }
}

/// The vectorcall of builtin functions.
///
/// # Safety
/// As every vectorcall function.
pub unsafe extern "C" fn cfunction_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let function: &CFunction = Object::borrow(callable).cast();
        let object = if function.def().ml_flags & METH_STATIC != 0 {
            core::ptr::null_mut()
        } else {
            (*function.raw()).m_self
        };
        let describe = || function.message_name();
        native::ret(call_def(
            function.def_ptr(),
            object,
            function.class(),
            args,
            vectorcall_count(nargsf),
            kwnames,
            &describe,
        ))
    }
}

/// `tp_call` of every callable that has a vectorcall.
///
/// # Safety
/// As every `tp_call`.
pub unsafe extern "C" fn vectorcall_call(
    callable: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract: a tuple, and a dict or null.
    unsafe {
        let args: &Tuple = Object::borrow(args).cast();
        let kwargs: Option<&Dict> = Object::borrow_opt(kwargs).map(|k| k.cast());
        native::ret(crate::protocol::call_vectorcall_field(Object::borrow(callable), args, kwargs))
    }
}

unsafe extern "C" fn cfunction_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let raw = ptr.cast::<PyCFunctionObject>();
        gc::untrack_ptr(ptr);
        crate::weakref::clear_on_dealloc(Object::borrow(ptr));
        let class = Object::borrow(ptr).cast::<CFunction>().class();
        crate::refcount::xdecref(class.cast());
        crate::refcount::xdecref((*raw).m_self);
        crate::refcount::xdecref((*raw).m_module);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn cfunction_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live function.
    unsafe {
        let raw = ptr.cast::<PyCFunctionObject>();
        crate::instance::visit_all(&[(*raw).m_self, (*raw).m_module], visit, arg)
    }
}

fn cfunction_repr(function: &CFunction) -> PyResult {
    match function.self_object().filter(|object| !object.is_exact(&PyModule_Type)) {
        Some(object) => format!(
            "<built-in method {} of {} object at {:#x}>",
            function.name(),
            object.ty().message_name(),
            object.as_ptr().addr()
        ),
        None => format!("<built-in function {}>", function.name()),
    }
    .into_py()
}

fn cfunction_compare(function: &CFunction, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<CFunction>()) else {
        return Ok(not_implemented().new_ref());
    };
    // SAFETY: the views guarantee the layout.
    let same =
        unsafe { (*function.raw()).m_self == (*other.raw()).m_self && function.def_ptr() == other.def_ptr() };
    (same == (op == CompareOp::Eq)).into_py()
}

fn cfunction_hash(function: &CFunction) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    let owner = unsafe { (*function.raw()).m_self };
    let hash = taipan_num::hash::pointer(owner.addr()) ^ taipan_num::hash::pointer(function.def_ptr().addr());
    Ok(if hash == -1 { -2 } else { hash as isize })
}

fn def_doc(def: &PyMethodDef) -> Option<&str> {
    if def.ml_doc.is_null() {
        return None;
    }
    // SAFETY: documentation is null-terminated.
    unsafe { CStr::from_ptr(def.ml_doc) }.to_str().ok()
}

static CFUNCTION_GETSET: &[GetSetRow] = &[
    getset_row(
        c"__doc__",
        |f: &CFunction| {
            def_doc(f.def()).map(|doc| crate::descr::doc_without_signature(f.name(), doc).to_owned())
        },
        c"",
    ),
    getset_row(c"__name__", |f: &CFunction| f.name().to_owned(), c""),
    getset_row(c"__qualname__", CFunction::qualname, c""),
    getset_row(c"__self__", |f: &CFunction| f.self_object().unwrap_or(none()).new_ref(), c""),
    getset_row(
        c"__text_signature__",
        |f: &CFunction| {
            def_doc(f.def()).and_then(|doc| crate::descr::text_signature(f.name(), doc)).map(str::to_owned)
        },
        c"",
    ),
];

static CFUNCTION_MEMBERS: &[Member] =
    &[Member::new(c"__module__", T_OBJECT, offset_of!(PyCFunctionObject, m_module), 0, c"")];

crate::methods! { static CFUNCTION_METHODS = {
    noargs "__reduce__" "($self, /)" = |f: &CFunction| -> PyResult {
        // The owner of a static method is no `__self__`, but it is where the function is found.
        // SAFETY: the view guarantees the layout; a live reference or null.
        let owner = unsafe { Object::borrow_opt((*f.raw()).m_self) };
        match owner.filter(|object| !object.is_exact(&PyModule_Type)) {
            Some(object) => crate::protocol::getattr_pair(object, f.name()),
            None => f.name().into_py(),
        }
    }, "Describe the function for pickling: its name, or how to get it from its owner.";
} }

/// `builtin_function_or_method`.
pub static CFUNCTION: TypeSpec = TypeSpec {
    slots: &[
        raw_dealloc(cfunction_dealloc),
        raw_traverse(cfunction_traverse),
        raw_call(vectorcall_call),
        raw_getattro(crate::instance::PyObject_GenericGetAttr),
        tp_repr(cfunction_repr),
        tp_hash(cfunction_hash),
        tp_richcompare(cfunction_compare),
    ],
    methods: CFUNCTION_METHODS,
    getset: CFUNCTION_GETSET,
    members: CFUNCTION_MEMBERS,
    ..TypeSpec::new(&PyCFunction_Type)
};

/// A bound method.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn new_method(function: &Object, object: &Object) -> PyResult<Ref<Method>> {
    let method = alloc::alloc_object(&PyMethod_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = method.raw_as::<PyMethodObject>();
        (*raw).im_func = function.new_ref().into_ptr();
        (*raw).im_self = object.new_ref().into_ptr();
        (*raw).vectorcall = Some(method_vectorcall);
        gc::track(&method);
        Ok(method.cast_owned())
    }
}

impl Method {
    #[inline]
    pub fn function(&self) -> &Object {
        // SAFETY: set at creation, never null.
        unsafe { Object::borrow((*self.raw()).im_func) }
    }

    #[inline]
    pub fn self_object(&self) -> &Object {
        // SAFETY: set at creation, never null.
        unsafe { Object::borrow((*self.raw()).im_self) }
    }
}

/// The vectorcall of bound methods: the same call with the instance in front.
unsafe extern "C" fn method_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let method: &Method = Object::borrow(callable).cast();
        let count = vectorcall_count(nargsf);
        let keywords = Object::borrow_opt(kwnames).map_or(0, |names| names.cast::<Tuple>().len());
        let total = count + keywords;
        if nargsf >> 63 != 0 {
            // The caller lends the word before the arguments.
            let front = args.cast_mut().sub(1);
            let saved = front.replace(method.self_object().as_ptr());
            let result = crate::protocol::vectorcall_raw(method.function(), front, count + 1, kwnames);
            front.write(saved);
            return native::ret(result);
        }
        let mut all: Vec<*mut PyObject> = Vec::with_capacity(total + 2);
        all.push(core::ptr::null_mut());
        all.push(method.self_object().as_ptr());
        for index in 0..total {
            all.push(*args.add(index));
        }
        native::ret(crate::protocol::vectorcall_raw(
            method.function(),
            all.as_ptr().add(1),
            (count + 1) | 1 << 63,
            kwnames,
        ))
    }
}

unsafe extern "C" fn method_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let raw = ptr.cast::<PyMethodObject>();
        gc::untrack_ptr(ptr);
        crate::weakref::clear_on_dealloc(Object::borrow(ptr));
        crate::refcount::xdecref((*raw).im_func);
        crate::refcount::xdecref((*raw).im_self);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn method_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live method.
    unsafe {
        let raw = ptr.cast::<PyMethodObject>();
        crate::instance::visit_all(&[(*raw).im_func, (*raw).im_self], visit, arg)
    }
}

fn method_repr(method: &Method) -> PyResult {
    let name = method.function().getattr_opt(intern!("__qualname__"))?;
    let name = match name {
        Some(name) => Some(name),
        None => method.function().getattr_opt(intern!("__name__"))?,
    };
    let name =
        name.and_then(|name| name.downcast::<Str>().map(Str::to_lossy)).unwrap_or_else(|| "?".to_owned());
    let object = method.self_object().repr()?;
    format!("<bound method {name} of {}>", object.str_lossy()).into_py()
}

fn method_compare(method: &Method, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<Method>()) else {
        return Ok(not_implemented().new_ref());
    };
    let same = method.self_object().is(other.self_object()) && method.function().equals(other.function())?;
    (same == (op == CompareOp::Eq)).into_py()
}

fn method_hash(method: &Method) -> PyResult<isize> {
    let hash = taipan_num::hash::pointer(method.self_object().as_ptr().addr()) as isize
        ^ method.function().hash()?;
    Ok(if hash == -1 { -2 } else { hash })
}

/// Attributes that the method type does not have come from the function.
fn method_getattro(method: &Method, name: &Object) -> PyResult {
    let Some(text) = name.downcast::<Str>() else { return crate::instance::generic_getattr(method, name) };
    if let Some(found) = method.ty().lookup(text) {
        return crate::instance::bind_descriptor(&found, method, method.ty());
    }
    method.function().getattr(text)
}

fn method_descr_get(method: &Method, _: Option<&Object>, _: Option<&Object>) -> Ref {
    method.new_ref()
}

fn method_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(err::type_error("method() takes no keyword arguments"));
    }
    let [function, object] = args.items() else {
        return Err(raise!(PyExc_TypeError, "method expected 2 arguments, got {}", args.len()));
    };
    if !function.is_callable() {
        return Err(err::type_error("first argument must be callable"));
    }
    if is_none(object) {
        return Err(err::type_error("instance must not be None"));
    }
    Ok(new_method(function, object)?.upcast())
}

crate::methods! { static METHOD_METHODS = {
    noargs "__reduce__" "($self, /)" = |m: &Method| -> PyResult {
        let name = m.function().getattr(intern!("__name__"))?;
        crate::protocol::getattr_pair(m.self_object(), &name.str_lossy())
    }, "Describe the method for pickling: how to get it from its instance.";
} }

/// `method`.
pub static METHOD: TypeSpec = TypeSpec {
    doc: Some(c"method(function, instance, /)\n--\n\nA function bound to the instance that it gets as first argument."),
    slots: &[
        raw_dealloc(method_dealloc),
        raw_traverse(method_traverse),
        raw_call(vectorcall_call),
        tp_getattro(method_getattro),
        tp_repr(method_repr),
        tp_hash(method_hash),
        tp_richcompare(method_compare),
        tp_descr_get(method_descr_get),
        native::tp_new(method_new),
    ],
    methods: METHOD_METHODS,
    getset: &[getset_row(
        c"__doc__",
        |m: &Method| -> PyResult { m.function().getattr(intern!("__doc__")) },
        c"",
    )],
    members: &[
        Member::new(c"__func__", T_OBJECT, offset_of!(PyMethodObject, im_func), Py_READONLY, c"the function"),
        Member::new(c"__self__", T_OBJECT, offset_of!(PyMethodObject, im_self), Py_READONLY, c"the instance"),
    ],
    ..TypeSpec::new(&PyMethod_Type)
};
