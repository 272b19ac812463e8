//! The bare bones of `str`: the flexible representation of PEP 393, interning, hashing.
//!
//! A str stores its code points in one, two or four bytes each, the narrowest that holds its widest
//! one, and says so in its state word; plain ASCII data stand at byte 40 and are valid UTF-8, other
//! compact data at byte 56, and instances of subclasses point to their data from byte 56.
//!
//! Invariants: the representation is always the narrowest; data end with one extra zero; a str never
//! changes once another owner can see it, except that its hash and its UTF-8 form are cached.

use crate::alloc;
use crate::err::{self, PyErr, PyResult};
use crate::handle::{Object, Ref};
use crate::intern;
pub use crate::intern::{intern, intern_immortal, intern_immortal_ascii};
use crate::layout;
use crate::refcount;
use crate::statics::PyUnicode_Type;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::sync::OnceLock;
use taipan_abi::*;
use taipan_num::hash::HashKey;

layout!(
    /// A `str` or an instance of a subclass.
    Str, PyUnicodeObject, "str", |o| o.ty().has_flag(Py_TPFLAGS_UNICODE_SUBCLASS)
);

const COMPACT: u32 = 1 << 5;
const ASCII: u32 = 1 << 6;
const KIND_SHIFT: u32 = 2;
pub(crate) const INTERNED_MASK: u32 = 3;
pub(crate) const INTERNED_MORTAL: u32 = 1;
pub(crate) const INTERNED_IMMORTAL: u32 = 2;

/// The code points of a str in their stored width.
#[derive(Clone, Copy, Debug)]
pub enum Chars<'a> {
    One(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

impl Chars<'_> {
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Chars::One(s) => s.len(),
            Chars::Two(s) => s.len(),
            Chars::Four(s) => s.len(),
        }
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The code point at an index below the length.
    #[inline]
    pub fn at(self, index: usize) -> u32 {
        match self {
            Chars::One(s) => u32::from(s[index]),
            Chars::Two(s) => u32::from(s[index]),
            Chars::Four(s) => s[index],
        }
    }
}

static HASH_KEY: OnceLock<HashKey> = OnceLock::new();

/// Fixes the key of `str` and `bytes` hashes; the first call of a process wins.
pub fn set_hash_key(key: HashKey) {
    // A second interpreter must hash like the first: the key belongs to the process.
    let _ = HASH_KEY.set(key);
}

/// `Py_HashBuffer`: the hash that `bytes` and `str` data of these bytes have.
pub fn hash_bytes(data: &[u8]) -> isize {
    HASH_KEY.get_or_init(|| HashKey::from_seed(0)).hash(data) as isize
}

impl Str {
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw())._base._base.length as usize }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> u32 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw())._base._base.state }
    }

    /// Bytes per code point: 1, 2 or 4.
    #[inline(always)]
    pub fn kind(&self) -> u32 {
        self.state() >> KIND_SHIFT & 7
    }

    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.state() & ASCII != 0
    }

    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.state() & INTERNED_MASK != 0
    }

    /// The address of the code points.
    #[inline]
    pub fn data_ptr(&self) -> *mut u8 {
        let state = self.state();
        // SAFETY: the state word says where the data stand.
        unsafe {
            if state & COMPACT == 0 {
                (*self.raw()).data.cast()
            } else if state & ASCII != 0 {
                self.as_ptr().cast::<u8>().add(size_of::<PyASCIIObject>())
            } else {
                self.as_ptr().cast::<u8>().add(size_of::<PyCompactUnicodeObject>())
            }
        }
    }

    /// The code points.
    #[inline]
    pub fn chars(&self) -> Chars<'_> {
        let (data, len) = (self.data_ptr(), self.len());
        // SAFETY: `len` items of the stored width stand at the address.
        unsafe {
            match self.kind() {
                1 => Chars::One(core::slice::from_raw_parts(data, len)),
                2 => Chars::Two(core::slice::from_raw_parts(data.cast(), len)),
                _ => Chars::Four(core::slice::from_raw_parts(data.cast(), len)),
            }
        }
    }

    /// The stored data as bytes.
    #[inline]
    pub fn data_bytes(&self) -> &[u8] {
        // SAFETY: as in `chars`.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len() * self.kind() as usize) }
    }

    /// The text, if it is ASCII.
    #[inline]
    pub fn as_ascii(&self) -> Option<&str> {
        // SAFETY: ASCII data are UTF-8.
        self.is_ascii().then(|| unsafe { core::str::from_utf8_unchecked(self.data_bytes()) })
    }

    /// An iterator over the code points, surrogates included.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        let chars = self.chars();
        (0..chars.len()).map(move |index| chars.at(index))
    }

    /// The text as UTF-8, made once and kept with the object; `None` if it has lone surrogates.
    pub fn as_utf8(&self) -> Option<&str> {
        if self.is_ascii() {
            return self.as_ascii();
        }
        // SAFETY: non-ASCII strs have the compact layout; the cached block belongs to the str.
        unsafe {
            let base = &raw mut (*self.raw())._base;
            if (*base).utf8.is_null() {
                let text: String = self.code_points().map(char::from_u32).collect::<Option<_>>()?;
                let block = alloc::malloc(text.len() + 1);
                if block.is_null() {
                    err::fatal_no_memory();
                }
                core::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
                block.add(text.len()).write(0);
                (*base).utf8 = block.cast();
                (*base).utf8_length = text.len().cast_signed();
            }
            let bytes = core::slice::from_raw_parts((*base).utf8.cast(), (*base).utf8_length as usize);
            Some(core::str::from_utf8_unchecked(bytes))
        }
    }

    /// The text as UTF-8.
    ///
    /// # Errors
    /// `UnicodeEncodeError` for lone surrogates.
    pub fn to_utf8(&self) -> PyResult<&str> {
        self.as_utf8().ok_or_else(|| self.surrogate_error())
    }

    #[cold]
    fn surrogate_error(&self) -> PyErr {
        let at = self.code_points().position(|c| (0xD800..0xE000).contains(&c)).unwrap_or(0);
        let run = self.code_points().skip(at).take_while(|c| (0xD800..0xE000).contains(c)).count();
        err::unicode_encode_error("utf-8", self, at, at + run, "surrogates not allowed")
    }

    /// The text for messages: lone surrogates become U+FFFD.
    pub fn to_lossy(&self) -> String {
        self.code_points().map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// A new str.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_utf8(text: &str) -> PyResult<Ref<Str>> {
        if text.is_ascii() {
            return Self::from_ascii_bytes(text.as_bytes());
        }
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        Self::from_code_points(&points)
    }

    /// A new str of bytes that are all ASCII.
    fn from_ascii_bytes(bytes: &[u8]) -> PyResult<Ref<Str>> {
        if bytes.len() < 2 {
            return Ok(Ref::of(bytes.first().map_or_else(empty, |&byte| latin1_char(byte))));
        }
        let new = Self::with_room(bytes.len(), 127)?;
        // SAFETY: room for that many bytes, not yet shared.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), new.data_ptr(), bytes.len()) };
        Ok(new)
    }

    /// A new str of code points below 256.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_latin1(bytes: &[u8]) -> PyResult<Ref<Str>> {
        if bytes.is_ascii() {
            return Self::from_ascii_bytes(bytes);
        }
        if let [byte] = bytes {
            return Ok(Ref::of(latin1_char(*byte)));
        }
        let new = Self::with_room(bytes.len(), 255)?;
        // SAFETY: room for that many bytes, not yet shared.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), new.data_ptr(), bytes.len()) };
        Ok(new)
    }

    /// A new str of two-byte code points, narrowed if possible.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_ucs2(points: &[u16]) -> PyResult<Ref<Str>> {
        let max = points.iter().fold(0, |max, &c| max | c);
        if max < 256 {
            let narrow: Vec<u8> = points.iter().map(|&c| c as u8).collect();
            return Self::from_latin1(&narrow);
        }
        let new = Self::with_room(points.len(), u32::from(max))?;
        // SAFETY: room for that many items, not yet shared.
        unsafe { core::ptr::copy_nonoverlapping(points.as_ptr(), new.data_ptr().cast(), points.len()) };
        Ok(new)
    }

    /// A new str of code points up to 0x10FFFF.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_code_points(points: &[u32]) -> PyResult<Ref<Str>> {
        let max = points.iter().fold(0, |max, &c| max | c);
        if max < 256 {
            let narrow: Vec<u8> = points.iter().map(|&c| c as u8).collect();
            return Self::from_latin1(&narrow);
        }
        let new = Self::with_room(points.len(), max)?;
        // SAFETY: room for that many items of the width that `max` needs, not yet shared.
        unsafe {
            let data = new.data_ptr();
            if max < 0x10000 {
                for (index, &c) in points.iter().enumerate() {
                    data.cast::<u16>().add(index).write(c as u16);
                }
            } else {
                core::ptr::copy_nonoverlapping(points.as_ptr(), data.cast(), points.len());
            }
        }
        Ok(new)
    }

    /// A new str of stored code points: a slice of another str, narrowed if possible.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_chars(chars: Chars<'_>) -> PyResult<Ref<Str>> {
        match chars {
            Chars::One(s) => Self::from_latin1(s),
            Chars::Two(s) => Self::from_ucs2(s),
            Chars::Four(s) => Self::from_code_points(s),
        }
    }

    /// The code points from `from` to `to` (both within the length).
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn substring(&self, from: usize, to: usize) -> PyResult<Ref<Str>> {
        if from == 0 && to == self.len() && self.is_exact(&PyUnicode_Type) {
            return Ok(Ref::of(self));
        }
        match self.chars() {
            Chars::One(s) if self.is_ascii() => Self::from_ascii_bytes(&s[from..to]),
            Chars::One(s) => Self::from_latin1(&s[from..to]),
            Chars::Two(s) => Self::from_ucs2(&s[from..to]),
            Chars::Four(s) => Self::from_code_points(&s[from..to]),
        }
    }

    /// `PyUnicode_New`: an exact str with room for `len` code points of which `max_char` is an upper
    /// bound of the widest. The data are to be filled before anybody else sees the str.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn with_room(len: usize, max_char: u32) -> PyResult<Ref<Str>> {
        let (kind, ascii, head) = match max_char {
            0..=0x7F => (1, ASCII, size_of::<PyASCIIObject>()),
            0x80..=0xFF => (1, 0, size_of::<PyCompactUnicodeObject>()),
            0x100..=0xFFFF => (2, 0, size_of::<PyCompactUnicodeObject>()),
            _ => (4, 0, size_of::<PyCompactUnicodeObject>()),
        };
        let size = (len as u128 + 1) * u128::from(kind) + head as u128;
        let size = isize::try_from(size).map_err(|_| alloc::no_memory())? as usize;
        let block = alloc::malloc(size);
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: fresh memory of the computed size.
        unsafe {
            let raw = block.cast::<PyUnicodeObject>();
            alloc::init_object(raw.cast(), &PyUnicode_Type);
            (*raw)._base._base.length = len.cast_signed();
            (*raw)._base._base.hash = -1;
            (*raw)._base._base.state = COMPACT | ascii | (kind << KIND_SHIFT);
            if ascii == 0 {
                (*raw)._base.utf8_length = 0;
                (*raw)._base.utf8 = core::ptr::null();
            }
            let new: Ref<Str> = Ref::steal(raw.cast());
            core::ptr::write_bytes(new.data_ptr().add(len * kind as usize), 0, kind as usize);
            Ok(new)
        }
    }

    /// The hash, computed once.
    #[inline]
    pub fn hash(&self) -> isize {
        // SAFETY: the view guarantees the layout.
        unsafe {
            let cached = (*self.raw())._base._base.hash;
            if cached != -1 {
                return cached;
            }
            let hash = hash_bytes(self.data_bytes());
            (*self.raw())._base._base.hash = hash;
            hash
        }
    }

    /// Whether both have the same code points.
    #[inline]
    pub fn same_text(&self, other: &Str) -> bool {
        self.as_ptr() == other.as_ptr()
            || (self.len() == other.len()
                && self.kind() == other.kind()
                && self.data_bytes() == other.data_bytes())
    }

    /// Whether the text is `other`.
    pub fn equals(&self, other: &str) -> bool {
        match self.as_ascii() {
            Some(text) => text == other,
            None => self.as_utf8() == Some(other),
        }
    }

    /// Lexicographic order by code points.
    pub fn compare(&self, other: &Str) -> core::cmp::Ordering {
        match (self.chars(), other.chars()) {
            (Chars::One(a), Chars::One(b)) => a.cmp(b),
            (Chars::Two(a), Chars::Two(b)) => a.cmp(b),
            (Chars::Four(a), Chars::Four(b)) => a.cmp(b),
            _ => self.code_points().cmp(other.code_points()),
        }
    }
}

/// The empty str.
pub fn empty() -> &'static Str {
    static EMPTY: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
    immortal_once(&EMPTY, || Str::with_room(0, 0))
}

/// The str of one code point below 256; there is only one of each.
pub fn latin1_char(byte: u8) -> &'static Str {
    static CHARS: [AtomicPtr<PyObject>; 256] = [const { AtomicPtr::new(null_mut()) }; 256];
    immortal_once(&CHARS[usize::from(byte)], || {
        let new = Str::with_room(1, if byte < 128 { 127 } else { 255 })?;
        // SAFETY: room for one byte, not yet shared.
        unsafe { new.data_ptr().write(byte) };
        Ok(new)
    })
}

/// The str in a static cell, made immortal when first asked for.
fn immortal_once(cell: &AtomicPtr<PyObject>, make: impl FnOnce() -> PyResult<Ref<Str>>) -> &'static Str {
    let mut ptr = cell.load(Ordering::Acquire);
    if ptr.is_null() {
        let Ok(made) = make() else { err::fatal_no_memory() };
        let made = intern_immortal(made);
        ptr = made.as_ptr();
        cell.store(ptr, Ordering::Release);
    }
    // SAFETY: immortal, and a str.
    unsafe { Object::borrow(ptr).cast() }
}

/// The interned, immortal str of a literal: `intern!("__init__")` is a `&'static Str`.
#[macro_export]
macro_rules! intern {
    ($text:expr) => {{
        static CELL: core::sync::atomic::AtomicPtr<$crate::abi::PyObject> =
            core::sync::atomic::AtomicPtr::new(core::ptr::null_mut());
        $crate::unicode::static_str(&CELL, $text)
    }};
}

/// What `intern!` expands to.
#[inline]
pub fn static_str(cell: &'static AtomicPtr<PyObject>, text: &str) -> &'static Str {
    let ptr = cell.load(Ordering::Acquire);
    if !ptr.is_null() {
        // SAFETY: the cell only ever holds an immortal str.
        return unsafe { Object::borrow(ptr).cast() };
    }
    immortal_once(cell, || Str::from_utf8(text))
}

/// The interned, immortal str of a name from a static table; `None` without memory.
pub fn permanent(text: &str) -> Option<&'static Str> {
    let made = intern_immortal(Str::from_utf8(text).ok()?);
    // SAFETY: immortal, and a str.
    Some(unsafe { Object::borrow(made.as_ptr()).cast() })
}

/// Whether a str is an identifier (language reference, 2.3).
pub fn is_identifier(text: &Str) -> bool {
    let mut points = text.code_points();
    let start = taipan_unicode::is_identifier_start;
    points.next().is_some_and(start) && points.all(taipan_unicode::is_identifier_continue)
}

/// `tp_dealloc` of `str`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let text: &Str = Object::borrow(ptr).cast();
        if text.state() & INTERNED_MASK == INTERNED_MORTAL {
            intern::forget(text);
        }
        if !text.is_ascii() || text.state() & COMPACT == 0 {
            let utf8 = (*text.raw())._base.utf8.cast_mut().cast::<u8>();
            if text.state() & COMPACT == 0 {
                let data = text.data_ptr();
                if data != utf8 {
                    alloc::free(utf8);
                }
                alloc::free(data);
            } else {
                alloc::free(utf8);
            }
        }
        if text.is_exact(&PyUnicode_Type) {
            alloc::free(ptr.cast());
        } else if let Some(free) = (*text.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}

/// Grows a str that nobody else can see by another one, in place: gives the new address, which owns
/// all the references that the old one had.
///
/// # Safety
/// `ptr` is an exact str all of whose `references` are the caller's to rewrite.
pub unsafe fn append_unique(ptr: *mut PyObject, tail: &Str, references: u32) -> Option<*mut PyObject> {
    // SAFETY: exact by contract; the block is reallocated only when nobody else points to it.
    unsafe {
        let text: &Str = Object::borrow(ptr).cast();
        let fits = text.kind() == tail.kind() && text.is_ascii() == tail.is_ascii();
        if !fits
            || text.is_interned()
            || refcount::is_immortal(text)
            || text.is_empty()
            || tail.as_ptr() == ptr
        {
            return None;
        }
        let (kind, old_len, tail_len) = (text.kind() as usize, text.len(), tail.len());
        let head =
            if text.is_ascii() { size_of::<PyASCIIObject>() } else { size_of::<PyCompactUnicodeObject>() };
        if !text.is_ascii() && !(*text.raw())._base.utf8.is_null() {
            return None;
        }
        let new_len = old_len.checked_add(tail_len)?;
        let block = alloc::realloc(ptr.cast(), head + (new_len + 1) * kind);
        if block.is_null() {
            return None;
        }
        let raw = block.cast::<PyUnicodeObject>();
        let data = block.add(head);
        core::ptr::copy_nonoverlapping(tail.data_ptr(), data.add(old_len * kind), tail_len * kind);
        core::ptr::write_bytes(data.add(new_len * kind), 0, kind);
        (*raw)._base._base.length = new_len.cast_signed();
        (*raw)._base._base.hash = -1;
        // The words on the caller's stack go; the local's reference stays.
        (*raw.cast::<PyObject>()).ob_refcnt = references.min(1);
        Some(raw.cast())
    }
}

/// Makes an instance of a str subclass (which points to its data) hold a copy of `text`.
///
/// # Safety
/// `object` is a fresh instance of a subclass of `str`, zeroed behind its head.
pub unsafe fn fill_subclass(object: &Object, text: &Str) -> PyResult<()> {
    // SAFETY: fresh by contract; the block has room for the data and one extra zero.
    unsafe {
        let raw = object.raw_as::<PyUnicodeObject>();
        let bytes = text.data_bytes();
        let block = alloc::malloc(bytes.len() + 4);
        if block.is_null() {
            return Err(alloc::no_memory());
        }
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
        core::ptr::write_bytes(block.add(bytes.len()), 0, 4);
        (*raw)._base._base.length = text.len().cast_signed();
        (*raw)._base._base.hash = text.hash();
        (*raw)._base._base.state = (text.kind() << KIND_SHIFT) | if text.is_ascii() { ASCII } else { 0 };
        (*raw).data = block.cast();
        if text.is_ascii() {
            (*raw)._base.utf8 = block.cast();
            (*raw)._base.utf8_length = text.len().cast_signed();
        }
    }
    Ok(())
}
