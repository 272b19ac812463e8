//! Iterators of strs.

use core::cell::Cell;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::statics::{PyUnicodeIter_Type, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Str, empty};
use taipan_object::{Object, PyResult, Ref, methods};

/// The type of iterators over ASCII strs.
pub static STR_ASCII_ITER: StaticType =
    StaticType::native(c"str_ascii_iterator", Native::<StrAsciiIter>::SIZE, taipan_abi::Py_TPFLAGS_HAVE_GC);

/// Where an iterator stands.
struct Position {
    index: Cell<usize>,
    /// Gone once the iteration has ended.
    text: Cell<Option<Ref<Str>>>,
}

impl Position {
    fn text(&self) -> Option<Ref<Str>> {
        let text = self.text.take();
        self.text.set(text.clone());
        text
    }

    fn next(&self) -> PyResult<Option<Ref>> {
        let Some(text) = self.text() else { return Ok(None) };
        let index = self.index.get();
        let chars = text.chars();
        if index >= chars.len() {
            let ended = self.text.take();
            drop(ended);
            return Ok(None);
        }
        self.index.set(index + 1);
        super::char_str(chars.at(index)).map(|c| Some(c.upcast()))
    }

    fn left(&self) -> usize {
        self.text().as_ref().map_or(0, |text| text.len().saturating_sub(self.index.get()))
    }

    fn reduce(&self) -> PyResult<Ref<Tuple>> {
        let iter = protocol::builtin("iter")?;
        let text = self.text();
        match text {
            Some(text) => Tuple::from_array([
                iter,
                Tuple::from_array([text.upcast()])?.upcast(),
                self.index.get().into_py()?,
            ]),
            None => Tuple::from_array([iter, Tuple::from_array([empty().new_ref()])?.upcast()]),
        }
    }

    fn set_state(&self, state: &Object) -> PyResult<()> {
        let index = usize::try_from(state.to_isize()?).unwrap_or(0);
        let len = self.text().as_ref().map(|text| text.len());
        if let Some(len) = len {
            self.index.set(index.min(len));
        }
        Ok(())
    }
}

/// An iterator over any str.
pub struct StrIter(Position);
/// An iterator over an ASCII str.
pub struct StrAsciiIter(Position);

macro_rules! iterator {
    ($payload:ident, $type:expr, $spec:ident, $table:ident) => {
        impl Payload for $payload {
            const TYPE: &'static StaticType = &$type;
            fn traverse(&self, visitor: &mut Visitor) {
                visitor.visit_opt(self.0.text().as_ref());
            }
            fn clear(&self) {
                let old = self.0.text.take();
                drop(old);
            }
        }

        methods! {
            static $table = {
                noargs "__length_hint__" "($self, /)" = |it: &Native<$payload>| it.0.left(), "How many characters are left.";
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

iterator!(StrIter, PyUnicodeIter_Type, ITER_SPEC, ITER_TABLE);
iterator!(StrAsciiIter, STR_ASCII_ITER, ASCII_ITER_SPEC, ASCII_ITER_TABLE);
const _: () = assert!(Native::<StrIter>::SIZE <= 32);

/// `iter(text)`.
pub(super) fn iter(text: &Str) -> PyResult<Ref> {
    let position = Position { index: Cell::new(0), text: Cell::new(Some(Ref::of(text))) };
    if text.is_ascii() {
        native_new(&STR_ASCII_ITER, StrAsciiIter(position)).map(Ref::upcast)
    } else {
        native_new(&PyUnicodeIter_Type, StrIter(position)).map(Ref::upcast)
    }
}
