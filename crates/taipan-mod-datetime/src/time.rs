//! `time`.

use crate::arguments::{Form, exactly, with_call_args};
use crate::build;
use crate::calendar::{Clock, MIDNIGHT};
use crate::date::{iso_text, not_iso, or_none, strptime};
use crate::delta::{self, hash_span};
use crate::iso_parse::{self, Moment};
use crate::layout::{DeltaView, Span, TIME, TimeView, new_time, raw_time};
use crate::state;
use crate::timezone;
use crate::write::{self, Detail, Formatted};
use crate::zone::{self, Question};
use std::cmp::Ordering;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, type_error, value_error};
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, none, not_implemented};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern};

static FORM: Form = Form {
    name: "",
    params: &["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    required: 0,
    positional: 5,
};
static ISO_FORM: Form = Form { name: "isoformat", params: &["timespec"], required: 0, positional: 1 };

/// The place of the hour in the packed bytes, which has room for the fold.
const HOUR: usize = 0;

fn make(ty: &Type, args: &CallArgs<'_>) -> PyResult<Ref<TimeView>> {
    if args.kwnames.is_none_or(Tuple::is_empty)
        && let [state, rest @ ..] = args.all
        && rest.len() < 2
        && let Some(data) = state::read(Some(state), "time", HOUR, |hour| hour & !state::FOLD < 24)?
    {
        let zone = state::zone(rest.first().copied())?;
        let (data, fold) = state::take_fold(data, HOUR);
        return raw_time(ty, data, zone, fold);
    }
    let mut given = FORM.call(args)?;
    let clock = given.clock()?;
    let zone = given.next()?;
    let fold = given.int_or(0)?;
    given.end()?;
    new_time(ty, clock, zone, fold)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<TimeView>> {
    with_call_args(args, kwargs, |args| make(ty, args))
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult<Ref<TimeView>> {
    make(ty, &args)
}

/// The zone of an offset that was read.
pub fn read_zone(offset: Option<(i64, i64)>) -> PyResult<Option<Ref>> {
    let Some((seconds, micros)) = offset else { return Ok(None) };
    if (seconds, micros) == (0, 0) {
        return Ok(Some(timezone::utc()?.object().new_ref()));
    }
    let offset = delta::object(Span::normal(0, seconds, micros)?)?;
    Ok(Some(timezone::with_offset(&offset, None)?.upcast()))
}

/// The clock of a time that was read: 24 o'clock is the end of a day.
///
/// # Errors
/// `ValueError` for anything after it.
pub fn end_of_day(clock: Clock) -> PyResult<(Clock, bool)> {
    if clock.hour != 24 {
        return Ok((clock, false));
    }
    if (Clock { hour: 0, ..clock }) != MIDNIGHT {
        return Err(value_error("minute, second, and microsecond must be 0 when hour is 24"));
    }
    Ok((MIDNIGHT, true))
}

fn fromisoformat(ty: &Type, object: &Object) -> PyResult {
    let text = iso_text(object)?.as_utf8().ok_or_else(|| not_iso(object))?;
    let text = text.strip_prefix('T').unwrap_or(text);
    let Some(Moment { clock, offset }) = iso_parse::moment(text.as_bytes()) else {
        return Err(not_iso(object));
    };
    let (clock, _) = end_of_day(clock)?;
    let zone = read_zone(offset)?;
    build::time(ty, clock, zone.as_deref(), 0)
}

fn ask(time: &TimeView, question: Question) -> PyResult<Option<Ref<DeltaView>>> {
    zone::ask(time.zone(), question, none())
}

fn offset(time: &TimeView) -> PyResult<Option<Span>> {
    zone::utc_offset(time.zone(), none())
}

fn repr(time: &TimeView) -> PyResult<Ref<Str>> {
    let Clock { hour, minute, second, micro } = time.clock();
    let mut text = format!("{}({hour}, {minute}", time.object().ty().full_name());
    if micro != 0 {
        text += &format!(", {second}, {micro}");
    } else if second != 0 {
        text += &format!(", {second}");
    }
    let mut points: Vec<u32> = text.chars().map(u32::from).collect();
    if let Some(zone) = time.zone() {
        points.extend(", tzinfo=".chars().map(u32::from));
        points.extend(zone.repr()?.code_points());
    }
    if time.fold() != 0 {
        points.extend(", fold=1".chars().map(u32::from));
    }
    points.push(')'.into());
    Str::from_code_points(&points)
}

fn isoformat(time: &TimeView, args: CallArgs<'_>) -> PyResult<String> {
    let mut given = ISO_FORM.call(&args)?;
    let detail = Detail::of(given.next()?, 1)?;
    given.end()?;
    let text = write::iso_clock(time.clock(), detail);
    Ok(text + &write::iso_offset(time.zone(), none(), ":")?)
}

fn text(time: &TimeView) -> PyResult {
    time.object().call_method(intern!("isoformat"), &[])
}

fn strftime(time: &TimeView, args: CallArgs<'_>) -> PyResult {
    let format = write::format_arg(&args)?;
    let Clock { hour, minute, second, .. } = time.clock();
    // A date is needed; C libraries dislike years before 1900.
    let fields = [1900, 1, 1, hour, minute, second, 0, 1, -1];
    let fields = Tuple::from_array(fields.map(|field| crate::date::field(field).upcast()))?;
    write::strftime(&Formatted::of(time.object(), none()), format, &fields)
}

/// The time of day in UTC, in microseconds.
fn absolute(clock: Clock, offset: Span) -> i128 {
    i128::from(clock.seconds()) * 1_000_000 + i128::from(clock.micro) - offset.total()
}

fn richcompare(time: &TimeView, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<TimeView>() else { return Ok(not_implemented().new_ref()) };
    let same_zone = match (time.zone(), other.zone()) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is(b),
        _ => false,
    };
    let plain = || Ok(new_bool(op.holds(time.data().cmp(&other.data()))));
    if same_zone {
        return plain();
    }
    match (offset(time)?, offset(other)?) {
        (a, b) if a == b => plain(),
        (Some(a), Some(b)) => {
            let order: Ordering = absolute(time.clock(), a).cmp(&absolute(other.clock(), b));
            Ok(new_bool(op.holds(order)))
        }
        _ if matches!(op, CompareOp::Eq | CompareOp::Ne) => Ok(new_bool(op == CompareOp::Ne)),
        _ => Err(type_error("can't compare offset-naive and offset-aware times")),
    }
}

fn hash(time: &TimeView) -> PyResult<isize> {
    time.hash.get_or(|| {
        // The zone is asked about no date, so the fold makes no difference.
        let Some(offset) = offset(time)? else { return Ok(time.plain_hash()) };
        let clock = time.clock();
        let local = Span::normal(0, clock.seconds(), clock.micro.into())?;
        Ok(hash_span(local.sub(offset)?))
    })
}

static REPLACE: Signature = Signature::parse(
    "replace",
    "($self, /, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
);

fn replace(time: &TimeView, args: CallArgs<'_>) -> PyResult {
    let args = REPLACE.bind(args.all, args.kwnames)?;
    let Clock { hour, minute, second, micro } = time.clock();
    let clock = Clock {
        hour: args.i32_or(0, hour)?,
        minute: args.i32_or(1, minute)?,
        second: args.i32_or(2, second)?,
        micro: args.i32_or(3, micro)?,
    };
    let zone = args.get(4).or_else(|| time.zone());
    let fold = args.i32_or(5, time.fold())?;
    build::time(time.object().ty(), clock, zone, fold)
}

fn reduce(time: &TimeView, protocol: i32) -> PyResult<Ref<Tuple>> {
    let fold = protocol > 3 && time.fold() != 0;
    state::reduced_with_fold(time.object().ty(), time.data(), HOUR, fold, time.zone())
}

fn reduce_ex(time: &TimeView, args: CallArgs<'_>) -> PyResult<Ref<Tuple>> {
    reduce(time, exactly("__reduce_ex__", &args, 1)?[0].to_i32()?)
}

taipan_object::methods! {
    static METHODS = {
        class keywords "strptime" "" = |ty: &Type, args: CallArgs<'_>| strptime(ty, args, intern!("_strptime_datetime_time")), "strptime(text, format)\n\nThe time of a text that is in the given format.";
        class one "fromisoformat" "($type, object, /)" = fromisoformat, "The time of a text in ISO 8601 format.";
        keywords "isoformat" "" = isoformat, "isoformat(timespec='auto')\n\nThe time in ISO 8601 format: HH:MM:SS, with microseconds unless they are 0, and the offset from\nUTC, if there is one. timespec says how exact it shall be: 'auto', 'hours', 'minutes', 'seconds',\n'milliseconds' or 'microseconds'.";
        keywords "strftime" "" = strftime, "strftime(format)\n\nThe time in a format as that of time.strftime().";
        keywords "__format__" "" = |time: &TimeView, args: CallArgs<'_>| write::format(time.object(), &args), "str() for an empty format, otherwise strftime().";
        noargs "utcoffset" "($self, /)" = |time: &TimeView| ask(time, Question::UtcOffset), "What the zone gives as offset from UTC.";
        noargs "tzname" "($self, /)" = |time: &TimeView| zone::name(time.zone(), none()), "What the zone gives as its name.";
        noargs "dst" "($self, /)" = |time: &TimeView| ask(time, Question::Dst), "What the zone gives as summer time.";
        keywords "replace" "($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)" = replace, "The time with other values for some fields.";
        keywords "__replace__" "($self, /, **changes)" = replace, "As replace().";
        keywords "__reduce_ex__" "" = reduce_ex, "__reduce_ex__(protocol)\n\nThe class and the arguments that make an equal object.";
        noargs "__reduce__" "($self, /)" = |time: &TimeView| reduce(time, 2), "The class and the arguments that make an equal object.";
    }
}

/// `time`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A time of day, made from hour, minute, second, microsecond and tzinfo, all optional.\n\ntzinfo is None or an instance of a subclass of tzinfo; the others are ints. fold, by name only, is\n1 for the second of two times that local clocks show alike.",
    ),
    slots: &[
        TimeView::DEALLOC,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_str(text),
        tp_hash(hash),
        tp_richcompare(richcompare),
    ],
    methods: METHODS,
    getset: &[
        crate::attribute(getset_row(c"hour", |time: &TimeView| time.clock().hour, c"")),
        crate::attribute(getset_row(c"minute", |time: &TimeView| time.clock().minute, c"")),
        crate::attribute(getset_row(c"second", |time: &TimeView| time.clock().second, c"")),
        crate::attribute(getset_row(c"microsecond", |time: &TimeView| time.clock().micro, c"")),
        crate::attribute(getset_row(c"tzinfo", |time: &TimeView| or_none(time.zone()), c"")),
        crate::attribute(getset_row(c"fold", |time: &TimeView| time.fold(), c"")),
    ],
    ..TypeSpec::new(&TIME)
};

/// The last moment of a day.
pub const LAST: Clock = Clock { hour: 23, minute: 59, second: 59, micro: 999_999 };

/// Adds the constants of the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &TIME;
    ty.set_own("min", new_time(ty, MIDNIGHT, None, 0)?.object())?;
    ty.set_own("max", new_time(ty, LAST, None, 0)?.object())?;
    ty.set_own("resolution", delta::object(Span::RESOLUTION)?.object())
}
