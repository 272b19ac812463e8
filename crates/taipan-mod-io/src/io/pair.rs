//! `BufferedRWPair`: two streams as one, for things that are read and written through different
//! descriptors, like pipes. Each side is a buffer of its own.

use super::base::{self, BUFFERED_BASE};
use super::buffered::{BUFFERED_READER, BUFFERED_WRITER};
use super::util::{STREAM, chain};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::as_bool;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, bind, err, intern, methods, payload};

#[derive(Default)]
pub struct Pair {
    reader: Field,
    writer: Field,
}
payload!(Pair, PAIR, c"_io.BufferedRWPair", STREAM, BUFFERED_BASE, [reader, writer]);

type View = Native<Pair>;

fn init(pair: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "BufferedRWPair" "(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)", args, kwargs);
    let (reader, writer) = (bound.required(0), bound.required(1));
    let size = Int::from_isize(bound.isize_or(2, super::DEFAULT_BUFFER_SIZE as isize)?);
    base::check_readable(reader)?;
    base::check_writable(writer)?;
    pair.reader.set(Some(BUFFERED_READER.call(&[reader, &size])?));
    pair.writer.set(Some(BUFFERED_WRITER.call(&[writer, &size])?));
    Ok(())
}

fn side(field: &Field) -> PyResult<Ref> {
    field.get().ok_or_else(|| err::value_error("I/O operation on uninitialized object"))
}

fn forward(field: &Field, name: &'static Str, args: &[&Object]) -> PyResult {
    side(field)?.call_method(name, args)
}

fn close(pair: &View) -> PyResult {
    let first = forward(&pair.writer, intern!("close"), &[]);
    let second = forward(&pair.reader, intern!("close"), &[]);
    match (first, second) {
        (Err(first), Err(second)) => Err(chain(first, second)),
        (Err(error), _) => Err(error),
        (_, second) => second,
    }
}

fn isatty(pair: &View) -> PyResult {
    let writer = forward(&pair.writer, intern!("isatty"), &[])?;
    if as_bool(&writer) == Some(false) { forward(&pair.reader, intern!("isatty"), &[]) } else { Ok(writer) }
}

fn closed(pair: &View) -> PyResult {
    match pair.writer.get() {
        Some(writer) => writer.getattr(intern!("closed")),
        None => Err(err::runtime_error("the BufferedRWPair object is being garbage-collected")),
    }
}

methods! {
    static METHODS = {
        many "read" "($self, size=-1, /)" = |p: &View, args: &[&Object]| forward(&p.reader, intern!("read"), args), "Read from the reader.";
        many "peek" "($self, size=0, /)" = |p: &View, args: &[&Object]| forward(&p.reader, intern!("peek"), args), "Peek into the reader.";
        many "read1" "($self, size=-1, /)" = |p: &View, args: &[&Object]| forward(&p.reader, intern!("read1"), args), "Read from the reader with at most one raw read.";
        many "readinto" "($self, buffer, /)" = |p: &View, args: &[&Object]| forward(&p.reader, intern!("readinto"), args), "Fill a buffer from the reader.";
        many "readinto1" "($self, buffer, /)" = |p: &View, args: &[&Object]| forward(&p.reader, intern!("readinto1"), args), "Fill a buffer from the reader with at most one raw read.";
        many "write" "($self, buffer, /)" = |p: &View, args: &[&Object]| forward(&p.writer, intern!("write"), args), "Write to the writer.";
        noargs "flush" "($self, /)" = |p: &View| forward(&p.writer, intern!("flush"), &[]), "Flush the writer.";
        noargs "readable" "($self, /)" = |p: &View| forward(&p.reader, intern!("readable"), &[]), "Whether the reader can be read from.";
        noargs "writable" "($self, /)" = |p: &View| forward(&p.writer, intern!("writable"), &[]), "Whether the writer can be written to.";
        noargs "close" "($self, /)" = close, "Close both sides.";
        noargs "isatty" "($self, /)" = isatty, "Whether one of the sides is a terminal.";
    }
}

/// `BufferedRWPair`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\nA readable and a writable raw stream as one buffered stream.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, Pair::default())),
        tp_init(init),
    ],
    methods: METHODS,
    getset: &[getset_row(c"closed", closed, c"whether the writer is closed")],
    ..TypeSpec::new(&PAIR)
};
