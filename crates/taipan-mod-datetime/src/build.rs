//! New objects of a class that may be a subclass in Python, which is then called.

use crate::calendar::{Clock, Day, MIDNIGHT};
use crate::layout::{DATE, DATETIME, TIME, new_date, new_datetime, new_time, zone_or_none};
use taipan_object::err::PyResult;
use taipan_object::int::Int;
use taipan_object::protocol::vectorcall;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, intern};

fn int(value: i32) -> Ref {
    Int::from_i64(value.into()).upcast()
}

/// Calls a class with fields, zone and, where it is 1, fold.
fn call<const N: usize>(ty: &Type, fields: [i32; N], zone: Option<&Object>, fold: i32) -> PyResult {
    let fields = fields.map(int);
    let mut args: Vec<&Object> = fields.iter().map(|field| &**field).collect();
    args.push(zone_or_none(zone));
    if fold == 0 {
        return vectorcall(ty, &args, None);
    }
    let fold = int(fold);
    args.push(&fold);
    vectorcall(ty, &args, Some(&*Tuple::from_refs(&[intern!("fold")])?))
}

/// A date of class `ty`.
pub fn date(ty: &Type, day: Day) -> PyResult {
    if ty.is(&DATE) {
        return new_date(ty, day).map(Ref::upcast);
    }
    if ty.is(&DATETIME) {
        return new_datetime(ty, day, MIDNIGHT, None, 0).map(Ref::upcast);
    }
    vectorcall(ty, &[&*int(day.year), &*int(day.month), &*int(day.day)], None)
}

/// A datetime of class `ty`.
pub fn datetime(ty: &Type, day: Day, clock: Clock, zone: Option<&Object>, fold: i32) -> PyResult {
    if ty.is(&DATETIME) {
        return new_datetime(ty, day, clock, zone, fold).map(Ref::upcast);
    }
    let Clock { hour, minute, second, micro } = clock;
    call(ty, [day.year, day.month, day.day, hour, minute, second, micro], zone, fold)
}

/// A time of class `ty`.
pub fn time(ty: &Type, clock: Clock, zone: Option<&Object>, fold: i32) -> PyResult {
    if ty.is(&TIME) {
        return new_time(ty, clock, zone, fold).map(Ref::upcast);
    }
    let Clock { hour, minute, second, micro } = clock;
    call(ty, [hour, minute, second, micro], zone, fold)
}
