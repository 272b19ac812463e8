//! System calls that take numbers and names and give a number: one row each.
//!
//! Idea: such a call is safe whatever its arguments are, since the kernel checks numbers and a
//! `&CStr` is a valid null-terminated string; so the `unsafe` stands once, in the macro. A result
//! of -1 is the error in `errno`.

use crate::Errno;
use core::ffi::{CStr, c_char, c_int, c_long, c_uint};

/// The error of the last call that failed.
pub(crate) fn last() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// A C result where -1 means failure.
pub(crate) trait Status: Copy {
    fn failed(self) -> bool;
}

macro_rules! status {
    ($($ty:ty),*) => {$(
        impl Status for $ty {
            fn failed(self) -> bool {
                self == -1
            }
        }
    )*};
}
status!(i32, i64, isize);

/// A result, or the error in `errno` for -1.
pub(crate) fn check<T: Status>(result: T) -> Result<T, Errno> {
    if result.failed() { Err(last()) } else { Ok(result) }
}

/// An argument as C takes it.
trait Raw {
    type C;
    fn raw(self) -> Self::C;
}

impl Raw for &CStr {
    type C = *const c_char;
    fn raw(self) -> *const c_char {
        self.as_ptr()
    }
}

macro_rules! raw_numbers {
    ($($ty:ty),*) => {$(
        impl Raw for $ty {
            type C = $ty;
            fn raw(self) -> $ty {
                self
            }
        }
    )*};
}
raw_numbers!(i32, u32, i64, u64, usize);

macro_rules! calls {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
        $(#[$meta])*
        ///
        /// # Errors
        /// What the system says.
        pub fn $name($($arg: $ty),*) -> Result<$result, Errno> {
            // SAFETY: numbers and null-terminated strings only.
            check(unsafe { libc::$name($($arg.raw()),*) })
        }
    )*};
}

calls! {
    /// Closes a descriptor.
    close(fd: c_int) -> c_int;
    /// Moves a descriptor's position.
    lseek(fd: c_int, offset: i64, whence: c_int) -> i64;
    /// Sets the length of an open file.
    ftruncate(fd: c_int, length: i64) -> c_int;
    /// Sets the length of a file.
    truncate(path: &CStr, length: i64) -> c_int;
    /// Writes a file's data and metadata to the device.
    fsync(fd: c_int) -> c_int;
    /// Writes a file's data to the device.
    fdatasync(fd: c_int) -> c_int;
    /// Sets the permissions of an open file.
    fchmod(fd: c_int, mode: c_uint) -> c_int;
    /// Sets the owner of an open file.
    fchown(fd: c_int, uid: c_uint, gid: c_uint) -> c_int;
    /// Opens a file relative to a folder.
    openat(dir: c_int, path: &CStr, flags: c_int, mode: c_uint) -> c_int;
    /// Asks what the process may do with a file.
    faccessat(dir: c_int, path: &CStr, mode: c_int, flags: c_int) -> c_int;
    /// Sets the permissions of a file.
    fchmodat(dir: c_int, path: &CStr, mode: c_uint, flags: c_int) -> c_int;
    /// Sets the owner of a file.
    fchownat(dir: c_int, path: &CStr, uid: c_uint, gid: c_uint, flags: c_int) -> c_int;
    /// Gives a file another name.
    linkat(from_dir: c_int, from: &CStr, to_dir: c_int, to: &CStr, flags: c_int) -> c_int;
    /// Makes a folder.
    mkdirat(dir: c_int, path: &CStr, mode: c_uint) -> c_int;
    /// Makes a named pipe.
    mkfifoat(dir: c_int, path: &CStr, mode: c_uint) -> c_int;
    /// Makes a special file.
    mknodat(dir: c_int, path: &CStr, mode: c_uint, device: u64) -> c_int;
    /// Renames a file.
    renameat(from_dir: c_int, from: &CStr, to_dir: c_int, to: &CStr) -> c_int;
    /// Makes a symbolic link.
    symlinkat(target: &CStr, dir: c_int, path: &CStr) -> c_int;
    /// Removes a file or a folder.
    unlinkat(dir: c_int, path: &CStr, flags: c_int) -> c_int;
    /// Changes the working folder.
    chdir(path: &CStr) -> c_int;
    /// Changes the working folder to an open one.
    fchdir(fd: c_int) -> c_int;
    /// Changes the root folder.
    chroot(path: &CStr) -> c_int;
    /// Duplicates a descriptor; the copy passes to programs that are run.
    dup2(from: c_int, to: c_int) -> c_int;
    /// Duplicates a descriptor, with flags.
    dup3(from: c_int, to: c_int, flags: c_int) -> c_int;
    /// Sends a signal.
    kill(pid: c_int, signal: c_int) -> c_int;
    /// Sends a signal to a process group.
    killpg(group: c_int, signal: c_int) -> c_int;
    /// The process group of a process.
    getpgid(pid: c_int) -> c_int;
    /// Sets the process group of a process.
    setpgid(pid: c_int, group: c_int) -> c_int;
    /// The session of a process.
    getsid(pid: c_int) -> c_int;
    /// Begins a session.
    setsid() -> c_int;
    /// Sets the user.
    setuid(uid: c_uint) -> c_int;
    /// Sets the effective user.
    seteuid(uid: c_uint) -> c_int;
    /// Sets the group.
    setgid(gid: c_uint) -> c_int;
    /// Sets the effective group.
    setegid(gid: c_uint) -> c_int;
    /// Sets real and effective user.
    setreuid(real: c_uint, effective: c_uint) -> c_int;
    /// Sets real and effective group.
    setregid(real: c_uint, effective: c_uint) -> c_int;
    /// Sets real, effective and saved user.
    setresuid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    /// Sets real, effective and saved group.
    setresgid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    /// Sets the groups to those of a user.
    initgroups(user: &CStr, group: c_uint) -> c_int;
    /// The group in the foreground of a terminal.
    tcgetpgrp(fd: c_int) -> c_int;
    /// Brings a group to the foreground of a terminal.
    tcsetpgrp(fd: c_int, group: c_int) -> c_int;
    /// Makes a terminal the controlling one.
    login_tty(fd: c_int) -> c_int;
    /// Opens a new master of a pseudo-terminal.
    posix_openpt(flags: c_int) -> c_int;
    /// Gives the slave of a pseudo-terminal to the user.
    grantpt(fd: c_int) -> c_int;
    /// Unlocks the slave of a pseudo-terminal.
    unlockpt(fd: c_int) -> c_int;
    /// Locks a part of a file.
    lockf(fd: c_int, command: c_int, length: i64) -> c_int;
    /// Makes a file without a name in memory.
    memfd_create(name: &CStr, flags: c_uint) -> c_int;
    /// Makes a descriptor for events.
    eventfd(value: c_uint, flags: c_int) -> c_int;
    /// Leaves namespaces.
    unshare(flags: c_int) -> c_int;
    /// Joins a namespace.
    setns(fd: c_int, kind: c_int) -> c_int;
    /// The lowest priority of a scheduling policy.
    sched_get_priority_min(policy: c_int) -> c_int;
    /// The highest priority of a scheduling policy.
    sched_get_priority_max(policy: c_int) -> c_int;
    /// The scheduling policy of a process.
    sched_getscheduler(pid: c_int) -> c_int;
    /// Lets others run.
    sched_yield() -> c_int;
    /// Removes an environment variable.
    unsetenv(name: &CStr) -> c_int;
    /// Sets an environment variable.
    setenv(name: &CStr, value: &CStr, overwrite: c_int) -> c_int;
    /// `flock`.
    flock(fd: c_int, operation: c_int) -> c_int;
    /// Ends part of a connection.
    shutdown(fd: c_int, how: c_int) -> c_int;
    /// Makes a socket listen.
    listen(fd: c_int, backlog: c_int) -> c_int;
    /// Makes a socket.
    socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    /// Makes an epoll descriptor.
    epoll_create1(flags: c_int) -> c_int;
}

/// Calls whose -1 may be an answer: `errno` tells.
macro_rules! ambiguous {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
        $(#[$meta])*
        ///
        /// # Errors
        /// What the system says.
        pub fn $name($($arg: $ty),*) -> Result<$result, Errno> {
            // SAFETY: numbers and null-terminated strings only; the location of `errno` is the thread's.
            let (result, error) = unsafe {
                *libc::__errno_location() = 0;
                let result = libc::$name($($arg.raw()),*);
                (result, *libc::__errno_location())
            };
            if result == -1 && error != 0 { Err(error) } else { Ok(result) }
        }
    )*};
}

ambiguous! {
    /// A limit of the system; -1 for none.
    sysconf(name: c_int) -> c_long;
    /// A limit of a file; -1 for none.
    pathconf(path: &CStr, name: c_int) -> c_long;
    /// A limit of an open file; -1 for none.
    fpathconf(fd: c_int, name: c_int) -> c_long;
    /// Changes the niceness; gives the new one.
    nice(increment: c_int) -> c_int;
}

/// Calls that cannot fail.
macro_rules! infallible {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
        $(#[$meta])*
        pub fn $name($($arg: $ty),*) -> $result {
            // SAFETY: numbers only.
            unsafe { libc::$name($($arg),*) }
        }
    )*};
}

infallible! {
    /// The process.
    getpid() -> c_int;
    /// The process that began this one.
    getppid() -> c_int;
    /// The process group.
    getpgrp() -> c_int;
    /// The user.
    getuid() -> c_uint;
    /// The effective user.
    geteuid() -> c_uint;
    /// The group.
    getgid() -> c_uint;
    /// The effective group.
    getegid() -> c_uint;
    /// Sets the mask of permissions for new files; gives the old one.
    umask(mask: c_uint) -> c_uint;
    /// Writes everything to the devices.
    sync() -> ();
    /// Ends the process with a core dump.
    abort() -> !;
    /// Ends the process at once.
    _exit(status: c_int) -> !;
}

/// Whether a descriptor is a terminal.
pub fn isatty(fd: c_int) -> bool {
    // SAFETY: a number only.
    unsafe { libc::isatty(fd) == 1 }
}

/// The scheduling priority of processes; -1 is a valid one.
///
/// # Errors
/// What the system says.
pub fn getpriority(which: c_int, who: c_uint) -> Result<c_int, Errno> {
    // SAFETY: numbers only; the location of `errno` is the thread's.
    unsafe {
        *libc::__errno_location() = 0;
        let result = libc::getpriority(which.cast_unsigned() as _, who);
        let error = *libc::__errno_location();
        if result == -1 && error != 0 { Err(error) } else { Ok(result) }
    }
}

/// Sets the scheduling priority of processes.
///
/// # Errors
/// What the system says.
pub fn setpriority(which: c_int, who: c_uint, priority: c_int) -> Result<c_int, Errno> {
    // SAFETY: numbers only.
    check(unsafe { libc::setpriority(which.cast_unsigned() as _, who, priority) })
}

/// Advises the system of how a file will be read.
///
/// # Errors
/// What the system says.
pub fn posix_fadvise(fd: c_int, offset: i64, length: i64, advice: c_int) -> Result<(), Errno> {
    // SAFETY: numbers only; the result is the error itself.
    match unsafe { libc::posix_fadvise(fd, offset, length, advice) } {
        0 => Ok(()),
        error => Err(error),
    }
}

/// Reserves room for a file.
///
/// # Errors
/// What the system says.
pub fn posix_fallocate(fd: c_int, offset: i64, length: i64) -> Result<(), Errno> {
    // SAFETY: numbers only; the result is the error itself.
    match unsafe { libc::posix_fallocate(fd, offset, length) } {
        0 => Ok(()),
        error => Err(error),
    }
}

/// A descriptor for a process.
///
/// # Errors
/// What the system says.
pub fn pidfd_open(pid: c_int, flags: c_uint) -> Result<c_int, Errno> {
    // SAFETY: numbers only.
    check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) }).map(|fd| fd as c_int)
}
