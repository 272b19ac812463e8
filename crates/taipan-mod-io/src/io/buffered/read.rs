//! Reading through the buffer.

use super::{Buffered, Moved, plain_file};
use crate::io::base;
use crate::io::util::{bytes_result, writable_arg};
use taipan_object::bytes::Bytes;
use taipan_object::singletons::is_none;
use taipan_object::{Object, PyResult, Ref, err, intern};

impl Buffered {
    /// One raw read into a part of the buffer.
    fn raw_read_to_buffer(&self, from: usize) -> Moved {
        let raw = self.raw()?;
        let got = match plain_file(&raw) {
            Some(file) => {
                let mut memory = self.memory.take();
                let got = file.read_into(memory.get_mut(from..).unwrap_or(&mut []));
                self.memory.replace(memory);
                got?
            }
            None => {
                let data = base::read_raw(&raw, self.size.get().saturating_sub(from))?;
                data.map(|data| {
                    self.store(from, &data);
                    data.len()
                })
            }
        };
        self.advance_absolute(got.unwrap_or(0));
        Ok(got)
    }

    /// One raw read of at most `size` bytes, beside the buffer.
    fn raw_read(&self, size: usize) -> PyResult<Option<Vec<u8>>> {
        let raw = self.raw()?;
        let data = match plain_file(&raw) {
            Some(file) => file.read_some(size)?,
            None => base::read_raw(&raw, size)?,
        };
        self.advance_absolute(data.as_ref().map_or(0, Vec::len));
        Ok(data)
    }

    /// Reads more behind what the buffer holds.
    fn fill(&self) -> Moved {
        let start = if self.readable.get() { self.read_end.get().unwrap_or(0) } else { 0 };
        let got = self.raw_read_to_buffer(start)?;
        if let Some(count) = got
            && count > 0
        {
            self.read_end.set(Some(start + count));
            self.raw_position.set(Some(start + count));
        }
        Ok(got)
    }

    fn flush_before_reading(&self) -> PyResult<()> {
        if self.writable.get() { self.flush_and_rewind() } else { Ok(()) }
    }

    /// The next `count` bytes, if the buffer has them.
    fn read_buffered(&self, count: usize) -> PyResult<Option<Ref<Bytes>>> {
        if count > self.read_ahead() {
            return Ok(None);
        }
        let at = self.position.get();
        let data = self.slice(at, at + count)?;
        self.position.set(at + count);
        Ok(Some(data))
    }

    /// Takes all that was read ahead.
    fn take_ahead(&self, out: &mut Vec<u8>) {
        let (at, ahead) = (self.position.get(), self.read_ahead());
        if ahead > 0 {
            out.extend_from_slice(&self.memory.borrow()[at..at + ahead]);
            self.position.set(at + ahead);
        }
    }

    pub(super) fn read(&self, object: &Object, size: isize) -> PyResult<Option<Ref>> {
        self.check_ready()?;
        if size < -1 {
            return Err(err::value_error("read length must be non-negative or -1"));
        }
        self.check_open("read of closed file")?;
        let Ok(size) = usize::try_from(size) else {
            let _held = self.enter(object)?;
            return self.read_all();
        };
        if let Some(data) = self.read_buffered(size)? {
            return Ok(Some(data.upcast()));
        }
        let _held = self.enter(object)?;
        Ok(self.read_exactly(size)?.map(Ref::upcast))
    }

    /// Reads until the size or the end is reached.
    fn read_exactly(&self, size: usize) -> PyResult<Option<Ref<Bytes>>> {
        if let Some(data) = self.read_buffered(size)? {
            return Ok(Some(data));
        }
        let mut out: Vec<u8> = Vec::new();
        out.try_reserve_exact(size).map_err(|_| err::memory_error())?;
        self.take_ahead(&mut out);
        self.flush_before_reading()?;
        self.forget_read();
        // Whole blocks go past the buffer.
        while size - out.len() >= self.size.get() {
            let left = size - out.len();
            match self.raw_read(left - left % self.size.get())? {
                Some(data) if !data.is_empty() => out.extend_from_slice(&data),
                Some(_) => return Bytes::new(&out).map(Some),
                None if out.is_empty() => return Ok(None),
                None => return Bytes::new(&out).map(Some),
            }
        }
        self.position.set(0);
        self.raw_position.set(Some(0));
        self.read_end.set(Some(0));
        while out.len() < size && self.read_end.get().unwrap_or(0) < self.size.get() {
            match self.fill()? {
                Some(count) if count > 0 => {
                    let (at, wanted) = (self.position.get(), (size - out.len()).min(count));
                    out.extend_from_slice(&self.memory.borrow()[at..at + wanted]);
                    self.position.set(at + wanted);
                }
                None if out.is_empty() => return Ok(None),
                _ => break,
            }
        }
        Bytes::new(&out).map(Some)
    }

    fn read_all(&self) -> PyResult<Option<Ref>> {
        let mut out = Vec::new();
        self.take_ahead(&mut out);
        self.flush_before_reading()?;
        self.forget_read();
        let raw = self.raw()?;
        if let Some(readall) = raw.getattr_opt(intern!("readall"))? {
            let rest = readall.call(&[])?;
            if is_none(&rest) {
                return if out.is_empty() { Ok(None) } else { Bytes::new(&out).map(|b| Some(b.upcast())) };
            }
            let rest = bytes_result(rest, |_| err::type_error("readall() should return bytes"))?;
            if out.is_empty() {
                return Ok(Some(rest.upcast()));
            }
            out.extend_from_slice(rest.as_slice());
            return Bytes::new(&out).map(|b| Some(b.upcast()));
        }
        loop {
            let data = raw.call_method(intern!("read"), &[])?;
            if is_none(&data) {
                return if out.is_empty() { Ok(None) } else { Bytes::new(&out).map(|b| Some(b.upcast())) };
            }
            let data = bytes_result(data, |_| err::type_error("read() should return bytes"))?;
            if data.is_empty() {
                return Bytes::new(&out).map(|b| Some(b.upcast()));
            }
            out.extend_from_slice(data.as_slice());
            self.advance_absolute(data.len());
        }
    }

    pub(super) fn peek(&self, object: &Object) -> PyResult<Ref<Bytes>> {
        self.check_ready()?;
        self.check_open("peek of closed file")?;
        let _held = self.enter(object)?;
        self.flush_before_reading()?;
        let ahead = self.read_ahead();
        if ahead > 0 {
            let at = self.position.get();
            return self.slice(at, at + ahead);
        }
        self.forget_read();
        let count = self.fill()?.unwrap_or(0);
        self.position.set(0);
        self.slice(0, count)
    }

    pub(super) fn read1(&self, object: &Object, size: isize) -> PyResult<Ref<Bytes>> {
        self.check_ready()?;
        let size = usize::try_from(size).unwrap_or_else(|_| self.size.get());
        self.check_open("read of closed file")?;
        if size == 0 {
            return Bytes::new(&[]);
        }
        let ahead = self.read_ahead();
        if ahead > 0
            && let Some(data) = self.read_buffered(ahead.min(size))?
        {
            return Ok(data);
        }
        let _held = self.enter(object)?;
        self.flush_before_reading()?;
        self.forget_read();
        Bytes::new(&self.raw_read(size)?.unwrap_or_default())
    }

    pub(super) fn readinto(&self, object: &Object, buffer: &Object, once: bool) -> PyResult<Option<usize>> {
        self.check_ready()?;
        let buffer = writable_arg(buffer, if once { "readinto1" } else { "readinto" })?;
        self.check_open("readinto of closed file")?;
        let mut done = 0;
        let ahead = self.read_ahead();
        if ahead > 0 {
            let ahead = ahead.min(buffer.len());
            let at = self.position.get();
            buffer.write_at(0, &self.memory.borrow()[at..at + ahead]);
            self.position.set(at + ahead);
            done = ahead;
            if done == buffer.len() {
                return Ok(Some(done));
            }
        }
        let _held = self.enter(object)?;
        self.flush_before_reading()?;
        self.forget_read();
        self.position.set(0);
        while done < buffer.len() {
            let left = buffer.len() - done;
            let got = if left > self.size.get() {
                self.raw_read(left)?.map(|data| buffer.write_at(done, &data))
            } else if once && done > 0 {
                Some(0)
            } else {
                self.fill()?.map(|count| {
                    let (at, count) = (self.position.get(), count.min(left));
                    buffer.write_at(done, &self.memory.borrow()[at..at + count]);
                    self.position.set(at + count);
                    count
                })
            };
            match got {
                Some(0) => break,
                None if done > 0 => break,
                None => return Ok(None),
                Some(count) => done += count,
            }
            if once {
                break;
            }
        }
        Ok(Some(done))
    }

    pub(super) fn readline(&self, object: &Object, limit: isize) -> PyResult<Ref<Bytes>> {
        self.check_open("readline of closed file")?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if let Some(line) = self.line_ahead(limit)? {
            return Ok(line);
        }
        let _held = self.enter(object)?;
        let mut out = Vec::new();
        self.take_ahead(&mut out);
        self.flush_before_reading()?;
        loop {
            self.forget_read();
            self.position.set(0);
            if self.fill()?.unwrap_or(0) == 0 {
                break;
            }
            if let Some(line) = self.line_ahead(limit - out.len())? {
                if out.is_empty() {
                    return Ok(line);
                }
                out.extend_from_slice(line.as_slice());
                break;
            }
            self.take_ahead(&mut out);
        }
        Bytes::new(&out)
    }

    /// The line at the position, if the buffer holds its end or as much as `limit` asks for.
    fn line_ahead(&self, limit: usize) -> PyResult<Option<Ref<Bytes>>> {
        let (at, ahead) = (self.position.get(), self.read_ahead());
        let count = ahead.min(limit);
        let found = {
            let memory = self.memory.borrow();
            memchr::memchr(b'\n', memory.get(at..at + count).unwrap_or(&[]))
        };
        let len = match found {
            Some(end) => end + 1,
            None if count == limit => count,
            None => return Ok(None),
        };
        let line = self.slice(at, at + len)?;
        self.position.set(at + len);
        Ok(Some(line))
    }
}
