//! Forking a child that runs another program, as `subprocess` wants it.
//!
//! Everything the child needs is made before the fork: between fork and exec it only makes system
//! calls on memory that is there already, since another thread may have held the allocator's lock.

use crate::Errno;
use crate::calls::{check, last};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null;
use std::ffi::CString;

/// What the child does before it becomes the program. Descriptors of -1 stand for none.
#[derive(Debug, Default)]
pub struct Plan {
    /// The program's possible places, tried in order.
    pub executables: Vec<CString>,
    pub args: Vec<CString>,
    pub environment: Option<Vec<CString>>,
    pub folder: Option<CString>,
    /// Close every other descriptor from 3 on.
    pub close_others: bool,
    /// Descriptors to keep, in ascending order.
    pub keep: Vec<c_int>,
    pub stdin: (c_int, c_int),
    pub stdout: (c_int, c_int),
    pub stderr: (c_int, c_int),
    /// The pipe that tells the parent of failures: end to read, end to write.
    pub report: (c_int, c_int),
    pub restore_signals: bool,
    pub new_session: bool,
    pub group: Option<c_int>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub uid: Option<u32>,
    pub mask: Option<u32>,
}

/// Where a child failed: before the program was tried, changing the folder, or running it.
#[derive(Clone, Copy)]
enum Stage {
    Before,
    Folder,
    Run,
}

struct Failure(Errno, Stage);

/// Null-ended arrays of C texts, made before the fork.
struct Arrays {
    args: Vec<*const c_char>,
    environment: Option<Vec<*const c_char>>,
}

fn array(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([null()]).collect()
}

/// Forks; `prepare` runs in the child and gives false when it failed. Gives the child's number.
///
/// # Errors
/// What the system says.
pub fn fork_exec(plan: &Plan, mut prepare: Option<&mut dyn FnMut() -> bool>) -> Result<c_int, Errno> {
    let arrays = Arrays { args: array(&plan.args), environment: plan.environment.as_deref().map(array) };
    // SAFETY: the child makes system calls only, unless the caller's own function does more.
    let pid = check(unsafe { libc::fork() })?;
    if pid != 0 {
        return Ok(pid);
    }
    let outcome = set_up(plan).and_then(|()| {
        if let Some(prepare) = prepare.as_mut()
            && !prepare()
        {
            tell(plan.report.1, b"SubprocessError:0:Exception occurred in preexec_fn.");
            // SAFETY: ends the child.
            unsafe { libc::_exit(255) }
        }
        if plan.close_others {
            close_others(&plan.keep);
        }
        Err::<(), Failure>(Failure(run(plan, &arrays), Stage::Run))
    });
    if let Err(Failure(errno, stage)) = outcome {
        report(plan.report.1, errno, stage);
    }
    // SAFETY: ends the child.
    unsafe { libc::_exit(255) }
}

fn before<T>(result: Result<T, Errno>) -> Result<T, Failure> {
    result.map_err(|errno| Failure(errno, Stage::Before))
}

/// `dup2` that also works onto itself.
fn place(from: c_int, to: c_int) -> Result<(), Errno> {
    if from == to {
        return crate::descriptors::set_inheritable(from, true);
    }
    if from < 0 { Ok(()) } else { crate::calls::dup2(from, to).map(drop) }
}

fn set_up(plan: &Plan) -> Result<(), Failure> {
    for &fd in plan.keep.iter().filter(|&&fd| fd != plan.report.1) {
        before(crate::descriptors::set_inheritable(fd, true))?;
    }
    for fd in [plan.stdin.1, plan.stdout.0, plan.stderr.0, plan.report.0] {
        if fd >= 0 {
            before(crate::calls::close(fd))?;
        }
    }
    // A descriptor that stands where another will be put moves out of the way first.
    let (mut out, mut err) = (plan.stdout.1, plan.stderr.1);
    if out == 0 {
        out = before(crate::descriptors::dup(out))?;
    }
    while err == 0 || err == 1 {
        err = before(crate::descriptors::dup(err))?;
    }
    before(place(plan.stdin.0, 0))?;
    before(place(out, 1))?;
    before(place(err, 2))?;
    if let Some(folder) = &plan.folder {
        crate::calls::chdir(folder).map_err(|errno| Failure(errno, Stage::Folder))?;
    }
    if let Some(mask) = plan.mask {
        crate::calls::umask(mask);
    }
    if plan.restore_signals {
        // SAFETY: the default action needs no handler.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
        }
    }
    if plan.new_session {
        before(crate::calls::setsid())?;
    }
    if let Some(group) = plan.group {
        before(crate::calls::setpgid(0, group))?;
    }
    if let Some(groups) = &plan.groups {
        before(crate::process::set_groups(groups))?;
    }
    if let Some(gid) = plan.gid {
        before(crate::calls::setregid(gid, gid))?;
    }
    if let Some(uid) = plan.uid {
        before(crate::calls::setreuid(uid, uid))?;
    }
    Ok(())
}

/// Closes all descriptors from 3 on but those to keep, which are in order.
fn close_others(keep: &[c_int]) {
    let mut from = 3;
    for &fd in keep.iter().filter(|&&fd| fd >= 3) {
        crate::descriptors::close_range(from, fd);
        from = fd.saturating_add(1);
    }
    crate::descriptors::close_range(from, c_int::MAX);
}

/// Tries the program's places; comes back with the error that says most.
fn run(plan: &Plan, arrays: &Arrays) -> Errno {
    let (mut telling, mut latest) = (0, libc::ENOENT);
    for path in &plan.executables {
        let path: &CStr = path;
        // SAFETY: null-ended arrays of texts that the plan keeps.
        unsafe {
            match &arrays.environment {
                Some(all) => libc::execve(path.as_ptr(), arrays.args.as_ptr(), all.as_ptr()),
                None => libc::execv(path.as_ptr(), arrays.args.as_ptr()),
            };
        }
        latest = last();
        if latest != libc::ENOENT && latest != libc::ENOTDIR && telling == 0 {
            telling = latest;
        }
    }
    if telling != 0 { telling } else { latest }
}

fn tell(fd: c_int, text: &[u8]) {
    // Nobody is left to be told when even this fails.
    let _ = crate::descriptors::write(fd, text);
}

/// Writes `OSError:hex:stage`, without allocating.
fn report(fd: c_int, errno: Errno, stage: Stage) {
    let mut digits = [0u8; 8];
    let (mut rest, mut at) = (errno.unsigned_abs(), digits.len());
    while at > 0 {
        at -= 1;
        digits[at] = b"0123456789ABCDEF"[(rest & 15) as usize];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    tell(fd, b"OSError:");
    tell(fd, &digits[at..]);
    tell(
        fd,
        match stage {
            Stage::Before => b":noexec",
            Stage::Folder => b":noexec:chdir",
            Stage::Run => b":",
        },
    );
}
