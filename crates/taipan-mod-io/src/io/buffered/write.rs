//! Writing through the buffer, and positions.

use super::{Buffered, Moved, plain_file, would_block};
use crate::io::base;
use crate::io::util::{check_signals, unsupported};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::statics::PyExc_BlockingIOError;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise};

impl Buffered {
    fn raw_write(&self, data: &[u8]) -> Moved {
        let raw = self.raw()?;
        let taken = match plain_file(&raw) {
            Some(file) => file.write_some(data)?,
            None => base::write_raw(&raw, data)?,
        };
        self.advance_absolute(taken.unwrap_or(0));
        Ok(taken)
    }

    /// Writes part of the buffer; the memory is taken out meanwhile.
    fn raw_write_buffer(&self, from: usize, to: usize) -> Moved {
        let memory = self.memory.take();
        let taken = self.raw_write(memory.get(from..to).unwrap_or(&[]));
        self.memory.replace(memory);
        taken
    }

    /// Writes out what is pending. After an error the rest is still pending.
    pub(super) fn flush_pending(&self) -> PyResult<()> {
        let Some(mut end) = self.write_end.get().filter(|_| self.writable.get()) else { return Ok(()) };
        if self.write_pos.get() != end {
            let rewind = self.raw_offset() + (self.position.get() as i64 - self.write_pos.get() as i64);
            if rewind != 0 {
                self.raw_seek(-rewind, 1)?;
                let raw = self.raw_position.get().unwrap_or(0) as i64 - rewind;
                self.raw_position.set(usize::try_from(raw).ok());
            }
            while self.write_pos.get() < end {
                let Some(count) = self.raw_write_buffer(self.write_pos.get(), end)? else {
                    return Err(would_block(0));
                };
                self.write_pos.set(self.write_pos.get() + count);
                self.raw_position.set(Some(self.write_pos.get()));
                check_signals()?;
                end = self.write_end.get().unwrap_or(0);
            }
        }
        self.forget_written();
        Ok(())
    }

    pub(super) fn write(&self, object: &Object, data: &Object) -> PyResult<usize> {
        self.check_ready()?;
        if let Some(bytes) = data.downcast::<Bytes>() {
            return self.write_locked(object, bytes.as_slice());
        }
        let buffer = Buffer::simple(data)?;
        let copy = buffer.as_slice().to_vec();
        self.write_locked(object, &copy)
    }

    fn write_locked(&self, object: &Object, data: &[u8]) -> PyResult<usize> {
        let _held = self.enter(object)?;
        if self.is_closed()? {
            return Err(err::value_error("write to closed file"));
        }
        let empty = !(self.readable.get() && self.read_end.get().is_some()) && self.write_end.get().is_none();
        if empty {
            self.position.set(0);
            self.raw_position.set(Some(0));
        }
        let at = self.position.get();
        if data.len() <= self.size.get().saturating_sub(at) {
            self.store(at, data);
            if self.write_end.get().is_none() || self.write_pos.get() > at {
                self.write_pos.set(at);
            }
            self.move_to(at + data.len());
            if self.write_end.get().is_none_or(|end| end < self.position.get()) {
                self.write_end.set(Some(self.position.get()));
            }
            return Ok(data.len());
        }
        if let Err(error) = self.flush_pending() {
            return self.keep_what_fits(error, data);
        }
        self.write_large(data)
    }

    /// The raw stream does not take what is pending: the data go behind it as far as there is room.
    fn keep_what_fits(&self, error: PyErr, data: &[u8]) -> PyResult<usize> {
        if !error.is(&PyExc_BlockingIOError) {
            return Err(error);
        }
        if self.readable.get() {
            self.forget_read();
        }
        let (from, end) = (self.write_pos.get(), self.write_end.get().unwrap_or(0));
        self.memory.borrow_mut().copy_within(from..end, 0);
        self.write_end.set(Some(end - from));
        self.raw_position.set(self.raw_position.get().map(|raw| raw.saturating_sub(from)));
        self.position.set(self.position.get().saturating_sub(from));
        self.write_pos.set(0);
        let end = end - from;
        let room = self.size.get() - end;
        let count = data.len().min(room);
        self.store(end, &data[..count]);
        self.write_end.set(Some(end + count));
        self.position.set(self.position.get() + count);
        if count == data.len() { Ok(count) } else { Err(would_block(count)) }
    }

    /// Writes data that are larger than the buffer, which is empty now; the end of them stays in it.
    fn write_large(&self, data: &[u8]) -> PyResult<usize> {
        let offset = self.raw_offset();
        if offset != 0 {
            self.raw_seek(-offset, 1)?;
            let raw = self.raw_position.get().unwrap_or(0) as i64 - offset;
            self.raw_position.set(usize::try_from(raw).ok());
        }
        let size = self.size.get();
        let mut done = 0;
        while data.len() - done > size {
            let Some(count) = self.raw_write(&data[done..])? else {
                self.store(0, &data[done..done + size]);
                self.raw_position.set(Some(0));
                self.move_to(size);
                self.write_pos.set(0);
                self.write_end.set(Some(size));
                return Err(would_block(done + size));
            };
            done += count;
            check_signals()?;
        }
        if self.readable.get() {
            self.forget_read();
        }
        let rest = data.len() - done;
        self.store(0, &data[done..]);
        self.write_pos.set(0);
        self.write_end.set(Some(rest));
        self.move_to(rest);
        self.raw_position.set(Some(0));
        Ok(data.len())
    }

    pub(super) fn flush(&self, object: &Object) -> PyResult<()> {
        self.check_ready()?;
        self.check_open("flush of closed file")?;
        let _held = self.enter(object)?;
        self.flush_and_rewind()
    }

    pub(super) fn tell(&self, object: &Object) -> PyResult<i64> {
        self.check_ready()?;
        let _held = self.enter(object)?;
        let at = self.raw_tell()? - self.raw_offset();
        // A raw stream may stand before what was read from it.
        Ok(at.max(0))
    }

    pub(super) fn seek(&self, object: &Object, target: &Object, whence: i32) -> PyResult<i64> {
        let raw = self.raw()?;
        if !(0..=2).contains(&whence) {
            return Err(raise!(
                taipan_object::statics::PyExc_ValueError,
                "whence value {whence} unsupported"
            ));
        }
        self.check_open("seek of closed file")?;
        base::check_seekable(&raw)?;
        let mut target = target.to_index_clamped(Some(&taipan_object::statics::PyExc_ValueError))? as i64;
        let _held = self.enter(object)?;
        if whence != 2 && self.readable.get() {
            let current = self.known_raw_position()?;
            let ahead = self.read_ahead() as i64;
            if ahead > 0 {
                let offset = if whence == 0 { target - (current - self.raw_offset()) } else { target };
                if offset >= -(self.position.get() as i64) && offset <= ahead {
                    self.position.set((self.position.get() as i64 + offset) as usize);
                    // Devices that do not move may say less than was read ahead.
                    return Ok((current - ahead + offset).max(0));
                }
            }
        }
        if self.writable.get() {
            self.flush_pending()?;
        }
        if whence == 1 {
            target -= self.raw_offset();
        }
        let at = self.raw_seek(target, whence)?;
        self.raw_position.set(None);
        if self.readable.get() {
            self.forget_read();
        }
        Ok(at)
    }

    pub(super) fn truncate(&self, object: &Object, size: &Object) -> PyResult {
        let raw = self.raw()?;
        self.check_open("truncate of closed file")?;
        if !self.writable.get() {
            return Err(unsupported("truncate"));
        }
        let _held = self.enter(object)?;
        self.flush_and_rewind()?;
        let made = raw.call_method(intern!("truncate"), &[size])?;
        // The raw stream may have moved.
        let _ = self.raw_tell();
        Ok(made)
    }

    /// `close()` of the three classes.
    pub(super) fn close(&self, object: &Object) -> PyResult<()> {
        let raw = self.raw()?;
        {
            let _held = self.enter(object)?;
            if base::is_closed(&raw)? {
                return Ok(());
            }
            if self.finalizing.get() {
                self.dealloc_warn(object);
            }
        }
        let flushed = object.call_method(intern!("flush"), &[]);
        let _held = self.enter(object)?;
        let closed = raw.call_method(intern!("close"), &[]);
        drop(self.memory.take());
        self.released.set(true);
        self.read_end.set(Some(0));
        self.position.set(0);
        match (flushed, closed) {
            (Err(first), Err(second)) => Err(crate::io::util::chain(first, second)),
            (Err(error), _) | (_, Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn dealloc_warn(&self, source: &Object) {
        if self.ready.get()
            && let Some(raw) = self.raw.get()
        {
            // Raw streams without the method have nothing to warn of.
            let _ = raw.call_method(intern!("_dealloc_warn"), &[source]);
        }
    }

    pub(super) fn detach(&self, object: &Object) -> PyResult<Option<Ref>> {
        self.check_ready()?;
        object.call_method(intern!("flush"), &[])?;
        self.detached.set(true);
        self.ready.set(false);
        Ok(self.raw.take())
    }
}
