//! Loading extension modules: `_imp.create_dynamic` and `_imp.exec_dynamic`.
//!
//! The file is opened with all symbols bound at once, so that a function that is missing here makes an
//! `ImportError` with its name and never a crash later. `PyInit_NAME` either returns a definition (PEP 489,
//! two phases) or a finished module (one phase); finished modules are remembered, because a second import
//! of the same file must not run their initialisation again.

use crate::border::Obj;
use crate::moduleobject;
use core::cell::RefCell;
use core::ffi::c_void;
use std::collections::HashMap;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{self, PyErr, PyResult, system_error};
use taipan_object::module::Module;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, intern, raise, state};
use taipan_runtime::{DynamicLoader, MoreTests};

/// What one-phase modules left behind, by file and name, and the name being loaded.
#[derive(Default)]
struct Loaded {
    single: RefCell<HashMap<(Vec<u8>, String), *mut PyModuleDef>>,
    package_context: RefCell<Option<String>>,
    by_index: RefCell<Vec<Option<Ref>>>,
}

fn loaded() -> &'static Loaded {
    state::interp().extension(Loaded::default)
}

/// Tells the import system who loads extension modules.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    state::interp().extension(|| DynamicLoader { create, exec });
    state::interp().extension(|| MoreTests { functions: crate::datetime_tests::FUNCTIONS });
    crate::pystate::remember_main(state::interp());
    crate::memory_object::install()
}

/// The full name of the module whose `PyInit` function runs, if `short` is its last part: modules with one
/// phase only know that.
pub fn full_name(short: &str) -> String {
    match &*loaded().package_context.borrow() {
        Some(full) if full.rsplit('.').next() == Some(short) => full.clone(),
        _ => short.to_owned(),
    }
}

/// The module that a definition made in this interpreter (`PyState_FindModule`).
pub fn find_by_index(index: isize) -> Option<Ref> {
    let index = usize::try_from(index).ok()?;
    loaded().by_index.borrow().get(index).cloned().flatten()
}

/// Notes the module that a definition made (`PyState_AddModule`), or forgets it.
pub fn set_by_index(index: isize, module: Option<&Object>) {
    let Ok(index) = usize::try_from(index) else { return };
    let mut table = loaded().by_index.borrow_mut();
    if table.len() <= index {
        table.resize(index + 1, None);
    }
    let old = core::mem::replace(&mut table[index], module.map(Object::new_ref));
    drop(table);
    drop(old);
}

fn import_error(message: &str, name: &Object, path: &Object) -> PyErr {
    taipan_types_meta::exceptions::import_error(Some(name), Some(path), message)
}

/// The name of the initialisation function: `PyInit_name`, or `PyInitU_` and Punycode (PEP 489).
fn init_symbol(name: &str) -> PyResult<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.is_ascii() {
        return Ok(format!("PyInit_{last}"));
    }
    let encoded = taipan_types_text::str::encode(&*Str::from_utf8(last)?, "punycode", "strict")?;
    let encoded = encoded.downcast::<taipan_object::bytes::Bytes>().map(|b| b.as_slice().to_vec());
    let text = String::from_utf8_lossy(&encoded.unwrap_or_default()).replace('-', "_");
    Ok(format!("PyInitU_{text}"))
}

fn create(spec: &Object) -> PyResult {
    let (name, path) = (spec.getattr(intern!("name"))?, spec.getattr(intern!("origin"))?);
    let (Some(name), Some(path)) = (name.downcast::<Str>(), path.downcast::<Str>()) else {
        return Err(raise!(PyExc_TypeError, "the name and origin of a module specification must be strings"));
    };
    let text = name.to_utf8()?.to_owned();
    let file = taipan_object::system::fs_encode(path)?;
    let key = (file.clone(), text.clone());
    let again = loaded().single.borrow().get(&key).copied();
    if let Some(def) = again {
        // SAFETY: definitions of loaded modules live for ever.
        return unsafe { load_again(def, &text, name) };
    }
    let symbol = init_symbol(&text)?;
    let init = taipan_os::library::find_in_library(&file, &symbol)
        .map_err(|message| import_error(&message, name, path))?;
    let Some(init) = init else {
        let message = format!("dynamic module does not define module export function ({symbol})");
        return Err(import_error(&message, name, path));
    };
    // SAFETY: the symbol is the module's initialisation function.
    let init: unsafe extern "C" fn() -> Obj = unsafe { core::mem::transmute::<*mut c_void, _>(init) };
    let outer = loaded().package_context.replace(Some(text.clone()));
    // SAFETY: attached, as every caller of Python code.
    let made = unsafe { init() };
    loaded().package_context.replace(outer);
    // SAFETY: an owned reference, a definition, or null with the indicator set.
    unsafe { take_result(made, spec, &text, path, key) }
}

/// # Safety
/// `made` came from an initialisation function.
unsafe fn take_result(made: Obj, spec: &Object, name: &str, path: &Str, key: (Vec<u8>, String)) -> PyResult {
    if made.is_null() {
        let missing =
            || system_error(&format!("initialization of {name} failed without raising an exception"));
        return Err(err::fetch_opt().unwrap_or_else(missing));
    }
    if let Some(error) = err::fetch_opt() {
        let outer = system_error(&format!("initialization of {name} raised unreported exception"));
        outer.exception().set_cause(Some(error.exception().new_ref()));
        outer.exception().set_context(Some(error.into_exception().upcast()));
        return Err(outer);
    }
    // SAFETY: by contract.
    unsafe {
        if (*made).ob_type.is_null() {
            return Err(system_error(&format!("init function of {name} returned uninitialized object")));
        }
        if Object::borrow(made).is_exact(&PyModuleDef_Type) {
            return moduleobject::from_def_and_spec(made.cast(), spec);
        }
        let module = Ref::<Object>::steal(made);
        let Some(view) = module.downcast::<Module>() else {
            return Err(system_error(&format!(
                "initialization of {name} did not return an extension module"
            )));
        };
        let def = (*view.raw()).md_def.cast::<PyModuleDef>();
        if def.is_null() {
            return Err(system_error(&format!(
                "initialization of {name} did not return a valid extension module"
            )));
        }
        view.dict().set_str(intern!("__file__"), path)?;
        if (*def).m_size == -1 {
            // Such a module has state of its own outside of any object: the next import gets a copy.
            let copy = view.dict().copy()?;
            taipan_object::handle::set_field(&raw mut (*def).m_base.m_copy, Some(copy.upcast()));
        }
        loaded().single.borrow_mut().insert(key, def);
        state::interp().modules.set(&*Str::from_utf8(name)?, &module)?;
        set_by_index((*def).m_base.m_index, Some(&module));
        Ok(module)
    }
}

/// # Safety
/// `def` belongs to a loaded one-phase module.
unsafe fn load_again(def: *mut PyModuleDef, text: &str, name: &Str) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        if let Some(copy) = Object::borrow_opt((*def).m_base.m_copy) {
            let module = Module::new(name, None)?;
            let copy: &Dict = copy.cast();
            taipan_types_collections::dict::update(module.dict(), copy)?;
            (*module.raw()).md_def = def.cast();
            state::interp().modules.set(name, &module)?;
            set_by_index((*def).m_base.m_index, Some(&module));
            return Ok(module.upcast());
        }
        let function = (*def).m_base.m_init;
        if function.is_null() {
            return find_by_index((*def).m_base.m_index)
                .ok_or_else(|| system_error(&format!("module {text} cannot be made again")));
        }
        let init: unsafe extern "C" fn() -> Obj = core::mem::transmute(function);
        taipan_object::native::from_c(init())
    }
}

fn exec(module: &Object) -> PyResult<i32> {
    let Some(module) = module.downcast::<Module>() else { return Ok(0) };
    // SAFETY: the view guarantees the layout.
    unsafe {
        let def = (*module.raw()).md_def.cast::<PyModuleDef>();
        if def.is_null() || !(*module.raw()).md_state.is_null() {
            return Ok(0);
        }
        moduleobject::exec_def(module, def)?;
    }
    Ok(0)
}
