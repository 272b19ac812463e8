//! `PyCapsule`: a C pointer that one extension hands to another.

use core::ffi::{CStr, c_int, c_void};
use taipan_abi::*;
use taipan_object::err::{PyErr, PyResult, value_error};
use taipan_object::native::{self, TypeSpec};
use taipan_object::statics::*;
use taipan_object::{Object, alloc, gc, layout};

/// The memory of a capsule.
#[repr(C)]
pub struct RawCapsule {
    head: PyObject,
    pub pointer: *mut c_void,
    pub name: *const c_char,
    pub context: *mut c_void,
    pub destructor: Option<destructor>,
    pub traverse: Option<traverseproc>,
    pub clear: Option<inquiry>,
}
const _: () = assert!(size_of::<RawCapsule>() == 64);

layout!(
    /// A capsule.
    Capsule, RawCapsule, "PyCapsule", |o| o.is_exact(&PyCapsule_Type)
);

/// `PyCapsule_New`.
///
/// # Safety
/// `name` is null or outlives the capsule; `destructor` is called with the capsule at its end.
/// # Errors
/// `ValueError` for a null pointer, `MemoryError`.
pub unsafe fn new(pointer: *mut c_void, name: *const c_char, destructor: Option<destructor>) -> PyResult {
    if pointer.is_null() {
        return Err(value_error("PyCapsule_New called with null pointer"));
    }
    let made = alloc::alloc_object(&PyCapsule_Type, 0)?;
    // SAFETY: fresh memory of this layout. It is tracked once it has a traverse function.
    unsafe {
        let raw = made.raw_as::<RawCapsule>();
        (*raw).pointer = pointer;
        (*raw).name = name;
        (*raw).destructor = destructor;
    }
    Ok(made)
}

impl Capsule {
    /// The name; `None` for a capsule without one.
    pub fn name(&self) -> Option<&CStr> {
        // SAFETY: null or null-terminated, and alive as long as the capsule.
        unsafe {
            let name = (*self.raw()).name;
            if name.is_null() { None } else { Some(CStr::from_ptr(name)) }
        }
    }

    /// Whether the capsule still has its pointer and goes by this name.
    pub fn is_valid(&self, name: Option<&CStr>) -> bool {
        // SAFETY: the view guarantees the layout.
        unsafe { !(*self.raw()).pointer.is_null() && self.name() == name }
    }
}

/// The pointer of a capsule that must go by this name (`PyCapsule_GetPointer`).
///
/// # Errors
/// `ValueError` for what is no such capsule.
pub fn pointer(object: &Object, name: Option<&CStr>) -> Result<*mut c_void, PyErr> {
    let capsule = object
        .downcast::<Capsule>()
        // SAFETY: the view guarantees the layout.
        .filter(|capsule| unsafe { !(*capsule.raw()).pointer.is_null() })
        .ok_or_else(|| value_error("PyCapsule_GetPointer called with invalid PyCapsule object"))?;
    if capsule.name() != name {
        return Err(value_error("PyCapsule_GetPointer called with incorrect name"));
    }
    // SAFETY: the view guarantees the layout.
    Ok(unsafe { (*capsule.raw()).pointer })
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the destructor sees a complete capsule.
    unsafe {
        gc::untrack_ptr(ptr);
        if let Some(destructor) = (*ptr.cast::<RawCapsule>()).destructor {
            destructor(ptr);
        }
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live capsule.
    unsafe { (*ptr.cast::<RawCapsule>()).traverse.map_or(0, |traverse| traverse(ptr, visit, arg)) }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live capsule.
    unsafe { (*ptr.cast::<RawCapsule>()).clear.map_or(0, |clear| clear(ptr)) }
}

fn repr(capsule: &Capsule) -> String {
    let address = capsule.as_ptr().addr();
    match capsule.name() {
        Some(name) => format!("<capsule object \"{}\" at {address:#x}>", name.to_string_lossy()),
        None => format!("<capsule object NULL at {address:#x}>"),
    }
}

/// `PyCapsule`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A pointer that one extension module hands to another, under a name."),
    slots: &[
        native::raw_dealloc(dealloc),
        native::raw_traverse(traverse),
        native::raw_clear(clear),
        native::tp_repr(repr),
    ],
    ..TypeSpec::new(&PyCapsule_Type)
};
