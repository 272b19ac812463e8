//! The lock of a buffered stream.
//!
//! The interpreter lock is given up around reads and writes below, so another thread may come to the
//! same stream in the middle of an operation: it waits, without the interpreter lock. The same thread
//! coming again (from a signal handler, or from the raw stream's own code) is an error.

use core::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};
use taipan_object::statics::PyExc_RuntimeError;
use taipan_object::{Object, PyResult, gil, raise, state};

/// The lock.
#[derive(Default)]
pub struct StreamLock {
    /// The thread inside, 0 for none; only touched under the interpreter lock.
    owner: Cell<u64>,
    inner: Mutex<Inner>,
    freed: Condvar,
}

#[derive(Default)]
struct Inner {
    held: bool,
    /// Threads that want it.
    waiting: usize,
}

/// Proof of holding the lock.
pub struct Held<'a>(&'a StreamLock);

impl StreamLock {
    /// Enters; `stream` is for the message.
    ///
    /// # Errors
    /// `RuntimeError` when the same thread is inside already.
    pub fn enter(&self, stream: &Object) -> PyResult<Held<'_>> {
        let own = state::thread().base.id;
        if self.owner.get() == own {
            return Err(raise!(PyExc_RuntimeError, "reentrant call inside {}", stream.repr_lossy()));
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.held {
            drop(inner);
            gil::allow_threads(|| {
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                inner.waiting += 1;
                while inner.held {
                    inner = self.freed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
                inner.waiting -= 1;
                inner.held = true;
            });
        } else {
            inner.held = true;
            drop(inner);
        }
        self.owner.set(own);
        Ok(Held(self))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.owner.set(0);
        let mut inner = self.0.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.held = false;
        let awaited = inner.waiting > 0;
        drop(inner);
        // Waking nobody costs a system call, too.
        if awaited {
            self.0.freed.notify_one();
        }
    }
}
