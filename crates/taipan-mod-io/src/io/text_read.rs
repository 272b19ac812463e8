//! Reading from a `TextIOWrapper`.

use super::newline::line_end;
use super::text::{TextIOWrapper, View, open_buffer};
use super::util::{is_interrupt, size_arg, unsupported};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_BlockingIOError, PyExc_OSError, PyExc_TypeError};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern, raise};
use taipan_types_text::str::concat_all;

impl TextIOWrapper {
    /// Text that was decoded ahead.
    fn decoded(&self) -> Option<Ref<Str>> {
        self.decoded.get().and_then(|text| text.downcast_owned().ok())
    }

    pub fn set_decoded(&self, text: Ref<Str>) {
        self.decoded.set(Some(text.upcast()));
        self.used.set(0);
    }

    /// The next decoded characters, at most `size`; everything for `None`.
    fn take_decoded(&self, size: Option<usize>) -> PyResult<Ref<Str>> {
        let Some(text) = self.decoded() else { return Str::from_utf8("") };
        let from = self.used.get().min(text.len());
        let left = text.len() - from;
        let count = size.map_or(left, |size| size.min(left));
        self.used.set(from + count);
        text.substring(from, from + count)
    }

    /// Reads and decodes another chunk; false at the end of the stream.
    fn read_chunk(&self, wanted: usize) -> PyResult<bool> {
        if !self.decoder.is_set() {
            return Err(unsupported("not readable"));
        }
        let before = if self.telling.get() { Some(self.decoder.state()?) } else { None };
        let hint = (self.ratio.get().max(1.0) * wanted as f64) as usize;
        let size = Int::from_usize(self.chunk_size.get().max(hint));
        let buffer = self.attached()?;
        let (name, text) =
            if self.has_read1.get() { (intern!("read1"), "read1") } else { (intern!("read"), "read") };
        let input = buffer.call_method(name, &[&size])?;
        if !has_buffer(&input) {
            return Err(raise!(
                PyExc_TypeError,
                "underlying {text}() should have returned a bytes-like object, not '{}'",
                input.ty().message_name()
            ));
        }
        let len = Buffer::simple(&input)?.len();
        let decoded = self.decoder.decode(&input, &self.errors(), len == 0)?;
        let count = decoded.len();
        self.set_decoded(decoded);
        self.ratio.set(if count > 0 { len as f64 / count as f64 } else { 0.0 });
        if let Some(before) = before {
            let next = if before.pending.is_empty() && input.downcast::<Bytes>().is_some() {
                input
            } else {
                let mut all = before.pending.as_slice().to_vec();
                all.extend_from_slice(Buffer::simple(&input)?.as_slice());
                Bytes::new(&all)?.upcast()
            };
            self.snapshot_flags.set(before.flags);
            self.snapshot_input.set(Some(next));
        }
        Ok(len > 0 || count > 0)
    }

    /// As [`TextIOWrapper::read_chunk`], again after interruptions.
    fn more(&self, wanted: usize) -> PyResult<bool> {
        loop {
            match self.read_chunk(wanted) {
                Err(error) if is_interrupt(&error) => {}
                other => return other,
            }
        }
    }
}

/// `read(size=-1)`.
pub fn read(stream: &View, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let size = size_arg(args, 0)?;
    let buffer = open_buffer(stream)?;
    if !stream.decoder.is_set() {
        return Err(unsupported("not readable"));
    }
    stream.write_pending()?;
    let Ok(size) = usize::try_from(size) else { return read_all(stream, &buffer) };
    let first = stream.take_decoded(Some(size))?;
    let mut total = first.len();
    let mut parts = vec![first];
    while total < size {
        if !stream.more(size - total)? {
            break;
        }
        let part = stream.take_decoded(Some(size - total))?;
        total += part.len();
        parts.push(part);
    }
    let parts: Vec<&Str> = parts.iter().map(|part| &**part).collect();
    concat_all(&parts)
}

fn read_all(stream: &View, buffer: &Object) -> PyResult<Ref<Str>> {
    let data = buffer.call_method(intern!("read"), &[])?;
    if is_none(&data) {
        return Err(raise!(PyExc_BlockingIOError, "Read returned None."));
    }
    let decoded = stream.decoder.decode(&data, &stream.errors(), true)?;
    let first = stream.take_decoded(None)?;
    stream.forget_decoded();
    stream.forget_snapshot();
    taipan_types_text::str::concat(&first, &decoded)
}

/// `readline(size=-1)`.
pub fn readline(stream: &View, args: &Args<'_>) -> PyResult<Ref<Str>> {
    stream.attached()?;
    let limit = size_arg(args, 0)?;
    line(stream, limit)
}

fn line(stream: &View, limit: isize) -> PyResult<Ref<Str>> {
    open_buffer(stream)?;
    stream.write_pending()?;
    let limit = usize::try_from(limit).ok();
    let newlines = stream.newlines.borrow().clone();
    let mut parts: Vec<Ref<Str>> = Vec::new();
    let mut total = 0;
    // The last part ended in the middle of `\r\n`.
    let mut half = false;
    loop {
        let ahead = stream.decoded().filter(|text| stream.used.get() < text.len());
        let text = match ahead {
            Some(text) => text,
            None if stream.more(0)? => continue,
            None => {
                stream.forget_decoded();
                stream.forget_snapshot();
                break;
            }
        };
        let from = stream.used.get();
        let chars = text.chars();
        let found =
            if half && chars.at(from) == 10 { Some(from + 1) } else { line_end(chars, from, &newlines).0 };
        let mut to = found.unwrap_or(text.len());
        let room = limit.map_or(usize::MAX, |limit| limit - total);
        let full = to - from >= room;
        to = to.min(from.saturating_add(room));
        stream.used.set(to);
        total += to - from;
        half = newlines.given == Some("\r\n") && to > from && chars.at(to - 1) == 13;
        parts.push(text.substring(from, to)?);
        if found.is_some() || full {
            break;
        }
    }
    match parts.as_slice() {
        [one] => Ok(one.clone()),
        _ => concat_all(&parts.iter().map(|part| &**part).collect::<Vec<&Str>>()),
    }
}

/// `next(stream)`.
pub fn next(stream: &View) -> PyResult<Option<Ref>> {
    stream.attached()?;
    stream.telling.set(false);
    let own: &Type = &super::text::TEXT_IO_WRAPPER;
    let line = if stream.object().is_exact(own) {
        line(stream, -1)?
    } else {
        let line = stream.object().call_method(intern!("readline"), &[])?;
        line.downcast_owned::<Str>().map_err(|line| {
            raise!(
                PyExc_OSError,
                "readline() should have returned a str object, not '{}'",
                line.ty().message_name()
            )
        })?
    };
    if line.is_empty() {
        stream.forget_snapshot();
        stream.telling.set(stream.seekable.get());
        return Ok(None);
    }
    Ok(Some(line.upcast()))
}
