//! The part of `_testcapi` that tests `datetime.h`: each function does what C code does with the header's
//! macros, reading objects in place and calling the functions of the capsule's table.

use crate::border::{Obj, arg};
use crate::datetime::{CAPSULE, Table};
use core::ffi::c_int;
use taipan_abi::{PyDateTime_Date, PyDateTime_DateTime, PyDateTime_Delta, PyDateTime_Time, PyTypeObject};
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::native::{Args, from_c};
use taipan_object::singletons::none;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern};
use taipan_types_meta::capsule;

/// The table, found as `PyDateTime_IMPORT` does.
fn table() -> PyResult<&'static Table> {
    let found = taipan_runtime::import_module("datetime")?.getattr(intern!("datetime_CAPI"))?;
    let table = capsule::pointer(&found, Some(CAPSULE))?;
    // SAFETY: the capsule of that name holds the interpreter's table.
    Ok(unsafe { &*table.cast::<Table>() })
}

fn class<'a>(ty: *mut PyTypeObject) -> PyResult<&'a Type> {
    // SAFETY: the table holds live types.
    unsafe { crate::border::ty(ty) }
}

/// The argument as an object of one of the table's classes, so that its fields may be read.
fn instance(object: &Object, ty: *mut PyTypeObject) -> PyResult<&Object> {
    if object.ty().is_subtype(class(ty)?) { Ok(object) } else { Err(unfit()) }
}

#[cold]
fn unfit() -> PyErr {
    type_error("an object of another class is needed")
}

fn numbers(values: &[i32]) -> Vec<Ref> {
    values.iter().map(|&value| Int::from_i64(value.into()).upcast()).collect()
}

/// What the macros make of the last three bytes.
fn micros(data: &[u8]) -> i32 {
    data.iter().fold(0, |sum, &byte| sum << 8 | i32::from(byte))
}

fn tzinfo(aware: bool, zone: Obj) -> Ref {
    // SAFETY: a zone that is said to be there is one.
    unsafe { if aware { Object::borrow(zone).new_ref() } else { none().new_ref() } }
}

fn date_get(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let object = instance(object, table()?.classes[0])?;
    // SAFETY: a date.
    let data = unsafe { (*object.raw_as::<PyDateTime_Date>()).data };
    Tuple::from_vec(numbers(&[micros(&data[..2]), data[2].into(), data[3].into()]))
}

fn datetime_get(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let object = instance(object, table()?.classes[1])?;
    // SAFETY: a datetime; the zone is only looked at where there is one.
    unsafe {
        let raw = object.raw_as::<PyDateTime_DateTime>();
        let data = (*raw).data;
        let mut fields = numbers(&[data[4].into(), data[5].into(), data[6].into(), micros(&data[7..])]);
        fields.push(tzinfo((*raw).hastzinfo != 0, (*raw).tzinfo));
        Tuple::from_vec(fields)
    }
}

fn time_get(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let object = instance(object, table()?.classes[2])?;
    // SAFETY: a time; the zone is only looked at where there is one.
    unsafe {
        let raw = object.raw_as::<PyDateTime_Time>();
        let data = (*raw).data;
        let mut fields = numbers(&[data[0].into(), data[1].into(), data[2].into(), micros(&data[3..])]);
        fields.push(tzinfo((*raw).hastzinfo != 0, (*raw).tzinfo));
        Tuple::from_vec(fields)
    }
}

fn delta_get(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let object = instance(object, table()?.classes[3])?;
    // SAFETY: a timedelta.
    let raw = unsafe { object.raw_as::<PyDateTime_Delta>().read() };
    Tuple::from_vec(numbers(&[raw.days, raw.seconds, raw.microseconds]))
}

/// Whether an object is of the table's class, or with `exact` of that class itself.
fn check<const CLASS: usize>(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let (object, class) = (args.required(0), class(table()?.classes[CLASS])?);
    Ok(if args.bool_or(1, false)? { object.is_exact(class) } else { object.ty().is_subtype(class) })
}

/// The ints of a call from a place on; the argument before says whether to use a macro, which is the same
/// call here.
fn ints<const N: usize>(args: &Args<'_>) -> PyResult<[c_int; N]> {
    let mut values = [0; N];
    for (index, value) in values.iter_mut().enumerate() {
        *value = args.required(index + 1).to_i32()?;
    }
    Ok(values)
}

fn from_date(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [y, m, d]) = (table()?, ints(args)?);
    // SAFETY: the table's own function and class.
    unsafe { from_c((table.date)(y, m, d, table.classes[0])) }
}

fn from_datetime(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [y, m, d, h, i, s, u]) = (table()?, ints(args)?);
    // SAFETY: as above.
    unsafe { from_c((table.datetime)(y, m, d, h, i, s, u, none().as_ptr(), table.classes[1])) }
}

fn from_datetime_and_fold(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [y, m, d, h, i, s, u, fold]) = (table()?, ints(args)?);
    // SAFETY: as above.
    unsafe { from_c((table.datetime_and_fold)(y, m, d, h, i, s, u, none().as_ptr(), fold, table.classes[1])) }
}

fn from_time(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [h, i, s, u]) = (table()?, ints(args)?);
    // SAFETY: as above.
    unsafe { from_c((table.time)(h, i, s, u, none().as_ptr(), table.classes[2])) }
}

fn from_time_and_fold(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [h, i, s, u, fold]) = (table()?, ints(args)?);
    // SAFETY: as above.
    unsafe { from_c((table.time_and_fold)(h, i, s, u, none().as_ptr(), fold, table.classes[2])) }
}

fn from_dsu(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, [d, s, u]) = (table()?, ints(args)?);
    // SAFETY: as above.
    unsafe { from_c((table.delta)(d, s, u, 1, table.classes[3])) }
}

fn date_from_timestamp(_: &Object, args: &Args<'_>) -> PyResult {
    let (table, call) = (table()?, Tuple::from_refs(&[args.required(0)])?);
    // SAFETY: as above; the tuple outlives the call.
    unsafe { from_c((table.date_from_timestamp)(table.classes[0].cast(), call.as_ptr())) }
}

fn datetime_from_timestamp(_: &Object, args: &Args<'_>) -> PyResult {
    let table = table()?;
    let both = [args.required(0), args.required(1)];
    let call = Tuple::from_refs(if args.bool_or(2, false)? { &both } else { &both[..1] })?;
    // SAFETY: as above.
    unsafe {
        let class: Obj = table.classes[1].cast();
        from_c((table.datetime_from_timestamp)(class, call.as_ptr(), core::ptr::null_mut()))
    }
}

fn utc(_: &Object, _: &Args<'_>) -> PyResult {
    // SAFETY: the table holds a live object.
    Ok(unsafe { arg(table()?.utc)? }.new_ref())
}

/// A zone so many seconds east, with a name or without.
fn zone(seconds: c_int, name: Option<&str>) -> PyResult {
    let table = table()?;
    let name = name.map(Str::from_utf8).transpose()?;
    let name: Obj = name.as_ref().map_or(core::ptr::null_mut(), |name| name.as_ptr());
    // SAFETY: the table's own functions; offset and name outlive the call.
    unsafe {
        let offset = from_c((table.delta)(0, seconds, 0, 1, table.classes[3]))?;
        from_c((table.timezone)(offset.as_ptr(), name))
    }
}

fn make_zones(_: &Object) -> PyResult<Ref<Tuple>> {
    const EASTERN: c_int = -5 * 3600;
    Tuple::from_array([zone(EASTERN, Some("EST"))?, zone(EASTERN, Some("EST"))?, zone(EASTERN, None)?])
}

fn zones_without_offset(_: &Object) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([zone(0, None)?, zone(0, None)?, zone(0, Some(""))?])
}

taipan_object::methods! {
    /// The functions.
    pub static FUNCTIONS = {
        noargs "test_datetime_capi" "" = |_: &Object| table().map(drop), "Finds the table.";
        one "PyDateTime_GET" "" = date_get, "Year, month and day.";
        one "PyDateTime_DATE_GET" "" = datetime_get, "Hour, minute, second, microsecond and zone of a datetime.";
        one "PyDateTime_TIME_GET" "" = time_get, "Hour, minute, second, microsecond and zone of a time.";
        one "PyDateTime_DELTA_GET" "" = delta_get, "Days, seconds and microseconds.";
        args "datetime_check_date" "($module, object, exact=False, /)" = check::<0>, "PyDate_Check";
        args "datetime_check_datetime" "($module, object, exact=False, /)" = check::<1>, "PyDateTime_Check";
        args "datetime_check_time" "($module, object, exact=False, /)" = check::<2>, "PyTime_Check";
        args "datetime_check_delta" "($module, object, exact=False, /)" = check::<3>, "PyDelta_Check";
        args "datetime_check_tzinfo" "($module, object, exact=False, /)" = check::<4>, "PyTZInfo_Check";
        args "get_date_fromdate" "($module, macro, year, month, day, /)" = from_date, "PyDate_FromDate";
        args "get_datetime_fromdateandtime" "($module, macro, year, month, day, hour, minute, second, micro, /)" = from_datetime, "PyDateTime_FromDateAndTime";
        args "get_datetime_fromdateandtimeandfold" "($module, macro, year, month, day, hour, minute, second, micro, fold, /)" = from_datetime_and_fold, "PyDateTime_FromDateAndTimeAndFold";
        args "get_time_fromtime" "($module, macro, hour, minute, second, micro, /)" = from_time, "PyTime_FromTime";
        args "get_time_fromtimeandfold" "($module, macro, hour, minute, second, micro, fold, /)" = from_time_and_fold, "PyTime_FromTimeAndFold";
        args "get_delta_fromdsu" "($module, macro, days, seconds, micros, /)" = from_dsu, "PyDelta_FromDSU";
        args "get_date_fromtimestamp" "($module, timestamp, macro=False, /)" = date_from_timestamp, "PyDate_FromTimestamp";
        args "get_datetime_fromtimestamp" "($module, timestamp, zone, use_zone=False, macro=False, /)" = datetime_from_timestamp, "PyDateTime_FromTimestamp";
        args "get_timezone_utc_capi" "($module, macro=False, /)" = utc, "PyDateTime_TimeZone_UTC";
        noargs "make_timezones_capi" "" = make_zones, "Zones five hours west, two with a name and one without.";
        noargs "get_timezones_offset_zero" "" = zones_without_offset, "Zones without an offset, two without a name and one with.";
    }
}
