//! The plain writers that serve as standard streams until `io` is there, and the last resort for
//! showing exceptions.

use taipan_object::err::{Exception, type_error};
use taipan_object::int::Int;
use taipan_object::native::{Native, Payload, TypeSpec, getset_row, native_new, tp_repr};
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, state};

/// A writer to one of the standard descriptors.
struct Standard {
    fd: i32,
}

impl Payload for Standard {
    const TYPE: &'static StaticType = &PyStdPrinter_Type;
}

type View = Native<Standard>;
const _: () = assert!(View::SIZE == 24);

/// The `OSError` of an `errno`.
pub fn os_error(number: i32) -> PyErr {
    match Str::from_utf8(&taipan_os::error_text(number)) {
        Ok(text) => PyErr::with_args(&PyExc_OSError, &[&Int::from_i64(i64::from(number)), &text]),
        Err(error) => error,
    }
}

fn write(stream: &View, text: &Object) -> PyResult<usize> {
    let Some(text) = text.downcast::<Str>() else {
        return Err(type_error(&format!("write() argument must be str, not {}", text.ty().message_name())));
    };
    // Lone surrogates are escaped, as errors='backslashreplace' does.
    let data = match text.as_utf8() {
        Some(text) => text.to_owned(),
        None => text
            .code_points()
            .map(|c| char::from_u32(c).map_or_else(|| format!("\\u{c:04x}"), |c| c.to_string()))
            .collect(),
    };
    taipan_os::write_standard(stream.fd, data.as_bytes()).map_err(os_error)?;
    Ok(text.len())
}

fn flush(stream: &View) -> PyResult<()> {
    taipan_os::flush_standard(stream.fd).map_err(os_error)
}

taipan_object::methods! { static METHODS = {
    one "write" "($self, text, /)" = write, "Write text.";
    noargs "flush" "($self, /)" = flush, "Write what is still held back.";
    noargs "close" "($self, /)" = |_: &View| {}, "Do nothing: standard streams stay open.";
    noargs "fileno" "($self, /)" = |stream: &View| stream.fd, "The file descriptor.";
} }

/// `stderrprinter`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[
        View::DEALLOC,
        tp_repr(|stream: &View| {
            format!("<stdprinter(fd={}) object at {:#x}>", stream.fd, stream.object().as_ptr().addr())
        }),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"closed", |_: &View| false, c""),
        getset_row(c"encoding", |_: &View| "utf-8", c""),
        getset_row(c"mode", |_: &View| "w", c""),
    ],
    ..TypeSpec::new(&PyStdPrinter_Type)
};

/// A writer for a standard descriptor.
///
/// # Errors
/// `MemoryError`.
pub fn standard(fd: i32) -> PyResult<Ref> {
    Ok(native_new(&PyStdPrinter_Type, Standard { fd })?.upcast())
}

/// Writes to `sys.stderr`, or to the descriptor if that fails.
pub fn to_stderr(text: &str) {
    let stderr = state::interp().sysdict.borrow().as_ref().and_then(|sys| sys.get_text("stderr"));
    let written = stderr.filter(|stream| !is_none(stream)).map(|stream| {
        stream.call_method(intern!("write"), &[&*Str::from_utf8(text)?])?;
        Ok::<(), PyErr>(())
    });
    if !matches!(written, Some(Ok(()))) {
        // Nobody is left to tell if the descriptor itself fails.
        let _ = taipan_os::write_standard(2, text.as_bytes());
    }
}

/// Shows an exception with its traceback, causes and contexts: with the library's own function if it can be
/// had, otherwise in a plainer form.
///
/// # Errors
/// None of its own.
pub fn print_exception(value: &Object) -> PyResult<()> {
    if state::interp().importlib.borrow().is_some() {
        let by_library = || -> PyResult<()> {
            let traceback = crate::import_module("traceback")?;
            traceback.getattr(intern!("_print_exception_bltin"))?.call(&[value])?;
            Ok(())
        };
        if by_library().is_ok() {
            return Ok(());
        }
    }
    let mut seen = Vec::new();
    let mut out = String::new();
    format_chain(value, &mut seen, &mut out);
    to_stderr(&out);
    Ok(())
}

fn format_chain(value: &Object, seen: &mut Vec<usize>, out: &mut String) {
    let Some(exception) = value.downcast::<Exception>() else { return };
    seen.push(exception.as_ptr().addr());
    let fresh = |object: &Ref| !seen.contains(&object.as_ptr().addr());
    if let Some(cause) = exception.cause().filter(fresh) {
        format_chain(&cause, seen, out);
        out.push_str("\nThe above exception was the direct cause of the following exception:\n\n");
    } else if let Some(context) =
        exception.context().filter(|context| fresh(context) && !exception.suppresses_context())
    {
        format_chain(&context, seen, out);
        out.push_str("\nDuring handling of the above exception, another exception occurred:\n\n");
    }
    format_traceback(exception, out);
    out.push_str(&describe(exception));
    out.push('\n');
}

fn format_traceback(exception: &Exception, out: &mut String) {
    let mut entry = exception.traceback();
    if entry.is_some() {
        out.push_str("Traceback (most recent call last):\n");
    }
    while let Some(traceback) = entry {
        let part = || -> PyResult<(String, String, String, Option<Ref>)> {
            let code = traceback.getattr(intern!("tb_frame"))?.getattr(intern!("f_code"))?;
            let next = traceback.getattr(intern!("tb_next"))?;
            Ok((
                code.getattr(intern!("co_filename"))?.str_lossy(),
                traceback.getattr(intern!("tb_lineno"))?.str_lossy(),
                code.getattr(intern!("co_name"))?.str_lossy(),
                Some(next).filter(|next| !is_none(next)),
            ))
        };
        let Ok((file, line, name, next)) = part() else { break };
        out.push_str(&format!("  File \"{file}\", line {line}, in {name}\n"));
        if let Some(text) = source_line(&file, line.parse().unwrap_or(0)) {
            out.push_str(&format!("    {}\n", text.trim()));
        }
        entry = next;
    }
}

fn source_line(file: &str, line: usize) -> Option<String> {
    let data = taipan_os::read_file(file.as_ref()).ok()?;
    let text = String::from_utf8(data).ok()?;
    text.lines().nth(line.checked_sub(1)?).map(str::to_owned)
}

fn describe(exception: &Exception) -> String {
    let ty = exception.ty();
    let module = ty.lookup(intern!("__module__")).map(|module| module.str_lossy()).unwrap_or_default();
    let name = if module == "builtins" || module == "__main__" || module.is_empty() {
        ty.name().to_owned()
    } else {
        format!("{module}.{}", ty.name())
    };
    let text = exception.str().map_or_else(|_| "<exception str() failed>".to_owned(), |text| text.to_lossy());
    if text.is_empty() { name } else { format!("{name}: {text}") }
}

/// The hook for exceptions that nobody can catch.
pub fn unraisable(value: Ref, message: Option<&str>, object: Option<&Object>) {
    let Some(exception) = value.downcast::<Exception>() else { return };
    if exception.traceback().is_none() {
        // What was raised outside of Python code is said to come from the code that runs.
        taipan_eval::traceback::add_current(exception);
    }
    if let Err(error) = crate::sys::call_unraisablehook(exception, message, object) {
        crate::sys::hook_failed(&error);
    }
}

/// Shows an exception that nobody can catch.
pub(crate) fn show_unraisable(value: Option<&Object>, message: Option<&Object>, object: Option<&Object>) {
    let mut out = match (message, object) {
        (Some(message), Some(object)) => format!("{}: {}\n", message.str_lossy(), object.repr_lossy()),
        (Some(message), None) => format!("{}:\n", message.str_lossy()),
        (None, Some(object)) => format!("Exception ignored in: {}\n", object.repr_lossy()),
        (None, None) => "Exception ignored:\n".to_owned(),
    };
    if let Some(exception) = value.and_then(|value| value.downcast::<Exception>()) {
        format_traceback(exception, &mut out);
        out.push_str(&describe(exception));
        out.push('\n');
    }
    to_stderr(&out);
}
