//! Scheduling: priorities, policies, processors.

use super::convert::{int, ok, os_error};
use taipan_object::dict::Dict;
use taipan_object::err::{overflow_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::{Args, Signature, tp_new};
use taipan_object::statics::{PyExc_TypeError, PySet_Type};
use taipan_object::structseq::from_values;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, protocol, raise, struct_sequence};
use taipan_os::{calls, process};

struct_sequence! {
    /// `sched_param`.
    pub static SCHED_PARAM, SCHED_PARAM_TYPE = c"posix.sched_param", visible 1, flags 0,
        c"sched_param(sched_priority)\n--\n\nThe parameters of a scheduling policy: its priority." {
        sched_priority c"the priority";
    }
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Tuple>> {
    static SIGNATURE: Signature = Signature::parse("sched_param", "(sched_priority)");
    let (mut storage, mut names) = (Vec::new(), None);
    let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
    from_values(ty, vec![Some(bound.required(0).new_ref())])
}

fn reduce(param: &Tuple) -> PyResult<Ref<Tuple>> {
    let values = Tuple::from_refs(param.items())?;
    Tuple::from_array([param.ty().new_ref(), values.upcast()])
}

/// The priority in a `sched_param`.
pub fn priority(object: &Object) -> PyResult<i32> {
    let param = object.downcast::<Tuple>().filter(|_| object.is_exact(&SCHED_PARAM_TYPE));
    let Some(param) = param else { return Err(type_error("must have a sched_param object")) };
    let value = param.items()[0].to_i64()?;
    i32::try_from(value).map_err(|_| overflow_error("sched_priority out of range"))
}

fn sched_getparam(_: &Object, pid: &Object) -> PyResult<Ref<Tuple>> {
    let priority = ok(process::sched_param(int(pid)?))?;
    SCHED_PARAM.make(vec![Int::from_i64(priority.into()).upcast()])
}

fn sched_setparam(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let pid = int(args.required(0))?;
    ok(process::set_sched_param(pid, priority(args.required(1))?))
}

fn sched_getscheduler(_: &Object, pid: &Object) -> PyResult<i32> {
    ok(calls::sched_getscheduler(int(pid)?))
}

fn sched_setscheduler(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (pid, policy) = (int(args.required(0))?, int(args.required(1))?);
    ok(process::set_scheduler(pid, policy, priority(args.required(2))?))
}

fn sched_get_priority_max(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    ok(calls::sched_get_priority_max(int(args.required(0))?))
}

fn sched_get_priority_min(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    ok(calls::sched_get_priority_min(int(args.required(0))?))
}

fn sched_rr_get_interval(_: &Object, pid: &Object) -> PyResult<f64> {
    let (seconds, rest) = ok(process::sched_interval(int(pid)?))?;
    Ok(seconds as f64 + 1e-9 * rest as f64)
}

fn sched_yield(_: &Object) -> PyResult<()> {
    ok(super::convert::released(calls::sched_yield)).map(drop)
}

fn sched_getaffinity(_: &Object, pid: &Object) -> PyResult {
    let cpus = ok(process::affinity(int(pid)?))?;
    let numbers = cpus.iter().map(|&cpu| Int::from_usize(cpu).upcast()).collect();
    PySet_Type.call(&[&*Tuple::from_vec(numbers)?])
}

fn sched_setaffinity(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let pid = int(args.required(0))?;
    let mut cpus = Vec::new();
    for item in protocol::to_vec(args.required(1))? {
        if item.downcast::<Int>().is_none() {
            return Err(raise!(
                PyExc_TypeError,
                "expected an iterator of ints, but iterator yielded {}",
                item.ty().repr()?.to_lossy()
            ));
        }
        let cpu = item.to_i64()?;
        if cpu < 0 {
            return Err(value_error("negative CPU number"));
        }
        if cpu > i64::from(i32::MAX) - 1 {
            return Err(overflow_error("CPU number too large"));
        }
        cpus.push(cpu as usize);
    }
    ok(process::set_affinity(pid, &cpus))
}

fn getpriority(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let (which, who) = (int(args.required(0))?, int(args.required(1))?);
    ok(calls::getpriority(which, who.cast_unsigned()))
}

fn setpriority(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (which, who) = (int(args.required(0))?, int(args.required(1))?);
    ok(calls::setpriority(which, who.cast_unsigned(), int(args.required(2))?)).map(drop)
}

fn nice(_: &Object, increment: &Object) -> PyResult<i32> {
    calls::nice(int(increment)?).map_err(os_error)
}

fn cpu_count(_: &Object) -> Option<usize> {
    process::processors().filter(|&count| count > 0)
}

/// Makes the types ready and adds them.
pub fn add(module: &Module) -> PyResult<()> {
    SCHED_PARAM.install_with(&[tp_new(new)], TYPE_METHODS)?;
    module.add("sched_param", &SCHED_PARAM_TYPE)?;
    module.add_functions(METHODS)
}

taipan_object::methods! {
    static TYPE_METHODS = {
        noargs "__reduce__" "" = reduce, "";
    }
}

taipan_object::methods! {
    static METHODS = {
        one "sched_getparam" "($module, pid, /)" = sched_getparam, "The scheduling parameters of a process.";
        args "sched_setparam" "($module, pid, param, /)" = sched_setparam, "Set the scheduling parameters of a process.";
        one "sched_getscheduler" "($module, pid, /)" = sched_getscheduler, "The scheduling policy of a process.";
        args "sched_setscheduler" "($module, pid, policy, param, /)" = sched_setscheduler, "Set the scheduling policy of a process.";
        args "sched_get_priority_max" "($module, /, policy)" = sched_get_priority_max, "The highest priority of a policy.";
        args "sched_get_priority_min" "($module, /, policy)" = sched_get_priority_min, "The lowest priority of a policy.";
        one "sched_rr_get_interval" "($module, pid, /)" = sched_rr_get_interval, "The time slice of round-robin scheduling, in seconds.";
        noargs "sched_yield" "($module, /)" = sched_yield, "Let others run.";
        one "sched_getaffinity" "($module, pid, /)" = sched_getaffinity, "The processors that a process may run on.";
        args "sched_setaffinity" "($module, pid, mask, /)" = sched_setaffinity, "Set the processors that a process may run on.";
        args "getpriority" "($module, /, which, who)" = getpriority, "The priority of a process, group or user.";
        args "setpriority" "($module, /, which, who, priority)" = setpriority, "Set the priority of a process, group or user.";
        one "nice" "($module, increment, /)" = nice, "Add to the niceness; gives the new one.";
        noargs "cpu_count" "($module, /)" = cpu_count, "How many processors there are, None where that is not known.";
    }
}
