//! `pymem.h`, `objimpl.h` (blocks), `pyport.h`: memory, and the small helpers of `PyOS_` and `Py_`.
//!
//! `PyMem_` and `PyObject_` are one allocator, that of the object layer; `PyMem_Raw` is C's own, because
//! extensions mix it with `free` and use it without the interpreter lock.

use crate::border::export_plain;
use core::ffi::{CStr, c_char, c_int, c_long, c_ulong, c_void};
use taipan_object::alloc;
use taipan_os::raw_memory;

/// A block for `count` items of `size` bytes, zeroed; null when that is too much.
fn zeroed(count: usize, size: usize) -> *mut c_void {
    count.checked_mul(size).map_or(core::ptr::null_mut(), |total| alloc::calloc(total).cast())
}

unsafe fn copy_text(text: *const c_char, allocate: impl Fn(usize) -> *mut c_void) -> *mut c_char {
    // SAFETY: a C text by the callers' contract; the block has room for it and its end.
    unsafe {
        let bytes = CStr::from_ptr(text).to_bytes_with_nul();
        let block: *mut u8 = allocate(bytes.len()).cast();
        if !block.is_null() {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
        }
        block.cast()
    }
}

export_plain! {
    fn PyMem_Malloc(size: usize) -> *mut c_void {
        alloc::malloc(size).cast()
    }

    fn PyMem_Calloc(count: usize, size: usize) -> *mut c_void {
        zeroed(count, size)
    }

    fn PyMem_Realloc(block: *mut c_void, size: usize) -> *mut c_void {
        alloc::realloc(block.cast(), size).cast()
    }

    fn PyMem_Free(block: *mut c_void) {
        alloc::free(block.cast());
    }

    fn PyObject_Malloc(size: usize) -> *mut c_void {
        alloc::malloc(size).cast()
    }

    fn PyObject_Calloc(count: usize, size: usize) -> *mut c_void {
        zeroed(count, size)
    }

    fn PyObject_Realloc(block: *mut c_void, size: usize) -> *mut c_void {
        alloc::realloc(block.cast(), size).cast()
    }

    fn PyMem_RawMalloc(size: usize) -> *mut c_void {
        raw_memory::malloc(size)
    }

    fn PyMem_RawCalloc(count: usize, size: usize) -> *mut c_void {
        raw_memory::calloc(count, size)
    }

    fn PyMem_RawRealloc(block: *mut c_void, size: usize) -> *mut c_void {
        raw_memory::realloc(block, size)
    }

    fn PyMem_RawFree(block: *mut c_void) {
        raw_memory::free(block);
    }

    fn _PyMem_Strdup(text: *const c_char) -> *mut c_char {
        copy_text(text, |size| alloc::malloc(size).cast())
    }

    fn _PyMem_RawStrdup(text: *const c_char) -> *mut c_char {
        copy_text(text, raw_memory::malloc)
    }

    fn PyOS_mystricmp(a: *const c_char, b: *const c_char) -> c_int {
        compare_folded(CStr::from_ptr(a).to_bytes(), CStr::from_ptr(b).to_bytes())
    }

    fn PyOS_mystrnicmp(a: *const c_char, b: *const c_char, len: isize) -> c_int {
        let cut = |text: *const c_char| {
            let bytes = CStr::from_ptr(text).to_bytes();
            &bytes[..bytes.len().min(len.max(0).cast_unsigned())]
        };
        compare_folded(cut(a), cut(b))
    }

    fn PyOS_strtoul(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_ulong {
        raw_memory::strtoul(text, end, base)
    }

    fn PyOS_strtol(text: *const c_char, end: *mut *mut c_char, base: c_int) -> c_long {
        raw_memory::strtol(text, end, base)
    }

    /// A mutex of one byte: bit 0 is set while it is held.
    fn PyMutex_Lock(mutex: *mut u8) {
        lock(mutex);
    }

    fn PyMutex_Unlock(mutex: *mut u8) {
        bits(mutex).store(0, core::sync::atomic::Ordering::Release);
    }

    fn PyMutex_IsLocked(mutex: *mut u8) -> c_int {
        c_int::from(bits(mutex).load(core::sync::atomic::Ordering::Acquire) & 1)
    }

    /// Critical sections do nothing where one lock guards all objects.
    fn PyCriticalSection_Begin(_section: *mut c_void, _object: *mut c_void) {}

    fn PyCriticalSection_End(_section: *mut c_void) {}

    fn PyCriticalSection2_Begin(_section: *mut c_void, _a: *mut c_void, _b: *mut c_void) {}

    fn PyCriticalSection2_End(_section: *mut c_void) {}

    fn PyTraceMalloc_Track(_domain: u32, _block: usize, _size: usize) -> c_int {
        // Tracing is not running: the answer that says so.
        -2
    }

    fn PyTraceMalloc_Untrack(_domain: u32, _block: usize) -> c_int {
        -2
    }

    fn PyThread_allocate_lock() -> *mut c_void {
        Box::into_raw(Box::new(0_u8)).cast()
    }

    fn PyThread_free_lock(lock: *mut c_void) {
        drop(Box::from_raw(lock.cast::<u8>()));
    }

    fn PyThread_acquire_lock(mutex: *mut c_void, wait: c_int) -> c_int {
        if wait == 0 {
            return c_int::from(try_lock(mutex.cast()));
        }
        lock(mutex.cast());
        1
    }

    fn PyThread_release_lock(mutex: *mut c_void) {
        bits(mutex.cast()).store(0, core::sync::atomic::Ordering::Release);
    }

    fn Py_GetVersion() -> *const c_char {
        version_text()
    }

    fn Py_GetPlatform() -> *const c_char {
        c"linux".as_ptr()
    }

    fn Py_GetCopyright() -> *const c_char {
        c"Taipan is free software.".as_ptr()
    }

    fn Py_GetCompiler() -> *const c_char {
        c"[Rust]".as_ptr()
    }

    fn Py_GetBuildInfo() -> *const c_char {
        c"taipan".as_ptr()
    }
}

/// `sys.version` as a C text that lives for ever.
fn version_text() -> *const c_char {
    static TEXT: std::sync::OnceLock<std::ffi::CString> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| std::ffi::CString::new(taipan_runtime::full_version()).unwrap_or_default()).as_ptr()
}

fn compare_folded(a: &[u8], b: &[u8]) -> c_int {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase)) as c_int
}

unsafe fn bits<'a>(mutex: *mut u8) -> &'a core::sync::atomic::AtomicU8 {
    // SAFETY: a live mutex by the callers' contract.
    unsafe { core::sync::atomic::AtomicU8::from_ptr(mutex) }
}

unsafe fn try_lock(mutex: *mut u8) -> bool {
    // SAFETY: forwarded contract.
    unsafe { bits(mutex) }.swap(1, core::sync::atomic::Ordering::Acquire) == 0
}

/// Waits for a mutex, without the interpreter lock when that is held: its holder may want it.
unsafe fn lock(mutex: *mut u8) {
    // SAFETY: forwarded contract.
    if unsafe { try_lock(mutex) } {
        return;
    }
    let wait = || {
        // SAFETY: forwarded contract.
        while !unsafe { try_lock(mutex) } {
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
    };
    if taipan_object::state::current().is_null() {
        wait();
    } else {
        taipan_object::gil::allow_threads(wait);
    }
}

/// The version number that extensions compare with (`PY_VERSION_HEX` of 3.14.10 final).
#[unsafe(no_mangle)]
pub static Py_Version: c_ulong = 0x030E_0AF0;

/// Lower case of each ASCII byte.
#[unsafe(no_mangle)]
pub static _Py_ctype_tolower: [u8; 256] = case_table(true);
/// Upper case of each ASCII byte.
#[unsafe(no_mangle)]
pub static _Py_ctype_toupper: [u8; 256] = case_table(false);

const fn case_table(lower: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        table[index] = if lower { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        index += 1;
    }
    table
}

/// Classes of ASCII bytes: lower 1, upper 2, digit 4, hexadecimal 8, blank 16.
#[unsafe(no_mangle)]
pub static _Py_ctype_table: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 128 {
        let byte = index as u8;
        let mut class = 0;
        if byte.is_ascii_lowercase() {
            class |= 1;
        }
        if byte.is_ascii_uppercase() {
            class |= 2;
        }
        if byte.is_ascii_digit() {
            class |= 4;
        }
        if byte.is_ascii_hexdigit() {
            class |= 8;
        }
        if matches!(byte, 9..=13 | 32) {
            class |= 16;
        }
        table[index] = class;
        index += 1;
    }
    table
};

/// Which ASCII characters are blanks for `str`.
#[unsafe(no_mangle)]
pub static _Py_ascii_whitespace: [u8; 128] = {
    let mut table = [0; 128];
    let mut index = 0;
    while index < 128 {
        table[index] = matches!(index, 9..=13 | 28..=32) as u8;
        index += 1;
    }
    table
};

/// The encoding of file names, as a C text.
#[unsafe(no_mangle)]
pub static Py_FileSystemDefaultEncoding: Text = Text(c"utf-8".as_ptr());
/// The error handler of file names, as a C text.
#[unsafe(no_mangle)]
pub static Py_FileSystemDefaultEncodeErrors: Text = Text(c"surrogateescape".as_ptr());

/// A variable that points to a constant text.
#[repr(transparent)]
pub struct Text(*const c_char);
// SAFETY: a constant address.
unsafe impl Sync for Text {}
