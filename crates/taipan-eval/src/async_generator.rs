//! Asynchronous generators: what awaiting `__anext__`, `asend`, `athrow` and `aclose` does.
//!
//! Problem: an asynchronous generator suspends for two reasons. An `await` inside hands something to the
//! event loop; a `yield` hands a value to whoever iterates. Idea: the compiler marks what `yield` gives
//! (`INTRINSIC_ASYNC_GEN_WRAP` puts it into a [`Wrapped`]); the awaitables here run the generator's frame
//! and tell the two apart: a wrapped value ends the awaitable with that value, anything else passes through.
//!
//! Invariants: `running_async` is set from an awaitable's first step until it ends, so that at most one
//! awaitable of a generator is under way; `closed` is set once the generator can give nothing more.

use crate::generator::{self as gen_room, Generator, finished};
use core::cell::Cell;
use taipan_abi::{Py_TPFLAGS_DISALLOW_INSTANTIATION, Py_TPFLAGS_HAVE_GC, PyObject, T_BOOL};
use taipan_object::err::{self, runtime_error};
use taipan_object::native::{
    Field, Member, Native, Payload, Sent, TypeSpec, Visitor, am_aiter, am_anext, am_await, am_send, from_c,
    from_c_opt, getset_row, native_new, raw_clear, raw_dealloc, raw_traverse, tp_finalize, tp_iter,
    tp_iternext, tp_repr,
};
use taipan_object::singletons::{is_none, none};
use taipan_object::state;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise};

const GC_FLAGS: u64 = Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION;

/// What `yield` in an asynchronous generator gives.
struct Wrapped {
    value: Ref,
}

static WRAPPED_TYPE: StaticType =
    StaticType::native(c"async_generator_wrapped_value", Native::<Wrapped>::SIZE, GC_FLAGS);

impl Payload for Wrapped {
    const TYPE: &'static StaticType = &WRAPPED_TYPE;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.value);
    }
}

/// `async_generator_wrapped_value`.
pub static WRAPPED: TypeSpec = TypeSpec {
    slots: &[Native::<Wrapped>::DEALLOC, Native::<Wrapped>::TRAVERSE],
    ..TypeSpec::new(&WRAPPED_TYPE)
};

/// `INTRINSIC_ASYNC_GEN_WRAP`.
///
/// # Errors
/// `MemoryError`.
pub fn wrap(value: &Object) -> PyResult {
    Ok(native_new(&WRAPPED_TYPE, Wrapped { value: value.new_ref() })?.upcast())
}

fn unwrapped(value: &Object) -> Option<Ref> {
    value.downcast::<Native<Wrapped>>().map(|wrapped| wrapped.value.clone())
}

/// How far an awaitable has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Started,
    Closed,
}

/// What kind of awaitable it is.
enum Task {
    /// `asend(value)`; `None` for `__anext__`.
    Send,
    /// `athrow(...)`.
    Throw,
    /// `aclose()`.
    Close,
}

/// The memory of an awaitable. For `athrow`, `value` holds the tuple of its arguments.
struct Awaitable {
    generator: Ref<Generator>,
    value: Field,
    stage: Cell<Stage>,
    task: Task,
}

/// `__anext__()` and `asend()`.
struct Asend(Awaitable);

/// `athrow()` and `aclose()`.
struct Athrow(Awaitable);

static ATHROW_TYPE: StaticType =
    StaticType::native(c"async_generator_athrow", Native::<Athrow>::SIZE, GC_FLAGS);
const _: () = assert!(Native::<Asend>::SIZE <= 40, "the type object declares this size");

macro_rules! awaitable_payload {
    ($name:ident, $ty:expr) => {
        impl Payload for $name {
            const TYPE: &'static StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                visitor.visit(&self.0.generator);
                visitor.visit_opt(self.0.value.get().as_ref());
            }
            fn clear(&self) {
                self.0.value.set(None);
            }
        }
    };
}
awaitable_payload!(Asend, _PyAsyncGenASend_Type);
awaitable_payload!(Athrow, ATHROW_TYPE);

fn ends_iteration(error: &PyErr) -> bool {
    error.is(&PyExc_StopAsyncIteration) || error.is(&PyExc_GeneratorExit)
}

fn stop_async() -> PyErr {
    PyErr::with_args(&PyExc_StopAsyncIteration, &[])
}

/// What one step of the generator means for the awaitable: a wrapped value ends it.
fn outcome(generator: &Generator, step: PyResult<Sent>) -> PyResult<Sent> {
    let step = match step {
        Ok(Sent::Returned(_)) => Err(stop_async()),
        other => other,
    };
    match step {
        Ok(Sent::Yielded(value)) => Ok(match unwrapped(&value) {
            Some(value) => {
                generator.set_running_async(false);
                Sent::Returned(value)
            }
            None => Sent::Yielded(value),
        }),
        Ok(returned) => Ok(returned),
        Err(error) => {
            if ends_iteration(&error) {
                generator.set_closed();
            }
            generator.set_running_async(false);
            Err(error)
        }
    }
}

impl Awaitable {
    fn new(generator: &Generator, task: Task, value: Option<Ref>) -> Awaitable {
        Awaitable {
            generator: Ref::of(generator),
            value: Field::new(value),
            stage: Cell::new(Stage::Fresh),
            task,
        }
    }

    /// The name of the method that made it, for messages.
    fn method(&self) -> &'static str {
        match self.task {
            Task::Send => "asend",
            Task::Throw => "athrow",
            Task::Close => "aclose",
        }
    }

    fn reused(&self) -> PyErr {
        runtime_error(match self.task {
            Task::Send => "cannot reuse already awaited __anext__()/asend()",
            _ => "cannot reuse already awaited aclose()/athrow()",
        })
    }

    /// Marks the beginning; fails while another awaitable of the generator is under way.
    fn begin(&self) -> PyResult<()> {
        if self.generator.is_running_async() {
            self.stage.set(Stage::Closed);
            let call = match self.task {
                Task::Send => "anext()",
                Task::Throw => "athrow()",
                Task::Close => "aclose()",
            };
            return Err(raise!(PyExc_RuntimeError, "{call}: asynchronous generator is already running"));
        }
        self.stage.set(Stage::Started);
        self.generator.set_running_async(true);
        Ok(())
    }

    /// Closes the awaitable behind a step that ended it.
    fn after(&self, step: PyResult<Sent>) -> PyResult<Sent> {
        if step.is_err() {
            self.stage.set(Stage::Closed);
        }
        step
    }

    fn send(&self, value: &Object) -> PyResult<Sent> {
        if self.stage.get() == Stage::Closed {
            return Err(self.reused());
        }
        match self.task {
            Task::Send => self.send_value(value),
            _ => self.send_exception(value),
        }
    }

    fn send_value(&self, value: &Object) -> PyResult<Sent> {
        let mut value = value.new_ref();
        if self.stage.get() == Stage::Fresh {
            self.begin()?;
            if is_none(&value) {
                value = self.value.get().unwrap_or(value);
            }
        }
        let step = gen_room::resume(&self.generator, Some(&value), None);
        let step = self.after(outcome(&self.generator, step));
        if matches!(step, Ok(Sent::Returned(_))) {
            self.stage.set(Stage::Closed);
        }
        step
    }

    fn send_exception(&self, value: &Object) -> PyResult<Sent> {
        let generator = &*self.generator;
        if generator.is_finished() {
            self.stage.set(Stage::Closed);
            return Ok(Sent::Returned(none().new_ref()));
        }
        let step = if self.stage.get() == Stage::Fresh {
            if generator.is_running_async() {
                self.begin()?;
            }
            if generator.is_closed() {
                self.stage.set(Stage::Closed);
                return Err(stop_async());
            }
            if !is_none(value) {
                return Err(runtime_error("can't send non-None value to a just-started coroutine"));
            }
            self.begin()?;
            match self.value.get() {
                None => {
                    generator.set_closed();
                    gen_room::throw(generator, PyErr::with_args(&PyExc_GeneratorExit, &[]), false)
                }
                Some(args) => {
                    let args = args.downcast::<Tuple>().map_or(&[][..], |args| args.items());
                    let error = gen_room::thrown_exception("athrow", args)?;
                    gen_room::throw(generator, error, false)
                }
            }
        } else {
            gen_room::resume(generator, Some(value), None)
        };
        match self.task {
            Task::Close => self.after_close(step),
            _ => self.ended(outcome(generator, step)),
        }
    }

    /// The step of an `aclose()`: a generator that yields on has ignored the order.
    fn after_close(&self, step: PyResult<Sent>) -> PyResult<Sent> {
        let step = match step {
            Ok(Sent::Returned(_)) => Err(stop_async()),
            Ok(Sent::Yielded(value)) if unwrapped(&value).is_some() => {
                self.generator.set_running_async(false);
                self.stage.set(Stage::Closed);
                return Err(runtime_error("async generator ignored GeneratorExit"));
            }
            other => other,
        };
        self.ended(step)
    }

    /// Notes that the awaitable is over when the step failed; the end of the generator is what `aclose()` wants.
    fn ended(&self, step: PyResult<Sent>) -> PyResult<Sent> {
        match step {
            Ok(sent) => Ok(sent),
            Err(error) => {
                self.generator.set_running_async(false);
                self.stage.set(Stage::Closed);
                if ends_iteration(&error) && matches!(self.task, Task::Close) {
                    return Ok(Sent::Returned(none().new_ref()));
                }
                Err(error)
            }
        }
    }

    fn throw(&self, args: &[&Object]) -> PyResult<Sent> {
        if self.stage.get() == Stage::Closed {
            return Err(self.reused());
        }
        if self.stage.get() == Stage::Fresh {
            self.begin()?;
        }
        let step =
            gen_room::parse_throw(args).and_then(|error| gen_room::throw(&self.generator, error, true));
        match self.task {
            Task::Close => self.after_close(step),
            _ => self.after(outcome(&self.generator, step)),
        }
    }

    fn close(&self) -> PyResult<()> {
        if self.stage.get() == Stage::Closed {
            return Ok(());
        }
        let exit = PyErr::with_args(&PyExc_GeneratorExit, &[]);
        match finished(self.throw(&[exit.exception()])) {
            Ok(_) => Err(runtime_error("coroutine ignored GeneratorExit")),
            Err(error) if error.is(&PyExc_StopIteration) || ends_iteration(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// An awaitable that dies unawaited is a mistake worth a warning.
    fn warn_unawaited(&self) {
        if self.stage.get() != Stage::Fresh {
            return;
        }
        let name = self.generator.qualname();
        let message = format!(
            "coroutine method '{}' of {} was never awaited",
            self.method(),
            name.repr().map_or_else(|_| "?".to_owned(), |name| name.str_lossy())
        );
        if let Err(error) = (state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, &message, 1) {
            err::write_unraisable_at(
                error,
                "Exception ignored while finalizing async generator",
                &self.generator,
            );
        }
    }
}

macro_rules! awaitable_type {
    ($payload:ident, $methods:ident, $spec:ident, $ty:expr, $doc:literal) => {
        taipan_object::methods! { static $methods = {
            one "send" "($self, value, /)" = |a: &Native<$payload>, value: &Object| finished(a.0.send(value)),
                "Go on with a value, up to the next await that suspends.";
            many "throw" "" = |a: &Native<$payload>, args: &[&Object]| finished(a.0.throw(args)),
                "throw(value)\nthrow(type[,value[,tb]])\n\nRaise an exception where the generator is suspended.";
            noargs "close" "($self, /)" = |a: &Native<$payload>| a.0.close(),
                "Raise GeneratorExit where the generator is suspended.";
        } }

        #[doc = $doc]
        pub static $spec: TypeSpec = TypeSpec {
            slots: &[
                Native::<$payload>::DEALLOC,
                Native::<$payload>::TRAVERSE,
                Native::<$payload>::CLEAR,
                tp_iter(|a: &Native<$payload>| a.object().new_ref()),
                am_await(|a: &Native<$payload>| a.object().new_ref()),
                am_send(|a: &Native<$payload>, value: &Object| a.0.send(value)),
                tp_iternext(|a: &Native<$payload>| gen_room::next_of(a.0.send(none()))),
                tp_finalize(|a: &Native<$payload>| a.0.warn_unawaited()),
            ],
            methods: $methods,
            ..TypeSpec::new(&$ty)
        };
    };
}
awaitable_type!(Asend, ASEND_METHODS, ASEND, _PyAsyncGenASend_Type, "`async_generator_asend`.");
awaitable_type!(Athrow, ATHROW_METHODS, ATHROW, ATHROW_TYPE, "`async_generator_athrow`.");

/// At the first use the thread's hooks learn of the generator.
fn init_hooks(generator: &Generator) -> PyResult<()> {
    if !generator.take_first_use() {
        return Ok(());
    }
    let (first, finalizer) = state::async_gen_hooks();
    generator.set_finalizer(finalizer);
    if let Some(first) = first {
        first.call(&[generator])?;
    }
    Ok(())
}

fn asend(generator: &Generator, value: Option<Ref>) -> PyResult {
    init_hooks(generator)?;
    let awaitable = Awaitable::new(generator, Task::Send, value);
    Ok(native_new(&_PyAsyncGenASend_Type, Asend(awaitable))?.upcast())
}

fn anext_slot(generator: &Generator) -> PyResult {
    asend(generator, None)
}

fn asend_method(generator: &Generator, value: &Object) -> PyResult {
    asend(generator, Some(value.new_ref()))
}

fn athrow_method(generator: &Generator, args: &[&Object]) -> PyResult {
    if args.len() > 1 {
        (state::interp().hooks.get().warn)(
            &PyExc_DeprecationWarning,
            "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg signature instead.",
            1,
        )?;
    }
    init_hooks(generator)?;
    let args = Tuple::from_vec(args.iter().map(|arg| arg.new_ref()).collect())?;
    let awaitable = Awaitable::new(generator, Task::Throw, Some(args.upcast()));
    Ok(native_new(&ATHROW_TYPE, Athrow(awaitable))?.upcast())
}

fn aclose_method(generator: &Generator) -> PyResult {
    init_hooks(generator)?;
    let awaitable = Awaitable::new(generator, Task::Close, None);
    Ok(native_new(&ATHROW_TYPE, Athrow(awaitable))?.upcast())
}

taipan_object::methods! { static METHODS = {
    one "asend" "($self, value, /)" = asend_method, "Send a value into the generator: an awaitable for the next one.";
    many "athrow" "" = athrow_method, "athrow(value)\nathrow(type[,value[,tb]])\n\nRaise an exception where the generator is suspended.";
    noargs "aclose" "($self, /)" = aclose_method, "Raise GeneratorExit where the generator is suspended.";
    noargs "__sizeof__" "($self, /)" = gen_room::size_of_generator, "The bytes that the generator takes.";
    class one "__class_getitem__" "($type, object, /)" = gen_room::class_getitem, "The class with type parameters.";
} }

/// `async_generator`.
pub static ASYNC_GENERATOR: TypeSpec = TypeSpec {
    slots: &[
        raw_dealloc(gen_room::dealloc),
        raw_traverse(gen_room::traverse),
        raw_clear(gen_room::clear),
        tp_repr(gen_room::repr),
        tp_finalize(gen_room::finalize),
        am_aiter(gen_room::iter_self),
        am_anext(anext_slot),
    ],
    methods: METHODS,
    getset: &[
        gen_room::NAME,
        gen_room::QUALNAME,
        getset_row(c"ag_await", gen_room::delegate, c"what the generator awaits, or None"),
        getset_row(c"ag_frame", gen_room::frame_attribute, c""),
        getset_row(c"ag_code", gen_room::code_attribute, c""),
        getset_row(c"ag_suspended", gen_room::suspended, c""),
    ],
    members: &[Member::new(
        c"ag_running",
        T_BOOL,
        gen_room::RUNNING_ASYNC_OFFSET,
        taipan_abi::Py_READONLY,
        c"",
    )],
    ..TypeSpec::new(&PyAsyncGen_Type)
};

/// `anext(iterator, default)`: awaits, and gives the default at the end.
struct AnextAwaitable {
    wrapped: Field,
    default: Field,
}

static ANEXT_TYPE: StaticType =
    StaticType::native(c"anext_awaitable", Native::<AnextAwaitable>::SIZE, GC_FLAGS);

impl Payload for AnextAwaitable {
    const TYPE: &'static StaticType = &ANEXT_TYPE;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit_opt(self.wrapped.get().as_ref());
        visitor.visit_opt(self.default.get().as_ref());
    }
    fn clear(&self) {
        self.wrapped.set(None);
        self.default.set(None);
    }
}

impl AnextAwaitable {
    /// The iterator that does the awaiting.
    fn iterator(&self) -> PyResult {
        let wrapped = self.wrapped.get().unwrap_or_else(|| none().new_ref());
        let found = crate::ops::awaitable_iterator(&wrapped)?;
        if crate::ops::is_iterator(&found) {
            return Ok(found);
        }
        // A coroutine is awaited through its wrapper.
        // SAFETY: slot contract.
        let inner = unsafe {
            let slot = (*found.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_await);
            match slot {
                Some(slot) => from_c(slot(found.as_ptr()))?,
                None => found,
            }
        };
        if !crate::ops::is_iterator(&inner) {
            return Err(err::type_error(&format!(
                "__await__ must return an iterable, not {}",
                inner.ty().message_name()
            )));
        }
        Ok(inner)
    }

    /// The end of the iteration becomes the end of the awaitable, with the default.
    fn or_default<T>(&self, step: PyResult<T>) -> PyResult<T> {
        step.map_err(|error| {
            if error.is(&PyExc_StopAsyncIteration) {
                err::stop_iteration(self.default.get().as_deref())
            } else {
                error
            }
        })
    }

    fn next(&self) -> PyResult<Option<Ref>> {
        let iterator = self.iterator()?;
        // SAFETY: slot contract; `iterator` has checked that the slot is there.
        let step = unsafe {
            let slot: unsafe extern "C" fn(*mut PyObject) -> *mut PyObject =
                (*iterator.ty().raw()).tp_iternext.ok_or_else(|| err::system_error("lost an iterator"))?;
            from_c_opt(slot(iterator.as_ptr()))
        };
        self.or_default(step)
    }

    fn relay(&self, method: &Str, args: &[&Object]) -> PyResult {
        let iterator = self.iterator()?;
        let step = iterator.getattr(method).and_then(|method| method.call(args));
        self.or_default(step)
    }
}

type AnextView = Native<AnextAwaitable>;

taipan_object::methods! { static ANEXT_METHODS = {
    one "send" "($self, value, /)" = |a: &AnextView, value: &Object| a.relay(intern!("send"), &[value]),
        "Go on with a value, up to the next await that suspends.";
    many "throw" "" = |a: &AnextView, args: &[&Object]| a.relay(intern!("throw"), args),
        "throw(value)\nthrow(type[,value[,tb]])\n\nRaise an exception where the awaitable is suspended.";
    noargs "close" "($self, /)" = |a: &AnextView| a.relay(intern!("close"), &[]),
        "Raise GeneratorExit where the awaitable is suspended.";
} }

/// `anext_awaitable`.
pub static ANEXT: TypeSpec = TypeSpec {
    slots: &[
        AnextView::DEALLOC,
        AnextView::TRAVERSE,
        AnextView::CLEAR,
        tp_iter(|a: &AnextView| a.object().new_ref()),
        am_await(|a: &AnextView| a.object().new_ref()),
        tp_iternext(|a: &AnextView| a.next()),
    ],
    methods: ANEXT_METHODS,
    ..TypeSpec::new(&ANEXT_TYPE)
};

/// `aiter(iterable)`.
///
/// # Errors
/// `TypeError` for what is no asynchronous iterable.
pub fn aiter(iterable: &Object) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        let slot = (*iterable.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_aiter);
        let Some(slot) = slot else {
            let name = iterable.ty().message_name();
            return Err(raise!(PyExc_TypeError, "'{name}' object is not an async iterable"));
        };
        let iterator = from_c(slot(iterable.as_ptr()))?;
        if (*iterator.ty().raw()).tp_as_async.as_ref().is_none_or(|table| table.am_anext.is_none()) {
            let name = iterator.ty().message_name();
            return Err(raise!(PyExc_TypeError, "aiter() returned not an async iterator of type '{name}'"));
        }
        Ok(iterator)
    }
}

/// `anext(iterator[, default])`.
///
/// # Errors
/// `TypeError` for what is no asynchronous iterator.
pub fn anext(iterator: &Object, default: Option<&Object>) -> PyResult {
    // SAFETY: slot contract.
    let awaitable = unsafe {
        let slot = (*iterator.ty().raw()).tp_as_async.as_ref().and_then(|table| table.am_anext);
        let Some(slot) = slot else {
            let name = iterator.ty().message_name();
            return Err(raise!(PyExc_TypeError, "'{name}' object is not an async iterator"));
        };
        from_c(slot(iterator.as_ptr()))?
    };
    match default {
        None => Ok(awaitable),
        Some(default) => {
            let payload =
                AnextAwaitable { wrapped: Field::new(Some(awaitable)), default: Field::of(default) };
            Ok(native_new(&ANEXT_TYPE, payload)?.upcast())
        }
    }
}
