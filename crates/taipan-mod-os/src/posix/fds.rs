//! Open files by number.

use super::convert::{data, int, int_or, is_sequence, offset, offset_opt, ok, os_error, unsigned, wait_ok};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::err::{memory_error, overflow_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError};
use taipan_object::system::{descriptor, fs_decode};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, abi, intern, protocol, raise, struct_sequence};
use taipan_os::{calls, descriptors};

/// `EINVAL`.
const INVALID: i32 = 22;

struct_sequence! {
    /// What `get_terminal_size` gives.
    pub static TERMINAL_SIZE, TERMINAL_SIZE_TYPE = c"os.terminal_size", visible 2, flags 0,
        c"The size of a terminal: (columns, lines)." {
        columns c"how many characters a line has";
        lines c"how many lines the terminal shows";
    }
}

fn close(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = int(args.required(0))?;
    // After an interrupted close the descriptor is gone: it is not tried again.
    match super::convert::released(|| calls::close(fd)) {
        Ok(_) | Err(4) => Ok(()),
        Err(errno) => Err(os_error(errno)),
    }
}

fn closerange(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (low, high) = (int(args.required(0))?, int(args.required(1))?);
    super::convert::released(|| descriptors::close_range(low, high));
    Ok(())
}

fn dup(_: &Object, fd: &Object) -> PyResult<i32> {
    ok(descriptors::dup(int(fd)?))
}

fn dup2(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let (from, to) = (int(args.required(0))?, int(args.required(1))?);
    let inheritable = args.bool_or(2, true)?;
    if inheritable {
        return wait_ok(|| calls::dup2(from, to));
    }
    wait_ok(|| calls::dup3(from, to, descriptors::CLOEXEC)).or_else(|error| {
        // Onto itself: then only the flag is set.
        if from != to {
            return Err(error);
        }
        ok(descriptors::set_inheritable(from, false)).map(|()| to)
    })
}

/// Memory for so many bytes from the system.
fn room(length: usize) -> PyResult<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).map_err(|_| memory_error())?;
    buffer.resize(length, 0);
    Ok(buffer)
}

/// A length argument; negative ones are the system's error.
fn length(object: &Object) -> PyResult<usize> {
    usize::try_from(object.to_isize()?).map_err(|_| os_error(INVALID))
}

/// Reads are cut at this size, as the system does itself.
const MOST: usize = 0x7FFF_F000;

fn read(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let fd = int(args.required(0))?;
    let wanted = length(args.required(1))?;
    if wanted > isize::MAX as usize - 64 {
        return Err(overflow_error("byte string is too large"));
    }
    if wanted > 1 << 46 {
        return Err(memory_error());
    }
    let mut buffer = room(wanted.min(MOST))?;
    let count = wait_ok(|| descriptors::read(fd, &mut buffer))?;
    Bytes::new(&buffer[..count])
}

fn readinto(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let fd = int(args.required(0))?;
    let target = writable(args.required(1), "readinto", 2)?;
    let mut buffer = room(target.as_slice().len().min(MOST))?;
    let count = wait_ok(|| descriptors::read(fd, &mut buffer))?;
    target.write_at(0, &buffer[..count]);
    Ok(count)
}

/// A writable buffer argument.
pub fn writable(object: &Object, function: &str, place: usize) -> PyResult<Buffer> {
    Buffer::get(object, abi::PyBUF_WRITABLE).map_err(|_| {
        raise!(
            PyExc_TypeError,
            "{function}() argument {place} must be read-write bytes-like object, not {}",
            object.ty().message_name()
        )
    })
}

fn write(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let fd = int(args.required(0))?;
    let data = data(args.required(1))?;
    wait_ok(|| descriptors::write(fd, &data))
}

fn pread(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let fd = int(args.required(0))?;
    let wanted = usize::try_from(int(args.required(1))?).map_err(|_| os_error(INVALID))?;
    let at = offset(args.required(2))?;
    let mut buffer = room(wanted.min(MOST))?;
    let count = wait_ok(|| descriptors::pread(fd, &mut buffer, at))?;
    Bytes::new(&buffer[..count])
}

fn pwrite(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let fd = int(args.required(0))?;
    let data = data(args.required(1))?;
    let at = offset(args.required(2))?;
    wait_ok(|| descriptors::pwrite(fd, &data, at))
}

/// The objects of a buffers argument.
fn buffers(object: &Object, function: &str) -> PyResult<Vec<Ref>> {
    if !is_sequence(object) {
        return Err(raise!(PyExc_TypeError, "{function}() arg 2 must be a sequence"));
    }
    protocol::to_vec(object)
}

/// `readv` and `preadv`.
fn read_many(function: &str, args: &Args<'_>, at: Option<i64>, flags: i32) -> PyResult<usize> {
    let fd = int(args.required(0))?;
    let objects = buffers(args.required(1), function)?;
    let mut data = Vec::with_capacity(objects.len());
    let mut views = Vec::with_capacity(objects.len());
    for object in &objects {
        let view = Buffer::get(object, abi::PyBUF_WRITABLE)?;
        data.push(room(view.as_slice().len())?);
        views.push(view);
    }
    let total = wait_ok(|| descriptors::read_vector(fd, &mut data, at, flags))?;
    let mut left = total;
    for (view, data) in views.iter().zip(&data) {
        let part = data.len().min(left);
        view.write_at(0, &data[..part]);
        left -= part;
    }
    Ok(total)
}

fn write_many(function: &str, args: &Args<'_>, at: Option<i64>, flags: i32) -> PyResult<usize> {
    let fd = int(args.required(0))?;
    let objects = buffers(args.required(1), function)?;
    let mut all = Vec::with_capacity(objects.len());
    for object in &objects {
        all.push(data(object)?);
    }
    wait_ok(|| descriptors::write_vector(fd, &all, at, flags))
}

fn readv(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    read_many("readv", args, None, 0)
}

fn preadv(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    read_many("preadv", args, Some(offset(args.required(2))?), int_or(args, 3, 0)?)
}

fn writev(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    write_many("writev", args, None, 0)
}

fn pwritev(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    write_many("pwritev", args, Some(offset(args.required(2))?), int_or(args, 3, 0)?)
}

fn lseek(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let fd = int(args.required(0))?;
    let position = offset(args.required(1))?;
    let whence = int(args.required(2))?;
    ok(super::convert::released(|| calls::lseek(fd, position, whence)))
}

fn isatty(_: &Object, fd: &Object) -> PyResult<bool> {
    let fd = int(fd)?;
    Ok(super::convert::released(|| calls::isatty(fd)))
}

fn ftruncate(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (fd, length) = (int(args.required(0))?, offset(args.required(1))?);
    wait_ok(|| calls::ftruncate(fd, length)).map(drop)
}

fn fsync(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    wait_ok(|| calls::fsync(fd)).map(drop)
}

fn fdatasync(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    wait_ok(|| calls::fdatasync(fd)).map(drop)
}

fn sync(_: &Object) {
    super::convert::released(calls::sync);
}

fn fchmod(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (fd, mode) = (int(args.required(0))?, int(args.required(1))?);
    wait_ok(|| calls::fchmod(fd, mode.cast_unsigned())).map(drop)
}

fn fchown(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = int(args.required(0))?;
    let uid = super::convert::id(args.required(1), "uid")?;
    let gid = super::convert::id(args.required(2), "gid")?;
    wait_ok(|| calls::fchown(fd, uid, gid)).map(drop)
}

fn get_inheritable(_: &Object, fd: &Object) -> PyResult<bool> {
    ok(descriptors::inheritable(int(fd)?))
}

fn set_inheritable(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (fd, inherit) = (int(args.required(0))?, int(args.required(1))?);
    ok(descriptors::set_inheritable(fd, inherit != 0))
}

fn get_blocking(_: &Object, fd: &Object) -> PyResult<bool> {
    ok(descriptors::blocking(int(fd)?))
}

fn set_blocking(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (fd, wait) = (int(args.required(0))?, args.required(1).is_true()?);
    ok(descriptors::set_blocking(fd, wait))
}

fn pair((a, b): (i32, i32)) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([Int::from_i64(a.into()).upcast(), Int::from_i64(b.into()).upcast()])
}

fn pipe(_: &Object) -> PyResult<Ref<Tuple>> {
    pair(ok(descriptors::pipe(descriptors::CLOEXEC))?)
}

fn pipe2(_: &Object, flags: &Object) -> PyResult<Ref<Tuple>> {
    pair(ok(descriptors::pipe(int(flags)?))?)
}

fn openpty(_: &Object) -> PyResult<Ref<Tuple>> {
    let (master, slave) = ok(descriptors::openpty())?;
    ok(descriptors::set_inheritable(master, false))?;
    ok(descriptors::set_inheritable(slave, false))?;
    pair((master, slave))
}

fn login_tty(_: &Object, fd: &Object) -> PyResult<()> {
    ok(calls::login_tty(descriptor(fd)?)).map(drop)
}

fn posix_openpt(_: &Object, flags: &Object) -> PyResult<i32> {
    let fd = ok(calls::posix_openpt(int(flags)?))?;
    ok(descriptors::set_inheritable(fd, false))?;
    Ok(fd)
}

fn grantpt(_: &Object, fd: &Object) -> PyResult<()> {
    ok(calls::grantpt(descriptor(fd)?)).map(drop)
}

fn unlockpt(_: &Object, fd: &Object) -> PyResult<()> {
    ok(calls::unlockpt(descriptor(fd)?)).map(drop)
}

fn ptsname(_: &Object, fd: &Object) -> PyResult<Ref<Str>> {
    fs_decode(&ok(descriptors::ptsname(descriptor(fd)?))?)
}

fn ttyname(_: &Object, fd: &Object) -> PyResult<Ref<Str>> {
    fs_decode(&ok(descriptors::ttyname(int(fd)?))?)
}

fn ctermid(_: &Object) -> &'static str {
    "/dev/tty"
}

fn tcgetpgrp(_: &Object, fd: &Object) -> PyResult<i32> {
    ok(calls::tcgetpgrp(int(fd)?))
}

fn tcsetpgrp(_: &Object, args: &Args<'_>) -> PyResult<()> {
    ok(calls::tcsetpgrp(int(args.required(0))?, int(args.required(1))?)).map(drop)
}

fn get_terminal_size(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let (columns, lines) = ok(descriptors::terminal_size(int_or(args, 0, 1)?))?;
    let number = |n: u16| Int::from_i64(n.into()).upcast();
    TERMINAL_SIZE.make(vec![number(columns), number(lines)])
}

fn device_encoding(_: &Object, args: &Args<'_>) -> PyResult<Option<Ref>> {
    let fd = int(args.required(0))?;
    if !calls::isatty(fd) {
        return Ok(None);
    }
    let name = descriptors::locale_encoding();
    Ok(Some(if name.is_empty() { intern!("UTF-8").new_ref() } else { fs_decode(&name)?.upcast() }))
}

fn lockf(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (fd, command) = (int(args.required(0))?, int(args.required(1))?);
    let length = offset(args.required(2))?;
    wait_ok(|| calls::lockf(fd, command, length)).map(drop)
}

fn fadvise(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = int(args.required(0))?;
    let (start, length) = (offset(args.required(1))?, offset(args.required(2))?);
    let advice = int(args.required(3))?;
    wait_ok(|| calls::posix_fadvise(fd, start, length, advice))
}

fn fallocate(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = int(args.required(0))?;
    let (start, length) = (offset(args.required(1))?, offset(args.required(2))?);
    wait_ok(|| calls::posix_fallocate(fd, start, length))
}

fn sendfile(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let (out, input) = (int(args.required(0))?, int(args.required(1))?);
    let at = offset_opt(args.get(2))?;
    let count = args.required(3).to_isize()?.cast_unsigned();
    wait_ok(|| descriptors::sendfile(out, input, at, count))
}

/// A count that must not be negative.
fn count(object: &Object) -> PyResult<usize> {
    usize::try_from(object.to_isize()?).map_err(|_| value_error("negative value for 'count' not allowed"))
}

fn copy_file_range(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let (from, to) = (int(args.required(0))?, int(args.required(1))?);
    let count = count(args.required(2))?;
    let (from_at, to_at) = (offset_opt(args.get(3))?, offset_opt(args.get(4))?);
    wait_ok(|| descriptors::copy_file_range((from, from_at), (to, to_at), count))
}

fn splice(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let (from, to) = (int(args.required(0))?, int(args.required(1))?);
    let count = count(args.required(2))?;
    let (from_at, to_at) = (offset_opt(args.get(3))?, offset_opt(args.get(4))?);
    let flags = args.get(5).map_or(Ok(0), unsigned)?;
    wait_ok(|| descriptors::splice((from, from_at), (to, to_at), count, flags))
}

fn memfd_create(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let name = super::convert::c_name(args.required(0))?;
    let flags = args.get(1).map_or(Ok(1), unsigned)?;
    ok(calls::memfd_create(&name, flags))
}

fn eventfd(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let value = unsigned(args.required(0))?;
    ok(calls::eventfd(value, int_or(args, 1, descriptors::CLOEXEC)?))
}

fn eventfd_read(_: &Object, args: &Args<'_>) -> PyResult<u64> {
    let fd = descriptor(args.required(0))?;
    let mut value = [0u8; 8];
    wait_ok(|| descriptors::read(fd, &mut value))?;
    Ok(u64::from_ne_bytes(value))
}

fn eventfd_write(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    let number = args.required(1).to_index()?;
    if number.is_negative() {
        return Err(overflow_error("can't convert negative value to unsigned int"));
    }
    let value = number.to_u64().ok_or_else(|| overflow_error("int too big to convert"))?;
    wait_ok(|| descriptors::write(fd, &value.to_ne_bytes())).map(drop)
}

/// Seconds as seconds and nanoseconds, rounded away from zero.
fn timer_seconds(args: &Args<'_>, index: usize) -> PyResult<(i64, i64)> {
    let value = args.f64_or(index, 0.0)?;
    let total = (value * 1e9).abs().ceil().copysign(value);
    if value.is_nan() || !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&total) {
        return Err(raise!(PyExc_OverflowError, "timestamp out of range for C PyTime_t"));
    }
    let total = total as i64;
    Ok((total.div_euclid(1_000_000_000), total.rem_euclid(1_000_000_000)))
}

fn timer_ns(args: &Args<'_>, index: usize) -> PyResult<(i64, i64)> {
    let total = args.get(index).map_or(Ok(0), offset)?;
    Ok((total.div_euclid(1_000_000_000), total.rem_euclid(1_000_000_000)))
}

fn timerfd_create(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let clock = int(args.required(0))?;
    let flags = int_or(args, 1, 0)? | descriptors::CLOEXEC;
    ok(descriptors::timerfd_create(clock, flags))
}

fn timer_floats((first, interval): descriptors::Timer) -> PyResult<Ref<Tuple>> {
    let float = |(seconds, rest): (i64, i64)| Float::new(seconds as f64 + 1e-9 * rest as f64).upcast();
    Tuple::from_array([float(first), float(interval)])
}

fn timer_ints((first, interval): descriptors::Timer) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([super::stat::nanoseconds(first)?, super::stat::nanoseconds(interval)?])
}

fn timerfd_settime(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let fd = descriptor(args.required(0))?;
    let flags = int_or(args, 1, 0)?;
    let timer = (timer_seconds(args, 2)?, timer_seconds(args, 3)?);
    timer_floats(wait_ok(|| descriptors::timerfd_settime(fd, flags, timer))?)
}

fn timerfd_settime_ns(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let fd = descriptor(args.required(0))?;
    let flags = int_or(args, 1, 0)?;
    let timer = (timer_ns(args, 2)?, timer_ns(args, 3)?);
    timer_ints(wait_ok(|| descriptors::timerfd_settime(fd, flags, timer))?)
}

fn timerfd_gettime(_: &Object, fd: &Object) -> PyResult<Ref<Tuple>> {
    timer_floats(ok(descriptors::timerfd_gettime(descriptor(fd)?))?)
}

fn timerfd_gettime_ns(_: &Object, fd: &Object) -> PyResult<Ref<Tuple>> {
    timer_ints(ok(descriptors::timerfd_gettime(descriptor(fd)?))?)
}

/// Makes the types ready and adds them.
pub fn add(module: &Module) -> PyResult<()> {
    TERMINAL_SIZE.install()?;
    module.add("terminal_size", &TERMINAL_SIZE_TYPE)?;
    module.add_functions(METHODS)
}

taipan_object::methods! {
    static METHODS = {
        args "close" "($module, /, fd)" = close, "Close a descriptor.";
        args "closerange" "($module, fd_low, fd_high, /)" = closerange, "Close all descriptors from fd_low up to, not including, fd_high; errors are ignored.";
        one "dup" "($module, fd, /)" = dup, "A copy of a descriptor that programs which are run do not inherit.";
        args "dup2" "($module, /, fd, fd2, inheritable=True)" = dup2, "Make fd2 a copy of fd.";
        args "read" "($module, fd, length, /)" = read, "Read at most so many bytes.";
        args "readinto" "($module, fd, buffer, /)" = readinto, "Read into a writable buffer; gives how many bytes.";
        args "write" "($module, fd, data, /)" = write, "Write bytes; gives how many were written.";
        args "pread" "($module, fd, length, offset, /)" = pread, "Read at a position and leave the file's own where it is.";
        args "pwrite" "($module, fd, buffer, offset, /)" = pwrite, "Write at a position and leave the file's own where it is.";
        args "readv" "($module, fd, buffers, /)" = readv, "Read into several buffers, one after the other.";
        args "preadv" "($module, fd, buffers, offset, flags=0, /)" = preadv, "Read at a position into several buffers.";
        args "writev" "($module, fd, buffers, /)" = writev, "Write several buffers, one after the other.";
        args "pwritev" "($module, fd, buffers, offset, flags=0, /)" = pwritev, "Write several buffers at a position.";
        args "lseek" "($module, fd, position, whence, /)" = lseek, "Move the position of an open file.";
        one "isatty" "($module, fd, /)" = isatty, "Whether a descriptor is a terminal.";
        args "ftruncate" "($module, fd, length, /)" = ftruncate, "Set the length of an open file.";
        args "fsync" "($module, /, fd)" = fsync, "Write all of a file to the device.";
        args "fdatasync" "($module, /, fd)" = fdatasync, "Write the contents of a file to the device.";
        noargs "sync" "($module, /)" = sync, "Write everything to the devices.";
        args "fchmod" "($module, /, fd, mode)" = fchmod, "Set the permissions of an open file.";
        args "fchown" "($module, /, fd, uid, gid)" = fchown, "Set the owner of an open file.";
        one "get_inheritable" "($module, fd, /)" = get_inheritable, "Whether programs that are run inherit a descriptor.";
        args "set_inheritable" "($module, fd, inheritable, /)" = set_inheritable, "Set whether programs that are run inherit a descriptor.";
        one "get_blocking" "($module, fd, /)" = get_blocking, "Whether reading and writing waits.";
        args "set_blocking" "($module, fd, blocking, /)" = set_blocking, "Set whether reading and writing waits.";
        noargs "pipe" "($module, /)" = pipe, "A pipe: the end to read and the end to write.";
        one "pipe2" "($module, flags, /)" = pipe2, "A pipe made with flags such as O_NONBLOCK and O_CLOEXEC.";
        noargs "openpty" "($module, /)" = openpty, "A pseudo-terminal: master and slave.";
        one "login_tty" "($module, fd, /)" = login_tty, "Make a terminal the controlling one and the three standard files.";
        one "posix_openpt" "($module, oflag, /)" = posix_openpt, "Open the master of a new pseudo-terminal.";
        one "grantpt" "($module, fd, /)" = grantpt, "Give the slave of a pseudo-terminal to the user.";
        one "unlockpt" "($module, fd, /)" = unlockpt, "Unlock the slave of a pseudo-terminal.";
        one "ptsname" "($module, fd, /)" = ptsname, "The name of the slave of a pseudo-terminal.";
        one "ttyname" "($module, fd, /)" = ttyname, "The name of a terminal.";
        noargs "ctermid" "($module, /)" = ctermid, "The name of the controlling terminal.";
        one "tcgetpgrp" "($module, fd, /)" = tcgetpgrp, "The process group in the foreground of a terminal.";
        args "tcsetpgrp" "($module, fd, pgid, /)" = tcsetpgrp, "Bring a process group to the foreground of a terminal.";
        args "get_terminal_size" "($module, fd=<unrepresentable>, /)" = get_terminal_size, "The size of a terminal, that of standard output by default.";
        args "device_encoding" "($module, /, fd)" = device_encoding, "The encoding of a terminal, None for other files.";
        args "lockf" "($module, fd, command, length, /)" = lockf, "Lock, unlock or test a part of a file.";
        args "posix_fadvise" "($module, fd, offset, length, advice, /)" = fadvise, "Tell the system how a file will be used.";
        args "posix_fallocate" "($module, fd, offset, length, /)" = fallocate, "Reserve room for a file.";
        args "sendfile" "($module, /, out_fd, in_fd, offset, count)" = sendfile, "Copy from one descriptor to another inside the system.";
        args "copy_file_range" "($module, /, src, dst, count, offset_src=None, offset_dst=None)" = copy_file_range, "Copy between two files inside the system.";
        args "splice" "($module, /, src, dst, count, offset_src=None, offset_dst=None, flags=0)" = splice, "Move data between a pipe and another descriptor.";
        args "memfd_create" "($module, /, name, flags=MFD_CLOEXEC)" = memfd_create, "A file in memory.";
        args "eventfd" "($module, /, initval, flags=EFD_CLOEXEC)" = eventfd, "A descriptor that counts events.";
        args "eventfd_read" "($module, /, fd)" = eventfd_read, "Take the count of an event descriptor.";
        args "eventfd_write" "($module, /, fd, value)" = eventfd_write, "Add to the count of an event descriptor.";
        args "timerfd_create" "($module, clockid, /, *, flags=0)" = timerfd_create, "A descriptor that becomes readable when a time has come.";
        args "timerfd_settime" "($module, fd, /, *, flags=0, initial=0.0, interval=0.0)" = timerfd_settime, "Set a timer in seconds; gives what it was set to.";
        args "timerfd_settime_ns" "($module, fd, /, *, flags=0, initial=0, interval=0)" = timerfd_settime_ns, "Set a timer in nanoseconds; gives what it was set to.";
        one "timerfd_gettime" "($module, fd, /)" = timerfd_gettime, "What a timer is set to, in seconds.";
        one "timerfd_gettime_ns" "($module, fd, /)" = timerfd_gettime_ns, "What a timer is set to, in nanoseconds.";
    }
}
