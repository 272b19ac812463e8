//! Signals: a handler that only takes notes, and the calls around it.
//!
//! Problem: next to nothing may be done inside a signal handler. Idea: it marks the signal in a table,
//! sets a bit in a word that the interpreter's loop looks at anyway, and writes the number to a wake-up
//! descriptor; what the signal means is worked out later, on the main thread. Signals belong to the
//! process, hence the statics.

use crate::Errno;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

/// One more than the highest signal number.
pub const NSIG: i32 = 65;

static PENDING: [AtomicBool; NSIG as usize] = [const { AtomicBool::new(false) }; NSIG as usize];
static WORD: AtomicPtr<AtomicUsize> = AtomicPtr::new(core::ptr::null_mut());
static BIT: AtomicUsize = AtomicUsize::new(0);
static WAKEUP: AtomicI32 = AtomicI32::new(-1);

fn last() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn check(status: i32) -> Result<i32, Errno> {
    if status < 0 { Err(last()) } else { Ok(status) }
}

/// Names the word and the bit that a signal sets.
pub fn watch(word: &'static AtomicUsize, bit: usize) {
    BIT.store(bit, Ordering::Relaxed);
    WORD.store(core::ptr::from_ref(word).cast_mut(), Ordering::Release);
}

/// The descriptor that each signal's number is written to; -1 for none. Gives the former one.
pub fn set_wakeup(fd: i32) -> i32 {
    WAKEUP.swap(fd, Ordering::Relaxed)
}

/// Notes a signal as the handler does.
pub fn note(signal: i32) {
    let Some(place) = usize::try_from(signal).ok().and_then(|at| PENDING.get(at)) else { return };
    place.store(true, Ordering::Release);
    let word = WORD.load(Ordering::Acquire);
    if !word.is_null() {
        // SAFETY: set from a static reference.
        unsafe { (*word).fetch_or(BIT.load(Ordering::Relaxed), Ordering::Release) };
    }
}

extern "C" fn handler(signal: i32) {
    // SAFETY: errno belongs to this thread; the interrupted code must not see it change.
    unsafe {
        let saved = *libc::__errno_location();
        note(signal);
        let fd = WAKEUP.load(Ordering::Relaxed);
        if fd >= 0 {
            let byte = signal as u8;
            // A full pipe wakes its reader already.
            let _ = libc::write(fd, (&raw const byte).cast(), 1);
        }
        *libc::__errno_location() = saved;
    }
}

/// The signals that have come since the last call.
pub fn take_pending() -> Vec<i32> {
    (1..NSIG).filter(|signal| PENDING[*signal as usize].swap(false, Ordering::AcqRel)).collect()
}

/// Whether some signal waits to be looked at.
pub fn any_pending() -> bool {
    PENDING.iter().any(|place| place.load(Ordering::Acquire))
}

/// What the system does with a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    Default,
    Ignore,
    /// Our handler.
    Catch,
    /// Somebody else's.
    Foreign,
}

/// Sets what is done with a signal; gives what was done before.
///
/// # Errors
/// `EINVAL` for signals that cannot be caught.
pub fn set(signal: i32, to: Disposition) -> Result<(), Errno> {
    // SAFETY: a zeroed action is a valid one, and the handler above does only what handlers may.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = match to {
            Disposition::Default => libc::SIG_DFL,
            Disposition::Ignore => libc::SIG_IGN,
            Disposition::Catch | Disposition::Foreign => handler as *const () as usize,
        };
        check(libc::sigaction(signal, &raw const action, core::ptr::null_mut())).map(|_| ())
    }
}

/// What is done with a signal.
///
/// # Errors
/// `EINVAL` for what is no signal.
pub fn get(signal: i32) -> Result<Disposition, Errno> {
    // SAFETY: the old action is only written to.
    let action = unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        check(libc::sigaction(signal, core::ptr::null(), &raw mut action))?;
        action.sa_sigaction
    };
    Ok(match action {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignore,
        other if other == handler as *const () as usize => Disposition::Catch,
        _ => Disposition::Foreign,
    })
}

/// Sends a signal to this thread.
///
/// # Errors
/// What the system says.
pub fn raise(signal: i32) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::raise(signal) }).map(|_| ())
}

/// Has `SIGALRM` sent after some seconds, 0 for never; gives the seconds that were left.
pub fn alarm(seconds: u32) -> u32 {
    // SAFETY: no memory is involved.
    unsafe { libc::alarm(seconds) }
}

/// Sleeps until a signal comes.
pub fn pause() {
    // SAFETY: no memory is involved.
    unsafe { libc::pause() };
}

/// Sets an interval timer: seconds to the first signal and between further ones. Gives the old ones.
///
/// # Errors
/// What the system says.
pub fn set_timer(which: i32, first: f64, interval: f64) -> Result<(f64, f64), Errno> {
    let value = |seconds: f64| libc::timeval {
        tv_sec: seconds.trunc() as i64,
        tv_usec: ((seconds - seconds.trunc()) * 1e6) as i64,
    };
    let new = libc::itimerval { it_interval: value(interval), it_value: value(first) };
    // SAFETY: both timers are ours.
    unsafe {
        let mut old: libc::itimerval = core::mem::zeroed();
        check(libc::setitimer(which as _, &raw const new, &raw mut old))?;
        Ok(timer_values(&old))
    }
}

/// An interval timer: seconds to the next signal and between signals.
///
/// # Errors
/// What the system says.
pub fn get_timer(which: i32) -> Result<(f64, f64), Errno> {
    // SAFETY: the timer is ours.
    unsafe {
        let mut old: libc::itimerval = core::mem::zeroed();
        check(libc::getitimer(which as _, &raw mut old))?;
        Ok(timer_values(&old))
    }
}

fn timer_values(timer: &libc::itimerval) -> (f64, f64) {
    let seconds = |value: libc::timeval| value.tv_sec as f64 + value.tv_usec as f64 * 1e-6;
    (seconds(timer.it_value), seconds(timer.it_interval))
}

/// The system's words for a signal.
pub fn describe(signal: i32) -> Option<String> {
    // SAFETY: the text is the library's own and lives until the next call.
    unsafe {
        let text = libc::strsignal(signal);
        if text.is_null() {
            return None;
        }
        Some(std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

/// Changes the signals that this thread holds back; gives those it held back before.
///
/// # Errors
/// What the system says.
pub fn mask(how: i32, signals: &[i32]) -> Result<Vec<i32>, Errno> {
    // SAFETY: both sets are ours.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        let mut old: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        let status = libc::pthread_sigmask(how, &raw const set, &raw mut old);
        if status != 0 {
            return Err(status);
        }
        Ok((1..NSIG).filter(|signal| libc::sigismember(&raw const old, *signal) == 1).collect())
    }
}

/// The signals held back that have come.
///
/// # Errors
/// What the system says.
pub fn held_back() -> Result<Vec<i32>, Errno> {
    // SAFETY: the set is ours.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        check(libc::sigpending(&raw mut set))?;
        Ok((1..NSIG).filter(|signal| libc::sigismember(&raw const set, *signal) == 1).collect())
    }
}

/// Sends a signal to a thread.
///
/// # Errors
/// What the system says.
pub fn kill_thread(thread: u64, signal: i32) -> Result<(), Errno> {
    // SAFETY: a thread that has ended is the caller's mistake, which the system reports.
    let status = unsafe { libc::pthread_kill(thread, signal) };
    if status == 0 { Ok(()) } else { Err(status) }
}

/// The system's handle of the calling thread.
pub fn thread_ident() -> u64 {
    // SAFETY: no memory is involved.
    unsafe { libc::pthread_self() }
}

/// The kernel's number of the calling thread.
pub fn native_thread_id() -> i64 {
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_gettid) }
}
