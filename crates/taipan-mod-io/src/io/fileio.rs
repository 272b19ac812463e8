//! `FileIO`: a raw stream on a file descriptor.
//!
//! Each read or write is one system call, made without the interpreter lock and made again when a
//! signal interrupts it. The descriptor is -1 while the stream is closed.

use super::base::RAW_BASE;
use super::util::{STREAM, closed_file, name_repr, size_arg, uninterrupted, unsupported, warn, writable_arg};
use core::cell::Cell;
use std::ffi::CString;
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{as_bool, is_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, TypeSpec, bind, err, intern, methods, payload};
use taipan_object::{protocol, raise};
use taipan_os::Errno;
use taipan_os::files::{self, Status, flags, numbers};
use taipan_types_meta::exceptions::os_error;

pub struct FileIO {
    fd: Cell<i32>,
    created: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    appending: Cell<bool>,
    /// `None` as long as nobody has asked.
    seekable: Cell<Option<bool>>,
    close_fd: Cell<bool>,
    finalizing: Cell<bool>,
    block_size: Cell<i64>,
    /// The status from when the file was opened, until something may have changed it.
    opened: Cell<Option<Status>>,
}
payload!(FileIO, FILE_IO, c"_io.FileIO", STREAM, RAW_BASE, []);

type View = Native<FileIO>;

/// What a mode string asks for.
#[derive(Default)]
struct Mode {
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
    flags: i32,
}

fn parse_mode(text: &str) -> PyResult<Mode> {
    let wrong =
        || err::value_error("Must have exactly one of create/read/write/append mode and at most one plus");
    let mut mode = Mode::default();
    let (mut kinds, mut plus) = (0, 0);
    for c in text.chars() {
        match c {
            'x' => {
                (mode.created, mode.writable) = (true, true);
                mode.flags |= flags::O_EXCL | flags::O_CREAT;
            }
            'r' => mode.readable = true,
            'w' => {
                mode.writable = true;
                mode.flags |= flags::O_CREAT | flags::O_TRUNC;
            }
            'a' => {
                (mode.appending, mode.writable) = (true, true);
                mode.flags |= flags::O_APPEND | flags::O_CREAT;
            }
            '+' => {
                (mode.readable, mode.writable) = (true, true);
                plus += 1;
            }
            'b' => {}
            _ => return Err(raise!(PyExc_ValueError, "invalid mode: {text}")),
        }
        kinds += i32::from("xrwa".contains(c));
        if kinds > 1 || plus > 1 {
            return Err(wrong());
        }
    }
    if kinds != 1 {
        return Err(wrong());
    }
    mode.flags |= match (mode.readable, mode.writable) {
        (true, true) => flags::O_RDWR,
        (true, false) => flags::O_RDONLY,
        _ => flags::O_WRONLY,
    };
    mode.flags |= flags::O_CLOEXEC;
    Ok(mode)
}

/// `os.fspath`: a str or bytes.
pub fn fspath(path: &Object) -> PyResult {
    if path.downcast::<Str>().is_some() || path.downcast::<Bytes>().is_some() {
        return Ok(path.new_ref());
    }
    let wrong = || {
        raise!(PyExc_TypeError, "expected str, bytes or os.PathLike object, not {}", path.ty().message_name())
    };
    let method = path.ty().lookup(intern!("__fspath__")).filter(|method| !is_none(method));
    let Some(method) = method else { return Err(wrong()) };
    let made = protocol::call_unbound(&method, path, &[])?;
    if made.downcast::<Str>().is_some() || made.downcast::<Bytes>().is_some() {
        return Ok(made);
    }
    Err(raise!(
        PyExc_TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        path.ty().message_name(),
        made.ty().message_name()
    ))
}

/// A path as the system wants it.
pub fn system_path(path: &Object) -> PyResult<CString> {
    let path = fspath(path)?;
    let bytes = match path.downcast::<Str>() {
        Some(text) => match text.as_utf8() {
            Some(utf8) => utf8.as_bytes().to_vec(),
            None => {
                let made = taipan_types_text::str::encode(text, "utf-8", "surrogateescape")?;
                made.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec()).unwrap_or_default()
            }
        },
        None => path.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec()).unwrap_or_default(),
    };
    CString::new(bytes).map_err(|_| err::value_error("embedded null byte"))
}

fn system_error(number: Errno) -> PyErr {
    os_error(number, None)
}

impl FileIO {
    fn new() -> Self {
        Self {
            fd: Cell::new(-1),
            created: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            appending: Cell::new(false),
            seekable: Cell::new(None),
            close_fd: Cell::new(true),
            finalizing: Cell::new(false),
            block_size: Cell::new(super::DEFAULT_BUFFER_SIZE as i64),
            opened: Cell::new(None),
        }
    }

    /// The descriptor of an open stream.
    pub fn open_fd(&self) -> PyResult<i32> {
        let fd = self.fd.get();
        if fd < 0 { Err(closed_file()) } else { Ok(fd) }
    }

    fn fd_for_reading(&self) -> PyResult<i32> {
        let fd = self.open_fd()?;
        if self.readable.get() { Ok(fd) } else { Err(unsupported("File not open for reading")) }
    }

    fn fd_for_writing(&self) -> PyResult<i32> {
        let fd = self.open_fd()?;
        if self.writable.get() { Ok(fd) } else { Err(unsupported("File not open for writing")) }
    }

    /// Closes the descriptor at once, whatever it is for.
    fn close_now(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd < 0 {
            return Ok(());
        }
        taipan_object::gil::allow_threads(|| files::close(fd)).map_err(system_error)
    }

    /// Reads at most `size` bytes; `None` when it would block.
    ///
    /// # Errors
    /// `ValueError` when closed, `OSError`.
    pub fn read_some(&self, size: usize) -> PyResult<Option<Vec<u8>>> {
        let fd = self.fd_for_reading()?;
        let mut data: Vec<u8> = Vec::new();
        let size = size.min(0x7FFF_F000);
        data.try_reserve_exact(size).map_err(|_| err::memory_error())?;
        match uninterrupted(|| files::read_spare(fd, &mut data, size))? {
            Ok(_) => Ok(Some(data)),
            Err(numbers::EAGAIN) => Ok(None),
            Err(number) => Err(system_error(number)),
        }
    }

    /// Reads into a slice; `None` when it would block.
    ///
    /// # Errors
    /// As [`FileIO::read_some`].
    pub fn read_into(&self, room: &mut [u8]) -> PyResult<Option<usize>> {
        let fd = self.fd_for_reading()?;
        match uninterrupted(|| files::read(fd, room))? {
            Ok(count) => Ok(Some(count)),
            Err(numbers::EAGAIN) => Ok(None),
            Err(number) => Err(system_error(number)),
        }
    }

    /// Writes; `None` when it would block.
    ///
    /// # Errors
    /// As [`FileIO::read_some`].
    pub fn write_some(&self, data: &[u8]) -> PyResult<Option<usize>> {
        let fd = self.fd_for_writing()?;
        self.opened.set(None);
        match uninterrupted(|| files::write(fd, data))? {
            Ok(count) => Ok(Some(count)),
            Err(numbers::EAGAIN) => Ok(None),
            Err(number) => Err(system_error(number)),
        }
    }

    /// Moves the position.
    ///
    /// # Errors
    /// `ValueError` when closed, `OSError`.
    pub fn seek_to(&self, offset: i64, whence: i32) -> PyResult<i64> {
        let fd = self.open_fd()?;
        let moved = taipan_object::gil::allow_threads(|| files::seek(fd, offset, whence));
        if self.seekable.get().is_none() {
            self.seekable.set(Some(moved.is_ok()));
        }
        moved.map_err(system_error)
    }

    fn read_all(&self) -> PyResult<Option<Vec<u8>>> {
        let fd = self.open_fd()?;
        let status = self.opened.get().or_else(|| files::status(fd).ok());
        let left = match status {
            Some(status) if status.size > 0 => {
                let at = files::seek(fd, 0, 1).unwrap_or(0);
                // One more than is left, so that the end is noticed by the same call.
                usize::try_from(status.size - at).unwrap_or(0).saturating_add(1)
            }
            _ => super::DEFAULT_BUFFER_SIZE,
        };
        let mut data: Vec<u8> = Vec::new();
        data.try_reserve_exact(left.min(0x7FFF_F000)).map_err(|_| err::memory_error())?;
        loop {
            if data.len() == data.capacity() {
                let more = data.len().clamp(super::DEFAULT_BUFFER_SIZE, 8 << 20);
                data.try_reserve(more).map_err(|_| err::memory_error())?;
            }
            match uninterrupted(|| files::read_spare(fd, &mut data, usize::MAX))? {
                Ok(0) => return Ok(Some(data)),
                Ok(_) => {}
                Err(numbers::EAGAIN) if data.is_empty() => return Ok(None),
                Err(numbers::EAGAIN) => return Ok(Some(data)),
                Err(number) => return Err(system_error(number)),
            }
        }
    }

    fn mode_text(&self) -> &'static str {
        match (self.created.get(), self.appending.get(), self.readable.get(), self.writable.get()) {
            (true, _, true, _) => "xb+",
            (true, ..) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, ..) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        }
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult<Ref<View>> {
    native_new(ty, FileIO::new())
}

/// The descriptor that the first argument is, if it is one.
fn given_fd(file: &Object) -> PyResult<Option<i32>> {
    if as_bool(file).is_some() {
        warn(&PyExc_RuntimeWarning, "bool is used as a file descriptor", 1)?;
    }
    let Some(fd) = (if protocol::has_index(file) { file.to_i32().ok() } else { None }) else {
        return Ok(None);
    };
    if fd < 0 { Err(err::value_error("negative file descriptor")) } else { Ok(Some(fd)) }
}

/// Opens by name, or through the caller's opener.
fn open_named(file: &Object, mode: &Mode, opener: Option<&Object>) -> PyResult<i32> {
    let path = system_path(file)?;
    let Some(opener) = opener else {
        return match uninterrupted(|| files::open(&path, mode.flags, 0o666))? {
            Ok(fd) => Ok(fd),
            Err(number) => Err(os_error(number, Some(file))),
        };
    };
    let fd = opener.call(&[file, &*Int::from_i64(i64::from(mode.flags))])?;
    if fd.downcast::<Int>().is_none() {
        return Err(err::type_error("expected integer from opener"));
    }
    let fd = fd.to_i32()?;
    if fd < 0 {
        return Err(raise!(PyExc_ValueError, "opener returned {fd}"));
    }
    files::set_inheritable(fd, false).map_err(system_error)?;
    Ok(fd)
}

/// What is done with a descriptor before the stream is usable.
fn take_over(stream: &View, file: &Object) -> PyResult<()> {
    let fd = stream.fd.get();
    stream.block_size.set(super::DEFAULT_BUFFER_SIZE as i64);
    match taipan_object::gil::allow_threads(|| files::status(fd)) {
        Err(numbers::EBADF) => return Err(system_error(numbers::EBADF)),
        // Some systems cannot tell the status of some files.
        Err(_) => {}
        Ok(status) => {
            if status.is_directory() {
                return Err(os_error(numbers::EISDIR, Some(file)));
            }
            if status.block_size > 1 {
                stream.block_size.set(status.block_size);
            }
            stream.opened.set(Some(status));
        }
    }
    stream.object().setattr(intern!("name"), Some(file))?;
    if stream.appending.get() {
        // A pipe has no end to go to.
        match files::seek(fd, 0, 2) {
            Ok(_) => stream.seekable.set(Some(true)),
            Err(numbers::ESPIPE) => {}
            Err(number) => return Err(system_error(number)),
        }
    }
    Ok(())
}

fn init(stream: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "FileIO" "(file, mode='r', closefd=True, opener=None)", args, kwargs);
    let file = bound.required(0);
    let name = match bound.get(1) {
        None => "r".to_owned(),
        Some(mode) => {
            let text = super::util::str_arg(mode, "FileIO", "'mode'")?.to_utf8()?;
            if text.contains('\0') {
                return Err(err::value_error("embedded null character"));
            }
            text.to_owned()
        }
    };
    let close_fd = bound.bool_or(2, true)?;
    if stream.fd.get() >= 0 {
        if stream.close_fd.get() {
            stream.close_now()?;
        } else {
            stream.fd.set(-1);
        }
    }
    let fd = given_fd(file)?;
    let mode = parse_mode(&name)?;
    stream.created.set(mode.created);
    stream.readable.set(mode.readable);
    stream.writable.set(mode.writable);
    stream.appending.set(mode.appending);
    stream.seekable.set(None);
    stream.close_fd.set(close_fd);
    stream.opened.set(None);
    audit_open(file, &*Str::from_utf8(&name)?, &mode)?;
    let own = match fd {
        Some(fd) => {
            stream.fd.set(fd);
            false
        }
        None => {
            if !close_fd {
                return Err(err::value_error("Cannot use closefd=False with file name"));
            }
            stream.fd.set(open_named(file, &mode, bound.get_some(3))?);
            true
        }
    };
    take_over(stream, file).map_err(|error| {
        if !own {
            stream.fd.set(-1);
            return error;
        }
        match stream.close_now() {
            Ok(()) => error,
            Err(second) => super::util::chain(error, second),
        }
    })
}

/// The audit event `open`.
fn audit_open(file: &Object, text: &Str, mode: &Mode) -> PyResult<()> {
    super::util::audit("open", &[file, text, &*Int::from_i64(i64::from(mode.flags))])
}

fn repr(stream: &View) -> PyResult<String> {
    let ty = stream.object().ty().message_name();
    if stream.fd.get() < 0 {
        return Ok(format!("<{ty} [closed]>"));
    }
    let close_fd = if stream.close_fd.get() { "True" } else { "False" };
    let mode = stream.mode_text();
    Ok(match name_repr(stream.object())? {
        Some(name) => format!("<{ty} name={name} mode='{mode}' closefd={close_fd}>"),
        None => format!("<{ty} fd={} mode='{mode}' closefd={close_fd}>", stream.fd.get()),
    })
}

fn bytes_or_none(data: Option<Vec<u8>>) -> PyResult<Option<Ref<Bytes>>> {
    data.map(|data| Bytes::new(&data)).transpose()
}

fn read(stream: &View, args: &Args<'_>) -> PyResult<Option<Ref<Bytes>>> {
    let size = size_arg(args, 0)?;
    match usize::try_from(size) {
        Ok(size) => bytes_or_none(stream.read_some(size)?),
        Err(_) => {
            stream.fd_for_reading()?;
            bytes_or_none(stream.read_all()?)
        }
    }
}

fn readinto(stream: &View, buffer: &Object) -> PyResult<Option<usize>> {
    let buffer = writable_arg(buffer, "readinto")?;
    Ok(stream.read_some(buffer.len())?.map(|data| buffer.write_at(0, &data)))
}

fn write(stream: &View, data: &Object) -> PyResult<Option<usize>> {
    if let Some(bytes) = data.downcast::<Bytes>() {
        return stream.write_some(bytes.as_slice());
    }
    let buffer = Buffer::simple(data)?;
    let copy = buffer.as_slice().to_vec();
    stream.write_some(&copy)
}

fn seek(stream: &View, args: &Args<'_>) -> PyResult<i64> {
    let whence = args.i32_or(1, 0)?;
    stream.open_fd()?;
    stream.seek_to(args.required(0).to_i64()?, whence)
}

fn tell(stream: &View) -> PyResult<i64> {
    stream.seek_to(0, 1)
}

fn truncate(stream: &View, args: &Args<'_>) -> PyResult {
    let fd = stream.fd_for_writing()?;
    let size = match args.get_some(0) {
        Some(size) => size.new_ref(),
        None => stream.seek_to(0, 1)?.into_py()?,
    };
    let wanted = size.to_i64()?;
    stream.opened.set(None);
    uninterrupted(|| files::truncate(fd, wanted))?.map_err(system_error)?;
    Ok(size)
}

fn close(stream: &View) -> PyResult<()> {
    // The base's close() calls the flush() of the instance and marks it closed.
    let base: &Type = &RAW_BASE;
    let object = stream.object();
    let parent = match base.lookup(intern!("close")) {
        Some(method) => protocol::call_unbound(&method, object, &[]).map(drop),
        None => Ok(()),
    };
    if !stream.close_fd.get() {
        stream.fd.set(-1);
        return parent;
    }
    if stream.finalizing.get()
        && let Err(error) = dealloc_warn(stream, object)
    {
        err::write_unraisable_at(error, "Exception ignored while finalizing file", object);
    }
    match (parent, stream.close_now()) {
        (Err(first), Err(second)) => Err(super::util::chain(first, second)),
        (Err(error), _) | (_, Err(error)) => Err(error),
        _ => Ok(()),
    }
}

fn dealloc_warn(stream: &View, source: &Object) -> PyResult<()> {
    if stream.fd.get() < 0 || !stream.close_fd.get() {
        return Ok(());
    }
    let message = format!("unclosed file {}", source.repr_lossy());
    match warn(&PyExc_ResourceWarning, &message, 1) {
        Err(error) if error.is(&PyExc_Warning) => {
            err::write_unraisable_at(error, "Exception ignored while finalizing file", stream.object());
            Ok(())
        }
        _ => Ok(()),
    }
}

fn seekable(stream: &View) -> PyResult<bool> {
    stream.open_fd()?;
    if stream.seekable.get().is_none() {
        // Asking for the position tells; a failure is the answer.
        let _ = stream.seek_to(0, 1);
    }
    Ok(stream.seekable.get().unwrap_or(false))
}

fn isatty(stream: &View) -> PyResult<bool> {
    let fd = stream.open_fd()?;
    Ok(taipan_object::gil::allow_threads(|| files::is_terminal(fd)))
}

/// As `isatty` right after opening, when the status is known and says that it cannot be.
fn isatty_open_only(stream: &View) -> PyResult<bool> {
    if stream.opened.get().is_some_and(|status| !status.is_character_device()) {
        stream.open_fd()?;
        return Ok(false);
    }
    isatty(stream)
}

methods! {
    static METHODS = {
        args "read" "($self, size=-1, /)" = read,
            "Read at most size bytes with one system call, or everything for -1.\n\nGives b'' at the end, and None if nothing is there yet in non-blocking mode.";
        noargs "readall" "($self, /)" = |stream: &View| { stream.open_fd()?; bytes_or_none(stream.read_all()?) },
            "Read until the end.\n\nIn non-blocking mode gives what is there, or None for nothing.";
        one "readinto" "($self, buffer, /)" = readinto, "Read into a buffer and return how many bytes came.";
        one "write" "($self, b, /)" = write,
            "Write bytes and return how many were taken, with one system call.\n\nGives None in non-blocking mode if nothing could be taken.";
        args "seek" "($self, pos, whence=0, /)" = seek,
            "Move to a position and return it.\n\nwhence: 0 from the start, 1 from the present position, 2 from the end.";
        noargs "tell" "($self, /)" = tell, "The present position.";
        args "truncate" "($self, size=None, /)" = truncate,
            "Make the file size bytes long, by default up to the present position.\n\nThe position does not change.";
        noargs "close" "($self, /)" = close, "Close the stream, and the descriptor unless closefd was false.";
        noargs "seekable" "($self, /)" = seekable, "Whether the file has positions.";
        noargs "readable" "($self, /)" = |stream: &View| stream.open_fd().map(|_| stream.readable.get()), "Whether the mode is one for reading.";
        noargs "writable" "($self, /)" = |stream: &View| stream.open_fd().map(|_| stream.writable.get()), "Whether the mode is one for writing.";
        noargs "fileno" "($self, /)" = |stream: &View| stream.open_fd(), "The descriptor.";
        noargs "isatty" "($self, /)" = isatty, "Whether the descriptor is a terminal.";
        noargs "_isatty_open_only" "($self, /)" = isatty_open_only, "As isatty(), for open() only.";
        one "_dealloc_warn" "($self, object, /)" = dealloc_warn, "Warn that the stream was not closed.";
        noargs "__getstate__" "($self, /)" = super::util::cannot_pickle, "Raises TypeError: streams cannot be pickled.";
    }
}

fn set_finalizing(stream: &View, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(err::type_error("can't delete numeric/char attribute")) };
    stream.finalizing.set(value.is_true()?);
    Ok(())
}

/// `FileIO`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nA file as a raw stream.\n\nmode is 'r', 'w', 'x' or 'a', with '+' for both directions. opener(name, flags)\nmay give the descriptor.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"closed", |stream: &View| stream.fd.get() < 0, c"whether the stream is closed"),
        getset_row(c"closefd", |stream: &View| stream.close_fd.get(), c"whether closing closes the descriptor"),
        getset_row(c"mode", |stream: &View| stream.mode_text(), c"the mode"),
        getset_row(c"_blksize", |stream: &View| stream.block_size.get(), c"the size of blocks of the file's device"),
        getset_row(c"_finalizing", |stream: &View| stream.finalizing.get(), c"whether the stream is going away")
            .with_setter(set_finalizing),
    ],
    ..TypeSpec::new(&FILE_IO)
};
