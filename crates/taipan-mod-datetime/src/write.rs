//! Dates and times as text: ISO 8601, `ctime`, and `strftime`.

use crate::arguments::{Form, wrong};
use crate::calendar::{Clock, Day};
use crate::layout::{DateTimeView, TimeView};
use crate::timezone::show_offset;
use crate::zone;
use taipan_object::err::{PyResult, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::CallArgs;
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, intern, protocol, raise, state};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `YYYY-MM-DD`.
pub fn iso_day(day: Day) -> String {
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

/// `Sat Jun  6 16:26:11 1998`.
pub fn ctime(day: Day, clock: Clock) -> String {
    let month = usize::try_from(day.month - 1).unwrap_or(0).min(11);
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {:04}",
        DAYS[usize::try_from(day.weekday()).unwrap_or(0)],
        MONTHS[month],
        day.day,
        clock.hour,
        clock.minute,
        clock.second,
        day.year
    )
}

/// How much of a time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Auto,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    Microseconds,
}

impl Detail {
    /// The meaning of an argument `timespec`.
    ///
    /// # Errors
    /// `TypeError` for what is no str, `ValueError` for an unknown word.
    pub fn of(value: Option<&Object>, place: usize) -> PyResult<Self> {
        let Some(value) = value else { return Ok(Self::Auto) };
        let Some(text) = value.downcast::<Str>() else {
            return Err(wrong("isoformat", place, "str", value));
        };
        let text = text.to_utf8()?;
        Ok(match text {
            "auto" => Self::Auto,
            "hours" => Self::Hours,
            "minutes" => Self::Minutes,
            "seconds" => Self::Seconds,
            "milliseconds" => Self::Milliseconds,
            "microseconds" => Self::Microseconds,
            _ if text.contains('\0') => return Err(value_error("embedded null character")),
            _ => return Err(value_error("Unknown timespec value")),
        })
    }
}

/// `HH:MM:SS` and so on.
pub fn iso_clock(clock: Clock, detail: Detail) -> String {
    let Clock { hour, minute, second, micro } = clock;
    match detail {
        Detail::Hours => format!("{hour:02}"),
        Detail::Minutes => format!("{hour:02}:{minute:02}"),
        Detail::Milliseconds => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000),
        Detail::Auto if micro == 0 => format!("{hour:02}:{minute:02}:{second:02}"),
        Detail::Seconds => format!("{hour:02}:{minute:02}:{second:02}"),
        Detail::Auto | Detail::Microseconds => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
    }
}

/// The offset of a zone as text, nothing without one.
pub fn iso_offset(zone: Option<&Object>, moment: &Object, separator: &str) -> PyResult<String> {
    Ok(zone::utc_offset(zone, moment)?.map(|span| show_offset(span, separator)).unwrap_or_default())
}

/// A `time.struct_time` without zone.
pub fn struct_time(day: Day, clock: Clock, dst: i32) -> PyResult {
    let fields = [
        day.year,
        day.month,
        day.day,
        clock.hour,
        clock.minute,
        clock.second,
        day.weekday(),
        day.of_year(),
        dst,
    ];
    let fields = Tuple::from_array(fields.map(|field| Int::from_i64(field.into()).upcast()))?;
    time_function(intern!("struct_time"))?.call(&[&fields])
}

/// Something of the module `time`.
pub fn time_function(name: &Str) -> PyResult {
    (state::interp().hooks.get().import_module)("time")?.getattr(name)
}

static FORMAT: Form = Form { name: "strftime", params: &["format"], required: 1, positional: 1 };

/// The argument of `strftime`.
pub fn format_arg<'a>(args: &CallArgs<'a>) -> PyResult<&'a Str> {
    let mut given = FORMAT.call(args)?;
    let format = given.text()?;
    given.end()?;
    format.ok_or_else(|| type_error("strftime() argument 1 must be str, not None"))
}

/// What `strftime` has to know of an object beyond its struct_time.
pub struct Formatted<'a> {
    pub zone: Option<&'a Object>,
    /// What the zone is asked about.
    pub moment: &'a Object,
    pub micro: i32,
}

impl<'a> Formatted<'a> {
    /// What is known of a date, time or datetime; the zone is asked about `moment`.
    pub fn of(object: &'a Object, moment: &'a Object) -> Self {
        if let Some(datetime) = object.downcast::<DateTimeView>() {
            return Self { zone: datetime.zone(), moment, micro: datetime.clock().micro };
        }
        if let Some(time) = object.downcast::<TimeView>() {
            return Self { zone: time.zone(), moment, micro: time.clock().micro };
        }
        Self { zone: None, moment, micro: 0 }
    }

    fn offset(&self, separator: &str) -> PyResult<Vec<u32>> {
        Ok(points(&iso_offset(self.zone, self.moment, separator)?))
    }

    /// The zone's name, with percent signs doubled for the C library.
    fn zone_name(&self) -> PyResult<Vec<u32>> {
        let name = zone::name(self.zone, self.moment)?;
        let Some(name) = name.downcast::<Str>() else { return Ok(Vec::new()) };
        if !name.is_exact(&PyUnicode_Type) {
            let doubled = name.call_method(intern!("replace"), &[intern!("%"), intern!("%%")])?;
            let Some(doubled) = doubled.downcast::<Str>() else {
                return Err(type_error("tzname.replace() did not return a string"));
            };
            return Ok(doubled.code_points().collect());
        }
        let percent = u32::from('%');
        let twice = |point: u32| std::iter::repeat_n(point, if point == percent { 2 } else { 1 });
        Ok(name.code_points().flat_map(twice).collect())
    }
}

fn points(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

/// The year for `%Y` and the like, which the C library would not fill up to four digits.
fn padded_year(letter: char, fields: &Object) -> PyResult<Vec<u32>> {
    let year = if letter == 'G' {
        let text = time_function(intern!("strftime"))?.call(&[&*Str::from_utf8("%G")?, fields])?;
        let Some(text) = text.downcast::<Str>() else {
            return Err(raise!(
                PyExc_TypeError,
                "time.strftime() returned {}, not str",
                text.ty().message_name()
            ));
        };
        text.to_lossy().trim().parse().unwrap_or(0)
    } else {
        protocol::sequence_get(fields, 0)?.to_i64()?
    };
    Ok(points(&match letter {
        'C' => format!("{:02}", year.div_euclid(100)),
        'F' => format!("{year:04}-%m-%d"),
        _ => format!("{year:04}"),
    }))
}

/// `strftime`: what the C library does not know is put into the format first.
pub fn strftime(known: &Formatted<'_>, format: &Str, fields: &Object) -> PyResult {
    let source: Vec<u32> = format.code_points().collect();
    let mut made = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let point = source[at];
        at += 1;
        let next = source.get(at).copied().and_then(char::from_u32);
        let (true, Some(letter)) = (point == u32::from('%'), next) else {
            made.push(point);
            continue;
        };
        at += 1;
        match letter {
            'z' => made.extend(known.offset("")?),
            ':' if source.get(at).copied() == Some('z'.into()) => {
                at += 1;
                made.extend(known.offset(":")?);
            }
            'Z' => made.extend(known.zone_name()?),
            'f' => made.extend(points(&format!("{:06}", known.micro))),
            'Y' | 'G' | 'F' | 'C' => made.extend(padded_year(letter, fields)?),
            _ => made.extend([point, letter.into()]),
        }
    }
    let format = Str::from_code_points(&made)?;
    time_function(intern!("strftime"))?.call(&[&format, fields])
}

/// `__format__`: `str()` for an empty format, otherwise `strftime()`.
pub fn format(object: &Object, args: &CallArgs<'_>) -> PyResult {
    let args = crate::arguments::exactly("__format__", args, 1)?;
    let format = crate::arguments::text_arg("__format__", args, 0)?;
    if format.is_empty() {
        return object.str().map(Ref::upcast);
    }
    object.call_method(intern!("strftime"), &[format])
}
