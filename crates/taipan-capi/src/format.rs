//! Texts from formats: the one engine behind `PyUnicode_FromFormat`, `PyErr_Format`, `PyBytes_FromFormat`
//! and everything else in the C API that takes a format and `...`.

use crate::border::{Obj, arg, export, text, typed};
use crate::variadic::{VaList, variadic};
use core::ffi::{CStr, c_char, c_int};
use taipan_abi::PyTypeObject;
use taipan_object::bytes::Bytes;
use taipan_object::err::{PyResult, overflow_error, system_error, value_error};
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type};
use taipan_types_collections::Text;

/// One directive: what stands between `%` and the letter, and the letter.
#[derive(Default)]
struct Directive {
    left: bool,
    zero: bool,
    alternate: bool,
    width: Option<usize>,
    precision: Option<usize>,
    size: Size,
    letter: u8,
}

/// The length modifier of an integer.
#[derive(Default, Clone, Copy, PartialEq)]
enum Size {
    #[default]
    Int,
    Long,
    LongLong,
    Word,
}

fn digits(format: &[u8], at: &mut usize, what: &str) -> PyResult<Option<usize>> {
    let mut number: Option<usize> = None;
    while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
        let next = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add((digit - b'0') as usize));
        let Some(next) = next.filter(|&next| next <= i32::MAX as usize) else {
            return Err(value_error(&format!("{what} too big")));
        };
        number = Some(next);
        *at += 1;
    }
    Ok(number)
}

/// Reads a directive that begins behind `%`.
unsafe fn parse(format: &[u8], at: &mut usize, va: &mut VaList) -> PyResult<Directive> {
    let mut found = Directive::default();
    while let Some(flag) = format.get(*at) {
        match flag {
            b'-' => found.left = true,
            b'0' => found.zero = true,
            b'#' => found.alternate = true,
            _ => break,
        }
        *at += 1;
    }
    // SAFETY: a star consumes an int argument.
    unsafe {
        if format.get(*at) == Some(&b'*') {
            *at += 1;
            let width = va.int();
            found.left |= width < 0;
            found.width = Some(width.unsigned_abs() as usize);
        } else {
            found.width = digits(format, at, "width")?;
        }
        if format.get(*at) == Some(&b'.') {
            *at += 1;
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                found.precision = usize::try_from(va.int()).ok();
            } else {
                found.precision = Some(digits(format, at, "precision")?.unwrap_or(0));
            }
        }
    }
    loop {
        found.size = match format.get(*at) {
            Some(b'l') if found.size == Size::Long => Size::LongLong,
            Some(b'l') => Size::Long,
            Some(b'z' | b'j' | b't') => Size::Word,
            _ => break,
        };
        *at += 1;
    }
    found.letter = format.get(*at).copied().unwrap_or(0);
    *at += 1;
    Ok(found)
}

/// An integer as text: precision gives leading zeros, and so does the flag up to the width.
fn integer(directive: &Directive, negative: bool, magnitude: u64) -> String {
    let mut body = match directive.letter {
        b'x' => format!("{magnitude:x}"),
        b'X' => format!("{magnitude:X}"),
        b'o' => format!("{magnitude:o}"),
        _ => magnitude.to_string(),
    };
    if let Some(precision) = directive.precision {
        body = format!("{body:0>precision$}");
    }
    let sign = if negative { "-" } else { "" };
    if directive.zero && !directive.left {
        let width = directive.width.unwrap_or(0).saturating_sub(sign.len());
        body = format!("{body:0>width$}");
    }
    format!("{sign}{body}")
}

unsafe fn number(directive: &Directive, va: &mut VaList) -> String {
    // SAFETY: the next argument is an integer of that size.
    unsafe {
        let signed = matches!(directive.letter, b'd' | b'i');
        let (negative, magnitude) = match (directive.size, signed) {
            (Size::Int, true) => {
                let value = va.int();
                (value < 0, u64::from(value.unsigned_abs()))
            }
            (Size::Int, false) => (false, u64::from(va.uint())),
            (_, true) => {
                let value = va.long();
                (value < 0, value.unsigned_abs())
            }
            (_, false) => (false, va.word()),
        };
        integer(directive, negative, magnitude)
    }
}

/// Writes a text with precision (a limit of characters) and width (blanks).
fn put(out: &mut Text, directive: &Directive, piece: &Str) -> PyResult<()> {
    let shown = match directive.precision {
        Some(limit) if limit < piece.len() => piece.substring(0, limit)?,
        _ => Ref::of(piece),
    };
    let blanks = directive.width.unwrap_or(0).saturating_sub(shown.len());
    let pad = |out: &mut Text, on: bool| {
        if on {
            for _ in 0..blanks {
                out.ascii(" ");
            }
        }
    };
    pad(out, !directive.left);
    out.push(&shown);
    pad(out, directive.left);
    Ok(())
}

/// A C text, of which at most `limit` bytes are looked at; bad UTF-8 is replaced.
unsafe fn c_text(text: *const c_char, limit: Option<usize>) -> PyResult<Ref<Str>> {
    // SAFETY: null-terminated or at least `limit` bytes long.
    unsafe {
        let len = match limit {
            Some(limit) => (0..limit).take_while(|&index| text.add(index).read() != 0).count(),
            None => CStr::from_ptr(text).to_bytes().len(),
        };
        let bytes = core::slice::from_raw_parts(text.cast::<u8>(), len);
        match core::str::from_utf8(bytes) {
            Ok(text) => Str::from_utf8(text),
            Err(_) => taipan_types_text::str::decode(bytes, "utf-8", "replace")?
                .downcast_owned()
                .map_err(|_| crate::border::bad_call()),
        }
    }
}

/// The name of a type, with the module in front or a colon between if asked for.
fn type_name(ty: &Type, alternate: bool) -> PyResult<Ref<Str>> {
    if !alternate {
        return Str::from_utf8(&ty.qualified_name());
    }
    let qualified = ty.qualified_name();
    let own = ty.getattr(taipan_object::intern!("__qualname__"))?.str_lossy();
    match qualified.strip_suffix(&own).and_then(|module| module.strip_suffix('.')) {
        Some(module) => Str::from_utf8(&format!("{module}:{own}")),
        None => Str::from_utf8(&own),
    }
}

/// The object that a directive shows, as text.
unsafe fn object_text(directive: &Directive, va: &mut VaList) -> PyResult<Ref<Str>> {
    // SAFETY: the next arguments are what the directive says.
    unsafe {
        match directive.letter {
            b'U' => Ok(Ref::of(typed::<Str>(va.pointer())?)),
            b'V' => {
                let object: Obj = va.pointer();
                let fallback = va.text();
                match Object::borrow_opt(object) {
                    Some(_) => Ok(Ref::of(typed::<Str>(object)?)),
                    None => c_text(fallback, directive.precision),
                }
            }
            b'S' => arg(va.pointer())?.str(),
            b'R' => arg(va.pointer())?.repr(),
            b'A' => crate::object::ascii(arg(va.pointer())?),
            b'T' => type_name(arg(va.pointer())?.ty(), directive.alternate),
            _ => {
                let object = arg(va.pointer())?;
                match object.downcast::<Type>() {
                    Some(ty) => type_name(ty, directive.alternate),
                    None => Err(taipan_object::err::type_error("%N argument must be a type")),
                }
            }
        }
    }
}

/// The text that a format and its arguments make (`PyUnicode_FromFormatV`).
///
/// # Safety
/// The arguments are what the format says.
/// # Errors
/// What the text forms of objects raise; `SystemError` for a bad format.
pub unsafe fn format_text(format: &CStr, va: &mut VaList) -> PyResult<Ref<Str>> {
    let bytes = format.to_bytes();
    let mut out = Text::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            let end = bytes[at..].iter().position(|&byte| byte == b'%').map_or(bytes.len(), |len| at + len);
            let Some(piece) = core::str::from_utf8(&bytes[at..end]).ok().filter(|piece| piece.is_ascii())
            else {
                return Err(value_error(&format!(
                    "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x{:02x}",
                    bytes[at..end].iter().find(|byte| !byte.is_ascii()).copied().unwrap_or(0)
                )));
            };
            out.ascii(piece);
            at = end;
            continue;
        }
        at += 1;
        // SAFETY: forwarded contract.
        unsafe {
            let directive = parse(bytes, &mut at, va)?;
            match directive.letter {
                b'%' => out.ascii("%"),
                b'c' => {
                    let c = va.int();
                    match u32::try_from(c) {
                        Ok(c) if c <= 0x10_FFFF => out.push(&*Str::from_code_points(&[c])?),
                        _ => return Err(overflow_error("character argument not in range(0x110000)")),
                    }
                }
                b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                    let shown = Str::from_utf8(&number(&directive, va))?;
                    put(&mut out, &Directive { precision: None, ..directive }, &shown)?;
                }
                b's' if directive.size == Size::Long => {
                    let wide: *const u32 = va.pointer();
                    let limit = directive.precision.unwrap_or(usize::MAX);
                    let len = (0..limit).take_while(|&index| wide.add(index).read() != 0).count();
                    let piece = Str::from_code_points(core::slice::from_raw_parts(wide, len))?;
                    put(&mut out, &directive, &piece)?;
                }
                b's' => {
                    let piece = c_text(va.text(), directive.precision)?;
                    put(&mut out, &directive, &piece)?;
                }
                b'p' => {
                    let pointer: *mut u8 = va.pointer();
                    let piece = Str::from_utf8(&format!("{:#x}", pointer.addr()))?;
                    put(&mut out, &directive, &piece)?;
                }
                b'U' | b'V' | b'S' | b'R' | b'A' | b'T' | b'N' => {
                    let piece = object_text(&directive, va)?;
                    put(&mut out, &directive, &piece)?;
                }
                _ => return Err(invalid(format)),
            }
        }
    }
    out.finish()
}

#[cold]
fn invalid(format: &CStr) -> taipan_object::PyErr {
    system_error(&format!("invalid format string: {}", format.to_string_lossy()))
}

/// The bytes that a format and its arguments make (`PyBytes_FromFormatV`): no objects, raw C texts.
unsafe fn format_bytes(format: &CStr, va: &mut VaList) -> PyResult<Vec<u8>> {
    let bytes = format.to_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        // SAFETY: the arguments are what the format says.
        unsafe {
            let directive = parse(bytes, &mut at, va)?;
            match directive.letter {
                b'%' => out.push(b'%'),
                b'c' => match u8::try_from(va.int()) {
                    Ok(c) => out.push(c),
                    Err(_) => {
                        return Err(overflow_error(
                            "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]",
                        ));
                    }
                },
                b'd' | b'i' | b'u' | b'x' => out.extend_from_slice(number(&directive, va).as_bytes()),
                b's' => {
                    let piece = CStr::from_ptr(va.text()).to_bytes();
                    out.extend_from_slice(
                        &piece[..directive.precision.unwrap_or(usize::MAX).min(piece.len())],
                    );
                }
                b'p' => {
                    let pointer: *mut u8 = va.pointer();
                    out.extend_from_slice(format!("{:#x}", pointer.addr()).as_bytes());
                }
                _ => {
                    // What is not understood is copied, with all that follows.
                    out.extend_from_slice(&bytes[start..]);
                    break;
                }
            }
        }
    }
    Ok(out)
}

/// C's own `printf` directives, as far as `PyOS_snprintf` is used: texts, integers and floats.
unsafe fn format_c(format: &CStr, va: &mut VaList) -> PyResult<Vec<u8>> {
    let bytes = format.to_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        at += 1;
        let plus = bytes.get(at) == Some(&b'+');
        at += usize::from(plus);
        // SAFETY: the arguments are what the format says.
        unsafe {
            let mut directive = parse(bytes, &mut at, va)?;
            while matches!(directive.letter, b'h' | b'q') {
                directive.letter = bytes.get(at).copied().unwrap_or(0);
                at += 1;
            }
            let piece: Vec<u8> = match directive.letter {
                b'%' => vec![b'%'],
                b'c' => vec![va.int() as u8],
                b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                    let text = number(&directive, va);
                    if plus && !text.starts_with('-') {
                        format!("+{text}").into_bytes()
                    } else {
                        text.into_bytes()
                    }
                }
                b's' => {
                    let text = va.text();
                    let piece = if text.is_null() { b"(null)" } else { CStr::from_ptr(text).to_bytes() };
                    piece[..directive.precision.unwrap_or(usize::MAX).min(piece.len())].to_vec()
                }
                b'p' => {
                    let pointer: *mut u8 = va.pointer();
                    format!("{:#x}", pointer.addr()).into_bytes()
                }
                letter @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G') => {
                    let spec = format!(
                        "{}{}.{}{}",
                        if plus { "+" } else { "" },
                        if directive.alternate { "#" } else { "" },
                        directive.precision.unwrap_or(6),
                        letter as char
                    );
                    let text =
                        taipan_types_num::format::format_f64(va.double(), &*Str::from_utf8(&spec)?, "float")?;
                    text.to_lossy().into_bytes()
                }
                _ => return Err(invalid(format)),
            };
            let blanks = directive.width.unwrap_or(0).saturating_sub(piece.len());
            let fill = if directive.zero && !directive.left { b'0' } else { b' ' };
            if !directive.left {
                out.resize(out.len() + blanks, fill);
            }
            out.extend_from_slice(&piece);
            if directive.left {
                out.resize(out.len() + blanks, b' ');
            }
        }
    }
    Ok(out)
}

/// Writes a text into a buffer of C, cut to its size and always ended by a zero.
unsafe fn print_to(
    buffer: *mut c_char,
    size: usize,
    format: *const c_char,
    va: &mut VaList,
) -> PyResult<c_int> {
    // SAFETY: a buffer of that size, a C text and what it asks for.
    unsafe {
        let made = format_c(CStr::from_ptr(format), va)?;
        if size > 0 {
            let kept = made.len().min(size - 1);
            core::ptr::copy_nonoverlapping(made.as_ptr(), buffer.cast(), kept);
            buffer.add(kept).write(0);
        }
        Ok(made.len() as c_int)
    }
}

/// Writes a C text to one of the standard streams of Python.
unsafe fn write_to(stream: &str, message: &Str) -> PyResult<()> {
    let file = taipan_runtime::import_module("sys")?.getattr(&*Str::from_utf8(stream)?)?;
    let _ = file.call_method(taipan_object::intern!("write"), &[message])?;
    Ok(())
}

export! {
    fn PyUnicode_FromFormatV(format: *const c_char, va: *mut VaList) -> Obj {
        format_text(CStr::from_ptr(format), &mut *va)
    }

    fn PyBytes_FromFormatV(format: *const c_char, va: *mut VaList) -> Obj {
        Bytes::new(&format_bytes(CStr::from_ptr(format), &mut *va)?)
    }

    fn PyOS_vsnprintf(buffer: *mut c_char, size: usize, format: *const c_char, va: *mut VaList) -> c_int {
        print_to(buffer, size, format, &mut *va)
    }

    fn PyType_GetFullyQualifiedName(class: *mut PyTypeObject) -> Obj {
        type_name(crate::border::ty(class)?, false)
    }
}

variadic! {
    fn PyUnicode_FromFormat(va) -> Obj {
        let format = CStr::from_ptr(va.text());
        format_text(format, va)
    }

    fn PyBytes_FromFormat(va) -> Obj {
        let format = CStr::from_ptr(va.text());
        Bytes::new(&format_bytes(format, va)?)
    }

    fn PyOS_snprintf(va) -> c_int {
        let buffer = va.pointer::<c_char>();
        let size = va.word() as usize;
        let format = va.text();
        print_to(buffer, size, format, va)
    }

    fn PySys_WriteStdout(va) -> () {
        let format = CStr::from_ptr(va.text());
        let made = format_c(format, va)?;
        write_to("stdout", &*Str::from_utf8(&String::from_utf8_lossy(&made))?)
    }

    fn PySys_WriteStderr(va) -> () {
        let format = CStr::from_ptr(va.text());
        let made = format_c(format, va)?;
        write_to("stderr", &*Str::from_utf8(&String::from_utf8_lossy(&made))?)
    }

    fn PySys_FormatStdout(va) -> () {
        let format = CStr::from_ptr(va.text());
        write_to("stdout", &*format_text(format, va)?)
    }

    fn PySys_FormatStderr(va) -> () {
        let format = CStr::from_ptr(va.text());
        write_to("stderr", &*format_text(format, va)?)
    }
}

/// A text under construction for C (`PyUnicodeWriter`).
#[derive(Default)]
pub struct Writer {
    points: Vec<u32>,
}

impl Writer {
    fn push(&mut self, text: &Str) {
        self.points.extend(text.code_points());
    }
}

variadic! {
    fn PyUnicodeWriter_Format(va) -> c_int {
        let writer = &mut *va.pointer::<Writer>();
        let format = CStr::from_ptr(va.text());
        writer.push(&*format_text(format, va)?);
        Ok(())
    }
}

export! {
    fn PyUnicodeWriter_Create(len: isize) -> *mut core::ffi::c_void {
        if len < 0 {
            return Err(value_error("length must be positive"));
        }
        // The length is a hint and may be absurd.
        let room = len.cast_unsigned().min(1 << 16);
        Ok(Box::into_raw(Box::new(Writer { points: Vec::with_capacity(room) })).cast::<core::ffi::c_void>())
    }

    fn PyUnicodeWriter_Finish(writer: *mut Writer) -> Obj {
        let writer = Box::from_raw(writer);
        Str::from_code_points(&writer.points)
    }

    fn PyUnicodeWriter_Discard(writer: *mut Writer) {
        if !writer.is_null() {
            drop(Box::from_raw(writer));
        }
        Ok(())
    }

    fn PyUnicodeWriter_WriteChar(writer: *mut Writer, c: u32) -> c_int {
        if c > 0x10_FFFF {
            return Err(value_error("character must be in range(0x110000)"));
        }
        (*writer).points.push(c);
        Ok(())
    }

    fn PyUnicodeWriter_WriteUTF8(writer: *mut Writer, data: *const c_char, len: isize) -> c_int {
        let piece = match usize::try_from(len) {
            Ok(len) => core::slice::from_raw_parts(data.cast::<u8>(), len),
            Err(_) => CStr::from_ptr(data).to_bytes(),
        };
        (*writer).push(&*crate::unicodeobject::from_utf8(piece)?);
        Ok(())
    }

    fn PyUnicodeWriter_WriteASCII(writer: *mut Writer, data: *const c_char, len: isize) -> c_int {
        let piece = match usize::try_from(len) {
            Ok(len) => core::slice::from_raw_parts(data.cast::<u8>(), len),
            Err(_) => CStr::from_ptr(data).to_bytes(),
        };
        (*writer).points.extend(piece.iter().map(|&byte| u32::from(byte)));
        Ok(())
    }

    fn PyUnicodeWriter_WriteWideChar(writer: *mut Writer, data: *const u32, len: isize) -> c_int {
        let len = usize::try_from(len).unwrap_or_else(|_| (0..).take_while(|&i| data.add(i).read() != 0).count());
        (*writer).points.extend_from_slice(core::slice::from_raw_parts(data, len));
        Ok(())
    }

    fn PyUnicodeWriter_WriteUCS4(writer: *mut Writer, data: *const u32, len: isize) -> c_int {
        let Ok(len) = usize::try_from(len) else { return Err(value_error("size must be positive")) };
        (*writer).points.extend_from_slice(core::slice::from_raw_parts(data, len));
        Ok(())
    }

    fn PyUnicodeWriter_WriteStr(writer: *mut Writer, object: Obj) -> c_int {
        let shown = arg(object)?.str()?;
        (*writer).push(&shown);
        Ok(())
    }

    fn PyUnicodeWriter_WriteRepr(writer: *mut Writer, object: Obj) -> c_int {
        let shown = match Object::borrow_opt(object) {
            Some(object) => object.repr()?,
            None => Str::from_utf8("<NULL>")?,
        };
        (*writer).push(&shown);
        Ok(())
    }

    fn PyUnicodeWriter_WriteSubstring(writer: *mut Writer, object: Obj, from: isize, to: isize) -> c_int {
        let object = arg(object)?;
        let Some(source) = object.downcast::<Str>() else {
            return Err(taipan_object::raise!(
                taipan_object::statics::PyExc_TypeError,
                "expect str, not {}",
                object.ty().message_name()
            ));
        };
        if from < 0 || from > to {
            return Err(value_error("start must be positive and not above end"));
        }
        if to.cast_unsigned() > source.len() {
            return Err(value_error("end is above the length of the string"));
        }
        (*writer).push(&*source.substring(from.cast_unsigned(), to.cast_unsigned())?);
        Ok(())
    }

    fn PyUnicodeWriter_DecodeUTF8Stateful(writer: *mut Writer, data: *const c_char, len: isize, errors: *const c_char, consumed: *mut isize) -> c_int {
        let piece = match usize::try_from(len) {
            Ok(len) => core::slice::from_raw_parts(data.cast::<u8>(), len),
            Err(_) => CStr::from_ptr(data).to_bytes(),
        };
        let mut used = piece.len();
        if !consumed.is_null() {
            // What an incomplete sequence at the end needs comes with the next call.
            used -= piece.iter().rev().take(3).position(|&b| b >= 0xC0).map_or(0, |back| {
                let start = piece[piece.len() - 1 - back];
                let whole = if start >= 0xF0 { 4 } else if start >= 0xE0 { 3 } else { 2 };
                if back + 1 < whole { back + 1 } else { 0 }
            });
            consumed.write(used.cast_signed());
        }
        let errors = if errors.is_null() { "strict" } else { text(errors)? };
        let decoded = taipan_types_text::str::decode(&piece[..used], "utf-8", errors)?;
        let decoded = decoded.downcast::<Str>().ok_or_else(crate::border::bad_call)?;
        (*writer).push(decoded);
        Ok(())
    }
}
