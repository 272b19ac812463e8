//! `_signal`: handlers in Python for the system's signals.
//!
//! The system's handler only takes a note; [`check`] runs on the main thread when the loop finds the note,
//! or when a system call was interrupted, and calls the Python functions.

use super::thread::is_main_thread;
use core::cell::RefCell;
use taipan_object::err::{type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::none;
use taipan_object::state::breaker;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, protocol, raise, state};
use taipan_os::signals::{self, Disposition, NSIG};

/// What `signal()` was given for each number; `None` where the system's setting was not ours to know.
struct Handlers(RefCell<Vec<Option<Ref>>>);

fn handlers() -> &'static Handlers {
    state::interp().extension(|| Handlers(RefCell::new(vec![None; NSIG as usize])))
}

const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;

/// Calls the Python handlers of the signals that have come.
///
/// # Errors
/// What a handler raises.
pub(crate) fn check() -> PyResult<()> {
    if !signals::any_pending() || !is_main_thread() {
        return Ok(());
    }
    let mut failed = None;
    for signal in signals::take_pending() {
        if failed.is_some() {
            // After an exception the remaining signals wait for the next look.
            signals::note(signal);
            continue;
        }
        let handler = handlers().0.borrow().get(signal as usize).cloned().flatten();
        let Some(handler) = handler.filter(|handler| handler.downcast::<Int>().is_none()) else { continue };
        let frame = taipan_eval::frame_object::current().unwrap_or_else(|| none().new_ref());
        if let Err(error) = handler.call(&[&Int::from_i64(i64::from(signal)), &frame]) {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Acts as if a signal had come.
pub(crate) fn simulate(signal: i32) {
    let ignored = handlers()
        .0
        .borrow()
        .get(signal as usize)
        .cloned()
        .flatten()
        .is_some_and(|handler| handler.downcast::<Int>().is_some());
    if !ignored {
        signals::note(signal);
    }
}

fn number(value: &Object) -> PyResult<i32> {
    let signal = value.to_i32()?;
    if (1..NSIG).contains(&signal) { Ok(signal) } else { Err(value_error("signal number out of range")) }
}

fn set_handler(_: &Object, args: &Args<'_>) -> PyResult {
    let signal = number(args.required(0))?;
    let handler = args.required(1);
    if !is_main_thread() {
        return Err(value_error("signal only works in main thread of the main interpreter"));
    }
    let code = handler.downcast::<Int>().and_then(Int::to_i64);
    let disposition = match code {
        Some(SIG_DFL) => Disposition::Default,
        Some(SIG_IGN) => Disposition::Ignore,
        None if handler.is_callable() => Disposition::Catch,
        _ => {
            return Err(type_error(
                "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object",
            ));
        }
    };
    check()?;
    signals::set(signal, disposition).map_err(crate::printer::os_error)?;
    let old =
        handlers().0.borrow_mut().get_mut(signal as usize).and_then(|place| place.replace(handler.new_ref()));
    Ok(old.unwrap_or_else(|| none().new_ref()))
}

fn get_handler(_: &Object, signal: &Object) -> PyResult {
    let signal = number(signal)?;
    let found = handlers().0.borrow().get(signal as usize).cloned().flatten();
    Ok(found.unwrap_or_else(|| none().new_ref()))
}

fn default_int_handler(_: &Object, _: &Args<'_>) -> PyResult {
    Err(PyErr::with_args(&PyExc_KeyboardInterrupt, &[]))
}

fn raise_signal(_: &Object, signal: &Object) -> PyResult<()> {
    let signal = signal.to_i32()?;
    signals::raise(signal).map_err(crate::printer::os_error)?;
    check()
}

fn strsignal(_: &Object, signal: &Object) -> PyResult<Option<Ref<Str>>> {
    let signal = number(signal)?;
    signals::describe(signal).map(|text| Str::from_utf8(&text)).transpose()
}

fn signal_set(numbers: &[i32]) -> PyResult {
    let mut all = Vec::new();
    for signal in numbers {
        all.push(Int::from_i64(i64::from(*signal)).upcast());
    }
    PySet_Type.call(&[&*Tuple::from_vec(all)?])
}

fn signal_numbers(set: &Object) -> PyResult<Vec<i32>> {
    let mut all = Vec::new();
    for item in protocol::to_vec(set)? {
        let signal = item.to_i64()?;
        match i32::try_from(signal).ok().filter(|signal| (1..NSIG).contains(signal)) {
            Some(signal) => all.push(signal),
            None => {
                return Err(raise!(
                    PyExc_ValueError,
                    "signal number {signal} out of range [1; {}]",
                    NSIG - 1
                ));
            }
        }
    }
    Ok(all)
}

fn pthread_sigmask(_: &Object, args: &Args<'_>) -> PyResult {
    let how = args.required(0).to_i32()?;
    let set = signal_numbers(args.required(1))?;
    let old = signals::mask(how, &set).map_err(crate::printer::os_error)?;
    check()?;
    signal_set(&old)
}

fn sigpending(_: &Object) -> PyResult {
    signal_set(&signals::held_back().map_err(crate::printer::os_error)?)
}

fn valid_signals(_: &Object) -> PyResult {
    // Two numbers are taken by the C library for its own purposes.
    let all: Vec<i32> = (1..NSIG).filter(|signal| !matches!(signal, 32 | 33)).collect();
    signal_set(&all)
}

fn pthread_kill(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let thread = args.required(0).to_i64_wrapping()?.cast_unsigned();
    let signal = args.required(1).to_i32()?;
    signals::kill_thread(thread, signal).map_err(crate::printer::os_error)?;
    check()
}

fn set_wakeup_fd(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let fd = args.required(0).to_i32()?;
    if !is_main_thread() {
        return Err(value_error("set_wakeup_fd only works in main thread of the main interpreter"));
    }
    Ok(signals::set_wakeup(fd))
}

fn pause(_: &Object) -> PyResult<()> {
    taipan_object::gil::allow_threads(signals::pause);
    check()
}

fn pair((first, second): (f64, f64)) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([Float::new(first).upcast(), Float::new(second).upcast()])
}

fn itimer_error(number: i32) -> PyErr {
    crate::printer::os_error(number)
}

fn setitimer(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let which = args.required(0).to_i32()?;
    let (first, interval) = (args.required(1).to_f64()?, args.f64_or(2, 0.0)?);
    pair(signals::set_timer(which, first, interval).map_err(itimer_error)?)
}

fn getitimer(_: &Object, which: &Object) -> PyResult<Ref<Tuple>> {
    pair(signals::get_timer(which.to_i32()?).map_err(itimer_error)?)
}

taipan_object::methods! { static METHODS = {
    args "signal" "($module, signalnum, handler, /)" = set_handler, "Set what happens when a signal comes; gives the former setting.";
    one "getsignal" "($module, signalnum, /)" = get_handler, "What happens when a signal comes.";
    args "default_int_handler" "($module, signalnum, frame, /)" = default_int_handler, "Raise KeyboardInterrupt.";
    one "raise_signal" "($module, signalnum, /)" = raise_signal, "Send a signal to this process.";
    one "strsignal" "($module, signalnum, /)" = strsignal, "The system's words for a signal.";
    one "alarm" "($module, seconds, /)" = |_: &Object, seconds: &Object| -> PyResult<u32> {
        Ok(signals::alarm(seconds.to_i32()?.cast_unsigned()))
    }, "Have SIGALRM sent after some seconds.";
    noargs "pause" "($module, /)" = pause, "Sleep until a signal comes.";
    args "setitimer" "($module, which, seconds, interval=0.0, /)" = setitimer, "Set an interval timer.";
    one "getitimer" "($module, which, /)" = getitimer, "An interval timer's state.";
    args "pthread_sigmask" "($module, how, mask, /)" = pthread_sigmask, "Change the signals that this thread holds back.";
    noargs "sigpending" "($module, /)" = sigpending, "The signals held back that have come.";
    noargs "valid_signals" "($module, /)" = valid_signals, "All signal numbers.";
    args "pthread_kill" "($module, thread_id, signalnum, /)" = pthread_kill, "Send a signal to a thread.";
    args "set_wakeup_fd" "($module, fd, /, *, warn_on_full_buffer=True)" = set_wakeup_fd, "Have each signal's number written to a descriptor.";
} }

const NUMBERS: &[(&str, i64)] = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGIOT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPOLL", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
    ("SIG_DFL", SIG_DFL),
    ("SIG_IGN", SIG_IGN),
    ("SIG_BLOCK", 0),
    ("SIG_UNBLOCK", 1),
    ("SIG_SETMASK", 2),
    ("ITIMER_REAL", 0),
    ("ITIMER_VIRTUAL", 1),
    ("ITIMER_PROF", 2),
    ("NSIG", NSIG as i64),
];

fn init(module: &Module) -> PyResult<()> {
    for (name, value) in NUMBERS {
        module.add(name, &Int::from_i64(*value))?;
    }
    module.add("ItimerError", &PyExc_OSError)?;
    Ok(())
}

/// Takes over the signals that Python handles from the start: `SIGINT` raises `KeyboardInterrupt`, writing
/// to a closed pipe is an error and not the end.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn install() -> PyResult<()> {
    let thread = state::thread();
    signals::watch(&thread.eval_breaker, breaker::SIGNALS_PENDING);
    let module = crate::import::import_native("_signal")?;
    for signal in 1..NSIG {
        let known = match signals::get(signal) {
            Ok(Disposition::Default) => Some(Int::from_i64(SIG_DFL).upcast()),
            Ok(Disposition::Ignore) => Some(Int::from_i64(SIG_IGN).upcast()),
            _ => None,
        };
        handlers().0.borrow_mut()[signal as usize] = known;
    }
    // A system that refuses leaves its own default.
    for signal in [13, 25] {
        if signals::set(signal, Disposition::Ignore).is_ok() {
            handlers().0.borrow_mut()[signal as usize] = Some(Int::from_i64(SIG_IGN).upcast());
        }
    }
    if signals::get(2) == Ok(Disposition::Default) && signals::set(2, Disposition::Catch).is_ok() {
        let handler = module.getattr(intern!("default_int_handler"))?;
        handlers().0.borrow_mut()[2] = Some(handler);
    }
    Ok(())
}

/// `_signal`.
pub static SPEC: ModuleSpec = ModuleSpec { name: "_signal", doc: "Signals.", methods: METHODS, init };
