//! `_thread`: threads, locks and thread handles.
//!
//! A lock is a flag and a condition variable outside of any object; waiting for it lets go of the
//! interpreter lock. The main thread waits in short turns, so that signals are heard meanwhile.

use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use taipan_object::dict::Dict;
use taipan_object::err::{runtime_error, type_error, value_error};
use taipan_object::float::Float;
use taipan_object::gil::allow_threads;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{
    Object, PyErr, PyResult, Ref, Type, err, intern, payload, protocol, raise, state, typeobject,
};

/// The longest wait in seconds that locks take.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;
/// How long the main thread waits before it looks for signals.
const TURN: Duration = Duration::from_millis(20);

/// A flag that threads can wait for: a lock, or the end of a thread.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    /// Threads that wait; changed while `closed` is locked. Nobody is woken when there is nobody: that is a
    /// call of the system.
    waiting: AtomicUsize,
}

impl Gate {
    fn guard(&self) -> MutexGuard<'_, bool> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the gate if it is open.
    fn try_close(&self) -> bool {
        let mut closed = self.guard();
        !core::mem::replace(&mut *closed, true)
    }

    /// Opens the gate; false if it was open already.
    fn open(&self) -> bool {
        let mut closed = self.guard();
        let was = core::mem::replace(&mut *closed, false);
        let waiting = self.waiting.load(Ordering::Relaxed);
        drop(closed);
        if waiting > 0 {
            self.opened.notify_one();
        }
        was
    }

    fn open_for_all(&self) {
        *self.guard() = false;
        self.opened.notify_all();
    }

    /// Waits until the gate is open, at most so long; closes it again if `take`. True when it was open.
    fn wait(&self, timeout: Option<Duration>, take: bool) -> PyResult<bool> {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let main = is_main_thread();
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let turn = match (left, main) {
                (Some(left), true) => Some(left.min(TURN)),
                (None, true) => Some(TURN),
                (left, false) => left,
            };
            let got = allow_threads(|| {
                let mut closed = self.guard();
                if *closed {
                    self.waiting.fetch_add(1, Ordering::Relaxed);
                    closed = match turn {
                        Some(turn) => {
                            self.opened
                                .wait_timeout_while(closed, turn, |closed| *closed)
                                .unwrap_or_else(PoisonError::into_inner)
                                .0
                        }
                        None => self
                            .opened
                            .wait_while(closed, |closed| *closed)
                            .unwrap_or_else(PoisonError::into_inner),
                    };
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                let free = !*closed;
                if free && take {
                    *closed = true;
                }
                free
            });
            if got {
                return Ok(true);
            }
            if main {
                (state::interp().hooks.get().check_signals)()?;
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(false);
            }
        }
    }
}

/// What an interpreter knows of its threads.
#[derive(Default)]
pub(crate) struct Threads {
    /// The system's handle of the main thread.
    pub main: Cell<u64>,
    stack_size: Cell<usize>,
    running: Cell<usize>,
    /// How many thread-local objects were made.
    locals: Cell<u64>,
    /// Threads that the end of the interpreter waits for.
    awaited: RefCell<Vec<Arc<Done>>>,
}

pub(crate) fn threads() -> &'static Threads {
    state::interp().extension(Threads::default)
}

/// Whether this is the thread that signals are handled on.
pub(crate) fn is_main_thread() -> bool {
    threads().main.get() == taipan_os::signals::thread_ident()
}

/// `blocking` and `timeout` of `acquire`: how long to wait, `None` for ever.
fn timeout_of(blocking: bool, timeout: &Object) -> PyResult<Option<Duration>> {
    let seconds = timeout.to_f64()?;
    if seconds.is_nan() {
        return Err(value_error("Invalid value NaN (not a number)"));
    }
    if !blocking {
        if seconds != -1.0 {
            return Err(value_error("can't specify a timeout for a non-blocking call"));
        }
        return Ok(Some(Duration::ZERO));
    }
    if seconds == -1.0 {
        return Ok(None);
    }
    if seconds < 0.0 {
        return Err(value_error("timeout value must be a non-negative number"));
    }
    if seconds > TIMEOUT_MAX {
        return Err(raise!(PyExc_OverflowError, "timeout value is too large"));
    }
    Ok(Some(Duration::from_secs_f64(seconds)))
}

fn acquire_timeout(args: &Args<'_>) -> PyResult<Option<Duration>> {
    let blocking = args.bool_or(0, true)?;
    match args.get(1) {
        Some(timeout) => timeout_of(blocking, timeout),
        None => Ok(if blocking { None } else { Some(Duration::ZERO) }),
    }
}

// Locks.

struct Lock {
    gate: Arc<Gate>,
}

static LOCK: StaticType = StaticType::native(c"_thread.lock", Native::<Lock>::SIZE, 0);
impl Payload for Lock {
    const TYPE: &'static StaticType = &LOCK;
}
type LockView = Native<Lock>;

fn new_lock() -> PyResult<Ref<LockView>> {
    native_new(&LOCK, Lock { gate: Arc::new(Gate::default()) })
}

fn lock_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref> {
    if !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("lock() takes no arguments"));
    }
    Ok(new_lock()?.upcast())
}

fn lock_acquire(lock: &LockView, args: &Args<'_>) -> PyResult<bool> {
    let timeout = acquire_timeout(args)?;
    if lock.gate.try_close() {
        return Ok(true);
    }
    if timeout == Some(Duration::ZERO) {
        return Ok(false);
    }
    let gate = lock.gate.clone();
    gate.wait(timeout, true)
}

fn lock_release(lock: &LockView) -> PyResult<()> {
    if lock.gate.open() { Ok(()) } else { Err(runtime_error("release unlocked lock")) }
}

fn lock_exit(lock: &LockView, _: &Args<'_>) -> PyResult<()> {
    lock_release(lock)
}

fn lock_after_fork(lock: &LockView) {
    lock.gate.open_for_all();
}

fn lock_repr(lock: &LockView) -> String {
    let object = lock.object();
    let word = if *lock.gate.guard() { "locked" } else { "unlocked" };
    format!("<{word} {} object at {:#x}>", "_thread.lock", object.as_ptr().addr())
}

taipan_object::methods! { static LOCK_METHODS = {
    args "acquire" "($self, /, blocking=True, timeout=-1)" = lock_acquire, "Take the lock, waiting if it is taken; whether it was got.";
    args "acquire_lock" "($self, /, blocking=True, timeout=-1)" = lock_acquire, "An old name of acquire().";
    noargs "release" "($self, /)" = lock_release, "Give the lock back; any thread may.";
    noargs "release_lock" "($self, /)" = lock_release, "An old name of release().";
    noargs "locked" "($self, /)" = |lock: &LockView| *lock.gate.guard(), "Whether the lock is taken.";
    noargs "locked_lock" "($self, /)" = |lock: &LockView| *lock.gate.guard(), "An old name of locked().";
    args "__enter__" "($self, /, blocking=True, timeout=-1)" = lock_acquire, "Take the lock.";
    args "__exit__" "($self, exc_type=None, exc_value=None, exc_tb=None, /)" = lock_exit, "Give the lock back.";
    noargs "_at_fork_reinit" "($self, /)" = lock_after_fork, "Make the lock free in a forked child.";
} }

static LOCK_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"lock()\n--\n\nA lock that any thread can take and any thread give back."),
    slots: &[LockView::DEALLOC, tp_new(lock_new), tp_repr(lock_repr)],
    methods: LOCK_METHODS,
    ..TypeSpec::new(&LOCK)
};

// Locks that their owner may take again.

#[derive(Default)]
struct RLock {
    gate: Arc<Gate>,
    owner: Cell<u64>,
    depth: Cell<u64>,
}

static RLOCK: StaticType =
    StaticType::native(c"_thread.RLock", Native::<RLock>::SIZE, taipan_object::abi::Py_TPFLAGS_BASETYPE);
impl Payload for RLock {
    const TYPE: &'static StaticType = &RLOCK;
}
type RLockView = Native<RLock>;

/// Arguments are of no use, but allowed.
fn rlock_new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref> {
    Ok(native_new(ty, RLock::default())?.upcast())
}

fn is_mine(lock: &RLockView) -> bool {
    lock.depth.get() > 0 && lock.owner.get() == taipan_os::signals::thread_ident()
}

fn rlock_acquire(lock: &RLockView, args: &Args<'_>) -> PyResult<bool> {
    let timeout = acquire_timeout(args)?;
    if is_mine(lock) {
        lock.depth.set(lock.depth.get() + 1);
        return Ok(true);
    }
    let gate = lock.gate.clone();
    let got = gate.try_close() || (timeout != Some(Duration::ZERO) && gate.wait(timeout, true)?);
    if got {
        lock.owner.set(taipan_os::signals::thread_ident());
        lock.depth.set(1);
    }
    Ok(got)
}

fn rlock_release(lock: &RLockView) -> PyResult<()> {
    if !is_mine(lock) {
        return Err(runtime_error("cannot release un-acquired lock"));
    }
    lock.depth.set(lock.depth.get() - 1);
    if lock.depth.get() == 0 {
        lock.owner.set(0);
        lock.gate.open();
    }
    Ok(())
}

/// Gives the lock up whatever its depth, for condition variables.
fn rlock_release_save(lock: &RLockView) -> PyResult<Ref<Tuple>> {
    if lock.depth.get() == 0 {
        return Err(runtime_error("cannot release un-acquired lock"));
    }
    let (depth, owner) = (lock.depth.replace(0), lock.owner.replace(0));
    lock.gate.open();
    Tuple::from_array([Int::from_u64(depth).upcast(), Int::from_u64(owner).upcast()])
}

fn rlock_acquire_restore(lock: &RLockView, state: &Object) -> PyResult<()> {
    let Some([depth, owner]) = state.downcast::<Tuple>().map(Tuple::items) else {
        return Err(type_error("_acquire_restore() argument 1 must be 2-item tuple"));
    };
    let (depth, owner) = (depth.to_i64_wrapping()?.cast_unsigned(), owner.to_i64_wrapping()?.cast_unsigned());
    let gate = lock.gate.clone();
    if !gate.try_close() {
        while !gate.wait(None, true)? {}
    }
    lock.owner.set(owner);
    lock.depth.set(depth);
    Ok(())
}

fn rlock_exit(lock: &RLockView, _: &Args<'_>) -> PyResult<()> {
    rlock_release(lock)
}

fn rlock_after_fork(lock: &RLockView) {
    lock.gate.open_for_all();
    lock.owner.set(0);
    lock.depth.set(0);
}

fn rlock_repr(lock: &RLockView) -> String {
    let object = lock.object();
    let word = if lock.depth.get() > 0 { "locked" } else { "unlocked" };
    format!(
        "<{word} {} object owner={} count={} at {:#x}>",
        object.ty().message_name(),
        lock.owner.get(),
        lock.depth.get(),
        object.as_ptr().addr()
    )
}

taipan_object::methods! { static RLOCK_METHODS = {
    args "acquire" "($self, /, blocking=True, timeout=-1)" = rlock_acquire, "Take the lock once more, waiting if another thread has it.";
    noargs "release" "($self, /)" = rlock_release, "Give the lock back once.";
    noargs "locked" "($self, /)" = |lock: &RLockView| lock.depth.get() > 0, "Whether some thread has the lock.";
    args "__enter__" "($self, /, blocking=True, timeout=-1)" = rlock_acquire, "Take the lock.";
    args "__exit__" "($self, exc_type=None, exc_value=None, exc_tb=None, /)" = rlock_exit, "Give the lock back.";
    noargs "_is_owned" "($self, /)" = is_mine, "Whether this thread has the lock.";
    noargs "_recursion_count" "($self, /)" = |lock: &RLockView| if is_mine(lock) { lock.depth.get() } else { 0 }, "How often this thread has taken the lock.";
    noargs "_release_save" "($self, /)" = rlock_release_save, "Give the lock up and tell how to take it back.";
    one "_acquire_restore" "($self, state, /)" = rlock_acquire_restore, "Take the lock as it was.";
    noargs "_at_fork_reinit" "($self, /)" = rlock_after_fork, "Make the lock free in a forked child.";
} }

static RLOCK_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"RLock()\n--\n\nA lock that its owner may take again."),
    slots: &[RLockView::DEALLOC, tp_new(rlock_new), tp_repr(rlock_repr)],
    methods: RLOCK_METHODS,
    ..TypeSpec::new(&RLOCK)
};

// Variables of each thread.

/// An object whose attributes every thread has for itself. Each thread's attributes stand in the thread's
/// own dict under the object's number; before an access the right ones are put in place.
pub struct Local {
    number: u64,
    args: Ref<Tuple>,
    kwargs: Field,
}
payload!(
    Local,
    LOCAL,
    c"_thread._local",
    GC_BASE | taipan_object::abi::Py_TPFLAGS_MANAGED_DICT | taipan_object::abi::Py_TPFLAGS_MANAGED_WEAKREF,
    [args, kwargs]
);
type LocalView = Native<Local>;

impl Drop for Local {
    fn drop(&mut self) {
        state::forget_in_threads(&Int::from_u64(self.number));
    }
}

fn local_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let given = !args.is_empty() || kwargs.is_some_and(|kwargs| !kwargs.is_empty());
    let init = intern!("__init__");
    let own = match (ty.lookup(init), PyBaseObject_Type.lookup(init)) {
        (Some(own), Some(plain)) => !own.is(&plain),
        _ => false,
    };
    if given && !own {
        return Err(type_error("Initialization arguments are not supported"));
    }
    let all = threads();
    all.locals.set(all.locals.get() + 1);
    let kwargs = match kwargs {
        Some(kwargs) => Some(kwargs.copy()?.upcast()),
        None => None,
    };
    let local = Local { number: all.locals.get(), args: Ref::of(args), kwargs: Field::new(kwargs) };
    let made = native_new(ty, local)?;
    // The thread that makes the object runs `__init__` in the ordinary way.
    let dict = Dict::new()?;
    state::thread_dict()?.set(&Int::from_u64(made.number), &dict)?;
    Ok(made.upcast())
}

/// Puts this thread's attributes in place; another thread's first access runs `__init__`.
fn switch(local: &LocalView) -> PyResult<()> {
    let key = Int::from_u64(local.number);
    let all = state::thread_dict()?;
    if let Some(found) = all.get(&key)? {
        taipan_object::instance::set_dict(local.object(), found.downcast::<Dict>())?;
        return Ok(());
    }
    let dict = Dict::new()?;
    all.set(&key, &dict)?;
    taipan_object::instance::set_dict(local.object(), Some(&dict))?;
    let object = local.object();
    let Some(init) = object.ty().lookup(intern!("__init__")) else { return Ok(()) };
    if PyBaseObject_Type.lookup(intern!("__init__")).is_some_and(|plain| plain.is(&init)) {
        return Ok(());
    }
    let kwargs = local.kwargs.get().and_then(|kwargs| kwargs.downcast_owned::<Dict>().ok());
    let mut args = vec![object];
    args.extend(local.args.items());
    if let Err(error) = protocol::call_with_dict(&init, &*Tuple::from_refs(&args)?, kwargs.as_deref()) {
        all.remove(&key)?;
        return Err(error);
    }
    taipan_object::instance::set_dict(object, Some(&dict))?;
    Ok(())
}

fn local_get(local: &LocalView, name: &Object) -> PyResult {
    switch(local)?;
    taipan_object::instance::generic_getattr(local.object(), name)
}

fn local_set(local: &LocalView, name: &Object, value: Option<&Object>) -> PyResult<()> {
    if name.downcast::<Str>().is_some_and(|name| name.equals("__dict__")) {
        return Err(raise!(
            PyExc_AttributeError,
            "'{}' object attribute '__dict__' is read-only",
            local.object().ty().message_name()
        ));
    }
    switch(local)?;
    taipan_object::instance::generic_setattr(local.object(), name, value)
}

static LOCAL_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"_local()\n--\n\nAn object whose attributes every thread has for itself."),
    slots: &[
        LocalView::DEALLOC,
        LocalView::TRAVERSE,
        LocalView::CLEAR,
        tp_new(local_new),
        tp_getattro(local_get),
        tp_setattro(local_set),
    ],
    getset: &[getset_row(
        c"__dict__",
        |local: &LocalView| -> PyResult<Option<Ref<Dict>>> {
            taipan_object::instance::dict_of(local.object())
        },
        c"this thread's attributes",
    )],
    ..TypeSpec::new(&LOCAL)
};

// Threads.

/// How a thread that others may wait for is doing.
#[derive(Default)]
struct Done {
    gate: Gate,
    ident: std::sync::atomic::AtomicU64,
}

impl Done {
    fn is_over(&self) -> bool {
        !*self.gate.guard()
    }
}

struct Handle {
    done: RefCell<Option<Arc<Done>>>,
}

static HANDLE: StaticType = StaticType::native(c"_thread._ThreadHandle", Native::<Handle>::SIZE, 0);
impl Payload for Handle {
    const TYPE: &'static StaticType = &HANDLE;
}
type HandleView = Native<Handle>;

fn handle_new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref> {
    Ok(native_new(ty, Handle { done: RefCell::new(None) })?.upcast())
}

fn handle_ident(handle: &HandleView) -> u64 {
    handle.done.borrow().as_ref().map_or(0, |done| done.ident.load(Ordering::Relaxed))
}

fn handle_join(handle: &HandleView, args: &Args<'_>) -> PyResult<()> {
    let timeout = match args.get_some(0) {
        None => None,
        Some(timeout) => {
            let seconds = timeout.to_f64()?;
            // Negative times mean for ever, as in CPython.
            if seconds < 0.0 { None } else { timeout_of(true, timeout)? }
        }
    };
    let Some(done) = handle.done.borrow().clone() else { return Err(runtime_error("thread not started")) };
    if done.is_over() {
        return Ok(());
    }
    if done.ident.load(Ordering::Relaxed) == taipan_os::signals::thread_ident() {
        return Err(runtime_error("Cannot join current thread"));
    }
    if state::interp().finalizing.get() {
        // The thread does not run any more, so it cannot end either.
        return Err(raise!(PyExc_PythonFinalizationError, "cannot join thread at interpreter shutdown"));
    }
    done.gate.wait(timeout, false)?;
    Ok(())
}

fn handle_is_done(handle: &HandleView) -> bool {
    handle.done.borrow().as_ref().is_some_and(|done| done.is_over())
}

fn handle_set_done(handle: &HandleView) -> PyResult<()> {
    match &*handle.done.borrow() {
        Some(done) => {
            done.gate.open_for_all();
            Ok(())
        }
        None => Err(runtime_error("thread not started")),
    }
}

taipan_object::methods! { static HANDLE_METHODS = {
    args "join" "($self, timeout=None, /)" = handle_join, "Wait until the thread has ended.";
    noargs "is_done" "($self, /)" = handle_is_done, "Whether the thread has ended.";
    noargs "_set_done" "($self, /)" = handle_set_done, "Count the thread as ended.";
} }

static HANDLE_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A thread that can be joined."),
    slots: &[
        HandleView::DEALLOC,
        tp_new(handle_new),
        tp_repr(|handle: &HandleView| {
            format!("<{} object: ident={}>", handle.object().ty().name(), handle_ident(handle))
        }),
    ],
    methods: HANDLE_METHODS,
    getset: &[getset_row(c"ident", handle_ident, c"the thread's number")],
    ..TypeSpec::new(&HANDLE)
};

/// Starts a thread that calls `function`.
fn start(
    function: &Object,
    args: Ref<Tuple>,
    kwargs: Option<Ref<Dict>>,
    done: Arc<Done>,
    awaited: bool,
) -> PyResult<()> {
    if state::interp().finalizing.get() {
        return Err(raise!(PyExc_PythonFinalizationError, "can't create new thread at interpreter shutdown"));
    }
    let all = threads();
    done.gate.try_close();
    let started = Arc::new(Gate::default());
    started.try_close();
    if awaited {
        all.awaited.borrow_mut().push(done.clone());
    }
    all.running.set(all.running.get() + 1);
    let (function, in_thread, told) = (function.new_ref(), done.clone(), started.clone());
    let job = move || {
        in_thread.ident.store(taipan_os::signals::thread_ident(), Ordering::Relaxed);
        told.open_for_all();
        if let Err(error) = protocol::call_with_dict(&function, &args, kwargs.as_deref())
            && !error.is(&PyExc_SystemExit)
        {
            err::write_unraisable_at(error, "Exception ignored in thread started by", &function);
        }
        drop((function, args, kwargs));
        let all = threads();
        all.running.set(all.running.get().saturating_sub(1));
        all.awaited.borrow_mut().retain(|other| !Arc::ptr_eq(other, &in_thread));
        in_thread.gate.open_for_all();
    };
    let spawned = taipan_object::threads::spawn(
        all.stack_size.get(),
        taipan_os::stack_bounds,
        taipan_eval::end_thread,
        job,
    );
    if spawned.is_err() {
        all.running.set(all.running.get().saturating_sub(1));
        all.awaited.borrow_mut().retain(|other| !Arc::ptr_eq(other, &done));
        done.gate.open_for_all();
        return Err(runtime_error("can't start new thread"));
    }
    while !started.wait(None, false)? {}
    Ok(())
}

fn start_new_thread(_: &Object, given: &[&Object]) -> PyResult<u64> {
    let (function, args, kwargs) = match given {
        [function, args] => (function, args, None),
        [function, args, kwargs] => (function, args, Some(kwargs)),
        _ => {
            return Err(raise!(
                PyExc_TypeError,
                "start_new_thread expected at {} arguments, got {}",
                if given.len() < 2 { "least 2" } else { "most 3" },
                given.len()
            ));
        }
    };
    if !function.is_callable() {
        return Err(type_error("first arg must be callable"));
    }
    let Some(args) = args.downcast::<Tuple>() else { return Err(type_error("2nd arg must be a tuple")) };
    let kwargs = match kwargs {
        None => None,
        Some(kwargs) => match kwargs.downcast::<Dict>() {
            Some(kwargs) => Some(Ref::of(kwargs)),
            None => return Err(type_error("optional 3rd arg must be a dictionary")),
        },
    };
    let done = Arc::new(Done::default());
    start(function, Ref::of(args), kwargs, done.clone(), false)?;
    Ok(done.ident.load(Ordering::Relaxed))
}

fn start_joinable_thread(_: &Object, args: &Args<'_>) -> PyResult {
    let function = args.required(0);
    if !function.is_callable() {
        return Err(type_error("thread function must be callable"));
    }
    let handle: Ref<HandleView> = match args.get_some(1) {
        Some(handle) => match handle.downcast::<HandleView>() {
            Some(handle) => Ref::of(handle),
            None => return Err(type_error("'handle' must be a _ThreadHandle")),
        },
        None => native_new(&HANDLE, Handle { done: RefCell::new(None) })?,
    };
    if handle.done.borrow().is_some() {
        return Err(runtime_error("thread already started"));
    }
    let done = Arc::new(Done::default());
    *handle.done.borrow_mut() = Some(done.clone());
    let started = start(function, Tuple::empty(), None, done, !args.bool_or(2, true)?);
    if let Err(error) = started {
        *handle.done.borrow_mut() = None;
        return Err(error);
    }
    Ok(handle.upcast())
}

/// A handle for a thread that was not started here.
fn make_thread_handle(_: &Object, ident: &Object) -> PyResult {
    let done = Arc::new(Done::default());
    done.ident.store(ident.to_i64_wrapping()?.cast_unsigned(), Ordering::Relaxed);
    done.gate.try_close();
    Ok(native_new(&HANDLE, Handle { done: RefCell::new(Some(done)) })?.upcast())
}

/// Waits for every thread that is not a daemon.
///
/// # Errors
/// `KeyboardInterrupt` and what else signal handlers raise.
pub(crate) fn wait_for_all() -> PyResult<()> {
    let me = taipan_os::signals::thread_ident();
    loop {
        let next =
            threads().awaited.borrow().iter().find(|done| done.ident.load(Ordering::Relaxed) != me).cloned();
        let Some(done) = next else { return Ok(()) };
        done.gate.wait(None, false)?;
        threads().awaited.borrow_mut().retain(|other| !Arc::ptr_eq(other, &done));
    }
}

/// The least stack that a program may ask for, as CPython has it.
const SMALLEST_STACK: usize = 53_248;

fn stack_size(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let all = threads();
    let old = all.stack_size.get();
    if let Some(size) = args.get(0) {
        let size = size.to_isize()?;
        let size = match usize::try_from(size) {
            Ok(size) if size == 0 || size >= SMALLEST_STACK => size,
            _ => return Err(raise!(PyExc_ValueError, "size must be at least {SMALLEST_STACK} bytes")),
        };
        all.stack_size.set(size);
    }
    Ok(old)
}

fn interrupt_main(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let signal = args.i32_or(0, 2)?;
    if !(1..taipan_os::signals::NSIG).contains(&signal) {
        return Err(value_error("signal number out of range"));
    }
    super::signal::simulate(signal);
    Ok(())
}

fn exit_thread(_: &Object) -> PyResult {
    Err(PyErr::with_args(&PyExc_SystemExit, &[]))
}

taipan_object::methods! { static METHODS = {
    many "start_new_thread" "($module, function, args, kwargs={}, /)" = start_new_thread, "Call a function on a new thread; gives the thread's number.";
    many "start_new" "($module, function, args, kwargs={}, /)" = start_new_thread, "An old name of start_new_thread().";
    args "start_joinable_thread" "($module, /, function, handle=None, daemon=True)" = start_joinable_thread, "Call a function on a new thread that can be joined.";
    one "_make_thread_handle" "($module, ident, /)" = make_thread_handle, "A handle for a thread that is running.";
    noargs "daemon_threads_allowed" "($module, /)" = |_: &Object| true, "Whether there may be daemon threads.";
    noargs "allocate_lock" "($module, /)" = |_: &Object| new_lock(), "A new lock.";
    noargs "allocate" "($module, /)" = |_: &Object| new_lock(), "An old name of allocate_lock().";
    noargs "get_ident" "($module, /)" = |_: &Object| taipan_os::signals::thread_ident(), "The number of this thread.";
    noargs "get_native_id" "($module, /)" = |_: &Object| taipan_os::signals::native_thread_id(), "The system's number of this thread.";
    noargs "_get_main_thread_ident" "($module, /)" = |_: &Object| threads().main.get(), "The number of the main thread.";
    noargs "_is_main_interpreter" "($module, /)" = |_: &Object| state::interp().id == 0, "Whether this is the first interpreter.";
    noargs "_count" "($module, /)" = |_: &Object| threads().running.get(), "How many threads this module has running.";
    noargs "_shutdown" "($module, /)" = |_: &Object| wait_for_all(), "Wait for all threads that are not daemons.";
    args "stack_size" "($module, size=0, /)" = stack_size, "The stack size of new threads in bytes; 0 for the system's own.";
    args "interrupt_main" "($module, signum=2, /)" = interrupt_main, "Act as if a signal had come.";
    noargs "exit" "($module, /)" = exit_thread, "Leave the thread by raising SystemExit.";
    noargs "exit_thread" "($module, /)" = exit_thread, "An old name of exit().";
} }

fn init(module: &Module) -> PyResult<()> {
    for spec in [&LOCK_SPEC, &RLOCK_SPEC, &HANDLE_SPEC, &LOCAL_SPEC] {
        typeobject::install(spec)?;
    }
    threads().main.set(taipan_os::signals::thread_ident());
    module.add("lock", &LOCK)?;
    module.add("LockType", &LOCK)?;
    module.add("RLock", &RLOCK)?;
    module.add("_local", &LOCAL)?;
    module.add("_ThreadHandle", &HANDLE)?;
    module.add("error", &PyExc_RuntimeError)?;
    module.add("TIMEOUT_MAX", &Float::new(TIMEOUT_MAX))?;
    Ok(())
}

/// `_thread`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_thread", doc: "Threads and locks.", methods: METHODS, init };
