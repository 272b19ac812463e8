//! The tables of the three classes.

use super::{
    BUFFERED_RANDOM, BUFFERED_READER, BUFFERED_WRITER, Buffered, BufferedRandom, BufferedReader,
    BufferedWriter, Stream,
};
use crate::io::base;
use crate::io::util::{cannot_pickle, name_repr, size_arg};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::singletons::none;
use taipan_object::statics::PyExc_OSError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, bind, err, intern, raise};

fn raw_method<S: Stream>(stream: &S, name: &'static Str) -> PyResult {
    stream.state().raw()?.call_method(name, &[])
}

fn raw_attribute<S: Stream>(stream: &S, name: &'static Str) -> PyResult {
    stream.state().raw()?.getattr(name)
}

fn read<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult<Option<Ref>> {
    stream.state().read(stream.as_object(), size_arg(args, 0)?)
}

fn read1<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    stream.state().read1(stream.as_object(), args.isize_or(0, -1)?)
}

fn peek<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    args.isize_or(0, 0)?;
    stream.state().peek(stream.as_object())
}

fn readline<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let limit = size_arg(args, 0)?;
    stream.state().check_ready()?;
    stream.state().readline(stream.as_object(), limit)
}

fn seek<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult<i64> {
    let whence = args.i32_or(1, 0)?;
    stream.state().seek(stream.as_object(), args.required(0), whence)
}

fn truncate<S: Stream>(stream: &S, args: &Args<'_>) -> PyResult {
    stream.state().truncate(stream.as_object(), args.get(0).unwrap_or(none()))
}

fn repr<S: Stream>(stream: &S) -> PyResult<String> {
    let object = stream.as_object();
    let ty = object.ty().message_name();
    Ok(match name_repr(object)? {
        Some(name) => format!("<{ty} name={name}>"),
        None => format!("<{ty}>"),
    })
}

fn next<S: Stream>(stream: &S) -> PyResult<Option<Ref>> {
    let object = stream.as_object();
    let (reader, random): (&Type, &Type) = (&BUFFERED_READER, &BUFFERED_RANDOM);
    if object.is_exact(reader) || object.is_exact(random) {
        stream.state().check_ready()?;
        let line = stream.state().readline(object, -1)?;
        return Ok(if line.is_empty() { None } else { Some(line.upcast()) });
    }
    let line = object.call_method(intern!("readline"), &[])?;
    let Some(bytes) = line.downcast::<Bytes>() else {
        return Err(raise!(
            PyExc_OSError,
            "readline() should have returned a bytes object, not '{}'",
            line.ty().message_name()
        ));
    };
    Ok(if bytes.is_empty() { None } else { Some(line.clone()) })
}

fn set_finalizing<S: Stream>(stream: &S, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(err::type_error("can't delete numeric/char attribute")) };
    stream.state().finalizing.set(value.is_true()?);
    Ok(())
}

fn dealloc_warn<S: Stream>(stream: &S, source: &Object) {
    stream.state().dealloc_warn(source);
}

fn sizeof<S: Stream>(stream: &S) -> usize {
    let state = stream.state();
    size_of::<Buffered>() + 16 + if state.released.get() { 0 } else { state.size.get() }
}

fn raw_or_none<S: Stream>(stream: &S) -> Ref {
    stream.state().raw.get().unwrap_or_else(|| none().new_ref())
}

fn reader_init(stream: &Native<BufferedReader>, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "BufferedReader" "(raw, buffer_size=DEFAULT_BUFFER_SIZE)", args, kwargs);
    let raw = bound.required(0);
    stream.0.init(raw, bound.isize_or(1, crate::io::DEFAULT_BUFFER_SIZE as isize)?, true, false)
}

fn writer_init(stream: &Native<BufferedWriter>, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "BufferedWriter" "(raw, buffer_size=DEFAULT_BUFFER_SIZE)", args, kwargs);
    let raw = bound.required(0);
    stream.0.init(raw, bound.isize_or(1, crate::io::DEFAULT_BUFFER_SIZE as isize)?, false, true)
}

fn random_init(stream: &Native<BufferedRandom>, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "BufferedRandom" "(raw, buffer_size=DEFAULT_BUFFER_SIZE)", args, kwargs);
    let raw = bound.required(0);
    let size = bound.isize_or(1, crate::io::DEFAULT_BUFFER_SIZE as isize)?;
    base::check_seekable(raw)?;
    stream.0.init(raw, size, true, true)
}

/// The table of a class: rows of its own, then what all three have.
macro_rules! buffered_methods {
    ($table:ident, $class:ident, { $($own:tt)* }) => {
        taipan_object::methods! {
            static $table = {
                $($own)*
                noargs "detach" "($self, /)" = |s: &Native<$class>| s.0.detach(s.object()), "Flush, separate the raw stream from this one and return it.";
                noargs "close" "($self, /)" = |s: &Native<$class>| s.0.close(s.object()), "Flush and close the raw stream.";
                noargs "seekable" "($self, /)" = |s: &Native<$class>| raw_method(s, intern!("seekable")), "Whether the raw stream has positions.";
                noargs "fileno" "($self, /)" = |s: &Native<$class>| raw_method(s, intern!("fileno")), "The descriptor of the raw stream.";
                noargs "isatty" "($self, /)" = |s: &Native<$class>| raw_method(s, intern!("isatty")), "Whether the raw stream is a terminal.";
                one "_dealloc_warn" "($self, source, /)" = dealloc_warn::<Native<$class>>, "Warn that the stream was not closed.";
                args "seek" "($self, target, whence=0, /)" = seek::<Native<$class>>,
                    "Move to a position and return it.\n\nwhence: 0 from the start, 1 from the present position, 2 from the end.";
                noargs "tell" "($self, /)" = |s: &Native<$class>| s.0.tell(s.object()), "The present position.";
                args "truncate" "($self, pos=None, /)" = truncate::<Native<$class>>,
                    "Make the stream pos bytes long, by default up to the present position.";
                noargs "__sizeof__" "($self, /)" = sizeof::<Native<$class>>, "The bytes of memory that the stream takes.";
                noargs "__getstate__" "($self, /)" = |s: &Native<$class>| cannot_pickle(s.object()), "Raises TypeError: streams cannot be pickled.";
            }
        }
    };
}

macro_rules! getset {
    ($class:ident) => {
        &[
            getset_row(c"raw", raw_or_none::<Native<$class>>, c"the raw stream"),
            getset_row(
                c"closed",
                |s: &Native<$class>| raw_attribute(s, intern!("closed")),
                c"whether the stream is closed",
            ),
            getset_row(
                c"name",
                |s: &Native<$class>| raw_attribute(s, intern!("name")),
                c"the raw stream's name",
            ),
            getset_row(
                c"mode",
                |s: &Native<$class>| raw_attribute(s, intern!("mode")),
                c"the raw stream's mode",
            ),
            getset_row(
                c"_finalizing",
                |s: &Native<$class>| s.0.finalizing.get(),
                c"whether the stream is going away",
            )
            .with_setter(set_finalizing::<Native<$class>>),
        ]
    };
}

buffered_methods!(READER_METHODS, BufferedReader, {
    noargs "flush" "($self, /)" = |s: &Native<BufferedReader>| raw_method(s, intern!("flush")), "Flush the raw stream.";
    noargs "readable" "($self, /)" = |s: &Native<BufferedReader>| raw_method(s, intern!("readable")), "Whether the raw stream can be read from.";
    args "read" "($self, size=-1, /)" = read::<Native<BufferedReader>>, "Read size bytes, or everything for None and -1.";
    args "peek" "($self, size=0, /)" = peek::<Native<BufferedReader>>, "Bytes from the buffer without moving on; at most one raw read.";
    args "read1" "($self, size=-1, /)" = read1::<Native<BufferedReader>>, "Read at most size bytes with at most one raw read.";
    one "readinto" "($self, buffer, /)" = |s: &Native<BufferedReader>, b: &Object| s.0.readinto(s.object(), b, false), "Fill a buffer and return how many bytes came.";
    one "readinto1" "($self, buffer, /)" = |s: &Native<BufferedReader>, b: &Object| s.0.readinto(s.object(), b, true), "Fill a buffer with at most one raw read.";
    args "readline" "($self, size=-1, /)" = readline::<Native<BufferedReader>>, "Read up to the end of a line, at most size bytes.";
});

buffered_methods!(WRITER_METHODS, BufferedWriter, {
    noargs "writable" "($self, /)" = |s: &Native<BufferedWriter>| raw_method(s, intern!("writable")), "Whether the raw stream can be written to.";
    one "write" "($self, buffer, /)" = |s: &Native<BufferedWriter>, b: &Object| s.0.write(s.object(), b), "Write bytes to the buffer and return how many.";
    noargs "flush" "($self, /)" = |s: &Native<BufferedWriter>| s.0.flush(s.object()), "Write out what is in the buffer.";
});

buffered_methods!(RANDOM_METHODS, BufferedRandom, {
    noargs "readable" "($self, /)" = |s: &Native<BufferedRandom>| raw_method(s, intern!("readable")), "Whether the raw stream can be read from.";
    noargs "writable" "($self, /)" = |s: &Native<BufferedRandom>| raw_method(s, intern!("writable")), "Whether the raw stream can be written to.";
    noargs "flush" "($self, /)" = |s: &Native<BufferedRandom>| s.0.flush(s.object()), "Write out what is in the buffer.";
    args "read" "($self, size=-1, /)" = read::<Native<BufferedRandom>>, "Read size bytes, or everything for None and -1.";
    args "read1" "($self, size=-1, /)" = read1::<Native<BufferedRandom>>, "Read at most size bytes with at most one raw read.";
    one "readinto" "($self, buffer, /)" = |s: &Native<BufferedRandom>, b: &Object| s.0.readinto(s.object(), b, false), "Fill a buffer and return how many bytes came.";
    one "readinto1" "($self, buffer, /)" = |s: &Native<BufferedRandom>, b: &Object| s.0.readinto(s.object(), b, true), "Fill a buffer with at most one raw read.";
    args "readline" "($self, size=-1, /)" = readline::<Native<BufferedRandom>>, "Read up to the end of a line, at most size bytes.";
    args "peek" "($self, size=0, /)" = peek::<Native<BufferedRandom>>, "Bytes from the buffer without moving on; at most one raw read.";
    one "write" "($self, buffer, /)" = |s: &Native<BufferedRandom>, b: &Object| s.0.write(s.object(), b), "Write bytes to the buffer and return how many.";
});

/// `BufferedReader`.
pub static READER_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer in front of a raw stream that is read.",
    ),
    slots: &[
        Native::<BufferedReader>::DEALLOC,
        Native::<BufferedReader>::TRAVERSE,
        Native::<BufferedReader>::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, BufferedReader(Buffered::default()))),
        tp_init(reader_init),
        tp_repr(repr::<Native<BufferedReader>>),
        tp_iternext(next::<Native<BufferedReader>>),
    ],
    methods: READER_METHODS,
    getset: getset!(BufferedReader),
    ..TypeSpec::new(&BUFFERED_READER)
};

/// `BufferedWriter`.
pub static WRITER_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer in front of a raw stream that is written to.\n\nData go to the raw stream when the buffer is full, at flush() and close().",
    ),
    slots: &[
        Native::<BufferedWriter>::DEALLOC,
        Native::<BufferedWriter>::TRAVERSE,
        Native::<BufferedWriter>::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, BufferedWriter(Buffered::default()))),
        tp_init(writer_init),
        tp_repr(repr::<Native<BufferedWriter>>),
    ],
    methods: WRITER_METHODS,
    getset: getset!(BufferedWriter),
    ..TypeSpec::new(&BUFFERED_WRITER)
};

/// `BufferedRandom`.
pub static RANDOM_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer in front of a raw stream with positions, for both directions.",
    ),
    slots: &[
        Native::<BufferedRandom>::DEALLOC,
        Native::<BufferedRandom>::TRAVERSE,
        Native::<BufferedRandom>::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, BufferedRandom(Buffered::default()))),
        tp_init(random_init),
        tp_repr(repr::<Native<BufferedRandom>>),
        tp_iternext(next::<Native<BufferedRandom>>),
    ],
    methods: RANDOM_METHODS,
    getset: getset!(BufferedRandom),
    ..TypeSpec::new(&BUFFERED_RANDOM)
};
