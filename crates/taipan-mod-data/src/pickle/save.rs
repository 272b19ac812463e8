//! A run of pickling: the output with its frames, the atoms and the containers.

use super::buffer;
use super::memo::PickleMemo;
use super::op::{self, BATCH, FRAME_HEADER, FRAME_MIN, FRAME_TARGET, HIGHEST};
use super::shared::{Shared, pickling_error, with_note};
use std::collections::HashSet;
use taipan_object::buffer::{Buffer, is_contiguous};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::protocol::{iter_next, recursive, to_vec};
use taipan_object::singletons::{as_bool, is_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, abi, err, intern, native::Native, state};
use taipan_types_collections::set::AnySet;

/// Where recursion is reported.
const PLACE: &str = " while pickling an object";
/// How deep containers may nest in fast mode before cycles are looked for.
const FAST_LIMIT: usize = 50;

/// One run.
pub struct Save<'a> {
    memo: &'a PickleMemo,
    pub shared: &'static Shared,
    pub protocol: u8,
    pub bin: bool,
    pub fast: bool,
    pub fix_imports: bool,
    pub write: Option<Ref>,
    pub buffer_callback: Option<Ref>,
    pub dispatch_table: Option<Ref>,
    pub persistent_id: Option<Ref>,
    pub reducer_override: Option<Ref>,
    out: Vec<u8>,
    framing: bool,
    /// Where the header of the open frame stands.
    frame: Option<usize>,
    fast_depth: usize,
    fast_seen: HashSet<usize>,
}

/// The note on an item.
pub fn item_note(container: &Object, item: &str) -> String {
    format!("when serializing {} item {item}", container.ty().qualified_name())
}

impl<'a> Save<'a> {
    pub fn new(memo: &'a PickleMemo, protocol: u8, fix_imports: bool, shared: &'static Shared) -> Self {
        Save {
            memo,
            shared,
            protocol,
            bin: protocol > 0,
            fast: false,
            fix_imports,
            write: None,
            buffer_callback: None,
            dispatch_table: None,
            persistent_id: None,
            reducer_override: None,
            out: Vec::with_capacity(512),
            framing: false,
            frame: None,
            fast_depth: 0,
            fast_seen: HashSet::new(),
        }
    }

    /// Pickles an object; the bytes that have not gone to the file.
    pub fn dump(mut self, object: &Object) -> PyResult<Vec<u8>> {
        if self.protocol >= 2 {
            self.put(&[op::PROTO, self.protocol]);
            self.framing = self.protocol >= 4;
        }
        self.save(object, true)?;
        self.put(&[op::STOP]);
        self.close_frame();
        self.framing = false;
        self.flush()?;
        Ok(self.out)
    }

    /// Writes bytes that belong to one opcode.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.out.len());
            self.out.extend_from_slice(&[0; FRAME_HEADER]);
        }
        self.out.extend_from_slice(bytes);
    }

    fn close_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let body = start + FRAME_HEADER;
        let len = self.out.len() - body;
        if len < FRAME_MIN {
            self.out.copy_within(body.., start);
            self.out.truncate(start + len);
        } else if let Some(header) = self.out.get_mut(start..body) {
            header[0] = op::FRAME;
            header[1..].copy_from_slice(&(len as u64).to_le_bytes());
        }
    }

    /// Hands what is written to the file.
    fn flush(&mut self) -> PyResult<()> {
        let Some(write) = self.write.clone() else { return Ok(()) };
        let bytes = Bytes::new(&self.out)?;
        self.out.clear();
        write.call(&[&bytes]).map(drop)
    }

    /// Between objects: a frame that is large enough ends.
    fn boundary(&mut self) -> PyResult<()> {
        if let Some(start) = self.frame
            && self.out.len() - start - FRAME_HEADER >= FRAME_TARGET
        {
            self.close_frame();
            if self.write.is_some() {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes bytes with a header; large ones outside of frames and, if `payload` is given or made,
    /// straight to the file.
    fn put_large(&mut self, header: &[u8], data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        if data.len() < FRAME_TARGET {
            self.put(header);
            self.put(data);
            return Ok(());
        }
        self.close_frame();
        let framing = core::mem::replace(&mut self.framing, false);
        self.put(header);
        match self.write.clone() {
            Some(write) => {
                let made;
                let payload = match payload {
                    Some(payload) => payload,
                    None => {
                        made = Bytes::new(data)?;
                        &made
                    }
                };
                self.flush()?;
                write.call(&[payload])?;
            }
            None => self.put(data),
        }
        self.framing = framing;
        Ok(())
    }

    /// The number under which an object is remembered.
    pub fn remembered(&self, object: &Object) -> Option<usize> {
        self.memo.get(object)
    }

    /// Remembers an object that now lies on the reader's stack.
    pub fn memoize(&mut self, object: &Object) {
        if self.fast {
            return;
        }
        let number = self.memo.put(object);
        if self.protocol >= 4 {
            self.put(&[op::MEMOIZE]);
        } else {
            self.numbered(number, op::PUT, op::BINPUT, op::LONG_BINPUT);
        }
    }

    /// Fetches a remembered object.
    pub fn fetch(&mut self, number: usize) {
        self.numbered(number, op::GET, op::BINGET, op::LONG_BINGET);
    }

    fn numbered(&mut self, number: usize, text: u8, short: u8, long: u8) {
        if !self.bin {
            self.put(&[text]);
            self.put(format!("{number}\n").as_bytes());
        } else if let Ok(byte) = u8::try_from(number) {
            self.put(&[short, byte]);
        } else {
            // More than 2**32 objects do not fit into memory beside what they stand for.
            let [a, b, c, d] = (number as u32).to_le_bytes();
            self.put(&[long, a, b, c, d]);
        }
    }

    /// Pickles an object; `ask` whether it may have a persistent id.
    pub fn save(&mut self, object: &Object, ask: bool) -> PyResult<()> {
        self.boundary()?;
        if ask && let Some(persistent_id) = self.persistent_id.clone() {
            let id = persistent_id.call(&[object])?;
            if !is_none(&id) {
                return self.save_persistent(&id);
            }
        }
        let ty = object.ty();
        if let Some(text) = object.downcast::<Str>().filter(|_| ty.is(&PyUnicode_Type)) {
            return match self.remembered(object) {
                Some(number) => {
                    self.fetch(number);
                    Ok(())
                }
                None => self.save_str(text),
            };
        }
        if is_none(object) {
            self.put(&[op::NONE]);
            return Ok(());
        }
        if let Some(truth) = as_bool(object) {
            match (self.protocol >= 2, truth) {
                (true, true) => self.put(&[op::NEWTRUE]),
                (true, false) => self.put(&[op::NEWFALSE]),
                (false, true) => self.put(b"I01\n"),
                (false, false) => self.put(b"I00\n"),
            }
            return Ok(());
        }
        if let Some(int) = object.downcast::<Int>().filter(|_| ty.is(&PyLong_Type)) {
            return self.save_int(int);
        }
        if let Some(float) = object.downcast::<Float>().filter(|_| ty.is(&PyFloat_Type)) {
            return self.save_float(float);
        }
        if let Some(number) = self.remembered(object) {
            self.fetch(number);
            return Ok(());
        }
        if let Some(bytes) = object.downcast::<Bytes>().filter(|_| ty.is(&PyBytes_Type)) {
            return self.save_bytes(bytes);
        }
        recursive(PLACE, || self.save_container(object))
    }

    fn save_container(&mut self, object: &Object) -> PyResult<()> {
        let ty = object.ty();
        if ty.is(&PyDict_Type) {
            if let Some(dict) = object.downcast::<Dict>() {
                return self.save_dict(dict);
            }
        } else if ty.is(&PyList_Type) {
            if let Some(list) = object.downcast::<List>() {
                return self.save_list(list);
            }
        } else if ty.is(&PyTuple_Type) {
            if let Some(tuple) = object.downcast::<Tuple>() {
                return self.save_tuple(tuple);
            }
        } else if ty.is(&PySet_Type) || ty.is(&PyFrozenSet_Type) {
            if let Some(set) = object.downcast::<AnySet>() {
                return self.save_set(set, ty.is(&PyFrozenSet_Type));
            }
        } else if ty.is(&PyByteArray_Type) {
            if let Some(array) = object.downcast::<ByteArray>() {
                return self.save_bytearray(array);
            }
        } else if let Some(view) =
            object.downcast::<Native<buffer::PickleBuffer>>().filter(|_| ty.is(&PyPickleBuffer_Type))
        {
            return self.save_buffer(view);
        }
        self.save_other(object)
    }

    fn save_persistent(&mut self, id: &Object) -> PyResult<()> {
        if self.bin {
            self.save(id, false)?;
            self.put(&[op::BINPERSID]);
            return Ok(());
        }
        let text = id.str()?;
        let Some(text) = text.as_ascii() else {
            return Err(pickling_error("persistent IDs in protocol 0 must be ASCII strings"));
        };
        self.put(&[op::PERSID]);
        self.put(text.as_bytes());
        self.put(b"\n");
        Ok(())
    }

    fn save_int(&mut self, int: &Int) -> PyResult<()> {
        let small = int.to_i64().and_then(|value| i32::try_from(value).ok());
        if self.bin
            && let Some(value) = small
        {
            let [a, b, c, d] = value.to_le_bytes();
            match value {
                0..=0xff => self.put(&[op::BININT1, a]),
                0x100..=0xffff => self.put(&[op::BININT2, a, b]),
                _ => self.put(&[op::BININT, a, b, c, d]),
            }
            return Ok(());
        }
        if self.protocol < 2 {
            let text = int.repr()?;
            let text = text.as_ascii().unwrap_or_default();
            self.put(&[if small.is_some() { op::INT } else { op::LONG }]);
            self.put(text.as_bytes());
            self.put(if small.is_some() { b"\n" } else { b"L\n" });
            return Ok(());
        }
        let view = taipan_types_num::int::view(int);
        let bits = taipan_num::int::bit_length(view);
        let mut bytes = vec![0; usize::try_from(bits / 8 + 1).map_err(|_| err::memory_error())?];
        if bits > 0 {
            taipan_num::int::to_bytes(view, &mut bytes, true, true)
                .map_err(|_| err::overflow_error("int too large to pickle"))?;
        } else {
            bytes.clear();
        }
        if int.is_negative()
            && let [.., before, 0xff] = bytes[..]
            && before & 0x80 != 0
        {
            bytes.pop();
        }
        if let Ok(len) = u8::try_from(bytes.len()) {
            self.put(&[op::LONG1, len]);
            self.put(&bytes);
            return Ok(());
        }
        let len = i32::try_from(bytes.len()).map_err(|_| err::overflow_error("int too large to pickle"))?;
        let [a, b, c, d] = len.to_le_bytes();
        self.put(&[op::LONG4, a, b, c, d]);
        self.put(&bytes);
        Ok(())
    }

    fn save_float(&mut self, float: &Float) -> PyResult<()> {
        if self.bin {
            let mut bytes = [op::BINFLOAT; 9];
            bytes[1..].copy_from_slice(&float.value().to_be_bytes());
            self.put(&bytes);
            return Ok(());
        }
        let text = float.repr()?;
        self.put(&[op::FLOAT]);
        self.put(text.as_ascii().unwrap_or_default().as_bytes());
        self.put(b"\n");
        Ok(())
    }

    /// The header of a run of bytes: the shortest of the three forms.
    fn sized(
        &self,
        len: usize,
        short: Option<u8>,
        middle: Option<u8>,
        long: Option<u8>,
        what: &str,
    ) -> PyResult<([u8; 9], usize)> {
        let mut header = [0; 9];
        if let (Some(opcode), Ok(len)) = (short, u8::try_from(len)) {
            header[..2].copy_from_slice(&[opcode, len]);
            return Ok((header, 2));
        }
        if let (Some(opcode), Ok(len)) = (middle, u32::try_from(len)) {
            header[0] = opcode;
            header[1..5].copy_from_slice(&len.to_le_bytes());
            return Ok((header, 5));
        }
        let Some(opcode) = long else {
            return Err(err::overflow_error(&format!(
                "serializing a {what} larger than 4 GiB requires pickle protocol 4 or higher"
            )));
        };
        header[0] = opcode;
        header[1..].copy_from_slice(&(len as u64).to_le_bytes());
        Ok((header, 9))
    }

    fn put_bytes(&mut self, data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        let long = (self.protocol >= 4).then_some(op::BINBYTES8);
        let (header, len) =
            self.sized(data.len(), Some(op::SHORT_BINBYTES), Some(op::BINBYTES), long, "bytes object")?;
        self.put_large(&header[..len], data, payload)
    }

    fn put_bytearray(&mut self, data: &[u8], payload: Option<&Object>) -> PyResult<()> {
        let (header, len) = self.sized(data.len(), None, None, Some(op::BYTEARRAY8), "bytearray")?;
        self.put_large(&header[..len], data, payload)
    }

    fn save_bytes(&mut self, bytes: &Bytes) -> PyResult<()> {
        if self.protocol >= 3 {
            self.put_bytes(bytes.as_slice(), Some(bytes))?;
            self.memoize(bytes);
            return Ok(());
        }
        if bytes.is_empty() {
            return self.reduce_call(PyBytes_Type.new_ref().upcast(), Tuple::empty(), bytes);
        }
        let text = Str::from_latin1(bytes.as_slice())?;
        let encoding = intern!("latin1").new_ref();
        let args = Tuple::from_array([text.upcast(), encoding])?;
        self.reduce_call(self.shared.codecs_encode.clone(), args, bytes)
    }

    fn save_bytearray(&mut self, array: &ByteArray) -> PyResult<()> {
        let data = array.to_vec();
        if self.protocol >= 5 {
            self.put_bytearray(&data, Some(array))?;
            self.memoize(array);
            return Ok(());
        }
        let args = match data.is_empty() {
            true => Tuple::empty(),
            false => Tuple::from_array([Bytes::new(&data)?.upcast()])?,
        };
        self.reduce_call(PyByteArray_Type.new_ref().upcast(), args, array)
    }

    fn save_buffer(&mut self, view: &buffer::View) -> PyResult<()> {
        if self.protocol < 5 {
            return Err(pickling_error("PickleBuffer can only be pickled with protocol >= 5"));
        }
        // A hold of our own: the callback may release the object's.
        let held = Buffer::get(view.object(), abi::PyBUF_FULL_RO)?;
        let read_only = held.view().readonly != 0;
        if !is_contiguous(held.view(), b'A') {
            return Err(pickling_error(
                "PickleBuffer can not be pickled when pointing to a non-contiguous buffer",
            ));
        }
        let in_band = match self.buffer_callback.clone() {
            Some(callback) => callback.call(&[view.object()])?.is_true()?,
            None => true,
        };
        if !in_band {
            self.put(&[op::NEXT_BUFFER]);
            if read_only {
                self.put(&[op::READONLY_BUFFER]);
            }
            return Ok(());
        }
        if read_only {
            self.put_bytes(held.as_slice(), None)?;
        } else {
            self.put_bytearray(held.as_slice(), None)?;
        }
        self.memoize(view.object());
        Ok(())
    }

    fn save_str(&mut self, text: &Str) -> PyResult<()> {
        if !self.bin {
            let mut out = vec![op::UNICODE];
            for c in text.code_points() {
                match c {
                    0x5c | 0 | 10 | 13 | 0x1a | 0x100..=0xffff => {
                        out.extend_from_slice(format!("\\u{c:04x}").as_bytes());
                    }
                    0x10000.. => out.extend_from_slice(format!("\\U{c:08x}").as_bytes()),
                    byte => out.push(byte as u8),
                }
            }
            out.push(b'\n');
            self.put(&out);
        } else if let Some(utf8) = text.as_utf8() {
            self.put_utf8(utf8.as_bytes())?;
        } else {
            let encode = state::interp().hooks.get().encode;
            let encoded = encode(text, "utf-8", "surrogatepass")?;
            let encoded = encoded.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
            self.put_utf8(encoded)?;
        }
        self.memoize(text);
        Ok(())
    }

    fn put_utf8(&mut self, data: &[u8]) -> PyResult<()> {
        let four = self.protocol >= 4;
        let (header, len) = self.sized(
            data.len(),
            four.then_some(op::SHORT_BINUNICODE),
            Some(op::BINUNICODE),
            four.then_some(op::BINUNICODE8),
            "string",
        )?;
        self.put_large(&header[..len], data, None)
    }

    fn save_tuple(&mut self, tuple: &Tuple) -> PyResult<()> {
        let len = tuple.len();
        if len == 0 {
            self.put(if self.bin { &[op::EMPTY_TUPLE] } else { &[op::MARK, op::TUPLE] });
            return Ok(());
        }
        let short = len <= 3 && self.protocol >= 2;
        if !short {
            self.put(&[op::MARK]);
        }
        for (index, item) in tuple.items().iter().enumerate() {
            self.save(item, true).map_err(|error| with_note(error, &item_note(tuple, &index.to_string())))?;
        }
        // A tuple that contains itself was pickled on the way: what lies on the stack is not needed.
        if let Some(number) = self.remembered(tuple) {
            if !short && self.bin {
                self.put(&[op::POP_MARK]);
            } else {
                for _ in 0..len + usize::from(!short) {
                    self.put(&[op::POP]);
                }
            }
            self.fetch(number);
            return Ok(());
        }
        self.put(&[match (short, len) {
            (true, 1) => op::TUPLE1,
            (true, 2) => op::TUPLE2,
            (true, _) => op::TUPLE3,
            _ => op::TUPLE,
        }]);
        self.memoize(tuple);
        Ok(())
    }

    /// In fast mode, notes that a container is entered.
    fn enter(&mut self, object: &Object) -> PyResult<()> {
        self.fast_depth += 1;
        if self.fast_depth >= FAST_LIMIT && !self.fast_seen.insert(object.as_ptr().addr()) {
            return Err(err::value_error(&format!(
                "fast mode: can't pickle cyclic objects including object type {} at {:#x}",
                object.ty().message_name(),
                object.as_ptr().addr()
            )));
        }
        Ok(())
    }

    fn leave(&mut self, object: &Object) {
        if self.fast_depth >= FAST_LIMIT {
            self.fast_seen.remove(&object.as_ptr().addr());
        }
        self.fast_depth -= 1;
    }

    /// Runs with a container entered, in fast mode.
    fn inside(&mut self, object: &Object, run: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        if !self.fast {
            return run(self);
        }
        self.enter(object)?;
        let done = run(self);
        self.leave(object);
        done
    }

    fn save_list(&mut self, list: &List) -> PyResult<()> {
        self.inside(list, |run| {
            run.put(if run.bin { &[op::EMPTY_LIST] } else { &[op::MARK, op::LIST] });
            run.memoize(list);
            if list.is_empty() {
                return Ok(());
            }
            if run.protocol == 0 {
                return run.batch_append(&*list.iter()?, list);
            }
            run.batch_list(list)
        })
    }

    fn save_item(&mut self, item: &Object, container: &Object, index: usize) -> PyResult<()> {
        self.save(item, true).map_err(|error| with_note(error, &item_note(container, &index.to_string())))
    }

    /// The items of an exact list; it may change meanwhile.
    fn batch_list(&mut self, list: &List) -> PyResult<()> {
        if list.len() == 1
            && let Some(item) = list.get(0)
        {
            self.save_item(&item, list, 0)?;
            self.put(&[op::APPEND]);
            return Ok(());
        }
        let mut index = 0;
        loop {
            self.put(&[op::MARK]);
            let end = index + BATCH;
            while index < end
                && let Some(item) = list.get(index)
            {
                self.save_item(&item, list, index)?;
                index += 1;
            }
            self.put(&[op::APPENDS]);
            if index >= list.len() {
                return Ok(());
            }
        }
    }

    /// The items that an iterator gives, to be appended to the object on the stack.
    pub fn batch_append(&mut self, iterator: &Object, container: &Object) -> PyResult<()> {
        let mut index = 0;
        if self.protocol == 0 {
            while let Some(item) = iter_next(iterator)? {
                self.save_item(&item, container, index)?;
                self.put(&[op::APPEND]);
                index += 1;
            }
            return Ok(());
        }
        loop {
            let Some(first) = iter_next(iterator)? else { return Ok(()) };
            let Some(second) = iter_next(iterator)? else {
                self.save_item(&first, container, index)?;
                self.put(&[op::APPEND]);
                return Ok(());
            };
            self.put(&[op::MARK]);
            self.save_item(&first, container, index)?;
            index += 1;
            let mut next = Some(second);
            let mut count = 1;
            while let Some(item) = next {
                self.save_item(&item, container, index)?;
                index += 1;
                count += 1;
                next = if count == BATCH { None } else { iter_next(iterator)? };
            }
            self.put(&[op::APPENDS]);
            if count < BATCH {
                return Ok(());
            }
        }
    }

    fn save_dict(&mut self, dict: &Dict) -> PyResult<()> {
        self.inside(dict, |run| {
            run.put(if run.bin { &[op::EMPTY_DICT] } else { &[op::MARK, op::DICT] });
            run.memoize(dict);
            if dict.is_empty() {
                return Ok(());
            }
            if run.protocol == 0 {
                let items = dict.call_method(intern!("items"), &[])?;
                return run.batch_store(&*items.iter()?, dict);
            }
            run.batch_dict(dict)
        })
    }

    fn save_pair(&mut self, key: &Object, value: &Object, container: &Object) -> PyResult<()> {
        self.save(key, true)?;
        self.save(value, true).map_err(|error| with_note(error, &item_note(container, &key.repr_lossy())))
    }

    fn batch_dict(&mut self, dict: &Dict) -> PyResult<()> {
        let size = dict.len();
        let mut position = 0;
        if size == 1
            && let Some((key, value)) = dict.next(&mut position)
        {
            self.save_pair(&key, &value, dict)?;
            self.put(&[op::SETITEM]);
            return Ok(());
        }
        loop {
            let mut count = 0;
            self.put(&[op::MARK]);
            while count < BATCH
                && let Some((key, value)) = dict.next(&mut position)
            {
                self.save_pair(&key, &value, dict)?;
                count += 1;
            }
            self.put(&[op::SETITEMS]);
            if dict.len() != size {
                return Err(err::runtime_error("dictionary changed size during iteration"));
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    /// The pairs that an iterator gives, to be stored in the object on the stack.
    pub fn batch_store(&mut self, iterator: &Object, container: &Object) -> PyResult<()> {
        let store = |run: &mut Self, item: &Object| match item.downcast::<Tuple>().map(Tuple::items) {
            Some(&[key, value]) => run.save_pair(key, value, container),
            _ => Err(err::type_error("dict items iterator must return 2-tuples")),
        };
        if self.protocol == 0 {
            while let Some(item) = iter_next(iterator)? {
                store(self, &item)?;
                self.put(&[op::SETITEM]);
            }
            return Ok(());
        }
        loop {
            let Some(first) = iter_next(iterator)? else { return Ok(()) };
            let Some(second) = iter_next(iterator)? else {
                store(self, &first)?;
                self.put(&[op::SETITEM]);
                return Ok(());
            };
            self.put(&[op::MARK]);
            store(self, &first)?;
            let mut next = Some(second);
            let mut count = 1;
            while let Some(item) = next {
                store(self, &item)?;
                count += 1;
                next = if count == BATCH { None } else { iter_next(iterator)? };
            }
            self.put(&[op::SETITEMS]);
            if count < BATCH {
                return Ok(());
            }
        }
    }

    fn save_set(&mut self, set: &AnySet, frozen: bool) -> PyResult<()> {
        let noted = |error: PyErr| {
            with_note(error, &format!("when serializing {} element", set.ty().qualified_name()))
        };
        if self.protocol < 4 {
            let items = List::from_vec(to_vec(set)?)?;
            let args = Tuple::from_array([items.upcast()])?;
            return self.reduce_call(set.ty().new_ref(), args, set);
        }
        let size = set.len();
        let mut position = 0;
        if frozen {
            self.inside(set, |run| {
                run.put(&[op::MARK]);
                while let Some((item, _)) = set.next(&mut position) {
                    run.save(&item, true).map_err(noted)?;
                }
                Ok(())
            })?;
            if let Some(number) = self.remembered(set) {
                self.put(&[op::POP_MARK]);
                self.fetch(number);
                return Ok(());
            }
            self.put(&[op::FROZENSET]);
            self.memoize(set);
            return Ok(());
        }
        self.put(&[op::EMPTY_SET]);
        self.memoize(set);
        if size == 0 {
            return Ok(());
        }
        loop {
            let mut count = 0;
            self.put(&[op::MARK]);
            while count < BATCH
                && let Some((item, _)) = set.next(&mut position)
            {
                self.save(&item, true).map_err(noted)?;
                count += 1;
            }
            self.put(&[op::ADDITEMS]);
            if set.len() != size {
                return Err(err::runtime_error("set changed size during iteration"));
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    /// Pickles an object as the call that makes it.
    pub fn reduce_call(&mut self, callable: Ref, args: Ref<Tuple>, object: &Object) -> PyResult<()> {
        let value = Tuple::from_array([callable, args.upcast()])?;
        self.save_reduce(&value, Some(object))
    }
}

const _: () = assert!(HIGHEST == 5);
