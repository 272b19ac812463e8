//! Modules, and how native ones are declared.
//!
//! A native module is a static [`ModuleSpec`]: its functions in a `methods!` table and an `init`
//! that adds types and constants, both of which get the module itself:
//!
//! ```ignore
//! methods! { static METHODS = {
//!     one "double" "($module, value, /)" = double, "Twice the value.";
//! } }
//! pub static SPEC: ModuleSpec =
//!     ModuleSpec { name: "example", doc: "An example.", methods: METHODS, init: |_| Ok(()) };
//! ```

use crate::util;
use core::ffi::{c_int, c_void};
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::instance::attribute_error_with;
use taipan_object::list::List;
use taipan_object::native::{self, IntoPy, Member, MethodRow, Signature, TypeSpec, getset_row, method_ptr};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, callable, gc, instance, intern, layout, raise, state, weakref};

layout!(
    /// A module.
    Module, PyModuleObject, "module", |o| o.ty().is_subtype(&PyModule_Type)
);

/// A native module.
pub struct ModuleSpec {
    /// The full name.
    pub name: &'static str,
    pub doc: &'static str,
    /// Its functions; their first parameter is the module.
    pub methods: &'static [MethodRow],
    /// Adds everything else.
    pub init: fn(&Object) -> PyResult<()>,
}

impl ModuleSpec {
    /// Makes the module.
    ///
    /// # Errors
    /// What `init` raises, `MemoryError`.
    pub fn make(&'static self) -> PyResult {
        let module = new(self.name)?;
        let dict = dict(&module)?;
        dict.set_str(intern!("__doc__"), &*Str::from_utf8(self.doc)?)?;
        let name = Str::from_utf8(self.name)?;
        for row in self.methods {
            // SAFETY: rows are static.
            unsafe {
                let function = callable::new_cfunction(method_ptr(row), Some(&module), Some(&name), None)?;
                let key = taipan_object::unicode::intern(Str::from_utf8(function.name())?);
                dict.set_str(&key, &function)?;
            }
        }
        (self.init)(&module)?;
        Ok(module)
    }
}

/// A new module of this name with the attributes that every module has.
///
/// # Errors
/// `MemoryError`.
pub fn new(name: &str) -> PyResult {
    let module = util::allocate(&PyModule_Type)?;
    // SAFETY: fresh memory of this layout.
    let view: &Module = unsafe { module.cast() };
    fill(view, &*Str::from_utf8(name)?, none())?;
    Ok(module)
}

/// The namespace of a module.
///
/// # Errors
/// `TypeError` for what is no module.
pub fn dict(module: &Object) -> PyResult<Ref<Dict>> {
    match module.downcast::<Module>().and_then(Module::namespace) {
        Some(dict) => Ok(dict),
        None => Err(raise!(PyExc_TypeError, "expected a module, not {}", module.ty().message_name())),
    }
}

fn fill(module: &Module, name: &Object, doc: &Object) -> PyResult<()> {
    let dict = match module.namespace() {
        Some(dict) => dict,
        None => {
            let dict = Dict::new()?;
            // SAFETY: the view guarantees the layout.
            unsafe { set_field(&raw mut (*module.raw()).md_dict, Some(dict.clone().upcast())) };
            dict
        }
    };
    dict.set_str(intern!("__name__"), name)?;
    dict.set_str(intern!("__doc__"), doc)?;
    dict.set_str(intern!("__package__"), none())?;
    dict.set_str(intern!("__loader__"), none())?;
    dict.set_str(intern!("__spec__"), none())?;
    // SAFETY: as above.
    unsafe {
        let kept = if name.is_exact(&PyUnicode_Type) { Some(name.new_ref()) } else { None };
        set_field(&raw mut (*module.raw()).md_name, kept);
    }
    Ok(())
}

impl Module {
    fn namespace(&self) -> Option<Ref<Dict>> {
        // SAFETY: the view guarantees the layout.
        let dict = unsafe { util::field(&raw mut (*self.raw()).md_dict) };
        dict.and_then(|dict| dict.downcast_owned::<Dict>().ok())
    }

    fn entry(&self, name: &Str) -> PyResult<Option<Ref>> {
        self.namespace().map_or(Ok(None), |dict| dict.get_str(name))
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        weakref::clear_on_dealloc(Object::borrow(ptr));
        let raw = ptr.cast::<PyModuleObject>();
        let def = (*raw).md_def.cast::<PyModuleDef>();
        if !def.is_null()
            && let Some(free) = (*def).m_free
            && ((*def).m_size <= 0 || !(*raw).md_state.is_null())
        {
            free(ptr.cast());
        }
        clear_field(&raw mut (*raw).md_dict);
        clear_field(&raw mut (*raw).md_name);
        taipan_object::alloc::free((*raw).md_state.cast());
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live module; an extension's own function sees its state once that exists.
    unsafe {
        let raw = ptr.cast::<PyModuleObject>();
        let def = (*raw).md_def.cast::<PyModuleDef>();
        if !def.is_null()
            && let Some(traverse) = (*def).m_traverse
            && ((*def).m_size <= 0 || !(*raw).md_state.is_null())
        {
            let result = traverse(ptr, visit, arg);
            if result != 0 {
                return result;
            }
        }
        instance::visit_all(&[(*raw).md_dict], visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live module.
    unsafe {
        let raw = ptr.cast::<PyModuleObject>();
        let def = (*raw).md_def.cast::<PyModuleDef>();
        if !def.is_null()
            && let Some(clear) = (*def).m_clear
            && ((*def).m_size <= 0 || !(*raw).md_state.is_null())
        {
            clear(ptr);
        }
        clear_field(&raw mut (*raw).md_dict);
    }
    0
}

fn make(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    let module = util::allocate(ty)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        set_field(&raw mut (*module.raw_as::<PyModuleObject>()).md_dict, Some(Dict::new()?.upcast()));
    }
    Ok(module)
}

static SIGNATURE: Signature = Signature::parse("module", "(name, doc=None)");

fn init(module: &Module, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let name = bound.required(0);
    if name.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "module() argument 'name' must be str, not {}",
            crate::arguments::type_name(name)
        ));
    }
    fill(module, name, bound.get(1).unwrap_or(none()))
}

/// Attributes of the module's type, of its namespace, and at last what its `__getattr__` gives.
fn getattro(module: &Module, name: &Object) -> PyResult {
    if let Some(found) = instance::generic_getattr_opt(module, name)? {
        return Ok(found);
    }
    // Not a str: the ordinary look-up has the message.
    let Some(text) = name.downcast::<Str>() else { return instance::generic_getattr(module, name) };
    if let Some(hook) = module.entry(intern!("__getattr__"))? {
        return hook.call(&[name]);
    }
    Err(missing(module, text)?)
}

fn missing(module: &Module, name: &Str) -> PyResult<PyErr> {
    let text = name.to_lossy();
    let own_name = module.entry(intern!("__name__"))?;
    let message = match own_name.as_ref().and_then(|own| own.downcast::<Str>()) {
        None => format!("module has no attribute '{text}'"),
        Some(own) if is_initializing(module)? => format!(
            "partially initialized module '{}' has no attribute '{text}' (most likely due to a circular import)",
            own.to_lossy()
        ),
        Some(own) => format!("module '{}' has no attribute '{text}'", own.to_lossy()),
    };
    Ok(attribute_error_with(module, &text, &message))
}

/// Whether the module's import is still running.
fn is_initializing(module: &Module) -> PyResult<bool> {
    let Some(spec) = module.entry(intern!("__spec__"))? else { return Ok(false) };
    match spec.getattr_opt(intern!("_initializing"))? {
        Some(flag) => flag.is_true(),
        None => Ok(false),
    }
}

/// `importlib` knows how modules are shown; before it is there, by the name.
fn repr(module: &Module) -> PyResult {
    let importlib = state::interp().importlib.borrow().clone();
    if let Some(importlib) = importlib {
        return importlib.call_method(intern!("_module_repr"), &[module]);
    }
    let name = match module.entry(intern!("__name__"))? {
        Some(name) => name.repr()?.to_lossy(),
        None => "'?'".to_owned(),
    };
    format!("<module {name}>").into_py()
}

fn dir(module: &Module) -> PyResult {
    let dict = module.getattr(intern!("__dict__"))?;
    let Some(dict) = dict.downcast::<Dict>() else {
        return Err(taipan_object::err::type_error("<module>.__dict__ is not a dictionary"));
    };
    if let Some(hook) = dict.get_str(intern!("__dir__"))? {
        return hook.call(&[]);
    }
    Ok(List::from_vec(dict.items_vec().into_iter().map(|(name, _)| name).collect())?.upcast())
}

fn annotate(module: &Module) -> PyResult {
    let Some(dict) = module.namespace() else {
        return Err(taipan_object::err::type_error("<module>.__dict__ is not a dictionary"));
    };
    let name = intern!("__annotate__");
    match dict.get_str(name)? {
        Some(found) => Ok(found),
        None => {
            dict.set_str(name, none())?;
            Ok(none().new_ref())
        }
    }
}

fn set_annotate(module: &Module, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else {
        return Err(taipan_object::err::type_error("cannot delete __annotate__ attribute"));
    };
    if !is_none(value) && !value.is_callable() {
        return Err(taipan_object::err::type_error("__annotate__ must be callable or None"));
    }
    let dict = dict(module)?;
    dict.set_str(intern!("__annotate__"), value)?;
    if !is_none(value) {
        dict.remove(intern!("__annotations__"))?;
    }
    Ok(())
}

fn annotations(module: &Module) -> PyResult {
    let Some(dict) = module.namespace() else {
        return Err(taipan_object::err::type_error("<module>.__dict__ is not a dictionary"));
    };
    let name = intern!("__annotations__");
    if let Some(found) = dict.get_str(name)? {
        return Ok(found);
    }
    let function = dict.get_str(intern!("__annotate__"))?.filter(|function| function.is_callable());
    let made = match function {
        Some(function) => crate::typeobj::call_annotate(&function, "__annotate__ returned non-dict of type")?,
        None => Dict::new()?,
    };
    // While the module is being run, more annotations may come.
    if !is_initializing(module)? {
        dict.set_str(name, &made)?;
    }
    Ok(made.upcast())
}

fn set_annotations(module: &Module, value: Option<&Object>) -> PyResult<()> {
    let dict = dict(module)?;
    let name = intern!("__annotations__");
    match value {
        Some(value) => dict.set_str(name, value)?,
        None => {
            if dict.remove(name)?.is_none() {
                return Err(taipan_object::err::attribute_error("__annotations__"));
            }
        }
    }
    dict.remove(intern!("__annotate__"))?;
    Ok(())
}

taipan_object::methods! { static METHODS = {
    noargs "__dir__" "" = dir, "The names in the module, for dir().";
} }

/// `module`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"module(name, doc=None)\n--\n\nMake an empty module."),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::raw_clear(clear),
        native::raw_alloc(instance::PyType_GenericAlloc),
        native::raw_free(instance::object_gc_del),
        native::tp_new(make),
        native::tp_init(init),
        native::tp_repr(repr),
        native::tp_getattro(getattro),
    ],
    methods: METHODS,
    members: &[Member::new(
        c"__dict__",
        T_OBJECT,
        core::mem::offset_of!(PyModuleObject, md_dict),
        Py_READONLY,
        c"",
    )],
    getset: &[
        getset_row(c"__annotations__", annotations, c"").with_setter(set_annotations),
        getset_row(c"__annotate__", annotate, c"").with_setter(set_annotate),
    ],
    ..TypeSpec::new(&PyModule_Type)
};
