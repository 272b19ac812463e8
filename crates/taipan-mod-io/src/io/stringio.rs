//! `StringIO`: a stream of text in memory.
//!
//! While text is only added at the end it is kept as a list of strs, which are put together when
//! somebody asks; otherwise as code points.

use super::base::TEXT_BASE;
use super::newline::{NewlineState, Newlines, line_end};
use super::util::{STREAM, closed_file, size_arg};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, bind, err, intern, methods, raise};
use taipan_types_text::str as text_ops;

/// The contents.
enum Contents {
    /// Pieces and their length together; the position is at the end.
    Pieces(Vec<Ref<Str>>, usize),
    Points(Vec<u32>),
}

pub struct StringIO {
    contents: RefCell<Contents>,
    position: Cell<usize>,
    ready: Cell<bool>,
    closed: Cell<bool>,
    newlines: RefCell<Newlines>,
    /// Notes and translates line ends of what is written.
    state: RefCell<Option<NewlineState>>,
}

pub static STRING_IO: StaticType =
    StaticType::new(type_init(c"_io.StringIO", Native::<StringIO>::SIZE, STREAM, &raw const TEXT_BASE));

impl Payload for StringIO {
    const TYPE: &'static StaticType = &STRING_IO;
}

type View = Native<StringIO>;

impl StringIO {
    fn check(&self) -> PyResult<()> {
        if !self.ready.get() {
            return Err(err::value_error("I/O operation on uninitialized object"));
        }
        if self.closed.get() { Err(closed_file()) } else { Ok(()) }
    }

    /// A stream that was never set up may be unpickled into, a closed one not.
    fn check_open(&self) -> PyResult<()> {
        if self.closed.get() { Err(closed_file()) } else { Ok(()) }
    }

    fn len(&self) -> usize {
        match &*self.contents.borrow() {
            Contents::Pieces(_, len) => *len,
            Contents::Points(points) => points.len(),
        }
    }

    /// The pieces as one str.
    fn joined(pieces: &[Ref<Str>]) -> PyResult<Ref<Str>> {
        let parts: Vec<&Str> = pieces.iter().map(|piece| &**piece).collect();
        text_ops::concat_all(&parts)
    }

    /// Makes the contents code points.
    fn spread(&self) -> PyResult<()> {
        let made = match &*self.contents.borrow() {
            Contents::Points(_) => return Ok(()),
            Contents::Pieces(pieces, len) => {
                let mut points = Vec::new();
                points.try_reserve(*len).map_err(|_| err::memory_error())?;
                for piece in pieces {
                    points.extend(piece.code_points());
                }
                points
            }
        };
        self.set_contents(Contents::Points(made));
        Ok(())
    }

    fn set_contents(&self, contents: Contents) {
        drop(self.contents.replace(contents));
    }

    fn value(&self) -> PyResult<Ref<Str>> {
        let made = match &*self.contents.borrow() {
            Contents::Pieces(pieces, _) => Self::joined(pieces)?,
            Contents::Points(points) => return Str::from_code_points(points),
        };
        let len = made.len();
        self.set_contents(Contents::Pieces(vec![made.clone()], len));
        Ok(made)
    }

    fn put(&self, text: &Str) -> PyResult<()> {
        let mut text = Ref::of(text);
        if let Some(state) = &*self.state.borrow() {
            text = state.feed(text, true)?;
        }
        let written = self.newlines.borrow().written();
        if let Some(written) = written {
            let (newline, written) = (Str::from_utf8("\n")?, Str::from_utf8(written)?);
            text = text_ops::replaced(&text, &newline, &written, usize::MAX)?;
        }
        let (at, count) = (self.position.get(), text.len());
        let end = at
            .checked_add(count)
            .filter(|end| *end <= isize::MAX as usize / 4)
            .ok_or_else(|| err::overflow_error("new position too large"))?;
        if let Contents::Pieces(pieces, len) = &mut *self.contents.borrow_mut()
            && *len == at
        {
            if count > 0 {
                pieces.push(text);
                *len = end;
            }
            self.position.set(end);
            return Ok(());
        }
        self.spread()?;
        if let Contents::Points(points) = &mut *self.contents.borrow_mut() {
            if end > points.len() {
                points.try_reserve(end - points.len()).map_err(|_| err::memory_error())?;
                points.resize(end, 0);
            }
            for (place, c) in points[at..end].iter_mut().zip(text.code_points()) {
                *place = c;
            }
        }
        self.position.set(end);
        Ok(())
    }

    fn take(&self, count: usize) -> PyResult<Ref<Str>> {
        let at = self.position.get();
        let made = match &*self.contents.borrow() {
            Contents::Points(points) => Str::from_code_points(points.get(at..at + count).unwrap_or(&[]))?,
            Contents::Pieces(..) => return Str::from_utf8(""),
        };
        self.position.set(at + count);
        Ok(made)
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref<View>> {
    native_new(
        ty,
        StringIO {
            contents: RefCell::new(Contents::Pieces(Vec::new(), 0)),
            position: Cell::new(0),
            ready: Cell::new(false),
            closed: Cell::new(false),
            newlines: RefCell::default(),
            state: RefCell::new(None),
        },
    )
}

fn newline_type(value: &Object) -> taipan_object::PyErr {
    raise!(PyExc_TypeError, "newline must be str or None, not {}", value.ty().message_name())
}

fn start(stream: &View, value: Option<&Object>, newline: Option<&Object>) -> PyResult<()> {
    stream.ready.set(false);
    let newlines = match newline {
        Some(newline) => Newlines::parse(newline, || newline_type(newline))?,
        None => Newlines { universal: false, translate: false, given: Some("\n") },
    };
    let value = value.filter(|value| !is_none(value));
    if let Some(value) = value
        && value.downcast::<Str>().is_none()
    {
        return Err(raise!(
            PyExc_TypeError,
            "initial_value must be str or None, not {}",
            value.ty().message_name()
        ));
    }
    let state = newlines.universal.then(|| NewlineState::new(newlines.translate));
    *stream.newlines.borrow_mut() = newlines;
    *stream.state.borrow_mut() = state;
    stream.set_contents(Contents::Pieces(Vec::new(), 0));
    stream.position.set(0);
    stream.closed.set(false);
    stream.ready.set(true);
    if let Some(text) = value.and_then(|value| value.downcast::<Str>())
        && !text.is_empty()
    {
        stream.put(text)?;
        stream.position.set(0);
    }
    Ok(())
}

fn init(stream: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "StringIO" "(initial_value='', newline='\\n')", args, kwargs);
    start(stream, bound.get(0), bound.get(1))
}

fn write(stream: &View, text: &Object) -> PyResult<usize> {
    let Some(text) = text.downcast::<Str>() else {
        return Err(raise!(PyExc_TypeError, "string argument expected, got '{}'", text.ty().message_name()));
    };
    stream.check()?;
    if !text.is_empty() {
        stream.put(text)?;
    }
    Ok(text.len())
}

fn read(stream: &View, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let size = size_arg(args, 0)?;
    stream.check()?;
    let left = stream.len().saturating_sub(stream.position.get());
    let count = usize::try_from(size).map_or(left, |size| size.min(left));
    if stream.position.get() == 0 && count == stream.len() {
        let value = stream.value()?;
        stream.position.set(count);
        return Ok(value);
    }
    if count == 0 {
        return Str::from_utf8("");
    }
    stream.spread()?;
    stream.take(count)
}

fn line(stream: &StringIO, limit: isize) -> PyResult<Ref<Str>> {
    let at = stream.position.get();
    if at >= stream.len() {
        return Str::from_utf8("");
    }
    stream.spread()?;
    let count = match &*stream.contents.borrow() {
        Contents::Points(points) => {
            let rest = points.get(at..).unwrap_or(&[]);
            let end = line_end(Chars::Four(rest), 0, &stream.newlines.borrow()).0;
            end.unwrap_or(rest.len())
        }
        Contents::Pieces(..) => 0,
    };
    stream.take(usize::try_from(limit).map_or(count, |limit| count.min(limit)))
}

fn readline(stream: &View, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let limit = size_arg(args, 0)?;
    stream.check()?;
    line(stream, limit)
}

fn next(stream: &View) -> PyResult<Option<Ref>> {
    stream.check()?;
    let own: &Type = &STRING_IO;
    if stream.object().is_exact(own) {
        let line = line(stream, -1)?;
        return Ok(if line.is_empty() { None } else { Some(line.upcast()) });
    }
    let line = stream.object().call_method(intern!("readline"), &[])?;
    let Some(text) = line.downcast::<Str>() else {
        return Err(raise!(
            PyExc_OSError,
            "readline() should have returned a str object, not '{}'",
            line.ty().message_name()
        ));
    };
    Ok(if text.is_empty() { None } else { Some(line.clone()) })
}

fn truncate(stream: &View, args: &Args<'_>) -> PyResult<usize> {
    let size = match args.get_some(0) {
        None => {
            stream.check()?;
            stream.position.get()
        }
        Some(given) => {
            let size = super::util::size_or(Some(given), 0)?;
            stream.check()?;
            usize::try_from(size).map_err(|_| raise!(PyExc_ValueError, "Negative size value {size}"))?
        }
    };
    if size < stream.len() {
        stream.spread()?;
        if let Contents::Points(points) = &mut *stream.contents.borrow_mut() {
            points.truncate(size);
        }
    }
    Ok(size)
}

fn seek(stream: &View, args: &Args<'_>) -> PyResult<usize> {
    let offset = args.required(0).to_isize()?;
    let whence = args.i32_or(1, 0)?;
    stream.check()?;
    let at = match whence {
        0 => usize::try_from(offset)
            .map_err(|_| raise!(PyExc_ValueError, "Negative seek position {offset}"))?,
        1 | 2 if offset != 0 => {
            return Err(raise!(PyExc_OSError, "Can't do nonzero cur-relative seeks"));
        }
        1 => stream.position.get(),
        2 => stream.len(),
        _ => return Err(raise!(PyExc_ValueError, "Invalid whence ({whence}, should be 0, 1 or 2)")),
    };
    stream.position.set(at);
    Ok(at)
}

fn getstate(stream: &View) -> PyResult<Ref<Tuple>> {
    stream.check()?;
    let newline = match stream.newlines.borrow().given {
        Some(text) => Str::from_utf8(text)?.upcast(),
        None => none().new_ref(),
    };
    let dict = match taipan_object::instance::dict_of(stream.object())? {
        Some(dict) if !dict.is_empty() => dict.copy()?.upcast(),
        _ => none().new_ref(),
    };
    let at = Int::from_usize(stream.position.get()).upcast();
    Tuple::from_array([stream.value()?.upcast(), newline, at, dict])
}

fn setstate(stream: &View, state: &Object) -> PyResult<()> {
    let Some(state) = state.downcast::<Tuple>().filter(|state| state.len() >= 4) else {
        return Err(raise!(
            PyExc_TypeError,
            "{}.__setstate__ argument should be 4-tuple, got {}",
            stream.object().ty().message_name(),
            state.ty().message_name()
        ));
    };
    stream.check_open()?;
    let parts = state.items();
    start(stream, None, Some(parts[1]))?;
    // The contents were translated when they were written.
    let Some(text) = parts[0].downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "first item of state should be a str, got a {}",
            parts[0].ty().message_name()
        ));
    };
    stream.set_contents(Contents::Pieces(vec![Ref::of(text)], text.len()));
    if parts[2].downcast::<Int>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "third item of state must be an integer, got {}",
            parts[2].ty().message_name()
        ));
    }
    let at = usize::try_from(parts[2].to_isize()?)
        .map_err(|_| err::value_error("position value cannot be negative"))?;
    stream.position.set(at);
    super::bytesio::restore_attributes(stream.object(), parts[3], "fourth")
}

fn close(stream: &View) {
    stream.closed.set(true);
    stream.set_contents(Contents::Pieces(Vec::new(), 0));
}

fn newlines(stream: &View) -> PyResult {
    stream.check()?;
    match &*stream.state.borrow() {
        Some(state) => state.newlines(),
        None => Ok(none().new_ref()),
    }
}

methods! {
    static METHODS = {
        noargs "close" "($self, /)" = close, "Close the stream and give up the memory.";
        noargs "getvalue" "($self, /)" = |stream: &View| stream.check().and_then(|()| stream.value()), "All contents as one str.";
        args "read" "($self, size=-1, /)" = read, "Read at most size characters, everything for None and -1.";
        args "readline" "($self, size=-1, /)" = readline, "Read up to the end of a line; '' at the end.";
        noargs "tell" "($self, /)" = |stream: &View| stream.check().map(|()| stream.position.get()), "The present position.";
        args "truncate" "($self, pos=None, /)" = truncate, "Cut to pos characters, by default at the present position, which does not change.";
        args "seek" "($self, pos, whence=0, /)" = seek,
            "Move to a position and return it.\n\nwhence: 0 from the start; 1 and 2 only with pos 0: the present position, the end.";
        one "write" "($self, s, /)" = write, "Write text and return its length.";
        noargs "seekable" "($self, /)" = |stream: &View| stream.check().map(|()| true), "True: the stream has positions.";
        noargs "readable" "($self, /)" = |stream: &View| stream.check().map(|()| true), "True: the stream can be read.";
        noargs "writable" "($self, /)" = |stream: &View| stream.check().map(|()| true), "True: the stream can be written to.";
        noargs "__getstate__" "($self, /)" = getstate, "For pickling: contents, newline, position, attributes.";
        one "__setstate__" "($self, state, /)" = setstate, "For unpickling.";
    }
}

/// `StringIO`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"StringIO(initial_value='', newline='\\n')\n--\n\nA stream of text in memory.\n\nnewline works as for TextIOWrapper, except that nothing is translated when\nnewline is None and text is written.",
    ),
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR, tp_new(new), tp_init(init), tp_iternext(next)],
    methods: METHODS,
    getset: &[
        getset_row(
            c"closed",
            |stream: &View| {
                if stream.ready.get() { Ok(stream.closed.get()) } else { stream.check().map(|()| false) }
            },
            c"whether the stream is closed",
        ),
        getset_row(c"newlines", newlines, c"the line ends that were written so far"),
        getset_row(c"line_buffering", |stream: &View| stream.check().map(|()| false), c"False"),
    ],
    ..TypeSpec::new(&STRING_IO)
};
