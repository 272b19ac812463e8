//! `modsupport.h`: arguments by formats (`PyArg_ParseTuple` and its family).
//!
//! One reader, [`Parser::unit`], walks the units of a format: it takes the addresses that a unit needs
//! from the argument list and, if there is an argument, converts it. A missing argument only takes the
//! addresses, so skipping needs no second table of units. What was acquired before a failure is given
//! back by [`Parser::undo`].

use crate::border::{Crossing, Obj, arg, bad_call, export, export_plain, text};
use crate::variadic::{VaList, variadic};
use core::ffi::{CStr, c_char, c_int, c_void};
use taipan_abi::*;
use taipan_object::buffer::{self, Buffer};
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::dict::Dict;
use taipan_object::err::{self, PyErr, PyResult, overflow_error, system_error, type_error, value_error};
use taipan_object::float::Complex;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Type, alloc, raise};

/// Success as these functions tell it: 1, where failure is 0.
struct Done;

impl Crossing<c_int> for Done {
    const FAILURE: c_int = 0;
    fn cross(self) -> c_int {
        1
    }
}

/// Why an argument was refused.
enum Bad {
    /// It must be something else: the words for what.
    Expected(String),
    /// An error with its own words.
    Error(PyErr),
}

impl From<PyErr> for Bad {
    fn from(error: PyErr) -> Self {
        Bad::Error(error)
    }
}

fn expected(what: &str) -> Bad {
    Bad::Expected(what.to_owned())
}

/// What has to be given back when a later argument is refused.
enum Held {
    View(*mut Py_buffer),
    Block(*mut *mut c_char),
}

struct Parser<'a> {
    format: &'a [u8],
    at: usize,
    held: Vec<Held>,
    /// Positions in nested tuples, for messages.
    path: Vec<usize>,
}

/// Name and message behind the units of a format.
struct Tail<'a> {
    name: Option<&'a str>,
    message: Option<&'a str>,
}

impl Tail<'_> {
    fn of(format: &[u8]) -> Tail<'_> {
        let words = |from: usize| core::str::from_utf8(&format[from + 1..]).ok();
        Tail {
            name: format.iter().position(|&byte| byte == b':').and_then(words),
            message: format.iter().position(|&byte| byte == b';').and_then(words),
        }
    }

    /// The function as messages begin: `name()` or `function`.
    fn shown(&self) -> String {
        self.name.map_or_else(|| "function".to_owned(), |name| format!("{name}()"))
    }
}

fn describe(object: &Object) -> &str {
    if is_none(object) { "None" } else { object.ty().message_name() }
}

impl<'a> Parser<'a> {
    fn new(format: &'a [u8]) -> Self {
        Self { format, at: 0, held: Vec::new(), path: Vec::new() }
    }

    fn peek(&self) -> u8 {
        self.format.get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// Whether no further unit follows.
    fn ended(&self) -> bool {
        matches!(self.peek(), 0 | b':' | b';')
    }

    /// Gives back what earlier units acquired.
    unsafe fn undo(&mut self) {
        for held in self.held.drain(..) {
            // SAFETY: filled by this very parser.
            unsafe {
                match held {
                    Held::View(view) => buffer::release(&mut *view),
                    Held::Block(place) => {
                        alloc::free((*place).cast());
                        place.write(core::ptr::null_mut());
                    }
                }
            }
        }
    }

    fn refusal(&self, bad: Bad, argument: Option<&Object>, index: usize, tail: &Tail<'_>) -> PyErr {
        let expected = match bad {
            Bad::Error(error) => return error,
            Bad::Expected(expected) => expected,
        };
        if let Some(message) = tail.message {
            return type_error(message);
        }
        let given = argument.map_or("nothing", describe);
        let mut place = String::new();
        if let Some(name) = tail.name {
            place = format!("{name}() ");
        }
        if index > 0 {
            place += &format!("argument {index}");
            for item in &self.path {
                place += &format!(", item {item}");
            }
        } else {
            place += "argument";
        }
        if expected.starts_with('(') || expected.starts_with("is ") {
            return raise!(PyExc_TypeError, "{place} {expected}");
        }
        raise!(PyExc_TypeError, "{place} must be {expected}, not {given}")
    }

    /// One unit of the format: takes its addresses and fills them from the argument, if there is one.
    unsafe fn unit(&mut self, argument: Option<&Object>, va: &mut VaList) -> Result<(), Bad> {
        let letter = self.peek();
        self.at += 1;
        // SAFETY: the addresses are what the unit asks for, by the caller's contract.
        unsafe {
            match letter {
                b'(' => self.nested(argument, va),
                b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'l' | b'k' | b'L' | b'K' | b'n' | b'f' | b'd'
                | b'D' | b'p' | b'c' | b'C' => number(letter, argument, va.pointer()),
                b's' | b'z' | b'y' => self.data(letter, argument, va),
                b'w' if self.eat(b'*') => {
                    let place: *mut Py_buffer = va.pointer();
                    let Some(argument) = argument else { return Ok(()) };
                    match self.view(argument, place, PyBUF_WRITABLE) {
                        Ok(()) => Ok(()),
                        Err(_) => Err(expected("read-write bytes-like object")),
                    }
                }
                b'e' => self.encoded(argument, va),
                b'S' => object_of(argument, va.pointer(), |o| o.downcast::<Bytes>().is_some(), "bytes"),
                b'Y' => {
                    object_of(argument, va.pointer(), |o| o.downcast::<ByteArray>().is_some(), "bytearray")
                }
                b'U' => object_of(argument, va.pointer(), |o| o.downcast::<Str>().is_some(), "str"),
                b'O' if self.eat(b'!') => {
                    let class: *mut PyTypeObject = va.pointer();
                    let class: &Type = Object::borrow(class.cast()).cast();
                    object_of(argument, va.pointer(), |o| o.ty().is_subtype(class), class.name())
                }
                b'O' if self.eat(b'&') => {
                    let convert = va.function();
                    let place: *mut c_void = va.pointer();
                    let Some(argument) = argument else { return Ok(()) };
                    let convert: unsafe extern "C" fn(Obj, *mut c_void) -> c_int =
                        core::mem::transmute(convert);
                    match convert(argument.as_ptr(), place) {
                        0 => Err(match err::fetch_opt() {
                            Some(error) => Bad::Error(error),
                            None => expected("(unspecified)"),
                        }),
                        _ => Ok(()),
                    }
                }
                b'O' => object_of(argument, va.pointer(), |_| true, ""),
                _ => Err(Bad::Error(system_error(&format!("bad format char: '{}'", char::from(letter))))),
            }
        }
    }

    /// A tuple whose items have units of their own.
    unsafe fn nested(&mut self, argument: Option<&Object>, va: &mut VaList) -> Result<(), Bad> {
        if self.path.len() > 30 {
            return Err(Bad::Error(system_error("too many tuple nesting levels in argument format string")));
        }
        let count = self.count_units();
        let items = match argument {
            None => None,
            Some(argument) => {
                let Some(tuple) = argument.downcast::<Tuple>() else {
                    return Err(Bad::Expected(format!("{count}-item tuple")));
                };
                if tuple.len() != count {
                    return Err(Bad::Expected(format!("tuple of length {count}")));
                }
                Some(tuple)
            }
        };
        self.path.push(0);
        for index in 0..count {
            if let Some(last) = self.path.last_mut() {
                *last = index + 1;
            }
            // SAFETY: forwarded contract.
            unsafe { self.unit(items.and_then(|tuple| tuple.get(index)), va)? };
        }
        self.path.pop();
        if self.eat(b')') { Ok(()) } else { Err(Bad::Error(system_error("missing ')' in getargs format"))) }
    }

    /// How many units stand before the closing bracket of this level.
    fn count_units(&self) -> usize {
        let (mut depth, mut count) = (0_usize, 0);
        for &byte in &self.format[self.at..] {
            match byte {
                b'(' => {
                    count += usize::from(depth == 0);
                    depth += 1;
                }
                b')' if depth == 0 => break,
                b')' => depth -= 1,
                b'e' => {}
                byte if byte.is_ascii_alphabetic() && depth == 0 => count += 1,
                _ => {}
            }
        }
        count
    }

    unsafe fn view(&mut self, argument: &Object, place: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: a place for a view; the object fills it.
        unsafe {
            if fill_from_object(argument, place, flags)? {
                self.held.push(Held::View(place));
            }
        }
        Ok(())
    }

    /// `s`, `z` and `y`, with `*`, `#` or alone.
    unsafe fn data(&mut self, letter: u8, argument: Option<&Object>, va: &mut VaList) -> Result<(), Bad> {
        let or_none = if letter == b'z' { " or None" } else { "" };
        // SAFETY: the addresses are what the unit asks for.
        unsafe {
            if self.eat(b'*') {
                let place: *mut Py_buffer = va.pointer();
                let Some(argument) = argument else { return Ok(()) };
                if letter == b'z' && is_none(argument) {
                    fill_view(place, None, core::ptr::null(), 0);
                    return Ok(());
                }
                if let Some(text) = argument.downcast::<Str>().filter(|_| letter != b'y') {
                    let utf8 = text.to_utf8()?;
                    fill_view(place, Some(argument), utf8.as_ptr(), utf8.len());
                    self.held.push(Held::View(place));
                    return Ok(());
                }
                return match self.view(argument, place, PyBUF_SIMPLE) {
                    Ok(()) => Ok(()),
                    Err(_) if buffer::has_buffer(argument) => Err(expected("contiguous buffer")),
                    Err(_) => Err(Bad::Error(raise!(
                        PyExc_TypeError,
                        "a bytes-like object is required, not '{}'",
                        argument.ty().message_name()
                    ))),
                };
            }
            let place: *mut *const u8 = va.pointer();
            let size: *mut isize = if self.eat(b'#') { va.pointer() } else { core::ptr::null_mut() };
            let Some(argument) = argument else { return Ok(()) };
            let found: &[u8] = if letter == b'z' && is_none(argument) {
                place.write(core::ptr::null());
                if !size.is_null() {
                    size.write(0);
                }
                return Ok(());
            } else if let Some(text) = argument.downcast::<Str>().filter(|_| letter != b'y') {
                text.to_utf8()?.as_bytes()
            } else if let Some(bytes) =
                argument.downcast::<Bytes>().filter(|_| letter == b'y' || !size.is_null())
            {
                bytes.as_slice()
            } else if letter != b'y' && size.is_null() {
                return Err(Bad::Expected(format!("str{or_none}")));
            } else {
                // The memory outlives the view: only objects that cannot be resized are allowed.
                if has_release(argument) {
                    return Err(Bad::Expected(match letter {
                        b'y' => "read-only bytes-like object".to_owned(),
                        _ => format!("read-only bytes-like object{or_none}"),
                    }));
                }
                let view = Buffer::simple(argument)?;
                core::slice::from_raw_parts(view.view().buf.cast(), view.len())
            };
            let pointer = match argument.downcast::<Str>() {
                Some(text) if text.is_ascii() => text.data_ptr().cast_const(),
                _ => found.as_ptr(),
            };
            if size.is_null() {
                if found.contains(&0) {
                    let what = if letter == b'y' { "embedded null byte" } else { "embedded null character" };
                    return Err(Bad::Error(value_error(what)));
                }
            } else {
                size.write(found.len().cast_signed());
            }
            place.write(pointer);
        }
        Ok(())
    }

    /// `es`, `et`, `es#`, `et#`: text in an encoding, in memory of its own.
    unsafe fn encoded(&mut self, argument: Option<&Object>, va: &mut VaList) -> Result<(), Bad> {
        let raw = match self.peek() {
            b's' => false,
            b't' => true,
            _ => return Err(Bad::Error(system_error("unknown parser marker combination"))),
        };
        self.at += 1;
        // SAFETY: the addresses are what the unit asks for.
        unsafe {
            let encoding = va.text();
            let place: *mut *mut c_char = va.pointer();
            let size: *mut isize = if self.eat(b'#') { va.pointer() } else { core::ptr::null_mut() };
            let Some(argument) = argument else { return Ok(()) };
            let encoding = if encoding.is_null() { "utf-8" } else { text(encoding)? };
            let data = if let Some(bytes) = argument.downcast::<Bytes>().filter(|_| raw) {
                bytes.as_slice().to_vec()
            } else if let Some(bytes) = argument.downcast::<ByteArray>().filter(|_| raw) {
                bytes.to_vec()
            } else if let Some(text) = argument.downcast::<Str>() {
                let made = taipan_types_text::str::encode(text, encoding, "strict")?;
                made.downcast::<Bytes>().map_or_else(Vec::new, |bytes| bytes.as_slice().to_vec())
            } else {
                return Err(expected(if raw { "str, bytes or bytearray" } else { "str" }));
            };
            if size.is_null() && data.contains(&0) {
                return Err(Bad::Error(value_error("embedded null byte")));
            }
            if !size.is_null() && !(*place).is_null() {
                if data.len().cast_signed() + 1 > *size {
                    return Err(Bad::Error(raise!(
                        PyExc_ValueError,
                        "encoded string too long ({}, maximum length {})",
                        data.len(),
                        *size - 1
                    )));
                }
            } else {
                let block = alloc::malloc(data.len() + 1);
                if block.is_null() {
                    return Err(Bad::Error(alloc::no_memory()));
                }
                place.write(block.cast());
                self.held.push(Held::Block(place));
            }
            core::ptr::copy_nonoverlapping(data.as_ptr(), (*place).cast(), data.len());
            (*place).add(data.len()).write(0);
            if !size.is_null() {
                size.write(data.len().cast_signed());
            }
        }
        Ok(())
    }
}

/// Fills a view by the object's own function; whether it then has to be released.
unsafe fn fill_from_object(object: &Object, place: *mut Py_buffer, flags: c_int) -> PyResult<bool> {
    // SAFETY: a live object, a place for a view.
    unsafe {
        let table = (*object.ty().raw()).tp_as_buffer;
        let function = if table.is_null() { None } else { (*table).bf_getbuffer };
        let Some(function) = function else {
            return Err(raise!(
                PyExc_TypeError,
                "a bytes-like object is required, not '{}'",
                object.ty().message_name()
            ));
        };
        taipan_object::native::from_c_int(function(object.as_ptr(), place, flags) as isize)?;
        if flags & PyBUF_ND == 0 && !buffer::is_contiguous(&*place, b'C') {
            buffer::release(&mut *place);
            return Err(err::buffer_error("contiguous buffer"));
        }
    }
    Ok(true)
}

fn has_release(object: &Object) -> bool {
    // SAFETY: a live type.
    unsafe {
        let table = (*object.ty().raw()).tp_as_buffer;
        !table.is_null() && (*table).bf_releasebuffer.is_some()
    }
}

unsafe fn fill_view(place: *mut Py_buffer, owner: Option<&Object>, data: *const u8, len: usize) {
    let mut view = buffer::empty_view();
    view.buf = data.cast_mut().cast();
    view.len = len.cast_signed();
    view.itemsize = 1;
    view.readonly = 1;
    view.obj = taipan_object::handle::into_ptr_opt(owner.map(Object::new_ref));
    // SAFETY: a place for a view.
    unsafe { place.write(view) };
}

/// `O` and its relatives: a borrowed reference to an object that passes a check.
unsafe fn object_of(
    argument: Option<&Object>,
    place: *mut Obj,
    check: impl Fn(&Object) -> bool,
    what: &str,
) -> Result<(), Bad> {
    let Some(argument) = argument else { return Ok(()) };
    if !check(argument) {
        return Err(expected(what));
    }
    // SAFETY: a place for a reference, by the caller's contract.
    unsafe { place.write(argument.as_ptr()) };
    Ok(())
}

/// An int within bounds, with the words of C's type.
fn bounded(argument: &Object, low: i64, high: i64, what: &str) -> Result<i64, Bad> {
    let value = argument.to_index()?;
    let Some(value) = value.to_i64() else {
        return Err(Bad::Error(overflow_error("Python int too large to convert to C long")));
    };
    if value < low {
        return Err(Bad::Error(overflow_error(&format!("{what} is less than minimum"))));
    }
    if value > high {
        return Err(Bad::Error(overflow_error(&format!("{what} is greater than maximum"))));
    }
    Ok(value)
}

/// The units that fill a number.
unsafe fn number(letter: u8, argument: Option<&Object>, place: *mut c_void) -> Result<(), Bad> {
    let Some(argument) = argument else { return Ok(()) };
    // SAFETY: the place has the unit's type, by the caller's contract.
    unsafe {
        match letter {
            b'b' => place.cast::<u8>().write(bounded(argument, 0, 255, "unsigned byte integer")? as u8),
            b'B' => place.cast::<u8>().write(wrapping(argument)? as u8),
            b'h' => {
                place.cast::<i16>().write(bounded(argument, -0x8000, 0x7fff, "signed short integer")? as i16)
            }
            b'H' => place.cast::<u16>().write(wrapping(argument)? as u16),
            b'i' => {
                let (low, high) = (i64::from(i32::MIN), i64::from(i32::MAX));
                place.cast::<i32>().write(bounded(argument, low, high, "signed integer")? as i32);
            }
            b'I' => place.cast::<u32>().write(wrapping(argument)? as u32),
            b'l' | b'L' => {
                let value = crate::longobject::PyLong_AsLong(argument.as_ptr());
                if value == -1
                    && let Some(error) = err::fetch_opt()
                {
                    return Err(Bad::Error(error));
                }
                place.cast::<i64>().write(value);
            }
            b'k' | b'K' => {
                if argument.downcast::<taipan_object::int::Int>().is_none() {
                    return Err(expected("int"));
                }
                place.cast::<u64>().write(wrapping(argument)?);
            }
            b'n' => {
                let value = argument.to_index()?.to_i64();
                let value =
                    value.ok_or_else(|| overflow_error("Python int too large to convert to C ssize_t"))?;
                place.cast::<i64>().write(value);
            }
            b'f' => place.cast::<f32>().write(argument.to_f64()? as f32),
            b'd' => place.cast::<f64>().write(argument.to_f64()?),
            b'D' => {
                let (real, imag) = match argument.downcast::<Complex>() {
                    Some(complex) => complex.value(),
                    None => taipan_types_num::complex::complex_from_object(argument)?,
                };
                place.cast::<Py_complex>().write(Py_complex { real, imag });
            }
            b'p' => place.cast::<c_int>().write(c_int::from(argument.is_true()?)),
            b'c' => {
                let bytes = argument.downcast::<Bytes>().map(Bytes::as_slice);
                let array = argument.downcast::<ByteArray>().map(ByteArray::to_vec);
                match bytes.or(array.as_deref()) {
                    Some([byte]) => place.cast::<u8>().write(*byte),
                    Some(other) => {
                        let kind = if bytes.is_some() { "bytes" } else { "bytearray" };
                        return Err(Bad::Error(raise!(
                            PyExc_TypeError,
                            "argument must be a byte string of length 1, not a {kind} object of length {}",
                            other.len()
                        )));
                    }
                    None => return Err(expected("a byte string of length 1")),
                }
            }
            _ => match argument.downcast::<Str>() {
                Some(text) if text.len() == 1 => place.cast::<u32>().write(text.chars().at(0)),
                Some(text) => {
                    return Err(Bad::Error(raise!(
                        PyExc_TypeError,
                        "argument must be a unicode character, not a string of length {}",
                        text.len()
                    )));
                }
                None => return Err(expected("a unicode character")),
            },
        }
    }
    Ok(())
}

/// The low 64 bits of an int.
unsafe fn wrapping(argument: &Object) -> Result<u64, Bad> {
    // SAFETY: a live object.
    let value = unsafe { crate::longobject::PyLong_AsUnsignedLongLongMask(argument.as_ptr()) };
    match err::fetch_opt() {
        Some(error) if value == u64::MAX => Err(Bad::Error(error)),
        Some(error) => {
            err::restore(error);
            Ok(value)
        }
        None => Ok(value),
    }
}

/// Required and total number of units at the top level, and the number before `$`.
fn shape(format: &[u8]) -> (usize, usize, usize) {
    let (mut depth, mut total, mut required, mut positional) = (0, 0, None, None);
    for &byte in format {
        match byte {
            b'(' => {
                total += usize::from(depth == 0);
                depth += 1;
            }
            b')' => depth -= 1,
            b'|' if depth == 0 => required = Some(total),
            b'$' if depth == 0 => positional = Some(total),
            b':' | b';' => break,
            b'e' => {}
            byte if byte.is_ascii_alphabetic() && depth == 0 => total += 1,
            _ => {}
        }
    }
    (required.unwrap_or(total), total, positional.unwrap_or(total))
}

/// Positional arguments by a format (`PyArg_ParseTuple`).
unsafe fn parse_positional(args: &[&Object], format: &[u8], va: &mut VaList) -> PyResult<()> {
    let tail = Tail::of(format);
    let (required, total, _) = shape(format);
    if args.len() < required || args.len() > total {
        if let Some(message) = tail.message {
            return Err(type_error(message));
        }
        let (how, count) = match args.len() {
            _ if required == total => ("exactly", total),
            given if given < required => ("at least", required),
            _ => ("at most", total),
        };
        if total == 0 {
            return Err(raise!(PyExc_TypeError, "{} takes no arguments", tail.shown()));
        }
        let plural = if count == 1 { "" } else { "s" };
        return Err(raise!(
            PyExc_TypeError,
            "{} takes {how} {count} argument{plural} ({} given)",
            tail.shown(),
            args.len()
        ));
    }
    let mut parser = Parser::new(format);
    for (index, argument) in args.iter().enumerate() {
        parser.eat(b'|');
        // SAFETY: forwarded contract.
        unsafe {
            if let Err(bad) = parser.unit(Some(argument), va) {
                let error = parser.refusal(bad, Some(argument), index + 1, &tail);
                parser.undo();
                return Err(error);
            }
        }
    }
    Ok(())
}

/// The names of the parameters: empty ones are positional only.
unsafe fn names<'a>(mut list: *const *const c_char) -> PyResult<Vec<&'a str>> {
    let mut found = Vec::new();
    // SAFETY: ends with a null pointer by the callers' contract.
    unsafe {
        while !(*list).is_null() {
            found.push(text(*list)?);
            list = list.add(1);
        }
    }
    Ok(found)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Checks the numbers of arguments before any is converted.
fn check_counts(tail: &Tail<'_>, given: usize, named: usize, shape: (usize, usize, usize)) -> PyResult<()> {
    let (required, total, positional) = shape;
    let name = tail.shown();
    if given + named > total {
        let kind = if given == 0 { "keyword " } else { "" };
        return Err(raise!(
            PyExc_TypeError,
            "{name} takes at most {total} {kind}argument{} ({} given)",
            plural(total),
            given + named
        ));
    }
    if given > positional {
        if positional == 0 {
            return Err(raise!(PyExc_TypeError, "{name} takes no positional arguments"));
        }
        let how = if required < total { "at most" } else { "exactly" };
        return Err(raise!(
            PyExc_TypeError,
            "{name} takes {how} {positional} positional argument{} ({given} given)",
            plural(positional)
        ));
    }
    Ok(())
}

/// Arguments by position and name (`PyArg_ParseTupleAndKeywords`).
unsafe fn parse_keywords(
    args: &[&Object],
    kwargs: Option<&Dict>,
    format: &[u8],
    names: &[&str],
    va: &mut VaList,
) -> PyResult<()> {
    let tail = Tail::of(format);
    let (required, total, positional) = shape(format);
    let only_positional = names.iter().take_while(|name| name.is_empty()).count();
    if total != names.len() {
        return Err(system_error("more keyword list entries than argument specifiers"));
    }
    let named = kwargs.map_or(0, Dict::len);
    check_counts(&tail, args.len(), named, (required, total, positional))?;
    let mut parser = Parser::new(format);
    let mut used = 0;
    for (index, name) in names.iter().enumerate() {
        while parser.eat(b'|') || parser.eat(b'$') {}
        let by_name = match kwargs.filter(|_| index >= only_positional) {
            Some(kwargs) => kwargs.get(&*Str::from_utf8(name)?)?,
            None => None,
        };
        used += usize::from(by_name.is_some());
        let problem = if index < args.len() && by_name.is_some() {
            Some(format!(
                "argument for {} given by name ('{name}') and position ({})",
                tail.shown(),
                index + 1
            ))
        } else if index >= args.len() && by_name.is_none() && index < required {
            Some(missing(&tail, index, name, args.len(), [only_positional, required, total]))
        } else {
            None
        };
        let argument = args.get(index).copied().or(by_name.as_deref());
        // SAFETY: forwarded contract; what a keyword gives is kept alive by the dict.
        unsafe {
            if let Some(problem) = problem {
                parser.undo();
                return Err(type_error(&problem));
            }
            if let Err(bad) = parser.unit(argument, va) {
                let error = parser.refusal(bad, argument, index + 1, &tail);
                parser.undo();
                return Err(error);
            }
        }
    }
    if !parser.ended() && !matches!(parser.peek(), b'|' | b'$') {
        return Err(system_error("more argument specifiers than keyword list entries"));
    }
    if used < named
        && let Some(kwargs) = kwargs
    {
        let error = unexpected(kwargs, &names[only_positional..], &tail);
        // SAFETY: filled by this parser.
        unsafe { parser.undo() };
        return Err(error);
    }
    Ok(())
}

fn missing(tail: &Tail<'_>, index: usize, name: &str, given: usize, counts: [usize; 3]) -> String {
    let [only_positional, required, total] = counts;
    if index < only_positional {
        let count = only_positional.min(required);
        let how = if count < total { "at least" } else { "exactly" };
        return format!(
            "{} takes {how} {count} positional argument{} ({given} given)",
            tail.shown(),
            plural(count)
        );
    }
    format!("{} missing required argument '{name}' (pos {})", tail.shown(), index + 1)
}

fn unexpected(kwargs: &Dict, names: &[&str], tail: &Tail<'_>) -> PyErr {
    for (key, _) in kwargs.items_vec() {
        let Some(text) = key.downcast::<Str>() else { return type_error("keywords must be strings") };
        if !names.iter().any(|name| text.equals(name)) {
            return raise!(
                PyExc_TypeError,
                "{} got an unexpected keyword argument '{}'",
                tail.shown(),
                text.to_lossy()
            );
        }
    }
    bad_call()
}

unsafe fn tuple_items<'a>(args: Obj) -> PyResult<&'a [&'a Object]> {
    // SAFETY: a live object by the callers' contract.
    let tuple = unsafe { arg(args)? };
    match tuple.downcast::<Tuple>() {
        Some(tuple) => Ok(tuple.items()),
        None => Err(system_error("new style getargs format but argument is not a tuple")),
    }
}

unsafe fn parse_tuple(args: Obj, format: *const c_char, va: &mut VaList) -> PyResult<Done> {
    // SAFETY: what the format says, by the callers' contract.
    unsafe { parse_positional(tuple_items(args)?, CStr::from_ptr(format).to_bytes(), va)? };
    Ok(Done)
}

unsafe fn parse_tuple_and_keywords(
    args: Obj,
    kwargs: Obj,
    format: *const c_char,
    list: *const *const c_char,
    va: &mut VaList,
) -> PyResult<Done> {
    // SAFETY: what the format says, by the callers' contract.
    unsafe {
        let kwargs = Object::borrow_opt(kwargs).map(|kwargs| kwargs.cast::<Dict>());
        parse_keywords(tuple_items(args)?, kwargs, CStr::from_ptr(format).to_bytes(), &names(list)?, va)?;
    }
    Ok(Done)
}

unsafe fn parse_one(argument: Obj, format: *const c_char, va: &mut VaList) -> PyResult<Done> {
    // SAFETY: what the format says, by the callers' contract.
    unsafe {
        let (format, argument) = (CStr::from_ptr(format).to_bytes(), arg(argument)?);
        let tail = Tail::of(format);
        let mut parser = Parser::new(format);
        parser.unit(Some(argument), va).map_err(|bad| {
            let error = parser.refusal(bad, Some(argument), 0, &tail);
            parser.undo();
            error
        })?;
    }
    Ok(Done)
}

unsafe fn unpack(args: Obj, name: *const c_char, min: isize, max: isize, va: &mut VaList) -> PyResult<Done> {
    // SAFETY: as many places as `max` says, by the callers' contract.
    unsafe {
        let items = tuple_items(args)?;
        let shown = if name.is_null() { "unpacked tuple".to_owned() } else { text(name)?.to_owned() };
        let len = items.len().cast_signed();
        if len < min || len > max {
            let (how, count) = if len < min {
                (if min == max { "" } else { "at least " }, min)
            } else {
                (if min == max { "" } else { "at most " }, max)
            };
            let noun = if name.is_null() { "should have" } else { "expected" };
            let what = if name.is_null() { "element" } else { "argument" };
            let s = if count == 1 { "" } else { "s" };
            let but = if name.is_null() { ", but has" } else { ", got" };
            return Err(raise!(PyExc_TypeError, "{shown} {noun} {how}{count} {what}{s}{but} {len}"));
        }
        for item in items {
            va.pointer::<Obj>().write(item.as_ptr());
        }
        Ok(Done)
    }
}

variadic! {
    fn PyArg_ParseTuple(va) -> c_int {
        let (args, format) = (va.pointer(), va.text());
        parse_tuple(args, format, va)
    }

    fn _PyArg_ParseTuple_SizeT(va) -> c_int {
        let (args, format) = (va.pointer(), va.text());
        parse_tuple(args, format, va)
    }

    fn PyArg_ParseTupleAndKeywords(va) -> c_int {
        let (args, kwargs, format) = (va.pointer(), va.pointer(), va.text());
        let list: *mut *const c_char = va.pointer();
        parse_tuple_and_keywords(args, kwargs, format, list, va)
    }

    fn _PyArg_ParseTupleAndKeywords_SizeT(va) -> c_int {
        let (args, kwargs, format) = (va.pointer(), va.pointer(), va.text());
        let list: *mut *const c_char = va.pointer();
        parse_tuple_and_keywords(args, kwargs, format, list, va)
    }

    fn PyArg_Parse(va) -> c_int {
        let (args, format) = (va.pointer(), va.text());
        parse_one(args, format, va)
    }

    fn _PyArg_Parse_SizeT(va) -> c_int {
        let (args, format) = (va.pointer(), va.text());
        parse_one(args, format, va)
    }

    fn PyArg_UnpackTuple(va) -> c_int {
        let (args, name) = (va.pointer(), va.text());
        let (min, max) = (va.long() as isize, va.long() as isize);
        unpack(args, name, min, max, va)
    }
}

export! {
    fn PyArg_VaParse(args: Obj, format: *const c_char, va: *mut VaList) -> c_int {
        parse_tuple(args, format, &mut *va)
    }

    fn PyArg_VaParseTupleAndKeywords(args: Obj, kwargs: Obj, format: *const c_char, list: *const *const c_char, va: *mut VaList) -> c_int {
        parse_tuple_and_keywords(args, kwargs, format, list, &mut *va)
    }

    fn PyArg_ValidateKeywordArguments(kwargs: Obj) -> c_int {
        let Some(kwargs) = arg(kwargs)?.downcast::<Dict>() else {
            return Err(bad_call());
        };
        if kwargs.items_vec().iter().any(|(key, _)| key.downcast::<Str>().is_none()) {
            return Err(type_error("keywords must be strings"));
        }
        Ok(Done)
    }
}

export_plain! {
    fn _PyArg_NoKeywords(function: *const c_char, kwargs: Obj) -> c_int {
        let empty = Object::borrow_opt(kwargs).and_then(Object::downcast::<Dict>).is_none_or(Dict::is_empty);
        if empty {
            return 1;
        }
        let name = CStr::from_ptr(function).to_string_lossy();
        err::restore(raise!(PyExc_TypeError, "{name}() takes no keyword arguments"));
        0
    }

    fn _PyArg_NoPositional(function: *const c_char, args: Obj) -> c_int {
        let empty = Object::borrow_opt(args).and_then(Object::downcast::<Tuple>).is_none_or(Tuple::is_empty);
        if empty {
            return 1;
        }
        let name = CStr::from_ptr(function).to_string_lossy();
        err::restore(raise!(PyExc_TypeError, "{name}() takes no positional arguments"));
        0
    }
}
