//! `time`: clocks, sleeping and calendar time.
//!
//! Times travel as nanoseconds in 64 bits ([`Nanos`]), as in CPython: what does not fit raises
//! `OverflowError`. `calendar` holds what concerns dates.

mod calendar;

use crate::posix::convert::{ok, os_error};
use taipan_object::dict::Dict;
use taipan_object::err::{type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::singletons::bool_object;
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError};
use taipan_object::system::waiting;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, protocol, raise, state};
use taipan_os::clock;

/// Nanoseconds.
type Nanos = i64;
const SECOND: Nanos = 1_000_000_000;

/// The clocks by number.
const CLOCKS: &[(&str, i64)] = &[
    ("CLOCK_REALTIME", 0),
    ("CLOCK_MONOTONIC", 1),
    ("CLOCK_MONOTONIC_RAW", 4),
    ("CLOCK_PROCESS_CPUTIME_ID", 2),
    ("CLOCK_THREAD_CPUTIME_ID", 3),
    ("CLOCK_BOOTTIME", 7),
    ("CLOCK_TAI", 11),
];

#[cold]
fn out_of_range() -> PyErr {
    raise!(PyExc_OverflowError, "timestamp out of range for C PyTime_t")
}

fn join((seconds, rest): (i64, i64)) -> PyResult<Nanos> {
    seconds.checked_mul(SECOND).and_then(|n| n.checked_add(rest)).ok_or_else(out_of_range)
}

/// Nanoseconds as seconds: exact where there is no fraction.
fn to_seconds(nanos: Nanos) -> f64 {
    if nanos % SECOND == 0 { (nanos / SECOND) as f64 } else { nanos as f64 / 1e9 }
}

fn split(nanos: Nanos) -> (i64, i64) {
    (nanos.div_euclid(SECOND), nanos.rem_euclid(SECOND))
}

/// A number of seconds as nanoseconds, floats rounded by `round`.
fn from_seconds(object: &Object, round: fn(f64) -> f64) -> PyResult<Nanos> {
    if let Some(float) = object.downcast::<Float>() {
        let value = float.value();
        if value.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        let nanos = round(value * 1e9);
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&nanos) {
            return Err(out_of_range());
        }
        return Ok(nanos as i64);
    }
    if !protocol::has_index(object) {
        return Err(raise!(
            PyExc_TypeError,
            "'{}' object cannot be interpreted as an integer or float",
            object.ty().message_name()
        ));
    }
    let seconds = object.to_index()?.to_i64().ok_or_else(out_of_range)?;
    join((seconds, 0))
}

/// Rounds away from zero.
fn away(value: f64) -> f64 {
    if value < 0.0 { value.floor() } else { value.ceil() }
}

/// The time of one of our own clocks, which the system always has.
fn read(which: i32) -> PyResult<Nanos> {
    join(ok(clock::time(which))?)
}

macro_rules! clocks {
    ($($name:ident $name_ns:ident = $which:path;)*) => {$(
        fn $name(_: &Object) -> PyResult<f64> {
            read($which).map(to_seconds)
        }
        fn $name_ns(_: &Object) -> PyResult<i64> {
            read($which)
        }
    )*};
}

clocks! {
    time time_ns = clock::REALTIME;
    monotonic monotonic_ns = clock::MONOTONIC;
    perf_counter perf_counter_ns = clock::MONOTONIC;
    process_time process_time_ns = clock::PROCESS_CPU;
    thread_time thread_time_ns = clock::THREAD_CPU;
}

/// The number of a clock as an argument of the newer functions.
fn clock_id(object: &Object) -> PyResult<i32> {
    let number = if protocol::has_index(object) { object.to_index()?.to_i64() } else { None };
    number.and_then(|n| i32::try_from(n).ok()).ok_or_else(|| {
        raise!(PyExc_TypeError, "clk_id should be integer, not {}", object.ty().message_name())
    })
}

fn clock_gettime(_: &Object, which: &Object) -> PyResult<f64> {
    read(clock_id(which)?).map(to_seconds)
}

fn clock_gettime_ns(_: &Object, which: &Object) -> PyResult<i64> {
    read(clock_id(which)?)
}

/// Arguments of the functions without a signature that Python can see: positional ones only.
fn exactly<'a>(name: &str, args: &'a [&'a Object], count: usize) -> PyResult<&'a [&'a Object]> {
    if args.len() == count {
        return Ok(args);
    }
    let plural = if count == 1 { "" } else { "s" };
    Err(raise!(PyExc_TypeError, "{name}() takes exactly {count} argument{plural} ({} given)", args.len()))
}

fn clock_getres(_: &Object, args: &[&Object]) -> PyResult<f64> {
    let which = exactly("clock_getres", args, 1)?[0].to_i32()?;
    join(ok(clock::resolution(which))?).map(to_seconds)
}

fn clock_settime(_: &Object, args: &[&Object]) -> PyResult<()> {
    let args = exactly("clock_settime", args, 2)?;
    let which = args[0].to_i32()?;
    ok(clock::set(which, split(from_seconds(args[1], f64::floor)?)))
}

fn clock_settime_ns(_: &Object, args: &[&Object]) -> PyResult<()> {
    let args = exactly("clock_settime_ns", args, 2)?;
    let which = args[0].to_i32()?;
    let Some(number) = args[1].downcast::<Int>() else {
        return Err(raise!(PyExc_TypeError, "expect int, got {}", args[1].ty().message_name()));
    };
    let nanos = number.to_i64().ok_or_else(out_of_range)?;
    ok(clock::set(which, split(nanos)))
}

fn pthread_getcpuclockid(_: &Object, args: &[&Object]) -> PyResult<i32> {
    let object = exactly("pthread_getcpuclockid", args, 1)?[0];
    if !protocol::has_index(object) {
        return Err(raise!(
            PyExc_TypeError,
            "pthread_getcpuclockid() argument 1 must be int, not {}",
            object.ty().message_name()
        ));
    }
    // Only a thread that lives may be asked for: the C library follows the number as an address.
    if object.to_i64_wrapping()?.cast_unsigned() != clock::this_thread() {
        return Err(os_error(NO_SUCH_THREAD));
    }
    ok(clock::own_thread_clock())
}

/// `ESRCH`.
const NO_SUCH_THREAD: i32 = 3;

fn sleep(_: &Object, duration: &Object) -> PyResult<()> {
    let nanos = from_seconds(duration, away)?;
    if nanos < 0 {
        return Err(value_error("sleep length must be non-negative"));
    }
    // A point of time, so that a sleep which a signal interrupts goes on to where it would end.
    let end = split(read(clock::MONOTONIC)?.checked_add(nanos).ok_or_else(out_of_range)?);
    waiting(|| clock::sleep_until(end))?.map_err(os_error)
}

fn get_clock_info(_: &Object, args: &[&Object]) -> PyResult {
    let name = exactly("get_clock_info", args, 1)?[0];
    let Some(text) = name.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "get_clock_info() argument 1 must be str, not {}",
            if taipan_object::singletons::is_none(name) { "None" } else { name.ty().message_name() }
        ));
    };
    let (which, implementation, adjustable) = match text.as_utf8() {
        Some("time") => (clock::REALTIME, "CLOCK_REALTIME", true),
        Some("monotonic" | "perf_counter") => (clock::MONOTONIC, "CLOCK_MONOTONIC", false),
        Some("process_time") => (clock::PROCESS_CPU, "CLOCK_PROCESS_CPUTIME_ID", false),
        Some("thread_time") => (clock::THREAD_CPU, "CLOCK_THREAD_CPUTIME_ID", false),
        _ => return Err(value_error("unknown clock")),
    };
    let resolution = to_seconds(join(ok(clock::resolution(which))?)?);
    let facts = Dict::new()?;
    facts.set_text("implementation", &*Str::from_utf8(&format!("clock_gettime({implementation})"))?)?;
    facts.set_text("monotonic", bool_object(!adjustable))?;
    facts.set_text("adjustable", bool_object(adjustable))?;
    facts.set_text("resolution", &Float::new(resolution))?;
    protocol::vectorcall_with_dict(&taipan_types_collections::misc::namespace::TYPE, &[], Some(&facts))
}

fn strptime(_: &Object, args: &[&Object]) -> PyResult {
    let module = (state::interp().hooks.get().import_module)("_strptime")?;
    module.getattr(taipan_object::intern!("_strptime_time"))?.call(args)
}

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in CLOCKS {
        module.add(name, &Int::from_i64(number))?;
    }
    module.add_functions(UNSIGNED)?;
    calendar::add(module)
}

taipan_object::methods! {
    static METHODS = {
        noargs "time" "($self, /)" = time, "Seconds since the beginning of 1970 in UTC, with fractions.";
        noargs "time_ns" "($self, /)" = time_ns, "Nanoseconds since the beginning of 1970 in UTC.";
        noargs "monotonic" "($self, /)" = monotonic, "Seconds of a clock that never goes back.";
        noargs "monotonic_ns" "($self, /)" = monotonic_ns, "Nanoseconds of a clock that never goes back.";
        noargs "perf_counter" "($self, /)" = perf_counter, "Seconds of the finest clock, to measure durations.";
        noargs "perf_counter_ns" "($self, /)" = perf_counter_ns, "Nanoseconds of the finest clock, to measure durations.";
        noargs "process_time" "($self, /)" = process_time, "Seconds that processors have spent on this process.";
        noargs "process_time_ns" "($self, /)" = process_time_ns, "Nanoseconds that processors have spent on this process.";
        noargs "thread_time" "($self, /)" = thread_time, "Seconds that processors have spent on this thread.";
        noargs "thread_time_ns" "($self, /)" = thread_time_ns, "Nanoseconds that processors have spent on this thread.";
        one "clock_gettime" "($module, clk_id, /)" = clock_gettime, "The time of a clock in seconds.";
        one "clock_gettime_ns" "($module, clk_id, /)" = clock_gettime_ns, "The time of a clock in nanoseconds.";
        one "sleep" "($self, object, /)" = sleep, "Do nothing for so many seconds.\n\nSignals that are handled meanwhile do not shorten it.";
    }
}

taipan_object::methods! {
    static UNSIGNED = {
        many "clock_getres" "" = clock_getres, "clock_getres(clk_id) -> seconds\n\nThe resolution of a clock.";
        many "clock_settime" "" = clock_settime, "clock_settime(clk_id, time)\n\nSet a clock, in seconds.";
        many "clock_settime_ns" "" = clock_settime_ns, "clock_settime_ns(clk_id, time)\n\nSet a clock, in nanoseconds.";
        many "pthread_getcpuclockid" "" = pthread_getcpuclockid, "pthread_getcpuclockid(thread_id) -> int\n\nThe clock that counts the time a thread runs.";
        many "get_clock_info" "" = get_clock_info, "get_clock_info(name) -> facts\n\nWhat is known of the clock 'time', 'monotonic', 'perf_counter', 'process_time' or 'thread_time'.";
        many "strptime" "" = strptime, "strptime(string[, format]) -> struct_time\n\nRead a time from a text by a format as that of strftime.";
    }
}

/// `time`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "time",
    doc: "Clocks and calendar time.\n\nA time is either a number of seconds since 1970 or a struct_time: a tuple of year, month, day,\nhour, minute, second, day of the week (Monday is 0), day of the year and whether summer time holds\n(-1 where that is not known).",
    methods: METHODS,
    init,
};

/// For `calendar`: an argument that is no tuple of the right kind.
#[cold]
fn wrong_type(text: &str) -> PyErr {
    type_error(text)
}
