//! What C code may ask for: the functions of `PyDateTime_CAPI` in Rust's terms.

use crate::arguments::{exactly, with_call_args};
use crate::calendar::{Clock, Day};
use crate::layout::{self, DATE, DATETIME, DELTA, DeltaView, Span, TIME, TZINFO, check_type, raw_delta};
use crate::{date, moments, timezone};
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error};
use taipan_object::native::CallArgs;
use taipan_object::statics::{PyExc_OverflowError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, raise};

/// The classes: date, datetime, time, timedelta, tzinfo.
pub fn classes() -> [&'static StaticType; 5] {
    [&DATE, &DATETIME, &TIME, &DELTA, &TZINFO]
}

/// `timezone.utc`.
///
/// # Errors
/// `MemoryError`.
pub fn utc() -> PyResult<&'static Object> {
    timezone::utc().map(|utc| utc.object())
}

/// A date of year, month and day.
///
/// # Errors
/// `ValueError` for what is no date, `TypeError` for another class.
pub fn new_date(ty: &Type, [year, month, day]: [i32; 3]) -> PyResult {
    check_type(ty, &DATE)?;
    if ty.is_subtype(&DATETIME) {
        return new_datetime(ty, [year, month, day, 0, 0, 0, 0], None, 0);
    }
    layout::new_date(ty, Day::new(year, month, day)).map(Ref::upcast)
}

/// A datetime of its fields, zone and fold.
///
/// # Errors
/// As [`new_date`].
pub fn new_datetime(ty: &Type, fields: [i32; 7], zone: Option<&Object>, fold: i32) -> PyResult {
    check_type(ty, &DATETIME)?;
    let [year, month, day, hour, minute, second, micro] = fields;
    let (day, clock) = (Day::new(year, month, day), Clock { hour, minute, second, micro });
    layout::new_datetime(ty, day, clock, zone, fold).map(Ref::upcast)
}

/// A time of its fields, zone and fold.
///
/// # Errors
/// As [`new_date`].
pub fn new_time(ty: &Type, fields: [i32; 4], zone: Option<&Object>, fold: i32) -> PyResult {
    check_type(ty, &TIME)?;
    let [hour, minute, second, micro] = fields;
    layout::new_time(ty, Clock { hour, minute, second, micro }, zone, fold).map(Ref::upcast)
}

/// A timedelta of days, seconds and microseconds, which are brought into range if `normalize` says so.
///
/// # Errors
/// `OverflowError` for too many days, `TypeError` for another class.
pub fn new_delta(ty: &Type, [days, seconds, micros]: [i32; 3], normalize: bool) -> PyResult {
    check_type(ty, &DELTA)?;
    let span = if normalize {
        Span::normal(days.into(), seconds.into(), micros.into())?
    } else if days.unsigned_abs() > crate::span::MAX_DAYS.unsigned_abs() {
        return Err(raise!(
            PyExc_OverflowError,
            "days={days}; must have magnitude <= {}",
            crate::span::MAX_DAYS
        ));
    } else {
        Span { days, seconds, micros }
    };
    raw_delta(ty, span).map(Ref::upcast)
}

/// A zone with a fixed offset.
///
/// # Errors
/// `TypeError` for an offset that is no timedelta, `ValueError` for one of a day or more.
pub fn new_timezone(offset: &Object, name: Option<&Object>) -> PyResult {
    let Some(offset) = offset.downcast::<DeltaView>() else {
        return Err(type_error("offset must be a timedelta"));
    };
    let name = match name {
        None => None,
        Some(name) => match name.downcast::<Str>() {
            Some(name) => Some(name),
            None => return Err(type_error("name must be a string")),
        },
    };
    timezone::with_offset(offset, name).map(Ref::upcast)
}

/// `datetime.fromtimestamp(*args, **kwargs)` of a class.
///
/// # Errors
/// What it raises.
pub fn datetime_from_timestamp(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    check_type(ty, &DATETIME)?;
    with_call_args(args, kwargs, |args| moments::fromtimestamp(ty, args))
}

/// `date.fromtimestamp(*args)` of a class.
///
/// # Errors
/// What it raises.
pub fn date_from_timestamp(ty: &Type, args: &Tuple) -> PyResult {
    check_type(ty, &DATE)?;
    let args = CallArgs { all: args.items(), kwnames: None };
    date::fromtimestamp(ty, exactly("fromtimestamp", &args, 1)?[0])
}
