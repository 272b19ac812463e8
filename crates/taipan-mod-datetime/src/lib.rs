//! `_datetime`: dates, times, durations and time zones.
//!
//! Problem: the library's own `datetime` in Python is slow, and extension modules read the objects of
//! the native one in place. Idea: instances have CPython's layouts (`layout`), what they mean is
//! arithmetic on plain numbers (`calendar`, `span`, `iso_parse`), and what is left is how Python asks for
//! it: one file for each class. Subclasses in Python are called where a method makes another object
//! (`build`), and zones are asked through `zone`.
//!
//! The table of functions that C code gets as `datetime_CAPI` is made in `taipan-capi`, from [`c`].

#![forbid(unsafe_code)]

mod arguments;
mod build;
pub mod c;
mod calendar;
mod date;
mod datetime;
mod delta;
mod iso_parse;
mod iso_week;
mod layout;
mod local;
mod moments;
mod span;
mod state;
mod time;
mod timezone;
mod write;
mod zone;

use taipan_object::Type;
use taipan_object::err::PyResult;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::{GetSetRow, TypeSpec, add_type, make_ready};
use taipan_object::statics::StaticType;

/// What the module is about.
pub const DOC: &str = "Dates, times, durations and time zones.";

/// Adds what a class has besides its table.
type Finish = fn() -> PyResult<()>;

/// The classes that are in the module, bases first, with what completes each.
const CLASSES: [(&TypeSpec, Finish); 6] = [
    (&delta::SPEC, delta::finish),
    (&date::SPEC, date::finish),
    (&time::SPEC, time::finish),
    (&zone::SPEC, || Ok(())),
    (&datetime::SPEC, datetime::finish),
    (&timezone::SPEC, timezone::finish),
];

/// An attribute whose documentation is its name.
pub(crate) const fn attribute(mut row: GetSetRow) -> GetSetRow {
    row.0.doc = std::ptr::null();
    row
}

fn complete(ty: &'static StaticType) -> bool {
    let class: &Type = ty;
    class.dict().is_some_and(|dict| dict.get_text("resolution").is_some() || dict.get_text("utc").is_some())
}

/// Fills the module.
///
/// # Errors
/// `MemoryError`.
pub fn fill(module: &Module) -> PyResult<()> {
    make_ready(&iso_week::SPEC)?;
    iso_week::finish()?;
    for (spec, _) in CLASSES {
        add_type(module, spec)?;
    }
    for (spec, finish) in CLASSES {
        if !complete(spec.ty) {
            finish()?;
        }
    }
    module.add("MINYEAR", &Int::from_i64(calendar::MIN_YEAR.into()))?;
    module.add("MAXYEAR", &Int::from_i64(calendar::MAX_YEAR.into()))?;
    module.add("UTC", timezone::utc()?.object())
}
