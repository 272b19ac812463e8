//! `BytesIO`: a stream of bytes in memory.
//!
//! The contents are either a bytes object shared with whoever gave or got it, or memory of its own;
//! the first change after sharing copies. Buffers given out by `getbuffer()` hold the memory in place.

use super::base::BUFFERED_BASE;
use super::util::{STREAM, data_of, size_arg, writable_arg};
use core::cell::Cell;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, abi, bind, err, methods, payload};
use taipan_object::{protocol, raise};

#[derive(Default)]
pub struct BytesIO {
    /// The contents, unless `shared` has them.
    memory: Memory,
    shared: Field,
    position: Cell<usize>,
    closed: Cell<bool>,
}
payload!(BytesIO, BYTES_IO, c"_io.BytesIO", STREAM, BUFFERED_BASE, [shared]);

type View = Native<BytesIO>;

#[cold]
fn closed_error() -> PyErr {
    err::value_error("I/O operation on closed file.")
}

impl BytesIO {
    fn check(&self) -> PyResult<()> {
        if self.closed.get() { Err(closed_error()) } else { Ok(()) }
    }

    fn shared(&self) -> Option<Ref<Bytes>> {
        self.shared.get().and_then(|bytes| bytes.downcast_owned().ok())
    }

    fn len(&self) -> usize {
        self.shared().map_or_else(|| self.memory.len(), |bytes| bytes.len())
    }

    fn with<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        match self.shared() {
            Some(bytes) => look(bytes.as_slice()),
            None => self.memory.with(look),
        }
    }

    /// Makes the memory the contents' place.
    fn unshare(&self) -> PyResult<()> {
        if let Some(bytes) = self.shared() {
            let mut copy = Vec::new();
            copy.try_reserve_exact(bytes.len()).map_err(|_| err::memory_error())?;
            copy.extend_from_slice(bytes.as_slice());
            self.memory.replace(copy)?;
            self.shared.set(None);
        }
        Ok(())
    }

    /// The next bytes, at most `size`; moves on.
    fn take(&self, size: isize) -> PyResult<Ref<Bytes>> {
        let (at, len) = (self.position.get(), self.len());
        let left = len.saturating_sub(at);
        let count = usize::try_from(size).map_or(left, |size| size.min(left));
        self.position.set(at + count);
        if at == 0
            && count == len
            && let Some(bytes) = self.shared()
        {
            return Ok(bytes);
        }
        self.with(|all| Bytes::new(if count == 0 { &[] } else { &all[at..at + count] }))
    }

    /// The length of the line at the position, at most `limit`.
    fn line(&self, limit: isize) -> usize {
        let at = self.position.get();
        self.with(|all| {
            let Some(rest) = all.get(at..) else { return 0 };
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            usize::try_from(limit).map_or(line, |limit| line.min(limit))
        })
    }

    fn put(&self, data: &[u8]) -> PyResult<usize> {
        self.memory.check_exports()?;
        if data.is_empty() {
            return Ok(0);
        }
        self.unshare()?;
        let at = self.position.get();
        let end = at
            .checked_add(data.len())
            .filter(|end| *end <= isize::MAX as usize)
            .ok_or_else(|| err::overflow_error("new position too large"))?;
        if end > self.memory.len() {
            self.memory.resize(end)?;
        }
        self.memory.write(at, data);
        self.position.set(end);
        Ok(data.len())
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref<View>> {
    native_new(ty, BytesIO::default())
}

fn init(stream: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "BytesIO" "(initial_bytes=b'')", args, kwargs);
    stream.memory.check_exports()?;
    stream.shared.set(None);
    stream.memory.replace(Vec::new())?;
    stream.position.set(0);
    stream.closed.set(false);
    if let Some(initial) = bound.get_some(0) {
        if initial.is_exact(&PyBytes_Type) {
            stream.shared.set(Some(initial.new_ref()));
        } else {
            stream.put(&data_of(initial)?)?;
            stream.position.set(0);
        }
    }
    Ok(())
}

fn read(stream: &View, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let size = size_arg(args, 0)?;
    stream.check()?;
    stream.take(size)
}

fn readline(stream: &View, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let limit = size_arg(args, 0)?;
    stream.check()?;
    stream.take(stream.line(limit).cast_signed())
}

fn readlines(stream: &View, args: &Args<'_>) -> PyResult<Ref<List>> {
    let hint = super::util::size_or(args.get(0), -1).map_err(|error| match args.get(0) {
        Some(given) if error.is(&PyExc_TypeError) && !protocol::has_index(given) => {
            raise!(PyExc_TypeError, "integer argument expected, got '{}'", given.ty().message_name())
        }
        _ => error,
    })?;
    stream.check()?;
    let (mut lines, mut total) = (Vec::new(), 0usize);
    loop {
        let count = stream.line(-1);
        if count == 0 {
            break;
        }
        lines.push(stream.take(count.cast_signed())?.upcast());
        total += count;
        if hint > 0 && total >= hint.unsigned_abs() {
            break;
        }
    }
    List::from_vec(lines)
}

fn readinto(stream: &View, buffer: &Object) -> PyResult<usize> {
    let buffer = writable_arg(buffer, "readinto")?;
    stream.check()?;
    let at = stream.position.get();
    let count = stream.with(|all| buffer.write_at(0, all.get(at..).unwrap_or(&[])));
    stream.position.set(at + count);
    Ok(count)
}

fn write(stream: &View, data: &Object) -> PyResult<usize> {
    stream.check()?;
    if let Some(bytes) = data.downcast::<Bytes>() {
        return stream.put(bytes.as_slice());
    }
    // Resizing is refused while the data are a view of this very stream.
    let copy = data_of(data)?;
    stream.check()?;
    stream.put(&copy)
}

fn writelines(stream: &View, lines: &Object) -> PyResult<()> {
    stream.check()?;
    let lines = lines.iter()?;
    while let Some(line) = protocol::iter_next(&lines)? {
        write(stream, &line)?;
    }
    Ok(())
}

fn next(stream: &View) -> PyResult<Option<Ref>> {
    stream.check()?;
    let count = stream.line(-1);
    if count == 0 { Ok(None) } else { stream.take(count.cast_signed()).map(|line| Some(line.upcast())) }
}

fn getvalue(stream: &View) -> PyResult<Ref<Bytes>> {
    stream.check()?;
    if let Some(bytes) = stream.shared() {
        return Ok(bytes);
    }
    let made = stream.memory.with(Bytes::new)?;
    if !stream.memory.is_exported() && made.len() > 1 {
        stream.memory.take()?;
        stream.shared.set(Some(made.new_ref()));
    }
    Ok(made)
}

fn getbuffer(stream: &View) -> PyResult {
    stream.check()?;
    stream.unshare()?;
    let buffer = native_new(&BYTES_IO_BUFFER, BytesIOBuffer { source: Ref::of(stream) })?;
    super::util::memoryview(&buffer.upcast())
}

fn seek(stream: &View, args: &Args<'_>) -> PyResult<usize> {
    let offset = args.required(0).to_isize()?;
    let whence = args.i32_or(1, 0)?;
    stream.check()?;
    if offset < 0 && whence == 0 {
        return Err(raise!(PyExc_ValueError, "negative seek value {offset}"));
    }
    let from = match whence {
        0 => 0,
        1 => stream.position.get(),
        2 => stream.len(),
        _ => return Err(raise!(PyExc_ValueError, "invalid whence ({whence}, should be 0, 1 or 2)")),
    };
    let at = (from as i128) + (offset as i128);
    if at > isize::MAX as i128 {
        return Err(err::overflow_error("new position too large"));
    }
    let at = at.max(0) as usize;
    stream.position.set(at);
    Ok(at)
}

fn truncate(stream: &View, args: &Args<'_>) -> PyResult<usize> {
    stream.check()?;
    stream.memory.check_exports()?;
    let size = match args.get_some(0) {
        None => stream.position.get(),
        Some(size) => {
            let size = super::util::size_or(Some(size), 0)?;
            stream.check()?;
            stream.memory.check_exports()?;
            usize::try_from(size).map_err(|_| raise!(PyExc_ValueError, "negative size value {size}"))?
        }
    };
    if size < stream.len() {
        stream.unshare()?;
        stream.memory.resize(size)?;
    }
    Ok(size)
}

fn close(stream: &View) -> PyResult<()> {
    stream.memory.check_exports()?;
    stream.shared.set(None);
    stream.memory.replace(Vec::new())?;
    stream.closed.set(true);
    Ok(())
}

fn getstate(stream: &View) -> PyResult<Ref<Tuple>> {
    let value = getvalue(stream)?;
    let dict = match taipan_object::instance::dict_of(stream.object())? {
        Some(dict) if !dict.is_empty() => dict.copy()?.upcast(),
        _ => none().new_ref(),
    };
    Tuple::from_array([value.upcast(), Int::from_usize(stream.position.get()).upcast(), dict])
}

/// Brings the attributes of a pickled stream back.
pub fn restore_attributes(object: &Object, dict: &Object, place: &str) -> PyResult<()> {
    if is_none(dict) {
        return Ok(());
    }
    let Some(dict) = dict.downcast::<Dict>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{place} item of state should be a dict, got a {}",
            dict.ty().message_name()
        ));
    };
    if let Some(own) = taipan_object::instance::dict_of(object)? {
        for (key, value) in dict.items_vec() {
            own.set(&key, &value)?;
        }
    }
    Ok(())
}

fn setstate(stream: &View, state: &Object) -> PyResult<()> {
    let Some(state) = state.downcast::<Tuple>().filter(|state| state.len() >= 3) else {
        return Err(raise!(
            PyExc_TypeError,
            "{}.__setstate__ argument should be 3-tuple, got {}",
            stream.object().ty().message_name(),
            state.ty().message_name()
        ));
    };
    stream.memory.check_exports()?;
    let parts = state.items();
    stream.shared.set(None);
    stream.memory.replace(Vec::new())?;
    stream.position.set(0);
    stream.check()?;
    stream.put(&data_of(parts[0])?)?;
    if parts[1].downcast::<Int>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "second item of state must be an integer, got {}",
            parts[1].ty().message_name()
        ));
    }
    let at = parts[1].to_isize()?;
    let at = usize::try_from(at).map_err(|_| err::value_error("position value cannot be negative"))?;
    stream.position.set(at);
    restore_attributes(stream.object(), parts[2], "third")
}

fn sizeof(stream: &View) -> usize {
    View::SIZE + stream.memory.capacity()
}

fn open_only<R>(stream: &View, value: R) -> PyResult<R> {
    stream.check().map(|()| value)
}

methods! {
    static METHODS = {
        noargs "readable" "($self, /)" = |stream: &View| open_only(stream, true), "True: the stream can be read.";
        noargs "seekable" "($self, /)" = |stream: &View| open_only(stream, true), "True: the stream has positions.";
        noargs "writable" "($self, /)" = |stream: &View| open_only(stream, true), "True: the stream can be written to.";
        noargs "close" "($self, /)" = close, "Close the stream and give up the memory.";
        noargs "flush" "($self, /)" = |stream: &View| open_only(stream, ()), "Does nothing.";
        noargs "isatty" "($self, /)" = |stream: &View| open_only(stream, false), "False: memory is no terminal.";
        noargs "tell" "($self, /)" = |stream: &View| open_only(stream, stream.position.get()), "The present position.";
        one "write" "($self, b, /)" = write, "Write bytes and return how many.";
        one "writelines" "($self, lines, /)" = writelines, "Write the lines; line ends are not added.";
        args "read1" "($self, size=-1, /)" = read, "Read at most size bytes, everything for -1.";
        one "readinto" "($self, buffer, /)" = readinto, "Read into a buffer and return how many bytes came.";
        args "readline" "($self, size=-1, /)" = readline, "Read up to the end of a line, at most size bytes.";
        args "readlines" "($self, size=None, /)" = readlines,
            "A list of the lines that are left; about size bytes of them if size is given.";
        args "read" "($self, size=-1, /)" = read, "Read at most size bytes, everything for -1.";
        noargs "getbuffer" "($self, /)" = getbuffer, "A view of the contents through which they can be changed.";
        noargs "getvalue" "($self, /)" = getvalue, "All contents as bytes.";
        args "seek" "($self, pos, whence=0, /)" = seek,
            "Move to a position and return it.\n\nwhence: 0 from the start, 1 from the present position, 2 from the end.";
        args "truncate" "($self, size=None, /)" = truncate,
            "Cut to size bytes, by default at the present position, which does not change.";
        noargs "__getstate__" "($self, /)" = getstate, "For pickling: contents, position, attributes.";
        one "__setstate__" "($self, object, /)" = setstate, "For unpickling.";
        noargs "__sizeof__" "($self, /)" = sizeof, "The bytes of memory that the stream takes.";
    }
}

/// `BytesIO`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"BytesIO(initial_bytes=b'')\n--\n\nA stream of bytes in memory."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_iter(|stream: &View| open_only(stream, ()).map(|()| stream.object().new_ref())),
        tp_iternext(next),
    ],
    methods: METHODS,
    getset: &[getset_row(c"closed", |stream: &View| stream.closed.get(), c"whether the stream is closed")],
    ..TypeSpec::new(&BYTES_IO)
};

/// What the views of `getbuffer()` are views of.
pub struct BytesIOBuffer {
    source: Ref<View>,
}

static BYTES_IO_BUFFER: StaticType = StaticType::native(
    c"_io._BytesIOBuffer",
    Native::<BytesIOBuffer>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for BytesIOBuffer {
    const TYPE: &'static StaticType = &BYTES_IO_BUFFER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.source);
    }
}

const EXPORT: [Slot; 2] = bf_memory(|buffer: &Native<BytesIOBuffer>| Ok(&buffer.source.memory));

/// `_BytesIOBuffer`.
pub static BUFFER_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<BytesIOBuffer>::DEALLOC,
        Native::<BytesIOBuffer>::TRAVERSE,
        Native::<BytesIOBuffer>::CLEAR,
        EXPORT[0],
        EXPORT[1],
    ],
    ..TypeSpec::new(&BYTES_IO_BUFFER)
};
