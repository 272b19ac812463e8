//! Safe streams over the C interface of zlib-rs.
//!
//! Problem: Python shows all of zlib (window sizes, memory levels, strategies, dictionaries, copies of
//! running streams), which only zlib's C interface offers. Idea: two owning types hold the C struct in
//! a box, so that it never moves, and give it only slices that live during the call; nothing else in
//! this crate is unsafe.

#![expect(unsafe_code, reason = "the C interface of zlib: structs of pointers, filled for one call each")]

use core::ffi::CStr;
use libz_rs_sys as z;

/// zlib's result codes.
pub const OK: i32 = 0;
pub const STREAM_END: i32 = 1;
pub const NEED_DICT: i32 = 2;
pub const STREAM_ERROR: i32 = -2;
pub const DATA_ERROR: i32 = -3;
pub const MEM_ERROR: i32 = -4;
pub const BUF_ERROR: i32 = -5;
/// Flush modes.
pub const NO_FLUSH: i32 = 0;
pub const SYNC_FLUSH: i32 = 2;
pub const FINISH: i32 = 4;

/// How much room is made at a time.
const PIECE: usize = 16 * 1024;

type Raw = Box<z::z_stream>;

fn fresh() -> Raw {
    Box::new(z::z_stream { next_out: core::ptr::dangling_mut(), ..z::z_stream::default() })
}

fn text(raw: &z::z_stream) -> Option<String> {
    if raw.msg.is_null() {
        return None;
    }
    // SAFETY: zlib's messages are static, null-terminated texts.
    Some(unsafe { CStr::from_ptr(raw.msg) }.to_string_lossy().into_owned())
}

fn size() -> i32 {
    size_of::<z::z_stream>() as i32
}

/// What is left of `input` after a call consumed some of it.
fn advance(input: &mut &[u8], raw: &mut z::z_stream, given: usize) {
    let used = given - raw.avail_in as usize;
    *input = &input[used..];
    raw.next_in = core::ptr::null();
    raw.avail_in = 0;
}

/// The part of a slice that one call can take.
fn part(input: &[u8]) -> &[u8] {
    &input[..input.len().min(u32::MAX as usize)]
}

/// Runs one call with room for `room` more bytes at the end of `out`; gives its code and whether it
/// filled the room.
fn call(
    raw: &mut z::z_stream,
    input: &mut &[u8],
    out: &mut Vec<u8>,
    room: usize,
    run: impl FnOnce(*mut z::z_stream) -> i32,
) -> (i32, bool) {
    if out.try_reserve(room).is_err() {
        return (MEM_ERROR, false);
    }
    let (piece, start) = (part(input), out.len());
    out.resize(start + room, 0);
    raw.next_in = piece.as_ptr();
    raw.avail_in = piece.len() as u32;
    raw.next_out = out[start..].as_mut_ptr();
    raw.avail_out = room as u32;
    let code = run(raw);
    let left = raw.avail_out as usize;
    out.truncate(start + room - left);
    // Never followed, as there is no room; but a copy of the stream insists on an address.
    raw.next_out = core::ptr::dangling_mut();
    raw.avail_out = 0;
    advance(input, raw, piece.len());
    (code, left == 0)
}

/// A stream that compresses.
pub struct Deflater(Raw);

impl Deflater {
    /// A new stream.
    ///
    /// # Errors
    /// zlib's code.
    pub fn new(level: i32, method: i32, bits: i32, memory: i32, strategy: i32) -> Result<Self, i32> {
        let mut raw = fresh();
        // SAFETY: a zeroed struct of ours, and the library's own version and size.
        let code = unsafe {
            z::deflateInit2_(&mut *raw, level, method, bits, memory, strategy, z::zlibVersion(), size())
        };
        if code == OK { Ok(Self(raw)) } else { Err(code) }
    }

    /// Compresses all of `input`; gives zlib's code.
    pub fn run(&mut self, mut input: &[u8], out: &mut Vec<u8>, flush: i32) -> i32 {
        loop {
            // Only the last piece of a very long input is flushed.
            let mode = if input.len() > u32::MAX as usize { NO_FLUSH } else { flush };
            let room = PIECE.max(out.len().min(1 << 26));
            // SAFETY: an initialised stream; buffers live during the call.
            let (code, full) =
                call(&mut self.0, &mut input, out, room, |raw| unsafe { z::deflate(raw, mode) });
            if code != OK && code != BUF_ERROR || !full && input.is_empty() {
                return code;
            }
        }
    }

    /// Sets the dictionary.
    ///
    /// # Errors
    /// zlib's code.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<(), i32> {
        // SAFETY: an initialised stream; the length is told.
        let code = unsafe {
            z::deflateSetDictionary(&mut *self.0, dictionary.as_ptr(), part(dictionary).len() as u32)
        };
        if code == OK { Ok(()) } else { Err(code) }
    }

    /// A stream in the same state.
    ///
    /// # Errors
    /// zlib's code.
    pub fn copy(&mut self) -> Result<Self, i32> {
        let mut raw = fresh();
        // SAFETY: an initialised source, a struct of ours as destination.
        let code = unsafe { z::deflateCopy(&mut *raw, &mut *self.0) };
        if code == OK { Ok(Self(raw)) } else { Err(code) }
    }

    /// zlib's last words.
    pub fn message(&self) -> Option<String> {
        text(&self.0)
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: an initialised stream, ended once.
        unsafe { z::deflateEnd(&mut *self.0) };
    }
}

/// A stream that decompresses.
pub struct Inflater(Raw);

impl Inflater {
    /// A new stream.
    ///
    /// # Errors
    /// zlib's code.
    pub fn new(bits: i32) -> Result<Self, i32> {
        let mut raw = fresh();
        // SAFETY: a zeroed struct of ours, and the library's own version and size.
        let code = unsafe { z::inflateInit2_(&mut *raw, bits, z::zlibVersion(), size()) };
        if code == OK { Ok(Self(raw)) } else { Err(code) }
    }

    /// Decompresses until the input or the stream ends, `most` bytes have come out, or a dictionary is
    /// needed; gives zlib's code. `input` becomes what is left.
    pub fn run(&mut self, input: &mut &[u8], out: &mut Vec<u8>, most: usize, flush: i32) -> i32 {
        let start = out.len();
        loop {
            let made = out.len() - start;
            let room = PIECE.max(made.min(1 << 26)).min(most - made);
            if room == 0 {
                return OK;
            }
            let more = part(input).len() < input.len();
            let mode = if more { NO_FLUSH } else { flush };
            // SAFETY: an initialised stream; buffers live during the call.
            let (code, full) = call(&mut self.0, input, out, room, |raw| unsafe { z::inflate(raw, mode) });
            if code != OK && code != BUF_ERROR || !full && !more {
                return code;
            }
        }
    }

    /// Sets the dictionary.
    ///
    /// # Errors
    /// zlib's code.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<(), i32> {
        // SAFETY: an initialised stream; the length is told.
        let code = unsafe {
            z::inflateSetDictionary(&mut *self.0, dictionary.as_ptr(), part(dictionary).len() as u32)
        };
        if code == OK { Ok(()) } else { Err(code) }
    }

    /// A stream in the same state.
    ///
    /// # Errors
    /// zlib's code.
    pub fn copy(&self) -> Result<Self, i32> {
        let mut raw = fresh();
        // SAFETY: an initialised source, a struct of ours as destination.
        let code = unsafe { z::inflateCopy(&mut *raw, &*self.0) };
        if code == OK { Ok(Self(raw)) } else { Err(code) }
    }

    /// zlib's last words.
    pub fn message(&self) -> Option<String> {
        text(&self.0)
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: an initialised stream, ended once.
        unsafe { z::inflateEnd(&mut *self.0) };
    }
}

/// Goes on with an Adler-32 checksum.
pub fn adler32(value: u32, data: &[u8]) -> u32 {
    data.chunks(1 << 30).fold(value, |value, piece| {
        // SAFETY: the length is told.
        unsafe { z::adler32(value.into(), piece.as_ptr(), piece.len() as u32) as u32 }
    })
}

/// Goes on with a CRC-32 checksum.
pub fn crc32(value: u32, data: &[u8]) -> u32 {
    data.chunks(1 << 30).fold(value, |value, piece| {
        // SAFETY: the length is told.
        unsafe { z::crc32(value.into(), piece.as_ptr(), piece.len() as u32) as u32 }
    })
}
