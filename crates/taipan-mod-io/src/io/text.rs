//! `TextIOWrapper`: what it is made of, writing, flushing and closing.
//!
//! Invariants: `decoded` holds text that was decoded and `used` how much of it the program has seen;
//! `snapshot` is the decoder's state and the input from which that text was made, so that `tell` can
//! say where in the buffer the program stands. Encoded text waits in `pending`.

use super::base::TEXT_BASE;
use super::newline::{Newlines, has_char};
use super::text_codec::{Decoder, Encoder};
use super::util::{STREAM, call_again, chain, unsupported};
use core::cell::{Cell, RefCell};
use taipan_object::bytes::Bytes;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type, StaticType};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, intern, raise};

pub struct TextIOWrapper {
    pub buffer: Field,
    pub ready: Cell<bool>,
    pub detached: Cell<bool>,
    pub finalizing: Cell<bool>,
    pub encoding: Field,
    pub errors: RefCell<String>,
    pub decoder: Decoder,
    pub encoder: Encoder,
    pub newlines: RefCell<Newlines>,
    pub line_buffering: Cell<bool>,
    pub write_through: Cell<bool>,
    pub seekable: Cell<bool>,
    pub telling: Cell<bool>,
    pub has_read1: Cell<bool>,
    pub chunk_size: Cell<usize>,
    pub decoded: Field,
    pub used: Cell<usize>,
    /// Flags of the decoder and the input after them; no input means no snapshot.
    pub snapshot_flags: Cell<i64>,
    pub snapshot_input: Field,
    /// Bytes for each character in the last chunk.
    pub ratio: Cell<f64>,
    pub pending: RefCell<Vec<u8>>,
}

pub static TEXT_IO_WRAPPER: StaticType = StaticType::new(type_init(
    c"_io.TextIOWrapper",
    Native::<TextIOWrapper>::SIZE,
    STREAM,
    &raw const TEXT_BASE,
));

impl Payload for TextIOWrapper {
    const TYPE: &'static StaticType = &TEXT_IO_WRAPPER;
    fn traverse(&self, visitor: &mut Visitor) {
        self.buffer.show(visitor);
        self.encoding.show(visitor);
        self.decoder.object.show(visitor);
        self.encoder.object.show(visitor);
        self.decoded.show(visitor);
        self.snapshot_input.show(visitor);
    }
    fn clear(&self) {
        self.ready.set(false);
        self.buffer.release();
        self.decoder.unset();
        self.encoder.unset();
        self.snapshot_input.release();
    }
}

pub type View = Native<TextIOWrapper>;

impl TextIOWrapper {
    pub fn empty() -> Self {
        Self {
            buffer: Field::empty(),
            ready: Cell::new(false),
            detached: Cell::new(false),
            finalizing: Cell::new(false),
            encoding: Field::empty(),
            errors: RefCell::new("strict".to_owned()),
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            newlines: RefCell::default(),
            line_buffering: Cell::new(false),
            write_through: Cell::new(false),
            seekable: Cell::new(false),
            telling: Cell::new(false),
            has_read1: Cell::new(false),
            chunk_size: Cell::new(8192),
            decoded: Field::empty(),
            used: Cell::new(0),
            snapshot_flags: Cell::new(0),
            snapshot_input: Field::empty(),
            ratio: Cell::new(0.0),
            pending: RefCell::default(),
        }
    }

    /// The stream below, of a stream in working order.
    pub fn attached(&self) -> PyResult<Ref> {
        if self.ready.get()
            && let Some(buffer) = self.buffer.get()
        {
            return Ok(buffer);
        }
        Err(self.not_ready())
    }

    #[cold]
    fn not_ready(&self) -> PyErr {
        err::value_error(if self.detached.get() {
            "underlying buffer has been detached"
        } else {
            "I/O operation on uninitialized object"
        })
    }

    pub fn errors(&self) -> String {
        self.errors.borrow().clone()
    }

    /// Gives up text that was decoded ahead.
    pub fn forget_decoded(&self) {
        self.decoded.set(None);
        self.used.set(0);
    }

    pub fn forget_snapshot(&self) {
        self.snapshot_input.set(None);
    }

    /// Hands what is pending to the stream below.
    pub fn write_pending(&self) -> PyResult<()> {
        let pending = self.pending.take();
        if pending.is_empty() {
            return Ok(());
        }
        let buffer = self.attached()?;
        let data = Bytes::new(&pending)?;
        call_again(&buffer, intern!("write"), &[&data]).map(drop)
    }
}

/// Fails on a closed stream; gives the stream below.
pub fn open_buffer(stream: &View) -> PyResult<Ref> {
    let buffer = stream.attached()?;
    let own: &Type = &TEXT_IO_WRAPPER;
    if stream.object().is_exact(own) {
        if super::base::is_closed(&buffer)? {
            return Err(err::value_error("I/O operation on closed file."));
        }
    } else {
        super::base::check_closed(stream.object())?;
    }
    Ok(buffer)
}

/// `write(text)`.
pub fn write(stream: &View, text: &Object) -> PyResult<usize> {
    let text = super::util::str_arg(text, "write", "1")?;
    let buffer = open_buffer(stream)?;
    if !stream.encoder.is_set() {
        return Err(unsupported("not writable"));
    }
    let len = text.len();
    let written = stream.newlines.borrow().written();
    let line_buffering = stream.line_buffering.get();
    let has_line = (written.is_some() || line_buffering) && has_char(text, b'\n');
    let mut text = Ref::of(text);
    let mut buffer = buffer;
    if let Some(written) = written.filter(|_| has_line)
        && !text.is_exact(&PyUnicode_Type)
    {
        text = replaced_by_method(&text, written)?;
        // The method may have done anything to the stream.
        buffer = open_buffer(stream)?;
        if !stream.encoder.is_set() {
            return Err(unsupported("not writable"));
        }
    } else if let Some(written) = written.filter(|_| has_line) {
        text = taipan_types_text::str::replaced(
            &text,
            &*Str::from_utf8("\n")?,
            &*Str::from_utf8(written)?,
            usize::MAX,
        )?;
    }
    let flush_below = line_buffering && (has_line || has_char(&text, b'\r'));
    let data = stream.encoder.encode(&text, &stream.errors())?;
    let chunk = stream.chunk_size.get();
    loop {
        // Writing may leave more behind.
        let waiting = stream.pending.borrow().len();
        if waiting == 0 || waiting + data.len() <= chunk {
            break;
        }
        stream.write_pending()?;
    }
    let now = {
        let mut pending = stream.pending.borrow_mut();
        if pending.is_empty() {
            *pending = data;
        } else {
            pending.extend_from_slice(&data);
        }
        pending.len() >= chunk
    };
    if now || flush_below || stream.write_through.get() {
        stream.write_pending()?;
    }
    if flush_below {
        buffer.call_method(intern!("flush"), &[])?;
    }
    if stream.snapshot_input.is_set() {
        stream.forget_decoded();
        stream.forget_snapshot();
    }
    if stream.decoder.is_set() {
        stream.decoder.reset()?;
    }
    Ok(len)
}

/// The text of a subclass with its own `replace`.
fn replaced_by_method(text: &Str, written: &str) -> PyResult<Ref<Str>> {
    let (newline, written) = (Str::from_utf8("\n")?, Str::from_utf8(written)?);
    let made = text.call_method(intern!("replace"), &[&newline, &written])?;
    made.downcast_owned::<Str>().map_err(|made| {
        raise!(PyExc_TypeError, "replace() should return a str, not {}", made.ty().message_name())
    })
}

/// `flush()`.
pub fn flush(stream: &View) -> PyResult<()> {
    let buffer = open_buffer(stream)?;
    stream.telling.set(stream.seekable.get());
    stream.write_pending()?;
    buffer.call_method(intern!("flush"), &[]).map(drop)
}

/// `close()`.
pub fn close(stream: &View) -> PyResult<()> {
    let buffer = stream.attached()?;
    if super::base::is_closed(stream.object())? || stream.detached.get() {
        return Ok(());
    }
    if stream.finalizing.get() {
        // Streams without the method have nothing to warn of.
        let _ = buffer.call_method(intern!("_dealloc_warn"), &[stream.object()]);
    }
    let flushed = stream.object().call_method(intern!("flush"), &[]);
    let closed = buffer.call_method(intern!("close"), &[]);
    match (flushed, closed) {
        (Err(first), Err(second)) => Err(chain(first, second)),
        (Err(error), _) | (_, Err(error)) => Err(error),
        _ => Ok(()),
    }
}

/// `detach()`.
pub fn detach(stream: &View) -> PyResult<Option<Ref>> {
    stream.attached()?;
    stream.object().call_method(intern!("flush"), &[])?;
    stream.detached.set(true);
    stream.ready.set(false);
    Ok(stream.buffer.take())
}

/// `truncate(pos=None)`.
pub fn truncate(stream: &View, size: &Object) -> PyResult {
    let buffer = stream.attached()?;
    stream.object().call_method(intern!("flush"), &[])?;
    buffer.call_method(intern!("truncate"), &[size])
}

/// `repr(stream)`.
pub fn repr(stream: &View) -> PyResult<String> {
    stream.check_ready()?;
    let object = stream.object();
    let mut out = format!("<{}", object.ty().message_name());
    if let Some(name) = super::util::name_repr(object)? {
        out.push_str(&format!(" name={name}"));
    }
    if let Some(mode) = object.getattr_opt(intern!("mode"))? {
        out.push_str(&format!(" mode={}", mode.repr()?.to_lossy()));
    }
    if let Some(encoding) = stream.encoding.get() {
        out.push_str(&format!(" encoding={}", encoding.repr()?.to_lossy()));
    }
    out.push('>');
    Ok(out)
}

impl TextIOWrapper {
    /// Fails before `__init__` only: some things still work on a detached stream.
    pub fn check_ready(&self) -> PyResult<()> {
        if self.ready.get() || self.detached.get() { Ok(()) } else { Err(self.not_ready()) }
    }
}

/// Whether an argument is there and not `None`.
pub fn given(value: Option<&Object>) -> bool {
    value.is_some_and(|value| !is_none(value))
}
