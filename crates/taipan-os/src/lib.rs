//! The one door to the operating system.
//!
//! Every system call of Taipan is made here, and errors come back as `errno`. The crate knows no
//! Python. A policy object will stand at this door (allow, deny, virtualise); for now it is open.

pub mod accounts;
pub mod calls;
pub mod child;
pub mod clock;
pub mod constants;
pub mod descriptors;
pub mod files;
pub mod library;
pub mod locale;
pub mod net;
pub mod paths;
pub mod process;
pub mod raw_memory;
pub mod signals;

use std::io::{Read as _, Write as _};

/// An `errno` value.
pub type Errno = i32;

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Writes all of `data` to one of the standard streams, 1 or 2.
///
/// # Errors
/// `EBADF` for another descriptor; what the system says.
pub fn write_standard(fd: i32, data: &[u8]) -> Result<(), Errno> {
    match fd {
        1 => std::io::stdout().write_all(data).map_err(|e| errno(&e)),
        2 => std::io::stderr().write_all(data).map_err(|e| errno(&e)),
        _ => Err(libc::EBADF),
    }
}

/// Flushes one of the standard streams.
///
/// # Errors
/// What the system says.
pub fn flush_standard(fd: i32) -> Result<(), Errno> {
    match fd {
        1 => std::io::stdout().flush().map_err(|e| errno(&e)),
        _ => Ok(()),
    }
}

/// Everything from standard input.
///
/// # Errors
/// What the system says.
pub fn read_standard_input() -> Result<Vec<u8>, Errno> {
    let mut data = Vec::new();
    std::io::stdin().read_to_end(&mut data).map_err(|e| errno(&e))?;
    Ok(data)
}

/// Whether a descriptor is open.
pub fn is_open(fd: i32) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Whether a descriptor is a terminal.
pub fn is_terminal(fd: i32) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::isatty(fd) == 1 }
}

/// A whole file.
///
/// # Errors
/// What the system says.
pub fn read_file(path: &std::ffi::OsStr) -> Result<Vec<u8>, Errno> {
    std::fs::read(path).map_err(|e| errno(&e))
}

/// Whether a path leads to an ordinary file.
pub fn is_file(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file())
}

/// The system's words for an `errno`.
pub fn error_text(number: Errno) -> String {
    let text = std::io::Error::from_raw_os_error(number).to_string();
    // The standard library adds " (os error N)".
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The program's arguments, its own name first.
pub fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os().collect()
}

/// An environment variable.
pub fn environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// Random bytes from the system.
///
/// # Errors
/// What the system says.
pub fn entropy(buffer: &mut [u8]) -> Result<(), Errno> {
    let mut source = std::fs::File::open("/dev/urandom").map_err(|e| errno(&e))?;
    source.read_exact(buffer).map_err(|e| errno(&e))
}

/// Lowest address and size of the calling thread's stack.
pub fn stack_bounds() -> Option<(usize, usize)> {
    let mut address = core::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes are initialised by the first call and destroyed by the last.
    unsafe {
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(&raw const attributes, &raw mut address, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        if found != 0 {
            return None;
        }
    }
    Some((address.addr(), size))
}

/// The error number that C left for this thread.
pub fn last_errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Sets this thread's error number, for C to find.
pub fn set_errno(number: Errno) {
    // SAFETY: the address of the thread's own number.
    unsafe { *libc::__errno_location() = number };
}
