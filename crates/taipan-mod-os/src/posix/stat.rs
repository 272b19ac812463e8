//! Status of files and file systems.

use super::convert::{Also, Path, dir_fd, int, ok, os_error, wait_ok};
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::{Args, tp_new};
use taipan_object::structseq::{from_values, values_from_call};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, struct_sequence};
use taipan_os::paths::{self, FileSystem, Stat};

struct_sequence! {
    /// What `stat` gives.
    pub static STAT_RESULT, STAT_RESULT_TYPE = c"os.stat_result", visible 10, flags 0,
        c"The status of a file, from stat, fstat or lstat.\n\nA tuple of (mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime), the times in whole\nseconds; the attributes st_mode and so on also give fractions of seconds, nanoseconds\nand what the system tells besides." {
        st_mode c"kind of file and permissions";
        st_ino c"number of the inode";
        st_dev c"device that the file is on";
        st_nlink c"how many names the file has";
        st_uid c"user who owns the file";
        st_gid c"group that owns the file";
        st_size c"length in bytes";
        _ c"time of last access, whole seconds";
        _ c"time of last change of the contents, whole seconds";
        _ c"time of last change of the status, whole seconds";
        st_atime c"time of last access";
        st_mtime c"time of last change of the contents";
        st_ctime c"time of last change of the status";
        st_atime_ns c"time of last access in nanoseconds";
        st_mtime_ns c"time of last change of the contents in nanoseconds";
        st_ctime_ns c"time of last change of the status in nanoseconds";
        st_blksize c"size of blocks good for input and output";
        st_blocks c"how many blocks of 512 bytes are taken";
        st_rdev c"the device that a special file stands for";
    }
}

struct_sequence! {
    /// What `statvfs` gives.
    pub static STATVFS_RESULT, STATVFS_RESULT_TYPE = c"os.statvfs_result", visible 10, flags 0,
        c"The status of a file system, from statvfs or fstatvfs.\n\nA tuple of (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax)\nwhose items are also the attributes f_bsize and so on; f_fsid is an attribute only." {
        f_bsize c"";
        f_frsize c"";
        f_blocks c"";
        f_bfree c"";
        f_bavail c"";
        f_files c"";
        f_ffree c"";
        f_favail c"";
        f_flag c"";
        f_namemax c"";
        f_fsid c"";
    }
}

/// A `stat_result` made by hand: times that were not given are the whole seconds.
fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Tuple>> {
    let mut values = values_from_call(ty, args, kwargs)?;
    for index in 7..10 {
        if values.get(index + 3).is_some_and(Option::is_none) {
            values[index + 3] = values[index].clone();
        }
    }
    from_values(ty, values)
}

/// Nanoseconds since the epoch as an int, which may not fit 64 bits.
pub fn nanoseconds((seconds, rest): (i64, i64)) -> PyResult {
    match seconds.checked_mul(1_000_000_000).and_then(|n| n.checked_add(rest)) {
        Some(total) => Ok(Int::from_i64(total).upcast()),
        None => {
            let total = i128::from(seconds) * 1_000_000_000 + i128::from(rest);
            let mut digits = Vec::new();
            let mut size = total.unsigned_abs();
            while size > 0 {
                digits.push((size & 0x3FFF_FFFF) as u32);
                size >>= 30;
            }
            Ok(Int::from_digits(total < 0, &digits)?.upcast())
        }
    }
}

/// The `stat_result` of a status.
pub fn result(stat: &Stat) -> PyResult<Ref<Tuple>> {
    let signed = |value: i64| Int::from_i64(value).upcast();
    let unsigned = |value: u64| Int::from_u64(value).upcast();
    let seconds = |(seconds, rest): (i64, i64)| Float::new(seconds as f64 + 1e-9 * rest as f64).upcast();
    let times = [stat.accessed, stat.modified, stat.changed];
    let mut values = vec![
        unsigned(stat.mode.into()),
        unsigned(stat.inode),
        unsigned(stat.device),
        unsigned(stat.links),
        unsigned(stat.uid.into()),
        unsigned(stat.gid.into()),
        signed(stat.size),
    ];
    values.extend(times.iter().map(|time| signed(time.0)));
    values.extend(times.iter().map(|&time| seconds(time)));
    for time in times {
        values.push(nanoseconds(time)?);
    }
    values.extend([signed(stat.block_size), signed(stat.blocks), unsigned(stat.special_device)]);
    STAT_RESULT.make(values)
}

/// `stat` and `lstat` for the function of this name.
fn do_stat(function: &str, path: &Path, dir: i32, follow: bool) -> PyResult<Ref<Tuple>> {
    path.no_dir_with_fd(function, dir)?;
    path.follow_with_fd(function, follow)?;
    let found = super::convert::released(|| match path.fd {
        Some(fd) => paths::fstat(fd),
        None => paths::stat(dir, path.name(), follow),
    });
    result(&found.map_err(|errno| path.error(errno))?)
}

fn stat(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let path = Path::of("stat", "path", Some(args.required(0)), Also::Fd)?;
    do_stat("stat", &path, dir_fd(args.get(1))?, args.bool_or(2, true)?)
}

fn lstat(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let path = Path::of("lstat", "path", Some(args.required(0)), Also::Nothing)?;
    do_stat("lstat", &path, dir_fd(args.get(1))?, false)
}

fn fstat(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let fd = int(args.required(0))?;
    result(&wait_ok(|| paths::fstat(fd))?)
}

fn file_system(found: &FileSystem) -> PyResult<Ref<Tuple>> {
    STATVFS_RESULT.make(found.numbers.iter().map(|&number| Int::from_u64(number).upcast()).collect())
}

fn statvfs(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let path = Path::of("statvfs", "path", Some(args.required(0)), Also::Fd)?;
    let found = super::convert::released(|| match path.fd {
        Some(fd) => paths::fstatvfs(fd),
        None => paths::statvfs(path.name()),
    });
    file_system(&found.map_err(|errno| path.error(errno))?)
}

fn fstatvfs(_: &Object, fd: &Object) -> PyResult<Ref<Tuple>> {
    let fd = int(fd)?;
    file_system(&wait_ok(|| paths::fstatvfs(fd))?)
}

fn device(object: &Object) -> PyResult<u64> {
    let number = object.to_index()?;
    if number.is_negative() {
        // The one negative number that is a device: "no device".
        return match number.to_i64() {
            Some(-1) => Ok(u64::MAX),
            _ => Err(taipan_object::err::overflow_error("can't convert negative int to unsigned")),
        };
    }
    number.to_u64().ok_or_else(|| taipan_object::err::overflow_error("int too big to convert"))
}

/// A device number as an argument.
pub fn device_arg(object: Option<&Object>) -> PyResult<u64> {
    object.map_or(Ok(0), device)
}

/// Half of a device number; all ones stand for "no device".
fn half(number: u32) -> i64 {
    if number == u32::MAX { -1 } else { number.into() }
}

fn major(_: &Object, number: &Object) -> PyResult<i64> {
    let number = device(number)?;
    Ok(if number == u64::MAX { -1 } else { half(paths::device_parts(number).0) })
}

fn minor(_: &Object, number: &Object) -> PyResult<i64> {
    let number = device(number)?;
    Ok(if number == u64::MAX { -1 } else { half(paths::device_parts(number).1) })
}

/// A half of a device number as an argument; -1 is taken as all ones.
fn half_arg(object: &Object) -> PyResult<u32> {
    let number = object.to_index()?;
    match number.to_i64() {
        Some(-1) => Ok(u32::MAX),
        Some(value) => match u32::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) if value < 0 => {
                Err(taipan_object::err::overflow_error("can't convert negative int to unsigned"))
            }
            Err(_) => {
                Err(taipan_object::err::overflow_error("Python int too large to convert to C unsigned int"))
            }
        },
        None => Err(taipan_object::err::overflow_error("Python int too large to convert to C unsigned int")),
    }
}

fn makedev(_: &Object, args: &Args<'_>) -> PyResult {
    let (major, minor) = (half_arg(args.required(0))?, half_arg(args.required(1))?);
    if major == u32::MAX && minor == u32::MAX {
        return Ok(Int::from_i64(-1).upcast());
    }
    Ok(Int::from_u64(paths::make_device(major, minor)).upcast())
}

/// The number of a configuration value: an int, or a name from the table.
fn configured(object: &Object, tables: &[taipan_os::constants::Table]) -> PyResult<i32> {
    if let Some(name) = object.downcast::<taipan_object::unicode::Str>() {
        let rows = tables.iter().flat_map(|table| table.iter());
        let found = rows.into_iter().find(|(known, _)| name.equals(known));
        return found
            .map(|&(_, number)| number as i32)
            .ok_or_else(|| taipan_object::err::value_error("unrecognized configuration name"));
    }
    if !taipan_object::protocol::has_index(object) {
        let text = "configuration names must be strings or integers";
        return Err(taipan_object::err::type_error(text));
    }
    int(object)
}

fn sysconf(_: &Object, name: &Object) -> PyResult<i64> {
    use taipan_os::constants::{SYSCONF, SYSCONF_OTHERS};
    ok(taipan_os::calls::sysconf(configured(name, &[SYSCONF, SYSCONF_OTHERS])?))
}

fn confstr(_: &Object, name: &Object) -> PyResult<Option<Ref>> {
    let number = configured(name, &[taipan_os::constants::CONFSTR])?;
    let found = ok(taipan_os::process::confstr(number))?;
    found.map(|text| Ok(taipan_object::system::fs_decode(&text)?.upcast())).transpose()
}

fn pathconf(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let path = Path::of("pathconf", "path", Some(args.required(0)), Also::Fd)?;
    let number = configured(args.required(1), &[taipan_os::constants::PATHCONF])?;
    match path.fd {
        Some(fd) => taipan_os::calls::fpathconf(fd, number),
        None => taipan_os::calls::pathconf(path.name(), number),
    }
    .map_err(|errno| path.error(errno))
}

fn fpathconf(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let fd = taipan_object::system::descriptor(args.required(0))?;
    let number = configured(args.required(1), &[taipan_os::constants::PATHCONF])?;
    taipan_os::calls::fpathconf(fd, number).map_err(os_error)
}

/// Makes the types ready and adds them.
pub fn add(module: &Module) -> PyResult<()> {
    STAT_RESULT.install_with(&[tp_new(new)], &[])?;
    STATVFS_RESULT.install()?;
    module.add("stat_result", &STAT_RESULT_TYPE)?;
    module.add("statvfs_result", &STATVFS_RESULT_TYPE)?;
    module.add_functions(METHODS)
}

taipan_object::methods! {
    static METHODS = {
        args "stat" "($module, /, path, *, dir_fd=None, follow_symlinks=True)" = stat, "The status of a file.\n\n  path\n    A name, or the descriptor of an open file.\n  dir_fd\n    The descriptor of a folder that a relative name starts from.\n  follow_symlinks\n    Whether a symbolic link stands for the file it points to.";
        args "lstat" "($module, /, path, *, dir_fd=None)" = lstat, "The status of a file, or of a symbolic link itself.";
        args "fstat" "($module, /, fd)" = fstat, "The status of an open file.";
        args "statvfs" "($module, /, path)" = statvfs, "The status of the file system that a file is on.";
        one "fstatvfs" "($module, fd, /)" = fstatvfs, "The status of the file system that an open file is on.";
        one "major" "($module, device, /)" = major, "The major number of a device.";
        one "minor" "($module, device, /)" = minor, "The minor number of a device.";
        args "makedev" "($module, major, minor, /)" = makedev, "The device of a major and a minor number.";
        one "sysconf" "($module, name, /)" = sysconf, "A number from the system's configuration.";
        one "confstr" "($module, name, /)" = confstr, "A text from the system's configuration.";
        args "pathconf" "($module, /, path, name)" = pathconf, "A limit that holds for a file.";
        args "fpathconf" "($module, fd, name, /)" = fpathconf, "A limit that holds for an open file.";
    }
}
