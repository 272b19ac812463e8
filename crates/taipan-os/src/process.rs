//! Processes: environment, groups, running programs, waiting for them, scheduling, facts.

use crate::Errno;
use crate::calls::{check, last};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::mem::MaybeUninit;
use core::ptr::{null, null_mut};
use std::ffi::CString;

unsafe extern "C" {
    static environ: *const *const c_char;
    fn getlogin_r(name: *mut c_char, size: usize) -> c_int;
}

/// The environment, `NAME=value` each.
pub fn environment() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    // SAFETY: null or an array of null-terminated texts that a null ends; only this crate changes it.
    unsafe {
        let mut row = (&raw const environ).read();
        while !row.is_null() && !(*row).is_null() {
            all.push(CStr::from_ptr(*row).to_bytes().to_vec());
            row = row.add(1);
        }
    }
    all
}

/// What `fork` gives: in the child, or in the parent with the child's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    Child,
    Parent(c_int),
}

/// Splits the process in two. In the child only the calling thread goes on: locks that others held
/// stay locked there, so callers hold every lock of their own that the child will need.
///
/// # Errors
/// What the system says.
pub fn fork() -> Result<Forked, Errno> {
    // SAFETY: the interpreter's own locks are held by the caller.
    match check(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Forks with a new pseudo-terminal as the child's; the parent also gets its master.
///
/// # Errors
/// What the system says.
pub fn forkpty() -> Result<(Forked, c_int), Errno> {
    let mut master = -1;
    // SAFETY: as for `fork`; no name and no settings.
    match check(unsafe { libc::forkpty(&raw mut master, null_mut(), null_mut(), null_mut()) })? {
        0 => Ok((Forked::Child, master)),
        pid => Ok((Forked::Parent(pid), master)),
    }
}

/// A null-ended array of C texts.
fn vector(texts: &[CString]) -> Vec<*mut c_char> {
    texts.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect()
}

/// Becomes another program; comes back only with an error.
pub fn exec(path: &CStr, args: &[CString], environment: Option<&[CString]>) -> Errno {
    let args = vector(args);
    let environment = environment.map(vector);
    // SAFETY: null-ended arrays of null-terminated texts.
    unsafe {
        match &environment {
            Some(all) => libc::execve(path.as_ptr(), args.as_ptr().cast(), all.as_ptr().cast()),
            None => libc::execv(path.as_ptr(), args.as_ptr().cast()),
        };
    }
    last()
}

/// As [`exec`], with the program given as an open file.
pub fn fexec(fd: c_int, args: &[CString], environment: &[CString]) -> Errno {
    let (args, all) = (vector(args), vector(environment));
    // SAFETY: null-ended arrays of null-terminated texts.
    unsafe { libc::fexecve(fd, args.as_ptr().cast(), all.as_ptr().cast()) };
    last()
}

/// What the child of [`spawn`] does with its files.
#[derive(Clone, Debug)]
pub enum FileAction {
    Open { fd: c_int, path: CString, flags: c_int, mode: c_uint },
    Close(c_int),
    Dup2(c_int, c_int),
    CloseFrom(c_int),
}

/// What [`spawn`] is told besides program, arguments and environment.
#[derive(Clone, Debug, Default)]
pub struct SpawnOptions {
    /// Look the program up in `PATH`.
    pub search: bool,
    pub actions: Vec<FileAction>,
    pub group: Option<c_int>,
    pub reset_ids: bool,
    pub new_session: bool,
    pub mask: Option<Vec<c_int>>,
    pub defaults: Option<Vec<c_int>>,
    /// Policy (none: keep) and priority.
    pub scheduler: Option<(Option<c_int>, c_int)>,
}

fn signal_set(signals: &[c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: emptied before use; numbers are checked by the library.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Turns an error code into a result.
fn code(error: c_int) -> Result<(), Errno> {
    if error == 0 { Ok(()) } else { Err(error) }
}

/// Owns the attributes and actions of a spawn.
struct SpawnPlan {
    attributes: libc::posix_spawnattr_t,
    actions: libc::posix_spawn_file_actions_t,
}

impl Drop for SpawnPlan {
    fn drop(&mut self) {
        // SAFETY: initialised when the plan was made.
        unsafe {
            libc::posix_spawnattr_destroy(&raw mut self.attributes);
            libc::posix_spawn_file_actions_destroy(&raw mut self.actions);
        }
    }
}

unsafe extern "C" {
    fn posix_spawn_file_actions_addclosefrom_np(
        actions: *mut libc::posix_spawn_file_actions_t,
        from: c_int,
    ) -> c_int;
}

impl SpawnPlan {
    fn new(options: &SpawnOptions) -> Result<Box<Self>, Errno> {
        // SAFETY: both are initialised by their own functions before use; names outlive the plan
        // (the library copies them).
        unsafe {
            let mut plan: Box<Self> = Box::new(core::mem::zeroed());
            code(libc::posix_spawnattr_init(&raw mut plan.attributes))?;
            code(libc::posix_spawn_file_actions_init(&raw mut plan.actions))?;
            let actions = &raw mut plan.actions;
            for action in &options.actions {
                code(match action {
                    FileAction::Open { fd, path, flags, mode } => {
                        libc::posix_spawn_file_actions_addopen(actions, *fd, path.as_ptr(), *flags, *mode)
                    }
                    FileAction::Close(fd) => libc::posix_spawn_file_actions_addclose(actions, *fd),
                    FileAction::Dup2(from, to) => libc::posix_spawn_file_actions_adddup2(actions, *from, *to),
                    FileAction::CloseFrom(fd) => posix_spawn_file_actions_addclosefrom_np(actions, *fd),
                })?;
            }
            plan.set_attributes(options)?;
            Ok(plan)
        }
    }

    fn set_attributes(&mut self, options: &SpawnOptions) -> Result<(), Errno> {
        let mut flags: c_int = 0;
        let attributes = &raw mut self.attributes;
        // SAFETY: initialised attributes, structs of ours.
        unsafe {
            if let Some(group) = options.group {
                code(libc::posix_spawnattr_setpgroup(attributes, group))?;
                flags |= libc::POSIX_SPAWN_SETPGROUP;
            }
            if options.reset_ids {
                flags |= libc::POSIX_SPAWN_RESETIDS;
            }
            if options.new_session {
                flags |= c_int::from(libc::POSIX_SPAWN_SETSID);
            }
            if let Some(mask) = &options.mask {
                code(libc::posix_spawnattr_setsigmask(attributes, &signal_set(mask)))?;
                flags |= libc::POSIX_SPAWN_SETSIGMASK;
            }
            if let Some(defaults) = &options.defaults {
                code(libc::posix_spawnattr_setsigdefault(attributes, &signal_set(defaults)))?;
                flags |= libc::POSIX_SPAWN_SETSIGDEF;
            }
            if let Some((policy, priority)) = options.scheduler {
                if let Some(policy) = policy {
                    code(libc::posix_spawnattr_setschedpolicy(attributes, policy))?;
                    flags |= libc::POSIX_SPAWN_SETSCHEDULER;
                }
                let param = libc::sched_param { sched_priority: priority };
                code(libc::posix_spawnattr_setschedparam(attributes, &raw const param))?;
                flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
            }
            code(libc::posix_spawnattr_setflags(attributes, flags as libc::c_short))
        }
    }
}

/// Runs a program in a new process; gives its number. Without an environment it inherits ours.
///
/// # Errors
/// What the system says.
pub fn spawn(
    path: &CStr,
    args: &[CString],
    environment: Option<&[CString]>,
    options: &SpawnOptions,
) -> Result<c_int, Errno> {
    let plan = SpawnPlan::new(options)?;
    let args = vector(args);
    let all = environment.map(vector);
    let mut pid = 0;
    // SAFETY: null-ended arrays of null-terminated texts, an initialised plan.
    unsafe {
        let all = all
            .as_ref()
            .map_or_else(|| (&raw const environ).read().cast::<*mut c_char>(), |all| all.as_ptr());
        let run = if options.search { libc::posix_spawnp } else { libc::posix_spawn };
        code(run(
            &raw mut pid,
            path.as_ptr(),
            &raw const plan.actions,
            &raw const plan.attributes,
            args.as_ptr(),
            all,
        ))?;
    }
    Ok(pid)
}

/// What a process has used: user and system time in seconds and microseconds, then the counts.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub user: (i64, i64),
    pub system: (i64, i64),
    /// From `ru_maxrss` to `ru_nivcsw`.
    pub counts: [i64; 14],
}

impl Usage {
    fn of(raw: &libc::rusage) -> Self {
        Self {
            user: (raw.ru_utime.tv_sec, raw.ru_utime.tv_usec),
            system: (raw.ru_stime.tv_sec, raw.ru_stime.tv_usec),
            counts: [
                raw.ru_maxrss,
                raw.ru_ixrss,
                raw.ru_idrss,
                raw.ru_isrss,
                raw.ru_minflt,
                raw.ru_majflt,
                raw.ru_nswap,
                raw.ru_inblock,
                raw.ru_oublock,
                raw.ru_msgsnd,
                raw.ru_msgrcv,
                raw.ru_nsignals,
                raw.ru_nvcsw,
                raw.ru_nivcsw,
            ],
        }
    }
}

/// What the process (0), its children (-1) or the thread (1) has used.
///
/// # Errors
/// What the system says.
pub fn usage(who: c_int) -> Result<Usage, Errno> {
    let mut raw = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the struct is ours and filled on success.
    unsafe {
        check(libc::getrusage(who, raw.as_mut_ptr()))?;
        Ok(Usage::of(raw.assume_init_ref()))
    }
}

/// Waits for a child: its number, status and usage.
///
/// # Errors
/// What the system says.
pub fn wait4(pid: c_int, options: c_int) -> Result<(c_int, c_int, Usage), Errno> {
    let mut status = 0;
    // SAFETY: zeros are a valid struct; both places are ours.
    unsafe {
        let mut raw: libc::rusage = core::mem::zeroed();
        let pid = check(libc::wait4(pid, &raw mut status, options, &raw mut raw))?;
        Ok((pid, status, Usage::of(&raw)))
    }
}

/// Waits for a child by the rules of `waitid`: pid, uid, signal, status, code; `None` when there is
/// nothing to tell.
///
/// # Errors
/// What the system says.
pub fn waitid(kind: c_int, id: c_uint, options: c_int) -> Result<Option<[i64; 5]>, Errno> {
    // SAFETY: zeros are a valid struct; the accessors fit what `waitid` fills in.
    unsafe {
        let mut raw: libc::siginfo_t = core::mem::zeroed();
        check(libc::waitid(kind.cast_unsigned(), id, &raw mut raw, options))?;
        if raw.si_pid() == 0 {
            return Ok(None);
        }
        Ok(Some([
            raw.si_pid().into(),
            raw.si_uid().into(),
            raw.si_signo.into(),
            raw.si_status().into(),
            raw.si_code.into(),
        ]))
    }
}

/// What the status of a child says.
pub mod status {
    use core::ffi::c_int;

    pub fn dumped_core(status: c_int) -> bool {
        libc::WCOREDUMP(status)
    }
    pub fn continued(status: c_int) -> bool {
        libc::WIFCONTINUED(status)
    }
    pub fn stopped(status: c_int) -> bool {
        libc::WIFSTOPPED(status)
    }
    pub fn signaled(status: c_int) -> bool {
        libc::WIFSIGNALED(status)
    }
    pub fn exited(status: c_int) -> bool {
        libc::WIFEXITED(status)
    }
    pub fn exit_status(status: c_int) -> c_int {
        libc::WEXITSTATUS(status)
    }
    pub fn term_signal(status: c_int) -> c_int {
        libc::WTERMSIG(status)
    }
    pub fn stop_signal(status: c_int) -> c_int {
        libc::WSTOPSIG(status)
    }
}

/// Runs a command in a shell; gives its status.
pub fn system(command: &CStr) -> c_int {
    // SAFETY: null-terminated.
    unsafe { libc::system(command.as_ptr()) }
}

/// Supplementary groups.
///
/// # Errors
/// What the system says.
pub fn groups() -> Result<Vec<c_uint>, Errno> {
    // SAFETY: the first call only counts, the second gets room for as many.
    unsafe {
        let count = check(libc::getgroups(0, null_mut()))?;
        let mut all = vec![0; count as usize];
        let count = check(libc::getgroups(count, all.as_mut_ptr()))?;
        all.truncate(count as usize);
        Ok(all)
    }
}

/// Sets the supplementary groups.
///
/// # Errors
/// What the system says.
pub fn set_groups(groups: &[c_uint]) -> Result<(), Errno> {
    // SAFETY: the length is told.
    check(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }).map(drop)
}

/// The groups of a user, with `group` among them.
pub fn groups_of(user: &CStr, group: c_uint) -> Option<Vec<c_uint>> {
    let mut count: c_int = 64;
    for _ in 0..8 {
        let mut all = vec![0; count as usize];
        // SAFETY: room for `count` groups.
        if unsafe { libc::getgrouplist(user.as_ptr(), group, all.as_mut_ptr(), &raw mut count) } != -1 {
            all.truncate(count.max(0) as usize);
            return Some(all);
        }
        count = count.max(all.len() as c_int * 2);
    }
    None
}

/// Real, effective and saved user.
///
/// # Errors
/// What the system says.
pub fn resuid() -> Result<[c_uint; 3], Errno> {
    let mut ids = [0; 3];
    let [a, b, c] = &mut ids;
    // SAFETY: three places of ours.
    check(unsafe { libc::getresuid(a, b, c) })?;
    Ok(ids)
}

/// Real, effective and saved group.
///
/// # Errors
/// What the system says.
pub fn resgid() -> Result<[c_uint; 3], Errno> {
    let mut ids = [0; 3];
    let [a, b, c] = &mut ids;
    // SAFETY: three places of ours.
    check(unsafe { libc::getresgid(a, b, c) })?;
    Ok(ids)
}

/// The name of the user logged in on the terminal.
///
/// # Errors
/// What the system says.
pub fn login() -> Result<Vec<u8>, Errno> {
    let mut buffer = [0u8; 512];
    // SAFETY: the length is told; the result is the error itself.
    match unsafe { getlogin_r(buffer.as_mut_ptr().cast(), buffer.len()) } {
        0 => Ok(buffer.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()),
        error => Err(error),
    }
}

/// System, node, release, version, machine.
///
/// # Errors
/// What the system says.
pub fn uname() -> Result<[Vec<u8>; 5], Errno> {
    let mut raw = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the struct is ours; its texts are null-terminated.
    unsafe {
        check(libc::uname(raw.as_mut_ptr()))?;
        let raw = raw.assume_init();
        let text = |field: &[c_char]| CStr::from_ptr(field.as_ptr()).to_bytes().to_vec();
        Ok([
            text(&raw.sysname),
            text(&raw.nodename),
            text(&raw.release),
            text(&raw.version),
            text(&raw.machine),
        ])
    }
}

/// Ticks of user, system, children's user, children's system time, and of the clock.
///
/// # Errors
/// What the system says.
pub fn times() -> Result<[i64; 5], Errno> {
    let mut raw = libc::tms { tms_utime: 0, tms_stime: 0, tms_cutime: 0, tms_cstime: 0 };
    // SAFETY: the struct is ours.
    let elapsed = check(unsafe { libc::times(&raw mut raw) })?;
    Ok([raw.tms_utime, raw.tms_stime, raw.tms_cutime, raw.tms_cstime, elapsed])
}

/// The load averages.
pub fn load() -> Option<[f64; 3]> {
    let mut all = [0.0; 3];
    // SAFETY: room for three.
    if unsafe { libc::getloadavg(all.as_mut_ptr(), 3) } == 3 { Some(all) } else { None }
}

/// A text of the system's configuration; `None` when it has no value.
///
/// # Errors
/// What the system says.
pub fn confstr(name: c_int) -> Result<Option<Vec<u8>>, Errno> {
    // SAFETY: the first call only counts, the second gets room for as many.
    unsafe {
        *libc::__errno_location() = 0;
        let length = libc::confstr(name, null_mut(), 0);
        if length == 0 {
            let error = *libc::__errno_location();
            return if error == 0 { Ok(None) } else { Err(error) };
        }
        let mut buffer = vec![0u8; length];
        libc::confstr(name, buffer.as_mut_ptr().cast(), length);
        buffer.pop();
        Ok(Some(buffer))
    }
}

/// The highest number of a processor that an affinity can name here.
const CPUS: usize = 1 << 16;

/// The processors that a process may run on.
///
/// # Errors
/// What the system says.
pub fn affinity(pid: c_int) -> Result<Vec<usize>, Errno> {
    let mut words = vec![0u64; CPUS / 64];
    // SAFETY: the length in bytes is told.
    check(unsafe { libc::sched_getaffinity(pid, words.len() * 8, words.as_mut_ptr().cast()) })?;
    Ok((0..CPUS).filter(|cpu| words[cpu / 64] >> (cpu % 64) & 1 != 0).collect())
}

/// Sets the processors that a process may run on.
///
/// # Errors
/// `EINVAL` for a processor beyond all reason; what the system says.
pub fn set_affinity(pid: c_int, cpus: &[usize]) -> Result<(), Errno> {
    let mut words = vec![0u64; CPUS / 64];
    for &cpu in cpus {
        *words.get_mut(cpu / 64).ok_or(libc::EINVAL)? |= 1 << (cpu % 64);
    }
    // SAFETY: the length in bytes is told.
    check(unsafe { libc::sched_setaffinity(pid, words.len() * 8, words.as_ptr().cast()) }).map(drop)
}

/// How many processors there are.
pub fn processors() -> Option<usize> {
    crate::calls::sysconf(libc::_SC_NPROCESSORS_ONLN).ok().and_then(|n| usize::try_from(n).ok())
}

/// The scheduling priority of a process.
///
/// # Errors
/// What the system says.
pub fn sched_param(pid: c_int) -> Result<c_int, Errno> {
    let mut param = libc::sched_param { sched_priority: 0 };
    // SAFETY: the struct is ours.
    check(unsafe { libc::sched_getparam(pid, &raw mut param) })?;
    Ok(param.sched_priority)
}

/// Sets the scheduling priority of a process.
///
/// # Errors
/// What the system says.
pub fn set_sched_param(pid: c_int, priority: c_int) -> Result<(), Errno> {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: the struct is ours.
    check(unsafe { libc::sched_setparam(pid, &raw const param) }).map(drop)
}

/// Sets the scheduling policy of a process.
///
/// # Errors
/// What the system says.
pub fn set_scheduler(pid: c_int, policy: c_int, priority: c_int) -> Result<(), Errno> {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: the struct is ours.
    check(unsafe { libc::sched_setscheduler(pid, policy, &raw const param) }).map(drop)
}

/// The time slice of round-robin scheduling.
///
/// # Errors
/// What the system says.
pub fn sched_interval(pid: c_int) -> Result<(i64, i64), Errno> {
    let mut raw = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the struct is ours.
    check(unsafe { libc::sched_rr_get_interval(pid, &raw mut raw) })?;
    Ok((raw.tv_sec, raw.tv_nsec))
}

/// Fills a buffer with random bytes; gives how many.
///
/// # Errors
/// What the system says.
pub fn random(buffer: &mut [u8], flags: c_uint) -> Result<usize, Errno> {
    // SAFETY: the length is told.
    check(unsafe { libc::getrandom(buffer.as_mut_ptr().cast(), buffer.len(), flags) })
        .map(isize::cast_unsigned)
}

/// Soft and hard limit of a resource.
///
/// # Errors
/// What the system says.
pub fn limit(pid: c_int, resource: c_int, new: Option<(u64, u64)>) -> Result<(u64, u64), Errno> {
    let mut old = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    let new = new.map(|(rlim_cur, rlim_max)| libc::rlimit64 { rlim_cur, rlim_max });
    let new = new.as_ref().map_or(null(), core::ptr::from_ref);
    // SAFETY: null or structs of ours.
    check(unsafe { libc::prlimit64(pid, resource.cast_unsigned(), new, &raw mut old) })?;
    Ok((old.rlim_cur, old.rlim_max))
}
