//! What an interpreter knows about decimals, the settings of contexts, and the current context.
//!
//! Problem: every operation needs the context of the thread, which lives in a context variable. Idea: the
//! settings of a context are shared between its object and a note per thread, which is good as long as the
//! thread's `contextvars` context is the same and unchanged (its version says so).
//!
//! Signals are bits; the classes that stand for them are made once per interpreter.

use super::context::{self, ContextView};
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, Ordering::Relaxed};
use taipan_decimal::{Context, Rounding, status};
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::module::Module;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, intern, state};
use taipan_types_meta::exceptions::new_exception_class;

/// The roundings with their names, in the order of messages.
pub const ROUNDINGS: [(&str, Rounding); 8] = [
    ("ROUND_CEILING", Rounding::Ceiling),
    ("ROUND_FLOOR", Rounding::Floor),
    ("ROUND_UP", Rounding::Up),
    ("ROUND_DOWN", Rounding::Down),
    ("ROUND_HALF_UP", Rounding::HalfUp),
    ("ROUND_HALF_DOWN", Rounding::HalfDown),
    ("ROUND_HALF_EVEN", Rounding::HalfEven),
    ("ROUND_05UP", Rounding::ZeroFiveUp),
];

/// The signals and their bits, in the order of `SignalDict`.
pub const SIGNALS: [(&str, u32); 9] = [
    ("InvalidOperation", status::IEEE_INVALID),
    ("FloatOperation", status::FLOAT_OPERATION),
    ("DivisionByZero", status::DIVISION_BY_ZERO),
    ("Overflow", status::OVERFLOW),
    ("Underflow", status::UNDERFLOW),
    ("Subnormal", status::SUBNORMAL),
    ("Inexact", status::INEXACT),
    ("Rounded", status::ROUNDED),
    ("Clamped", status::CLAMPED),
];

/// What an invalid operation can be in particular; the first is the signal itself.
const CONDITIONS: [(&str, u32); 5] = [
    ("InvalidOperation", status::INVALID_OPERATION),
    ("ConversionSyntax", status::CONVERSION_SYNTAX),
    ("DivisionImpossible", status::DIVISION_IMPOSSIBLE),
    ("DivisionUndefined", status::DIVISION_UNDEFINED),
    ("InvalidContext", status::INVALID_CONTEXT),
];

/// The name of a rounding: one object for equal names, as code has them.
pub fn rounding_name(name: &str) -> PyResult<Ref<Str>> {
    Ok(taipan_object::unicode::intern(Str::from_utf8(name)?))
}

/// What a context is set to and what it has seen.
pub struct Settings {
    pub prec: AtomicI64,
    pub emax: AtomicI64,
    pub emin: AtomicI64,
    round: AtomicU8,
    pub clamp: AtomicBool,
    pub capitals: AtomicBool,
    pub status: AtomicU32,
    pub traps: AtomicU32,
}

impl Settings {
    /// Settings from limits, traps and nothing seen.
    pub fn new(limits: &Context, capitals: bool, traps: u32) -> Settings {
        let settings = Settings {
            prec: AtomicI64::new(limits.prec),
            emax: AtomicI64::new(limits.emax),
            emin: AtomicI64::new(limits.emin),
            round: AtomicU8::new(0),
            clamp: AtomicBool::new(limits.clamp),
            capitals: AtomicBool::new(capitals),
            status: AtomicU32::new(0),
            traps: AtomicU32::new(traps),
        };
        settings.set_round(limits.round);
        settings
    }

    /// The same settings and signals.
    pub fn copy(&self) -> Settings {
        let copy = Settings::new(&self.limits(), self.capitals(), self.traps.load(Relaxed));
        copy.status.store(self.status.load(Relaxed), Relaxed);
        copy
    }

    /// The limits as the kernel takes them.
    #[inline]
    pub fn limits(&self) -> Context {
        Context {
            prec: self.prec.load(Relaxed),
            emax: self.emax.load(Relaxed),
            emin: self.emin.load(Relaxed),
            round: self.round().1,
            clamp: self.clamp.load(Relaxed),
        }
    }

    /// The rounding with its name.
    #[inline]
    pub fn round(&self) -> (&'static str, Rounding) {
        ROUNDINGS[usize::from(self.round.load(Relaxed)) & 7]
    }

    pub fn set_round(&self, round: Rounding) {
        let index = ROUNDINGS.iter().position(|row| row.1 == round).unwrap_or(0);
        self.round.store(index as u8, Relaxed);
    }

    pub fn capitals(&self) -> bool {
        self.capitals.load(Relaxed)
    }

    /// Notes conditions and gives those that are to be raised.
    #[inline]
    pub fn note(&self, conditions: u32) -> u32 {
        if conditions == 0 {
            return 0;
        }
        self.status.store(self.status.load(Relaxed) | conditions, Relaxed);
        conditions & (self.traps.load(Relaxed) | status::MALLOC_ERROR)
    }

    /// Notes conditions and raises those that are trapped.
    pub fn add(&self, conditions: u32) -> PyResult<()> {
        match self.note(conditions) {
            0 => Ok(()),
            trapped => Err(trap(trapped)),
        }
    }
}

/// The exception for trapped conditions.
#[cold]
pub fn trap(trapped: u32) -> PyErr {
    if trapped & status::MALLOC_ERROR != 0 {
        return err::memory_error();
    }
    let raise = || -> PyResult<PyErr> {
        let known = known()?;
        let first = SIGNALS.iter().position(|row| row.1 & trapped != 0).unwrap_or(0);
        let mut all = Vec::new();
        for (row, class) in CONDITIONS.iter().zip(&known.conditions) {
            if row.1 & trapped != 0 {
                all.push(class.clone());
            }
        }
        for (row, class) in SIGNALS.iter().zip(&known.signals).skip(1) {
            if row.1 & trapped != 0 {
                all.push(class.clone());
            }
        }
        let list = List::from_vec(all)?;
        let class = known.signals[first].downcast::<taipan_object::Type>();
        Ok(PyErr::with_args(class.ok_or_else(|| err::system_error("no exception class"))?, &[&list]))
    };
    raise().unwrap_or_else(|error| error)
}

/// Objects that an interpreter makes once.
pub struct Known {
    pub base: Ref,
    /// In the order of [`SIGNALS`].
    pub signals: Vec<Ref>,
    /// In the order of [`CONDITIONS`].
    conditions: Vec<Ref>,
    pub tuple: Ref,
    pub signal_dict: Ref,
    pub rational: Ref,
    pub var: Ref,
    /// `DefaultContext`, `BasicContext`, `ExtendedContext`.
    pub templates: [Ref<ContextView>; 3],
}

#[derive(Default)]
struct Slot(OnceCell<Known>);

/// What was made when the module was.
pub fn known() -> PyResult<&'static Known> {
    let slot: &'static Slot = state::interp().extension(Slot::default);
    if slot.0.get().is_none() {
        let made = make_known()?;
        // Whoever came first while Python code ran has won.
        let _ = slot.0.set(made);
    }
    slot.0.get().ok_or_else(|| err::system_error("_decimal is not there"))
}

fn import(name: &str) -> PyResult {
    (state::interp().hooks.get().import_module)(name)
}

fn exception(name: &str, bases: &[&Object]) -> PyResult {
    let bases = Tuple::from_refs(bases)?;
    new_exception_class(&format!("decimal.{name}"), None, Some(&*bases), None)
}

fn make_known() -> PyResult<Known> {
    let base = exception("DecimalException", &[&PyExc_ArithmeticError])?;
    let plain = |name: &str| exception(name, &[&base]);
    let invalid = plain("InvalidOperation")?;
    let float = exception("FloatOperation", &[&base, &PyExc_TypeError])?;
    let by_zero = exception("DivisionByZero", &[&base, &PyExc_ZeroDivisionError])?;
    let (subnormal, inexact, rounded) = (plain("Subnormal")?, plain("Inexact")?, plain("Rounded")?);
    let clamped = plain("Clamped")?;
    let overflow = exception("Overflow", &[&inexact, &rounded])?;
    let underflow = exception("Underflow", &[&inexact, &rounded, &subnormal])?;
    let conditions = vec![
        invalid.clone(),
        exception("ConversionSyntax", &[&invalid])?,
        exception("DivisionImpossible", &[&invalid])?,
        exception("DivisionUndefined", &[&invalid, &PyExc_ZeroDivisionError])?,
        exception("InvalidContext", &[&invalid])?,
    ];
    let signals = vec![invalid, float, by_zero, overflow, underflow, subnormal, inexact, rounded, clamped];
    let text = |text: &str| Str::from_utf8(text);
    let make_tuple = import("collections")?.getattr(&*text("namedtuple")?)?;
    let tuple = make_tuple.call(&[&*text("DecimalTuple")?, &*text("sign digits exponent")?])?;
    tuple.setattr(intern!("__module__"), Some(&*text("decimal")?))?;
    let mapping = import("collections.abc")?.getattr(&*text("MutableMapping")?)?;
    let bases = Tuple::from_refs(&[&super::signals::SIGNAL_DICT, &mapping])?;
    let signal_dict = mapping.ty().call(&[&*text("SignalDict")?, &bases, &*Dict::new()?])?;
    let numbers = import("numbers")?;
    numbers.getattr(&*text("Number")?)?.call_method(&*text("register")?, &[&super::number::DECIMAL])?;
    let var = PyContextVar_Type.call(&[&*text("decimal_context")?])?;
    let usual = status::IEEE_INVALID | status::DIVISION_BY_ZERO | status::OVERFLOW;
    let limits = |prec, round| Context { prec, emax: 999_999, emin: -999_999, round, clamp: false };
    let template = |prec, round, traps| {
        context::new_plain(Settings::new(&limits(prec, round), true, traps), &signal_dict)
    };
    let templates = [
        template(28, Rounding::HalfEven, usual)?,
        template(9, Rounding::HalfUp, usual | status::UNDERFLOW | status::CLAMPED)?,
        template(9, Rounding::HalfEven, 0)?,
    ];
    let rational = numbers.getattr(&*text("Rational")?)?;
    Ok(Known { base, signals, conditions, tuple, signal_dict, rational, var, templates })
}

/// Adds exceptions, contexts and the like to the module.
pub fn add_to(module: &Module) -> PyResult<()> {
    let known = known()?;
    module.add("DecimalException", &known.base)?;
    for (row, class) in SIGNALS.iter().zip(&known.signals) {
        module.add(row.0, class)?;
    }
    for (row, class) in CONDITIONS.iter().zip(&known.conditions) {
        module.add(row.0, class)?;
    }
    module.add("DecimalTuple", &known.tuple)?;
    module.add("DefaultContext", known.templates[0].object())?;
    module.add("BasicContext", known.templates[1].object())?;
    module.add("ExtendedContext", known.templates[2].object())
}

/// The thread, its state's number, and the version of its `contextvars` context.
type Key = (usize, u64, u64);

thread_local! {
    /// The settings of the thread's current context, and what they depend on.
    static CURRENT: RefCell<Option<(Key, Arc<Settings>)>> = const { RefCell::new(None) };
}

#[inline]
fn key() -> Key {
    let thread = state::thread();
    (core::ptr::from_ref(thread).addr(), thread.base.id, thread.base.context_ver)
}

/// Calls a function, which runs no Python code, with the settings of the current context.
#[inline]
pub fn with_current<R>(run: impl FnOnce(&Settings) -> R) -> PyResult<R> {
    let key = key();
    let mut run = Some(run);
    let done = CURRENT.with_borrow(|note| match note {
        Some((at, settings)) if *at == key => run.take().map(|run| run(settings)),
        _ => None,
    });
    match (done, run) {
        (Some(result), _) => Ok(result),
        (None, Some(run)) => Ok(run(&current()?.settings)),
        (None, None) => Err(err::system_error("the current context is lost")),
    }
}

/// The current context's object, made now if the thread has none.
pub fn current() -> PyResult<Ref<ContextView>> {
    let known = known()?;
    let found = known.var.call_method(intern!("get"), &[taipan_object::singletons::none()])?;
    let context = match found.downcast_owned::<ContextView>() {
        Ok(context) => context,
        Err(_) => {
            let fresh = context::fresh_copy(&known.templates[0])?;
            known.var.call_method(intern!("set"), &[fresh.object()])?;
            fresh
        }
    };
    CURRENT.set(Some((key(), context.settings.clone())));
    Ok(context)
}

/// Makes a context the current one; templates are copied first.
pub fn set_current(context: &ContextView) -> PyResult<()> {
    let known = known()?;
    let own = if known.templates.iter().any(|template| template.object().is(context.object())) {
        context::fresh_copy(context)?
    } else {
        Ref::of(context)
    };
    known.var.call_method(intern!("set"), &[own.object()])?;
    CURRENT.set(Some((key(), own.settings.clone())));
    Ok(())
}
