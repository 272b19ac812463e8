//! What instances hold: the structs of CPython's `datetime.h`, which extension modules read in place.
//!
//! Fields are packed into bytes, big end first: year (2), month, day, hour, minute, second,
//! microsecond (3). The hash stands in front, -1 while it is not known. A [`DateTime`] begins as a
//! [`Date`] does, so that a view of dates also serves the datetimes, which are dates to Python.
//! CPython leaves out the last word of times without a zone; here it is always there and empty then.
//!
//! Nothing but the hash ever changes. Values made by unpickling may be out of range, since CPython
//! takes the bytes as they are: arithmetic must not rely on more than a month from 1 to 12.

use crate::calendar::{self, Clock, Day};
use std::cell::Cell;
use std::mem::offset_of;
use taipan_object::abi::Py_TPFLAGS_BASETYPE;
use taipan_object::err::{PyResult, type_error};
use taipan_object::native::{Native, Payload, native_new};
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyBaseObject_Type, PyExc_TypeError, PyExc_ValueError, StaticType};
use taipan_object::unicode::{Str, hash_bytes};
use taipan_object::{Object, Ref, Type, abi, raise};

/// A hash that has not been asked for.
const UNKNOWN: isize = -1;

/// A cached hash.
pub struct Hash(Cell<isize>);

impl Hash {
    fn unknown() -> Self {
        Self(Cell::new(UNKNOWN))
    }

    /// The hash, computed the first time.
    pub fn get_or(&self, compute: impl FnOnce() -> PyResult<isize>) -> PyResult<isize> {
        if self.0.get() == UNKNOWN {
            self.0.set(compute()?);
        }
        Ok(self.0.get())
    }
}

/// `date`.
#[repr(C)]
pub struct Date {
    pub hash: Hash,
    aware: u8,
    data: [u8; 4],
}

/// `datetime`.
#[repr(C)]
pub struct DateTime {
    pub hash: Hash,
    aware: u8,
    data: [u8; 10],
    fold: u8,
    zone: Option<Ref>,
}

/// `time`.
#[repr(C)]
pub struct Time {
    pub hash: Hash,
    aware: u8,
    data: [u8; 6],
    fold: u8,
    zone: Option<Ref>,
}

/// `timedelta`.
#[repr(C)]
pub struct Delta {
    pub hash: Hash,
    days: i32,
    seconds: i32,
    micros: i32,
}

/// `tzinfo`: nothing of its own.
pub struct TzInfo;

/// `timezone`.
#[repr(C)]
pub struct Timezone {
    pub offset: Ref<DeltaView>,
    pub name: Option<Ref<Str>>,
}

pub type DateView = Native<Date>;
pub type DateTimeView = Native<DateTime>;
pub type TimeView = Native<Time>;
pub type DeltaView = Native<Delta>;
pub type TzInfoView = Native<TzInfo>;
pub type TimezoneView = Native<Timezone>;

/// The bytes of an object before its fields.
const HEAD: usize = size_of::<abi::PyObject>();

const _: () = {
    assert!(size_of::<Date>() + HEAD == size_of::<abi::PyDateTime_Date>());
    assert!(offset_of!(Date, aware) + HEAD == offset_of!(abi::PyDateTime_Date, hastzinfo));
    assert!(offset_of!(Date, data) + HEAD == offset_of!(abi::PyDateTime_Date, data));
    assert!(size_of::<DateTime>() + HEAD == size_of::<abi::PyDateTime_DateTime>());
    assert!(offset_of!(DateTime, hash) + HEAD == offset_of!(abi::PyDateTime_DateTime, hashcode));
    assert!(offset_of!(DateTime, aware) + HEAD == offset_of!(abi::PyDateTime_DateTime, hastzinfo));
    assert!(offset_of!(DateTime, data) + HEAD == offset_of!(abi::PyDateTime_DateTime, data));
    assert!(offset_of!(DateTime, fold) + HEAD == offset_of!(abi::PyDateTime_DateTime, fold));
    assert!(offset_of!(DateTime, zone) + HEAD == offset_of!(abi::PyDateTime_DateTime, tzinfo));
    assert!(size_of::<Time>() + HEAD == size_of::<abi::PyDateTime_Time>());
    assert!(offset_of!(Time, aware) + HEAD == offset_of!(abi::PyDateTime_Time, hastzinfo));
    assert!(offset_of!(Time, data) + HEAD == offset_of!(abi::PyDateTime_Time, data));
    assert!(offset_of!(Time, fold) + HEAD == offset_of!(abi::PyDateTime_Time, fold));
    assert!(offset_of!(Time, zone) + HEAD == offset_of!(abi::PyDateTime_Time, tzinfo));
    assert!(size_of::<Delta>() + HEAD == size_of::<abi::PyDateTime_Delta>());
    assert!(DELTA_DAYS == offset_of!(abi::PyDateTime_Delta, days));
    assert!(DELTA_SECONDS == offset_of!(abi::PyDateTime_Delta, seconds));
    assert!(DELTA_MICROS == offset_of!(abi::PyDateTime_Delta, microseconds));
};

/// Where the members of a timedelta stand in an instance.
pub const DELTA_DAYS: usize = HEAD + offset_of!(Delta, days);
pub const DELTA_SECONDS: usize = HEAD + offset_of!(Delta, seconds);
pub const DELTA_MICROS: usize = HEAD + offset_of!(Delta, micros);

/// The type objects.
pub static DATE: StaticType = StaticType::native(c"datetime.date", Native::<Date>::SIZE, Py_TPFLAGS_BASETYPE);
pub static DATETIME: StaticType =
    StaticType::derived(c"datetime.datetime", Native::<DateTime>::SIZE, Py_TPFLAGS_BASETYPE, &raw const DATE);
pub static TIME: StaticType = StaticType::native(c"datetime.time", Native::<Time>::SIZE, Py_TPFLAGS_BASETYPE);
pub static DELTA: StaticType =
    StaticType::native(c"datetime.timedelta", Native::<Delta>::SIZE, Py_TPFLAGS_BASETYPE);
pub static TZINFO: StaticType = StaticType::derived(
    c"datetime.tzinfo",
    Native::<TzInfo>::SIZE,
    Py_TPFLAGS_BASETYPE,
    &raw const PyBaseObject_Type,
);
pub static TIMEZONE: StaticType =
    StaticType::derived(c"datetime.timezone", Native::<Timezone>::SIZE, 0, &raw const TZINFO);

impl Payload for Date {
    const TYPE: &'static StaticType = &DATE;
}
impl Payload for DateTime {
    const TYPE: &'static StaticType = &DATETIME;
}
impl Payload for Time {
    const TYPE: &'static StaticType = &TIME;
}
impl Payload for Delta {
    const TYPE: &'static StaticType = &DELTA;
}
impl Payload for TzInfo {
    const TYPE: &'static StaticType = &TZINFO;
}
impl Payload for Timezone {
    const TYPE: &'static StaticType = &TIMEZONE;
}

fn low_byte(value: i32) -> u8 {
    value.to_le_bytes()[0]
}

fn pack_day(day: Day) -> [u8; 4] {
    let [low, high, ..] = day.year.to_le_bytes();
    [high, low, low_byte(day.month), low_byte(day.day)]
}

fn pack_clock(clock: Clock) -> [u8; 6] {
    let [low, middle, high, _] = clock.micro.to_le_bytes();
    [low_byte(clock.hour), low_byte(clock.minute), low_byte(clock.second), high, middle, low]
}

fn unpack_day(data: [u8; 4]) -> Day {
    Day::new(i32::from(u16::from_be_bytes([data[0], data[1]])), data[2].into(), data[3].into())
}

fn unpack_clock(data: [u8; 6]) -> Clock {
    Clock {
        hour: data[0].into(),
        minute: data[1].into(),
        second: data[2].into(),
        micro: i32::from_be_bytes([0, data[3], data[4], data[5]]),
    }
}

/// A zone as instances keep it: nothing for `None`.
fn keep(zone: Option<&Object>) -> Option<Ref> {
    zone.filter(|zone| !is_none(zone)).map(Object::new_ref)
}

impl Date {
    pub fn day(&self) -> Day {
        unpack_day(self.data)
    }

    pub fn data(&self) -> [u8; 4] {
        self.data
    }
}

impl DateTime {
    pub fn day(&self) -> Day {
        let [a, b, c, d, ..] = self.data;
        unpack_day([a, b, c, d])
    }

    pub fn clock(&self) -> Clock {
        let [_, _, _, _, a, b, c, d, e, f] = self.data;
        unpack_clock([a, b, c, d, e, f])
    }

    pub fn data(&self) -> [u8; 10] {
        self.data
    }

    pub fn fold(&self) -> i32 {
        self.fold.into()
    }

    /// The zone, unless it is `None`.
    pub fn zone(&self) -> Option<&Object> {
        self.zone.as_deref()
    }

    pub fn plain_hash(&self) -> isize {
        hash_bytes(&self.data)
    }
}

impl Time {
    pub fn clock(&self) -> Clock {
        unpack_clock(self.data)
    }

    pub fn data(&self) -> [u8; 6] {
        self.data
    }

    pub fn fold(&self) -> i32 {
        self.fold.into()
    }

    /// The zone, unless it is `None`.
    pub fn zone(&self) -> Option<&Object> {
        self.zone.as_deref()
    }

    pub fn plain_hash(&self) -> isize {
        hash_bytes(&self.data)
    }
}

/// A zone as Python sees it.
pub fn zone_or_none(zone: Option<&Object>) -> &Object {
    match zone {
        Some(zone) => zone,
        None => none(),
    }
}

/// A duration: days, seconds of a day and microseconds of a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub days: i32,
    pub seconds: i32,
    pub micros: i32,
}

impl Delta {
    pub fn span(&self) -> Span {
        Span { days: self.days, seconds: self.seconds, micros: self.micros }
    }
}

/// Refuses what is no date of the calendar.
pub fn check_day(day: Day) -> PyResult<()> {
    if !(calendar::MIN_YEAR..=calendar::MAX_YEAR).contains(&day.year) {
        return Err(year_error(day.year.into()));
    }
    if !(1..=12).contains(&day.month) {
        return Err(raise!(PyExc_ValueError, "month must be in 1..12, not {}", day.month));
    }
    let last = calendar::days_in_month(day.year, day.month);
    if !(1..=last).contains(&day.day) {
        return Err(raise!(
            PyExc_ValueError,
            "day {} must be in range 1..{last} for month {} in year {}",
            day.day,
            day.month,
            day.year
        ));
    }
    Ok(())
}

/// The error of a year that no date has.
#[cold]
pub fn year_error(year: i64) -> taipan_object::PyErr {
    raise!(PyExc_ValueError, "year must be in 1..9999, not {year}")
}

/// Refuses what no clock shows.
pub fn check_clock(clock: Clock, fold: i32) -> PyResult<()> {
    let ranges = [
        (clock.hour, 23, "hour"),
        (clock.minute, 59, "minute"),
        (clock.second, 59, "second"),
        (clock.micro, 999_999, "microsecond"),
    ];
    for (value, last, name) in ranges {
        if !(0..=last).contains(&value) {
            return Err(raise!(PyExc_ValueError, "{name} must be in 0..{last}, not {value}"));
        }
    }
    if !(0..=1).contains(&fold) {
        return Err(raise!(PyExc_ValueError, "fold must be either 0 or 1, not {fold}"));
    }
    Ok(())
}

/// Refuses what is neither `None` nor a zone.
pub fn check_zone(zone: Option<&Object>) -> PyResult<()> {
    match zone {
        Some(zone) if !is_none(zone) && !zone.ty().is_subtype(&TZINFO) => Err(raise!(
            PyExc_TypeError,
            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
            zone.ty().message_name()
        )),
        _ => Ok(()),
    }
}

/// The type for an instance, as C callers give it.
///
/// # Errors
/// `TypeError` when it is not `base` or derived from it.
pub fn check_type(ty: &Type, base: &StaticType) -> PyResult<()> {
    if ty.is_subtype(base) {
        return Ok(());
    }
    Err(type_error(&format!("expected a subtype of {}, not {}", base.full_name(), ty.message_name())))
}

/// A new date of the class itself, checked.
pub fn new_date(ty: &Type, day: Day) -> PyResult<Ref<DateView>> {
    check_day(day)?;
    raw_date(ty, pack_day(day))
}

/// A new date of these bytes.
pub fn raw_date(ty: &Type, data: [u8; 4]) -> PyResult<Ref<DateView>> {
    native_new(ty, Date { hash: Hash::unknown(), aware: 0, data })
}

/// A new datetime of the class itself, checked.
pub fn new_datetime(
    ty: &Type,
    day: Day,
    clock: Clock,
    zone: Option<&Object>,
    fold: i32,
) -> PyResult<Ref<DateTimeView>> {
    check_day(day)?;
    check_clock(clock, fold)?;
    check_zone(zone)?;
    let ([a, b, c, d], [e, f, g, h, i, j]) = (pack_day(day), pack_clock(clock));
    raw_datetime(ty, [a, b, c, d, e, f, g, h, i, j], zone, fold)
}

/// A new datetime of these bytes.
pub fn raw_datetime(
    ty: &Type,
    data: [u8; 10],
    zone: Option<&Object>,
    fold: i32,
) -> PyResult<Ref<DateTimeView>> {
    let zone = keep(zone);
    let aware = u8::from(zone.is_some());
    native_new(ty, DateTime { hash: Hash::unknown(), aware, data, fold: low_byte(fold), zone })
}

/// A new time of the class itself, checked.
pub fn new_time(ty: &Type, clock: Clock, zone: Option<&Object>, fold: i32) -> PyResult<Ref<TimeView>> {
    check_clock(clock, fold)?;
    check_zone(zone)?;
    raw_time(ty, pack_clock(clock), zone, fold)
}

/// A new time of these bytes.
pub fn raw_time(ty: &Type, data: [u8; 6], zone: Option<&Object>, fold: i32) -> PyResult<Ref<TimeView>> {
    let zone = keep(zone);
    let aware = u8::from(zone.is_some());
    native_new(ty, Time { hash: Hash::unknown(), aware, data, fold: low_byte(fold), zone })
}

/// A new timedelta of the class itself, whose fields are in range.
pub fn raw_delta(ty: &Type, span: Span) -> PyResult<Ref<DeltaView>> {
    let Span { days, seconds, micros } = span;
    native_new(ty, Delta { hash: Hash::unknown(), days, seconds, micros })
}
