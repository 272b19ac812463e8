//! `sys.monitoring`: tools and what they want to hear of (PEP 669).
//!
//! Only the Python side stands here: numbers, names and checks. The evaluator rewrites code and sends events.

use taipan_eval::code::Code;
use taipan_eval::monitor;
use taipan_object::dict::Dict;
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::monitoring::{
    Callback, EVENT_NAMES, EVENTS, LOCAL_EVENTS, Monitoring, UNGROUPED_EVENTS, USER_TOOLS, event,
};
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, state};

/// The events that come with `CALL` and cannot be asked for alone.
const WITH_CALL: i32 = 1 << event::C_RETURN | 1 << event::C_RAISE;
const CALLS: i32 = WITH_CALL | 1 << event::CALL;
const BRANCH: i32 = 1 << event::BRANCH;
const BRANCHES: i32 = 1 << event::BRANCH_LEFT | 1 << event::BRANCH_RIGHT;
const LOCAL: i32 = (1 << LOCAL_EVENTS) - 1;
const ALL: i32 = (1 << EVENTS) - 1;

fn tools() -> &'static Monitoring {
    &state::interp().monitoring
}

fn tool(object: &Object) -> PyResult<usize> {
    let number = object.to_i32()?;
    usize::try_from(number)
        .ok()
        .filter(|number| *number < USER_TOOLS)
        .ok_or_else(|| value_error(&format!("invalid tool {number} (must be between 0 and 5)")))
}

fn check_in_use(number: usize) -> PyResult<()> {
    if tools().names.borrow()[number].is_none() {
        return Err(value_error(&format!("tool {number} is not in use")));
    }
    Ok(())
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

fn clear_tool_id(_: &Object, number: &Object) -> PyResult<()> {
    let number = tool(number)?;
    if tools().names.borrow()[number].is_some() {
        monitor::clear_tool(number);
    }
    Ok(())
}

fn free_tool_id(module: &Object, number: &Object) -> PyResult<()> {
    clear_tool_id(module, number)?;
    let name = tools().names.borrow_mut()[tool(number)?].take();
    drop(name);
    Ok(())
}

fn get_tool(_: &Object, number: &Object) -> PyResult<Option<Ref>> {
    let number = tool(number)?;
    Ok(tools().names.borrow()[number].clone())
}

fn register_callback(module: &Object, args: &Args<'_>) -> PyResult<Option<Ref>> {
    let number = tool(args.required(0))?;
    let bit = args.required(1).to_i32()?;
    if bit <= 0 || bit & (bit - 1) != 0 {
        return Err(value_error("The callback can only be set for one event at a time"));
    }
    if bit & ALL == 0 {
        return Err(value_error(&format!("invalid event {bit}")));
    }
    let function = args.required(2);
    super::more::audit(module, &[&*Str::from_utf8("sys.monitoring.register_callback")?, function])?;
    let both_branches = bit == BRANCH;
    let callback = || (!is_none(function)).then(|| Callback { function: function.new_ref(), both_branches });
    let old = if both_branches {
        let left = tools().set_callback(number, event::BRANCH_LEFT, callback());
        let right = tools().set_callback(number, event::BRANCH_RIGHT, callback());
        left.or(right)
    } else {
        tools().set_callback(number, bit.trailing_zeros() as usize, callback())
    };
    Ok(old.map(|old| old.function))
}

/// Checks a set of events and writes it with ungrouped events only.
fn ungrouped(events: i32) -> PyResult<i32> {
    if events & WITH_CALL != 0 && events & CALLS != CALLS {
        return Err(value_error("cannot set C_RETURN or C_RAISE events independently"));
    }
    let plain = events & !WITH_CALL;
    Ok(if plain & BRANCH != 0 { plain & !BRANCH | BRANCHES } else { plain })
}

fn set_events(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let number = tool(args.required(0))?;
    let events = args.required(1).to_i32()?;
    if events < 0 || events & !ALL != 0 {
        return Err(value_error(&format!("invalid event set 0x{events:x}")));
    }
    let events = ungrouped(events)?;
    check_in_use(number)?;
    monitor::set_events(number, events.cast_unsigned());
    Ok(())
}

fn code(object: &Object) -> PyResult<&Code> {
    object.downcast::<Code>().ok_or_else(|| type_error("code must be a code object"))
}

fn set_local_events(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let events = args.required(2).to_i32()?;
    let code = code(args.required(1))?;
    let number = tool(args.required(0))?;
    let events = ungrouped(events)?;
    if events & !LOCAL != 0 {
        return Err(value_error(&format!("invalid local event set 0x{events:x}")));
    }
    check_in_use(number)?;
    monitor::set_local_events(number, code, events.cast_unsigned());
    Ok(())
}

fn get_local_events(_: &Object, args: &Args<'_>) -> PyResult<u32> {
    let code = code(args.required(1))?;
    Ok(monitor::local_events(tool(args.required(0))?, code))
}

/// For each event that is wanted everywhere, the tools that want it.
fn all_events(_: &Object) -> PyResult<Ref<Dict>> {
    let all = Dict::new()?;
    for (name, tools) in EVENT_NAMES.iter().zip(tools().tools.get()).take(UNGROUPED_EVENTS) {
        if tools != 0 {
            all.set_text(name, &Int::from_i64(i64::from(tools)))?;
        }
    }
    Ok(all)
}

taipan_object::methods! { static METHODS = {
    args "use_tool_id" "($module, tool_id, name, /)" = use_tool_id, "Take a tool's number.";
    one "clear_tool_id" "($module, tool_id, /)" = clear_tool_id, "Forget a tool's callbacks and the events that it wants.";
    one "free_tool_id" "($module, tool_id, /)" = free_tool_id, "Give a tool's number back.";
    one "get_tool" "($module, tool_id, /)" = get_tool, "A tool's name.";
    args "register_callback" "($module, tool_id, event, func, /)" = register_callback, "Set the function for an event; gives the former one.";
    one "get_events" "($module, tool_id, /)" = |_: &Object, number: &Object| -> PyResult<u32> { Ok(tools().events_of(tool(number)?)) }, "The events that a tool wants.";
    args "set_events" "($module, tool_id, event_set, /)" = set_events, "Set the events that a tool wants.";
    args "get_local_events" "($module, tool_id, code, /)" = get_local_events, "The events that a tool wants of one code object.";
    args "set_local_events" "($module, tool_id, code, event_set, /)" = set_local_events, "Set the events that a tool wants of one code object.";
    noargs "restart_events" "($module, /)" = |_: &Object| monitor::restart_events(), "Send disabled events again.";
    noargs "_all_events" "($module, /)" = all_events, "The tools that want each event, one bit for each.";
} }

fn init(module: &Module) -> PyResult<()> {
    let names = Dict::new()?;
    for (event, name) in EVENT_NAMES.iter().enumerate() {
        names.set_text(name, &Int::from_i64(1 << event))?;
    }
    names.set_text("NO_EVENTS", &Int::from_i64(0))?;
    let namespace: &taipan_object::Type = &taipan_types_collections::misc::namespace::TYPE;
    module.add("events", &*taipan_object::protocol::vectorcall_with_dict(namespace, &[], Some(&names))?)?;
    module.add("DISABLE", &*tools().disable()?)?;
    module.add("MISSING", &*tools().missing()?)?;
    for (name, value) in [("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        module.add(name, &Int::from_i64(value))?;
    }
    Ok(())
}

/// `sys.monitoring`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "sys.monitoring", doc: "Events of the interpreter.", methods: METHODS, init };
