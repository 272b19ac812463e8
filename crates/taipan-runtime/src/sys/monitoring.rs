//! `sys.monitoring`: tools and their numbers (PEP 669).
//!
//! Tools can be named and asked for. The loop does not send events yet: asking for one is
//! `NotImplementedError`, so that no debugger or profiler believes that it is being told.

use core::cell::RefCell;
use taipan_object::dict::Dict;
use taipan_object::err::value_error;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{is_none, new_none};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, raise, state};

const TOOLS: usize = 6;
const EVENTS: &[(&str, i64)] = &[
    ("PY_START", 1),
    ("PY_RESUME", 2),
    ("PY_RETURN", 4),
    ("PY_YIELD", 8),
    ("CALL", 16),
    ("LINE", 32),
    ("INSTRUCTION", 64),
    ("JUMP", 128),
    ("BRANCH_LEFT", 256),
    ("BRANCH_RIGHT", 512),
    ("STOP_ITERATION", 1024),
    ("RAISE", 2048),
    ("EXCEPTION_HANDLED", 4096),
    ("PY_UNWIND", 8192),
    ("PY_THROW", 16384),
    ("RERAISE", 32768),
    ("C_RETURN", 65536),
    ("C_RAISE", 131_072),
    ("BRANCH", 262_144),
    ("NO_EVENTS", 0),
];
const ALL_EVENTS: i64 = (1 << 19) - 1;

#[derive(Default)]
struct Tools {
    names: RefCell<[Option<Ref>; TOOLS]>,
    callbacks: RefCell<Vec<((usize, i64), Ref)>>,
}

fn tools() -> &'static Tools {
    state::interp().extension(Tools::default)
}

fn tool(object: &Object) -> PyResult<usize> {
    let number = object.to_i32()?;
    usize::try_from(number)
        .ok()
        .filter(|number| *number < TOOLS)
        .ok_or_else(|| value_error(&format!("invalid tool {number} (must be between 0 and 5)")))
}

fn used(object: &Object) -> PyResult<usize> {
    let number = tool(object)?;
    if tools().names.borrow()[number].is_none() {
        return Err(value_error(&format!("tool {number} is not in use")));
    }
    Ok(number)
}

fn use_tool_id(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let number = tool(args.required(0))?;
    if args.required(1).downcast::<Str>().is_none() {
        return Err(value_error("tool name must be a str"));
    }
    if tools().names.borrow()[number].is_some() {
        return Err(value_error(&format!("tool {number} is already in use")));
    }
    tools().names.borrow_mut()[number] = Some(args.required(1).new_ref());
    Ok(())
}

fn forget(number: usize) {
    let gone: Vec<_> = {
        let mut callbacks = tools().callbacks.borrow_mut();
        let (gone, kept) = callbacks.drain(..).partition(|((tool, _), _)| *tool == number);
        *callbacks = kept;
        gone
    };
    drop(gone);
}

fn clear_tool_id(_: &Object, number: &Object) -> PyResult<()> {
    let number = tool(number)?;
    forget(number);
    Ok(())
}

fn free_tool_id(_: &Object, number: &Object) -> PyResult<()> {
    let number = tool(number)?;
    forget(number);
    let name = tools().names.borrow_mut()[number].take();
    drop(name);
    Ok(())
}

fn get_tool(_: &Object, number: &Object) -> PyResult<Option<Ref>> {
    let number = tool(number)?;
    Ok(tools().names.borrow()[number].clone())
}

fn register_callback(_: &Object, args: &Args<'_>) -> PyResult {
    let number = tool(args.required(0))?;
    let event = args.required(1).to_i64()?;
    if event <= 0 || event & (event - 1) != 0 {
        return Err(value_error("The callback can only be set for one event at a time"));
    }
    if event & ALL_EVENTS == 0 {
        return Err(value_error(&format!("invalid event {event}")));
    }
    let mut callbacks = tools().callbacks.borrow_mut();
    let place = callbacks.iter().position(|(key, _)| *key == (number, event));
    let old = place.map(|place| callbacks.remove(place).1);
    if !is_none(args.required(2)) {
        callbacks.push(((number, event), args.required(2).new_ref()));
    }
    drop(callbacks);
    Ok(old.unwrap_or_else(new_none))
}

fn set(number: &Object, events: &Object) -> PyResult<()> {
    let _ = used(number)?;
    let events = events.to_i64()?;
    if events < 0 || events & !ALL_EVENTS != 0 {
        return Err(value_error(&format!("invalid event set {events:#x}")));
    }
    if events != 0 {
        return Err(raise!(PyExc_NotImplementedError, "Taipan does not support monitoring events yet"));
    }
    Ok(())
}

fn set_events(_: &Object, args: &Args<'_>) -> PyResult<()> {
    set(args.required(0), args.required(1))
}

fn set_local_events(_: &Object, args: &Args<'_>) -> PyResult<()> {
    set(args.required(0), args.required(2))
}

taipan_object::methods! { static METHODS = {
    args "use_tool_id" "($module, tool_id, name, /)" = use_tool_id, "Take a tool's number.";
    one "clear_tool_id" "($module, tool_id, /)" = clear_tool_id, "Forget a tool's callbacks.";
    one "free_tool_id" "($module, tool_id, /)" = free_tool_id, "Give a tool's number back.";
    one "get_tool" "($module, tool_id, /)" = get_tool, "A tool's name.";
    args "register_callback" "($module, tool_id, event, func, /)" = register_callback, "Set the function for an event; gives the former one.";
    one "get_events" "($module, tool_id, /)" = |_: &Object, number: &Object| -> PyResult<i32> { used(number).map(|_| 0) }, "The events that a tool asks for.";
    args "set_events" "($module, tool_id, event_set, /)" = set_events, "Ask for events.";
    args "get_local_events" "($module, tool_id, code, /)" = |_: &Object, args: &Args<'_>| -> PyResult<i32> { used(args.required(0)).map(|_| 0) }, "The events that a tool asks for in one code object.";
    args "set_local_events" "($module, tool_id, code, event_set, /)" = set_local_events, "Ask for events in one code object.";
    noargs "restart_events" "($module, /)" = |_: &Object| {}, "Send disabled events again.";
    noargs "_all_events" "($module, /)" = |_: &Object| Dict::new(), "The events that are sent.";
} }

fn init(module: &Module) -> PyResult<()> {
    let names = Dict::new()?;
    for (name, value) in EVENTS {
        names.set_text(name, &Int::from_i64(*value))?;
    }
    let namespace: &taipan_object::Type = &taipan_types_collections::misc::namespace::TYPE;
    module.add("events", &*taipan_object::protocol::vectorcall_with_dict(namespace, &[], Some(&names))?)?;
    for name in ["DISABLE", "MISSING"] {
        module.add(name, &*PyBaseObject_Type.call(&[])?)?;
    }
    for (name, value) in [("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        module.add(name, &Int::from_i64(value))?;
    }
    Ok(())
}

/// `sys.monitoring`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "sys.monitoring", doc: "Events of the interpreter.", methods: METHODS, init };
