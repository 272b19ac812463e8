//! Calendar time: `struct_time`, splitting and joining, formatting, time zones.

use super::wrong_type;
use crate::posix::convert::{ok, os_error};
use std::ffi::CString;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::structseq;
use taipan_object::system::fs_decode;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, raise, struct_sequence};
use taipan_os::clock::{self, Calendar};

struct_sequence! {
    /// `struct_time`.
    pub static STRUCT_TIME, STRUCT_TIME_TYPE = c"time.struct_time", visible 9, flags 0,
        c"A point of time as calendar and clock show it.\n\nMay be used as a tuple of nine ints; the zone is reached by its names only." {
        tm_year c"year, such as 1993";
        tm_mon c"month, from 1 to 12";
        tm_mday c"day of the month, from 1 to 31";
        tm_hour c"hour, from 0 to 23";
        tm_min c"minute, from 0 to 59";
        tm_sec c"second, from 0 to 61";
        tm_wday c"day of the week, Monday is 0";
        tm_yday c"day of the year, from 1 to 366";
        tm_isdst c"1 if summer time holds, 0 if not, -1 if that is not known";
        tm_zone c"short name of the time zone";
        tm_gmtoff c"seconds east of UTC";
    }
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn struct_time(calendar: &Calendar) -> PyResult<Ref<Tuple>> {
    let number = |value: i64| Int::from_i64(value).upcast();
    let numbers = [
        i64::from(calendar.year) + 1900,
        i64::from(calendar.month) + 1,
        calendar.day.into(),
        calendar.hour.into(),
        calendar.minute.into(),
        calendar.second.into(),
        i64::from((calendar.weekday + 6) % 7),
        i64::from(calendar.year_day) + 1,
        calendar.dst.into(),
    ];
    let mut values: Vec<Ref> = numbers.into_iter().map(number).collect();
    values.push(fs_decode(calendar.zone.as_deref().unwrap_or_default())?.upcast());
    values.push(number(calendar.offset));
    STRUCT_TIME.make(values)
}

/// A time in seconds as an optional argument: the present by default.
fn seconds_arg(function: &str, args: &[&Object]) -> PyResult<i64> {
    if args.len() > 1 {
        return Err(raise!(PyExc_TypeError, "{function}() takes at most 1 argument ({} given)", args.len()));
    }
    let Some(&object) = args.first().filter(|object| !is_none(object)) else {
        return Ok(ok(clock::time(clock::REALTIME))?.0);
    };
    let out_of_range = || overflow_error("timestamp out of range for platform time_t");
    if let Some(float) = object.downcast::<Float>() {
        let value = float.value();
        if value.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        let whole = value.floor();
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
            return Err(out_of_range());
        }
        return Ok(whole as i64);
    }
    object.to_index()?.to_i64().ok_or_else(out_of_range)
}

fn gmtime(_: &Object, args: &[&Object]) -> PyResult<Ref<Tuple>> {
    struct_time(&ok(clock::utc(seconds_arg("gmtime", args)?))?)
}

fn localtime(_: &Object, args: &[&Object]) -> PyResult<Ref<Tuple>> {
    struct_time(&ok(clock::local(seconds_arg("localtime", args)?))?)
}

/// The fields of a tuple or `struct_time` argument.
fn fields(object: &Object, function: &str) -> PyResult<Calendar> {
    let Some(tuple) = object.downcast::<Tuple>() else {
        return Err(wrong_type("Tuple or struct_time argument required"));
    };
    if tuple.len() != 9 {
        return Err(raise!(PyExc_TypeError, "{function}(): illegal time tuple argument"));
    }
    let tuple = Ref::of(tuple);
    let mut numbers = [0i32; 9];
    for (place, item) in numbers.iter_mut().zip(tuple.items()) {
        *place = item.to_i32()?;
    }
    let [year, month, day, hour, minute, second, weekday, year_day, dst] = numbers;
    if year < i32::MIN + 1900 {
        return Err(overflow_error("year out of range"));
    }
    let mut calendar = Calendar {
        year: year - 1900,
        month: month.wrapping_sub(1),
        day,
        hour,
        minute,
        second,
        weekday: weekday.wrapping_add(1) % 7,
        year_day: year_day.wrapping_sub(1),
        dst,
        offset: 0,
        zone: None,
    };
    if object.is_exact(&STRUCT_TIME_TYPE) {
        let hidden = structseq::values(object);
        let given = |index: usize| hidden.get(index).cloned().flatten().filter(|value| !is_none(value));
        if let Some(zone) = given(9) {
            let Some(zone) = zone.downcast::<Str>() else {
                return Err(wrong_type("bad argument type for built-in operation"));
            };
            calendar.zone = Some(zone.to_utf8()?.as_bytes().to_vec());
        }
        if let Some(offset) = given(10) {
            calendar.offset = offset.to_i64()?;
        }
    }
    Ok(calendar)
}

/// Checks fields that C's functions would use to index tables.
fn check(calendar: &mut Calendar) -> PyResult<()> {
    /// Zero where fields begin with one is taken for one.
    fn lenient(field: &mut i32, wrong: i32, right: i32) {
        if *field == wrong {
            *field = right;
        }
    }
    lenient(&mut calendar.month, -1, 0);
    lenient(&mut calendar.day, 0, 1);
    lenient(&mut calendar.year_day, -1, 0);
    let ranges = [
        (calendar.month, 0..=11, "month"),
        (calendar.day, 1..=31, "day of month"),
        (calendar.hour, 0..=23, "hour"),
        (calendar.minute, 0..=59, "minute"),
        (calendar.second, 0..=61, "seconds"),
        (calendar.weekday, 0..=6, "day of week"),
        (calendar.year_day, 0..=365, "day of year"),
    ];
    for (value, range, name) in ranges {
        if !range.contains(&value) {
            return Err(value_error(&format!("{name} out of range")));
        }
    }
    Ok(())
}

fn show(calendar: &Calendar) -> String {
    format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        DAYS[calendar.weekday as usize],
        MONTHS[calendar.month as usize],
        calendar.day,
        calendar.hour,
        calendar.minute,
        calendar.second,
        i64::from(calendar.year) + 1900
    )
}

fn now() -> PyResult<Calendar> {
    ok(clock::local(ok(clock::time(clock::REALTIME))?.0))
}

fn asctime(_: &Object, args: &[&Object]) -> PyResult<String> {
    if args.len() > 1 {
        return Err(raise!(PyExc_TypeError, "asctime expected at most 1 argument, got {}", args.len()));
    }
    let Some(object) = args.first() else { return now().map(|calendar| show(&calendar)) };
    let mut calendar = fields(object, "asctime")?;
    check(&mut calendar)?;
    Ok(show(&calendar))
}

fn ctime(_: &Object, args: &[&Object]) -> PyResult<String> {
    Ok(show(&ok(clock::local(seconds_arg("ctime", args)?))?))
}

fn mktime(_: &Object, object: &Object) -> PyResult<f64> {
    let calendar = fields(object, "mktime")?;
    match clock::from_local(&calendar) {
        Some((seconds, _)) => Ok(seconds as f64),
        None => Err(overflow_error("mktime argument out of range")),
    }
}

/// Formats one piece that holds no null and nothing beyond ASCII.
fn format_piece(piece: &[u8], calendar: &Calendar) -> Vec<u8> {
    // A directive of up to four characters cannot ask for more than fits at once; longer patterns may,
    // within reason.
    let limit = if piece.len() > 4 { piece.len().saturating_mul(256) } else { 1024 };
    match CString::new(piece) {
        Ok(pattern) => clock::format(&pattern, calendar, limit).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn strftime(_: &Object, args: &[&Object]) -> PyResult<Ref<Str>> {
    let (Some(format), None) = (args.first(), args.get(2)) else {
        let bound = if args.is_empty() { "at least 1 argument" } else { "at most 2 arguments" };
        return Err(raise!(PyExc_TypeError, "strftime() takes {bound} ({} given)", args.len()));
    };
    let Some(format) = format.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "strftime() argument 1 must be str, not {}",
            if is_none(format) { "None" } else { format.ty().message_name() }
        ));
    };
    let mut calendar = match args.get(1) {
        Some(object) => fields(object, "strftime")?,
        None => now()?,
    };
    check(&mut calendar)?;
    calendar.dst = calendar.dst.clamp(-1, 1);
    let points: Vec<u32> = format.code_points().collect();
    let mut text: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < points.len() {
        let plain = points[at..].iter().take_while(|&&point| (1..128).contains(&point));
        let piece: Vec<u8> = plain.map(|&point| point as u8).collect();
        at += piece.len();
        if !piece.is_empty() {
            text.extend(fs_decode(&format_piece(&piece, &calendar))?.code_points());
        }
        let rest = points[at..].iter().take_while(|&&point| point != u32::from('%')).count();
        text.extend_from_slice(&points[at..at + rest]);
        at += rest;
    }
    Str::from_code_points(&text)
}

/// The offset west of UTC and the zone's name at a time.
fn zone_at(seconds: i64) -> PyResult<(i64, Vec<u8>)> {
    let calendar = ok(clock::local(seconds))?;
    Ok((-calendar.offset, calendar.zone.unwrap_or_default()))
}

/// Sets `timezone`, `altzone`, `daylight` and `tzname`, found by looking at January and July.
fn set_zone(module: &Module) -> PyResult<()> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let begin = ok(clock::time(clock::REALTIME))?.0 / YEAR * YEAR;
    let (january, july) = (zone_at(begin)?, zone_at(begin + YEAR / 2)?);
    // South of the equator summer time holds in January.
    let (winter, summer) = if january.0 < july.0 { (july, january) } else { (january, july) };
    module.add("timezone", &Int::from_i64(winter.0))?;
    module.add("altzone", &Int::from_i64(summer.0))?;
    let daylight = winter.0 != summer.0;
    module.add("daylight", &Int::from_i64(i64::from(daylight)))?;
    let names = Tuple::from_array([fs_decode(&winter.1)?.upcast(), fs_decode(&summer.1)?.upcast()])?;
    module.add("tzname", &names)
}

fn tzset(module: &Object) -> PyResult<()> {
    clock::read_zone();
    let Some(module) = module.downcast::<Module>() else {
        return Err(os_error(22));
    };
    set_zone(module)
}

/// Makes the type ready and adds what this file has.
pub fn add(module: &Module) -> PyResult<()> {
    STRUCT_TIME.install()?;
    module.add("struct_time", &STRUCT_TIME_TYPE)?;
    module.add("_STRUCT_TM_ITEMS", &Int::from_i64(11))?;
    module.add_functions(METHODS)?;
    module.add_functions(UNSIGNED)?;
    clock::read_zone();
    set_zone(module)
}

taipan_object::methods! {
    static METHODS = {
        one "mktime" "($self, object, /)" = mktime, "The time in seconds of local calendar time; the inverse of localtime.";
        noargs "tzset" "($self, /)" = tzset, "Read the time zone from the environment variable TZ anew.";
    }
}

taipan_object::methods! {
    static UNSIGNED = {
        many "gmtime" "" = gmtime, "gmtime([seconds]) -> struct_time\n\nThe time in UTC; the present by default.";
        many "localtime" "" = localtime, "localtime([seconds]) -> struct_time\n\nThe time in the local zone; the present by default.";
        many "asctime" "" = asctime, "asctime([time]) -> str\n\nA time such as 'Sat Jun 06 16:26:11 1998'; the present by default.";
        many "ctime" "" = ctime, "ctime([seconds]) -> str\n\nA time in seconds as asctime shows it in the local zone.";
        many "strftime" "" = strftime, "strftime(format[, time]) -> str\n\nFormat a time.\n\n  %Y %m %d  year, month, day\n  %H %M %S  hour, minute, second\n  %a %A     day of the week, short and long\n  %b %B     month, short and long\n  %j        day of the year\n  %z %Z     time zone as offset and name\n  %c %x %X  date and time, date, time as is usual\n  %%        a percent sign";
    }
}
