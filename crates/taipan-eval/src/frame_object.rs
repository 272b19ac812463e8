//! Frame objects: the view of a frame that Python code can hold.
//!
//! A frame object is made when somebody asks (a traceback, `sys._getframe`). While the frame runs it
//! only points to it; when the frame ends and the object is still wanted, the frame's words move into
//! the object's own memory.

use crate::code::Code;
use crate::frame::{Frame, OWNED_BY_FRAME_OBJECT, OWNED_BY_GENERATOR};
use crate::stackref::StackRef;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use core::ptr::null_mut;
use taipan_abi::*;
use taipan_bytecode::{CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN, CO_OPTIMIZED};
use taipan_object::dict::Dict;
use taipan_object::err::runtime_error;
use taipan_object::native::{
    GetSetRow, IntoPy, Member, TypeSpec, getset_row, raw_clear, raw_dealloc, raw_traverse, tp_repr,
};
use taipan_object::statics::{PyCell_Type, PyFrame_Type};
use taipan_object::{Object, PyResult, Ref, alloc, gc, instance, layout, refcount};

layout!(
    /// A frame object.
    FrameObject, PyFrameObject, "frame", |o| o.is_exact(&PyFrame_Type)
);

/// The frame object of a frame, made if there is none.
///
/// # Safety
/// `frame` is live.
/// # Errors
/// `MemoryError`.
pub unsafe fn of(frame: *mut Frame) -> PyResult<Ref<FrameObject>> {
    // SAFETY: by contract; the object has room for the frame.
    unsafe {
        if let Some(object) = Object::borrow_opt((*frame).frame_obj) {
            return Ok(Ref::of(object.cast()));
        }
        let object = alloc::alloc_object(&PyFrame_Type, Frame::code(frame).framesize().cast_signed())?;
        let raw = object.raw_as::<PyFrameObject>();
        (*raw).f_frame = frame.cast();
        (*raw).f_trace_lines = 1;
        (*frame).frame_obj = object.clone().into_ptr();
        gc::track(&object);
        Ok(object.cast_owned())
    }
}

/// A frame object of a frame that never runs: C extensions show their places in tracebacks with it.
///
/// # Errors
/// `MemoryError`.
pub fn detached(code: &Code, globals: &Dict) -> PyResult<Ref<FrameObject>> {
    let function = crate::function::Function::new(code, globals, None)?;
    let object = alloc::alloc_object(&PyFrame_Type, code.framesize().cast_signed())?;
    // SAFETY: fresh memory with room for the frame behind the object's fields.
    unsafe {
        let object: Ref<FrameObject> = object.cast_owned();
        let own = object.own_memory();
        crate::frame::init_frame(own, StackRef::owned(function.upcast()), code, null_mut());
        (*own).owner = OWNED_BY_FRAME_OBJECT;
        (*object.raw()).f_frame = own.cast();
        (*object.raw()).f_trace_lines = 1;
        gc::track(&object);
        Ok(object)
    }
}

/// The frame object of the running Python code.
pub fn current() -> Option<Ref> {
    let frame = crate::frame::current_frame();
    if frame.is_null() {
        return None;
    }
    // SAFETY: the current frame is live.
    unsafe { of(frame) }.ok().map(Ref::upcast)
}

/// The namespace of the running code; in functions a dict of what the variables hold now.
///
/// # Errors
/// `SystemError` without running code, `MemoryError`.
pub fn current_locals() -> PyResult {
    let frame = crate::frame::current_frame();
    if frame.is_null() {
        return Err(taipan_object::err::system_error("frame does not exist"));
    }
    // SAFETY: the current frame is live.
    unsafe { locals_snapshot(frame) }
}

impl FrameObject {
    /// The frame: running, in a generator, or in the object itself.
    #[inline]
    pub fn frame(&self) -> *mut Frame {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).f_frame.cast() }
    }

    fn own_memory(&self) -> *mut Frame {
        // SAFETY: the object has room for the frame behind its fields.
        unsafe { self.as_ptr().cast::<u8>().add(offset_of!(PyFrameObject, _f_frame_data)).cast() }
    }
}

/// The code of a frame object.
pub fn code_of(object: &Object) -> Option<Ref<Code>> {
    let object = object.downcast::<FrameObject>()?;
    let frame = object.frame();
    // SAFETY: a frame object's frame is live until it is cleared.
    if frame.is_null() { None } else { Some(Ref::of(unsafe { Frame::code(frame) })) }
}

/// Lets the frame object take the words of an ending frame, if somebody else still holds it.
/// Returns true when the frame is still to be cleared.
///
/// # Safety
/// The frame has a frame object and is ending.
pub unsafe fn take_over(frame: *mut Frame) -> bool {
    // SAFETY: by contract; words move once.
    unsafe {
        let object: Ref = Ref::steal(core::mem::replace(&mut (*frame).frame_obj, null_mut()));
        let view: &FrameObject = object.cast();
        if object.refcount() == 1 || (*frame).owner == OWNED_BY_FRAME_OBJECT {
            if (*frame).owner != OWNED_BY_FRAME_OBJECT {
                (*view.raw()).f_frame = null_mut();
            }
            return true;
        }
        let own = view.own_memory();
        let words = Frame::locals(frame);
        let count = (*frame).stackpointer.offset_from(words) as usize;
        core::ptr::copy_nonoverlapping(frame, own, 1);
        for index in 0..count {
            let word = words.add(index).read();
            Frame::locals(own).add(index).write(word.heap_safe());
        }
        (*own).stackpointer = Frame::locals(own).add(count);
        (*own).f_funcobj = (*own).f_funcobj.heap_safe();
        (*own).owner = OWNED_BY_FRAME_OBJECT;
        (*own).previous = null_mut();
        (*view.raw()).f_frame = own.cast();
        // The caller's frame becomes an object too, so that f_back goes on working.
        let previous = (*frame).previous;
        if !previous.is_null()
            && (*view.raw()).f_back.is_null()
            && let Ok(back) = of(previous)
        {
            (*view.raw()).f_back = back.into_ptr().cast();
        }
        false
    }
}

/// `f_back`.
pub fn back(object: &FrameObject) -> PyResult<Option<Ref>> {
    // SAFETY: the view guarantees the layout.
    unsafe {
        if let Some(back) = Object::borrow_opt((*object.raw()).f_back.cast()) {
            return Ok(Some(back.new_ref()));
        }
        let frame = object.frame();
        if frame.is_null() || (*frame).previous.is_null() {
            return Ok(None);
        }
        if (*frame).owner == OWNED_BY_GENERATOR && !crate::generator::is_executing(frame) {
            return Ok(None);
        }
        of((*frame).previous).map(|back| Some(back.upcast()))
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        clear(ptr);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live frame object.
    unsafe {
        let raw = ptr.cast::<PyFrameObject>();
        let result = instance::visit_all(
            &[(*raw).f_back.cast(), (*raw).f_trace, (*raw).f_extra_locals, (*raw).f_locals_cache],
            visit,
            arg,
        );
        let frame = (*raw).f_frame.cast::<Frame>();
        if result != 0 || frame.is_null() || (*frame).owner != OWNED_BY_FRAME_OBJECT {
            return result;
        }
        visit_frame(frame, visit, arg)
    }
}

/// Shows the collector what a frame that does not run holds.
///
/// # Safety
/// `frame` is live and not running.
pub unsafe fn visit_frame(frame: *mut Frame, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: words below the stack pointer are valid.
    unsafe {
        let mut word = Frame::locals(frame);
        while word < (*frame).stackpointer {
            let value = *word;
            if !value.is_int() && !value.is_null() && value.is_owned() {
                let result = visit(value.ptr(), arg);
                if result != 0 {
                    return result;
                }
            }
            word = word.add(1);
        }
        instance::visit_all(&[(*frame).f_locals, (*frame).f_funcobj.ptr()], visit, arg)
    }
}

unsafe extern "C" fn clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a frame object whose frame, if it is its own, is released once.
    unsafe {
        use taipan_object::handle::clear_field;
        let raw = ptr.cast::<PyFrameObject>();
        clear_field(&raw mut (*raw).f_back);
        clear_field(&raw mut (*raw).f_trace);
        clear_field(&raw mut (*raw).f_extra_locals);
        clear_field(&raw mut (*raw).f_locals_cache);
        clear_field(&raw mut (*raw).f_overwritten_fast_locals);
        let frame = (*raw).f_frame.cast::<Frame>();
        if !frame.is_null()
            && (*frame).owner == OWNED_BY_FRAME_OBJECT
            && frame == ptr.cast::<u8>().add(72).cast()
        {
            release_words(frame);
            // The head stays readable (code, line); it goes with the object.
            if (*ptr).ob_refcnt == 0 {
                let locals = core::mem::replace(&mut (*frame).f_locals, null_mut());
                refcount::xdecref(locals);
                core::mem::replace(&mut (*frame).f_funcobj, StackRef::NULL).close();
                core::mem::replace(&mut (*frame).f_executable, StackRef::NULL).close();
            }
        }
    }
    0
}

unsafe fn release_words(frame: *mut Frame) {
    // SAFETY: words below the stack pointer are valid and released once.
    unsafe {
        let first = Frame::locals(frame);
        let end = core::mem::replace(&mut (*frame).stackpointer, first);
        let mut word = first;
        while word < end {
            word.replace(StackRef::NULL).close();
            word = word.add(1);
        }
        // Locals stay addressable, as unbound ones.
        (*frame).stackpointer = first.add(Frame::code(frame).nlocalsplus());
    }
}

/// The value of a local variable as its owner sees it: cells are looked through.
///
/// # Safety
/// `frame` is live and `index` below its number of locals.
pub unsafe fn local_value(frame: *mut Frame, index: usize) -> Option<Ref> {
    // SAFETY: by contract.
    unsafe {
        let word = *Frame::locals(frame).add(index);
        if word.is_null() {
            return None;
        }
        let kind = Frame::code(frame).localspluskinds()[index];
        if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0 && word.is_exact(&PyCell_Type) {
            return Object::borrow_opt((*word.ptr().cast::<PyCellObject>()).ob_ref).map(Object::new_ref);
        }
        Some(word.look().new_ref())
    }
}

/// Names and values of a frame's locals as a new dict; the namespace itself outside functions.
///
/// # Safety
/// `frame` is live.
/// # Errors
/// `MemoryError`.
pub unsafe fn locals_snapshot(frame: *mut Frame) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        let code = Frame::code(frame);
        if let Some(namespace) = Object::borrow_opt((*frame).f_locals) {
            return Ok(namespace.new_ref());
        }
        if code.flags() & CO_OPTIMIZED == 0 {
            return Ok(Object::borrow((*frame).f_globals).new_ref());
        }
        let dict = Dict::new()?;
        for index in 0..code.nlocalsplus() {
            if code.localspluskinds()[index] & CO_FAST_HIDDEN != 0 {
                continue;
            }
            if let Some(value) = local_value(frame, index) {
                dict.set_str(code.local_name(index), &value)?;
            }
        }
        // Names that were added through `f_locals`.
        if let Some(object) = Object::borrow_opt((*frame).frame_obj)
            && let Some(extra) = Object::borrow_opt((*object.raw_as::<PyFrameObject>()).f_extra_locals)
            && let Some(extra) = extra.downcast::<Dict>()
        {
            for (name, value) in extra.items_vec() {
                dict.set(&name, &value)?;
            }
        }
        Ok(dict.upcast())
    }
}

pub(crate) fn live(object: &FrameObject) -> PyResult<*mut Frame> {
    let frame = object.frame();
    if frame.is_null() { Err(runtime_error("the frame has been cleared")) } else { Ok(frame) }
}

/// The namespace outside functions, a view of the variables inside.
fn f_locals(object: &FrameObject) -> PyResult {
    let frame = live(object)?;
    // SAFETY: a live frame.
    unsafe {
        if (*frame).f_locals.is_null() && Frame::code(frame).flags() & CO_OPTIMIZED != 0 {
            return crate::locals_proxy::of(object);
        }
        locals_snapshot(frame)
    }
}

fn f_lineno(object: &FrameObject) -> PyResult {
    // SAFETY: the view guarantees the layout; a live frame knows its line.
    unsafe {
        let forced = (*object.raw()).f_lineno;
        if forced != 0 {
            return forced.into_py();
        }
        Frame::line(live(object)?).into_py()
    }
}

/// The generator whose frame this is.
fn generator(object: &FrameObject) -> Option<Ref> {
    let frame = object.frame();
    // SAFETY: null or a live frame.
    unsafe {
        (!frame.is_null() && (*frame).owner == OWNED_BY_GENERATOR)
            .then(|| crate::generator::owner_of(frame).new_ref())
    }
}

fn repr(object: &FrameObject) -> PyResult {
    let frame = live(object)?;
    // SAFETY: a live frame.
    unsafe {
        let code = Frame::code(frame);
        format!(
            "<frame at {:#x}, file {}, line {}, code {}>",
            object.as_ptr().addr(),
            code.filename().repr_lossy(),
            Frame::line(frame).unwrap_or(-1),
            code.name().to_lossy()
        )
        .into_py()
    }
}

fn clear_method(object: &FrameObject) -> PyResult<()> {
    let frame = live(object)?;
    // SAFETY: a live frame.
    unsafe {
        if (*frame).owner == OWNED_BY_FRAME_OBJECT {
            release_words(frame);
            return Ok(());
        }
        if (*frame).owner == OWNED_BY_GENERATOR && !crate::generator::is_executing(frame) {
            return crate::generator::close_frame(frame);
        }
    }
    Err(runtime_error("cannot clear an executing frame"))
}

static GETSET: &[GetSetRow] = &[
    getset_row(c"f_back", back, c""),
    getset_row(
        c"f_code",
        // SAFETY: a live frame.
        |f: &FrameObject| -> PyResult { Ok(unsafe { Frame::code(live(f)?) }.new_ref()) },
        c"",
    ),
    getset_row(
        c"f_globals",
        // SAFETY: a live frame.
        |f: &FrameObject| -> PyResult { Ok(unsafe { Object::borrow((*live(f)?).f_globals) }.new_ref()) },
        c"",
    ),
    getset_row(
        c"f_builtins",
        // SAFETY: a live frame.
        |f: &FrameObject| -> PyResult { Ok(unsafe { Object::borrow((*live(f)?).f_builtins) }.new_ref()) },
        c"",
    ),
    getset_row(c"f_locals", f_locals, c""),
    getset_row(
        c"f_lasti",
        // SAFETY: a live frame.
        |f: &FrameObject| -> PyResult { (unsafe { Frame::lasti(live(f)?) } * 2).into_py() },
        c"",
    ),
    getset_row(c"f_lineno", f_lineno, c"").with_setter(crate::monitor::jump::set_line),
    getset_row(c"f_generator", generator, c""),
    getset_row(
        c"f_trace",
        // SAFETY: the view guarantees the layout.
        |f: &FrameObject| unsafe { Object::borrow_opt((*f.raw()).f_trace).map(Object::new_ref) },
        c"",
    )
    .with_setter(crate::monitor::legacy::set_frame_trace),
    getset_row(
        c"f_trace_opcodes",
        // SAFETY: the view guarantees the layout.
        |f: &FrameObject| unsafe { (*f.raw()).f_trace_opcodes != 0 },
        c"",
    )
    .with_setter(crate::monitor::legacy::set_frame_opcodes),
];

taipan_object::methods! { static METHODS = {
    noargs "clear" "($self, /)" = clear_method, "Release the values that the frame's locals hold.";
} }

/// `frame`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[raw_dealloc(dealloc), raw_traverse(traverse), raw_clear(clear), tp_repr(repr)],
    methods: METHODS,
    getset: GETSET,
    members: &[Member::new(c"f_trace_lines", Py_T_BOOL, offset_of!(PyFrameObject, f_trace_lines), 0, c"")],
    ..TypeSpec::new(&PyFrame_Type)
};
