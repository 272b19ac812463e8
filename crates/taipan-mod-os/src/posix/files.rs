//! Files by name: opening, making, removing, renaming, links, permissions, times, attributes.

use super::convert::{Also, Path, dir_fd, id, int, int_or, ok, released};
use taipan_object::bytes::Bytes;
use taipan_object::err::{type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_NotImplementedError, PyExc_OverflowError, PyExc_TypeError};
use taipan_object::system::{fs_decode, waiting};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, raise};
use taipan_os::calls;
use taipan_os::paths::{self, HERE, NewTimes, Target};

/// `EEXIST` and the like are the system's; these two the functions below must tell apart.
const NOT_SUPPORTED: i32 = 95;

fn open(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let path = Path::of("open", "path", Some(args.required(0)), Also::Nothing)?;
    let flags = int(args.required(1))? | taipan_os::descriptors::CLOEXEC;
    let mode = int_or(args, 2, 0o777)?;
    let dir = dir_fd(args.get(3))?;
    waiting(|| calls::openat(dir, path.name(), flags, mode.cast_unsigned()))?
        .map_err(|errno| path.error(errno))
}

fn access(_: &Object, args: &Args<'_>) -> PyResult<bool> {
    let path = Path::of("access", "path", Some(args.required(0)), Also::Nothing)?;
    let mode = int(args.required(1))?;
    let dir = dir_fd(args.get(2))?;
    let mut flags = 0;
    if args.bool_or(3, false)? {
        flags |= paths::EFFECTIVE;
    }
    if !args.bool_or(4, true)? {
        flags |= paths::NO_FOLLOW;
    }
    Ok(released(|| calls::faccessat(dir, path.name(), mode, flags)).is_ok())
}

fn chdir(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("chdir", "path", Some(args.required(0)), Also::Fd)?;
    released(|| match path.fd {
        Some(fd) => calls::fchdir(fd),
        None => calls::chdir(path.name()),
    })
    .map_err(|errno| path.error(errno))
    .map(drop)
}

fn fchdir(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = taipan_object::system::descriptor(args.required(0))?;
    super::convert::wait_ok(|| calls::fchdir(fd)).map(drop)
}

fn chroot(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("chroot", "path", Some(args.required(0)), Also::Nothing)?;
    released(|| calls::chroot(path.name())).map_err(|errno| path.error(errno)).map(drop)
}

fn chmod(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("chmod", "path", Some(args.required(0)), Also::Fd)?;
    let mode = int(args.required(1))?.cast_unsigned();
    let dir = dir_fd(args.get(2))?;
    let follow = args.bool_or(3, true)?;
    let done = released(|| match path.fd {
        Some(fd) => calls::fchmod(fd, mode),
        None => calls::fchmodat(dir, path.name(), mode, if follow { 0 } else { paths::NO_FOLLOW }),
    });
    match done {
        Ok(_) => Ok(()),
        Err(NOT_SUPPORTED) if !follow && path.fd.is_none() => {
            if dir != HERE {
                return Err(value_error("chmod: cannot use dir_fd and follow_symlinks together"));
            }
            Err(raise!(PyExc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform"))
        }
        Err(errno) => Err(path.error(errno)),
    }
}

fn chown(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("chown", "path", Some(args.required(0)), Also::Fd)?;
    let (uid, gid) = (id(args.required(1), "uid")?, id(args.required(2), "gid")?);
    let dir = dir_fd(args.get(3))?;
    let follow = args.bool_or(4, true)?;
    path.no_dir_with_fd("chown", dir)?;
    path.follow_with_fd("chown", follow)?;
    released(|| match path.fd {
        Some(fd) => calls::fchown(fd, uid, gid),
        None => calls::fchownat(dir, path.name(), uid, gid, if follow { 0 } else { paths::NO_FOLLOW }),
    })
    .map_err(|errno| path.error(errno))
    .map(drop)
}

fn lchown(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("lchown", "path", Some(args.required(0)), Also::Nothing)?;
    let (uid, gid) = (id(args.required(1), "uid")?, id(args.required(2), "gid")?);
    released(|| calls::fchownat(HERE, path.name(), uid, gid, paths::NO_FOLLOW))
        .map_err(|errno| path.error(errno))
        .map(drop)
}

fn getcwd(_: &Object) -> PyResult {
    Ok(fs_decode(&ok(released(paths::getcwd))?)?.upcast())
}

fn getcwdb(_: &Object) -> PyResult {
    Ok(Bytes::new(&ok(released(paths::getcwd))?)?.upcast())
}

/// Source and destination with the folders they start from.
fn two(function: &str, args: &Args<'_>) -> PyResult<(Path, Path, i32, i32)> {
    let from = Path::of(function, "src", Some(args.required(0)), Also::Nothing)?;
    let to = Path::of(function, "dst", Some(args.required(1)), Also::Nothing)?;
    Ok((from, to, dir_fd(args.get(2))?, dir_fd(args.get(3))?))
}

fn link(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (from, to, from_dir, to_dir) = two("link", args)?;
    // The system's own habit is not to follow.
    let follow = args.bool_or(4, false)?;
    released(|| {
        calls::linkat(from_dir, from.name(), to_dir, to.name(), if follow { paths::FOLLOW } else { 0 })
    })
    .map_err(|errno| from.error2(&to, errno))
    .map(drop)
}

fn rename_as(function: &str, args: &Args<'_>) -> PyResult<()> {
    let (from, to, from_dir, to_dir) = two(function, args)?;
    released(|| calls::renameat(from_dir, from.name(), to_dir, to.name()))
        .map_err(|errno| from.error2(&to, errno))
        .map(drop)
}

fn rename(_: &Object, args: &Args<'_>) -> PyResult<()> {
    rename_as("rename", args)
}

fn replace(_: &Object, args: &Args<'_>) -> PyResult<()> {
    rename_as("replace", args)
}

fn symlink(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let target = Path::of("symlink", "src", Some(args.required(0)), Also::Nothing)?;
    let path = Path::of("symlink", "dst", Some(args.required(1)), Also::Nothing)?;
    args.bool_or(2, false)?;
    let dir = dir_fd(args.get(3))?;
    released(|| calls::symlinkat(target.name(), dir, path.name()))
        .map_err(|errno| target.error2(&path, errno))
        .map(drop)
}

fn readlink(_: &Object, args: &Args<'_>) -> PyResult {
    let path = Path::of("readlink", "path", Some(args.required(0)), Also::Nothing)?;
    let dir = dir_fd(args.get(1))?;
    let target = released(|| paths::readlink(dir, path.name())).map_err(|errno| path.error(errno))?;
    path.give(&target)
}

fn mkdir(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("mkdir", "path", Some(args.required(0)), Also::Nothing)?;
    let mode = int_or(args, 1, 0o777)?.cast_unsigned();
    let dir = dir_fd(args.get(2))?;
    released(|| calls::mkdirat(dir, path.name(), mode)).map_err(|errno| path.error(errno)).map(drop)
}

fn mkfifo(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("mkfifo", "path", Some(args.required(0)), Also::Nothing)?;
    let mode = int_or(args, 1, 0o666)?.cast_unsigned();
    let dir = dir_fd(args.get(2))?;
    super::convert::wait_ok(|| calls::mkfifoat(dir, path.name(), mode)).map(drop)
}

fn mknod(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("mknod", "path", Some(args.required(0)), Also::Nothing)?;
    let mode = int_or(args, 1, 0o600)?.cast_unsigned();
    let device = super::stat::device_arg(args.get(2))?;
    let dir = dir_fd(args.get(3))?;
    super::convert::wait_ok(|| calls::mknodat(dir, path.name(), mode, device)).map(drop)
}

fn remove_as(function: &str, args: &Args<'_>, flags: i32) -> PyResult<()> {
    let path = Path::of(function, "path", Some(args.required(0)), Also::Nothing)?;
    let dir = dir_fd(args.get(1))?;
    released(|| calls::unlinkat(dir, path.name(), flags)).map_err(|errno| path.error(errno)).map(drop)
}

fn unlink(_: &Object, args: &Args<'_>) -> PyResult<()> {
    remove_as("unlink", args, 0)
}

fn remove(_: &Object, args: &Args<'_>) -> PyResult<()> {
    remove_as("remove", args, 0)
}

fn rmdir(_: &Object, args: &Args<'_>) -> PyResult<()> {
    remove_as("rmdir", args, paths::REMOVE_DIR)
}

fn truncate(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("truncate", "path", Some(args.required(0)), Also::Fd)?;
    let length = super::convert::offset(args.required(1))?;
    if let Some(fd) = path.fd {
        return super::convert::wait_ok(|| calls::ftruncate(fd, length)).map(drop);
    }
    released(|| calls::truncate(path.name(), length)).map_err(|errno| path.error(errno)).map(drop)
}

/// A time in seconds, an int or a float, as seconds and nanoseconds, rounded down.
fn seconds(object: &Object) -> PyResult<(i64, i64)> {
    let out_of_range = || raise!(PyExc_OverflowError, "timestamp out of range for platform time_t");
    if let Some(float) = object.downcast::<Float>() {
        let value = float.value();
        if value.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        let whole = value.floor();
        // The fraction is exact; what it is rounded down to may be a whole second by rounding up.
        let rest = ((value - whole) * 1e9).floor();
        let (whole, rest) = if rest >= 1e9 { (whole + 1.0, 0.0) } else { (whole, rest) };
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
            return Err(out_of_range());
        }
        return Ok((whole as i64, rest as i64));
    }
    if !taipan_object::protocol::has_index(object) {
        return Err(raise!(
            PyExc_TypeError,
            "argument must be int or float, not {}",
            object.ty().message_name()
        ));
    }
    Ok((object.to_index()?.to_i64().ok_or_else(out_of_range)?, 0))
}

/// A time in nanoseconds.
fn split(object: &Object) -> PyResult<(i64, i64)> {
    let billion = Int::from_i64(1_000_000_000);
    let both =
        taipan_object::protocol::binary_op(object, &billion, taipan_object::protocol::BinaryOp::Divmod)?;
    let parts = both.downcast::<Tuple>().filter(|both| both.len() == 2).ok_or_else(|| {
        raise!(
            PyExc_TypeError,
            "{}.__divmod__() must return a 2-tuple, not {}",
            object.ty().message_name(),
            both.ty().message_name()
        )
    })?;
    let part = |index: usize| -> PyResult<i64> {
        let number = parts.items()[index].to_index()?;
        number
            .to_i64()
            .ok_or_else(|| raise!(PyExc_OverflowError, "timestamp out of range for platform time_t"))
    };
    Ok((part(0)?, part(1)?))
}

fn new_times(args: &Args<'_>) -> PyResult<NewTimes> {
    let (times, ns) = (args.get_some(1), args.get(2));
    let pair = |object: &Object| object.downcast::<Tuple>().filter(|pair| pair.len() == 2).map(Ref::of);
    match (times, ns) {
        (Some(_), Some(_)) => Err(value_error("utime: you may specify either 'times' or 'ns' but not both")),
        (Some(times), None) => {
            let text = "utime: 'times' must be either a tuple of two ints or None";
            let pair = pair(times).ok_or_else(|| type_error(text))?;
            Ok(NewTimes::At(seconds(pair.items()[0])?, seconds(pair.items()[1])?))
        }
        (None, Some(ns)) => {
            let pair = pair(ns).ok_or_else(|| type_error("utime: 'ns' must be a tuple of two ints"))?;
            let item = |index: usize| {
                let item = pair.items()[index];
                item.to_index().and_then(|_| split(item))
            };
            Ok(NewTimes::At(item(0)?, item(1)?))
        }
        (None, None) => Ok(NewTimes::Now),
    }
}

fn utime(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("utime", "path", Some(args.required(0)), Also::Fd)?;
    let dir = dir_fd(args.get(3))?;
    let follow = args.bool_or(4, true)?;
    let times = new_times(args)?;
    path.no_dir_with_fd("utime", dir)?;
    path.follow_with_fd("utime", follow)?;
    released(|| match path.fd {
        Some(fd) => paths::futimens(fd, times),
        None => paths::utimens(dir, path.name(), times, follow),
    })
    .map_err(|errno| path.error(errno))
}

/// The file of an extended attribute.
fn target<'a>(function: &str, path: &'a Path, follow: bool) -> PyResult<Target<'a>> {
    path.follow_with_fd(function, follow)?;
    Ok(match path.fd {
        Some(fd) => Target::Fd(fd),
        None if follow => Target::Path(path.name()),
        None => Target::Link(path.name()),
    })
}

fn getxattr(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let path = Path::of("getxattr", "path", Some(args.required(0)), Also::Fd)?;
    let name = Path::of("getxattr", "attribute", Some(args.required(1)), Also::Nothing)?;
    let target = target("getxattr", &path, args.bool_or(2, true)?)?;
    let value = released(|| paths::getxattr(target, name.name())).map_err(|errno| path.error(errno))?;
    Bytes::new(&value)
}

fn setxattr(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("setxattr", "path", Some(args.required(0)), Also::Fd)?;
    let name = Path::of("setxattr", "attribute", Some(args.required(1)), Also::Nothing)?;
    let value = super::convert::data(args.required(2))?;
    let flags = int_or(args, 3, 0)?;
    let target = target("setxattr", &path, args.bool_or(4, true)?)?;
    released(|| paths::setxattr(target, name.name(), &value, flags)).map_err(|errno| path.error(errno))
}

fn removexattr(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("removexattr", "path", Some(args.required(0)), Also::Fd)?;
    let name = Path::of("removexattr", "attribute", Some(args.required(1)), Also::Nothing)?;
    let target = target("removexattr", &path, args.bool_or(2, true)?)?;
    released(|| paths::removexattr(target, name.name())).map_err(|errno| path.error(errno))
}

fn listxattr(_: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let path = Path::of("listxattr", "path", args.get(0), Also::FdOrNone)?;
    let target = target("listxattr", &path, args.bool_or(1, true)?)?;
    let names = released(|| paths::listxattr(target)).map_err(|errno| path.error(errno))?;
    let list = List::new()?;
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        list.append(fs_decode(name)?.upcast())?;
    }
    Ok(list)
}

fn fspath(_: &Object, args: &Args<'_>) -> PyResult {
    taipan_object::system::fspath(args.required(0))
}

taipan_object::methods! {
    pub(super) static METHODS = {
        args "open" "($module, /, path, flags, mode=511, *, dir_fd=None)" = open, "Open a file; gives a descriptor that programs which are run do not inherit.";
        args "access" "($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)" = access, "Whether the process may use a file so.\n\n  mode\n    F_OK, or any of R_OK, W_OK and X_OK together.\n  effective_ids\n    Ask for the effective user and group instead of the real ones.";
        args "chdir" "($module, /, path)" = chdir, "Change the working folder.";
        args "fchdir" "($module, /, fd)" = fchdir, "Change the working folder to an open one.";
        args "chroot" "($module, /, path)" = chroot, "Change the root folder.";
        args "chmod" "($module, /, path, mode, *, dir_fd=None, follow_symlinks=(os.name != 'nt'))" = chmod, "Set the permissions of a file.";
        args "chown" "($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)" = chown, "Set the owner of a file; -1 leaves user or group as it is.";
        args "lchown" "($module, /, path, uid, gid)" = lchown, "Set the owner of a file or of a symbolic link itself.";
        noargs "getcwd" "($module, /)" = getcwd, "The working folder.";
        noargs "getcwdb" "($module, /)" = getcwdb, "The working folder, as bytes.";
        args "link" "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=(os.name != 'nt'))" = link, "Give a file another name.";
        args "rename" "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)" = rename, "Rename a file or folder.";
        args "replace" "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)" = replace, "Rename a file or folder, in place of what has the new name.";
        args "symlink" "($module, /, src, dst, target_is_directory=False, *, dir_fd=None)" = symlink, "Make a symbolic link named dst that points to src.";
        args "readlink" "($module, /, path, *, dir_fd=None)" = readlink, "Where a symbolic link points to.";
        args "mkdir" "($module, /, path, mode=511, *, dir_fd=None)" = mkdir, "Make a folder.";
        args "mkfifo" "($module, /, path, mode=438, *, dir_fd=None)" = mkfifo, "Make a named pipe.";
        args "mknod" "($module, /, path, mode=384, device=0, *, dir_fd=None)" = mknod, "Make a file of any kind.";
        args "unlink" "($module, /, path, *, dir_fd=None)" = unlink, "Remove a file.";
        args "remove" "($module, /, path, *, dir_fd=None)" = remove, "Remove a file.";
        args "rmdir" "($module, /, path, *, dir_fd=None)" = rmdir, "Remove an empty folder.";
        args "truncate" "($module, /, path, length)" = truncate, "Set the length of a file.";
        args "utime" "($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)" = utime, "Set the times of last access and change.\n\n  times\n    A tuple of both in seconds; without it, and without ns, both become the present.\n  ns\n    A tuple of both in nanoseconds.";
        args "getxattr" "($module, /, path, attribute, *, follow_symlinks=True)" = getxattr, "The value of an extended attribute.";
        args "setxattr" "($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)" = setxattr, "Set an extended attribute.";
        args "removexattr" "($module, /, path, attribute, *, follow_symlinks=True)" = removexattr, "Remove an extended attribute.";
        args "listxattr" "($module, /, path=None, *, follow_symlinks=True)" = listxattr, "The names of a file's extended attributes.";
        args "fspath" "($module, /, path)" = fspath, "A str or bytes as it is, or what the object's __fspath__ gives.";
    }
}
