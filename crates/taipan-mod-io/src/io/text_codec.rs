//! How a text stream decodes and encodes.
//!
//! UTF-8, ASCII and Latin-1 are done here with the same states as the library's incremental codecs
//! have; every other encoding goes through the objects of its codec.

use super::newline::{NewlineState, decoded};
use crate::codecs::{errors, registry};
use core::cell::{Cell, RefCell};
use taipan_codecs::{simple, utf8};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::Field;
use taipan_object::singletons::bool_object;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, raise};

/// The encodings that need no codec objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Utf8,
    Ascii,
    Latin1,
}

impl Kind {
    /// By the name of an encoding.
    pub fn of(name: &str) -> Option<Kind> {
        Some(match registry::normalized(name).as_str() {
            "utf_8" | "utf8" => Kind::Utf8,
            "ascii" | "us_ascii" => Kind::Ascii,
            "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" => Kind::Latin1,
            _ => return None,
        })
    }

    /// Decodes; gives the text and how many bytes it is made of.
    pub fn decode(self, data: &[u8], errors: &str, last: bool) -> PyResult<(Ref<Str>, usize)> {
        match self {
            Kind::Latin1 => Ok((Str::from_latin1(data)?, data.len())),
            Kind::Ascii if data.is_ascii() => Ok((Str::from_latin1(data)?, data.len())),
            Kind::Ascii => errors::decode(&mut simple::decode_ascii, data, "ascii", errors, last),
            Kind::Utf8 => match core::str::from_utf8(data) {
                Ok(text) => Ok((Str::from_utf8(text)?, data.len())),
                // Only the end is missing: what is whole is taken.
                Err(fault) if fault.error_len().is_none() && !last => {
                    let (whole, _) = data.split_at(fault.valid_up_to());
                    let text = core::str::from_utf8(whole).unwrap_or("");
                    Ok((Str::from_utf8(text)?, whole.len()))
                }
                Err(_) => errors::decode(&mut utf8::decode, data, "utf-8", errors, last),
            },
        }
    }

    /// Appends the encoded text.
    pub fn encode(self, text: &Str, errors: &str, out: &mut Vec<u8>) -> PyResult<()> {
        if let Some(ascii) = text.as_ascii() {
            out.extend_from_slice(ascii.as_bytes());
            return Ok(());
        }
        if let (Kind::Latin1, Chars::One(bytes)) = (self, text.chars()) {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        let ascii_text = errors::Accepts { unit: 1, ascii_text: true };
        let made = match self {
            Kind::Utf8 => {
                let before = out.len();
                if text.code_points().all(|c| {
                    utf8::push(c, out);
                    c & !0x7FF != 0xD800
                }) {
                    return Ok(());
                }
                out.truncate(before);
                errors::encode(&mut utf8::encode, text, "utf-8", errors, ascii_text)?
            }
            Kind::Ascii => {
                errors::encode(&mut simple::encode_ascii, text, "ascii", errors, errors::Accepts::ANY)?
            }
            Kind::Latin1 => {
                errors::encode(&mut simple::encode_latin1, text, "latin-1", errors, errors::Accepts::ANY)?
            }
        };
        out.extend_from_slice(made.as_slice());
        Ok(())
    }
}

/// A decoder's state: input that it keeps back, and a number.
pub struct DecoderState {
    pub pending: Ref<Bytes>,
    pub flags: i64,
}

/// The decoding side of a stream.
#[derive(Default)]
pub struct Decoder {
    /// The codec's own incremental decoder.
    pub object: Field,
    native: Cell<Option<Kind>>,
    pending: RefCell<Vec<u8>>,
    newline: Cell<bool>,
    pub newlines: NewlineState,
    set: Cell<bool>,
}

#[cold]
fn illegal_state() -> PyErr {
    err::type_error("illegal decoder state")
}

impl Decoder {
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Forgets the decoder.
    pub fn unset(&self) {
        self.set.set(false);
        self.native.set(None);
        self.object.set(None);
    }

    /// Begins with a native decoder or a codec's; `newline` is whether line ends are noted, and
    /// translated.
    pub fn begin(&self, native: Option<Kind>, object: Option<Ref>, newline: Option<bool>) {
        self.native.set(native);
        self.object.set(object);
        self.pending.borrow_mut().clear();
        self.newline.set(newline.is_some());
        self.newlines.reset();
        self.newlines.set_translate(newline.unwrap_or(false));
        self.set.set(true);
    }

    fn object(&self) -> PyResult<Ref> {
        self.object.get().ok_or_else(illegal_state)
    }

    /// Decodes the next piece of input.
    pub fn decode(&self, input: &Object, errors: &str, last: bool) -> PyResult<Ref<Str>> {
        let text = match self.native.get() {
            Some(kind) => self.decode_native(kind, input, errors, last)?,
            None => decoded(self.object()?.call_method(intern!("decode"), &[input, bool_object(last)])?)?,
        };
        if self.newline.get() { self.newlines.feed(text, last) } else { Ok(text) }
    }

    fn decode_native(&self, kind: Kind, input: &Object, errors: &str, last: bool) -> PyResult<Ref<Str>> {
        let waiting = self.pending.take();
        let buffer;
        let data: &[u8] = match input.downcast::<Bytes>() {
            Some(bytes) => bytes.as_slice(),
            None => {
                buffer = Buffer::simple(input)?;
                buffer.as_slice()
            }
        };
        if waiting.is_empty() {
            let copy;
            // An error handler may run: only bytes objects stay as they are.
            let data = if input.downcast::<Bytes>().is_some() {
                data
            } else {
                copy = data.to_vec();
                &copy
            };
            let (text, used) = kind.decode(data, errors, last)?;
            self.pending.replace(data[used.min(data.len())..].to_vec());
            return Ok(text);
        }
        let mut all = waiting.clone();
        all.extend_from_slice(data);
        match kind.decode(&all, errors, last) {
            Ok((text, used)) => {
                self.pending.replace(all.split_off(used.min(all.len())));
                Ok(text)
            }
            Err(error) => {
                self.pending.replace(waiting);
                Err(error)
            }
        }
    }

    /// The state, to come back to.
    pub fn state(&self) -> PyResult<DecoderState> {
        let (pending, mut flags) = match self.native.get() {
            Some(_) => (Bytes::new(&self.pending.borrow())?, 0),
            None => {
                let state = self.object()?.call_method(intern!("getstate"), &[])?;
                let Some(state) = state.downcast::<Tuple>() else { return Err(illegal_state()) };
                let [pending, flags] = state.items() else { return Err(illegal_state()) };
                let flags = flags.to_i64_wrapping()?;
                let Some(pending) = pending.downcast::<Bytes>() else {
                    return Err(raise!(
                        PyExc_TypeError,
                        "illegal decoder state: the first item should be a bytes object, not '{}'",
                        pending.ty().message_name()
                    ));
                };
                (Ref::of(pending), flags)
            }
        };
        if self.newline.get() {
            flags = flags << 1 | i64::from(self.newlines.pending());
        }
        Ok(DecoderState { pending, flags })
    }

    /// Goes back to a state.
    pub fn set_state(&self, pending: &Bytes, flags: i64) -> PyResult<()> {
        let mut flags = flags;
        if self.newline.get() {
            self.newlines.set_pending(flags & 1 != 0);
            flags >>= 1;
        }
        match self.native.get() {
            Some(_) => {
                self.pending.replace(pending.as_slice().to_vec());
                Ok(())
            }
            None => {
                let state = Tuple::from_array([pending.new_ref(), Int::from_i64(flags).upcast()])?;
                self.object()?.call_method(intern!("setstate"), &[&state]).map(drop)
            }
        }
    }

    pub fn reset(&self) -> PyResult<()> {
        if self.newline.get() {
            self.newlines.reset();
        }
        match self.native.get() {
            Some(_) => {
                self.pending.borrow_mut().clear();
                Ok(())
            }
            None => self.object()?.call_method(intern!("reset"), &[]).map(drop),
        }
    }

    /// The attribute `newlines` of the stream.
    pub fn seen_newlines(&self) -> PyResult<Option<Ref>> {
        if self.newline.get() {
            return self.newlines.newlines().map(Some);
        }
        match self.object.get() {
            Some(object) => object.getattr_opt(intern!("newlines")),
            None => Ok(None),
        }
    }
}

/// The encoding side of a stream.
#[derive(Default)]
pub struct Encoder {
    pub object: Field,
    native: Cell<Option<Kind>>,
    set: Cell<bool>,
}

impl Encoder {
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    pub fn unset(&self) {
        self.set.set(false);
        self.native.set(None);
        self.object.set(None);
    }

    pub fn begin(&self, native: Option<Kind>, object: Option<Ref>) {
        self.native.set(native);
        self.object.set(object);
        self.set.set(true);
    }

    /// The encoded text.
    pub fn encode(&self, text: &Str, errors: &str) -> PyResult<Vec<u8>> {
        if let Some(kind) = self.native.get() {
            let mut out = Vec::with_capacity(text.len());
            kind.encode(text, errors, &mut out)?;
            return Ok(out);
        }
        let object =
            self.object.get().ok_or_else(|| err::value_error("I/O operation on uninitialized object"))?;
        let made = object.call_method(intern!("encode"), &[text])?;
        match made.downcast::<Bytes>() {
            Some(bytes) => Ok(bytes.as_slice().to_vec()),
            None => Err(raise!(
                PyExc_TypeError,
                "encoder should return a bytes object, not '{}'",
                made.ty().message_name()
            )),
        }
    }

    /// Tells the codec whether it is at the start of the stream, where some write a mark.
    pub fn set_start(&self, at_start: bool) -> PyResult<()> {
        let Some(object) = self.object.get() else { return Ok(()) };
        if at_start {
            object.call_method(intern!("reset"), &[]).map(drop)
        } else {
            object.call_method(intern!("setstate"), &[&*Int::from_i64(0)]).map(drop)
        }
    }
}
