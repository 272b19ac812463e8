//! `date`.

use crate::arguments::{Form, exactly, text_arg, with_call_args};
use crate::build;
use crate::calendar::{Clock, Day, IsoFlaw, MAX_ORDINAL, MIDNIGHT, from_iso};
use crate::delta;
use crate::iso_parse;
use crate::iso_week;
use crate::layout::{DATE, DateTimeView, DateView, DeltaView, Span, new_date, raw_date, zone_or_none};
use crate::local;
use crate::state;
use crate::write::{self, Formatted};
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, overflow_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, not_implemented};
use taipan_object::statics::{PyExc_OverflowError, PyExc_ValueError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Str, hash_bytes};
use taipan_object::{Object, Ref, Type, intern, raise};

static FORM: Form = Form { name: "", params: &["year", "month", "day"], required: 3, positional: 3 };
static ISO_FORM: Form =
    Form { name: "fromisocalendar", params: &["year", "week", "day"], required: 3, positional: 3 };

/// The place of the month in the packed bytes.
const MONTH: usize = 2;

fn make(ty: &Type, args: &CallArgs<'_>) -> PyResult<Ref<DateView>> {
    let state = match args.single() {
        Some(state) => state::read(Some(state), "date", MONTH, |month| (1..=12).contains(&month))?,
        None => None,
    };
    if let Some(data) = state {
        return raw_date(ty, data);
    }
    let mut given = FORM.call(args)?;
    let day = Day::new(given.int_or(0)?, given.int_or(0)?, given.int_or(0)?);
    given.end()?;
    new_date(ty, day)
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<DateView>> {
    with_call_args(args, kwargs, |args| make(ty, args))
}

fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult<Ref<DateView>> {
    make(ty, &args)
}

/// The date of a moment since 1970 in the system's zone.
fn at_timestamp(ty: &Type, seconds: i64) -> PyResult {
    build::date(ty, local::date_at(seconds)?)
}

fn today(ty: &Type) -> PyResult {
    if ty.is(&DATE) {
        return at_timestamp(ty, local::now()?.0);
    }
    let now = write::time_function(intern!("time"))?.call(&[])?;
    ty.call_method(intern!("fromtimestamp"), &[&now])
}

/// `date.fromtimestamp`, also for C.
pub fn fromtimestamp(ty: &Type, timestamp: &Object) -> PyResult {
    at_timestamp(ty, local::floor_seconds(timestamp)?)
}

fn fromordinal(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let ordinal = exactly("fromordinal", &args, 1)?[0].to_i32()?;
    if ordinal < 1 {
        return Err(value_error("ordinal must be >= 1"));
    }
    build::date(ty, Day::from_ordinal(ordinal.into()))
}

fn fromisocalendar(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let mut given = ISO_FORM.call(&args)?;
    let mut field = || {
        given.int_or(0).map_err(|error| {
            if error.is(&PyExc_OverflowError) {
                return value_error("ISO calendar component out of range");
            }
            error
        })
    };
    let (year, week, weekday) = (field()?, field()?, field()?);
    given.end()?;
    let day = from_iso(year, week, weekday).map_err(|flaw| match flaw {
        IsoFlaw::Year => crate::layout::year_error(year.into()),
        IsoFlaw::Week => raise!(PyExc_ValueError, "Invalid week: {week}"),
        IsoFlaw::Weekday => raise!(PyExc_ValueError, "Invalid weekday: {weekday} (range is [1, 7])"),
    })?;
    build::date(ty, day)
}

/// The argument of a `fromisoformat`.
pub fn iso_text(object: &Object) -> PyResult<&Str> {
    object.downcast::<Str>().ok_or_else(|| type_error("fromisoformat: argument must be str"))
}

/// The error of a text that is not in any of the known forms.
#[cold]
pub fn not_iso(object: &Object) -> PyErr {
    match object.repr() {
        Ok(shown) => {
            let points: Vec<u32> =
                "Invalid isoformat string: ".chars().map(u32::from).chain(shown.code_points()).collect();
            match Str::from_code_points(&points) {
                Ok(message) => PyErr::with_args(&PyExc_ValueError, &[&message]),
                Err(error) => error,
            }
        }
        Err(error) => error,
    }
}

fn fromisoformat(ty: &Type, object: &Object) -> PyResult {
    let text = iso_text(object)?;
    let day = text.as_utf8().and_then(|text| iso_parse::whole_date(text.as_bytes()));
    build::date(ty, day.ok_or_else(|| not_iso(object))?)
}

/// Calls the function of `_strptime` that makes objects of a class.
pub fn strptime(ty: &Type, args: CallArgs<'_>, function: &Str) -> PyResult {
    let args = exactly("strptime", &args, 2)?;
    let (text, format) = (text_arg("strptime", args, 0)?, text_arg("strptime", args, 1)?);
    let module = (taipan_object::state::interp().hooks.get().import_module)("_strptime")?;
    module.call_method(function, &[ty, text, format])
}

/// The day some days later.
fn shifted(date: &DateView, days: i64) -> PyResult {
    let ordinal = date.day().ordinal() + days;
    if !(1..=MAX_ORDINAL).contains(&ordinal) {
        return Err(overflow_error("date value out of range"));
    }
    build::date(date.object().ty(), Day::from_ordinal(ordinal))
}

/// A date that is no datetime.
fn plain(object: &Object) -> Option<&DateView> {
    object.downcast::<DateView>().filter(|_| object.downcast::<DateTimeView>().is_none())
}

fn days_of(object: &Object) -> Option<i64> {
    object.downcast::<DeltaView>().map(|delta| delta.span().days.into())
}

fn add(left: &Object, right: &Object) -> PyResult {
    if let Some((date, days)) = plain(left).zip(days_of(right)).or_else(|| plain(right).zip(days_of(left))) {
        return shifted(date, days);
    }
    Ok(not_implemented().new_ref())
}

fn subtract(left: &Object, right: &Object) -> PyResult {
    let Some(date) = plain(left) else { return Ok(not_implemented().new_ref()) };
    if let Some(other) = plain(right) {
        let days = date.day().ordinal() - other.day().ordinal();
        return delta::object(Span::normal(days, 0, 0)?).map(Ref::upcast);
    }
    match days_of(right) {
        Some(days) => shifted(date, -days),
        None => Ok(not_implemented().new_ref()),
    }
}

fn richcompare(date: &DateView, other: &Object, op: CompareOp) -> PyResult {
    // A datetime is more than its date: not even equality is decided here.
    match plain(other) {
        Some(other) => Ok(new_bool(op.holds(date.data().cmp(&other.data())))),
        None => Ok(not_implemented().new_ref()),
    }
}

fn hash(date: &DateView) -> PyResult<isize> {
    date.hash.get_or(|| Ok(hash_bytes(&date.data())))
}

fn repr(date: &DateView) -> String {
    let Day { year, month, day } = date.day();
    format!("{}({year}, {month}, {day})", date.object().ty().full_name())
}

fn text(date: &DateView) -> PyResult {
    date.object().call_method(intern!("isoformat"), &[])
}

fn strftime(date: &DateView, args: CallArgs<'_>) -> PyResult {
    let format = write::format_arg(&args)?;
    let object = date.object();
    let fields = object.call_method(intern!("timetuple"), &[])?;
    write::strftime(&Formatted::of(object, object), format, &fields)
}

fn ctime(date: &DateView) -> String {
    let clock = date.object().downcast::<DateTimeView>().map_or(MIDNIGHT, |datetime| datetime.clock());
    write::ctime(date.day(), clock)
}

fn timetuple(date: &DateView) -> PyResult {
    write::struct_time(date.day(), Clock::default(), -1)
}

static REPLACE: Signature =
    Signature::parse("replace", "($self, /, year=unchanged, month=unchanged, day=unchanged)");

fn replace(date: &DateView, args: CallArgs<'_>) -> PyResult {
    let args = REPLACE.bind(args.all, args.kwnames)?;
    let Day { year, month, day } = date.day();
    let day = Day::new(args.i32_or(0, year)?, args.i32_or(1, month)?, args.i32_or(2, day)?);
    build::date(date.object().ty(), day)
}

fn isocalendar(date: &DateView) -> PyResult<Ref<Tuple>> {
    iso_week::make(date.day().iso())
}

taipan_object::methods! {
    static METHODS = {
        class noargs "today" "($type, /)" = today, "The present date in the system's time zone.";
        class one "fromtimestamp" "($type, timestamp, /)" = fromtimestamp, "The date at a number of seconds since 1970, in the system's time zone.";
        class keywords "fromordinal" "" = fromordinal, "fromordinal(ordinal)\n\nThe date with this number, where the first of January of the year 1 has 1.";
        class one "fromisoformat" "($type, object, /)" = fromisoformat, "The date of a text in ISO 8601 format.";
        class keywords "fromisocalendar" "" = fromisocalendar, "fromisocalendar(year, week, day)\n\nThe date of an ISO year, week and weekday; the inverse of isocalendar().";
        class keywords "strptime" "" = |ty: &Type, args: CallArgs<'_>| strptime(ty, args, intern!("_strptime_datetime_date")), "strptime(text, format)\n\nThe date of a text that is in the given format.";
        noargs "ctime" "($self, /)" = ctime, "The date as C's ctime() shows it.";
        keywords "strftime" "" = strftime, "strftime(format)\n\nThe date in a format as that of time.strftime().";
        keywords "__format__" "" = |date: &DateView, args: CallArgs<'_>| write::format(date.object(), &args), "str() for an empty format, otherwise strftime().";
        noargs "isoformat" "($self, /)" = |date: &DateView| write::iso_day(date.day()), "The date as YYYY-MM-DD.";
        noargs "isoweekday" "($self, /)" = |date: &DateView| date.day().weekday() + 1, "The day of the week, from 1 for Monday to 7 for Sunday.";
        noargs "isocalendar" "($self, /)" = isocalendar, "ISO year, week number and weekday, as a named tuple.";
        noargs "timetuple" "($self, /)" = timetuple, "The date as time.localtime() gives it.";
        noargs "toordinal" "($self, /)" = |date: &DateView| date.day().ordinal(), "The number of the date, where the first of January of the year 1 has 1.";
        noargs "weekday" "($self, /)" = |date: &DateView| date.day().weekday(), "The day of the week, from 0 for Monday to 6 for Sunday.";
        keywords "replace" "($self, /, year=unchanged, month=unchanged, day=unchanged)" = replace, "The date with other values for some fields.";
        keywords "__replace__" "($self, /, **changes)" = replace, "As replace().";
        noargs "__reduce__" "($self, /)" = |date: &DateView| state::reduced(date.object().ty(), &date.data(), None), "The class and the arguments that make an equal object.";
    }
}

/// `date`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A date of the Gregorian calendar, made from year, month and day."),
    slots: &[
        DateView::DEALLOC,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_repr(repr),
        tp_str(text),
        tp_hash(hash),
        tp_richcompare(richcompare),
        nb_add(add),
        nb_subtract(subtract),
    ],
    methods: METHODS,
    getset: &[
        crate::attribute(getset_row(c"year", |date: &DateView| date.day().year, c"")),
        crate::attribute(getset_row(c"month", |date: &DateView| date.day().month, c"")),
        crate::attribute(getset_row(c"day", |date: &DateView| date.day().day, c"")),
    ],
    ..TypeSpec::new(&DATE)
};

/// Adds the constants of the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &DATE;
    ty.set_own("min", new_date(ty, Day::new(1, 1, 1))?.object())?;
    ty.set_own("max", new_date(ty, Day::new(9999, 12, 31))?.object())?;
    ty.set_own("resolution", delta::object(Span::normal(1, 0, 0)?)?.object())
}

/// The int of a field, as Python sees it.
pub fn field(value: i32) -> Ref<Int> {
    Int::from_i64(value.into())
}

/// `None` where a zone is missing.
pub fn or_none(zone: Option<&Object>) -> Ref {
    zone_or_none(zone).new_ref()
}
