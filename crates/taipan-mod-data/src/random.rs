//! `_random`: the Mersenne Twister behind `random.Random`.

use core::cell::RefCell;
use taipan_num::int as kernel;
use taipan_num::random::MersenneTwister;
use taipan_object::dict::Dict;
use taipan_object::err::{memory_error, overflow_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, Native, Payload, TypeSpec, native_new, tp_new};
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, abi, intern, raise};

/// The words of the generator's state.
const WORDS: usize = 624;

struct Random(RefCell<Box<MersenneTwister>>);

static RANDOM: StaticType =
    StaticType::native(c"_random.Random", Native::<Random>::SIZE, abi::Py_TPFLAGS_BASETYPE);

impl Payload for Random {
    const TYPE: &'static StaticType = &RANDOM;
}

type View = Native<Random>;

/// A generator seeded from the system.
fn from_system() -> PyResult<MersenneTwister> {
    let mut bytes = [0u8; WORDS * 4];
    taipan_os::entropy(&mut bytes).map_err(|errno| taipan_types_meta::exceptions::os_error(errno, None))?;
    let key: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    Ok(MersenneTwister::from_key(&key))
}

/// The generator of a seed: the size of an int, or the hash of anything else.
fn seeded(seed: Option<&Object>) -> PyResult<MersenneTwister> {
    let Some(seed) = seed.filter(|seed| !is_none(seed)) else { return from_system() };
    if let Some(int) = seed.downcast::<Int>() {
        return Ok(MersenneTwister::from_int(kernel::Int::new(false, int.digits())));
    }
    let hash = Int::from_u64(seed.hash()?.cast_unsigned() as u64);
    Ok(MersenneTwister::from_int(kernel::Int::new(false, hash.digits())))
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<View>> {
    let name = intern!("__init__");
    let own: &Type = &RANDOM;
    let same = |a: Option<Ref>, b: Option<Ref>| matches!((a, b), (Some(a), Some(b)) if a.is(&b));
    // A class with an `__init__` of its own takes what it likes.
    let plain = ty.is(own) || same(ty.lookup(name), own.lookup(name));
    if plain {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(type_error("Random() takes no keyword arguments"));
        }
        if args.len() > 1 {
            return Err(raise!(PyExc_TypeError, "Random expected at most 1 argument, got {}", args.len()));
        }
    }
    let seed = if plain { args.get(0) } else { None };
    native_new(ty, Random(RefCell::new(Box::new(seeded(seed)?))))
}

fn random(generator: &View) -> f64 {
    generator.0.borrow_mut().random()
}

fn seed(generator: &View, args: &Args<'_>) -> PyResult<()> {
    let made = seeded(args.get(0))?;
    **generator.0.borrow_mut() = made;
    Ok(())
}

fn getstate(generator: &View) -> PyResult<Ref<Tuple>> {
    let mut values = Vec::with_capacity(WORDS + 1);
    {
        let generator = generator.0.borrow();
        let (words, index) = generator.state();
        values.extend(words.iter().map(|&word| Int::from_i64(word.into()).upcast()));
        values.push(Int::from_usize(index).upcast());
    }
    Tuple::from_vec(values)
}

fn setstate(generator: &View, state: &Object) -> PyResult<()> {
    let Some(state) = state.downcast::<Tuple>() else {
        return Err(type_error("state vector must be a tuple"));
    };
    if state.len() != WORDS + 1 {
        return Err(value_error("state vector is the wrong size"));
    }
    let mut words = [0u32; WORDS];
    let mut index = 0;
    for (place, item) in state.items().iter().enumerate() {
        let Some(int) = item.downcast::<Int>() else { return Err(type_error("an integer is required")) };
        if place == WORDS {
            index =
                int.to_i64().ok_or_else(|| overflow_error("Python int too large to convert to C long"))?;
            break;
        }
        if int.is_negative() {
            return Err(overflow_error("can't convert negative value to unsigned int"));
        }
        let word = int
            .to_u64()
            .ok_or_else(|| overflow_error("Python int too large to convert to C unsigned long"))?;
        words[place] = u32::try_from(word).map_err(|_| value_error("invalid state"))?;
    }
    let made = usize::try_from(index).ok().and_then(|index| MersenneTwister::from_state(words, index));
    **generator.0.borrow_mut() = made.ok_or_else(|| value_error("invalid state"))?;
    Ok(())
}

fn getrandbits(generator: &View, k: &Object) -> PyResult {
    let k = k.to_index()?;
    if k.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    let k = k.to_u64().ok_or_else(|| overflow_error("Python int too large for C uint64_t"))?;
    if k <= 64 {
        let bits = generator.0.borrow_mut().bits_u64(k as u32);
        return Ok(Int::from_u64(bits).upcast());
    }
    let made = generator.0.borrow_mut().bits(k).ok_or_else(memory_error)?;
    Ok(Int::from_digits(made.negative, &made.digits)?.upcast())
}

taipan_object::methods! {
    static METHODS = {
        noargs "random" "($self, /)" = random, "A float from 0.0 up to, not including, 1.0.";
        args "seed" "($self, n=None, /)" = seed, "Begin anew from an int or a hash, or without one from the system.";
        noargs "getstate" "($self, /)" = getstate, "The state of the generator as a tuple.";
        one "setstate" "($self, state, /)" = setstate, "Go on from a state that getstate gave.";
        one "getrandbits" "($self, k, /)" = getrandbits, "An int of k random bits.";
    }
}

static TYPE: TypeSpec = TypeSpec {
    doc: Some(c"Random() -> a generator of its own."),
    slots: &[View::DEALLOC, tp_new(new)],
    methods: METHODS,
    ..TypeSpec::new(&RANDOM)
};

fn init(module: &Module) -> PyResult<()> {
    crate::util::add_type(module, "Random", &TYPE)
}

/// `_random`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_random", doc: "The Mersenne Twister.", methods: &[], init };
