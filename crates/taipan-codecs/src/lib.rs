//! Codecs from bytes to code points and back, without Python objects.
//!
//! The problem: CPython's results, and its error positions and reasons to the byte, under any error
//! handler. The idea: each codec is a step that runs until the end or the first fault. A fault says where
//! it starts and ends and why; [`decode_with`] and [`encode_with`] ask the handler and go on where it says.
#![forbid(unsafe_code)]

pub mod binascii;
pub mod escapes;
pub mod simple;
pub mod transfer;
pub mod utf16_32;
pub mod utf7;
pub mod utf8;

/// Something that cannot be decoded or encoded: the range in the input and CPython's reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// First faulty position.
    pub start: usize,
    /// Behind the last one.
    pub end: usize,
    /// In CPython's words.
    pub reason: &'static str,
}

pub(crate) fn fault<T>(start: usize, end: usize, reason: &'static str) -> Result<T, Fault> {
    Err(Fault { start, end, reason })
}

/// A step of decoding: from `pos`, appending to `out`; gives how far it came. Without `last` an incomplete
/// tail is left over instead of being a fault.
pub type DecodeStep<'f> = dyn FnMut(&[u8], usize, bool, &mut Vec<u32>) -> Result<usize, Fault> + 'f;
/// A step of encoding, as above; it always comes to the end.
pub type EncodeStep<'f> = dyn FnMut(&[u32], usize, &mut Vec<u8>) -> Result<(), Fault> + 'f;

/// Decodes all of `input`. `repair` gives replacement and where to go on, or the caller's own error.
pub fn decode_with<E>(
    step: &mut DecodeStep<'_>,
    input: &[u8],
    last: bool,
    repair: &mut dyn FnMut(Fault) -> Result<(Vec<u32>, usize), E>,
) -> Result<(Vec<u32>, usize), E> {
    let mut out = Vec::with_capacity(input.len());
    let mut pos = 0;
    loop {
        match step(input, pos, last, &mut out) {
            Ok(end) => return Ok((out, end)),
            Err(f) => {
                let (replacement, next) = repair(f)?;
                out.extend(replacement);
                pos = next.min(input.len());
            }
        }
    }
}

/// What an error handler puts in the place of characters that cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// Characters to encode in their turn; a fault in them is the original fault.
    Chars(Vec<u32>),
}

/// Encodes all of `input`.
pub fn encode_with<E>(
    step: &mut EncodeStep<'_>,
    input: &[u32],
    repair: &mut dyn FnMut(Fault) -> Result<(Replacement, usize), E>,
    refuse: &mut dyn FnMut(Fault) -> E,
) -> Result<Vec<u8>, E> {
    let mut out = Vec::with_capacity(input.len());
    let mut pos = 0;
    while let Err(f) = step(input, pos, &mut out) {
        let (replacement, next) = repair(f.clone())?;
        match replacement {
            Replacement::Bytes(b) => out.extend(b),
            Replacement::Chars(c) => step(&c, 0, &mut out).map_err(|_| refuse(f))?,
        }
        pos = next.min(input.len());
    }
    Ok(out)
}

pub(crate) fn is_surrogate(c: u32) -> bool {
    c & !0x7ff == 0xd800
}
