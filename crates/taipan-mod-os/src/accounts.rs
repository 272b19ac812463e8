//! `pwd` and `grp`: users and groups.

use crate::posix::convert::{ok, released};
use std::ffi::CString;
use taipan_object::err::value_error;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::ModuleSpec;
use taipan_object::native::Args;
use taipan_object::protocol::has_index;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_KeyError, PyExc_TypeError};
use taipan_object::system::{fs_decode, fs_encode};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, raise, struct_sequence};
use taipan_os::accounts::{self, Group, User};

struct_sequence! {
    /// What `pwd` gives.
    pub static STRUCT_PASSWD, STRUCT_PASSWD_TYPE = c"pwd.struct_passwd", visible 7, flags 0,
        c"A user: (pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell)." {
        pw_name c"name to log in with";
        pw_passwd c"password, encrypted or x";
        pw_uid c"number of the user";
        pw_gid c"number of the user's group";
        pw_gecos c"the user's real name";
        pw_dir c"home folder";
        pw_shell c"program that runs after logging in";
    }
}

struct_sequence! {
    /// What `grp` gives.
    pub static STRUCT_GROUP, STRUCT_GROUP_TYPE = c"grp.struct_group", visible 4, flags 0,
        c"A group: (gr_name, gr_passwd, gr_gid, gr_mem)." {
        gr_name c"name";
        gr_passwd c"password, encrypted or x";
        gr_gid c"number of the group";
        gr_mem c"names of the members";
    }
}

fn text(bytes: &[u8]) -> PyResult {
    Ok(fs_decode(bytes)?.upcast())
}

fn number(id: u32) -> Ref {
    Int::from_i64(if id == u32::MAX { -1 } else { id.into() }).upcast()
}

fn user(user: &User) -> PyResult<Ref<Tuple>> {
    STRUCT_PASSWD.make(vec![
        text(&user.name)?,
        text(&user.password)?,
        number(user.uid),
        number(user.gid),
        text(&user.about)?,
        text(&user.home)?,
        text(&user.shell)?,
    ])
}

fn group(group: &Group) -> PyResult<Ref<Tuple>> {
    let members = List::new()?;
    for member in &group.members {
        members.append(text(member)?)?;
    }
    STRUCT_GROUP.make(vec![text(&group.name)?, text(&group.password)?, number(group.gid), members.upcast()])
}

#[cold]
fn missing(words: &str) -> PyErr {
    PyErr::new(&PyExc_KeyError, words)
}

/// A name argument as the system takes it.
fn name(function: &str, object: &Object) -> PyResult<CString> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument {}must be str, not {}",
            if function == "getgrnam" { "'name' " } else { "" },
            if is_none(object) { "None" } else { object.ty().message_name() }
        ));
    };
    CString::new(fs_encode(text)?).map_err(|_| value_error("embedded null byte"))
}

/// The number of a user; `None` for one that the system cannot have.
fn user_id(object: &Object) -> PyResult<Option<u32>> {
    if !has_index(object) {
        return Err(raise!(PyExc_TypeError, "uid should be integer, not {}", object.ty().message_name()));
    }
    Ok(match object.to_index()?.to_i64() {
        Some(-1) => Some(u32::MAX),
        Some(value) => u32::try_from(value).ok(),
        None => None,
    })
}

fn getpwuid(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let Some(uid) = user_id(object)? else { return Err(missing("getpwuid(): uid not found")) };
    match ok(released(|| accounts::user_by_id(uid)))? {
        Some(found) => user(&found),
        None => Err(missing(&format!("getpwuid(): uid not found: {}", number(uid).str_lossy()))),
    }
}

fn getpwnam(_: &Object, object: &Object) -> PyResult<Ref<Tuple>> {
    let wanted = name("getpwnam", object)?;
    match ok(released(|| accounts::user_by_name(&wanted)))? {
        Some(found) => user(&found),
        None => Err(missing(&format!("getpwnam(): name not found: {}", object.repr()?.to_lossy()))),
    }
}

fn getpwall(_: &Object) -> PyResult<Ref<List>> {
    let list = List::new()?;
    for found in released(accounts::users) {
        list.append(user(&found)?.upcast())?;
    }
    Ok(list)
}

fn getgrgid(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let object = args.required(0);
    let gid = crate::posix::convert::id(object, "gid")?;
    match ok(released(|| accounts::group_by_id(gid)))? {
        Some(found) => group(&found),
        None => Err(missing(&format!("getgrgid(): gid not found: {}", number(gid).str_lossy()))),
    }
}

fn getgrnam(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let object = args.required(0);
    let wanted = name("getgrnam", object)?;
    match ok(released(|| accounts::group_by_name(&wanted)))? {
        Some(found) => group(&found),
        None => Err(missing(&format!("getgrnam(): name not found: {}", object.repr()?.to_lossy()))),
    }
}

fn getgrall(_: &Object) -> PyResult<Ref<List>> {
    let list = List::new()?;
    for found in released(accounts::groups) {
        list.append(group(&found)?.upcast())?;
    }
    Ok(list)
}

taipan_object::methods! {
    static PWD_METHODS = {
        one "getpwuid" "($module, uidobj, /)" = getpwuid, "The user of a number.";
        one "getpwnam" "($module, name, /)" = getpwnam, "The user of a name.";
        noargs "getpwall" "($module, /)" = getpwall, "All users.";
    }
}

taipan_object::methods! {
    static GRP_METHODS = {
        args "getgrgid" "($module, /, id)" = getgrgid, "The group of a number.";
        args "getgrnam" "($module, /, name)" = getgrnam, "The group of a name.";
        noargs "getgrall" "($module, /)" = getgrall, "All groups.";
    }
}

/// `pwd`.
pub static PWD: ModuleSpec = ModuleSpec {
    name: "pwd",
    doc: "The users of the system.",
    methods: PWD_METHODS,
    init: |module| {
        STRUCT_PASSWD.install()?;
        module.add("struct_passwd", &STRUCT_PASSWD_TYPE)
    },
};

/// `grp`.
pub static GRP: ModuleSpec = ModuleSpec {
    name: "grp",
    doc: "The groups of the system.",
    methods: GRP_METHODS,
    init: |module| {
        STRUCT_GROUP.install()?;
        module.add("struct_group", &STRUCT_GROUP_TYPE)
    },
};
