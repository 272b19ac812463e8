//! `TextIOWrapper`: making and changing it, and its table.

pub use super::text::TEXT_IO_WRAPPER;

use super::newline::Newlines;
use super::open::flag;
use super::text::{self, TextIOWrapper, View, given};
use super::text_codec::Kind;
use super::util::{argument_name, cannot_pickle, name_arg, unsupported};
use super::{text_read, text_seek};
use crate::codecs::registry;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, bind, err, intern, methods, raise};

/// The encoding of files that are opened without one.
fn default_encoding() -> String {
    if flag("utf8_mode") { "utf-8".to_owned() } else { locale_encoding() }
}

/// The encoding of the system's locale; the plain C locale stands for UTF-8, as PEP 540 has it.
pub fn locale_encoding() -> String {
    let name = taipan_os::files::locale_encoding();
    if name == "ANSI_X3.4-1968" { "utf-8".to_owned() } else { name }
}

/// Makes decoder and encoder for an encoding.
fn set_codecs(stream: &View, buffer: &Object, encoding: &str, errors: &str) -> PyResult<()> {
    let native = Kind::of(encoding);
    let codec = match native {
        Some(_) => None,
        None => Some(registry::lookup_text(encoding, "codecs.open()")?),
    };
    let make = |name: &'static Str| -> PyResult<Option<Ref>> {
        match &codec {
            Some(codec) => codec.call_method(name, &[&*Str::from_utf8(errors)?]).map(Some),
            None => Ok(None),
        }
    };
    let newlines = stream.newlines.borrow().clone();
    stream.decoder.unset();
    stream.encoder.unset();
    if buffer.call_method(intern!("readable"), &[])?.is_true()? {
        let object = make(intern!("incrementaldecoder"))?;
        stream.decoder.begin(native, object, newlines.universal.then_some(newlines.translate));
    }
    if buffer.call_method(intern!("writable"), &[])?.is_true()? {
        stream.encoder.begin(native, make(intern!("incrementalencoder"))?);
    }
    Ok(())
}

/// Tells the encoder when the stream already has something in it.
fn settle_encoder(stream: &View, buffer: &Object) -> PyResult<()> {
    if stream.seekable.get() && stream.encoder.is_set() {
        let at = buffer.call_method(intern!("tell"), &[])?;
        if at.is_true()? {
            stream.encoder.set_start(false)?;
        }
    }
    Ok(())
}

fn newline_type(function: &'static str, value: &Object) -> PyErr {
    raise!(
        PyExc_TypeError,
        "{function}() argument 'newline' must be str or None, not {}",
        argument_name(value)
    )
}

fn init(stream: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(
        bound = "TextIOWrapper"
            "(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)",
        args, kwargs
    );
    stream.ready.set(false);
    stream.detached.set(false);
    let buffer = bound.required(0);
    let encoding = name_arg(bound.get(1), "TextIOWrapper", "'encoding'")?;
    let errors = match bound.get_some(2) {
        None => "strict".to_owned(),
        Some(errors) => match errors.downcast::<Str>() {
            Some(text) => text.to_utf8()?.to_owned(),
            None => {
                return Err(raise!(
                    PyExc_TypeError,
                    "TextIOWrapper() argument 'errors' must be str or None, not {}",
                    argument_name(errors)
                ));
            }
        },
    };
    if errors.contains('\0') {
        return Err(err::value_error("embedded null character"));
    }
    let newline = bound.get(3).unwrap_or(none());
    let newlines = Newlines::parse(newline, || newline_type("TextIOWrapper", newline))?;
    let line_buffering = bound.bool_or(4, false)?;
    let write_through = bound.bool_or(5, false)?;
    if encoding.is_none() && flag("warn_default_encoding") {
        super::util::warn(&PyExc_EncodingWarning, "'encoding' argument not specified", 1)?;
    }
    let encoding = match encoding.as_deref() {
        None => default_encoding(),
        Some("locale") => locale_encoding(),
        Some(name) => name.to_owned(),
    };
    *stream.newlines.borrow_mut() = newlines;
    set_codecs(stream, buffer, &encoding, &errors)?;
    stream.buffer.set(Some(buffer.new_ref()));
    stream.encoding.set(Some(Str::from_utf8(&encoding)?.upcast()));
    *stream.errors.borrow_mut() = errors;
    stream.line_buffering.set(line_buffering);
    stream.write_through.set(write_through);
    stream.chunk_size.set(8192);
    stream.forget_decoded();
    stream.forget_snapshot();
    stream.pending.borrow_mut().clear();
    stream.ratio.set(0.0);
    let seekable = buffer.call_method(intern!("seekable"), &[])?.is_true()?;
    stream.seekable.set(seekable);
    stream.telling.set(seekable);
    stream.has_read1.set(buffer.getattr_opt(intern!("read1"))?.is_some());
    settle_encoder(stream, buffer)?;
    stream.ready.set(true);
    Ok(())
}

/// A flag argument of `reconfigure`: `None` keeps what is.
fn flag_or(value: Option<&Object>, present: bool) -> PyResult<bool> {
    match value.filter(|value| !is_none(value)) {
        None => Ok(present),
        Some(value) => Ok(value.to_i32()? != 0),
    }
}

fn reconfigure(stream: &View, args: &Args<'_>) -> PyResult<()> {
    let buffer = stream.attached()?;
    for (index, name) in [(0, "encoding"), (1, "errors")] {
        if let Some(value) = args.get_some(index)
            && value.downcast::<Str>().is_none()
        {
            return Err(raise!(
                PyExc_TypeError,
                "reconfigure() argument '{name}' must be str or None, not {}",
                argument_name(value)
            ));
        }
    }
    let newline = args.get(2);
    if stream.decoded.is_set() && (given(args.get(0)) || given(args.get(1)) || newline.is_some()) {
        return Err(unsupported(
            "It is not possible to set the encoding or newline of stream after the first read",
        ));
    }
    let newlines =
        newline.map(|value| Newlines::parse(value, || newline_type("reconfigure", value))).transpose()?;
    let line_buffering = flag_or(args.get(3), stream.line_buffering.get())?;
    let write_through = flag_or(args.get(4), stream.write_through.get())?;
    stream.object().call_method(intern!("flush"), &[])?;
    stream.ratio.set(0.0);
    let changed = newlines.is_some();
    if let Some(newlines) = newlines {
        *stream.newlines.borrow_mut() = newlines;
    }
    change_encoding(stream, &buffer, args, changed)?;
    stream.line_buffering.set(line_buffering);
    stream.write_through.set(write_through);
    Ok(())
}

fn change_encoding(stream: &View, buffer: &Object, args: &Args<'_>, newline_changed: bool) -> PyResult<()> {
    let encoding = match args.get_some(0).and_then(|name| name.downcast::<Str>()) {
        // A zero ends the name.
        Some(name) => Some(name.to_utf8()?.split('\0').next().unwrap_or("").to_owned()),
        None => None,
    };
    let errors = name_arg(args.get(1), "reconfigure", "'errors'")?;
    if encoding.is_none() && errors.is_none() && !newline_changed {
        return Ok(());
    }
    let errors = match errors {
        Some(errors) => errors,
        None if encoding.is_some() => "strict".to_owned(),
        None => stream.errors(),
    };
    let encoding = match encoding.as_deref() {
        None => stream.encoding.get().map(|name| name.str_lossy()).unwrap_or_default(),
        Some("locale") => default_encoding(),
        Some(name) => name.to_owned(),
    };
    set_codecs(stream, buffer, &encoding, &errors)?;
    stream.encoding.set(Some(Str::from_utf8(&encoding)?.upcast()));
    *stream.errors.borrow_mut() = errors;
    settle_encoder(stream, buffer)
}

fn forward(stream: &View, name: &'static Str) -> PyResult {
    stream.attached()?.call_method(name, &[])
}

fn set_chunk_size(stream: &View, value: Option<&Object>) -> PyResult<()> {
    stream.attached()?;
    let Some(value) = value else {
        return Err(err::attribute_error(&format!(
            "attribute '_CHUNK_SIZE' of '{}' objects cannot be deleted",
            Type::full_name(&TEXT_IO_WRAPPER)
        )));
    };
    let size = value.to_index_clamped(Some(&PyExc_ValueError))?;
    if size <= 0 {
        return Err(err::value_error("a strictly positive integer is required"));
    }
    stream.chunk_size.set(size.unsigned_abs());
    Ok(())
}

fn set_finalizing(stream: &View, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(err::type_error("can't delete numeric/char attribute")) };
    stream.finalizing.set(value.is_true()?);
    Ok(())
}

fn newlines(stream: &View) -> PyResult {
    stream.attached()?;
    if !stream.decoder.is_set() {
        return Ok(none().new_ref());
    }
    Ok(stream.decoder.seen_newlines()?.unwrap_or_else(|| none().new_ref()))
}

fn truncate(stream: &View, args: &Args<'_>) -> PyResult {
    text::truncate(stream, args.get(0).unwrap_or(none()))
}

methods! {
    static METHODS = {
        noargs "detach" "($self, /)" = text::detach, "Flush, separate the buffer from this stream and return it.";
        args "reconfigure" "($self, /, *, encoding=None, errors=None, newline=None,\n            line_buffering=None, write_through=None)" = reconfigure,
            "Change how the stream works.\n\nEncoding and newline cannot change any more once something was read.";
        one "write" "($self, text, /)" = text::write, "Write text and return its length.";
        args "read" "($self, size=-1, /)" = text_read::read, "Read at most size characters, everything for None and -1.";
        args "readline" "($self, size=-1, /)" = text_read::readline, "Read up to the end of a line; '' at the end.";
        noargs "flush" "($self, /)" = text::flush, "Write out what is waiting, and flush the buffer.";
        noargs "close" "($self, /)" = text::close, "Flush and close the stream and the buffer.";
        noargs "fileno" "($self, /)" = |stream: &View| forward(stream, intern!("fileno")), "The descriptor below.";
        noargs "seekable" "($self, /)" = |stream: &View| forward(stream, intern!("seekable")), "Whether the buffer has positions.";
        noargs "readable" "($self, /)" = |stream: &View| forward(stream, intern!("readable")), "Whether the buffer can be read from.";
        noargs "writable" "($self, /)" = |stream: &View| forward(stream, intern!("writable")), "Whether the buffer can be written to.";
        noargs "isatty" "($self, /)" = |stream: &View| forward(stream, intern!("isatty")), "Whether the stream is a terminal.";
        args "seek" "($self, cookie, whence=os.SEEK_SET, /)" = text_seek::seek,
            "Move to a position and return it.\n\ncookie is 0 or a number that tell() gave; with whence 1 (here) or 2 (the end) it\nmust be 0.";
        noargs "tell" "($self, /)" = text_seek::tell, "The present position, as a number for seek().";
        args "truncate" "($self, pos=None, /)" = truncate, "Cut the buffer, by default at the present position.";
        noargs "__getstate__" "($self, /)" = |stream: &View| cannot_pickle(stream.object()), "Raises TypeError: streams cannot be pickled.";
    }
}

/// `TextIOWrapper`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, write_through=False)\n--\n\nText in front of a stream of bytes.\n\nencoding names how text is stored; 'locale' and None stand for the locale's.\nerrors says what happens to what cannot be decoded or encoded.\n\nnewline: None reads any line end as '\\n' and writes '\\n' as the system has it; ''\nreads any line end and leaves it as it is; '\\n', '\\r' and '\\r\\n' are the only line\nends, and what '\\n' is written as.\n\nWith line_buffering every line is flushed.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, TextIOWrapper::empty())),
        tp_init(init),
        tp_repr(text::repr),
        tp_iternext(text_read::next),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"encoding", |stream: &View| stream.encoding.get(), c"how text is stored"),
        getset_row(c"line_buffering", |stream: &View| stream.line_buffering.get(), c"whether lines are flushed"),
        getset_row(c"write_through", |stream: &View| stream.write_through.get(), c"whether nothing waits here"),
        getset_row(c"_finalizing", |stream: &View| stream.finalizing.get(), c"whether the stream is going away")
            .with_setter(set_finalizing),
        getset_row(c"name", |stream: &View| stream.attached()?.getattr(intern!("name")), c"the buffer's name"),
        getset_row(c"closed", |stream: &View| stream.attached()?.getattr(intern!("closed")), c"whether the stream is closed"),
        getset_row(c"newlines", newlines, c"the line ends that were read so far"),
        getset_row(c"errors", |stream: &View| stream.check_ready().map(|()| stream.errors()), c"what happens to what cannot be stored"),
        getset_row(c"_CHUNK_SIZE", |stream: &View| stream.attached().map(|_| stream.chunk_size.get()), c"the size of chunks")
            .with_setter(set_chunk_size),
        getset_row(c"buffer", |stream: &View| stream.attached(), c"the stream below"),
    ],
    ..TypeSpec::new(&TEXT_IO_WRAPPER)
};
