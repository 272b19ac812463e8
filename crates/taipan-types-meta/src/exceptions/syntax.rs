//! `SyntaxError`: a message with a place in a source file.

use super::base::{self, fields, lifetime};
use crate::util;
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyResult, type_error};
use taipan_object::handle::set_field;
use taipan_object::int::Int;
use taipan_object::native::{self, IntoPy, Member, Slot, TypeSpec};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, layout, protocol, raise};

layout!(
    /// A `SyntaxError`.
    SyntaxError, PySyntaxErrorObject, "SyntaxError", |o| o.ty().is_subtype(&PyExc_SyntaxError)
);
fields!(
    SyntaxErrorFields,
    PySyntaxErrorObject,
    [msg, filename, lineno, offset, end_lineno, end_offset, text, print_file_and_line, metadata]
);

const LIFE: [Slot; 3] = lifetime::<SyntaxErrorFields>();
/// The slots of the subclasses.
pub(super) static PLAIN: [Slot; 3] = LIFE;

fn init(exception: &SyntaxError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    // SAFETY: the layout begins with that of `BaseException`.
    base::init(unsafe { exception.cast::<Exception>() }, args, kwargs)?;
    let raw = exception.raw();
    if let Some(message) = args.get(0) {
        // SAFETY: the view guarantees the layout; the field owns its value.
        unsafe { set_field(&raw mut (*raw).msg, Some(message.new_ref())) };
    }
    let [_, place] = args.items() else { return Ok(()) };
    set_place(exception, place)
}

/// `(filename, lineno, offset, text[, end_lineno, end_offset[, metadata]])`.
fn set_place(exception: &SyntaxError, place: &Object) -> PyResult<()> {
    let place = protocol::to_vec(place)?;
    let bound = match place.len() {
        0..4 => Some(("at least", 4)),
        4..=7 => None,
        _ => Some(("at most", 7)),
    };
    if let Some((bound, wanted)) = bound {
        return Err(raise!(
            PyExc_TypeError,
            "function takes {bound} {wanted} arguments ({} given)",
            place.len()
        ));
    }
    let part = |index: usize| place.get(index).cloned();
    let raw = exception.raw();
    // SAFETY: the view guarantees the layout; fields own their values.
    unsafe {
        set_field(&raw mut (*raw).filename, part(0));
        set_field(&raw mut (*raw).lineno, part(1));
        set_field(&raw mut (*raw).offset, part(2));
        set_field(&raw mut (*raw).text, part(3));
        set_field(&raw mut (*raw).end_lineno, part(4));
        set_field(&raw mut (*raw).end_offset, part(5));
        set_field(&raw mut (*raw).metadata, part(6));
    }
    if place.len() == 5 {
        return Err(type_error("end_offset must be provided when end_lineno is provided"));
    }
    Ok(())
}

fn str(exception: &SyntaxError) -> PyResult {
    // SAFETY: the view guarantees the layout.
    let (message, filename, line) = unsafe {
        let raw = exception.raw();
        (
            util::field(&raw mut (*raw).msg),
            util::field(&raw mut (*raw).filename),
            util::field(&raw mut (*raw).lineno),
        )
    };
    let message = match message {
        Some(message) => message.str()?.to_lossy(),
        None => "None".to_owned(),
    };
    let file = filename.as_ref().and_then(|name| name.downcast::<Str>()).map(Str::to_lossy);
    let file = file.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name));
    let line = line.filter(|line| line.is_exact(&PyLong_Type));
    let line = line
        .as_ref()
        .and_then(|line| line.downcast::<Int>())
        .map(|line| line.to_i64().map_or_else(|| "-1".to_owned(), |line| line.to_string()));
    match (file, line) {
        (None, None) => message,
        (Some(file), Some(line)) => format!("{message} ({file}, line {line})"),
        (Some(file), None) => format!("{message} ({file})"),
        (None, Some(line)) => format!("{message} (line {line})"),
    }
    .into_py()
}

macro_rules! member {
    ($name:literal, $field:ident, $doc:literal) => {
        Member::new($name, T_OBJECT, offset_of!(PySyntaxErrorObject, $field), 0, $doc)
    };
}

/// `SyntaxError`.
pub(super) const SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The source is not valid Python."),
    slots: &[LIFE[0], LIFE[1], LIFE[2], native::tp_init(init), native::tp_str(str)],
    members: &[
        member!(c"msg", msg, c"the message"),
        member!(c"filename", filename, c"the source file"),
        member!(c"lineno", lineno, c"the line, from 1 on"),
        member!(c"offset", offset, c"the column, from 1 on"),
        member!(c"text", text, c"the text of the line"),
        member!(c"end_lineno", end_lineno, c"the line of the end"),
        member!(c"end_offset", end_offset, c"the column of the end"),
        member!(c"print_file_and_line", print_file_and_line, c"not used"),
        member!(c"_metadata", metadata, c"what the parser knew"),
    ],
    ..TypeSpec::new(&_PyExc_SyntaxError)
};
