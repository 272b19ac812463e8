//! Marshal (format 5): code objects and constants as bytes, and back.
//!
//! An object that occurs several times is written once and referred to afterwards. CPython decides by reference
//! counts whether a first occurrence may be referred to at all; [`dumps`] counts occurrences instead, and knows
//! which objects CPython keeps forever (small integers, empty and one-character values) or interns.
//!
//! [`loads`] takes hostile input: lengths are checked against what is left, nesting is limited, and references must
//! go back to finished objects.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::code::{BigInt, Code, Constant, PyStr, PyStrBuilder};

/// The version written.
pub const VERSION: u32 = 5;
/// The first four bytes of a `.pyc` file.
pub const MAGIC: [u8; 4] = [0x2b, 0x0e, 0x0d, 0x0a];
/// Nesting beyond this is refused.
const MAX_DEPTH: u32 = 2000;

const FLAG_REF: u8 = 0x80;
const SMALL_INTS: std::ops::RangeInclusive<i64> = -5..=1024;

/// What validates a cached `.pyc` file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validation {
    /// Time of last change and size of the source.
    Timestamp {
        /// Seconds, the lowest 32 bits.
        mtime: u32,
        /// Bytes, the lowest 32 bits.
        size: u32,
    },
    /// A hash of the source, which may have to be checked.
    Hash {
        /// SipHash of the source.
        hash: [u8; 8],
        /// Compare it with the source's before use?
        check: bool,
    },
}

/// The bytes of a `.pyc` file.
pub fn write_pyc(code: &Code, validation: Validation) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    match validation {
        Validation::Timestamp { mtime, size } => {
            out.extend(0u32.to_le_bytes());
            out.extend(mtime.to_le_bytes());
            out.extend(size.to_le_bytes());
        }
        Validation::Hash { hash, check } => {
            out.extend((1 | u32::from(check) << 1).to_le_bytes());
            out.extend(hash);
        }
    }
    out.extend(dumps(&Constant::Code(Rc::new(code.clone()))));
    out
}

/// Header and code of a `.pyc` file.
pub fn read_pyc(data: &[u8]) -> Result<(Validation, Rc<Code>), MarshalError> {
    let header: &[u8; 16] = data.first_chunk().ok_or(MarshalError::Eof("EOF read where object expected"))?;
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if header[..4] != MAGIC {
        return Err(MarshalError::Value("bad magic number"));
    }
    let validation = match word(4) {
        0 => Validation::Timestamp { mtime: word(8), size: word(12) },
        flags @ (1 | 3) => {
            let mut hash = [0; 8];
            hash.copy_from_slice(&header[8..]);
            Validation::Hash { hash, check: flags == 3 }
        }
        _ => return Err(MarshalError::Value("invalid flags")),
    };
    match loads(&data[16..])? {
        Constant::Code(code) => Ok((validation, code)),
        _ => Err(MarshalError::Type("Non-code object")),
    }
}

/// Why bytes could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarshalError {
    /// `EOFError`
    Eof(&'static str),
    /// `ValueError`
    Value(&'static str),
    /// `TypeError`
    Type(&'static str),
}

impl fmt::Display for MarshalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (MarshalError::Eof(text) | MarshalError::Value(text) | MarshalError::Type(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for MarshalError {}

// Writing.

/// An object as far as identity goes: constants and names are one object when equal.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Identity {
    Constant(Constant),
    Names(Rc<[PyStr]>),
    Bytes(Box<[u8]>),
}

/// What is known of an object before writing.
#[derive(Default)]
struct Seen {
    count: u32,
    interned: bool,
    index: Option<u32>,
}

struct Writer {
    out: Vec<u8>,
    seen: HashMap<Identity, Seen>,
    /// How many references were given out.
    references: u32,
}

/// The marshalled form of a value.
pub fn dumps(value: &Constant) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), seen: HashMap::new(), references: 0 };
    // The caller holds the value too.
    writer.seen.entry(Identity::Constant(value.clone())).or_default().count += 1;
    writer.count(value);
    writer.constant(value);
    writer.out
}

/// Does CPython keep just one such object, for ever?
fn is_immortal(value: &Constant) -> bool {
    match value {
        Constant::Int(value) => SMALL_INTS.contains(value),
        Constant::Tuple(items) => items.is_empty(),
        Constant::Bytes(bytes) => bytes.len() <= 1,
        Constant::Str(text) => {
            let mut points = text.code_points();
            match (points.next(), points.next()) {
                (None, _) => true,
                (Some(point), None) => point < 256,
                _ => false,
            }
        }
        _ => false,
    }
}

impl Writer {
    fn note(&mut self, identity: Identity, interned: bool) -> bool {
        let seen = self.seen.entry(identity).or_default();
        seen.count += 1;
        seen.interned |= interned;
        seen.count == 1
    }

    fn count_name(&mut self, name: &PyStr) {
        self.note(Identity::Constant(Constant::Str(name.clone())), true);
    }

    fn count_names(&mut self, names: &Rc<[PyStr]>) {
        if self.note(Identity::Names(names.clone()), false) {
            names.iter().for_each(|name| self.count_name(name));
        }
    }

    fn count(&mut self, value: &Constant) {
        let interned = matches!(value, Constant::Str(text) if text.is_name_like());
        let first = self.note(Identity::Constant(value.clone()), interned);
        match value {
            Constant::Tuple(items) | Constant::FrozenSet(items) if first => {
                items.iter().for_each(|item| self.count(item));
            }
            Constant::Slice(parts) if first => parts.iter().for_each(|part| self.count(part)),
            Constant::Code(code) => {
                let consts = Constant::Tuple(code.consts.clone());
                self.count(&consts);
                self.count_names(&code.names);
                self.count_names(&code.localsplusnames);
                self.count_name(&code.filename);
                self.count_name(&code.name);
                self.count_name(&code.qualname);
                self.note(Identity::Bytes(code.linetable.clone()), false);
                self.note(Identity::Bytes(code.exceptiontable.clone()), false);
            }
            _ => {}
        }
    }

    fn long(&mut self, value: u32) {
        self.out.extend(value.to_le_bytes());
    }

    /// Writes a reference if the object was written before; else the flag for its type byte.
    fn reference(&mut self, identity: Identity, immortal: bool) -> Option<u8> {
        let next = self.references;
        let seen = self.seen.entry(identity).or_default();
        if let Some(index) = seen.index {
            self.out.push(b'r');
            self.long(index);
            return None;
        }
        if !immortal && !seen.interned && seen.count <= 1 {
            return Some(0);
        }
        seen.index = Some(next);
        self.references += 1;
        Some(FLAG_REF)
    }

    fn constant(&mut self, value: &Constant) {
        match value {
            Constant::None => return self.out.push(b'N'),
            Constant::Bool(false) => return self.out.push(b'F'),
            Constant::Bool(true) => return self.out.push(b'T'),
            Constant::Ellipsis => return self.out.push(b'.'),
            _ => {}
        }
        let Some(flag) = self.reference(Identity::Constant(value.clone()), is_immortal(value)) else {
            return;
        };
        match value {
            Constant::Int(value) => match i32::try_from(*value) {
                Ok(value) => {
                    self.out.push(b'i' | flag);
                    self.out.extend(value.to_le_bytes());
                }
                Err(_) => {
                    let magnitude = value.unsigned_abs();
                    let digits: Vec<u32> =
                        (0..3).map(|at| ((magnitude >> (30 * at)) & 0x3fff_ffff) as u32).collect();
                    self.digits(&digits, *value < 0, flag);
                }
            },
            Constant::BigInt(value) => self.digits(&value.digits, value.negative, flag),
            Constant::Float(value) => {
                self.out.push(b'g' | flag);
                self.out.extend(value.to_le_bytes());
            }
            Constant::Complex(real, imag) => {
                self.out.push(b'y' | flag);
                self.out.extend(real.to_le_bytes());
                self.out.extend(imag.to_le_bytes());
            }
            Constant::Str(text) => {
                let seen = self.seen.get(&Identity::Constant(value.clone()));
                let interned = seen.is_some_and(|seen| seen.interned) || is_immortal(value);
                self.string(text, interned, flag);
            }
            Constant::Bytes(bytes) => self.bytes(bytes, flag),
            Constant::Tuple(items) => {
                self.tuple_head(items.len(), flag);
                items.iter().for_each(|item| self.constant(item));
            }
            Constant::FrozenSet(items) => {
                self.out.push(b'>' | flag);
                self.long(items.len() as u32);
                // In the order of their marshalled form, so that the bytes do not depend on hashes.
                let mut keyed: Vec<(Vec<u8>, &Constant)> =
                    items.iter().map(|item| (dumps(item), item)).collect();
                keyed.sort_by(|a, b| a.0.cmp(&b.0));
                keyed.into_iter().for_each(|(_, item)| self.constant(item));
            }
            Constant::Slice(parts) => {
                self.out.push(b':' | flag);
                parts.iter().for_each(|part| self.constant(part));
            }
            Constant::Code(code) => self.code(code, flag),
            Constant::None | Constant::Bool(_) | Constant::Ellipsis => {}
        }
    }

    fn tuple_head(&mut self, count: usize, flag: u8) {
        match u8::try_from(count) {
            Ok(count) => self.out.extend([b')' | flag, count]),
            Err(_) => {
                self.out.push(b'(' | flag);
                self.long(count as u32);
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8], flag: u8) {
        self.out.push(b's' | flag);
        self.long(bytes.len() as u32);
        self.out.extend_from_slice(bytes);
    }

    fn string(&mut self, text: &PyStr, interned: bool, flag: u8) {
        let bytes = text.as_bytes();
        if bytes.is_ascii() {
            match u8::try_from(bytes.len()) {
                Ok(length) => self.out.extend([if interned { b'Z' } else { b'z' } | flag, length]),
                Err(_) => {
                    self.out.push(if interned { b'A' } else { b'a' } | flag);
                    self.long(bytes.len() as u32);
                }
            }
        } else {
            self.out.push(if interned { b't' } else { b'u' } | flag);
            self.long(bytes.len() as u32);
        }
        self.out.extend_from_slice(bytes);
    }

    /// Digits of 15 bits, their number carrying the sign.
    fn digits(&mut self, digits: &[u32], negative: bool, flag: u8) {
        let mut halves: Vec<u16> =
            digits.iter().flat_map(|digit| [(digit & 0x7fff) as u16, (digit >> 15) as u16]).collect();
        while halves.last() == Some(&0) {
            halves.pop();
        }
        self.out.push(b'l' | flag);
        let count = halves.len() as i32;
        self.out.extend((if negative { -count } else { count }).to_le_bytes());
        for half in halves {
            self.out.extend(half.to_le_bytes());
        }
    }

    fn names(&mut self, names: &Rc<[PyStr]>) {
        // An empty tuple of names is the empty tuple.
        let (identity, immortal) = if names.is_empty() {
            (Identity::Constant(Constant::Tuple(Rc::from([]))), true)
        } else {
            (Identity::Names(names.clone()), false)
        };
        if let Some(flag) = self.reference(identity, immortal) {
            self.tuple_head(names.len(), flag);
            names.iter().for_each(|name| self.constant(&Constant::Str(name.clone())));
        }
    }

    fn table(&mut self, bytes: &[u8]) {
        let identity = match bytes.len() {
            0 | 1 => Identity::Constant(Constant::Bytes(bytes.into())),
            _ => Identity::Bytes(bytes.into()),
        };
        if let Some(flag) = self.reference(identity, bytes.len() <= 1) {
            self.bytes(bytes, flag);
        }
    }

    fn code(&mut self, code: &Code, flag: u8) {
        self.out.push(b'c' | flag);
        for number in [code.argcount, code.posonlyargcount, code.kwonlyargcount, code.stacksize, code.flags] {
            self.long(number);
        }
        // The bytes of the instructions are kept by the code object as well, so they count as shared.
        self.references += 1;
        self.bytes(&code.code, FLAG_REF);
        self.constant(&Constant::Tuple(code.consts.clone()));
        self.names(&code.names);
        self.names(&code.localsplusnames);
        // The kinds are never merged with other bytes.
        if code.localspluskinds.len() <= 1 {
            self.table(&code.localspluskinds);
        } else {
            self.bytes(&code.localspluskinds, 0);
        }
        for text in [&code.filename, &code.name, &code.qualname] {
            self.constant(&Constant::Str(text.clone()));
        }
        self.out.extend(code.firstlineno.to_le_bytes());
        self.table(&code.linetable);
        self.table(&code.exceptiontable);
    }
}

// Reading.

/// What a reference may go to.
#[derive(Clone)]
enum Slot {
    /// Not finished yet.
    Reserved,
    Value(Constant),
}

struct Reader<'a> {
    data: &'a [u8],
    references: Vec<Slot>,
    depth: u32,
}

/// The value that marshalled bytes stand for; what follows it is ignored.
pub fn loads(data: &[u8]) -> Result<Constant, MarshalError> {
    Reader { data, references: Vec::new(), depth: 0 }.object()
}

const TOO_SHORT: MarshalError = MarshalError::Eof("marshal data too short");

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], MarshalError> {
        let (taken, rest) = self.data.split_at_checked(count).ok_or(TOO_SHORT)?;
        self.data = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MarshalError> {
        let (taken, rest) = self.data.split_first_chunk().ok_or(TOO_SHORT)?;
        self.data = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, MarshalError> {
        Ok(self.array::<1>()?[0])
    }

    fn long(&mut self) -> Result<i32, MarshalError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn size(&mut self, error: &'static str) -> Result<usize, MarshalError> {
        usize::try_from(self.long()?).map_err(|_| MarshalError::Value(error))
    }

    fn object(&mut self) -> Result<Constant, MarshalError> {
        let Some((code, rest)) = self.data.split_first() else {
            return Err(MarshalError::Eof("EOF read where object expected"));
        };
        self.data = rest;
        if self.depth >= MAX_DEPTH {
            return Err(MarshalError::Value("recursion limit exceeded"));
        }
        self.depth += 1;
        let flagged = code & FLAG_REF != 0;
        let kind = code & !FLAG_REF;
        let slot = self.references.len();
        // Containers are numbered before their items, all others after they were read, which comes to the same.
        if flagged {
            self.references.push(Slot::Reserved);
        }
        let value = self.body(kind)?;
        if flagged {
            self.references[slot] = Slot::Value(value.clone());
        }
        self.depth -= 1;
        Ok(value)
    }

    fn body(&mut self, kind: u8) -> Result<Constant, MarshalError> {
        Ok(match kind {
            b'N' => Constant::None,
            b'F' => Constant::Bool(false),
            b'T' => Constant::Bool(true),
            b'.' => Constant::Ellipsis,
            b'i' => Constant::Int(i64::from(self.long()?)),
            b'l' => self.digits()?,
            b'g' => Constant::Float(f64::from_le_bytes(self.array()?)),
            b'y' => {
                let real = f64::from_le_bytes(self.array()?);
                Constant::Complex(real, f64::from_le_bytes(self.array()?))
            }
            b's' => {
                let size = self.size("bad marshal data (bytes object size out of range)")?;
                Constant::Bytes(self.take(size)?.into())
            }
            b'z' | b'Z' => {
                let size = usize::from(self.byte()?);
                self.text(size)?
            }
            b'a' | b'A' | b'u' | b't' => {
                let size = self.size("bad marshal data (string size out of range)")?;
                self.text(size)?
            }
            b')' => {
                let count = usize::from(self.byte()?);
                Constant::Tuple(self.items(count)?)
            }
            b'(' => {
                let count = self.size("bad marshal data (tuple size out of range)")?;
                Constant::Tuple(self.items(count)?)
            }
            b'>' => {
                let count = self.size("bad marshal data (set size out of range)")?;
                Constant::FrozenSet(self.items(count)?)
            }
            b':' => Constant::Slice(Rc::new([self.object()?, self.object()?, self.object()?])),
            b'r' => {
                let index = self.size("bad marshal data (invalid reference)")?;
                match self.references.get(index) {
                    Some(Slot::Value(value)) => value.clone(),
                    _ => return Err(MarshalError::Value("bad marshal data (invalid reference)")),
                }
            }
            b'c' => Constant::Code(Rc::new(self.code()?)),
            _ => return Err(MarshalError::Value("bad marshal data (unknown type code)")),
        })
    }

    fn items(&mut self, count: usize) -> Result<Rc<[Constant]>, MarshalError> {
        // Each item takes a byte at least, so a lying count cannot make us reserve more than the input's size.
        let mut items = Vec::with_capacity(count.min(self.data.len()));
        for _ in 0..count {
            items.push(self.object()?);
        }
        Ok(items.into())
    }

    fn text(&mut self, size: usize) -> Result<Constant, MarshalError> {
        let bytes = self.take(size)?;
        let mut text = PyStrBuilder::with_capacity(size);
        match std::str::from_utf8(bytes) {
            Ok(valid) => text.push_str(valid),
            Err(_) => push_surrogates(bytes, &mut text)
                .ok_or(MarshalError::Value("bad marshal data (invalid text)"))?,
        }
        Ok(Constant::Str(text.take()))
    }

    fn digits(&mut self) -> Result<Constant, MarshalError> {
        let count = self.long()?;
        let negative = count < 0;
        let count = count.unsigned_abs() as usize;
        if count > self.data.len() / 2 {
            return Err(TOO_SHORT);
        }
        let mut digits = vec![0u32; count.div_ceil(2)];
        for at in 0..count {
            let half = u16::from_le_bytes(self.array()?);
            if half > 0x7fff {
                return Err(MarshalError::Value("bad marshal data (digit out of range in long)"));
            }
            if half == 0 && at + 1 == count {
                return Err(MarshalError::Value("bad marshal data (unnormalized long data)"));
            }
            digits[at / 2] |= u32::from(half) << (15 * (at % 2));
        }
        let small = digits.iter().rev().try_fold(0i128, |value, digit| {
            Some((value << 30) | i128::from(*digit)).filter(|value| *value <= 1 << 63)
        });
        let small = small.map(|value| if negative { -value } else { value });
        Ok(match small.and_then(|value| i64::try_from(value).ok()) {
            Some(value) => Constant::Int(value),
            None => Constant::BigInt(Rc::new(BigInt { negative, digits: digits.into() })),
        })
    }

    fn string_field(&mut self) -> Result<PyStr, MarshalError> {
        match self.object()? {
            Constant::Str(text) => Ok(text),
            _ => Err(MarshalError::Type("code: expected a string")),
        }
    }

    fn bytes_field(&mut self) -> Result<Box<[u8]>, MarshalError> {
        match self.object()? {
            Constant::Bytes(bytes) => Ok(bytes[..].into()),
            _ => Err(MarshalError::Type("code: expected bytes")),
        }
    }

    fn tuple_field(&mut self) -> Result<Rc<[Constant]>, MarshalError> {
        match self.object()? {
            Constant::Tuple(items) => Ok(items),
            _ => Err(MarshalError::Type("code: expected a tuple")),
        }
    }

    fn names_field(&mut self) -> Result<Rc<[PyStr]>, MarshalError> {
        self.tuple_field()?
            .iter()
            .map(|item| match item {
                Constant::Str(text) => Ok(text.clone()),
                _ => Err(MarshalError::Type("code: expected a name")),
            })
            .collect()
    }

    fn code(&mut self) -> Result<Code, MarshalError> {
        let mut counts = [0u32; 5];
        for count in &mut counts {
            *count = u32::try_from(self.long()?)
                .map_err(|_| MarshalError::Value("code: counts must not be negative"))?;
        }
        let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags] = counts;
        let code = Code {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code: self.bytes_field()?,
            consts: self.tuple_field()?,
            names: self.names_field()?,
            localsplusnames: self.names_field()?,
            localspluskinds: self.bytes_field()?,
            filename: self.string_field()?,
            name: self.string_field()?,
            qualname: self.string_field()?,
            firstlineno: self.long()?,
            linetable: self.bytes_field()?,
            exceptiontable: self.bytes_field()?,
        };
        if code.localspluskinds.len() != code.localsplusnames.len() || !code.code.len().is_multiple_of(2) {
            return Err(MarshalError::Value("code: bad argument sizes"));
        }
        Ok(code)
    }
}

/// Text that holds lone surrogates; None when it is not even generalised UTF-8.
fn push_surrogates(mut bytes: &[u8], text: &mut PyStrBuilder) -> Option<()> {
    while !bytes.is_empty() {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                return Some(());
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).ok()?);
                let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] = *rest else { return None };
                text.push_code_point(0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F));
                bytes = &rest[3..];
            }
        }
    }
    Some(())
}
