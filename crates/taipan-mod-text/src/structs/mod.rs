//! `_struct`: values packed into bytes by a format string.

mod format;
mod value;

use crate::util::{ModuleError, argument_name, module_error};
use core::cell::{Cell, RefCell};
use format::Format;
use std::collections::HashMap;
use std::rc::Rc;
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, bind, err, methods, raise, state};

module_error!(StructError, "struct", "error", PyExc_Exception);

/// Formats that were parsed already.
#[derive(Default)]
struct Cache(RefCell<HashMap<Vec<u8>, Rc<Format>>>);

const CACHE_LIMIT: usize = 100;

/// The text of a format argument.
fn format_text(format: &Object) -> PyResult<Vec<u8>> {
    if let Some(text) = format.downcast::<Str>() {
        if let Some(ascii) = text.as_ascii() {
            return Ok(ascii.as_bytes().to_vec());
        }
        let at = text.code_points().position(|c| c > 127).unwrap_or(0);
        let run = text.code_points().skip(at).take_while(|c| *c > 127).count();
        return Err(err::unicode_encode_error("ascii", text, at, at + run, "ordinal not in range(128)"));
    }
    match format.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes.as_slice().to_vec()),
        None => Err(raise!(
            PyExc_TypeError,
            "Struct() argument 1 must be a str or bytes object, not {}",
            format.ty().message_name()
        )),
    }
}

fn cached(format: &Object) -> PyResult<Rc<Format>> {
    let text = format_text(format)?;
    let cache = &state::interp().extension(Cache::default).0;
    if let Some(found) = cache.borrow().get(&text) {
        return Ok(found.clone());
    }
    let made = Rc::new(Format::parse(&text)?);
    let mut cache = cache.borrow_mut();
    if cache.len() >= CACHE_LIMIT {
        cache.clear();
    }
    cache.insert(text, made.clone());
    Ok(made)
}

/// Packs values into fresh bytes.
fn packed(format: &Format, values: &[&Object]) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(format.size).map_err(|_| err::memory_error())?;
    out.resize(format.size, 0);
    let mut values = values.iter();
    for item in &format.items {
        for index in 0..item.count {
            let Some(value) = values.next() else { break };
            let at = item.offset + index * item.size;
            value::put(format, item, value, &mut out[at..at + item.size])?;
        }
    }
    Ok(out)
}

fn pack_with(format: &Format, values: &[&Object]) -> PyResult<Ref<Bytes>> {
    if values.len() != format.values {
        return Err(StructError::error(&format!(
            "pack expected {} items for packing (got {})",
            format.values,
            values.len()
        )));
    }
    Bytes::new(&packed(format, values)?)
}

/// Where something of `size` bytes stands in a buffer, counted from its end for negative offsets.
fn place(offset: isize, len: usize, size: usize, unpacking: bool) -> PyResult<usize> {
    let mut at = offset;
    if offset < 0 {
        if offset + (size as isize) > 0 {
            return Err(StructError::error(&if unpacking {
                format!("not enough data to unpack {size} bytes at offset {offset}")
            } else {
                format!("no space to pack {size} bytes at offset {offset}")
            }));
        }
        at = offset + len.cast_signed();
        if at < 0 {
            return Err(StructError::error(&format!("offset {offset} out of range for {len}-byte buffer")));
        }
    }
    let at = at.unsigned_abs();
    if len.checked_sub(at).is_none_or(|left| left < size) {
        let (function, verb) =
            if unpacking { ("unpack_from", "unpacking") } else { ("pack_into", "packing") };
        return Err(StructError::error(&format!(
            "{function} requires a buffer of at least {} bytes for {verb} {size} bytes at offset {at} \
             (actual buffer size is {len})",
            at.saturating_add(size)
        )));
    }
    Ok(at)
}

fn pack_into_with(format: &Format, args: &[&Object]) -> PyResult<()> {
    let Some(target) = args.first() else {
        return Err(StructError::error("pack_into expected buffer argument"));
    };
    let Some(offset) = args.get(1) else {
        return Err(StructError::error("pack_into expected offset argument"));
    };
    let values = &args[2..];
    if values.len() != format.values {
        return Err(StructError::error(&format!(
            "pack_into expected {} items for packing (got {})",
            format.values,
            values.len()
        )));
    }
    let wrong = || {
        raise!(
            PyExc_TypeError,
            "argument must be read-write bytes-like object, not {}",
            argument_name(target)
        )
    };
    if !has_buffer(target) {
        return Err(wrong());
    }
    let buffer = Buffer::writable(target)
        .map_err(|error| if error.is(&PyExc_BufferError) { wrong() } else { error })?;
    let offset = offset.to_index_clamped(Some(&PyExc_IndexError))?;
    let at = place(offset, buffer.len(), format.size, false)?;
    buffer.write_at(at, &packed(format, values)?);
    Ok(())
}

fn unpacked(format: &Format, data: &[u8]) -> PyResult<Ref<Tuple>> {
    let mut values = Vec::with_capacity(format.values);
    for item in &format.items {
        for index in 0..item.count {
            let at = item.offset + index * item.size;
            values.push(value::take(format, item, &data[at..at + item.size])?);
        }
    }
    Tuple::from_vec(values)
}

fn unpack_with(format: &Format, data: &Object) -> PyResult<Ref<Tuple>> {
    let buffer = Buffer::simple(data)?;
    if buffer.len() != format.size {
        return Err(StructError::error(&format!("unpack requires a buffer of {} bytes", format.size)));
    }
    unpacked(format, buffer.as_slice())
}

fn unpack_from_with(format: &Format, data: &Object, offset: Option<&Object>) -> PyResult<Ref<Tuple>> {
    let buffer = Buffer::simple(data)?;
    let offset = match offset {
        None => 0,
        Some(offset) => {
            let int = offset.to_index()?;
            let value = int.to_i64().and_then(|value| isize::try_from(value).ok());
            value.ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))?
        }
    };
    let at = place(offset, buffer.len(), format.size, true)?;
    unpacked(format, &buffer.as_slice()[at..at + format.size])
}

/// A `Struct`.
#[derive(Default)]
pub struct Struct {
    format: RefCell<Option<Rc<Format>>>,
    text: RefCell<String>,
}

static STRUCT: StaticType = StaticType::native(
    c"_struct.Struct",
    Native::<Struct>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_BASETYPE | abi::Py_TPFLAGS_MANAGED_WEAKREF,
);

impl Payload for Struct {
    const TYPE: &'static StaticType = &STRUCT;
}

type View = Native<Struct>;

impl Struct {
    fn format(&self) -> PyResult<Rc<Format>> {
        let format = self.format.borrow().clone();
        format.ok_or_else(|| err::runtime_error("Struct object is not initialized"))
    }
}

fn struct_init(this: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "Struct" "(format)", args, kwargs);
    let format = bound.required(0);
    let parsed = cached(format)?;
    let text = String::from_utf8_lossy(&format_text(format)?).into_owned();
    *this.text.borrow_mut() = text;
    *this.format.borrow_mut() = Some(parsed);
    Ok(())
}

/// An iterator over the structs of a buffer.
struct UnpackIterator {
    format: Rc<Format>,
    source: Field,
    at: Cell<usize>,
}

static UNPACK_ITERATOR: StaticType = StaticType::native(
    c"_struct.unpack_iterator",
    Native::<UnpackIterator>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for UnpackIterator {
    const TYPE: &'static StaticType = &UNPACK_ITERATOR;
    fn traverse(&self, visitor: &mut Visitor) {
        self.source.show(visitor);
    }
    fn clear(&self) {
        self.source.release();
    }
}

fn iter_unpack_with(format: Rc<Format>, data: &Object) -> PyResult<Ref<Native<UnpackIterator>>> {
    if format.size == 0 {
        return Err(StructError::error("cannot iteratively unpack with a struct of length 0"));
    }
    let buffer = Buffer::simple(data)?;
    if buffer.len() % format.size != 0 {
        return Err(StructError::error(&format!(
            "iterative unpacking requires a buffer of a multiple of {} bytes",
            format.size
        )));
    }
    // The view keeps the buffer acquired as long as the iterator lives.
    let view = PyMemoryView_Type.call(&[data])?;
    native_new(&UNPACK_ITERATOR, UnpackIterator { format, source: Field::new(Some(view)), at: Cell::new(0) })
}

fn iterator_next(it: &Native<UnpackIterator>) -> PyResult<Option<Ref>> {
    let Some(source) = it.source.get() else { return Ok(None) };
    let buffer = Buffer::simple(&source)?;
    let (at, size) = (it.at.get(), it.format.size);
    let Some(data) = buffer.as_slice().get(at..at + size) else {
        drop(buffer);
        it.source.set(None);
        return Ok(None);
    };
    it.at.set(at + size);
    unpacked(&it.format, data).map(|values| Some(values.upcast()))
}

fn iterator_left(it: &Native<UnpackIterator>) -> PyResult<usize> {
    let Some(source) = it.source.get() else { return Ok(0) };
    let buffer = Buffer::simple(&source)?;
    Ok(buffer.len().saturating_sub(it.at.get()) / it.format.size)
}

methods! {
    static ITERATOR_METHODS = {
        noargs "__length_hint__" "" = iterator_left, "How many structs are left.";
    }
}

static ITERATOR_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<UnpackIterator>::DEALLOC,
        Native::<UnpackIterator>::TRAVERSE,
        Native::<UnpackIterator>::CLEAR,
        tp_iter(|it: &Native<UnpackIterator>| it.object().new_ref()),
        tp_iternext(iterator_next),
    ],
    methods: ITERATOR_METHODS,
    ..TypeSpec::new(&UNPACK_ITERATOR)
};

/// What CPython's object takes: its head, and a row for each item and for the end.
const HEAD: usize = 56;
const ROW: usize = 32;

methods! {
    static STRUCT_METHODS = {
        one "iter_unpack" "($self, buffer, /)" = |s: &View, data: &Object| iter_unpack_with(s.format()?, data), "An iterator over the structs of a buffer.";
        many "pack" "" = |s: &View, values: &[&Object]| pack_with(&*s.format()?, values), "pack(v1, v2, ...) -> bytes: the values packed.";
        many "pack_into" "" = |s: &View, args: &[&Object]| pack_into_with(&*s.format()?, args), "pack_into(buffer, offset, v1, v2, ...): pack values into a buffer.";
        one "unpack" "($self, buffer, /)" = |s: &View, data: &Object| unpack_with(&*s.format()?, data), "The values in a buffer of exactly this size.";
        args "unpack_from" "($self, /, buffer, offset=0)" = |s: &View, a: &Args<'_>| unpack_from_with(&*s.format()?, a.required(0), a.get(1)), "The values at an offset of a buffer.";
        noargs "__sizeof__" "($self, /)" = |s: &View| s.format().map(|format| HEAD + (format.items.len() + 1) * ROW), "The bytes of memory that the object takes.";
    }
}

fn struct_repr(this: &View) -> PyResult<String> {
    this.format()?;
    Ok(format!("{}({})", this.object().ty().name(), Str::from_utf8(&this.text.borrow())?.repr()?.to_lossy()))
}

static STRUCT_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"Struct(format)\n--\n\nA parsed format, to pack and unpack with."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, Struct::default())),
        tp_init(struct_init),
        tp_repr(struct_repr),
    ],
    methods: STRUCT_METHODS,
    getset: &[
        getset_row(c"format", |s: &View| s.format().map(|_| s.text.borrow().clone()), c"the format string"),
        getset_row(
            c"size",
            |s: &View| s.format.borrow().as_ref().map_or(-1, |format| format.size.cast_signed()),
            c"the size in bytes",
        ),
    ],
    ..TypeSpec::new(&STRUCT)
};

fn first_is_format(args: &[&Object]) -> PyResult<(Rc<Format>, usize)> {
    match args.first() {
        Some(format) => Ok((cached(format)?, 1)),
        None => Err(value::missing("missing format argument")),
    }
}

fn pack(_: &Object, args: &[&Object]) -> PyResult<Ref<Bytes>> {
    let (format, from) = first_is_format(args)?;
    pack_with(&format, &args[from..])
}

fn pack_into(_: &Object, args: &[&Object]) -> PyResult<()> {
    let (format, from) = first_is_format(args)?;
    pack_into_with(&format, &args[from..])
}

fn clear_cache(_: &Object) {
    state::interp().extension(Cache::default).0.borrow_mut().clear();
}

methods! {
    static METHODS = {
        noargs "_clearcache" "($module, /)" = clear_cache, "Forget the formats that were parsed.";
        one "calcsize" "($module, format, /)" = |_: &Object, format: &Object| cached(format).map(|format| format.size), "The size in bytes of the struct of a format.";
        args "iter_unpack" "($module, format, buffer, /)" = |_: &Object, a: &Args<'_>| iter_unpack_with(cached(a.required(0))?, a.required(1)), "An iterator over the structs of a buffer.";
        many "pack" "" = pack, "pack(format, v1, v2, ...) -> bytes: the values packed.";
        many "pack_into" "" = pack_into, "pack_into(format, buffer, offset, v1, v2, ...): pack values into a buffer.";
        args "unpack" "($module, format, buffer, /)" = |_: &Object, a: &Args<'_>| unpack_with(&*cached(a.required(0))?, a.required(1)), "The values in a buffer of exactly the format's size.";
        args "unpack_from" "($module, format, /, buffer, offset=0)" = |_: &Object, a: &Args<'_>| unpack_from_with(&*cached(a.required(0))?, a.required(1), a.get(2)), "The values at an offset of a buffer.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    make_ready(&ITERATOR_SPEC)?;
    add_type(module, &STRUCT_SPEC)?;
    module.add("error", StructError::class()?)
}

/// `_struct`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_struct",
    doc: "Values packed into bytes and back.\n\nA format begins with its byte order: '@' native with alignment (the default),\n'=' native, '<' little-endian, '>' or '!' big-endian. Then come codes, each with\nan optional count: x pad byte; c char; b, B byte; ? bool; h, H short; i, I int;\nl, L long; q, Q long long; n, N size; e, f, d floats; F, D complex; s string; p\nPascal string; P pointer.",
    methods: METHODS,
    init,
};
