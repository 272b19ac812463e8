//! File names as texts: the functions behind `posixpath`.

use taipan_object::bytes::Bytes;
use taipan_object::native::Args;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::system::fspath_opt;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, raise};

const SLASH: u32 = b'/' as u32;
const DOT: u32 = b'.' as u32;

/// A name as units (code points or bytes), and whether it is a `str`.
fn units(function: &str, object: &Object) -> PyResult<(Vec<u32>, bool)> {
    let Some(found) = fspath_opt(object)? else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}: path should be string, bytes or os.PathLike, not {}",
            object.ty().message_name()
        ));
    };
    if let Some(text) = found.downcast::<Str>() {
        return Ok((text.code_points().collect(), true));
    }
    let bytes =
        found.downcast::<Bytes>().map(|bytes| bytes.as_slice().iter().map(|&b| u32::from(b)).collect());
    Ok((bytes.unwrap_or_default(), false))
}

/// The units as the kind of object that they came from.
fn give(units: &[u32], text: bool) -> PyResult {
    if text {
        return Ok(Str::from_code_points(units)?.upcast());
    }
    let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
    Ok(Bytes::new(&bytes)?.upcast())
}

/// How many slashes the root has: POSIX lets exactly two mean something of their own.
fn root(name: &[u32]) -> usize {
    match name.iter().take_while(|&&unit| unit == SLASH).count() {
        0 => 0,
        2 => 2,
        _ => 1,
    }
}

fn normpath(_: &Object, args: &Args<'_>) -> PyResult {
    let (name, text) = units("_path_normpath", args.required(0))?;
    let root = root(&name);
    let mut parts: Vec<&[u32]> = Vec::new();
    for part in name.split(|&unit| unit == SLASH) {
        match part {
            [] | [DOT] => {}
            [DOT, DOT] => match parts.last() {
                Some(&[DOT, DOT]) => parts.push(part),
                Some(_) => drop(parts.pop()),
                None if root > 0 => {}
                None => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let mut made = vec![SLASH; root];
    made.extend(parts.join(&SLASH));
    if made.is_empty() {
        made.push(DOT);
    }
    give(&made, text)
}

fn splitroot(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let (name, text) = units("_path_splitroot_ex", args.required(0))?;
    let (root, tail) = name.split_at(root(&name));
    Tuple::from_array([give(&[], text)?, give(root, text)?, give(tail, text)?])
}

taipan_object::methods! {
    pub(super) static METHODS = {
        args "_path_normpath" "($module, /, path)" = normpath, "A path without empty parts, '.' and, where a part stands before it, '..'.";
        args "_path_splitroot_ex" "($module, /, p)" = splitroot, "A path as (drive, root, rest); the drive is always empty.";
    }
}
