//! A run of reading: the input, the stack and the loop over opcodes.

use super::memo::UnpickleMemo;
use super::op;
use super::shared::{Shared, unpickling_error};
use super::unpickler::{UNPICKLER, View, find_class};
use core::ops::Range;
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::statics::PyExc_NotImplementedError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, state};

/// How much is looked at ahead, where a file allows that.
const AHEAD: usize = 128 * 1024;
/// What the head of a bytes object takes from the largest size.
const BYTES_HEAD: usize = 33;

/// Where opcodes come from.
pub struct Input {
    file: Option<File>,
    buffer: Option<Buffer>,
    at: usize,
    /// Up to where the file itself has been read; what lies beyond was only looked at.
    consumed: usize,
    /// Where the open frame ends.
    frame: Option<usize>,
}

struct File {
    read: Ref,
    readline: Ref,
    peek: Option<Ref>,
}

#[cold]
fn truncated() -> PyErr {
    unpickling_error("pickle data was truncated")
}

impl Input {
    /// Reads from an object's memory.
    pub fn of_bytes(data: &Object) -> PyResult<Input> {
        let buffer = Buffer::simple(data)?;
        let consumed = buffer.len();
        Ok(Input { file: None, buffer: Some(buffer), at: 0, consumed, frame: None })
    }

    /// Reads from an unpickler's file, if it has one.
    pub fn of_file(unpickler: &View) -> Option<Input> {
        let (read, readline) = (unpickler.read.get()?, unpickler.readline.get()?);
        let file = File { read, readline, peek: unpickler.peek.get() };
        Some(Input { file: Some(file), buffer: None, at: 0, consumed: 0, frame: None })
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], Buffer::as_slice)
    }

    /// Reads from the file what was taken from what was looked at.
    fn catch_up(&mut self) -> PyResult<()> {
        let count = self.at.saturating_sub(self.consumed);
        if count > 0
            && let Some(file) = &self.file
        {
            file.read.call(&[&*Int::from_usize(count)])?;
            self.consumed = self.at;
        }
        Ok(())
    }

    fn set(&mut self, data: &Object) -> PyResult<usize> {
        // The old buffer is released last: that may run Python code.
        let fresh = Buffer::simple(data)?;
        let len = fresh.len();
        let old = self.buffer.replace(fresh);
        self.at = 0;
        self.consumed = len;
        self.frame = None;
        drop(old);
        Ok(len)
    }

    /// Up to where can be read now.
    #[inline]
    fn limit(&self) -> usize {
        self.frame.unwrap_or_else(|| self.bytes().len())
    }

    /// Ends a frame that has been read to its end; an error in its midst.
    fn end_frame(&mut self) -> PyResult<()> {
        match self.frame {
            Some(end) if self.at < end => Err(unpickling_error("pickle exhausted before end of frame")),
            _ => {
                self.frame = None;
                Ok(())
            }
        }
    }

    /// Reads all of a frame, and then from its beginning.
    fn begin_frame(&mut self, len: usize) -> PyResult<()> {
        if self.frame.is_some_and(|end| self.at < end) {
            return Err(unpickling_error("beginning of a new frame before end of current frame"));
        }
        self.frame = None;
        let range = self.take(len)?;
        self.at = range.start;
        self.frame = Some(range.end);
        Ok(())
    }

    /// Makes sure of `count` bytes at the current place, which is moved behind them.
    #[inline]
    fn take(&mut self, count: usize) -> PyResult<Range<usize>> {
        let at = self.at;
        if count <= self.limit() - at {
            self.at = at + count;
            return Ok(at..at + count);
        }
        self.take_more(count)
    }

    #[cold]
    fn take_more(&mut self, count: usize) -> PyResult<Range<usize>> {
        if self.frame.is_some() {
            self.end_frame()?;
            return self.take(count);
        }
        if count > isize::MAX as usize - self.at {
            return Err(unpickling_error("read would overflow (invalid bytecode)"));
        }
        if self.file.is_none() {
            return Err(truncated());
        }
        self.catch_up()?;
        let Some(file) = &mut self.file else { return Err(truncated()) };
        if count < AHEAD
            && let Some(peek) = file.peek.clone()
        {
            match peek.call(&[&*Int::from_usize(AHEAD)]) {
                Ok(data) => {
                    let len = self.set(&data)?;
                    self.consumed = 0;
                    if count <= len {
                        self.at = count;
                        return Ok(0..count);
                    }
                }
                Err(error) => {
                    error.allow::<()>(&PyExc_NotImplementedError)?;
                    file.peek = None;
                }
            }
        }
        let Some(file) = &self.file else { return Err(truncated()) };
        let data = file.read.call(&[&*Int::from_usize(count)])?;
        if self.set(&data)? < count {
            return Err(truncated());
        }
        self.at = count;
        Ok(0..count)
    }

    /// A line with its end.
    fn take_line(&mut self) -> PyResult<Range<usize>> {
        let at = self.at;
        let limit = self.limit();
        if let Some(len) = self.bytes()[at..limit].iter().position(|&byte| byte == b'\n') {
            self.at = at + len + 1;
            return Ok(at..self.at);
        }
        if self.frame.is_some() {
            self.end_frame()?;
            return self.take_line();
        }
        if self.file.is_none() {
            return Err(truncated());
        }
        self.catch_up()?;
        let Some(file) = &self.file else { return Err(truncated()) };
        let data = file.readline.call(&[])?;
        self.set(&data)?;
        let end = self.bytes().iter().position(|&byte| byte == b'\n').ok_or_else(truncated)? + 1;
        self.at = end;
        Ok(0..end)
    }
}

/// One run.
pub struct Load<'a> {
    pub unpickler: &'a View,
    pub shared: &'static Shared,
    persistent_load: Option<Ref>,
    input: Input,
    stack: Vec<Ref>,
    marks: Vec<usize>,
}

impl<'a> Load<'a> {
    pub fn new(
        unpickler: &'a View,
        input: Input,
        persistent_load: Option<Ref>,
        shared: &'static Shared,
    ) -> Self {
        Load { unpickler, shared, persistent_load, input, stack: Vec::new(), marks: Vec::new() }
    }

    /// Where the part of the stack begins that may be taken from.
    #[inline]
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    #[cold]
    fn underflow(&self) -> PyErr {
        unpickling_error(if self.marks.is_empty() {
            "unpickling stack underflow"
        } else {
            "unexpected MARK found"
        })
    }

    #[inline]
    pub fn push(&mut self, object: Ref) {
        self.stack.push(object);
    }

    /// Takes the topmost object.
    #[inline]
    pub fn pop(&mut self) -> PyResult {
        if self.stack.len() <= self.fence() {
            return Err(self.underflow());
        }
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    /// The topmost object.
    pub fn top(&self) -> PyResult<&Ref> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(top),
            _ => Err(self.underflow()),
        }
    }

    /// Takes the last `count` objects.
    fn pop_many(&mut self, count: usize) -> PyResult<Vec<Ref>> {
        match self.stack.len().checked_sub(count).filter(|&from| from >= self.fence()) {
            Some(from) => Ok(self.stack.split_off(from)),
            None => Err(self.underflow()),
        }
    }

    /// Takes everything behind the last mark.
    pub fn pop_mark(&mut self) -> PyResult<Vec<Ref>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark.min(self.stack.len()))),
            None => Err(unpickling_error("could not find MARK")),
        }
    }

    /// A line without its end; at least `least` bytes with it.
    pub fn line(&mut self, least: usize) -> PyResult<Vec<u8>> {
        let line = self.input.take_line()?;
        if line.len() < least {
            return Err(truncated());
        }
        Ok(self.input.bytes()[line].to_vec())
    }

    #[inline]
    fn read<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        let range = self.input.take(N)?;
        let mut out = [0; N];
        out.copy_from_slice(&self.input.bytes()[range]);
        Ok(out)
    }

    #[inline]
    fn byte(&mut self) -> PyResult<usize> {
        self.read::<1>().map(|[byte]| byte.into())
    }

    fn u16(&mut self) -> PyResult<usize> {
        self.read().map(|bytes| u16::from_le_bytes(bytes).into())
    }

    fn u32(&mut self) -> PyResult<usize> {
        self.read().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn i32(&mut self) -> PyResult<i32> {
        self.read().map(i32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> PyResult<usize> {
        let wide = u64::from_le_bytes(self.read()?);
        match isize::try_from(wide) {
            Ok(size) => Ok(size.cast_unsigned()),
            Err(_) => Err(err::overflow_error(&format!(
                "{what} exceeds system's maximum size of {} bytes",
                isize::MAX
            ))),
        }
    }

    /// Lets `make` turn the next bytes into an object; it must not run Python code while it looks.
    #[inline]
    fn take<T>(&mut self, count: usize, make: impl FnOnce(&[u8]) -> PyResult<T>) -> PyResult<T> {
        let range = self.input.take(count)?;
        make(&self.input.bytes()[range])
    }

    #[inline]
    fn load_bytes(&mut self, count: usize) -> PyResult<()> {
        if count > isize::MAX as usize - BYTES_HEAD {
            return Err(err::overflow_error("byte string is too large"));
        }
        let bytes = self.take(count, Bytes::new)?;
        self.push(bytes.upcast());
        Ok(())
    }

    fn load_bytearray(&mut self, count: usize) -> PyResult<()> {
        let bytes = self.take(count, Bytes::new)?;
        let array: &taipan_object::Type = &taipan_object::statics::PyByteArray_Type;
        self.push(array.call(&[&bytes])?);
        Ok(())
    }

    #[inline]
    fn load_text(&mut self, count: usize) -> PyResult<()> {
        let text = self.take(count, |bytes| {
            if bytes.is_ascii() {
                return Ok(Ok(Str::from_latin1(bytes)?));
            }
            match core::str::from_utf8(bytes) {
                Ok(text) => Ok(Ok(Str::from_utf8(text)?)),
                Err(_) => Ok(Err(bytes.to_vec())),
            }
        })?;
        let text = match text {
            Ok(text) => text.upcast(),
            Err(bytes) => (state::interp().hooks.get().decode)(&bytes, "utf-8", "surrogatepass")?,
        };
        self.push(text);
        Ok(())
    }

    /// A str of Python 2, which is bytes or text as the reader likes.
    pub fn push_old_str(&mut self, data: &[u8]) -> PyResult<()> {
        let encoding = self.unpickler.encoding.borrow().clone();
        let object = if encoding == "bytes" {
            Bytes::new(data)?.upcast()
        } else {
            let errors = self.unpickler.errors.borrow().clone();
            (state::interp().hooks.get().decode)(data, &encoding, &errors)?
        };
        self.push(object);
        Ok(())
    }

    fn load_old_str(&mut self, count: usize) -> PyResult<()> {
        let data = self.take(count, |bytes| Ok(bytes.to_vec()))?;
        self.push_old_str(&data)
    }

    fn load_long(&mut self, count: usize) -> PyResult<()> {
        let int = self.take(count, |bytes| {
            taipan_types_num::int::make(taipan_num::int::from_bytes(bytes, true, true))
        })?;
        self.push(int.upcast());
        Ok(())
    }

    fn negative_count(what: &str) -> PyErr {
        unpickling_error(&format!("{what} pickle has negative byte count"))
    }

    #[inline]
    fn push_int(&mut self, value: i64) {
        self.push(Int::from_i64(value).upcast());
    }

    fn push_tuple(&mut self, items: Vec<Ref>) -> PyResult<()> {
        let tuple = taipan_object::tuple::Tuple::from_vec(items)?;
        self.push(tuple.upcast());
        Ok(())
    }

    fn memo(&self) -> &UnpickleMemo {
        &self.unpickler.memo
    }

    pub fn get_number(&mut self, number: usize) -> PyResult<()> {
        match self.memo().get(number) {
            Some(object) => {
                self.push(object);
                Ok(())
            }
            None => Err(unpickling_error(&format!("Memo value not found at index {number}"))),
        }
    }

    #[inline]
    pub fn put_number(&mut self, number: usize) -> PyResult<()> {
        let top = self.top()?.clone();
        self.memo().put(number, top);
        Ok(())
    }

    fn load_pop(&mut self) -> PyResult<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    pub fn persistent(&mut self, id: Ref) -> PyResult<()> {
        let Some(function) = self.persistent_load.clone() else {
            return Err(super::unpickler::no_persistent_load());
        };
        let object = function.call(&[&id])?;
        self.push(object);
        Ok(())
    }

    fn load_frame(&mut self) -> PyResult<()> {
        let wide = u64::from_le_bytes(self.read()?);
        let Ok(len) = isize::try_from(wide) else {
            return Err(err::overflow_error(&format!(
                "FRAME length exceeds system's maximum of {} bytes",
                isize::MAX
            )));
        };
        self.input.begin_frame(len.cast_unsigned())
    }

    fn load_protocol(&mut self) -> PyResult<()> {
        let [protocol] = self.read()?;
        if protocol > op::HIGHEST {
            return Err(err::value_error(&format!("unsupported pickle protocol: {protocol}")));
        }
        self.unpickler.protocol.set(protocol);
        Ok(())
    }

    /// The object of a name, through `find_class` where a class has its own.
    pub fn find(&mut self, module: &Str, name: &Str) -> PyResult<()> {
        let object = self.unpickler.object();
        let found = match object.is_exact(&UNPICKLER) {
            true => find_class(self.unpickler, module, name)?,
            false => object.call_method(intern!("find_class"), &[module, name])?,
        };
        self.push(found);
        Ok(())
    }

    /// Reads one object.
    pub fn run(mut self) -> PyResult {
        self.unpickler.protocol.set(0);
        loop {
            let opcode = match self.input.take(1) {
                Ok(range) => self.input.bytes()[range.start],
                Err(error) => {
                    if error.is(&self.shared.unpickling_error) {
                        return Err(PyErr::new(&taipan_object::statics::PyExc_EOFError, "Ran out of input"));
                    }
                    return Err(error);
                }
            };
            if opcode == op::STOP {
                break;
            }
            self.step(opcode)?;
        }
        self.input.catch_up()?;
        self.pop()
    }

    fn step(&mut self, opcode: u8) -> PyResult<()> {
        use taipan_object::singletons::{new_bool, new_none};
        match opcode {
            op::NONE => self.push(new_none()),
            op::NEWTRUE => self.push(new_bool(true)),
            op::NEWFALSE => self.push(new_bool(false)),
            op::BININT => {
                let value = self.i32()?;
                self.push_int(value.into());
            }
            op::BININT1 => {
                let value = self.byte()?;
                self.push_int(value as i64);
            }
            op::BININT2 => {
                let value = self.u16()?;
                self.push_int(value as i64);
            }
            op::BINFLOAT => {
                let value = f64::from_be_bytes(self.read()?);
                self.push(taipan_object::float::Float::new(value).upcast());
            }
            op::SHORT_BINUNICODE => {
                let count = self.byte()?;
                self.load_text(count)?;
            }
            op::BINUNICODE => {
                let count = self.u32()?;
                self.load_text(count)?;
            }
            op::BINUNICODE8 => {
                let count = self.u64("BINUNICODE")?;
                self.load_text(count)?;
            }
            op::SHORT_BINBYTES => {
                let count = self.byte()?;
                self.load_bytes(count)?;
            }
            op::BINBYTES => {
                let count = self.u32()?;
                self.load_bytes(count)?;
            }
            op::BINBYTES8 => {
                let count = self.u64("BINBYTES")?;
                self.load_bytes(count)?;
            }
            op::BYTEARRAY8 => {
                let count = self.u64("BYTEARRAY8")?;
                self.load_bytearray(count)?;
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::MEMOIZE => self.put_number(self.memo().count())?,
            op::BINGET => {
                let number = self.byte()?;
                self.get_number(number)?;
            }
            op::LONG_BINGET => {
                let number = self.u32()?;
                self.get_number(number)?;
            }
            op::BINPUT => {
                let number = self.byte()?;
                self.put_number(number)?;
            }
            op::LONG_BINPUT => {
                let number = self.u32()?;
                self.put_number(number)?;
            }
            op::EMPTY_TUPLE => self.push(taipan_object::tuple::Tuple::empty().upcast()),
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let items = self.pop_many(usize::from(opcode - op::TUPLE1) + 1)?;
                self.push_tuple(items)?;
            }
            op::TUPLE => {
                let items = self.pop_mark()?;
                self.push_tuple(items)?;
            }
            op::EMPTY_LIST => self.push(taipan_object::list::List::new()?.upcast()),
            op::EMPTY_DICT => self.push(taipan_object::dict::Dict::new()?.upcast()),
            op::EMPTY_SET => self.push(taipan_types_collections::set::new_set(None)?.upcast()),
            op::LIST => {
                let items = self.pop_mark()?;
                self.push(taipan_object::list::List::from_vec(items)?.upcast());
            }
            op::PROTO => self.load_protocol()?,
            op::FRAME => self.load_frame()?,
            op::POP => self.load_pop()?,
            op::POP_MARK => self.pop_mark().map(drop)?,
            op::DUP => {
                let top = self.top()?.clone();
                self.push(top);
            }
            op::LONG1 => {
                let count = self.byte()?;
                self.load_long(count)?;
            }
            op::LONG4 => {
                let count = usize::try_from(self.i32()?).map_err(|_| Self::negative_count("LONG"))?;
                self.load_long(count)?;
            }
            op::SHORT_BINSTRING => {
                let count = self.byte()?;
                self.load_old_str(count)?;
            }
            op::BINSTRING => {
                let count = usize::try_from(self.i32()?).map_err(|_| Self::negative_count("BINSTRING"))?;
                self.load_old_str(count)?;
            }
            op::BINPERSID => {
                let id = self.pop()?;
                self.persistent(id)?;
            }
            op::EXT1 => {
                let code = self.byte()?;
                self.load_extension(code as i64)?;
            }
            op::EXT2 => {
                let code = self.u16()?;
                self.load_extension(code as i64)?;
            }
            op::EXT4 => {
                let code = self.i32()?;
                self.load_extension(code.into())?;
            }
            _ => self.step_rare(opcode)?,
        }
        Ok(())
    }
}
