//! Clocks, sleeping and calendar time.

use crate::Errno;
use crate::calls::check;
use core::ffi::{CStr, c_int, c_long};
use core::mem::MaybeUninit;

/// Seconds and nanoseconds as C has them.
pub(crate) fn timespec((seconds, nanoseconds): (i64, i64)) -> libc::timespec {
    libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds }
}

/// The clocks.
pub const REALTIME: c_int = libc::CLOCK_REALTIME;
pub const MONOTONIC: c_int = libc::CLOCK_MONOTONIC;
pub const PROCESS_CPU: c_int = libc::CLOCK_PROCESS_CPUTIME_ID;
pub const THREAD_CPU: c_int = libc::CLOCK_THREAD_CPUTIME_ID;

/// The time of a clock.
///
/// # Errors
/// What the system says.
pub fn time(clock: c_int) -> Result<(i64, i64), Errno> {
    let mut raw = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the struct is ours and filled on success.
    unsafe {
        check(libc::clock_gettime(clock, raw.as_mut_ptr()))?;
        let raw = raw.assume_init();
        Ok((raw.tv_sec, raw.tv_nsec))
    }
}

/// The resolution of a clock.
///
/// # Errors
/// What the system says.
pub fn resolution(clock: c_int) -> Result<(i64, i64), Errno> {
    let mut raw = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the struct is ours and filled on success.
    unsafe {
        check(libc::clock_getres(clock, raw.as_mut_ptr()))?;
        let raw = raw.assume_init();
        Ok((raw.tv_sec, raw.tv_nsec))
    }
}

/// Sets a clock.
///
/// # Errors
/// What the system says.
pub fn set(clock: c_int, time: (i64, i64)) -> Result<(), Errno> {
    let raw = timespec(time);
    // SAFETY: the struct is ours.
    check(unsafe { libc::clock_settime(clock, &raw) }).map(drop)
}

/// Sleeps until the monotonic clock shows `time`.
///
/// # Errors
/// `EINTR` when a signal came first; what the system says.
pub fn sleep_until(time: (i64, i64)) -> Result<(), Errno> {
    let raw = timespec(time);
    // SAFETY: the struct is ours; the result is the error itself.
    match unsafe { libc::clock_nanosleep(MONOTONIC, libc::TIMER_ABSTIME, &raw, core::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(error),
    }
}

/// The clock that counts the time a thread runs.
///
/// # Errors
/// What the system says.
/// # Safety
/// `thread` is a thread that has not ended.
pub unsafe fn thread_clock(thread: u64) -> Result<c_int, Errno> {
    let mut clock = 0;
    // SAFETY: a live thread by contract; the clock number is ours.
    match unsafe { libc::pthread_getcpuclockid(thread, &raw mut clock) } {
        0 => Ok(clock),
        error => Err(error),
    }
}

/// The clock that counts the time the calling thread runs.
///
/// # Errors
/// What the system says.
pub fn own_thread_clock() -> Result<c_int, Errno> {
    // SAFETY: the calling thread is alive.
    unsafe { thread_clock(this_thread()) }
}

/// Calendar time, fields as in C: months from 0, years from 1900, Sunday is day 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    pub second: c_int,
    pub minute: c_int,
    pub hour: c_int,
    pub day: c_int,
    pub month: c_int,
    pub year: c_int,
    pub weekday: c_int,
    pub year_day: c_int,
    pub dst: c_int,
    pub offset: c_long,
    /// The zone's name; without one the C library looks it up by `dst`.
    pub zone: Option<Vec<u8>>,
}

impl Calendar {
    /// # Safety
    /// The zone is null or null-terminated.
    unsafe fn of(raw: &libc::tm) -> Self {
        let zone = if raw.tm_zone.is_null() {
            None
        } else {
            // SAFETY: by contract.
            Some(unsafe { CStr::from_ptr(raw.tm_zone) }.to_bytes().to_vec())
        };
        Self { zone, ..Self::without_zone(raw) }
    }

    fn without_zone(raw: &libc::tm) -> Self {
        Self {
            second: raw.tm_sec,
            minute: raw.tm_min,
            hour: raw.tm_hour,
            day: raw.tm_mday,
            month: raw.tm_mon,
            year: raw.tm_year,
            weekday: raw.tm_wday,
            year_day: raw.tm_yday,
            dst: raw.tm_isdst,
            offset: raw.tm_gmtoff,
            zone: None,
        }
    }

    fn raw(&self, zone: Option<&CStr>) -> libc::tm {
        libc::tm {
            tm_sec: self.second,
            tm_min: self.minute,
            tm_hour: self.hour,
            tm_mday: self.day,
            tm_mon: self.month,
            tm_year: self.year,
            tm_wday: self.weekday,
            tm_yday: self.year_day,
            tm_isdst: self.dst,
            tm_gmtoff: self.offset,
            tm_zone: zone.map_or(core::ptr::null(), CStr::as_ptr),
        }
    }
}

/// Splits a time into fields of the local time zone.
///
/// # Errors
/// `EOVERFLOW` when the year does not fit.
pub fn local(seconds: i64) -> Result<Calendar, Errno> {
    let mut raw = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: the struct is ours; the zone's name is static.
    unsafe {
        if libc::localtime_r(&raw const seconds, raw.as_mut_ptr()).is_null() {
            return Err(crate::calls::last());
        }
        Ok(Calendar::of(raw.assume_init_ref()))
    }
}

/// As [`local`], without the zone's name.
///
/// # Errors
/// `EOVERFLOW` when the year does not fit.
pub fn local_fields(seconds: i64) -> Result<Calendar, Errno> {
    let mut raw = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: the struct is ours.
    unsafe {
        if libc::localtime_r(&raw const seconds, raw.as_mut_ptr()).is_null() {
            return Err(crate::calls::last());
        }
        Ok(Calendar::without_zone(raw.assume_init_ref()))
    }
}

/// Splits a time into fields of UTC.
///
/// # Errors
/// `EOVERFLOW` when the year does not fit.
pub fn utc(seconds: i64) -> Result<Calendar, Errno> {
    let mut raw = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: the struct is ours; the zone's name is static.
    unsafe {
        if libc::gmtime_r(&raw const seconds, raw.as_mut_ptr()).is_null() {
            return Err(crate::calls::last());
        }
        Ok(Calendar::of(raw.assume_init_ref()))
    }
}

/// The time of local calendar fields, with the fields as they are after normalising; `None` when
/// there is no such time.
pub fn from_local(calendar: &Calendar) -> Option<(i64, Calendar)> {
    let mut raw = calendar.raw(None);
    // A day of the week that no calendar has shows whether -1 is an answer or a failure.
    raw.tm_wday = -1;
    // SAFETY: the struct is ours.
    unsafe {
        let seconds = libc::mktime(&raw mut raw);
        if seconds == -1 && raw.tm_wday == -1 { None } else { Some((seconds, Calendar::of(&raw))) }
    }
}

unsafe extern "C" {
    fn tzset();
    fn strftime(
        buffer: *mut core::ffi::c_char,
        size: usize,
        format: *const core::ffi::c_char,
        time: *const libc::tm,
    ) -> usize;
}

/// Reads the time zone from the environment anew.
pub fn read_zone() {
    // SAFETY: the C library guards its own state.
    unsafe { tzset() }
}

/// Formats calendar time; `None` when the text is longer than `limit` (or empty, which C cannot
/// tell apart).
pub fn format(pattern: &CStr, calendar: &Calendar, limit: usize) -> Option<Vec<u8>> {
    let zone = calendar.zone.clone().map(|zone| std::ffi::CString::new(zone).unwrap_or_default());
    let raw = calendar.raw(zone.as_deref());
    let mut size = 1024;
    loop {
        let mut buffer = vec![0u8; size];
        // SAFETY: the buffer is ours, its length is told; format and zone are null-terminated.
        let written = unsafe {
            *libc::__errno_location() = 0;
            strftime(buffer.as_mut_ptr().cast(), size, pattern.as_ptr(), &raw const raw)
        };
        if written > 0 {
            buffer.truncate(written);
            return Some(buffer);
        }
        if size >= limit {
            return None;
        }
        size *= 4;
    }
}

/// The calling thread, as [`thread_clock`] and C name it.
pub fn this_thread() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_self() }
}
