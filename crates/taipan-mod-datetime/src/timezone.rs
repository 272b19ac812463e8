//! `timezone`: a zone with one offset for all times, and `UTC`.

use crate::arguments::{Form, Given, with_call_args};
use crate::datetime;
use crate::delta::{self, hash_span};
use crate::layout::{DateTimeView, DeltaView, Span, TIMEZONE, Timezone, TimezoneView};
use crate::zone::{offset_error, own_moment};
use std::cell::OnceCell;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, new_bool, not_implemented};
use taipan_object::state;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, raise};

static FORM: Form = Form { name: "timezone", params: &["offset", "name"], required: 1, positional: 2 };

/// The interpreter's own objects.
struct Constants {
    utc: Ref<TimezoneView>,
    epoch: Ref<DateTimeView>,
}

fn constants() -> PyResult<&'static Constants> {
    let cell = state::interp().extension(OnceCell::<Constants>::new);
    if let Some(found) = cell.get() {
        return Ok(found);
    }
    let utc = create(delta::object(Span::default())?, None)?;
    let epoch = datetime::epoch(utc.object())?;
    Ok(cell.get_or_init(|| Constants { utc, epoch }))
}

/// `timezone.utc`.
pub fn utc() -> PyResult<&'static TimezoneView> {
    constants().map(|constants| &*constants.utc)
}

/// The beginning of 1970 in UTC.
pub fn epoch() -> PyResult<&'static DateTimeView> {
    constants().map(|constants| &*constants.epoch)
}

fn create(offset: Ref<DeltaView>, name: Option<Ref<Str>>) -> PyResult<Ref<TimezoneView>> {
    native_new(&TIMEZONE, Timezone { offset, name })
}

/// A zone with this offset; the one without an offset and a name is `utc`.
///
/// # Errors
/// `ValueError` for an offset of a day or more.
pub fn with_offset(offset: &DeltaView, name: Option<&Str>) -> PyResult<Ref<TimezoneView>> {
    if name.is_none() && offset.span().is_zero() {
        return Ok(Ref::of(utc()?));
    }
    if !offset.span().is_offset() {
        return Err(offset_error(offset.object()));
    }
    create(Ref::of(offset), name.map(Ref::of))
}

fn make(mut given: Given<'_>) -> PyResult<Ref<TimezoneView>> {
    let offset = given.required()?;
    let offset = given.typed::<DeltaView>(Some(offset), "datetime.timedelta")?;
    let name = given.text()?;
    given.end()?;
    match offset {
        Some(offset) => with_offset(offset, name),
        None => Ok(Ref::of(utc()?)),
    }
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<TimezoneView>> {
    with_call_args(args, kwargs, |args| make(FORM.call(args)?))
}

fn is_utc(zone: &TimezoneView) -> PyResult<bool> {
    Ok(zone.object().is(utc()?.object()))
}

fn repr(zone: &TimezoneView) -> PyResult<Ref<Str>> {
    let class = zone.object().ty().full_name();
    if is_utc(zone)? {
        return Str::from_utf8(&format!("{class}.utc"));
    }
    let mut points: Vec<u32> = class.chars().map(u32::from).collect();
    points.push('('.into());
    points.extend(zone.offset.object().repr()?.code_points());
    if let Some(name) = &zone.name {
        points.extend(", ".chars().map(u32::from));
        points.extend(name.repr()?.code_points());
    }
    points.push(')'.into());
    Str::from_code_points(&points)
}

/// An offset as ISO 8601 has it, with a separator between its parts.
pub fn show_offset(span: Span, separator: &str) -> String {
    let total = span.total();
    let (sign, total) = (if total < 0 { '-' } else { '+' }, total.unsigned_abs());
    let (seconds, micros) = (total / 1_000_000, total % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{sign}{hour:02}{separator}{minute:02}");
    if second != 0 || micros != 0 {
        text += &format!("{separator}{second:02}");
    }
    if micros != 0 {
        text += &format!(".{micros:06}");
    }
    text
}

/// The name, or one made from the offset.
fn shown(zone: &TimezoneView) -> PyResult<Ref<Str>> {
    if let Some(name) = &zone.name {
        return Ok(name.clone());
    }
    if is_utc(zone)? || zone.offset.span().is_zero() {
        return Str::from_utf8("UTC");
    }
    Str::from_utf8(&format!("UTC{}", show_offset(zone.offset.span(), ":")))
}

fn check_moment(moment: &Object, function: &str) -> PyResult<()> {
    if is_none(moment) || moment.downcast::<DateTimeView>().is_some() {
        return Ok(());
    }
    Err(raise!(
        PyExc_TypeError,
        "{function}(dt) argument must be a datetime instance or None, not {}",
        moment.ty().message_name()
    ))
}

fn tzname(zone: &TimezoneView, moment: &Object) -> PyResult<Ref<Str>> {
    check_moment(moment, "tzname")?;
    shown(zone)
}

fn utcoffset(zone: &TimezoneView, moment: &Object) -> PyResult<Ref<DeltaView>> {
    check_moment(moment, "utcoffset")?;
    Ok(zone.offset.clone())
}

fn dst(_: &TimezoneView, moment: &Object) -> PyResult<()> {
    check_moment(moment, "dst")
}

fn fromutc(zone: &TimezoneView, moment: &Object) -> PyResult {
    let moment = own_moment(zone.object(), moment)?;
    datetime::shifted(moment, zone.offset.span())
}

fn richcompare(zone: &TimezoneView, other: &Object, op: CompareOp) -> PyResult {
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let Some(other) = other.downcast::<TimezoneView>().filter(|_| equality) else {
        return Ok(not_implemented().new_ref());
    };
    Ok(new_bool(op.holds(zone.offset.span().cmp(&other.offset.span()))))
}

fn getinitargs(zone: &TimezoneView) -> PyResult<Ref<Tuple>> {
    let mut args = vec![zone.offset.clone().upcast()];
    args.extend(zone.name.clone().map(Ref::upcast));
    Tuple::from_vec(args)
}

taipan_object::methods! {
    static METHODS = {
        one "tzname" "($self, object, /)" = tzname, "The name given to the zone, or one made from its offset: 'UTC+HH:MM'.";
        one "utcoffset" "($self, object, /)" = utcoffset, "The offset, the same at all times.";
        one "dst" "($self, object, /)" = dst, "None: the zone knows no summer time.";
        one "fromutc" "($self, object, /)" = fromutc, "The local time of a datetime in UTC that carries this zone.";
        noargs "__getinitargs__" "($self, /)" = getinitargs, "The arguments that make an equal zone, for pickling.";
    }
}

/// `timezone`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A time zone with a fixed offset from UTC."),
    slots: &[
        TimezoneView::DEALLOC,
        tp_new(new),
        tp_repr(repr),
        tp_str(shown),
        tp_hash(|zone: &TimezoneView| Ok(hash_span(zone.offset.span()))),
        tp_richcompare(richcompare),
    ],
    methods: METHODS,
    ..TypeSpec::new(&TIMEZONE)
};

/// Adds the constants of the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &TIMEZONE;
    ty.set_own("utc", utc()?.object())?;
    for (name, minutes) in [("min", -1439), ("max", 1439)] {
        let offset = delta::object(Span::normal(0, minutes * 60, 0)?)?;
        ty.set_own(name, create(offset, None)?.object())?;
    }
    Ok(())
}
