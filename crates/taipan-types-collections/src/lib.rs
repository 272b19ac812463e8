//! The builtin collections as Python sees them: `list`, `tuple`, `dict` with its views, `set`,
//! `frozenset`, `range`, `slice`, their iterators, and the builtin iterator classes.
//!
//! A folder per type, a file per aspect; each type ends in one table, and [`install`] fills them all
//! in. The memory layouts of list, tuple and dict are in `taipan-object`; that of the sets is here.
//!
//! Rule of this room: nothing inside a container is borrowed while Python code can run.

pub mod dict;
pub mod iters;
pub mod list;
pub mod misc;
pub mod range;
pub mod set;
pub mod slice;
pub mod tuple;
mod util;

pub use util::Text;

use taipan_object::{PyResult, TypeSpec};

/// Fills in every type of this room.
///
/// # Errors
/// `MemoryError`.
pub fn install() -> PyResult<()> {
    let specs: &[&'static TypeSpec] = &[
        &list::SPEC,
        &list::iter::LIST,
        &list::iter::LIST_REVERSE,
        &list::iter::TUPLE,
        &tuple::SPEC,
        &dict::SPEC,
        &dict::view::KEYS,
        &dict::view::VALUES,
        &dict::view::ITEMS,
        &range::SPEC,
        &range::iter::SMALL,
        &range::iter::BIG,
        &slice::SPEC,
    ];
    let all = specs
        .iter()
        .chain(&dict::iter::ALL)
        .chain(&dict::ordered::ALL)
        .chain(&set::ALL)
        .chain(&iters::ALL)
        .chain(&misc::ALL);
    for spec in all {
        taipan_object::typeobject::install(spec)?;
    }
    Ok(())
}
