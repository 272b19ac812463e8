//! `print`, `input` and `breakpoint`.

use taipan_object::err::{runtime_error, type_error};
use taipan_object::native::CallArgs;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, raise, state};

pub(super) fn print(_: &Object, args: CallArgs<'_>) -> PyResult<()> {
    let (mut sep, mut end, mut file, mut flush) = (None, None, None, false);
    for (name, value) in args.keywords() {
        let name = name.str_lossy();
        match name.as_str() {
            "sep" => sep = text_option(value, "sep")?,
            "end" => end = text_option(value, "end")?,
            "file" => file = Some(value.new_ref()).filter(|file| !is_none(file)),
            "flush" => flush = value.is_true()?,
            _ => return Err(raise!(PyExc_TypeError, "print() got an unexpected keyword argument '{name}'")),
        }
    }
    let file = match file {
        Some(file) => file,
        None => {
            let sys = state::interp().sysdict.borrow().clone();
            let Some(stdout) = sys.and_then(|sys| sys.get_text("stdout")) else {
                return Err(runtime_error("lost sys.stdout"));
            };
            // A program without a console has None there.
            if is_none(&stdout) {
                return Ok(());
            }
            stdout
        }
    };
    let write = file.getattr(intern!("write"))?;
    for (index, value) in args.positional().iter().enumerate() {
        if index > 0 {
            match &sep {
                Some(sep) => write.call(&[sep])?,
                None => write.call(&[intern!(" ")])?,
            };
        }
        write.call(&[&*value.str()?])?;
    }
    match &end {
        Some(end) => write.call(&[end])?,
        None => write.call(&[intern!("\n")])?,
    };
    if flush {
        file.call_method(intern!("flush"), &[])?;
    }
    Ok(())
}

fn text_option(value: &Object, name: &str) -> PyResult<Option<Ref<Str>>> {
    if is_none(value) {
        return Ok(None);
    }
    match value.downcast::<Str>() {
        Some(text) => Ok(Some(Ref::of(text))),
        None => {
            Err(type_error(&format!("{name} must be None or a string, not {}", value.ty().message_name())))
        }
    }
}

fn standard(name: &str) -> PyResult {
    let sys = state::interp().sysdict.borrow().clone();
    match sys.and_then(|sys| sys.get_text(name)).filter(|stream| !is_none(stream)) {
        Some(stream) => Ok(stream),
        None => Err(raise!(PyExc_RuntimeError, "input(): lost sys.{name}")),
    }
}

/// Whether a stream is the console on this descriptor; a stream without a descriptor is not.
fn is_console(stream: &Object, descriptor: i64) -> PyResult<bool> {
    let Ok(number) = stream.call_method(intern!("fileno"), &[]) else { return Ok(false) };
    if number.to_i64()? != descriptor {
        return Ok(false);
    }
    match stream.call_method(intern!("isatty"), &[]) {
        Ok(answer) => answer.is_true(),
        Err(_) => Ok(false),
    }
}

pub(super) fn input(_: &Object, args: &taipan_object::native::Args<'_>) -> PyResult {
    let (stdin, stdout, stderr) = (standard("stdin")?, standard("stdout")?, standard("stderr")?);
    let hook = state::interp().sysdict.borrow().clone().and_then(|sys| sys.get_text("audit"));
    let prompt = args.get(0);
    if let Some(audit) = &hook {
        let none = taipan_object::singletons::new_none();
        audit.call(&[intern!("builtins.input"), prompt.unwrap_or(&none)])?;
    }
    // What was written to stderr before is to be seen before the prompt; its troubles are its own.
    drop(stderr.call_method(intern!("flush"), &[]));
    if let Some(prompt) = prompt {
        let text = prompt.str()?;
        if is_console(&stdin, 0)? && is_console(&stdout, 1)? && text.str_lossy().contains('\0') {
            return Err(taipan_object::err::value_error(
                "input: prompt string cannot contain null characters",
            ));
        }
        stdout.call_method(intern!("write"), &[&*text])?;
    }
    drop(stdout.call_method(intern!("flush"), &[]));
    let line = stdin.call_method(intern!("readline"), &[])?;
    let Some(line) = line.downcast::<Str>() else {
        return Err(type_error("object.readline() returned non-string"));
    };
    if line.is_empty() {
        return Err(raise!(PyExc_EOFError, "EOF when reading a line"));
    }
    let line = if let Some(audit) = &hook {
        let end = intern!("\n");
        let line = line.call_method(intern!("removesuffix"), &[end])?;
        audit.call(&[intern!("builtins.input/result"), &line])?;
        line
    } else {
        line.call_method(intern!("removesuffix"), &[intern!("\n")])?
    };
    Ok(line)
}

pub(super) fn breakpoint(_: &Object, args: CallArgs<'_>) -> PyResult {
    let sys = state::interp().sysdict.borrow().clone();
    let Some(hook) = sys.and_then(|sys| sys.get_text("breakpointhook")) else {
        return Err(runtime_error("lost sys.breakpointhook"));
    };
    let keywords = args.keywords_dict()?;
    let positional = Tuple::from_vec(args.positional().iter().map(|arg| arg.new_ref()).collect())?;
    taipan_object::protocol::call_with_dict(&hook, &positional, keywords.as_deref())
}
