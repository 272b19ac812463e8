//! Local time: the zone of the system, and seconds to and from it.
//!
//! Seconds are counted from the beginning of the year 1 (plus one day), so that they are never
//! negative where a date exists. The way back from local time, which may exist twice or not at all, is
//! the one that PEP 495 describes.

use crate::calendar::{self, Clock, Day, UNIX_ORDINAL};
use crate::delta;
use crate::layout::{Span, TimezoneView, year_error};
use crate::timezone;
use taipan_object::err::{PyErr, PyResult, overflow_error, value_error};
use taipan_object::float::Float;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::system::fs_decode;
use taipan_object::{Object, Ref, raise};
use taipan_os::clock;
use taipan_types_meta::exceptions::os_error;

/// The beginning of 1970 in seconds as they are counted here.
pub const EPOCH: i64 = UNIX_ORDINAL * 86_400;
/// No zone changes its offset by more than this, nor twice within it.
const FOLD: i64 = 24 * 3600;

/// What the system refused, as an exception.
#[cold]
fn refused(errno: i32) -> PyErr {
    os_error(errno, None)
}

/// Whether times are wanted in the system's zone or in UTC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum System {
    Local,
    Utc,
}

/// A time since 1970 as calendar and clock show it.
fn shown(seconds: i64, system: System) -> PyResult<(Day, Clock)> {
    if system == System::Utc
        && let Some(fields) = shown_in_utc(seconds)
    {
        return Ok(fields);
    }
    let fields = match system {
        System::Local => clock::local_fields(seconds),
        System::Utc => clock::utc(seconds),
    };
    let fields = fields.map_err(refused)?;
    let day = Day::new(fields.year.saturating_add(1900), fields.month + 1, fields.day);
    // Leap seconds, where the system's zones know them, have no place here.
    let clock = Clock { hour: fields.hour, minute: fields.minute, second: fields.second.min(59), micro: 0 };
    Ok((day, clock))
}

/// As [`shown`] for UTC, where the calendar has a date.
fn shown_in_utc(seconds: i64) -> Option<(Day, Clock)> {
    let days = seconds.div_euclid(86_400);
    let ordinal = days.checked_add(UNIX_ORDINAL)?;
    if !(1..=calendar::MAX_ORDINAL).contains(&ordinal) {
        return None;
    }
    let rest = i32::try_from(seconds.rem_euclid(86_400)).ok()?;
    let clock = Clock { hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60, micro: 0 };
    Some((Day::from_ordinal(ordinal), clock))
}

/// Date and time in seconds.
fn counted(day: Day, clock: Clock) -> PyResult<i64> {
    if !(calendar::MIN_YEAR..=calendar::MAX_YEAR).contains(&day.year) {
        return Err(year_error(day.year.into()));
    }
    Ok(day.seconds_at(clock))
}

/// What local clocks show at a time in UTC, both in seconds as they are counted here.
fn local(seconds: i64) -> PyResult<i64> {
    let (day, clock) = shown(seconds - EPOCH, System::Local)?;
    counted(day, clock)
}

/// The time in UTC at which local clocks show this date and time, in seconds.
pub fn from_local(day: Day, clock: Clock, fold: i32) -> PyResult<i64> {
    let time = counted(day, clock)?;
    let before = local(time)? - time;
    let first = time - before;
    let shown_first = local(first)?;
    let after = if shown_first == time {
        // One answer; there may be another, earlier or later, which `fold` asks for.
        let other = if fold == 0 { first - FOLD } else { first + FOLD };
        let after = local(other)? - other;
        if after == before {
            return Ok(first);
        }
        after
    } else {
        shown_first - first
    };
    let second = time - after;
    if local(second)? == time {
        return Ok(second);
    }
    if shown_first == time {
        return Ok(first);
    }
    // Clocks jumped over this time.
    Ok(if fold == 0 { first.max(second) } else { first.min(second) })
}

/// The zone of the system at a time since 1970.
pub fn zone_at(seconds: i64) -> PyResult<Ref<TimezoneView>> {
    let fields = clock::local(seconds).map_err(refused)?;
    let offset = delta::object(Span::normal(0, fields.offset, 0)?)?;
    let name = fs_decode(fields.zone.as_deref().unwrap_or_default())?;
    timezone::with_offset(&offset, Some(&name))
}

/// Date, time and fold of a time since 1970. A local time has a fold when it was there before.
pub fn fields_at(seconds: i64, micros: i32, system: System) -> PyResult<(Day, Clock, i32)> {
    let (day, mut clock) = shown(seconds, system)?;
    clock.micro = micros;
    let mut fold = 0;
    if system == System::Local {
        let time = counted(day, clock)?;
        let jump = time - local(EPOCH + seconds - FOLD)? - FOLD;
        if jump < 0 {
            fold = i32::from(local(EPOCH + seconds + jump)? == time);
        }
    }
    Ok((day, clock, fold))
}

/// The present as seconds and microseconds since 1970.
pub fn now() -> PyResult<(i64, i32)> {
    let (seconds, nanos) = clock::time(clock::REALTIME).map_err(refused)?;
    Ok((seconds, i32::try_from(nanos / 1000).unwrap_or(0)))
}

#[cold]
fn out_of_range() -> PyErr {
    overflow_error("timestamp out of range for platform time_t")
}

/// The bounds between which a float fits 64 bits.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

fn whole_seconds(object: &Object) -> PyResult<i64> {
    object.to_index()?.to_i64().ok_or_else(out_of_range)
}

/// A timestamp rounded down to seconds.
pub fn floor_seconds(object: &Object) -> PyResult<i64> {
    let Some(float) = object.downcast::<Float>() else { return whole_seconds(object) };
    let value = float.value();
    if value.is_nan() {
        return Err(value_error("Invalid value NaN (not a number)"));
    }
    let floor = value.floor();
    if (-LIMIT..LIMIT).contains(&floor) { Ok(floor as i64) } else { Err(out_of_range()) }
}

/// A timestamp as seconds and microseconds, rounded to the nearest.
pub fn split(object: &Object) -> PyResult<(i64, i32)> {
    let Some(float) = object.downcast::<Float>() else {
        if !taipan_object::protocol::has_index(object) {
            return Err(raise!(
                PyExc_TypeError,
                "argument must be int or float, not {}",
                object.ty().message_name()
            ));
        }
        return Ok((whole_seconds(object)?, 0));
    };
    let value = float.value();
    if value.is_nan() {
        return Err(value_error("Invalid value NaN (not a number)"));
    }
    let mut whole = value.trunc();
    let mut micros = ((value - whole) * 1e6).round_ties_even();
    if micros >= 1e6 {
        micros -= 1e6;
        whole += 1.0;
    } else if micros < 0.0 {
        micros += 1e6;
        whole -= 1.0;
    }
    if !(-LIMIT..LIMIT).contains(&whole) {
        return Err(out_of_range());
    }
    Ok((whole as i64, micros as i32))
}

/// The date in the system's zone at a time since 1970.
pub fn date_at(seconds: i64) -> PyResult<Day> {
    shown(seconds, System::Local).map(|(day, _)| day)
}
