//! The bare bones of `float` and `complex`.

use crate::alloc;
use crate::err::PyResult;
use crate::handle::{Object, Ref};
use crate::layout;
use crate::statics::{PyComplex_Type, PyFloat_Type};
use taipan_abi::{PyComplexObject, PyFloatObject, PyObject};

layout!(
    /// A `float` or an instance of a subclass.
    Float, PyFloatObject, "float", |o| o.ty().is_subtype(&PyFloat_Type)
);
layout!(
    /// A `complex` or an instance of a subclass.
    Complex, PyComplexObject, "complex", |o| o.ty().is_subtype(&PyComplex_Type)
);

impl Float {
    #[inline(always)]
    pub fn value(&self) -> f64 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_fval }
    }

    /// A new float.
    #[inline]
    pub fn new(value: f64) -> Ref<Float> {
        // SAFETY: a block of the size of a float.
        unsafe {
            let ptr = alloc::small_alloc::<24>().cast::<PyFloatObject>();
            if ptr.is_null() {
                crate::err::fatal_no_memory();
            }
            alloc::init_object(ptr.cast(), &PyFloat_Type);
            (*ptr).ob_fval = value;
            Ref::steal(ptr.cast())
        }
    }
}

impl Complex {
    pub fn value(&self) -> (f64, f64) {
        // SAFETY: the view guarantees the layout.
        unsafe { ((*self.raw()).cval.real, (*self.raw()).cval.imag) }
    }

    /// A new complex.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn new(real: f64, imag: f64) -> PyResult<Ref<Complex>> {
        let object = alloc::alloc_object(&PyComplex_Type, 0)?;
        // SAFETY: made just now with this layout.
        unsafe {
            let object: Ref<Complex> = object.cast_owned();
            (*object.raw()).cval = taipan_abi::Py_complex { real, imag };
            Ok(object)
        }
    }
}

/// `tp_dealloc` of `float`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let object = Object::borrow(ptr);
        if object.is_exact(&PyFloat_Type) {
            alloc::small_free::<24>(ptr.cast());
        } else if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}
