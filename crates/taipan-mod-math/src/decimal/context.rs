//! `Context`: construction, attributes, copies, and `ContextManager`.

use super::signals::{self, View as SignalsView, bits_of_dict, bits_of_list};
use super::state::{ROUNDINGS, Settings, known, set_current};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use taipan_decimal::{Context as Limits, MAX_EMAX, MAX_PREC, MIN_EMIN, Rounding};
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::{
    Args, Field, GC, GC_BASE, GetSetRow, IntoPy, Native, TypeSpec, getset_row, native_new, tp_getattro,
    tp_new, tp_repr, tp_setattro,
};
use taipan_object::singletons::is_none;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, bind, err, payload};

/// A context.
pub struct Context {
    pub settings: Arc<Settings>,
    flags: Field,
    traps: Field,
}

payload!(Context, CONTEXT, c"decimal.Context", GC_BASE, [flags, traps]);

/// The view of a context object.
pub type ContextView = Native<Context>;

fn make(ty: &Type, settings: Settings, signal_dict: &Object) -> PyResult<Ref<ContextView>> {
    let settings = Arc::new(settings);
    let flags = signals::new_mapping(signal_dict, &settings, false)?;
    let traps = signals::new_mapping(signal_dict, &settings, true)?;
    native_new(ty, Context { settings, flags: Field::new(Some(flags)), traps: Field::new(Some(traps)) })
}

/// A new context of the exact type while the module is being made.
pub fn new_plain(settings: Settings, signal_dict: &Object) -> PyResult<Ref<ContextView>> {
    make(&CONTEXT, settings, signal_dict)
}

/// A new context of the exact type.
pub fn new_context(settings: Settings) -> PyResult<Ref<ContextView>> {
    make(&CONTEXT, settings, &known()?.signal_dict)
}

/// A copy that has seen nothing.
pub fn fresh_copy(context: &ContextView) -> PyResult<Ref<ContextView>> {
    let settings = context.settings.copy();
    settings.status.store(0, Relaxed);
    new_context(settings)
}

/// A copy.
pub fn copy(context: &ContextView) -> PyResult<Ref<ContextView>> {
    new_context(context.settings.copy())
}

/// The context of an optional argument: none there means the current one.
pub fn optional(argument: Option<&Object>) -> PyResult<Option<&ContextView>> {
    match argument {
        None => Ok(None),
        Some(object) if is_none(object) => Ok(None),
        Some(object) => match object.downcast::<ContextView>() {
            Some(context) => Ok(Some(context)),
            None => Err(err::type_error("optional argument must be a context")),
        },
    }
}

/// An integer of C's `ssize_t`.
pub fn ssize(value: &Object) -> PyResult<i64> {
    let Some(int) = value.downcast::<Int>() else { return Err(err::type_error("an integer is required")) };
    int.to_i64().ok_or_else(|| err::overflow_error("Python int too large to convert to C ssize_t"))
}

/// The rounding that a name stands for.
pub fn rounding(name: &Object) -> PyResult<Rounding> {
    let text = name.downcast::<Str>();
    let found = text.and_then(|text| ROUNDINGS.iter().find(|row| text.equals(row.0)));
    found.map(|row| row.1).ok_or_else(|| {
        err::type_error(
            "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   \
             ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]",
        )
    })
}

fn in_range(value: &Object, from: i64, to: i64, message: &str) -> PyResult<i64> {
    let number = ssize(value)?;
    if (from..=to).contains(&number) { Ok(number) } else { Err(err::value_error(message)) }
}

/// The bits that an argument for flags or traps stands for.
fn signal_bits(value: &Object) -> PyResult<u32> {
    if let Some(view) = value.downcast::<SignalsView>() {
        return view.bits();
    }
    if let Some(values) = value.downcast::<Dict>() {
        return bits_of_dict(values);
    }
    Err(err::type_error("argument must be a signal dict"))
}

/// As [`signal_bits`], where a list of signals will do.
fn signal_bits_or_list(value: &Object) -> PyResult<u32> {
    match value.downcast::<List>() {
        Some(list) => bits_of_list(&list.to_vec()),
        None => signal_bits(value),
    }
}

impl Settings {
    /// Sets what an attribute or a keyword names; `None` for a name that is none.
    fn set(&self, name: &str, value: &Object, lists: bool) -> PyResult<Option<()>> {
        let bits = if lists { signal_bits_or_list } else { signal_bits };
        match name {
            "prec" => {
                self.prec
                    .store(in_range(value, 1, MAX_PREC, "valid range for prec is [1, MAX_PREC]")?, Relaxed);
            }
            "rounding" => self.set_round(rounding(value)?),
            "Emin" => {
                self.emin
                    .store(in_range(value, MIN_EMIN, 0, "valid range for Emin is [MIN_EMIN, 0]")?, Relaxed);
            }
            "Emax" => {
                self.emax
                    .store(in_range(value, 0, MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]")?, Relaxed);
            }
            "capitals" => self
                .capitals
                .store(in_range(value, 0, 1, "valid values for capitals are 0 or 1")? == 1, Relaxed),
            "clamp" => {
                self.clamp.store(in_range(value, 0, 1, "valid values for clamp are 0 or 1")? == 1, Relaxed);
            }
            "traps" => self.traps.store(bits(value)?, Relaxed),
            "flags" => self.status.store(bits(value)?, Relaxed),
            _ => return Ok(None),
        }
        Ok(Some(()))
    }

    /// Sets everything that is given and not `None`, in the order in which mistakes are found.
    fn set_all(&self, get: &dyn Fn(usize) -> Option<Ref>) -> PyResult<()> {
        const ORDER: [(usize, &str); 8] = [
            (0, "prec"),
            (1, "rounding"),
            (2, "Emin"),
            (3, "Emax"),
            (4, "capitals"),
            (5, "clamp"),
            (7, "traps"),
            (6, "flags"),
        ];
        for (index, name) in ORDER {
            if let Some(value) = get(index).filter(|value| !is_none(value)) {
                self.set(name, &value, true)?;
            }
        }
        Ok(())
    }
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(
        given = "Context" "(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)",
        args,
        kwargs
    );
    let known = known()?;
    let template = &known.templates[0].settings;
    let settings = Settings::new(&template.limits(), true, template.traps.load(Relaxed));
    settings.set_all(&|index| given.get(index).map(Object::new_ref))?;
    make(ty, settings, &known.signal_dict)?.into_py()
}

fn repr(context: &ContextView) -> String {
    let limits = context.settings.limits();
    format!(
        "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags={}, traps={})",
        limits.prec,
        context.settings.round().0,
        limits.emin,
        limits.emax,
        i32::from(context.settings.capitals()),
        i32::from(limits.clamp),
        signals::names(context.settings.status.load(Relaxed)),
        signals::names(context.settings.traps.load(Relaxed)),
    )
}

/// What pickles a context: the arguments that make it again.
pub fn reduce(context: &ContextView) -> PyResult {
    let limits = context.settings.limits();
    let list = |bits: u32| -> PyResult { Ok(List::from_vec(signals::classes(bits)?)?.upcast()) };
    let args = Tuple::from_array([
        limits.prec.into_py()?,
        context.settings.round().0.into_py()?,
        limits.emin.into_py()?,
        limits.emax.into_py()?,
        i32::from(context.settings.capitals()).into_py()?,
        i32::from(limits.clamp).into_py()?,
        list(context.settings.status.load(Relaxed))?,
        list(context.settings.traps.load(Relaxed))?,
    ])?;
    let class: &Object = context.object().ty();
    Ok(Tuple::from_refs(&[class, &args])?.upcast())
}

fn undeletable() -> PyErr {
    err::attribute_error("context attributes cannot be deleted")
}

/// The mapping that an attribute gives; these two are no descriptors of the class.
fn mapping<'a>(context: &'a ContextView, name: &Object) -> Option<&'a Field> {
    let name = name.downcast::<Str>()?;
    if name.equals("traps") {
        return Some(&context.traps);
    }
    name.equals("flags").then_some(&context.flags)
}

fn get_attribute(context: &ContextView, name: &Object) -> PyResult {
    match mapping(context, name).and_then(Field::get) {
        Some(found) => Ok(found),
        None => taipan_object::instance::generic_getattr(context.object(), name),
    }
}

fn set_attribute(context: &ContextView, name: &Object, value: Option<&Object>) -> PyResult<()> {
    if value.is_none() {
        return Err(undeletable());
    }
    if let (Some(_), Some(value), Some(text)) = (mapping(context, name), value, name.downcast::<Str>()) {
        return context.settings.set(&text.to_lossy(), value, false).map(|_| ());
    }
    let exact: &Type = &CONTEXT;
    if context.object().is_exact(exact)
        && let Some(text) = name.downcast::<Str>()
        && context.object().getattr_opt(text)?.is_none()
    {
        let text = text.to_lossy();
        return Err(err::attribute_error(&format!("'decimal.Context' object has no attribute '{text}'")));
    }
    taipan_object::instance::generic_setattr(context.object(), name, value)
}

macro_rules! attribute {
    ($name:literal, $c:literal, $get:expr, $doc:literal) => {
        getset_row($c, $get, $doc).with_setter(|context: &ContextView, value: Option<&Object>| {
            let value = value.ok_or_else(undeletable)?;
            context.settings.set($name, value, false).map(|_| ())
        })
    };
}

const GETSET: &[GetSetRow] = &[
    attribute!("prec", c"prec", |c: &ContextView| c.settings.limits().prec, c"How many digits results have."),
    attribute!("Emax", c"Emax", |c: &ContextView| c.settings.limits().emax, c"The greatest exponent."),
    attribute!("Emin", c"Emin", |c: &ContextView| c.settings.limits().emin, c"The least exponent."),
    attribute!(
        "rounding",
        c"rounding",
        |c: &ContextView| super::state::rounding_name(c.settings.round().0),
        c"The name of the rounding."
    ),
    attribute!(
        "capitals",
        c"capitals",
        |c: &ContextView| i32::from(c.settings.capitals()),
        c"Whether exponents are written with a capital E."
    ),
    attribute!(
        "clamp",
        c"clamp",
        |c: &ContextView| i32::from(c.settings.limits().clamp),
        c"Whether exponents are held below Emax - prec + 1."
    ),
];
static GETSET_ROWS: &[GetSetRow] = GETSET;

/// The type.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"Context(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)\n--\n\nThe environment of decimal arithmetic: precision, rounding, exponent limits and signals.\n\nWhat is not given is taken from DefaultContext.",
    ),
    slots: &[
        ContextView::DEALLOC,
        ContextView::TRAVERSE,
        ContextView::CLEAR,
        tp_new(new),
        tp_repr(repr),
        tp_getattro(get_attribute),
        tp_setattro(set_attribute),
    ],
    methods: super::operations::METHODS,
    getset: GETSET_ROWS,
    ..TypeSpec::new(&CONTEXT)
};

/// What `localcontext` gives: it switches contexts on entry and exit of a `with` block.
pub struct Manager {
    local: Ref<ContextView>,
    global: Ref<ContextView>,
}

payload!(Manager, MANAGER, c"decimal.ContextManager", GC, [local, global]);

type ManagerView = Native<Manager>;

fn enter(manager: &ManagerView) -> PyResult<Ref<ContextView>> {
    set_current(&manager.local)?;
    Ok(manager.local.clone())
}

fn exit(manager: &ManagerView, _: &[&Object]) -> PyResult<bool> {
    set_current(&manager.global)?;
    Ok(false)
}

taipan_object::methods! { static MANAGER_METHODS = {
    noargs "__enter__" "($self, /)" = enter, "Make the local context the current one and give it.";
    many "__exit__" "" = exit, "Make the former context the current one again.";
} }

/// The type.
pub static MANAGER_SPEC: TypeSpec = TypeSpec {
    doc: None,
    slots: &[ManagerView::DEALLOC, ManagerView::TRAVERSE, ManagerView::CLEAR],
    methods: MANAGER_METHODS,
    ..TypeSpec::new(&MANAGER)
};

/// `localcontext(ctx=None, **kwargs)`.
pub fn local_context(_: &Object, call: taipan_object::native::CallArgs<'_>) -> PyResult<Ref<ManagerView>> {
    let positional = call.positional();
    if positional.len() > 9 {
        let total = positional.len() + call.keywords().count();
        return Err(err::type_error(&format!("function takes at most 9 arguments ({total} given)")));
    }
    let mut given = positional.first().copied();
    for (name, value) in call.keywords() {
        if name.downcast::<Str>().is_some_and(|name| name.equals("ctx")) {
            given = Some(value);
        }
    }
    let global = super::state::current()?;
    let local = copy(optional(given)?.unwrap_or(&*global))?;
    const NAMES: [&str; 8] = ["prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"];
    let mut values: [Option<Ref>; 8] = Default::default();
    for (place, value) in values.iter_mut().zip(positional.iter().skip(1)) {
        *place = Some(value.new_ref());
    }
    for (name, value) in call.keywords() {
        let Some(text) = name.downcast::<Str>() else { continue };
        match NAMES.iter().position(|known| text.equals(known)) {
            Some(index) => values[index] = Some(value.new_ref()),
            None if text.equals("ctx") => {}
            None => {
                return Err(err::type_error(&format!(
                    "this function got an unexpected keyword argument '{}'",
                    text.to_lossy()
                )));
            }
        }
    }
    local.settings.set_all(&|index| values[index].clone())?;
    native_new(&MANAGER, Manager { local, global })
}

/// `IEEEContext(bits)`.
pub fn ieee_context(_: &Object, bits: &Object) -> PyResult<Ref<ContextView>> {
    let bits = ssize(bits)?;
    if bits <= 0 || bits > super::IEEE_CONTEXT_MAX_BITS || bits % 32 != 0 {
        return Err(err::value_error("argument must be a multiple of 32, with a maximum of 512"));
    }
    let emax = 3 * (1i64 << (bits / 16 + 3));
    let limits =
        Limits { prec: 9 * (bits / 32) - 2, emax, emin: 1 - emax, round: Rounding::HalfEven, clamp: true };
    new_context(Settings::new(&limits, true, 0))
}

/// `clear_flags()` or `clear_traps()`.
pub fn clear(context: &ContextView, traps: bool) {
    if traps { &context.settings.traps } else { &context.settings.status }.store(0, Relaxed);
}

/// The first argument when it is a context (for `setcontext`).
pub fn required<'a>(args: &Args<'a>) -> PyResult<&'a ContextView> {
    args.required(0).downcast().ok_or_else(|| err::type_error("argument must be a context"))
}
