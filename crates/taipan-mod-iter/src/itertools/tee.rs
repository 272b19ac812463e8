//! `tee`.
//!
//! The items that were read stand in a chain of blocks. Each iterator knows its block and its place;
//! blocks that every iterator has left are released by themselves.

use crate::util::{Field, GC, no_keywords};
use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol::iter_next;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, err, intern, methods, raise};
use taipan_object::{bind, payload};

/// Items in a block.
const BLOCK: usize = 57;

pub struct TeeData {
    iterator: Field,
    values: RefCell<Vec<Ref>>,
    next: Field,
    running: Cell<bool>,
}
payload!(TeeData, TEE_DATA, c"itertools._tee_dataobject", GC, [iterator, values, next]);

pub struct Tee {
    data: Field,
    index: Cell<usize>,
}
payload!(Tee, TEE, c"itertools._tee", GC | abi::Py_TPFLAGS_MANAGED_WEAKREF, [data]);

fn new_data(iterator: &Object) -> PyResult<Ref<Native<TeeData>>> {
    let state = TeeData {
        iterator: Field::of(iterator),
        values: RefCell::default(),
        next: Field::default(),
        running: Cell::new(false),
    };
    native_new(&TEE_DATA, state)
}

impl TeeData {
    /// The item at a place: known already, or the next one of the iterator.
    fn item(&self, index: usize) -> PyResult<Option<Ref>> {
        if let Some(item) = self.values.borrow().get(index) {
            return Ok(Some(item.clone()));
        }
        if self.running.get() {
            return Err(err::runtime_error("cannot re-enter the tee iterator"));
        }
        let Some(iterator) = self.iterator.get() else { return Ok(None) };
        self.running.set(true);
        let item = iter_next(&iterator);
        self.running.set(false);
        let Some(item) = item? else { return Ok(None) };
        self.values.borrow_mut().push(item.clone());
        Ok(Some(item))
    }

    /// The block after this full one.
    fn following(&self) -> PyResult<Option<Ref>> {
        if let Some(next) = self.next.get() {
            return Ok(Some(next));
        }
        let Some(iterator) = self.iterator.get() else { return Ok(None) };
        let next = new_data(&iterator)?.upcast();
        self.next.set(Some(next.clone()));
        Ok(Some(next))
    }
}

fn tee_over(iterable: &Object) -> PyResult<Ref<Native<Tee>>> {
    let iterator = iterable.iter()?;
    if let Some(tee) = iterator.downcast::<Native<Tee>>() {
        return copy(tee);
    }
    let data = Field::new(Some(new_data(&iterator)?.upcast()));
    native_new(&TEE, Tee { data, index: Cell::new(0) })
}

fn copy(tee: &Native<Tee>) -> PyResult<Ref<Native<Tee>>> {
    native_new(&TEE, Tee { data: Field::new(tee.data.get()), index: Cell::new(tee.index.get()) })
}

fn tee_new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<Tee>(ty, "_tee", kwargs)?;
    bind!(bound = "_tee" "(iterable, /)", args, None);
    tee_over(bound.required(0))?.into_py()
}

fn tee_next(tee: &Native<Tee>) -> PyResult<Option<Ref>> {
    if tee.index.get() >= BLOCK {
        let Some(data) = tee.data.get() else { return Ok(None) };
        let next = data.downcast::<Native<TeeData>>().map_or(Ok(None), |data| data.following())?;
        tee.data.set(next);
        tee.index.set(0);
    }
    let Some(data) = tee.data.get() else { return Ok(None) };
    let Some(data) = data.downcast::<Native<TeeData>>() else { return Ok(None) };
    let item = data.item(tee.index.get())?;
    if item.is_some() {
        tee.index.set(tee.index.get() + 1);
    }
    Ok(item)
}

fn data_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    no_keywords::<TeeData>(&TEE_DATA, "teedataobject", kwargs)?;
    bind!(bound = "teedataobject" "(iterable, values, next, /)", args, None);
    let values = bound.required(1);
    let Some(list) = values.downcast::<List>() else {
        return Err(raise!(
            PyExc_TypeError,
            "teedataobject() argument 2 must be list, not {}",
            values.ty().message_name()
        ));
    };
    let (values, next) = (list.to_vec(), bound.get_some(2));
    if values.len() > BLOCK {
        return Err(err::value_error("Invalid arguments"));
    }
    if let Some(next) = next
        && (values.len() != BLOCK || next.downcast::<Native<TeeData>>().is_none())
    {
        let message = if values.len() == BLOCK {
            "_tee_dataobject next link must be None or _tee_dataobject"
        } else {
            "_tee_dataobject shouldn't have a next if not full"
        };
        return Err(if values.len() == BLOCK { err::type_error(message) } else { err::value_error(message) });
    }
    let data = new_data(bound.required(0))?;
    data.values.replace(values);
    data.next.set(next.map(Object::new_ref));
    data.into_py()
}

/// `tee(iterable, n=2)`.
pub(super) fn tee(_: &Object, args: &Args<'_>) -> PyResult {
    let count = args.isize_or(1, 2)?;
    if count < 0 {
        return Err(err::value_error("n must be >= 0"));
    }
    let mut all: Vec<Ref> = Vec::new();
    all.try_reserve_exact(count.unsigned_abs()).map_err(|_| err::memory_error())?;
    if count > 0 {
        let first = tee_over(args.required(0))?;
        let copy = first.object().getattr(intern!("__copy__"))?;
        all.push(first.upcast());
        while all.len() < count.unsigned_abs() {
            all.push(copy.call(&[])?);
        }
    }
    Tuple::from_vec(all)?.into_py()
}

methods! {
    static TEE_METHODS = {
        noargs "__copy__" "($self, /)" = copy, "Another iterator at the same place.";
    }
}

iterator!(
    TEE_SPEC,
    Tee,
    TEE,
    c"_tee(iterable, /)\n--\n\nAn iterator that can be copied at its place.",
    tee_new,
    tee_next,
    methods TEE_METHODS
);

pub(super) static DATA_SPEC: TypeSpec = TypeSpec {
    doc: Some(c"teedataobject(iterable, values, next, /)\n--\n\nItems that iterators made by tee() share."),
    slots: &[
        tp_new(data_new),
        Native::<TeeData>::DEALLOC,
        Native::<TeeData>::TRAVERSE,
        Native::<TeeData>::CLEAR,
    ],
    ..TypeSpec::new(&TEE_DATA)
};
