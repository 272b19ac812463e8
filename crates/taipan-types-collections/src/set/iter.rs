//! Iterators over sets.

use super::table::AnySet;
use crate::util::{self, Field};
use core::cell::Cell;
use taipan_object::err::{PyResult, runtime_error};
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::statics::{PySetIter_Type, StaticType};
use taipan_object::{Ref, TypeSpec};

/// The state: the set, its size in the beginning (-1 once it was seen to have changed), the next
/// place, and how many elements are left.
struct SetIterator {
    set: Field,
    used: Cell<isize>,
    position: Cell<usize>,
    left: Cell<usize>,
}
const _: () = assert!(Native::<SetIterator>::SIZE <= 48);

impl Payload for SetIterator {
    const TYPE: &'static StaticType = &PySetIter_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.set.visit(visitor);
    }
}

/// `iter(set)`.
///
/// # Errors
/// `MemoryError`.
pub fn new(set: &AnySet) -> PyResult {
    let state = SetIterator {
        set: Field::of(set),
        used: Cell::new(set.len().cast_signed()),
        position: Cell::new(0),
        left: Cell::new(set.len()),
    };
    Ok(native_new(&PySetIter_Type, state)?.upcast())
}

impl SetIterator {
    fn set(&self) -> Option<Ref<AnySet>> {
        // SAFETY: the field only ever holds a set.
        self.set.get().map(|set| unsafe { set.cast_owned() })
    }

    fn step(&self) -> PyResult<Option<Ref>> {
        let Some(set) = self.set() else { return Ok(None) };
        if self.used.get() != set.len().cast_signed() {
            self.used.set(-1);
            return Err(runtime_error("Set changed size during iteration"));
        }
        let mut position = self.position.get();
        let item = set.next(&mut position);
        self.position.set(position);
        match item {
            Some((item, _)) => {
                self.left.set(self.left.get().saturating_sub(1));
                Ok(Some(item))
            }
            None => {
                self.set.take();
                Ok(None)
            }
        }
    }
}

fn length_hint(it: &Native<SetIterator>) -> usize {
    match it.set() {
        Some(set) if it.used.get() == set.len().cast_signed() => it.left.get(),
        _ => 0,
    }
}

fn reduce(it: &Native<SetIterator>) -> PyResult {
    let ahead = SetIterator {
        set: Field::new(it.set.get()),
        used: Cell::new(it.used.get()),
        position: Cell::new(it.position.get()),
        left: Cell::new(it.left.get()),
    };
    let rest = List::new()?;
    while let Some(item) = ahead.step()? {
        rest.append(item)?;
    }
    util::reduced(protocol::builtin("iter")?, &[&rest], None)
}

taipan_object::methods! { static METHODS = {
    noargs "__length_hint__" "($self, /)" = length_hint, "How many elements are left, as far as is known.";
    noargs "__reduce__" "($self, /)" = reduce, "Describe the iterator for pickling: the elements that are left.";
} }

/// `set_iterator`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<SetIterator>::DEALLOC,
        Native::<SetIterator>::TRAVERSE,
        tp_iter(util::own_iterator),
        tp_iternext(|it: &Native<SetIterator>| it.step()),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PySetIter_Type)
};
