//! What pickles hold: the packed bytes of an object, the fold in the highest bit of a byte that has
//! room for it.
//!
//! Pickles of Python 2 have a str in place of bytes, whose characters stand for them.

use crate::layout::TZINFO;
use taipan_object::bytes::Bytes;
use taipan_object::err::{PyErr, PyResult, type_error};
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_ValueError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, raise};

/// The bit of the fold.
pub const FOLD: u8 = 0x80;

/// The state in the first argument of a constructor, if it is one: `valid` looks at the bytes.
///
/// # Errors
/// `ValueError` for a str of the right form that has characters beyond a byte.
pub fn read<const N: usize>(
    object: Option<&Object>,
    class: &str,
    at: usize,
    valid: impl Fn(u8) -> bool,
) -> PyResult<Option<[u8; N]>> {
    let Some(object) = object else { return Ok(None) };
    if let Some(bytes) = object.downcast::<Bytes>() {
        let data: Option<[u8; N]> = bytes.as_slice().try_into().ok();
        return Ok(data.filter(|data| valid(data[at])));
    }
    let Some(text) = object.downcast::<Str>().filter(|text| text.len() == N) else { return Ok(None) };
    let points: Vec<u32> = text.code_points().collect();
    if !u8::try_from(points[at]).is_ok_and(valid) {
        return Ok(None);
    }
    let data: Result<Vec<u8>, _> = points.into_iter().map(u8::try_from).collect();
    match data.ok().and_then(|data| data.try_into().ok()) {
        Some(data) => Ok(Some(data)),
        None => Err(not_latin1(class)),
    }
}

#[cold]
fn not_latin1(class: &str) -> PyErr {
    raise!(
        PyExc_ValueError,
        "Failed to encode latin1 string when unpickling a {class} object. \
         pickle.load(data, encoding='latin1') is assumed."
    )
}

/// Takes the fold out of the byte it stands in.
pub fn take_fold<const N: usize>(mut data: [u8; N], at: usize) -> ([u8; N], i32) {
    let fold = i32::from(data[at] & FOLD != 0);
    data[at] &= !FOLD;
    (data, fold)
}

/// The second argument beside a state.
pub fn zone(object: Option<&Object>) -> PyResult<Option<&Object>> {
    match object {
        Some(zone) if !is_none(zone) && !zone.ty().is_subtype(&TZINFO) => {
            Err(type_error("bad tzinfo state arg"))
        }
        other => Ok(other),
    }
}

/// What `__reduce__` gives: class and arguments.
pub fn reduced(ty: &Type, data: &[u8], zone: Option<&Object>) -> PyResult<Ref<Tuple>> {
    let mut args = vec![Bytes::new(data)?.upcast()];
    args.extend(zone.map(Object::new_ref));
    Tuple::from_array([ty.new_ref(), Tuple::from_vec(args)?.upcast()])
}

/// As [`reduced`] with the fold, which only newer protocols may have.
pub fn reduced_with_fold<const N: usize>(
    ty: &Type,
    mut data: [u8; N],
    at: usize,
    fold: bool,
    zone: Option<&Object>,
) -> PyResult<Ref<Tuple>> {
    if fold {
        data[at] |= FOLD;
    }
    reduced(ty, &data, zone)
}
