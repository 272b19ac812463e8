//! The interpreter lock.
//!
//! Problem: objects are not safe to touch from two threads; yet a thread that computes must not
//! starve the others. Idea: one mutex-protected flag per interpreter and a condition variable; a
//! waiting thread asks the holder, after the switch interval, to let go (a bit in the holder's
//! `eval_breaker`), and the holder then waits until somebody else has really had the lock.

use crate::state::{self, ThreadState, breaker};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
struct Inner {
    /// Address of the holder's thread state; zero when free.
    holder: usize,
    /// Counts takings, so that a yielding holder can tell that somebody else had the lock.
    switches: u64,
    /// Threads that want the lock.
    waiting: usize,
    /// Threads that have let go of the lock and want somebody else to have had it.
    yielding: usize,
    /// The only thread state that may still take the lock, once the interpreter ends.
    last: usize,
}

impl Inner {
    /// Whether the interpreter is ending and this thread is not the one that ends it.
    fn shuts_out(&self, state: *mut ThreadState) -> bool {
        self.last != 0 && self.last != state.addr()
    }
}

/// One interpreter's lock.
pub struct Gil {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Switch interval in microseconds (`sys.setswitchinterval`).
    pub interval: AtomicU64,
}

impl Gil {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::default(), changed: Condvar::new(), interval: AtomicU64::new(5000) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The guarded data are three integers: a panic elsewhere leaves them meaningful.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acquire(&self, state: *mut ThreadState) {
        let interval = Duration::from_micros(self.interval.load(Ordering::Relaxed).max(1));
        let mut inner = self.lock();
        inner.waiting += 1;
        while inner.holder != 0 && !inner.shuts_out(state) {
            let before = inner.switches;
            let (guard, timeout) =
                self.changed.wait_timeout(inner, interval).unwrap_or_else(PoisonError::into_inner);
            inner = guard;
            if timeout.timed_out() && inner.holder != 0 && inner.switches == before {
                let holder: *mut ThreadState = core::ptr::with_exposed_provenance_mut(inner.holder);
                // SAFETY: a holder's state is live, and the breaker is atomic.
                unsafe { (*holder).eval_breaker.fetch_or(breaker::GIL_DROP_REQUEST, Ordering::Relaxed) };
            }
        }
        inner.waiting -= 1;
        if inner.shuts_out(state) {
            drop(inner);
            self.changed.notify_all();
            // Nothing of this thread may run any more, its destructors included; the end of the
            // process ends it.
            loop {
                std::thread::park();
            }
        }
        inner.holder = state.expose_provenance();
        inner.switches += 1;
    }

    /// From now on only the current thread gets the lock: the interpreter is ending, and threads that
    /// are left stop where they next ask for it.
    pub fn keep_for_last(&self) {
        self.lock().last = state::current().addr();
        self.changed.notify_all();
    }

    fn release(&self) {
        let mut inner = self.lock();
        inner.holder = 0;
        let awaited = inner.waiting + inner.yielding > 0;
        drop(inner);
        // Waking nobody costs a system call, too.
        if awaited {
            self.changed.notify_all();
        }
    }

    /// Lets go of the lock for whoever waits, and takes it back.
    pub fn yield_to_others(&self) {
        let state = state::current();
        // SAFETY: the caller holds the lock, so the state is live.
        unsafe { (*state).eval_breaker.fetch_and(!breaker::GIL_DROP_REQUEST, Ordering::Relaxed) };
        let before = self.lock().switches;
        detach();
        {
            let mut inner = self.lock();
            inner.yielding += 1;
            while inner.waiting > 0 && inner.switches == before {
                inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
            }
            inner.yielding -= 1;
        }
        // SAFETY: the state was attached to this thread until just now.
        unsafe { attach(state) };
    }
}

impl Gil {
    /// Runs `fork` with the lock's own state held still, so that it is in order in the child too,
    /// where nobody waits any more.
    pub fn around_fork<R>(&self, fork: impl FnOnce() -> R, is_child: impl FnOnce(&R) -> bool) -> R {
        let mut inner = self.lock();
        let result = fork();
        if is_child(&result) {
            inner.waiting = 0;
            inner.yielding = 0;
        }
        result
    }
}

/// Takes the interpreter lock and makes `state` current.
///
/// # Safety
/// `state` is live, belongs to this thread, and no state is current on it.
pub unsafe fn attach(state: *mut ThreadState) {
    // SAFETY: live by contract.
    unsafe { (*state).interp().gil.acquire(state) };
    state::set_current(state);
}

/// Gives up the interpreter lock; returns the state to [`attach`] again.
pub fn detach() -> *mut ThreadState {
    let state = state::current();
    state::set_current(core::ptr::null_mut());
    // SAFETY: the state was current, hence live.
    unsafe { (*state).interp().gil.release() };
    state
}

/// Runs `blocking` without the interpreter lock. It must not touch objects.
pub fn allow_threads<R>(blocking: impl FnOnce() -> R) -> R {
    /// Takes the lock back on every way out.
    struct Back(*mut ThreadState);
    impl Drop for Back {
        fn drop(&mut self) {
            // SAFETY: detached below on this very thread.
            unsafe { attach(self.0) }
        }
    }
    let _back = Back(detach());
    blocking()
}
