//! `SignalDict`: the flags or the traps of a context as a mapping from exception classes to booleans.
//!
//! The native part is a base class; the class that Python sees also derives from `MutableMapping`. A
//! mapping does not keep its context alive, and refuses to work without it.

use super::state::{SIGNALS, Settings, known};
use std::cell::RefCell;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use taipan_object::dict::Dict;
use taipan_object::native::{
    CompareOp, IntoPy, Native, TypeSpec, mp_ass_subscript, mp_length, mp_subscript, native_new, tp_iter,
    tp_new, tp_repr, tp_richcompare,
};
use taipan_object::singletons::{new_bool, not_implemented};
use taipan_object::statics::PyExc_KeyError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, payload, raise};

/// Which bits of which settings a mapping shows.
#[derive(Default)]
pub struct Signals {
    settings: RefCell<Weak<Settings>>,
    traps: core::cell::Cell<bool>,
}

payload!(Signals, SIGNAL_DICT, c"decimal.SignalDictMixin", taipan_object::abi::Py_TPFLAGS_BASETYPE, []);

/// A signal mapping.
pub type View = Native<Signals>;

/// A new mapping of a context's flags or traps.
pub fn new_mapping(class: &Object, settings: &Arc<Settings>, traps: bool) -> PyResult {
    let made = class.call(&[])?;
    if let Some(view) = made.downcast::<View>() {
        *view.settings.borrow_mut() = Arc::downgrade(settings);
        view.traps.set(traps);
    }
    Ok(made)
}

impl Signals {
    fn settings(&self) -> PyResult<Arc<Settings>> {
        self.settings.borrow().upgrade().ok_or_else(|| err::value_error("invalid signal dict"))
    }

    /// The bits shown.
    pub fn bits(&self) -> PyResult<u32> {
        let settings = self.settings()?;
        Ok(if self.traps.get() { &settings.traps } else { &settings.status }.load(Relaxed))
    }

    /// Replaces the bits.
    pub fn set_bits(&self, bits: u32) -> PyResult<()> {
        let settings = self.settings()?;
        if self.traps.get() { &settings.traps } else { &settings.status }.store(bits, Relaxed);
        Ok(())
    }
}

fn bad_signal() -> PyErr {
    raise!(
        PyExc_KeyError,
        "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   \
         Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]"
    )
}

/// The bits of an exception class.
pub fn bits_of(class: &Object) -> PyResult<u32> {
    let known = known()?;
    let found = known.signals.iter().position(|signal| signal.is(class));
    found.map(|index| SIGNALS[index].1).ok_or_else(bad_signal)
}

/// The bits of a list of exception classes.
pub fn bits_of_list(classes: &[Ref]) -> PyResult<u32> {
    classes.iter().try_fold(0, |bits, class| Ok(bits | bits_of(class)?))
}

/// The bits of a mapping from all signals to booleans.
pub fn bits_of_dict(values: &Dict) -> PyResult<u32> {
    let known = known()?;
    if values.len() != SIGNALS.len() {
        return Err(raise!(PyExc_KeyError, "invalid signal dict"));
    }
    let mut bits = 0;
    for (row, class) in SIGNALS.iter().zip(&known.signals) {
        let Some(value) = values.get(class)? else {
            return Err(raise!(PyExc_KeyError, "invalid signal dict"));
        };
        if value.is_true()? {
            bits |= row.1;
        }
    }
    Ok(bits)
}

/// The names of signals, as in the `repr` of a context.
pub fn names(bits: u32) -> String {
    const ORDER: [usize; 9] = [8, 0, 2, 6, 1, 3, 7, 5, 4];
    let rows = ORDER.iter().map(|&index| SIGNALS[index]);
    let names: Vec<&str> = rows.filter(|row| row.1 & bits != 0).map(|row| row.0).collect();
    format!("[{}]", names.join(", "))
}

/// The classes of signals.
pub fn classes(bits: u32) -> PyResult<Vec<Ref>> {
    let known = known()?;
    let rows = SIGNALS.iter().zip(&known.signals);
    Ok(rows.filter(|(row, _)| row.1 & bits != 0).map(|(_, class)| class.clone()).collect())
}

fn get(view: &View, key: &Object) -> PyResult<bool> {
    let bits = view.bits()?;
    Ok(bits & bits_of(key)? != 0)
}

fn store(view: &View, key: &Object, value: Option<&Object>) -> PyResult<()> {
    view.bits()?;
    let Some(value) = value else {
        return Err(err::value_error("signal keys cannot be deleted"));
    };
    let bits = bits_of(key)?;
    let on = value.is_true()?;
    let before = view.bits()?;
    view.set_bits(if on { before | bits } else { before & !bits })
}

fn iter(view: &View) -> PyResult {
    view.bits()?;
    Tuple::from_vec(known()?.signals.clone())?.iter()
}

fn repr(view: &View) -> PyResult<String> {
    let bits = view.bits()?;
    let shown = |row: &(&str, u32)| {
        format!("<class 'decimal.{}'>:{}", row.0, if row.1 & bits != 0 { "True" } else { "False" })
    };
    Ok(format!("{{{}}}", SIGNALS.iter().map(shown).collect::<Vec<_>>().join(", ")))
}

fn copy(view: &View) -> PyResult {
    let bits = view.bits()?;
    let out = Dict::new()?;
    for (row, class) in SIGNALS.iter().zip(&known()?.signals) {
        out.set(class, &new_bool(row.1 & bits != 0))?;
    }
    Ok(out.upcast())
}

fn compare(view: &View, other: &Object, op: CompareOp) -> PyResult {
    let bits = view.bits()?;
    let same = match op {
        CompareOp::Eq | CompareOp::Ne => {
            if let Some(other) = other.downcast::<View>() {
                bits == other.bits()?
            } else if let Some(values) = other.downcast::<Dict>() {
                if values.is_empty() {
                    return Err(err::value_error("invalid signal dict"));
                }
                match bits_of_dict(values) {
                    Ok(theirs) => bits == theirs,
                    Err(error) if error.is(&PyExc_KeyError) => return unequal(op),
                    Err(error) => return Err(error),
                }
            } else {
                return Ok(not_implemented().new_ref());
            }
        }
        _ => return Ok(not_implemented().new_ref()),
    };
    (same == (op == CompareOp::Eq)).into_py()
}

fn unequal(op: CompareOp) -> PyResult {
    (op == CompareOp::Ne).into_py()
}

fn new(ty: &Type, _: &Tuple, _: Option<&Dict>) -> PyResult {
    native_new(ty, Signals::default())?.into_py()
}

taipan_object::methods! { static METHODS = {
    noargs "copy" "($self, /)" = copy, "The signals and their values as a dict.";
} }

/// The type.
pub static SPEC: TypeSpec = TypeSpec {
    doc: None,
    slots: &[
        View::DEALLOC,
        tp_new(new),
        tp_repr(repr),
        tp_iter(iter),
        tp_richcompare(compare),
        mp_length(|view: &View| view.bits().map(|_| SIGNALS.len().cast_signed())),
        mp_subscript(get),
        mp_ass_subscript(store),
    ],
    methods: METHODS,
    ..TypeSpec::new(&SIGNAL_DICT)
};
