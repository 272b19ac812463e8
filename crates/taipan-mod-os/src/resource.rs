//! `resource`: limits and usage.

use crate::posix::convert::{int, os_error};
use taipan_object::err::{overflow_error, value_error};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::protocol;
use taipan_object::statics::PyExc_OSError;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyErr, PyResult, Ref, struct_sequence};
use taipan_os::{calls, constants, process};

struct_sequence! {
    /// What `getrusage` gives.
    pub static STRUCT_RUSAGE, STRUCT_RUSAGE_TYPE = c"resource.struct_rusage", visible 16, flags 0,
        c"What a process has used: times in seconds, then counts." {
        ru_utime c"time in the process";
        ru_stime c"time in the system for the process";
        ru_maxrss c"most memory at one time";
        ru_ixrss c"shared memory";
        ru_idrss c"data of its own";
        ru_isrss c"stack of its own";
        ru_minflt c"page faults without input";
        ru_majflt c"page faults with input";
        ru_nswap c"times swapped out";
        ru_inblock c"blocks read";
        ru_oublock c"blocks written";
        ru_msgsnd c"messages sent";
        ru_msgrcv c"messages received";
        ru_nsignals c"signals received";
        ru_nvcsw c"times it gave way";
        ru_nivcsw c"times it was made to give way";
    }
}

/// `EINVAL` and `EPERM`.
const INVALID: i32 = 22;
const NOT_PERMITTED: i32 = 1;
/// How many resources there are.
const RESOURCES: i32 = 16;

fn resource(object: &Object) -> PyResult<i32> {
    let number = int(object)?;
    if (0..RESOURCES).contains(&number) {
        return Ok(number);
    }
    Err(value_error("invalid resource specified"))
}

/// A limit; -1 stands for none.
fn limit(object: &Object) -> PyResult<u64> {
    let number = object.to_index()?;
    if number.is_negative() {
        return match number.to_i64() {
            Some(-1) => Ok(u64::MAX),
            _ => Err(value_error("Cannot convert negative int")),
        };
    }
    number.to_u64().ok_or_else(|| overflow_error("Python int too large to convert to C rlim_t"))
}

fn limits(object: &Object) -> PyResult<(u64, u64)> {
    let items = protocol::to_vec(object)?;
    let [soft, hard] = items.as_slice() else { return Err(value_error("expected a tuple of 2 integers")) };
    Ok((limit(soft)?, limit(hard)?))
}

fn pair((soft, hard): (u64, u64)) -> PyResult<Ref<Tuple>> {
    let number = |value: u64| Int::from_i64(value.cast_signed()).upcast();
    Tuple::from_array([number(soft), number(hard)])
}

fn getrlimit(_: &Object, which: &Object) -> PyResult<Ref<Tuple>> {
    pair(process::limit(0, resource(which)?, None).map_err(os_error)?)
}

fn refused(errno: i32) -> PyErr {
    match errno {
        INVALID => value_error("current limit exceeds maximum limit"),
        NOT_PERMITTED => value_error("not allowed to raise maximum limit"),
        errno => os_error(errno),
    }
}

fn setrlimit(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let which = resource(args.required(0))?;
    process::limit(0, which, Some(limits(args.required(1))?)).map_err(refused).map(drop)
}

fn prlimit(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let pid = int(args.required(0))?;
    let which = resource(args.required(1))?;
    let new = args.get_some(2).map(limits).transpose()?;
    pair(process::limit(pid, which, new).map_err(|errno| match errno {
        INVALID => value_error("current limit exceeds maximum limit"),
        errno => os_error(errno),
    })?)
}

fn getrusage(_: &Object, who: &Object) -> PyResult<Ref<Tuple>> {
    let usage = process::usage(int(who)?).map_err(|errno| match errno {
        INVALID => value_error("invalid who parameter"),
        errno => os_error(errno),
    })?;
    let time = |(seconds, micros): (i64, i64)| Float::new(seconds as f64 + 1e-6 * micros as f64).upcast();
    let mut values = vec![time(usage.user), time(usage.system)];
    values.extend(usage.counts.iter().map(|&count| Int::from_i64(count).upcast()));
    STRUCT_RUSAGE.make(values)
}

fn getpagesize(_: &Object) -> PyResult<i64> {
    calls::sysconf(30).map_err(os_error)
}

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in constants::RESOURCE {
        module.add(name, &Int::from_i64(number))?;
    }
    STRUCT_RUSAGE.install()?;
    module.add("struct_rusage", &STRUCT_RUSAGE_TYPE)?;
    module.add("error", &PyExc_OSError)
}

taipan_object::methods! {
    static METHODS = {
        one "getrlimit" "($module, resource, /)" = getrlimit, "The limits of a resource: (soft, hard).";
        args "setrlimit" "($module, resource, limits, /)" = setrlimit, "Set the limits of a resource.";
        args "prlimit" "($module, pid, resource, limits=None, /)" = prlimit, "Set the limits of a resource for a process; gives the old ones.";
        one "getrusage" "($module, who, /)" = getrusage, "What the process, its children or the thread have used.";
        noargs "getpagesize" "($module, /)" = getpagesize, "The size of a page of memory.";
    }
}

/// `resource`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "resource", doc: "Limits of resources, and their usage.", methods: METHODS, init };
