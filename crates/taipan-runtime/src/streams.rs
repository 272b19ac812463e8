//! `sys.stdin`, `sys.stdout` and `sys.stderr` as text streams of `io`.

use crate::config::Config;
use taipan_object::dict::Dict;
use taipan_object::err::runtime_error;
use taipan_object::int::Int;
use taipan_object::singletons::{new_bool, new_none};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, protocol, state};

fn text(value: &str) -> PyResult {
    Ok(Str::from_utf8(value)?.upcast())
}

/// Opens the three streams and puts them into `sys`. A descriptor that is closed gives `None`.
///
/// # Errors
/// What `io` raises.
pub(crate) fn open_standard(config: &Config) -> PyResult<()> {
    let sys = state::interp().sysdict.borrow().clone();
    let Some(sys) = sys else { return Err(runtime_error("sys is not set up")) };
    let io = crate::import_module("io")?;
    let builtins = crate::import_module("builtins")?;
    builtins.setattr(intern!("open"), Some(&*io.getattr(intern!("open"))?))?;
    let (encoding, errors) = match &config.io_encoding {
        Some(setting) => match setting.split_once(':') {
            Some((encoding, errors)) => (encoding.to_owned(), Some(errors.to_owned())),
            None => (setting.clone(), None),
        },
        None => (String::new(), None),
    };
    let encoding = if encoding.is_empty() { "utf-8" } else { encoding.as_str() };
    for (fd, name) in [(0, "stdin"), (1, "stdout"), (2, "stderr")] {
        let fallback = if fd == 2 { "backslashreplace" } else { default_errors() };
        let errors = if fd == 2 { fallback } else { errors.as_deref().unwrap_or(fallback) };
        let stream = open(&io, fd, name, encoding, errors, config)?;
        sys.set_text(name, &stream)?;
        sys.set_text(&format!("__{name}__"), &stream)?;
    }
    Ok(())
}

/// Under the plain C locale undecodable bytes come through; elsewhere they are errors.
fn default_errors() -> &'static str {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| taipan_os::environment(name))
        .find(|value| !value.is_empty());
    match locale.as_deref().and_then(std::ffi::OsStr::to_str) {
        None | Some("C" | "POSIX") => "surrogateescape",
        Some(_) => "strict",
    }
}

fn open(io: &Object, fd: i64, name: &str, encoding: &str, errors: &str, config: &Config) -> PyResult {
    if !taipan_os::is_open(fd as i32) {
        return Ok(new_none());
    }
    let writes = fd != 0;
    let raw_only = config.unbuffered && writes;
    let options = Dict::new()?;
    options.set_text("mode", &*text(if writes { "wb" } else { "rb" })?)?;
    options.set_text("buffering", &Int::from_i64(if raw_only { 0 } else { -1 }))?;
    options.set_text("closefd", &new_bool(false))?;
    let opener = io.getattr(intern!("open"))?;
    let buffer = protocol::vectorcall_with_dict(&opener, &[&Int::from_i64(fd)], Some(&options))?;
    let raw = if raw_only { buffer.clone() } else { buffer.getattr(intern!("raw"))? };
    raw.setattr(intern!("name"), Some(&*text(&format!("<{name}>"))?))?;
    let terminal = raw.call_method(intern!("isatty"), &[])?.is_true()?;
    let options = Dict::new()?;
    options.set_text("encoding", &*text(encoding)?)?;
    options.set_text("errors", &*text(errors)?)?;
    options.set_text("newline", &*text("\n")?)?;
    let by_line = fd == 2 || (terminal || config.interactive > 0) && !config.unbuffered;
    options.set_text("line_buffering", &new_bool(by_line))?;
    options.set_text("write_through", &new_bool(raw_only))?;
    let wrapper = io.getattr(intern!("TextIOWrapper"))?;
    let stream = protocol::vectorcall_with_dict(&wrapper, &[&buffer], Some(&options))?;
    stream.setattr(intern!("mode"), Some(&*text(if writes { "w" } else { "r" })?))?;
    Ok(stream)
}

/// Flushes standard output and error; false when what was written may be lost.
pub(crate) fn flush_standard() -> bool {
    let sys = state::interp().sysdict.borrow().clone();
    let mut fine = true;
    for name in ["stdout", "stderr"] {
        let stream: Option<Ref> = sys.as_ref().and_then(|sys| sys.get_text(name));
        let Some(stream) = stream.filter(|stream| !taipan_object::singletons::is_none(stream)) else {
            continue;
        };
        let closed = stream
            .getattr_opt(intern!("closed"))
            .ok()
            .flatten()
            .is_some_and(|closed| closed.is_true().unwrap_or(false));
        if closed {
            continue;
        }
        if let Err(error) = stream.call_method(intern!("flush"), &[])
            && name == "stdout"
        {
            taipan_object::err::write_unraisable_text(error, "Exception ignored while flushing sys.stdout");
            fine = false;
        }
    }
    fine
}
