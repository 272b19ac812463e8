//! The object behind a memoryview over memory of C: it exports the memory and owns nothing.

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use taipan_abi::{Py_buffer, PyObject};
use taipan_object::buffer;
use taipan_object::err::PyResult;
use taipan_object::native::{Native, Payload, Slot, TypeSpec, native_new, raw_getbuffer, ret_int};
use taipan_object::statics::StaticType;
use taipan_object::{Object, typeobject};

/// A piece of memory that C keeps alive.
struct Memory {
    data: Cell<*mut c_void>,
    len: isize,
    readonly: c_int,
}

static TYPE: StaticType = StaticType::native(c"_memory_of_c", Native::<Memory>::SIZE, 0);

impl Payload for Memory {
    const TYPE: &'static StaticType = &TYPE;
}

type View = Native<Memory>;

unsafe extern "C" fn get_buffer(object: *mut PyObject, view: *mut Py_buffer, flags: c_int) -> c_int {
    // SAFETY: the slot of this very type.
    unsafe {
        let memory: &View = Object::borrow(object).cast();
        ret_int(buffer::status(crate::misc::PyBuffer_FillInfo(
            view,
            object,
            memory.data.get(),
            memory.len,
            memory.readonly,
            flags,
        )))
    }
}

const GET_BUFFER: Slot = raw_getbuffer(get_buffer);

static SPEC: TypeSpec = TypeSpec { slots: &[View::DEALLOC, GET_BUFFER], ..TypeSpec::new(&TYPE) };

/// Makes the type ready.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    typeobject::install(&SPEC)
}

/// An exporter of `len` bytes at `data`.
///
/// # Errors
/// `MemoryError`.
pub fn new(data: *mut c_void, len: isize, readonly: c_int) -> PyResult {
    Ok(native_new(&TYPE, Memory { data: Cell::new(data), len, readonly })?.upcast())
}
