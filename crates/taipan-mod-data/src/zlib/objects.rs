//! Objects that keep a stream: `Compress`, `Decompress` and `_ZlibDecompressor`.
//!
//! A stream is taken out of its cell while the interpreter lock is released; another thread that
//! comes meanwhile finds none, and waits on the object's turn by trying again.

use super::stream::{
    BUF_ERROR, Deflater, FINISH, Inflater, MEM_ERROR, NEED_DICT, NO_FLUSH, OK, STREAM_END, STREAM_ERROR,
    SYNC_FLUSH,
};
use super::{code_error, data, int, no_memory, released};
use core::cell::{Cell, RefCell};
use taipan_object::buffer::has_buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{eof_error, type_error, value_error};
use taipan_object::module::Module;
use taipan_object::native::{Args, Native, Payload, Signature, TypeSpec, getset_row, native_new, tp_new};
use taipan_object::statics::StaticType;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, abi};

/// What a stream is between calls.
enum Slot<T> {
    Ready(T),
    /// A thread works with it.
    Busy,
    Ended,
}

/// Takes a stream out for a while.
fn take<T>(cell: &RefCell<Slot<T>>) -> Option<T> {
    loop {
        match cell.replace(Slot::Busy) {
            Slot::Ready(stream) => return Some(stream),
            Slot::Busy => taipan_object::gil::allow_threads(std::thread::yield_now),
            Slot::Ended => {
                cell.replace(Slot::Ended);
                return None;
            }
        }
    }
}

pub struct Compress(RefCell<Slot<Deflater>>);

static COMPRESS: StaticType =
    StaticType::native(c"zlib.Compress", Native::<Compress>::SIZE, abi::Py_TPFLAGS_DISALLOW_INSTANTIATION);

impl Payload for Compress {
    const TYPE: &'static StaticType = &COMPRESS;
}

type CompressView = Native<Compress>;

/// `zlib.compressobj`.
pub fn compressobj(_: &Object, args: &Args<'_>) -> PyResult<Ref<CompressView>> {
    let level = int(args, 0, -1)?;
    let (method, bits, memory) = (int(args, 1, 8)?, int(args, 2, 15)?, int(args, 3, 8)?);
    let strategy = int(args, 4, 0)?;
    let dictionary = args.get(5).map(data).transpose()?;
    let mut stream = Deflater::new(level, method, bits, memory, strategy).map_err(|code| match code {
        MEM_ERROR => no_memory("Can't allocate memory for compression object"),
        STREAM_ERROR => value_error("Invalid initialization option"),
        code => code_error(code, None, "while creating compression object"),
    })?;
    if let Some(dictionary) = dictionary {
        stream.set_dictionary(&dictionary).map_err(|code| match code {
            STREAM_ERROR => value_error("Invalid dictionary"),
            _ => value_error("deflateSetDictionary()"),
        })?;
    }
    native_new(&COMPRESS, Compress(RefCell::new(Slot::Ready(stream))))
}

fn compress(object: &CompressView, input: &Object) -> PyResult<Ref<Bytes>> {
    let input = data(input)?;
    let Some(mut stream) = take(&object.0) else {
        return Err(code_error(STREAM_ERROR, None, "while compressing data"));
    };
    let mut out = Vec::new();
    let code = released(input.len(), || stream.run(&input, &mut out, NO_FLUSH));
    let message = stream.message();
    object.0.replace(Slot::Ready(stream));
    match code {
        OK | BUF_ERROR => Bytes::new(&out),
        MEM_ERROR => Err(taipan_object::err::memory_error()),
        code => Err(code_error(code, message, "while compressing data")),
    }
}

fn compress_flush(object: &CompressView, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let mode = int(args, 0, FINISH)?;
    if mode == NO_FLUSH {
        return Bytes::new(b"");
    }
    let Some(mut stream) = take(&object.0) else {
        return Err(code_error(STREAM_ERROR, None, "while flushing"));
    };
    let mut out = Vec::new();
    let code = stream.run(&[], &mut out, mode);
    let message = stream.message();
    object.0.replace(if code == STREAM_END && mode == FINISH { Slot::Ended } else { Slot::Ready(stream) });
    match code {
        OK | BUF_ERROR | STREAM_END => Bytes::new(&out),
        MEM_ERROR => Err(taipan_object::err::memory_error()),
        code => Err(code_error(code, message, "while flushing")),
    }
}

fn compress_copy(object: &CompressView) -> PyResult<Ref<CompressView>> {
    let Some(mut stream) = take(&object.0) else { return Err(value_error("Inconsistent stream state")) };
    let copy = stream.copy();
    object.0.replace(Slot::Ready(stream));
    let copy = copy.map_err(|code| match code {
        MEM_ERROR => no_memory("Can't allocate memory for compression object"),
        STREAM_ERROR => value_error("Inconsistent stream state"),
        code => code_error(code, None, "while copying compression object"),
    })?;
    native_new(&COMPRESS, Compress(RefCell::new(Slot::Ready(copy))))
}

fn compress_deepcopy(object: &CompressView, _: &Object) -> PyResult<Ref<CompressView>> {
    compress_copy(object)
}

taipan_object::methods! {
    static COMPRESS_METHODS = {
        one "compress" "($self, data, /)" = compress, "Compress more data; gives what is ready by now.";
        args "flush" "($self, mode=zlib.Z_FINISH, /)" = compress_flush, "What was kept back; by default this ends the stream.";
        noargs "copy" "($self, /)" = compress_copy, "An object in the same state.";
        noargs "__copy__" "($self, /)" = compress_copy, "An object in the same state.";
        one "__deepcopy__" "($self, memo, /)" = compress_deepcopy, "An object in the same state.";
    }
}

static COMPRESS_SPEC: TypeSpec =
    TypeSpec { slots: &[CompressView::DEALLOC], methods: COMPRESS_METHODS, ..TypeSpec::new(&COMPRESS) };

pub struct Decompress {
    stream: RefCell<Slot<Inflater>>,
    dictionary: Option<Vec<u8>>,
    unused: RefCell<Vec<u8>>,
    tail: RefCell<Vec<u8>>,
    eof: Cell<bool>,
}

static DECOMPRESS: StaticType = StaticType::native(
    c"zlib.Decompress",
    Native::<Decompress>::SIZE,
    abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Decompress {
    const TYPE: &'static StaticType = &DECOMPRESS;
}

type DecompressView = Native<Decompress>;

/// A stream with its dictionary, which streams without wrapping want at once.
fn inflater(bits: i32, dictionary: Option<&[u8]>) -> PyResult<Inflater> {
    let mut stream = Inflater::new(bits).map_err(|code| match code {
        MEM_ERROR => no_memory("Can't allocate memory for decompression object"),
        STREAM_ERROR => value_error("Invalid initialization option"),
        code => code_error(code, None, "while creating decompression object"),
    })?;
    if let Some(dictionary) = dictionary.filter(|_| bits < 0) {
        set_dictionary(&mut stream, dictionary)?;
    }
    Ok(stream)
}

fn set_dictionary(stream: &mut Inflater, dictionary: &[u8]) -> PyResult<()> {
    stream
        .set_dictionary(dictionary)
        .map_err(|code| code_error(code, stream.message(), "while setting zdict"))
}

fn dictionary_arg(object: Option<&Object>) -> PyResult<Option<Vec<u8>>> {
    let Some(object) = object else { return Ok(None) };
    if !has_buffer(object) {
        return Err(type_error("zdict argument must support the buffer protocol"));
    }
    Ok(Some(data(object)?))
}

/// `zlib.decompressobj`.
pub fn decompressobj(_: &Object, args: &Args<'_>) -> PyResult<Ref<DecompressView>> {
    let bits = int(args, 0, 15)?;
    let dictionary = dictionary_arg(args.get(1))?;
    let stream = inflater(bits, dictionary.as_deref())?;
    native_new(
        &DECOMPRESS,
        Decompress {
            stream: RefCell::new(Slot::Ready(stream)),
            dictionary,
            unused: RefCell::default(),
            tail: RefCell::default(),
            eof: Cell::new(false),
        },
    )
}

/// Decompresses, and gives the dictionary when the stream asks for it.
fn feed(
    stream: &mut Inflater,
    dictionary: Option<&[u8]>,
    input: &mut &[u8],
    most: usize,
    flush: i32,
) -> PyResult<(i32, Vec<u8>)> {
    let mut out = Vec::new();
    loop {
        let left = most - out.len();
        let code = released(input.len(), || stream.run(input, &mut out, left, flush));
        match (code, dictionary) {
            (NEED_DICT, Some(dictionary)) => set_dictionary(stream, dictionary)?,
            _ => return Ok((code, out)),
        }
    }
}

impl Decompress {
    /// Keeps the input that was not used: behind the stream's end or for the next call.
    fn save(&self, code: i32, rest: &[u8]) {
        if code == STREAM_END {
            self.unused.borrow_mut().extend_from_slice(rest);
            self.tail.borrow_mut().clear();
        } else {
            *self.tail.borrow_mut() = rest.to_vec();
        }
    }
}

fn decompress(object: &DecompressView, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let input = data(args.required(0))?;
    let most = args.isize_or(1, 0)?;
    let most = usize::try_from(most).map_err(|_| value_error("max_length must be non-negative"))?;
    let most = if most == 0 { usize::MAX } else { most };
    let Some(mut stream) = take(&object.stream) else {
        return Err(code_error(STREAM_ERROR, None, "while decompressing data"));
    };
    let mut rest: &[u8] = &input;
    let fed = feed(&mut stream, object.dictionary.as_deref(), &mut rest, most, SYNC_FLUSH);
    let message = stream.message();
    object.stream.replace(Slot::Ready(stream));
    let (code, out) = fed?;
    object.save(code, rest);
    match code {
        STREAM_END => object.eof.set(true),
        OK | BUF_ERROR => {}
        MEM_ERROR => return Err(taipan_object::err::memory_error()),
        code => return Err(code_error(code, message, "while decompressing data")),
    }
    Bytes::new(&out)
}

fn decompress_flush(object: &DecompressView, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    if args.isize_or(0, 16384)? <= 0 {
        return Err(value_error("length must be greater than zero"));
    }
    let Some(mut stream) = take(&object.stream) else { return Bytes::new(b"") };
    let input = object.tail.take();
    let mut rest: &[u8] = &input;
    let fed = feed(&mut stream, object.dictionary.as_deref(), &mut rest, usize::MAX, FINISH);
    let ended = matches!(fed, Ok((STREAM_END, _)));
    let message = stream.message();
    object.stream.replace(if ended { Slot::Ended } else { Slot::Ready(stream) });
    let (code, out) = fed?;
    object.save(code, rest);
    match code {
        STREAM_END => object.eof.set(true),
        OK | BUF_ERROR => {}
        MEM_ERROR => return Err(taipan_object::err::memory_error()),
        code => return Err(code_error(code, message, "while flushing")),
    }
    Bytes::new(&out)
}

fn decompress_copy(object: &DecompressView) -> PyResult<Ref<DecompressView>> {
    let Some(stream) = take(&object.stream) else { return Err(value_error("Inconsistent stream state")) };
    let copy = stream.copy();
    object.stream.replace(Slot::Ready(stream));
    let copy = copy.map_err(|code| match code {
        MEM_ERROR => no_memory("Can't allocate memory for decompression object"),
        STREAM_ERROR => value_error("Inconsistent stream state"),
        code => code_error(code, None, "while copying decompression object"),
    })?;
    native_new(
        &DECOMPRESS,
        Decompress {
            stream: RefCell::new(Slot::Ready(copy)),
            dictionary: object.dictionary.clone(),
            unused: object.unused.clone(),
            tail: object.tail.clone(),
            eof: object.eof.clone(),
        },
    )
}

fn decompress_deepcopy(object: &DecompressView, _: &Object) -> PyResult<Ref<DecompressView>> {
    decompress_copy(object)
}

fn unused_data(object: &DecompressView) -> PyResult<Ref<Bytes>> {
    Bytes::new(&object.unused.borrow())
}

fn unconsumed_tail(object: &DecompressView) -> PyResult<Ref<Bytes>> {
    Bytes::new(&object.tail.borrow())
}

fn eof(object: &DecompressView) -> bool {
    object.eof.get()
}

taipan_object::methods! {
    static DECOMPRESS_METHODS = {
        args "decompress" "($self, data, /, max_length=0)" = decompress, "Decompress more data; gives what is ready by now.\n\n  max_length\n    The most bytes to give; input that this leaves over is in unconsumed_tail.";
        args "flush" "($self, length=zlib.DEF_BUF_SIZE, /)" = decompress_flush, "Whatever is left.";
        noargs "copy" "($self, /)" = decompress_copy, "An object in the same state.";
        noargs "__copy__" "($self, /)" = decompress_copy, "An object in the same state.";
        one "__deepcopy__" "($self, memo, /)" = decompress_deepcopy, "An object in the same state.";
    }
}

static DECOMPRESS_SPEC: TypeSpec = TypeSpec {
    slots: &[DecompressView::DEALLOC],
    methods: DECOMPRESS_METHODS,
    getset: &[
        getset_row(c"unused_data", unused_data, c"what came behind the end of the stream"),
        getset_row(c"unconsumed_tail", unconsumed_tail, c"input that max_length left over"),
        getset_row(c"eof", eof, c"whether the end of the stream was reached"),
    ],
    ..TypeSpec::new(&DECOMPRESS)
};

/// `_ZlibDecompressor`: like the decompressors of `bz2` and `lzma`, it keeps its input.
pub struct Buffering {
    stream: RefCell<Slot<Inflater>>,
    dictionary: Option<Vec<u8>>,
    input: RefCell<Vec<u8>>,
    unused: RefCell<Vec<u8>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
}

static BUFFERING: StaticType = StaticType::native(c"zlib._ZlibDecompressor", Native::<Buffering>::SIZE, 0);

impl Payload for Buffering {
    const TYPE: &'static StaticType = &BUFFERING;
}

type BufferingView = Native<Buffering>;

fn buffering_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<BufferingView>> {
    static SIGNATURE: Signature = Signature::parse("_ZlibDecompressor", "(wbits=15, zdict=b'')");
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    let bits = int(&bound, 0, 15)?;
    let dictionary = dictionary_arg(bound.get(1))?;
    let stream = inflater(bits, dictionary.as_deref())?;
    native_new(
        ty,
        Buffering {
            stream: RefCell::new(Slot::Ready(stream)),
            dictionary,
            input: RefCell::default(),
            unused: RefCell::default(),
            eof: Cell::new(false),
            needs_input: Cell::new(true),
        },
    )
}

fn buffering_decompress(object: &BufferingView, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let new = data(args.required(0))?;
    let most = usize::try_from(args.isize_or(1, -1)?).unwrap_or(usize::MAX);
    if object.eof.get() {
        return Err(eof_error("End of stream already reached"));
    }
    let Some(mut stream) = take(&object.stream) else {
        return Err(eof_error("End of stream already reached"));
    };
    let mut input = object.input.take();
    input.extend(new);
    let mut rest: &[u8] = &input;
    let fed = feed(&mut stream, object.dictionary.as_deref(), &mut rest, most, SYNC_FLUSH);
    let message = stream.message();
    object.stream.replace(Slot::Ready(stream));
    let (code, out) = fed?;
    match code {
        STREAM_END => {
            object.eof.set(true);
            object.needs_input.set(false);
            *object.unused.borrow_mut() = rest.to_vec();
        }
        OK | BUF_ERROR => {
            // With the output at its limit there may be more inside the stream even without input.
            object.needs_input.set(rest.is_empty() && out.len() < most);
            *object.input.borrow_mut() = rest.to_vec();
        }
        MEM_ERROR => return Err(taipan_object::err::memory_error()),
        code => return Err(code_error(code, message, "while decompressing data")),
    }
    Bytes::new(&out)
}

fn buffering_unused(object: &BufferingView) -> PyResult<Ref<Bytes>> {
    Bytes::new(&object.unused.borrow())
}

fn buffering_eof(object: &BufferingView) -> bool {
    object.eof.get()
}

fn needs_input(object: &BufferingView) -> bool {
    object.needs_input.get()
}

taipan_object::methods! {
    static BUFFERING_METHODS = {
        args "decompress" "($self, /, data, max_length=-1)" = buffering_decompress, "Decompress more data; input that is not used is kept.\n\n  max_length\n    The most bytes to give, negative for no limit.";
    }
}

static BUFFERING_SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"_ZlibDecompressor(wbits=15, zdict=b'')\n--\n\nAn object that decompresses and keeps its input.",
    ),
    slots: &[BufferingView::DEALLOC, tp_new(buffering_new)],
    methods: BUFFERING_METHODS,
    getset: &[
        getset_row(c"unused_data", buffering_unused, c"what came behind the end of the stream"),
        getset_row(c"eof", buffering_eof, c"whether the end of the stream was reached"),
        getset_row(c"needs_input", needs_input, c"whether nothing more comes without more input"),
    ],
    ..TypeSpec::new(&BUFFERING)
};

/// Makes the types ready; only one of them is an attribute of the module.
pub fn add(module: &Module) -> PyResult<()> {
    for spec in [&COMPRESS_SPEC, &DECOMPRESS_SPEC] {
        if !spec.ty.has_flag(abi::Py_TPFLAGS_READY) {
            taipan_object::typeobject::install(spec)?;
        }
    }
    crate::util::add_type(module, "_ZlibDecompressor", &BUFFERING_SPEC)
}
