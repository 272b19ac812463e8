//! `pickle.PickleBuffer`: a buffer that may travel beside the pickle instead of in it.

use core::cell::RefCell;
use taipan_object::buffer::Buffer;
use taipan_object::dict::Dict;
use taipan_object::native::*;
use taipan_object::statics::{PyExc_TypeError, PyMemoryView_Type, PyPickleBuffer_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, err, payload, raise};

/// The view is taken once; nothing after a release.
pub struct PickleBuffer {
    held: RefCell<Option<Buffer>>,
}

impl Payload for PickleBuffer {
    const TYPE: &'static StaticType = &PyPickleBuffer_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        if let Some(owner) = self.held.borrow().as_ref().and_then(Buffer::owner) {
            visitor.visit_object(owner);
        }
    }
    fn clear(&self) {
        release(self);
    }
}

/// The instance.
pub type View = Native<PickleBuffer>;

// Instances have the size of CPython's; code in C reaches the view by functions only.
const _: () = assert!(View::SIZE <= 96);

fn release(buffer: &PickleBuffer) {
    // Released after it has left its place: that may run Python code.
    let old = buffer.held.take();
    drop(old);
}

/// The object whose memory is viewed.
///
/// # Errors
/// `ValueError` after a release.
pub fn owner(buffer: &View) -> PyResult<Ref> {
    buffer
        .held
        .borrow()
        .as_ref()
        .and_then(Buffer::owner)
        .map(Object::new_ref)
        .ok_or_else(|| err::value_error("operation forbidden on released PickleBuffer object"))
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(err::type_error("PickleBuffer() takes no keyword arguments"));
    }
    let [object] = args.items() else {
        return Err(raise!(
            PyExc_TypeError,
            "PickleBuffer() takes exactly 1 positional argument ({} given)",
            args.len()
        ));
    };
    let held = Buffer::get(object, abi::PyBUF_FULL_RO)?;
    Ok(native_new(ty, PickleBuffer { held: RefCell::new(Some(held)) })?.upcast())
}

/// What views made by `raw()` are views of.
pub struct RawBytes {
    buffer: Ref<View>,
}
payload!(RawBytes, RAW_BYTES, c"_pickle.RawBytes", GC, [buffer]);

const EXPORT_BYTES: Slot = bf_forward_bytes(|bytes: &Native<RawBytes>| owner(&bytes.buffer));

pub static RAW_BYTES_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<RawBytes>::DEALLOC,
        Native::<RawBytes>::TRAVERSE,
        Native::<RawBytes>::CLEAR,
        EXPORT_BYTES,
    ],
    ..TypeSpec::new(&RAW_BYTES)
};

/// A view of the memory as plain bytes.
///
/// # Errors
/// `ValueError` after a release, `BufferError` when the memory is not in one piece.
pub fn raw(buffer: &View) -> PyResult {
    owner(buffer)?;
    let bytes = native_new(&RAW_BYTES, RawBytes { buffer: Ref::of(buffer) })?;
    Ok(PyMemoryView_Type.call(&[bytes.object()])?.upcast())
}

taipan_object::methods! {
    static METHODS = {
        noargs "raw" "($self, /)" = raw, "A memoryview of the memory as plain bytes.";
        noargs "release" "($self, /)" = |buffer: &View| release(buffer), "Give the memory back.";
    }
}

const EXPORT: Slot = bf_forward(owner);

pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"PickleBuffer(object)\n--\n\nA buffer that may be pickled out of band."),
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR, tp_new(new), EXPORT],
    methods: METHODS,
    ..TypeSpec::new(&PyPickleBuffer_Type)
};
