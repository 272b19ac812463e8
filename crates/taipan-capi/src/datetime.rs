//! `datetime.h`: the module `_datetime` with the table of functions that extension modules use.
//!
//! The header's macros read dates in place and call everything else through a table, which they find as
//! the capsule `datetime.datetime_CAPI`. What the functions do is `taipan_mod_datetime`'s; the table
//! belongs to the interpreter, because UTC does.

use crate::border::{Obj, arg, guard, ty, typed};
use core::ffi::{CStr, c_int};
use core::mem::offset_of;
use taipan_abi::{PyObject, PyTypeObject};
use taipan_mod_datetime::c;
use taipan_object::dict::Dict;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::state;
use taipan_object::statics::StaticType;
use taipan_object::{Object, PyResult};
use taipan_types_meta::capsule;

type Class = *mut PyTypeObject;

/// The name under which the table is found.
pub const CAPSULE: &CStr = c"datetime.datetime_CAPI";

/// `PyDateTime_CAPI`.
#[repr(C)]
pub struct Table {
    pub classes: [Class; 5],
    pub utc: *mut PyObject,
    pub date: unsafe extern "C" fn(c_int, c_int, c_int, Class) -> Obj,
    pub datetime: unsafe extern "C" fn(c_int, c_int, c_int, c_int, c_int, c_int, c_int, Obj, Class) -> Obj,
    pub time: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Obj, Class) -> Obj,
    pub delta: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Class) -> Obj,
    pub timezone: unsafe extern "C" fn(Obj, Obj) -> Obj,
    pub datetime_from_timestamp: unsafe extern "C" fn(Obj, Obj, Obj) -> Obj,
    pub date_from_timestamp: unsafe extern "C" fn(Obj, Obj) -> Obj,
    pub datetime_and_fold:
        unsafe extern "C" fn(c_int, c_int, c_int, c_int, c_int, c_int, c_int, Obj, c_int, Class) -> Obj,
    pub time_and_fold: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Obj, c_int, Class) -> Obj,
}

const _: () = {
    assert!(size_of::<Table>() == 120);
    assert!(offset_of!(Table, utc) == 40);
    assert!(offset_of!(Table, date) == 48);
    assert!(offset_of!(Table, datetime) == 56);
    assert!(offset_of!(Table, time) == 64);
    assert!(offset_of!(Table, delta) == 72);
    assert!(offset_of!(Table, timezone) == 80);
    assert!(offset_of!(Table, datetime_from_timestamp) == 88);
    assert!(offset_of!(Table, date_from_timestamp) == 96);
    assert!(offset_of!(Table, datetime_and_fold) == 104);
    assert!(offset_of!(Table, time_and_fold) == 112);
};

/// Declares functions of the table.
macro_rules! entries {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// The thread is attached; objects are live, the class is one that the table or Python gave.
        unsafe extern "C" fn $name($($arg: $ty),*) -> Obj {
            guard(move || {
                // SAFETY: the function's own contract.
                unsafe { $body }
            })
        }
    )*};
}

entries! {
    /// `Date_FromDate`.
    fn date(year: c_int, month: c_int, day: c_int, class: Class) {
        c::new_date(ty(class)?, [year, month, day])
    }

    /// `DateTime_FromDateAndTime`.
    fn datetime(
        year: c_int, month: c_int, day: c_int, hour: c_int, minute: c_int, second: c_int, micro: c_int,
        zone: Obj, class: Class,
    ) {
        let fields = [year, month, day, hour, minute, second, micro];
        c::new_datetime(ty(class)?, fields, Object::borrow_opt(zone), 0)
    }

    /// `Time_FromTime`.
    fn time(hour: c_int, minute: c_int, second: c_int, micro: c_int, zone: Obj, class: Class) {
        c::new_time(ty(class)?, [hour, minute, second, micro], Object::borrow_opt(zone), 0)
    }

    /// `Delta_FromDelta`.
    fn delta(days: c_int, seconds: c_int, micros: c_int, normalize: c_int, class: Class) {
        c::new_delta(ty(class)?, [days, seconds, micros], normalize != 0)
    }

    /// `TimeZone_FromTimeZone`.
    fn timezone(offset: Obj, name: Obj) {
        c::new_timezone(arg(offset)?, Object::borrow_opt(name))
    }

    /// `DateTime_FromTimestamp`.
    fn datetime_from_timestamp(class: Obj, args: Obj, kwargs: Obj) {
        let kwargs = if kwargs.is_null() { None } else { Some(typed::<Dict>(kwargs)?) };
        c::datetime_from_timestamp(typed(class)?, typed(args)?, kwargs)
    }

    /// `Date_FromTimestamp`.
    fn date_from_timestamp(class: Obj, args: Obj) {
        c::date_from_timestamp(typed(class)?, typed(args)?)
    }

    /// `DateTime_FromDateAndTimeAndFold`.
    fn datetime_and_fold(
        year: c_int, month: c_int, day: c_int, hour: c_int, minute: c_int, second: c_int, micro: c_int,
        zone: Obj, fold: c_int, class: Class,
    ) {
        let fields = [year, month, day, hour, minute, second, micro];
        c::new_datetime(ty(class)?, fields, Object::borrow_opt(zone), fold)
    }

    /// `Time_FromTimeAndFold`.
    fn time_and_fold(
        hour: c_int, minute: c_int, second: c_int, micro: c_int, zone: Obj, fold: c_int, class: Class,
    ) {
        c::new_time(ty(class)?, [hour, minute, second, micro], Object::borrow_opt(zone), fold)
    }
}

/// The interpreter's table.
fn table() -> PyResult<&'static Table> {
    let utc = c::utc()?.as_ptr();
    let address = |class: &'static StaticType| class.raw();
    Ok(state::interp().extension(|| Table {
        classes: c::classes().map(address),
        utc,
        date,
        datetime,
        time,
        delta,
        timezone,
        datetime_from_timestamp,
        date_from_timestamp,
        datetime_and_fold,
        time_and_fold,
    }))
}

fn init(module: &Module) -> PyResult<()> {
    taipan_mod_datetime::fill(module)?;
    let table = core::ptr::from_ref(table()?).cast_mut();
    // SAFETY: table and name live as long as the interpreter; there is nothing to destroy.
    let capsule = unsafe { capsule::new(table.cast(), CAPSULE.as_ptr(), None)? };
    module.add("datetime_CAPI", &capsule)
}

/// `_datetime`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_datetime", doc: taipan_mod_datetime::DOC, methods: &[], init };
