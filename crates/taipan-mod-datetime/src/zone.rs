//! `tzinfo`, and how dates ask their zone.

use crate::datetime;
use crate::layout::{DateTimeView, DeltaView, Span, TIMEZONE, TZINFO, TimezoneView, TzInfo, TzInfoView};
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, not_implemented_error, type_error, value_error};
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyExc_TypeError, PyExc_ValueError};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern, raise};

/// What a zone is asked.
#[derive(Clone, Copy)]
pub enum Question {
    UtcOffset,
    Dst,
}

impl Question {
    pub fn name(self) -> &'static Str {
        match self {
            Self::UtcOffset => intern!("utcoffset"),
            Self::Dst => intern!("dst"),
        }
    }
}

/// The error of an offset of a day or more.
#[cold]
pub fn offset_error(offset: &Object) -> PyErr {
    match offset.repr() {
        Ok(shown) => raise!(
            PyExc_ValueError,
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {}",
            shown.to_lossy()
        ),
        Err(error) => error,
    }
}

/// The zone's answer about `moment`: a datetime, or `None` for a time without a date.
///
/// # Errors
/// What the zone raises; `TypeError` and `ValueError` for an answer that is no offset.
pub fn ask(zone: Option<&Object>, question: Question, moment: &Object) -> PyResult<Option<Ref<DeltaView>>> {
    let Some(zone) = zone else { return Ok(None) };
    if let Some(fixed) = fixed(zone) {
        return Ok(match question {
            Question::UtcOffset => Some(fixed.offset.clone()),
            Question::Dst => None,
        });
    }
    // The zone may be replaced by nothing: the caller's object holds it, and lives.
    let answer = zone.call_method(question.name(), &[moment])?;
    if is_none(&answer) {
        return Ok(None);
    }
    match answer.downcast_owned::<DeltaView>() {
        Ok(offset) if offset.span().is_offset() => Ok(Some(offset)),
        Ok(offset) => Err(offset_error(offset.object())),
        Err(other) => Err(raise!(
            PyExc_TypeError,
            "tzinfo.{}() must return None or timedelta, not '{}'",
            question.name().to_lossy(),
            other.ty().message_name()
        )),
    }
}

/// As [`ask`], the value.
pub fn ask_span(zone: Option<&Object>, question: Question, moment: &Object) -> PyResult<Option<Span>> {
    Ok(ask(zone, question, moment)?.map(|offset| offset.span()))
}

/// The offset from UTC.
pub fn utc_offset(zone: Option<&Object>, moment: &Object) -> PyResult<Option<Span>> {
    ask_span(zone, Question::UtcOffset, moment)
}

/// The zone's name at `moment`: a str or `None`.
pub fn name(zone: Option<&Object>, moment: &Object) -> PyResult {
    let Some(zone) = zone else { return Ok(none().new_ref()) };
    let name = zone.call_method(intern!("tzname"), &[moment])?;
    if is_none(&name) || name.downcast::<Str>().is_some() {
        return Ok(name);
    }
    Err(raise!(
        PyExc_TypeError,
        "tzinfo.tzname() must return None or a string, not '{}'",
        name.ty().message_name()
    ))
}

/// The zone, if it is one with a fixed offset.
pub fn fixed(zone: &Object) -> Option<&TimezoneView> {
    if zone.is_exact(&TIMEZONE) { zone.downcast() } else { None }
}

fn new(ty: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Ref<TzInfoView>> {
    native_new(ty, TzInfo)
}

fn missing<const METHOD: usize>(_: &Object, _: &Object) -> PyResult<()> {
    let name = ["tzname", "utcoffset", "dst"][METHOD];
    Err(not_implemented_error(&format!("a tzinfo subclass must implement {name}()")))
}

/// `zone.fromutc(moment)` of a moment in UTC that carries the zone.
pub fn from_utc(zone: &Object, moment: &Object) -> PyResult {
    if let Some(fixed) = fixed(zone)
        && let Some(moment) = moment.downcast::<DateTimeView>()
        && moment.zone().is_some_and(|own| own.is(zone))
    {
        return datetime::shifted(moment, fixed.offset.span());
    }
    zone.call_method(intern!("fromutc"), &[moment])
}

/// The argument of `fromutc`: a datetime in this zone.
pub fn own_moment<'a>(zone: &Object, moment: &'a Object) -> PyResult<&'a DateTimeView> {
    let Some(moment) = moment.downcast::<DateTimeView>() else {
        return Err(type_error("fromutc: argument must be a datetime"));
    };
    if !moment.zone().is_some_and(|own| own.is(zone)) {
        return Err(value_error("fromutc: dt.tzinfo is not self"));
    }
    Ok(moment)
}

/// `tzinfo.fromutc`: local time by the standard offset, then summer time as it holds at that moment.
fn fromutc(zone: &TzInfoView, moment: &Object) -> PyResult {
    let zone = zone.object();
    let moment = own_moment(zone, moment)?;
    let needed = |question: Question| {
        ask_span(Some(zone), question, moment.object())?.ok_or_else(|| {
            raise!(PyExc_ValueError, "fromutc: non-None {}() result required", question.name().to_lossy())
        })
    };
    let offset = needed(Question::UtcOffset)?;
    let dst = needed(Question::Dst)?;
    let standard = datetime::shifted(moment, offset.sub(dst)?)?;
    let Some(dst) = ask_span(Some(zone), Question::Dst, &standard)? else {
        return Err(value_error("fromutc: tz.dst() gave inconsistent results; cannot convert"));
    };
    if dst.is_zero() {
        return Ok(standard);
    }
    let Some(standard) = standard.downcast::<DateTimeView>() else {
        return Err(type_error("fromutc: argument must be a datetime"));
    };
    datetime::shifted(standard, dst)
}

/// Class, arguments as `__getinitargs__` tells them, and state.
fn reduce(zone: &TzInfoView) -> PyResult<Ref<Tuple>> {
    let zone = zone.object();
    let args = match zone.getattr_opt(intern!("__getinitargs__"))? {
        Some(method) => method.call(&[])?,
        None => Tuple::empty().upcast(),
    };
    let state = zone.call_method(intern!("__getstate__"), &[])?;
    Tuple::from_array([zone.ty().new_ref(), args, state])
}

taipan_object::methods! {
    static METHODS = {
        one "tzname" "($self, object, /)" = missing::<0>, "The zone's name at a datetime; subclasses define it.";
        one "utcoffset" "($self, object, /)" = missing::<1>, "The offset east of UTC at a datetime, a timedelta; subclasses define it.";
        one "dst" "($self, object, /)" = missing::<2>, "The part of the offset that is summer time; subclasses define it.";
        one "fromutc" "($self, object, /)" = fromutc, "The local time of a datetime in UTC that carries this zone.";
        noargs "__reduce__" "($self, /)" = reduce, "Class, arguments and state for pickling.";
    }
}

/// `tzinfo`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"What all time zones are derived from."),
    slots: &[TzInfoView::DEALLOC, tp_new(new)],
    methods: METHODS,
    ..TypeSpec::new(&TZINFO)
};
