//! `moduleobject.h`, `modsupport.h` (the module part): modules of C extensions, in one phase or two.

use crate::border::{Obj, arg, bad_call, export, export_plain, name, text, ty, typed};
use crate::loader;
use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::sync::atomic::{AtomicIsize, Ordering};
use taipan_abi::*;
use taipan_object::err::{self, PyResult, system_error};
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, alloc, callable, intern, raise};

/// Numbers for definitions, in the order in which they are first used.
static NEXT_INDEX: AtomicIsize = AtomicIsize::new(1);

/// The oldest API version number of a stable-ABI module, and the current one.
const ABI_VERSION: c_int = 3;
const API_VERSION: c_int = 1013;

/// Makes a static definition an object.
///
/// # Safety
/// `def` is a live definition.
unsafe fn init_def(def: *mut PyModuleDef) {
    // SAFETY: by contract.
    unsafe {
        if (*def).m_base.m_index == 0 {
            (*def).m_base.ob_base = PyObject::immortal(PyModuleDef_Type.raw());
            (*def).m_base.m_index = NEXT_INDEX.fetch_add(1, Ordering::Relaxed);
        }
    }
}

unsafe fn c_str_opt<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: null or null-terminated.
    if text.is_null() { None } else { unsafe { CStr::from_ptr(text) }.to_str().ok() }
}

unsafe fn add_functions(module: &Object, name: &Object, mut def: *mut PyMethodDef) -> PyResult<()> {
    // SAFETY: the table ends with a null name and outlives the module.
    unsafe {
        while !def.is_null() && !(*def).ml_name.is_null() {
            if (*def).ml_flags & (METH_CLASS | METH_STATIC) != 0 {
                return Err(err::value_error("module functions cannot set METH_CLASS or METH_STATIC"));
            }
            let function = callable::new_cfunction(def, Some(module), Some(name), None)?;
            module.setattr(&*crate::border::name((*def).ml_name)?, Some(&function))?;
            def = def.add(1);
        }
    }
    Ok(())
}

unsafe fn check_version(version: c_int, name: &str) -> PyResult<()> {
    if version != ABI_VERSION && version != API_VERSION {
        let message = format!(
            "Python C API version mismatch for module {name}: This Python has API version {API_VERSION}, module {name} has version {version}."
        );
        let category: &Type = &PyExc_RuntimeWarning;
        (taipan_object::state::interp().hooks.get().warn)(category, &message, 1)?;
    }
    Ok(())
}

/// The module that a definition describes, made in one phase.
unsafe fn create_single(def: *mut PyModuleDef, version: c_int) -> PyResult<Ref<Module>> {
    // SAFETY: a live definition.
    unsafe {
        init_def(def);
        let own = text((*def).m_name)?;
        check_version(version, own)?;
        if !(*def).m_slots.is_null() {
            return Err(system_error(&format!("module {own}: PyModule_Create is incompatible with m_slots")));
        }
        let full = loader::full_name(own);
        let module = Module::new(&*Str::from_utf8(&full)?, c_str_opt((*def).m_doc))?;
        give_state(&module, def)?;
        let key = Object::borrow((*module.raw()).md_name).new_ref();
        add_functions(&module, &key, (*def).m_methods)?;
        (*module.raw()).md_def = def.cast();
        Ok(module)
    }
}

unsafe fn give_state(module: &Module, def: *mut PyModuleDef) -> PyResult<()> {
    // SAFETY: live arguments; the state belongs to the module, which frees it.
    unsafe {
        if (*def).m_size > 0 {
            let state = alloc::calloc((*def).m_size.cast_unsigned());
            if state.is_null() {
                return Err(alloc::no_memory());
            }
            (*module.raw()).md_state = state.cast();
        }
    }
    Ok(())
}

/// The slots of a definition, one after the other.
unsafe fn slots(def: *mut PyModuleDef) -> Vec<(c_int, *mut c_void)> {
    let mut found = Vec::new();
    // SAFETY: the table ends with slot 0.
    unsafe {
        let mut slot = (*def).m_slots;
        while !slot.is_null() && (*slot).slot != 0 {
            found.push(((*slot).slot, (*slot).value));
            slot = slot.add(1);
        }
    }
    found
}

/// The first phase of PEP 489: makes the module that a specification asks for.
///
/// # Safety
/// `def` is a live definition.
/// # Errors
/// `SystemError` for a definition that contradicts itself; what its create slot raises.
pub unsafe fn from_def_and_spec(def: *mut PyModuleDef, spec: &Object) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        init_def(def);
        let name = spec.getattr(intern!("name"))?;
        let Some(shown) = name.downcast::<Str>() else { return Err(bad_call()) };
        let shown = shown.to_utf8()?.to_owned();
        if (*def).m_size < 0 {
            return Err(system_error(&format!(
                "module {shown}: m_size may not be negative for multi-phase initialization"
            )));
        }
        let mut create: *mut c_void = core::ptr::null_mut();
        let mut has_exec = false;
        let (mut seen_interpreters, mut seen_gil) = (false, false);
        for (slot, value) in slots(def) {
            let repeated =
                |what: &str| Err(system_error(&format!("module {shown} has more than one '{what}' slots")));
            match slot {
                Py_mod_create if !create.is_null() => return repeated("create"),
                Py_mod_create => create = value,
                Py_mod_exec => has_exec = true,
                Py_mod_multiple_interpreters if seen_interpreters => {
                    return repeated("multiple interpreters");
                }
                Py_mod_multiple_interpreters => seen_interpreters = true,
                Py_mod_gil if seen_gil => return repeated("gil"),
                Py_mod_gil => seen_gil = true,
                other => {
                    return Err(system_error(&format!("module {shown} uses unknown slot ID {other}")));
                }
            }
        }
        let module = if create.is_null() {
            Module::new(name.cast::<Str>(), None)?.upcast()
        } else {
            let create: unsafe extern "C" fn(Obj, *mut PyModuleDef) -> Obj = core::mem::transmute(create);
            let made = create(spec.as_ptr(), def);
            let raised = err::fetch_opt();
            match (made.is_null(), raised) {
                (true, Some(error)) => return Err(error),
                (true, None) => {
                    return Err(system_error(&format!(
                        "creation of module {shown} failed without setting an exception"
                    )));
                }
                (false, Some(_)) => {
                    drop(Ref::<Object>::steal(made));
                    return Err(system_error(&format!(
                        "creation of module {shown} raised unreported exception"
                    )));
                }
                (false, None) => Ref::<Object>::steal(made),
            }
        };
        match module.downcast::<Module>() {
            Some(view) => {
                (*view.raw()).md_state = core::ptr::null_mut();
                (*view.raw()).md_def = def.cast();
            }
            None => {
                if (*def).m_size > 0
                    || (*def).m_traverse.is_some()
                    || (*def).m_clear.is_some()
                    || (*def).m_free.is_some()
                {
                    return Err(system_error(&format!(
                        "module {shown} is not a module object, but requests module state"
                    )));
                }
                if has_exec {
                    return Err(system_error(&format!(
                        "module {shown} specifies execution slots, but did not create a ModuleType instance"
                    )));
                }
            }
        }
        add_functions(&module, &name, (*def).m_methods)?;
        if let Some(doc) = c_str_opt((*def).m_doc) {
            module.setattr(intern!("__doc__"), Some(&*Str::from_utf8(doc)?))?;
        }
        Ok(module)
    }
}

/// The second phase of PEP 489: gives the module its state and runs the exec slots.
///
/// # Safety
/// `def` is the module's live definition.
/// # Errors
/// What the slots raise.
pub unsafe fn exec_def(module: &Module, def: *mut PyModuleDef) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        if (*def).m_size >= 0 && (*module.raw()).md_state.is_null() {
            give_state(module, def)?;
        }
        for (slot, value) in slots(def) {
            if slot != Py_mod_exec {
                continue;
            }
            let function: unsafe extern "C" fn(Obj) -> c_int = core::mem::transmute(value);
            let status = function(module.as_ptr());
            let raised = err::fetch_opt();
            let shown =
                || module.dict().get_text("__name__").map_or_else(String::new, |name| name.str_lossy());
            match (status != 0, raised) {
                (true, Some(error)) => return Err(error),
                (true, None) => {
                    return Err(system_error(&format!(
                        "execution of module {} failed without setting an exception",
                        shown()
                    )));
                }
                (false, Some(_)) => {
                    return Err(system_error(&format!(
                        "execution of module {} raised unreported exception",
                        shown()
                    )));
                }
                (false, None) => {}
            }
        }
        Ok(())
    }
}

unsafe fn add(module: Obj, key: *const c_char, value: &Object) -> PyResult<()> {
    // SAFETY: the callers' contract.
    unsafe {
        let module = arg(module)?;
        let Some(view) = module.downcast::<Module>() else {
            return Err(raise!(PyExc_TypeError, "PyModule_AddObjectRef() first argument must be a module"));
        };
        view.dict().set_str(&*name(key)?, value)
    }
}

unsafe fn module_entry(module: Obj, key: &'static str, missing: &str) -> PyResult {
    // SAFETY: the callers' contract.
    let module = unsafe { typed::<Module>(module)? };
    match module.dict().get_text(key) {
        Some(found) if found.downcast::<Str>().is_some() => Ok(found),
        _ => Err(system_error(missing)),
    }
}

/// The text of an entry of the module's namespace, which keeps the bytes alive.
unsafe fn module_text(found: PyResult) -> PyResult<*const c_char> {
    let found = found?;
    let text = found.downcast::<Str>().ok_or_else(bad_call)?;
    Ok(text.to_utf8()?.as_ptr().cast())
}

export! {
    fn PyModuleDef_Init(def: *mut PyModuleDef) -> Obj {
        init_def(def);
        Ok(def.cast::<PyObject>())
    }

    fn PyModule_Create2(def: *mut PyModuleDef, version: c_int) -> Obj {
        create_single(def, version)
    }

    fn PyModule_FromDefAndSpec2(def: *mut PyModuleDef, spec: Obj, version: c_int) -> Obj {
        init_def(def);
        check_version(version, text((*def).m_name)?)?;
        from_def_and_spec(def, arg(spec)?)
    }

    fn PyModule_ExecDef(module: Obj, def: *mut PyModuleDef) -> c_int {
        exec_def(typed(module)?, def)
    }

    fn PyModule_NewObject(name: Obj) -> Obj {
        Module::new(typed::<Str>(name)?, None)
    }

    fn PyModule_New(name: *const c_char) -> Obj {
        Module::new(&*Str::from_utf8(text(name)?)?, None)
    }

    fn PyModule_GetDict(module: Obj) -> Obj {
        Ok::<&Object, _>(typed::<Module>(module)?.dict())
    }

    fn PyModule_GetNameObject(module: Obj) -> Obj {
        module_entry(module, "__name__", "nameless module")
    }

    fn PyModule_GetName(module: Obj) -> *const c_char {
        module_text(module_entry(module, "__name__", "nameless module"))
    }

    fn PyModule_GetFilenameObject(module: Obj) -> Obj {
        module_entry(module, "__file__", "module filename missing")
    }

    fn PyModule_GetFilename(module: Obj) -> *const c_char {
        module_text(module_entry(module, "__file__", "module filename missing"))
    }

    fn PyModule_GetDef(module: Obj) -> *mut c_void {
        Ok((*typed::<Module>(module)?.raw()).md_def)
    }

    fn PyModule_GetState(module: Obj) -> *mut c_void {
        Ok((*typed::<Module>(module)?.raw()).md_state)
    }

    fn PyModule_AddFunctions(module: Obj, functions: *mut PyMethodDef) -> c_int {
        let name = module_entry(module, "__name__", "nameless module")?;
        add_functions(arg(module)?, &name, functions)
    }

    fn PyModule_SetDocString(module: Obj, doc: *const c_char) -> c_int {
        arg(module)?.setattr(intern!("__doc__"), Some(&*Str::from_utf8(text(doc)?)?))
    }

    fn PyModule_AddObjectRef(module: Obj, key: *const c_char, value: Obj) -> c_int {
        if value.is_null() {
            return Err(err::fetch_opt().unwrap_or_else(|| {
                system_error("PyModule_AddObjectRef() must be called with an exception raised if value is NULL")
            }));
        }
        add(module, key, arg(value)?)
    }

    fn PyModule_Add(module: Obj, key: *const c_char, value: Obj) -> c_int {
        if value.is_null() {
            return Err(err::fetch());
        }
        let value = Ref::<Object>::steal(value);
        add(module, key, &value)
    }

    /// Takes over the reference to `value`, but only when it succeeds.
    fn PyModule_AddObject(module: Obj, key: *const c_char, value: Obj) -> c_int {
        add(module, key, arg(value)?)?;
        taipan_object::refcount::decref(value);
        Ok(())
    }

    fn PyModule_AddIntConstant(module: Obj, key: *const c_char, value: c_long) -> c_int {
        add(module, key, &Int::from_i64(value))
    }

    fn PyModule_AddStringConstant(module: Obj, key: *const c_char, value: *const c_char) -> c_int {
        add(module, key, &*Str::from_utf8(text(value)?)?)
    }

    fn PyModule_AddType(module: Obj, class: *mut PyTypeObject) -> c_int {
        let class = ty(class)?;
        taipan_object::typeobject::ready(class)?;
        typed::<Module>(module)?.dict().set_text(class.name(), class)
    }

    fn PyState_AddModule(module: Obj, def: *mut PyModuleDef) -> c_int {
        init_def(def);
        loader::set_by_index((*def).m_base.m_index, Some(arg(module)?));
        Ok(())
    }

    fn PyState_RemoveModule(def: *mut PyModuleDef) -> c_int {
        loader::set_by_index((*def).m_base.m_index, None);
        Ok(())
    }

    fn PyState_FindModule(def: *mut PyModuleDef) -> Obj {
        // The table keeps the module alive.
        Ok(loader::find_by_index((*def).m_base.m_index).map_or(core::ptr::null_mut(), |module| module.as_ptr()))
    }
}

export_plain! {
    /// There is one interpreter lock, whatever the module says.
    fn PyUnstable_Module_SetGIL(_module: Obj, _gil: *mut c_void) -> c_int {
        0
    }
}
