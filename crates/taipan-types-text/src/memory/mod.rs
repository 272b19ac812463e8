//! `memoryview`.
//!
//! A managed buffer owns the `Py_buffer` that the exporter filled; views share it and have shape,
//! strides and suboffsets of their own behind their head. The exporter's buffer is released when the
//! last view is. A view that has itself exported buffers cannot be released.

mod cast;
mod item;
mod methods;

pub use methods::ITER_SPEC;

use core::ffi::{CStr, c_int, c_void};
use core::ptr::null_mut;
use taipan_abi::*;
use taipan_object::buffer::{alloc_instance, is_contiguous, release as release_buffer};
use taipan_object::native::*;
use taipan_object::statics::*;
use taipan_object::{Object, PyResult, Ref, err, gc, layout, raise, weakref};

layout!(
    /// A `memoryview`.
    View, PyMemoryViewObject, "memoryview", |o| o.is_exact(&PyMemoryView_Type)
);
layout!(
    /// A buffer that views share.
    Managed, _PyManagedBufferObject, "managedbuffer", |o| o.is_exact(&MANAGED)
);

static MANAGED: StaticType =
    StaticType::native(c"managedbuffer", size_of::<_PyManagedBufferObject>(), Py_TPFLAGS_HAVE_GC);

const RELEASED: c_int = 1;
const C_ORDER: c_int = 2;
const F_ORDER: c_int = 4;
const SCALAR: c_int = 8;
const INDIRECT: c_int = 16;

impl Managed {
    /// Acquires the buffer of an object.
    fn acquire(object: &Object, flags: c_int) -> PyResult<Ref<Managed>> {
        // SAFETY: slot contract; the view stays where it is inside the managed buffer.
        unsafe {
            let slot = (*object.ty().raw()).tp_as_buffer.as_ref().and_then(|table| table.bf_getbuffer);
            let Some(slot) = slot else {
                return Err(raise!(
                    PyExc_TypeError,
                    "memoryview: a bytes-like object is required, not '{}'",
                    object.ty().message_name()
                ));
            };
            let managed: Ref<Managed> = alloc_instance(&MANAGED, 0)?.cast_owned();
            if slot(object.as_ptr(), &raw mut (*managed.raw()).master, flags) < 0 {
                (*managed.raw()).master.obj = null_mut();
                return Err(err::fetch());
            }
            Ok(managed)
        }
    }

    fn release(&self) {
        // SAFETY: the master buffer was filled by its exporter and is released once.
        unsafe {
            if (*self.raw()).flags & RELEASED == 0 {
                (*self.raw()).flags |= RELEASED;
                release_buffer(&mut (*self.raw()).master);
            }
        }
    }
}

impl View {
    /// The struct of the view. Fields are read one by one; nothing is held across Python code.
    fn buffer(&self) -> &Py_buffer {
        // SAFETY: the view guarantees the layout.
        unsafe { &(*self.raw()).view }
    }

    fn flags(&self) -> c_int {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).flags }
    }

    fn is_released(&self) -> bool {
        // SAFETY: the managed buffer lives as long as the view.
        unsafe {
            let managed = (*self.raw()).mbuf;
            self.flags() & RELEASED != 0 || managed.is_null() || (*managed).flags & RELEASED != 0
        }
    }

    fn check(&self) -> PyResult<()> {
        if self.is_released() {
            return Err(err::value_error("operation forbidden on released memoryview object"));
        }
        Ok(())
    }

    fn ndim(&self) -> usize {
        self.buffer().ndim.max(0) as usize
    }

    fn shape(&self) -> &[isize] {
        // SAFETY: a view has `ndim` entries of its own.
        unsafe { core::slice::from_raw_parts(self.buffer().shape, self.ndim()) }
    }

    fn strides(&self) -> &[isize] {
        // SAFETY: a view has `ndim` entries of its own.
        unsafe { core::slice::from_raw_parts(self.buffer().strides, self.ndim()) }
    }

    fn suboffsets(&self) -> &[isize] {
        if self.buffer().suboffsets.is_null() {
            return &[];
        }
        // SAFETY: a view has `ndim` entries of its own.
        unsafe { core::slice::from_raw_parts(self.buffer().suboffsets, self.ndim()) }
    }

    fn format(&self) -> &CStr {
        // SAFETY: a view's format is never null.
        unsafe { CStr::from_ptr(self.buffer().format) }
    }

    /// The character of a native format.
    fn format_char(&self) -> PyResult<u8> {
        item::native_format(self.format().to_bytes())
            .map(|(_, c, _)| c)
            .ok_or_else(|| item::unsupported(self.format()))
    }

    /// A view of a managed buffer that is described by `source` with these dimensions.
    fn build(managed: &Managed, source: &Py_buffer, dims: &Dims) -> PyResult<Ref<View>> {
        let ndim = dims.shape.len();
        let object = alloc_instance(&PyMemoryView_Type, 3 * ndim)?;
        // SAFETY: a fresh view with room for three arrays behind its head.
        unsafe {
            let view: Ref<View> = object.cast_owned();
            let raw = view.raw();
            let arrays: *mut isize = (&raw mut (*raw).ob_array).cast();
            core::ptr::copy_nonoverlapping(dims.shape.as_ptr(), arrays, ndim);
            core::ptr::copy_nonoverlapping(dims.strides.as_ptr(), arrays.add(ndim), ndim);
            core::ptr::copy_nonoverlapping(
                dims.suboffsets.as_ptr(),
                arrays.add(2 * ndim),
                dims.suboffsets.len(),
            );
            (*raw).view = *source;
            (*raw).view.ndim = ndim as c_int;
            (*raw).view.shape = arrays;
            (*raw).view.strides = arrays.add(ndim);
            (*raw).view.suboffsets =
                if dims.suboffsets.is_empty() { null_mut() } else { arrays.add(2 * ndim) };
            if source.format.is_null() {
                (*raw).view.format = c"B".as_ptr();
            }
            (*raw).view.len = dims.shape.iter().product::<isize>() * source.itemsize;
            (*raw).view.internal = null_mut();
            (*raw).hash = -1;
            (*raw).mbuf = managed.new_ref().into_ptr().cast();
            (*managed.raw()).exports += 1;
            view.set_flags();
            Ok(view)
        }
    }

    fn set_flags(&self) {
        let buffer = self.buffer();
        let mut flags = 0;
        if buffer.ndim == 0 {
            flags |= SCALAR | C_ORDER | F_ORDER;
        } else {
            if is_contiguous(buffer, b'C') {
                flags |= C_ORDER;
            }
            if is_contiguous(buffer, b'F') {
                flags |= F_ORDER;
            }
        }
        if !buffer.suboffsets.is_null() {
            flags = flags & !(C_ORDER | F_ORDER) | INDIRECT;
        }
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).flags = flags }
    }

    fn managed(&self) -> &Managed {
        // SAFETY: a view that is not released has a managed buffer.
        unsafe { Object::borrow((*self.raw()).mbuf.cast()).cast() }
    }

    /// A copy of shape, strides and suboffsets.
    fn dims(&self) -> Dims {
        Dims {
            shape: self.shape().to_vec(),
            strides: self.strides().to_vec(),
            suboffsets: self.suboffsets().to_vec(),
        }
    }

    /// Lets the buffer go.
    fn release(&self) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        unsafe {
            if (*self.raw()).flags & RELEASED != 0 {
                return Ok(());
            }
            let exports = (*self.raw()).exports;
            if exports > 0 {
                let plural = if exports == 1 { "" } else { "s" };
                return Err(raise!(PyExc_BufferError, "memoryview has {exports} exported buffer{plural}"));
            }
            (*self.raw()).flags |= RELEASED;
            let managed = (*self.raw()).mbuf;
            if !managed.is_null() {
                (*managed).exports -= 1;
                if (*managed).exports == 0 {
                    Object::borrow(managed.cast()).cast::<Managed>().release();
                }
            }
        }
        Ok(())
    }
}

/// Shape, strides and suboffsets (perhaps none) of a view.
struct Dims {
    shape: Vec<isize>,
    strides: Vec<isize>,
    suboffsets: Vec<isize>,
}

impl Dims {
    /// Those of an exporter's buffer, completed where it left them out.
    fn of(buffer: &Py_buffer) -> Dims {
        let ndim = buffer.ndim.max(0) as usize;
        // SAFETY: arrays that are there have `ndim` entries.
        let array = |array: *mut isize| unsafe {
            if array.is_null() { None } else { Some(core::slice::from_raw_parts(array, ndim).to_vec()) }
        };
        let shape =
            array(buffer.shape).unwrap_or_else(|| vec![buffer.len / buffer.itemsize.max(1); ndim.min(1)]);
        let strides = array(buffer.strides).unwrap_or_else(|| c_strides(&shape, buffer.itemsize));
        Dims { shape, strides, suboffsets: array(buffer.suboffsets).unwrap_or_default() }
    }
}

/// The strides of an array in C order.
fn c_strides(shape: &[isize], itemsize: isize) -> Vec<isize> {
    let mut strides = vec![itemsize; shape.len()];
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim] * shape[dim];
    }
    strides
}

/// `memoryview(object)` with these buffer flags.
fn from_object(object: &Object, flags: c_int) -> PyResult<Ref<View>> {
    if let Some(view) = object.downcast::<View>() {
        view.check()?;
        return View::build(view.managed(), view.buffer(), &view.dims());
    }
    let managed = Managed::acquire(object, flags)?;
    // SAFETY: filled by the exporter.
    let master = unsafe { (*managed.raw()).master };
    if master.ndim > PyBUF_MAX_NDIM {
        return Err(err::value_error("memoryview: number of dimensions must not exceed 64"));
    }
    View::build(&managed, &master, &Dims::of(&master))
}

unsafe extern "C" fn view_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the managed buffer's reference is given up here.
    unsafe {
        gc::untrack_ptr(ptr);
        let view: &View = Object::borrow(ptr).cast();
        // A view with exports is kept alive by them.
        let _ = view.release();
        weakref::clear_on_dealloc(view);
        taipan_object::handle::clear_field(&raw mut (*view.raw()).mbuf);
        if let Some(free) = (*view.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn view_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live view.
    unsafe {
        let managed = (*Object::borrow(ptr).cast::<View>().raw()).mbuf;
        if managed.is_null() { 0 } else { visit(managed.cast(), arg) }
    }
}

unsafe extern "C" fn view_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live view.
    unsafe {
        let view: &View = Object::borrow(ptr).cast();
        if view.release().is_ok() {
            taipan_object::handle::clear_field(&raw mut (*view.raw()).mbuf);
        }
    }
    0
}

unsafe extern "C" fn managed_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let managed: &Managed = Object::borrow(ptr).cast();
        managed.release();
        if let Some(free) = (*managed.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

unsafe extern "C" fn managed_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live managed buffer.
    unsafe {
        let owner = (*Object::borrow(ptr).cast::<Managed>().raw()).master.obj;
        if owner.is_null() { 0 } else { visit(owner, arg) }
    }
}

unsafe extern "C" fn managed_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live managed buffer.
    unsafe { Object::borrow(ptr).cast::<Managed>() }.release();
    0
}

/// What a consumer asks for and this view cannot give.
fn refusal(view: &View, flags: c_int) -> Option<&'static str> {
    let (buffer, own) = (view.buffer(), view.flags());
    let wants = |flag: c_int| flags & flag == flag;
    if wants(PyBUF_WRITABLE) && buffer.readonly != 0 {
        return Some("memoryview: underlying buffer is not writable");
    }
    if wants(PyBUF_C_CONTIGUOUS) && own & C_ORDER == 0 {
        return Some("memoryview: underlying buffer is not C-contiguous");
    }
    if wants(PyBUF_F_CONTIGUOUS) && own & F_ORDER == 0 {
        return Some("memoryview: underlying buffer is not Fortran contiguous");
    }
    if wants(PyBUF_ANY_CONTIGUOUS) && own & (C_ORDER | F_ORDER) == 0 {
        return Some("memoryview: underlying buffer is not contiguous");
    }
    if !wants(PyBUF_INDIRECT) && own & INDIRECT != 0 {
        return Some("memoryview: underlying buffer requires suboffsets");
    }
    if !wants(PyBUF_STRIDES) && own & C_ORDER == 0 {
        return Some("memoryview: underlying buffer is not C-contiguous");
    }
    if !wants(PyBUF_ND) && wants(PyBUF_FORMAT) {
        return Some("memoryview: cannot cast to unsigned bytes if the format flag is present");
    }
    None
}

unsafe extern "C" fn get_buffer(ptr: *mut PyObject, out: *mut Py_buffer, flags: c_int) -> c_int {
    // SAFETY: slot contract: a view and the consumer's struct.
    unsafe {
        let view: &View = Object::borrow(ptr).cast();
        if let Err(error) = view.check() {
            (*out).obj = null_mut();
            return ret_int(Err(error));
        }
        if let Some(message) = refusal(view, flags) {
            (*out).obj = null_mut();
            return ret_int(Err(err::buffer_error(message)));
        }
        let wants = |flag: c_int| flags & flag == flag;
        *out = *view.buffer();
        if !wants(PyBUF_FORMAT) {
            (*out).format = core::ptr::null();
        }
        if !wants(PyBUF_STRIDES) {
            (*out).strides = null_mut();
        }
        if !wants(PyBUF_ND) {
            (*out).ndim = 1;
            (*out).shape = null_mut();
        }
        (*out).obj = view.new_ref().into_ptr();
        (*view.raw()).exports += 1;
    }
    0
}

unsafe extern "C" fn drop_buffer(ptr: *mut PyObject, _: *mut Py_buffer) {
    // SAFETY: slot contract: a view that exported a buffer.
    unsafe { (*Object::borrow(ptr).cast::<View>().raw()).exports -= 1 }
}

/// The type of managed buffers.
pub static MANAGED_SPEC: TypeSpec = TypeSpec {
    slots: &[raw_dealloc(managed_dealloc), raw_traverse(managed_traverse), raw_clear(managed_clear)],
    ..TypeSpec::new(&MANAGED)
};

/// `memoryview`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"memoryview(object)\n--\n\nA view of the memory of an object that exports a buffer."),
    slots: &[
        raw_dealloc(view_dealloc),
        raw_traverse(view_traverse),
        raw_clear(view_clear),
        tp_new(methods::new),
        tp_repr(methods::repr),
        tp_hash(methods::hash),
        tp_richcompare(methods::compare),
        tp_iter(methods::iter),
        sq_length(methods::length),
        sq_item(methods::item),
        mp_length(methods::length),
        mp_subscript(methods::subscript),
        mp_ass_subscript(methods::store),
        raw_getbuffer(get_buffer),
        raw_releasebuffer(drop_buffer),
    ],
    methods: methods::TABLE,
    getset: &methods::GETSET,
    ..TypeSpec::new(&PyMemoryView_Type)
};
