//! The part of `_testcapi` that sends events of monitoring and sets trace functions as C code does.

use core::cell::{Cell, RefCell};
use taipan_eval::frame_object::FrameObject;
use taipan_eval::monitor::{events, legacy};
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::monitoring::{EVENTS, UNGROUPED_EVENTS, event};
use taipan_object::native::*;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, intern, payload, raise, state};

/// Something that events can come from as from a code object.
pub struct CodeLike {
    /// For each place the tools that want its event.
    states: RefCell<Vec<u8>>,
    version: Cell<u64>,
}
payload!(CodeLike, CODE_LIKE, c"CodeLike", 0, []);
type CodeLikeView = Native<CodeLike>;

fn new(_: &Type, args: &Tuple, _: Option<&taipan_object::dict::Dict>) -> PyResult {
    let [count] = args.items() else {
        return Err(type_error("CodeLike expected exactly 1 argument"));
    };
    let count = usize::try_from(count.to_i32()?).map_err(|_| value_error("a count cannot be negative"))?;
    let states = RefCell::new(vec![0; count.min(1 << 20)]);
    Ok(native_new(&CODE_LIKE, CodeLike { states, version: Cell::new(u64::MAX) })?.upcast())
}

/// `_testcapi.CodeLike`.
pub(super) static CODE_LIKE_SPEC: TypeSpec =
    TypeSpec { slots: &[CodeLikeView::DEALLOC, tp_new(new)], ..TypeSpec::new(&CODE_LIKE) };

fn code_like(object: &Object) -> PyResult<&CodeLikeView> {
    object.downcast::<CodeLikeView>().ok_or_else(|| type_error("expected a code-like"))
}

/// `monitoring_enter_scope(codelike, event, ...)`: asks which tools want the events.
pub(super) fn enter_scope(_: &Object, args: &[&Object]) -> PyResult<()> {
    let Some((target, wanted)) = args.split_first() else { return Err(type_error("no code-like given")) };
    let target = code_like(target)?;
    let monitoring = &state::interp().monitoring;
    if target.version.replace(monitoring.version.get()) == monitoring.version.get() {
        return Ok(());
    }
    for (place, wanted) in target.states.borrow_mut().iter_mut().zip(wanted) {
        let wanted = usize::try_from(wanted.to_i32()?).unwrap_or(EVENTS);
        *place = monitoring.tools.get().get(wanted).copied().unwrap_or(0);
    }
    Ok(())
}

fn fire(event: usize, args: &[&Object], rest: &[&Object]) -> PyResult<i32> {
    let [target, offset, ..] = args else { return Err(type_error("expected a code-like and an offset")) };
    let view = code_like(target)?;
    let offset = offset.to_i32()?;
    let place = usize::try_from(offset).ok().filter(|&place| place < view.states.borrow().len());
    let Some(place) = place else { return Err(value_error(&format!("invalid offset {offset}"))) };
    let mut active = view.states.borrow()[place];
    if active == 0 {
        return Ok(0);
    }
    if rest.is_empty() && (event::RAISE..UNGROUPED_EVENTS).contains(&event) {
        return Err(value_error(&format!("Firing event {event} with no exception set")));
    }
    let result = events::fire_outside(&mut active, target, offset, event, rest);
    if let Some(place) = view.states.borrow_mut().get_mut(place) {
        *place = active;
    }
    result.map(|()| i32::from(active))
}

/// An event with the arguments that were given for it.
pub(super) fn fire_plain<const EVENT: usize>(_: &Object, args: &[&Object]) -> PyResult<i32> {
    fire(EVENT, args, args.get(2..).unwrap_or_default())
}

/// An event of an exception, which may be missing.
pub(super) fn fire_exception<const EVENT: usize>(_: &Object, args: &[&Object]) -> PyResult<i32> {
    let given = args.get(2..).unwrap_or_default();
    fire(EVENT, args, if given.first().is_some_and(|given| is_none(given)) { &[] } else { given })
}

/// `STOP_ITERATION`, whose value becomes an exception.
pub(super) fn fire_stop(_: &Object, args: &[&Object]) -> PyResult<i32> {
    let Some(value) = args.get(2) else { return Err(type_error("no value given")) };
    let made;
    let stop: &Object = if value.ty().is_subtype(&PyExc_StopIteration) {
        value
    } else {
        made = PyExc_StopIteration.call(&[value])?;
        &made
    };
    fire(event::STOP_ITERATION, args, &[stop])
}

/// Notes event, line and argument in the list.
struct Record;

impl legacy::NativeTrace for Record {
    fn told(own: &Object, frame: &FrameObject, what: i32, arg: &Object) -> PyResult<()> {
        let Some(list) = own.downcast::<List>() else { return Ok(()) };
        let line = frame.getattr(intern!("f_lineno"))?;
        let row = Tuple::from_array([Int::from_i64(i64::from(what)).upcast(), line, arg.new_ref()])?;
        list.append(row.upcast())
    }
}

/// Fails while the list is empty, and so once.
struct FailOnce;

impl legacy::NativeTrace for FailOnce {
    fn told(own: &Object, _: &FrameObject, _: i32, _: &Object) -> PyResult<()> {
        match own.downcast::<List>() {
            Some(list) if list.is_empty() => {
                list.append(none().new_ref())?;
                Err(raise!(PyExc_Exception, "an exception"))
            }
            _ => Ok(()),
        }
    }
}

fn list_of(object: &Object) -> PyResult<Ref> {
    match object.downcast::<List>() {
        Some(_) => Ok(object.new_ref()),
        None => Err(type_error("settrace_to_... expects a list")),
    }
}

/// `settrace_to_record(list)`.
pub(super) fn settrace_to_record(_: &Object, list: &Object) -> PyResult<()> {
    legacy::set_trace(Some(legacy::native::<Record>(list_of(list)?)));
    Ok(())
}

/// `settrace_to_error(list)`.
pub(super) fn settrace_to_error(_: &Object, list: &Object) -> PyResult<()> {
    legacy::set_trace(Some(legacy::native::<FailOnce>(list_of(list)?)));
    Ok(())
}

/// `code_offset_to_line(code, offset)`.
pub(super) fn code_offset_to_line(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let Some(code) = args.required(0).downcast::<taipan_eval::code::Code>() else {
        return Err(type_error("expected a code object"));
    };
    let offset = args.required(1).to_i32()?;
    Ok(usize::try_from(offset / 2).ok().and_then(|unit| code.line_of(unit)).unwrap_or(-1))
}
