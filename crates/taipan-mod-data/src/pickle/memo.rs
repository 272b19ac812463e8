//! What picklers and unpicklers remember, and the objects through which Python code sees it.

use super::pickler::Pickler;
use super::unpickler::Unpickler;
use core::cell::RefCell;
use std::collections::HashMap;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::statics::{PyDict_Type, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, TypeSpec, err, payload, protocol, raise};

/// Objects by address, with their numbers; the objects are kept alive. Nothing is ever taken out, so
/// that a place once free is free for good: probing needs no marks.
#[derive(Default)]
pub struct Memo {
    /// Address and number; an address of 0 is a free place. The length is a power of two.
    places: Vec<(usize, usize)>,
    objects: Vec<Ref>,
}

impl Memo {
    /// Where an address stands or belongs; there must be places.
    #[inline]
    fn place(&self, address: usize) -> usize {
        let mask = self.places.len() - 1;
        let mut place = (address >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(20) & mask;
        while self.places[place].0 != address && self.places[place].0 != 0 {
            place = (place + 1) & mask;
        }
        place
    }

    #[inline]
    fn get(&self, object: &Object) -> Option<usize> {
        let address = object.as_ptr().addr();
        if self.places.is_empty() {
            return None;
        }
        let (found, number) = self.places[self.place(address)];
        (found == address).then_some(number)
    }

    fn grow(&mut self) {
        let len = (self.places.len() * 4).max(64);
        let old = core::mem::replace(&mut self.places, vec![(0, 0); len]);
        for (address, number) in old.into_iter().filter(|&(address, _)| address != 0) {
            let place = self.place(address);
            self.places[place] = (address, number);
        }
    }

    fn insert(&mut self, number: usize, object: Ref) {
        if self.objects.len() * 3 >= self.places.len() * 2 {
            self.grow();
        }
        let address = object.as_ptr().addr();
        let place = self.place(address);
        if self.places[place].0 == 0 {
            self.objects.push(object);
        }
        self.places[place] = (address, number);
    }

    fn all(&self) -> Vec<(usize, Ref)> {
        self.objects.iter().filter_map(|object| Some((self.get(object)?, object.clone()))).collect()
    }
}

/// Releases a map's contents while it is already empty: what is released may look at it again.
fn release<T: Default>(cell: &RefCell<T>) {
    drop(cell.take());
}

/// The memo of a pickler.
#[derive(Default)]
pub struct PickleMemo(pub RefCell<Memo>);

impl PickleMemo {
    #[inline]
    pub fn get(&self, object: &Object) -> Option<usize> {
        self.0.borrow().get(object)
    }

    /// Remembers an object under the next number.
    #[inline]
    pub fn put(&self, object: &Object) -> usize {
        let mut memo = self.0.borrow_mut();
        let number = memo.objects.len();
        memo.insert(number, object.new_ref());
        number
    }

    pub fn clear(&self) {
        release(&self.0);
    }

    fn to_dict(&self) -> PyResult<Ref<Dict>> {
        let all = self.0.borrow().all();
        let dict = Dict::new()?;
        for (number, object) in all {
            let key = Int::from_usize(object.as_ptr().addr());
            let pair = Tuple::from_array([Int::from_usize(number).upcast(), object])?;
            dict.set(&key, &pair)?;
        }
        Ok(dict)
    }
}

impl Held for PickleMemo {
    fn show(&self, visitor: &mut Visitor) {
        self.0.borrow().objects.iter().for_each(|object| visitor.visit(object));
    }
    fn release(&self) {
        self.clear();
    }
}

/// The memo of an unpickler. Numbers are dense when a pickler has made them; whatever is far beyond
/// the end goes to a map, so that a hostile stream cannot ask for room it does not fill.
#[derive(Default)]
pub struct Numbered {
    dense: Vec<Option<Ref>>,
    sparse: HashMap<usize, Ref>,
    count: usize,
}

/// How far beyond the end the dense part may be extended at once.
const GAP: usize = 1024;

#[derive(Default)]
pub struct UnpickleMemo(RefCell<Numbered>);

impl UnpickleMemo {
    pub fn get(&self, number: usize) -> Option<Ref> {
        let memo = self.0.borrow();
        match memo.dense.get(number) {
            Some(Some(object)) => Some(object.clone()),
            _ => memo.sparse.get(&number).cloned(),
        }
    }

    /// How many numbers are taken.
    pub fn count(&self) -> usize {
        self.0.borrow().count
    }

    #[inline]
    pub fn put(&self, number: usize, object: Ref) {
        let mut guard = self.0.borrow_mut();
        let memo = &mut *guard;
        let len = memo.dense.len();
        let old = if number < len {
            memo.dense[number].replace(object)
        } else if number == len && memo.sparse.is_empty() {
            memo.dense.push(Some(object));
            None
        } else if number - len < GAP && memo.sparse.is_empty() {
            memo.dense.resize(number + 1, None);
            memo.dense[number].replace(object)
        } else {
            memo.sparse.insert(number, object)
        };
        memo.count += usize::from(old.is_none());
        drop(guard);
        drop(old);
    }

    pub fn clear(&self) {
        release(&self.0);
    }

    fn all(&self) -> Vec<(usize, Ref)> {
        let memo = self.0.borrow();
        let dense = memo.dense.iter().enumerate();
        let mut all: Vec<(usize, Ref)> =
            dense.filter_map(|(number, object)| Some((number, object.clone()?))).collect();
        all.extend(memo.sparse.iter().map(|(number, object)| (*number, object.clone())));
        all
    }

    fn to_dict(&self) -> PyResult<Ref<Dict>> {
        let dict = Dict::new()?;
        for (number, object) in self.all() {
            dict.set(&Int::from_usize(number), &object)?;
        }
        Ok(dict)
    }
}

impl Held for UnpickleMemo {
    fn show(&self, visitor: &mut Visitor) {
        let memo = self.0.borrow();
        memo.dense.iter().flatten().chain(memo.sparse.values()).for_each(|object| visitor.visit(object));
    }
    fn release(&self) {
        self.clear();
    }
}

/// `_pickle.PicklerMemoProxy`.
pub struct PicklerMemo {
    pickler: Ref<Native<Pickler>>,
}
payload!(PicklerMemo, PICKLER_MEMO, c"_pickle.PicklerMemoProxy", GC, [pickler]);

/// `_pickle.UnpicklerMemoProxy`.
pub struct UnpicklerMemo {
    unpickler: Ref<Native<Unpickler>>,
}
payload!(UnpicklerMemo, UNPICKLER_MEMO, c"_pickle.UnpicklerMemoProxy", GC, [unpickler]);

fn reduced(copy: Ref<Dict>) -> PyResult<Ref<Tuple>> {
    let args = Tuple::from_array([copy.upcast()])?;
    Tuple::from_array([PyDict_Type.new_ref().upcast(), args.upcast()])
}

taipan_object::methods! {
    static PICKLER_METHODS = {
        noargs "clear" "($self, /)" = |proxy: &Native<PicklerMemo>| proxy.pickler.memo.clear(), "Forget everything.";
        noargs "copy" "($self, /)" = |proxy: &Native<PicklerMemo>| proxy.pickler.memo.to_dict(), "A dict of numbers and objects by identity.";
        noargs "__reduce__" "($self, /)" = |proxy: &Native<PicklerMemo>| reduced(proxy.pickler.memo.to_dict()?), "How this is pickled: as a dict.";
    }
}

taipan_object::methods! {
    static UNPICKLER_METHODS = {
        noargs "clear" "($self, /)" = |proxy: &Native<UnpicklerMemo>| proxy.unpickler.memo.clear(), "Forget everything.";
        noargs "copy" "($self, /)" = |proxy: &Native<UnpicklerMemo>| proxy.unpickler.memo.to_dict(), "A dict of objects by number.";
        noargs "__reduce__" "($self, /)" = |proxy: &Native<UnpicklerMemo>| reduced(proxy.unpickler.memo.to_dict()?), "How this is pickled: as a dict.";
    }
}

pub static PICKLER_MEMO_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<PicklerMemo>::DEALLOC,
        Native::<PicklerMemo>::TRAVERSE,
        Native::<PicklerMemo>::CLEAR,
        raw_hash(protocol::PyObject_HashNotImplemented),
    ],
    methods: PICKLER_METHODS,
    ..TypeSpec::new(&PICKLER_MEMO)
};

pub static UNPICKLER_MEMO_SPEC: TypeSpec = TypeSpec {
    slots: &[
        Native::<UnpicklerMemo>::DEALLOC,
        Native::<UnpicklerMemo>::TRAVERSE,
        Native::<UnpicklerMemo>::CLEAR,
        raw_hash(protocol::PyObject_HashNotImplemented),
    ],
    methods: UNPICKLER_METHODS,
    ..TypeSpec::new(&UNPICKLER_MEMO)
};

/// `Pickler.memo`.
pub fn pickler_memo(pickler: &Native<Pickler>) -> PyResult<Ref<Native<PicklerMemo>>> {
    native_new(&PICKLER_MEMO, PicklerMemo { pickler: Ref::of(pickler) })
}

/// `Unpickler.memo`.
pub fn unpickler_memo(unpickler: &Native<Unpickler>) -> PyResult<Ref<Native<UnpicklerMemo>>> {
    native_new(&UNPICKLER_MEMO, UnpicklerMemo { unpickler: Ref::of(unpickler) })
}

/// Sets `Pickler.memo` from another pickler's or from a dict.
pub fn set_pickler_memo(pickler: &Native<Pickler>, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(err::type_error("attribute deletion is not supported")) };
    let mut memo = Memo::default();
    if let Some(proxy) = value.downcast::<Native<PicklerMemo>>() {
        for (number, object) in proxy.pickler.memo.0.borrow().all() {
            memo.insert(number, object);
        }
    } else if let Some(dict) = value.downcast::<Dict>() {
        for (_, pair) in dict.items_vec() {
            let pair = pair.downcast::<Tuple>().filter(|pair| pair.len() == 2);
            let Some([number, object]) = pair.map(Tuple::items) else {
                return Err(err::type_error("'memo' values must be 2-item tuples"));
            };
            let number = number.to_isize()?.cast_unsigned();
            memo.insert(number, object.new_ref());
        }
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "'memo' attribute must be a PicklerMemoProxy object or dict, not {}",
            value.ty().message_name()
        ));
    }
    let old = pickler.memo.0.replace(memo);
    drop(old);
    Ok(())
}

/// Sets `Unpickler.memo` from another unpickler's or from a dict.
pub fn set_unpickler_memo(unpickler: &Native<Unpickler>, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(err::type_error("attribute deletion is not supported")) };
    let memo = UnpickleMemo::default();
    if let Some(proxy) = value.downcast::<Native<UnpicklerMemo>>() {
        for (number, object) in proxy.unpickler.memo.all() {
            memo.put(number, object);
        }
    } else if let Some(dict) = value.downcast::<Dict>() {
        for (number, object) in dict.items_vec() {
            if number.downcast::<Int>().is_none() {
                return Err(err::type_error("memo key must be integers"));
            }
            let number = usize::try_from(number.to_isize()?)
                .map_err(|_| err::value_error("memo key must be positive integers."))?;
            memo.put(number, object);
        }
    } else {
        return Err(raise!(
            PyExc_TypeError,
            "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {}",
            value.ty().message_name()
        ));
    }
    let old = unpickler.memo.0.replace(memo.0.take());
    drop(old);
    Ok(())
}
