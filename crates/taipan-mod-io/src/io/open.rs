//! `open`, `open_code`, `text_encoding`.

use super::buffered::{BUFFERED_RANDOM, BUFFERED_READER, BUFFERED_WRITER};
use super::fileio::{FileIO, fspath};
use super::text_init::TEXT_IO_WRAPPER;
use super::util::{argument_name, name_arg, str_arg, warn};
use taipan_object::int::Int;
use taipan_object::native::{Args, Payload};
use taipan_object::singletons::{bool_object, is_none, none};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, err, intern, raise, state};

/// What a mode string of `open` asks for.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

fn parse(text: &str) -> PyResult<Mode> {
    let invalid = || raise!(PyExc_ValueError, "invalid mode: '{text}'");
    let mut mode = Mode::default();
    for c in text.chars() {
        let place = match c {
            'x' => &mut mode.creating,
            'r' => &mut mode.reading,
            'w' => &mut mode.writing,
            'a' => &mut mode.appending,
            '+' => &mut mode.updating,
            't' => &mut mode.text,
            'b' => &mut mode.binary,
            _ => return Err(invalid()),
        };
        if core::mem::replace(place, true) {
            return Err(invalid());
        }
    }
    if mode.text && mode.binary {
        return Err(err::value_error("can't have text and binary mode at once"));
    }
    let kinds = [mode.creating, mode.reading, mode.writing, mode.appending];
    if kinds.iter().filter(|kind| **kind).count() > 1 {
        return Err(err::value_error("must have exactly one of create/read/write/append mode"));
    }
    Ok(mode)
}

impl Mode {
    /// The mode of the raw stream.
    fn raw(&self) -> String {
        let letters = [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ];
        letters.iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect()
    }
}

/// The other arguments of `open`.
struct Wanted<'a> {
    buffering: i32,
    encoding: &'a Object,
    errors: &'a Object,
    newline: &'a Object,
}

/// `open(...)`.
pub fn open(_: &Object, args: &Args<'_>) -> PyResult {
    let file = args.required(0);
    let text = match args.get(1) {
        Some(mode) => {
            let text = str_arg(mode, "open", "'mode'")?.to_utf8()?;
            if text.contains('\0') {
                return Err(err::value_error("embedded null character"));
            }
            text.to_owned()
        }
        None => "r".to_owned(),
    };
    let buffering = args.i32_or(2, -1)?;
    name_arg(args.get(3), "open", "'encoding'")?;
    name_arg(args.get(4), "open", "'errors'")?;
    name_arg(args.get(5), "open", "'newline'")?;
    let given = |index: usize| args.get(index).unwrap_or(none());
    let wanted = Wanted { buffering, encoding: given(3), errors: given(4), newline: given(5) };
    let close_fd = args.bool_or(6, true)?;
    // Numbers stay as they are, everything else is a path.
    let path = if file.downcast::<Int>().is_some() { file.new_ref() } else { path_or_index(file)? };
    let mode = parse(&text)?;
    check_binary(&mode, &wanted)?;
    let file_type: &Type = FileIO::TYPE;
    let raw_mode = Str::from_utf8(&mode.raw())?;
    let raw = file_type.call(&[&path, &raw_mode, bool_object(close_fd), given(7)])?;
    match wrap(&raw, &mode, &text, wanted) {
        Ok(stream) => Ok(stream),
        Err((error, top)) => match top.call_method(intern!("close"), &[]) {
            Ok(_) => Err(error),
            Err(second) => Err(super::util::chain(error, second)),
        },
    }
}

fn path_or_index(file: &Object) -> PyResult {
    if taipan_object::protocol::has_index(file) && file.ty().lookup(intern!("__fspath__")).is_none() {
        return Ok(file.new_ref());
    }
    fspath(file)
}

fn check_binary(mode: &Mode, wanted: &Wanted<'_>) -> PyResult<()> {
    if !mode.binary {
        return Ok(());
    }
    for (value, name) in
        [(wanted.encoding, "an encoding"), (wanted.errors, "an errors"), (wanted.newline, "a newline")]
    {
        if !is_none(value) {
            return Err(raise!(PyExc_ValueError, "binary mode doesn't take {name} argument"));
        }
    }
    if wanted.buffering == 1 {
        warn(
            &PyExc_RuntimeWarning,
            "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
            1,
        )?;
    }
    Ok(())
}

/// Puts buffer and text around a raw stream; an error comes with the outermost stream so far, which is
/// to be closed.
fn wrap(raw: &Ref, mode: &Mode, text: &str, wanted: Wanted<'_>) -> Result<Ref, (taipan_object::PyErr, Ref)> {
    let failed = |error| (error, raw.clone());
    let terminal = wanted.buffering < 0 && {
        raw.call_method(intern!("_isatty_open_only"), &[]).and_then(|is| is.is_true()).map_err(failed)?
    };
    let line_buffering = wanted.buffering == 1 || terminal;
    let mut size =
        if wanted.buffering == 1 || (wanted.buffering < 0 && terminal) { -1 } else { wanted.buffering };
    if wanted.buffering == 1 {
        size = -1;
    }
    if size < 0 {
        let block = raw.getattr(intern!("_blksize")).and_then(|size| size.to_i64()).map_err(failed)?;
        size = i32::try_from(block.min(8 << 20).max(super::DEFAULT_BUFFER_SIZE as i64)).unwrap_or(i32::MAX);
    }
    if size == 0 {
        if !mode.binary {
            return Err(failed(err::value_error("can't have unbuffered text I/O")));
        }
        return Ok(raw.clone());
    }
    let class: &Type = if mode.updating {
        &BUFFERED_RANDOM
    } else if mode.creating || mode.writing || mode.appending {
        &BUFFERED_WRITER
    } else if mode.reading {
        &BUFFERED_READER
    } else {
        return Err(failed(raise!(PyExc_ValueError, "unknown mode: '{text}'")));
    };
    let buffer = class.call(&[raw, &*Int::from_i64(i64::from(size))]).map_err(failed)?;
    if mode.binary {
        return Ok(buffer);
    }
    let failed = |error| (error, buffer.clone());
    let line_buffering = bool_object(line_buffering);
    let wrapper = TEXT_IO_WRAPPER
        .call(&[&buffer, wanted.encoding, wanted.errors, wanted.newline, line_buffering])
        .map_err(failed)?;
    let failed = |error| (error, wrapper.clone());
    let mode = Str::from_utf8(text).map_err(failed)?;
    wrapper.setattr(intern!("mode"), Some(&mode)).map_err(failed)?;
    Ok(wrapper)
}

/// `open_code(path)`.
pub fn open_code(module: &Object, args: &Args<'_>) -> PyResult {
    let path = args.required(0);
    let Some(path) = path.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "open_code() argument 'path' must be str, not {}",
            argument_name(path)
        ));
    };
    let _ = module;
    let io = (state::interp().hooks.get().import_module)("_io")?;
    io.call_method(intern!("open"), &[path, &*Str::from_utf8("rb")?])
}

/// `text_encoding(encoding, stacklevel=2)`.
pub fn text_encoding(_: &Object, args: &Args<'_>) -> PyResult {
    let given = args.required(0);
    let level = args.i32_or(1, 2)?;
    if !is_none(given) {
        return Ok(given.new_ref());
    }
    if flag("warn_default_encoding") {
        warn(&PyExc_EncodingWarning, "'encoding' argument not specified", level as isize)?;
    }
    Ok(Str::from_utf8(if flag("utf8_mode") { "utf-8" } else { "locale" })?.upcast())
}

/// Whether a flag of `sys.flags` is set.
pub fn flag(name: &str) -> bool {
    let sys = state::interp().sysdict.borrow().clone();
    let flags = sys.and_then(|sys| sys.get_text("flags"));
    let value = flags.and_then(|flags| Str::from_utf8(name).ok().and_then(|name| flags.getattr(&name).ok()));
    value.is_some_and(|value| value.is_true().unwrap_or(false))
}
