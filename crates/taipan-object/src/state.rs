//! Thread and interpreter state.
//!
//! Problem: several interpreters live in one process (PEP 684), C code reads a few words of the
//! thread state directly, and nearly every function needs the current thread. Idea: the thread
//! state begins with CPython's `PyThreadState` and continues with our own words; the current one is
//! a thread-local pointer (one load on x86-64), not a parameter. Everything that would be a
//! mutable static elsewhere is a field of [`InterpreterState`].
//!
//! Invariants: `current()` is non-null exactly on threads that hold their interpreter's lock;
//! `base.interp` never changes during a thread state's life.

use crate::callable::CFunction;
use crate::dict::Dict;
use crate::gc::GcState;
use crate::gil::Gil;
use crate::handle::{Object, Ref};
use crate::hooks::Hooks;
use crate::typeobject::TypeCacheEntry;
use core::any::{Any, TypeId};
use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::collections::HashMap;
use taipan_abi::{PyMethodDef, PyObject, PyThreadState};

/// Bits of `eval_breaker`: reasons for the interpreter loop to leave its fast path.
pub mod breaker {
    /// Another thread wants the interpreter lock.
    pub const GIL_DROP_REQUEST: usize = 1;
    /// A signal has arrived; its Python handler runs on the main thread.
    pub const SIGNALS_PENDING: usize = 2;
    /// A function was queued with `Py_AddPendingCall`.
    pub const CALLS_TO_DO: usize = 4;
    /// `PyThreadState_SetAsyncExc` left an exception for this thread.
    pub const ASYNC_EXCEPTION: usize = 8;
    /// The collector's threshold was crossed.
    pub const GC_SCHEDULED: usize = 16;
    /// Tools want events: code is to be brought up to date before it runs.
    pub const MONITORING: usize = 32;
}

/// How many blocks of one size a thread keeps for reuse.
pub const FREELIST_LIMIT: u32 = 256;
/// Blocks of 16 to 512 bytes, in steps of 16.
pub const FREELIST_CLASSES: usize = 33;

/// Free blocks of one size, linked through their first word.
#[derive(Clone, Copy)]
pub struct FreeList {
    pub head: *mut u8,
    pub count: u32,
}

/// What a running thread knows: CPython's public words first, then ours.
#[repr(C)]
pub struct ThreadState {
    pub base: PyThreadState,
    /// Stack addresses below this one leave too little room for another native call.
    pub stack_limit: usize,
    /// The lowest address that error handling may still use.
    pub stack_hard_limit: usize,
    /// True while the outermost deallocation empties `delete_later`.
    pub emptying_delete_later: bool,
    pub freelists: [FreeList; FREELIST_CLASSES],
    /// Containers whose `repr` is being made (PEP-less, `Py_ReprEnter`).
    pub repr_running: Vec<*mut PyObject>,
    /// Asynchronous requests to the loop; C's word `base.eval_breaker` mirrors it.
    pub eval_breaker: AtomicUsize,
}

impl ThreadState {
    /// The interpreter that the thread belongs to.
    #[inline(always)]
    pub fn interp(&self) -> &'static InterpreterState {
        // SAFETY: interpreters are leaked until every thread of theirs is gone.
        unsafe { &*self.base.interp.cast::<InterpreterState>() }
    }
}

/// What one interpreter knows. Fields are `Cell`s: the interpreter lock serialises access.
pub struct InterpreterState {
    pub id: u64,
    pub gil: Gil,
    pub gc: GcState,
    pub hooks: Cell<&'static Hooks>,
    /// `sys.modules`.
    pub modules: Ref<Dict>,
    /// The namespaces of `sys` and `builtins`, once those modules exist.
    pub sysdict: RefCell<Option<Ref<Dict>>>,
    pub builtins: RefCell<Option<Ref<Dict>>>,
    /// `importlib._bootstrap`, once it is installed.
    pub importlib: RefCell<Option<Ref>>,
    /// The initial `__import__`, to notice when Python code replaced it.
    pub import_func: RefCell<Option<Ref>>,
    pub next_thread_id: AtomicU64,
    pub next_type_version: Cell<u32>,
    pub next_func_version: Cell<u32>,
    pub next_keys_version: Cell<u32>,
    pub type_cache: Box<[Cell<TypeCacheEntry>]>,
    pub interned: RefCell<crate::intern::InternTable>,
    pub recursion_limit: Cell<i32>,
    pub int_max_str_digits: Cell<i32>,
    /// What imports tell of the time they take: 0 nothing, 1 each module loaded, 2 those found loaded as well.
    pub import_time: Cell<u8>,
    /// `-X dev`: names of encodings and error handlers are checked even where they are not needed.
    pub dev_mode: Cell<bool>,
    pub threads: RefCell<Vec<*mut ThreadState>>,
    pub finalizing: Cell<bool>,
    /// Builtin functions that the evaluator knows by heart.
    pub callables: KnownCallables,
    /// Codec search functions, cache and error handlers belong to the codecs room.
    pub audit_hooks: RefCell<Vec<Ref>>,
    /// The tools that watch the interpreter.
    pub monitoring: crate::monitoring::Monitoring,
    /// State of the rooms above, one value per type.
    extensions: RefCell<HashMap<TypeId, &'static dyn Any>>,
}

/// The definitions of builtin functions whose calls the evaluator does itself.
#[derive(Default)]
pub struct KnownCallables {
    len: Cell<Option<core::ptr::NonNull<PyMethodDef>>>,
    isinstance: Cell<Option<core::ptr::NonNull<PyMethodDef>>>,
    /// `all` and `any`, whose calls with a generator are compiled in line.
    common: RefCell<Vec<(&'static str, Ref)>>,
}

impl KnownCallables {
    /// Tells which functions they are.
    pub fn set(&self, len: &CFunction, isinstance: &CFunction) {
        self.len.set(core::ptr::NonNull::new(len.def_ptr()));
        self.isinstance.set(core::ptr::NonNull::new(isinstance.def_ptr()));
    }

    /// Keeps a function that code asks for by its meaning, not its name.
    pub fn keep(&self, name: &'static str, function: Ref) {
        self.common.borrow_mut().push((name, function));
    }

    /// A function kept before.
    pub fn builtin(&self, name: &crate::unicode::Str) -> Option<Ref> {
        self.common.borrow().iter().find(|(kept, _)| name.equals(kept)).map(|(_, function)| function.clone())
    }

    /// Whether this is `len`.
    #[inline(always)]
    pub fn is_len(&self, function: &CFunction) -> bool {
        core::ptr::NonNull::new(function.def_ptr()) == self.len.get()
    }

    /// Whether this is `isinstance`.
    #[inline(always)]
    pub fn is_isinstance(&self, function: &CFunction) -> bool {
        core::ptr::NonNull::new(function.def_ptr()) == self.isinstance.get()
    }
}

impl InterpreterState {
    /// The state that another room keeps per interpreter, made on first use.
    pub fn extension<T: Any>(&self, make: impl FnOnce() -> T) -> &'static T {
        let key = TypeId::of::<T>();
        if let Some(found) = self.extensions.borrow().get(&key) {
            return found.downcast_ref().unwrap_or_else(|| unreachable!("keyed by its own type"));
        }
        // Leaked on purpose: it lives as long as the interpreter, and making it may run Python code.
        let made: &'static T = Box::leak(Box::new(make()));
        self.extensions.borrow_mut().insert(key, made);
        made
    }

    /// A fresh interpreter with its lock not yet taken. It is never freed while threads may run.
    pub fn create(id: u64, hooks: &'static Hooks) -> &'static InterpreterState {
        Box::leak(Box::new(InterpreterState {
            id,
            gil: Gil::new(),
            gc: GcState::new(),
            hooks: Cell::new(hooks),
            modules: Dict::new_untracked(),
            sysdict: RefCell::new(None),
            builtins: RefCell::new(None),
            importlib: RefCell::new(None),
            import_func: RefCell::new(None),
            next_thread_id: AtomicU64::new(1),
            next_type_version: Cell::new(crate::typeobject::FIRST_DYNAMIC_VERSION),
            next_func_version: Cell::new(1),
            next_keys_version: Cell::new(1),
            type_cache: crate::typeobject::new_cache(),
            interned: RefCell::new(crate::intern::InternTable::default()),
            recursion_limit: Cell::new(1000),
            int_max_str_digits: Cell::new(4300),
            import_time: Cell::new(0),
            dev_mode: Cell::new(false),
            threads: RefCell::new(Vec::new()),
            finalizing: Cell::new(false),
            callables: KnownCallables::default(),
            audit_hooks: RefCell::new(Vec::new()),
            monitoring: crate::monitoring::Monitoring::default(),
            extensions: RefCell::new(HashMap::new()),
        }))
    }
}

thread_local! {
    static CURRENT: Cell<*mut ThreadState> = const { Cell::new(core::ptr::null_mut()) };
    static OWN: Cell<*mut ThreadState> = const { Cell::new(core::ptr::null_mut()) };
}

/// The state of the current thread; null when it holds no interpreter lock.
#[inline(always)]
pub fn current() -> *mut ThreadState {
    CURRENT.get()
}

/// The state of the current thread.
///
/// # Panics
/// In debug builds, when the thread is not attached: nobody without the lock can hold an object.
#[inline(always)]
pub fn thread() -> &'static ThreadState {
    debug_assert!(!current().is_null(), "no thread state is attached");
    // SAFETY: whoever touches objects is attached; the state outlives the attachment.
    unsafe { &*current() }
}

/// The current interpreter.
#[inline(always)]
pub fn interp() -> &'static InterpreterState {
    thread().interp()
}

/// The state that was last attached on this thread, attached or not; null if there never was one.
pub fn own() -> *mut ThreadState {
    OWN.get()
}

/// Forgets the thread's own state, which is about to be freed.
pub fn forget_own() {
    OWN.set(core::ptr::null_mut());
}

/// Sets the current thread's state; the interpreter lock has been taken or given up by the caller.
pub fn set_current(state: *mut ThreadState) {
    if !state.is_null() {
        OWN.set(state);
    }
    CURRENT.set(state);
}

/// Whether fewer than the reserved bytes of machine stack are left.
///
/// # Safety
/// `thread` is the current thread's state.
#[inline(always)]
pub unsafe fn stack_is_low(thread: *mut ThreadState) -> bool {
    let here = 0u8;
    // SAFETY: live by contract.
    unsafe { (&raw const here).addr() < (*thread).stack_limit }
}

/// How much of the current thread's stack native code may still use, in bytes.
pub fn stack_left() -> usize {
    let here = 0u8;
    // SAFETY: the current thread's own state.
    unsafe { (&raw const here).addr().saturating_sub((*current()).stack_limit) }
}

/// A result on its way from the thread that made it.
struct Handed<T>(T);

// SAFETY: the thread that made the value has ended when the value is looked at, and has kept nothing of it.
unsafe impl<T> Send for Handed<T> {}

/// Runs something that knows no Python objects and keeps nothing between its runs where it finds at least `need`
/// bytes of stack: here, or on a thread of its own. `None` when there can be no such thread.
pub fn with_stack<T>(need: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    if stack_left() >= need {
        return Some(work());
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(need + (1 << 20));
        let worker = builder.spawn_scoped(scope, || Handed(work())).ok()?;
        match worker.join() {
            Ok(Handed(made)) => Some(made),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Makes the state of a new thread of `interp`. It is not attached yet.
pub fn new_thread_state(interp: &'static InterpreterState) -> *mut ThreadState {
    // SAFETY: every field of these structs is valid when zero (null pointers, `None` functions).
    let mut base: PyThreadState = unsafe { core::mem::zeroed() };
    base.interp = core::ptr::from_ref(interp).cast_mut().cast();
    base.id = interp.next_thread_id.fetch_add(1, Ordering::Relaxed);
    base.what_event = -1;
    base.py_recursion_limit = interp.recursion_limit.get();
    base.py_recursion_remaining = base.py_recursion_limit;
    let state = Box::into_raw(Box::new(ThreadState {
        base,
        stack_limit: 0,
        stack_hard_limit: 0,
        emptying_delete_later: false,
        freelists: [FreeList { head: core::ptr::null_mut(), count: 0 }; FREELIST_CLASSES],
        repr_running: Vec::new(),
        eval_breaker: AtomicUsize::new(if interp.monitoring.is_active() { breaker::MONITORING } else { 0 }),
    }));
    // SAFETY: made just now; the exception stack points into the state itself.
    unsafe { (*state).base.exc_info = &raw mut (*state).base.exc_state };
    state
}

/// Sets how deep calls may nest in the current interpreter.
///
/// # Errors
/// The current depth, when the limit is not above it.
pub fn set_recursion_limit(limit: i32) -> Result<(), i32> {
    let thread = current();
    // SAFETY: the current thread's own state.
    unsafe {
        let depth = (*thread).base.py_recursion_limit - (*thread).base.py_recursion_remaining;
        if depth >= limit {
            return Err(depth);
        }
        interp().recursion_limit.set(limit);
        (*thread).base.py_recursion_limit = limit;
        (*thread).base.py_recursion_remaining = limit - depth;
    }
    Ok(())
}

/// Makes a thread state for the calling thread, tells it the bounds of its stack and attaches it.
pub fn attach_new_thread(interp: &'static InterpreterState, stack: Option<(usize, usize)>) {
    let state = new_thread_state(interp);
    // SAFETY: made just now for this very thread, on which nothing is attached.
    unsafe {
        if let Some((lowest, size)) = stack {
            set_stack_bounds(state, lowest, size);
        }
        crate::gil::attach(state);
    }
    interp.threads.borrow_mut().push(state);
}

/// Tells the state where the machine stack of its thread ends.
///
/// # Safety
/// `state` is live and belongs to the calling thread; `lowest` is the end of that thread's stack.
pub unsafe fn set_stack_bounds(state: *mut ThreadState, lowest: usize, size: usize) {
    let margin = (size / 8).clamp(64 << 10, 512 << 10);
    // SAFETY: live by contract.
    unsafe {
        (*state).stack_limit = lowest + margin;
        (*state).stack_hard_limit = lowest + margin / 4;
    }
}

/// How many levels of Python code are running on this thread.
pub fn recursion_depth() -> i32 {
    let base = &thread().base;
    base.py_recursion_limit - base.py_recursion_remaining
}

/// The `_PyErr_StackItem` that holds the exception being handled, if any: generators push items
/// of their own, so empty ones are skipped.
pub fn handled_exception() -> Option<Ref> {
    let mut item = thread().base.exc_info;
    // SAFETY: the chain consists of live items; values are null or objects.
    unsafe {
        while !item.is_null() {
            if let Some(value) = Object::borrow_opt((*item).exc_value)
                && !crate::singletons::is_none(value)
            {
                return Some(value.new_ref());
            }
            item = (*item).previous_item;
        }
    }
    None
}

/// The hooks of asynchronous generators on this thread: first iteration, finaliser.
pub fn async_gen_hooks() -> (Option<Ref>, Option<Ref>) {
    let thread = current();
    // SAFETY: the current thread's own state; the fields are null or own a reference.
    unsafe {
        (
            Object::borrow_opt((*thread).base.async_gen_firstiter).map(Object::new_ref),
            Object::borrow_opt((*thread).base.async_gen_finalizer).map(Object::new_ref),
        )
    }
}

/// Sets the hooks of asynchronous generators on this thread.
pub fn set_async_gen_hooks(first: Option<Ref>, finalizer: Option<Ref>) {
    let thread = current();
    // SAFETY: as above.
    unsafe {
        crate::handle::set_field(&raw mut (*thread).base.async_gen_firstiter, first);
        crate::handle::set_field(&raw mut (*thread).base.async_gen_finalizer, finalizer);
    }
}

/// Sets how many frames a coroutine remembers of where it was made.
pub fn set_coroutine_origin_tracking_depth(depth: i32) {
    // SAFETY: the current thread's own state.
    unsafe { (*current()).base.coroutine_origin_tracking_depth = depth }
}

/// The context that this thread runs in (PEP 567).
pub fn context() -> Option<Ref> {
    // SAFETY: the current thread's own state; the field is null or owns a reference.
    unsafe { Object::borrow_opt((*current()).base.context).map(Object::new_ref) }
}

/// Sets the context that this thread runs in.
pub fn set_context(context: Option<Ref>) {
    let thread = current();
    // SAFETY: as above.
    unsafe {
        (*thread).base.context_ver += 1;
        crate::handle::set_field(&raw mut (*thread).base.context, context);
    }
}

/// The dict that belongs to this thread (`PyThreadState_GetDict`).
///
/// # Errors
/// `MemoryError`.
pub fn thread_dict() -> crate::PyResult<Ref<Dict>> {
    let thread = current();
    // SAFETY: the current thread's own state; the field is null or owns a dict.
    unsafe {
        if let Some(found) = Object::borrow_opt((*thread).base.dict) {
            return Ok(Ref::of(found.cast::<Dict>()));
        }
        let made = Dict::new()?;
        crate::handle::set_field(&raw mut (*thread).base.dict, Some(made.clone().upcast()));
        Ok(made)
    }
}

/// Removes a key from the dicts of all threads.
pub fn forget_in_threads(key: &Object) {
    let threads = interp().threads.borrow().clone();
    for thread in threads {
        // SAFETY: the list holds live states only, and the lock is held.
        let dict =
            unsafe { Object::borrow_opt((*thread).base.dict).map(|dict| Ref::of(dict.cast::<Dict>())) };
        if let Some(dict) = dict {
            // The keys are ints: looking for them cannot fail.
            let _ = dict.remove(key);
        }
    }
}
