//! The builtin iterator classes that wrap other objects.
//!
//! An iterator may call itself through what it wraps (a `map` over a `map` over …), so each step
//! checks the depth of the machine stack.

pub mod combine;
pub mod enumerate;
pub mod generic;
pub mod reversed;

use taipan_object::TypeSpec;
use taipan_object::err::PyResult;
use taipan_object::native::from_c;
use taipan_object::statics::{PyExc_IndexError, PyExc_StopIteration};
use taipan_object::{Object, PyErr, Ref};

/// The types of this folder.
pub static ALL: [&TypeSpec; 7] = [
    &generic::SEQUENCE,
    &generic::CALLABLE,
    &enumerate::SPEC,
    &reversed::SPEC,
    &combine::ZIP,
    &combine::MAP,
    &combine::FILTER,
];

/// Item `index` of a sequence; `None` behind its end.
///
/// # Errors
/// What the sequence raises, except `IndexError` and `StopIteration`.
fn sequence_item(sequence: &Object, index: isize) -> PyResult<Option<Ref>> {
    // SAFETY: slot contract.
    let slot = unsafe { (*sequence.ty().raw()).tp_as_sequence.as_ref().and_then(|table| table.sq_item) };
    let item = match slot {
        // SAFETY: slot contract.
        Some(slot) => unsafe { from_c(slot(sequence.as_ptr(), index)) },
        None => taipan_object::protocol::sequence_items(sequence, index),
    };
    item.map(Some).or_else(ended)
}

fn ended(error: PyErr) -> PyResult<Option<Ref>> {
    if error.is(&PyExc_IndexError) || error.is(&PyExc_StopIteration) { Ok(None) } else { Err(error) }
}
