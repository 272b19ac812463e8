//! The `marshal` module: values and code objects as bytes, both ways, over objects.
//!
//! Problem: `.pyc` files, frozen modules and `marshal.dumps` need one format, and its input may be hostile.
//! Idea: one reader over a byte slice that checks every length before it allocates, and one writer that
//! remembers objects by address, so that shared ones become references (format version 3 and later).
//! Invariants: a place in the reference table is taken before the children of its object are read, and is
//! empty until the object is complete; both sides stop at the same depth.

use std::collections::HashMap;
use taipan_eval::code::{Code, Parts};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{eof_error, type_error, value_error};
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{self, bool_object, ellipsis, is_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, PyResult, Ref, intern, protocol, state};

const VERSION: i32 = 5;
const MAX_DEPTH: usize = 2000;

/// Threads with small stacks cannot go down that far.
fn stack_is_short() -> bool {
    state::stack_left() == 0
}
const FLAG_REF: u8 = 0x80;

// Reading.

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    refs: Vec<Option<Ref>>,
    depth: usize,
    allow_code: bool,
    /// The bytes are our own: code objects among them need not be verified.
    trusted: bool,
}

/// The object that bytes within this program describe.
///
/// # Errors
/// As [`loads`].
pub(crate) fn loads_own(data: &[u8]) -> PyResult {
    let mut reader = Reader { data, at: 0, refs: Vec::new(), depth: 0, allow_code: true, trusted: true };
    match reader.object()? {
        Some(object) => Ok(object),
        None => Err(type_error("NULL object in marshal data for object")),
    }
}

/// The object that marshalled bytes describe, and how many bytes it took.
///
/// # Errors
/// `EOFError`, `ValueError` or `TypeError` for bytes that describe none.
pub fn loads(data: &[u8], allow_code: bool) -> PyResult<(Ref, usize)> {
    let mut reader = Reader { data, at: 0, refs: Vec::new(), depth: 0, allow_code, trusted: false };
    match reader.object()? {
        Some(object) => Ok((object, reader.at)),
        None => Err(type_error("NULL object in marshal data for object")),
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> PyResult<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.data.len());
        let Some(end) = end else { return Err(eof_error("marshal data too short")) };
        let taken = &self.data[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> PyResult<u8> {
        Ok(self.take(1)?[0])
    }

    fn long(&mut self) -> PyResult<i32> {
        let bytes = self.take(4)?;
        Ok(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn f64(&mut self) -> PyResult<f64> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8)?);
        Ok(f64::from_le_bytes(word))
    }

    /// A float as text, after its length byte.
    fn text_float(&mut self) -> PyResult<f64> {
        let length = self.byte()?;
        let text = self.take(usize::from(length))?;
        core::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| value_error("bad marshal data (invalid float)"))
    }

    fn size(&mut self, what: &str) -> PyResult<usize> {
        let size = self.long()?;
        usize::try_from(size)
            .map_err(|_| value_error(&format!("bad marshal data ({what} size out of range)")))
    }

    fn object(&mut self) -> PyResult<Option<Ref>> {
        let Some(&code) = self.data.get(self.at) else {
            return Err(eof_error("EOF read where object expected"));
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH || stack_is_short() {
            return Err(value_error("recursion limit exceeded"));
        }
        let kind = code & !FLAG_REF;
        let keep = code & FLAG_REF != 0;
        let object = match kind {
            b'0' => None,
            b'N' => Some(singletons::new_none()),
            b'S' => Some(PyExc_StopIteration.new_ref()),
            b'.' => Some(ellipsis().new_ref()),
            b'F' => Some(bool_object(false).new_ref()),
            b'T' => Some(bool_object(true).new_ref()),
            b'r' => {
                let index = usize::try_from(self.long()?).unwrap_or(usize::MAX);
                match self.refs.get(index) {
                    Some(Some(object)) => Some(object.clone()),
                    _ => return Err(value_error("bad marshal data (invalid reference)")),
                }
            }
            _ => {
                // Containers reserve their place before their children take the next ones.
                let place = keep.then(|| {
                    self.refs.push(None);
                    self.refs.len() - 1
                });
                let object = self.value(kind, place)?;
                if let Some(place) = place {
                    self.refs[place] = Some(object.clone());
                }
                Some(object)
            }
        };
        self.depth -= 1;
        Ok(object)
    }

    fn required(&mut self, what: &str) -> PyResult {
        match self.object()? {
            Some(object) => Ok(object),
            None => Err(type_error(&format!("NULL object in marshal data for {what}"))),
        }
    }

    fn value(&mut self, kind: u8, place: Option<usize>) -> PyResult {
        Ok(match kind {
            b'i' => Int::from_i64(i64::from(self.long()?)).upcast(),
            b'I' => {
                let (low, high) = (self.long()?.cast_unsigned(), self.long()?);
                Int::from_i64(i64::from(high) << 32 | i64::from(low)).upcast()
            }
            b'l' => self.big_int()?,
            b'f' => Float::new(self.text_float()?).upcast(),
            b'g' => Float::new(self.f64()?).upcast(),
            b'x' => Complex::new(self.text_float()?, self.text_float()?)?.upcast(),
            b'y' => Complex::new(self.f64()?, self.f64()?)?.upcast(),
            b's' => {
                let size = self.size("bytes object")?;
                Bytes::new(self.take(size)?)?.upcast()
            }
            b'a' | b'A' => {
                let size = self.size("string")?;
                Self::text(self.take(size)?, kind == b'A')?.upcast()
            }
            b'z' | b'Z' => {
                let size = usize::from(self.byte()?);
                Self::text(self.take(size)?, kind == b'Z')?.upcast()
            }
            b'u' | b't' => {
                let size = self.size("string")?;
                let text = wtf8(self.take(size)?)?;
                if kind == b't' { unicode::intern(text).upcast() } else { text.upcast() }
            }
            b')' => {
                let count = usize::from(self.byte()?);
                Tuple::from_vec(self.items(count, "tuple")?)?.upcast()
            }
            b'(' => {
                let count = self.size("tuple")?;
                Tuple::from_vec(self.items(count, "tuple")?)?.upcast()
            }
            b'[' => {
                let count = self.size("list")?;
                let list = List::new()?;
                self.early(place, &list);
                for _ in 0..count {
                    list.append(self.required("list")?)?;
                }
                list.upcast()
            }
            b'{' => {
                let dict = Dict::new()?;
                self.early(place, &dict);
                while let Some(key) = self.object()? {
                    let Some(value) = self.object()? else { break };
                    dict.set(&key, &value)?;
                }
                dict.upcast()
            }
            b'<' | b'>' => self.set(kind == b'>', place)?,
            b':' => {
                let (start, stop, step) =
                    (self.required("slice")?, self.required("slice")?, self.required("slice")?);
                PySlice_Type.call(&[&start, &stop, &step])?
            }
            b'c' => {
                if !self.allow_code {
                    return Err(value_error("unmarshalling code objects is disallowed"));
                }
                self.code()?
            }
            _ => return Err(value_error("bad marshal data (unknown type code)")),
        })
    }

    /// Lets children refer to the container that is being read.
    fn early(&mut self, place: Option<usize>, object: &Object) {
        if let Some(place) = place {
            self.refs[place] = Some(object.new_ref());
        }
    }

    fn text(data: &[u8], interned: bool) -> PyResult<Ref<Str>> {
        let text = Str::from_latin1(data)?;
        Ok(if interned { unicode::intern(text) } else { text })
    }

    fn items(&mut self, count: usize, what: &str) -> PyResult<Vec<Ref>> {
        // Each item takes at least one byte: a count beyond that is a lie, found before allocating.
        let mut items = Vec::with_capacity(count.min(self.data.len() - self.at));
        for _ in 0..count {
            items.push(self.required(what)?);
        }
        Ok(items)
    }

    fn set(&mut self, frozen: bool, place: Option<usize>) -> PyResult {
        let count = self.size("set")?;
        if frozen {
            let items = List::from_vec(self.items(count, "set")?)?;
            return PyFrozenSet_Type.call(&[&items]);
        }
        let set = PySet_Type.call(&[])?;
        self.early(place, &set);
        for _ in 0..count {
            let item = self.required("set")?;
            set.call_method(intern!("add"), &[&item])?;
        }
        Ok(set)
    }

    /// Digits of 15 bits, least significant first.
    fn big_int(&mut self) -> PyResult {
        let size = self.long()?;
        let count = size.unsigned_abs() as usize;
        let data = self.take(count.saturating_mul(2))?;
        let mut digits: Vec<u32> = Vec::with_capacity(count.div_ceil(2));
        for (index, pair) in data.chunks_exact(2).enumerate() {
            let digit = u32::from(u16::from_le_bytes([pair[0], pair[1]]));
            if digit > 0x7FFF {
                return Err(value_error("bad marshal data (digit out of range in long)"));
            }
            if index % 2 == 0 {
                digits.push(digit);
            } else if let Some(last) = digits.last_mut() {
                *last |= digit << 15;
            }
        }
        if count > 0 && data[data.len() - 2..] == [0, 0] {
            return Err(value_error("bad marshal data (unnormalized long data)"));
        }
        Ok(Int::from_digits(size < 0, &digits)?.upcast())
    }

    fn typed<T: taipan_object::handle::Layout>(&mut self) -> PyResult<Ref<T>> {
        self.required("code")?.downcast_owned().map_err(|_| type_error("bad marshal data (wrong type)"))
    }

    fn code(&mut self) -> PyResult {
        let number = |reader: &mut Self| -> PyResult<u32> {
            let value = reader.long()?;
            u32::try_from(value).map_err(|_| value_error("code: invalid number"))
        };
        let argcount = number(self)?;
        let posonlyargcount = number(self)?;
        let kwonlyargcount = number(self)?;
        let stacksize = number(self)?;
        let flags = self.long()?.cast_unsigned();
        let code: Ref<Bytes> = self.typed()?;
        let consts: Ref<Tuple> = self.typed()?;
        let names: Ref<Tuple> = self.typed()?;
        let localsplusnames: Ref<Tuple> = self.typed()?;
        let localspluskinds: Ref<Bytes> = self.typed()?;
        let filename: Ref<Str> = self.typed()?;
        let name: Ref<Str> = self.typed()?;
        let qualname: Ref<Str> = self.typed()?;
        let firstlineno = self.long()?;
        let linetable: Ref<Bytes> = self.typed()?;
        let exceptiontable: Ref<Bytes> = self.typed()?;
        let all_text = |names: &Tuple| names.items().iter().all(|name| name.downcast::<Str>().is_some());
        if localspluskinds.len() != localsplusnames.len()
            || !all_text(&names)
            || !all_text(&localsplusnames)
            || !code.len().is_multiple_of(2)
            || code.is_empty()
        {
            return Err(value_error("code: inconsistent data"));
        }
        let bytes = code.clone();
        let parts = Parts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code: bytes.as_slice(),
            consts,
            names,
            localsplusnames,
            localspluskinds,
            filename,
            name,
            qualname,
            firstlineno,
            linetable,
            exceptiontable,
        };
        let made = Code::from_parts(parts)?;
        if !self.trusted {
            made.distrust();
        }
        Ok(made.upcast())
    }
}

/// UTF-8 in which lone surrogates may stand.
fn wtf8(data: &[u8]) -> PyResult<Ref<Str>> {
    match core::str::from_utf8(data) {
        Ok(text) => Str::from_utf8(text),
        Err(_) => {
            let decode = state::interp().hooks.get().decode;
            decode(data, "utf-8", "surrogatepass")?
                .downcast_owned()
                .map_err(|_| type_error("bad marshal data (string expected)"))
        }
    }
}

// Writing.

struct Writer {
    out: Vec<u8>,
    version: i32,
    /// Index of each shared object by its address; the objects live as long as the root does.
    seen: HashMap<usize, i32>,
    /// Keeps temporaries alive whose addresses stand in `seen`.
    kept: Vec<Ref>,
    depth: usize,
    allow_code: bool,
}

/// The marshalled form of an object.
///
/// # Errors
/// `ValueError` for what has none.
pub fn dumps(object: &Object, version: i32, allow_code: bool) -> PyResult<Vec<u8>> {
    let mut writer =
        Writer { out: Vec::new(), version, seen: HashMap::new(), kept: Vec::new(), depth: 0, allow_code };
    writer.object(object)?;
    Ok(writer.out)
}

fn unmarshallable() -> taipan_object::PyErr {
    value_error("unmarshallable object")
}

impl Writer {
    fn long(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> PyResult<()> {
        match i32::try_from(size) {
            Ok(size) => {
                self.long(size);
                Ok(())
            }
            Err(_) => Err(unmarshallable()),
        }
    }

    fn object(&mut self, object: &Object) -> PyResult<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || stack_is_short() {
            return Err(value_error("object too deeply nested to marshal"));
        }
        if is_none(object) {
            self.out.push(b'N');
        } else if object.is(bool_object(true)) {
            self.out.push(b'T');
        } else if object.is(bool_object(false)) {
            self.out.push(b'F');
        } else if object.is(ellipsis()) {
            self.out.push(b'.');
        } else if object.is(&PyExc_StopIteration) {
            self.out.push(b'S');
        } else {
            let at = self.out.len();
            if !self.reference(object) {
                // Only objects that can be met again are worth a place in the reader's table.
                let flag = if self.version >= 3 && object.refcount() > 1 {
                    let index = self.seen.len() as i32;
                    self.seen.insert(object.as_ptr().addr(), index);
                    self.kept.push(object.new_ref());
                    FLAG_REF
                } else {
                    0
                };
                self.value(object)?;
                self.out[at] |= flag;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn reference(&mut self, object: &Object) -> bool {
        match self.seen.get(&object.as_ptr().addr()).copied() {
            Some(index) if self.version >= 3 => {
                self.out.push(b'r');
                self.long(index);
                true
            }
            _ => false,
        }
    }

    fn float(&mut self, value: f64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn value(&mut self, object: &Object) -> PyResult<()> {
        if object.is_exact(&PyLong_Type) {
            if let Some(int) = object.downcast::<Int>() {
                self.int(int)?;
            }
        } else if object.is_exact(&PyFloat_Type) {
            self.out.push(b'g');
            self.float(object.to_f64()?);
        } else if let Some(complex) = object.downcast::<Complex>().filter(|c| c.is_exact(&PyComplex_Type)) {
            let (real, imag) = complex.value();
            self.out.push(b'y');
            self.float(real);
            self.float(imag);
        } else if let Some(bytes) = object.downcast::<Bytes>().filter(|b| b.is_exact(&PyBytes_Type)) {
            self.out.push(b's');
            self.bytes(bytes.as_slice())?;
        } else if let Some(text) = object.downcast::<Str>().filter(|t| t.is_exact(&PyUnicode_Type)) {
            self.text(text)?;
        } else if let Some(tuple) = object.downcast::<Tuple>().filter(|t| t.is_exact(&PyTuple_Type)) {
            if self.version >= 4 && tuple.len() < 256 {
                self.out.push(b')');
                self.out.push(tuple.len() as u8);
            } else {
                self.out.push(b'(');
                self.size(tuple.len())?;
            }
            for item in tuple.items() {
                self.object(item)?;
            }
        } else if let Some(list) = object.downcast::<List>().filter(|l| l.is_exact(&PyList_Type)) {
            self.out.push(b'[');
            let items = list.to_vec();
            self.size(items.len())?;
            for item in &items {
                self.object(item)?;
            }
        } else if let Some(dict) = object.downcast::<Dict>().filter(|d| d.is_exact(&PyDict_Type)) {
            self.out.push(b'{');
            for (key, value) in dict.items_vec() {
                self.object(&key)?;
                self.object(&value)?;
            }
            self.out.push(b'0');
        } else if object.is_exact(&PySet_Type) || object.is_exact(&PyFrozenSet_Type) {
            self.set(object)?;
        } else if object.is_exact(&PySlice_Type) && self.version >= 5 {
            self.out.push(b':');
            for name in [intern!("start"), intern!("stop"), intern!("step")] {
                let part = object.getattr(name)?;
                self.object(&part)?;
            }
        } else if let Some(code) = object.downcast::<Code>() {
            if !self.allow_code {
                return Err(value_error("marshalling code objects is disallowed"));
            }
            self.code(code)?;
        } else if taipan_object::buffer::has_buffer(object) {
            let buffer =
                Buffer::get(object, taipan_object::abi::PyBUF_SIMPLE).map_err(|_| unmarshallable())?;
            self.out.push(b's');
            self.bytes(buffer.as_slice())?;
        } else {
            return Err(unmarshallable());
        }
        Ok(())
    }

    fn bytes(&mut self, data: &[u8]) -> PyResult<()> {
        self.size(data.len())?;
        self.out.extend_from_slice(data);
        Ok(())
    }

    fn int(&mut self, int: &Int) -> PyResult<()> {
        if let Some(small) = int.to_i64().and_then(|value| i32::try_from(value).ok()) {
            self.out.push(b'i');
            self.long(small);
            return Ok(());
        }
        let mut halves: Vec<u16> = Vec::new();
        for digit in int.digits() {
            halves.push((digit & 0x7FFF) as u16);
            halves.push((digit >> 15) as u16);
        }
        while halves.last() == Some(&0) {
            halves.pop();
        }
        let count = i32::try_from(halves.len()).map_err(|_| unmarshallable())?;
        self.out.push(b'l');
        self.long(if int.is_negative() { -count } else { count });
        for half in halves {
            self.out.extend_from_slice(&half.to_le_bytes());
        }
        Ok(())
    }

    fn text(&mut self, text: &Str) -> PyResult<()> {
        let interned = text.is_interned();
        if self.version >= 4
            && let Some(ascii) = text.as_ascii()
        {
            if ascii.len() < 256 {
                self.out.push(if interned { b'Z' } else { b'z' });
                self.out.push(ascii.len() as u8);
                self.out.extend_from_slice(ascii.as_bytes());
            } else {
                self.out.push(if interned { b'A' } else { b'a' });
                self.bytes(ascii.as_bytes())?;
            }
            return Ok(());
        }
        self.out.push(if self.version >= 3 && interned { b't' } else { b'u' });
        match text.as_utf8() {
            Some(utf8) => self.bytes(utf8.as_bytes()),
            None => {
                let encode = state::interp().hooks.get().encode;
                let encoded = encode(text, "utf-8", "surrogatepass")?;
                match encoded.downcast::<Bytes>() {
                    Some(bytes) => self.bytes(bytes.as_slice()),
                    None => Err(unmarshallable()),
                }
            }
        }
    }

    /// Sets are written in the order of their items' own marshalled forms, so that equal sets of one
    /// process and the next give equal bytes.
    fn set(&mut self, object: &Object) -> PyResult<()> {
        self.out.push(if object.is_exact(&PyFrozenSet_Type) { b'>' } else { b'<' });
        let mut items = Vec::new();
        let content = protocol::to_vec(object)?;
        let count = content.len();
        for item in content {
            items.push((dumps(&item, self.version, self.allow_code)?, item));
            // Items can be made to give their bytes by Python code.
            if object.len()? != count {
                return Err(taipan_object::err::runtime_error("set changed size during iteration"));
            }
        }
        items.sort_by(|a, b| a.0.cmp(&b.0));
        self.size(items.len())?;
        for (_, item) in items {
            self.object(&item)?;
        }
        Ok(())
    }

    fn code(&mut self, code: &Code) -> PyResult<()> {
        self.out.push(b'c');
        self.long(code.argcount() as i32);
        self.long(code.posonlyargcount() as i32);
        self.long(code.kwonlyargcount() as i32);
        let stacksize = code.getattr(intern!("co_stacksize"))?.to_i32()?;
        self.long(stacksize);
        self.long(code.flags().cast_signed());
        let original = Bytes::new(&code.original_code())?;
        self.object(&original)?;
        self.object(code.consts())?;
        self.object(code.names())?;
        self.object(code.localsplusnames())?;
        let kinds = Bytes::new(code.localspluskinds())?;
        self.object(&kinds)?;
        self.object(code.filename())?;
        self.object(code.name())?;
        self.object(code.qualname())?;
        self.long(code.firstlineno());
        let table = Bytes::new(code.linetable())?;
        self.object(&table)?;
        let table = Bytes::new(code.exceptiontable())?;
        self.object(&table)
    }
}

// The module.

fn py_dumps(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let data = dumps(args.required(0), args.i32_or(1, VERSION)?, args.bool_or(2, true)?)?;
    Bytes::new(&data)
}

fn py_dump(_: &Object, args: &Args<'_>) -> PyResult {
    let data = dumps(args.required(0), args.i32_or(2, VERSION)?, args.bool_or(3, true)?)?;
    args.required(1).call_method(intern!("write"), &[&*Bytes::new(&data)?])
}

fn py_loads(_: &Object, args: &Args<'_>) -> PyResult {
    let data = Buffer::simple(args.required(0))?.to_vec();
    Ok(loads(&data, args.bool_or(1, true)?)?.0)
}

/// Reads one object from a file, and leaves the file right behind it where it can seek.
fn py_load(_: &Object, args: &Args<'_>) -> PyResult {
    let file = args.required(0);
    let probe = file.call_method(intern!("read"), &[&Int::from_i64(0)])?;
    if probe.downcast::<Bytes>().is_none() {
        return Err(taipan_object::raise!(
            PyExc_TypeError,
            "file.read() returned not bytes but {}",
            probe.ty().message_name()
        ));
    }
    let start = file.call_method(intern!("tell"), &[])?;
    let data = file.call_method(intern!("read"), &[])?;
    let data = Buffer::simple(&data)?.to_vec();
    let (object, used) = loads(&data, args.bool_or(1, true)?)?;
    let place = protocol::binary_op(&start, &Int::from_usize(used), protocol::BinaryOp::Add)?;
    file.call_method(intern!("seek"), &[&place])?;
    Ok(object)
}

taipan_object::methods! { static METHODS = {
    args "dump" "($module, value, file, version=5, /, *, allow_code=True)" = py_dump, "Write a value to a binary file.";
    args "load" "($module, file, /, *, allow_code=True)" = py_load, "Read one value from a binary file.";
    args "dumps" "($module, value, version=5, /, *, allow_code=True)" = py_dumps, "The bytes that dump() would write.";
    args "loads" "($module, bytes, /, *, allow_code=True)" = py_loads, "The value that these bytes describe; what follows is ignored.";
} }

fn init(module: &Module) -> PyResult<()> {
    module.add("version", &Int::from_i64(i64::from(VERSION)))
}

/// `marshal`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "marshal",
    doc: "Values and code objects as bytes, in the format of .pyc files.",
    methods: METHODS,
    init,
};
