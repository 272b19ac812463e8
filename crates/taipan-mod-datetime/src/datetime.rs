//! `datetime`: its operators, attributes and conversions. How one is made stands in `moments`.

use crate::arguments::{Form, exactly, wrong};
use crate::build;
use crate::calendar::{Clock, Day, MAX_ORDINAL, MIDNIGHT};
use crate::date::or_none;
use crate::delta::{self, hash_span, total_seconds};
use crate::layout::{
    DATE, DATETIME, DateTimeView, DeltaView, Span, TIME, check_zone, new_date, new_datetime, new_time,
    raw_datetime,
};
use crate::local;
use crate::moments;
use crate::state;
use crate::time::LAST;
use crate::timezone;
use crate::write::{self, Detail};
use crate::zone::{self, Question};
use taipan_object::err::{PyResult, overflow_error, type_error};
use taipan_object::float::Float;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, new_bool, not_implemented};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern, raise};

static ISO_FORM: Form = Form { name: "isoformat", params: &["sep", "timespec"], required: 0, positional: 2 };
static ZONE_FORM: Form = Form { name: "astimezone", params: &["tz"], required: 0, positional: 1 };

/// The place of the month in the packed bytes, which has room for the fold.
pub const MONTH: usize = 2;

/// The beginning of 1970.
pub fn epoch(utc: &Object) -> PyResult<Ref<DateTimeView>> {
    new_datetime(&DATETIME, Day::new(1970, 1, 1), MIDNIGHT, Some(utc), 0)
}

/// Date and time some time later.
fn later(moment: &DateTimeView, span: Span, back: bool) -> PyResult<(Day, Clock)> {
    let (day, clock) = (moment.day(), moment.clock());
    let sign = if back { -1 } else { 1 };
    let micros = i64::from(clock.micro) + sign * i64::from(span.micros);
    let seconds = clock.seconds() + sign * i64::from(span.seconds) + micros.div_euclid(1_000_000);
    let ordinal = day.ordinal() + sign * i64::from(span.days) + seconds.div_euclid(86_400);
    if !(1..=MAX_ORDINAL).contains(&ordinal) {
        return Err(overflow_error("date value out of range"));
    }
    let small = |value: i64| i32::try_from(value).unwrap_or(0);
    let (seconds, micro) = (small(seconds.rem_euclid(86_400)), small(micros.rem_euclid(1_000_000)));
    let clock = Clock { hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60, micro };
    Ok((Day::from_ordinal(ordinal), clock))
}

fn moved(moment: &DateTimeView, span: Span, back: bool) -> PyResult {
    let (day, clock) = later(moment, span, back)?;
    build::datetime(moment.object().ty(), day, clock, moment.zone(), 0)
}

/// The datetime some time later, of the same class and zone.
pub fn shifted(moment: &DateTimeView, span: Span) -> PyResult {
    moved(moment, span, false)
}

fn offset(moment: &DateTimeView) -> PyResult<Option<Span>> {
    zone::utc_offset(moment.zone(), moment.object())
}

/// The same datetime with the other fold, of the class itself.
fn flipped(moment: &DateTimeView) -> PyResult<Ref<DateTimeView>> {
    raw_datetime(&DATETIME, moment.data(), moment.zone(), 1 - moment.fold().min(1))
}

fn operands<'a>(left: &'a Object, right: &'a Object) -> Option<(&'a DateTimeView, Span)> {
    Some((left.downcast::<DateTimeView>()?, right.downcast::<DeltaView>()?.span()))
}

fn add(left: &Object, right: &Object) -> PyResult {
    match operands(left, right).or_else(|| operands(right, left)) {
        Some((moment, span)) => moved(moment, span, false),
        None => Ok(not_implemented().new_ref()),
    }
}

fn same_zone(a: &DateTimeView, b: &DateTimeView) -> bool {
    match (a.zone(), b.zone()) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is(b),
        _ => false,
    }
}

/// The time between two moments, as local clocks show it.
fn between(later: &DateTimeView, earlier: &DateTimeView) -> PyResult<Span> {
    Span::normal(
        later.day().ordinal() - earlier.day().ordinal(),
        later.clock().seconds() - earlier.clock().seconds(),
        i64::from(later.clock().micro) - i64::from(earlier.clock().micro),
    )
}

/// The time between two moments; zones count where they differ.
pub fn difference(a: &DateTimeView, b: &DateTimeView) -> PyResult<Span> {
    let offsets = if same_zone(a, b) { (None, None) } else { (offset(a)?, offset(b)?) };
    let shown = between(a, b)?;
    match offsets {
        (x, y) if x == y => Ok(shown),
        (Some(x), Some(y)) => shown.sub(x.sub(y)?),
        _ => Err(type_error("can't subtract offset-naive and offset-aware datetimes")),
    }
}

fn subtract(left: &Object, right: &Object) -> PyResult {
    if let Some((moment, span)) = operands(left, right) {
        return moved(moment, span, true);
    }
    match left.downcast::<DateTimeView>().zip(right.downcast::<DateTimeView>()) {
        Some((a, b)) => delta::object(difference(a, b)?).map(Ref::upcast),
        None => Ok(not_implemented().new_ref()),
    }
}

/// Whether a moment's offset depends on its fold: such a one equals none of another zone (PEP 495).
fn is_doubtful(moment: &DateTimeView, offset: Option<Span>) -> PyResult<bool> {
    let other = flipped(moment)?;
    Ok(self::offset(&other)? != offset)
}

fn richcompare(moment: &DateTimeView, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<DateTimeView>() else { return Ok(not_implemented().new_ref()) };
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if same_zone(moment, other) {
        return Ok(new_bool(op.holds(moment.data().cmp(&other.data()))));
    }
    let order = match (offset(moment)?, offset(other)?) {
        (a, b) if a == b => (moment.data().cmp(&other.data()), a, b),
        (a @ Some(x), b @ Some(y)) => {
            // The difference of extreme moments and offsets is no duration that objects could have.
            let total = |moment: &DateTimeView, offset: Span| {
                i128::from(moment.day().seconds_at(moment.clock())) * 1_000_000
                    + i128::from(moment.clock().micro)
                    - offset.total()
            };
            (total(moment, x).cmp(&total(other, y)), a, b)
        }
        _ if equality => return Ok(new_bool(op == CompareOp::Ne)),
        _ => return Err(type_error("can't compare offset-naive and offset-aware datetimes")),
    };
    let (order, a, b) = order;
    if equality && order.is_eq() && (is_doubtful(moment, a)? || is_doubtful(other, b)?) {
        return Ok(new_bool(op == CompareOp::Ne));
    }
    Ok(new_bool(op.holds(order)))
}

fn hash(moment: &DateTimeView) -> PyResult<isize> {
    moment.hash.get_or(|| {
        let known = if moment.fold() == 0 { offset(moment)? } else { offset(&*flipped(moment)?)? };
        let Some(offset) = known else { return Ok(moment.plain_hash()) };
        let clock = moment.clock();
        let local = Span::normal(moment.day().ordinal(), clock.seconds(), clock.micro.into())?;
        Ok(hash_span(local.sub(offset)?))
    })
}

fn repr(moment: &DateTimeView) -> PyResult<Ref<Str>> {
    let (Day { year, month, day }, Clock { hour, minute, second, micro }) = (moment.day(), moment.clock());
    let class = moment.object().ty().full_name();
    let mut text = format!("{class}({year}, {month}, {day}, {hour}, {minute}");
    if micro != 0 {
        text += &format!(", {second}, {micro}");
    } else if second != 0 {
        text += &format!(", {second}");
    }
    if moment.fold() != 0 {
        text += ", fold=1";
    }
    let mut points: Vec<u32> = text.chars().map(u32::from).collect();
    if let Some(zone) = moment.zone() {
        points.extend(", tzinfo=".chars().map(u32::from));
        points.extend(zone.repr()?.code_points());
    }
    points.push(')'.into());
    Str::from_code_points(&points)
}

fn text(moment: &DateTimeView) -> PyResult {
    moment.object().call_method(intern!("isoformat"), &[&*Str::from_utf8(" ")?])
}

/// The separator as an argument: one character of any kind.
fn separator(value: Option<&Object>) -> PyResult<u32> {
    let Some(value) = value else { return Ok('T'.into()) };
    let Some(text) = value.downcast::<Str>() else {
        return Err(wrong("isoformat", 1, "a unicode character", value));
    };
    let mut points = text.code_points();
    match (points.next(), text.len()) {
        (Some(point), 1) => Ok(point),
        (_, length) => Err(raise!(
            PyExc_TypeError,
            "isoformat() argument 1 must be a unicode character, not a string of length {length}"
        )),
    }
}

fn isoformat(moment: &DateTimeView, args: CallArgs<'_>) -> PyResult<Ref<Str>> {
    let mut given = ISO_FORM.call(&args)?;
    let separator = separator(given.next()?)?;
    let detail = Detail::of(given.next()?, 2)?;
    given.end()?;
    let (day, mut rest) = (write::iso_day(moment.day()), write::iso_clock(moment.clock(), detail));
    rest += &write::iso_offset(moment.zone(), moment.object(), ":")?;
    if let Some(character) = char::from_u32(separator) {
        return Str::from_utf8(&format!("{day}{character}{rest}"));
    }
    let points: Vec<u32> =
        day.chars().map(u32::from).chain([separator]).chain(rest.chars().map(u32::from)).collect();
    Str::from_code_points(&points)
}

fn timetuple(moment: &DateTimeView) -> PyResult {
    let dst = zone::ask_span(moment.zone(), Question::Dst, moment.object())?;
    let dst = dst.map_or(-1, |dst| i32::from(!dst.is_zero()));
    write::struct_time(moment.day(), moment.clock(), dst)
}

fn utctimetuple(moment: &DateTimeView) -> PyResult {
    let (day, clock) = match offset(moment)? {
        Some(offset) => later(moment, offset, true)?,
        None => (moment.day(), moment.clock()),
    };
    write::struct_time(day, clock, 0)
}

fn timestamp(moment: &DateTimeView) -> PyResult {
    if moment.zone().is_some() {
        return total_seconds(difference(moment, timezone::epoch()?)?);
    }
    let clock = moment.clock();
    let seconds = local::from_local(moment.day(), clock, moment.fold())? - local::EPOCH;
    Ok(Float::new(seconds as f64 + f64::from(clock.micro) / 1e6).upcast())
}

/// The system's zone at a moment without one.
fn own_system_zone(moment: &DateTimeView) -> PyResult {
    let at = |fold| local::from_local(moment.day(), moment.clock(), fold);
    let (mut seconds, other) = (at(moment.fold())?, at(1 - moment.fold())?);
    // Clocks jumped over this time: the zone is the one before for fold 0, the one after for 1.
    if other != seconds && (other > seconds) == (moment.fold() == 1) {
        seconds = other;
    }
    local::zone_at(seconds - local::EPOCH).map(Ref::upcast)
}

fn astimezone(moment: &DateTimeView, args: CallArgs<'_>) -> PyResult {
    let mut given = ZONE_FORM.call(&args)?;
    let wanted = given.next()?;
    given.end()?;
    check_zone(wanted)?;
    let wanted = wanted.filter(|zone| !is_none(zone));
    let mut own = match moment.zone() {
        Some(zone) => zone.new_ref(),
        None => own_system_zone(moment)?,
    };
    if wanted.is_some_and(|wanted| wanted.is(&own)) {
        return Ok(moment.object().new_ref());
    }
    let offset = match zone::utc_offset(Some(&own), moment.object())? {
        Some(offset) => offset,
        None => {
            // A zone without an answer is as good as none.
            own = own_system_zone(moment)?;
            if wanted.is_some_and(|wanted| wanted.is(&own)) {
                return Ok(moment.object().new_ref());
            }
            zone::utc_offset(Some(&own), moment.object())?.unwrap_or_default()
        }
    };
    let shifted = moved(moment, offset, true)?;
    let Some(shifted) = shifted.downcast::<DateTimeView>() else {
        return Err(wrong("astimezone", 1, "datetime.datetime", &shifted));
    };
    let utc = timezone::utc()?.object();
    let with_zone =
        |zone: &Object| raw_datetime(shifted.object().ty(), shifted.data(), Some(zone), shifted.fold());
    let zone = match wanted {
        Some(zone) => zone.new_ref(),
        None => {
            let seconds = difference(&*with_zone(utc)?, timezone::epoch()?)?.whole_seconds();
            local::zone_at(seconds)?.upcast()
        }
    };
    // The fields are those of UTC, and the zone takes it from here.
    zone::from_utc(&zone, with_zone(&zone)?.object())
}

static REPLACE: Signature = Signature::parse(
    "replace",
    "($self, /, year=unchanged, month=unchanged, day=unchanged, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
);

fn replace(moment: &DateTimeView, args: CallArgs<'_>) -> PyResult {
    let args = REPLACE.bind(args.all, args.kwnames)?;
    let (Day { year, month, day }, Clock { hour, minute, second, micro }) = (moment.day(), moment.clock());
    let day = Day::new(args.i32_or(0, year)?, args.i32_or(1, month)?, args.i32_or(2, day)?);
    let clock = Clock {
        hour: args.i32_or(3, hour)?,
        minute: args.i32_or(4, minute)?,
        second: args.i32_or(5, second)?,
        micro: args.i32_or(6, micro)?,
    };
    let zone = args.get(7).or_else(|| moment.zone());
    let fold = args.i32_or(8, moment.fold())?;
    build::datetime(moment.object().ty(), day, clock, zone, fold)
}

fn reduce(moment: &DateTimeView, protocol: i32) -> PyResult<Ref<Tuple>> {
    let fold = protocol > 3 && moment.fold() != 0;
    state::reduced_with_fold(moment.object().ty(), moment.data(), MONTH, fold, moment.zone())
}

fn reduce_ex(moment: &DateTimeView, args: CallArgs<'_>) -> PyResult<Ref<Tuple>> {
    reduce(moment, exactly("__reduce_ex__", &args, 1)?[0].to_i32()?)
}

fn ask(moment: &DateTimeView, question: Question) -> PyResult<Option<Ref<DeltaView>>> {
    zone::ask(moment.zone(), question, moment.object())
}

taipan_object::methods! {
    static METHODS = {
        noargs "date" "($self, /)" = |m: &DateTimeView| new_date(&DATE, m.day()), "The date without the time.";
        noargs "time" "($self, /)" = |m: &DateTimeView| new_time(&TIME, m.clock(), None, m.fold()), "The time without the date and without a zone.";
        noargs "timetz" "($self, /)" = |m: &DateTimeView| new_time(&TIME, m.clock(), m.zone(), m.fold()), "The time without the date, with the zone.";
        noargs "ctime" "($self, /)" = |m: &DateTimeView| write::ctime(m.day(), m.clock()), "Date and time as C's ctime() shows them.";
        noargs "timetuple" "($self, /)" = timetuple, "Date and time as time.localtime() gives them.";
        noargs "timestamp" "($self, /)" = timestamp, "Seconds since the beginning of 1970 in UTC, as a float.";
        noargs "utctimetuple" "($self, /)" = utctimetuple, "Date and time in UTC as time.gmtime() gives them.";
        keywords "isoformat" "" = isoformat, "isoformat(sep='T', timespec='auto')\n\nDate and time in ISO 8601 format: YYYY-MM-DDTHH:MM:SS, with microseconds unless they are 0, and\nthe offset from UTC, if there is one. sep stands between date and time; timespec says how exact the\ntime shall be: 'auto', 'hours', 'minutes', 'seconds', 'milliseconds' or 'microseconds'.";
        noargs "utcoffset" "($self, /)" = |m: &DateTimeView| ask(m, Question::UtcOffset), "What the zone gives as offset from UTC.";
        noargs "tzname" "($self, /)" = |m: &DateTimeView| zone::name(m.zone(), m.object()), "What the zone gives as its name.";
        noargs "dst" "($self, /)" = |m: &DateTimeView| ask(m, Question::Dst), "What the zone gives as summer time.";
        keywords "replace" "($self, /, year=unchanged, month=unchanged, day=unchanged,\n        hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)" = replace, "The datetime with other values for some fields.";
        keywords "__replace__" "($self, /, **changes)" = replace, "As replace().";
        keywords "astimezone" "" = astimezone, "astimezone(tz=None)\n\nThe same moment as clocks of another zone show it, by default those of the system.";
        keywords "__reduce_ex__" "" = reduce_ex, "__reduce_ex__(protocol)\n\nThe class and the arguments that make an equal object.";
        noargs "__reduce__" "($self, /)" = |m: &DateTimeView| reduce(m, 2), "The class and the arguments that make an equal object.";
        class noargs "utcnow" "($type, /)" = moments::utcnow, "The present date and time in UTC, without a zone.";
        class args "now" "($type, /, tz=None)" = moments::now, "The present date and time in a zone, or without one as the system's clock shows it.";
        class keywords "fromtimestamp" "" = |ty: &Type, args: CallArgs<'_>| moments::fromtimestamp(ty, &args), "fromtimestamp(timestamp, tz=None)\n\nDate and time at a number of seconds since 1970, in a zone or as the system's clocks show them.";
        class keywords "utcfromtimestamp" "" = moments::utcfromtimestamp, "utcfromtimestamp(timestamp)\n\nDate and time in UTC, without a zone, at a number of seconds since 1970.";
        class keywords "strptime" "" = moments::strptime, "strptime(text, format)\n\nDate and time of a text that is in the given format.";
        class keywords "combine" "" = moments::combine, "combine(date, time, tzinfo=time.tzinfo)\n\nA date and a time together.";
        class one "fromisoformat" "($type, object, /)" = moments::fromisoformat, "Date and time of a text in ISO 8601 format.";
    }
}

/// `datetime`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A date with a time of day, made from year, month, day, hour, minute, second, microsecond and\ntzinfo; the first three are required.\n\ntzinfo is None or an instance of a subclass of tzinfo; the others are ints. fold, by name only, is\n1 for the second of two times that local clocks show alike.",
    ),
    slots: &[
        DateTimeView::DEALLOC,
        tp_new(moments::new),
        tp_vectorcall(moments::vectorcall),
        tp_repr(repr),
        tp_str(text),
        tp_hash(hash),
        tp_richcompare(richcompare),
        nb_add(add),
        nb_subtract(subtract),
    ],
    methods: METHODS,
    getset: &[
        crate::attribute(getset_row(c"hour", |m: &DateTimeView| m.clock().hour, c"")),
        crate::attribute(getset_row(c"minute", |m: &DateTimeView| m.clock().minute, c"")),
        crate::attribute(getset_row(c"second", |m: &DateTimeView| m.clock().second, c"")),
        crate::attribute(getset_row(c"microsecond", |m: &DateTimeView| m.clock().micro, c"")),
        crate::attribute(getset_row(c"tzinfo", |m: &DateTimeView| or_none(m.zone()), c"")),
        crate::attribute(getset_row(c"fold", |m: &DateTimeView| m.fold(), c"")),
    ],
    ..TypeSpec::new(&DATETIME)
};

/// Adds the constants of the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &DATETIME;
    ty.set_own("min", new_datetime(ty, Day::new(1, 1, 1), MIDNIGHT, None, 0)?.object())?;
    ty.set_own("max", new_datetime(ty, Day::new(9999, 12, 31), LAST, None, 0)?.object())?;
    ty.set_own("resolution", delta::object(Span::RESOLUTION)?.object())
}
