//! Exceptions with fields, made from Rust.

use super::os::errno_type;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult};
use taipan_object::int::Int;
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Type, intern, protocol};

fn or_error(made: PyResult<PyErr>) -> PyErr {
    made.unwrap_or_else(|error| error)
}

/// What the system says about an error number.
fn error_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The `OSError` of an error number, of the subclass that stands for it.
#[cold]
pub fn os_error(errno: i32, filename: Option<&Object>) -> PyErr {
    os_error2(errno, filename, None)
}

/// As [`os_error`], of an operation on two files.
#[cold]
pub fn os_error2(errno: i32, filename: Option<&Object>, filename2: Option<&Object>) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let number = Int::from_i64(i64::from(errno));
        let text = Str::from_utf8(&error_text(errno))?;
        let ty = errno_type(errno);
        Ok(match (filename, filename2) {
            (Some(first), Some(second)) => PyErr::with_args(ty, &[&number, &text, first, none(), second]),
            (Some(first), None) => PyErr::with_args(ty, &[&number, &text, first]),
            (None, _) => PyErr::with_args(ty, &[&number, &text]),
        })
    };
    or_error(make())
}

fn import_error_of(ty: &Type, name: Option<&Object>, path: Option<&Object>, message: &str) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let kwargs = Dict::new()?;
        kwargs.set_str(intern!("name"), name.unwrap_or(none()))?;
        kwargs.set_str(intern!("path"), path.unwrap_or(none()))?;
        let message = Str::from_utf8(message)?;
        Ok(PyErr::from_instance(protocol::vectorcall_with_dict(ty, &[&message], Some(&kwargs))?))
    };
    or_error(make())
}

/// An `ImportError` that knows the module's name and file.
#[cold]
pub fn import_error(name: Option<&Object>, path: Option<&Object>, message: &str) -> PyErr {
    import_error_of(&PyExc_ImportError, name, path, message)
}

/// A `SyntaxError` (or a subclass) with its place: lines and columns count from 1.
#[cold]
pub fn syntax_error(
    ty: &Type,
    message: &str,
    filename: &Object,
    text: Option<&Object>,
    (line, column): (i64, i64),
    end: Option<(i64, i64)>,
) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let number = |value: i64| Int::from_i64(value).upcast();
        let mut place =
            vec![filename.new_ref(), number(line), number(column), text.unwrap_or(none()).new_ref()];
        if let Some((line, column)) = end {
            place.push(number(line));
            place.push(number(column));
        }
        let place = Tuple::from_vec(place)?;
        Ok(PyErr::with_args(ty, &[&*Str::from_utf8(message)?, &*place]))
    };
    or_error(make())
}
