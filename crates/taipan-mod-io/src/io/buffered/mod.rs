//! `BufferedReader`, `BufferedWriter` and `BufferedRandom`: one buffer in front of a raw stream.
//!
//! The buffer is a window onto the raw stream. It holds data read ahead (up to `read_end`) and data
//! not yet written (`write_pos` to `write_end`), either or both, or nothing. `position` is the place
//! in the window that the program sees, `raw_position` the one where the raw stream stands, and
//! `absolute` the raw stream's own position as far as known.
//!
//! Rule: while raw methods run, the buffer's memory is taken out of its cell; the stream's lock keeps
//! every other user away meanwhile.

mod methods;
mod read;
mod write;

pub use methods::{RANDOM_SPEC, READER_SPEC, WRITER_SPEC};

use super::base::{self, BUFFERED_BASE};
use super::fileio::FileIO;
use super::lock::{Held, StreamLock};
use super::util::STREAM;
use core::cell::{Cell, RefCell};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::statics::PyExc_OSError;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise};

/// What the three classes share.
#[derive(Default)]
pub struct Buffered {
    raw: Field,
    ready: Cell<bool>,
    detached: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    finalizing: Cell<bool>,
    size: Cell<usize>,
    /// Empty once the stream is closed.
    memory: RefCell<Vec<u8>>,
    released: Cell<bool>,
    position: Cell<usize>,
    read_end: Cell<Option<usize>>,
    write_pos: Cell<usize>,
    write_end: Cell<Option<usize>>,
    raw_position: Cell<Option<usize>>,
    absolute: Cell<Option<i64>>,
    lock: StreamLock,
}

macro_rules! buffered_class {
    ($payload:ident, $ty:ident, $python:literal) => {
        pub struct $payload(pub Buffered);
        pub static $ty: taipan_object::statics::StaticType = taipan_object::statics::StaticType::new(
            type_init($python, Native::<$payload>::SIZE, STREAM, &raw const BUFFERED_BASE),
        );
        impl Payload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                taipan_object::native::Held::show(&self.0.raw, visitor);
            }
            fn clear(&self) {
                self.0.ready.set(false);
                taipan_object::native::Held::release(&self.0.raw);
            }
        }
        impl Stream for Native<$payload> {
            fn state(&self) -> &Buffered {
                let payload: &$payload = self;
                &payload.0
            }
            fn as_object(&self) -> &Object {
                self.object()
            }
        }
    };
}

/// An instance of one of the classes.
pub trait Stream: taipan_object::Layout {
    fn state(&self) -> &Buffered;
    /// The instance as an object.
    fn as_object(&self) -> &Object;
}

buffered_class!(BufferedReader, BUFFERED_READER, c"_io.BufferedReader");
buffered_class!(BufferedWriter, BUFFERED_WRITER, c"_io.BufferedWriter");
buffered_class!(BufferedRandom, BUFFERED_RANDOM, c"_io.BufferedRandom");

/// What a raw operation gives: a number of bytes, or that it would block.
pub(super) type Moved = PyResult<Option<usize>>;

#[cold]
fn not_ready(stream: &Buffered) -> PyErr {
    err::value_error(if stream.detached.get() {
        "raw stream has been detached"
    } else {
        "I/O operation on uninitialized object"
    })
}

/// The `BlockingIOError` of a write that took only some of its data.
#[cold]
fn would_block(written: usize) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let number = Int::from_i64(i64::from(taipan_os::files::numbers::EAGAIN));
        let text = taipan_object::unicode::Str::from_utf8("write could not complete without blocking")?;
        let written = Int::from_usize(written);
        Ok(PyErr::with_args(&taipan_object::statics::PyExc_BlockingIOError, &[&number, &text, &written]))
    };
    make().unwrap_or_else(|error| error)
}

impl Buffered {
    /// The raw stream of a stream in working order.
    fn raw(&self) -> PyResult<Ref> {
        if !self.ready.get() {
            return Err(not_ready(self));
        }
        self.raw.get().ok_or_else(|| not_ready(self))
    }

    fn check_ready(&self) -> PyResult<()> {
        self.raw().map(drop)
    }

    /// Whether the raw stream is closed.
    fn is_closed(&self) -> PyResult<bool> {
        let raw = self.raw()?;
        if self.released.get() {
            return Ok(true);
        }
        match plain_file(&raw) {
            Some(file) => Ok(file.open_fd().is_err()),
            None => base::is_closed(&raw),
        }
    }

    /// Fails on a closed stream without data read ahead.
    fn check_open(&self, message: &str) -> PyResult<()> {
        if self.is_closed()? && self.read_ahead() == 0 {
            return Err(err::value_error(message));
        }
        Ok(())
    }

    fn enter<'a>(&'a self, object: &Object) -> PyResult<Held<'a>> {
        self.lock.enter(object)
    }

    /// How many bytes that were read the program has not seen yet.
    fn read_ahead(&self) -> usize {
        match self.read_end.get() {
            Some(end) if self.readable.get() => end.saturating_sub(self.position.get()),
            _ => 0,
        }
    }

    /// How far the raw stream stands beyond the program's position.
    fn raw_offset(&self) -> i64 {
        let valid = (self.readable.get() && self.read_end.get().is_some())
            || (self.writable.get() && self.write_end.get().is_some());
        match self.raw_position.get() {
            Some(raw) if valid => raw as i64 - self.position.get() as i64,
            _ => 0,
        }
    }

    fn move_to(&self, position: usize) {
        self.position.set(position);
        if self.readable.get() && self.read_end.get().is_some_and(|end| end < position) {
            self.read_end.set(Some(position));
        }
    }

    fn forget_read(&self) {
        self.read_end.set(None);
    }

    fn forget_written(&self) {
        self.write_pos.set(0);
        self.write_end.set(None);
    }

    /// A copy of a part of the buffer.
    fn slice(&self, from: usize, to: usize) -> PyResult<Ref<taipan_object::bytes::Bytes>> {
        let memory = self.memory.borrow();
        taipan_object::bytes::Bytes::new(memory.get(from..to).unwrap_or(&[]))
    }

    /// Copies into the buffer.
    fn store(&self, at: usize, data: &[u8]) {
        let mut memory = self.memory.borrow_mut();
        if let Some(room) = memory.get_mut(at..at + data.len()) {
            room.copy_from_slice(data);
        }
    }

    fn checked_position(at: &Object) -> PyResult<i64> {
        let at = at.to_i64()?;
        if at < 0 {
            return Err(raise!(PyExc_OSError, "Raw stream returned invalid position {at}"));
        }
        Ok(at)
    }

    /// Where the raw stream says it is.
    fn raw_tell(&self) -> PyResult<i64> {
        let raw = self.raw()?;
        let at = match plain_file(&raw) {
            Some(file) => file.seek_to(0, 1)?,
            None => Self::checked_position(&*raw.call_method(intern!("tell"), &[])?)?,
        };
        self.absolute.set(Some(at));
        Ok(at)
    }

    fn known_raw_position(&self) -> PyResult<i64> {
        self.absolute.get().map_or_else(|| self.raw_tell(), Ok)
    }

    fn raw_seek(&self, target: i64, whence: i32) -> PyResult<i64> {
        let raw = self.raw()?;
        let at = match plain_file(&raw) {
            Some(file) => file.seek_to(target, whence)?,
            None => {
                let args: [&Object; 2] = [&Int::from_i64(target), &Int::from_i64(i64::from(whence))];
                Self::checked_position(&*raw.call_method(intern!("seek"), &args)?)?
            }
        };
        self.absolute.set(Some(at));
        Ok(at)
    }

    fn advance_absolute(&self, count: usize) {
        if let Some(at) = self.absolute.get() {
            self.absolute.set(Some(at + count as i64));
        }
    }

    /// Writes out what is pending and puts the raw stream where the program is.
    fn flush_and_rewind(&self) -> PyResult<()> {
        self.flush_pending()?;
        if self.readable.get() {
            // Data read ahead are given back.
            let offset = self.raw_offset();
            self.raw_seek(-offset, 1)?;
            self.forget_read();
        }
        Ok(())
    }

    /// What `__init__` of each class does.
    fn init(&self, raw: &Object, size: isize, readable: bool, writable: bool) -> PyResult<()> {
        self.ready.set(false);
        self.detached.set(false);
        if readable {
            base::check_readable(raw)?;
        }
        if writable {
            base::check_writable(raw)?;
        }
        self.raw.set(Some(raw.new_ref()));
        self.readable.set(readable);
        self.writable.set(writable);
        if size <= 0 {
            return Err(err::value_error("buffer size must be strictly positive"));
        }
        let mut memory = Vec::new();
        memory.try_reserve_exact(size.unsigned_abs()).map_err(|_| err::memory_error())?;
        memory.resize(size.unsigned_abs(), 0);
        drop(self.memory.replace(memory));
        self.size.set(size.unsigned_abs());
        self.released.set(false);
        self.position.set(0);
        self.forget_read();
        self.forget_written();
        self.raw_position.set(None);
        self.absolute.set(None);
        self.ready.set(true);
        // Streams without positions are buffered as well.
        let _ = self.raw_tell();
        Ok(())
    }
}

/// The raw stream as a file of our own, which needs no calls through Python.
fn plain_file(raw: &Object) -> Option<&Native<FileIO>> {
    let ty: &taipan_object::Type = FileIO::TYPE;
    raw.downcast::<Native<FileIO>>().filter(|file| file.object().is_exact(ty))
}
