//! `_posixsubprocess`: the fork and exec of `subprocess`.

use crate::posix::convert::{c_name, id, int, name_bytes, os_error, sequence};
use crate::posix::process::{after_fork_child, after_fork_parent, before_fork};
use std::ffi::CString;
use taipan_object::err::{type_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::ModuleSpec;
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::system::fspath;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, protocol, state};
use taipan_os::child::{Plan, fork_exec as run};

/// Where the arguments stand.
mod place {
    pub const ARGS: usize = 0;
    pub const EXECUTABLES: usize = 1;
    pub const CLOSE_FDS: usize = 2;
    pub const PASS_FDS: usize = 3;
    pub const FOLDER: usize = 4;
    pub const ENVIRONMENT: usize = 5;
    pub const PIPES: usize = 6;
    pub const RESTORE_SIGNALS: usize = 14;
    pub const SETSID: usize = 15;
    pub const GROUP: usize = 16;
    pub const GID: usize = 17;
    pub const GROUPS: usize = 18;
    pub const UID: usize = 19;
    pub const UMASK: usize = 20;
    pub const PREPARE: usize = 21;
}

fn names(items: &[Ref]) -> PyResult<Vec<CString>> {
    items.iter().map(|item| c_name(item)).collect()
}

/// Descriptors to keep: a tuple of ints in ascending order.
fn kept(object: &Object) -> PyResult<Vec<i32>> {
    let Some(tuple) = object.downcast::<Tuple>() else {
        return Err(type_error("fork_exec() argument 4 must be tuple"));
    };
    let mut all: Vec<i32> = Vec::with_capacity(tuple.len());
    for item in tuple.items() {
        let number = item.downcast::<Int>().and_then(Int::to_i64).and_then(|n| i32::try_from(n).ok());
        match number {
            Some(fd) if fd >= 0 && all.last().is_none_or(|&last| fd > last) => all.push(fd),
            _ => return Err(value_error("bad value(s) in fds_to_keep")),
        }
    }
    Ok(all)
}

/// Rows `NAME=value` as bytes.
fn environment(object: &Object) -> PyResult<Option<Vec<CString>>> {
    if is_none(object) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for item in protocol::to_vec(object)? {
        let (bytes, _) = name_bytes(&*fspath(&item)?)?;
        all.push(CString::new(bytes).map_err(|_| value_error("embedded null byte"))?);
    }
    Ok(Some(all))
}

fn groups(object: &Object) -> PyResult<Option<Vec<u32>>> {
    if is_none(object) {
        return Ok(None);
    }
    let Some(items) = sequence(object) else {
        return Err(type_error("setgroups argument must be a sequence"));
    };
    let mut all = Vec::with_capacity(items.len());
    for item in &items {
        if item.downcast::<Int>().is_none() {
            return Err(type_error("groups must be integers"));
        }
        all.push(id(item, "gid")?);
    }
    Ok(Some(all))
}

fn plan(args: &Args<'_>) -> PyResult<Plan> {
    let given = |index: usize| args.required(index);
    let number = |index: usize| int(given(index));
    let pipes = |index: usize| -> PyResult<(i32, i32)> {
        Ok((number(place::PIPES + index)?, number(place::PIPES + index + 1)?))
    };
    let optional = |index: usize, what: &str| -> PyResult<Option<u32>> {
        if is_none(given(index)) { Ok(None) } else { id(given(index), what).map(Some) }
    };
    let report = pipes(6)?;
    let close_others = given(place::CLOSE_FDS).is_true()?;
    if close_others && report.1 < 3 {
        return Err(value_error("errpipe_write must be >= 3"));
    }
    let Some(executables) = sequence(given(place::EXECUTABLES)) else {
        return Err(type_error("executable_list must be a tuple or list"));
    };
    let args_given = given(place::ARGS);
    let program = if is_none(args_given) {
        Vec::new()
    } else {
        protocol::to_vec(args_given).map_err(|_| type_error("argv must be a tuple"))?
    };
    let folder = given(place::FOLDER);
    let group = number(place::GROUP)?;
    let mask = number(place::UMASK)?;
    Ok(Plan {
        executables: names(&executables)?,
        args: names(&program)?,
        environment: environment(given(place::ENVIRONMENT))?,
        folder: if is_none(folder) { None } else { Some(c_name(folder)?) },
        close_others,
        keep: kept(given(place::PASS_FDS))?,
        stdin: pipes(0)?,
        stdout: pipes(2)?,
        stderr: pipes(4)?,
        report,
        restore_signals: given(place::RESTORE_SIGNALS).is_true()?,
        new_session: given(place::SETSID).is_true()?,
        group: (group >= 0).then_some(group),
        gid: optional(place::GID, "gid")?,
        groups: groups(given(place::GROUPS))?,
        uid: optional(place::UID, "uid")?,
        mask: u32::try_from(mask).ok(),
    })
}

fn fork_exec(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let plan = plan(args)?;
    let prepare = Some(args.required(place::PREPARE)).filter(|function| !is_none(function));
    let interp = state::interp();
    if prepare.is_some() && interp.finalizing.get() {
        let text = "preexec_fn not supported at interpreter shutdown";
        return Err(taipan_object::PyErr::new(&taipan_object::statics::PyExc_PythonFinalizationError, text));
    }
    let Some(prepare) = prepare else {
        let forked = interp.gil.around_fork(|| run(&plan, None), |_| false);
        return forked.map_err(os_error);
    };
    before_fork();
    let mut call = || {
        after_fork_child();
        match prepare.call(&[]) {
            Ok(_) => true,
            Err(error) => {
                // The parent is told that it failed, not how.
                drop(error);
                false
            }
        }
    };
    let forked = run(&plan, Some(&mut call));
    after_fork_parent();
    forked.map_err(os_error)
}

taipan_object::methods! {
    static METHODS = {
        args "fork_exec" "($module, args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, /)" = fork_exec, "Run a program in a new process; gives its number.\n\nWhat goes wrong in the child is written to the pipe errpipe_write.";
    }
}

/// `_posixsubprocess`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "_posixsubprocess",
    doc: "Running programs, for subprocess.",
    methods: METHODS,
    init: |_| Ok(()),
};
