//! `modsupport.h`: values from formats (`Py_BuildValue`). Arguments by formats are in [`crate::getargs`].

use crate::border::{Obj, arg, export, text};
use crate::variadic::{VaList, variadic};
use core::ffi::{CStr, c_char};
use taipan_abi::Py_complex;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, system_error};
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::singletons::new_none;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Ref, err};

/// How deep brackets may nest.
const DEEPEST: usize = 100;

struct Builder<'a> {
    format: &'a [u8],
    at: usize,
    depth: usize,
}

impl Builder<'_> {
    fn peek(&self) -> u8 {
        self.format.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn skip_separators(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b',' | b':') {
            self.at += 1;
        }
    }

    /// The values up to a closing bracket (0: the end of the format).
    unsafe fn items(&mut self, end: u8, va: &mut VaList) -> PyResult<Vec<Ref>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(system_error("too many nested brackets in format"));
        }
        let (mut found, mut failed) = (Vec::new(), None);
        loop {
            self.skip_separators();
            if self.peek() == end {
                break;
            }
            if self.peek() == 0 {
                return Err(failed.unwrap_or_else(|| system_error("unmatched paren in format")));
            }
            // After a failure the rest is still read: references that it hands over must not leak.
            // SAFETY: the arguments are what the format says.
            match unsafe { self.value(va) } {
                Ok(value) => found.push(value),
                Err(error) if failed.is_none() => failed = Some(error),
                Err(_) => {}
            }
        }
        self.at += usize::from(end != 0);
        self.depth -= 1;
        match failed {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }

    /// A length that `#` asks for.
    unsafe fn length(&mut self, va: &mut VaList) -> Option<isize> {
        if self.peek() != b'#' {
            return None;
        }
        self.at += 1;
        // SAFETY: the next argument is a length.
        Some(unsafe { va.long() } as isize)
    }

    /// A C text or null, with its length.
    unsafe fn data<'d>(&mut self, va: &mut VaList) -> Option<&'d [u8]> {
        // SAFETY: a pointer, and a length where `#` stands.
        unsafe {
            let pointer = va.text();
            let len = self.length(va);
            if pointer.is_null() {
                return None;
            }
            Some(match len.and_then(|len| usize::try_from(len).ok()) {
                Some(len) => core::slice::from_raw_parts(pointer.cast(), len),
                None => CStr::from_ptr(pointer).to_bytes(),
            })
        }
    }

    unsafe fn value(&mut self, va: &mut VaList) -> PyResult {
        // SAFETY: the next arguments are what the letter says.
        unsafe {
            Ok(match self.take() {
                b'(' => Tuple::from_vec(self.items(b')', va)?)?.upcast(),
                b'[' => List::from_vec(self.items(b']', va)?)?.upcast(),
                b'{' => {
                    let items = self.items(b'}', va)?;
                    if items.len() % 2 != 0 {
                        return Err(system_error("Bad dict format"));
                    }
                    let dict = Dict::new()?;
                    for pair in items.chunks_exact(2) {
                        dict.set(&pair[0], &pair[1])?;
                    }
                    dict.upcast()
                }
                b'b' | b'B' | b'h' | b'i' => Int::from_i64(i64::from(va.int())).upcast(),
                b'H' => Int::from_i64(i64::from(va.uint() & 0xffff)).upcast(),
                b'I' => Int::from_i64(i64::from(va.uint())).upcast(),
                b'l' | b'L' | b'n' => Int::from_i64(va.long()).upcast(),
                b'k' | b'K' => Int::from_u64(va.word()).upcast(),
                b'p' => taipan_object::singletons::new_bool(va.int() != 0),
                b'c' => Bytes::new(&[va.int() as u8])?.upcast(),
                b'C' => Str::from_code_points(&[va.uint()])?.upcast(),
                b'd' | b'f' => Float::new(va.double()).upcast(),
                b'D' => {
                    let complex: *const Py_complex = va.pointer();
                    Complex::new((*complex).real, (*complex).imag)?.upcast()
                }
                b's' | b'z' | b'U' => match self.data(va) {
                    Some(data) => crate::unicodeobject::from_utf8(data)?.upcast(),
                    None => new_none(),
                },
                b'y' => match self.data(va) {
                    Some(data) => Bytes::new(data)?.upcast(),
                    None => new_none(),
                },
                b'u' => {
                    let pointer: *const u32 = va.pointer();
                    let len = self.length(va).and_then(|len| usize::try_from(len).ok());
                    if pointer.is_null() {
                        return Ok(new_none());
                    }
                    let len =
                        len.unwrap_or_else(|| (0..).take_while(|&i| pointer.add(i).read() != 0).count());
                    Str::from_code_points(core::slice::from_raw_parts(pointer, len))?.upcast()
                }
                b'O' if self.peek() == b'&' => {
                    self.at += 1;
                    let convert: unsafe extern "C" fn(*mut u8) -> Obj = core::mem::transmute(va.function());
                    taipan_object::native::from_c(convert(va.pointer()))?
                }
                letter @ (b'O' | b'S' | b'N') => {
                    let object: Obj = va.pointer();
                    if object.is_null() {
                        return Err(err::fetch_opt()
                            .unwrap_or_else(|| system_error("NULL object passed to Py_BuildValue")));
                    }
                    if letter == b'N' { Ref::steal(object) } else { arg(object)?.new_ref() }
                }
                _ => return Err(system_error("bad format char passed to Py_BuildValue")),
            })
        }
    }
}

/// The value that a format and its arguments make: nothing is `None`, several are a tuple.
///
/// # Safety
/// The arguments are what the format says.
/// # Errors
/// `SystemError` for a bad format; what making the values raises.
pub unsafe fn build(format: &[u8], va: &mut VaList) -> PyResult {
    // SAFETY: forwarded contract.
    let mut items = unsafe { Builder { format, at: 0, depth: 0 }.items(0, va)? };
    match items.len() {
        0 => Ok(new_none()),
        1 => Ok(items.remove(0)),
        _ => Ok(Tuple::from_vec(items)?.upcast()),
    }
}

/// A constant text for a format of C.
unsafe fn format_bytes<'a>(format: *const c_char) -> PyResult<&'a [u8]> {
    // SAFETY: a C text by the callers' contract.
    unsafe { Ok(text(format)?.as_bytes()) }
}

export! {
    fn Py_VaBuildValue(format: *const c_char, va: *mut VaList) -> Obj {
        build(format_bytes(format)?, &mut *va)
    }

    fn _Py_VaBuildValue_SizeT(format: *const c_char, va: *mut VaList) -> Obj {
        build(format_bytes(format)?, &mut *va)
    }
}

variadic! {
    fn Py_BuildValue(va) -> Obj {
        let format = format_bytes(va.text())?;
        build(format, va)
    }

    fn _Py_BuildValue_SizeT(va) -> Obj {
        let format = format_bytes(va.text())?;
        build(format, va)
    }
}
