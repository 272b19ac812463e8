//! The abstract bases: `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`.
//!
//! A stream that has been closed carries the attribute `__IOBase_closed`. Everything goes through the
//! methods of the instance, which classes derived in Python override.

use super::util::{
    STREAM, attribute_is_true, call_again, data_of, memoryview, size_arg, str_arg, unsupported, writable_arg,
};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol::{self, IterStep};
use taipan_object::singletons::{as_bool, is_none, none};
use taipan_object::statics::*;
use taipan_object::{Object, PyErr, PyResult, Ref, TypeSpec, err, intern, methods, payload, raise};

pub struct IoBase;
payload!(IoBase, IO_BASE, c"_io._IOBase", STREAM, PyBaseObject_Type, []);
pub struct RawBase;
payload!(RawBase, RAW_BASE, c"_io._RawIOBase", STREAM, IO_BASE, []);
pub struct BufferedBase;
payload!(BufferedBase, BUFFERED_BASE, c"_io._BufferedIOBase", STREAM, IO_BASE, []);
pub struct TextBase;
payload!(TextBase, TEXT_BASE, c"_io._TextIOBase", STREAM, IO_BASE, []);

#[cold]
fn closed_error() -> PyErr {
    err::value_error("I/O operation on closed file.")
}

fn marked_closed(stream: &Object) -> PyResult<bool> {
    Ok(stream.getattr_opt(intern!("__IOBase_closed"))?.is_some())
}

/// Fails if the attribute `closed` is there and true.
pub fn check_closed(stream: &Object) -> PyResult<()> {
    match stream.getattr_opt(intern!("closed"))? {
        Some(closed) if closed.is_true()? => Err(closed_error()),
        _ => Ok(()),
    }
}

fn check(stream: &Object, method: &'static taipan_object::unicode::Str, what: &str) -> PyResult<Ref> {
    let answer = stream.call_method(method, &[])?;
    if as_bool(&answer) == Some(true) {
        return Ok(answer);
    }
    Err(unsupported(&format!("File or stream is not {what}.")))
}

pub fn check_seekable(stream: &Object) -> PyResult<Ref> {
    check(stream, intern!("seekable"), "seekable")
}

pub fn check_readable(stream: &Object) -> PyResult<Ref> {
    check(stream, intern!("readable"), "readable")
}

pub fn check_writable(stream: &Object) -> PyResult<Ref> {
    check(stream, intern!("writable"), "writable")
}

fn flush(stream: &Object) -> PyResult<()> {
    if marked_closed(stream)? { Err(closed_error()) } else { Ok(()) }
}

pub fn close(stream: &Object) -> PyResult<()> {
    if marked_closed(stream)? {
        return Ok(());
    }
    let flushed = stream.call_method(intern!("flush"), &[]);
    let marked = stream.setattr(intern!("__IOBase_closed"), Some(as_object(true)));
    match (flushed, marked) {
        (Err(first), Err(second)) => Err(super::util::chain(first, second)),
        (Err(error), _) | (_, Err(error)) => Err(error),
        _ => Ok(()),
    }
}

fn as_object(value: bool) -> &'static Object {
    taipan_object::singletons::bool_object(value)
}

/// `__del__`: a stream that nobody needs any more is closed.
fn finalize(stream: &Object) {
    // A stream that cannot say whether it is open (one that was never set up) is left alone.
    let open = match stream.getattr_opt(intern!("closed")) {
        Ok(Some(closed)) => matches!(closed.is_true(), Ok(false)),
        Ok(None) | Err(_) => false,
    };
    if !open {
        return;
    }
    // Classes without room for the mark do without it.
    let _ = stream.setattr(intern!("_finalizing"), Some(as_object(true)));
    if let Err(error) = stream.call_method(intern!("close"), &[]) {
        err::write_unraisable_at(error, "Exception ignored while finalizing file", stream);
    }
}

fn enter(stream: &Object) -> PyResult<Ref> {
    check_closed(stream)?;
    Ok(stream.new_ref())
}

fn exit(stream: &Object, _: &[&Object]) -> PyResult {
    stream.call_method(intern!("close"), &[])
}

/// How many bytes may be read at once without passing the end of a line.
fn peeked(stream: &Object, peek: &Object) -> PyResult<usize> {
    let ahead = loop {
        match peek.call(&[&*Int::from_i64(1)]) {
            Err(error) if super::util::is_interrupt(&error) => {}
            other => break other?,
        }
    };
    let _ = stream;
    let Some(ahead) = ahead.downcast::<Bytes>() else {
        return Err(raise!(
            PyExc_OSError,
            "peek() should have returned a bytes object, not '{}'",
            ahead.ty().message_name()
        ));
    };
    Ok(match memchr::memchr(b'\n', ahead.as_slice()) {
        Some(at) => at + 1,
        None => ahead.len().max(1),
    })
}

fn readline(stream: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let limit = size_arg(args, 0)?;
    let peek = stream.getattr_opt(intern!("peek"))?;
    let mut line: Vec<u8> = Vec::new();
    while limit < 0 || line.len() < limit.unsigned_abs() {
        let mut count = 1;
        if let Some(peek) = &peek {
            count = peeked(stream, peek)?;
            if limit >= 0 {
                count = count.min(limit.unsigned_abs() - line.len());
            }
        }
        let more = call_again(stream, intern!("read"), &[&*Int::from_usize(count)])?;
        let Some(more) = more.downcast::<Bytes>() else {
            return Err(raise!(
                PyExc_OSError,
                "read() should have returned a bytes object, not '{}'",
                more.ty().message_name()
            ));
        };
        if more.is_empty() {
            break;
        }
        line.extend_from_slice(more.as_slice());
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    Bytes::new(&line)
}

fn iter(stream: &Object) -> PyResult {
    check_closed(stream)?;
    Ok(stream.new_ref())
}

fn next(stream: &Object) -> PyResult<Option<Ref>> {
    let line = stream.call_method(intern!("readline"), &[])?;
    Ok(if line.len()? == 0 { None } else { Some(line) })
}

fn readlines(stream: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let hint = size_arg(args, 0)?;
    let mut lines = Vec::new();
    let mut length = 0usize;
    protocol::iterate(stream, |line| {
        let size = if hint > 0 { line.len()? } else { 0 };
        lines.push(line);
        if hint > 0 {
            if size > hint.unsigned_abs() - length.min(hint.unsigned_abs()) {
                return Ok(IterStep::Stop);
            }
            length += size;
        }
        Ok(IterStep::Continue)
    })?;
    List::from_vec(lines)
}

fn writelines(stream: &Object, lines: &Object) -> PyResult<()> {
    check_closed(stream)?;
    let lines = lines.iter()?;
    while let Some(line) = protocol::iter_next(&lines)? {
        call_again(stream, intern!("write"), &[&line])?;
    }
    Ok(())
}

fn get_dict(stream: &Object) -> PyResult {
    match taipan_object::instance::dict_of(stream)? {
        Some(dict) => Ok(dict.upcast()),
        None => Err(err::attribute_error("__dict__")),
    }
}

methods! {
    static IO_METHODS = {
        args "seek" "($self, offset, whence=os.SEEK_SET, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("seek")),
            "Move to a position and return it.\n\nwhence says what offset counts from: os.SEEK_SET or 0 the start (offset is not\nnegative), os.SEEK_CUR or 1 the present position, os.SEEK_END or 2 the end.";
        noargs "tell" "($self, /)" = |stream: &Object| stream.call_method(intern!("seek"), &[&*Int::from_i64(0), &*Int::from_i64(1)]),
            "The present position.";
        args "truncate" "($self, size=None, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("truncate")),
            "Make the stream size bytes long, by default up to the present position.\n\nThe position does not change. Returns the new size.";
        noargs "flush" "($self, /)" = flush, "Write out what is still in buffers; nothing where there are none.";
        noargs "close" "($self, /)" = close, "Flush and close the stream; a second time does nothing.";
        noargs "seekable" "($self, /)" = |_: &Object| false, "Whether seek(), tell() and truncate() work.";
        noargs "readable" "($self, /)" = |_: &Object| false, "Whether the stream can be read from.";
        noargs "writable" "($self, /)" = |_: &Object| false, "Whether the stream can be written to.";
        noargs "_checkClosed" "($self, /)" = check_closed, "Raise ValueError if the stream is closed.";
        noargs "_checkSeekable" "($self, /)" = check_seekable, "Raise UnsupportedOperation if the stream is not seekable.";
        noargs "_checkReadable" "($self, /)" = check_readable, "Raise UnsupportedOperation if the stream is not readable.";
        noargs "_checkWritable" "($self, /)" = check_writable, "Raise UnsupportedOperation if the stream is not writable.";
        noargs "fileno" "($self, /)" = |_: &Object| Err::<(), _>(unsupported("fileno")),
            "The descriptor under the stream.\n\nRaises OSError if there is none.";
        noargs "isatty" "($self, /)" = |stream: &Object| check_closed(stream).map(|()| false), "Whether the stream is a terminal.";
        noargs "__enter__" "($self, /)" = enter, "The stream itself, if it is open.";
        many "__exit__" "($self, /, *exc_info)" = exit, "Close the stream.";
        args "readline" "($self, size=-1, /)" = readline,
            "Read up to the end of a line, but no more than size bytes if size is given.\n\nThe line ends with b'\\n', except where the stream or size ends before.";
        args "readlines" "($self, hint=-1, /)" = readlines,
            "A list of lines; with hint no more lines are read once they are that long together.";
        one "writelines" "($self, lines, /)" = writelines, "Write the lines; line ends are not added.";
    }
}

/// `_IOBase`.
static IO_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"The base of all streams, of bytes and of text.\n\nIt has no read() or write(), but takes part in with statements, gives lines when\niterated over, and is closed when it is no longer needed.",
    ),
    slots: &[
        Native::<IoBase>::DEALLOC,
        Native::<IoBase>::TRAVERSE,
        Native::<IoBase>::CLEAR,
        tp_new(|ty: &taipan_object::Type, _: &taipan_object::tuple::Tuple, _: Option<&taipan_object::dict::Dict>| native_new(ty, IoBase)),
        tp_iter(iter),
        tp_iternext(next),
        tp_finalize(finalize),
    ],
    methods: IO_METHODS,
    getset: &[getset_row(c"__dict__", get_dict, c""), getset_row(c"closed", marked_closed, c"")],
    ..TypeSpec::new(&IO_BASE)
};

fn raw_read(stream: &Object, args: &Args<'_>) -> PyResult {
    let size = size_arg(args, 0)?;
    let Ok(size) = usize::try_from(size) else {
        return stream.call_method(intern!("readall"), &[]);
    };
    let room = PyByteArray_Type.call(&[&*Int::from_usize(size)])?;
    let got = stream.call_method(intern!("readinto"), &[&room])?;
    if is_none(&got) {
        return Ok(got);
    }
    let count = got.to_index_clamped(Some(&PyExc_ValueError))?;
    let data = room.downcast::<ByteArray>().map(ByteArray::to_vec).unwrap_or_default();
    if count < 0 || count.unsigned_abs() > data.len() {
        return Err(raise!(PyExc_ValueError, "readinto returned {count} outside buffer size {}", data.len()));
    }
    Bytes::new(&data[..count.unsigned_abs()])?.into_py()
}

fn raw_readall(stream: &Object) -> PyResult {
    let size = Int::from_usize(super::DEFAULT_BUFFER_SIZE);
    let mut all: Vec<u8> = Vec::new();
    let mut any = false;
    loop {
        let data = call_again(stream, intern!("read"), &[&size])?;
        if is_none(&data) {
            if !any {
                return Ok(data);
            }
            break;
        }
        let Some(data) = data.downcast::<Bytes>() else {
            return Err(err::type_error("read() should return bytes"));
        };
        if data.is_empty() {
            break;
        }
        any = true;
        all.extend_from_slice(data.as_slice());
    }
    Bytes::new(&all)?.into_py()
}

fn not_implemented(_: &Object, _: &Object) -> PyResult<()> {
    Err(PyErr::with_args(&PyExc_NotImplementedError, &[]))
}

methods! {
    static RAW_METHODS = {
        args "read" "($self, size=-1, /)" = raw_read,
            "Read at most size bytes with one call, everything for -1; None if nothing is there yet.";
        noargs "readall" "($self, /)" = raw_readall, "Read until the end, with as many calls as it takes.";
        one "readinto" "($self, buffer, /)" = not_implemented, "Read into a buffer and return how many bytes came.";
        one "write" "($self, b, /)" = not_implemented, "Write bytes and return how many were taken.";
    }
}

static RAW_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The base of raw streams: each call is one operation below."),
    slots: &[
        Native::<RawBase>::DEALLOC,
        Native::<RawBase>::TRAVERSE,
        Native::<RawBase>::CLEAR,
        tp_new(
            |ty: &taipan_object::Type,
             _: &taipan_object::tuple::Tuple,
             _: Option<&taipan_object::dict::Dict>| native_new(ty, RawBase),
        ),
    ],
    methods: RAW_METHODS,
    ..TypeSpec::new(&RAW_BASE)
};

/// `readinto` and `readinto1` by `read` and `read1`.
fn generic_readinto(stream: &Object, buffer: &Object, once: bool) -> PyResult<usize> {
    let name = if once { intern!("read1") } else { intern!("read") };
    let buffer = writable_arg(buffer, if once { "readinto1" } else { "readinto" })?;
    let data = stream.call_method(name, &[&*Int::from_usize(buffer.len())])?;
    let Some(data) = data.downcast::<Bytes>() else {
        return Err(err::type_error("read() should return bytes"));
    };
    if data.len() > buffer.len() {
        return Err(raise!(
            PyExc_ValueError,
            "read() returned too much data: {} bytes requested, {} returned",
            buffer.len(),
            data.len()
        ));
    }
    Ok(buffer.write_at(0, data.as_slice()))
}

methods! {
    static BUFFERED_METHODS = {
        noargs "detach" "($self, /)" = |_: &Object| Err::<(), _>(unsupported("detach")),
            "Separate the raw stream below from this one and return it.\n\nThis stream cannot be used afterwards.";
        args "read" "($self, size=-1, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("read")),
            "Read and return size bytes, or everything for None and negative sizes.\n\nFewer bytes come only at the end, or from an interactive raw stream. b'' means\nthe end, None that nothing is there at the moment.";
        args "read1" "($self, size=-1, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("read1")),
            "Read at most size bytes with at most one read() of the stream below.";
        one "readinto" "($self, buffer, /)" = |stream: &Object, buffer: &Object| generic_readinto(stream, buffer, false),
            "Fill a buffer and return how many bytes came.";
        one "readinto1" "($self, buffer, /)" = |stream: &Object, buffer: &Object| generic_readinto(stream, buffer, true),
            "Fill a buffer with at most one read() of the stream below.";
        one "write" "($self, b, /)" = |_: &Object, _: &Object| Err::<(), _>(unsupported("write")),
            "Write bytes and return how many: always all of them.\n\nRaises BlockingIOError if the stream below does not take them at the moment.";
    }
}

static BUFFERED_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"The base of buffered streams of bytes.\n\nUnlike raw streams they read and write as much as they are asked for.",
    ),
    slots: &[
        Native::<BufferedBase>::DEALLOC,
        Native::<BufferedBase>::TRAVERSE,
        Native::<BufferedBase>::CLEAR,
        tp_new(|ty: &taipan_object::Type, _: &taipan_object::tuple::Tuple, _: Option<&taipan_object::dict::Dict>| native_new(ty, BufferedBase)),
    ],
    methods: BUFFERED_METHODS,
    ..TypeSpec::new(&BUFFERED_BASE)
};

fn text_write(_: &Object, text: &Object) -> PyResult<()> {
    str_arg(text, "write", "1")?;
    Err(unsupported("write"))
}

methods! {
    static TEXT_METHODS = {
        noargs "detach" "($self, /)" = |_: &Object| Err::<(), _>(unsupported("detach")),
            "Separate the buffer below from this stream and return it.";
        args "read" "($self, size=-1, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("read")),
            "Read at most size characters, everything for None and negative sizes.";
        args "readline" "($self, size=-1, /)" = |_: &Object, _: &Args<'_>| Err::<(), _>(unsupported("readline")),
            "Read up to the end of a line; '' at the end of the stream.";
        one "write" "($self, s, /)" = text_write, "Write text and return its length.";
    }
}

static TEXT_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The base of streams of text."),
    slots: &[
        Native::<TextBase>::DEALLOC,
        Native::<TextBase>::TRAVERSE,
        Native::<TextBase>::CLEAR,
        tp_new(
            |ty: &taipan_object::Type,
             _: &taipan_object::tuple::Tuple,
             _: Option<&taipan_object::dict::Dict>| native_new(ty, TextBase),
        ),
    ],
    methods: TEXT_METHODS,
    getset: &[
        getset_row(c"encoding", |_: &Object| none().new_ref(), c"how text is stored"),
        getset_row(c"newlines", |_: &Object| none().new_ref(), c"the line ends that were read so far"),
        getset_row(c"errors", |_: &Object| none().new_ref(), c"what happens to text that cannot be stored"),
    ],
    ..TypeSpec::new(&TEXT_BASE)
};

/// The bases, in the order in which they inherit.
pub static SPECS: [&TypeSpec; 4] = [&IO_SPEC, &RAW_SPEC, &BUFFERED_SPEC, &TEXT_SPEC];

/// Writes with the `write` of a raw stream: how much was taken, or `None` when it would block.
pub fn write_raw(raw: &Object, data: &[u8]) -> PyResult<Option<usize>> {
    let chunk = Bytes::new(data)?;
    let taken = call_again(raw, intern!("write"), &[&*memoryview(&chunk)?])?;
    if is_none(&taken) {
        return Ok(None);
    }
    let count = taken.to_index_clamped(Some(&PyExc_ValueError))?;
    if count < 0 || count.unsigned_abs() > data.len() {
        return Err(raise!(
            PyExc_OSError,
            "raw write() returned invalid length {count} (should have been between 0 and {})",
            data.len()
        ));
    }
    Ok(Some(count.unsigned_abs()))
}

/// Whether a stream says that it is closed.
pub fn is_closed(stream: &Object) -> PyResult<bool> {
    attribute_is_true(stream, intern!("closed"))
}

/// Reads with the `readinto` of a raw stream: the bytes, or `None` when it would block.
pub fn read_raw(raw: &Object, size: usize) -> PyResult<Option<Vec<u8>>> {
    let room = PyByteArray_Type.call(&[&*Int::from_usize(size)])?;
    let got = call_again(raw, intern!("readinto"), &[&*memoryview(&room)?])?;
    if is_none(&got) {
        return Ok(None);
    }
    let count = match got.to_index_clamped(Some(&PyExc_ValueError)) {
        Ok(count) => count,
        Err(error) => {
            let wrapped = raise!(PyExc_OSError, "raw readinto() failed");
            let cause = error.into_exception().upcast();
            wrapped.exception().set_cause(Some(cause.clone()));
            wrapped.exception().set_context(Some(cause));
            return Err(wrapped);
        }
    };
    if count < 0 || count.unsigned_abs() > size {
        return Err(raise!(
            PyExc_OSError,
            "raw readinto() returned invalid length {count} (should have been between 0 and {size})"
        ));
    }
    let mut data = data_of(&room)?;
    data.truncate(count.unsigned_abs());
    Ok(Some(data))
}
