//! `deque` and its iterators: a ring of items, and a counter of changes that iterators watch.

use super::deque_methods::METHODS;
use crate::util::{Field, GC, GC_BASE, Held};
use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use taipan_object::dict::Dict;
use taipan_object::err::{self, PyErr, memory_error, runtime_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::{iter_next, repr_guard, richcompare, richcompare_bool};
use taipan_object::singletons::not_implemented;
use taipan_object::statics::{PyExc_TypeError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, methods, raise};
use taipan_object::{bind, payload};
use taipan_types_collections::Text;

/// A double-ended queue.
pub struct Deque {
    pub(super) items: RefCell<VecDeque<Ref>>,
    pub(super) limit: Cell<Option<usize>>,
    /// Counts changes of the number or places of items.
    pub(super) changes: Cell<usize>,
}

payload!(
    Deque,
    DEQUE,
    c"collections.deque",
    GC_BASE | abi::Py_TPFLAGS_SEQUENCE | abi::Py_TPFLAGS_MANAGED_WEAKREF,
    [items]
);

pub(super) type View = Native<Deque>;

impl Deque {
    pub(super) fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub(super) fn get(&self, index: usize) -> Option<Ref> {
        self.items.borrow().get(index).cloned()
    }

    pub(super) fn changed(&self) {
        self.changes.set(self.changes.get().wrapping_add(1));
    }

    /// Makes room for one more item.
    fn reserve(&self) -> PyResult<()> {
        self.items.borrow_mut().try_reserve(1).map_err(|_| memory_error())
    }

    /// Adds an item on the right, at the cost of the leftmost one when the deque is full.
    pub(super) fn push_back(&self, item: Ref) -> PyResult<()> {
        self.reserve()?;
        self.changed();
        let dropped = {
            let mut items = self.items.borrow_mut();
            items.push_back(item);
            if self.limit.get().is_some_and(|limit| items.len() > limit) { items.pop_front() } else { None }
        };
        drop(dropped);
        Ok(())
    }

    /// Adds an item on the left, at the cost of the rightmost one when the deque is full.
    pub(super) fn push_front(&self, item: Ref) -> PyResult<()> {
        self.reserve()?;
        self.changed();
        let dropped = {
            let mut items = self.items.borrow_mut();
            items.push_front(item);
            if self.limit.get().is_some_and(|limit| items.len() > limit) { items.pop_back() } else { None }
        };
        drop(dropped);
        Ok(())
    }

    pub(super) fn extend(&self, iterable: &Object) -> PyResult<()> {
        let iterator = iterable.iter()?;
        while let Some(item) = iter_next(&iterator)? {
            self.push_back(item)?;
        }
        Ok(())
    }

    /// All items, as they are now.
    pub(super) fn snapshot(&self) -> VecDeque<Ref> {
        self.items.borrow().clone()
    }

    pub(super) fn forget_all(&self) {
        self.changed();
        let items = self.items.take();
        drop(items);
    }
}

/// `extend` and `extendleft` of the deque itself read a copy.
pub(super) fn source_of(deque: &View, iterable: &Object) -> PyResult {
    if iterable.is(deque.object()) {
        return taipan_object::list::List::from_vec(deque.snapshot().into())?.into_py();
    }
    Ok(iterable.new_ref())
}

fn empty(limit: Option<usize>) -> Deque {
    Deque { items: RefCell::default(), limit: Cell::new(limit), changes: Cell::new(0) }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    native_new(ty, empty(None))?.into_py()
}

fn init(deque: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "deque" "(iterable=(), maxlen=None)", args, kwargs);
    let limit = match bound.get_some(1) {
        None => None,
        Some(limit) => {
            if limit.downcast::<Int>().is_none() {
                return Err(type_error("an integer is required"));
            }
            let limit = limit.to_index_clamped(Some(&taipan_object::statics::PyExc_OverflowError))?;
            Some(usize::try_from(limit).map_err(|_| value_error("maxlen must be non-negative"))?)
        }
    };
    deque.limit.set(limit);
    if deque.len() > 0 {
        deque.forget_all();
    }
    match bound.get(0) {
        Some(iterable) => deque.extend(&*source_of(deque, iterable)?),
        None => Ok(()),
    }
}

/// A deque of the same class with the same items and limit.
pub(super) fn copy(deque: &View) -> PyResult {
    let ty = deque.object().ty();
    if ty.is(&DEQUE) {
        let new = empty(deque.limit.get());
        *new.items.borrow_mut() = deque.snapshot();
        return native_new(&DEQUE, new)?.into_py();
    }
    let made = match deque.limit.get() {
        None => ty.call(&[deque.object()])?,
        Some(limit) => ty.call(&[deque.object(), &Int::from_usize(limit)])?,
    };
    if made.downcast::<View>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "{}() must return a deque, not {}",
            ty.message_name(),
            made.ty().message_name()
        ));
    }
    Ok(made)
}

fn repr(deque: &View) -> PyResult {
    let text = repr_guard(deque.object(), || {
        let items = taipan_object::list::List::from_vec(deque.snapshot().into())?;
        let mut text = Text::new();
        text.text(deque.object().ty().name())?;
        text.ascii("(");
        text.repr(&items)?;
        if let Some(limit) = deque.limit.get() {
            text.ascii(&format!(", maxlen={limit}"));
        }
        text.ascii(")");
        text.finish()
    })?;
    text.map_or_else(|| "[...]".into_py(), IntoPy::into_py)
}

fn compare(deque: &View, other: &Object, op: CompareOp) -> PyResult {
    let Some(other) = other.downcast::<View>() else { return Ok(not_implemented().new_ref()) };
    let same_object = deque.object().is(other.object());
    match op {
        CompareOp::Eq if same_object => return true.into_py(),
        CompareOp::Ne if same_object => return false.into_py(),
        CompareOp::Eq if deque.len() != other.len() => return false.into_py(),
        CompareOp::Ne if deque.len() != other.len() => return true.into_py(),
        _ => {}
    }
    let (changes, other_changes) = (deque.changes.get(), other.changes.get());
    for index in 0.. {
        let (Some(a), Some(b)) = (deque.get(index), other.get(index)) else { break };
        if !a.equals(&b)? {
            return match op {
                CompareOp::Eq => false.into_py(),
                CompareOp::Ne => true.into_py(),
                _ => richcompare(&a, &b, op),
            };
        }
        if deque.changes.get() != changes || other.changes.get() != other_changes {
            return Err(runtime_error("deque mutated during iteration"));
        }
    }
    op.holds(deque.len().cmp(&other.len())).into_py()
}

pub(super) fn contains(deque: &View, item: &Object) -> PyResult<bool> {
    let changes = deque.changes.get();
    for index in 0.. {
        let Some(candidate) = deque.get(index) else { break };
        let same = richcompare_bool(&candidate, item, CompareOp::Eq)?;
        if same {
            return Ok(true);
        }
        if deque.changes.get() != changes {
            return Err(runtime_error("deque mutated during iteration"));
        }
    }
    Ok(false)
}

fn out_of_range() -> PyErr {
    err::index_error("deque index out of range")
}

fn item(deque: &View, index: isize) -> PyResult {
    usize::try_from(index).ok().and_then(|index| deque.get(index)).ok_or_else(out_of_range)
}

fn store(deque: &View, index: isize, value: Option<&Object>) -> PyResult<()> {
    let index = usize::try_from(index).map_err(|_| out_of_range())?;
    let old = match value {
        Some(value) => {
            let value = value.new_ref();
            let mut items = deque.items.borrow_mut();
            items.get_mut(index).map(|place| core::mem::replace(place, value))
        }
        None => {
            let removed = deque.items.borrow_mut().remove(index);
            if removed.is_some() {
                deque.changed();
            }
            removed
        }
    };
    old.map(drop).ok_or_else(out_of_range)
}

fn concat(deque: &View, other: &Object) -> PyResult {
    if other.downcast::<View>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "can only concatenate deque (not \"{}\") to deque",
            other.ty().message_name()
        ));
    }
    let new = copy(deque)?;
    if let Some(new) = new.downcast::<View>() {
        new.extend(other)?;
    }
    Ok(new)
}

fn inplace_concat(deque: &View, other: &Object) -> PyResult {
    deque.extend(&*source_of(deque, other)?)?;
    Ok(deque.object().new_ref())
}

/// The items of `count` repetitions, only the last ones that a limited deque keeps.
fn repeat_in_place(deque: &View, count: isize) -> PyResult<()> {
    let len = deque.len();
    if len == 0 || count == 1 {
        return Ok(());
    }
    if count <= 0 {
        deque.forget_all();
        return Ok(());
    }
    let total = len.checked_mul(count.unsigned_abs()).ok_or_else(memory_error)?;
    let kept = deque.limit.get().map_or(total, |limit| limit.min(total));
    let mut all: VecDeque<Ref> = VecDeque::new();
    all.try_reserve_exact(kept).map_err(|_| memory_error())?;
    let source = deque.snapshot();
    all.extend((total - kept..total).map(|index| source[index % len].clone()));
    deque.changed();
    let old = deque.items.replace(all);
    drop(old);
    Ok(())
}

fn repeat(deque: &View, count: isize) -> PyResult {
    let new = copy(deque)?;
    if let Some(new) = new.downcast::<View>() {
        repeat_in_place(new, count)?;
    }
    Ok(new)
}

fn inplace_repeat(deque: &View, count: isize) -> PyResult {
    repeat_in_place(deque, count)?;
    Ok(deque.object().new_ref())
}

/// A place in a deque that has not changed since.
pub struct DequeIterator {
    deque: Field,
    /// Items given so far.
    given: Cell<usize>,
    changes: usize,
    left: Cell<usize>,
}
payload!(DequeIterator, DEQUE_ITERATOR, c"collections._deque_iterator", GC, [deque]);

/// As [`DequeIterator`], from the right.
pub struct ReverseIterator(DequeIterator);

/// The type object.
pub static REVERSE_ITERATOR: StaticType =
    StaticType::native(c"collections._deque_reverse_iterator", Native::<ReverseIterator>::SIZE, GC);

impl Payload for ReverseIterator {
    const TYPE: &'static StaticType = &REVERSE_ITERATOR;
    fn traverse(&self, visitor: &mut Visitor) {
        self.0.deque.show(visitor);
    }
    fn clear(&self) {
        self.0.deque.release();
    }
}

fn iterator_over(deque: &View) -> DequeIterator {
    DequeIterator {
        deque: Field::of(deque.object()),
        given: Cell::new(0),
        changes: deque.changes.get(),
        left: Cell::new(deque.len()),
    }
}

fn iterate(deque: &View) -> PyResult {
    native_new(&DEQUE_ITERATOR, iterator_over(deque))?.into_py()
}

pub(super) fn reversed(deque: &View) -> PyResult {
    native_new(&REVERSE_ITERATOR, ReverseIterator(iterator_over(deque)))?.into_py()
}

impl DequeIterator {
    fn step(&self, backward: bool) -> PyResult<Option<Ref>> {
        let Some(deque) = self.deque.get() else { return Ok(None) };
        let Some(deque) = deque.downcast::<View>() else { return Ok(None) };
        if deque.changes.get() != self.changes {
            self.left.set(0);
            return Err(runtime_error("deque mutated during iteration"));
        }
        if self.left.get() == 0 {
            return Ok(None);
        }
        let given = self.given.get();
        let index = if backward { deque.len().checked_sub(given + 1) } else { Some(given) };
        let Some(item) = index.and_then(|index| deque.get(index)) else { return Ok(None) };
        self.given.set(given + 1);
        self.left.set(self.left.get() - 1);
        Ok(Some(item))
    }

    fn reduce(&self, ty: &Type) -> PyResult {
        let Some(deque) = self.deque.get() else { return Err(type_error("the iterator has been cleared")) };
        let given = deque.downcast::<View>().map_or(0, |deque| deque.len()).saturating_sub(self.left.get());
        let args = Tuple::from_array([deque, Int::from_usize(given).upcast()])?;
        Tuple::from_array([ty.new_ref(), args.upcast()])?.into_py()
    }
}

/// What `_deque_iterator(deque, index)` makes: an iterator that has given `index` items.
fn made_by_hand(args: &Tuple, kwargs: Option<&Dict>, name: &'static str) -> PyResult<DequeIterator> {
    bind!(bound = "_deque_iterator" "(deque, index=0, /)", args, kwargs);
    let deque = bound.required(0);
    let Some(deque) = deque.downcast::<View>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{name}() argument 1 must be collections.deque, not {}",
            deque.ty().message_name()
        ));
    };
    let index = bound.isize_or(1, 0)?;
    let iterator = iterator_over(deque);
    for _ in 0..index {
        if iterator.left.get() == 0 {
            break;
        }
        iterator.given.set(iterator.given.get() + 1);
        iterator.left.set(iterator.left.get() - 1);
    }
    Ok(iterator)
}

fn iterator_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    native_new(&DEQUE_ITERATOR, made_by_hand(args, kwargs, "_deque_iterator")?)?.into_py()
}

fn reverse_new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let iterator = made_by_hand(args, kwargs, "_deque_reverse_iterator")?;
    native_new(&REVERSE_ITERATOR, ReverseIterator(iterator))?.into_py()
}

methods! {
    static ITERATOR_METHODS = {
        noargs "__length_hint__" "" = |it: &Native<DequeIterator>| it.left.get(), "How many items are left.";
        noargs "__reduce__" "" = |it: &Native<DequeIterator>| it.reduce(it.object().ty()), "Describe the iterator for pickling.";
    }
}
methods! {
    static REVERSE_METHODS = {
        noargs "__length_hint__" "" = |it: &Native<ReverseIterator>| it.0.left.get(), "How many items are left.";
        noargs "__reduce__" "" = |it: &Native<ReverseIterator>| it.0.reduce(it.object().ty()), "Describe the iterator for pickling.";
    }
}

iterator!(
    ITERATOR_SPEC,
    DequeIterator,
    DEQUE_ITERATOR,
    c"The items of a deque from the left.",
    iterator_new,
    |it: &Native<DequeIterator>| it.step(false),
    methods ITERATOR_METHODS
);
iterator!(
    REVERSE_SPEC,
    ReverseIterator,
    REVERSE_ITERATOR,
    c"The items of a deque from the right.",
    reverse_new,
    |it: &Native<ReverseIterator>| it.0.step(true),
    methods REVERSE_METHODS
);

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"deque([iterable[, maxlen]])\n--\n\nA list that is quick at both ends. With maxlen it keeps only the newest items.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        tp_richcompare(compare),
        tp_iter(iterate),
        sq_length(|deque: &View| Ok(deque.len().cast_signed())),
        sq_contains(contains),
        sq_item(item),
        sq_ass_item(store),
        sq_concat(concat),
        sq_inplace_concat(inplace_concat),
        sq_repeat(repeat),
        sq_inplace_repeat(inplace_repeat),
    ],
    methods: METHODS,
    getset: &[getset_row(c"maxlen", |deque: &View| deque.limit.get(), c"The most items that the deque keeps, or None.")],
    ..TypeSpec::new(&DEQUE)
};
