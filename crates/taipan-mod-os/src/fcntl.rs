//! `fcntl`: control of descriptors, and locks on files.

use crate::posix::convert::{int, int_or, offset, os_error, wait_ok};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::ModuleSpec;
use taipan_object::native::{Args, IntoPy};
use taipan_object::protocol::has_index;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::system::descriptor;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, abi, raise};
use taipan_os::{calls, constants, descriptors};

/// The longest buffer of `fcntl` and of a read-only `ioctl`.
const MOST: usize = 1024;

/// Commands of `fcntl` that set a lock, in the system's numbers.
const SET_LOCK: i32 = 6;
const SET_LOCK_WAIT: i32 = 7;
/// `LOCK_SH` and its kin.
const SHARED: i32 = 1;
const EXCLUSIVE: i32 = 2;
const NO_WAIT: i32 = 4;
const UNLOCK: i32 = 8;

#[cold]
fn wrong(function: &str, object: &Object) -> PyErr {
    raise!(
        PyExc_TypeError,
        "{function}() argument 3 must be an integer, a bytes-like object, or a string, not {}",
        object.ty().message_name()
    )
}

/// A C int whose bits may also be given as a large positive number.
fn bits(object: &Object) -> PyResult<i32> {
    let number = object.to_index()?;
    let value = number.to_i64().ok_or_else(|| overflow_error("Python int too large to convert to C long"))?;
    i32::try_from(value)
        .or_else(|_| u32::try_from(value).map(u32::cast_signed))
        .map_err(|_| overflow_error("Python int too large to convert to C int"))
}

/// The bytes of a `str` or buffer argument.
fn bytes(function: &str, object: &Object) -> PyResult<Vec<u8>> {
    if let Some(text) = object.downcast::<Str>() {
        return Ok(text.to_utf8()?.as_bytes().to_vec());
    }
    if has_buffer(object) {
        return Ok(Buffer::simple(object)?.to_vec());
    }
    Err(wrong(function, object))
}

fn fcntl(_: &Object, args: &Args<'_>) -> PyResult {
    let fd = descriptor(args.required(0))?;
    let command = int(args.required(1))?;
    let arg = match args.get(2) {
        None => 0,
        Some(object) if has_index(object) => bits(object)?,
        Some(object) => {
            let data = bytes("fcntl", object)?;
            if data.len() > MOST {
                return Err(value_error("fcntl argument 3 is too long"));
            }
            let mut buffer = [0; MOST];
            buffer[..data.len()].copy_from_slice(&data);
            wait_ok(|| descriptors::fcntl_buffer(fd, command, &mut buffer))?;
            return Ok(Bytes::new(&buffer[..data.len()])?.upcast());
        }
    };
    wait_ok(|| descriptors::fcntl(fd, command, arg))?.into_py()
}

fn ioctl(_: &Object, args: &Args<'_>) -> PyResult {
    let fd = descriptor(args.required(0))?;
    let request = args.required(1).to_i64_wrapping()?.cast_unsigned();
    let mutate = args.bool_or(3, true)?;
    let arg = match args.get(2) {
        None => 0,
        Some(object) if has_index(object) => bits(object)?,
        Some(object) => return ioctl_buffer(fd, request, object, mutate),
    };
    super::posix::convert::ok(super::posix::convert::released(|| descriptors::ioctl(fd, request, arg)))?
        .into_py()
}

fn ioctl_buffer(fd: i32, request: u64, object: &Object, mutate: bool) -> PyResult {
    let writable = if mutate { Buffer::get(object, abi::PyBUF_WRITABLE).ok() } else { None };
    let mut data = match &writable {
        Some(buffer) => buffer.to_vec(),
        None => bytes("ioctl", object)?,
    };
    if writable.is_none() && data.len() > MOST {
        return Err(value_error("ioctl argument 3 is too long"));
    }
    let result = super::posix::convert::released(|| descriptors::ioctl_buffer(fd, request, &mut data));
    let result = result.map_err(os_error)?;
    match writable {
        Some(buffer) => {
            buffer.write_at(0, &data);
            result.into_py()
        }
        None => Ok(Bytes::new(&data)?.upcast()),
    }
}

fn flock(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    let operation = int(args.required(1))?;
    wait_ok(|| calls::flock(fd, operation)).map(drop)
}

fn lockf(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    let operation = int(args.required(1))?;
    let kind = match operation {
        UNLOCK => descriptors::Lock::None,
        _ if operation & SHARED != 0 => descriptors::Lock::Shared,
        _ if operation & EXCLUSIVE != 0 => descriptors::Lock::Exclusive,
        _ => return Err(value_error("unrecognized lockf argument")),
    };
    let length = args.get(2).map_or(Ok(0), offset)?;
    let start = args.get(3).map_or(Ok(0), offset)?;
    let whence = int_or(args, 4, 0)?;
    let command = if operation & NO_WAIT != 0 { SET_LOCK } else { SET_LOCK_WAIT };
    wait_ok(|| descriptors::lock(fd, command, kind, (start, length), whence))
}

taipan_object::methods! {
    static METHODS = {
        args "fcntl" "($module, fd, cmd, arg=0, /)" = fcntl, "Control a descriptor.\n\n  arg\n    An int, or bytes that the system reads and may change; they are then given back.";
        args "ioctl" "($module, fd, request, arg=0, mutate_flag=True, /)" = ioctl, "Control a device.\n\n  arg\n    An int, or a buffer; one that can be written is changed in place unless mutate_flag is false.";
        args "flock" "($module, fd, operation, /)" = flock, "Lock or unlock a file.";
        args "lockf" "($module, fd, cmd, len=0, start=0, whence=0, /)" = lockf, "Lock or unlock a part of a file.";
    }
}

/// `fcntl`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "fcntl",
    doc: "Control of descriptors, and locks on files.",
    methods: METHODS,
    init: |module| {
        for &(name, number) in constants::FCNTL {
            module.add(name, &Int::from_i64(number))?;
        }
        Ok(())
    },
};
