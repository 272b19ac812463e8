//! Interpreter frames, and the per-thread stack that they live on.
//!
//! A frame is a fixed head followed by the code's local variables, cells and operand stack. Frames of
//! running functions stand one behind the other in chunks of memory that belong to the thread, so a
//! Python call allocates nothing; the frame of a generator stands inside the generator object.
//! `PyFrameObject` is only a view that is made when somebody asks.
//!
//! Invariants: `f_executable` holds a code object; words of `localsplus` below the stack pointer are
//! valid stack words (possibly NULL for locals); a running frame's `stackpointer` is what it was when
//! it last called out.

use crate::code::Code;
use crate::stackref::StackRef;
use core::mem::offset_of;
use core::ptr::null_mut;
use taipan_abi::{_PyErr_StackItem, PyObject};
use taipan_object::dict::Dict;
use taipan_object::state::{self, ThreadState};
use taipan_object::{Object, PyResult, Ref};

/// Who owns a frame's memory (the numbers are CPython's).
pub const OWNED_BY_THREAD: u8 = 0;
pub const OWNED_BY_GENERATOR: u8 = 1;
pub const OWNED_BY_FRAME_OBJECT: u8 = 2;

/// Set in [`Frame::flags`]: returning from this frame leaves the loop.
pub const ENTRY: u8 = 1;
/// This frame runs an `__init__` whose result is checked and whose instance is pushed instead.
pub const INIT: u8 = 2;
/// A debugger has set the line: the frame goes on at its instruction pointer, whose line is no news.
pub const JUMPED: u8 = 4;

/// The head of a frame. The layout is that of CPython's `_PyInterpreterFrame`.
#[repr(C)]
pub struct Frame {
    pub f_executable: StackRef,
    pub previous: *mut Frame,
    pub f_funcobj: StackRef,
    /// Borrowed from the function.
    pub f_globals: *mut PyObject,
    pub f_builtins: *mut PyObject,
    /// Owned; null in functions.
    pub f_locals: *mut PyObject,
    /// Owned; null until somebody asks.
    pub frame_obj: *mut PyObject,
    /// The instruction being executed.
    pub instr_ptr: *mut u16,
    pub stackpointer: *mut StackRef,
    /// Code units from the call to the instruction after it.
    pub return_offset: u16,
    pub owner: u8,
    pub flags: u8,
    /// While an exception is raised again: the code unit where it came from first, counted from one.
    pub raised_at: u32,
}
const _: () = assert!(
    size_of::<Frame>() == 80 && offset_of!(Frame, owner) == 74 && offset_of!(Frame, stackpointer) == 64
);

/// Words of a frame's head.
pub const HEAD_WORDS: usize = size_of::<Frame>() / 8;

impl Frame {
    /// # Safety
    /// `this` is a live frame.
    #[inline(always)]
    pub unsafe fn locals(this: *mut Frame) -> *mut StackRef {
        // SAFETY: the words follow the head.
        unsafe { this.add(1).cast() }
    }

    /// # Safety
    /// `this` is a live frame.
    #[inline(always)]
    pub unsafe fn code<'a>(this: *mut Frame) -> &'a Code {
        // SAFETY: a frame keeps its code alive.
        unsafe { (*this).f_executable.object().cast() }
    }

    /// # Safety
    /// `this` is a live frame.
    #[inline(always)]
    pub unsafe fn stack_base(this: *mut Frame) -> *mut StackRef {
        // SAFETY: the operand stack follows the locals.
        unsafe { Self::locals(this).add(Self::code(this).nlocalsplus()) }
    }

    /// The offset of the current instruction in code units.
    ///
    /// # Safety
    /// `this` is a live frame.
    pub unsafe fn lasti(this: *mut Frame) -> isize {
        // SAFETY: the pointer stands in the frame's own code.
        unsafe { (*this).instr_ptr.offset_from(Self::code(this).instructions()) }
    }

    /// The line being executed.
    ///
    /// # Safety
    /// `this` is a live frame.
    pub unsafe fn line(this: *mut Frame) -> Option<i32> {
        // SAFETY: by contract.
        unsafe {
            let lasti = Self::lasti(this);
            Self::code(this).line_of(lasti.max(0) as usize)
        }
    }

    /// The globals as a handle.
    ///
    /// # Safety
    /// `this` is a live frame.
    pub unsafe fn globals<'a>(this: *mut Frame) -> &'a Dict {
        // SAFETY: globals are a dict (checked when the function is made), kept alive by the function.
        unsafe { Object::borrow((*this).f_globals).cast() }
    }
}

const CHUNK_WORDS: usize = 1 << 14;

/// A piece of a thread's frame stack.
#[repr(C)]
struct Chunk {
    previous: *mut Chunk,
    words: usize,
    /// The top of the chunk before this one when this one was begun.
    saved_top: *mut usize,
}
const CHUNK_HEAD: usize = size_of::<Chunk>() / 8;

/// Takes `words` words from the thread's frame stack; null without memory.
///
/// # Safety
/// `thread` is the current thread's state.
#[inline(always)]
pub unsafe fn push_words(thread: *mut ThreadState, words: usize) -> *mut usize {
    // SAFETY: top and limit bound the free part of the current chunk.
    unsafe {
        let top = (*thread).base.datastack_top.cast::<usize>();
        let free = ((*thread).base.datastack_limit.addr() - top.addr()) / 8;
        if !top.is_null() && words <= free {
            (*thread).base.datastack_top = top.add(words).cast();
            return top;
        }
        push_chunk(thread, words)
    }
}

#[cold]
unsafe fn push_chunk(thread: *mut ThreadState, words: usize) -> *mut usize {
    // SAFETY: a fresh block becomes the current chunk.
    unsafe {
        let size = (words + CHUNK_HEAD).max(CHUNK_WORDS);
        let block = taipan_object::alloc::malloc(size * 8);
        if block.is_null() {
            return null_mut();
        }
        let chunk = block.cast::<Chunk>();
        (*chunk).previous = (*thread).base.datastack_chunk.cast();
        (*chunk).words = size;
        (*chunk).saved_top = (*thread).base.datastack_top.cast();
        let first = block.cast::<usize>().add(CHUNK_HEAD);
        (*thread).base.datastack_chunk = chunk.cast();
        (*thread).base.datastack_limit = block.cast::<usize>().add(size).cast();
        (*thread).base.datastack_top = first.add(words).cast();
        first
    }
}

/// Gives back everything from `base` on.
///
/// # Safety
/// `base` was the last piece taken from the current thread's stack.
#[inline(always)]
pub unsafe fn pop_words(thread: *mut ThreadState, base: *mut usize) {
    // SAFETY: by contract.
    unsafe {
        let chunk = (*thread).base.datastack_chunk.cast::<Chunk>();
        if base != chunk.cast::<usize>().add(CHUNK_HEAD) || (*chunk).previous.is_null() {
            (*thread).base.datastack_top = base.cast();
            return;
        }
        pop_chunk(thread, chunk);
    }
}

#[cold]
unsafe fn pop_chunk(thread: *mut ThreadState, chunk: *mut Chunk) {
    // SAFETY: the chunk is empty and there is one before it.
    unsafe {
        let previous = (*chunk).previous;
        (*thread).base.datastack_chunk = previous.cast();
        (*thread).base.datastack_top = (*chunk).saved_top.cast();
        (*thread).base.datastack_limit = previous.cast::<usize>().add((*previous).words).cast();
        taipan_object::alloc::free(chunk.cast());
    }
}

/// A new frame for `function`, with all locals NULL. The frame takes over `function`.
///
/// # Safety
/// `function` is a Python function; the frame is popped with [`pop_frame`].
/// # Errors
/// `MemoryError`.
#[inline(always)]
pub unsafe fn push_frame(
    thread: *mut ThreadState,
    function: StackRef,
    code: &Code,
    previous: *mut Frame,
) -> Option<*mut Frame> {
    // SAFETY: room for head, locals and stack is taken before anything is written.
    unsafe {
        let frame = push_words(thread, code.framesize()).cast::<Frame>();
        if frame.is_null() {
            return None;
        }
        init_frame(frame, function, code, previous);
        Some(frame)
    }
}

/// Writes the head of a frame and clears its locals.
///
/// # Safety
/// `frame` has room for the code's frame size.
#[inline(always)]
pub unsafe fn init_frame(frame: *mut Frame, function: StackRef, code: &Code, previous: *mut Frame) {
    // SAFETY: room by contract.
    unsafe {
        init_head(frame, function, code, previous);
        let locals = Frame::locals(frame);
        for index in 0..code.nlocalsplus() {
            locals.add(index).write(StackRef::NULL);
        }
    }
}

/// Writes the head of a frame; its locals are the caller's to write.
///
/// # Safety
/// As [`init_frame`].
#[inline(always)]
pub unsafe fn init_head(frame: *mut Frame, function: StackRef, code: &Code, previous: *mut Frame) {
    // SAFETY: room by contract; the function keeps globals and builtins alive.
    unsafe {
        let func: &crate::function::Function = function.object().cast();
        let raw = func.raw();
        frame.write(Frame {
            f_executable: StackRef::owned(code.new_ref()),
            previous,
            f_funcobj: function,
            f_globals: (*raw).func_globals,
            f_builtins: (*raw).func_builtins,
            f_locals: null_mut(),
            frame_obj: null_mut(),
            instr_ptr: code.instructions(),
            stackpointer: Frame::locals(frame).add(code.nlocalsplus()),
            return_offset: 0,
            owner: OWNED_BY_THREAD,
            flags: 0,
            raised_at: 0,
        });
    }
}

/// Releases what a frame holds; its frame object, if any, takes over what it needs first.
///
/// # Safety
/// The frame is not running any more; `stackpointer` bounds its live words.
#[inline(always)]
pub unsafe fn clear_frame(frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        if !(*frame).frame_obj.is_null() && !crate::frame_object::take_over(frame) {
            return;
        }
        let locals = Frame::locals(frame);
        let end = (*frame).stackpointer;
        // The stack pointer goes down first: releasing can run code that looks at this frame.
        let mut word = locals;
        (*frame).stackpointer = locals;
        while word < end {
            let value = word.replace(StackRef::NULL);
            value.close();
            word = word.add(1);
        }
        let f_locals = core::mem::replace(&mut (*frame).f_locals, null_mut());
        taipan_object::refcount::xdecref(f_locals);
        (*frame).f_funcobj.close();
        (*frame).f_executable.close();
    }
}

/// Clears a frame of the thread's stack and gives its memory back.
///
/// # Safety
/// The frame is the last one on the current thread's stack.
#[inline(always)]
pub unsafe fn pop_frame(thread: *mut ThreadState, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        clear_frame(frame);
        pop_words(thread, frame.cast());
    }
}

/// The frame that the current thread runs; null when it runs none.
pub fn current_frame() -> *mut Frame {
    // SAFETY: attached, so the state is live.
    unsafe { (*state::current()).base.current_frame.cast() }
}

/// The nearest frame of Python code whose globals a native function may ask for.
pub fn current_globals() -> Option<Ref<Dict>> {
    let frame = current_frame();
    if frame.is_null() {
        return None;
    }
    // SAFETY: the current frame is live.
    unsafe { Some(Ref::of(Frame::globals(frame))) }
}

/// The builtins of the same code; without such code the interpreter's.
pub fn current_builtins() -> Option<Ref> {
    let frame = current_frame();
    if frame.is_null() {
        return state::interp().builtins.borrow().clone().map(Ref::upcast);
    }
    // SAFETY: the current frame is live, and keeps its builtins.
    unsafe { Object::borrow_opt((*frame).f_builtins).map(Object::new_ref) }
}

/// Counts a level of recursion of Python code.
///
/// # Safety
/// `thread` is the current thread's state.
#[inline(always)]
pub unsafe fn enter_recursion(thread: *mut ThreadState) -> PyResult<()> {
    // SAFETY: by contract.
    unsafe {
        (*thread).base.py_recursion_remaining -= 1;
        if (*thread).base.py_recursion_remaining < 0 {
            return Err(recursion_error(thread));
        }
    }
    Ok(())
}

#[cold]
unsafe fn recursion_error(thread: *mut ThreadState) -> taipan_object::PyErr {
    // Making the exception may itself run Python code: it gets some room.
    // SAFETY: by contract of the caller.
    unsafe {
        (*thread).base.py_recursion_remaining += 50;
        let error = taipan_object::err::recursion_error("maximum recursion depth exceeded");
        (*thread).base.py_recursion_remaining -= 50;
        error
    }
}

/// Leaves a level of recursion.
///
/// # Safety
/// `thread` is the current thread's state.
#[inline(always)]
pub unsafe fn leave_recursion(thread: *mut ThreadState) {
    // SAFETY: by contract.
    unsafe { (*thread).base.py_recursion_remaining += 1 }
}

/// The item on the thread's stack of handled exceptions that generators exchange.
pub type StackItem = _PyErr_StackItem;

/// Class and instance for `super()` without arguments: the `__class__` cell of the running function
/// and its first argument.
///
/// # Errors
/// `RuntimeError` where there is no such thing.
pub fn current_super_args() -> PyResult<(Ref, Ref)> {
    use taipan_abi::PyCellObject;
    use taipan_object::err::runtime_error;
    let frame = current_frame();
    if frame.is_null() {
        return Err(runtime_error("super(): no current frame"));
    }
    // SAFETY: the current frame is live; cells are checked by their type.
    unsafe {
        let code = Frame::code(frame);
        if code.argcount() == 0 {
            return Err(runtime_error("super(): no arguments"));
        }
        let Some(object) = crate::frame_object::local_value(frame, 0) else {
            return Err(runtime_error("super(): arg[0] deleted"));
        };
        let kinds = code.localspluskinds();
        for (index, kind) in kinds.iter().enumerate().take(code.nlocalsplus()) {
            if kind & taipan_bytecode::CO_FAST_FREE == 0 || !code.local_name(index).equals("__class__") {
                continue;
            }
            let cell = (*Frame::locals(frame).add(index)).ptr().cast::<PyCellObject>();
            return match Object::borrow_opt((*cell).ob_ref) {
                Some(class) if class.downcast::<taipan_object::Type>().is_some() => {
                    Ok((class.new_ref(), object))
                }
                Some(class) => Err(runtime_error(&format!(
                    "super(): __class__ is not a type ({})",
                    class.ty().message_name()
                ))),
                None => Err(runtime_error("super(): empty __class__ cell")),
            };
        }
    }
    Err(runtime_error("super(): __class__ cell not found"))
}

/// Gives back the data stack of a thread that ends.
///
/// # Safety
/// No frame of the thread lives on the stack any more.
pub unsafe fn release_data_stack(thread: *mut ThreadState) {
    // SAFETY: by contract nothing points into the chunks.
    unsafe {
        let mut chunk = (*thread).base.datastack_chunk.cast::<Chunk>();
        (*thread).base.datastack_chunk = null_mut();
        (*thread).base.datastack_top = null_mut();
        (*thread).base.datastack_limit = null_mut();
        while !chunk.is_null() {
            let previous = (*chunk).previous;
            taipan_object::alloc::free(chunk.cast());
            chunk = previous;
        }
    }
}
