//! C's own allocator and number readers, for extensions that mix them with their own calls.

use core::ffi::{c_char, c_int, c_long, c_ulong, c_void};

/// `malloc`, never of nothing.
pub fn malloc(size: usize) -> *mut c_void {
    // SAFETY: plain allocation.
    unsafe { libc::malloc(size.max(1)) }
}

/// `calloc`, never of nothing.
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: plain allocation.
    unsafe { if count == 0 || size == 0 { libc::calloc(1, 1) } else { libc::calloc(count, size) } }
}

/// `realloc`.
///
/// # Safety
/// `block` is null or came from this allocator.
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: by contract.
    unsafe { libc::realloc(block, size.max(1)) }
}

/// `free`.
///
/// # Safety
/// `block` is null or came from this allocator and is not used any more.
pub unsafe fn free(block: *mut c_void) {
    // SAFETY: by contract.
    unsafe { libc::free(block) }
}

/// `strtol`.
///
/// # Safety
/// `text` is null-terminated; `end` is null or a place.
pub unsafe fn strtol(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_long {
    // SAFETY: by contract.
    unsafe { libc::strtol(text, end, base) }
}

/// `strtoul`.
///
/// # Safety
/// As [`strtol`].
pub unsafe fn strtoul(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_ulong {
    // SAFETY: by contract.
    unsafe { libc::strtoul(text, end, base) }
}

/// Writes to a `FILE *` of C; false when not all could be written.
///
/// # Safety
/// `stream` is an open stream.
pub unsafe fn write_stream(stream: *mut c_void, data: &[u8]) -> bool {
    // SAFETY: by contract.
    unsafe { libc::fwrite(data.as_ptr().cast(), 1, data.len(), stream.cast()) == data.len() }
}
