//! `_socket`: what `socket` is made of.
//!
//! A socket with a time limit is non-blocking to the system: each operation first waits until the
//! descriptor is ready or the time is up. Sockets without a limit block in the system, outside the
//! interpreter lock.

mod address;
mod errors;
mod names;

use crate::posix::convert::{data, int, int_or, ok, os_error, released};
use address::{parse, show};
use core::cell::Cell;
use errors::{classes, plain_error, timed_out};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{memory_error, type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{
    Args, Native, Payload, Signature, TypeSpec, getset_row, native_new, tp_finalize, tp_init, tp_new, tp_repr,
};
use taipan_object::protocol::has_index;
use taipan_object::singletons::{bool_object, is_none};
use taipan_object::statics::{
    PyExc_OSError, PyExc_ResourceWarning, PyExc_TimeoutError, PyExc_TypeError, StaticType,
};
use taipan_object::system::waiting;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, abi, err, raise, state};
use taipan_os::net::Address;
use taipan_os::{Errno, calls, clock, constants, descriptors, net};

/// Numbers of errors that mean "not yet".
const AGAIN: Errno = 11;
const IN_PROGRESS: Errno = 115;
const IS_CONNECTED: Errno = 106;
const INTERRUPTED: Errno = 4;
const RESET: Errno = 104;
/// Options that tell a socket's own kind.
const SOL_SOCKET: i32 = 1;
const SO_ERROR: i32 = 4;
const SO_TYPE: i32 = 3;
const SO_PROTOCOL: i32 = 38;
/// `SOCK_NONBLOCK | SOCK_CLOEXEC`, which are no part of a socket's type.
const TYPE_FLAGS: i32 = 0o2_004_000;
/// Events of `poll`.
const READABLE: i16 = 1;
const WRITABLE: i16 = 4;

/// Nanoseconds; negative for none.
type Limit = i64;
const SECOND: i64 = 1_000_000_000;

/// A socket; the descriptor is -1 once it is closed.
pub struct Socket {
    fd: Cell<i32>,
    family: Cell<i32>,
    kind: Cell<i32>,
    protocol: Cell<i32>,
    limit: Cell<Limit>,
}

/// The type object.
pub static SOCKET: StaticType =
    StaticType::native(c"_socket.socket", Native::<Socket>::SIZE, abi::Py_TPFLAGS_BASETYPE);

impl Payload for Socket {
    const TYPE: &'static StaticType = &SOCKET;
}

type View = Native<Socket>;

/// The limit that new sockets get.
struct DefaultLimit(Cell<Limit>);

fn default_limit() -> &'static Cell<Limit> {
    &state::interp().extension(|| DefaultLimit(Cell::new(-1))).0
}

/// A time limit in seconds; `None` for none.
fn limit_arg(object: &Object) -> PyResult<Limit> {
    if is_none(object) {
        return Ok(-1);
    }
    let out_of_range = || value_error("Timeout value out of range");
    let nanos = if let Some(float) = object.downcast::<Float>() {
        let value = float.value();
        if value.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        let nanos = (value * 1e9).ceil();
        if nanos >= 9.2e18 {
            return Err(err::overflow_error("timestamp out of range for C PyTime_t"));
        }
        nanos as i64
    } else if has_index(object) {
        let nanos = object.to_index()?.to_i64().and_then(|n| n.checked_mul(SECOND));
        nanos.ok_or_else(|| err::overflow_error("timestamp out of range for C PyTime_t"))?
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "'{}' object cannot be interpreted as an integer or float",
            object.ty().message_name()
        ));
    };
    if nanos < 0 { Err(out_of_range()) } else { Ok(nanos) }
}

fn show_limit(limit: Limit) -> Option<f64> {
    (limit >= 0).then(|| limit as f64 / 1e9)
}

fn now() -> Result<i64, Errno> {
    let (seconds, rest) = clock::time(clock::MONOTONIC)?;
    Ok(seconds * SECOND + rest)
}

impl Socket {
    /// Waits for an event until the end of the time; false when it ran out.
    fn ready(&self, event: i16, end: i64) -> PyResult<bool> {
        let fd = self.fd.get();
        if fd < 0 {
            return Ok(true);
        }
        let ready = waiting(|| {
            let left = (end - now()?).max(0);
            let millis =
                i32::try_from(left / 1_000_000 + i64::from(left % 1_000_000 != 0)).unwrap_or(i32::MAX);
            descriptors::poll(&mut [(fd, event, 0)], millis)
        })?;
        ready.map(|count| count > 0).map_err(os_error)
    }

    /// When the time of an operation that begins now is up.
    fn end(&self) -> PyResult<Option<i64>> {
        match self.limit.get() {
            limit if limit > 0 => Ok(Some(ok(now())?.saturating_add(limit))),
            _ => Ok(None),
        }
    }

    /// Makes a call within the socket's time.
    fn call<T>(&self, event: i16, call: impl FnMut() -> Result<T, Errno>) -> PyResult<T> {
        let end = self.end()?;
        self.call_until(event, end, call)
    }

    fn call_until<T>(
        &self,
        event: i16,
        end: Option<i64>,
        mut call: impl FnMut() -> Result<T, Errno>,
    ) -> PyResult<T> {
        loop {
            if let Some(end) = end
                && !self.ready(event, end)?
            {
                return Err(timed_out());
            }
            match waiting(&mut call)? {
                // Somebody else was quicker: wait anew.
                Err(AGAIN) if end.is_some() => {}
                done => return done.map_err(os_error),
            }
        }
    }

    fn close(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd < 0 {
            return Ok(());
        }
        // A connection that the other side has reset is closed all the same.
        match released(|| calls::close(fd)) {
            Ok(_) | Err(RESET) => Ok(()),
            Err(errno) => Err(os_error(errno)),
        }
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref<View>> {
    native_new(
        ty,
        Socket {
            fd: Cell::new(-1),
            family: Cell::new(0),
            kind: Cell::new(0),
            protocol: Cell::new(0),
            limit: Cell::new(-1),
        },
    )
}

fn init_socket(socket: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    static SIGNATURE: Signature = Signature::parse("socket", "(family=-1, type=-1, proto=-1, fileno=None)");
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let (family, kind, protocol) = (int_or(&bound, 0, -1)?, int_or(&bound, 1, -1)?, int_or(&bound, 2, -1)?);
    let fd = match bound.get_some(3) {
        Some(object) => {
            let fd = int(object)?;
            if fd < 0 {
                return Err(value_error("negative file descriptor"));
            }
            adopt(socket, fd, (family, kind, protocol))?;
            fd
        }
        None => {
            let family = if family == -1 { net::INET } else { family };
            let kind = if kind == -1 { 1 } else { kind };
            let protocol = if protocol == -1 { 0 } else { protocol };
            let fd = ok(released(|| net::socket(family, kind, protocol)))?;
            set_kind(socket, family, kind, protocol);
            fd
        }
    };
    begin(socket, fd, socket.kind.get())
}

fn set_kind(socket: &Socket, family: i32, kind: i32, protocol: i32) {
    socket.family.set(family);
    socket.kind.set(kind);
    socket.protocol.set(protocol);
}

/// Takes over a descriptor; what was not told of it is asked.
fn adopt(socket: &Socket, fd: i32, (family, kind, protocol): (i32, i32, i32)) -> PyResult<()> {
    let address = ok(net::own_address(fd))?;
    let family = match (family, address) {
        (-1, Address::V4(..)) => net::INET,
        (-1, Address::V6 { .. }) => net::INET6,
        (-1, Address::Unix(_)) => net::UNIX,
        (-1, Address::Other(family, _)) => family,
        (-1, Address::None) => 0,
        (family, _) => family,
    };
    let kind = if kind == -1 { ok(net::option_int(fd, SOL_SOCKET, SO_TYPE))? } else { kind };
    let protocol = if protocol == -1 { ok(net::option_int(fd, SOL_SOCKET, SO_PROTOCOL))? } else { protocol };
    set_kind(socket, family, kind, protocol);
    Ok(())
}

/// Gives the socket its descriptor and the limit of new sockets.
fn begin(socket: &Socket, fd: i32, kind: i32) -> PyResult<()> {
    socket.kind.set(kind & !TYPE_FLAGS);
    let old = socket.fd.replace(fd);
    if old >= 0 && old != fd {
        // An object that is set up anew gives its old descriptor up.
        let _ = calls::close(old);
    }
    if kind & TYPE_FLAGS & 0o4000 != 0 {
        socket.limit.set(0);
        return Ok(());
    }
    let limit = default_limit().get();
    socket.limit.set(limit);
    if limit >= 0 { ok(descriptors::set_blocking(fd, false)) } else { Ok(()) }
}

fn accept(socket: &View) -> PyResult<Ref<Tuple>> {
    let fd = socket.fd.get();
    let (new, address) = socket.call(READABLE, || net::accept(fd))?;
    let shown = show(&address);
    if shown.is_err() {
        let _ = calls::close(new);
    }
    Tuple::from_array([Int::from_i64(new.into()).upcast(), shown?])
}

fn bind(socket: &View, address: &Object) -> PyResult<()> {
    let address = parse(address, socket.family.get(), "bind")?;
    let fd = socket.fd.get();
    ok(released(|| net::bind(fd, &address)))
}

/// Connects; gives the error number, or an exception when the time ran out.
fn do_connect(socket: &View, address: &Address) -> PyResult<Result<(), Errno>> {
    let fd = socket.fd.get();
    let errno = match released(|| net::connect(fd, address)) {
        Ok(()) => return Ok(Ok(())),
        Err(errno) => errno,
    };
    if errno == INTERRUPTED {
        (state::interp().hooks.get().check_signals)()?;
    }
    // The connection goes on being made: wait for it, unless the socket is not to wait.
    let wait = match socket.limit.get() {
        limit if limit > 0 => errno == IN_PROGRESS || errno == INTERRUPTED,
        limit => limit < 0 && errno == INTERRUPTED,
    };
    if !wait {
        return Ok(Err(errno));
    }
    let end = socket.end()?.unwrap_or(i64::MAX);
    if !socket.ready(WRITABLE, end)? {
        return Err(timed_out());
    }
    Ok(match net::option_int(fd, SOL_SOCKET, SO_ERROR) {
        Ok(0 | IS_CONNECTED) => Ok(()),
        Ok(errno) | Err(errno) => Err(errno),
    })
}

fn connect(socket: &View, address: &Object) -> PyResult<()> {
    let address = parse(address, socket.family.get(), "connect")?;
    do_connect(socket, &address)?.map_err(os_error)
}

fn connect_ex(socket: &View, address: &Object) -> PyResult<i32> {
    let address = parse(address, socket.family.get(), "connect_ex")?;
    match do_connect(socket, &address) {
        Ok(done) => Ok(done.err().unwrap_or(0)),
        Err(error) if error.is(&PyExc_TimeoutError) => Ok(AGAIN),
        Err(error) => Err(error),
    }
}

fn close(socket: &View) -> PyResult<()> {
    socket.close()
}

fn detach(socket: &View) -> i32 {
    socket.fd.replace(-1)
}

fn fileno(socket: &View) -> i32 {
    socket.fd.get()
}

fn getsockname(socket: &View) -> PyResult {
    let fd = socket.fd.get();
    show(&ok(released(|| net::own_address(fd)))?)
}

fn getpeername(socket: &View) -> PyResult {
    let fd = socket.fd.get();
    show(&ok(released(|| net::peer_address(fd)))?)
}

/// Arguments of the methods without a signature that Python can see.
fn counted(name: &str, args: &[&Object], low: usize, high: usize) -> PyResult<()> {
    if (low..=high).contains(&args.len()) {
        return Ok(());
    }
    let bound = if low == high {
        format!("exactly {low}")
    } else if args.len() < low {
        format!("at least {low}")
    } else {
        format!("at most {high}")
    };
    let plural = if bound.ends_with(" 1") { "" } else { "s" };
    Err(raise!(PyExc_TypeError, "{name}() takes {bound} argument{plural} ({} given)", args.len()))
}

fn getsockopt(socket: &View, args: &[&Object]) -> PyResult {
    counted("getsockopt", args, 2, 3)?;
    let (level, name) = (args[0].to_i32()?, args[1].to_i32()?);
    let size = args.get(2).map_or(Ok(0), |object| object.to_i32())?;
    let fd = socket.fd.get();
    if size == 0 {
        return Ok(Int::from_i64(ok(net::option_int(fd, level, name))?.into()).upcast());
    }
    let Some(size) = usize::try_from(size).ok().filter(|&size| size <= 1024) else {
        return Err(plain_error("getsockopt buflen out of range"));
    };
    let mut buffer = vec![0; size];
    let length = ok(net::option(fd, level, name, &mut buffer))?;
    Ok(Bytes::new(&buffer[..length.min(size)])?.upcast())
}

fn setsockopt(socket: &View, args: &[&Object]) -> PyResult<()> {
    if args.len() != 4 {
        counted("setsockopt", args, 3, 3)?;
    }
    let (level, name, value) = (args[0].to_i32()?, args[1].to_i32()?, args[2]);
    let fd = socket.fd.get();
    if let Some(length) = args.get(3) {
        let length = usize::try_from(length.to_i32()?).map_err(|_| type_error("negative optlen"))?;
        if !is_none(value) {
            return Err(raise!(
                PyExc_TypeError,
                "setsockopt() argument 3 must be None, not {}",
                value.ty().message_name()
            ));
        }
        return ok(net::set_option(fd, level, name, None, length));
    }
    let bytes =
        if value.downcast::<Int>().is_some() { value.to_i32()?.to_ne_bytes().to_vec() } else { data(value)? };
    ok(net::set_option(fd, level, name, Some(&bytes), 0))
}

fn listen(socket: &View, args: &[&Object]) -> PyResult<()> {
    counted("listen", args, 0, 1)?;
    let backlog = args.first().map_or(Ok(128), |object| object.to_i32())?.max(0);
    let fd = socket.fd.get();
    ok(released(|| calls::listen(fd, backlog))).map(drop)
}

/// Room for what is received.
fn room(size: isize, function: &str) -> PyResult<Vec<u8>> {
    let size =
        usize::try_from(size).map_err(|_| value_error(&format!("negative buffersize in {function}")))?;
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(size).map_err(|_| memory_error())?;
    buffer.resize(size, 0);
    Ok(buffer)
}

fn flags(args: &[&Object], place: usize) -> PyResult<i32> {
    args.get(place).map_or(Ok(0), |object| object.to_i32())
}

fn recv(socket: &View, args: &[&Object]) -> PyResult<Ref<Bytes>> {
    counted("recv", args, 1, 2)?;
    let (size, flags) = (args[0].to_isize()?, flags(args, 1)?);
    let mut buffer = room(size, "recv")?;
    if buffer.is_empty() {
        return Bytes::new(b"");
    }
    let fd = socket.fd.get();
    let count = socket.call(READABLE, || net::receive(fd, &mut buffer, flags))?;
    Bytes::new(&buffer[..count])
}

fn recvfrom(socket: &View, args: &[&Object]) -> PyResult<Ref<Tuple>> {
    counted("recvfrom", args, 1, 2)?;
    let (size, flags) = (args[0].to_isize()?, flags(args, 1)?);
    let mut buffer = room(size, "recvfrom")?;
    let fd = socket.fd.get();
    let (count, from) = socket.call(READABLE, || net::receive_from(fd, &mut buffer, flags))?;
    Tuple::from_array([Bytes::new(&buffer[..count])?.upcast(), show(&from)?])
}

/// The buffer, its wanted length and the flags of the `_into` methods.
fn into_args(function: &str, args: &Args<'_>) -> PyResult<(Buffer, Vec<u8>, i32)> {
    let target = Buffer::get(args.required(0), abi::PyBUF_WRITABLE).map_err(|_| {
        raise!(
            PyExc_TypeError,
            "{function}() argument 1 must be read-write bytes-like object, not {}",
            args.required(0).ty().message_name()
        )
    })?;
    let size = args.isize_or(1, 0)?;
    let flags = args.i32_or(2, 0)?;
    let there = target.as_slice().len();
    let size =
        usize::try_from(size).map_err(|_| value_error(&format!("negative buffersize in {function}")))?;
    if size > there {
        return Err(value_error(if function == "recv_into" {
            "buffer too small for requested bytes"
        } else {
            "nbytes is greater than the length of the buffer"
        }));
    }
    let size = if size == 0 { there } else { size };
    Ok((target, vec![0; size], flags))
}

fn recv_into(socket: &View, args: &Args<'_>) -> PyResult<usize> {
    let (target, mut buffer, flags) = into_args("recv_into", args)?;
    if buffer.is_empty() {
        return Ok(0);
    }
    let fd = socket.fd.get();
    let count = socket.call(READABLE, || net::receive(fd, &mut buffer, flags))?;
    target.write_at(0, &buffer[..count]);
    Ok(count)
}

fn recvfrom_into(socket: &View, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let (target, mut buffer, flags) = into_args("recvfrom_into", args)?;
    let fd = socket.fd.get();
    let (count, from) = socket.call(READABLE, || net::receive_from(fd, &mut buffer, flags))?;
    target.write_at(0, &buffer[..count]);
    Tuple::from_array([Int::from_usize(count).upcast(), show(&from)?])
}

fn send(socket: &View, args: &[&Object]) -> PyResult<usize> {
    counted("send", args, 1, 2)?;
    let (bytes, flags) = (data(args[0])?, flags(args, 1)?);
    let fd = socket.fd.get();
    socket.call(WRITABLE, || net::send(fd, &bytes, flags))
}

fn sendall(socket: &View, args: &[&Object]) -> PyResult<()> {
    counted("sendall", args, 1, 2)?;
    let (bytes, flags) = (data(args[0])?, flags(args, 1)?);
    let fd = socket.fd.get();
    // One limit for all of it.
    let end = socket.end()?;
    let mut rest = bytes.as_slice();
    loop {
        let sent = socket.call_until(WRITABLE, end, || net::send(fd, rest, flags))?;
        rest = &rest[sent.min(rest.len())..];
        if rest.is_empty() {
            return Ok(());
        }
        (state::interp().hooks.get().check_signals)()?;
    }
}

fn sendto(socket: &View, args: &[&Object]) -> PyResult<usize> {
    let (bytes, flags, to) = match *args {
        [bytes, to] => (data(bytes)?, 0, to),
        [bytes, flags, to] => (data(bytes)?, flags.to_i32()?, to),
        _ => {
            return Err(raise!(PyExc_TypeError, "sendto() takes 2 or 3 arguments ({} given)", args.len()));
        }
    };
    let to = parse(to, socket.family.get(), "sendto")?;
    let fd = socket.fd.get();
    socket.call(WRITABLE, || net::send_to(fd, &bytes, flags, &to))
}

fn set_limit(socket: &Socket, limit: Limit) -> PyResult<()> {
    socket.limit.set(limit);
    let fd = socket.fd.get();
    ok(released(|| descriptors::set_blocking(fd, limit < 0)))
}

fn setblocking(socket: &View, wait: &Object) -> PyResult<()> {
    set_limit(socket, if wait.is_true()? { -1 } else { 0 })
}

fn getblocking(socket: &View) -> bool {
    socket.limit.get() != 0
}

fn settimeout(socket: &View, limit: &Object) -> PyResult<()> {
    set_limit(socket, limit_arg(limit)?)
}

fn gettimeout(socket: &View) -> Option<f64> {
    show_limit(socket.limit.get())
}

fn shutdown(socket: &View, how: &Object) -> PyResult<()> {
    let how = int(how)?;
    let fd = socket.fd.get();
    ok(released(|| calls::shutdown(fd, how))).map(drop)
}

fn family(socket: &View) -> i32 {
    socket.family.get()
}

fn kind(socket: &View) -> i32 {
    socket.kind.get()
}

fn protocol(socket: &View) -> i32 {
    socket.protocol.get()
}

fn repr(socket: &View) -> String {
    format!(
        "<socket object, fd={}, family={}, type={}, proto={}>",
        socket.fd.get(),
        socket.family.get(),
        socket.kind.get(),
        socket.protocol.get()
    )
}

fn finalize(socket: &View) {
    if socket.fd.get() < 0 {
        return;
    }
    let text = socket.object().repr().map(|text| format!("unclosed {}", text.to_lossy()));
    let warned = text.and_then(|text| (state::interp().hooks.get().warn)(&PyExc_ResourceWarning, &text, 1));
    if let Err(error) = warned
        && error.is(&taipan_object::statics::PyExc_Warning)
    {
        err::write_unraisable_at(error, "Exception ignored while finalizing socket", socket.object());
    }
    // An object that nobody holds any more has nobody to be told.
    let _ = socket.close();
}

taipan_object::methods! {
    static SOCKET_METHODS = {
        noargs "_accept" "($self, /)" = accept, "Wait for a connection: (descriptor, address).";
        one "bind" "($self, object, /)" = bind, "Give the socket an address.";
        noargs "close" "($self, /)" = close, "Close the socket.";
        one "connect" "($self, object, /)" = connect, "Connect the socket to an address.";
        one "connect_ex" "($self, object, /)" = connect_ex, "Connect, and give an error number in place of an exception.";
        noargs "detach" "($self, /)" = detach, "Close the object but not the descriptor, which is given.";
        noargs "fileno" "($self, /)" = fileno, "The descriptor, -1 once it is closed.";
        noargs "getpeername" "($self, /)" = getpeername, "The address that the socket is connected to.";
        noargs "getsockname" "($self, /)" = getsockname, "The socket's own address.";
        many "getsockopt" "" = getsockopt, "getsockopt(level, option[, buffersize]) -> value\n\nThe value of an option: an int, or with a size bytes.";
        noargs "gettimeout" "($self, /)" = gettimeout, "The time limit in seconds, None for none.";
        many "listen" "" = listen, "listen([backlog])\n\nLet others connect.";
        many "recv" "" = recv, "recv(buffersize[, flags]) -> bytes\n\nReceive; no bytes at the end of the connection.";
        args "recv_into" "($self, buffer, nbytes=0, flags=0)" = recv_into, "Receive into a buffer; gives how many bytes.";
        many "recvfrom" "" = recvfrom, "recvfrom(buffersize[, flags]) -> (bytes, address)\n\nReceive, and tell from where.";
        args "recvfrom_into" "($self, buffer, nbytes=0, flags=0)" = recvfrom_into, "Receive into a buffer; gives how many bytes and from where.";
        many "send" "" = send, "send(data[, flags]) -> count\n\nSend; gives how many bytes.";
        many "sendall" "" = sendall, "sendall(data[, flags])\n\nSend all.";
        many "sendto" "" = sendto, "sendto(data[, flags], address) -> count\n\nSend to an address; gives how many bytes.";
        one "setblocking" "($self, object, /)" = setblocking, "Set whether operations wait.";
        noargs "getblocking" "($self, /)" = getblocking, "Whether operations wait.";
        one "settimeout" "($self, object, /)" = settimeout, "Set the time limit in seconds, None for none.";
        many "setsockopt" "" = setsockopt, "setsockopt(level, option, value)\n\nSet an option to an int, to bytes or, with a length as fourth argument, to None.";
        one "shutdown" "($self, object, /)" = shutdown, "End reading, writing or both.";
    }
}

static SOCKET_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"socket(family=AF_INET, type=SOCK_STREAM, proto=0, fileno=None) -> socket\n\nAn end of a connection."),
    slots: &[View::DEALLOC, tp_new(new), tp_init(init_socket), tp_repr(repr), tp_finalize(finalize)],
    methods: SOCKET_METHODS,
    getset: &[
        getset_row(c"family", family, c"the socket family"),
        getset_row(c"type", kind, c"the socket type"),
        getset_row(c"proto", protocol, c"the socket protocol"),
        getset_row(c"timeout", gettimeout, c"the socket timeout"),
    ],
    ..TypeSpec::new(&SOCKET)
};

fn socketpair(_: &Object, args: &[&Object]) -> PyResult<Ref<Tuple>> {
    counted("socketpair", args, 0, 3)?;
    let number = |place: usize, default: i32| args.get(place).map_or(Ok(default), |object| object.to_i32());
    let (family, kind, protocol) = (number(0, net::UNIX)?, number(1, 1)?, number(2, 0)?);
    let (a, b) = ok(net::pair(family, kind, protocol))?;
    let make = |fd: i32| -> PyResult {
        let socket = new(&SOCKET, &Tuple::empty(), None)?;
        set_kind(&socket, family, kind, protocol);
        begin(&socket, fd, kind)?;
        Ok(socket.upcast())
    };
    let first = make(a);
    let second = make(b);
    Tuple::from_array([first?, second?])
}

fn close_fd(_: &Object, fd: &Object) -> PyResult<()> {
    let fd = int(fd)?;
    match released(|| calls::close(fd)) {
        Ok(_) | Err(RESET) => Ok(()),
        Err(errno) => Err(os_error(errno)),
    }
}

fn dup(_: &Object, fd: &Object) -> PyResult<i32> {
    ok(descriptors::dup(int(fd)?))
}

fn getdefaulttimeout(_: &Object) -> Option<f64> {
    show_limit(default_limit().get())
}

fn setdefaulttimeout(_: &Object, limit: &Object) -> PyResult<()> {
    default_limit().set(limit_arg(limit)?);
    Ok(())
}

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in constants::SOCKET {
        module.add(name, &Int::from_i64(number))?;
    }
    for (name, text) in [("BDADDR_ANY", "00:00:00:00:00:00"), ("BDADDR_LOCAL", "00:00:00:FF:FF:FF")] {
        module.add(name, &*Str::from_utf8(text)?)?;
    }
    module.add("has_ipv6", bool_object(true))?;
    if !SOCKET.has_flag(abi::Py_TPFLAGS_READY) {
        taipan_object::typeobject::install(&SOCKET_SPEC)?;
    }
    module.add("socket", &SOCKET)?;
    module.add("SocketType", &SOCKET)?;
    module.add("error", &PyExc_OSError)?;
    module.add("timeout", &PyExc_TimeoutError)?;
    let classes = classes()?;
    module.add("gaierror", &classes.gai)?;
    module.add("herror", &classes.host)?;
    module.add_functions(names::METHODS)
}

taipan_object::methods! {
    static METHODS = {
        many "socketpair" "" = socketpair, "socketpair([family[, type[, proto]]]) -> (socket, socket)\n\nTwo sockets connected with each other.";
        one "close" "($module, fd, /)" = close_fd, "Close a socket's descriptor.";
        one "dup" "($module, fd, /)" = dup, "A copy of a socket's descriptor.";
        noargs "getdefaulttimeout" "($module, /)" = getdefaulttimeout, "The time limit of new sockets in seconds, None for none.";
        one "setdefaulttimeout" "($module, timeout, /)" = setdefaulttimeout, "Set the time limit of new sockets.";
    }
}

/// `_socket`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_socket",
    doc: "Sockets; programs use them through the module socket.",
    methods: METHODS,
    init,
};
