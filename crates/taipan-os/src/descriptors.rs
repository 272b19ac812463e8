//! Open files by number: reading, writing, duplicating, flags, pipes, terminals, copying.

use crate::Errno;
use crate::calls::{check, last};
use core::ffi::{CStr, c_int, c_uint, c_void};
use core::ptr::{null, null_mut};

/// The most that one call transfers.
pub const MOST: usize = isize::MAX as usize;

/// Reads into a buffer; gives the number of bytes.
///
/// # Errors
/// What the system says.
pub fn read(fd: c_int, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the buffer's length is told.
    check(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) }).map(isize::cast_unsigned)
}

/// Reads at a position.
///
/// # Errors
/// What the system says.
pub fn pread(fd: c_int, buffer: &mut [u8], offset: i64) -> Result<usize, Errno> {
    // SAFETY: the buffer's length is told.
    check(unsafe { libc::pread(fd, buffer.as_mut_ptr().cast(), buffer.len(), offset) })
        .map(isize::cast_unsigned)
}

/// Writes; gives the number of bytes.
///
/// # Errors
/// What the system says.
pub fn write(fd: c_int, data: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the buffer's length is told.
    check(unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) }).map(isize::cast_unsigned)
}

/// Writes at a position.
///
/// # Errors
/// What the system says.
pub fn pwrite(fd: c_int, data: &[u8], offset: i64) -> Result<usize, Errno> {
    // SAFETY: the buffer's length is told.
    check(unsafe { libc::pwrite(fd, data.as_ptr().cast(), data.len(), offset) }).map(isize::cast_unsigned)
}

/// Reads into several buffers, at a position if one is given.
///
/// # Errors
/// What the system says.
pub fn read_vector(
    fd: c_int,
    buffers: &mut [Vec<u8>],
    at: Option<i64>,
    flags: c_int,
) -> Result<usize, Errno> {
    let raw: Vec<libc::iovec> = buffers
        .iter_mut()
        .map(|buffer| libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() })
        .collect();
    let count = raw.len() as c_int;
    // SAFETY: each row tells the length of its buffer.
    check(unsafe {
        match at {
            None => libc::readv(fd, raw.as_ptr(), count),
            Some(offset) if flags == 0 => libc::preadv(fd, raw.as_ptr(), count, offset),
            Some(offset) => libc::preadv2(fd, raw.as_ptr(), count, offset, flags),
        }
    })
    .map(isize::cast_unsigned)
}

/// Writes several buffers, at a position if one is given.
///
/// # Errors
/// What the system says.
pub fn write_vector(fd: c_int, buffers: &[Vec<u8>], at: Option<i64>, flags: c_int) -> Result<usize, Errno> {
    let raw: Vec<libc::iovec> = buffers
        .iter()
        .map(|buffer| libc::iovec { iov_base: buffer.as_ptr().cast_mut().cast(), iov_len: buffer.len() })
        .collect();
    let count = raw.len() as c_int;
    // SAFETY: each row tells the length of its buffer.
    check(unsafe {
        match at {
            None => libc::writev(fd, raw.as_ptr(), count),
            Some(offset) if flags == 0 => libc::pwritev(fd, raw.as_ptr(), count, offset),
            Some(offset) => libc::pwritev2(fd, raw.as_ptr(), count, offset, flags),
        }
    })
    .map(isize::cast_unsigned)
}

/// A copy of a descriptor that programs which are run do not inherit.
///
/// # Errors
/// What the system says.
pub fn dup(fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: numbers only.
    check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
}

/// `fcntl` with a number.
///
/// # Errors
/// What the system says.
pub fn fcntl(fd: c_int, command: c_int, arg: c_int) -> Result<c_int, Errno> {
    // SAFETY: callers pass commands that take a number; a command that takes an address gets an
    // invalid one, which the kernel refuses with EFAULT.
    check(unsafe { libc::fcntl(fd, command, arg) })
}

/// `fcntl` with a buffer that the system may fill.
///
/// # Errors
/// What the system says.
pub fn fcntl_buffer(fd: c_int, command: c_int, buffer: &mut [u8; 1024]) -> Result<c_int, Errno> {
    // SAFETY: the structs of all commands are smaller than the buffer.
    check(unsafe { libc::fcntl(fd, command, buffer.as_mut_ptr()) })
}

/// `ioctl` with a number.
///
/// # Errors
/// What the system says.
pub fn ioctl(fd: c_int, request: u64, arg: c_int) -> Result<c_int, Errno> {
    // SAFETY: a request that takes an address gets an invalid one, which the kernel refuses.
    check(unsafe { libc::ioctl(fd, request, libc::c_long::from(arg)) })
}

/// `ioctl` with a buffer that the system may fill.
///
/// # Errors
/// What the system says.
pub fn ioctl_buffer(fd: c_int, request: u64, buffer: &mut [u8]) -> Result<c_int, Errno> {
    let mut roomy = [0u8; 1024];
    let copied = buffer.len().min(roomy.len());
    if buffer.len() < roomy.len() {
        roomy[..copied].copy_from_slice(&buffer[..copied]);
        // SAFETY: the kernel writes at most the 14 bits of size that a request can tell, and old
        // requests less than the buffer's 1024 bytes.
        let result = check(unsafe { libc::ioctl(fd, request, roomy.as_mut_ptr()) })?;
        buffer.copy_from_slice(&roomy[..copied]);
        return Ok(result);
    }
    // SAFETY: as above, in the caller's own large buffer.
    check(unsafe { libc::ioctl(fd, request, buffer.as_mut_ptr()) })
}

/// Whether programs that are run inherit a descriptor.
///
/// # Errors
/// What the system says.
pub fn inheritable(fd: c_int) -> Result<bool, Errno> {
    fcntl(fd, libc::F_GETFD, 0).map(|flags| flags & libc::FD_CLOEXEC == 0)
}

/// Sets whether programs that are run inherit a descriptor.
///
/// # Errors
/// What the system says.
pub fn set_inheritable(fd: c_int, inherit: bool) -> Result<(), Errno> {
    let flags = fcntl(fd, libc::F_GETFD, 0)?;
    let wanted = if inherit { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
    if wanted == flags { Ok(()) } else { fcntl(fd, libc::F_SETFD, wanted).map(drop) }
}

/// Whether a descriptor waits.
///
/// # Errors
/// What the system says.
pub fn blocking(fd: c_int) -> Result<bool, Errno> {
    fcntl(fd, libc::F_GETFL, 0).map(|flags| flags & libc::O_NONBLOCK == 0)
}

/// Sets whether a descriptor waits.
///
/// # Errors
/// What the system says.
pub fn set_blocking(fd: c_int, wait: bool) -> Result<(), Errno> {
    let flags = fcntl(fd, libc::F_GETFL, 0)?;
    let wanted = if wait { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
    if wanted == flags { Ok(()) } else { fcntl(fd, libc::F_SETFL, wanted).map(drop) }
}

/// Closes all descriptors from `low` up to, not including, `high`.
pub fn close_range(low: c_int, high: c_int) {
    let low = low.max(0);
    if high <= low {
        return;
    }
    // SAFETY: numbers only.
    unsafe {
        if libc::syscall(libc::SYS_close_range, low.cast_unsigned(), (high - 1).cast_unsigned(), 0) == 0 {
            return;
        }
        let most = libc::sysconf(libc::_SC_OPEN_MAX).clamp(0, 1 << 20) as c_int;
        for fd in low..high.min(most) {
            libc::close(fd);
        }
    }
}

/// A pipe: the end to read and the end to write.
///
/// # Errors
/// What the system says.
pub fn pipe(flags: c_int) -> Result<(c_int, c_int), Errno> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), flags) })?;
    Ok((ends[0], ends[1]))
}

/// `O_CLOEXEC`.
pub const CLOEXEC: c_int = libc::O_CLOEXEC;

/// A pseudo-terminal: master and slave.
///
/// # Errors
/// What the system says.
pub fn openpty() -> Result<(c_int, c_int), Errno> {
    let (mut master, mut slave) = (0, 0);
    // SAFETY: two descriptors; no name and no settings.
    check(unsafe { libc::openpty(&raw mut master, &raw mut slave, null_mut(), null_mut(), null_mut()) })?;
    Ok((master, slave))
}

/// The name of a terminal.
///
/// # Errors
/// What the system says.
pub fn ttyname(fd: c_int) -> Result<Vec<u8>, Errno> {
    let mut buffer = [0u8; 4096];
    // SAFETY: the buffer's length is told; the result is the error itself.
    text(unsafe { libc::ttyname_r(fd, buffer.as_mut_ptr().cast(), buffer.len()) }, &buffer)
}

/// The name of the slave of a pseudo-terminal.
///
/// # Errors
/// What the system says.
pub fn ptsname(fd: c_int) -> Result<Vec<u8>, Errno> {
    let mut buffer = [0u8; 4096];
    // SAFETY: the buffer's length is told; the result is the error itself.
    text(unsafe { libc::ptsname_r(fd, buffer.as_mut_ptr().cast(), buffer.len()) }, &buffer)
}

fn text(error: c_int, buffer: &[u8]) -> Result<Vec<u8>, Errno> {
    match error {
        0 => Ok(buffer.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()),
        -1 => Err(last()),
        error => Err(error),
    }
}

/// Columns and lines of a terminal.
///
/// # Errors
/// What the system says.
pub fn terminal_size(fd: c_int) -> Result<(u16, u16), Errno> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the struct that this request fills.
    check(unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) })?;
    Ok((size.ws_col, size.ws_row))
}

/// Copies from a file to a socket or file inside the system; without an offset from where the
/// input stands.
///
/// # Errors
/// What the system says.
pub fn sendfile(out: c_int, input: c_int, offset: Option<i64>, count: usize) -> Result<usize, Errno> {
    let mut place = offset.unwrap_or(0);
    let pointer = if offset.is_some() { &raw mut place } else { null_mut() };
    // SAFETY: null or a place of ours.
    check(unsafe { libc::sendfile(out, input, pointer, count) }).map(isize::cast_unsigned)
}

/// Copies between two files inside the system.
///
/// # Errors
/// What the system says.
pub fn copy_file_range(
    from: (c_int, Option<i64>),
    to: (c_int, Option<i64>),
    count: usize,
) -> Result<usize, Errno> {
    let (mut from_at, mut to_at) = (from.1.unwrap_or(0), to.1.unwrap_or(0));
    let from_pointer = if from.1.is_some() { &raw mut from_at } else { null_mut() };
    let to_pointer = if to.1.is_some() { &raw mut to_at } else { null_mut() };
    // SAFETY: null or places of ours.
    check(unsafe { libc::copy_file_range(from.0, from_pointer, to.0, to_pointer, count, 0) })
        .map(isize::cast_unsigned)
}

/// Moves data between a pipe and something else inside the system.
///
/// # Errors
/// What the system says.
pub fn splice(
    from: (c_int, Option<i64>),
    to: (c_int, Option<i64>),
    count: usize,
    flags: c_uint,
) -> Result<usize, Errno> {
    let (mut from_at, mut to_at) = (from.1.unwrap_or(0), to.1.unwrap_or(0));
    let from_pointer = if from.1.is_some() { &raw mut from_at } else { null_mut() };
    let to_pointer = if to.1.is_some() { &raw mut to_at } else { null_mut() };
    // SAFETY: null or places of ours.
    check(unsafe { libc::splice(from.0, from_pointer, to.0, to_pointer, count, flags) })
        .map(isize::cast_unsigned)
}

/// A descriptor that becomes readable when a time has come.
///
/// # Errors
/// What the system says.
pub fn timerfd_create(clock: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: numbers only.
    check(unsafe { libc::timerfd_create(clock, flags) })
}

/// First expiry and interval of a timer.
pub type Timer = ((i64, i64), (i64, i64));

fn timer_parts(raw: &libc::itimerspec) -> Timer {
    ((raw.it_value.tv_sec, raw.it_value.tv_nsec), (raw.it_interval.tv_sec, raw.it_interval.tv_nsec))
}

/// Sets a timer; gives what it was set to.
///
/// # Errors
/// What the system says.
pub fn timerfd_settime(fd: c_int, flags: c_int, timer: Timer) -> Result<Timer, Errno> {
    let new = libc::itimerspec {
        it_value: crate::clock::timespec(timer.0),
        it_interval: crate::clock::timespec(timer.1),
    };
    let mut old = new;
    // SAFETY: both structs are ours.
    check(unsafe { libc::timerfd_settime(fd, flags, &raw const new, &raw mut old) })?;
    Ok(timer_parts(&old))
}

/// What a timer is set to.
///
/// # Errors
/// What the system says.
pub fn timerfd_gettime(fd: c_int) -> Result<Timer, Errno> {
    let zero = crate::clock::timespec((0, 0));
    let mut now = libc::itimerspec { it_value: zero, it_interval: zero };
    // SAFETY: the struct is ours.
    check(unsafe { libc::timerfd_gettime(fd, &raw mut now) })?;
    Ok(timer_parts(&now))
}

/// The name of the encoding that the locale asks for, `ANSI_X3.4-1968` in the C locale.
pub fn locale_encoding() -> Vec<u8> {
    // SAFETY: the answer is a static, null-terminated text.
    unsafe {
        let text = libc::nl_langinfo(libc::CODESET);
        if text.is_null() { Vec::new() } else { CStr::from_ptr(text).to_bytes().to_vec() }
    }
}

/// One descriptor that [`poll`] watches: descriptor, events wanted, events seen.
pub type Watched = (c_int, i16, i16);

/// Waits for descriptors; a negative time waits for ever. Gives how many are ready.
///
/// # Errors
/// What the system says.
pub fn poll(watched: &mut [Watched], milliseconds: c_int) -> Result<c_int, Errno> {
    let mut raw: Vec<libc::pollfd> =
        watched.iter().map(|&(fd, events, _)| libc::pollfd { fd, events, revents: 0 }).collect();
    // SAFETY: the length is told.
    let ready = check(unsafe { libc::poll(raw.as_mut_ptr(), raw.len() as libc::nfds_t, milliseconds) })?;
    for (out, raw) in watched.iter_mut().zip(&raw) {
        out.2 = raw.revents;
    }
    Ok(ready)
}

/// The descriptors of the three sets of [`select`]; each is below `SETSIZE`.
pub const SETSIZE: c_int = libc::FD_SETSIZE as c_int;

/// `select`: keeps in each list the descriptors that are ready. Without a time it waits for ever.
///
/// # Errors
/// `EINVAL` for a descriptor out of range; what the system says.
pub fn select(sets: &mut [Vec<c_int>; 3], timeout: Option<(i64, i64)>) -> Result<(), Errno> {
    let mut most = -1;
    // SAFETY: zeros are the empty set; every descriptor is checked before it goes in.
    unsafe {
        let mut raw: [libc::fd_set; 3] = core::mem::zeroed();
        for (set, list) in raw.iter_mut().zip(sets.iter()) {
            for &fd in list {
                if !(0..SETSIZE).contains(&fd) {
                    return Err(libc::EINVAL);
                }
                libc::FD_SET(fd, set);
                most = most.max(fd);
            }
        }
        let mut time = timeout.map(|(seconds, micros)| libc::timeval { tv_sec: seconds, tv_usec: micros });
        let time = time.as_mut().map_or(null_mut(), core::ptr::from_mut);
        let [read, write, other] = &mut raw;
        check(libc::select(most + 1, read, write, other, time))?;
        for (set, list) in raw.iter().zip(sets.iter_mut()) {
            list.retain(|&fd| libc::FD_ISSET(fd, set));
        }
    }
    Ok(())
}

/// Changes what an epoll descriptor watches.
///
/// # Errors
/// What the system says.
pub fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, events: u32) -> Result<(), Errno> {
    let mut event = libc::epoll_event { events, u64: fd as u32 as u64 };
    // SAFETY: the struct is ours.
    check(unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) }).map(drop)
}

/// Waits for events: descriptors with what happened to them.
///
/// # Errors
/// What the system says.
pub fn epoll_wait(epoll: c_int, most: usize, milliseconds: c_int) -> Result<Vec<(c_int, u32)>, Errno> {
    let mut events = Vec::new();
    events.try_reserve_exact(most).map_err(|_| libc::ENOMEM)?;
    events.resize(most, libc::epoll_event { events: 0, u64: 0 });
    let count = most.min(c_int::MAX as usize) as c_int;
    // SAFETY: room for `count` events.
    let ready = check(unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), count, milliseconds) })?;
    Ok(events[..ready as usize].iter().map(|event| ({ event.u64 } as c_int, event.events)).collect())
}

/// Memory that maps a file or nothing; unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    address: *mut c_void,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes of a file (or of nothing, with descriptor -1).
    ///
    /// # Errors
    /// What the system says.
    pub fn new(
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> Result<Self, Errno> {
        if flags & libc::MAP_FIXED != 0 {
            return Err(libc::EINVAL);
        }
        // SAFETY: the system chooses the address, so no memory in use is touched.
        let address =
            unsafe { libc::mmap(null::<c_void>().cast_mut(), length, protection, flags, fd, offset) };
        if address == libc::MAP_FAILED { Err(last()) } else { Ok(Self { address, length }) }
    }

    /// The first byte.
    pub fn address(&self) -> *mut u8 {
        self.address.cast()
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Writes changes to the file.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&self, offset: usize, length: usize, flags: c_int) -> Result<(), Errno> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(libc::EINVAL);
        }
        // SAFETY: inside the mapping.
        check(unsafe { libc::msync(self.address.byte_add(offset), length, flags) }).map(drop)
    }

    /// Advises the system.
    ///
    /// # Errors
    /// What the system says.
    pub fn advise(&self, offset: usize, length: usize, advice: c_int) -> Result<(), Errno> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(libc::EINVAL);
        }
        // SAFETY: inside the mapping.
        check(unsafe { libc::madvise(self.address.byte_add(offset), length, advice) }).map(drop)
    }

    /// Another length, perhaps at another address.
    ///
    /// # Errors
    /// What the system says.
    pub fn resize(&mut self, length: usize) -> Result<(), Errno> {
        // SAFETY: the mapping is ours; nobody holds its address while we have it exclusively.
        let moved = unsafe { libc::mremap(self.address, self.length, length, libc::MREMAP_MAYMOVE) };
        if moved == libc::MAP_FAILED {
            return Err(last());
        }
        (self.address, self.length) = (moved, length);
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by us, unmapped once.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

/// What [`lock`] makes of a part of a file.
#[derive(Clone, Copy, Debug)]
pub enum Lock {
    None,
    Shared,
    Exclusive,
}

/// Locks a part of a file, given by start and length, with one of `fcntl`'s commands.
///
/// # Errors
/// What the system says.
pub fn lock(fd: c_int, command: c_int, kind: Lock, part: (i64, i64), whence: c_int) -> Result<(), Errno> {
    let kind = match kind {
        Lock::None => libc::F_UNLCK,
        Lock::Shared => libc::F_RDLCK,
        Lock::Exclusive => libc::F_WRLCK,
    };
    let raw = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: whence as libc::c_short,
        l_start: part.0,
        l_len: part.1,
        l_pid: 0,
    };
    // SAFETY: the struct that these commands read.
    check(unsafe { libc::fcntl(fd, command, &raw const raw) }).map(drop)
}
