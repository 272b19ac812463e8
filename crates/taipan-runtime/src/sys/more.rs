//! The rarer functions of `sys`.

use super::facts::{ASYNCGEN_HOOKS, UNRAISABLE_ARGS};
use crate::printer;
use core::sync::atomic::Ordering;
use taipan_eval::monitor::legacy;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::native::{Args, CallArgs};
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, protocol, raise, state};

pub(super) fn set_int_max_str_digits(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let digits = args.required(0).to_i32()?;
    if digits != 0 && digits < 640 {
        return Err(value_error("maxdigits must be >= 640 or 0 for unlimited"));
    }
    state::interp().int_max_str_digits.set(digits);
    Ok(())
}

pub(super) fn getswitchinterval(_: &Object) -> f64 {
    state::interp().gil.interval.load(Ordering::Relaxed) as f64 * 1e-6
}

pub(super) fn setswitchinterval(_: &Object, interval: &Object) -> PyResult<()> {
    let seconds = interval.to_f64()?;
    if seconds <= 0.0 {
        return Err(value_error("switch interval must be strictly positive"));
    }
    state::interp().gil.interval.store((seconds * 1e6) as u64, Ordering::Relaxed);
    Ok(())
}

pub(super) fn get_asyncgen_hooks(_: &Object) -> PyResult<Ref<Tuple>> {
    let (first, last) = state::async_gen_hooks();
    ASYNCGEN_HOOKS.make(vec![first.unwrap_or_else(new_none), last.unwrap_or_else(new_none)])
}

pub(super) fn set_asyncgen_hooks(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (mut first, mut last) = state::async_gen_hooks();
    let hook = |value: &Object, name: &str| -> PyResult<Option<Ref>> {
        if is_none(value) {
            Ok(None)
        } else if value.is_callable() {
            Ok(Some(value.new_ref()))
        } else {
            Err(raise!(PyExc_TypeError, "callable {name} expected, got {}", value.ty().message_name()))
        }
    };
    if let Some(value) = args.get(1) {
        last = hook(value, "finalizer")?;
    }
    if let Some(value) = args.get(0) {
        first = hook(value, "firstiter")?;
    }
    state::set_async_gen_hooks(first, last);
    Ok(())
}

pub(super) fn set_origin_depth(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let depth = args.required(0).to_i32()?;
    if depth < 0 {
        return Err(value_error("depth must be >= 0"));
    }
    state::set_coroutine_origin_tracking_depth(depth);
    Ok(())
}

pub(super) fn settrace(module: &Object, function: &Object) -> PyResult<()> {
    audit(module, &[&*Str::from_utf8("sys.settrace")?])?;
    legacy::set_trace(legacy::python_trace(function));
    Ok(())
}

pub(super) fn setprofile(module: &Object, function: &Object) -> PyResult<()> {
    audit(module, &[&*Str::from_utf8("sys.setprofile")?])?;
    legacy::set_profile(legacy::python_profile(function));
    Ok(())
}

pub(super) fn settraceallthreads(module: &Object, function: &Object) -> PyResult<()> {
    audit(module, &[&*Str::from_utf8("sys.settrace")?])?;
    legacy::set_trace_everywhere(&legacy::python_trace(function));
    Ok(())
}

pub(super) fn setprofileallthreads(module: &Object, function: &Object) -> PyResult<()> {
    audit(module, &[&*Str::from_utf8("sys.setprofile")?])?;
    legacy::set_profile_everywhere(&legacy::python_profile(function));
    Ok(())
}

pub(super) fn audit(_: &Object, args: &[&Object]) -> PyResult<()> {
    let Some((event, rest)) = args.split_first() else {
        return Err(type_error("audit expected at least 1 argument, got 0"));
    };
    if event.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "expected str for argument 'event', not {}",
            event.ty().message_name()
        ));
    }
    let hooks = state::interp().audit_hooks.borrow().clone();
    if hooks.is_empty() {
        return Ok(());
    }
    let rest = Tuple::from_refs(rest)?;
    for hook in hooks {
        hook.call(&[event, &rest])?;
    }
    Ok(())
}

pub(super) fn addaudithook(module: &Object, args: &Args<'_>) -> PyResult<()> {
    // A hook that objects with an Exception keeps the new one out.
    let event = Str::from_utf8("sys.addaudithook")?;
    if let Err(error) = audit(module, &[&event]) {
        return if error.is(&PyExc_Exception) { Ok(()) } else { Err(error) };
    }
    state::interp().audit_hooks.borrow_mut().push(args.required(0).new_ref());
    Ok(())
}

pub(super) fn unraisablehook(_: &Object, unraisable: &Object) -> PyResult<()> {
    if !unraisable.is_exact(UNRAISABLE_ARGS.ty) {
        return Err(type_error("sys.unraisablehook argument type must be UnraisableHookArgs"));
    }
    let (value, message, object) = (
        unraisable.getattr(intern!("exc_value"))?,
        unraisable.getattr(intern!("err_msg"))?,
        unraisable.getattr(intern!("object"))?,
    );
    let some = |object: Ref| Some(object).filter(|object| !is_none(object));
    printer::show_unraisable(some(value).as_deref(), some(message).as_deref(), some(object).as_deref());
    Ok(())
}

/// Hands an exception that nobody can catch to `sys.unraisablehook`.
pub(crate) fn call_unraisablehook(
    value: &Exception,
    message: Option<&str>,
    object: Option<&Object>,
) -> PyResult<()> {
    let message = match message {
        Some(message) => Some(Str::from_utf8(message)?.upcast()),
        None => None,
    };
    let sys = state::interp().sysdict.borrow().clone();
    let hook = sys.and_then(|sys| sys.get_text("unraisablehook")).filter(|hook| !is_none(hook));
    let Some(hook) = hook else {
        printer::show_unraisable(Some(value), message.as_deref(), object);
        return Ok(());
    };
    let args = UNRAISABLE_ARGS.make(vec![
        value.ty().new_ref(),
        value.new_ref(),
        value.traceback().unwrap_or_else(new_none),
        message.unwrap_or_else(new_none),
        object.map_or_else(new_none, Object::new_ref),
    ])?;
    hook.call(&[&*args]).map(|_| ())
}

pub(super) fn breakpointhook(_: &Object, args: CallArgs<'_>) -> PyResult {
    let name = taipan_os::environment("PYTHONBREAKPOINT").map(|name| name.to_string_lossy().into_owned());
    let name = match name.as_deref() {
        None | Some("") => "pdb.set_trace",
        Some("0") => return Ok(new_none()),
        Some(name) => name,
    };
    let (module, function) = name.rsplit_once('.').unwrap_or(("builtins", name));
    let found = crate::import_module(module).and_then(|module| module.getattr(&*Str::from_utf8(function)?));
    match found {
        Ok(function) => {
            protocol::vectorcall_with_dict(&function, args.positional(), args.keywords_dict()?.as_deref())
        }
        Err(error) if error.is(&PyExc_ImportError) || error.is(&PyExc_AttributeError) => {
            let message = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\"");
            (state::interp().hooks.get().warn)(&PyExc_RuntimeWarning, &message, 1)?;
            Ok(new_none())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn call_tracing(_: &Object, args: &Args<'_>) -> PyResult {
    match args.required(1).downcast::<Tuple>() {
        Some(given) => legacy::with_tracing(|| protocol::call_with_dict(args.required(0), given, None)),
        None => Err(raise!(
            PyExc_TypeError,
            "call_tracing() argument 2 must be tuple, not {}",
            args.required(1).ty().message_name()
        )),
    }
}

pub(super) fn getframemodulename(module: &Object, args: &Args<'_>) -> PyResult {
    match super::getframe(module, args) {
        Ok(frame) => {
            let globals = frame.getattr(intern!("f_globals"))?;
            let name = globals.downcast::<Dict>().and_then(|globals| globals.get_text("__name__"));
            Ok(name.unwrap_or_else(new_none))
        }
        Err(error) => match error.allow::<()>(&PyExc_ValueError) {
            Ok(_) => Ok(new_none()),
            Err(error) => Err(error),
        },
    }
}

fn this_thread() -> Ref<Int> {
    Int::from_u64(taipan_os::signals::thread_ident())
}

pub(super) fn current_frames(_: &Object) -> PyResult<Ref<Dict>> {
    let all = Dict::new()?;
    if let Some(frame) = taipan_eval::frame_object::current() {
        all.set(&this_thread(), &frame)?;
    }
    Ok(all)
}

pub(super) fn current_exceptions(_: &Object) -> PyResult<Ref<Dict>> {
    let all = Dict::new()?;
    all.set(&this_thread(), &state::handled_exception().unwrap_or_else(new_none))?;
    Ok(all)
}

pub(super) fn is_interned(_: &Object, text: &Object) -> PyResult<bool> {
    match text.downcast::<Str>() {
        Some(text) => Ok(text.is_interned()),
        None => Err(raise!(
            PyExc_TypeError,
            "_is_interned() argument must be str, not {}",
            text.ty().message_name()
        )),
    }
}

/// Shows what a hook itself raised.
pub(crate) fn hook_failed(error: &PyErr) {
    printer::to_stderr("Exception ignored in sys.unraisablehook:\n");
    // Showing an exception has its own last resorts.
    let _ = printer::print_exception(error.exception());
}

/// Takes the descriptors of `__dict__` and `__weakref__` out of a class.
pub(super) fn clear_type_descriptors(_: &Object, class: &Object) -> PyResult<()> {
    let Some(class) = class.downcast::<taipan_object::Type>() else {
        return Err(raise!(
            PyExc_TypeError,
            "_clear_type_descriptors() argument must be type, not {}",
            class.ty().message_name()
        ));
    };
    if class.has_flag(taipan_object::abi::Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(type_error("argument is immutable"));
    }
    if let Some(dict) = class.dict() {
        dict.remove(intern!("__dict__"))?;
        dict.remove(intern!("__weakref__"))?;
    }
    class.modified();
    Ok(())
}
