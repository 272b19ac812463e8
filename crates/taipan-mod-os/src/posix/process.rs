//! Processes: forking, waiting, signals, the environment, facts of the machine.

use super::convert::{c_name, int, int_or, ok, os_error, wait_ok};
use core::cell::RefCell;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{memory_error, type_error, value_error, write_unraisable};
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::module::Module;
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_DeprecationWarning, PyExc_RuntimeError, PyExc_TypeError};
use taipan_object::system::{fs_decode, waiting};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, intern, raise, state, struct_sequence};
use taipan_os::process::{Forked, Usage, status};
use taipan_os::{calls, process};

/// `EINVAL`.
const INVALID: i32 = 22;

struct_sequence! {
    /// What `times` gives.
    pub static TIMES_RESULT, TIMES_RESULT_TYPE = c"posix.times_result", visible 5, flags 0,
        c"Times in seconds: (user, system, children_user, children_system, elapsed)." {
        user c"in the process";
        system c"in the system for the process";
        children_user c"in children that were waited for";
        children_system c"in the system for such children";
        elapsed c"since some fixed point in the past";
    }
}

struct_sequence! {
    /// What `uname` gives.
    pub static UNAME_RESULT, UNAME_RESULT_TYPE = c"posix.uname_result", visible 5, flags 0,
        c"What the machine is: (sysname, nodename, release, version, machine)." {
        sysname c"name of the operating system";
        nodename c"name of the machine in the network";
        release c"release of the operating system";
        version c"version of the operating system";
        machine c"kind of hardware";
    }
}

struct_sequence! {
    /// What `waitid` gives.
    pub static WAITID_RESULT, WAITID_RESULT_TYPE = c"posix.waitid_result", visible 5, flags 0,
        c"What happened to a child: (si_pid, si_uid, si_signo, si_status, si_code)." {
        si_pid c"";
        si_uid c"";
        si_signo c"";
        si_status c"";
        si_code c"";
    }
}

/// What `register_at_fork` was given.
#[derive(Default)]
struct ForkHooks {
    before: RefCell<Vec<Ref>>,
    in_parent: RefCell<Vec<Ref>>,
    in_child: RefCell<Vec<Ref>>,
}

fn hooks() -> &'static ForkHooks {
    state::interp().extension(ForkHooks::default)
}

fn run_hooks(list: &RefCell<Vec<Ref>>, backwards: bool) {
    let mut hooks = list.borrow().clone();
    if backwards {
        hooks.reverse();
    }
    for hook in hooks {
        if let Err(error) = hook.call(&[]) {
            taipan_object::err::write_unraisable_at(
                error,
                "Exception ignored while calling fork function",
                &hook,
            );
        }
    }
}

fn register_at_fork(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let names = ["before", "after_in_child", "after_in_parent"];
    if names.iter().enumerate().all(|(index, _)| args.get(index).is_none()) {
        return Err(type_error("At least one argument is required."));
    }
    for (index, name) in names.iter().enumerate() {
        if let Some(hook) = args.get(index).filter(|hook| !hook.is_callable()) {
            return Err(raise!(
                PyExc_TypeError,
                "'{name}' must be callable, not {}",
                hook.ty().message_name()
            ));
        }
    }
    let all = hooks();
    for (index, list) in [&all.before, &all.in_child, &all.in_parent].into_iter().enumerate() {
        if let Some(hook) = args.get(index) {
            list.borrow_mut().push(hook.new_ref());
        }
    }
    Ok(())
}

/// Before a fork.
pub fn before_fork() {
    run_hooks(&hooks().before, true);
}

/// After a fork, in the parent.
pub fn after_fork_parent() {
    run_hooks(&hooks().in_parent, false);
}

/// After a fork, in the child.
pub fn after_fork_child() {
    run_hooks(&hooks().in_child, false);
}

/// How many threads the process has, as the system counts them.
fn thread_count() -> Option<usize> {
    let text = taipan_os::read_file("/proc/self/stat".as_ref()).ok()?;
    // The name in parentheses may hold anything: fields are counted behind it.
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let fields = String::from_utf8_lossy(&text[end + 1..]).into_owned();
    fields.split_whitespace().nth(17)?.parse().ok()
}

fn warn_about_threads(function: &str) {
    if thread_count().unwrap_or(1) <= 1 {
        return;
    }
    let text = format!(
        "This process (pid={}) is multi-threaded, use of {function}() may lead to deadlocks in the child.",
        calls::getpid()
    );
    if let Err(error) = (state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &text, 1) {
        write_unraisable(error, None);
    }
}

fn check_can_fork() -> PyResult<()> {
    if state::interp().finalizing.get() {
        let text = "can't fork at interpreter shutdown";
        return Err(taipan_object::PyErr::new(&taipan_object::statics::PyExc_PythonFinalizationError, text));
    }
    if state::interp().id != 0 {
        return Err(raise!(PyExc_RuntimeError, "fork not supported for isolated subinterpreters"));
    }
    Ok(())
}

fn fork(_: &Object) -> PyResult<i32> {
    check_can_fork()?;
    before_fork();
    let forked = state::interp().gil.around_fork(process::fork, |done| *done == Ok(Forked::Child));
    match forked {
        Ok(Forked::Child) => {
            after_fork_child();
            Ok(0)
        }
        Ok(Forked::Parent(pid)) => {
            warn_about_threads("fork");
            after_fork_parent();
            Ok(pid)
        }
        Err(errno) => {
            after_fork_parent();
            Err(os_error(errno))
        }
    }
}

fn forkpty(_: &Object) -> PyResult<Ref<Tuple>> {
    check_can_fork()?;
    before_fork();
    let forked =
        state::interp().gil.around_fork(process::forkpty, |done| matches!(done, Ok((Forked::Child, _))));
    let (pid, master) = match forked {
        Ok((Forked::Child, master)) => {
            after_fork_child();
            (0, master)
        }
        Ok((Forked::Parent(pid), master)) => {
            // The new descriptor is not for programs that are run.
            ok(taipan_os::descriptors::set_inheritable(master, false))?;
            warn_about_threads("forkpty");
            after_fork_parent();
            (pid, master)
        }
        Err(errno) => {
            after_fork_parent();
            return Err(os_error(errno));
        }
    };
    Tuple::from_array([Int::from_i64(pid.into()).upcast(), Int::from_i64(master.into()).upcast()])
}

fn exit(_: &Object, args: &Args<'_>) -> PyResult<()> {
    calls::_exit(int(args.required(0))?)
}

fn abort(_: &Object) {
    calls::abort()
}

fn kill(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (pid, signal) = (int(args.required(0))?, int(args.required(1))?);
    ok(calls::kill(pid, signal))?;
    // A signal to ourselves is handled before the call returns.
    (state::interp().hooks.get().check_signals)()
}

fn killpg(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (group, signal) = (int(args.required(0))?, int(args.required(1))?);
    ok(calls::killpg(group, signal))?;
    (state::interp().hooks.get().check_signals)()
}

fn pidfd_open(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let pid = int(args.required(0))?;
    ok(calls::pidfd_open(pid, args.get(1).map_or(Ok(0), super::convert::unsigned)?))
}

fn number(value: i64) -> Ref {
    Int::from_i64(value).upcast()
}

fn pair(pid: i32, status: i32) -> PyResult<Ref<Tuple>> {
    Tuple::from_array([number(pid.into()), number(status.into())])
}

fn wait(_: &Object) -> PyResult<Ref<Tuple>> {
    let (pid, status, _) = wait_ok(|| process::wait4(-1, 0))?;
    pair(pid, status)
}

fn waitpid(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let (pid, options) = (int(args.required(0))?, int(args.required(1))?);
    let (pid, status, _) = wait_ok(|| process::wait4(pid, options))?;
    pair(pid, status)
}

/// `(pid, status, struct_rusage)`.
fn with_usage((pid, status, usage): (i32, i32, Usage)) -> PyResult<Ref<Tuple>> {
    let resource = (state::interp().hooks.get().import_module)("resource")?;
    let class = resource.getattr(intern!("struct_rusage"))?;
    let time = |(seconds, micros): (i64, i64)| Float::new(seconds as f64 + 1e-6 * micros as f64).upcast();
    let mut values = vec![time(usage.user), time(usage.system)];
    values.extend(usage.counts.iter().map(|&count| number(count)));
    let usage = class.call(&[&*Tuple::from_vec(values)?])?;
    Tuple::from_array([number(pid.into()), number(status.into()), usage])
}

fn wait3(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let options = int(args.required(0))?;
    with_usage(wait_ok(|| process::wait4(-1, options))?)
}

fn wait4(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let (pid, options) = (int(args.required(0))?, int(args.required(1))?);
    with_usage(wait_ok(|| process::wait4(pid, options))?)
}

fn waitid(_: &Object, args: &Args<'_>) -> PyResult<Option<Ref<Tuple>>> {
    let (kind, id, options) = (int(args.required(0))?, int(args.required(1))?, int(args.required(2))?);
    let found = wait_ok(|| process::waitid(kind, id.cast_unsigned(), options))?;
    found.map(|facts| WAITID_RESULT.make(facts.iter().map(|&fact| number(fact)).collect())).transpose()
}

fn exit_code(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let value = int(args.required(0))?;
    if status::exited(value) {
        return Ok(status::exit_status(value));
    }
    if status::signaled(value) {
        return Ok(-status::term_signal(value));
    }
    if status::stopped(value) {
        return Err(value_error(&format!(
            "process stopped by delivery of signal {}",
            status::stop_signal(value)
        )));
    }
    Err(value_error(&format!("invalid wait status: {value}")))
}

macro_rules! status_functions {
    ($($name:ident -> $ty:ty = $test:path;)*) => {$(
        fn $name(_: &Object, args: &Args<'_>) -> PyResult<$ty> {
            int(args.required(0)).map($test)
        }
    )*};
}

status_functions! {
    dumped_core -> bool = status::dumped_core;
    continued -> bool = status::continued;
    stopped -> bool = status::stopped;
    signaled -> bool = status::signaled;
    exited -> bool = status::exited;
    exit_status -> i32 = status::exit_status;
    term_signal -> i32 = status::term_signal;
    stop_signal -> i32 = status::stop_signal;
}

fn system(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let command = c_name(args.required(0))?;
    Ok(super::convert::released(|| process::system(&command)))
}

fn umask(_: &Object, mask: &Object) -> PyResult<u32> {
    Ok(calls::umask(int(mask)?.cast_unsigned()))
}

fn unshare(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let flags = int(args.required(0))?;
    ok(super::convert::released(|| calls::unshare(flags))).map(drop)
}

fn setns(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let fd = taipan_object::system::descriptor(args.required(0))?;
    let kind = int_or(args, 1, 0)?;
    ok(super::convert::released(|| calls::setns(fd, kind))).map(drop)
}

fn times(_: &Object) -> PyResult<Ref<Tuple>> {
    let ticks = ok(process::times())?;
    let per_second = ok(calls::sysconf(2))?.max(1) as f64;
    TIMES_RESULT.make(ticks.iter().map(|&tick| Float::new(tick as f64 / per_second).upcast()).collect())
}

fn uname(_: &Object) -> PyResult<Ref<Tuple>> {
    let mut values = Vec::new();
    for text in ok(process::uname())? {
        values.push(fs_decode(&text)?.upcast());
    }
    UNAME_RESULT.make(values)
}

fn getloadavg(_: &Object) -> PyResult<Ref<Tuple>> {
    let loads = process::load().ok_or_else(|| {
        taipan_object::PyErr::new(&taipan_object::statics::PyExc_OSError, "Load averages are unobtainable")
    })?;
    Tuple::from_array(loads.map(|load| Float::new(load).upcast()))
}

/// Random bytes, waiting until the system has gathered enough at its start.
fn urandom(_: &Object, size: &Object) -> PyResult<Ref<Bytes>> {
    let size = usize::try_from(size.to_isize()?).map_err(|_| value_error("negative argument not allowed"))?;
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(size).map_err(|_| memory_error())?;
    buffer.resize(size, 0);
    ok(taipan_os::entropy(&mut buffer))?;
    Bytes::new(&buffer)
}

fn getrandom(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let size = usize::try_from(args.required(0).to_isize()?).map_err(|_| os_error(INVALID))?;
    let flags = int_or(args, 1, 0)?.cast_unsigned();
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(size).map_err(|_| memory_error())?;
    buffer.resize(size, 0);
    let count = waiting(|| process::random(&mut buffer, flags))?.map_err(os_error)?;
    Bytes::new(&buffer[..count])
}

fn strerror(_: &Object, code: &Object) -> PyResult<Ref<Str>> {
    Str::from_utf8(&taipan_os::error_text(int(code)?))
}

/// The environment as a dict of bytes.
fn environ() -> PyResult<Ref<Dict>> {
    let dict = Dict::new()?;
    for row in process::environment() {
        let Some(split) = row.iter().position(|&byte| byte == b'=') else { continue };
        let (name, value) = (Bytes::new(&row[..split])?, Bytes::new(&row[split + 1..])?);
        dict.set_default(&name, &value)?;
    }
    Ok(dict)
}

fn create_environ(_: &Object) -> PyResult<Ref<Dict>> {
    environ()
}

fn putenv(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (name, value) = (c_name(args.required(0))?, c_name(args.required(1))?);
    if name.as_bytes().contains(&b'=') {
        return Err(value_error("illegal environment variable name"));
    }
    ok(calls::setenv(&name, &value, 1)).map(drop)
}

fn unsetenv(_: &Object, name: &Object) -> PyResult<()> {
    ok(calls::unsetenv(&c_name(name)?)).map(drop)
}

fn inputhook(_: &Object) -> i32 {
    0
}

fn is_inputhook_installed(_: &Object) -> bool {
    false
}

/// Makes the types ready and adds them.
pub fn add(module: &Module) -> PyResult<()> {
    TIMES_RESULT.install()?;
    UNAME_RESULT.install()?;
    WAITID_RESULT.install()?;
    module.add("times_result", &TIMES_RESULT_TYPE)?;
    module.add("uname_result", &UNAME_RESULT_TYPE)?;
    module.add("waitid_result", &WAITID_RESULT_TYPE)?;
    module.add("environ", &*environ()?)?;
    module.add_functions(METHODS)
}

taipan_object::methods! {
    static METHODS = {
        noargs "fork" "($module, /)" = fork, "Split the process; gives 0 in the child and the child's number in the parent.";
        noargs "forkpty" "($module, /)" = forkpty, "Fork with a new pseudo-terminal for the child; gives (pid, master).";
        args "register_at_fork" "($module, /, *, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)" = register_at_fork, "Have functions called when the process forks.\n\nThose for before are called in reverse order.";
        args "_exit" "($module, /, status)" = exit, "End the process at once, without cleaning up.";
        noargs "abort" "($module, /)" = abort, "End the process with a core dump.";
        args "kill" "($module, pid, signal, /)" = kill, "Send a signal to a process.";
        args "killpg" "($module, pgid, signal, /)" = killpg, "Send a signal to a process group.";
        args "pidfd_open" "($module, /, pid, flags=0)" = pidfd_open, "A descriptor that stands for a process.";
        noargs "wait" "($module, /)" = wait, "Wait for any child; gives (pid, status).";
        args "waitpid" "($module, pid, options, /)" = waitpid, "Wait for a child; gives (pid, status).";
        args "wait3" "($module, /, options)" = wait3, "Wait for any child; gives (pid, status, usage).";
        args "wait4" "($module, /, pid, options)" = wait4, "Wait for a child; gives (pid, status, usage).";
        args "waitid" "($module, idtype, id, options, /)" = waitid, "Wait for a change in a child, None if there is none to tell.";
        args "waitstatus_to_exitcode" "($module, /, status)" = exit_code, "The exit code of a wait status, negative for a signal.";
        args "WCOREDUMP" "($module, status, /)" = dumped_core, "Whether the process left a core dump.";
        args "WIFCONTINUED" "($module, /, status)" = continued, "Whether the process was continued.";
        args "WIFSTOPPED" "($module, /, status)" = stopped, "Whether the process was stopped.";
        args "WIFSIGNALED" "($module, /, status)" = signaled, "Whether a signal ended the process.";
        args "WIFEXITED" "($module, /, status)" = exited, "Whether the process ended by itself.";
        args "WEXITSTATUS" "($module, /, status)" = exit_status, "The number that the process ended with.";
        args "WTERMSIG" "($module, /, status)" = term_signal, "The signal that ended the process.";
        args "WSTOPSIG" "($module, /, status)" = stop_signal, "The signal that stopped the process.";
        args "system" "($module, /, command)" = system, "Run a command in a shell; gives its wait status.";
        one "umask" "($module, mask, /)" = umask, "Set the mask of permissions for new files; gives the old one.";
        args "unshare" "($module, /, flags)" = unshare, "Leave namespaces.";
        args "setns" "($module, /, fd, nstype=0)" = setns, "Join a namespace.";
        noargs "times" "($module, /)" = times, "Times that the process has used.";
        noargs "uname" "($module, /)" = uname, "What the machine is.";
        noargs "getloadavg" "($module, /)" = getloadavg, "The load of the last 1, 5 and 15 minutes.";
        one "urandom" "($module, size, /)" = urandom, "Random bytes fit for cryptography.";
        args "getrandom" "($module, /, size, flags=0)" = getrandom, "Random bytes, possibly fewer than asked for.";
        one "strerror" "($module, code, /)" = strerror, "The system's words for an error number.";
        noargs "_create_environ" "($module, /)" = create_environ, "The environment as it is now, as a dict of bytes.";
        args "putenv" "($module, name, value, /)" = putenv, "Set an environment variable.";
        one "unsetenv" "($module, name, /)" = unsetenv, "Remove an environment variable.";
        noargs "_inputhook" "($module, /)" = inputhook, "Call the function that waits for input, if there is one.";
        noargs "_is_inputhook_installed" "($module, /)" = is_inputhook_installed, "Whether there is a function that waits for input.";
    }
}
