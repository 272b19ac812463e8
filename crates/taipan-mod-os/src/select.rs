//! `select`: waiting for descriptors by `select`, `poll` and `epoll`.

use crate::posix::convert::{int, ok, os_error};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::err::{key_error, overflow_error, runtime_error, type_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{
    Args, Native, Payload, Signature, TypeSpec, getset_row, native_new, tp_finalize, tp_new,
};
use taipan_object::protocol::{has_index, to_vec};
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_OSError, StaticType};
use taipan_object::system::{descriptor, waiting};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, abi};
use taipan_os::{calls, clock, constants, descriptors};

/// Nanoseconds.
type Nanos = i64;
const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
/// `EBADF`.
const BAD_FD: i32 = 9;

/// A time to wait in units of so many nanoseconds, rounded up; `None` for ever.
fn timeout(object: Option<&Object>, unit: i64, wrong: &str) -> PyResult<Option<Nanos>> {
    let Some(object) = object.filter(|object| !is_none(object)) else { return Ok(None) };
    let too_large = || overflow_error("timeout is too large");
    if let Some(float) = object.downcast::<Float>() {
        let value = float.value() * unit as f64;
        if value.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        let nanos = if value < 0.0 { value.floor() } else { value.ceil() };
        if !(-9.2e18..9.2e18).contains(&nanos) {
            return Err(too_large());
        }
        return Ok(Some(nanos as i64));
    }
    if !has_index(object) {
        return Err(type_error(wrong));
    }
    let number = object.to_index()?.to_i64().and_then(|n| n.checked_mul(unit));
    number.map(Some).ok_or_else(too_large)
}

fn now() -> PyResult<Nanos> {
    let (seconds, rest) = ok(clock::time(clock::MONOTONIC))?;
    Ok(seconds * SECOND + rest)
}

/// Makes a call that waits, with what is left of the time each time a signal interrupted it.
fn wait<T>(limit: Option<Nanos>, mut call: impl FnMut(Option<Nanos>) -> Result<T, i32>) -> PyResult<T> {
    let end = match limit {
        Some(limit) if limit > 0 => Some(now()?.saturating_add(limit)),
        _ => None,
    };
    let mut first = true;
    let done = waiting(|| {
        let left = match (limit, end) {
            (Some(_), Some(end)) if !first => {
                let (seconds, rest) = clock::time(clock::MONOTONIC)?;
                Some((end - (seconds * SECOND + rest)).max(0))
            }
            _ => limit,
        };
        first = false;
        call(left)
    })?;
    done.map_err(os_error)
}

/// Nanoseconds as milliseconds for the system, rounded up; -1 for ever.
fn milliseconds(nanos: Option<Nanos>) -> i32 {
    match nanos {
        Some(nanos) if nanos >= 0 => {
            i32::try_from(nanos / MILLISECOND + i64::from(nanos % MILLISECOND != 0)).unwrap_or(i32::MAX)
        }
        _ => -1,
    }
}

/// The objects of one of the three arguments with their descriptors.
fn objects(object: &Object) -> PyResult<Vec<(Ref, i32)>> {
    let items = to_vec(object).map_err(|error| {
        let wrong = error.is(&taipan_object::statics::PyExc_TypeError);
        if wrong { type_error("arguments 1-3 must be sequences") } else { error }
    })?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let fd = descriptor(&item)?;
        if fd >= descriptors::SETSIZE {
            return Err(value_error("filedescriptor out of range in select()"));
        }
        all.push((item, fd));
    }
    Ok(all)
}

fn select(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let limit = timeout(args.get(3), SECOND, "timeout must be a float or None")?;
    if limit.is_some_and(|limit| limit < 0) {
        return Err(value_error("timeout must be non-negative"));
    }
    let wanted = [objects(args.required(0))?, objects(args.required(1))?, objects(args.required(2))?];
    let ready = wait(limit, |left| {
        let mut sets = [0, 1, 2].map(|index: usize| wanted_fds(&wanted[index]));
        // The system counts microseconds.
        let time = left.map(|left| {
            let micros = left / 1000 + i64::from(left % 1000 != 0);
            (micros / 1_000_000, micros % 1_000_000)
        });
        descriptors::select(&mut sets, time).map(|()| sets)
    })?;
    let mut lists = Vec::with_capacity(3);
    for (wanted, ready) in wanted.iter().zip(&ready) {
        let found = wanted.iter().filter(|(_, fd)| ready.contains(fd)).map(|(object, _)| object.clone());
        lists.push(List::from_vec(found.collect())?.upcast());
    }
    Tuple::from_vec(lists)
}

fn wanted_fds(wanted: &[(Ref, i32)]) -> Vec<i32> {
    wanted.iter().map(|&(_, fd)| fd).collect()
}

fn pair(fd: i32, events: u32) -> PyResult<Ref> {
    let numbers = [Int::from_i64(fd.into()).upcast(), Int::from_i64(events.into()).upcast()];
    Ok(Tuple::from_array(numbers)?.upcast())
}

/// `select.poll` objects: what is watched, in the order in which it was registered.
struct Poll {
    watched: RefCell<Vec<(i32, i16)>>,
    running: Cell<bool>,
}

static POLL: StaticType =
    StaticType::native(c"select.poll", Native::<Poll>::SIZE, abi::Py_TPFLAGS_DISALLOW_INSTANTIATION);

impl Payload for Poll {
    const TYPE: &'static StaticType = &POLL;
}

type PollView = Native<Poll>;

fn poll(_: &Object) -> PyResult<Ref<PollView>> {
    native_new(&POLL, Poll { watched: RefCell::default(), running: Cell::new(false) })
}

/// An event mask of 16 bits.
fn mask(object: Option<&Object>, default: u16) -> PyResult<i16> {
    let Some(object) = object else { return Ok(default.cast_signed()) };
    let number = object.to_index()?;
    if number.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    let value = number.to_u64().and_then(|n| u16::try_from(n).ok());
    value.map(u16::cast_signed).ok_or_else(|| overflow_error("Python int too large for C unsigned short"))
}

fn poll_register(poll: &PollView, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    let events = mask(args.get(1), 7)?;
    let mut watched = poll.watched.borrow_mut();
    match watched.iter_mut().find(|(known, _)| *known == fd) {
        Some(row) => row.1 = events,
        None => watched.push((fd, events)),
    }
    Ok(())
}

fn poll_modify(poll: &PollView, args: &Args<'_>) -> PyResult<()> {
    let fd = descriptor(args.required(0))?;
    let events = mask(args.get(1), 7)?;
    match poll.watched.borrow_mut().iter_mut().find(|(known, _)| *known == fd) {
        Some(row) => row.1 = events,
        None => return Err(os_error(2)),
    }
    Ok(())
}

fn poll_unregister(poll: &PollView, fd: &Object) -> PyResult<()> {
    let fd = descriptor(fd)?;
    let mut watched = poll.watched.borrow_mut();
    match watched.iter().position(|&(known, _)| known == fd) {
        Some(place) => drop(watched.remove(place)),
        None => return Err(key_error(&Int::from_i64(fd.into()))),
    }
    Ok(())
}

fn poll_poll(poll: &PollView, args: &Args<'_>) -> PyResult<Ref<List>> {
    let limit = timeout(args.get(0), MILLISECOND, "timeout must be an integer or None")?;
    if limit.is_some_and(|limit| limit / MILLISECOND >= i64::from(i32::MAX)) {
        return Err(overflow_error("timeout is too large"));
    }
    if poll.running.replace(true) {
        return Err(runtime_error("concurrent poll() invocation"));
    }
    let mut rows: Vec<descriptors::Watched> =
        poll.watched.borrow().iter().map(|&(fd, events)| (fd, events, 0)).collect();
    let limit = limit.filter(|&limit| limit >= 0);
    let done = wait(limit, |left| descriptors::poll(&mut rows, milliseconds(left)));
    poll.running.set(false);
    done?;
    let list = List::new()?;
    for (fd, _, seen) in rows {
        if seen != 0 {
            list.append(pair(fd, u32::from(seen.cast_unsigned()))?)?;
        }
    }
    Ok(list)
}

taipan_object::methods! {
    static POLL_METHODS = {
        args "register" "($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)" = poll_register, "Watch a descriptor for these events.";
        args "modify" "($self, fd, eventmask, /)" = poll_modify, "Watch a descriptor for other events.";
        one "unregister" "($self, fd, /)" = poll_unregister, "Watch a descriptor no more.";
        args "poll" "($self, timeout=None, /)" = poll_poll, "Wait for events: a list of (descriptor, events).\n\n  timeout\n    The most milliseconds to wait; for ever without it or if it is negative.";
    }
}

static POLL_SPEC: TypeSpec =
    TypeSpec { slots: &[PollView::DEALLOC], methods: POLL_METHODS, ..TypeSpec::new(&POLL) };

/// `select.epoll` objects; the descriptor is -1 once it is closed.
struct Epoll(Cell<i32>);

static EPOLL: StaticType = StaticType::native(c"select.epoll", Native::<Epoll>::SIZE, 0);

impl Payload for Epoll {
    const TYPE: &'static StaticType = &EPOLL;
}

type EpollView = Native<Epoll>;

#[cold]
fn closed() -> PyErr {
    value_error("I/O operation on closed epoll object")
}

impl Epoll {
    fn fd(&self) -> PyResult<i32> {
        match self.0.get() {
            fd if fd < 0 => Err(closed()),
            fd => Ok(fd),
        }
    }

    fn close(&self) -> PyResult<()> {
        let fd = self.0.replace(-1);
        if fd < 0 {
            return Ok(());
        }
        ok(crate::posix::convert::released(|| calls::close(fd))).map(drop)
    }
}

fn epoll_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<EpollView>> {
    static SIGNATURE: Signature = Signature::parse("epoll", "(sizehint=-1, flags=0)");
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let hint = bound.get(0).map_or(Ok(-1), int)?;
    if hint != -1 && hint <= 0 {
        return Err(value_error("negative sizehint"));
    }
    let flags = bound.get(1).map_or(Ok(0), int)?;
    if flags != 0 && flags != descriptors::CLOEXEC {
        return Err(PyErr::new(&PyExc_OSError, "invalid flags"));
    }
    let fd = ok(calls::epoll_create1(descriptors::CLOEXEC))?;
    native_new(ty, Epoll(Cell::new(fd)))
}

fn epoll_fromfd(class: &Type, fd: &Object) -> PyResult<Ref<EpollView>> {
    native_new(class, Epoll(Cell::new(int(fd)?)))
}

/// Operations of `epoll_ctl`.
const ADD: i32 = 1;
const DELETE: i32 = 2;
const MODIFY: i32 = 3;

fn epoll_change(epoll: &EpollView, operation: i32, fd: &Object, events: Option<&Object>) -> PyResult<()> {
    let own = epoll.fd()?;
    let fd = descriptor(fd)?;
    let events = match events {
        None => 7,
        Some(object) => {
            let number = object.to_index()?;
            if number.is_negative() {
                return Err(value_error("Cannot convert negative int"));
            }
            let value = number.to_u64().and_then(|n| u32::try_from(n).ok());
            value.ok_or_else(|| overflow_error("Python int too large for C unsigned int"))?
        }
    };
    match crate::posix::convert::released(|| descriptors::epoll_ctl(own, operation, fd, events)) {
        // A descriptor that is closed is watched no more by itself.
        Err(BAD_FD) if operation == DELETE && calls::lseek(fd, 0, 1) == Err(BAD_FD) => Err(os_error(BAD_FD)),
        done => ok(done),
    }
}

fn epoll_register(epoll: &EpollView, args: &Args<'_>) -> PyResult<()> {
    epoll_change(epoll, ADD, args.required(0), args.get(1))
}

fn epoll_modify(epoll: &EpollView, args: &Args<'_>) -> PyResult<()> {
    epoll_change(epoll, MODIFY, args.required(0), Some(args.required(1)))
}

fn epoll_unregister(epoll: &EpollView, args: &Args<'_>) -> PyResult<()> {
    epoll_change(epoll, DELETE, args.required(0), None)
}

fn epoll_poll(epoll: &EpollView, args: &Args<'_>) -> PyResult<Ref<List>> {
    let fd = epoll.fd()?;
    let limit = timeout(args.get(0), SECOND, "timeout must be an integer or None")?;
    if limit.is_some_and(|limit| limit / MILLISECOND >= i64::from(i32::MAX)) {
        return Err(overflow_error("timeout is too large"));
    }
    let limit = limit.filter(|&limit| limit >= 0);
    let most = match args.get(1).map_or(Ok(-1), int)? {
        -1 => (descriptors::SETSIZE - 1) as usize,
        most if most < 1 => {
            return Err(value_error(&format!("maxevents must be greater than 0, got {most}")));
        }
        most => most as usize,
    };
    let found = wait(limit, |left| descriptors::epoll_wait(fd, most, milliseconds(left)))?;
    let list = List::new()?;
    for (fd, events) in found {
        list.append(pair(fd, events)?)?;
    }
    Ok(list)
}

fn epoll_close(epoll: &EpollView) -> PyResult<()> {
    epoll.close()
}

fn epoll_fileno(epoll: &EpollView) -> PyResult<i32> {
    epoll.fd()
}

fn epoll_closed(epoll: &EpollView) -> bool {
    epoll.0.get() < 0
}

fn epoll_enter(epoll: &EpollView) -> PyResult<Ref> {
    epoll.fd().map(|_| epoll.object().new_ref())
}

fn epoll_exit(epoll: &EpollView, _: &[&Object]) -> PyResult<()> {
    epoll.close()
}

fn epoll_finalize(epoll: &EpollView) {
    // An object that nobody holds any more has nobody to be told.
    let _ = epoll.close();
}

taipan_object::methods! {
    static EPOLL_METHODS = {
        class one "fromfd" "($type, fd, /)" = epoll_fromfd, "An object for an epoll descriptor that is there already.";
        noargs "close" "($self, /)" = epoll_close, "Close the descriptor; further use raises ValueError.";
        noargs "fileno" "($self, /)" = epoll_fileno, "The epoll descriptor.";
        args "register" "($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)" = epoll_register, "Watch a descriptor for these events.";
        args "modify" "($self, /, fd, eventmask)" = epoll_modify, "Watch a descriptor for other events.";
        args "unregister" "($self, /, fd)" = epoll_unregister, "Watch a descriptor no more.";
        args "poll" "($self, /, timeout=None, maxevents=-1)" = epoll_poll, "Wait for events: a list of (descriptor, events).\n\n  timeout\n    The most seconds to wait; for ever without it or if it is negative.\n  maxevents\n    The most events to give.";
        noargs "__enter__" "($self, /)" = epoll_enter, "";
        many "__exit__" "($self, exc_type=None, exc_value=None, exc_tb=None, /)" = epoll_exit, "";
    }
}

static EPOLL_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"select.epoll(sizehint=-1, flags=0)\n\nAn object that watches descriptors.\n\nBoth arguments are there for programs that still give them."),
    slots: &[EpollView::DEALLOC, tp_new(epoll_new), tp_finalize(epoll_finalize)],
    methods: EPOLL_METHODS,
    getset: &[getset_row(c"closed", epoll_closed, c"whether the descriptor is closed")],
    ..TypeSpec::new(&EPOLL)
};

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in constants::SELECT {
        module.add(name, &Int::from_i64(number))?;
    }
    for spec in [&POLL_SPEC, &EPOLL_SPEC] {
        if !spec.ty.has_flag(abi::Py_TPFLAGS_READY) {
            taipan_object::typeobject::install(spec)?;
        }
    }
    module.add("epoll", &EPOLL)?;
    module.add("error", &PyExc_OSError)
}

taipan_object::methods! {
    static METHODS = {
        args "select" "($module, rlist, wlist, xlist, timeout=None, /)" = select, "Wait until descriptors can be read, written or have something special.\n\nTakes three sequences of descriptors (or of objects with fileno()) and gives three lists of those\nthat are ready.\n\n  timeout\n    The most seconds to wait; for ever without it.";
        noargs "poll" "($module, /)" = poll, "An object that watches descriptors.";
    }
}

/// `select`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "select", doc: "Waiting for descriptors.", methods: METHODS, init };
