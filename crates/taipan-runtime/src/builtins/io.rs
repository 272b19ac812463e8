//! `print`.

use taipan_object::err::{runtime_error, type_error};
use taipan_object::native::CallArgs;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
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
