//! Files by name: status, folders, links, extended attributes, times.
//!
//! Every call takes a folder descriptor to start from; [`HERE`] is the working folder.

use crate::Errno;
use crate::calls::{check, last};
use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;

/// The working folder, where a folder descriptor is asked for.
pub const HERE: c_int = libc::AT_FDCWD;
/// Do not follow a symbolic link at the end of the name.
pub const NO_FOLLOW: c_int = libc::AT_SYMLINK_NOFOLLOW;
/// Follow a symbolic link where the call does not by itself.
pub const FOLLOW: c_int = libc::AT_SYMLINK_FOLLOW;
/// Remove a folder.
pub const REMOVE_DIR: c_int = libc::AT_REMOVEDIR;
/// Ask about the effective user.
pub const EFFECTIVE: c_int = libc::AT_EACCESS;

/// A point of time: seconds and nanoseconds.
pub type Time = (i64, i64);

/// What `stat` tells.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    pub mode: u32,
    pub inode: u64,
    pub device: u64,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    pub size: i64,
    pub accessed: Time,
    pub modified: Time,
    pub changed: Time,
    pub block_size: i64,
    pub blocks: i64,
    pub special_device: u64,
}

impl Stat {
    fn of(raw: &libc::stat) -> Self {
        Self {
            mode: raw.st_mode,
            inode: raw.st_ino,
            device: raw.st_dev,
            links: raw.st_nlink,
            uid: raw.st_uid,
            gid: raw.st_gid,
            size: raw.st_size,
            accessed: (raw.st_atime, raw.st_atime_nsec),
            modified: (raw.st_mtime, raw.st_mtime_nsec),
            changed: (raw.st_ctime, raw.st_ctime_nsec),
            block_size: raw.st_blksize,
            blocks: raw.st_blocks,
            special_device: raw.st_rdev,
        }
    }

    fn is(&self, kind: u32) -> bool {
        self.mode & libc::S_IFMT == kind
    }

    pub fn is_dir(&self) -> bool {
        self.is(libc::S_IFDIR)
    }

    pub fn is_file(&self) -> bool {
        self.is(libc::S_IFREG)
    }

    pub fn is_symlink(&self) -> bool {
        self.is(libc::S_IFLNK)
    }
}

/// The status of a file.
///
/// # Errors
/// What the system says.
pub fn stat(dir: c_int, path: &CStr, follow: bool) -> Result<Stat, Errno> {
    let mut raw = MaybeUninit::<libc::stat>::uninit();
    let flags = if follow { 0 } else { NO_FOLLOW };
    // SAFETY: the name is null-terminated, the struct is ours and filled on success.
    unsafe {
        check(libc::fstatat(dir, path.as_ptr(), raw.as_mut_ptr(), flags))?;
        Ok(Stat::of(raw.assume_init_ref()))
    }
}

/// The status of an open file.
///
/// # Errors
/// What the system says.
pub fn fstat(fd: c_int) -> Result<Stat, Errno> {
    let mut raw = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the struct is ours and filled on success.
    unsafe {
        check(libc::fstat(fd, raw.as_mut_ptr()))?;
        Ok(Stat::of(raw.assume_init_ref()))
    }
}

/// What `statvfs` tells, in CPython's order: block size, fragment size, blocks, free, available,
/// files, free files, available files, flags, longest name, and last the file system's id.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem {
    pub numbers: [u64; 11],
}

impl FileSystem {
    fn of(raw: &libc::statvfs) -> Self {
        Self {
            numbers: [
                raw.f_bsize,
                raw.f_frsize,
                raw.f_blocks,
                raw.f_bfree,
                raw.f_bavail,
                raw.f_files,
                raw.f_ffree,
                raw.f_favail,
                raw.f_flag,
                raw.f_namemax,
                raw.f_fsid,
            ],
        }
    }
}

/// The file system that a name stands on.
///
/// # Errors
/// What the system says.
pub fn statvfs(path: &CStr) -> Result<FileSystem, Errno> {
    let mut raw = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name is null-terminated, the struct is ours and filled on success.
    unsafe {
        check(libc::statvfs(path.as_ptr(), raw.as_mut_ptr()))?;
        Ok(FileSystem::of(raw.assume_init_ref()))
    }
}

/// The file system that an open file stands on.
///
/// # Errors
/// What the system says.
pub fn fstatvfs(fd: c_int) -> Result<FileSystem, Errno> {
    let mut raw = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the struct is ours and filled on success.
    unsafe {
        check(libc::fstatvfs(fd, raw.as_mut_ptr()))?;
        Ok(FileSystem::of(raw.assume_init_ref()))
    }
}

/// Calls `fill` with ever larger buffers until the answer fits; it gives the length of the answer.
fn grow(start: usize, mut fill: impl FnMut(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; start];
    loop {
        match fill(&mut buffer) {
            Ok(length) if length < buffer.len() => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Ok(_) | Err(libc::ERANGE) if buffer.len() < 1 << 24 => buffer.resize(buffer.len() * 2, 0),
            Ok(_) => return Err(libc::ERANGE),
            Err(error) => return Err(error),
        }
    }
}

/// The target of a symbolic link.
///
/// # Errors
/// What the system says.
pub fn readlink(dir: c_int, path: &CStr) -> Result<Vec<u8>, Errno> {
    grow(256, |buffer| {
        // SAFETY: the buffer is ours, its length is told.
        let length =
            unsafe { libc::readlinkat(dir, path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
        check(length).map(isize::cast_unsigned)
    })
}

/// The working folder.
///
/// # Errors
/// What the system says.
pub fn getcwd() -> Result<Vec<u8>, Errno> {
    grow(1024, |buffer| {
        // SAFETY: the buffer is ours, its length is told; the answer is null-terminated.
        unsafe {
            if libc::getcwd(buffer.as_mut_ptr().cast(), buffer.len()).is_null() {
                return Err(last());
            }
        }
        Ok(buffer.iter().position(|&byte| byte == 0).unwrap_or(0))
    })
}

/// A time to set: a point, or the present.
#[derive(Clone, Copy, Debug)]
pub enum NewTimes {
    Now,
    At(Time, Time),
}

impl NewTimes {
    fn raw(self) -> Option<[libc::timespec; 2]> {
        match self {
            Self::Now => None,
            Self::At(accessed, modified) => Some([accessed, modified].map(crate::clock::timespec)),
        }
    }
}

/// Sets the times of last access and modification.
///
/// # Errors
/// What the system says.
pub fn utimens(dir: c_int, path: &CStr, times: NewTimes, follow: bool) -> Result<(), Errno> {
    let raw = times.raw();
    let pointer = raw.as_ref().map_or(core::ptr::null(), |raw| raw.as_ptr());
    // SAFETY: null or two times; the name is null-terminated.
    check(unsafe { libc::utimensat(dir, path.as_ptr(), pointer, if follow { 0 } else { NO_FOLLOW }) })
        .map(drop)
}

/// Sets the times of an open file.
///
/// # Errors
/// What the system says.
pub fn futimens(fd: c_int, times: NewTimes) -> Result<(), Errno> {
    let raw = times.raw();
    let pointer = raw.as_ref().map_or(core::ptr::null(), |raw| raw.as_ptr());
    // SAFETY: null or two times.
    check(unsafe { libc::futimens(fd, pointer) }).map(drop)
}

/// What stands in a folder.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: Vec<u8>,
    pub inode: u64,
    /// `DT_` number; 0 where the file system does not tell.
    pub kind: u8,
}

impl Entry {
    /// `DT_DIR`, `DT_REG` and `DT_LNK`.
    pub const DIR: u8 = libc::DT_DIR;
    pub const FILE: u8 = libc::DT_REG;
    pub const LINK: u8 = libc::DT_LNK;
    pub const UNKNOWN: u8 = libc::DT_UNKNOWN;
}

/// An open folder.
#[derive(Debug)]
pub struct Dir {
    raw: *mut libc::DIR,
    /// The descriptor belongs to the caller, who sees the position: it goes back to the start.
    shared: bool,
}

// SAFETY: the stream is only used through `&mut self`, by one thread at a time.
unsafe impl Send for Dir {}

impl Dir {
    /// Opens a folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &CStr) -> Result<Self, Errno> {
        // SAFETY: the name is null-terminated.
        let raw = unsafe { libc::opendir(path.as_ptr()) };
        if raw.is_null() { Err(last()) } else { Ok(Self { raw, shared: false }) }
    }

    /// Reads a folder that is open already; the descriptor stays the caller's.
    ///
    /// # Errors
    /// What the system says.
    pub fn from_fd(fd: c_int) -> Result<Self, Errno> {
        let copy = crate::descriptors::dup(fd)?;
        // SAFETY: the copy is ours, and the stream's from here on.
        unsafe {
            let raw = libc::fdopendir(copy);
            if raw.is_null() {
                let error = last();
                libc::close(copy);
                return Err(error);
            }
            Ok(Self { raw, shared: true })
        }
    }

    /// The next entry, `.` and `..` left out.
    ///
    /// # Errors
    /// What the system says.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Errno> {
        loop {
            // SAFETY: an open stream; the entry is valid until the next read; `errno` is the thread's.
            let entry = unsafe {
                *libc::__errno_location() = 0;
                let raw = libc::readdir(self.raw);
                if raw.is_null() {
                    let error = *libc::__errno_location();
                    return if error == 0 { Ok(None) } else { Err(error) };
                }
                let name = CStr::from_ptr((&raw const (*raw).d_name).cast());
                Entry { name: name.to_bytes().to_vec(), inode: (*raw).d_ino, kind: (*raw).d_type }
            };
            if entry.name != b"." && entry.name != b".." {
                return Ok(Some(entry));
            }
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // SAFETY: an open stream, closed once.
        unsafe {
            if self.shared {
                libc::rewinddir(self.raw);
            }
            libc::closedir(self.raw);
        }
    }
}

/// A file by name or descriptor.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    Path(&'a CStr),
    Link(&'a CStr),
    Fd(c_int),
}

/// The value of an extended attribute.
///
/// # Errors
/// What the system says.
pub fn getxattr(target: Target<'_>, name: &CStr) -> Result<Vec<u8>, Errno> {
    grow(128, |buffer| {
        let (data, size) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: names are null-terminated; the buffer is ours, its length is told.
        let length = unsafe {
            match target {
                Target::Path(path) => libc::getxattr(path.as_ptr(), name.as_ptr(), data, size),
                Target::Link(path) => libc::lgetxattr(path.as_ptr(), name.as_ptr(), data, size),
                Target::Fd(fd) => libc::fgetxattr(fd, name.as_ptr(), data, size),
            }
        };
        check(length).map(isize::cast_unsigned)
    })
}

/// The names of the extended attributes, each with a null after it.
///
/// # Errors
/// What the system says.
pub fn listxattr(target: Target<'_>) -> Result<Vec<u8>, Errno> {
    grow(256, |buffer| {
        let (data, size) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: names are null-terminated; the buffer is ours, its length is told.
        let length = unsafe {
            match target {
                Target::Path(path) => libc::listxattr(path.as_ptr(), data, size),
                Target::Link(path) => libc::llistxattr(path.as_ptr(), data, size),
                Target::Fd(fd) => libc::flistxattr(fd, data, size),
            }
        };
        check(length).map(isize::cast_unsigned)
    })
}

/// Sets an extended attribute.
///
/// # Errors
/// What the system says.
pub fn setxattr(target: Target<'_>, name: &CStr, value: &[u8], flags: c_int) -> Result<(), Errno> {
    let (data, size) = (value.as_ptr().cast(), value.len());
    // SAFETY: names are null-terminated; the value's length is told.
    check(unsafe {
        match target {
            Target::Path(path) => libc::setxattr(path.as_ptr(), name.as_ptr(), data, size, flags),
            Target::Link(path) => libc::lsetxattr(path.as_ptr(), name.as_ptr(), data, size, flags),
            Target::Fd(fd) => libc::fsetxattr(fd, name.as_ptr(), data, size, flags),
        }
    })
    .map(drop)
}

/// Removes an extended attribute.
///
/// # Errors
/// What the system says.
pub fn removexattr(target: Target<'_>, name: &CStr) -> Result<(), Errno> {
    // SAFETY: names are null-terminated.
    check(unsafe {
        match target {
            Target::Path(path) => libc::removexattr(path.as_ptr(), name.as_ptr()),
            Target::Link(path) => libc::lremovexattr(path.as_ptr(), name.as_ptr()),
            Target::Fd(fd) => libc::fremovexattr(fd, name.as_ptr()),
        }
    })
    .map(drop)
}

/// Major and minor number of a device.
pub fn device_parts(device: u64) -> (u32, u32) {
    (libc::major(device), libc::minor(device))
}

/// The device of a major and a minor number.
pub fn make_device(major: u32, minor: u32) -> u64 {
    libc::makedev(major, minor)
}
