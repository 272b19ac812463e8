//! The six iterators over dicts: keys, values and items, forwards and backwards.
//!
//! An iterator remembers how many items the dict had: a dict of another size has been changed, and
//! so has one that shows more items than it had.

use crate::util::{self, Field, LastPair};
use core::cell::Cell;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, runtime_error};
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::{Ref, TypeSpec};

/// What an iterator gives of each item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Value,
    Item,
}

/// The state that all six share.
struct State {
    dict: Field,
    /// The dict's size when the iteration began; -1 once it was seen to have changed.
    used: Cell<isize>,
    /// The number of the next entry, or the one behind it when going backwards.
    position: Cell<usize>,
    /// Items left.
    left: Cell<usize>,
    pair: LastPair,
}

impl State {
    fn forward(dict: &Dict) -> Self {
        let len = dict.len();
        Self {
            dict: Field::of(dict),
            used: Cell::new(len.cast_signed()),
            position: Cell::new(0),
            left: Cell::new(len),
            pair: LastPair::new(),
        }
    }

    fn backward(dict: &Dict) -> Self {
        let state = Self::forward(dict);
        state.position.set(dict.entry_count());
        state
    }

    fn dict(&self) -> Option<Ref<Dict>> {
        // SAFETY: the field only ever holds a dict.
        self.dict.get().map(|dict| unsafe { dict.cast_owned() })
    }

    fn step(&self, part: Part, backward: bool) -> PyResult<Option<Ref>> {
        let Some(dict) = self.dict() else { return Ok(None) };
        if self.used.get() != dict.len().cast_signed() {
            self.used.set(-1);
            return Err(runtime_error("dictionary changed size during iteration"));
        }
        let mut position = self.position.get();
        if backward && position > dict.entry_count() {
            // The dict was emptied and filled anew.
            self.dict.take();
            return Ok(None);
        }
        let item = if backward { dict.next_back(&mut position) } else { dict.next(&mut position) };
        self.position.set(position);
        let Some((key, value)) = item else {
            self.pair.forget();
            self.dict.take();
            return Ok(None);
        };
        if self.left.get() == 0 {
            self.dict.take();
            return Err(runtime_error("dictionary keys changed during iteration"));
        }
        self.left.set(self.left.get() - 1);
        Ok(Some(match part {
            Part::Key => key,
            Part::Value => value,
            Part::Item => self.pair.next(key, value)?,
        }))
    }

    fn length_hint(&self) -> usize {
        match self.dict() {
            Some(dict) if self.used.get() == dict.len().cast_signed() => self.left.get(),
            _ => 0,
        }
    }

    /// The rest of the items as a list, without moving on.
    fn reduce(&self, part: Part, backward: bool) -> PyResult {
        let ahead = State {
            dict: Field::new(self.dict.get()),
            used: Cell::new(self.used.get()),
            position: Cell::new(self.position.get()),
            left: Cell::new(self.left.get()),
            pair: LastPair::new(),
        };
        let rest = List::new()?;
        while let Some(item) = ahead.step(part, backward)? {
            rest.append(item)?;
        }
        util::reduced(protocol::builtin("iter")?, &[&rest], None)
    }
}

macro_rules! dict_iterator {
    ($payload:ident, $spec:ident, $ty:ident, $part:expr, $backward:literal, $make:ident, $doc:literal) => {
        struct $payload(State);
        const _: () = assert!(Native::<$payload>::SIZE <= 56);
        impl Payload for $payload {
            const TYPE: &'static StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                self.0.dict.visit(visitor);
                self.0.pair.visit(visitor);
            }
        }
        #[doc = $doc]
        pub static $spec: TypeSpec = TypeSpec {
            slots: &[
                Native::<$payload>::DEALLOC,
                Native::<$payload>::TRAVERSE,
                tp_iter(util::own_iterator),
                tp_iternext(|it: &Native<$payload>| it.0.step($part, $backward)),
            ],
            methods: {
                taipan_object::methods! { static METHODS = {
                    noargs "__length_hint__" "($self, /)" = |it: &Native<$payload>| it.0.length_hint(), "How many items are left, as far as is known.";
                    noargs "__reduce__" "($self, /)" = |it: &Native<$payload>| it.0.reduce($part, $backward), "Describe the iterator for pickling: the items that are left.";
                } }
                METHODS
            },
            ..TypeSpec::new(&$ty)
        };
        /// A new iterator.
        ///
        /// # Errors
        /// `MemoryError`.
        pub fn $make(dict: &Dict) -> PyResult {
            let state = if $backward { State::backward(dict) } else { State::forward(dict) };
            Ok(native_new(&$ty, $payload(state))?.upcast())
        }
    };
}

dict_iterator!(Keys, KEYS, PyDictIterKey_Type, Part::Key, false, keys, "`dict_keyiterator`.");
dict_iterator!(Values, VALUES, PyDictIterValue_Type, Part::Value, false, values, "`dict_valueiterator`.");
dict_iterator!(Items, ITEMS, PyDictIterItem_Type, Part::Item, false, items, "`dict_itemiterator`.");
dict_iterator!(
    BackKeys,
    BACK_KEYS,
    PyDictRevIterKey_Type,
    Part::Key,
    true,
    reversed_keys,
    "`dict_reversekeyiterator`."
);
dict_iterator!(
    BackValues,
    BACK_VALUES,
    PyDictRevIterValue_Type,
    Part::Value,
    true,
    reversed_values,
    "`dict_reversevalueiterator`."
);
dict_iterator!(
    BackItems,
    BACK_ITEMS,
    PyDictRevIterItem_Type,
    Part::Item,
    true,
    reversed_items,
    "`dict_reverseitemiterator`."
);

/// All of them.
pub static ALL: [&TypeSpec; 6] = [&KEYS, &VALUES, &ITEMS, &BACK_KEYS, &BACK_VALUES, &BACK_ITEMS];
