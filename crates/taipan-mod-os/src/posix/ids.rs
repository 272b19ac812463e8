//! Who the process is: numbers of processes, users, groups, sessions.

use super::convert::{c_name, id, int, ok, os_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::system::fs_decode;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, protocol, raise};
use taipan_os::{calls, process};

/// `EINVAL`.
const INVALID: i32 = 22;
/// The most supplementary groups.
const MOST_GROUPS: usize = 65536;

/// A user or group number, where all ones mean -1.
fn number(id: u32) -> Ref {
    Int::from_i64(if id == u32::MAX { -1 } else { id.into() }).upcast()
}

macro_rules! simple {
    ($($name:ident -> $ty:ty = $value:expr;)*) => {$(
        fn $name(_: &Object) -> $ty {
            $value
        }
    )*};
}

simple! {
    getpid -> i32 = calls::getpid();
    getppid -> i32 = calls::getppid();
    getpgrp -> i32 = calls::getpgrp();
    getuid -> Ref = number(calls::getuid());
    geteuid -> Ref = number(calls::geteuid());
    getgid -> Ref = number(calls::getgid());
    getegid -> Ref = number(calls::getegid());
    setsid -> PyResult<()> = ok(calls::setsid()).map(drop);
    setpgrp -> PyResult<()> = ok(calls::setpgid(0, 0)).map(drop);
}

macro_rules! setters {
    ($($name:ident $what:literal $($index:literal)*;)*) => {$(
        fn $name(_: &Object, args: &Args<'_>) -> PyResult<()> {
            ok(calls::$name($(id(args.required($index), $what)?),*)).map(drop)
        }
    )*};
}

setters! {
    setuid "uid" 0;
    seteuid "uid" 0;
    setgid "gid" 0;
    setegid "gid" 0;
    setreuid "uid" 0 1;
    setregid "gid" 0 1;
    setresuid "uid" 0 1 2;
    setresgid "gid" 0 1 2;
}

fn triple(ids: [u32; 3]) -> PyResult<Ref<Tuple>> {
    Tuple::from_array(ids.map(number))
}

fn getresuid(_: &Object) -> PyResult<Ref<Tuple>> {
    triple(ok(process::resuid())?)
}

fn getresgid(_: &Object) -> PyResult<Ref<Tuple>> {
    triple(ok(process::resgid())?)
}

fn getpgid(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    ok(calls::getpgid(int(args.required(0))?))
}

fn setpgid(_: &Object, args: &Args<'_>) -> PyResult<()> {
    ok(calls::setpgid(int(args.required(0))?, int(args.required(1))?)).map(drop)
}

fn getsid(_: &Object, pid: &Object) -> PyResult<i32> {
    ok(calls::getsid(int(pid)?))
}

fn id_list(ids: &[u32]) -> PyResult<Ref<List>> {
    List::from_vec(ids.iter().map(|&id| number(id)).collect())
}

fn getgroups(_: &Object) -> PyResult<Ref<List>> {
    id_list(&ok(process::groups())?)
}

fn setgroups(_: &Object, groups: &Object) -> PyResult<()> {
    if !super::convert::is_sequence(groups) {
        return Err(err::type_error("setgroups argument must be a sequence"));
    }
    let items = protocol::to_vec(groups)?;
    if items.len() > MOST_GROUPS {
        return Err(err::value_error("too many groups"));
    }
    let mut ids = Vec::with_capacity(items.len());
    for item in &items {
        if item.downcast::<Int>().is_none() {
            return Err(err::type_error("groups must be integers"));
        }
        ids.push(id(item, "gid")?);
    }
    ok(process::set_groups(&ids))
}

/// The name of a user as C takes it.
fn user(object: &Object) -> PyResult<std::ffi::CString> {
    c_name(object)
}

fn getgrouplist(_: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let Some(name) = args.required(0).downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "getgrouplist() argument 1 must be str, not {}",
            if taipan_object::singletons::is_none(args.required(0)) {
                "None"
            } else {
                args.required(0).ty().message_name()
            }
        ));
    };
    let name = user(name)?;
    let group = id(args.required(1), "gid")?;
    id_list(&process::groups_of(&name, group).ok_or_else(|| os_error(INVALID))?)
}

fn initgroups(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let name = user(args.required(0))?;
    let group = id(args.required(1), "gid")?;
    ok(calls::initgroups(&name, group)).map(drop)
}

fn getlogin(_: &Object) -> PyResult<Ref<Str>> {
    fs_decode(&ok(process::login())?)
}

taipan_object::methods! {
    pub(super) static METHODS = {
        noargs "getpid" "($module, /)" = getpid, "The number of the process.";
        noargs "getppid" "($module, /)" = getppid, "The number of the process that began this one.";
        noargs "getpgrp" "($module, /)" = getpgrp, "The process group.";
        noargs "setpgrp" "($module, /)" = setpgrp, "Make the process the leader of its group.";
        args "getpgid" "($module, /, pid)" = getpgid, "The process group of a process.";
        args "setpgid" "($module, pid, pgrp, /)" = setpgid, "Set the process group of a process.";
        one "getsid" "($module, pid, /)" = getsid, "The session of a process.";
        noargs "setsid" "($module, /)" = setsid, "Begin a session.";
        noargs "getuid" "($module, /)" = getuid, "The user.";
        noargs "geteuid" "($module, /)" = geteuid, "The effective user.";
        noargs "getgid" "($module, /)" = getgid, "The group.";
        noargs "getegid" "($module, /)" = getegid, "The effective group.";
        args "setuid" "($module, uid, /)" = setuid, "Set the user.";
        args "seteuid" "($module, euid, /)" = seteuid, "Set the effective user.";
        args "setgid" "($module, gid, /)" = setgid, "Set the group.";
        args "setegid" "($module, egid, /)" = setegid, "Set the effective group.";
        args "setreuid" "($module, ruid, euid, /)" = setreuid, "Set real and effective user.";
        args "setregid" "($module, rgid, egid, /)" = setregid, "Set real and effective group.";
        args "setresuid" "($module, ruid, euid, suid, /)" = setresuid, "Set real, effective and saved user.";
        args "setresgid" "($module, rgid, egid, sgid, /)" = setresgid, "Set real, effective and saved group.";
        noargs "getresuid" "($module, /)" = getresuid, "Real, effective and saved user.";
        noargs "getresgid" "($module, /)" = getresgid, "Real, effective and saved group.";
        noargs "getgroups" "($module, /)" = getgroups, "The supplementary groups.";
        one "setgroups" "($module, groups, /)" = setgroups, "Set the supplementary groups.";
        args "getgrouplist" "($module, user, group, /)" = getgrouplist, "The groups of a user, with the given one among them.";
        args "initgroups" "($module, username, gid, /)" = initgroups, "Set the supplementary groups to those of a user.";
        noargs "getlogin" "($module, /)" = getlogin, "The name of the user who is logged in.";
    }
}
