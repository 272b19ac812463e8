//! `_io`.

mod base;
mod buffered;
mod bytesio;
mod fileio;
mod lock;
mod newline;
mod open;
mod pair;
mod stringio;
mod text;
mod text_codec;
mod text_init;
mod text_read;
mod text_seek;
mod util;

use core::cell::OnceCell;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::add_type;
use taipan_object::statics::{PyExc_BlockingIOError, PyExc_OSError, PyExc_ValueError, PyType_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{PyResult, Ref, Type, intern, methods, state};

pub use fileio::FileIO;
pub use text_codec::Kind;
pub use util::{argument_name, str_arg, warn};

/// `DEFAULT_BUFFER_SIZE`.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

/// `UnsupportedOperation` is a class of its own in each interpreter.
#[derive(Default)]
struct Unsupported(OnceCell<Ref<Type>>);

fn make_unsupported() -> PyResult<Ref<Type>> {
    let (os, value): (&Type, &Type) = (&PyExc_OSError, &PyExc_ValueError);
    let bases = Tuple::from_array([os.new_ref(), value.new_ref()])?;
    let namespace = taipan_object::dict::Dict::new()?;
    namespace.set_str(intern!("__module__"), intern!("io"))?;
    let name = Str::from_utf8("UnsupportedOperation")?;
    let made = PyType_Type.call(&[&name, &bases, &namespace])?;
    made.downcast_owned().map_err(|_| taipan_object::err::system_error("type() gave no type"))
}

/// The class `UnsupportedOperation`.
fn unsupported_type() -> PyResult<&'static Type> {
    let place = &state::interp().extension(Unsupported::default).0;
    if place.get().is_none() {
        // A second maker can only lose the race against itself.
        let _ = place.set(make_unsupported()?);
    }
    Ok(place.get().unwrap_or_else(|| unreachable!("set just now")))
}

methods! {
    static METHODS = {
        args "open" "($module, /, file, mode='r', buffering=-1, encoding=None,\n     errors=None, newline=None, closefd=True, opener=None)" = open::open,
            "Open a file and return a stream on it.\n\nfile is a path or a descriptor. mode is made of one of 'r' (read), 'w' (write,\nempty the file first), 'x' (create, fail if it exists) and 'a' (write at the\nend), of '+' for both directions, and of 't' for text (the default) or 'b' for\nbytes. buffering is 0 for none (bytes only), 1 for lines (text only), a size in\nbytes, or -1 for what suits the file. encoding and errors say how text is\nstored, newline how lines end. With closefd=False the descriptor stays open\nwhen the stream is closed. opener(file, flags) may give the descriptor.";
        args "open_code" "($module, /, path)" = open::open_code,
            "Open a file whose contents are to be run, for reading bytes.";
        args "text_encoding" "($module, encoding, stacklevel=2, /)" = open::text_encoding,
            "The encoding that a caller's encoding=None stands for.\n\nGives encoding if it is not None, otherwise 'locale', or 'utf-8' in UTF-8 mode;\nwith warnings about default encodings on, it warns.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    module.add("DEFAULT_BUFFER_SIZE", &taipan_object::int::Int::from_usize(DEFAULT_BUFFER_SIZE))?;
    module.add("UnsupportedOperation", unsupported_type()?)?;
    let blocking: &Type = &PyExc_BlockingIOError;
    module.add("BlockingIOError", blocking)?;
    for spec in base::SPECS {
        add_type(module, spec)?;
    }
    for spec in [
        &fileio::SPEC,
        &bytesio::SPEC,
        &bytesio::BUFFER_SPEC,
        &buffered::READER_SPEC,
        &buffered::WRITER_SPEC,
        &buffered::RANDOM_SPEC,
        &pair::SPEC,
        &newline::SPEC,
        &stringio::SPEC,
        &text_init::SPEC,
    ] {
        add_type(module, spec)?;
    }
    Ok(())
}

/// `_io`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_io",
    doc: "Streams of bytes and text: what the module io offers.",
    methods: METHODS,
    init,
};
