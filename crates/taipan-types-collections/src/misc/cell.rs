//! `cell`: a variable that functions share.

use crate::util;
use core::ffi::{CStr, c_int, c_void};
use taipan_object::abi::{PyCellObject, PyObject, visitproc};
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, value_error};
use taipan_object::handle::{into_ptr_opt, set_field};
use taipan_object::native::*;
use taipan_object::protocol::richcompare;
use taipan_object::statics::PyCell_Type;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, gc, layout, refcount};

layout!(
    /// A cell.
    Cell, PyCellObject, "cell", |o| o.is_exact(&PyCell_Type)
);

impl Cell {
    /// A new cell.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(value: Option<Ref>) -> PyResult<Ref<Cell>> {
        let cell = taipan_object::alloc::alloc_object(&PyCell_Type, 0)?;
        // SAFETY: fresh memory of this layout.
        unsafe {
            (*cell.raw_as::<PyCellObject>()).ob_ref = into_ptr_opt(value);
            gc::track(&cell);
            Ok(cell.cast_owned())
        }
    }

    /// What the cell holds.
    #[inline]
    pub fn get(&self) -> Option<Ref> {
        // SAFETY: null, or owned by the cell.
        unsafe { Object::borrow_opt((*self.raw()).ob_ref) }.map(Object::new_ref)
    }

    /// Replaces what the cell holds.
    #[inline]
    pub fn set(&self, value: Option<Ref>) {
        // SAFETY: the field owns its reference.
        unsafe { set_field(&raw mut (*self.raw()).ob_ref, value) }
    }
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    util::no_keywords("cell", kwargs)?;
    util::check_count("cell", args.len(), 0, 1)?;
    Ok(Cell::new(args.get(0).map(Object::new_ref))?.upcast())
}

fn compare(cell: &Cell, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<Cell>() else { return Ok(util::not_implemented()) };
    match (cell.get(), other.get()) {
        (Some(a), Some(b)) => richcompare(&a, &b, op),
        // An empty cell comes before all others.
        (a, b) => op.holds(a.is_some().cmp(&b.is_some())).into_py(),
    }
}

fn repr(cell: &Cell) -> PyResult {
    let address = cell.as_ptr().addr();
    match cell.get() {
        None => format!("<cell at {address:#x}: empty>"),
        Some(value) => {
            format!(
                "<cell at {address:#x}: {} object at {:#x}>",
                value.ty().full_name(),
                value.as_ptr().addr()
            )
        }
    }
    .into_py()
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the type has no subclasses.
    unsafe {
        gc::untrack_ptr(ptr);
        refcount::xdecref((*ptr.cast::<PyCellObject>()).ob_ref);
        taipan_object::alloc::free_object(ptr);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live cell.
    unsafe {
        let value = (*ptr.cast::<PyCellObject>()).ob_ref;
        if value.is_null() { 0 } else { visit(value, arg) }
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live cell.
    unsafe { Object::borrow(ptr).cast::<Cell>() }.set(None);
    0
}

const DOC: &CStr =
    c"cell([contents])\n--\n\nA variable that several functions share; without contents it is empty.";

/// `cell`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        tp_new(new),
        tp_repr(repr),
        tp_richcompare(compare),
    ],
    getset: &[getset_row(
        c"cell_contents",
        |cell: &Cell| -> PyResult { cell.get().ok_or_else(|| value_error("Cell is empty")) },
        c"",
    )
    .with_setter(|cell: &Cell, value: Option<&Object>| -> PyResult<()> {
        cell.set(value.map(Object::new_ref));
        Ok(())
    })],
    ..TypeSpec::new(&PyCell_Type)
};
