//! `zlib`: compression by DEFLATE in its three wrappings, and checksums.
//!
//! `stream` makes zlib safe to use; `objects` holds the classes that keep a stream between calls.

mod objects;
mod stream;

use stream::{BUF_ERROR, Deflater, FINISH, Inflater, MEM_ERROR, OK, STREAM_END, STREAM_ERROR, SYNC_FLUSH};
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::int::Int;
use taipan_object::intern;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_Exception, PyExc_MemoryError, PyExc_TypeError, PyType_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, raise, state};

/// The constants of the module.
const NUMBERS: &[(&str, i64)] = &[
    ("MAX_WBITS", 15),
    ("DEFLATED", 8),
    ("DEF_MEM_LEVEL", 8),
    ("DEF_BUF_SIZE", 16384),
    ("Z_NO_COMPRESSION", 0),
    ("Z_BEST_SPEED", 1),
    ("Z_BEST_COMPRESSION", 9),
    ("Z_DEFAULT_COMPRESSION", -1),
    ("Z_FILTERED", 1),
    ("Z_HUFFMAN_ONLY", 2),
    ("Z_RLE", 3),
    ("Z_FIXED", 4),
    ("Z_DEFAULT_STRATEGY", 0),
    ("Z_NO_FLUSH", 0),
    ("Z_PARTIAL_FLUSH", 1),
    ("Z_SYNC_FLUSH", 2),
    ("Z_FULL_FLUSH", 3),
    ("Z_FINISH", 4),
    ("Z_BLOCK", 5),
    ("Z_TREES", 6),
];

/// `zlib.error`, of which each interpreter has its own.
struct ErrorClass(Ref);

fn make_error() -> PyResult {
    let name = Str::from_utf8("error")?;
    let bases = Tuple::from_refs(&[&PyExc_Exception])?;
    let dict = Dict::new()?;
    dict.set_str(intern!("__module__"), intern!("zlib"))?;
    PyType_Type.call(&[&*name, &*bases, &*dict])
}

/// An exception of the module's own class with this text.
fn error(text: &str) -> PyErr {
    let made = make_error();
    let class = match made {
        Ok(class) => &state::interp().extension(|| ErrorClass(class)).0,
        Err(failure) => return failure,
    };
    match class.downcast::<Type>() {
        Some(class) => PyErr::new(class, text),
        None => taipan_object::err::system_error("zlib.error is no class"),
    }
}

/// The error of a code, with the stream's last words if it has some.
fn code_error(code: i32, message: Option<String>, what: &str) -> PyErr {
    let known = match code {
        BUF_ERROR => Some("incomplete or truncated stream"),
        STREAM_ERROR => Some("inconsistent stream state"),
        stream::DATA_ERROR => Some("invalid input data"),
        _ => None,
    };
    match message.or(known.map(str::to_owned)) {
        Some(words) => {
            error(&format!("Error {code} {what}: {}", words.chars().take(200).collect::<String>()))
        }
        None => error(&format!("Error {code} {what}")),
    }
}

#[cold]
fn no_memory(text: &str) -> PyErr {
    PyErr::new(&PyExc_MemoryError, text)
}

fn int(args: &Args<'_>, index: usize, default: i32) -> PyResult<i32> {
    let Some(object) = args.get(index) else { return Ok(default) };
    let number = object.to_index()?.to_i64().and_then(|n| i32::try_from(n).ok());
    number.ok_or_else(|| overflow_error("Python int too large to convert to C int"))
}

/// The bytes of a buffer argument.
fn data(object: &Object) -> PyResult<Vec<u8>> {
    if !has_buffer(object) {
        return Err(raise!(
            PyExc_TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().message_name()
        ));
    }
    Ok(Buffer::simple(object)?.to_vec())
}

/// Runs without the interpreter lock where that is worth its price.
fn released<T>(size: usize, run: impl FnOnce() -> T) -> T {
    if size < 1024 { run() } else { taipan_object::gil::allow_threads(run) }
}

fn compress(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let input = data(args.required(0))?;
    let (level, bits) = (int(args, 1, -1)?, int(args, 2, 15)?);
    let mut stream = Deflater::new(level, 8, bits, 8, 0).map_err(|code| match code {
        MEM_ERROR => no_memory("Out of memory while compressing data"),
        STREAM_ERROR => error("Bad compression level"),
        code => code_error(code, None, "while compressing data"),
    })?;
    let mut out = Vec::new();
    match released(input.len(), || stream.run(&input, &mut out, FINISH)) {
        STREAM_END => Bytes::new(&out),
        MEM_ERROR => Err(no_memory("Out of memory while compressing data")),
        code => Err(code_error(code, stream.message(), "while compressing data")),
    }
}

fn decompress(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let input = data(args.required(0))?;
    let bits = int(args, 1, 15)?;
    if args.isize_or(2, 16384)? < 0 {
        return Err(value_error("bufsize must be non-negative"));
    }
    let mut stream = Inflater::new(bits).map_err(|code| match code {
        MEM_ERROR => no_memory("Out of memory while decompressing data"),
        code => code_error(code, None, "while preparing to decompress data"),
    })?;
    let mut out = Vec::new();
    let mut rest: &[u8] = &input;
    match released(input.len(), || stream.run(&mut rest, &mut out, usize::MAX, SYNC_FLUSH)) {
        STREAM_END => Bytes::new(&out),
        MEM_ERROR => Err(no_memory("Out of memory while decompressing data")),
        OK | BUF_ERROR => Err(code_error(BUF_ERROR, None, "while decompressing data")),
        code => Err(code_error(code, stream.message(), "while decompressing data")),
    }
}

/// The low 32 bits of an integer of any size.
fn low_bits(object: &Object) -> PyResult<u32> {
    let int = object.to_index()?;
    let digits = int.digits();
    let digit = |index: usize| digits.get(index).copied().unwrap_or(0);
    let size = digit(0) | digit(1) << 30;
    Ok(if int.is_negative() { size.wrapping_neg() } else { size })
}

fn checksum(args: &Args<'_>, start: u32, run: fn(u32, &[u8]) -> u32) -> PyResult<u32> {
    if !has_buffer(args.required(0)) {
        data(args.required(0))?;
    }
    let buffer = Buffer::simple(args.required(0))?;
    let value = args.get(1).map_or(Ok(start), low_bits)?;
    Ok(run(value, buffer.as_slice()))
}

fn adler32(_: &Object, args: &Args<'_>) -> PyResult<u32> {
    checksum(args, 1, stream::adler32)
}

fn crc32(_: &Object, args: &Args<'_>) -> PyResult<u32> {
    checksum(args, 0, stream::crc32)
}

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in NUMBERS {
        module.add(name, &Int::from_i64(number))?;
    }
    for (name, text) in [("ZLIB_VERSION", "1.3.1"), ("ZLIB_RUNTIME_VERSION", "1.3.1"), ("__version__", "1.0")]
    {
        module.add(name, &*Str::from_utf8(text)?)?;
    }
    let class = make_error()?;
    module.add("error", &state::interp().extension(|| ErrorClass(class)).0)?;
    objects::add(module)
}

taipan_object::methods! {
    static METHODS = {
        args "compress" "($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)" = compress, "Compress bytes.\n\n  level\n    From 0 (not at all) to 9 (as much as possible); -1 is a good middle.\n  wbits\n    The size of the window, and the wrapping: see compressobj.";
        args "decompress" "($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)" = decompress, "Decompress bytes.\n\n  wbits\n    The size of the window, and the wrapping: 8 to 15 zlib, -8 to -15 none, 24 to 31 gzip, 40 to 47 either.\n  bufsize\n    How much room the result gets at first.";
        args "compressobj" "($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=<unrepresentable>)" = objects::compressobj, "An object that compresses bit by bit.\n\n  wbits\n    9 to 15 for zlib's wrapping, -9 to -15 for none, 25 to 31 for gzip's.\n  memLevel\n    From 1 (little memory) to 9 (fast).\n  zdict\n    Bytes that the data are likely to contain.";
        args "decompressobj" "($module, /, wbits=MAX_WBITS, zdict=b'')" = objects::decompressobj, "An object that decompresses bit by bit.";
        args "adler32" "($module, data, value=1, /)" = adler32, "The Adler-32 checksum of bytes, from a first value on.";
        args "crc32" "($module, data, value=0, /)" = crc32, "The CRC-32 checksum of bytes, from a first value on.";
    }
}

/// `zlib`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "zlib",
    doc: "Compression by DEFLATE, as in zlib, gzip and zip files.\n\nadler32 and crc32 are checksums; compress and decompress work on bytes as a whole, the objects of\ncompressobj and decompressobj bit by bit.",
    methods: METHODS,
    init,
};
