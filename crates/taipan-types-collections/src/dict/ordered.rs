//! `OrderedDict` with its views and iterator.
//!
//! A dict keeps the order of insertion by itself, so all that an ordered dict adds is a counter of the
//! changes of keys and their order, which iterators watch, and methods that move and take out at both
//! ends (see [`Dict::move_to_end`]).

use super::view::{Items, Keys, Values, ordered_view};
use super::{OnDuplicate, slots};
use crate::util::{self, Field, Text};
use core::cell::Cell;
use taipan_object::dict::{Dict, hash_key};
use taipan_object::err::{PyResult, key_error, runtime_error, type_error};
use taipan_object::native::*;
use taipan_object::protocol::{self, iter_next, repr_guard, set_item};
use taipan_object::singletons::{new_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, Ref, Type, TypeSpec, intern, raise, typeobject};

/// What an ordered dict has besides its items.
pub struct Ordered {
    changes: Cell<usize>,
}

impl DerivedPayload for Ordered {
    const TYPE: &'static StaticType = &PyODict_Type;
    type Base = Dict;
}

type View = Derived<Ordered>;
// The static type's size, with places for `__dict__` and weak references, is CPython's.
const _: () = assert!(View::SIZE <= 96);

impl Ordered {
    fn changed(&self) {
        self.changes.set(self.changes.get().wrapping_add(1));
    }
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    Ok(View::create(ty, &Tuple::empty(), Ordered { changes: Cell::new(0) })?.upcast())
}

fn init(dict: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if args.len() > 1 {
        return Err(raise!(PyExc_TypeError, "expected at most 1 argument, got {}", args.len()));
    }
    fill(dict.object(), args.get(0), kwargs)
}

/// What construction and `update` do: everything goes through `__setitem__`.
fn fill(target: &Object, argument: Option<&Object>, kwargs: Option<&Dict>) -> PyResult<()> {
    if let Some(argument) = argument {
        fill_from(target, argument)?;
    }
    for (name, value) in kwargs.map_or_else(Vec::new, Dict::items_vec) {
        set_item(target, &name, &value)?;
    }
    Ok(())
}

fn fill_from(target: &Object, argument: &Object) -> PyResult<()> {
    if argument.is_exact(&PyDict_Type)
        && let Some(dict) = argument.downcast::<Dict>()
    {
        for (key, value) in dict.items_vec() {
            set_item(target, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(keys) = argument.getattr_opt(intern!("keys"))? {
        let iterator = keys.call(&[])?.iter()?;
        while let Some(key) = iter_next(&iterator)? {
            set_item(target, &key, &*argument.get_item(&key)?)?;
        }
        return Ok(());
    }
    if let Some(items) = argument.getattr_opt(intern!("items"))? {
        return add_pairs(target, &*items.call(&[])?);
    }
    add_pairs(target, argument)
}

fn add_pairs(target: &Object, pairs: &Object) -> PyResult<()> {
    let iterator = pairs.iter()?;
    while let Some(pair) = iter_next(&iterator)? {
        let parts = pair.iter()?;
        let pick = |count: usize| {
            let item = iter_next(&parts)?;
            item.ok_or_else(|| {
                let plural = if count == 1 { "" } else { "s" };
                raise!(PyExc_ValueError, "need more than {count} value{plural} to unpack")
            })
        };
        let (key, value) = (pick(0)?, pick(1)?);
        if iter_next(&parts)?.is_some() {
            return Err(raise!(PyExc_ValueError, "too many values to unpack (expected 2)"));
        }
        set_item(target, &key, &value)?;
    }
    Ok(())
}

fn store(dict: &View, key: &Object, value: Option<&Object>) -> PyResult<()> {
    let before = dict.base().len();
    let result = slots::store(dict.base(), key, value);
    if dict.base().len() != before {
        dict.changed();
    }
    result
}

/// Whether two dicts have equal keys in the same order.
fn same_order(a: &View, b: &View) -> PyResult<bool> {
    let (changes, other_changes) = (a.changes.get(), b.changes.get());
    let (mut place, mut other_place) = (0, 0);
    loop {
        match (a.base().next(&mut place), b.base().next(&mut other_place)) {
            (None, None) => return Ok(true),
            (Some((key, _)), Some((other, _))) => {
                if !key.equals(&other)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
        if a.changes.get() != changes || b.changes.get() != other_changes {
            return Err(runtime_error("OrderedDict mutated during iteration"));
        }
    }
}

fn compare(dict: &View, other: &Object, op: CompareOp) -> PyResult {
    if other.downcast::<Dict>().is_none() || !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(util::not_implemented());
    }
    let equal = slots::compare(dict.base(), other, CompareOp::Eq)?;
    let mut same = equal.is_true()?;
    if same && let Some(other) = other.downcast::<View>() {
        same = same_order(dict, other)?;
    }
    (same == (op == CompareOp::Eq)).into_py()
}

fn repr(dict: &View) -> PyResult {
    let name = dict.object().ty().name();
    if dict.base().is_empty() {
        return format!("{name}()").into_py();
    }
    let text = repr_guard(dict.object(), || {
        let plain = Dict::new()?;
        if dict.object().is_exact(&PyODict_Type) {
            super::merge(&plain, dict.object(), OnDuplicate::Replace)?;
        } else {
            let items = dict.object().call_method(intern!("items"), &[])?;
            super::merge_pairs(&plain, &items, OnDuplicate::Replace)?;
        }
        let mut text = Text::new();
        text.text(name)?;
        text.ascii("(");
        text.repr(&plain)?;
        text.ascii(")");
        text.finish()
    })?;
    text.map_or_else(|| "...".into_py(), IntoPy::into_py)
}

fn or(left: &Object, right: &Object) -> PyResult {
    let (ty, other) = match (left.downcast::<View>(), right.downcast::<View>()) {
        (Some(_), _) => (left.ty(), right),
        (None, Some(_)) => (right.ty(), left),
        (None, None) => return Ok(util::not_implemented()),
    };
    if other.downcast::<Dict>().is_none() {
        return Ok(util::not_implemented());
    }
    let merged = ty.call(&[left])?;
    fill_from(&merged, right)?;
    Ok(merged)
}

fn inplace_or(left: &Object, right: &Object) -> PyResult {
    fill_from(left, right)?;
    Ok(left.new_ref())
}

fn from_keys(class: &Object, args: &Args<'_>) -> PyResult {
    let made = class.call(&[])?;
    let iterator = args.required(0).iter()?;
    while let Some(key) = iter_next(&iterator)? {
        set_item(&made, &key, args.get(1).unwrap_or(none()))?;
    }
    Ok(made)
}

fn set_default(dict: &View, args: &Args<'_>) -> PyResult {
    let (key, default) = (args.required(0), args.get(1).unwrap_or(none()));
    if dict.object().is_exact(&PyODict_Type) {
        if let Some(found) = dict.base().get(key)? {
            return Ok(found);
        }
        store(dict, key, Some(default))?;
        return Ok(default.new_ref());
    }
    if protocol::contains(dict.object(), key)? {
        return dict.object().get_item(key);
    }
    set_item(dict.object(), key, default)?;
    Ok(default.new_ref())
}

fn pop(dict: &View, args: &Args<'_>) -> PyResult {
    let key = args.required(0);
    let hash = hash_key(key)?;
    let taken = dict.base().take_hashed(key, hash)?;
    match (taken, args.get(1)) {
        (Some((_key, value)), _) => {
            dict.changed();
            Ok(value)
        }
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(key_error(key)),
    }
}

fn pop_item(dict: &View, args: &Args<'_>) -> PyResult {
    let last = args.bool_or(0, true)?;
    let item = if last {
        dict.base().pop_last()
    } else {
        let mut place = 0;
        let first = dict.base().next_borrowed(&mut place).map(|(key, _, hash)| (key.new_ref(), hash));
        match first {
            // The very key is found by identity: no `__eq__` runs for it.
            Some((key, hash)) => dict.base().take_hashed(&key, hash)?,
            None => None,
        }
    };
    let Some((key, value)) = item else { return Err(key_error(&*"dictionary is empty".into_py()?)) };
    dict.changed();
    Ok(Tuple::from_array([key, value])?.upcast())
}

fn move_to_end(dict: &View, args: &Args<'_>) -> PyResult<()> {
    let (key, last) = (args.required(0), args.bool_or(1, true)?);
    let hash = hash_key(key)?;
    if !dict.base().move_to_end(key, hash, last)? {
        return Err(key_error(key));
    }
    dict.changed();
    Ok(())
}

fn update(dict: &Object, args: CallArgs<'_>) -> PyResult<()> {
    let positional = args.positional();
    if positional.len() > 1 {
        return Err(raise!(
            PyExc_TypeError,
            "update() takes at most 1 positional argument ({} given)",
            positional.len()
        ));
    }
    fill(dict, positional.first().copied(), args.keywords_dict()?.as_deref())
}

fn clear(dict: &View) {
    dict.changed();
    dict.base().clear();
}

fn copy(dict: &View) -> PyResult {
    let ty = dict.object().ty();
    let made = ty.call(&[])?;
    let exact = ty.is(&PyODict_Type);
    for (key, value) in dict.base().items_vec() {
        let value = if exact { value } else { dict.object().get_item(&key)? };
        set_item(&made, &key, &value)?;
    }
    Ok(made)
}

fn reduce(dict: &Object) -> PyResult {
    let state = dict.call_method(intern!("__getstate__"), &[])?;
    let items = dict.call_method(intern!("items"), &[])?.iter()?;
    let parts = [dict.ty().new_ref(), Tuple::empty().upcast(), state, new_none(), items];
    Ok(Tuple::from_array(parts)?.upcast())
}

fn size_of_dict(dict: &View) -> usize {
    // SAFETY: a live type.
    unsafe { (*dict.object().ty().raw()).tp_basicsize as usize + dict.base().table_size() }
}

/// What the iterator gives of each item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Value,
    Item,
}

struct OrderedIterator {
    dict: Field,
    part: Part,
    backward: bool,
    changes: usize,
    size: usize,
    place: Cell<usize>,
}
const _: () = assert!(Native::<OrderedIterator>::SIZE <= 64);

impl Payload for OrderedIterator {
    const TYPE: &'static StaticType = &PyODictIter_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.dict.visit(visitor);
    }
}

fn iterate(dict: &View, part: Part, backward: bool) -> PyResult {
    let state = OrderedIterator {
        dict: Field::of(dict.object()),
        part,
        backward,
        changes: dict.changes.get(),
        size: dict.base().len(),
        place: Cell::new(if backward { dict.base().entry_count() } else { 0 }),
    };
    Ok(native_new(&PyODictIter_Type, state)?.upcast())
}

fn next(iterator: &OrderedIterator) -> PyResult<Option<Ref>> {
    let Some(held) = iterator.dict.get() else { return Ok(None) };
    let Some(dict) = held.downcast::<View>() else { return Ok(None) };
    if dict.changes.get() != iterator.changes {
        return Err(runtime_error("OrderedDict mutated during iteration"));
    }
    if dict.base().len() != iterator.size {
        return Err(runtime_error("OrderedDict changed size during iteration"));
    }
    let mut place = iterator.place.get();
    let item =
        if iterator.backward { dict.base().next_back(&mut place) } else { dict.base().next(&mut place) };
    iterator.place.set(place);
    let Some((key, value)) = item else {
        iterator.dict.take();
        return Ok(None);
    };
    Ok(Some(match iterator.part {
        Part::Key => key,
        Part::Value => value,
        Part::Item => Tuple::from_array([key, value])?.upcast(),
    }))
}

fn iterator_reduce(iterator: &Native<OrderedIterator>) -> PyResult {
    let ahead = OrderedIterator {
        dict: Field::new(iterator.dict.get()),
        part: iterator.part,
        backward: iterator.backward,
        changes: iterator.changes,
        size: iterator.size,
        place: Cell::new(iterator.place.get()),
    };
    let rest = taipan_object::list::List::new()?;
    while let Some(item) = next(&ahead)? {
        rest.append(item)?;
    }
    util::reduced(protocol::builtin("iter")?, &[&rest], None)
}

/// Views carry any dict; those of this type always an ordered one.
fn over(dict: PyResult<Ref<Dict>>, part: Part, backward: bool) -> PyResult {
    let dict = dict?;
    match dict.downcast::<View>() {
        Some(dict) => iterate(dict, part, backward),
        None => Err(type_error("the view has been cleared")),
    }
}

taipan_object::methods! { static METHODS = {
    class args "fromkeys" "($type, /, iterable, value=None)" = from_keys, "A new ordered dictionary whose keys come from an iterable and all have one value.";
    noargs "__sizeof__" "" = size_of_dict, "The bytes that the dictionary itself takes in memory.";
    noargs "__reduce__" "" = reduce, "Describe the dictionary for pickling.";
    args "setdefault" "($self, /, key, default=None)" = set_default, "The value of a key, which is added with the default first when it is missing.";
    args "pop" "($self, /, key, default=<unrepresentable>)" = pop, "od.pop(key[,default]) -> the value of a key, which is taken out\n\nA missing key gives the default; without one KeyError is raised.";
    args "popitem" "($self, /, last=True)" = pop_item, "Take out the last item, or the first one, and return it as a pair.";
    noargs "keys" "" = |dict: &View| ordered_view::<Keys>(dict.base()), "A view of the keys.";
    noargs "values" "" = |dict: &View| ordered_view::<Values>(dict.base()), "A view of the values.";
    noargs "items" "" = |dict: &View| ordered_view::<Items>(dict.base()), "A view of the pairs of key and value.";
    keywords "update" "" = update, "Take over the items of a mapping or of an iterable of pairs, then the keywords.";
    noargs "clear" "" = |dict: &View| clear(dict), "od.clear() -> None.  Remove all items.";
    noargs "copy" "" = copy, "od.copy() -> a new dictionary of the same items";
    noargs "__reversed__" "" = |dict: &View| iterate(dict, Part::Key, true), "od.__reversed__() <==> reversed(od)";
    args "move_to_end" "($self, /, key, last=True)" = move_to_end, "Move a key to the end, or to the beginning if last is false.\n\nRaises KeyError if there is no such key.";
} }

/// `OrderedDict`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A dict whose order can be changed"),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(new),
        tp_init(init),
        tp_repr(repr),
        tp_richcompare(compare),
        tp_iter(|dict: &View| iterate(dict, Part::Key, false)),
        mp_ass_subscript(store),
        nb_or(or),
        nb_inplace_or(inplace_or),
    ],
    methods: METHODS,
    getset: &[typeobject::INSTANCE_DICT],
    ..TypeSpec::new(&PyODict_Type)
};

taipan_object::methods! { static ITERATOR_METHODS = {
    noargs "__reduce__" "" = iterator_reduce, "Describe the iterator for pickling: the items that are left.";
} }

/// `odict_iterator`.
pub static ITERATOR: TypeSpec = TypeSpec {
    slots: &[
        Native::<OrderedIterator>::DEALLOC,
        Native::<OrderedIterator>::TRAVERSE,
        tp_iter(util::own_iterator),
        tp_iternext(|iterator: &Native<OrderedIterator>| next(iterator)),
    ],
    methods: ITERATOR_METHODS,
    ..TypeSpec::new(&PyODictIter_Type)
};

macro_rules! view_spec {
    ($spec:ident, $payload:ident, $ty:ident, $part:expr, $doc:literal) => {
        #[doc = $doc]
        pub static $spec: TypeSpec = TypeSpec {
            slots: &[
                Native::<$payload>::DEALLOC,
                Native::<$payload>::TRAVERSE,
                tp_iter(|view: &Native<$payload>| over(view.dict(), $part, false)),
            ],
            methods: {
                taipan_object::methods! { static METHODS = {
                    noargs "__reversed__" "" = |view: &Native<$payload>| over(view.dict(), $part, true), "An iterator from the last to the first.";
                } }
                METHODS
            },
            ..TypeSpec::new(&$ty)
        };
    };
}
view_spec!(KEYS, Keys, PyODictKeys_Type, Part::Key, "`odict_keys`.");
view_spec!(VALUES, Values, PyODictValues_Type, Part::Value, "`odict_values`.");
view_spec!(ITEMS, Items, PyODictItems_Type, Part::Item, "`odict_items`.");

/// All of them, bases first.
pub static ALL: [&TypeSpec; 5] = [&SPEC, &ITERATOR, &KEYS, &VALUES, &ITEMS];
