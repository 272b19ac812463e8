//! `OSError`: making it picks the subclass that stands for the error number.
//!
//! `OSError(errno, strerror[, filename[, winerror[, filename2]]])` has fields; any other number of
//! arguments is kept as it is. Arguments are looked at by `__new__`, or by `__init__` where a
//! subclass overrides `__init__` alone: that one may pass others on.

use super::base::{self, fields, lifetime};
use crate::util;
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyResult, attribute_error, exception_args};
use taipan_object::handle::set_field;
use taipan_object::int::Int;
use taipan_object::native::{self, GetSetRow, IntoPy, Member, Slot, TypeSpec, getset_row};
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::get_slot;
use taipan_object::{Object, Ref, Type, layout, state};

layout!(
    /// An `OSError`.
    OSError, PyOSErrorObject, "OSError", |o| o.ty().is_subtype(&PyExc_OSError)
);
fields!(OSErrorFields, PyOSErrorObject, [myerrno, strerror, filename, filename2]);

const LIFE: [Slot; 3] = lifetime::<OSErrorFields>();
/// The slots of the subclasses.
pub(super) static PLAIN: [Slot; 3] = LIFE;

/// Linux error numbers and the exceptions that stand for them.
#[rustfmt::skip]
const BY_NUMBER: &[(i64, &ExceptionPointer)] = &[
    (11, &PyExc_BlockingIOError), (114, &PyExc_BlockingIOError), (115, &PyExc_BlockingIOError),
    (32, &PyExc_BrokenPipeError), (108, &PyExc_BrokenPipeError), (10, &PyExc_ChildProcessError),
    (103, &PyExc_ConnectionAbortedError), (111, &PyExc_ConnectionRefusedError),
    (104, &PyExc_ConnectionResetError), (17, &PyExc_FileExistsError), (2, &PyExc_FileNotFoundError),
    (21, &PyExc_IsADirectoryError), (20, &PyExc_NotADirectoryError), (4, &PyExc_InterruptedError),
    (13, &PyExc_PermissionError), (1, &PyExc_PermissionError), (3, &PyExc_ProcessLookupError),
    (110, &PyExc_TimeoutError),
];

/// The exception type for an error number.
pub fn errno_type(errno: i32) -> &'static Type {
    BY_NUMBER.iter().find(|(number, _)| *number == i64::from(errno)).map_or(&*PyExc_OSError, |(_, ty)| ty)
}

/// [`BY_NUMBER`] as a dict: the number may be any object that equals one.
struct NumberMap(Ref<Dict>);

fn type_for(errno: &Object) -> PyResult<Option<Ref>> {
    let made = Dict::new()?;
    for (number, ty) in BY_NUMBER {
        let ty: &Type = ty;
        made.set(&Int::from_i64(*number), ty)?;
    }
    state::interp().extension(|| NumberMap(made)).0.get(errno)
}

/// Whether a type overrides `__init__` but not `__new__`: arguments are left to `__init__` then.
fn fields_by_init(ty: &Type) -> bool {
    let base: &Type = &PyExc_OSError;
    !core::ptr::eq(get_slot(ty, Py_tp_init), get_slot(base, Py_tp_init))
        && core::ptr::eq(get_slot(ty, Py_tp_new), get_slot(base, Py_tp_new))
}

/// The arguments by their meaning, if there are as many as mean something.
struct Parsed<'a> {
    errno: Option<&'a Object>,
    strerror: Option<&'a Object>,
    filename: Option<&'a Object>,
    filename2: Option<&'a Object>,
}

fn parse(args: &Tuple) -> Parsed<'_> {
    if !(2..=5).contains(&args.len()) {
        return Parsed { errno: None, strerror: None, filename: None, filename2: None };
    }
    Parsed { errno: args.get(0), strerror: args.get(1), filename: args.get(2), filename2: args.get(4) }
}

fn os_error_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let by_init = fields_by_init(ty);
    let mut ty = Ref::of(ty);
    let parsed = parse(args);
    if !by_init {
        util::no_keywords(ty.message_name(), kwargs)?;
        let base: &Type = &PyExc_OSError;
        if let (Some(errno), Some(_)) = (parsed.errno, parsed.strerror)
            && ty.is(base)
            && let Some(found) = type_for(errno)?
            && let Ok(found) = found.downcast_owned::<Type>()
        {
            ty = found;
        }
    }
    let exception = util::allocate(&ty)?;
    // SAFETY: fresh memory of this layout.
    unsafe {
        (*exception.raw_as::<PyOSErrorObject>()).written = -1;
        let exception: &OSError = exception.cast();
        if by_init {
            set_field(&raw mut (*exception.raw()).args, Some(Tuple::empty().upcast()));
        } else {
            set_fields(exception, args, &parsed)?;
        }
    }
    Ok(exception)
}

fn set_fields(exception: &OSError, args: &Tuple, parsed: &Parsed<'_>) -> PyResult<()> {
    let mut kept = Ref::of(args);
    let raw = exception.raw();
    // SAFETY: the view guarantees the layout; fields own their values.
    unsafe {
        if let Some(filename) = parsed.filename.filter(|name| !is_none(name)) {
            let blocking: &Type = &PyExc_BlockingIOError;
            if exception.is_exact(blocking) && is_number(filename) {
                (*raw).written = filename.to_index_clamped(Some(&PyExc_ValueError))?;
            } else {
                set_field(&raw mut (*raw).filename, Some(filename.new_ref()));
                if let Some(second) = parsed.filename2.filter(|name| !is_none(name)) {
                    set_field(&raw mut (*raw).filename2, Some(second.new_ref()));
                }
                if (2..=5).contains(&args.len()) {
                    kept = args.slice(0, 2)?;
                }
            }
        }
        set_field(&raw mut (*raw).myerrno, parsed.errno.map(Object::new_ref));
        set_field(&raw mut (*raw).strerror, parsed.strerror.map(Object::new_ref));
        set_field(&raw mut (*raw).args, Some(kept.upcast()));
    }
    Ok(())
}

/// `PyNumber_Check`.
fn is_number(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe {
        (*object.ty().raw()).tp_as_number.as_ref().is_some_and(|table| {
            table.nb_index.is_some() || table.nb_int.is_some() || table.nb_float.is_some()
        })
    }
}

fn os_error_init(exception: &OSError, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if !fields_by_init(exception.ty()) {
        return Ok(());
    }
    util::no_keywords(exception.ty().message_name(), kwargs)?;
    set_fields(exception, args, &parse(args))
}

/// The fields `errno`, `strerror`, `filename`, `filename2`.
fn read(exception: &OSError) -> [Option<Ref>; 4] {
    // SAFETY: the view guarantees the layout.
    unsafe {
        let raw = exception.raw();
        [
            util::field(&raw mut (*raw).myerrno),
            util::field(&raw mut (*raw).strerror),
            util::field(&raw mut (*raw).filename),
            util::field(&raw mut (*raw).filename2),
        ]
    }
}

fn as_exception(exception: &OSError) -> &Exception {
    // SAFETY: the layout begins with that of `BaseException`.
    unsafe { exception.cast() }
}

fn os_error_str(exception: &OSError) -> PyResult {
    let [errno, strerror, filename, filename2] = read(exception);
    if filename.is_none() && (errno.is_none() || strerror.is_none()) {
        return base::str(as_exception(exception));
    }
    let text = |field: &Option<Ref>| -> PyResult<String> {
        field.as_ref().map_or_else(|| Ok("None".to_owned()), |field| Ok(field.str()?.to_lossy()))
    };
    let start = format!("[Errno {}] {}", text(&errno)?, text(&strerror)?);
    match (filename, filename2) {
        (Some(first), Some(second)) => {
            format!("{start}: {} -> {}", first.repr()?.to_lossy(), second.repr()?.to_lossy())
        }
        (Some(first), None) => format!("{start}: {}", first.repr()?.to_lossy()),
        (None, _) => start,
    }
    .into_py()
}

/// The file names are put back among the arguments.
fn os_error_reduce(exception: &OSError) -> PyResult {
    let base = as_exception(exception);
    let mut args = exception_args(base);
    let [_, _, filename, filename2] = read(exception);
    if let ([errno, strerror], Some(filename)) = (args.items(), filename) {
        let mut all = vec![errno.new_ref(), strerror.new_ref(), filename];
        if let Some(second) = filename2 {
            all.push(new_none());
            all.push(second);
        }
        args = Tuple::from_vec(all)?;
    }
    base::reduce_with(base, args, base::own_dict(base))
}

const NO_COUNT: &str = "characters_written";

fn written(exception: &OSError) -> PyResult<isize> {
    // SAFETY: the view guarantees the layout.
    let written = unsafe { (*exception.raw()).written };
    if written == -1 { Err(attribute_error(NO_COUNT)) } else { Ok(written) }
}

fn set_written(exception: &OSError, value: Option<&Object>) -> PyResult<()> {
    let new = match value {
        Some(value) => value.to_index_clamped(Some(&PyExc_ValueError))?,
        None => {
            written(exception)?;
            -1
        }
    };
    // SAFETY: the view guarantees the layout.
    unsafe { (*exception.raw()).written = new };
    Ok(())
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = os_error_reduce,
        "Describe the exception for pickling: its class, arguments and attributes.";
} }

const GETSET: &[GetSetRow] = &[getset_row(c"characters_written", written, c"").with_setter(set_written)];

/// `OSError`.
pub(super) const SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The base of errors that the operating system reports."),
    slots: &[
        LIFE[0],
        LIFE[1],
        LIFE[2],
        native::tp_new(os_error_new),
        native::tp_init(os_error_init),
        native::tp_str(os_error_str),
    ],
    methods: METHODS,
    getset: GETSET,
    members: &[
        Member::new(c"errno", T_OBJECT, offset_of!(PyOSErrorObject, myerrno), 0, c"the error's number"),
        Member::new(c"strerror", T_OBJECT, offset_of!(PyOSErrorObject, strerror), 0, c"the error's message"),
        Member::new(c"filename", T_OBJECT, offset_of!(PyOSErrorObject, filename), 0, c"the file's name"),
        Member::new(
            c"filename2",
            T_OBJECT,
            offset_of!(PyOSErrorObject, filename2),
            0,
            c"the second file's name",
        ),
    ],
    ..TypeSpec::new(&_PyExc_OSError)
};
