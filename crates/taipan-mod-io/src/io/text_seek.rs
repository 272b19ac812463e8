//! `tell` and `seek` of a `TextIOWrapper`.
//!
//! A position in text is a number that packs: where in the buffer to begin, the decoder's flags there,
//! how many bytes to feed it then, how many of the characters that come out to skip, and whether the
//! decoder has to be told that the end has come. Most positions are just the first of these.

use super::text::{TextIOWrapper, View, open_buffer};
use super::util::unsupported;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::{Args, CompareOp};
use taipan_object::protocol::richcompare_bool;
use taipan_object::statics::*;
use taipan_object::{Object, PyResult, Ref, err, intern, raise};

/// An unpacked position.
#[derive(Clone, Copy, Debug, Default)]
struct Cookie {
    start: i64,
    flags: i32,
    feed: i32,
    skip: i32,
    at_end: bool,
}

const BYTES: usize = 21;

impl Cookie {
    fn unpack(cookie: &Object) -> PyResult<Cookie> {
        let int = cookie.to_index()?;
        let mut bytes = [0u8; BYTES];
        // Digits of 30 bits, lowest first, into bytes.
        let (mut acc, mut bits, mut at) = (0u64, 0, 0);
        let too_big = || err::overflow_error("int too big to convert");
        for &digit in int.digits() {
            acc |= u64::from(digit) << bits;
            bits += 30;
            while bits >= 8 {
                put(&mut bytes, at, acc as u8).ok_or_else(too_big)?;
                (acc, bits, at) = (acc >> 8, bits - 8, at + 1);
            }
        }
        put(&mut bytes, at, acc as u8).ok_or_else(too_big)?;
        let four = |from: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[from..from + 4]);
            i32::from_le_bytes(word)
        };
        let mut start = [0; 8];
        start.copy_from_slice(&bytes[..8]);
        Ok(Cookie {
            start: i64::from_le_bytes(start),
            flags: four(8),
            feed: four(12),
            skip: four(16),
            at_end: bytes[20] != 0,
        })
    }

    fn pack(&self) -> PyResult<Ref<Int>> {
        let mut bytes = [0u8; BYTES];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.flags.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.feed.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.skip.to_le_bytes());
        bytes[20] = u8::from(self.at_end);
        let mut digits = Vec::new();
        let (mut acc, mut bits) = (0u64, 0);
        for byte in bytes {
            acc |= u64::from(byte) << bits;
            bits += 8;
            if bits >= 30 {
                digits.push(acc as u32 & 0x3FFF_FFFF);
                (acc, bits) = (acc >> 30, bits - 30);
            }
        }
        digits.push(acc as u32);
        Int::from_digits(false, &digits)
    }
}

/// Stores a byte; beyond the end only zeros fit.
fn put(bytes: &mut [u8; BYTES], at: usize, byte: u8) -> Option<()> {
    match bytes.get_mut(at) {
        Some(place) => *place = byte,
        None if byte == 0 => {}
        None => return None,
    }
    Some(())
}

fn small(value: i64) -> PyResult<i32> {
    i32::try_from(value).map_err(|_| err::overflow_error("Python int too large to convert to C int"))
}

impl TextIOWrapper {
    /// Puts the decoder where a position says.
    fn decoder_to(&self, cookie: &Cookie) -> PyResult<()> {
        if cookie.start == 0 && cookie.flags == 0 {
            return self.decoder.reset();
        }
        self.decoder.set_state(&*Bytes::new(&[])?, i64::from(cookie.flags))
    }

    fn decoded_len(&self, input: &[u8], last: bool) -> PyResult<usize> {
        Ok(self.decoder.decode(&*Bytes::new(input)?, &self.errors(), last)?.len())
    }
}

/// `tell()`.
pub fn tell(stream: &View) -> PyResult {
    let buffer = open_buffer(stream)?;
    if !stream.seekable.get() {
        return Err(unsupported("underlying stream is not seekable"));
    }
    if !stream.telling.get() {
        return Err(raise!(PyExc_OSError, "telling position disabled by next() call"));
    }
    stream.write_pending()?;
    stream.object().call_method(intern!("flush"), &[])?;
    let at = buffer.call_method(intern!("tell"), &[])?;
    let input = stream.snapshot_input.get().and_then(|input| input.downcast_owned::<Bytes>().ok());
    let Some(input) = input.filter(|_| stream.decoder.is_set()) else {
        return Ok(at);
    };
    let mut cookie = Cookie {
        start: at.to_i64()? - input.len() as i64,
        flags: small(stream.snapshot_flags.get())?,
        ..Cookie::default()
    };
    let skip = stream.used.get();
    if skip == 0 || !stream.decoded.is_set() {
        return cookie.pack().map(Ref::upcast);
    }
    let saved = stream.decoder.state()?;
    let found = locate(stream, &mut cookie, input.as_slice(), skip);
    stream.decoder.set_state(&saved.pending, saved.flags)?;
    found?;
    cookie.pack().map(Ref::upcast)
}

/// Finds the nearest place before the position where the decoder keeps nothing back.
fn locate(stream: &TextIOWrapper, cookie: &mut Cookie, input: &[u8], mut skip: usize) -> PyResult<()> {
    // A first guess by the ratio of the last chunk, corrected in growing steps.
    let mut guess = ((stream.ratio.get() * skip as f64) as usize).min(input.len());
    let mut back = 1;
    while guess > 0 {
        stream.decoder_to(cookie)?;
        let count = stream.decoded_len(&input[..guess], false)?;
        if count <= skip {
            let state = stream.decoder.state()?;
            if state.pending.is_empty() {
                cookie.flags = small(state.flags)?;
                skip -= count;
                break;
            }
            guess = guess.saturating_sub(state.pending.len());
            back = 1;
        } else {
            guess = guess.saturating_sub(back);
            back *= 2;
        }
    }
    if guess == 0 {
        stream.decoder_to(cookie)?;
    }
    cookie.start += guess as i64;
    cookie.skip = small(skip as i64)?;
    if skip == 0 {
        return Ok(());
    }
    let (mut fed, mut count) = (0i64, 0);
    for byte in &input[guess..] {
        count += stream.decoded_len(core::slice::from_ref(byte), false)?;
        fed += 1;
        let state = stream.decoder.state()?;
        if state.pending.is_empty() && count <= skip {
            // A safe place to begin.
            cookie.start += fed;
            skip -= count;
            cookie.flags = small(state.flags)?;
            (fed, count) = (0, 0);
        }
        if count >= skip {
            cookie.feed = small(fed)?;
            cookie.skip = small(skip as i64)?;
            return Ok(());
        }
    }
    count += stream.decoded_len(&[], true)?;
    cookie.at_end = true;
    cookie.feed = small(fed)?;
    cookie.skip = small(skip as i64)?;
    if count < skip {
        return Err(raise!(PyExc_OSError, "can't reconstruct logical file position"));
    }
    Ok(())
}

/// `seek(cookie, whence=0)`.
pub fn seek(stream: &View, args: &Args<'_>) -> PyResult {
    let whence = args.i32_or(1, 0)?;
    let buffer = open_buffer(stream)?;
    if !stream.seekable.get() {
        return Err(unsupported("underlying stream is not seekable"));
    }
    let zero = Int::from_i64(0);
    let mut cookie = args.required(0).new_ref();
    match whence {
        0 => {}
        1 => {
            if !richcompare_bool(&cookie, &zero, CompareOp::Eq)? {
                return Err(unsupported("can't do nonzero cur-relative seeks"));
            }
            cookie = stream.object().call_method(intern!("tell"), &[])?;
        }
        2 => {
            if !richcompare_bool(&cookie, &zero, CompareOp::Eq)? {
                return Err(unsupported("can't do nonzero end-relative seeks"));
            }
            return seek_to_end(stream, &buffer);
        }
        _ => return Err(raise!(PyExc_ValueError, "invalid whence ({whence}, should be 0, 1 or 2)")),
    }
    if richcompare_bool(&cookie, &zero, CompareOp::Lt)? {
        return Err(raise!(PyExc_ValueError, "negative seek position {}", cookie.repr()?.to_lossy()));
    }
    stream.object().call_method(intern!("flush"), &[])?;
    let place = Cookie::unpack(&cookie)?;
    buffer.call_method(intern!("seek"), &[&*Int::from_i64(place.start)])?;
    stream.forget_decoded();
    stream.forget_snapshot();
    if stream.decoder.is_set() {
        stream.decoder_to(&place)?;
    }
    stream.snapshot_flags.set(i64::from(place.flags));
    if place.skip != 0 {
        let input = buffer.call_method(intern!("read"), &[&*Int::from_i64(i64::from(place.feed))])?;
        if input.downcast::<Bytes>().is_none() {
            return Err(raise!(
                PyExc_TypeError,
                "underlying read() should have returned a bytes object, not '{}'",
                input.ty().message_name()
            ));
        }
        stream.snapshot_input.set(Some(input.clone()));
        let text = stream.decoder.decode(&input, &stream.errors(), place.at_end)?;
        let len = text.len();
        stream.set_decoded(text);
        let skip = usize::try_from(place.skip).unwrap_or(0);
        if len < skip {
            return Err(raise!(PyExc_OSError, "can't restore logical file position"));
        }
        stream.used.set(skip);
    } else {
        stream.snapshot_input.set(Some(Bytes::new(&[])?.upcast()));
    }
    if stream.encoder.is_set() {
        stream.encoder.set_start(place.start == 0 && place.flags == 0)?;
    }
    Ok(cookie)
}

fn seek_to_end(stream: &View, buffer: &Object) -> PyResult {
    stream.object().call_method(intern!("flush"), &[])?;
    stream.forget_decoded();
    stream.forget_snapshot();
    if stream.decoder.is_set() {
        stream.decoder.reset()?;
    }
    let at = buffer.call_method(intern!("seek"), &[&*Int::from_i64(0), &*Int::from_i64(2)])?;
    if stream.encoder.is_set() {
        let start = richcompare_bool(&at, &Int::from_i64(0), CompareOp::Eq)?;
        stream.encoder.set_start(start)?;
    }
    Ok(at)
}
