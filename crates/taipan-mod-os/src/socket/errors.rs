//! The exceptions of `_socket`: classes of its own for failed look-ups.

use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::intern;
use taipan_object::statics::{PyExc_OSError, PyExc_TimeoutError, PyType_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{PyErr, PyResult, Ref, Type, state};
use taipan_os::net::LookUpError;

/// `gaierror` and `herror`, of which each interpreter has its own.
pub struct Classes {
    pub gai: Ref,
    pub host: Ref,
}

fn class(name: &str) -> PyResult {
    let dict = Dict::new()?;
    dict.set_str(intern!("__module__"), intern!("socket"))?;
    let bases = Tuple::from_refs(&[&PyExc_OSError])?;
    PyType_Type.call(&[&*Str::from_utf8(name)?, &*bases, &*dict])
}

/// The classes.
pub fn classes() -> PyResult<&'static Classes> {
    let (gai, host) = (class("gaierror")?, class("herror")?);
    Ok(state::interp().extension(|| Classes { gai, host }))
}

/// The exception of a look-up that failed.
#[cold]
pub fn gai_error(error: LookUpError) -> PyErr {
    if let Some(errno) = error.errno {
        return crate::posix::convert::os_error(errno);
    }
    let make = || -> PyResult<PyErr> {
        let text = Str::from_utf8(&error.text())?;
        let number = Int::from_i64(error.code.into());
        Ok(match classes()?.gai.downcast::<Type>() {
            Some(class) => PyErr::with_args(class, &[&number, &text]),
            None => plain_error(&error.text()),
        })
    };
    make().unwrap_or_else(|error| error)
}

/// An `OSError` with a text only.
#[cold]
pub fn plain_error(text: &str) -> PyErr {
    PyErr::new(&PyExc_OSError, text)
}

/// The exception of a time that ran out.
#[cold]
pub fn timed_out() -> PyErr {
    PyErr::new(&PyExc_TimeoutError, "timed out")
}
