//! Iterators of `bytes` and `bytearray`.

use super::Bytelike;
use core::cell::Cell;
use taipan_object::bytes::{ByteArray, Bytes};
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::statics::{PyByteArrayIter_Type, PyBytesIter_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Layout, Object, PyResult, Ref, methods};

/// Where an iterator stands; the object is gone once the iteration has ended.
pub struct Position<T: Layout> {
    index: Cell<usize>,
    object: Cell<Option<Ref<T>>>,
}

impl<T: Bytelike> Position<T> {
    fn new(object: &T) -> Self {
        Self { index: Cell::new(0), object: Cell::new(Some(Ref::of(object))) }
    }

    fn object(&self) -> Option<Ref<T>> {
        let object = self.object.take();
        self.object.set(object.clone());
        object
    }

    fn next(&self) -> PyResult<Option<Ref>> {
        let Some(object) = self.object() else { return Ok(None) };
        let index = self.index.get();
        match object.data().get(index) {
            Some(&byte) => {
                self.index.set(index + 1);
                i64::from(byte).into_py().map(Some)
            }
            None => {
                drop(self.object.take());
                Ok(None)
            }
        }
    }

    fn left(&self) -> usize {
        self.object().map_or(0, |object| object.data().len().saturating_sub(self.index.get()))
    }

    fn reduce(&self) -> PyResult<Ref<Tuple>> {
        let iter = protocol::builtin("iter")?;
        match self.object() {
            Some(object) => Tuple::from_array([
                iter,
                Tuple::from_array([object.upcast()])?.upcast(),
                self.index.get().into_py()?,
            ]),
            None => Tuple::from_array([iter, Tuple::from_array([Tuple::empty().upcast()])?.upcast()]),
        }
    }

    fn set_state(&self, state: &Object) -> PyResult<()> {
        let index = usize::try_from(state.to_isize()?).unwrap_or(0);
        if let Some(object) = self.object() {
            self.index.set(index.min(object.data().len()));
        }
        Ok(())
    }
}

/// An iterator over bytes.
pub struct BytesIter(Position<Bytes>);
/// An iterator over a bytearray.
pub struct ByteArrayIter(Position<ByteArray>);

macro_rules! iterator {
    ($payload:ident, $type:expr, $spec:ident, $table:ident) => {
        impl Payload for $payload {
            const TYPE: &'static StaticType = &$type;
            fn traverse(&self, visitor: &mut Visitor) {
                visitor.visit_opt(self.0.object().as_ref());
            }
            fn clear(&self) {
                drop(self.0.object.take());
            }
        }
        const _: () = assert!(Native::<$payload>::SIZE <= 32);

        methods! {
            static $table = {
                noargs "__length_hint__" "($self, /)" = |it: &Native<$payload>| it.0.left(), "How many bytes are left.";
                noargs "__reduce__" "($self, /)" = |it: &Native<$payload>| it.0.reduce(), "For pickling.";
                one "__setstate__" "($self, state, /)" = |it: &Native<$payload>, state: &Object| it.0.set_state(state), "For unpickling: go on at this index.";
            }
        }

        #[doc = concat!("The iterator type `", stringify!($payload), "`.")]
        pub static $spec: TypeSpec = TypeSpec {
            slots: &[
                Native::<$payload>::DEALLOC,
                Native::<$payload>::TRAVERSE,
                Native::<$payload>::CLEAR,
                tp_iter(|it: &Native<$payload>| it.object().new_ref()),
                tp_iternext(|it: &Native<$payload>| it.0.next()),
            ],
            methods: $table,
            ..TypeSpec::new(&$type)
        };
    };
}

iterator!(BytesIter, PyBytesIter_Type, BYTES_ITER_SPEC, BYTES_TABLE);
iterator!(ByteArrayIter, PyByteArrayIter_Type, BYTEARRAY_ITER_SPEC, BYTEARRAY_TABLE);

pub(super) fn bytes_iter(bytes: &Bytes) -> PyResult<Ref> {
    native_new(&PyBytesIter_Type, BytesIter(Position::new(bytes))).map(Ref::upcast)
}

pub(super) fn bytearray_iter(bytes: &ByteArray) -> PyResult<Ref> {
    native_new(&PyByteArrayIter_Type, ByteArrayIter(Position::new(bytes))).map(Ref::upcast)
}
