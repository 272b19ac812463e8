//! Tracebacks: where an exception has passed.

use crate::code::Code;
use crate::frame::Frame;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, type_error, value_error};
use taipan_object::native::{
    GetSetRow, IntoPy, Member, TypeSpec, getset_row, raw_clear, raw_dealloc, raw_traverse,
};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyExc_TypeError, PyTraceBack_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, alloc, gc, instance, layout, raise, refcount};

layout!(
    /// A traceback.
    Traceback, PyTracebackObject, "traceback", |o| o.is_exact(&PyTraceBack_Type)
);

/// Adds the current place of a frame to an exception's traceback.
///
/// # Safety
/// `frame` is live.
pub unsafe fn add_here(exception: &Exception, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        let made = crate::frame_object::of(frame).and_then(|object| {
            let lasti = Frame::lasti(frame).max(0) as i32 * 2;
            new_traceback(exception.traceback().as_deref(), &object, lasti, -1)
        });
        // Without memory the traceback stays shorter.
        if let Ok(traceback) = made {
            exception.set_traceback(Some(traceback));
        }
    }
}

/// Adds the place of the code that is running, if there is any.
pub fn add_current(exception: &Exception) {
    let frame = crate::frame::current_frame();
    if !frame.is_null() {
        // SAFETY: the current frame is live.
        unsafe { add_here(exception, frame) }
    }
}

/// Adds a place in C, which a frame object stands for, to an exception's traceback.
///
/// # Errors
/// `MemoryError`.
pub fn add_object(error: &PyErr, frame: &crate::frame_object::FrameObject) -> PyResult<()> {
    let exception = error.exception();
    // SAFETY: the view guarantees the layout; a line of 0 was never set.
    let line = unsafe {
        match (*frame.raw()).f_lineno {
            0 if frame.frame().is_null() => -1,
            0 => Frame::code(frame.frame()).firstlineno(),
            line => line,
        }
    };
    let traceback = new_traceback(exception.traceback().as_deref(), frame, 0, line)?;
    exception.set_traceback(Some(traceback));
    Ok(())
}

fn new_traceback(next: Option<&Object>, frame: &Object, lasti: i32, line: i32) -> PyResult {
    let object = alloc::alloc_object(&PyTraceBack_Type, 0)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = object.raw_as::<PyTracebackObject>();
        (*raw).tb_next = taipan_object::handle::into_ptr_opt(next.map(Object::new_ref)).cast();
        (*raw).tb_frame = frame.new_ref().into_ptr().cast();
        (*raw).tb_lasti = lasti;
        (*raw).tb_lineno = line;
        gc::track(&object);
    }
    Ok(object)
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let raw = ptr.cast::<PyTracebackObject>();
        // A long chain is released in a loop.
        let mut next = core::mem::replace(&mut (*raw).tb_next, core::ptr::null_mut());
        refcount::xdecref((*raw).tb_frame.cast());
        alloc::free_object(ptr);
        while !next.is_null() && (*next.cast::<PyObject>()).ob_refcnt == 1 {
            let after = core::mem::replace(&mut (*next).tb_next, core::ptr::null_mut());
            refcount::decref(next.cast());
            next = after;
        }
        refcount::xdecref(next.cast());
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live traceback.
    unsafe {
        let raw = ptr.cast::<PyTracebackObject>();
        instance::visit_all(&[(*raw).tb_next.cast(), (*raw).tb_frame.cast()], visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live traceback.
    unsafe {
        let raw = ptr.cast::<PyTracebackObject>();
        taipan_object::handle::clear_field(&raw mut (*raw).tb_next);
        taipan_object::handle::clear_field(&raw mut (*raw).tb_frame);
    }
    0
}

/// The line of a traceback entry, worked out from its instruction when it was not given.
fn line(traceback: &Traceback) -> Option<i32> {
    // SAFETY: the view guarantees the layout; the frame object knows its code.
    unsafe {
        let raw = traceback.raw();
        if (*raw).tb_lineno != -1 {
            return Some((*raw).tb_lineno);
        }
        let frame = Object::borrow_opt((*raw).tb_frame.cast())?;
        let code: Ref<Code> = crate::frame_object::code_of(frame)?;
        code.line_of((*raw).tb_lasti.max(0) as usize / 2)
    }
}

fn set_next(traceback: &Traceback, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("can't delete tb_next attribute")) };
    let next = if is_none(value) { None } else { Some(value) };
    if let Some(next) = next {
        let Some(mut cursor) = next.downcast::<Traceback>().map(Ref::of) else {
            return Err(raise!(
                PyExc_TypeError,
                "expected traceback object, got '{}'",
                next.ty().message_name()
            ));
        };
        loop {
            if cursor.is(traceback) {
                return Err(value_error("traceback loop detected"));
            }
            // SAFETY: the view guarantees the layout.
            let after = unsafe {
                Object::borrow_opt((*cursor.raw()).tb_next.cast())
                    .map(|next| Ref::of(next.cast::<Traceback>()))
            };
            match after {
                Some(after) => cursor = after,
                None => break,
            }
        }
    }
    // SAFETY: the view guarantees the layout.
    unsafe {
        taipan_object::handle::set_field(&raw mut (*traceback.raw()).tb_next, next.map(Object::new_ref))
    };
    Ok(())
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    use taipan_object::native::Signature;
    static SIGNATURE: Signature = Signature::parse("traceback", "(tb_next, tb_frame, tb_lasti, tb_lineno)");
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let next = bound.get_some(0);
    if let Some(next) = next.filter(|next| next.downcast::<Traceback>().is_none()) {
        return Err(raise!(
            PyExc_TypeError,
            "expected traceback object or None, got '{}'",
            next.ty().message_name()
        ));
    }
    let frame = bound.required(1);
    if !frame.is_exact(&taipan_object::statics::PyFrame_Type) {
        return Err(raise!(
            PyExc_TypeError,
            "traceback() argument 'tb_frame' must be frame, not {}",
            frame.ty().message_name()
        ));
    }
    new_traceback(next, frame, bound.i32_or(2, 0)?, bound.i32_or(3, 0)?)
}

static GETSET: &[GetSetRow] = &[
    getset_row(
        c"tb_next",
        // SAFETY: the view guarantees the layout.
        |t: &Traceback| unsafe { Object::borrow_opt((*t.raw()).tb_next.cast()).unwrap_or(none()).new_ref() },
        c"",
    )
    .with_setter(set_next),
    getset_row(c"tb_lineno", line, c""),
];

fn dir(_: &Traceback) -> PyResult {
    let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
    let mut all = Vec::new();
    for name in names {
        all.push(name.into_py()?);
    }
    Ok(taipan_object::list::List::from_vec(all)?.upcast())
}

taipan_object::methods! { static METHODS = {
    noargs "__dir__" "" = dir, "__dir__() -> list\n\nNames of the attributes.";
} }

/// `traceback`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nMake a traceback entry."),
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        taipan_object::native::tp_new(new),
    ],
    methods: METHODS,
    getset: GETSET,
    members: &[
        Member::new(c"tb_frame", T_OBJECT, offset_of!(PyTracebackObject, tb_frame), Py_READONLY, c""),
        Member::new(c"tb_lasti", Py_T_INT, offset_of!(PyTracebackObject, tb_lasti), Py_READONLY, c""),
    ],
    ..TypeSpec::new(&PyTraceBack_Type)
};
