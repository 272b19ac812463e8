//! `enumerate`: items with their numbers.

use crate::util::{self, Field, LastPair};
use core::cell::Cell;
use core::ffi::CStr;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, PyResult, type_error};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::{BinaryOp, binary_op, iter_next, recursive};
use taipan_object::statics::{PyEnum_Type, PyExc_TypeError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, TypeSpec, raise};

/// The state: the iterator, and the next number, in `big` once it does not fit a word.
struct Enumerate {
    iterator: Field,
    number: Cell<i64>,
    big: Field,
    pair: LastPair,
}
const _: () = assert!(Native::<Enumerate>::SIZE <= 56);

impl Payload for Enumerate {
    const TYPE: &'static StaticType = &PyEnum_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        self.iterator.visit(visitor);
        self.big.visit(visitor);
        self.pair.visit(visitor);
    }
}

fn make(ty: &Type, iterable: &Object, start: Option<&Object>) -> PyResult {
    let start = start.map_or_else(|| Ok(Int::from_i64(0)), Object::to_index)?;
    let number = start.to_i64();
    let state = Enumerate {
        iterator: Field::new(Some(iterable.iter()?)),
        number: Cell::new(number.unwrap_or(i64::MAX)),
        big: Field::new(if number.is_none() { Some(start) } else { None }),
        pair: LastPair::new(),
    };
    Ok(native_new(ty, state)?.upcast())
}

static SIGNATURE: Signature = Signature::parse("enumerate", "(iterable, start=0)");

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let (mut storage, mut names) = (Vec::new(), None);
    let args = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    make(ty, args.required(0), args.get(1))
}

#[cold]
fn bad_keyword(name: &Object) -> PyErr {
    raise!(PyExc_TypeError, "'{}' is an invalid keyword argument for enumerate()", name.str_lossy())
}

/// The class itself words its errors differently from subclasses.
fn vectorcall(ty: &Type, args: CallArgs<'_>) -> PyResult {
    let names: &[&Object] = args.kwnames.map_or(&[], |names| names.items());
    let is = |place: usize, wanted: &str| {
        names.get(place).and_then(|name| name.downcast::<Str>()).is_some_and(|name| name.equals(wanted))
    };
    let check = |place: usize, wanted: &str| {
        if is(place, wanted) { Ok(()) } else { Err(bad_keyword(names[place])) }
    };
    match (args.all, names.len()) {
        (&[iterable, start], 0) => make(ty, iterable, Some(start)),
        (&[iterable, start], 1) => {
            check(0, "start")?;
            make(ty, iterable, Some(start))
        }
        (&[first, second], _) if is(0, "start") => {
            check(1, "iterable")?;
            make(ty, second, Some(first))
        }
        (&[first, second], _) => {
            check(0, "iterable")?;
            check(1, "start")?;
            make(ty, first, Some(second))
        }
        (&[iterable], count) => {
            if count == 1 {
                check(0, "iterable")?;
            }
            make(ty, iterable, None)
        }
        _ if args.positional().is_empty() => {
            Err(type_error("enumerate() missing required argument 'iterable'"))
        }
        _ => Err(raise!(PyExc_TypeError, "enumerate() takes at most 2 arguments ({} given)", args.all.len())),
    }
}

impl Enumerate {
    /// The next number, as it is.
    fn number(&self) -> Ref {
        self.big.get().unwrap_or_else(|| Int::from_i64(self.number.get()).upcast())
    }

    fn advance(&self) -> PyResult<()> {
        if self.big.is_empty()
            && let Some(next) = self.number.get().checked_add(1)
        {
            self.number.set(next);
            return Ok(());
        }
        let next = binary_op(&self.number(), &Int::from_i64(1), BinaryOp::Add)?;
        self.big.set(Some(next));
        Ok(())
    }
}

fn next(it: &Native<Enumerate>) -> PyResult<Option<Ref>> {
    let Some(iterator) = it.iterator.get() else { return Ok(None) };
    let Some(item) = recursive("", || iter_next(&iterator))? else {
        it.pair.forget();
        return Ok(None);
    };
    let number = it.number();
    it.advance()?;
    it.pair.next(number, item).map(Some)
}

fn reduce(it: &Native<Enumerate>) -> PyResult {
    let iterator = it.iterator.get().ok_or_else(|| type_error("the iterator has been cleared"))?;
    util::reduced(it.object().ty().new_ref(), &[&iterator, &it.number()], None)
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = reduce, "Describe the iterator for pickling.";
    class one "__class_getitem__" "($type, object, /)" = util::class_getitem, "A generic alias that says what the items are, see PEP 585.";
} }

const DOC: &CStr = c"enumerate(iterable, start=0)\n--\n\nAn iterator over pairs of a number, counted from start, and an item of the iterable.";

/// `enumerate`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(DOC),
    slots: &[
        Native::<Enumerate>::DEALLOC,
        Native::<Enumerate>::TRAVERSE,
        tp_new(new),
        tp_vectorcall(vectorcall),
        tp_iter(util::own_iterator),
        tp_iternext(next),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PyEnum_Type)
};
