//! Files by descriptor: open, read, write, seek and what else file objects need.
//!
//! Every function is one system call, and an interrupted one says so (`EINTR`): whoever calls decides
//! whether signal handlers run before the call is made again.

use crate::Errno;
use std::ffi::CStr;

/// What was asked to be opened: flags as the system has them.
pub mod flags {
    pub use libc::{O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY};
}

/// Error numbers that callers tell apart.
pub mod numbers {
    pub use libc::{EAGAIN, EBADF, EINTR, EISDIR, ENOENT, ESPIPE};
}

/// The most that one `read` or `write` is asked for, as the system allows.
const MOST: usize = 0x7FFF_F000;

fn last_error() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn checked(result: libc::ssize_t) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_error())
}

fn done(result: libc::c_int) -> Result<(), Errno> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// Opens a file; `mode` counts where one is created.
///
/// # Errors
/// What the system says.
pub fn open(path: &CStr, flags: i32, mode: u32) -> Result<i32, Errno> {
    // SAFETY: a null-terminated path.
    let fd = unsafe { libc::open(path.as_ptr(), flags, mode as libc::c_uint) };
    if fd < 0 { Err(last_error()) } else { Ok(fd) }
}

/// Closes a descriptor.
///
/// # Errors
/// What the system says; the descriptor is gone all the same.
pub fn close(fd: i32) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    done(unsafe { libc::close(fd) })
}

/// Reads at most as much as there is room for; 0 at the end.
///
/// # Errors
/// What the system says.
pub fn read(fd: i32, room: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is writable for its length.
    checked(unsafe { libc::read(fd, room.as_mut_ptr().cast(), room.len().min(MOST)) })
}

/// Reads behind the vector's items into its spare capacity; 0 at the end.
///
/// # Errors
/// What the system says.
pub fn read_spare(fd: i32, data: &mut Vec<u8>, limit: usize) -> Result<usize, Errno> {
    let spare = data.spare_capacity_mut();
    let count = spare.len().min(limit).min(MOST);
    // SAFETY: the spare capacity is writable for its length.
    let got = checked(unsafe { libc::read(fd, spare.as_mut_ptr().cast(), count) })?;
    // SAFETY: the system has just written that many bytes there.
    unsafe { data.set_len(data.len() + got) };
    Ok(got)
}

/// Writes what it can; gives how much that was.
///
/// # Errors
/// What the system says.
pub fn write(fd: i32, data: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is readable for its length.
    checked(unsafe { libc::write(fd, data.as_ptr().cast(), data.len().min(MOST)) })
}

/// Moves the position: `whence` is 0 from the start, 1 from here, 2 from the end.
///
/// # Errors
/// What the system says.
pub fn seek(fd: i32, offset: i64, whence: i32) -> Result<i64, Errno> {
    // SAFETY: no memory is involved.
    let at = unsafe { libc::lseek(fd, offset, whence) };
    if at < 0 { Err(last_error()) } else { Ok(at) }
}

/// Cuts or extends a file.
///
/// # Errors
/// What the system says.
pub fn truncate(fd: i32, size: i64) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    done(unsafe { libc::ftruncate(fd, size) })
}

/// Whether a descriptor is a terminal.
pub fn is_terminal(fd: i32) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::isatty(fd) == 1 }
}

/// What file objects ask about an open file.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    pub mode: u32,
    pub size: i64,
    pub block_size: i64,
}

impl Status {
    pub fn is_directory(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }

    pub fn is_character_device(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFCHR
    }
}

/// The status of an open file.
///
/// # Errors
/// What the system says.
pub fn status(fd: i32) -> Result<Status, Errno> {
    // SAFETY: zeros are valid, and the system fills the struct.
    unsafe {
        let mut raw: libc::stat = core::mem::zeroed();
        done(libc::fstat(fd, &raw mut raw))?;
        Ok(Status { mode: raw.st_mode, size: raw.st_size, block_size: raw.st_blksize })
    }
}

/// Says whether programs that are started inherit a descriptor.
///
/// # Errors
/// What the system says.
pub fn set_inheritable(fd: i32, inheritable: bool) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    unsafe {
        let old = libc::fcntl(fd, libc::F_GETFD);
        done(old)?;
        let new = if inheritable { old & !libc::FD_CLOEXEC } else { old | libc::FD_CLOEXEC };
        if new == old { Ok(()) } else { done(libc::fcntl(fd, libc::F_SETFD, new)) }
    }
}

/// The name of the encoding of the locale that the environment asks for.
pub fn locale_encoding() -> String {
    use std::sync::OnceLock;
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        // SAFETY: the locale is set once, before anybody reads the name; the answer is a static text.
        unsafe {
            libc::setlocale(libc::LC_CTYPE, c"".as_ptr());
            let name = libc::nl_langinfo(libc::CODESET);
            if name.is_null() {
                "UTF-8".to_owned()
            } else {
                CStr::from_ptr(name).to_string_lossy().into_owned()
            }
        }
    })
    .clone()
}
