//! `pyerrors.h`, `warnings.h`: the thread's raised exception, and making exceptions.

use crate::border::{Obj, arg, bad_call, export, export_plain, text, typed};
use crate::format::format_text;
use crate::variadic::{VaList, variadic};
use core::ffi::{CStr, c_char, c_int};
use taipan_object::dict::Dict;
use taipan_object::err::{self, Exception, PyErr, PyResult, system_error, type_error};
use taipan_object::int::Int;
use taipan_object::native::opt_ptr;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, intern, raise, state};
use taipan_types_meta::exceptions::{exception_matches, new_exception_class, os_error2};

/// An exception class, or none if the object is something else.
fn class_of(object: &Object) -> Option<&Type> {
    object.downcast::<Type>().filter(|ty| ty.has_flag(taipan_abi::Py_TPFLAGS_BASE_EXC_SUBCLASS))
}

/// What raising `class` with `value` means: an instance as it is, a tuple as arguments, else one argument.
fn make(class: &Object, value: Option<&Object>) -> PyErr {
    let Some(class) = class_of(class) else {
        return raise!(
            PyExc_SystemError,
            "_PyErr_SetObject: exception {} is not a BaseException subclass",
            class.repr_lossy()
        );
    };
    let value = value.filter(|value| !is_none(value));
    match value {
        None => PyErr::with_args(class, &[]),
        Some(value) if value.ty().is_subtype(class) => PyErr::from_instance(value.new_ref()),
        Some(value) => match value.downcast::<Tuple>() {
            Some(args) => PyErr::with_args(class, args.items()),
            None => PyErr::with_args(class, &[value]),
        },
    }
}

unsafe fn formatted(class: Obj, format: *const c_char, va: &mut VaList) -> PyErr {
    // SAFETY: a live class and what the format says, by the callers' contract.
    unsafe {
        // What is raised already is replaced.
        drop(err::fetch_opt());
        let message = match format_text(CStr::from_ptr(format), va) {
            Ok(message) => message,
            Err(error) => return error,
        };
        match Object::borrow_opt(class) {
            Some(class) => make(class, Some(&message)),
            None => bad_call(),
        }
    }
}

unsafe fn os_error_of(class: Obj, filename: Option<&Object>, filename2: Option<&Object>) -> PyErr {
    let errno = taipan_os::last_errno();
    if errno == EINTR
        && let Err(error) = (state::interp().hooks.get().check_signals)()
    {
        return error;
    }
    // SAFETY: a live class by the callers' contract.
    let Some(class) = (unsafe { Object::borrow_opt(class) }).and_then(class_of) else { return bad_call() };
    let os: &Type = &PyExc_OSError;
    if class.is(os) {
        return os_error2(errno, filename, filename2);
    }
    let build = || -> PyResult<PyErr> {
        let plain = os_error2(errno, None, None);
        let message = plain.exception().getattr(intern!("strerror"))?;
        let number = Int::from_i64(i64::from(errno));
        let zero = Int::from_i64(0);
        let mut args: Vec<&Object> = vec![&number, &message];
        if let Some(name) = filename {
            args.push(name);
        }
        if let Some(name) = filename2 {
            args.push(&zero);
            args.push(name);
        }
        Ok(PyErr::with_args(class, &args))
    };
    build().unwrap_or_else(|error| error)
}

const EINTR: i32 = 4;

/// Whether an exception (instance or class) is caught by `wanted`, a class or a tuple of classes.
fn matches(given: &Object, wanted: &Object) -> bool {
    if let Some(tuple) = wanted.downcast::<Tuple>() {
        return tuple.items().iter().any(|wanted| matches(given, wanted));
    }
    if given.downcast::<Exception>().is_some() {
        return exception_matches(given, wanted);
    }
    match (class_of(given), class_of(wanted)) {
        (Some(given), Some(wanted)) => given.is_subtype(wanted),
        _ => given.is(wanted),
    }
}

/// The raised exception, borrowed.
fn raised<'a>() -> Option<&'a Object> {
    // SAFETY: attached; the indicator keeps the exception alive.
    unsafe { Object::borrow_opt((*state::current()).base.current_exception) }
}

unsafe fn steal(object: Obj) -> Option<Ref> {
    // SAFETY: null or an owned reference by the callers' contract.
    unsafe { if object.is_null() { None } else { Some(Ref::steal(object)) } }
}

/// The instance that a type, a value and a traceback stand for.
fn normalized(class: Option<Ref>, value: Option<Ref>, traceback: Option<Ref>) -> Option<PyErr> {
    let class = class?;
    let instance = match value {
        Some(value) if value.downcast::<Exception>().is_some() => match value.downcast_owned::<Exception>() {
            Ok(exception) => PyErr::from_exception(exception),
            Err(_) => bad_call(),
        },
        value => make_plain(&class, value.as_deref()),
    };
    if let Some(traceback) = traceback.filter(|traceback| !is_none(traceback)) {
        instance.exception().set_traceback(Some(traceback));
    }
    Some(instance)
}

/// As [`make`], without a context: putting an exception back is no raise.
fn make_plain(class: &Object, value: Option<&Object>) -> PyErr {
    let before = state::handled_exception();
    let made = make(class, value);
    if before.is_some() {
        made.exception().set_context(None);
    }
    made
}

/// A new exception class: `module.Name`, with bases and a namespace.
unsafe fn new_class(full: *const c_char, doc: *const c_char, base: Obj, namespace: Obj) -> PyResult {
    // SAFETY: C texts and null or live objects by the callers' contract.
    unsafe {
        let doc = if doc.is_null() { None } else { Some(Str::from_utf8(text(doc)?)?) };
        let (base, namespace) = (Object::borrow_opt(base), Object::borrow_opt(namespace));
        new_exception_class(text(full)?, doc.as_deref(), base, namespace)
    }
}

fn warn(category: Option<&Object>, message: &str, level: isize) -> PyResult<()> {
    let default: &Type = &PyExc_RuntimeWarning;
    (state::interp().hooks.get().warn)(category.unwrap_or(default), message, level)
}

unsafe fn warn_formatted(
    category: Obj,
    level: isize,
    format: *const c_char,
    va: &mut VaList,
) -> PyResult<()> {
    // SAFETY: what the format says, by the callers' contract.
    unsafe { warn(Object::borrow_opt(category), &format_text(CStr::from_ptr(format), va)?.to_lossy(), level) }
}

unsafe fn warn_explicit(
    category: Obj,
    message: &Object,
    file: &Object,
    line: c_int,
    module: Obj,
    registry: Obj,
) -> PyResult<()> {
    // SAFETY: null or live objects by the callers' contract.
    unsafe {
        let default: &Type = &PyExc_RuntimeWarning;
        let category = Object::borrow_opt(category).unwrap_or(default);
        let or_none = |object: Obj| Object::borrow_opt(object).unwrap_or(none());
        let line = Int::from_i64(i64::from(line));
        let args: [&Object; 6] = [message, category, file, &line, or_none(module), or_none(registry)];
        crate::border::call_in_module("_warnings", "warn_explicit", &args).map(drop)
    }
}

/// An `ImportError` with its name and path.
unsafe fn import_error(class: &Type, message: Obj, name: Obj, path: Obj) -> PyErr {
    let build = || -> PyResult<PyErr> {
        // SAFETY: null or live objects by the callers' contract.
        unsafe {
            let message =
                Object::borrow_opt(message).ok_or_else(|| type_error("expected a message argument"))?;
            let error = PyErr::with_args(class, &[message]);
            for (key, value) in [(intern!("name"), name), (intern!("path"), path)] {
                error.exception().setattr(key, Some(Object::borrow_opt(value).unwrap_or(none())))?;
            }
            Ok(error)
        }
    };
    build().unwrap_or_else(|error| error)
}

/// An exception attribute that C gives a new value, owned.
unsafe fn set_owned(exception: Obj, value: Obj, set: fn(&Exception, Option<Ref>)) -> PyResult<()> {
    // SAFETY: a live exception and an owned reference or null, by the callers' contract.
    unsafe {
        let value = steal(value).filter(|value| !is_none(value));
        set(typed(exception)?, value);
    }
    Ok(())
}

/// A traceback entry for a place that is no Python code.
unsafe fn add_traceback(function: *const c_char, file: *const c_char, line: c_int) -> PyResult<()> {
    // SAFETY: C texts by the callers' contract.
    unsafe {
        let kept = err::fetch_opt();
        let code = crate::frames::empty_code(text(file)?, text(function)?, line)?;
        let frame = crate::frames::frame_of(&code, &*Dict::new()?)?;
        if let Some(kept) = kept {
            err::restore(kept);
        }
        crate::frames::traceback_here(&frame)
    }
}

fn set_none() -> PyErr {
    PyErr::with_args(&PyExc_MemoryError, &[])
}

/// Prints the raised exception as the end of a program would.
unsafe fn print(set_last: bool) -> PyResult<()> {
    let Some(error) = err::fetch_opt() else { return Ok(()) };
    let exception = error.into_exception().upcast();
    if set_last {
        let sys = taipan_runtime::import_module("sys")?;
        let class = exception.ty().new_ref();
        let traceback = exception.downcast::<Exception>().and_then(Exception::traceback);
        sys.setattr(intern!("last_exc"), Some(&exception))?;
        sys.setattr(intern!("last_type"), Some(&class))?;
        sys.setattr(intern!("last_value"), Some(&exception))?;
        sys.setattr(intern!("last_traceback"), Some(traceback.as_deref().unwrap_or(none())))?;
    }
    if let Err(error) = taipan_runtime::print_exception(&exception) {
        err::write_unraisable(error, None);
    }
    Ok(())
}

export! {
    fn PyErr_SetString(class: Obj, message: *const c_char) {
        drop(err::fetch_opt());
        let bytes = CStr::from_ptr(message).to_bytes();
        let message = crate::unicodeobject::from_utf8(bytes)?;
        Err::<(), _>(make(arg(class)?, Some(&message)))
    }

    fn PyErr_SetObject(class: Obj, value: Obj) {
        drop(err::fetch_opt());
        Err::<(), _>(make(arg(class)?, Object::borrow_opt(value)))
    }

    fn PyErr_SetNone(class: Obj) {
        drop(err::fetch_opt());
        Err::<(), _>(make(arg(class)?, None))
    }

    fn PyErr_NoMemory() -> Obj {
        drop(err::fetch_opt());
        Err::<Obj, _>(set_none())
    }

    fn PyErr_BadArgument() -> c_int {
        drop(err::fetch_opt());
        // The answer is 0, although an exception is raised.
        err::restore(type_error("bad argument type for built-in operation"));
        Ok(0)
    }

    fn PyErr_BadInternalCall() {
        drop(err::fetch_opt());
        Err::<(), _>(bad_call())
    }

    fn _PyErr_BadInternalCall(file: *const c_char, line: c_int) {
        drop(err::fetch_opt());
        Err::<(), _>(system_error(&format!("{}:{line}: bad argument to internal function", text(file)?)))
    }

    fn PyErr_FormatV(class: Obj, format: *const c_char, va: *mut VaList) -> Obj {
        Err::<Obj, _>(formatted(class, format, &mut *va))
    }

    fn PyErr_SetFromErrno(class: Obj) -> Obj {
        Err::<Obj, _>(os_error_of(class, None, None))
    }

    fn PyErr_SetFromErrnoWithFilename(class: Obj, name: *const c_char) -> Obj {
        let errno = taipan_os::last_errno();
        let name = match name.is_null() {
            true => None,
            false => Some(taipan_object::system::fs_decode(CStr::from_ptr(name).to_bytes())?),
        };
        taipan_os::set_errno(errno);
        Err::<Obj, _>(os_error_of(class, name.as_deref().map(|name| -> &Object { name }), None))
    }

    fn PyErr_SetFromErrnoWithFilenameObject(class: Obj, name: Obj) -> Obj {
        Err::<Obj, _>(os_error_of(class, Object::borrow_opt(name), None))
    }

    fn PyErr_SetFromErrnoWithFilenameObjects(class: Obj, name: Obj, name2: Obj) -> Obj {
        Err::<Obj, _>(os_error_of(class, Object::borrow_opt(name), Object::borrow_opt(name2)))
    }

    fn PyErr_SetImportError(message: Obj, name: Obj, path: Obj) -> Obj {
        Err::<Obj, _>(import_error(&PyExc_ImportError, message, name, path))
    }

    fn PyErr_SetImportErrorSubclass(class: Obj, message: Obj, name: Obj, path: Obj) -> Obj {
        let class = class_of(arg(class)?).ok_or_else(|| type_error("expected a subclass of ImportError"))?;
        Err::<Obj, _>(import_error(class, message, name, path))
    }

    fn PyErr_NewException(name: *const c_char, base: Obj, namespace: Obj) -> Obj {
        new_class(name, core::ptr::null(), base, namespace)
    }

    fn PyErr_NewExceptionWithDoc(name: *const c_char, doc: *const c_char, base: Obj, namespace: Obj) -> Obj {
        new_class(name, doc, base, namespace)
    }

    fn PyErr_WarnEx(category: Obj, message: *const c_char, level: isize) -> c_int {
        warn(Object::borrow_opt(category), text(message)?, level)
    }

    fn PyErr_Warn(category: Obj, message: *const c_char) -> c_int {
        warn(Object::borrow_opt(category), text(message)?, 1)
    }

    fn PyErr_WarnExplicitObject(category: Obj, message: Obj, file: Obj, line: c_int, module: Obj, registry: Obj) -> c_int {
        warn_explicit(category, arg(message)?, arg(file)?, line, module, registry)
    }

    fn PyErr_WarnExplicit(category: Obj, message: *const c_char, file: *const c_char, line: c_int, module: *const c_char, registry: Obj) -> c_int {
        let (message, file) = (Str::from_utf8(text(message)?)?, Str::from_utf8(text(file)?)?);
        let module = if module.is_null() { None } else { Some(Str::from_utf8(text(module)?)?) };
        let module = opt_ptr(module.as_ref().map(|module| -> &Object { module }));
        warn_explicit(category, &message, &file, line, module, registry)
    }

    fn PyErr_CheckSignals() -> c_int {
        (state::interp().hooks.get().check_signals)()
    }

    fn PyErr_Print() {
        print(true)
    }

    fn PyErr_PrintEx(set_last: c_int) {
        print(set_last != 0)
    }

    fn PyErr_DisplayException(exception: Obj) {
        taipan_runtime::print_exception(arg(exception)?)
    }

    fn PyErr_Display(_class: Obj, value: Obj, _traceback: Obj) {
        taipan_runtime::print_exception(arg(value)?)
    }

    fn PyErr_WriteUnraisable(object: Obj) {
        if let Some(error) = err::fetch_opt() {
            err::write_unraisable(error, Object::borrow_opt(object));
        }
        Ok(())
    }

    fn PyException_GetTraceback(exception: Obj) -> Obj {
        Ok(typed::<Exception>(exception)?.traceback())
    }

    fn PyException_SetTraceback(exception: Obj, traceback: Obj) -> c_int {
        let traceback = arg(traceback)?;
        if !is_none(traceback) && !traceback.is_exact(&PyTraceBack_Type) {
            return Err(type_error("__traceback__ must be a traceback or None"));
        }
        let value = (!is_none(traceback)).then(|| traceback.new_ref());
        typed::<Exception>(exception)?.set_traceback(value);
        Ok(())
    }

    fn PyException_GetCause(exception: Obj) -> Obj {
        Ok(typed::<Exception>(exception)?.cause())
    }

    fn PyException_SetCause(exception: Obj, cause: Obj) {
        set_owned(exception, cause, Exception::set_cause)
    }

    fn PyException_GetContext(exception: Obj) -> Obj {
        Ok(typed::<Exception>(exception)?.context())
    }

    fn PyException_SetContext(exception: Obj, context: Obj) {
        set_owned(exception, context, Exception::set_context)
    }

    fn PyException_GetArgs(exception: Obj) -> Obj {
        Ok(err::exception_args(typed::<Exception>(exception)?))
    }

    fn PyException_SetArgs(exception: Obj, args: Obj) {
        typed::<Exception>(exception)?.set_args(Some(arg(args)?.new_ref()));
        Ok(())
    }

    fn PyUnicodeDecodeError_Create(encoding: *const c_char, data: *const c_char, len: isize, start: isize, end: isize, reason: *const c_char) -> Obj {
        let data = taipan_object::bytes::Bytes::new(crate::unicodeobject::bytes(data, len)?)?;
        let (encoding, reason) = (Str::from_utf8(text(encoding)?)?, Str::from_utf8(text(reason)?)?);
        PyExc_UnicodeDecodeError.call(&[&encoding, &data, &Int::from_isize(start), &Int::from_isize(end), &reason])
    }

    fn PyUnicodeEncodeError_GetObject(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("object"))
    }

    fn PyUnicodeDecodeError_GetObject(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("object"))
    }

    fn PyUnicodeTranslateError_GetObject(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("object"))
    }

    fn PyUnicodeEncodeError_GetEncoding(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("encoding"))
    }

    fn PyUnicodeDecodeError_GetEncoding(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("encoding"))
    }

    fn PyUnicodeEncodeError_GetReason(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("reason"))
    }

    fn PyUnicodeDecodeError_GetReason(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("reason"))
    }

    fn PyUnicodeEncodeError_GetStart(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("start"))?.to_isize()?);
        Ok(())
    }

    fn PyUnicodeDecodeError_GetStart(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("start"))?.to_isize()?);
        Ok(())
    }

    fn PyUnicodeEncodeError_GetEnd(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("end"))?.to_isize()?);
        Ok(())
    }

    fn PyUnicodeDecodeError_GetEnd(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("end"))?.to_isize()?);
        Ok(())
    }

    fn _PyTraceback_Add(function: *const c_char, file: *const c_char, line: c_int) {
        add_traceback(function, file, line)
    }

}

/// The places of a Unicode error that C may read and write: translation errors too.
macro_rules! unicode_error_places {
    ($($name:ident $place:literal;)*) => {
        export! {$(
            fn $name(exception: Obj, value: isize) -> c_int {
                arg(exception)?.setattr(intern!($place), Some(&Int::from_isize(value)))
            }
        )*}
    };
}

unicode_error_places! {
    PyUnicodeEncodeError_SetStart "start";
    PyUnicodeDecodeError_SetStart "start";
    PyUnicodeTranslateError_SetStart "start";
    PyUnicodeEncodeError_SetEnd "end";
    PyUnicodeDecodeError_SetEnd "end";
    PyUnicodeTranslateError_SetEnd "end";
}

macro_rules! unicode_error_reasons {
    ($($name:ident)*) => {
        export! {$(
            fn $name(exception: Obj, reason: *const c_char) -> c_int {
                arg(exception)?.setattr(intern!("reason"), Some(&*Str::from_utf8(text(reason)?)?))
            }
        )*}
    };
}

unicode_error_reasons! {
    PyUnicodeEncodeError_SetReason
    PyUnicodeDecodeError_SetReason
    PyUnicodeTranslateError_SetReason
}

export! {
    fn PyUnicodeTranslateError_GetReason(exception: Obj) -> Obj {
        arg(exception)?.getattr(intern!("reason"))
    }

    fn PyUnicodeTranslateError_GetStart(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("start"))?.to_isize()?);
        Ok(())
    }

    fn PyUnicodeTranslateError_GetEnd(exception: Obj, place: *mut isize) -> c_int {
        place.write(arg(exception)?.getattr(intern!("end"))?.to_isize()?);
        Ok(())
    }
}

export_plain! {
    fn PyErr_Occurred() -> Obj {
        match raised() {
            Some(exception) => exception.ty().as_ptr(),
            None => core::ptr::null_mut(),
        }
    }

    fn PyErr_Clear() {
        drop(err::fetch_opt());
    }

    fn PyErr_ExceptionMatches(wanted: Obj) -> c_int {
        match (raised(), Object::borrow_opt(wanted)) {
            (Some(raised), Some(wanted)) => c_int::from(matches(raised, wanted)),
            _ => 0,
        }
    }

    fn PyErr_GivenExceptionMatches(given: Obj, wanted: Obj) -> c_int {
        match (Object::borrow_opt(given), Object::borrow_opt(wanted)) {
            (Some(given), Some(wanted)) => c_int::from(matches(given, wanted)),
            _ => 0,
        }
    }

    fn PyErr_GetRaisedException() -> Obj {
        err::fetch_opt().map_or(core::ptr::null_mut(), |error| error.into_exception().into_ptr())
    }

    fn PyErr_SetRaisedException(exception: Obj) {
        drop(err::fetch_opt());
        if let Some(exception) = steal(exception)
            && let Ok(exception) = exception.downcast_owned::<Exception>()
        {
            err::restore(PyErr::from_exception(exception));
        }
    }

    fn PyErr_Fetch(class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
        fetch_parts(class, value, traceback);
    }

    fn PyErr_Restore(class: Obj, value: Obj, traceback: Obj) {
        drop(err::fetch_opt());
        if let Some(error) = normalized(steal(class), steal(value), steal(traceback)) {
            err::restore(error);
        }
    }

    fn PyErr_NormalizeException(class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
        normalize_in_place(class, value, traceback);
    }

    fn PyErr_GetHandledException() -> Obj {
        taipan_object::handle::into_ptr_opt(state::handled_exception())
    }

    fn PyErr_SetHandledException(exception: Obj) {
        set_handled(Object::borrow_opt(exception).filter(|e| !is_none(e)).map(Object::new_ref));
    }

    fn PyErr_GetExcInfo(class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
        let handled = state::handled_exception();
        write_parts(handled, class, value, traceback);
    }

    fn PyErr_SetExcInfo(class: Obj, value: Obj, traceback: Obj) {
        drop((steal(class), steal(traceback)));
        set_handled(steal(value).filter(|value| !is_none(value)));
    }

    fn PyExceptionClass_Name(class: Obj) -> *const c_char {
        (*class.cast::<taipan_abi::PyTypeObject>()).tp_name
    }

    fn PyErr_SetInterrupt() {
        PyErr_SetInterruptEx(2);
    }

    fn PyErr_SetInterruptEx(signal: c_int) -> c_int {
        taipan_os::signals::note(signal);
        0
    }

    fn Py_FatalError(message: *const c_char) {
        fatal("unknown function", message);
    }

    fn _Py_FatalErrorFunc(function: *const c_char, message: *const c_char) {
        fatal(&CStr::from_ptr(function).to_string_lossy(), message);
    }
}

unsafe fn fatal(function: &str, message: *const c_char) -> ! {
    // SAFETY: a C text by the callers' contract.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    taipan_runtime::to_stderr(&format!("Fatal Python error: {function}: {message}\n"));
    std::process::abort()
}

unsafe fn write_parts(exception: Option<Ref>, class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
    let parts = exception.as_ref().map(|exception| {
        let traceback = exception.downcast::<Exception>().and_then(Exception::traceback);
        (exception.ty().new_ref(), traceback)
    });
    let (ty, tb) = match parts {
        Some((ty, tb)) => (Some(ty), tb),
        None => (None, None),
    };
    // SAFETY: valid out parameters by the callers' contract.
    unsafe {
        class.write(taipan_object::handle::into_ptr_opt(ty));
        value.write(taipan_object::handle::into_ptr_opt(exception));
        traceback.write(taipan_object::handle::into_ptr_opt(tb));
    }
}

unsafe fn fetch_parts(class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
    let exception = err::fetch_opt().map(|error| error.into_exception().upcast());
    // SAFETY: forwarded contract.
    unsafe { write_parts(exception, class, value, traceback) }
}

unsafe fn normalize_in_place(class: *mut Obj, value: *mut Obj, traceback: *mut Obj) {
    // SAFETY: places that own references or null, by the callers' contract.
    unsafe {
        if (*class).is_null() {
            return;
        }
        let parts = (steal(*class), steal(*value), steal(*traceback));
        let Some(error) = normalized(parts.0, parts.1, parts.2) else { return };
        write_parts(Some(error.into_exception().upcast()), class, value, traceback);
    }
}

/// Sets the exception that an `except` block would handle.
unsafe fn set_handled(exception: Option<Ref>) {
    // SAFETY: attached; the topmost item owns what it holds.
    unsafe {
        let item = (*state::current()).base.exc_info;
        taipan_object::handle::set_field(&raw mut (*item).exc_value, exception);
    }
}

variadic! {
    fn PyErr_Format(va) -> Obj {
        let class = va.pointer();
        let format = va.text();
        Err::<Obj, _>(formatted(class, format, va))
    }

    fn PyErr_WarnFormat(va) -> c_int {
        let category = va.pointer();
        let level = va.long() as isize;
        let format = va.text();
        warn_formatted(category, level, format, va)
    }

    fn PyErr_ResourceWarning(va) -> c_int {
        let _source: Obj = va.pointer();
        let level = va.long() as isize;
        let format = va.text();
        let message = format_text(CStr::from_ptr(format), va)?;
        let class: &Type = &PyExc_ResourceWarning;
        warn(Some(class), &message.to_lossy(), level)
    }

    fn PyErr_FormatUnraisable(va) -> () {
        let format = va.text();
        let kept = err::fetch_opt();
        let message = if format.is_null() { None } else { Some(format_text(CStr::from_ptr(format), va)?) };
        if let Some(error) = kept {
            err::write_unraisable(error, message.as_ref().map(|message| -> &Object { message }));
        }
        Ok(())
    }

    fn _PyErr_FormatFromCause(va) -> Obj {
        let class = va.pointer();
        let format = va.text();
        let cause = err::fetch_opt();
        let error = formatted(class, format, va);
        if let Some(cause) = cause {
            error.exception().set_cause(Some(cause.exception().new_ref()));
            error.exception().set_context(Some(cause.into_exception().upcast()));
        }
        Err::<Obj, _>(error)
    }
}
