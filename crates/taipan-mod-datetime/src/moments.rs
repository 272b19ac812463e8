//! How a `datetime` is made: the constructor, and the class methods that take it from a clock, a
//! timestamp, a text or a date and a time.

use crate::arguments::{Form, exactly, with_call_args};
use crate::build;
use crate::calendar::Day;
use crate::date::{self, iso_text, not_iso};
use crate::datetime::MONTH;
use crate::iso_parse::{self, Moment};
use crate::layout::{DateTimeView, DateView, TimeView, check_day, check_zone, new_datetime, raw_datetime};
use crate::local::{self, System};
use crate::state;
use crate::time::{end_of_day, read_zone};
use crate::zone::from_utc;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::native::{Args, CallArgs};
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_DeprecationWarning;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern};

static FORM: Form = Form {
    name: "",
    params: &["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    required: 3,
    positional: 8,
};
static TIMESTAMP_FORM: Form =
    Form { name: "fromtimestamp", params: &["timestamp", "tz"], required: 1, positional: 2 };
static COMBINE_FORM: Form =
    Form { name: "combine", params: &["date", "time", "tzinfo"], required: 2, positional: 3 };

fn make(ty: &Type, args: &CallArgs<'_>) -> PyResult<Ref<DateTimeView>> {
    if args.kwnames.is_none_or(Tuple::is_empty)
        && let [state, rest @ ..] = args.all
        && rest.len() < 2
        && let Some(data) =
            state::read(Some(state), "datetime", MONTH, |month| (1..=12).contains(&(month & !state::FOLD)))?
    {
        let zone = state::zone(rest.first().copied())?;
        let (data, fold) = state::take_fold(data, MONTH);
        return raw_datetime(ty, data, zone, fold);
    }
    let mut given = FORM.call(args)?;
    let day = Day::new(given.int_or(0)?, given.int_or(0)?, given.int_or(0)?);
    let clock = given.clock()?;
    let zone = given.next()?;
    let fold = given.int_or(0)?;
    given.end()?;
    new_datetime(ty, day, clock, zone, fold)
}

/// `datetime.__new__`.
pub fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<DateTimeView>> {
    with_call_args(args, kwargs, |args| make(ty, args))
}

/// `datetime(…)`.
pub fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult<Ref<DateTimeView>> {
    make(ty, &args)
}

/// The datetime at a time since 1970.
fn at(ty: &Type, (seconds, micros): (i64, i32), system: System, zone: Option<&Object>) -> PyResult {
    let system = if zone.is_some() { System::Utc } else { system };
    let (day, clock, fold) = local::fields_at(seconds, micros, system)?;
    let made = build::datetime(ty, day, clock, zone, fold)?;
    match zone {
        Some(zone) => from_utc(zone, &made),
        None => Ok(made),
    }
}

/// A zone that was given.
fn some_zone(zone: Option<&Object>) -> PyResult<Option<&Object>> {
    check_zone(zone)?;
    Ok(zone.filter(|zone| !is_none(zone)))
}

/// `datetime.now`.
pub fn now(ty: &Type, args: &Args<'_>) -> PyResult {
    let zone = some_zone(args.get(0))?;
    at(ty, local::now()?, System::Local, zone)
}

/// Tells that a method makes datetimes in UTC which do not say so.
fn discourage(method: &str, instead: &str) -> PyResult<()> {
    let text = format!(
        "datetime.datetime.{method}() is deprecated and scheduled for removal in a future version. \
         Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.{instead}."
    );
    (taipan_object::state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &text, 1)
}

/// `datetime.utcnow`.
pub fn utcnow(ty: &Type) -> PyResult {
    discourage("utcnow", "now(datetime.UTC)")?;
    at(ty, local::now()?, System::Utc, None)
}

/// `datetime.fromtimestamp`, also for C.
pub fn fromtimestamp(ty: &Type, args: &CallArgs<'_>) -> PyResult {
    let mut given = TIMESTAMP_FORM.call(args)?;
    let timestamp = given.required()?;
    let zone = given.next()?;
    given.end()?;
    let zone = some_zone(zone)?;
    at(ty, local::split(timestamp)?, System::Local, zone)
}

/// `datetime.utcfromtimestamp`.
pub fn utcfromtimestamp(ty: &Type, args: CallArgs<'_>) -> PyResult {
    discourage("utcfromtimestamp", "fromtimestamp(timestamp, datetime.UTC)")?;
    let timestamp = exactly("utcfromtimestamp", &args, 1)?[0];
    at(ty, local::split(timestamp)?, System::Utc, None)
}

/// `datetime.strptime`.
pub fn strptime(ty: &Type, args: CallArgs<'_>) -> PyResult {
    date::strptime(ty, args, intern!("_strptime_datetime_datetime"))
}

/// `datetime.combine`.
pub fn combine(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let mut given = COMBINE_FORM.call(&args)?;
    let date = given.next()?;
    let date = given.typed::<DateView>(date, "datetime.date")?;
    let time = given.next()?;
    let time = given.typed::<TimeView>(time, "datetime.time")?;
    let zone = given.next()?;
    given.end()?;
    let (Some(date), Some(time)) = (date, time) else {
        return Err(taipan_object::err::type_error("missing argument"));
    };
    build::datetime(ty, date.day(), time.clock(), zone.or_else(|| time.zone()), time.fold())
}

/// The text of `fromisoformat` as UTF-8. A surrogate may only stand where the separator does: it is
/// taken for a `T`.
fn utf8(text: &Str) -> Option<String> {
    if let Some(text) = text.as_utf8() {
        return Some(text.to_owned());
    }
    let mut points: Vec<u32> = text.code_points().collect();
    for place in [7, 8, 10] {
        if let Some(point) = points.get_mut(place)
            && char::from_u32(*point).is_none()
        {
            *point = 'T'.into();
            break;
        }
    }
    points.into_iter().map(char::from_u32).collect()
}

/// `datetime.fromisoformat`.
pub fn fromisoformat(ty: &Type, object: &Object) -> PyResult {
    let text = iso_text(object)?;
    // Shorter than the shortest date.
    let text = if text.len() < 7 { None } else { utf8(text) };
    let Some((day, Moment { clock, offset })) = text.and_then(|text| iso_parse::date_time(text.as_bytes()))
    else {
        return Err(not_iso(object));
    };
    let zone = read_zone(offset)?;
    let (clock, next_day) = end_of_day(clock)?;
    let day = if next_day {
        check_day(day)?;
        Day::from_ordinal(day.ordinal() + 1)
    } else {
        day
    };
    build::datetime(ty, day, clock, zone.as_deref(), 0)
}
